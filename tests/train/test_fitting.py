"""The training loop: numbers against a loop written by hand, bad data, progress."""

import math
import random
import sys

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
)
from micrograd.losses import LOSSES, hinge
from micrograd.nn import MLP, Module
from micrograd.optim import SGD, Adam, AdamW, linear
from micrograd.train import EarlyStop, evaluate, fit, session
from tests.support.training import SIGNS, XOR, cloud, network, numbers

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
        (XOR, [0, 1, 2, 1], "cross_entropy", InputCountError, "needs one output per class"),
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
        ({"batch_size": 9**9999}, "a batch_size of <int 2.*> is more than the 4 samples"),
        ({"batch_size": [9**9999]}, "batch_size to be a whole number of 1 or more, got <list>"),
        ({"validate_every": -(9**9999)}, "validate_every to be a whole number of 1 or more, got <"),
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
        with pytest.raises(ArgumentError, match="cross_entropy, and a network with one output"):
            fit(MLP(1, [1]), [[0], [1], [2]], [0, 1, 2], name)
