"""One training run: its state, its steps, and the checkpoint that holds it."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from micrograd.engine import Value
from micrograd.errors import (
    ArgumentError,
    DomainError,
    MicrogradError,
    OverflowRangeError,
    StateError,
    rewritten,
    shown_briefly,
)
from micrograd.files import read_document, write_json
from micrograd.losses import LOSSES
from micrograd.nn import Module
from micrograd.ops import PlainNumber, number
from micrograd.optim import SGD, Adam, AdamW, Schedule
from micrograd.train.task import Evaluation, Task, finite_loss, measured, right_of, whole_number
from micrograd.values.assigning import set_data

if TYPE_CHECKING:
    from micrograd.replay.training import CompiledSteps, Descent

__all__ = ["EarlyStop", "History", "Run", "Trainable", "compiled_steps", "descent_of"]

_FORMAT: Final = "micrograd checkpoint"
_VERSION: Final = 1
_STRIDE: Final = 0.2  # seconds in machine code before an interrupt is heard
_WORK: Final = 100_000_000  # samples times parameters of the first such stretch, some 0.02 s
_STEP: Final = 20_000  # what each step counts for at least: it is planned and noted in Python
# What may come out of a checkpoint that is damaged, or of something else.
_DAMAGE: Final = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)
_LISTS: Final = (
    "loss",
    "accuracy",
    "seconds",
    "validation_steps",
    "validation_loss",
    "validation_accuracy",
)


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
        whole_number("patience", self.patience, 1)
        whole_number("every", self.every, 1)
        if not (isinstance(self.min_delta, (int, float)) and 0 <= self.min_delta < math.inf):
            raise ArgumentError(f"expected a min_delta of 0 or more, got {self.min_delta!r}")


def compiled_steps(
    task: Task, parameters: list[Value], steps: int, batch_size: int | None, choice: bool | str
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
    except (ImportError, MicrogradError) as error:
        # A number that no float can hold stops the first step, where the engine says so.
        if choice is True and not isinstance(error, (ArithmeticError, DomainError)):
            raise
        return None
    finally:
        for parameter, grad in zip(parameters, before, strict=False):
            parameter.grad = grad
    return compiled


def descent_of(run: Run) -> Descent | None:
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
class Run:
    """The state of a training run: what a checkpoint holds."""

    model: Module
    parameters: list[Value]
    optimizer: Trainable
    task: Task
    held_out: Task | None
    batch_size: int | None
    seed: int | None
    validate_every: int = 1
    early_stop: EarlyStop | None = None
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

    @cached_property
    def random(self) -> random.Random:
        """What mini-batches are drawn with."""
        return random.Random(self.seed)

    def advance(self) -> None:
        """Do one step, or leave everything as it was."""
        before = self._snapshot()
        try:
            self._step()
        except BaseException as error:
            is_measured = len(self.history.loss) > self.done
            self._restore(before)
            if isinstance(error, (ArithmeticError, DomainError)):
                raise self._stopped(error, is_measured=is_measured) from error
            raise

    def _stopped(self, error: ArithmeticError | DomainError, *, is_measured: bool) -> Exception:
        """Return the error that says where training stopped, what to try, and what there was."""
        found = (i for i, parameter in enumerate(self.parameters) if parameter.data * 0 != 0)
        broken = next(found, None)
        advice = "often a lower learning rate helps, or X and y scaled to about -1 to 1"
        if broken is not None:
            advice = (
                f"its parameter {broken} is {self.parameters[broken].data} already: take a new "
                "model, or load parameters that are finite"
            )
        elif not (self.done or is_measured):  # no rate has had a part in it yet
            advice = "scale X and y to about -1 to 1, or start with smaller weights"
        stopped = rewritten(
            error,
            f"training stopped at step {self.done}: {error}. The model is as it was before that "
            f"step; {advice}",
        )
        stopped.history = self.history
        return stopped

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
            seconds = time.perf_counter() - start
            self.history.seconds += [seconds / max(1, done)] * done
        except ArithmeticError:  # a number that no float can hold
            self._restore(before)
            return 0
        except BaseException:
            self._restore(before)
            raise
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
        decays = optimizer.decays if optimizer.weight_decay else ()
        losses, shares = descent.run(data, first, second, scalars, batches, decays=decays)
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
        new, grads = descent.data.tolist(), descent.grad.tolist()
        for parameter, plain, grad in zip(self.parameters, new, grads, strict=True):
            parameter.data, parameter.grad = plain, grad
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
            if watched * 0 != 0:
                raise OverflowRangeError(f"the loss of the validation data is {watched}")
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
        watched = finite_loss(loss)
        loss.backward()
        right = 0 if task.predict is None else right_of(task.predict, scores, targets)
        return watched, right / len(rows)

    def _held_out(self) -> Evaluation:
        """Measure the validation data; the gradients stay as they are."""
        held_out = cast("Task", self.held_out)
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
        return measured(held_out)

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
        set_data(self.parameters, data)

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
        name, document = os.fspath(path), read_document(path, "checkpoint", _FORMAT, _VERSION)
        theirs = document.get("run")
        if not isinstance(theirs, dict):
            raise StateError(f"{name!r} is damaged: it does not say which run it is of")
        for key, mine in self._identity().items():
            if key not in theirs or theirs[key] != mine:
                there, here = theirs.get(key), mine
                what = (
                    f"the {key} are not the same"
                    if key.endswith("data")
                    else f"{key} is {shown_briefly(there, 80)} there "
                    f"and {shown_briefly(here, 80)} here"
                )
                raise StateError(
                    f"{name!r} is the checkpoint of another run: {what}. Pass the same arguments, "
                    "or start anew without resume"
                )
        before, mine = self._snapshot(), vars(self).copy()
        try:
            new = self._read(document)
            self.optimizer.load_state_dict(document["optimizer"])
            self.model.load_state_dict(document["parameters"])
            vars(self).update(new)
        except BaseException as error:
            vars(self).update(mine)
            self.set_parameters(before[0])
            self.optimizer.load_state_dict(before[1])
            if isinstance(error, _DAMAGE):
                raise StateError(f"{name!r} is damaged, or of another run: {error}") from error
            raise

    def _read(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return what a checkpoint says of this run's own attributes, all checked."""
        version, words, spare = document["random"]
        generator = random.Random()
        numbers = tuple([int(word) for word in words.split()])
        generator.setstate((version, numbers, None if spare is None else float(number(spare))))
        order = [int(i) for i in document["order"].split()]
        if order and sorted(order) != list(range(len(self.task.rows))):
            raise ValueError("order is no permutation of the samples")
        best_loss, best = number(document["best_loss"]), document["best_parameters"]
        if math.isnan(best_loss):
            raise ValueError("best_loss is nan")
        if best is not None:
            best = [number(plain) for plain in best]
            if len(best) != len(self.parameters) or not all(map(math.isfinite, best)):
                raise ValueError("best_parameters are not one finite number a parameter")
        done = whole_number("done", document["done"], 0)
        return {
            "random": generator,
            "order": order,
            "taken": whole_number("taken", document["taken"], 0),
            "done": done,
            "best_loss": float(best_loss),
            "since_best": whole_number("since_best", document["since_best"], 0),
            "best_parameters": best,
            "history": _history(document["history"], done),
        }


def _history(entries: Any, done: int) -> History:
    """Return the history of so many steps that a checkpoint holds, or raise."""
    lists = {name: [number(entry) for entry in entries[name]] for name in _LISTS}
    steps, stopped = lists["validation_steps"], entries["stopped_early"]
    wanted = {"loss": (done,), "accuracy": (0, done), "seconds": (done,)}
    wanted |= {"validation_loss": (len(steps),), "validation_accuracy": (0, len(steps))}
    for name, lengths in wanted.items():
        if len(lists[name]) not in lengths:
            raise ValueError(f"{lengths[-1]} steps, but {len(lists[name])} entries in {name!r}")
    if any(type(step) is not int or not 0 <= step < done for step in steps):
        raise ValueError("a step in 'validation_steps' is none of the run")
    if not isinstance(stopped, bool):
        raise TypeError(f"expected true or false as 'stopped_early', got {stopped!r:.60}")
    return History(**lists, stopped_early=stopped)  # type: ignore[arg-type]
