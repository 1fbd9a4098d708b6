"""What a graph holds of a network: its layers, its samples, what stands before and after them.

The neurons are those that `names_in` finds. Values are told by their positions in topological
order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from micrograd.values.notation import FoundNeuron, Names
from micrograd.values.terms import Term, term_at

__all__ = ["MIXED", "Layer", "Network", "Place", "network_in"]

NONE: Final = -1  # the sample of what belongs to none, such as a weight
MIXED: Final = -2  # the sample of what several samples lead to, such as their mean


class Place(NamedTuple):
    """The layer, the neuron in it, the sample and the neuron's use that a value is of, from 0."""

    layer: int
    neuron: int
    sample: int
    use: int


class Layer(NamedTuple):
    """A layer: what it is called, as in `layer 1` or `enc layer 1`, and its neurons."""

    name: str
    neurons: list[FoundNeuron]

    @property
    def activation(self) -> str:
        """Return the name of the activation, "linear" where there is none."""
        x = self.neurons[0].uses[0].x
        return "linear" if x is None else str(x.op.name)


@dataclass
class Network:
    """The network, or the networks, of a graph.

    Parameters
    ----------
    nodes : sequence of Value
        In topological order, the root last.
    layers : list of Layer
        In the order in which they are computed.

    Attributes
    ----------
    samples : int
    places : dict of int to Place
        Of all that neurons compute.
    sample : list of int
        For each value; `NONE` or `MIXED` where it belongs to no single one.
    stage : list of int
        For each value: -1 before the first layer, a layer from 0, or the number of layers for what
        comes after them. What stands between two layers has the stage of the lower one.
    is_regular : bool
        Whether each neuron is computed once a sample, and no sample leads into another.
    """

    nodes: Sequence[Any]
    layers: list[Layer]

    def __post_init__(self) -> None:
        at = self.at
        self.parents = [[at[parent] for parent in node.parents] for node in self.nodes]
        neurons = [neuron for layer in self.layers for neuron in layer.neurons]
        uses = [len(neuron.uses) for neuron in neurons]
        self.samples = 1 + max(use.sample for neuron in neurons for use in neuron.uses)
        self.places = {
            at[value]: Place(i, j, use.sample, k)
            for i, layer in enumerate(self.layers)
            for j, neuron in enumerate(layer.neurons)
            for k, use in enumerate(neuron.uses)
            for value in use.computed
        }
        size = len(self.nodes)
        self.sample, self.stage = [NONE] * size, [-1] * size
        self.is_regular = len(set(uses)) == 1
        for i, operands in enumerate(self.parents):
            place = self.places.get(i)
            found = {self.sample[p] for p in operands} - {NONE}
            if place:
                self.sample[i], self.stage[i] = place.sample, place.layer
                self.is_regular &= found <= {place.sample}
            elif found:
                self.sample[i] = found.pop() if len(found) == 1 else MIXED
                self.stage[i] = max(self.stage[p] for p in operands)
        self._leads = [False] * size
        for i in range(size - 1, -1, -1):
            if self._leads[i] or i in self.places:
                for p in self.parents[i]:
                    self._leads[p] = True
            elif self.parents[i] or i == size - 1:
                self.stage[i] = len(self.layers)
        direct = {p for i in self.places for p in self.parents[i]}
        for i in range(size - 1, -1, -1):  # a target, or a factor, belongs to what reads it
            if i not in self.places:
                for p in set(self.parents[i]) - direct:
                    if not self.parents[p]:
                        self.sample[p], self.stage[p] = self.sample[i], self.stage[i]

    @cached_property
    def at(self) -> dict[Any, int]:
        """The position of each value."""
        return {node: i for i, node in enumerate(self.nodes)}

    @cached_property
    def own(self) -> set[int]:
        """What belongs to the network: its parameters, its inputs and all that it computes."""
        found = set(self.places) | {i for inputs in self.inputs for i in inputs}
        for layer in self.layers:
            for neuron in layer.neurons:
                found |= {self.at[w] for w in neuron.weights}
                found |= {self.at[neuron.bias]} if neuron.bias is not None else set()
        return found

    @property
    def is_drawn(self) -> bool:
        """Whether it can be drawn as columns: regular, and most of the graph."""
        return self.is_regular and 2 * len(self.own) >= len(self.nodes)

    @cached_property
    def inputs(self) -> list[list[int]]:
        """The inputs of each sample: what neurons take that no neuron leads to."""
        found: list[dict[int, None]] = [{} for _ in range(self.samples)]
        for layer in self.layers:
            for neuron in layer.neurons:
                for use in neuron.uses:
                    places = [self.at[value] for value in use.inputs]
                    found[use.sample].update(dict.fromkeys(p for p in places if self.stage[p] < 0))
        return [list(sample) for sample in found]

    @cached_property
    def before(self) -> list[int]:
        """What stands before the network: it leads to the inputs."""
        stages = enumerate(self.stage)
        return [i for i, stage in stages if stage < 0 and i not in self.own and self._leads[i]]

    @cached_property
    def between(self) -> list[list[int]]:
        """What stands between the layers, for each sample."""
        found = [
            i for i, stage in enumerate(self.stage)
            if 0 <= stage < len(self.layers) and i not in self.places
        ]  # fmt: skip
        return [[i for i in found if self.sample[i] == k] for k in range(self.samples)]

    @cached_property
    def after(self) -> list[list[int]]:
        """What stands after the network, for each sample; last what belongs to no single one."""
        found: list[list[int]] = [[] for _ in range(self.samples + 1)]
        for i, stage in enumerate(self.stage):
            if stage == len(self.layers):
                found[self.sample[i] if self.sample[i] >= 0 else -1].append(i)
        return found

    def outputs(self, sample: int) -> list[int]:
        """Return what the last layer gives for a sample."""
        return self._outputs[sample]

    @cached_property
    def _outputs(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in range(self.samples)]
        for neuron in self.layers[-1].neurons:
            for use in neuron.uses:
                found[use.sample].append(self.at[use.s if use.x is None else use.x])
        return found

    @cached_property
    def terms(self) -> list[Term | None]:
        """The loss of each sample, by its structure; None where it has none that is known."""
        found = []
        for sample in range(self.samples):
            outputs, after = self.outputs(sample), self.after[sample]
            read = [term_at(self.nodes, self.at, i, outputs) for i in after]
            terms = [term for term in read if term]
            term = terms[-1] if terms else None
            if len(terms) > 1 and {t.kind for t in terms} == {"mse"}:
                used = list(dict.fromkeys(output for t in terms for output in t.outputs))
                term = Term("mse", after[-1], used, None)
            found.append(term)
        return found

    @cached_property
    def penalties(self) -> list[int]:
        """What is added to the loss that no sample leads to."""
        added = [
            p for i in self.after[-1] if (op := self.nodes[i].op) and op.adds
            for p in self.parents[i]
        ]  # fmt: skip
        return [p for p in added if self.parents[p] and self.sample[p] == NONE]

    @property
    def knows_classes(self) -> bool:
        """Whether the outputs are in the order of the classes, not in that of their appearance."""
        return self.layers[-1].neurons[0].path is not None

    @property
    def loss(self) -> str:
        """The kind of the loss: "cross_entropy", "mse", ...; "" where none is known."""
        kinds = {term.kind if term else "" for term in self.terms}
        return kinds.pop() if len(kinds) == 1 else ""

    def title(self) -> str:
        """Return what the network is: `Network of 2 layers: 2 inputs, 2 and 2 neurons`."""
        sizes = [str(len(layer.neurons)) for layer in self.layers]
        networks = len({layer.neurons[0].front for layer in self.layers})
        kind = "Network" if networks == 1 else f"{networks} networks"
        text = (
            f"{kind} of {_count(len(sizes), 'layer')}: {_count(len(self.inputs[0]), 'input')}, "
            f"{listed(sizes)} neuron{'s' * (sizes != ['1'])}"
        )
        again = [[id(weight) for neuron in layer.neurons for weight in neuron.weights]
                 for layer in self.layers]  # fmt: skip
        shared = [
            layer.name for i, layer in enumerate(self.layers)
            if again[i] in again[i + 1 :] and again[i] not in again[:i]
        ]  # fmt: skip
        if shared:
            text += f", the weights of {listed(shared)} used again"
        return f"{text}, {self.samples} samples" if self.samples > 1 else text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def listed(texts: Sequence[str]) -> str:
    """Return texts as a list in a sentence: `2, 3 and 1`."""
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def _sorted(layers: list[Layer]) -> list[Layer]:
    """Return layers so that each stands after those that it takes outputs of, else as they are.

    The first use of each tells the order where all are used in every sample.
    """
    if len({len(neuron.uses) for layer in layers for neuron in layer.neurons}) == 1:
        return layers
    uses = [[use for neuron in layer.neurons for use in neuron.uses] for layer in layers]
    made = {use.s if use.x is None else use.x: i for i, mine in enumerate(uses) for use in mine}
    below = [{made.get(x, i) for use in mine for x in use.inputs} for i, mine in enumerate(uses)]
    rest, found = list(range(len(layers))), []
    while rest:
        i = next((i for i in rest if not below[i] & set(rest) - {i}), rest[0])
        rest.remove(i)
        found.append(layers[i])
    return found


def network_in(nodes: Sequence[Any], names: Names) -> Network | None:
    """Return the network of a graph, which may be one neuron; None where there is none.

    Examples
    --------
    >>> from micrograd.graph import order
    >>> from micrograd.nn import MLP
    >>> from micrograd.values.names import names_in
    >>> nodes = order(MLP(2, [2, 1])([1.0, -2.0]))
    >>> network_in(nodes, names_in(nodes)).title()
    'Network of 2 layers: 2 inputs, 2 and 1 neurons'
    """
    if not names.neurons:
        return None
    layers: dict[tuple[str, int], list[FoundNeuron]] = {}
    for neuron in names.neurons:
        layers.setdefault((neuron.front, neuron.layer), []).append(neuron)
    found = [
        Layer(
            f"{front.rstrip('.')} layer {number}".strip(),
            sorted(neurons, key=lambda neuron: neuron.number),
        )
        for (front, number), neurons in layers.items()
    ]
    return Network(nodes, _sorted(found))
