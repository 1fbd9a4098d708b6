"""Networks as scikit-learn estimators: a classifier and a regressor around `MLP` and `fit`.

>>> from micrograd.datasets import load
>>> data = load("moons")
>>> classifier = MicrogradClassifier(max_iter=2000, random_state=0).fit(data.X, data.y)
>>> bool(classifier.score(data.X_test, data.y_test) > 0.9)
True
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, Final

from micrograd import optim
from micrograd.engine import Value, no_grad
from micrograd.errors import ArgumentError
from micrograd.nn import MLP, activated, is_replaced
from micrograd.ops import TABLE
from micrograd.train import EarlyStop, History, fit

try:
    import numpy as np
    from scipy.special import erf, expit
    from scipy.special import softmax as softmax_of_rows
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state, column_or_1d, compute_sample_weight
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import (
        _check_sample_weight,
        check_is_fitted,
        validate_data,
    )
except ImportError as error:
    raise ImportError(
        'the estimators need scikit-learn 1.6 or later: pip install "micrograd[train]"'
    ) from error

__all__ = ["MicrogradClassifier", "MicrogradRegressor", "fired"]

_LARGEST_BATCH: Final = 200  # samples, where the batch size is left to us, as in scikit-learn
_EAGER: Final = 6e-7  # seconds a step that is not compiled takes, a sample and parameter
_COMPILING: Final = 3e-4  # seconds that compiling takes, a parameter
_STARTING: Final = 0.1  # seconds that it takes besides

# The activations over arrays; any other is computed number by number.
_OVER_ARRAYS: Final[dict[str, Any]] = {
    "relu": lambda s: np.maximum(s, 0.0),
    "tanh": np.tanh,
    "sigmoid": expit,
    "linear": lambda s: s,
    "leaky_relu": lambda s: np.where(s > 0, s, 0.01 * s),
    "elu": lambda s: np.where(s > 0, s, np.expm1(np.minimum(s, 0.0))),
    "gelu": lambda s: s * 0.5 * (1 + erf(s / np.sqrt(2.0))),
    "silu": lambda s: s * expit(s),
    "softplus": lambda s: np.logaddexp(s, 0.0),
}


class _Network(BaseEstimator):  # type: ignore[misc]
    """What the estimators share: options, training, the scores of many samples."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (16, 16),
        *,
        activation: str = "relu",
        loss: str = "",
        optimizer: str = "adam",
        learning_rate: Any = 0.01,
        schedule: str = "constant",
        momentum: float = 0.9,
        nesterov: bool = True,
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        max_iter: int = 200,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        warm_start: bool = False,
        compile: Any = "auto",  # noqa: A002 (the name that `fit` has for it)
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.momentum = momentum
        self.nesterov = nesterov
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.warm_start = warm_start
        self.compile = compile
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    model_: MLP
    optimizer_: Any
    loss_curve_: list[float]
    n_iter_: int
    _losses: tuple[str, ...] = ()

    # ---- options -------------------------------------------------------------------------------

    def _checked_options(self) -> tuple[int, ...]:
        """Return the hidden sizes; raise for an option that cannot be used."""
        given: Any = self.hidden_layer_sizes
        sizes = tuple(given) if hasattr(given, "__iter__") else (given,)
        for size in sizes:
            if not _is_whole(size, 1):
                raise ArgumentError(
                    f"expected whole numbers of 1 or more as hidden_layer_sizes, got {size!r:.60}"
                )
        rate: Any = self.learning_rate
        if not callable(rate) and not (isinstance(rate, Real) and 0 <= float(rate) < float("inf")):
            raise ArgumentError(
                f"expected learning_rate to be a number of 0 or more, or a function of the step "
                f"number, got {rate!r:.60}"
            )
        if callable(rate) and self.schedule != "constant":
            raise ArgumentError(
                f"schedule={self.schedule!r:.60} changes a learning_rate that is a number: with a "
                "function of the step number pass schedule='constant'"
            )
        for name, least in (("max_iter", 1), ("n_iter_no_change", 1)):
            if not _is_whole(getattr(self, name), least):
                raise ArgumentError(
                    f"expected {name} to be a whole number of {least} or more, "
                    f"got {getattr(self, name)!r:.60}"
                )
        if self.batch_size != "auto" and not _is_whole(self.batch_size, 1):
            raise ArgumentError(
                "expected batch_size to be 'auto' or a whole number of 1 or more, "
                f"got {self.batch_size!r:.60}"
            )
        for name in ("alpha", "tol"):
            given = getattr(self, name)
            if given is None and name == "tol":
                continue
            if not isinstance(given, Real) or not 0 <= float(given) < float("inf"):
                raise ArgumentError(f"expected {name} of 0 or more, got {given!r:.60}")
        share: Any = self.validation_fraction
        if not isinstance(share, Real) or not 0 < float(share) < 1:
            raise ArgumentError(f"expected validation_fraction between 0 and 1, got {share!r:.60}")
        for name, known in (
            ("loss", self._losses),
            ("optimizer", ("adam", "adamw", "sgd")),
            ("schedule", ("constant", "linear", "cosine")),
        ):
            given = getattr(self, name)
            if given not in known:
                raise ArgumentError(
                    f"unknown {name} {given!r:.60}: expected {', '.join(map(repr, known))}"
                )
        if self.compile not in (True, False, "auto"):
            raise ArgumentError(
                f"expected compile to be True, False or 'auto', got {self.compile!r}"
            )
        return sizes

    def _made(self, sizes: tuple[int, ...], outputs: int, seed: int) -> MLP:
        init = (
            "he" if self.activation in ("relu", "leaky_relu", "elu", "gelu", "silu") else "glorot"
        )
        return MLP(
            self.n_features_in_,
            [*map(int, sizes), outputs],
            activation=self.activation,
            init=init,
            rng=random.Random(seed),
        )

    def _descent(self, model: MLP, batch: float, steps: int) -> Any:
        rate = self.learning_rate
        if self.schedule != "constant":
            shape = {"linear": optim.linear, "cosine": optim.cosine}[self.schedule]
            rate = shape(rate, 0.0, steps)
        parameters, decay = model.parameters(), float(self.alpha) / batch
        weights = [w for layer in model.layers for neuron in layer.neurons for w in neuron.w]
        if self.optimizer == "sgd":
            return optim.SGD(
                parameters,
                rate,
                momentum=self.momentum,
                nesterov=bool(self.nesterov and self.momentum),
                weight_decay=decay,
                decayed=weights,
            )
        kind = {"adam": optim.Adam, "adamw": optim.AdamW}[self.optimizer]
        return kind(parameters, rate, weight_decay=decay, decayed=weights)

    def _pays(self, samples: int, steps: int, parameters: int) -> bool:
        """Return whether compiling takes less time than it saves."""
        return steps * samples * parameters * _EAGER > _COMPILING * parameters + _STARTING

    # ---- training ------------------------------------------------------------------------------

    def _learn(
        self, X: Any, y: Any, weights: Any, loss: str, outputs: int, *, anew: bool, one_pass: bool
    ) -> None:
        """Train on checked data; `y` as the loss wants it, weights one a sample or None."""
        sizes = self._checked_options()
        if not anew:
            self._check_same(sizes, X.shape[1])
        draw = check_random_state(self.random_state)
        seed = int(draw.randint(2**31 - 1))
        # As many samples as the weights stand for share the penalty.
        share = 1.0 if weights is None else float(np.mean(weights))
        if weights is not None:
            if not weights.sum() > 0:
                raise ArgumentError("the weights in sample_weight are all 0: no sample counts")
            if np.all(weights == weights[0]):
                weights = None
        held_out = None
        if self.early_stopping and not one_pass:
            X, y, weights, held_out = self._parted(X, y, weights, draw)
        samples = len(X)
        size = _LARGEST_BATCH if self.batch_size == "auto" else int(self.batch_size)
        size = min(size, samples)
        each = -(-samples // size)  # steps a pass
        passes = 1 if one_pass else int(self.max_iter)
        model = self._made(sizes, outputs, seed) if anew else self.model_
        # Calls of partial_fit are one run, whose schedule is as long as that of `fit`.
        if one_pass and not anew:
            optimizer = self.optimizer_
        else:
            optimizer = self._descent(model, size * share, int(self.max_iter) * each)
        stop = None
        if held_out is not None or not (one_pass or self.tol is None):
            stop = EarlyStop(
                patience=passes + 1 if self.tol is None else int(self.n_iter_no_change),
                min_delta=float(self.tol or 0),
                restore_best=held_out is not None,
                every=1 if held_out is not None else each,
            )
        choice = self.compile
        if choice == "auto":
            choice = self._pays(size, passes * each, len(model.parameters()))
        history = fit(
            model,
            X,
            y,
            loss,
            optimizer,
            steps=passes * each,
            batch_size=None if size == samples else size,
            seed=seed,
            progress=bool(self.verbose),
            validation=held_out,
            validate_every=each,
            early_stop=stop,
            compile=choice,
            sample_weight=weights,
        )
        # From here on nothing can fail: an estimator is fitted as a whole, or is as it was.
        self.model_, self.optimizer_ = model, optimizer
        curve = self._note(history, each, anew=anew, one_pass=one_pass)
        told = None
        if _grew(curve, history.validation_loss, float(self.tol or 0)):
            data = "X" if isinstance(self, ClassifierMixin) else "X and y"
            told = (
                f"the loss grew: it was {curve[0]:.4g} in the first pass and {curve[-1]:.4g} in "
                f"the last: scale {data} to mean 0 and spread 1 (StandardScaler"
                f"{'' if data == 'X' else ', TransformedTargetRegressor'}), or lower "
                f"learning_rate={self.learning_rate!r:.60}"
            )
        elif stop is not None and self.tol is not None and not history.stopped_early:
            told = (
                f"the loss was still falling when max_iter={passes} passes over the data were "
                "done: raise max_iter or learning_rate"
            )
        if told is not None:
            warnings.warn(told, ConvergenceWarning, stacklevel=4)

    def _check_same(self, sizes: tuple[int, ...], features: int) -> None:
        """Raise where another network is asked for than the one to go on with."""
        model = self.model_
        last = tuple(len(layer.neurons) for layer in model.layers[:-1])
        for name, before, now in (
            ("number of features", model.nin, features),
            ("hidden_layer_sizes", last, tuple(map(int, sizes))),
            ("activation", model.activation, self.activation),
        ):
            if before != now:
                raise ArgumentError(
                    f"training goes on with the {name} of the last fit, {before}, got {now}: "
                    "clone the estimator for another network"
                )

    def _parted(self, X: Any, y: Any, weights: Any, draw: Any) -> tuple[Any, Any, Any, Any]:
        """Return what to learn from and, as a pair, what to stop by."""
        index = np.arange(len(X))
        try:
            learnt, kept = train_test_split(
                index,
                test_size=self.validation_fraction,
                random_state=draw,
                stratify=y if isinstance(self, ClassifierMixin) else None,
            )
        except ValueError as error:
            raise ArgumentError(
                f"early_stopping cannot hold out {self.validation_fraction:g} of {len(X)} "
                f"samples: {error}"
            ) from error
        part = None if weights is None else weights[learnt]
        return X[learnt], y[learnt], part, (X[kept], y[kept])

    def _note(self, history: History, each: int, *, anew: bool, one_pass: bool) -> list[float]:
        """Keep what happened, by passes over the data; return the losses of the new ones."""
        losses = history.loss
        curve = [sum(losses[i : i + each]) / each for i in range(0, len(losses) - each + 1, each)]
        self.history_ = history
        self.loss_curve_ = curve if anew else [*self.loss_curve_, *curve]
        # Calls of partial_fit are one run, and each fit is one of its own.
        self.n_iter_ = len(curve) + (self.n_iter_ if one_pass and not anew else 0)
        self.loss_ = self.loss_curve_[-1]
        self.validation_loss_curve_ = list(history.validation_loss) or None
        return curve

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Leave the estimator as it was where what is done inside fails."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _goes_on(self) -> bool:
        return bool(self.warm_start) and hasattr(self, "model_")

    # ---- use -----------------------------------------------------------------------------------

    def _scores(self, X: Any) -> Any:
        """Return what the network gives for each sample, shape (n_samples, n_outputs)."""
        check_is_fitted(self, "model_")
        X = validate_data(self, X, accept_sparse=("csr", "csc"), dtype=float, reset=False)
        flowing = _dense(X)
        for layer in self.model_.layers:
            w = np.array([[float(weight.data) for weight in n.w] for n in layer.neurons])
            b = np.array([float(n.b.data) for n in layer.neurons])
            flowing = flowing @ w.T + b
            if layer.neurons[0].nonlin:
                flowing = fired(layer.neurons[0].activation, flowing)
        return flowing


class MicrogradClassifier(ClassifierMixin, _Network):  # type: ignore[misc]
    """A network that tells classes apart, as a scikit-learn estimator.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default (16, 16)
        Number of neurons of each hidden layer.
    activation : str, default "relu"
        Of the hidden layers; any that `Neuron` knows.
    loss : {"log_loss", "hinge"}, default "log_loss"
        "hinge" is for two classes, and then there are no probabilities.
    optimizer : {"adam", "adamw", "sgd"}, default "adam"
    learning_rate : float or callable, default 0.01
        A function of the step number gives the rate of each step.
    schedule : {"constant", "linear", "cosine"}, default "constant"
        How the learning rate falls to 0 over `max_iter` passes.
    momentum : float, default 0.9
    nesterov : bool, default True
        Both of "sgd" only.
    alpha : float, default 0.0001
        Strength of the L2 penalty of the weights, divided by the size of a batch. As in
        scikit-learn, biases are free of it.
    class_weight : dict, "balanced" or None, default None
        How much each class counts.
    batch_size : int or "auto", default "auto"
        "auto" is 200, or all samples where they are fewer.
    max_iter : int, default 200
        Passes over the data at most.
    tol : float or None, default 0.0001
        By how much the loss has to fall to count as progress. With None all passes are done.
    n_iter_no_change : int, default 10
        How many passes without progress end the training.
    early_stopping : bool, default False
        Hold out `validation_fraction` of the samples, stop by their loss, and keep the
        parameters that were best for them.
    validation_fraction : float, default 0.1
    random_state : int, RandomState instance or None, default None
        Decides the first weights, the order of the samples and what is held out.
    warm_start : bool, default False
        Go on from the parameters that the last `fit` ended with. Each `fit` starts the optimizer
        and its schedule anew; calls of `partial_fit` share them.
    compile : bool or "auto", default "auto"
        Whether to train with machine code; "auto" does so where it saves time.
    verbose : bool, default False
        Show a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    model_ : MLP
    optimizer_ : Optimizer
    history_ : History
        Of the last fit, step by step.
    loss_curve_ : list of float
        The mean loss of each pass, those of the fits before a warm start included.
    loss_ : float
        The last of them.
    validation_loss_curve_ : list of float or None
    n_iter_ : int
        Passes of the last fit, and of the calls of `partial_fit` since then.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only where `X` had names.

    Raises
    ------
    ArgumentError
        From `fit`, for an option that cannot be used. Also a ValueError.
    OverflowRangeError, DomainError, ZeroDivisorError, NonFiniteError
        From `fit`, where training stops because a number is no longer finite. The estimator is
        as it was, and the error's `history` has the steps before.

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

    _losses = ("log_loss", "hinge")

    def __init__(
        self,
        hidden_layer_sizes: Any = (16, 16),
        *,
        activation: str = "relu",
        loss: str = "log_loss",
        optimizer: str = "adam",
        learning_rate: Any = 0.01,
        schedule: str = "constant",
        momentum: float = 0.9,
        nesterov: bool = True,
        alpha: float = 1e-4,
        class_weight: Any = None,
        batch_size: Any = "auto",
        max_iter: int = 200,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        warm_start: bool = False,
        compile: Any = "auto",  # noqa: A002
        verbose: bool = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation=activation,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            momentum=momentum,
            nesterov=nesterov,
            alpha=alpha,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            random_state=random_state,
            warm_start=warm_start,
            compile=compile,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MicrogradClassifier:
        """Train on samples and their classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes of any kind: numbers or texts.
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
        """Go on training, by one pass over these samples.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), optional
            All classes there will ever be; needed at the first call.
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
            raise ArgumentError(f"classes are {known} since the first call, got {classes!r:.60}")
        with self._all_or_nothing():
            X, y, weights = self._checked(X, y, sample_weight, reset=first)
            unknown = np.setdiff1d(y, known)
            if len(unknown):
                raise ArgumentError(f"y has classes that are not among {known}: {unknown}")
            self._fit(X, y, weights, known, anew=first, one_pass=True)
        return self

    def _checked(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Any, Any, Any]:
        X, y = validate_data(
            self, X, y, accept_sparse=("csr", "csc"), dtype=float, multi_output=True, reset=reset
        )
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=float, ensure_non_negative=True)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            if not (by_class.min() >= 0 and np.isfinite(by_class).all()):
                raise ArgumentError(
                    "expected weights of 0 or more, and finite, in class_weight, got "
                    f"{self.class_weight!r:.60}"
                )
            weights = by_class if weights is None else weights * by_class
        return _dense(X), y, weights

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
            For two classes, above 0 for the second one; else a logit a class.
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
        return softmax_of_rows(scores, axis=1)


class MicrogradRegressor(RegressorMixin, _Network):  # type: ignore[misc]
    """A network that predicts a number, as a scikit-learn estimator.

    Parameters
    ----------
    hidden_layer_sizes, activation, optimizer, learning_rate, schedule, momentum, nesterov, alpha, \
batch_size, max_iter, tol, n_iter_no_change, early_stopping, validation_fraction, random_state, \
warm_start, compile, verbose
        As of `MicrogradClassifier`.
    loss : {"squared_error"}, default "squared_error"

    Attributes
    ----------
    model_, optimizer_, history_, loss_curve_, loss_, validation_loss_curve_, n_iter_, \
n_features_in_, feature_names_in_
        As of `MicrogradClassifier`.

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

    _losses = ("squared_error",)

    def __init__(
        self,
        hidden_layer_sizes: Any = (16, 16),
        *,
        activation: str = "relu",
        loss: str = "squared_error",
        optimizer: str = "adam",
        learning_rate: Any = 0.01,
        schedule: str = "constant",
        momentum: float = 0.9,
        nesterov: bool = True,
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        max_iter: int = 200,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        warm_start: bool = False,
        compile: Any = "auto",  # noqa: A002
        verbose: bool = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation=activation,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            momentum=momentum,
            nesterov=nesterov,
            alpha=alpha,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            random_state=random_state,
            warm_start=warm_start,
            compile=compile,
            verbose=verbose,
        )

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MicrogradRegressor:
        """Train on samples and their numbers.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            One number a sample; `sklearn.multioutput.MultiOutputRegressor` is for several.
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
        """Go on training, by one pass over these samples; as `fit` otherwise."""
        first = not hasattr(self, "model_")
        with self._all_or_nothing():
            self._fit(X, y, sample_weight, anew=first, one_pass=True, reset=first)
        return self

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, anew: bool, one_pass: bool, reset: bool
    ) -> None:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=("csr", "csc"),
            dtype=float,
            multi_output=True,
            y_numeric=True,
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] > 1:
            raise ArgumentError(
                f"y has {y.shape[1]} columns, and this network predicts one number: for several, "
                "sklearn.multioutput.MultiOutputRegressor fits one network a column"
            )
        y = column_or_1d(y, warn=True, dtype=float)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=float, ensure_non_negative=True)
        self._learn(_dense(X), y, weights, "mse", 1, anew=anew, one_pass=one_pass)

    def predict(self, X: Any) -> Any:
        """Return the number of each sample, an ndarray of shape (n_samples,)."""
        return self._scores(X)[:, 0]


def _grew(curve: list[float], held_out: list[float], tol: float) -> bool:
    """Return whether the parameters that are kept have a larger loss than the first ones."""
    if held_out:  # the parameters of its lowest loss are kept
        return len(held_out) > 1 and min(held_out) == held_out[0] < held_out[-1] - tol
    return curve[-1] > curve[0] + tol


def _is_whole(given: Any, least: int) -> bool:
    if isinstance(given, bool):
        return False
    return isinstance(given, Integral) and int(given) >= least


def _dense(X: Any) -> Any:
    return X.toarray() if hasattr(X, "toarray") else X


def fired(activation: str, sums: Any) -> Any:
    """Return the activation of each sum.

    Parameters
    ----------
    activation : str
        As `Neuron` names it.
    sums : ndarray

    Returns
    -------
    ndarray
        Of the same shape.

    Examples
    --------
    >>> fired("relu", np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if is_replaced(activation):
        with no_grad():
            return np.vectorize(lambda s: activated(Value(s), activation).data, [float])(sums)
    known = _OVER_ARRAYS.get(activation)
    if known is not None:
        return known(sums)
    return np.vectorize(TABLE[activation].forward, otypes=[float])(sums)
