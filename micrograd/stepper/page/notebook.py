"""What a notebook shows of a stepper: the widget, or a picture where no widget can run."""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Container
from fractions import Fraction
from html import escape
from typing import Any, Final

from micrograd.checks import install, needs
from micrograd.draw import draw_dot
from micrograd.errors import MicrogradError
from micrograd.graph import order
from micrograd.stepper.page.html import TITLE, framed, page_text
from micrograd.stepper.page.layout import LARGEST_DRAWING
from micrograd.stepper.stepper import Stepper

__all__ = [
    "LARGEST_SAVED",
    "leaf_number",
    "living",
    "mimebundle",
    "picture",
    "saved",
    "saved_steps",
    "widget",
]

_LARGEST_EXPONENT: Final = 400  # above that of any float; the exact number would be huge
LARGEST_SAVED: Final = 600_000  # characters of a page that is part of a notebook
_INVITATION: Final = f"To walk through it here: {install('notebook')}"


def widget(stepper: Stepper, **options: Any) -> Any:
    """Return the notebook widget of a stepper.

    The number of each leaf can be pulled there: dragged sideways, changed with the arrow keys,
    typed and put back. All that follows from it is computed on the page, in a copy; with `live`, or
    the switch "change my Values too", the kernel's own Value takes it, too, and its graph is
    evaluated again. A number that the engine refuses changes nothing and is explained.

    Parameters
    ----------
    stepper : Stepper
    **options
        `theme`, "auto", "light" or "dark"; `editable`, False to keep leaves as they are; `live`, by
        default as `stepper.live`.

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


def mimebundle(
    stepper: Stepper,
    include: Container[str] | None = None,
    exclude: Container[str] | None = None,
    **_: Any,
) -> Any:
    """Return what a notebook shows of a stepper as the last line of a cell.

    Parameters
    ----------
    stepper : Stepper
    include, exclude : container of str, optional
        MIME types, as IPython passes them: only these, and none of these.
    """
    try:
        shown = widget(stepper)._repr_mimebundle_()
    except ImportError:
        plain = f"{stepper!r}\n{_INVITATION}"
        shown = {"text/html": saved_steps(stepper), "text/plain": plain}
    except MicrogradError as error:
        shown = {"text/plain": f"{stepper!r}\n{error}"}
    data, *rest = shown if isinstance(shown, tuple) else (shown,)
    data = {
        kind: content
        for kind, content in data.items()
        if (include is None or kind in include) and kind not in (exclude or ())
    }
    return (data, *rest) if rest else data


# ---- a saved notebook --------------------------------------------------------------------------


def saved_steps(stepper: Stepper, place: str = "", theme: str = "auto") -> str:
    """Return the steps as the text of a notebook: the page, and a picture where no page may run."""
    still = ""
    if len(stepper.nodes) <= LARGEST_DRAWING:
        image = base64.b64encode(picture(stepper)).decode()
        still = f"data:image/svg+xml;base64,{image}"
    page = page_text(stepper, plain=False)
    return saved(page, TITLE, repr(stepper), still=still, place=place, theme=theme)


def saved(
    page: str, title: str, told: str, *, still: str = "", place: str = "", theme: str = "auto"
) -> str:
    """Return the HTML of an output that lives without a kernel, and where a widget may stand.

    Parameters
    ----------
    page : str
        The page, or ""; it is shown in a frame if the notebook is trusted and it is not too large.
    title : str
        Of the page.
    told : str
        What the output is, in words.
    still : str, optional
        The address of a picture, for where the frame may not stand.
    place : str, optional
        The name of the widget that may take the place of all this.
    theme : {"auto", "light", "dark"}, default "auto"
    """
    frame = framed(page, title, theme=theme) if 0 < len(page) <= LARGEST_SAVED else ""
    image = f'<img alt="{escape(told)}" style="max-width:100%" src="{still}">' if still else ""
    note = escape("" if still else told + " ") + "Run this cell for the live view."
    return (
        f'<micrograd-page of="{place}">{frame}<div class="mgs-still">{image}<p>{note}</p></div>'
        "</micrograd-page>"
    )


def living(bundle: Any, html: str, plain: str) -> Any:
    """Return what a notebook shows and saves of a widget.

    JupyterLab, Notebook 7 and others that keep a widget manager for the whole notebook start a
    widget as soon as the kernel makes one, shown or not; it then takes its place in the HTML. With
    the widget's own MIME type they would show "model not found" where no kernel answers, whatever
    else the output holds. VS Code, Colab and marimo start a widget only for that type.

    Parameters
    ----------
    bundle : dict, tuple or None
        What the widget shows in a notebook.
    html : str
        From `saved`, with the place of the widget.
    plain : str
    """
    if bundle is None:
        return None
    data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
    own = {"text/html": html, "text/plain": plain}
    if _starts_unseen():
        return own
    combined = {**data, **own}
    return (combined, *rest) if rest else combined


def _starts_unseen() -> bool:
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is None or "google.colab" in sys.modules:
        return False
    return "VSCODE_PID" not in os.environ and "__vsc_ipynb_file__" not in shell.user_ns


def picture(stepper: Stepper, format: str = "svg") -> bytes:  # noqa: A002
    """Return a picture of the graph at the last step.

    Parameters
    ----------
    stepper : Stepper
    format : {"svg", "png"}
    """
    root = stepper.copy_of_graph()
    titles = dict(zip(order(root), stepper.called.titles(stepper.nodes), strict=True))
    for node, grad in zip(titles, stepper.gradients, strict=True):
        node.grad = grad
    labels = {node: title for node, title in titles.items() if title}
    drawn: bytes = draw_dot(root, labels=labels).pipe(format)
    return drawn


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
