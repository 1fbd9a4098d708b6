"""The chain rule, run backwards over a graph: what `Value.backward` and `gradient` do.

A node hands `upstream gradient * local derivative` to each of its operands, which add up what they
are handed. Once with numbers, for gradients; once with Values, for gradients that are graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, cast

from micrograd.engine.node import Node, Overwritten, check_fresh, described, named, plain
from micrograd.errors import (
    DomainError,
    GradientError,
    NonFiniteError,
    NumberTypeError,
    rewritten,
    shown,
    shown_briefly,
)
from micrograd.graph import depends_on, order
from micrograd.ops import Number, Operators, constant, is_plain

__all__ = ["gradient", "local_derivatives_of", "partials_of", "rule_of", "sweep"]


def sweep(nodes: Sequence[Node]) -> dict[Node, Any]:
    """Return d(last)/d(node) of every one of `nodes` that a gradient reaches.

    They come in topological order: all that use a node stand behind it, so that from the last to
    the first a gradient is complete when it is passed on. No node is changed.
    """
    gradients: dict[Node, Any] = {nodes[-1]: 1}
    reaching = gradients.get
    for node in reversed(nodes):
        upstream, op, right = reaching(node), node.op, node._right  # no upstream: nothing arrived
        try:
            if right is not None and not op.gate and not op.opaque:  # most nodes: no loop needed
                left, a, b = node._left, node._a, node._b
                if left._data is not a or right._data is not b:
                    check_fresh(node)
                if upstream is not None:
                    to_left, to_right = op.partials(node._data, a, b)
                    gradients[left] = reaching(left, 0) + to_left * upstream
                    gradients[right] = reaching(right, 0) + to_right * upstream
                continue
            if op is None or op is constant:  # a leaf
                continue
            parents, inputs = node.parents, node.inputs
            if tuple([x._data for x in parents]) != inputs or type(node._a) is Overwritten:
                check_fresh(node)
            if upstream is None:
                continue
            if op.opaque:
                _pass_on_by_hand(node, upstream, gradients)
                continue
            for parent, local in zip(parents, op.partials(node._data, *inputs)):  # noqa: B905
                if local != 0 or not op.gate:
                    gradients[parent] = reaching(parent, 0) + local * upstream
        except (ValueError, ArithmeticError) as error:
            if op.opaque:  # what the closure of a user raised
                raise
            raise _without_derivative(node, error) from error
    _check_finite(nodes, gradients)
    return gradients


def _sweep_graph(nodes: Sequence[Node]) -> dict[Node, Any]:
    """Do the same with gradients that are Values, and among `nodes` only."""
    swept = set(nodes)
    gradients: dict[Node, Any] = {nodes[-1]: nodes[-1]._made(1, constant)}
    for node in reversed(nodes):
        upstream = gradients.get(node)
        if upstream is None or not node.parents:
            continue
        check_fresh(node)
        if node.op.opaque:
            _check_rule(node)
        locals_ = partials_of(node, node, node.parents)
        for parent, local in zip(node.parents, locals_, strict=True):
            number, droppable = plain(local), node.op.gate or is_plain(local)
            if parent in swept and not (number == 0 and droppable):
                step = upstream if number == 1 and is_plain(local) else upstream * local
                before = gradients.get(parent)
                gradients[parent] = step if before is None else before + step
    _check_finite(nodes, {node: plain(gradient) for node, gradient in gradients.items()})
    return gradients


# ---- one node ----------------------------------------------------------------------------------


def local_derivatives_of(node: Node) -> tuple[Any, ...]:
    """Return the derivative of a node in each operand, as numbers, however the node was made.

    A hand-made `_backward` is run with gradient 1; what it adds to an operand that occurs several
    times is divided evenly among its places.
    """
    check_fresh(node)
    if "_closure" not in node.__dict__:
        return rule_of(node)
    passed: dict[Node, Any] = {}
    _pass_on_by_hand(node, 1, passed)
    parents = node.parents
    return tuple([_part(passed[parent], parents.count(parent)) for parent in parents])


def _part(total: Any, places: int) -> Any:
    is_whole = isinstance(total, int) and total % places == 0
    return total // places if is_whole else total / places


def rule_of(node: Node) -> tuple[Any, ...]:
    """Return the local derivatives that a node was given, or that its operation's rule gives."""
    given = node.__dict__.get("_local_gradients")
    if given is not None:
        return cast("tuple[Any, ...]", given)
    return partials_of(node, node._data, node.inputs)


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
        raise _without_derivative(node, error) from error


def _without_derivative(node: Node, error: ValueError | ArithmeticError) -> Exception:
    return rewritten(error, f"no finite derivative of {described(node)}: {error}")


