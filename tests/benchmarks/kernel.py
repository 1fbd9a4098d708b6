"""What a gradient costs besides what the machine can do: one sample, batches, and the limit in C.

    python tests/benchmarks/kernel.py

measures processor time in alternating rounds, the least of each, and writes the section "Gradient
kernels" of RESULTS.md. The limit is `replay_mlp_blocked.c`, which is compiled as `replay_mlp.c` is.
JAX and PyTorch are those of this interpreter, or of the one that `--peers` names. It takes two
minutes. `--tiny` runs everything once, small, and writes nothing.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
sys.path.insert(0, str(Path(__file__).parent))

import kernel_peers
import microgpt
import numpy as np
from replay import by_hand_c, moons, short
from results import machine, table, write_section

import micrograd
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.replay import kernels
from micrograd.replay.llvm.processor import host
from micrograd.train import fit


def alternating(runs, tiny):
    """Return name -> least seconds of processor time a call, the runs taken in turns."""
    calls, least = {}, dict.fromkeys(runs, math.inf)
    for name, run in runs.items():
        start = time.process_time()
        run()
        calls[name] = 1 if tiny else max(1, int(0.01 / max(time.process_time() - start, 1e-6)))
    for _ in range(1 if tiny else 15):
        for name, run in runs.items():
            start = time.process_time()
            for _ in range(calls[name]):
                run()
            least[name] = min(least[name], (time.process_time() - start) / calls[name])
    return least


def against_c(folder, tiny):
    """Return rows of the moons gradient: ours, C by hand, and C in blocks."""
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    parameters = np.array([p.data for p in model.parameters()])
    compiled = micrograd.compile(lambda x, t: micrograd.relu(1 - t * model(x)), "llvm")
    functions = {
        name: by_hand_c("relu", folder, name) for name in ("replay_mlp", "replay_mlp_blocked")
    }
    rows = []
    for n, aim in ((16, 1.6),) if tiny else ((100, 1.6), (1_000, 1.5), (10_000, 1.5)):
        X, y = moons(n)
        out = np.empty_like(parameters)
        compiled.machine(X, y)  # compiled now, not when that has paid
        compiled.value_and_grad(X, y)
        loss, gradient = compiled.value_and_grad(X, y)
        runs = {"ours": lambda X=X, y=y: compiled.value_and_grad(X, y)}
        for name, function in functions.items():
            if function is None:
                continue
            given = (X.ctypes.data, y.ctypes.data, n, parameters.ctypes.data, out.ctypes.data)
            assert abs(function(*given) - loss) < 1e-12
            assert np.allclose(out, gradient, rtol=1e-10, atol=1e-12)
            runs[name] = lambda function=function, given=given: function(*given)
        times = alternating(runs, tiny)
        cells = [f"{n:,}", *(short(times[name]) if name in times else "" for name in
                 ("ours", *functions))]  # fmt: skip
        limit = times.get("replay_mlp_blocked", math.nan)
        rows.append([*cells, f"{times['ours'] / limit:.2f}", str(aim)])
    return rows


def programs(tiny):
    """Yield name, function, samples for the gradients of single samples and batches."""
    rng = np.random.default_rng(0)
    for n in (2,) if tiny else (7, 15):
        model = microgpt.GPT(random.Random(42))

        def name_loss(letters, weights, model=model):
            return microgpt.loss_of(model, letters, weights)

        letters = rng.integers(0, 27, (1025, n + 1)).astype(float)
        yield f"microgpt, names of {n} places", name_loss, (letters, np.full((1025, n), 1 / n))
    network = MLP(*((8, [4, 3]) if tiny else (784, [64, 10])), rng=random.Random(1))
    width, classes = (8, 3) if tiny else (784, 10)

    def cross_entropy(x, t):
        z = network(x)
        return micrograd.logsumexp(z) - micrograd.dot(t, z)

    samples = (rng.uniform(0, 1, (1025, width)), np.eye(classes)[rng.integers(0, classes, 1025)])
    yield "`MLP(784,[64,10])`, cross-entropy", cross_entropy, samples


def run(compiled, samples, n, given):
    """Return a call for the gradient of the first `n` samples."""
    batch = [column[:n] for column in samples]
    return lambda: compiled.value_and_grad(*batch, parameters=given)


def of_one(tiny):
    """Return rows of the gradient of one sample and, per sample, of batches."""
    rows = []
    for name, function, samples in programs(tiny):
        for way, price in (("interpreted", math.inf), ("compiled", 0.0)):
            # What compiling a step costs: never too little, or nothing.
            with mock.patch.object(kernels, "_COMPILING", price):
                compiled = micrograd.compile(function, "llvm")
                start = time.process_time()
                run(compiled, samples, 1, None)()
                first = time.process_time() - start
                held = np.array([p.data for p in compiled.parameters])
                for n in (1, 2, 1, 2):  # what is called for the second time is called directly
                    run(compiled, samples, n, None)()
                for how, given in (("of the Values", None), ("an array", held)):
                    runs = {n: run(compiled, samples, n, given) for n in (1, 64, 1024, 1025)}
                    each = {n: seconds / n for n, seconds in alternating(runs, tiny).items()}
                    ratio = f"{each[1] / each[64]:.1f}"
                    title = f"{name}, {way}, parameters {how}"
                    rows.append([title, *map(short, each.values()), ratio, short(first)])
    return rows


class Peer:
    """JAX or PyTorch, in a process of its own; without `first` it is not installed."""

    def __init__(self, name, python, tiny):
        variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        program = Path(__file__).with_name("kernel_peers.py")
        self._process = subprocess.Popen(
            [python, program, name, "tiny" if tiny else "whole"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables,
        )  # fmt: skip
        first = json.loads(self._process.stdout.readline() or '"not installed"')
        self.first = first if isinstance(first, dict) else None

    def seconds(self, case):
        print(case, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self):
        self._process.communicate()


def layered(model, matrices):
    """Give a network the numbers of matrices and biases; return a peer's gradient in its order."""

    def flat(numbers):
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return np.concatenate([np.column_stack(pair).ravel() for pair in pairs])

    for parameter, number in zip(model.parameters(), flat(matrices).tolist(), strict=True):
        parameter.data = number
    shapes = [m.shape for m in matrices]
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]

    def ours(gradient):
        parts = np.split(np.array(gradient), ends)
        return flat([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])

    return ours


