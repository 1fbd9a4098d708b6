"""How a graph that is too large to be seen at once is folded on the page.

Values that share a position are shown one at a time. Terms of a sum that are computed alike, such
as the losses of the samples, share their positions: one term is shown. The weights and the bias of
a weighted sum are shown while it is open; all sums of one depth share the positions for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from micrograd.draw.diagram import Box
from micrograd.draw.fold import Alike, alike

__all__ = ["LARGEST_WHOLE", "Folded", "depths", "folded"]

LARGEST_WHOLE: Final = 60  # values; a larger graph is folded
_BUNDLE: Final = 3  # operands; the parameters of a weighted sum of fewer are not folded


@dataclass(frozen=True, slots=True)
class Folded:
    """Which values share a position, and when each is shown.

    Attributes
    ----------
    spot : list of int
        For each value, the first one at its position.
    depth : list of int
        For each value, its column.
    term : list of (int, int) or None
        For each value, its group of like terms and the number of its term in it.
    owner : list of int
        For a parameter, the spot of the first weighted sum that uses it, which is open while the
        parameter is shown; for a weighted sum, the owner of its parameters; else -1.
    groups : list of Alike
    """

    spot: list[int]
    depth: list[int]
    term: list[tuple[int, int] | None]
    owner: list[int]
    groups: list[Alike]


def folded(boxes: Sequence[Box]) -> Folded | None:
    """Return how to fold a graph; None if it is small, or has nothing to fold.

    Parameters
    ----------
    boxes : sequence of Box
        In topological order.
    """
    if len(boxes) <= LARGEST_WHOLE:
        return None
    spot = list(range(len(boxes)))
    term: list[tuple[int, int] | None] = [None] * len(boxes)
    groups: list[Alike] = []
    # No parameter belongs to a term, even where a penalty on it is a term: it stands at its neuron.
    leaves = [i for i, own in enumerate(_owners(boxes, spot)) if own >= 0 and not boxes[i].parents]
    for box, _, _, found in alike(list(boxes), leaves):
        if term[box.position] is not None:
            continue  # a sum inside a term: the whole term has its position already
        for like in found:
            for k, inside in enumerate(like.inside):
                for first, position in zip(like.inside[0], inside, strict=True):
                    spot[position], term[position] = first, (len(groups), k)
            groups.append(like)
    owner = _owners(boxes, spot)
    depth = depths([box.parents for box in boxes], spot, owner)
    # The nth parameters of all weighted sums of one depth share a position.
    places: dict[tuple[int, int], int] = {}
    count: dict[int, int] = {}
    for position, owned in enumerate(owner):
        if owned >= 0 and not boxes[position].parents and spot[position] == position:
            nth = count[owned] = count.get(owned, -1) + 1
            spot[position] = places.setdefault((depth[position], nth), position)
    for position, first in enumerate(spot):  # the leaves of like terms too
        spot[position] = spot[first]
    if not groups and not places:
        return None
    return Folded(spot, depth, term, owner, groups)


def _owners(boxes: Sequence[Box], spot: Sequence[int]) -> list[int]:
    """Return which weighted sum has each leaf as a weight or bias: the spot of the first; else -1.

    The operands of `dot` are the weights, what they multiply, and the bias. For a sum itself it is
    that of its first weight.
    """
    readers: dict[int, int] = {}
    inputs: set[int] = set()
    for box in boxes:
        if box.op is not None and box.op.pairs and len(box.parents) >= _BUNDLE:
            half = box.op.pairs
            for k, parent in enumerate(box.parents):
                if boxes[parent].parents or half <= k < 2 * half:
                    inputs.add(spot[parent])
                else:
                    readers.setdefault(spot[parent], spot[box.position])
    owner = [-1] * len(boxes)
    for box in boxes:
        at = spot[box.position]
        if not box.parents and at not in inputs:
            owner[box.position] = readers.get(at, -1)
        elif box.op is not None and box.op.pairs and len(box.parents) >= _BUNDLE:
            owner[box.position] = next((owner[p] for p in box.parents if owner[p] >= 0), -1)
    return owner


def depths(
    parents: Sequence[Sequence[int]],
    spot: Sequence[int] | None = None,
    owner: Sequence[int] | None = None,
) -> list[int]:
    """Return the column of each value: results after their operands, leaves before their use."""
    size = len(parents)
    spot = spot or range(size)
    owner = owner or [-1] * size
    depth, used = [0] * size, [size] * size
    for i, operands in enumerate(parents):
        if operands:
            depth[i] = 1 + max(depth[p] for p in operands)
            for p in operands:
                used[spot[p]] = min(used[spot[p]], depth[i])
    for i, operands in enumerate(parents):
        if not operands and used[spot[i]] < size:
            depth[i] = (depth[owner[i]] if owner[i] >= 0 else used[spot[i]]) - 1
    return depth
