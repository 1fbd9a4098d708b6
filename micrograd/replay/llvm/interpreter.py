"""The interpreter of bytecode, as the text of a block: one for all programs, compiled once."""

from __future__ import annotations

from typing import Any

from micrograd.replay.llvm.bytecode import LOOP, OPERATIONS, WIDTH
from micrograd.replay.llvm.memory import WORDS
from micrograd.replay.llvm.processor import TWO_OPERANDS, load

__all__ = ["interpreter_ir"]

_BINARY = {"+", "-", "*", "/", ">", ">=", "==", "<", "!="}
_OPERANDS = {"select": 3, "muladd": 3, "mulsub": 3, "submul": 3, "negative": 1, "result": 2,
             "product": 3, "parameter": 0, "constant": 0}  # fmt: skip
_FIELDS = ("op", "to", "a", "b", "c")  # of an instruction


def interpreter_ir(text: Any) -> str:
    """Return the block that interprets the bytecode of a program.

    Parameters
    ----------
    text : emitter
        Writes the operations.
    """
    cases, ends = [], []
    for number, name in enumerate(OPERATIONS):
        text.lines = lines = [f"case{number}:"]
        result = _result(text, name)
        text.call_together()
        lines.append("  br label %store")
        cases += lines
        ends.append(f"[ {result}, %case{number} ]")
    fields = "\n".join(
        f"  %at{i} = add i64 %k, {i}\n"
        f"  %p{i} = getelementptr i32, ptr %code, i64 %at{i}\n"
        f"  %f{i} = load i32, ptr %p{i}, align 4\n"
        f"  %{name} = zext i32 %f{i} to i64"
        for i, name in enumerate(_FIELDS)
    )
    words = [load(name, "i64", "%d", str(WORDS.index(name))) for name in WORDS[-4:]]
    labels = " ".join(f"i64 {number}, label %case{number}" for number in range(LOOP + 1))
    return "\n".join([
        "define void @block(ptr %in, ptr %par, ptr %acc, ptr %scratch, ptr %d) #0 {",
        "entry:",
        *words,
        "  %code = inttoptr i64 %table to ptr",
        "  %numbers = inttoptr i64 %constants to ptr",
        "  %all = inttoptr i64 %records to ptr",
        "  br label %step",
        "step:",
        "  %k = phi i64 [ 0, %entry ], [ %k1, %next ]",
        fields,
        f"  %top = getelementptr {text.type}, ptr %in, i64 %to",
        f"  switch i64 %op, label %unknown [ {labels} ]",
        *cases,
        f"case{LOOP}:",
        "  %record = getelementptr i64, ptr %all, i64 %a",
        load("function", "i64", "%record", "0"),
        "  %run = inttoptr i64 %function to ptr",
        "  call void %run(ptr %record, ptr %in, ptr %par)",
        "  br label %next",
        "store:",
        f"  %r = phi {text.type} {', '.join(ends)}",
        f"  store {text.type} %r, ptr %top, align {text.align}",
        "  br label %next",
        "next:",
        f"  %k1 = add i64 %k, {WIDTH}",
        "  %more = icmp slt i64 %k1, %length",
        "  br i1 %more, label %step, label %done",
        "unknown:",
        "  unreachable",
        "done:",
        "  ret void",
        "}",
        "",
    ])  # fmt: skip


def _result(text: Any, name: str) -> str:
    """Write one operation; return the handle of what it computes."""
    if name in ("parameter", "constant"):
        base = "%par" if name == "parameter" else "%numbers"
        pointer = text.new(f"getelementptr double, ptr {base}, i64 %a")
        return str(text.splat(text.new(f"load double, ptr {pointer}, align 8")))
    two = name in _BINARY or name in TWO_OPERANDS
    count = _OPERANDS.get(name, 2 if two else 1)
    given = ["a", "b", "c"][:count]
    if name in ("result", "product"):  # added to what is there
        given[-1] = "to"
    places = [text.new(f"getelementptr {text.type}, ptr %in, i64 %{place}") for place in given]
    x = [text.new(f"load {text.type}, ptr {place}, align {text.align}") for place in places]
    if name == "result":  # of one sample there is nothing to add it to
        return str(x[0] if text.single else text.binary("+", x[1], x[0]))
    if name == "product" and text.single:
        return str(text.binary("*", *x[:2]))
    if name == "product":
        return str(text.muladd(*x))
    if name in "+-*/":
        return str(text.binary(name, *x))
    if name in _BINARY:
        return str(text.number(text.compare(name, *x)))
    if name == "select":
        return str(text.select(text.compare("!=", x[0], text.constant(0.0)), x[1], x[2]))
    if name in _OPERANDS:
        return str(getattr(text, name)(*x))
    return str(text.call(name, *x))
