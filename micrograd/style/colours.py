"""The colours of every picture, in one table that DOT, CSS and matplotlib all read.

Hue means the sign of a number and nothing else: blue above zero, orange below, grey at zero. Roles
are distinguished by lightness and outline, so that a picture survives grey print and colour
blindness, and signs are always printed too.

>>> theme("dark").bg
'#12181F'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from micrograd.checks import one_of
from micrograd.style.numbers import finite, magnitude

__all__ = [
    "DARK", "FADE", "FONT", "FONT_FAMILY", "LIGHT", "MARKERS", "THEMES", "Theme", "class_shape",
    "contrast", "dark_twin", "diverging", "host_rules", "mix", "theme",
]  # fmt: skip

FONT: Final = "Helvetica"  # Graphviz measures it correctly; every system has it or its metric twin
FONT_FAMILY: Final = 'Helvetica, Arial, "Liberation Sans", sans-serif'
MARKERS: Final = ("o", "s", "^", "D", "X")  # matplotlib's names of the shapes of classes


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    """The colours of one theme, as `#RRGGBB`.

    `pos` and `neg` are for strokes, `pos_text` and `neg_text` for coloured numbers, `pos_tint` and
    `neg_tint` for the fill behind a number, which is then written in `ink`. `none` and `zero` are
    the fill and stroke of an exact zero. A chip is the header of a card; its text has the colour
    that is named after it.

    Attributes
    ----------
    name : str
    diverging : tuple of str
        From low to high, with 0 in the middle.
    classes : tuple of str
        For several classes, never for a sign; see `of_class`.
    """

    name: str
    bg: str
    panel: str
    ink: str
    muted: str
    line: str
    hair: str
    pos: str
    neg: str
    pos_text: str
    neg_text: str
    pos_tint: str
    neg_tint: str
    none: str
    zero: str
    current: str
    current_text: str
    wrong: str
    input_chip: str
    input_text: str
    parameter_chip: str
    parameter_text: str
    diverging: tuple[str, ...]
    classes: tuple[str, ...]

    def stroke(self, number: Any) -> str:
        """Return the colour of a line that stands for `number`: by its sign, or `wrong`."""
        return self._signed(number, self.pos, self.neg, self.zero)

    def text(self, number: Any) -> str:
        """Return the colour in which `number` is written, by its sign."""
        return self._signed(number, self.pos_text, self.neg_text, self.muted)

    def tint(self, number: Any, scale: Any) -> str:
        """Return the fill behind `number`; the larger it is relative to `scale`, the stronger.

        Examples
        --------
        >>> theme("light").tint(1.5, 1.5), theme("light").tint(0, 1.5)
        ('#9CC7EC', '#EEF1F5')
        """
        if not number:
            return self.none
        if not finite(number):
            return mix(self.none, self.wrong, 0.1)
        tint = self.pos_tint if number > 0 else self.neg_tint
        return mix(self.none, tint, 0.25 + 0.75 * magnitude(number, scale))

    @property
    def pale(self) -> tuple[str, ...]:
        """The middle of the diverging map, on which marks and lines still stand out."""
        return self.diverging[2:7]

    def of_class(self, k: int, outputs: int) -> str:
        """Return the colour of class `k` of a model with this number of outputs.

        A single output tells two classes by its sign: 0 below zero and 1 above.

        Examples
        --------
        >>> theme("light").of_class(0, 1) == theme("light").neg
        True
        """
        if outputs == 1:
            return self.pos if k else self.neg
        return self.classes[k % len(self.classes)]

    def _signed(self, number: Any, above: str, below: str, zero: str) -> str:
        if not finite(number):
            return self.wrong
        return above if number > 0 else below if number < 0 else zero


LIGHT: Final = Theme(
    name="light",
    bg="#FFFFFF",
    panel="#F4F6F9",
    ink="#18212C",
    muted="#4C5866",
    line="#738091",
    hair="#D3DAE3",
    pos="#0B5394",
    neg="#CF5A00",
    pos_text="#0B5394",
    neg_text="#A34300",
    pos_tint="#9CC7EC",
    neg_tint="#FDD2A6",
    none="#EEF1F5",
    zero="#7B8797",
    current="#FFDD33",
    current_text="#18212C",
    wrong="#B4009E",
    input_chip="#DCE3EB",
    input_text="#18212C",
    parameter_chip="#3D4A5A",
    parameter_text="#FFFFFF",
    diverging=(
        "#A34300", "#CF5A00", "#F0A15C", "#FDD2A6", "#F4F6F9",
        "#C3DCF3", "#7FB3E0", "#2F7BBD", "#0B5394",
    ),
    classes=("#0B5394", "#CF5A00", "#009E73", "#CC79A7", "#000000"),
)  # fmt: skip

DARK: Final = Theme(
    name="dark",
    bg="#12181F",
    panel="#1B232D",
    ink="#EEF2F6",
    muted="#A9B4C2",
    line="#7C8A9B",
    hair="#33404E",
    pos="#8CCBFF",
    neg="#EE7F2D",
    pos_text="#8CCBFF",
    neg_text="#FF9F57",
    pos_tint="#2768A3",
    neg_tint="#80420F",
    none="#26313D",
    zero="#8592A3",
    current="#FFD93B",
    current_text="#18212C",
    wrong="#FF7BEA",
    input_chip="#394756",
    input_text="#EEF2F6",
    parameter_chip="#C9D3DE",
    parameter_text="#18212C",
    diverging=(
        "#FF9F57", "#EE7F2D", "#B85A16", "#80420F", "#26313D",
        "#1C4F80", "#2768A3", "#5AA2DD", "#8CCBFF",
    ),
    classes=("#8CCBFF", "#EE7F2D", "#2FC8A0", "#E5A0C8", "#EEF2F6"),
)  # fmt: skip

THEMES: Final = {"light": LIGHT, "dark": DARK}
# What hosts write on their page, as selectors of CSS; a page that says nothing is as light or dark
# as it declares.
_HOSTS: Final = {
    "light": '[data-jp-theme-light="true"], [data-vscode-theme-kind*="light"], '
    'html[theme="light"], [data-theme="light"], .light',
    "dark": '[data-jp-theme-light="false"], [data-vscode-theme-kind="vscode-dark"], '
    '[data-vscode-theme-kind="vscode-high-contrast"], html[theme="dark"], [data-theme="dark"], '
    ".dark",
}


def host_rules(selector: str) -> str:
    """Return the rules of CSS by which an element is as light or dark as the page of its host.

    Examples
    --------
    >>> host_rules(".own").rpartition("],")[2]
    ' .dark) .own{color-scheme:dark}'
    """
    return "".join(
        f":is({marks}) {selector}{{color-scheme:{name}}}" for name, marks in _HOSTS.items()
    )


def theme(name: str) -> Theme:
    """Return the theme called `name`.

    Parameters
    ----------
    name : {"light", "dark"}

    Raises
    ------
    ArgumentError
        If there is no theme of that name. Also a ValueError.

    Examples
    --------
    >>> theme("light").ink
    '#18212C'
    """
    return THEMES[one_of("theme", name, THEMES)]


def class_shape(k: int, outputs: int) -> int:
    """Return the place in `MARKERS` of the shape of class `k`; parameters as `Theme.of_class`.

    No two of the first 25 classes have both colour and shape in common.

    Examples
    --------
    >>> MARKERS[class_shape(0, 1)], MARKERS[class_shape(6, 10)]
    ('s', '^')
    """
    if outputs == 1:
        return 1 - k
    return (k + k // len(MARKERS)) % len(MARKERS)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(start: str, end: str, fraction: float) -> str:
    """Return the colour at `fraction` of the way from `start` to `end`.

    Examples
    --------
    >>> mix("#000000", "#FFFFFF", 0.5)
    '#808080'
    """
    pairs = zip(_channels(start), _channels(end), strict=True)
    return "#" + "".join(f"{int(a + (b - a) * fraction + 0.5):02X}" for a, b in pairs)


def diverging(number: float, scale: float, stops: Sequence[str]) -> str:
    """Return the colour of `number` on the map `stops`, which spans -scale to +scale.

    Parameters
    ----------
    number, scale : float
        Numbers beyond the scale get the colour at its end.
    stops : sequence of str
        Such as `Theme.diverging`.

    Examples
    --------
    >>> diverging(0.0, 1.0, theme("light").diverging), diverging(-2, 1, theme("light").diverging)
    ('#F4F6F9', '#A34300')
    """
    if scale and finite(number):
        relative = min(1.0, max(-1.0, number / scale))
    else:  # an infinite number has the colour of its end, nan and a scale of 0 the middle
        relative = math.copysign(1.0, number) if abs(number) == math.inf else 0.0
    place = (relative + 1) / 2 * (len(stops) - 1)
    below = min(int(place), len(stops) - 2)
    return mix(stops[below], stops[below + 1], place - below)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, by WCAG 2.2.

    Examples
    --------
    >>> contrast("#000000", "#FFFFFF")
    21.0
    """

    def luminance(colour: str) -> float:
        red, green, blue = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (channel / 255 for channel in _channels(colour))
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