def cases(tiny):
    """Yield title, name of a case, and its call; and how a peer's gradient becomes ours."""
    (inputs, neurons, classes), wide, count, batch = kernel_peers.sizes(tiny)

    def matrices(inputs, neurons, classes):
        shapes = (neurons, inputs), (neurons,), (classes, neurons), (classes,)
        return list(map(kernel_peers.lines, shapes))

    network = MLP(inputs, [neurons, classes])
    ours = layered(network, matrices(inputs, neurons, classes))

    def cross_entropy(x, t):
        z = network(x)
        return micrograd.logsumexp(z) - micrograd.dot(t, z)

    def call(function, n, *samples):
        with mock.patch.object(kernels, "_COMPILING", 0.0):
            compiled = micrograd.compile(function, "llvm")
            for _ in range(3):
                compiled.value_and_grad(*samples)
        held = np.array([p.data for p in compiled.parameters])
        return lambda: compiled.value_and_grad(*samples, parameters=held)

    title = f"`MLP({inputs}, [{neurons}, {classes}])`"
    for n in (1, 64):
        x, y = kernel_peers.samples(inputs, classes, n)
        yield title, f"MLP {n}", call(cross_entropy, n, x, np.eye(classes)[y]), ours
    model = microgpt.GPT(random.Random(42))
    flat = np.concatenate([kernel_peers.lines(shape).ravel() for shape in kernel_peers.GPT])
    for parameter, number in zip(model.parameters(), flat.tolist(), strict=True):
        parameter.data = number
    for places in (2,) if tiny else (7, 15):
        for n in (1, 64):

            def name_loss(letters, weights):
                return microgpt.loss_of(model, letters, weights)

            letters, weights = kernel_peers.names(places, n)
            run = call(name_loss, n, letters.astype(float), weights)
            yield f"microgpt, names of {places} places", f"microgpt {places} {n}", run, np.array
    larger = MLP(wide[0], [wide[1], wide[2]])
    layered(larger, matrices(*wide))
    x, y = kernel_peers.samples(wide[0], wide[2], count)

    def epoch():
        optimizer = SGD(larger.parameters(), kernel_peers.RATE)
        steps = count // batch
        fit(larger, x, y, "cross_entropy", optimizer, steps, batch, 1, progress=False)

    epoch()
    yield f"`fit` of `MLP({wide[0]}, [{wide[1]}, {wide[2]}])`", "epoch", epoch, None


