"""Pictures of training with matplotlib: what a network has learned, and how it got there.

Each function draws on the axes it is given and returns them; without axes it makes a figure, which
a notebook shows. No setting of matplotlib is changed. Colours and shapes are those of every other
picture: blue circles for the class whose scores are above zero, orange squares for the other.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from micrograd.engine import no_grad
from micrograd.errors import ArgumentError, InputCountError
from micrograd.files import write_whole
from micrograd.look import MARKERS, Theme, mix
from micrograd.look import theme as theme_named

__all__ = ["Curves", "plot_decision_boundary", "plot_history", "save_figure", "sheet"]


class Curves(Protocol):
    """What `plot_history` reads of a `History`."""

    loss: list[float]
    accuracy: list[float]
    validation_steps: list[int]
    validation_loss: list[float]
    validation_accuracy: list[float]


FAMILIES: Final = ("Arial", "Liberation Sans", "Helvetica", "DejaVu Sans")
DOTS_PER_INCH: Final = 200
_EXTRA: Final = 'pictures need NumPy and matplotlib: pip install "micrograd[train]"'


def sheet(columns: int = 1, *, size: tuple[float, float] = (7, 3.1), theme: str = "light") -> Any:
    """Return axes, side by side, on a new figure that belongs to nobody else.

    Parameters
    ----------
    columns : int, default 1
    size : tuple of float, default (7, 3.1)
        Width and height in inches.
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    list of matplotlib.axes.Axes
        Their `figure` is drawn by Agg: no window opens, and pyplot does not know it.

    Raises
    ------
    ImportError
        If matplotlib is missing; names the extra to install.

    Examples
    --------
    >>> loss, accuracy = sheet(2)
    >>> loss.figure is accuracy.figure
    True
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(_EXTRA) from error
    figure = Figure(figsize=size, layout="constrained", facecolor=theme_named(theme).bg)
    FigureCanvasAgg(figure)
    return [figure.add_subplot(1, columns, i + 1) for i in range(columns)]


