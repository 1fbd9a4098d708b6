"""A tape as machine code, through LLVM: one SIMD lane per sample.

The program is straight-line code for as many samples as a vector register holds. A driver around
it gathers the samples of a batch, and adds up or stores what comes out. Where the C library has
vector functions (glibc's libmvec) they are called, else its scalar ones, lane by lane.
"""

from __future__ import annotations

import ctypes
import functools
import platform
import struct
import sys
import threading
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

from micrograd import ops
from micrograd.replay.lower import Handle, Plan, cut, lower, plan
from micrograd.replay.runs import Run
from micrograd.replay.steps import OPERATIONS, WIDTH, Steps
from micrograd.replay.tape import CONSTANT, INPUT, Tape

__all__ = ["Machine", "driver", "host", "is_available", "machine_code", "program", "splat"]

# A program is cut into functions of so many steps: the time of LLVM's scheduler and register
# allocator grows with the square of a block.
_SEGMENT = 300
_CHUNK = 1_024
# Runs of so many like steps are done by a loop. With 16 registers that is as fast as straight code,
# and there is a sixth to compile.
_RUN = 6
# With 32 registers straight code of few steps is faster, in one piece: 950 steps take 0.17 s to
# compile, in segments 0.13 s, and run a tenth slower.
_IN_ONE_PIECE = 1_200
# How much effort LLVM takes. O2 would take twice the time of O1, most of it to schedule a second
# time, for code that runs no faster.
_USUAL = 1
# Above this many steps code is generated quickly (O0), in a third of the time, and runs at two
# thirds of the speed; cuts of 100 are then best.
_LARGE = 12_000
_SEGMENT_OF_LARGE = 100
# Above this many the code is a loop that reads a table of steps, made at 3 µs a step, which take
# 3 ns each to run.
_HUGE = 60_000

_FUNCTIONS = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf",
    "erfc", "exp", "expm1", "hypot", "log", "log10", "log1p", "log2", "pow", "sin", "sinh", "tan",
    "tanh",
]  # fmt: skip
_TWO_OPERANDS = {"atan2", "hypot", "pow"}
# Vector functions that are further than 4 ulp from the truth somewhere: the scalar one is called.
_NOT_EXACT_ENOUGH: set[str] = set()


def is_available() -> bool:
    """Return whether llvmlite can be imported."""
    try:
        import llvmlite.binding  # noqa: F401
    except ImportError:
        return False
    return True


class Host:
    """The processor that code is made for.

    Attributes
    ----------
    lanes : int
        Numbers in a vector register: 8 with AVX-512, 4 with AVX2, else 2.
    registers : int
        How many vector registers there are.
    fuses : bool
        Whether it calculates a * b + c in one operation.
    vector : dict of str to str
        C function -> the symbol of its vector version for that many lanes.
    """

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        if int(getattr(llvm, "llvm_version_info", (0,))[0]) < 20:
            llvm.initialize()  # newer versions do it themselves, and warn
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        self.name = llvm.get_host_cpu_name()
        self.features = features.flatten()
        self.lanes, letter = 2, "b"
        if features.get("avx512f") and features.get("avx512dq"):
            self.lanes, letter = 8, "e"
        elif features.get("avx2") and features.get("fma"):
            self.lanes, letter = 4, "d"
        arm = platform.machine() in ("aarch64", "arm64")
        self.registers = 32 if self.lanes == 8 or arm else 16
        self.fuses = self.lanes > 2 or arm
        self.vector: dict[str, str] = {}
        if sys.platform == "linux":
            try:
                llvm.load_library_permanently("libmvec.so.1")
            except RuntimeError:
                pass  # an older C library, or another one: the scalar functions serve
            else:
                for name in _FUNCTIONS:
                    marks = "vv" if name in _TWO_OPERANDS else "v"
                    symbol = f"_ZGV{letter}N{self.lanes}{marks}_{name}"
                    if name not in _NOT_EXACT_ENOUGH and llvm.address_of_symbol(symbol):
                        self.vector[name] = symbol
        self._scalar_functions(llvm)

    def _scalar_functions(self, llvm: Any) -> None:
        missing = [name for name in _FUNCTIONS if not llvm.address_of_symbol(name)]
        if missing:
            library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
            for name in missing:
                address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
                llvm.add_symbol(name, address)

    def machine(self, level: int) -> Any:
        """Return LLVM's target machine for this processor."""
        import llvmlite.binding as llvm

        target = llvm.Target.from_default_triple()
        return target.create_target_machine(
            cpu=self.name, features=self.features, opt=level, jit=True
        )


_lock = threading.Lock()


@functools.lru_cache(maxsize=1)
def host() -> Host:
    """Return the processor we run on."""
    return Host()


def _hex(value: float) -> str:
    return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"


_COMPARISONS = {">": "ogt", ">=": "oge", "==": "oeq", "<": "olt", "!=": "une"}
_ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}


