"""The parts that every view is made of: escaped text, coloured numbers, tables, one style sheet."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from micrograd.draw.dot import clean
from micrograd.style import DARK, FONT_FAMILY, LIGHT, finite, host_rules, number_text

__all__ = ["card", "escaped", "minus", "number", "plain", "table", "tone"]

_TOKENS: Final = ("ink", "muted", "line", "hair", "pos", "neg", "pos_text", "neg_text", "wrong")
_RULES: Final = """
.mgb.mgb { color: var(--ink); font: 14px/1.45 var(--jp-ui-font-family, system-ui), sans-serif;
  font-variant-numeric: tabular-nums; max-width: 100%; overflow-x: auto; padding: 2px 0; }
.mgb.mgb p { margin: 0 0 6px; overflow-wrap: anywhere; } .mgb .big { font-size: 17px; }
.mgb .muted, .mgb.mgb th, .mgb.mgb summary { color: var(--muted); font-weight: 400; }
.mgb .pos { color: var(--pos-text); } .mgb .neg { color: var(--neg-text); }
.mgb .wrong { color: var(--wrong); font-weight: 600; }
.mgb .pos, .mgb .neg, .mgb [title] { white-space: nowrap; }
.mgb b { font-weight: 600; } .mgb .gap { margin-right: 18px; }
.mgb.mgb table { border-collapse: collapse; border: 0; margin: 0 0 8px; font-size: 14px; }
.mgb.mgb tr:nth-child(n), .mgb.mgb tr:hover { background: none; border: 0; }
.mgb.mgb th, .mgb.mgb td { border: 0; padding: 3px 12px 3px 0; text-align: right;
  vertical-align: baseline; max-width: 46ch; overflow-wrap: anywhere; }
.mgb.mgb th { overflow-wrap: break-word; }
.mgb.mgb tr > :first-child { text-align: left; } .mgb.mgb td { border-top: 1px solid var(--hair); }
.mgb.mgb tfoot td { border-top: 2px solid var(--ink); font-weight: 600; }
.mgb svg { max-width: 100%; height: auto; } .mgb .plot text { fill: var(--muted); font-size: 12px; }
.mgb .plot path { fill: none; stroke: var(--ink); stroke-width: 2; stroke-linejoin: round; }
.mgb .plot .grid { stroke: var(--hair); stroke-width: 1; } .mgb .plot .held { stroke: var(--muted);
  stroke-dasharray: 6 4; } .mgb .plot .mark { stroke-width: 1.6; }
"""


def plain(text: Any, most: int = 300) -> str:
    r"""Return text for a page: escaped, without what XML forbids, and cut if it is long.

    Examples
    --------
    >>> plain("a < b"), plain("\ud800x\x00"), plain("a" * 9, 4)
    ('a &lt; b', 'x', 'aaa…')
    """
    text = clean(str(text))
    return html.escape(text if len(text) <= most else text[: most - 1] + "…")


def escaped(text: Any, most: int = 300) -> str:
    """Return text as `plain` does, apart from text beside it that runs the other way.

    Examples
    --------
    >>> escaped("a < b")
    '<bdi>a &lt; b</bdi>'
    """
    return f"<bdi>{plain(text, most)}</bdi>"


def minus(text: str) -> str:
    """Return text with real minus signs: not the hyphen of a name or of an exponent.

    Examples
    --------
    >>> minus("-x - 1e-5 * a-b")
    '−x − 1e-5 * a-b'
    """
    return re.sub(r"(?<![\w.])-", "−", text)


def tone(number: Any) -> str:
    """Return the class of a coloured number: by its sign, or `wrong`.

    Examples
    --------
    >>> tone(2), tone(-0.5), tone(0), tone(None), tone(float("nan"))
    ('pos', 'neg', '', '', 'wrong')
    """
    number = getattr(number, "data", number)
    if number is None or number == 0:
        return ""
    return ("pos" if number > 0 else "neg") if finite(number) else "wrong"


def number(value: Any, signed: bool = False) -> str:
    """Return a number as every picture writes it, with all its digits on hover.

    A gradient, `signed`, is coloured by its sign.

    Examples
    --------
    >>> number(0.5, signed=True), number(None)
    ('<span class="pos" title="0.5">+0.5</span>', '–')
    """
    if value is None:
        return number_text(None)
    value = getattr(value, "data", value)
    kind = tone(value) if signed or not finite(value) else ""
    full = repr(value) if not isinstance(value, int) or abs(value) < 10**20 else "an integer"
    text = minus(number_text(value, signed=signed))
    return f'<span class="{kind}" title="{html.escape(full[:60])}">{text}</span>'


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], foot: Sequence[str] | None = None
) -> str:
    """Return a table of cells that are HTML already."""

    def row(cells: Sequence[str], tag: str = "td") -> str:
        return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(map(row, rows))
    end = f"<tfoot>{row(foot)}</tfoot>" if foot else ""
    return f"<table><thead>{row(head, 'th')}</thead><tbody>{body}</tbody>{end}</table>"


def card(*parts: str) -> str:
    """Return what a cell shows: the parts below each other, in the colours of the page."""
    return f'<div class="mgb"><style>{_sheet()}</style>{"".join(parts)}</div>'


@lru_cache(maxsize=1)
def _sheet() -> str:
    pairs = [(name, getattr(LIGHT, name), getattr(DARK, name)) for name in _TOKENS]
    classes = zip(LIGHT.classes, DARK.classes, strict=True)
    pairs += [(f"class_{k}", *both) for k, both in enumerate(classes)]
    tokens = " ".join(
        f"--{name.replace('_', '-')}: light-dark({light}, {dark});" for name, light, dark in pairs
    )
    fonts = FONT_FAMILY.replace('"', "'")
    rules = host_rules(".mgb") + _RULES
    return f".mgb {{ {tokens} }} {rules}.mgb .plot text {{ font-family: {fonts}; }}"
