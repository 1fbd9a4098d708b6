"""The training loop in machine code: batch, gradient, update and record, step after step.

The loop calls the program that computes the gradient through a pointer, so one loop serves every
model with the same update rule.
"""

from __future__ import annotations

import ctypes
import functools
import struct

from micrograd.optim.rules import AdamRule, Rule, SgdRule
from micrograd.replay.llvm.processor import again, host, load, machine_code, splat

__all__ = ["FIELDS", "PLAN", "SCALARS", "Loop", "loop"]


# What the loop reads at its beginning: addresses and whole numbers, in an array of this order.
FIELDS = (
    # The function that computes the sums of a program, the program, and its working memory.
    *("ptr total", "ptr program", "ptr work"),
    # The samples, as given and of the present batch, an array each; and which are in a batch.
    *("i64 columns", "ptr given", "ptr buffers", "ptr widths", "ptr order"),
    # Of each step: the whole numbers and the scalars; and how many steps there are.
    *("ptr plan", "ptr scalars", "i64 steps"),
    # The parameters and what belongs to each: gradient, buffers, decay, the size of its pull to 0,
    # whether it is trained.
    *("i64 count", "ptr par", "ptr grad", "ptr first", "ptr second", "ptr decays", "ptr pulls"),
    "ptr moves",
    # The program's results for a chunk, of which so many are outputs. The others are derivatives:
    # `dense` holds their means, and `places` says of which parameter each of them is, or is null.
    *("i64 results", "i64 outputs", "ptr sums", "ptr dense", "ptr places"),
    # What is kept of each step: the means of the outputs, and the parameters before the update.
    *("ptr record", "ptr trail"),
    # The validation data: their columns, how many there are, in which chunks, and their means.
    *("ptr held", "i64 heldcount", "i64 heldsize", "i64 heldchunks", "ptr heldrecord"),
)
SCALARS = 6
"""How many numbers the loop reads of each step: up to three of the rule, then the divisors of the
sums over the batch and over the validation data, and the limit of the gradient."""
PLAN = 5
"""How many whole numbers it reads of each step: samples, chunk size, chunks, first sample, and the
place of the validation's means; -1 for no validation."""


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

    def pick(self, condition: str, a: str, b: str) -> str:
        kind = f"<{self.lanes} x i1>"
        return self.new(f"select {kind} {condition}, {self.type} {a}, {self.type} {b}")

    def signed(self, size: str, p: str) -> str:
        """Write a size with the sign of a number: 0 where that is 0."""
        below = self.do("fsub", self.number(-0.0), size)
        below = self.pick(self.do("fcmp olt", p, "zeroinitializer"), below, "zeroinitializer")
        return self.pick(self.do("fcmp ogt", p, "zeroinitializer"), size, below)

    def clipped(self, g: str, moves: str, clip: str) -> str:
        """Write the limit of the derivatives of those parameters that are trained."""
        if clip == "norm":
            limited = self.do("fmul", g, "%scalev")
            long = self.new(f"select i1 %long, {self.type} {limited}, {self.type} {g}")
            limited = long
        else:
            below = self.do("fsub", self.number(-0.0), "%scalar5v")
            limited = self.pick(self.do("fcmp ogt", g, "%scalar5v"), "%scalar5v", g)
            limited = self.pick(self.do("fcmp olt", limited, below), below, limited)
        limited = self.pick(moves, limited, g)
        self.store("grad", limited)
        return limited

    def update(self, rule: Rule, clip: str) -> str:
        """Write the rule, in the order of operations of `micrograd.optim`."""
        add, sub, mul, div = "fadd", "fsub", "fmul", "fdiv"
        before, g = self.load("par"), self.load("grad")
        moves = self.do("fcmp une", self.load("moves"), "zeroinitializer")
        if clip:
            g = self.clipped(g, moves, clip)
        p = before
        decoupled = isinstance(rule, AdamRule) and rule.decoupled
        if rule.decays and decoupled:
            shrinking = self.do(mul, "%scalar2v", self.load("decays"))
            p = self.do(mul, p, self.do(sub, self.number(1.0), shrinking))
        elif rule.decays:
            g = self.do(add, g, self.do(mul, self.load("decays"), p))
        if rule.pulls:
            pull = self.signed(self.load("pulls"), before)
            if decoupled:
                p = self.do(sub, p, self.do(mul, "%scalar2v", pull))
            else:
                g = self.do(add, g, pull)
        if isinstance(rule, SgdRule):
            if rule.momentum:
                momentum = self.number(rule.momentum)
                kept = self.do(add, self.do(mul, momentum, self.load("first")), g)
                self.store("first", kept)
                g = self.do(add, g, self.do(mul, momentum, kept)) if rule.nesterov else kept
            change = self.do(mul, "%scalar0v", g)
        else:
            old = self.load("first")
            fraction = self.number(1 - rule.beta1)
            mean = self.do(add, old, self.do(mul, fraction, self.do(sub, g, old)))
            self.store("first", mean)
            old = self.do(mul, self.number(rule.beta2), self.load("second"))
            new = self.do(mul, self.do(mul, self.number(1 - rule.beta2), g), g)
            square = self.do(add, old, new)
            self.store("second", square)
            scale = self.do(div, self.root(square), "%scalar1v")
            scale = self.do(add, scale, self.number(rule.eps))
            change = self.do(div, self.do(mul, "%scalar0v", mean), scale)
        result = self.pick(moves, self.do(sub, p, change), before)
        self.store("par", result)
        zero = self.do(mul, result, self.number(0.0))
        self.lines.append(f"  %wrong1 = fadd {self.type} %wrong, {zero}")
        return "\n".join(self.lines)


