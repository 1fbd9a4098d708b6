"""Compiled replay against hand-written C and NumPy, and against other engines.

    python tests/benchmarks/replay.py

measures all on the same data, the same initial weights, in float64, on one thread, in alternating
runs (median of 5), checks first that losses and gradients are equal, and writes the section
"Compiled replay" of RESULTS.md. C needs a compiler; PyTorch is measured where it is installed; JAX,
ddx-ad, CasADi, scikit-learn and micrograd 0.1.0 are installed from the package index into
environments of their own, below `--environments` or in a temporary folder. It takes some five
minutes. `--tiny` runs everything once, small, writes nothing and starts no other environment.
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
import venv
from concurrent.futures import ThreadPoolExecutor
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
            seconds = run.seconds() if isinstance(run, Peer) else timed(run, least)
            times[name].append(seconds)
    return {name: statistics.median(all_) for name, all_ in times.items()}


PEERS = {
    "jax": ("JAX, jit", "jax_step"),
    "ddx-ad": ("ddx-ad", "ddx"),
    "casadi": ("CasADi", "casadi"),
}
RUNS = {
    "jax": ("JAX, fori_loop", "jax_loop"),
    "scikit-learn": ("scikit-learn's MLPClassifier (logistic loss)", "sklearn"),
}
MISSING = {}  # peer -> why it was not measured


class Peer:
    """Another engine, in an environment and a process of its own."""

    def __init__(self, package, function, folder, X, y, parameters, activation):
        place = Path(folder) / package
        python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if not python.exists():
            venv.create(place, with_pip=True)
            install = [python, "-m", "pip", "install", "--quiet", "numpy", package]
            subprocess.run(install, check=True, capture_output=True, text=True)
        variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        variables["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        self._process = subprocess.Popen(
            [python, Path(__file__).with_name("replay_peers.py"), function, "0.02"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables,
        )  # fmt: skip
        data = {"X": X.tolist(), "y": y.tolist(), "activation": activation}
        self._say({**data, "parameters": parameters.tolist()})
        self.value, self.gradient = json.loads(self._process.stdout.readline())

    def _say(self, what):
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def seconds(self):
        """Return seconds of a call."""
        self._say("run")
        return float(self._process.stdout.readline())

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def peers(which, folder, X, y, parameters, activation, options):
    """Return name -> peer, of those that can be had here."""
    found = {}
    for package, (name, function) in {} if options.tiny else which.items():
        try:
            found[name] = Peer(package, function, folder, X, y, parameters, activation)
        except (subprocess.CalledProcessError, ValueError, OSError) as error:
            MISSING[name] = (getattr(error, "stderr", "") or str(error)).strip()[-200:]
    return found


def by_hand_c(activation, folder, name="replay_mlp"):
    """Return the C function, or None where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    library = Path(folder) / f"{name}_{activation}.so"
    built = library.with_suffix(".o")
    command = [compiler, "-O3", "-march=native", "-ffast-math", "-fPIC", "-c"]
    command += ["-DTANH"] if activation == "tanh" else []
    source = Path(__file__).with_name(f"{name}.c")
    if "gcc" in Path(compiler).name and os.uname().machine == "x86_64":
        command.append("-mprefer-vector-width=512")
    subprocess.run([*command, str(source), "-o", str(built)], check=True)
    # Linked without -ffast-math, which would make the whole process round tiny numbers to 0.
    subprocess.run([compiler, "-shared", str(built), "-o", str(library), "-lm"], check=True)
    made = ctypes.CDLL(str(library))
    function = made.loss_and_gradient
    pointer = ctypes.c_void_p
    function.argtypes = [pointer, pointer, ctypes.c_long, pointer, pointer]
    function.restype = ctypes.c_double
    if name == "replay_mlp":
        function.descend = made.descend
        made.descend.restype = None
        made.descend.argtypes = [
            pointer, pointer, ctypes.c_long, pointer, ctypes.c_double, ctypes.c_long, pointer
        ]  # fmt: skip
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
    start = time.process_time()
    compiled = micrograd.compile(lambda x, t: micrograd.relu(1 - t * model(x)), "llvm")
    loss, gradient = compiled.value_and_grad(X, y)
    first = time.process_time() - start
    compiled.machine(X, y)  # compiled now, not when that has paid
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
    others = peers(PEERS, options.environments, X, y, parameters, activation, options)
    for name, peer in others.items():
        assert abs(peer.value - loss) < 1e-12, name
        assert np.allclose(peer.gradient, gradient, rtol=1e-9, atol=1e-12), name
    times = alternating({**runs, **others}, *((1, 0) if options.tiny else ()))
    for peer in others.values():
        peer.close()
    if not options.tiny and activation == "relu":
        python = environment(Path(options.environments) / "original")
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


