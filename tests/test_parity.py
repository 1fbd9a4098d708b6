"""The same computations as PyTorch, in float64: graphs, losses, optimizers, a training run."""

import math
import random

import pytest

import micrograd
from micrograd import Value
from micrograd.losses import binary_cross_entropy_with_logits, cross_entropy, hinge, mse
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, AdamW, cosine, exponential, step_decay

pytestmark = pytest.mark.parity

RELATIVE = 1e-12


@pytest.fixture(autouse=True)
def pytorch():
    """Skip where PyTorch is not installed; .ci/run installs it and accepts no skip."""
    pytest.importorskip("torch")


def tensor(data, grad=True):
    import torch

    return torch.tensor(data, dtype=torch.float64, requires_grad=grad)


def assert_close(ours, theirs, scale=0.0):
    """Compare two lists of numbers; `scale` is the size of the terms that were added up."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, rel=RELATIVE, abs=RELATIVE * scale)


# ---- random graphs -----------------------------------------------------------------------------


def operations():
    """Return {name: (ours, PyTorch's, where it may be used)}, for one, two and more operands."""
    import torch
    from torch.nn import functional

    def always(*xs):
        return True

    def positive(x):
        return x > 0.05

    def inside(x):
        return abs(x) < 0.95

    def apart(x, y):
        return abs(x - y) > 1e-3

    one = {
        name: (getattr(micrograd, name), getattr(torch, name), where)
        for name, where in (
            ("exp", lambda x: x < 5),
            ("expm1", lambda x: x < 5),
            ("log", positive),
            ("log1p", lambda x: x > -0.9),
            ("log2", positive),
            ("log10", positive),
            ("sqrt", positive),
            ("sin", always),
            ("cos", always),
            ("tan", lambda x: abs(math.cos(x)) > 0.2),
            ("arcsin", inside),
            ("arccos", inside),
            ("arctan", always),
            ("sinh", lambda x: abs(x) < 5),
            ("cosh", lambda x: abs(x) < 5),
            ("tanh", lambda x: abs(x) < 5),  # 1 - tanh(x)**2 loses digits beyond, in both
            ("arcsinh", always),
            ("arccosh", lambda x: x > 1.1),
            ("arctanh", inside),
            ("erf", lambda x: abs(x) < 3),
            ("erfc", lambda x: abs(x) < 3),
            ("sigmoid", lambda x: abs(x) < 10),
            ("relu", lambda x: x != 0),
            ("abs", lambda x: x != 0),
        )
    }
    one |= {
        "neg": (lambda x: -x, torch.neg, always),
        "square": (lambda x: x**2, torch.square, always),
        "cube": (lambda x: x**3, lambda x: x**3, lambda x: abs(x) < 20),
        "power": (lambda x: x**-1.5, lambda x: x**-1.5, lambda x: x > 0.2),
        "base_power": (lambda x: 2**x, lambda x: 2**x, lambda x: abs(x) < 6),
        "reciprocal": (lambda x: 1 / x, torch.reciprocal, lambda x: abs(x) > 0.1),
        "minus_from": (lambda x: 3 - x, lambda x: 3 - x, always),
        "cbrt": (micrograd.cbrt, lambda x: x ** (1 / 3), positive),
        # Its own threshold makes PyTorch's softplus a straight line from 20 on.
        "softplus": (
            micrograd.softplus,
            lambda x: functional.softplus(x, threshold=1e9),
            lambda x: abs(x) < 20,
        ),
        "leaky_relu": (micrograd.leaky_relu, functional.leaky_relu, lambda x: x != 0),
        "elu": (micrograd.elu, functional.elu, lambda x: x != 0),
        "gelu": (micrograd.gelu, functional.gelu, lambda x: abs(x) < 4),
        "silu": (micrograd.silu, functional.silu, lambda x: abs(x) < 10),
    }
    two = {
        "add": (lambda x, y: x + y, torch.add, always),
        "sub": (lambda x, y: x - y, torch.sub, always),
        "mul": (lambda x, y: x * y, torch.mul, always),
        "div": (lambda x, y: x / y, torch.div, lambda x, y: abs(y) > 0.1),
        "pow": (lambda x, y: x**y, torch.pow, lambda x, y: 0.2 < x < 5 and abs(y) < 4),
        "maximum": (micrograd.maximum, torch.maximum, apart),
        "minimum": (micrograd.minimum, torch.minimum, apart),
        "hypot": (micrograd.hypot, torch.hypot, lambda x, y: abs(x) + abs(y) > 0.1),
        "arctan2": (micrograd.arctan2, torch.arctan2, lambda x, y: abs(x) + abs(y) > 0.1),
    }
    many = {
        "sum": (micrograd.sum, lambda xs: torch.stack(xs).sum(), always),
        "dot": (
            lambda xs: micrograd.dot(xs[:2], xs[2:4], xs[4]),
            lambda xs: xs[0] * xs[2] + xs[1] * xs[3] + xs[4],
            always,
        ),
        "logsumexp": (micrograd.logsumexp, lambda xs: torch.logsumexp(torch.stack(xs), 0), always),
        "softmax": (
            lambda xs: micrograd.softmax(xs)[1],
            lambda xs: torch.softmax(torch.stack(xs), 0)[1],
            always,
        ),
        "where": (
            lambda xs: micrograd.where(micrograd.greater(xs[0], 0), xs[1], xs[2]),
            lambda xs: torch.where(xs[0] > 0, xs[1], xs[2]),
            always,
        ),
    }
    return one, two, many


def graph(draw, size):
    """Build one random graph in both, of shared nodes; return its leaves and its output."""
    one, two, many = operations()
    names = [*((n, 1) for n in one), *((n, 2) for n in two), *((n, 5) for n in many)]
    numbers = [draw.uniform(-3, 3) for _ in range(6)]
    leaves = [Value(n) for n in numbers]
    mirrors = [tensor(n) for n in numbers]
    ours, theirs = list(leaves), list(mirrors)
    used = []
    while len(ours) < size:
        name, count = draw.choice(names)
        picks = [draw.randrange(len(ours)) for _ in range(count)]
        xs, ts = [ours[i] for i in picks], [theirs[i] for i in picks]
        data = [x.data for x in xs]
        rule = {1: one, 2: two, 5: many}[count][name]
        if not rule[2](*data):
            continue
        result = rule[0](xs) if count == 5 else rule[0](*xs)
        if abs(result.data) > 30:  # keeps sizes comparable, so that a slope of 0 must show
            continue
        ours.append(result)
        theirs.append(rule[1](ts) if count == 5 else rule[1](*ts))
        used.append(name)
    weights = [draw.uniform(0.5, 1.5) for _ in ours]
    out = micrograd.dot(weights, ours)
    mirror = sum(w * t for w, t in zip(weights, theirs, strict=True))
    return leaves, mirrors, out, mirror, used


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_have_pytorchs_values_and_gradients(seed):
    leaves, mirrors, out, mirror, _ = graph(random.Random(seed), 40)
    out.backward()
    mirror.backward()
    assert_close([out.data], [mirror.item()], scale=10.0)
    grads = [m.grad.item() for m in mirrors]
    assert_close([x.grad for x in leaves], grads, scale=max(map(abs, grads)))


def test_the_random_graphs_use_every_operation():
    one, two, many = operations()
    used = {name for seed in range(40) for name in graph(random.Random(seed), 40)[4]}
    assert used == {*one, *two, *many}


@pytest.mark.parametrize("seed", range(10))
def test_second_derivatives_of_random_graphs_are_pytorchs(seed):
    import torch

    leaves, mirrors, out, mirror, _ = graph(random.Random(1000 + seed), 16)
    slopes = micrograd.gradient(out, leaves, create_graph=True)
    total = micrograd.sum([slope * (i + 1) for i, slope in enumerate(slopes)])
    ours = micrograd.gradient(total, leaves)
    first = torch.autograd.grad(mirror, mirrors, create_graph=True)
    total = sum(slope * (i + 1) for i, slope in enumerate(first))
    second = torch.autograd.grad(total, mirrors, allow_unused=True)
    theirs = [0.0 if t is None else t.item() for t in second]
    assert_close(ours, theirs, scale=max(map(abs, theirs)))


# ---- losses ------------------------------------------------------------------------------------


def loss_and_grads(ours, theirs):
    loss, values = ours
    mirror, tensors = theirs
    loss.backward()
    mirror.backward()
    assert_close([loss.data], [mirror.item()])
    assert_close([v.grad for v in values], tensors.grad.reshape(-1).tolist())


@pytest.mark.parametrize("seed", range(5))
def test_losses_of_one_score_a_sample_are_pytorchs(seed):
    from torch.nn import functional

    draw = random.Random(seed)
    scores = [draw.uniform(-4, 4) for _ in range(9)]
    signs = [draw.choice([-1, 1]) for _ in scores]
    bits = [(s + 1) // 2 for s in signs]
    soft = [draw.random() for _ in scores]
    for ours, theirs, targets in (
        (mse, functional.mse_loss, soft),
        (binary_cross_entropy_with_logits, functional.binary_cross_entropy_with_logits, bits),
        (binary_cross_entropy_with_logits, functional.binary_cross_entropy_with_logits, soft),
        (hinge, lambda s, y: (1 - y * s).clamp(min=0).mean(), signs),
    ):
        values, tensors = [Value(s) for s in scores], tensor(scores)
        mirror = theirs(tensors, tensor(list(map(float, targets)), grad=False))
        loss_and_grads((ours(values, targets), values), (mirror, tensors))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("offset", [0.0, 700.0])
def test_cross_entropy_is_pytorchs(seed, offset):
    import torch
    from torch.nn import functional

    draw = random.Random(seed)
    rows = [[offset + draw.uniform(-3, 3) for _ in range(4)] for _ in range(6)]
    classes = [draw.randrange(4) for _ in rows]
    values, tensors = [[Value(z) for z in row] for row in rows], tensor(rows)
    mirror = functional.cross_entropy(tensors, torch.tensor(classes))
    flat = [v for row in values for v in row]
    loss_and_grads((cross_entropy(values, classes), flat), (mirror, tensors))


# ---- optimizers --------------------------------------------------------------------------------

OPTIMIZERS = {
    "SGD": (SGD, {}),
    "SGD decay": (SGD, {"weight_decay": 0.1}),
    "SGD momentum": (SGD, {"momentum": 0.9}),
    "SGD momentum decay": (SGD, {"momentum": 0.5, "weight_decay": 0.1}),
    "SGD nesterov": (SGD, {"momentum": 0.9, "nesterov": True}),
    "SGD nesterov decay": (SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    "Adam": (Adam, {}),
    "Adam options": (Adam, {"betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    "AdamW": (AdamW, {}),
    "AdamW options": (AdamW, {"betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
}
SCHEDULES = {
    "constant": (0.05, None),
    "cosine": (cosine(0.05, 0.001, 15), ("CosineAnnealingLR", {"T_max": 15, "eta_min": 0.001})),
    "step": (step_decay(0.05, 0.3, 6), ("StepLR", {"step_size": 6, "gamma": 0.3})),
    "exponential": (exponential(0.05, 0.9), ("ExponentialLR", {"gamma": 0.9})),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_of_some_that_are_decayed_are_those_of_pytorchs_groups(name):
    import torch

    kind, options = OPTIMIZERS[name]
    options = {**options, "weight_decay": 0.1}
    values, tensors = [Value(1.5), Value(-0.7)], [tensor(1.5), tensor(-0.7)]
    ours = kind(values, lr=0.05, decayed=values[:1], **options)
    groups = [{"params": tensors[:1]}, {"params": tensors[1:], "weight_decay": 0.0}]
    theirs = getattr(torch.optim, kind.__name__)(groups, lr=0.05, **options)
    for step in range(15):
        for i, (v, t) in enumerate(zip(values, tensors, strict=True)):
            v.grad = math.sin(step + i)
            t.grad = tensor(math.sin(step + i), grad=False)
        ours.step()
        theirs.step()
        assert_close([v.data for v in values], [t.item() for t in tensors], scale=1.0)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_are_pytorchs(name, schedule):
    import torch

    kind, options = OPTIMIZERS[name]
    rate, mirror_schedule = SCHEDULES[schedule]
    draw = random.Random(name)
    start = [draw.uniform(-2, 2) for _ in range(5)]
    values, tensors = [Value(s) for s in start], tensor(start)
    ours = kind(values, lr=rate, **options)
    theirs = getattr(torch.optim, kind.__name__)([tensors], lr=0.05, **options)
    scheduler = None
    if mirror_schedule:
        scheduler = getattr(torch.optim.lr_scheduler, mirror_schedule[0])(
            theirs, **mirror_schedule[1]
        )
    for _ in range(15):
        grads = [draw.gauss(0, 1) for _ in start]
        for v, grad in zip(values, grads, strict=True):
            v.grad = grad
        tensors.grad = tensor(grads, grad=False)
        ours.step()
        theirs.step()
        if scheduler:
            scheduler.step()
        assert_close([v.data for v in values], tensors.tolist(), scale=1.0)


# ---- a training run ----------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_a_training_run_is_pytorchs(kind, activation):
    import torch

    draw = random.Random(11)
    X = [[draw.uniform(-2, 2), draw.uniform(-2, 2)] for _ in range(20)]
    classes = [int(a * b > 0) + int(a + b > 1) for a, b in X]
    model = MLP(2, [8, 6, 3], activation=activation, init="glorot", rng=draw)
    mirror = mirrored(model, activation)
    options = {"lr": 0.05, "weight_decay": 1e-3}
    if kind == "SGD":
        options |= {"momentum": 0.9, "nesterov": True}
    optimizer = {"SGD": SGD, "Adam": Adam, "AdamW": AdamW}[kind](model.parameters(), **options)
    theirs = getattr(torch.optim, kind)(mirror.parameters(), **options)
    inputs, targets = tensor(X, grad=False), torch.tensor(classes)
    losses = []
    for _ in range(30):
        loss = cross_entropy([model(x) for x in X], classes)
        expected = torch.nn.functional.cross_entropy(mirror(inputs), targets)
        assert_close([loss.data], [expected.item()], scale=1.0)
        optimizer.zero_grad()
        theirs.zero_grad()
        loss.backward()
        expected.backward()
        optimizer.step()
        theirs.step()
        losses.append(loss.data)
    assert losses[-1] < 0.7 * losses[0]
    assert_close([p.data for p in model.parameters()], flattened(mirror), scale=1.0)


def mirrored(model, activation):
    """Return the same network in PyTorch."""
    import torch

    modules = []
    for layer in model.layers:
        linear = torch.nn.Linear(len(layer.neurons[0].w), len(layer.neurons), dtype=torch.float64)
        with torch.no_grad():
            weights = [[w.data for w in neuron.w] for neuron in layer.neurons]
            linear.weight.copy_(tensor(weights, grad=False))
            linear.bias.zero_()
        modules += [linear, {"relu": "ReLU", "tanh": "Tanh", "gelu": "GELU"}[activation]]
    modules = [getattr(torch.nn, m)() if isinstance(m, str) else m for m in modules[:-1]]
    return torch.nn.Sequential(*modules)


def flattened(mirror):
    """Return its parameters in the order of ours: neuron by neuron, weights, then bias."""
    numbers = []
    for linear in mirror[::2]:
        for row, bias in zip(linear.weight.tolist(), linear.bias.tolist(), strict=True):
            numbers += [*row, bias]
    return numbers
