"""The chain rule, run backwards over a graph: what `Value.backward` and `gradient` stand on.

A node hands `upstream gradient * local derivative` to each of its operands, which add up what they
are handed. Once with numbers, for gradients; once with Values, for gradients that are graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from micrograd.errors import GradientError, NumberTypeError, rewritten
from micrograd.graph import depends_on, order
from micrograd.node import Node, check_finite, check_fresh, described
from micrograd.ops import Number, Operators, add, constant, is_plain, mul
from micrograd.recording import building, recording

__all__ = ["gradient", "partials_of", "sweep"]


def sweep(nodes: Sequence[Node]) -> None:
    """Set `grad` of every node to d(last)/d(node); nodes come in topological order."""
    for node in nodes:
        node._grad = 0
    nodes[-1]._grad = 1
    for node in reversed(nodes):
        op, grad, left = node.op, node._grad, node._left
        if op is mul or op is add:  # past the table, as in Value.__mul__
            right, a, b = node._right, node._a, node._b
            if left._data is not a or right._data is not b:
                check_fresh(node)
            left._grad += b * grad if op is mul else grad
            right._grad += a * grad if op is mul else grad
        elif left:
            parents, inputs = node.parents, node.inputs
            if tuple([parent._data for parent in parents]) != inputs:
                check_fresh(node)
            if op.partials is None:  # made by hand: its closure adds to its parents itself
                node._backward()
            elif grad != 0:
                for parent, slope in zip(parents, partials_of(node, node._data, inputs)):  # noqa: B905
                    parent._grad += slope * grad
        elif op is not None and op.partials is None and op is not constant:  # a leaf by hand
            node._backward()
    zeros: Any = 0
    for node in nodes:
        if not node.parents:
            zeros += node._grad * 0
    if zeros != 0:  # a nan or an infinity on the way always reaches a leaf
        check_finite(nodes)
        if recording.get() not in {True, False}:
            recording.get().check_gradients(nodes)


def _sweep_graph(nodes: list[Node], reached: set[Node]) -> None:
    """Do the same with gradients that are Values, along the nodes of `reached` only."""
    for node in nodes:
        node._grad = 0
    nodes[-1]._grad = nodes[-1]._made(1, constant)
    for node in reversed(nodes):
        upstream = node._grad
        if node not in reached or not node.parents or is_plain(upstream):
            continue
        check_fresh(node)
        slopes = partials_of(node, node, node.parents)
        for parent, slope in zip(node.parents, slopes, strict=True):
            if parent not in reached or (is_plain(slope) and slope == 0):
                continue
            step = upstream if is_plain(slope) and slope == 1 else upstream * slope
            parent._grad = step if is_plain(parent._grad) else parent._grad + step


def partials_of(node: Node, out: Number, inputs: tuple[Number, ...]) -> tuple[Any, ...]:
    """Return the local derivatives of a node, by its row's rule, at `out` and `inputs`."""
    partials = node.op.partials
    if partials is None:
        raise GradientError(
            f"{node!r} was made by hand as {node._op!r} and has no derivative rule to use here: "
            "set its _backward, or add the operation with micrograd.define"
        )
    try:
        return cast("tuple[Any, ...]", partials(out, *inputs))
    except (ValueError, ArithmeticError) as error:
        raise rewritten(error, f"no finite derivative of {described(node)}: {error}") from error


def gradient(
    output: Operators, inputs: Operators | Sequence[Operators], create_graph: bool = False
) -> Any:
    """Return d(output)/d(input) for each of `inputs`, without touching any `grad`.

    Parameters
    ----------
    output : Value
    inputs : Value or sequence of Value
        Leaves or results; one that `output` does not depend on has gradient 0.
    create_graph : bool, default False
        Give Values instead of numbers, which can be differentiated and drawn. Their attribute
        `derivative_of` is the output.

    Returns
    -------
    number or Value, or a list of them
        A list for a sequence of inputs.

    Raises
    ------
    StaleGraphError, DomainError, ZeroDivisorError, OverflowRangeError, GradientError
        As `Value.backward` does.

    Examples
    --------
    >>> from micrograd import Value
    >>> x = Value(3.0)
    >>> slope = gradient(x ** 3, x, create_graph=True)
    >>> slope.data, gradient(slope, x)
    (27.0, 18.0)
    """
    wanted = [inputs] if isinstance(inputs, Operators) else list(inputs)
    for value in (output, *wanted):
        if not isinstance(value, Operators):
            raise NumberTypeError(f"expected a Value, got {value!r} ({type(value).__name__})")
    first: Any = max((output, *wanted), key=lambda value: value._rank)
    if issubclass(type(first), Node):  # whatever a symbol says that it is
        grads = _gradient(cast("Node", output), cast("list[Node]", wanted), create_graph)
    else:  # a tracer's symbol, which has the chain rule run on its own kind
        grads = first._gradient(output, wanted, create_graph)
    return grads[0] if isinstance(inputs, Operators) else grads


def _gradient(output: Node, wanted: list[Node], create_graph: bool) -> list[Any]:
    nodes = order(output)
    reached = depends_on(nodes, wanted)
    before = [node._grad for node in nodes]
    token = building.set(create_graph)
    try:
        if create_graph:
            _sweep_graph(nodes, reached)
        elif output in reached:
            sweep([node for node in nodes if node in reached])
        below = set(nodes)
        grads: list[Any] = [
            value._grad if value in below and output in reached else 0 for value in wanted
        ]
    finally:
        building.reset(token)
        for node, grad in zip(nodes, before, strict=True):
            node._grad = grad
    if create_graph:
        grads = [output._made(grad, constant) if is_plain(grad) else grad for grad in grads]
        for grad in grads:
            # A picture tells what was computed for the output itself.
            if grad not in below:
                grad.derivative_of = output
    return grads
