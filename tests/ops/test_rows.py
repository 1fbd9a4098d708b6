"""The op table, row by row: values, derivatives, conventions and the numbers it works on."""

from __future__ import annotations

import dataclasses
import math
import operator
import pickle
from collections.abc import Callable
from copy import copy, deepcopy
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import oracles
import pytest
from strategies import FAMILIES, ROWS, points, row_id

from micrograd import formula, ops
from micrograd.engine import Value, gradient
from micrograd.errors import InputCountError, MicrogradError, NumberTypeError

INF, NAN = math.inf, math.nan

every_row = pytest.mark.parametrize("op", ROWS, ids=row_id)
every_row_but_constants = pytest.mark.parametrize(
    "op", [op for op in ROWS if op.name not in oracles.CONSTANT], ids=row_id
)

ULPS = 4
"""What a result may be off: math's functions are right to 1, and a rule combines a few of them."""

SECOND_RELATIVE = 1e-11
"""A second derivative is a sum of products of first ones: some tens of roundings of 1e-16, times
the conditioning of the terms, which is below 1e3 in the rows' domains."""

SECOND_ABSOLUTE = 1e-13
"""Where the terms cancel (an inflection point) digits count from the terms, which are about 1."""


# ---- where fewer digits are right, and why: each of these rows says so in its note ----


def _terms(op: ops.Op, inputs: list[float]) -> float:
    """Return the sum of the sizes of the terms of a sum or of a dot product."""
    if op.name == "sum":
        return math.fsum(map(abs, inputs))
    pairs = op.arity // 2
    return math.fsum(map(abs, map(operator.mul, inputs[:pairs], inputs[pairs:]))) + abs(
        inputs[-1] if op.arity % 2 else 0.0
    )


def value_bound(op: ops.Op, inputs: list[float]) -> tuple[float, float]:
    """Return how many ulp the value may be off, and the least scale that they are counted in."""
    x = inputs[0]
    if op.name in {"sum", "dot"} and op.arity > 2:  # each addition rounds a partial sum
        return op.arity, _terms(op, inputs)
    if op.name == "logsumexp":  # a sum of the largest and a logarithm, which may cancel
        return ULPS, max(map(abs, inputs))
    if op.name == "gelu":  # the rounding of x / sqrt(2) in erfc, magnified by x * x in its tail
        return ULPS + x * x, 0.0
    return ULPS, 0.0


def derivative_bound(op: ops.Op, out: float, inputs: list[float]) -> tuple[float, float]:
    """Return the same for the first derivatives."""
    x = inputs[0]
    if op.name == "tanh":  # 1 - out * out, the difference of terms of size 1
        return ULPS, 1.0
    if op.name == "sigmoid":  # out * (1 - out): the second factor has an error of an ulp of 1
        return ULPS, out
    if op.name in {"erf", "erfc"}:  # exp magnifies the rounding of x * x
        return ULPS + x * x, 0.0
    if op.name == "gelu":  # as erf, and a sum of two terms that cancel near x = -0.75
        return ULPS + x * x, abs(x) * math.exp(-x * x / 2) / 2
    if op.name == "silu":  # sigmoid(x) * (1 + x * sigmoid(-x)), cancels near x = -1.278
        return ULPS, max(1.0, abs(x)) / (1 + math.exp(-x))
    if op.name == "pow":  # exp magnifies the rounding of b * log(a)
        return ULPS + abs(inputs[1] * math.log(x)), 0.0
    if op.name == "logsumexp":  # exp magnifies the rounding of value - largest
        return ULPS + max(inputs) - min(inputs), 0.0
    return ULPS, 0.0


STANDARD: tuple[float, float] = (ULPS, 0.0)


def differentiable(op: ops.Op) -> range:
    """Return the operands that have derivatives: the plain base of a power has none."""
    return range(1 if op.name == "base_power" else 0, op.arity)


def reference(op: ops.Op) -> Callable[..., Any]:
    """Return the row's mpmath function; a row without one is held to differences only."""
    function = oracles.function_of(op)
    if function is None:
        pytest.skip(f"{op.name} has no mpmath function here: it is held to differences")
    return function


