"""Compiled replay against hand-written C, NumPy, PyTorch and micrograd 0.1.0.

    python tests/benchmarks/replay.py

measures all on the same data, the same initial weights, in float64, on one thread, in alternating
runs (median of 5), checks first that losses and gradients are equal, and writes the section
"Compiled replay" of RESULTS.md. C needs a compiler, PyTorch and micrograd 0.1.0 are measured where
they can be had. It takes about three minutes. `--tiny` runs everything once, small, writes
nothing and starts no other environment.
"""

import argparse
import copy
import ctypes
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import numpy as np  # noqa: E402 (after the environment of its threads)
from eager import environment  # noqa: E402
from results import machine, table, write_section  # noqa: E402

import micrograd  # noqa: E402
from micrograd.nn import MLP  # noqa: E402
from micrograd.optim import SGD  # noqa: E402
from micrograd.train import fit  # noqa: E402

ORIGINAL = """
import json, random, sys, time
from micrograd.engine import Value
from micrograd.nn import MLP
X, y = json.load(sys.stdin)
random.seed(1337)
model = MLP(2, [16, 16, 1])
times = []
for _ in range(3):
    start = time.perf_counter()
    losses = [(1 + -yi * model(list(map(Value, xi)))).relu() for xi, yi in zip(X, y)]
    total = sum(losses) * (1.0 / len(losses))
    model.zero_grad()
    total.backward()
    times.append(time.perf_counter() - start)
print(json.dumps([min(times), total.data]))
"""


def moons(n):
    """Return two interleaved half circles."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, n)
    y = np.where(np.arange(n) % 2, 1.0, -1.0)
    X = np.c_[np.cos(angle) * y + (y > 0) * 1.0, np.sin(angle) * y + (y > 0) * 0.5]
    return X + rng.normal(0, 0.1, (n, 2)), y


def timed(run, least=0.02):
    """Return seconds a call, over calls that take `least` seconds together."""
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            run()
        seconds = time.perf_counter() - start
        if seconds >= least or least == 0:
            return seconds / calls
        calls = max(calls + 1, min(calls * 10, int(calls * least / max(seconds, 1e-9) * 1.2)))


def alternating(runs, rounds=5, least=0.02):
    """Return name -> median seconds a call, the runs taken in turns."""
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(timed(run, least))
    return {name: statistics.median(all_) for name, all_ in times.items()}


def by_hand_c(activation, folder):
    """Return the C function, or None where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    library = Path(folder) / f"{activation}.so"
    built = library.with_suffix(".o")
    command = [compiler, "-O3", "-march=native", "-ffast-math", "-fPIC", "-c"]
    command += ["-DTANH"] if activation == "tanh" else []
    source = Path(__file__).with_name("replay_mlp.c")
    if "gcc" in Path(compiler).name and os.uname().machine == "x86_64":
        command.append("-mprefer-vector-width=512")
    subprocess.run([*command, str(source), "-o", str(built)], check=True)
    # Linked without -ffast-math, which would make the whole process round tiny numbers to 0.
    subprocess.run([compiler, "-shared", str(built), "-o", str(library), "-lm"], check=True)
    function = ctypes.CDLL(str(library)).loss_and_gradient
    pointer = ctypes.c_void_p
    function.argtypes = [pointer, pointer, ctypes.c_long, pointer, pointer]
    function.restype = ctypes.c_double
    return function


def by_hand_numpy(X, y, parameters, activation):
    """Return a function for loss and gradient, written with matrices."""
    first = parameters[:48].reshape(16, 3)
    second = parameters[48:320].reshape(16, 17)
    third = parameters[320:].reshape(1, 17)
    weights = [(layer[:, :-1].copy(), layer[:, -1].copy()) for layer in (first, second, third)]
    relu = activation == "relu"

    def run():
        layers = [X]
        for w, b in weights[:2]:
            z = layers[-1] @ w.T + b
            layers.append(np.maximum(z, 0) if relu else np.tanh(z))
        w, b = weights[2]
        margin = 1 - y * (layers[2] @ w.T + b)[:, 0]
        loss = np.maximum(margin, 0).mean()
        d = (np.where(margin > 0, -y, 0.0) / len(y))[:, None]
        parts = []
        for k in (2, 1, 0):
            parts.append(np.c_[d.T @ layers[k], d.sum(axis=0)].ravel())
            if k:
                slope = layers[k] > 0 if relu else 1 - layers[k] ** 2
                d = d @ weights[k][0] * slope
        return loss, np.concatenate(parts[::-1])

    return run


