"""Derivatives of functions: `grad`, `jacobian`, `hessian` to any order, and their checker.

>>> grad(lambda x: x**3)(2.0)
12.0
>>> grad(grad(lambda x: x**3))(2.0)
12.0
>>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 5.0])
[[5.0, 2.0], [1, 1]]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias

from micrograd.checks import finite_number, function, listed
from micrograd.engine import Value, enable_grad, gradient, plain
from micrograd.errors import GradcheckError, InputCountError, NumberTypeError, shown_briefly
from micrograd.graph import depends_on, order
from micrograd.ops import Operators, as_float, identity, is_constant, is_operand, is_plain, number
from micrograd.values.grad_mode import setting

__all__ = ["grad", "gradcheck", "hessian", "jacobian", "value_and_grad"]

Argument: TypeAlias = Any  # a number, a Value, or a (nested) sequence or array of them
_depth = ContextVar("depth", default=0)  # how deeply derivatives are nested around this call


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return the gradient of `f`, as a function.

    Parameters
    ----------
    f : callable
        Takes numbers or sequences of numbers, returns one number.
    argnums : int or sequence of int, default 0
        The index of the argument, or arguments, to differentiate with respect to.

    Returns
    -------
    callable
        Of the same arguments. Gives the gradient in the shape of the argument: a number for a
        number, a list for a sequence, an array for an array; a tuple for several `argnums`.
        Inside another derivative it gives Values, so that `grad(grad(f))` works.

    Raises
    ------
    NumberTypeError
        From the call, if `f` does not return one number. Also a TypeError.
    InputCountError
        From the call, if there is no argument at `argnums`. Also a ValueError.

    Examples
    --------
    >>> grad(lambda x, w: x * w[0] + w[1] ** 2, argnums=1)(3.0, [1.0, 5.0])
    [3.0, 10.0]
    """
    both = value_and_grad(f, argnums)

    def gradient_of(*args: Argument) -> Any:
        return both(*args)[1]

    return gradient_of


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0
) -> Callable[..., tuple[Any, Any]]:
    """Return the value of `f` and its gradient, as one function; see `grad`.

    Examples
    --------
    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    def value_and_gradient(*args: Argument) -> tuple[Any, Any]:
        with _level() as outermost:
            wrt, inputs, traced = _trace(args, argnums)
            output = f(*traced)
            if not is_operand(output):
                raise NumberTypeError(
                    f"expected a function of one number, it gave {shown_briefly(output)}"
                )
            slopes = _gradient(output, inputs, create_graph=not outermost)
            gradients = [_like(traced[i], inputs, slopes) for i in wrt]
        value = output.data if outermost and issubclass(type(output), Value) else output
        return value, gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return value_and_gradient


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return the Jacobian of `f`, one row per output, as a function.

    Parameters
    ----------
    f : callable
        Returns a number or a sequence of numbers.
    argnums : int, default 0

    Returns
    -------
    callable
        Gives d f_i / d x_j as rows in the shape of the argument; a single row if `f` returns one
        number.

    Examples
    --------
    The chain rule: the Jacobian of a composition is the product of the Jacobians.

    >>> f = lambda u: [u[0] * u[1], u[0] - u[1]]
    >>> g = lambda v: [v[0] ** 2, 3 * v[1]]
    >>> x = [2.0, 5.0]
    >>> outer, inner = jacobian(f)(g(x)), jacobian(g)(x)
    >>> product = [[sum(a * b for a, b in zip(row, column)) for column in zip(*inner)]
    ...            for row in outer]
    >>> jacobian(lambda v: f(g(v)))(x) == product
    True
    """

    def jacobian_of(*args: Argument) -> Any:
        with _level() as outermost:
            _, inputs, traced = _trace(args, argnums)
            outputs = f(*traced)
            single = is_operand(outputs)
            rows = [
                _like(traced[argnums], inputs, _gradient(output, inputs, not outermost))
                for output in ([outputs] if single else outputs)
            ]
        return rows[0] if single else rows

    return jacobian_of


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return the matrix of second derivatives of `f`, as a function.

    Parameters
    ----------
    f : callable
        Returns one number.
    argnums : int, default 0

    Returns
    -------
    callable
        Gives a number where the argument is a number, else a list of rows.

    Examples
    --------
    >>> hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0]]
    """
    return jacobian(grad(f, argnums), argnums)


def gradcheck(
    f: Callable[..., Any],
    inputs: Sequence[Argument],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> bool:
    """Check the gradients of `f` against central differences.

    Parameters
    ----------
    f : callable
        Called as `f(*inputs)`; returns a number or a sequence of numbers.
    inputs : sequence
        Numbers, Values, or sequences of them. Floats, well away from kinks.
    eps : float, default 1e-6
        Step of the difference.
    atol, rtol : float
        A gradient `a` passes against a difference `n` if `|a - n| <= atol + rtol * |n|`.

    Returns
    -------
    bool
        True; a failure is an exception.

    Raises
    ------
    GradcheckError
        Names the input, both numbers and the operation whose local derivative is furthest off; or
        says that the output was not computed from the input, or that the differences are too
        inexact to tell. Also an AssertionError.
    ArgumentError
        If `eps` is not more than 0. Also a ValueError.

    Examples
    --------
    >>> gradcheck(lambda x, y: x * y.tanh(), [2.0, 0.5])
    True
    """
    eps = as_float(finite_number("eps", eps, above=0))
    given = tuple(listed("inputs", inputs))
    with _level():
        _, leaves, traced = _trace(given, tuple(range(len(given))))
        outputs = function("f", f)(*traced)
        outputs = [outputs] if is_operand(outputs) else list(outputs)
        slopes = [_gradient(output, leaves, create_graph=False) for output in outputs]

        def moved_to(leaf: Value, point: float) -> list[float]:
            moved = {id(old): Value(point if old is leaf else old.data) for old in leaves}
            values = f(*[_swap(argument, moved) for argument in traced])
            return [as_float(plain(v)) for v in ([values] if is_operand(values) else values)]

        for j, leaf in enumerate(leaves):
            at = as_float(leaf.data)
            above, below = moved_to(leaf, at + eps), moved_to(leaf, at - eps)
            for i, output in enumerate(outputs):
                analytic = as_float(slopes[i][j])
                width = (at + eps) - (at - eps)  # what is left of the step after rounding
                numeric = (above[i] - below[i]) / width if width > 0 else math.nan
                if not abs(analytic - numeric) <= atol + rtol * abs(numeric) < math.inf:
                    found = _difference(lambda z: moved_to(leaf, z)[i], at, eps)  # noqa: B023
                    where = _place(traced, leaf)
                    raise GradcheckError(
                        f"d output {i} / d {where}: backward gives {analytic!r}, central "
                        f"differences give {numeric!r}; "
                        + _explained(
                            output, i, leaf, where, analytic=analytic, found=found, eps=eps
                        )
                    )
    return True


@contextmanager
def _level() -> Iterator[bool]:
    """Enter a derivative; yield whether it is the outermost one."""
    with contextmanager(setting)(_depth, lambda depth: depth + 1), enable_grad():
        yield _depth.get() == 1


def _trace(
    args: tuple[Argument, ...], argnums: int | Sequence[int]
) -> tuple[list[int], list[Value], list[Argument]]:
    """Replace every number of the arguments at `argnums` by a new Value."""
    wrt = [argnums] if isinstance(argnums, int) else list(argnums)
    inputs: list[Value] = []

    def fresh(entry: Any) -> Value:
        # A copy of its own also of a Value: the same Value may be in use around this call.
        inputs.append(identity(entry) if isinstance(entry, Operators) else Value(entry))
        return inputs[-1]

    traced = list(args)
    for i in wrt:
        if not -len(args) <= i < len(args):
            raise InputCountError(
                f"no argument {i} to differentiate with respect to: got {len(args)} argument(s)"
            )
        traced[i] = _mapped(fresh, args[i])
    return wrt, inputs, traced


def _mapped(function: Callable[[Any], Any], argument: Argument) -> Argument:
    """Return `argument` with `function` applied to every number in it."""
    if is_operand(argument):
        return function(argument)
    if hasattr(argument, "dtype"):  # a NumPy array, so NumPy is installed
        import numpy as np

        result = np.empty(argument.shape, dtype=object)
        for index in np.ndindex(argument.shape):
            result[index] = function(argument[index])
        return result
    if isinstance(argument, (list, tuple)):
        return [_mapped(function, entry) for entry in argument]
    number(argument)  # raises an error that names it
    return None


def _gradient(output: Any, inputs: list[Value], create_graph: bool) -> list[Any]:
    if issubclass(type(output), Value):  # not isinstance: symbols call themselves Values
        return list(gradient(output, inputs, create_graph))
    if isinstance(output, Operators):  # a symbol, in a function that is compiled
        slopes = gradient(output, inputs, create_graph=True)
        return list(slopes) if create_graph else [slope + 0 for slope in slopes]  # never -0.0
    return [0] * len(inputs)  # a plain number does not depend on the inputs


def _like(argument: Argument, inputs: list[Value], slopes: list[Any]) -> Any:
    """Return the slopes in the shape of the traced argument that holds their inputs."""
    by_input = {id(value): slope for value, slope in zip(inputs, slopes, strict=True)}
    shaped = _swap(argument, by_input)
    if hasattr(shaped, "dtype") and all(map(is_plain, slopes)):
        return shaped.astype(float)
    return shaped


def _swap(argument: Argument, replacements: dict[int, Any]) -> Argument:
    return _mapped(lambda entry: replacements.get(id(entry), entry), argument)


def _place(traced: list[Argument], leaf: Value) -> str:
    for i, argument in enumerate(traced):
        flat: list[Value] = []
        _mapped(flat.append, argument)
        for j, entry in enumerate(flat):
            if entry is leaf:
                return f"input {i}" if argument is leaf else f"input {i}[{j}]"
    return "an input"


class _Difference(NamedTuple):
    """A central difference and an estimate of its error."""

    slope: float
    error: float


def _difference(f: Callable[[float], float], at: float, eps: float) -> _Difference:
    """Return the central difference at a point.

    Half the step tells how much the curve bends; the spacing of floats, what rounding costs.
    """
    slopes, rounding = [], 0.0
    for step in (eps, eps / 2):
        high, low = at + step, at - step
        if not high > low:
            return _Difference(math.nan, math.inf)
        above, below = f(high), f(low)
        slopes.append((above - below) / (high - low))
        rounding = 8 * math.ulp(max(abs(above), abs(below))) / (high - low)
    return _Difference(slopes[0], 4 * abs(slopes[0] - slopes[1]) + rounding)


def _explained(
    output: Any, i: int, leaf: Value, where: str, *, analytic: float, found: _Difference, eps: float
) -> str:
    """Return why backward and differences disagree, blaming a rule only if nothing else can be."""
    at = as_float(leaf.data)
    if not isinstance(output, Value) or output not in depends_on(order(output), [leaf]):
        return (
            f"output {i} was not computed from {where}, though it changes with it: its number was "
            "read on the way, as .data does"
        )
    if not math.isfinite(at):
        return f"{where} is not finite"
    better = f"try eps={6e-6 * abs(at):.0e}" if at else "try another eps"
    if not at + eps > at - eps:
        return f"the step of {eps} vanishes in rounding beside {at!r}: {better}"
    if not math.isfinite(found.slope):
        return f"the function is not finite at a step of {eps} from {at!r}"
    if abs(analytic - found.slope) <= found.error:
        return (
            f"the differences may be off by {found.error:.1e} at a step of {eps}, so no rule need "
            f"be wrong: {better}, or is a kink or a jump near the input?"
        )
    return _suspect(output, eps)


def _suspect(output: Value, eps: float) -> str:
    """Name the operation whose local derivative is furthest from differences of its own."""
    worst, text = 0.0, "no single operation stands out: is a kink or a jump near the input?"
    for node in order(output):
        if not node.parents or node.op.partials is None or node.op.opaque:
            continue
        data = list(node.inputs)
        for i, local in enumerate(node.local_derivatives()):
            at_kink = any(abs(data[i] - kink) <= eps for kink in node.op.kinks)
            if is_constant(node.parents[i]) or at_kink:  # a convention is not a fault
                continue

            def own(x: float, at: int = i, op: Any = node.op, inputs: Any = tuple(data)) -> float:
                return as_float(op.compute(*inputs[:at], x, *inputs[at + 1 :]))

            try:
                numeric, inexact = _difference(own, as_float(data[i]), eps)
            except (ValueError, ArithmeticError):
                continue
            gap = abs(as_float(local) - numeric)
            error = gap / (1e-2 + abs(numeric))
            if gap > inexact and error > max(worst, 1e-4):
                worst = error
                text = (
                    f"the operation most likely at fault is {node.op.name}: its rule gives "
                    f"{local!r} in operand {i + 1} at {data}, differences give {numeric!r}"
                )
    return text
