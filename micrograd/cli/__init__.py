"""The command `micrograd`."""

from micrograd.cli.command import BAD_ARGUMENTS, DONE, FAILED, INTERRUPTED, Command
from micrograd.cli.parser import COMMANDS, main

__all__ = ["BAD_ARGUMENTS", "COMMANDS", "DONE", "FAILED", "INTERRUPTED", "Command", "main"]
