"""Numbers that are only written: the text of an operation and of a local derivative.

>>> (Text("a") + Text("b")) * Text("c")
(a + b) * c
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from micrograd.errors import GradientError, shown
from micrograd.ops.operators import TABLE, Number, Operators

if TYPE_CHECKING:
    from micrograd.ops.op import Op

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
        return write(op, [arg if isinstance(arg, Text) else as_text(arg) for arg in args])


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
    return [str(partial if isinstance(partial, Text) else as_text(partial)) for partial in partials]


def as_text(data: Any) -> Text:
    """Return a plain number as text.

    Examples
    --------
    >>> as_text(-2) * Text("a"), Text("a") ** as_text(-2)
    (-2 * a, a ** (-2))
    """
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
    if op.precedence == 0:
        return operands[0]
    texts = [
        operand.text if operand.precedence >= needed else f"({operand.text})"
        for operand, needed in zip(operands, op.binds, strict=True)
    ]
    return Text(op.code.format(*texts), op.precedence)


def _by_hand(token: str, operands: list[Text]) -> Text:
    """Write what a user recorded by hand: as the row that its token names, else as a call."""
    if re.fullmatch(r"\*\*[\w.]+", token) and len(operands) == 1:
        return write(TABLE["pow"], [*operands, Text(token[2:])])
    for row in TABLE.values():
        if row.arity == len(operands) and token in (row.token, row.name, row.symbol):
            return write(row, operands)
    return Text(f"{token or '?'}({', '.join(operand.text for operand in operands)})")