def check_first_derivatives(op: ops.Op, count: int = 40) -> None:
    """Assert that the row's partials agree with mpmath at so many points."""
    function = oracles.function_of(op)
    assert function is not None
    for inputs in points(op, count):
        out = op.compute(*inputs)
        partials = op.partials(out, *inputs)  # type: ignore[misc]
        assert len(partials) == op.arity
        limit, scale = derivative_bound(op, out, inputs)
        for i in differentiable(op):
            expected = (
                mpmath.mpf(0)
                if op.name in oracles.CONSTANT
                else oracles.derivative_of(function, inputs, i)
            )
            if abs(expected) < 1e-32:  # differences at 50 digits leave 0 as a little less
                expected = mpmath.mpf(0)
            error = oracles.ulps(partials[i], expected, scale)
            assert error <= limit, f"{row_id(op)}{inputs}, operand {i}: {error} ulp"


@every_row
def test_value_agrees_with_mpmath(op: ops.Op) -> None:
    function = reference(op)
    for inputs in points(op, 60):
        limit, scale = value_bound(op, inputs)
        error = oracles.ulps(op.compute(*inputs), oracles.value_of(function, inputs), scale)
        assert error <= limit, f"{row_id(op)}{inputs}: {error} ulp"


@every_row
def test_first_derivative_agrees_with_mpmath(op: ops.Op) -> None:
    reference(op)
    check_first_derivatives(op)


@every_row_but_constants
def test_first_derivative_agrees_with_central_differences(op: ops.Op) -> None:
    for inputs in points(op, 15, seed=1):
        partials = op.partials(op.compute(*inputs), *inputs)  # type: ignore[misc]
        for i in differentiable(op):
            low, high = op.domain[i]
            step = 1e-3 * max(abs(inputs[i]), 0.1)
            near = any(abs(inputs[i] - at) <= step for at in (low, high, *op.kinks))
            ties = any(abs(inputs[i] - x) <= step for j, x in enumerate(inputs) if j != i)
            if near or ties:
                continue
            expected = oracles.differences(op.compute, inputs, i)
            size = max(1.0, abs(op.compute(*inputs)))
            assert partials[i] == pytest.approx(expected, rel=1e-6, abs=1e-8 * size)


@every_row
def test_second_derivative_agrees_with_mpmath(op: ops.Op) -> None:
    function = reference(op)
    for inputs in points(op, 8, seed=2):
        first = differentiable(op)
        operands: list[Any] = [Value(x) if i in first else x for i, x in enumerate(inputs)]
        out = op(*operands)
        for i in first:
            slope = gradient(out, operands[i], create_graph=True)
            for j in first:
                got = gradient(slope, operands[j])
                expected = 0.0
                if op.name not in oracles.CONSTANT:
                    expected = float(oracles.derivative_of(function, inputs, i, j))
                assert got == pytest.approx(expected, rel=SECOND_RELATIVE, abs=SECOND_ABSOLUTE), (
                    f"{row_id(op)}{inputs}, operands {i} and {j}"
                )


@every_row
def test_recording_gives_the_bits_of_computing(op: ops.Op) -> None:
    for inputs in points(op, 5, seed=3):
        node = op(*map(Value, inputs))
        plain = op(*inputs)
        assert type(plain) in {int, float, Fraction}
        assert (node.data, type(node.data)) == (plain, type(plain))
        assert node.op is op
        assert node.local_derivatives() == op.partials(plain, *inputs)  # type: ignore[misc]


@every_row
def test_a_row_with_a_wider_bound_says_why_in_its_note(op: ops.Op) -> None:
    for inputs in points(op, 5):
        bounds = value_bound(op, inputs), derivative_bound(op, op.compute(*inputs), inputs)
        if bounds != (STANDARD, STANDARD):
            assert op.note


@pytest.mark.parametrize("change", ["off by 1e-3", "sign", "zero", "swap"])
@every_row
def test_a_wrong_partial_planted_in_any_row_is_caught(op: ops.Op, change: str) -> None:
    reference(op)

    def planted(partials: tuple[Any, ...], place: int) -> tuple[Any, ...]:
        wrong = list(partials)
        if change == "off by 1e-3":
            wrong[place] = wrong[place] + 1e-3
        elif change == "sign":
            wrong[place] = -wrong[place]
        elif change == "zero":
            wrong[place] = 0
        else:
            wrong[place], wrong[place - 1] = wrong[place - 1], wrong[place]
        return tuple(wrong)

    samples = [
        op.partials(op.compute(*inputs), *inputs)  # type: ignore[misc]
        for inputs in points(op, 3)
    ]
    for place in differentiable(op):
        if all(planted(sample, place) == sample for sample in samples):
            continue  # the derivative is 0, or the same in both operands: no fault was planted
        wrong = dataclasses.replace(
            op,
            partials=lambda *args, place=place: planted(op.partials(*args), place),  # type: ignore[misc]
        )
        with pytest.raises(AssertionError):
            check_first_derivatives(wrong, 3)


