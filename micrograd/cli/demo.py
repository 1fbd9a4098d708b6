"""The command `micrograd demo`: train a small network on a toy problem and draw what it learnt."""

from __future__ import annotations

import argparse
import copy
import random
import sys
import time
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from micrograd.cli.command import DONE, Command, UsageError
from micrograd.datasets import NAMES, Dataset, load
from micrograd.errors import ArgumentError
from micrograd.nn import MLP
from micrograd.style import UNKNOWN

__all__ = ["COMMAND"]

_VALUES_TO_DRAW: Final = 60  # larger graphs are folded into layers
_INPUTS_TO_DRAW: Final = 30


def _number(kind: type, wanted: str, is_allowed: Callable[[Any], bool]) -> Callable[[str], Any]:
    """Return the `type` of an argument that is a number."""

    def read(text: str) -> Any:
        number = kind(text)
        if not is_allowed(number):
            raise argparse.ArgumentTypeError(f"expected {wanted}, got {text}")
        return number

    # shown by argparse, as in: invalid whole number value: '1.5'
    read.__name__ = "whole number" if kind is int else "number"
    return read


_count: Final = _number(int, "1 or more", lambda count: count >= 1)
_seed: Final = _number(int, f"0 to {2**32 - 1}", lambda seed: 0 <= seed < 2**32)
_rate: Final = _number(float, "a number above 0", lambda rate: 0 < rate < float("inf"))


def _file(*endings: str) -> Callable[[str], Path]:
    """Return the `type` of an argument that is the name of a file with one of these endings."""

    def read(text: str) -> Path:
        path = Path(text)
        if path.suffix.lower() not in endings:
            wanted = f"expected a name that ends in {endings[0]}, got {text!r}"
            raise argparse.ArgumentTypeError(wanted)
        return path

    return read


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.add_argument("--dataset", choices=NAMES, default="moons", help="training data")
    parser.add_argument(
        "--hidden",
        type=_count,
        nargs="*",
        default=[16, 16],
        metavar="N",
        help="neurons of each hidden layer; none for a linear model",
    )
    parser.add_argument(
        "--activation", default="relu", metavar="NAME", help="relu, tanh, sigmoid, gelu, ..."
    )
    parser.add_argument("--steps", type=_count, default=100, metavar="N", help="number of updates")
    parser.add_argument(
        "--lr",
        type=_rate,
        default=0.02,
        metavar="RATE",
        help="learning rate of the first step; it decreases linearly to a tenth",
    )
    parser.add_argument(
        "--batch-size",
        type=_count,
        metavar="N",
        help="samples per step (default: all if there are at most 150, else 50)",
        default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="of data, weights and shuffling"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("micrograd-demo"),
        metavar="DIR",
        help="folder for the files",
    )
    parser.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help="always or never compile the training (default: if that is faster)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue from the checkpoint in the folder"
    )
    parser.add_argument(
        "--watch",
        type=_file(".html", ".htm"),
        metavar="FILE.html",
        default=argparse.SUPPRESS,
        help="also write a page that trains the network",
    )
    parser.add_argument(
        "--gif",
        type=_file(".gif"),
        metavar="FILE.gif",
        default=argparse.SUPPRESS,
        help="also write an animation of the training",
    )
    parser.add_argument(
        "--theme", choices=("light", "dark"), default="light", help="of the pictures"
    )


