"""The command `micrograd graph`: draw the computation graph of an expression."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from micrograd.cli.command import DONE, Command
from micrograd.draw.dot import FORMATS, PROGRAMS, RANKDIRS, SHOWS
from micrograd.draw.graph_picture import draw_dot
from micrograd.draw.text import format_graph
from micrograd.style import THEMES

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to a parser."""
    parser.add_argument(
        "-o",
        "--output",
        type=str.lstrip,
        metavar="FILE",
        help="file to write, or - for standard output; without it, the graph is printed as text",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="default: that of the file's ending, else svg"
    )
    parser.add_argument(
        "--backward",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="run the backward pass first",
    )
    parser.add_argument("--theme", choices=("auto", *THEMES), default="auto")
    parser.add_argument("--rankdir", choices=tuple(RANKDIRS), default="LR")
    parser.add_argument("--show", choices=SHOWS, default="both", help="numbers to show")
    parser.add_argument("--precision", type=int, default=4, help="significant digits")
    parser.add_argument(
        "--local",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="local derivatives on the edges",
    )
    parser.add_argument("--legend", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--program", choices=PROGRAMS, default="wheel", help="layout program")


def _run(options: Any) -> int:
    """Draw `options.root` and return the exit code.

    Raises
    ------
    MicrogradError
        If an option is wrong or there is no gradient.
    OSError
        If the file cannot be written.
    """
    root = options.root
    if options.backward:
        root.backward()
    if options.output is None and options.format is None:
        print(format_graph(root, precision=options.precision))
        return DONE
    picture = draw_dot(
        root,
        options.format or "svg",
        options.rankdir,
        show=options.show,
        local=options.local,
        precision=options.precision,
        theme=options.theme,
        legend=options.legend,
        program=options.program,
    )
    if options.output in (None, "-"):
        content = picture.source.encode("utf-8") if options.format == "dot" else picture.pipe()
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return DONE
    picture.write(Path(options.output), options.format)
    return DONE


COMMAND: Final = Command(
    "graph",
    "Draw the computation graph of an expression, with its gradients.",
    _add_arguments,
    _run,
    example='micrograd graph "tanh(x1*w1 + x2*w2 + b)" x1=2 x2=0 w1=-3 w2=1 b=6.8814 -o neuron.svg',
    of_expression=True,
)
