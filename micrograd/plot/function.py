"""A function of one number, with its derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from micrograd.checks import finite_number, function, whole_number
from micrograd.engine import Value, plain
from micrograd.errors import ArgumentError
from micrograd.functional import grad
from micrograd.ops import as_float
from micrograd.plot.axes import axes_of, dress_curves, font
from micrograd.plot.samples import MOST
from micrograd.style import number_text
from micrograd.style import theme as theme_named

__all__ = ["plot_function"]


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
    """Draw a function of one Value, its derivatives, and its tangent at one point.

    Parameters
    ----------
    f : callable
        Takes a Value and gives one.
    low, high : float, default -3 and 3
        The ends of the interval of arguments.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure of pyplot.
    derivatives : {0, 1, 2, 3}, default 1
        How many derivatives to draw, each computed by the engine from the one before.
    tangent_at : float, optional
        Where to draw the tangent; its slope is printed.
    resolution : int, default 241
        Number of points. The curve has a gap where `f` is undefined.
    name : str, default "f"
        Written at the end of the curve, with primes at those of derivatives.
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
        If matplotlib is missing; the message names the extra to install.

    Examples
    --------
    >>> from micrograd.plot import sheet
    >>> ax = plot_function(lambda x: x.tanh(), -3, 3, *sheet(), tangent_at=0.0)
    >>> [text.get_text() for text in ax.texts]
    ['f', "f'", 'slope 1']
    """
    low, high = (as_float(finite_number(*given)) for given in (("low", low), ("high", high)))
    if not low < high:
        raise ArgumentError(f"expected finite low < high, got {low!r} and {high!r}")
    function("f", f)
    name = str(name)
    whole_number("derivatives", derivatives, 0, 3)
    whole_number("resolution", resolution, 2, MOST)
    look = theme_named(theme)
    xs = [low + (high - low) * i / (resolution - 1) for i in range(resolution)]
    rules = [f]
    for _ in range(derivatives):
        rules.append(grad(rules[-1]))
    ax = axes_of(ax, (4.6, 3.1), look)
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
    if title is None:
        title = name + ("", " and its derivative", " and its derivatives")[min(derivatives, 2)]
    dress_curves(ax, look, title, "x", ends)
    if tangent_at is not None:
        at = as_float(finite_number("tangent_at", plain(tangent_at)))
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
            textcoords="offset points", color=look.ink, fontproperties=font(12), zorder=6,
            bbox={"facecolor": look.bg, "edgecolor": "none", "pad": 1, "alpha": 0.85},
        )  # fmt: skip
    return ax


def _value_at(rule: Callable[[Any], Any], x: float) -> float:
    """Return the value of a function at x, nan where it has no finite one."""
    try:
        y = float(plain(rule(Value(x))))
    except (ValueError, ArithmeticError):
        return math.nan
    return y if math.isfinite(y) else math.nan