def _head(lanes: int) -> str:
    """Return the beginning of a step: it reads the plan."""
    v = f"<{lanes} x double>"
    fields = "\n".join(
        load(name, kind, "%fields", str(i)) for i, (kind, name) in enumerate(map(str.split, FIELDS))
    )
    plan = "\n".join(
        f"  %pat{i} = add i64 %pbase, {i}\n" + load(f"plan{i}", "i64", "%plan", f"%pat{i}")
        for i in range(PLAN)
    )
    scalars = "\n".join(
        f"  %sat{i} = add i64 %sbase, {i}\n"
        + load(f"scalar{i}", "double", "%scalars", f"%sat{i}")
        + "\n"
        + splat("double", f"scalar{i}", lanes)
        for i in range(SCALARS)
    )
    return f"""
declare {v} @llvm.sqrt.v{lanes}f64({v})
declare double @llvm.sqrt.f64(double)

define i64 @train(ptr %fields) #0 {{
entry:
{fields}
  %more0 = add i64 %count, {lanes - 1}
  %vectors = udiv i64 %more0, {lanes}
  %used = sub i64 %results, %outputs
  %more2 = add i64 %used, {lanes - 1}
  %dvectors = udiv i64 %more2, {lanes}
{splat("i64", "used", lanes)}
  %batched = icmp ne ptr %order, null
  %args = select i1 %batched, ptr %buffers, ptr %given
  %spreads = icmp ne ptr %places, null
  %trails = icmp ne ptr %trail, null
  br label %step
step:
  %s = phi i64 [ 0, %entry ], [ %s1, %updated ]
  %pbase = mul i64 %s, {PLAN}
{plan}
  %sbase = mul i64 %s, {SCALARS}
{scalars}
  br i1 %batched, label %column, label %run
"""


# Copies the samples of the step's batch side by side.
_BATCH = f"""\
column:
  %c = phi i64 [ 0, %step ], [ %c1, %copied ]
{load("from", "ptr", "%given", "%c")}
{load("to", "ptr", "%buffers", "%c")}
{load("width", "i64", "%widths", "%c")}
  %some = icmp sgt i64 %width, 0
  br i1 %some, label %row, label %copied
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


def _means(mark: str, end: str, *, chunks: str, divisor: str, to: str, row: str) -> str:
    """Return the blocks that write the means of a program's outputs to a row of a record.

    They begin with the block `{{mark}}means`, from the block `{{mark}}run`.
    """
    m = mark
    return f"""\
{m}means:
  %{m}rbase = mul i64 {row}, %outputs
  %{m}several = icmp sgt i64 {chunks}, 1
  br label %{m}result
{m}result:
  %{m}j = phi i64 [ 0, %{m}means ], [ %{m}j1, %{m}reduced ]
{load(f"{m}x0", "double", "%sums", f"%{m}j")}
  br i1 %{m}several, label %{m}chunk, label %{m}reduced
{m}chunk:
  %{m}h = phi i64 [ 1, %{m}result ], [ %{m}h1, %{m}chunk ]
  %{m}x1 = phi double [ %{m}x0, %{m}result ], [ %{m}x2, %{m}chunk ]
  %{m}hrow = mul i64 %{m}h, %results
  %{m}hat = add i64 %{m}hrow, %{m}j
{load(f"{m}hx", "double", "%sums", f"%{m}hat")}
  %{m}x2 = fadd double %{m}x1, %{m}hx
{again(f"{m}h", chunks, f"{m}chunk", f"{m}reduced")}
{m}reduced:
  %{m}x = phi double [ %{m}x0, %{m}result ], [ %{m}x2, %{m}chunk ]
  %{m}mean = fdiv double %{m}x, {divisor}
  %{m}nat = add i64 %{m}rbase, %{m}j
  %{m}np = getelementptr double, ptr {to}, i64 %{m}nat
  store double %{m}mean, ptr %{m}np, align 8
{again(f"{m}j", "%outputs", f"{m}result", end)}
"""


# Computes the program's sums, and stops before the update if one is not finite.
_RESULTS = f"""\
run:
  %bad = call double %total(ptr %program, ptr %args, ptr %par, i64 %plan0, i64 %plan1, i64 0,
    i64 %plan2, ptr %sums, ptr %work)
  %finite = fcmp oeq double %bad, 0.0
  br i1 %finite, label %means, label %stopped
{_means("", "derivatives", chunks="%plan2", divisor="%scalar3", to="%record", row="%s")}
"""


def _derivatives(lanes: int) -> str:
    """Return the means of the derivatives, each put where its parameter is."""
    v = f"<{lanes} x double>"
    ramp = ", ".join(f"i64 {lane}" for lane in range(lanes))
    return f"""\
