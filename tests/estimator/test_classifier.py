"""The classifier: scikit-learn's own checks, its tools around it, bad data, a cluster."""

import contextlib
import dataclasses
import os
import pickle
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from tables import mostly_slow

from micrograd import MicrogradClassifier, MicrogradRegressor
from micrograd.datasets import load
from micrograd.errors import ArgumentError
from micrograd.estimator.options import Options
from micrograd.losses import LOSSES
from micrograd.nn import MLP
from micrograd.optim import linear
from micrograd.train import EarlyStop, evaluate, fit

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"  # short runs are meant, 2026-11
)

MOONS = load("moons")
IRIS = load("iris")


def quick(**options):
    return MicrogradClassifier(**{"hidden_layer_sizes": (8,), "random_state": 0, **options})


CHECKS = parametrize_with_checks([MicrogradClassifier(), MicrogradRegressor()])


@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), ids=CHECKS.kwargs["ids"])
def test_scikit_learns_own_checks_hold_without_an_expected_failure(estimator, check):
    # The one check that skips itself is that of other array libraries, which has to be asked for.
    with contextlib.suppress(SkipTest):
        check(estimator)


# ---- what it learns ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [MOONS, IRIS], ids=["two classes", "three classes"])
@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "eager"])
def test_a_classifier_learns_and_its_probabilities_sum_to_one(data, compiled):
    model = quick(compile=compiled, max_iter=60, learning_rate=0.05).fit(data.X, data.y)
    assert model.score(data.X_test, data.y_test) > 0.85
    shares = model.predict_proba(data.X_test)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    assert (shares.argmax(axis=1) == model.predict(data.X_test)).all()
    assert len(model.loss_curve_) == model.n_iter_ == len(model.history_)
    assert model.loss_curve_[-1] < model.loss_curve_[0] / 2


def test_machine_code_and_engine_train_the_same_network():
    options = {"max_iter": 20, "batch_size": 16, "class_weight": {0: 1, 1: 3}}
    fitted = [quick(compile=c, **options).fit(MOONS.X, MOONS.y) for c in (True, False)]
    scores = [model.decision_function(MOONS.X_test) for model in fitted]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-9)


@pytest.mark.parametrize(
    "activation",
    ["relu", "tanh", "sigmoid", "linear", "leaky_relu", "elu", "gelu", "silu", "softplus", "sin"],
)
def test_the_scores_are_those_of_the_network(activation):
    model = quick(activation=activation, max_iter=2).fit(IRIS.X, IRIS.y)
    scores = model.decision_function(IRIS.X_test[:5])
    for row, score in zip(IRIS.X_test[:5], scores, strict=True):
        expected = [value.data for value in model.model_(row.tolist())]
        np.testing.assert_allclose(score, expected, rtol=1e-12, atol=1e-14)


def test_hinge_gives_scores_and_no_probabilities():
    model = quick(loss="hinge", max_iter=50, learning_rate=0.05).fit(MOONS.X, MOONS.y)
    assert model.score(MOONS.X_test, MOONS.y_test) > 0.85
    assert not hasattr(model, "predict_proba")
    with pytest.raises(ArgumentError, match="hinge"):
        quick(loss="hinge").fit(IRIS.X, IRIS.y)


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "learning_rate": 0.1},
        {"optimizer": "adamw", "schedule": "cosine"},
        {"schedule": "linear", "batch_size": 20},
        {"learning_rate": linear(0.05, 0.01, 100)},
        {"hidden_layer_sizes": 4, "alpha": 0.1},
        {"hidden_layer_sizes": []},
    ],
    ids=str,
)
def test_every_way_of_training_learns(options):
    model = quick(**{"max_iter": 60, "learning_rate": 0.05, **options}).fit(MOONS.X, MOONS.y)
    assert model.score(MOONS.X_test, MOONS.y_test) > 0.8


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "eager"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_penalty_leaves_biases_alone_as_scikit_learns_does(optimizer, compiled):
    X, y = MOONS.X[:20], np.arange(20) % 5 == 0  # one in five, whatever X says
    options = {"alpha": 1e3, "batch_size": 20, "max_iter": 600, "tol": None, "random_state": 0}
    rate = 0.02 if optimizer == "adam" else 0.005
    ours = MicrogradClassifier(
        (2,), optimizer=optimizer, learning_rate=rate, compile=compiled, **options
    ).fit(X, y)
    theirs = MLPClassifier(
        (2,), solver=optimizer, learning_rate_init=rate, **{**options, "tol": 0.0},
        n_iter_no_change=600,
    ).fit(X, y)  # fmt: skip
    # Of weights that are pressed to 0 only the bias is left, and says how many there are.
    assert abs(theirs.predict_proba(X)[:, 1] - 0.2).max() < 0.01
    assert abs(ours.predict_proba(X)[:, 1] - 0.2).max() < 0.01


