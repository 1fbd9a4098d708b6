"""Check answers to the exercises: a hint says what is wrong, never the answer.

>>> check("01a", ...)
01a: not answered yet.
>>> check("01a", 10)
01a: not yet. The size is correct, the sign is not: does f rise or fall there?
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from micrograd.checks import one_of
from micrograd.course.exercises import EXERCISES, Exercise
from micrograd.engine import plain
from micrograd.ops import Operators

__all__ = ["check"]


def check(name: str, answer: Any) -> None:
    """Print whether the answer to an exercise is correct, and if not, a hint.

    Parameters
    ----------
    name : str
        As in the notebook: "01a".
    answer : number, sequence of number, or Ellipsis
        `...` means that there is no answer yet.

    Raises
    ------
    ArgumentError
        If there is no such exercise. Also a ValueError. A wrong answer is not an error.

    Examples
    --------
    >>> check("01c", -0.4)
    01c: not yet. That is one path of two: x is in the numerator and in the denominator.
    """
    one_of("the exercise", name, EXERCISES)
    print(f"{name}: {_verdict(EXERCISES[name], answer)}")


def _verdict(exercise: Exercise, answer: Any) -> str:
    many = isinstance(answer, Sequence) and not isinstance(answer, str)
    parts = list(answer) if many else [answer]
    if any(part is ... for part in parts):
        return "not answered yet."
    places = len(exercise.right)
    try:
        numbers = [float(plain(part) if isinstance(part, Operators) else part) for part in parts]
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
            return f"not yet.{at} The correct number is {middle / number:.3g} times yours."
        return f"not yet.{at} It is not {number:g}."
    return f"correct. {exercise.why}"
