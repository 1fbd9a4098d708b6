"""The tests' own way to interrupt a call at every line finds what is left half done."""

import sys

import pytest
from interrupts import at_every_line, interrupted


def half(numbers):
    numbers[0] += 1
    numbers[1] += 1


def whole(numbers):
    before = list(numbers)
    try:
        for i in range(2):
            numbers[i] += 1
        assert sum([n > 0 for n in numbers]) == 2
    except BaseException:
        numbers[:] = before
        raise


def careless(numbers):
    try:
        numbers[0] += 1
    finally:
        numbers[1] += 1


@pytest.mark.parametrize("function", [half, careless])
def test_a_function_that_leaves_half_is_found_with_its_line(function):
    with pytest.raises(AssertionError, match=r"test_interrupts\.py:\d+: numbers\[[01]\] \+= 1"):
        at_every_line(lambda: [0, 0], function, tuple, {function.__name__}, __file__)


def test_a_function_that_restores_what_was_is_interrupted_at_all_of_its_lines():
    before = sys.gettrace()
    assert at_every_line(lambda: [0, 0], whole, tuple, {"whole"}, __file__) >= 7
    assert sys.gettrace() is before


def test_the_last_run_is_the_one_that_nothing_interrupted():
    runs = [(thing, where) for thing, where in interrupted(list, half_of_two, {"half"}, __file__)]
    assert [thing for thing, _ in runs] == [[0, 0], [1, 0], [1, 1]]
    assert [bool(where) for _, where in runs] == [True, True, False]


def half_of_two(numbers):
    numbers += [0, 0]
    half(numbers)


def test_a_name_that_nothing_bears_is_a_mistake_of_the_test():
    with pytest.raises(AssertionError, match="none of"):
        at_every_line(lambda: [0, 0], whole, tuple, {"who"}, __file__)
