"""A loss of one's own: compiled where it is the mean of a loss of each sample, else left alone."""

import random

import pytest

from micrograd import Value, losses, relu
from micrograd import sum as total
from micrograd.errors import ArgumentError, TraceError
from micrograd.nn import MLP, Module
from micrograd.optim import SGD, Adam
from micrograd.replay.trace import Recorder
from micrograd.replay.training import is_mean_of_samples
from micrograd.train import fit
from tests.support.fitting import own_hinge

pytest.importorskip("llvmlite")

MODEL = MLP(2, [3, 1], rng=random.Random(0))
pairs = zip


def penalised(scores, y):
    """The whole loss of the well-known moons demo."""
    data = sum((1 + -b * s).relu() for s, b in zip(scores, y, strict=True)) * (1.0 / len(scores))
    return data + 1e-4 * sum(p * p for p in MODEL.parameters())


def huber(scores, y):
    terms = [abs(s - b) for s, b in zip(scores, y, strict=True)]
    return total([relu(t - 1) + t / 2 - 0.25 for t in terms]) / len(terms)


def variance(scores, y):
    mean = sum(scores) / len(scores)
    return sum((s - mean) ** 2 for s in scores) / (len(scores) - 1)


MEANS = {
    "hinge": own_hinge,
    "penalised": penalised,
    "huber": huber,
    "mse": losses.mse,
    "two": lambda s, y: losses.mse(s, y) + 2 * own_hinge(s, y) - 3,
    "of targets alone": lambda s, y: losses.mse(s, y) - losses.mse(y, y),
    "negated": lambda s, y: -(0.5 - losses.mse(s, y)) / 2,
}
CANCELLED = {
    "a difference of equals": lambda s, y: losses.mse(s, y) + (sum(s) - sum(s)),
    "a sum of opposites": lambda s, y: losses.mse(s, y) + sum(s) + -sum(s),
    "rounded otherwise": lambda s, y: sum(0.1 * a**2 for a in s) / len(s) * 10,
}
OTHERS = {
    "sum": lambda s, y: sum((a - b) ** 2 for a, b in zip(s, y, strict=True)),
    "root": lambda s, y: losses.mse(s, y) ** 0.5,
    "first": lambda s, y: (s[0] - y[0]) ** 2,
    "variance": variance,
    "pairs": lambda s, y: sum((a - b) ** 2 for a, b in pairs(s, s[1:] + s[:1])) / len(s),
    "weights": lambda s, y: sum(k * (a - b) ** 2 for k, (a, b) in enumerate(pairs(s, y))),
    "other at the end": lambda s, y: (
        (sum(a**2 for a in s[:-1]) + abs(s[-1])) / len(s) if len(s) > 1 else s[0] ** 2
    ),
    "by size": lambda s, y: sum(a**2 for a in s) / len(s) * (2 if len(s) > 2 else 1),
    "product": lambda s, y: losses.mse(s, y) * own_hinge(s, y),
    "twice a sum": lambda s, y: 2.0 * sum(a**2 for a in s),
    "a sum, twice": lambda s, y: sum(a**2 for a in s) * 2.0,
    "divided by nothing": lambda s, y: losses.mse(s, y) / (len(s) - len(s)),
    "the last counts more": lambda s, y: sum(a**2 for a in (*s, *s[1:][-1:])) / len(s),
    "a constant each": lambda s, y: sum(relu(a - k - 1) for k, a in enumerate(s)) / len(s),
    "a parameter each": lambda s, y: (
        sum(p * a for p, a in pairs(MODEL.parameters()[: len(s)], s)) / len(s)
    ),
    "score or target": lambda s, y: sum(relu(a) for a in (*s[:1], *y[1:])) / len(s),
    "of some": lambda s, y: sum(a**2 for a in s[::2]) / len(s),
    "a constant by size": lambda s, y: losses.mse(s, y) + 1.0 / len(s),
    "a penalty by size": lambda s, y: losses.mse(s, y) + MODEL.parameters()[0] * len(s),
    "a sequence": lambda s, y: [losses.mse(s, y)],
    "an error of some size": lambda s, y: losses.mse(s, y) + {7: 0, 3: 0}[len(s)],
}  # fmt: skip


@pytest.mark.parametrize("loss", [*MEANS.values(), *CANCELLED.values()], ids=[*MEANS, *CANCELLED])
def test_a_mean_over_samples_is_found(loss):
    assert is_mean_of_samples(loss, [7, 3], (), ())


