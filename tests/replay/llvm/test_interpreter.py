"""Bytecode is the first tier of every program: ready at once, with the bits of compiled code."""

import itertools
import math
import random

import pytest
from replaying import every_small_row
from strategies import row_id  # noqa: F401 (names the rows)
from tables import mostly_slow

import micrograd
from micrograd import Value, losses
from micrograd.nn import MLP, Layer
from micrograd.replay import compile, kernels  # noqa: A004
from micrograd.replay.llvm import emitter
from micrograd.replay.trace import traced

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

EDGES = [0.0, -0.0, 1.0, -1.0, 0.3, -2.5, 700.0, 1e-310, math.inf, -math.inf, math.nan]


@pytest.fixture(autouse=True, scope="module")
def compiled_at_once():
    """Let each program be bytecode first, as it is for everybody."""


def bits(numbers):
    """Return numbers as bytes, with all nan alike: a nan has no sign that anything depends on."""
    numbers = np.atleast_1d(np.array(numbers, dtype=float))
    numbers[np.isnan(numbers)] = math.nan
    return numbers.tobytes()


def in_all_tiers(function, ask, **options):
    """Return what `ask` gets of a function that is interpreted, and of one that is compiled.

    Both as a small program and as a large one, whose bytecode has loops, and which has code of its
    own for one sample.
    """
    found = []
    for compiling, large in itertools.product((math.inf, 0.0), (False, True)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernels, "_COMPILING", compiling)
            patch.setattr(emitter, "_LOOPED", 0 if large else math.inf)
            patch.setattr(emitter.Source, "is_large", large)
            compiled = compile(function, "llvm", check="ignore", **options)
            found.append([bits(answer) for answer in ask(compiled)])
            machines = {
                machine.is_interpreted
                for trace in compiled._traces.values()
                for _, _, kernel in trace.programs.values()
                for machine in kernel._machines.values()
            }
            assert machines == {compiling > 0}
    return found


@pytest.mark.slow
@every_small_row
def test_each_row_has_the_bits_of_compiled_code_at_its_edges(op):
    points = list(itertools.product(EDGES, repeat=op.arity))
    points = random.Random(0).sample(points, min(len(points), 60))
    columns = [np.array(column) for column in zip(*points, strict=True)]

    def ask(compiled):
        yield compiled.map(*columns)
        yield from compiled.value_and_grad(*columns, wrt="inputs", reduction="none")
        yield from compiled.value_and_grad(*columns, wrt="inputs", reduction="sum")
        yield from (compiled(*point) for point in points[:5])
        for point in np.array(points):
            yield from compiled.value_and_grad(*point[:, None], wrt="inputs")

    first, *others = in_all_tiers(lambda *xs: op(*xs), ask)
    assert others == [first] * 3


def shared():
    layer = Layer(4, 4, activation="tanh", rng=random.Random(1))
    return lambda x: micrograd.sum(layer(layer(x)))


def wide():
    model = MLP(4, [150], rng=random.Random(2))
    return lambda x: losses.cross_entropy([model(x)], [3])


def penalised():
    model = MLP(4, [16, 16, 1], activation="relu", rng=random.Random(3))
    weights = model.parameters()
    return lambda x: micrograd.relu(1 - model(x)) + 1e-3 * micrograd.sum([w * w for w in weights])


def straight():
    w = [Value(0.1 * k - 0.3) for k in range(6)]
    return lambda x: (w[0] * x[0] + w[1]) / (x[1] - w[2]) - w[3] * w[4] * w[5] * x[2]


