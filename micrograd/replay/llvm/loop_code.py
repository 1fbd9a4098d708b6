"""The machine code of rerolled loops, which programs call by name and bytecode by address.

Programs share it: each loop is compiled once a process, when the first program needs it. A loop for
one sample has a number where the others have one a lane; what it does to numbers side by side it
does to a register of them at a time, and weighted sums it adds up in order, as the others do. What
goes into results it sets, as there is nothing to add it to.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from micrograd.replay.llvm.matrix_code import MOST, matrix_ir
from micrograd.replay.llvm.processor import (
    again,
    attributes,
    host,
    load,
    machine_code,
    muladd,
    picked,
    splat,
)
from micrograd.replay.llvm.rerolled import ROWS, RerolledLoop

__all__ = ["RECORD", "LoopCode", "provide"]

RECORD = 4
"""How many whole numbers describe a loop in bytecode, before three for each row.

They are the address of its function for bytecode, the length, the place of the first value, and
that of the first result or how many rows there are. Of a row they are the places of the factor, of
the first number and of the sum.
"""


class LoopCode(NamedTuple):
    """The code of a rerolled loop.

    Attributes
    ----------
    name : {"dot", "matrix", "outer", "scale", "spread", "take"}
        What it computes: see `RerolledLoop`. "take" is for bytecode alone: the numbers of the
        parameters follow the record, and the factor is the index of the one that is taken.
    rows : int
        How many there are; of a matrix, how many are computed by a call where it is not for one
        sample.
    width : int
        How many registers a value takes.
    in_memory : bool
        Whether the numbers of the rows are values in memory, not parameters.
    adds : bool
        Whether sums are added to results, not kept.
    single : bool
        Whether it is for one sample.
    """

    name: str
    rows: int
    width: int
    in_memory: bool = False
    adds: bool = False
    single: bool = False

    @classmethod
    def of(cls, loop: RerolledLoop, width: int, single: bool = False) -> LoopCode:
        """Return the code of a loop."""
        adds = loop.result >= 0
        rows = min(ROWS, len(loop.factors))
        return cls(loop.name, rows, width, loop.in_memory, adds, single)

    def symbol(self) -> str:
        """Return the name of the function."""
        marks = [mark for mark in ("in_memory", "adds", "single") if getattr(self, mark)]
        return "_".join(["micrograd", self.name, str(self.rows), str(self.width), *marks])

    def type(self, lanes: int) -> str:
        """Return the type of what the function returns."""
        vector = f"<{lanes * self.width} x double>"
        if self.name != "dot":
            return "void"
        return vector if self.rows == 1 else "{ " + ", ".join([vector] * self.rows) + " }"

    def signature(self) -> str:
        """Return how the function of a matrix is declared, and that of a part of it."""
        if self.name == "matrix":
            return f"void @{self.symbol()}(ptr, i64, ptr, i64, ptr, i64, ptr, i64)"
        v = f"<{_lanes(self) * self.width} x double>"
        given = ", ".join([*[v] * self.rows, *["ptr"] * (self.rows + 1), "i64"])
        return f"{self.type(_lanes(self))} @{self.symbol()}({given})"

    def part(self) -> LoopCode:
        """Return the code of a few rows of a matrix."""
        return self._replace(name="dot")


class _Body:
    """Writes what a pass of the loop does to some numbers of each row.

    `%f` is the factor of a row, `%p` its first number, `%v` the first value, `%r` the first result.
    The functions that the text calls are added to `declared`.

    Parameters
    ----------
    loop : LoopCode
    lanes : int
    span : int
        How many numbers side by side a pass takes: several of one sample, else one.
    declared : set of str
    """

    def __init__(self, loop: LoopCode, lanes: int, span: int, declared: set[str]) -> None:
        self.loop, self.name, self.rows, self.width = loop, loop.name, loop.rows, loop.width
        self.register, self.lanes = lanes * span, lanes * span * loop.width
        self.result, self.value = f"<{self.register} x double>", f"<{self.lanes} x double>"
        # How far numbers that follow each other are apart.
        self.result_step, self.value_step = (
            f"<{lanes} x double>",
            f"<{lanes * loop.width} x double>",
        )
        self.align = 8 * lanes
        self.factor = "%f" if span == 1 else "%wide"
        self.is_plain = loop.in_memory or lanes == 1  # numbers are loaded as they are needed
        self.number_step = self.value_step if loop.in_memory else "double"
        self.declared = declared

    def fused(self, kind: str, a: str, b: str, c: str) -> str:
        text, declaration = muladd(kind, a, b, c)
        self.declared.add(declaration)
        return text

    def part(self, vector: str, i: int) -> str:
        """Return what picks one of the registers of a value."""
        return picked(vector, self.lanes, i * self.register, self.register)

    def write(self, i: str, totals: list[str]) -> str:
        """Return what is done from number `%i` of each row on; `totals` holds the sums so far."""
        v = self.value
        lines = [f"%vp{i} = getelementptr {self.value_step}, ptr %v, i64 %{i}"]
        if self.name != "scale":
            lines.append(f"%value{i} = load {v}, ptr %vp{i}, align {self.align}")
        total = f"%value{i}"
        for row in range(self.rows):
            if self.name == "outer":
                lines += self.outer(i, row)
                continue
            factor, new = f"{self.factor}{row}", f"%new{row}{i}"
            number = self.number(i, row, lines)
            if self.name == "dot":
                lines.append(f"{new} = {self.fused(v, number, f'%value{i}', totals[row])}")
            elif self.name == "scale" and row == 0:
                lines.append(f"{new} = fmul {v} {factor}, {number}")
            else:
                lines.append(f"{new} = {self.fused(v, factor, number, total)}")
            total = new
        if self.loop.adds:
            lines += self.added(i, total)
        elif self.name in ("scale", "spread"):
            lines.append(f"store {v} {total}, ptr %vp{i}, align {self.align}")
        return "\n".join(f"  {line}" for line in lines)

    def number(self, i: str, row: int, lines: list[str]) -> str:
        """Load number `%i` of a row, in all lanes if it is a parameter; return its name."""
        at = f"{row}{i}"
        lines.append(f"%np{at} = getelementptr {self.number_step}, ptr %p{row}, i64 %{i}")
        if self.is_plain:
            lines.append(f"%number{at} = load {self.value}, ptr %np{at}, align {self.align}")
            return f"%number{at}"
        lines += [
            f"%number{at} = load double, ptr %np{at}, align 8",
            splat("double", f"number{at}", self.lanes),
        ]
        return f"%number{at}v"

    def added(self, i: str, total: str) -> list[str]:
        """Return what adds a value to result `%i`, one register after the other."""
        kind = self.result
        pointer = f"%rp{i} = getelementptr {self.result_step}, ptr %r, i64 %{i}"
        if self.loop.single:
            return [pointer, f"store {kind} {total}, ptr %rp{i}, align {self.align}"]
        lines = [
            pointer,
            f"%sum0_{i} = load {kind}, ptr %rp{i}, align {self.align}",
        ]
        for k in range(self.width):
            lines += [
                f"%t{k}_{i} = {self.part(total, k)}",
                f"%sum{k + 1}_{i} = fadd {kind} %sum{k}_{i}, %t{k}_{i}",
            ]
        lines.append(f"store {kind} %sum{self.width}_{i}, ptr %rp{i}, align {self.align}")
        return lines

    def outer(self, i: str, row: int) -> list[str]:
        """Return what adds to result `%i` of a row, one register after the other."""
        at, kind = f"{row}{i}", self.result
        pointer = f"%np{at} = getelementptr {self.result_step}, ptr %p{row}, i64 %{i}"
        if self.loop.single:
            return [
                pointer,
                f"%sum{at} = fmul {kind} {self.factor}{row}, %value{i}",
                f"store {kind} %sum{at}, ptr %np{at}, align {self.align}",
            ]
        lines = [
            pointer,
            f"%sum0_{at} = load {kind}, ptr %np{at}, align {self.align}",
        ]
        for k in range(self.width):
            total = self.fused(kind, f"%f{k}_{at}", f"%v{k}_{at}", f"%sum{k}_{at}")
            lines += [
                f"%f{k}_{at} = {self.part(f'{self.factor}{row}', k)}",
                f"%v{k}_{at} = {self.part(f'%value{i}', k)}",
                f"%sum{k + 1}_{at} = {total}",
            ]
        lines.append(f"store {kind} %sum{self.width}_{at}, ptr %np{at}, align {self.align}")
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


def _lanes(loop: LoopCode) -> int:
    return 1 if loop.single else host().lanes


def _text(loop: LoopCode, declared: set[str]) -> str:
    """Return the text of a loop, and add the functions that it calls to `declared`."""
    name, rows, lanes = loop.name, loop.rows, _lanes(loop)
    span = host().lanes if loop.single and name != "dot" else 1
    body, one = (_Body(loop, lanes, size, declared) for size in (span, 1))
    v, each = one.value, range(rows)
    sums = each if name == "dot" else ()
    unrolled = 4 if rows == 1 else 2  # several rows are work enough for one pass of the loop
    if span > 1:
        unrolled = 1
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
    given = ", ".join(
        [f"{v} %f{row}" for row in each] + [f"ptr noalias {name}" for name in pointers]
    )
    zeros = f"<{span} x i32> zeroinitializer"
    wide = [
        f"  %wide{row} = shufflevector {v} %f{row}, {v} poison, {zeros}"
        for row in (each if span > 1 else ())
    ]
    lines = [
        f"define {kind} @{loop.symbol()}({given}, i64 %n) #0 {{",
        "entry:",
        *wide,
        f"  %whole = and i64 %n, -{unrolled * span}",
        "  br label %turns",
        "turns:",
        "  %i = phi i64 [ 0, %entry ], [ %i1, %turn ]",
        *first,
        "  %more = icmp slt i64 %i, %whole",
        "  br i1 %more, label %turn, label %ones",
        "turn:",
        *passes,
        f"  %i1 = add i64 %i, {unrolled * span}",
        "  br label %turns",
        "ones:",
        "  %j = phi i64 [ %whole, %turns ], [ %j1, %one ]",
        *rest,
        "  %left = icmp slt i64 %j, %n",
        "  br i1 %left, label %one, label %done",
        "one:",
        one.write("j", [f"%sum{row}" for row in each]),
        "  %j1 = add i64 %j, 1",
        "  br label %ones",
        "done:",
        *end,
        f"  ret {kind}{answer}",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _entry(loop: LoopCode) -> str:
    """Return the text of the function that bytecode calls: it reads what the loop is given."""
    lanes = _lanes(loop)
    v, kind, rows = f"<{lanes * loop.width} x double>", loop.type(lanes), range(loop.rows)
    lines = [
        f"define void @{loop.symbol()}_entry(ptr %record, ptr %in, ptr %par) #0 {{",
        load("n", "i64", "%record", "1"),
    ]

    def address(name: str, field: int, step: str = v, base: str = "%in") -> str:
        lines.append(load(f"{name}at", "i64", "%record", str(field)))
        lines.append(f"  %{name} = getelementptr {step}, ptr {base}, i64 %{name}at")
        return f"ptr %{name}"

    factors, pointers = [], []
    for row in rows:
        factor = address(f"fp{row}", RECORD + 3 * row)
        lines.append(f"  %f{row} = load {v}, {factor}, align {8 * lanes}")
        factors.append(f"{v} %f{row}")
        of_parameters = not loop.in_memory and loop.name != "outer"
        there = ("double", "%par") if of_parameters else (v, "%in")
        pointers.append(address(f"p{row}", RECORD + 3 * row + 1, *there))
    pointers.append(address("v", 2))
    if loop.adds:
        pointers.append(address("r", 3))
    call = f"call {kind} @{loop.symbol()}({', '.join([*factors, *pointers])}, i64 %n)"
    lines.append(f"  {'%sums = ' if loop.name == 'dot' else ''}{call}")
    for row in rows if loop.name == "dot" else ():
        one = "%sums"
        if loop.rows > 1:
            one = f"%sum{row}"
            lines.append(f"  {one} = extractvalue {kind} %sums, {row}")
        to = address(f"to{row}", RECORD + 3 * row + 2)
        lines.append(f"  store {v} {one}, {to}, align {8 * lanes}")
    return "\n".join([*lines, "  ret void", "}", ""])


def _field(name: str, row: str, number: int) -> str:
    """Return the text that reads a number of a row in the record."""
    return (
        f"  %{name}3 = mul i64 {row}, 3\n  %{name}4 = add i64 %{name}3, {RECORD + number}\n"
        + load(name, "i64", "%record", f"%{name}4")
    )


def _matrix(loop: LoopCode, declared: set[str]) -> str:
    """Return the text of the function for bytecode: it takes a few rows at a time."""
    part, lanes = loop.part(), _lanes(loop)
    v = f"<{lanes * loop.width} x double>"
    lines, factors, pointers, stores = [], [], [], []
    for i in range(ROWS):
        lines += [
            f"  %row{i} = add i64 %r, {i}",
            f"  %over{i} = icmp sgt i64 %row{i}, %last",
            f"  %k{i} = select i1 %over{i}, i64 %last, i64 %row{i}",  # the last one again
            _field(f"fat{i}", f"%k{i}", 0),
            load(f"f{i}", v, "%in", f"%fat{i}", 8 * lanes),
            _field(f"pat{i}", f"%k{i}", 1),
            f"  %p{i} = getelementptr double, ptr %par, i64 %pat{i}",
        ]
        factors.append(f"{v} %f{i}")
        pointers.append(f"ptr %p{i}")
        stores += [
            _field(f"to{i}", f"%k{i}", 2),
            f"  %s{i} = extractvalue {part.type(lanes)} %sums, {i}",
            f"  %top{i} = getelementptr {v}, ptr %in, i64 %to{i}",
            f"  store {v} %s{i}, ptr %top{i}, align {8 * lanes}",
        ]
    declared.add(f"declare {part.signature()}")
    given = ", ".join([*factors, *pointers, "ptr %v", "i64 %n"])
    return "\n".join([
        f"define void @{loop.symbol()}_entry(ptr %record, ptr %in, ptr %par) #0 {{",
        "entry:",
        *[load(name, "i64", "%record", str(1 + i)) for i, name in enumerate(("n", "at", "rows"))],
        f"  %v = getelementptr {v}, ptr %in, i64 %at",
        "  %last = sub i64 %rows, 1",
        "  br label %few",
        "few:",
        "  %r = phi i64 [ 0, %entry ], [ %r1, %few ]",
        *lines,
        f"  %sums = call {part.type(lanes)} @{part.symbol()}({given})",
        *stores,
        again("r", "%rows", "few", "done", str(ROWS)),
        "done:",
        "  ret void",
        "}",
        "",
    ])  # fmt: skip


def _matrix_of_one(loop: LoopCode, declared: set[str]) -> str:
    """Return the text of a matrix for one sample, and of the function for bytecode."""

    def fused(kind: str, a: str, b: str, c: str) -> str:
        text, declaration = muladd(kind, a, b, c)
        declared.add(declaration)
        return text

    return (
        matrix_ir(loop.symbol(), fused)
        + f"""
