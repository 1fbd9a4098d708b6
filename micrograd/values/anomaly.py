"""Find where the first number that is not finite comes from, while a program runs."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from micrograd.errors import NonFiniteError
from micrograd.values.checks import described, is_finite
from micrograd.values.grad_mode import grad_mode, setting

__all__ = ["detect_anomaly"]

# With a separator at the end: a user's file beside the folder may begin with its name.
_PACKAGE = str(Path(__file__).parents[1]) + os.sep


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise at the first value or gradient that is infinite or nan, and say where it was made.

    Floats overflow to infinity in a sum or a product without an error, and `inf - inf` is nan.
    Within this context the operation that does so raises, with its operands and the line of your
    program, and `backward` names the line of the operation whose gradient is not finite.

    Raises
    ------
    NonFiniteError
        Also an ArithmeticError. Gradients are as they were before the pass.

    Notes
    -----
    For debugging only: each operation is several times slower and remembers its line. It applies to
    the thread that entered it. What is computed within `no_grad` is not checked; `compile` itself
    checks what machine code computes.

    Examples
    --------
    >>> from micrograd import Value
    >>> x = Value(1e200, label="x")
    >>> x * x
    Value(data=inf, grad=0)
    >>> with detect_anomaly():
    ...     x * x
    Traceback (most recent call last):
        ...
    micrograd.errors.NonFiniteError: x=1e+200 * x=1e+200 is inf, computed in <doctest ...
    """
    yield from setting(grad_mode, lambda _: _look_at)


def _look_at(node: Any) -> Any:
    """Return a new node with its line, unless it is the first that is not finite."""
    node.__dict__["recorded_at"] = line = _line()
    if not is_finite(node.data):
        raise NonFiniteError(f"{described(node)} is {node.data}, computed in {line}")
    return node


def _line() -> str:
    """Return the line outside this package that is being run."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, number, frame.f_globals).strip()
    return f"{name}, line {number}" + (f": {text}" if text else "")