def whole_fit(activation, folder, options):
    """Return name -> seconds of 100 full-batch steps of SGD, and of the first `fit` of its kind."""
    n, steps, rate = (16, 3, 0.05) if options.tiny else (100, 100, 0.05)
    X, y = moons(n)
    random.seed(1337)
    start = MLP(2, [16, 16, 1], activation=activation)
    held = np.array([p.data for p in start.parameters()])
    rows, labels = X.tolist(), y.tolist()
    function = by_hand_c(activation, folder)
    results = {}

    def by_hand():
        parameters, losses = held.copy(), np.empty(steps)
        given = [array.ctypes.data for array in (X, y, parameters, losses)]
        function.descend(given[0], given[1], n, given[2], rate, steps, given[3])
        results["C"] = parameters

    class Fit:
        """A run of `fit` alone: the model it trains is made before."""

        def __init__(self):
            self.model = copy.deepcopy(start)
            self.optimizer = SGD(self.model.parameters(), rate)

        def __call__(self):
            fit(self.model, rows, labels, "hinge", self.optimizer, steps, progress=False,
                compile=True)  # fmt: skip
            results["fit"] = [p.data for p in self.model.parameters()]

    first = timed(Fit(), 0)
    others = peers(RUNS, options.environments, X, y, held, activation, options)
    times = {name: [] for name in ("micrograd, `fit`", "C by hand", *others)}
    for _ in range(1 if options.tiny else 5):
        prepared = [Fit() for _ in range(1 if options.tiny else 10)]
        clock = time.perf_counter()
        for run in prepared:
            run()
        times["micrograd, `fit`"].append((time.perf_counter() - clock) / len(prepared))
        if function is not None:
            times["C by hand"].append(timed(by_hand, 0 if options.tiny else 0.02))
        for name, peer in others.items():
            times[name].append(peer.seconds())
    for peer in others.values():
        peer.close()
    if function is not None:
        assert np.allclose(results["C"], results["fit"], rtol=1e-9, atol=1e-12)
    return {name: statistics.median(all_) for name, all_ in times.items() if all_}, first


def digits(options):
    """Return seconds of one full-batch gradient of MLP(64, [32, 10]), compiled and in NumPy."""
    n, wide, hidden, classes = (16, 8, 4, 3) if options.tiny else (1797, 64, 32, 10)
    if options.tiny:
        rng = np.random.default_rng(1)
        X, labels = rng.uniform(0, 1, (n, wide)), rng.integers(0, classes, n)
    else:
        from sklearn.datasets import load_digits

        X, labels = load_digits(return_X_y=True)
        X = np.ascontiguousarray(X) / 16
    onehot = np.eye(classes)[labels]
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
    compiled.machine(X, onehot)
    other, slopes = by_hand()
    assert abs(loss - other) < 1e-12
    assert np.allclose(gradient, slopes, rtol=1e-9, atol=1e-12)
    return alternating(
        {"micrograd": lambda: compiled.value_and_grad(X, onehot, parameters=parameters),
         "NumPy by hand": by_hand},
        *((1, 0) if options.tiny else (5, 0.1)),
    )  # fmt: skip


