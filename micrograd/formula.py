"""Formulas: the text of an expression and of a local derivative, read from the graph and table.

>>> from micrograd import Value
>>> x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(1, label="b")
>>> formula((x * w + b).tanh())
'tanh(x * w + b)'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from micrograd.errors import GradientError, shown
from micrograd.graph import order
from micrograd.ops import TABLE, Number, Op, Operators, pow  # noqa: A004 - the row

if TYPE_CHECKING:
    from micrograd.engine import Value

__all__ = ["Text", "formula", "labelled", "partial_formulas", "write"]

_OPERATOR: Final = re.compile(r"[-+*/^%=<>×·−]")


class Text(Operators):
    """A number that is only written: operations on it give the text of the result.

    Parameters
    ----------
    text : str
    precedence : int, default 5
        How tightly it binds, as in `ops.Op`; 5 for a name or a call.

    Examples
    --------
    >>> (Text("a") + Text("b")) * Text("c")
    (a + b) * c
    """

    __slots__ = ("precedence", "text")
    _rank = 10

    def __init__(self, text: str, precedence: int = 5) -> None:
        self.text = text
        self.precedence = precedence

    def __repr__(self) -> str:
        return self.text

    @classmethod
    def _apply(cls, op: Op, args: tuple[Number, ...]) -> Text:
        return write(op, [arg if isinstance(arg, Text) else _number(arg) for arg in args])


def formula(value: Value, limit: int = 1000) -> str:
    """Return how `value` was computed, as text.

    Leaves stand as their label, or their number where they have none; a labelled result below
    `value` stands as its label.

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
    texts: dict[Value, Text] = {}
    for node in order(value):
        if node.label and (node is not value or not node.parents):
            texts[node] = labelled(node.label)
        elif not node.parents:
            texts[node] = _number(node.data)
        else:
            text = write(node.op, [texts[parent] for parent in node.parents])
            texts[node] = text if len(text.text) <= limit or node is value else Text("…")
    return texts[value].text


def partial_formulas(op: Op, names: Sequence[str | Text], out: str | Text = "out") -> list[str]:
    """Return the formula of each local derivative of `op`, from the rule that computes it.

    Parameters
    ----------
    op : Op
    names : sequence of str or Text
        One for each operand.
    out : str or Text
        The name of the result, which some rules use.

    Returns
    -------
    list of str

    Raises
    ------
    GradientError
        If the node was made by hand and so has no rule.

    Examples
    --------
    >>> from micrograd.ops import TABLE
    >>> partial_formulas(TABLE["tanh"], ["s"], "o")
    ['1 - o * o']
    >>> partial_formulas(TABLE["mul"], ["a", "b"])
    ['b', 'a']
    """
    if op.partials is None:
        raise GradientError(f"the operation {op.token!r} was made by hand: it has no formula")
    written, *operands = [x if isinstance(x, Text) else labelled(x) for x in (out, *names)]
    partials = op.partials(written, *operands)
    return [str(partial if isinstance(partial, Text) else _number(partial)) for partial in partials]


def _number(data: Any) -> Text:
    text = shown(data)
    if isinstance(data, Fraction) and data.denominator != 1:
        return Text(text, 2)
    return Text(text, 3 if text.startswith("-") else 5)


def labelled(label: str) -> Text:
    """Return a label as text; one that holds an operator stands in parentheses beside others.

    Examples
    --------
    >>> labelled("w_1") * labelled("a - b")
    w_1 * (a - b)
    """
    return Text(label, 0 if _OPERATOR.search(label) else 5)


def write(op: Op, operands: list[Text]) -> Text:
    """Write an operation, with parentheses where the operands bind less tightly.

    Examples
    --------
    >>> from micrograd.ops import TABLE
    >>> write(TABLE["sub"], [Text("a"), Text("b + c", 1)])
    a - (b + c)
    """
    if op.partials is None:
        return _by_hand(op.token, operands)
    if op.code == "{0}":
        return operands[0]
    texts = [
        operand.text if operand.precedence >= needed else f"({operand.text})"
        for operand, needed in zip(operands, op.binds, strict=True)
    ]
    return Text(op.code.format(*texts), op.precedence)


def _by_hand(token: str, operands: list[Text]) -> Text:
    """Write what a user recorded by hand: as the row that its token names, else as a call."""
    if re.fullmatch(r"\*\*[\w.]+", token) and len(operands) == 1:
        return write(pow, [*operands, Text(token[2:])])
    for row in TABLE.values():
        if row.arity == len(operands) and token in (row.token, row.name, row.symbol):
            return write(row, operands)
    return Text(f"{token or '?'}({', '.join(operand.text for operand in operands)})")
