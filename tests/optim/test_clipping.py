"""Clipping, by hand."""

import math
import random
from fractions import Fraction

import pytest

from micrograd.engine import Value
from micrograd.errors import ArgumentError, OverflowRangeError
from micrograd.optim import Clip


def leaves(*grads):
    made = [Value(0.0) for _ in grads]
    for leaf, grad in zip(made, grads, strict=True):
        leaf.grad = grad
    return made


def clipped(limit, *grads):
    made = leaves(*grads)
    limit(made)
    return [leaf.grad for leaf in made]


def test_a_long_gradient_keeps_its_direction():
    rng = random.Random(0)
    grads = [rng.gauss(0, 3) for _ in range(20)]
    norm = math.sqrt(math.fsum(g * g for g in grads))
    assert clipped(Clip(norm=0.5), *grads) == pytest.approx([g * 0.5 / norm for g in grads])
    assert clipped(Clip(norm=norm * 1.01), *grads) == grads
    assert clipped(Clip(norm=1.0), 0, 0.0) == [0, 0.0]
    assert clipped(Clip(norm=5.0), 3e200, -4e200) == pytest.approx([3.0, -4.0])


def test_each_derivative_is_limited():
    assert clipped(Clip(value=1), 3, -2.5, Fraction(1, 2), 0) == [1, -1, Fraction(1, 2), 0]


def test_a_norm_that_is_not_finite_changes_nothing():
    made = leaves(1e308, 1.5e308, 1e308)
    with pytest.raises(OverflowRangeError, match="norm of the gradient is inf"):
        Clip(norm=1.0)(made)
    assert [leaf.grad for leaf in made] == [1e308, 1.5e308, 1e308]


@pytest.mark.parametrize("limits", [{}, {"norm": 1, "value": 1}, {"norm": 0}, {"value": math.inf}])
def test_exactly_one_limit_above_0(limits):
    with pytest.raises(ArgumentError):
        Clip(**limits)
