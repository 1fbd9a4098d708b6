"""Rows as instructions, run by the script of the stepper's page, against the engine."""

import itertools
import math
import random

import pytest
from live_page import engines_of_pages, spelt
from replaying import cancelled, off
from strategies import ROWS, points, row_id

from micrograd import ops
from micrograd.errors import TraceError
from micrograd.replay.instructions import instructions

EDGES = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e300, -1e-300, 0.5, 2.0]
EXACT = {"add", "sub", "mul", "div", "neg", "abs", "sqrt", "relu", "maximum", "minimum", "where",
         "greater", "greater_equal", "equal", "share", "sign", "sum", "peak", "take", "leaky_relu",
         "identity", "dot"}  # fmt: skip


@pytest.fixture(scope="module")
def engines():
    with engines_of_pages() as engines:
        yield engines


def computed(ask, op, samples):
    """Return the result and the local derivatives of a row for each sample."""
    found = ask("row", [instructions(op), [list(map(spelt, sample)) for sample in samples]])
    return [[float(text.replace("Infinity", "inf")) for text in row] for row in found]


def same(a, b):
    return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)


def differs(op, got, sample):
    """Return whether the page's numbers for a row are not those of the engine."""
    try:
        out = op.forward(*sample)
    except (ValueError, ArithmeticError):
        return math.isfinite(got[0])  # the page refuses a number that is not finite
    if not (same(got[0], float(out)) if op.name in EXACT else off(got[0], out) <= 4):
        return True
    try:
        slopes = op.partials(float(out), *sample)
    except (ValueError, ArithmeticError):
        return all(map(math.isfinite, got[1:]))
    return not all(
        off(one, float(right), cancelled(op, sample)) <= 4 or same(one + 0.0, right + 0.0)
        for one, right in zip(got[1:], slopes, strict=True)
    )


@pytest.mark.browser
def test_every_row_gives_the_numbers_of_the_engine_in_its_domain_and_at_its_edges(engines):
    rng = random.Random(0)
    for op in [*ROWS, ops.sum_of(20), ops.dot_of(30, True), ops.logsumexp_of(10)]:
        samples = list(points(op, 100, seed=7))
        edges = list(itertools.product(EDGES, repeat=min(op.arity, 2)))
        samples += [[*edge, *rng.choices(EDGES, k=op.arity - len(edge))] for edge in edges]
        for ask in engines:
            for sample, got in zip(samples, computed(ask, op, samples), strict=True):
                assert not differs(op, got, sample), (row_id(op), sample, got)


def test_a_row_is_as_short_as_its_rule_and_a_node_made_by_hand_has_none():
    arity, lines, forward, result, slopes, _ = instructions(ops.dot_of(64, True))
    assert (arity, forward, result, len(lines)) == (129, 128, 256, 129)
    assert slopes == [*range(64, 128), *range(64), 257]
    with pytest.raises(TraceError, match="the operation 'twice' was made by hand"):
        instructions(ops.foreign("twice"))
