"""Derivatives of functions: grad, jacobian, hessian, in any nesting."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import oracles
import pytest
from mpmath import mp

import micrograd as mg
from micrograd import Value, grad, hessian, jacobian, no_grad, value_and_grad
from micrograd.errors import InputCountError, NumberTypeError


def product(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    """Return the matrix product."""
    return [
        [math.fsum(map(math.prod, zip(r, c, strict=True))) for c in zip(*b, strict=True)] for r in a
    ]


def test_grad_of_a_number() -> None:
    assert grad(lambda x: x**3)(2.0) == 12.0
    assert grad(mg.tanh)(0.5) == 1 - math.tanh(0.5) ** 2
    assert grad(lambda x: 5)(2.0) == 0


def test_grad_of_a_sequence_has_its_shape() -> None:
    assert grad(lambda v: v[0] * v[1] + v[2])([2.0, 5.0, 7.0]) == [5.0, 2.0, 1]
    assert grad(lambda m: m[0][0] * m[1][0])([[2.0], [3.0]]) == [[3.0], [2.0]]


def test_argnums_choose_the_argument() -> None:
    def f(x: Any, w: Any) -> Any:
        return x * w[0] + w[1] ** 2

    assert grad(f, argnums=1)(3.0, [1.0, 5.0]) == [3.0, 10.0]
    assert grad(f, argnums=(0, 1))(3.0, [1.0, 5.0]) == (1.0, [3.0, 10.0])
    assert grad(f, argnums=-1)(3.0, [1.0, 5.0]) == [3.0, 10.0]


def test_value_and_grad_gives_both_as_plain_numbers() -> None:
    value, slope = value_and_grad(lambda x: x * x)(3.0)
    assert (value, slope) == (9.0, 6.0)
    assert not isinstance(value, Value)
    assert not isinstance(slope, Value)


def test_fractions_stay_exact() -> None:
    assert grad(lambda x: x**2 / 3)(Fraction(1, 2)) == Fraction(1, 3)
    assert hessian(lambda v: v[0] ** 2 * v[1])([Fraction(1, 3), 2]) == [
        [4, Fraction(2, 3)],
        [Fraction(2, 3), 0],
    ]


@pytest.mark.parametrize("order", range(1, 7))
def test_grad_nests_to_any_order(order: int) -> None:
    f: Any = lambda x: mg.sin(x) * x  # noqa: E731
    for _ in range(order):
        f = grad(f)
    expected = oracles.value_of(lambda x: mp.diff(lambda t: mp.sin(t) * t, x, order), [0.7])
    assert f(0.7) == pytest.approx(float(expected), rel=1e-12)


def test_inner_derivatives_are_not_confused_with_outer_ones() -> None:
    # d/dx [x * d/dy (x + y)] is 1: an engine that confuses the two gives 2.
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0


def test_grad_leaves_the_values_it_meets_alone() -> None:
    w = Value(2.0)
    assert grad(lambda x: w * x)(3.0) == 2.0
    assert w.grad == 0
    assert grad(lambda x: x * x)(w) == 4.0
    assert w.grad == 0


def test_the_jacobian_has_a_row_an_output() -> None:
    assert jacobian(lambda v: [v[0] * v[1], v[0] + v[1], 7])([2.0, 5.0]) == [
        [5.0, 2.0],
        [1, 1],
        [0, 0],
    ]
    assert jacobian(lambda v: v[0] * v[1])([2.0, 5.0]) == [5.0, 2.0]
    assert jacobian(lambda x: [x, x * x])(3.0) == [1, 6.0]


def test_the_jacobian_of_a_composition_is_the_product_of_the_jacobians(rng: Any) -> None:
    def f(u: Any) -> list[Any]:
        return [u[0] * u[1].tanh(), mg.exp(u[0] - u[2]), mg.hypot(u[1], u[2])]

    def g(v: Any) -> list[Any]:
        return [v[0] ** 2 + 1, mg.sin(v[0] * v[1]), mg.softplus(v[1])]

    for _ in range(5):
        x = [rng.uniform(-1, 1), rng.uniform(-1, 1)]
        middle = [value.data for value in g([Value(entry) for entry in x])]
        chained = product(jacobian(f)(middle), jacobian(g)(x))
        direct = jacobian(lambda v: f(g(v)))(x)
        for row, wanted in zip(direct, chained, strict=True):
            assert row == pytest.approx(wanted, rel=1e-13, abs=1e-15)


def test_the_hessian_is_symmetric_and_right() -> None:
    def f(v: Any) -> Any:
        return mg.exp(v[0] * v[1]) + mg.log(v[2]) * v[0] - v[1] ** 3

    point = [0.3, -0.7, 1.9]
    matrix = hessian(f)(point)
    assert matrix == [list(column) for column in zip(*matrix, strict=True)]

    def reference(a: Any, b: Any, c: Any) -> Any:
        return mp.exp(a * b) + mp.log(c) * a - b**3

    for i in range(3):
        for j in range(3):
            expected = float(oracles.derivative_of(reference, point, i, j))
            assert matrix[i][j] == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_the_hessian_of_a_function_of_one_number_is_a_number() -> None:
    assert hessian(lambda x: x**4)(2.0) == 48.0


def test_numpy_arrays_give_arrays() -> None:
    np = pytest.importorskip("numpy")
    slope = grad(lambda v: (v * v).sum())(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert slope.dtype == float
    assert (slope == np.array([[2.0, 4.0], [6.0, 8.0]])).all()


@pytest.mark.parametrize("wrong", ["text", [], None, [1, 2]])
def test_a_function_that_gives_no_number_is_an_error(wrong: Any) -> None:
    with pytest.raises(NumberTypeError, match="one number"):
        grad(lambda x: wrong)(2.0)


def test_an_argument_that_is_not_there_is_an_error_with_the_number() -> None:
    with pytest.raises(InputCountError, match="argument 2"):
        grad(lambda x: x, argnums=2)(1.0)


def test_an_argument_that_is_no_number_is_an_error() -> None:
    with pytest.raises(NumberTypeError, match="'x'"):
        grad(lambda x: x)("x")


def test_an_error_inside_leaves_the_depth_as_it_was() -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            grad(lambda x: 1 / x)(0.0)
    assert not isinstance(grad(lambda x: x * x)(3.0), Value)


def test_derivatives_of_functions_record_inside_no_grad() -> None:
    with no_grad():
        assert grad(lambda x: x**3)(2.0) == 12.0
        assert hessian(lambda x: x**3)(2.0) == 12.0
        assert jacobian(lambda v: [v[0] * v[1]])([2.0, 5.0]) == [[5.0, 2.0]]
