"""What a value is called where it is spoken of: by its name, a short expression, or its place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from micrograd.formula import Text, labelled, write
from micrograd.ops import is_constant
from micrograd.style import number_text

__all__ = ["called", "numeral", "product_signs", "shortened"]

LONGEST_NAME: Final = 16
LONGEST_EXPRESSION: Final = 64


def called(
    nodes: Sequence[Any],
    parents: Sequence[Sequence[int]],
    data: Sequence[Any],
    titles: Sequence[str],
    *,
    products: Collection[Any] = (),
    precision: int = 4,
) -> list[Text]:
    """Return what each value of a graph is called, the same in steps and in tables.

    A value is called by its label or its place in a network; else by its expression where that has
    at most 16 characters, else `v7`, its position in topological order. A plain number of an
    expression, such as the 3 of `3 * a`, is called by that number.

    Parameters
    ----------
    nodes : sequence of Value
        In topological order.
    parents : sequence of sequence of int
        The positions of the operands of each.
    data : sequence of number
    titles : sequence of str
        The name of each, "" where it has none; as from `Names.titles`.
    products : collection of Value
        Values that are called by their expression, however long.
    precision : int, default 4
        Significant digits of numbers.

    Examples
    --------
    >>> from micrograd import Value
    >>> from micrograd.graph import order
    >>> nodes = order(Value(2.0, label="x") * 3)
    >>> [text.text for text in called(nodes, [[], [], [0, 1]], [2.0, 3, 6.0], ["x", "", ""])]
    ['x', '3', 'x × 3']
    """
    texts: list[Text] = []
    for i, node in enumerate(nodes):
        if titles[i]:
            text = labelled(titles[i])
        elif is_constant(node):
            text = numeral(number_text(data[i], precision))
        else:
            text = Text(f"v{i}")
            if parents[i]:
                found = write(node.op, [texts[p] for p in parents[i]])
                short = shortened(product_signs(found.text))
                is_long = len(short) > LONGEST_NAME and node not in products
                # The sum of one value reads as that value, which it is not.
                if not is_long and all(short != texts[p].text for p in parents[i]):
                    text = Text(short, found.precedence)
        texts.append(text)
    return texts


def product_signs(text: str) -> str:
    """Return an expression as it is read, with × for the * of code."""
    return text.replace(" * ", " × ")


def numeral(text: str, first: bool = True) -> Text:
    """Return a number as an operand: -6 + 10, but 10 + (-6)."""
    if text.lstrip("≈").startswith("-"):
        return Text(text, 1 if not first else 2 if "/" in text else 3)
    return Text(text, 2 if "/" in text else 5)


def shortened(text: str) -> str:
    """Return a long expression with the first two and the last of many terms."""
    if len(text) <= LONGEST_EXPRESSION:
        return text
    terms = text.split(" + ")
    if len(terms) > 4 and len(" + ".join([*terms[:2], terms[-1]])) <= LONGEST_EXPRESSION:
        return " + ".join([*terms[:2], "…", terms[-1]])
    return f"{text[: LONGEST_EXPRESSION // 2]}…{text[-LONGEST_EXPRESSION // 3 :]}"
