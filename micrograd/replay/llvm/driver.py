"""The functions that run any program: on one sample, on each of a batch, and for their sum.

They are compiled once. A program is a block for as many samples as a vector register holds; the
driver gathers the samples, calls the block, and adds up or stores the results.
"""

from __future__ import annotations

import ctypes
import functools
import threading

from micrograd.replay.llvm.memory import WORDS, areas, vector
from micrograd.replay.llvm.processor import again, attributes, host, load, machine_code
from micrograd.replay.llvm.sums_ir import SHARED, folded_ir, total_ir

__all__ = ["Driver", "driver"]


def _clear(lanes: int) -> str:
    """Return `clear`: sets the results to -0.0, to which others are added."""
    v, a, nothing = vector(lanes)
    return f"""
define internal void @clear(ptr %acc, i64 %results) #0 {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %p = getelementptr {v}, ptr %acc, i64 %i
  store {v} {nothing}, ptr %p, align {a}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %results
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""


def _gather(lanes: int) -> str:
    """Return `gather`: copies samples to one vector of each column of the block.

    They are first .. first + lanes - 1, but not beyond last.
    """
    v, a, _ = vector(lanes)
    body = [
        "define internal void @gather(ptr %d, ptr %args, i64 %first, i64 %last, ptr %in) #0 {",
        "entry:",
        *[load(name, "i64", "%d", str(WORDS.index(name))) for name in ("columns", "width")],
        f"  %sizes = getelementptr i64, ptr %d, i64 {len(WORDS)}",
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
        load("base", "ptr", "%args", "%n"),
        load("size", "i64", "%sizes", "%n"),
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
        f"  %to1 = getelementptr {v}, ptr %to, i64 %width",
        "  %e1 = add i64 %e, 1",
        "  br label %copied",
        "done:",
    ]
    return "\n".join([*body, "  ret void", "}", ""])


def _fill(lanes: int) -> str:
    """Return `fill`: copies samples to all vectors of each column, `step` further each time."""
    v, _, _ = vector(lanes)
    return f"""
define internal void @fill(ptr %d, ptr %args, i64 %first, i64 %step, i64 %last, ptr %in) #0 {{
entry:
{load("width", "i64", "%d", str(WORDS.index("width")))}
  br label %vector
vector:
  %i = phi i64 [ 0, %entry ], [ %i1, %vector ]
  %from = phi i64 [ %first, %entry ], [ %from1, %vector ]
  %to = getelementptr {v}, ptr %in, i64 %i
  call void @gather(ptr %d, ptr %args, i64 %from, i64 %last, ptr %to)
  %from1 = add i64 %from, %step
{again("i", "%width", "vector", "done")}
done:
  ret void
}}
"""


def _one(lanes: int) -> str:
    """Return `one`: all lanes hold the same sample, and the first gives the results."""
    v, a, _ = vector(lanes)
    return f"""
define void @one(ptr %d, ptr %flat, ptr %par, ptr %out, ptr %in) #0 {{
entry:
{areas(lanes)}
  call void @clear(ptr %acc, i64 %results)
  %any = icmp sgt i64 %inputs, 0
  br i1 %any, label %spread, label %run
spread:
  %i = phi i64 [ 0, %entry ], [ %i1, %spread ]
{load("x", "double", "%flat", "%i")}
  %y = insertelement {v} poison, double %x, i64 0
  %z = shufflevector {v} %y, {v} poison, <{lanes} x i32> zeroinitializer
  %to = getelementptr {v}, ptr %in, i64 %i
  store {v} %z, ptr %to, align {a}
{again("i", "%inputs", "spread", "run")}
run:
  call void %code(ptr %in, ptr %par, ptr %acc, ptr %scratch, ptr %d)
  br label %copy
copy:
  %j = phi i64 [ 0, %run ], [ %j1, %copy ]
  %from = getelementptr {v}, ptr %acc, i64 %j
  %r = load double, ptr %from, align 8
  %q = getelementptr double, ptr %out, i64 %j
  store double %r, ptr %q, align 8
{again("j", "%results", "copy", "done")}
done:
  ret void
}}
"""


def _each(lanes: int) -> str:
    """Return `each`: writes the results of samples first .. stop - 1 to a row each."""
    return f"""
define void @each(ptr %d, ptr %args, ptr %par, i64 %first, i64 %stop, ptr %out, ptr %in) #0 {{
entry:
{areas(lanes)}
  %last = sub i64 %stop, 1
  br label %blocks
blocks:
  %i = phi i64 [ %first, %entry ], [ %i1, %stored ]
  call void @gather(ptr %d, ptr %args, i64 %i, i64 %last, ptr %in)
  call void @clear(ptr %acc, i64 %results)
  call void %code(ptr %in, ptr %par, ptr %acc, ptr %scratch, ptr %d)
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
{load("x", "double", "%acc", "%jk")}
  %to = getelementptr double, ptr %row, i64 %j
  store double %x, ptr %to, align 8
{again("j", "%results", "result", "lanedone")}
lanedone:
{again("l", "%valid", "lane", "stored")}
stored:
{again("i", "%stop", "blocks", "done", str(lanes))}
done:
  ret void
}}
"""


def _of_one() -> str:
    """Return `one` and `results` for programs that compute one sample.

    Their results are set, not added to. Compiled code writes them where they are wanted; an
    interpreter has them beside its inputs, and where they are is what `results` returns.
    """
    return f"""
