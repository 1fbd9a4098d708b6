"""The axes that every plot draws on, and their look."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Final

from micrograd.errors import ArgumentError
from micrograd.files import write_whole
from micrograd.style import Theme
from micrograd.style import theme as theme_named

__all__ = [
    "DOTS_PER_INCH",
    "EXTRA",
    "FAMILIES",
    "HIGHEST",
    "axes_of",
    "bare",
    "dress",
    "font",
    "name_ends",
    "save_figure",
    "sheet",
]

FAMILIES: Final = ("Arial", "Liberation Sans", "Helvetica", "DejaVu Sans")
DOTS_PER_INCH: Final = 200
HIGHEST: Final = 1e300  # what is drawn: above it axes have no room for their margins
EXTRA: Final = 'pictures need NumPy and matplotlib: pip install "micrograd[train]"'


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
        raise ImportError(EXTRA) from error
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


def axes_of(ax: Any, size: tuple[float, float], look: Theme) -> Any:
    """Return the axes that were given, or new ones on a figure that a notebook shows."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(EXTRA) from error
    figure = pyplot.figure(figsize=size, layout="constrained", facecolor=look.bg)
    return figure.add_subplot()


def dress(ax: Any, look: Theme, title: str, names: tuple[str, str], pad: float = 6) -> None:
    """Give axes the fonts and colours of a theme, a title and the names of both directions."""
    ax.set_facecolor(look.bg)
    ax.set_title(title, loc="left", color=look.ink, pad=pad, fontproperties=font(13, "bold"))
    ax.set_xlabel(names[0], color=look.muted, fontproperties=font(12))
    ax.set_ylabel(names[1], color=look.muted, fontproperties=font(12))
    ax.tick_params(which="both", color=look.line, labelcolor=look.muted)
    ax.tick_params(which="major", labelsize=11, labelfontfamily=font(11).get_family())
    for name, side in ax.spines.items():
        side.set_visible(name in ("left", "bottom"))
        side.set_color(look.line)


def bare(ax: Any, look: Theme, title: str) -> None:
    """Dress axes on which places are not numbers."""
    dress(ax, look, title, ("", ""))
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


def font(size: float, weight: str = "normal") -> Any:
    """Return the first of the families that is installed; to name a missing one logs a warning."""
    from matplotlib.font_manager import FontProperties, fontManager

    installed = {entry.name for entry in fontManager.ttflist}
    families = [family for family in FAMILIES if family in installed]
    return FontProperties(family=families[:1] or None, size=size, weight=weight)


def name_ends(ax: Any, ends: list[tuple[float, float, str, str]]) -> None:
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
            color=colour, fontproperties=font(12), annotation_clip=False,
        )  # fmt: skip
