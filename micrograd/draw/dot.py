"""A diagram as DOT: cards for values, circles for operations, edges coloured by gradient."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from micrograd.checks import one_of
from micrograd.draw.diagram import VAST, Box, Diagram, told
from micrograd.style import FADE, FONT, THEMES, Theme, finite, mix, number_text, short, stroke_width

if TYPE_CHECKING:
    from micrograd.draw.picture import Picture

__all__ = [
    "FORMATS", "PROGRAMS", "RANKDIRS", "SHOWS", "Style", "card", "checked_options", "clean",
    "description", "faded", "head", "html", "legend", "lines", "new_picture", "operation", "quoted",
    "stroke", "value_line",
]  # fmt: skip

FORMATS: Final = ("svg", "png", "jpg", "pdf", "dot", "json")
PROGRAMS: Final = ("wheel", "system")
RANKDIRS: Final = {"LR": "e", "RL": "w", "TB": "s", "BT": "n"}
SHOWS: Final = ("both", "data", "grad")
# Up to so many values edges have labels, cards have rows, and values are cards.
_FULL, _ROWS, _STRIP = 60, 150, 500
_RANKSEP: Final = 0.11  # inches; labels on the edges add to it
# Long chains with distant links of 500 values took 13 s without the limits, 0.8 s with them.
_HASTE: Final = "\tsplines=line nslimit=1 nslimit1=1\n"
_SPOKEN = 60  # values in the description for screen readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a diagram is drawn; see `draw_dot` for the options.

    Attributes
    ----------
    local : bool or None
        Whether local derivatives stand on the edges; None: if there is room.
    """

    theme: Theme
    rankdir: str = "LR"
    show: str = "both"
    color: bool = True
    local: bool | None = None
    precision: int = 4
    legend: bool = True

    def number(self, x: Any, signed: bool = False) -> str:
        """Return `x` as this picture writes it."""
        return number_text(x, self.precision, signed)


def checked_options(
    *,
    format: Any,  # noqa: A002
    program: Any,
    theme: Any,
    precision: Any,
    themes: Iterable[str] = THEMES,
) -> None:
    """Check the options that all pictures have."""
    one_of("format", format, FORMATS)
    one_of("program", program, PROGRAMS)
    one_of("theme", theme, themes)
    number_text(0, precision)  # raises if this is not a precision


def new_picture(
    body: Iterable[str],
    format: str,  # noqa: A002
    program: str,
    title: str,
    words: str,
) -> Picture:
    """Return the picture with these lines of DOT.

    Raises
    ------
    ImportError
        If the package graphviz is missing.
    """
    try:
        from micrograd.draw.picture import Picture
    except ModuleNotFoundError as error:
        if error.name != "graphviz":
            raise
        raise ImportError("pictures need the package graphviz: pip install graphviz") from error
    picture = Picture(format=format, engine="dot", body=body)
    picture.program, picture.title, picture.description = program, title, words
    return picture


