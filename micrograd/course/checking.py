"""Check answers to the exercises: a hint says what is wrong, never the answer.

>>> check("01a", ...)
01a: not answered yet.
>>> check("01a", 10)
01a: not yet. The size is correct, the sign is not: does f rise or fall there?
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import permutations, repeat
from typing import Any, Final

from micrograd.checks import one_of
from micrograd.course.exercises import EXERCISES, Exercise
from micrograd.course.lab import TASKS, exercise_of
from micrograd.engine import plain
from micrograd.errors import ArgumentError, shown_briefly
from micrograd.ops import Operators

__all__ = ["check", "verdict"]

_DIRECTION: Final = "The correct number is"


def check(name: str, answer: Any, *more: Any, student: str | None = None) -> None:
    """Print whether the answer to an exercise is correct, and if not, a hint.

    Parameters
    ----------
    name : str
        As in the notebook: "01a".
    answer : number, sequence of number, or Ellipsis
        `...` means that there is no answer yet.
    *more : number
        The other numbers of the answer, if they are not in a list.
    student : str, optional
        Whose numbers are meant, for the tasks of the laboratory: "lab1" to "lab8".

    Raises
    ------
    ArgumentError
        If there is no such exercise, or a task of the laboratory without a student. Also a
        ValueError. A wrong answer is not an error.

    Examples
    --------
    >>> check("01c", -0.4)
    01c: not yet. That is one path of two: x is in the numerator and in the denominator.
    """
    print(f"{name}: {verdict(name, [answer, *more] if more else answer, student=student)}")


def verdict(name: str, answer: Any, *, student: str | None = None) -> str:
    """Return what `check` prints of an answer; it begins with "correct" if the answer is.

    Parameters
    ----------
    name : str
    answer : number, sequence of number, or Ellipsis
    student : str, optional

    Raises
    ------
    ArgumentError
        If there is no such exercise. Also a ValueError.

    Examples
    --------
    >>> verdict("01a", -10)
    "correct. f'(x) = 6x - 4, and 6 * (-1) - 4 = -10."
    """
    if student is not None:
        return _verdict(exercise_of(name, student), answer)
    if name in TASKS:
        raise ArgumentError(f"the numbers of {name} are a student's own: say whose, with student=")
    one_of("the exercise", name, EXERCISES)
    return _verdict(EXERCISES[name], answer)


def _verdict(exercise: Exercise, answer: Any) -> str:
    parts = [answer]
    for _ in range(2):  # a matrix is read row by row
        parts = [each for part in parts for each in _parts(part)]
    if any(part is ... for part in parts):
        return "not answered yet."
    places = len(exercise.right)
    wanted = "a number" if places == 1 else f"{places} numbers"
    try:
        numbers = [float(plain(part) if isinstance(part, Operators) else part) for part in parts]
    except (TypeError, ValueError, OverflowError):
        return f"expected {wanted}, got {shown_briefly(answer)}{_advice(answer)}."
    if len(numbers) != places:
        comma = ": a decimal has a point, not a comma" if len(numbers) > places else ""
        return f"expected {wanted.replace('a ', '1 ')}, got {len(numbers)}{comma}."
    for i, (number, right) in enumerate(zip(numbers, exercise.right, strict=True)):
        known = [(wrong, hint) for place, wrong, hint in exercise.mistakes if place == i]
        hint = _hint(number, right, known)
        if hint.startswith(_DIRECTION) and any(
            not any(map(_hint, order, exercise.right, repeat([])))
            for order in permutations(numbers)
        ):
            return "not yet. The numbers are correct, their order is not."
        if hint:
            return f"not yet.{f' Number {i + 1}:' if places > 1 else ''} {hint}"
    return f"correct. {exercise.why}"


def _parts(part: Any) -> Sequence[Any]:
    part = part.tolist() if hasattr(part, "tolist") else part  # an array
    return part if isinstance(part, Sequence) and not isinstance(part, str) else [part]


def _advice(answer: Any) -> str:
    """Return what to do about an answer that is a text with a number in it."""
    if not isinstance(answer, str) or not any(map(str.isdigit, answer)):
        return ""
    if re.fullmatch(r"\s*-?\d*,\d+\s*", answer):
        return ": a decimal has a point, not a comma, and no quotation marks"
    return ": leave out the quotation marks, and Python computes it"


def _hint(number: float, right: Any, known: list[tuple[float, str]]) -> str:
    """Return what is wrong with a number, "" if it is correct.

    It does not say by how much: that would be the answer.
    """
    if not math.isfinite(number):
        return f"It is not {number:g}."
    if callable(right):
        is_right = right(number)
    else:
        low, high = right
        is_right = low <= number <= high
    if is_right:
        return ""
    for wrong, hint in known:
        if math.isclose(number, wrong, rel_tol=5e-4):
            return hint
    if callable(right):
        return "With this one the error is larger."
    if low != high and _is_rounded(number, (low + high) / 2):  # one number alone is a count
        return ""
    for wrong, hint in known:
        if _is_rounded(number, wrong):
            return hint
    if low <= -number <= high or (low != high and _is_rounded(-number, (low + high) / 2)):
        return "The size is correct, the sign is not."
    return f"{_DIRECTION} {'larger' if number < low else 'smaller'}."


def _is_rounded(number: float, exact: float) -> bool:
    """Return whether a number is another one rounded: to two or three digits, or to hundredths."""
    if exact == 0:
        return False
    first = math.floor(math.log10(abs(exact)))
    units = 10.0 ** (first - 1), 10.0 ** (first - 2), 0.01
    return number != 0 and any(
        math.isclose(number / unit, round(number / unit))
        and abs(number - exact) <= unit / 2 * (1 + 1e-9)
        for unit in units
    )
