"""Watch a network learn: boundary, loss and weights while it trains, in a notebook or on a page.

Python trains and measures; the page shows maps that are already bytes, and strings that are already
written. The same run, recorded, is one page that works offline, or a GIF.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from numbers import Real
from pathlib import Path
from typing import Any, Final, cast
from weakref import WeakSet

from micrograd.checks import finite_number, install, listed, needs, one_of, whole_number
from micrograd.draw.film import gif_of
from micrograd.errors import ArgumentError, DomainError, not_a_network
from micrograd.files import path_ending_in, write_atomic
from micrograd.live.adopting import adopt
from micrograd.live.frames import (
    axes_of,
    base64_text,
    loss_text,
    parameter_bytes,
    parameter_texts,
)
from micrograd.live.gif import images_of
from micrograd.live.inputs import check_derived
from micrograd.live.page import TITLE, page_text, place_of, recording, sent
from micrograd.live.task import task_data
from micrograd.live.view import GRID, View, held_apart, numbered
from micrograd.loop.options import optimizer_of
from micrograd.losses import Loss
from micrograd.nn import MLP
from micrograd.plot import HIGHEST
from micrograd.replay.trace.watch import user_frame
from micrograd.style import THEMES, number_text, thinned
from micrograd.style import theme as theme_named
from micrograd.train import session

__all__ = ["STEPS", "Watch", "live_widget", "watch"]

_FINE_GRID: Final = 2 * GRID
_FRAMES: Final = 100
_FEW: Final = 200  # parameters whose numbers are part of every frame
STEPS: Final = 200


class Watch(View):
    """Watch a network learn: a live view in a notebook, a page or a film elsewhere.

    As the last line of a cell it is the live view. `watch` is another name of it.

    Parameters
    ----------
    model : MLP
        It is trained in place, from its current parameters.
    X : array-like of shape (n_samples, n_features)
        With a single feature, the plane is spanned by it and the target.
    y : array-like of shape (n_samples,)
        Numbers, or strings for classes, which are numbered in sorted order.
    loss, optimizer, batch_size
        As for `train.fit`. Default `"hinge"`, and Adam with a learning rate of 0.02.
    validation : (X, y), optional
        Samples that are held out: measured at every step, drawn hollow, with a loss curve of their
        own.
    held_out : float, optional
        Hold out this share of `X` and `y`, instead of `validation`: above 0 and below 1, split as
        by `datasets.load`.
    seed : int, optional
        Decides how batches are shuffled. With the same seed a reset run has the same curve, to the
        last bit.
    features : pair of int or str, optional
        The features that span the plane, by column or name. Default the two that tell most: those
        whose class means differ most, relative to the spread in a class; of a regression, the means
        of high and low targets. The others are held at their means.
    names : sequence of str, optional
        Of all features. Default the columns of a DataFrame, else x1, x2, ...
    classes : sequence of str, optional
        Names of the classes for the key, in ascending order of their labels. Default the labels.
    derived : dict of str to callable, optional
        Inputs of your own that a page offers beside the features, their squares, product and sines:
        the function of each takes the list of features of a sample, such as
        `{"radius": lambda x: (x[0] ** 2 + x[1] ** 2) ** 0.5}`.
    discrete : bool, default False
        Draw only which answer the network gives in each place, not how sure it is.
    show_held_out : bool, default True
        Draw the samples that are held out.
    theme : {"auto", "light", "dark"}, default "auto"

    Attributes
    ----------
    step : int
        How many steps the optimizer has taken.
    losses : list of float
        The loss before each of these steps.
    stopped : str
        Why the last step could not be taken and what to try, as `fit` says it; else "".
    description : str
        Which two features are shown.
    names, classes : list of str
        Of all features, and of the classes; empty for a regression.

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
        If the model is no MLP, or the data or an option cannot be used.
    ImportError
        If NumPy is missing; the message names the extra to install.

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
        features: Sequence[int | str] | None = None,
        names: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
        derived: Mapping[str, Callable[[Any], Any]] | None = None,
        held_out: float | None = None,
        discrete: bool = False,
        show_held_out: bool = True,
        theme: str = "auto",
    ) -> None:
        with needs("train", "the pictures need NumPy"):
            import numpy as np  # noqa: F401
        if not isinstance(model, MLP):
            raise not_a_network(model, "an MLP, whose layers can be drawn")
        self.theme, self.stopped = one_of("theme", theme, ("auto", *THEMES)), ""
        X, y = (
            given if hasattr(given, "__len__") else listed(name, given)
            for name, given in (("X", X), ("y", y))
        )
        self.discrete = one_of("discrete", discrete, (False, True))
        self.show_held_out = one_of("show_held_out", show_held_out, (True, False))
        y, validation, self.words = numbered(loss, y, validation)
        self.held_out, self.order = held_out, None
        if held_out is not None:
            if validation is not None:
                raise ArgumentError("expected held_out or validation, got both")
            X, y, validation, self.order = held_apart(loss, X, y, held_out)
        if self.words and classes is None:
            count = max(len(model.layers[-1].neurons), 2)
            classes = [*self.words, *map(str, range(len(self.words), count))]
        self.batch_size, self.seed = batch_size, seed
        self.optimizer = optimizer_of(optimizer, model.parameters(), "model")
        self._new_session = partial(
            session, model, X, y, loss, self.optimizer, batch_size, seed, validation=validation
        )
        self.start = [p.data for p in model.parameters()]
        self.optimizer_start = self.optimizer.state_dict()
        self._rate_chosen = False
        self._session = self._new_session()  # checks the data
        super().__init__(
            model, X, y, loss, validation=validation, features=features, names=names,
            classes=classes,
        )  # fmt: skip
        self.derived = check_derived(derived, self.names, self.samples.rows.tolist())
        self.of_call = model, self.optimizer
        self.shown: WeakSet[Any] = WeakSet()

    @cached_property
    def task(self) -> dict[str, Any]:
        """What a page needs to train by itself: its `why` says where it cannot."""
        return task_data(self)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings of the run, as a page has them."""
        return cast("dict[str, Any]", self.task["settings"])

    # ---- the run

    @property
    def step(self) -> int:
        """How many steps the optimizer has taken."""
        return self._session.done

    @property
    def losses(self) -> list[float]:
        """The loss before each of these steps."""
        return list(self._session.history.loss)

    def run(self, steps: int = 1) -> Watch:
        """Train for some steps and return the watch.

        Parameters
        ----------
        steps : int, default 1

        Raises
        ------
        OverflowRangeError, DomainError, ZeroDivisorError, NonFiniteError
            As for `train.fit`, if a number stops being finite. The steps before that one are kept.
        """
        self.stopped, steps = "", whole_number("steps", steps, 0)
        try:
            for _ in range(steps):
                self._session.advance()
        except (ArithmeticError, DomainError) as error:
            self.stopped = str(error)
            raise
        finally:
            self._moved()
        return self

    def _moved(self) -> None:
        """Let the open views follow."""
        for view in list(self.shown):
            view.follow()

    def reset(self) -> Watch:
        """Go back to the first step: the same parameters, the same seed, the same curve.

        A learning rate that was set by `set_rate` is kept.
        """
        rate = self.optimizer.lr
        for parameter, data in zip(self.model.parameters(), self.start, strict=True):
            parameter.data = data
            parameter.grad = 0
        self.optimizer.load_state_dict(self.optimizer_start)
        if self._rate_chosen:
            self.optimizer.lr = rate
            self._note(lr=rate, later=[])
        self._session, self.stopped = self._new_session(), ""
        self._moved()
        return self

    def set_rate(self, rate: float | Real) -> Watch:
        """Continue with another learning rate."""
        rate = self.optimizer.lr = float(finite_number("the learning rate", rate, above=0))
        self._rate_chosen = True
        if self.step:
            before = [part for part in self._known("later", []) if part[0] < self.step]
            self._note(later=[*before, [self.step, {"lr": rate}]])
        else:
            self._note(lr=rate)
        return self

    def _known(self, name: str, other: Any) -> Any:
        """Return a setting, if a page or a widget has asked for them."""
        known = "task" in vars(self) and not self.task["why"]
        return self.settings[name] if known else other

    def _note(self, **changed: Any) -> None:
        if self._known("seed", None) is not None:
            self.settings = {**self.settings, **changed}

    def set_activation(self, name: str) -> Watch:
        """Give the hidden neurons another activation, and start again from the same parameters."""
        MLP(1, [1], activation=name)  # raises an error that says what is wrong with a name
        for layer in self.model.layers[:-1]:
            for neuron in layer.neurons:
                neuron.activation = name
        self.model.activation = name
        self.forget_compiled()
        if ", " not in self._known("activation", ", ") and name in self.task["activations"]:
            self._note(activation=name)
        return self.reset()

    def adopt(self, state: dict[str, Any]) -> Watch:
        """Go on from where a page is that has trained by itself.

        Then `step`, `losses` and the parameters of `model` are those of the page. If it trains
        another network, or has other inputs or another loss, `model` is a new one, until the page
        is back at the network of the call; that one is then trained in place again.

        Parameters
        ----------
        state : dict
            As the page gives it: the settings, the step, the parameters, and the losses since the
            last state that was adopted.

        Raises
        ------
        ArgumentError
            If it is no such state, or belongs to a run whose first steps are missing. Also a
            ValueError.
        """
        adopt(self, state)
        return self

    def resume(self, step: int, since: int, losses: list[float], held: list[float]) -> None:
        """Count steps that were done elsewhere, with their losses from step `since` on."""
        history = self._session.history
        del history.loss[since:], history.validation_loss[since:]
        history.loss += losses
        history.validation_loss += held
        self._session.resume(step)

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

    # ---- what is shown

    def frame(self, *, fine: bool = False) -> dict[str, Any]:
        """Return what the current step of the run looks like, as the page takes it.

        Parameters
        ----------
        fine : bool, default False
            Whether the map has four times as many points, and the numbers of the parameters are
            there however many they are: for a frame that stays.
        """
        parameters, scales = parameter_bytes(self.model)
        has_numbers = fine or len(self.start) <= _FEW
        return {
            **self.measured(),
            "map": base64_text(self.field(_FINE_GRID if fine else GRID).tobytes()),
            "line": self.line() if self.is_line else None,
            "w": base64_text(parameters),
            "scales": scales,
            "numbers": parameter_texts(self.model) if has_numbers else None,
        }

    def measured(self) -> dict[str, Any]:
        """Return what a frame says of the current step: its losses, as numbers and in words."""
        training, held_out = self.samples.training, len(self.samples.rows) - self.samples.training
        loss, correct = self.measure()
        parts = [f"step {self.step}", f"loss {loss_text(loss)}"]
        said = f"Step {self.step}: loss {loss_text(loss)}"
        if correct is not None:
            parts.append(f"{correct} of {training} correct")
            said += f", {parts[-1]}"
        held = math.inf
        if held_out:
            held, correct = self.measure(validation=True)
            loss_held = f"loss {loss_text(held)}"
            count = None if correct is None else f"{correct} of {held_out} correct"
            parts.append(f"held out {count or loss_held}")
            said += f"; held out: {loss_held}" + (f", {count}" if count else "")
        return {
            "n": self.step,
            "loss": loss if math.isfinite(loss) else None,
            "held": held if math.isfinite(held) else None,
            "text": " · ".join(parts),
            "say": f"{said}. {self.stopped}".rstrip(),
            "stopped": self.stopped,
        }

    def curve(self, frame: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the losses so far as at most 500 points a curve, with the axes.

        Parameters
        ----------
        frame : dict, optional
            The frame whose losses end the curves, of the training data and of the held-out samples.
        """
        history = self._session.history
        curves = []
        for losses, last in ((history.loss, "loss"), (history.validation_loss, "held")):
            points = [(i, v) for i, v in enumerate(losses) if math.isfinite(v)]
            if frame is not None and frame[last] is not None:
                points.append((self.step, frame[last]))
            curves.append(thinned([(i, min(v, HIGHEST)) for i, v in points]))
        points, held = curves
        losses = [v for _, v in (*points, *held)]
        return {"points": points, "held": held, **axes_of(losses, max(self.step, 1))}

    def still(self) -> dict[str, Any]:
        """Return what does not change while the network learns, as the page takes it."""
        samples, plane, outputs = self.samples, self.plane, self.outputs
        places = (self.places() - plane.low) / (plane.high - plane.low)
        points = [
            [round(x, 4), round(z, 4), group]
            for (x, z), group in zip(places.tolist(), samples.groups, strict=True)
        ]
        layers = [len(self.model.layers[0].neurons[0].w)]
        layers += [len(layer.neurons) for layer in self.model.layers]
        lr, rate = self.optimizer.lr, number_text(self.rate, 3)
        if callable(lr) and self.step:
            rate = f"{number_text(float(lr(0)), 3)} to {rate}"
        about = f"{self._described(self.called)}."
        if not self.classes:
            about += f" Blue above {number_text(self._level, 3)}, orange below."
        return {
            "task": sent(self),
            "points": points,
            "learnt": samples.training,
            "ends": [[number_text(float(x), 3) for x in ends] for ends in (plane.low, plane.high)],
            "names": [self.called[i] for i in plane.columns],
            "inputs": self.called if self.inputs is None else list(self.inputs),
            "answers": self.classes if outputs > 1 else ["score" if self.classes else "prediction"],
            "layers": layers,
            "about": about,
            "heading": "Decision boundary" if self.classes else "Prediction",
            "classes": self.classes,
            "discrete": self.discrete,
            "show_held_out": self.show_held_out,
            "setting": f"{type(self.optimizer).__name__}, learning rate {rate}, {self.activation}",
        }

    # ---- elsewhere

    def record(self, steps: int | None = None, frames: int = _FRAMES) -> list[dict[str, Any]]:
        """Train from the start and return the frames of the run.

        If a number stops being finite, the last frame is that before the step that could not be
        taken, and says so; there is a RuntimeWarning too.

        Parameters
        ----------
        steps : int, optional
            By default as many as were taken before, or 200.
        frames : int, default 100
            How many frames at most, evenly spaced, besides the first.
        """
        steps = whole_number("steps", (self.step or STEPS) if steps is None else steps, 1)
        every = math.ceil(steps / whole_number("frames", frames, 1))
        self.reset()
        recorded = [self.frame()]
        while self.step < steps:
            try:
                self.run(min(every, steps - self.step))
            except (ArithmeticError, DomainError):
                recorded = [frame for frame in recorded if frame["n"] < self.step]
                recorded.append(self.frame())
                warnings.warn(self.stopped, RuntimeWarning, stacklevel=user_frame()[1])
                break
            recorded.append(self.frame())
        return recorded

    def page_text(
        self,
        steps: int | None = None,
        title: str = TITLE,
        samples: Sequence[int] | None = None,
    ) -> str:
        """Return the page as text; see `to_html`."""
        if samples is not None:
            last = len(self.samples.rows) - 1
            samples = [whole_number("a sample", i, 0, last) for i in samples]
        if steps is not None:
            steps = whole_number("steps", steps, 1)
        if not self.task["why"]:
            place = place_of(self)
            return page_text({**self.still(), **place, "title": title}, self.measured()["say"])
        frames = self.record(steps)
        frames[-1]["numbers"] = parameter_texts(self.model)
        run = {"frames": frames, "curve": self.curve(frames[-1]), **recording(self, samples)}
        return page_text({**self.still(), **run, "title": title}, frames[-1]["say"])

    def to_html(
        self,
        path: str | Path,
        steps: int | None = None,
        title: str = TITLE,
        samples: Sequence[int] | None = None,
    ) -> Path:
        """Write a page that trains the network by itself, offline, and return its path.

        It opens at the step of this run, and starts from where the network was when the watch was
        made. A run that only Python can do, as one with a loss function of your own, is recorded
        from its start instead, in at most 100 frames; that page also holds the back-propagation of
        some samples at the end of the run.

        Parameters
        ----------
        path : path-like
            Ends in .html.
        steps : int, optional
            Of a recorded run. By default as many as were taken before, or 200.
        title : str, default "A network learns"
        samples : sequence of int, optional
            Whose back-propagation the page of a recorded run holds: rows of `X`; the samples that
            are held out follow those of `X`. By default up to 8 of `X`, those of the largest loss,
            of each class in turn: fewer of a large network, but one.

        Raises
        ------
        ArgumentError
            If there is no such sample. Also a ValueError.
        TooLargeError
            If the graph of a sample that was asked for is too large for a page.
        """
        target = path_ending_in(path, ".html", ".htm")
        write_atomic(target, self.page_text(steps, title, samples).encode("utf-8"))
        return target

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
            By default as many as were taken before, or 200.
        frames : int, default 40
        seconds : float, default 0.12
            How long each frame is shown; the last one is shown for three seconds.
        theme : {"light", "dark"}, default "light"

        Raises
        ------
        ImportError
            If matplotlib is missing; the message names the extra to install.
        """
        look, target = theme_named(theme), path_ending_in(path, ".gif")
        seconds = float(finite_number("seconds", seconds, above=0))
        recorded = self.record(steps, frames)
        images = images_of(self, recorded, self.curve(recorded[-1]), look)
        write_atomic(target, gif_of(images, seconds))
        return target

    # ---- in a notebook

    def widget(self, **options: Any) -> Any:
        """Return the live view as a notebook widget.

        Raises
        ------
        ImportError
            If anywidget is missing; the message names the extra to install.
        """
        return live_widget()(self, **{"theme": self.theme, **options})

    def _repr_mimebundle_(self, **_: Any) -> Any:
        try:
            return self.widget()._repr_mimebundle_()
        except ImportError as error:
            return {**self.picture(), "text/plain": f"{self!r}\n{error}"}

    def picture(self) -> dict[str, str]:
        """Return the current step as a picture for a saved notebook: data by MIME type.

        It is empty if matplotlib is missing.
        """
        look = theme_named("light" if self.theme == "auto" else self.theme)
        frame = self.frame()
        try:
            (image,) = images_of(self, [frame], self.curve(frame), look)
        except ImportError:
            return {}
        content = io.BytesIO()
        image.save(content, "PNG", optimize=True)
        return {"image/png": base64_text(content.getvalue())}

    def __repr__(self) -> str:
        sizes = [len(layer.neurons) for layer in self.model.layers]
        network = f"MLP({len(self.names)}, {sizes})"
        return f"Watch({network}, {self.samples.training} samples, step {self.step})"


watch = Watch  # a verb, for the last line of a cell


def live_widget() -> Any:
    """Return the class of the live view's widget.

    Raises
    ------
    ImportError
        If anywidget is missing; the message names the extra to install.
    """
    try:
        from micrograd.live.widget import LiveWidget
    except ModuleNotFoundError as error:
        raise ImportError(f"the live view needs anywidget: {install('notebook')}") from error
    return LiveWidget
