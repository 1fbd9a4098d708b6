"""What a compiled function is given: options, parameters, numbers and arrays, checked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from micrograd import ops
from micrograd.engine import Value, plain
from micrograd.errors import (
    ArgumentTypeError,
    InputCountError,
    NumberTypeError,
    OverflowRangeError,
    TraceError,
    shown_typed,
)
from micrograd.replay.kernels import numpy
from micrograd.replay.trace import is_number_like

__all__ = ["as_column", "flatten", "given_values", "part_size", "parts"]

# How many results are examined at a time if some are not finite: 2 MB.
NUMBERS = 262_144


def part_size(results: int) -> int:
    """Return how many samples are examined at a time, if each has `results` results."""
    return max(1, NUMBERS // results)


def parts(rows: Any) -> Iterator[tuple[int, Any]]:
    """Yield the results of a batch in parts, each after the number of its first sample."""
    size = part_size(rows.shape[1])
    return ((start, rows[start : start + size]) for start in range(0, len(rows), size))


def given_values(given: Any) -> list[Value]:
    """Return the parameters that a user gave, as a list."""
    wrong = given
    with contextlib.suppress(TypeError):
        values = list(given)
        if set(map(type, values)) == {Value}:  # as most are: no loop in Python
            return values
        strangers = [value for value in values if not isinstance(value, Value)]
        if not strangers:
            return values
        wrong = strangers[0]
    raise ArgumentTypeError(
        f"expected parameters to be a sequence of Values, got {shown_typed(wrong)}"
    )


def as_column(arg: Any) -> Any:
    """Return an argument of a batch as an array of floats."""
    np = numpy()
    if np.ma.is_masked(arg):
        raise NumberTypeError(
            f"expected an array of numbers, got one with {np.ma.count_masked(arg)} masked: leave "
            "those samples out, or fill them with numbers"
        )
    try:
        column = np.asarray(arg)
        kind = column.dtype.kind
        if kind == "O":
            for entry in column.flat:
                if not is_number_like(entry):
                    raise TypeError(f"there is {shown_typed(entry)} in it")
            column = np.reshape([plain(entry) for entry in column.flat], column.shape)
        elif kind not in "biuf":
            raise TypeError(f"its entries are of type {column.dtype}")
        return column.astype(float, copy=False)
    except OverflowError as error:
        raise OverflowRangeError(f"expected numbers within the range of a float: {error}") from None
    except TraceError:
        raise
    except (TypeError, ValueError) as error:
        raise NumberTypeError(f"expected an array of numbers: {error}") from error


def flatten(arg: Any, flat: list[float]) -> tuple[int, ...]:
    """Append the numbers of one argument; return its shape."""
    if type(arg) is float:
        flat.append(arg)
        return ()
    if is_number_like(arg):
        try:
            flat.append(float(arg.data if isinstance(arg, Value) else ops.number(arg)))
        except OverflowError as error:
            raise OverflowRangeError(
                f"expected inputs within the range of a float: {error}"
            ) from None
        return ()
    if hasattr(arg, "ndim"):
        array = arg if hasattr(arg, "tolist") else numpy().asarray(arg)  # as a DataFrame has none
        return flatten(array.tolist(), flat)
    if not isinstance(arg, Sequence) or isinstance(arg, (str, bytes)):
        raise NumberTypeError(f"expected a number or a sequence of numbers, got {shown_typed(arg)}")
    inner: tuple[int, ...] | None = None
    for item in arg:
        shape = flatten(item, flat)
        if inner not in (None, shape):
            raise InputCountError(f"expected rows of one length, got {inner} and {shape}")
        inner = shape
    return (len(arg), *(inner or ()))
