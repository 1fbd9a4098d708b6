"""What the rows of the op table are made of for a machine: the part that LLVM and C share.

An emitter knows numbers, arithmetic, comparison, choice and the functions of the C library. Every
row is written in those here, once for both. A row that is not listed is lowered by running its
own forward rule on handles, which works where it is written with operators.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from micrograd import ops
from micrograd.errors import TraceError
from micrograd.ops import Op
from micrograd.replay.llvm.runs import Run, Runs
from micrograd.replay.trace import rule
from micrograd.replay.trace.tape import INPUT, Tape

__all__ = ["Emitter", "Plan", "cut", "forget_rules", "lower", "plan"]

_CALL = 4  # what a call counts for where a program is cut

Handle = str


class Emitter(Protocol):
    """What a language has to offer. A handle is a text that stands for a number, or a truth."""

    def constant(self, value: float) -> Handle:
        """Return a number."""

    def binary(self, kind: str, a: Handle, b: Handle) -> Handle:
        """Return a sum, difference, product or quotient; `kind` is one of `+ - * /`."""

    def muladd(self, a: Handle, b: Handle, c: Handle) -> Handle:
        """Return a * b + c, rounded once or twice."""

    def negative(self, a: Handle) -> Handle:
        """Return -a."""

    def compare(self, kind: str, a: Handle, b: Handle) -> Handle:
        """Return a truth; `kind` is one of `> >= == < !=`, all false with nan but the last."""

    def select(self, truth: Handle, a: Handle, b: Handle) -> Handle:
        """Return a where the truth holds, else b."""

    def truth(self, number: Handle) -> Handle:
        """Return whether a number is not 0."""

    def number(self, truth: Handle) -> Handle:
        """Return 1 or 0."""

    def call(self, name: str, *args: Handle) -> Handle:
        """Return a function of the C library."""


def _calls(name: str) -> Callable[..., Handle]:
    return lambda e, op, *args: e.call(name, *args)


def _binary(kind: str) -> Callable[..., Handle]:
    return lambda e, op, a, b: e.binary(kind, a, b)


def _compares(kind: str) -> Callable[..., Handle]:
    return lambda e, op, a, b: e.number(e.compare(kind, a, b))


def _power(e: Emitter, op: Op, x: Handle) -> Handle:
    exponent = op.parameters[0]
    if exponent == 0:
        return e.constant(1.0)
    if exponent in (1, 2, 3, 4):  # at most three roundings
        square = x if exponent == 1 else e.binary("*", x, x)
        if exponent == 3:
            return e.binary("*", square, x)
        return e.binary("*", square, square) if exponent == 4 else square
    if exponent == -1:
        return e.binary("/", e.constant(1.0), x)
    return e.call("pow", x, e.constant(float(exponent)))


def _maximum(e: Emitter, op: Op, a: Handle, b: Handle) -> Handle:
    other = e.select(e.compare("!=", a, a), a, b)
    return e.select(e.compare(">", a, b), a, other)


def _minimum(e: Emitter, op: Op, a: Handle, b: Handle) -> Handle:
    other = e.select(e.compare("!=", a, a), a, b)
    return e.select(e.compare("<", a, b), a, other)


def _share(e: Emitter, op: Op, a: Handle, b: Handle) -> Handle:
    more = e.number(e.compare(">", a, b))
    return e.select(e.compare("==", a, b), e.constant(0.5), more)


def _sign(e: Emitter, op: Op, x: Handle) -> Handle:
    zero = e.constant(0.0)
    rest = e.select(e.compare("<", x, zero), e.constant(-1.0), e.binary("*", x, x))
    return e.select(e.compare(">", x, zero), e.constant(1.0), rest)


def _relu(e: Emitter, op: Op, x: Handle) -> Handle:
    zero = e.constant(0.0)
    return e.select(e.compare("<", x, zero), zero, x)


def _sigmoid(e: Emitter, op: Op | None, x: Handle) -> Handle:
    one = e.constant(1.0)
    small = e.call("exp", e.negative(e.call("fabs", x)))
    top = e.select(e.compare("<", x, e.constant(0.0)), small, one)
    return e.binary("/", top, e.binary("+", one, small))


def _softplus(e: Emitter, op: Op, x: Handle) -> Handle:
    small = e.call("log1p", e.call("exp", e.negative(e.call("fabs", x))))
    zero = e.constant(0.0)
    return e.binary("+", e.select(e.compare("<", x, zero), zero, x), small)


def _but_at_minus_infinity(e: Emitter, x: Handle, result: Handle) -> Handle:
    return e.select(e.compare("==", x, e.constant(-math.inf)), e.constant(-0.0), result)


def _gelu(e: Emitter, op: Op, x: Handle) -> Handle:
    tail = e.call("erfc", e.binary("*", e.negative(x), e.constant(math.sqrt(0.5))))
    half = e.binary("*", e.constant(0.5), x)
    return _but_at_minus_infinity(e, x, e.binary("*", half, tail))


def _silu(e: Emitter, op: Op, x: Handle) -> Handle:
    return _but_at_minus_infinity(e, x, e.binary("*", x, _sigmoid(e, None, x)))


def _leaky_relu(e: Emitter, op: Op, x: Handle) -> Handle:
    below = e.binary("*", e.constant(float(op.parameters[0])), x)
    return e.select(e.compare(">", x, e.constant(0.0)), x, below)


def _elu(e: Emitter, op: Op, x: Handle) -> Handle:
    below = e.binary("*", e.constant(float(op.parameters[0])), e.call("expm1", x))
    return e.select(e.compare(">", x, e.constant(0.0)), x, below)


def _sum(e: Emitter, op: Op, *terms: Handle) -> Handle:
    total = terms[0]
    for term in terms[1:]:
        total = e.binary("+", total, term)
    return total


def _dot(e: Emitter, op: Op, *operands: Handle) -> Handle:
    pairs = op.parameters[0]
    rest = list(zip(operands[:pairs], operands[pairs : 2 * pairs], strict=True))
    if len(operands) > 2 * pairs:
        total = operands[-1]
    else:  # as the engine starts it: never -0.0
        total = e.binary("+", e.binary("*", *rest.pop(0)), e.constant(0.0))
    for w, x in rest:
        total = e.muladd(w, x, total)
    return total


def _peak(e: Emitter, op: Op | None, *values: Handle) -> Handle:
    peak = values[0]
    for value in values[1:]:
        peak = e.select(e.compare(">", value, peak), value, peak)
    return peak


def _logsumexp(e: Emitter, op: Op, *values: Handle) -> Handle:
    """Leave the largest, whose power is 1, out of the sum of powers, as the forward rule does."""
    peak = _peak(e, None, *values)
    zero, one = e.constant(0.0), e.constant(1.0)
    rest, taken = zero, zero  # taken: 1 once the largest has been left out
    for value in values:
        power = e.call("exp", e.binary("-", value, peak))
        largest = e.compare("==", value, peak)
        left_out = e.select(e.truth(taken), power, zero)
        rest = e.binary("+", rest, e.select(largest, left_out, power))
        taken = e.select(largest, one, taken)
    total = e.binary("+", peak, e.call("log1p", rest))
    infinite = e.compare("==", e.call("fabs", peak), e.constant(math.inf))
    largest = peak
    for value in values:  # a comparison steps over a nan
        largest = e.select(e.compare("!=", value, value), value, largest)
    return e.select(infinite, largest, total)


ROWS: dict[str, Callable[..., Handle]] = {
    "add": _binary("+"), "sub": _binary("-"), "mul": _binary("*"), "div": _binary("/"),
    "neg": lambda e, op, a: e.negative(a),
    "power": _power, "pow": _calls("pow"), "base_power": _calls("pow"),
    "greater": _compares(">"), "greater_equal": _compares(">="), "equal": _compares("=="),
    "where": lambda e, op, condition, a, b: e.select(e.truth(condition), a, b),
    "share": _share, "maximum": _maximum, "minimum": _minimum, "sign": _sign,
    "abs": _calls("fabs"),
    "identity": lambda e, op, a: a, "detach": lambda e, op, a: a,
    "exp": _calls("exp"), "expm1": _calls("expm1"), "log": _calls("log"),
    "log1p": _calls("log1p"), "log2": _calls("log2"), "log10": _calls("log10"),
    "sqrt": _calls("sqrt"), "cbrt": _calls("cbrt"), "hypot": _calls("hypot"),
    "sin": _calls("sin"), "cos": _calls("cos"), "tan": _calls("tan"),
    "arcsin": _calls("asin"), "arccos": _calls("acos"), "arctan": _calls("atan"),
    "arctan2": _calls("atan2"),
    "sinh": _calls("sinh"), "cosh": _calls("cosh"), "tanh": _calls("tanh"),
    "arcsinh": _calls("asinh"), "arccosh": _calls("acosh"), "arctanh": _calls("atanh"),
    "erf": _calls("erf"), "erfc": _calls("erfc"),
    "relu": _relu, "sigmoid": _sigmoid, "softplus": _softplus, "gelu": _gelu, "silu": _silu,
    "leaky_relu_with": _leaky_relu, "elu_with": _elu,
    "sum_of": _sum, "dot_of": _dot, "logsumexp_of": _logsumexp, "peak_of": _peak,
}  # fmt: skip

# Rows whose rule is fixed by their meaning; a row of the user's that took one of these names after
# removing ours is lowered by its own forward rule.
_BUILT_IN = {name: op for name, op in ops.TABLE.items() if name in ROWS}


@functools.lru_cache(maxsize=64)
def _rule(op: Op) -> Tape:
    return rule(op)


def forget_rules() -> None:
    """Trace the rules of the user's rows again where they are lowered next."""
    _rule.cache_clear()