def save_figure(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure as a picture, in one piece; the end of the name says which kind.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
        Ends in .png, .svg or .pdf. The same figure gives the same bytes each time.

    Raises
    ------
    ArgumentError
        If the name ends otherwise. Also a ValueError.
    OSError
        If the file cannot be written; the old one is then intact.
    """
    from matplotlib import rc_context

    kind = Path(path).suffix[1:].lower()
    dateless = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    if kind not in dateless:
        raise ArgumentError(
            f"expected a name that ends in .png, .svg or .pdf, got {os.fspath(path)!r}"
        )
    picture = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "micrograd"}):
        figure.savefig(picture, format=kind, dpi=DOTS_PER_INCH, metadata=dateless[kind])
    write_whole(path, picture.getvalue())


# ---- what was learned --------------------------------------------------------------------------


def plot_decision_boundary(
    model: Callable[[Any], Any],
    X: Any,
    y: Any,
    ax: Any = None,
    *,
    held_out: tuple[Any, Any] | None = None,
    classes: Sequence[str] | None = None,
    features: Sequence[str] = ("x1", "x2"),
    level: float = 0.0,
    resolution: int = 80,
    title: str = "Decision boundary",
    theme: str = "light",
) -> Any:
    """Draw which class a model gives to each point of the plane, and the samples on top.

    Parameters
    ----------
    model : callable
        Takes a row of two features. It gives one number or Value, whose side of `level` is the
        class; or a list of them, one a class, of which the largest is.
    X : array-like of shape (n_samples, 2)
    y : array-like of shape (n_samples,)
        The classes: two numbers of any kind for one score, 0, 1, 2, ... for several.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default on a new figure of pyplot.
    held_out : (X, y), optional
        Samples that it did not learn from, drawn hollow.
    classes : sequence of str, optional
        Names for the key, in the order of the classes. Default the labels.
    features : sequence of str, default ("x1", "x2")
    level : float, default 0.0
        The score at the boundary: 0 for hinge and for logits.
    resolution : int, default 80
        Points a side at which the model is evaluated.
    title : str
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputCountError
        If there are not two features, or not as many labels as rows. Also a ValueError.
    ArgumentError
        If there are more than two classes for one score, or labels that are no class.
    ImportError
        If NumPy or matplotlib is missing; names the extra to install.

    Notes
    -----
    Shades are the probability, where the score is taken as a logit: pale where it is undecided.
    The model is called resolution ** 2 times.

    Examples
    --------
    >>> X, y = [[0, 1], [1, 0], [2, 2]], [-1, 1, 1]
    >>> ax = plot_decision_boundary(lambda x: x[0] - 0.5, X, y, *sheet())
    >>> ax.get_title(loc="left"), ax.get_xlabel()
    ('Decision boundary', 'x1')
    """
    try:
        import numpy as np
        from matplotlib.colors import LinearSegmentedColormap
    except ImportError as error:
        raise ImportError(_EXTRA) from error
    look = theme_named(theme)
    groups = [_points("X", X, y)] + ([_points("held-out X", *held_out)] if held_out else [])
    if not isinstance(resolution, int) or resolution < 2:
        raise ArgumentError(f"expected a resolution of 2 or more, got {resolution!r}")
    if len(features) != 2:
        raise InputCountError(f"expected names for two features, got {len(features)}")
    everything = np.concatenate([rows for rows, _ in groups])
    margin = 0.08 * np.maximum(np.ptp(everything, axis=0), 1e-9)
    (left, low), (right, high) = everything.min(axis=0) - margin, everything.max(axis=0) + margin
    across, up = np.linspace(left, right, resolution), np.linspace(low, high, resolution)
    with no_grad():
        outputs = [_numbers(model([float(x), float(z)])) for z in up for x in across]
    scores = np.array(outputs, dtype=float).reshape(resolution, resolution, -1)
    if not np.isfinite(scores).all():
        raise ArgumentError("the model gives scores that are not finite for some points")

    labels = sorted({label for _, group in groups for label in group.tolist()})
    several = scores.shape[2] > 1
    if several:
        count = scores.shape[2]
        if any(label not in range(count) for label in labels):
            raise ArgumentError(f"the labels are {labels}, but the model has {count} classes")
        labels = list(range(count))
        colours = [look.classes[i % len(look.classes)] for i in labels]
        markers = [MARKERS[(i + i // len(MARKERS)) % len(MARKERS)] for i in labels]
    else:
        if len(labels) > 2:
            raise ArgumentError(f"one score tells two classes apart, the labels are {labels}")
        if len(labels) < 2:  # which one it is, its sign tells
            labels = [0, labels[0]] if labels[0] > 0 else [labels[0], 1]
        colours, markers = [look.neg, look.pos], [MARKERS[1], MARKERS[0]]
    names = [str(name) for name in classes] if classes is not None else [f"{i:g}" for i in labels]
    if len(names) != len(labels):
        raise InputCountError(f"expected names for {len(labels)} classes, got {len(names)}")

    ax = _axes(ax, (4.6, 4.2), look)
    extent = (left, right, low, high)
    if several:
        shares = np.exp(scores - scores.max(axis=2, keepdims=True))
        shares /= shares.sum(axis=2, keepdims=True)
        tints = np.array([_rgb(mix(look.bg, colour, 0.42)) for colour in colours])
        ax.imshow(
            np.clip(shares @ tints, 0, 1),
            extent=extent, origin="lower", aspect="auto", interpolation="bilinear", zorder=0,
        )  # fmt: skip
        for i in range(len(labels)):
            lead = scores[:, :, i] - np.delete(scores, i, axis=2).max(axis=2)
            _line(ax, across, up, lead, look)
    else:
        logits = np.clip(scores[:, :, 0] - level, -500, 500)
        shades = LinearSegmentedColormap.from_list("boundary", look.diverging[2:7])
        ax.imshow(
            1 / (1 + np.exp(-4 * logits)), cmap=shades, vmin=0, vmax=1,
            extent=extent, origin="lower", aspect="auto", interpolation="bilinear", zorder=0,
        )  # fmt: skip
        _line(ax, across, up, logits, look)

    for hollow, (rows, group) in enumerate(groups):
        for label, colour, marker in zip(labels, colours, markers, strict=True):
            chosen = rows[group == label]
            ax.scatter(
                chosen[:, 0], chosen[:, 1], s=26 if marker == "s" else 30, marker=marker,
                facecolor=look.bg if hollow else colour,
                edgecolor=colour if hollow else look.bg,
                linewidth=1.3 if hollow else 0.9, zorder=3 + hollow,
            )  # fmt: skip
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    _dress(ax, look, title, (features[0], features[1]), pad=24)
    for side in ax.spines.values():
        side.set_visible(False)
    _key(ax, look, names, colours, markers, hollow=len(groups) > 1)
    return ax


def _points(what: str, X: Any, y: Any) -> tuple[Any, Any]:
    import numpy as np

    rows, labels = np.asarray(X, dtype=float), np.asarray(y)
    if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows):
        raise InputCountError(
            f"expected {what} of shape (n_samples, 2), got {rows.shape}: a plane has two features"
        )
    if labels.shape != (len(rows),):
        raise InputCountError(f"{what} has {len(rows)} rows, its labels {labels.shape}")
    if not np.isfinite(rows).all():
        raise ArgumentError(f"{what} holds numbers that are not finite")
    return rows, labels


def _numbers(output: Any) -> list[float]:
    return [float(score) for score in output] if hasattr(output, "__len__") else [float(output)]


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def _line(ax: Any, across: Any, up: Any, field: Any, look: Theme) -> None:
    if field.min() < 0 < field.max():
        ax.contour(across, up, field, levels=[0.0], colors=look.ink, linewidths=2.2, zorder=2)


def _key(
    ax: Any, look: Theme, names: list[str], colours: list[str], markers: list[str], *, hollow: bool
) -> None:
    """Say in one line below the title which mark is which."""
    from matplotlib.lines import Line2D

    def mark(marker: str, fill: str, edge: str, name: str) -> Any:
        return Line2D(
            [], [], linestyle="none", marker=marker, markersize=6.5, label=name,
            markerfacecolor=fill, markeredgecolor=edge, markeredgewidth=1.3,
        )  # fmt: skip

    marks = [
        mark(marker, colour, colour, name)
        for marker, colour, name in zip(markers, colours, names, strict=True)
    ]
    if hollow:
        marks.append(mark(MARKERS[0], look.bg, look.muted, "held out"))
    ax.legend(
        handles=marks, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=len(marks),
        frameon=False, labelcolor=look.muted, borderpad=0.2, borderaxespad=0.1,
        handletextpad=0.1, columnspacing=0.9, prop=_font(11),
    )  # fmt: skip


# ---- how it got there --------------------------------------------------------------------------


def plot_history(
    history: Curves,
    ax: Any = None,
    *,
    quantity: str = "loss",
    names: tuple[str, str] = ("train", "held out"),
    title: str | None = None,
    theme: str = "light",
) -> Any:
    """Draw the loss or the accuracy of each step of a training run.

    Parameters
    ----------
    history : History
        As `fit` returns it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default on a new figure of pyplot.
    quantity : {"loss", "accuracy"}, default "loss"
    names : tuple of str, default ("train", "held out")
        What stands at the ends of the curves: of the steps, and of the validation data.
    title : str, optional
        Default the quantity.
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        If the quantity is unknown or the history has none of it. Also a ValueError.
    ImportError
        If matplotlib is missing; names the extra to install.

    Notes
    -----
    The scale of a loss is logarithmic where it spans more than two decades. What is less than
    a ten-thousandth of the largest, zeros too, is then drawn at its lower edge.

    Examples
    --------
    >>> from micrograd.train import History
    >>> ax = plot_history(History(loss=[1.0, 0.5, 0.25]), *sheet())
    >>> ax.get_title(loc="left"), ax.get_yscale()
    ('Loss', 'linear')
    """
    if quantity not in ("loss", "accuracy"):
        raise ArgumentError(f"expected quantity 'loss' or 'accuracy', got {quantity!r}")
    look = theme_named(theme)
    entries: list[float] = getattr(history, quantity)
    held_out: list[float] = getattr(history, f"validation_{quantity}")
    if not entries:
        raise ArgumentError(f"the history holds no {quantity}")
    ax = _axes(ax, (4.6, 3.1), look)
    curves: list[tuple[list[int], list[float], str, str, Any]]
    curves = [(list(range(len(entries))), entries, names[0], look.ink, "-")]
    if held_out:
        dashes = (0, (4.5, 2))
        curves.append((history.validation_steps, held_out, names[1], look.muted, dashes))
    floor = 0.0
    if quantity == "loss":
        positive = [entry for _, ys, *_ in curves for entry in ys if entry > 0]
        if positive and max(positive) > 100 * min(positive):
            floor = max(min(positive), 1e-4 * max(positive))
            ax.set_yscale("log")
            ax.set_ylim(floor / 1.5, max(positive) * 1.5)
    ends: list[tuple[float, float, str, str]] = []
    for steps, ys, name, colour, style in curves:
        shown = [max(entry, floor / 1.2) if floor else entry for entry in ys]
        alone = len(shown) == 1
        ax.plot(
            steps, shown, color=colour, linestyle=style, linewidth=2.2, zorder=3,
            marker="o" if alone else None, solid_capstyle="round", clip_on=False,
        )  # fmt: skip
        ends.append((max(1, len(entries) - 1), shown[-1], name, colour))
    if quantity == "accuracy":
        from matplotlib.ticker import PercentFormatter

        lowest = min(entry for _, ys, *_ in curves for entry in ys)
        ax.set_ylim(max(0.0, math.floor(lowest * 10) / 10), 1.02)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    elif not floor:
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    ax.set_xlim(0, max(1, len(entries) - 1))
    _dress(ax, look, title if title is not None else quantity.capitalize(), ("step", ""))
    ax.grid(axis="y", color=look.hair, linewidth=0.8)
    ax.set_axisbelow(True)
    _name_ends(ax, ends)
    return ax


def _name_ends(ax: Any, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each name at the right end of its curve, moved apart where they would touch."""
    figure = ax.figure
    figure.canvas.draw()  # only now are heights known
    apart = 15 * figure.dpi / 72
    heights = [ax.transData.transform((x, y))[1] for x, y, *_ in ends]
    shifts = [0.0] * len(ends)
    if len(ends) == 2 and abs(heights[0] - heights[1]) < apart:
        upper = 0 if heights[0] > heights[1] else 1
        missing = (apart - abs(heights[0] - heights[1])) * 72 / figure.dpi
        room = (ax.bbox.y1 - heights[upper]) * 72 / figure.dpi
        shifts[upper] = max(0.0, min(missing / 2, room - 6))
        shifts[1 - upper] = shifts[upper] - missing
    for (x, y, name, colour), shift in zip(ends, shifts, strict=True):
        ax.annotate(
            name, (x, y), xytext=(5, shift), textcoords="offset points", va="center", ha="left",
            color=colour, fontproperties=_font(12), annotation_clip=False,
        )  # fmt: skip


# ---- the look, set on the axes themselves ------------------------------------------------------


def _axes(ax: Any, size: tuple[float, float], look: Theme) -> Any:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(_EXTRA) from error
    figure = pyplot.figure(figsize=size, layout="constrained", facecolor=look.bg)
    return figure.add_subplot()


def _font(size: float, weight: str = "normal") -> Any:
    """Return the first of the families that is installed; to name a missing one logs a warning."""
    from matplotlib.font_manager import FontProperties, fontManager

    installed = {font.name for font in fontManager.ttflist}
    families = [family for family in FAMILIES if family in installed]
    return FontProperties(family=families[:1] or None, size=size, weight=weight)


def _dress(ax: Any, look: Theme, title: str, names: tuple[str, str], pad: float = 6) -> None:
    ax.set_facecolor(look.bg)
    ax.set_title(title, loc="left", color=look.ink, pad=pad, fontproperties=_font(13, "bold"))
    ax.set_xlabel(names[0], color=look.muted, fontproperties=_font(12))
    ax.set_ylabel(names[1], color=look.muted, fontproperties=_font(12))
    ax.tick_params(which="both", color=look.line, labelcolor=look.muted)
    ax.tick_params(which="major", labelsize=11, labelfontfamily=_font(11).get_family())
    for name, side in ax.spines.items():
        side.set_visible(name in ("left", "bottom"))
        side.set_color(look.line)
