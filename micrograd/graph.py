"""Walks over a graph of objects with `.parents`, without recursion, however deep the graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from micrograd.errors import CycleError

__all__ = ["Node", "depends_on", "order"]


class Node(Protocol):
    """Anything that knows its parents, in operand order, such as an `engine.Node`."""

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands of the node; empty for a leaf."""


NodeT = TypeVar("NodeT", bound=Node)  # for checkers of types: nodes of one class in, the same out


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
    # A stack in place of recursion. A None on it means: the operands of the node under it are done.
    result: list[NodeT] = []
    done: set[NodeT] = set()
    begun: set[NodeT] = set()
    stack: list[Any] = [root]
    waiting: tuple[Any, ...]  # empty where all operands are done, as those of a leaf are
    while stack:
        node = stack.pop()
        if node is None:
            node = stack.pop()
        elif node in done:
            continue
        else:
            try:  # the slots of `engine.node`, read directly: `parents` would take a third longer
                left, right = node._left, node._right
            except AttributeError:  # another class with `parents`
                left, right = node.parents, None
            # The first operand is put on the stack last, and so is taken from it first.
            if right is not None:
                waiting = () if left in done and right in done else (node, None, right, left)
            elif type(left) is tuple:
                waiting = () if done.issuperset(left) else (node, None, *left[::-1])
            else:
                waiting = () if left is None or left in done else (node, None, left)
            if waiting:
                if node in begun:
                    raise CycleError(f"the graph contains itself: {node!r} is its own ancestor")
                begun.add(node)
                stack += waiting
                continue
        done.add(node)
        result.append(node)
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
