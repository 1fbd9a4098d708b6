"""Compiled functions called without conversions: the same bits, errors and lifetimes."""

import gc
import math
import random
import sys
import threading
from fractions import Fraction

import pytest

from micrograd import Value, compile, greater, relu  # noqa: A004
from micrograd.errors import (
    InputCountError,
    NonFiniteError,
    NumberTypeError,
    OverflowRangeError,
    TraceError,
    ZeroDivisorError,
)
from micrograd.nn import MLP, Module
from micrograd.replay import kernels
from micrograd.replay.llvm import direct, emitter

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

SAMPLES = np.random.default_rng(0).normal(size=(100, 2))
TARGETS = np.where(np.arange(100) % 2, 1.0, -1.0)


def network():
    random.seed(1337)
    model = MLP(2, [5, 1])
    loss = compile(lambda x, t: relu(1 - t * model(x)), "llvm")
    for _ in range(3):
        loss.value_and_grad(SAMPLES, TARGETS)
    return model, loss


def the_way_round(loss, *args, **options):
    """Return what a fresh compiled function gives in its first call, which is never direct."""
    return compile(loss.__wrapped__, "llvm").value_and_grad(*args, **options)


def same(one, other):
    assert one[0] == other[0]
    assert type(one[0]) is float
    assert one[1].tobytes() == other[1].tobytes()


@pytest.fixture
def counted(monkeypatch):
    """Return a list that grows with every call that is not direct."""
    from micrograd.replay.compiled import Compiled

    calls, way_round = [], Compiled._batch
    monkeypatch.setattr(Compiled, "_batch", lambda *a: (calls.append(a), way_round(*a))[1])
    return calls


@pytest.mark.parametrize("n", [1, 3, 8, 13, 100])
def test_a_direct_call_gives_the_bits_of_the_way_round(n, counted):
    model, loss = network()
    parameters = np.array([p.data for p in model.parameters()])
    expected = the_way_round(loss, SAMPLES[:n], TARGETS[:n])
    before = len(counted)
    same(loss.value_and_grad(SAMPLES[:n], TARGETS[:n]), expected)
    same(loss.value_and_grad(SAMPLES[:n], TARGETS[:n], parameters=parameters), expected)
    assert len(counted) == before


def test_a_direct_call_reads_the_present_parameters(counted):
    model, loss = network()
    before = len(counted)
    for data in (0.25, 3, -7):
        model.parameters()[4].data = data
        value, gradient = loss.value_and_grad(SAMPLES, TARGETS)
        model.parameters()[4].data = float(data)
        same((value, gradient), loss.value_and_grad(SAMPLES, TARGETS))
    assert len(counted) == before
    same(loss.value_and_grad(SAMPLES, TARGETS), the_way_round(loss, SAMPLES, TARGETS))


def test_what_a_direct_call_does_not_know_goes_the_way_round(counted):
    model, loss = network()
    expected = the_way_round(loss, SAMPLES, TARGETS)
    before = len(counted)
    wide = np.zeros((100, 4))
    wide[:, ::2] = SAMPLES
    for X, y in (
        (SAMPLES.tolist(), TARGETS),
        (wide[:, ::2], TARGETS),
        (np.asfortranarray(SAMPLES), TARGETS),
        (SAMPLES.astype(">f8"), TARGETS),
        (SAMPLES, TARGETS.astype(int)),
    ):
        same(loss.value_and_grad(X, y), expected)
    assert len(counted) == before + 5
    model.parameters()[0].data = Fraction(1, 4)
    one = loss.value_and_grad(SAMPLES, TARGETS)
    model.parameters()[0].data = 0.25
    same(loss.value_and_grad(SAMPLES, TARGETS), one)


def test_a_read_only_array_is_taken(counted):
    _, loss = network()
    X = SAMPLES.copy()
    X.flags.writeable = False
    before = len(counted)
    same(loss.value_and_grad(X, TARGETS), loss.value_and_grad(SAMPLES, TARGETS))
    assert len(counted) == before


def test_wrong_inputs_of_a_direct_call_are_the_usual_errors():
    _, loss = network()
    with pytest.raises(InputCountError, match="got 100 and 99"):
        loss.value_and_grad(SAMPLES, TARGETS[:99])
    with pytest.raises(InputCountError, match="argument"):
        loss.value_and_grad(SAMPLES)
    with pytest.raises(NumberTypeError, match="leading sample axis"):
        loss.value_and_grad(SAMPLES, 1.0)
    with pytest.raises(InputCountError, match="expected 21 parameters"):
        loss.value_and_grad(SAMPLES, TARGETS, parameters=np.zeros(3))
    with pytest.raises(InputCountError):
        loss.value_and_grad(np.zeros((100, 3)), TARGETS)
    with pytest.raises(NumberTypeError):
        loss.value_and_grad("text", TARGETS)


