"""Training: one loop for any network and loss, with a history, progress and checkpoints.

>>> import random
>>> from micrograd.nn import MLP
>>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
>>> model = MLP(2, [8, 1], rng=random.Random(2))
>>> history = fit(model, X, y, steps=100)
>>> history.loss[0] > 0.5 > 0.1 > history.loss[-1], history.accuracy[-1]
(True, 1.0)
>>> [1 if model(x) > 0 else 0 for x in X]
[0, 1, 1, 0]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from micrograd.checks import whole_number
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
)
from micrograd.loop import Batches, EarlyStop, History, Run, Trainable
from micrograd.loop.options import LEARNING_RATE, batch_size_of, optimizer_of
from micrograd.nn import Module
from micrograd.ops import PlainNumber
from micrograd.optim import Clip
from micrograd.optim.clipping import clip_of
from micrograd.train.checkpoint import Checkpoint, load
from micrograd.train.objective import ModelLoss, compiled_steps
from micrograd.train.task import Evaluation, LossLike, measured, task_of, weights_of
from micrograd.values.assigning import set_data

__all__ = ["LEARNING_RATE", "Report", "Session", "evaluate", "fit", "session"]

Report: TypeAlias = Callable[[int, float, "float | None"], object]


def evaluate(model: Module, X: Any, y: Any, loss: LossLike = "hinge") -> Evaluation:
    """Return loss and accuracy of a model, without changing anything.

    Parameters
    ----------
    model : Module
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        As for `fit`.
    loss : {"hinge", "mse", "bce", "cross_entropy"}, Loss or callable, default "hinge"

    Returns
    -------
    Evaluation

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
        As for `fit`.

    Examples
    --------
    >>> from micrograd import Value
    >>> class Line(Module):
    ...     def __call__(self, x):
    ...         return 2 * x[0] - 1
    >>> evaluate(Line(), [[0], [1], [0.75]], [0, 1, 0])
    Evaluation(loss=0.5, accuracy=0.6666666666666666, right=2, samples=3)
    """
    return measured(task_of(model, X, y, loss))


def fit(  # noqa: PLR0917 (the order of scikit-learn and of the reference's loop)
    model: Module,
    X: Any,
    y: Any,
    loss: LossLike = "hinge",
    optimizer: Trainable | None = None,
    steps: int = 100,
    batch_size: int | None = None,
    seed: int | None = None,
    progress: bool | Report | None = None,
    *,
    validation: tuple[Any, Any] | None = None,
    validate_every: int = 1,
    early_stop: int | EarlyStop | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
    compile: bool | str = "auto",  # noqa: A002 (the name of what it calls)
    sample_weight: Any = None,
    clip: PlainNumber | Clip | None = None,
) -> History:
    """Train a model: in each step a forward pass, a backward pass and an update.

    Parameters
    ----------
    model : Module
        Called with one row of `X`; it returns one Value, or for "cross_entropy" a list with one
        Value per class.
    X : array-like of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,)
        For "hinge" and "bce" 0 and 1, or -1 and 1. For "cross_entropy" classes counted from 0.
        For "mse" numbers. For a callable, whatever it takes.
    loss : {"hinge", "mse", "bce", "cross_entropy"}, Loss or callable, default "hinge"
        A callable is given the list of the model's outputs and the list of the entries of `y`,
        and returns one Value.
    optimizer : Optimizer, optional
        `SGD`, `Adam` or `AdamW` over the parameters of the model, with its learning rate or
        schedule and its weight decay. Default `Adam` with a learning rate of 0.02.
    steps : int, default 100
        The number of updates, including those before a run was resumed.
    batch_size : int, optional
        Samples per step, in shuffled order, each one once per pass over the data. Default all of
        them, in the given order.
    seed : int, optional
        Seed of the shuffling, which has its own generator. Default another order in each run.
    progress : bool or callable, optional
        True for a progress bar, False for none; by default there is one if the error stream is a
        terminal. A callable is given `(step, loss, accuracy)` after each step, counted from 0.
    validation : (X, y), optional
        Data that are measured, but not trained on.
    validate_every : int, default 1
        Measure the validation data at step 0 and then every `validate_every` steps.
    early_stop : int or EarlyStop, optional
        The patience, in measurements, or an `EarlyStop` with all its options.
    checkpoint : path-like, optional
        A file that holds the state of the run, written atomically: at the end, when the run is
        interrupted, and in between. An existing file is overwritten.
    checkpoint_every : int, optional
        Write the checkpoint every `checkpoint_every` steps. What changes within a second is added
        to it as a line, which only a power failure can take back. Default about once a second.
    resume : bool, default False
        Continue from the checkpoint, to the same bits as a run that was never stopped; if there is
        none, start from the beginning. The options of the optimizer and its learning rate are
        those of the checkpoint, but a rate that is a function of your own is that of `optimizer`.
    compile : bool or "auto", default "auto"
        Compute loss and gradient with `micrograd.compile`: the same numbers except for the last
        digits. With `SGD`, `Adam` or `AdamW`, many steps are one call of machine code. "auto"
        compiles if a step has enough work (samples times parameters of 8,000 or more), the model
        can be traced, and the loss is given by name or is a function that computes the mean of a
        loss of each sample, with or without a penalty. To find that out, it is called on symbols.
        True compiles, or raises the error that prevents it.
    sample_weight : array-like of shape (n_samples,), optional
        The weight of each sample, 0 or more: its loss is multiplied by its weight, scaled so that
        the mean weight is 1. Accuracies and validation data are not weighted. Only with a loss
        given by name.
    clip : number or Clip, optional
        The largest norm of the gradient of a step, or an `optim.Clip`: a larger one is scaled down
        before the update.

    Returns
    -------
    History
        The whole run, from its first step.

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
        If the data or an option cannot be used; nothing is changed.
    StateError
        If the checkpoint is damaged or belongs to another run; nothing is changed.
    OverflowRangeError, DomainError, ZeroDivisorError, NonFiniteError
        If a loss, a gradient or a parameter stops being finite, usually because the learning rate
        is too high. The error's `history` has the steps before.
    OSError
        If the checkpoint cannot be read or written; checked before the first step.

    Notes
    -----
    Whatever ends the run, even an interrupt, model and optimizer are as they were after the last
    complete step. After an interrupt, so is the checkpoint.

    Examples
    --------
    >>> import random
    >>> from micrograd.nn import MLP
    >>> from micrograd.optim import SGD, linear
    >>> model = MLP(1, [1], rng=random.Random(0))
    >>> optimizer = SGD(model.parameters(), lr=linear(0.5, 0.05, 100))
    >>> history = fit(model, [[-1], [0], [1]], [-1, 1, 3], "mse", optimizer, steps=100)
    >>> [round(p.data, 6) for p in model.parameters()]
    [2.0, 1.0]
    """
    steps = whole_number("steps", steps, 0)
    validate_every = whole_number("validate_every", validate_every, 1)
    if checkpoint_every is not None:
        checkpoint_every = whole_number("checkpoint_every", checkpoint_every, 1)
    if early_stop is not None and not isinstance(early_stop, EarlyStop):
        early_stop = EarlyStop(whole_number("early_stop", early_stop, 1))
    if resume and checkpoint is None:
        raise ArgumentError("resume needs the file to resume from: pass checkpoint=path")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ArgumentTypeError(f"expected True, False or a function as progress, got {progress!r}")
    run = _prepared(
        model, X, y, loss, optimizer, batch_size, seed, validation, compile, sample_weight
    )
    run.validate_every, run.early_stop, run.clip = validate_every, early_stop, clip_of(clip)
    run.prepare(steps)
    file = None
    if checkpoint is not None:
        file = Checkpoint(run, checkpoint, in_lines=checkpoint_every is not None)
        if resume and Path(checkpoint).exists():
            load(run, checkpoint)
        else:
            file.save()  # a path that cannot be written fails before step 0
    _train(run, steps, progress, file, checkpoint_every)
    if run.best_parameters is not None:
        set_data(run.parameters, run.best_parameters)
    return run.history


class Session:
    """A training run that advances one step per call; `session` makes one.

    Attributes
    ----------
    history : History
        The steps done so far.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def history(self) -> History:
        """What each step measured before its update."""
        return self._run.history

    @property
    def done(self) -> int:
        """The number of updates done."""
        return self._run.done

    def advance(self) -> None:
        """Do one step; if it fails, model and optimizer are as before it."""
        self._run.forward(1)

    def resume(self, done: int) -> None:
        """Go on after `done` steps, some of which were done elsewhere, with the same mini-batches.

        The caller has put their losses into the history.
        """
        for _ in range(self._run.done, done):
            self._run.batches.next()
        self._run.done = done


