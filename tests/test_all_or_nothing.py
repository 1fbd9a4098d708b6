"""What promises all or nothing keeps it, whichever line an interrupt strikes."""

import copy
import os
import random

import pytest
from interrupts import at_every_line, interrupted
from tables import mostly_slow

import micrograd
from micrograd import Value, detect_anomaly, enable_grad, no_grad, ops, optim, train
from micrograd.functional import grad
from micrograd.live import watch
from micrograd.nn import MLP
from micrograd.stepper import steps
from micrograd.values.grad_mode import discard, grad_mode, record


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Do not wait for the disk at each of hundreds of files."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.5, weight_decay=0.1),
    "momentum": lambda p: optim.SGD(p, lr=optim.linear(0.5, 0.1, 9), momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1, decayed=p[:1]),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
}
X, Y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.0]], [0, 1, 1, 0]


def state_of(optimizer):
    return optimizer.state_dict(), [(p.data, p.grad) for p in optimizer.params]


def stepped(make):
    params = [Value(1.0), Value(-2.0), Value(0.5)]
    optimizer = make(params)
    for p in params:
        p.grad = 0.25
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step(name):
    functions = {"step", "_updated", "set_data", "decays", "data", "_rate", "__call__"}
    fresh = lambda: stepped(OPTIMIZERS[name])  # noqa: E731
    assert at_every_line(fresh, lambda it: it.step(), state_of, functions) > 15


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_loaded_optimizer(name):
    other = stepped(OPTIMIZERS[name])
    other.step()
    state = other.state_dict()
    functions = {"load_state_dict", "_checked", "_buffer", "_lr_from"}
    fresh = lambda: stepped(OPTIMIZERS[name])  # noqa: E731
    assert at_every_line(fresh, lambda it: it.load_state_dict(state), state_of, functions) > 10


def model(seed=1):
    return MLP(2, [2, 1], rng=random.Random(seed))


@pytest.mark.parametrize("how", ["load", "load_state_dict"])
def test_a_loaded_model(tmp_path, how):
    other = model(2)
    other.save(tmp_path / "m.json")
    given = {"load": tmp_path / "m.json", "load_state_dict": other.state_dict()}[how]
    functions = {"load", "_take", "load_state_dict", "_fitting", "set_data", "data"}
    call = lambda it: getattr(it, how)(given)  # noqa: E731
    assert at_every_line(model, call, lambda it: it.state_dict(), functions) > 20


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # an open file
def test_a_saved_model(tmp_path):
    path = tmp_path / "m.json"
    other = model(2)

    def fresh():
        for left in tmp_path.iterdir():
            left.unlink()
        model().save(path)
        return path

    functions = {"save", "write_json", "write_atomic", "_take_over"}
    state = lambda it: {file.name: file.read_bytes() for file in it.parent.iterdir()}  # noqa: E731
    assert at_every_line(fresh, lambda it: other.save(it), state, functions) > 20


RUNS = {
    "momentum": {"compile": False, "batch_size": 3},
    "adam": {"compile": False, "validation": (X, Y)},
    "best": {"compile": False, "early_stop": train.EarlyStop(restore_best=True)},
    "in lines": {"compile": False, "batch_size": 3, "checkpoint_every": 1},
    "validated": {"compile": True, "validation": (X, Y)},
    "machine": {"compile": True, "batch_size": 3},
    "best in machine code": {"compile": True, "early_stop": train.EarlyStop(restore_best=True)},
}


