"""What Python sends of a run: what a page can train, and why it cannot."""

import json
import random
from fractions import Fraction

import pytest

pytest.importorskip("numpy")

from trainer import in_node
from watched import X, model, y

from micrograd import losses, watch
from micrograd.live.task import packed
from micrograd.nn import MLP, Neuron
from micrograd.optim import SGD, Adam, linear


class Own(Adam):
    """An optimizer that a page does not know."""


class OwnNeuron(Neuron):
    """A neuron that a page does not know."""


def test_the_settings_are_those_of_the_call():
    net = MLP(2, [3, 4, 1], activation="tanh")
    optimizer = SGD(net.parameters(), 0.5, momentum=0.75, weight_decay=0.25, l1=0.125)
    task = watch(net, X, y, "bce", optimizer, batch_size=7, seed=3).task
    assert all("l1" not in options for options in task["optimizers"].values())
    assert json.loads(json.dumps(task, allow_nan=False))["settings"] == {
        "data": "own", "n": 200, "noise": 0.1, "dataSeed": 0, "painted": [],
        "features": ["x1", "x2"], "layers": [3, 4], "activation": "tanh", "loss": "bce",
        "optimizer": "SGD, momentum 0.75", "lr": 0.5, "l1": 0.125, "l2": 0.25, "later": [],
        "batch": 7, "seed": 3, "held_out": 0,
    }  # fmt: skip
    assert task["start"] == [p.data for p in net.parameters()]


def test_it_says_why_only_python_can_train():
    def found(*arguments, net=None, make=None):
        net = net or model()
        return watch(net, X, y, *arguments, *([make(net.parameters())] if make else [])).task

    other = model()
    other.layers[0].neurons[0].activation = "tanh"
    odd = model()
    odd.layers[0].neurons[0].__class__ = OwnNeuron
    exact = model()
    exact.layers[0].neurons[0].b.data = Fraction(1, 3)
    whys = [
        (found(lambda s, t: losses.mse(s, t)), "the loss is a function"),
        (found("hinge", make=Own), "the optimizer is a class"),
        (found("hinge", make=lambda p: SGD(p[:-1])), "does not hold all parameters"),
        (found("hinge", make=lambda p: SGD(p, linear(1, 0.5, 9))), "follows a schedule"),
        (found("hinge", make=lambda p: SGD(p, Fraction(1, 2))), "not all its numbers"),
        (found(net=exact), "not all its numbers"),
        (found(net=other), "different activations"),
        (found(net=odd), "classes or functions of your own"),
        (found(net=model(200, 200, 1)), "too large for a page"),
    ]
    for task, why in whys:
        assert why in task["why"], task
    assert not found()["why"]
    assert "seed is too large" in watch(model(), X, y, seed=10**30).task["why"]


def test_samples_are_sent_as_columns_and_stay_what_they_are():
    draw = random.Random(2)
    rows = [
        [0.1, k % 3 / 3, -0.0 if k % 2 else 0.0, draw.random(), k % 86 + 0.5, k % 87 / 7]
        for k in range(200)
    ]
    columns = packed(rows)
    assert [len(column) for column in columns] == [2, 2, 2, 1, 2, 1]
    assert all("\\" not in column[1] for column in columns if len(column) > 1)
    found = in_node(
        "return rowsOf(given).map(row => row.map(x => Object.is(x, -0) ? '-0.0' : x));",
        json.loads(json.dumps(columns)),
    )
    assert [[float(x) for x in row] for row in found] == rows
    assert [row[2] for row in found] == ["-0.0" if k % 2 else 0 for k in range(200)]
