"""The order of the steps, and the sections and groups that they are cut into.

In a graph that holds a network, a group is the steps of one neuron, of the loss of a sample, or one
operation outside of it; a section is a layer, forwards or backwards, of one sample. Elsewhere the
sections are the forward and the backward pass, and each step is a group. What an optimizer does
after the backward pass is the last section, "update".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

from micrograd.backward_pass import Row
from micrograd.values.networks import MIXED, Network

__all__ = ["Group", "Section", "arranged", "cut", "of_sample", "sorted_rows"]

_SORTED = (None, "assign", "no_zero_grad")  # passes in the order of the engine


@dataclass(frozen=True)
class Group:
    """Steps that one press shows at once.

    Attributes
    ----------
    first, last : int
        Positions among the steps, both ends included.
    kind : {"neuron", "loss", "others", "operation", "update"}
    layer, neuron : int or None
        From 1; the layer as a position among the layers of all networks.
    sample : int or None
        From 0; None for what belongs to no single one.
    """

    first: int
    last: int
    kind: str
    layer: int | None
    neuron: int | None
    sample: int | None
    _says: Callable[[Group], str]

    @property
    def text(self) -> str:
        """What happens in these steps, in words."""
        return self._says(self)

    def __repr__(self) -> str:
        return f"<Group of steps {self.first + 1} to {self.last + 1}: {self.text}>"


@dataclass(frozen=True)
class Section:
    """A part of a walk: a layer, the loss, what stands outside of a network, or the update.

    Attributes
    ----------
    phase : {"forward", "backward", "update"}
    name : str
        As in `layer 1`, `loss`, `other samples`.
    layer : int or None
        From 1.
    sample : int or None
        From 0; None for what belongs to no single one.
    groups : list of Group
    """

    phase: str
    name: str
    layer: int | None
    sample: int | None
    groups: list[Group]

    def __repr__(self) -> str:
        steps = f"steps {self.groups[0].first + 1} to {self.groups[-1].last + 1}"
        return f"<Section {self.name}, {self.phase}: {steps}>"


class _Part(NamedTuple):
    """Where a node belongs: what steps of one group and one section have in common."""

    sample: int
    stage: int
    outside: bool  # between two layers
    group: int


def _part(network: Network, i: int) -> _Part:
    sample, stage, last = network.sample[i], network.stage[i], len(network.layers)
    place = network.places.get(i)
    if place:
        return _Part(sample, stage, False, place.neuron)
    if stage == last:
        sample = sample if sample >= 0 or network.samples == 1 else network.samples
        sample = max(sample, 0)
        return _Part(sample, stage, False, -1 if network.loss else i)
    if sample == MIXED:
        sample = network.samples - 1
    return _Part(sample, stage, True, i)


def arranged(parents: Sequence[Sequence[int]], network: Network | None) -> list[int] | None:
    """Return the computed nodes sorted into sections; None where their own order stays.

    It stays where the sections would change the order in which a gradient's contributions are
    added, and with it the last bits of the sum.
    """
    own = [i for i, operands in enumerate(parents) if operands]
    if network is None:
        return None
    parts = {i: _part(network, i) for i in own}
    first: dict[_Part, int] = {}
    for i in own:
        first.setdefault(parts[i], i)
    by_group = sorted(own, key=lambda i: (*parts[i][:3], first[parts[i]]))
    by_section = sorted(own, key=lambda i: parts[i][:2])
    return next((order for order in (by_group, by_section) if _adds_alike(parents, order)), None)


def _adds_alike(parents: Sequence[Sequence[int]], order: Sequence[int]) -> bool:
    """Return whether each value gets its contributions in the order of the engine."""
    done, last = [not operands for operands in parents], [-1] * len(parents)
    for i in order:
        for p in parents[i]:
            if not done[p] or last[p] > i:
                return False
            last[p] = i
        done[i] = True
    return True


def sorted_rows(rows: Sequence[Row], order: Sequence[int] | None, broken: str | None) -> list[Row]:
    """Return the rows of all passes in an order of the nodes: backwards in its reverse."""
    if order is None or broken not in _SORTED:
        return list(rows)
    rank = {i: k for k, i in enumerate(order)}
    sign = {"forward": 1, "seed": 0, "chain": -1}

    def place(row: Row) -> tuple[int, int, int]:
        return row.turn, row.kind == "chain", sign[row.kind] * rank[row.node]

    return sorted(rows, key=place)


def cut(
    rows: Sequence[Row], network: Network | None, says: Callable[[Group], str]
) -> list[Section]:
    """Return all sections: those of every sample of a network, in the order of the steps."""
    if network is None:
        return [
            Section(phase, phase if phase == "update" else f"{phase} pass", None, None,
                    [Group(k, k, _kind(row), None, None, None, says) for k, row in found])
            for phase, found in groupby(enumerate(rows), key=lambda item: _phase(item[1]))
        ]  # fmt: skip
    count = len(rows)
    rows = [row for row in rows if row.kind != "update"]
    parts = {row.node: _part(network, row.node) for row in rows}

    def section_of(item: tuple[int, Row]) -> tuple[Any, ...]:
        part = parts[item[1].node]
        return _phase(item[1]), item[1].turn, part.sample, part.stage

    def group_of(item: tuple[int, Row]) -> tuple[bool, int]:
        part = parts[item[1].node]
        return part.outside, part.group

    sections = []
    for (phase, _, in_sample, stage), found in groupby(enumerate(rows), key=section_of):
        sample = in_sample if 0 <= in_sample < network.samples else None
        name, layer = _named(network, stage, sample)
        groups = []
        for (outside, number), steps in groupby(found, key=group_of):
            places = [k for k, _ in steps]
            is_neuron = layer is not None and not outside
            kind = "neuron" if is_neuron else "loss" if number == -1 else "operation"
            neuron = number + 1 if is_neuron else None
            groups.append(Group(places[0], places[-1], kind, layer, neuron, sample, says))
        sections.append(Section(phase, name, layer, sample, groups))
    if len(rows) < count:
        update = Group(len(rows), count - 1, "update", None, None, None, says)
        sections.append(Section("update", "update", None, None, [update]))
    return sections


def _phase(row: Row) -> str:
    return row.kind if row.kind in ("forward", "update") else "backward"


def _kind(row: Row) -> str:
    return "update" if row.kind == "update" else "operation"


def _named(network: Network, stage: int, sample: int | None) -> tuple[str, int | None]:
    if stage < 0:
        return "before the network", None
    if stage < len(network.layers):
        return network.layers[stage].name, stage + 1
    if not network.loss:
        return "after the network", None
    return "loss" if sample is not None or network.samples == 1 else "batch loss", None


def of_sample(sections: Sequence[Section], sample: int) -> list[Section]:
    """Return the sections of one sample; those of all others between them are one stop."""

    def is_other(section: Section) -> bool:
        return section.sample not in (None, sample)

    found: list[Section] = []
    for (others, phase), some in groupby(sections, key=lambda s: (is_other(s), s.phase)):
        run = list(some)
        if others:
            last = run[-1].groups[-1].last
            group = replace(
                run[0].groups[0], last=last, kind="others", layer=None, neuron=None, sample=None
            )
            run = [Section(phase, "other samples", None, None, [group])]
        found += run
    return found
