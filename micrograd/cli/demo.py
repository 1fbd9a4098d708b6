"""The command `micrograd`; each of its subcommands is one entry of `COMMANDS`.

Exit codes: 0 done, 1 something failed, 2 the arguments cannot be used, 130 interrupted. An error is
one line on the error stream.
"""

from __future__ import annotations

import argparse
import copy
import os
import random
import re
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NoReturn

from micrograd import __version__
from micrograd.cli import graph
from micrograd.cli import notebooks as handout
from micrograd.cli import step as walk
from micrograd.cli.expression import FUNCTIONS, assignments, parse
from micrograd.cli.terminal import as_utf8, sayable
from micrograd.datasets import NAMES, Dataset, load
from micrograd.errors import ArgumentError, MicrogradError
from micrograd.nn import MLP
from micrograd.style import UNKNOWN

__all__ = ["COMMANDS", "Command", "main"]

DONE: Final = 0
FAILED: Final = 1
BAD_ARGUMENTS: Final = 2
INTERRUPTED: Final = 130

_VALUES_TO_DRAW: Final = 60  # one by one; of more, the layers
_INPUTS_TO_DRAW: Final = 30
# What is an option and not an expression that begins with a minus.
_OPTION: Final = re.compile(r"-|-[ho]|-o[^\s()*+]*\.[A-Za-z]+|--[a-z-]*(=.*)?", re.DOTALL)


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_ARGUMENTS, f"{self.prog}: {message} (see {self.prog} --help)\n")


class _UsageError(Exception):
    """The arguments can be read, but not used together."""


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes
    ----------
    name, summary : str
    description, example : str
        What `--help` says; the summary and nothing where not given.
    of_expression : bool
        Whether it takes an expression and numbers, and finds the Value in `arguments.root`.
    arguments : callable
        Adds its arguments to a parser.
    run : callable
        Takes the parsed arguments and returns an exit code. What it raises of `MicrogradError`,
        `ImportError`, `OSError` and `KeyboardInterrupt` is reported in one line.
    """

    name: str
    summary: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    description: str = ""
    example: str = ""
    of_expression: bool = False


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. What a stream cannot say is written in ASCII.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; default those of the process.

    Returns
    -------
    int
        0 done, 1 something failed, 2 the arguments cannot be used, 130 interrupted.

    Examples
    --------
    >>> main(["--version"])
    micrograd 1.0.0
    0
    """
    with sayable():
        return _main(sys.argv[1:] if argv is None else list(argv))


def _main(words: list[str]) -> int:
    parser = _Parser(
        prog="micrograd",
        description="A scalar automatic differentiation engine to learn from.",
    )
    parser.add_argument("--version", action="version", version=f"micrograd {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    parsers = {command.name: _add_parser(subparsers, command) for command in COMMANDS}
    command = next((each for each in COMMANDS if each.name in words[:1]), None)
    try:
        if command is None:
            parser.parse_args(words)
            parser.print_help()
            return DONE
        if command.of_expression:  # numbers may come after options too
            own = parsers[command.name]
            arguments = own.parse_intermixed_args(_separated(words[1:]))
        else:
            arguments = parser.parse_args(words)
    except SystemExit as stop:  # after --help, --version or a bad argument
        return stop.code if isinstance(stop.code, int) else BAD_ARGUMENTS
    return _run(command, arguments)


def _add_parser(subparsers: Any, command: Command) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        command.name,
        help=command.summary,
        description=command.description or command.summary,
        epilog=f"example:\n  {command.example}" if command.example else None,
    )
    if command.of_expression:
        parser.add_argument("expression", help="numbers, names, + - * / **, functions")
        parser.add_argument(
            "values", nargs="*", metavar="name=value", help="a number for each name"
        )
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        functions = textwrap.fill(
            ", ".join(sorted(FUNCTIONS())), 78, initial_indent="  ", subsequent_indent="  "
        )
        parser.epilog = f"functions:\n{functions}\n\n{parser.epilog}"
    command.arguments(parser)
    return parser


def _separated(words: Sequence[str]) -> list[str]:
    """Return the words with a blank before what begins with a minus but is no option.

    Examples
    --------
    >>> _separated(["-log(p)", "p=1", "--all", "-o", "-", "-otree.svg"])
    [' -log(p)', 'p=1', '--all', '-o', '-', '-otree.svg']
    """
    end = words.index("--") if "--" in words else len(words)
    return [
        f" {word}" if word.startswith("-") and not (k < end and _OPTION.fullmatch(word)) else word
        for k, word in enumerate(words)
        if k != end
    ]


