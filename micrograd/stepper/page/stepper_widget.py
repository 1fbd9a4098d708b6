"""The stepper as a notebook widget; this module needs anywidget."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from micrograd.graph import order
from micrograd.stepper.page.data import layout_of, page_data
from micrograd.stepper.page.html import script, styles
from micrograd.stepper.page.notebook import leaf_number, living, saved_steps
from micrograd.stepper.stepper import Stepper

__all__ = ["StepperWidget"]


class StepperWidget(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """The steps of a backward pass in a notebook.

    A leaf that is edited in the notebook changes in a copy of the graph, `stepper.root`; the Values
    that the widget was made from never change.

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
        The steps that are shown now.
    error : str
        Why the last edit was refused.
    answers : list of dict
        Each guess in turn, as "Copy answers" gives it: the `step` as the page counts it, from 1,
        the name of the `value` whose gradient was asked for, the `answer` as it was typed, whether
        it was `right`, and the `correct` number.
    """

    _esm = script()
    _css = styles()
    data = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    theme = traitlets.Enum(["auto", "light", "dark"], "auto").tag(sync=True)
    editable = traitlets.Bool(True).tag(sync=True)
    edit = traitlets.Dict().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    place = traitlets.Unicode("").tag(sync=True)
    answers: Any = traitlets.List().tag(sync=True)

    def __init__(self, stepper: Stepper, **options: Any) -> None:
        self.stepper = stepper
        self._layout = layout_of(stepper)
        self._is_copy = False
        self._edits = 0
        options["place"] = uuid4().hex
        super().__init__(data=page_data(stepper, self._layout), step=stepper.position, **options)
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
        except Exception as error:  # else the host would swallow it, and the page would wait
            self.error = ""
            self.error = str(error) or type(error).__name__

    def set_leaf(self, place: int, text: str) -> None:
        """Give a leaf another number in a copy of the graph, and show the new steps.

        Parameters
        ----------
        place : int
            Its position in `stepper.nodes`.
        text : str

        Raises
        ------
        ValueError
            If the text is not a number, or there is no leaf at the place.
        MicrogradError
            If the graph or its gradient has no value there; then nothing changes.
        """
        stepper = self.stepper
        if not 0 <= place < len(stepper.nodes) or stepper.recording.parents[place]:
            raise ValueError(f"value {place} is not a leaf of this graph")
        new = leaf_number(text, stepper.recording.data[place])
        root = stepper.root if self._is_copy else stepper.copy_of_graph()
        leaf = order(root)[place]
        old = leaf.data
        try:
            leaf.data = new
            root.forward()
            fresh = stepper.of_copy(root)
            data = page_data(fresh, self._layout)
        except BaseException:
            leaf.data = old
            root.forward()
            raise
        fresh.position = min(stepper.position, len(fresh) - 1)
        self.stepper, self._is_copy = fresh, True
        self._edits += 1  # so that the page gets an answer even if the number stays the same
        data["edits"] = self._edits
        with self.hold_sync():
            self.error = ""
            self.data = data

    def _repr_mimebundle_(self, **options: Any) -> Any:
        html = saved_steps(self.stepper, self.place, self.theme)
        return living(super()._repr_mimebundle_(**options), html, repr(self.stepper))