# ---- from light to dark ------------------------------------------------------------------------

FADE: Final = 0.7  # of what is set back in a picture, towards the page
_TOLERANCE: Final = 2.5  # of 255: mixed colours are rounded, at most twice


def dark_twin(colour: str, is_text: bool = False) -> str | None:
    """Return what a colour of a light picture is in the dark one, or None for any other colour.

    Parameters
    ----------
    colour : str
        Of the light theme: of a role, a tint, the diverging map, or one of these set back.
    is_text : bool, default False
        White letters stand on the chip of a parameter, which is light in the dark theme.

    Examples
    --------
    >>> dark_twin("#18212C") == DARK.ink, dark_twin("#123456")
    (True, None)
    >>> dark_twin(LIGHT.pos_tint) == DARK.pos_tint
    True
    """
    if is_text and colour.upper() == LIGHT.parameter_text:
        return DARK.parameter_text
    point, found, nearest = _channels(colour), None, _TOLERANCE
    for (start, end), dark in _ramps():
        along = [b - a for a, b in zip(start, end, strict=True)]
        length = sum(d * d for d in along)
        offset = sum((p - a) * d for p, a, d in zip(point, start, along, strict=True))
        place = min(1.0, max(0.0, offset / length)) if length else 0.0
        closest = (a + d * place for a, d in zip(start, along, strict=True))
        distance = math.dist(point, tuple(closest))
        if distance < nearest:
            found, nearest = mix(*dark, place), distance
    return found


@lru_cache(maxsize=1)
def _ramps() -> list[tuple[tuple[tuple[int, ...], tuple[int, ...]], tuple[str, str]]]:
    """Return all colours that a picture may have: from where to where, in the two themes."""
    roles = [item.name for item in fields(Theme) if isinstance(getattr(LIGHT, item.name), str)]
    roles.remove("name")
    ends = {
        look.name: [
            *((getattr(look, role), getattr(look, role)) for role in roles),
            *((look.none, tint) for tint in (look.pos_tint, look.neg_tint)),
            (look.none, mix(look.none, look.wrong, 0.1)),
        ]
        for look in (LIGHT, DARK)
    }
    for name, look in THEMES.items():
        ends[name] += [(mix(a, look.bg, FADE), mix(b, look.bg, FADE)) for a, b in ends[name]]
        ends[name] += pairwise(look.diverging)
    pairs = zip(ends["light"], ends["dark"], strict=True)
    return [((_channels(a), _channels(b)), dark) for (a, b), dark in pairs]
