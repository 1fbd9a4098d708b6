"""Checkpoints: runs resumed with the same bits, damaged files."""

import json
import math
import signal
import subprocess
import sys
import time

import pytest

from micrograd.errors import (
    StateError,
)
from micrograd.files import read_json, write_json
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, linear
from micrograd.train import EarlyStop, fit
from tests.support.training import SIGNS, XOR, cloud, curves, network, numbers


def options(model, path):
    return {
        "optimizer": Adam(model.parameters(), lr=linear(0.1, 0.01, 30), weight_decay=1e-3),
        "steps": 30,
        "batch_size": 7,
        "seed": 9,
        "validation": (XOR, SIGNS),
        "validate_every": 3,
        "early_stop": EarlyStop(patience=50, restore_best=True),
        "checkpoint": path,
        "checkpoint_every": 1,
    }


@pytest.mark.parametrize("stopped_after", [0, 1, 4, 13, 29])
def test_an_interrupted_run_goes_on_with_the_same_bits(tmp_path, stopped_after):
    X, y = cloud()
    whole = network()
    expected = fit(whole, X, y, **options(whole, tmp_path / "whole.json"))

    def stop(step, loss, accuracy):
        if step == stopped_after:
            raise KeyboardInterrupt

    path, model = tmp_path / "run.json", network()
    with pytest.raises(KeyboardInterrupt):
        fit(model, X, y, progress=stop, **options(model, path))
    again = network(seed=77)  # other weights: all comes from the file
    history = fit(again, X, y, resume=True, **options(again, path))
    assert numbers(again) == numbers(whole)
    assert curves(history) == curves(expected)
    assert read_json(path)["done"] == 30


class Stop(BaseException):
    """What no handler expects."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Stop, ZeroDivisionError])
def test_a_step_that_breaks_off_inside_the_update_leaves_the_last_whole_step(tmp_path, kind):
    model, path = network(), tmp_path / "run.json"

    class Broken(Adam):
        def step(self):
            if self.steps == 3:
                self.params[0].data = 1e9
                self.steps += 1
                raise kind
            super().step()

    reference = network()
    fit(reference, XOR, SIGNS, optimizer=Adam(reference.parameters(), lr=0.1), steps=3)
    optimizer = Broken(model.parameters(), lr=0.1)
    with pytest.raises(kind):
        fit(model, XOR, SIGNS, optimizer=optimizer, steps=9, checkpoint=path)
    assert numbers(model) == numbers(reference)
    assert optimizer.steps == 3
    document = read_json(path)
    if kind is KeyboardInterrupt:
        assert document["done"] == len(document["history"]["loss"]) == 3
        assert document["parameters"]["data"] == numbers(reference)


SLOW_RUN = """
import random, sys, time
from micrograd.nn import MLP
from micrograd.optim import Adam
from micrograd.train import fit
draw = random.Random(5)
X = [[draw.uniform(-1, 1), draw.uniform(-1, 1)] for _ in range(12)]
y = [int(a + b > 0) for a, b in X]
model = MLP(2, [4, 1], rng=random.Random(3))
fit(model, X, y, optimizer=Adam(model.parameters(), lr=0.05), steps=40, batch_size=5, seed=1,
    checkpoint=sys.argv[1], checkpoint_every=1, resume=True,
    progress=lambda step, loss, accuracy: time.sleep(float(sys.argv[2])))
