"""The steps of a training run, compiled: loss, accuracy and gradient of a batch in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.ops import dot, equal, greater, greater_equal, logsumexp
from micrograd.ops import sum as total
from micrograd.replay.compiled import Compiled

__all__ = ["CompiledSteps", "is_worth_compiling"]

# Samples a step times parameters, from which an eager step takes some 5 ms: compilation, 1 ms a
# parameter, is then made up for in about 50 steps.
_WORTH = 8_000


def is_worth_compiling(samples: int, parameters: int) -> bool:
    """Return whether steps of so many samples are so slow that compiling them pays.

    It does not depend on the number of steps, so that a run that is resumed, or made longer, goes
    on with the same bits.
    """
    return samples * parameters >= _WORTH


class CompiledSteps:
    """Loss, share of right predictions and gradient of some of the samples.

    Parameters
    ----------
    model : callable
        Gives one output, or a list of one a class.
    parameters : sequence of Value
    loss : callable or None
        `(scores, targets) -> Value` for one output, with its sign for one class or the other;
        None for the cross-entropy of several.
    rows : sequence of sequence of number
    targets : sequence of number
        As the loss wants them; classes as whole numbers.
    backend : str, default "auto"

    Raises
    ------
    ImportError
        If NumPy is missing.

    Examples
    --------
    >>> from micrograd import Value
    >>> from micrograd.losses import hinge
    >>> w = Value(0.5)
    >>> steps = CompiledSteps(lambda x: w * x[0], [w], hinge, [[1.0], [2.0]], [1, -1], "python")
    >>> steps()  # the mean of 1 - 0.5 and 1 + 1; the first sample is right
    (1.25, 0.5)
    >>> w.grad
    0.5
    """

    def __init__(  # noqa: PLR0917
        self,
        model: Callable[[Any], Any],
        parameters: Sequence[Value],
        loss: Callable[[list[Any], list[Any]], Any] | None,
        rows: Sequence[Sequence[Any]],
        targets: Sequence[Any],
        backend: str = "auto",
    ) -> None:
        import numpy as np

        self._rows = np.array([[float(x) for x in row] for row in rows])
        if loss is None:
            classes = len(model(rows[0]))
            self._targets = np.eye(classes)[[int(target) for target in targets]]
        else:
            self._targets = np.array([float(target) for target in targets])
        self._parameters = list(parameters)

        def sample(x: Any, y: Any) -> list[Any]:
            scores = model(x)
            if loss is None:
                chosen = dot(y, scores)
                return [logsumexp([z - chosen for z in scores]), dot(y, _first_largest(scores))]
            return [loss([scores], [y]), equal(greater(scores, 0), greater(y, 0))]

        self._compiled = Compiled(sample, backend, parameters=self._parameters)

    def __call__(self, batch: Sequence[int] | None = None) -> tuple[float, float]:
        """Set the parameters' `grad`; return the loss and the share of right predictions.

        Parameters
        ----------
        batch : sequence of int, optional
            Which samples; by default all.
        """
        rows, targets = self._rows, self._targets
        if batch is not None:
            rows, targets = rows[batch], targets[batch]
        values, gradient = self._compiled.value_and_grad(rows, targets, has_aux=True)
        for parameter, grad in zip(self._parameters, gradient.tolist(), strict=True):
            parameter.grad = grad
        return float(values[0]), float(values[1])


def _first_largest(scores: Sequence[Any]) -> list[Any]:
    """Return 1 for the largest score, the first of equals, and 0 for the others."""
    found = []
    for k, score in enumerate(scores):
        beaten = [greater(score, other) for other in scores[:k]]
        beaten += [greater_equal(score, other) for other in scores[k + 1 :]]
        found.append(greater(total(beaten), len(scores) - 1.5))
    return found
