"""A row of the op table as a list of instructions: its forward rule and its local derivatives.

A page computes with rows that it is sent as data, so that it needs no `eval` and its script is the
same for every graph. What is written is what all machines compute: see `llvm.rows`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from micrograd.errors import TraceError
from micrograd.ops import Op
from micrograd.replay.llvm.rows import Handle, lower, lower_tape
from micrograd.replay.trace.reach import is_library
from micrograd.replay.trace.recorder import Recorder
from micrograd.replay.trace.tape import Tape

__all__ = ["instructions"]


class _List:
    """The emitter: a handle is the number of a register, as text; equal work is done once."""

    def __init__(self, registers: int) -> None:
        self.first = registers
        self.lines: dict[tuple[Any, ...], int] = {}

    def add(self, kind: str, *operands: Any) -> Handle:
        line = (kind, *operands)
        return str(self.lines.setdefault(line, self.first + len(self.lines)))

    def constant(self, value: float) -> Handle:
        names = {math.inf: "Infinity", -math.inf: "-Infinity"}
        held = "NaN" if value != value else names.get(value, repr(float(value)))
        return self.add("number", held)

    def binary(self, kind: str, a: Handle, b: Handle) -> Handle:
        return self.add(kind, int(a), int(b))

    compare = binary

    def muladd(self, a: Handle, b: Handle, c: Handle) -> Handle:
        return self.binary("+", self.binary("*", a, b), c)

    def negative(self, a: Handle) -> Handle:
        return self.add("negative", int(a))

    def select(self, truth: Handle, a: Handle, b: Handle) -> Handle:
        return self.add("?", int(truth), int(a), int(b))

    def truth(self, number: Handle) -> Handle:
        return self.binary("!=", number, self.constant(0.0))

    def number(self, truth: Handle) -> Handle:
        return truth  # a comparison gives 1 or 0

    def call(self, name: str, *args: Handle) -> Handle:
        return self.add(name, *map(int, args))


def _derivatives(op: Op) -> Tape:
    """Return the local derivatives of a row as a tape, of the result and then the operands."""
    recorder = Recorder()
    recorder.tracing = False  # a rule is given any number
    tape, rule = recorder.tape, op.partials
    symbols = [recorder.symbol(tape.input(i)) for i in range(op.arity + 1)]
    assert rule is not None
    slopes = rule(*symbols) if is_library(rule) else recorder.of_users(rule, *symbols)
    tape.outputs = [recorder.operand(slope) for slope in slopes]
    return tape.optimised()


@lru_cache(maxsize=256)
def instructions(op: Op) -> list[Any]:
    """Return a row as instructions for registers; the first registers are its operands.

    An instruction is a name and the registers that it reads; its result goes into the next register
    that is free. It is an operator, `?` for a choice, `number` with the text of one, or a function
    of C. A comparison gives 1 or 0.

    Parameters
    ----------
    op : Op

    Returns
    -------
    list
        The number of operands; the instructions; how many of them are the forward rule; the
        register of the result; the registers of the local derivatives; and for the result and each
        derivative whether it is an int of ints.

    Raises
    ------
    TraceError
        If the row was made by hand, or cannot be run on symbols.

    Examples
    --------
    >>> from micrograd import ops
    >>> instructions(ops.TABLE["tanh"])
    [1, [['tanh', 0], ['*', 1, 1], ['number', '1.0'], ['-', 3, 2]], 1, 1, [4], [False, False]]
    """
    if op.partials is None:
        raise TraceError(f"the operation {op.token!r} was made by hand: it has no rule")
    emitter = _List(op.arity)
    operands = [str(i) for i in range(op.arity)]
    out = lower(emitter, op, operands)
    forward = len(emitter.lines)
    try:
        tape = _derivatives(op)
    except (TypeError, AttributeError) as error:
        raise TraceError(f"the derivatives of {op.name!r} cannot be run on symbols") from error
    slopes = list(map(int, lower_tape(emitter, tape, [out, *operands])))
    return [op.arity, list(map(list, emitter.lines)), forward, int(out), slopes, _whole(op)]


def _whole(op: Op) -> list[bool]:
    """Return for the result and each local derivative whether ints give an int."""
    ones = [1] * op.arity
    try:
        out = op.forward(*ones)
        assert op.partials is not None
        return [type(number) is int for number in (out, *op.partials(out, *ones))]
    except (ValueError, ArithmeticError):
        return [False] * (op.arity + 1)
