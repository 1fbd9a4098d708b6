"""The data sets: their sizes, that nothing leaks from the held-out part, and seeds."""

import math
import sys
from collections import Counter

import pytest

np = pytest.importorskip("numpy")
sklearn_datasets = pytest.importorskip("sklearn.datasets")

from micrograd.datasets import NAMES, REGRESSIONS, load  # noqa: E402
from micrograd.errors import ArgumentError, ArgumentTypeError  # noqa: E402

REAL = {"iris": (150, 4, 3), "breast_cancer": (569, 30, 2), "digits": (1797, 64, 10)}


@pytest.mark.parametrize("name", NAMES)
def test_every_set_is_finite_split_and_in_proportion(name):
    data = load(name)
    samples, features, classes = REAL.get(name, (200, 2, 3 if name == "blobs" else 2))
    assert len(data.X) + len(data.X_test) == samples
    assert data.X.shape[1] == data.X_test.shape[1] == len(data.features) == features
    assert len(data.classes) == classes
    assert data.X.dtype == float
    assert np.isfinite(data.X).all()
    assert np.isfinite(data.X_test).all()
    for labels in (data.y, data.y_test):
        counts = Counter(labels.tolist())
        assert sorted(counts) == list(range(classes))
        whole = Counter([*data.y.tolist(), *data.y_test.tolist()])
        for label, count in counts.items():
            assert abs(count / len(labels) - whole[label] / samples) < 0.03
    assert data.standardised == (name in REAL)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_regression_is_a_surface_over_a_square_with_noise_on_the_target(name):
    heights = {
        "plane": lambda X: X.sum(axis=1) / 4,
        "gaussians": lambda X: (
            np.exp(-((X - 1) ** 2).sum(axis=1)) - np.exp(-((X + 1) ** 2).sum(axis=1))
        ),
    }
    data, exact = load(name, seed=5), load(name, noise=0, seed=6)
    assert data.classes == ()
    assert repr(data).endswith("held out, 2 features, a target)")
    assert np.allclose(exact.y, heights[name](exact.X), rtol=1e-12, atol=1e-15)
    for X in (data.X, data.X_test):
        assert (abs(X) <= 2).all()
        assert (np.ptp(X, axis=0) > 3.5).all()
    off = np.concatenate([data.y, data.y_test]) - heights[name](
        np.concatenate([data.X, data.X_test])
    )
    assert off.std() == pytest.approx(0.05, rel=0.2)
    assert "target" in data._repr_html_()
    assert len(load(name, samples=50, held_out=0.2).X_test) == 10
    with pytest.raises(ArgumentError, match=r"expected 4 samples or more with 0\.5 held out"):
        load(name, samples=3)


@pytest.mark.parametrize("name", REAL)
def test_real_data_are_standardised_by_the_part_to_learn_from_alone(name):
    data = load(name)
    assert np.allclose(data.X.mean(axis=0), 0, atol=1e-12)
    spread = data.X.std(axis=0)
    assert np.allclose(spread[spread > 1e-9], 1)
    assert abs(data.X_test.mean(axis=0)).max() > 1e-3  # not centred by itself
    raw = getattr(sklearn_datasets, f"load_{name}")().data
    both = np.concatenate([data.X, data.X_test])
    column = int(raw.std(axis=0).argmax())
    scale = np.ptp(raw[:, column]) / np.ptp(both[:, column])
    assert np.allclose(sorted(raw[:, column] - raw[:, column].min()),
                       sorted((both[:, column] - both[:, column].min()) * scale))  # fmt: skip


@pytest.mark.parametrize("name", ["moons", "xor", "spirals", "digits"])
def test_the_seed_decides_everything(name):
    first, second, other = load(name, seed=3), load(name, seed=3), load(name, seed=4)
    assert np.array_equal(first.X, second.X)
    assert np.array_equal(first.y_test, second.y_test)
    assert not np.array_equal(first.X, other.X)


def test_made_up_shapes_without_noise_are_what_they_are_called():
    data = load("xor", noise=0)
    for row, label in zip(data.X.tolist(), data.y.tolist(), strict=True):
        assert label == (row[0] > 0) ^ (row[1] > 0)
    data = load("circles", noise=0)
    assert np.allclose(np.hypot(*data.X.T), np.where(data.y == 1, 0.5, 1.0))
    data = load("spirals", noise=0)
    radius = np.hypot(*data.X.T)
    turn = (np.arctan2(data.X[:, 1], data.X[:, 0]) - 2 * math.pi * (radius - 0.2) / 1.8) / math.pi
    assert np.allclose((turn - data.y + 0.5) % 2, 0.5)


def test_sizes_can_be_chosen():
    data = load("moons", samples=50, held_out=0.2)
    assert (len(data.X), len(data.X_test)) == (40, 10)
    assert len(load("digits", samples=200).X) == 150
    assert len(load("iris", samples=150).X) == 112


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ({"name": "mons"}, ArgumentError, "the dataset to be one of 'moons', .*got 'mons'"),
        ({"name": "moons", "samples": 3}, ArgumentError, "expected 8 samples or more"),
        ({"name": "moons", "samples": 9.5}, ArgumentTypeError, "whole number"),
        ({"name": "iris", "samples": 151}, ArgumentError, "iris has 150 samples"),
        ({"name": "iris", "samples": 148}, ArgumentError, "all of them or 147 at most"),
        ({"name": "iris", "noise": 0.1}, ArgumentError, "noise is for generated data"),
        ({"name": "moons", "noise": -1}, ArgumentError, "noise to be a finite number of 0 or more"),
        (
            {"name": "moons", "held_out": 1},
            ArgumentError,
            "held_out to be a finite number above 0 and below 1",
        ),
        (
            {"name": "moons", "seed": -1},
            ArgumentError,
            "seed to be a whole number from 0 to 4294967295",
        ),
        ({"name": "moons", "seed": 0.5}, ArgumentTypeError, "seed to be a whole number"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, kind, told):
    with pytest.raises(kind, match=told):
        load(**arguments)


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"micrograd\[train\]"):
        load("iris")
