"""Batches in machine code: threads, memory, forked processes."""

from __future__ import annotations

import os
import tracemalloc
import warnings

import pytest
from replaying import bits, network

import micrograd
from micrograd.replay import compile  # noqa: A004

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


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
