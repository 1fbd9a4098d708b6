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

import hashlib
import math
import operator
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias, cast

from micrograd.engine import Value, no_grad
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DomainError,
    InputCountError,
    MicrogradError,
    NumberTypeError,
    OverflowRangeError,
    StateError,
    ZeroDivisorError,
    rewritten,
)
from micrograd.files import read_json, write_json
from micrograd.losses import LOSSES, Loss
from micrograd.nn import MLP, Layer, Module, Neuron
from micrograd.ops import TABLE, PlainNumber, number
from micrograd.optim import SGD, Adam, AdamW, Schedule
from micrograd.samples import listed, rows_of, targets_of

if TYPE_CHECKING:
    from micrograd.replay.training import CompiledSteps, Descent

__all__ = ["EarlyStop", "Evaluation", "History", "Trainable", "evaluate", "fit"]

LEARNING_RATE: Final = 0.02  # of the Adam that `fit` makes where no optimizer is given

_FORMAT: Final = "micrograd checkpoint"
_VERSION: Final = 1
_STRIDE: Final = 0.2  # seconds in machine code before an interrupt is heard
_WORK: Final = 100_000_000  # samples times parameters of the first such stretch, some 0.02 s
_STEP: Final = 20_000  # what each step counts for at least: it is planned and noted in Python
_PAUSE: Final = 1.0  # seconds between checkpoints, where nothing else is asked for

LossLike: TypeAlias = str | Loss | Callable[[list[Any], list[Any]], Any]
Report: TypeAlias = Callable[[int, float, "float | None"], object]


class Trainable(Protocol):
    """What `fit` needs of an optimizer."""

    def zero_grad(self) -> None:
        """Set the `grad` of every parameter to 0."""

    def step(self) -> None:
        """Change every parameter once, by its gradient."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that a later run needs to go on with the same bits."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over such a state; all of it, or none."""


