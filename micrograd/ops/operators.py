"""What an operand may be: a plain number, or anything that has the operators of a `Value`.

>>> number(True)
1
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from micrograd.errors import NumberTypeError, shown_briefly

if TYPE_CHECKING:
    from typing_extensions import Self

    from micrograd.ops.op import Op

# The rows, and the factories of rows with a constant, by name: filled by `define` and `family`.
TABLE: Final[dict[str, Op]] = {}
FAMILIES: Final[dict[str, Callable[..., Op]]] = {}

REAL: Final = (-8.0, 8.0)
"""The `domain` of an operand that may be any number: where tests sample it."""

# An int, float, Fraction, Value or a tracer's symbol: rules work on all of them.
Number: TypeAlias = Any
PlainNumber: TypeAlias = int | float | Fraction


def number(value: object) -> PlainNumber:
    """Return `value` as an int, float or Fraction: one of these types stays as it is.

    NumPy scalars become Python numbers and `bool` an `int`.

    Raises
    ------
    NumberTypeError
        For anything else: text, sequences, arrays, complex numbers, a Value.

    Examples
    --------
    >>> number(True)
    1
    >>> number("3")
    Traceback (most recent call last):
        ...
    micrograd.errors.NumberTypeError: expected an int, float or Fraction, got '3' (str)
    """
    kind = type(value)
    if kind is float or kind is int or kind is Fraction:
        return value  # type: ignore[return-value]  # a `cast` would be a call for each number
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Fraction):
        return value
    if any(base.__module__ == "numpy" and base.__name__ == "generic" for base in kind.__mro__):
        plain = cast("Any", value).item()
        if isinstance(plain, (int, float)):
            return number(plain)
        if kind.__name__ == "longdouble":  # has no Python number of its own width
            return float(plain)
    raise NumberTypeError(
        f"expected an int, float or Fraction, got {shown_briefly(value)} ({kind.__name__})"
    )


def as_float(value: PlainNumber) -> float:
    """Return a number as a float, infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def is_operand(value: object) -> bool:
    """Return whether `value` can be an operand: a number, a Value or a tracer's symbol."""
    if isinstance(value, Operators):
        return True
    try:
        number(value)
    except NumberTypeError:
        return False
    return True


def is_plain(value: object) -> bool:
    """Return whether `value` is a plain number, and so no part of a graph."""
    return not isinstance(value, Operators)


class Operators:
    """Python's operator protocol, shared by `Value` and by the tracers.

    A subclass records an operation in its `_apply`; where operands are of several kinds, the one
    with the highest `_rank` does. `define` adds a method for each row of the table.
    """

    __slots__ = ()
    _rank = 0
    # Between NumPy's scalars (-1e6), which leave the operation to us, and its arrays (0), which
    # apply it element by element.
    __array_priority__ = -1.0

    if TYPE_CHECKING:

        @classmethod
        def _apply(cls, op: Op, args: tuple[Number, ...]) -> Self: ...

        def __getattr__(self, name: str) -> Callable[..., Self]: ...  # the table's methods

    def __add__(self, other: Number) -> Self:
        return operate(TABLE["add"], self, other)

    def __radd__(self, other: Number) -> Self:
        return operate(TABLE["add"], other, self)

    def __sub__(self, other: Number) -> Self:
        return operate(TABLE["sub"], self, other)

    def __rsub__(self, other: Number) -> Self:
        return operate(TABLE["sub"], other, self)

    def __mul__(self, other: Number) -> Self:
        return operate(TABLE["mul"], self, other)

    def __rmul__(self, other: Number) -> Self:
        return operate(TABLE["mul"], other, self)

    def __truediv__(self, other: Number) -> Self:
        return operate(TABLE["div"], self, other)

    def __rtruediv__(self, other: Number) -> Self:
        return operate(TABLE["div"], other, self)

    def __pow__(self, other: Number) -> Self:
        if isinstance(other, Operators):
            return cast("Self", TABLE["pow"](self, other))
        return operate(
            lambda base, exponent: FAMILIES["power"](number(exponent))(base), self, other
        )

    def __rpow__(self, other: Number) -> Self:
        return operate(
            lambda base, exponent: FAMILIES["base_power"](number(base))(base, exponent), other, self
        )

    def __neg__(self) -> Self:
        return cast("Self", TABLE["neg"](self))

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return cast("Self", TABLE["abs"](self))


def operate(op: Callable[[Number, Number], Number], left: Number, right: Number) -> Any:
    """Apply a binary operator; where an operand is no number, let Python ask that operand."""
    if is_operand(left) and is_operand(right):
        return op(left, right)
    for operand in (left, right):
        if isinstance(operand, (str, bytes, list, tuple)):
            number(operand)  # raises: Python would try to repeat the sequence
    return NotImplemented