class _Text:
    """Writes the block: one function a segment."""

    def __init__(self, tape: Tape, steps: Plan, host: Host, contract: bool) -> None:
        self.tape, self.plan, self.lanes = tape, steps, host.lanes
        self.vector, self.contract = host.vector, contract
        self.type = f"<{self.lanes} x double>"
        self.align = 8 * self.lanes
        self.lines: list[str] = []
        self.count = 0
        self.declared: dict[str, str] = {}
        self.here: dict[int, Handle] = {}  # position -> handle in this function
        self.truths: dict[Handle, Handle] = {}
        self.constants: dict[str, Handle] = {}
        self.segments = 0
        self.splats: dict[int, int] = {}

    # ---- what `lower` asks for --------------------------------------------------------------

    def new(self, text: str) -> Handle:
        self.count += 1
        name = f"%v{self.count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def constant(self, value: float) -> Handle:
        key = _hex(value)
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = "<" + ", ".join([f"double {key}"] * self.lanes) + ">"
        return found

    def binary(self, kind: str, a: Handle, b: Handle) -> Handle:
        return self.new(f"{_ARITHMETIC[kind]} {self.type} {a}, {b}")

    def muladd(self, a: Handle, b: Handle, c: Handle) -> Handle:
        if not self.contract:
            return self.binary("+", self.binary("*", a, b), c)
        product = self.new(f"fmul contract {self.type} {a}, {b}")
        return self.new(f"fadd contract {self.type} {product}, {c}")

    def mulsub(self, a: Handle, b: Handle, c: Handle) -> Handle:
        product = self.new(f"fmul contract {self.type} {a}, {b}")
        return self.new(f"fsub contract {self.type} {product}, {c}")

    def submul(self, c: Handle, a: Handle, b: Handle) -> Handle:
        product = self.new(f"fmul contract {self.type} {a}, {b}")
        return self.new(f"fsub contract {self.type} {c}, {product}")

    def negative(self, a: Handle) -> Handle:
        return self.new(f"fneg {self.type} {a}")

    def compare(self, kind: str, a: Handle, b: Handle) -> Handle:
        return self.new(f"fcmp {_COMPARISONS[kind]} {self.type} {a}, {b}")

    def select(self, truth: Handle, a: Handle, b: Handle) -> Handle:
        return self.new(f"select <{self.lanes} x i1> {truth}, {self.type} {a}, {self.type} {b}")

    def truth(self, number: Handle) -> Handle:
        return self.truths.get(number) or self.compare("!=", number, self.constant(0.0))

    def number(self, truth: Handle) -> Handle:
        result = self.select(truth, self.constant(1.0), self.constant(0.0))
        self.truths[result] = truth
        return result

    def call(self, name: str, *args: Handle) -> Handle:
        if name in ("fabs", "sqrt"):
            symbol = f"llvm.{name}.v{self.lanes}f64"
            self.declared[symbol] = f"declare {self.type} @{symbol}({self.type})"
            return self.new(f"call {self.type} @{symbol}({self.type} {args[0]})")
        if name in self.vector:
            symbol = self.vector[name]
            types = ", ".join([self.type] * len(args))
            self.declared[symbol] = f"declare {self.type} @{symbol}({types}) #1"
            given = ", ".join(f"{self.type} {arg}" for arg in args)
            return self.new(f"call {self.type} @{symbol}({given})")
        types = ", ".join(["double"] * len(args))
        self.declared[name] = f"declare double @{name}({types}) #1"
        result = "poison"
        for lane in range(self.lanes):
            given = ", ".join(
                f"double {self.new(f'extractelement {self.type} {arg}, i64 {lane}')}"
                for arg in args
            )
            one = self.new(f"call double @{name}({given})")
            result = self.new(f"insertelement {self.type} {result}, double {one}, i64 {lane}")
        return result

    def splat(self, number: Handle) -> Handle:
        """Return a vector of one number."""
        one = self.new(f"insertelement {self.type} poison, double {number}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.new(f"shufflevector {self.type} {one}, {self.type} poison, {zeros}")

    # ---- memory -----------------------------------------------------------------------------

    def at(self, base: str, number: int) -> Handle:
        return self.new(f"getelementptr {self.type}, ptr %{base}, i64 {number}")

    def load(self, base: str, number: int) -> Handle:
        pointer = self.at(base, number)
        return self.new(f"load {self.type}, ptr {pointer}, align {self.align}")

    def store(self, base: str, number: int, handle: Handle) -> None:
        pointer = self.at(base, number)
        self.lines.append(f"  store {self.type} {handle}, ptr {pointer}, align {self.align}")

    def use(self, position: int) -> Handle:
        """Return the handle of a position, loaded where this function does not have it yet."""
        found = self.here.get(position)
        if found is not None and (
            position not in self.splats or len(self.lines) < self.splats[position]
        ):
            return found
        if self.tape.rows[position] is not None:
            handle = self.load("scratch", self.plan.crossing[position])
        else:
            kind, what = self.tape.operands[position]
            if kind == CONSTANT:
                return self.constant(self.tape.as_float(position))
            if kind == INPUT:
                handle = self.load("in", what)
            else:
                pointer = self.new(f"getelementptr double, ptr %par, i64 {what}")
                number = self.new(f"load double, ptr {pointer}, align 8")
                handle = self.splat(number)
                # Load it again further on: a broadcast from memory is free, a register is not.
                self.splats[position] = len(self.lines) + 60
        self.here[position] = handle
        return handle

    # ---- the program --------------------------------------------------------------------------

    def open(self) -> None:
        pointer = "noalias nocapture"
        self.lines.append(
            f"define internal void @segment{self.segments}(ptr {pointer} readonly %in, "
            f"ptr {pointer} readonly %par, ptr {pointer} %acc, ptr {pointer} %scratch) #0 {{"
        )
        self.segments += 1
        self.here, self.truths, self.splats = {}, {}, {}

    def close(self) -> None:
        self.lines += ["  ret void", "}", ""]

    def accumulate(self, position: int, handle: Handle) -> None:
        for number in self.plan.results.get(position, ()):
            before = self.load("acc", number)
            self.store("acc", number, self.binary("+", before, handle))

    def run(self, run: Run) -> Handle:
        """Call the loop of a run; return the sum, where it gives one."""
        factor, vector = self.use(run.factor), self.type
        if self.tape.rows[run.value] is None:
            values = self.at("in", self.tape.operands[run.value][1])
        else:
            values = self.at("scratch", self.plan.crossing[run.value])
        if run.name == "outer":
            numbers = self.at("acc", run.number)
        else:
            numbers = self.new(f"getelementptr double, ptr %par, i64 {run.number}")
        kind = vector if run.name == "dot" else "void"
        symbol, pointer = _SYMBOL + run.name, "ptr nocapture"
        self.declared[symbol] = (
            f"declare {kind} @{symbol}({vector}, {pointer}, {pointer}, i64) nounwind"
        )
        given = f"{vector} {factor}, ptr {numbers}, ptr {values}, i64 {run.length}"
        call = f"call {kind} @{symbol}({given})"
        if run.name == "dot":
            return self.new(call)
        self.lines.append(f"  {call}")
        return ""

    def write(self) -> str:
        tape, steps = self.tape, self.plan
        rows, operands = tape.rows, tape.operands
        uses: dict[int, int] = {}
        for position, op in enumerate(rows):
            for operand in operands[position] if op is not None else ():
                uses[operand] = uses.get(operand, 0) + 1
        self.open()
        for position in steps.results:
            if rows[position] is None:
                self.accumulate(position, self.use(position))
        for position in steps.steps:
            if steps.segment[position] >= self.segments:
                self.close()
                self.open()
            op = rows[position]
            assert op is not None
            product = steps.fused.get(position)
            run = steps.runs.get(position)
            if run is not None:
                handle = self.run(run)
                if run.name != "dot":
                    continue
            elif product is not None:
                first, second = operands[position]
                a, b = [self.use(operand) for operand in operands[product]]
                if product == second:
                    c = self.use(first)
                    handle = self.submul(c, a, b) if op is ops.sub else self.muladd(a, b, c)
                else:
                    c = self.use(second)
                    handle = self.mulsub(a, b, c) if op is ops.sub else self.muladd(a, b, c)
            elif (
                self.contract
                and op is ops.mul
                and position not in uses
                and len(steps.results[position]) == 1
            ):
                number = steps.results[position][0]
                a, b = [self.use(operand) for operand in operands[position]]
                self.store("acc", number, self.muladd(a, b, self.load("acc", number)))
                continue
            else:
                handle = lower(self, op, [self.use(operand) for operand in operands[position]])
            self.here[position] = handle
            if position in steps.crossing:
                self.store("scratch", steps.crossing[position], handle)
            self.accumulate(position, handle)
        self.close()
        return "\n".join(self.lines)


def _folded(vector: str, lanes: int) -> tuple[str, str]:
    """Return the text that adds up the lanes of a vector, half to half, and its result."""
    lines, width, name = [], lanes, vector
    while width > 1:
        half = width // 2
        for side, first in (("lo", 0), ("hi", half)):
            places = ", ".join(f"i32 {first + i}" for i in range(half))
            lines.append(
                f"  %{side}{half} = shufflevector <{width} x double> {name}, "
                f"<{width} x double> poison, <{half} x i32> <{places}>"
            )
        name, width = f"%sum{half}", half
        lines.append(f"  {name} = fadd <{half} x double> %lo{half}, %hi{half}")
    lines.append(f"  %folded = extractelement <1 x double> {name}, i64 0")
    return "\n".join(lines), "%folded"


def _transposed(vectors: list[str], lanes: int) -> tuple[list[str], str]:
    """Return the text that adds up the lanes of `lanes` vectors, and the vector of their sums.

    Half is added to half, as `_folded` does.
    """
    lines: list[str] = []
    size, t = lanes // 2, f"<{lanes} x double>"
    # Lanes that are `size` apart meet; a vector then holds the halves of two, and so on.
    level = 0
    while len(vectors) > 1:
        level += 1
        pairs = []
        half = len(vectors) // 2
        for k in range(half):
            a, b = vectors[k], vectors[k + half]
            low, high = [], []
            for i in range(lanes):
                block, place = divmod(i, size)
                source = (block // 2) * 2 * size + place
                shift = lanes if block % 2 else 0
                low.append(source + shift)
                high.append(source + size + shift)
            names = []
            for side, places in (("l", low), ("h", high)):
                name = f"%{side}{level}_{k}"
                mask = ", ".join(f"i32 {place}" for place in places)
                lines.append(f"  {name} = shufflevector {t} {a}, {t} {b}, <{lanes} x i32> <{mask}>")
                names.append(name)
            lines.append(f"  %t{level}_{k} = fadd {t} {names[0]}, {names[1]}")
            pairs.append(f"%t{level}_{k}")
        vectors, size = pairs, size // 2
    return lines, vectors[0]


def _calls(segments: int) -> str:
    """Return the block that runs the segments one after the other."""
    calls = "\n".join(
        f"  call void @segment{i}(ptr %in, ptr %par, ptr %acc, ptr %scratch)"
        for i in range(segments)
    )
    return f"""
define void @block(ptr %in, ptr %par, ptr %acc, ptr %scratch) #0 {{
{calls}
  ret void
}}
"""


def _reader(steps: Steps, text: _Text) -> str:
    """Return the block that goes through a table of steps."""
    binary = {"+", "-", "*", "/", ">", ">=", "==", "<", "!="}
    operands = {"select": 3, "muladd": 3, "mulsub": 3, "submul": 3, "negative": 1, "result": 2}
    cases, ends = [], []
    for number, name in enumerate(OPERATIONS):
        text.lines = lines = [f"case{number}:"]
        two = name in binary or name in _TWO_OPERANDS
        count = 0 if name in ("parameter", "constant") else operands.get(name, 2 if two else 1)
        given = ["d", "a"] if name == "result" else ["a", "b", "c"][:count]
        x = [text.new(f"getelementptr {text.type}, ptr %in, i64 %{place}") for place in given]
        x = [text.new(f"load {text.type}, ptr {one}, align {text.align}") for one in x]
        if name in ("parameter", "constant"):
            base = "%par" if name == "parameter" else _pointer(steps.constants)
            pointer = text.new(f"getelementptr double, ptr {base}, i64 %a")
            loaded = text.new(f"load double, ptr {pointer}, align 8")
            result = text.splat(loaded)
        elif name == "result":
            result = text.binary("+", *x)
        elif name in _ARITHMETIC:
            result = text.binary(name, *x)
        elif name in _COMPARISONS:
            result = text.number(text.compare(name, *x))
        elif name == "select":
            result = text.select(text.compare("!=", x[0], text.constant(0.0)), x[1], x[2])
        elif name == "muladd":
            result = text.muladd(*x)
        elif name == "mulsub":
            result = text.mulsub(*x)
        elif name == "submul":
            result = text.submul(x[2], x[0], x[1])
        elif name == "negative":
            result = text.negative(*x)
        else:
            result = text.call(name, *x)
        lines.append("  br label %store")
        cases += lines
        ends.append(f"[ {result}, %case{number} ]")
    table = _pointer(steps.table)
    fields = "\n".join(
        f"  %at{i} = add i64 %k, {i}\n"
        f"  %p{i} = getelementptr i32, ptr {table}, i64 %at{i}\n"
        f"  %f{i} = load i32, ptr %p{i}, align 4\n"
        f"  %{name} = zext i32 %f{i} to i64"
        for i, name in enumerate(["op", "d", "a", "b", "c"])
    )
    labels = " ".join(f"i64 {number}, label %case{number}" for number in range(len(OPERATIONS)))
    body = "\n".join(cases)
    return f"""
define void @block(ptr %in, ptr %par, ptr %acc, ptr %scratch) #0 {{
entry:
  br label %step
step:
  %k = phi i64 [ 0, %entry ], [ %k1, %store ]
{fields}
  %top = getelementptr {text.type}, ptr %in, i64 %d
  switch i64 %op, label %unknown [ {labels} ]
{body}
store:
  %r = phi {text.type} {", ".join(ends)}
  store {text.type} %r, ptr %top, align {text.align}
  %k1 = add i64 %k, {WIDTH}
  %more = icmp slt i64 %k1, {len(steps.table)}
  br i1 %more, label %step, label %done
unknown:
  unreachable
done:
  ret void
}}
"""


def _pointer(numbers: array[Any]) -> str:
    return f"inttoptr (i64 {numbers.buffer_info()[0]} to ptr)"


def splat(kind: str, name: str, lanes: int) -> str:
    """Return the text that makes `%namev`, a vector of `%name`."""
    v = f"<{lanes} x {kind}>"
    return (
        f"  %{name}1 = insertelement {v} poison, {kind} %{name}, i64 0\n"
        f"  %{name}v = shufflevector {v} %{name}1, {v} poison, <{lanes} x i32> zeroinitializer"
    )


_SYMBOL = "micrograd_"
_LOOPS = ("dot", "outer", "scale", "spread")


def _loops(lanes: int) -> str:
    """Return the loops of runs: see `Run`; `%f` is the factor, `%p` and `%v` the first of each."""
    v, a = f"<{lanes} x double>", 8 * lanes
    fma = f"call {v} @llvm.fma.v{lanes}f64({v}"

    def body(name: str, i: str, total: str) -> str:
        """Return the work on number `%i`; the sum so far is `total`, and then `%new` and i."""
        values = f"  %vp{i} = getelementptr {v}, ptr %v, i64 %{i}\n"
        if name != "scale":
            values += f"  %value{i} = load {v}, ptr %vp{i}, align {a}\n"
        if name == "outer":
            return f"""{values}  %rp{i} = getelementptr {v}, ptr %p, i64 %{i}
  %result{i} = load {v}, ptr %rp{i}, align {a}
  %new{i} = {fma} %f, {v} %value{i}, {v} %result{i})
  store {v} %new{i}, ptr %rp{i}, align {a}
"""
        number = f"""  %np{i} = getelementptr double, ptr %p, i64 %{i}
  %number{i} = load double, ptr %np{i}, align 8
{splat("double", f"number{i}", lanes)}
"""
        if name == "dot":
            return f"{number}{values}  %new{i} = {fma} %number{i}v, {v} %value{i}, {v} {total})\n"
        store = f"  store {v} %new{i}, ptr %vp{i}, align {a}\n"
        if name == "scale":
            return f"{number}{values}  %new{i} = fmul {v} %f, %number{i}v\n{store}"
        return f"{number}{values}  %new{i} = {fma} %f, {v} %number{i}v, {v} %value{i})\n{store}"

    text = f"declare {v} @llvm.fma.v{lanes}f64({v}, {v}, {v})\n"
    for name in _LOOPS:
        sums = name == "dot"
        four, total = "", "%total"
        for k in range(4):
            four += f"  %k{k} = add i64 %i, {k}\n" + body(name, f"k{k}", total)
            total = f"%newk{k}"
        first = f"  %total = phi {v} [ %f, %entry ], [ %newk3, %four ]\n" if sums else ""
        rest = f"  %sum = phi {v} [ %total, %fours ], [ %newj, %one ]\n" if sums else ""
        text += f"""
define {v if sums else "void"} @{_SYMBOL}{name}({v} %f, ptr noalias %p, ptr noalias %v, i64 %n)
    #0 {{
entry:
  %whole = and i64 %n, -4
  br label %fours
fours:
  %i = phi i64 [ 0, %entry ], [ %i4, %four ]
{first}  %more = icmp slt i64 %i, %whole
  br i1 %more, label %four, label %ones
four:
{four}  %i4 = add i64 %i, 4
  br label %fours
ones:
  %j = phi i64 [ %whole, %fours ], [ %j1, %one ]
{rest}  %left = icmp slt i64 %j, %n
  br i1 %left, label %one, label %done
one:
{body(name, "j", "%sum")}  %j1 = add i64 %j, 1
  br label %ones
done:
  ret {f"{v} %sum" if sums else "void"}
}}
"""
    return text


# What the driver is told of a program: an array of whole numbers, these and then the size of each
# argument.
_WORDS = ("block", "inputs", "results", "columns")


def _driver(lanes: int) -> str:
    """Return the functions that Python calls: `one`, `each` and `total`, and their parts.

    They serve every program. Memory of a call, in vectors: the inputs, the results, the scratch
    slots.
    """
    v, a = f"<{lanes} x double>", 8 * lanes
    parts = [
        f"""
define internal void @clear(ptr %acc, i64 %results) #0 {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %p = getelementptr {v}, ptr %acc, i64 %i
  store {v} zeroinitializer, ptr %p, align {a}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %results
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""
    ]
    # gather: samples first .. first + lanes - 1, not beyond last, to columns of the block.
    body = [
        "define internal void @gather(ptr %d, ptr %args, i64 %first, i64 %last, ptr %in) #0 {",
        "entry:",
        f"  %columnsp = getelementptr i64, ptr %d, i64 {_WORDS.index('columns')}",
        "  %columns = load i64, ptr %columnsp, align 8",
        f"  %sizes = getelementptr i64, ptr %d, i64 {len(_WORDS)}",
    ]
    for lane in range(lanes):
        body += [
            f"  %s{lane} = add i64 %first, {lane}",
            f"  %c{lane} = icmp sgt i64 %s{lane}, %last",
            f"  %i{lane} = select i1 %c{lane}, i64 %last, i64 %s{lane}",
        ]
    body += [
        "  br label %column",
        "column:",
        "  %n = phi i64 [ 0, %entry ], [ %n1, %copied ]",
        "  %to0 = phi ptr [ %in, %entry ], [ %to, %copied ]",
        "  %left = icmp slt i64 %n, %columns",
        "  br i1 %left, label %start, label %done",
        "start:",
        "  %ap = getelementptr ptr, ptr %args, i64 %n",
        "  %base = load ptr, ptr %ap, align 8",
        "  %sizep = getelementptr i64, ptr %sizes, i64 %n",
        "  %size = load i64, ptr %sizep, align 8",
        "  %n1 = add i64 %n, 1",
    ]
    for lane in range(lanes):
        body += [
            f"  %m{lane} = mul i64 %i{lane}, %size",
            f"  %r{lane} = getelementptr double, ptr %base, i64 %m{lane}",
        ]
    body += [
        "  br label %copied",
        "copied:",
        "  %e = phi i64 [ 0, %start ], [ %e1, %number ]",
        "  %to = phi ptr [ %to0, %start ], [ %to1, %number ]",
        "  %more = icmp slt i64 %e, %size",
        "  br i1 %more, label %number, label %column",
        "number:",
    ]
    row = "poison"
    for lane in range(lanes):
        body += [
            f"  %q{lane} = getelementptr double, ptr %r{lane}, i64 %e",
            f"  %x{lane} = load double, ptr %q{lane}, align 8",
            f"  %y{lane} = insertelement {v} {row}, double %x{lane}, i64 {lane}",
        ]
        row = f"%y{lane}"
    body += [
        f"  store {v} {row}, ptr %to, align {a}",
        f"  %to1 = getelementptr {v}, ptr %to, i64 1",
        "  %e1 = add i64 %e, 1",
        "  br label %copied",
        "done:",
    ]
    parts.append("\n".join([*body, "  ret void", "}", ""]))
    words = "\n".join(
        f"  %{name}p = getelementptr i64, ptr %d, i64 {i}\n"
        f"  %{name} = load i64, ptr %{name}p, align 8"
        for i, name in enumerate(_WORDS[:3])
    )
    areas = f"""{words}
  %code = inttoptr i64 %block to ptr
  %acc = getelementptr {v}, ptr %in, i64 %inputs
  %scratch = getelementptr {v}, ptr %acc, i64 %results"""
    # one: all lanes hold the same sample; the first is the answer.
    parts.append(f"""
define void @one(ptr %d, ptr %flat, ptr %par, ptr %out, ptr %in) #0 {{
entry:
{areas}
  call void @clear(ptr %acc, i64 %results)
  %any = icmp sgt i64 %inputs, 0
  br i1 %any, label %spread, label %run
spread:
  %i = phi i64 [ 0, %entry ], [ %i1, %spread ]
  %p = getelementptr double, ptr %flat, i64 %i
  %x = load double, ptr %p, align 8
  %y = insertelement {v} poison, double %x, i64 0
  %z = shufflevector {v} %y, {v} poison, <{lanes} x i32> zeroinitializer
  %to = getelementptr {v}, ptr %in, i64 %i
  store {v} %z, ptr %to, align {a}
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %inputs
  br i1 %more, label %spread, label %run
run:
  call void %code(ptr %in, ptr %par, ptr %acc, ptr %scratch)
  br label %copy
copy:
  %j = phi i64 [ 0, %run ], [ %j1, %copy ]
  %from = getelementptr {v}, ptr %acc, i64 %j
  %r = load double, ptr %from, align 8
  %q = getelementptr double, ptr %out, i64 %j
  store double %r, ptr %q, align 8
  %j1 = add i64 %j, 1
  %again = icmp slt i64 %j1, %results
  br i1 %again, label %copy, label %done
done:
  ret void
}}
""")
    # each: samples first .. stop - 1, the results of each in a row of its own.
    parts.append(f"""
define void @each(ptr %d, ptr %args, ptr %par, i64 %first, i64 %stop, ptr %out, ptr %in) #0 {{
entry:
{areas}
  %last = sub i64 %stop, 1
  br label %blocks
blocks:
  %i = phi i64 [ %first, %entry ], [ %i1, %stored ]
  call void @gather(ptr %d, ptr %args, i64 %i, i64 %last, ptr %in)
  call void @clear(ptr %acc, i64 %results)
  call void %code(ptr %in, ptr %par, ptr %acc, ptr %scratch)
  %left = sub i64 %stop, %i
  %full = icmp sgt i64 %left, {lanes}
  %valid = select i1 %full, i64 {lanes}, i64 %left
  br label %lane
lane:
  %l = phi i64 [ 0, %blocks ], [ %l1, %lanedone ]
  %sample = add i64 %i, %l
  %start = mul i64 %sample, %results
  %row = getelementptr double, ptr %out, i64 %start
  br label %result
result:
  %j = phi i64 [ 0, %lane ], [ %j1, %result ]
  %jl = mul i64 %j, {lanes}
  %jk = add i64 %jl, %l
  %from = getelementptr double, ptr %acc, i64 %jk
  %x = load double, ptr %from, align 8
  %to = getelementptr double, ptr %row, i64 %j
  store double %x, ptr %to, align 8
  %j1 = add i64 %j, 1
  %morej = icmp slt i64 %j1, %results
  br i1 %morej, label %result, label %lanedone
lanedone:
  %l1 = add i64 %l, 1
  %morel = icmp slt i64 %l1, %valid
  br i1 %morel, label %lane, label %stored
stored:
  %i1 = add i64 %i, {lanes}
  %more = icmp slt i64 %i1, %stop
  br i1 %more, label %blocks, label %done
done:
  ret void
}}
""")
    # total: chunks c0 .. c1 - 1 of the batch, the sums of each in a row of its own. Within a chunk
    # the incomplete block comes first: its idle lanes are then set to 0 once.
    total, last = _folded("%x", lanes)
    loads = []
    for k in range(lanes):
        loads += [
            f"  %jb{k} = add i64 %b, {k}",
            f"  %pb{k} = getelementptr {v}, ptr %acc, i64 %jb{k}",
            f"  %xb{k} = load {v}, ptr %pb{k}, align {a}",
        ]
    lines, together = _transposed([f"%xb{k}" for k in range(lanes)], lanes)
    several = "\n".join([*loads, *lines])
    zeros, _ = _folded("%badv", lanes)
    zeros = zeros.replace("%lo", "%zlo").replace("%hi", "%zhi").replace("%sum", "%zsum")
    zeros = zeros.replace("%folded", "%zfolded")
    ramp = ", ".join(f"i64 {lane}" for lane in range(lanes))
    parts.append(f"""