@pytest.mark.parametrize(
    "name",
    [
        "exp",
        "expm1",
        "log",
        "log1p",
        "log2",
        "log10",
        "sqrt",
        "cbrt",
        "sin",
        "cos",
        "tan",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "arcsinh",
        "arccosh",
        "arctanh",
        "erf",
        "sigmoid",
        "softplus",
        "relu",
        "leaky_relu",
        "elu",
        "gelu",
        "silu",
        "abs",
        "sign",
        "maximum",
        "minimum",
        "hypot",
        "arctan2",
        "where",
    ],
)
def test_each_promised_function_is_a_method_too(name: str) -> None:
    function = getattr(ops, name)
    inputs = {"arccosh": [1.5], "where": [1, 0.25, 0.5]}.get(name, [0.25])
    if name in {"maximum", "minimum", "hypot", "arctan2"}:
        inputs = [0.25, 0.5]
    first, *others = map(Value, inputs)
    by_method = getattr(first, name)(*others)
    assert isinstance(by_method, Value)
    assert by_method.data == function(first, *others).data == function(*inputs)


# ---- conventions ----

HALF = 0.5
KINKS: list[tuple[str, Callable[..., Any], tuple[Any, ...], Any, tuple[Any, ...]]] = [
    ("relu at 0", ops.relu, (0.0,), 0.0, (0,)),
    ("relu at -0", ops.relu, (-0.0,), 0.0, (0,)),
    ("leaky_relu at 0", ops.leaky_relu, (0.0,), 0.0, (0.01,)),
    ("elu at 0", ops.elu, (0.0,), 0.0, (1.0,)),
    ("elu with alpha 2 at 0", lambda x: ops.elu(x, 2.0), (0.0,), 0.0, (2.0,)),
    ("abs at 0", abs, (0.0,), 0.0, (0,)),
    ("abs at int 0", ops.abs, (0,), 0, (0,)),
    ("sign at 0", ops.sign, (0.0,), 0.0, (0,)),
    ("maximum at a tie", ops.maximum, (2.0, 2.0), 2.0, (HALF, HALF)),
    ("maximum at an int tie", ops.maximum, (2, 2), 2, (HALF, HALF)),
    ("minimum at a tie", ops.minimum, (2.0, 2.0), 2.0, (HALF, HALF)),
    ("maximum at an exact tie", ops.maximum, (Fraction(1, 3),) * 2, Fraction(1, 3), (HALF, HALF)),
    ("hypot at the origin", ops.hypot, (0.0, 0.0), 0.0, (0, 0)),
    ("x ** 0", lambda x: x**0, (3.0,), 1.0, (0,)),
    ("x ** 0 at 0", lambda x: x**0, (0.0,), 1.0, (0,)),
    ("x ** 0.0 at 0", lambda x: x**0.0, (0.0,), 1.0, (0,)),
    ("0 ** 0 of Values", operator.pow, (0.0, 0.0), 1.0, (0, 0)),
    ("0 ** 2 of Values", operator.pow, (0.0, 2.0), 0.0, (0, 0)),
    ("0 ** 1 of Values", operator.pow, (0.0, 1.0), 0.0, (1, 0)),
    ("0 to a Value's power", lambda x: 0**x, (2.0,), 0.0, (0,)),
    ("x ** 1 at 0", lambda x: x**1, (0.0,), 0.0, (1,)),
    ("x ** 2 at 0", lambda x: x**2, (0.0,), 0.0, (0,)),
    ("where the condition holds", ops.where, (1.0, 5.0, 7.0), 5.0, (0, 1, 0)),
    ("where it does not", ops.where, (0.0, 5.0, 7.0), 7.0, (0, 0, 1)),
    ("greater", ops.greater, (3.0, 2.0), 1, (0, 0)),
    ("greater at a tie", ops.greater, (2.0, 2.0), 0, (0, 0)),
    ("greater_equal at a tie", ops.greater_equal, (2.0, 2.0), 1, (0, 0)),
    ("equal", ops.equal, (2.0, 2.0), 1, (0, 0)),
]


