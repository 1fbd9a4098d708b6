"""One trace for each shape, live parameters, and programs that are freed."""

from __future__ import annotations

import contextvars
import gc
import random
import sys
import threading
import time
import weakref

import pytest
from replaying import every_backend

import micrograd
from micrograd.engine import Value
from micrograd.replay import compile  # noqa: A004

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

W = Value(1.5, label="W")


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
                machines = set(getattr(kernel, "_machines", {}).values())
                held += map(weakref.ref, [kernel, *[machine._engine for machine in machines]])
        del trace, kernel, machines
        assert len(held) == (4 if backend == "llvm" else 2)
        assert all(one() is not None for one in held)
        compiled.clear()
        assert not any(one() is not None for one in held)
    finally:
        gc.enable()


@every_backend
def test_a_leaf_that_the_function_makes_is_a_constant(backend):
    def fn(x):
        total = Value(0.5)
        return total + x * Value(2.0)

    compiled = compile(fn, backend)
    assert compiled(1.0) == 2.5
    assert compiled.parameters == []


@every_backend
def test_results_of_parameters_are_computed_again(backend):
    a, b = Value(2.0), Value(3.0)
    compiled = compile(lambda x: (a * b + a) * x, backend)
    assert compiled(1.0) == 8.0
    a.data = 1.0
    assert compiled(1.0) == 4.0
    assert compiled.value_and_grad([1.0])[1].tolist() == [4.0, 1.0]


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
