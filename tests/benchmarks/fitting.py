"""What each option of `fit` costs, and the training of a compiled function in one call.

    python tests/benchmarks/fitting.py

measures processor time, with rounds in which every case runs once, and writes the section "Options
of fit" of RESULTS.md: medians of the ratios to the plain case of the same round. `--tiny` runs
everything once, small, and writes nothing.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from results import machine, table, write_section

import micrograd
from micrograd import datasets
from micrograd.nn import MLP, Module
from micrograd.optim import SGD, Adam, Clip
from micrograd.train import EarlyStop, fit


class Around(Module):
    """A model of one's own around a network."""

    def __init__(self, network):
        self.network = network

    def __call__(self, x):
        return self.network(x)


class Mine(SGD):
    """A subclass, of which nobody knows what it does."""


def own(scores, y):
    terms = [(1 + -target * score).relu() for score, target in zip(scores, y, strict=True)]
    return sum(terms) * (1.0 / len(terms))


def cases(data, folder):
    """Return what each case passes to `fit`, and the ratio that it is to reach."""
    held = {"validation": (data.X, data.y)}
    path = Path(folder, "run.json")
    return {
        "plain": ({}, 1.0),
        "own callable as learning rate": ({"rate": lambda step: 1.0 - 0.9 * step / 3_000}, 1.1),
        "progress callable": ({"progress": lambda *step: None}, 3.0),
        "validation each step": (held, 3.0),
        "validation every 10 steps": ({**held, "validate_every": 10}, 1.3),
        "restore best": ({"early_stop": EarlyStop(10**6, restore_best=True)}, 1.5),
        "frozen layer": ({"frozen": 48}, 1.1),
        "clipped by norm": ({"clip": 1.0}, None),
        "clipped by value": ({"clip": Clip(value=0.1)}, None),
        "checkpoint every 50 steps": ({"checkpoint": path, "checkpoint_every": 50}, 1.5),
        "own subclass of SGD": ({"kind": Mine}, None),
        "own Module around the network": ({"wrapped": True}, 1.2),
        "own loss": ({"loss": own}, 1.5),
    }


def run(data, steps, options):
    """Return the processor time of one `fit`."""
    options = dict(options)
    network = MLP(2, [16, 16, 1], rng=random.Random(0))
    model = Around(network) if options.pop("wrapped", False) else network
    parameters = network.parameters()[options.pop("frozen", 0) :]
    optimizer = options.pop("kind", SGD)(parameters, options.pop("rate", 0.3))
    loss = options.pop("loss", "hinge")
    y = [2 * label - 1 for label in data.y]
    start = time.process_time()
    fit(
        model, data.X, y, loss, optimizer, steps,
        **{"progress": False, "compile": True, **options},
    )  # fmt: skip
    return time.process_time() - start


def options_of_fit(steps, rounds):
    """Return for each case its ratio to the plain one."""
    data = datasets.load("moons")
    with tempfile.TemporaryDirectory() as folder:
        chosen = cases(data, folder)
        for options, _ in chosen.values():  # compiled before
            run(data, 5, options)
            run(data, 5, options)
        times = {name: [] for name in chosen}
        for _ in range(rounds):
            for name, (options, _) in chosen.items():
                times[name].append(run(data, steps, options))
    plain = times["plain"]
    return {
        name: (
            statistics.median(t / p for t, p in zip(mine, plain, strict=True)),
            statistics.median(mine) / steps,
            chosen[name][1],
        )
        for name, mine in times.items()
    }


def one_call(widths, inputs, batch, rounds, steps):
    """Return parameters, seconds of the kernel, and of a step of `fit` with Adam."""
    model = MLP(inputs, widths, rng=random.Random(0))

    def loss(x, y):
        scores = model(x)
        if widths[-1] == 1:
            return micrograd.softplus(-y * scores)
        return micrograd.logsumexp(scores) - micrograd.dot(y, scores)

    f = micrograd.compile(loss)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(batch, inputs))
    y = np.ones(batch) if widths[-1] == 1 else np.eye(widths[-1])[rng.integers(0, 10, batch)]
    kernel, step = [], []
    for _ in range(rounds + 1):
        f.value_and_grad(X, y)
        start = time.process_time()
        for _ in range(steps):
            f.value_and_grad(X, y)
        kernel.append((time.process_time() - start) / steps)
        optimizer = Adam(model.parameters(), 1e-3)
        start = time.process_time()
        f.fit(X, y, optimizer=optimizer, steps=steps)
        step.append((time.process_time() - start) / steps)
    pairs = list(zip(step, kernel, strict=True))[1:]
    ratio = statistics.median(s / k for s, k in pairs)
    return len(model.parameters()), statistics.median(kernel[1:]), ratio


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="once, small, nothing is written")
    tiny = parser.parse_args(arguments).tiny
    rounds, lengths = (1, [3]) if tiny else (7, [300, 3_000])
    found = [options_of_fit(steps, rounds) for steps in lengths]
    rows = [
        [
            name,
            *[f"{each[name][0]:.2f}" for each in found],
            f"{found[-1][name][1] * 1e6:.1f} µs",
            "" if aim is None else f"{aim:g}",
        ]
        for name, (_, _, aim) in found[0].items()
    ]
    ours = table(["case", *[f"× plain, {n:,} steps" for n in lengths], "a step", "aim"], rows)
    sizes = (
        [([2, 1], 2, 4)] if tiny else [([16, 16, 1], 2, 100), ([64, 1], 61, 1), ([64, 10], 784, 32)]
    )
    calls = []
    for widths, inputs, batch in sizes:
        count, kernel, ratio = one_call(widths, inputs, batch, rounds, 3 if tiny else 1_000)
        calls.append([f"{count:,}", str(batch), f"{kernel * 1e6:.0f} µs", f"{ratio:.2f}"])
    loops = table(["parameters", "batch", "loss and gradient", "a step of `f.fit`, × that"], calls)
    text = (
        f"`python tests/benchmarks/fitting.py` on {machine()}. Processor time, medians of {rounds} "
        "rounds; each ratio is to the plain case of its round.\n\nFull-batch steps of "
        "`MLP(2, [16, 16, 1])` on 100 samples of moons, hinge loss, SGD, compiled before. Each "
        "`fit` has a new model; one whose model or loss is of one's own is not traced again.\n\n"
        f"{ours}\n\nA compiled loss trained with Adam by 1,000 steps of one `f.fit`, beside its "
        f"loss and gradient alone (the aim is at most 1.3).\n\n{loops}"
    )
    print(text)
    if not tiny:
        write_section("Options of fit", text)


if __name__ == "__main__":
    main()
