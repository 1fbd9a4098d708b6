"""Watch a network learn: boundary, loss and weights while it trains, in a notebook or on a page.

Python trains and measures; the page shows pictures that are already numbers between 0 and 255, and
text that is already written. The same run, recorded, is one page that works offline, or a GIF.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import io
import math
import operator
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from functools import lru_cache
from numbers import Real
from pathlib import Path
from textwrap import fill
from typing import Any, Final

from micrograd.engine import Value, no_grad
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DomainError,
    InputCountError,
    MicrogradError,
    NumberTypeError,
    not_a_network,
)
from micrograd.files import write_atomic
from micrograd.losses import LOSSES, Loss
from micrograd.nn import MLP
from micrograd.optim import Adam
from micrograd.stepper import Stepper
from micrograd.stepper.page import page_data
from micrograd.stepper.page.html import LAST_LINE, document, script, styles
from micrograd.style import MARKERS, THEMES, Theme, diverging, mix, number_text
from micrograd.style import theme as theme_named
from micrograd.train import Session, session

__all__ = ["Watch", "animate_training", "live_widget", "watch"]

_STATIC: Final = Path(__file__).parent / "static"
_LIVE_END: Final = "export default { render: renderLive };\n"
_START: Final = """\
const values = { data: JSON.parse(document.getElementById("mgs-data").textContent), theme: "auto" };
const asked = new URLSearchParams(location.hash.slice(1)); // page.html#theme=dark
if (asked.has("theme")) values.theme = asked.get("theme");
const model = {
  get: key => values[key], set(key, value) { values[key] = value; },
  on() {}, off() {}, save_changes() {},
};
renderLive({ model, el: document.getElementById("mgs") });
"""
_TRAIN: Final = 'the pictures need NumPy and matplotlib: pip install "micrograd[train]"'
_NOTEBOOK: Final = 'the live view needs anywidget: pip install "micrograd[notebook]"'
_GRID: Final = 50  # points a side of the map, while it changes
_FINE: Final = 100
_MARKS: Final = "●■▲◆✕"  # the shapes of `MARKERS`, in words
_KEY: Final = 10  # classes at most that the key names one by one
_SLICE: Final = 0.05  # seconds of training at a time, so that a pause is heard
_FRAMES: Final = 100
_RATES: Final = (0.0001, 0.001, 0.003, 0.01, 0.02, 0.03, 0.1, 0.3, 1.0)
_ACTIVATIONS: Final = ("relu", "tanh", "sigmoid", "leaky_relu", "gelu", "silu", "linear")
_EMBEDDED: Final = 4  # samples whose steps a page carries
_HIGHEST: Final = 1e300  # loss that is drawn: above it axes have no room for their margins
_NEURONS: Final = 64  # whose maps a page holds, 3 kB each
_EMBEDDED_BYTES: Final = 400_000


def watch(
    model: MLP,
    X: Any,
    y: Any,
    loss: str | Loss | Callable[..., Any] = "hinge",
    optimizer: Any = None,
    *,
    validation: tuple[Any, Any] | None = None,
    batch_size: int | None = None,
    seed: int | None = 0,
    features: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    theme: str = "auto",
) -> Watch:
    """Watch a network learn: a live view in a notebook, a page or a film elsewhere.

    Parameters
    ----------
    model : MLP
        Is trained in place, from the parameters that it has now.
    X : array-like of shape (n_samples, n_features)
        Two features or more.
    y : array-like of shape (n_samples,)
    loss, optimizer, batch_size
        As of `train.fit`.
    validation : (X, y), optional
        Data to measure on, never to learn from: drawn hollow, with a loss curve of their own.
    seed : int, optional
        Decides the shuffling of batches. With the same seed a reset gives the same curve, to the
        last bit.
    features : pair of int, optional
        Which two span the plane, by default the first two that vary; the others are held at their
        means.
    names : sequence of str, optional
        Of all features. Default the columns of a DataFrame, else x1, x2, ...
    classes : sequence of str, optional
        Names for the key, in the order of the classes. Default the labels.
    theme : {"auto", "light", "dark"}, default "auto"

    Returns
    -------
    Watch
        As the last line of a cell it is the live view.

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
        If the model is no MLP, or the data or an option cannot be used.
    ImportError
        If NumPy is missing; names the extra to install.

    Examples
    --------
    >>> import random
    >>> view = watch(MLP(2, [4, 1], rng=random.Random(0)), [[0, 1], [1, 0], [1, 1]], [0, 1, 1])
    >>> view.run(3).step
    3
    >>> first = view.losses
    >>> view.reset().run(3).losses == first
    True
    """
    return Watch(
        model, X, y, loss, optimizer, validation=validation, batch_size=batch_size, seed=seed,
        features=features, names=names, classes=classes, theme=theme,
    )  # fmt: skip


class Watch:
    """A training run that can be looked at; `watch` describes the parameters.

    Attributes
    ----------
    step : int
        How many updates there were.
    losses : list of float
        The loss that each update started from.
    stopped : str
        Why the last step could not be done and what to try, as `fit` says it; "" where it was.
    description : str
        Which two features are shown.
    names, classes : list of str
        Of all features, and of the classes; none where numbers are learnt.
    """

    def __init__(
        self,
        model: MLP,
        X: Any,
        y: Any,
        loss: str | Loss | Callable[..., Any] = "hinge",
        optimizer: Any = None,
        *,
        validation: tuple[Any, Any] | None = None,
        batch_size: int | None = None,
        seed: int | None = 0,
        features: Sequence[int] | None = None,
        names: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
        theme: str = "auto",
    ) -> None:
        try:
            import numpy as np
        except ImportError as error:
            raise ImportError(_TRAIN) from error
        if not isinstance(model, MLP):
            raise not_a_network(model, "an MLP, whose layers can be drawn")
        if theme not in ("auto", *THEMES):
            raise ArgumentError(f"theme must be 'auto', 'light' or 'dark', got {theme!r}")
        if optimizer is None:
            optimizer = Adam(model.parameters(), lr=0.02)
        X, y = (given if hasattr(given, "__len__") else list(given) for given in (X, y))
        self.model, self.optimizer, self.theme, self.stopped = model, optimizer, theme, ""
        self._start = [p.data for p in model.parameters()]
        self._optimizer_start = optimizer.state_dict()
        self._arguments = (X, y, loss, validation, batch_size, seed)
        self._session = self._new_session()  # checks the data
        self._rows = np.asarray(X, dtype=float)
        width = self._rows.shape[1]
        if width < 2:
            raise InputCountError(
                "the boundary is drawn over two features, X has 1: plot_function draws the "
                "function of one"
            )
        if features is None:
            varying = np.flatnonzero(np.ptp(self._rows, axis=0) > 0).tolist()
            features = varying[:2] if len(varying) > 1 else (0, 1)
        self.features = _pair(features, width)
        if names is None:
            names = getattr(X, "columns", [f"x{i + 1}" for i in range(width)])
        self.names = [str(name) for name in names]
        if len(self.names) != width:
            raise InputCountError(f"expected names for {width} features, got {len(self.names)}")
        across, up = (self.names[i] for i in self.features)
        self.description = f"{across} across, {up} up"
        if width > 2:
            others = "the other feature" if width == 3 else f"the other {width - 2} features"
            self.description += f"; {others} held at the mean"
        known = LOSSES.get(loss) if isinstance(loss, str) else loss
        self._known = known if isinstance(known, Loss) else None
        self._function: Any = self._known.function if self._known else loss
        labels = _plain(y)
        self._targets = self._encoded(labels)
        # What is held out comes after what is learnt from, wherever samples are numbered.
        self._held_rows, self._held_targets = self._rows[:0], []
        if validation is not None:
            self._held_rows = np.asarray(validation[0], dtype=float)
            held = _plain(validation[1])
            self._held_targets = self._encoded(held)
            labels += held
        self._classes = len(self.model.layers[-1].neurons)
        self._label_numbers()
        self._name_classes(labels, classes)
        self._forward: Any = None
        self._inside: dict[int, Any] = {}  # the answers of a layer, compiled when asked for
        self._plane()
        self.frame_sent: dict[str, Any] = {}

    # ---- the run

    def _new_session(self) -> Session:
        X, y, loss, validation, batch_size, seed = self._arguments
        return session(
            self.model, X, y, loss, self.optimizer, batch_size, seed, validation=validation
        )

    def _encoded(self, labels: list[Any]) -> list[Any]:
        """Return labels as the loss wants them."""
        return self._known.encode(labels) if self._known else labels

    @property
    def step(self) -> int:
        """How many updates there were."""
        return self._session.done

    @property
    def losses(self) -> list[float]:
        """The loss that each update started from."""
        return list(self._session.history.loss)

    def run(self, steps: int = 1) -> Watch:
        """Train for some steps; return the watch.

        Parameters
        ----------
        steps : int, default 1

        Raises
        ------
        OverflowRangeError, DomainError, ZeroDivisorError, NonFiniteError
            As of `train.fit`, if a number stops being finite. The steps before are done.
        """
        try:
            count = -1 if isinstance(steps, bool) else operator.index(steps)
        except TypeError:
            count = -1
        if count < 0:
            raise ArgumentError(f"expected a number of steps of 0 or more, got {steps!r}")
        self.stopped = ""
        for _ in range(count):
            try:
                self._session.advance()
            except (ArithmeticError, DomainError) as error:
                self.stopped = str(error)
                raise
        return self

    def reset(self) -> Watch:
        """Go back to the first step: the same parameters, the same seed, the same curve.

        A learning rate that was set by hand stays.
        """
        rate, chosen = self.optimizer.lr, getattr(self, "_rate_chosen", False)
        for parameter, data in zip(self.model.parameters(), self._start, strict=True):
            parameter.data = data
            parameter.grad = 0
        self.optimizer.load_state_dict(self._optimizer_start)
        if chosen:
            self.optimizer.lr = rate
        self._session, self.stopped = self._new_session(), ""
        return self

    def set_rate(self, rate: float | Real) -> Watch:
        """Go on with another learning rate."""
        # Real: a float32 or an int64 of NumPy is no float and no int.
        if not (isinstance(rate, Real) and 0 < float(rate) < math.inf):
            raise ArgumentError(f"expected a learning rate above 0, got {rate!r}")
        self.optimizer.lr = float(rate)
        self._rate_chosen = True
        return self

    def set_activation(self, name: str) -> Watch:
        """Give the hidden neurons another activation, and start anew from the same parameters."""
        MLP(1, [1], activation=name)  # says what is wrong with a name
        for layer in self.model.layers[:-1]:
            for neuron in layer.neurons:
                neuron.activation = name
        self.model.activation = name
        self._forward = None
        self._inside.clear()
        return self.reset()

    @property
    def activation(self) -> str:
        """Of the hidden neurons: its name, or their names layer by layer."""
        given = self.model.activation
        return given if isinstance(given, str) else ", ".join(given)

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        lr = self.optimizer.lr
        return float(lr(self.step) if callable(lr) else lr)

    # ---- what is seen

    def _label_numbers(self) -> None:
        """Sort the samples into the groups that have their own colour and mark."""
        targets = [*self._targets, *self._held_targets]
        if self._known is not None and self._known.several_outputs:
            self._groups, self._level, self._scale = [int(t) for t in targets], 0.0, 0.25
            return
        numbers = []
        for i, target in enumerate(targets):
            try:
                numbers.append(float(target))
            except (TypeError, ValueError):
                raise NumberTypeError(
                    f"y[{i}] is {target!r:.60} ({type(target).__name__}): a label has a colour by "
                    "its number"
                ) from None
        classification = self._known is not None and self._known.classification
        learnt = numbers[: len(self._targets)]
        low, high = min(learnt), max(learnt)
        self._level = 0.0 if classification else (low + high) / 2
        self._scale = 0.25 if classification else max((high - low) / 4, 1e-9)
        middle = 0.5 if self._known is not None and self._known.name == "bce" else self._level
        self._groups = [int(t > middle) for t in numbers]

    def _name_classes(self, labels: list[Any], classes: Sequence[str] | None) -> None:
        """Name the classes, which a task has that is about which side a sample is on."""
        sides = set(labels)
        known = self._known is not None and self._known.classification
        names: list[str] = []
        if self._classes > 1:
            names = [str(k) for k in range(self._classes)]
        elif known or len(sides) == 2:
            names = ["", ""]
            for label, group in zip(labels, self._groups, strict=True):
                names[group] = f"{label:g}"
        if classes is not None:
            given = [str(name) for name in classes]
            if len(given) != len(names):
                raise InputCountError(f"expected names for {len(names)} classes, got {len(given)}")
            names = given
        self.classes = names
        if not names:
            self._key = f"Blue above {number_text(self._level, 3)}, orange below."
            return
        marks = [f"{_MARKS[_shape(g, self._classes)]} {name}" for g, name in enumerate(names)]
        here = [mark for g, mark in enumerate(marks) if self._classes > 1 or g in self._groups]
        self._key = ", ".join(here) + "." if len(here) <= _KEY else f"{len(here)} classes."

    def _plane(self) -> None:
        import numpy as np

        i, j = self.features
        shown = self._all_rows()[:, [i, j]]
        margin = 0.08 * np.maximum(np.ptp(shown, axis=0), 1e-9)
        self._low, self._high = shown.min(axis=0) - margin, shown.max(axis=0) + margin
        self._grid = self._points(_GRID)

    def _points(self, side: int) -> Any:
        """Return the points of the plane, row by row from below, so many a side."""
        import numpy as np

        i, j = self.features
        places = (np.arange(side) + 0.5) / side
        across = self._low[0] + places * (self._high[0] - self._low[0])
        up = self._low[1] + places * (self._high[1] - self._low[1])
        grid = np.tile(self._rows.mean(axis=0), (side * side, 1))
        grid[:, i] = np.tile(across, side)
        grid[:, j] = np.repeat(up, side)
        return grid

    def _all_rows(self) -> Any:
        import numpy as np

        return np.concatenate([self._rows, self._held_rows])

    def _scores(self, rows: Any) -> Any:
        import numpy as np

        from micrograd.replay import compile as compiled

        if self._forward is None:
            self._forward = compiled(self.model, parameters=self.model.parameters(), check="ignore")
        return np.asarray(self._forward.map(rows), dtype=float).reshape(len(rows), -1)

    def _outputs(self, rows: Any) -> list[Any]:
        """Return what the model gives for each row, as the loss wants it."""
        scores = self._scores(rows).tolist()
        # Our own losses work on plain numbers too, and are much faster on them.
        kind: Any = float if self._known is not None else Value
        return [[*map(kind, row)] if self._classes > 1 else kind(row[0]) for row in scores]

    def field(self, side: int = _GRID) -> Any:
        """Return what the model says of the plane, as bytes: rows from below.

        For one output 128 is the boundary; for several classes a byte is the class times 25 plus
        how sure of it the model is.

        Parameters
        ----------
        side : int, default 50
            How many rows, and how many points a row.
        """
        import numpy as np

        grid = self._grid if side == _GRID else self._points(side)
        scores = np.clip(np.nan_to_num(self._scores(grid), nan=0.0), -1e30, 1e30)
        if self._classes == 1:
            logits = np.clip((scores[:, 0] - self._level) / self._scale, -50, 50)
            shade = np.rint(255 / (1 + np.exp(-logits)))
        else:
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            best = shares.argmax(axis=1)
            floor = 1 / self._classes
            sure = (shares.max(axis=1) - floor) / (1 - floor)
            shade = 25 * (best % 10) + np.rint(24 * np.clip(sure, 0, 1))
        return shade.astype(np.uint8).reshape(side, side)

    def neuron_map(self, layer: int, neuron: int) -> dict[str, Any]:
        """Return what one neuron answers over the plane, as the page wants it.

        Parameters
        ----------
        layer, neuron : int
            Counted from 0; the last layer is the output.

        Returns
        -------
        dict
            `map`: bytes in the order of `field`, in base64: 127.5 is 0, and 0 or 255 is the largest
            answer. `note`: from where to where it answers, in words.

        Raises
        ------
        ArgumentError
            If there is no such neuron. Also a ValueError.
        """
        import numpy as np

        from micrograd.replay import compile as compiled

        layers = self.model.layers
        if layer not in range(len(layers)) or neuron not in range(len(layers[layer].neurons)):
            raise ArgumentError(
                f"expected a layer and a neuron of {[len(part.neurons) for part in layers]}, "
                f"got neuron {neuron!r:.60} of layer {layer!r:.60}"
            )
        if layer not in self._inside:
            self._inside[layer] = compiled(
                lambda x: self.model.trace(x)[layer].x,
                parameters=self.model.parameters(),
                check="ignore",
            )
        answers = np.asarray(self._inside[layer].map(self._grid), dtype=float)
        seen = np.nan_to_num(answers.reshape(len(self._grid), -1)[:, neuron])
        low, high = float(seen.min()), float(seen.max())
        shade = np.rint(127.5 + 127.5 * (seen / (max(-low, high) or 1.0))).astype(np.uint8)
        line = "; the line is its 0" if low < 0 < high else ""
        return {
            "map": base64.b64encode(shade.tobytes()).decode(),
            "note": f"It answers from {number_text(low, 3)} to {number_text(high, 3)}{line}.",
        }

    def measure(self, *, validation: bool = False) -> tuple[float, int | None]:
        """Return the present loss over all samples, and how many are right.

        Parameters
        ----------
        validation : bool, default False
            Of the samples that are held out instead.
        """
        rows, targets = self._rows, self._targets
        if validation:
            rows, targets = self._held_rows, self._held_targets
        outputs = self._outputs(rows)
        right = None
        if self._known is not None and self._known.classification:
            predict = self._known.predict
            pairs = zip(outputs, targets, strict=True)
            right = sum(bool(predict(output) == target) for output, target in pairs)
        return self._loss_of(outputs, targets), right

    def _loss_of(self, outputs: list[Any], targets: list[Any]) -> float:
        """Return the loss of what the model gives; infinite where it is too large for a float."""
        try:
            with no_grad():
                loss = self._function(outputs, targets)
        except (ArithmeticError, DomainError):
            return math.inf
        return float(getattr(loss, "data", loss))

    def frame(self, *, fine: bool = False) -> dict[str, Any]:
        """Return what one moment of the run looks like, as the page wants it.

        Parameters
        ----------
        fine : bool, default False
            With a map of four times as many points, for a moment that stays.
        """

        def told(loss: float) -> str:
            return number_text(loss, 3) if math.isfinite(loss) else "not finite"

        loss, right = self.measure()
        count = len(self._targets)
        text = f"step {self.step} · loss {told(loss)}"
        words = f"Step {self.step}: loss {told(loss)}"
        if right is not None:
            text += f" · {right} of {count} right"
            words += f", {right} of {count} right"
        held = None
        if self._held_targets:
            held, right = self.measure(validation=True)
            shown, count = told(held), len(self._held_targets)
            words += f"; held out: loss {shown}"
            if right is None:
                text += f" · held out loss {shown}"
            else:
                text += f" · held out {right} of {count} right"
                words += f", {right} of {count} right"
        shares = bytearray()
        scales = []
        for layer in self.model.layers:
            sizes = sorted(abs(float(w.data)) for neuron in layer.neurons for w in neuron.w)
            most = sizes[math.ceil(0.98 * len(sizes)) - 1] if sizes else 1.0
            most = _power_of_two(most) if 0 < most < math.inf else 1.0
            scales.append(number_text(most))
            for neuron in layer.neurons:
                for parameter in (*neuron.w, neuron.b):
                    share = max(-1.0, min(1.0, float(parameter.data) / most))
                    shares.append(round(127 * share) % 256 if share == share else 0)
        return {
            "n": self.step,
            "loss": loss if math.isfinite(loss) else None,
            "held": held if held is not None and math.isfinite(held) else None,
            "text": text,
            "say": f"{words}. {self.stopped}".rstrip(),
            "stopped": self.stopped,
            "map": base64.b64encode(self.field(_FINE if fine else _GRID).tobytes()).decode(),
            "w": base64.b64encode(bytes(shares)).decode(),
            "scales": scales,
        }

    def curve(self, moment: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the loss so far as at most 500 points, with the scale of its axes.

        Parameters
        ----------
        moment : dict, optional
            The frame whose losses end the curves, of what is learnt from and of what is held out.
        """
        history = self._session.history
        curves = []
        for losses, last in ((history.loss, "loss"), (history.validation_loss, "held")):
            end = []
            if moment is not None and moment[last] is not None:
                end = [(self.step, min(moment[last], _HIGHEST))]
            points = [(i, min(v, _HIGHEST)) for i, v in enumerate(losses) if math.isfinite(v)]
            curves.append(_thinned([*points, *end]))
        points, held = curves
        return {
            "points": points,
            "held": held,
            **_axes([v for _, v in (*points, *held)], max(self.step, 1)),
        }

    def still(self) -> dict[str, Any]:
        """Return what does not change while the network learns."""
        i, j = self.features
        spans = self._high - self._low
        points = [
            [round(float((row[i] - self._low[0]) / spans[0]), 4),
             round(float((row[j] - self._low[1]) / spans[1]), 4), group]
            for row, group in zip(self._all_rows(), self._groups, strict=True)
        ]  # fmt: skip
        ends = [[number_text(float(x), 3) for x in pair] for pair in (self._low, self._high)]
        layers = [len(self.model.layers[0].neurons[0].w)]
        layers += [len(layer.neurons) for layer in self.model.layers]
        colours = {
            name: [_group_colour(look, g, self._classes) for g in range(max(2, self._classes))]
            for name, look in THEMES.items()
        }
        lr, rate = self.optimizer.lr, number_text(self.rate, 3)
        if callable(lr) and self.step:
            rate = f"{number_text(float(lr(0)), 3)} to {rate}"
        return {
            "points": points,
            "learnt": len(self._rows),
            "ends": ends,
            "names": [self.names[i], self.names[j]],
            "layers": layers,
            "binary": self._classes == 1,
            "undecided": 0 if self._classes == 1 else _undecided(self._classes),
            "colours": colours,
            "lut": {name: _shades(look, self._classes) for name, look in THEMES.items()},
            "shades": {name: _shades(look, 1) for name, look in THEMES.items()},
            "about": f"{self.description}. {self._key}"
            + (" Hollow: held out." if self._held_targets else ""),
            "heading": "Decision boundary" if self.classes else "Prediction",
            "classes": self.classes,
            "shapes": [_shape(g, self._classes) for g in range(max(2, self._classes))],
            "setting": f"{type(self.optimizer).__name__}, learning rate {rate}, {self.activation}",
        }

    def graph_of(self, sample: int) -> Stepper:
        """Return the stepper of one sample's loss, with the present parameters.

        They are copied, and have names: w0.2.1 is the weight of input 1 of neuron 2 of layer 0, and
        b0.2 its bias.

        Parameters
        ----------
        sample : int
            Its row in `X`; those that are held out are counted on from there.

        Raises
        ------
        ArgumentError
            If there is no such row.
        """
        if isinstance(sample, bool) or not isinstance(sample, int):
            raise ArgumentTypeError(f"expected the number of a sample, got {sample!r}")
        rows, targets = self._all_rows(), [*self._targets, *self._held_targets]
        if not 0 <= sample < len(rows):
            raise ArgumentError(f"expected a sample from 0 to {len(rows) - 1}, got {sample}")
        row = [
            Value(x, label=name) for x, name in zip(rows[sample].tolist(), self.names, strict=True)
        ]
        model = copy.deepcopy(self.model)
        for i, layer in enumerate(model.layers):
            for k, neuron in enumerate(layer.neurons):
                for j, weight in enumerate(neuron.w):
                    weight.label = weight.label or f"w{i}.{k}.{j}"
                neuron.b.label = neuron.b.label or f"b{i}.{k}"
        root = self._function([model(row)], [targets[sample]])
        root.label = root.label or "loss"
        return Stepper(root)

    # ---- elsewhere

    def record(self, steps: int | None = None, frames: int = _FRAMES) -> list[dict[str, Any]]:
        """Train from the start and return the moments of the run.

        Where a number stops being finite, the last moment is that before the step that could not
        be done, and says so; there is a RuntimeWarning too.

        Parameters
        ----------
        steps : int, optional
            Default as many as were done, or 200.
        frames : int, default 100
            At most so many, evenly spaced, besides the first.
        """
        steps = (self.step or 200) if steps is None else steps
        for name, given in (("steps", steps), ("frames", frames)):
            if isinstance(given, bool) or not isinstance(given, int) or given < 1:
                raise ArgumentError(f"expected {name} of 1 or more, got {given!r}")
        every = math.ceil(steps / frames)
        self.reset()
        moments = [self.frame()]
        while self.step < steps:
            try:
                self.run(min(every, steps - self.step))
            except (ArithmeticError, DomainError):
                from micrograd.replay.trace.watch import user_frame

                moments = [moment for moment in moments if moment["n"] < self.step]
                moments.append(self.frame())
                warnings.warn(self.stopped, RuntimeWarning, stacklevel=user_frame()[1])
                break
            moments.append(self.frame())
        return moments

    def page_text(self, steps: int | None = None, title: str = "A network learns") -> str:
        """Return a page of the run, recorded anew; see `to_html`."""
        moments = self.record(steps)
        data = {
            **self.still(),
            "frames": moments,
            "curve": self.curve(moments[-1]),
            "samples": self._embedded(),
            "neurons": self._neuron_maps(),
            "title": title,
        }
        code = live_script()
        code = code.removesuffix(_LIVE_END) + _START
        return document(title, code, live_styles(), data, moments[-1]["say"])

    def to_html(
        self, path: str | Path, steps: int | None = None, title: str = "A network learns"
    ) -> Path:
        """Write the run as one page that needs no network, and return its path.

        The run is recorded from its start, at most 100 moments of it. Up to four samples bring
        their back-propagation, as of the end of the run, where it is small.

        Parameters
        ----------
        path : path-like
            Ends in .html.
        steps : int, optional
            Default as many as were done, or 200.
        title : str, default "A network learns"
        """
        _check_ending(path, ".html", ".htm")
        target = Path(path)
        write_atomic(target, self.page_text(steps, title).encode("utf-8"))
        return target

    def _neuron_maps(self) -> dict[str, Any]:
        """Return the maps of the neurons at the present parameters, while they are few."""
        layers = self.model.layers
        if sum(len(layer.neurons) for layer in layers) > _NEURONS:
            return {}
        return {
            f"{i} {k}": self.neuron_map(i, k)
            for i, layer in enumerate(layers)
            for k in range(len(layer.neurons))
        }

    def _embedded(self) -> dict[str, Any]:
        """Return the steppers of the samples that are learnt worst, where they are small."""
        losses = [
            (-self._loss_of([output], [self._targets[i]]), i)
            for i, output in enumerate(self._outputs(self._rows))
        ]
        found: dict[str, Any] = {}
        room = _EMBEDDED_BYTES
        for _, i in sorted(losses)[:_EMBEDDED]:
            try:
                data = page_data(self.graph_of(i), title=f"The loss of sample {i}")
            except MicrogradError:
                break
            room -= len(repr(data))
            if room < 0:
                break
            found[str(i)] = data
        return found

    def to_gif(
        self,
        path: str | Path,
        steps: int | None = None,
        *,
        frames: int = 40,
        seconds: float = 0.12,
        theme: str = "light",
    ) -> Path:
        """Write the run as a GIF of boundary and loss, and return its path.

        Parameters
        ----------
        path : path-like
            Ends in .gif.
        steps : int, optional
            Default as many as were done, or 200.
        frames : int, default 40
        seconds : float, default 0.12
            Each frame; the last one stays for three seconds.
        theme : {"light", "dark"}, default "light"

        Raises
        ------
        ImportError
            If matplotlib is missing; names the extra to install.
        """
        look = theme_named(theme)
        _check_ending(path, ".gif")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
            raise ArgumentError(f"expected seconds above 0, got {seconds!r}")
        images = self._images(self.record(steps, frames), look)
        content = io.BytesIO()
        times = [max(20, round(1000 * seconds))] * (len(images) - 1) + [3000]
        images[0].save(
            content, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0,
            disposal=1,
        )  # fmt: skip
        target = Path(path)
        write_atomic(target, content.getvalue())
        return target

    def _images(self, moments: list[dict[str, Any]], look: Theme) -> list[Any]:
        try:
            from matplotlib import rc_context
        except ImportError as error:
            raise ImportError(_TRAIN) from error
        fonts = ["Arial", "Liberation Sans", "Helvetica", "DejaVu Sans"]
        with rc_context({"font.sans-serif": fonts, "font.family": "sans-serif"}):
            return self._drawn(moments, look)

    def _drawn(self, moments: list[dict[str, Any]], look: Theme) -> list[Any]:
        try:
            import numpy as np
            from PIL import Image
        except ImportError as error:
            raise ImportError(_TRAIN) from error
        from micrograd.plot import sheet

        left, right = sheet(2, theme=look.name)
        i, j = self.features
        extent = (self._low[0], self._high[0], self._low[1], self._high[1])
        text = _shades(look, self._classes)
        table = np.array([[int(text[k + c : k + c + 2], 16) for c in (0, 2, 4)]
                          for k in range(0, len(text), 6)], dtype=np.uint8)  # fmt: skip
        fields = [
            np.frombuffer(base64.b64decode(m["map"]), np.uint8).reshape(_GRID, _GRID)
            for m in moments
        ]
        picture = left.imshow(
            table[fields[0]], extent=extent, origin="lower", aspect="auto",
            interpolation="bilinear", zorder=0,
        )  # fmt: skip
        groups, rows = np.array(self._groups), self._all_rows()
        hollow = np.arange(len(rows)) >= len(self._rows)
        for group, held in sorted(set(zip(self._groups, hollow.tolist(), strict=True))):
            chosen = rows[(groups == group) & (hollow == held)]
            colour = _group_colour(look, group, self._classes)
            left.scatter(
                chosen[:, i], chosen[:, j], s=26, zorder=4 if held else 3,
                edgecolor=colour if held else look.bg, linewidth=1.3 if held else 0.9,
                facecolor=look.bg if held else colour, marker=MARKERS[_shape(group, self._classes)],
            )  # fmt: skip
        left.set_xlim(*extent[:2])
        left.set_ylim(*extent[2:])
        curve = self.curve(moments[-1])
        if curve["log"]:
            right.set_yscale("log")
        right.set_xlim(0, curve["most"])
        right.set_ylim(curve["low"], curve["high"])
        drawn = []
        for key, name, colour, style in (
            ("points", "train" if curve["held"] else "", look.ink, "-"),
            ("held", "held out", look.muted, (0, (4.5, 2))),
        ):
            if curve[key]:  # what is below the scale stands at its lower edge
                points = [(n, max(loss, curve["low"])) for n, loss in curve[key]]
                drawn.append(_Curve(right, points, colour, style, name))
        across, up = (self.names[k] for k in (i, j))
        for ax, name, below, beside in ((left, "", across, up), (right, "Loss", "step", "")):
            ax.set_xlabel(below, color=look.muted)
            ax.set_ylabel(beside, color=look.muted)
            ax.tick_params(colors=look.muted, labelsize=10)
            ax.set_title(name, loc="left", color=look.ink, fontsize=13, fontweight="bold")
            ax.set_facecolor(look.bg)
            for side, spine in ax.spines.items():
                spine.set_color(look.line)
                spine.set_visible(side in ("left", "bottom") and ax is right)
        right.grid(axis="y", color=look.hair, linewidth=0.8)
        right.set_axisbelow(True)
        figure = left.figure
        figure.set_dpi(110)
        centres = [low + (np.arange(_GRID) + 0.5) / _GRID * (high - low)
                   for low, high in zip(self._low, self._high, strict=True)]  # fmt: skip
        images: list[Any] = []
        contours: list[Any] = []
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas: Any = FigureCanvasAgg(figure)
        _shown_until(drawn, curve["most"])
        left.set_xlabel(f"{across}\n" if self._held_targets else across, color=look.muted)
        canvas.draw()
        figure.set_layout_engine("none")  # where things are does not change from here on
        for moment, field in zip(moments, fields, strict=True):
            picture.set_data(table[field])
            while contours:
                contours.pop().remove()
            for level in _levels(field, self._classes):
                line = left.contour(
                    *centres, level, levels=[0], colors=look.ink, linewidths=2.2, zorder=2
                )
                contours.append(line)
            _shown_until(drawn, moment["n"])
            words = moment["text"].split(" · ")
            if self._held_targets:
                left.set_xlabel(f"{across}\nhollow: {words.pop()}", color=look.muted)
            left.set_title(
                f"Step {moment['n']}", loc="left", color=look.ink, fontsize=13, fontweight="bold"
            )
            left.set_title(words[-1] if len(words) > 2 else "", loc="right", color=look.muted,
                           fontsize=11)  # fmt: skip
            right.set_title(words[1].removeprefix("loss "), loc="right", color=look.muted,
                            fontsize=11)  # fmt: skip
            if moment["stopped"]:
                right.text(
                    0.03, 0.97, fill(moment["stopped"], 46), transform=right.transAxes, va="top",
                    color=look.ink, fontsize=10, zorder=5,
                    bbox={"facecolor": look.bg, "edgecolor": look.line, "pad": 6},
                )  # fmt: skip
            canvas.draw()
            image = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())
            images.append(image.quantize(colors=255, dither=Image.Dither.NONE))
        return images

    # ---- in a notebook

    def widget(self, **options: Any) -> Any:
        """Return the live view as a notebook widget.

        Raises
        ------
        ImportError
            Without anywidget; the message names the extra to install.
        """
        return live_widget()(self, **{"theme": self.theme, **options})

    def _repr_mimebundle_(self, **_: Any) -> Any:
        try:
            return self.widget()._repr_mimebundle_()
        except ImportError as error:
            return {**self.picture(), "text/plain": f"{self!r}\n{error}"}

    def picture(self) -> dict[str, str]:
        """Return the present moment as a picture for a notebook that is saved: MIME type, data.

        It is {} where matplotlib is missing.
        """
        try:
            look = theme_named("light" if self.theme == "auto" else self.theme)
            (image,) = self._images([self.frame()], look)
        except ImportError:
            return {}
        content = io.BytesIO()
        image.save(content, "PNG", optimize=True)
        return {"image/png": base64.b64encode(content.getvalue()).decode()}

    def __repr__(self) -> str:
        sizes = [len(layer.neurons) for layer in self.model.layers]
        network = f"MLP({self._rows.shape[1]}, {sizes})"
        return f"Watch({network}, {len(self._rows)} samples, step {self.step})"


