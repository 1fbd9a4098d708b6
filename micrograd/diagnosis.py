"""Why a network does not learn: its neurons and layers looked at on real samples.

>>> import random
>>> from micrograd.nn import MLP
>>> model = MLP(2, [2, 1], rng=random.Random(1))
>>> model.layers[0].neurons[1].b.data = -9.0
>>> print(diagnose(model, [[0.1, 0.2], [0.4, -0.3]], [-1, 1]))
1 finding on 2 samples, loss 0.9997
layer 0, neuron 1: dead. Answers 0 to all 2 samples; its largest sum is -8.642.
    Usual remedy: a smaller learning rate, init="he", or activation="leaky_relu".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from micrograd.engine import Value, gradient
from micrograd.errors import ArgumentError, InputCountError, not_a_network
from micrograd.look import number_text
from micrograd.losses import LOSSES
from micrograd.node import plain
from micrograd.samples import listed, rows_of, targets_of

__all__ = ["Diagnosis", "Finding", "diagnose"]

FLAT: Final = 0.01
"""A local slope below which an activation passes on next to nothing."""
MOSTLY: Final = 0.9
"""The share of samples from which on a neuron is said to be saturated."""
FAR: Final = 1000.0
"""How many times smaller or larger than the output's the gradients of a layer may be."""
UNEQUAL: Final = 100.0
"""How many times wider one input may be spread than another."""