def test_early_stopping_holds_samples_out_and_keeps_the_best_parameters():
    data = load("moons", noise=0.4, samples=200)
    model = quick(early_stopping=True, learning_rate=0.1, max_iter=300, validation_fraction=0.3)
    model.fit(data.X, data.y)
    assert model.history_.stopped_early
    assert model.n_iter_ < 300
    assert len(model.validation_loss_curve_) == model.n_iter_


def test_all_passes_are_done_without_a_tolerance_and_the_best_parameters_kept():
    data = load("moons", noise=0.4, samples=200)
    options = {"early_stopping": True, "learning_rate": 0.1, "max_iter": 80, "tol": None}
    model = quick(**options).fit(data.X, data.y)
    curve = model.validation_loss_curve_
    assert model.n_iter_ == len(curve) == 80
    assert min(curve) < curve[-1]  # the last parameters are not the best
    draw = np.random.RandomState(0)
    draw.randint(2**31 - 1)
    kept = train_test_split(
        np.arange(len(data.X)), test_size=0.1, random_state=draw, stratify=data.y
    )[1]
    assert evaluate(model.model_, data.X[kept], data.y[kept], "bce").loss == pytest.approx(
        min(curve), rel=1e-9
    )


def test_without_progress_training_ends_and_otherwise_says_so():
    model = quick(tol=0.01, max_iter=500).fit(MOONS.X, MOONS.y)
    assert model.n_iter_ < 500
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        quick(max_iter=3).fit(MOONS.X, MOONS.y)


@pytest.mark.parametrize("size", [None, 7])
def test_an_early_stop_on_the_loss_is_the_same_in_machine_code(size):
    histories = []
    for compiled in (True, False):
        model = MLP(2, [6, 1], rng=random.Random(0))
        stop = EarlyStop(patience=2, min_delta=0.02, every=3)
        histories.append(
            fit(
                model, MOONS.X[:40], MOONS.y[:40], batch_size=size, seed=1, steps=400,
                early_stop=stop, compile=compiled,
            )
        )  # fmt: skip
    assert histories[0].stopped_early
    assert 6 < len(histories[0]) == len(histories[1]) < 400
    np.testing.assert_allclose(histories[0].loss, histories[1].loss, rtol=1e-9)


def test_a_warm_start_and_partial_fits_go_on():
    model = quick(warm_start=True, max_iter=5).fit(MOONS.X, MOONS.y)
    before = model.loss_
    assert model.fit(MOONS.X, MOONS.y).loss_ < before
    assert (model.n_iter_, len(model.loss_curve_)) == (5, 10)
    with pytest.raises(ArgumentError, match="classes"):
        model.fit(MOONS.X, MOONS.y + 5)
    bits = quick().partial_fit(MOONS.X, MOONS.y, classes=[0, 1])
    for _ in range(30):
        bits.partial_fit(MOONS.X, MOONS.y)
    assert bits.loss_curve_[-1] < bits.loss_curve_[0]
    with pytest.raises(ArgumentError, match="first call"):
        quick().partial_fit(MOONS.X, MOONS.y)


