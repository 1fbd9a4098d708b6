"""What is said of a node in messages, and what stops a pass: stale data, gradients not finite."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from micrograd.errors import DomainError, NonFiniteError, StaleGraphError, shown
from micrograd.graph import order
from micrograd.ops import is_constant

# Names are imported where a message needs them: they would be a fifth of `import micrograd`.

__all__ = ["check_finite", "check_fresh", "described", "is_finite", "is_same", "named"]


def named(operand: Any) -> str:
    """Return how a message speaks of an operand."""
    from micrograd.values.names import name_of

    name = name_of(operand)
    return f"operand {name!r}" if name else "an unnamed operand"


def described(node: Any) -> str:
    """Return the node as it was computed, with names where there are any."""
    from micrograd.values.names import names_in

    names = names_in(order(node)).texts
    texts = [
        f"{names[parent]}={shown(data)}" if parent in names else shown(data)
        for parent, data in zip(node.parents, node.inputs, strict=True)
    ]
    written: str = node.op.written(*texts)
    return written + (f" ({names[node]})" if node in names else "")


def _titled(node: Any) -> str:
    from micrograd.values.names import name_of

    name = "" if node.label else name_of(node)  # which its repr shows
    return f"{name}, {node!r}," if name else repr(node)


def is_same(a: Any, b: Any) -> bool:
    """Return whether two numbers are the same; nan is the same as nan."""
    return bool(a is b or a == b or (a != a and b != b))


def is_finite(number: Any) -> bool:
    """Return whether a number is neither infinite nor nan; an int of any size is finite."""
    return bool(number * 0 == 0)


def check_fresh(node: Any) -> None:
    """Raise if the data of a node or of an operand is no longer what it was in the forward pass."""
    again = "compute the output again, or call its forward(), first"
    if not is_same(node.data, node.computed):
        raise StaleGraphError(
            f"{described(node)} was computed as {shown(node.computed)} and then changed to "
            f"{shown(node.data)}: {again}"
        )
    for parent, data in zip(node.parents, node.inputs, strict=True):
        if not is_same(parent.data, data):
            raise StaleGraphError(
                f"{named(parent)} of {described(node)} changed from {shown(data)} to "
                f"{shown(parent.data)} after the forward pass: {again}"
            )


def check_finite(nodes: Sequence[Any], gradients: Mapping[Any, Any]) -> None:
    """Raise if the output is nan, or for the first gradient that is nan or infinite without cause.

    The first is that next to the output, the last of `nodes`. What causes an infinite gradient is
    infinite data, or an infinite upstream gradient.
    """
    if nodes[-1].data != nodes[-1].data:
        raise NonFiniteError(_why_nan(nodes[-1], gradients))
    try:
        if is_finite(sum(gradients.values())):  # then each of them is; the reverse may be false
            return
    except OverflowError:  # an int that no float can hold, which is finite
        pass
    passed, excused = set(nodes), set()
    for node in reversed(nodes):
        upstream = gradients.get(node)
        if upstream is None or is_constant(node):
            continue
        if upstream != upstream or not (is_finite(upstream) or node in excused):
            raise NonFiniteError(
                f"the gradient of {_titled(node)} is {upstream}: that is what the "
                "values computed from it pass to it"
            )
        if node.parents and not node.op.opaque:
            excused |= _infinite_with_cause(node, upstream, passed)


def _why_nan(node: Any, gradients: Mapping[Any, Any]) -> str:
    """Return what is said of a graph whose output is nan: where that begins."""
    while operands := [operand for operand in node.parents if operand.data != operand.data]:
        node = next((operand for operand in operands if operand in gradients), operands[0])
    begins = described(node) if node.parents else _titled(node)
    return f"the output is nan, so it has no gradients: nan begins at {begins}"


def _infinite_with_cause(node: Any, upstream: Any, passed: Collection[Any]) -> set[Any]:
    """Return the operands to which `node` passes an infinite gradient, if it may; else raise."""
    found = set()
    of_finite = all(map(is_finite, (node.data, *node.inputs)))
    locals_ = node.op.partials(node.data, *node.inputs)
    for parent, data, local in zip(node.parents, node.inputs, locals_, strict=True):
        if parent not in passed or is_constant(parent) or (node.op.gate and local == 0):
            continue
        contribution = local * upstream
        if of_finite and not is_finite(local):
            raise DomainError(
                f"{described(node)} has no finite derivative in {named(parent)} = {shown(data)}: "
                f"it is {local}"
            )
        is_finite_here = is_finite(contribution)
        has_no_cause = of_finite and is_finite(upstream) and not is_finite_here
        if contribution != contribution or has_no_cause:
            line = node.__dict__.get("recorded_at")
            raise NonFiniteError(
                f"the gradient of {named(parent)} = {shown(data)} of {described(node)} is "
                f"{contribution}: upstream gradient {upstream} times local derivative {local}"
                + (f"; computed in {line}" if line else "")
            )
        if not is_finite_here:
            found.add(parent)
    return found
