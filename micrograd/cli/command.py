"""What a subcommand of `micrograd` is, and the exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["BAD_ARGUMENTS", "DONE", "FAILED", "INTERRUPTED", "Command", "UsageError"]

DONE: Final = 0
FAILED: Final = 1
BAD_ARGUMENTS: Final = 2
INTERRUPTED: Final = 130


class UsageError(Exception):
    """The arguments can be parsed, but cannot be used together."""


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes
    ----------
    name, summary : str
    example : str
        Shown at the end of `--help`.
    of_expression : bool
        Whether it takes an expression and a number for each name; the Value built from them is in
        `arguments.root`.
    arguments : callable
        Adds its arguments to a parser.
    run : callable
        Takes the parsed arguments and returns an exit code. A `MicrogradError`, `ImportError`,
        `OSError` or `KeyboardInterrupt` that it raises is reported in one line.
    """

    name: str
    summary: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    example: str = ""
    of_expression: bool = False
