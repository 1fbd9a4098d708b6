"""A terminal: single keys without Enter, whole words at the end of a line, colour where there is.

>>> print(wrapped("  the sum of a and b", 12))
  the sum of
  a and b
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from importlib.util import find_spec
from typing import Any, Final

__all__ = ["MARK", "Screen", "cells", "painted", "wrapped"]

_LEAST: Final = 20  # columns; of a narrower terminal words are broken by the terminal itself
_PAUSE: Final = 0.05  # seconds in which the rest of an arrow key follows its Esc
_WORDS: Final = {
    "\r": "enter", "\n": "enter", " ": "space", "\x1b": "esc", "\x7f": "left", "\b": "left",
    "\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left", "\x1b[H": "home",
    "\x1b[F": "end", "\x1b[1~": "home", "\x1b[4~": "end", "\x1b[5~": "page up",
    "\x1b[6~": "page down", "\x1bOA": "up", "\x1bOB": "down", "\x1bOC": "right", "\x1bOD": "left",
    "\x1bOH": "home", "\x1bOF": "end",
}  # fmt: skip
_WINDOWS: Final = {
    "H": "up", "P": "down", "M": "right", "K": "left", "G": "home", "O": "end", "I": "page up",
    "Q": "page down",
}  # fmt: skip
# A number with its sign: blue above zero, orange below, as in every picture; readable on black and
# on white. What is not finite has the colour of what is wrong.
_SIGNED: Final = re.compile(r"(?<![\w.)\]])(?:[+-]\d+(?:\.\d+)?(?:/\d+|e-?\d+)?|[+-]?(?:nan|inf)!)")
_BLUE, _ORANGE, _MAGENTA = "38;5;32", "38;5;166", "35"
_HEADING: Final = re.compile(r"\[\d+/\d+\] ")
MARK: Final = "▶"  # in front of the line of a table that is to be seen first


def cells(text: str) -> int:
    r"""Return how many columns of a terminal a text takes.

    Examples
    --------
    >>> cells("abc"), cells("重み"), cells("e\u0301")
    (3, 4, 1)
    """
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def wrapped(text: str, width: int) -> str:
    """Return a text whose lines have at most `width` columns, broken between words alone.

    What follows in a new line has the indent of its line.
    """
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        if cells(line) <= width:
            lines.append(line)
            continue
        current = ""
        for word in line.split():
            if current and cells(f"{indent}{current} {word}") > width:
                lines.append(indent + current)
                current = word
            else:
                current = f"{current} {word}".lstrip()
        lines.append(indent + current)
    return "\n".join(lines)


def painted(text: str) -> str:
    r"""Return a text with colours for a terminal: signs of numbers, headings, marked lines.

    Examples
    --------
    >>> painted("h.grad = -6")
    'h.grad = \x1b[38;5;166m-6\x1b[0m'
    """
    lines = []
    for line in text.split("\n"):
        if line.lstrip().startswith(MARK):
            lines.append(f"\x1b[7m{line}\x1b[0m")
        elif _HEADING.match(line):
            lines.append(f"\x1b[1m{line}\x1b[0m")
        else:
            lines.append(_SIGNED.sub(_coloured, line))
    return "\n".join(lines)


def _coloured(found: re.Match[str]) -> str:
    text = found[0]
    colour = _MAGENTA if text.endswith("!") else _BLUE if text[0] == "+" else _ORANGE
    return f"\x1b[{colour}m{text}\x1b[0m"


class Screen:
    """Where text is shown and keys are pressed: a terminal, or a pipe that is left as it is.

    After a `with` the terminal is as it was before, also after an error and after Ctrl-C.

    Attributes
    ----------
    is_terminal : bool
        Whether input and output both are a terminal, so that a key needs no Enter.
    has_controls : bool
        Whether it moves its cursor when told to, so that a text can take the place of another.
    has_colour : bool
        Never with a value in the environment variable NO_COLOR (https://no-color.org).
    """

    def __init__(self) -> None:
        both = _is_terminal(sys.stdin) and _is_terminal(sys.stdout)
        self.is_terminal = both and bool(find_spec("msvcrt" if os.name == "nt" else "termios"))
        self.has_controls = _is_terminal(sys.stdout) and _has_controls()
        self.has_colour = self.has_controls and not os.environ.get("NO_COLOR")
        self._above = 0  # lines of what the next text replaces
        self._before: list[Any] | None = None  # the settings of the terminal

    def write(self, text: str, replace: bool = False) -> None:
        """Show a text; with `replace`, in place of the one that was shown so before."""
        size = shutil.get_terminal_size()
        if _is_terminal(sys.stdout):
            text = wrapped(text, max(size.columns - 1, _LEAST))
        rows = sum(max(1, -(-cells(line) // size.columns)) for line in text.split("\n"))
        if self.has_colour:
            text = painted(text)
        if replace and self.has_controls:
            if self._above:
                text = f"\x1b[{self._above}A\r\x1b[J{text}"
            self._above = rows if rows < size.lines else 0
        else:
            self._above = 0
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def ask(self, prompt: str) -> str:
        """Return a line that is typed, with Enter."""
        self._above = 0
        self._put_back()
        return input(prompt)

    def key(self) -> str:
        """Return the next key that is pressed: its character, or its name, as "page down".

        From here to the end of the `with`, the terminal does not show what is typed.

        Raises
        ------
        EOFError
            At the end of the input, as after Ctrl-D.
        KeyboardInterrupt
            After Ctrl-C.
        """
        pressed = _windows_key() if os.name == "nt" else _posix_key()
        if pressed in ("", "\x04", "\x1a"):
            raise EOFError
        if pressed == "\x03":
            raise KeyboardInterrupt
        return _WORDS.get(pressed, pressed)

    def __enter__(self) -> Screen:
        if self.is_terminal and os.name != "nt":
            import termios

            self._before = termios.tcgetattr(sys.stdin.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        self._put_back()

    def _put_back(self) -> None:
        if self._before is not None:
            import termios

            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)


def _is_terminal(stream: Any) -> bool:
    try:  # the streams of IDLE say that they are one, and have no number
        return os.isatty(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return False


def _has_controls() -> bool:
    if os.name == "nt":  # a console of old shows the codes as they are
        return any(os.environ.get(name) for name in ("WT_SESSION", "ANSICON", "TERM"))
    return os.environ.get("TERM", "dumb") != "dumb"


def _windows_key() -> str:
    import msvcrt

    read: Any = msvcrt.getwch  # type: ignore[attr-defined, unused-ignore]
    pressed = str(read())
    return _WINDOWS.get(str(read()), "?") if pressed in ("\x00", "\xe0") else pressed


def _posix_key() -> str:
    import termios
    import tty

    terminal = sys.stdin.fileno()
    tty.setcbreak(terminal, termios.TCSADRAIN)  # keeps what was typed already
    return _sequence(terminal)


def _sequence(terminal: int) -> str:
    """Return one character, or all characters that one key sends."""
    import select

    pressed = os.read(terminal, 1)
    if pressed == b"\x1b":
        while select.select([terminal], [], [], _PAUSE)[0]:
            pressed += os.read(terminal, 1)
            if len(pressed) > 2 and pressed[-1:] not in b"0123456789;":
                break
    elif pressed >= b"\xc0":  # the first byte of a character outside ASCII tells their number
        pressed += os.read(terminal, 1 + (pressed >= b"\xe0") + (pressed >= b"\xf0"))
    return pressed.decode("utf-8", "replace")