@pytest.mark.parametrize(
    ("function", "inputs", "value", "slopes"),
    [case[1:] for case in KINKS],
    ids=[c[0] for c in KINKS],
)
def test_the_convention_at_a_kink(
    function: Callable[..., Any], inputs: tuple[Any, ...], value: Any, slopes: tuple[Any, ...]
) -> None:
    operands = [Value(x) for x in inputs]
    out = function(*operands)
    out.backward()
    assert out.data == value
    assert tuple(operand.grad for operand in operands) == slopes
    graphs = gradient(function(*operands), operands, create_graph=True)
    assert tuple(graph.data for graph in graphs) == slopes


def test_where_takes_a_comparison_that_stays_in_the_graph() -> None:
    x = Value(-2.0)
    y = ops.where(ops.greater(x, 0), x, 3 * x)
    y.backward()
    assert (y.data, x.grad) == (-6.0, 3)


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
@pytest.mark.parametrize(("left", "right"), list(product(NUMBERS, NUMBERS)))
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


@pytest.mark.parametrize("name", TWO_PLACES)
@pytest.mark.parametrize("x", NUMBERS)
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


# ---- Stan's arguments: the results and exceptions of math ----

STAN = (-1.3, 0.49, 0.99, 1.01, INF, -INF, NAN, 0, -0.0)

MATH: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "abs": abs,
    "pow": operator.pow,
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "log2": math.log2,
    "log10": math.log10,
    "sqrt": math.sqrt,
    "hypot": math.hypot,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "arctan2": math.atan2,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "arcsinh": math.asinh,
    "arccosh": math.acosh,
    "arctanh": math.atanh,
    "erf": math.erf,
    "erfc": math.erfc,
}

# Functions that math has not, at Stan's arguments of no size: (inf, -inf, nan, 0, -0.0).
LIMITS: dict[str, tuple[float, ...]] = {
    "relu": (INF, 0.0, NAN, 0, -0.0),
    "leaky_relu": (INF, -INF, NAN, 0.0, -0.0),
    "elu": (INF, -1.0, NAN, 0.0, -0.0),
    "sigmoid": (1.0, 0.0, NAN, 0.5, 0.5),
    "softplus": (INF, 0.0, NAN, math.log(2), math.log(2)),
    "gelu": (INF, -0.0, NAN, 0.0, -0.0),
    "silu": (INF, -0.0, NAN, 0.0, -0.0),
    "sign": (1.0, -1.0, NAN, 0, 0.0),
    "cbrt": (INF, -INF, NAN, 0.0, -0.0),
    "identity": (INF, -INF, NAN, 0, -0.0),
}


def outcome(function: Callable[..., Any], *inputs: Any) -> str:
    """Return the result as text, signs of zero and all, or the name of the built-in error."""
    try:
        result = function(*inputs)
    except (ZeroDivisionError, OverflowError, ValueError) as error:
        kinds = (ZeroDivisionError, OverflowError, ValueError)
        return next(kind.__name__ for kind in kinds if isinstance(error, kind))
    if isinstance(result, complex):  # ours is real: never a complex number
        return "ValueError"
    return repr(result.data if isinstance(result, Value) else result)


@pytest.mark.parametrize("name", MATH)
def test_stans_arguments_give_what_math_gives(name: str) -> None:
    op = ops.TABLE[name]
    for inputs in product(STAN, repeat=op.arity):
        expected = outcome(MATH[name], *inputs)
        assert outcome(op, *inputs) == expected, f"{name}{inputs}"
        for traced in product((False, True), repeat=op.arity):
            mixed = [Value(x) if t else x for x, t in zip(inputs, traced, strict=True)]
            assert outcome(op, *mixed) == expected, f"{name}{mixed}"


@pytest.mark.parametrize("exponent", [*STAN, 2, 3, -1, 0.5, -2.0])
def test_powers_of_stans_arguments_are_those_of_python(exponent: Any) -> None:
    for base in (*STAN, 2, -2):
        expected = outcome(operator.pow, base, exponent)
        assert outcome(operator.pow, Value(base), exponent) == expected, f"{base} ** {exponent}"
        assert outcome(operator.pow, base, Value(exponent)) == expected, f"{base} ** {exponent}"


