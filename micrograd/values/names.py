"""What values are called: one rule for steps, formulas, pictures, messages and exports.

A value is called by the label that the user gave it; else by its place in the network that made
it, in the lecture's notation. `w1[2,1]` is the weight of layer 1, to neuron 2 from input 1, `b1[2]`
its bias, `s1[2]` its weighted sum, `x1[2]` its activation and `x0[1]` the first input. Of several
samples, `s1[2]#3` is that of the third. What is in no network has no name here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from micrograd.graph import order
from micrograd.ops import is_free
from micrograd.values.chains import Chains
from micrograd.values.networks import Network, network_in
from micrograd.values.notation import FoundNeuron, Names, Use
from micrograd.values.uses import Sum, uses_in

__all__ = ["Owner", "keep_places", "name_of", "names_in"]

_PATH = re.compile(
    r"((?:.+?\.)??)(?:layers\.(\d+)\.)?(?:neurons\.(\d+)\.)?(?:w\.(\d+)|b)"
)  # what stands in front, layer, neuron, input

_owners: WeakValueDictionary[int, Owner] = WeakValueDictionary()
_numbers = count()


class Owner:
    """What values can belong to: a network or a part of one, which is found as long as it lives.

    Its attributes tell the names, so that a copied, loaded or rearranged network is named as it is
    now. What `keep_places` writes into the values counts when the network is gone.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: D102 - as of object
        owner = super().__new__(cls)
        _owners[next(_numbers)] = owner
        return owner


_HOLDERS = (Owner, dict, list, tuple)  # what a network's values can be in


_Row = tuple[int, str, int]  # network, front and layer


class _Neuron(NamedTuple):
    """Which neuron: the network, the path in front of its layers, layer and neuron from 1."""

    network: int
    front: str
    layer: int
    neuron: int

    @property
    def row(self) -> _Row:
        """The whole layer."""
        return self[:3]


@dataclass
class _Unit:
    """A part of a neuron's weighted sum: a product, what was added so far, or the whole of it."""

    neuron: _Neuron
    weights: set[Any]
    inputs: list[tuple[int, Any]]
    has_bias: bool = False
    sample: int = 0  # 0 until the sum is complete


def name_of(node: Any) -> str:
    """Return the name of one value, from what it was computed from; "" if it has none."""
    return str(node.label or "") or names_in(order(node)).texts.get(node, "")


def names_in(
    nodes: Sequence[Any], labels: Mapping[Any, str] | None = None, model: Any = None
) -> Names:
    """Return the names of the values of a graph.

    Parameters
    ----------
    nodes : sequence of Value
        In topological order, as `graph.order` gives them.
    labels : mapping of Value or Module to str, optional
        Names of values that have no label, and of networks.
    model : object with `named_parameters`, optional
        The network of the values, for one that is no `nn.Module`.

    Examples
    --------
    >>> from micrograd.nn import MLP
    >>> score = MLP(2, [1])([1.0, -2.0])
    >>> nodes = order(score)
    >>> names_in(nodes).titles(nodes)
    ['w1[1,1]', 'w1[1,2]', 'x0[1]', 'x0[2]', 'b1[1]', 's1[1]']
    """
    names = _Naming(nodes, labels or {}, model).write()
    _name_losses(names, nodes)
    return names


def _name_losses(names: Names, nodes: Sequence[Any]) -> None:
    """Name the root that is the loss of a network, the losses of its samples and what they add."""
    network = names.network = network_in(nodes, names)
    if network is None:
        return
    _name_inputs(names, network)
    if not network.loss:
        return
    several = network.samples > 1
    found = {nodes[-1]: "loss"}
    for sample, term in enumerate(network.terms, 1):
        if term is None:
            continue
        nth = f"#{sample}" if several else ""
        if several:
            found.setdefault(nodes[term.node], f"loss{nth}")
        if term.ratio is not None:
            found.setdefault(nodes[term.ratio], f"p[{term.target + 1}]{nth}")
    for penalty in network.penalties[:1]:
        found.setdefault(nodes[penalty], "penalty")
    taken = {*names.texts.values()}
    for node, name in found.items():
        if node not in names.texts and name not in taken:
            names.texts[node] = name


