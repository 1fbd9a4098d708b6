"""The examples: they run, learn, and compute what the engine computes."""

import random
import runpy
from pathlib import Path

import numpy as np
import pytest

from micrograd import optim
from micrograd.course import first_names
from micrograd.loop import Batches
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")
FOLDER = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def gpt():
    return runpy.run_path(str(FOLDER / "microgpt.py"))


@pytest.mark.slow
def test_a_gpt_on_names_trains_compiled_as_it_does_eagerly(gpt):
    names = first_names()
    letters, weights = (np.array(part) for part in zip(*map(gpt["sample_of"], names), strict=True))
    steps, rate = 20, lambda step: 0.01 * (1 - step / 1000)
    model, eager = (gpt["GPT"](random.Random(42)) for _ in range(2))
    assert len(model.parameters()) == 4192
    loss = compile(lambda letters, weights: gpt["loss_of"](model, letters, weights))
    options = {"lr": 0.01, "betas": (0.85, 0.99)}
    found = loss.fit(
        letters, weights, optimizer=optim.Adam(model.parameters(), **options), steps=steps,
        batch_size=1, seed=0, lr=rate,
    ).loss  # fmt: skip
    adam, batches = optim.Adam(eager.parameters(), **{**options, "lr": rate}), Batches(2000, 1, 0)
    for step in range(steps):
        (i,) = batches.next()
        count = len(names[i]) + 1
        one = gpt["loss_of"](eager, letters[i][: count + 1].tolist(), weights[i][:count].tolist())
        one.backward()
        adam.step()
        adam.zero_grad()
        assert found[step] == pytest.approx(one.data, rel=1e-9), step
    assert found[-1] < found[0]


def test_a_gpt_draws_names_of_letters(gpt):
    drawn = [gpt["drawn"](gpt["GPT"](random.Random(seed)), random.Random(seed)) for seed in (0, 1)]
    assert all(0 <= len(name) <= 16 and name.isalpha() for name in drawn)