def session(  # noqa: PLR0917 (the order of fit)
    model: Module,
    X: Any,
    y: Any,
    loss: LossLike = "hinge",
    optimizer: Trainable | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    *,
    validation: tuple[Any, Any] | None = None,
    compile: bool | str = "auto",  # noqa: A002 (as in fit)
) -> Session:
    """Return a run like that of `fit`, of which `advance` does one step at a time.

    Parameters
    ----------
    model, X, y, loss, optimizer, batch_size, seed, validation, compile
        As for `fit`; validation data are measured at every step.

    Returns
    -------
    Session

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
        As for `fit`.

    Examples
    --------
    >>> import random
    >>> from micrograd.nn import MLP
    >>> run = session(MLP(1, [1], rng=random.Random(0)), [[-1], [0], [1]], [-1, 1, 3], "mse")
    >>> run.advance()
    >>> run.done, len(run.history)
    (1, 1)
    """
    run = _prepared(model, X, y, loss, optimizer, batch_size, seed, validation, compile, None)
    run.prepare()
    return Session(run)


def _prepared(  # noqa: PLR0917 (as fit)
    model: Module,
    X: Any,
    y: Any,
    loss: LossLike,
    optimizer: Trainable | None,
    batch_size: int | None,
    seed: int | None,
    validation: tuple[Any, Any] | None,
    compile: bool | str,  # noqa: A002
    sample_weight: Any,
) -> Run:
    """Return a run that has not begun yet, with its data and options checked."""
    if seed is not None:
        seed = whole_number("seed", seed)
    task = task_of(model, X, y, loss)
    if sample_weight is not None:
        task = replace(task, weights=weights_of(task, sample_weight))
    batch_size = batch_size_of(batch_size, len(task.rows), " of X")
    held_out = None
    if validation is not None:
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            raise ArgumentTypeError("expected validation to be a pair (X, y)")
        held_out = task_of(model, validation[0], validation[1], loss, "validation ")
        if len(held_out.rows[0]) != len(task.rows[0]):
            raise InputCountError(
                f"validation X has {len(held_out.rows[0])} features, X has {len(task.rows[0])}"
            )
    parameters = model.parameters()
    if not parameters:
        raise ArgumentError(f"{type(model).__name__} has no parameters to train")
    optimizer = optimizer_of(optimizer, parameters, "model")
    compiled = compiled_steps(task, held_out, parameters, compile, batch_size)
    objective = ModelLoss(task, held_out, parameters, compiled)
    return Run(objective, optimizer, Batches(len(task.rows), batch_size, seed))


