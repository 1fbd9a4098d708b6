"""Small networks and data to train on."""

import random

from micrograd.nn import MLP

XOR = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
SIGNS = [-1, 1, 1, -1]


def network(outputs=1, seed=3, inputs=2):
    return MLP(inputs, [6, outputs], rng=random.Random(seed))


def cloud(samples=20, seed=5, classes=2):
    draw = random.Random(seed)
    rows = [[draw.uniform(-1, 1), draw.uniform(-1, 1)] for _ in range(samples)]
    return rows, [int((a + b + 2) / 4 * classes) % classes for a, b in rows]


def numbers(model):
    return [p.data for p in model.parameters()]


def curves(history):
    """Return all of a history but the times."""
    return {key: entries for key, entries in vars(history).items() if key != "seconds"}
