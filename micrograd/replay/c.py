"""A tape as a self-contained C99 function, for export and as an independent check."""

from __future__ import annotations

import re

from micrograd.replay.statements import Statements
from micrograd.replay.trace.tape import Tape

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


class _Text(Statements):
    """Writes the body."""

    def literal(self, value: float) -> str:
        return value.hex() if value != int(value) or abs(value) > 1e15 else repr(value)


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
    text.write(tape, used, width)
    lines = [
        f"/* {name}: one sample. x: inputs; p: parameters; value: {len(tape.outputs)} result(s);",
        f"   gradient: {width} derivative(s). */" if width else "   gradient: not used. */",
        "#include <math.h>",
        "",
        f"void {name}(const double *x, const double *p, double *value, double *gradient)",
        "{",
        "    (void)x; (void)p; (void)gradient;",
        *text.used(),
    ]
    return "\n".join([*lines, "}", ""])
