"""The text of the functions that add up results, over samples and over lanes, and of their mean."""

from __future__ import annotations

from micrograd.replay.llvm.memory import areas, vector
from micrograd.replay.llvm.processor import again, load, picked, splat

__all__ = ["SHARED", "folded_ir", "means_ir", "total_ir"]


def folded_ir(vector: str, lanes: int, mark: str = "") -> tuple[str, str]:
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

    Half is added to half, as `folded_ir` does.
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


def total_ir(lanes: int) -> str:
    """Return `total`: writes the sums of chunks c0 .. c1 - 1 of the batch to a row each."""
    return _total_chunks(lanes) + _total_rest(lanes) + _total_blocks(lanes) + _total_sums(lanes)


def _total_chunks(lanes: int) -> str:
    v, _, _ = vector(lanes)
    return f"""
define double @total(ptr %d, ptr %args, ptr %par, i64 %n, i64 %chunk,
    i64 %c0, i64 %c1, ptr %sums, ptr %in) #0 {{
entry:
{areas(lanes)}
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
    v, a, nothing = vector(lanes)
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
    v, a, _ = vector(lanes)
    total, last = folded_ir("%x", lanes)
    loads = []
    for k in range(lanes):
        loads += [
            f"  %jb{k} = add i64 %b, {k}",
            f"  %pb{k} = getelementptr {v}, ptr %acc, i64 %jb{k}",
            f"  %xb{k} = load {v}, ptr %pb{k}, align {a}",
        ]
    lines, together = _transposed([f"%xb{k}" for k in range(lanes)], lanes)
    several = "\n".join([*loads, *lines])
    zeros, zero = folded_ir("%badv", lanes, "z")
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


def means_ir() -> str:
    """Return `means`: writes numbers divided by a whole one, without -0.0.

    It returns 0.0, or nan if one of them is not finite. The product with the reciprocal of a power
    of 2 has the same bits, and is five times as fast.
    """
    v, text, (folded, together) = "<8 x double>", [], folded_ir("%bad", 8)
    for name, one, by in (("times", "fmul", "share"), ("over", "fdiv", "samples")):
        text.append(f"""\
{name}8:
  %i{name} = phi i64 [ 0, %entry ], [ %i{name}1, %{name}of8 ]
  %bad{name} = phi {v} [ zeroinitializer, %entry ], [ %bad{name}1, %{name}of8 ]
  %more{name} = icmp slt i64 %i{name}, %whole
  br i1 %more{name}, label %{name}of8, label %{name}1
{name}of8:
  %from{name} = getelementptr double, ptr %from, i64 %i{name}
  %x{name} = load {v}, ptr %from{name}, align 8
  %y{name} = {one} {v} %x{name}, %{by}v
  %z{name} = fadd {v} %y{name}, zeroinitializer
  %to{name} = getelementptr double, ptr %to, i64 %i{name}
  store {v} %z{name}, ptr %to{name}, align 8
  %w{name} = fmul {v} %z{name}, zeroinitializer
  %bad{name}1 = fadd {v} %bad{name}, %w{name}
  %i{name}1 = add i64 %i{name}, 8
  br label %{name}8
{name}1:
  %j{name} = phi i64 [ %whole, %{name}8 ], [ %j{name}1, %{name}of1 ]
  %one{name} = phi double [ 0.0, %{name}8 ], [ %one{name}1, %{name}of1 ]
  %left{name} = icmp slt i64 %j{name}, %count
  br i1 %left{name}, label %{name}of1, label %done
{name}of1:
{load(f"a{name}", "double", "%from", f"%j{name}")}
  %b{name} = {one} double %a{name}, %{by}
  %c{name} = fadd double %b{name}, 0.0
  %at{name} = getelementptr double, ptr %to, i64 %j{name}
  store double %c{name}, ptr %at{name}, align 8
  %d{name} = fmul double %c{name}, 0.0
  %one{name}1 = fadd double %one{name}, %d{name}
  %j{name}1 = add i64 %j{name}, 1
  br label %{name}1
""")
    return f"""\
define internal double @means(ptr %to, ptr %from, i64 %count, i64 %n) #0 {{
entry:
  %samples = sitofp i64 %n to double
  %share = fdiv double 1.0, %samples
{splat("double", "samples", 8)}
{splat("double", "share", 8)}
  %less = sub i64 %n, 1
  %others = and i64 %n, %less
  %power = icmp eq i64 %others, 0
  %whole = and i64 %count, -8
  br i1 %power, label %times8, label %over8
{"".join(text)}done:
  %bad = phi {v} [ %badtimes, %times1 ], [ %badover, %over1 ]
  %last = phi double [ %onetimes, %times1 ], [ %oneover, %over1 ]
{folded}
  %all = fadd double {together}, %last
  ret double %all
}}

"""


# Several threads, each in one call: whichever is free takes the next part.
SHARED = """
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
