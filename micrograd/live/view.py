"""A network over the plane of two features: its outputs there, and the samples."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from micrograd.checks import finite_number, listed, needs, whole_number
from micrograd.datasets import parts, separating
from micrograd.engine import Value, no_grad
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DomainError,
    InputCountError,
    NumberTypeError,
    shown_typed,
)
from micrograd.live.frames import base64_text
from micrograd.losses import LOSSES, Loss
from micrograd.nn import MLP
from micrograd.plot import drawable, features_of, limits_of
from micrograd.stepper import Stepper
from micrograd.style import number_text

__all__ = ["GRID", "LINE", "Plane", "Samples", "View", "held_apart", "numbered"]

GRID: Final = 50  # points along each axis of a map
_MOST_MAPS: Final = 64  # of neurons that are sent, 3 kB each
LINE: Final = 101  # points of the line of a single feature


@dataclass(frozen=True)
class Samples:
    """All samples, those of the training data first.

    Attributes
    ----------
    rows : ndarray of shape (n_samples, n_features)
    targets : list
        As the loss takes them.
    groups : list of int
        Which samples share a colour and a shape: the class, or whether the target is high.
    training : int
        How many are training data; the others are held out.
    """

    rows: Any
    targets: list[Any]
    groups: list[int]
    training: int

    def part(self, validation: bool) -> slice:
        """Return which samples are held out, or which are not."""
        return slice(self.training, None) if validation else slice(self.training)


@dataclass(frozen=True)
class Plane:
    """The rectangle in which all samples lie; the features beside its two are at their means.

    With a single feature, its axes are that feature and the target.
    """

    low: Any
    high: Any
    columns: tuple[int, ...]
    means: Any

    def points(self, side: int) -> Any:
        """Return a grid of points, `side` along each axis, row by row from below."""
        import numpy as np

        places = (np.arange(side) + 0.5) / side
        across, up = (
            low + places * (high - low) for low, high in zip(self.low, self.high, strict=True)
        )
        grid = np.tile(self.means, (side * side, 1))
        grid[:, self.columns[-1]] = np.repeat(up, side)
        grid[:, self.columns[0]] = np.tile(across, side)  # the only one where there is one
        return grid


class View:
    """A network over the plane of two features, with its data; `Watch` describes the parameters.

    Attributes
    ----------
    samples : Samples
    plane : Plane
    outputs : int
        How many numbers the model gives for a sample.
    inputs : dict of str to callable, or None
        What the network is given of a sample, each computed from its features; None for these.
    known_loss : Loss or None
        The loss, if it is one of ours.
    labels : list of float
        Of the classes; empty for a regression.
    called : list of str
        What the inputs are called beside the network: as the features, or x⁽⁰⁾₁, x⁽⁰⁾₂, ... where
        these were given no names.
    discrete, show_held_out : bool
        What is drawn: only the answers, not how sure they are; and the samples that are held out.
    """

    discrete, show_held_out = False, True

    def __init__(
        self,
        model: MLP,
        X: Any,
        y: Any,
        loss: str | Loss | Callable[..., Any],
        *,
        validation: tuple[Any, Any] | None,
        features: Sequence[int | str] | None,
        names: Sequence[str] | None,
        classes: Sequence[str] | None,
    ) -> None:
        import numpy as np

        self.model, self.outputs = model, len(model.layers[-1].neurons)
        rows = np.asarray(X, dtype=float)
        drawable("X", rows)
        known = LOSSES.get(loss) if isinstance(loss, str) else loss
        self.known_loss = known if isinstance(known, Loss) else None
        self._loss: Any = self.known_loss.function if self.known_loss else loss
        labels, means, training = _listed(y), rows.mean(axis=0), len(rows)
        targets = self._encoded(labels)
        if validation is not None:
            held = _listed(validation[1])
            rows = np.concatenate([rows, np.asarray(validation[0], dtype=float)])
            labels, targets = labels + held, targets + self._encoded(held)
        self.samples = Samples(rows, targets, self._groups(targets, training), training)
        self._name_classes(labels, classes)
        self.is_line = rows.shape[1] == 1
        if features is None and not self.is_line:
            features = separating(rows[:training], self.samples.groups[:training])
        self.names, self.features = features_of(X, features, names)
        if twice := [name for i, name in enumerate(self.names) if name in self.names[:i]]:
            raise ArgumentError(f"two features are called {twice[0]!r:.60}: give names that differ")
        self._is_named = names is not None or hasattr(X, "columns")
        self.called = self.names if self._is_named else [*map(_input, range(rows.shape[1]))]
        self.description = self._described(self.names)
        self.plane = Plane(*limits_of(self.places()), self.features, means)
        self.inputs: dict[str, Callable[[Any], Any]] | None = None
        self._compiled: dict[int, Any] = {}  # what gives the answers of a layer; -1: the scores

    def places(self) -> Any:
        """Return where each sample is in the plane: its two features, or its one and its target."""
        import numpy as np

        rows = self.samples.rows
        if self.is_line:
            return np.column_stack([rows[:, 0], np.asarray(self.samples.targets, dtype=float)])
        return rows[:, self.features]

    def line(self) -> list[float]:
        """Return what the model predicts for a single feature, from the left of the plane on.

        A target of 0 is at the lower end of the plane, 1 at the upper end.
        """
        import numpy as np

        (left, low), (right, high) = self.plane.low, self.plane.high
        scores = self._answers(np.linspace(left, right, LINE).reshape(-1, 1), -1)
        predicted = scores.argmax(axis=1) if self.outputs > 1 else scores[:, 0]
        return [float(place) for place in (predicted - low) / (high - low)]

    def _described(self, names: list[str]) -> str:
        """Return which two features are shown, or the one and the target."""
        if self.is_line:
            return f"{names[0]} across, the target up"
        across, up = (names[i] for i in self.features)
        said, rest = f"{across} across, {up} up", len(names) - 2
        if rest:
            others = "the other feature" if rest == 1 else f"the other {rest} features"
            said += f"; {others} held at the mean"
        return said

    def _encoded(self, labels: list[Any]) -> list[Any]:
        """Return labels as the loss takes them."""
        return list(self.known_loss.encode(labels)) if self.known_loss else labels

    def _groups(self, targets: list[Any], training: int) -> list[int]:
        """Return the group of each sample; set the score of the boundary, and how shades fade."""
        if self.known_loss is not None and self.known_loss.several_outputs:
            self._level, self._scale = 0.0, 0.25
            return [int(target) for target in targets]
        numbers = []
        for i, target in enumerate(targets):
            try:
                numbers.append(float(target))
            except (TypeError, ValueError):
                raise NumberTypeError(
                    f"y[{i}] is {shown_typed(target)}: the colour of a sample "
                    "is chosen by its label, which has to be a number"
                ) from None
        classification = self.known_loss is not None and self.known_loss.classification
        low, high = min(numbers[:training]), max(numbers[:training])
        self._level = 0.0 if classification else (low + high) / 2
        self._scale = 0.25 if classification else max((high - low) / 4, 1e-9)
        middle = (
            0.5 if self.known_loss is not None and self.known_loss.name == "bce" else self._level
        )
        return [int(number > middle) for number in numbers]

    def _name_classes(self, labels: list[Any], classes: Sequence[str] | None) -> None:
        """Set the names of the classes; a task of numbers has none."""
        groups = self.samples.groups
        classification = self.known_loss is not None and self.known_loss.classification
        self.labels: list[float] = []
        if self.outputs > 1:
            self.labels = [*map(float, range(self.outputs))]
        elif classification or len(set(labels)) == 2:
            self.labels = [-1.0 if -1 in labels else 0.0, 1.0]
            for label, group in zip(labels, groups, strict=True):
                self.labels[group] = float(label)
        names = [f"{label:g}" for label in self.labels]
        if classes is not None:
            given = [str(name) for name in listed("classes", classes)]
            if len(given) != len(names):
                raise InputCountError(f"expected names for {len(names)} classes, got {len(given)}")
            names = given
        self.classes = names

    def forget_compiled(self) -> None:
        """Make the next call compile the network again, as its activation has changed."""
        self._compiled.clear()

    def given(self, rows: Any) -> Any:
        """Return what the network is given of some samples."""
        import numpy as np

        rows = np.asarray(rows, dtype=float)
        if self.inputs is None:
            return rows
        functions = self.inputs.values()
        return np.array([[_number(f, row) for f in functions] for row in rows.tolist()])

    def _answers(self, rows: Any, layer: int) -> Any:
        """Return the output of each neuron of a layer for each row; -1 is the network itself."""
        import numpy as np

        from micrograd.replay import compile as compiled

        if layer not in self._compiled:
            inside = self.model if layer == -1 else lambda x: self.model.trace(x)[layer].x
            self._compiled[layer] = compiled(
                inside, parameters=self.model.parameters(), check="ignore"
            )
        return np.asarray(self._compiled[layer].map(self.given(rows)), dtype=float).reshape(
            len(rows), -1
        )

    def _scores(self, rows: Any) -> list[Any]:
        """Return what the model gives for each row, as the loss takes it."""
        # micrograd's losses take plain numbers too, and are much faster on them.
        kind: Any = float if self.known_loss is not None else Value
        rows = self._answers(rows, -1).tolist()
        return [[*map(kind, row)] if self.outputs > 1 else kind(row[0]) for row in rows]

    def _loss_of(self, scores: list[Any], targets: list[Any]) -> float:
        """Return the loss of some scores; infinite where it is too large for a float."""
        try:
            with no_grad():
                loss = self._loss(scores, targets)
        except (ArithmeticError, DomainError):
            return math.inf
        return float(getattr(loss, "data", loss))

    def field(self, side: int = GRID) -> Any:
        """Return what the model predicts over the plane, as bytes: rows from below.

        For a model of one output 128 is the boundary. For several classes a byte is the number of
        the class times 25, plus how certain the model is of it, from 0 to 24.

        Parameters
        ----------
        side : int, default 50
            The number of rows, and of points in each.
        """
        import numpy as np

        scores = np.nan_to_num(self._answers(self.plane.points(side), -1), nan=0.0)
        scores = np.clip(scores, -1e30, 1e30)
        if self.outputs == 1:
            logits = np.clip((scores[:, 0] - self._level) / self._scale, -50, 50)
            shade = np.rint(255 / (1 + np.exp(-logits)))
        else:
            probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            floor = 1 / self.outputs
            certain = np.clip((probabilities.max(axis=1) - floor) / (1 - floor), 0, 1)
            shade = 25 * (probabilities.argmax(axis=1) % 10) + np.rint(24 * certain)
        return shade.astype(np.uint8).reshape(side, side)

    def neuron_maps(self) -> list[dict[str, Any]]:
        """Return the output of each neuron over the plane, as the page takes it.

        Returns
        -------
        list of dict
            Layer by layer; empty if the network has more than 64 neurons. `map`: bytes in the order
            of `field`, in base64, where 127.5 stands for 0 and either 0 or 255 for the output of
            largest size. `note`: the range of its outputs, in words.
        """
        import numpy as np

        if sum(len(layer.neurons) for layer in self.model.layers) > _MOST_MAPS:
            return []
        found, points = [], self.plane.points(GRID)
        for layer in range(len(self.model.layers)):
            for seen in np.nan_to_num(self._answers(points, layer)).T:
                low, high = float(seen.min()), float(seen.max())
                shade = np.rint(127.5 + 127.5 * (seen / (max(-low, high) or 1.0)))
                line = "; the line is its 0" if low < 0 < high else ""
                note = f"It answers from {number_text(low, 3)} to {number_text(high, 3)}{line}."
                found.append({"map": base64_text(shade.astype(np.uint8).tobytes()), "note": note})
        return found

    def measure(self, *, validation: bool = False) -> tuple[float, int | None]:
        """Return the current loss over all training samples, and how many are correct.

        Parameters
        ----------
        validation : bool, default False
            Measure on the samples that are held out instead.
        """
        part = self.samples.part(validation)
        scores, targets = self._scores(self.samples.rows[part]), self.samples.targets[part]
        correct = None
        if self.known_loss is not None and self.known_loss.classification:
            predict = self.known_loss.predict
            pairs = zip(scores, targets, strict=True)
            correct = sum(bool(predict(score) == target) for score, target in pairs)
        return self._loss_of(scores, targets), correct

    def by_loss(self) -> list[int]:
        """Return the numbers of the training samples, from the largest loss to the smallest."""
        part = self.samples.part(validation=False)
        pairs = zip(self._scores(self.samples.rows[part]), self.samples.targets, strict=False)
        losses = [self._loss_of([score], [target]) for score, target in pairs]
        return sorted(range(len(losses)), key=lambda i: -losses[i])

    def graph_of(self, sample: int) -> Stepper:
        """Return the stepper of the loss of one sample, at the current parameters.

        The parameters are copies, with the names of their network, as `w1[2,1]`; the inputs are
        called as the features, if these were given names.

        Parameters
        ----------
        sample : int
            Its row in `X`; the samples that are held out follow those of `X`.

        Raises
        ------
        ArgumentError
            If there is no such sample. Also a ValueError.
        """
        return self.sample_graph(sample)[0]

    def sample_graph(self, sample: int) -> tuple[Stepper, list[Value], list[Value]]:
        """Return that stepper, with the copies of the parameters and the inputs."""
        rows = self.samples.rows
        sample = whole_number("sample", sample, 0, len(rows) - 1)
        named = self.names if self._is_named else [""] * len(self.names)
        labels = named if self.inputs is None else list(self.inputs)
        pairs = zip(self.given(rows[sample : sample + 1])[0].tolist(), labels, strict=True)
        model, inputs = copy.deepcopy(self.model), [Value(x, label=label) for x, label in pairs]
        loss = self._loss([model(inputs)], [self.samples.targets[sample]])
        return Stepper(loss, model=model), model.parameters(), inputs


def numbered(loss: Any, y: Any, validation: Any) -> tuple[Any, Any, list[str]]:
    """Return labels and held-out labels with classes that are strings as numbers; and the strings.

    They are numbered from 0 in sorted order. Other labels are as they were, and there are no names.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If only some labels are strings, or a class has held-out samples only.

    Examples
    --------
    >>> numbered("hinge", ["no", "yes", "no"], None)
    ([0, 1, 0], None, ['no', 'yes'])
    """
    known = LOSSES.get(loss) if isinstance(loss, str) else loss
    labels = _listed(y)
    words = sorted({label for label in labels if isinstance(label, str)})
    if not words or not (isinstance(known, Loss) and known.classification):
        return y, validation, []
    if len(words) > 2 and not known.several_outputs:
        raise ArgumentError(
            f"{known.name} tells two classes apart, y has {len(words)}: {', '.join(words):.60}; "
            "use 'cross_entropy', and a network with one output per class"
        )
    place = {word: k for k, word in enumerate(words)}

    def encoded(name: str, given: list[Any]) -> list[int]:
        for i, label in enumerate(given):
            if not isinstance(label, str):
                raise ArgumentTypeError(
                    f"{name}[{i}] is {shown_typed(label)}, but other labels are "
                    "strings: expected strings alone"
                )
            if label not in place:
                raise ArgumentError(
                    f"{name}[{i}] is {label!r:.60}, a class of which y has no sample"
                )
        return [place[label] for label in given]

    if isinstance(validation, (tuple, list)) and len(validation) == 2:
        validation = (validation[0], encoded("validation y", _listed(validation[1])))
    return encoded("y", labels), validation, words


def held_apart(loss: Any, X: Any, y: Any, share: Any) -> tuple[Any, Any, Any, list[int]]:
    """Return the samples that are learnt, those held out, and the order in which they stand now.

    The split is that of `datasets.load` with the seed 0: of classes each part holds the same share.

    Raises
    ------
    ArgumentError
        If there are too few samples, or of a class. Also a ValueError.

    Examples
    --------
    >>> X, y, validation, order = held_apart("mse", [[1], [2], [3], [4]], [0.1, 0.2, 0.3, 0.4], 0.5)
    >>> X, y, validation, order
    ([[2], [1]], [0.2, 0.1], ([[3], [4]], [0.3, 0.4]), [1, 0, 2, 3])
    """
    share = float(finite_number("held_out", share, above=0, below=1))
    known, labels = LOSSES.get(loss) if isinstance(loss, str) else loss, _listed(y)
    if len(X) != len(labels):
        raise InputCountError(f"X has {len(X)} rows, y has {len(labels)}")
    classified = len(set(labels)) == 2 or (isinstance(known, Loss) and known.classification)
    try:
        with needs("train", "held_out needs NumPy and scikit-learn"):
            learnt, held = parts(labels if classified else None, len(labels), share, 0)
    except ValueError as error:
        raise ArgumentError(f"held_out={share:g} cannot be split off: {error}") from error

    def chosen(places: list[int]) -> tuple[Any, list[Any]]:
        rows = X.iloc[places] if hasattr(X, "iloc") else [X[i] for i in places]
        return rows, [labels[i] for i in places]

    return *chosen(learnt), chosen(held), [*learnt, *held]


def _number(function: Callable[[Any], Any], row: list[float]) -> float:
    """Return an input; nan where it is not defined, as log beyond all samples."""
    try:
        return float(function(row))
    except (ArithmeticError, DomainError, TypeError):  # a power may be complex
        return math.nan


def _input(i: int) -> str:
    """Return what an input is called on slides.

    Examples
    --------
    >>> _input(0), _input(11)
    ('x⁽⁰⁾₁', 'x⁽⁰⁾₁₂')
    """
    return "x⁽⁰⁾" + "".join(chr(ord("₀") + int(digit)) for digit in str(i + 1))


def _listed(labels: Any) -> list[Any]:
    return list(labels.tolist() if hasattr(labels, "tolist") else labels)
