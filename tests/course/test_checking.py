"""The checker of the exercises: what it says of answers of every kind."""

import math
import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context

import numpy as np
import pytest
from tables import each

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
    assert told(capsys, "01a", 10**400).startswith("expected a number, got <int 1.0")
    assert told(capsys, "01a", np.array([-10.0])).startswith("correct")
    assert told(capsys, "01a", np.float64(-10.0)).startswith("correct")
    assert told(capsys, "01e", [1.0, 2.0]) == "expected 3 numbers, got 2."
    assert told(capsys, "01a", -5) == "not yet. The correct number is smaller."
    assert told(capsys, "06a", 0.5) == "not yet. With this one the error is larger."
    assert told(capsys, "01a", math.nan) == "not yet. It is not nan."


def test_slips_of_typing_are_told_from_mistakes(capsys):
    comma = "a decimal has a point, not a comma"
    check("01c", -0, 8)
    assert capsys.readouterr().out == f"01c: expected 1 number, got 2: {comma}.\n"
    assert told(capsys, "01e", [-12, 35, 10, 26, 0, 6]).endswith(f"{comma}.")
    assert f"got '-0,8': {comma}, and no quotation marks." in told(capsys, "01c", "-0,8")
    assert "got '-4/5': leave out the quotation marks" in told(capsys, "01c", "-4/5")
    assert told(capsys, "01c", None) == "expected a number, got None."


def test_numbers_without_a_list_and_a_matrix_are_answers_too(capsys):
    check("02b", -8, 0)
    assert "correct." in capsys.readouterr().out
    for matrix in ([[2, 4], [4, 6]], np.array([[2, 4], [4, 6]]), ((2, 4), [4, Value(6)])):
        assert told(capsys, "06b", matrix).startswith("correct.")
    assert told(capsys, "06b", [[[2, 4], [4, 6]]]).startswith("expected 4 numbers, got [[[")


def test_correct_numbers_in_another_order_are_called_so(capsys):
    said = "not yet. The numbers are correct, their order is not."
    assert told(capsys, "03d", [1344, 1184]) == said
    assert told(capsys, "05a", [5 / 8, 1 / 8, -3 / 4]) == said
    assert told(capsys, "03d", [1344, 1185]) != said
    assert "other branch" in told(capsys, "07c", [1, 0.1])  # what is known of a mistake says more


WORDS = {3: "three", 4: "four", 5: "five", 6: "six", 9: "nine", 11: "eleven"}


def places(name):
    """Return each number of an answer that is one number, with its place."""
    return [
        (place, (right[0] + right[1]) / 2)
        for place, right in enumerate(EXERCISES[name].right)
        if not callable(right)
    ]


@each("name", EXERCISES)
def test_a_number_rounded_to_two_digits_is_right_and_one_digit_off_is_not(capsys, name):
    numbers = [number for _, number in places(name)]
    if not numbers or name in {"03d", "07d"}:  # counts are not rounded
        return
    digits = [
        [float(Context(2, rule).create_decimal_from_float(n)) for n in numbers]
        for rule in (ROUND_HALF_UP, ROUND_HALF_EVEN)
    ]
    for rounded in (*digits, [round(n, 2) or n for n in numbers]):
        for place, wrong, _ in EXERCISES[name].mistakes:  # which is told apart, if it is as short
            if rounded[place] == wrong:
                rounded[place] = numbers[place]
        assert told(capsys, name, rounded[0] if len(rounded) == 1 else rounded)[:7] == "correct"
    for place, number in places(name):
        off = list(numbers)
        off[place] = number * 1.0123 + 0.0123
        answer = off[0] if len(off) == 1 else off
        assert told(capsys, name, answer).startswith("not yet")


@each("name", EXERCISES)
def test_a_wrong_sign_is_always_called_one(capsys, name):
    numbers = [number for _, number in places(name)]
    for place, number in places(name):
        shorter = float(Context(2).create_decimal_from_float(number))
        for given in {number, shorter if name not in {"03d", "07d"} else number}:
            answer = [*numbers[:place], -given, *numbers[place + 1 :]]
            said = told(capsys, name, answer if len(answer) > 1 else answer[0])
            assert not given or re.search("sign|minus", said), said


@each("name", EXERCISES)
def test_no_hint_holds_the_answer(capsys, name):
    for place, number in places(name):
        said = [hint for at, _, hint in EXERCISES[name].mistakes if at == place]
        numbers = [n for _, n in places(name)]
        for factor in (0.1, 0.5, 2.0, 10.0):
            answer = [*numbers[:place], number * factor + 0.77, *numbers[place + 1 :]]
            said.append(told(capsys, name, answer if len(answer) > 1 else answer[0]))
        for hint in said:
            found = re.sub(r"Number \d:", "", hint)
            given = {float(text) for text in re.findall(r"-?\d+(?:\.\d+)?", found)}
            assert round(number, 9) not in given or (
                number in {0, 1, 2} and "Number" not in hint
            ), hint
            assert WORDS.get(round(number, 9), "no such word") not in hint.lower(), hint


def test_an_unknown_exercise_is_an_error():
    with pytest.raises(ArgumentError, match="'99z'"):
        check("99z", 1)


def test_a_value_is_an_answer_as_its_number_is(capsys):
    check("01c", Value(EXERCISES["01c"].right[0][0]))
    assert "correct." in capsys.readouterr().out
