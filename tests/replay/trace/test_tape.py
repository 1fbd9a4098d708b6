"""A tape optimised, and its widest rows computed in parts."""

from __future__ import annotations

import math
import pickle
import random
from fractions import Fraction

import pytest
from replaying import EPS, INF, NAN, bits, eager, every_backend, off
from tables import each

import micrograd
from micrograd import ops
from micrograd.engine import Value
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.trace.tape import Tape

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


@pytest.mark.slow
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
        monkeypatch.setattr("micrograd.replay.llvm.plan._WIDE", most)
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
        monkeypatch.setattr("micrograd.replay.llvm.plan._WIDE", most)
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


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "depth"), [("python", 20_000), ("llvm", 3_000)])
def test_a_deep_graph_is_no_problem(backend, depth):
    def fn(x):
        for _ in range(depth):
            x = x * 1.0001 + 0.5
        return x

    assert compile(fn, backend).jacobian(1.0)[0] == pytest.approx(1.0001**depth, rel=1e-9)


# ---- what is left out, and what is not -----------------------------------------------------------


def run(tape, inputs):
    """Return what a tape gives, one instruction at a time."""
    found = []
    for op, operands in zip(tape.rows, tape.operands, strict=True):
        if op is None:
            kind, what = operands
            found.append(what if kind == "constant" else inputs[what])
        else:
            found.append(op.forward(*[found[operand] for operand in operands]))
    return [float(found[position]).hex() for position in tape.results()]


# name: (outputs of two inputs, how many instructions are needed)
PROGRAMS = {
    "x - y and y - x": (lambda t, x, y: [t.add(ops.sub, (x, y)), t.add(ops.sub, (y, x))], 2),
    "x - y twice": (lambda t, x, y: [t.add(ops.sub, (x, y)), t.add(ops.sub, (x, y))], 1),
    "x + y and y + x": (lambda t, x, y: [t.add(ops.add, (x, y)), t.add(ops.add, (y, x))], 1),
    "x * y and y * x": (lambda t, x, y: [t.add(ops.mul, (y, x)), t.add(ops.mul, (x, y))], 1),
    "x + y and x * y": (lambda t, x, y: [t.add(ops.add, (x, y)), t.add(ops.mul, (x, y))], 2),
    "x / y and y / x": (lambda t, x, y: [t.add(ops.div, (x, y)), t.add(ops.div, (y, x))], 2),
    "exp(x) twice and exp(y)": (lambda t, x, y: [t.add(ops.exp, (v,)) for v in (x, x, y)], 2),
    "x * 1": (lambda t, x, y: [t.add(ops.mul, (x, t.constant(1)))], 0),
    "1.0 * x": (lambda t, x, y: [t.add(ops.mul, (t.constant(1.0), x))], 0),
    "x * -1": (lambda t, x, y: [t.add(ops.mul, (x, t.constant(-1)))], 1),
    "-1.0 * -x": (lambda t, x, y: [t.add(ops.mul, (t.constant(-1.0), t.add(ops.neg, (x,))))], 0),
    "x * 0": (lambda t, x, y: [t.add(ops.mul, (x, t.constant(0)))], 1),
    "x * 2": (lambda t, x, y: [t.add(ops.mul, (x, t.constant(2)))], 1),
    "x / 1": (lambda t, x, y: [t.add(ops.div, (x, t.constant(1)))], 0),
    "x / -1": (lambda t, x, y: [t.add(ops.div, (x, t.constant(-1)))], 1),
    "1 / x": (lambda t, x, y: [t.add(ops.div, (t.constant(1), x))], 1),
    "x + 0": (lambda t, x, y: [t.add(ops.add, (x, t.constant(0)))], 1),
    "x - 0 and 0 - x": (
        lambda t, x, y: [t.add(ops.sub, (x, t.constant(0))), t.add(ops.sub, (t.constant(0), x))],
        2,
    ),
    "x * 1 - y": (lambda t, x, y: [t.add(ops.sub, (t.add(ops.mul, (x, t.constant(1))), y))], 1),
    "-(-x)": (lambda t, x, y: [t.add(ops.neg, (t.add(ops.neg, (x,)),))], 0),
    "x ** 1": (lambda t, x, y: [t.add(ops.power(1), (x,))], 0),
    "x ** 2": (lambda t, x, y: [t.add(ops.power(2), (x,))], 1),
    "where(1, x, y)": (lambda t, x, y: [t.add(ops.where, (t.constant(1), x, y))], 0),
    "where(0, x, y)": (lambda t, x, y: [t.add(ops.where, (t.constant(0), x, y))], 0),
    "where(x, x, y)": (lambda t, x, y: [t.add(ops.where, (x, x, y))], 1),
    "where(x, 1, y)": (lambda t, x, y: [t.add(ops.where, (x, t.constant(1), y))], 1),
    "exp(2) * x": (lambda t, x, y: [t.add(ops.mul, (t.add(ops.exp, (t.constant(2),)), x))], 1),
    "2 - 3": (lambda t, x, y: [t.add(ops.sub, (t.constant(2), t.constant(3)))], 0),
    "0.0 and -0.0": (lambda t, x, y: [t.constant(0.0), t.constant(-0.0), t.constant(0)], 0),
    "x + 2 and x + 2.0": (lambda t, x, y: [t.add(ops.add, (x, t.constant(2)))] * 2, 1),
}


