"""Infinities, nan and zeros: those of the engine, alike in every backend."""

from __future__ import annotations

import itertools
import math

import pytest
from replaying import EPS, INF, NAN, applied, bits, every_small_row

from micrograd.errors import MicrogradError
from micrograd.replay import compile  # noqa: A004

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


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
