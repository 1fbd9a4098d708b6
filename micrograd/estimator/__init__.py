"""Networks as scikit-learn estimators."""

from micrograd.estimator.network import MicrogradClassifier, MicrogradRegressor, fired

__all__ = ["MicrogradClassifier", "MicrogradRegressor", "fired"]
