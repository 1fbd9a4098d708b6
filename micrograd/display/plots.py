"""Small plots as SVG, in the colours of the page: without matplotlib, in a few milliseconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from micrograd.display.sheet import minus, plain
from micrograd.plot.axes import HIGHEST
from micrograd.plot.history import log_floor
from micrograd.style import MARKERS, class_shape, number_text, thinned

__all__ = ["curves", "points"]

_WIDTH, _HEIGHT = 460, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 448, 14, 200
_DRAWN: Final = 800  # entries of a curve: two in each of 400 columns
_POINTS: Final = 400
_SHAPES: Final = {
    "o": "m-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
    "s": "m-3.6,-3.6h7.2v7.2h-7.2z",
    "^": "m0,-4.6l4.4,7.8h-8.8z",
    "D": "m0,-4.8l4.8,4.8l-4.8,4.8l-4.8,-4.8z",
    "X": "m-3.6,-3.6l7.2,7.2m0,-7.2l-7.2,7.2",
}


def curves(lines: Sequence[tuple[str, Sequence[int], Sequence[float]]], caption: str) -> str:
    """Return the curves of a training run.

    Parameters
    ----------
    lines : sequence of (name, steps, entries)
        At most two: the first is drawn solid, the second dashed. An entry that is not finite is a
        gap.
    caption : str
        What a screen reader reads out.

    Examples
    --------
    >>> curves([("train", range(3), [1.0, 0.5, 0.25])], "Loss of 3 steps").count("<path")
    4
    """
    entries = [min(max(y, -HIGHEST), HIGHEST) for *_, ys in lines for y in ys if math.isfinite(y)]
    last = max([step for _, steps, _ in lines for step in steps], default=0) or 1
    floor = log_floor(entries)
    low, high = min(0.0, *entries, 0.0), max(entries, default=1.0)
    if floor:
        low, high = math.log10(floor), math.log10(high)
    span = high - low or 1.0

    def place(step: int, y: float) -> str:
        y = min(max(y, -HIGHEST), HIGHEST)
        up = ((math.log10(max(y, floor)) if floor else y) - low) / span
        across = _LEFT + (_RIGHT - _LEFT) * step / last
        return f"{across:.1f},{_BOTTOM - (_BOTTOM - _TOP) * up:.1f}"

    ticks = [low + span * k / 2 for k in range(3)]
    drawn = []
    for tick in ticks:
        y = _BOTTOM - (_BOTTOM - _TOP) * (tick - low) / span
        written = minus(number_text(10**tick if floor else tick, 3))
        drawn.append(_line(_LEFT, y, _RIGHT, y) + _text(_LEFT - 8, y + 4, written, "end"))
    for kind, (_, steps, ys) in zip(("", "held"), lines, strict=False):
        path, pen = [], "M"
        for step, y in thinned(list(zip(steps, ys, strict=False)), _DRAWN):
            if not math.isfinite(y):
                pen = "M"
                continue
            path.append(f"{pen}{place(step, y)}")
            pen = "L"
        if len(path) == 1:  # a line of one point is not seen
            path.append(_SHAPES["o"])
        drawn.append(f'<path class="{kind}" d="{" ".join(path)}"/>')
    drawn.append(_text(_LEFT, _BOTTOM + 18, "0", "middle"))
    drawn.append(_text(_RIGHT, _BOTTOM + 18, f"step {last:,}", "end"))
    return _svg(drawn, caption)


def points(
    across: Sequence[float],
    up: Sequence[float],
    classes: Sequence[int],
    *,
    outputs: int,
    names: tuple[str, str],
    caption: str,
) -> str:
    """Return samples in the plane of two features, with a colour and a shape for each class.

    Parameters
    ----------
    across, up : sequence of float
        The two features.
    classes : sequence of int
    outputs : int
        Of a model: 1 for two classes, which are told by a sign; else the number of classes.
    names : tuple of str
        Of the two features.
    caption : str
        What a screen reader reads out.

    Examples
    --------
    >>> points([0, 1], [0, 1], [0, 1], outputs=1, names=("x1", "x2"), caption="2").count("mark")
    2
    """
    limits = [(min(xs), max(xs)) for xs in (across, up)]
    (left, right), (bottom, top) = limits
    step = max(1, math.ceil(len(classes) / _POINTS))
    drawn = [
        _line(_LEFT, _TOP - 6, _LEFT, _BOTTOM + 6),
        _line(_LEFT, _BOTTOM + 6, _RIGHT, _BOTTOM + 6),
    ]
    for x, y, k in list(zip(across, up, classes, strict=True))[::step]:
        if not (math.isfinite(x) and math.isfinite(y)):
            continue
        place = f"{_at(x, left, right, _LEFT + 10, _RIGHT - 10):.1f},"
        place += f"{_at(y, bottom, top, _BOTTOM - 4, _TOP + 4):.1f}"
        drawn.append(f'<path class="mark" {mark(k, outputs)} d="M{place}{_shape(k, outputs)}"/>')
    for x, side, number in ((_LEFT + 10, "start", left), (_RIGHT - 10, "end", right)):
        drawn.append(_text(x, _BOTTOM + 22, minus(number_text(float(number), 3)), side))
    for y, number in ((_BOTTOM, bottom), (_TOP + 8, top)):
        drawn.append(_text(_LEFT - 8, y, minus(number_text(float(number), 3)), "end"))
    middle = (_TOP + _BOTTOM) // 2
    drawn.append(_text((_LEFT + _RIGHT) // 2, _BOTTOM + 22, plain(names[0], 36), "middle"))
    turned = f' transform="rotate(-90 16 {middle})"'
    drawn.append(_text(16, middle, plain(names[1], 26), "middle", turned))
    return _svg(drawn, caption)


def mark(k: int, outputs: int) -> str:
    """Return the colour of the mark of class `k`, as an attribute."""
    name = ("neg", "pos")[k] if outputs == 1 else f"class-{k % len(MARKERS)}"
    return f'style="stroke: var(--{name})"'


def key(k: int, outputs: int) -> str:
    """Return the mark of class `k` to stand in a text."""
    shape = f'<path class="mark" {mark(k, outputs)} d="M6,6{_shape(k, outputs)}"/>'
    return f'<svg class="plot" width="12" height="12" aria-hidden="true">{shape}</svg> '


def _shape(k: int, outputs: int) -> str:
    return _SHAPES[MARKERS[class_shape(k, outputs)]]


def _at(x: float, low: float, high: float, start: float, end: float) -> float:
    share = (x / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5  # halves: no overflow
    return start + (end - start) * share


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="grid" d="M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}"/>'


def _text(x: float, y: float, text: str, side: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{side}"{more}>{text}</text>'


def _svg(drawn: list[str], caption: str) -> str:
    return (
        f'<svg class="plot" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" aria-label="{plain(caption)}">{"".join(drawn)}</svg>'
    )
