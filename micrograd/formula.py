"""Formulas: the text of an expression and of a local derivative, read from the graph and table.

>>> from micrograd import Value
>>> x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(1, label="b")
>>> formula((x * w + b).tanh())
'tanh(x * w + b)'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from micrograd.checks import whole_number
from micrograd.errors import NumberTypeError, shown_typed
from micrograd.graph import order
from micrograd.ops import Operators, Text, as_text, labelled, partial_formulas, write

if TYPE_CHECKING:
    from micrograd.engine import Value

__all__ = ["Text", "formula", "labelled", "partial_formulas", "write"]


def formula(value: Value, limit: int = 1000) -> str:
    """Return how `value` was computed, as text.

    A leaf is written as its name, or as its number if it has none; so is a result, on the way to
    `value`, that has a name. A name is a label or a place in a network, such as `w1[2,1]`.

    Parameters
    ----------
    value : Value
    limit : int, default 1000
        An expression longer than this many characters is shortened to "…" where it is used.

    Returns
    -------
    str

    Examples
    --------
    >>> from micrograd import Value
    >>> a = Value(2, label="a")
    >>> b = 3 * a
    >>> formula(b * (b + 1))
    '3 * a * (3 * a + 1)'
    >>> b.label = "b"
    >>> formula(b * (b + 1))
    'b * (b + 1)'
    """
    from micrograd.values.names import names_in  # when one is written: see `values.checks`

    texts: dict[Value, Text] = {}
    if not isinstance(value, Operators):
        raise NumberTypeError(f"expected a Value, got {shown_typed(value)}")
    limit = whole_number("limit", limit, 1)
    nodes = order(value)
    names = names_in(nodes).texts
    for node in nodes:
        if node in names and (node is not value or not node.parents):
            texts[node] = labelled(names[node])
        elif not node.parents:
            texts[node] = as_text(node.data)
        else:
            text = write(node.op, [texts[parent] for parent in node.parents])
            texts[node] = text if len(text.text) <= limit or node is value else Text("…")
    return texts[value].text
