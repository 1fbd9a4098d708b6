"""Compiled steps of `fit`: what the engine gives, and programs that networks share."""

from __future__ import annotations

import random

import pytest
from replaying import trained, weights
from tables import mostly_slow

from micrograd.engine import Value
from micrograd.errors import TraceError
from micrograd.nn import MLP, Module
from micrograd.optim import SGD, Adam
from micrograd.train import EarlyStop, fit

pytest.importorskip("llvmlite")


@pytest.mark.parametrize("loss", ["hinge", "mse", "bce", "cross_entropy"])
@pytest.mark.parametrize("batch_size", mostly_slow([7, None]))
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_fit_compiled_gives_the_parameters_and_history_of_the_engine(loss, batch_size, optimizer):
    rng = random.Random(5)
    outputs = 3 if loss == "cross_entropy" else 1
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [rng.randrange(outputs if outputs > 1 else 2) for _ in X]
    runs = []
    for choice in (False, True):
        model = MLP(2, [6, outputs], activation="tanh", rng=random.Random(1))
        parameters = model.parameters()
        chosen = SGD(parameters, lr=0.05, momentum=0.9) if optimizer == "sgd" else Adam(parameters)
        history = fit(
            model, X, y, loss, chosen, steps=100, batch_size=batch_size, seed=3, compile=choice
        )
        runs.append((history, [p.data for p in parameters]))
    (eager_history, expected), (history, got) = runs
    assert got == pytest.approx(expected, rel=1e-10, abs=1e-13)
    assert history.loss == pytest.approx(eager_history.loss, rel=1e-10, abs=1e-14)
    assert history.accuracy == pytest.approx(eager_history.accuracy, abs=1e-12)


def test_fit_compiles_by_itself_where_there_is_work_enough():
    from micrograd.replay.training import is_worth_compiling

    assert is_worth_compiling(100, 337)
    assert not is_worth_compiling(4, 337)


class Branching(Module):
    """A model that cannot be traced."""

    def __init__(self):
        self.w = Value(0.5)

    def __call__(self, x):
        return self.w * x[0] if x[0] > 0 else self.w * 2


def test_fit_of_a_model_that_cannot_be_traced_is_left_to_the_engine(monkeypatch):
    monkeypatch.setattr("micrograd.replay.training.network_steps._WORTH", 0)
    X, y = [[1.0], [-1.0]], [0, 1]
    automatic, plain = Branching(), Branching()
    fit(automatic, X, y, steps=3)
    fit(plain, X, y, steps=3, compile=False)
    assert automatic.w.data == plain.w.data
    with pytest.raises(TraceError, match=r"micrograd\.where"):
        fit(plain, X, y, steps=3, compile=True)
    with pytest.raises(ValueError, match="'auto', got 'fast'"):
        fit(plain, X, y, steps=3, compile="fast")
    with pytest.raises(ValueError, match="can be compiled here"):
        fit(plain, X, y, lambda scores, y: scores[0], steps=1, compile=True)


def test_small_steps_are_done_in_stretches_that_an_interrupt_does_not_wait_for(monkeypatch):
    from micrograd.replay.training import Descent

    stretches, run = [], Descent.run

    monkeypatch.setattr(Descent, "run", lambda *a: (stretches.append(a[1]), run(*a))[1])
    trained("sgd", 1, 12_000)
    assert sum(stretches) == 12_000
    assert stretches[0] <= 5_000


def run_of(compiles, activation="relu", loss="hinge", widths=(4, 1), **options):
    """Return the weights after ten steps and how many programs were compiled for them."""
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [int(a * b > 0) for a, b in X]
    model = MLP(2, widths, activation=activation, rng=random.Random(5))
    options.get("change", lambda model: None)(model)
    before = len(compiles)
    how = options.get("compiled", True)
    fit(model, X, y, loss, SGD(model.parameters(), 0.1), 10, progress=False, compile=how)
    return weights(model), len(compiles) - before


def test_a_network_of_the_same_architecture_takes_the_programs_over(monkeypatch):
    from micrograd.replay.llvm import emitter as llvm
    from micrograd.replay.training import network_steps as training

    monkeypatch.setattr(training, "_known", type(training._known)())
    compiles, made = [], llvm.machine_code
    monkeypatch.setattr(
        llvm, "machine_code", lambda *a, **k: (compiles.append(a), made(*a, **k))[1]
    )
    first, programs = run_of(compiles)
    assert programs >= 1
    assert run_of(compiles) == (first, 0)
    for other in (
        {"activation": "tanh"},
        {"loss": "mse"},
        {"widths": (4, 2), "loss": "cross_entropy"},
    ):
        again, programs = run_of(compiles, **other)
        assert programs >= 1
        assert again != first
        run_of(compiles, **other)
        assert run_of(compiles, **other) == (again, 0)

    def tied(model):
        model.layers[0].neurons[0].w[0] = model.layers[0].neurons[1].w[0]

    def named(model):
        model.layers[0].neurons[0].b.label = "bias"

    for change in (tied, named):
        with_change, programs = run_of(compiles, change=change)
        assert programs >= 1 or change is named
        assert (with_change == first) == (change is named)


