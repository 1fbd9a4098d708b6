"""JAX and PyTorch beside `kernel.py`, which starts this, in an interpreter that may have them.

It takes the engine's name and whether everything is to be small, and prints one line of JSON: why
there is no such engine, or the value and gradient of each case. Then it prints, for each name of a
case that comes, the seconds of processor time of a call. Both engines have one thread, and 64-bit
numbers.
"""

import json
import math
import os
import sys
import time
from types import SimpleNamespace

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402 (after the environment of its threads)

GPT = [(27, 16), (16, 16), *[(16, 16)] * 4, (64, 16), (16, 64), (27, 16)]
RATE = 0.1


def sizes(tiny):
    """Return inputs, neurons and classes; those of the epoch; its samples and its batch."""
    return ((8, 4, 3), (8, 4, 3), 20, 10) if tiny else ((784, 64, 10), (784, 128, 10), 10_000, 100)


def samples(inputs, classes, n):
    """Return samples and their classes."""
    rng = np.random.default_rng(0)
    return rng.uniform(0, 1, (n, inputs)), rng.integers(0, classes, n)


def names(places, n):
    """Return names as letters, and the weight of each place."""
    letters = np.random.default_rng(1).integers(0, 27, (n, places + 1))
    return letters, np.full((n, places), 1 / places)


def lines(shape):
    """Return a matrix of parameters, small enough for a loss of ordinary size."""
    rng = np.random.default_rng(math.prod(shape))
    return rng.normal(0, 0.2 / math.sqrt(shape[-1]), shape)


def network(e, p, x, y):
    """Return the mean cross-entropy of a network with one hidden layer."""
    (w, b), (v, c) = p[:2], p[2:]
    z = e.relu(x @ w.T + b) @ v.T + c
    return (e.logsumexp(z) - (y * z).sum(-1)).mean()


def gpt(e, p, letters, weights):
    """Return the mean loss of names, as `examples/microgpt.py` defines it."""
    letter, place, query, key, value, mixed, hidden, back, scores = p
    n = letters.shape[1] - 1

    def normalised(x):
        return x * ((x * x).mean(-1)[..., None] + 1e-5) ** -0.5

    x = normalised(letter[letters[:, :-1]] + place[:n])
    now = normalised(x)
    q, k, v = ((now @ w.T).reshape(-1, n, 4, 4) for w in (query, key, value))
    fits = e.einsum("bihd,bjhd->bhij", q, k) / 2
    shares = e.softmax(e.where(e.asarray(np.tri(n) > 0), fits, -math.inf))
    x = x + e.einsum("bhij,bjhd->bihd", shares, v).reshape(-1, n, 16) @ mixed.T
    x = x + e.relu(normalised(x) @ hidden.T) @ back.T
    z = x @ scores.T
    right = (z * e.asarray(np.eye(27))[letters[:, 1:]]).sum(-1)
    return (weights * (e.logsumexp(z) - right)).sum(-1).mean()


def jax():
    """Return JAX: its functions, how a gradient is taken, and a step of SGD."""
    import jax as library
    import jax.numpy as jnp

    library.config.update("jax_enable_x64", True)
    functions = SimpleNamespace(
        relu=library.nn.relu, softmax=library.nn.softmax, einsum=jnp.einsum, where=jnp.where,
        logsumexp=lambda z: library.nn.logsumexp(z, axis=-1), asarray=jnp.asarray,
    )  # fmt: skip

    def gradient(loss, p, *given):
        run = library.jit(library.value_and_grad(lambda p, *given: loss(functions, p, *given)))
        p, given = tuple(map(jnp.asarray, p)), tuple(map(jnp.asarray, given))
        return lambda: library.block_until_ready(run(p, *given))

    def epoch(p, x, y, batch):
        @library.jit
        def step(p, x, y):
            slopes = library.grad(lambda p: network(functions, p, x, y))(p)
            return tuple(w - RATE * g for w, g in zip(p, slopes, strict=True))

        def run():
            now = tuple(map(jnp.asarray, p))
            order = np.random.default_rng(2).permutation(len(x))
            for some in order.reshape(-1, batch):
                now = step(now, x[some], y[some])
            library.block_until_ready(now)

        return run

    return gradient, epoch


def torch():
    """Return PyTorch, likewise."""
    import torch as library

    library.set_num_threads(1)
    functions = SimpleNamespace(
        relu=library.relu, softmax=lambda z: library.softmax(z, -1), einsum=library.einsum,
        where=library.where, logsumexp=lambda z: library.logsumexp(z, -1),
        asarray=library.as_tensor,
    )  # fmt: skip

    def gradient(loss, p, *given):
        p = [library.tensor(w, requires_grad=True) for w in p]
        given = list(map(library.as_tensor, given))

        def run():
            for w in p:
                w.grad = None
            value = loss(functions, p, *given)
            value.backward()
            return value.detach(), [w.grad for w in p]

        return run

    def epoch(p, x, y, batch):
        x, y = library.as_tensor(x), library.as_tensor(y)

        def run():
            now = [library.tensor(w, requires_grad=True) for w in p]
            optimizer = library.optim.SGD(now, RATE)
            for some in library.randperm(len(x)).split(batch):
                optimizer.zero_grad()
                network(functions, now, x[some], y[some]).backward()
                optimizer.step()

        return run

    return gradient, epoch


def cases(gradient, epoch, tiny):
    """Return name -> call."""
    found = {}
    (inputs, _, classes), wide, count, batch = sizes(tiny)

    def held(inputs, neurons, classes):
        return [lines(s) for s in ((neurons, inputs), (neurons,), (classes, neurons), (classes,))]

    for n in (1, 64):
        x, y = samples(inputs, classes, n)
        found[f"MLP {n}"] = gradient(network, held(*sizes(tiny)[0]), x, np.eye(classes)[y])
        for places in (2,) if tiny else (7, 15):
            found[f"microgpt {places} {n}"] = gradient(gpt, [*map(lines, GPT)], *names(places, n))
    x, y = samples(wide[0], wide[2], count)
    found["epoch"] = epoch(held(*wide), x, np.eye(wide[2])[y], batch)
    return found


def seconds(call, least):
    """Return the processor time of a call, of as many as take `least` seconds."""
    calls = 0
    start = time.process_time()
    while calls == 0 or time.process_time() - start < least:
        call()
        calls += 1
    return (time.process_time() - start) / calls


def main():
    name, tiny = sys.argv[1], sys.argv[2] == "tiny"
    try:
        found = cases(*globals()[name](), tiny)
    except ImportError:
        print(json.dumps("not installed"), flush=True)
        return
    first = {}
    for case, call in found.items():
        result = call()
        if result is not None:
            flat = np.concatenate([np.asarray(slope).ravel() for slope in result[1]])
            first[case] = [float(result[0]), flat.tolist()]
    print(json.dumps(first), flush=True)
    for line in sys.stdin:
        print(seconds(found[line.strip()], 0.0 if tiny else 0.01), flush=True)


if __name__ == "__main__":
    main()