define double @total(ptr %d, ptr %args, ptr %par, i64 %n, i64 %chunk,
    i64 %c0, i64 %c1, ptr %sums, ptr %in) #0 {{
entry:
{areas}
  %whole1 = and i64 %results, -{lanes}
  br label %chunks
chunks:
  %c = phi i64 [ %c0, %entry ], [ %cn, %summed ]
  %bad = phi double [ 0.0, %entry ], [ %bad1, %summed ]
  %first = mul i64 %c, %chunk
  %end = add i64 %first, %chunk
  %over = icmp sgt i64 %end, %n
  %stop = select i1 %over, i64 %n, i64 %end
  %last = sub i64 %stop, 1
  %size = sub i64 %stop, %first
  %tail = srem i64 %size, {lanes}
  call void @clear(ptr %acc, i64 %results)
  %some = icmp sgt i64 %tail, 0
  br i1 %some, label %part, label %full
part:
  %tailfirst = sub i64 %stop, %tail
  call void @gather(ptr %d, ptr %args, i64 %tailfirst, i64 %last, ptr %in)
  call void %code(ptr %in, ptr %par, ptr %acc, ptr %scratch)
  %tail1 = insertelement <{lanes} x i64> poison, i64 %tail, i64 0
  %tails = shufflevector <{lanes} x i64> %tail1, <{lanes} x i64> poison,
    <{lanes} x i32> zeroinitializer
  %mask = icmp slt <{lanes} x i64> <{ramp}>, %tails
  br label %idle
