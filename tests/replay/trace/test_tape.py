"""A tape optimised, and its widest rows computed in parts."""

from __future__ import annotations

import math
import random

import pytest
from replaying import EPS, INF, NAN, bits, eager, every_backend, off

import micrograd
from micrograd import ops
from micrograd.engine import Value
from micrograd.replay import compile  # noqa: A004

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


def wide(v):
    """Return what has sums of more terms than are written or compiled in one piece."""
    return (
        micrograd.sum(v)
        + micrograd.dot(v, v[::-1])
        + micrograd.dot(v, v[1:] + v[:1], bias=v[3])
        + micrograd.softmax(v)[0]
    )


@every_backend
def test_sums_of_thousands_of_terms(backend):
    rng = random.Random(8)
    numbers = [rng.uniform(-1, 1) for _ in range(1_500)]
    expected, slopes = eager(lambda *v: wide(list(v)), numbers)
    compiled = compile(wide, backend)
    value, grad = compiled.value_and_grad([numbers], wrt="inputs")
    scale = math.fsum(map(abs, numbers))
    assert value == pytest.approx(expected, rel=1e-12, abs=4 * EPS * scale)
    assert grad == pytest.approx(slopes, rel=1e-11, abs=1e-13)
    if backend == "python":
        assert bits([value, *grad]) == bits([expected, *slopes])
        assert bits(compiled(numbers)) == bits(expected)
    else:
        assert "@segment10(" in compiled.ir


@pytest.mark.parametrize("count", [5, 6, 7, 8, 9, 10, 13, 17, 29])
def test_a_sum_in_parts_has_the_bits_of_one_in_one_piece(count, monkeypatch):
    rng = random.Random(count)
    numbers = [rng.uniform(-1, 1) for _ in range(count + 4)]
    got = []
    for most in (100, 4):
        monkeypatch.setattr("micrograd.replay.llvm.emitter._WIDE", most)
        got.append(compile(wide, "llvm").value_and_grad([numbers], wrt="inputs"))
    assert bits([got[0][0], *got[0][1]]) == bits([got[1][0], *got[1][1]])


def classes(count):
    """Return rows of logits: spread, all alike, one far above the others, and edge cases."""
    rng = random.Random(count)
    spread = [rng.uniform(-8, 8) for _ in range(count)]
    rows = [spread, [2.5] * count, [0.0, *[-40.0] * (count - 1)], [-INF] * count]
    for odd in ([INF], [INF, INF], [NAN], [INF, NAN], [-INF, 8.5], [8.5, 8.5], [-0.0]):
        row = list(spread)
        for x in odd:
            row[rng.randrange(count)] = x
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("count", [10, 11, 33])
def test_a_logsumexp_in_parts_has_the_bits_of_one_in_one_piece(count, monkeypatch):
    got = []
    for most in (100, 4):
        monkeypatch.setattr("micrograd.replay.llvm.emitter._WIDE", most)
        compiled = compile(micrograd.logsumexp, "llvm", check="ignore")
        logits = classes(count)
        values, slopes = compiled.value_and_grad(logits, wrt="inputs", reduction="none")
        got.append(bits(values) + bits(slopes))
    assert got[0] == got[1]


def test_a_logsumexp_of_hundreds_of_classes_is_cut_as_well():
    logits = classes(300)
    compiled = compile(micrograd.logsumexp, "llvm", check="ignore")
    mapped = compiled.map(logits)
    for row, value in zip(logits.tolist(), mapped.tolist(), strict=True):
        assert off(value, float(micrograd.logsumexp(row))) <= 4, row[:5]
    longest = max(map(len, compiled.ir.split("define internal void @segment")))
    assert longest < len(compiled.ir) / 5


def test_work_is_not_repeated_and_constants_are_folded():
    w = Value(3.0)
    compiled = compile(
        lambda x: micrograd.exp(x * w) + micrograd.exp(x * w) * (w * 0 + 1), "python"
    )
    compiled(1.0)
    assert compiled.source.count("exp(") == 1
    assert compile(lambda x: x * (ops.log(2) * 0), "python")(1.0) == 0.0


@pytest.mark.parametrize(("backend", "depth"), [("python", 20_000), ("llvm", 3_000)])
def test_a_deep_graph_is_no_problem(backend, depth):
    def fn(x):
        for _ in range(depth):
            x = x * 1.0001 + 0.5
        return x

    assert compile(fn, backend).jacobian(1.0)[0] == pytest.approx(1.0001**depth, rel=1e-9)