@dataclass(repr=False)
class History:
    """What happened in each step of a training run.

    Entry k of `loss` and `accuracy` was measured with the parameters after k updates, on the
    samples of that step: all of them, or one mini-batch.

    Attributes
    ----------
    loss : list of float
    accuracy : list of float
        Shares between 0 and 1; empty where the loss knows no right and wrong.
    seconds : list of float
        The time that each step took, its part of the validation included.
    validation_steps : list of int
        The steps at which the validation data were measured.
    validation_loss, validation_accuracy : list of float
        One entry for each of `validation_steps`, with the parameters of `loss` at that step.
    stopped_early : bool
        Whether `early_stop` ended the run before its last step.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    validation_steps: list[int] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    stopped_early: bool = False

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
        last = [
            f", {name}={float(f'{entries[-1]:.4g}')}"
            for name in names
            if (entries := getattr(self, name))
        ]
        stopped = ", stopped early" if self.stopped_early else ""
        return f"History(steps={len(self)}{''.join(last)}{stopped})"


@dataclass(frozen=True)
class EarlyStop:
    """When to stop before the last step: once the loss has not fallen for a while.

    What is watched is the loss of the validation data where there are some, else the loss of
    the steps.

    Parameters
    ----------
    patience : int, default 10
        How many measurements in a row may be no new best.
    min_delta : float, default 0.0
        By how much a loss must be below the best so far to be a new best.
    restore_best : bool, default False
        At the end of the run, give the model the parameters of the best loss.
    every : int, default 1
        Where there are no validation data: how many steps one measurement is the mean loss of,
        for instance those of one pass over the samples.
    """

    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        _whole("patience", self.patience, 1)
        _whole("every", self.every, 1)
        if not (isinstance(self.min_delta, (int, float)) and 0 <= self.min_delta < math.inf):
            raise ArgumentError(f"expected a min_delta of 0 or more, got {self.min_delta!r}")


class Evaluation(NamedTuple):
    """How well a model does on some data.

    Attributes
    ----------
    loss : float
    accuracy : float or None
        Share of the samples that are right; None where the loss knows no right and wrong.
    right, samples : int
    """

    loss: float
    accuracy: float | None
    right: int
    samples: int


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
        As `fit` does for data that do not fit.

    Examples
    --------
    >>> from micrograd import Value
    >>> class Line(Module):
    ...     def __call__(self, x):
    ...         return 2 * x[0] - 1
    >>> evaluate(Line(), [[0], [1], [0.75]], [0, 1, 0])
    Evaluation(loss=0.5, accuracy=0.6666666666666666, right=2, samples=3)
    """
    return _measured(_task(model, X, y, loss))


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
) -> History:
    """Train a model: measure the loss, run the chain rule backwards, update, and again.

    Parameters
    ----------
    model : Module
        Called with one row of `X`. It gives one Value, or for "cross_entropy" a list of them,
        one a class.
    X : array-like of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,)
        For "hinge" and "bce" 0 and 1, or -1 and 1. For "cross_entropy" the class, from 0. For
        "mse" numbers. For a callable, whatever it takes.
    loss : {"hinge", "mse", "bce", "cross_entropy"}, Loss or callable, default "hinge"
        A callable gets a list of what the model gives and a list of entries of `y`, and gives
        one Value.
    optimizer : Optimizer, optional
        `SGD`, `Adam` or `AdamW` over the parameters of the model, with its learning rate or
        schedule and its weight decay. Default `Adam` with a learning rate of 0.02.
    steps : int, default 100
        How many updates, those of a resumed run included.
    batch_size : int, optional
        Samples a step, in shuffled order; each sample once before any comes again. Default all
        of them, in the order given.
    seed : int, optional
        Decides the shuffling, with a generator of its own. Default: another order each time.
    progress : bool or callable, optional
        True for a progress bar, False for none; by default there is one where the error stream
        is a terminal. A callable gets `(step, loss, accuracy)` after each step, counted from 0.
    validation : (X, y), optional
        Data to measure on, never to learn from.
    validate_every : int, default 1
        Measure the validation data at step 0 and then at every so many steps.
    early_stop : int or EarlyStop, optional
        A patience, in measurements, or all the choices.
    checkpoint : path-like, optional
        A file to keep the state of the run in, written in one piece: at the end, when the run is
        interrupted, and in between. One that is there is replaced.
    checkpoint_every : int, optional
        Write the checkpoint after every so many steps. Default about once a second.
    resume : bool, default False
        Go on from the checkpoint, if there is one, to the same bits as a run that was never
        stopped. Without one, start from the beginning. The options of the optimizer, its learning
        rate included, are those of the checkpoint; a rate that is a function of your own is the
        one given.
    compile : bool or "auto", default "auto"
        Compute loss and gradient with `micrograd.compile`: the same numbers but for the last
        digits. With `SGD`, `Adam` or `AdamW`, where there is no validation, best to restore or
        function as progress, many steps are one call of machine code. "auto" compiles where a
        step has work enough (samples times parameters of 8,000 or more), the loss is one of those
        with a name, and the model can be traced; True wherever it can, or raises what hinders it.
    sample_weight : array-like of shape (n_samples,), optional
        How much each sample counts, 0 or more: its loss is multiplied by its weight, after the
        weights were brought to a mean of 1. Accuracies and validation data are not weighted.
        Only with a loss that has a name.

    Returns
    -------
    History
        Of the whole run, from its first step.

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
        If the data, or an option, cannot be used: nothing was changed.
    StateError
        If the checkpoint is damaged or of another run: nothing was changed.
    OverflowRangeError, DomainError, ZeroDivisorError
        If a loss or a parameter stops being finite, usually because the learning rate is too
        high.
    OSError
        If the checkpoint cannot be read or written; found out before the first step.

    Notes
    -----
    Whatever ends the run, an interrupt included, model and optimizer are as they were after the
    last whole step, and so is the checkpoint where the end was an interrupt.

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
    steps = _whole("steps", steps, 0)
    validate_every = _whole("validate_every", validate_every, 1)
    if checkpoint_every is not None:
        checkpoint_every = _whole("checkpoint_every", checkpoint_every, 1)
    if seed is not None:
        seed = _whole("seed", seed, None)
    if early_stop is not None and not isinstance(early_stop, EarlyStop):
        early_stop = EarlyStop(_whole("early_stop", early_stop, 1))
    if resume and checkpoint is None:
        raise ArgumentError("resume needs the file to resume from: pass checkpoint=path")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ArgumentTypeError(f"expected True, False or a function as progress, got {progress!r}")
    task = _task(model, X, y, loss)
    if sample_weight is not None:
        task = replace(task, weights=_weights(task, sample_weight))
    if batch_size is not None:
        batch_size = _whole("batch_size", batch_size, 1)
        if batch_size > len(task.rows):
            raise ArgumentError(
                f"a batch_size of {batch_size} is more than the {len(task.rows)} samples of X"
            )
    held_out = None
    if validation is not None:
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            raise ArgumentTypeError("expected validation to be a pair (X, y)")
        held_out = _task(model, validation[0], validation[1], loss, "validation ")
        if len(held_out.rows[0]) != len(task.rows[0]):
            raise InputCountError(
                f"validation X has {len(held_out.rows[0])} features, X has {len(task.rows[0])}"
            )
    parameters = model.parameters()
    if not parameters:
        raise ArgumentError(f"{type(model).__name__} has no parameters to train")
    if optimizer is None:
        optimizer = Adam(parameters, lr=LEARNING_RATE)
    elif set(parameters).isdisjoint(getattr(optimizer, "params", parameters)):
        raise ArgumentError(
            "the optimizer holds no parameter of this model: make it with model.parameters()"
        )
    run = _Run(
        model=model,
        parameters=parameters,
        optimizer=optimizer,
        task=task,
        compiled=_compiled(task, parameters, steps, batch_size, compile),
        held_out=held_out,
        validate_every=validate_every,
        batch_size=batch_size,
        early_stop=early_stop,
        seed=seed,
        random=random.Random(seed),
    )
    run.descent = _descent(run)
    if run.compiled is not None and held_out is not None:
        run.compiled_held_out = run.compiled.on(held_out.rows, held_out.targets)
    if checkpoint is not None:
        if resume and Path(checkpoint).exists():
            run.load(checkpoint)
        else:
            run.save(checkpoint)  # what cannot be written is found out before the first step
    _train(run, steps, progress, checkpoint, checkpoint_every)
    if run.best_parameters is not None:
        run.set_parameters(run.best_parameters)
    return run.history


class Session:
    """A training run that is taken a step at a time; `session` makes one.

    Attributes
    ----------
    history : History
        Of the steps done.
    """

    def __init__(self, run: _Run) -> None:
        self._run = run

    @property
    def history(self) -> History:
        """What each step measured before its update."""
        return self._run.history

    @property
    def done(self) -> int:
        """How many updates there were."""
        return self._run.done

    def advance(self) -> None:
        """Do one step; if it fails, model and optimizer are as they were before it."""
        self._run.advance()


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
    """Return a run like that of `fit`, which waits to be told each step.

    Parameters
    ----------
    model, X, y, loss, optimizer, batch_size, seed, validation, compile
        As of `fit`; validation data are measured at every step.

    Returns
    -------
    Session

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
        As of `fit`.

    Examples
    --------
    >>> import random
    >>> from micrograd.nn import MLP
    >>> run = session(MLP(1, [1], rng=random.Random(0)), [[-1], [0], [1]], [-1, 1, 3], "mse")
    >>> run.advance()
    >>> run.done, len(run.history)
    (1, 1)
    """
    # With all the checks of fit.
    fit(model, X, y, loss, optimizer, 0, batch_size, seed, False, validation=validation,
        compile=False)  # fmt: skip
    parameters = model.parameters()
    task = _task(model, X, y, loss)
    held_out = None if validation is None else _task(model, *validation, loss, "validation ")
    run = _Run(
        model=model,
        parameters=parameters,
        optimizer=Adam(parameters, lr=LEARNING_RATE) if optimizer is None else optimizer,
        task=task,
        compiled=_compiled(task, parameters, 1, batch_size, compile),
        held_out=held_out,
        validate_every=1,
        batch_size=batch_size,
        early_stop=None,
        seed=seed,
        random=random.Random(seed),
    )
    if run.compiled is not None and held_out is not None:
        run.compiled_held_out = _compiled(held_out, parameters, 1, None, True)
    return Session(run)


def _compiled(
    task: _Task, parameters: list[Value], steps: int, batch_size: int | None, choice: bool | str
) -> CompiledSteps | None:
    """Return what computes the steps of a run, None for the engine itself."""
    if not (isinstance(choice, bool) or choice == "auto"):
        raise ArgumentError(f"expected compile to be True, False or 'auto', got {choice!r:.60}")
    known = LOSSES.get(task.name)
    if choice is False:
        return None
    if known is None or task.loss is not known.function:
        if choice is True:
            raise ArgumentError(
                f"only {', '.join(map(repr, LOSSES))} can be compiled here: pass compile=False, or "
                "write the loop with micrograd.compile"
            )
        return None
    from micrograd.replay.training import CompiledSteps, is_brief, is_worth_compiling

    samples = len(task.rows) if batch_size is None else batch_size
    if choice == "auto" and not is_worth_compiling(samples, len(parameters)):
        return None
    before: list[Any] = []
    try:
        compiled = CompiledSteps(
            task.model,
            parameters,
            None if known.several_outputs else known.function,
            task.rows,
            task.targets,
            weights=task.weights,
            brief=is_brief(steps * samples),
        )
        if not compiled.is_traced:
            before = [parameter.grad for parameter in parameters]
            compiled([0])  # what cannot be traced is found out now
    except (ImportError, MicrogradError):
        if choice is True:
            raise
        return None
    finally:
        for parameter, grad in zip(parameters, before, strict=False):
            parameter.grad = grad
    return compiled


def _descent(run: _Run) -> Descent | None:
    """Return the whole loop in machine code where it does what the run asks for, and no more."""
    optimizer = run.optimizer
    stop = run.early_stop
    if run.compiled is None or run.held_out is not None or (stop and stop.restore_best):
        return None
    if not isinstance(optimizer, (SGD, Adam)) or type(optimizer) not in (SGD, Adam, AdamW):
        return None
    if not isinstance(optimizer.lr, (int, float, Schedule)) or optimizer.params != run.parameters:
        return None
    size = run.batch_size or len(run.task.rows)
    run.stride = max(1, _WORK // max(_STEP, size * len(run.parameters)))
    from micrograd.replay import training

    decays = bool(optimizer.weight_decay)
    rule: training.Rule
    if isinstance(optimizer, SGD):
        rule = training.Sgd(float(optimizer.momentum), optimizer.nesterov, decays)
    else:
        mean, square = map(float, optimizer.betas)
        rule = training.Adam(
            mean, square, float(optimizer.eps), decays, isinstance(optimizer, AdamW)
        )
    return run.compiled.descent(rule)


def _train(
    run: _Run,
    steps: int,
    progress: bool | Report | None,
    checkpoint: str | os.PathLike[str] | None,
    every: int | None,
) -> None:
    written = run.done
    due = time.monotonic() + _PAUSE
    try:
        with _reporter(progress, steps, run.done) as report:
            while run.done < steps and not run.history.stopped_early:
                most = steps - run.done
                if every and checkpoint is not None:
                    most = min(most, every - run.done % every)
                # A function that is called after each step sees the model as of that step.
                before = run.done
                if callable(progress) or not run.leap(most):
                    run.advance()
                if report is not None:
                    history = run.history
                    for step in range(before, run.done):
                        accuracy = history.accuracy[step] if history.accuracy else None
                        report(step, history.loss[step], accuracy)
                if checkpoint is not None and (
                    run.done % every == 0 if every else time.monotonic() >= due
                ):
                    run.save(checkpoint)
                    written, due = run.done, time.monotonic() + _PAUSE
    except (KeyboardInterrupt, SystemExit):
        if checkpoint is not None:
            run.save(checkpoint)
        raise
    if checkpoint is not None and written != run.done:
        run.save(checkpoint)


# ---- one run -----------------------------------------------------------------------------------


def _scalars(optimizer: SGD | Adam, most: int) -> list[list[float]]:
    """Return the numbers of the next steps, up to one whose learning rate cannot be used.

    There is a list of each kind of number, of one number a step.
    """
    lr, start = optimizer.lr, optimizer.steps
    rates: list[Any] = [lr]
    if callable(lr):
        rates = [lr(step) for step in range(start, start + most)]
    unusable = (i for i, rate in enumerate(rates) if not 0 <= rate < math.inf)
    rates = rates[: next(unusable, most)]
    if not callable(lr):
        rates *= most
    if isinstance(optimizer, SGD):
        return [list(map(float, rates))]
    mean, square = cast("tuple[Any, Any]", optimizer.betas)
    counts = range(start + 1, start + 1 + len(rates))
    return [
        [float(rate / (1 - mean**count)) for rate, count in zip(rates, counts, strict=True)],
        [math.sqrt(1 - square**count) for count in counts],
        list(map(float, rates)),
    ]


@dataclass
class _Run:
    """The state of a training run: what a checkpoint holds."""

    model: Module
    parameters: list[Value]
    optimizer: Trainable
    task: _Task
    held_out: _Task | None
    validate_every: int
    batch_size: int | None
    early_stop: EarlyStop | None
    seed: int | None
    random: random.Random
    compiled: CompiledSteps | None = None
    descent: Descent | None = None
    compiled_held_out: CompiledSteps | None = None
    stride: int = 1  # steps of a leap
    done: int = 0
    order: list[int] = field(default_factory=list)  # the shuffled samples, taken from the front
    taken: int = 0
    best_loss: float = math.inf
    since_best: int = 0
    best_parameters: list[PlainNumber] | None = None
    history: History = field(default_factory=History)

    def advance(self) -> None:
        """Do one step, or leave everything as it was."""
        before = self._snapshot()
        try:
            self._step()
        except BaseException as error:
            self._restore(before)
            if isinstance(error, (DomainError, ZeroDivisorError, OverflowRangeError)):
                raise rewritten(
                    error,
                    f"training stopped at step {self.done}: {error}. The model is as it was "
                    "before that step; often a lower learning rate helps",
                ) from error
            raise

    def leap(self, most: int) -> int:
        """Do up to so many steps in machine code, or leave everything as it was; return how many.

        None is done where there is no such code, or where the next step has something to say.
        """
        if self.descent is None:
            return 0
        before, start = self._snapshot(), time.perf_counter()
        try:
            done = self._leap(self.descent, before[0], min(most, self.stride, self._until_stop()))
            wanted = self._watched(done)
            if wanted < done:  # it should have stopped on the way: go there again
                self._restore(before)
                done = self._leap(self.descent, before[0], wanted)
                self._watched(done)
        except ArithmeticError:  # a number that no float can hold
            self._restore(before)
            return 0
        except BaseException:
            self._restore(before)
            raise
        seconds = time.perf_counter() - start
        self.history.seconds += [seconds / max(1, done)] * done
        if done == self.stride and seconds < _STRIDE / 2:
            self.stride *= 2
        elif seconds > _STRIDE:
            self.stride = max(1, self.stride // 2)
        return done

    def _leap(self, descent: Descent, data: list[PlainNumber], most: int) -> int:
        optimizer = cast("SGD | Adam", self.optimizer)
        scalars = _scalars(optimizer, most)
        steps = len(scalars[0])
        if not steps:
            return 0
        size, batches = self.batch_size, None
        if size is not None:
            drawn = (self.random.getstate(), self.order, self.taken)
            batches = [self._batch(size) for _ in range(steps)]
        first: Sequence[Any]
        second: Sequence[Any] = ()
        if isinstance(optimizer, SGD):
            first = optimizer.momentum_buffer
        else:
            first, second = optimizer.mean, optimizer.square
        losses, shares = descent.run(data, first, second, scalars, batches, decays=optimizer.decays)
        done = len(losses)
        if done < steps and size is not None:
            state, self.order, self.taken = drawn
            self.random.setstate(state)
            for _ in range(done):
                self._batch(size)
        if not done:
            return 0
        self.history.loss += losses
        if self.task.predict is not None:
            self.history.accuracy += shares
        self.set_parameters(descent.data.tolist())
        for parameter, grad in zip(self.parameters, descent.grad.tolist(), strict=True):
            parameter.grad = grad
        if isinstance(optimizer, SGD):
            if optimizer.momentum:
                optimizer.momentum_buffer = descent.first.tolist()
        else:
            optimizer.mean, optimizer.square = descent.first.tolist(), descent.second.tolist()
        optimizer.steps += done
        self.done += done
        return done

    def _step(self) -> None:
        start = time.perf_counter()
        task, history = self.task, self.history
        batch = None if self.batch_size is None else self._batch(self.batch_size)
        for parameter in self.parameters:
            parameter.grad = 0
        self.optimizer.zero_grad()
        watched, accuracy = self._measure(batch)
        history.loss.append(watched)
        if task.predict is not None:
            history.accuracy.append(accuracy)
        data = [parameter.data for parameter in self.parameters]
        if self.held_out is not None and self.done % self.validate_every == 0:
            measured = self._held_out()
            watched = measured.loss
            history.validation_steps.append(self.done)
            history.validation_loss.append(measured.loss)
            if measured.accuracy is not None:
                history.validation_accuracy.append(measured.accuracy)
            self._watch(watched, data)
        elif self.held_out is None:
            self._watch_steps(len(history.loss), data)
        self.optimizer.step()
        for i, parameter in enumerate(self.parameters):
            if parameter.data * 0 != 0:
                raise OverflowRangeError(f"the update makes parameter {i} {parameter.data}")
        history.seconds.append(time.perf_counter() - start)
        self.done += 1

    def _measure(self, batch: list[int] | None) -> tuple[float, float]:
        """Set the gradients; return the loss and the accuracy, 0 where there is none."""
        if self.compiled is not None:
            try:
                return self.compiled(batch)
            except MicrogradError:  # the engine says what is wrong, or that nothing is
                for parameter in self.parameters:
                    parameter.grad = 0
        task = self.task
        rows, targets = task.rows, task.targets
        if batch is not None:
            rows, targets = [rows[i] for i in batch], [targets[i] for i in batch]
        scores = [task.model(row) for row in rows]
        if task.weights is None:
            loss = task.loss(scores, targets)
        else:
            weights = task.weights if batch is None else [task.weights[i] for i in batch]
            loss = task.loss(scores, targets, weights)
        watched = _finite_loss(loss)
        loss.backward()
        right = 0 if task.predict is None else _right(task.predict, scores, targets)
        return watched, right / len(rows)

    def _held_out(self) -> Evaluation:
        """Measure the validation data; the gradients stay as they are."""
        held_out = cast("_Task", self.held_out)
        if self.compiled_held_out is not None:
            grads = [parameter.grad for parameter in self.parameters]
            try:
                loss, share = self.compiled_held_out()
            except MicrogradError:  # the engine says what is wrong
                pass
            else:
                samples = len(held_out.rows)
                accuracy = None if held_out.predict is None else share
                right = 0 if accuracy is None else round(share * samples)
                return Evaluation(loss, accuracy, right, samples)
            finally:
                for parameter, grad in zip(self.parameters, grads, strict=True):
                    parameter.grad = grad
        return _measured(held_out)

    def _batch(self, size: int) -> list[int]:
        """Return the samples of the next mini-batch; each comes once in a round."""
        if self.taken >= len(self.order):
            order = list(range(len(self.task.rows)))
            self.random.shuffle(order)
            self.order, self.taken = order, 0
        batch = self.order[self.taken : self.taken + size]
        self.taken += len(batch)
        return batch

    def _until_stop(self) -> int:
        """Return how many steps to do before the early stop is asked whether it ends the run.

        As many as there are before it can, or a quarter of those done if that is more: some may
        then be too many, but with little patience there would be many leaps.
        """
        stop = self.early_stop
        if stop is None:
            return self.stride
        soonest = (stop.patience - self.since_best) * stop.every - self.done % stop.every
        return max(soonest, self.done // 4)

    def _watched(self, done: int) -> int:
        """Note the losses of the last `done` steps; return how many of them should be done."""
        if self.early_stop is not None:
            before = self.done - done
            for step in range(before, self.done):
                self._watch_steps(step + 1, [])
                if self.history.stopped_early:
                    return step + 1 - before
        return done

    def _watch_steps(self, steps: int, data: list[PlainNumber]) -> None:
        """Note the mean loss of the measurement that ends after so many steps, if one does."""
        every = 1 if self.early_stop is None else self.early_stop.every
        if self.early_stop is not None and steps % every == 0:
            losses = self.history.loss[steps - every : steps]
            self._watch(sum(losses) / every, data)

    def _watch(self, loss: float, data: list[PlainNumber]) -> None:
        """Note the loss of the parameters `data` for the early stop."""
        stop = self.early_stop
        if stop is None:
            return
        if loss < self.best_loss - (stop.min_delta if self.best_loss < math.inf else 0):
            self.best_loss, self.since_best = loss, 0
            if stop.restore_best:
                self.best_parameters = data
        else:
            self.since_best += 1
            self.history.stopped_early = self.since_best >= stop.patience

    def set_parameters(self, data: Sequence[PlainNumber]) -> None:
        """Set each parameter to its number."""
        for parameter, plain in zip(self.parameters, data, strict=True):
            parameter.data = plain

    def _snapshot(self) -> tuple[Any, ...]:
        history = self.history
        return (
            [parameter.data for parameter in self.parameters],
            self.optimizer.state_dict(),
            self.random.getstate() if self.batch_size is not None else None,
            (self.order, self.taken, self.best_loss, self.since_best, self.best_parameters),
            {name: len(getattr(history, name)) for name in _LISTS},
            history.stopped_early,
            self.done,
        )

    def _restore(self, before: tuple[Any, ...]) -> None:
        data, optimizer, state, counts, lengths, stopped, self.done = before
        self.set_parameters(data)
        self.optimizer.load_state_dict(optimizer)
        if state is not None:
            self.random.setstate(state)
        self.order, self.taken, self.best_loss, self.since_best, self.best_parameters = counts
        for name, length in lengths.items():
            del getattr(self.history, name)[length:]
        self.history.stopped_early = stopped

    # ---- checkpoints ---------------------------------------------------------------------------

    def _identity(self) -> dict[str, Any]:
        """Return what must be the same for a checkpoint to be one of this run."""
        stop = self.early_stop
        return {
            "model": type(self.model).__name__,
            "configuration": self.model.configuration(),
            "optimizer": type(self.optimizer).__name__,
            "loss": self.task.name,
            "data": self.task.digest(),
            "validation data": None if self.held_out is None else self.held_out.digest(),
            "validate_every": self.validate_every,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "early_stop": None
            if stop is None
            else [stop.patience, stop.min_delta, stop.restore_best, stop.every],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint in one piece."""
        version, words, spare = self.random.getstate()
        write_json(
            path,
            {
                "format": _FORMAT,
                "version": _VERSION,
                "run": self._identity(),
                "done": self.done,
                "parameters": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "random": [version, " ".join(map(str, words)), spare],
                "order": " ".join(map(str, self.order)),
                "taken": self.taken,
                "best_loss": self.best_loss,
                "since_best": self.since_best,
                "best_parameters": self.best_parameters,
                "history": {
                    **{name: getattr(self.history, name) for name in _LISTS},
                    "stopped_early": self.history.stopped_early,
                },
            },
        )

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take over the state of a checkpoint; all of it, or none."""
        name, document = os.fspath(path), read_json(path)
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise StateError(f"{name!r} is no checkpoint: it has no 'format': {_FORMAT!r}")
        if document.get("version") != _VERSION:
            raise StateError(
                f"{name!r} is of version {document.get('version')!r}; this program reads {_VERSION}"
            )
        theirs = document.get("run")
        if not isinstance(theirs, dict):
            raise StateError(f"{name!r} is damaged: it does not say which run it is of")
        for key, mine in self._identity().items():
            if key not in theirs or theirs[key] != mine:
                there, here = theirs.get(key), mine
                what = (
                    f"the {key} are not the same"
                    if key.endswith("data")
                    else f"{key} is {there!r:.80} there and {here!r:.80} here"
                )
                raise StateError(
                    f"{name!r} is the checkpoint of another run: {what}. Pass the same arguments, "
                    "or start anew without resume"
                )
        before = self._snapshot()
        state = self.random.getstate()
        try:
            version, words, spare = document["random"]
            generator = (version, tuple(int(word) for word in words.split()), spare)
            self.random.setstate(generator)
            self.order = [int(i) for i in document["order"].split()]
            if self.order and sorted(self.order) != list(range(len(self.task.rows))):
                raise ValueError("order is no permutation of the samples")
            self.taken = _whole("taken", document["taken"], 0)
            self.done = _whole("done", document["done"], 0)
            self.best_loss = float(document["best_loss"])
            self.since_best = _whole("since_best", document["since_best"], 0)
            best = document["best_parameters"]
            self.best_parameters = None if best is None else [number(plain) for plain in best]
            if best is not None and len(best) != len(self.parameters):
                raise ValueError(f"best_parameters has {len(best)} entries")
            entries = document["history"]
            self.history = History(
                **{key: [number(entry) for entry in entries[key]] for key in _LISTS},  # type: ignore[arg-type]
                stopped_early=bool(entries["stopped_early"]),
            )
            if len(self.history) != self.done:
                raise ValueError(f"{self.done} steps, but {len(self.history)} losses")
            self.optimizer.load_state_dict(document["optimizer"])
            self.model.load_state_dict(document["parameters"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.history = History()
            self._restore(before)
            self.random.setstate(state)
            raise StateError(f"{name!r} is damaged, or of another run: {error}") from error


_LISTS: Final = (
    "loss",
    "accuracy",
    "seconds",
    "validation_steps",
    "validation_loss",
    "validation_accuracy",
)


# ---- data and loss, checked --------------------------------------------------------------------


@dataclass(frozen=True)
class _Task:
    """Rows and targets as plain numbers, and what to do with what the model gives for them."""

    name: str
    model: Callable[[list[PlainNumber]], Any]
    rows: list[list[PlainNumber]]
    targets: list[Any]
    loss: Callable[..., Any]
    predict: Callable[[Any], Any] | None
    weights: list[float] | None = None

    def digest(self) -> str:
        """Return a fingerprint of the data: the same in every process."""
        data = (self.rows, self.targets)
        text = repr(data if self.weights is None else (*data, self.weights))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _task(model: Module, X: Any, y: Any, loss: LossLike, which: str = "") -> _Task:
    """Return the data as plain numbers, all checked, one call of the model included."""
    if not isinstance(model, Module):
        raise ArgumentTypeError(
            f"expected a model, such as MLP(2, [16, 16, 1]), got {model!r:.60} "
            f"({type(model).__name__})"
        )
    known = _loss(loss)
    rows = rows_of(f"{which}X", X)
    labels = listed(f"{which}y", y)
    if len(labels) != len(rows):
        raise InputCountError(f"{which}X has {len(rows)} rows, {which}y has {len(labels)} entries")
    call = cast("Callable[[list[PlainNumber]], Any]", model)
    if not callable(call):
        raise ArgumentTypeError(f"{type(model).__name__} cannot be called: it has no __call__")
    outputs = _plain_outputs(model, len(rows[0]))
    if outputs is None:
        with no_grad():
            output = call(rows[0])
        outputs = len(output) if hasattr(output, "__len__") else 0
    if not isinstance(known, Loss):
        name = f"{getattr(known, '__module__', '')}.{getattr(known, '__qualname__', repr(known))}"
        return _Task(name, call, rows, labels, known, None)
    targets = targets_of(known, labels, outputs or 1, which)
    predict = known.predict if known.classification else None
    return _Task(known.name, call, rows, targets, known.function, predict)


def _plain_outputs(model: Module, features: int) -> int | None:
    """Return how long the list is that a network of our own classes gives; 0 for a single Value.

    None where only a call can tell.
    """
    if type(model) is not MLP or model.nin != features or not model.layers:
        return None
    width = features
    for layer in model.layers:
        if type(layer) is not Layer or not layer.neurons:
            return None
        for neuron in layer.neurons:
            if type(neuron) is not Neuron or len(neuron.w) != width:
                return None
            if neuron.activation not in TABLE:
                return None
        width = len(layer.neurons)
    return 0 if width == 1 else width


def _loss(loss: LossLike) -> Loss | Callable[[list[Any], list[Any]], Any]:
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ArgumentError(
                f"unknown loss {loss!r}: expected {', '.join(map(repr, LOSSES))} or a function "
                "(scores, targets) -> Value"
            )
        return LOSSES[loss]
    if not (isinstance(loss, Loss) or callable(loss)):
        raise ArgumentTypeError(f"expected the name of a loss or a function, got {loss!r:.60}")
    return loss


def _weights(task: _Task, given: Any) -> list[float]:
    """Return one weight a sample, of a mean of 1."""
    if task.name not in LOSSES or task.loss is not LOSSES[task.name].function:
        raise ArgumentError(
            f"sample_weight needs one of the losses {', '.join(map(repr, LOSSES))}: multiply by "
            "the weights in your own function"
        )
    weights: list[float] = []
    for i, entry in enumerate(listed("sample_weight", given)):
        try:
            weight = float(number(entry))
        except NumberTypeError as error:
            raise NumberTypeError(f"sample_weight[{i}]: {error}") from error
        if not 0 <= weight < math.inf:
            raise ArgumentError(f"sample_weight[{i}] is {weight}, expected 0 or more, and finite")
        weights.append(weight)
    if len(weights) != len(task.rows):
        raise InputCountError(
            f"X has {len(task.rows)} rows, sample_weight has {len(weights)} entries"
        )
    mean = math.fsum(weights) / len(weights)
    if not mean:
        raise ArgumentError("the weights in sample_weight are all 0: no sample counts")
    return [weight / mean for weight in weights]


def _finite_loss(loss: Any) -> float:
    """Return the number in a loss, which has to be one that can be made small."""
    if not isinstance(loss, Value):
        raise ArgumentTypeError(
            f"the loss gave {loss!r:.60} ({type(loss).__name__}), expected one Value"
        )
    if loss.data * 0 != 0:
        raise OverflowRangeError(f"the loss is {loss.data}")
    return float(loss.data)


def _right(predict: Callable[[Any], Any], scores: list[Any], targets: list[Any]) -> int:
    return sum(predict(score) == y for score, y in zip(scores, targets, strict=True))


def _measured(task: _Task) -> Evaluation:
    with no_grad():
        scores = [task.model(row) for row in task.rows]
        loss = task.loss(scores, task.targets)
    if not isinstance(loss, Value):
        loss = Value(loss)
    samples = len(task.rows)
    if task.predict is None:
        return Evaluation(float(loss.data), None, 0, samples)
    right = _right(task.predict, scores, task.targets)
    return Evaluation(float(loss.data), right / samples, right, samples)


def _whole(name: str, given: Any, least: int | None) -> int:
    try:
        if isinstance(given, bool):
            raise TypeError
        whole = operator.index(given)
    except TypeError:
        raise ArgumentTypeError(
            f"expected a whole number as {name}, got {given!r:.60} ({type(given).__name__})"
        ) from None
    if least is not None and whole < least:
        raise ArgumentError(f"expected {name} of {least} or more, got {whole}")
    return whole


# ---- progress ----------------------------------------------------------------------------------


@contextmanager
def _reporter(progress: bool | Report | None, steps: int, done: int) -> Iterator[Report | None]:
    """Yield what is to be told of each step, None where nobody wants to know."""
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
