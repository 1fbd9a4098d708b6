"""The command `micrograd`."""

from micrograd.cli.demo import BAD_ARGUMENTS as BAD_ARGUMENTS
from micrograd.cli.demo import COMMANDS, Command, main
from micrograd.cli.demo import DONE as DONE
from micrograd.cli.demo import FAILED as FAILED
from micrograd.cli.demo import INTERRUPTED as INTERRUPTED

__all__ = ["COMMANDS", "Command", "main"]
