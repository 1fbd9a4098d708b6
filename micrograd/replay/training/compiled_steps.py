"""The steps of a training run, compiled: loss, accuracy and gradient of a batch in one call."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Neuron, is_ours, neurons_of
from micrograd.ops import TABLE, dot, equal, greater, logsumexp, maximum
from micrograd.replay.compiled import Compiled
from micrograd.replay.kernels import address_of, numpy
from micrograd.replay.llvm.driver import driver
from micrograd.replay.trace.traced import Trace
from micrograd.replay.training.loop import PLAN, SCALARS, Adam, Loop, Rule, Sgd, loop

__all__ = ["Adam", "CompiledSteps", "Descent", "Rule", "Sgd", "is_brief", "is_worth_compiling"]

# Samples in a step times parameters. From here on an eager step takes some 5 ms, so the 0.1 s of
# compilation are saved within about 20 steps.
_WORTH = 8_000


def is_worth_compiling(samples: int, parameters: int) -> bool:
    """Return whether steps of this many samples are so slow that compiling them pays.

    The number of steps does not matter, so that a run that is resumed, or made longer, continues
    with the same bits.
    """
    return samples * parameters >= _WORTH


# Up to this many samples in all steps, code that compiles in a sixth of the time is worth being a
# quarter slower: at 337 parameters it saves 0.1 s, and loses 15 ns a sample.
_FEW = 5_000_000


def is_brief(samples: int) -> bool:
    """Return whether a run over this many samples ends before faster code would pay."""
    return samples <= _FEW


# Traces and programs for networks of our own classes, which the next network of the same
# architecture uses.
_known: OrderedDict[tuple[Any, ...], Trace] = OrderedDict()
_KEPT = 16


def _architecture(model: Any, parameters: list[Value]) -> tuple[Any, ...] | None:
    """Return everything that the trace of a network depends on, None if that is not known.

    It is known for the classes of `micrograd.nn` themselves if the parameters are as they were
    made: leaves, each in one place, without labels, which errors would show.
    """
    if not is_ours(model):
        return None
    layers = [
        tuple([(len(n.w), bool(n.nonlin), n.activation, bool(n.atomic)) for n in neurons])
        for neurons in neurons_of(model)
    ]
    values = [p for neurons in neurons_of(model) for n in neurons for p in (*n.w, n.b)]
    special = [p for p in values if type(p) is not Value or p.op is not None or p.label]
    if special or parameters != values:  # no parameter comes twice, so neither does any of these
        return None
    names = {neuron[2] for layer in layers for neuron in layer}
    rows = tuple([(TABLE.get(name), getattr(Value, name, None)) for name in sorted(names)])
    return (model.nin, *layers, rows, MLP.__call__, Layer.__call__, Neuron.__call__)


class CompiledSteps:
    """Loss, accuracy and gradient on some of the samples.

    Parameters
    ----------
    model : callable
        Returns one output, or a list of one for each class.
    parameters : sequence of Value
    loss : callable or None
        `(scores, targets) -> Value` for one output, whose sign decides between two classes; None
        for the cross-entropy of several outputs.
    rows : sequence of sequence of number
    targets : sequence of number
        In the form that the loss takes; classes as whole numbers.
    backend : str, default "auto"
    weights : sequence of number, optional
        The factor by which the loss of each sample is multiplied.
    brief : bool, default False
        Whether to compile quickly if no network of this architecture was compiled before. The
        results have the same bits.

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
    >>> steps = CompiledSteps(lambda x: w * x[0], [w], hinge, [[1.0], [2.0]], [1, -1], "python")
    >>> steps()  # the mean of 1 - 0.5 and 1 + 1; the first is correct
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
        weights: Sequence[Any] | None = None,
        brief: bool = False,
    ) -> None:
        self._classes = len(model(rows[0])) if loss is None else 0
        self._columns = self._arrays(rows, targets)
        if weights is not None:
            np = numpy()
            self._columns.append(np.array(weights, dtype=float))
        self._parameters = list(dict.fromkeys(parameters))
        self._shared = len(self._parameters) < len(parameters)

        def sample(x: Any, y: Any) -> list[Any]:
            scores = model(x)
            if loss is None:
                chosen = dot(y, scores)
                return [logsumexp([z - chosen for z in scores]), dot(y, _first_largest(scores))]
            return [loss([scores], [y]), equal(greater(scores, 0), greater(y, 0))]

        def weighted(x: Any, y: Any, weight: Any) -> list[Any]:
            value, correct = sample(x, y)
            return [weight * value, correct]

        function = sample if weights is None else weighted
        self._compiled = Compiled(function, backend, parameters=self._parameters)
        self.is_traced = False
        self._key = _architecture(model, self._parameters)
        if self._key is not None:
            columns = len(self._columns)
            self._key = (*self._key, self._compiled.backend, loss, self._classes, columns)
            known = _known.pop(self._key, None)
            if known is not None:
                _known[self._key] = (
                    known  # now the latest; `pop` is safe if other threads do the same
                )
                self._compiled.take(known.of(self._parameters))
                self.is_traced = True
        self._compiled.quick = brief and not self.is_traced

    def _arrays(self, rows: Sequence[Sequence[Any]], targets: Sequence[Any]) -> list[Any]:
        np = numpy()
        aims = np.array(targets, dtype=float)
        if self._classes:
            aims = np.eye(self._classes)[aims.astype(int)]
        return [np.array(rows, dtype=float), aims]

    def on(self, rows: Sequence[Sequence[Any]], targets: Sequence[Any]) -> CompiledSteps:
        """Return the same for other samples, all of weight 1."""
        np = numpy()
        other = copy.copy(self)
        other._columns = self._arrays(rows, targets)
        if len(self._columns) > len(other._columns):
            other._columns.append(np.ones(len(rows)))
        return other

    def __call__(self, batch: Sequence[int] | None = None) -> tuple[float, float]:
        """Set the parameters' `grad`; return the loss and the accuracy.

        Parameters
        ----------
        batch : sequence of int, optional
            The indices of the samples; by default all.
        """
        columns = self._columns
        if batch is not None:
            columns = [column[batch] for column in columns]
        values, gradient = self._compiled.value_and_grad(*columns, has_aux=True)
        if self._key is not None and self._key not in _known:
            _known[self._key] = self._compiled.latest().of([])
            if len(_known) > _KEPT:
                _known.popitem(last=False)
        for parameter, grad in zip(self._parameters, gradient.tolist(), strict=True):
            parameter.grad = grad
        return float(values[0]), float(values[1])

    def descent(self, rule: Rule) -> Descent | None:
        """Return the whole loop in machine code, None if the backend cannot run it."""
        found = self._compiled.machine(*[column[:1] for column in self._columns])
        if found is None or self._shared:
            return None
        machine, used = found
        if len(used) < len(self._parameters):  # the loop takes one derivative a parameter
            return None
        return Descent(machine, loop(rule), self._columns, len(used))


