"""Spellings of other languages and libraries, and how each is written here."""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
import unicodedata
from collections.abc import Collection
from typing import Final

__all__ = ["CONSTANTS", "MODULES", "OPERATORS", "function_hint", "misspelled"]

# Function names of other languages and libraries, and ours.
_OTHERS: Final = {
    "max": "maximum", "min": "minimum", "fmax": "maximum", "fmin": "minimum",
    "ln": "log", "lg": "log10", "ld": "log2", "fabs": "abs", "absolute": "abs", "sgn": "sign",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "tg": "tan", "logistic": "sigmoid",
    "expit": "sigmoid", "swish": "silu", "lse": "logsumexp", "fsum": "sum", "add": "sum",
    "matmul": "dot", "inner": "dot", "lrelu": "leaky_relu", "leakyrelu": "leaky_relu",
    "root": "sqrt", "ifelse": "where", "norm": "hypot",
}  # fmt: skip
_WRITTEN: Final = {
    "pow": "x ** y", "power": "x ** y", "square": "x ** 2", "cube": "x ** 3", "exp2": "2 ** x",
    "reciprocal": "1 / x", "neg": "-x", "negative": "-x", "sub": "x - y", "subtract": "x - y",
    "mul": "x * y", "multiply": "x * y", "div": "x / y", "divide": "x / y", "cot": "1 / tan(x)",
    "sec": "1 / cos(x)", "csc": "1 / sin(x)", "mean": "sum([x, y]) / 2",
    "softmax": "exp(x) / sum([exp(x), exp(y)])",
}  # fmt: skip
MODULES: Final = frozenset(
    ("math", "cmath", "np", "numpy", "torch", "jnp", "jax", "tf", "F", "nn", "mg", "micrograd")
)
CONSTANTS: Final = {"pi": math.pi, "e": math.e, "tau": math.tau}
OPERATORS: Final = {
    ast.BitXor: ("^", "write ** for a power"),
    ast.Mod: ("%", "it is not one of + - * / **"),
    ast.FloorDiv: ("//", "it has no derivative: write / for a quotient"),
    ast.MatMult: ("@", "write dot([...], [...])"),
    ast.BitOr: ("|", "write abs(x)"),
    ast.BitAnd: ("&", "it is not one of + - * / **"),
    ast.LShift: ("<<", "it is not one of + - * / **"),
    ast.RShift: (">>", "it is not one of + - * / **"),
}
_SIGNS: Final = {
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "∗": "*", "•": "*", "÷": "/", "∕": "/", "⁄": "/",
    "−": "-", "–": "-", "—": "-", "²": "** 2", "³": "** 3", "√": "sqrt(...)", "∑": "sum([...])",
    "½": "1/2", "≥": "greater_equal(a, b)", "≤": "greater_equal(b, a)", "∞": "inf",
}  # fmt: skip
# Two operands without an operator: a number or ")" and what follows, or a name and a word.
_MISSING: Final = re.compile(
    r"(?P<left>(?<![\w.])\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\))\s*(?P<right>[^\W\d]\w*|(?<=\))\d|\()"
    r"|(?P<name>(?<![\w.])[^\W\d]\w*)\s+(?P<next>\w+)"
)


def function_hint(name: str, known: Collection[str], inside: str = "...") -> str:
    """Return how to write a call of a function that is unknown here, or an empty string.

    Examples
    --------
    >>> function_hint("ln", ["log"]), function_hint("Tanh", ["tanh"], "x")
    ('write log(...)', 'write tanh(x)')
    >>> function_hint("pow", []), function_hint("spam", [])
    ('write x ** y', '')
    """
    folded = name.lower()
    if folded in _WRITTEN:
        return f"write {_WRITTEN[folded]}"
    if folded in known or _OTHERS.get(folded) in known:
        return f"write {folded if folded in known else _OTHERS[folded]}({inside})"
    near = difflib.get_close_matches(folded, known, 1, 0.75)
    return f"did you mean {near[0]}({inside})?" if near else ""


def misspelled(source: str, functions: Collection[str] = ()) -> tuple[int, str] | None:
    """Return the position of a misspelling and the correct spelling, or None if none is known.

    Examples
    --------
    >>> misspelled("3 + 2x"), misspelled("2 × 3"), misspelled("1 +* 2")
    ((5, 'an operator is missing: write 2 * x'), (2, "'×' is written *"), None)
    """
    for place, character in enumerate(source):
        plain = unicodedata.normalize("NFKC", character)
        if character in _SIGNS or (plain.isdigit() and plain != character):
            return place, f"{character!r} is written {_SIGNS.get(character, plain)}"
    if source.endswith(tuple("+-*/(,[")):
        return len(source), "the expression is incomplete"
    for match in re.finditer(r"(?<![\w.])[^\W\d]\w*", source):
        if keyword.iskeyword(match[0]) and match[0] not in ("if", "else", "not", "and", "or"):
            return match.start(), f"{match[0]!r} is a keyword of Python: use another name"
    if equals := re.search(r"(?<![=<>!:])=(?!=)", source):
        return equals.start(), "write the expression alone, without a name and ="
    if source.startswith("|"):
        return 0, "write abs(x)"
    if "!" in source and "!=" not in source:
        return source.index("!"), "'!' is not one of + - * / **"
    for match in _MISSING.finditer(source):
        left, right = match["left"] or match["name"], match["right"] or match["next"]
        if not (keyword.iskeyword(left) or keyword.iskeyword(right)):
            place = match.start("right") if match["right"] else match.start("next")
            if left in functions:
                return place, f"parentheses are missing: write {left}({right})"
            shown = [re.sub(r"[()]", "(...)", part) for part in (left, right)]
            return place, f"an operator is missing: write {shown[0]} * {shown[1]}"
    return None
