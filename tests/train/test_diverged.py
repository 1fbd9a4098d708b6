"""Training that goes wrong: all that trains says what `fit` says, and keeps what there was."""

import base64
import math
import random
import re

import numpy as np
import pytest
from packed import data_of
from sklearn.exceptions import ConvergenceWarning

from micrograd import MicrogradClassifier, MicrogradRegressor, diagnose, watch
from micrograd.errors import ArgumentError, MicrogradError, OverflowRangeError
from micrograd.losses import LOSSES
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.plot import plot_history, sheet
from micrograd.train import History, fit

X = [[1.0, 2.0], [2.0, 1.0], [-1.0, 1.0], [1.0, -2.0], [2.0, 2.0], [-1.0, -2.0]]
Y = [0, 1, 1, 0, 1, 0]


def scaled(model, *factors):
    """Multiply the weights of each layer by its factor."""
    for layer, factor in zip(model.layers, factors, strict=True):
        for parameter in layer.parameters():
            parameter.data *= factor


def huge(model):
    scaled(model, 1e160, 1e160)
    return X


def steep(model):
    """Make scores that are finite, and gradients of the first layer that are 1e300 times larger."""
    scaled(model, 1e-190, 1e120)
    return [[1e200 * x for x in row] for row in X]


def nan(model):
    model.layers[1].neurons[0].b.data = math.nan
    return X


BROKEN = {
    "the loss overflows": (huge, "the loss is inf|the loss is nan", "smaller weights"),
    "a gradient overflows": (steep, "", "lower learning rate|smaller weights"),
    "a parameter is nan": (nan, "the loss is nan", "parameter 16 is nan already"),
}


def network():
    return MLP(2, [4, 1], rng=random.Random(0))


def numbers(model):
    return [repr(p.data) for p in model.parameters()]


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_fit_says_where_it_stopped_and_what_to_try_eager_and_compiled(name, compiled, loss):
    make, what, advice = BROKEN[name]
    model = network()
    rows = make(model)
    before = numbers(model)
    with pytest.raises(MicrogradError, match=r"^training stopped at step 0: ") as caught:
        fit(model, rows, Y, loss, SGD(model.parameters(), 0.1), steps=5, compile=compiled)
    told = str(caught.value)
    assert any(part in told for part in what.split("|"))
    assert any(part in told for part in advice.split("|"))
    assert numbers(model) == before
    assert len(caught.value.history) == 0


@pytest.mark.parametrize("compiled", [False, True])
def test_the_steps_before_it_stopped_are_on_the_error(compiled):
    model = network()
    with pytest.raises(OverflowRangeError, match="lower learning rate helps") as caught:
        fit(model, X, Y, "mse", SGD(model.parameters(), 10.0), steps=60, compile=compiled)
    history = caught.value.history
    assert f"training stopped at step {len(history)}: " in str(caught.value)
    assert len(history) > 2
    assert history.loss[0] < 1 < 1e10 < history.loss[-1] < math.inf
    assert all(math.isfinite(p.data) for p in model.parameters())


@pytest.mark.parametrize("compiled", [False, True])
def test_a_loss_that_grew_but_is_finite_is_in_the_history(compiled):
    model = network()
    history = fit(model, X, Y, "mse", SGD(model.parameters(), 1.0), steps=5, compile=compiled)
    assert len(history) == 5
    assert 1e6 * history.loss[0] < history.loss[-1] < math.inf


@pytest.mark.parametrize("compiled", [False, True])
def test_validation_data_whose_loss_is_not_finite_stop_training(compiled):
    model = network()
    far = [[1e308, 1e308]]
    with pytest.raises(MicrogradError, match=r"at step 0: .*") as caught:
        fit(model, X, Y, "mse", validation=(far, [0]), early_stop=3, compile=compiled)
    assert isinstance(caught.value, ArithmeticError)
    assert numbers(model) == numbers(network())


@pytest.mark.parametrize("rate", [math.nan, -1.0, math.inf])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_schedule_that_leaves_the_rates_stops_at_its_step(rate, compiled):
    model = network()
    optimizer = SGD(model.parameters(), lambda step: 0.01 if step < 3 else rate)
    with pytest.raises(ArgumentError, match=r"learning rate of step 3.*(nan|-1|inf)"):
        fit(model, X, Y, "mse", optimizer, steps=9, compile=compiled)
    assert optimizer.steps == 3


