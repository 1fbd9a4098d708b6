"""The regressor: a network that predicts a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from micrograd.checks import needs
from micrograd.errors import ArgumentError
from micrograd.estimator.network import Network
from micrograd.estimator.options import REQUIRED

with needs(*REQUIRED):
    from sklearn.base import RegressorMixin
    from sklearn.utils import column_or_1d

__all__ = ["MicrogradRegressor"]


@dataclass(kw_only=True, eq=False, repr=False)
class MicrogradRegressor(RegressorMixin, Network):  # type: ignore[misc]
    """A network that predicts a number, as a scikit-learn estimator.

    Parameters
    ----------
    loss : {"squared_error"}, default "squared_error"
    hidden_layer_sizes, ..., verbose
        The other options of `MicrogradClassifier`, without `class_weight`.

    Attributes
    ----------
    model_, ..., feature_names_in_
        As of `MicrogradClassifier`, without `classes_`.

    Raises
    ------
    ArgumentError, OverflowRangeError, DomainError, ZeroDivisorError, NonFiniteError
        As of `MicrogradClassifier`.

    Warns
    -----
    ConvergenceWarning
        As of `MicrogradClassifier`.

    Examples
    --------
    >>> X, y = [[-1.0], [-0.5], [0.0], [0.5], [1.0]], [1.0, 0.25, 0.0, 0.25, 1.0]
    >>> regressor = MicrogradRegressor((8,), activation="tanh", tol=None, random_state=0)
    >>> bool(regressor.fit(X, y).score(X, y) > 0.9)
    True
    """

    loss: str = "squared_error"
    losses: ClassVar = ("squared_error",)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MicrogradRegressor:
        """Train on samples and their targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            One number per sample; for several, use `sklearn.multioutput.MultiOutputRegressor`.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        MicrogradRegressor
            Itself.

        Raises
        ------
        ValueError
            If the data cannot be used, for instance with several columns in `y`.
        """
        goes_on = self._goes_on()
        with self._all_or_nothing():
            self._fit(X, y, sample_weight, anew=not goes_on, one_pass=False, reset=True)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MicrogradRegressor:
        """Continue training with one pass over these samples; otherwise like `fit`."""
        first = not hasattr(self, "model_")
        with self._all_or_nothing():
            self._fit(X, y, sample_weight, anew=first, one_pass=True, reset=first)
        return self

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, anew: bool, one_pass: bool, reset: bool
    ) -> None:
        X, y, weights = self._samples(X, y, sample_weight, reset=reset, y_numeric=True)
        if y.ndim == 2 and y.shape[1] > 1:
            raise ArgumentError(
                f"y has {y.shape[1]} columns, and this network predicts one number: for several, "
                "sklearn.multioutput.MultiOutputRegressor fits one network per column"
            )
        y = column_or_1d(y, warn=True, dtype=float)
        self._learn(X, y, weights, "mse", 1, anew=anew, one_pass=one_pass)

    def predict(self, X: Any) -> Any:
        """Return the number of each sample, an ndarray of shape (n_samples,)."""
        return self._scores(X)[:, 0]
