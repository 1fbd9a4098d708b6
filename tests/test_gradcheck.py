"""The checker of gradients, and that it finds each wrong row."""

from __future__ import annotations

import dataclasses
from typing import Any

import oracles
import pytest
from strategies import ROWS, row_id

import micrograd as mg
from micrograd import Value, gradcheck, ops
from micrograd.errors import GradcheckError

CHECKED = [op for op in ROWS if op.name not in oracles.CONSTANT and op.name != "base_power"]
"""The rows that have a derivative in each operand."""


def safe(op: ops.Op) -> list[float]:
    """Return a point inside the row's domain at which gradients are of size 1 or so."""
    if op.name == "arccosh":
        return [2.0]
    start = 0.31
    return [start + 0.17 * i for i in range(op.arity)]


@pytest.mark.parametrize("op", CHECKED, ids=row_id)
def test_every_row_passes(op: ops.Op) -> None:
    assert gradcheck(op, safe(op))


@pytest.mark.parametrize("change", ["too large", "sign"])
@pytest.mark.parametrize("op", CHECKED, ids=row_id)
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