def _name_inputs(names: Names, network: Network) -> None:
    """Name the inputs of a layer that is used again: they are counted on from the first ones."""
    several = network.samples > 1
    taken = {*names.texts.values()}
    for sample, inputs in enumerate(network.inputs, 1):
        for i, place in enumerate(inputs, 1):
            node, nth = network.nodes[place], f"#{sample}" if several else ""
            name = f"{network.layers[0].neurons[0].front}x0[{i}]{nth}"
            if not node.parents and node not in names.texts and name not in taken:
                names.texts[node] = name


class _Network:
    """One network, and those leaves of a graph that belong to it, with their paths."""

    def __init__(self, model: Any, leaves: Mapping[int, Any], number: int) -> None:
        self.number, self.model = number, model
        self.parts: set[int] = set()  # each is walked once, also where modules hold each other
        self.paths: dict[Any, str] = {}
        self.activations: dict[str, str] = {}  # by the path of a neuron, "" or with a dot behind
        self._walk(model, leaves)

    def _walk(self, model: Any, leaves: Mapping[int, Any]) -> None:
        stack: list[tuple[Any, str]] = [(model, "")]
        while stack:
            thing, path = stack.pop()
            if id(thing) in leaves:
                self.paths.setdefault(leaves[id(thing)], path[:-1])
                continue
            if isinstance(thing, Owner):
                own = vars(thing)
                children: Iterable[tuple[Any, Any]] = own.items()
                if own.get("nonlin"):
                    self.activations.setdefault(path, str(own.get("activation")))
            elif isinstance(thing, dict):
                children = thing.items()
            elif isinstance(thing, (list, tuple)):
                children = enumerate(thing)
            else:
                continue
            if id(thing) in self.parts:
                continue
            self.parts.add(id(thing))
            stack += [
                (child, f"{path}{key}.")
                for key, child in reversed(list(children))
                if id(child) in leaves or isinstance(child, _HOLDERS)
            ]

    def keep(self, leaf: Any, layer: int, neuron: int, i: int, activation: str) -> None:
        """Take over what `keep_places` wrote into a leaf."""
        of = f"layers.{layer}.neurons.{neuron}."
        self.paths[leaf] = of + (f"w.{i}" if i >= 0 else "b")
        if activation:
            self.activations[of] = activation


def keep_places(layers: Iterable[Iterable[Any]]) -> None:
    """Write into each parameter where it stands, for graphs that outlive their network.

    Parameters
    ----------
    layers : iterable of iterable of Neuron
        The neurons, layer by layer.
    """
    network = object()
    for layer, neurons in enumerate(layers):
        for n, neuron in enumerate(neurons):
            activation = neuron.activation if neuron.nonlin else ""
            neuron.b.__dict__["_place"] = network, layer, n, -1, activation
            for i, weight in enumerate(neuron.w):
                weight.__dict__["_place"] = network, layer, n, i, activation


def _networks(leaves: Mapping[int, Any]) -> list[_Network]:
    """Return the networks that are no part of another and hold some of the leaves."""
    networks: list[tuple[Owner, _Network]] = []
    inside: set[int] = set()
    for number, reference in enumerate(list(_owners.valuerefs()), 2):  # other threads make more
        owner = reference()
        if owner is None or id(owner) in inside:
            continue
        network = _Network(owner, leaves, number)
        inside |= network.parts - {id(owner)}
        if network.paths:
            networks.append((owner, network))
    return [network for owner, network in networks if id(owner) not in inside]