def by_torch(X, y, parameters, activation):
    """Return a function for loss and gradient in PyTorch, or None without it."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    inputs, targets = torch.tensor(X), torch.tensor(y)
    shapes, leaves, start = [(16, 2), (16, 16), (1, 16)], [], 0
    for rows, columns in shapes:
        block = parameters[start : start + rows * (columns + 1)].reshape(rows, columns + 1)
        leaves += [torch.tensor(block[:, :-1].copy()), torch.tensor(block[:, -1].copy())]
        start += rows * (columns + 1)
    for leaf in leaves:
        leaf.requires_grad_()
    active = torch.relu if activation == "relu" else torch.tanh

    def run():
        hidden = inputs
        for w, b in (leaves[:2], leaves[2:4]):
            hidden = active(hidden @ w.T + b)
        scores = (hidden @ leaves[4].T + leaves[5])[:, 0]
        loss = torch.relu(1 - targets * scores).mean()
        for leaf in leaves:
            leaf.grad = None
        loss.backward()
        return loss

    return run


def full_batch(activation, folder, options):
    """Return name -> seconds of one full-batch loss and gradient, and the first call."""
    n = 16 if options.tiny else 100
    X, y = moons(n)
    random.seed(1337)
    model = MLP(2, [16, 16, 1], activation=activation)
    parameters = np.array([p.data for p in model.parameters()])
    start = time.perf_counter()
    compiled = micrograd.compile(lambda x, t: micrograd.relu(1 - t * model(x)), "llvm")
    loss, gradient = compiled.value_and_grad(X, y)
    first = time.perf_counter() - start
    runs = {
        "micrograd, parameters as an array": lambda: compiled.value_and_grad(
            X, y, parameters=parameters
        ),
        "micrograd, parameters read from the Values": lambda: compiled.value_and_grad(X, y),
    }
    numpy_run = by_hand_numpy(X, y, parameters, activation)
    other, slopes = numpy_run()
    assert abs(loss - other) < 1e-13
    assert np.allclose(gradient, slopes, rtol=1e-11, atol=1e-13)
    runs["NumPy by hand"] = numpy_run
    function = by_hand_c(activation, folder)
    if function is not None:
        out = np.empty_like(parameters)
        given = [array.ctypes.data for array in (X, y)]
        held, to = parameters.ctypes.data, out.ctypes.data
        assert abs(function(*given, n, held, to) - loss) < 1e-13
        assert np.allclose(out, gradient, rtol=1e-10, atol=1e-12)
        runs["C by hand"] = lambda: function(*given, n, held, to)
    torch_run = None if options.tiny else by_torch(X, y, parameters, activation)
    if torch_run is not None:
        assert abs(torch_run().item() - loss) < 1e-13
        runs["PyTorch, eager"] = torch_run
    times = alternating(runs, *((1, 0) if options.tiny else ()))
    times["micrograd, kernel alone"] = kernel_alone(compiled, X, y, parameters, options)
    if not options.tiny and activation == "relu":
        python = environment(Path(folder) / "original")
        text = json.dumps([X.tolist(), y.tolist()])
        variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        result = subprocess.run(
            [python, "-c", ORIGINAL], input=text, capture_output=True, text=True, check=True,
            env=variables, cwd=folder,
        )  # fmt: skip
        seconds, value = json.loads(result.stdout)
        assert abs(value - loss) < 1e-12
        times["micrograd 0.1.0"] = seconds
    return times, first


def kernel_alone(compiled, X, y, parameters, options):
    """Return seconds of the machine code without the Python around it: a batch 64 times as long,
    divided by 64."""
    times = 1 if options.tiny else 64
    XX, yy = np.tile(X, (times, 1)), np.tile(y, times)
    small = alternating(
        {
            "one": lambda: compiled.value_and_grad(X, y, parameters=parameters),
            "many": lambda: compiled.value_and_grad(XX, yy, parameters=parameters),
        },
        *((1, 0) if options.tiny else ()),
    )
    return (small["many"] - small["one"]) / max(1, times - 1)


def whole_fit(activation, folder, options):
    """Return seconds of 100 full-batch steps of SGD: the loop in C, that of `fit`, all of `fit`."""
    n, steps, rate = (16, 3, 0.05) if options.tiny else (100, 100, 0.05)
    X, y = moons(n)
    random.seed(1337)
    start = MLP(2, [16, 16, 1], activation=activation)
    held = np.array([p.data for p in start.parameters()])
    rows, labels = X.tolist(), y.tolist()
    function = by_hand_c(activation, folder)
    results, inside = {}, []

    def by_hand():
        parameters, slopes = held.copy(), np.empty_like(held)
        given = [array.ctypes.data for array in (X, y, parameters, slopes)]
        for _ in range(steps):
            function(given[0], given[1], n, given[2], given[3])
            parameters -= rate * slopes
        results["C"] = parameters

    def fitted():
        model = copy.deepcopy(start)
        optimizer = SGD(model.parameters(), rate)
        history = fit(model, rows, labels, "hinge", optimizer, steps, progress=False, compile=True)
        inside.append(sum(history.seconds))
        results["fit"] = [p.data for p in model.parameters()]

    runs = {"fit": fitted}
    if function is not None:
        runs["C"] = by_hand
    times = alternating(runs, *((1, 0) if options.tiny else ()))
    if function is not None:
        assert np.allclose(results["C"], results["fit"], rtol=1e-9, atol=1e-12)
    return times.get("C"), statistics.median(inside), times["fit"]


def digits(options):
    """Return seconds of one full-batch gradient of MLP(64, [32, 10]), compiled and in NumPy."""
    n, wide, hidden, classes = (16, 8, 4, 3) if options.tiny else (1797, 64, 32, 10)
    rng = np.random.default_rng(1)
    X = rng.uniform(0, 1, (n, wide))
    onehot = np.eye(classes)[rng.integers(0, classes, n)]
    random.seed(3)
    model = MLP(wide, [hidden, classes])
    compiled = micrograd.compile(
        lambda x, t: micrograd.logsumexp(z := model(x)) - micrograd.dot(t, z), "llvm"
    )
    parameters = np.array([p.data for p in model.parameters()])
    split = hidden * (wide + 1)
    first = parameters[:split].reshape(hidden, wide + 1)
    second = parameters[split:].reshape(classes, hidden + 1)
    w1, b1, w2, b2 = [np.ascontiguousarray(a) for layer in (first, second) for a in (
        layer[:, :-1], layer[:, -1]
    )]  # fmt: skip

    def by_hand():
        h = np.maximum(X @ w1.T + b1, 0)
        z = h @ w2.T + b2
        top = z.max(axis=1, keepdims=True)
        e = np.exp(z - top)
        total = e.sum(axis=1, keepdims=True)
        loss = (np.log(total) + top).mean() - (z * onehot).sum() / n
        d = (e / total - onehot) / n
        d1 = d @ w2 * (h > 0)
        return loss, np.concatenate(
            [np.c_[d1.T @ X, d1.sum(0)].ravel(), np.c_[d.T @ h, d.sum(0)].ravel()]
        )

    loss, gradient = compiled.value_and_grad(X, onehot)
    other, slopes = by_hand()
    assert abs(loss - other) < 1e-12
    assert np.allclose(gradient, slopes, rtol=1e-9, atol=1e-12)
    return alternating(
        {"micrograd": lambda: compiled.value_and_grad(X, onehot, parameters=parameters),
         "NumPy by hand": by_hand},
        *((1, 0) if options.tiny else (5, 0.1)),
    )  # fmt: skip


def first_call(nodes):
    """Return seconds from a function of so many nodes to its first value and gradient."""

    def chain(x, y):
        a = x
        for _ in range(nodes // 4):
            b = a * y
            a = b * 0.5 + b * x
        return a

    start = time.perf_counter()
    compiled = micrograd.compile(chain, "llvm")
    compiled.value_and_grad([0.5], [0.5], wrt="inputs")
    return time.perf_counter() - start


def overhead(options):
    """Return seconds of a call for one sample, of a function that takes no time itself."""
    compiled = micrograd.compile(lambda x, y: x * y, "llvm")
    compiled(1.0, 2.0)
    return alternating({"call": lambda: compiled(1.0, 2.0)}, *((1, 0) if options.tiny else ()))[
        "call"
    ]


def two_threads(options):
    """Return how many times faster two threads are than one, on 100,000 samples."""
    X, y = moons(1_000 if options.tiny else 100_000)
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    runs = {}
    for threads in (1, 2):
        compiled = micrograd.compile(
            lambda x, t: micrograd.relu(1 - t * model(x)), "llvm", threads=threads
        )
        runs[threads] = lambda compiled=compiled: compiled.value_and_grad(X, y)
    assert runs[1]()[0] == runs[2]()[0]
    times = alternating(runs, *((1, 0) if options.tiny else ()))
    return times[1] / times[2]


MEMORY = """
import resource, sys
import numpy as np
import micrograd
n = int(sys.argv[1])
f = micrograd.compile(lambda x: micrograd.tanh(x * 0.5), "llvm")
x = np.linspace(-1, 1, n)
f.map(x[:10])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
out = f.map(x)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 - out.nbytes / 2**20)
"""


def memory(options):
    """Return the MB that `map` takes besides its inputs and outputs."""
    n = 1_000 if options.tiny else 10_000_000
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run(
        [sys.executable, "-c", MEMORY, str(n)],
        capture_output=True, text=True, check=True, env=variables,
    )  # fmt: skip
    return max(0.0, float(result.stdout))


def short(seconds):
    """Return a time as text, in three digits."""
    unit, size = next(
        (pair for pair in (("s", 1.0), ("ms", 1e-3)) if seconds >= pair[1]), ("µs", 1e-6)
    )
    return f"{seconds / size:.3g} {unit}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        relu, first = full_batch("relu", folder, options)
        tanh, _ = full_batch("tanh", folder, options)
        loops = {name: whole_fit(name, folder, options) for name in ("relu", "tanh")}
    dense = digits(options)
    sizes = (100, 1_000) if options.tiny else (10_000, 100_000)
    firsts = {nodes: first_call(nodes) for nodes in sizes}
    call, speedup, extra = overhead(options), two_threads(options), memory(options)
    limit, limit_tanh = relu.get("C by hand"), tanh.get("C by hand")
    rows = []
    for name in sorted(relu, key=relu.get):
        row = [name, short(relu[name]), f"{relu[name] / limit:.2f}" if limit else ""]
        row += [short(tanh[name]), f"{tanh[name] / limit_tanh:.2f}"] if name in tanh else ["", ""]
        rows.append(row)
    others = [
        *[[f"100 full-batch steps of SGD, {name}: the loop of `fit`",
           f"{short(loop)} (C by hand: {short(c) if c else 'no compiler'}; "
           f"all of `fit`, tracing and compiling included: {short(whole)})"]
          for name, (c, loop, whole) in loops.items()],
        ["`MLP(64,[32,10])`, cross-entropy, 1,797 samples, one full-batch gradient",
         f"{short(dense['micrograd'])} (NumPy by hand: {short(dense['NumPy by hand'])})"],
        ["first call of the first table's function: trace, emit, run", short(first)],
        *[[f"first value and gradient of a graph of {nodes:,} nodes", short(seconds)]
          for nodes, seconds in firsts.items()],
        ["a call for one sample, two inputs, no parameters", short(call)],
        ["two threads on 100,000 samples, times as fast as one", f"{speedup:.2f}"],
        ["memory of `map` on 10,000,000 samples besides inputs and outputs", f"{extra:.0f} MB"],
    ]  # fmt: skip
    text = (
        f"`python tests/benchmarks/replay.py` on {machine()}.\n\n"
        "One full-batch loss and gradient of `MLP(2, [16, 16, 1])`, hinge loss, 100 samples, "
        "float64, one thread; median of 5 alternating runs. \"of C\" is the time as a multiple of "
        "hand-written C's. \"Kernel alone\" is measured on a batch 64 times as long, divided by "
        "64.\n\n"
        + table(["program", "relu", "of C", "tanh", "of C"], rows)
        + "\n\n"
        + table(["work", "measured"], others)
    )  # fmt: skip
    print(text)
    if not options.tiny:
        write_section("Compiled replay", text)


if __name__ == "__main__":
    main()