define void @one(ptr %d, ptr %flat, ptr %par, ptr %out, ptr %in) #0 {{
entry:
{areas(1)}
  %bytes = mul i64 %inputs, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %in, ptr %flat, i64 %bytes, i1 false)
  %there = call ptr @run(ptr %d, ptr %par, ptr %out, ptr %in)
  call void @bring(ptr %there, ptr %out, i64 %results)
  ret void
}}

define internal ptr @run(ptr %d, ptr %par, ptr %out, ptr %in) #0 {{
entry:
{areas(1)}
  %compiled = icmp eq i64 %length, 0
  %there = select i1 %compiled, ptr %out, ptr %acc
  call void %code(ptr %in, ptr %par, ptr %there, ptr %scratch, ptr %d)
  ret ptr %there
}}

define internal void @bring(ptr %there, ptr %out, i64 %results) #0 {{
entry:
  %same = icmp eq ptr %there, %out
  br i1 %same, label %done, label %copy
copy:
  %bytes = mul i64 %results, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %out, ptr %there, i64 %bytes, i1 false)
  br label %done
done:
  ret void
}}

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

define ptr @results(ptr %d, ptr %args, ptr %par, ptr %out, ptr %in) #0 {{
entry:
  call void @gather(ptr %d, ptr %args, i64 0, i64 0, ptr %in)
  %there = call ptr @run(ptr %d, ptr %par, ptr %out, ptr %in)
  ret ptr %there
}}
"""


def _total_of_one() -> str:
    """Return `total` for such programs: the results, and 0.0 or, if one is not finite, nan."""
    lanes = host().lanes
    v = f"<{lanes} x double>"
    zeros, zero = folded_ir("%bad", lanes)
    return f"""
define double @total(ptr %d, ptr %args, ptr %par, i64 %n, i64 %chunk, i64 %c0, i64 %c1, ptr %sums,
    ptr %in) #0 {{
entry:
{load("results", "i64", "%d", str(WORDS.index("results")))}
  %there = call ptr @results(ptr %d, ptr %args, ptr %par, ptr %sums, ptr %in)
  call void @bring(ptr %there, ptr %sums, i64 %results)
  %whole = and i64 %results, -{lanes}
  br label %several
several:
  %b = phi i64 [ 0, %entry ], [ %b1, %look ]
  %bad = phi {v} [ zeroinitializer, %entry ], [ %bad1, %look ]
  %more = icmp slt i64 %b, %whole
  br i1 %more, label %look, label %rest
look:
  %p = getelementptr double, ptr %sums, i64 %b
  %x = load {v}, ptr %p, align 8
  %z = fmul {v} %x, zeroinitializer
  %bad1 = fadd {v} %bad, %z
  %b1 = add i64 %b, {lanes}
  br label %several
rest:
{zeros}
  br label %single
single:
  %j = phi i64 [ %whole, %rest ], [ %j1, %last ]
  %bad2 = phi double [ {zero}, %rest ], [ %bad3, %last ]
  %left = icmp slt i64 %j, %results
  br i1 %left, label %last, label %done
last:
{load("y", "double", "%sums", "%j")}
  %yz = fmul double %y, 0.0
  %bad3 = fadd double %bad2, %yz
  %j1 = add i64 %j, 1
  br label %single
done:
  ret double %bad2
}}
"""


def _driver(lanes: int) -> str:
    """Return the functions that Python calls: `one`, `each` and `total`, and their parts.

    They serve every program. A vector here is a register, of which a value may take several, its
    width; `one` and `each` are for programs of width 1. Memory of a call: the inputs, the results,
    a vector each, the scratch slots, and once more the results.
    """
    if lanes == 1:
        return _gather(lanes) + _of_one() + _total_of_one()
    functions = (_clear, _gather, _fill, _one, _each, total_ir)
    return "".join(function(lanes) for function in functions) + SHARED


class Driver:
    """The functions that run a program, as machine code in memory.

    The first argument of each is `Machine.description`, the address of what it reads.

    Parameters
    ----------
    lanes : int
        How many samples the programs compute at a time, a register each value.

    Attributes
    ----------
    one_address, total_address, results_address : int
        The addresses of `one`, `total` and `results`; the last is there with one lane.
    """

    def __init__(self, lanes: int) -> None:
        self._engine, _ = machine_code(_driver(lanes) + attributes())
        pointer, long, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
        address = self._engine.get_function_address
        self.one_address: int = address("one")
        self.total_address: int = address("total")
        self.one = ctypes.CFUNCTYPE(None, *[pointer] * 5)(self.one_address)
        self.total = ctypes.CFUNCTYPE(number, *[pointer] * 3, *[long] * 4, pointer, pointer)(
            self.total_address
        )
        if lanes == 1:
            self.results_address: int = address("results")
            return
        self.each = ctypes.CFUNCTYPE(None, *[pointer] * 3, long, long, pointer, pointer)(
            address("each")
        )
        self.total_shared = ctypes.CFUNCTYPE(number, *[pointer] * 3, *[long] * 3, *[pointer] * 3)(
            address("total_shared")
        )
        self.each_shared = ctypes.CFUNCTYPE(None, *[pointer] * 3, long, long, *[pointer] * 3)(
            address("each_shared")
        )


@functools.cache
def _made(lanes: int) -> Driver:
    return Driver(lanes)


_lock = threading.Lock()


def driver(lanes: int) -> Driver:
    """Return the driver of all programs for `lanes` samples at a time, made once."""
    with _lock:
        return _made(lanes)
