"""What each object shows as the last line of a cell; its repr is the text beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from micrograd.display.plots import curves, key, points
from micrograd.display.sheet import card, escaped, minus, number, table, tone
from micrograd.draw.diagram import count_values
from micrograd.engine import Value
from micrograd.errors import StaleGraphError
from micrograd.formula import formula
from micrograd.graph import order
from micrograd.nn import Module, activation_of, neurons_of
from micrograd.style import number_text
from micrograd.values.checks import check_fresh
from micrograd.values.names import names_in

__all__ = ["html"]

_SMALLEST: Final = 0.84  # of a picture: the 12 pixels of its smallest letters are then 10
_DRAWN: Final = 40  # values of a graph; its picture takes 4 kB for each
_WRITTEN: Final = 2_000  # values of a graph; finding the names of more takes longer than a glance
_LINES: Final = 3_000  # weights of a network
_OPEN, _LISTED = 12, 24  # parameters: shown at once, and in all
_ROWS, _FEATURES = 5, 8  # of a data set


def html(thing: Any) -> str | None:
    """Return what a notebook shows of an object, or None where that is its repr alone.

    Whatever state the object is in, a cell shows something and no error.

    Parameters
    ----------
    thing : Value, Module, History, Dataset or Explanation

    Examples
    --------
    >>> page = html(Value(3.0, label="x"))
    >>> "data" in page and "gradient" in page
    True
    """
    view = _view_of(thing)
    shown = "".join(_parts(view(thing))) if view else ""
    return card(shown) if shown else None


def _parts(parts: Iterator[str]) -> Iterator[str]:
    """Yield the parts of a view up to one that cannot be made."""
    try:
        yield from parts
    except Exception:  # the user asked for nothing that could fail
        return


def _view_of(thing: Any) -> Callable[[Any], Iterator[str]] | None:
    if isinstance(thing, Value):
        return _value
    if isinstance(thing, Module):
        return _module
    from micrograd.datasets import Dataset
    from micrograd.stepper.paths import Explanation
    from micrograd.train import History

    views: dict[type, Callable[[Any], Iterator[str]]] = {
        Dataset: _dataset, Explanation: _explanation, History: _history,
    }  # fmt: skip
    return next((view for kind, view in views.items() if isinstance(thing, kind)), None)


def _tried(make: Callable[[], Any]) -> str:
    """Return a part of a view; nothing where it cannot be made, as without a package."""
    try:
        return str(make())
    except Exception:  # the numbers stand without it
        return ""


def _readable(picture: Any) -> str:
    """Return a picture as SVG that is scrolled sideways where it would become too small."""
    svg: str = picture.pipe("svg", encoding="utf-8")
    found = re.search(r'<svg [^>]*?\bwidth="([\d.]+)"', svg)
    least = _SMALLEST * float(found[1]) if found else 0
    return f'<div style="min-width: {least:.0f}px">{svg}</div>'


def _known(grad: Any) -> Any:
    """Return a gradient, None where it is as it was before any backward pass."""
    grad = getattr(grad, "data", grad)
    return None if type(grad) is int and grad == 0 else grad


# ---- a value -----------------------------------------------------------------------------------


def _value(value: Value) -> Iterator[str]:
    count = count_values([value], _WRITTEN)
    is_small = count <= _WRITTEN
    yield _tried(lambda: _equation(value, is_small))
    grad = number(_known(value.grad), signed=True)
    yield (
        f'<p><span class="gap"><span class="muted">data</span> <b>{number(value.data)}</b></span>'
        f'<span class="gap"><span class="muted">gradient</span> <b>{grad}</b></span>'
        f"{_size(value, count)}</p>"
    )
    if is_small:
        yield _tried(lambda: _stale(value))
    if 1 < count <= _DRAWN:
        from micrograd.draw import draw_dot

        yield _tried(lambda: _readable(draw_dot(value, legend=False)))


def _equation(value: Value, is_small: bool) -> str:
    texts = [value.label]
    if is_small:
        names = names_in(order(value))
        texts = [names.texts.get(value, "")]
        if value.parents:
            texts.append(formula(value, limit=60).replace(" * ", " × "))
        texts = [minus(names.typeset(text)) for text in texts]
    equation = " = ".join(escaped(text) for text in texts if text)
    return f'<p class="big">{equation}</p>' if equation else ""


def _size(value: Value, count: int) -> str:
    if not value.parents:
        return ""
    several = f"{count:,}" if count <= _WRITTEN else f"more than {_WRITTEN:,}"
    told = f'<span class="muted">a graph of {several} values'
    if count > _DRAWN:
        told += "; <code>draw_dot</code> draws a part of them"
    return f"{told}</span>"


def _stale(value: Value) -> str:
    try:
        for node in order(value):
            check_fresh(node)
    except StaleGraphError as error:
        return f'<p class="wrong">! {escaped(error)}</p>'
    return ""


# ---- a network ---------------------------------------------------------------------------------


def _module(model: Module) -> Iterator[str]:
    yield f'<p class="big">{escaped(_tried(lambda: _title(model)) or type(model).__name__)}</p>'
    yield _tried(lambda: _layers(model))
    yield _tried(lambda: _network(model))
    yield _parameters(model)


def _layers(model: Module) -> str:
    rows, total = [], 0
    for k, neurons in enumerate(neurons_of(model), 1):
        kinds = ", ".join(dict.fromkeys(map(activation_of, neurons)))
        held = sum(len(neuron.w) + 1 for neuron in neurons)
        total += held
        fed = f"{len(neurons[0].w):,}" if neurons else "0"
        rows.append([f"layer {k}", fed, f"{len(neurons):,}", escaped(kinds, 40), f"{held:,}"])
    if not rows:
        return ""
    head = ["", "inputs", "neurons", "activation", "parameters"]
    return table(head, rows, ["", "", "", "", f"{total:,}"] if len(rows) > 1 else None)


def _network(model: Module) -> Any:
    from micrograd.draw import draw_network

    weights = sum(len(neuron.w) for neurons in neurons_of(model) for neuron in neurons)
    return _readable(draw_network(model)) if weights <= _LINES else ""


def _title(model: Module) -> str:
    layers = neurons_of(model)
    if len(layers) < 2 or not all(layers):
        return type(model).__name__ if type(model).__repr__ is Module.__repr__ else repr(model)
    sizes = [len(layers[0][0].w), *map(len, layers)]
    return f"{type(model).__name__} {'-'.join(map(str, sizes))}"


def _parameters(model: Module) -> str:
    parameters = model.parameters()
    shown = parameters[:_LISTED]
    found = names_in(shown)
    names, called = found.texts, found.typeset
    paths = {} if all(p in names for p in shown) else {p: n for n, p in model.named_parameters()}
    rows = [
        [
            escaped(called(names.get(p, "")) or paths.get(p, ""), 40),
            number(p.data),
            number(_known(p.grad), signed=True),
        ]
        for p in shown
    ]
    left = len(parameters) - len(shown)
    if left:
        rows.append([f"… {left:,} more", "", ""])
    count = f"{len(parameters):,} parameter{'s' * (len(parameters) != 1)}"
    listed = table(["name", "data", "gradient"], rows) if rows else ""
    if not rows:
        return f"<p>{count}</p>"
    is_open = " open" * (len(parameters) <= _OPEN)
    return f"<details{is_open}><summary>{count}</summary>{listed}</details>"


# ---- a training run ----------------------------------------------------------------------------


def _history(history: Any) -> Iterator[str]:
    count = len(history.loss)
    stopped = ", stopped early" if history.stopped_early else ""
    taken = f"in {number_text(float(sum(history.seconds)), 3)} s" if history.seconds else ""
    yield (
        f'<p class="big">{count:,} training step{"s" * (count != 1)}{stopped} '
        f'<span class="muted">{taken}</span></p>'
    )
    if not count:
        return
    held = list(history.validation_loss)
    rows = [["loss", *_ends(history.loss), *_ends(held)[-1:]]]
    if history.accuracy:
        ends = [_percent(history.accuracy[k]) for k in (0, -1)]
        rows.append(["accuracy", *ends, *map(_percent, history.validation_accuracy[-1:])])
    yield table(["", "first", "last", *["held out, last"] * bool(held)], rows)
    lines: list[Any] = [("training", range(count), history.loss)]
    if held:
        lines.append(("held out", history.validation_steps, held))
    yield curves(lines, f"Loss of {count:,} steps")
    yield '<p class="muted">loss; dashed: held out</p>' if held else '<p class="muted">loss</p>'


def _ends(entries: Any) -> list[str]:
    return [number(entries[k]) for k in (0, -1)] if entries else []


def _percent(share: Any) -> str:
    return f"{100 * share:.1f} %"


# ---- a data set --------------------------------------------------------------------------------


def _dataset(data: Any) -> Iterator[str]:
    count, features = len(data.X), len(data.features)
    yield (
        f'<p class="big">{escaped(data.name)} <span class="muted">{count:,} training samples, '
        f"{len(data.X_test):,} held out, {features} feature{'s' * (features != 1)}"
        f"{', standardised' if data.standardised else ''}</span></p>"
    )
    outputs = 1 if len(data.classes) in (0, 2) else len(data.classes)
    if data.classes:
        counts = [Counter(map(int, chosen)) for chosen in (data.y, data.y_test)]
        yield table(
            ["class", "training", "held out"],
            [
                [key(k, outputs) + escaped(name, 40), *(f"{counted[k]:,}" for counted in counts)]
                for k, name in enumerate(data.classes)
            ],
        )
    if features > 1:
        yield _tried(lambda: _samples(data, outputs))
    listed = data.features[:_FEATURES]
    more = ["…"] * (features > len(listed))
    rows = [
        [
            escaped(data.classes[int(k)], 40) if data.classes else number(k),
            *map(number, row[: len(listed)]),
            *more,
        ]
        for row, k in zip(data.X[:_ROWS], data.y[:_ROWS], strict=True)
    ]
    name = "class" if data.classes else "target"
    yield table([name, *(escaped(name, 24) for name in listed), *more], rows)
    if count > _ROWS:
        yield f'<p class="muted">the first {_ROWS} of {count:,} training samples</p>'


def _samples(data: Any, outputs: int) -> str:
    i, j = data.separating
    across, up = ([float(row[k]) for row in data.X] for k in (i, j))
    names = data.features[i], data.features[j]
    caption = f"Samples by {names[0]} and {names[1]}"
    classes = list(map(int, data.y))
    if not data.classes:
        middle = (min(data.y) + max(data.y)) / 2
        classes = [int(target > middle) for target in data.y]
        caption += ", those with a high target blue"
    return points(across, up, classes, outputs=outputs, names=names, caption=caption)


# ---- an explanation ----------------------------------------------------------------------------


def _explanation(found: Any) -> Iterator[str]:
    def row(cells: Any, product: Any) -> list[str]:
        way, factors, text = cells
        return [
            escaped(minus(way)),
            escaped(minus(factors)),
            f'<span class="{tone(product)}">{escaped(minus(text))}</span>',
        ]

    products = [path.product for path in found.paths] + [found.rest] * bool(found.rest_count)
    *lines, total = found.rows
    yield table(
        ["path", "local derivatives", "product"], map(row, lines, products), row(total, found.total)
    )
