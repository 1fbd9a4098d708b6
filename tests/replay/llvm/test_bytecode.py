"""Large programs, which are read as steps."""

from __future__ import annotations

import math
import time

import pytest
from replaying import applied

import micrograd
from micrograd import ops
from micrograd.engine import Value
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")


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
    program = next(iter(compiled._traces.values())).programs["inputs"][2].machine("each")
    assert program._bytecode is not None
    assert compiled.stats.bytes > 4 * 5 * 40_000
    for i, (x, y) in enumerate(((1.0, 0.57), (0.5, 0.8))):
        growth = (0.75 + x) * y
        true = x * growth**6_000
        assert value[i] == pytest.approx(true, rel=1e-9)
        assert slopes[i] == pytest.approx(
            [true / x + 6_000 * true / (0.75 + x), 6_000 * true / y], rel=1e-9
        )


@pytest.mark.slow
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


def test_steps_without_inputs_and_with_many_parameters(monkeypatch):
    monkeypatch.setattr("micrograd.replay.llvm.emitter._HUGE", -1)
    values = [Value(float(i)) for i in range(50)]
    compiled = compile(lambda: micrograd.sum([micrograd.sin(v) * v for v in values]), "llvm")
    value, grad = compiled.value_and_grad()
    assert value == pytest.approx(sum(math.sin(i) * i for i in range(50)), rel=1e-12)
    true = [math.sin(i) + i * math.cos(i) for i in range(50)]
    assert grad == pytest.approx(true, rel=1e-12, abs=1e-15)
    assert compiled() == value


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
