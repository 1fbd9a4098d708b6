"""`fit` of a compiled function: the loop written out with the engine, on every backend."""

import functools
import math
import random

import pytest
from replaying import every_backend, weights

import micrograd
from micrograd import Value
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    MicrogradError,
    NonFiniteError,
    NumberTypeError,
)
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, AdamW, Clip
from tests.support.fitting import Mine, plain_loop

np = pytest.importorskip("numpy")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
Y = X[:, 0] * X[:, 1]


@functools.cache
def compiled(backend, results):
    """Return a compiled loss, the same for the engine, and the parameters; one is not used."""
    model, unused = MLP(2, [4, 1], activation="tanh", rng=random.Random(1)), Value(3.0)
    parameters = [*model.parameters(), unused]

    def loss(x, y):
        out = model(x)
        value = (out - y) ** 2
        return value if results == 1 else [value, abs(out - y), parameters[0] * 1]

    return micrograd.compile(loss, backend, parameters=parameters), loss, parameters


def problem(backend="python", results=1):
    """Return the same, with the parameters as at first."""
    f, loss, parameters = compiled(backend, results)
    for p, data in zip(parameters, START, strict=True):
        p.data, p.grad = data, 0
    return f, loss, parameters


START = [*weights(MLP(2, [4, 1], rng=random.Random(1))), 3.0]


def weights_and_grads(parameters):
    return [p.data for p in parameters], [p.grad for p in parameters]


OPTIONS = {
    "plain": {},
    "batches": {"size": 7, "seed": 3},
    "norm": {"limit": ("norm", 0.05), "size": 16, "seed": 1},
    "value": {"limit": ("value", 0.01)},
}
OPTIMIZERS = {
    "sgd": lambda p: SGD(p, 0.1, momentum=0.9),
    "own rate": lambda p: SGD(p, lambda k: 0.1 / (1 + k)),
    "adam": lambda p: Adam(p, 0.05, weight_decay=0.1),
    "adamw": lambda p: AdamW(p, 0.05, weight_decay=0.1),
    "frozen": lambda p: AdamW([*p[-6:], p[2]], 0.05, weight_decay=0.1),
    "subclass": lambda p: Mine(p[3:], 0.1),
}


@every_backend
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_it_is_the_loop_of_the_engine(backend, options, make):
    f, loss, parameters = problem(backend)
    samples = list(zip(X.tolist(), Y.tolist(), strict=True))
    eager = make(parameters)
    losses = plain_loop(loss, parameters, samples, eager, 15, **options)
    numbers, grads = weights_and_grads(parameters)
    problem(backend)
    optimizer = make(parameters)
    limit = options.get("limit")
    history = f.fit(
        X, Y, optimizer=optimizer, steps=15, batch_size=options.get("size"),
        seed=options.get("seed"), clip=None if limit is None else Clip(**dict([limit])),
    )  # fmt: skip
    assert history.loss == pytest.approx(losses, rel=1e-9)
    assert weights_and_grads(parameters)[0] == pytest.approx(numbers, rel=1e-9)
    assert weights_and_grads(parameters)[1] == pytest.approx(grads, rel=1e-7, abs=1e-12)
    for name in optimizer._buffers:
        assert getattr(optimizer, name) == pytest.approx(getattr(eager, name), rel=1e-7, abs=1e-14)
    assert optimizer.steps == 15


@every_backend
def test_results_after_the_first_and_validation_data_are_recorded(backend):
    f, _, parameters = problem(backend, results=3)
    before = [p.data for p in parameters]
    seen = []

    def look(step, loss):
        seen.append((step, loss, parameters[0].data, f.map(X[:5], Y[:5])[:, 1].mean()))

    history = f.fit(
        X, Y, optimizer=SGD(parameters, 0.1), steps=9, validation=(X[:5], Y[:5]), every=4,
        callback=look,
    )  # fmt: skip
    assert history.validation_steps == [0, 4, 8] == [step for step, *_ in seen]
    assert [loss for _, loss, *_ in seen] == history.loss[::4]
    assert len(history.aux) == 9
    assert len(history.validation_aux) == 3
    assert history.aux[0][1] == pytest.approx(before[0])
    assert history.validation_aux[1][1] == pytest.approx(history.aux[4][1], rel=1e-14)
    # What the callback sees after step 4, step 5 measures before its update.
    assert history.aux[5][1] == pytest.approx(seen[1][2], rel=1e-14)
    assert history.accuracy == []


