"""Whether what is computed is recorded: the switch that `engine.Value` asks at every operation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["building", "enable_grad", "no_grad", "recording"]

# True, False, or what `anomaly.detect_anomaly` puts here: called with each node, it returns it.
recording: ContextVar[Any] = ContextVar("recording", default=True)
building = ContextVar("building", default=False)  # whether a gradient graph is being built


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
    token = recording.set(False)
    try:
        yield
    finally:
        recording.reset(token)


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
    token = recording.set(recording.get() or True)
    try:
        yield
    finally:
        recording.reset(token)
