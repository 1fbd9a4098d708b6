"""What several tests of the plots draw: samples, a history, a model and a network."""

import random

from micrograd.nn import MLP
from micrograd.train import History

X = [[-1.0, 0.0], [-0.5, 1.0], [0.5, 0.0], [1.0, 1.0]]

HISTORY = History(
    loss=[1.0, 0.5, 0.1, 0.001],
    accuracy=[0.5, 0.75, 1.0, 1.0],
    validation_steps=[0, 2],
    validation_loss=[1.1, 0.2],
    validation_accuracy=[0.5, 0.9],
)


def upright(x):
    """Score the half-planes left and right of 0.25."""
    return x[0] - 0.25


def small(seed=3):
    return MLP(2, [3, 2, 1], activation="tanh", rng=random.Random(seed))
