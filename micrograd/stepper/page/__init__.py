"""The stepper to look at: a notebook widget, and one page that works offline.

Both run the same JavaScript, `static/stepper.js`. Python computes, lays out and words
everything; the page only shows it.
"""

from micrograd.stepper.page.data import LARGEST_GRAPH, LARGEST_WALK, page_data
from micrograd.stepper.page.html import Frame, page_text, to_html
from micrograd.stepper.page.notebook import __getattr__ as __getattr__
from micrograd.stepper.page.notebook import mimebundle, widget

__all__ = [
    "LARGEST_GRAPH",
    "LARGEST_WALK",
    "Frame",
    "mimebundle",
    "page_data",
    "page_text",
    "to_html",
    "widget",
]
