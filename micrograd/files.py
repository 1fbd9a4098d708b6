"""JSON files that keep every number exactly, and files written atomically.

Finite floats and integers are plain JSON numbers (Python writes a float with the digits that it
takes to read it back exactly). Numbers that JSON does not have are objects with one key:

=============================  ===============================================
`{"number": "nan"}`            nan, and likewise `"inf"` and `"-inf"`
`{"number": "1/3"}`            a Fraction
`{"number": "0x1f..."}`        an integer of thousands of digits
`{"floats": "AAAA..."}`        a long list of finite floats, in a file that nobody
                               reads: the bytes of float64, little-endian, in base64
=============================  ===============================================
"""

from __future__ import annotations

import base64
import binascii
import errno
import json
import math
import os
import stat
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, cast

from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    NumberTypeError,
    StateError,
    shown_briefly,
    shown_typed,
)
from micrograd.ops import number

__all__ = [
    "Mark", "append_json", "path_ending_in", "path_of", "read_document", "read_documents",
    "read_json", "write_atomic", "write_json",
]  # fmt: skip

_LONG = 32  # floats of a list that is written as bytes: a digit takes as long as a byte

# Python does not convert integers of more than 4300 digits to decimal, or back.
_DECIMAL_BITS = 10_000

_brief = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode

_PLAIN = (str, bool, type(None))
_SHORT = 2**63

_BLANK = " \t\r\n"  # as JSON has it

_DEEPEST = 100  # levels of nesting: more than our documents have, less than recursion allows


def path_of(given: Any) -> Path:
    """Return the path of a file that was given as text or as a path.

    Raises
    ------
    ArgumentTypeError
        If it is neither. Also a TypeError.
    ArgumentError
        If no file can have that name. Also a ValueError.

    Examples
    --------
    >>> path_of("page.html").name
    'page.html'
    >>> path_of(5)
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentTypeError: expected the path of a file, got 5 (int)
    """
    if not isinstance(given, (str, bytes, os.PathLike)):
        raise ArgumentTypeError(f"expected the path of a file, got {shown_typed(given)}")
    name = os.fsdecode(given)
    try:
        os.fsencode(name)
        is_name = bool(name) and "\0" not in name
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        raise ArgumentError(f"expected the path of a file, got {name!r:.60}")
    return Path(name)


def path_ending_in(path: str | os.PathLike[str], *endings: str) -> Path:
    """Return the path of a file to write, checked to end in one of these endings.

    Raises
    ------
    ArgumentError
        If the name has another ending. Also a ValueError.

    Examples
    --------
    >>> path_ending_in("film.GIF", ".gif").name
    'film.GIF'
    >>> path_ending_in("film.svg", ".gif")
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentError: expected a name that ends in .gif, got 'film.svg'
    """
    target = path_of(path)
    if target.suffix.lower() not in endings:
        *others, last = endings
        wanted = f"{', '.join(others)} or {last}" if others else last
        raise ArgumentError(f"expected a name that ends in {wanted}, got {str(path)!r}")
    return target


def write_json(
    path: str | os.PathLike[str], document: Any, *, for_reading: bool = True
) -> Mark | None:
    """Write a document of dicts, lists, strings and numbers atomically.

    If the process is killed meanwhile, the file that was there before is left; see `write_atomic`.

    Parameters
    ----------
    path : str or path-like
    document : dict, list, str, int, float, Fraction, bool or None
        Nested up to 100 levels; keys are strings. NumPy scalars become numbers, tuples lists.
    for_reading : bool, default True
        Whether every entry has a line of its own, and every number its digits, which takes many
        times as long.

    Returns
    -------
    Mark or None
        As of `write_atomic`.

    Raises
    ------
    OSError
        If the file cannot be written; the old one is then intact.
    NumberTypeError
        If the document holds anything else, itself included. Also a TypeError.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_json(f"{folder}/a.json", {"third": Fraction(1, 3), "worst": math.inf})
    ...     read_json(f"{folder}/a.json")
    {'third': Fraction(1, 3), 'worst': inf}
    """
    return write_atomic(path, _written(document, for_reading=for_reading))


