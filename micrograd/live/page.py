"""A run as one page that works offline, and the front end that it shares with the widget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from micrograd.errors import MicrogradError
from micrograd.live.task import packed, rate_at
from micrograd.live.view import View
from micrograd.stepper import Stepper
from micrograd.stepper.page.data import layout_of, page_data
from micrograd.stepper.page.html import LAST_LINE, document, script, styles
from micrograd.stepper.page.layout import Layout
from micrograd.stepper.page.minified import stripped
from micrograd.style import THEMES

if TYPE_CHECKING:
    from micrograd.live.watching import Watch

__all__ = [
    "live_script",
    "live_styles",
    "page_text",
    "place_of",
    "recording",
    "sample_data",
    "sent",
    "templates",
]

TRAINER: Final = (
    "mt.js",
    "sets.js",
    "trainer.js",
    "run.js",
    "code.js",
)  # which also run without a page
_STATIC: Final = Path(__file__).parent / "static"
# In this order: a script may use what those before it declare.
_FILES: Final = (
    "sources.js", "live_map.js", "live_curve.js", "live_net.js", "controls.js", "paint.js",
    "pins.js", "live.js",
)  # fmt: skip
_LIVE_END: Final = "export default{initialize:takePlaces(renderLive),render:renderLive};\n"
TITLE: Final = "A network learns"
_MOST_SAMPLES: Final = 8  # whose back-propagation a page holds
_MOST_BYTES: Final = 1_200_000  # of these, before they are compressed to about a sixth


@lru_cache
def live_script(net: bool | None = None) -> str:
    """Return the source of the front end: that of the stepper, which it uses, and the live view.

    Parameters
    ----------
    net : bool, optional
        As for `script` of the stepper's page.
    """
    code = script(net)
    own = _source(*TRAINER, *_FILES)
    if not (code.endswith(LAST_LINE) and own.endswith(_LIVE_END)):
        raise AssertionError("stepper.js and live.js must end in their exports")
    return code.removesuffix(LAST_LINE) + own


def _source(*names: str) -> str:
    return stripped("\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names))


@lru_cache(maxsize=1)
def live_styles() -> str:
    """Return the style sheet of the stepper and the live view."""
    colours = "".join(
        f'.mgs[data-theme="{name}"] {{ --classes: {" ".join(look.classes)}; '
        f"--diverging: {' '.join(look.diverging)}; }}\n"
        for name, look in THEMES.items()
    )
    return styles() + colours + (_STATIC / "live.css").read_text(encoding="utf-8")


def page_text(data: dict[str, Any], said: str) -> str:
    """Return a page that trains, or one that plays a recorded run.

    Parameters
    ----------
    data : dict
        What `Watch.still` gives, and the `title`. Of a recorded run also the `frames`, the `curve`
        and what `recording` gives. With a `state`, its settings and step, the page opens there.
    said : str
        Where the run is, in words, for where scripts do not run.
    """
    samples = data.get("samples", {})
    only_networks = all(sample["net"] for sample in samples.values()) or None
    code = live_script(only_networks).removesuffix(_LIVE_END) + _source("start.js")
    return document(data["title"], code, live_styles(), data, said)


def place_of(watch: Watch, *, start: bool = False) -> dict[str, Any]:
    """Return the `state` at which a page opens: where the run is, or nothing if it is at its start.

    Also nothing if Python did what the settings do not record, such as steps at another rate.

    Parameters
    ----------
    watch : Watch
    start : bool, default False
        Whether to return the state at the start of a run too.
    """
    settings = watch.settings
    known = rate_at(settings, watch.step), settings["activation"]
    if not (watch.step or start) or (watch.rate, watch.activation) != known:
        return {}
    return {"state": {"settings": settings, "step": watch.step}}


def sent(watch: Watch) -> dict[str, Any]:
    """Return the task of a watch as a page takes it: with graphs of samples, the data packed."""
    task = watch.task
    if task["why"]:
        return task
    if "templates" not in task:  # of the network of the call
        task["templates"] = templates(watch)
    return {**task, "own": {**task["own"], "rows": packed(task["own"]["rows"])}}


def recording(view: View, samples: Sequence[int] | None) -> dict[str, Any]:
    """Return what a page of a recorded run holds of its end: maps of neurons, graphs of samples.

    Parameters
    ----------
    view : View
        After the run.
    samples : sequence of int, optional
        Whose back-propagation. By default those with the largest losses, the classes in turn, as
        many as fit into a page.
    """
    if samples is None:
        found = _largest_losses(view)
    else:
        found = {str(i): sample_data(view, i, {}) for i in samples}
    return {"samples": found, "neurons": view.neuron_maps()}


def sample_data(view: View, sample: int, layouts: dict[Any, Layout]) -> Any:
    """Return the back-propagation of one sample, at the current parameters, as the page takes it.

    Parameters
    ----------
    view : View
    sample : int
    layouts : dict
        Layouts of graphs of samples, to be used for each graph of the same shape.

    Raises
    ------
    ArgumentError, TooLargeError
        If there is no such sample, or its graph is too large.
    """
    return _graph_data(view, view.graph_of(sample), f"The loss of sample {sample}", layouts)


def templates(view: View) -> dict[str, Any]:
    """Return the back-propagation of one sample of each class, of any sample in a regression.

    A page changes the numbers of its leaves, and so shows each sample at each step. There are fewer
    where the network is large.

    Returns
    -------
    dict
        By the number of the class: `data`, as `sample_data` gives it, and which of its nodes are
        the `parameters`, the `inputs` and, in a regression, the `target`.
    """
    found: dict[str, Any] = {}
    layouts: dict[Any, Layout] = {}
    room, groups = _MOST_BYTES, view.samples.groups if view.labels else [0]
    for group in sorted(set(groups)):
        try:
            stepper, parameters, inputs = view.sample_graph(groups.index(group))
            data = _graph_data(view, stepper, "The loss of a sample", layouts)
        except MicrogradError:
            break
        room -= len(repr(data))
        if found and room < 0:
            break
        at = {node: i for i, node in enumerate(stepper.nodes)}
        leaves = {i for node, i in at.items() if not node.parents}
        kept = {
            "data": data,
            "parameters": [at[p] for p in parameters],
            "inputs": [at[x] for x in inputs],
        }
        if not view.labels:
            (kept["target"],) = leaves.difference(kept["parameters"], kept["inputs"])
        found[str(group)] = kept
    return found


def _graph_data(view: View, stepper: Stepper, title: str, layouts: dict[Any, Layout]) -> Any:
    shape = tuple(stepper.recording.parents)
    if shape not in layouts:
        layouts[shape] = layout_of(stepper)
    data = page_data(stepper, layouts[shape], title)
    data["call"] = ""  # no line of Python leads to these steps
    loss = data["net"] and data["net"]["loss"]
    for term in loss["terms"] if loss else []:
        if (k := term["class"]) is not None:
            name = view.classes[k]
            term["name"] = f"right class: {name} (p{k + 1})"
            counted, named = f"The right class, {k},", f"The right class, {name},"
            data["strings"] = [text.replace(counted, named) for text in data["strings"]]
    return data


def _largest_losses(view: View) -> dict[str, Any]:
    """Return the samples with the largest losses, the classes in turn: one or more, as fit."""
    seen: Counter[int] = Counter()
    turns: list[tuple[int, int]] = []
    for i in view.by_loss():
        group = view.samples.groups[i]
        turns.append((seen[group], i))
        seen[group] += 1
    found: dict[str, Any] = {}
    layouts: dict[Any, Layout] = {}
    room = _MOST_BYTES
    for _, i in sorted(turns, key=itemgetter(0))[:_MOST_SAMPLES]:
        try:
            data = sample_data(view, i, layouts)
        except MicrogradError:
            break
        room -= len(repr(data))
        if found and room < 0:
            break
        found[str(i)] = data
    return found
