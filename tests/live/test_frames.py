"""The frames of a run: their words, their curves."""

import base64
import re

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

import numpy as np
from watched import HELD, X, model, y

from micrograd import watch
from micrograd.live.frames import axes_of
from micrograd.train import evaluate


def test_a_frame_says_step_loss_and_how_many_are_correct():
    view = watch(model(), X, y).run(5)
    loss, correct = view.measure()
    frame = view.frame()
    assert re.fullmatch(rf"Step 5: loss [\d.]+, {correct} of 30 correct\.", frame["say"])
    assert frame["loss"] == loss
    view.run(1)
    assert view.losses[5] == pytest.approx(loss, rel=1e-12)
    weights = np.frombuffer(base64.b64decode(frame["w"]), np.int8)
    assert len(weights) == len(view.model.parameters())


def test_numbers_that_are_held_out_have_a_loss_alone():
    view = watch(model(), X, [a * b for a, b in X], "mse", validation=([[0, 1]], [0.5]))
    frame = view.run(2).frame()
    assert re.search(r" · held out loss [\d.]+$", frame["text"])
    assert re.search(r"; held out: loss [\d.]+\.$", frame["say"])


def test_the_curve_of_what_is_held_out_has_every_step_and_the_present():
    held = []
    net = model()
    view = watch(net, X, y, validation=HELD)
    for _ in range(6):
        held.append(evaluate(net, *HELD).loss)
        view.run(1)
    curve = view.curve(view.frame())
    assert [at for at, _ in curve["held"]] == list(range(7))
    assert [loss for _, loss in curve["held"][:6]] == pytest.approx(held, rel=1e-12)
    assert curve["high"] >= max(loss for _, loss in curve["held"])
    assert view.reset().run(6).curve(view.frame()) == curve
    assert watch(model(), X, y).run(3).curve()["held"] == []


def test_long_runs_are_thinned_but_keep_their_extremes():
    view = watch(model(), X, y, batch_size=3).run(1200)
    curve = view.curve(None)
    values = [v for _, v in curve["points"]]
    assert len(values) <= 500
    assert (max(values), min(values)) == (max(view.losses), min(view.losses))
    assert len(view.record(frames=10)) == 11
    assert view.step == 1200


def test_a_loss_of_zero_is_at_zero_and_so_on_a_linear_axis():
    axes = axes_of([4.0, 0.01, 0.0], 2)
    assert (axes["log"], axes["low"], axes["high"]) == (False, 0.0, 4.0)
    assert [axes_of([4.0, 0.01], 2)[name] for name in ("log", "low")] == [True, 2**-7]
