"""Values and plain numbers on either side of an operator, and the number types they take."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from tables import each

from micrograd import ops
from micrograd.engine import Value, gradient
from micrograd.errors import NumberTypeError

# ---- Values and plain numbers on either side ----

TWO_PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "hypot": ops.hypot,
    "arctan2": ops.arctan2,
}
NUMBERS: list[Any] = [3, 2.5, Fraction(3, 2), True]


def plain(x: Any) -> Any:
    """Return the number that a Value holds of `x`."""
    return int(x) if isinstance(x, bool) else x


@pytest.mark.parametrize("name", TWO_PLACES)
@each(("left", "right"), list(product(NUMBERS, NUMBERS)))
def test_values_and_plain_numbers_mix_on_either_side(name: str, left: Any, right: Any) -> None:
    function = TWO_PLACES[name]
    expected = function(plain(left), plain(right))
    both = Value(left), Value(right)
    wanted = gradient(function(*both), both)
    for operands in ((Value(left), Value(right)), (Value(left), right), (left, Value(right))):
        out = function(*operands)
        assert isinstance(out, Value)
        assert out.data == expected
        # Before Python 3.12, Fraction ** anything is a float before we are asked.
        if not (name == "**" and type(operands[0]) is Fraction):
            assert type(out.data) is type(expected)
        out.backward()
        for operand, slope in zip(operands, wanted, strict=True):
            if isinstance(operand, Value):
                assert operand.grad == pytest.approx(slope, rel=1e-15)


@each("name", TWO_PLACES)
@each("x", NUMBERS)
def test_the_same_node_on_both_sides_gets_both_contributions(name: str, x: Any) -> None:
    function = TWO_PLACES[name]
    same, left, right = Value(x), Value(x), Value(x)
    out = function(same, same)
    assert out.parents == (same, same)
    out.backward()
    function(left, right).backward()
    assert out.data == function(left, right).data
    assert same.grad == left.grad + right.grad


@pytest.mark.parametrize("name", TWO_PLACES)
def test_one_operator_is_one_node_and_a_plain_number_a_leaf(name: str) -> None:
    x = Value(3.0)
    for out in (TWO_PLACES[name](x, 2.0), TWO_PLACES[name](2.0, x)):
        assert all(not parent.parents for parent in out.parents)
        assert [p.op is ops.constant for p in out.parents if p is not x] in ([], [True])


@pytest.mark.parametrize(
    ("make", "token"),
    [
        (lambda a, b: a + b, "+"),
        (lambda a, b: a - b, "-"),
        (lambda a, b: a * b, "*"),
        (lambda a, b: a / b, "/"),
        (lambda a, b: a**2, "**2"),
        (lambda a, b: a**-1.5, "**-1.5"),
        (lambda a, b: a**b, "**"),
        (lambda a, b: 2**a, "**"),
        (lambda a, b: -a, "neg"),
        (lambda a, b: abs(a), "abs"),
        (lambda a, b: a.relu(), "ReLU"),
        (lambda a, b: a.tanh(), "tanh"),
        (lambda a, b: a.exp(), "exp"),
        (lambda a, b: ops.sum([a, b]), "sum"),
        (lambda a, b: ops.dot([a], [b]), "dot"),
    ],
)
def test_op_text_of_existing_drawing_code(make: Callable[..., Value], token: str) -> None:
    assert make(Value(2.0), Value(3.0))._op == token


# ---- number types ----

THIRD = Fraction(1, 3)
EXACT: list[tuple[str, Callable[..., Any], tuple[Any, ...], Any, tuple[Any, ...]]] = [
    ("a + b", operator.add, (THIRD, 2), Fraction(7, 3), (1, 1)),
    ("a - b", operator.sub, (2, THIRD), Fraction(5, 3), (1, -1)),
    ("a * b", operator.mul, (THIRD, 2), Fraction(2, 3), (2, THIRD)),
    ("a / b", operator.truediv, (THIRD, 2), Fraction(1, 6), (Fraction(1, 2), Fraction(-1, 12))),
    ("int / Fraction", operator.truediv, (2, THIRD), Fraction(6), (Fraction(3), Fraction(-18))),
    ("Fraction / int 3", operator.truediv, (THIRD, 3), Fraction(1, 9), (THIRD, Fraction(-1, 27))),
    ("1 / a", lambda a: 1 / a, (Fraction(3),), THIRD, (Fraction(-1, 9),)),
    ("a / 3", lambda a: a / 3, (Fraction(2),), Fraction(2, 3), (THIRD,)),
    ("a ** 3", lambda a: a**3, (THIRD,), Fraction(1, 27), (THIRD,)),
    ("a ** -2", lambda a: a**-2, (THIRD,), Fraction(9), (Fraction(-54),)),
    ("a ** 0", lambda a: a**0, (THIRD,), Fraction(1), (0,)),
    ("int a ** 3", lambda a: a**3, (-2,), -8, (12,)),
    ("relu", ops.relu, (THIRD,), THIRD, (1,)),
    ("relu below 0", ops.relu, (-THIRD,), Fraction(0), (0,)),
    ("relu of int", ops.relu, (-3,), 0, (0,)),
    ("abs", ops.abs, (-THIRD,), THIRD, (-1,)),
    ("neg", operator.neg, (THIRD,), -THIRD, (-1,)),
    ("maximum", ops.maximum, (THIRD, 0), THIRD, (1, 0)),
    ("minimum", ops.minimum, (THIRD, 0), 0, (0, 1)),
    ("tie", ops.maximum, (THIRD, THIRD), THIRD, (Fraction(1, 2), Fraction(1, 2))),
    ("tie with an int", ops.minimum, (Fraction(2), 2), 2, (Fraction(1, 2), Fraction(1, 2))),
    ("leaky", lambda a: ops.leaky_relu(a, THIRD), (-THIRD,), Fraction(-1, 9), (THIRD,)),
    ("sum", lambda a, b: ops.sum([a, b, 1]), (THIRD, 2), Fraction(10, 3), (1, 1)),
    ("dot", lambda a, b: ops.dot([a], [b], 1), (THIRD, 2), Fraction(5, 3), (2, THIRD)),
]


@pytest.mark.parametrize(
    ("function", "inputs", "value", "slopes"),
    [case[1:] for case in EXACT],
    ids=[c[0] for c in EXACT],
)
def test_fractions_and_ints_stay_exact(
    function: Callable[..., Any], inputs: tuple[Any, ...], value: Any, slopes: tuple[Any, ...]
) -> None:
    operands = [Value(x) for x in inputs]
    out = function(*operands)
    out.backward()
    assert (out.data, type(out.data)) == (value, type(value))
    for operand, slope in zip(operands, slopes, strict=True):
        assert operand.grad == slope
        assert not isinstance(operand.grad, float)


def test_a_polynomial_of_fractions_has_an_exact_gradient() -> None:
    a, b = Value(Fraction(1, 3)), Value(Fraction(2, 7))
    out = (a * b + 3) ** 2 / (b - 1) - abs(-a) + 2 * ops.maximum(a, b)
    out.backward()
    p, q = Fraction(1, 3), Fraction(2, 7)
    assert out.data == (p * q + 3) ** 2 / (q - 1) - p + 2 * p
    assert a.grad == 2 * (p * q + 3) * q / (q - 1) - 1 + 2
    assert b.grad == 2 * (p * q + 3) * p / (q - 1) - (p * q + 3) ** 2 / (q - 1) ** 2


@pytest.mark.parametrize("flag", [True, False])
def test_a_bool_is_an_int(flag: bool) -> None:
    assert type(Value(flag).data) is int
    assert type((Value(1) + flag).data) is int
    assert (Value(3) * flag).data == (3 if flag else 0)


REFUSED = ["3", [3], (3,), {3}, None, 1j, Decimal(3), b"3", object]


@pytest.mark.parametrize("wrong", REFUSED, ids=lambda wrong: type(wrong).__name__)
def test_what_is_no_number_is_a_type_error_that_names_it(wrong: Any) -> None:
    for call in (Value, lambda x: ops.exp(x), lambda x: ops.add(Value(1.0), x), ops.number):
        with pytest.raises(NumberTypeError) as caught:
            call(wrong)
        assert isinstance(caught.value, TypeError)
        assert repr(wrong) in str(caught.value)
        assert type(wrong).__name__ in str(caught.value)
    leaf = Value(1.0)
    with pytest.raises(NumberTypeError):
        leaf.data = wrong
    assert leaf.data == 1.0
    for apply in (operator.add, operator.mul, operator.pow, operator.truediv, operator.lt):
        with pytest.raises(TypeError, match=type(wrong).__name__):
            apply(leaf, wrong)


def test_a_value_of_a_value_is_a_type_error() -> None:
    with pytest.raises(NumberTypeError, match="Value"):
        Value(Value(3.0))


def test_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(NumberTypeError) as caught:
        Value(list(range(10000)))
    assert len(str(caught.value)) < 150


def test_a_complex_result_is_never_given() -> None:
    for make in (
        lambda: Value(-2.0) ** 0.5,
        lambda: (-2.0) ** Value(0.5),
        lambda: Value(-8) ** THIRD,
    ):
        with pytest.raises(ValueError, match=r"\(-[28](\.0)?\) \*\*"):
            make()


def test_huge_ints_stay_ints_and_overflow_as_python_does() -> None:
    huge = Value(10**400)
    assert (huge * huge).data == 10**800
    with pytest.raises(OverflowError):
        huge + 1.0
    with pytest.raises(OverflowError):
        huge.exp()


# ---- NumPy ----


class TestNumPy:
    """Values inside and beside NumPy's arrays and scalars."""

    np = pytest.importorskip("numpy")

    def array(self, *data: float) -> Any:
        return self.np.array([Value(x) for x in data], dtype=object)

    UFUNCS = (
        "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan",
        "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arctanh", "absolute",
        "negative",
    )  # fmt: skip

    @pytest.mark.parametrize("name", UFUNCS)
    def test_a_ufunc_works_on_an_object_array(self, name: str) -> None:
        values = self.array(0.25, 0.5)
        out = getattr(self.np, name)(values)
        assert out.dtype == object
        for value, result in zip(values, out, strict=True):
            assert isinstance(result, Value)
            assert result.parents == (value,)
            assert result.data == pytest.approx(getattr(self.np, name)(value.data), rel=1e-15)

    @pytest.mark.parametrize("name", ["hypot", "arctan2", "add", "multiply", "power", "divide"])
    def test_a_two_place_ufunc_works_on_object_arrays(self, name: str) -> None:
        left, right = self.array(0.25, 0.5), self.array(3.0, 2.0)
        for a, b, result in zip(left, right, getattr(self.np, name)(left, right), strict=True):
            assert result.parents == (a, b)
            # NumPy 1.24 has an arctan2 of its own, the last bit of which may differ from math's.
            assert result.data == pytest.approx(getattr(self.np, name)(a.data, b.data), rel=4e-16)

    def test_a_matrix_product_of_object_arrays_differentiates(self) -> None:
        w = self.np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]], dtype=object)
        x = self.array(5.0, 6.0)
        out = (w @ x).sum()
        out.backward()
        assert out.data == 17 + 39
        assert [value.grad for value in x] == [4.0, 6.0]
        assert [value.grad for value in w[0]] == [5.0, 6.0]

    def test_a_numpy_scalar_stands_on_either_side(self) -> None:
        v = Value(3.0)
        for scalar in (self.np.float64(2), self.np.float32(2), self.np.int64(2), self.np.uint8(2)):
            for apply in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
                for out, expected in (
                    (apply(scalar, v), apply(2, 3.0)),
                    (apply(v, scalar), apply(3.0, 2)),
                ):
                    assert isinstance(out, Value)
                    assert out.data == expected
                    assert type(out.data) is float

    def test_a_numpy_scalar_compares_on_either_side(self) -> None:
        v, two = Value(3.0), self.np.float64(2)
        assert (two < v, two > v, v < two, v > two) == (True, False, False, True)
        assert (two <= v, two >= v, v <= two, v >= two) == (True, False, False, True)

    @pytest.mark.parametrize(
        ("make", "kind"),
        [("int64", int), ("uint8", int), ("float64", float), ("float16", float), ("bool_", int)],
    )
    def test_numpy_scalars_become_python_numbers(self, make: str, kind: type) -> None:
        assert type(Value(getattr(self.np, make)(1)).data) is kind

    def test_an_array_meets_a_value_element_by_element(self) -> None:
        v = Value(3.0)
        for out in (self.np.array([1.0, 2.0]) * v, v * self.np.array([1.0, 2.0])):
            assert out.dtype == object
            assert [value.data for value in out] == [3.0, 6.0]
            assert all(v in value.parents for value in out)

    def test_an_array_or_complex_scalar_is_no_number(self) -> None:
        for wrong in (self.np.array([1.0]), self.np.array(1.0), self.np.complex128(1)):
            with pytest.raises(NumberTypeError, match=type(wrong).__name__):
                Value(wrong)
