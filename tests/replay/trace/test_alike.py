"""What is said of functions: equal where their traces are, another where anything has changed."""

import functools
import gc
import math
import os
import random
import time
import types
import weakref
from datetime import datetime
from os import getenv
from pathlib import Path

import pytest

import micrograd
from micrograd import Value, losses, ops
from micrograd.nn import MLP, Module
from micrograd.replay.trace.alike import described

SCALE = 2.0


class Settings:
    def __init__(self, rate):
        self.rate = rate


class Slotted:
    __slots__ = ("rate",)


class Listed(list):
    pass


class Around(Module):
    """A network with something of one's own."""

    power = 2

    def __init__(self, network=None, rate=1.0):
        self.network = network or MLP(2, [3, 1], rng=random.Random(0))
        self.rate = rate

    def __call__(self, x):
        return self.network(x) ** self.power * self.rate * SCALE


def closing(over):
    return lambda x: x * over


def defaulting(over):
    def function(x, by=over):
        return x * by

    return function


def asking(over):
    def function(x, *, by=over):
        return helper(x) * by

    return function


def helper(x):
    return x + SCALE


def drawing(x):
    return x * random.random()


def timing(x):
    return x * time.time()


def reading(x):
    return x * len(open(os.devnull, encoding="utf-8").read())  # noqa: PTH123


def importing(x):
    import decimal

    return x * decimal.MAX_PREC


def importing_beside(x):
    from .test_reach import kept_by

    return x * len(kept_by(x))


class Meta(type):
    rate = 1.0


class OfMeta(metaclass=Meta):
    @classmethod
    def __call__(cls, x):
        return x * cls.rate


LAZY = types.ModuleType("lazy")
LAZY.__getattr__ = lambda name: SCALE


def counter():
    state = iter(range(100))
    return lambda x: x * next(state)


ALIKE = {
    "an int": 2,
    "another type": 2.0,
    "minus zero": -0.0,
    "zero": 0.0,
    "nan": math.nan,
    "a truth": True,
    "a text": "2",
    "a list": [1, [2.0]],
    "another list": [1, [2.5]],
    "a tuple": (1, [2.0]),
    "a dict": {"a": 1},
    "another order": {"b": 1, "a": 1},
    "one order": {"a": 1, "b": 1},
    "nothing": None,
    "settings": Settings(1.0),
    "other settings": Settings(2.0),
    "a partial": functools.partial(helper, 1),
    "another partial": functools.partial(helper, 2),
    "a function of ours": losses.hinge,
    "another function of ours": losses.mse,
    "a built-in": math.exp,
    "another built-in": math.log,
    "a method": Settings(1.0).__init__,
}


@pytest.mark.parametrize("make", [closing, defaulting, asking])
def test_what_a_function_holds_tells_it_from_others(make):
    found = {name: described(make(over), []) for name, over in ALIKE.items()}
    assert None not in found.values()
    assert len(set(found.values())) == len(found)
    again = {name: described(make(over), []) for name, over in ALIKE.items()}
    assert again == found


UNKNOWN = {
    "random numbers": drawing,
    "a clock": timing,
    "a file": reading,
    "a built-in that asks": lambda x: x * id(x),
    "an import": importing,
    "an import from the same package": importing_beside,
    "the environment": lambda x: x * float(getenv("RATE", "1")),
    "a date": lambda x: x * datetime.now().second,
    "a file by its path": lambda x: x * len(Path(os.devnull).read_text(encoding="utf-8")),
    "a module that makes attributes": lambda x: x * LAZY.rate,
    "a class of a class": OfMeta(),
    "an iterator": counter(),
    "a generator of random numbers": closing(random.Random(0)),
    "hidden attributes": closing(Slotted()),
    "a kind of list": closing(Listed([1])),
    "a set": closing({1, 2}),
    "a method of a list": closing([].append),
    "a stranger's parameter": closing(Value(1.0)),
    "a class that draws": lambda x: Around()(x),
    "the class of an object": lambda x: closing(x.__class__)(x),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_nothing_is_said_where_something_may_be_hidden(name):
    assert described(UNKNOWN[name], []) is None


def said(model):
    return described(model, model.parameters())


def test_models_that_compute_alike_are_alike_whatever_their_numbers():
    one, other = Around(), Around(MLP(2, [3, 1], rng=random.Random(1)))
    assert said(one) == said(other)
    assert said(one) is not None
    for parameter in one.parameters():
        parameter.data, parameter.grad = 3, 0.5
    assert said(one) == said(other)


def changed_activation(model):
    model.network.layers[0].neurons[1].activation = "tanh"


def shared(model):
    first, second, *_ = model.network.layers[0].neurons
    first.w[0] = second.w[0]


CHANGES = {
    "an attribute": lambda model: setattr(model, "rate", 2.0),
    "another attribute": lambda model: setattr(model, "more", 1),
    "deep inside": changed_activation,
    "a parameter in two places": shared,
    "wider": lambda model: setattr(model, "network", MLP(2, [4, 1])),
    "a function in the place of the network": lambda model: setattr(model, "network", helper),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_model_that_was_changed_is_another(name):
    model, before = Around(), said(Around())
    CHANGES[name](model)
    assert said(model) not in (before, None)


@pytest.mark.parametrize("change", ["label", "attribute"])
def test_nothing_is_said_of_parameters_with_more_than_numbers(change):
    model = Around()
    setattr(model.parameters()[0], change, "more")
    assert said(model) is None


PLACES = {
    "a global": ("tests.replay.trace.test_alike.SCALE", 3.0),
    "a function that it calls": ("tests.replay.trace.test_alike.helper", lambda x: x + 1),
    "an attribute of the class": ("tests.replay.trace.test_alike.Around.power", 3),
    "a method of the class": (
        "tests.replay.trace.test_alike.Around.__call__",
        lambda self, x: self.network(x),
    ),
    "a method of a network": ("micrograd.nn.layers.Neuron.__call__", lambda self, x: x[0]),
    "an operation": ("micrograd.ops.operators.Operators.__mul__", lambda self, other: self),
    "a function of ours": ("micrograd.losses.hinge", lambda scores, y: scores[0]),
}


def both(x):
    return helper(x) + micrograd.losses.hinge([x], [1])


@pytest.mark.parametrize("name", PLACES)
def test_what_was_replaced_elsewhere_is_seen(name, monkeypatch):
    model = Around()
    before = said(model), described(both, [])
    assert None not in before
    monkeypatch.setattr(*PLACES[name])
    assert (said(model), described(both, [])) != before


def test_nothing_is_said_while_there_are_operations_of_the_users():
    ops.define(name="doubled", forward=lambda x: SCALE * x, partials=lambda out, x: (SCALE,))
    try:
        assert described(closing(1), []) is None
    finally:
        ops.TABLE.pop("doubled")
        del ops.Operators.doubled


def test_classes_and_functions_are_not_kept_alive():
    class Local:
        def __init__(self):
            self.rate = 1

    found, dropped = described(closing(Local()), []), weakref.ref(Local)
    assert found is not None
    del Local
    gc.collect()
    assert dropped() is None
    assert hash(found)
