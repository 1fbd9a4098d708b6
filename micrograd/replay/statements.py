"""A tape as statements of a language like C: what C and JavaScript share."""

from __future__ import annotations

import math
import re
from typing import Any

from micrograd.replay.llvm.rows import Handle, lower
from micrograd.replay.trace.tape import CONSTANT, INPUT, Tape

__all__ = ["Statements"]


class Statements:
    """Writes one constant for each result; a language says how it declares, calls and spells."""

    declaration = "    const {kind} {name} = {text};"
    spellings = ("NAN", "INFINITY")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0
        self.truths: dict[Handle, Handle] = {}

    def new(self, text: str, kind: str = "double") -> Handle:
        """Declare a constant; return its name."""
        self.count += 1
        name = f"t{self.count}"
        self.lines.append(self.declaration.format(kind=kind, name=name, text=text))
        return name

    def constant(self, value: float) -> Handle:
        """Return a number."""
        nan, infinity = self.spellings
        if math.isnan(value):
            return nan
        if math.isinf(value):
            return infinity if value > 0 else f"(-{infinity})"
        text = self.literal(float(value))
        return f"({text})" if text.startswith("-") else text

    def literal(self, value: float) -> str:
        """Return a finite number, exactly."""
        return repr(value)

    def binary(self, kind: str, a: Handle, b: Handle) -> Handle:
        """Return a sum, difference, product or quotient."""
        return self.new(f"{a} {kind} {b}")

    def muladd(self, a: Handle, b: Handle, c: Handle) -> Handle:
        """Return a * b + c, rounded twice."""
        return self.new(f"{a} * {b} + {c}")

    def negative(self, a: Handle) -> Handle:
        """Return -a."""
        return self.new(f"-{a}")

    def compare(self, kind: str, a: Handle, b: Handle) -> Handle:
        """Return a truth."""
        return self.new(f"{a} {kind} {b}", "int")

    def select(self, truth: Handle, a: Handle, b: Handle) -> Handle:
        """Return a where the truth holds, else b."""
        return self.new(f"{truth} ? {a} : {b}")

    def truth(self, number: Handle) -> Handle:
        """Return whether a number is not 0."""
        return self.truths.get(number) or self.compare("!=", number, "0.0")

    def number(self, truth: Handle) -> Handle:
        """Return 1 or 0."""
        result = self.new(f"{truth} ? 1.0 : 0.0")
        self.truths[result] = truth
        return result

    def call(self, name: str, *args: Handle) -> Handle:
        """Return a function of the C library."""
        return self.new(f"{name}({', '.join(args)})")

    def write(self, tape: Tape, used: list[int], width: int) -> None:
        """Write a tape: its inputs are x[i], its parameters p[i], its results value[i].

        Of the `width` elements of the gradient it computes those that `used` lists; the others are
        0.
        """
        at: list[Handle] = []
        for here, op in enumerate(tape.rows):
            operands = tape.operands[here]
            if op is not None:
                before = len(self.lines)
                handle = lower(self, op, [at[operand] for operand in operands])
                if len(self.lines) > before:
                    is_operator = op.precedence < 3 and not op.family  # needs no comment
                    noun = op.noun.replace("*/", "* /")
                    self.lines[-1] += "" if is_operator else f" /* {noun} */"
                at.append(handle)
            elif operands[0] == CONSTANT:
                at.append(self.constant(tape.as_float(here)))
            else:
                at.append(f"{'x' if operands[0] == INPUT else 'p'}[{operands[1]}]")
        self.lines += [f"    value[{i}] = {at[place]};" for i, place in enumerate(tape.outputs)]
        filled: dict[int, Any] = dict(zip(used, tape.gradients, strict=True)) if width else {}
        for i in range(width):
            place = filled.get(i)
            number = "0.0" if place is None else f"{at[place]} + 0.0"  # never -0.0
            self.lines.append(f"    gradient[{i}] = {number};")

    def used(self) -> list[str]:
        """Return the lines without the constants that no later line uses."""
        seen: set[str] = set()
        kept = []
        for line in reversed(self.lines):
            names = re.findall(r"\bt\d+\b", line)
            defines = line.lstrip().startswith("const")
            if defines and names[0] not in seen:
                continue
            seen.update(names[1:] if defines else names)
            kept.append(line)
        return kept[::-1]
