"""The regressor."""

import numpy as np
import pytest
from sklearn.multioutput import MultiOutputRegressor

from micrograd import MicrogradRegressor
from micrograd.errors import ArgumentError

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"  # short runs are meant, 2026-11
)


def test_a_regressor_learns_a_curve():
    X = np.linspace(-2, 2, 80)[:, None]
    y = np.sin(2 * X[:, 0])
    model = MicrogradRegressor(activation="tanh", max_iter=300, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.95


def test_several_numbers_a_sample_are_a_task_for_one_network_each():
    X = np.linspace(-2, 2, 60)[:, None]
    Y = np.column_stack([X[:, 0], np.sin(2 * X[:, 0])])
    model = MicrogradRegressor(activation="tanh", max_iter=300, random_state=0)
    with pytest.raises(ArgumentError, match=r"2 columns.*MultiOutputRegressor"):
        model.fit(X, Y)
    assert not hasattr(model, "n_features_in_")
    assert MultiOutputRegressor(model).fit(X, Y).score(X, Y) > 0.95
