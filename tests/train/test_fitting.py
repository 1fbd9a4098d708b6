"""The training loop: numbers against a loop written by hand, resuming, stopping, bad data."""

import json
import math
import random
import signal
import subprocess
import sys
import time

import pytest

from micrograd import losses
from micrograd.engine import Value
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    MicrogradError,
    NumberTypeError,
    OverflowRangeError,
    StateError,
)
from micrograd.files import read_json, write_json
from micrograd.losses import LOSSES, hinge
from micrograd.nn import MLP, Module
from micrograd.optim import SGD, Adam, AdamW, linear
from micrograd.train import EarlyStop, History, evaluate, fit, session

XOR = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
SIGNS = [-1, 1, 1, -1]


def network(outputs=1, seed=3, inputs=2):
    return MLP(inputs, [6, outputs], rng=random.Random(seed))


def cloud(samples=20, seed=5, classes=2):
    draw = random.Random(seed)
    rows = [[draw.uniform(-1, 1), draw.uniform(-1, 1)] for _ in range(samples)]
    return rows, [int((a + b + 2) / 4 * classes) % classes for a, b in rows]


def numbers(model):
    return [p.data for p in model.parameters()]


def curves(history):
    """Return all of a history but the times."""
    return {key: entries for key, entries in vars(history).items() if key != "seconds"}


# ---- what it computes --------------------------------------------------------------------------


def test_a_run_has_the_bits_of_a_loop_written_by_hand():
    ours, by_hand = network(), network()
    optimizer = SGD(by_hand.parameters(), lr=linear(0.5, 0.1, 12), weight_decay=1e-3)
    losses, right = [], []
    for _ in range(12):
        scores = [by_hand(x) for x in XOR]
        loss = hinge(scores, SIGNS)
        by_hand.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
        right.append(sum((s.data > 0) == (y > 0) for s, y in zip(scores, SIGNS, strict=True)) / 4)
    history = fit(
        ours,
        XOR,
        SIGNS,
        optimizer=SGD(ours.parameters(), lr=linear(0.5, 0.1, 12), weight_decay=1e-3),
        steps=12,
    )
    assert numbers(ours) == numbers(by_hand)
    assert (history.loss, history.accuracy) == (losses, right)
    assert len(history.seconds) == 12
    assert min(history.seconds) > 0


@pytest.mark.parametrize("loss", [*LOSSES, "own"])
def test_every_loss_falls(loss):
    several = loss == "cross_entropy"
    X, y = cloud(classes=3 if several else 2)
    model = network(3 if several else 1)

    def own(scores, targets):
        return sum((s - t) * (s - t) for s, t in zip(scores, targets, strict=True))

    chosen = own if loss == "own" else loss
    history = fit(model, X, y, chosen, Adam(model.parameters(), lr=0.05), steps=60)
    assert history.loss[-1] < 0.3 * history.loss[0]
    assert bool(history.accuracy) == (loss in ("hinge", "bce", "cross_entropy"))
    assert not history.accuracy or history.accuracy[-1] > 0.9


def test_labels_0_and_1_are_labels_minus_1_and_1():
    first, second = network(), network()
    fit(first, XOR, SIGNS, steps=5)
    fit(second, XOR, [0, 1, 1, 0], steps=5)
    assert numbers(first) == numbers(second)


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


def test_numpy_arrays_give_the_same_bits_as_lists():
    np = pytest.importorskip("numpy")
    first, second = network(), network()
    fit(first, XOR, SIGNS, steps=4)
    fit(second, np.array(XOR), np.array(SIGNS), steps=4)
    assert numbers(first) == numbers(second)


def test_weight_decay_comes_from_the_optimizer():
    plain, decayed = network(), network()
    fit(plain, XOR, SIGNS, optimizer=AdamW(plain.parameters(), weight_decay=0.0), steps=5)
    fit(decayed, XOR, SIGNS, optimizer=AdamW(decayed.parameters(), weight_decay=1.0), steps=5)
    assert sum(map(abs, numbers(decayed))) < sum(map(abs, numbers(plain)))


