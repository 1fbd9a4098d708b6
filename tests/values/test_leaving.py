"""Where a number would leave the graph: refused, with the name of what keeps the gradient."""

from __future__ import annotations

import cmath
import math
import statistics
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import log as natural_logarithm
from typing import Any

import numpy as np
import pytest
from tables import each

import micrograd
from micrograd import Value, no_grad, ops
from micrograd.errors import NotDifferentiableError, TraceError

# What each function of the modules is called here.
OURS = {
    **{name: name for name in ("cbrt", "cos", "cosh", "erf", "erfc", "exp", "expm1", "hypot")},
    **{name: name for name in ("log", "log10", "log1p", "log2", "sin", "sinh", "sqrt")},
    **{name: name for name in ("tan", "tanh")},
    **{"acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh"},
    **{"atan": "arctan", "atanh": "arctanh", "atan2": "arctan2"},
    **{"fabs": "abs", "fsum": "sum", "dist": "sqrt", "mean": "sum", "fmean": "sum"},
}
# Python's own, which only add, multiply, compare or choose: their result is of the graph.
IN_THE_GRAPH = {"prod", "sumprod", "median", "median_low", "median_high", "mode", "multimode"}
if sys.version_info < (3, 11):  # later on it makes floats of the data first
    IN_THE_GRAPH.add("median_grouped")
if sys.version_info >= (3, 12):  # with weights, it is a `sumprod`
    IN_THE_GRAPH.add("fmean")
CALLABLES = [
    (module, name)
    for module in (math, cmath, statistics)
    for name in sorted(getattr(module, "__all__", dir(module)))
    if not name.startswith("_")
    and callable(getattr(module, name))
    and not (
        isinstance(getattr(module, name), type) and issubclass(getattr(module, name), Exception)
    )
]


def forms(v: Value) -> list[tuple[Any, ...]]:
    """Return the ways to give a function Values: as themselves, in lists, beside numbers."""
    pair = [v, v * 2]
    each: list[Any] = [v, 2.0, pair, [1.0, 2.0]]
    wholes = [arguments for n in (1, 2, 3) for arguments in product(each, repeat=n)]
    return [given for given in wholes if any(part is v or part is pair for part in given)]


def leaves_of(result: Any) -> list[Value]:
    found = result if isinstance(result, (list, tuple)) else [result]
    return [leaf for leaf in found if isinstance(leaf, Value)]


@each(("module", "name"), CALLABLES)
def test_no_function_of_the_standard_library_takes_a_value_out_of_the_graph(
    module: Any, name: str
) -> None:
    function = getattr(module, name)
    messages = []
    for arguments in forms(Value(0.5)):
        try:
            result = function(*arguments)
        except NotDifferentiableError as error:
            messages.append(str(error))
        except (TypeError, ValueError, AttributeError, statistics.StatisticsError):
            pass  # not a way to call it, or not this function's kind of number
        else:
            if callable(result):  # a function, that will be given its numbers later on
                continue
            assert name in IN_THE_GRAPH or name == "quantiles", (name, arguments, result)
            assert leaves_of(result), (name, arguments, result)
    if name in OURS:
        assert messages
        assert all(f"micrograd.{OURS[name]}" in message for message in messages)
        assert all(f"{module.__name__}.{name}" in message for message in messages)
        assert all(".data" in message for message in messages)


def test_the_function_is_named_through_an_alias_and_a_name_of_its_own() -> None:
    v = Value(0.5, label="w")
    m, local = math, math.tanh
    for call, answer in (
        (lambda: natural_logarithm(v), "use micrograd.log,"),  # type: ignore[arg-type]
        (lambda: m.sin(v), "use micrograd.sin,"),  # type: ignore[arg-type]
        (lambda: local(v), "use micrograd.tanh,"),  # type: ignore[arg-type]
        (lambda: list(map(local, [v])), "use micrograd.tanh,"),  # type: ignore[list-item]
    ):
        with pytest.raises(TypeError, match=answer) as caught:
            call()
        assert "label='w'" in str(caught.value)


def test_an_operation_of_ones_own_is_named_too(table: Any) -> None:
    ops.define(name="gamma", forward=math.gamma, partials=lambda out, x: (out,))
    with pytest.raises(TypeError, match=r"math.gamma would .* use micrograd.gamma,"):
        math.gamma(Value(2.0))  # type: ignore[arg-type]