# ---- text in DOT -------------------------------------------------------------------------------

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def clean(text: str) -> str:
    r"""Return `text` without the characters that XML forbids; newlines stay.

    Examples
    --------
    >>> clean("a\tb\x00c")
    'a bc'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if c == "\t" else c
        for c in text.replace("\r\n", "\n").replace("\r", "\n")
        if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in "\ufffe\uffff")
    )


def html(text: str) -> str:
    """Return `text` as part of an HTML label of Graphviz.

    Examples
    --------
    >>> html("a<b")
    'a&lt;b'
    """
    return clean(text).translate(_ESCAPES).replace("\\", "\\\\").replace("\n", "<br/>")


def quoted(text: str) -> str:
    """Return `text` as a DOT string that Graphviz shows unchanged.

    Examples
    --------
    >>> print(quoted("a{b} c&d"))
    "a{b} c&amp;d"
    """
    text = clean(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', "&quot;")
    return '"' + text.replace("\n", "\\n") + '"'


def _width(text: str) -> str:
    """Return a width attribute for text whose width Graphviz underestimates."""
    if text.isascii():
        return ""
    rows = text.split("\n")
    wide = max(sum(1 for c in row if unicodedata.east_asian_width(c) in "WF") for row in rows)
    if not wide:
        return ""
    cells = max(
        sum(15 if unicodedata.east_asian_width(c) in "WF" else 8 for c in row) for row in rows
    )
    return f' width="{cells + 6}"'


def faded(theme: Theme) -> Theme:
    """Return `theme` with all colours faded towards that of the page."""
    paled: dict[str, Any] = {
        item.name: mix(getattr(theme, item.name), theme.bg, FADE)
        for item in fields(theme)
        if item.name not in ("name", "bg", "diverging", "classes")
    }
    return replace(theme, **paled)


# ---- cards -------------------------------------------------------------------------------------


def _font(text: str, theme: Theme, size: int = 0, color: str = "") -> str:
    attributes = (f' point-size="{size}"' if size else "") + (
        f' color="{color}"' if color and color != theme.ink else ""
    )
    return f"<font{attributes}>{text}</font>" if attributes else text


def _outline(box: Box, theme: Theme) -> str:
    border, color = (3, theme.ink) if box.is_output else (1, theme.line)
    dashed = ",dashed" if box.role == "constant" and not box.is_output else ""
    fill = theme.panel if box.in_gradient else theme.bg
    return f'border="{border}" style="rounded{dashed}" color="{color}" bgcolor="{fill}"'


def _shown_name(box: Box) -> str:
    return short(clean(box.name)).strip()


def _chip(box: Box, theme: Theme) -> tuple[str, str]:
    """Return the fill attribute and the text colour of a card's header."""
    if box.role == "input":
        return f' bgcolor="{theme.input_chip}"', theme.input_text
    if box.role == "parameter":
        return f' bgcolor="{theme.parameter_chip}"', theme.parameter_text
    return "", theme.ink


def _fill(box: Box, style: Style, theme: Theme, scale: Any) -> str:
    if box.grad is None or not style.color:
        return f' bgcolor="{theme.none}"'
    return f' bgcolor="{theme.tint(box.grad, scale)}"'


def _digits(x: Any, style: Style, theme: Theme, signed: bool, muted: bool = False) -> str:
    wrong = x is not None and not finite(x)
    color = theme.wrong if wrong else theme.muted if muted or x is None else theme.ink
    return _font(style.number(x, signed), theme, color=color)


def card(
    box: Box,
    style: Style,
    theme: Theme,
    scale: Any,
    *,
    frame: str = "",
    note: str = "",
    room: int = 0,
) -> str:
    """Return the HTML label of a value: its name, its data and its gradient.

    `frame` is an outline instead of the usual one, `note` a line below, and `room` the least number
    of characters that there is room for beside data and grad.
    """
    rows = []
    fill, ink = _chip(box, theme)
    name = _shown_name(box) or (f"v{box.position}" if fill else "")
    if name:
        text = _font(html(name), theme, 15, ink)
        rows.append(f'<tr><td style="rounded"{fill} cellpadding="3"{_width(name)}>{text}</td></tr>')

    def row(caption: str, number: str, attributes: str, color: str) -> str:
        return (
            f"<tr><td{attributes}>"
            '<table border="0" cellborder="0" cellspacing="0" cellpadding="2">'
            f'<tr><td align="left" valign="bottom">{_font(caption + " ", theme, 12, color)}</td>'
            f'<td align="right" valign="bottom" width="{max(47, 8 * room)}">{number}</td>'
            "</tr></table></td></tr>"
        )

    if style.show != "grad":
        constant = box.role == "constant"
        number = _digits(box.data, style, theme, signed=False, muted=constant)
        rows.append(row("data", number, "", theme.muted))
    if style.show != "data":
        number = _digits(box.grad, style, theme, signed=True)
        tint = _fill(box, style, theme, scale)
        rows.append(row("grad", number, f' style="rounded"{tint}', theme.ink))
    if note:
        rows.append(f"<tr><td>{_font(html(note), theme, 12, theme.muted)}</td></tr>")
    inner = (
        f'<table {frame or _outline(box, theme)} cellborder="0" cellspacing="4" cellpadding="0">'
        + "".join(rows)
        + "</table>"
    )
    if box.in_gradient and not box.is_output:  # a second outline
        return (
            f'<<table border="1" style="rounded" color="{theme.line}" cellborder="0" '
            f'cellspacing="1" cellpadding="0"><tr><td>{inner}</td></tr></table>>'
        )
    return f"<{inner}>"