LOOP = {
    *("_train", "advance", "_step", "forward", "leap", "_leap", "set_data", "_watched", "step"),
    *("_is_best", "_note", "_restore", "restore", "next", "run", "_called", "_load", "_store"),
    *("set_leaves", "set_buffers", "restore_data", "fit", "update", "save", "append_json"),
}


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_compiled_function_that_is_trained(backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    np = pytest.importorskip("numpy")
    network = model()
    f = micrograd.compile(lambda x, y: (network(x) - y) ** 2, backend)
    start = [p.data for p in network.parameters()]

    def fresh():
        for p, data in zip(network.parameters(), start, strict=True):
            p.data = data
        return optim.Adam(network.parameters(), lr=0.1)

    def fit(optimizer, steps=3):
        f.fit(
            np.array(X, dtype=float), np.array(Y, dtype=float), optimizer=optimizer, steps=steps,
            batch_size=3, seed=1, clip=0.5, every=2, callback=lambda step, loss: None,
        )  # fmt: skip

    def state(optimizer):
        return [p.data for p in network.parameters()], optimizer.state_dict()

    whole = []
    for count in range(4):
        optimizer = fresh()
        fit(optimizer, count)
        whole.append(state(optimizer))
    lines = 0
    for optimizer, where in interrupted(fresh, fit, LOOP):
        lines += 1
        assert state(optimizer) in whole, where
    assert lines > 60


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # an open file
@pytest.mark.parametrize("name", mostly_slow(RUNS))
def test_a_run_and_its_checkpoint(tmp_path, name):
    """Model and optimizer are those after a whole step, and go on from there as if nothing was."""
    if RUNS[name]["compile"]:
        pytest.importorskip("llvmlite")
    path, length = tmp_path / "c.json", 2

    def fresh():
        path.unlink(missing_ok=True)
        it = model()
        if name == "momentum":
            return it, optim.SGD(it.parameters(), lr=0.1, momentum=0.9)
        return it, optim.Adam(it.parameters(), lr=0.1)

    def fit(pair, **more):
        options = {**RUNS[name], "checkpoint": path, "seed": 1, "progress": False, **more}
        return train.fit(pair[0], X, Y, "mse", pair[1], **{"steps": length, **options})

    def state(pair):
        return pair[0].state_dict(), pair[1].state_dict()

    whole = []
    for count in range(length + 1):
        pair = fresh()
        fit(pair, steps=count)
        whole.append(state(pair))
        if name.startswith("best"):  # the parameters before the best are given back
            start = fresh()
            fit(start, steps=count, early_stop=train.EarlyStop())
            whole.append(state(start))
    lines = 0
    for pair, where in interrupted(fresh, fit, LOOP):
        lines += 1
        assert state(pair) in whole, where
        again = fresh_keeping(path, fresh)
        fit(again, resume=True)
        assert state(again) == whole[-2 if name.startswith("best") else -1], where
    assert lines > 40


def fresh_keeping(path, fresh):
    content = path.read_bytes() if path.exists() else None  # stopped before the first step
    made = fresh()
    if content is not None:
        path.write_bytes(content)
    return made


def test_a_checkpoint_that_is_read(tmp_path):
    path = tmp_path / "c.json"
    options = {"batch_size": 3, "seed": 1, "compile": False, "progress": False}
    options |= {"checkpoint": path, "loss": "mse"}
    train.fit(model(), X, Y, steps=2, **options)

    def fresh():
        it = model()
        return it, optim.Adam(it.parameters(), lr=train.LEARNING_RATE)

    def resume(pair):
        train.fit(pair[0], X, Y, optimizer=pair[1], steps=2, resume=True, **options)

    functions = {"load", "_read", "_history", "load_state_dict", "set_data"}
    state = lambda pair: (pair[0].state_dict(), pair[1].state_dict())  # noqa: E731
    assert at_every_line(fresh, resume, state, functions) > 40


@pytest.mark.parametrize("context", [no_grad, enable_grad, detect_anomaly])
@pytest.mark.parametrize("outer", [record, discard])
def test_a_switch(context, outer):
    token = grad_mode.set(outer)
    try:

        def call(_):
            with context():
                pass

        functions = {context.__name__, "setting"}
        lines = [grad_mode.get() for _ in interrupted(list, call, functions)]
        assert lines == [outer] * len(lines)
        assert len(lines) > 6
    finally:
        grad_mode.reset(token)


def test_a_derivative_of_a_derivative():
    def call(_):
        grad(grad(lambda x: x * x * x))(2.0)

    for _, where in interrupted(list, call, {"_level", "setting", "grad", "value_and_grad"}):
        assert type(grad(lambda x: x * x)(2.0)) is float, where  # the outermost one again
        assert grad_mode.get() is record


@pytest.mark.parametrize("move", ["go", "forward", "back", "find"])
def test_a_move_of_the_stepper(move):
    def fresh():
        a, b = Value(2.0, label="a"), Value(3.0, label="b")
        walk = steps(a * b + a)
        walk.go(3)
        return walk

    given = {"go": (1,), "find": ("b",)}.get(move, ())
    call = lambda it: getattr(it, move)(*given)  # noqa: E731
    walked = {move, "go", "_at", "place"}
    assert at_every_line(fresh, call, lambda it: it.position, walked) >= 3


def test_a_row_that_is_defined():
    def fresh():
        ops.TABLE.pop("twice", None)
        if hasattr(Value, "twice"):
            delattr(ops.Operators, "twice")

    def define(_):
        ops.define(name="twice", forward=lambda x: 2 * x, partials=lambda out, x: (2,))

    try:
        state = lambda _: ("twice" in ops.TABLE, hasattr(Value, "twice"))  # noqa: E731
        assert at_every_line(fresh, define, state, {"define"}) > 8
    finally:
        fresh()


def test_a_film():
    def fresh():
        return watch(model(), X, Y, loss="mse")

    def state(film):
        return copy.deepcopy((film.losses, film.model.state_dict(), film.optimizer.state_dict()))

    functions = {"run", "advance", "_step", "step", "set_data"}
    assert at_every_line(fresh, lambda film: film.run(1), state, functions) > 20
