"""Mini-batches: what is drawn, and their state."""

import json
import random

import pytest

from micrograd.engine import Value
from micrograd.loop.batches import Batches
from micrograd.nn import Module
from micrograd.train import fit
from tests.support.training import cloud, network, numbers


def test_a_round_of_mini_batches_visits_each_sample_once():
    seen = []

    class Spy(Module):
        def __init__(self):
            self.w = Value(0.5)

        def __call__(self, x):
            seen.append(x[0])
            return self.w * x[0]

    X = [[float(i)] for i in range(7)]
    fit(Spy(), X, [0.0] * 7, "mse", steps=6, batch_size=3, seed=0)
    rounds = seen[1:8], seen[8:15]  # the first call finds out what the model gives
    assert [sorted(r) for r in rounds] == [[float(i) for i in range(7)]] * 2
    assert rounds[0] != rounds[1] != [float(i) for i in range(7)]


def test_the_seed_alone_decides_the_shuffling():
    X, y = cloud()
    random.seed(1)
    before = random.getstate()
    runs = []
    for seed in (4, 4, 5):
        model = network()
        fit(model, X, y, steps=6, batch_size=8, seed=seed)
        runs.append(numbers(model))
        assert random.getstate() == before
        random.random()
        before = random.getstate()
    assert runs[0] == runs[1] != runs[2]


def test_a_state_is_gone_back_to_and_read_from_a_checkpoint():
    batches = Batches(5, 2, seed=1)
    batches.next()
    before, state = batches.snapshot(), batches.state_dict()
    after = [batches.next() for _ in range(6)]
    batches.restore(before)
    assert [batches.next() for _ in range(6)] == after
    again = Batches(5, 2, seed=None)
    again.load_state_dict(json.loads(json.dumps(state)))
    assert [again.next() for _ in range(6)] == after


def test_without_a_size_every_step_takes_all_samples():
    assert Batches(5, None, seed=0).next() is None


@pytest.mark.parametrize(
    "change", [{"order": "0 0 1"}, {"taken": -1}, {"random": [3, "1 2", None]}]
)
def test_a_damaged_state_changes_nothing(change):
    batches = Batches(3, 1, seed=0)
    before = batches.state_dict()
    with pytest.raises((TypeError, ValueError)):
        batches.load_state_dict({**before, **change})
    assert batches.state_dict() == before
