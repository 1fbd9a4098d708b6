"""Which class a model gives to each point of the plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine import no_grad, plain
from micrograd.errors import ArgumentError, InputCountError, not_a_network
from micrograd.plot.axes import EXTRA, axes_of, dress, font
from micrograd.plot.samples import features_of, samples_of
from micrograd.style import MARKERS, Theme, mix
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
    >>> from micrograd.plot import sheet
    >>> X, y = [[0, 1], [1, 0], [2, 2]], [-1, 1, 1]
    >>> ax = plot_decision_boundary(lambda x: x[0] - 0.5, X, y, *sheet())
    >>> ax.get_title(loc="left"), ax.get_xlabel()
    ('Decision boundary', 'x1')
    """
    try:
        import numpy as np
        from matplotlib.colors import LinearSegmentedColormap
    except ImportError as error:
        raise ImportError(EXTRA) from error
    look = theme_named(theme)
    _check_callable(model)
    names, (i, j) = features_of(X, features, names)
    groups = [samples_of("X", X, y, len(names))]
    if held_out:
        groups.append(samples_of("held-out X", *held_out, len(names)))
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

    ax = axes_of(ax, (4.6, 4.2), look)
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
    dress(ax, look, title, axes_names, pad=24)
    lines = _key(ax, look, told, colours, markers, hollow=len(groups) > 1)
    if lines > 1:
        dress(ax, look, title, axes_names, pad=24 + 16 * (lines - 1))
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


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
            handletextpad=0.1, columnspacing=0.9, prop=font(11),
        )  # fmt: skip
        room = figure.bbox.x1 - ax.bbox.x0
        if columns == 1 or legend.get_window_extent().width <= room:
            return lines


def _check_callable(model: Any) -> None:
    if not callable(model):
        raise not_a_network(model, "a model that is called with a row")
