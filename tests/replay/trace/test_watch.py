"""What changes from call to call is never frozen into a compiled function, wherever it is kept."""

import collections
import contextvars
import datetime
import functools
import gc
import itertools
import os
import random
import re
import secrets
import sys
import threading
import time
import types

import numpy as np
import pytest
from tables import each, mostly_slow

import micrograd
from micrograd import Value, compile, ops  # noqa: A004
from micrograd.errors import TraceError
from micrograd.nn import MLP, Module
from micrograd.optim import SGD
from micrograd.train import fit

BACKENDS = ["python", "llvm"]


class Counter:
    """Counts what it is asked for."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return float(self.count)


def counted_up(variable):
    """Return one more than a context variable held, which holds that from then on."""
    variable.set(variable.get() + 1)
    return variable.get()


def counted_in(local):
    """Return one more than a thread's own data held, which hold that from then on."""
    local.n = getattr(local, "n", 0) + 1
    return local.n


def counted():
    """Return a function with a number in its closure."""
    count = 0

    def more():
        nonlocal count
        count += 1
        return float(count)

    return more


def generated():
    """Give one number after the other."""
    yield from itertools.count(1.0)


# ---- ways to draw, or to change ------------------------------------------------------------------

# A thing that is kept, and what draws a number from it.
WAYS = {
    "random": lambda: (random.Random(1), lambda it: it.random()),
    "gauss": lambda: (random.Random(1), lambda it: it.gauss(0, 1)),
    "integers": lambda: (random.Random(1), lambda it: it.randrange(2)),
    "shuffle": lambda: (random.Random(1), lambda it: it.sample([1.0, 2.0], 2)[0]),
    "of the system": lambda: (secrets.SystemRandom(), lambda it: it.random()),
    "the system": lambda: (os, lambda it: it.urandom(1)[0]),
    "global random": lambda: (random, lambda it: it.random()),
    "NumPy's generator": lambda: (np.random.default_rng(1), lambda it: it.random()),
    "one of two": lambda: (np.random.default_rng(1), lambda it: float(it.random() > 0.5)),
    "NumPy's older one": lambda: (np.random.RandomState(1), lambda it: it.normal()),
    "NumPy's bits": lambda: (np.random.PCG64(1), lambda it: it.random_raw() % 7),
    "NumPy's global one": lambda: (np.random, lambda it: it.rand()),
    "clock": lambda: (time, lambda it: it.time()),
    "coarse clock": lambda: (time, lambda it: int(it.monotonic()) % 5),
    "date": lambda: (datetime.datetime, lambda it: it.now().year),
    "calendar": lambda: (datetime.date, lambda it: it.today().day),
    "partial": lambda: (functools.partial(random.Random(1).random), lambda it: it()),
    "partial of NumPy": lambda: (functools.partial(np.random.PCG64(1).random_raw), lambda it: it()),
    "partial of a clock": lambda: (functools.partial(time.perf_counter), lambda it: it()),
    "map": lambda: (map(random.Random(1).uniform, [0.0] * 99, [1.0] * 99), next),
    "map of C": lambda: (map(random.Random(1).getrandbits, [1] * 99), next),
    "iterator": lambda: (iter(random.Random(1).random, 2.0), next),
    "generator": lambda: (generated(), next),
    "count": lambda: (itertools.count(1.0), next),
    "counter": lambda: (Counter(), lambda it: it()),
    "counter in a closure": lambda: (counted(), lambda it: it()),
    "list": lambda: ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0] * 99, lambda it: it.pop()),
    "context variable": lambda: (contextvars.ContextVar("n", default=0.0), counted_up),
    "of the thread": lambda: (threading.local(), counted_in),
    "queue": lambda: (collections.deque([1.0, 2.0, 3.0]), lambda it: it.rotate() or it[0]),
}  # fmt: skip


# ---- places where it can be kept -----------------------------------------------------------------


class Slots:
    __slots__ = ("kept",)


