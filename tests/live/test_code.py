"""The Python that a page gives: it is run, and has the losses of the page."""

import math
import random

import pytest

pytest.importorskip("numpy")
pytest.importorskip("sklearn")

from trainer import in_node
from watched import HELD, X, model, y

from micrograd import watch
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam

_RAN = """
    return given.map(([task, parts]) => {
      const run = trainerOf(task);
      for (const part of parts) if (typeof part === "number") run.step(part); else run.change(part);
      return [codeOf(run), run.losses, run.held, run.stopped];
    });
"""


def radius(x):
    return (x[0] ** 2 + x[1] ** 2) ** 0.5


def cases():
    """Give of each case: the watch, what is done on the page, the names it uses, the tolerance."""
    net = model(4, 1)
    options = {"validation": HELD, "derived": {"r": radius, "twice": lambda x: 2 * x[0]}}
    own = watch(net, X, y, "hinge", SGD(net.parameters(), 0.1), **options)
    held = {"X": X, "y": y, "X_held": HELD[0], "y_held": HELD[1]}
    more = {"radius": radius, "derived": options["derived"]}
    yield own, [30], held, 0
    yield own, [{"batch": 7, "seed": 5, "layers": [3, 3], "l2": 0.01}, 20], held, 0
    yield own, [{"optimizer": "SGD, momentum 0.9"}, 10, {"lr": 0.05}, 10, {"lr": 0.02}, 5], held, 0
    yield own, [{"l1": 0.02, "l2": 0.1}, 20], held, 0
    yield own, [{"l1": 0.02, "optimizer": "AdamW"}, 20], held, 1e-9
    painted = [[0.25, -0.5, 1], [0.125, 0.75, 0, True], [-0.5, 0.5, 0]]
    yield own, [{"painted": painted, "features": ["x1x2", "x1", "x2²"]}, 20], held, 0
    yield own, [{"features": ["sin x1", "r", "twice"]}, 20], {**held, **more}, 1e-9
    yield (
        own,
        [{"loss": "cross_entropy", "activation": "tanh", "optimizer": "AdamW"}, 20],
        held,
        1e-9,
    )
    for name in ("moons", "circles", "xor", "spirals"):
        made = {"data": name, "n": 40, "noise": 0.25, "dataSeed": 7, "layers": [4]}
        yield own, [made, {"painted": painted, "loss": "mse", "batch": 100}, 10], {}, 0
    for name in ("plane", "gaussians"):
        made = {"data": name, "n": 40, "noise": 0.1, "dataSeed": 7, "held_out": 0.2, "layers": [4]}
        yield own, [{**made, "painted": painted, "batch": 10}, 10], {}, 0
        yield own, [made, {"data": "xor", "held_out": 0.7}, 10], {}, 0
    for name, n in (("iris", 150), ("breast_cancer", 100), ("digits", 90)):
        real = {"data": name, "n": n, "dataSeed": 3, "held_out": 0.3}
        loss = "hinge" if name == "breast_cancer" else "cross_entropy"
        yield own, [real, {"loss": loss, "layers": [4]}, 10], {}, 1e-9 if loss != "hinge" else 0
    chosen = {"features": ["petal length (cm)", "sin petal width (cm)"], "painted": painted}
    yield own, [{"data": "iris"}, chosen, 10], {}, 1e-9
    yield (
        own,
        [{"data": "blobs", "n": 30, "optimizer": "Adam", "features": ["x1", "sin x2"]}, 10],
        {},
        1e-9,
    )

    # Classes that are words.
    words = [("no", 'it\'s "ok"', "zero")[k] for k in y]
    three = [("no", 'it\'s "ok"', "zero")[i % 3] for i in range(30)]
    held = (HELD[0], [words[0], words[1], "no", words[0]])
    named = watch(model(4, 1), X, words, "bce", validation=held)
    names = {"X": X, "y": words, "X_held": held[0], "y_held": held[1]}
    yield named, [10], names, 1e-9
    yield named, [{"loss": "mse", "optimizer": "SGD", "painted": painted}, 10], names, 0
    many = watch(model(4, 3), X, three, "cross_entropy")
    assert many.classes == sorted(set(three))
    yield many, [{"held_out": 0.25, "dataSeed": 4}, 10], {"X": X, "y": three}, 1e-9
    yield many, [{"held_out": 0.5, "painted": painted}, 10], {"X": X, "y": three}, 1e-9
    yield many, [{"painted": painted, "features": ["x2"]}, 10], {"X": X, "y": three}, 1e-9

    # Parameters from nowhere, odd labels, an optimizer that decays some of them.
    net = MLP(2, [3, 2, 1], activation=["tanh", "relu", "linear"])
    for p in net.parameters():
        p.data = random.Random(p.data).uniform(-1, 1)
    labels = [3.5 if k else -2.0 for k in y]
    weights = [net.layers[0].neurons[0].w[0]]
    optimizer = Adam(net.parameters(), 0.05, (0.5, 0.9), 1e-6, 0.1, decayed=weights)
    odd = watch(net, X, labels, "mse", optimizer, batch_size=8, seed=2)
    names = {"X": X, "y": labels}
    yield odd, [10], names, 1e-9
    yield odd, [{"loss": "hinge", "painted": painted}, 10], names, 1e-9
    yield odd, [{"loss": "cross_entropy", "activation": "relu"}, 10], names, 1e-9

    net = MLP(1, [3, 1], init="he", rng=random.Random(42))
    line = watch(net, [[a] for a, _ in X], [a * b for a, b in X], "mse", SGD(net.parameters()))
    names = {"X": [[a] for a, _ in X], "y": [a * b for a, b in X]}
    yield line, [10], names, 0
    yield line, [{"painted": painted, "features": ["x1", "x1²"]}, 10], names, 0
    yield line, [{"held_out": 0.3, "painted": painted}, 10], names, 0
    apart = watch(line.model, names["X"], names["y"], "mse", line.optimizer, held_out=0.25)
    yield apart, [10], names, 0
    yield apart, [{"dataSeed": 2}, 10, {"lr": 0.2}, 5], names, 0
    yield apart, [{"held_out": 0}, 10], names, 0


@pytest.mark.slow
def test_the_lines_give_the_losses_of_the_page():
    table = list(cases())
    found = in_node(_RAN, [[view.task, parts] for view, parts, *_ in table])
    for (_, parts, names, tolerance), (code, losses, held, stopped) in zip(
        table, found, strict=True
    ):
        assert not stopped
        seen = dict(names)
        exec(code.replace("compile=False", "compile=False, progress=False"), seen)
        history = seen["history"]
        assert history.loss == pytest.approx(losses, rel=tolerance, abs=tolerance / 1e3), code
        assert history.validation_loss == pytest.approx(held, rel=tolerance or 1e-12), code
        assert len(losses) == sum(part for part in parts if type(part) is int)
        if not tolerance:
            assert history.loss == losses, code
    assert math.isfinite(losses[-1])
