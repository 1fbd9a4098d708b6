"""Rows of many numbers: the derivatives of weighted sums, and the same as single numbers."""

from __future__ import annotations

import random

import pytest
from replaying import bits

import micrograd
from micrograd.nn import MLP
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.python import ieee
from micrograd.replay.trace import traced
from micrograd.replay.trace.whole import ADDED, ELEMENT, SCALED, SPREAD, WHOLE, apart

SIZE = 6
LEAVES = (None, ELEMENT)


def squared(x, w):
    return micrograd.dot(x, x) * micrograd.dot(w[0], w[0])


def layers(x, w):
    return micrograd.sum([micrograd.dot(w[4], times(w[:4], x, w[5]), w[5][0]), x[2]])


def times(rows, x, biases):
    values = [micrograd.dot(row, x, bias) for row, bias in zip(rows, biases, strict=False)]
    return [*values, micrograd.tanh(values[0]), micrograd.tanh(values[1])]


def parts(x, w):  # lists that are parts of others, the longer ones first and last
    values = [micrograd.tanh(v) for v in x]
    sums = [micrograd.dot(w[i][:n], values[:n]) for i, n in enumerate((6, 5, 6, 4))]
    return micrograd.sum([s * s for s in sums]) + values[1]


def twice(x, w):  # a number that is twice in a list, a constant in another, and too few
    first = micrograd.dot([*x[:3], *x[:3]], w[0]) * micrograd.dot(x, [*w[1][:5], 2.0])
    return micrograd.tanh(first) + micrograd.dot(x[:3], w[2][:3]) ** 2


def some(x, w):  # a derivative of a list of which only some numbers have one yet
    values = [micrograd.tanh(v) for v in x]
    return micrograd.exp(micrograd.dot(values, w[0])) * micrograd.sum(values[:3])


CASES = {
    squared: {SCALED, ADDED}, layers: {SCALED, ADDED, SPREAD}, parts: {SCALED, SPREAD},
    twice: {SCALED}, some: {SCALED},
}  # fmt: skip


@pytest.mark.parametrize("fn", CASES)
def test_taken_apart_they_are_the_single_derivatives(fn, monkeypatch):
    monkeypatch.setattr(traced, "_LARGE", -1)
    rng = random.Random(0)
    rows = [neuron.w for neuron in MLP(SIZE, [SIZE], rng=rng).layers[0].neurons]
    compiled = compile(lambda x: fn(x, rows), "python")
    numbers = [rng.uniform(-1.0, 1.0) for _ in range(SIZE)]
    compiled(numbers)
    trace = compiled.latest()
    held = [p.data for p in trace.parameters]
    found = set()
    for kind in ("parameters", "inputs"):
        expected, used = trace.derived(kind)
        tape, same = trace.derived(kind, loops=True)
        assert used == same
        wanted = bits(ieee.run(expected, numbers, held))
        whole = whole_rows(tape)
        found |= {tape.rows[position] for position in whole}
        for position in whole:  # one first, and then the others
            rest = apart(tape, {position})
            plain = apart(rest, whole_rows(rest))
            assert len(whole_rows(rest)) == len(whole) - 1
            assert not {*WHOLE, ELEMENT} & set(plain.rows)
            assert bits(ieee.run(plain, numbers, held)) == wanted
    assert found == CASES[fn]


def whole_rows(tape):
    return {position for position, op in enumerate(tape.rows) if op in WHOLE}


def test_a_large_network_has_a_few_steps_for_each_neuron():
    model = MLP(200, [50, 50, 1], rng=random.Random(0))
    compiled = compile(lambda x: micrograd.tanh(model(x)), "python")
    compiled([0.0] * 200)
    steps = [
        [op for op in compiled.latest().derived("parameters", loops)[0].rows if op not in LEAVES]
        for loops in (False, True)
    ]
    assert len(steps[0]) > len(model.parameters())
    assert len(steps[1]) < 6 * 101
