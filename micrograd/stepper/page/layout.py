"""The layout of a graph on the page, in pixels: its cards, operations and edges."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from micrograd.stepper.page.folding import Folded, depths

__all__ = ["CARD", "LARGEST_DRAWING", "NARROW", "RADIUS", "Edge", "Layout", "lay_out"]

CARD: Final = (112, 64)
NARROW: Final = 84  # the width of a card without captions, where there is little room
RADIUS: Final = 17  # of the circle of an operation
LARGEST_DRAWING: Final = 150  # values that Graphviz lays out; more stand in columns
_TALLEST: Final = 64  # cards in a column of a folded graph
_MARGIN: Final = (13, 12, 13, 10)  # left, top, right, bottom without the arithmetic below a card
_LINE: Final = 16  # of the arithmetic below a card
_RING: Final = 9  # around a card that takes part in a step
_CLEARED: Final = 60  # edges; the labels of more are not kept clear of each other
_TO_CARD: Final = 12  # from an operation to its card
_TO_OPERATION: Final = 3  # times as far from a card to the next operation, at least


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from a card to an operation, and where its local derivative is written.

    `lean` is 1 if that stands to the right of the line and -1 if to the left: a text that becomes
    longer grows away from the line. Above and below it is 0.
    """

    parent: int
    child: int
    operand: int
    curve: str = ""
    label: tuple[float, float] = (0.0, 0.0)
    lean: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of a drawing stands.

    Attributes
    ----------
    size : (float, float)
    cards : list of (float, float)
        The centres of the values.
    operations : list of (float, float) or None
        The centres of their operations; None for a leaf.
    outs : list of str
        The curves from operation to card, as SVG paths; "" for a leaf.
    edges : list of Edge
        In the order of children and operands. In a large drawing they have no curves.
    fold : Folded or None
        Which values share a position.
    card : int
        How wide a card is.
    narrow : Layout or None
        The same graph for a narrower page.
    """

    size: tuple[float, float]
    cards: list[tuple[float, float]]
    operations: list[tuple[float, float] | None]
    outs: list[str]
    edges: list[Edge]
    fold: Folded | None = None
    card: int = CARD[0]
    narrow: Layout | None = None


def lay_out(
    parents: Sequence[Sequence[int]],
    widths: Sequence[float],
    labels: Mapping[tuple[int, int], float] | None = None,
    fold: Folded | None = None,
    *,
    card: int = CARD[0],
    lines: int = 1,
) -> Layout:
    """Lay out a graph.

    Parameters
    ----------
    parents : sequence of sequence of int
        The operands of each value, which come before it.
    widths : sequence of float
        How wide each value's operation is drawn.
    labels : dict, optional
        How wide the local derivative beside each edge is, by child and operand.
    fold : Folded, optional
        Which values share a position, and in which column each stands.
    card : int
        How wide a card is drawn.
    lines : int
        How many lines of arithmetic hang below a card.

    Notes
    -----
    Graphviz lays out graphs of up to `LARGEST_DRAWING` values. Its layout of a larger network would
    be tens of thousands of pixels high, so larger graphs, and folded ones, stand in columns by
    depth.
    """
    if fold is None and len(parents) <= LARGEST_DRAWING:
        return _drawn(parents, widths, labels or {}, card, lines)
    return _columns(parents, widths, max((labels or {}).values(), default=0), fold)


def _drawn(
    parents: Sequence[Sequence[int]],
    widths: Sequence[float],
    labels: Mapping[tuple[int, int], float],
    card: int,
    lines: int,
) -> Layout:
    hanging = 8 + _LINE * lines
    found = _placed(parents, widths, max(labels.values(), default=0), card, hanging + 10)
    left, top, right, bottom = _MARGIN
    _, _, width, height = map(float, found["bb"].split(","))

    def at(x: float, y: float) -> tuple[float, float]:
        return round(x + left, 1), round(height - y + top, 1)

    centres = {item["name"]: at(*map(float, item["pos"].split(","))) for item in found["objects"]}
    names = {item["_gvid"]: item["name"] for item in found["objects"]}
    outs = [""] * len(parents)
    splines: dict[tuple[int, int], _Points] = {}
    for edge in found.get("edges", []):
        points = [
            at(*map(float, pair.split(","))) for pair in edge["pos"].split() if pair[0] != "e"
        ]
        if "id" in edge:
            child, operand = map(int, edge["id"].split())
            splines[child, operand] = points
        else:
            outs[int(names[edge["head"]][1:])] = _curve(points)
    boxes = [
        (x - half, y - high, x + half, y + high)
        for name, (x, y) in centres.items()
        for half, high in [
            (card / 2, CARD[1] / 2) if name[0] == "v" else (widths[int(name[1:])] / 2, RADIUS)
        ]
    ]
    levels = {int(name[1:]): y for name, (_, y) in centres.items() if name[0] == "o"}
    rings = [
        (
            x - card / 2 - _RING,
            y - CARD[1] / 2 - _RING,
            x + card / 2 + _RING,
            y + CARD[1] / 2 + _RING,
        )
        for name, (x, y) in centres.items()
        if name[0] == "v"
    ]
    above = (-math.inf, -math.inf, math.inf, 0.0)
    places = _place_labels(splines, labels, levels, [above, *boxes], rings)
    return Layout(
        size=(round(width + left + right, 1), round(height + top + hanging + bottom, 1)),
        card=card,
        cards=[centres[f"v{i}"] for i in range(len(parents))],
        operations=[centres.get(f"o{i}") for i in range(len(parents))],
        outs=outs,
        edges=[
            Edge(p, i, k, _curve(splines[i, k]), *places[i, k])
            for i, operands in enumerate(parents)
            for k, p in enumerate(operands)
        ],
    )


def _placed(
    parents: Sequence[Sequence[int]], widths: Sequence[float], label: float, card: int, gap: float
) -> Any:
    """Return what Graphviz says of where all stands; `label` is the width of the widest label."""
    from micrograd.draw.picture import Picture

    inch = 72
    body = [f"v{i} [width={card / inch:.4f} height={CARD[1] / inch:.4f}]\n"
            for i in range(len(parents))]  # fmt: skip
    shared = any(
        parents[p] and sum(p in operands for operands in parents) > 1 for p in range(len(parents))
    )
    # A label may be as wide as the way to the operation, the operation, and the way to its card.
    room = 2 * RADIUS + _TO_CARD - 6 - _RING
    far = max(_TO_OPERATION, math.ceil((label - room) / _TO_CARD))
    for i, operands in enumerate(parents):
        if operands:
            size = f"width={widths[i] / inch:.4f} height={2 * RADIUS / inch:.4f}"
            if widths[i] == 2 * RADIUS:
                size += " shape=circle"
            body += [f"o{i} [{size}]\n", f"o{i} -> v{i} [weight=8]\n"]
            body += [
                f'v{p} -> o{i} [tailport=e minlen={far} id="{i} {k}"]\n'
                for k, p in enumerate(operands)
            ]
    graph = {
        "rankdir": "LR",
        "nodesep": f"{gap / inch:.3f}",
        "ranksep": f"{_TO_CARD / inch:.3f}",
    }
    if not shared:
        graph["ordering"] = "in"
    picture = Picture(
        graph_attr=graph,
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"arrowhead": "none"},
        body=[f"\t{line}" for line in body],
    )
    return json.loads(picture.pipe("json", encoding="utf-8"))


def _curve(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    return f"M{x:g} {y:g}C" + " ".join(f"{a:g} {b:g}" for a, b in rest)


_Box = tuple[float, float, float, float]
_Points = Sequence[tuple[float, float]]
_SHARES: Final = (0.62, 0.5, 0.75, 0.4, 0.3, 0.85, 0.2, 0.1, 0.95)  # of a spline's length
_DOTS: Final = 60  # points of a spline that a label is kept off
_LEVEL: Final = 0.25  # a label that is less than this beside its spline is above or below it


def _place_labels(
    splines: Mapping[tuple[int, int], _Points],
    labels: Mapping[tuple[int, int], float],
    levels: Mapping[int, float],
    taken: list[_Box],
    rings: Sequence[_Box],
) -> dict[tuple[int, int], tuple[tuple[float, float], int]]:
    """Return where the label of each edge stands: beside its spline, and clear of all else.

    With each place is the side of the spline that it is on, as in `Edge.lean`.

    `levels` are the heights of the operations, `taken` what stands in the drawing, `rings` what
    may stand around it.
    """
    dots = {
        at: [_at(points, k / _DOTS)[:2] for k in range(_DOTS + 1)] for at, points in splines.items()
    }
    around = {
        at: (min(xs), min(ys), max(xs), max(ys))
        for at, line in dots.items()
        for xs, ys in [zip(*line, strict=True)]
    }

    def crossed(box: _Box, own: tuple[int, int]) -> int:
        """Return how many lines come too near to a label: its own may come nearer than others."""
        near = {
            at: _wider(box, 1 if at == own else 5)
            for at in dots
            if _meet(_wider(box, 5), around[at])
        }
        return sum(any(_meet(wide, (x, y, x, y)) for x, y in dots[at]) for at, wide in near.items())

    found = {}
    for at, points in splines.items():
        places = list(_beside(points, labels.get(at, 0), levels[at[0]]))
        if len(splines) <= _CLEARED:
            free = [p for p in places if not any(_meet(p[1], o) for o in taken)] or places
            free = [p for p in free if not any(_meet(p[1], o) for o in rings)] or free
            places = [min(free, key=lambda place: crossed(place[1], at))]
        found[at], box = places[0]
        taken.append(box)
    return found


def _wider(box: _Box, by: float) -> _Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _meet(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _at(points: _Points, share: float) -> tuple[float, float, float, float]:
    """Return a point of a spline, at this share of its length, and the direction there."""
    spans = (len(points) - 1) // 3
    whole = min(spans - 1, int(share * spans))
    t = share * spans - whole
    p = points[3 * whole : 3 * whole + 4]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    rates = (-((1 - t) ** 2), (1 - t) * (1 - 3 * t), t * (2 - 3 * t), t * t)
    x, y = (sum(w * q[k] for w, q in zip(weights, p, strict=True)) for k in (0, 1))
    dx, dy = (sum(w * q[k] for w, q in zip(rates, p, strict=True)) for k in (0, 1))
    length = math.hypot(dx, dy) or 1.0
    return x, y, dx / length, dy / length


def _beside(
    points: _Points, width: float, level: float
) -> Iterator[tuple[tuple[tuple[float, float], int], _Box]]:
    """Yield places for a label of a spline, with their boxes: on its outer side first.

    The last place of each side is right after the card where the spline starts; a label that is
    wider than the way to the operation, the height of which is `level`, passes by it.
    """
    outward = -1 if points[0][1] <= points[-1][1] + 0.5 else 1
    for side in (outward, -outward):
        places = []
        for share in _SHARES:
            x, y, dx, dy = _at(points, share)
            across, down = (dy, -dx) if (-dx < 0) == (side < 0) else (-dy, dx)
            away = abs(across) * (width / 2 + 4) + abs(down) * 14
            lean = (across > _LEVEL) - (across < -_LEVEL)
            places.append((x + away * across, y + away * down, lean))
        places.append((points[0][0] + _RING + width / 2, level + side * (RADIUS + 12), 1))
        for x, y, lean in places:
            box = x - width / 2, y - 9, x + width / 2, y + 9
            yield ((round(x, 1), round(y + 4, 1)), lean), box


def _columns(
    parents: Sequence[Sequence[int]], widths: Sequence[float], label: float, fold: Folded | None
) -> Layout:
    """Put the values in columns by depth, and split each column into several of equal height.

    `label` is the width of the widest label, which stands before an operation.
    """
    size = len(parents)
    spot = fold.spot if fold else range(size)
    depth = fold.depth if fold else depths(parents)
    # In a folded graph leaves, results and the parameters of weighted sums have their own columns,
    # so that the neurons of a layer are together, with the parameters of the open one beside it.
    groups: dict[tuple[int, int], list[int]] = {}
    for i, operands in enumerate(parents):
        if spot[i] == i:
            kind = 0 if not fold else 1 if operands else 2 if fold.owner[i] >= 0 else 0
            groups.setdefault((depth[i], kind), []).append(i)
    shown = sum(map(len, groups.values()))
    rows = max(6, round(math.sqrt(shown / 2)))
    gap = max(70, 36 + label)
    if fold:  # a layer is one column, so that its lines cross no card
        rows, gap = min(_TALLEST, max(map(len, groups.values()))), max(96, gap)
    step = (CARD[0] + max(widths, default=0) + gap, CARD[1] + 52)
    left, top, right, bottom = _MARGIN
    cards: list[tuple[float, float]] = [(0, 0)] * size
    x = left + step[0] - CARD[0] / 2
    tallest = 0
    for key in sorted(groups):
        group = groups[key]
        columns = math.ceil(len(group) / rows)
        height = math.ceil(len(group) / columns)
        tallest = max(tallest, height)
        for k, i in enumerate(group):
            cards[i] = (x + k // height * step[0], top + CARD[1] / 2 + k % height * step[1])
        x += columns * step[0]
    # The middle of each column stands in the middle of the page.
    lowest: dict[float, float] = {}
    for i, (cx, cy) in enumerate(cards):
        if spot[i] == i:
            lowest[cx] = max(lowest.get(cx, 0), cy)
    full = top + CARD[1] / 2 + (tallest - 1) * step[1]
    for i, first in enumerate(spot):
        cx, cy = cards[first]
        cards[i] = (
            (round(cx, 1), round(cy + (full - lowest[cx]) / 2, 1)) if first == i else (cx, cy)
        )
    operations: list[tuple[float, float] | None] = [
        (round(cx - CARD[0] / 2 - 26 - widths[i] / 2, 1), cy) if parents[i] else None
        for i, (cx, cy) in enumerate(cards)
    ]
    outs = [
        "" if centre is None else
        f"M{centre[0] + widths[i] / 2:g} {centre[1]:g}H{cards[i][0] - CARD[0] / 2:g}"
        for i, centre in enumerate(operations)
    ]  # fmt: skip
    return Layout(
        size=(
            round(x - step[0] / 2 + right, 1),
            round(full + CARD[1] / 2 + 8 + 2 * _LINE + bottom, 1),
        ),
        cards=cards,
        operations=operations,
        outs=outs,
        edges=[Edge(p, i, k) for i, ops in enumerate(parents) for k, p in enumerate(ops)],
        fold=fold,
    )
