"""Why a network does not learn: its neurons and layers, checked on real samples.

>>> import random
>>> from micrograd.nn import MLP
>>> model = MLP(2, [2, 1], rng=random.Random(1))
>>> model.layers[0].neurons[1].b.data = -9.0
>>> print(diagnose(model, [[0.1, 0.2], [0.4, -0.3]], [-1, 1]))
1 finding on 2 samples, loss 0.9997, 1 of 2 classified correctly
layer 1, neuron 2 (model.layers[0].neurons[1]): dead. Outputs 0 for all 2 samples; its largest \
sum is -8.642.
    Usual remedy: a smaller learning rate, init="he", or activation="leaky_relu".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from micrograd.checks import one_of
from micrograd.engine import Value, gradient, plain
from micrograd.errors import DomainError, InputCountError, not_a_network
from micrograd.losses import LOSSES, Loss
from micrograd.nn import activation_of, neurons_of
from micrograd.ops import TABLE, as_float
from micrograd.style import number_text
from micrograd.train.data import listed, rows_of, targets_of

__all__ = ["Diagnosis", "Finding", "diagnose"]

FLAT: Final = 0.01
"""Below this local derivative, an activation passes on almost no gradient."""
MOSTLY: Final = 0.9
"""The fraction of samples from which a neuron counts as saturated."""
FAR: Final = 1000.0
"""The factor by which a layer's gradients may be smaller or larger than the output's."""
UNEQUAL: Final = 100.0
"""The factor by which the spreads of two inputs may differ."""
WORSE: Final = 100.0
"""The factor by which the loss may exceed that of the best constant output."""
ALIKE: Final = 0.1
"""Outputs are constant if their spread is below this fraction of the targets' spread."""
ENDED: Final = 0.02
"""Training has ended if this fraction of the samples' gradients is left in their mean."""
NARROW: Final = 8
"""Fewer neurons than this in a layer may be too few."""
_NAMED: Final = 12  # the largest number of places that a line lists


@dataclass(frozen=True)
class Finding:
    """One thing that hinders learning.

    Parameters
    ----------
    kind : str
        "dead", "saturated", "constant", "twin", "vanishing", "exploding", "not finite", "missing",
        "input", "targets", "loss", "far off", "mean" or "too few neurons".
    where : str
        The layer and neuron, counted from 1 as on slides, with the path in the code; or the
        feature, counted from 0 as the columns of X.
    evidence : str
        What was seen, as a sentence.
    remedy : str
        What people usually do about it.
    layer, neuron : int or None
        The same place as in `model.layers[layer].neurons[neuron]`, where there is one.
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
        Data first, then the outputs, then layer by layer.
    samples : int
        On how many it looked.
    loss : float
        The mean over them; nan where the network gives no finite output.
    right : int or None
        How many are classified correctly; None where that cannot be said.
    sizes : tuple of int
        The number of features, then of neurons layer by layer.
    """

    findings: tuple[Finding, ...]
    samples: int
    loss: float
    right: int | None = None
    sizes: tuple[int, ...] = ()

    def __str__(self) -> str:
        count, loss = len(self.findings), f"loss {number_text(self.loss)}"
        found = f"{count or 'no'} finding{'' if count == 1 else 's'}"
        head = f"{found} on {self.samples} samples, {loss}"
        if self.right is not None and self.right == self.samples and count:
            head = f"all {self.samples} samples are classified correctly, {loss}"
            head += f": {found}, which need not matter"
        elif self.right is not None:
            head += f", {self.right} of {self.samples} classified correctly"
        groups: dict[Any, list[Finding]] = {}
        for finding in self.findings:
            # A layer as a whole, and the data as a whole, are a place of their own.
            place = finding.layer if finding.neuron is not None else finding.where.split()[0]
            key = (finding.kind, finding.remedy, place, finding.neuron is None and finding.layer)
            groups.setdefault(key, []).append(finding)
        return "\n".join([head, *map(self._told, groups.values())])

    __repr__ = __str__

    def _told(self, alike: list[Finding]) -> str:
        """Return like findings of one layer, or of the features, as one paragraph."""
        first = alike[0]
        if len(alike) == 1:
            return str(first)
        what, places = "neuron", [str((finding.neuron or 0) + 1) for finding in alike]
        if first.layer is None:
            what, places = "feature", [finding.where.split()[-1] for finding in alike]
        if len(places) > _NAMED:
            places[_NAMED - 1 :] = ["..."]
        if first.layer is None:
            where, of, verb = "", self.sizes[0], ":"
        else:
            where, of, verb = f"layer {first.layer + 1}: ", self.sizes[first.layer + 1], " are"
        return (
            f"{where}{len(alike)} of {of} {what}s{verb} {first.kind} ({', '.join(places)}). "
            f"{what.capitalize()} {places[0]}: {first.evidence}\n    Usual remedy: {first.remedy}"
        )


