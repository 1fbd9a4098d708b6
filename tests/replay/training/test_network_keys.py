"""Which networks share a trace and its programs: those that compute the same, and no others."""

import dataclasses
import random

import pytest

from micrograd import Value, losses
from micrograd.nn import MLP, Layer, Neuron
from micrograd.ops import TABLE, Operators
from micrograd.replay.training import NetworkSteps, separable
from micrograd.replay.training import network_steps as training

pytest.importorskip("numpy")
ROWS, SIGNS = [[0.5, -1.0], [1.0, 0.25]], [1, -1]


class Mine(MLP):
    def __call__(self, x):
        return super().__call__(x) * 2


class Special(Value):
    pass


def network(seed=0, kind=MLP, **options):
    return kind(2, [3, 1], rng=random.Random(seed), **options)


def steps(model=None, loss=losses.hinge, parameters=None, targets=SIGNS, **options):
    model = model or network()
    parameters = model.parameters() if parameters is None else parameters
    return NetworkSteps(model, parameters, loss, ROWS, targets, "python", **options)


def key(*arguments, **options):
    return steps(*arguments, **options)._key


def changed(**attributes):
    model = network()
    for name, given in attributes.items():
        setattr(model.layers[0].neurons[1], name, given)
    return training._architecture(model, model.parameters())


def labelled():
    model = network()
    model.layers[0].neurons[0].b.label = "bias"
    return key(model)


def of_other_inputs():
    model = network()
    model.nin = None
    return key(model)


def with_a_method():
    model = network()
    neuron = model.layers[0].neurons[0]
    neuron._forward = lambda x: (neuron.b, neuron.b)
    return key(model)


OTHERS = {
    "a subclass": lambda: key(network(kind=Mine)),
    "wider": lambda: key(MLP(2, [4, 1])),
    "deeper": lambda: key(MLP(2, [3, 3, 1])),
    "linear": lambda: changed(nonlin=False),
    "another activation": lambda: changed(activation="tanh"),
    "single sums": lambda: changed(atomic=True),
    "a method of one neuron": with_a_method,
    "another kind of parameter": lambda: changed(b=Special(0.0)),
    "a result for a parameter": lambda: changed(b=Value(1.0) * 2),
    "another order": lambda: key(m := network(), parameters=m.parameters()[::-1]),
    "a label": labelled,
    "unchecked inputs": of_other_inputs,
    "another loss": lambda: key(loss=losses.mse),
    "weights": lambda: key(weights=[1.0, 3.0]),
    "several targets": lambda: key(
        loss=lambda s, y: losses.mse(s, [y[0][0]]), targets=[[1, 2], [0, 1]], own=True
    ),
    "another backend": lambda: (
        NetworkSteps(m := network(), m.parameters(), losses.hinge, ROWS, SIGNS, "llvm")._key
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_computes_something_else_has_another_key(name):
    if name == "another backend":
        pytest.importorskip("llvmlite")
    assert OTHERS[name]() not in (key(), key()[0])
    assert key(network(seed=1)) == key()


REPLACED = {
    "a row": lambda patch: patch.setitem(TABLE, "relu", dataclasses.replace(TABLE["relu"])),
    "an activation": lambda patch: patch.setattr(Value, "relu", lambda x: x, raising=False),
    "an operation": lambda patch: patch.setattr(Operators, "__mul__", lambda x, y: x),
    **{
        f"{name} of {kind.__name__}": lambda patch, kind=kind, name=name: patch.setattr(
            kind, name, lambda self, *x: x[0]
        )
        for kind, name in ((MLP, "__call__"), (Layer, "__call__"), (Neuron, "__call__"))
    },
    "_forward of Neuron": lambda patch: patch.setattr(Neuron, "_forward", lambda self, x: (0, 0)),
}


@pytest.mark.parametrize("name", REPLACED)
def test_what_was_replaced_gives_another_key(name, monkeypatch):
    before = training._architecture(m := network(), m.parameters())
    assert before is not None
    REPLACED[name](monkeypatch)
    assert training._architecture(m, m.parameters()) != before


def test_own_losses_of_several_shapes_have_keys_of_their_own():
    def whole(s, y):
        return losses.mse(s, [sum(row) for row in y])

    found = [
        key(loss=whole, targets=[[1.0] * n] * 2, own=True, classifies=False) for n in (1, 2, 3)
    ]
    assert len({*found}) == 3
    assert key(loss=whole, targets=[[0.5]] * 2, own=True, classifies=False) == found[0]


@pytest.fixture
def known(monkeypatch):
    """Return the traces that are kept, none at first."""
    monkeypatch.setattr(training, "_known", type(training._known)())
    return training._known


def test_the_trace_that_was_not_used_for_longest_is_dropped(known, monkeypatch):
    monkeypatch.setattr(training, "_KEPT", 2)
    for outputs in (1, 2, 1, 3):  # before the last, the first was used again
        steps(MLP(2, [outputs, 1])).measure()
    assert [len(each[0][1]) for each in known] == [1, 3]


def test_a_network_that_is_known_takes_trace_and_programs_over(known):
    first = steps()
    assert not first.is_traced
    expected = first.measure()
    again = steps(network())
    assert again.is_traced
    assert again._compiled.latest().programs is first._compiled.latest().programs
    assert again.measure() == expected


def test_a_model_that_cannot_be_described_takes_the_programs_of_an_equal_trace(known):
    scale = iter([2.0] * 9)

    def made():
        w = Value(0.5)
        return NetworkSteps(
            lambda x: w * x[0] * next(scale), [w], losses.hinge, ROWS, SIGNS, "python"
        )

    first = made()
    first.measure()
    again = made()
    assert again.is_traced
    assert again._compiled.latest().programs is first._compiled.latest().programs
    w = Value(0.5)
    other = NetworkSteps(lambda x: w * x[0] * next(scale) * 3, [w], losses.hinge, ROWS, SIGNS)
    assert not other.is_traced


def test_the_places_of_unused_parameters_are_kept(known):
    def made(first, second):
        unused, w = Value(7.0), Value(first)
        run = NetworkSteps(
            lambda x: w * x[0] + second, [unused, w], losses.mse, ROWS, SIGNS, "python"
        )
        run.measure()
        return unused.grad, w.grad

    assert made(0.5, 1.0) == made(0.5, 1.0)
    assert made(0.5, 1.0)[0] == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (([4, 2], (), ()), ([4, 3], (), ())),
        (([2], (2,), ()), ([2], (3,), ())),
        (([2], (), (2,)), ([2], (), (3,))),
    ],
    ids=["sizes", "score", "target"],
)
def test_what_is_known_of_a_loss_is_known_of_these_shapes_alone(one, other, monkeypatch):
    monkeypatch.setattr(separable, "_known", type(separable._known)())
    seen = []
    monkeypatch.setattr(separable, "_is_mean", lambda loss, *shapes: bool(seen.append(shapes)))
    for shapes in (one, other, one):
        separable.is_mean_of_samples(losses.mse, *shapes)
    assert seen == [one, other]


def test_no_more_is_known_of_losses_than_of_the_latest_few(monkeypatch):
    monkeypatch.setattr(separable, "_known", type(separable._known)())
    monkeypatch.setattr(separable, "_KEPT", 2)
    for size in (1, 2, 3):
        separable.is_mean_of_samples(losses.mse, [size], (), ())
    assert [about[1] for about in separable._known] == [(2,), (3,)]