derivatives:
  %any = icmp sgt i64 %used, 0
  br i1 %any, label %dvector, label %measured
dvector:
  %d = phi i64 [ 0, %derivatives ], [ %d1, %dmean ]
  %firstd = mul i64 %d, {lanes}
  %gat = add i64 %outputs, %firstd
  %gsp = getelementptr double, ptr %sums, i64 %gat
  %g0 = load {v}, ptr %gsp, align 8
  br i1 %several, label %gchunk, label %dmean
gchunk:
  %l = phi i64 [ 1, %dvector ], [ %l1, %gchunk ]
  %g1 = phi {v} [ %g0, %dvector ], [ %g2, %gchunk ]
  %lrow = mul i64 %l, %results
  %lat = add i64 %lrow, %gat
  %lp = getelementptr double, ptr %sums, i64 %lat
  %lx = load {v}, ptr %lp, align 8
  %g2 = fadd {v} %g1, %lx
{again("l", "%plan2", "gchunk", "dmean")}
dmean:
  %g3 = phi {v} [ %g0, %dvector ], [ %g2, %gchunk ]
{splat("i64", "firstd", lanes)}
  %number = add <{lanes} x i64> %firstdv, <{ramp}>
  %live = icmp slt <{lanes} x i64> %number, %usedv
  %g4 = select <{lanes} x i1> %live, {v} %g3, {v} zeroinitializer
  %g5 = fdiv {v} %g4, %scalar3v
  %g = fadd {v} %g5, zeroinitializer
  %gto = getelementptr {v}, ptr %dense, i64 %d
  store {v} %g, ptr %gto, align 8
{again("d", "%dvectors", "dvector", "densely")}
densely:
  br i1 %spreads, label %place, label %measured
place:
  %i = phi i64 [ 0, %densely ], [ %i1, %place ]
{load("at", "i64", "%places", "%i")}
{load("derivative", "double", "%dense", "%i")}
  %ginto = getelementptr double, ptr %grad, i64 %at
  store double %derivative, ptr %ginto, align 8
{again("i", "%used", "place", "measured")}
"""


_HELD = _means(
    "held",
    "heldend",
    chunks="%heldchunks",
    divisor="%scalar4",
    to="%heldrecord",
    row="%plan4",
)
# Measures the validation data where the plan says so, and keeps the parameters if there is a trail.
_MEASURED = f"""\
measured:
  %measures = icmp sge i64 %plan4, 0
  br i1 %measures, label %heldrun, label %heldend
heldrun:
  %heldbad = call double %total(ptr %program, ptr %held, ptr %par, i64 %heldcount, i64 %heldsize,
    i64 0, i64 %heldchunks, ptr %sums, ptr %work)
  %heldfinite = fcmp oeq double %heldbad, 0.0
  br i1 %heldfinite, label %heldmeans, label %undone
{_HELD}
heldend:
  br i1 %trails, label %keep, label %ready
keep:
  %trow = mul i64 %s, %count
  br label %kept