@each("name", PROGRAMS)
def test_an_optimised_program_gives_the_same_bits_with_the_least_instructions(name):
    build, needed = PROGRAMS[name]
    tape = Tape()
    x, y = tape.input(0), tape.input(1)
    unused = tape.add(ops.mul, (y, y))
    tape.add(ops.exp, (unused,))
    tape.outputs = build(tape, x, y)
    tape.gradients = [None, tape.outputs[-1]]
    optimised = tape.optimised()
    assert optimised.instructions() == needed
    assert optimised.gradients == [None, optimised.outputs[-1]]
    for inputs in ((2.5, -3.0), (-0.5, 7.0), (NAN, 2.0), (INF, -INF), (0.0, -0.0), (-0.0, 2.0)):
        if "/" not in name or 0 not in inputs:
            assert run(optimised, inputs) == run(tape, inputs)


def test_what_is_not_defined_for_constants_is_left_to_the_run():
    tape = Tape()
    tape.outputs = [
        tape.add(ops.log, (tape.constant(-1),)),
        tape.add(ops.div, (tape.constant(1), tape.constant(0))),
    ]
    assert tape.optimised().rows == [None, ops.log, None, None, ops.div]


@pytest.mark.parametrize("chosen", [False, True])
def test_labels_and_what_is_derived_stay_with_what_they_name(chosen):
    tape = Tape()
    x, w = tape.input(0), tape.parameter(0)
    same = tape.add(ops.mul, (x, tape.constant(1)))
    unused = tape.add(ops.exp, (x,))
    other = tape.add(ops.exp, (w,))
    root = tape.add(ops.mul, (same, w))
    if chosen:  # which takes the last use from the other one
        root = tape.add(ops.where, (tape.constant(1), root, other))
    slope = tape.add(ops.add, (w, root))
    again = tape.add(ops.add, (w, root))  # the same work, as where a derivative is the value itself
    tape.outputs, tape.gradients = [root], [slope, None, again]
    tape.labels = {same: "x", unused: "unused", other: "other", root: "root", w: "w"}
    tape.adjoints = {again: slope, slope: same, unused: same, other: w, same: other}
    one = [] if chosen else [None]  # a constant that nothing needs may stay
    for found in (tape.optimised(), pickle.loads(pickle.dumps(tape.optimised()))):
        a, b = len(found) - 2, len(found) - 1
        assert found.rows == [None, None, *one, ops.mul, ops.add]
        assert found.operands[:2] == [("input", 0), ("parameter", 0)]
        assert found.operands[-2:] == [(0, 1), (1, a)]
        assert (found.outputs, found.gradients, found.results()) == ([a], [b, None, b], [a, b, b])
        assert found.labels == {0: "x", 1: "w", a: "root"}
        assert found.adjoints == {b: 0}
        assert found.uses() == [1, 2, *[0 for _ in one], 1, 0]
        assert list(found.needed()) == [1, 1, *[0 for _ in one], 1, 1]
        assert (found.leaves("input"), found.leaves("parameter")) == ({0: 0}, {1: 0})
        assert found.leaves("constant") == dict.fromkeys(range(2, a), 1)
        assert (found.order(a), found.order(b), found.order(0)) == ([0, 1, a], [1, 0, a, b], [0])
        assert found.depends_on([0, 1, a, b], [0]) == {0, a, b}


def test_a_constant_stands_once_and_as_it_was_given():
    tape = Tape()
    numbers = [2, 2.0, 0.0, -0.0, 0, NAN, 10**5000, Fraction(1, 3)]
    places = [tape.constant(number) for number in numbers]
    assert places == list(range(8)) == [tape.constant(number) for number in numbers]
    assert tape.constant(float("nan")) == 5
    assert [type(tape.constant_at(place)) for place in places] == list(map(type, numbers))
    assert [tape.as_float(place) for place in places[:2]] == [2.0, 2.0]
    assert (tape.as_float(6), tape.as_float(7)) == (INF, 1 / 3)
    assert tape.constant_at(tape.input(0)) is None
    assert tape.constant_at(tape.add(ops.exp, (0,))) is None
    assert (len(tape), tape.instructions()) == (10, 1)
    assert [tape.parameter(1), tape.parameter(0), tape.parameter(1), tape.input(1)] == [
        10,
        11,
        10,
        12,
    ]
