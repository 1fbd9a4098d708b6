"""The forward rule of a user's operation as a tape, for backends that have no row for it."""

from __future__ import annotations

from micrograd.errors import NumberTypeError
from micrograd.ops import Op
from micrograd.replay.trace.recorder import Recorder, Symbol
from micrograd.replay.trace.tape import Tape

__all__ = ["rule"]


def rule(op: Op) -> Tape:
    """Return the forward rule of a user's operation as a tape whose inputs are its operands.

    Where it branches, the tape has both branches and a `where`.

    Raises
    ------
    TypeError
        If it does something that cannot be recorded.
    """
    forward = op.forward

    def explored(*args: Symbol) -> Symbol:
        recorder = args[0].recorder
        recorder.tracing = False
        return recorder.symbol(recorder.explored(forward, args))

    recorder = Recorder()
    recorder.trace(explored, [()] * op.arity, ["operand"] * op.arity)
    if recorder.parameters:
        raise NumberTypeError("it gives a Value for plain numbers")
    return recorder.tape.optimised()
