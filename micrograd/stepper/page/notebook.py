"""What a notebook shows of a stepper: the widget, or a picture where no widget can run."""

from __future__ import annotations

import base64
import re
from fractions import Fraction
from html import escape
from typing import Any, Final

from micrograd.checks import install, needs
from micrograd.draw import draw_dot
from micrograd.errors import MicrogradError
from micrograd.graph import order
from micrograd.stepper.page.layout import LARGEST_DRAWING
from micrograd.stepper.stepper import Stepper

__all__ = ["leaf_number", "mimebundle", "picture", "widget", "with_still"]

_LARGEST_EXPONENT: Final = 400  # above that of any float; the exact number would be huge
_INVITATION: Final = f"To walk through it here: {install('notebook')}"


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
        If anywidget is missing; the message says how to install it.
    TooLargeError
        If the graph has more values or steps than can be shown.
    """
    return _widget_class()(stepper, **options)


def _widget_class() -> Any:
    with needs("notebook", "the stepper's widget needs anywidget"):
        from micrograd.stepper.page.stepper_widget import StepperWidget
    return StepperWidget


def __getattr__(name: str) -> Any:
    if name == "StepperWidget":
        return _widget_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def mimebundle(stepper: Stepper, **options: Any) -> Any:
    """Return what a notebook shows of a stepper as the last line of a cell."""
    try:
        shown = widget(stepper)
    except ImportError:
        if len(stepper.nodes) > LARGEST_DRAWING:
            return {"text/plain": f"{stepper!r}\n{_INVITATION}"}
        image = base64.b64encode(picture(stepper)).decode()
        note = f"To walk through these steps here: <code>{escape(install('notebook'))}</code>"
        return {
            "text/html": f'<img alt="{escape(repr(stepper))}" style="max-width:100%" '
            f'src="data:image/svg+xml;base64,{image}"><p>{note}</p>',
            "text/plain": f"{stepper!r}\n{_INVITATION}",
        }
    except MicrogradError as error:
        return {"text/plain": f"{stepper!r}\n{error}"}
    return shown._repr_mimebundle_(**options)


def picture(stepper: Stepper, format: str = "svg") -> bytes:  # noqa: A002
    """Return a picture of the graph at the last step.

    Parameters
    ----------
    stepper : Stepper
    format : {"svg", "png"}
    """
    root = stepper.copy_of_graph()
    for node, grad in zip(order(root), stepper.gradients, strict=True):
        node.grad = grad
    drawn: bytes = draw_dot(root).pipe(format)
    return drawn


def with_still(bundle: Any, still: dict[str, Any]) -> Any:
    """Add a picture and text to what a widget shows, for where it cannot run, as in a file viewer.

    Parameters
    ----------
    bundle : dict, tuple or None
        What a widget shows in a notebook.
    still : dict
        More representations by their MIME types.
    """
    if bundle is None:
        return None
    data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
    combined = {**data, **still}
    return (combined, *rest) if rest else combined


def leaf_number(text: str, like: Any) -> Any:
    """Return the number that was typed for a leaf, of the leaf's type where that can hold it.

    Raises
    ------
    ValueError
        If the text is not a finite number.

    Examples
    --------
    >>> leaf_number("3", 2.0), leaf_number("3", 2), leaf_number("2.5", 2)
    (3.0, 3, 2.5)
    >>> leaf_number("3/4", 2.0), leaf_number("0.5", Fraction(1, 3))
    (Fraction(3, 4), Fraction(1, 2))
    """
    try:
        exponent = re.search(r"e([-+]?\d+)\s*$", text, re.IGNORECASE)
        if exponent and abs(int(exponent[1])) > _LARGEST_EXPONENT:
            raise ValueError
        exact = Fraction(text.strip().replace(" ", ""))
        if "/" in text or isinstance(like, Fraction):
            return exact
        if isinstance(like, int) and exact.denominator == 1 and "e" not in text.lower():
            return int(exact)
        return float(exact)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(
            f"{text!r} is not a number that can stand here: write 2, -0.5, 1e-3 or 3/4"
        ) from None
