"""The chain rule over a graph. Notebook 8 has it in sixty lines: read those first.

They are also in `course.build_your_own`. Here, a node passes `upstream gradient * local derivative`
on to each operand, which adds up what it is passed: once with numbers, for gradients, and once with
Values, for gradients that are graphs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from micrograd.engine.node import Node, Overwritten
from micrograd.errors import NumberTypeError, shown_typed
from micrograd.graph import depends_on, order
from micrograd.ops import Operators, constant, is_plain
from micrograd.values.by_hand import check_rule, partials_of, pass_on_by_hand, without_derivative
from micrograd.values.checks import check_finite, check_fresh
from micrograd.values.reading import plain

__all__ = ["backward_pass", "gradient"]


def backward_pass(nodes: Sequence[Node]) -> dict[Node, Any]:
    """Return d(last)/d(node) for each of `nodes` that a gradient reaches.

    `nodes` are in topological order: whatever uses a node comes after it. From the last to the
    first, each gradient is therefore complete before it is passed on. No node is changed.
    """
    gradients: dict[Node, Any] = {nodes[-1]: 1}  # d(last)/d(last)
    so_far = gradients.get  # of a node that no gradient has reached: None, or the given default
    for node in reversed(nodes):
        op, upstream = node.op, so_far(node)
        if op is None or op is constant:  # a leaf
            continue
        left, right, a, b, gate = node._left, node._right, node._a, node._b, op.gate
        try:
            # If an operand holds another object, or number, than at the making of the node, or the
            # node was assigned to: look closely. What a gate did not choose is passed nothing.
            if op.opaque:  # made by hand
                check_fresh(node)
                if upstream is not None:
                    pass_on_by_hand(node, upstream, gradients)
            elif right is not None:
                if left._data is not a or right._data is not b:
                    check_fresh(node)
                if upstream is not None:
                    to_left, to_right = op.partials(node._data, a, b)
                    if not gate or to_left != 0:
                        gradients[left] = so_far(left, 0) + to_left * upstream
                    if not gate or to_right != 0:
                        gradients[right] = so_far(right, 0) + to_right * upstream
            elif type(left) is tuple:
                if type(a) is Overwritten or [x._data for x in left] != [*a]:
                    check_fresh(node)
                if upstream is not None:
                    for parent, local in zip(left, op.partials(node._data, *a)):  # noqa: B905 (faster)
                        if not gate or local != 0:
                            gradients[parent] = so_far(parent, 0) + local * upstream
            else:
                if left._data is not a:
                    check_fresh(node)
                if upstream is not None:
                    (local,) = op.partials(node._data, a)
                    if not gate or local != 0:
                        gradients[left] = so_far(left, 0) + local * upstream
        except (ValueError, ArithmeticError) as error:
            if op.opaque:  # what the closure of a user raised
                raise
            raise without_derivative(node, error) from error
    check_finite(nodes, gradients)
    return gradients


def backward_pass_as_graph(nodes: Sequence[Node]) -> dict[Node, Any]:
    """Do the same with gradients that are Values, and pass them to `nodes` only."""
    passed = set(nodes)
    gradients: dict[Node, Any] = {nodes[-1]: nodes[-1]._made(1, constant)}
    for node in reversed(nodes):
        upstream = gradients.get(node)
        if upstream is None or not node.parents:
            continue
        check_fresh(node)
        if node.op.opaque:
            check_rule(node)
        # The same rule, given Values: it returns Values, or plain numbers. A plain 0 or 1 needs no
        # new node. A Value that happens to be 0 does: its own derivative may be another number.
        locals_ = partials_of(node, node, node.parents)
        for parent, local in zip(node.parents, locals_, strict=True):
            number = plain(local)
            adds_nothing = number == 0 and (node.op.gate or is_plain(local))
            if parent in passed and not adds_nothing:
                step = upstream if number == 1 and is_plain(local) else upstream * local
                gradients[parent] = gradients[parent] + step if parent in gradients else step
    check_finite(nodes, {node: plain(gradient) for node, gradient in gradients.items()})
    return gradients


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
    is_one = isinstance(inputs, Operators) or not isinstance(inputs, Iterable)
    wanted: list[Any] = [inputs] if is_one else list(inputs)
    for value in (output, *wanted):
        if not isinstance(value, Operators):
            raise NumberTypeError(f"expected a Value, got {shown_typed(value)}")
    # While `compile` traces a function, symbols stand for Values (`isinstance` says that they are
    # Values); they run the chain rule on symbols.
    symbols: list[Any] = [v for v in (output, *wanted) if not issubclass(type(v), Node)]
    run: Any = symbols[0]._gradient if symbols else _gradient
    grads = run(output, wanted, create_graph)
    return grads[0] if is_one else grads


def _gradient(output: Node, wanted: list[Node], create_graph: bool) -> list[Any]:
    nodes = order(output)
    reached = depends_on(nodes, wanted)
    gradients: dict[Node, Any] = {}
    if output in reached:
        run = backward_pass_as_graph if create_graph else backward_pass
        gradients = run([node for node in nodes if node in reached])
    grads = [gradients.get(value, 0) for value in wanted]
    if create_graph:
        grads = [output._made(grad, constant) if is_plain(grad) else grad for grad in grads]
        below = set(nodes)
        for grad in grads:
            if grad not in below:  # a new node: a picture says of what it is the derivative
                grad.derivative_of = output
    return grads
