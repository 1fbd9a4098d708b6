"""Texts with slots for numbers and cases that numbers decide; Python and the page fill them in.

Names are literal text, so a template is written like the sentence itself. Marks from Unicode's
private use stand around slots and cases: no name has them.

>>> slots = {"up": "+2", "one": False}
>>> fill(f"upstream {slot('up')}{case('one', ': 1', '')}", slots.__getitem__)
'upstream +2'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

__all__ = ["case", "fill", "of_row", "once", "slot"]

_SLOT, _END, _CASE, _THEN, _ELSE, _CLOSE = map(chr, range(0xE000, 0xE006))
_TWICE: Final = re.compile("(≈|about) ≈")
_PIECES: Final = re.compile(f"([{_SLOT}-{_CLOSE}]?)([^{_SLOT}-{_CLOSE}]*)")


def slot(name: str, *about: object) -> str:
    """Return a place for a number; what follows the name says which one."""
    return f"{_SLOT}{' '.join(map(str, (name, *about)))}{_END}"


@lru_cache(maxsize=4096)
def _pieces(template: str) -> list[tuple[str, str]]:
    return _PIECES.findall(template)


def case(condition: str, then: str, otherwise: str = "") -> str:
    """Return a part of a template that a condition on numbers decides."""
    return f"{_CASE}{condition}{_THEN}{then}{_ELSE}{otherwise}{_CLOSE}"


def of_row(k: int, template: str) -> str:
    """Return the template of a step as a part of one that speaks of several: of the step `k`."""
    return template.replace(_SLOT, f"{_SLOT}row {k} ").replace(_CASE, f"{_CASE}row {k} ")


def fill(template: str, slots: Callable[[str], Any]) -> str:
    """Return a template with its slots filled in.

    Parameters
    ----------
    template : str
    slots : callable
        Gives the text of a slot, or whether a condition holds; it is asked only for what is shown.
    """
    said: list[str] = []
    shown = [True]  # of the cases around: whether their text is shown
    holds: list[bool] = []
    for mark, text in _pieces(template):
        if mark == _CASE:
            holds.append(shown[-1] and bool(slots(text)))
            shown.append(False)
            continue
        if mark == _THEN:
            shown[-1] = holds[-1]
        elif mark == _ELSE:
            shown[-1] = not holds.pop() and shown[-2]
        elif mark == _CLOSE:
            shown.pop()
        if shown[-1]:
            said.append(slots(text) if mark == _SLOT else text)
    return once("".join(said))


def once(text: str) -> str:
    """Return a text with one of two marks of a rounded number.

    >>> once("x is about ≈0.1235, ≈ ≈0.1235")
    'x is about 0.1235, ≈ 0.1235'
    """
    return _TWICE.sub(r"\1 ", text)