def test_a_result_that_is_not_finite_is_named_by_a_direct_call_too():
    w = Value(1.0, label="w")
    loss = compile(lambda x: (w * x) ** 2, "llvm")
    X = np.array([1.0, 2.0, 1e200])
    for _ in range(3):
        loss.value_and_grad(X[:2])
        loss(2.0)
    with pytest.raises(OverflowRangeError, match=r"sample 2: .*1e\+200"):
        loss.value_and_grad(X)
    for place in (0, 1_023, 1_024, 2_499):  # in whichever chunk it is
        long = np.ones(2_500)
        long[place] = 1e200
        with pytest.raises(OverflowRangeError, match=rf"sample {place}: "):
            loss.value_and_grad(long)
    with pytest.raises(OverflowRangeError):
        loss(1e200)
    w.data = math.nan
    with pytest.raises(NonFiniteError, match="parameter w"):
        loss.value_and_grad(X[:2])
    loss.check = "ignore"
    assert math.isnan(loss.value_and_grad(X[:2])[0])
    assert math.isnan(loss(1.0))


def test_one_sample_directly():
    model, loss = network()
    for x, y in zip(SAMPLES[:20].tolist(), TARGETS.tolist(), strict=False):
        value = loss(x, y)
        assert value == pytest.approx(relu(1 - y * model(x)).data, rel=1e-13, abs=1e-15)
        assert loss((x[0], x[1]), np.float64(y)) == value == loss(np.array(x), y)
    assert loss([1, 2], -1) == loss([1.0, 2.0], -1.0)
    assert loss([Value(1.0), True], 1) == loss([1.0, 1], 1)
    with pytest.raises(NumberTypeError):
        loss(["1", 2.0], 1.0)
    with pytest.raises(InputCountError):
        loss([1.0, 2.0, 3.0], 1.0)
    with pytest.raises(InputCountError):
        loss([1.0, 2.0])
    huge = compile(lambda x: x * 0.5, "llvm")
    for _ in range(3):
        assert huge(4) == 2.0
    with pytest.raises((OverflowError, TraceError)):
        huge(10**400)


def test_shapes_in_turn_and_parameters_met_later():
    a, b = Value(2.0), Value(3.0)

    def fn(x):
        return x[0] * a if len(x) == 1 else x[0] * a + x[1] * b

    compiled = compile(fn, "llvm")
    one, two = np.ones((4, 1)), np.ones((4, 2))
    for _ in range(4):
        assert compiled.value_and_grad(one)[1].tolist()[:1] == [1.0]
    for _ in range(4):
        assert compiled.value_and_grad(two)[1].tolist() == [1.0, 1.0]
        assert compiled.value_and_grad(one)[1].tolist() == [1.0, 0.0]
        assert (compiled([2.0]), compiled([2.0, 1.0])) == (4.0, 7.0)
    compiled.clear()
    assert compiled.value_and_grad(two)[1].tolist() == [1.0, 1.0]


def test_values_with_data_of_their_own_are_asked_for_it():
    from micrograd.replay.llvm.direct import is_possible

    class Watched(Value):
        data = property(lambda self: 2.0)

    compiled = compile(lambda x: w * x, "llvm")
    w = Value(3.0)
    compiled(1.0)
    trace = compiled._latest
    assert is_possible(trace)
    trace.parameters = [w, Watched(1.0)]
    assert not is_possible(trace)


def test_direct_calls_leak_nothing():
    model, loss = network()
    X, y = SAMPLES.copy(), TARGETS.copy()
    parameters = np.zeros(21)
    watched = [X, y, parameters, *model.parameters()]
    for _ in range(3):
        loss.value_and_grad(X, y, parameters=parameters)
        loss([1.0, 2.0], 1.0)
    gc.collect()  # what other tests left behind would give up its None meanwhile
    nones = sys.getrefcount(None)
    before = [sys.getrefcount(thing) for thing in watched]
    for _ in range(200):
        loss.value_and_grad(X, y, parameters=parameters)
        loss.value_and_grad(X, y)
        loss.value_and_grad(X.tolist()[:3], y[:3])
        loss([1.0, 2.0], 1.0)
    assert [sys.getrefcount(thing) for thing in watched] == before
    assert abs(sys.getrefcount(None) - nones) < 150


