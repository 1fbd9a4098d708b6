"""Random runs of `fit`, and a training loop written out with the engine alone."""

import math
import random

from micrograd.nn import MLP, Module
from micrograd.optim import SGD, Adam, AdamW, Clip, linear
from micrograd.train import EarlyStop, fit
from tests.support.training import curves


def own_hinge(scores, targets):
    """The loss of the well-known moons demo, as it is written there."""
    terms = [(1 + -y * score).relu() for score, y in zip(scores, targets, strict=True)]
    return sum(terms) * (1.0 / len(terms))


class Mine(SGD):
    """A subclass, of which nobody knows what it does."""


class Around(Module):
    """A model of one's own around a network."""

    def __init__(self, network):
        self.network = network

    def __call__(self, x):
        return self.network([2 * x[0], x[1] - x[0]])


def plain_loop(loss, parameters, samples, optimizer, steps, *, size=None, seed=None, limit=None):
    """Train with the engine; return the loss of each step.

    `loss` takes a sample and returns a Value; `limit` is a pair ("norm" or "value", number).
    """
    shuffling, order, taken, found = random.Random(seed), [], 0, []
    for _ in range(steps):
        batch = range(len(samples))
        if size is not None:
            if taken >= len(order):
                order, taken = list(range(len(samples))), 0
                shuffling.shuffle(order)
            batch = order[taken : taken + size]
            taken += size
        for p in parameters:
            p.grad = 0
        optimizer.zero_grad()
        mean = sum(loss(*samples[i]) for i in batch) / len(batch)
        mean.backward()
        found.append(mean.data)
        if limit is not None:
            kind, most = limit
            norm = math.sqrt(math.fsum(p.grad**2 for p in optimizer.params))
            for p in optimizer.params:
                if kind == "norm":
                    p.grad *= min(1.0, most / norm) if norm else 1.0
                else:
                    p.grad = math.copysign(min(abs(p.grad), most), p.grad)
        optimizer.step()
    return found


def random_run(seed, how):
    """Return all that a random run leaves behind, eager or compiled as `how` says."""
    draw = random.Random(seed)
    pick = draw.choice
    loss = pick(["hinge", "mse", "bce", "cross_entropy", own_hinge])
    classes = 3 if loss == "cross_entropy" else 2
    X = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(20)]
    y = [draw.randrange(classes) for _ in X]
    if loss is own_hinge:
        y = [2 * label - 1 for label in y]
    outputs = classes if classes > 2 else 1
    activation = pick(["relu", "tanh", "sigmoid"])
    network = MLP(2, [4, outputs], activation=activation, rng=random.Random(draw.random()))
    for p in network.parameters():  # with a bias of 0 rounding may choose the class of a sample
        p.data = p.data or draw.gauss(0, 0.1)
    model = Around(network) if pick([False, False, True]) else network
    chosen = pick([network.parameters(), network.layers[-1].parameters()])
    rate = pick([0.05, linear(0.05, 0.01, 20), lambda k: 0.05 / (1 + k)])
    decay = {"weight_decay": pick([0.0, 0.01]), "decayed": chosen[::2]}
    decay["l1"] = draw.choice([0.0, 0.0, 0.02])
    momentum = pick([0.0, 0.9])
    nesterov = bool(momentum) and pick([True, False])
    optimizer = pick([
        lambda: SGD(chosen, rate, momentum, nesterov, **decay),
        lambda: Mine(chosen, rate, momentum),
        # With the usual `eps`, a derivative of 1e-17 instead of 0 makes a step of full length.
        lambda: Adam(chosen, rate, eps=0.01, **decay),
        lambda: AdamW(chosen, rate, eps=0.01, **decay),
    ])()  # fmt: skip
    seen = []
    options = {
        "batch_size": pick([None, 6, 20]),
        "clip": pick([None, None, 0.1, Clip(value=0.02)]),
        "validation": pick([None, (X[:7], y[:7])]),
        "validate_every": pick([1, 4]),
        "early_stop": pick([
            None, None, 2, EarlyStop(3, 0.001, restore_best=True), EarlyStop(2, every=3),
            EarlyStop(40, restore_best=True, every=2),
        ]),
        "progress": pick([False, False, lambda *step: seen.append(step)]),
    }  # fmt: skip
    if loss is not own_hinge and pick([False, True]):
        options["sample_weight"] = [draw.random() for _ in X]
    history = fit(
        model, X, y, loss, optimizer, draw.randint(0, 30), seed=draw.randint(0, 9), compile=how,
        **options,
    )  # fmt: skip
    return {
        "numbers": [p.data for p in network.parameters()],
        "gradients": [p.grad for p in network.parameters()],
        "history": curves(history),
        "seen": seen,
        "optimizer": {**optimizer.state_dict(), "lr": None},
    }
