"""The training loop in machine code: batch, gradient, update and record, step after step.

The loop calls the program that computes the gradient through a pointer, so one loop serves every
model with the same update rule.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from typing import Any, NamedTuple

from micrograd.replay.llvm.processor import again, host, load, machine_code, splat

__all__ = ["Adam", "Loop", "Rule", "Sgd", "loop"]


class Sgd(NamedTuple):
    """Descent with momentum; a step has one scalar, the learning rate."""

    momentum: float = 0.0
    nesterov: bool = False
    decays: bool = False


class Adam(NamedTuple):
    """Adam; a step has three scalars: the step size, the correction of the root, and the rate."""

    beta1: float
    beta2: float
    eps: float
    decays: bool = False
    decoupled: bool = False


Rule = Sgd | Adam
SCALARS = 3
"""How many scalars the loop reads for each step."""
PLAN = 4
"""How many whole numbers it reads for each step: samples, chunk size, chunks, first sample."""


class _Body:
    """Writes the update of one vector of parameters."""

    def __init__(self, lanes: int) -> None:
        self.lanes, self.type = lanes, f"<{lanes} x double>"
        self.lines: list[str] = []
        self.count = 0

    def new(self, text: str) -> str:
        self.count += 1
        self.lines.append(f"  %u{self.count} = {text}")
        return f"%u{self.count}"

    def number(self, value: float) -> str:
        bits = struct.unpack(">Q", struct.pack(">d", value))[0]
        return "<" + ", ".join([f"double 0x{bits:016X}"] * self.lanes) + ">"

    def load(self, base: str) -> str:
        pointer = self.new(f"getelementptr {self.type}, ptr %{base}, i64 %k")
        return self.new(f"load {self.type}, ptr {pointer}, align 8")

    def store(self, base: str, value: str) -> None:
        pointer = self.new(f"getelementptr {self.type}, ptr %{base}, i64 %k")
        self.lines.append(f"  store {self.type} {value}, ptr {pointer}, align 8")

    def do(self, kind: str, a: str, b: str) -> str:
        return self.new(f"{kind} {self.type} {a}, {b}")

    def root(self, a: str) -> str:
        return self.new(f"call {self.type} @llvm.sqrt.v{self.lanes}f64({self.type} {a})")

    def update(self, rule: Rule) -> str:
        """Write the rule, in the order of operations of `micrograd.optim`."""
        add, sub, mul, div = "fadd", "fsub", "fmul", "fdiv"
        p, g = self.load("par"), "%g"
        decoupled = isinstance(rule, Adam) and rule.decoupled
        if rule.decays and decoupled:
            shrinking = self.do(mul, "%scalar2v", self.load("decays"))
            p = self.do(mul, p, self.do(sub, self.number(1.0), shrinking))
        elif rule.decays:
            g = self.do(add, g, self.do(mul, self.load("decays"), p))
        if isinstance(rule, Sgd):
            if rule.momentum:
                momentum = self.number(rule.momentum)
                kept = self.do(add, self.do(mul, momentum, self.load("first")), g)
                self.store("first", kept)
                g = self.do(add, g, self.do(mul, momentum, kept)) if rule.nesterov else kept
            change = self.do(mul, "%scalar0v", g)
        else:
            before = self.load("first")
            fraction = self.number(1 - rule.beta1)
            mean = self.do(add, before, self.do(mul, fraction, self.do(sub, g, before)))
            self.store("first", mean)
            old = self.do(mul, self.number(rule.beta2), self.load("second"))
            new = self.do(mul, self.do(mul, self.number(1 - rule.beta2), g), g)
            square = self.do(add, old, new)
            self.store("second", square)
            scale = self.do(div, self.root(square), "%scalar1v")
            scale = self.do(add, scale, self.number(rule.eps))
            change = self.do(div, self.do(mul, "%scalar0v", mean), scale)
        result = self.do(sub, p, change)
        self.store("par", result)
        zero = self.do(mul, result, self.number(0.0))
        self.lines.append(f"  %wrong1 = fadd {self.type} %wrong, {zero}")
        return "\n".join(self.lines)


def _head(lanes: int) -> str:
    """Return the beginning of a step: it reads the plan."""
    v = f"<{lanes} x double>"
    plan = "\n".join(
        f"  %pat{i} = add i64 %pbase, {i}\n"
        f"  %pp{i} = getelementptr i64, ptr %plan, i64 %pat{i}\n"
        f"  %plan{i} = load i64, ptr %pp{i}, align 8"
        for i in range(PLAN)
    )
    return f"""