idle:
  %k = phi i64 [ 0, %part ], [ %k1, %idle ]
  %kp = getelementptr {v}, ptr %acc, i64 %k
  %kx = load {v}, ptr %kp, align {a}
  %ky = select <{lanes} x i1> %mask, {v} %kx, {v} zeroinitializer
  store {v} %ky, ptr %kp, align {a}
  %k1 = add i64 %k, 1
  %morek = icmp slt i64 %k1, %results
  br i1 %morek, label %idle, label %full
full:
  %whole = sub i64 %stop, %tail
  %anyfull = icmp slt i64 %first, %whole
  br i1 %anyfull, label %blocks, label %reduce
blocks:
  %i = phi i64 [ %first, %full ], [ %i1, %blocks ]
  call void @gather(ptr %d, ptr %args, i64 %i, i64 %last, ptr %in)
  call void %code(ptr %in, ptr %par, ptr %acc, ptr %scratch)
  %i1 = add i64 %i, {lanes}
  %more = icmp slt i64 %i1, %whole
  br i1 %more, label %blocks, label %reduce
reduce:
  %rowstart = mul i64 %c, %results
  %row = getelementptr double, ptr %sums, i64 %rowstart
  br label %together
together:
  %b = phi i64 [ 0, %reduce ], [ %b1, %several ]
  %badv = phi {v} [ zeroinitializer, %reduce ], [ %badv1, %several ]
  %moreb = icmp slt i64 %b, %whole1
  br i1 %moreb, label %several, label %single