def test_validation_is_measured_and_never_learnt_from():
    X, y = cloud()
    alone, watched = network(), network()
    fit(alone, X, y, steps=5)
    history = fit(watched, X, y, steps=5, validation=(XOR, SIGNS), validate_every=2)
    assert numbers(alone) == numbers(watched)
    assert history.validation_steps == [0, 2, 4]
    assert history.validation_loss[0] == evaluate(network(), XOR, SIGNS).loss
    assert len(history.validation_accuracy) == 3


def test_an_entry_of_the_history_is_of_the_parameters_before_that_update():
    model = network()
    first = evaluate(model, XOR, SIGNS)
    history = fit(model, XOR, SIGNS, steps=1)
    assert (history.loss, history.accuracy) == ([first.loss], [first.accuracy])


def test_evaluate_counts_and_changes_nothing():
    model = network(3)
    X, y = cloud(classes=3)
    before = numbers(model), [p.grad for p in model.parameters()]
    result = evaluate(model, X, y, "cross_entropy")
    largest = [max(range(3), key=[s.data for s in model(x)].__getitem__) for x in X]
    assert result.right == sum(a == b for a, b in zip(largest, y, strict=True))
    assert (result.accuracy, result.samples) == (result.right / 20, 20)
    assert (numbers(model), [p.grad for p in model.parameters()]) == before
    assert evaluate(network(), X, y, "mse").accuracy is None


def test_no_steps_are_no_change():
    model = network()
    before = numbers(model)
    assert len(fit(model, XOR, SIGNS, steps=0)) == 0
    assert numbers(model) == before


# ---- stopping early ----------------------------------------------------------------------------


def scripted(losses):
    """Return a loss function that gives these numbers, whatever the scores are."""
    left = iter(losses)
    return lambda scores, targets: sum(scores) * 0 + next(left)


def test_early_stop_waits_for_its_patience():
    losses = [5.0, 4.0, 4.0, 3.9, 4.1, 4.2, 4.3, 1.0]
    history = fit(network(), XOR, SIGNS, scripted(losses), steps=8, early_stop=3)
    assert (history.loss, history.stopped_early) == (losses[:7], True)
    assert repr(history).endswith("stopped early)")
    history = fit(network(), XOR, SIGNS, scripted(losses), steps=8, early_stop=4)
    assert (len(history), history.stopped_early) == (8, False)
    stop = EarlyStop(patience=2, min_delta=0.5)
    assert len(fit(network(), XOR, SIGNS, scripted(losses), steps=8, early_stop=stop)) == 4


def test_early_stop_watches_the_validation_and_gives_the_best_parameters_back():
    model, kept = network(), []
    X, y = cloud(8, seed=1)
    wrong = [1 - label for label in y]  # to learn is to get worse here

    def keep(step, loss, accuracy):
        kept.append(numbers(model))

    stop = EarlyStop(patience=4, restore_best=True)
    history = fit(
        model, X, y, "bce", steps=60, validation=(X, wrong), early_stop=stop, progress=keep
    )
    best = min(range(len(history)), key=history.validation_loss.__getitem__)
    assert history.stopped_early
    assert len(history) == best + 5
    assert numbers(model) == ([numbers(network())] + kept)[best]


# ---- checkpoints -------------------------------------------------------------------------------


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
        assert list(document["parameters"].values()) == numbers(reference)


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
        lambda document: document.update(version=2),
        lambda document: document.update(run=None),
        lambda document: document.update(random=[3, "1 2 x", None]),
        lambda document: document.update(random=[3, "1 2", None]),
        lambda document: document.update(order="0 0 1"),
        lambda document: document.update(done=-1),
        lambda document: document.update(done=5),
        lambda document: document.update(best_parameters=[1.0]),
        lambda document: document["history"].update(loss=["a"]),
        lambda document: document["parameters"].popitem(),
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
        "micrograd.train.run.write_json", lambda path, document: written.append(document)
    )
    fit(network(), XOR, SIGNS, steps=10, checkpoint=tmp_path / "run.json")
    assert [document["done"] for document in written] == [0, 10]