def _pass_on_by_hand(node: Node, upstream: Any, gradients: dict[Node, Any]) -> None:
    """Pass on the gradient of a node made by hand, by its own `_backward` if it has one.

    That closure reads and writes `grad`, which is lent to it while it runs.
    """
    closure, parents = node.__dict__.get("_closure"), node.parents
    if closure is None:
        for parent, local in zip(parents, rule_of(node), strict=True):
            gradients[parent] = gradients.get(parent, 0) + local * upstream
        return
    before = [(other, other._grad) for other in {node, *parents}]
    try:
        try:
            for parent in parents:
                parent._grad = gradients.get(parent, 0)
            node._grad = upstream
            closure()
            gradients.update({parent: parent._grad for parent in parents})
        finally:
            _give_back(before)
    except BaseException:  # an interrupt may have come while the gradients were given back
        _give_back(before)
        raise


def _give_back(before: list[tuple[Node, Any]]) -> None:
    for node, grad in before:
        node._grad = grad


def _check_rule(node: Node) -> None:
    """Raise if a `_backward` that was put on an operation does otherwise than its rule."""
    rule, own = rule_of(node), local_derivatives_of(node)
    if node.op.partials is not None and rule != own:
        raise GradientError(
            f"the _backward of {described(node)} passes on the local derivatives {own}, and the "
            f"rule of {node.op.name} gives {rule}, so it cannot be differentiated again: add the "
            "operation with micrograd.define"
        )


# ---- what stops a pass -------------------------------------------------------------------------


def _is_finite(number: Any) -> bool:
    return bool(number * 0 == 0)


def _check_finite(nodes: Sequence[Node], gradients: dict[Node, Any]) -> None:
    """Raise for the first gradient, from the output down, that is nan or infinite without cause.

    What causes an infinite gradient is infinite data, or an infinite upstream gradient.
    """
    try:
        if all(map(isfinite, gradients.values())):
            return
    except OverflowError:  # an int that no float can hold, which is finite
        pass
    swept, excused = set(nodes), set()
    for node in reversed(nodes):
        upstream = gradients.get(node)
        if upstream is None or node.op is constant:
            continue
        if upstream != upstream or not (_is_finite(upstream) or node in excused):
            raise NonFiniteError(
                f"the gradient of {node!r} is {upstream}: so much is passed to it by the values "
                "that it was used for"
            )
        if not node.parents or node.op.opaque:
            continue
        of_finite = all(map(_is_finite, (node._data, *node.inputs)))
        locals_ = partials_of(node, node._data, node.inputs)
        for parent, data, local in zip(node.parents, node.inputs, locals_, strict=True):
            if parent not in swept or parent.op is constant or (node.op.gate and local == 0):
                continue
            passed = local * upstream
            if of_finite and not _is_finite(local):
                raise DomainError(
                    f"{described(node)} has no finite derivative in {named(parent)} = "
                    f"{shown(data)}: it is {local}"
                )
            if passed != passed or (of_finite and _is_finite(upstream) and not _is_finite(passed)):
                line = node.__dict__.get("recorded_at")
                raise NonFiniteError(
                    f"the gradient of {named(parent)} = {shown(data)} of {described(node)} is "
                    f"{passed}: upstream gradient {upstream} times local derivative {local}"
                    + (f"; computed in {line}" if line else "")
                )
            if not _is_finite(passed):
                excused.add(parent)


# ---- gradients of chosen inputs ----------------------------------------------------------------


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
            raise NumberTypeError(
                f"expected a Value, got {shown_briefly(value)} ({type(value).__name__})"
            )
    first: Any = max((output, *wanted), key=lambda value: value._rank)
    if issubclass(type(first), Node):  # whatever a symbol says that it is
        grads = _gradient(cast("Node", output), cast("list[Node]", wanted), create_graph)
    else:  # a tracer's symbol, which has the chain rule run on its own kind
        grads = first._gradient(output, wanted, create_graph)
    return grads[0] if isinstance(inputs, Operators) else grads


def _gradient(output: Node, wanted: list[Node], create_graph: bool) -> list[Any]:
    nodes = order(output)
    reached = depends_on(nodes, wanted)
    gradients: dict[Node, Any] = {}
    if output in reached:
        run = _sweep_graph if create_graph else sweep
        gradients = run([node for node in nodes if node in reached])
    grads = [gradients.get(value, 0) for value in wanted]
    if create_graph:
        grads = [output._made(grad, constant) if is_plain(grad) else grad for grad in grads]
        below = set(nodes)
        for grad in grads:
            # A picture tells what was computed for the output itself.
            if grad not in below:
                grad.derivative_of = output
    return grads