def attentive():
    rows = [[Value(random.Random(i).gauss(0, 1)) for i in range(k, k + 4)] for k in range(12)]

    def fn(x):
        first = micrograd.greater(x[0], 0) + micrograd.greater(x[1], 0)
        index = [first, 2 - first, micrograd.where(micrograd.greater(x[2], 1), math.nan, 0)]
        table = [
            [micrograd.take(column, i) for column in zip(*rows[:3], strict=True)] for i in index
        ]
        keys = [[micrograd.dot(row, v) for row in rows[4:]] for v in (*table, x)]
        fits = micrograd.softmax([micrograd.dot(keys[0], key) for key in keys])
        mixed = [micrograd.dot(fits, column) for column in zip(*keys, strict=True)]
        return micrograd.dot(mixed, mixed)

    return fn


def tangled():
    """Lists that overlap, hold numbers twice, constants and unused parameters, and are squared."""
    rng = random.Random(6)
    w = [[Value(rng.gauss(0, 0.5)) for _ in range(12)] for _ in range(12)]

    def fn(x):
        first = [micrograd.tanh(micrograd.dot(row[:4], x, row[4])) for row in w]
        second = [micrograd.dot(row[:9], first[i % 4 : i % 4 + 9]) for i, row in enumerate(w[:9])]
        third = [micrograd.dot(w[0][:9], second), micrograd.dot(w[1][:9], second[::-1], second[0])]
        third.append(micrograd.dot([*second[:5], *second[:5]], [*first[:9], 2.0]))
        third.append(micrograd.dot([1.0, 2.0, -1.0, 0.5], third[:2] + first[:2]))
        return micrograd.dot(third, third) + micrograd.dot(second, second) + second[3] * first[1]

    return fn


def stacked():
    """Matrices of few and of many rows, equally far apart or not, upside down, beside others."""
    rng = random.Random(8)
    w = [Value(rng.gauss(0, 0.3)) for _ in range(800)]
    dot = micrograd.dot

    def fn(x):
        first = [micrograd.tanh(dot(w[5 * i : 5 * i + 4], x, w[5 * i + 4])) for i in range(67)]
        outputs = []
        for count, step in ((5, 7), (7, 6), (8, 6), (9, 9), (17, 5), (21, 0)):
            starts = [step * i or i * i for i in range(count)]
            some = [dot(w[k : k + 5], first[:5]) for k in starts[:: 1 if count % 2 else -1]]
            outputs += [some[-1], micrograd.sum(some[:-1])]
        total = dot(w[400:466], first[:66], first[66])
        for i in range(9):  # each uses the one before
            total = dot(w[500 + 4 * i : 504 + 4 * i], x, total)
        biases = [dot(w[600 + 4 * i : 604 + 4 * i], x, first[i] * first[i + 1]) for i in range(12)]
        return micrograd.sum([micrograd.tanh(v) for v in (*outputs, total, *biases)])

    return fn


def calling():
    """Functions of many numbers, and of what they give, which is used at once, later and twice."""
    w = [Value(0.2 * k - 0.9) for k in range(10)]

    def fn(x):
        powers = [micrograd.exp(v * a) for v in w for a in x[:2]]
        total = powers[3] * micrograd.sum([micrograd.tanh(p) for p in powers[:11]])
        twice = [micrograd.exp(-micrograd.exp(a)) for a in x]
        mixed = [f(w[k] + x[k]) for k in range(3) for f in (micrograd.exp, micrograd.tanh)]
        numbers = [
            *mixed,
            *twice,
            total,
            *powers[::2],
            micrograd.exp(w[0]),
            micrograd.log1p(x[0] ** 2),
        ]
        shares = micrograd.softmax(numbers)
        total = micrograd.dot(w, [micrograd.exp(v * x[3]) for v in w])  # a loop reads them
        return total + micrograd.dot(shares, [*reversed(numbers)]) + micrograd.logsumexp(powers)

    return fn