@pytest.mark.parametrize("weights", [None, [1, 3] * 10], ids=["alike", "weighted"])
def test_validation_data_count_alike_whatever_the_weights(weights):
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [int(a * b > 0) for a, b in X]
    histories = []
    for choice in (False, True):
        model = MLP(2, [4, 1], rng=random.Random(5))
        histories.append(
            fit(
                model, X, y, "hinge", SGD(model.parameters(), 0.1), 4, progress=False,
                validation=(X[:7], y[:7]), compile=choice, sample_weight=weights,
            )
        )  # fmt: skip
    assert histories[1].validation_loss == pytest.approx(histories[0].validation_loss, rel=1e-12)
    assert histories[1].validation_accuracy == histories[0].validation_accuracy
    assert histories[1].loss == pytest.approx(histories[0].loss, rel=1e-12)


def leaps(monkeypatch, rate, steps, size, stop):
    """Return a run with an early stop, and how many steps each call of machine code did."""
    from micrograd.replay.training import Descent

    asked, run = [], Descent.run
    monkeypatch.setattr(Descent, "run", lambda *a: (asked.append(a[1]), run(*a))[1])
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(40)]
    y = [int(a * b > 0) for a, b in X]
    model = MLP(2, [4, 1], activation="tanh", rng=random.Random(5))
    history = fit(
        model, X, y, "bce", SGD(model.parameters(), rate), steps, size, seed=1, progress=False,
        compile=True, early_stop=stop,
    )  # fmt: skip
    return history, asked


@pytest.mark.parametrize("every", [1, 3])
def test_few_steps_are_done_that_an_early_stop_leaves_out(every, monkeypatch):
    history, asked = leaps(monkeypatch, 2.0, 500, 8, EarlyStop(4, every=every))
    assert history.stopped_early
    assert 4 * every <= len(history) < 500
    assert sum(asked) <= 1.5 * len(history)


def test_a_run_with_little_patience_takes_few_leaps(monkeypatch):
    history, asked = leaps(monkeypatch, 0.01, 3_000, None, 1)
    assert not history.stopped_early
    assert len(history) == sum(asked) == 3_000
    assert len(asked) < 50


def test_a_parameter_in_two_places_is_trained_as_by_the_engine():
    def tied(model):
        model.layers[0].neurons[0].w[0] = model.layers[0].neurons[1].w[0]

    assert run_of([], change=tied)[0] == pytest.approx(
        run_of([], change=tied, compiled=False)[0], rel=1e-10
    )


def test_no_more_programs_are_kept_than_a_few(monkeypatch):
    from micrograd.replay.training import network_steps as training

    monkeypatch.setattr(training, "_known", type(training._known)())
    monkeypatch.setattr(training, "_KEPT", 2)
    for width in (1, 2, 3):
        run_of([], widths=(width, 1))
    assert len(training._known) == 2


def raised():
    raise KeyError("no rate")


@pytest.mark.parametrize(
    "wrong",
    [lambda: float("nan"), lambda: -1, lambda: "fast", raised],
    ids=["nan", "-1", "text", "error"],
)
@pytest.mark.parametrize("at", [0, 7])
@pytest.mark.parametrize("rule", [SGD, Adam])
def test_a_rate_that_cannot_be_used_is_the_error_of_its_step(wrong, at, rule):
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(20)]
    y = [int(a * b > 0) for a, b in X]
    ends = []
    for how in (False, True):
        model = MLP(2, [4, 1], rng=random.Random(5))
        optimizer = rule(model.parameters(), lambda k: wrong() if k == at else 0.1 / (k + 1))
        with pytest.raises(Exception) as caught:
            fit(model, X, y, "bce", optimizer, 20, 6, 3, progress=False, compile=how)
        error = caught.value
        ends.append((type(error), str(error).split(";")[0], optimizer.steps, weights(model)))
    assert ends[0][:3] == ends[1][:3]
    assert ends[0][2] == at
    assert ends[1][3] == pytest.approx(ends[0][3], rel=1e-10)


def test_the_rates_of_a_function_are_asked_for_many_steps_ahead(monkeypatch):
    from micrograd.replay.training import Descent

    leaps, run = [], Descent.run
    monkeypatch.setattr(Descent, "run", lambda *a: (leaps.append(a[1]), run(*a))[1])
    model = MLP(2, [4, 1], rng=random.Random(5))
    optimizer = SGD(model.parameters(), lambda k: 0.1 / (k + 1))
    fit(model, [[1.0, 2.0], [0.0, 1.0]], [0, 1], "bce", optimizer, 50, progress=False, compile=True)
    assert leaps == [50]


def test_few_steps_are_one_call_where_much_validation_data_are_measured(monkeypatch):
    from micrograd.replay.training import Descent

    asked, run = [], Descent.run
    monkeypatch.setattr(Descent, "run", lambda *a: (asked.append(a[1]), run(*a))[1])
    X, y = [[0.5, 1.0]] * 20_000, [0, 1] * 10_000
    for options in ({"validate_every": 1}, {"validate_every": 50}):
        model = MLP(2, [4, 1], rng=random.Random(5))
        fit(
            model, X[:20], y[:20], "bce", SGD(model.parameters(), 0.1), 300, progress=False,
            compile=True, validation=(X, y), **options,
        )  # fmt: skip
    assert asked[0] < 300  # 17 parameters times 20,020 samples in each step
    assert asked[-1] == 300
