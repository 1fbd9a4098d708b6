"""What is said of a step in two walks that are compared; the page fills in the same sentences."""

from __future__ import annotations

from typing import Final

from micrograd.backward_pass import Row, is_same
from micrograd.sentences.signs import signed
from micrograd.sentences.words import Words
from micrograd.style import number_text

__all__ = ["COMPARED", "agree", "compared"]

COMPARED: Final = {
    "same": "Step {step}: the same in both, {left}.",
    "apart": "Step {step}: {first} {left}, {second} {right}.",
    "lost": " Overwritten instead of added: {lost} is lost.",
    "other": "Step {step} is not the same in both. {First}: {left} {Second}: {right}",
    "ended": "{Name} has no such step.",
}
"""Of the two names, `{first}` and `{second}`, and the numbers, `{left}` and `{right}`."""


def agree(index: int, walks: tuple[tuple[Words, list[Row]], ...]) -> bool:
    """Return whether a step does the same in both walks; parameters as `compared`."""
    if any(index >= len(rows) for _, rows in walks):
        return False
    (words, left), (others, right) = ((words, rows[index]) for words, rows in walks)
    same = is_same(_number(words, left), _number(others, right))
    return same and _place(left) == _place(right)


def compared(index: int, names: tuple[str, str], walks: tuple[tuple[Words, list[Row]], ...]) -> str:
    """Return what a step does in both walks, in one or two sentences.

    Parameters
    ----------
    index : int
        From 0.
    names : (str, str)
    walks : sequence of (Words, list of Row)
        Of both; the row of an update says in `after` what it makes of its parameter.
    """
    held = {"step": index + 1, "first": names[0], "second": names[1]}
    held |= {"First": _headed(names[0]), "Second": _headed(names[1])}
    for (_, rows), name in zip(walks, names, strict=True):
        if index >= len(rows):
            return COMPARED["ended"].format(Name=_headed(name))
    (words, left), (others, right) = ((words, rows[index]) for words, rows in walks)
    if _place(left) != _place(right):
        said = {"left": words.sentence(left), "right": others.sentence(right)}
        return COMPARED["other"].format(**held, **said)
    texts = {"left": _text(words, left), "right": _text(others, right)}
    if agree(index, walks):
        return COMPARED["same"].format(**held, **texts)
    text = COMPARED["apart"].format(**held, **texts)
    if others.broken == "assign" and right.kind == "chain" and right.before:
        text += COMPARED["lost"].format(lost=signed(right.before))
    return text


def _headed(name: str) -> str:
    return name[:1].upper() + name[1:]


def _place(row: Row) -> tuple[str, int, int, int]:
    return row.kind, row.node, row.parent, row.operand


def _number(words: Words, row: Row) -> object:
    """Return what the step gives: a value, a gradient, or the parameter that it has moved."""
    return words.recording.data[row.node] if row.kind == "forward" else row.after


def _text(words: Words, row: Row) -> str:
    write = number_text if row.kind in ("forward", "update") else signed
    return write(_number(words, row))
