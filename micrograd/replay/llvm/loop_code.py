"""The machine code of rerolled loops, which programs call by name.

Programs share it: each loop is compiled once a process, when the first program needs it.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from micrograd.replay.llvm.processor import attributes, host, machine_code, muladd, picked, splat
from micrograd.replay.llvm.rerolled import RerolledLoop

__all__ = ["LoopCode", "provide"]


class LoopCode(NamedTuple):
    """The code of a rerolled loop.

    Attributes
    ----------
    name : {"dot", "outer", "scale", "spread"}
        What it computes: see `RerolledLoop`.
    rows : int
        How many there are.
    width : int
        How many registers a value takes.
    in_memory : bool
        Whether the numbers of the rows are values in memory, not parameters.
    adds : bool
        Whether sums are added to results, not kept.
    """

    name: str
    rows: int
    width: int
    in_memory: bool = False
    adds: bool = False

    @classmethod
    def of(cls, loop: RerolledLoop, width: int) -> LoopCode:
        """Return the code of a loop."""
        return cls(loop.name, len(loop.factors), width, loop.in_memory, loop.result >= 0)

    def symbol(self) -> str:
        """Return the name of the function."""
        marks = ("_values" if self.in_memory else "") + ("_results" if self.adds else "")
        return f"micrograd_{self.name}_{self.rows}_{self.width}{marks}"

    def type(self, lanes: int) -> str:
        """Return the type of what the function returns."""
        vector = f"<{lanes * self.width} x double>"
        if self.name != "dot":
            return "void"
        return vector if self.rows == 1 else "{ " + ", ".join([vector] * self.rows) + " }"


class _Body:
    """Writes what a pass of the loop does to one number of each row.

    `%f` is the factor of a row, `%p` its first number, `%v` the first value. The functions that the
    text calls are added to `declared`.
    """

    def __init__(self, loop: LoopCode, lanes: int, declared: set[str]) -> None:
        self.loop = loop
        self.name, self.rows, self.width = loop.name, loop.rows, loop.width
        self.register, self.lanes = lanes, lanes * loop.width
        self.result, self.value = f"<{lanes} x double>", f"<{self.lanes} x double>"
        self.declared = declared

    def fused(self, kind: str, a: str, b: str, c: str) -> str:
        text, declaration = muladd(kind, a, b, c)
        self.declared.add(declaration)
        return text

    def part(self, vector: str, i: int) -> str:
        """Return what picks one of the registers of a value."""
        return picked(vector, self.lanes, i * self.register, self.register)

    def write(self, i: str, totals: list[str]) -> str:
        """Return what is done to number `%i` of each row; `totals` holds the sums so far."""
        v, align = self.value, 8 * self.register
        lines = [f"%vp{i} = getelementptr {v}, ptr %v, i64 %{i}"]
        if self.name != "scale":
            lines.append(f"%value{i} = load {v}, ptr %vp{i}, align {align}")
        total = f"%value{i}"
        for row in range(self.rows):
            if self.name == "outer":
                lines += self.outer(i, row)
                continue
            at, new = f"{row}{i}", f"%new{row}{i}"
            if self.loop.in_memory:
                number = f"%number{at}"
                lines += [
                    f"%np{at} = getelementptr {v}, ptr %p{row}, i64 %{i}",
                    f"{number} = load {v}, ptr %np{at}, align {align}",
                ]
            else:
                number = f"%number{at}v"
                lines += [
                    f"%np{at} = getelementptr double, ptr %p{row}, i64 %{i}",
                    f"%number{at} = load double, ptr %np{at}, align 8",
                    splat("double", f"number{at}", self.lanes),
                ]
            if self.name == "dot":
                lines.append(f"{new} = {self.fused(v, number, f'%value{i}', totals[row])}")
            elif self.name == "scale" and row == 0:
                lines.append(f"{new} = fmul {v} %f{row}, {number}")
            else:
                lines.append(f"{new} = {self.fused(v, f'%f{row}', number, total)}")
            total = new
        if self.loop.adds:
            lines += self.added(i, total)
        elif self.name in ("scale", "spread"):
            lines.append(f"store {v} {total}, ptr %vp{i}, align {align}")
        return "\n".join(f"  {line}" for line in lines)

    def added(self, i: str, total: str) -> list[str]:
        """Return what adds a value to result `%i`, one register after the other."""
        kind, align = self.result, 8 * self.register
        lines = [
            f"%rp{i} = getelementptr {kind}, ptr %r, i64 %{i}",
            f"%sum0_{i} = load {kind}, ptr %rp{i}, align {align}",
        ]
        for k in range(self.width):
            lines += [
                f"%t{k}_{i} = {self.part(total, k)}",
                f"%sum{k + 1}_{i} = fadd {kind} %sum{k}_{i}, %t{k}_{i}",
            ]
        lines.append(f"store {kind} %sum{self.width}_{i}, ptr %rp{i}, align {align}")
        return lines

    def outer(self, i: str, row: int) -> list[str]:
        """Return what adds to result `%i` of a row, one register after the other."""
        at, kind, align = f"{row}{i}", self.result, 8 * self.register
        lines = [
            f"%np{at} = getelementptr {kind}, ptr %p{row}, i64 %{i}",
            f"%sum0_{at} = load {kind}, ptr %np{at}, align {align}",
        ]
        for k in range(self.width):
            total = self.fused(kind, f"%f{k}_{at}", f"%v{k}_{at}", f"%sum{k}_{at}")
            lines += [
                f"%f{k}_{at} = {self.part(f'%f{row}', k)}",
                f"%v{k}_{at} = {self.part(f'%value{i}', k)}",
                f"%sum{k + 1}_{at} = {total}",
            ]
        lines.append(f"store {kind} %sum{self.width}_{at}, ptr %np{at}, align {align}")
        return lines


def _answer(kind: str, v: str, rows: int) -> tuple[list[str], str]:
    """Return the text that packs the sums of the rows, and what is returned."""
    if rows == 1:
        return [], " %sum0"
    lines, before = [], "poison"
    for row in range(rows):
        lines.append(f"  %r{row} = insertvalue {kind} {before}, {v} %sum{row}, {row}")
        before = f"%r{row}"
    return lines, f" {before}"


def _text(loop: LoopCode, lanes: int, declared: set[str]) -> str:
    """Return the text of a loop, and add the functions that it calls to `declared`."""
    name, rows = loop.name, loop.rows
    body = _Body(loop, lanes, declared)
    v, each = body.value, range(rows)
    sums = each if name == "dot" else ()
    unrolled = 4 if rows == 1 else 2  # several rows are work enough for one pass of the loop
    passes, totals = [], [f"%total{row}" for row in each]
    for k in range(unrolled):
        passes += [f"  %k{k} = add i64 %i, {k}", body.write(f"k{k}", totals)]
        totals = [f"%new{row}k{k}" for row in each]
    first = [
        f"  %total{row} = phi {v} [ %f{row}, %entry ], [ %new{row}k{unrolled - 1}, %turn ]"
        for row in sums
    ]
    rest = [f"  %sum{row} = phi {v} [ %total{row}, %turns ], [ %new{row}j, %one ]" for row in sums]
    kind = loop.type(lanes)
    end, answer = _answer(kind, v, rows) if sums else ([], "")
    pointers = [*[f"%p{row}" for row in each], "%v", *(["%r"] if loop.adds else [])]
    given = ", ".join([f"{v} %f{row}" for row in each] + [f"ptr {name}" for name in pointers])
    lines = [
        f"define {kind} @{loop.symbol()}({given}, i64 %n) #0 {{",
        "entry:",
        f"  %whole = and i64 %n, -{unrolled}",
        "  br label %turns",
        "turns:",
        "  %i = phi i64 [ 0, %entry ], [ %i1, %turn ]",
        *first,
        "  %more = icmp slt i64 %i, %whole",
        "  br i1 %more, label %turn, label %ones",
        "turn:",
        *passes,
        f"  %i1 = add i64 %i, {unrolled}",
        "  br label %turns",
        "ones:",
        "  %j = phi i64 [ %whole, %turns ], [ %j1, %one ]",
        *rest,
        "  %left = icmp slt i64 %j, %n",
        "  br i1 %left, label %one, label %done",
        "one:",
        body.write("j", [f"%sum{row}" for row in each]),
        "  %j1 = add i64 %j, 1",
        "  br label %ones",
        "done:",
        *end,
        f"  ret {kind}{answer}",
        "}",
    ]
    return "\n".join(lines) + "\n"


_lock = threading.Lock()
_there: set[LoopCode] = set()
_engines: list[Any] = []  # the code of the loops, kept until the process ends


def provide(loops: set[LoopCode]) -> None:
    """Compile those of the loops that were not compiled before."""
    import llvmlite.binding as llvm

    with _lock:
        new = sorted(loops - _there)
        if not new:
            return
        lanes = host().lanes
        declared: set[str] = set()
        text = "".join(_text(loop, lanes, declared) for loop in new)
        engine, _ = machine_code("\n".join([text, *sorted(declared), attributes()]))
        for loop in new:
            symbol = loop.symbol()
            llvm.add_symbol(symbol, engine.get_function_address(symbol))
        _engines.append(engine)
        _there.update(new)
