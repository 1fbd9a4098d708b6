"""Networks to and from scikit-learn.

>>> import random
>>> model = MLP(2, [4, 3], activation="tanh", rng=random.Random(0))
>>> classifier = to_sklearn(model, classes=["cat", "dog", "owl"])
>>> again = from_sklearn(classifier)
>>> [score.data for score in again([1, 2])] == [score.data for score in model([1, 2])]
True
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

from micrograd.checks import listed, needs
from micrograd.errors import ArgumentError, ArgumentTypeError, shown_typed
from micrograd.interop.layers import Dense, layers_of, network
from micrograd.nn import MLP

__all__ = ["from_sklearn", "to_sklearn"]

_OF_SKLEARN: Final = {"identity": "linear", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


def _sklearn() -> Any:
    with needs("train", "scikit-learn is missing"):
        from sklearn import neural_network
    return neural_network


def to_sklearn(model: MLP, classes: Sequence[Any] | None = None) -> Any:
    """Return the network as a fitted `MLPClassifier` of scikit-learn with the same scores.

    Parameters
    ----------
    model : MLP
        With the same activation in all hidden layers, and none in the last.
    classes : sequence, optional
        The labels in sorted order, as in `classes_`. A network of one output has two, of which a
        positive score means the second; any other has one per output. Default 0, 1, 2, ...

    Returns
    -------
    sklearn.neural_network.MLPClassifier
        Its probabilities are the sigmoid or the softmax of the scores. `partial_fit` goes on
        training it.

    Raises
    ------
    ArgumentError
        If the activations or the classes do not fit, or a parameter is not finite. Also a
        ValueError.
    ArgumentTypeError
        If `model` is not an MLP. Also a TypeError.
    ImportError
        If scikit-learn is missing; names the extra to install.

    Notes
    -----
    For two classes scikit-learn has one output. Two outputs of a network are replaced by their
    difference, which has the same probabilities.

    Examples
    --------
    >>> classifier = to_sklearn(MLP(2, [3, 1]), classes=["no", "yes"])
    >>> classifier.predict([[1.0, 2.0]])[0] in ("no", "yes")
    True
    """
    neural_network = _sklearn()
    import numpy as np

    names = {ours: theirs for theirs, ours in _OF_SKLEARN.items()}
    layers = layers_of(model, list(names), "scikit-learn's MLPClassifier")
    hidden = list(dict.fromkeys(layer.activation for layer in layers[:-1])) or ["linear"]
    if len(hidden) > 1 or layers[-1].activation != "linear":
        raise ArgumentError(
            "scikit-learn's MLPClassifier has the same activation in all hidden layers and none in "
            f"the last, this network has {', '.join(layer.activation for layer in layers)}"
        )
    outputs = len(layers[-1].biases)
    count = max(2, outputs)
    listing = range(count) if classes is None else listed("classes", classes)
    is_flat = all(np.ndim(label) == 0 for label in listing)
    labels = np.asarray(listing) if is_flat else np.array(None)
    if labels.dtype == object and not all(isinstance(label, str) for label in labels.ravel()):
        raise ArgumentError(
            f"expected classes that are all strings or all numbers, got {classes!r:.80}"
        )
    if labels.shape != (count,) or len(np.unique(labels)) != count:
        raise ArgumentError(
            f"a network of {outputs} output{'s' * (outputs != 1)} has {count} classes, "
            f"got {labels.tolist()!r:.80}"
        )
    if (np.unique(labels) != labels).any():
        raise ArgumentError(
            f"expected the classes in sorted order, {np.unique(labels).tolist()!r:.80}, "
            f"got {labels.tolist()!r:.80}"
        )
    if outputs == 2:
        (w0, w1), (b0, b1) = layers[-1].weights, layers[-1].biases
        difference = [after - before for before, after in zip(w0, w1, strict=True)]
        layers[-1] = Dense([difference], [b1 - b0], "linear")
    classifier = neural_network.MLPClassifier(
        hidden_layer_sizes=tuple(len(layer.biases) for layer in layers[:-1]),
        activation=names[hidden[0]],
        random_state=0,
    )
    with warnings.catch_warnings():
        # One step on zeros sets all that a fitted classifier has; then the numbers are replaced.
        warnings.simplefilter("ignore")
        classifier.partial_fit(np.zeros((count, len(layers[0].weights[0]))), labels, classes=labels)
    classifier.set_params(random_state=None)
    for i, layer in enumerate(layers):
        classifier.coefs_[i][:] = np.array(layer.weights).T
        classifier.intercepts_[i][:] = layer.biases
    return classifier


def from_sklearn(estimator: Any) -> MLP:
    """Return the network of a fitted `MLPClassifier` or `MLPRegressor` of scikit-learn.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor

    Returns
    -------
    MLP
        Its outputs are the scores before the sigmoid or softmax. For two classes it has one, which
        is positive for `estimator.classes_[1]`.

    Raises
    ------
    ArgumentTypeError
        If `estimator` is neither. Also a TypeError.
    ArgumentError
        If a regressor has an output activation, as for the Poisson loss. Also a ValueError.
    sklearn.exceptions.NotFittedError
        If it has not been fitted.
    ImportError
        If scikit-learn is missing; names the extra to install.
    """
    neural_network = _sklearn()
    from sklearn.utils.validation import check_is_fitted

    kinds = (neural_network.MLPClassifier, neural_network.MLPRegressor)
    if not isinstance(estimator, kinds):
        raise ArgumentTypeError(
            f"expected an MLPClassifier or MLPRegressor, got {shown_typed(estimator)}"
        )
    check_is_fitted(estimator)
    if isinstance(estimator, kinds[1]) and estimator.out_activation_ != "identity":
        raise ArgumentError(
            "expected an MLPRegressor with the output activation 'identity', got one with "
            f"{estimator.out_activation_!r}"
        )
    weights, biases = estimator.coefs_, estimator.intercepts_
    names = [_OF_SKLEARN[estimator.activation]] * (len(weights) - 1) + ["linear"]
    return network(
        weights[0].shape[0],
        [
            Dense(w.T.astype(float).tolist(), b.astype(float).tolist(), name)
            for w, b, name in zip(weights, biases, names, strict=True)
        ],
    )
