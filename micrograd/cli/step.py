"""The command `micrograd step`: the steps of back-propagation for an expression and numbers."""

from __future__ import annotations

import argparse
from typing import Any, Final

from micrograd.cli.command import DONE, Command
from micrograd.stepper import BROKEN, steps
from micrograd.stepper.screen import Screen
from micrograd.stepper.terminal import walk

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `micrograd step` to a parser."""
    parser.add_argument(
        "--broken", choices=tuple(BROKEN), help="break one rule of back-propagation on purpose"
    )
    parser.add_argument(
        "--guess", action="count", default=0,
        help="ask for each number before it is shown; given twice, for the local derivatives too",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="print all steps and exit")
    parser.add_argument(
        "--html", metavar="FILE", type=str.lstrip, help="write the steps to an HTML page"
    )


def _run(options: Any) -> int:
    """Show the steps of `options.root` and return the exit code.

    Raises
    ------
    MicrogradError
        If there is no gradient.
    OSError
        If the page cannot be written.
    """
    level = (False, True, 2)[min(options.guess, 2)]
    stepper = steps(options.root, options.broken, guess=level)
    if options.html is not None:
        print(f"wrote {stepper.to_html(options.html)}")
    elif options.all:
        Screen().write(str(stepper))
    else:
        walk(stepper)
    return DONE


COMMAND: Final = Command(
    "step",
    "Walk through the back-propagation of an expression, one chain rule at a time.",
    _add_arguments,
    _run,
    example='micrograd step "(x*w + b)**2" x=2 w=-3 b=1',
    of_expression=True,
)
