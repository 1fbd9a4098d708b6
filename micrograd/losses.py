"""Losses: the number that training minimises, a mean over samples of scores and targets.

All are numerically stable, however large a score is. `LOSSES` has them by name.

>>> from micrograd import Value
>>> hinge([Value(0.5), Value(-3.0)], [1, -1])
Value(data=0.25, grad=0)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from micrograd.checks import listed
from micrograd.engine import Node, plain
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    MicrogradError,
    NumberTypeError,
    OverflowRangeError,
    shown,
    shown_briefly,
)
from micrograd.ops import Number, Operators, dot, is_plain, logsumexp, number, relu, softplus
from micrograd.ops import sum as total

__all__ = [
    "LOSSES", "Loss", "binary_cross_entropy_with_logits", "cross_entropy", "hinge", "l2", "mse",
]  # fmt: skip


def hinge(
    scores: Iterable[Number], targets: Iterable[Number], weights: Iterable[Number] | None = None
) -> Number:
    """Return the mean of max(0, 1 - target * score): 0 when every margin is 1 or more.

    Parameters
    ----------
    scores : sequence of Value
        One per sample.
    targets : sequence of {-1, 1}
    weights : sequence of number, optional
        One per sample; its loss is multiplied by it before the mean is taken.

    Returns
    -------
    Value

    Raises
    ------
    InputCountError
        If there are not as many targets as scores, or none. Also a ValueError.
    ArgumentError
        If a target is neither -1 nor 1. Also a ValueError.

    References
    ----------
    .. [1] Cortes and Vapnik (1995), Support-Vector Networks.

    Examples
    --------
    >>> hinge([0.5, 0.5], [1, 0])
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentError: hinge: target 1 is 0; expected -1 or 1
    """
    pairs = _pairs("hinge", scores, targets, lambda y: y in (-1, 1), "-1 or 1")
    return _mean("hinge", (relu(1 - y * score) for score, y in pairs), weights)


def mse(
    scores: Iterable[Number], targets: Iterable[Number], weights: Iterable[Number] | None = None
) -> Number:
    """Return the mean of (score - target) ** 2.

    Parameters
    ----------
    scores : sequence of Value
        One per sample.
    targets : sequence of number or Value
    weights : sequence of number, optional
        One per sample; its loss is multiplied by it before the mean is taken.

    Returns
    -------
    Value
        In the square of the unit of the scores.

    Raises
    ------
    InputCountError
        If there are not as many targets as scores, or none. Also a ValueError.

    Examples
    --------
    >>> from micrograd import Value
    >>> mse([Value(1.0), Value(4.0)], [1, 2])
    Value(data=2.0, grad=0)
    """
    pairs = _pairs("mse", scores, targets)
    return _mean("mse", ((score - y) ** 2 for score, y in pairs), weights)


def binary_cross_entropy_with_logits(
    scores: Iterable[Number], targets: Iterable[Number], weights: Iterable[Number] | None = None
) -> Number:
    """Return the mean of -log P(target), where sigmoid(score) is the probability of a 1.

    Parameters
    ----------
    scores : sequence of Value
        Logits, one per sample: the log of the odds of a 1.
    targets : sequence of number
        0 or 1, or a probability between them.
    weights : sequence of number, optional
        One per sample; its loss is multiplied by it before the mean is taken.

    Returns
    -------
    Value
        In nats.

    Raises
    ------
    InputCountError
        If there are not as many targets as scores, or none. Also a ValueError.
    ArgumentError
        If a target is outside [0, 1]. Also a ValueError.

    Notes
    -----
    -log sigmoid(s) is softplus(-s), and -log(1 - sigmoid(s)) is softplus(s): no digits are lost,
    however large a score is.

    Examples
    --------
    >>> from micrograd import Value
    >>> binary_cross_entropy_with_logits([Value(0.0), Value(1000.0)], [1, 1])
    Value(data=0.34657359027997264, grad=0)
    """
    name = "binary_cross_entropy_with_logits"
    pairs = _pairs(name, scores, targets, lambda y: 0 <= y <= 1, "a number from 0 to 1")
    return _mean(name, (_surprise(score, y) for score, y in pairs), weights)


def cross_entropy(
    logit_rows: Iterable[Iterable[Number]],
    class_indices: Iterable[int],
    weights: Iterable[Number] | None = None,
) -> Number:
    """Return the mean of -log P(class), where softmax(row) are the probabilities.

    Parameters
    ----------
    logit_rows : sequence of sequence of Value
        One row per sample, one logit per class, two classes or more.
    class_indices : sequence of int
        The class of each sample, counted from 0.
    weights : sequence of number, optional
        One per sample; its loss is multiplied by it before the mean is taken.

    Returns
    -------
    Value
        In nats.

    Raises
    ------
    InputCountError
        If there are not as many indices as rows, or none; if a row has fewer than two logits or
        not as many as the first. Also a ValueError.
    ArgumentError
        If an index is not a class. Also a ValueError.

    Notes
    -----
    -log softmax(z)[c] is the logsumexp of the differences z - z[c]: no digits are lost,
    however large a logit is.

    Examples
    --------
    >>> from micrograd import Value
    >>> cross_entropy([[Value(1000.0), Value(1000.0)]], [1])
    Value(data=0.6931471805599453, grad=0)
    >>> cross_entropy([[Value(1.0), Value(2.0)]], [2])
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentError: cross_entropy: class 0 is 2; expected 0 to 1 for 2 logits
    """
    name = "cross_entropy"
    rows = [
        [_number(name, f"logit of row {i}", z) for z in listed(f"row {i} of {name}", row)]
        for i, row in enumerate(listed(f"the logits of {name}", logit_rows))
    ]
    classes = listed(f"the class indices of {name}", class_indices)
    _check_count(name, rows, classes, "rows of logits", "class indices")
    return _mean(name, _logsumexps(name, rows, classes), weights)


def _logsumexps(name: str, rows: list[list[Number]], classes: list[Any]) -> Iterable[Number]:
    """Yield the loss of each sample: the logsumexp of z - z[c]."""
    for i, (row, given) in enumerate(zip(rows, classes, strict=True)):
        if len(row) < 2 or len(row) != len(rows[0]):
            expected = len(rows[0]) if len(rows[0]) > 1 else "two or more"
            raise InputCountError(f"{name}: expected {expected} logits in row {i}, got {len(row)}")
        try:
            c = operator.index(given)
        except TypeError:
            raise ArgumentTypeError(
                f"{name}: class {i} is {shown_briefly(given)}; expected a whole number"
            ) from None
        if not 0 <= c < len(row):
            raise ArgumentError(
                f"{name}: class {i} is {shown(c)}; expected 0 to {len(row) - 1} for {len(row)} "
                "logits"
            )
        if _is_impossible(row[c]):  # its differences would be inf - inf
            yield logsumexp(row) - row[c]
        else:
            yield logsumexp([0, *[z - row[c] for k, z in enumerate(row) if k != c]])


def _is_impossible(logit: Number) -> bool:
    """Return whether a logit is known to be -inf, the logit of probability 0."""
    number_known = is_plain(logit) or issubclass(type(logit), Node)
    return number_known and plain(logit) == -math.inf


def l2(parameters: Iterable[Number], strength: Number) -> Number:
    """Return strength * (sum of the squares): the penalty that keeps weights small.

    Parameters
    ----------
    parameters : iterable of Value
    strength : number or Value

    Returns
    -------
    Value

    Examples
    --------
    >>> from micrograd import Value
    >>> l2([Value(3.0), Value(4.0)], 0.5)
    Value(data=12.5, grad=0)
    """
    values = listed("the parameters of l2", parameters)
    if not isinstance(strength, Operators):
        number(strength)
    return _in_range("l2", lambda: strength * dot(values, values))


@dataclass(frozen=True)
class Loss:
    """A loss, with the encoding of its labels and the predictions of its scores.

    Parameters
    ----------
    name : str
    function : callable
        `(scores, targets, weights=None) -> Value`, the mean over samples.
    encode : callable
        `labels -> targets`: the targets that `function` takes, from labels as users have them.
    predict : callable
        `output -> label`: the prediction for one sample, encoded as the targets are.
    classification : bool
        Whether predictions are classes, so that there is an accuracy.
    several_outputs : bool
        Whether the network has one output per class instead of a single one.
    """

    name: str
    function: Callable[..., Any]
    encode: Callable[[Iterable[Any]], list[Any]]
    predict: Callable[[Any], Any]
    classification: bool = True
    several_outputs: bool = False


def _surprise(score: Number, y: Number) -> Number:
    """Return -log P(y), in one term if y is 0 or 1, so that 0 * inf cannot arise."""
    if is_plain(y) and y == 1:
        return softplus(-score)
    if is_plain(y) and y == 0:
        return softplus(score)
    return y * softplus(-score) + (1 - y) * softplus(score)


def _in_range(name: str, compute: Callable[[], Number]) -> Number:
    """Return the result; an OverflowError of plain numbers becomes an OverflowRangeError."""
    try:
        return compute()
    except MicrogradError:
        raise
    except OverflowError as error:
        raise OverflowRangeError(
            f"{name}: a number is too large for a float: scale scores and targets down"
        ) from error


def _mean(name: str, losses: Iterable[Number], weights: Iterable[Any] | None) -> Number:
    return _in_range(name, lambda: _weighted(name, list(losses), weights))


def _weighted(name: str, terms: list[Number], weights: Iterable[Any] | None) -> Number:
    if weights is not None:
        factors = listed(f"the weights of {name}", weights)
        _check_count(name, terms, factors, "samples", "weights")
        factors = [_number(name, f"weight {i}", factor) for i, factor in enumerate(factors)]
        terms = [factor * term for factor, term in zip(factors, terms, strict=True)]
    return total(terms) / len(terms) if len(terms) > 1 else terms[0]


def _number(name: str, what: str, given: Any) -> Number:
    if isinstance(given, Operators):
        return given
    try:
        return number(given)
    except NumberTypeError as error:
        raise NumberTypeError(f"{name}: {what}: {error}") from error


def _check_count(name: str, left: list[Any], right: list[Any], lefts: str, rights: str) -> None:
    if len(left) != len(right):
        raise InputCountError(
            f"{name}: expected as many {rights} as {lefts}, got {len(right)} and {len(left)}"
        )
    if not left:
        raise InputCountError(f"{name}: expected at least one sample, got none")


def _pairs(
    name: str,
    scores: Iterable[Any],
    targets: Iterable[Any],
    allowed: Callable[[Any], bool] = lambda y: True,
    expected: str = "",
) -> list[tuple[Number, Number]]:
    """Return (score, target) for each sample, checked; targets that are traced are not."""
    left = listed(f"the scores of {name}", scores)
    right = listed(f"the targets of {name}", targets)
    _check_count(name, left, right, "scores", "targets")
    left = [_number(name, f"score {i}", score) for i, score in enumerate(left)]
    right = [_number(name, f"target {i}", y) for i, y in enumerate(right)]
    for i, y in enumerate(right):
        if is_plain(y) and not allowed(y):
            raise ArgumentError(f"{name}: target {i} is {shown(y)}; expected {expected}")
    return list(zip(left, right, strict=True))


def _two_classes(name: str, labels: Iterable[Any], low: int) -> list[Any]:
    """Return labels 0 and 1, or -1 and 1, as `low` and 1."""
    plain = listed(f"the labels of {name}", labels)
    if not set(map(type, plain)) <= {int, float}:
        plain = [number(label) for label in plain]
    different = set(plain)
    if not different <= {-1, 0, 1}:
        i, label = next(pair for pair in enumerate(plain) if pair[1] not in (-1, 0, 1))
        raise ArgumentError(
            f"{name}: label {i} is {shown(label)}; expected -1 and 1, or 0 and 1; for three "
            "classes or more use cross_entropy, and a network with one output per class"
        )
    if {-1, 0} <= different:
        raise ArgumentError(f"{name}: the labels are -1, 0 and 1; expected -1 and 1, or 0 and 1")
    return [1 if label == 1 else low for label in plain]


def _classes(labels: Iterable[Any]) -> list[Any]:
    """Return the labels as class indices: whole numbers from 0."""
    indices = []
    for i, label in enumerate(listed("the labels of cross_entropy", labels)):
        plain = number(label)
        if plain != plain or plain < 0 or plain == float("inf") or plain != int(plain):
            raise ArgumentError(
                f"cross_entropy: label {i} is {shown(plain)}; expected 0, 1, 2, ..."
            )
        indices.append(int(plain))
    return indices


def _largest(output: Any) -> int:
    row = [plain(z) for z in output]
    return max(range(len(row)), key=row.__getitem__)


LOSSES: Final[dict[str, Loss]] = {
    loss.name: loss
    for loss in (
        Loss(
            "hinge",
            hinge,
            encode=lambda labels: _two_classes("hinge", labels, -1),
            predict=lambda output: 1 if output > 0 else -1,
        ),
        Loss(
            "mse",
            mse,
            encode=lambda labels: [number(label) for label in labels],
            predict=lambda output: float(plain(output)),
            classification=False,
        ),
        Loss(
            "bce",
            binary_cross_entropy_with_logits,
            encode=lambda labels: _two_classes("bce", labels, 0),
            predict=lambda output: 1 if output > 0 else 0,
        ),
        Loss("cross_entropy", cross_entropy, _classes, _largest, several_outputs=True),
    )
}
"""The losses by name: "hinge", "mse", "bce" and "cross_entropy"."""
