"""What tests of replay share: bits, the engine's own answers, a network with samples."""

from __future__ import annotations

import ctypes
import math
import random
import shutil
import subprocess
import sys

import pytest
from strategies import ROWS, row_id
from tables import each

import micrograd
from micrograd.engine import Value
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, AdamW, linear
from micrograd.train import fit

np = pytest.importorskip("numpy")

EPS = 2.0**-52
INF, NAN = math.inf, math.nan
every_row = each("op", ROWS, row_id)
every_small_row = each("op", [op for op in ROWS if op.arity <= 3], row_id)
every_backend = pytest.mark.parametrize("backend", ["python", "llvm"])
DERIVATIVE = 32 * EPS
"""A derivative's rule is a handful of operations, each within 4 ulp, whose terms may cancel: the
bound is counted from the largest of value, derivative and 1."""


def bits(numbers):
    """Return numbers as comparable text: exact, all nan alike, -0.0 as 0.0."""
    return [(float(x) + 0.0).hex() for x in np.ravel(np.asarray(numbers, dtype=float))]


def applied(op):
    return lambda *inputs: op(*inputs)


def eager(fn, inputs):
    """Return value and gradient of the engine itself."""
    leaves = [Value(float(x)) for x in inputs]
    out = fn(*leaves)
    if not isinstance(out, Value):
        return float(out), [0.0] * len(leaves)
    out.backward()
    return float(out.data), [float(leaf.grad) for leaf in leaves]


def as_function(root):
    """Return a function of the data of a graph's leaves that computes the graph again."""
    nodes = micrograd.graph.order(root)
    leaves = [node for node in nodes if not node.parents and node.op is None]

    def fn(*inputs):
        made = dict(zip(leaves, inputs, strict=True))
        for node in nodes:
            if node.parents:
                made[node] = node.op(*[made[parent] for parent in node.parents])
            elif node not in made:
                made[node] = node.data
        return made[root]

    return fn, [leaf.data for leaf in leaves]


def network(activation="relu", seed=3):
    rng = random.Random(seed)
    model = MLP(2, [5, 4, 1], activation=activation, rng=rng)
    return (
        model,
        lambda x, y: (
            micrograd.relu(1 - y * model(x))
            + 1e-3 * micrograd.sum([p * p for p in model.parameters()])
        ),
    )


SAMPLES = [[0.3, -1.2], [2.0, 0.1], [-0.7, 0.9], [1.5, 1.5], [-2.0, 0.4]]
TARGETS = [1.0, -1.0, 1.0, -1.0, -1.0]


def off(got, expected, scale=0.0):
    """Return how many ulp `got` is off, counted from `scale` if that is larger."""
    if got == expected or (got != got and expected != expected):
        return 0.0
    return abs(got - expected) / math.ulp(max(abs(expected), scale))


def cancelled(op, inputs):
    """Return the size of the terms of a row's derivative where they cancel; 0 elsewhere."""
    return 0.2 if op.name == "gelu" and abs(inputs[0] + 0.75) < 0.25 else 0.0


GCC = [
    "gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-ffp-contract=off",
]  # fmt: skip
needs_gcc = pytest.mark.skipif(
    shutil.which("gcc") is None or sys.platform != "linux", reason="needs gcc"
)


def run_c(text, name, inputs, parameters, gradients, folder):
    """Compile and call a C function; return its value and gradient."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("needs gcc")
    source, library = folder / f"{name}.c", folder / f"{name}.so"
    source.write_text(text, encoding="utf-8")
    subprocess.run(
        [*GCC, "-shared", "-fPIC"] + [str(source), "-o", str(library), "-lm"], check=True
    )
    double = ctypes.c_double
    value, gradient_ = (double * 1)(), (double * max(1, gradients))()
    getattr(ctypes.CDLL(str(library)), name)(
        (double * max(1, len(inputs)))(*inputs),
        (double * max(1, len(parameters)))(*parameters),
        value,
        gradient_,
    )
    return value[0], list(gradient_)[:gradients]


UPDATES = {
    "sgd": lambda p: SGD(p, 0.05),
    "momentum": lambda p: SGD(p, linear(0.05, 0.01, 60), momentum=0.9, weight_decay=1e-3),
    "nesterov": lambda p: SGD(p, 0.02, momentum=0.8, nesterov=True),
    "adam": lambda p: Adam(p, 0.01, weight_decay=0.01),
    "adamw": lambda p: AdamW(p, linear(0.01, 0.001, 90)),
    "sgd, half decayed": lambda p: SGD(p, 0.05, weight_decay=0.1, decayed=p[::2]),
    "nesterov, l1": lambda p: SGD(p, 0.05, 0.8, True, weight_decay=0.1, l1=0.05, decayed=p[::2]),
    "adam, l1": lambda p: Adam(p, 0.01, l1=0.05),
    "adamw, l1": lambda p: AdamW(p, 0.01, l1=0.5, decayed=p[1::2]),
    "adam, half decayed": lambda p: Adam(p, 0.01, weight_decay=0.1, decayed=p[::2]),
    "adamw, half decayed": lambda p: AdamW(p, 0.01, weight_decay=1.0, decayed=p[::2]),
}


def trained(rule, batch_size, steps=100, **options):
    """Return model, optimizer and history of a run on 60 samples."""
    rng = random.Random(4)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(60)]
    y = [int(a * b > 0) for a, b in X]
    model = MLP(2, [8, 1], rng=random.Random(5))
    optimizer = UPDATES[rule](model.parameters())
    options = {"seed": 7, "progress": False, "compile": True, **options}
    return model, optimizer, fit(model, X, y, "hinge", optimizer, steps, batch_size, **options)


def weights(model):
    return [parameter.data for parameter in model.parameters()]
