"""Hypothesis strategies: numbers where a row is defined, and recipes of random graphs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from micrograd import ops

GAP = 1e-3
"""How far from a kink or a tie derivatives are compared: numerical ones look to both sides."""

FAMILIES = [
    *[ops.power(n) for n in (2, 3, 7, -1, 0, 1, 0.5, -1.5, 2.0, Fraction(1, 3), Fraction(-3, 2))],
    *[ops.base_power(base) for base in (2, 0.5, 10, 2.718281828459045, 1, Fraction(3, 2))],
    *[ops.leaky_relu_with(slope) for slope in (0.01, 0, 0.2)],
    *[ops.elu_with(alpha) for alpha in (1.0, 0.5)],
    *[ops.sum_of(terms) for terms in (1, 2, 5)],
    *[ops.dot_of(1, False), ops.dot_of(3, True), ops.dot_of(2, False)],
    *[ops.logsumexp_of(terms) for terms in (1, 2, 5)],
    *[ops.peak_of(terms) for terms in (1, 3)],
]
"""Rows with a constant, a few of each family."""

ROWS = [*ops.TABLE.values(), *FAMILIES]


def row_id(op: ops.Op) -> str:
    """Return a readable name of a row for a test's id."""
    if op.family:
        return "-".join(map(str, (op.family, *op.parameters)))
    return op.name


def differentiable(op: ops.Op) -> range:
    """Return the operands that have derivatives: the plain base of a power has none."""
    return range(1 if op.name == "base_power" else 0, op.arity)


def _smooth(op: ops.Op, inputs: list[float]) -> bool:
    """Return whether the inputs are away from kinks and, in rows that compare, from ties."""
    if any(abs(x - kink) < GAP for x in inputs for kink in op.kinks):
        return False
    return all(abs(a - b) >= GAP for i, a in enumerate(inputs) for b in inputs[:i])


def points(op: ops.Op, count: int, seed: int = 0) -> Iterator[list[float]]:
    """Yield so many points of the row's domain, the same ones each time.

    Some lie very near 0, where a naive formula loses its digits, if the row is smooth there.
    """
    rng = random.Random(f"{row_id(op)} {seed}")
    while count:
        inputs = [rng.uniform(*interval) for interval in op.domain]
        for i, (low, high) in enumerate(op.domain):
            if not op.kinks and low < 0 < high and rng.random() < 0.15:
                inputs[i] *= 10 ** -rng.uniform(3, 17)
        if _smooth(op, inputs) or op.arity > 2:
            count -= 1
            yield inputs


fractions = st.builds(Fraction, st.integers(-6, 6), st.sampled_from([1, 1, 2, 3, 5]))
"""Small exact numbers, so that sums and products of many of them stay readable."""

floats = st.floats(-1.5, 1.5, allow_subnormal=False)


@st.composite
def recipes(draw: Any, rules: dict[str, int], steps: int = 14) -> dict[str, Any]:
    """Draw a recipe of a graph: data of its leaves, and for each step a rule and whom it joins.

    Operands are chosen from all that is there, so nodes are shared and repeated; steps may be
    none, so that the graph is one leaf.
    """
    leaves = draw(st.lists(floats, min_size=1, max_size=4))
    program = []
    for made in range(draw(st.integers(0, steps))):
        rule = draw(st.sampled_from(sorted(rules)))
        where = st.integers(0, len(leaves) + made - 1)
        program.append((rule, [draw(where) for _ in range(rules[rule])]))
    return {"leaves": leaves, "steps": program}
