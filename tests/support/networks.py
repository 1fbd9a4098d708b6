"""Networks of several kinds, and samples to compare their outputs on."""

import random

import numpy as np

from micrograd.losses import cross_entropy
from micrograd.nn import MLP

NAMES = ["relu", "tanh", "sigmoid", "linear", "leaky_relu", "elu", "gelu", "silu", "softplus"]
SHAPES = [(2, [1]), (3, [5, 4, 2]), (1, [1, 1])]


def made(nin=3, nouts=(5, 4, 2), activation="tanh", seed=0):
    model = MLP(nin, nouts, activation=activation, rng=random.Random(seed))
    draw = random.Random(seed + 1)
    for p in model.parameters():
        p.data = draw.gauss(0, 2)
    return model


def samples(nin, count=40, seed=5):
    draw = random.Random(seed)
    rows = [[draw.gauss(0, 3) for _ in range(nin)] for _ in range(count)]
    return [*rows, [0.0] * nin, [50.0] * nin, [-50.0] * nin]


def scores(model, rows):
    """Return the outputs as an array, shape (samples, outputs)."""
    found = [model(row) for row in rows]
    return np.array([[v.data for v in (o if isinstance(o, list) else [o])] for o in found])


def assert_equal(found, wanted, tolerance=1e-12):
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def broken(place, number):
    model = made(2, [3, 1])
    neuron = model.layers[0].neurons[2]
    (neuron.b if place == "b" else neuron.w[1]).data = number
    return model


def small():
    """Return a network of 2 layers with plain numbers, and its loss for one sample."""
    model = MLP(2, [2, 2], activation="sigmoid")
    numbers = [0.7, -0.4, 0.1, -0.3, 0.8, -0.2, 0.6, -0.9, 0.0, -0.5, 0.4, 0.2]
    for layer in model.layers:
        for neuron in layer.neurons:
            for leaf in (*neuron.w, neuron.b):
                leaf.data = numbers.pop(0)
    return model, cross_entropy([model([0.5, -1.0])], [0])