several:
{several}
  %tob = getelementptr double, ptr %row, i64 %b
  store {v} {together}, ptr %tob, align 8
  %zerob = fmul {v} {together}, zeroinitializer
  %badv1 = fadd {v} %badv, %zerob
  %b1 = add i64 %b, {lanes}
  br label %together
single:
{zeros}
  %badz = fadd double %bad, %zfolded
  br label %sums1
sums1:
  %j = phi i64 [ %whole1, %single ], [ %j1, %sum ]
  %bad1 = phi double [ %badz, %single ], [ %bad2, %sum ]
  %morej = icmp slt i64 %j, %results
  br i1 %morej, label %sum, label %summed
sum:
  %from = getelementptr {v}, ptr %acc, i64 %j
  %x = load {v}, ptr %from, align {a}
{total}
  %to = getelementptr double, ptr %row, i64 %j
  store double {last}, ptr %to, align 8
  %zero = fmul double {last}, 0.0
  %bad2 = fadd double %bad1, %zero
  %j1 = add i64 %j, 1
  br label %sums1
summed:
  %cn = add i64 %c, 1
  %morec = icmp slt i64 %cn, %c1
  br i1 %morec, label %chunks, label %done
done:
  ret double %bad1
}}
""")
    # Several threads, each in one call: whoever is free takes the next part.
    parts.append("""