def in_attribute(kept, draw):
    holder = types.SimpleNamespace(kept=kept)
    return lambda: draw(holder.kept)


def in_slot(kept, draw):
    holder = Slots()
    holder.kept = kept
    return lambda: draw(holder.kept)


def in_class(kept, draw):
    class Holder:
        thing = [kept]  # in a list, for what is a function would be a method

        def __call__(self):
            return draw(self.thing[0])

    return Holder()


def in_module(kept, draw):
    module = types.ModuleType("settings_of_the_test")
    module.kept = kept
    module.draw = draw
    exec("def drawn():\n    return draw(kept)", vars(module))
    return module.drawn


def in_submodule(kept, draw):
    class Holder(Module):
        def __init__(self):
            self.thing = [kept]

        def __call__(self):
            return draw(self.thing[0])

    class Outer(Module):
        def __init__(self):
            self.parts = [Holder()]

        def __call__(self):
            return self.parts[0]()

    return Outer()


def in_list(kept, draw):
    things = [0, kept]
    return lambda: draw(things[1])


def in_dict(kept, draw):
    things = {"a": (kept,)}
    return lambda: draw(things["a"][0])


def in_array(kept, draw):
    things = np.empty(2, dtype=object)
    things[0] = kept
    return lambda: draw(things[0])


PLACES = {
    "closure": lambda kept, draw: lambda: draw(kept),
    "default": lambda kept, draw: lambda kept=kept: draw(kept),
    "keyword default": lambda kept, draw: lambda *, kept=kept: draw(kept),
    "partial": lambda kept, draw: functools.partial(draw, kept),
    "list": in_list,
    "dict": in_dict,
    "array": in_array,
    "attribute": in_attribute,
    "slot": in_slot,
    "class": in_class,
    "module": in_module,
    "submodule": in_submodule,
    "wrapper": lambda kept, draw: functools.wraps(draw)(lambda: draw(kept)),
}


class Noisy(Module):
    """A network of one neuron, with a factor that is drawn."""

    def __init__(self, drawn):
        self.w = Value(1.0)
        self.drawn = drawn

    def __call__(self, x):
        return self.w * x[0] * self.drawn()


def results(mode, drawn):
    """Return what is computed three times, and the refusal where there is one."""
    if mode.startswith("fit"):
        model = Noisy(drawn)
        X = [[0.01 * i] for i in range(9000 if mode == "fit auto" else 20)]
        choice = "auto" if mode == "fit auto" else True
        options = {"steps": 3, "compile": choice, "progress": False}
        return fit(model, X, [1.0] * len(X), "mse", SGD(model.parameters(), 0.0), **options).loss
    backend, _, method = mode.partition(" ")
    compiled = compile(lambda x: x * 1.25 * drawn(), backend)
    if method == "map":
        return [compiled.map([3.0])[0] for _ in range(3)]
    if method == "value_and_grad":
        return [compiled.value_and_grad([3.0], wrt="inputs")[1][0] for _ in range(3)]
    return [compiled(3.0) for _ in range(3)]


MODES = [
    *(f"{backend} {how}" for backend in BACKENDS for how in ("call", "map", "value_and_grad")),
    "fit",
]


@pytest.fixture(autouse=True)
def generators_as_they_were():
    states = random.getstate(), np.random.get_state()
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])


@each("place", PLACES)
@pytest.mark.parametrize("way", mostly_slow(WAYS, 10))
def test_what_changes_is_refused_wherever_it_is_kept(way, place):
    for mode in MODES:
        kept, draw = WAYS[way]()
        with pytest.raises(TraceError, match=r"a traced function cannot .*(\.py|<string>), line"):
            results(mode, PLACES[place](kept, draw))
        assert sys.getprofile() is None