class Descent:
    """Many steps in one call of machine code: batch, gradient, update and record.

    Attributes
    ----------
    data, grad, first, second : ndarray
        After `run`: the parameters, the gradient of the last step, and the buffers of the update
        rule.
    """

    def __init__(self, machine: Any, code: Loop, columns: list[Any], parameters: int) -> None:
        np = numpy()
        self._machine, self._code = machine, code
        self._columns = [
            np.ascontiguousarray(column).reshape(len(column), -1) for column in columns
        ]
        self._count = parameters
        self.data = self.grad = self.first = self.second = np.empty(0)

    def _padded(self, numbers: Sequence[Any]) -> Any:
        np = numpy()
        lanes = self._code.lanes
        result = np.zeros(-(-self._count // lanes) * lanes)
        if len(numbers):
            result[: self._count] = numbers
        return result

    def run(
        self,
        data: Sequence[Any],
        first: Sequence[Any],
        second: Sequence[Any],
        scalars: Sequence[Sequence[float]],
        batches: Sequence[Sequence[int]] | None = None,
        *,
        decays: Sequence[Any] = (),
    ) -> tuple[list[float], list[float]]:
        """Do a step for each entry of `scalars`; return the losses and the accuracies.

        They end before the first step that gives a number that is not finite: it and the steps
        after it are not done.

        Parameters
        ----------
        data : sequence of number
            The parameters.
        first, second : sequence of number
            The buffers of the rule; empty for zeros.
        scalars : sequence of sequence of number
            Up to three sequences, as the rule needs, of one number for each step.
        batches : sequence of sequence of int, optional
            The samples of each step; by default all of them, in the order given.
        decays : sequence of number, optional
            The weight decay of each parameter, for a rule that has one.
        """
        np = numpy()
        steps, columns, machine = len(scalars[0]), self._columns, self._machine
        plan = np.zeros((steps, PLAN), dtype=np.int64)
        order, buffers = None, columns
        if batches is None:
            plan[:, 0] = largest = len(columns[0])
            plan[:, 1:3] = machine.chunks(largest)
        else:
            sizes = list(map(len, batches))
            largest = max(sizes)
            plan[:, 0] = sizes
            for size in set(sizes):
                plan[plan[:, 0] == size, 1:3] = machine.chunks(size)
            plan[1:, 3] = np.cumsum(sizes[:-1])
            order = np.array(list(chain.from_iterable(batches)), dtype=np.int64)
            buffers = [np.empty((largest, column.shape[1])) for column in columns]
        table = np.zeros((steps, SCALARS))
        for i, numbers in enumerate(scalars):
            table[:, i] = numbers
        outputs = machine.results - self._count
        sums = np.empty(int(plan[:, 2].max()) * machine.results + self._code.lanes)
        record = np.empty((steps, outputs))
        widths = np.array([column.shape[1] for column in columns], dtype=np.int64)
        given = np.array(list(map(address_of, columns)), dtype=np.int64)
        copies = np.array(list(map(address_of, buffers)), dtype=np.int64)
        par, grad = self._padded(data), self._padded(())
        means, squares, decay = self._padded(first), self._padded(second), self._padded(decays)
        done = self._code.train(
            driver().total_address,
            machine.description,
            address_of(given),
            address_of(copies),
            address_of(widths),
            len(widths),
            None if order is None else address_of(order),
            address_of(plan),
            address_of(table),
            steps,
            address_of(par),
            address_of(grad),
            address_of(means),
            address_of(squares),
            address_of(decay),
            machine.results,
            outputs,
            self._count,
            address_of(sums),
            address_of(record),
            machine.work(),
        )
        if (
            done < 0
        ):  # this step's update is not finite, and was written: repeat the steps before it
            done = -1 - done
            if done == 0:
                par, means, squares = self._padded(data), self._padded(first), self._padded(second)
            else:
                part = None if batches is None else batches[:done]
                fewer = [numbers[:done] for numbers in scalars]
                return self.run(data, first, second, fewer, part, decays=decays)
        count = self._count
        self.data, self.grad = par[:count], grad[:count] + 0.0  # never -0.0
        self.first, self.second = means[:count], squares[:count]
        losses, accuracies = record[:done].T.tolist()
        return losses, accuracies


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
