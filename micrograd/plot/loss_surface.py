"""The loss around the parameters of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine import no_grad, plain
from micrograd.errors import ArgumentError, InputCountError
from micrograd.plot.axes import EXTRA, axes_of, dress
from micrograd.style import mix, number_text
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
    >>> from micrograd.plot import sheet
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
        raise ImportError(EXTRA) from error
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
    ax = axes_of(ax, (4.6, 4.0), look)
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
    dress(ax, look, title, (f"{word} 1", f"{word} 2"))
    for side in ax.spines.values():
        side.set_visible(False)
    return ax
