"""Every row of the op table as a machine computes it: what becomes LLVM's text, and C.

An emitter knows numbers, arithmetic, comparison, choice and the functions of the C library. Every
row is written in those here, once for all emitters: `relu` compares with 0 and selects, which
`emitter.py` writes as `fcmp olt` and `select`, and `c.py` as `<` and `?:`. A row that is not listed
is lowered by running its own forward rule on handles, which works where it is written with
operators.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Protocol

from micrograd import ops
from micrograd.errors import TraceError
from micrograd.ops import Op
from micrograd.replay.trace import detached, rule
from micrograd.replay.trace.tape import INPUT, Tape

__all__ = ["Emitter", "Handle", "forget_rules", "lower", "lower_tape"]

Handle = str


class Emitter(Protocol):
    """What a language provides. A handle is the text of a number, or of a truth value."""

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
    else:  # as in the engine: never -0.0
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
    """Leave the largest value, whose power is 1, out of the sum, as the forward rule does."""
    peak = _peak(e, None, *values)
    zero, one = e.constant(0.0), e.constant(1.0)
    rest, taken = zero, zero  # taken: 1 once the largest has been left out
    powers = [e.call("exp", e.binary("-", value, peak)) for value in values]
    for value, power in zip(values, powers, strict=True):
        largest = e.compare("==", value, peak)
        left_out = e.select(e.truth(taken), power, zero)
        rest = e.binary("+", rest, e.select(largest, left_out, power))
        taken = e.select(largest, one, taken)
    total = e.binary("+", peak, e.call("log1p", rest))
    infinite = e.compare("==", e.call("fabs", peak), e.constant(math.inf))
    largest = peak
    for value in values:  # comparisons skip a nan
        largest = e.select(e.compare("!=", value, value), value, largest)
    return e.select(infinite, largest, total)


def _take(e: Emitter, op: Op, *operands: Handle) -> Handle:
    *values, index = operands
    taken = e.constant(math.nan)
    for i, value in enumerate(values):
        taken = e.select(e.compare("==", index, e.constant(float(i))), value, taken)
    return taken


# Keyed by the row, or by the factory of one that captures a constant.
_ROWS: dict[Op | str, Callable[..., Handle]] = {
    ops.add: _binary("+"), ops.sub: _binary("-"), ops.mul: _binary("*"), ops.div: _binary("/"),
    ops.neg: lambda e, op, a: e.negative(a),
    "power": _power, ops.pow: _calls("pow"), "base_power": _calls("pow"),
    ops.greater: _compares(">"), ops.greater_equal: _compares(">="), ops.equal: _compares("=="),
    ops.where: lambda e, op, condition, a, b: e.select(e.truth(condition), a, b),
    ops.share: _share, ops.maximum: _maximum, ops.minimum: _minimum, ops.sign: _sign,
    ops.abs: _calls("fabs"),
    ops.identity: lambda e, op, a: a, detached: lambda e, op, a: a,
    ops.exp: _calls("exp"), ops.expm1: _calls("expm1"), ops.log: _calls("log"),
    ops.log1p: _calls("log1p"), ops.log2: _calls("log2"), ops.log10: _calls("log10"),
    ops.sqrt: _calls("sqrt"), ops.cbrt: _calls("cbrt"), ops.hypot: _calls("hypot"),
    ops.sin: _calls("sin"), ops.cos: _calls("cos"), ops.tan: _calls("tan"),
    ops.arcsin: _calls("asin"), ops.arccos: _calls("acos"), ops.arctan: _calls("atan"),
    ops.arctan2: _calls("atan2"),
    ops.sinh: _calls("sinh"), ops.cosh: _calls("cosh"), ops.tanh: _calls("tanh"),
    ops.arcsinh: _calls("asinh"), ops.arccosh: _calls("acosh"), ops.arctanh: _calls("atanh"),
    ops.erf: _calls("erf"), ops.erfc: _calls("erfc"),
    ops.relu: _relu, ops.sigmoid: _sigmoid, ops.softplus: _softplus, ops.gelu: _gelu,
    ops.silu: _silu, "leaky_relu_with": _leaky_relu, "elu_with": _elu,
    "sum_of": _sum, "dot_of": _dot, "logsumexp_of": _logsumexp, "peak_of": _peak,
    "take_of": _take,
}  # fmt: skip


@functools.lru_cache(maxsize=64)
def _rule(op: Op) -> Tape:
    return rule(op)


def forget_rules() -> None:
    """Trace the rules of users' rows again when they are next lowered."""
    _rule.cache_clear()


def lower(emitter: Emitter, op: Op, operands: list[Handle]) -> Handle:
    """Emit one row; return the handle of its result.

    Raises
    ------
    TraceError
        If the row is not listed here and its forward rule is not written with operators.
    """
    known = _ROWS.get(op.key)
    if known is not None:
        return known(emitter, op, *operands)
    try:
        tape = _rule(op)
    except (TypeError, AttributeError) as error:
        raise TraceError(
            f"the operation {op.name!r} has no machine code: its forward rule is not written with "
            f'operators alone ({error}); use backend="python"'
        ) from error
    return lower_tape(emitter, tape, operands)[0]


def lower_tape(emitter: Emitter, tape: Tape, inputs: Sequence[Handle]) -> list[Handle]:
    """Write the rows of a tape without parameters with an emitter; return its outputs."""
    at: list[Handle] = []
    for position, (row, given) in enumerate(zip(tape.rows, tape.operands, strict=True)):
        if row is not None:
            at.append(lower(emitter, row, [at[operand] for operand in given]))
        elif given[0] == INPUT:
            at.append(inputs[given[1]])
        else:
            at.append(emitter.constant(tape.as_float(position)))
    return [at[place] for place in tape.outputs]
