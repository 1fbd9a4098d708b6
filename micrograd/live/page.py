"""A run as one page that works offline, and the front end that it shares with the widget."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from micrograd.errors import MicrogradError
from micrograd.live.view import View
from micrograd.stepper.page import page_data
from micrograd.stepper.page.html import LAST_LINE, document, script, styles

__all__ = ["live_script", "live_styles", "page_text"]

_STATIC: Final = Path(__file__).parent / "static"
_LIVE_END: Final = "export default { initialize: takePlaces(renderLive), render: renderLive };\n"
_START: Final = """\
const values = { data: await pageData(), theme: "auto" };
const asked = new URLSearchParams(location.hash.slice(1)); // page.html#theme=dark
if (asked.has("theme")) values.theme = asked.get("theme");
const model = {
  get: key => values[key], set(key, value) { values[key] = value; },
  on() {}, off() {}, save_changes() {},
};
renderLive({ model, el: document.getElementById("mgs") });
"""
_MOST_SAMPLES: Final = 4  # whose steppers a page holds
_MOST_BYTES: Final = 400_000  # of these steppers
_MOST_NEURONS: Final = 64  # whose maps a page holds, 3 kB each


def live_script() -> str:
    """Return the source of the front end: that of the stepper, which it uses, and the live view."""
    code = script()
    own = (_STATIC / "live.js").read_text(encoding="utf-8")
    if not (code.endswith(LAST_LINE) and own.endswith(_LIVE_END)):
        raise AssertionError("stepper.js and live.js must end in their exports")
    return code.removesuffix(LAST_LINE) + own


@lru_cache(maxsize=1)
def live_styles() -> str:
    """Return the style sheet of the stepper and the live view."""
    return styles() + (_STATIC / "live.css").read_text(encoding="utf-8")


def page_text(view: View, recorded: dict[str, Any], title: str) -> str:
    """Return a page that plays a recorded run.

    Parameters
    ----------
    view : View
        After the run: the page holds the maps of its neurons and the steppers of some samples.
    recorded : dict
        What `Watch.still` gives, with the `frames` and the `curve`.
    title : str
    """
    data = {**recorded, "samples": _steppers(view), "neurons": _neuron_maps(view), "title": title}
    code = live_script().removesuffix(_LIVE_END) + _START
    return document(title, code, live_styles(), data, recorded["frames"][-1]["say"])


def _neuron_maps(view: View) -> dict[str, Any]:
    """Return the maps of all neurons, or none if the network is large."""
    sizes = [len(layer.neurons) for layer in view.model.layers]
    if sum(sizes) > _MOST_NEURONS:
        return {}
    return {f"{i} {k}": view.neuron_map(i, k) for i, size in enumerate(sizes) for k in range(size)}


def _steppers(view: View) -> dict[str, Any]:
    """Return the steppers of the samples of the largest loss, while they are small."""
    found: dict[str, Any] = {}
    room = _MOST_BYTES
    for i in view.by_loss()[:_MOST_SAMPLES]:
        try:
            data = page_data(view.graph_of(i), title=f"The loss of sample {i}")
        except MicrogradError:
            break
        room -= len(repr(data))
        if room < 0:
            break
        found[str(i)] = data
    return found
