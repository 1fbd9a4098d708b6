"""The stepper to look at: a notebook widget, and one page that works offline.

Both run the same JavaScript, `static/stepper.js`. Python computes, lays out and words everything;
the page only shows it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.widget.data import LARGEST_GRAPH, LARGEST_WALK, page_data
from micrograd.widget.page import Frame, page_text, to_html

if TYPE_CHECKING:
    from micrograd.stepper import Stepper

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

STATIC = Path(__file__).parent / "static"


def widget(stepper: Stepper, **options: Any) -> Any:
    """Return the notebook widget of a stepper.

    Parameters
    ----------
    stepper : Stepper
    **options
        `theme`, "auto", "light" or "dark"; `editable`, False to keep leaves as they are.

    Raises
    ------
    ImportError
        Without anywidget; the message names the extra to install.
    TooLargeError
        If the graph has more values or steps than can be shown.
    """
    from micrograd.widget.notebook import stepper_widget

    return stepper_widget()(stepper, **options)


def mimebundle(stepper: Stepper, **options: Any) -> Any:
    """Return what a notebook shows of a stepper: the widget, with a picture where it cannot run."""
    from micrograd.widget.notebook import mimebundle as bundle

    return bundle(stepper, **options)


def __getattr__(name: str) -> Any:
    if name == "StepperWidget":
        from micrograd.widget.notebook import stepper_widget

        return stepper_widget()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