def animate_training(  # noqa: PLR0917 (the order of watch)
    model: MLP,
    X: Any,
    y: Any,
    path: str | Path,
    loss: str | Loss | Callable[..., Any] = "hinge",
    optimizer: Any = None,
    *,
    steps: int = 200,
    frames: int = 40,
    seconds: float = 0.12,
    validation: tuple[Any, Any] | None = None,
    batch_size: int | None = None,
    seed: int | None = 0,
    features: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    theme: str = "light",
) -> Path:
    """Train a network and write how it learns as a GIF, for a slide.

    Parameters
    ----------
    model, X, y, loss, optimizer, validation, batch_size, seed, features, names, \
classes
        As of `watch`.
    path : path-like
    steps : int, default 200
    frames : int, default 40
    seconds : float, default 0.12
        Each frame; the last one stays for three seconds.
    theme : {"light", "dark"}, default "light"

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError, ImportError
        As of `watch`.

    Examples
    --------
    >>> import random, tempfile
    >>> model = MLP(2, [2, 1], rng=random.Random(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate_training(
    ...         model, [[0, 1], [1, 0], [1, 1]], [0, 1, 1], f"{folder}/a.gif", steps=2
    ...     ).name
    'a.gif'
    """
    theme_named(theme)
    view = watch(
        model, X, y, loss, optimizer, validation=validation, batch_size=batch_size, seed=seed,
        features=features, names=names, classes=classes,
    )  # fmt: skip
    return view.to_gif(path, steps, frames=frames, seconds=seconds, theme=theme)


