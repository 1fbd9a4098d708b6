"""The functions that run any program: on one sample, on each of a batch, and for their sum.

They are compiled once. A program is a block for as many samples as a vector register holds; the
driver gathers the samples, calls the block, and adds up or stores the results.
"""

from __future__ import annotations

import ctypes
import functools
import threading

from micrograd.replay.llvm.processor import (
    again,
    attributes,
    load,
    machine_code,
    picked,
    splat,
)

__all__ = ["WORDS", "Driver", "driver"]


def _folded(vector: str, lanes: int, mark: str = "") -> tuple[str, str]:
    """Return the text that adds up the lanes of a vector, half to half, and its result.

    Names in the text begin with the mark.
    """
    lines, width, name = [], lanes, vector
    while width > 1:
        half = width // 2
        for side, first in (("lo", 0), ("hi", half)):
            lines.append(f"  %{mark}{side}{half} = {picked(name, width, first, half)}")
        name, width = f"%{mark}sum{half}", half
        lines.append(f"  {name} = fadd <{half} x double> %{mark}lo{half}, %{mark}hi{half}")
    lines.append(f"  %{mark}folded = extractelement <1 x double> {name}, i64 0")
    return "\n".join(lines), f"%{mark}folded"


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


WORDS = ("block", "inputs", "results", "columns", "width", "slots", "table", "constants", "records",
         "length")  # fmt: skip
"""What is known about a program: an array of whole numbers, these and then the size of each
argument. The last four are for the interpreter."""


def _vector(lanes: int) -> tuple[str, int, str]:
    """Return the type of a register, its alignment, and the text of one that is -0.0 throughout.

    Results are added to -0.0, which keeps the sign of a zero, as 0.0 would not.
    """
    return f"<{lanes} x double>", 8 * lanes, f"<{', '.join(['double -0.0'] * lanes)}>"


def _clear(lanes: int) -> str:
    """Return `clear`: sets the results to -0.0, to which others are added."""
    v, a, nothing = _vector(lanes)
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
    v, a, _ = _vector(lanes)
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
    v, _, _ = _vector(lanes)
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


def _areas(lanes: int) -> str:
    """Return the text that reads what is said about a program, and divides its memory."""
    v, _, _ = _vector(lanes)
    words = "\n".join(load(name, "i64", "%d", str(i)) for i, name in enumerate(WORDS))
    return f"""{words}
  %code = inttoptr i64 %block to ptr
  %numbers = mul i64 %inputs, %width
  %acc = getelementptr {v}, ptr %in, i64 %numbers
  %scratch = getelementptr {v}, ptr %acc, i64 %results"""


def _one(lanes: int) -> str:
    """Return `one`: all lanes hold the same sample, and the first gives the results."""
    v, a, _ = _vector(lanes)
    return f"""
define void @one(ptr %d, ptr %flat, ptr %par, ptr %out, ptr %in) #0 {{
entry:
{_areas(lanes)}
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
{_areas(lanes)}
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


def _total(lanes: int) -> str:
    """Return `total`: writes the sums of chunks c0 .. c1 - 1 of the batch to a row each."""
    return _total_chunks(lanes) + _total_rest(lanes) + _total_blocks(lanes) + _total_sums(lanes)


def _total_chunks(lanes: int) -> str:
    v, _, _ = _vector(lanes)
    return f"""
define double @total(ptr %d, ptr %args, ptr %par, i64 %n, i64 %chunk,
    i64 %c0, i64 %c1, ptr %sums, ptr %in) #0 {{
entry:
{_areas(lanes)}
  %whole1 = and i64 %results, -{lanes}
  %block_samples = mul i64 %width, {lanes}
  %width_number = sitofp i64 %width to double
  %share = fdiv double 1.0, %width_number
{splat("double", "share", lanes)}
  %slotted = mul i64 %slots, %width
  %aside = getelementptr {v}, ptr %scratch, i64 %slotted
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
  %rest = srem i64 %size, {2 * lanes}
  %even = add i64 %first, %rest
  %lastrest = sub i64 %even, 1
  br label %rests
rests:
  %o = phi i64 [ %first, %chunks ], [ %o1, %take ]
  %moreo = icmp slt i64 %o, %even
  br i1 %moreo, label %one, label %evens