def test_direct_calls_from_many_threads():
    _, loss = network()
    expected = loss.value_and_grad(SAMPLES, TARGETS)
    wrong = []

    def work():
        for _ in range(200):
            value, gradient = loss.value_and_grad(SAMPLES, TARGETS)
            if value != expected[0] or gradient.tobytes() != expected[1].tobytes():
                wrong.append(value)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_where_direct_calls_are_not_possible_all_goes_the_way_round(monkeypatch):
    monkeypatch.setattr("micrograd.replay.llvm.direct.offset_of", lambda name: None)
    _, loss = network()
    assert loss._batches is None
    same(loss.value_and_grad(SAMPLES, TARGETS), the_way_round(loss, SAMPLES, TARGETS))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_batches_of_every_size_and_parameters_without_derivative(
    large, threads, counted, monkeypatch
):
    monkeypatch.setattr(emitter.Source, "is_large", large)
    model = Module()
    model.unused, model.gate = [Value(5.0), Value(6.0)], Value(0.5)
    model.network = MLP(7, [8, 8, 1], rng=random.Random(3))

    def loss(x):
        return relu(1 - model.network(x)) * greater(x[0], model.gate)

    samples = np.random.default_rng(0).normal(size=(5_000, 7))
    compiled = compile(loss, "llvm", threads=threads)
    for n in (1, 9) * 3:
        compiled.value_and_grad(samples[:n])
    numbers = np.array([p.data for p in compiled.parameters])
    assert len(numbers) == len(model.parameters())
    for n in (1, 2, 8, 15, 1_024, 1_025, 2_048, 5_000):
        expected = the_way_round(compiled, samples[:n])
        before = len(counted)
        same(compiled.value_and_grad(samples[:n]), expected)
        same(compiled.value_and_grad(samples[:n], parameters=numbers), expected)
        assert len(counted) == before + (2 if n > 1_024 and threads == 2 else 0)
    flat = [model.gate, *model.unused]
    slopes = dict(zip(map(id, compiled.parameters), expected[1].tolist(), strict=True))
    assert [slopes[id(p)] for p in flat] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("width", range(1, 9))
def test_nothing_is_written_beyond_the_gradient(width):
    weights = [Value(i + 1.0) for i in range(width)]
    compiled = compile(lambda x: sum((w * x for w in weights), 0.0), "llvm")
    X = np.array([1.0, 2.0])
    for _ in range(3):
        compiled.value_and_grad(X)
    longer = np.full(width + 4, 7.0)
    value = compiled._batches.run(longer[:width], None, X)
    assert value == 1.5 * sum(range(1, width + 1))
    assert longer.tolist() == [1.5] * width + [7.0] * 4


@pytest.mark.parametrize("unused", [False, True])
@pytest.mark.parametrize("way", [math.inf, 0.0])  # interpreted, and compiled
def test_a_large_gradient_of_one_sample_is_written_where_it_stays(
    way, unused, counted, monkeypatch
):
    monkeypatch.setattr(emitter.Source, "is_large", True)
    monkeypatch.setattr(direct, "_LARGE", 1)
    monkeypatch.setattr(kernels, "_COMPILING", way)
    model = Module()
    model.network, model.unused = MLP(7, [9, 8, 1], rng=random.Random(3)), [Value(5.0)][:unused]
    compiled = compile(lambda x: relu(model.network(x)) * relu(x[0]), "llvm")
    samples = np.random.default_rng(0).normal(size=(20, 7))
    numbers = np.array([p.data for p in model.parameters()])
    for n in (1, 2) * 3:
        compiled.value_and_grad(samples[:n])
    assert compiled._batches.lead == (not unused)
    for i in range(18):
        for n in (1, 2):
            expected, before = the_way_round(compiled, samples[i : i + n]), len(counted)
            first = compiled.value_and_grad(samples[i : i + n])
            same(compiled.value_and_grad(samples[i : i + n], parameters=numbers), expected)
            same(first, expected)
            assert len(counted) == before


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 64])
def test_a_mean_is_a_quotient_down_to_the_smallest_number(n):
    weights = [Value(i / 7) for i in range(11)]
    compiled = compile(lambda x: sum((w * x for w in weights), 0.0), "llvm")
    for scale in (5e-324, 1.5e-323, 1.1e-308, 0.1, -5e-324, 1.7e307):
        X = np.full(n, 0.0)
        X[0] = scale
        for _ in range(3):
            _, gradient = compiled.value_and_grad(X)
        assert gradient.tolist() == [scale / n + 0.0] * 11
        assert not np.signbit(gradient[gradient == 0.0]).any()


def test_a_derivative_of_a_single_sample_that_is_not_finite_is_found_wherever_it_is(monkeypatch):
    monkeypatch.setattr(emitter.Source, "is_large", True)
    weights = [Value(1.0) for _ in range(14)]  # for every register, and more
    compiled = compile(lambda x: x * sum((w**0.5 for w in weights), 0.0), "llvm")
    for weight in weights:
        assert compiled.value_and_grad(np.ones(1))[1].tolist() == [0.5] * 14
        weight.data = 0.0
        with pytest.raises(ZeroDivisorError, match="sample 0"):
            compiled.value_and_grad(np.ones(1))
        weight.data = 1.0
