"""Holding back the cyclic garbage collector, which finds nothing in graphs: they have no cycles."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]

_changing = threading.RLock()
_holds: list[object] = []  # one for each thread, and each nesting, that holds it back
_was_on = False  # before the first of them


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold the collector back, and put it back as it was, whatever happens.

    It walks over all the nodes of a graph again and again while the graph is built, which takes up
    to half of the time; a graph that is dropped is freed without it. Its callbacks and the
    finalizers that it calls would also be watched as if a function that is traced had called them.

    Examples
    --------
    >>> import gc
    >>> with uncollected():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    hold = object()
    try:
        try:
            _one_at_a_time(_hold_back, hold)
            yield
        finally:
            _one_at_a_time(_put_back, hold)
    finally:  # again, as an interrupt may come just before the line above
        _one_at_a_time(_put_back, hold)


def _one_at_a_time(change: Callable[[object], None], hold: object) -> None:
    with _changing:
        change(hold)


def _hold_back(hold: object) -> None:
    global _was_on  # noqa: PLW0603 (a process has one collector)
    if not _holds:
        _was_on = gc.isenabled()
    _holds.append(hold)
    gc.disable()


def _put_back(hold: object) -> None:
    if hold in _holds:
        if _was_on and len(_holds) == 1:
            gc.enable()
        _holds.remove(hold)
