"""Learning-rate schedules, against closed forms and exact fractions."""

import math
import pickle
from fractions import Fraction

import pytest

from micrograd.errors import ArgumentError, NumberTypeError
from micrograd.optim import Schedule, cosine, exponential, linear, step_decay, warmup


def test_linear_has_the_bits_of_the_demo_schedule():
    rate = linear(1.0, 0.1, 100)
    assert [rate(k) for k in range(100)] == [1.0 - 0.9 * k / 100 for k in range(100)]
    assert rate(100) == rate(1000) == 0.1


def test_schedules_by_their_closed_forms():
    for k in range(12):
        expected = 0.1 + 0.9 * math.cos(math.pi * min(k, 8) / 16) ** 2
        assert cosine(1.0, 0.1, 8)(k) == pytest.approx(expected, rel=1e-15)
        assert exponential(2.0, 0.5)(k) == 2.0 ** (1 - k)
        assert step_decay(1.0, 0.5, 3)(k) == 0.5 ** (k // 3)
        assert warmup(3, 0.8)(k) == pytest.approx(0.8 * min((k + 1) / 4, 1))


def test_warmup_goes_on_with_its_schedule_from_the_start():
    rate = warmup(2, exponential(1.0, 0.5))
    assert [rate(k) for k in range(5)] == pytest.approx([1 / 3, 2 / 3, 1.0, 0.5, 0.25])


@pytest.mark.parametrize(
    "rate",
    [linear(1, 0.5, 3), cosine(1, 0, 3), warmup(2, step_decay(1.0, 0.5, 2)), exponential(1, 0.9)],
    ids=repr,
)
def test_schedules_are_data(rate):
    assert pickle.loads(pickle.dumps(rate)) == rate
    assert eval(repr(rate)) == rate
    assert isinstance(rate, Schedule)


def test_a_power_of_a_schedule_is_exact_while_it_has_few_digits():
    assert exponential(1, Fraction(1, 3))(1000) == Fraction(1, 3**1000)
    assert exponential(1.0, 1)(10**9) == 1.0
    assert exponential(1, Fraction(1, 2))(10**6) == 0.0


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: linear(1.0, -0.1, 5), ArgumentError, "end to be a finite number of 0"),
        (lambda: cosine(1.0, 0.0, 0), ArgumentError, "steps to be a whole number of 1 or more"),
        (lambda: step_decay(1.0, 0.5, 2.5), ArgumentError, "every to be a whole number"),
        (lambda: warmup(5, "x"), NumberTypeError, "then"),
    ],
)
def test_arguments_that_cannot_be_are_errors_that_name_them(build, error, words):
    with pytest.raises(error, match=words):
        build()


def test_a_number_of_steps_may_be_a_quotient():
    assert linear(1.0, 0.0, 8 / 2) == linear(1.0, 0.0, 4)
