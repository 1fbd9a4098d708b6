"""The moons demo of karpathy/micrograd, number for number."""

import gc
import json
import random
from pathlib import Path

import pytest

from micrograd import Value
from micrograd.losses import hinge, l2
from micrograd.nn import MLP
from micrograd.optim import SGD, linear

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / "data" / "moons_demo.json").read_text(encoding="utf-8")
)["steps"]


def moons():
    np = pytest.importorskip("numpy")
    datasets = pytest.importorskip("sklearn.datasets")
    np.random.seed(1337)
    random.seed(1337)
    X, y = datasets.make_moons(n_samples=100, noise=0.1)
    return X, y * 2 - 1


@pytest.fixture(autouse=True)
def shared_generators():
    """The demo seeds the shared generators; other tests must not feel it."""
    np = pytest.importorskip("numpy")
    state, legacy = random.getstate(), np.random.get_state()
    gc.disable()  # graphs are freed without it, and it costs a third of the time
    yield
    gc.enable()
    random.setstate(state)
    np.random.set_state(legacy)


def assert_published(step, loss, accuracy):
    expected_loss, expected_accuracy = PUBLISHED[step]
    assert loss == pytest.approx(expected_loss, abs=1e-9), f"loss of step {step}"
    assert 100 * accuracy == pytest.approx(expected_accuracy, abs=1e-9), f"step {step}"


@pytest.mark.slow
@pytest.mark.parametrize(("atomic", "steps"), [(False, 100), (True, 30)], ids=["whole", "atomic"])
def test_the_demo_as_written_prints_its_published_numbers(atomic, steps):
    X, y = moons()
    model = MLP(2, [16, 16, 1], atomic=atomic)
    for k in range(steps):
        inputs = [list(map(Value, row)) for row in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        total_loss = data_loss + 1e-4 * sum(p * p for p in model.parameters())
        right = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores, strict=True)]
        assert_published(k, total_loss.data, sum(right) / len(right))

        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad


@pytest.mark.slow
def test_the_demo_with_losses_and_optimizer_has_the_published_numbers():
    X, y = moons()
    model = MLP(2, [16, 16, 1])
    optimizer = SGD(model.parameters(), lr=linear(1.0, 0.1, 100))
    for k in range(100):
        scores = [model(x) for x in X]
        loss = hinge(scores, y) + l2(model.parameters(), 1e-4)
        right = [(s > 0) == (t > 0) for s, t in zip(scores, y, strict=True)]
        assert_published(k, loss.data, sum(right) / len(right))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_weight_decay_is_the_penalty_of_the_demo():
    X, y = moons()
    model = MLP(2, [16, 16, 1])
    optimizer = SGD(model.parameters(), lr=linear(1.0, 0.1, 100), weight_decay=2e-4)
    for k in range(10):
        loss = hinge([model(x) for x in X], y)
        penalty = 1e-4 * sum(p.data**2 for p in model.parameters())
        assert loss.data + penalty == pytest.approx(PUBLISHED[k][0], abs=1e-9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
