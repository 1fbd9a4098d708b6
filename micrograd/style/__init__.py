"""The look of every picture: colours, sizes, and how numbers are written."""

from micrograd.style.colours import (
    DARK,
    FADE,
    FONT,
    FONT_FAMILY,
    LIGHT,
    MARKERS,
    THEMES,
    Theme,
    class_shape,
    contrast,
    dark_twin,
    diverging,
    host_rules,
    mix,
    theme,
)
from micrograd.style.numbers import (
    UNKNOWN,
    finite,
    largest,
    magnitude,
    number_text,
    short,
    stroke_width,
    thinned,
)

__all__ = [
    "DARK", "FADE", "FONT", "FONT_FAMILY", "LIGHT", "MARKERS", "THEMES", "UNKNOWN", "Theme",
    "class_shape", "contrast", "dark_twin", "diverging", "finite", "host_rules", "largest",
    "magnitude", "mix", "number_text", "short", "stroke_width", "theme", "thinned",
]  # fmt: skip