kept:
  %q = phi i64 [ 0, %keep ], [ %q1, %kept ]
{load("qx", "double", "%par", "%q")}
  %qat = add i64 %trow, %q
  %qto = getelementptr double, ptr %trail, i64 %qat
  store double %qx, ptr %qto, align 8
{again("q", "%count", "kept", "ready")}
"""


def _added(vector: str, lane: str, total: str, lanes: int) -> str:
    """Return the text that adds the lanes of a vector, from the first on."""
    return "\n".join(
        f"  %{lane}{i} = extractelement <{lanes} x double> %{vector}, i64 {i}\n"
        f"  %{total}{i} = fadd double {f'%{total}{i - 1}' if i else '0.0'}, %{lane}{i}"
        for i in range(lanes)
    )


def _norm(lanes: int) -> str:
    """Return the scale of the gradient: its limit over its norm, where that is longer."""
    v = f"<{lanes} x double>"
    return f"""\
ready:
  br label %length
length:
  %y = phi i64 [ 0, %ready ], [ %y1, %length ]
  %square0 = phi {v} [ zeroinitializer, %ready ], [ %square, %length ]
{load("yg", v, "%grad", "%y")}
{load("ym", v, "%moves", "%y")}
  %yn = fmul {v} %yg, %ym
  %y2 = fmul {v} %yn, %yn
  %square = fadd {v} %square0, %y2
{again("y", "%vectors", "length", "lengthened")}
lengthened:
{_added("square", "n", "m", lanes)}
  %infinite = fcmp uge double %m{lanes - 1}, 0x7FF0000000000000
  br i1 %infinite, label %undone, label %limited
limited:
  %norm = call double @llvm.sqrt.f64(double %m{lanes - 1})
  %long = fcmp ogt double %norm, %scalar5
  %scale = fdiv double %scalar5, %norm
{splat("double", "scale", lanes)}
  br label %vector
"""


def _update(rule: Rule, clip: str, lanes: int) -> str:
    """Return the update of the parameters, a vector at a time."""
    v = f"<{lanes} x double>"
    before = _norm(lanes) if clip == "norm" else "ready:\n  br label %vector\n"
    begin = "limited" if clip == "norm" else "ready"
    return f"""\
{before}vector:
  %k = phi i64 [ 0, %{begin} ], [ %k1, %vector ]
  %wrong = phi {v} [ zeroinitializer, %{begin} ], [ %wrong1, %vector ]
{_Body(lanes).update(rule, clip)}
{again("k", "%vectors", "vector", "updated")}
"""


def _tail(lanes: int) -> str:
    """Return the end of a step: the next one follows unless a parameter is no longer finite."""
    return f"""\
updated:
{_added("wrong1", "w", "a", lanes)}
  %fine = fcmp oeq double %a{lanes - 1}, 0.0
  %s1 = add i64 %s, 1
  %mores = icmp slt i64 %s1, %steps
  %on = and i1 %fine, %mores
  br i1 %on, label %step, label %done
done:
  %bad1 = sub i64 -1, %s
  %answer = select i1 %fine, i64 %s1, i64 %bad1
  ret i64 %answer
undone:
  %bad2 = sub i64 -1, %s
  ret i64 %bad2
stopped:
  ret i64 %s
}}

"""


def loop_ir(rule: Rule, clip: str, lanes: int) -> str:
    """Return the LLVM IR of the loop for a rule."""
    bits = 64 * lanes
    middle = _derivatives(lanes) + _MEASURED + _update(rule, clip, lanes)
    return f"""{_head(lanes)}{_BATCH}{_RESULTS}{middle}{_tail(lanes)}
attributes #0 = {{ nounwind "prefer-vector-width"="{bits}" "min-legal-vector-width"="{bits}" }}
"""


class Loop:
    """The loop of one rule, as machine code in memory.

    Attributes
    ----------
    lanes : int
        What belongs to the parameters is padded with zeros to a multiple of it, and as many numbers
        may be read after the last of the sums.
    train : function
        Takes the address of the `FIELDS`; returns the number of steps done. If something of the
        next one was written before it gave a number that is not finite, it is -1 minus that number.
    """

    def __init__(self, rule: Rule, clip: str) -> None:
        self.lanes = host().lanes
        self._engine, _ = machine_code(loop_ir(rule, clip, self.lanes))
        address = self._engine.get_function_address("train")
        self.train = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)


@functools.lru_cache(maxsize=16)
def loop(rule: Rule, clip: str = "") -> Loop:
    """Return the loop of a rule, and of gradients clipped by "norm", "value" or not, made once."""
    return Loop(rule, clip)