class _Naming:
    """One walk through a graph that finds the neurons in it."""

    def __init__(self, nodes: Sequence[Any], labels: Mapping[Any, str], model: Any) -> None:
        self.nodes = nodes
        self.own = {node: str(node.label or labels.get(node, "")) for node in nodes}
        self.titles = {id(key): name for key, name in labels.items() if isinstance(key, Owner)}
        self.named: dict[int, str] = {}  # by the number of a network, where the user names it
        self.places: dict[Any, tuple[_Neuron, int]] = {}  # of weights, from 1; of a bias 0
        self.paths: dict[Any, tuple[int, str]] = {}  # of all that belongs to a network
        self.weights: Counter[_Neuron] = Counter()
        self.activations: dict[_Neuron, str] = {}
        self.modules: dict[_Neuron, str] = {}  # paths of their attributes
        self.units: dict[Any, _Unit] = {}
        self.samples: Counter[_Neuron] = Counter()
        self.rows: dict[int, int] = {}  # neurons by layer, of those that no network holds
        self.computed: dict[Any, tuple[_Neuron, str, int, int]] = {}  # letter, index and sample
        self.pieces: list[tuple[Any, _Unit]] = []
        self.first: dict[_Neuron, _Neuron] = {}  # the use that the weights are called after
        self._belong(model)
        chains = Chains(nodes)
        for node in nodes:
            if node.parents:
                self._look(node)
                if node in chains.ends and node not in self.units:
                    self._chain(chains, node)
        if max(self.samples.values(), default=0) > 1:
            self._tell_apart()

    # ---- parameters ----------------------------------------------------------------------------

    def _belong(self, model: Any) -> None:
        """Find the networks that the leaves belong to, and the place of each leaf in its own."""
        leaves = {id(node): node for node in self.nodes if is_free(node)}
        if model is not None:
            network = _Network(model, leaves, 1)
            for path, leaf in model.named_parameters():
                if id(leaf) in leaves:
                    network.paths.setdefault(leaf, path)
            self._place(network)
        networks = _networks(leaves)
        while networks:
            for network in networks:
                for leaf in self.paths:
                    network.paths.pop(leaf, None)
            networks.sort(key=lambda network: -len(network.paths))  # the oldest of equals first
            self._place(networks.pop(0))
        gone: dict[Any, _Network] = {}
        for leaf in leaves.values():
            kept = leaf.__dict__.get("_place")
            if kept and leaf not in self.paths:
                network = _Network(None, {}, len(_owners) + 2 + len(gone))
                gone.setdefault(kept[0], network).keep(leaf, *kept[1:])
        for network in gone.values():
            self._place(network)
        self.gone = {network.number for network in gone.values()}

    def _place(self, network: _Network) -> None:
        paths = set(network.paths.values())
        if title := self.titles.get(id(network.model)):
            self.named[network.number] = title
        for leaf, path in network.paths.items():
            self.paths[leaf] = network.number, path
            found = _PATH.fullmatch(path)
            if not found:
                continue
            front, layer, neuron, i = found.groups()
            of = path[: found.end() - (1 if i is None else len(i) + 2)]
            if i is None and neuron is None and f"{of}w.0" not in paths:
                continue  # a `b` of its own
            place = _Neuron(network.number, front, int(layer or 0) + 1, int(neuron or 0) + 1)
            self.places[leaf] = place, 0 if i is None else int(i) + 1
            self.modules[place] = of
            self.weights[place] += i is not None
            if of in network.activations:
                self.activations[place] = network.activations[of]

    # ---- sums and activations ------------------------------------------------------------------

    def _look(self, node: Any) -> None:
        """Tell whether a result is a part of a neuron, the whole of its sum, or its activation."""
        op, parents = node.op, node.parents
        if len(parents) == 1:
            unit = self.units.get(parents[0])
            if unit and unit.sample and self.activations.get(unit.neuron) == op.name:
                self._activation(node, unit)
            return
        if op.pairs:
            unit = self._products(parents, op.pairs)
        elif op.adds:
            unit = self._added(parents)
        else:
            return
        if unit is None:
            return
        self.units[node] = unit
        if not unit.has_bias or len(unit.weights) < self.weights[unit.neuron]:
            self.pieces.append((node, unit))
            return
        self.samples[unit.neuron] += 1
        unit.sample = self.samples[unit.neuron]
        self._whole(node, unit)

    def _products(self, parents: Sequence[Any], pairs: int) -> _Unit | None:
        """Return the part of a neuron that products of weights and inputs are, and its bias."""
        w, x, bias = parents[:pairs], parents[pairs : 2 * pairs], parents[2 * pairs :]
        if pairs == 1 and not self._is_weight(w[0]):
            w, x = x, w
        if bias and not any(map(self.places.get, (*w, *bias))):
            self._by_shape(w, x, bias[0])
        known = self.places.get
        if bias and self.gone and not all(map(known, (*w, *bias))):
            found = {place[0] for place in map(known, (*w, *bias)) if place}
            for i, leaf in enumerate((*bias, *w)):
                self._replace(leaf, found, i)
        places = [place for place in map(known, w) if place and place[1]]
        if len(places) < len(w) or any(map(self._is_weight, filter(known, x))):
            return None
        neurons: set[_Neuron | None] = {neuron for neuron, _ in places}
        if bias:
            neurons |= {self.places[bias[0]][0] if bias[0] in self.places else None}
        if len(neurons) > 1:
            return None
        inputs = [(i, value) for (_, i), value in zip(places, x, strict=True)]
        return _Unit(places[0][0], set(w), inputs, bool(bias))

    def _replace(self, leaf: Any, neurons: set[_Neuron], i: int) -> bool:
        """Give a leaf the place that it stands in, where that is free in a network that is gone."""
        if not is_free(leaf) or leaf in self.paths or len(neurons) != 1:
            return False
        (neuron,) = neurons
        if neuron.network not in self.gone or (neuron, i) in self.places.values():
            return False
        self.places[leaf] = neuron, i
        self.weights[neuron] += i > 0
        return True

    def _is_weight(self, value: Any) -> bool:
        return self.places.get(value, (None, 0))[1] > 0

    def _by_shape(self, w: Sequence[Any], x: Sequence[Any], bias: Any) -> None:
        """Make a neuron of a weighted sum of free leaves that belong to no network."""
        free = (*w, bias)
        if any(not is_free(v) or self.own[v] or v in self.paths for v in free):
            return
        below = [self._sum_of(value) for value in x]
        layer = 1 + max([unit.neuron.layer for unit in below if unit], default=0)
        self.rows[layer] = self.rows.get(layer, 0) + 1
        place = _Neuron(0, "", layer, self.rows[layer])
        self.weights[place] = len(set(w))
        self.places.update({weight: (place, i) for i, weight in enumerate(w, 1)})
        self.places[bias] = place, 0
        for value, unit in zip(x, below, strict=True):
            if unit and value not in self.computed and unit.neuron.network == 0:
                self.activations[unit.neuron] = value.op.name  # of the samples to come, too
                self._activation(value, unit)

    def _chain(self, chains: Chains, end: Any) -> None:
        """Make a neuron of the products that are added to a bias one after the other."""
        bias, w, x, computed = chains.of(end)
        if not any(map(self.places.get, (*w, bias))):
            self._by_shape(w, x, bias)
            for node in computed:
                self._look(node)

    def _sum_of(self, value: Any) -> _Unit | None:
        """Return the complete sum that a value is, or is the activation of."""
        at = value.parents[0] if len(value.parents) == 1 else value
        unit = self.units.get(value) or self.units.get(at)
        return unit if unit and unit.sample else None

    def _added(self, parents: Sequence[Any]) -> _Unit | None:
        """Return the part of a neuron that other parts and its bias add up to."""
        parts = [self.units.get(parent) for parent in parents]
        biases = [self.places.get(parent) for parent in parents]
        neurons, whole = set(), _Unit(_Neuron(0, "", 0, 0), set(), [])
        for parent, part, bias in zip(parents, parts, biases, strict=True):
            if part and not part.sample:
                neurons.add(part.neuron)
                whole.weights |= part.weights
                whole.inputs += part.inputs
                whole.has_bias |= part.has_bias
            elif bias and bias[1] == 0:
                neurons.add(bias[0])
                whole.has_bias = True
            elif self._replace(parent, {p.neuron for p in parts if p and not p.sample}, 0):
                whole.has_bias = True
            else:
                return None
        if len(neurons) != 1 or not whole.weights:
            return None
        whole.neuron = neurons.pop()
        return whole

    def _whole(self, node: Any, unit: _Unit) -> None:
        self.computed[node] = unit.neuron, "s", unit.neuron.neuron, unit.sample
        self._inputs(unit)

    def _activation(self, node: Any, unit: _Unit) -> None:
        self.computed[node] = unit.neuron, "x", unit.neuron.neuron, unit.sample

    def _inputs(self, unit: _Unit) -> None:
        for i, value in unit.inputs:
            is_new = value not in self.computed and value not in self.paths
            is_new &= (
                self.first.get(unit.neuron, unit.neuron) == unit.neuron
            )  # else: `_name_inputs`
            if is_new and (unit.neuron.layer == 1 or not value.parents):
                layer = unit.neuron._replace(layer=unit.neuron.layer - 1)
                self.computed[value] = layer, "x", i, unit.sample

    # ---- uses in one sample --------------------------------------------------------------------

    def _tell_apart(self) -> None:
        """Make layers of the uses of a layer in one sample; all others are samples."""
        sums = [node for node, (_, letter, *_) in self.computed.items() if letter == "s"]
        uses = uses_in(self.nodes, {node: self._sum_at(node) for node in sums})
        again = {self.units[node].neuron[:2] for node, use in uses.items() if use > 1}
        if again:
            self._renumber(sums, uses, again)

    def _sum_at(self, node: Any) -> Sum:
        unit = self.units[node]
        return Sum(unit.neuron.row, unit.neuron.neuron, tuple(value for _, value in unit.inputs))

    def _renumber(self, sums: Sequence[Any], uses: Mapping[Any, int], again: set[Any]) -> None:
        """Give each use of a layer of some networks a number of its own, as they are computed."""
        numbers: dict[tuple[_Row, int], int] = {}
        last: Counter[Any] = Counter()
        for node in sums:
            row, use = self.units[node].neuron.row, uses.get(node, 1)
            if row[:2] in again and (row, use) not in numbers:
                last[row[:2]] = max(last[row[:2]] + 1, row[2] if use == 1 else 0)
                numbers[row, use] = last[row[:2]]

        def moved(neuron: _Neuron, use: int = 1) -> _Neuron:
            return neuron._replace(layer=numbers.get((neuron.row, use), neuron.layer))

        old: dict[_Neuron, _Neuron] = {}
        self.samples.clear()
        for node in sums:
            unit = self.units[node]
            neuron = moved(unit.neuron, uses.get(node, 1))
            old[neuron], self.first[neuron] = unit.neuron, moved(unit.neuron)
            for part in [*self._parts(node), node]:
                self.units[part].neuron = neuron
            below = {found.sample for _, x in unit.inputs if (found := self._sum_of(x))}
            unit.sample = below.pop() if len(below) == 1 else self.samples[neuron] + 1
            self.samples[neuron] = max(self.samples[neuron], unit.sample)

        def table(of: Mapping[_Neuron, Any]) -> dict[_Neuron, Any]:
            found = {moved(neuron): entry for neuron, entry in of.items()}
            return found | {new: of[neuron] for new, neuron in old.items() if neuron in of}

        self.weights, self.modules = Counter(table(self.weights)), table(self.modules)
        self.activations = table(self.activations)
        self.places = {leaf: (moved(neuron), i) for leaf, (neuron, i) in self.places.items()}
        before, self.computed = self.computed, {}
        for node in before:
            whole = self._sum_of(node)
            if whole and node in self.units:
                self._whole(node, whole)
            elif whole and self.activations.get(whole.neuron) == node.op.name:
                self._activation(node, whole)

    # ---- texts ---------------------------------------------------------------------------------

    def write(self) -> Names:
        """Return the names as they are written."""
        shown = {number for number, _ in self.paths.values()}
        shown |= {neuron.network for neuron in self.weights}
        fronts = dict.fromkeys(shown, "")
        if len(shown) > 1:
            used = dict.fromkeys(neuron.network for neuron, *_ in self.computed.values())
            fronts = {
                number: f"{self.named.get(number, f'net{k}')}."
                for k, number in enumerate(dict.fromkeys([*used, *sorted(shown)]), 1)
            }
        several = {neuron.network for neuron, times in self.samples.items() if times > 1}
        texts = {node: text for node, text in self.own.items() if text}
        own, taken = set(texts), set(texts.values())

        def give(node: Any, text: str, other: str = "") -> None:
            text = other if text in taken else text
            if text and node not in texts and text not in taken:
                texts[node] = text
                taken.add(text)

        for leaf, (number, path) in self.paths.items():
            whole = "" if path.isdecimal() else fronts[number] + path
            place = self.places.get(leaf)
            give(leaf, _parameter(*place, fronts) if place else whole, whole)
        for leaf, place in self.places.items():
            give(leaf, _parameter(*place, fronts))
        for node, (neuron, letter, i, sample) in self.computed.items():
            nth = f"#{sample}" if neuron.network in several else ""
            give(node, f"{fronts[neuron.network]}{neuron.front}{letter}{neuron.layer}[{i}]{nth}")
        parameters = {*self.paths, *self.places}
        products = {node for node, _ in self.pieces if node.op.pairs and node not in texts}
        inner = {
            node: f"{fronts[unit.neuron.network]}{unit.neuron.front}s{unit.neuron.layer}"
            f"[{unit.neuron.neuron}] so far ({len(unit.weights)} of {self.weights[unit.neuron]})"
            for node, unit in self.pieces
            if node not in texts and node not in products
        }
        codes = {
            number: fronts[number] or f"{self.named.get(number, 'model')}." for number in shown
        }
        paths = {leaf: codes[number] + path for leaf, (number, path) in self.paths.items()}
        return Names(texts, parameters, inner, products, own, self._found(fronts, codes), paths)

    def _found(self, fronts: Mapping[int, str], codes: Mapping[int, str]) -> list[FoundNeuron]:
        """Return the neurons, with what each of their uses computes."""
        own: dict[_Neuron, dict[int, Any]] = {}
        for leaf, (place, i) in self.places.items():
            own.setdefault(place, {})[i] = leaf
        active = {
            node.parents[0]: node for node, (place, letter, *_) in self.computed.items()
            if letter == "x" and len(node.parents) == 1  # and no input that is computed from one
            and node.parents[0] in self.units and self.units[node.parents[0]].neuron == place
        }  # fmt: skip
        neurons: dict[_Neuron, FoundNeuron] = {}
        for node, (place, letter, number, sample) in self.computed.items():
            if letter != "s":
                continue
            if place not in neurons:
                path, mine = self.modules.get(place), own[self.first.get(place, place)]
                path = None if path is None else (codes[place.network] + path).rstrip(".")
                front = fronts[place.network] + place.front
                neurons[place] = FoundNeuron(
                    front, place.layer, number, path,
                    [mine[i] for i in sorted(mine) if i], mine.get(0), [],
                )  # fmt: skip
            inputs = [value for _, value in sorted(self.units[node].inputs, key=itemgetter(0))]
            use = Use(inputs, node, active.get(node), self._parts(node), sample - 1)
            neurons[place].uses.append(use)
        return list(neurons.values())

    def _parts(self, whole: Any) -> list[Any]:
        """Return what the sum of an `atomic` neuron is made of, as it is computed."""
        found, stack = [], [*whole.parents]
        while stack:
            node = stack.pop()
            if node in self.units and not self.units[node].sample:
                found.append(node)
                stack += node.parents
        return list(dict.fromkeys(found[::-1]))


def _parameter(neuron: _Neuron, i: int, fronts: Mapping[int, str]) -> str:
    start = fronts[neuron.network] + neuron.front
    where = f"{neuron.neuron},{i}" if i else f"{neuron.neuron}"
    return f"{start}{'w' if i else 'b'}{neuron.layer}[{where}]"
