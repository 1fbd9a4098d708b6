"""How people write what an expression cannot say, and how it is written here."""

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

# What a name of another language or library is called here.
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
    ast.BitXor: ("^", "a power is written **"),
    ast.Mod: ("%", "it is not one of + - * / **"),
    ast.FloorDiv: ("//", "it has no derivative: a quotient is written /"),
    ast.MatMult: ("@", "write dot([...], [...])"),
    ast.BitOr: ("|", "a size is written abs(x)"),
    ast.BitAnd: ("&", "it is not one of + - * / **"),
    ast.LShift: ("<<", "it is not one of + - * / **"),
    ast.RShift: (">>", "it is not one of + - * / **"),
}
_SIGNS: Final = {
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "∗": "*", "•": "*", "÷": "/", "∕": "/", "⁄": "/",
    "−": "-", "–": "-", "—": "-", "²": "** 2", "³": "** 3", "√": "sqrt(...)", "∑": "sum([...])",
    "½": "1/2", "≥": "greater_equal(a, b)", "≤": "greater_equal(b, a)", "∞": "inf",
}  # fmt: skip
# A number or a closing bracket beside the start of something, or a name beside it after a blank.
_MISSING: Final = re.compile(
    r"(?P<left>(?<![\w.])\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\))\s*(?P<right>[^\W\d]\w*|(?<=\))\d|\()"
    r"|(?P<name>(?<![\w.])[^\W\d]\w*)\s+(?P<next>\w+)"
)


def function_hint(name: str, known: Collection[str], inside: str = "...") -> str:
    """Return how a call of a function that is not known here is written, or nothing.

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
    """Return where a text that cannot be parsed goes wrong and how it is written, if known.

    Examples
    --------
    >>> misspelled("3 + 2x"), misspelled("2 × 3"), misspelled("1 +* 2")
    ((5, 'a sign is missing: write 2 * x'), (2, "'×' is written *"), None)
    """
    for place, character in enumerate(source):
        plain = unicodedata.normalize("NFKC", character)
        if character in _SIGNS or (plain.isdigit() and plain != character):
            return place, f"{character!r} is written {_SIGNS.get(character, plain)}"
    if source.endswith(tuple("+-*/(,[")):
        return len(source), "the expression ends too soon"
    for match in re.finditer(r"(?<![\w.])[^\W\d]\w*", source):
        if keyword.iskeyword(match[0]) and match[0] not in ("if", "else", "not", "and", "or"):
            return match.start(), f"{match[0]!r} is a word of Python: take another name"
    if equals := re.search(r"(?<![=<>!:])=(?!=)", source):
        return equals.start(), "write the expression alone, without a name and ="
    if source.startswith("|"):
        return 0, "a size is written abs(x)"
    if "!" in source and "!=" not in source:
        return source.index("!"), "'!' is not one of + - * / **"
    for match in _MISSING.finditer(source):
        left, right = match["left"] or match["name"], match["right"] or match["next"]
        if not (keyword.iskeyword(left) or keyword.iskeyword(right)):
            place = match.start("right") if match["right"] else match.start("next")
            if left in functions:
                return place, f"parentheses are missing: write {left}({right})"
            shown = [re.sub(r"[()]", "(...)", part) for part in (left, right)]
            return place, f"a sign is missing: write {shown[0]} * {shown[1]}"
    return None