class _Curve:
    """A curve of the film that grows, with its name at its end."""

    def __init__(
        self, ax: Any, points: list[tuple[int, float]], colour: str, style: Any, name: str
    ) -> None:
        self.ax, self.points = ax, points
        (self.line,) = ax.plot(
            [], [], color=colour, linestyle=style, linewidth=2.2, clip_on=False, zorder=3
        )
        (self.dot,) = ax.plot([], [], "o", color=colour, markersize=6, clip_on=False, zorder=4)
        self.name = ax.annotate(
            name, (0, 0), xytext=(7, 0), textcoords="offset points", color=colour, va="center",
            annotation_clip=False, fontsize=11,
        )  # fmt: skip

    def end_at(self, step: int) -> float:
        """Draw it up to a step; return the height of its end, in points."""
        shown = [point for point in self.points if point[0] <= step] or [(0, math.nan)]
        self.line.set_data(*zip(*shown, strict=True))
        self.dot.set_data(*zip(shown[-1], strict=True))
        self.name.xy = shown[-1]
        return float(self.ax.transData.transform(shown[-1])[1]) * 72 / float(self.ax.figure.dpi)


def _shown_until(curves: list[_Curve], step: int) -> None:
    """Draw the curves up to a step, their names moved apart where they would touch."""
    ends = [curve.end_at(step) for curve in curves]
    if len(curves) == 2:
        overlap = max(0.0, 14 - abs(ends[0] - ends[1])) / 2
        shifts = [overlap, -overlap] if ends[0] > ends[1] else [-overlap, overlap]
        ax = curves[0].ax
        floor = ax.bbox.y0 * 72 / ax.figure.dpi + 5  # above the numbers of the axis
        lift = max(0.0, floor - min(ends[0] + shifts[0], ends[1] + shifts[1]))
        for curve, shift in zip(curves, shifts, strict=True):
            curve.name.xyann = (7, shift + lift)


