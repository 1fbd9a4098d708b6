"""A tape as machine code, through LLVM: one SIMD lane per sample.

The program is straight-line code for as many samples as a vector register holds, with calls of
loops where like steps follow each other. Where only sums over the samples are wanted it computes
two registers of them at a time: they share what the loops load, and the sums are stored half as
often. Functions are those of the C library: the vector versions where it has them (glibc's
libmvec), else the scalar ones, lane by lane. Of a large program there is code for one sample too,
which calls a vector function for several numbers of that sample.
"""

from __future__ import annotations

import ctypes
import functools
import struct
import threading
from array import array
from typing import Any, NamedTuple

from micrograd.replay.llvm.bytecode import Bytecode
from micrograd.replay.llvm.driver import driver
from micrograd.replay.llvm.interpreter import interpreter_ir
from micrograd.replay.llvm.loop_calls import called, together
from micrograd.replay.llvm.loop_code import LoopCode, provide
from micrograd.replay.llvm.plan import FUSED, PRODUCTS, Plan, cut, planned
from micrograd.replay.llvm.processor import (
    USUAL,
    attributes,
    has_loops,
    host,
    is_available,
    machine_code,
    muladd,
    picked,
)
from micrograd.replay.llvm.rows import Handle, lower
from micrograd.replay.trace.tape import CONSTANT, INPUT, Tape
from micrograd.replay.trace.whole import ELEMENT, WHOLE

__all__ = ["CHUNK", "Machine", "Source", "host", "is_available", "machine_code"]

CHUNK = 1_024
"""The least number of samples in a chunk. The results of a chunk are added up one after the other,
and then those of the chunks."""
# A program is cut into functions of this many steps: the time of LLVM's scheduler and register
# allocator grows with the square of a block.
_SEGMENT = 300
# This many like steps in a row become a loop: it is faster than straight code, and a sixth is left
# to compile.
_REROLLED = 6
# In a large program, which is interpreted for longer, fewer do.
_REROLLED_IN_LARGE = 4
# Above this many steps LLVM does not optimise (O0): it takes a third of the time, and the code runs
# at two thirds of the speed. Segments of 100 steps are best then.
_LARGE = 12_000
_SEGMENT_OF_LARGE = 100
# Above this many steps the program is bytecode for an interpreter: a step takes 3 µs to make and
# 3 ns to run.
_HUGE = 60_000
# Above this many instructions bytecode calls loops, which have to be compiled before, and there is
# code for single samples.
_LOOPED = 5_000


def _hex(value: float) -> str:
    return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"


_COMPARISONS = {">": "ogt", ">=": "oge", "==": "oeq", "<": "olt", "!=": "une"}
_ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}


