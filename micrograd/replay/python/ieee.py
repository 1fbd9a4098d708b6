"""Rows as machines compute them: an infinity or a nan where Python raises an error.

The rows of the table raise errors where the functions of `math` do. A program goes on, and only its
results are checked: `1 / exp(1000.0)` is 0. Where a row raises, its machine version is computed
here, with numbers instead of text.

>>> from micrograd import ops
>>> row(ops.exp, 1000.0), row(ops.div, -1.0, 0.0), row(ops.log, -1.0)
(inf, -inf, nan)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from micrograd.errors import TraceError
from micrograd.ops import Op, as_float
from micrograd.replay.llvm.rows import lower
from micrograd.replay.trace.tape import CONSTANT, INPUT, Tape

__all__ = ["row", "run"]

_BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_COMPARISONS = {
    ">": operator.gt, ">=": operator.ge, "==": operator.eq, "<": operator.lt, "!=": operator.ne
}  # fmt: skip
_POLES = {"log": 0.0, "log2": 0.0, "log10": 0.0, "log1p": -1.0}  # where the result is -inf


class _Numbers:
    """Computes what other emitters write: its handles are floats and booleans."""

    def constant(self, value: float) -> Any:
        return value

    def binary(self, kind: str, a: Any, b: Any) -> Any:
        if kind == "/" and b == 0:
            return a * math.copysign(math.inf, b)  # 0 / 0 is nan, as 0 * inf is
        return a / b if kind == "/" else _BINARY[kind](a, b)

    def muladd(self, a: Any, b: Any, c: Any) -> Any:
        return a * b + c

    def negative(self, a: Any) -> Any:
        return -a

    def compare(self, kind: str, a: Any, b: Any) -> Any:
        return _COMPARISONS[kind](a, b)

    def select(self, truth: Any, a: Any, b: Any) -> Any:
        return a if truth else b

    def truth(self, number: Any) -> Any:
        return number != 0

    def number(self, truth: Any) -> Any:
        return 1.0 if truth else 0.0

    def call(self, name: str, *args: Any) -> Any:
        x = args[0]
        odd = name in ("sinh", "atanh") or (name == "pow" and args[1] % 2 == 1)
        infinite = math.copysign(math.inf, x) if odd else math.inf
        try:
            return getattr(math, name)(*args)
        except OverflowError:
            return infinite
        except ValueError:
            if x == _POLES.get(name):
                return -math.inf
            pole = (name == "atanh" and abs(x) == 1) or (name == "pow" and x == 0)
            return infinite if pole else math.nan


def row(op: Op, *operands: Any) -> float:
    """Return the result of a row for any numbers, infinite or nan if it must be."""
    try:
        return float(op.forward(*operands))
    except (ArithmeticError, ValueError):
        pass
    numbers: list[Any] = [as_float(operand) for operand in operands]
    try:
        return float(lower(_Numbers(), op, numbers))
    except (ArithmeticError, ValueError, TraceError):  # a row of the user's
        return math.nan


def run(tape: Tape, flat: Sequence[float], parameters: Sequence[float]) -> list[float]:
    """Return the results of a program for one sample."""
    values: list[Any] = []
    for op, operands in zip(tape.rows, tape.operands, strict=True):
        if op is not None:
            values.append(row(op, *[values[operand] for operand in operands]))
        elif operands[0] == CONSTANT:
            values.append(operands[1])
        else:
            values.append((flat if operands[0] == INPUT else parameters)[operands[1]])
    return [as_float(values[position]) for position in tape.results()]