def beside(python, tiny):
    """Return rows of the same work here, in JAX and in PyTorch."""
    peers = {name: Peer(name, python, tiny) for name in ("jax", "torch")}
    there = {name: peer for name, peer in peers.items() if peer.first is not None}
    rows = []
    for title, case, run, ours in cases(tiny):
        if ours is not None:
            value, gradient = run()
            for name, peer in there.items():
                assert abs(peer.first[case][0] - value) < 1e-9, (name, case)
                theirs = ours(peer.first[case][1])
                assert np.allclose(theirs, gradient, rtol=1e-7, atol=1e-9), (name, case)
        least = dict.fromkeys(("ours", *there), math.inf)
        for _ in range(1 if tiny else 3 if case == "epoch" else 15):
            mine = kernel_peers.seconds(run, 0.0 if tiny else 0.01)
            least["ours"] = min(least["ours"], mine)
            for name, peer in there.items():
                least[name] = min(least[name], peer.seconds(case))
        what = "an epoch" if case == "epoch" else case.rpartition(" ")[2]
        times = [short(least[name]) if name in there else "not installed" for name in peers]
        ratios = [f"{least[name] / least['ours']:.1f}" if name in there else "" for name in peers]
        rows.append([title, what, short(least["ours"]), *times, *ratios])
    for peer in peers.values():
        peer.close()
    return rows


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--peers", default=sys.executable, help="an interpreter with JAX, PyTorch")
    options = parser.parse_args(arguments)
    tiny = options.tiny
    others = table(
        ["work", "samples", "micrograd", "JAX, jit", "PyTorch", "JAX / ours", "PyTorch / ours"],
        beside(options.peers, tiny),
    )
    with tempfile.TemporaryDirectory() as folder:
        limit = table(
            ["samples", "micrograd", "C by hand", "C in blocks", "of the limit", "aim"],
            against_c(folder, tiny),
        )
    singles = table(
        ["program", "1 sample", "of 64", "of 1,024", "of 1,025", "1 / 64", "first call"],
        of_one(tiny),
    )
    text = f"""\
`python tests/benchmarks/kernel.py` on {machine()} ({host().name}). Processor time of one
thread, the least of 15 alternating rounds.

The gradient of `MLP(2, [16, 16, 1])`, hinge loss, against C by hand and against the limit, C that
is blocked over samples and neurons:

{limit}

The gradient of a batch, per sample. The aim is one sample in at most twice the time that each of 64
takes, at most 10 µs for each of 64 names of 7 places, and no jump at 1,025:

{singles}

A call with the parameters as an array, compiled, beside JAX and PyTorch on one thread, all with
64-bit numbers and the same results; the epoch is 10,000 samples in batches of 100, with SGD. The
load was {os.getloadavg()[0]:.1f} when this was measured (1 is this program alone).

{others}
"""
    print(text)
    if not tiny:
        write_section("Gradient kernels", text)


if __name__ == "__main__":
    main()
