"""`fit` of a compiled function: its parameters trained in one loop of machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from micrograd.checks import one_of, whole_number
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, shown_briefly
from micrograd.replay.programs import Programs

if TYPE_CHECKING:
    from micrograd.engine import Value
    from micrograd.loop import History, Trainable
    from micrograd.ops import PlainNumber
    from micrograd.optim import Clip
    from micrograd.optim.schedules import LearningRate
    from micrograd.replay.trace.traced import Trace

__all__ = ["Fits"]


class Fits(Programs):
    """The training of a compiled function."""

    if TYPE_CHECKING:

        def value_and_grad(self, *args: Any, **options: Any) -> tuple[Any, Any]:
            """Return the values of a batch and their derivatives."""

        def machine(
            self, *args: Any, ahead: float = ...
        ) -> tuple[Any, list[Value], list[int]] | None:
            """Return the machine code, the parameters that it reads and the derivatives' places."""

        def machine_of_one(self) -> Any:
            """Return the machine code of the same program for single samples, or None."""

    def fit(
        self,
        *arrays: Any,
        optimizer: Trainable | None = None,
        steps: int = 100,
        batch_size: int | None = None,
        seed: int | None = None,
        lr: LearningRate | None = None,
        clip: PlainNumber | Clip | None = None,
        validation: tuple[Any, ...] | None = None,
        every: int = 1,
        callback: Callable[[int, float], object] | None = None,
        reduction: str = "mean",
    ) -> History:
        """Train the parameters: make the first result smaller, step by step.

        With the llvm backend and `SGD`, `Adam` or `AdamW`, all steps between two calls of the
        callback are one call of machine code: shuffling, gradient, clipping, update and record.

        Parameters
        ----------
        *arrays : array-like of shape (n, ...)
            The samples: one array for each argument of the function, with numbers of any type.
        optimizer : Optimizer, optional
            Over `parameters`, or over some of them: the others stay as they are. Default `Adam`
            over all of them with a learning rate of 0.02.
        steps : int, default 100
            The number of updates.
        batch_size : int, optional
            Samples per step, in shuffled order, each one once per pass over the data. Default all
            of them, in the given order.
        seed : int, optional
            Seed of the shuffling, which has its own generator. Default another order in each run.
        lr : number or callable, optional
            A learning rate for the optimizer, which it keeps. A function must depend on the number
            of the step alone: it is asked for the rates of many steps ahead.
        clip : number or Clip, optional
            The largest norm of the gradient of a step, or an `optim.Clip`.
        validation : tuple of array-like, optional
            Samples as in `arrays` that are measured, but not trained on.
        every : int, default 1
            Measure the validation data, and call the callback, at step 0 and then every `every`
            steps.
        callback : callable, optional
            Called with `(step, loss)` after such a step; parameters and optimizer are as of then.
        reduction : {"mean", "sum"}, default "mean"
            Whether loss and gradient of a step are means or sums over its samples.

        Returns
        -------
        History
            Without accuracies. If the function returns a sequence, `aux` has the reductions of
            the results after the first.

        Raises
        ------
        ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
            If an argument cannot be used; nothing is changed.
        OverflowRangeError, DomainError, ZeroDivisorError, NonFiniteError
            If a loss, a gradient or a parameter stops being finite. The error's `history` has the
            steps before, whatever `check` is.

        Notes
        -----
        Whatever ends the run, even an interrupt, parameters and optimizer are as they were after
        the last complete step. The loop in machine code runs on one thread, whatever `threads` is.

        Examples
        --------
        >>> import micrograd
        >>> from micrograd.optim import SGD
        >>> w = micrograd.Value(0.0)
        >>> @micrograd.compile(backend="python")
        ... def loss(x, y):
        ...     return (w * x - y) ** 2
        >>> history = loss.fit([1.0, 2.0], [3.0, 6.0], optimizer=SGD([w], lr=0.2), steps=20)
        >>> history.loss[0], round(w.data, 6)
        (22.5, 3.0)
        """
        from micrograd.loop import Batches, Run
        from micrograd.loop.options import batch_size_of, optimizer_of, rate_of
        from micrograd.optim.clipping import clip_of
        from micrograd.replay.training.steps import Steps

        steps, every = whole_number("steps", steps, 0), whole_number("every", every, 1)
        seed = None if seed is None else whole_number("seed", seed)
        one_of("reduction", reduction, ("mean", "sum"))
        if not (callback is None or callable(callback)):
            raise ArgumentTypeError(f"expected a function as callback, got {callback!r}")
        limit, rate = clip_of(clip), None if lr is None else rate_of(lr)
        if any(hasattr(array, "__len__") and len(array) == 0 for array in arrays):
            raise ArgumentError("expected at least one sample to train on, got none")
        trace, columns, n = self._batch(arrays)
        size = batch_size_of(batch_size, n, "")
        held_out = self._held_out(validation, trace)
        if not self._parameters:
            raise ArgumentError(f"{self._name} has no parameters to train")
        chosen = optimizer_of(optimizer, self._parameters, "function")
        if rate is not None:
            chosen.lr = rate
        run = Run(
            Steps(self, columns, held_out, reduction),
            chosen,
            Batches(n, size, seed),
            limit,
            every,
        )
        run.prepare(steps)
        while run.done < steps:
            most = steps - run.done
            if callback is not None:
                most = min(most, -run.done % every + 1)
            run.forward(most)
            step = run.done - 1
            if callback is not None and step % every == 0:
                callback(step, run.history.loss[step])
        return run.history

    def _held_out(self, given: Any, trace: Trace) -> list[Any] | None:
        """Return the columns of the validation data."""
        if given is None:
            return None
        count = len(trace.shapes)
        if not isinstance(given, (tuple, list)) or len(given) != count:
            raise ArgumentTypeError(
                f"expected validation to be a tuple of {count} array(s), as {self._name} takes, "
                f"got {shown_briefly(given)}"
            )
        other, columns, n = self._batch(given)
        if other is not trace:
            raise InputCountError(
                f"the samples of validation have the shapes {other.shapes}, those trained on have "
                f"{trace.shapes}"
            )
        if n == 0:
            raise ArgumentError("validation has no samples")
        return columns
