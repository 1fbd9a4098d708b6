"""The look of every picture: colours, sizes, and how numbers are written."""

from micrograd.style.colours import DARK as DARK
from micrograd.style.colours import (
    FONT,
    FONT_FAMILY,
    MARKERS,
    THEMES,
    UNKNOWN,
    Theme,
    contrast,
    diverging,
    finite,
    largest,
    magnitude,
    mix,
    number_text,
    short,
    stroke_width,
    theme,
)
from micrograd.style.colours import LIGHT as LIGHT

__all__ = [
    "FONT",
    "FONT_FAMILY",
    "MARKERS",
    "THEMES",
    "UNKNOWN",
    "Theme",
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
