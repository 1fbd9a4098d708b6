"""One training run: its state and its steps, whatever computes loss and gradient."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from micrograd.engine import Value
from micrograd.errors import DomainError, OverflowRangeError, rewritten
from micrograd.loop.batches import Batches
from micrograd.loop.early_stopping import EarlyStop
from micrograd.loop.history import History
from micrograd.ops import PlainNumber
from micrograd.optim import Clip
from micrograd.values.assigning import data_of, restore_data, united
from micrograd.values.collecting import uncollected

__all__ = ["Objective", "Run", "Trainable", "finite_loss"]

_STRIDE: Final = 0.2  # seconds in machine code before an interrupt is heard
_WORK: Final = 100_000_000  # samples times parameters of the first such stretch, some 0.02 s
_STEP: Final = 20_000  # what each step counts for at least: it is planned and noted in Python
_TRAIL: Final = 1_000_000  # numbers of a trail of parameters, 8 MB


class Trainable(Protocol):
    """What a run needs of an optimizer: the methods of `micrograd.optim.Optimizer`."""

    def zero_grad(self) -> None:
        """Set the `grad` of every parameter to 0."""

    def step(self) -> None:
        """Update every parameter once, from its gradient."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to continue with the same bits."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load such a state; all of it, or nothing."""


class Objective(Protocol):
    """What a run makes smaller: a loss of some parameters on some samples.

    Attributes
    ----------
    parameters : list of Value
    samples : int
        How many samples there are.
    has_held_out : bool
        Whether there are validation data.
    others : str
        The list of a `History` for what is measured beside the loss: "accuracy", which takes one
        number, "aux", which takes them all, or "" for none.
    """

    @property
    def parameters(self) -> list[Value]: ...  # noqa: D102
    @property
    def samples(self) -> int: ...  # noqa: D102
    @property
    def has_held_out(self) -> bool: ...  # noqa: D102
    @property
    def others(self) -> str: ...  # noqa: D102

    def measure(self, batch: Sequence[int] | None) -> Sequence[float]:
        """Set the gradients; return the loss on some or all samples, and what else there is."""

    def measure_held_out(self) -> Sequence[float]:
        """Return the same of the validation data; gradients do not change."""

    def descent(self, optimizer: Any, clip: Clip | None, samples: float, measured: float) -> Any:
        """Return an object whose `run` does many steps in machine code; None if there is none.

        The whole run will train on `samples` samples, and measure the validation data `measured`
        times.
        """


def finite_loss(number: float, whose: str = "") -> float:
    """Return a loss, checked to be finite."""
    if number - number != 0:
        raise OverflowRangeError(f"the loss{whose} is {number}")
    return float(number)


@dataclass
class Run:
    """The state of a training run, and its steps.

    Attributes
    ----------
    objective : Objective
    optimizer : Trainable
    batches : Batches
    clip : Clip or None
    validate_every : int
    early_stop : EarlyStop or None
    descent : Descent or None
        What does many steps in machine code.
    stride : int
        How many of them at a time.
    done : int
        How many steps are done.
    """

    objective: Objective
    optimizer: Trainable
    batches: Batches
    clip: Clip | None = None
    validate_every: int = 1
    early_stop: EarlyStop | None = None
    descent: Any = None
    stride: int = 1
    done: int = 0
    best_loss: float = math.inf
    since_best: int = 0
    best_parameters: list[PlainNumber] | None = None
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        objective = self.objective
        self.parameters = list(objective.parameters)
        self.trained = list(getattr(self.optimizer, "params", self.parameters))
        self._everyone = united(self.parameters, self.trained)
        self._trail: Any = None  # of the latest leap, if it was asked for

    def prepare(self, steps: float = math.inf) -> None:
        """Make the machine code that does many steps at a time, if there can be any."""
        size = self.batches.size or self.objective.samples
        measured = -(-steps // self.validate_every) if self.objective.has_held_out else 0
        self.descent = self.objective.descent(self.optimizer, self.clip, steps * size, measured)
        if self.descent is not None:
            size += -(-self.descent.held // self.validate_every)
            self.stride = max(1, _WORK // max(_STEP, size * len(self.parameters)))

    # ---- steps in Python ---------------------------------------------------------------------

    def forward(self, most: int) -> None:
        """Do one step, or up to `most` in machine code; if one fails, those before it are done."""
        if not self.leap(most):
            self.advance()

    def advance(self) -> None:
        """Do one step; all of it, or nothing."""
        before = self._snapshot()
        data, optimizer = data_of(self._everyone), self.optimizer.state_dict()
        try:
            self._step()
        except BaseException as error:
            is_measured = len(self.history.loss) > self.done
            restore_data(self._everyone, data)
            self.optimizer.load_state_dict(optimizer)
            self._restore(before)
            if isinstance(error, (ArithmeticError, DomainError)):
                raise self._stopped(error, is_measured=is_measured) from error
            if isinstance(error, Exception):
                with contextlib.suppress(AttributeError):  # of a class with slots
                    error.history = self.history  # type: ignore[attr-defined]
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

    @uncollected()
    def _step(self) -> None:
        start = time.perf_counter()
        objective = self.objective
        batch = self.batches.next()
        for parameter in self.parameters:
            parameter.grad = 0
        self.optimizer.zero_grad()
        values = objective.measure(batch)
        finite_loss(values[0])
        self._note("", [values])
        if objective.has_held_out and self.done % self.validate_every == 0:
            try:
                measured = objective.measure_held_out()
            except (ArithmeticError, DomainError) as error:
                raise rewritten(error, f"in the validation data: {error}") from error
            finite_loss(measured[0], " of the validation data")
            self.history.validation_steps.append(self.done)
            self._note("validation_", [measured])
        stop = self.early_stop
        if stop is not None and self._is_best(stop, self.done) and stop.restore_best:
            self.best_parameters = data_of(self.parameters)
        if self.clip is not None:
            self.clip(self.trained)
        self.optimizer.step()
        for i, number in enumerate(data_of(self.parameters)):
            if number * 0 != 0:
                raise OverflowRangeError(f"the update makes parameter {i} {number}")
        self.history.seconds.append(time.perf_counter() - start)
        self.done += 1

    def _note(self, kind: str, rows: Sequence[Sequence[float]]) -> None:
        """Add what was measured in some steps to the history."""
        getattr(self.history, f"{kind}loss").extend([row[0] for row in rows])
        if self.objective.others == "accuracy":
            getattr(self.history, f"{kind}accuracy").extend([row[1] for row in rows])
        elif self.objective.others and rows and len(rows[0]) > 1:
            getattr(self.history, f"{kind}aux").extend([list(row[1:]) for row in rows])

    # ---- steps in machine code ---------------------------------------------------------------

    def leap(self, most: int) -> int:
        """Do up to `most` steps in machine code, all or nothing; return how many.

        It is 0 if there is no such code, or if the next step must run in Python.
        """
        if self.descent is None:
            return 0
        before, start = (self._snapshot(), self.descent.snapshot()), time.perf_counter()
        try:
            done = self._leap(min(most, self.stride, self._until_stop()))
            wanted = self._watched(done)
            if wanted < done:  # the early stop came before: do only the steps up to it
                self._undo(before)
                done = self._leap(wanted)
                self._watched(done)
            seconds = time.perf_counter() - start
            self.history.seconds += [seconds / max(1, done)] * done
        except ArithmeticError:  # a number too large for a float
            self._undo(before)
            return 0
        except BaseException:
            self._undo(before)
            raise
        return done

    def _undo(self, before: tuple[Any, ...]) -> None:
        run, descent = before
        self.descent.restore(descent)
        self._restore(run)

    def _leap(self, most: int) -> int:
        keeps = self.early_stop is not None and self.early_stop.restore_best
        if keeps:
            most = min(most, max(1, _TRAIL // len(self._everyone)))
        measured: Sequence[int] = ()
        if self.objective.has_held_out:
            measured = range(-self.done % self.validate_every, most, self.validate_every)
        drawn = self.batches.snapshot()
        batches: Any = [self.batches.next() for _ in range(most)] if self.batches.size else None
        stretch = self.descent.run(most, batches, measured, keeps)
        done = len(stretch.values)
        if done < most:
            self.batches.restore(drawn)
            for _ in range(done):
                self.batches.next()
        self._note("", stretch.values)
        self._note("validation_", stretch.held_out)
        steps = [self.done + step for step in measured]
        self.history.validation_steps += steps[: len(stretch.held_out)]
        self._trail = stretch.trail
        if stretch.seconds > _STRIDE:
            self.stride = max(1, self.stride // 2)
        elif stretch.seconds < _STRIDE / 2 and done == self.stride:
            self.stride *= 2
        self.done += done
        return done

    # ---- the early stop ----------------------------------------------------------------------

    def _until_stop(self) -> int:
        """Return how many steps to compile before the early stop is checked.

        As many as it surely leaves, or a quarter of those done if that is more: steps after the
        stop are done in vain then, but a short patience does not make many short calls.
        """
        stop = self.early_stop
        if stop is None:
            return self.stride
        if self.objective.has_held_out:
            every, left = self.validate_every, stop.patience - self.since_best - 1
            surely = -self.done % every + left * every + 1
        else:
            surely = stop.steps_left(self.done, self.since_best)
        return max(surely, self.done // 4)

    def _watched(self, done: int) -> int:
        """Count the last `done` steps for the early stop; return how many of them it leaves."""
        stop = self.early_stop
        if stop is None:
            return done
        before, best = self.done - done, None
        for step in range(done):
            if self._is_best(stop, before + step):
                best = step
            if self.history.stopped_early:
                done = step + 1
                break
        if best is not None and stop.restore_best:
            self.best_parameters = self.descent.numbers(self._trail[best], self.parameters)
        return done

    def _is_best(self, stop: EarlyStop, step: int) -> bool:
        """Count the measurement that ends with a step, if one does; return whether it is best."""
        if self.objective.has_held_out:
            place, left = divmod(step, self.validate_every)
            if left:
                return False
            loss = self.history.validation_loss[place]
        elif (step + 1) % stop.every:
            return False
        else:
            loss = sum(self.history.loss[step + 1 - stop.every : step + 1]) / stop.every
        if loss < self.best_loss - (stop.min_delta if self.best_loss < math.inf else 0):
            self.best_loss, self.since_best = loss, 0
            return True
        self.since_best += 1
        self.history.stopped_early = self.since_best >= stop.patience
        return False

    # ---- going back --------------------------------------------------------------------------

    def _snapshot(self) -> tuple[Any, ...]:
        history = self.history
        return (
            self.batches.snapshot(),
            (self.best_loss, self.since_best, self.best_parameters),
            history.lengths(),
            history.stopped_early,
            self.done,
        )

    def _restore(self, before: tuple[Any, ...]) -> None:
        batches, best, lengths, stopped, self.done = before
        self.batches.restore(batches)
        self.best_loss, self.since_best, self.best_parameters = best
        self.history.cut(lengths)
        self.history.stopped_early = stopped
