"""Learning rates that change from step to step, such as from large to small along a cosine.

>>> rate = warmup(2, cosine(1.0, 0.0, 4))
>>> [round(rate(step), 3) for step in range(7)]
[0.333, 0.667, 1.0, 0.854, 0.5, 0.146, 0.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from micrograd.checks import finite_number, one_of, whole_number
from micrograd.errors import OverflowRangeError, shown_briefly
from micrograd.ops import PlainNumber

__all__ = [
    "LearningRate", "Schedule", "cosine", "exponential", "linear", "lr_from", "lr_state", "rate_at",
    "rates_ahead", "step_decay", "warmup",
]  # fmt: skip

_MOST_BITS: Final = 100_000  # of a power that a schedule takes exactly


@dataclass(frozen=True)
class Schedule:
    """A learning rate that depends on the step; made by `linear`, `cosine` and so on.

    It is data, not code: it can be compared, pickled and written into a checkpoint.

    Parameters
    ----------
    name : str
        "linear", "cosine", "step_decay", "exponential" or "warmup".
    arguments : tuple
        The arguments of the function of that name.

    Examples
    --------
    >>> rate = linear(1.0, 0.1, 100)
    >>> rate
    linear(1.0, 0.1, 100)
    >>> rate(50)
    0.55
    """

    name: str
    arguments: tuple[Any, ...]

    def __call__(self, step: int) -> PlainNumber:
        """Return the learning rate of a step; the first step is 0."""
        step = whole_number("step", step)
        try:
            rate: PlainNumber = _SCHEDULES[self.name][1](step, *self.arguments)
        except OverflowError as error:
            raise OverflowRangeError(
                f"the learning rate {shown_briefly(self)} is too large for a float at step {step}"
            ) from error
        return rate

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.arguments))})"


LearningRate: TypeAlias = PlainNumber | Callable[[int], PlainNumber]


def linear(start: PlainNumber, end: PlainNumber, steps: int) -> Schedule:
    """Return the schedule that goes linearly from `start` to `end` in `steps` steps and stays.

    Examples
    --------
    >>> [linear(1.0, 0.0, 4)(step) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    return _checked("linear", start=start, end=end, steps=steps)


def cosine(start: PlainNumber, end: PlainNumber, steps: int) -> Schedule:
    """Return the schedule that goes from `start` to `end` in `steps` steps along half a cosine.

    References
    ----------
    .. [1] Loshchilov and Hutter (2017), SGDR, eq. 5.

    Examples
    --------
    >>> [round(cosine(1.0, 0.0, 4)(step), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    return _checked("cosine", start=start, end=end, steps=steps)


def step_decay(start: PlainNumber, factor: PlainNumber, every: int) -> Schedule:
    """Return the schedule that multiplies the rate by `factor` every `every` steps.

    Examples
    --------
    >>> [step_decay(1.0, 0.5, 2)(step) for step in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    return _checked("step_decay", start=start, factor=factor, every=every)


def exponential(start: PlainNumber, factor: PlainNumber) -> Schedule:
    """Return the schedule that multiplies the rate by `factor` after each step.

    Examples
    --------
    >>> [exponential(1.0, 0.5)(step) for step in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    return _checked("exponential", start=start, factor=factor)


def warmup(steps: int, then: PlainNumber | Schedule) -> Schedule:
    """Return the schedule that rises for `steps` steps and goes on with another rate or schedule.

    Parameters
    ----------
    steps : int
        The number of steps before the first rate of `then` is reached.
    then : number or Schedule
        Its steps are counted from the end of the rise.

    Examples
    --------
    >>> [warmup(3, linear(1.0, 0.0, 2))(step) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.0]
    """
    if not isinstance(then, Schedule):
        then = finite_number("then", then, 0)
    return Schedule("warmup", (_steps("steps", steps), then))


def _linear(step: int, start: Any, end: Any, steps: int) -> Any:
    return start + (end - start) * step / steps if step < steps else end


def _cosine(step: int, start: Any, end: Any, steps: int) -> Any:
    if step >= steps:
        return end
    return end + (start - end) * (1 + math.cos(math.pi * step / steps)) / 2


def _step_decay(step: int, start: Any, factor: Any, every: int) -> Any:
    return start * _power(factor, step // every)


def _exponential(step: int, start: Any, factor: Any) -> Any:
    return start * _power(factor, step)


def _power(factor: Any, times: int) -> Any:
    """Return `factor ** times`, as a float where the exact number would have too many digits."""
    if not isinstance(factor, float):
        digits = factor.numerator.bit_length() + factor.denominator.bit_length()
        if digits * times > _MOST_BITS:
            factor = float(factor)
    return factor**times


def _warmup(step: int, steps: int, then: Any) -> Any:
    if step >= steps:
        return rate_at(then, step - steps)
    return rate_at(then, 0) * (step + 1) / (steps + 1)


# Each schedule by its name: the function that makes it, and the one that gives its rate.
_SCHEDULES: Final[dict[str, tuple[Callable[..., Schedule], Callable[..., Any]]]] = {
    "linear": (linear, _linear),
    "cosine": (cosine, _cosine),
    "step_decay": (step_decay, _step_decay),
    "exponential": (exponential, _exponential),
    "warmup": (warmup, _warmup),
}


def rate_at(lr: Any, step: int) -> Any:
    """Return the learning rate of a step, from a number, a schedule or any other function."""
    return lr(step) if callable(lr) else lr


def rates_ahead(lr: Any, start: int, count: int) -> list[Any]:
    """Return the learning rates of steps to come, up to the first that cannot be used.

    Whatever makes it unusable is left to that step, which asks again and raises the error.
    """
    rates: list[Any] = []
    for step in range(start, start + count):
        try:
            rate = rate_at(lr, step)
            is_plain = type(rate) is float and 0 <= rate < math.inf  # as most are
            rates.append(rate if is_plain else finite_number("lr", rate, 0))
        except Exception:  # of the user's function
            break
        if not callable(lr):
            return rates * count
    return rates


def _checked(name: str, **arguments: Any) -> Schedule:
    checked = [
        _steps(key, given) if key in ("steps", "every") else finite_number(key, given, 0)
        for key, given in arguments.items()
    ]
    return Schedule(name, tuple(checked))


def _steps(name: str, given: Any) -> int:
    is_whole = isinstance(given, float) and given.is_integer()  # as the quotient 6 / 2 is
    return whole_number(name, int(given) if is_whole else given, 1)


def lr_state(lr: Any) -> Any:
    """Return a learning rate as it stands in a checkpoint; None for a function of the user's."""
    if isinstance(lr, Schedule):
        return {"schedule": lr.name, "arguments": [lr_state(item) for item in lr.arguments]}
    return None if callable(lr) else lr


def lr_from(state: Any, present: Any) -> Any:
    """Return the learning rate that `lr_state` wrote; `present` for a function of the user's."""
    if state is None:
        return present
    if not isinstance(state, Mapping):
        return finite_number("lr", state, 0)
    made, _ = _SCHEDULES[one_of("schedule", state["schedule"], _SCHEDULES)]
    return made(*[lr_from(item, None) for item in state["arguments"]])
