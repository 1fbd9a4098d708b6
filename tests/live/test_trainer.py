"""The trainer of the page against the eager engine."""

import re

import pytest
from tables import mostly_slow

pytest.importorskip("numpy")
pytest.importorskip("sklearn")

import numpy as np
import sklearn.datasets
from trainer import in_node
from watched import HELD, X, model, y

from micrograd import watch
from micrograd.datasets import REGRESSIONS, load, separating
from micrograd.errors import OverflowRangeError
from micrograd.live.page import templates
from micrograd.nn.layers import ACTIVATIONS
from micrograd.optim import SGD, Adam, AdamW
from micrograd.train import fit

_RAN = """
    const run = trainerOf(given.task, given.settings).step(given.steps);
    return { losses: run.losses, held: run.held, parameters: [...run.parameters],
             grads: [...run.grads], stopped: run.stopped, done: run.done };
"""


def both(make, steps, data=(X, y), loss="hinge", settings=None, **options):
    """Return what the page and the engine found, with optimizers that `make` gives."""
    watched, fitted = model(8, 8, 1), model(8, 8, 1)
    view = watch(watched, *data, loss, make(watched.parameters()), **options)
    given = {"task": view.task, "steps": steps, "settings": settings or {}}
    history = fit(
        fitted, *data, loss, make(fitted.parameters()), steps=steps, compile=False, progress=False,
        **options,
    )  # fmt: skip
    parameters = fitted.parameters()
    return in_node(_RAN, given), {
        "losses": history.loss, "held": history.validation_loss,
        "parameters": [p.data for p in parameters], "grads": [p.grad for p in parameters],
        "stopped": "", "done": steps,
    }  # fmt: skip


@pytest.mark.parametrize("options", mostly_slow([
    {}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}, {"weight_decay": 0.01},
    {"l1": 0.01}, {"l1": 0.03, "weight_decay": 0.1, "momentum": 0.5},
    {"batch_size": 7, "seed": 2**40 + 1}, {"batch_size": 1, "seed": 3}, {"loss": "mse"},
]))  # fmt: skip
def test_relu_and_sgd_give_the_bits_of_the_engine(options):
    names = {"momentum", "nesterov", "weight_decay", "l1"}
    own = {key: options[key] for key in names & set(options)}
    rest = {key: options[key] for key in set(options) - names}
    page, engine = both(lambda p: SGD(p, 0.05, **own), 60, validation=HELD, **{"seed": 0, **rest})
    assert page == engine


def test_a_reset_and_a_step_at_a_time_give_the_same_curve():
    net = model(8, 8, 1)
    view = watch(net, X, y, "hinge", SGD(net.parameters()), batch_size=7)
    found = in_node(
        "const run = trainerOf(given).step(30), first = run.losses;"
        "run.reset(); for (let k = 0; k < 30; k++) { run.step(); run.frame({ maps: true }); }"
        "return [first, run.losses];",
        view.task,
    )
    assert found[0] == found[1] == view.run(30).losses


def test_every_loss_activation_and_optimizer_gives_the_numbers_of_the_engine():
    three, numbers = [i * i % 3 for i in range(30)], [a * b + 0.3 for a, b in X]
    cases = [([4, 1], "hinge", y, SGD, {"activation": name}) for name in ACTIVATIONS]
    cases += [
        ([4, 1], "bce", y, SGD, {}),
        ([4, 1], "mse", numbers, SGD, {"weight_decay": 0.01}),
        ([4, 2], "cross_entropy", y, SGD, {"activation": "tanh"}),
        ([4, 3], "cross_entropy", three, SGD, {"momentum": 0.9, "nesterov": True}),
        ([4, 3], "cross_entropy", three, Adam, {"weight_decay": 0.1}),
        ([4, 3], "cross_entropy", three, AdamW, {"betas": (0.5, 0.9), "eps": 1e-6}),
        ([4, 3, 1], "bce", y, SGD, {"activation": ["tanh", "gelu", "linear"]}),
    ]
    tasks, expected = [], []
    for sizes, loss, labels, make, options in cases:
        kind = {"activation": options.pop("activation", "relu")}
        nets = [model(*sizes, **kind) for _ in range(2)]
        first, second = (make(net.parameters(), lr=0.05, **options) for net in nets)
        tasks.append(watch(nets[0], X, labels, loss, first, batch_size=8).task)
        history = fit(
            nets[1], X, labels, loss, second, steps=40, batch_size=8, seed=0, compile=False,
            progress=False,
        )  # fmt: skip
        expected.append([*history.loss, *(p.data for p in nets[1].parameters())])
    found = in_node(
        "return given.map(task => { const run = trainerOf(task).step(40);"
        "return [...run.losses, ...run.parameters]; });",
        tasks,
    )
    for case, page, engine in zip(cases, found, expected, strict=True):
        assert page == pytest.approx(engine, rel=1e-9, abs=1e-12), case


