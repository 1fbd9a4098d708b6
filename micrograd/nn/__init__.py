"""Neurons, layers and multi-layer perceptrons.

`layers` computes; `embedding` looks up; `module` names, saves and loads the parameters of any
network. What the values of a graph are called, w1[2,1] or s1[2], is in `values.names`.
"""

from micrograd.nn.embedding import Embedding
from micrograd.nn.layers import (
    INITS,
    MLP,
    Layer,
    Neuron,
    Trace,
    activated,
    activation_of,
    is_ours,
    is_replaced,
    neurons_of,
)
from micrograd.nn.module import Module

__all__ = [
    "INITS", "MLP", "Embedding", "Layer", "Module", "Neuron", "Trace", "activated", "activation_of",
    "is_ours", "is_replaced", "neurons_of",
]  # fmt: skip
