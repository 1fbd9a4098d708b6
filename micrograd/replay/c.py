"""A tape as a self-contained C99 function, for export and as an independent check."""

from __future__ import annotations

import math
import re
from typing import Any

from micrograd.replay.llvm.rows import Handle, lower
from micrograd.replay.trace.tape import CONSTANT, INPUT, Tape

__all__ = ["c_name", "c_source"]


# Functions of <math.h>, which are there for float and long double as well; keywords and others.
_MATH = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign",
    "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1", "fabs", "fdim", "floor", "fma",
    "fmax", "fmin", "fmod", "frexp", "gamma", "hypot", "ilogb", "j0", "j1", "jn", "ldexp",
    "lgamma", "llrint", "llround", "log", "log10", "log1p", "log2", "logb", "lrint", "lround",
    "modf", "nan", "nearbyint", "nextafter", "nexttoward", "pow", "remainder", "remquo", "rint",
    "round", "scalbln", "scalbn", "sin", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc", "y0",
    "y1", "yn",
]  # fmt: skip
_RESERVED = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
    "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
    "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
    "union", "unsigned", "void", "volatile", "while", "main", "abs", "abort", "exit", "free",
    "index", "malloc", "printf", "_Bool", "_Complex", "_Imaginary", "asm", "typeof",
    "HUGE_VAL", "INFINITY", "NAN", "fpclassify", "isfinite", "isgreater", "isgreaterequal",
    "isinf", "isless", "islessequal", "islessgreater", "isnan", "isnormal", "isunordered",
    "signbit", "drem", "finite", "scalb", "signgam", "significand",
    *(name + kind for name in _MATH for kind in ("", "f", "l")),
}  # fmt: skip


def c_name(name: str) -> str:
    """Return a Python function's name for use in C, with an underscore if C needs it itself."""
    name = re.sub(r"[^0-9A-Za-z_]", "_", name)
    return f"{name}_" if name in _RESERVED else name


class _Text:
    """Writes the body: an emitter for `lower`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0
        self.truths: dict[Handle, Handle] = {}

    def new(self, text: str, kind: str = "double") -> Handle:
        self.count += 1
        name = f"t{self.count}"
        self.lines.append(f"    const {kind} {name} = {text};")
        return name

    def constant(self, value: float) -> Handle:
        if math.isnan(value):
            return "NAN"
        if math.isinf(value):
            return "INFINITY" if value > 0 else "(-INFINITY)"
        text = float(value).hex() if value != int(value) or abs(value) > 1e15 else repr(value)
        return f"({text})" if text.startswith("-") else text

    def binary(self, kind: str, a: Handle, b: Handle) -> Handle:
        return self.new(f"{a} {kind} {b}")

    def muladd(self, a: Handle, b: Handle, c: Handle) -> Handle:
        return self.new(f"{a} * {b} + {c}")

    def negative(self, a: Handle) -> Handle:
        return self.new(f"-{a}")

    def compare(self, kind: str, a: Handle, b: Handle) -> Handle:
        return self.new(f"{a} {kind} {b}", "int")

    def select(self, truth: Handle, a: Handle, b: Handle) -> Handle:
        return self.new(f"{truth} ? {a} : {b}")

    def truth(self, number: Handle) -> Handle:
        return self.truths.get(number) or self.compare("!=", number, "0.0")

    def number(self, truth: Handle) -> Handle:
        result = self.new(f"{truth} ? 1.0 : 0.0")
        self.truths[result] = truth
        return result

    def call(self, name: str, *args: Handle) -> Handle:
        return self.new(f"{name}({', '.join(args)})")


def _used(lines: list[str]) -> list[str]:
    """Return the lines without definitions that no later line uses."""
    seen: set[str] = set()
    kept = []
    for line in reversed(lines):
        names = re.findall(r"\bt\d+\b", line)
        defines = line.startswith("    const")
        if defines and names[0] not in seen:
            continue
        seen.update(names[1:] if defines else names)
        kept.append(line)
    return kept[::-1]


def c_source(tape: Tape, name: str, used: list[int], width: int) -> str:
    """Return the program as a C99 function of one sample.

    Parameters
    ----------
    tape : Tape
    name : str
        The name of the C function.
    used : list of int
        Which elements of the gradient the tape computes; the others are 0.
    width : int
        Length of the gradient; 0 for none.

    Returns
    -------
    str
        Include it in a program or compile it by itself. It uses the C library's <math.h>.
    """
    text = _Text()
    at: list[Handle] = []
    for here, op in enumerate(tape.rows):
        operands = tape.operands[here]
        if op is not None:
            before = len(text.lines)
            handle = lower(text, op, [at[operand] for operand in operands])
            if len(text.lines) > before:
                is_operator = op.precedence < 3 and not op.family  # needs no comment
                text.lines[-1] += "" if is_operator else f" /* {op.noun} */"
            at.append(handle)
        elif operands[0] == CONSTANT:
            at.append(text.constant(tape.as_float(here)))
        else:
            at.append(f"{'x' if operands[0] == INPUT else 'p'}[{operands[1]}]")
    body = text.lines
    body += [f"    value[{i}] = {at[position]};" for i, position in enumerate(tape.outputs)]
    filled: dict[int, Any] = dict(zip(used, tape.gradients, strict=True)) if width else {}
    for i in range(width):
        position = filled.get(i)
        number = "0.0" if position is None else f"{at[position]} + 0.0"  # never -0.0
        body.append(f"    gradient[{i}] = {number};")
    lines = [
        f"/* {name}: one sample. x: inputs; p: parameters; value: {len(tape.outputs)} result(s);",
        f"   gradient: {width} derivative(s). */" if width else "   gradient: not used. */",
        "#include <math.h>",
        "",
        f"void {name}(const double *x, const double *p, double *value, double *gradient)",
        "{",
        "    (void)x; (void)p; (void)gradient;",
        *_used(body),
    ]
    return "\n".join([*lines, "}", ""])
