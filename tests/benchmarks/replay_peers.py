"""One peer of the replay benchmark, in an environment of its own; `replay.py` starts it.

Reads one line of JSON with the data, prints loss and gradient, and then, for each line that comes,
the seconds of a call.
"""

import json
import sys
import time

import numpy as np


def jax_step(X, y, parameters, activation, loop=False):
    """JAX, jit: a step, or 100 steps of gradient descent in a fori_loop."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    X, y, held = jnp.asarray(X), jnp.asarray(y), jnp.asarray(parameters)
    active = jax.nn.relu if activation == "relu" else jnp.tanh

    def loss(p):
        first, second = p[:48].reshape(16, 3), p[48:320].reshape(16, 17)
        h = active(X @ first[:, :2].T + first[:, 2])
        h = active(h @ second[:, :16].T + second[:, 16])
        return jax.nn.relu(1 - y * (h @ p[320:336] + p[336])).mean()

    step = jax.jit(jax.value_and_grad(loss))
    value, gradient = step(held)
    if not loop:
        return lambda: step(held)[1].block_until_ready(), value, gradient

    @jax.jit
    def descend(p):
        return jax.lax.fori_loop(0, 100, lambda _, q: q - 0.05 * step(q)[1], p)

    return lambda: descend(held).block_until_ready(), value, gradient


def jax_loop(X, y, parameters, activation):
    """As `jax_step`, 100 steps in one call."""
    return jax_step(X, y, parameters, activation, loop=True)


def network(p, x, t, maximum, active):
    """Return the hinge loss of one sample, scalar by scalar."""
    h = [active(p[3 * j] * x[0] + p[3 * j + 1] * x[1] + p[3 * j + 2]) for j in range(16)]
    z = []
    for j in range(16):
        w = [p[48 + 17 * j + i] for i in range(17)]
        total = w[16]
        for i in range(16):
            total = total + w[i] * h[i]
        z.append(active(total))
    score = p[336]
    for j in range(16):
        score = score + p[320 + j] * z[j]
    return maximum(1.0 - t * score)


def ddx(X, y, parameters, activation):
    """ddx-ad: each sample's gradient by its kernel, the mean by NumPy."""
    import ddx as library

    def relu(s):
        return library.max(s, 0.0)

    active = relu if activation == "relu" else library.tanh

    @library.equation
    def model():
        p = [library.var(f"p{i}") for i in range(337)]
        x, t = [library.param("x0"), library.param("x1")], library.param("t")
        return network(p, x, t, relu, active)

    n = len(y)
    model.compile(points=n)
    points = np.concatenate([np.repeat(np.array(parameters)[:, None], n, 1), X.T, y[None]])
    call = model.buffer(points)

    def run():
        call()
        return call.value.mean(), call.jacobian.mean(axis=1)

    return run, *run()


def casadi(X, y, parameters, activation):
    """CasADi: the sample's function mapped over the batch, its gradient in its virtual machine."""
    import casadi as library

    active = (lambda s: library.fmax(s, 0)) if activation == "relu" else library.tanh
    p, x, t = (library.SX.sym(name, size) for name, size in (("p", 337), ("x", 2), ("t", 1)))
    loss = network(p, x, t, lambda s: library.fmax(s, 0), active)
    one = library.Function("one", [p, x, t], [loss, library.gradient(loss, p)])
    n = len(y)
    mapped = one.map(n)
    q = library.MX.sym("q", 337)
    values, slopes = mapped(library.repmat(q, 1, n), library.DM(X.T), library.DM(y).T)
    whole = library.Function("f", [q], [library.sum2(values) / n, library.sum2(slopes) / n])
    held = library.DM(parameters)
    value, gradient = whole(held)
    return lambda: whole(held), float(value), np.array(gradient)[:, 0]


def sklearn(X, y, parameters, activation):
    """scikit-learn's MLPClassifier: 100 full-batch steps of SGD, with the logistic loss it has."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")

    def run():
        MLPClassifier(
            (16, 16), activation=activation, solver="sgd", alpha=0, batch_size=len(y), momentum=0,
            learning_rate_init=0.05, max_iter=100, tol=0, n_iter_no_change=1_000, shuffle=False,
            random_state=0,
        ).fit(X, y)  # fmt: skip

    run()
    return run, None, None


def main():
    name, least = sys.argv[1], float(sys.argv[2])
    data = json.loads(sys.stdin.readline())
    X, y = np.array(data["X"]), np.array(data["y"])
    run, value, gradient = globals()[name](X, y, data["parameters"], data["activation"])
    slopes = None if gradient is None else np.asarray(gradient).tolist()
    print(json.dumps([None if value is None else float(value), slopes]), flush=True)
    for _ in sys.stdin:
        calls, seconds = 1, 0.0
        while True:
            start = time.perf_counter()
            for _ in range(calls):
                run()
            seconds = time.perf_counter() - start
            if seconds >= least:
                break
            calls = max(calls + 1, min(calls * 10, int(calls * least / max(seconds, 1e-9) * 1.2)))
        print(seconds / calls, flush=True)


if __name__ == "__main__":
    main()
