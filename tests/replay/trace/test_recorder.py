"""What cannot be replayed is refused, and gradients inside a function are a part of it."""

from __future__ import annotations

import builtins
import contextlib
import copy
import cProfile
import math
import operator
import os
import pickle
import random
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from replaying import bits, every_backend

import micrograd
from micrograd.engine import Value, gradient
from micrograd.errors import TraceError
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.trace import Symbol

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

W = Value(1.5, label="W")


def _mutates(x):
    W.data = 2.0
    return W * x


def _changes_a_gradient(x):
    W.grad = 5.0
    return W * x


NET = MLP(1, [1], rng=random.Random(0))
DESCENT = SGD(NET.parameters(), 0.1)


def _updates(x):
    DESCENT.step()
    return NET([x])


def _generates(x):
    yield x * float(W)


def _clears(x):
    NET.zero_grad()
    return NET([x])


GENERATOR = np.random.default_rng(0)
from_numpy = np.random.normal


class Noisy:
    """What draws from a generator of its own."""

    def __init__(self):
        self.own = np.random.RandomState(1)

    def __call__(self, x):
        return x * self.own.normal()


NOISY = Noisy()

REFUSED = {
    "branch": lambda x: x if x > 0 else -x,
    "truth": lambda x: x if x else -x,  # noqa: FURB110
    "equality": lambda x: x if x == 1 else -x,
    "float": lambda x: float(x) * x,
    "int": lambda x: int(x) * x,
    "index": lambda x: [1, 2][x] * x,
    "hash": lambda x: {x: 1}[x] * x,
    "math": lambda x: math.exp(x) * x,
    "round": lambda x: round(x) * x,
    "data": lambda x: x.data * x,
    "parameter branch": lambda x: x if W > 0 else -x,
    "parameter with symbol": lambda x: x if x < W else -x,
    "parameter float": lambda x: x * float(W),
    "parameter data": lambda x: x * W.data,
    "parameter detach": lambda x: x * W.detach(),
    "mutation": _mutates,
    "random": lambda x: x * random.random(),
    "own random": lambda x: x * random.Random(3).gauss(0, 1),
    "numpy random": lambda x: x * float(np.random.rand()),
    "numpy generator": lambda x: x * GENERATOR.normal(),
    "numpy function": lambda x: x * from_numpy(),
    "numpy generator of an object": lambda x: NOISY(x),
    "system random": lambda x: x * secrets.randbelow(5),
    "gradient as numbers": lambda x: x * gradient(W * W, W),
    "derivative as a number": lambda x: x * micrograd.grad(lambda w: w * w)(W),
    "Value of it": lambda x: Value(x) * 2,
    "format": lambda x: x * float(f"{x:.2f}"),
    "generator": _generates,
    "copy": lambda x: x * copy.copy(W),
    "copy of a model": lambda x: copy.deepcopy(NET)([x]),
    "pickle": lambda x: x * pickle.loads(pickle.dumps(W)),
    "gradient change": _changes_a_gradient,
    "update": _updates,
    "zero_grad": _clears,
    "backward": lambda x: x.backward(),
    "grad": lambda x: x * x.grad,
    "grad of a traced value changed": lambda x: setattr(x, "grad", 1.0),
    "parameter grad": lambda x: x * W.grad,
    "grad of a result": lambda x: x * (W * W).grad,
    "grad by its name": lambda x: x * operator.attrgetter("grad")(W),
    "parameter grads of a model": lambda x: sum(p.grad for p in NET.parameters()) * x,
    "parameter branch with a number of its own": lambda x: max(W, Value(1.0)) * x,
    "state of a model": lambda x: x * next(iter(NET.state_dict().values())),
    "inputs": lambda x: x * (W * 2).inputs[0],
    "local derivatives": lambda x: x * (W * W).local_derivatives()[0],
    "a thread": lambda x: in_a_thread(lambda: W.data * x),
    "data in a pool": lambda x: x * next(ThreadPoolExecutor(1).map(lambda w: w.data, [W])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_depends_on_the_number_is_refused_with_the_line(name):
    state = random.getstate(), np.random.get_state()
    before = [(leaf.data, leaf.grad) for leaf in (W, *NET.parameters())]
    try:
        with pytest.raises(TypeError) as caught:
            compile(REFUSED[name], "python")(1.0)
        assert [(leaf.data, leaf.grad) for leaf in (W, *NET.parameters())] == before
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        W.grad = 0
    message = str(caught.value)
    assert "traced function cannot" in message
    assert "test_recorder.py, line" in message
    assert "`" in message
    if "branch" in name or name in ("truth", "equality"):
        assert "micrograd.where(micrograd.greater" in message
    assert sys.getprofile() is None


def test_numbers_of_its_own_may_be_compared_and_traced_ones_copied():
    fn = compile(lambda x: max(Value(1.0), Value(3.0), 2.0) * copy.deepcopy([x])[0] * W, "python")
    assert fn(2.0) == 9.0


def test_what_an_import_draws_is_refused_with_the_line_of_the_user():
    # As where numpy.random is imported, which seeds itself: the frame is that of Python's importer.
    imported = builtins.compile("os.urandom(8)", "<frozen importlib._bootstrap>", "exec")
    with pytest.raises(TraceError, match=r"draw random numbers \(test_recorder.py, line .*exec"):
        compile(lambda x: exec(imported, {"os": os}) or x, "python")(1.0)


def test_a_symbol_of_another_trace_is_refused():
    kept = []
    compile(lambda x: kept.append(x) or x, "python")(1.0)
    with pytest.raises(TraceError, match="another trace"):
        compile(lambda x: x * kept[0], "python")(1.0)


@pytest.mark.parametrize(
    ("result", "shown"),
    [({"a": 1}, r"\{'a': 1\} \(dict"), (None, r"None \(NoneType"), ([], r"\[\] \(list")],
)
def test_a_result_that_is_no_number_is_refused(result, shown):
    with pytest.raises(TypeError, match="expected the function to return a Value.*" + shown):
        compile(lambda x: result, "python")(1.0)


def test_what_other_threads_do_is_no_reason_to_refuse():
    traced = threading.Event()

    def draw():
        traced.wait()
        random.gauss(0, 1)
        np.random.normal()
        np.random.RandomState(0).normal()
        seen.append(W.data > W.grad)

    def fn(x):
        traced.set()
        other.join()
        return W * x

    seen = []
    other = threading.Thread(target=draw)
    other.start()
    assert compile(fn, "python")(2.0) == 3.0
    assert seen == [True]


def in_a_thread(fn):
    """Return what a function gives that is called in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(fn()))
    thread.start()
    thread.join()
    return results[0]


# ---- gradients inside ----------------------------------------------------------------------


def penalty(x, w):
    """Return a loss with the square of its own slope in the input, as in a gradient penalty."""
    y = micrograd.tanh(w * x) * x
    return y + gradient(y, x, create_graph=True) ** 2 + gradient(y, w, create_graph=True)


@every_backend
def test_a_gradient_inside_is_a_part_of_the_graph(backend):
    w = Value(0.7, label="w")
    compiled = compile(lambda x: penalty(x, w), backend)
    for at in (0.7, -1.3):  # one of them the number that w has
        x = Value(at)
        out = penalty(x, w)
        w.grad = 0
        out.backward()
        assert compiled(at) == pytest.approx(out.data, rel=1e-14)
        assert compiled.value_and_grad([at])[1] == pytest.approx([w.grad], rel=1e-13)
        assert compiled.jacobian(at) == pytest.approx([x.grad], rel=1e-13)
        if backend == "python":
            got = [compiled(at), *compiled.value_and_grad([at])[1], *compiled.jacobian(at)]
            assert bits(got) == bits([out.data, w.grad, x.grad])


@every_backend
def test_a_gradient_as_a_number_is_a_constant_of_the_graph(backend):
    def fn(x):
        return x * gradient(x**3, x)

    compiled = compile(fn, backend)
    assert compiled(2.0) == 24.0
    assert compiled.jacobian(2.0).tolist() == [12.0]
    x = Value(2.0)
    fn(x).backward()
    assert x.grad == 12.0


@every_backend
def test_derivatives_of_functions_can_be_compiled(backend):
    w = Value(3.0)
    slope = compile(micrograd.grad(lambda x: w * x**3), backend)
    assert slope(2.0) == 36.0
    w.data = 1.0
    assert slope(2.0) == 12.0
    assert slope.jacobian(2.0).tolist() == [12.0]
    both = compile(lambda x: micrograd.value_and_grad(lambda v: v[0] * v[1])(x)[1], backend)
    assert both([2.0, 5.0]) == [5.0, 2.0]
    curved = compile(
        lambda x: [h for row in micrograd.hessian(lambda v: v[0] ** 2 * v[1])(x) for h in row],
        backend,
    )
    assert curved([3.0, 5.0]) == [10.0, 6.0, 6.0, 0.0]
    # In a number of the function's own, that equals another.
    inner = compile(lambda x: micrograd.grad(lambda t: t * t * 3.0 * x)(3.0), backend)
    assert inner(2.0) == 36.0
    assert compile(lambda x: micrograd.grad(lambda t: t**2)(3.0) * x, backend)(2.0) == 12.0


def test_symbols_are_no_values():
    seen = []
    compile(lambda x: seen.append(x) or x, "python")(1.0)
    assert isinstance(seen[0], Symbol)
    assert repr(seen[0]) == "Symbol(position=0, label='x')"


def test_a_profiler_written_in_c_survives_a_trace():
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        assert compile(lambda x: x * x, "python")(3.0) == 9.0
    finally:
        profiler.disable()
    assert profiler.getstats()


@pytest.mark.parametrize(
    "file", [Path(micrograd.__file__).parent.parent / "micrograd_notes.py", Path("numpy/mine.py")]
)
def test_a_file_beside_the_package_or_in_a_folder_called_numpy_is_the_users(file):
    space = {"W": W}
    text = "def read(x): return x * W.data\ndef branch(x): return x if x > 0 else -x"
    exec(builtins.compile(text, str(file), "exec"), space)
    for name, line in (("read", 1), ("branch", 2)):
        with pytest.raises(TraceError, match=rf"{file.name}, line {line}"):
            compile(space[name])(1.0)


def swallowed(x):
    try:
        return x * float(x)
    except TypeError:
        return x * 2


def swallowed_parameter(x):
    with contextlib.suppress(TypeError):
        return x * W.data
    return x


def turned_into_another_error(x):
    try:
        return x if x > 0 else -x
    except TypeError as error:
        raise ValueError("no such number") from error


@pytest.mark.parametrize("fn", [swallowed, swallowed_parameter, turned_into_another_error])
def test_a_refusal_that_the_function_catches_is_one_nevertheless(fn):
    compiled = compile(fn, "python")
    for _ in range(2):
        with pytest.raises(TraceError, match=r"test_recorder\.py, line \d+: "):
            compiled(3.0)


@every_backend
def test_a_copy_without_gradient_travels_with_the_function(backend):
    compiled = compile(lambda x: x * x.detach(), backend)
    assert compiled(3.0) == 9.0
    for again in (pickle.loads(pickle.dumps(compiled)), copy.deepcopy(compiled)):
        assert again(3.0) == 9.0
        assert again.jacobian(3.0).tolist() == [3.0]