def test_without_a_source_line_the_message_still_says_what_to_do() -> None:
    code = "import math; from micrograd import Value; math.exp(Value(1.0))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "micrograd.exp" in run.stderr
    assert ".data" in run.stderr


def test_a_derivative_of_a_function_of_math_is_refused_and_not_0() -> None:
    for call in (
        lambda: micrograd.grad(math.exp)(1.0),
        lambda: micrograd.value_and_grad(math.exp)(1.0),
        lambda: micrograd.jacobian(math.exp)(1.0),
        lambda: micrograd.hessian(math.exp)(1.0),
        lambda: micrograd.gradcheck(math.exp, [1.0]),
    ):
        with pytest.raises(NotDifferentiableError, match=r"math.exp .* micrograd.exp"):
            call()


@pytest.mark.parametrize(
    "convert",
    [
        float,
        complex,
        lambda v: "%.3f" % v,  # noqa: UP031
        lambda v: np.array([v], float),
        lambda v: np.float64(v),
        Fraction,
    ],
    ids=["float", "complex", "percent", "array", "float64", "Fraction"],
)
def test_a_conversion_to_a_float_is_refused_and_says_data(convert: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        convert(Value(2.0))
    if convert is not Fraction:  # it asks for the kind first, before `as_integer_ratio`
        assert ".data" in str(caught.value)


def test_a_plot_of_values_is_refused_and_says_data() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    _, ax = pyplot.subplots()
    with pytest.raises(TypeError, match=r"\.data"):
        ax.plot([Value(2.0), Value(3.0)])
    pyplot.close("all")


@pytest.mark.parametrize("data", [2.567, -3, Fraction(7, 3)])
def test_reading_the_number_is_allowed(data: Any) -> None:
    v = Value(data)
    assert v.item() == v.data == data
    assert (int(v), round(v), round(v, 1)) == (int(data), round(data), round(data, 1))
    assert f"{v}" == repr(v)
    assert "%d" % v == "%d" % data  # noqa: UP031
    if not isinstance(data, Fraction) or sys.version_info >= (3, 13):
        assert f"{v:.3f} {v:>8}" == f"{data:.3f} {data:>8}"


def test_a_float_is_read_where_no_gradient_can_be_lost() -> None:
    x = Value(2.0)
    constant = (x + 4.0).parents[1]
    for read, number in (
        (constant, 4.0),
        (x.greater(1), 1.0),
        (x.sign(), 1.0),
        (ops.where(1, 3.0, x), 3.0),
        (x.maximum(5.0), 5.0),
    ):
        assert float(read) == number
    with no_grad():
        assert float(x) == 2.0
        assert math.exp(x * 0) == 1.0


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x * x,  # at 0 its first derivatives are 0, its second are not
        lambda x: x**2,
        lambda x: ops.where(1, x, 3.0),
        lambda x: (x + 1).relu(),
        lambda x: Value(1.0, (x,), "mine"),
        lambda x: x,
    ],
)
def test_a_float_is_refused_where_a_gradient_would_be_lost(make: Callable[[Value], Value]) -> None:
    with pytest.raises(NotDifferentiableError):
        float(make(Value(0.0)))


@pytest.mark.parametrize("read", [float, math.trunc, Value.as_integer_ratio])
def test_what_would_leave_the_graph_is_named(read: Callable[[Value], object]) -> None:
    with pytest.raises(NotDifferentiableError, match=r"Value\(data=0\.5, grad=0, label='v'\)"):
        read(Value(0.5, label="v"))


@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
def test_while_a_function_is_compiled_reading_and_comparing_a_parameter_is_refused() -> None:
    w, other = Value(2.0), Value(3.0)
    for read in (
        lambda x: x * w.item(),
        lambda x: x * float(f"{w:.3f}"),
        lambda x: x if w == 2.0 else -x,
        lambda x: x if w != 2.0 else -x,
        lambda x: x * x.item(),
    ):
        with pytest.raises(TraceError):
            micrograd.compile(read)(1.0)
    said = []

    def allowed(x: Any) -> Any:
        said.append(f"w is {w}")
        return x * w if w in {w, other} and w != other else x

    assert micrograd.compile(allowed)(4.0) == 8.0
