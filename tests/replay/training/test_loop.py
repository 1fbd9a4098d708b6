"""The training loop in machine code: the engine's parameters, the bits of single steps."""

from __future__ import annotations

import random

import pytest
from replaying import UPDATES, trained, weights
from tables import mostly_slow

from micrograd import Value, compile  # noqa: A004
from micrograd.errors import MicrogradError
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.replay.training import NetworkSteps, Steps
from micrograd.train import fit

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


@pytest.mark.parametrize("rule", mostly_slow(UPDATES, 4))
@pytest.mark.parametrize("batch_size", mostly_slow([16, None]))
def test_the_loop_in_machine_code_gives_the_parameters_of_the_eager_loop(rule, batch_size):
    eager_model, eager_optimizer, eager_history = trained(rule, batch_size, compile=False)
    model, optimizer, history = trained(rule, batch_size)
    largest = max(map(abs, weights(eager_model)))
    assert weights(model) == pytest.approx(weights(eager_model), rel=1e-10, abs=1e-10 * largest)
    assert history.loss == pytest.approx(eager_history.loss, rel=1e-10)
    assert history.accuracy == eager_history.accuracy
    assert len(history.seconds) == 100
    assert optimizer.steps == 100
    assert optimizer.state_dict().keys() == eager_optimizer.state_dict().keys()
    for got, expected in zip(model.parameters(), eager_model.parameters(), strict=True):
        assert got.grad == pytest.approx(expected.grad, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("rule", UPDATES)
@pytest.mark.parametrize("batch_size", [None, 16])
def test_the_loop_has_the_bits_of_single_compiled_steps(rule, batch_size, monkeypatch):
    seen = []
    loop = trained(rule, batch_size)
    one_by_one = trained(rule, batch_size, progress=lambda *step: None)
    monkeypatch.setattr(NetworkSteps, "descent", lambda *arguments: None)
    stepwise = trained(rule, batch_size, progress=lambda *step: seen.append(step))
    assert weights(one_by_one[0]) == weights(loop[0])
    assert weights(loop[0]) == weights(stepwise[0])
    assert loop[1].state_dict() == stepwise[1].state_dict()
    assert loop[2].loss == stepwise[2].loss == [loss for _, loss, _ in seen]


def test_steps_on_all_samples_after_steps_on_batches_are_on_all_samples():
    columns, results = [np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])], []
    for batches in ([[0], [1]], None):
        w = Value(0.5)
        compiled = compile(lambda x, y, w=w: (w * x - y) ** 2, "llvm")
        descent = Steps(compiled, columns).descent(SGD([w], 0.01), None)
        descent.run(2, batches)
        w.data = 0.5
        results.append((descent.run(2).values, w.data))
    assert results[0] == results[1]


def test_the_loop_adds_up_many_chunks_as_single_steps_do(monkeypatch):
    rng = random.Random(1)
    X = [[rng.gauss(0, 1)] for _ in range(3_000)]
    y = [2 * x[0] - 1 for x in X]
    results = []
    for method in (NetworkSteps.descent, lambda *arguments: None):
        monkeypatch.setattr(NetworkSteps, "descent", method)
        model = MLP(1, [3, 1], rng=random.Random(2))
        fit(model, X, y, "mse", SGD(model.parameters(), 0.01), 5, progress=False, compile=True)
        results.append(weights(model))
    assert results[0] == results[1]


def test_a_resumed_loop_has_the_bits_of_one_that_was_never_stopped(tmp_path):
    whole = trained("adam", 16, 90)
    path = tmp_path / "run.json"
    trained("adam", 16, 37, checkpoint=path)
    model, _, history = trained("adam", 16, 90, checkpoint=path, resume=True, checkpoint_every=7)
    assert weights(model) == weights(whole[0])
    assert history.loss == whole[2].loss


@pytest.mark.parametrize("batch_size", [None, 2])
def test_a_loop_that_runs_away_stops_at_the_step_of_the_eager_loop(batch_size):
    ends = []
    for choice in (False, True):
        model = MLP(1, [1], rng=random.Random(0))
        optimizer = SGD(model.parameters(), 1e6)
        with pytest.raises(MicrogradError, match="training stopped at step") as caught:
            fit(
                model, [[-1.0], [0.0], [3.0]], [-1, 1, 3], "mse", optimizer, 1_000, batch_size,
                seed=1, progress=False, compile=choice,
            )  # fmt: skip
        ends.append((str(caught.value).split(":")[0], optimizer.steps, weights(model)))
    assert ends[0][:2] == ends[1][:2]
    assert ends[1][2] == pytest.approx(ends[0][2], rel=1e-8)  # an instability, amplified
