"""ASCII for output streams that cannot encode `∂` or `≈`, as in a C locale or a file on Windows."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

__all__ = ["as_utf8", "ascii_text", "encodable"]

_ASCII: Final = {
    "∂": "d", "×": "*", "·": ".", "≈": "~", "–": "-", "—": "-", "−": "-", "…": "...",
    "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "½": "1/2", "∞": "inf", "Σ": "sum", "√": "sqrt",
    "▶": ">", "├": "|", "└": "`", "│": "|", "─": "-",
    "∇": "grad", "“": '"', "”": '"', "‘": "'", "’": "'", "µ": "u", "μ": "u",
}  # fmt: skip
_HANDLER: Final = "micrograd.ascii"


def ascii_text(text: str) -> str:
    """Return `text` with each character outside ASCII replaced by its ASCII spelling.

    Examples
    --------
    >>> ascii_text("∂o/∂s = 1 - o × o ≈ 0.5"), ascii_text("é · θ₁")
    ('do/ds = 1 - o * o ~ 0.5', 'e . theta1')
    """
    return "".join(character if character < "\x7f" else _ascii(character) for character in text)


def as_utf8(argument: str) -> str:
    r"""Return an argument of the process, decoded as UTF-8 where the locale could not decode it.

    Examples
    --------
    >>> as_utf8("caf\udcc3\udca9")
    'café'
    """
    if not any("\ud800" <= character <= "\udfff" for character in argument):
        return argument
    return os.fsencode(argument).decode("utf-8", "replace")


def _ascii(character: str) -> str:
    if character in _ASCII:
        return _ASCII[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    if plain:
        return plain
    name = unicodedata.name(character, "")
    return name.split()[-1].lower() if name.startswith("GREEK SMALL LETTER ") else "?"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return ascii_text(error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _replaced)


@contextmanager
def encodable() -> Iterator[None]:
    """Make the standard streams replace what they cannot encode, inside a `with`."""
    changed: list[tuple[Any, Any]] = []
    for stream, errors in ((sys.stdout, _HANDLER), (sys.stderr, _HANDLER), (sys.stdin, "replace")):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            before = stream.errors
            with suppress(OSError, ValueError):  # an input that an earlier command has read from
                reconfigure(errors=errors)
                changed.append((stream, before))
    try:
        yield
    finally:
        for stream, errors in changed:
            with suppress(OSError, ValueError):  # a broken pipe, a closed stream
                stream.reconfigure(errors=errors)
