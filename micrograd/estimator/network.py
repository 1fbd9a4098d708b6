"""What the estimators share: a network that is trained and used as scikit-learn does."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from micrograd import optim
from micrograd.checks import finite_number, needs, one_of, whole_number
from micrograd.engine import Value, no_grad
from micrograd.errors import ArgumentError, shown_briefly
from micrograd.estimator.options import REQUIRED, Options
from micrograd.nn import MLP, activated, activation_of, is_replaced, neurons_of
from micrograd.nn.layers import RECTIFIERS
from micrograd.ops import TABLE
from micrograd.train import EarlyStop, History, fit

with needs(*REQUIRED):
    import numpy as np
    from scipy.special import erf, expit
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

__all__ = ["Network", "dense", "fired"]

_LARGEST_BATCH: Final = 200  # samples of a batch_size="auto", as in scikit-learn
_EAGER: Final = 6e-7  # seconds per sample and parameter of a step that is not compiled
_COMPILING: Final = 3e-4  # seconds of compiling per parameter
_STARTING: Final = 0.1  # seconds of compiling besides
_ACCEPTED: Final[dict[str, Any]] = {"accept_sparse": ("csr", "csc"), "dtype": float}

# Activations over arrays, by name; any other is computed element by element.
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


class Network(Options, BaseEstimator):  # type: ignore[misc]
    """What the estimators share: options, training, the scores of many samples."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    model_: MLP
    optimizer_: Any
    loss_curve_: list[float]
    n_iter_: int
    losses: ClassVar[tuple[str, ...]] = ()

    # ---- options -------------------------------------------------------------------------------

    def _checked_options(self) -> tuple[int, ...]:
        """Return the hidden sizes; raise an error for an option that cannot be used."""
        given: Any = self.hidden_layer_sizes
        sizes = tuple(given) if hasattr(given, "__iter__") else (given,)
        sizes = tuple(whole_number("a number in hidden_layer_sizes", size, 1) for size in sizes)
        if not callable(self.learning_rate):
            finite_number("learning_rate", self.learning_rate, 0)
        elif self.schedule != "constant":
            raise ArgumentError(
                f"schedule={shown_briefly(self.schedule)} changes a learning_rate that is a "
                "number: with a function of the step number pass schedule='constant'"
            )
        whole_number("max_iter", self.max_iter, 1)
        whole_number("n_iter_no_change", self.n_iter_no_change, 1)
        if self.batch_size != "auto":
            whole_number("batch_size (or 'auto')", self.batch_size, 1)
        finite_number("alpha", self.alpha, 0)
        if self.tol is not None:
            finite_number("tol", self.tol, 0)
        finite_number("validation_fraction", self.validation_fraction, above=0, below=1)
        one_of("loss", self.loss, self.losses)
        one_of("optimizer", self.optimizer, ("adam", "adamw", "sgd"))
        one_of("schedule", self.schedule, ("constant", "linear", "cosine"))
        one_of("compile", self.compile, (True, False, "auto"))
        return sizes

    def _made(self, sizes: tuple[int, ...], outputs: int, seed: int) -> MLP:
        return MLP(
            self.n_features_in_,
            [*sizes, outputs],
            activation=self.activation,
            init="he" if self.activation in RECTIFIERS else "glorot",
            rng=random.Random(seed),
        )

    def _descent(self, model: MLP, batch: float, steps: int) -> Any:
        rate = self.learning_rate
        if self.schedule != "constant":
            shape = {"linear": optim.linear, "cosine": optim.cosine}[self.schedule]
            rate = shape(rate, 0.0, steps)
        parameters, decay = model.parameters(), float(self.alpha) / batch
        weights = [w for neurons in neurons_of(model) for neuron in neurons for w in neuron.w]
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

    def _samples(self, X: Any, y: Any, sample_weight: Any, **options: Any) -> tuple[Any, Any, Any]:
        """Return the samples, what is to be predicted, and the weights or None, checked."""
        X, y = validate_data(self, X, y, **_ACCEPTED, multi_output=True, **options)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=float, ensure_non_negative=True
            )
        return dense(X), y, sample_weight

    def _learn(
        self, X: Any, y: Any, weights: Any, loss: str, outputs: int, *, anew: bool, one_pass: bool
    ) -> None:
        """Train on checked data; `y` as the loss takes it, one weight per sample or None."""
        sizes = self._checked_options()
        if not anew:
            self._check_same(sizes, X.shape[1])
        draw = check_random_state(self.random_state)
        seed = int(draw.randint(2**31 - 1))
        # The penalty is divided by the number of samples that the weights stand for.
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
        # Calls of partial_fit are one run, with a schedule as long as that of `fit`.
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
        # Nothing fails from here on: an estimator is fitted completely or not changed.
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
        """Raise an error if the options or the data do not fit the network of the last fit."""
        model = self.model_
        last = tuple(map(len, neurons_of(model)[:-1]))
        for name, before, now in (
            ("number of features", model.nin, features),
            ("hidden_layer_sizes", last, sizes),
            ("activation", model.activation, self.activation),
        ):
            if before != now:
                raise ArgumentError(
                    f"training goes on with the {name} of the last fit, {before}, got {now}: "
                    "clone the estimator for another network"
                )

    def _parted(self, X: Any, y: Any, weights: Any, draw: Any) -> tuple[Any, Any, Any, Any]:
        """Return training samples, and the pair of validation data for early stopping."""
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
        """Store the losses by passes over the data; return those of this run."""
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
        """Restore the estimator if the block fails."""
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
        """Return the outputs of the network, shape (n_samples, n_outputs)."""
        check_is_fitted(self, "model_")
        flowing = dense(validate_data(self, X, **_ACCEPTED, reset=False))
        for neurons in neurons_of(self.model_):
            w = np.array([[float(weight.data) for weight in n.w] for n in neurons])
            b = np.array([float(n.b.data) for n in neurons])
            flowing = fired(activation_of(neurons[0]), flowing @ w.T + b)
        return flowing


def _grew(curve: list[float], held_out: list[float], tol: float) -> bool:
    """Return whether the parameters that are kept have a larger loss than the initial ones."""
    if held_out:  # the parameters of its lowest loss are kept
        return len(held_out) > 1 and min(held_out) == held_out[0] < held_out[-1] - tol
    return curve[-1] > curve[0] + tol


def dense(X: Any) -> Any:
    """Return a sparse matrix as an array, and an array as it is."""
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