@pytest.mark.parametrize("loss", OTHERS.values(), ids=OTHERS)
def test_what_is_no_mean_over_samples_is_not_taken_for_one(loss):
    assert not is_mean_of_samples(loss, [7, 3], (), ())


def test_scores_and_targets_of_several_numbers():
    def both(s, y):
        flat = [(a - b) ** 2 for row, aims in zip(s, y, strict=True) for a, b in pairs(row, aims)]
        return sum(flat) / len(s)

    assert is_mean_of_samples(both, [4], (2,), (2,))
    assert not is_mean_of_samples(lambda s, y: both(s, y[1:] + y[:1]), [4], (2,), (2,))


def test_a_branch_on_a_target_cannot_be_traced():
    with pytest.raises(TraceError):
        is_mean_of_samples(lambda s, y: s[0] if y[0] == 1 else s[1], [2], (), ())


def run(loss, how, size, several=False):
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [[a, a * b] if several else 2 * int(a * b > 0) - 1 for a, b in X]
    model = MLP(2, [4, 2], rng=random.Random(5)) if several else MODEL
    for p, data in zip(model.parameters(), START, strict=False):
        p.data = data
    history = fit(
        model, X, y, loss, SGD(model.parameters(), 0.1), 12, size, 3, progress=False, compile=how,
        validation=(X[:6], y[:6]), validate_every=3,
    )  # fmt: skip
    numbers = [p.data for p in model.parameters()]
    return [*numbers, *history.loss, *history.validation_loss, len(history.accuracy)]


START = [random.Random(k).gauss(0, 1) for k in range(30)]


@pytest.mark.parametrize("loss", MEANS.values(), ids=MEANS)
def test_fit_compiled_gives_what_the_engine_gives(loss):
    assert run(loss, True, 6) == pytest.approx(run(loss, False, 6), rel=1e-9, abs=1e-12)


def test_fit_of_several_outputs_and_targets():
    def loss(s, y):
        return sum(losses.mse(row, aims) for row, aims in zip(s, y, strict=True)) / len(s)

    expected = run(loss, False, None, several=True)
    assert run(loss, True, None, several=True) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_any_other_loss_is_left_to_the_engine(monkeypatch):
    monkeypatch.setattr("micrograd.replay.training.network_steps._WORTH", 0)
    assert run(variance, "auto", None) == run(variance, False, None)
    with pytest.raises(ArgumentError, match="mean of one loss per sample"):
        run(variance, True, None)


def test_a_loss_that_changes_between_runs_is_traced_again():
    strength = [1.0]

    def loss(s, y):
        return strength[0] * losses.mse(s, y)

    first = run(loss, True, None)
    strength[0] = 0.5
    assert run(loss, True, None) == pytest.approx(run(loss, False, None), rel=1e-9, abs=1e-12)
    assert run(loss, True, None) != first


class Skipping(Module):
    """A network of one's own, of which some parameters are not used."""

    def __init__(self, seed, power):
        rng = random.Random(seed)
        self.unused = Value(rng.random())
        self.network = MLP(2, [3, 1], rng=rng)
        self.power = power
        self.scale = Value(rng.random())

    def __call__(self, x):
        return self.network(x) ** self.power * self.scale


def fitted(model, how, loss=own_hinge):
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [2 * int(a * b > 0) - 1 for a, b in X]
    optimizer = Adam(model.parameters()[2:], 0.1)
    fit(model, X, y, loss, optimizer, 5, progress=False, compile=how)
    return [p.data for p in model.parameters()]


@pytest.fixture
def traces(monkeypatch):
    """Return a list that grows with every trace."""
    traces, traced = [], Recorder.trace
    monkeypatch.setattr(Recorder, "trace", lambda *a: (traces.append(a), traced(*a))[1])
    return traces


def test_what_computes_alike_is_not_traced_again(traces):
    for power, seed, again in [(1, 0, True), (1, 1, False), (2, 1, True), (2, 2, False)]:
        traces.clear()
        found = fitted(Skipping(seed, power), True)
        assert bool(traces) == again
        expected = fitted(Skipping(seed, power), False)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert found[0] == Skipping(seed, power).unused.data


def with_penalty(model, strength):
    return lambda s, y: own_hinge(s, y) + strength * sum(p * p for p in model.network.parameters())


def test_a_loss_with_a_penalty_on_its_own_model_is_traced_once(traces):
    for strength, again in [(0.25, True), (0.25, False), (0.5, True)]:
        traces.clear()
        model = Skipping(0, 1)
        found = fitted(model, True, with_penalty(model, strength))
        assert bool(traces) == again
        model = Skipping(0, 1)
        expected = fitted(model, False, with_penalty(model, strength))
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
