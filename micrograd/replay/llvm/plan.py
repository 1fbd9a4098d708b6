"""The order in which a program is computed, with fused products, rerolled loops and cuts."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress

from micrograd import ops
from micrograd.ops import Op
from micrograd.replay.llvm.rerolled import RerolledLoop, RerolledLoops
from micrograd.replay.trace.parts import narrowed
from micrograd.replay.trace.tape import Tape
from micrograd.replay.trace.whole import WHOLE, apart

__all__ = ["FUSED", "PRODUCTS", "Plan", "cut", "plan", "planned"]

# Sums of more terms are computed in parts, so that they can be cut as well.
_WIDE = 100
_CALL = 4  # how many steps a call counts for where a program is cut

PRODUCTS = {ops.mul}
"""Rows that can be computed with a sum that they go into."""

FUSED: dict[Op | None, tuple[str, str]] = {
    ops.add: ("muladd", "muladd"), ops.sub: ("mulsub", "submul")
}  # fmt: skip
"""Rows that a product among their operands can be computed with, and how: where it is their first
operand, and where it is their second. With the product a * b that is a * b + c, a * b - c and
c - a * b; each is given a, b and c."""


@dataclass
class Plan:
    """The order in which a tape is emitted, the products fused into sums, and the cuts.

    `plan` makes one, and `cut` adds what is needed to emit it in segments.

    Attributes
    ----------
    steps : list of int
        Positions to compute, in order.
    fused : dict of int to int
        A sum or difference -> the product among its operands that is computed with it.
    segment : dict of int to int
        The segment of each step.
    crossing : dict of int to int
        Positions that are used in a later segment -> the number of their slot in memory.
    results : dict of int to list of int
        Position -> which results of the program it is.
    slots : int
        How many slots there are.
    loops : dict of int to RerolledLoop
        Step -> the loop that it stands for.
    places : dict of int to int
        Position -> its place among the values of loops, in memory after the other slots.
    placed : int
        How many such places there are.
    apart : set of int
        Rows of many numbers that no loop computes: without them the tape has to be planned again.
    """

    steps: list[int] = field(default_factory=list)
    fused: dict[int, int] = field(default_factory=dict)
    segment: dict[int, int] = field(default_factory=dict)
    crossing: dict[int, int] = field(default_factory=dict)
    results: dict[int, list[int]] = field(default_factory=dict)
    slots: int = 0
    loops: dict[int, RerolledLoop] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    placed: int = 0
    apart: set[int] = field(default_factory=set)


def plan(tape: Tape, fuse: bool, least: int = 0, matrices: bool = False) -> Plan:
    """Return how to emit `tape`, with products fused into sums if `fuse`.

    With a `least`, that many like steps or more become one step, a loop, with `matrices` also those
    of many weighted sums of the same values. It needs `fuse`.
    """
    rows, operands = tape.rows, tape.operands
    result = Plan()
    for number, position in enumerate(tape.results()):
        result.results.setdefault(position, []).append(number)
    if fuse:
        uses = tape.uses()
        for position in compress(range(len(rows)), map(FUSED.__contains__, rows)):
            for operand in operands[position][::-1]:
                if (
                    uses[operand] == 1
                    and rows[operand] in PRODUCTS
                    and operand not in result.results
                ):
                    result.fused[position] = operand
                    break
    swallowed = set(result.fused.values())
    result.steps = [p for p, op in enumerate(rows) if op is not None and p not in swallowed]
    if least == 0:
        result.apart = {p for p in result.steps if rows[p] in WHOLE}
    else:
        found = RerolledLoops(
            tape, result.steps, result.fused, result.results, least, matrices=matrices
        )
        result.steps = [step for step in result.steps if step not in found.others]
        result.loops, result.places = found.starts, found.places
        result.placed, result.apart = found.count, found.apart
    return result


def planned(tape: Tape, fuse: bool, least: int = 0, matrices: bool = False) -> tuple[Tape, Plan]:
    """Return a tape, with rows in parts where that is needed, and its plan: see `plan`."""
    is_wide = any(op is not None and op.arity > 2 * _WIDE + 1 for op in set(tape.rows))
    while True:
        order, before = plan(tape, fuse, least, matrices), tape
        if order.apart:
            tape = apart(tape, order.apart)
        elif is_wide:
            is_wide = False
            rerolled = {step for loop in order.loops.values() for step in loop.steps}
            tape = narrowed(tape, _WIDE, rerolled)
        if tape is before:
            return tape, order


def cut(tape: Tape, given: Plan, size: int) -> None:
    """Cut a plan into segments of about `size` steps, and give slots to what crosses them."""
    operands, fused = tape.operands, given.fused
    current, weight = 0, 0
    last_use: dict[int, int] = {}
    for position in given.steps:
        loop = given.loops.get(position)
        cost = (
            _CALL * len(loop.parts()) if loop is not None else max(1, len(operands[position]) // 2)
        )
        if weight and weight + cost > size:
            current, weight = current + 1, 0
        weight += cost
        given.segment[position] = current
        for operand in operands[position] if loop is None else loop.factors:
            if operand is None:
                continue
            if fused.get(position) == operand:
                for inner in operands[operand]:
                    last_use[inner] = current
            else:
                last_use[operand] = current
    # A slot is free again after the segment in which its value is last used.
    free: list[int] = []
    ends: dict[int, list[int]] = {}
    at = 0
    for position in given.steps:
        while at < given.segment[position]:
            free += ends.pop(at, [])
            at += 1
        loop = given.loops.get(position)
        for result in (position,) if loop is None else loop.steps:
            last = last_use.get(result, at)
            if last > at and result not in given.places:
                slot = free.pop() if free else given.slots
                given.slots = max(given.slots, slot + 1)
                given.crossing[result] = slot
                ends.setdefault(last, []).append(slot)
    for position, place in given.places.items():
        given.crossing[position] = given.slots + place
    given.slots += given.placed
