"""Pictures with matplotlib: what a network has learned, how it got there, what is inside.

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

from micrograd.engine import Value, no_grad, plain
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, not_a_network
from micrograd.files import write_whole
from micrograd.functional import grad
from micrograd.nn import MLP
from micrograd.style import MARKERS, Theme, mix, number_text
from micrograd.style import theme as theme_named

__all__ = [
    "Curves",
    "plot_activations",
    "plot_decision_boundary",
    "plot_function",
    "plot_gradients",
    "plot_history",
    "plot_loss_surface",
    "plot_weights",
    "save_figure",
    "sheet",
]


class Curves(Protocol):
    """What `plot_history` reads of a `History`."""

    loss: list[float]
    accuracy: list[float]
    validation_steps: list[int]
    validation_loss: list[float]
    validation_accuracy: list[float]


FAMILIES: Final = ("Arial", "Liberation Sans", "Helvetica", "DejaVu Sans")
DOTS_PER_INCH: Final = 200
_HIGHEST: Final = 1e300  # what is drawn: above it axes have no room for their margins
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
    features: Sequence[int | str] = (0, 1),
    names: Sequence[str] | None = None,
    level: float = 0.0,
    margin: float | None = None,
    resolution: int = 80,
    title: str = "Decision boundary",
    theme: str = "light",
) -> Any:
    """Draw which class a model gives to each point of the plane, and the samples on top.

    Parameters
    ----------
    model : callable
        Takes a row of all features. It gives one number or Value, whose side of `level` is the
        class; or a list of them, one a class, of which the largest is.
    X : array-like or DataFrame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        The classes: two numbers of any kind for one score, 0, 1, 2, ... for several.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default on a new figure of pyplot.
    held_out : (X, y), optional
        Samples that it did not learn from, drawn hollow.
    classes : sequence of str, optional
        Names for the key, in the order of the classes. Default the labels.
    features : pair of int or str, default (0, 1)
        The features across and up, by place or name. All others are held at their mean in `X`,
        and the picture says so.
    names : sequence of str, optional
        Of all features. Default the columns of a DataFrame, else x1, x2, ...
    level : float, default 0.0
        The score at the boundary: 0 for hinge and for logits.
    margin : float, optional
        Also draw, dashed, where the score is so far from `level`: 1 is where hinge loss is 0. With
        several classes, where the best leads the next by so much.
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
        If there are fewer than two features, or not as many labels as rows. Also a ValueError.
    ArgumentError, ArgumentTypeError
        If there are more than two classes for one score, labels that are no class, or features
        that are not there; if the model cannot be called.
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
    _check_callable(model)
    names, (i, j) = _plane(X, features, names)
    groups = [_points("X", X, y, len(names))]
    if held_out:
        groups.append(_points("held-out X", *held_out, len(names)))
    if not isinstance(resolution, int) or resolution < 2:
        raise ArgumentError(f"expected a resolution of 2 or more, got {resolution!r}")
    if margin is not None and not (isinstance(margin, (int, float)) and 0 < margin < math.inf):
        raise ArgumentError(f"expected a margin above 0, got {margin!r:.60}")
    row = groups[0][0].mean(axis=0).tolist()

    def at(x: float, z: float) -> list[float]:
        row[i], row[j] = float(x), float(z)
        return list(row)

    everything = np.concatenate([rows[:, [i, j]] for rows, _ in groups])
    spread = np.ptp(everything, axis=0)
    rim = np.where(spread > 0, 0.08 * spread, 1.0)  # a feature that never changes has room too
    (left, low), (right, high) = everything.min(axis=0) - rim, everything.max(axis=0) + rim
    across, up = np.linspace(left, right, resolution), np.linspace(low, high, resolution)
    with no_grad():
        outputs = [_numbers(model(at(x, z))) for z in up for x in across]
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
        colours = [look.classes[k % len(look.classes)] for k in labels]
        markers = [MARKERS[(k + k // len(MARKERS)) % len(MARKERS)] for k in labels]
    else:
        if len(labels) > 2:
            raise ArgumentError(f"one score tells two classes apart, the labels are {labels}")
        if len(labels) < 2:  # which one it is, its sign tells
            labels = [0, labels[0]] if labels[0] > 0 else [labels[0], 1]
        colours, markers = [look.neg, look.pos], [MARKERS[1], MARKERS[0]]
    told = [str(name) for name in classes] if classes is not None else [f"{k:g}" for k in labels]
    if len(told) != len(labels):
        raise InputCountError(f"expected names for {len(labels)} classes, got {len(told)}")

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
        for k in range(len(labels)):
            lead = scores[:, :, k] - np.delete(scores, k, axis=2).max(axis=2)
            _line(ax, across, up, lead, look)
            if margin is not None:
                _line(ax, across, up, lead, look, at=margin)
    else:
        logits = np.clip(scores[:, :, 0] - level, -500, 500)
        shades = LinearSegmentedColormap.from_list("boundary", look.diverging[2:7])
        ax.imshow(
            1 / (1 + np.exp(-np.clip(4 * logits, -500, 500))), cmap=shades, vmin=0, vmax=1,
            extent=extent, origin="lower", aspect="auto", interpolation="bilinear", zorder=0,
        )  # fmt: skip
        _line(ax, across, up, logits, look)
        if margin is not None:
            _line(ax, across, up, logits, look, at=-margin)
            _line(ax, across, up, logits, look, at=margin)

    for hollow, (rows, group) in enumerate(groups):
        for label, colour, marker in zip(labels, colours, markers, strict=True):
            chosen = rows[group == label]
            ax.scatter(
                chosen[:, i], chosen[:, j], s=26 if marker == "s" else 30, marker=marker,
                facecolor=look.bg if hollow else colour,
                edgecolor=colour if hollow else look.bg,
                linewidth=1.3 if hollow else 0.9, zorder=3 + hollow,
            )  # fmt: skip
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    others = len(names) - 2
    held = f"\n{others} other feature{'s' * (others > 1)} at the mean" if others else ""
    axes_names = (names[i] + held, names[j])
    _dress(ax, look, title, axes_names, pad=24)
    lines = _key(ax, look, told, colours, markers, hollow=len(groups) > 1)
    if lines > 1:
        _dress(ax, look, title, axes_names, pad=24 + 16 * (lines - 1))
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def _plane(X: Any, features: Any, names: Any) -> tuple[list[str], tuple[int, int]]:
    """Return the names of all features and the places of the two that are drawn."""
    import numpy as np

    shape = np.shape(X)
    if len(shape) != 2 or shape[1] < 2:
        raise InputCountError(
            f"expected X of shape (n_samples, n_features), got {shape}: a plane has two features"
        )
    if names is None:
        names = getattr(X, "columns", [f"x{k + 1}" for k in range(shape[1])])
    names = [str(name) for name in names]
    if len(names) != shape[1]:
        raise InputCountError(f"expected names for {shape[1]} features, got {len(names)}")
    if isinstance(features, str) or np.shape(features) != (2,):
        raise InputCountError(f"expected features=(i, j), two of them, got {features!r:.60}")
    places = []
    for feature in features:
        if isinstance(feature, str) and feature in names:
            places.append(names.index(feature))
        elif not isinstance(feature, (str, bool)) and feature in range(len(names)):
            places.append(int(feature))
        else:
            raise ArgumentError(
                f"no feature {feature!r:.60}: expected 0 to {len(names) - 1} or one of "
                f"{', '.join(map(repr, names))[:200]}"
            )
    if places[0] == places[1]:
        raise ArgumentError(f"features={features!r:.60}: a plane needs two different ones")
    return names, (places[0], places[1])


def _points(what: str, X: Any, y: Any, width: int = 2) -> tuple[Any, Any]:
    import numpy as np

    rows, labels = np.asarray(X, dtype=float), np.asarray(y)
    if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
        why = ": a plane has two features" if width == 2 else ""
        raise InputCountError(
            f"expected {what} of shape (n_samples, {width}), got {rows.shape}{why}"
        )
    if labels.shape != (len(rows),):
        raise InputCountError(f"{what} has {len(rows)} rows, its labels {labels.shape}")
    if not np.isfinite(rows).all():
        raise ArgumentError(f"{what} holds numbers that are not finite")
    if labels.dtype.kind not in "biuf" or not np.isfinite(labels).all():
        raise ArgumentError(
            f"the labels of {what} are {labels.tolist()!r:.60}, expected finite numbers; number "
            "the classes 0, 1, 2, ... and name them with classes="
        )
    return rows, labels


def _numbers(output: Any) -> list[float]:
    scores = output if hasattr(output, "__len__") else [output]
    return [float(plain(score)) for score in scores]


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def _line(ax: Any, across: Any, up: Any, field: Any, look: Theme, *, at: float = 0.0) -> None:
    """Draw where the field is 0, or, dashed, where it is another number."""
    if field.min() < at < field.max():
        ax.contour(
            across, up, field, levels=[at], colors=look.ink, zorder=2,
            linewidths=1.3 if at else 2.2, linestyles="dashed" if at else "solid",
        )  # fmt: skip


def _key(
    ax: Any, look: Theme, names: list[str], colours: list[str], markers: list[str], *, hollow: bool
) -> int:
    """Say below the title which mark is which; return in how many lines."""
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
    figure = ax.get_figure(root=True)
    figure.canvas.draw()  # only now is known how wide things are
    lines = 0
    while True:
        lines += 1
        columns = math.ceil(len(marks) / lines)
        legend = ax.legend(
            handles=marks, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns,
            frameon=False, labelcolor=look.muted, borderpad=0.2, borderaxespad=0.1,
            handletextpad=0.1, columnspacing=0.9, prop=_font(11),
        )  # fmt: skip
        room = figure.bbox.x1 - ax.bbox.x0
        if columns == 1 or legend.get_window_extent().width <= room:
            return lines


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
    a ten-thousandth of the largest, zeros too, is then drawn at its lower edge, and what is above
    1e300 at 1e300. An entry that is not finite is a gap.

    Examples
    --------
    >>> from micrograd.train import History
    >>> ax = plot_history(History(loss=[1.0, 0.5, 0.25]), *sheet())
    >>> ax.get_title(loc="left"), ax.get_yscale()
    ('Loss', 'linear')
    """
    if not hasattr(history, "loss"):
        raise ArgumentTypeError(
            f"expected the History that fit returns, got {history!r:.60} ({type(history).__name__})"
            "; History(loss=[...]) makes one of losses of your own"
        )
    if quantity not in ("loss", "accuracy"):
        raise ArgumentError(f"expected quantity 'loss' or 'accuracy', got {quantity!r}")
    look = theme_named(theme)
    # Axes beyond the largest numbers have no room for their margins.
    entries, held_out = (
        [min(entry, _HIGHEST) if math.isfinite(entry) else entry for entry in given]
        for given in (getattr(history, quantity), getattr(history, f"validation_{quantity}"))
    )
    if not any(map(math.isfinite, entries)):
        raise ArgumentError(f"the history holds no {quantity}{' that is finite' * bool(entries)}")
    ax = _axes(ax, (4.6, 3.1), look)
    curves: list[tuple[list[int], list[float], str, str, Any]]
    curves = [(list(range(len(entries))), entries, names[0], look.ink, "-")]
    if held_out:
        dashes = (0, (4.5, 2))
        curves.append((history.validation_steps, held_out, names[1], look.muted, dashes))
    floor = 0.0
    if quantity == "loss":
        positive = [entry for _, ys, *_ in curves for entry in ys if 0 < entry < math.inf]
        if positive and max(positive) > 100 * min(positive):
            floor = max(min(positive), 1e-4 * max(positive))
            ax.set_yscale("log")
            ax.set_ylim(floor / 1.5, max(positive) * 1.5)
    ends: list[tuple[float, float, str, str]] = []
    for steps, ys, name, colour, style in curves:
        finite = [entry if math.isfinite(entry) else math.nan for entry in ys]
        shown = [max(entry, floor / 1.2) if floor else entry for entry in finite]
        alone = len(shown) == 1
        ax.plot(
            steps, shown, color=colour, linestyle=style, linewidth=2.2, zorder=3,
            marker="o" if alone else None, solid_capstyle="round", clip_on=False,
        )  # fmt: skip
        end = next((entry for entry in reversed(shown) if math.isfinite(entry)), None)
        if end is not None:
            ends.append((max(1, len(entries) - 1), end, name, colour))
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
    downwards = sorted(range(len(ends)), key=lambda i: -heights[i])
    placed = [heights[i] for i in downwards]
    for i in range(1, len(placed)):
        placed[i] = min(placed[i], placed[i - 1] - apart)
    # What pushed the lowest name down may lift all of them by half of it, as far as there is room.
    room = ax.bbox.y1 - placed[0] - 6 * figure.dpi / 72
    lift = max(0.0, min((heights[downwards[-1]] - placed[-1]) / 2, room))
    shifts = [0.0] * len(ends)
    for i, height in zip(downwards, placed, strict=True):
        shifts[i] = (height + lift - heights[i]) * 72 / figure.dpi
    for (x, y, name, colour), shift in zip(ends, shifts, strict=True):
        ax.annotate(
            name, (x, y), xytext=(5, shift), textcoords="offset points", va="center", ha="left",
            color=colour, fontproperties=_font(12), annotation_clip=False,
        )  # fmt: skip


# ---- what is inside ----------------------------------------------------------------------------


def plot_function(
    f: Callable[[Any], Any],
    low: float = -3.0,
    high: float = 3.0,
    ax: Any = None,
    *,
    derivatives: int = 1,
    tangent_at: float | None = None,
    resolution: int = 241,
    name: str = "f",
    title: str | None = None,
    theme: str = "light",
) -> Any:
    """Draw a function of one Value, its derivatives, and its tangent at one place.

    Parameters
    ----------
    f : callable
        Takes a Value and gives one.
    low, high : float, default -3 and 3
        Between which arguments.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default on a new figure of pyplot.
    derivatives : {0, 1, 2, 3}, default 1
        How many derivatives to draw, each found by the engine from the one before.
    tangent_at : float, optional
        Where to lay a tangent on the curve; its slope is printed.
    resolution : int, default 241
        Number of points. Where `f` is undefined the curve has a gap.
    name : str, default "f"
        What stands at the end of the curve; derivatives get primes.
    title : str, optional
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        If `low` is not below `high`, or a number is out of range. Also a ValueError.
    ImportError
        If matplotlib is missing; names the extra to install.

    Examples
    --------
    >>> ax = plot_function(lambda x: x.tanh(), -3, 3, *sheet(), tangent_at=0.0)
    >>> [text.get_text() for text in ax.texts]
    ['f', "f'", 'slope 1']
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ArgumentError(f"expected finite low < high, got {low!r} and {high!r}")
    if derivatives not in (0, 1, 2, 3):
        raise ArgumentError(f"expected 0, 1, 2 or 3 derivatives, got {derivatives!r}")
    if not isinstance(resolution, int) or resolution < 2:
        raise ArgumentError(f"expected a resolution of 2 or more, got {resolution!r}")
    look = theme_named(theme)
    xs = [low + (high - low) * i / (resolution - 1) for i in range(resolution)]
    rules = [f]
    for _ in range(derivatives):
        rules.append(grad(rules[-1]))
    ax = _axes(ax, (4.6, 3.1), look)
    colours = (look.ink, look.pos, look.neg, look.muted)
    ends: list[tuple[float, float, str, str]] = []
    for order, (rule, colour) in enumerate(zip(rules, colours, strict=False)):
        ys = [_value_at(rule, x) for x in xs]
        ax.plot(
            xs, ys, color=colour, linewidth=2.2 if order == 0 else 1.6, zorder=3,
            linestyle="-" if order == 0 else (0, (4.5, 2)) if order == 1 else (0, (1.5, 1.5)),
        )  # fmt: skip
        last = next((i for i in reversed(range(resolution)) if ys[i] == ys[i]), None)
        if last is None:
            raise ArgumentError(f"{name}{order * chr(39)} is undefined from {low:g} to {high:g}")
        ends.append((xs[last], ys[last], name + "'" * order, colour))
    ax.set_xlim(low, high)
    _dress(ax, look, title if title is not None else f"{name} and its slope", ("x", ""))
    ax.grid(axis="y", color=look.hair, linewidth=0.8)
    ax.set_axisbelow(True)
    _name_ends(ax, ends)
    if tangent_at is not None:
        at = float(plain(tangent_at))
        height, slope = _value_at(f, at), _value_at(grad(f), at)
        if not math.isfinite(height + slope):
            raise ArgumentError(f"{name} has no tangent at {at:g}")
        reach = (high - low) / 6
        ax.plot(
            [at - reach, at + reach], [height - slope * reach, height + slope * reach],
            color=look.muted, linewidth=1.6, zorder=4,
        )  # fmt: skip
        ax.plot([at], [height], "o", color=look.ink, markersize=6.5, zorder=5)
        ax.annotate(
            f"slope {number_text(slope)}", (at, height), xytext=(8, -14),
            textcoords="offset points", color=look.ink, fontproperties=_font(12), zorder=6,
            bbox={"facecolor": look.bg, "edgecolor": "none", "pad": 1, "alpha": 0.85},
        )  # fmt: skip
    return ax


def _value_at(rule: Callable[[Any], Any], x: float) -> float:
    """Return the finite value of a function at a place, nan where it has none."""
    try:
        y = float(plain(rule(Value(x))))
    except (ValueError, ArithmeticError):
        return math.nan
    return y if math.isfinite(y) else math.nan


def plot_activations(
    model: Any,
    X: Any,
    ax: Any = None,
    *,
    layer: int = 0,
    resolution: int = 40,
    title: str | None = None,
    theme: str = "light",
) -> Any:
    """Draw what each neuron of a layer answers over the plane of the two inputs.

    Parameters
    ----------
    model : MLP
        Of two inputs.
    X : array-like of shape (n_samples, 2)
        Samples; the plane is shown as far as they reach.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default on a new figure of pyplot.
    layer : int, default 0
        Which layer; -1 is the output.
    resolution : int, default 40
        Points a side at which the model is evaluated.
    title : str, optional
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes
        One tile a neuron, numbered from 0 in reading order. All share one scale of colour, blue
        above zero; the line is where the answer passes half of its range on that tile.

    Raises
    ------
    InputCountError
        If `X` has not two features. Also a ValueError.
    ArgumentError
        If there is no such layer.
    ImportError
        If NumPy or matplotlib is missing; names the extra to install.

    Examples
    --------
    >>> from micrograd.nn import MLP
    >>> ax = plot_activations(MLP(2, [3, 1]), [[0, 0], [1, 1]], *sheet(), resolution=4)
    >>> [text.get_text() for text in ax.texts]
    ['0', '1', '2']
    """
    try:
        import numpy as np
        from matplotlib.colors import LinearSegmentedColormap
    except ImportError as error:
        raise ImportError(_EXTRA) from error
    look = theme_named(theme)
    rows, _ = _points("X", X, np.zeros(len(X)))
    _check_layer(model, layer)
    if not isinstance(resolution, int) or resolution < 2:
        raise ArgumentError(f"expected a resolution of 2 or more, got {resolution!r}")
    margin = 0.08 * np.maximum(np.ptp(rows, axis=0), 1e-9)
    (left, low), (right, high) = rows.min(axis=0) - margin, rows.max(axis=0) + margin
    across, up = np.linspace(left, right, resolution), np.linspace(low, high, resolution)
    with no_grad():
        answers = np.array(
            [
                [[v.data for v in model.trace([float(x), float(z)])[layer].x] for x in across]
                for z in up
            ]
        )
    if not np.isfinite(answers).all():
        raise ArgumentError("the layer gives numbers that are not finite for some points")
    count = answers.shape[2]
    columns = min(count, max(4, math.ceil(math.sqrt(2 * count))))
    tiles = math.ceil(count / columns)
    ax = _axes(ax, (7, 0.5 + 6.6 * tiles / columns), look)
    bound = float(np.abs(answers).max()) or 1.0
    shades = LinearSegmentedColormap.from_list("activation", look.diverging)
    for i in range(count):
        column, row = i % columns, tiles - 1 - i // columns
        x0, x1, y0, y1 = column + 0.04, column + 0.96, row + 0.04, row + 0.96
        field = answers[:, :, i]
        ax.imshow(
            field, cmap=shades, vmin=-bound, vmax=bound, extent=(x0, x1, y0, y1),
            origin="lower", interpolation="bilinear", zorder=1,
        )  # fmt: skip
        half = (field.min() + field.max()) / 2
        if field.min() < half < field.max():
            ax.contour(
                np.linspace(x0, x1, resolution), np.linspace(y0, y1, resolution), field,
                levels=[half], colors=look.ink, linewidths=1.2, zorder=2,
            )  # fmt: skip
        ax.text(
            x0 + 0.04, y1 - 0.04, str(i), va="top", color=look.ink, zorder=3,
            fontproperties=_font(11, "bold"),
            bbox={"facecolor": look.bg, "edgecolor": "none", "pad": 1.5, "alpha": 0.8},
        )  # fmt: skip
    ax.set_xlim(0, columns)
    ax.set_ylim(0, tiles)
    ax.set_aspect("equal")
    place = "output" if layer % len(model.layers) == len(model.layers) - 1 else f"layer {layer}"
    _bare(ax, look, title if title is not None else f"What each neuron answers: {place}")
    ax.set_xlabel(
        f"colours from {number_text(-bound)} to {number_text(bound)}",
        color=look.muted, fontproperties=_font(11),
    )  # fmt: skip
    return ax


def plot_weights(
    model: Any,
    ax: Any = None,
    *,
    layer: int = 0,
    quantity: str = "data",
    title: str | None = None,
    theme: str = "light",
) -> Any:
    """Draw the weights and biases of a layer, or their gradients, as a table of colours.

    Parameters
    ----------
    model : MLP
    ax : matplotlib.axes.Axes, optional
        Where to draw; default on a new figure of pyplot.
    layer : int, default 0
    quantity : {"data", "grad"}, default "data"
    title : str, optional
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes
        A row a neuron; a column an input, the bias last. Blue above zero, orange below. Up to 80
        numbers are also printed.

    Raises
    ------
    ArgumentError
        If there is no such layer or quantity. Also a ValueError.
    ImportError
        If NumPy or matplotlib is missing; names the extra to install.

    Examples
    --------
    >>> from micrograd.nn import MLP
    >>> ax = plot_weights(MLP(2, [3, 1]), *sheet())
    >>> ax.images[0].get_array().shape
    (3, 3)
    """
    try:
        import numpy as np
        from matplotlib.colors import LinearSegmentedColormap
    except ImportError as error:
        raise ImportError(_EXTRA) from error
    look = theme_named(theme)
    _check_layer(model, layer)
    if quantity not in ("data", "grad"):
        raise ArgumentError(f"expected quantity 'data' or 'grad', got {quantity!r}")
    table = np.array(
        [
            [float(getattr(p, quantity)) for p in neuron.parameters()]
            for neuron in model.layers[layer].neurons
        ]
    )
    neurons, inputs = table.shape[0], table.shape[1] - 1
    bound = float(np.abs(table[np.isfinite(table)]).max(initial=0)) or 1.0
    ax = _axes(ax, (min(9, 1.6 + 0.5 * (inputs + 1)), min(8, 1.1 + 0.32 * neurons)), look)
    shades = LinearSegmentedColormap.from_list("weights", look.diverging)
    ax.imshow(table, cmap=shades, vmin=-bound, vmax=bound, aspect="auto", zorder=1)
    if table.size <= 80:
        for (i, j), entry in np.ndenumerate(table):
            strong = abs(entry) > 0.75 * bound
            color = look.bg if strong else look.ink
            ax.text(
                j, i, number_text(float(entry), precision=2), ha="center", va="center", zorder=2,
                color=color if math.isfinite(entry) else look.wrong, fontproperties=_font(9),
            )  # fmt: skip
    what = "Weights" if quantity == "data" else "Gradients"
    _dress(
        ax, look, title if title is not None else f"{what} of layer {layer % len(model.layers)}",
        ("input, and the bias b", "neuron"),
    )  # fmt: skip
    step = max(1, math.ceil((inputs + 1) / 16))
    places = [*range(0, inputs, step), inputs]
    ax.set_xticks(places, [*(str(i) for i in places[:-1]), "b"])
    ax.set_yticks(range(0, neurons, max(1, math.ceil(neurons / 16))))
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def plot_gradients(
    model: Any, ax: Any = None, *, title: str = "Gradients by layer", theme: str = "light"
) -> Any:
    """Draw, a row a layer, how the gradients of its parameters are spread after a backward pass.

    Parameters
    ----------
    model : MLP
        After `backward`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default on a new figure of pyplot.
    title : str
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes
        Sizes on a log scale, shared by all layers: rows that move left vanish, rows that move
        right explode. What is more than eight decades below the largest stands at the left end.
        At the right of each row stands how many gradients are 0, and how many neurons have no
        other: those learn nothing from this pass.

    Raises
    ------
    ArgumentError
        If every gradient is 0: there was no backward pass, or nothing flows. Also a ValueError.
    ImportError
        If NumPy or matplotlib is missing; names the extra to install.

    Examples
    --------
    >>> from micrograd.nn import MLP
    >>> model = MLP(2, [3, 1], activation="tanh")
    >>> model([1.0, 2.0]).backward()
    >>> ax = plot_gradients(model, *sheet())
    >>> [text.get_text() for text in ax.texts]
    ['none is 0', 'none is 0']
    """
    try:
        import numpy as np
    except ImportError as error:
        raise ImportError(_EXTRA) from error
    look = theme_named(theme)
    _check_layer(model, 0)
    layers = [
        [[abs(float(p.grad)) for p in neuron.parameters()] for neuron in layer.neurons]
        for layer in model.layers
    ]
    sizes = [np.array([size for neuron in layer for size in neuron]) for layer in layers]
    found = np.concatenate([size[(size > 0) & np.isfinite(size)] for size in sizes])
    if not len(found):
        raise ArgumentError(
            "every gradient of the model is 0: call backward() of a loss first; where the loss is "
            "0, all gradients are"
        )
    ax = _axes(ax, (7, 1.0 + 0.75 * len(layers)), look)
    most = math.ceil(math.log10(found.max()))
    least = max(math.floor(math.log10(found.min())), most - 8)
    edges = np.logspace(least, max(most, least + 1), 12 * max(1, most - least) + 1)
    for i, (layer, size) in enumerate(zip(layers, sizes, strict=True)):
        base = len(layers) - 1 - i
        counts, _ = np.histogram(np.clip(size[size > 0], edges[0], edges[-1]), bins=edges)
        heights = 0.8 * counts / max(1, counts.max())
        ax.stairs(base + heights, edges, baseline=base, fill=True, color=look.pos, zorder=3)
        ax.axhline(base, color=look.line, linewidth=1, zorder=4)
        zeros = int((size == 0).sum())
        dead = sum(not any(neuron) for neuron in layer)
        words = f"{zeros} of {len(size)} are 0" if zeros else "none is 0"
        if dead:
            words += f"\n{dead} of {len(layer)} neurons get none"
        ax.annotate(
            words, (1.0, base + 0.35), xycoords=("axes fraction", "data"), xytext=(6, 0),
            textcoords="offset points", va="center", annotation_clip=False,
            color=look.ink if dead else look.muted, fontproperties=_font(11),
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, len(layers))
    _dress(ax, look, title, ("size of the gradient of a parameter", ""))
    last = len(layers) - 1
    ax.set_yticks(
        [last - i + 0.35 for i in range(len(layers))],
        ["output" if i == last else f"layer {i}" for i in range(len(layers))],
    )
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax


def plot_loss_surface(
    model: Any,
    loss: Callable[[], Any],
    ax: Any = None,
    *,
    path: Sequence[Sequence[float]] | None = None,
    directions: str | None = None,
    span: float = 1.0,
    resolution: int = 21,
    seed: int = 0,
    title: str = "Loss around the parameters",
    theme: str = "light",
) -> Any:
    """Draw the loss over a plane through the model's present parameters.

    Parameters
    ----------
    model : Module
        Its parameters are moved about while drawing, and then as they were.
    loss : callable
        Takes nothing and gives the loss of the model as it is at that moment.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default on a new figure of pyplot.
    path : sequence of sequence of float, optional
        Parameters at moments of training, each `[p.data for p in model.parameters()]`.
    directions : {"random", "principal"}, optional
        What spans the plane: two random directions at right angles, or the two along which the
        path reaches furthest [1]_. Default "principal" with a path of three points or more.
    span : float, default 1.0
        How far a random plane reaches on each side, in lengths of the parameter vector.
    resolution : int, default 21
        Points a side at which the loss is computed.
    seed : int, default 0
        Of the random directions.
    title : str
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes
        Darker is higher, on a log scale; the full dot is the present place, the hollow one where
        the path began.

    Raises
    ------
    ArgumentError
        If an option is unknown, or principal directions are asked of a path that has not two.
    InputCountError
        If a point of the path has another number of parameters than the model.
    ImportError
        If NumPy or matplotlib is missing; names the extra to install.

    References
    ----------
    .. [1] Li, Xu, Taylor, Studer and Goldstein (2018), Visualizing the Loss Landscape of Neural
       Nets, section 7.

    Examples
    --------
    >>> from micrograd.nn import MLP
    >>> model = MLP(2, [3, 1])
    >>> ax = plot_loss_surface(model, lambda: model([1.0, 2.0]) ** 2, *sheet(), resolution=5)
    >>> ax.get_xlabel()
    'direction 1'
    """
    try:
        import numpy as np
        from matplotlib.colors import LinearSegmentedColormap
    except ImportError as error:
        raise ImportError(_EXTRA) from error
    look = theme_named(theme)
    parameters = list(model.parameters())
    here = np.array([float(p.data) for p in parameters])
    points = None if path is None else np.array([list(point) for point in path], dtype=float)
    if points is not None and (points.ndim != 2 or points.shape[1] != len(here)):
        raise InputCountError(
            f"expected points of {len(here)} parameters in the path, got shape {points.shape}"
        )
    kind = directions or ("principal" if points is not None and len(points) > 2 else "random")
    if kind not in ("random", "principal"):
        raise ArgumentError(f"expected directions 'random' or 'principal', got {directions!r}")
    if not isinstance(resolution, int) or resolution < 3:
        raise ArgumentError(f"expected a resolution of 3 or more, got {resolution!r}")
    if kind == "principal":
        moves = np.zeros((0, len(here))) if points is None else points - here
        _, lengths, axes = np.linalg.svd(moves, full_matrices=False)
        if len(lengths) < 2 or lengths[1] <= 1e-12 * lengths[0]:
            raise ArgumentError("the path does not span a plane: give more points, or directions")
        plane = axes[:2]
    else:
        drawn = np.random.default_rng(seed).normal(size=(len(here), 2))
        plane = np.linalg.qr(drawn)[0].T
    spots = np.zeros((0, 2)) if points is None else (points - here) @ plane.T
    if kind == "principal":
        low, high = np.minimum(spots.min(axis=0), 0), np.maximum(spots.max(axis=0), 0)
        margin = 0.25 * (high - low) + 0.05 * (high - low).max()
        low, high = low - margin, high + margin
    else:
        reach = span * (float(np.linalg.norm(here)) or 1.0)
        low, high = np.array([-reach, -reach]), np.array([reach, reach])
    across, up = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    heights = np.full((resolution, resolution), np.nan)
    before = [p.data for p in parameters]
    try:
        with no_grad():
            for i, v in enumerate(up):
                for j, u in enumerate(across):
                    there = here + u * plane[0] + v * plane[1]
                    for p, entry in zip(parameters, there, strict=True):
                        p.data = float(entry)
                    try:
                        heights[i, j] = plain(loss())
                    except ArithmeticError:  # beyond the floats: a gap in the picture
                        continue
    finally:
        for p, data in zip(parameters, before, strict=True):
            p.data = data
    finite = heights[np.isfinite(heights)]
    if not len(finite):
        raise ArgumentError("the loss is not finite anywhere on this plane")
    # log(1 + h / scale) keeps a valley visible beside a cliff, and losses below zero allowed.
    rise = finite.max() - finite.min()
    scale = float(np.median(finite) - finite.min()) / 4 or float(rise) or 1.0
    shown = np.log1p((heights - finite.min()) / scale)
    ax = _axes(ax, (4.6, 4.0), look)
    tints = [mix(look.bg, look.muted, share) for share in (0.0, 0.25, 0.5, 0.75)]
    shades = LinearSegmentedColormap.from_list("loss", tints)
    ax.contourf(across, up, shown, levels=24, cmap=shades, zorder=0)
    if rise > 0:
        lines = ax.contour(across, up, shown, levels=7, colors=look.line, linewidths=0.8, zorder=1)
        names = {
            level: number_text(float(np.expm1(level)) * scale + float(finite.min()), precision=2)
            for level in lines.levels
        }
        ax.clabel(lines, fmt=names, fontsize=9, colors=look.ink)
    if len(spots):
        ax.plot(spots[:, 0], spots[:, 1], color=look.pos, linewidth=2.2, zorder=3)
        ax.plot(*spots[0], "o", mfc=look.bg, mec=look.pos, mew=1.6, markersize=7, zorder=4)
    ax.plot([0], [0], "o", color=look.pos, mec=look.bg, markersize=8, zorder=5)
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    word = "principal direction" if kind == "principal" else "direction"
    _dress(ax, look, title, (f"{word} 1", f"{word} 2"))
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def _check_callable(model: Any) -> None:
    if not callable(model):
        raise not_a_network(model, "a model that is called with a row")


def _check_layer(model: Any, layer: int) -> None:
    """Raise for what is no network, or a layer that it does not have."""
    if not isinstance(model, MLP):
        raise not_a_network(model, "an MLP")
    count = len(model.layers)
    if not isinstance(layer, int) or not -count <= layer < count:
        raise ArgumentError(f"the model has layers 0 to {count - 1}, got layer {layer!r}")


def _bare(ax: Any, look: Theme, title: str) -> None:
    """Dress axes on which places are not numbers."""
    _dress(ax, look, title, ("", ""))
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


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
