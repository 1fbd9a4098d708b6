"""The steps of a network, compiled: loss, accuracy and gradient of a batch in one call."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Neuron
from micrograd.ops import dot, equal, greater, logsumexp, maximum
from micrograd.optim import Clip
from micrograd.replay.arguments import as_column
from micrograd.replay.compiled import Compiled
from micrograd.replay.kernels import numpy
from micrograd.replay.trace.alike import described, parameters_of, shape_of, surface
from micrograd.replay.trace.traced import Trace
from micrograd.replay.training.descent import Descent
from micrograd.replay.training.steps import Steps

__all__ = ["NetworkSteps", "is_worth_compiling"]

# Samples in a step times parameters. From here on an eager step takes some 5 ms, so the 0.1 s of
# compilation are saved within about 20 steps.
_WORTH = 8_000


def is_worth_compiling(samples: int, parameters: int) -> bool:
    """Return whether steps of this many samples are so slow that compiling them pays.

    The number of steps does not matter, so that a run that is resumed, or made longer, continues
    with the same bits.
    """
    return samples * parameters >= _WORTH


# Traces and programs, which the next network uses that computes the same; and which of the
# network's parameters each trace uses.
_known: OrderedDict[tuple[Any, ...], tuple[Trace, list[int]]] = OrderedDict()
_KEPT = 16


def _architecture(model: Any, parameters: list[Value]) -> tuple[Any, ...] | None:
    """Return everything that the trace of a network depends on, None if that is not known.

    It is known for the classes of `micrograd.nn` themselves if the parameters are as they were
    made: leaves, each in one place, without labels, which errors would show.
    """
    shape = shape_of(model)
    if shape is None:
        return None
    values = parameters_of(model)
    special = [p for p in values if type(p) is not Value or p.op is not None or p.label]
    if special or parameters != values:  # no parameter comes twice, so neither does any of these
        return None
    return (*shape, surface(MLP, Layer, Neuron))


class NetworkSteps(Steps):
    """Loss, accuracy and gradient of a network on some of the samples.

    Parameters
    ----------
    model : callable
        Returns one output, or a list of one for each class.
    parameters : sequence of Value
    loss : callable or None
        `(scores, targets) -> Value`, the mean of a loss of each sample; None for the cross-entropy
        of several outputs.
    rows : sequence of sequence of number
    targets : sequence
        In the form that the loss takes; classes as whole numbers.
    classifies : bool, default True
        Whether the sign of the one output decides between two classes, so that there is an
        accuracy.
    backend : str, default "auto"
    classes : int, default 0
        How many outputs there are, for the cross-entropy.
    own : bool, default False
        Whether the loss is a function of the user's.
    weights : sequence of number, optional
        The factor by which the loss of each sample is multiplied.
    held_out : (rows, targets), optional
        The validation data, all of weight 1.

    Attributes
    ----------
    is_traced : bool
        Whether the trace of another network of the same architecture is used.

    Raises
    ------
    ImportError
        If NumPy is missing.

    Examples
    --------
    >>> from micrograd import Value
    >>> from micrograd.losses import hinge
    >>> w = Value(0.5)
    >>> steps = NetworkSteps(lambda x: w * x[0], [w], hinge, [[1.0], [2.0]], [1, -1], "python")
    >>> steps.measure()  # the mean of 1 - 0.5 and 1 + 1; the first is correct
    [1.25, 0.5]
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
        *,
        classes: int = 0,
        classifies: bool = True,
        own: bool = False,
        weights: Sequence[Any] | None = None,
        held_out: tuple[Sequence[Sequence[Any]], Sequence[Any]] | None = None,
    ) -> None:
        columns = _arrays(rows, targets, classes, weights)
        measured = None
        if held_out is not None:
            alike = None if weights is None else [1.0] * len(held_out[0])
            measured = _arrays(*held_out, classes, alike)
        everyone = list(dict.fromkeys(parameters))

        def sample(x: Any, y: Any) -> list[Any]:
            scores = model(x)
            if loss is None:
                chosen = dot(y, scores)
                return [logsumexp([z - chosen for z in scores]), dot(y, _first_largest(scores))]
            value = loss([scores], [y])
            return [value, equal(greater(scores, 0), greater(y, 0))] if classifies else [value]

        def weighted(x: Any, y: Any, weight: Any) -> list[Any]:
            value, *correct = sample(x, y)
            return [weight * value, *correct]

        function = sample if weights is None else weighted
        compiled = Compiled(function, backend, parameters=everyone)
        super().__init__(compiled, columns, measured)
        self.is_traced = False
        # What a model or a loss of one's own computes may change. Where it is not known what that
        # depends on, it is traced for each run, and only the programs of an equal trace are used.
        computed = _architecture(model, everyone) or described(model, everyone)
        computes = described(loss, everyone) if own else (loss,)
        trace = None
        if computed is None or computes is None:
            trace = compiled.traced(*[column[:1] for column in columns])
            self._key = (*trace.comparable(), compiled.backend)
        else:
            shapes = [column.shape[1:] for column in columns]
            self._key = (computed, computes, compiled.backend, *shapes)
        known = _known.pop(self._key, None)
        if known is not None:
            _known[self._key] = known  # the latest; `pop` is safe if other threads do the same
            if trace is None:
                compiled.take(known[0].of(everyone, known[1]))
            else:
                trace.programs = known[0].programs
            self.is_traced = True

    def descent(
        self, optimizer: Any, clip: Clip | None, samples: float = math.inf, measured: float = 0
    ) -> Descent | None:
        """Return the loop; what is trained once more will be again, so its code is made at once."""
        return super().descent(optimizer, clip, math.inf if self.is_traced else samples, measured)

    def measure(self, batch: Sequence[int] | None = None) -> list[float]:
        """Set the parameters' `grad`; return the loss and the accuracy, as `Steps` does."""
        found = super().measure(batch)
        if self._key not in _known:
            trace = self._compiled.latest()
            _known[self._key] = trace.of([], []), trace.places()
            if len(_known) > _KEPT:
                _known.popitem(last=False)
        return found


def _arrays(
    rows: Sequence[Sequence[Any]], targets: Sequence[Any], classes: int, weights: Any
) -> list[Any]:
    """Return the columns of the samples."""
    np = numpy()
    aims = as_column(targets)
    if classes:
        aims = np.eye(classes)[aims.astype(int)]
    columns = [np.asarray(rows, dtype=float), aims]
    return columns if weights is None else [*columns, np.array(weights, dtype=float)]


def _first_largest(scores: Sequence[Any]) -> list[Any]:
    """Return 1 for the largest score, the first of equals, and 0 for the others."""
    largest = scores[0]
    for score in scores[1:]:
        largest = maximum(largest, score)
    found: list[Any] = []
    left: Any = 1
    for score in scores:
        found.append(left * equal(score, largest))
        left = left - found[-1]
    return found