def _strip(box: Box, style: Style, theme: Theme, scale: Any) -> str:
    """Return the label of a value in a large picture: one line."""
    fill, ink = _chip(box, theme)
    name = _shown_name(box) or (f"v{box.position}" if fill else "")
    cells = ""
    if name:
        text = _font(html(name), theme, color=ink)
        cells += f'<td style="rounded"{fill}{_width(name)}>{text}</td>'
    if style.show != "grad":
        muted = box.role == "constant"
        cells += f"<td>{_digits(box.data, style, theme, signed=False, muted=muted)}</td>"
    if style.show != "data":
        tint = _fill(box, style, theme, scale)
        cells += f'<td style="rounded"{tint}>{_digits(box.grad, style, theme, signed=True)}</td>'
    return (
        f'<<table {_outline(box, theme)} cellborder="0" cellspacing="2" cellpadding="2">'
        f"<tr>{cells}</tr></table>>"
    )


def _tooltip(box: Box) -> str:
    grad = "not computed yet" if box.grad is None else _exact(box.grad)
    return f"{box.name}: data {_exact(box.data)}, grad {grad}".lstrip(": ")


def _exact(x: Any) -> str:
    try:
        return str(x)
    except ValueError:  # more digits than Python converts to a string
        return number_text(x)


# ---- the whole picture -------------------------------------------------------------------------


def head(theme: Theme, rankdir: str, label: str = "", ranksep: float = 0.11) -> Iterator[str]:
    """Yield the lines of DOT for page, font and spacing."""
    legend_text = f" label={label} labelloc=b" if label else ""
    yield (
        f"\trankdir={rankdir} nodesep=0.16 ranksep={ranksep} pad=0.12 "
        f'bgcolor="{theme.bg}" fontname="{FONT}"{legend_text}\n'
    )
    yield f'\tnode [shape=plain fontname="{FONT}" fontsize=14 fontcolor="{theme.ink}"]\n'
    yield f'\tedge [fontname="{FONT}" fontsize=12 fontcolor="{theme.ink}" color="{theme.line}"]\n'


def value_line(box: Box, label: str, pale: Theme) -> str:
    """Return the line of DOT for a value."""
    kind = "root" if box.is_output else box.role
    name = f"v{box.position}"
    ink = f' fontcolor="{pale.ink}"' if box.is_faded else ""
    return (
        f'\t{name} [id="{name}" class="mg-value mg-{kind}" tooltip={quoted(_tooltip(box))}{ink} '
        f"label={label}]\n"
    )


def operation(box: Box, theme: Theme, symbol: str = "", ordered: bool = False) -> str:
    """Return the line of DOT for an operation: a circle, or a rounded box for a word."""
    assert box.op is not None
    name, symbol = f"o{box.position}", symbol or box.op.symbol or "?"
    size = (
        "shape=circle fixedsize=true width=0.42 fontsize=20 style=filled"
        if len(symbol) == 1
        else 'shape=box height=0.42 width=0.42 margin="0.11,0.02" style="rounded,filled"'
    )
    return (
        f'\t{name} [id="{name}" class="mg-op" {size} penwidth=1.4 color="{theme.ink}" '
        f'fillcolor="{theme.bg}" fontcolor="{theme.ink}" label={quoted(symbol)} '
        f"tooltip={quoted(told(box.op))}{' ordering=in' if ordered else ''}]\n"
    )


def result_edge(box: Box, style: Style, theme: Theme, scale: Any, weight: str = "") -> str:
    """Return the line of DOT for the edge from an operation to its value."""
    line = f"{stroke(box.grad, scale, style, theme)} arrowsize=0.55{weight}"
    return f'\to{box.position} -> v{box.position} [class="mg-out" {line}]\n'


def stroke(flow: Any, scale: Any, style: Style, theme: Theme) -> str:
    """Return the attributes of an edge by the gradient on it, `flow`, None if not known yet."""
    if flow is None or not style.color or style.show == "data":
        return f'color="{theme.line}" penwidth=1.4'
    dashed = " style=dashed" if flow == 0 else ""
    return f'color="{theme.stroke(flow)}" penwidth={stroke_width(flow, scale):.2f}{dashed}'


