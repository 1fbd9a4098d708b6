"""The live view as a widget of a notebook; it needs anywidget.

Where the page can train, it does, and tells the kernel where the run is; else the kernel trains and
sends frames.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from typing import Any, Final
from uuid import uuid4

import anywidget
import traitlets

from micrograd.errors import ArgumentError
from micrograd.live.page import TITLE, live_script, live_styles, page_text, place_of, sample_data
from micrograd.live.watching import Watch
from micrograd.nn.layers import ACTIVATIONS
from micrograd.stepper.page.notebook import LARGEST_SAVED, living, saved
from micrograd.style import number_text

__all__ = ["LiveWidget"]

_SLICE: Final = 0.05  # seconds of training between two looks at the front end
_shown: Final[weakref.WeakSet[LiveWidget]] = weakref.WeakSet()


class LiveWidget(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """A network that learns, in a notebook.

    Parameters
    ----------
    watch : Watch
    theme : {"auto", "light", "dark"}, default "auto"

    Attributes
    ----------
    running : bool
        Whether the network is being trained.
    state : dict
        Where the run is that the page trains: its settings, its step, its losses, its parameters.
    error : str
        Why the last command failed, or "".
    """

    _esm = live_script()
    _css = live_styles()
    data = traitlets.Dict().tag(sync=True)
    frame = traitlets.Dict().tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    sample = traitlets.Dict().tag(sync=True)
    theme = traitlets.Enum(["auto", "light", "dark"], "auto").tag(sync=True)
    command = traitlets.Dict().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    place = traitlets.Unicode("").tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, watch: Watch, **options: Any) -> None:
        self.watch = watch
        self._pause_others()
        _shown.add(self)
        self._task: Any = None
        self._late = False
        options["place"] = uuid4().hex
        super().__init__(data=self._about(), **options)
        if watch.step or not self.trains_itself:
            self._show()
        watch.shown.add(self)
        self.observe(self._asked, names=["command"])
        self.observe(self._told, names=["state"])

    def _pause_others(self) -> None:
        """Pause the other views of this network, such as that of the same cell run before."""
        for other in list(_shown):
            if other is not self and other.watch.model is self.watch.model:
                other.running = False

    def _about(self) -> dict[str, Any]:
        rate, activation = number_text(self.watch.rate, 3), self.watch.activation
        kinds = [activation, *(a for a in ACTIVATIONS if a != activation)]
        return {
            **self.watch.still(), "title": TITLE,
            "rate": rate, "activation": activation, "activations": kinds,
        }  # fmt: skip

    def _current_frame(self) -> dict[str, Any]:
        frame = self.watch.frame(fine=not self.running)
        maps = {} if self.trains_itself else {"neurons": self.watch.neuron_maps()}
        return {**frame, **maps, "curve": self.watch.curve(frame)}

    @property
    def trains_itself(self) -> bool:
        """Whether the page trains, and not the kernel."""
        return not self.data["task"]["why"]

    def follow(self) -> None:
        """Show where Python has brought the run: once a cell, however often it trains in it."""
        if self.running or self._late:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._show()
        else:
            self._late = True
            loop.call_soon(self._show)

    def _show(self) -> None:
        self._late = False
        if not self.trains_itself:
            self.frame = self._current_frame()
            return
        place = place_of(self.watch, start=True)
        if place:
            self.state = place["state"]
        else:
            self.error = "Python trains with other settings now: the page cannot follow."

    def _told(self, change: Any) -> None:
        if "losses" not in change["new"]:  # told by Python
            return
        try:
            self.error = ""
            self.watch.adopt(change["new"])
        except Exception as error:  # ipywidgets would swallow it
            self.error = str(error) or type(error).__name__

    def _asked(self, change: Any) -> None:
        asked = change["new"]
        if not asked:
            return
        try:
            self.error = ""
            self.do(str(asked.get("do")), asked.get("with"))
        except Exception as error:  # ipywidgets would swallow it
            self.running = False
            self.error = str(error) or type(error).__name__

    def do(self, what: str, given: Any = None) -> None:
        """Do what a control of the page asks for.

        Parameters
        ----------
        what : {"run", "pause", "step", "reset", "rate", "activation", "sample"}
        given
            A learning rate, the name of an activation, or the number of a sample.
        """
        if what == "run":
            self._pause_others()
            self.running = True
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._train())
            return
        if what == "rate":
            self.watch.set_rate(float(given))
            return
        self.running = False
        if what == "sample":
            data = sample_data(self.watch, given, {})
            self.sample = {"i": given, "n": self.watch.step, "data": data}
        elif what == "step":
            self.watch.run(1)
        elif what == "reset":
            self.watch.reset()
        elif what == "activation":
            self.watch.set_activation(str(given))
        elif what == "pause":
            self.follow()
        else:
            raise ArgumentError(f"the live view cannot {what!r}")

    async def _train(self) -> None:
        """Train until paused, in slices so short that a pause is soon noticed."""
        try:
            while self.running:
                end = time.perf_counter() + _SLICE
                while time.perf_counter() < end:
                    self.watch.run(1)
                self.frame = self._current_frame()
                await asyncio.sleep(_SLICE)
        except Exception as error:  # nothing awaits this task
            self.error = str(error) or type(error).__name__
            if self.watch.stopped:
                self.frame = self._current_frame()
        finally:
            self.running = False

    def _repr_mimebundle_(self, **options: Any) -> Any:
        image = self.watch.picture().get("image/png", "")
        still = f"data:image/png;base64,{image}" if image else ""
        html = saved(
            self._page(), TITLE, repr(self.watch), still=still, place=self.place, theme=self.theme
        )
        return living(super()._repr_mimebundle_(**options), html, repr(self.watch))

    def _page(self) -> str:
        """Return the page that stays in a saved notebook: where the run is now."""
        if not self.trains_itself:
            return ""
        data, said = {**self.data, **place_of(self.watch)}, self.watch.measured()["say"]
        page = page_text(data, said)
        if len(page) > LARGEST_SAVED:  # the graphs of samples are what it can do without
            page = page_text({**data, "task": {**data["task"], "templates": {}}}, said)
        return page

    def close(self) -> None:
        """Pause the run and close the widget."""
        self.running = False
        super().close()