def _written(document: Any, *, for_reading: bool) -> bytes:
    if not for_reading:
        return _brief(_encoded(document, 0, _LONG)).encode() + b"\n"
    text = json.dumps(_encoded(document, 0), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # An unpaired surrogate, which UTF-8 cannot encode, becomes its JSON escape.
    return text.encode("utf-8", "backslashreplace")


class Mark(NamedTuple):
    """What identifies a file and how much has been written to it."""

    device: int
    inode: int
    size: int


def append_json(
    path: str | os.PathLike[str], document: Any, mark: Mark, *, sync: bool
) -> Mark | None:
    """Add a document to a file of `write_json`, as a line, which takes a tenth of the time.

    If the process is killed meanwhile, the line is cut short: `read_documents` leaves it out.

    Parameters
    ----------
    path : str or path-like
    document : dict, list, str, int, float, Fraction, bool or None
    mark : Mark
        Of the file before.
    sync : bool
        Whether the file is synced to the disk; otherwise a power failure may take lines back.

    Returns
    -------
    Mark or None
        Of the file with the line; None if another file has taken its place, which is left alone.

    Raises
    ------
    OSError
        If the file cannot be written; the lines before are intact.
    """
    line = _written(document, for_reading=False)
    try:
        with open(path, "r+b") as file:  # noqa: PTH123 (a path may be a string)
            now = os.fstat(file.fileno())
            if mark != (now.st_dev, now.st_ino, now.st_size):
                return None
            file.seek(mark.size)
            file.write(line)
            if sync:
                file.flush()
                os.fsync(file.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from error
    return mark._replace(size=mark.size + len(line))


def write_atomic(
    path: str | os.PathLike[str], content: bytes, *, durable: bool = True
) -> Mark | None:
    """Write a file atomically: a reader sees the old content or the new, never a part.

    The content is written to a new file in the same folder and synced to the disk; in one step that
    file then replaces the old one, whose mode it has. A symbolic link is followed, not replaced.
    What is not a regular file, a pipe or a device such as `/dev/stdout`, is written to directly.

    Parameters
    ----------
    path : str or path-like
    content : bytes
    durable : bool, default True
        Whether to wait for the disk, so that a power failure leaves the old content or the new.

    Returns
    -------
    Mark or None
        Of the file that was written, whatever is at the path now; None if it is no regular file.

    Raises
    ------
    OSError
        If the file cannot be written; the old one is then intact.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_atomic(f"{folder}/a.txt", b"all of it")
    ...     Path(folder, "a.txt").read_bytes()
    b'all of it'
    """
    path = path_of(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "Is a folder, not a file", os.fspath(path))
    if not _is_replaceable(path):
        _write_into(path, content)
        return None
    target = Path(os.path.realpath(path))  # the file behind a link
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")
    try:
        try:
            with part.open("xb") as file:
                _take_over(target, part)
                file.write(content)
                made = os.fstat(file.fileno())
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:  # name the file that was asked for, not the temporary one
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from error
    if durable and os.name == "posix":  # the renaming, too, has to survive a power failure
        with suppress(OSError):
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    return Mark(made.st_dev, made.st_ino, len(content))


def _stream(path: str | os.PathLike[str]) -> int | None:
    """Return the descriptor of the open stream that a path names, as 1 for `/dev/stdout`."""
    name = os.path.abspath(path)  # noqa: PTH100 (`resolve` would follow the link to the open file)
    if name in ("/dev/stdout", "/dev/stderr"):
        return 1 if name == "/dev/stdout" else 2
    folder, _, number = name.rpartition("/")
    is_number = folder in ("/dev/fd", "/proc/self/fd") and number.isdecimal()
    return int(number) if is_number else None


def _is_replaceable(path: str | os.PathLike[str]) -> bool:
    """Return whether a new file can replace the path: a regular file, or nothing yet."""
    if _stream(path) is not None:
        return False
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 (a path may be a string)
    except OSError:
        return True
    if stat.S_ISREG(mode) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "The file is not writable", os.fspath(path))
    return stat.S_ISREG(mode)


def _take_over(old: Path, new: Path) -> None:
    """Copy the mode of the old file to the new one, and its owner where permitted."""
    try:
        was = old.stat()
    except FileNotFoundError:
        return
    made = new.stat()
    if (was.st_uid, was.st_gid) != (made.st_uid, made.st_gid):
        with suppress(OSError):
            os.chown(new, was.st_uid, was.st_gid)
    if was.st_mode != made.st_mode:
        new.chmod(stat.S_IMODE(was.st_mode))


def _write_into(path: str | os.PathLike[str], content: bytes) -> None:
    stream = _stream(path)
    if stream is not None:
        descriptor = os.dup(stream)  # goes on at the current position if the stream is a file
    else:  # without a reader, a pipe fails at once instead of blocking
        flags = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
        if os.name == "posix":
            os.set_blocking(descriptor, True)
    with open(descriptor, "wb") as file:  # noqa: PTH123 (a descriptor has no path)
        file.write(content)


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return the document that `write_json` wrote.

    Raises
    ------
    OSError
        If there is no such file or it cannot be read.
    StateError
        If it is not JSON of this form, for instance truncated. Also a ValueError.
    """
    return _documents(path, lines=False)[0]


def _documents(path: str | os.PathLike[str], *, lines: bool) -> list[Any]:
    """Return the document of a file, and with `lines` the whole ones that were added to it."""
    path = path_of(path)
    name = os.fspath(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors add a byte-order mark
        decoder = json.JSONDecoder(object_pairs_hook=_decoded)
        document, end = decoder.raw_decode(text, len(text) - len(text.lstrip(_BLANK)))
        documents, rest = [document], text[end:].lstrip(_BLANK)
        if rest and not (lines and "\n" in text[end : len(text) - len(rest)]):
            raise ValueError(f"after its end there is {rest[:60]!r}")
        for line in rest.split("\n")[:-1]:  # what follows the last end of a line was cut short
            try:
                documents.append(decoder.decode(line))
            except ValueError:  # nor is one whole in which a power failure left a hole
                break
        for document in documents:
            _check_depth(document)
        return documents
    except RecursionError:
        raise StateError(f"{name!r} is nested too deeply to be a file of micrograd") from None
    except ValueError as error:  # also UnicodeDecodeError and JSONDecodeError
        raise StateError(
            f"{name!r} cannot be read: {error}. It may be cut short or edited; "
            "save it again, or use an older copy"
        ) from error


def read_document(
    path: str | os.PathLike[str], noun: str, form: str, version: int
) -> dict[str, Any]:
    """Return a document whose "format" and "version" are those expected.

    Raises
    ------
    OSError
        If there is no such file or it cannot be read.
    StateError
        If its format or version is another; the message calls it a `noun`. Also a ValueError.
    """
    document = read_json(path)
    _check_form(path, document, noun, form, (version,))
    return cast("dict[str, Any]", document)


def read_documents(
    path: str | os.PathLike[str], noun: str, form: str, *versions: int
) -> list[dict[str, Any]]:
    """Return a document as `read_document` does, and those that `append_json` added to it."""
    documents = _documents(path, lines=True)
    _check_form(path, documents[0], noun, form, versions)
    return documents


def _check_form(
    path: str | os.PathLike[str], document: Any, noun: str, form: str, versions: Sequence[int]
) -> None:
    name = str(path)
    if not isinstance(document, dict) or document.get("format") != form:
        raise StateError(f"{name!r} is not a {noun}: it has no 'format': {form!r}")
    if document.get("version") not in versions:
        raise StateError(
            f"{name!r} has version {shown_briefly(document.get('version'))}; "
            f"this version of micrograd reads {versions[0]}"
        )


def _check_depth(document: Any) -> None:
    """Raise a RecursionError if a document is nested too deeply for recursive functions."""
    level: list[Any] = [[document]]
    for _ in range(_DEEPEST):
        held = [item.values() if isinstance(item, dict) else item for item in level]
        level = [entry for item in held for entry in item if isinstance(entry, (dict, list))]
    if level:
        raise RecursionError


def _encoded(item: Any, depth: int, long: float = math.inf) -> Any:
    """Return what JSON is given for an item; lists of that many floats are written as bytes."""
    if depth > _DEEPEST:
        raise NumberTypeError("the document is nested too deeply, or holds itself")
    kind = type(item)
    if kind in _PLAIN or (kind is float and math.isfinite(item)):  # as most are
        return item
    if kind is int and -_SHORT < item < _SHORT:
        return item
    if isinstance(item, (str, bool)):
        return item
    if isinstance(item, (dict, Mapping)):
        for key in item:
            if not isinstance(key, str):
                raise NumberTypeError(f"expected strings as keys, got {key!r}")
        return {key: _encoded(entry, depth + 1, long) for key, entry in item.items()}
    if isinstance(item, Sequence):
        kinds = set(map(type, item))
        if kinds == {str}:
            return list(item)
        if kinds == {float} and (math.isfinite(sum(item)) or all(map(math.isfinite, item))):
            if len(item) < long:
                return list(item)
            numbers = array("d", item)
            if sys.byteorder == "big":
                numbers.byteswap()
            return {"floats": binascii.b2a_base64(numbers, newline=False).decode()}
        return [_encoded(entry, depth + 1, long) for entry in item]
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
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} occurs twice")
    kind, text = next(iter(document.items()), ("", None))
    if len(document) != 1 or not isinstance(text, str) or kind not in ("number", "floats"):
        return document
    if kind == "floats":
        try:
            content = base64.b64decode(text, validate=True)
            return list(struct.unpack(f"<{len(content) // 8}d", content))
        except (ValueError, struct.error):
            raise ValueError(f"{text[:60]!r} is not a list of floats") from None
    if text in ("nan", "inf", "-inf"):
        return float(text)
    numerator, slash, denominator = text.partition("/")
    try:
        if slash:
            return Fraction(int(numerator, 0), int(denominator, 0))
        return int(text, 0)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text[:60]!r} is not a number") from None
