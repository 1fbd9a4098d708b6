"""The look of every picture: colours, sizes, and how numbers are written."""

from micrograd.style.colours import (
    DARK,
    FONT,
    FONT_FAMILY,
    HOSTS,
    LIGHT,
    MARKERS,
    THEMES,
    Theme,
    class_shape,
    contrast,
    diverging,
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
)

__all__ = [
    "DARK",
    "FONT",
    "FONT_FAMILY",
    "HOSTS",
    "LIGHT",
    "MARKERS",
    "THEMES",
    "UNKNOWN",
    "Theme",
    "class_shape",
    "contrast",
    "diverging",
    "finite",
    "largest",
    "magnitude",
    "mix",
    "number_text",
    "short",
    "stroke_width",
    "theme",
]
