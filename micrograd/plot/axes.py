"""The axes that every plot draws on, and their look."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any, Final

from micrograd.checks import finite_number, needs, whole_number
from micrograd.errors import ArgumentTypeError, shown_briefly
from micrograd.files import path_ending_in, write_atomic
from micrograd.ops import as_float
from micrograd.plot.samples import pair
from micrograd.style import Theme
from micrograd.style import theme as theme_named

__all__ = [
    "DOTS_PER_INCH", "EXTRA", "FAMILIES", "HIGHEST", "axes_of", "colour_map", "dress",
    "dress_curves", "font", "save_figure", "sheet",
]  # fmt: skip

FAMILIES: Final = ("Arial", "Liberation Sans", "Helvetica", "DejaVu Sans")
DOTS_PER_INCH: Final = 200
EXTRA: Final = ("train", "pictures need NumPy and matplotlib")
HIGHEST: Final = 1e300  # the largest number that is drawn: axes need room for margins above it


def sheet(columns: int = 1, *, size: tuple[float, float] = (7, 3.1), theme: str = "light") -> Any:
    """Return axes, side by side, on a new figure that pyplot does not know.

    Parameters
    ----------
    columns : int, default 1
    size : tuple of float, default (7, 3.1)
        Width and height in inches.
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    list of matplotlib.axes.Axes
        Their `figure` is drawn by Agg: no window opens.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message names the extra to install.

    Examples
    --------
    >>> loss, accuracy = sheet(2)
    >>> loss.figure is accuracy.figure
    True
    """
    columns = whole_number("columns", columns, 1, 100)
    width, height = (as_float(finite_number("size", side, above=0)) for side in pair("size", size))
    with needs(*EXTRA):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=theme_named(theme).bg)
    FigureCanvasAgg(figure)
    return [figure.add_subplot(1, columns, i + 1) for i in range(columns)]


def save_figure(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file atomically, in the format that the ending of its name says.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
        Ends in .png, .svg or .pdf. The same figure gives the same bytes each time.

    Raises
    ------
    ArgumentError
        If the name has another ending. Also a ValueError.
    OSError
        If the file cannot be written; an existing file then stays as it is.
    """
    from matplotlib import rc_context

    kind = path_ending_in(path, ".png", ".svg", ".pdf").suffix[1:].lower()
    dateless = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    picture = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "micrograd"}):
        figure.savefig(picture, format=kind, dpi=DOTS_PER_INCH, metadata=dateless[kind])
    write_atomic(path, picture.getvalue())


def axes_of(ax: Any, size: tuple[float, float], look: Theme) -> Any:
    """Return the axes that were given, or new ones on a figure that a notebook shows."""
    if ax is not None:
        if not hasattr(ax, "imshow"):
            raise ArgumentTypeError(
                f"expected ax to be axes of matplotlib, got {shown_briefly(ax)}"
            )
        return ax
    with needs(*EXTRA):
        from matplotlib import pyplot
    figure = pyplot.figure(figsize=size, layout="constrained", facecolor=look.bg)
    return figure.add_subplot()


def dress(
    ax: Any,
    look: Theme,
    title: str,
    names: tuple[str, str],
    *,
    pad: float = 6,
    spines: Sequence[str] = ("left", "bottom"),
) -> None:
    """Give axes the fonts and colours of a theme, a title and names for x and y."""
    ax.set_facecolor(look.bg)
    ax.set_title(title, loc="left", color=look.ink, pad=pad, fontproperties=font(13, "bold"))
    ax.set_xlabel(names[0], color=look.muted, fontproperties=font(12))
    ax.set_ylabel(names[1], color=look.muted, fontproperties=font(12))
    ax.tick_params(which="both", color=look.line, labelcolor=look.muted)
    ax.tick_params(which="major", labelsize=11, labelfontfamily=font(11).get_family())
    for name, side in ax.spines.items():
        side.set_visible(name in spines)
        side.set_color(look.line)


def colour_map(stops: Sequence[str]) -> Any:
    """Return the colour map of matplotlib that runs through the given colours."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("micrograd", list(stops))


def font(size: float, weight: str = "normal") -> Any:
    """Return the first of the families that is installed: matplotlib warns of a missing one."""
    from matplotlib.font_manager import FontProperties, fontManager

    installed = {entry.name for entry in fontManager.ttflist}
    families = [family for family in FAMILIES if family in installed]
    return FontProperties(family=families[:1] or None, size=size, weight=weight)


def dress_curves(
    ax: Any, look: Theme, title: str, x_name: str, ends: list[tuple[float, float, str, str]]
) -> None:
    """Dress axes of curves, with a grid, and write each name at the right end of its curve.

    An end is its x and y, the name and the colour. Names that would touch are moved apart.
    """
    dress(ax, look, title, (x_name, ""))
    ax.grid(axis="y", color=look.hair, linewidth=0.8)
    ax.set_axisbelow(True)
    figure = ax.figure
    figure.canvas.draw()  # heights are known only now
    apart = 15 * figure.dpi / 72
    heights = [ax.transData.transform((x, y))[1] for x, y, *_ in ends]
    downwards = sorted(range(len(ends)), key=lambda i: -heights[i])
    placed = [heights[i] for i in downwards]
    for i in range(1, len(placed)):
        placed[i] = min(placed[i], placed[i - 1] - apart)
    # All names move up by half of what the lowest was pushed down, as far as there is room.
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