print(repr([p.data for p in model.parameters()]))
"""


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bits(tmp_path):
    def start(name, pause):
        return subprocess.Popen(
            [sys.executable, "-c", SLOW_RUN, str(tmp_path / name), str(pause)],
            stdout=subprocess.PIPE,
            text=True,
        )

    expected, _ = start("whole.json", 0).communicate()
    path, done, kills = tmp_path / "killed.json", 0, 0
    while done < 30:
        process = start("killed.json", 0.02)
        deadline = time.monotonic() + 60
        target = done + 9 + kills
        while done < min(target, 30) and time.monotonic() < deadline:
            time.sleep(0.003 * (kills + 1))
            if path.exists():
                done = read_json(path)["done"]  # at no moment is it half-written
        process.kill()
        process.communicate()
        kills += 1
        assert time.monotonic() < deadline
    printed, _ = start("killed.json", 0).communicate()
    assert (printed, kills >= 2) == (expected, True)


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT for one process")
def test_ctrl_c_leaves_a_checkpoint(tmp_path):
    path = tmp_path / "run.json"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN.replace("checkpoint_every=1, ", ""), str(path), "0.05"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate()
    assert b"KeyboardInterrupt" in complaint
    document = read_json(path)
    assert 0 < document["done"] == len(document["history"]["loss"]) < 40


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"batch_size": 6}, "batch_size is 7 there and 6 here"),
        ({"seed": 8}, "seed is 9 there and 8 here"),
        ({"loss": "bce"}, "loss is 'hinge' there and 'bce' here"),
        ({"validation": None}, "the validation data are not the same"),
        ({"early_stop": None}, "early_stop"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change, told):
    X, y = cloud()
    path, model = tmp_path / "run.json", network()
    fit(model, X, y, **{**options(model, path), "steps": 2})
    content, other = path.read_bytes(), network(seed=8)
    before = numbers(other)
    with pytest.raises(StateError, match=told):
        fit(other, X, y, **{**options(other, path), **change}, resume=True)
    assert (numbers(other), path.read_bytes()) == (before, content)


def test_a_checkpoint_of_other_data_or_another_network_is_refused(tmp_path):
    X, y = cloud()
    path, model = tmp_path / "run.json", network()
    fit(model, X, y, checkpoint=path, steps=1)
    with pytest.raises(StateError, match="the data are not the same"):
        fit(network(), [*X[:-1], [0.0, 0.0]], y, checkpoint=path, resume=True)
    with pytest.raises(StateError, match=r"configuration is .* there and"):
        fit(MLP(2, [7, 1]), X, y, checkpoint=path, resume=True)
    with pytest.raises(StateError, match="optimizer is 'Adam' there and 'SGD' here"):
        fit(model, X, y, optimizer=SGD(model.parameters()), checkpoint=path, resume=True)
    some = Adam(model.parameters(), decayed=model.parameters()[:3])
    with pytest.raises(StateError, match="other decayed parameters"):
        fit(model, X, y, optimizer=some, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document.update(format="other"),
        lambda document: document.update(version=3),
        lambda document: document.update(run=None),
        lambda document: document.update(random=[3, "1 2 x", None]),
        lambda document: document.update(random=[3, "1 2", None]),
        lambda document: document.update(order="0 0 1"),
        lambda document: document.update(done=-1),
        lambda document: document.update(done=5),
        lambda document: document.update(best_parameters=[1.0]),
        lambda document: document["history"].update(loss=["a"]),
        lambda document: document["parameters"]["names"].pop(),
        lambda document: document["parameters"]["data"].pop(),
        lambda document: document["parameters"]["names"].__setitem__(0, "other"),
        lambda document: document["optimizer"].update(steps="many"),
        lambda document: document.pop("history"),
        lambda document: document["history"]["seconds"].pop(),
        lambda document: document["history"]["accuracy"].pop(),
        lambda document: document["history"].update(validation_steps=[0, 0, 0]),
        lambda document: document["history"].update(
            validation_steps=[2], validation_loss=[1.0], validation_accuracy=[]
        ),
        lambda document: document["history"].update(stopped_early="no"),
        lambda document: document.update(best_loss=math.nan),
        lambda document: document.update(best_loss=10**400),
        lambda document: document.update(best_parameters=[math.nan] * 37),
        lambda document: document["random"].__setitem__(2, "x"),
        lambda document: document["random"].__setitem__(1, "-1 " * 625),
        lambda document: document["run"].update(seed=16**5000),
        lambda document: document["optimizer"].update(steps=10**400),
    ],
)
def test_a_damaged_checkpoint_is_refused_and_nothing_changes(tmp_path, damage):
    X, y = cloud()
    path, model = tmp_path / "run.json", network()
    fit(model, X, y, **{**options(model, path), "steps": 2})
    document = json.loads(path.read_text(encoding="utf-8"))
    damage(document)
    write_json(path, document)
    other = network(seed=8)
    arguments = options(other, path)
    before = numbers(other), arguments["optimizer"].state_dict()
    with pytest.raises(StateError, match=r"run\.json"):
        fit(other, X, y, **arguments, resume=True)
    assert (numbers(other), arguments["optimizer"].state_dict()) == before


def test_a_checkpoint_of_version_1_is_read(tmp_path):
    X, y = cloud()
    path, whole = tmp_path / "run.json", network()
    expected = fit(whole, X, y, **{**options(whole, path), "steps": 4})
    model = network()
    fit(model, X, y, **{**options(model, path), "steps": 2})
    document = read_json(path)
    state = document["parameters"]
    document["parameters"] = dict(zip(state["names"], state["data"], strict=True))
    write_json(path, {**document, "version": 1})
    other = network(seed=8)
    found = fit(other, X, y, **{**options(other, path), "steps": 4}, resume=True)
    assert (found.loss, numbers(other)) == (expected.loss, numbers(whole))


def test_half_a_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.json"
    fit(network(), XOR, SIGNS, steps=1, checkpoint=path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(StateError, match="cut short"):
        fit(network(), XOR, SIGNS, checkpoint=path, resume=True)


def test_a_folder_that_is_not_there_is_found_out_before_the_first_step(tmp_path):
    model = network()
    before = numbers(model)
    with pytest.raises(OSError, match="nowhere"):
        fit(model, XOR, SIGNS, checkpoint=tmp_path / "nowhere" / "run.json")
    assert numbers(model) == before


def test_a_finished_run_resumes_to_itself_and_can_be_prolonged(tmp_path):
    path, model = tmp_path / "run.json", network()
    fit(model, XOR, SIGNS, steps=4, checkpoint=path)
    again = network(seed=1)
    assert len(fit(again, XOR, SIGNS, steps=4, checkpoint=path, resume=True)) == 4
    assert numbers(again) == numbers(model)
    assert len(fit(again, XOR, SIGNS, steps=6, checkpoint=path, resume=True)) == 6
    whole = network()
    fit(whole, XOR, SIGNS, steps=6)
    assert numbers(again) == numbers(whole)


def test_checkpoints_are_written_about_once_a_second_by_default(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        "micrograd.train.checkpoint.write_json",
        lambda path, document, **options: written.append(document),
    )
    fit(network(), XOR, SIGNS, steps=10, checkpoint=tmp_path / "run.json")
    assert [document["done"] for document in written] == [0, 10]