# ---- bad data and options ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "loss", "kind", "told"),
    [
        ([[0, math.nan], [1, 1]], [0, 1], "hinge", ArgumentError, r"X\[0\]\[1\] is nan"),
        ([[0, 1], [math.inf, 1]], [0, 1], "hinge", ArgumentError, r"X\[1\]\[0\] is inf"),
        ([[0, 1], [1]], [0, 1], "hinge", InputCountError, r"X\[1\] has 1 features, X\[0\] has 2"),
        ([[0, 1, 2]], [0], "hinge", InputCountError, "expected 2 inputs for MLP"),
        ([], [], "hinge", ArgumentError, "X is empty"),
        ([[0, 1]], [0, 1], "hinge", InputCountError, "X has 1 rows, y has 2 entries"),
        ([0, 1], [0, 1], "hinge", ArgumentTypeError, r"expected X\[0\] to be a row"),
        ([["a", 1]], [0], "hinge", NumberTypeError, r"X\[0\]\[0\]"),
        ("ab", [0, 1], "hinge", ArgumentTypeError, "expected X to be an array"),
        (7, [0], "hinge", ArgumentTypeError, "expected X to be an array"),
        (XOR, [0, 1, 2, 0], "hinge", ArgumentError, "y: hinge: label 2 is 2"),
        (XOR, [0, 1, -1, 0], "bce", ArgumentError, "y: bce: the labels are -1, 0 and 1"),
        (XOR, ["no", "yes", "yes", "no"], "hinge", NumberTypeError, r"y\[0\] is 'no'"),
        (XOR, [0, 1, math.nan, 0], "mse", ArgumentError, r"y\[2\] is nan"),
        (XOR, [0, 1, 2, 1], "cross_entropy", InputCountError, "needs an output a class"),
        (XOR, [0, 1, 1, 0], "cross_entropy", InputCountError, "2 or more, but the model has 1"),
        (XOR, [0, 0.5, 1, 1], "cross_entropy", ArgumentError, "label 1 is 0.5"),
        (XOR, SIGNS, "hunge", ArgumentError, "unknown loss 'hunge'"),
        (XOR, SIGNS, 3, ArgumentTypeError, "expected the name of a loss"),
    ],
)
def test_data_that_cannot_be_learnt_is_refused_before_anything_changes(X, y, loss, kind, told):
    model = network()
    before = numbers(model)
    with pytest.raises(kind, match=told):
        fit(model, X, y, loss)
    with pytest.raises(kind, match=told):
        evaluate(model, X, y, loss)
    assert numbers(model) == before
    assert all(p.grad == 0 for p in model.parameters())


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"steps": -1}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 5}, "a batch_size of 5 is more than the 4 samples"),
        ({"seed": "a"}, "seed"),
        ({"progress": 3}, "progress"),
        ({"validation": XOR}, "pair"),
        ({"validation": ([[1.0]], [0])}, "expected 2 inputs"),
        ({"validation": ([[1.0, math.nan]], [0])}, "validation X"),
        ({"validate_every": 0}, "validate_every"),
        ({"early_stop": 0}, "early_stop"),
        ({"checkpoint_every": 0}, "checkpoint_every"),
        ({"resume": True}, "checkpoint=path"),
    ],
)
def test_options_that_cannot_be_are_refused(option, told):
    model = network()
    before = numbers(model)
    with pytest.raises(MicrogradError, match=told):
        fit(model, XOR, SIGNS, **option)
    assert numbers(model) == before


def test_models_and_optimizers_that_do_not_belong_are_refused():
    class Nothing(Module):
        def __call__(self, x):
            return Value(1.0)

    with pytest.raises(ArgumentError, match="no parameters to train"):
        fit(Nothing(), XOR, SIGNS)
    with pytest.raises(ArgumentTypeError, match="expected a model"):
        fit(lambda x: x, XOR, SIGNS)
    with pytest.raises(ArgumentTypeError, match="cannot be called"):
        fit(Module(), XOR, SIGNS)
    with pytest.raises(InputCountError, match="one output, this one has 3"):
        fit(network(3), XOR, SIGNS)
    with pytest.raises(ArgumentError, match="no parameter of this model"):
        fit(network(), XOR, SIGNS, optimizer=SGD(network().parameters()))
    with pytest.raises(ArgumentTypeError, match="expected one Value"):
        fit(network(), XOR, SIGNS, lambda scores, targets: 1.0)
    with pytest.raises(ArgumentError, match="min_delta"):
        EarlyStop(min_delta=-1.0)