def lower(emitter: Emitter, op: Op, operands: list[Handle]) -> Handle:
    """Emit one row; return the handle of its result.

    Raises
    ------
    TraceError
        If the row is not known here and its forward rule is not written with operators.
    """
    name = op.family or op.name
    if name in ROWS and (op.family or op.name == "detach" or _BUILT_IN.get(name) is op):
        return ROWS[name](emitter, op, *operands)
    try:
        tape = _rule(op)
    except (TypeError, AttributeError) as error:
        raise TraceError(
            f"the operation {op.name!r} has no machine code: its forward rule is not written with "
            f'operators alone ({error}); use backend="python"'
        ) from error
    at: list[Handle] = []
    for position, (row, given) in enumerate(zip(tape.rows, tape.operands, strict=True)):
        if row is not None:
            at.append(lower(emitter, row, [at[operand] for operand in given]))
        elif given[0] == INPUT:
            at.append(operands[given[1]])
        else:
            at.append(emitter.constant(tape.as_float(position)))
    return at[tape.outputs[0]]


@dataclass
class Plan:
    """In what order a tape is emitted, which products go into a sum, and where it is cut.

    `plan` makes one, and `cut` what is needed to emit it in segments.

    Attributes
    ----------
    steps : list of int
        Positions to compute, in order.
    fused : dict of int to int
        A sum or difference -> the product among its operands that is computed with it.
    segment : dict of int to int
        The segment of each step.
    crossing : dict of int to int
        Positions that are used in a later segment -> the number of their slot in memory.
    results : dict of int to list of int
        Position -> which results of the program it is.
    slots : int
        How many slots there are.
    runs : dict of int to Run
        Step -> the run that it stands for.
    places : dict of int to int
        Position -> its place among the values of runs, in memory after the other slots.
    """

    steps: list[int] = field(default_factory=list)
    fused: dict[int, int] = field(default_factory=dict)
    segment: dict[int, int] = field(default_factory=dict)
    crossing: dict[int, int] = field(default_factory=dict)
    results: dict[int, list[int]] = field(default_factory=dict)
    slots: int = 0
    runs: dict[int, Run] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)


