"""What `help` says of a row: every row of the table explains itself."""

from __future__ import annotations

import doctest
import inspect
import math
import pydoc
from itertools import product
from typing import Any

import oracles
import pytest
from strategies import points
from tables import each

import micrograd
from micrograd import ops
from micrograd.engine import Value
from micrograd.ops import TABLE, Op, Operators

every_row = each("op", TABLE.values(), lambda op: op.name)

GRID = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)


def lines(op: Op, start: str) -> list[str]:
    """Return what the docstring says after `start`."""
    text = str(op.__doc__)
    return [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]


@every_row
def test_a_row_says_what_it_gives_and_where(op: Op) -> None:
    assert op.summary
    assert lines(op, "Return ") == [f"{op.summary}."]
    (domain,) = lines(op, "Domain: ")
    for inputs in product(GRID, repeat=op.arity):
        names = dict(zip(inspect.signature(op).parameters, inputs, strict=True))
        is_defined = domain == "every number." or eval(domain.removesuffix("."), names)
        try:
            op(*inputs)
        except (ValueError, ZeroDivisionError):
            assert not is_defined, inputs
        else:
            assert is_defined, inputs


@every_row
def test_the_derivative_that_a_row_states_is_its_derivative(op: Op) -> None:
    (text,) = lines(op, "Derivatives: " if op.arity > 1 else "Derivative: ")
    formulas = text.removesuffix(".").removesuffix(", where out is the result").split("; ")
    parameters = list(inspect.signature(op).parameters)
    function = oracles.function_of(op)
    assert function is not None
    for inputs in points(op, 5):
        names = {**vars(ops), **dict(zip(parameters, inputs, strict=True)), "out": op(*inputs)}
        for place, formula in enumerate(formulas):
            formula = formula.removeprefix(f"∂out/∂{parameters[place]} = ")
            expected = float(oracles.derivative_of(function, inputs, place))
            assert eval(formula, {**names, "nan": math.nan}) == pytest.approx(
                expected, rel=1e-9, abs=1e-9
            )


@every_row
def test_the_example_of_a_row_runs(op: Op) -> None:
    method = getattr(Operators, op.name)
    assert str(op.__doc__).endswith(f"\n\n{method.__doc__}")
    parsed = doctest.DocTestParser().get_doctest(method.__doc__, {}, op.name, None, 0)
    assert len(parsed.examples) == 5
    results = doctest.DocTestRunner(verbose=False).run(parsed)
    assert (results.failed, results.attempted) == (0, 5)


@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.kinks], ids=lambda op: op.name)
def test_a_kink_is_stated_with_the_derivative_that_is_taken(op: Op) -> None:
    (text,) = lines(op, "At x = 0 it is taken as ")
    x = Value(0.0)
    op(x).backward()
    assert float(text.removesuffix(".")) == x.grad


@pytest.mark.parametrize(
    ("function", "start", "parts"),
    [
        (micrograd.tanh, "tanh(x)", ["1 - out * out", "every number", "DLMF §4.34"]),
        (micrograd.Value.tanh, "tanh(self, /)", ["1 - out * out", "every number", "DLMF §4.34"]),
        (micrograd.Value.where, "where(self, a, b, /)", ["∂out/∂a = where(condition, 1, 0)"]),
        (micrograd.relu, "relu(x)", ["max(x, 0)", "greater(x, 0)", "At x = 0 it is taken as 0"]),
        (micrograd.log, "log(x)", ["x > 0", "1 / x"]),
        (micrograd.leaky_relu, "negative_slope", ["Domain: every number", "Derivative: 1 where"]),
        (ops.leaky_relu_with(0.1), "leaky_relu(x)", ["0.1 * x", "where(greater(x, 0), 1, 0.1)"]),
        (micrograd.dot, "dot(w", ["The derivative in w[i] is x[i]"]),
        (ops.power(3), "power(x)", ["x ** 3", "3 * x ** 2"]),
        (ops.dot_of(2, True), "dot(x0, x1, x2, x3, x4)", ["∂out/∂x0 = x2", "∂out/∂x4 = 1"]),
    ],
)
def test_help_explains(function: Any, start: str, parts: list[str]) -> None:
    text = pydoc.render_doc(function, renderer=pydoc.plaintext)
    assert start in text
    assert all(part in text for part in parts), text


def test_signatures_name_the_operands() -> None:
    assert str(inspect.signature(micrograd.arctan2)) == "(y, x, /)"
    assert str(inspect.signature(micrograd.Value.arctan2)) == "(self, x, /)"
    assert str(inspect.signature(micrograd.Value.tanh)) == "(self, /)"
    assert list(inspect.signature(Op).parameters)[:2] == ["name", "forward"]
    assert str(Op.__doc__).startswith("One primitive operation")


def test_a_new_row_explains_itself_as_far_as_its_rule_can_be_written(table: Any) -> None:
    assert table is TABLE
    mish = ops.define(
        name="mish",
        forward=lambda x: x * math.tanh(math.log1p(math.exp(x))),
        partials=lambda out, x: (out / x * x.nothing_of_the_kind,),
    )
    assert "Return mish(x)." in str(mish.__doc__)
    assert "Domain: every number." in str(mish.__doc__)
    assert "Derivative" not in str(mish.__doc__)
    assert Value.mish.__doc__ == "Return mish(x)."
    double = ops.define(name="double", forward=lambda x: 2 * x, partials=lambda out, x: (2,))
    assert "Derivative: 2." in str(double.__doc__)


def test_a_row_without_a_rule_says_so() -> None:
    assert "made by hand" in str(ops.foreign("?").__doc__)
