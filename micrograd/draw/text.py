"""The graph as text, for terminals: one line per value, in the order of evaluation."""

from __future__ import annotations

from typing import Any

from micrograd.checks import whole_number
from micrograd.draw.diagram import VAST, Box, build, checked_model, names_of, roots_of, told
from micrograd.draw.dot import clean
from micrograd.formula import Text, labelled, write
from micrograd.sentences.naming import called, product_signs
from micrograd.style import number_text, short

__all__ = ["format_graph"]

_EXPRESSION = 40


def format_graph(
    root: Any,
    *,
    precision: int = 4,
    local: bool = True,
    labels: Any = None,
    model: Any = None,
    max_nodes: int | None = None,
) -> str:
    """Return the computation graph as text, one line per value, operands before results.

    Parameters
    ----------
    root : Value or sequence of Value
    precision : int, default 4
        Significant digits.
    local : bool, default True
        Show the local derivative with respect to each operand.
    labels : mapping, optional
        Names of unlabelled values, as for `draw_dot`.
    model : Module, optional
        The module whose parameters are shown as parameters, with their names.
    max_nodes : int, optional
        Show only this many values, the last ones.

    Returns
    -------
    str
        Without a newline at the end. Values are called as in the steps of `steps`: by a name, a
        short expression, or v and their position.

    Raises
    ------
    ArgumentTypeError
        If `root` is not a Value. Also a TypeError.
    CycleError
        If a value is its own ancestor. Also a ValueError.

    Examples
    --------
    >>> from micrograd import Value
    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> y = (x * w).tanh()
    >>> y.label = "y"
    >>> y.backward()
    >>> print(format_graph(y))
    name   is           data       grad  local derivatives
    x      input           2  -7.373e-5
    w      parameter      -3  +4.915e-5
    x × w  product        -6  +2.458e-5  ∂x -3, ∂w 2
    y      tanh(x × w)    -1         +1  ∂(x × w) 2.458e-5
    """
    roots = roots_of(root)
    if max_nodes is not None:
        whole_number("max_nodes", max_nodes, 1)
    diagram = build(roots, names=names_of(labels), model=checked_model(model))
    boxes = diagram.boxes
    texts = _called(boxes, precision)
    names = [text.text for text in texts]
    shown = boxes if max_nodes is None else boxes[-max_nodes:]
    rows = [("name", "is", "data", "grad", "local derivatives" if local else "")]
    for box in shown:
        derivatives = ""
        if local and box.op is not None and box.op.held:
            derivatives = f"held constant: {box.op.held}"
        elif local and box.local:
            derivatives = ", ".join(
                f"∂{_tight(texts[parent])} {number_text(factor, precision)}"
                for parent, factor in zip(box.parents[:6], box.local, strict=False)
            ) + (", …" if len(box.parents) > 6 else "")
        rows.append(
            (
                short(names[box.position]),
                _expression(box, texts),
                number_text(box.data, precision),
                number_text(box.grad, precision, signed=True),
                derivatives,
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    sides = (str.ljust, str.ljust, str.rjust, str.rjust)
    text = [
        "  ".join(
            [pad(cell, width) for pad, cell, width in zip(sides, row[:4], widths, strict=True)]
        )
        + f"  {row[4]}"
        for row in rows
    ]
    left = len(boxes) - len(shown)
    if left > 0:
        text.insert(1, f"… {left} values before these")
    return "\n".join(line.rstrip() for line in text)


def _called(boxes: list[Box], precision: int) -> list[Text]:
    titles = [" ".join(clean(box.title).split()) for box in boxes]
    if len(boxes) > VAST:  # an expression for each takes too long
        names = [
            number_text(box.data, precision) if box.role == "constant" else f"v{box.position}"
            for box in boxes
        ]
        return [labelled(title or name) for title, name in zip(titles, names, strict=True)]
    nodes, data = [box.value for box in boxes], [box.data for box in boxes]
    parents = [box.parents for box in boxes]
    products = [box.value for box in boxes if box.name and not box.title]
    return called(nodes, parents, data, titles, products=products, precision=precision)


def _tight(text: Text) -> str:
    name = short(text.text)
    return name if text.precedence == 5 else f"({name})"


def _expression(box: Box, texts: list[Text]) -> str:
    """Return how a value was computed; where it is called by that, the word for it."""
    if box.op is None:
        return box.role
    if len(box.parents) > 8:
        inner = ", ".join(texts[parent].text for parent in box.parents[:4])
        return f"{box.op.token}({inner}, …)"
    operands = [texts[parent] for parent in box.parents]
    operands = [text if len(text.text) <= 18 else labelled(short(text.text)) for text in operands]
    text = product_signs(write(box.op, operands).text)
    if text == texts[box.position].text:
        return told(box.op)
    return text if len(text) <= _EXPRESSION else text[: _EXPRESSION - 1] + "…"