declare {v} @llvm.sqrt.v{lanes}f64({v})

define i64 @train(ptr %total, ptr %program, ptr %given, ptr %buffers, ptr %widths, i64 %columns,
    ptr %order, ptr %plan, ptr %scalars, i64 %steps, ptr %par, ptr %grad, ptr %first, ptr %second,
    ptr %decays, i64 %results, i64 %outputs, i64 %count, ptr %sums, ptr %record, ptr %work) #0 {{
entry:
  %more0 = add i64 %count, {lanes - 1}
  %vectors = udiv i64 %more0, {lanes}
{splat("i64", "count", lanes)}
  %batched = icmp ne ptr %order, null
  %args = select i1 %batched, ptr %buffers, ptr %given
  br label %step
step:
  %s = phi i64 [ 0, %entry ], [ %s1, %updated ]
  %pbase = mul i64 %s, {PLAN}
{plan}
  br i1 %batched, label %column, label %run
"""


# Copies the samples of the step's batch side by side.
_BATCH = f"""\
column:
  %c = phi i64 [ 0, %step ], [ %c1, %copied ]
{load("from", "ptr", "%given", "%c")}
{load("to", "ptr", "%buffers", "%c")}
{load("width", "i64", "%widths", "%c")}
  br label %row
row:
  %r = phi i64 [ 0, %column ], [ %r1, %rowdone ]
  %oat = add i64 %plan3, %r
{load("sample", "i64", "%order", "%oat")}
  %fromrow = mul i64 %sample, %width
  %torow = mul i64 %r, %width
  br label %entryof
entryof:
  %e = phi i64 [ 0, %row ], [ %e1, %entryof ]
  %fat = add i64 %fromrow, %e
{load("fx", "double", "%from", "%fat")}
  %tat = add i64 %torow, %e
  %tp = getelementptr double, ptr %to, i64 %tat
  store double %fx, ptr %tp, align 8
{again("e", "%width", "entryof", "rowdone")}
rowdone:
{again("r", "%plan0", "row", "copied")}
copied:
{again("c", "%columns", "column", "run")}
"""

# Computes the program's sums, and stops before the update if one is not finite.
_RESULTS = f"""\
run:
  %bad = call double %total(ptr %program, ptr %args, ptr %par, i64 %plan0, i64 %plan1, i64 0,
    i64 %plan2, ptr %sums, ptr %work)
  %finite = fcmp oeq double %bad, 0.0
  %samples = sitofp i64 %plan0 to double
  %rbase = mul i64 %s, %outputs
  br i1 %finite, label %result, label %stopped
result:
  %j = phi i64 [ 0, %run ], [ %j1, %reduced ]
{load("x0", "double", "%sums", "%j")}
  %several = icmp sgt i64 %plan2, 1
  br i1 %several, label %chunk, label %reduced
chunk:
  %h = phi i64 [ 1, %result ], [ %h1, %chunk ]
  %x1 = phi double [ %x0, %result ], [ %x2, %chunk ]
  %hrow = mul i64 %h, %results
  %hat = add i64 %hrow, %j
{load("hx", "double", "%sums", "%hat")}
  %x2 = fadd double %x1, %hx
{again("h", "%plan2", "chunk", "reduced")}
reduced:
  %x = phi double [ %x0, %result ], [ %x2, %chunk ]
  %mean = fdiv double %x, %samples
  %nat = add i64 %rbase, %j
  %np = getelementptr double, ptr %record, i64 %nat
  store double %mean, ptr %np, align 8
{again("j", "%outputs", "result", "ready")}
"""


def _update(rule: Rule, lanes: int) -> str:
    """Return the update of the parameters, a vector at a time."""
    v = f"<{lanes} x double>"
    scalars = "\n".join(
        f"  %sp{i} = getelementptr double, ptr %scalars, i64 %sat{i}\n"
        f"  %scalar{i} = load double, ptr %sp{i}, align 8\n" + splat("double", f"scalar{i}", lanes)
        for i in range(SCALARS)
    )
    places = "\n".join(f"  %sat{i} = add i64 %sbase, {i}" for i in range(SCALARS))
    ramp = ", ".join(f"i64 {lane}" for lane in range(lanes))
    return f"""\
