"""What a network is trained on, checked: data, loss and weights; and how well it performs."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast

from micrograd.engine import Value, no_grad
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    NumberTypeError,
    shown_briefly,
    shown_typed,
)
from micrograd.losses import LOSSES, Loss
from micrograd.nn import MLP, Module, is_ours, neurons_of
from micrograd.ops import TABLE, PlainNumber, number
from micrograd.train.data import listed, rows_of, targets_of

__all__ = [
    "Evaluation",
    "LossLike",
    "Task",
    "loss_value",
    "measured",
    "right_of",
    "task_of",
    "weights_of",
]

LossLike: TypeAlias = str | Loss | Callable[[list[Any], list[Any]], Any]


class Evaluation(NamedTuple):
    """How well a model performs on some data.

    Attributes
    ----------
    loss : float
    accuracy : float or None
        The fraction of samples classified correctly; None if the loss is not a classification loss.
    right, samples : int
        How many samples are classified correctly, and how many there are.
    """

    loss: float
    accuracy: float | None
    right: int
    samples: int


@dataclass(frozen=True)
class Task:
    """Rows and targets as plain numbers, with the model, its loss and its predictions.

    `outputs` is how many the model returns in a list, 0 if it is one Value by itself.
    """

    name: str
    model: Callable[[list[PlainNumber]], Any]
    rows: Sequence[list[PlainNumber]]
    targets: list[Any]
    loss: Callable[..., Any]
    predict: Callable[[Any], Any] | None
    outputs: int
    weights: list[float] | None = None

    @functools.cached_property
    def digest(self) -> str:
        """Return a hash of the data that is the same in every process."""
        data = (list(self.rows), self.targets)
        text = repr(data if self.weights is None else (*data, self.weights))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


def task_of(model: Module, X: Any, y: Any, loss: LossLike, which: str = "") -> Task:
    """Return the task; the data, the loss and one call of the model are checked."""
    if not isinstance(model, Module):
        raise ArgumentTypeError(
            f"expected a model, such as MLP(2, [16, 16, 1]), got {shown_typed(model)}"
        )
    known = _loss(loss)
    rows = rows_of(f"{which}X", X)
    labels = listed(f"{which}y", y)
    if len(labels) != len(rows):
        raise InputCountError(f"{which}X has {len(rows)} rows, {which}y has {len(labels)} entries")
    call = cast("Callable[[list[PlainNumber]], Any]", model)
    if not callable(call):
        raise ArgumentTypeError(f"{type(model).__name__} cannot be called: it has no __call__")
    outputs = _plain_outputs(model, len(rows[0]))
    if outputs is None:
        with no_grad():
            output = call(rows[0])
        is_row = hasattr(output, "__len__") and not isinstance(output, Value)
        outputs = len(output) if is_row else 0
    if not isinstance(known, Loss):
        name = f"{getattr(known, '__module__', '')}.{getattr(known, '__qualname__', repr(known))}"
        return Task(name, call, rows, labels, known, None, outputs)
    targets = targets_of(known, labels, outputs or 1, which)
    predict = known.predict if known.classification else None
    return Task(known.name, call, rows, targets, known.function, predict, outputs)


def _plain_outputs(model: Module, features: int) -> int | None:
    """Return the number of outputs of a network of our own classes, 0 for a single Value.

    It is None if only a call can tell.
    """
    layers = neurons_of(model)
    if not is_ours(model) or not layers or cast("MLP", model).nin != features:
        return None
    width = features
    for neurons in layers:
        if any(len(n.w) != width or n.activation not in TABLE for n in neurons):
            return None
        width = len(neurons)
    return 0 if width == 1 else width


def _loss(loss: LossLike) -> Loss | Callable[[list[Any], list[Any]], Any]:
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ArgumentError(
                f"unknown loss {shown_briefly(loss)}: expected {', '.join(map(repr, LOSSES))} or a "
                "function (scores, targets) -> Value"
            )
        return LOSSES[loss]
    if not (isinstance(loss, Loss) or callable(loss)):
        raise ArgumentTypeError(
            f"expected the name of a loss or a function, got {shown_briefly(loss)}"
        )
    return loss


def weights_of(task: Task, given: Any) -> list[float]:
    """Return one weight a sample, of a mean of 1."""
    if task.name not in LOSSES or task.loss is not LOSSES[task.name].function:
        raise ArgumentError(
            f"sample_weight needs one of the losses {', '.join(map(repr, LOSSES))}: multiply by "
            "the weights in your own function"
        )
    weights: list[float] = []
    for i, entry in enumerate(listed("sample_weight", given)):
        try:
            weight = float(number(entry))
        except NumberTypeError as error:
            raise NumberTypeError(f"sample_weight[{i}]: {error}") from error
        if not 0 <= weight < math.inf:
            raise ArgumentError(f"sample_weight[{i}] is {weight}, expected 0 or more, and finite")
        weights.append(weight)
    if len(weights) != len(task.rows):
        raise InputCountError(
            f"X has {len(task.rows)} rows, sample_weight has {len(weights)} entries"
        )
    mean = math.fsum(weights) / len(weights)
    if not mean:
        raise ArgumentError("the weights in sample_weight are all 0: no sample counts")
    return [weight / mean for weight in weights]


def loss_value(loss: Any) -> Value:
    """Return what a loss function gave, checked to be a Value."""
    if not isinstance(loss, Value):
        raise ArgumentTypeError(f"the loss gave {shown_typed(loss)}, expected one Value")
    return loss


def right_of(predict: Callable[[Any], Any], scores: list[Any], targets: list[Any]) -> int:
    """Return how many scores predict their target."""
    return sum(predict(score) == y for score, y in zip(scores, targets, strict=True))


def measured(task: Task) -> Evaluation:
    """Return loss and accuracy of the model of a task on its data."""
    with no_grad():
        scores = [task.model(row) for row in task.rows]
        loss = task.loss(scores, task.targets)
    if not isinstance(loss, Value):
        loss = Value(loss)
    samples = len(task.rows)
    if task.predict is None:
        return Evaluation(float(loss.data), None, 0, samples)
    right = right_of(task.predict, scores, task.targets)
    return Evaluation(float(loss.data), right / samples, right, samples)