@every_backend
def test_what_a_callback_changes_counts(backend):
    ends = []
    for every in (1, 3):
        f, _, parameters = problem(backend)
        optimizer = SGD(parameters, 0.1, momentum=0.5)

        def change(step, loss, optimizer=optimizer, parameters=parameters):
            if step == 3:
                parameters[0].data, optimizer.lr, optimizer.momentum = 0.25, 0.01, 0.9

        f.fit(X, Y, optimizer=optimizer, steps=8, every=every, callback=change)
        ends.append([p.data for p in parameters])
    assert ends[0] == ends[1]
    f, _, parameters = problem(backend)
    f.fit(X, Y, optimizer=SGD(parameters, 0.1, momentum=0.5), steps=8)
    assert ends[0] != [p.data for p in parameters]


@every_backend
def test_sums_instead_of_means(backend):
    f, _, parameters = problem(backend)
    summed = f.fit(
        X, Y, optimizer=SGD(parameters, 0.1 / 30), steps=5, reduction="sum", validation=(X, Y)
    )
    numbers, _ = weights_and_grads(parameters)
    f, _, parameters = problem(backend)
    mean = f.fit(X, Y, optimizer=SGD(parameters, 0.1), steps=5)
    assert summed.loss == pytest.approx([30 * loss for loss in mean.loss], rel=1e-10)
    assert summed.validation_loss == pytest.approx(summed.loss, rel=1e-10)
    assert numbers == pytest.approx([p.data for p in parameters], rel=1e-10)


@pytest.mark.parametrize("kind", ["float32", "float16", "int64", "bool", "object", "list"])
def test_numbers_of_any_type(kind):
    whole = np.array([[1, 0], [0, 1], [1, 1]])
    given = whole.tolist() if kind == "list" else whole.astype(kind)
    losses = []
    for samples in (whole.astype(float), given):
        f, _, parameters = problem()
        losses.append(f.fit(samples, [1, 0, 1], optimizer=SGD(parameters, 0.1), steps=3).loss)
    assert losses[0] == losses[1]


@every_backend
def test_a_rate_is_given_to_the_optimizer_and_adam_is_the_default(backend):
    f, _, parameters = problem(backend)
    optimizer = SGD(parameters, 99.0)
    f.fit(X, Y, optimizer=optimizer, steps=1, lr=0.1)
    assert optimizer.lr == 0.1
    losses = []
    for optimizer in (None, "adam"):
        f, _, parameters = problem(backend)
        if optimizer:
            optimizer = Adam(parameters, 0.02)
        losses.append(f.fit(X, Y, optimizer=optimizer, steps=20).loss)
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0]