define void @{loop.symbol()}_entry(ptr %record, ptr %in, ptr %par) #0 {{
entry:
  %factors = alloca [{MOST} x double], align 8
  %sums = alloca [{MOST} x double], align 8
{load("n", "i64", "%record", "1")}
{load("at", "i64", "%record", "2")}
{load("rows", "i64", "%record", "3")}
{load("first", "i64", "%record", str(RECORD + 1))}
{load("second", "i64", "%record", str(RECORD + 4))}
  %stride = sub i64 %second, %first
  %p = getelementptr double, ptr %par, i64 %first
  %v = getelementptr double, ptr %in, i64 %at
  br label %give
give:
  %i = phi i64 [ 0, %entry ], [ %i1, %give ]
{_field("fat", "%i", 0)}
{load("f", "double", "%in", "%fat")}
  %fp1 = getelementptr double, ptr %factors, i64 %i
  store double %f, ptr %fp1, align 8
{again("i", "%rows", "give", "run")}
run:
  call void @{loop.symbol()}(ptr %p, i64 %stride, ptr %v, i64 %n, ptr %factors, i64 1, ptr %sums,
    i64 %rows)
  br label %take
take:
  %j = phi i64 [ 0, %run ], [ %j1, %take ]
{_field("to", "%j", 2)}
{load("s", "double", "%sums", "%j")}
  %top1 = getelementptr double, ptr %in, i64 %to
  store double %s, ptr %top1, align 8
{again("j", "%rows", "take", "done")}
done:
  ret void
}}
"""
    )


def _written(loop: LoopCode, declared: set[str]) -> str:
    """Return the text of a loop and of the function for bytecode."""
    if loop.name == "take":
        return _take(loop)
    if loop.name == "matrix":
        return (_matrix_of_one if loop.single else _matrix)(loop, declared)
    return _text(loop, declared) + _entry(loop)


def _take(loop: LoopCode) -> str:
    """Return the text of the function that picks one of some parameters, nan for no such index."""
    lanes = _lanes(loop)
    v = f"<{lanes} x double>"
    nans = ", ".join(["double 0x7FF8000000000000"] * lanes)
    return f"""
