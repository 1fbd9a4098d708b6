"""Operations that learners write themselves run, step, explain and draw like the table's."""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction
from typing import Any

import pytest

import micrograd
from micrograd import Value, explain, formula, gradient, steps
from micrograd.draw import draw_dot
from micrograd.errors import GradientError, InputCountError, MicrogradError, NumberTypeError
from micrograd.graph import order


def swish(v: Value) -> Value:
    """An operation as the lecture writes it: a closure that adds to the operands' gradients."""
    s = 1 / (1 + math.exp(-v.data))
    out = Value(v.data * s, (v,), "swish")

    def back() -> None:
        v.grad += (s + v.data * s * (1 - s)) * out.grad

    out._backward = back
    return out


def product(a: Value, b: Value) -> Value:
    """The same with two operands, which may be one and the same."""
    out = Value(a.data * b.data, (a, b), "*")

    def back() -> None:
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = back
    return out


def given_product(a: Value, b: Value) -> Value:
    """The form of newer teaching code: the local derivatives are numbers."""
    return Value(a.data * b.data, (a, b), (b.data, a.data))


def wrapped_product(a: Value, b: Value) -> Value:
    """An operation of the table whose `_backward` a student has wrapped."""
    out = a * b
    inner = out._backward
    out._backward = lambda: inner()
    return out


@pytest.mark.parametrize("make", [product, given_product, wrapped_product])
@pytest.mark.parametrize("same", [True, False])
def test_every_reader_gives_the_numbers_of_the_table(make: Any, same: bool) -> None:
    def graph(multiply: Any) -> tuple[Value, list[Value]]:
        a = Value(3.0, label="a")
        b = a if same else Value(-2.0, label="b")
        root = multiply(a * 2, b).tanh() + multiply(b, b) * 0.5 + multiply(a, b)
        return root, [a, b]

    (ours, leaves), (theirs, others) = graph(make), graph(lambda a, b: a * b)
    theirs.backward()
    expected = [leaf.grad for leaf in others]
    ours.backward()
    assert [leaf.grad for leaf in leaves] == expected
    assert gradient(ours, leaves) == expected
    assert [leaf.grad for leaf in leaves] == expected
    assert steps(ours).gradients == steps(theirs).gradients
    assert [explain(ours, leaf).total for leaf in leaves] == expected
    for node, other in zip(order(ours), order(theirs), strict=True):
        assert node.local_derivatives() == other.local_derivatives()
    assert draw_dot(ours).source
    if make is not given_product:
        assert formula(ours) == formula(theirs)


def test_an_operation_with_a_token_of_its_own_is_written_as_a_call() -> None:
    x = Value(0.5, label="x")
    y = swish(x * 2) * 3
    assert formula(y) == "swish(x * 2) * 3"
    s = 1 / (1 + math.exp(-1.0))
    assert pytest.approx(s + s * (1 - s)) in [step.local for step in steps(y)]


def test_wrapping_a_backward_sees_each_pass_once_and_the_gradient() -> None:
    x = Value(3.0, label="x")
    y = x * x
    z, seen = y * 2, []
    inner = y._backward

    def traced() -> None:
        seen.append((y.grad, x.grad))
        inner()
        seen.append((y.grad, x.grad))

    y._backward = traced
    z.backward()
    assert seen == [(2, 0), (2, 12.0)]
    assert x.grad == 12.0
    assert gradient(gradient(z, x, create_graph=True), x) == 4
    x.data = 5.0
    assert z.forward().data == 50.0


def test_a_backward_that_does_otherwise_than_its_operation_has_no_second_derivative() -> None:
    x = Value(3.0, label="x")
    y = x * x
    y._backward = lambda: setattr(x, "grad", x.grad - 6 * y.grad)  # gradient reversal
    y.backward()
    assert (x.grad, gradient(y, x)) == (-6, -6)
    assert steps(y).gradients[0] == -6
    with pytest.raises(GradientError) as caught:
        gradient(y, x, create_graph=True)
    assert str(caught.value) == (
        "the _backward of x=3.0 * x=3.0 passes on the local derivatives (-3, -3), and the rule of "
        "mul gives (3.0, 3.0), so it cannot be differentiated again: add the operation with "
        "micrograd.define"
    )


@pytest.mark.parametrize(
    ("total", "part"),
    [(6, 3), (7, 3.5), (2 * 10**400, 10**400), (7.0, 3.5), (Fraction(6), Fraction(3))],
)
def test_what_a_closure_adds_to_an_operand_in_two_places_is_halved(total: Any, part: Any) -> None:
    x = Value(3)
    y = Value(9, (x, x), "square")
    y._backward = lambda: setattr(x, "grad", x.grad + total * y.grad)
    assert y.local_derivatives() == (part, part)
    assert {type(local) for local in y.local_derivatives()} == {type(part)}


def test_given_local_derivatives_are_checked_and_kept() -> None:
    p, q = Value(4.0, label="p"), Value(3.0, label="q")
    node = Value(2.0, (p, q), (0.25, -1.0))
    out = node * 3
    out.backward()
    assert (p.grad, q.grad) == (0.75, -3.0)
    assert node.local_derivatives() == (0.25, -1.0)
    for twin in (copy.deepcopy(out), pickle.loads(pickle.dumps(out))):
        assert [node.local_derivatives() for node in order(twin)][2] == (0.25, -1.0)
    with pytest.raises(InputCountError, match="got 1 for 2"):
        Value(2.0, (p, q), (0.25,))
    with pytest.raises(NumberTypeError):
        Value(2.0, (p,), ("0.25",))
    with pytest.raises(GradientError):
        gradient(out, p, create_graph=True)
    with pytest.raises(GradientError, match="forward"):
        out.forward()


@pytest.mark.parametrize("make", [product, given_product, wrapped_product])
def test_compile_refuses_it_and_says_what_to_do(make: Any) -> None:
    with pytest.raises(MicrogradError, match="define"):
        micrograd.compile(lambda x: make(x, x) + 1, "python")(2.0)


class Noisy(Value):
    """A subclass whose truth, length and comparisons are its own."""

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0


def test_the_truth_of_a_subclass_has_no_say() -> None:
    x, y = Noisy(0.0, label="x"), Noisy(2.0, label="y")
    root = x.tanh() + x * y + micrograd.dot([x, y], [y, y], x) + abs(y)
    root.backward()
    assert (x.grad, y.grad) == (1 + 2 + 2 + 1, 0 + 0 + 4 + 1)
    assert gradient(root, [x, y]) == [6, 5]
    assert steps(root).gradients[0] == 6


def test_a_node_made_by_hand_without_a_name_has_none_and_is_shown_with_a_question_mark() -> None:
    a, leaf = Value(2.0, label="a"), Value(1.0)
    out = Value(4.0, (a,))
    leaf._backward = out._backward = lambda: None
    assert (out._op, leaf._op) == ("", "")  # as in micrograd 0.1.0
    assert formula(out * 2) == "?(a) * 2"
    assert 'label="?"' in str(draw_dot(out))
