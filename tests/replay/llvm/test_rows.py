"""Rows as machines compute them: new ones in every backend, and faults planted in the table."""

from __future__ import annotations

import functools
import math
import operator

import pytest
from replaying import applied, eager, every_backend, run_c

import micrograd
from micrograd import ops
from micrograd.errors import TraceError
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")


NEW = {
    "one operand": (1, lambda x: x / (1 + abs(x)), lambda out, x: (1 / (1 + abs(x)) ** 2,)),
    "two operands": (2, lambda a, b: a * b - 2 * a, lambda out, a, b: (b - 2, a)),
    "many operands": (
        250,
        lambda *x: functools.reduce(operator.add, x) * x[0],
        lambda out, *x: (out / x[0] + x[0], *[x[0]] * 249),
    ),
    "the name of one of ours": (1, lambda x: 3 * x, lambda out, x: (3,)),
}


@pytest.mark.parametrize("way", ["python", "llvm", "table", "parts", "C"])
@pytest.mark.parametrize("name", NEW)
def test_a_new_row_is_compiled_from_its_own_rules(name, way, monkeypatch, tmp_path):
    arity, forward, partials = NEW[name]
    of_ours = name == "the name of one of ours"
    called = "tanh" if of_ours else "new_row_of_replay"
    monkeypatch.setattr(ops.Operators, called, None, raising=False)
    monkeypatch.setitem(ops.TABLE, called, None)
    ops.TABLE.pop(called)
    row = micrograd.define(name=called, forward=forward, partials=partials, arity=arity)
    if way == "table":
        monkeypatch.setattr("micrograd.replay.llvm.emitter._HUGE", -1)
    if way == "parts":
        monkeypatch.setattr("micrograd.replay.llvm.plan._WIDE", 4)
    inputs = [1.5 - i / 8 for i in range(arity)]

    def fn(*operands):
        return row(*operands) * 2

    value, slopes = eager(fn, inputs)
    compiled = compile(fn, "python" if way in {"python", "C"} else "llvm")
    assert compiled(*inputs) == pytest.approx(value, rel=1e-14)
    assert compiled.jacobian(*inputs) == pytest.approx(slopes, rel=1e-13)
    if way == "C":
        got, gradient = run_c(compiled.to_c("f"), "f", inputs, [], arity, tmp_path)
        assert got == pytest.approx(value, rel=1e-14)
        assert gradient == pytest.approx(slopes, rel=1e-13)


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
