"""The layers of a network as plain numbers: what is copied to other libraries and from them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, not_a_network
from micrograd.nn import MLP, Layer, Neuron, activation_of, is_replaced

__all__ = ["Dense", "layers_of", "network"]


class Dense(NamedTuple):
    """A dense layer as plain numbers; `weights` has one row per neuron."""

    weights: list[list[float]]
    biases: list[float]
    activation: str


def layers_of(model: Any, known: Sequence[str], place: str) -> list[Dense]:
    """Return the layers of an MLP; raise an error if one has no counterpart in `place`.

    `known` are the activations that `place` has.
    """
    if not isinstance(model, MLP):
        raise not_a_network(model, "an MLP")
    own = [
        part
        for layer in model.layers
        for part in (model, layer, *layer.neurons)
        if type(part).__call__ not in (MLP.__call__, Layer.__call__, Neuron.__call__)
    ]
    if own:
        raise ArgumentTypeError(
            f"{type(own[0]).__name__} has a __call__ of its own: it cannot be exported to {place}"
        )
    layers: list[Dense] = []
    for i, layer in enumerate(model.layers):
        kinds = list(dict.fromkeys(activation_of(n) for n in layer.neurons))
        if len(kinds) > 1:
            raise ArgumentError(
                f"layer {i} has neurons of several activations, {', '.join(kinds)}: "
                f"in {place} a layer has one"
            )
        if is_replaced(kinds[0]):
            raise ArgumentError(
                f"layer {i} has activation {kinds[0]!r}, and Value.{kinds[0]} was replaced by a "
                f"method that cannot be exported to {place}"
            )
        if kinds[0] not in known:
            raise ArgumentError(
                f"layer {i} has activation {kinds[0]!r}, which {place} does not have; "
                f"it has {', '.join(known)}"
            )
        widths = {len(neuron.w) for neuron in layer.neurons}
        inputs = min(widths) if model.nin is None else model.nin
        before = len(layers[-1].biases) if layers else inputs
        if widths != {before}:
            raise InputCountError(
                f"layer {i} has neurons of {', '.join(map(str, sorted(widths)))} weights; "
                f"expected {before}, one per input"
            )
        for j, neuron in enumerate(layer.neurons):
            named = [*((f"w[{k}]", w) for k, w in enumerate(neuron.w)), ("b", neuron.b)]
            for name, parameter in named:
                if not math.isfinite(parameter.data):
                    raise ArgumentError(
                        f"layer {i}, neuron {j}: {name} is {parameter.data}, "
                        "expected finite parameters"
                    )
        layers.append(
            Dense(
                [[float(w.data) for w in neuron.w] for neuron in layer.neurons],
                [float(neuron.b.data) for neuron in layer.neurons],
                kinds[0],
            )
        )
    if not layers:
        raise ArgumentError("cannot export a network without layers")
    return layers


def network(nin: int, layers: Sequence[Dense]) -> MLP:
    """Return an MLP with these layers."""
    names = [layer.activation for layer in layers]
    usual = names[-1] == "linear" and len(set(names[:-1])) == 1
    model = MLP(
        nin,
        [len(layer.biases) for layer in layers],
        activation=names[0] if usual else names,
        rng=random.Random(0),  # its numbers are overwritten; the user's random state is not touched
    )
    for layer, given in zip(model.layers, layers, strict=True):
        for neuron, weights, bias in zip(layer.neurons, given.weights, given.biases, strict=True):
            for value, number in zip([*neuron.w, neuron.b], [*weights, bias], strict=True):
                value.data = number
    return model