# ---- estimators --------------------------------------------------------------------------------

ESTIMATORS = pytest.mark.parametrize("kind", [MicrogradClassifier, MicrogradRegressor])


def short(kind, **options):
    return kind((4,), random_state=0, **{"max_iter": 1, "tol": None, **options})


@ESTIMATORS
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("compiled", [False, True])
def test_an_estimator_says_what_fit_says_and_stays_as_it_was(kind, name, compiled):
    estimator = short(kind, warm_start=True, compile=compiled).fit(X, Y)
    rows = BROKEN[name][0](estimator.model_)
    before, curve = numbers(estimator.model_), list(estimator.loss_curve_)
    with pytest.raises(MicrogradError, match=r"^training stopped at step 0: ") as caught:
        estimator.fit(rows, Y)
    assert len(caught.value.history) == 0
    assert numbers(estimator.model_) == before
    assert estimator.loss_curve_ == curve


@ESTIMATORS
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("tol", [None, 1e-4])
@pytest.mark.parametrize("stopping", [False, True])
def test_an_estimator_whose_loss_grew_warns_and_says_what_to_do(kind, compiled, tol, stopping):
    options = {"optimizer": "sgd", "max_iter": 5, "tol": tol, "early_stopping": stopping}
    options |= {"validation_fraction": 0.34} if stopping else {}
    rate = 1e3 if kind is MicrogradClassifier else 0.5
    estimator = short(kind, learning_rate=rate, compile=compiled, momentum=0.0, **options)
    with pytest.warns(ConvergenceWarning, match="the loss grew") as caught:
        estimator.fit(X, Y)
    (told,) = [str(warning.message) for warning in caught]
    assert "scale X" in told
    assert ("and y" in told) == (kind is MicrogradRegressor)
    assert f"lower learning_rate={rate}" in told
    assert caught[0].filename == __file__
    assert len(estimator.loss_curve_) == estimator.n_iter_ > 1


def test_a_regressor_on_data_that_are_not_scaled_warns():
    rng = np.random.RandomState(0)
    rows, values = rng.uniform(0, 500, (150, 4)), rng.uniform(0, 2000, 150)
    with pytest.warns(ConvergenceWarning, match=r"the loss grew: .* TransformedTargetRegressor"):
        MicrogradRegressor(optimizer="sgd", random_state=0).fit(rows, values)


def test_passes_are_those_of_the_last_fit_and_of_the_partial_fits_after_it():
    estimator = short(MicrogradClassifier, warm_start=True, max_iter=4).fit(X, Y)
    assert estimator.n_iter_ == 4
    estimator.fit(X, Y)
    assert (estimator.n_iter_, len(estimator.loss_curve_)) == (4, 8)
    estimator.partial_fit(X, Y).partial_fit(X, Y)
    assert (estimator.n_iter_, len(estimator.loss_curve_)) == (6, 10)


@pytest.mark.parametrize("weight", [math.nan, math.inf, -1.0])
def test_class_weights_that_are_none_are_named(weight):
    with pytest.raises(ArgumentError, match=r"finite, in class_weight, got \{0: 1, 1: "):
        short(MicrogradClassifier, class_weight={0: 1, 1: weight}).fit(X, Y)


# ---- watch and diagnose ------------------------------------------------------------------------


OWN = LOSSES["mse"].function  # only Python can train with a function: the page is recorded


def broken(name, loss="mse"):
    """Return a view of a network whose first step cannot be done."""
    model = network()
    rows = BROKEN[name][0](model)
    return watch(model, rows, Y, loss, SGD(model.parameters(), 0.1))


def diverging(rate=10.0, loss="mse", **options):
    model = network()
    return watch(model, X, Y, loss, SGD(model.parameters(), rate), **options)


@pytest.mark.parametrize("name", BROKEN)
def test_a_view_says_what_fit_says(name):
    view = broken(name)
    with pytest.raises(MicrogradError, match=r"^training stopped at step 0: ") as caught:
        view.run(5)
    assert view.stopped == str(caught.value)
    assert view.frame()["say"].endswith(view.stopped)
    assert view.reset().stopped == ""