@pytest.mark.parametrize("schedule", mostly_slow(["linear", "cosine"]))
def test_a_warm_start_and_partial_fits_go_on_learning_with_a_schedule(schedule):
    options = {"schedule": schedule, "max_iter": 40, "tol": None, "learning_rate": 0.02}
    model = quick(warm_start=True, **options).fit(MOONS.X, MOONS.y)
    before = model.loss_curve_[-1]
    assert model.fit(MOONS.X, MOONS.y).loss_curve_[-1] < 0.9 * before
    assert model.optimizer_.steps == 40
    bits = quick(**options)
    for _ in range(40):
        bits.partial_fit(MOONS.X, MOONS.y, classes=[0, 1])
    once = quick(**options).fit(MOONS.X, MOONS.y)
    np.testing.assert_allclose(bits.loss_curve_, once.loss_curve_, rtol=1e-9)


def test_a_warm_start_takes_a_new_learning_rate_and_refuses_another_network():
    model = quick(warm_start=True, max_iter=3).fit(MOONS.X, MOONS.y)
    assert model.set_params(learning_rate=0.5).fit(MOONS.X, MOONS.y).optimizer_.lr == 0.5
    for name, other in (("hidden_layer_sizes", (3,)), ("activation", "tanh")):
        before = getattr(model, name)
        with pytest.raises(ArgumentError, match=name):
            model.set_params(**{name: other}).fit(MOONS.X, MOONS.y)
        with pytest.raises(ArgumentError, match=name):
            model.partial_fit(MOONS.X, MOONS.y)
        model.set_params(**{name: before})
    with pytest.raises(ArgumentError, match="number of features"):
        model.fit(IRIS.X[:60], IRIS.y[:60] % 2)
    model.fit(MOONS.X, MOONS.y)


def test_a_weight_of_a_sample_is_its_loss_times_the_weight():
    scores, targets = [0.3, -0.7, 0.2], [1, 0, 1]
    for name, rows, y in (
        ("hinge", scores, [1, -1, 1]),
        ("mse", scores, targets),
        ("bce", scores, targets),
        ("cross_entropy", [[s, -s] for s in scores], targets),
    ):
        loss = LOSSES[name].function
        single = [loss([row], [t]) for row, t in zip(rows, y, strict=True)]
        expected = (2 * single[0] + 0 * single[1] + 1 * single[2]) / 3
        assert loss(rows, y, [2, 0, 1]) == pytest.approx(expected, rel=1e-14)


def test_a_class_that_counts_more_is_found_more_often():
    data = load("moons", noise=0.5)
    found = [
        quick(class_weight=weight, max_iter=60).fit(data.X, data.y).predict(data.X_test).mean()
        for weight in ({0: 10, 1: 1}, "balanced", {0: 1, 1: 10})
    ]
    assert found[0] < found[1] < found[2]


@pytest.mark.parametrize("weights", [[1] * 99, [-1] * 100, [0] * 100, ["x"] * 100, [np.nan] * 100])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises((ValueError, TypeError)):
        quick().fit(MOONS.X, MOONS.y, weights)
    with pytest.raises((ValueError, TypeError), match="sample_weight"):
        fit(MLP(2, [1]), MOONS.X, MOONS.y, sample_weight=weights)


# ---- scikit-learn's tools around it ------------------------------------------------------------