def first_call(nodes):
    """Return seconds from a function of so many nodes to its first value and gradient.

    Of this processor's time, which others that run on it do not make longer: it is all one thread.
    """

    def chain(x, y):
        a = x
        for _ in range(nodes // 4):
            b = a * y
            a = b * 0.5 + b * x
        return a

    start = time.process_time()
    compiled = micrograd.compile(chain, "llvm")
    compiled.value_and_grad([0.5], [0.5], wrt="inputs")
    return time.process_time() - start


def overhead(options):
    """Return seconds of a call for one sample besides the kernel: without and with parameters."""
    product = micrograd.compile(lambda x, y: x * y, "llvm")
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    loss = micrograd.compile(lambda x, t: micrograd.relu(1 - t * model(x)), "llvm")
    for _ in range(3_000):  # until they are compiled
        product(1.0, 2.0)
        loss([0.5, 0.25], 1.0)
    X, y = np.tile([0.5, 0.25], (8_000, 1)), np.ones(8_000)
    runs = {
        "product": lambda: product(1.0, 2.0),
        "loss": lambda: loss([0.5, 0.25], 1.0),
        "many": lambda: loss.map(X, y),
    }
    times = alternating(runs, *((1, 0) if options.tiny else ()))
    kernel = times["many"] / 1_000  # one run of the kernel does 8 samples
    return times["product"], times["loss"] - kernel


def two_threads(options):
    """Return how many times faster two threads are than one, on 100,000 samples.

    And how many times the work of one call two separate calls do at a time, which is less than
    twice where processors share a core or other programs run; and how many processors were free.
    """
    X, y = moons(1_000 if options.tiny else 100_000)
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    runs = {}
    for threads in (1, 2):
        compiled = micrograd.compile(
            lambda x, t: micrograd.relu(1 - t * model(x)), "llvm", threads=threads
        )
        compiled.machine(X, y)
        runs[threads] = lambda compiled=compiled: compiled.value_and_grad(X, y)
    assert runs[1]()[0] == runs[2]()[0]

    def separate():
        other = pool.submit(runs[1])
        runs[1]()
        other.result()

    with ThreadPoolExecutor(1) as pool:
        times = alternating(
            {**runs, "separate": separate}, *((1, 0) if options.tiny else (9, 0.05))
        )
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(1 if options.tiny else 50):
        runs[2]()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return times[1] / times[2], 2 * times[1] / times["separate"], processor / wall


MEMORY = """
import sys
import numpy as np
import micrograd
def most():  # of this program alone: what getrusage gives is also that of the one it came from
    try:
        lines = open("/proc/self/status", encoding="utf-8").read().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
n = int(sys.argv[1])
f = micrograd.compile(lambda x: micrograd.tanh(x * 0.5), "llvm", threads=int(sys.argv[2]))
x = np.empty(n)
x.fill(0.25)
f.map(x[:10])
before = most()
out = f.map(x)
taken = most() - before - out.nbytes / 2**20
assert taken > -10 or n < 10**6, "nothing was measured"
print(taken)
"""


def memory(options):
    """Return the MB that `map` takes besides its inputs and outputs."""
    n = 1_000 if options.tiny else 10_000_000
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run(
        [sys.executable, "-c", MEMORY, str(n), "1"],
        stdout=subprocess.PIPE, text=True, check=True, env=variables,
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
    parser.add_argument("--environments", help="folder of the other engines' environments")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        options.environments = options.environments or folder
        relu, first = full_batch("relu", folder, options)
        tanh, _ = full_batch("tanh", folder, options)
        loops = {name: whole_fit(name, folder, options) for name in ("relu", "tanh")}
    dense = digits(options)
    sizes = (100, 1_000) if options.tiny else (10_000, 100_000, 1_000_000)
    firsts = {nodes: first_call(nodes) for nodes in sizes}
    call, with_parameters = overhead(options)
    speedup, most, had = two_threads(options)
    extra = memory(options)

    def both(one, other, limit):
        rows = []
        for name in sorted(one, key=one.get):
            row = [name]
            for times in (one, other):
                have = name in times
                row.append(short(times[name]) if have else "")
                row.append(f"{times[name] / times[limit]:.2f}" if have and limit in times else "")
            rows.append(row)
        return rows

    whole, whole_tanh = loops["relu"][0], loops["tanh"][0]
    if "micrograd 0.1.0" in relu:
        whole["micrograd 0.1.0 (100 times a step)"] = 100 * relu["micrograd 0.1.0"]
    others = [
        ["the first `fit` of an architecture, tracing and compiling included",
         f"{short(loops['relu'][1])} (relu), {short(loops['tanh'][1])} (tanh)", ""],
        ["`MLP(64,[32,10])`, cross-entropy, digits (1,797 samples), one full-batch gradient",
         f"{short(dense['micrograd'])}; NumPy by hand {short(dense['NumPy by hand'])}: "
         f"{dense['micrograd'] / dense['NumPy by hand']:.2f} times", "at most 2 times"],
        ["first call of the first table's function: trace, emit, run (processor time)",
         short(first),
         "at most 0.3 s"],
        *[[f"first value and gradient of a graph of {nodes:,} nodes (processor time)",
           f"{short(seconds)}, {seconds / nodes * 1e6:.0f} µs a node",
           {100_000: "at most 3 s", 1_000_000: "linear"}.get(nodes, "")]
          for nodes, seconds in firsts.items()],
        ["a call for one sample besides the kernel: two numbers; a list, a number and a network's "
         "337 parameters",
         f"{short(call)}; {short(with_parameters)}", "at most 5 µs"],
        ["two threads on 100,000 samples, times as fast as one",
         f"{speedup:.2f}; two separate calls at a time {most:.2f}; on {had:.1f} processors that "
         "were free",
         "at least 1.7"],
        ["memory of `map` on 10,000,000 samples besides inputs and outputs", f"{extra:.1f} MB",
         "at most 100 MB"],
    ]  # fmt: skip
    header = ["program", "relu", "of C", "tanh", "of C"]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    missing = "".join(f" Not measured: {name} ({why})." for name, why in MISSING.items())
    text = (
        f"`python tests/benchmarks/replay.py` on {machine()}, load {load:.1f} (1 is this program "
        f"alone).{missing}\n\n"
        "One full-batch loss and gradient of `MLP(2, [16, 16, 1])`, hinge loss, 100 samples, "
        "float64, one thread; median of 5 alternating runs. \"of C\" is the time as a multiple of "
        "hand-written C's (`replay_mlp.c`, `-O3 -march=native -ffast-math`, called from Python). "
        "The aim is at most 1.3 times C, with tanh 2 times, and less than every other engine.\n\n"
        + table(header, both(relu, tanh, "C by hand"))
        + "\n\n100 full-batch steps of SGD from the same data and weights, all in one call: for "
        "micrograd all of `fit` for a network of an architecture that was compiled before, its "
        "checks and history included. The aim is at most 2 times C, and 20,000 times as fast as "
        "micrograd 0.1.0.\n\n"
        + table(header, both(whole, whole_tanh, "C by hand"))
        + "\n\n"
        + table(["work", "measured", "aim"], others)
    )  # fmt: skip
    print(text)
    if not options.tiny:
        write_section("Compiled replay", text)


if __name__ == "__main__":
    main()
