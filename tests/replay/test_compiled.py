"""Compiled replay: the engine's bits in Python, its numbers in machine code and C."""

from __future__ import annotations

import builtins
import contextlib
import contextvars
import copy
import cProfile
import ctypes
import functools
import gc
import itertools
import linecache
import math
import operator
import os
import pickle
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import weakref
from array import array
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import random_graph
from strategies import ROWS, points, row_id

import micrograd
from micrograd import ops
from micrograd.engine import Value, gradient
from micrograd.errors import MicrogradError, NonFiniteError, TraceError
from micrograd.nn import MLP, Module
from micrograd.optim import SGD, Adam, AdamW, linear
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.llvm.processor import host, machine_code
from micrograd.replay.trace import Symbol
from micrograd.train import EarlyStop, fit

np = pytest.importorskip("numpy")
llvmlite = pytest.importorskip("llvmlite")

EPS = 2.0**-52
INF, NAN = math.inf, math.nan
every_row = pytest.mark.parametrize("op", ROWS, ids=row_id)
every_small_row = pytest.mark.parametrize("op", [op for op in ROWS if op.arity <= 3], ids=row_id)
every_backend = pytest.mark.parametrize("backend", ["python", "llvm"])

DERIVATIVE = 32 * EPS
"""A derivative's rule is a handful of operations, each within 4 ulp, whose terms may cancel: the
bound is counted from the largest of value, derivative and 1."""


def bits(numbers):
    """Return numbers as comparable text: exact, all nan alike, -0.0 as 0.0."""
    return [(float(x) + 0.0).hex() for x in np.ravel(np.asarray(numbers, dtype=float))]


def applied(op):
    return lambda *inputs: op(*inputs)


def eager(fn, inputs):
    """Return value and gradient of the engine itself."""
    leaves = [Value(float(x)) for x in inputs]
    out = fn(*leaves)
    if not isinstance(out, Value):
        return float(out), [0.0] * len(leaves)
    out.backward()
    return float(out.data), [float(leaf.grad) for leaf in leaves]


# ---- the Python backend has the engine's bits ------------------------------------------------


@every_row
def test_python_gives_the_bits_of_the_engine_for_every_row(op):
    compiled = compile(applied(op), "python")
    rows = list(points(op, 20))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    values = compiled.map(*columns)
    _, gradients = compiled.value_and_grad(*columns, wrt="inputs", reduction="none")
    for row, mapped, slopes in zip(rows, values, gradients, strict=True):
        value, grads = eager(op, row)
        assert bits(compiled(*row)) == bits(value)
        assert bits(mapped) == bits(value)
        assert bits(compiled.jacobian(*row)) == bits(grads)
        assert bits(slopes) == bits(grads)


@every_row
def test_python_gives_the_bits_of_the_engine_for_second_derivatives(op):
    compiled = compile(applied(op), "python", check="ignore")
    for row in points(op, 5, seed=1):
        leaves = [Value(x) for x in row]
        firsts = gradient(op(*leaves), leaves, create_graph=True)
        expected = [gradient(first, leaves) for first in firsts]
        assert bits(compiled.hessian(*row)) == bits(expected)


def as_function(root):
    """Return a function of the data of a graph's leaves that computes the graph again."""
    nodes = micrograd.graph.order(root)
    leaves = [node for node in nodes if not node.parents and node.op is None]

    def fn(*inputs):
        made = dict(zip(leaves, inputs, strict=True))
        for node in nodes:
            if node.parents:
                made[node] = node.op(*[made[parent] for parent in node.parents])
            elif node not in made:
                made[node] = node.data
        return made[root]

    return fn, [leaf.data for leaf in leaves]


@pytest.mark.parametrize("seed", range(25))
def test_python_gives_the_bits_of_the_engine_for_random_graphs(seed):
    fn, inputs = as_function(random_graph(seed))
    value, grads = eager(fn, inputs)
    compiled = compile(fn, "python")
    assert bits(compiled(*inputs)) == bits(value)
    assert bits(compiled.jacobian(*inputs)) == bits(grads)
    columns = [np.array([x, x]) for x in inputs]
    batch, slopes = compiled.value_and_grad(*columns, wrt="inputs", reduction="none")
    assert bits(batch) == bits([value, value])
    assert bits(slopes) == bits([grads, grads])


def network(activation="relu", seed=3):
    rng = random.Random(seed)
    model = MLP(2, [5, 4, 1], activation=activation, rng=rng)
    return (
        model,
        lambda x, y: (
            micrograd.relu(1 - y * model(x))
            + 1e-3 * micrograd.sum([p * p for p in model.parameters()])
        ),
    )


SAMPLES = [[0.3, -1.2], [2.0, 0.1], [-0.7, 0.9], [1.5, 1.5], [-2.0, 0.4]]
TARGETS = [1.0, -1.0, 1.0, -1.0, -1.0]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_python_gives_the_bits_of_the_engine_for_the_loss_of_a_network(activation):
    model, loss = network(activation)
    compiled = compile(loss, "python")
    values, grads = compiled.value_and_grad(SAMPLES, TARGETS, reduction="none")
    assert compiled.parameters == model.parameters()
    for x, y, value, row in zip(SAMPLES, TARGETS, values, grads, strict=True):
        model.zero_grad()
        out = loss(x, y)
        out.backward()
        assert bits(value) == bits(out.data)
        assert bits(row) == bits([p.grad for p in model.parameters()])
        assert bits(compiled(x, y)) == bits(out.data)


