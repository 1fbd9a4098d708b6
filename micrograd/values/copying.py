"""Copies and pickles of graphs, without recursion, however deep they are."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

from micrograd.errors import GradientError
from micrograd.graph import order

__all__ = ["Copying"]


class Copying:
    """How a node is copied and pickled, with all that it was computed from."""

    __slots__ = ()

    def __copy__(self: Any) -> Any:
        node = _alone(self, self.parents)
        node.__dict__.update(self.__dict__)
        return node

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        for node in order(self):
            if id(node) not in memo:
                copy = _alone(node, tuple([memo[id(parent)] for parent in node.parents]))
                memo[id(node)] = copy
                if node.__dict__:
                    copy.__dict__.update(deepcopy(node.__dict__, memo))
        return memo[id(self)]

    def __reduce__(self: Any) -> tuple[Any, ...]:
        if not self.parents:
            return _leaf, (type(self), self.data, self.op, self.grad), self.__dict__ or None
        # Leaves go as themselves, so that they stay shared with whatever is pickled beside them;
        # results as rows that name their parents by position, so that nothing nests.
        position: dict[Any, int] = {}
        rows: list[Any] = []
        for node in order(self):
            position[node] = len(rows)
            rows.append(_row(node, position) if node.parents else node)
        return _graph, (rows,)


def _check_copyable(node: Any) -> None:
    if "_closure" in node.__dict__:
        raise GradientError(f"{node!r} has a hand-made _backward, which cannot be copied")


def _alone(node: Any, operands: tuple[Any, ...]) -> Any:
    """Return a copy of one node, with these operands and without what users hung on it."""
    if operands:
        _check_copyable(node)
    copy = type(node)._made(node.computed, node.op, operands, node.inputs)
    copy.grad = node.grad
    copy.data = node.data
    return copy


def _row(node: Any, position: dict[Any, int]) -> tuple[Any, ...]:
    _check_copyable(node)
    parents, inputs = node.parents, node.inputs
    fresh = all(parent.data is x for parent, x in zip(parents, inputs, strict=True))
    return (
        tuple([position[parent] for parent in parents]),
        None if fresh else inputs,
        *(type(node), node.data, node.op, node.grad, node.__dict__ or None, node.computed),
    )


def _leaf(kind: Any, data: Any, op: Any, grad: Any) -> Any:
    node = kind._made(data, op)
    node.grad = grad
    return node


def _graph(rows: list[Any]) -> Any:
    for i, row in enumerate(rows):
        if isinstance(row, tuple):
            positions, inputs, kind, data, op, grad, attributes, *computed = row
            parents = tuple([rows[position] for position in positions])
            # Unchanged inputs are again the very objects that the parents hold.
            inputs = tuple([p.data for p in parents]) if inputs is None else inputs
            node = rows[i] = kind._made(computed[0] if computed else data, op, parents, inputs)
            node.grad, node.data = grad, data
            if attributes:
                node.__dict__.update(attributes)
    return cast("Any", rows[-1])