_REMEDIES: Final = {
    "dead": 'a smaller learning rate, init="he", or activation="leaky_relu".',
    "saturated": "smaller initial weights, inputs scaled to about -1 to 1, or another activation.",
    "constant": "look at its weights: no input moves it.",
    "twin": "draw the initial weights at random; equal neurons get equal gradients for ever.",
    "vanishing": "fewer layers, relu in place of tanh or sigmoid, or init matched to it.",
    "exploding": "smaller initial weights, a smaller learning rate, or fewer layers.",
    "not finite": "a smaller learning rate; begin again from the last finite parameters.",
    "missing": "fill in what is missing, or leave these samples out.",
    "input": "scale every feature to mean 0 and spread 1; drop those that never change.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that hinders learning.

    Parameters
    ----------
    kind : str
        "dead", "saturated", "constant", "twin", "vanishing", "exploding", "not finite", "missing"
        or "input".
    where : str
        The layer, neuron or feature, counted from 0.
    evidence : str
        What was seen, as a sentence.
    remedy : str
        What people usually do about it.
    layer, neuron : int or None
        The same place as numbers, where there is one.
    """

    kind: str
    where: str
    evidence: str
    remedy: str
    layer: int | None = None
    neuron: int | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.kind}. {self.evidence}\n    Usual remedy: {self.remedy}"


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found.

    Parameters
    ----------
    findings : tuple of Finding
        Inputs first, then layer by layer.
    samples : int
        On how many it looked.
    loss : float
        The mean over them; nan where the network gives no finite answer.
    """

    findings: tuple[Finding, ...]
    samples: int
    loss: float

    def __str__(self) -> str:
        count = len(self.findings)
        head = f"{count or 'no'} finding{'' if count == 1 else 's'} on {self.samples} samples"
        return "\n".join([f"{head}, loss {number_text(self.loss)}", *map(str, self.findings)])

    __repr__ = __str__


def diagnose(model: Any, X: Any, y: Any, loss: str = "hinge") -> Diagnosis:
    """Look for what keeps a network from learning, on given samples.

    Parameters
    ----------
    model : MLP
        Its parameters and gradients are left alone.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Labels as `fit` takes them.
    loss : {"hinge", "mse", "bce", "cross_entropy"}, default "hinge"

    Returns
    -------
    Diagnosis
        Print it, or go through its `findings`:

        - *dead*: answer 0 and slope 0 for every sample, so that nothing flows back.
        - *saturated*: a slope below 0.01 for nine samples in ten, as at the ends of tanh.
        - *constant*: a neuron that answers every sample alike though its slope is not 0.
        - *twin*: a neuron with the very weights of an earlier one in its layer.
        - *vanishing*, *exploding*: a layer whose gradients with respect to its sums are, in the
          mean of their sizes, 1000 times smaller or larger than those of the output layer.
        - *not finite*: a sum or an activation that is infinite or nan, in the first layer that has
          one; what comes after follows from it.
        - *missing*: a feature that is infinite or nan in some samples; then nothing else is said.
        - *input*: a feature that never changes, or one spread 100 times wider than another.

    Raises
    ------
    ArgumentTypeError
        If the model has no `trace`, or the samples or labels are no sequence. Also a TypeError.
    ArgumentError
        If the loss is unknown, there are no samples, or a label is not finite or no class. Also a
        ValueError.
    InputCountError
        If there are not as many labels as samples, the rows are of unequal length, or the network
        has not the outputs that the loss needs. Also a ValueError.
    NumberTypeError
        If a feature or a label is no number. Also a TypeError.

    Examples
    --------
    >>> import random
    >>> from micrograd.nn import MLP
    >>> model = MLP(1, [2, 1], activation="tanh", rng=random.Random(0))
    >>> model.layers[0].neurons[0].w[0].data = 50.0
    >>> [finding.kind for finding in diagnose(model, [[1.0], [-2.0]], [1, -1]).findings]
    ['saturated']
    """
    if not (hasattr(model, "trace") and hasattr(model, "layers")):
        raise not_a_network(model, "an MLP")
    if not isinstance(loss, str) or loss not in LOSSES:
        raise ArgumentError(f"unknown loss {loss!r:.60}: expected one of {', '.join(LOSSES)}")
    task = LOSSES[loss]
    # Features that are not finite are a finding; labels that are not are an error, as in fit.
    rows = [list(map(float, row)) for row in rows_of("X", X, finite=False)]
    labels = listed("y", y)
    if len(rows) != len(labels):
        raise InputCountError(f"X has {len(rows)} rows, y has {len(labels)} entries")
    outputs = len(model.layers[-1].neurons) if model.layers else 0
    targets = targets_of(task, labels, outputs)
    missing = tuple(_missing(rows))
    if missing:
        return Diagnosis(missing, len(rows), math.nan)
    findings = list(_inputs(rows))
    try:
        traces = [model.trace(row) for row in rows]
    except ArithmeticError as error:  # the engine refuses what overflows, and says where
        broken = _finding("not finite", "the forward pass", f"{error}.")
        return Diagnosis((*findings, broken), len(rows), math.nan)
    # of each layer, the (s, x) of its neurons, sample by sample
    layers = [
        [list(zip(*trace[i], strict=True)) for trace in traces] for i in range(len(traces[0]))
    ]
    for i, samples in enumerate(layers):
        for j, pairs in enumerate(zip(*samples, strict=True)):
            findings.extend(_neuron(i, j, pairs))
        findings.extend(_twins(i, model.layers[i].neurons))
        if any(finding.kind == "not finite" for finding in findings):
            return Diagnosis(tuple(findings), len(rows), math.nan)
    scores = [trace[-1].x if task.several_outputs else trace[-1].x[0] for trace in traces]
    value = task.function(scores, targets)
    findings.extend(_flow(value, [[s for sample in layer for s, _ in sample] for layer in layers]))
    return Diagnosis(tuple(findings), len(rows), float(plain(value)))


def _finding(kind: str, where: str, evidence: str, *place: int) -> Finding:
    return Finding(kind, where, evidence, _REMEDIES[kind], *place)


def _missing(rows: Sequence[Sequence[float]]) -> Iterable[Finding]:
    """Look for features that are no numbers."""
    for k, column in enumerate(zip(*rows, strict=True)):
        bad = [n for n, entry in enumerate(column) if not math.isfinite(entry)]
        if bad:
            seen = f"Is {column[bad[0]]} for sample {bad[0]}, one of {len(bad)} such."
            yield _finding("missing", f"feature {k}", seen)


def _inputs(rows: Sequence[Sequence[float]]) -> Iterable[Finding]:
    """Look at each feature over the samples."""
    spreads = [max(column) - min(column) for column in zip(*rows, strict=True)]
    if len(rows) < 2:
        return
    widest = max(spreads, default=0.0)
    for k, spread in enumerate(spreads):
        if spread == 0:
            yield _finding(
                "input", f"feature {k}", f"Is {number_text(rows[0][k])} in every sample."
            )
        elif widest > UNEQUAL * spread:
            yield _finding(
                "input",
                f"feature {k}",
                f"Spreads over {number_text(spread)}, feature {spreads.index(widest)} over "
                f"{number_text(widest)}.",
            )


def _neuron(i: int, j: int, pairs: Sequence[tuple[Value, Value]]) -> Iterable[Finding]:
    """Look at one neuron's sums and activations over the samples."""
    where, count = f"layer {i}, neuron {j}", len(pairs)
    sums, answers = ([float(value.data) for value in values] for values in zip(*pairs, strict=True))
    bad = [n for n in range(count) if not math.isfinite(sums[n] + answers[n])]
    if bad:
        seen = f"Its sum is {sums[bad[0]]} for sample {bad[0]}, one of {len(bad)} such."
        yield _finding("not finite", where, seen, i, j)
        return
    slopes = [abs(float(x.local_derivatives()[0])) for s, x in pairs if x is not s]
    flat = sum(slope < FLAT for slope in slopes)
    if slopes and not any(slopes) and not any(answers):
        seen = f"Answers 0 to all {count} samples"
        seen += f"; its largest sum is {number_text(max(sums))}."
        yield _finding("dead", where, seen, i, j)
    elif slopes and flat >= MOSTLY * count:
        seen = f"Its slope is below {FLAT} for {flat} of {count} samples"
        seen += f"; sums go from {number_text(min(sums))} to {number_text(max(sums))}."
        yield _finding("saturated", where, seen, i, j)
    elif count > 1 and max(answers) == min(answers):
        seen = f"Answers {number_text(answers[0])} to all {count} samples."
        yield _finding("constant", where, seen, i, j)


def _twins(i: int, neurons: Sequence[Any]) -> Iterable[Finding]:
    """Look for neurons with equal weights and bias."""
    first: dict[tuple[float, ...], int] = {}
    for j, neuron in enumerate(neurons):
        twin = first.setdefault(tuple(p.data for p in neuron.parameters()), j)
        if twin != j:
            seen = f"Has the weights and the bias of neuron {twin}."
            yield _finding("twin", f"layer {i}, neuron {j}", seen, i, j)


def _flow(value: Value, sums: Sequence[Sequence[Value]]) -> Iterable[Finding]:
    """Compare what arrives at each layer on the way back with what leaves the output."""
    flat = gradient(value, [s for layer in sums for s in layer])
    sizes, start = [], 0
    for layer in sums:
        part = flat[start : start + len(layer)]
        sizes.append(math.fsum(abs(float(entry)) for entry in part) / len(part))
        start += len(layer)
    last = sizes[-1]
    for i, size in enumerate(sizes[:-1]):
        for kind, is_so in (("vanishing", size * FAR < last), ("exploding", size > FAR * last > 0)):
            if is_so:
                seen = f"Its gradients have the mean size {number_text(size)}, those of the output "
                yield _finding(kind, f"layer {i}", f"{seen}{number_text(last)}.", i)
