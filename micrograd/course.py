"""The checker of the notebooks' exercises: it says which factor is wrong, never the answer.

>>> check("01a", ...)
01a: not answered yet.
>>> check("01a", 10)
01a: not yet. The size is right, the sign is not: does f rise or fall there?
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from micrograd.errors import ArgumentError

__all__ = ["EXERCISES", "Exercise", "check"]


@dataclass(frozen=True)
class Exercise:
    """An exercise whose answer is one number, or one number for each of several inputs.

    Parameters
    ----------
    right : tuple of (float, float)
        For each number of the answer, the interval in which it is right.
    why : str
        Why it is right, shown to who found it.
    mistakes : tuple of (int, float, str)
        Known wrong numbers: at which place of the answer, the number, and what led to it.
    """

    right: tuple[tuple[float, float], ...]
    why: str
    mistakes: tuple[tuple[int, float, str], ...] = ()


def _near(number: float, share: float = 5e-4) -> tuple[float, float]:
    """Return the interval of what a reader may round the number to."""
    return number - share * abs(number), number + share * abs(number)


EXERCISES: Final[dict[str, Exercise]] = {
    "01a": Exercise(
        (_near(-10),),
        "f'(x) = 6x - 4, and 6 * (-1) - 4 = -10.",
        (
            (0, -6, "The -4 of f'(x) = 6x - 4 went missing."),
            (0, 10, "The size is right, the sign is not: does f rise or fall there?"),
            (0, 12, "That is f(-1), the height: the slope is asked for."),
        ),
    ),
    "01b": Exercise(
        (_near(-4),),
        "b reaches L through e = a * b, so the slope is a times dL/de, 2 * (-2).",
        (
            (0, 2, "That is the local slope a of e = a * b: multiply it by dL/de."),
            (0, 6, "That is the slope of a: beside b stands a."),
            (0, 4, "The size is right, the sign is not: which sign has dL/de?"),
        ),
    ),
    "01c": Exercise(
        (_near(-4 / 5),),
        "The quotient takes x in twice, and each way gives -2/5.",
        (
            (0, -2 / 5, "One of two ways: x stands in the top and in the bottom of the quotient."),
            (0, 2 / 3, "That is the slope of the top alone."),
        ),
    ),
    "01d": Exercise(
        ((1e-8, 3.3e-7),),
        "Small enough that the bend of f does not show, large enough to keep its digits.",
        (
            (0, 1e-12, "No digits survive the subtraction f(3 + h) - f(3)."),
            (0, 1e-3, "The error of the chord is 3 * h here: a smaller h makes it smaller."),
        ),
    ),
    "01e": Exercise(
        (_near(-12.353553), _near(10.257041), _near(0.0625)),
        "Five rules, each used once, and the chain rule inside sin(3b).",
        (
            (0, -12.0, "The square root of a is missing: its slope is -1 / (2 * sqrt(a))."),
            (1, 12.079291, "The inner slope 3 of sin(3b) is missing."),
            (2, -0.0625, "The minus of -1/c meets the minus of the power -2."),
        ),
    ),
    "02a": Exercise(
        (_near(11),),
        "Through c it is 4, through d it is 7, and paths add.",
        (
            (0, 7, "The path through c is missing."),
            (0, 4, "The path through d is missing."),
            (0, 28, "Paths add; it is the edges along a path that multiply."),
        ),
    ),
    "02b": Exercise(
        (_near(-8), _near(0)),
        "2 * y for x; max gives the smaller operand nothing.",
        (
            (0, -4, "The upstream 2 is missing."),
            (0, 6, "That is what y gets: beside x stands y."),
            (0, 8, "The size is right, the sign is not: which sign has y?"),
            (1, 2, "max passes on to the larger operand only: which is it?"),
            (1, 1, "max does not share: one operand gets all."),
        ),
    ),
    "02c": Exercise(
        (_near(-1.5),),
        "1/2 for tanh times w1 = -3; the + copies.",
        (
            (0, 1, "That is x1 itself times 1/2: the other factor is wanted."),
            (0, -3, "The slope 1/2 of tanh is missing."),
            (0, -2.1213203, "The slope of tanh is 1 - o * o, not o."),
        ),
    ),
    "02d": Exercise(
        (_near(5),),
        "e first; then c d a b, c d b a, d c a b, d c b a or c a d b.",
        (
            (0, 24, "Any order after e? c must come before a, and c and d before b."),
            (0, 4, "One more: a uses nothing but c, so it need not wait for d."),
            (0, 2, "c and d may change places, and a and b too; and more is allowed."),
        ),
    ),
    "02e": Exercise(
        (_near(2), _near(1)),
        "Leaves add up over passes; c belongs to the last pass alone.",
        (
            (0, 3, "c starts afresh in the second pass: it hands on 1 again, not 2."),
            (0, 1, "Leaves add up over passes, on purpose."),
            (1, 2, "The gradient of a result is of the last pass alone."),
        ),
    ),
}
"""The exercises by name: the notebook's number and a letter."""


def check(name: str, answer: Any) -> None:
    """Say whether the answer to an exercise is right, and if not, which factor is.

    Parameters
    ----------
    name : str
        As in the notebook: "01a".
    answer : number, sequence of number, or Ellipsis
        `...` stands for no answer yet.

    Raises
    ------
    ArgumentError
        If there is no such exercise. Also a ValueError. A wrong answer is no error.

    Examples
    --------
    >>> check("01c", -0.4)
    01c: not yet. One of two ways: x stands in the top and in the bottom of the quotient.
    """
    if name not in EXERCISES:
        raise ArgumentError(f"unknown exercise {name!r}: expected one of {', '.join(EXERCISES)}")
    print(f"{name}: {_verdict(EXERCISES[name], answer)}")


def _verdict(exercise: Exercise, answer: Any) -> str:
    many = isinstance(answer, Sequence) and not isinstance(answer, str)
    parts = list(answer) if many else [answer]
    if any(part is ... for part in parts):
        return "not answered yet."
    places = len(exercise.right)
    try:
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError):
        return f"expected {'a number' if places == 1 else f'{places} numbers'}, got {answer!r:.60}."
    if len(numbers) != places:
        return f"expected {places} number{'' if places == 1 else 's'}, got {len(numbers)}."
    for i, (number, (low, high)) in enumerate(zip(numbers, exercise.right, strict=True)):
        if low <= number <= high:
            continue
        at = f" Number {i + 1}:" if places > 1 else ""
        for place, wrong, hint in exercise.mistakes:
            if place == i and math.isclose(number, wrong, rel_tol=5e-4):
                return f"not yet.{at} {hint}"
        middle = (low + high) / 2
        if math.isfinite(number) and number != 0:
            return f"not yet.{at} The right number is {middle / number:.3g} times yours."
        return f"not yet.{at} It is not {number:g}."
    return f"right. {exercise.why}"
