"""The stepper on the screen: a notebook widget, and an HTML page that works offline.

Both run the same JavaScript, of `static/`. Python computes the numbers, the layout and the
sentences. Where a reader changes a number, the page computes them anew, with the rows of the op
table and the templates of the sentences that Python has sent.
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