def _run(command: Command, arguments: argparse.Namespace) -> int:
    """Run a command; what it raises is told in one line."""
    name = f"micrograd {command.name}"
    try:
        if command.of_expression:
            try:
                expression, *values = map(as_utf8, [arguments.expression, *arguments.values])
                arguments.root, _ = parse(expression, assignments(values))
            except MicrogradError as error:  # in lines of its own: a caret stands under the place
                print(f"{name}: {error}", file=sys.stderr)
                return BAD_ARGUMENTS
        code = command.run(arguments)
        sys.stdout.flush()  # while a full disk or a broken pipe is still told
        return code
    except _UsageError as error:
        return _complain(BAD_ARGUMENTS, f"{name}: {error} (see {name} --help)")
    except KeyboardInterrupt as error:
        return _complain(INTERRUPTED, f"{name}: {error}" if str(error) else f"{name}: interrupted")
    except BrokenPipeError:  # as when the output goes to `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        where = f" {os.fspath(error.filename)!r}" if error.filename else ""
        return _complain(FAILED, f"{name}: cannot use{where}: {error.strerror or error}")
    except (MicrogradError, ImportError) as error:
        return _complain(FAILED, f"{name}: {error}")


def _complain(code: int, message: str) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return code


# ---- micrograd demo ----------------------------------------------------------------------------


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.add_argument("--dataset", choices=NAMES, default="moons", help="what to learn")
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
    parser.add_argument("--steps", type=_count, default=100, metavar="N", help="updates to do")
    parser.add_argument(
        "--lr",
        type=_rate,
        default=0.02,
        metavar="RATE",
        help="learning rate of the first step; it falls to a tenth of that",
    )
    parser.add_argument(
        "--batch-size",
        type=_count,
        metavar="N",
        help="samples a step (default: all of up to 150, else 50)",
        default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="decides data, weights and shuffling"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("micrograd-demo"), metavar="DIR", help="where files go"
    )
    parser.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help="train with machine code, or never (default: where it pays)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in the folder"
    )
    parser.add_argument(
        "--watch",
        type=_page,
        metavar="FILE.html",
        default=argparse.SUPPRESS,
        help="also write a page that plays how it learns",
    )
    parser.add_argument(
        "--gif",
        type=_film,
        metavar="FILE.gif",
        default=argparse.SUPPRESS,
        help="also write a film of how it learns",
    )
    parser.add_argument(
        "--theme", choices=("light", "dark"), default="light", help="of the pictures"
    )


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {count}")
    return count


_count.__name__ = "whole number"  # argparse shows it: invalid whole number value: '1.5'


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**32:
        raise argparse.ArgumentTypeError(f"expected 0 to {2**32 - 1}, got {seed}")
    return seed


_seed.__name__ = "whole number"


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return rate


_rate.__name__ = "number"


def _page(text: str) -> Path:
    return _named(text, ".html", ".htm")


def _film(text: str) -> Path:
    return _named(text, ".gif")


