"""The chain rule over a whole graph: `gradient` with numbers and with Values, and its errors."""

from __future__ import annotations

import gc
import math
import random
from typing import Any

import oracles
import pytest
from mpmath import mp

from micrograd import ops
from micrograd.engine import Value, gradient, no_grad
from micrograd.errors import (
    DomainError,
    GradientError,
    NotDifferentiableError,
    NumberTypeError,
    StaleGraphError,
)


def test_gradient_leaves_every_grad_alone() -> None:
    a, b = Value(2.0), Value(3.0)
    product = a * b
    root = product + a
    root.backward()
    before = [v.grad for v in (a, b, product, root)]
    assert gradient(root, [a, b, product, root]) == [4.0, 2.0, 1, 1]
    gradient(root, a, create_graph=True)
    assert [v.grad for v in (a, b, product, root)] == before


def test_gradient_of_what_the_output_does_not_depend_on_is_zero() -> None:
    a, b = Value(2.0), Value(3.0)
    assert gradient(a * 2, [b, a]) == [0, 2]
    slopes = gradient(a * 2, [b, a], create_graph=True)
    assert [slope.data for slope in slopes] == [0, 2]
    assert gradient(a, b) == 0
    later = a * b
    assert gradient(a, later) == 0  # what depends on the output is not below it


def test_gradient_of_one_input_is_no_list() -> None:
    a = Value(2.0)
    assert gradient(a * a, a) == 4.0
    assert gradient(a * a, (a,)) == [4.0]
    assert gradient(a * a, []) == []


@pytest.mark.parametrize("wrong", [2.0, "x", None])
def test_gradient_wants_values(wrong: Any) -> None:
    a = Value(2.0)
    told = rf"expected a Value, got {wrong!r} \({type(wrong).__name__}\)"
    with pytest.raises(NumberTypeError, match=told):
        gradient(a, [a, wrong])
    with pytest.raises(NumberTypeError, match=told):
        gradient(wrong, a)


def test_a_gradient_that_is_a_plain_number_reads_as_one_and_computes_nothing() -> None:
    a, b = Value(2.0), Value(3.0)
    for root, value, expected in ((a, a, 1), (a + b, a, 1), (a - b, a, 1), (a * 2, b, 0)):
        slope = gradient(root, value, create_graph=True)
        assert float(slope) == expected
        assert slope.parents == ()
        assert slope.derivative_of is root


def test_a_symbol_among_the_values_is_asked_for_the_gradient() -> None:
    class Symbol(ops.Operators):
        _rank = 99

        def _gradient(self, *asked: Any) -> list[Any]:
            return [(self, *asked)]

    x, symbol = Value(2.0), Symbol()
    assert gradient(symbol, x) == (symbol, symbol, [x], False)
    assert gradient(x, [symbol, x], create_graph=True) == [(symbol, x, [symbol, x], True)]


def test_derivatives_of_every_order_of_a_power() -> None:
    x = Value(2.0)
    slope: Any = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0, 0):
        slope = gradient(slope, x, create_graph=True)
        assert slope.data == expected


def test_gradient_of_a_gradient_in_two_variables() -> None:
    x, y = Value(0.7), Value(1.3)
    dx = gradient(ops.sin(x * y) * y.exp(), x, create_graph=True)
    mixed = gradient(dx, y)
    expected = oracles.derivative_of(lambda a, b: mp.sin(a * b) * mp.exp(b), [0.7, 1.3], 0, 1)
    assert mixed == pytest.approx(float(expected), rel=1e-14)


@pytest.mark.parametrize("number", [0, 0.0, 1, 1.0, 2.0])
def test_a_local_derivative_that_happens_to_be_0_or_1_is_still_differentiated(number: Any) -> None:
    x, y = Value(3.0), Value(number)
    slope = gradient(x * y, x, create_graph=True)
    assert (slope.data, gradient(slope, y)) == (number, 1)


def test_backward_through_a_gradient_graph_reaches_the_leaves() -> None:
    x = Value(3.0)
    gradient(x**3, x, create_graph=True).backward()
    assert x.grad == 18.0


def test_a_rule_that_leaves_the_graph_is_an_error_in_a_gradient_graph(table: Any) -> None:
    left = ops.define(name="left", forward=math.exp, partials=lambda out, x: (math.exp(x),))
    x = Value(1.0)
    assert gradient(left(x), x) == math.e
    with pytest.raises(NotDifferentiableError, match=r"math\.exp would take") as caught:
        gradient(left(x), x, create_graph=True)
    assert isinstance(caught.value, TypeError)


def test_data_changed_after_the_forward_pass_is_an_error_that_says_all() -> None:
    weight, x = Value(2.0, label="weight"), Value(3.0, label="x")
    product = weight * x
    product.label = "product"
    out = product.tanh()
    weight.data = 2.5
    for call in (out.backward, lambda: gradient(out, x), lambda: gradient(out, x, True)):
        with pytest.raises(StaleGraphError) as caught:
            call()
        assert str(caught.value) == (
            "operand 'weight' of weight=2.0 * x=3.0 (product) changed from 2.0 to 2.5 after the "
            "forward pass: compute the output again, or call its forward(), first"
        )
        assert isinstance(caught.value, RuntimeError)
        assert (weight.grad, x.grad, out.grad) == (0, 0, 0)
    with pytest.raises(StaleGraphError):
        out.parents[0].local_derivatives()
    assert out.forward().data == math.tanh(7.5)
    out.backward()
    assert x.grad == pytest.approx(2.5 * (1 - math.tanh(7.5) ** 2))