def plan(tape: Tape, fuse: bool, least: int = 0) -> Plan:
    """Return how to emit `tape`: products fused into sums if `fuse`.

    With a `least`, runs of like steps that are at least so long are one step; it needs `fuse`.
    """
    rows, operands = tape.rows, tape.operands
    result = Plan()
    for number, position in enumerate(tape.results()):
        result.results.setdefault(position, []).append(number)
    swallowed: set[int] = set()
    if fuse:
        uses = tape.uses()
        for position, op in enumerate(rows):
            if op is ops.add or op is ops.sub:
                for operand in operands[position][::-1]:
                    if (
                        rows[operand] is ops.mul
                        and uses[operand] == 1
                        and operand not in result.results
                    ):
                        result.fused[position] = operand
                        swallowed.add(operand)
                        break
    result.steps = [p for p, op in enumerate(rows) if op is not None and p not in swallowed]
    if least:
        found = Runs(tape, result.steps, result.fused, result.results, least)
        result.steps = [step for step in result.steps if step not in found.others]
        result.runs, result.places = found.starts, found.places
    return result


def cut(tape: Tape, given: Plan, size: int) -> None:
    """Cut a plan into segments of about so many steps, and give slots to what crosses them."""
    operands, fused = tape.operands, given.fused
    current, weight = 0, 0
    last_use: dict[int, int] = {}
    for position in given.steps:
        run = given.runs.get(position)
        cost = _CALL if run is not None else max(1, len(operands[position]) // 2)
        if weight and weight + cost > size:
            current, weight = current + 1, 0
        weight += cost
        given.segment[position] = current
        for operand in operands[position] if run is None else run.factors:
            if fused.get(position) == operand:
                for inner in operands[operand]:
                    last_use[inner] = current
            else:
                last_use[operand] = current
    # A slot is free again after the segment in which its value is last used.
    free: list[int] = []
    ends: dict[int, list[int]] = {}
    at = 0
    for position in given.steps:
        while at < given.segment[position]:
            free += ends.pop(at, [])
            at += 1
        run = given.runs.get(position)
        for result in (position,) if run is None else run.steps:
            last = last_use.get(result, at)
            if last > at and result not in given.places:
                slot = free.pop() if free else given.slots
                given.slots = max(given.slots, slot + 1)
                given.crossing[result] = slot
                ends.setdefault(last, []).append(slot)
    for position, place in given.places.items():
        given.crossing[position] = given.slots + place
    given.slots += 1 + max(given.places.values(), default=-1)