"""


def _total_rest(lanes: int) -> str:
    """Return the part for the samples that are left over from a multiple of two vectors.

    They come first, as at most two vectors; unused lanes are set to -0.0, and the sums of the first
    vector are kept aside. A program of width 2 is given each vector twice, and its sums, which are
    exactly twice as large, are halved: so the bits do not depend on the width, unless twice a
    number is infinite.
    """
    v, a, nothing = _vector(lanes)
    ramp = ", ".join(f"i64 {lane}" for lane in range(lanes))
    return f"""\
one:
  call void @clear(ptr %acc, i64 %results)
  call void @fill(ptr %d, ptr %args, i64 %o, i64 0, i64 %lastrest, ptr %in)
  call void %code(ptr %in, ptr %par, ptr %acc, ptr %scratch, ptr %d)
  %valid = sub i64 %even, %o
{splat("i64", "valid", lanes)}
  %mask = icmp slt <{lanes} x i64> <{ramp}>, %validv
  %isfirst = icmp eq i64 %o, %first
  %o1 = add i64 %o, {lanes}
  %islast = icmp sge i64 %o1, %even
  %to = select i1 %islast, ptr %acc, ptr %aside
  br label %take
take:
  %k = phi i64 [ 0, %one ], [ %k1, %take ]
{load("kx", v, "%acc", "%k", a)}
  %ks = fmul {v} %kx, %sharev
  %ky = select <{lanes} x i1> %mask, {v} %ks, {v} {nothing}
{load("ax", v, "%aside", "%k", a)}
  %ay = fadd {v} %ax, %ky
  %az = select i1 %isfirst, {v} %ky, {v} %ay
  %tp = getelementptr {v}, ptr %to, i64 %k
  store {v} %az, ptr %tp, align {a}
{again("k", "%results", "take", "rests")}
"""


def _total_blocks(lanes: int) -> str:
    return f"""\
evens:
  %none = icmp eq i64 %rest, 0
  br i1 %none, label %empty, label %whole
empty:
  call void @clear(ptr %acc, i64 %results)
  br label %whole
whole:
  %anyfull = icmp slt i64 %even, %stop
  br i1 %anyfull, label %blocks, label %reduce
blocks:
  %i = phi i64 [ %even, %whole ], [ %i1, %blocks ]
  call void @fill(ptr %d, ptr %args, i64 %i, i64 {lanes}, i64 %last, ptr %in)
  call void %code(ptr %in, ptr %par, ptr %acc, ptr %scratch, ptr %d)
{again("i", "%stop", "blocks", "reduce", "%block_samples")}
reduce:
  %rowstart = mul i64 %c, %results
  %row = getelementptr double, ptr %sums, i64 %rowstart
  br label %together
"""


def _total_sums(lanes: int) -> str:
    """Return the part that adds up the lanes, of several results at once, then of single ones."""
    v, a, _ = _vector(lanes)
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
    zeros, zero = _folded("%badv", lanes, "z")
    return f"""\
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
  %badz = fadd double %bad, {zero}
  br label %sums1
sums1:
  %j = phi i64 [ %whole1, %single ], [ %j1, %sum ]
  %bad1 = phi double [ %badz, %single ], [ %bad2, %sum ]
  %morej = icmp slt i64 %j, %results
  br i1 %morej, label %sum, label %summed
sum:
{load("x", v, "%acc", "%j", a)}
{total}
  %tosum = getelementptr double, ptr %row, i64 %j
  store double {last}, ptr %tosum, align 8
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
"""


# Several threads, each in one call: whichever is free takes the next part.
_SHARED = """
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
"""


def _driver(lanes: int) -> str:
    """Return the functions that Python calls: `one`, `each` and `total`, and their parts.

    They serve every program. A vector here is a register, of which a value may take several, its
    width; `one` and `each` are for programs of width 1. Memory of a call: the inputs, the results,
    a vector each, the scratch slots, and once more the results.
    """
    functions = (_clear, _gather, _fill, _one, _each, _total)
    return "".join(function(lanes) for function in functions) + _SHARED


class Driver:
    """The functions that run a program, as machine code in memory.

    The first argument of each is `Machine.description`, the address of what it reads.

    Parameters
    ----------
    lanes : int
        How many samples the programs compute at a time, a register each value.

    Attributes
    ----------
    one_address, total_address : int
        The addresses of `one` and `total`.
    """

    def __init__(self, lanes: int) -> None:
        self._engine, _ = machine_code(_driver(lanes) + attributes())
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


@functools.cache
def _made(lanes: int) -> Driver:
    return Driver(lanes)


_lock = threading.Lock()


def driver(lanes: int) -> Driver:
    """Return the driver of all programs for so many samples at a time, made once."""
    with _lock:
        return _made(lanes)
