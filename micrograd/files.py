"""JSON files that keep every number exactly and are never seen half-written.

Finite floats and integers are plain JSON numbers (Python writes a float with as many digits as it
needs to be read back exactly). What JSON has no number for is an object with one key:

=============================  ===============================================
`{"number": "nan"}`            nan, and likewise `"inf"` and `"-inf"`
`{"number": "1/3"}`            a Fraction
`{"number": "0x1f..."}`        an integer of thousands of digits
=============================  ===============================================
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from micrograd.errors import NumberTypeError, StateError
from micrograd.ops import number

__all__ = ["read_document", "read_json", "write_json", "write_whole"]

# Python refuses to turn integers of more than 4300 digits into decimal text, or back.
_DECIMAL_BITS = 10_000


def write_json(path: str | os.PathLike[str], document: Any) -> None:
    """Write a document of dicts, lists, texts and numbers, so that a reader never sees a part.

    The text goes to a new file in the same folder, onto the disk, and then takes the name in one
    step. A run that is killed meanwhile leaves the file that was there before.

    Parameters
    ----------
    path : str or path-like
    document : dict, list, str, int, float, Fraction, bool or None
        Nested as you like; keys are texts. NumPy scalars become Python numbers, tuples lists.

    Raises
    ------
    OSError
        If the file cannot be written; the old one is then intact.
    NumberTypeError
        If the document holds anything else. Also a TypeError.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(f"{folder}/a.json", {"third": Fraction(1, 3), "worst": math.inf})
    ...     read_json(f"{folder}/a.json")
    {'third': Fraction(1, 3), 'worst': inf}
    """
    text = json.dumps(_encoded(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(path, text.encode("utf-8"))


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that a reader never sees a part of it.

    Parameters
    ----------
    path : str or path-like
    content : bytes

    Raises
    ------
    OSError
        If the file cannot be written; the old one is then intact.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(f"{folder}/a.txt", b"all of it")
    ...     Path(folder, "a.txt").read_bytes()
    b'all of it'
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")
    try:
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:  # about the file that was asked for, not about the part
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from error
    if os.name == "posix":  # the new name, too, has to survive a power cut
        with suppress(OSError):
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return the document that `write_json` wrote.

    Raises
    ------
    OSError
        If there is no such file or it cannot be read.
    StateError
        If it is no JSON or not of this form, for instance cut short. Also a ValueError.
    """
    name = os.fspath(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), object_pairs_hook=_decoded)
    except RecursionError:
        raise StateError(f"{name!r} is nested too deeply to be a file of micrograd") from None
    except ValueError as error:  # also UnicodeDecodeError and JSONDecodeError
        raise StateError(
            f"{name!r} cannot be read: {error}. It may have been cut short or edited; "
            "save it again, or use an older copy"
        ) from error


def read_document(
    path: str | os.PathLike[str], noun: str, form: str, version: int
) -> dict[str, Any]:
    """Return a document that says of itself what it is: its "format" and its "version".

    Raises
    ------
    OSError
        If there is no such file or it cannot be read.
    StateError
        If it is none of the format and version wanted, a `noun` in words. Also a ValueError.
    """
    name, document = os.fspath(path), read_json(path)
    if not isinstance(document, dict) or document.get("format") != form:
        raise StateError(f"{name!r} is no {noun}: it has no 'format': {form!r}")
    if document.get("version") != version:
        raise StateError(
            f"{name!r} is of version {document.get('version')!r}; this program reads {version}"
        )
    return document


def _encoded(item: Any) -> Any:
    if item is None or isinstance(item, (str, bool)):
        return item
    if isinstance(item, Mapping):
        for key in item:
            if not isinstance(key, str):
                raise NumberTypeError(f"expected texts as keys, got {key!r}")
        return {key: _encoded(entry) for key, entry in item.items()}
    if isinstance(item, Sequence):
        return [_encoded(entry) for entry in item]
    plain = number(item)
    if isinstance(plain, Fraction):
        return {"number": f"{_digits(plain.numerator)}/{_digits(plain.denominator)}"}
    if isinstance(plain, float):
        return plain if math.isfinite(plain) else {"number": str(plain)}
    return plain if plain.bit_length() <= _DECIMAL_BITS else {"number": _digits(plain)}


def _digits(integer: int) -> str:
    return str(integer) if integer.bit_length() <= _DECIMAL_BITS else hex(integer)


def _decoded(pairs: list[tuple[str, Any]]) -> Any:
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} is there twice")
    text = document.get("number")
    if len(document) != 1 or not isinstance(text, str):
        return document
    if text in ("nan", "inf", "-inf"):
        return float(text)
    numerator, slash, denominator = text.partition("/")
    try:
        if slash:
            return Fraction(int(numerator, 0), int(denominator, 0))
        return int(text, 0)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text[:60]!r} is no number") from None
