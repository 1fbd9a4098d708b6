"""The decision boundary: which class a model predicts for each point of a plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from micrograd.checks import finite_number, listed, needs, whole_number
from micrograd.engine import no_grad, plain
from micrograd.errors import ArgumentError, InputCountError, not_a_network
from micrograd.nn import is_ours
from micrograd.plot.axes import EXTRA, axes_of, colour_map, dress, font
from micrograd.plot.samples import MOST, features_of, limits_of, pair, samples_of
from micrograd.style import MARKERS, Theme, class_shape, mix
from micrograd.style import theme as theme_named

__all__ = ["plot_decision_boundary"]


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
    """Draw which class a model predicts for each point of a plane, and the samples on top.

    Parameters
    ----------
    model : callable
        Takes a row of all features. It gives one number or Value, above `level` for one class and
        below it for the other, or a list with one for each class, of which the largest wins.
    X : array-like or DataFrame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        The classes: any two numbers for a model of one score, else 0, 1, 2, ...
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure of pyplot.
    held_out : (X, y), optional
        Samples that the model was not trained on, drawn hollow.
    classes : sequence of str, optional
        Names of the classes for the key, in ascending order of their labels. Default the labels.
    features : pair of int or str, default (0, 1)
        The features on the x and y axes, by column or name. All others are held at their mean in
        `X`, and the picture says so.
    names : sequence of str, optional
        Of all features. Default the columns of a DataFrame, else x1, x2, ...
    level : float, default 0.0
        The score at the boundary: 0 for hinge and for logits.
    margin : float, optional
        Also draw dashed lines where the score is this far from `level` (hinge loss is 0 beyond 1),
        or, with several classes, where the largest score exceeds the next by this much.
    resolution : int, default 80
        Number of points along each axis at which the model is evaluated.
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
        If a model of one score is given more than two classes, a label is no class of the model, a
        feature does not exist, or the model cannot be called.
    ImportError
        If NumPy or matplotlib is missing; the message names the extra to install.

    Notes
    -----
    Shades are probabilities, with the scores taken as logits: the paler, the less certain. The
    model is called resolution ** 2 times.

    Examples
    --------
    >>> from micrograd.plot import sheet
    >>> X, y = [[0, 1], [1, 0], [2, 2]], [-1, 1, 1]
    >>> ax = plot_decision_boundary(lambda x: x[0] - 0.5, X, y, *sheet())
    >>> ax.get_title(loc="left"), ax.get_xlabel()
    ('Decision boundary', 'x1')
    """
    with needs(*EXTRA):
        import numpy as np
    look = theme_named(theme)
    if not callable(model):
        raise not_a_network(model, "a model that is called with a row")
    names, columns = features_of(X, features, names)
    groups = [samples_of("X", X, y, len(names))]
    if held_out:
        held_rows, held_labels = pair("held_out", held_out)
        groups.append(samples_of("held-out X", held_rows, held_labels, len(names)))
    whole_number("resolution", resolution, 2, MOST)
    finite_number("level", level)
    if margin is not None:
        finite_number("margin", margin, above=0)
    low, high = limits_of(np.concatenate([rows[:, columns] for rows, _ in groups]))
    across, up = (np.linspace(low[k], high[k], resolution) for k in (0, 1))
    scores = _scores(model, groups[0][0].mean(axis=0).tolist(), columns, across, up)
    labels = sorted({label for _, group in groups for label in group.tolist()})
    marks = _marks(look, labels, scores.shape[2], classes)

    ax = axes_of(ax, (4.6, 4.2), look)
    _draw_regions(ax, look, (across, up), scores, marks, level=level, margin=margin)
    for hollow, (rows, group) in enumerate(groups):
        _draw_samples(ax, look, rows[:, columns], group, marks, hollow=bool(hollow))
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    others = len(names) - 2
    held = f"\n{others} other feature{'s' * (others > 1)} at the mean" if others else ""
    dressed = partial(dress, ax, look, title, (names[columns[0]] + held, names[columns[1]]))
    dressed(pad=24, spines=())
    lines = _draw_key(ax, look, marks, hollow=len(groups) > 1)
    if lines > 1:
        dressed(pad=24 + 16 * (lines - 1), spines=())
    return ax


class _Mark(NamedTuple):
    """How the samples of one class are drawn."""

    label: float
    name: str
    colour: str
    shape: str


def _scores(
    model: Callable[[Any], Any], row: list[float], columns: tuple[int, ...], across: Any, up: Any
) -> Any:
    """Return the scores of a model on a grid: rows from below, points, outputs.

    `row` holds the values of the other features.
    """
    import numpy as np

    x, z = (part.ravel() for part in np.meshgrid(across, up))
    rows = np.tile(row, (len(x), 1))
    rows[:, columns[0]], rows[:, columns[1]] = x, z
    if is_ours(model):  # then nothing but its numbers can matter, and machine code gives them
        from micrograd.replay import compile as compiled  # takes as long to load as all plots

        outputs = compiled(model, check="ignore").map(rows)
    else:
        with no_grad():
            outputs = [_numbers(model(one)) for one in rows.tolist()]
    scores = np.array(outputs, dtype=float).reshape(len(up), len(across), -1)
    if not np.isfinite(scores).all():
        raise ArgumentError("the model gives scores that are not finite for some points")
    return scores


def _numbers(output: Any) -> list[float]:
    scores = output if hasattr(output, "__len__") else [output]
    return [float(plain(score)) for score in scores]


def _marks(
    look: Theme, labels: list[Any], outputs: int, names: Sequence[str] | None
) -> list[_Mark]:
    """Return the mark of each class, once it is clear that the labels fit the model."""
    if outputs > 1:
        if any(label not in range(outputs) for label in labels):
            raise ArgumentError(f"the labels are {labels}, but the model has {outputs} classes")
        labels = list(range(outputs))
    elif len(labels) > 2:
        raise ArgumentError(f"one score tells two classes apart, the labels are {labels}")
    elif len(labels) < 2:  # which of the two it is, its sign says
        labels = [0, labels[0]] if labels[0] > 0 else [labels[0], 1]
    names = (
        [str(name) for name in listed("classes", names)]
        if names is not None
        else [f"{k:g}" for k in labels]
    )
    if len(names) != len(labels):
        raise InputCountError(f"expected names for {len(labels)} classes, got {len(names)}")
    return [
        _Mark(label, name, look.of_class(k, outputs), MARKERS[class_shape(k, outputs)])
        for k, (label, name) in enumerate(zip(labels, names, strict=True))
    ]


def _draw_regions(
    ax: Any,
    look: Theme,
    grid: tuple[Any, Any],
    scores: Any,
    marks: list[_Mark],
    *,
    level: float,
    margin: float | None,
) -> None:
    """Draw how probable each class is, the boundary between them and the margins."""
    import numpy as np
    from matplotlib.colors import to_rgb

    several = scores.shape[2] > 1
    if several:
        probabilities = np.exp(scores - scores.max(axis=2, keepdims=True))
        probabilities /= probabilities.sum(axis=2, keepdims=True)
        tints = np.array([to_rgb(mix(look.bg, mark.colour, 0.42)) for mark in marks])
        image = np.clip(probabilities @ tints, 0, 1)
        # By how much the score of a class exceeds the largest of the others.
        fields = [
            scores[:, :, k] - np.delete(scores, k, axis=2).max(axis=2) for k in range(len(marks))
        ]
    else:
        logits = np.clip(scores[:, :, 0] - level, -500, 500)
        image = 1 / (1 + np.exp(-np.clip(4 * logits, -500, 500)))
        fields = [logits]
    across, up = grid
    ax.imshow(
        image, cmap=colour_map(look.pale), vmin=0, vmax=1, zorder=0, origin="lower",
        extent=(across[0], across[-1], up[0], up[-1]), aspect="auto", interpolation="bilinear",
    )  # fmt: skip
    for field in fields:
        _draw_line(ax, across, up, field, look)
        if margin is not None:
            for at in (margin,) if several else (-margin, margin):
                _draw_line(ax, across, up, field, look, at=at)


def _draw_line(ax: Any, across: Any, up: Any, field: Any, look: Theme, *, at: float = 0.0) -> None:
    """Draw where the field is 0, or, dashed, where it is another number."""
    if field.min() < at < field.max():
        ax.contour(
            across, up, field, levels=[at], colors=look.ink, zorder=2,
            linewidths=1.3 if at else 2.2, linestyles="dashed" if at else "solid",
        )  # fmt: skip


def _draw_samples(
    ax: Any, look: Theme, points: Any, group: Any, marks: list[_Mark], *, hollow: bool
) -> None:
    for label, _, colour, shape in marks:
        chosen = points[group == label]
        ax.scatter(
            chosen[:, 0], chosen[:, 1], s=26 if shape == "s" else 30, marker=shape,
            facecolor=look.bg if hollow else colour, edgecolor=colour if hollow else look.bg,
            linewidth=1.3 if hollow else 0.9, zorder=3 + hollow,
        )  # fmt: skip


def _draw_key(ax: Any, look: Theme, marks: list[_Mark], *, hollow: bool) -> int:
    """Name the marks below the title; return how many lines that takes."""
    from matplotlib.lines import Line2D

    def handle(shape: str, fill: str, edge: str, name: str) -> Any:
        return Line2D(
            [], [], linestyle="none", marker=shape, markersize=6.5, label=name,
            markerfacecolor=fill, markeredgecolor=edge, markeredgewidth=1.3,
        )  # fmt: skip

    handles = [handle(shape, colour, colour, name) for _, name, colour, shape in marks]
    if hollow:
        handles.append(handle(MARKERS[0], look.bg, look.muted, "held out"))
    figure = ax.figure.canvas.figure  # the outermost one, in every version of matplotlib
    figure.canvas.draw()  # widths are known only now
    lines = 0
    while True:
        lines += 1
        columns = math.ceil(len(handles) / lines)
        legend = ax.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns,
            frameon=False, labelcolor=look.muted, borderpad=0.2, borderaxespad=0.1,
            handletextpad=0.1, columnspacing=0.9, prop=font(11),
        )  # fmt: skip
        room = figure.bbox.x1 - ax.bbox.x0
        if columns == 1 or legend.get_window_extent().width <= room:
            return lines
