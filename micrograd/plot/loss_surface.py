"""The loss around the parameters of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from micrograd.checks import finite_number, function, listed, needs, one_of, whole_number
from micrograd.engine import no_grad, plain
from micrograd.errors import ArgumentError, InputCountError, not_a_network
from micrograd.plot.axes import EXTRA, axes_of, colour_map, dress
from micrograd.plot.samples import MOST, numbers
from micrograd.style import Theme, mix, number_text
from micrograd.style import theme as theme_named

__all__ = ["plot_loss_surface"]


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
    """Draw the loss on a plane through the current parameters of a model.

    Parameters
    ----------
    model : Module
        Its parameters are changed while the losses are computed, and restored afterwards.
    loss : callable
        Takes no arguments and returns the loss of the model with its current parameters.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure of pyplot.
    path : sequence of sequence of float, optional
        The parameters at steps of training, each `[p.data for p in model.parameters()]`.
    directions : {"random", "principal"}, optional
        What spans the plane: two orthogonal random directions, or the first two principal
        components of the path [1]_. Default "principal" with a path of three points or more.
    span : float, default 1.0
        How far a random plane extends in each direction, in norms of the parameter vector.
    resolution : int, default 21
        Number of points along each axis at which the loss is computed.
    seed : int, default 0
        Of the random directions.
    title : str
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes
        Darker is higher, on a log scale. The filled dot marks the current parameters, the hollow
        one the start of the path.

    Raises
    ------
    ArgumentError
        If an option is unknown, or the path does not have two principal directions.
    InputCountError
        If a point of the path does not have as many parameters as the model.
    ImportError
        If NumPy or matplotlib is missing; the message names the extra to install.

    References
    ----------
    .. [1] Li, Xu, Taylor, Studer and Goldstein (2018), Visualizing the Loss Landscape of Neural
       Nets, section 7.

    Examples
    --------
    >>> from micrograd.plot import sheet
    >>> from micrograd.nn import MLP
    >>> model = MLP(2, [3, 1])
    >>> ax = plot_loss_surface(model, lambda: model([1.0, 2.0]) ** 2, *sheet(), resolution=5)
    >>> ax.get_xlabel()
    'direction 1'
    """
    with needs(*EXTRA):
        import numpy as np
    look = theme_named(theme)
    if isinstance(model, type) or not hasattr(model, "parameters"):
        raise not_a_network(model, "a model with parameters()")
    function("loss", loss)
    parameters = list(model.parameters())
    here = np.array([float(p.data) for p in parameters])
    points = None if path is None else numbers("path", listed("path", path))
    if points is not None and (points.ndim != 2 or points.shape[1] != len(here)):
        raise InputCountError(
            f"expected points of {len(here)} parameters in the path, got shape {points.shape}"
        )
    kind = directions or ("principal" if points is not None and len(points) > 2 else "random")
    one_of("directions", kind, ("random", "principal"))
    whole_number("resolution", resolution, 3, MOST)
    finite_number("span", span, above=0)
    if points is None:
        points = np.zeros((0, len(here)))
    if kind == "principal":
        plane = _principal(points - here)
    else:
        drawn = np.random.default_rng(
            seed if seed is None else whole_number("seed", seed, 0)
        ).normal(size=(len(here), 2))
        plane = np.linalg.qr(drawn)[0].T
    track = (points - here) @ plane.T
    if kind == "principal":
        low, high = np.minimum(track.min(axis=0), 0), np.maximum(track.max(axis=0), 0)
        margin = 0.25 * (high - low) + 0.05 * (high - low).max()
        low, high = low - margin, high + margin
    else:
        reach = span * (float(np.linalg.norm(here)) or 1.0)
        low, high = np.array([-reach, -reach]), np.array([reach, reach])
    across, up = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    places = here + up[:, None, None] * plane[1] + across[None, :, None] * plane[0]
    heights = _losses(parameters, loss, places)
    if not np.isfinite(heights).any():
        raise ArgumentError("the loss is not finite anywhere on this plane")

    ax = axes_of(ax, (4.6, 4.0), look)
    _draw_heights(ax, look, across, up, heights)
    if len(track):
        ax.plot(track[:, 0], track[:, 1], color=look.pos, linewidth=2.2, zorder=3)
        ax.plot(*track[0], "o", mfc=look.bg, mec=look.pos, mew=1.6, markersize=7, zorder=4)
    ax.plot([0], [0], "o", color=look.pos, mec=look.bg, markersize=8, zorder=5)
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    word = "principal direction" if kind == "principal" else "direction"
    dress(ax, look, title, (f"{word} 1", f"{word} 2"), spines=())
    return ax


def _principal(moves: Any) -> Any:
    """Return the first two principal components of the moves, of length 1."""
    import numpy as np

    _, lengths, directions = np.linalg.svd(moves, full_matrices=False)
    if len(lengths) < 2 or lengths[1] <= 1e-12 * lengths[0]:
        raise ArgumentError("the path does not span a plane: give more points, or directions")
    return directions[:2]


def _losses(parameters: list[Any], loss: Callable[[], Any], places: Any) -> Any:
    """Return the loss at each place, nan where it overflows; the parameters stay as they were."""
    import numpy as np

    heights = np.full(places.shape[:2], np.nan)
    before = [p.data for p in parameters]
    try:
        with no_grad():
            for at in np.ndindex(heights.shape):
                for p, entry in zip(parameters, places[at].tolist(), strict=True):
                    p.data = entry
                with suppress(ArithmeticError):  # too large for a float: a gap in the picture
                    heights[at] = plain(loss())
    finally:
        for p, data in zip(parameters, before, strict=True):
            p.data = data
    return heights


def _draw_heights(ax: Any, look: Theme, across: Any, up: Any, heights: Any) -> None:
    """Draw the losses as shades, with lines of equal loss and their numbers."""
    import numpy as np

    finite = heights[np.isfinite(heights)]
    lowest, rise = float(finite.min()), float(np.ptp(finite))
    # log(1 + h / scale) shows a valley beside a cliff, and is defined for losses below 0 too.
    scale = (float(np.median(finite)) - lowest) / 4 or rise or 1.0
    levels = np.log1p((heights - lowest) / scale)
    shades = colour_map([mix(look.bg, look.muted, k / 4) for k in range(4)])
    ax.contourf(across, up, levels, levels=24, cmap=shades, zorder=0)
    if rise > 0:
        lines = ax.contour(across, up, levels, levels=7, colors=look.line, linewidths=0.8, zorder=1)
        names = {
            level: number_text(float(np.expm1(level)) * scale + lowest, precision=2)
            for level in lines.levels
        }
        ax.clabel(lines, fmt=names, fontsize=9, colors=look.ink)
