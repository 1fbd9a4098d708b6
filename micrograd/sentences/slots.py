"""What stands in the slots of the templates of a step; the page fills in the same ones."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from micrograd.backward_pass import Row, is_same
from micrograd.sentences.signs import sign_of_equation
from micrograd.sentences.templates import case, slot

__all__ = [
    "AFTER", "BEFORE", "CHILD", "CON", "DATA", "LOCAL", "MADE", "MULTIPLIED", "NOTHING", "UP",
    "capital", "filling",
]  # fmt: skip

UP, LOCAL, CON, BEFORE, AFTER, DATA = map(slot, ("up", "local", "con", "before", "after", "data"))
CHILD, MADE = slot("child"), slot("made")
NOTHING: Final = "nothing is passed"
MULTIPLIED: Final = case("unpassed", NOTHING, f"{UP} × {LOCAL} {case('product', '=', '≈')} {CON}")


def filling(words: Any, row: Row, rows: Sequence[Row], name: str) -> Any:
    """Return what stands in a slot of a template, or whether a condition holds.

    Parameters
    ----------
    words : Words
    row : Row
        The step that the template is of.
    rows : sequence of Row
        Those that `row 2 up` counts.
    name : str
    """
    kind, _, about = name.partition(" ")
    if kind in ("row", "is"):
        first, _, rest = about.partition(" ")
        if kind == "is":
            return first == filling(words, row, rows, rest)
        return filling(words, rows[int(first)], rows, rest)
    return _SLOTS[kind](words, row, about)


def _data(words: Any, i: Any) -> Any:
    return words.text_of(words.recording.data[int(i)])


def capital(text: str) -> str:
    """Return a text as a sentence begins: "The gradient of h + b", but "h.grad"."""
    return text[0].upper() + text[1:] if text.startswith("the ") else text


def _operand(words: Any, row: Row, k: str) -> int:
    found: int = words.recording.parents[row.node][int(k or row.operand)]
    return found


def _joined(words: Any, row: Row, _: str) -> str:
    before, adds, after = (words.signed(x) for x in (row.before, row.contribution, row.after))
    return sign_of_equation((before, adds), after, operator.add)


_SLOTS: Final[dict[str, Callable[[Any, Row, str], Any]]] = {
    # names and formulas
    "child": lambda w, row, _: w.names[row.node],
    "parent": lambda w, row, k: w.names[_operand(w, row, k)],
    "made": lambda w, row, _: w.expression(row.node),
    "subject": lambda w, row, _: w.subject(row.parent),
    "sum": lambda w, row, _: w.gradient_of(row.parent),
    "Sum": lambda w, row, _: capital(w.gradient_of(row.parent)),
    "own": lambda w, row, _: w.gradient_of(row.node),
    "symbol": lambda w, row, k: w.derivative(row.node, _operand(w, row, k)),
    "formula": lambda w, row, _: w.local_formula(row.node, row.operand),
    # numbers
    "up": lambda w, row, _: w.signed(row.upstream),
    "local": lambda w, row, _: w.text_of(row.local),
    "con": lambda w, row, _: w.signed(row.contribution),
    "size": lambda w, row, _: re.sub(r"[-+]", "", w.signed(row.contribution), count=1),
    "before": lambda w, row, _: w.signed(row.before),
    "after": lambda w, row, _: w.signed(row.after),
    "data": lambda w, row, i: _data(w, i or row.node),
    "at": lambda w, row, _: _data(w, row.parent),
    "operand": lambda w, row, k: _data(w, _operand(w, row, k)),
    "slope": lambda w, row, k: w.text_of(w.recording.locals[row.node][int(k)]),
    "numbers": lambda w, row, _: w.with_numbers(row.node),
    "right": lambda w, row, _: w.signed(w.correct[row.parent]),
    "complete": lambda w, row, _: w.signed(w.correct[row.node]),
    "running": lambda w, row, _: w.signed(w.correct_after_each[row.node, row.operand]),
    # signs: = or ≈
    "relation": lambda w, row, i: w.relation(int(i or row.node)),
    "exact": lambda w, row, k: w.equals(w.recording.locals[row.node][int(k or row.operand)]),
    "equals": lambda w, row, _: w.equals(row.after),
    "joined": _joined,
    # conditions
    "plain": lambda w, row, _: w.with_numbers(row.node) == _data(w, row.node),
    "product": lambda w, row, _: w.product(row) == "=",
    "undefined": lambda w, row, _: w.is_undefined(row),
    "unpassed": lambda w, row, _: w.passes_nothing(row),
    "idle": lambda w, row, _: row.upstream == 0,
    "flat": lambda w, row, _: row.local == 0,
    "kink": lambda w, row, _: w.recording.data[row.parent] in w.recording.nodes[row.node].op.kinks,
    "one": lambda w, row, _: row.upstream == 1,
    "nothing": lambda w, row, _: row.contribution == 0,
    "less": lambda w, row, _: w.signed(row.contribution).lstrip("≈").startswith("-"),
    "rounded": lambda w, row, _: w.equals(row.contribution) == "≈",
    "first": lambda w, row, _: row.before == 0,
    "about": lambda w, row, _: (
        w.equals(row.after) == "≈" and not w.signed(row.after).startswith("≈")
    ),
    "same": lambda w, row, _: is_same(row.before, row.after),
    "wrong": lambda w, row, _: not is_same(row.after, w.correct[row.parent]),
    "early": lambda w, row, _: not is_same(row.upstream, w.correct[row.node]),
    "lost": lambda w, row, _: not is_same(w.correct_after_each[row.node, row.operand], row.after),
}
