"""How a graph that is too large to be seen at once is folded on the page.

What stands in one place is not shown at the same time. Terms of a sum that are computed alike, as
the losses of samples, share their places, and one of them is shown. The weights and the bias of a
weighted sum are shown while it is open; the sums of one depth share the places for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from micrograd.draw.diagram import Box
from micrograd.draw.fold import Alike, alike

__all__ = ["LARGEST_WHOLE", "Folded", "depths", "folded"]

LARGEST_WHOLE: Final = 60  # values up to which a graph is shown whole
_BUNDLE: Final = 3  # operands from which the parameters of a weighted sum are folded


@dataclass(frozen=True, slots=True)
class Folded:
    """Which values share a place, and when each is shown.

    Attributes
    ----------
    spot : list of int
        For each value, the first of those that stand where it stands.
    depth : list of int
        For each value, the column that it stands in.
    term : list of (int, int) or None
        Which group of like terms a value belongs to, and which of its terms.
    owner : list of int
        For a parameter, the spot of the weighted sum that has to be open for it to be shown, the
        first that reads it; for a weighted sum, that of its parameters; else -1.
    groups : list of Alike
    """

    spot: list[int]
    depth: list[int]
    term: list[tuple[int, int] | None]
    owner: list[int]
    groups: list[Alike]


def folded(boxes: Sequence[Box]) -> Folded | None:
    """Return how to fold a graph; None if it is small, or nothing of it can be folded.

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
    # A parameter is no term's own, though a penalty on it may be a term: it stands at its neuron.
    leaves = [i for i, own in enumerate(_owners(boxes, spot)) if own >= 0 and not boxes[i].parents]
    for box, _, _, found in alike(list(boxes), leaves):
        if term[box.position] is not None:
            continue  # a sum inside a term: the whole term has its place already
        for like in found:
            for k, inside in enumerate(like.inside):
                for first, position in zip(like.inside[0], inside, strict=True):
                    spot[position], term[position] = first, (len(groups), k)
            groups.append(like)
    owner = _owners(boxes, spot)
    depth = depths([box.parents for box in boxes], spot, owner)
    # The nth parameter of each weighted sum of one depth stands in one place.
    places: dict[tuple[int, int], int] = {}
    count: dict[int, int] = {}
    for position, owned in enumerate(owner):
        if owned >= 0 and not boxes[position].parents and spot[position] == position:
            nth = count[owned] = count.get(owned, -1) + 1
            spot[position] = places.setdefault((depth[position], nth), position)
    for position, first in enumerate(spot):  # the leaves of like terms follow theirs
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
        if box.op is not None and box.op.name == "dot" and len(box.parents) >= _BUNDLE:
            half = len(box.parents) // 2
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
        elif box.op is not None and box.op.name == "dot":
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
