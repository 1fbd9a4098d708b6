"""Formulas: text that, run as Python, gives the number again."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from hypothesis import given
from strategies import recipes
from tables import each

from micrograd import ops
from micrograd.engine import Value
from micrograd.formula import formula

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


@each(
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