def test_a_model_that_is_refused_draws_as_if_nothing_had_been_tried():
    losses = []
    for choice in (False, "auto"):
        generator = np.random.default_rng(5)
        model = Noisy(lambda generator=generator: float(generator.random() > 0.5))
        X = [[0.01 * i] for i in range(8001)]
        optimizer = SGD(model.parameters(), 0.1)
        losses.append(fit(model, X, [1.0] * len(X), "mse", optimizer, steps=2, compile=choice).loss)
    assert losses[0] == losses[1]


def test_what_is_not_kept_does_not_hinder():
    model = MLP(1, [2], activation="tanh", rng=random.Random(0))
    seen = []

    def fn(x):
        seen.append(x)  # of no consequence
        return micrograd.sum(model([x]))

    assert compile(fn, "python")(0.5) == fn(Value(0.5)).data


# ---- the type of a value -------------------------------------------------------------------------


@functools.singledispatch
def dispatched(x):
    """Return what is for numbers."""
    return x + x


@dispatched.register
def _(x: Value):
    return x * x


def matched(x):
    """Return what is for the class that matches."""
    match x:
        case Value():
            return x * x
    return x + x


def by_isinstance(x):
    """Return what is for Values."""
    return x * x if isinstance(x, (int, Value)) else x + x


@pytest.mark.parametrize("fn", [by_isinstance, dispatched, matched])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_traced_value_is_a_value_as_in_the_engine(fn, backend):
    assert compile(fn, backend)(3.0) == fn(Value(3.0)).data == 9.0


def kind_of(x):
    """Return what is for Values, told apart by their type."""
    twice = x + x
    return x * x if type(x) is Value else twice


def test_the_type_itself_is_refused_with_the_line():
    line = kind_of.__code__.co_firstlineno + 3
    told = rf"test_watch.py, line {line}: `return .*isinstance\(x, Value\)"
    with pytest.raises(TraceError, match=told):
        compile(kind_of, "python")(3.0)
    member = micrograd.Value
    with pytest.raises(TraceError, match="type"):
        compile(lambda x: x * x if type(x) in (member, int) else x, "python")(3.0)
    with pytest.raises(TraceError, match="type"):
        compile(lambda x: x * x if type(x) == micrograd.Value else x, "python")(3.0)  # noqa: E721


def test_the_type_of_other_things_may_be_asked():
    net = MLP(1, [1], activation="tanh", rng=random.Random(0))
    compiled = compile(lambda x: net([x]) * len(type(net).__name__), "python")
    assert compiled(0.5) == net([0.5]).data * 3


# ---- rules of the user's -------------------------------------------------------------------------


def looped(x):
    """Halve until it is small."""
    for _ in range(4):
        if abs(x) > 1:
            x = x / 2
    return x


def guarded(x):
    """Refuse what is below 0, as `math` does."""
    if x < 0:
        raise ValueError("below 0")
    return x * 3


BRANCHING = {
    "truth": lambda x: x * x if x else 7.0,
    "not": lambda x: 7.0 if not x else x * 2,
    "equality": lambda x: 7.0 if x == 1.0 else x,
    "inequality": lambda x: x * x if x != 0.0 else 7.0,
    "membership": lambda x: 7.0 if x in (1.0, -1.0) else x,
    "comparison": lambda x: x if x > 0 else -0.5 * x,
    "chain": lambda x: 1.0 if -1 <= x < 1 else x * x,
    "largest": lambda x: max(x, 0.5) + min(x, 2.0),
    "and, or": lambda x: (x and x * x) or 7.0,
    "nan": lambda x: x if x == x else 0.0,
    "loop": looped,
    "constant": lambda x: 1 if x > 0 else 0,
    "other kinds": lambda x: 7.0 if x == "a" or x is None else x * x,
}
POINTS = [0.0, -0.0, 1.0, -1.0, 0.25, -3.5, 40.0, 1e-310]


