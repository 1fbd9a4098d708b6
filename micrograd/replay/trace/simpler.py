"""Instructions that a program can do without, with the same bits: a rule for each such row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from micrograd import ops
from micrograd.ops import Op

if TYPE_CHECKING:
    from micrograd.replay.trace.tape import Tape

__all__ = ["SIMPLER", "SWAPS", "UNITS"]


def _product(tape: Tape, op: Op, operands: Sequence[int], values: Sequence[Any]) -> int | None:
    for value, other in zip(values, operands[::-1], strict=True):
        if value == 1:
            return other
        if value == -1:
            inner = _negation(tape, op, (other,), ())
            return tape.add(ops.neg, (other,)) if inner is None else inner
    return None


def _quotient(tape: Tape, op: Op, operands: Sequence[int], values: Sequence[Any]) -> int | None:
    return operands[0] if values[1] == 1 else None


def _negation(tape: Tape, op: Op, operands: Sequence[int], values: Sequence[Any]) -> int | None:
    """Return x for -(-x)."""
    inner = operands[0]
    return int(tape.operands[inner][0]) if tape.rows[inner] is ops.neg else None


def _power(tape: Tape, op: Op, operands: Sequence[int], values: Sequence[Any]) -> int | None:
    return operands[0] if op.parameters[0] == 1 else None


def _choice(tape: Tape, op: Op, operands: Sequence[int], values: Sequence[Any]) -> int | None:
    if values[0] is None:
        return None
    return operands[1] if values[0] else operands[2]


# Each rule is given the positions of the operands, and the numbers of those that are constants; it
# returns the position of the result if there need be no instruction.
SIMPLER: dict[Op | str, Callable[[Tape, Op, Sequence[int], Sequence[Any]], int | None]] = {
    ops.mul: _product,
    ops.div: _quotient,
    ops.neg: _negation,
    ops.identity: lambda tape, op, operands, values: operands[0],
    "power": _power,
    ops.where: _choice,
}

# Most of a graph: rows that stay as they are without two constants or one of the units, and whether
# their operands can be swapped.
SWAPS: dict[Op, bool] = {ops.add: True, ops.mul: True, ops.sub: False}
UNITS = (1, -1)
