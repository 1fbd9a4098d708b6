"""Rows as machines compute them: the users' own, and faults planted in the table."""

from __future__ import annotations

import math

import pytest
from replaying import applied, every_backend

import micrograd
from micrograd import ops
from micrograd.errors import TraceError
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")


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
