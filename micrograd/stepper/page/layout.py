"""The layout of a graph on the page, in pixels: its cards, operations and edges."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from micrograd.stepper.page.folding import Folded, depths

__all__ = ["CARD", "LARGEST_DRAWING", "RADIUS", "Edge", "Layout", "lay_out"]

CARD: Final = (112, 84)
RADIUS: Final = 17  # of the circle of an operation
LARGEST_DRAWING: Final = 150  # values that Graphviz lays out; more stand in columns
_TALLEST: Final = 64  # cards in a column of a folded graph
_MARGIN: Final = (24, 22, 24, 42)  # left, top, right, bottom: the running sum hangs there


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from a card to an operation, and where its local derivative is written."""

    parent: int
    child: int
    operand: int
    curve: str = ""
    label: tuple[float, float] = (0.0, 0.0)


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
    """

    size: tuple[float, float]
    cards: list[tuple[float, float]]
    operations: list[tuple[float, float] | None]
    outs: list[str]
    edges: list[Edge]
    fold: Folded | None = None


def lay_out(
    parents: Sequence[Sequence[int]],
    widths: Sequence[float],
    label_width: float = 0,
    fold: Folded | None = None,
) -> Layout:
    """Lay out a graph.

    Parameters
    ----------
    parents : sequence of sequence of int
        The operands of each value, which come before it.
    widths : sequence of float
        How wide each value's operation is drawn.
    label_width : float
        The width of the widest local derivative, which is written beside its edge.
    fold : Folded, optional
        Which values share a position, and in which column each stands.

    Notes
    -----
    Graphviz lays out graphs of up to `LARGEST_DRAWING` values. Its layout of a larger network would
    be tens of thousands of pixels high, so larger graphs, and folded ones, stand in columns by
    depth.
    """
    if fold is None and len(parents) <= LARGEST_DRAWING:
        return _drawn(parents, widths, label_width)
    return _columns(parents, widths, fold)


def _drawn(parents: Sequence[Sequence[int]], widths: Sequence[float], label_width: float) -> Layout:
    from micrograd.draw.picture import Picture

    inch = 72
    body = [f"v{i} [width={CARD[0] / inch:.4f} height={CARD[1] / inch:.4f}]\n"
            for i in range(len(parents))]  # fmt: skip
    shared = any(
        parents[p] and sum(p in operands for operands in parents) > 1 for p in range(len(parents))
    )
    for i, operands in enumerate(parents):
        if operands:
            size = f"width={widths[i] / inch:.4f} height={2 * RADIUS / inch:.4f}"
            if widths[i] == 2 * RADIUS:
                size += " shape=circle"
            body += [f"o{i} [{size}]\n", f"o{i} -> v{i} [weight=8]\n"]
            body += [f'v{p} -> o{i} [tailport=e id="{i} {k}"]\n' for k, p in enumerate(operands)]
    gap = max(36.0, label_width + 8)
    graph = {"rankdir": "LR", "nodesep": ".64", "ranksep": f"{gap / inch:.3f}"}
    if not shared:
        graph["ordering"] = "in"
    picture = Picture(
        graph_attr=graph,
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"arrowhead": "none"},
        body=[f"\t{line}" for line in body],
    )
    found: dict[str, Any] = json.loads(picture.pipe("json", encoding="utf-8"))
    left, top, right, bottom = _MARGIN
    _, _, width, height = map(float, found["bb"].split(","))

    def at(x: float, y: float) -> tuple[float, float]:
        return round(x + left, 1), round(height - y + top, 1)

    centres = {item["name"]: at(*map(float, item["pos"].split(","))) for item in found["objects"]}
    names = {item["_gvid"]: item["name"] for item in found["objects"]}
    outs = [""] * len(parents)
    curves: dict[tuple[int, int], tuple[str, tuple[float, float]]] = {}
    for edge in found.get("edges", []):
        points = [
            at(*map(float, pair.split(","))) for pair in edge["pos"].split() if pair[0] != "e"
        ]
        if "id" in edge:
            child, operand = map(int, edge["id"].split())
            doubled = parents[child].count(parents[child][operand]) > 1
            curves[child, operand] = _curve(points), (_outside if doubled else _beside)(points)
        else:
            outs[int(names[edge["head"]][1:])] = _curve(points)
    return Layout(
        size=(round(width + left + right, 1), round(height + top + bottom, 1)),
        cards=[centres[f"v{i}"] for i in range(len(parents))],
        operations=[centres.get(f"o{i}") for i in range(len(parents))],
        outs=outs,
        edges=[
            Edge(p, i, k, *curves[i, k])
            for i, operands in enumerate(parents)
            for k, p in enumerate(operands)
        ],
    )


def _curve(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    return f"M{x:g} {y:g}C" + " ".join(f"{a:g} {b:g}" for a, b in rest)


def _outside(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a point above the middle of a spline that bulges upwards, else one below it."""
    x = (points[0][0] + points[-1][0]) / 2
    heights = [y for _, y in points]
    up, down = heights[0] - min(heights), max(heights) - heights[0]
    return round(x, 1), round(min(heights) - 4 if up >= down else max(heights) + 14, 1)


def _beside(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a point 20 pixels to the outer side of a spline, at 62 % of its length."""
    spans = (len(points) - 1) // 3
    whole = min(spans - 1, int(0.62 * spans))
    t = 0.62 * spans - whole
    p = points[3 * whole : 3 * whole + 4]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x, y = (sum(w * q[k] for w, q in zip(weights, p, strict=True)) for k in (0, 1))
    rates = (-((1 - t) ** 2), (1 - t) * (1 - 3 * t), t * (2 - 3 * t), t * t)
    dx, dy = (sum(w * q[k] for w, q in zip(rates, p, strict=True)) for k in (0, 1))
    length = math.hypot(dx, dy) or 1.0
    outward = -1 if points[0][1] <= points[-1][1] + 0.5 else 1
    across, down = dy / length, -dx / length
    if (down < 0) != (outward < 0):
        across, down = -across, -down
    return round(x + 20 * across, 1), round(y + 20 * down + 4, 1)


def _columns(
    parents: Sequence[Sequence[int]], widths: Sequence[float], fold: Folded | None
) -> Layout:
    """Put the values in columns by depth, and split each column into several of equal height."""
    size = len(parents)
    spot = fold.spot if fold else range(size)
    depth = fold.depth if fold else depths(parents)
    # Leaves, results and the parameters of weighted sums have columns of their own, so that the
    # neurons of a layer are together, with the parameters of the open one beside it.
    groups: dict[tuple[int, int], list[int]] = {}
    for i, operands in enumerate(parents):
        if spot[i] == i:
            kind = 1 if operands else 2 if fold and fold.owner[i] >= 0 else 0
            groups.setdefault((depth[i], kind), []).append(i)
    shown = sum(map(len, groups.values()))
    rows = max(6, round(math.sqrt(shown / 2)))
    gap = 76
    if fold:  # a layer is one column, so that its lines cross no card
        rows, gap = min(_TALLEST, max(map(len, groups.values()))), 100
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
        size=(round(x - step[0] / 2 + right, 1), round(full + CARD[1] / 2 + bottom, 1)),
        cards=cards,
        operations=operations,
        outs=outs,
        edges=[Edge(p, i, k) for i, ops in enumerate(parents) for k, p in enumerate(ops)],
        fold=fold,
    )