def _run(arguments: argparse.Namespace) -> int:
    from micrograd.optim import Adam, linear
    from micrograd.train import evaluate, fit

    out: Path = arguments.out
    data = load(arguments.dataset, seed=arguments.seed)
    several = len(data.classes) > 2
    loss = "cross_entropy" if several else "hinge"
    shape = [*arguments.hidden, len(data.classes) if several else 1]
    try:
        model = MLP(
            len(data.features),
            shape,
            activation=arguments.activation,
            init="uniform" if len(data.features) == 2 else "glorot",
            rng=random.Random(arguments.seed),
        )
    except ArgumentError as error:
        raise UsageError(str(error)) from error
    batch_size = getattr(arguments, "batch_size", None)
    if batch_size is not None and batch_size > len(data.X):
        raise UsageError(
            f"argument --batch-size: {batch_size} is more than the {len(data.X)} samples of "
            f"{data.name}"
        )
    if batch_size is None and len(data.X) > 150:
        batch_size = 50
    untrained = copy.deepcopy(model)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("watch", "gif"):  # fails before the first step, not after the last
        if hasattr(arguments, name):
            getattr(arguments, name).parent.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.json"

    print(
        f"{data.name}: {len(data.X)} training samples, {len(data.X_test)} held out. "
        f"MLP({len(data.features)}, {shape}), {arguments.activation}, "
        f"{len(model.parameters())} parameters.",
        flush=True,
    )
    start = time.perf_counter()
    try:
        history = fit(
            model,
            data.X,
            data.y,
            loss,
            Adam(model.parameters(), lr=linear(arguments.lr, 0.1 * arguments.lr, arguments.steps)),
            steps=arguments.steps,
            batch_size=batch_size,
            seed=arguments.seed,
            progress=None if sys.stderr.isatty() else _Lines(arguments.steps),
            validation=(data.X_test, data.y_test),
            validate_every=max(1, arguments.steps // 25) if len(data.X_test) <= 100 else 10,
            checkpoint=checkpoint,
            resume=arguments.resume,
            compile=getattr(arguments, "compile", "auto"),
        )
    except KeyboardInterrupt:
        if checkpoint.exists():
            raise KeyboardInterrupt(
                f"interrupted; to continue from {checkpoint}, use the same arguments and --resume"
            ) from None
        raise
    seconds = time.perf_counter() - start
    training = evaluate(model, data.X, data.y, loss)
    held_out = evaluate(model, data.X_test, data.y_test, loss)
    print(f"{len(history)} steps in {seconds:.1f} s.")
    for name, result in (("training", training), ("held out", held_out)):
        print(
            f"{name + ':':12} loss {result.loss:.4f}, accuracy {_percent(result.accuracy)} "
            f"({result.right} of {result.samples})"
        )
    _write(data, model, loss, history, held_out, arguments)
    _write_run(data, untrained, loss, batch_size, arguments)
    return DONE


def _write_run(
    data: Dataset, model: MLP, loss: str, batch_size: int | None, arguments: argparse.Namespace
) -> None:
    """Write the page and the animation of the run that were asked for, from a second run."""
    page, film = getattr(arguments, "watch", None), getattr(arguments, "gif", None)
    if page is None and film is None:
        return
    from micrograd.live import watch
    from micrograd.optim import Adam

    steps: int = arguments.steps
    view = watch(
        model,
        data.X,
        data.y,
        loss,
        Adam(model.parameters(), lr=arguments.lr),  # a page trains at a rate, not by a schedule
        validation=(data.X_test, data.y_test),
        batch_size=batch_size,
        seed=arguments.seed,
        features=data.separating,
        names=data.features,
        classes=data.classes,
    )
    if page is not None:
        view.to_html(page, steps, f"A network learns {data.name}")
        print(f"  {page}: a page that trains the network", flush=True)
    if film is not None:
        view.to_gif(film, steps, theme=arguments.theme)
        print(f"  {film}: an animation of the training", flush=True)


class _Lines:
    """Progress as a printed line after every tenth of the steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, step: int, loss: float, accuracy: float | None) -> None:
        tenth = max(1, self.steps // 10)
        if step % tenth == 0 or step == self.steps - 1:
            number = f"{step:{len(str(self.steps))}}"
            print(f"step {number}  loss {loss:.4f}  accuracy {_percent(accuracy)}", flush=True)


def _percent(fraction: float | None) -> str:
    """Return a fraction in per cent; 100 % only if it is exactly 1."""
    if fraction is None:
        return UNKNOWN
    return f"{100 * fraction:.0f} %" if fraction in (0, 1) else f"{min(99.9, 100 * fraction):.3g} %"


def _write(  # noqa: PLR0917
    data: Dataset, model: MLP, loss: str, history: Any, held_out: Any, arguments: argparse.Namespace
) -> None:
    """Write the files of the demo and print where each is."""
    from micrograd.plot import plot_decision_boundary, plot_history, save_figure, sheet

    out, theme = arguments.out, arguments.theme

    def wrote(name: str, what: str) -> None:
        print(f"  {out / name}: {what}", flush=True)

    print("Written:")
    model.save(out / "model.json")
    wrote("model.json", "the network, for MLP.from_file")
    (left, right) = sheet(2, theme=theme)
    plot_history(history, left, theme=theme)
    plot_history(history, right, quantity="accuracy", theme=theme)
    save_figure(left.figure, out / "history.png")
    wrote("history.png", "loss and accuracy at each step")
    if len(data.features) == 2:
        (ax,) = sheet(size=(5.4, 4.2), theme=theme)
        plot_decision_boundary(
            model,
            data.X,
            data.y,
            ax,
            held_out=(data.X_test, data.y_test),
            margin=1.0 if loss == "hinge" else None,
            title=f"{data.name.capitalize()}: {_percent(held_out.accuracy)} of held-out correct",
            theme=theme,
        )
        save_figure(ax.figure, out / "decision_boundary.png")
        wrote("decision_boundary.png", "the prediction at each point of the plane")
    _write_graph(data, model, loss, out / "graph.svg", theme, wrote)


def _write_graph(  # noqa: PLR0917
    data: Dataset, model: MLP, loss: str, path: Path, theme: str, wrote: Callable[[str, str], None]
) -> None:
    """Draw the graph of the loss of one sample: the worst of the first hundred."""
    from micrograd.draw import draw_dot
    from micrograd.engine import Value
    from micrograd.graph import order
    from micrograd.losses import LOSSES

    if len(data.features) > _INPUTS_TO_DRAW:
        path.unlink(missing_ok=True)
        print(f"  no graph.svg: {len(data.features)} inputs are too many to draw")
        return
    kind = LOSSES[loss]

    def loss_of(i: int) -> Any:
        row = [Value(x, label=f"x{k}") for k, x in enumerate(data.X[i].tolist(), start=1)]
        return kind.function([model(row)], kind.encode([data.y[i].item()]))

    root = max(map(loss_of, range(min(len(data.X), 100))), key=attrgetter("data"))
    root.label = "loss"
    values = len(order(root))
    model.zero_grad()
    root.backward()
    fold = "layer" if values > _VALUES_TO_DRAW else None
    picture = draw_dot(root, model=model, theme=theme, fold=fold)
    picture.write(path)
    how = ", layer by layer" if fold else ""
    wrote(path.name, f"the computation graph of the loss of one sample, {values} values{how}")


COMMAND: Final = Command(
    "demo", "Train a small network on a toy problem and draw what it learnt.", _add_arguments, _run
)
