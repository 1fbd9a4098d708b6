"""One training run: its state and its steps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from micrograd.checks import one_of
from micrograd.engine import Value
from micrograd.errors import (
    ArgumentError,
    DomainError,
    MicrogradError,
    OverflowRangeError,
    rewritten,
)
from micrograd.losses import LOSSES
from micrograd.nn import Module
from micrograd.ops import PlainNumber
from micrograd.optim import SGD, Adam, AdamW, rates_ahead
from micrograd.train.batches import Batches
from micrograd.train.early_stopping import EarlyStop
from micrograd.train.history import LISTS, History
from micrograd.train.task import Evaluation, Task, finite_loss, measured, right_of
from micrograd.values.assigning import set_data

if TYPE_CHECKING:
    from micrograd.replay.training import CompiledSteps, Descent

__all__ = ["Run", "Trainable", "compiled_steps", "descent_of"]

_STRIDE: Final = 0.2  # seconds in machine code before an interrupt is heard
_WORK: Final = 100_000_000  # samples times parameters of the first such stretch, some 0.02 s
_STEP: Final = 20_000  # what each step counts for at least: it is planned and noted in Python


class Trainable(Protocol):
    """What `fit` needs of an optimizer: the methods of `micrograd.optim.Optimizer`."""

    def zero_grad(self) -> None:
        """Set the `grad` of every parameter to 0."""

    def step(self) -> None:
        """Update every parameter once, from its gradient."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to continue with the same bits."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load such a state; all of it, or nothing."""


def compiled_steps(
    task: Task, parameters: list[Value], steps: int, batch_size: int | None, choice: bool | str
) -> CompiledSteps | None:
    """Return the compiled steps of a run; None if the engine computes them."""
    choice = one_of("compile", choice, (True, False, "auto"))
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
            compiled([0])  # fails here if the model cannot be traced
    except (ImportError, MicrogradError) as error:
        # A number too large for a float fails in the first step, with the engine's message.
        if choice is True and not isinstance(error, (ArithmeticError, DomainError)):
            raise
        return None
    finally:
        for parameter, grad in zip(parameters, before, strict=False):
            parameter.grad = grad
    return compiled


def descent_of(run: Run) -> Descent | None:
    """Return the training loop in machine code, if it can do what this run asks for."""
    optimizer = run.optimizer
    stop = run.early_stop
    if run.compiled is None or run.held_out is not None or (stop and stop.restore_best):
        return None
    if not isinstance(optimizer, (SGD, Adam)) or type(optimizer) not in (SGD, Adam, AdamW):
        return None
    if optimizer.params != run.parameters:
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
    """Return lists of the scalars of the update rule, with one number per step.

    They end before a step whose learning rate cannot be used.
    """
    start = optimizer.steps
    rates = rates_ahead(optimizer.lr, start, most)
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
    """The state of a training run, which a checkpoint holds, and its steps."""

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
    stride: int = 1  # steps per call of machine code
    done: int = 0
    best_loss: float = math.inf
    since_best: int = 0
    best_parameters: list[PlainNumber] | None = None
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self.batches = Batches(len(self.task.rows), self.batch_size, self.seed)

    def advance(self) -> None:
        """Do one step; all of it, or nothing."""
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
        """Return the error that says where training stopped and what to try, with the history."""
        found = (i for i, parameter in enumerate(self.parameters) if parameter.data * 0 != 0)
        broken = next(found, None)
        advice = "often a lower learning rate helps, or X and y scaled to about -1 to 1"
        if broken is not None:
            advice = (
                f"its parameter {broken} is {self.parameters[broken].data} already: take a new "
                "model, or load parameters that are finite"
            )
        elif not (self.done or is_measured):  # the learning rate was not used yet
            advice = "scale X and y to about -1 to 1, or start with smaller weights"
        stopped = rewritten(
            error,
            f"training stopped at step {self.done}: {error}. The model is as it was before that "
            f"step; {advice}",
        )
        stopped.history = self.history
        return stopped

    def leap(self, most: int) -> int:
        """Do up to `most` steps in machine code, all or nothing; return how many.

        It is 0 if there is no such code, or if the next step must run in Python.
        """
        if self.descent is None:
            return 0
        before, start = self._snapshot(), time.perf_counter()
        try:
            done = self._leap(self.descent, before[0], min(most, self.stride, self._until_stop()))
            wanted = self._watched(done)
            if wanted < done:  # the early stop came before: do only the steps up to it
                self._restore(before)
                done = self._leap(self.descent, before[0], wanted)
                self._watched(done)
            seconds = time.perf_counter() - start
            self.history.seconds += [seconds / max(1, done)] * done
        except ArithmeticError:  # a number too large for a float
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
        drawn = self.batches.snapshot()
        batches: Any = [self.batches.next() for _ in range(steps)] if self.batch_size else None
        first: Sequence[Any]
        second: Sequence[Any] = ()
        if isinstance(optimizer, SGD):
            first = optimizer.momentum_buffer
        else:
            first, second = optimizer.mean, optimizer.square
        decays = optimizer.decays if optimizer.weight_decay else ()
        losses, shares = descent.run(data, first, second, scalars, batches, decays=decays)
        done = len(losses)
        if done < steps:
            self.batches.restore(drawn)
            for _ in range(done):
                self.batches.next()
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
        batch = self.batches.next()
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
        """Set the gradients; return the loss and the accuracy, 0 if there is none."""
        if self.compiled is not None:
            try:
                return self.compiled(batch)
            except (
                MicrogradError
            ):  # the engine computes it again: it finds nothing, or raises the better error
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
        """Measure the validation data; gradients do not change."""
        held_out = cast("Task", self.held_out)
        if self.compiled_held_out is not None:
            grads = [parameter.grad for parameter in self.parameters]
            try:
                loss, share = self.compiled_held_out()
            except MicrogradError:  # the engine raises the better error
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

    def _until_stop(self) -> int:
        """Return how many steps to compile before the early stop is checked.

        As many as it surely leaves, or a quarter of those done if that is more: steps after the
        stop are done in vain then, but a short patience does not make many short calls.
        """
        stop = self.early_stop
        if stop is None:
            return self.stride
        return max(stop.steps_left(self.done, self.since_best), self.done // 4)

    def _watched(self, done: int) -> int:
        """Count the last `done` steps for the early stop; return how many of them it leaves."""
        if self.early_stop is not None:
            before = self.done - done
            for step in range(before, self.done):
                self._watch_steps(step + 1, [])
                if self.history.stopped_early:
                    return step + 1 - before
        return done

    def _watch_steps(self, steps: int, data: list[PlainNumber]) -> None:
        """Count the measurement that ends after so many steps, if one does."""
        every = 1 if self.early_stop is None else self.early_stop.every
        if self.early_stop is not None and steps % every == 0:
            losses = self.history.loss[steps - every : steps]
            self._watch(sum(losses) / every, data)

    def _watch(self, loss: float, data: list[PlainNumber]) -> None:
        """Count a measured loss, of the parameters `data`, for the early stop."""
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
            self.batches.snapshot(),
            (self.best_loss, self.since_best, self.best_parameters),
            {name: len(getattr(history, name)) for name in LISTS},
            history.stopped_early,
            self.done,
        )

    def _restore(self, before: tuple[Any, ...]) -> None:
        data, optimizer, batches, best, lengths, stopped, self.done = before
        self.set_parameters(data)
        self.optimizer.load_state_dict(optimizer)
        self.batches.restore(batches)
        self.best_loss, self.since_best, self.best_parameters = best
        for name, length in lengths.items():
            del getattr(self.history, name)[length:]
        self.history.stopped_early = stopped