@pytest.mark.parametrize("name", LIMITS)
def test_stans_arguments_of_no_size_give_the_limits(name: str) -> None:
    function = getattr(ops, name)
    for x, expected in zip((INF, -INF, NAN, 0, -0.0), LIMITS[name], strict=True):
        assert outcome(function, x) == outcome(function, Value(x)), f"{name}({x})"
        got = function(x)
        assert repr(float(got)) == repr(float(expected)), f"{name}({x})"


@pytest.mark.parametrize("op", [op for op in ROWS if op.arity == 1], ids=row_id)
def test_derivatives_at_stans_arguments_are_right_or_an_error(op: ops.Op) -> None:
    function = reference(op)
    for data in STAN:
        x = Value(data, label="x")
        x.grad = 7
        try:
            op(x).backward()
        except MicrogradError as error:
            assert isinstance(error, (ValueError, ArithmeticError))  # noqa: PT017
            assert x.grad == 7
            continue
        slope = x.grad - 7
        if math.isfinite(data) and data not in op.kinks and op.name not in oracles.CONSTANT:
            expected = float(oracles.derivative_of(function, [data], 0))
            assert slope == pytest.approx(expected, rel=1e-14, abs=1e-14), f"{op.name}({data})"


def test_maximum_and_minimum_pass_nan_on() -> None:
    for function, other in product((ops.maximum, ops.minimum), (1.0, INF, -INF)):
        assert math.isnan(function(NAN, other))
        assert math.isnan(function(other, NAN))


# ---- where the naive formula overflows ----

LN2 = math.log(2)
STABLE: list[tuple[str, Callable[..., Any], list[float], float, list[float]]] = [
    ("tanh(1000)", ops.tanh, [1000.0], 1.0, [0.0]),
    ("tanh(-1000)", ops.tanh, [-1000.0], -1.0, [0.0]),
    ("sigmoid(-1000)", ops.sigmoid, [-1000.0], 0.0, [0.0]),
    ("sigmoid(1000)", ops.sigmoid, [1000.0], 1.0, [0.0]),
    ("sigmoid(-40)", ops.sigmoid, [-40.0], math.exp(-40), [math.exp(-40)]),
    ("softplus(1000)", ops.softplus, [1000.0], 1000.0, [1.0]),
    ("softplus(-1000)", ops.softplus, [-1000.0], 0.0, [0.0]),
    ("softplus(-40)", ops.softplus, [-40.0], math.exp(-40), [math.exp(-40)]),
    ("silu(-1000)", ops.silu, [-1000.0], 0.0, [0.0]),
    ("silu(1000)", ops.silu, [1000.0], 1000.0, [1.0]),
    ("gelu(-1000)", ops.gelu, [-1000.0], 0.0, [0.0]),
    ("gelu(1000)", ops.gelu, [1000.0], 1000.0, [1.0]),
    ("elu(-1000)", ops.elu, [-1000.0], -1.0, [0.0]),
    ("elu(1000)", ops.elu, [1000.0], 1000.0, [1.0]),
    ("expm1(1e-20)", ops.expm1, [1e-20], 1e-20, [1.0]),
    ("log1p(1e-20)", ops.log1p, [1e-20], 1e-20, [1.0]),
    ("arctan(1e200)", ops.arctan, [1e200], math.pi / 2, [0.0]),
    ("arcsinh(1e200)", ops.arcsinh, [1e200], math.asinh(1e200), [1e-200]),
    ("arccosh(1e200)", ops.arccosh, [1e200], math.acosh(1e200), [1e-200]),
    ("hypot(3e200, 4e200)", ops.hypot, [3e200, 4e200], 5e200, [0.6, 0.8]),
    ("hypot(3e-200, 4e-200)", ops.hypot, [3e-200, 4e-200], 5e-200, [0.6, 0.8]),
    ("arctan2(1e200, 1e200)", ops.arctan2, [1e200, 1e200], math.pi / 4, [5e-201, -5e-201]),
    ("logsumexp([1000, 1000])", lambda *v: ops.logsumexp(v), [1e3, 1e3], 1000 + LN2, [0.5, 0.5]),
    ("logsumexp([-1000, -1000])", lambda *v: ops.logsumexp(v), [-1e3] * 2, LN2 - 1000, [0.5, 0.5]),
    ("logsumexp([1000, -1000])", lambda *v: ops.logsumexp(v), [1e3, -1e3], 1e3, [1.0, 0.0]),
    ("softmax([1000, 1000])", lambda *v: ops.softmax(v)[0], [1e3, 1e3], 0.5, [0.25, -0.25]),
    ("softmax([1000, -1000])", lambda *v: ops.softmax(v)[1], [1e3, -1e3], 0.0, [0.0, 0.0]),
]