def test_it_works_in_a_pipeline_a_search_and_cross_validation():
    pipeline = make_pipeline(StandardScaler(), quick(max_iter=40, learning_rate=0.05))
    assert cross_val_score(pipeline, *load_iris(return_X_y=True), cv=3).mean() > 0.85
    grid = {"microgradclassifier__hidden_layer_sizes": [(2,), (8,)]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(IRIS.X, IRIS.y)
    assert search.best_score_ > 0.8


def test_it_can_be_calibrated_and_its_boundary_displayed():
    model = quick(max_iter=30, learning_rate=0.05)
    calibrated = CalibratedClassifierCV(model, cv=2).fit(MOONS.X, MOONS.y)
    assert calibrated.score(MOONS.X_test, MOONS.y_test) > 0.8
    plt = pytest.importorskip("matplotlib.pyplot")
    fitted = clone(model).fit(MOONS.X, MOONS.y)
    for method in ("predict", "predict_proba", "decision_function"):
        display = DecisionBoundaryDisplay.from_estimator(fitted, MOONS.X, response_method=method)
        assert display.response.shape == (100, 100)
        plt.close(display.figure_)


def test_a_frame_gives_its_names_and_texts_are_classes():
    X = pd.DataFrame(IRIS.X, columns=list(IRIS.features))
    y = pd.Series(np.array(IRIS.classes)[IRIS.y])
    model = quick(max_iter=40, learning_rate=0.05).fit(X, y)
    assert list(model.feature_names_in_) == list(IRIS.features)
    assert set(model.predict(X)) == {"setosa", "versicolor", "virginica"}
    assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[X.columns[::-1]])


def test_it_shows_itself_in_a_notebook():
    page = quick(alpha=0.5)._repr_html_()
    assert "MicrogradClassifier" in page
    assert "alpha" in page


def test_a_pickle_predicts_the_same_and_can_go_on():
    model = quick(warm_start=True, max_iter=5, schedule="cosine").fit(MOONS.X, MOONS.y)
    again = pickle.loads(pickle.dumps(model))
    assert (again.decision_function(MOONS.X) == model.decision_function(MOONS.X)).all()
    one, other = (each.fit(MOONS.X, MOONS.y) for each in (model, again))
    assert one.loss_curve_ == other.loss_curve_


# ---- bad data ----------------------------------------------------------------------------------

GOOD = MOONS.X[:20].tolist()
SIDES = MOONS.y[:20].tolist()


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[np.nan, 0.0], *GOOD[1:]], SIDES),
        ([[np.inf, 0.0], *GOOD[1:]], SIDES),
        ([["a", "b"], *GOOD[1:]], SIDES),
        ([], []),
        (GOOD, SIDES[1:]),
        (GOOD, [np.nan, *SIDES[1:]]),
        (GOOD, [0.5, *SIDES[1:]]),
        (GOOD[0], SIDES[:2]),
        (np.zeros((20, 0)), SIDES),
    ],
    ids=[
        "nan", "inf", "texts", "empty", "labels missing", "nan as label", "fraction as label",
        "one row", "no features",
    ],
)  # fmt: skip
def test_what_scikit_learn_refuses_is_refused_and_nothing_is_changed(X, y):
    with pytest.raises((ValueError, TypeError)) as theirs:
        MLPClassifier(max_iter=2).fit(X, y)
    model = quick(max_iter=2).fit(MOONS.X, MOONS.y)
    before = {**vars(model)}
    with pytest.raises((ValueError, TypeError)) as ours:
        model.fit(X, y)
    assert type(ours.value) is type(theirs.value)
    assert vars(model) == before


def test_one_class_is_an_error_that_says_so():
    with pytest.raises(ArgumentError, match=r"one class: 1$"):
        quick().fit(GOOD, [1] * 20)


def test_the_wrong_width_is_an_error_when_predicting():
    model = quick(max_iter=2).fit(GOOD, SIDES)
    with pytest.raises(ValueError, match="3 features"):
        model.predict([[1, 2, 3]])
    with pytest.raises(NotFittedError):
        quick().predict(GOOD)


