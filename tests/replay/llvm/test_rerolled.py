"""Runs of like steps: the bits of straight code, in loops."""

from __future__ import annotations

import random
import re

import pytest
from replaying import bits
from tables import mostly_slow

import micrograd
from micrograd.engine import Value
from micrograd.nn import MLP
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.llvm import emitter
from micrograd.replay.llvm.processor import host
from micrograd.replay.trace import traced
from micrograd.replay.trace.whole import WHOLE

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


NOT_WHOLE = {7, 10}  # their products have 1 as a factor, or are no weighted sum


def layers_of_values(rng):
    """Return functions of 9 inputs in which runs of like steps are broken in many ways."""
    w = [Value(rng.gauss(0, 0.5)) for _ in range(400)]
    tanh, dot = micrograd.tanh, micrograd.dot

    def layer(x, start, activation=tanh):
        n = len(x) + 1
        rows = [w[start + i * n : start + (i + 1) * n] for i in range(8)]
        return [activation(dot(row[:-1], x, row[-1])) for row in rows]

    def plain(x):
        return micrograd.sum(layer(layer(x, 0), 80))

    def deep(x):
        return micrograd.sum(layer(layer(layer(x, 0, lambda s: s), 80), 160, lambda s: s))

    def skipped(x):
        first = layer(x, 0)
        return dot(w[300:308], layer(first, 80), w[308]) * dot(w[310:318], first, w[318])

    def turned(x):
        first = layer(x, 0)
        return micrograd.sum(layer(first[::-1], 80)) + micrograd.sum(layer(first[1:], 160))

    def repeated(x):
        first = layer(x, 0)
        return micrograd.sum(layer([*first[:4], *first[:4]], 80))

    def tied(x):
        return micrograd.sum(layer(layer(x[:8], 0), 0))

    def squared(x):
        penalty = micrograd.sum([v * v for v in w[:160]])
        return micrograd.sum(layer(layer(x, 0), 80)) + 0.01 * penalty

    def scaled(x):
        values = [v * x[0] for v in w[:12]]
        return dot(w[20:32], values, w[32]) + values[3] * micrograd.exp(values[5])

    def gated(x):
        first = layer(x, 0)
        return micrograd.sum([a * b for a, b in zip(layer(first, 80), first, strict=True)])

    def reversed_(x):
        first, row = layer(x, 0), w[80:88]
        return dot(row, first, w[88]) * dot(row[::-1], layer(first, 160), w[89])

    def kept(x):
        before = [x[0] * v for v in w[:10]]
        after = [a + x[1] * v for a, v in zip(before, w[10:20], strict=True)]
        return micrograd.sum([a * b for a, b in zip(before, after, strict=True)])

    def uneven(x):
        first = layer(x, 0)
        rows = [first, first[:6], first, first[1:], first[:6], first, first[2:], first]
        outputs = [dot(w[80 + 9 * i : 80 + 9 * i + len(row)], row, w[300 + i]) for i, row in
                   enumerate(rows)]  # fmt: skip
        return micrograd.sum([tanh(output) for output in outputs])

    def alternating(x):
        first = (layer(x, 0), layer(x, 80))
        outputs = [dot(w[160 + 8 * i : 168 + 8 * i], first[i % 2], w[300 + i]) for i in range(11)]
        return micrograd.sum([tanh(output) for output in outputs])

    def dependent(x):
        first, total = layer(x, 0), w[399]
        for i in range(6):
            total = dot(w[80 + 8 * i : 88 + 8 * i], first, total if i % 3 else tanh(total))
        return total

    def overlapping(x):  # the same products in a sum and elsewhere
        first = layer(x, 0)
        total = dot(w[80:88], first, w[88])
        parts = [w[80 + i] * first[i] + w[90 + i] for i in (7, 6, 5)]
        return total * micrograd.sum([tanh(part) for part in parts])

    def carried(x):  # inputs that go on, with something added
        total = dot(w[80:88], layer(x[7:], 0), w[88])
        return micrograd.sum([a + total * v for a, v in zip(x[:7], w[90:97], strict=True)])

    def chained(x):  # rows of values, of which later ones use what earlier ones gave
        first = layer(x, 0)
        rows, total = layer(first, 80), w[399]
        for i in range(3):
            total = dot(rows, first)
            rows = [tanh(total + v) for v in w[200 + 8 * i : 208 + 8 * i]]
        return total

    broken = [plain, deep, skipped, turned, repeated, tied, squared, scaled, gated]
    return [*broken, reversed_, kept, uneven, alternating, dependent, overlapping, carried,
            chained]  # fmt: skip


