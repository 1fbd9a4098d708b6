"""Compiled functions: calls, methods, copies and what they are made of."""

from __future__ import annotations

import contextvars
import copy
import functools
import gc
import math
import os
import pickle
import random
import subprocess
import sys
import threading
import time
import warnings
import weakref
from array import array
from fractions import Fraction
from pathlib import Path

import pytest
from replaying import SAMPLES, TARGETS, bits, every_backend, network

import micrograd
from micrograd.engine import Value
from micrograd.errors import TraceError
from micrograd.nn import Module
from micrograd.replay import compile  # noqa: A004

np = pytest.importorskip("numpy")
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
