"""Machine code: within 4 ulp of the truth and of the engine, however it is cut."""

from __future__ import annotations

import math
import random

import mpmath
import pytest
from random_graphs import random_graph
from replaying import (
    DERIVATIVE,
    EPS,
    SAMPLES,
    TARGETS,
    applied,
    as_function,
    bits,
    eager,
    every_row,
    network,
    off,
)
from strategies import points
from tables import each, mostly_slow

import micrograd
from micrograd import ops
from micrograd.engine import Value
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.llvm.processor import host

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

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


@each("seed", range(25))
@each("contract", [True, False])
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


@pytest.mark.parametrize("activation", mostly_slow(["relu", "tanh"]))
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
    cut = compile(loss, "llvm")
    for one, other in zip(
        cut.value_and_grad(SAMPLES, TARGETS, reduction="none"), expected, strict=True
    ):
        assert one == pytest.approx(other, rel=1e-12, abs=1e-14)
    assert "@segment5" in cut.ir


def test_large_programs_are_compiled_quickly_and_rightly(monkeypatch):
    _, loss = network("tanh")
    expected = compile(loss, "llvm").value_and_grad(SAMPLES, TARGETS)
    monkeypatch.setattr("micrograd.replay.llvm.emitter._LARGE", 0)
    value, grad = compile(loss, "llvm").value_and_grad(SAMPLES, TARGETS)
    assert value == pytest.approx(expected[0], rel=1e-13)
    assert grad == pytest.approx(expected[1], rel=1e-11, abs=1e-13)


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
