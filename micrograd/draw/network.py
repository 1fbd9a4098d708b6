"""The usual picture of a network: neurons in columns, a line for each weight."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from micrograd.checks import listed, one_of
from micrograd.draw.dot import checked_options, clean, html, new_picture, quoted
from micrograd.errors import ArgumentError, ArgumentTypeError
from micrograd.nn import activation_of, neurons_of
from micrograd.style import FONT, THEMES, Theme, diverging, finite, largest, number_text, short
from micrograd.style import theme as theme_of

if TYPE_CHECKING:
    from micrograd.draw.picture import Picture

__all__ = ["draw_network"]

_SHOWN: Final = 72  # neurons of a column; of a larger one the first and the last are drawn
_EDGES: Final = 20_000  # lines; of more only the strongest are drawn
_WEAK: Final = 0.05
_INK: Final = 60
_HEIGHT: Final = 370.0  # points
_NAMED: Final = 14.0  # points between neurons; with less there is no room for text beside them


@dataclass(slots=True)
class _Column:
    """A layer, or the inputs: its neurons with their biases and activations."""

    caption: str
    size: int
    shown: list[int]  # the neurons drawn, from top to bottom
    biases: list[Any]
    activations: list[Any]
    places: list[tuple[float, float]]  # of the shown ones
    radius: float = 13.0
    step: float = 44.0


def draw_network(
    model: Any,
    x: Sequence[Any] | None = None,
    *,
    show: str = "weights",
    labels: Sequence[str] | None = None,
    theme: str = "auto",
    legend: bool = True,
    precision: int = 4,
    format: str = "svg",  # noqa: A002
    program: str = "wheel",
) -> Picture:
    """Draw a network as columns of neurons, with a line for each weight.

    The colour of a line shows the sign of the weight, its width and strength the size, relative to
    the largest weight of the layer. The ring of a neuron shows its bias.

    Parameters
    ----------
    model : MLP, Layer or Neuron
    x : sequence of number or Value, optional
        A sample; each neuron is filled with the colour of its activation for it.
    show : {"weights", "gradients"}, default "weights"
        What lines and rings show.
    labels : sequence of str, optional
        Names of the inputs.
    theme : {"auto", "light", "dark"}, default "auto"
        "auto" is light, and as SVG dark where the page around it is dark, such as a notebook; a
        file follows the system.
    legend : bool, default True
    precision : int, default 4
        Significant digits.
    format, program
        As for `draw_dot`.

    Returns
    -------
    Picture

    Raises
    ------
    ArgumentTypeError
        If `model` has no layers of neurons. Also a TypeError.
    ArgumentError
        If an option is unknown, or `show="gradients"` comes before a backward pass.
    InputCountError
        If `x` does not have as many inputs as the model.

    Notes
    -----
    Of a column of more than 72 neurons the first and the last are drawn, and of more than 20,000
    weights the strongest; the legend says so.

    Examples
    --------
    >>> import random
    >>> from micrograd.nn import MLP
    >>> draw_network(MLP(2, [4, 1], rng=random.Random(0)), [1.0, -1.0])
    <Network 2-4-1, 17 parameters>
    """
    checked_options(
        format=format, program=program, theme=theme, precision=precision, themes=("auto", *THEMES)
    )
    one_of("show", show, ("weights", "gradients"))
    layers = neurons_of(model)
    if not layers or not all(layers):
        raise ArgumentTypeError(
            f"expected an MLP, Layer or Neuron to draw, got {type(model).__name__}: draw the graph "
            "of another module's output with draw_dot"
        )
    number = _weight if show == "weights" else _gradient
    if show == "gradients" and not any(
        number(p) != 0 or type(p.grad) is not int
        for layer in layers
        for neuron in layer
        for p in (*neuron.w, neuron.b)
    ):
        raise ArgumentError("the model has no gradients yet: call backward() on a loss first")
    columns = _columns(layers, x, labels, number)
    colors = theme_of("light" if theme == "auto" else theme)
    body = list(_drawn(layers, columns, number, colors, legend, labels, precision, show))
    sizes = "-".join(str(column.size) for column in columns)
    count = sum(len(neuron.w) + 1 for layer in layers for neuron in layer)
    words = _words(columns, show, x is not None, precision)
    picture = new_picture(body, format, program, f"Network {sizes}, {count:,} parameters", words)
    picture.follows = theme == "auto"
    picture.engine, picture.no_layout = "neato", 2  # the source gives all positions
    return picture


def _weight(parameter: Any) -> Any:
    return parameter.data


def _gradient(parameter: Any) -> Any:
    return getattr(parameter.grad, "data", parameter.grad)


def _columns(layers: list[list[Any]], x: Any, labels: Any, number: Any) -> list[_Column]:
    nin = len(layers[0][0].w)
    activations = _activations(layers, x)
    labels = labels if labels is None else listed("labels", labels, "the names of the inputs")
    if labels is not None and len(labels) != nin:
        raise ArgumentError(f"labels must name {nin} inputs, got {len(labels)}")
    sizes = [nin, *map(len, layers)]
    captions = [f"{nin} input{'s' * (nin != 1)}"]
    for neurons in layers:
        kinds = {activation_of(n) for n in neurons}
        captions.append(f"{len(neurons)} {kinds.pop() if len(kinds) == 1 else 'mixed'}")
    captions = [
        text if size <= _SHOWN else f"{text}, {_SHOWN} shown"
        for text, size in zip(captions, sizes, strict=True)
    ]
    tallest = min(max(sizes), _SHOWN + 1)
    height = max(_HEIGHT, 9.2 * tallest)
    named = max(90.0, 7.0 * max(map(len, captions)) + 14.0)  # room for the words below a column
    gap = min(330.0, max(660.0 / len(layers), min(190.0, 760.0 / len(layers)), named))
    gap = max(gap, 1.3 * height / len(layers))  # a tall picture is wide too
    columns = []
    for i, size in enumerate(sizes):
        half = _SHOWN // 2
        shown = list(range(size))
        if size > _SHOWN:
            shown = [*range(half), *range(size - half, size)]
        rows = len(shown) + (size > _SHOWN)
        step = min(44.0, height / rows)
        top = step * (rows - 1) / 2
        rank = [row + (size > _SHOWN and row >= half) for row in range(len(shown))]
        columns.append(
            _Column(
                caption=captions[i],
                size=size,
                shown=shown,
                biases=[None] * size if i == 0 else [number(n.b) for n in layers[i - 1]],
                activations=activations[i] if activations else [],
                places=[(gap * i, top - step * row) for row in rank],
                radius=max(4.0, min(13.0, height / (2.6 * rows))),
                step=step,
            )
        )
    return columns


def _activations(layers: list[list[Any]], x: Any) -> list[list[Any]]:
    if x is None:
        return []
    values = listed("x", x, "a list of numbers")
    columns = [values]
    for neurons in layers:
        values = [neuron(values) for neuron in neurons]
        columns.append(values)
    return [[getattr(value, "data", value) for value in column] for column in columns]


def _drawn(  # noqa: PLR0917
    layers: list[list[Any]],
    columns: list[_Column],
    number: Any,
    theme: Theme,
    legend: bool,
    labels: Any,
    precision: int,
    show: str,
) -> Iterator[str]:
    activity = largest(a for column in columns for a in column.activations)
    yield (
        f'\tbgcolor="{theme.bg}" pad=0.15 outputorder=edgesfirst splines=line fontname="{FONT}"\n'
    )
    yield (
        "\tnode [shape=circle fixedsize=true style=filled "
        f'fontname="{FONT}" fontsize=12 fontcolor="{theme.ink}" label=""]\n'
    )
    yield f'\tedge [arrowhead=none fontname="{FONT}"]\n'
    yield from _neurons(columns, theme, activity, labels, precision)
    lines, scales, weak, total = _weights(layers, columns, number, theme)
    yield from lines
    bottom = min(y for column in columns for _, y in column.places) - 34
    for i, column in enumerate(columns):
        yield _text(f"c{i}", column.places[0][0], bottom, column.caption, theme.muted)
    if legend:
        middle = columns[-1].places[0][0] / 2
        rings = any(bias for column in columns for bias in column.biases)
        counts = (show, weak, total, len(lines))
        for i, row in enumerate(_legend(scales, rings, activity, theme, counts)):
            place = f"{middle:.6g},{bottom - 32 - 22 * i:.6g}"
            yield f'\tl{i} [shape=plain fixedsize=false style="" pos="{place}" label={row}]\n'


def _text(name: str, x: float, y: float, text: str, color: str) -> str:
    return (
        f'\t{name} [shape=plain fixedsize=false style="" pos="{x:.6g},{y:.6g}" '
        f'fontcolor="{color}" label={quoted(text)}]\n'
    )


def _neurons(
    columns: list[_Column], theme: Theme, activity: Any, labels: Any, precision: int
) -> Iterator[str]:
    for i, column in enumerate(columns):
        scale = largest(b for b in column.biases if b is not None)
        for k, (x, y) in zip(column.shown, column.places, strict=True):
            bias = column.biases[k]
            ring, width = theme.ink, 1.2
            told = f"x0[{k + 1}], input {k + 1}"
            if i > 0:
                told = f"x{i}[{k + 1}], layer {i}, neuron {k + 1}"
            if bias is not None:
                ring = theme.stroke(bias)
                width = 1.2 + (2.3 * min(1.0, abs(bias) / scale) if scale and finite(bias) else 0)
                told += f": bias {number_text(bias, precision)}"
            fill = theme.bg
            if column.activations:
                active = column.activations[k]
                fill = (
                    diverging(active, activity, theme.diverging) if finite(active) else theme.wrong
                )
                told += f", activation {number_text(active, precision)}"
            yield (
                f'\tn{i}_{k} [id="n{i}_{k}" class="mg-neuron" pos="{x:.6g},{y:.6g}" '
                f'width={column.radius / 36:.4f} color="{ring}" penwidth={width:.2f} '
                f'fillcolor="{fill}" tooltip={quoted(told)}]\n'
            )
            side = _beside(i, k, columns, labels, precision)
            if side and column.step >= _NAMED:
                # A letter is about 6 points wide; the text starts beside the neuron.
                reach = column.radius + 8 + 3.1 * len(side)
                place = x - reach if i == 0 else x + reach
                yield _text(f"t{i}_{k}", place, y, side, theme.ink)


def _beside(i: int, k: int, columns: list[_Column], labels: Any, precision: int) -> str:
    """Return the text beside an input or an output: its name and its activation."""
    column = columns[i]
    if i not in (0, len(columns) - 1):
        return ""
    name = short(clean(str(labels[k]))) if i == 0 and labels is not None else ""
    if not column.activations:
        return name
    number = number_text(column.activations[k], precision)
    return f"{name} {number}" if name else number


def _weights(
    layers: list[list[Any]], columns: list[_Column], number: Any, theme: Theme
) -> tuple[list[str], list[Any], int, int]:
    """Return the lines, weak ones first, the scale of each layer, and how many weights are weak."""
    drawn: list[tuple[float, str]] = []
    scales = []
    weak = total = 0
    edges = sum(len(a.shown) * len(b.shown) for a, b in pairwise(columns))
    widest = max(1.8, min(5.0, 60 / math.sqrt(min(edges, _EDGES)))) if edges else 1.8
    for i, neurons in enumerate(layers):
        matrix = [[number(w) for w in neuron.w] for neuron in neurons]
        scale = largest(w for row in matrix for w in row)
        scales.append(scale)
        total += sum(map(len, matrix))
        weak += sum(bool(abs(w) < _WEAK * scale) for row in matrix for w in row)
        lines = [
            (_fraction(matrix[k][j], scale), matrix[k][j], j, k)
            for k in columns[i + 1].shown
            for j in columns[i].shown
        ]
        power = _power([fraction for fraction, *_ in lines])
        for fraction, w, j, k in lines:
            strength = fraction**power
            width = 0.5 + (widest - 0.5) * fraction ** (power / 2)
            opacity = (0.12 if len(lines) < 1000 else 0.03) + 0.8 * strength
            color = theme.stroke(w) + f"{round(255 * opacity):02X}"
            drawn.append(
                (strength, f'\tn{i}_{j} -> n{i + 1}_{k} [color="{color}" penwidth={width:.2f}]\n')
            )
    drawn.sort(key=lambda pair: pair[0])
    return [line for _, line in drawn[-_EDGES:]], scales, weak, total


def _fraction(w: Any, scale: Any) -> float:
    """Return the size of a weight as a fraction of the largest, `scale`."""
    if not finite(w):
        return 1.0
    return float(min(1, abs(w) / scale)) if scale else 0.0


def _power(fractions: list[float]) -> int:
    """Return the power of its size by which a line fades: a layer has the ink of 60 full lines.

    The lines of a 64-32 layer would be a solid block if they faded in proportion to their size.
    """
    power = 1
    while power < 16 and sum(fraction**power for fraction in fractions) > _INK:
        power *= 2
    return power


def _legend(
    scales: list[Any], rings: Any, activity: Any, theme: Theme, counts: tuple[str, int, int, int]
) -> list[str]:
    """Return the rows of the legend as HTML labels."""
    show, weak, total, drawn = counts

    def text(words: str) -> str:
        return f'<td><font point-size="12" color="{theme.muted}">{html(words)}</font></td>'

    def swatch(color: str, width: int) -> str:
        return f'<td bgcolor="{color}" width="{width}" height="12" fixedsize="true"></td>'

    word = show[:-1]
    bounds = ", ".join(number_text(scale, 3) for scale in scales)
    by_layer = "strongest, layer by layer" if len(scales) > 1 else "strongest"
    hidden = f"; {total - drawn:,} are not drawn" if drawn < total else ""
    facts = f"{weak:,} of {total:,} {show} are below 5 % of the strongest{hidden}"
    if rings:
        facts += f"   ·   ring: {'gradient of the ' * (show == 'gradients')}bias"
    rows = [
        text(f"{word} below 0 ") + swatch(theme.neg, 26) + text(f"   {word} above 0 ")
        + swatch(theme.pos, 26) + text(f"   {by_layer}: {bounds}"),
        text(facts),
    ]  # fmt: skip
    if activity:
        low, high = number_text(-activity, 3), number_text(activity, 3, signed=True)
        steps = "".join(swatch(color, 22) for color in theme.diverging)
        rows.append(text(f"activation {low} ") + steps + text(f" {high}"))
    table = '<table border="0" cellborder="0" cellspacing="0" cellpadding="1">'
    return [f"<{table}<tr>{row}</tr></table>>" for row in rows]


def _words(columns: list[_Column], show: str, has_sample: bool, precision: int) -> str:
    parts = [f"columns of neurons: {', '.join(column.caption for column in columns)}"]
    parts.append(f"lines are {show}, blue above zero and orange below")
    if has_sample:
        outputs = [number_text(a, precision) for a in columns[-1].activations]
        parts.append(f"outputs for this sample: {', '.join(outputs[:20])}")
    return "; ".join(parts) + "."
