"""The curves of a training run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Protocol

from micrograd.checks import one_of
from micrograd.errors import ArgumentError, ArgumentTypeError, shown_typed
from micrograd.plot.axes import HIGHEST, axes_of, dress_curves
from micrograd.style import theme as theme_named

__all__ = ["Curves", "log_floor", "plot_history"]


class Curves(Protocol):
    """What `plot_history` reads of a `History`: anything with these attributes can be drawn."""

    loss: list[float]
    accuracy: list[float]
    validation_steps: list[int]
    validation_loss: list[float]
    validation_accuracy: list[float]


def log_floor(entries: Iterable[float]) -> float:
    """Return the lower edge of a logarithmic axis of losses; 0 where a linear one shows them.

    Examples
    --------
    >>> log_floor([5.0, 0.5]), log_floor([5.0, 0.01]), log_floor([5.0, 1e-9, 0.0])
    (0.0, 0.01, 0.0005)
    """
    positive = [entry for entry in entries if 0 < entry < math.inf]
    if positive and max(positive) > 100 * min(positive):
        return max(min(positive), 1e-4 * max(positive))
    return 0.0


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
        As returned by `fit`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure of pyplot.
    quantity : {"loss", "accuracy"}, default "loss"
    names : tuple of str, default ("train", "held out")
        Written at the ends of the curves, of the training steps and of the validation data.
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
        If matplotlib is missing; the message names the extra to install.

    Notes
    -----
    The axis of a loss that spans more than two decades is logarithmic; entries below a
    ten-thousandth of the largest, 0 included, are then drawn at its lower edge. Entries above 1e300
    are drawn at 1e300, and one that is not finite is a gap.

    Examples
    --------
    >>> from micrograd.plot import sheet
    >>> from micrograd.train import History
    >>> ax = plot_history(History(loss=[1.0, 0.5, 0.25]), *sheet())
    >>> ax.get_title(loc="left"), ax.get_yscale()
    ('Loss', 'linear')
    """
    if not hasattr(history, "loss"):
        raise ArgumentTypeError(
            f"expected the History that fit returns, got {shown_typed(history)}"
            "; History(loss=[...]) makes one of losses of your own"
        )
    one_of("quantity", quantity, ("loss", "accuracy"))
    look = theme_named(theme)
    entries, held_out = (
        [min(entry, HIGHEST) if math.isfinite(entry) else entry for entry in given]
        for given in (getattr(history, quantity), getattr(history, f"validation_{quantity}"))
    )
    if not any(map(math.isfinite, entries)):
        raise ArgumentError(f"the history holds no {quantity}{' that is finite' * bool(entries)}")
    ax = axes_of(ax, (4.6, 3.1), look)
    curves: list[tuple[list[int], list[float], str, str, Any]]
    curves = [(list(range(len(entries))), entries, names[0], look.ink, "-")]
    if held_out:
        dashes = (0, (4.5, 2))
        curves.append((history.validation_steps, held_out, names[1], look.muted, dashes))
    floor = 0.0
    if quantity == "loss":
        floor = log_floor([entry for _, ys, *_ in curves for entry in ys])
        if floor:
            ax.set_yscale("log")
            highest = max(entry for _, ys, *_ in curves for entry in ys if entry < math.inf)
            ax.set_ylim(floor / 1.5, highest * 1.5)
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
    title = quantity.capitalize() if title is None else title
    dress_curves(ax, look, title, "step", ends)
    return ax
