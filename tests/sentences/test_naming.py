"""What a value is called, the same wherever it is spoken of."""

import random
import re

import pytest
from graphs import guide_graph
from random_graphs import random_graph

from micrograd import Value
from micrograd import sum as added
from micrograd.draw import format_graph
from micrograd.losses import mse
from micrograd.nn import MLP
from micrograd.stepper import steps
from micrograd.stepper.terminal import table_text

GRAPHS = {
    "guide": guide_graph,
    "numbers": lambda: (Value(2.0, label="x") * 3 - 1) ** 2 / -4,
    "long": lambda: added([Value(float(k), label=f"a_long_name_{k}") for k in range(9)]) * 2,
    "without names": lambda: (Value(1.0) * Value(2.0) + Value(3.0)).tanh(),
    "network": lambda: mse([MLP(2, [2, 1], rng=random.Random(0))([1.0, 2.0])], [1.0]),
    "atomic network": lambda: MLP(2, [2], atomic=True, rng=random.Random(0))([1.0, 2.0])[0],
} | {f"random {seed}": lambda seed=seed: random_graph(seed) for seed in range(5)}


@pytest.mark.parametrize("name", GRAPHS)
def test_tables_and_steps_call_values_alike(name):
    root = GRAPHS[name]()
    names = steps(root).words.names

    def first_column(text):
        return [re.split(r"  +", line.strip())[0] for line in text.splitlines()[1:]]

    assert first_column(table_text(steps(root))) == names
    shortened = [n if len(n) <= 18 else f"{n[:8]}…{n[-8:]}" for n in names]
    assert first_column(format_graph(root)) == shortened