class _Text:
    """Writes the block: one function a segment."""

    def __init__(
        self,
        tape: Tape,
        steps: Plan,
        contract: bool,
        width: int = 1,
        single: bool = False,
    ) -> None:
        self.tape, self.plan, self.single = tape, steps, single
        self.vector, self.contract, self.width = host().vector, contract, width
        self.whole = host().lanes  # numbers that a vector function takes
        # Numbers in a register; a result is one, a value `width`.
        self.register = 1 if single else self.whole
        self.lanes = self.register * width
        self.type, self.result = f"<{self.lanes} x double>", f"<{self.register} x double>"
        self.align = 8 * self.register
        self.lines: list[str] = []
        self.count = 0
        self.declared: dict[str, str] = {}
        self.here: dict[int, Handle] = {}  # position -> handle in this function
        self.truths: dict[Handle, Handle] = {}
        self.constants: dict[str, Handle] = {}
        self.segments = 0
        self.loops: set[LoopCode] = set()
        self.splats: dict[int, int] = {}
        # Of one sample, a function called for several numbers is called once, when the first of its
        # results is needed: handle -> the number, and where in memory the result goes.
        self.waiting: dict[Handle, tuple[Handle, list[int]]] = {}
        self.awaited = ""  # the name of the function

    # ---- what `lower` asks for --------------------------------------------------------------

    def name(self) -> Handle:
        self.count += 1
        return f"%v{self.count}"

    def line(self, text: str) -> None:
        """Write a line, after the call of what it needs."""
        if self.waiting and any(handle in text for handle in self.waiting):
            self.call_together()
        self.lines.append(text)

    def new(self, text: str) -> Handle:
        name = self.name()
        self.line(f"  {name} = {text}")
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
        return self.fused(self.type, a, b, c)

    def mulsub(self, a: Handle, b: Handle, c: Handle) -> Handle:
        return self.fused(self.type, a, b, self.negative(c))

    def submul(self, a: Handle, b: Handle, c: Handle) -> Handle:
        return self.fused(self.type, self.negative(a), b, c)

    def fused(self, kind: str, a: Handle, b: Handle, c: Handle) -> Handle:
        text, declaration = muladd(kind, a, b, c)
        self.declared[declaration] = declaration
        return self.new(text)

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
            symbol, kind = self.vector[name], f"<{self.whole} x double>"
            self.declared[symbol] = f"declare {kind} @{symbol}({', '.join([kind] * len(args))}) #1"
            results = []
            if self.register < self.whole:  # of one sample: scalar functions have other bits
                if len(args) == 1:
                    return self.later(name, args[0])
                args = tuple(map(self.spread, args))
            for parts in zip(*map(self.registers, args), strict=True):
                given = ", ".join(f"{kind} {part}" for part in parts)
                results.append(self.new(f"call {kind} @{symbol}({given})"))
            if self.register < self.whole:
                return self.new(picked(results[0], self.whole, 0, 1))
            return results[0] if self.width == 1 else self.joined(*results)
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

    def later(self, name: str, number: Handle) -> Handle:
        """Return a function of one sample's number, which is called together with others."""
        if name != self.awaited or number in self.waiting or len(self.waiting) == self.whole:
            self.call_together()
        handle, self.awaited = self.name(), name
        self.waiting[handle] = (number, [])
        return handle

    def call_together(self) -> None:
        """Write the call of the function whose results are awaited."""
        waiting, self.waiting = self.waiting, {}
        if waiting:
            together(self, self.vector[self.awaited], waiting)

    def splat(self, number: Handle) -> Handle:
        """Return a vector of one number."""
        one = self.new(f"insertelement {self.type} poison, double {number}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.new(f"shufflevector {self.type} {one}, {self.type} poison, {zeros}")

    def spread(self, one: Handle) -> Handle:
        """Return a vector for a function, of the number of one sample."""
        zeros = f"<{self.whole} x i32> zeroinitializer"
        return self.new(f"shufflevector {self.type} {one}, {self.type} poison, {zeros}")

    def registers(self, handle: Handle) -> list[Handle]:
        """Return the registers that a value is in."""
        if self.width == 1:
            return [handle]
        return [
            self.new(picked(handle, self.lanes, first, self.register))
            for first in range(0, self.lanes, self.register)
        ]

    def joined(self, low: Handle, high: Handle) -> Handle:
        """Return the value that is in two registers."""
        places = ", ".join(f"i32 {place}" for place in range(self.lanes))
        return self.new(
            f"shufflevector {self.result} {low}, {self.result} {high}, "
            f"<{self.lanes} x i32> <{places}>"
        )

    # ---- memory -----------------------------------------------------------------------------

    def at(self, base: str, number: int) -> Handle:
        kind = self.result if base == "acc" else self.type
        return self.new(f"getelementptr {kind}, ptr %{base}, i64 {number}")

    def load(self, base: str, number: int) -> Handle:
        pointer = self.at(base, number)
        kind = self.result if base == "acc" else self.type
        return self.new(f"load {kind}, ptr {pointer}, align {self.align}")

    def store(self, base: str, number: int, handle: Handle) -> None:
        pointer = self.at(base, number)
        kind = self.result if base == "acc" else self.type
        self.line(f"  store {kind} {handle}, ptr {pointer}, align {self.align}")

    def use(self, position: int) -> Handle:
        """Return the handle of a position; load it if this function does not have it yet."""
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
        self.call_together()
        self.lines += ["  ret void", "}", ""]

    def accumulate(self, position: int, handle: Handle) -> None:
        for number in self.plan.results.get(position, ()):
            if self.single:
                self.store("acc", number, handle)
                continue
            total = self.load("acc", number)
            for part in self.registers(handle):
                total = self.new(f"fadd {self.result} {total}, {part}")
            self.store("acc", number, total)

    def keep(self, position: int, handle: Handle) -> None:
        """Keep what was computed for this function, for later ones, and in the results."""
        self.here[position] = handle
        if position in self.plan.crossing and handle in self.waiting:
            self.waiting[handle][1].append(self.plan.crossing[position])
        elif position in self.plan.crossing:
            self.store("scratch", self.plan.crossing[position], handle)
        self.accumulate(position, handle)

    def address(self, position: int) -> Handle:
        """Return the address of a number that has one."""
        if self.tape.rows[position] is not None:
            return self.at("scratch", self.plan.crossing[position])
        kind, what = self.tape.operands[position]
        if kind == INPUT:
            return self.at("in", what)
        return self.new(f"getelementptr double, ptr %par, i64 {what}")

    def write(self) -> str:
        tape, steps = self.tape, self.plan
        rows, operands = tape.rows, tape.operands
        uses = tape.uses()
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
            if op is ELEMENT:  # a result, which a loop has put in its place
                self.accumulate(position, self.use(position))
                continue
            product = steps.fused.get(position)
            loop = steps.loops.get(position)
            if loop is not None:
                for part in [loop] if self.single else loop.parts():
                    found = called(self, part)
                    for result, handle in zip(part.steps, found):  # noqa: B905 (or none)
                        self.keep(result, handle)
                continue
            if product is not None:
                first, second = operands[position]
                a, b = [self.use(operand) for operand in operands[product]]
                c = self.use(first if product == second else second)
                handle = getattr(self, FUSED[op][product == second])(a, b, c)
            elif (
                self.contract
                and op in PRODUCTS
                and not uses[position]
                and len(steps.results[position]) == 1
            ):
                number = steps.results[position][0]
                if self.single:
                    self.store("acc", number, self.binary("*", *map(self.use, operands[position])))
                    continue
                total = self.load("acc", number)
                factors = [self.registers(self.use(operand)) for operand in operands[position]]
                for a, b in zip(*factors, strict=True):
                    total = self.fused(self.result, a, b, total)
                self.store("acc", number, total)
                continue
            else:
                handle = lower(self, op, [self.use(operand) for operand in operands[position]])
            self.keep(position, handle)
        self.close()
        return "\n".join(self.lines)


def _calls(segments: int) -> str:
    """Return the block that runs the segments one after the other."""
    calls = "\n".join(
        f"  call void @segment{i}(ptr %in, ptr %par, ptr %acc, ptr %scratch)"
        for i in range(segments)
    )
    return f"""
define void @block(ptr %in, ptr %par, ptr %acc, ptr %scratch, ptr %d) #0 {{
{calls}
  ret void
}}
"""


class Program(NamedTuple):
    """What LLVM is given.

    Attributes
    ----------
    ir : str
    slots : int
        How many values it keeps in memory.
    level : int
        LLVM's level of optimisation.
    width : int
        How many registers of samples it computes at a time. With more than one, what it adds to
        a result is the sum over them.
    loops : set of LoopCode
        The loops that it calls.
    """

    ir: str
    slots: int
    level: int
    width: int
    loops: set[LoopCode]


class Source:
    """A tape, and what is known of it for all machine code and bytecode made of it.

    Parameters
    ----------
    tape : Tape
    inputs : int
        How many numbers a sample has.
    contract : bool, default True
        Let a product and a sum become one fused operation, rounded once.
    """

    def __init__(self, tape: Tape, inputs: int, contract: bool = True) -> None:
        self.tape, self.inputs, self.contract = tape, inputs, contract
        self.results, self.instructions = len(tape.results()), tape.instructions()
        # Rows of many numbers are planned once for all code: single products may join other sums.
        self._loops = self.instructions > _LOOPED or not WHOLE.isdisjoint(tape.rows)

    @functools.cached_property
    def planned(self) -> tuple[Tape, Plan]:
        """The tape and its plan, with loops."""
        least = _REROLLED_IN_LARGE if self._loops else _REROLLED
        least = least if has_loops(self.contract) else 0
        return planned(self.tape, self.contract, least, self._loops)

    @functools.cached_property
    def size(self) -> int:
        """How many steps are left to compile."""
        _, order = self.planned
        return len(order.steps) + sum(step in order.fused for step in order.steps)

    @property
    def is_huge(self) -> bool:
        """Whether it takes too long to compile, so that it stays bytecode."""
        return self.instructions > _HUGE and self.size > _HUGE

    @functools.cached_property
    def is_large(self) -> bool:
        """Whether bytecode calls loops, and single samples are computed by themselves."""
        return self._loops and bool(self.planned[1].loops)

    @property
    def steps(self) -> int:
        """How many steps there are in bytecode, about."""
        return self.size if self.is_large else self.instructions

    @functools.cached_property
    def bytecode(self) -> Bytecode:
        """The bytecode."""
        tape, order = self.planned if self._loops else planned(self.tape, self.contract)
        return Bytecode(tape, order, self.inputs, self.contract)

    def program(self, sums: bool = False, single: bool = False) -> Program:
        """Return the LLVM IR.

        Parameters
        ----------
        sums : bool, default False
            Whether only sums over samples are wanted.
        single : bool, default False
            Whether it is for one sample.
        """
        tape, order = self.planned
        level = 0 if self.size > _LARGE else USUAL
        if not order.segment:
            cut(tape, order, _SEGMENT if level else _SEGMENT_OF_LARGE)
        # Loops share what they load between registers; straight code would only become longer.
        width = 2 if sums and order.loops and not single else 1
        text = _Text(tape, order, self.contract, width, single)
        body = text.write() + _calls(text.segments)
        return Program(_whole(text, body), order.slots, level, width, text.loops)


def _whole(text: _Text, body: str) -> str:
    return "\n".join([*text.declared.values(), body, attributes()])


@functools.cache
def _interpreting(single: bool) -> Any:
    """Return the engine that holds the interpreter."""
    text = _Text(Tape(), Plan(), contract=True, single=single)
    body = interpreter_ir(text)  # which declares functions
    engine, _ = machine_code(_whole(text, body), USUAL)
    return engine


class Machine:
    """A program as machine code in memory.

    Parameters
    ----------
    source : Source
    sizes : list of int
        How many numbers each argument has.
    sums, single : bool
        As of `Source.program`.
    interpreted : bool, default False
        Make bytecode, as always for a huge tape: it is ready at once, and the bits are the same.

    Attributes
    ----------
    bytes : int
        Size of the machine code, or of the bytecode.
    steps : int
        How many there are, about.
    memory : int
        How many doubles of working memory a call needs; aligned to 128 bytes.
    lanes : int
        How many samples are in a register.
    width : int
        As of `Program`.
    is_interpreted : bool
        Whether it is bytecode until it pays to compile it; a huge program stays it.
    spent : float
        The seconds that the interpreter has taken, about.
    driver : Driver
        The functions that run it.
    description : int
        The address of what the driver reads about the program.
    """

    def __init__(
        self,
        source: Source,
        sizes: list[int],
        sums: bool = False,
        *,
        single: bool = False,
        interpreted: bool = False,
    ) -> None:
        self.results = source.results
        self.lanes = 1 if single else host().lanes
        self.steps = source.steps
        self.driver = driver(self.lanes)
        self.spent = 0.0
        self._bytecode: Bytecode | None = None
        is_huge = source.is_huge
        self.is_interpreted = interpreted and not is_huge
        for_interpreter = [0, 0, 0, 0]
        if interpreted or is_huge:
            self._engine = _interpreting(single)
            code = source.bytecode
            self.width, slots = 1, code.slots
            made = [(LoopCode.of(loop, 1, single), first) for loop, first in code.loops]
            functions = provide({loop for loop, _ in made})
            records = code.records[:]
            for loop, first in made:
                records[first] = functions[loop]
            self._bytecode, self._records = code, records
            self.bytes = code.table.itemsize * len(code.table) + 8 * len(records)
            arrays = (code.table, code.constants, records)
            for_interpreter = [*(one.buffer_info()[0] for one in arrays), len(code.table)]
        else:
            program = source.program(sums, single)
            provide(program.loops)
            self._engine, self.bytes = machine_code(program.ir, program.level)
            self.width, slots = program.width, program.slots
        registers = (sum(sizes) + slots) * self.width + 2 * self.results
        self.memory = registers * self.lanes
        block = self._engine.get_function_address("block")
        words = [block, sum(sizes), self.results, len(sizes), self.width, slots]
        self._words = array("q", [*words, *for_interpreter, *sizes])
        self.description: int = self._words.buffer_info()[0]
        self._local = threading.local()

    def chunks(self, n: int) -> tuple[int, int]:
        """Return how many samples a chunk of a batch of `n` has, and how many chunks there are.

        The results of a chunk are added up one after the other, and then the chunks in order, so
        that sums do not depend on the number of threads.
        """
        size = max(CHUNK, -(-n // 256))
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