def _train(
    run: Run,
    steps: int,
    progress: bool | Report | None,
    file: Checkpoint | None,
    every: int | None,
) -> None:
    try:
        with _reporter(progress, steps, run.done) as report:
            while run.done < steps and not run.history.stopped_early:
                most = steps - run.done
                if every and file is not None:
                    most = min(most, every - run.done % every)
                # A function that is called after each step sees the model as of that step.
                before = run.done
                run.forward(1 if callable(progress) else most)
                if report is not None:
                    history = run.history
                    for step in range(before, run.done):
                        accuracy = history.accuracy[step] if history.accuracy else None
                        report(step, history.loss[step], accuracy)
                ends = run.done == steps or run.history.stopped_early
                is_due = run.done % every == 0 if every else file and time.monotonic() >= file.due
                if file is not None and (ends or is_due):
                    file.update(for_good=ends)
    except (KeyboardInterrupt, SystemExit):
        if file is not None:
            file.update(for_good=True)
        raise


# ---- progress ----------------------------------------------------------------------------------


@contextmanager
def _reporter(progress: bool | Report | None, steps: int, done: int) -> Iterator[Report | None]:
    """Yield the function that each step is reported to, or None."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if callable(progress):
        yield progress
        return
    if not progress:
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield None
        return
    bar = tqdm(total=steps, initial=done, unit="step", dynamic_ncols=True, file=sys.stderr)

    def report(step: int, loss: float, accuracy: float | None) -> None:
        right = "" if accuracy is None else f", accuracy {100 * accuracy:.0f} %"
        bar.set_postfix_str(f"loss {loss:.4g}{right}", refresh=False)
        bar.update()

    with bar:
        yield report