@pytest.mark.parametrize("number", mostly_slow(range(17), 4))
def test_runs_of_like_steps_have_the_bits_of_straight_code(number, monkeypatch):
    samples = np.random.default_rng(number).normal(size=(29, 9))
    results = []
    for least in (10**6, 6):
        monkeypatch.setattr(emitter, "_REROLLED", least)
        compiled = compile(layers_of_values(random.Random(5))[number], "llvm")
        parts = [compiled.map(samples)]
        for n in (29, 16, 8, 7, 5, 4, 3, 1):
            parts += compiled.value_and_grad(samples[:n])
        parts += compiled.value_and_grad(samples, wrt="inputs", reduction="none")
        results.append([bits(np.ravel(part)) for part in parts])
        assert ("@micrograd_" in compiled.ir) == (least == 6 and host().fuses)
    assert results[0] == results[1]
    eager = compile(layers_of_values(random.Random(5))[number], "python")
    value, gradient = eager.value_and_grad(samples)
    got = compiled.value_and_grad(samples)
    assert got[0] == pytest.approx(value, rel=1e-12)
    assert got[1] == pytest.approx(gradient, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("wrt", ["parameters", "inputs"])
@pytest.mark.parametrize("number", mostly_slow(range(17), 3))
def test_rows_of_many_derivatives_are_those_of_python(number, wrt, monkeypatch):
    monkeypatch.setattr(traced, "_LARGE", -1)
    function = layers_of_values(random.Random(5))[number]
    samples = np.random.default_rng(number).normal(size=(29, 9))
    compiled, python = compile(function, "llvm"), compile(function, "python")
    for n in (29, 16, 8, 7, 5, 4, 3, 1):
        for reduction in ("mean", "none"):
            given = {"wrt": wrt, "reduction": reduction}
            for mine, theirs in zip(
                compiled.value_and_grad(samples[:n], **given),
                python.value_and_grad(samples[:n], **given),
                strict=True,
            ):
                assert mine == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    source = compiled.latest().programs[wrt][2]._source
    is_whole = any(op in WHOLE for op in source.planned[0].rows)
    assert is_whole == (host().fuses and number not in NOT_WHOLE)


@pytest.mark.parametrize("sums", [False, True])
def test_products_and_sums_that_are_outputs_and_used_as_well_are_no_run(sums):
    w = [Value(0.1 * i - 0.4) for i in range(90)]

    def function(x):
        rows = [w[i : i + 10] for i in range(0, 80, 10)]
        first = [micrograd.dot(row[:9], x, row[9]) for row in rows]
        total = micrograd.dot(w[80:88], first, w[88])
        products = [x[0] * s for s in first]
        if sums:
            products = [p + x[1] * v for p, v in zip(products, w[80:88], strict=True)]
        return [*products, micrograd.sum(products) * total]

    samples = np.random.default_rng(0).normal(size=(13, 9))
    got = compile(function, "llvm").map(samples)
    assert got == pytest.approx(compile(function, "python").map(samples), rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("name", ["dot", "outer", "scale", "spread"])
def test_the_layers_of_a_network_are_runs_of_every_kind(name):
    model = MLP(9, [8, 8, 1], rng=random.Random(0))
    compiled = compile(lambda x: micrograd.tanh(model(x)), "llvm")
    compiled.value_and_grad(np.ones((3, 9)))
    called = re.findall(rf"call .*@micrograd_{name}_(\d)_2\(", compiled.ir)
    expected = {"dot": "44441", "outer": "14444", "scale": "14", "spread": "4"}[name]
    assert "".join(called) == (expected if host().fuses else "")


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.skipif(not host().fuses, reason="this processor has no loops")
def test_sums_of_products_of_values_share_what_they_have_in_common(first, monkeypatch):
    monkeypatch.setattr(emitter, "_LOOPED", 0)

    def function(x):
        lists = [[micrograd.tanh(k * v) for v in x] for k in range(1, 8)]
        query, *keys = lists
        pairs = [(query, key) if first else (key, query) for key in keys]
        return micrograd.sum([micrograd.tanh(micrograd.dot(*pair)) for pair in pairs])

    samples = np.random.default_rng(0).normal(size=(5, 9))
    compiled, python = compile(function, "llvm"), compile(function, "python")
    assert compiled.map(samples) == pytest.approx(python.map(samples), rel=1e-12)
    loops = compiled.latest().programs["value"][2]._source.planned[1].loops.values()
    assert [(loop.name, len(loop.steps)) for loop in loops] == [("dot", 4), ("dot", 2)]


def test_the_code_of_a_layer_does_not_grow_with_its_inputs():
    sizes = []
    for width in (96, 384):
        model = MLP(width, [16, 1], rng=random.Random(0))
        compiled = compile(lambda x: micrograd.tanh(model(x)), "llvm")  # noqa: B023
        compiled.value_and_grad(np.zeros((1, width)))
        sizes.append(compiled.stats.bytes)
    grown = sizes[1] / sizes[0]
    assert grown < 1.1 if host().fuses else grown > 2
