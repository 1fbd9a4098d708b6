"""The command-line parser of `micrograd`; each subcommand is one entry of `COMMANDS`.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted. An error is reported in one line
on the error stream.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from micrograd import __version__
from micrograd.cli import demo, graph, notebooks, playground, step
from micrograd.cli.command import BAD_ARGUMENTS, DONE, FAILED, INTERRUPTED, Command, UsageError
from micrograd.cli.expression import assignments, functions, parse
from micrograd.cli.terminal import as_utf8, encodable
from micrograd.errors import MicrogradError

__all__ = ["COMMANDS", "main"]

COMMANDS: Final = (
    demo.COMMAND, graph.COMMAND, step.COMMAND, notebooks.COMMAND, playground.COMMAND,
)  # fmt: skip

# Words that are options; other words with a leading minus are expressions.
_OPTION: Final = re.compile(r"-|-[ho]|-o[^\s()*+]*\.[A-Za-z]+|--[a-z-]*(=.*)?", re.DOTALL)


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_ARGUMENTS, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Characters that an output stream cannot encode are replaced by ASCII.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; by default those of the process.

    Returns
    -------
    int
        0 done, 1 failed, 2 wrong arguments, 130 interrupted.

    Examples
    --------
    >>> main(["--version"])
    micrograd 1.0.0
    0
    """
    with encodable():
        return _main(sys.argv[1:] if argv is None else list(argv))


def _main(words: list[str]) -> int:
    parser = _Parser(
        prog="micrograd", description="A scalar automatic differentiation engine to learn from."
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
        if command.of_expression:  # numbers may also follow options
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
        description=command.summary,
        epilog=f"example:\n  {command.example}" if command.example else None,
    )
    if command.of_expression:
        parser.add_argument("expression", help="numbers, names, + - * / **, functions")
        parser.add_argument(
            "values", nargs="*", metavar="name=value", help="a number for each name"
        )
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        listed = textwrap.fill(
            ", ".join(sorted(functions())), 78, initial_indent="  ", subsequent_indent="  "
        )
        parser.epilog = f"functions:\n{listed}\n\n{parser.epilog}"
    command.arguments(parser)
    return parser


def _separated(words: Sequence[str]) -> list[str]:
    """Return the words with a blank before each that begins with a minus but is not an option.

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
    """Run a command; report what it raises in one line."""
    name = f"micrograd {command.name}"
    try:
        if command.of_expression:
            try:
                expression, *values = map(as_utf8, [arguments.expression, *arguments.values])
                arguments.root, _ = parse(expression, assignments(values))
            except MicrogradError as error:  # in several lines: a caret marks the position
                print(f"{name}: {error}", file=sys.stderr)
                return BAD_ARGUMENTS
        code = command.run(arguments)
        sys.stdout.flush()  # here, where a full disk or a broken pipe is still reported
        return code
    except UsageError as error:
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