def diagnose(model: Any, X: Any, y: Any, loss: str = "hinge", optimizer: Any = None) -> Diagnosis:
    """Find what keeps a network from learning, on given samples.

    Parameters
    ----------
    model : MLP
        Its parameters and gradients are left alone.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Labels as `fit` takes them.
    loss : {"hinge", "mse", "bce", "cross_entropy"}, default "hinge"
    optimizer : Optimizer, optional
        What it is trained with: remedies then name its learning rate.

    Returns
    -------
    Diagnosis
        Print it, or go through its `findings`. A network that diverged is a finding, not an error:

        - *dead*: output 0 and derivative 0 for every sample, so that no gradient flows back.
        - *saturated*: a derivative below 0.01 for nine samples in ten, as at the ends of tanh.
        - *constant*: the same output for every sample, though the derivative is not 0.
        - *twin*: a neuron with exactly the weights of an earlier one in its layer.
        - *vanishing*, *exploding*: a layer whose gradients with respect to its sums have a mean
          magnitude 1000 times smaller or larger than those of the output layer.
        - *not finite*: an infinite or nan sum or activation, in the first layer that has one (later
          ones follow from it); or such a loss or gradient.
        - *missing*: a feature that is infinite or nan in some samples; it is then the only finding.
        - *input*: a feature that never changes, or one spread 100 times wider than another.
        - *targets*: they are all the same, or look like class indices.
        - *loss*: the output cannot reach what the loss asks for, as with sigmoid and "hinge".
        - *far off*: a loss a hundred times that of the best constant output.
        - *mean*: the output is (almost) that constant: the mean of the targets for "mse".
        - *too few neurons*: the gradients of the samples cancel, so that training has ended, some
          samples are classified wrongly, and a layer has fewer than 8 neurons or none is hidden.

    Raises
    ------
    ArgumentTypeError
        If the model has no `trace`, or samples or labels are not a sequence. Also a TypeError.
    ArgumentError
        If the loss is unknown, there are no samples, or a label is not finite or not a class.
        Also a ValueError.
    InputCountError
        If there are not as many labels as samples, the rows are of unequal length, or the network
        does not have the outputs that the loss needs. Also a ValueError.
    NumberTypeError
        If a feature or a label is not a number. Also a TypeError.

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
    task = LOSSES[one_of("loss", loss, LOSSES)]
    # Features that are not finite are a finding; labels that are not are an error, as in fit.
    rows = [list(map(as_float, row)) for row in rows_of("X", X, finite=False)]
    labels = listed("y", y)
    if len(rows) != len(labels):
        raise InputCountError(f"X has {len(rows)} rows, y has {len(labels)} entries")
    outputs = len(neurons_of(model)[-1]) if model.layers else 0
    return _Look(model, rows, targets_of(task, labels, outputs), task, optimizer).diagnosis()


class _Look:
    """One diagnosis of a network: its data, and its findings in order."""

    def __init__(
        self, model: Any, rows: list[list[float]], targets: list[Any], task: Loss, optimizer: Any
    ) -> None:
        self.model, self.rows, self.targets, self.task = model, rows, targets, task
        self.layers = neurons_of(model)
        self.optimizer = optimizer
        self.findings: list[Finding] = []
        self.loss, self.stage = math.nan, ""
        self.right: int | None = None
        # The activation of each layer ("" for none), and the number of classes.
        self.activations = [_activation(neurons) for neurons in self.layers]
        self.classes = len(set(targets)) if task.classification else 0

    def diagnosis(self) -> Diagnosis:
        """Return the findings, up to the first one that all others would follow from."""
        try:
            self._look()
        except (ArithmeticError, DomainError) as error:  # the engine's message says what overflows
            text = str(error).rstrip(".")
            self._add("not finite", self.stage, f"{text[:1].upper()}{text[1:]}.")
        sizes = (len(self.rows[0]), *map(len, self.layers))
        findings = tuple(self.findings)
        return Diagnosis(findings, len(self.rows), self.loss, self.right, sizes)

    def _look(self) -> None:
        for where, seen in _missing(self.rows):
            self._add("missing", where, seen)
        if self.findings:
            return
        for where, seen in _inputs(self.rows):
            self._add("input", where, seen)
        self._targets()
        self.stage = "the forward pass"
        traces = [self.model.trace(row) for row in self.rows]
        # of each layer, the (s, x) of its neurons, sample by sample
        layers = [
            [list(zip(*trace[i], strict=True)) for trace in traces] for i in range(len(traces[0]))
        ]
        if self._broken(layers):
            return
        self.stage = "the loss"
        several = self.task.several_outputs
        scores = [trace[-1].x if several else trace[-1].x[0] for trace in traces]
        value = self.task.function(scores, self.targets)
        self.loss = as_float(plain(value))
        if self.task.classification:
            said = [
                self.task.predict([z.data for z in score] if several else score.data)
                for score in scores
            ]
            self.right = sum(map(_same, said, self.targets))
        if not math.isfinite(self.loss):
            self._add("not finite", self.stage, f"It is {self.loss}.")
            return
        alike = self._answers([trace[-1].x for trace in traces])
        for i, samples in enumerate(layers):
            for j, pairs in enumerate(zip(*samples, strict=True)):
                for kind, seen in _neuron(pairs):
                    self._add(kind, _place(i, j), seen, i, j)
            for j, seen in _twins(self.layers[i]):
                self._add("twin", _place(i, j), seen, i, j)
        self.stage = "the backward pass"
        for kind, i, seen in _flow(value, [[s for x in layer for s, _ in x] for layer in layers]):
            self._add(kind, f"layer {i + 1}", seen, i)
        if not alike:
            self._capacity(scores)

    def _broken(self, layers: Sequence[Any]) -> bool:
        """Find summations that are not finite, in the first layer that has one."""
        for i, samples in enumerate(layers):
            for j, pairs in enumerate(zip(*samples, strict=True)):
                sums = [s.data for s, _ in pairs]
                bad = [n for n, (s, x) in enumerate(pairs) if not _finite(s) or not _finite(x)]
                if bad:
                    seen = f"Its sum is {sums[bad[0]]} for sample {bad[0]}, one of {len(bad)} such."
                    self._add("not finite", _place(i, j), seen, i, j)
            if self.findings and self.findings[-1].kind == "not finite":
                return True
        return False

    def _targets(self) -> None:
        """Check the targets, and whether the output can reach what the loss asks for."""
        task, different = self.task, sorted(set(self.targets))
        if len(different) == 1 and len(self.targets) > 1:
            self._add("targets", "the targets", f"All are {number_text(different[0])}.")
        few = 2 < len(different) <= len(self.targets) / 2
        if task.name == "mse" and few and different == list(range(len(different))):
            seen = f"Are 0 to {len(different) - 1}, as classes are numbered, and mse takes "
            self._add("targets", "the targets", f"{seen}them for amounts.")
        name = self.activations[-1] if self.activations else ""
        if not name or name not in TABLE:
            return
        low, high = _range(name)
        wanted = {  # the scores that the loss asks for
            "hinge": (-1.0, 1.0),
            "mse": (as_float(different[0]), as_float(different[-1])),
            "bce": (-math.inf, math.inf),
            "cross_entropy": (0.0, math.inf),
        }[task.name]
        if low > wanted[0] or high < wanted[1]:
            seen = f"Outputs from {number_text(low)} to {number_text(high)} ({name}); {task.name} "
            seen += {
                "mse": f"is given targets from {number_text(wanted[0])} to "
                f"{number_text(wanted[1])}.",
                "hinge": "asks for 1 or more, and for -1 or less.",
            }.get(task.name, "takes scores of any size, and makes probabilities of them itself.")
            self._add("loss", "the output", seen)

    def _answers(self, outputs: Sequence[Sequence[Value]]) -> bool:
        """Compare the outputs with the best one that is the same for every sample.

        Return whether they are all alike.
        """
        count = len(self.targets)
        answers, goals, constant = self._comparable([[z.data for z in row] for row in outputs])
        if self.loss > WORSE * constant > 0:
            seen = f"The loss is {number_text(self.loss)}; the same output for every sample could "
            self._add("far off", "the output", f"{seen}have {number_text(constant)}.")
            return True
        wide = math.sqrt(sum(_variance(column) for column in goals))
        spread = math.sqrt(sum(_variance(column) for column in answers))
        if not wide or spread > ALIKE * wide or count < 3:
            return False
        offs = [sum(a) / count - sum(g) / count for a, g in zip(answers, goals, strict=True)]
        if math.hypot(*offs) > (1 if self.task.name == "hinge" else 2 * ALIKE) * wide + 1e-12:
            return False
        if len(answers) == 1:
            low, high = number_text(min(answers[0])), number_text(max(answers[0]))
            seen = f"Outputs {low} to {high}" if low != high else f"Outputs {low}"
            seen += " (as a probability)" * (self.task.name == "bce")
            seen += f" for all {count} samples; the mean of the targets is "
            seen += f"{number_text(sum(goals[0]) / count)}."
        else:
            seen = f"Gives each class about the same probability for all {count} samples."
        self._add("mean", "the output", seen)
        return True

    def _comparable(
        self, outputs: Sequence[Sequence[Any]]
    ) -> tuple[list[list[float]], list[list[float]], float]:
        """Return outputs and targets, columns on one scale, and the loss of the best constant."""
        name, targets = self.task.name, [as_float(target) for target in self.targets]
        if name == "cross_entropy":
            rows = [[math.exp(z - max(row)) for z in row] for row in outputs]
            columns = range(len(outputs[0]))
            shares = [[row[k] / sum(row) for row in rows] for k in columns]
            return (
                shares,
                [[float(t == k) for t in targets] for k in columns],
                math.log(len(shares)),
            )
        answers = [as_float(row[0]) for row in outputs]
        if name == "bce":
            answers = [float(TABLE["sigmoid"].forward(z)) for z in answers]
        constant = {"mse": _variance(targets), "bce": math.log(2)}.get(name, 1.0)
        return [answers], [targets], constant

    def _capacity(self, scores: Sequence[Any]) -> None:
        """Check whether training of a narrow network has ended with wrong predictions."""
        hidden = list(map(len, self.layers[:-1]))
        if self.right is None:
            variance = _variance(list(map(as_float, self.targets)))
            wrong = f"a loss of {number_text(self.loss)}" if self.loss > ALIKE * variance else ""
        else:
            count = len(self.targets) - self.right
            wrong = f"{count} of {len(self.targets)} samples wrong" if count else ""
        if not wrong or min(hidden, default=0) >= NARROW:
            return
        parameters = self.model.parameters()
        total, sizes = [0.0] * len(parameters), 0.0
        for score, target in zip(scores, self.targets, strict=True):
            grads = gradient(self.task.function([score], [target]), parameters)
            total = [a + g for a, g in zip(total, grads, strict=True)]
            sizes += math.hypot(*grads)
        if sizes and math.hypot(*total) <= ENDED * sizes:
            have = (
                f"hidden layers of {', '.join(map(str, hidden))}" if hidden else "no hidden layer"
            )
            seen = f"The gradients of the samples cancel, so training has ended, with {wrong}"
            self._add("too few neurons", "the network", f"{seen} and {have}.")

    def _add(self, kind: str, where: str, evidence: str, *place: int) -> None:
        self.findings.append(Finding(kind, where, evidence, self._remedy(kind, *place), *place))

    def _remedy(self, kind: str, layer: int | None = None, neuron: int | None = None) -> str:
        """Return the usual remedy for a network like this one."""
        slower = "a smaller learning rate"
        if self.optimizer is not None:
            rate = getattr(self.optimizer, "lr", None)
            rate = rate(getattr(self.optimizer, "steps", 0)) if callable(rate) else rate
            slower += f" than the {number_text(rate)} of {type(self.optimizer).__name__}"
        last = len(self.activations) - 1
        name = self.activations[layer] if layer is not None else ""
        others = sorted({a for a in self.activations[:-1] if a}) or ["linear"]
        regression = not self.task.classification
        if kind in ("dead", "saturated") and layer == last:
            return "no activation in the last layer: it has to give scores of any size."
        if kind == "dead" and name == "relu":
            return f'{slower}, init="he", or activation="leaky_relu".'
        if kind in ("dead", "saturated"):
            other = "leaky_relu" if name == "relu" else "relu"
            return (
                f'smaller initial weights, inputs scaled to about -1 to 1, or activation="{other}".'
            )
        if kind == "vanishing":
            cure = {"relu": 'init="he"', "linear": "larger initial weights", "": "init='glorot'"}
            return f"fewer layers, or {cure.get(others[0], f'relu in place of {others[0]}')}."
        if kind == "loss":
            more = " (and a linear output is what fit expects)"
            bound = "scale the targets into that range, or " if regression else ""
            return f"{bound}no activation in the last layer{more if regression else ''}."
        if kind == "targets":
            if self.task.name == "mse" and len(set(self.targets)) > 1:
                return f'for classes loss="cross_entropy" and {len(set(self.targets))} outputs.'
            return "samples with other targets: there is nothing to tell apart."
        if kind == "far off":
            scale = "scale the targets to mean 0 and spread 1, or " if regression else ""
            return f"{scale}start again with smaller weights and {slower}."
        if kind == "mean":
            deeper = [] if self.activations[:-1] else ["a hidden layer"]
            if "sigmoid" in others:
                deeper.append("tanh or relu in place of sigmoid")
            if min(map(len, self.layers[:-1]), default=NARROW) < NARROW:
                deeper.append("more hidden neurons")
            return ", ".join(
                [*deeper, "more steps, a larger learning rate, or other first weights."]
            )
        return {
            "constant": "look at its weights and at the neurons before it: no input moves it.",
            "twin": "draw the initial weights at random; equal neurons get equal gradients for "
            "ever.",
            "exploding": f"smaller initial weights, {slower}, or fewer layers.",
            "not finite": f"{slower}, and X{' and y' if regression else ''} scaled to about -1 to "
            "1; begin again from the last finite parameters.",
            "missing": "fill in what is missing, or leave these samples out.",
            "input": "scale every feature to mean 0 and spread 1; drop those that never change.",
            "too few neurons": f"more hidden neurons, such as MLP({len(self.rows[0])}, [16, "
            f"{len(self.layers[-1])}]), or other first weights; "
            "where classes overlap, some samples stay wrong.",
        }[kind]


def _place(layer: int, neuron: int) -> str:
    path = f"model.layers[{layer}].neurons[{neuron}]"
    return f"layer {layer + 1}, neuron {neuron + 1} ({path})"


def _activation(neurons: list[Any]) -> str:
    """Return the name of a layer's activation, "" for none."""
    name = activation_of(neurons[0]) if neurons else "linear"
    return "" if name == "linear" else name


