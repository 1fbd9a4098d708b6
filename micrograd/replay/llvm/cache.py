"""Machine code kept on disk, so that a program is compiled once and not in every process.

It is in the user's cache folder: `~/.cache/micrograd` (or below `XDG_CACHE_HOME`), on macOS
`~/Library/Caches/micrograd`, on Windows `micrograd/Cache` in `%LOCALAPPDATA%`. The environment
variable `MICROGRAD_CACHE` names another folder; `MICROGRAD_CACHE=off` keeps nothing.

A file is named by a hash of everything that its code depends on, and begins with a hash of that
name and the code: one that was cut off or exchanged is not used. Files are written beside their
place and moved there, so that processes may write at once. The folder is the user's alone; above
`LIMIT` bytes the files that were used least recently are removed. Where anything of this fails,
the program is compiled.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from micrograd.files import write_atomic

__all__ = ["LIMIT", "compiled", "folder"]

LIMIT: Final = 256 * 2**20  # bytes
_HASH: Final = hashlib.sha256().digest_size
_NAME: Final = re.compile(r"[0-9a-f]{64}\.o")
_bytes: Final[dict[Path, int]] = {}  # in a folder, as far as this process knows


def folder() -> Path | None:
    """Return the folder of the cache, None if nothing is to be kept."""
    chosen = os.environ.get("MICROGRAD_CACHE", "")
    if chosen:
        return None if chosen.lower() == "off" else Path(chosen).expanduser()
    try:
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
            return Path(local, "micrograd", "Cache")
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "micrograd"
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "micrograd")
    except RuntimeError:  # there is no home folder
        return None


def compiled(about: str, compile_it: Callable[[], bytes]) -> bytes:
    """Return the code for what `about` says: from the cache, or compiled now and kept.

    Parameters
    ----------
    about : str
        Everything that the code depends on.
    compile_it : callable
    """
    place = folder()
    if place is None:
        return compile_it()
    name = hashlib.sha256(about.encode()).hexdigest()
    path = place / f"{name}.o"
    code = _read(path, name)
    if code is None:
        code = compile_it()
        with contextlib.suppress(OSError):
            _write(path, name, code)
    return code


def _mark(name: str, code: bytes) -> bytes:
    return hashlib.sha256(name.encode() + code).digest()


def _read(path: Path, name: str) -> bytes | None:
    try:
        if not _is_ours(path.parent):
            return None
        content = path.read_bytes()
        mark, code = content[:_HASH], content[_HASH:]
        if mark != _mark(name, code):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # it was used now
    except OSError:
        return None
    return code


def _write(path: Path, name: str, code: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _is_ours(path.parent):
        content = _mark(name, code) + code
        write_atomic(path, content, durable=False)
        _clear(path.parent, len(content))


def _is_ours(place: Path) -> bool:
    """Return whether the folder is the user's, and nobody else can write there."""
    if sys.platform == "win32":  # the folders of a user are
        return place.is_dir()
    found = place.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _files(place: Path) -> Iterator[tuple[float, int, str]]:
    """Yield when each file of machine code was last used, its size, and its path."""
    with os.scandir(place) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):  # nothing else that is there is ours
                with contextlib.suppress(OSError):  # another process has removed it
                    state = entry.stat()
                    yield state.st_mtime, state.st_size, entry.path


def _clear(place: Path, written: int) -> None:
    """Remove the files that were used least recently, if there are too many bytes.

    The folder is looked through at the first file that this process writes, and when there may be
    too many.
    """
    total = (
        _bytes[place] + written if place in _bytes else sum(size for _, size, _ in _files(place))
    )
    if total > LIMIT:
        files = sorted(_files(place))
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= LIMIT:
                break
            with contextlib.suppress(OSError):
                Path(path).unlink()
            total -= size
    _bytes[place] = total
