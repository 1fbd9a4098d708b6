"""Whether what is computed is recorded: the switch that `engine.Value` asks at every operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["building", "enable_grad", "no_grad", "recording", "setting"]

T = TypeVar("T")

# True, False, or what `anomaly.detect_anomaly` puts here: called with each node, it returns it.
recording: ContextVar[Any] = ContextVar("recording", default=True)
building = ContextVar("building", default=False)  # whether a gradient graph is being built


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
    yield from setting(recording, lambda _: False)


@contextmanager
def enable_grad() -> Iterator[None]:
    """Record, also inside `no_grad`: what computes a derivative of its own needs the graph.

    Examples
    --------
    >>> from micrograd import Value
    >>> x = Value(2.0)
    >>> with no_grad(), enable_grad():
    ...     y = x * x
    >>> len(y.parents)
    2
    """
    yield from setting(recording, lambda present: present or True)