ready:
  %sbase = mul i64 %s, {SCALARS}
{places}
{scalars}
{splat("double", "samples", lanes)}
  br label %vector
vector:
  %k = phi i64 [ 0, %ready ], [ %k1, %update ]
  %wrong = phi {v} [ zeroinitializer, %ready ], [ %wrong1, %update ]
  %firstk = mul i64 %k, {lanes}
  %gat = add i64 %outputs, %firstk
  %gsp = getelementptr double, ptr %sums, i64 %gat
  %g0 = load {v}, ptr %gsp, align 8
  br i1 %several, label %gchunk, label %update
gchunk:
  %l = phi i64 [ 1, %vector ], [ %l1, %gchunk ]
  %g1 = phi {v} [ %g0, %vector ], [ %g2, %gchunk ]
  %lrow = mul i64 %l, %results
  %lat = add i64 %lrow, %gat
  %lp = getelementptr double, ptr %sums, i64 %lat
  %lx = load {v}, ptr %lp, align 8
  %g2 = fadd {v} %g1, %lx
{again("l", "%plan2", "gchunk", "update")}
update:
  %g3 = phi {v} [ %g0, %vector ], [ %g2, %gchunk ]
{splat("i64", "firstk", lanes)}
  %number = add <{lanes} x i64> %firstkv, <{ramp}>
  %live = icmp slt <{lanes} x i64> %number, %countv
  %g4 = select <{lanes} x i1> %live, {v} %g3, {v} zeroinitializer
  %g5 = fdiv {v} %g4, %samplesv
  %g = fadd {v} %g5, zeroinitializer
  %gto = getelementptr {v}, ptr %grad, i64 %k
  store {v} %g, ptr %gto, align 8
{_Body(lanes).update(rule)}
{again("k", "%vectors", "vector", "updated")}
"""


def _tail(lanes: int) -> str:
    """Return the end of a step: the next one follows unless a parameter is no longer finite."""
    v = f"<{lanes} x double>"
    wrong = "\n".join(
        f"  %w{i} = extractelement {v} %wrong1, i64 {i}\n"
        f"  %a{i} = fadd double {f'%a{i - 1}' if i else '0.0'}, %w{i}"
        for i in range(lanes)
    )
    return f"""\
updated:
{wrong}
  %fine = fcmp oeq double %a{lanes - 1}, 0.0
  %s1 = add i64 %s, 1
  %mores = icmp slt i64 %s1, %steps
  %on = and i1 %fine, %mores
  br i1 %on, label %step, label %done
done:
  %bad1 = sub i64 -1, %s
  %answer = select i1 %fine, i64 %s1, i64 %bad1
  ret i64 %answer
stopped:
  ret i64 %s
}}

"""


def loop_ir(rule: Rule, lanes: int) -> str:
    """Return the LLVM IR of the loop for a rule."""
    bits = 64 * lanes
    return f"""{_head(lanes)}{_BATCH}{_RESULTS}{_update(rule, lanes)}{_tail(lanes)}
attributes #0 = {{ nounwind "prefer-vector-width"="{bits}" "min-legal-vector-width"="{bits}" }}
"""


class Loop:
    """The loop of one rule, as machine code in memory.

    Attributes
    ----------
    lanes : int
        The parameters, and the arrays of the same length, are padded with zeros to a multiple of
        it, and as many numbers may be read after the last of the sums.
    """

    def __init__(self, rule: Rule) -> None:
        self.lanes = host().lanes
        self._engine, _ = machine_code(loop_ir(rule, self.lanes))
        pointer, long = ctypes.c_void_p, ctypes.c_int64
        kinds: list[Any] = [pointer] * 21
        for place in (5, 9, 15, 16, 17):
            kinds[place] = long
        address = self._engine.get_function_address("train")
        self.train = ctypes.CFUNCTYPE(long, *kinds)(address)


@functools.lru_cache(maxsize=16)
def loop(rule: Rule) -> Loop:
    """Return the loop of a rule, made once."""
    return Loop(rule)
