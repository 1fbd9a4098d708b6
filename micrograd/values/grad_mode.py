"""Grad mode: whether what is computed is recorded, asked by `engine.Value` at every operation.

The mode is a function that is given each new node and returns what the program gets: the node
(`record`), or a leaf with its number (`discard`). `anomaly.detect_anomaly` puts one of its own
there, which looks at the node first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["discard", "enable_grad", "grad_mode", "no_grad", "record", "setting"]

T = TypeVar("T")


def record(node: Any) -> Any:
    """Return a new node as it is, with its operands."""
    return node


def discard(node: Any) -> Any:
    """Return a leaf in place of a new node."""
    return node.detach()


grad_mode: ContextVar[Callable[[Any], Any]] = ContextVar("grad_mode", default=record)


def setting(variable: ContextVar[T], change: Callable[[T], T]) -> Iterator[None]:
    """Give a context variable another value, made from its present one, while this is at its yield.

    The body of a context manager. An interrupt at any line of it leaves the variable as it was.
    """
    before = variable.get()
    try:
        try:
            variable.set(change(before))
            yield
        finally:
            variable.set(before)
    finally:  # again, as an interrupt may come just before the line above
        variable.set(before)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results are leaves.

    Examples
    --------
    >>> from micrograd import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.parents
    ()
    """
    yield from setting(grad_mode, lambda _: discard)


@contextmanager
def enable_grad() -> Iterator[None]:
    """Record, even inside `no_grad`: code that computes derivatives itself needs the graph.

    Examples
    --------
    >>> from micrograd import Value
    >>> x = Value(2.0)
    >>> with no_grad(), enable_grad():
    ...     y = x * x
    >>> len(y.parents)
    2
    """
    yield from setting(grad_mode, lambda mode: record if mode is discard else mode)
