"""Walks over a graph of objects with `.parents`, without recursion, however deep the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import filterfalse
from typing import Any, Protocol, TypeVar

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
    >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
    >>> c = a * b
    >>> c.label = "c"
    >>> d = c + a
    >>> d.label = "d"
    >>> [node.label for node in order(d)]
    ['a', 'b', 'c', 'd']
    """
    # `rest` yields the parents of `node` that are still to be visited; `below` is the stack of what
    # waits. Most edges lead to a node that is done already: `filterfalse` skips them fast.
    result: list[NodeT] = []
    done: set[NodeT] = set()
    is_done = done.__contains__
    node = root
    rest: Iterator[NodeT] = filterfalse(is_done, root.parents)
    below: list[tuple[NodeT, Iterator[NodeT]]] = []
    being_visited = {root}
    while True:
        for parent in rest:
            if parent in being_visited:
                raise CycleError(f"the graph contains itself: {parent!r} is its own ancestor")
            grandparents = parent.parents
            if grandparents:
                below.append((node, rest))
                node, rest = parent, filterfalse(is_done, grandparents)
                being_visited.add(node)
                break
            done.add(parent)
            result.append(parent)
        else:
            being_visited.remove(node)
            done.add(node)
            result.append(node)
            if not below:
                return result
            node, rest = below.pop()


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
