"""What Python sends of a run, so that a page can train by itself."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from micrograd.engine import Value
from micrograd.errors import TraceError
from micrograd.graph import order
from micrograd.live.inputs import inputs_of
from micrograd.losses import LOSSES, Loss
from micrograd.nn import INITS, MLP, Neuron, activation_of, is_ours, is_replaced, neurons_of
from micrograd.nn.layers import ACTIVATIONS
from micrograd.ops import Op, function_of_one
from micrograd.optim import SGD, Adam, AdamW
from micrograd.replay.instructions import instructions

if TYPE_CHECKING:
    from micrograd.live.watching import Watch

__all__ = ["packed", "rate_at", "task_data"]

_MADE: Final = ("x1", "x2")  # the features of generated data
_MOST_PARAMETERS: Final = 20_000
_MOST_PRODUCTS: Final = 20_000_000  # parameters times samples: a step of some 0.1 s in a page
_PLAIN: Final = (int, float)
_LETTERS: Final = "".join(map(chr, range(40, 127))).replace("\\", "")  # as JSON writes them


class _Rows:
    """The rows that the page is sent, each once."""

    def __init__(self) -> None:
        self.listed: list[list[Any]] = []
        self.at: dict[Op, int] = {}

    def place(self, op: Op) -> int:
        if op not in self.at:
            listed = [instructions(op), op.gate]
            self.at[op] = len(self.listed)
            self.listed.append(listed)
        return self.at[op]

    def graph(self, root: Value, inputs: Sequence[Value]) -> dict[str, Any]:
        """Return the graph of a result: its leaves are inputs, by number, and constants."""
        nodes, number = order(root), {value: k for k, value in enumerate(inputs)}
        leaves = [node for node in nodes if not node.parents]
        computed = [node for node in nodes if node.parents]
        at = {node: place for place, node in enumerate([*leaves, *computed])}
        return {
            "leaves": [[number[x]] if x in number else repr(float(x.data)) for x in leaves],
            "nodes": [
                [self.place(node.op), [at[parent] for parent in node.parents]] for node in computed
            ],
            "outputs": [number[x] for x in leaves if x in number],
        }


def task_data(watch: Watch) -> dict[str, Any]:
    """Return what a page trains with: the rows of the op table, the data and the settings.

    Parameters
    ----------
    watch : Watch

    Returns
    -------
    dict
        `why`, a sentence, where only Python can train. Otherwise `rows`, the rows of the op table
        as `replay.instructions` writes them, each with whether it is a gate; `activations`, which
        row each is; `losses`, with the graph of the loss of one sample, for each number of classes
        and for each class; `optimizers`, with their options; `inputs`, with their graphs; `own`,
        the samples; `real`, the real data sets; `start`, the parameters; `drawn`, how these were
        drawn, if that was found; `settings`, those of the call.
    """
    if why := _why_not(watch):
        return {"why": f"Only Python can train this: {why}."}
    rows = _Rows()
    try:
        kinds = {name: _activation(rows, name) for name in _activations(watch)}
    except TraceError as error:
        return {"why": f"Only Python can train this: {error}."}
    own = _own(watch)
    real = _real_sets()
    counts = sorted(
        {2, *(len(one["classes"]) for one in real.values()), len(own["labels"] or ()) or 2}
    )
    return {
        "why": "",
        "activations": kinds,
        "losses": {name: _loss(rows, LOSSES[name], counts) for name in LOSSES},
        "optimizers": _optimizers(watch.optimizer),
        "own": own,
        "inputs": {
            "own": _inputs(rows, watch.names, watch.plane.columns, watch.derived),
            "made": _inputs(rows, _MADE, (0, 1), watch.derived if len(watch.names) == 2 else {}),
            **{
                name: _inputs(rows, one["features"], one["columns"], {})
                for name, one in real.items()
            },
        },
        "real": real,
        "start": [*map(float, watch.start)],
        "drawn": _drawn(watch),
        "decayed": watch.optimizer_start["decayed"],
        "settings": _settings(watch),
        "rows": rows.listed,
    }


@cache
def _real_sets() -> dict[str, Any]:
    """Return the real data sets of `micrograd.datasets`, by name.

    Of each: how many samples a page takes at first, the names of `features` and `classes`, the two
    `columns` that tell most, the class of each sample in `y`, and the samples, one after the other,
    in `X`: numbers, or letters from a for 0 where all are small.
    """
    text = (Path(__file__).parent / "static" / "real.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def rate_at(settings: dict[str, Any], step: int) -> float:
    """Return the learning rate at a step, as settings say it.

    Examples
    --------
    >>> settings = {"lr": 0.1, "later": [[20, {"lr": 0.01}]]}
    >>> rate_at(settings, 19), rate_at(settings, 20)
    (0.1, 0.01)
    """
    later = [part["lr"] for start, part in settings["later"] if start <= step]
    return float([settings["lr"], *later][-1])


def _why_not(watch: Watch) -> str:
    """Return why a page cannot train; "" if it can."""
    model, optimizer = watch.model, watch.optimizer
    parameters = model.parameters()
    if watch.known_loss is None or LOSSES.get(watch.known_loss.name) is not watch.known_loss:
        return "the loss is a function of your own"
    if type(optimizer) not in (SGD, Adam, AdamW):
        return "the optimizer is a class of your own"
    if list(optimizer.params) != parameters:
        return "the optimizer does not hold all parameters of the network"
    if callable(optimizer.lr):
        return "the learning rate follows a schedule"
    options = [x for name in optimizer._options for x in _listed(getattr(optimizer, name))]
    numbers = [optimizer.lr, *options, *watch.start]
    if not all(type(x) in (*_PLAIN, bool) and math.isfinite(x) for x in numbers):
        return "not all its numbers are finite floats"
    if watch.optimizer_start["steps"]:
        return "the optimizer has taken steps before"
    if not is_ours(model) or any(map(is_replaced, _activations(watch))):
        return "its layers or activations are classes or functions of your own"
    if any(len({activation_of(n) for n in layer}) > 1 for layer in neurons_of(model)):
        return "the neurons of a layer have different activations"
    if abs(watch.seed or 0) >= 2**53:
        return "the seed is too large for a page"
    size = len(parameters)
    if size > _MOST_PARAMETERS or size * len(watch.samples.rows) > _MOST_PRODUCTS:
        return "the network, or the number of samples, is too large for a page"
    return ""


def _listed(option: Any) -> Sequence[Any]:
    return option if isinstance(option, tuple) else [option]


def _activations(watch: Watch) -> list[str]:
    own = [activation_of(layer[0]) for layer in neurons_of(watch.model)]
    return list(dict.fromkeys([*own, *ACTIVATIONS]))


def _activation(rows: _Rows, name: str) -> int | None:
    op = function_of_one(name)
    return None if op is None else rows.place(op)


def _inputs(
    rows: _Rows, names: Sequence[str], columns: Sequence[int], derived: Any
) -> list[list[Any]]:
    """Return of each input its name, how it is written in Python, and its graph.

    A list, since an object of JavaScript has names such as "10" first.
    """
    return [
        [name, one.code, rows.graph(*one.graph(len(names)))]
        for name, one in inputs_of(names, columns, derived).items()
    ]


def _loss(rows: _Rows, loss: Loss, counts: list[int]) -> dict[str, Any]:
    """Return the graphs of the loss of one sample: by the number of classes, and by the class."""
    if loss.several_outputs:
        terms = {k: [_term(rows, loss, k, c) for c in range(k)] for k in counts}
    elif loss.classification:
        terms = {2: [_term(rows, loss, 1, target) for target in loss.encode([0, 1])]}
    else:
        terms = {0: [_term(rows, loss, 1, None)]}
    return {"classifies": loss.classification, "several": loss.several_outputs, "terms": terms}


def _term(rows: _Rows, loss: Loss, outputs: int, target: int | None) -> dict[str, Any]:
    scores = [Value(0.5 + k) for k in range(outputs)]
    goal = Value(0.25)  # an input too, after the scores, where it is not known
    given: Any = scores if loss.several_outputs else scores[0]
    term = loss.function([given], [goal if target is None else target])
    graph = rows.graph(term, [*scores, goal])
    graph["outputs"] = [k for k in graph["outputs"] if k < outputs]
    return graph


def _optimizers(own: Any) -> dict[str, dict[str, Any]]:
    """Return the options of the optimizers by name."""
    some = [Value(0.0)]
    known: dict[str, Any] = {  # the options of the call stand for those of the same name
        "SGD": SGD(some),
        "SGD, momentum 0.9": SGD(some, momentum=0.9),
        "Adam": Adam(some),
        "AdamW": AdamW(some),
    }
    return {key: _options(one) for key, one in {**known, _name_of(own): own}.items()}


def _options(optimizer: Any) -> dict[str, Any]:
    """Return the options besides the learning rate and the decays, which are settings."""
    options = {name: getattr(optimizer, name) for name in optimizer._options}
    for setting in ("weight_decay", "l1"):
        options.pop(setting)
    return {"kind": type(optimizer).__name__, **options}


def _name_of(optimizer: Any) -> str:
    name = type(optimizer).__name__
    if isinstance(optimizer, SGD) and optimizer.momentum:
        nesterov = "Nesterov " if optimizer.nesterov else ""
        name += f", {nesterov}momentum {optimizer.momentum:g}"
    return name


def _drawn(watch: Watch) -> list[Any] | None:
    """Return the initialisation and the seed that give the parameters; None if that is not known.

    Tried are the seed of the run and those that are used most.
    """
    sizes = [len(layer) for layer in neurons_of(watch.model)]
    for seed in dict.fromkeys([watch.seed or 0, 0, 1, 2, 3, 42, 1337]):
        for init in INITS:
            first = Neuron(len(watch.names), init=init, rng=Random(seed), fan_out=sizes[0]).w
            if [w.data for w in first] == watch.start[: len(first)]:
                model = MLP(len(watch.names), sizes, init=init, rng=Random(seed))
                if [p.data for p in model.parameters()] == watch.start:
                    return [init, seed]
    return None


def packed(rows: list[list[float]]) -> list[list[Any]]:
    """Return the columns of samples, to be sent: each all its numbers, or a table and letters.

    Examples
    --------
    >>> packed([[0.5, 1.0], [0.5, 2.0], [0.25, 3.0], [0.5, 4.0]])
    [[[0.5, 0.25], '(()('], [[1.0, 2.0, 3.0, 4.0]]]
    """
    found: list[list[Any]] = []
    for column in zip(*rows, strict=True):
        place: dict[str, int] = {}  # by repr: 0.0 is not -0.0
        places = [place.setdefault(repr(x), len(place)) for x in column]
        if 2 * len(place) > len(column) or len(place) > len(_LETTERS):
            found.append([list(column)])
        else:
            found.append([[*map(float, place)], "".join(_LETTERS[k] for k in places)])
    return found


def _own(watch: Watch) -> dict[str, Any]:
    samples, plane = watch.samples, watch.plane
    places = list(range(len(samples.rows)))
    if watch.order:  # the page splits them itself
        places.sort(key=watch.order.__getitem__)
    found = {
        "rows": samples.rows[places].tolist(),
        "groups": [samples.groups[i] for i in places],
        "training": len(places) if watch.order else samples.training,
        "names": watch.names,
        "called": watch.called,
        "classes": watch.classes,
        "labels": watch.labels or None,
        "words": watch.words,  # what the classes are in Python, if not these labels
        "plane": {
            "columns": list(plane.columns),
            "low": [float(x) for x in plane.low],
            "high": [float(x) for x in plane.high],
            "means": [float(x) for x in plane.means],
        },
    }
    return (
        found if watch.labels else {**found, "targets": [float(samples.targets[i]) for i in places]}
    )


def _settings(watch: Watch) -> dict[str, Any]:
    assert watch.known_loss is not None
    optimizer, layers = watch.optimizer, neurons_of(watch.model)
    kinds = [activation_of(layer[0]) for layer in layers]
    hidden = set(kinds[:-1])
    plain = len(hidden) <= 1 and kinds[-1] == "linear"
    return {
        "data": "own", "n": 200, "noise": 0.1, "dataSeed": 0, "painted": [],
        "features": watch.names, "layers": [len(layer) for layer in layers[:-1]],
        "activation": (hidden.pop() if hidden else "relu") if plain else ", ".join(kinds),
        "loss": watch.known_loss.name, "optimizer": _name_of(optimizer),
        "later": [], "lr": float(watch.optimizer_start["lr"]), "l1": float(optimizer.l1),
        "l2": float(optimizer.weight_decay), "held_out": float(watch.held_out or 0),
        "batch": watch.batch_size or 0, "seed": watch.seed or 0,
    }  # fmt: skip