def _finite(value: Any) -> bool:
    return bool(value.data * 0 == 0)


def _same(left: Any, right: Any) -> bool:
    return bool(left == right)


def _variance(numbers: Sequence[float]) -> float:
    """Return the variance; infinite if it is too large for a float."""
    mean = sum(numbers) / len(numbers)
    return sum((x - mean) * (x - mean) for x in numbers) / len(numbers)


def _range(name: str) -> tuple[float, float]:
    """Return the range of an activation, as far as it is known."""
    probes = [sign * 10.0**k for sign in (-1, 1) for k in range(-3, 7)]
    seen = [as_float(TABLE[name].forward(x)) for x in [0.0, 1.5, -1.5, *probes]]
    low, high = min(seen), max(seen)
    return (low if low > -1e3 else -math.inf), (high if high < 1e3 else math.inf)


def _missing(rows: Sequence[Sequence[float]]) -> Iterable[tuple[str, str]]:
    """Find features that are not finite numbers."""
    for k, column in enumerate(zip(*rows, strict=True)):
        bad = [n for n, entry in enumerate(column) if not math.isfinite(entry)]
        if bad:
            seen = f"Is {column[bad[0]]} for sample {bad[0]}, one of {len(bad)} such."
            yield f"feature {k}", seen


def _inputs(rows: Sequence[Sequence[float]]) -> Iterable[tuple[str, str]]:
    """Check each feature over the samples."""
    spreads = [max(column) - min(column) for column in zip(*rows, strict=True)]
    if len(rows) < 2:
        return
    widest = max(spreads, default=0.0)
    for k, spread in enumerate(spreads):
        if spread == 0:
            yield f"feature {k}", f"Is {number_text(rows[0][k])} in every sample."
        elif widest > UNEQUAL * spread:
            yield (
                f"feature {k}",
                f"Spreads over {number_text(spread)}, feature {spreads.index(widest)} over "
                f"{number_text(widest)}.",
            )