@pytest.fixture
def define():
    """Return `micrograd.define`, whose rows are gone after the test."""
    names = []

    def row(forward, partials=lambda out, x: (2 * x,)):
        names.append(f"row_of_frozen_{len(names)}")
        return micrograd.define(name=names[-1], forward=forward, partials=partials)

    yield row
    for name in names:
        ops.TABLE.pop(name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", BRANCHING)
def test_both_branches_of_a_rule_are_compiled(name, backend, define):
    row = define(BRANCHING[name])
    compiled = compile(lambda x: row(x) * 1.5, backend)
    expected = [(row(Value(x)) * 1.5).data for x in POINTS]
    assert [compiled(x) for x in POINTS] == expected
    assert compiled.map(POINTS).tolist() == expected
    values, slopes = compiled.value_and_grad(POINTS, wrt="inputs", reduction="none")
    assert values.tolist() == expected
    assert slopes[:, 0].tolist() == [3.0 * x for x in POINTS]
    assert [compiled.jacobian(x)[0] for x in POINTS] == [3.0 * x for x in POINTS]
    assert "?" in compiled.to_c() or name == "other kinds"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_way_through_a_rule_that_raises_is_the_error_that_it_is_in_the_engine(backend, define):
    row = define(guarded, lambda out, x: (3,))
    compiled = compile(row, backend)
    assert compiled.map([1.0, 0.0]).tolist() == [3.0, 0.0]
    with pytest.raises(ValueError, match="below 0"):
        compiled(-1.0)


REFUSED_RULES = {
    "isinstance": lambda x: x * x if isinstance(x, float) else x,
    "type": lambda x: x * x if type(x) is float else x,
    "hash": lambda x: x * x if x in {1.0, 2.0} else x,
    "float": lambda x: float(x) * 2,
    "rounded": lambda x: x * round(x),
    "text": lambda x: x * len(f"{x:.3f}"),
    "draw": lambda x: x * random.random(),
    "clock": lambda x: x * time.time(),
    "caught": lambda x: _tried(x),
    "for ever": lambda x: _for_ever(x),
}


def _tried(x):
    try:
        return x * int(x)
    except TypeError:
        return x


def _for_ever(x):
    while x > 1:
        x = x / 2
    return x


@pytest.mark.parametrize("name", REFUSED_RULES)
def test_a_rule_that_cannot_be_compiled_is_refused_or_called(name, define):
    row = define(REFUSED_RULES[name])
    compiled = compile(row, "llvm")
    for run in (compiled, lambda x: compiled.map([x]), lambda x: compiled.value_and_grad([x])):
        with pytest.raises(
            TraceError, match=re.escape(row.name) + r"' has no machine code.*python"
        ):
            run(2.0)
    with pytest.raises(TraceError, match="no machine code"):
        compiled.to_c()
    called = compile(row, "python")
    if name in ("draw", "clock"):
        assert len({called(2.0) for _ in range(3)}) == 3
    else:
        assert called(2.0) == row(Value(2.0)).data


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "slope",
    [
        lambda out, x: (2 * x if x > 0 else 0,),
        lambda out, x: (2 * x if x == 1 else 0,),
        lambda out, x: (2 * x if isinstance(x, float) else 0,),
        lambda out, x: (2 * x if type(x) is float else 0,),
        lambda out, x: (random.random() * x,),
    ],
)
def test_a_derivative_that_branches_is_refused(slope, backend, define):
    row = define(lambda x: x * x, slope)
    compiled = compile(row, backend)
    assert compiled(3.0) == 9.0
    for run in (compiled.jacobian, lambda x: compiled.value_and_grad([x], wrt="inputs")):
        with pytest.raises(TraceError, match=r"test_watch\.py, line"):
            run(3.0)


# ---- the garbage collector -----------------------------------------------------------------------


