"""Walks over a graph of objects with `.parents`, without recursion, however deep the graph."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import filterfalse
from typing import Any, Protocol, TypeVar, cast

from micrograd.errors import CycleError

__all__ = ["Node", "depends_on", "order"]


class Node(Protocol):
    """Anything that knows its parents, in operand order."""

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands of the node; empty for a leaf."""


NodeT = TypeVar("NodeT", bound=Node)


def order(root: NodeT) -> list[NodeT]:
    """Return the nodes of a graph in topological order: parents before children, `root` last.

    The order is that of evaluation: a depth-first walk that visits operands from left to right.
    It depends on the graph alone, so it is the same in every process.

    Parameters
    ----------
    root : Node
        Any object with a `parents` tuple of such objects.

    Returns
    -------
    list of Node
        `root` and every node that it is computed from, each once.

    Raises
    ------
    CycleError
        If a node is its own ancestor.

    Notes
    -----
    Linear in nodes plus edges, in time and in memory.

    Examples
    --------
    >>> from micrograd import Value
    >>> a, b = Value(2.0), Value(3.0)
    >>> [node.data for node in order(a * b + a)]
    [2.0, 3.0, 6.0, 8.0]
    """
    # A stack in place of recursion; None on it says that the operands of the node below are done.
    # They are read where `engine.node` keeps them: to make `parents` of them takes a third longer.
    result: list[NodeT] = []
    done: set[NodeT] = set()
    is_done = done.__contains__
    begun: set[NodeT] = set()
    stack: list[NodeT | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:
            node = cast("NodeT", stack.pop())
            done.add(node)
            result.append(node)
            continue
        if node in begun:
            if node not in done:
                raise CycleError(f"the graph contains itself: {node!r} is its own ancestor")
            continue
        begun.add(node)
        value: Any = node
        try:
            left, right = value._left, value._right
        except AttributeError:  # something else that has parents
            left, right = value.parents, None
        stack += (node, None)
        if right is not None:
            if right not in done:
                stack.append(right)
            if left not in done:
                stack.append(left)
        elif type(left) is not tuple:
            stack.append(left)
        elif left:
            stack.extend(filterfalse(is_done, reversed(left)))
    return result


def depends_on(nodes: Iterable[NodeT], inputs: Iterable[NodeT]) -> set[NodeT]:
    """Return those of `nodes` that lie on a path from one of `inputs`, the inputs included.

    Parameters
    ----------
    nodes : iterable of Node
        In topological order, as `order` gives them.
    inputs : iterable of Node

    Returns
    -------
    set of Node

    Examples
    --------
    >>> from micrograd import Value
    >>> a, b = Value(2), Value(3)
    >>> double, product = a + a, a * b
    >>> total = double + product
    >>> depends_on(order(total), [b]) == {b, product, total}
    True
    """
    reached = set(inputs)
    for node in nodes:
        if node not in reached and any(parent in reached for parent in node.parents):
            reached.add(node)
    return reached
