"""The stepper in a notebook: a widget where one can run, a picture elsewhere."""

from __future__ import annotations

import base64
import re
from fractions import Fraction
from functools import lru_cache
from html import escape
from typing import Any, Final

from micrograd.draw import draw_dot
from micrograd.errors import MicrogradError
from micrograd.graph import order
from micrograd.stepper.page.data import layout_of, page_data
from micrograd.stepper.page.html import script, styles
from micrograd.stepper.page.layout import LARGEST_DRAWING
from micrograd.stepper.stepper import Stepper

__all__ = ["INSTALL", "leaf_number", "mimebundle", "picture", "stepper_widget", "with_still"]

_LARGEST_EXPONENT: Final = 400  # beyond those of floats; as an exact number it would be huge
INSTALL: Final = 'pip install "micrograd[notebook]"'


def leaf_number(text: str, like: Any) -> Any:
    """Return the number that was typed for a leaf, of the leaf's kind where it fits.

    Raises
    ------
    ValueError
        If the text is no finite number.

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
            f"{text!r} is no number that fits here: write 2, -0.5, 1e-3 or 3/4"
        ) from None


def picture(stepper: Stepper, format: str = "svg") -> bytes:  # noqa: A002
    """Return the still picture of the last step.

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


@lru_cache(maxsize=1)
def stepper_widget() -> Any:
    """Return the class of the widget, `micrograd.stepper.page.notebook.StepperWidget`.

    Raises
    ------
    ImportError
        Without anywidget; the message names the extra to install.
    """
    try:
        import anywidget
        import traitlets
    except ModuleNotFoundError as error:
        raise ImportError(f"the stepper's widget needs anywidget: {INSTALL}") from error

    class StepperWidget(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        """The steps of a backward pass in a notebook.

        A leaf edited in the page changes a copy of the graph, `stepper.root`, never the Values
        that the widget was made from.

        Parameters
        ----------
        stepper : Stepper
        theme : {"auto", "light", "dark"}, default "auto"
        editable : bool, default True

        Attributes
        ----------
        step : int
            The current step, from 0; assign to it to move.
        stepper : Stepper
            What is shown now.
        error : str
            Why the last edit was refused.
        """

        _esm = script()
        _css = styles()
        data = traitlets.Dict().tag(sync=True)
        step = traitlets.Int(0).tag(sync=True)
        theme = traitlets.Enum(["auto", "light", "dark"], "auto").tag(sync=True)
        editable = traitlets.Bool(True).tag(sync=True)
        edit = traitlets.Dict().tag(sync=True)
        error = traitlets.Unicode("").tag(sync=True)

        def __init__(self, stepper: Stepper, **options: Any) -> None:
            self.stepper = stepper
            self._layout = layout_of(stepper)
            self._is_copy = False
            self._edits = 0
            super().__init__(
                data=page_data(stepper, self._layout), step=stepper.position, **options
            )
            self.observe(self._edited, names=["edit"])
            self.observe(self._moved, names=["step"])

        @traitlets.validate("step")
        def _in_range(self, proposal: Any) -> int:
            return max(0, min(len(self.stepper) - 1, int(proposal["value"])))

        def _moved(self, change: Any) -> None:
            self.stepper.go(change["new"])

        def _edited(self, change: Any) -> None:
            edit = change["new"]
            if not edit:
                return
            try:
                self.set_leaf(int(edit["node"]), str(edit["text"]))
            except Exception as error:  # it would be swallowed, and the page would wait
                self.error = ""
                self.error = str(error) or type(error).__name__

        def set_leaf(self, place: int, text: str) -> None:
            """Give a leaf of a copy of the graph another number, and show the pass anew.

            Parameters
            ----------
            place : int
                Its position in `stepper.nodes`.
            text : str

            Raises
            ------
            ValueError
                If the text is no number, or the place no leaf.
            MicrogradError
                If the graph or its gradient has no value there; all is then as before.
            """
            stepper = self.stepper
            if not 0 <= place < len(stepper.nodes) or stepper.recording.parents[place]:
                raise ValueError(f"value {place} is no leaf of this graph")
            new = leaf_number(text, stepper.recording.data[place])
            root = stepper.root if self._is_copy else stepper.copy_of_graph()
            leaf = order(root)[place]
            old = leaf.data
            try:
                leaf.data = new
                root.forward()
                fresh = Stepper(root, stepper.broken)
                data = page_data(fresh, self._layout)
            except BaseException:
                leaf.data = old
                root.forward()
                raise
            fresh.position = min(stepper.position, len(fresh) - 1)
            self.stepper, self._is_copy = fresh, True
            self._edits += 1  # an answer also where the number was that already
            data["edits"] = self._edits
            with self.hold_sync():
                self.error = ""
                self.data = data

        def _repr_mimebundle_(self, **options: Any) -> Any:
            still: dict[str, Any] = {"text/plain": repr(self.stepper)}
            if len(self.stepper.nodes) <= LARGEST_DRAWING:
                still["image/png"] = base64.b64encode(picture(self.stepper, "png")).decode()
            return with_still(super()._repr_mimebundle_(**options), still)

    return StepperWidget


def with_still(bundle: Any, still: dict[str, Any]) -> Any:
    """Add what stands still, for where the widget cannot run: a file viewer, an untrusted page.

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


def mimebundle(stepper: Stepper, **options: Any) -> Any:
    """Return what a notebook shows of a stepper as the last line of a cell."""
    try:
        shown = stepper_widget()(stepper)
    except ImportError:
        if len(stepper.nodes) > LARGEST_DRAWING:
            return {"text/plain": f"{stepper!r}\nTo walk through it here: {INSTALL}"}
        image = base64.b64encode(picture(stepper)).decode()
        note = f"To walk through these steps here: <code>{escape(INSTALL)}</code>"
        return {
            "text/html": f'<img alt="{escape(repr(stepper))}" style="max-width:100%" '
            f'src="data:image/svg+xml;base64,{image}"><p>{note}</p>',
            "text/plain": f"{stepper!r}\nTo walk through it here: {INSTALL}",
        }
    except MicrogradError as error:
        return {"text/plain": f"{stepper!r}\n{error}"}
    return shown._repr_mimebundle_(**options)
