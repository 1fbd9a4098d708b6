"""Compiled functions: calls, methods, copies and what they are made of."""

from __future__ import annotations

import copy
import functools
import math
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from replaying import SAMPLES, TARGETS, bits, every_backend, network

import micrograd
from micrograd.engine import Value
from micrograd.errors import TraceError
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")

W = Value(1.5, label="W")


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
def test_a_function_without_inputs_or_without_parameters(backend):
    w = Value(3.0)
    assert compile(lambda: w * w, backend)() == 9.0
    assert compile(lambda: w * w, backend).value_and_grad()[1].tolist() == [6.0]
    value, grad = compile(lambda x: x * x, backend).value_and_grad([3.0])
    assert (value, grad.shape) == (9.0, (0,))
    assert compile(lambda x: 7, backend)(1.0) == 7.0


def test_where_and_detach_stay_in_the_graph():
    compiled = compile(lambda x: micrograd.where(x.greater(0), x * x.detach(), -x), "llvm")
    assert [compiled(3.0), compiled(-3.0)] == [9.0, 3.0]
    assert [compiled.jacobian(3.0)[0], compiled.jacobian(-3.0)[0]] == [3.0, -1.0]


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


def test_stats_count_nodes_instructions_bytes_and_seconds():
    _, loss = network()
    compiled = compile(loss, "llvm")
    compiled.value_and_grad(SAMPLES, TARGETS)
    stats = compiled.stats
    assert stats.programs == 1
    assert stats.instructions > stats.nodes / 2 > 20
    assert stats.bytes > 1000
    assert 0 < stats.seconds < 60


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
    monkeypatch.setattr(sys, "platform", "emscripten")  # where nothing can be installed
    module._warn_without_llvm.cache_clear()
    assert compile(lambda x: x)(2.0) == 2.0


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