def _named(text: str, *endings: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in endings:
        raise argparse.ArgumentTypeError(f"expected a name that ends in {endings[0]}, got {text!r}")
    return path


def _demo(arguments: argparse.Namespace) -> int:
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
        raise _UsageError(str(error)) from error
    batch_size = getattr(arguments, "batch_size", None)
    if batch_size is not None and batch_size > len(data.X):
        raise _UsageError(
            f"argument --batch-size: {batch_size} is more than the {len(data.X)} samples of "
            f"{data.name}"
        )
    if batch_size is None and len(data.X) > 150:
        batch_size = 50
    untrained = copy.deepcopy(model)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("watch", "gif"):  # what cannot be made is found out before the first step
        if hasattr(arguments, name):
            getattr(arguments, name).parent.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.json"

    print(
        f"{data.name}: {len(data.X)} samples to learn from, {len(data.X_test)} held out. "
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
                f"interrupted; go on with the same arguments and --resume from {checkpoint}"
            ) from None
        raise
    seconds = time.perf_counter() - start
    learnt = evaluate(model, data.X, data.y, loss)
    held_out = evaluate(model, data.X_test, data.y_test, loss)
    print(f"{len(history)} steps in {seconds:.1f} s.")
    for name, result in (("learnt from", learnt), ("held out", held_out)):
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
    """Record the run from its start as a page and a film, where they are asked for."""
    page, film = getattr(arguments, "watch", None), getattr(arguments, "gif", None)
    if page is None and film is None:
        return
    from micrograd.live import watch
    from micrograd.optim import Adam, linear

    steps: int = arguments.steps
    view = watch(
        model,
        data.X,
        data.y,
        loss,
        Adam(model.parameters(), lr=linear(arguments.lr, 0.1 * arguments.lr, steps)),
        validation=(data.X_test, data.y_test),
        batch_size=batch_size,
        seed=arguments.seed,
        features=_telling(data),
        names=data.features,
        classes=data.classes,
    )
    if page is not None:
        view.to_html(page, steps, f"A network learns {data.name}")
        print(f"  {page}: a page that plays how it learns", flush=True)
    if film is not None:
        view.to_gif(film, steps, theme=arguments.theme)
        print(f"  {film}: a film of it", flush=True)


def _telling(data: Dataset) -> list[int]:
    """Return the two features whose means differ most from class to class, by their spread."""
    import numpy as np

    groups = [data.X[data.y == k] for k in range(len(data.classes))]
    means = np.std([group.mean(axis=0) for group in groups], axis=0)
    spreads = np.mean([group.std(axis=0) for group in groups], axis=0)
    ratios = np.divide(means, spreads, out=np.zeros_like(means), where=spreads > 0)
    return sorted(np.argsort(-ratios, kind="stable")[:2].tolist())


class _Lines:
    """Progress as a line at every tenth of the steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, step: int, loss: float, accuracy: float | None) -> None:
        tenth = max(1, self.steps // 10)
        if step % tenth == 0 or step == self.steps - 1:
            number = f"{step:{len(str(self.steps))}}"
            print(f"step {number}  loss {loss:.4f}  accuracy {_percent(accuracy)}", flush=True)


def _percent(share: float | None) -> str:
    """Return a share in per cent; 100 only where it is all of them."""
    if share is None:
        return UNKNOWN
    return f"{100 * share:.0f} %" if share in (0, 1) else f"{min(99.9, 100 * share):.3g} %"


def _write(  # noqa: PLR0917
    data: Dataset, model: MLP, loss: str, history: Any, held_out: Any, arguments: argparse.Namespace
) -> None:
    """Write the files of the demo and say where each is."""
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
    wrote("history.png", "loss and accuracy of each step")
    if len(data.features) == 2:
        (ax,) = sheet(size=(5.4, 4.2), theme=theme)
        plot_decision_boundary(
            model,
            data.X,
            data.y,
            ax,
            held_out=(data.X_test, data.y_test),
            margin=1.0 if loss == "hinge" else None,
            title=f"{data.name.capitalize()}: {_percent(held_out.accuracy)} of held-out right",
            theme=theme,
        )
        save_figure(ax.figure, out / "decision_boundary.png")
        wrote("decision_boundary.png", "what it says of each point of the plane")
    _write_graph(data, model, loss, out / "graph.svg", theme, wrote)


def _write_graph(  # noqa: PLR0917
    data: Dataset,
    model: MLP,
    loss: str,
    path: Path,
    theme: str,
    wrote: Callable[[str, str], None],
) -> None:
    """Draw the graph of the loss of that sample, of the first hundred, which is learnt least."""
    from micrograd.draw import draw_dot
    from micrograd.engine import Value
    from micrograd.graph import order
    from micrograd.losses import LOSSES

    if len(data.features) > _INPUTS_TO_DRAW:
        path.unlink(missing_ok=True)
        print(f"  no graph.svg: {len(data.features)} inputs are too many to see")
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
    wrote(path.name, f"the {values} values that the loss of one sample is made of{how}")


COMMANDS: Final = (
    Command(
        "demo",
        "Train a small network on a toy problem and draw what it learnt.",
        _demo_arguments,
        _demo,
    ),
    Command(
        "graph",
        "Draw the computation graph of an expression, with its gradients.",
        graph.add_arguments,
        graph.run,
        graph.DESCRIPTION,
        graph.EXAMPLE,
        of_expression=True,
    ),
    Command(
        "step",
        "Walk through the back-propagation of an expression, one chain rule at a time.",
        walk.add_arguments,
        walk.run,
        example=walk.EXAMPLE,
        of_expression=True,
    ),
    Command(
        "notebooks",
        "Copy the notebooks of the course into a folder and open JupyterLab there.",
        handout.add_arguments,
        handout.run,
    ),
)