define double @total_shared(ptr %d, ptr %args, ptr %par, i64 %n, i64 %chunk, i64 %chunks, ptr %sums,
    ptr %next, ptr %in) #0 {
entry:
  br label %take
take:
  %bad = phi double [ 0.0, %entry ], [ %bad2, %run ]
  %c = atomicrmw add ptr %next, i64 1 seq_cst
  %more = icmp slt i64 %c, %chunks
  br i1 %more, label %run, label %done
run:
  %c1 = add i64 %c, 1
  %bad1 = call double @total(ptr %d, ptr %args, ptr %par, i64 %n, i64 %chunk, i64 %c, i64 %c1,
    ptr %sums, ptr %in)
  %bad2 = fadd double %bad, %bad1
  br label %take
done:
  ret double %bad
}

define void @each_shared(ptr %d, ptr %args, ptr %par, i64 %n, i64 %part, ptr %out, ptr %next,
    ptr %in) #0 {
entry:
  br label %take
take:
  %first = atomicrmw add ptr %next, i64 %part seq_cst
  %more = icmp slt i64 %first, %n
  br i1 %more, label %run, label %done
run:
  %end = add i64 %first, %part
  %over = icmp sgt i64 %end, %n
  %stop = select i1 %over, i64 %n, i64 %end
  call void @each(ptr %d, ptr %args, ptr %par, i64 %first, i64 %stop, ptr %out, ptr %in)
  br label %take