@pytest.fixture(params=[False, True], ids=["single", "whole"])
def whole(request, monkeypatch):
    """Let the derivatives of weighted sums be rows of many numbers, or of single ones."""
    monkeypatch.setattr(traced, "_LARGE", -1 if request.param else math.inf)


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize(
    "make",
    mostly_slow([tangled, shared, wide, penalised, straight, attentive, stacked, calling]),
)
@pytest.mark.parametrize("options", mostly_slow([{}, {"threads": 2}, {"contract": False}]), ids=str)
def test_networks_and_batches_of_every_size_have_the_bits_of_compiled_code(make, options):
    rows = np.random.default_rng(0).normal(size=(2_100, 4))
    function = make()

    def ask(compiled):
        for n in (1, 2, 3, 7, 16, 100, 1_025, 2_100):
            for reduction in ("mean", "none"):
                yield from compiled.value_and_grad(rows[:n], reduction=reduction)
        yield compiled.map(rows)
        yield compiled(rows[0].tolist())
        yield compiled.jacobian(rows[0].tolist())
        if make is straight:
            yield compiled.hessian(rows[0].tolist())

    first, *others = in_all_tiers(function, ask, **options)
    assert others == [first] * 3


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize("make", mostly_slow([penalised, attentive, tangled]))
def test_what_is_not_finite_stays_in_its_lane(make):
    function, finite = make(), np.random.default_rng(1).normal(size=(19, 4))
    for special in (math.nan, math.inf, -math.inf):
        rows = finite.copy()
        rows[::3, 1] = special

        def ask(compiled, rows=rows):
            yield from compiled.value_and_grad(rows, reduction="none")
            for n in range(1, 20):
                yield from compiled.value_and_grad(rows[:n], reduction="sum")

        first, *others = in_all_tiers(function, ask)
        assert others == [first] * 3
        compiled = compile(function, "llvm", check="ignore")
        mine = compiled.value_and_grad(rows, reduction="none")
        theirs = compiled.value_and_grad(finite, reduction="none")
        for some, others in zip(mine, theirs, strict=True):
            is_finite = np.arange(19) % 3 > 0
            assert bits(some[is_finite]) == bits(others[is_finite])
        python = compile(function, "python", check="ignore")
        for some, others in zip(mine, python.value_and_grad(rows, reduction="none"), strict=True):
            assert some == pytest.approx(others, rel=1e-9, abs=1e-12, nan_ok=True)


def test_a_program_is_compiled_when_the_interpreter_has_taken_as_long(monkeypatch):
    made, compile_it = [], emitter.machine_code
    x, y = np.array([[0.5, -1.0]] * 40), np.ones(40)
    model = MLP(2, [4, 1], activation="tanh", rng=random.Random(0))
    emitter._interpreting(False)  # one for all programs
    monkeypatch.setattr(emitter, "machine_code", lambda *a: made.append(a) or compile_it(*a))
    loss = compile(lambda row, target: (model(row) - target) ** 2, "llvm")
    first = loss.value_and_grad(x, y)
    other = compile(lambda row: micrograd.sum(row) ** 2, "llvm")
    other.map(x)
    assert made == []
    _, _, kernel = next(iter(loss._traces.values())).programs["parameters"]
    steps, blocks = kernel.machine("sums").steps, 40 // kernel.machine("sums").lanes
    price = kernels._COMPILING * (steps + kernels._PROGRAM)
    for _ in range(math.ceil(price / (kernels._CALL + kernels._STEP * steps * blocks)) - 1):
        loss.value_and_grad(x, y)
    assert kernel.machine("sums").is_interpreted
    for _ in range(3):
        value, gradient = loss.value_and_grad(x, y)
    assert not kernel.machine("sums").is_interpreted
    assert value == first[0]
    assert gradient.tolist() == first[1].tolist()
    assert len(made) == 1
    assert loss._batches is not None  # and then CPython calls it directly


def test_a_loop_of_training_is_given_compiled_code():
    model = MLP(2, [4, 1], rng=random.Random(0))
    loss = compile(lambda row: model(row) ** 2, "llvm")
    rows = np.ones((3, 2))
    loss.value_and_grad(rows)
    machine, _, _ = loss.machine(rows)
    assert not machine.is_interpreted
