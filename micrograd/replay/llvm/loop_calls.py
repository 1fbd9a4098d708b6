"""Calls as a program's straight code writes them: of loops, and of functions of many numbers."""

from __future__ import annotations

from typing import Any

from micrograd.replay.llvm.loop_code import LoopCode
from micrograd.replay.llvm.processor import picked
from micrograd.replay.llvm.rerolled import RerolledLoop
from micrograd.replay.llvm.rows import Handle

__all__ = ["called", "together"]


def called(text: Any, loop: RerolledLoop) -> list[Handle]:
    """Write the call of a loop; return the sum of each row, where it gives them.

    Parameters
    ----------
    text : emitter
        Of a block.
    loop : RerolledLoop
        A matrix only for one sample.
    """
    text.call_together()  # the loop may read in memory what was called
    code = LoopCode.of(loop, text.width, text.single)
    text.loops.add(code)
    if loop.name == "matrix":
        return _matrix(text, loop, code)
    vector, rows = text.type, len(loop.factors)
    zero = text.constant(0.0)
    given = [f"{vector} {zero if f is None else text.use(f)}" for f in loop.factors]
    pointers = [
        text.at("acc", number) if loop.name == "outer" else text.address(number)
        for number in loop.numbers
    ]
    pointers.append(text.address(loop.value))
    if code.adds:
        pointers.append(text.at("acc", loop.result))
    given += [f"ptr {pointer}" for pointer in pointers]
    kind, symbol = code.type(text.register), code.symbol()
    types = ", ".join([*[vector] * rows, *["ptr nocapture"] * len(pointers), "i64"])
    text.declared[symbol] = f"declare {kind} @{symbol}({types}) nounwind"
    call = f"call {kind} @{symbol}({', '.join(given)}, i64 {loop.length})"
    if loop.name != "dot":
        text.line(f"  {call}")
        return []
    sums = text.new(call)
    if rows == 1:
        return [sums]
    return [text.new(f"extractvalue {kind} {sums}, {row}") for row in range(rows)]


def _matrix(text: Any, loop: RerolledLoop, code: LoopCode) -> list[Handle]:
    """Write the call of a matrix for one sample, which reads and writes arrays."""
    count = len(loop.steps)
    factors, sums = (text.new(f"alloca [{count} x double], align 8") for _ in range(2))

    def at(base: Handle, row: int) -> Handle:
        return str(text.new(f"getelementptr double, ptr {base}, i64 {row}"))

    for row, factor in enumerate(loop.factors):
        number = text.constant(0.0) if factor is None else text.use(factor)
        text.line(f"  store {text.type} {number}, ptr {at(factors, row)}, align 8")
    first, second = (text.tape.operands[number][1] for number in loop.numbers[:2])
    text.declared[code.symbol()] = f"declare {code.signature()} nounwind"
    text.line(
        f"  call void @{code.symbol()}(ptr {text.address(loop.numbers[0])}, "
        f"i64 {second - first}, ptr {text.address(loop.value)}, i64 {loop.length}, "
        f"ptr {factors}, i64 1, ptr {sums}, i64 {count})"
    )
    return [text.new(f"load {text.type}, ptr {at(sums, row)}, align 8") for row in range(count)]


def together(text: Any, symbol: str, waiting: dict[Handle, tuple[Handle, list[int]]]) -> None:
    """Write one call of a vector function for several numbers of one sample.

    Parameters
    ----------
    text : emitter
        Of a block.
    symbol : str
    waiting : dict
        The handle of each result -> the number, and the slots where the result is kept.
    """
    kind = f"<{text.whole} x double>"
    (first, _), *others = waiting.values()
    given = text.spread(first)
    for lane, (number, _) in enumerate(others, 1):
        one = text.new(f"extractelement {text.type} {number}, i64 0")
        given = text.new(f"insertelement {kind} {given}, double {one}, i64 {lane}")
    found = text.new(f"call {kind} @{symbol}({kind} {given})")
    for lane, (handle, (_, slots)) in enumerate(waiting.items()):
        text.line(f"  {handle} = {picked(found, text.whole, lane, 1)}")
        for slot in slots:
            text.store("scratch", slot, handle)
