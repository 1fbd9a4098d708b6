"""A program as C: the engine's numbers, and names that C accepts."""

from __future__ import annotations

import ctypes
import subprocess

import pytest
from replaying import GCC, SAMPLES, TARGETS, bits, needs_gcc, network, off, run_c
from strategies import ROWS, points, row_id

from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")


def test_a_name_for_c_is_checked():
    compiled = compile(lambda x: x, "python")
    compiled(1.0)
    assert "void it(" in compiled.to_c("it")
    for wrong in ("a b", "", "1x", "double", "sin", 3):
        with pytest.raises(ValueError, match="expected a name for a C function"):
            compiled.to_c(wrong)


@needs_gcc
def test_c_gives_the_numbers_of_the_engine_for_every_row(tmp_path):
    rows = [op for op in ROWS if op.name != "peak"]
    inputs, terms = [], []
    for op in rows:
        terms.append((op, len(inputs)))
        inputs += next(points(op, 1, seed=5))

    def fn(x):
        return [op(*x[start : start + op.arity]) for op, start in terms]

    compiled = compile(fn, "python")
    expected = compiled(inputs)
    text = compiled.to_c("rows")
    source = tmp_path / "rows.c"
    source.write_text(text, encoding="utf-8")
    library = tmp_path / "rows.so"
    command = [*GCC, "-shared"]
    subprocess.run([*command, "-fPIC", str(source), "-o", str(library), "-lm"], check=True)
    value = (ctypes.c_double * len(rows))()
    given = (ctypes.c_double * len(inputs))(*inputs)
    ctypes.CDLL(str(library)).rows(given, None, value, None)
    for (op, _), got, one in zip(terms, value, expected, strict=True):
        assert off(got, one) <= 4, row_id(op)


@needs_gcc
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_c_gives_the_gradient_of_a_network(activation, tmp_path):
    model, loss = network(activation)
    compiled = compile(loss, "python")
    value, grad = compiled.value_and_grad(SAMPLES[:1], TARGETS[:1])
    numbers = [p.data for p in model.parameters()]
    got, slopes = run_c(
        compiled.to_c("loss"), "loss", [*SAMPLES[0], TARGETS[0]], numbers, len(numbers), tmp_path
    )
    assert bits([got, *slopes]) == bits([value, *grad])