done:
  ret void
}
""")
    return "".join(parts)


class Program(NamedTuple):
    """What LLVM is given.

    Attributes
    ----------
    ir : str
    memory : int
        How many vectors of working memory it needs.
    level : int
        How much effort LLVM takes with it.
    is_fastest : bool
        Whether the code is as fast as can be.
    steps : Steps or None
        The table that it reads, to be kept as long as the code.
    """

    ir: str
    memory: int
    level: int
    is_fastest: bool
    steps: Steps | None


def _attributes() -> str:
    bits = 64 * host().lanes
    return (
        f'attributes #0 = {{ nounwind noinline "prefer-vector-width"="{bits}" '
        f'"min-legal-vector-width"="{bits}" "no-trapping-math"="true" }}\n'
        "attributes #1 = { nounwind willreturn memory(none) }\n"
    )


def program(tape: Tape, inputs: int, contract: bool = True, quick: bool = False) -> Program:
    """Return the LLVM IR of a tape.

    Parameters
    ----------
    tape : Tape
    inputs : int
        How many numbers a sample has.
    contract : bool, default True
        Let a product and a sum become one fused operation, rounded once.
    quick : bool, default False
        Be done in a sixth of the time, where there is code that runs faster: with the same bits.
    """
    best = tape.instructions() > _IN_ONE_PIECE or host().registers < 32
    straight = not (best or quick)
    runs = contract and host().fuses and not straight
    order = plan(tape, contract, _RUN if runs else 0)
    size = len(order.steps) + sum(step in order.fused for step in order.steps)
    if size > _HUGE:
        if order.runs:
            order = plan(tape, contract)
        steps = Steps(tape, order, inputs, len(tape.results()))
        text = _Text(tape, order, host(), contract)
        body, memory, level = _reader(steps, text), steps.places, _USUAL
    else:
        steps, level = None, 0 if size > _LARGE else _USUAL
        piece = _IN_ONE_PIECE if straight else _SEGMENT
        cut(tape, order, piece if level else min(_SEGMENT, _SEGMENT_OF_LARGE))
        text = _Text(tape, order, host(), contract)
        body = text.write() + _calls(text.segments)
        memory = inputs + len(tape.results()) + order.slots
    declared = "\n".join(text.declared.values())
    return Program(f"{declared}\n{body}\n{_attributes()}", memory, level, best or straight, steps)


def machine_code(
    ir: str, level: int = _USUAL, measure: Callable[[Any, bytes], None] | None = None
) -> Any:
    """Return LLVM's engine that holds the code of a module; `measure` is given the object file."""
    import llvmlite.binding as llvm

    with _lock:
        module = llvm.parse_assembly(ir)
        machine = host().machine(level)
        module.triple = machine.triple
        engine = llvm.create_mcjit_compiler(module, machine)
        if measure is not None:
            engine.set_object_cache(measure)
        engine.finalize_object()
    return engine


