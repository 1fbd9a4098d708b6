"""Derivatives of functions: `grad`, `jacobian`, `hessian` to any order, and their checker.

>>> grad(lambda x: x**3)(2.0)
12.0
>>> grad(grad(lambda x: x**3))(2.0)
12.0
>>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 5.0])
[[5.0, 2.0], [1, 1]]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from micrograd.engine import Value, enable_grad, gradient
from micrograd.errors import GradcheckError, InputCountError, NumberTypeError
from micrograd.graph import order
from micrograd.node import plain
from micrograd.ops import Operators, constant, identity, is_operand, is_plain, number
from micrograd.recording import setting

__all__ = ["grad", "gradcheck", "hessian", "jacobian", "value_and_grad"]

Argument: TypeAlias = Any  # a number, a Value, or a (nested) sequence or array of them
_depth = ContextVar("depth", default=0)  # how many derivatives are being taken around this call


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return the function that gives the gradient of `f`.

    Parameters
    ----------
    f : callable
        Takes numbers or sequences of numbers, returns one number.
    argnums : int or sequence of int, default 0
        In which argument or arguments to differentiate.

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
    """Return the function that gives the value of `f` and its gradient; see `grad`.

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
                raise NumberTypeError(f"expected a function of one number, it gave {output!r}")
            slopes = _gradient(output, inputs, create_graph=not outermost)
            gradients = [_like(traced[i], inputs, slopes) for i in wrt]
        value = output.data if outermost and issubclass(type(output), Value) else output
        return value, gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return value_and_gradient


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return the function that gives the Jacobian of `f`, one row an output.

    Parameters
    ----------
    f : callable
        Returns a number or a sequence of numbers.
    argnums : int, default 0

    Returns
    -------
    callable
        Gives d f_i / d x_j as rows in the shape of the argument; one row alone where `f` gives a
        single number.

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
    """Return the function that gives the matrix of second derivatives of `f`.

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
        Names the input, both numbers and the operation whose local derivative is furthest off.
        Also an AssertionError.

    Examples
    --------
    >>> gradcheck(lambda x, y: x * y.tanh(), [2.0, 0.5])
    True
    """
    where = tuple(range(len(inputs)))
    with _level():
        _, leaves, traced = _trace(tuple(inputs), where)
        outputs = f(*traced)
        outputs = [outputs] if is_operand(outputs) else list(outputs)
        points = [float(leaf.data) for leaf in leaves]
        slopes = [_gradient(output, leaves, create_graph=False) for output in outputs]
        for j, leaf in enumerate(leaves):
            sides = []
            for point in (points[j] + eps, points[j] - eps):
                moved = {id(old): Value(old.data) for old in leaves}
                moved[id(leaf)] = Value(point)
                values = f(*[_swap(argument, moved) for argument in traced])
                sides.append([values] if is_operand(values) else list(values))
            for i, (above, below) in enumerate(zip(*sides, strict=True)):
                numeric = (plain(above) - plain(below)) / (2 * eps)
                analytic = float(slopes[i][j])
                if not abs(analytic - numeric) <= atol + rtol * abs(numeric):
                    raise GradcheckError(
                        f"d output {i} / d {_place(traced, leaf)}: backward gives {analytic!r}, "
                        f"central differences give {numeric!r}; {_suspect(outputs[i], eps)}"
                    )
    return True


@contextmanager
def _level() -> Iterator[bool]:
    """Go one derivative deeper; yield whether this is the outermost one."""
    with contextmanager(setting)(_depth, lambda depth: depth + 1), enable_grad():
        yield _depth.get() == 1


def _trace(
    args: tuple[Argument, ...], argnums: int | Sequence[int]
) -> tuple[list[int], list[Value], list[Argument]]:
    """Put a fresh Value in place of every number of the arguments at `argnums`."""
    wrt = [argnums] if isinstance(argnums, int) else list(argnums)
    inputs: list[Value] = []

    def fresh(entry: Any) -> Value:
        # A copy of its own also of a Value: the same Value may be in use around this call.
        inputs.append(identity(entry) if isinstance(entry, Operators) else Value(entry))
        return inputs[-1]

    traced = list(args)
    for i in wrt:
        if not -len(args) <= i < len(args):
            raise InputCountError(f"no argument {i} to differentiate in: got {len(args)}")
        traced[i] = _mapped(fresh, args[i])
    return wrt, inputs, traced


def _mapped(function: Callable[[Any], Any], argument: Argument) -> Argument:
    """Return `argument` with `function` applied to every number in it."""
    if is_operand(argument):
        return function(argument)
    if hasattr(argument, "dtype"):  # a NumPy array: the caller has NumPy
        import numpy as np

        result = np.empty(argument.shape, dtype=object)
        for index in np.ndindex(argument.shape):
            result[index] = function(argument[index])
        return result
    if isinstance(argument, (list, tuple)):
        return [_mapped(function, entry) for entry in argument]
    number(argument)  # raises, and names what it got
    return None


def _gradient(output: Any, inputs: list[Value], create_graph: bool) -> list[Any]:
    if issubclass(type(output), Value):  # whatever a symbol says that it is
        return list(gradient(output, inputs, create_graph))
    if isinstance(output, Operators):  # in a compiled function, which may be differentiated again
        slopes = gradient(output, inputs, create_graph=True)
        return list(slopes) if create_graph else [slope + 0 for slope in slopes]  # never -0.0
    return [0] * len(inputs)  # a plain number depends on nothing


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


def _suspect(output: Any, eps: float) -> str:
    """Name the operation whose rule disagrees most with differences of its own forward rule."""
    worst, text = 0.0, "no single operation stands out: is a kink or a jump near the input?"
    for node in order(output) if isinstance(output, Value) else []:
        if not node.parents or node.op.partials is None:
            continue
        data = [parent.data for parent in node.parents]
        for i, local in enumerate(node.local_derivatives()):
            if node.parents[i].op is constant:
                continue
            above, below = list(data), list(data)
            above[i] += eps
            below[i] -= eps
            try:
                numeric = (node.op.compute(*above) - node.op.compute(*below)) / (2 * eps)
            except (ValueError, ArithmeticError):
                continue
            error = abs(float(local) - float(numeric)) / (1e-2 + abs(float(numeric)))
            if error > max(worst, 1e-4):
                worst = error
                text = (
                    f"the operation most likely at fault is {node.op.name}: its rule gives "
                    f"{local!r} in operand {i + 1} at {data}, differences give {float(numeric)!r}"
                )
    return text
