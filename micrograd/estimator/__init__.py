"""Networks as scikit-learn estimators."""

from micrograd.estimator.classifier import MicrogradClassifier
from micrograd.estimator.network import fired
from micrograd.estimator.regressor import MicrogradRegressor

__all__ = ["MicrogradClassifier", "MicrogradRegressor", "fired"]
