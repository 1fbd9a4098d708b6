"""The Python backend has the engine's bits, and a source that can be read."""

from __future__ import annotations

import linecache
import math
import pickle
import shutil
import subprocess
import sys

import pytest
from random_graphs import random_graph
from replaying import (
    GCC,
    SAMPLES,
    TARGETS,
    applied,
    as_function,
    bits,
    eager,
    every_backend,
    every_row,
    network,
)
from strategies import points
from tables import each

import micrograd
from micrograd import ops
from micrograd.engine import Value, gradient
from micrograd.replay import compile  # noqa: A004

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


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


@each("seed", range(25))
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
    "name", ["exp", "inputs", "sum", "peak", "nan", "y0", "double", "value", "isnan", "asm", "NAN"]
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


@every_backend
def test_the_source_is_in_linecache_whatever_runs(backend):
    compiled = compile(lambda x: micrograd.tanh(x) * 2, backend)
    compiled(0.5)
    text = compiled.source
    assert any("".join(entry[2]) == text for entry in linecache.cache.values() if len(entry) > 2)
    assert pickle.loads(pickle.dumps(compiled)).source == text


@every_backend
@pytest.mark.parametrize(
    "fn",
    [lambda x: -x, lambda x: x * -1.0, lambda x: x, micrograd.relu, micrograd.tanh, micrograd.sin],
)
def test_a_zero_keeps_its_sign(fn, backend):
    compiled = compile(fn, backend)
    for x in (0.0, -0.0):
        expected = math.copysign(1.0, fn(Value(x)).data)
        for _ in range(3):  # it has ways of its own by then
            assert math.copysign(1.0, compiled(x)) == expected
        assert list(np.copysign(1.0, compiled.map([x] * 9))) == [expected] * 9
