"""What is said of functions: equal where their traces are, another where anything has changed."""

import dataclasses
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

    def faster(self, rate):
        self.rate += rate


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


def importing_later():
    def later(x):
        import decimal

        return x * decimal.MAX_PREC

    return later


def empty_cell():
    def function(x):
        return x * rate

    if function is None:
        rate = 1.0
    return function


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
    "a method of other settings": Settings(2.0).__init__,
    "another method": Settings(1.0).faster,
    "a partial of another": functools.partial(closing, 1),
    "a partial by name": functools.partial(helper, x=1),
    "a nan as a text": "nan",
    "a text like a number": "2.0",
    "bytes": b"2",
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
    "an import within a function that it makes": lambda x: [importing_later() for _ in (x,)],
    "an empty cell": empty_cell(),
    "the class of an object": lambda x: closing(x.__class__)(x),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_nothing_is_said_where_something_may_be_hidden(name):
    assert described(UNKNOWN[name], []) is None


@functools.cache
def program(text):
    return compile(text, "made", "exec")  # the same text gives the same code


def made(text, **names):
    """Return the function `f` that a program defines."""
    space = {"__name__": "made_here", **names}
    exec(program(text), space)
    return space["f"]


class Base:
    def rate(self, x):
        return x


class OtherBase(Base):
    def rate(self, x):
        return 2 * x


def other(x):
    return x


SPACE, OTHER_SPACE = types.ModuleType("space"), types.ModuleType("space")
SPACE.rate, OTHER_SPACE.rate = 1.0, 2.0
PAIRS = {
    "code": (lambda: made("def f(x): return x + x"), lambda: made("def f(x): return x * x")),
    "an attribute of a function": (
        lambda: made("def f(x): return x\nf.rate = g", g=1),
        lambda: made("def f(x): return x\nf.rate = g", g=2),
    ),
    "which name": (
        lambda: made("def f(x): return (a, b)[0]", a=1),
        lambda: made("def f(x): return (a, b)[0]", b=1),
    ),
    "what is in a module": (
        lambda: made("def f(x): return m.rate", m=SPACE),
        lambda: made("def f(x): return m.rate", m=OTHER_SPACE),
    ),
    "the name of an attribute": (
        lambda: made("def f(x): return g", g=settings(a=1)),
        lambda: made("def f(x): return g", g=settings(b=1)),
    ),
    "the type of an entry": (
        lambda: made("def f(x): return g", g=(1,)), lambda: made("def f(x): return g", g=[1]),
    ),
    "which parameter": (
        lambda: made("def f(x): return g", g=PARAMETERS[0]),
        lambda: made("def f(x): return g", g=PARAMETERS[1]),
    ),
    "a class or its object": (
        lambda: made("def f(x): return g", g=Settings),
        lambda: made("def f(x): return g", g=Settings(1.0)),
    ),
}  # fmt: skip
PARAMETERS = [Value(1.0), Value(1.0)]


def settings(**attributes):
    made = Settings(1.0)
    vars(made).update(attributes)
    return made


@pytest.mark.parametrize("name", PAIRS)
def test_what_differs_in_one_thing_is_told_apart(name):
    one, other = PAIRS[name]
    first = described(one(), PARAMETERS)
    assert first not in (None, described(other(), PARAMETERS))


PARTS = {
    "a getter": ("rate", property(helper), property(other)),
    "a setter": ("rate", property(None, helper), property(None, other)),
    "a deleter": ("rate", property(None, None, helper), property(None, None, other)),
    "a static method": ("rate", staticmethod(helper), staticmethod(other)),
    "a class method": ("rate", classmethod(helper), classmethod(other)),
    "a cached property": (
        "rate", functools.cached_property(helper), functools.cached_property(other),
    ),
    "a base": ("__bases__", (Base,), (OtherBase,)),
    "how an object is made": ("__init__", helper, other),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_a_class_of_which_a_part_was_changed_is_seen(name):
    attribute, before, after = PARTS[name]
    kind = type("Kind", (Base,), {"__module__": __name__})
    setattr(kind, attribute, before)
    function = closing(kind if attribute == "__init__" else object.__new__(kind))
    first = described(function, [])
    assert first == described(function, [])
    setattr(kind, attribute, after)
    assert first not in (None, described(function, []))


@pytest.mark.parametrize("method", [None, classmethod(helper), staticmethod(helper)])
@pytest.mark.parametrize("inherits", [False, True])
def test_what_makes_an_object_matters_only_where_its_class_may_make_more(method, inherits):
    def start(self):
        pass

    kind = type("Kind", (), {"__module__": __name__, "__init__": start, "more": method})
    if inherits:
        kind = type("Heir", (kind,), {"__module__": __name__, "again": method})
    given = closing(kind())
    before = described(given, [])
    assert before is not None
    start.note = 1
    assert (described(given, []) == before) == (method is None)


@pytest.mark.parametrize("place", ["forward", "partials"])
def test_nothing_is_said_while_a_rule_of_the_table_is_the_users(place, monkeypatch):
    row = dataclasses.replace(ops.TABLE["exp"], **{place: helper})
    monkeypatch.setitem(ops.TABLE, "exp", row)
    assert described(closing(1), []) is None


def test_a_row_that_was_replaced_by_another_of_ours_is_seen(monkeypatch):
    before = described(closing(1), [])
    monkeypatch.setitem(ops.TABLE, "exp", dataclasses.replace(ops.TABLE["exp"]))
    assert described(closing(1), []) not in (before, None)


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
