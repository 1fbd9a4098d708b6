"""The checker of gradients, and that it finds each wrong row."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import oracles
import pytest
from strategies import ROWS, row_id
from tables import each

import micrograd as mg
from micrograd import Value, gradcheck, ops
from micrograd.errors import ArgumentError, GradcheckError

CHECKED = [op for op in ROWS if op.name not in oracles.CONSTANT and op.name != "base_power"]
"""The rows that have a derivative in each operand."""


def safe(op: ops.Op) -> list[float]:
    """Return a point inside the row's domain at which gradients are of size 1 or so."""
    if op.name == "arccosh":
        return [2.0]
    start = 0.31
    return [start + 0.17 * i for i in range(op.arity)]


@each("op", CHECKED, row_id)
def test_every_row_passes(op: ops.Op) -> None:
    assert gradcheck(op, safe(op))


@pytest.mark.parametrize("change", ["too large", "sign"])
@each("op", CHECKED, row_id)
def test_a_wrong_partial_is_found_and_the_row_is_named(op: ops.Op, change: str) -> None:
    inputs = safe(op)
    slopes = op.partials(op.compute(*inputs), *inputs)  # type: ignore[misc]
    for place, slope in enumerate(slopes):
        if change == "sign" and slope == 0:
            continue

        def wrong(out: Any, *args: Any, place: int = place) -> tuple[Any, ...]:
            right = list(op.partials(out, *args))  # type: ignore[misc]
            x = right[place]
            right[place] = -x if change == "sign" else x + 0.02 + 0.05 * abs(x)
            return tuple(right)

        planted = dataclasses.replace(op, name="planted", partials=wrong)
        with pytest.raises(GradcheckError, match=f"input {place}: .*planted") as caught:
            gradcheck(lambda *args: planted(*args) * 0.5 + args[0] * 2, inputs)  # noqa: B023
        assert isinstance(caught.value, AssertionError)


def test_a_partial_off_by_a_thousandth_is_found_with_a_tighter_tolerance() -> None:
    near = dataclasses.replace(ops.tanh, partials=lambda out, x: (1.001 - out * out,))
    with pytest.raises(GradcheckError):
        gradcheck(near, [0.5], rtol=1e-5)


def test_the_message_says_input_and_both_numbers() -> None:
    flipped = dataclasses.replace(ops.sin, partials=lambda out, x: (-ops.cos(x),))
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda v, y: [y, flipped(v[1]) * v[0]], [[2.0, 0.0], 3.0])
    text = str(caught.value)
    assert "d output 1 / d input 0[1]" in text
    assert "backward gives -2.0" in text
    assert "differences give 2.0" in text or "differences give 1.99" in text
    assert "sin" in text


def test_a_kink_is_named_as_a_possible_cause() -> None:
    with pytest.raises(GradcheckError, match="kink"):
        gradcheck(lambda x: mg.where(x.data > 0, x, 3 * x) if x.data else x * 0, [0.0])


def test_values_numbers_and_sequences_are_inputs() -> None:
    w = Value(2.0)
    w.grad = 7
    assert gradcheck(lambda a, v, n: a * v[0] + v[1] ** 2 * n, [w, [1.0, 3.0], 2])
    assert (w.grad, w.data) == (7, 2.0)


def test_a_step_of_ones_own_is_used() -> None:
    assert gradcheck(lambda x: x * x, [3.0], eps=1e-2)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x**3, [3.0], eps=1.0)


@pytest.mark.parametrize(
    ("f", "at", "options", "told"),
    [
        (
            lambda v: v * v,
            1e12,
            {},
            "the step of 1e-06 vanishes in rounding beside 1000000000000.0",
        ),
        (lambda v: v * v, 1e12, {}, "try eps=6e+06"),
        (lambda v: v * v, 1.0, {"eps": 1e-17}, "the step of 1e-17 vanishes in rounding beside 1.0"),
        (lambda v: 1 / v, 1e-5, {}, "the differences may be off by"),
        (lambda v: v.exp(), 3.0, {"eps": 1e-15}, "the differences may be off by"),
        (lambda v: v.relu(), 0.0, {}, "is a kink or a jump near the input?"),
        (lambda v: v * v, math.inf, {}, "input 0 is not finite"),
        (lambda v: v * v, 1.3e154, {"eps": 1e153}, "is not finite at a step of 1e+153"),
        (lambda v: Value(v.data**2), 3.0, {}, "output 0 was not computed from input 0"),
        (lambda v: v.data**2, 3.0, {}, "its number was read on the way"),
    ],
)
def test_a_right_rule_is_never_accused(f: Any, at: float, options: Any, told: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, [at], **options)
    assert "at fault" not in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("f", "at"), [(lambda v: v * v, 1e12), (lambda v: 1 / v, 1e-5), (lambda v: v.exp(), 3.0)]
)
def test_the_step_that_the_message_gives_is_one_that_works(f: Any, at: float) -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, [at], eps=1e-15 if at == 3.0 else 1e-6)
    (step,) = re.findall(r"try eps=([0-9.e+-]+[0-9])", str(caught.value))
    assert gradcheck(f, [at], eps=float(step))


@pytest.mark.parametrize("eps", [0, -1e-6, math.nan])
def test_a_step_that_is_none_is_refused(eps: float) -> None:
    with pytest.raises(ArgumentError, match="eps"):
        gradcheck(lambda v: v * v, [1.0], eps=eps)
