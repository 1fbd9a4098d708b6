"""The inside of a network: the outputs of its neurons, its weights and its gradients."""

from __future__ import annotations

import math
from typing import Any

from micrograd.checks import listed, needs, one_of, whole_number
from micrograd.engine import no_grad
from micrograd.errors import ArgumentError, not_a_network
from micrograd.nn import MLP
from micrograd.plot.axes import EXTRA, axes_of, colour_map, dress, font
from micrograd.plot.samples import MOST, limits_of, numbers, samples_of
from micrograd.style import Theme, number_text
from micrograd.style import theme as theme_named

__all__ = ["plot_activations", "plot_gradients", "plot_weights"]


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
    """Draw the output of each neuron of a layer over the plane of the two inputs.

    Parameters
    ----------
    model : MLP
        Of two inputs.
    X : array-like of shape (n_samples, 2)
        Samples; the plane reaches just beyond them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure of pyplot.
    layer : int, default 0
        Which layer; -1 is the output.
    resolution : int, default 40
        Number of points along each axis at which the model is evaluated.
    title : str, optional
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes
        One tile for each neuron, numbered from 0 in reading order. All share one scale of colours,
        blue above zero. A line marks the middle of the range of outputs in its tile.

    Raises
    ------
    InputCountError
        If `X` does not have two features. Also a ValueError.
    ArgumentError
        If there is no such layer.
    ImportError
        If NumPy or matplotlib is missing; the message names the extra to install.

    Examples
    --------
    >>> from micrograd.plot import sheet
    >>> from micrograd.nn import MLP
    >>> ax = plot_activations(MLP(2, [3, 1]), [[0, 0], [1, 1]], *sheet(), resolution=4)
    >>> [text.get_text() for text in ax.texts]
    ['0', '1', '2']
    """
    with needs(*EXTRA):
        import numpy as np
    look = theme_named(theme)
    rows, _ = samples_of("X", X, np.zeros(len(numbers("X", listed("X", X)))))
    _check_layer(model, layer)
    whole_number("resolution", resolution, 2, MOST)
    (left, low), (right, high) = limits_of(rows)
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
    ax = axes_of(ax, (7, 0.5 + 6.6 * tiles / columns), look)
    bound = float(np.abs(answers).max()) or 1.0
    for i in range(count):
        corner = (i % columns, tiles - 1 - i // columns)
        _draw_tile(ax, look, i, corner=corner, field=answers[:, :, i], bound=bound)
    ax.set_xlim(0, columns)
    ax.set_ylim(0, tiles)
    ax.set_aspect("equal")
    place = "output" if layer % len(model.layers) == len(model.layers) - 1 else f"layer {layer}"
    if title is None:
        title = f"What each neuron answers: {place}"
    dress(ax, look, title, ("", ""), spines=())
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel(
        f"colours from {number_text(-bound)} to {number_text(bound)}",
        color=look.muted, fontproperties=font(11),
    )  # fmt: skip
    return ax


def _draw_tile(
    ax: Any, look: Theme, number: int, *, corner: tuple[int, int], field: Any, bound: float
) -> None:
    """Draw the output of one neuron, in a square of its own."""
    import numpy as np

    x0, y0 = (place + 0.04 for place in corner)
    x1, y1 = (place + 0.96 for place in corner)
    ax.imshow(
        field, cmap=colour_map(look.diverging), vmin=-bound, vmax=bound, extent=(x0, x1, y0, y1),
        origin="lower", interpolation="bilinear", zorder=1,
    )  # fmt: skip
    half = (field.min() + field.max()) / 2
    if field.min() < half < field.max():
        ax.contour(
            *(np.linspace(*ends, len(field)) for ends in ((x0, x1), (y0, y1))), field,
            levels=[half], colors=look.ink, linewidths=1.2, zorder=2,
        )  # fmt: skip
    ax.text(
        x0 + 0.04, y1 - 0.04, str(number), va="top", color=look.ink, zorder=3,
        fontproperties=font(11, "bold"),
        bbox={"facecolor": look.bg, "edgecolor": "none", "pad": 1.5, "alpha": 0.8},
    )  # fmt: skip


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
        Where to draw; by default on a new figure of pyplot.
    layer : int, default 0
    quantity : {"data", "grad"}, default "data"
    title : str, optional
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes
        One row for each neuron and one column for each input, the bias last. Blue above zero,
        orange below. Up to 80 numbers are also printed.

    Raises
    ------
    ArgumentError
        If there is no such layer or quantity. Also a ValueError.
    ImportError
        If NumPy or matplotlib is missing; the message names the extra to install.

    Examples
    --------
    >>> from micrograd.plot import sheet
    >>> from micrograd.nn import MLP
    >>> ax = plot_weights(MLP(2, [3, 1]), *sheet())
    >>> ax.images[0].get_array().shape
    (3, 3)
    """
    with needs(*EXTRA):
        import numpy as np
    look = theme_named(theme)
    _check_layer(model, layer)
    one_of("quantity", quantity, ("data", "grad"))
    table = np.array(
        [
            [float(getattr(p, quantity)) for p in neuron.parameters()]
            for neuron in model.layers[layer].neurons
        ]
    )
    neurons, inputs = table.shape[0], table.shape[1] - 1
    bound = float(np.abs(table[np.isfinite(table)]).max(initial=0)) or 1.0
    ax = axes_of(ax, (min(9, 1.6 + 0.5 * (inputs + 1)), min(8, 1.1 + 0.32 * neurons)), look)
    shades = colour_map(look.diverging)
    ax.imshow(table, cmap=shades, vmin=-bound, vmax=bound, aspect="auto", zorder=1)
    if table.size <= 80:
        for (i, j), entry in np.ndenumerate(table):
            strong = abs(entry) > 0.75 * bound
            color = look.bg if strong else look.ink
            ax.text(
                j, i, number_text(float(entry), precision=2), ha="center", va="center", zorder=2,
                color=color if math.isfinite(entry) else look.wrong, fontproperties=font(9),
            )  # fmt: skip
    if title is None:
        what = "Weights" if quantity == "data" else "Gradients"
        title = f"{what} of layer {layer % len(model.layers)}"
    dress(ax, look, title, ("input, and the bias b", "neuron"), spines=())
    step = max(1, math.ceil((inputs + 1) / 16))
    places = [*range(0, inputs, step), inputs]
    ax.set_xticks(places, [*(str(i) for i in places[:-1]), "b"])
    ax.set_yticks(range(0, neurons, max(1, math.ceil(neurons / 16))))
    return ax


def plot_gradients(
    model: Any, ax: Any = None, *, title: str = "Gradients by layer", theme: str = "light"
) -> Any:
    """Draw a histogram of the gradients of the parameters of each layer, after a backward pass.

    Parameters
    ----------
    model : MLP
        After `backward`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure of pyplot.
    title : str
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.axes.Axes
        Absolute values on a log scale that all layers share: gradients that vanish or explode from
        layer to layer move to the left or right. Those more than eight decades below the largest
        are drawn at the left end. At the right of each row is written how many gradients are 0, and
        how many neurons have no other: those learn nothing from this pass.

    Raises
    ------
    ArgumentError
        If every gradient is 0: there was no backward pass, or nothing reached the parameters. Also
        a ValueError.
    ImportError
        If NumPy or matplotlib is missing; the message names the extra to install.

    Examples
    --------
    >>> from micrograd.plot import sheet
    >>> from micrograd.nn import MLP
    >>> model = MLP(2, [3, 1], activation="tanh")
    >>> model([1.0, 2.0]).backward()
    >>> ax = plot_gradients(model, *sheet())
    >>> [text.get_text() for text in ax.texts]
    ['none is 0', 'none is 0']
    """
    with needs(*EXTRA):
        import numpy as np
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
    ax = axes_of(ax, (7, 1.0 + 0.75 * len(layers)), look)
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
            color=look.ink if dead else look.muted, fontproperties=font(11),
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, len(layers))
    dress(ax, look, title, ("size of the gradient of a parameter", ""), spines=("bottom",))
    last = len(layers) - 1
    ax.set_yticks(
        [last - i + 0.35 for i in range(len(layers))],
        ["output" if i == last else f"layer {i}" for i in range(len(layers))],
    )
    ax.tick_params(axis="y", length=0)
    return ax


def _check_layer(model: Any, layer: int) -> None:
    """Raise an error if the model is no MLP, or has no such layer."""
    if not isinstance(model, MLP):
        raise not_a_network(model, "an MLP")
    count = len(model.layers)
    if not isinstance(layer, int) or not -count <= layer < count:
        raise ArgumentError(f"the model has layers 0 to {count - 1}, got layer {layer!r}")
