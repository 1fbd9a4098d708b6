"""A GPT on scalars, trained on 1,000 names: compiled, eager, and as a script of 200 lines does it.

    python tests/benchmarks/gpt.py

runs `examples/microgpt.py` and writes the section "microgpt" of RESULTS.md. The peer is an engine
as Karpathy's microgpt (2026) has one: slots, tuples, local derivatives as numbers, one node for
each sum and product. All figures are processor time. It takes about half a minute. `--tiny` runs
everything once, small, and writes nothing.
"""

import argparse
import math
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
sys.path.insert(0, str(Path(__file__).parent))

import microgpt
import numpy as np
from results import machine, table, write_section

import micrograd
from micrograd import optim
from micrograd.course import first_names
from micrograd.replay import compile  # noqa: A004

STEPS = 1000


class Number:
    """The peer's number: a node that knows its children and its slopes in them."""

    __slots__ = ("children", "data", "grad", "slopes")

    def __init__(self, data, children=(), slopes=()):
        self.data, self.grad, self.children, self.slopes = data, 0.0, children, slopes

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, n):
        return Number(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __truediv__(self, other):
        return self * (other**-1)

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        out = math.exp(self.data)
        return Number(out, (self,), (out,))

    def log(self):
        return Number(math.log(self.data), (self,), (1 / self.data,))

    def relu(self):
        return Number(max(0, self.data), (self,), (float(self.data > 0),))

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for child, slope in zip(node.children, node.slopes, strict=True):
                child.grad += slope * node.grad


def _softmax(values):
    largest = max(v.data for v in values)
    powers = [(v - largest).exp() for v in values]
    total = sum(powers)
    return [power / total for power in powers]


def _logsumexp(values):
    largest = max(v.data for v in values)
    return sum((v - largest).exp() for v in values).log() + largest


PEER = SimpleNamespace(
    dot=lambda w, x: sum(a * b for a, b in zip(w, x, strict=True)),
    softmax=_softmax,
    relu=lambda x: x.relu(),
    sum=sum,
    logsumexp=_logsumexp,
    take=lambda values, index: values[index],
)


def measured(model, names, step):
    """Return the mean processor time of a step, and the losses."""
    seconds, losses = [], []
    for name in names:
        letters, weights = microgpt.sample_of(name)
        count = len(name) + 1
        start = time.process_time()
        loss = microgpt.loss_of(model, letters[: count + 1], weights[:count])
        loss.backward()
        step()
        seconds.append(time.process_time() - start)
        losses.append(loss.data)
    return statistics.mean(seconds), losses


def adam(parameters):
    """Return the peer's update: Adam, as microgpt writes it."""
    first, second, done = [0.0] * len(parameters), [0.0] * len(parameters), [0]

    def step():
        done[0] += 1
        rate = 0.01 * (1 - (done[0] - 1) / STEPS)
        for i, p in enumerate(parameters):
            first[i] = 0.85 * first[i] + 0.15 * p.grad
            second[i] = 0.99 * second[i] + 0.01 * p.grad**2
            m, v = first[i] / (1 - 0.85 ** done[0]), second[i] / (1 - 0.99 ** done[0])
            p.data -= rate * m / (v**0.5 + 1e-8)
            p.grad = 0

    return step


def peer():
    """Return the network with the peer's numbers."""
    model = microgpt.GPT(microgpt.random.Random(42))
    for owner, name in [(model, n) for n in vars(model)] + [
        (model.letters, "weight"), (model.places, "weight"),
    ]:  # fmt: skip
        if isinstance(getattr(owner, name), list):
            rows = [[Number(v.data) for v in row] for row in getattr(owner, name)]
            setattr(owner, name, rows)
    tables = [model.letters.weight, model.places.weight]
    tables += [t for t in vars(model).values() if isinstance(t, list)]
    return model, [v for rows in tables for row in rows for v in row]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true")
    tiny = parser.parse_args(arguments).tiny
    steps, few = (5, 1) if tiny else (STEPS, 12)
    names = first_names()
    letters, weights = (
        np.array(part) for part in zip(*map(microgpt.sample_of, names), strict=True)
    )

    start = time.process_time()
    model = microgpt.GPT(microgpt.random.Random(42))
    loss = compile(lambda letters, weights: microgpt.loss_of(model, letters, weights))
    optimizer = optim.Adam(model.parameters(), lr=0.01, betas=(0.85, 0.99))
    rate = {"lr": lambda step: 0.01 * (1 - step / STEPS)}
    loss.fit(letters, weights, optimizer=optimizer, steps=1, batch_size=1, seed=0, **rate)
    first = time.process_time() - start
    history = loss.fit(
        letters, weights, optimizer=optimizer, steps=steps, batch_size=1, seed=0, **rate
    )
    whole = time.process_time() - start

    some = names[:: len(names) // few][:few]

    def eager():
        model = microgpt.GPT(microgpt.random.Random(42))
        chosen = optim.Adam(model.parameters(), lr=rate["lr"], betas=(0.85, 0.99))

        def step():
            chosen.step()
            chosen.zero_grad()

        return measured(model, some, step)

    ours, losses = eager()
    microgpt.micrograd = PEER
    atomic, split = eager()
    other, parameters = peer()
    theirs, same = measured(other, some, adam(parameters))
    microgpt.micrograd = micrograd
    assert np.allclose([losses, split], same, rtol=1e-9), "the two engines disagree"

    rows = [
        ["micrograd, compiled", f"{whole:.1f} s", f"{theirs * STEPS / whole:.0f}"],
        ["micrograd, eager", f"{ours * STEPS:.0f} s", f"{theirs / ours:.1f}"],
        [
            "micrograd, eager, one node for each sum and product",
            f"{atomic * STEPS:.0f} s",
            f"{theirs / atomic:.1f}",
        ],
        [
            "the script's own numbers, one node for each sum and product",
            f"{theirs * STEPS:.0f} s",
            "1",
        ],
    ]
    text = (
        f"`python tests/benchmarks/gpt.py` on {machine()}.\n\n"
        f"`examples/microgpt.py`: 4,192 parameters, {STEPS:,} names, one a step, Adam; processor "
        f"time of the whole training. Of the compiled run {first:.1f} s are for tracing and "
        f"compiling; its loss went from {np.mean(history.loss[:20]):.2f} to "
        f"{np.mean(history.loss[-100:]):.2f}. The others ran {few} name(s), whose losses agree "
        f"to 1e-9, and are extrapolated.\n\n"
        + table(["engine", "1,000 names", "times as fast"], rows)
    )
    print(text)
    if not tiny:
        write_section("microgpt", text)


if __name__ == "__main__":
    main()
