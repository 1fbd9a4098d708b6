"""Uses of a layer that belong to one sample: one after the other, or side by side as two twins."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Hashable, Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any, NamedTuple

from micrograd.errors import GradientError
from micrograd.ops import Op, partial_formulas

__all__ = ["Sum", "uses_in"]


class Sum(NamedTuple):
    """A complete weighted sum: the layer and the neuron that it is of, and what that is given."""

    layer: Hashable
    number: int
    inputs: tuple[Any, ...]


class _Group:
    """What leads to each other: the uses of each neuron in it."""

    def __init__(self) -> None:
        self.uses: dict[Hashable, list[Any]] = {}
        self.joined: _Group | None = None  # the group that this one has become a part of

    @property
    def whole(self) -> _Group:
        """The group that it belongs to by now."""
        group = self
        while group.joined:
            group = group.joined
        return group

    def join(self, other: _Group) -> _Group:
        """Return both as one: the smaller becomes a part of the larger."""
        large, small = (self, other) if len(self.uses) >= len(other.uses) else (other, self)
        small.joined = large
        for neuron, sums in small.uses.items():
            large.uses.setdefault(neuron, []).extend(sums)
        return large


@lru_cache(maxsize=256)
def _is_linear(op: Op, operands: tuple[int, ...]) -> bool:
    """Return whether the derivatives with respect to these operands are free of them."""
    names = [f"x{i}" for i in range(op.arity)]
    try:
        formulas = partial_formulas(op, names)
    except (GradientError, ValueError, ArithmeticError):
        return False
    moving = {"out", *(names[i] for i in operands)}
    return not any(moving & set(re.findall(r"\w+", formulas[i])) for i in operands)


def _ends(nodes: Sequence[Any], sums: Container[Any]) -> set[Any]:
    """Return what only adds losses up: the root, and what it is the sum, the mean or a multiple of.

    A function of such a sum, as its square root, is one too; below it a difference is none.
    """
    after, found = {nodes[-1]: True}, set()  # whether a difference counts
    others = Counter(parent for node in nodes for parent in node.parents)  # that read a value
    for node in reversed(nodes):
        if node not in after or others[node] or not node.parents or node in sums:
            continue
        computed, plain = [parent for parent in node.parents if parent.parents], after[node]
        places = tuple([i for i, parent in enumerate(node.parents) if parent.parents])
        several = len(computed) > 1 and not plain
        if not node.op.adds and (several or not _is_linear(node.op, places)):
            if len(computed) != 1:
                continue
            plain = False
        found.add(node)
        for parent in computed:
            after[parent] = plain and after.get(parent, True)
            others[parent] -= 1
    return found


def uses_in(nodes: Sequence[Any], sums: Mapping[Any, Sum]) -> dict[Any, int]:
    """Return which use of its neuron in its sample each weighted sum is, from 1.

    Uses whose losses are added are samples of their own. They belong to one sample where they meet
    before: where one leads to the other, in a distance, a product or a further layer. Where one of
    them takes what has met, as in attention or after a batch norm, there are no such samples.

    Parameters
    ----------
    nodes : sequence of Value
        In topological order, the root last.
    sums : mapping of Value to Sum

    Returns
    -------
    dict
        Empty if no neuron is used several times in a sample.

    Examples
    --------
    >>> from micrograd import Value
    >>> from micrograd.graph import order
    >>> w, x, y = Value(3.0), Value(1.0), Value(2.0)
    >>> sums = {w * x: Sum("layer", 1, (x,)), w * y: Sum("layer", 1, (y,))}
    >>> first, second = sums
    >>> list(uses_in(order((first - second) ** 2), sums).values())
    [1, 2]
    >>> uses_in(order(first + second), sums)
    {}
    """
    ends = _ends(nodes, sums)
    groups: dict[Any, _Group] = {}
    for node in nodes:
        found = {groups[parent].whole for parent in node.parents if parent in groups}
        if node in ends or not (found or node in sums):
            continue
        group = reduce(_Group.join, found) if found else _Group()
        if node in sums:
            group.uses.setdefault(sums[node][:2], []).append(node)
        groups[node] = group
    every = [uses for group in {g.whole for g in groups.values()} for uses in group.uses.values()]
    several = {node for uses in every if len(uses) > 1 for node in uses}
    if not several or _take_what_met(nodes, sums, several):
        return {}
    rank = {node: i for i, node in enumerate(nodes)}
    return {
        node: use
        for uses in every
        for use, node in enumerate(sorted(uses, key=rank.__getitem__), 1)
    }


def _take_what_met(nodes: Sequence[Any], sums: Mapping[Any, Sum], several: Container[Any]) -> bool:
    """Return whether one of several uses takes what several uses of a first layer lead to."""
    starts: dict[Any, frozenset[tuple[Any, ...]]] = {}  # of each value the uses of first layers
    for node in nodes:
        found = frozenset().union(*[starts[p] for p in node.parents if p in starts])
        if node in several and len({layer for layer, _ in found}) < len(found):
            return True
        if not found and node in sums:
            found = frozenset([(sums[node].layer, sums[node].inputs)])
        if found:
            starts[node] = found
    return False