define void @{loop.symbol()}_entry(ptr %record, ptr %in, ptr %par) #0 {{
entry:
{load("n", "i64", "%record", "1")}
{load("at", "i64", "%record", str(RECORD))}
{load("to", "i64", "%record", str(RECORD + 2))}
  %numbers = getelementptr i64, ptr %record, i64 {RECORD + 3}
{load("index", v, "%in", "%at", 8 * lanes)}
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %taken = phi {v} [ <{nans}>, %entry ], [ %taken1, %next ]
{load("number", "i64", "%numbers", "%i")}
{load("value", "double", "%par", "%number")}
{splat("double", "value", lanes)}
  %which = sitofp i64 %i to double
{splat("double", "which", lanes)}
  %is = fcmp oeq {v} %index, %whichv
  %taken1 = select <{lanes} x i1> %is, {v} %valuev, {v} %taken
{again("i", "%n", "next", "done")}
done:
  %there = getelementptr {v}, ptr %in, i64 %to
  store {v} %taken1, ptr %there, align {8 * lanes}
  ret void
}}
"""


_lock = threading.Lock()
_there: dict[LoopCode, int] = {}  # the addresses of the functions for bytecode
_engines: list[Any] = []  # the code of the loops, kept until the process ends


def provide(loops: set[LoopCode]) -> dict[LoopCode, int]:
    """Compile those of the loops that were not compiled before.

    Returns
    -------
    dict of LoopCode to int
        The address of the function that bytecode calls, of these loops and others.
    """
    import llvmlite.binding as llvm

    with _lock:
        parts = {loop.part() for loop in loops if loop.name == "matrix" and not loop.single}
        new = sorted((loops | parts) - _there.keys())
        if new:
            declared: set[str] = set()
            text = "".join(_written(loop, declared) for loop in new)
            declared -= {f"declare {part.signature()}" for part in parts.intersection(new)}
            engine, _ = machine_code("\n".join([text, *sorted(declared), attributes()]))
            for loop in new:
                symbol = loop.symbol()
                if loop.name != "take" and not (loop.name == "matrix" and not loop.single):
                    llvm.add_symbol(symbol, engine.get_function_address(symbol))
                _there[loop] = engine.get_function_address(f"{symbol}_entry")
            _engines.append(engine)
    return _there
