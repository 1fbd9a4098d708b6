"""Formulas: text that, run as Python, gives the number again."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from strategies import ROWS, points, recipes, row_id

from micrograd import ops
from micrograd.engine import Value
from micrograd.errors import GradientError
from micrograd.formula import Text, formula, partial_formulas

NAMES: dict[str, Any] = {
    **vars(ops),
    "Fraction": Fraction,
    "nan": math.nan,
    "peak": lambda *values: max(values),
}
PLACES = {
    name: ops.TABLE[name].arity for name in ("add", "sub", "mul", "div", "neg", "pow", "tanh")
}


@given(recipe=recipes(PLACES, steps=8))
def test_the_formula_of_a_random_graph_computes_it_again(recipe: dict[str, Any]) -> None:
    nodes = [Value(abs(x) + 0.5, label=f"x{i}") for i, x in enumerate(recipe["leaves"])]
    given_names = {node.label: node.data for node in nodes}
    for name, places in recipe["steps"]:
        operands = [nodes[i] for i in places]
        try:
            nodes.append(ops.TABLE[name](*operands))
        except (ValueError, ArithmeticError):
            nodes.append(operands[0] + 1)
    text = formula(nodes[-1], limit=10**6)
    again = eval(text, {**NAMES, **given_names})
    assert again == nodes[-1].data or math.isnan(again)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda a, b: a - (b - a), "a - (b - a)"),
        (lambda a, b: (a - b) - a, "a - b - a"),
        (lambda a, b: (a + b) * 2, "(a + b) * 2"),
        (lambda a, b: a / (b * a), "a / (b * a)"),
        (lambda a, b: -(a + b), "-(a + b)"),
        (lambda a, b: -a * b, "-a * b"),
        (lambda a, b: (-a) ** 2, "(-a) ** 2"),
        (lambda a, b: -(a**2), "-a ** 2"),
        (lambda a, b: (a**b) ** 2, "(a ** b) ** 2"),
        (lambda a, b: a ** (b + 1), "a ** (b + 1)"),
        (lambda a, b: ops.dot([a], [b], 1), "1 + a * b"),
        (lambda a, b: ops.tanh(a + b), "tanh(a + b)"),
        (lambda a, b: a * -3, "a * -3"),
        (lambda a, b: ops.identity(a + b), "a + b"),
        (lambda a, b: ops.identity(a + b) * a, "(a + b) * a"),
        (lambda a, b: ops.identity(-a) ** 2, "(-a) ** 2"),
        (lambda a, b: ops.sum([a * b]) + 1, "a * b + 1"),
        (lambda a, b: ops.dot([a * b], [a * b]), "(a * b) * (a * b)"),
    ],
)
def test_parentheses_stand_where_they_are_needed_only(make: Any, text: str) -> None:
    assert formula(make(Value(2.0, label="a"), Value(3.0, label="b"))) == text


def test_a_labelled_result_stands_as_its_label() -> None:
    a = Value(2.0, label="a")
    b = a * 3
    b.label = "b"
    assert formula(b + 1) == "b + 1"
    assert formula(b) == "a * 3"


def test_a_formula_of_many_paths_is_cut_and_not_exponential() -> None:
    x = Value(1.0, label="x")
    for _ in range(200):
        x = x + x
    assert "…" in formula(x)
    assert len(formula(x)) < 5000


def test_a_deep_formula_needs_no_recursion() -> None:
    x = Value(1.0, label="x")
    for _ in range(20_000):
        x = x + 1
    assert formula(x)


@pytest.mark.parametrize("op", [op for op in ROWS if op.arity <= 3], ids=row_id)
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
