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

    A leaf whose number is pulled or typed in the notebook changes in a copy of the graph,
    `stepper.root`; with `live` it changes in the Values that the widget was made from.

    Parameters
    ----------
    stepper : Stepper
    theme : {"auto", "light", "dark"}, default "auto"
    editable : bool, default True
    live : bool, optional
        By default as `stepper.live`.

    Attributes
    ----------
    step : int
        The current step, from 0; assign to it to move.
    stepper : Stepper
        The steps that are shown now.
    changes : dict
        The numbers that were pulled, by the position of the leaf in `stepper.nodes`; the page
        computes what follows from them by itself. Assign to it to pull from Python.
    error : str
        Why the last change was refused.
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
    changes = traitlets.Dict().tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    place = traitlets.Unicode("").tag(sync=True)
    answers: Any = traitlets.List().tag(sync=True)

    def __init__(self, stepper: Stepper, **options: Any) -> None:
        self.stepper = self._own = stepper
        self._layout = layout_of(stepper)
        self._copy: Any = None
        self._numbers = stepper.recording.data  # of which `changes` are changes
        self._edits = 0
        options["place"] = uuid4().hex
        stepper.live = options["live"] = options.get("live", stepper.live)
        super().__init__(data=page_data(stepper, self._layout), step=stepper.position, **options)
        self.observe(self._edited, names=["edit"])
        self.observe(self._moved, names=["step"])
        self.observe(self._pulled, names=["changes"])
        self.observe(self._lives, names=["live"])

    @traitlets.validate("step")
    def _in_range(self, proposal: Any) -> int:
        last = max(len(self.stepper) - 1, len(self.stepper.pass_rows))  # there is the update
        return max(0, min(last, int(proposal["value"])))

    def _moved(self, change: Any) -> None:
        self.stepper.go(min(change["new"], len(self.stepper) - 1))

    def _edited(self, change: Any) -> None:
        edit = change["new"]
        if not edit:
            return
        try:
            self.set_leaf(int(edit["node"]), str(edit["text"]))
        except Exception as error:  # else the host would swallow it
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        self.error = ""
        self.error = str(error) or type(error).__name__

    def _pulled(self, change: Any) -> None:
        old, new = change["old"], change["new"]
        if self._settled:
            return
        self.live = self._own.live  # which may have been set since
        try:
            self.stepper = self._with({int(i): new.get(i) for i in {**old, **new}})
            self.error = ""
        except Exception as error:
            self._refuse(error)
            self._settle(changes=old)

    def _lives(self, change: Any) -> None:
        self._own.live = change["new"]
        if self._own.live and self.changes:
            self._pulled({"old": {}, "new": self.changes})

    def _settle(self, **traits: Any) -> None:
        """Set traits whose changes need no answer."""
        self._settled = True
        try:
            with self.hold_sync():
                for name, value in traits.items():
                    setattr(self, name, value)
        finally:
            self._settled = False

    _settled = False

    def _with(self, numbers: dict[int, Any]) -> Stepper:
        """Give leaves other numbers, None for those of before, and return the steps then."""
        if not self._own.live and self._copy is None:
            self._copy = self._own.copy_of_graph()
        root = self._own.root if self._own.live else self._copy
        nodes = order(root)
        for place in numbers:
            if not 0 <= place < len(nodes) or nodes[place].parents:
                raise ValueError(f"value {place} is not a leaf of this graph")
        old = {place: nodes[place].data for place in numbers}
        try:
            for place, number in numbers.items():
                nodes[place].data = _of_kind(number, self._numbers[place])
            root.forward()
            fresh = self.stepper.of_copy(root)
        except BaseException:
            for place, number in old.items():
                nodes[place].data = number
            root.forward()
            raise
        fresh.position = min(self.stepper.position, len(fresh) - 1)
        return fresh

    def set_leaf(self, place: int, text: str) -> None:
        """Give a leaf another number, and show the new steps with the numbers of Python.

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
        if not 0 <= place < len(self._numbers):
            raise ValueError(f"value {place} is not a leaf of this graph")
        fresh = self._with({place: leaf_number(text, self.stepper.recording.data[place])})
        data = page_data(fresh, self._layout)
        self.stepper, self._numbers = fresh, fresh.recording.data
        self._edits += 1  # so that the page gets an answer even if the number stays the same
        data["edits"] = self._edits
        self._settle(error="", data=data, changes={})

    def _repr_mimebundle_(self, **options: Any) -> Any:
        html = saved_steps(self.stepper, self.place, self.theme)
        return living(super()._repr_mimebundle_(**options), html, repr(self.stepper))


def _of_kind(number: Any, like: Any) -> Any:
    """Return a number of the page, in which 5.0 is 5, as the leaf has it; None: the leaf's own."""
    if number is None:
        return like
    return float(number) if isinstance(like, float) else number