def _neuron(pairs: Sequence[tuple[Value, Value]]) -> Iterable[tuple[str, str]]:
    """Check the summations and activations of one neuron over the samples."""
    count = len(pairs)
    sums, answers = [s.data for s, _ in pairs], [x.data for _, x in pairs]
    slopes = [abs(x.local_derivatives()[0]) for s, x in pairs if x is not s]
    flat = sum(slope < FLAT for slope in slopes)
    if slopes and not any(slopes) and not any(answers):
        seen = f"Outputs 0 for all {count} samples"
        yield "dead", f"{seen}; its largest sum is {number_text(max(sums))}."
    elif slopes and flat >= MOSTLY * count:
        seen = f"Its slope is below {FLAT} for {flat} of {count} samples"
        seen += f"; sums go from {number_text(min(sums))} to {number_text(max(sums))}."
        yield "saturated", seen
    elif count > 1 and max(answers) == min(answers):
        yield "constant", f"Outputs {number_text(answers[0])} for all {count} samples."


def _twins(neurons: Sequence[Any]) -> Iterable[tuple[int, str]]:
    """Find neurons with equal weights and bias."""
    first: dict[tuple[float, ...], int] = {}
    for j, neuron in enumerate(neurons):
        twin = first.setdefault(tuple(p.data for p in neuron.parameters()), j)
        if twin != j:
            yield j, f"Has the weights and the bias of neuron {twin + 1}."


def _flow(value: Value, sums: Sequence[Sequence[Value]]) -> Iterable[tuple[str, int, str]]:
    """Compare the gradients of each layer with those of the output."""
    flat = gradient(value, [s for layer in sums for s in layer])
    sizes, start = [], 0
    for layer in sums:
        part = flat[start : start + len(layer)]
        sizes.append(as_float(sum(map(abs, part)) / len(part)))
        start += len(layer)
    last = sizes[-1]
    for i, size in enumerate(sizes[:-1]):
        for kind, is_so in (("vanishing", size * FAR < last), ("exploding", size > FAR * last > 0)):
            if is_so:
                seen = f"Its gradients have the mean size {number_text(size)}, those of the output "
                yield kind, i, f"{seen}{number_text(last)}."