@pytest.fixture(params=[time.perf_counter, random.random], ids=["clock", "draw"])
def collected(request):
    """Let the collector run as often as it can, and call what a traced function must not."""

    def callback(phase, info):
        request.param()

    before = gc.get_threshold()
    gc.callbacks.append(callback)
    gc.set_threshold(1)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(callback)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_the_garbage_collector_calls_is_not_the_functions_doing(backend, define, collected):
    row = define(BRANCHING["comparison"])
    compiled = compile(lambda x: row(x) * 1.5, backend)
    assert compiled(3.0) == 4.5
    assert compiled.map([3.0, -2.0]).tolist() == [4.5, 1.5]
    assert compiled.jacobian(3.0)[0] == 9.0
    assert "?" in compiled.to_c()
    assert gc.isenabled()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_that_collects_garbage_itself_is_refused(backend, collected, monkeypatch):
    unraised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: unraised.append(what.exc_type))

    def fn(x):
        gc.enable()
        for _ in range(100):  # calls, at each of which the collector may run
            x = x + looped(0.5)
        gc.collect()
        return x

    for _ in range(3):
        with pytest.raises(TraceError, match=r"cannot (read a clock|draw)"):
            compile(fn, backend)(1.0)
    assert set(unraised) == {TraceError}


# ---- operations that users write themselves ------------------------------------------------------


class Own(Value):
    """A Value with a product of its own."""

    def __mul__(self, other):
        return Value(99.0)

    __rmul__ = __mul__


class Tagged(Value):
    """A Value with a tag."""

    tag = "t"


def by_hand():
    """Return a leaf, and a node that was made of it by hand."""
    leaf = Value(2.0)
    node = Value(4.0, (leaf,), "twice")
    node._backward = lambda: setattr(leaf, "grad", leaf.grad + 2 * node.grad)
    return node


def wrapped():
    """Return a node with another `_backward` in the place of its own."""
    leaf = Value(2.0)
    node = leaf * leaf
    before = node._backward
    node._backward = lambda: before() or before()
    return node


@pytest.mark.parametrize("make", [by_hand, wrapped, lambda: Own(3.0)])
def test_what_was_made_by_hand_is_refused_and_told_what_to_do(make):
    node = make()
    for backend in BACKENDS:
        with pytest.raises(TraceError, match=r"test_watch\.py, line .*micrograd\.define"):
            compile(lambda x: x * node, backend)(1.0)


def test_a_node_made_by_hand_while_tracing_is_refused_and_told_what_to_do():
    w = Value(2.0)
    for fn in (
        lambda x: Value(x.data * 2, (x,), "twice"),
        lambda x: Value(w.data * 2, (w,), "twice") * x,
        lambda x: Value(4.0, (w,), "twice") * x,
        lambda x: setattr(x, "_backward", None),
    ):
        with pytest.raises(TraceError, match=r"test_watch\.py, line .*micrograd\.define"):
            compile(fn, "python")(1.0)


def test_a_subclass_with_more_attributes_is_a_parameter():
    weight = Tagged(3.0)
    compiled = compile(lambda x: x * weight, "python")
    assert compiled(2.0) == 6.0
    weight.data = 4.0
    assert compiled(2.0) == 8.0


def test_methods_put_on_value_are_used_and_operators_refused(monkeypatch):
    net = MLP(1, [1], activation="relu", rng=random.Random(0))
    with monkeypatch.context() as patch:
        patch.setattr(Value, "relu", lambda self: self * 3 + 1, raising=False)
        patch.setattr(Value, "cubed", lambda self: self * self * self, raising=False)
        for fn in (lambda x: x.relu(), lambda x: x.cubed(), lambda x: net([x])):
            assert compile(fn, "python")(-2.0) == fn(Value(-2.0)).data
        before = Value.__pow__
        patch.setattr(Value, "__pow__", lambda self, n: before(self, n) + 1, raising=False)
        with pytest.raises(TraceError, match=r"operators were replaced.*micrograd\.define"):
            compile(lambda x: x**2, "python")(2.0)
    assert compile(lambda x: x.relu(), "python")(-2.0) == 0.0
    with pytest.raises(AttributeError, match="cubed"):
        compile(lambda x: x.cubed(), "python")(2.0)