@every_small_row
def test_edges_are_those_of_the_engine(op):
    """Where the engine gives a number for inf, nan or -0.0, so do all backends: the same."""
    python = compile(applied(op), "python", check="ignore")
    machine = compile(applied(op), "llvm", check="ignore")
    special = [INF, -INF, NAN, -0.0, 0.0, 1.0]
    for i in range(len(special) ** op.arity):
        row = [special[i // len(special) ** k % len(special)] for k in range(op.arity)]
        try:
            expected = float(op(*row))
        except MicrogradError:
            continue
        assert bits(python(*row)) == bits(expected), row
        if not (math.isnan(expected) or any(map(math.isnan, row))):
            assert machine(*row) == pytest.approx(expected, rel=4 * EPS, abs=0), row
        elif op.name != "peak":  # the order of nan among others is Python's own
            assert math.isnan(machine(*row)) == math.isnan(expected), row


@every_small_row
def test_infinities_and_nan_are_alike_in_every_backend_for_one_sample_and_a_batch(op):
    special = [0.0, -0.0, 1.0, -1.0, -2.5, 3.0, 800.0, -800.0, 1e308, INF, -INF, NAN]
    rows = list(itertools.product(special, repeat=op.arity))[:: 1 + 6 * (op.arity > 2)]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    got = []
    for backend in ("python", "llvm"):
        compiled = compile(applied(op), backend, check="ignore")
        values, slopes = compiled.value_and_grad(*columns, wrt="inputs", reduction="none")
        got.append(np.column_stack([values, slopes]))
        assert bits(compiled.map(*columns)) == bits(values)
        assert bits([compiled(*row) for row in rows]) == bits(values)
        assert bits([compiled.jacobian(*row) for row in rows]) == bits(slopes)
    for row, python, machine in zip(rows, *got, strict=True):
        assert machine == pytest.approx(python, rel=1e-13, abs=0, nan_ok=True), row


# ---- machine code and C have its numbers -----------------------------------------------------


def off(got, expected, scale=0.0):
    """Return how many ulp `got` is off, counted from `scale` if that is larger."""
    if got == expected or (got != got and expected != expected):
        return 0.0
    return abs(got - expected) / math.ulp(max(abs(expected), scale))


TRUTH = {
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh, "arctanh": mpmath.atanh,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    **{name: getattr(mpmath, name) for name in (
        "exp", "expm1", "log", "log1p", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh",
        "erf", "erfc",
    )},
}  # fmt: skip
WIDE = {
    "exp": 700, "sinh": 700, "cosh": 700, "sin": 1e5, "cos": 1e5, "tan": 1e4, "tanh": 20, "erf": 6,
    "arcsinh": 1e6, "sigmoid": 700, "softplus": 700, "expm1": 700, "erfc": 25, "arctan": 1e6,
}  # fmt: skip


@pytest.fixture(params=["vector library", "scalar library", "steps"])
def way(request, monkeypatch):
    """Compile straight code with glibc's vector functions or without, or steps that are read."""
    from micrograd.replay.llvm import emitter as llvm

    if request.param == "scalar library":
        monkeypatch.setattr(host(), "vector", {})
    elif request.param == "steps":
        monkeypatch.setattr(llvm, "_HUGE", -1)
    return request.param


@pytest.mark.parametrize("name", TRUTH)
def test_functions_of_machine_code_are_within_4_ulp_of_the_truth(name, way):
    op = ops.TABLE[name]
    rng = random.Random(name)
    low, high = op.domain[0]
    inputs = [rng.uniform(low, high) for _ in range(300)]
    inputs += [x * 10 ** rng.uniform(-9, 0) for x in inputs if low < 0 < high]
    inputs += [rng.uniform(-1, 1) * WIDE[name] for _ in range(300) if name in WIDE]
    with mpmath.workprec(120):
        for x, got in zip(inputs, compile(applied(op), "llvm").map(inputs), strict=True):
            true = TRUTH[name](mpmath.mpf(x))
            assert abs(mpmath.mpf(float(got)) - true) <= 4 * math.ulp(float(true)), x


@every_row
@pytest.mark.parametrize("huge", [60_000, -1], ids=["straight", "steps"])
def test_machine_code_is_within_4_ulp_for_every_row(op, huge, monkeypatch):
    monkeypatch.setattr("micrograd.replay.llvm.emitter._HUGE", huge)
    compiled = compile(applied(op), "llvm")
    rows = list(points(op, 40))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    values, slopes = compiled.value_and_grad(*columns, wrt="inputs", reduction="none")
    for row, value, grads in zip(rows, values, slopes, strict=True):
        expected, derivatives = eager(op, row)
        terms = 0.0
        if op.name in ("dot", "logsumexp"):  # counted from its terms, which may cancel
            terms = math.fsum(map(abs, row))
        assert off(value, expected, terms) <= 4, row
        for got, derivative in zip(grads, derivatives, strict=True):
            bound = DERIVATIVE * max(abs(derivative), min(1.0, abs(derivative) + abs(expected)))
            assert abs(got - derivative) <= bound, row


def sensitivity(fn, inputs):
    """Return the first-order effect on the result, in ulp, of one ulp at every node."""
    leaves = [Value(x) for x in inputs]
    out = fn(*leaves)
    if not isinstance(out, Value):
        return 0.0
    out.backward()
    total = 0.0
    for node in micrograd.graph.order(out):
        total += abs(node.data * node.grad)
        if node.op is not None and node.op.name == "dot":  # its terms are rounded as well
            pairs = len(node.parents) // 2
            data = [abs(parent.data) for parent in node.parents]
            products = [w * x for w, x in zip(data[:pairs], data[pairs:], strict=False)]
            total += sum(products) * abs(node.grad)
    return total * EPS


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("contract", [True, False])
def test_machine_code_is_within_4_ulp_a_node_for_random_graphs(seed, contract):
    fn, inputs = as_function(random_graph(seed))
    value, grads = eager(fn, inputs)
    compiled = compile(fn, "llvm", contract=contract)
    assert abs(compiled(*inputs) - value) <= 4 * sensitivity(fn, inputs)
    scale = max(map(abs, grads), default=1.0) + 1
    assert compiled.jacobian(*inputs) == pytest.approx(grads, rel=1e-12, abs=1e-13 * scale)


def test_machine_code_without_contraction_has_the_bits_of_the_engine_in_arithmetic():
    def fn(a, b, c):
        return (a * b - c) / (b + 3) + abs(a * c) * micrograd.relu(b - a) - micrograd.sum([a, b, c])

    python, machine = compile(fn, "python"), compile(fn, "llvm", contract=False)
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(3, 100))
    assert bits(python.map(*columns)) == bits(machine.map(*columns))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_machine_code_gives_the_gradient_of_a_network(activation):
    _, loss = network(activation)
    python, machine = compile(loss, "python"), compile(loss, "llvm")
    rng = np.random.default_rng(1)
    for n in (*range(1, 18), 1_023, 2_500):  # whole and incomplete blocks and chunks
        X, y = rng.normal(size=(n, 2)), rng.choice([-1.0, 1.0], n)
        expected, slopes = python.value_and_grad(X, y, reduction="none")
        value, grad = machine.value_and_grad(X, y, reduction="sum")
        each, rows = machine.value_and_grad(X, y, reduction="none")
        assert value == pytest.approx(expected.sum(), rel=1e-12)
        assert grad == pytest.approx(slopes.sum(axis=0), rel=1e-12, abs=1e-12)
        assert each == pytest.approx(expected, rel=1e-13, abs=1e-15)
        assert rows == pytest.approx(slopes, rel=1e-11, abs=1e-13)


def test_a_program_cut_into_segments_gives_the_same_numbers(monkeypatch):
    _, loss = network("tanh")
    whole = compile(loss, "llvm")
    expected = whole.value_and_grad(SAMPLES, TARGETS, reduction="none")
    monkeypatch.setattr("micrograd.replay.llvm.emitter._SEGMENT", 17)
    monkeypatch.setattr("micrograd.replay.llvm.emitter._IN_ONE_PIECE", 0)
    cut = compile(loss, "llvm")
    for one, other in zip(
        cut.value_and_grad(SAMPLES, TARGETS, reduction="none"), expected, strict=True
    ):
        assert one == pytest.approx(other, rel=1e-12, abs=1e-14)
    assert "@segment5" in cut.ir


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

    broken = [plain, deep, skipped, turned, repeated, tied, squared, scaled, gated]
    return [*broken, reversed_, kept, uneven, alternating, dependent, overlapping, carried]


@pytest.mark.parametrize("number", range(16))
def test_runs_of_like_steps_have_the_bits_of_straight_code(number, monkeypatch):
    samples = np.random.default_rng(number).normal(size=(29, 9))
    results = []
    for registers in (32, 16):  # with 32, small programs are straight code
        monkeypatch.setattr(host(), "registers", registers)
        compiled = compile(layers_of_values(random.Random(5))[number], "llvm")
        parts = [compiled.map(samples)]
        for n in (29, 16, 8, 7, 5, 4, 3, 1):
            parts += compiled.value_and_grad(samples[:n])
        parts += compiled.value_and_grad(samples, wrt="inputs", reduction="none")
        results.append([bits(np.ravel(part)) for part in parts])
        assert ("@micrograd_" in compiled.ir) == (registers == 16 and host().fuses)
    assert results[0] == results[1]
    eager = compile(layers_of_values(random.Random(5))[number], "python")
    value, gradient = eager.value_and_grad(samples)
    got = compiled.value_and_grad(samples)
    assert got[0] == pytest.approx(value, rel=1e-12)
    assert got[1] == pytest.approx(gradient, rel=1e-9, abs=1e-12)


def test_products_that_are_outputs_and_used_as_well_are_no_run(monkeypatch):
    w = [Value(0.1 * i - 0.4) for i in range(90)]

    def function(x):
        rows = [w[i : i + 10] for i in range(0, 80, 10)]
        first = [micrograd.dot(row[:9], x, row[9]) for row in rows]
        total = micrograd.dot(w[80:88], first, w[88])
        products = [x[0] * s for s in first]
        return [*products, micrograd.sum(products) * total]

    samples = np.random.default_rng(0).normal(size=(13, 9))
    monkeypatch.setattr(host(), "registers", 16)
    got = compile(function, "llvm").map(samples)
    assert got == pytest.approx(compile(function, "python").map(samples), rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("name", ["dot", "outer", "scale", "spread"])
def test_the_layers_of_a_network_are_runs_of_every_kind(name, monkeypatch):
    monkeypatch.setattr(host(), "registers", 16)
    model = MLP(9, [8, 8, 1], rng=random.Random(0))
    compiled = compile(lambda x: micrograd.tanh(model(x)), "llvm")
    compiled.value_and_grad(np.ones((3, 9)))
    called = re.findall(rf"call .*@micrograd_{name}_(\d)_2\(", compiled.ir)
    expected = {"dot": "44441", "outer": "14444", "scale": "14", "spread": "4"}[name]
    assert "".join(called) == (expected if host().fuses else "")


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT for one process")
def test_an_interrupt_is_heard_while_machine_code_is_made():
    model = MLP(2, [16, 16, 16, 1], rng=random.Random(0))
    compiled = compile(lambda x: micrograd.tanh(model(x)), "llvm")
    compiled([1.0, 2.0])
    ir = compiled.ir
    start = time.perf_counter()
    machine_code(ir)
    lasts = time.perf_counter() - start
    interrupt = threading.Timer(lasts / 2, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        machine_code(ir)
        interrupt.join()
        pytest.fail("the interrupt was lost")


def test_large_programs_are_compiled_quickly_and_rightly(monkeypatch):
    _, loss = network("tanh")
    expected = compile(loss, "llvm").value_and_grad(SAMPLES, TARGETS)
    monkeypatch.setattr("micrograd.replay.llvm.emitter._LARGE", 0)
    value, grad = compile(loss, "llvm").value_and_grad(SAMPLES, TARGETS)
    assert value == pytest.approx(expected[0], rel=1e-13)
    assert grad == pytest.approx(expected[1], rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("huge", [60_000, -1], ids=["straight", "steps"])
def test_the_bits_do_not_depend_on_the_number_of_threads(huge, monkeypatch):
    monkeypatch.setattr("micrograd.replay.llvm.emitter._HUGE", huge)
    _, loss = network("tanh")
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(10_007, 2)), rng.choice([-1.0, 1.0], 10_007)
    one = compile(loss, "llvm")
    value, grad = one.value_and_grad(X, y)
    for threads in (2, 3, 7):
        many = compile(loss, "llvm", threads=threads)
        other, slopes = many.value_and_grad(X, y)
        assert bits([value, *grad]) == bits([other, *slopes])
        assert bits(many.map(X, y)) == bits(one.map(X, y))


def test_a_graph_of_tens_of_thousands_of_nodes_is_read_as_steps():
    w = Value(0.75, label="w")

    def chain(x, y):
        a = x
        for _ in range(6_000):
            b = a * y
            a = b * w + b * x
        return a

    compiled = compile(chain, "llvm")
    value, slopes = compiled.value_and_grad([1.0, 0.5], [0.57, 0.8], wrt="inputs", reduction="none")
    program = next(iter(compiled._traces.values())).programs["inputs"][2].machine(sums=False)
    assert program._steps is not None
    assert compiled.stats.bytes > 4 * 5 * 40_000
    for i, (x, y) in enumerate(((1.0, 0.57), (0.5, 0.8))):
        growth = (0.75 + x) * y
        true = x * growth**6_000
        assert value[i] == pytest.approx(true, rel=1e-9)
        assert slopes[i] == pytest.approx(
            [true / x + 6_000 * true / (0.75 + x), 6_000 * true / y], rel=1e-9
        )


def test_the_time_of_a_large_graph_grows_with_its_nodes():
    def seconds(nodes):
        def chain(x):
            a = x
            for _ in range(nodes // 2):
                a = a * 0.999 + x
            return a

        start = time.process_time()  # which other programs do not make longer
        compile(chain, "llvm").value_and_grad([0.5], wrt="inputs")
        return time.process_time() - start

    seconds(2_000)
    assert seconds(45_000) < 3 * 3 * seconds(15_000)


def wide(v):
    """Return what has sums of more terms than are written or compiled in one piece."""
    return (
        micrograd.sum(v)
        + micrograd.dot(v, v[::-1])
        + micrograd.dot(v, v[1:] + v[:1], bias=v[3])
        + micrograd.softmax(v)[0]
    )


@every_backend
def test_sums_of_thousands_of_terms(backend):
    rng = random.Random(8)
    numbers = [rng.uniform(-1, 1) for _ in range(1_500)]
    expected, slopes = eager(lambda *v: wide(list(v)), numbers)
    compiled = compile(wide, backend)
    value, grad = compiled.value_and_grad([numbers], wrt="inputs")
    scale = math.fsum(map(abs, numbers))
    assert value == pytest.approx(expected, rel=1e-12, abs=4 * EPS * scale)
    assert grad == pytest.approx(slopes, rel=1e-11, abs=1e-13)
    if backend == "python":
        assert bits([value, *grad]) == bits([expected, *slopes])
        assert bits(compiled(numbers)) == bits(expected)
    else:
        assert "@segment10(" in compiled.ir


@pytest.mark.parametrize("count", [5, 6, 7, 8, 9, 10, 13, 17, 29])
def test_a_sum_in_parts_has_the_bits_of_one_in_one_piece(count, monkeypatch):
    rng = random.Random(count)
    numbers = [rng.uniform(-1, 1) for _ in range(count + 4)]
    got = []
    for most in (100, 4):
        monkeypatch.setattr("micrograd.replay.llvm.emitter._WIDE", most)
        got.append(compile(wide, "llvm").value_and_grad([numbers], wrt="inputs"))
    assert bits([got[0][0], *got[0][1]]) == bits([got[1][0], *got[1][1]])


def classes(count):
    """Return rows of logits: spread, all alike, one far above the others, and edge cases."""
    rng = random.Random(count)
    spread = [rng.uniform(-8, 8) for _ in range(count)]
    rows = [spread, [2.5] * count, [0.0, *[-40.0] * (count - 1)], [-INF] * count]
    for odd in ([INF], [INF, INF], [NAN], [INF, NAN], [-INF, 8.5], [8.5, 8.5], [-0.0]):
        row = list(spread)
        for x in odd:
            row[rng.randrange(count)] = x
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("count", [10, 11, 33])
def test_a_logsumexp_in_parts_has_the_bits_of_one_in_one_piece(count, monkeypatch):
    got = []
    for most in (100, 4):
        monkeypatch.setattr("micrograd.replay.llvm.emitter._WIDE", most)
        compiled = compile(micrograd.logsumexp, "llvm", check="ignore")
        logits = classes(count)
        values, slopes = compiled.value_and_grad(logits, wrt="inputs", reduction="none")
        got.append(bits(values) + bits(slopes))
    assert got[0] == got[1]


def test_a_logsumexp_of_hundreds_of_classes_is_cut_as_well():
    logits = classes(300)
    compiled = compile(micrograd.logsumexp, "llvm", check="ignore")
    mapped = compiled.map(logits)
    for row, value in zip(logits.tolist(), mapped.tolist(), strict=True):
        assert off(value, float(micrograd.logsumexp(row))) <= 4, row[:5]
    longest = max(map(len, compiled.ir.split("define internal void @segment")))
    assert longest < len(compiled.ir) / 5


def test_steps_without_inputs_and_with_many_parameters(monkeypatch):
    monkeypatch.setattr("micrograd.replay.llvm.emitter._HUGE", -1)
    values = [Value(float(i)) for i in range(50)]
    compiled = compile(lambda: micrograd.sum([micrograd.sin(v) * v for v in values]), "llvm")
    value, grad = compiled.value_and_grad()
    assert value == pytest.approx(sum(math.sin(i) * i for i in range(50)), rel=1e-12)
    true = [math.sin(i) + i * math.cos(i) for i in range(50)]
    assert grad == pytest.approx(true, rel=1e-12, abs=1e-15)
    assert compiled() == value


def test_a_map_of_many_samples_takes_no_memory_besides_its_result():
    compiled = compile(lambda x: micrograd.tanh(x * 0.5), "llvm", threads=2)
    X = np.linspace(-1, 1, 1_000_000)
    compiled.map(X[:10])
    tracemalloc.start()
    out = compiled.map(X)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < out.nbytes + 2**20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_threads_work_in_a_forked_process():
    compiled = compile(lambda x: x * x, "llvm", threads=2)
    X = np.arange(20_000.0)
    expected = compiled.map(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if not child:
        os._exit(0 if (compiled.map(X) == expected).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_hessians_of_machine_code():
    def fn(x, y):
        return micrograd.exp(x * y) + micrograd.sin(x) * y**3

    x, y = 0.7, -1.3
    e = math.exp(x * y)
    expected = [
        [y * y * e - math.sin(x) * y**3, e + x * y * e + 3 * math.cos(x) * y * y],
        [e + x * y * e + 3 * math.cos(x) * y * y, x * x * e + 6 * math.sin(x) * y],
    ]
    for backend in ("python", "llvm"):
        assert compile(fn, backend).hessian(x, y) == pytest.approx(np.array(expected), rel=1e-14)


def test_a_row_of_the_users_is_compiled_from_its_own_forward_rule():
    row = micrograd.define(
        name="softsign_of_replay",
        forward=lambda x: x / (1 + abs(x)),
        partials=lambda out, x: (1 / (1 + abs(x)) ** 2,),
    )
    try:
        for backend in ("python", "llvm"):
            compiled = compile(lambda x: row(x) * 2, backend)
            assert compiled(3.0) == 1.5
            assert compiled.jacobian(3.0).tolist() == [0.125]
    finally:
        ops.TABLE.pop("softsign_of_replay")


def test_a_row_without_machine_code_is_refused_by_name():
    row = micrograd.define(
        name="gamma_of_replay", forward=lambda x: math.gamma(x), partials=lambda out, x: (0,)
    )
    try:
        assert compile(lambda x: row(x), "python")(4.0) == 6.0
        with pytest.raises(TraceError, match=r"'gamma_of_replay' has no machine code.*python"):
            compile(lambda x: row(x), "llvm")(4.0)
    finally:
        ops.TABLE.pop("gamma_of_replay")


@every_backend
@pytest.mark.parametrize("name", ["mul", "tanh", "div"])
def test_a_fault_in_the_table_is_caught_in_every_backend(name, backend, monkeypatch):
    """Gradients come from the rows: a planted factor shows in all backends alike."""
    op = ops.TABLE[name]
    right = op.partials
    inputs = [0.5, 0.75][: op.arity]
    before = compile(applied(op), backend).jacobian(*inputs)
    try:
        object.__setattr__(
            op, "partials", lambda *args: tuple(slope * 1.001 for slope in right(*args))
        )
        after = compile(applied(op), backend).jacobian(*inputs)
    finally:
        object.__setattr__(op, "partials", right)
    assert after == pytest.approx(before * 1.001, rel=1e-12)


@pytest.mark.parametrize("name", ["mul", "tanh", "div"])
def test_a_fault_in_the_table_is_caught_in_steps_and_in_c(name, monkeypatch):
    op = ops.TABLE[name]
    right = op.partials
    inputs = [0.5, 0.75][: op.arity]

    def texts():
        compiled = compile(applied(op), "python")
        compiled(*inputs)
        return compiled.to_c("f")

    monkeypatch.setattr("micrograd.replay.llvm.emitter._HUGE", -1)
    before, text = compile(applied(op), "llvm").jacobian(*inputs), texts()
    try:
        object.__setattr__(
            op, "partials", lambda *args: tuple(slope * 1.001 for slope in right(*args))
        )
        after, faulty = compile(applied(op), "llvm").jacobian(*inputs), texts()
    finally:
        object.__setattr__(op, "partials", right)
    assert after == pytest.approx(before * 1.001, rel=1e-12)
    assert float.hex(1.001) not in text
    assert float.hex(1.001) in faulty


# ---- calls -----------------------------------------------------------------------------------


@every_backend
def test_parameters_are_live(backend):
    w = Value(2.0, label="w")
    compiled = compile(lambda x: w * x, backend)
    assert compiled(3.0) == 6.0
    w.data = 5
    assert compiled(3.0) == 15.0
    assert compiled.parameters == [w]


@every_backend
def test_backward_adds_to_grad_as_training_code_expects(backend):
    model, loss = network()
    total = micrograd.sum([loss(x, y) for x, y in zip(SAMPLES, TARGETS, strict=True)]) / 5
    total.backward()
    expected = [p.grad for p in model.parameters()]
    model.zero_grad()
    compiled = compile(loss, backend)
    for times in (1, 2):
        value = compiled.backward(SAMPLES, TARGETS)
        assert value == pytest.approx(total.data, rel=1e-13)
        assert [p.grad for p in model.parameters()] == pytest.approx(
            [times * g for g in expected], rel=1e-11, abs=1e-14
        )


@every_backend
def test_given_parameters_replace_the_present_ones(backend):
    model, loss = network()
    compiled = compile(loss, backend)
    value, grad = compiled.value_and_grad(SAMPLES, TARGETS)
    numbers = [p.data for p in model.parameters()]
    for p in model.parameters():
        p.data = 0.0
    other, slopes = compiled.value_and_grad(SAMPLES, TARGETS, parameters=numbers)
    assert bits([value, *grad]) == bits([other, *slopes])
    with pytest.raises(ValueError, match=r"expected 44 parameters, got .*\(2,\)"):
        compiled.value_and_grad(SAMPLES, TARGETS, parameters=[1.0, 2.0])


@every_backend
def test_several_outputs_give_a_list_and_a_jacobian(backend):
    compiled = compile(lambda x: [x[0] * x[1], x[0] + 2, 3.0], backend)
    assert compiled([2.0, 5.0]) == [10.0, 4.0, 3.0]
    assert compiled.map([[2.0, 5.0], [1.0, 1.0]]).tolist() == [[10, 4, 3], [1, 3, 3]]
    values, slopes = compiled.value_and_grad(
        [[2.0, 5.0], [1.0, 1.0]], reduction="sum", wrt="inputs", has_aux=True
    )
    assert values.tolist() == [11, 7, 6]
    assert slopes.tolist() == [6, 3]
    assert compiled.jacobian([2.0, 5.0]).tolist() == [[5, 2], [1, 0], [0, 0]]
    with pytest.raises(ValueError, match=r"returns a sequence of 3: .*jacobian"):
        compiled.value_and_grad([[2.0, 5.0]])


@every_backend
def test_a_new_shape_is_traced_again_and_kept(backend):
    seen = []

    def fn(x):
        seen.append(len(x))
        return micrograd.sum(x)

    compiled = compile(fn, backend)
    assert [compiled([1, 2]), compiled([1, 2, 3]), compiled([4, 5])] == [3, 6, 9]
    assert seen == [2, 2, 3, 3]  # run twice, as it changes what it can get at
    compiled.clear()
    assert compiled([1, 2]) == 3
    assert seen == [2, 2, 3, 3, 2, 2]


@every_backend
def test_a_leaf_that_the_function_makes_is_a_constant(backend):
    def fn(x):
        total = Value(0.5)
        return total + x * Value(2.0)

    compiled = compile(fn, backend)
    assert compiled(1.0) == 2.5
    assert compiled.parameters == []


@every_backend
def test_programs_are_freed_at_once(backend):
    compiled = compile(lambda x: W * x, backend)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            compiled(1.0)
            compiled.value_and_grad(np.ones(5))
        held = []
        for trace in compiled._traces.values():
            for _, _, kernel in trace.programs.values():
                machines = getattr(kernel, "_machines", {}).values()
                held += map(weakref.ref, [kernel, *[machine._engine for machine in machines]])
        del trace, kernel, machines
        assert len(held) == (6 if backend == "llvm" else 2)
        assert all(one() is not None for one in held)
        compiled.clear()
        assert not any(one() is not None for one in held)
    finally:
        gc.enable()


@every_backend
def test_results_of_parameters_are_computed_again(backend):
    a, b = Value(2.0), Value(3.0)
    compiled = compile(lambda x: (a * b + a) * x, backend)
    assert compiled(1.0) == 8.0
    a.data = 1.0
    assert compiled(1.0) == 4.0
    assert compiled.value_and_grad([1.0])[1].tolist() == [4.0, 1.0]


@every_backend
def test_a_function_without_inputs_or_without_parameters(backend):
    w = Value(3.0)
    assert compile(lambda: w * w, backend)() == 9.0
    assert compile(lambda: w * w, backend).value_and_grad()[1].tolist() == [6.0]
    value, grad = compile(lambda x: x * x, backend).value_and_grad([3.0])
    assert (value, grad.shape) == (9.0, (0,))
    assert compile(lambda x: 7, backend)(1.0) == 7.0


@every_backend
def test_a_trace_inside_no_grad_keeps_parameters_live(backend):
    w = Value(2.0)
    compiled = compile(lambda x: w * w * x, backend)
    with micrograd.no_grad():
        assert compiled(1.0) == 4.0
    w.data = 3.0
    assert compiled(1.0) == 9.0


def test_a_trace_sees_the_context_variables_of_its_caller():
    scale = contextvars.ContextVar("scale", default=1.0)
    scale.set(3.0)
    assert compile(lambda x: x * scale.get(), "python")(2.0) == 6.0


def test_where_and_detach_stay_in_the_graph():
    compiled = compile(lambda x: micrograd.where(x.greater(0), x * x.detach(), -x), "llvm")
    assert [compiled(3.0), compiled(-3.0)] == [9.0, 3.0]
    assert [compiled.jacobian(3.0)[0], compiled.jacobian(-3.0)[0]] == [3.0, -1.0]


@every_backend
def test_wrong_inputs_are_errors_with_both_numbers(backend):
    compiled = compile(lambda x, y: x * y, backend)
    with pytest.raises(ValueError, match=r"got 1 argument"):
        compiled(1.0)
    with pytest.raises(ValueError, match=r"got 3 and 2"):
        compiled.map([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(TypeError, match="leading sample axis"):
        compiled.map(1.0, 2.0)
    with pytest.raises(TypeError, match="expected a number"):
        compiled("a", 1.0)
    with pytest.raises(ValueError, match="'mean', 'sum', 'none', got 'all'"):
        compiled.value_and_grad([1.0], [1.0], reduction="all")
    with pytest.raises(ValueError, match="at least one sample"):
        compiled.value_and_grad([], [])
    assert compiled.map([], []).shape == (0,)


def test_options_are_checked():
    with pytest.raises(ValueError, match="'auto', 'python', 'llvm', got 'gpu'"):
        compile(abs, "gpu")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        compile(abs, threads=0)
    with pytest.raises(TypeError, match="expected a function"):
        compile(3.0)


def test_only_the_given_parameters_are_live():
    a, b = Value(2.0), Value(3.0, label="b")
    assert compile(lambda x: a * b * x, parameters=[b, a])(1.0) == 6.0
    with pytest.raises(ValueError, match=r"Value\(data=3.0, .*not among the given parameters"):
        compile(lambda x: a * b * x, parameters=[a])(1.0)


def test_parameters_have_to_be_values():
    with pytest.raises(TypeError, match=r"a sequence of Values, got 1 \(int\)"):
        compile(lambda x: x, parameters=[1, 2])
    with pytest.raises(TypeError, match=r"a sequence of Values, got Value\(data=2"):
        compile(lambda x: x, parameters=Value(2))


@every_backend
def test_inputs_of_every_kind_of_number_and_sequence(backend):
    compiled = compile(lambda x: x * 2, backend)
    for one in (3, True + 2, Fraction(3), np.int8(3), np.float32(3), np.array(3), Value(3)):
        assert compiled(one) == 6.0
    second = compile(lambda x: x[1] * 2, backend)
    for two in ([1, 3], (1, 3), range(1, 5, 2), array("d", [1, 3]), np.array([1, 3])):
        assert second(two) == 6.0
    for three in ([0, 3], np.array([0, 3], dtype=object), np.array([0, 3], dtype=">i2")):
        assert compiled.map(three).tolist() == [0.0, 6.0]
    assert compiled.map([Fraction(1, 2), Value(3), True]).tolist() == [1.0, 6.0, 2.0]


@every_backend
def test_masked_numbers_are_refused(backend):
    compiled = compile(lambda x, y: W * x * y, backend)
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    whole = np.ma.array([1.0, 2.0, 3.0])
    for _ in range(3):  # the third call of a shape goes a shorter way
        for method in (compiled.map, compiled.value_and_grad):
            with pytest.raises(TypeError, match="an array of numbers, got one with 1 masked"):
                method(whole, masked)
        assert compiled.map(whole, whole).tolist() == [1.5, 6.0, 13.5]
        assert compiled.value_and_grad(whole, whole)[0] == 7.0
        assert compiled.value_and_grad(whole.data, whole.data)[0] == 7.0


@every_backend
def test_a_table_is_one_sample_or_a_batch(backend):
    class Table:
        """What a DataFrame is to NumPy: it has dimensions, and no tolist."""

        ndim = 2

        def __array__(self, dtype=None, copy=None):
            return np.array([[1.0, 3.0], [2.0, 4.0]])

    table = Table()
    assert compile(lambda x: x[0] * x[1], backend).map(table).tolist() == [3.0, 8.0]
    assert compile(lambda x: x[0][1] * x[1][0], backend)(table) == 6.0


@every_backend
def test_what_is_no_number_is_refused_also_in_a_batch(backend):
    compiled = compile(lambda x: W * x, backend)
    for wrong in ("3", None, 1j, {"a": 1}, {1, 2}):
        with pytest.raises(TypeError, match="expected a number or a sequence of numbers, got"):
            compiled(wrong)
    for wrong in (["1", "2"], [1.0, None], [1.0, "2", W], [1j], [[1.0, 2.0], [3.0]]):
        with pytest.raises(TypeError, match="expected an array of numbers"):
            compiled.map(wrong)
    for method in (compiled, lambda x: compiled.map([x])):
        with pytest.raises(OverflowError, match="within the range of a float"):
            method(10**400)
    W.data = 10**400
    try:
        for method in (compiled, lambda x: compiled.map([x])):
            with pytest.raises(OverflowError, match="parameters within the range of a float"):
                method(1.0)
    finally:
        W.data = 1.5


class Line(Module):
    """What has compiled methods."""

    def __init__(self, slope):
        self.slope = Value(slope)

    @compile
    def at(self, x):
        """A point of the line."""
        return self.slope * x

    @compile(backend="python", check="ignore")
    def twice(self, x):
        return self.at(x) * 2


def test_a_decorated_method_is_compiled_for_each_object():
    one, two = Line(3.0), Line(5.0)
    assert [one.at(2.0), two.at(2.0), one.at(1.0), one.twice(1.0)] == [6.0, 10.0, 3.0, 6.0]
    assert one.at is one.at
    assert (one.at.__doc__, one.twice.check) == ("A point of the line.", "ignore")
    assert one.parameters() == one.at.parameters == [one.slope]
    one.slope.data = 4.0
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert [other.at(1.0), other.twice(1.0)] == [4.0, 8.0]
        other.slope.data = 7.0
        assert [other.at(1.0), other.at(2.0), one.at(1.0)] == [7.0, 14.0, 4.0]
    assert pickle.loads(pickle.dumps(one.at))(1.0) == 4.0


class Raised(Line):
    """Overrides a compiled method, and calls it."""

    def at(self, x):
        return super().at(x) + 1

    def below(self):
        return super().at


class Doubled(Line):
    """Overrides a compiled method with another."""

    @compile
    def at(self, x):
        return super().at(x) * 2


def test_a_compiled_method_called_through_super_does_not_hide_the_override():
    one = Raised(2.0)
    assert [one.at(1.0), one.at(1.0), one.at(1.0)] == [3.0] * 3
    assert one.below() is one.below()
    assert pickle.loads(pickle.dumps(one.below()))(1.0) == 2.0
    for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        other.slope = Value(7.0)
        assert [other.at(1.0), other.below()(1.0), other.at(1.0)] == [8.0, 7.0, 8.0]
    assert one.at(1.0) == 3.0
    two = Doubled(2.0)
    assert [two.at(1.0), two.at(1.0), *two.at.map([1.0])] == [4.0] * 3


def test_a_shallow_copy_has_a_compiled_method_of_its_own():
    one = Line(3.0)
    assert [one.at(1.0), one.twice(1.0)] == [3.0, 6.0]
    other = copy.copy(one)
    other.slope = Value(7.0)
    assert [other.at(1.0), other.twice(1.0), one.at(1.0), one.twice(1.0)] == [7.0, 14.0, 3.0, 6.0]
    one.at = 5
    assert (one.at, other.at(1.0)) == (5, 7.0)
    del one.at
    assert one.at(1.0) == 3.0


class Area:
    """Has compiled properties, and a compiled method."""

    def __init__(self):
        self.side = Value(3.0)

    @property
    @compile
    def area(self):
        return self.side**2

    @functools.cached_property
    @compile
    def around(self):
        return 4 * self.side

    @compile
    def times(self, x):
        return self.side * x


class Larger(Area):
    """Overrides them, and calls what it overrides."""

    @property
    @compile
    def area(self):
        return super().area + 1

    @compile
    def times(self, x):
        return Area.times(self, x) * 10


class Largest(Larger):
    """Overrides a compiled property with an ordinary one."""

    @property
    def area(self):
        return super().area + 100


def test_a_property_can_be_compiled():
    areas = [Area(), Larger(), Largest()]
    assert [one.area for one in areas] == [9.0, 10.0, 110.0]
    assert [one.around for one in areas] == [12.0] * 3
    for copied in (copy.deepcopy(areas), pickle.loads(pickle.dumps(areas))):
        for one in copied:
            one.side.data = 2.0
        assert [one.area for one in copied] == [4.0, 5.0, 105.0]
    assert [one.area for one in areas] == [9.0, 10.0, 110.0]
    with pytest.raises(TypeError, match=r"got <property .*: put @property above"):
        compile(property(lambda self: self.side))


def test_a_compiled_method_can_be_called_through_its_class():
    one, two = Area(), Larger()
    assert [Area.times(one, 2.0), Area.times(two, 2.0), Larger.times(two, 2.0)] == [6.0, 6.0, 60.0]
    assert two.times(2.0) == 60.0
    for method in (Area.times.map, Area.times.value_and_grad, Area.times.backward):
        with pytest.raises(TypeError, match=r"times is a method, .*Area object.*obj\.times"):
            method(one, [2.0])
    for method in (Area.times.jacobian, Area.times.hessian):
        with pytest.raises(TypeError, match=r"times is a method, .*Area object.*obj\.times"):
            method(one, 2.0)


def test_a_method_of_what_keeps_no_attributes_is_refused():
    class Narrow:
        __slots__ = ()

        @compile
        def at(self, x):
            return x

    with pytest.raises(TypeError, match=r"at cannot be compiled for .*keeps no attributes"):
        Narrow().at(1.0)


@every_backend
def test_a_compiled_function_is_a_part_of_another(backend):
    w = Value(2.0)
    inner = compile(lambda x, y: w * x * y, backend)
    outer = compile(lambda x: inner(x, 3.0) + inner(1.0, 1.0), backend)
    assert [inner(1.0, 1.0) for _ in range(3)] == [2.0] * 3  # it has ways of its own by now
    assert outer(2.0) == 14.0
    w.data = 1.0
    assert outer(2.0) == 7.0
    assert outer.parameters == [w]
    assert outer.value_and_grad([2.0])[1].tolist() == [7.0]
    assert compile(inner, backend)(2.0, 3.0) == 6.0
    with pytest.raises(TraceError, match=r"call value_and_grad of a compiled .*create_graph=True"):
        compile(lambda x: inner.value_and_grad([1.0], [1.0])[0] * x, backend)(1.0)
    copied = pickle.loads(pickle.dumps(inner))
    with pytest.raises(ValueError, match="without its function"):
        compile(lambda x: copied(x, 1.0), backend)(1.0)


@every_backend
def test_threads_can_share_a_compiled_function(backend):
    w = [Value(float(i)) for i in range(1, 9)]
    compiled = compile(
        lambda x: micrograd.sum([a * b for a, b in zip(w, x, strict=False)]), backend
    )
    wrong = []
    stop = threading.Event()

    def call(seed):
        rng = random.Random(seed)
        try:
            while not stop.is_set():  # each shape reaches other parameters
                size = rng.randint(1, 8)
                total = size * (size + 1) / 2
                value, grad = compiled.value_and_grad(np.ones((3, size)))
                assert (value, grad[:size].tolist()) == (total, [1.0] * size)
                assert compiled([1.0] * size) == total
                assert compiled.map(np.ones((2, size))).tolist() == [total] * 2
        except BaseException as error:
            wrong.append(error)

    def clear():
        for _ in range(20):
            time.sleep(0.02)
            compiled.clear()
        stop.set()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=call, args=(seed,)) for seed in (1, 2, 3)]
        threads.append(threading.Thread(target=clear))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert wrong == []


# ---- training --------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["hinge", "mse", "bce", "cross_entropy"])
@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_fit_compiled_gives_the_parameters_and_history_of_the_engine(loss, batch_size, optimizer):
    rng = random.Random(5)
    outputs = 3 if loss == "cross_entropy" else 1
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [rng.randrange(outputs if outputs > 1 else 2) for _ in X]
    runs = []
    for choice in (False, True):
        model = MLP(2, [6, outputs], activation="tanh", rng=random.Random(1))
        parameters = model.parameters()
        chosen = SGD(parameters, lr=0.05, momentum=0.9) if optimizer == "sgd" else Adam(parameters)
        history = fit(
            model, X, y, loss, chosen, steps=100, batch_size=batch_size, seed=3, compile=choice
        )
        runs.append((history, [p.data for p in parameters]))
    (eager_history, expected), (history, got) = runs
    assert got == pytest.approx(expected, rel=1e-10, abs=1e-13)
    assert history.loss == pytest.approx(eager_history.loss, rel=1e-10, abs=1e-14)
    assert history.accuracy == pytest.approx(eager_history.accuracy, abs=1e-12)


def test_fit_compiles_by_itself_where_there_is_work_enough():
    from micrograd.replay.training import is_worth_compiling

    assert is_worth_compiling(100, 337)
    assert not is_worth_compiling(4, 337)


class Branching(Module):
    """A model that cannot be traced."""

    def __init__(self):
        self.w = Value(0.5)

    def __call__(self, x):
        return self.w * x[0] if x[0] > 0 else self.w * 2


def test_fit_of_a_model_that_cannot_be_traced_is_left_to_the_engine(monkeypatch):
    monkeypatch.setattr("micrograd.replay.training.compiled_steps._WORTH", 0)
    X, y = [[1.0], [-1.0]], [0, 1]
    automatic, plain = Branching(), Branching()
    fit(automatic, X, y, steps=3)
    fit(plain, X, y, steps=3, compile=False)
    assert automatic.w.data == plain.w.data
    with pytest.raises(TraceError, match=r"micrograd\.where"):
        fit(plain, X, y, steps=3, compile=True)
    with pytest.raises(ValueError, match="'auto', got 'fast'"):
        fit(plain, X, y, steps=3, compile="fast")
    with pytest.raises(ValueError, match="can be compiled here"):
        fit(plain, X, y, lambda scores, y: scores[0], steps=1, compile=True)


# ---- what cannot be replayed -----------------------------------------------------------------

W = Value(1.5, label="W")


def _mutates(x):
    W.data = 2.0
    return W * x


def _changes_a_gradient(x):
    W.grad = 5.0
    return W * x


NET = MLP(1, [1], rng=random.Random(0))
DESCENT = SGD(NET.parameters(), 0.1)


def _updates(x):
    DESCENT.step()
    return NET([x])


def _generates(x):
    yield x * float(W)


def _clears(x):
    NET.zero_grad()
    return NET([x])


GENERATOR = np.random.default_rng(0)
from_numpy = np.random.normal


class Noisy:
    """What draws from a generator of its own."""

    def __init__(self):
        self.own = np.random.RandomState(1)

    def __call__(self, x):
        return x * self.own.normal()


NOISY = Noisy()


REFUSED = {
    "branch": lambda x: x if x > 0 else -x,
    "truth": lambda x: x if x else -x,  # noqa: FURB110
    "equality": lambda x: x if x == 1 else -x,
    "float": lambda x: float(x) * x,
    "int": lambda x: int(x) * x,
    "index": lambda x: [1, 2][x] * x,
    "hash": lambda x: {x: 1}[x] * x,
    "math": lambda x: math.exp(x) * x,
    "round": lambda x: round(x) * x,
    "data": lambda x: x.data * x,
    "parameter branch": lambda x: x if W > 0 else -x,
    "parameter with symbol": lambda x: x if x < W else -x,
    "parameter float": lambda x: x * float(W),
    "parameter data": lambda x: x * W.data,
    "parameter detach": lambda x: x * W.detach(),
    "mutation": _mutates,
    "random": lambda x: x * random.random(),
    "own random": lambda x: x * random.Random(3).gauss(0, 1),
    "numpy random": lambda x: x * float(np.random.rand()),
    "numpy generator": lambda x: x * GENERATOR.normal(),
    "numpy function": lambda x: x * from_numpy(),
    "numpy generator of an object": lambda x: NOISY(x),
    "system random": lambda x: x * secrets.randbelow(5),
    "gradient as numbers": lambda x: x * gradient(W * W, W),
    "derivative as a number": lambda x: x * micrograd.grad(lambda w: w * w)(W),
    "Value of it": lambda x: Value(x) * 2,
    "format": lambda x: x * float(f"{x:.2f}"),
    "generator": _generates,
    "copy": lambda x: x * copy.copy(W),
    "copy of a model": lambda x: copy.deepcopy(NET)([x]),
    "pickle": lambda x: x * pickle.loads(pickle.dumps(W)),
    "gradient change": _changes_a_gradient,
    "update": _updates,
    "zero_grad": _clears,
    "backward": lambda x: x.backward(),
    "grad": lambda x: x * x.grad,
    "grad of a traced value changed": lambda x: setattr(x, "grad", 1.0),
    "parameter grad": lambda x: x * W.grad,
    "grad of a result": lambda x: x * (W * W).grad,
    "grad by its name": lambda x: x * operator.attrgetter("grad")(W),
    "parameter grads of a model": lambda x: sum(p.grad for p in NET.parameters()) * x,
    "parameter branch with a number of its own": lambda x: max(W, Value(1.0)) * x,
    "state of a model": lambda x: x * next(iter(NET.state_dict().values())),
    "inputs": lambda x: x * (W * 2).inputs[0],
    "local derivatives": lambda x: x * (W * W).local_derivatives()[0],
    "a thread": lambda x: in_a_thread(lambda: W.data * x),
    "data in a pool": lambda x: x * next(ThreadPoolExecutor(1).map(lambda w: w.data, [W])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_depends_on_the_number_is_refused_with_the_line(name):
    state = random.getstate(), np.random.get_state()
    before = [(leaf.data, leaf.grad) for leaf in (W, *NET.parameters())]
    try:
        with pytest.raises(TypeError) as caught:
            compile(REFUSED[name], "python")(1.0)
        assert [(leaf.data, leaf.grad) for leaf in (W, *NET.parameters())] == before
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        W.grad = 0
    message = str(caught.value)
    assert "traced function cannot" in message
    assert "test_compiled.py, line" in message
    assert "`" in message
    if "branch" in name or name in ("truth", "equality"):
        assert "micrograd.where(micrograd.greater" in message
    assert sys.getprofile() is None


def test_numbers_of_its_own_may_be_compared_and_traced_ones_copied():
    fn = compile(lambda x: max(Value(1.0), Value(3.0), 2.0) * copy.deepcopy([x])[0] * W, "python")
    assert fn(2.0) == 9.0


def test_what_an_import_draws_is_refused_with_the_line_of_the_user():
    # As where numpy.random is imported, which seeds itself: the frame is that of Python's importer.
    imported = builtins.compile("os.urandom(8)", "<frozen importlib._bootstrap>", "exec")
    with pytest.raises(TraceError, match=r"draw random numbers \(test_compiled.py, line .*exec"):
        compile(lambda x: exec(imported) or x, "python")(1.0)


def test_a_symbol_of_another_trace_is_refused():
    kept = []
    compile(lambda x: kept.append(x) or x, "python")(1.0)
    with pytest.raises(TraceError, match="another trace"):
        compile(lambda x: x * kept[0], "python")(1.0)


@pytest.mark.parametrize(
    ("result", "shown"),
    [({"a": 1}, r"\{'a': 1\} \(dict"), (None, r"None \(NoneType"), ([], r"\[\] \(list")],
)
def test_a_result_that_is_no_number_is_refused(result, shown):
    with pytest.raises(TypeError, match="expected the function to return a Value.*" + shown):
        compile(lambda x: result, "python")(1.0)


def test_what_other_threads_do_is_no_reason_to_refuse():
    traced = threading.Event()

    def draw():
        traced.wait()
        random.gauss(0, 1)
        np.random.normal()
        np.random.RandomState(0).normal()
        seen.append(W.data > W.grad)

    def fn(x):
        traced.set()
        other.join()
        return W * x

    seen = []
    other = threading.Thread(target=draw)
    other.start()
    assert compile(fn, "python")(2.0) == 3.0
    assert seen == [True]


def in_a_thread(fn):
    """Return what a function gives that is called in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(fn()))
    thread.start()
    thread.join()
    return results[0]


# ---- gradients inside --------------------------------------------------------------------------


def penalty(x, w):
    """Return a loss with the square of its own slope in the input, as in a gradient penalty."""
    y = micrograd.tanh(w * x) * x
    return y + gradient(y, x, create_graph=True) ** 2 + gradient(y, w, create_graph=True)


@every_backend
def test_a_gradient_inside_is_a_part_of_the_graph(backend):
    w = Value(0.7, label="w")
    compiled = compile(lambda x: penalty(x, w), backend)
    for at in (0.7, -1.3):  # one of them the number that w has
        x = Value(at)
        out = penalty(x, w)
        w.grad = 0
        out.backward()
        assert compiled(at) == pytest.approx(out.data, rel=1e-14)
        assert compiled.value_and_grad([at])[1] == pytest.approx([w.grad], rel=1e-13)
        assert compiled.jacobian(at) == pytest.approx([x.grad], rel=1e-13)
        if backend == "python":
            got = [compiled(at), *compiled.value_and_grad([at])[1], *compiled.jacobian(at)]
            assert bits(got) == bits([out.data, w.grad, x.grad])


@every_backend
def test_a_gradient_as_a_number_is_a_constant_of_the_graph(backend):
    def fn(x):
        return x * gradient(x**3, x)

    compiled = compile(fn, backend)
    assert compiled(2.0) == 24.0
    assert compiled.jacobian(2.0).tolist() == [12.0]
    x = Value(2.0)
    fn(x).backward()
    assert x.grad == 12.0


@every_backend
def test_derivatives_of_functions_can_be_compiled(backend):
    w = Value(3.0)
    slope = compile(micrograd.grad(lambda x: w * x**3), backend)
    assert slope(2.0) == 36.0
    w.data = 1.0
    assert slope(2.0) == 12.0
    assert slope.jacobian(2.0).tolist() == [12.0]
    both = compile(lambda x: micrograd.value_and_grad(lambda v: v[0] * v[1])(x)[1], backend)
    assert both([2.0, 5.0]) == [5.0, 2.0]
    curved = compile(
        lambda x: [h for row in micrograd.hessian(lambda v: v[0] ** 2 * v[1])(x) for h in row],
        backend,
    )
    assert curved([3.0, 5.0]) == [10.0, 6.0, 6.0, 0.0]
    # In a number of the function's own, that equals another.
    inner = compile(lambda x: micrograd.grad(lambda t: t * t * 3.0 * x)(3.0), backend)
    assert inner(2.0) == 36.0
    assert compile(lambda x: micrograd.grad(lambda t: t**2)(3.0) * x, backend)(2.0) == 12.0


# ---- results that are not finite -------------------------------------------------------------


FINITE = {  # whatever happens on the way
    "overflow": (lambda x: 1 / micrograd.exp(x), 1000.0, 0.0),
    "overflow of a power": (lambda x: 1 / x**5, -1e200, -0.0),
    "overflow below": (lambda x: micrograd.tanh(micrograd.sinh(x)), -1000.0, -1.0),
    "pole": (lambda x: micrograd.tanh(1 / x), -0.0, -1.0),
    "logarithm of 0": (lambda x: micrograd.exp(micrograd.log(x)), 0.0, 0.0),
    "choice": (lambda x: micrograd.where(micrograd.greater(x, 0), micrograd.log(x), x), -2.0, -2.0),
    "huge integer": (lambda x: x / 10**5000, 3.0, 0.0),
}


@every_backend
@pytest.mark.parametrize("name", FINITE)
def test_a_finite_result_is_no_error_whatever_is_on_the_way(name, backend):
    fn, x, expected = FINITE[name]
    compiled = compile(fn, backend)
    assert compiled(x) == expected
    assert compiled.map([x, x]).tolist() == [expected] * 2
    if name in ("choice", "huge integer"):  # so is its derivative
        slope = float(name == "choice")
        assert compiled.jacobian(x).tolist() == [slope]
        assert compiled.value_and_grad([x], wrt="inputs")[1].tolist() == [slope]
    else:
        with pytest.raises((ArithmeticError, ValueError)):
            compiled.jacobian(x)
        with pytest.raises((ArithmeticError, ValueError), match="sample 0"):
            compiled.value_and_grad([x], wrt="inputs")


@every_backend
def test_an_ignored_infinity_is_one_for_one_sample_and_for_a_batch(backend):
    pole = compile(lambda x: [x, 1 / x], backend, check="ignore")
    assert pole(-0.0) == [0.0, -INF]
    assert pole.map([-0.0, 0.0]).tolist() == [[0.0, -INF], [0.0, INF]]
    assert pole.jacobian(0.0).tolist() == [[1.0], [-INF]]
    log = compile(lambda x: micrograd.log(x), backend, check="ignore")
    assert log(0.0) == log.map([0.0])[0] == -INF
    assert log.hessian(0.0).tolist() == [[-INF]]
    value, slope = log.value_and_grad([0.0], wrt="inputs")
    assert (value, slope.tolist()) == (-INF, [INF])
    with pytest.warns(RuntimeWarning, match=r"log\(x=0.0\) is undefined"):
        assert compile(lambda x: micrograd.log(x), backend, check="warn")(0.0) == -INF


@every_backend
@pytest.mark.parametrize("check", ["raise", "ignore"])
@pytest.mark.parametrize("n", [1, 3, 9, 16])
def test_a_sum_is_finite_where_twice_a_result_is_not(n, check, backend, monkeypatch):
    if backend == "llvm":
        monkeypatch.setattr(host(), "registers", 16)
    w = [*[Value(1.0) for _ in range(8)], Value(0.0)]
    samples = np.zeros((n, 8))
    samples[-1, 0], samples[0, 1] = 1.7e308, -1.7e308
    compiled = compile(lambda x: micrograd.dot(w[:8], x, w[8]), backend, check=check)
    for _ in range(3):
        value, slopes = compiled.value_and_grad(samples, reduction="sum")
        assert (value, slopes.tolist()) == (0, [1.7e308, -1.7e308, 0, 0, 0, 0, 0, 0, n])


@every_backend
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_sum_over_finite_samples_that_is_not_finite_is_an_error(reduction, backend):
    w = Value(1.0)
    samples = np.full(3, 1e308)
    compiled = compile(lambda x: w * x, backend)
    with pytest.raises(NonFiniteError, match=r"the sum over 3 samples of what .* gives is inf"):
        compiled.value_and_grad(samples, reduction=reduction)
    with pytest.raises(NonFiniteError):
        compiled.backward(samples, reduction=reduction)
    assert w.grad == 0
    compiled.check = "warn"
    with pytest.warns(RuntimeWarning, match="the sum over 3 samples"):
        assert compiled.value_and_grad(samples, reduction=reduction)[0] == INF
    compiled.check = "ignore"
    assert compiled.value_and_grad(samples, reduction=reduction)[0] == INF


@every_backend
@pytest.mark.parametrize("exponent", [0.5, Value(0.5, label="half")])
def test_a_power_is_never_complex(exponent, backend):
    compiled = compile(lambda x: abs(x**exponent), backend)
    with pytest.raises(ValueError, match=r"-8.0 \*\* .*0.5 is undefined"):
        compiled(-8.0)
    assert compiled(4.0) == 2.0


@every_backend
def test_a_value_that_is_not_finite_is_named_with_its_sample(backend):
    w = Value(1.0, label="w")
    compiled = compile(lambda x: micrograd.log(x * w) + 1, backend)
    with pytest.raises(ValueError, match=r"sample 2: log\(.*-1.0\) is undefined"):
        compiled.map([1.0, 2.0, -1.0])
    with pytest.raises(ValueError, match=r"^log\("):
        compiled(-1.0)
    with pytest.raises(ValueError, match="sample 1: "):
        compiled.value_and_grad([1.0, -1.0])
    with pytest.raises(OverflowError, match="sample 0: exp"):
        compile(lambda x: micrograd.exp(x), backend).map([1e3, 1.0])
    with pytest.raises(NonFiniteError, match=r"input x of .* is nan"):
        compiled(NAN)
    big = compile(lambda x: x * x, backend)
    with pytest.raises(ArithmeticError, match=r"x=1e\+200 \* x=1e\+200 is inf"):
        big(1e200)


@every_backend
def test_a_derivative_that_is_not_finite_is_named(backend):
    w = Value(0.0, label="w")
    compiled = compile(lambda x: micrograd.sqrt(w) * x, backend)
    assert compiled(1.0) == 0.0
    with pytest.raises(ZeroDivisionError, match=r"sample 0: no finite derivative of sqrt\(w=0.0\)"):
        compiled.value_and_grad([1.0])
    root = compile(lambda x: micrograd.sqrt(x), backend)
    with pytest.raises(ZeroDivisionError, match=r"^no finite derivative of sqrt\(x=0.0\)"):
        root.jacobian(0.0)
    steep = compile(lambda x: x**1.5, backend)
    assert steep.jacobian(0.0).tolist() == [0.0]
    with pytest.raises(ZeroDivisionError, match=r"^no finite derivative of x=0.0 \*\* 0.5"):
        steep.hessian(0.0)
    with pytest.raises(NonFiniteError, match=r"gradient of operand 'x' = 1e-300 of .* is inf"):
        compile(lambda x: x**1.5 * 1e200, backend).hessian(1e-300)


@every_backend
def test_an_infinite_slope_times_nothing_is_nothing_as_in_the_engine(backend):
    compiled = compile(lambda x, y: micrograd.where(y, micrograd.sqrt(x), 2 * x), backend)
    value, grad = compiled.value_and_grad([0.0, 4.0], [0.0, 1.0], wrt="inputs", reduction="none")
    assert value.tolist() == [0.0, 2.0]
    assert grad.tolist() == [[2.0, 0.0], [0.25, 0.0]]
    assert compiled.value_and_grad([0.0, 4.0], [0.0, 1.0], wrt="inputs", reduction="sum")[
        1
    ].tolist() == [2.25, 0.0]
    assert compiled.jacobian(0.0, 0.0).tolist() == [2.0, 0.0]


@every_backend
def test_the_check_can_warn_or_be_left_out(backend):
    warning = compile(lambda x: micrograd.log(x), backend, check="warn")
    with pytest.warns(RuntimeWarning, match="sample 1: log"):
        out = warning.map([1.0, -1.0])
    assert math.isnan(out[1])
    with pytest.warns(RuntimeWarning) as seen:
        warning.backward([1.0, -1.0, 0.0, 2.0])
    (told,) = [str(one.message) for one in seen]
    assert told.startswith("sample 1: log(x=-1.0) is undefined: log is not defined at -1.0; ")
    assert told.endswith(" (and 1 more)")
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(compile(lambda x: micrograd.log(x), backend, check="ignore")(-1.0))


@every_backend
def test_one_bad_sample_in_a_large_batch_is_found_in_little_memory(backend, monkeypatch):
    monkeypatch.setattr("micrograd.replay.compiled._NUMBERS", 1_000)
    values = [Value(0.5) for _ in range(20)]
    X = np.ones(20_000)
    X[13_001] = X[17_000] = -1.0

    def fn(x):
        return micrograd.sum([micrograd.log(x) * v for v in values])

    compiled = compile(fn, backend)
    compiled.value_and_grad([1.0])
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"^sample 13001: log"):
            compiled.value_and_grad(X)
        assert tracemalloc.get_traced_memory()[1] < 20 * X.nbytes / 4
    finally:
        tracemalloc.stop()
    compiled.check = "warn"
    with pytest.warns(RuntimeWarning, match=r"^sample 13001: log.*\(and 1 more\)"):
        value, grad = compiled.value_and_grad(X)
    assert math.isnan(value)
    assert np.isnan(grad).all()
    # One that is finite after all counts as it should.
    root = compile(lambda x, y: micrograd.where(y, micrograd.sqrt(x), 2 * x), backend)
    at = np.zeros(5_000)
    at[4_000] = 1.0
    value, grad = root.value_and_grad(at, at, wrt="inputs", reduction="sum")
    assert (value, grad.tolist()) == (1.0, [2.0 * 4_999 + 0.5, 0.0])


# ---- what it is made of ----------------------------------------------------------------------


def test_the_source_is_readable_and_can_be_stepped_through():
    w = Value(2.0, label="w")

    def loss(x, y):
        return (w * x - y) ** 2

    compiled = compile(loss, "python")
    with pytest.raises(ValueError, match="has not been traced yet: call it once"):
        _ = compiled.source
    compiled.value_and_grad([1.0], [1.0])
    assert (
        compiled.source
        == '''\
def loss(inputs, parameters):
    """Compute loss(number, number) and its gradient."""
    x, y, = inputs[0:2]
    w, = parameters[0:1]
    v3 = w * x  # product
    v4 = v3 - y  # difference
    v5 = v4 ** 2  # power

    # The gradient, from the output back: d_x is d(output)/d(x).
    d_v4 = 2 * v4  # product, d/d v4
    d_w = d_v4 * x  # product, d/d w
    return (v5, ), (d_w,)
'''
    )
    namespace = {}
    exec(compiled.source, namespace)
    assert namespace["loss"]((3.0, 5.0), (2.0,)) == ((1.0,), (6.0,))


def test_a_debugger_finds_the_lines_of_a_batch_as_well():
    w = Value(2.0, label="w")
    compiled = compile(lambda x: micrograd.tanh(w * x), "python")
    lines = []

    def step(frame, event, arg):
        file = frame.f_code.co_filename
        if event == "line" and file.startswith("<micrograd replay"):
            lines.append(linecache.getline(file, frame.f_lineno).strip())
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        compiled.value_and_grad([1.0])
    finally:
        sys.settrace(before)
    assert "d_w = d_v2 * x  # product, d/d w" in lines


@every_backend
def test_a_label_may_be_a_number(backend):
    w = Value(2.0, label=7)

    def fn(x):
        y = w * x
        y.label = 8
        return y * y

    compiled = compile(fn, backend)
    assert compiled(1.0) == 4.0
    assert "v2 = p0 * x" in compiled.source


def test_a_traceback_shows_the_generated_line():
    import linecache
    import traceback

    compiled = compile(lambda x: micrograd.log(x), "python")
    compiled(1.0)
    kernel = compiled._program(compiled._latest, "value")[0]
    try:
        kernel.function((-1.0,), ())
    except ValueError:
        assert "v1 = log(x0)" in traceback.format_exc() or "log(x)" in traceback.format_exc()
    assert kernel.filename in linecache.cache


@pytest.mark.parametrize(
    "name",
    ["exp", "inputs", "sum", "peak", "nan", "y0", "double", "value", "isnan", "asm", "NAN"],
)
def test_a_function_may_have_a_name_that_the_program_needs(name, tmp_path):
    space = {"micrograd": micrograd}
    exec(f"def {name}(x): return micrograd.exp(x) + micrograd.sum([x, x])", space)
    compiled = compile(space[name], "python", check="ignore")
    true = [math.exp(x) + (x + x) for x in (1.0, 2.0)]
    assert [compiled(1.0), compiled.map([1.0, 2.0]).tolist()] == [true[0], true]
    source = tmp_path / "it.c"
    source.write_text(compiled.to_c(), encoding="utf-8")
    if shutil.which("gcc") is not None:
        subprocess.run([*GCC, "-c", str(source), "-o", str(tmp_path / "it.o")], check=True)


def test_an_operation_of_the_users_is_not_hidden_by_a_label():
    row = micrograd.define(
        name="shift_of_replay", code="{0} + 1 shifted", forward=lambda x: x + 1,
        partials=lambda out, x: (1,),
    )  # fmt: skip
    ops.TABLE.pop("shift_of_replay")
    w = Value(2.0, label="op_1")
    assert compile(lambda x: row(x) * w, "python", check="ignore")(1.0) == 4.0


def test_a_name_for_c_is_checked():
    compiled = compile(lambda x: x, "python")
    compiled(1.0)
    assert "void it(" in compiled.to_c("it")
    for wrong in ("a b", "", "1x", "double", "sin", 3):
        with pytest.raises(ValueError, match="expected a name for a C function"):
            compiled.to_c(wrong)


def test_stats_count_nodes_instructions_bytes_and_seconds():
    _, loss = network()
    compiled = compile(loss, "llvm")
    compiled.value_and_grad(SAMPLES, TARGETS)
    stats = compiled.stats
    assert stats.programs == 1
    assert stats.instructions > stats.nodes / 2 > 20
    assert stats.bytes > 1000
    assert 0 < stats.seconds < 60


def test_work_is_not_repeated_and_constants_are_folded():
    w = Value(3.0)
    compiled = compile(
        lambda x: micrograd.exp(x * w) + micrograd.exp(x * w) * (w * 0 + 1), "python"
    )
    compiled(1.0)
    assert compiled.source.count("exp(") == 1
    assert compile(lambda x: x * (ops.log(2) * 0), "python")(1.0) == 0.0


def test_models_and_rules_give_the_order_of_parameters():
    model = MLP(2, [3, 1])
    extra = Value(0.5, label="extra")
    compiled = compile(lambda x: extra * model(x[::-1]), "python")
    compiled([1.0, 2.0])
    assert compiled.parameters == [*model.parameters(), extra]
    assert compile(model, "python").parameters == model.parameters()


def test_decorated_with_and_without_options():
    @compile
    def one(x):
        """Twice x."""
        return 2 * x

    @compile(backend="python", check="ignore")
    def two(x):
        return 3 * x

    assert one(2.0) == 4.0
    assert two(2.0) == 6.0
    assert one.__doc__ == "Twice x."
    assert micrograd.compile is compile


def slope_times(x, factor):
    return W * x * factor


@every_backend
def test_what_version_1_0_0_pickled_can_be_used(backend):
    w = Value(2.0)
    compiled = compile(lambda x: w * x, backend)
    compiled(3.0)
    state = compiled.__getstate__()
    del state["_method"], state["_key"]
    old = object.__new__(type(compiled))
    old.__setstate__({**state, "_owner": None, "_bound": None})
    assert old(3.0) == pickle.loads(pickle.dumps(old))(3.0) == 6.0


@every_backend
def test_compiled_functions_can_be_pickled_and_copied(backend):
    w = Value(2.0)
    compiled = compile(lambda x: w * micrograd.tanh(x), backend)
    expected = compiled.value_and_grad([1.0, 2.0])
    for again in (pickle.loads(pickle.dumps(compiled)), copy.deepcopy(compiled)):
        value, grad = again.value_and_grad([1.0, 2.0])
        assert bits([value, *grad]) == bits([expected[0], *expected[1]])
        again.parameters[0].data = 4.0
        assert again(1.0) == pytest.approx(4 * math.tanh(1.0))
        with pytest.raises(ValueError, match=r"of the shapes .* only, got \(\(2,\),\)"):
            again([1.0, 2.0])
    assert compiled(1.0) == pytest.approx(2 * math.tanh(1.0))
    bound = compile(functools.partial(slope_times, factor=2), backend)
    assert bound(1.0) == 3.0
    assert pickle.loads(pickle.dumps(bound))(1.0) == 3.0


@compile
def decorated(x):
    return x * x


def test_a_decorated_function_travels_by_its_name():
    for again in (pickle.loads(pickle.dumps(decorated)), copy.deepcopy(decorated)):
        assert again(3.0) == 9.0
    alone = pickle.loads(pickle.dumps(compile(lambda x: x)))
    with pytest.raises(ValueError, match=r"without its function.*compile the function again"):
        alone(1.0)


def test_a_copy_of_a_model_and_its_compiled_loss_stay_together():
    model, loss = network()
    compiled = compile(loss, "python")
    compiled(SAMPLES[0], 1.0)
    other, again = copy.deepcopy((model, compiled))
    assert again.parameters == other.parameters()


def test_without_llvmlite_auto_warns_once(monkeypatch):
    from micrograd.replay import compiled as module

    monkeypatch.setattr("micrograd.replay.llvm.emitter.is_available", lambda: False)
    module._warn_without_llvm.cache_clear()
    with pytest.warns(RuntimeWarning, match=r'pip install "micrograd\[replay\]"'):
        assert compile(lambda x: x)(2.0) == 2.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compile(lambda x: x).backend == "python"
    with pytest.raises(ImportError, match=r"micrograd\[replay\]"):
        compile(lambda x: x, "llvm")


def test_without_llvmlite_everything_still_works():
    program = """
import sys, warnings
sys.modules["llvmlite"] = None
warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    import micrograd
    from micrograd.nn import MLP
    from micrograd.train import fit
    f = micrograd.compile(lambda x: micrograd.tanh(x) * 2)
    g = micrograd.compile(lambda x: x * x)
    assert (f.backend, g.backend) == ("python", "python")
    assert f(0.5) == 2 * micrograd.tanh(0.5)
    assert g.value_and_grad([1.0, 2.0], wrt="inputs")[1].tolist() == [3.0]
    model = MLP(2, [4, 1])
    fit(model, [[0.0, 1.0], [1.0, 0.0]], [0, 1], steps=3, compile=True, progress=False)
texts = [str(one.message) for one in seen]
assert len(texts) == 1 and 'pip install "micrograd[replay]"' in texts[0], texts
assert seen[0].category is RuntimeWarning
for refused in (lambda: micrograd.compile(lambda x: x, "llvm"), lambda: f.ir):
    try:
        refused()
    except ImportError as error:
        assert "micrograd[replay]" in str(error)
    else:
        raise AssertionError
"""
    subprocess.run([sys.executable, "-c", program], check=True, env=here())


def test_without_numpy_single_samples_still_work():
    program = """
import sys
sys.modules["numpy"] = None
import micrograd
from micrograd.nn import MLP
from micrograd.train import fit
w = micrograd.Value(2.0)
for backend in ("python", "llvm"):
    f = micrograd.compile(lambda x, v: w * x * v[0], backend)
    assert [f(1.0, [1.0]), f(2.0, [1.0]), f(3.0, [0.5])] == [2.0, 4.0, 3.0]
    for call in (lambda: f.map([1.0], [[1.0]]), lambda: f.jacobian(1.0, [1.0])):
        try:
            call()
        except ImportError as error:
            assert "micrograd[replay]" in str(error)
        else:
            raise AssertionError
try:
    fit(MLP(1, [1]), [[1.0]], [1], steps=1, compile=True)
except ImportError as error:
    assert "micrograd[replay]" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", program], check=True, env=here())


def here():
    """Return the environment of a process that finds this package."""
    return {**os.environ, "PYTHONPATH": str(Path(micrograd.__file__).parents[1])}


@every_backend
def test_a_compiled_function_can_be_sent_to_another_process(backend):
    _, loss = network("tanh")
    compiled = compile(loss, backend)
    value, grad = compiled.value_and_grad(SAMPLES, TARGETS)
    program = """
import pickle, sys
compiled, X, y = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps(compiled.value_and_grad(X, y)))
"""
    sent = pickle.dumps((compiled, SAMPLES, TARGETS))
    done = subprocess.run(
        [sys.executable, "-c", program], input=sent, stdout=subprocess.PIPE, check=True, env=here()
    )
    other, slopes = pickle.loads(done.stdout)
    assert bits([other, *slopes]) == bits([value, *grad])


@pytest.mark.parametrize(("backend", "depth"), [("python", 20_000), ("llvm", 3_000)])
def test_a_deep_graph_is_no_problem(backend, depth):
    def fn(x):
        for _ in range(depth):
            x = x * 1.0001 + 0.5
        return x

    assert compile(fn, backend).jacobian(1.0)[0] == pytest.approx(1.0001**depth, rel=1e-9)


def test_symbols_are_no_values():
    seen = []
    compile(lambda x: seen.append(x) or x, "python")(1.0)
    assert isinstance(seen[0], Symbol)
    assert repr(seen[0]) == "Symbol(position=0, label='x')"


# ---- C ---------------------------------------------------------------------------------------


GCC = [
    "gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-ffp-contract=off",
]  # fmt: skip


def run_c(text, name, inputs, parameters, gradients, folder):
    source, library = folder / f"{name}.c", folder / f"{name}.so"
    source.write_text(text, encoding="utf-8")
    subprocess.run(
        [*GCC, "-shared", "-fPIC"] + [str(source), "-o", str(library), "-lm"],
        check=True,
    )
    double = ctypes.c_double
    value, gradient_ = (double * 1)(), (double * max(1, gradients))()
    getattr(ctypes.CDLL(str(library)), name)(
        (double * max(1, len(inputs)))(*inputs),
        (double * max(1, len(parameters)))(*parameters),
        value,
        gradient_,
    )
    return value[0], list(gradient_)[:gradients]


needs_gcc = pytest.mark.skipif(
    shutil.which("gcc") is None or sys.platform != "linux", reason="needs gcc"
)


@needs_gcc
def test_c_gives_the_numbers_of_the_engine_for_every_row(tmp_path):
    rows = [op for op in ROWS if op.name != "peak"]
    inputs, terms = [], []
    for op in rows:
        terms.append((op, len(inputs)))
        inputs += next(points(op, 1, seed=5))

    def fn(x):
        return [op(*x[start : start + op.arity]) for op, start in terms]

    compiled = compile(fn, "python")
    expected = compiled(inputs)
    text = compiled.to_c("rows")
    source = tmp_path / "rows.c"
    source.write_text(text, encoding="utf-8")
    library = tmp_path / "rows.so"
    command = [*GCC, "-shared"]
    subprocess.run([*command, "-fPIC", str(source), "-o", str(library), "-lm"], check=True)
    value = (ctypes.c_double * len(rows))()
    given = (ctypes.c_double * len(inputs))(*inputs)
    ctypes.CDLL(str(library)).rows(given, None, value, None)
    for (op, _), got, one in zip(terms, value, expected, strict=True):
        assert off(got, one) <= 4, row_id(op)


@needs_gcc
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_c_gives_the_gradient_of_a_network(activation, tmp_path):
    model, loss = network(activation)
    compiled = compile(loss, "python")
    value, grad = compiled.value_and_grad(SAMPLES[:1], TARGETS[:1])
    numbers = [p.data for p in model.parameters()]
    got, slopes = run_c(
        compiled.to_c("loss"), "loss", [*SAMPLES[0], TARGETS[0]], numbers, len(numbers), tmp_path
    )
    assert bits([got, *slopes]) == bits([value, *grad])


# ---- random programs -------------------------------------------------------------------------

RULES = {"add": 2, "sub": 2, "mul": 2, "tanh": 1, "relu": 1, "maximum": 2, "sigmoid": 1, "neg": 1}


@given(st.data())
def test_python_and_machine_code_on_any_program(data):
    count = data.draw(st.integers(1, 3))
    inputs = data.draw(
        st.lists(st.floats(-1.5, 1.5, allow_subnormal=False), min_size=count, max_size=count)
    )
    steps = []
    for made in range(data.draw(st.integers(1, 8))):
        rule = data.draw(st.sampled_from(sorted(RULES)))
        where = st.integers(0, count + made - 1)
        steps.append((rule, [data.draw(where) for _ in range(RULES[rule])]))

    def fn(*leaves):
        nodes = list(leaves)
        for rule, operands in steps:
            nodes.append(ops.TABLE[rule](*[nodes[i] for i in operands]))
        return nodes[-1]

    value, grads = eager(fn, inputs)
    python = compile(fn, "python")
    assert bits(python(*inputs)) == bits(value)
    assert bits(python.jacobian(*inputs)) == bits(grads)


# ---- the training loop in machine code -----------------------------------------------------------


UPDATES = {
    "sgd": lambda p: SGD(p, 0.05),
    "momentum": lambda p: SGD(p, linear(0.05, 0.01, 60), momentum=0.9, weight_decay=1e-3),
    "nesterov": lambda p: SGD(p, 0.02, momentum=0.8, nesterov=True),
    "adam": lambda p: Adam(p, 0.01, weight_decay=0.01),
    "adamw": lambda p: AdamW(p, linear(0.01, 0.001, 90)),
    "sgd, half decayed": lambda p: SGD(p, 0.05, weight_decay=0.1, decayed=p[::2]),
    "adam, half decayed": lambda p: Adam(p, 0.01, weight_decay=0.1, decayed=p[::2]),
    "adamw, half decayed": lambda p: AdamW(p, 0.01, weight_decay=1.0, decayed=p[::2]),
}


def trained(rule, batch_size, steps=100, **options):
    """Return model, optimizer and history of a run on 60 samples."""
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(60)]
    y = [int(a * b > 0) for a, b in X]
    model = MLP(2, [8, 1], rng=random.Random(5))
    optimizer = UPDATES[rule](model.parameters())
    options = {"seed": 7, "progress": False, "compile": True, **options}
    return model, optimizer, fit(model, X, y, "hinge", optimizer, steps, batch_size, **options)


def weights(model):
    return [parameter.data for parameter in model.parameters()]


@pytest.mark.parametrize("rule", UPDATES)
@pytest.mark.parametrize("batch_size", [None, 16])
def test_the_loop_in_machine_code_gives_the_parameters_of_the_eager_loop(rule, batch_size):
    eager_model, eager_optimizer, eager_history = trained(rule, batch_size, compile=False)
    model, optimizer, history = trained(rule, batch_size)
    largest = max(map(abs, weights(eager_model)))
    assert weights(model) == pytest.approx(weights(eager_model), rel=1e-10, abs=1e-10 * largest)
    assert history.loss == pytest.approx(eager_history.loss, rel=1e-10)
    assert history.accuracy == eager_history.accuracy
    assert len(history.seconds) == 100
    assert optimizer.steps == 100
    assert optimizer.state_dict().keys() == eager_optimizer.state_dict().keys()
    for got, expected in zip(model.parameters(), eager_model.parameters(), strict=True):
        assert got.grad == pytest.approx(expected.grad, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("rule", UPDATES)
@pytest.mark.parametrize("batch_size", [None, 16])
def test_the_loop_has_the_bits_of_single_compiled_steps(rule, batch_size):
    seen = []
    stepwise = trained(rule, batch_size, progress=lambda *step: seen.append(step))
    loop = trained(rule, batch_size)
    assert weights(loop[0]) == weights(stepwise[0])
    assert loop[1].state_dict() == stepwise[1].state_dict()
    assert loop[2].loss == stepwise[2].loss == [loss for _, loss, _ in seen]


def test_the_loop_adds_up_many_chunks_as_single_steps_do():
    rng = random.Random(1)
    X = [[rng.gauss(0, 1)] for _ in range(3_000)]
    y = [2 * x[0] - 1 for x in X]
    results = []
    for progress in (False, lambda *step: None):
        model = MLP(1, [3, 1], rng=random.Random(2))
        fit(model, X, y, "mse", SGD(model.parameters(), 0.01), 5, progress=progress, compile=True)
        results.append(weights(model))
    assert results[0] == results[1]


def test_a_resumed_loop_has_the_bits_of_one_that_was_never_stopped(tmp_path):
    whole = trained("adam", 16, 90)
    path = tmp_path / "run.json"
    trained("adam", 16, 37, checkpoint=path)
    model, _, history = trained("adam", 16, 90, checkpoint=path, resume=True, checkpoint_every=7)
    assert weights(model) == weights(whole[0])
    assert history.loss == whole[2].loss


@pytest.mark.parametrize("batch_size", [None, 2])
def test_a_loop_that_runs_away_stops_at_the_step_of_the_eager_loop(batch_size):
    ends = []
    for choice in (False, True):
        model = MLP(1, [1], rng=random.Random(0))
        optimizer = SGD(model.parameters(), 1e6)
        with pytest.raises(MicrogradError, match="training stopped at step") as caught:
            fit(
                model, [[-1.0], [0.0], [3.0]], [-1, 1, 3], "mse", optimizer, 1_000, batch_size,
                seed=1, progress=False, compile=choice,
            )  # fmt: skip
        ends.append((str(caught.value).split(":")[0], optimizer.steps, weights(model)))
    assert ends[0][:2] == ends[1][:2]
    assert ends[1][2] == pytest.approx(ends[0][2], rel=1e-8)  # an instability, amplified


def test_small_steps_are_done_in_stretches_that_an_interrupt_does_not_wait_for(monkeypatch):
    from micrograd.replay.training import Descent

    stretches, run = [], Descent.run

    def noted(self, data, first, second, scalars, *others, **options):
        stretches.append(len(scalars[0]))
        return run(self, data, first, second, scalars, *others, **options)

    monkeypatch.setattr(Descent, "run", noted)
    trained("sgd", 1, 12_000)
    assert sum(stretches) == 12_000
    assert stretches[0] <= 5_000


def test_a_profiler_written_in_c_survives_a_trace():
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        assert compile(lambda x: x * x, "python")(3.0) == 9.0
    finally:
        profiler.disable()
    assert profiler.getstats()


@every_backend
def test_the_source_is_in_linecache_whatever_runs(backend):
    compiled = compile(lambda x: micrograd.tanh(x) * 2, backend)
    compiled(0.5)
    text = compiled.source
    assert any("".join(entry[2]) == text for entry in linecache.cache.values() if len(entry) > 2)
    assert pickle.loads(pickle.dumps(compiled)).source == text


# ---- programs taken over between runs --------------------------------------------------------


def run_of(compiles, activation="relu", loss="hinge", widths=(4, 1), **options):
    """Return the weights after ten steps and how many programs were compiled for them."""
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [int(a * b > 0) for a, b in X]
    model = MLP(2, widths, activation=activation, rng=random.Random(5))
    options.get("change", lambda model: None)(model)
    before = len(compiles)
    how = options.get("compiled", True)
    fit(model, X, y, loss, SGD(model.parameters(), 0.1), 10, progress=False, compile=how)
    return weights(model), len(compiles) - before


@pytest.mark.parametrize("registers", [16, 32])
def test_a_network_of_the_same_architecture_takes_the_programs_over(registers, monkeypatch):
    from micrograd.replay.llvm import emitter as llvm
    from micrograd.replay.training import compiled_steps as training

    monkeypatch.setattr(host(), "registers", registers)
    monkeypatch.setattr(training, "_known", type(training._known)())
    compiles, made = [], llvm.machine_code
    monkeypatch.setattr(llvm, "machine_code", lambda *a: (compiles.append(a), made(*a))[1])
    first, programs = run_of(compiles)
    assert programs >= 1
    # A brief run is compiled quickly, and where other code is faster, the next one once more.
    assert run_of(compiles) == (first, 0 if registers == 16 else 1)
    assert run_of(compiles) == (first, 0)
    for other in (
        {"activation": "tanh"},
        {"loss": "mse"},
        {"widths": (4, 2), "loss": "cross_entropy"},
    ):
        again, programs = run_of(compiles, **other)
        assert programs >= 1
        assert again != first
        run_of(compiles, **other)
        assert run_of(compiles, **other) == (again, 0)

    def tied(model):
        model.layers[0].neurons[0].w[0] = model.layers[0].neurons[1].w[0]

    def named(model):
        model.layers[0].neurons[0].b.label = "bias"

    for change in (tied, named):
        with_change, programs = run_of(compiles, change=change)
        assert programs >= 1 or change is named
        assert (with_change == first) == (change is named)


@pytest.mark.parametrize("weights", [None, [1, 3] * 10], ids=["alike", "weighted"])
def test_validation_data_count_alike_whatever_the_weights(weights):
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [int(a * b > 0) for a, b in X]
    histories = []
    for choice in (False, True):
        model = MLP(2, [4, 1], rng=random.Random(5))
        histories.append(
            fit(
                model, X, y, "hinge", SGD(model.parameters(), 0.1), 4, progress=False,
                validation=(X[:7], y[:7]), compile=choice, sample_weight=weights,
            )
        )  # fmt: skip
    assert histories[1].validation_loss == pytest.approx(histories[0].validation_loss, rel=1e-12)
    assert histories[1].validation_accuracy == histories[0].validation_accuracy
    assert histories[1].loss == pytest.approx(histories[0].loss, rel=1e-12)


def leaps(monkeypatch, rate, steps, size, stop):
    """Return a run with an early stop, and how many steps each call of machine code did."""
    from micrograd.replay.training import Descent

    asked, run = [], Descent.run
    monkeypatch.setattr(
        Descent, "run", lambda *a, **k: (asked.append(len(a[4][0])), run(*a, **k))[1]
    )
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(40)]
    y = [int(a * b > 0) for a, b in X]
    model = MLP(2, [4, 1], activation="tanh", rng=random.Random(5))
    history = fit(
        model, X, y, "bce", SGD(model.parameters(), rate), steps, size, seed=1, progress=False,
        compile=True, early_stop=stop,
    )  # fmt: skip
    return history, asked


@pytest.mark.parametrize("every", [1, 3])
def test_few_steps_are_done_that_an_early_stop_leaves_out(every, monkeypatch):
    history, asked = leaps(monkeypatch, 2.0, 500, 8, EarlyStop(4, every=every))
    assert history.stopped_early
    assert 4 * every <= len(history) < 500
    assert sum(asked) <= 1.5 * len(history)


def test_a_run_with_little_patience_takes_few_leaps(monkeypatch):
    history, asked = leaps(monkeypatch, 0.01, 3_000, None, 1)
    assert not history.stopped_early
    assert len(history) == sum(asked) == 3_000
    assert len(asked) < 50


def test_the_code_of_a_layer_does_not_grow_with_its_inputs():
    sizes = []
    for width in (96, 384):
        model = MLP(width, [16, 1], rng=random.Random(0))
        compiled = compile(lambda x: micrograd.tanh(model(x)), "llvm")  # noqa: B023
        compiled.value_and_grad(np.zeros((1, width)))
        sizes.append(compiled.stats.bytes)
    grown = sizes[1] / sizes[0]
    assert grown < 1.1 if host().fuses else grown > 2


def test_a_parameter_in_two_places_is_trained_as_by_the_engine():
    def tied(model):
        model.layers[0].neurons[0].w[0] = model.layers[0].neurons[1].w[0]

    assert run_of([], change=tied)[0] == pytest.approx(
        run_of([], change=tied, compiled=False)[0], rel=1e-10
    )


def test_no_more_programs_are_kept_than_a_few(monkeypatch):
    from micrograd.replay.training import compiled_steps as training

    monkeypatch.setattr(training, "_known", type(training._known)())
    monkeypatch.setattr(training, "_KEPT", 2)
    for width in (1, 2, 3):
        run_of([], widths=(width, 1))
    assert len(training._known) == 2


@pytest.mark.parametrize(
    "file", [Path(micrograd.__file__).parent.parent / "micrograd_notes.py", Path("numpy/mine.py")]
)
def test_a_file_beside_the_package_or_in_a_folder_called_numpy_is_the_users(file):
    space = {"W": W}
    text = "def read(x): return x * W.data\ndef branch(x): return x if x > 0 else -x"
    exec(builtins.compile(text, str(file), "exec"), space)
    for name, line in (("read", 1), ("branch", 2)):
        with pytest.raises(TraceError, match=rf"{file.name}, line {line}"):
            compile(space[name])(1.0)


def swallowed(x):
    try:
        return x * float(x)
    except TypeError:
        return x * 2


def swallowed_parameter(x):
    with contextlib.suppress(TypeError):
        return x * W.data
    return x


def turned_into_another_error(x):
    try:
        return x if x > 0 else -x
    except TypeError as error:
        raise ValueError("no such number") from error


@pytest.mark.parametrize("fn", [swallowed, swallowed_parameter, turned_into_another_error])
def test_a_refusal_that_the_function_catches_is_one_nevertheless(fn):
    compiled = compile(fn, "python")
    for _ in range(2):
        with pytest.raises(TraceError, match=r"test_compiled\.py, line \d+: "):
            compiled(3.0)


@every_backend
@pytest.mark.parametrize(
    "fn",
    [
        lambda x: -x,
        lambda x: x * -1.0,
        lambda x: x,
        micrograd.relu,
        micrograd.tanh,
        micrograd.sin,
    ],
)
def test_a_zero_keeps_its_sign(fn, backend):
    compiled = compile(fn, backend)
    for x in (0.0, -0.0):
        expected = math.copysign(1.0, fn(Value(x)).data)
        for _ in range(3):  # it has ways of its own by then
            assert math.copysign(1.0, compiled(x)) == expected
        assert list(np.copysign(1.0, compiled.map([x] * 9))) == [expected] * 9