def test_constant_features_and_a_sparse_matrix_are_learnt_from():
    constant = np.column_stack([MOONS.X, np.full(len(MOONS.X), 7.0)])
    model = quick(max_iter=80, learning_rate=0.05).fit(constant, MOONS.y)
    assert model.score(constant, MOONS.y) > 0.8
    sparse = quick(max_iter=5).fit(csr_array(MOONS.X), MOONS.y)
    dense = quick(max_iter=5).fit(MOONS.X, MOONS.y)
    assert (sparse.decision_function(MOONS.X) == dense.decision_function(MOONS.X)).all()


@pytest.mark.filterwarnings("ignore:The number of unique classes")  # each sample has its own
def test_a_thousand_classes_are_learnt_from():
    X = np.random.default_rng(0).normal(size=(1000, 2))
    model = quick(hidden_layer_sizes=(1,), max_iter=1, compile=True).fit(X, np.arange(1000))
    assert model.predict_proba(X[:3]).shape == (3, 1000)


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_layer_sizes": (0,)}, {"hidden_layer_sizes": (2.5,)}, {"activation": "rellu"},
        {"loss": "mse"}, {"optimizer": "lbfgs"}, {"schedule": "step"}, {"alpha": -1},
        {"learning_rate": -1}, {"batch_size": 0}, {"max_iter": 0}, {"tol": -1},
        {"n_iter_no_change": 0}, {"validation_fraction": 1}, {"compile": "yes"},
        {"hidden_layer_sizes": None}, {"learning_rate": "adaptive"},
        {"schedule": "cosine", "learning_rate": lambda step: 0.01}, {"class_weight": {0: -1}},
    ],
    ids=", ".join,
)  # fmt: skip
def test_an_option_that_is_none_is_an_error_that_names_it(options):
    model = quick(**options)
    with pytest.raises((ValueError, TypeError)) as caught:
        model.fit(GOOD, SIDES)
    assert str(next(iter(options.values()))).strip("(,)") in str(caught.value)
    assert not hasattr(model, "n_features_in_")


def test_both_estimators_take_the_options_that_are_written_once():
    shared = {field.name: field.default for field in dataclasses.fields(Options)}
    assert MicrogradRegressor().get_params() == {**shared, "loss": "squared_error"}
    assert MicrogradClassifier().get_params() == {
        **shared,
        "loss": "log_loss",
        "class_weight": None,
    }
    with pytest.raises(TypeError):
        MicrogradClassifier((8,), "tanh")


@pytest.mark.parametrize("name", ["max_iter", "batch_size", "n_iter_no_change", "alpha", "tol"])
@pytest.mark.parametrize("given", [-(9**9999), [9**9999]], ids=["long", "list"])
def test_an_option_that_python_cannot_write_is_shown_in_brief(name, given):
    with pytest.raises(ValueError, match=name):
        quick(**{name: given}).fit(GOOD, SIDES)


# ---- a cluster ---------------------------------------------------------------------------------

SWEEP = """
    from dask.distributed import Client
    from joblib import parallel_config
    from sklearn.model_selection import GridSearchCV
    from micrograd import MicrogradClassifier
    from micrograd.datasets import load

    if __name__ == "__main__":
        data = load("moons")
        network = MicrogradClassifier((4,), max_iter=5, tol=None, random_state=0)
        search = GridSearchCV(network, {"learning_rate": [0.001, 0.03]}, cv=2)
        expected = search.fit(data.X, data.y).cv_results_["mean_test_score"]
        with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
            assert len(client.scheduler_info()["workers"]) == 2
            with parallel_config(backend="dask"):
                search.fit(data.X, data.y)
            done = client.run(lambda dask_worker: dask_worker.state.generation)
            assert len(done) == 2
        assert (search.cv_results_["mean_test_score"] == expected).all()
        print("best", search.best_params_["learning_rate"])
"""


@pytest.mark.slow
def test_a_search_on_a_cluster_of_two_processes_gives_the_same_scores(tmp_path):
    program = tmp_path / "sweep.py"
    program.write_text(textwrap.dedent(SWEEP), encoding="utf-8")
    root = str(Path(sys.modules["micrograd"].__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("best 0.03")
