"""The picture of a computation graph: options in, a `graphviz.Digraph` out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from micrograd.checks import one_of, whole_number
from micrograd.draw.diagram import build, checked_model, count_values, names_of, roots_of
from micrograd.draw.dot import (
    RANKDIRS,
    SHOWS,
    Style,
    checked_options,
    clean,
    description,
    lines,
    new_picture,
)
from micrograd.draw.fold import FOLDS, folded, folded_lines
from micrograd.errors import ArgumentError
from micrograd.style import THEMES
from micrograd.style import theme as theme_of

if TYPE_CHECKING:
    from micrograd.draw.picture import Picture

__all__ = ["draw_dot"]


def draw_dot(
    root: Any,
    format: str = "svg",  # noqa: A002
    rankdir: str = "LR",
    *,
    show: str = "both",
    color: bool = True,
    local: bool | None = None,
    precision: int = 4,
    theme: str = "auto",
    legend: bool = True,
    labels: Any = None,
    wrt: Any = None,
    model: Any = None,
    forward: Any = None,
    fold: str | None = None,
    max_nodes: int | None = 500,
    program: str = "wheel",
) -> Picture:
    """Draw the computation graph of `root` as it was typed: a card per value, a circle per op.

    The colour of a line shows the sign of the gradient that flows back along it, its width the
    size. A card shows name, data and gradient; the gradient is "–" before a backward pass.

    Parameters
    ----------
    root : Value or sequence of Value
    format : {"svg", "png", "jpg", "pdf", "dot", "json"}, default "svg"
        The default format of the picture; pdf needs `program="system"`.
    rankdir : {"LR", "RL", "TB", "BT"}, default "LR"
        The direction: left to right, right to left, top to bottom, bottom to top.
    show : {"both", "data", "grad"}, default "both"
        Which numbers the cards show.
    color : bool, default True
        Show gradients as colour and width.
    local : bool, optional
        Show local derivatives on the edges; by default in graphs of up to 60 values.
    precision : int, default 4
        Significant digits.
    theme : {"auto", "light", "dark"}, default "auto"
        "auto" is light, and as SVG dark where the page around it is dark, such as a notebook; a
        file follows the system.
    legend : bool, default True
    labels : mapping, optional
        Names of values that have no label: `{value: "x"}`, `{"x": value}` or `{"x": [values]}`.
        Entries that are not Values are ignored, so that `labels=locals()` works.
    wrt : Value or sequence of Value, optional
        Fade values that are not on a path from these to the output.
    model : Module, optional
        The module whose parameters are drawn as parameters, not as inputs. Without it, leaves
        labelled w, w1, ... are parameters, and where there are any, leaves labelled b, b1, ... too.
    forward : Value, optional
        The output of the forward pass: values that it was not computed from are drawn as the graph
        of its gradient. By default the output that was given to `gradient(..., create_graph=True)`,
        or the first of several roots.
    fold : {"neuron", "layer", "network"}, optional
        Draw each module of `model` as one box with its summations and activations, and repeated
        computations, such as the loss of each sample, once with a count.
    max_nodes : int or None, default 500
        A larger graph is an error; None for no limit.
    program : {"wheel", "system"}, default "wheel"
        The layout program: that of the package graphviz-pure, or the Graphviz of the system.

    Returns
    -------
    Picture
        A `graphviz.Digraph`: it shows itself in a notebook, and has `source`, `write(path)`,
        `pipe` and `render`.

    Raises
    ------
    ArgumentTypeError
        If `root` is not a Value. Also a TypeError.
    ArgumentError
        If an option has an unknown value or the graph is too large. Also a ValueError.
    CycleError
        If a value is its own ancestor. Also a ValueError.

    Notes
    -----
    The DOT source depends only on the graph and the options: it is the same in every process. The
    time for it is linear in the graph; the layout of 500 values takes about a second. In pictures
    of more than 150 values a card is one line, and of more than 5,000 the lines do not show
    gradients. PNG has letters for the languages of Europe and Hebrew; SVG shows those that the
    reader's system has.

    Examples
    --------
    >>> from micrograd import Value
    >>> x = Value(3.0, label="x")
    >>> print(draw_dot(x * x, legend=False).source.count("->"))
    3
    """
    roots = roots_of(root)
    one_of("rankdir", rankdir, RANKDIRS)
    one_of("show", show, SHOWS)
    checked_options(
        format=format, program=program, theme=theme, precision=precision, themes=("auto", *THEMES)
    )
    if max_nodes is not None:
        whole_number("max_nodes", max_nodes, 1)
    if forward is not None:
        roots_of([forward])
    if fold is not None:
        one_of("fold", fold, FOLDS)
    elif max_nodes is not None:
        _check_size(roots, max_nodes)
    if forward is None:
        forward = getattr(roots[-1], "derivative_of", None)
    if forward is None and len(roots) > 1:
        forward = roots[0]
    diagram = build(
        roots, names=names_of(labels), model=checked_model(model), wrt=wrt, forward=forward
    )
    style = Style(
        theme=theme_of("light" if theme == "auto" else theme),
        rankdir=rankdir,
        show=show,
        color=color,
        local=local,
        precision=precision,
        legend=legend,
    )
    body = lines(diagram, style)
    if fold is not None:
        folding = folded(diagram, fold, model)
        drawn = folding.size(diagram)
        if max_nodes is not None and drawn > max_nodes:
            raise ArgumentError(
                _too_large(f"{drawn:,} values and modules after folding", max_nodes)
            )
        body = folded_lines(diagram, style, folding)
    count = len(diagram.boxes)
    name = " ".join(clean(diagram.title).split())
    of = f" of {name}" if name else ""
    title = f"Computation graph{of}, {count} value{'s' * (count != 1)}"
    picture = new_picture(body, format, program, title, description(diagram))
    picture.follows = theme == "auto"
    return picture


def _check_size(roots: Any, max_nodes: int) -> None:
    bound = max(20 * max_nodes, 10_000)
    count = count_values(roots, bound)
    if count > max_nodes:
        size = f"{count:,}" if count <= bound else f"more than {bound:,}"
        raise ArgumentError(_too_large(f"{size} values", max_nodes))


def _too_large(size: str, max_nodes: int) -> str:
    return (
        f"the graph has {size}, a picture holds {max_nodes}: draw a part of it, a result nearer "
        "the leaves; fold modules and repeated samples with fold='neuron', 'layer' or 'network'; "
        "draw the model with draw_network; print format_graph; or allow more with max_nodes="
    )
