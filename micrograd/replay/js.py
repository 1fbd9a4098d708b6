"""A tape as a JavaScript function of one sample, for a page that computes by itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from micrograd.replay.llvm.rows import Handle
from micrograd.replay.statements import Statements
from micrograd.replay.trace.tape import Tape

__all__ = ["FUNCTIONS", "is_js_name", "js_name", "js_source"]

FUNCTIONS: Final = Path(__file__).with_name("static") / "functions.js"

_RESERVED = {
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger",
    "default", "delete", "do", "else", "enum", "eval", "export", "extends", "false", "finally",
    "for", "function", "gradient", "if", "implements", "import", "in", "instanceof", "interface",
    "let", "new", "null", "package", "private", "protected", "public", "return", "static",
    "super", "switch", "this", "throw", "true", "try", "typeof", "value", "var", "void", "while",
    "with", "yield", "Math", "NaN", "Infinity", "x", "p",
}  # fmt: skip
_OWN = {"cbrt", "erf", "erfc", "hypot", "pow"}  # which `functions.js` has


def is_js_name(name: object) -> bool:
    """Return whether a function of JavaScript can have this name."""
    plain = isinstance(name, str) and re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", name)
    return bool(plain) and name not in _RESERVED | _OWN and not re.fullmatch(r"t\d+", str(name))


def js_name(name: str) -> str:
    """Return a Python function's name, with an underscore if JavaScript uses it otherwise."""
    name = re.sub(r"[^0-9A-Za-z_]", "_", name)
    return name if is_js_name(name) else f"{name}_"


class _Script(Statements):
    """Writes the body."""

    declaration = "    const {name} = {text};"
    spellings = ("NaN", "Infinity")

    def __init__(self) -> None:
        super().__init__()
        self.called: set[str] = set()

    def call(self, name: str, *args: Handle) -> Handle:
        if name in _OWN:
            self.called.add(name)
            return super().call(name, *args)
        return super().call("Math.abs" if name == "fabs" else f"Math.{name}", *args)


def js_source(tape: Tape, name: str, used: list[int], width: int) -> str:
    """Return the program as a JavaScript function of one sample; parameters as of `c.c_source`.

    It needs nothing else: functions that JavaScript lacks stand above it.
    """
    script = _Script()
    script.write(tape, used, width)
    own = ""
    if script.called:
        own = FUNCTIONS.read_text(encoding="utf-8") + "\n"
    lines = [
        f"/* {name}: one sample. x: inputs; p: parameters. It returns",
        f"   {{value, gradient}}: {len(tape.outputs)} result(s) and {width} derivative(s). */",
        f"function {name}(x, p) {{",
        "    const value = [], gradient = [];",
        *script.used(),
        "    return {value, gradient};",
    ]
    return own + "\n".join([*lines, "}", ""])