def test_a_loss_that_explodes_is_an_error_and_the_model_stays_finite():
    model = network()
    with pytest.raises(OverflowRangeError, match=r"training stopped at step \d+: .*learning rate"):
        fit(model, XOR, SIGNS, "mse", SGD(model.parameters(), lr=1e30), steps=200)
    assert all(math.isfinite(number) for number in numbers(model))


# ---- progress ----------------------------------------------------------------------------------


def test_a_function_is_told_of_every_step():
    told = []
    history = fit(network(), XOR, SIGNS, steps=3, progress=lambda *each: told.append(each))
    assert told == list(zip(range(3), history.loss, history.accuracy, strict=True))
    told.clear()
    history = fit(network(), XOR, SIGNS, "mse", steps=1, progress=lambda *each: told.append(each))
    assert told == [(0, history.loss[0], None)]


def test_there_is_no_bar_where_the_error_stream_is_no_terminal(capsys):
    fit(network(), XOR, SIGNS, steps=2)
    fit(network(), XOR, SIGNS, steps=2, progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_bar_says_loss_and_accuracy(capsys):
    pytest.importorskip("tqdm")
    fit(network(), XOR, SIGNS, steps=2, progress=True)
    out, err = capsys.readouterr()
    assert (out, "2/2" in err, "loss" in err, "accuracy" in err) == ("", True, True, True)


def test_no_bar_is_loaded_where_none_is_wanted(monkeypatch):
    class Bars:
        def __getattr__(self, name):
            raise AssertionError(f"{name} was asked for")

    monkeypatch.setitem(sys.modules, "tqdm", Bars())
    assert len(fit(network(), XOR, SIGNS, steps=2, progress=False)) == 2


def test_without_tqdm_it_works_without_a_bar(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert len(fit(network(), XOR, SIGNS, steps=2, progress=True)) == 2
    assert capsys.readouterr() == ("", "")


def test_a_history_shows_its_end():
    assert repr(History(loss=[1.0, 0.123456], accuracy=[0.5, 1.0])) == (
        "History(steps=2, loss=0.1235, accuracy=1.0)"
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("sgd", "optim.SGD(model.parameters(), lr="),
        ("AdamW", "optim.AdamW(model.parameters(), lr="),
        (SGD, "optim.SGD(model.parameters(), lr="),
        (0.1, "got 0.1 (float)"),
    ],
)
def test_an_optimizer_that_is_none_is_answered_with_how_to_make_one(given, told):
    model = MLP(1, [1])
    for start in (fit, session):
        with pytest.raises(ArgumentTypeError) as caught:
            start(model, [[0.0], [1.0]], [1, -1], optimizer=given)
        assert told in str(caught.value)


def test_several_numbers_a_sample_are_learnt_with_the_loss_that_the_message_gives():
    X, y = [[0.0], [1.0]], [[0.0, 1.0], [1.0, 0.0]]
    with pytest.raises(NumberTypeError) as caught:
        fit(MLP(1, [2]), X, y, "mse", steps=1)
    with pytest.raises(InputCountError) as counted:
        fit(MLP(1, [2]), X, [1.0, 2.0], "mse", steps=1)
    for error in (caught, counted):
        assert "class" not in str(error.value)
    code = str(caught.value).partition("as the loss: ")[2]
    model = MLP(1, [2], rng=random.Random(0))
    history = fit(model, X, y, eval(code, {"losses": losses}), SGD(model.parameters(), 0.5), 200)
    assert history.loss[-1] < 1e-3


def test_three_labels_are_answered_with_cross_entropy():
    for name in ("hinge", "bce"):
        with pytest.raises(ArgumentError, match="cross_entropy, and a network with an output a"):
            fit(MLP(1, [1]), [[0], [1], [2]], [0, 1, 2], name)
