"""Checkpoints: runs resumed with the same bits, damaged files."""

import math
import signal
import subprocess
import sys
import time

import pytest

from micrograd.errors import StateError
from micrograd.files import read_json, write_json
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, linear
from micrograd.train import EarlyStop, fit
from micrograd.train.checkpoint import read
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
    assert read(path)["done"] == 30


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
    document = read(path)
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
                done = read(path)["done"]  # at no moment is it half-written
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
    document = read(path)
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
    document = read(path)
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
    document = read(path)
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


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture(scope="module")
def in_lines(tmp_path_factory):
    """Return a run in which a line was added after each step, and its checkpoint."""
    (X, y), path, model = cloud(), tmp_path_factory.mktemp("lines") / "run.json", network()
    history = fit(model, X, y, **{**options(model, path), "steps": 7})
    assert len(lines(path)) == 8
    return numbers(model), curves(history), path.read_bytes()


def test_a_checkpoint_that_is_cut_short_anywhere_goes_on_with_the_same_bits(in_lines, tmp_path):
    expected, drawn, content = in_lines
    (X, y), path = cloud(), tmp_path / "run.json"
    ends = [i + 1 for i, byte in enumerate(content) if byte == ord("\n")]
    cuts = {end + more: k for k, end in enumerate(ends) for more in (0, 1, 500)}
    cuts |= {end - 1: max(k - 1, 0) for k, end in enumerate(ends)}
    for cut, done in cuts.items():
        path.write_bytes(content[:cut])
        assert read(path)["done"] == min(done, 7), cut
    for k in (1, 4, 5):  # the last of them within a pass over the samples
        path.write_bytes(content[: ends[k] + 9])
        again = network(seed=77)
        history = fit(again, X, y, resume=True, **{**options(again, path), "steps": 7})
        assert (numbers(again), curves(history)) == (expected, drawn)


def test_a_line_with_a_hole_ends_the_checkpoint(in_lines, tmp_path):
    path = tmp_path / "run.json"
    for k in (1, 3, 7):
        path.write_bytes(in_lines[2])
        kept = lines(path)
        kept[k] = bytes(50) + kept[k][50:]
        path.write_bytes(b"".join(kept))
        assert read(path)["done"] == k - 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.pop("data"),
        lambda line: line["data"].pop(),
        lambda line: line.pop("history"),
        lambda line: line["history"].pop("seconds"),
        lambda line: line["history"].update(loss=1.0),
        lambda line: line["history"].update(loss=[]),
        lambda line: line["history"].pop("stopped_early"),
        lambda line: line.update(taken=-1),
        lambda line: line.update(done=2),
    ],
)
def test_a_damaged_line_is_refused_and_nothing_changes(in_lines, tmp_path, damage):
    (X, y), path, model = cloud(), tmp_path / "run.json", network(seed=8)
    path.write_bytes(in_lines[2])
    first, *others = lines(path)
    path.write_bytes(others[-1])
    line = read_json(path)
    damage(line)
    write_json(path, line, for_reading=False)
    path.write_bytes(b"".join([first, *others[:-1], *lines(path)]))
    before = numbers(model)
    with pytest.raises(StateError, match=r"run\.json"):
        fit(model, X, y, resume=True, **{**options(model, path), "steps": 9})
    assert numbers(model) == before


def test_a_line_holds_no_more_after_many_steps(tmp_path):
    path, model = tmp_path / "run.json", network()
    fit(model, XOR, SIGNS, steps=100, checkpoint=path, checkpoint_every=5, batch_size=2, seed=1)
    _, *others = map(len, lines(path))
    assert len(others) == 20
    assert max(others) < 1.1 * min(others)


def test_only_the_whole_run_and_the_last_line_wait_for_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", lambda file: synced.append(len(lines(path))))
    path = tmp_path / "run.json"
    path.write_bytes(b"")
    fit(network(), XOR, SIGNS, steps=4, checkpoint=path, checkpoint_every=1)
    assert synced[-1] == len(lines(path)) == 5
    assert set(synced) <= {0, 1, 5}


def test_after_a_second_the_run_is_written_as_a_whole_again(tmp_path, monkeypatch):
    monkeypatch.setattr("micrograd.train.checkpoint._PAUSE", 0.0)
    path = tmp_path / "run.json"
    fit(network(), XOR, SIGNS, steps=4, checkpoint=path, checkpoint_every=1)
    assert len(lines(path)) == 1
    assert read_json(path)["done"] == 4


@pytest.mark.parametrize("becomes", [None, b"", b"another file\n"])
def test_no_line_is_added_to_another_file(tmp_path, becomes):
    path = tmp_path / "run.json"

    def meddle(step, loss, accuracy):
        if step == 2:
            path.unlink()
            if becomes is not None:
                path.write_bytes(becomes)

    fit(network(), XOR, SIGNS, steps=5, checkpoint=path, checkpoint_every=1, progress=meddle)
    assert (len(lines(path)), read(path)["done"]) == (3, 5)


def test_a_line_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    path = tmp_path / "run.json"

    def full(file):
        raise OSError(28, "No space left on device")

    def last(step, loss, accuracy):
        if step == 4:
            monkeypatch.setattr("os.fsync", full)

    with pytest.raises(OSError, match=r"No space.*run\.json"):
        fit(network(), XOR, SIGNS, steps=5, checkpoint=path, checkpoint_every=1, progress=last)
    assert read(path)["done"] in (4, 5)


def test_a_model_whose_state_gets_other_names_is_written_as_a_whole(tmp_path):
    class Renamed(MLP):
        def state_dict(self):
            return {f"{called[-1]}.{name}": x for name, x in super().state_dict().items()}

    path, called = tmp_path / "run.json", ["a"]
    fit(
        Renamed(2, [3, 1]), XOR, SIGNS, steps=5, checkpoint=path, checkpoint_every=1,
        progress=lambda step, *_: called.append("b") if step == 2 else None,
    )  # fmt: skip
    assert len(lines(path)) == 3
    assert read(path)["parameters"]["names"][0].startswith("b.")


def test_no_line_is_added_where_another_process_writes_right_after_this_one(tmp_path, monkeypatch):
    path, write = tmp_path / "run.json", write_json

    def write_and_lose(where, document, **options):
        mark = write(where, document, **options)
        write(where, "of another process")
        return mark

    monkeypatch.setattr("micrograd.train.checkpoint.write_json", write_and_lose)
    fit(network(), XOR, SIGNS, steps=3, checkpoint=path, checkpoint_every=1)
    assert read_json(path) == "of another process"