@pytest.mark.parametrize(
    ("function", "inputs", "value", "slopes"),
    [case[1:] for case in STABLE],
    ids=[case[0] for case in STABLE],
)
def test_is_stable_where_the_naive_formula_is_not(
    function: Callable[..., Any], inputs: list[float], value: float, slopes: list[float]
) -> None:
    operands = [Value(x) for x in inputs]
    out = function(*operands)
    assert out.data == pytest.approx(value, rel=4e-16, abs=0)
    assert gradient(out, operands) == pytest.approx(slopes, rel=4e-16, abs=0)
    graphs = gradient(out, operands, create_graph=True)
    assert [graph.data for graph in graphs] == pytest.approx(slopes, rel=4e-16, abs=0)
    for graph in graphs:  # and so are the second derivatives
        assert all(map(math.isfinite, gradient(graph, operands)))


def test_softmax_has_the_jacobian_of_the_textbook(rng: Any) -> None:
    logits = [Value(rng.uniform(-3, 3)) for _ in range(4)]
    outputs = ops.softmax(logits)
    assert math.fsum(p.data for p in outputs) == pytest.approx(1, rel=1e-15)
    for i, p in enumerate(outputs):
        wanted = [p.data * ((i == j) - q.data) for j, q in enumerate(outputs)]
        assert gradient(p, logits) == pytest.approx(wanted, rel=1e-13)


def test_dot_gives_the_bits_of_single_steps(rng: Any) -> None:
    w, x = ([Value(rng.gauss(0, 1)) for _ in range(30)] for _ in range(2))
    total = bias = Value(rng.gauss(0, 1))
    for a, b in zip(w, x, strict=True):
        total = total + a * b
    one = ops.dot(w, x, bias)
    assert one.data == total.data
    assert gradient(one, [*w, *x, bias]) == gradient(total, [*w, *x, bias])


def test_sum_adds_from_left_to_right_on_every_python() -> None:
    data = [0.1] * 10  # the built-in sum of Python 3.12 gives 1.0
    assert ops.sum([Value(x) for x in data]).data == ops.sum(data) == 0.9999999999999999


def test_sum_starts_with_a_start_that_is_not_zero() -> None:
    x, start = Value(2.0), Value(3.0)
    assert ops.sum([x], start).parents == (start, x)
    assert ops.sum([x]).parents == (x,)
    assert ops.sum([]) == 0
    assert ops.sum([], 5) == 5


def test_empty_and_uneven_sequences_are_errors_that_say_the_lengths() -> None:
    with pytest.raises(InputCountError, match="3 and 2"):
        ops.dot([1, 2, 3], [Value(1), 2])
    with pytest.raises(InputCountError, match="at least one"):
        ops.logsumexp([])
    assert ops.softmax([]) == []
    assert ops.dot([], []) == 0
    assert ops.dot([], [], 4) == 4


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

    @pytest.mark.parametrize(
        "name",
        [
            "exp",
            "expm1",
            "log",
            "log1p",
            "log2",
            "log10",
            "sqrt",
            "cbrt",
            "sin",
            "cos",
            "tan",
            "arcsin",
            "arccos",
            "arctan",
            "sinh",
            "cosh",
            "tanh",
            "arcsinh",
            "arctanh",
            "absolute",
            "negative",
        ],
    )
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


# ---- rows as objects ----


@every_row
def test_a_row_is_the_same_after_a_copy_and_pickles_by_name(op: ops.Op) -> None:
    assert copy(op) is op
    assert deepcopy(op) is op
    again = pickle.loads(pickle.dumps(op))
    assert again is op


@every_row
def test_a_row_says_how_it_is_drawn_and_written(op: ops.Op) -> None:
    assert op.symbol
    assert op.token
    assert op.noun
    text = op.written(*[f"x{i}" for i in range(op.arity)])
    names = [f"x{i}" for i in differentiable(op)]
    assert all(name in text for name in names)
    assert len(op.domain) == op.arity


@pytest.mark.parametrize(
    "op", [op for op in ROWS if op.arity <= 3 and "[" not in op.code], ids=row_id
)
def test_the_text_of_a_row_is_python_that_computes_it(op: ops.Op) -> None:
    names: dict[str, Any] = {**vars(ops), "Fraction": Fraction}
    for inputs in points(op, 3):
        if op.name == "peak":
            continue
        assert eval(op.written(*inputs), names) == op.compute(*inputs)


