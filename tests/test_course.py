"""The checker: right answers by an independent way, every known mistake with its own hint."""

import itertools
import math

import pytest
from mpmath import mp

from micrograd.course import EXERCISES, check
from micrograd.errors import ArgumentError

USES = [("a", "c"), ("b", "c"), ("b", "d"), ("c", "e"), ("d", "e")]  # used, user


def quotient(x):
    return (x**2 + 1) / (x - 2)


def many(a, b, c):
    return -(a**3) + mp.sin(3 * b) - 1 / c + b ** mp.mpf("2.5") - mp.sqrt(a)


ANSWERS = {
    "01a": lambda: [mp.diff(lambda x: 3 * x**2 - 4 * x + 5, -1)],
    "01b": lambda: [mp.diff(lambda b: (2 * b + 10) * -2, -3)],
    "01c": lambda: [mp.diff(quotient, mp.mpf(1) / 3)],
    "01d": lambda: [mp.mpf("1e-7")],
    "01e": lambda: [mp.diff(many, (2, 3, 4), order) for order in ((1, 0, 0), (0, 1, 0), (0, 0, 1))],
    "02a": lambda: [mp.diff(lambda b: (4 + b) * (b + 1), 3)],
    "02b": lambda: [
        mp.diff(lambda x: 2 * (x * -4 + max(2, -1)), 3),
        mp.diff(lambda v: 2 * (3 * -4 + max(2, v)), -1),
    ],
    "02c": lambda: [mp.diff(lambda x: mp.tanh(-3 * x + mp.mpf("6.8813735870195432")), 2)],
    "02d": lambda: [
        sum(
            all(order.index(user) < order.index(used) for used, user in USES)
            for order in itertools.permutations("abcde")
        )
    ],
    "02e": lambda: [2 * mp.diff(lambda a: (a + 2) * 1, 3), mp.diff(lambda c: c * 1, 5)],
}


def told(capsys, name, answer):
    check(name, answer)
    return capsys.readouterr().out.removeprefix(f"{name}: ").rstrip("\n")


def right(name):
    return [float(number) for number in ANSWERS[name]()]


def given(name, numbers):
    return numbers if len(EXERCISES[name].right) > 1 else numbers[0]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_accepted_and_explained(capsys, name):
    assert told(capsys, name, given(name, right(name))) == f"right. {EXERCISES[name].why}"


@pytest.mark.parametrize("name", EXERCISES)
def test_every_known_mistake_has_its_own_hint(capsys, name):
    exercise = EXERCISES[name]
    for place, wrong, hint in exercise.mistakes:
        answer = right(name)
        answer[place] = wrong
        assert told(capsys, name, given(name, answer)).endswith(hint)
    for i, (place, wrong, hint) in enumerate(exercise.mistakes):
        for other_place, other, other_hint in exercise.mistakes[:i]:
            assert place != other_place or not math.isclose(wrong, other, rel_tol=2e-3)
            assert hint != other_hint


def test_any_h_of_a_small_error_is_right(capsys):
    # by floats themselves: the error of the chord, measured
    for h in (2e-8, 1e-7, 3e-7):
        assert abs((3 * (3 + h) ** 2 - 4 * (3 + h) + 5 - 20) / h - 14) < 1e-6
        assert told(capsys, "01d", h).startswith("right")


def test_no_answer_a_wrong_kind_and_a_wrong_number_of_answers_are_said_without_an_error(capsys):
    assert told(capsys, "01a", ...) == "not answered yet."
    assert told(capsys, "01e", [..., 1, 2]) == "not answered yet."
    assert told(capsys, "01a", "minus ten") == "expected a number, got 'minus ten'."
    assert told(capsys, "01e", [1.0, 2.0]) == "expected 3 numbers, got 2."
    assert told(capsys, "01a", -5) == "not yet. The right number is 2 times yours."
    assert told(capsys, "01a", math.nan) == "not yet. It is not nan."


def test_an_unknown_exercise_is_an_error():
    with pytest.raises(ArgumentError, match="'99z'"):
        check("99z", 1)