def test_an_operand_without_a_name_is_said_to_have_none() -> None:
    x = Value(2.0)
    out = x * 3
    x.data = 2.5
    with pytest.raises(StaleGraphError, match=r"^an unnamed operand of 2\.0 \* 3 changed from"):
        out.backward()


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("before", "after", "is_stale"),
    [
        (math.nan, 2.0, True),
        (2.0, math.nan, True),
        (math.nan, float("nan"), False),
        (2.0, 2, False),
        (0.0, -0.0, False),
    ],
)
def test_a_nan_is_changed_by_any_other_number_and_not_by_a_nan(
    before: float, after: float, is_stale: bool, create_graph: bool
) -> None:
    x, y = Value(before), Value(1.0)
    out = ops.where(1, y * 3, x)
    x.data = after
    if is_stale:
        with pytest.raises(StaleGraphError):
            gradient(out, y, create_graph)
    else:
        slope = gradient(out, y, create_graph)
        assert (slope.data if create_graph else slope) == 3


def test_forward_gives_the_bits_of_a_fresh_graph(rng: random.Random) -> None:
    def build(w: list[Value], x: list[Value]) -> Value:
        hidden = ops.dot(w, x, 0.5).tanh() + ops.softmax(x)[0] - abs(w[0]) ** 1.5 / (x[1] ** 2 + 1)
        return hidden * ops.maximum(w[1], x[1]) + ops.logsumexp(w)

    w, x = ([Value(rng.gauss(0, 1)) for _ in range(3)] for _ in range(2))
    out = build(w, x)
    for leaf in (*w, *x):
        leaf.data = rng.gauss(0, 1)
    fresh = build(w, x)
    assert out.forward().data == fresh.data
    assert gradient(out, [*w, *x]) == gradient(fresh, [*w, *x])


def test_a_negative_base_to_a_whole_power_of_a_value_has_its_slope_in_the_base() -> None:
    base, y = Value(-2), Value(3, label="y")
    out = base**y
    assert out.data == -8
    assert gradient(out, base) == 12
    with pytest.raises(DomainError, match=r"'y' = 3"):
        out.backward()
    assert (base.grad, y.grad) == (0, 0)
    plain = Value(-2) ** 3
    plain.backward()
    assert plain.parents[0].grad == 12
    assert ((-2) ** Value(3)).data == -8


def test_a_graph_recorded_before_no_grad_works_inside_it() -> None:
    x = Value(2.0)
    y = x * x * x
    with no_grad():
        y.backward()
        assert gradient(y, x) == 12.0
        x.data = 3.0
        assert y.forward().data == 27.0
        assert y.parents
    assert x.grad == 12.0


def test_a_node_made_by_hand_without_a_closure_is_an_error_that_says_so() -> None:
    a = Value(2.0)
    out = Value(4.0, (a,), "mystery") * 2
    for call in (out.backward, lambda: gradient(out, a, create_graph=True)):
        with pytest.raises(GradientError) as caught:
            call()
        assert str(caught.value) == (
            "Value(data=4.0, grad=0) was made by hand as 'mystery' and has no derivative rule to "
            "use here: set its _backward, or add the operation with micrograd.define"
        )
    assert a.grad == 0


def test_a_derivative_that_does_not_exist_is_the_same_error_of_every_reader() -> None:
    x = Value(0.0, label="x")
    root = x.sqrt()
    for call in (root.backward, root.local_derivatives, lambda: gradient(root, x, True)):
        with pytest.raises(
            ZeroDivisionError, match=r"^no finite derivative of sqrt\(x=0\.0\): .*it divides by 0"
        ):
            call()
    assert x.grad == 0


@pytest.mark.slow
def test_a_chain_of_200_000_nodes_builds_differentiates_and_frees() -> None:
    length = 200_000
    gc.collect()
    x = node = Value(1.0)
    for _ in range(length):
        node = node + x
    assert node.data == length + 1
    node.backward()
    assert x.grad == length + 1
    assert gradient(node, x) == length + 1
    x.data = 2.0
    assert node.forward().data == 2 * (length + 1)
    del node
    assert gc.collect() == 0


@pytest.mark.slow
def test_second_derivatives_need_no_recursion() -> None:
    x = node = Value(1.0)
    for _ in range(20_000):
        node = node * 1.0 + x
    slope = gradient(node * node, x, create_graph=True)
    assert gradient(slope, x) == 2 * 20_001**2


def test_a_thousand_dropped_graphs_leave_the_collector_nothing() -> None:
    gc.collect()
    gc.disable()
    try:
        for i in range(1000):
            x, y = Value(float(i), label="x"), Value(0.5)
            out = ops.softmax([x * y, y])[0].tanh() + ops.dot([x, y], [y, 2.0], 1) ** 2
            out.backward()
            slope = gradient(out, x, create_graph=True)
            gradient(slope, y)
            out.forward()
            with no_grad():
                out * 2
        del x, y, out, slope
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_finite_gradients_pass_though_their_sum_is_infinite() -> None:
    a, b, huge = Value(0.0), Value(0.0), Value(1.5e308)
    (a * huge + b * huge).backward()
    assert (a.grad, b.grad) == (1.5e308, 1.5e308)


def test_a_gradient_of_a_shared_operand_adds_up_over_all_its_places() -> None:
    x, y = Value(2.0), Value(3.0)
    ops.dot([x, x, y], [x, y, x], bias=x).backward()  # x² + 2xy + x
    assert (x.grad, y.grad) == (11.0, 4.0)