def test_a_wrong_number_of_operands_is_an_error_with_both_numbers() -> None:
    with pytest.raises(InputCountError, match=r"hypot takes 2 operand\(s\), got 1"):
        ops.hypot(Value(1.0))
    with pytest.raises(InputCountError, match=r"exp takes 1 operand\(s\), got 2"):
        Value(1.0).exp(2)


def test_a_new_row_is_a_function_and_a_method_and_differentiates_twice(table: Any) -> None:
    softsign = ops.define(
        name="softsign",
        forward=lambda x: x / (1 + abs(x)),
        partials=lambda out, x: (1 / (1 + abs(x)) ** 2,),
    )
    assert table["softsign"] is softsign
    x = Value(3.0)
    assert x.softsign().data == softsign(3.0) == 0.75
    slope = gradient(softsign(x), x, create_graph=True)
    assert (slope.data, gradient(slope, x)) == (0.0625, -0.03125)


@pytest.mark.parametrize("name", ["tanh", "exp", "not a name", ""])
def test_a_name_that_is_taken_or_no_name_is_refused(name: str) -> None:
    before = dict(ops.TABLE)
    with pytest.raises(ValueError, match=r"exists already|Python name"):
        ops.define(name=name, forward=lambda x: x, partials=lambda out, x: (1,))
    assert before == ops.TABLE


def test_every_family_is_tested_here() -> None:
    assert {op.family for op in FAMILIES} == set(oracles.FAMILIES)


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said", "instead"),
    [
        (lambda kind: ops.exp(kind(1000)), "exp(1000) is too large for a float", "logsumexp"),
        (lambda kind: ops.cosh(kind(1000)), "cosh(1000) is too large for a float", "clip"),
        (lambda kind: ops.log(kind(0)), "log(0) is undefined: log is not defined at 0", "entropy"),
        (lambda kind: ops.log2(kind(-2)), "log2(-2) is undefined: log2 is not", "maximum(x"),
        (lambda kind: ops.sqrt(kind(-2)), "sqrt(-2) is undefined: sqrt is not", "maximum(x, 0)"),
        (lambda kind: ops.arctanh(kind(2)), "arctanh is not defined at 2", ""),
        (lambda kind: ops.div(1, kind(0)), "1 / 0 is undefined: it divides by 0", "maximum(y"),
        (lambda kind: ops.power(-1)(kind(0)), "0 ** -1 is undefined: it divides by 0", ""),
        (lambda kind: ops.mul(kind(10**400), 1.5), "<int 1.000e+400> * 1.5 is too large", ""),
    ],
)
def test_what_has_no_value_is_said_in_words_with_what_to_do(
    call: Any, said: str, instead: str
) -> None:
    messages = set()
    for kind in (int, Value):
        with pytest.raises(MicrogradError) as caught:
            call(kind)
        messages.add(str(caught.value))
    (message,) = messages
    assert said in message
    assert instead in message
    assert not any(word in message for word in ("math domain", "math range", "(34,"))


HUGE = 9**9999


@pytest.mark.parametrize("sign", [1, -1])
def test_an_integer_too_long_to_be_written_is_shortened_in_every_text(sign: int) -> None:
    huge = sign * HUGE
    text = f"<int {'-' * (sign < 0)}2.957e+9541>"
    x = Value(huge, label="x")
    assert repr(x) == f"Value(data={text}, grad=0, label='x')"
    assert repr(Value(Fraction(1, huge))).count("2.957e+9541") == 1
    assert repr(Value(1) ** HUGE) == "Value(data=1, grad=0)"
    assert formula(x * 3 + huge) == f"x * 3 + {text}"
    for call in (
        lambda: x * 1.5,
        lambda: x.exp(),
        lambda: ops.exp(huge),
        lambda: float(x),
        lambda: Value([huge]),
        lambda: Value(-1.0).leaky_relu(huge),
    ):
        with pytest.raises(MicrogradError):
            call()


def test_a_stale_operand_is_named_or_said_to_have_no_name() -> None:
    for label, name in (("w", "operand 'w'"), ("", "an unnamed operand")):
        w = Value(HUGE, label=label)
        out = w * 2
        w.data = 5
        with pytest.raises(MicrogradError, match=f"{name} of .* changed from <int .*> to 5 "):
            out.backward()
