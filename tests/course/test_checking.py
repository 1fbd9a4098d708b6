"""The checker of the exercises: what it says of answers of every kind."""

import math

import pytest

from micrograd import Value
from micrograd.course import EXERCISES, check
from micrograd.errors import ArgumentError


def told(capsys, name, answer):
    check(name, answer)
    return capsys.readouterr().out.removeprefix(f"{name}: ").rstrip("\n")


def test_no_answer_a_wrong_kind_and_a_wrong_number_of_answers_are_said_without_an_error(capsys):
    assert told(capsys, "01a", ...) == "not answered yet."
    assert told(capsys, "01e", [..., 1, 2]) == "not answered yet."
    assert told(capsys, "01a", "minus ten") == "expected a number, got 'minus ten'."
    assert told(capsys, "01e", [1.0, 2.0]) == "expected 3 numbers, got 2."
    assert told(capsys, "01a", -5) == "not yet. The correct number is 2 times yours."
    assert told(capsys, "01a", math.nan) == "not yet. It is not nan."


def test_an_unknown_exercise_is_an_error():
    with pytest.raises(ArgumentError, match="'99z'"):
        check("99z", 1)


def test_a_value_is_an_answer_as_its_number_is(capsys):
    check("01c", Value(EXERCISES["01c"].right[0][0]))
    assert "correct." in capsys.readouterr().out