@pytest.mark.parametrize("name", BROKEN)
def test_a_page_and_a_film_are_written_and_say_what_happened(name, tmp_path):
    from PIL import Image

    if name != "a parameter is nan":
        broken(name).to_html(tmp_path / "run.html")  # it trains by itself
    with pytest.warns(RuntimeWarning, match=r"^training stopped at step 0: "):
        page = broken(name, OWN).to_html(tmp_path / "run.html", 5)
    assert "training stopped at step 0: " in page.read_text(encoding="utf-8")
    with pytest.warns(RuntimeWarning, match=r"^training stopped at step 0: "):
        film = broken(name).to_gif(tmp_path / "run.gif", 5)
    with Image.open(film) as image:
        assert image.format == "GIF"


@pytest.mark.parametrize(
    "write",
    [
        lambda view, folder: view.record(5),
        lambda view, folder: view.page_text(5),
        lambda view, folder: view.to_html(folder / "run.html", 5),
        lambda view, folder: view.to_gif(folder / "run.gif", 5),
    ],
    ids=["record", "page_text", "to_html", "to_gif"],
)
def test_the_warning_of_a_recording_points_at_the_line_that_asked_for_it(write, tmp_path):
    view = broken("the loss overflows", OWN)
    with pytest.warns(RuntimeWarning, match="^training stopped") as caught:
        write(view, tmp_path)
    assert [(told.filename, told.lineno) for told in caught] == [
        (__file__, write.__code__.co_firstlineno)
    ]


def test_a_page_has_the_steps_before_and_ends_with_what_to_try(tmp_path):
    view = diverging(loss=OWN, validation=(X[:2], Y[:2]))
    with pytest.warns(RuntimeWarning, match="lower learning rate"):
        view.to_html(tmp_path / "run.html", 60)
    data = data_of((tmp_path / "run.html").read_text(encoding="utf-8"))
    frames = data["frames"]
    assert [frame["n"] for frame in frames] == list(range(view.step + 1))
    assert [bool(frame["stopped"]) for frame in frames] == [False] * view.step + [True]
    assert f"training stopped at step {view.step}: " in frames[-1]["stopped"]
    assert len(data["curve"]["points"]) >= view.step > 2


def test_a_loss_that_grew_but_is_finite_is_drawn(tmp_path):
    view = diverging(1.0).run(5)
    assert view.losses[-1] > 1e6 * view.losses[0]
    assert view.stopped == ""
    assert view.curve()["log"]
    view.to_gif(tmp_path / "run.gif", 5)
    view.to_html(tmp_path / "run.html", 5)
    kinds = [f.kind for f in diagnose(view.model, X, Y, "mse").findings]
    assert "far off" in kinds


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_diagnose_finds_what_is_not_finite(name, loss):
    model = network()
    rows = BROKEN[name][0](model)
    report = diagnose(model, rows, Y, loss)
    assert {f.kind for f in report.findings} & {"not finite", "far off"}
    assert str(report)


@pytest.mark.parametrize("loss", ["mse", OWN])  # trained by the page, and by the kernel
def test_the_widget_shows_the_last_whole_step_and_why_it_stopped(loss):
    widget = diverging(loss=loss).widget()
    for _ in range(60):
        widget.do("step")
        if widget.watch.step > 2:
            break
    widget.command = {"do": "step", "seq": 1}
    while not widget.error:
        widget.command = {"do": "step", "seq": widget.command["seq"] + 1}
    assert widget.error == widget.watch.stopped
    shown = widget.state["step"] if widget.trains_itself else widget.frame["n"]
    assert shown == widget.watch.step


def test_a_saved_notebook_has_a_picture_of_the_view():
    for view in (diverging(), broken("a parameter is nan")):
        bundle = view._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        image = re.search(r'src="data:image/png;base64,([^"]*)"', data["text/html"])[1]
        assert base64.b64decode(image).startswith(b"\x89PNG")
        assert data["text/plain"] == repr(view)
        assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize(
    "losses",
    [[0.5, 1e308, 1.7e308], [0.0, 1.7e308], [math.nan, 1.0, math.inf], [0.0, 0.0], [1e-320, 1.0]],
)
def test_a_history_of_any_numbers_is_drawn(losses, tmp_path):
    history = History(loss=losses, validation_steps=[0], validation_loss=[math.inf])
    plot_history(history, *sheet()).figure.savefig(tmp_path / "history.png")
