"""Random graphs with sharing, repeated operands, constants and zero gradients."""

import random
from fractions import Fraction

from micrograd.engine import Value
from micrograd.ops import dot


def random_graph(seed, exact=False, size=25):
    """Return the root of a random graph of about `size` results; of Fractions if `exact`."""
    rng = random.Random(seed)

    def number():
        return Fraction(rng.randint(-9, 9), rng.randint(1, 9)) if exact else rng.uniform(-2, 2)

    values = [Value(number(), label=f"x{i}") for i in range(rng.randint(1, 5))]
    for i in range(size):
        a, b = rng.choice(values[-8:]), rng.choice(values)
        kind = rng.randrange(9)
        if kind < 2:
            new = a + b
        elif kind == 2:
            new = a - b
        elif kind == 3:
            new = a * b if abs(a.data * b.data) < 1e3 else a * 0
        elif kind == 4:
            new = a.relu()
        elif kind == 5:
            new = a * 3 + 1
        elif kind == 6:
            new = abs(a) if exact else a.tanh()
        elif kind == 7:
            new = dot([a, b], [b, a], values[0]) if abs(a.data) + abs(b.data) < 30 else -a
        else:
            new = a / 4
        if rng.random() < 0.5:
            new.label = f"y{i}"
        values.append(new)
    root = values[-1]
    for value in rng.sample(values[:-1], min(3, len(values) - 1)):
        root = root + value
    return root
