"""What several tests of the live view watch: samples, held-out samples and a network."""

import random

from micrograd.nn import MLP
from micrograd.optim import Adam

generator = random.Random(4)
X = [[generator.uniform(-1, 1), generator.uniform(-1, 1)] for _ in range(30)]
y = [int(a + b > 0) for a, b in X]


def model(*sizes, nin=2, **options):
    return MLP(nin, sizes or (4, 1), rng=random.Random(1), **options)


HELD = ([[0.5, 0.5], [-0.5, -0.4], [3.0, -2.0], [0.1, 0.2]], [1, 0, 1, 0])


def squares(scores, targets):  # a function of one's own: only Python can train with it
    return sum(((s - t) ** 2 for s, t in zip(scores, targets, strict=True)), 0.0) / len(targets)


class Own(Adam):
    """Adam, as only Python knows it: pages of its runs are recorded."""