def lines(diagram: Diagram, style: Style) -> Iterator[str]:
    """Yield the lines of DOT source between the outer braces.

    Parameters
    ----------
    diagram : Diagram
    style : Style
    """
    boxes, scale = diagram.boxes, diagram.scale
    full, pale = style.theme, faded(style.theme)
    labelled = len(boxes) <= _FULL if style.local is None else style.local
    is_small = len(boxes) <= _ROWS
    ordered = diagram.is_tree
    uses = Counter(parent for box in boxes for parent in box.parents)
    port = f"tailport={RANKDIRS[style.rankdir]} "
    weight = " weight=8" if is_small else ""
    words = legend(diagram, style, labelled) if style.legend else ""
    if len(boxes) > _STRIP:
        yield from _plain(diagram, style, words)
        return
    yield from head(full, style.rankdir, words, _RANKSEP if labelled else 2.5 * _RANKSEP)
    if not is_small:
        yield _HASTE
    for box in boxes:
        theme = pale if box.is_faded else full
        yield value_line(box, (card if is_small else _strip)(box, style, theme, scale), pale)
        if box.op is None:
            continue
        yield operation(box, theme, ordered=ordered)
        yield result_edge(box, style, theme, scale, weight)
        # Lines from one point would lie on each other: only a value with a single use has a port.
        for i, (parent, flow) in enumerate(box.flows):
            tint = pale if boxes[parent].is_faded or box.is_faded else full
            text = (
                _edge_label(style.number(box.local[i]), tint, style)
                if labelled and box.local
                else ""
            )
            yield (
                f'\tv{parent} -> o{box.position} [class="mg-in" {stroke(flow, scale, style, tint)} '
                f"{port if uses[parent] == 1 else ''}arrowhead=none{text}]\n"
            )


def _edge_label(number: str, theme: Theme, style: Style) -> str:
    """Return a label clear of its line: above it if the graph runs sideways, else beside it."""
    text = f'<td><font color="{theme.ink}">∂ {number}</font></td>'
    if style.rankdir in ("LR", "RL"):
        rows = f'<tr>{text}</tr><tr><td height="4"></td></tr>'
    else:
        rows = f'<tr><td width="6"></td>{text}</tr>'
    table = '<table border="0" cellborder="0" cellspacing="0" cellpadding="0">'
    return f" label=<{table}{rows}</table>>"


def _plain(diagram: Diagram, style: Style, words: str) -> Iterator[str]:
    """Yield the lines of a graph that is too large for cards: a box with one line for each value.

    Attributes that all share are written once, so that the source is short.
    """
    theme, pale, scale = style.theme, faded(style.theme), diagram.scale
    boxes = diagram.boxes
    yield from head(theme, style.rankdir, words, 2.5 * _RANKSEP)
    yield _HASTE
    yield (
        f'\tnode [shape=box style="rounded,filled" height=0.3 margin="0.08,0.04" '
        f'color="{theme.line}" fillcolor="{theme.bg}"]\n'
    )
    for box in boxes:
        tint = pale if box.is_faded else theme
        name = _shown_name(box)
        parts = [name] if name else []
        if style.show != "grad":
            parts.append(style.number(box.data))
        extra = f' color="{tint.ink}" penwidth=3' if box.is_output else ""
        if style.show != "data":
            parts.append(style.number(box.grad, signed=True))
            if box.grad is not None and style.color:
                extra += f' fillcolor="{tint.tint(box.grad, scale)}"'
        if box.is_faded:
            extra += f' color="{pale.line}" fontcolor="{pale.ink}"'
        yield f"\tv{box.position} [label={quoted('  '.join(parts))}{extra}]\n"
    yield f'\tnode [height=0.1 width=0.1 color="{theme.ink}" fillcolor="{theme.bg}"]\n'
    yield "\tedge [arrowhead=none]\n"
    symbols: dict[str, str] = {}
    is_vast = len(boxes) > VAST
    for box in boxes:
        if box.op is None:
            continue
        at = box.position
        symbol = box.op.symbol or "?"
        if symbol not in symbols:
            symbols[symbol] = quoted(symbol)
        yield f"\to{at} [label={symbols[symbol]}]\n"
        if is_vast:  # no reader could follow a single line
            yield f"\to{at} -> v{at} [arrowhead=normal]\n"
            for parent in box.parents:
                yield f"\tv{parent} -> o{at}\n"
            continue
        yield (
            f"\to{at} -> v{at} [{stroke(box.grad, scale, style, pale if box.is_faded else theme)} "
            "arrowhead=normal arrowsize=0.55]\n"
        )
        for parent, flow in box.flows:
            dim = box.is_faded or boxes[parent].is_faded
            line = stroke(flow, scale, style, pale if dim else theme)
            yield f"\tv{parent} -> o{at} [{line}]\n"