class Driver:
    """The functions that run a program, as machine code in memory.

    Each takes the address of what is said of the program first, `Machine.description`.

    Attributes
    ----------
    one_address, total_address : int
        Where the code for one sample and for the sum of a batch is.
    """

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        lanes = host().lanes
        self._engine = machine_code(_driver(lanes) + _loops(lanes) + _attributes())
        for name in _LOOPS:
            symbol = _SYMBOL + name
            llvm.add_symbol(symbol, self._engine.get_function_address(symbol))
        pointer, long, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
        address = self._engine.get_function_address
        self.one_address: int = address("one")
        self.total_address: int = address("total")
        self.one = ctypes.CFUNCTYPE(None, *[pointer] * 5)(self.one_address)
        self.each = ctypes.CFUNCTYPE(None, *[pointer] * 3, long, long, pointer, pointer)(
            address("each")
        )
        self.total = ctypes.CFUNCTYPE(number, *[pointer] * 3, *[long] * 4, pointer, pointer)(
            self.total_address
        )
        self.total_shared = ctypes.CFUNCTYPE(number, *[pointer] * 3, *[long] * 3, *[pointer] * 3)(
            address("total_shared")
        )
        self.each_shared = ctypes.CFUNCTYPE(None, *[pointer] * 3, long, long, *[pointer] * 3)(
            address("each_shared")
        )


@functools.lru_cache(maxsize=1)
def driver() -> Driver:
    """Return the driver of all programs, made once."""
    return Driver()


class Machine:
    """A program as machine code in memory.

    Parameters
    ----------
    tape : Tape
    sizes : list of int
        How many numbers each argument has.
    contract, quick : bool
        As of `program`.

    Attributes
    ----------
    bytes : int
        Size of the machine code, or of the table that it reads.
    instructions : int
        Of the tape.
    memory : int
        Doubles of working memory, for each call that runs at a time; aligned to 128 bytes.
    is_fastest : bool
        As of `Program`.
    description : int
        The address of what the driver is told.
    """

    def __init__(
        self, tape: Tape, sizes: list[int], contract: bool = True, quick: bool = False
    ) -> None:
        driver()  # its loops are called by name
        made = program(tape, sum(sizes), contract, quick)
        self.is_fastest = made.is_fastest
        self._steps = made.steps
        self.results = len(tape.results())
        self.lanes = host().lanes
        self.memory = made.memory * self.lanes
        self.instructions = tape.instructions()
        code: list[int] = []  # not a method of this object, which the engine would keep alive
        self._engine = machine_code(made.ir, made.level, lambda _, file: code.append(len(file)))
        self.bytes = sum(code)
        if made.steps is not None:
            self.bytes += len(made.steps.table) * made.steps.table.itemsize
        block = self._engine.get_function_address("block")
        self._words = array("q", [block, sum(sizes), self.results, len(sizes), *sizes])
        self.description: int = self._words.buffer_info()[0]
        self._local = threading.local()

    def chunks(self, n: int) -> tuple[int, int]:
        """Return how many samples a chunk of a batch of `n` has, and how many chunks there are.

        The results of a chunk are added up one after the other, and then the chunks in order, so
        that sums do not depend on the number of threads.
        """
        size = max(_CHUNK, -(-n // 256))
        size += -size % self.lanes
        return size, -(-n // size)

    def work(self) -> int:
        """Return the address of working memory of this thread, aligned for vectors."""
        found = getattr(self._local, "address", None)
        if found is None:
            self._local.memory = (ctypes.c_double * (self.memory + 16))()
            start = ctypes.addressof(self._local.memory)
            found = self._local.address = (start + 127) // 128 * 128
        return int(found)