# ---- small parts -------------------------------------------------------------------------------


def _check_ending(path: str | Path, *endings: str) -> None:
    if Path(path).suffix.lower() not in endings:
        raise ArgumentError(f"expected a name that ends in {endings[0]}, got {str(path)!r}")


def _pair(features: Sequence[int], width: int) -> tuple[int, int]:
    try:
        first, second = features
    except (TypeError, ValueError):
        raise ArgumentError(
            f"expected features=(i, j), the two features of the plane, got {features!r}"
        ) from None
    for i in (first, second):
        if isinstance(i, bool) or not isinstance(i, int) or not 0 <= i < width:
            raise ArgumentError(f"features={features!r}: expected numbers from 0 to {width - 1}")
    if first == second:
        raise ArgumentError(f"features={features!r}: a plane needs two different features")
    return first, second


def _group_colour(look: Theme, group: int, classes: int) -> str:
    if classes == 1:
        return look.pos if group else look.neg
    return look.classes[group % len(look.classes)]


def _shape(group: int, classes: int) -> int:
    """Return the place of a group's shape in `MARKERS`; none comes twice in one colour."""
    if classes == 1:
        return 1 - group
    return (group + group // len(MARKERS)) % len(MARKERS)


def _plain(labels: Any) -> list[Any]:
    return list(labels.tolist() if hasattr(labels, "tolist") else labels)


def _shades(look: Theme, classes: int) -> str:
    """Return 256 colours as one string of hexadecimal digits."""
    shades = []
    for byte in range(256):
        if classes == 1:
            colour = diverging(byte - 127.5, 127.5, look.diverging[2:7])
        else:
            strong = look.classes[min(byte // 25, 9) % len(look.classes)]
            colour = mix(look.bg, strong, 0.1 + 0.35 * (byte % 25) / 24)
        shades.append(colour[1:])
    return "".join(shades)


def _levels(field: Any, classes: int) -> list[Any]:
    """Return fields that are 0 on the lines to draw in a field of bytes."""
    import numpy as np

    if classes == 1:
        levels = [field.astype(float) - 127.5]
    else:
        best, lead = field // 25, np.maximum(field % 25 - _undecided(classes), 0.5)
        levels = [np.where(best == k, lead, -lead) for k in np.unique(best)]
    return [level for level in levels if level.min() < 0 < level.max()]


def _undecided(classes: int) -> float:
    """Return how sure of a class, from 0 to 24, the model is where two are equally likely."""
    return 24 * (0.5 - 1 / classes) / (1 - 1 / classes)


def _thinned(points: list[tuple[int, float]], most: int = 500) -> list[tuple[int, float]]:
    """Return at most so many points; of each stretch its lowest and its highest stay."""
    if len(points) <= most:
        return points
    size = math.ceil((len(points) - 2) / ((most - 2) // 2))
    kept = [points[0]]
    for start in range(1, len(points) - 1, size):
        part = points[start : min(start + size, len(points) - 1)]
        ends = {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
        kept += sorted(ends)
    return [*kept, points[-1]]


def _power_of_two(size: float) -> float:
    """Return the least power of two that is no smaller, or the largest that there is."""
    return 2.0 ** min(1023, math.ceil(math.log2(size)))


def _axes(losses: list[float], steps: int) -> dict[str, Any]:
    """Return the scale of the loss curve; its ends move by steps of two."""
    high = max([*losses, 1e-12])
    positive = [loss for loss in losses if loss > 0]
    top = _power_of_two(high)
    least = max(min(positive, default=high), 1e-4 * high)
    log = high > 100 * least
    low = 2.0 ** math.floor(math.log2(least)) if log else 0.0
    if log:
        decades = range(math.ceil(math.log10(low)), math.floor(math.log10(top)) + 1)
        ticks = [10.0**k for k in decades]
    else:
        ticks = [0.0, top / 2, top]
    return {
        "low": low,
        "high": top,
        "log": log,
        "most": steps,
        "ticks": [[tick, number_text(tick, 3)] for tick in ticks],
    }


def live_script() -> str:
    """Return the front end's source: the stepper's, whose parts it uses, and the live view's."""
    code = script()
    own = (_STATIC / "live.js").read_text(encoding="utf-8")
    if not (code.endswith(LAST_LINE) and own.endswith(_LIVE_END)):
        raise AssertionError("stepper.js and live.js must end in their exports")
    return code.removesuffix(LAST_LINE) + own


@lru_cache(maxsize=1)
def live_styles() -> str:
    """Return the style sheet: the stepper's and the live view's."""
    return styles() + (_STATIC / "live.css").read_text(encoding="utf-8")


# ---- the widget --------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def live_widget() -> Any:
    """Return the class of the live view's widget.

    Raises
    ------
    ImportError
        Without anywidget; the message names the extra to install.
    """
    try:
        import anywidget
        import traitlets
    except ModuleNotFoundError as error:
        raise ImportError(_NOTEBOOK) from error
    from micrograd.stepper.page.notebook import with_still

    shown: weakref.WeakSet[Any] = weakref.WeakSet()

    class LiveWidget(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        """A network that learns, in a notebook.

        Parameters
        ----------
        watch : Watch
        theme : {"auto", "light", "dark"}, default "auto"

        Attributes
        ----------
        running : bool
        error : str
            Why the last thing asked for was not done.
        """

        _esm = live_script()
        _css = live_styles()
        data = traitlets.Dict().tag(sync=True)
        frame = traitlets.Dict().tag(sync=True)
        running = traitlets.Bool(False).tag(sync=True)
        sample = traitlets.Dict().tag(sync=True)
        theme = traitlets.Enum(["auto", "light", "dark"], "auto").tag(sync=True)
        command = traitlets.Dict().tag(sync=True)
        error = traitlets.Unicode("").tag(sync=True)

        def __init__(self, watch: Watch, **options: Any) -> None:
            self.watch = watch
            self._alone()
            shown.add(self)
            self._task: Any = None
            self._neuron: tuple[int, int] | None = None
            super().__init__(data=self._about(), frame=self._moment(), **options)
            self.observe(self._asked, names=["command"])

        def _alone(self) -> None:
            """Pause the other views of this network, as of a cell that is run again."""
            for other in list(shown):
                if other is not self and other.watch.model is self.watch.model:
                    other.running = False

        def _about(self) -> dict[str, Any]:
            rate, activation = number_text(self.watch.rate, 3), self.watch.activation
            rates = sorted({*map(number_text, _RATES), rate}, key=float)
            kinds = [activation, *(a for a in _ACTIVATIONS if a != activation)]
            return {
                **self.watch.still(), "title": "A network learns",
                "rate": rate, "rates": rates, "activation": activation, "activations": kinds,
            }  # fmt: skip

        def _moment(self) -> dict[str, Any]:
            frame = self.watch.frame(fine=not self.running)
            if self._neuron is not None:
                frame["neuron"] = self.watch.neuron_map(*self._neuron)
            return {**frame, "curve": self.watch.curve(frame)}

        def _asked(self, change: Any) -> None:
            asked = change["new"]
            if not asked:
                return
            try:
                self.error = ""
                self.do(str(asked.get("do")), asked.get("with"))
            except Exception as error:  # it would be swallowed
                self.running = False
                self.error = str(error) or type(error).__name__

        def do(self, what: str, given: Any = None) -> None:
            """Do what a control of the page asks for.

            Parameters
            ----------
            what : {"run", "pause", "step", "reset", "rate", "activation", "sample", "neuron"}
            given
                A learning rate, the name of an activation, the number of a sample, or layer and
                number of a neuron whose map is shown (None: the network's).
            """
            if what == "run":
                self._alone()
                self.running = True
                if self._task is None or self._task.done():
                    self._task = asyncio.get_running_loop().create_task(self._train())
                return
            if what == "rate":
                self.watch.set_rate(float(given))
                return
            if what == "neuron":
                if given is not None:
                    self.watch.neuron_map(*given)  # says what is wrong with it
                self._neuron = None if given is None else (given[0], given[1])
                self.frame = self._moment()
                return
            if what != "activation" or given not in _ACTIVATIONS:
                self.running = False
            if what == "step":
                self.watch.run(1)
            elif what == "reset":
                self.watch.reset()
            elif what == "activation":
                self.running = False
                self.watch.set_activation(str(given))
            elif what == "sample":
                data = page_data(self.watch.graph_of(given), title=f"The loss of sample {given}")
                self.sample = {"i": given, "data": data}
                return
            elif what != "pause":
                raise ArgumentError(f"the live view cannot {what!r}")
            self.frame = self._moment()

        async def _train(self) -> None:
            """Train in slices short enough for a pause to be heard."""
            try:
                while self.running:
                    end = time.perf_counter() + _SLICE
                    while time.perf_counter() < end:
                        self.watch.run(1)
                    self.frame = self._moment()
                    await asyncio.sleep(_SLICE)
            except Exception as error:  # nobody waits for this task
                self.error = str(error) or type(error).__name__
                if self.watch.stopped:
                    self.frame = self._moment()
            finally:
                self.running = False

        def _repr_mimebundle_(self, **options: Any) -> Any:
            still = {"text/plain": repr(self.watch), **self.watch.picture()}
            return with_still(super()._repr_mimebundle_(**options), still)

        def close(self) -> None:
            """End the run and the widget."""
            self.running = False
            super().close()

    return LiveWidget
