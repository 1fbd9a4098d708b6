"""Large graphs in little space: a box for each module, repeated structure once with a count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from micrograd.draw.diagram import Box, Diagram
from micrograd.draw.dot import (
    RANKDIRS,
    Style,
    card,
    faded,
    head,
    html,
    legend,
    operation,
    quoted,
    result_edge,
    stroke,
    value_line,
)
from micrograd.errors import ArgumentError, ArgumentTypeError
from micrograd.nn import activation_of, neurons_of
from micrograd.ops import Op
from micrograd.style import Theme

__all__ = ["FOLDS", "Alike", "Folding", "alike", "folded", "folded_lines"]

FOLDS: Final = ("neuron", "layer", "network")
_ROWS: Final = 8  # neurons that a layer's box lists
_REPEATS: Final = 3  # like terms; fewer are all drawn


@dataclass(slots=True)
class _Unit:
    """One neuron activated by one sample: the boxes of its summation and of its activation."""

    layer: int
    neuron: int
    members: list[int]
    s: int
    x: int


@dataclass(slots=True)
class ModuleBox:
    """A module in the picture: the boxes inside, and the rows that it shows.

    Attributes
    ----------
    title : str
    rows : list of (int, int, int)
        The number of a neuron, and the positions of its summation and of its activation.
    members : set of int
        The positions of the boxes inside.
    facts : str
        The last line.
    """

    title: str
    rows: list[tuple[int, int, int]]
    members: set[int]
    facts: str
    activation: str


@dataclass(slots=True)
class Folding:
    """How each box of a diagram is drawn: in a module, once for many, by itself or not at all.

    Attributes
    ----------
    modules : list of ModuleBox
    inside : dict of int to int
        For each box inside a module, the index of that module.
    hidden : set of int
        Boxes that are not drawn: parameters of modules, and repetitions.
    times : dict of int to int
        For a term that stands for several, how many.
    terms : dict of int to list of int
        For a sum that has like terms, the terms that are drawn.
    """

    modules: list[ModuleBox] = field(default_factory=list)
    inside: dict[int, int] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    times: dict[int, int] = field(default_factory=dict)
    terms: dict[int, list[int]] = field(default_factory=dict)

    def size(self, diagram: Diagram) -> int:
        """Return how many boxes and modules are drawn."""
        inside = sum(position not in self.hidden for position in self.inside)
        return len(diagram.boxes) - len(self.hidden) - inside + len(self.modules)


def folded(diagram: Diagram, fold: str, model: Any) -> Folding:
    """Return how to draw a diagram with modules folded.

    Parameters
    ----------
    diagram : Diagram
    fold : {"neuron", "layer", "network"}
    model : MLP, Layer or Neuron

    Raises
    ------
    ArgumentTypeError
        If the model has no neurons.
    ArgumentError
        If the graph does not use it.
    """
    layers = neurons_of(model)
    if not layers:
        raise ArgumentTypeError(
            f"fold needs model=, an MLP, Layer or Neuron whose output is drawn, got "
            f"{type(model).__name__}"
        )
    folding = Folding()
    parameters = {
        id(p): (i, k)
        for i, neurons in enumerate(layers)
        for k, neuron in enumerate(neurons)
        for p in (*neuron.w, neuron.b)
    }
    owners = {
        box.position: parameters[id(box.value)]
        for box in diagram.boxes
        if id(box.value) in parameters
    }
    if not owners:
        raise ArgumentError(
            f"the graph uses no parameter of the model, so there is no {fold} to fold"
        )
    _repeats(diagram, folding, owners)
    _group(folding, _units(diagram, folding, owners), fold, layers)
    _hide_parameters(diagram, folding, owners)
    return folding


# ---- repetitions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alike:
    """Terms of one sum that are computed in the same way, each from its own numbers.

    Attributes
    ----------
    total : int
        The position of the sum.
    terms : list of int
        The positions of the terms, in order.
    inside : list of list of int
        For each term, itself and the positions that only it is computed from; corresponding ones
        have the same index in each list.
    """

    total: int
    terms: list[int]
    inside: list[list[int]]


def alike(
    boxes: list[Box], shared: Iterable[int] = ()
) -> Iterator[tuple[Box, list[int], set[int], list[Alike]]]:
    """Yield each sum that has like terms, with all its terms, its inner sums, and the like terms.

    A sum is a `sum`, or a chain of additions, whose inner results are its inner sums. Of like
    terms, only the first is searched for more sums.

    Parameters
    ----------
    boxes : list of Box
    shared : iterable of int
        Positions that belong to no single term, as the parameters of a model.
    """
    uses, repeated = _uses(boxes), set[int]()
    for box in reversed(boxes):
        if box.op is None or box.position in repeated:
            continue
        terms, chain = _terms(boxes, box, uses)
        if len(terms) < _REPEATS:
            continue
        private = _private(boxes, terms, shared)
        groups: dict[Any, tuple[list[int], list[list[int]]]] = {}
        for term in terms:
            signature, inside = _signature(boxes, term, private)
            group = groups.setdefault(signature, ([], []))
            group[0].append(term)
            group[1].append(inside)
        found = [
            Alike(box.position, *group)
            for signature, group in groups.items()
            if signature and len(group[0]) >= _REPEATS
        ]
        if found:
            repeated.update(chain, *(inside for like in found for inside in like.inside[1:]))
            yield box, terms, chain, found


def _repeats(diagram: Diagram, folding: Folding, owners: dict[int, Any]) -> None:
    """Keep one of each group of like terms."""
    for box, terms, chain, found in alike(diagram.boxes, owners):
        kept = set(terms)
        for like in found:
            folding.times[like.terms[0]] = len(like.terms)
            kept -= set(like.terms[1:])
            folding.hidden.update(*like.inside[1:])
        folding.hidden |= chain
        folding.terms[box.position] = sorted(kept)


def _uses(boxes: list[Box]) -> dict[int, int]:
    uses: dict[int, int] = {}
    for box in boxes:
        for parent in box.parents:
            uses[parent] = uses.get(parent, 0) + 1
    return uses


def _is_addition(op: Op | None) -> bool:
    """Return whether `a + b` made it: of such, a chain is one sum."""
    return op is not None and op.adds and op.arity == 2 and not op.family


def _terms(boxes: list[Box], box: Box, uses: dict[int, int]) -> tuple[list[int], set[int]]:
    """Return the terms of a sum, and the inner results if it is a chain of additions."""
    assert box.op is not None
    if box.op.adds and not _is_addition(box.op):
        return list(dict.fromkeys(box.parents)), set()
    terms: list[int] = []
    chain: set[int] = set()
    at = box
    while _is_addition(at.op):
        left, right = at.parents
        terms.append(right)
        inner = boxes[left]
        if not _is_addition(inner.op) or uses[left] > 1 or inner.value.label:
            terms.append(left)
            break
        chain.add(left)
        at = inner
    return list(dict.fromkeys(reversed(terms))), chain


def _private(boxes: list[Box], terms: list[int], outside: Iterable[int]) -> dict[int, set[int]]:
    """Return for each term the boxes that only it is computed from, itself included."""
    first: dict[int, int] = {}
    shared: set[int] = set(outside)
    for term in terms:
        stack = [term]
        while stack:
            position = stack.pop()
            if position in shared or first.get(position) == term:
                continue
            if position in first:
                shared.add(position)
                continue
            first[position] = term
            stack.extend(boxes[position].parents)
    for position in range(max(first, default=0), -1, -1):  # operands of shared values are shared
        if position in shared:
            shared.update(boxes[position].parents)
    private: dict[int, set[int]] = {term: set() for term in terms}
    for position, term in first.items():
        if position not in shared:
            private[term].add(position)
    return private


def _signature(
    boxes: list[Box], term: int, private: dict[int, set[int]]
) -> tuple[tuple[Any, ...], list[int]]:
    """Return how a term is computed, without its own numbers, and its own boxes in order.

    Like terms have equal signatures. The signature of a term that is not computed is empty.
    """
    own = private[term]
    if term not in own or not boxes[term].parents:
        return (), []
    places: dict[int, int] = {}
    signature: list[Any] = []
    stack = [term]
    while stack:
        position = stack.pop()
        if position in places:
            continue
        places[position] = len(places)
        box = boxes[position]
        symbol = (box.op.name, box.op.symbol) if box.op else box.role
        signature.append((symbol, len(box.parents)))
        stack.extend(parent for parent in reversed(box.parents) if parent in own)
    for position in places:
        operands = boxes[position].parents
        signature.append(
            tuple(
                [places[p] if p in own else -1 - p for p in operands]
            )  # a shared box by its position
        )
    return tuple(signature), list(places)


# ---- neurons -----------------------------------------------------------------------------------


def _units(diagram: Diagram, folding: Folding, owners: dict[int, tuple[int, int]]) -> list[_Unit]:
    """Return each neuron that a sample activates, in the order of its summations."""
    at = {box.value: box.position for box in diagram.boxes}
    found = []
    for neuron in diagram.neurons:
        place = owners.get(at.get(neuron.bias, -1))
        for use in neuron.uses if place else ():
            members = [at[value] for value in use.computed]
            s = at[use.s]
            if place and s not in folding.hidden:
                found.append(_Unit(*place, members, s, s if use.x is None else members[-1]))
    return sorted(found, key=lambda unit: unit.s)


def _group(folding: Folding, found: list[_Unit], fold: str, layers: Any) -> None:
    """Put the activated neurons into modules."""
    count: dict[tuple[int, int], int] = {}
    groups: dict[tuple[int, ...], list[_Unit]] = {}
    for unit in found:
        # The graph is in the order of samples, so the nth activation of a neuron is the nth sample.
        key = (unit.layer, unit.neuron)
        sample = count[key] = count.get(key, -1) + 1
        place = {
            "neuron": (sample, unit.layer, unit.neuron),
            "layer": (sample, unit.layer),
            "network": (sample,),
        }[fold]
        groups.setdefault(place, []).append(unit)
    for units in groups.values():
        units.sort(key=lambda unit: (unit.layer, unit.neuron))
        last = units[-1].layer
        shown = [unit for unit in units if unit.layer == last]
        neurons = [layers[unit.layer][unit.neuron] for unit in units]
        parameters = sum(len(neuron.w) + 1 for neuron in neurons)
        kind = activation_of(neurons[-1])
        facts = f"{parameters:,} parameters"
        if fold == "neuron":
            title = f"neuron {units[0].neuron + 1}"
            if len(layers) > 1:
                title = f"layer {units[0].layer + 1}, {title}"
        elif fold == "layer":
            title = f"layer {units[0].layer + 1}"
            facts = f"{len(units)} neurons, {facts}" if len(units) > 1 else facts
        else:
            title = "network"
            facts = f"{len({unit.layer for unit in units})} layers, {facts}"
        number = len(folding.modules)
        members = {member for unit in units for member in unit.members}
        rows = [(unit.neuron, unit.s, unit.x) for unit in shown]
        folding.modules.append(ModuleBox(title, rows, members, facts, kind))
        for member in members:
            folding.inside[member] = number


def _hide_parameters(diagram: Diagram, folding: Folding, owners: dict[int, Any]) -> None:
    """Hide the parameters that are used inside modules only."""
    outside: set[int] = set()
    for box in diagram.boxes:
        if box.position not in folding.inside and box.position not in folding.hidden:
            outside.update(box.parents)
    folding.hidden |= {position for position in owners if position not in outside}


# ---- DOT ---------------------------------------------------------------------------------------


def folded_lines(diagram: Diagram, style: Style, folding: Folding) -> Iterator[str]:
    """Yield the lines of the DOT source of a folded diagram."""
    boxes, scale = diagram.boxes, diagram.scale
    full, pale = style.theme, faded(style.theme)
    port = RANKDIRS[style.rankdir]
    words = _legend(diagram, style, folding) if style.legend else ""
    into = _into_modules(boxes, folding)
    joined = any(tail.startswith("m") for tail, _ in into)
    yield from head(full, style.rankdir, words, 0.6 if joined else 0.32)
    for number, module in enumerate(folding.modules):
        label = _module_card(module, boxes, style, scale)
        yield (
            f'\tm{number} [id="m{number}" class="mg-module" tooltip={quoted(module.title)} '
            f"label={label}]\n"
        )
    for box in boxes:
        if box.position in folding.hidden or box.position in folding.inside:
            continue
        theme = pale if box.is_faded else full
        yield value_line(box, card(box, style, theme, scale), pale)
        if box.op is None:
            continue
        center, terms = f"o{box.position}", folding.terms.get(box.position)
        yield operation(box, theme, "" if terms is None else "Σ")
        yield result_edge(box, style, theme, scale)
        # A sum passes its gradient on unchanged.
        operands = box.flows if terms is None else [(term, box.grad) for term in terms]
        for parent, flow in operands:
            tint = pale if boxes[parent].is_faded or box.is_faded else full
            times = folding.times.get(parent)
            label = f" {_times(times, full)}" if times else ""
            yield (
                f'\t{_name(parent, folding)} -> {center} [class="mg-in" '
                f"{stroke(flow, scale, style, tint)} tailport={port} arrowhead=none{label}]\n"
            )
    for (tail, number), flows in into.items():
        flow = flows[0] if len(flows) == 1 else None
        yield (
            f'\t{tail} -> m{number} [class="mg-in" {stroke(flow, scale, style, full)} '
            f"tailport={port} arrowsize=0.55]\n"
        )


def _name(position: int, folding: Folding) -> str:
    module = folding.inside.get(position)
    return f"v{position}" if module is None else f"m{module}"


def _into_modules(boxes: list[Box], folding: Folding) -> dict[tuple[str, int], list[Any]]:
    """Return the contributions on each line into a module: their sum for each value on it."""
    totals: dict[tuple[str, int], dict[int, Any]] = {}
    for number, module in enumerate(folding.modules):
        for position in sorted(module.members):
            box = boxes[position]
            for parent, flow in box.flows:
                if parent in folding.hidden or folding.inside.get(parent) == number:
                    continue
                line = totals.setdefault((_name(parent, folding), number), {})
                before = line.get(parent, 0)
                line[parent] = None if flow is None or before is None else before + flow
    return {line: list(flows.values()) for line, flows in totals.items()}


def _times(count: int, theme: Theme) -> str:
    return (
        'label=<<table border="0" cellborder="0" cellspacing="0" cellpadding="1"><tr><td>'
        f'<font point-size="14" color="{theme.ink}">×{count:,}</font></td></tr>'
        '<tr><td height="4"></td></tr></table>>'
    )


def _module_card(module: ModuleBox, boxes: list[Box], style: Style, scale: Any) -> str:
    theme = style.theme
    border, color = (
        (3, theme.ink) if any(boxes[p].is_output for p in module.members) else (1, theme.line)
    )

    def cell(text: str, attributes: str = "", size: int = 14, ink: str = theme.ink) -> str:
        shown = f'<font point-size="{size}" color="{ink}">{html(text) or " "}</font>'
        return f"<td{attributes}>{shown}</td>"

    is_linear = all(s == x for _, s, x in module.rows)
    captions = ["", "s"]
    if not is_linear:
        captions.append(module.activation)
    captions.append("grad")
    if style.show == "data":
        captions.pop()
    span = f' colspan="{len(captions)}"'
    chip = f'{span} style="rounded" bgcolor="{theme.parameter_chip}" cellpadding="4"'
    rows = [
        f"<tr>{cell(module.title, chip, 15, theme.parameter_text)}</tr>",
        "<tr>"
        + "".join(cell(text, ' align="right"', 12, theme.muted) for text in captions)
        + "</tr>",
    ]
    shown = module.rows if len(module.rows) <= _ROWS else module.rows[: _ROWS - 1]
    for neuron, s, x in shown:
        label = boxes[x].title or (str(neuron + 1) if len(module.rows) > 1 else "")
        cells = cell(label, ' align="left"', 12, theme.muted)
        cells += cell(style.number(boxes[s].data), ' align="right"')
        if not is_linear:
            cells += cell(style.number(boxes[x].data), ' align="right"')
        if style.show != "data":
            grad = boxes[x].grad
            tint = theme.none if grad is None or not style.color else theme.tint(grad, scale)
            cells += cell(style.number(grad, signed=True), f' align="right" bgcolor="{tint}"')
        rows.append(f"<tr>{cells}</tr>")
    if len(shown) < len(module.rows):
        left = len(module.rows) - len(shown)
        rows.append(f"<tr>{cell(f'… {left} more', span, 12, theme.muted)}</tr>")
    rows.append(f"<tr>{cell(module.facts, span, 12, theme.muted)}</tr>")
    return (
        f'<<table border="{border}" style="rounded" color="{color}" bgcolor="{theme.panel}" '
        f'cellborder="0" cellspacing="3" cellpadding="2">{"".join(rows)}</table>>'
    )


def _legend(diagram: Diagram, style: Style, folding: Folding) -> str:
    drawn = [
        box
        for box in diagram.boxes
        if box.position not in folding.hidden and box.position not in folding.inside
    ]
    visible = Diagram(drawn, diagram.scale, diagram.title, {box.role for box in drawn})
    facts = ["module: s = weighted sum"] if folding.modules else []
    if folding.times:
        facts.append("×: how many are computed alike; the first is shown")
    return legend(visible, style, labelled=False, more="   ".join(facts))
