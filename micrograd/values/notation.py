"""The names of a graph's values and the neurons among them, plain, as on slides and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from micrograd.values.networks import Network

__all__ = ["FoundNeuron", "Names", "Use"]

_PLAIN = re.compile(
    r"\b([wbsx])(\d+)(?:\[(\d+)(?:,(\d+))?\])?|\b(p)\[(\d+)\]|(?<!\b[Tt]he )\b(loss)\b(#\d+)?"
)
_GRADIENT = re.compile(r"((?:\w+\.)*(?:[wbsx]\d+|p)\[[\d,]+\](?:#\d+)?)\.grad\b")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Use(NamedTuple):
    """One computation of a neuron: for one sample, or again where its weights are shared.

    Attributes
    ----------
    inputs : list of Value
        In the order of the weights.
    s : Value
        The weighted sum.
    x : Value or None
        The activation; None where the neuron is linear.
    parts : list of Value
        The products and partial sums of an `atomic` neuron, as they are computed.
    sample : int
        From 0.
    """

    inputs: list[Any]
    s: Any
    x: Any
    parts: list[Any]
    sample: int

    @property
    def computed(self) -> list[Any]:
        """All that is computed in it, in order."""
        return [*self.parts, self.s] if self.x is None else [*self.parts, self.s, self.x]


@dataclass
class FoundNeuron:
    """A neuron that was found in a graph.

    Attributes
    ----------
    front : str
        What stands in front of its names: of several networks `net2.`, of a module's part `enc.`.
    layer, number : int
        From 1.
    path : str or None
        As in code, but with dots: `model.layers.0.neurons.1`; None where no network is known.
    weights : list of Value
    bias : Value or None
    uses : list of Use
        One a sample.
    """

    front: str
    layer: int
    number: int
    path: str | None
    weights: list[Any]
    bias: Any
    uses: list[Use]


@dataclass
class Names:
    """What the values of a graph are called.

    Parameters
    ----------
    texts : dict of Value to str
        The name of each value that has one.
    parameters : set of Value
        Those that belong to a network.
    inner : dict of Value to str
        Names of what an `atomic` neuron has added up so far.
    products : set of Value
        What it adds: a product is called by its expression, however long.
    own : set of Value
        Those that the user named.
    neurons : list of FoundNeuron
        As they are computed.
    paths : dict of Value to str
        Of parameters, as in code, but with dots: `model.layers.0.neurons.1.w.0`.
    network : Network or None
        What `networks.network_in` has found, where it was asked.
    """

    texts: dict[Any, str]
    parameters: set[Any]
    inner: dict[Any, str]
    products: set[Any]
    own: set[Any]
    neurons: list[FoundNeuron] = field(default_factory=list)
    paths: dict[Any, str] = field(default_factory=dict)
    network: Network | None = None

    def moved(self, to: Mapping[Any, Any]) -> Names:
        """Return these names for other things than the values: for their positions, or copies.

        Parameters
        ----------
        to : mapping
            From each value of the graph to what stands for it.
        """

        def all_of(values: Iterable[Any]) -> list[Any]:
            return [None if value is None else to[value] for value in values]

        neurons = [
            replace(
                neuron,
                weights=all_of(neuron.weights),
                bias=all_of([neuron.bias])[0],
                uses=[
                    Use(all_of(inputs), to[s], all_of([x])[0], all_of(parts), sample)
                    for inputs, s, x, parts, sample in neuron.uses
                ],
            )
            for neuron in self.neurons
        ]
        texts, inner, paths = (
            dict(zip(all_of(found), found.values(), strict=True))
            for found in (self.texts, self.inner, self.paths)
        )
        parameters, products, own = map(
            set, map(all_of, (self.parameters, self.products, self.own))
        )
        return Names(texts, parameters, inner, products, own, neurons, paths)

    def at_path(self, text: str) -> list[Any]:
        """Return the parameters that a path in code means, with or without the network's name.

        The indices of layer, neuron and weight alone, from 0, will do: `w[0,1,0]`, `b[0,1]`.

        Examples
        --------
        >>> from micrograd.graph import order
        >>> from micrograd.nn import MLP
        >>> from micrograd.values.names import names_in
        >>> model = MLP(2, [2, 1])
        >>> names = names_in(order(model([1.0, -2.0])))
        >>> names.at_path("layers[0].neurons[1].w[0]") == [model.layers[0].neurons[1].w[0]]
        True
        >>> names.at_path("w[0,1,0]") == names.at_path("model.layers[0].neurons[1].w[0]")
        True
        """
        path = re.sub(r"^([wb])\[(\d+), ?(\d+)(?:, ?(\d+))?\]$", _in_code, text)
        path = re.sub(r"\[(\d+)\]", r".\1", path)
        return [leaf for leaf, own in self.paths.items() if path in (own, own.partition(".")[2])]

    def titles(self, nodes: Sequence[Any]) -> list[str]:
        """Return the name of each node, "" where it has none."""
        return [self.texts.get(node) or self.inner.get(node, "") for node in nodes]

    def typeset(self, text: str) -> str:
        """Return a text with the names of the network as on the lecture's slides.

        Examples
        --------
        >>> from micrograd.graph import order
        >>> from micrograd.nn import MLP
        >>> from micrograd.values.names import names_in
        >>> names = names_in(order(MLP(2, [2, 1])([1.0, -2.0])))
        >>> names.typeset("w1[2,1] × x0[1] of the label w3[1,1]")
        'w⁽¹⁾₂,₁ × x⁽⁰⁾₁ of the label w3[1,1]'
        """
        if "loss" in self._known:
            text = _GRADIENT.sub(
                lambda found: f"∂ℓ/∂{found[1]}" if found[1] in self._plain else found[0], text
            )
        return _PLAIN.sub(
            lambda found: _stacked(found) if found[0] in self._known else found[0], text
        )

    def latex(self, text: str, write: Callable[[str], str]) -> str:
        r"""Return a text as LaTeX: the names of the network as on slides, the rest as `write` says.

        Examples
        --------
        >>> from micrograd.graph import order
        >>> from micrograd.nn import MLP
        >>> from micrograd.values.names import names_in
        >>> names = names_in(order(MLP(2, [2, 1])([1.0, -2.0])))
        >>> names.latex("w1[2,1] + a", lambda text: rf"\text{{{text}}}")
        'w^{(1)}_{2,1}\\text{ + a}'
        """
        parts, end = [], 0
        for found in _PLAIN.finditer(text):
            if found[0] in self._known:
                parts += [text[end : found.start()], _in_latex(found)]
                end = found.end()
        parts.append(text[end:])
        return "".join(part if k % 2 else write(part) for k, part in enumerate(parts) if part)

    @cached_property
    def _plain(self) -> set[str]:
        """The names that the user did not give."""
        return {name for node, name in self.texts.items() if node not in self.own}

    @cached_property
    def _known(self) -> set[str]:
        """The names of the network, and of its whole layers; none that the user gave."""
        found = {match[0] for name in self._plain for match in _PLAIN.finditer(name)}
        given = {self.texts[node] for node in self.own if node in self.texts}
        return found | {name.partition("[")[0] for name in found if name[0] != "p"} - given


def _in_code(found: re.Match[str]) -> str:
    letter, layer, neuron, weight = found.groups()
    path = f"layers[{layer}].neurons[{neuron}].{letter}"
    return path if weight is None else f"{path}[{weight}]"


def _stacked(found: re.Match[str]) -> str:
    letter, layer, first, second, p, nth, _, sample = found.groups()
    if letter:
        below = ",".join(i.translate(_SUBSCRIPTS) for i in (first, second) if i)
        return f"{letter}⁽{layer.translate(_SUPERSCRIPTS)}⁾{below}"
    return f"p{nth.translate(_SUBSCRIPTS)}" if p else f"ℓ{sample or ''}"


def _in_latex(found: re.Match[str]) -> str:
    letter, layer, first, second, p, nth, _, sample = found.groups()
    if letter:
        below = ",".join(filter(None, (first, second)))
        return f"{letter}^{{({layer})}}" + (f"_{{{below}}}" if below else "")
    of = rf"\;\#{sample[1:]}" if sample else ""
    return f"p_{{{nth}}}" if p else rf"\ell{of}"
