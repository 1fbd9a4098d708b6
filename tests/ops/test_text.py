"""Numbers that are only written: operations, local derivatives and parentheses."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from strategies import ROWS, points, row_id
from tables import each

from micrograd import ops
from micrograd.engine import Value
from micrograd.errors import GradientError
from micrograd.ops import Text, partial_formulas

NAMES: dict[str, Any] = {
    **vars(ops),
    "Fraction": Fraction,
    "nan": math.nan,
    "peak": lambda *values: max(values),
}


@each("op", [op for op in ROWS if op.arity <= 3], row_id)
def test_the_formula_of_a_partial_computes_the_partial(op: ops.Op) -> None:
    names = [f"x{i}" for i in range(op.arity)]
    for inputs in points(op, 3):
        out = op.compute(*inputs)
        texts = partial_formulas(op, names, "out")
        local = {**NAMES, **dict(zip(names, inputs, strict=True)), "out": out}
        got = [eval(text, local) for text in texts]
        assert got == pytest.approx(op.partials(out, *inputs), rel=1e-15)  # type: ignore[misc]


def test_a_node_made_by_hand_has_no_formula_of_its_slope() -> None:
    with pytest.raises(GradientError, match="mine"):
        partial_formulas(Value(1.0, (Value(2.0),), "mine").op, ["x"])


def test_text_follows_the_operators() -> None:
    assert repr((Text("a") + 1) * Text("b") / 2) == "(a + 1) * b / 2"


@pytest.mark.parametrize(
    ("code", "precedence", "binds"),
    [
        ("f({0}, {1}, 2)", 5, (0, 0)),
        ("f([{1}, {0}])", 5, (0, 0)),
        ("{0}.f({1})", 5, (5, 0)),
        ("{1} - {0}", 1, (2, 1)),
        ("2 * {0} / {1}", 2, (3, 3)),
        ("{0} ** {1}", 4, (5, 4)),
    ],
)
def test_what_an_operand_needs_follows_from_the_text_around_it(
    code: str, precedence: int, binds: tuple[int, ...]
) -> None:
    row = ops.Op(name="f", forward=max, partials=None, arity=2, code=code, precedence=precedence)
    assert row.binds == binds