_ROLES: Final = (
    ("input", "input"),
    ("parameter", "parameter"),
    ("constant", "constant"),
    ("computed", "computed"),
)


def legend(diagram: Diagram, style: Style, labelled: bool, more: str = "") -> str:
    """Return the legend as an HTML label: the scale of gradients and the roles in the picture."""
    theme, scale = style.theme, diagram.scale
    cells = []

    def text(words: str, color: str = "") -> str:
        return f'<font point-size="12" color="{color or theme.ink}">{words}</font>'

    if scale and style.color and style.show != "data":
        cells.append(f"<td>{text('gradient&nbsp;&nbsp;', theme.muted)}</td>")
        for fraction in ("-1", "-1/3", "-1/15", "0", "1/15", "1/3", "1"):
            step = scale * Fraction(fraction)
            cells.append(
                f'<td bgcolor="{theme.tint(step, scale)}" width="34" height="16" cellpadding="3">'
                f"{text(number_text(_decimal(step), 2, signed=True))}</td>"
            )
        cells.append('<td width="14"></td>')
    computed = any(box.role == "computed" and not box.is_output for box in diagram.boxes)
    for role, words in _ROLES:
        if role in diagram.roles and (role != "computed" or computed):
            fill, border, ink = "", "", theme.ink
            if role == "input":
                fill = f' bgcolor="{theme.input_chip}"'
            elif role == "parameter":
                fill, ink = f' bgcolor="{theme.parameter_chip}"', theme.parameter_text
            else:
                border = f' border="1" color="{theme.line}"'
            dashed = ",dashed" if role == "constant" else ""
            cells.append(
                f'<td style="rounded{dashed}"{fill}{border} cellpadding="4">{text(words, ink)}</td>'
            )
    if any(box.in_gradient for box in diagram.boxes):
        cells.append(
            f'<td border="1" style="rounded" color="{theme.line}" bgcolor="{theme.panel}" '
            f'cellpadding="4">{text("graph of the gradient")}</td>'
        )
    cells.append(
        f'<td style="rounded" border="2" color="{theme.ink}" cellpadding="4">{text("output")}</td>'
    )
    if labelled and any(box.local for box in diagram.boxes):
        more = "∂ = local derivative"
    if more:
        cells.append(f"<td>{text(f'&nbsp;&nbsp;{html(more)}', theme.muted)}</td>")
    return (
        '<<table border="0" cellborder="0" cellspacing="2" cellpadding="0">'
        f'<tr><td height="8"></td></tr><tr>{"".join(cells)}</tr></table>>'
    )


def _decimal(step: Any) -> Any:
    """Return a step of the scale as a number that is written with decimals."""
    if isinstance(step, Fraction) and step.denominator > 1:
        return float(step) if abs(step) < 10**300 else int(step)
    return step


def description(diagram: Diagram) -> str:
    """Return what the picture shows, in words for a screen reader."""
    facts = []
    for box in diagram.boxes[-_SPOKEN:]:
        name = box.name or f"v{box.position}"
        grad = "" if box.grad is None else f", gradient {number_text(box.grad, signed=True)}"
        facts.append(f"{clean(name)} {number_text(box.data)}{grad}")
    left = len(diagram.boxes) - len(facts)
    return "; ".join(facts) + (f"; and {left} values before these." if left > 0 else ".")