WRONG = {
    "no samples": ((X[:0], Y[:0]), {}, ArgumentError, "at least one sample"),
    "counts": ((X, Y[:5]), {}, InputCountError, "30 and 5"),
    "text": ((X, ["a"] * 30), {}, NumberTypeError, "array of numbers"),
    "steps": ((X, Y), {"steps": -1}, ArgumentError, "steps"),
    "every": ((X, Y), {"every": 0}, ArgumentError, "every"),
    "batch": ((X, Y), {"batch_size": 31}, ArgumentError, "more than the 30 samples"),
    "clip": ((X, Y), {"clip": 0}, ArgumentError, "clip"),
    "clip text": ((X, Y), {"clip": "big"}, TypeError, "clip"),
    "rate": ((X, Y), {"lr": -1.0}, ArgumentError, "lr"),
    "reduction": ((X, Y), {"reduction": "none"}, ArgumentError, "reduction"),
    "callback": ((X, Y), {"callback": 3}, ArgumentTypeError, "callback"),
    "optimizer": ((X, Y), {"optimizer": "sgd"}, ArgumentTypeError, r"optim\.SGD\(f\.parameters"),
    "other": ((X, Y), {"optimizer": SGD([Value(1.0)])}, ArgumentError, "no parameter of this"),
    "validation": ((X, Y), {"validation": X}, ArgumentTypeError, "tuple of 2"),
    "shape": ((X, Y), {"validation": (X[:, :1], Y)}, InputCountError, "2"),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "options", "kind", "match"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_changes_nothing(arrays, options, kind, match):
    f, _, parameters = problem()
    before = [(p.data, p.grad) for p in parameters]
    optimizer = SGD(parameters, 0.1)
    with pytest.raises(kind, match=match):
        f.fit(*arrays, **{"optimizer": optimizer, **options})
    assert [(p.data, p.grad) for p in parameters] == before
    assert (optimizer.lr, optimizer.steps) == (0.1, 0)


def test_a_function_without_parameters_cannot_be_trained():
    with pytest.raises(ArgumentError, match="no parameters to train"):
        micrograd.compile(lambda x: micrograd.tanh(x), "python").fit([1.0])


@every_backend
@pytest.mark.parametrize("check", ["raise", "ignore"])
def test_a_run_that_diverges_stops_where_the_engine_stops(backend, check):
    w = Value(1.0)
    f = micrograd.compile(lambda x: (w * x - 1) ** 2, backend, parameters=[w], check=check)
    optimizer = SGD([w], 1e6)
    with pytest.raises(MicrogradError, match=r"stopped at step \d+") as caught:
        f.fit([1.0, 2.0, 3.0], optimizer=optimizer, steps=1_000)
    history = caught.value.history
    assert len(history) == optimizer.steps > 3
    assert math.isfinite(w.data)
    assert all(map(math.isfinite, history.loss))
    twin = Value(1.0)
    eager = SGD([twin], 1e6)
    plain_loop(lambda x: (twin * x - 1) ** 2, [twin], [[1.0], [2.0], [3.0]], eager, optimizer.steps)
    assert w.data == pytest.approx(twin.data, rel=1e-10)


@every_backend
def test_an_interrupt_leaves_the_last_complete_step(backend):
    f, _, parameters = problem(backend)
    optimizer = SGD(parameters, 0.1)

    def stop(step, loss):
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        f.fit(X, Y, optimizer=optimizer, steps=20, every=2, callback=stop)
    assert optimizer.steps == 5
    numbers, _ = weights_and_grads(parameters)
    f, _, parameters = problem(backend)
    f.fit(X, Y, optimizer=SGD(parameters, 0.1), steps=5)
    assert [p.data for p in parameters] == numbers


@every_backend
def test_a_norm_too_large_for_its_square_is_clipped_all_the_same(backend):
    ends = []
    for how in (backend, None):
        w = Value(1.0)
        optimizer, limit = SGD([w], 0.25), Clip(norm=2.0)
        if how is None:
            (1e200 * w).backward()
            limit([w])
            optimizer.step()
        else:
            f = micrograd.compile(lambda x, w=w: x * w, how, parameters=[w])
            f.fit([1e200], optimizer=optimizer, steps=1, clip=limit)
        ends.append((w.data, w.grad))
    assert ends[0] == ends[1] == (0.5, 2.0)


@every_backend
@pytest.mark.parametrize(
    ("rate", "done"),
    [
        (lambda step: 1 / step, 0),
        (lambda step: math.log(step - 2), 0),
        (lambda step: math.nan if step == 5 else 0.1, 5),
        (lambda step: -1 if step == 3 else 0.1, 3),
    ],
)
def test_a_rate_that_cannot_be_used_is_told_from_faults_of_the_data(backend, rate, done):
    w = Value(0.0)
    loss = micrograd.compile(lambda x, y: (w * x - y) ** 2, backend)
    with pytest.raises(ArgumentError, match=f"learning rate of step {done}") as told:
        loss.fit([1.0, 2.0], [1.0, 2.0], optimizer=SGD([w], lr=0.1), lr=rate, steps=9)
    assert len(told.value.history.loss) == done
    assert "scaled" not in str(told.value)


@every_backend
def test_what_is_wrong_with_the_validation_data_is_said_of_them(backend):
    w = Value(0.0)
    loss = micrograd.compile(lambda x, y: (w * x - y) ** 2, backend)
    options = {"optimizer": SGD([w], lr=0.1), "validation": ([math.nan], [1.0])}
    with pytest.raises(NonFiniteError, match="in the validation data: "):
        loss.fit([1.0, 2.0], [1.0, 2.0], **options)
    model = MLP(2, [3, 1])
    with pytest.raises(ArgumentError, match="at least one sample"):
        micrograd.compile(lambda x: model(x) ** 2, backend).fit([])


def test_training_on_single_samples_has_the_same_bits_with_code_of_its_own(monkeypatch):
    pytest.importorskip("llvmlite")
    from micrograd.replay.llvm import emitter

    found = []
    for large in (False, True):
        monkeypatch.setattr(emitter.Source, "is_large", large)
        model = MLP(2, [9, 9, 1], activation="tanh", rng=random.Random(1))
        f = micrograd.compile(lambda x, y: (model(x) - y) ** 2, "llvm")  # noqa: B023
        history = f.fit(
            X, Y, optimizer=Adam(model.parameters(), lr=0.01), steps=40, batch_size=1, seed=1
        )
        kernel = f.latest().programs["parameters"][2]
        assert ("one" in kernel._machines) == large
        found.append((history.loss, weights(model)))
    assert found[0] == found[1]
