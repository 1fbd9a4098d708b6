"""The classifier: a network for two classes or more.

>>> from micrograd.datasets import load
>>> data = load("moons")
>>> classifier = MicrogradClassifier(max_iter=2000, random_state=0).fit(data.X, data.y)
>>> bool(classifier.score(data.X_test, data.y_test) > 0.9)
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from micrograd.checks import needs
from micrograd.errors import ArgumentError, shown_briefly
from micrograd.estimator.network import Network
from micrograd.estimator.options import REQUIRED

with needs(*REQUIRED):
    import numpy as np
    from scipy.special import expit, softmax
    from sklearn.base import ClassifierMixin
    from sklearn.utils import column_or_1d, compute_sample_weight
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets

__all__ = ["MicrogradClassifier"]


@dataclass(kw_only=True, eq=False, repr=False)
class MicrogradClassifier(ClassifierMixin, Network):  # type: ignore[misc]
    """A network that classifies, as a scikit-learn estimator.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default (16, 16)
        Number of neurons of each hidden layer.
    activation : str, default "relu"
        Activation of the hidden layers; any that `Neuron` takes.
    loss : {"log_loss", "hinge"}, default "log_loss"
        "hinge" is for two classes and gives no probabilities.
    optimizer : {"adam", "adamw", "sgd"}, default "adam"
    learning_rate : float or callable, default 0.01
        A number, or a function of the step number.
    schedule : {"constant", "linear", "cosine"}, default "constant"
        "linear" and "cosine" reduce the learning rate to 0 over `max_iter` passes.
    momentum : float, default 0.9
    nesterov : bool, default True
        Both are only used with optimizer="sgd".
    alpha : float, default 0.0001
        Strength of the L2 penalty on the weights, divided by the batch size. As in scikit-learn,
        biases are not penalised.
    class_weight : dict, "balanced" or None, default None
        The weight of each class.
    batch_size : int or "auto", default "auto"
        "auto" is 200, or all samples if there are fewer.
    max_iter : int, default 200
        The largest number of passes over the data.
    tol : float or None, default 0.0001
        By how much the loss must fall to count as progress. None does all passes.
    n_iter_no_change : int, default 10
        The number of passes without progress that ends training.
    early_stopping : bool, default False
        Hold out `validation_fraction` of the samples, stop training when their loss no longer
        falls, and keep the parameters with the lowest.
    validation_fraction : float, default 0.1
    random_state : int, RandomState instance or None, default None
        Determines the initial weights, the shuffling and the samples held out.
    warm_start : bool, default False
        Continue from the parameters of the last `fit`. Each `fit` has a new optimizer and
        schedule; calls of `partial_fit` share them.
    compile : bool or "auto", default "auto"
        Whether to train in machine code; "auto" does if it saves time.
    verbose : bool, default False
        Show a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    model_ : MLP
    optimizer_ : Optimizer
    history_ : History
        The last fit, step by step.
    loss_curve_ : list of float
        The mean loss of each pass, including the fits before a warm start.
    loss_ : float
        The last entry of `loss_curve_`.
    validation_loss_curve_ : list of float or None
    n_iter_ : int
        The number of passes of the last fit and of the calls of `partial_fit` since.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only if `X` had names.

    Raises
    ------
    ArgumentError
        In `fit`, if an option cannot be used. Also a ValueError.
    OverflowRangeError, DomainError, ZeroDivisorError, NonFiniteError
        In `fit`, if a number is no longer finite. The estimator is unchanged, and the error's
        `history` has the steps before.

    Warns
    -----
    ConvergenceWarning
        If the loss grew, or was still falling at the end.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MicrogradClassifier((8,), max_iter=2000, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> bool(pipeline.score(X, y) > 0.95)
    True
    """

    loss: str = "log_loss"
    class_weight: Any = None
    losses: ClassVar = ("log_loss", "hinge")

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MicrogradClassifier:
        """Train on samples and their classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes: numbers or strings.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        MicrogradClassifier
            Itself.

        Raises
        ------
        ValueError
            If the data cannot be used, for instance with one class only.
        """
        goes_on = self._goes_on()
        with self._all_or_nothing():
            X, y, weights = self._checked(X, y, sample_weight, reset=True)
            classes = np.unique(y)
            if goes_on and not np.array_equal(classes, self.classes_):
                raise ArgumentError(
                    f"warm_start needs the classes of the last fit, {self.classes_}, got {classes}"
                )
            self._fit(X, y, weights, classes, anew=not goes_on, one_pass=False)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> MicrogradClassifier:
        """Continue training with one pass over these samples.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), optional
            All classes of this and all later calls; required in the first call.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        MicrogradClassifier
            Itself.
        """
        first = not hasattr(self, "model_")
        if first and classes is None:
            raise ArgumentError("classes must be passed on the first call to partial_fit")
        known = np.unique(classes) if first else self.classes_
        if not first and classes is not None and not np.array_equal(np.unique(classes), known):
            raise ArgumentError(
                f"classes are {known} since the first call, got {shown_briefly(classes)}"
            )
        with self._all_or_nothing():
            X, y, weights = self._checked(X, y, sample_weight, reset=first)
            unknown = np.setdiff1d(y, known)
            if len(unknown):
                raise ArgumentError(f"y has classes that are not among {known}: {unknown}")
            self._fit(X, y, weights, known, anew=first, one_pass=True)
        return self

    def _checked(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Any, Any, Any]:
        X, y, weights = self._samples(X, y, sample_weight, reset=reset)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            if not (by_class.min() >= 0 and np.isfinite(by_class).all()):
                raise ArgumentError(
                    "expected weights of 0 or more, and finite, in class_weight, got "
                    f"{shown_briefly(self.class_weight)}"
                )
            weights = by_class if weights is None else weights * by_class
        return X, y, weights

    def _fit(
        self, X: Any, y: Any, weights: Any, classes: Any, *, anew: bool, one_pass: bool
    ) -> None:
        if len(classes) < 2:
            raise ArgumentError(
                "a classifier needs samples of at least two classes, the data has one class: "
                f"{classes.tolist()[0]!r}"
            )
        if self.loss == "hinge" and len(classes) > 2:
            raise ArgumentError(
                f"loss='hinge' is for two classes, the data has {len(classes)}: use 'log_loss'"
            )
        several = len(classes) > 2
        loss = "cross_entropy" if several else "hinge" if self.loss == "hinge" else "bce"
        targets = np.searchsorted(classes, y)
        outputs = len(classes) if several else 1
        self._learn(X, targets, weights, loss, outputs, anew=anew, one_pass=one_pass)
        self.classes_ = classes

    def decision_function(self, X: Any) -> Any:
        """Return the scores of samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes, positive for the second one; otherwise one logit per class.
        """
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Any:
        """Return the most likely class of each sample, an ndarray of shape (n_samples,)."""
        scores = self.decision_function(X)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    @available_if(lambda self: self.loss != "hinge")  # type: ignore[untyped-decorator,unused-ignore]
    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities of the classes, an ndarray of shape (n_samples, n_classes)."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([expit(-scores), expit(scores)])
        return softmax(scores, axis=1)
