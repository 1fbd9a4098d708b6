"""A run of a page, taken over by Python."""

import copy
import math

import pytest
from tables import mostly_slow

pytest.importorskip("numpy")
pytest.importorskip("sklearn")

import numpy as np
from trainer import in_node
from watched import HELD, X, model, y

from micrograd import exp, log, watch
from micrograd.errors import ArgumentError
from micrograd.optim import SGD

_STATES = """
    const run = trainerOf(given.task), states = [];
    let sent = 0;
    for (const part of given.parts) {
      if (typeof part !== "number") { run.change(part); if (!run.done) sent = 0; continue; }
      run.step(part);
      const lists = [run.losses, run.held, run.parameters, run.frame().map ?? []];
      states.push([run.state(sent), ...lists.map(list => [...list]), run.done]);
      sent = run.losses.length;
    }
    return states;
"""
_PAINTED = [[0.25, -0.5, 1], [0.125, 0.75, 0, True], [-0.5, 0.5, 0]]


def of_call(**options):
    net = model(4, 1)
    return watch(net, X, y, "hinge", SGD(net.parameters(), 0.1), validation=HELD, **options)


def run_on_a_page(view, *parts):
    return in_node(_STATES, {"task": view.task, "parts": list(parts)})


def test_model_step_and_losses_are_those_of_the_page():
    view = of_call(batch_size=7)
    net = view.model
    parts = [10, 15, {"lr": 0.02}, 5, {"seed": 3}, 4, {"optimizer": "Adam", "l2": 0.1}, 6]
    parts += [{"l1": 0.05}, 5]
    for state, losses, held, parameters, _, step in run_on_a_page(view, *parts):
        view.adopt(state)
        assert (view.step, view.losses, view.model) == (step, losses, net)
        assert view._session.history.validation_loss == held
        assert [p.data for p in net.parameters()] == parameters
        assert view.rate == (0.02 if len(losses) != 10 and len(losses) != 25 else 0.1)


def test_python_goes_on_with_the_steps_that_the_page_would_have_done():
    view = of_call(batch_size=7)
    parts = [{"layers": [3, 2], "optimizer": "SGD, momentum 0.9"}, 10, 20]
    first, second = run_on_a_page(view, *parts)
    view.adopt(first[0]).run(20)
    assert (view.losses, view.step) == (second[1], 30)
    assert [p.data for p in view.model.parameters()] == second[3]
    assert view.reset().run(30).losses == second[1]


@pytest.mark.parametrize("change", mostly_slow([
    {"data": "moons", "n": 60, "layers": [3]}, {"data": "blobs", "n": 60}, {"painted": _PAINTED},
    {"features": ["x1x2", "sin x1", "r"]}, {"loss": "cross_entropy", "activation": "tanh"},
    {"data": "none", "painted": _PAINTED, "loss": "mse"}, {"data": "iris", "n": 60},
    {"data": "plane", "held_out": 0.2}, {"data": "moons", "held_out": 0.7, "l1": 0.1},
    {"features": ["log", "root"]}, {"features": ["x1", "steep"], "optimizer": "Adam"},
], 2))  # fmt: skip
def test_another_network_or_other_samples_are_shown_by_python_too(change):
    view = of_call(
        derived={
            "r": lambda x: x[0] ** 2 + x[1] ** 2,
            "log": lambda x: log(x[0] + 1.01),  # the plane is wider than its domain
            "root": lambda x: (x[1] + 2.01) ** 0.5,
            "steep": lambda x: exp(200 * x[0] - 50),  # whose square Adam cannot hold
        }
    )
    net = view.model
    there, back = run_on_a_page(view, change, 12, view.task["settings"], 3)
    state, losses, _, parameters, page_map, _ = there
    view.adopt(state)
    assert (view.losses, view.step) == (losses, 12)
    assert [p.data for p in view.model.parameters()] == parameters
    field = view.field(60)
    assert np.abs(field.ravel().astype(int) - page_map).max() <= 1
    assert view.run(1).frame()["n"] == 13
    assert len(view.graph_of(0).nodes) > 5
    assert len(view.still()["inputs"]) == view.still()["layers"][0]
    assert view.adopt(back[0]).model is net
    assert view.losses == back[1]


def test_a_state_that_does_not_fit_changes_nothing():
    view = of_call()
    (state, *_), (later, *_) = run_on_a_page(view, {"layers": [5]}, 3, 3)
    broken = [
        {}, {"settings": {}}, later, {**state, "parameters": [1.0]}, {**state, "moments": {}},
        {**state, "settings": {**state["settings"], "loss": "none"}},
        *({**state, "settings": {**state["settings"], "l2": 0.5}, **part} for part in (
            {"step": 10**12}, {"step": None}, {"step": 3.5}, {"since": -1},
            {"losses": [0.5, 0.5, "x"]},
            {"held": [0.5]}, {"start": [0.5]}, {"grads": [None] * len(state["grads"])},
            {"parameters": [math.nan] * len(state["grads"])},
        )),
        *({**state, "settings": {**state["settings"], key: value}} for key, value in (
            ("l2", "x"), ("l1", "x"), ("lr", None), ("activation", 3), ("later", [3]),
            ("features", ["x9"]),
        )),
    ]  # fmt: skip

    def kept():
        numbers = [p.data for p in view.model.parameters()]
        return copy.deepcopy([view.losses, view.step, numbers, view.optimizer.state_dict()])

    before = kept()
    for given in broken:
        with pytest.raises(ArgumentError, match="expected the state of a page's run"):
            view.adopt(given)
        assert kept() == before
    own = watch(model(), X, y, lambda scores, targets: scores[0])
    with pytest.raises(ArgumentError, match="Only Python can train this"):
        own.adopt(state)