def test_data_sets_are_those_of_load_to_the_last_place_and_equal_when_rounded():
    cases = [
        {"data": name, "n": n, "noise": noise, "dataSeed": seed, "held_out": share}
        for name in ("moons", "circles", "xor", "spirals", "blobs", *REGRESSIONS)
        for n, noise, seed, share in (
            (200, 0.1, 0, 0.5),
            (57, 0.3, 2**32 - 1, 0.3),
            (12, 0, 3, 0.5),
        )
    ]
    cases += [
        {"data": name, "n": n, "dataSeed": seed, "held_out": share}
        for name, sizes in {
            "iris": (150, 24, 147), "breast_cancer": (569, 16, 77), "digits": (1797, 80, 400),
        }.items()
        for n, seed, share in zip(sizes, (0, 2**32 - 1, 3), (0.25, 0.25, 0.7), strict=True)
    ]  # fmt: skip
    found = in_node(
        "return given[1].map(c => [madeSet(given[0], c),"
        " SETS[c.data]?.make(c.n, c.noise, c.dataSeed)]);",
        [watch(model(), X, y).task, cases],
    )
    for case, (page, drawn) in zip(cases, found, strict=True):
        options = {"samples": case["n"], "noise": case.get("noise"), "seed": case["dataSeed"]}
        data = load(case["data"], held_out=case["held_out"], **options)
        rows = np.concatenate([data.X, data.X_test])
        assert [page["names"], page["classes"]] == [[*data.features], [*data.classes]]
        assert page["rows"] == rows.round(4).tolist(), case
        answers = np.concatenate([data.y, data.y_test])
        given = page["groups"] if data.classes else page["targets"]
        assert given == answers.round(4).tolist(), case
        assert page["training"] == len(data.X)
        if drawn is None:
            whole = getattr(sklearn.datasets, f"load_{case['data']}")()
            assert tuple(page["plane"]["columns"]) == separating(whole.data, whole.target)
            continue
        raw = np.array([point for point, _ in drawn])
        assert np.abs(np.sort(raw, axis=0) - np.sort(rows, axis=0)).max() <= 1e-15, case


@pytest.mark.parametrize(
    ("scale", "loss", "rate"),
    [(1, "hinge", 1e300), (1, "bce", 1e300), (1e200, "hinge", 1e200), (1e3, "mse", 100.0)],
)
def test_a_run_that_diverges_stops_where_the_engine_does_and_says_what_fit_says(scale, loss, rate):
    rows, net = [[scale * a, b] for a, b in X], model()
    task = watch(net, rows, y, loss, SGD(net.parameters(), rate)).task
    with pytest.raises(OverflowRangeError) as caught:
        fit(
            net, rows, y, loss, SGD(net.parameters(), rate), steps=99, compile=False,
            progress=False,
        )  # fmt: skip
    done, stopped, losses, again = in_node(
        "const run = trainerOf(given).step(99), found = [run.done, run.stopped, run.losses];"
        "return [...found, run.change({ lr: 1e-9 }).step(1).done];",
        task,
    )
    assert losses == caught.value.history.loss[:done]
    # The engine names the operation that overflowed, where the page only sees its result.
    said, page = (re.split(": |[.] The", text, maxsplit=2) for text in (str(caught.value), stopped))
    assert (said[0], said[-1]) == (page[0], page[-1])
    assert said[1] == page[1] or "too large for a float" in said[1]
    assert again in (done, done + 1)


def test_the_back_propagation_of_a_sample_is_that_of_another_one_with_changes():
    cases = [
        (model(3, 1), y, "hinge", "change({ data: 'moons', n: 20 })"),
        (model(3, 3), [i % 3 for i in range(30)], "cross_entropy", "change({ lr: 0.2 })"),
        (model(3, 1), [a * b for a, b in X], "mse", "change({ painted: [[0.5, 0.25, 0]] })"),
    ]
    for net, labels, loss, change in cases:
        view = watch(net, X, labels, loss, SGD(net.parameters(), 0.05))
        kinds = templates(view)
        assert list(kinds) == [str(k) for k in range(max(1, len(view.classes)))]
        found = in_node(
            "const run = trainerOf({ ...given.task, templates: given.templates });"
            f"run.step(5).{change}; run.step(5); const {{ data, changes }} = run.sample(4);"
            "return [data.strings.length, changes, [...run.parameters], run.data.rows[4],"
            "run.data.groups[4], run.data.targets[4]];",
            {"task": view.task, "templates": kinds},
        )
        strings, changes, parameters, row, group, target = found
        kind = kinds[str(group) if view.classes else "0"]
        leaves = [*kind["parameters"], *kind["inputs"], kind.get("target")]
        numbers = [*parameters, *row, target]
        assert changes == [list(pair) for pair in zip(leaves, numbers, strict=True)
                           if pair[0] is not None]  # fmt: skip
        assert strings == len(kind["data"]["strings"])
        names = [kind["data"]["nodes"][leaf]["name"] for leaf in leaves[:-1]]
        assert names[:4] == ["w⁽¹⁾₁,₁", "w⁽¹⁾₁,₂", "b⁽¹⁾₁", "w⁽¹⁾₂,₁"]
        assert names[-2:] == ["x⁽⁰⁾₁", "x⁽⁰⁾₂"]
    assert "The graph of a sample is that of Python's network" in in_node(
        "return trainerOf(given, { layers: [7] }).sample(0);", view.task
    )
    assert "too large" in in_node("return trainerOf(given).sample(0);", view.task)
