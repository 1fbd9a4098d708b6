"""Sums of many terms, computed in parts: the order of additions, and so the bits, are the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from functools import partial

from micrograd import ops
from micrograd.ops import Op
from micrograd.replay.trace.tape import Tape

__all__ = ["narrowed"]


def narrowed(tape: Tape, most: int, others: Container[int] = ()) -> Tape:
    """Return the same program with no row of many more than `most` terms, or pairs.

    A longer one is computed in parts, unless its position is among the `others` or no rule for it
    is listed here.
    """
    wide = [
        op is not None and op.arity > 2 * most + 1 and position not in others
        for position, op in enumerate(tape.rows)
    ]
    if not any(wide):
        return tape
    result = Tape()
    place: list[int] = []
    for op, given, is_wide in zip(tape.rows, tape.operands, wide, strict=True):
        if op is None:
            place.append(len(result))
            result.rows.append(None)
            result.operands.append(given)
            continue
        operands = tuple([place[operand] for operand in given])
        parted = _PARTED.get(op.key) if is_wide else None
        if parted is None:
            place.append(result.add(op, operands))
        else:
            place.append(parted(result, op, operands, most))
    result.outputs = [place[position] for position in tape.outputs]
    result.gradients = [None if g is None else place[g] for g in tape.gradients]
    return result


def _folded(
    part: Callable[[int], Op], tape: Tape, op: Op, operands: tuple[int, ...], most: int
) -> int:
    """Append a sum, or a maximum, that takes `most` operands at a time."""
    total, rest = operands[0], operands[1:]
    for start in range(0, len(rest), most):
        terms = (total, *rest[start : start + most])
        total = tape.add(part(len(terms)), terms)
    return total


def _dot(tape: Tape, op: Op, operands: tuple[int, ...], most: int) -> int:
    pairs = op.parameters[0]
    so_far = operands[2 * pairs :]  # the bias, where there is one
    for start in range(0, pairs, most):
        w = operands[start : min(start + most, pairs)]
        x = operands[pairs + start : pairs + start + len(w)]
        so_far = (tape.add(ops.dot_of(len(w), bool(so_far)), (*w, *x, *so_far)),)
    return so_far[0]


def _logsumexp(tape: Tape, op: Op, values: tuple[int, ...], most: int) -> int:
    """Append a `logsumexp` in the steps that the LLVM row writes for one, as rows of their own."""
    add = tape.add
    peak = _folded(ops.peak_of, tape, op, values, most)
    rest = taken = zero = tape.constant(0.0)
    one = tape.constant(1.0)
    known = peak
    for value in values:
        power = add(ops.exp, (add(ops.sub, (value, peak)),))
        largest = add(ops.equal, (value, peak))
        left_out = add(ops.where, (taken, power, zero))
        rest = add(ops.add, (rest, add(ops.where, (largest, left_out, power))))
        taken = add(ops.where, (largest, one, taken))
        known = add(ops.where, (add(ops.equal, (value, value)), known, value))
    total = add(ops.add, (peak, add(ops.log1p, (rest,))))
    infinite = add(ops.equal, (add(ops.abs, (peak,)), tape.constant(math.inf)))
    return add(ops.where, (infinite, known, total))


def _take(tape: Tape, op: Op, operands: tuple[int, ...], most: int) -> int:
    *values, index = operands
    taken = tape.constant(math.nan)
    for i, value in enumerate(values):
        is_it = tape.add(ops.equal, (index, tape.constant(float(i))))
        taken = tape.add(ops.where, (is_it, value, taken))
    return taken


# How a row of many operands is computed in parts, by its factory.
_PARTED: dict[Op | str, Callable[[Tape, Op, tuple[int, ...], int], int]] = {
    "sum_of": partial(_folded, ops.sum_of),
    "dot_of": _dot,
    "logsumexp_of": _logsumexp,
    "peak_of": partial(_folded, ops.peak_of),
    "take_of": _take,
}
