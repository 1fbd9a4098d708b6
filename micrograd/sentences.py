"""What is said of a step of back-propagation, in plain words, as a formula and as LaTeX.

The same text is shown in Python, in a terminal, in a notebook and on a page, and is read aloud by
a screen reader. Numbers are written by `micrograd.style.number_text`, with an ASCII minus.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

from micrograd.backward_pass import BROKEN, Recording, Row, final_gradients, is_same
from micrograd.errors import GradientError
from micrograd.formula import Text, labelled, partial_formulas, write
from micrograd.ops import constant
from micrograd.style import finite, number_text

__all__ = ["Words", "latex_name", "shown", "sign_of_equation", "sign_of_number", "signed"]

LONGEST_NAME: Final = 16
LONGEST_EXPRESSION: Final = 64
LONGEST_POWER: Final = 10_000  # bits


def signed(number: Any) -> str:
    """Return a gradient as text: with its sign, and "–" where it is not known yet.

    Examples
    --------
    >>> signed(4), signed(-0.5), signed(0), signed(None)
    ('+4', '-0.5', '0', '–')
    """
    return number_text(number, signed=True)


def shown(text: str) -> Any:
    """Return the number that the digits of `text` say; None where they say none, as "≈0.3" does.

    Examples
    --------
    >>> shown("+0.25"), shown("inf!"), shown("–")
    (Fraction(1, 4), inf, None)
    """
    try:
        return float(text[:-1]) if text.endswith("!") else Fraction(text)
    except ValueError:
        return None


def sign_of_equation(numbers: Sequence[Any], result: str, join: Callable[..., Any]) -> str:
    """Return "=" where the digits that are shown make an equation true, else "≈".

    Parameters
    ----------
    numbers : sequence of str
        What is joined, as it is shown.
    result : str
        What stands on the other side.
    join : callable
        Computes on exact numbers, `operator.mul` for one.

    Examples
    --------
    >>> import operator
    >>> sign_of_equation(["0.25", "2"], "+0.5", operator.mul)
    '='
    >>> sign_of_equation(["0.3333", "3"], "1", operator.mul)
    '≈'
    """
    operands, right = [shown(text) for text in numbers], shown(result)
    if right is None or None in operands:
        return "≈"
    try:
        found = join(*operands)
    except OverflowError:
        return "≈"
    return "=" if is_same(found, right) else "≈"


def sign_of_number(number: Any, precision: int = 4) -> str:
    """Return "=" where `number_text` shows all digits of a number, else "≈".

    Examples
    --------
    >>> sign_of_number(0.25), sign_of_number(1 / 3)
    ('=', '≈')
    """
    right = shown(number_text(number, precision))
    if isinstance(number, float) and finite(number):
        return "=" if right == Fraction(repr(number)) else "≈"
    return "=" if right is not None and is_same(number, right) else "≈"


def latex_name(name: str) -> str:
    r"""Return a name as upright LaTeX.

    Examples
    --------
    >>> latex_name("w_1")
    '\\mathrm{w\\_1}'
    """
    return r"\mathrm{" + re.sub(r"[\\{}_^#$%&~ ]", _escaped, name) + "}"


def _escaped(match: re.Match[str]) -> str:
    special = {"\\": r"\backslash{}", "^": r"\hat{}", "~": r"\sim{}", " ": r"\ "}
    return special.get(match[0], "\\" + match[0])


def _in_parentheses(text: str) -> str:
    return f"({text})" if text.startswith("-") or "/" in text else text


class Words:
    """Speaks of the values of one graph.

    Parameters
    ----------
    recording : Recording
    broken : str, optional
        The rule that the pass breaks on purpose, a key of `BROKEN`.
    right_rows : sequence of Row, optional
        The right pass, to be compared with where a rule is broken.

    Attributes
    ----------
    names : list of str
        A value's label; else its number or expression where that has at most 16 characters, else
        `v7`, its position in topological order.
    """

    def __init__(
        self,
        recording: Recording,
        broken: str | None = None,
        right_rows: Sequence[Row] = (),
    ) -> None:
        self.recording = recording
        self.broken = broken
        self.right = final_gradients(right_rows, len(recording.nodes)) if broken else []
        self._right_after = {(row.node, row.operand): row.after for row in right_rows}
        self._texts: list[Text] = []
        self._formulas: dict[int, list[str]] = {}
        self._expressions: dict[tuple[int, bool], Text] = {}
        self.names: list[str] = []
        for i, node in enumerate(recording.nodes):
            if node.label:
                text = labelled(str(node.label))
            elif not recording.parents[i]:
                text = _number(recording.data[i])
            else:
                text = self._expression(i)
                if len(text.text) > LONGEST_NAME:
                    text = Text(f"v{i}")
            self._texts.append(text)
            self.names.append(text.text)

    # ---- parts ---------------------------------------------------------------------------------

    def _expression(self, i: int, numbers: bool = False) -> Text:
        if (i, numbers) not in self._expressions:
            self._expressions[i, numbers] = self._written(i, numbers)
        return self._expressions[i, numbers]

    def _written(self, i: int, numbers: bool) -> Text:
        op, parents = self.recording.nodes[i].op, self.recording.parents[i]
        operands = [
            _number(self.recording.data[p], op.code.startswith(f"{{{j}}}"))
            if numbers
            else self._texts[p]
            for j, p in enumerate(parents)
        ]
        written = write(op, operands)
        text = _shortened(written.text.replace(" * ", " × "))
        return Text(text, written.precedence)

    def expression(self, i: int) -> str:
        """Return how value `i` is computed from its operands' names, as in `h + b`."""
        return self._expression(i).text

    def with_numbers(self, i: int) -> str:
        """Return the same with the operands' numbers put in, as in `-6 + 10`."""
        return self._expression(i, numbers=True).text

    def local_formula(self, i: int, operand: int) -> str:
        """Return the formula of a local derivative of value `i`, as in `1 - o × o`."""
        if i not in self._formulas:
            names = [self._texts[p] for p in self.recording.parents[i]]
            try:
                found = partial_formulas(self.recording.nodes[i].op, names, self._texts[i])
            except (GradientError, ValueError, ArithmeticError):
                found = [""] * len(names)
            self._formulas[i] = [_bare(_shortened(text.replace(" * ", " × "))) for text in found]
        return self._formulas[i][operand]

    def derivative(self, over: int, under: int) -> str:
        """Return the sign of a derivative, as in `∂s/∂h`."""
        return f"∂{self._tight(over)}/∂{self._tight(under)}"

    def _slope(self, i: int, operand: int) -> str:
        """Return the sign of a local derivative; of a repeated operand, which of its uses."""
        parents = self.recording.parents[i]
        sign = self.derivative(i, parents[operand])
        repeated = parents.count(parents[operand]) > 1
        return f"{sign} (operand {operand + 1})" if repeated else sign

    def _tight(self, i: int) -> str:
        name, binds = self.names[i], self._texts[i].precedence
        blank = " " in name and not self.recording.nodes[i].label
        return f"({name})" if blank or binds < 5 else name

    def gradient_of(self, i: int) -> str:
        """Return how the gradient of value `i` is called: `h.grad`."""
        node = self.recording.nodes[i]
        if not node.label and not self.recording.parents[i]:
            return f"the gradient of the number {self.names[i]}"
        bare = " " not in self.names[i] and self._texts[i].precedence == 5
        return f"{self.names[i]}.grad" if bare else f"the gradient of {self.names[i]}"

    def _subject(self, i: int) -> str:
        node = self.recording.nodes[i]
        plain = not node.label and not self.recording.parents[i]
        return f"the number {self.names[i]}" if plain else self.names[i]

    def is_constant(self, i: int) -> bool:
        """Return whether value `i` is a plain number that met a Value."""
        return self.recording.nodes[i].op is constant

    # ---- sentences -----------------------------------------------------------------------------

    def sentence(self, row: Row) -> str:
        """Return what happens in this step, one sentence a fact."""
        if row.kind == "forward":
            return self._evaluated(row.node)
        if row.kind == "seed":
            return self._seeded(row)
        return self._passed(row)

    def _evaluated(self, i: int) -> str:
        node, name = self.recording.nodes[i], self.names[i]
        expression, numbers = self.expression(i), self.with_numbers(i)
        data = number_text(self.recording.data[i])
        kind = f"{node.op.noun} " if node.op.noun != node.op.name else ""
        relation = self.relation(i)
        if node.op.held:
            of = f"the {kind}of {self._operands(i)}, held constant because {node.op.held}"
            name = f"{name} is " if name != expression else ""
            return f"{_start(name + of)}: {numbers} {relation} {data}."
        if name == expression:
            start = f"The {kind}{expression} is" if kind else f"{expression} is"
            return f"{start} {numbers} {relation} {data}."
        return f"{name} is {'the ' if kind else ''}{kind}{expression}: {numbers} {relation} {data}."

    def relation(self, i: int) -> str:
        """Return `=` where the digits shown of an evaluation are exact, else `≈`."""
        return "=" if self._is_exact(i) else "≈"

    def right_after(self, row: Row) -> Any:
        """Return what a gradient would be after `row` if no rule were broken; None if open."""
        target = row.node if row.kind == "seed" else row.parent
        if self.broken == "assign" and row.kind == "chain":
            return self._right_after[row.node, row.operand]
        return self.right[target] if row.number == row.of else None

    def _is_exact(self, i: int) -> bool:
        """Return whether the result's shown digits are what the operands' shown digits give.

        A function whose result is no fraction is exact at few points, as sqrt is at 4. There it
        changes with each operand; where it does not, as tanh at 20, the float is rounded.
        """
        forward = self.recording.nodes[i].op.forward
        digits = [shown(number_text(self.recording.data[p])) for p in self.recording.parents[i]]
        operands = [_Exact(x) if isinstance(x, Fraction) else x for x in digits]
        right = shown(number_text(self.recording.data[i]))
        if right is None or None in operands:
            return False
        try:
            found = forward(*operands)
            if not (is_same(found, right) and isinstance(found, float)):
                return is_same(found, right)
            if not all(map(finite, operands)):
                return True
            nearby = [
                forward(*operands[:k], x + (abs(x) or 1) / 2**20, *operands[k + 1 :])
                for k, x in enumerate(operands)
            ]
        except (ValueError, ArithmeticError, TypeError):
            return False
        return found not in nearby

    def kept(self, i: int) -> str:
        """Return which local derivatives the evaluation of value `i` leaves for the way back."""
        parents, locals_ = self.recording.parents[i], self.recording.locals[i]
        if self.recording.nodes[i].op.held:
            return f"Nothing is kept for the way back: {self.names[i]} is held constant."
        parts = [
            f"{self._slope(i, k)} {sign_of_number(local)} {number_text(local)}"
            for k, local in enumerate(locals_[:4])
        ]
        more = f", and {len(parents) - 4} more" if len(parents) > 4 else ""
        return "Kept for the way back: " + ", ".join(parts) + more + "."

    def _seeded(self, row: Row) -> str:
        name = self.names[row.node]
        if row.turn == 1:
            return f"The way back starts at {name}. Its gradient with respect to itself is 1."
        return (
            f"A second pass starts at {name}, with the seed 1. No gradient was set to 0 before it: "
            "every leaf still holds the sum of the first pass."
        )

    def _passed(self, row: Row) -> str:
        child, parent = self.names[row.node], self._subject(row.parent)
        op = self.recording.nodes[row.node].op
        if op.held:
            says = f"{child} passes nothing back to {parent}: it is held constant, {op.held}."
            return f"{says} {self._sum(row)}"
        if row.local == 0 and op.gate and not finite(row.upstream):
            says = f"{child} passes nothing back to {parent}: {op.name} did not choose it."
        elif row.local is None:
            says = (
                f"{child} passes nothing back to {parent}: its own gradient is 0, so the local "
                "derivative, which does not exist here, is not needed."
            )
        else:
            up, local, adds = signed(row.upstream), number_text(row.local), signed(row.contribution)
            says = (
                f"{child} passes gradient back to {parent}: upstream {up} times local derivative "
                f"{local} {'is' if self._product(row) == '=' else 'is about'} {adds}."
            )
        return " ".join([says, *self._remarks(row), self._sum(row)])

    def _product(self, row: Row) -> str:
        """Return `=` or `≈` for what a chain step multiplies."""
        numbers = signed(row.upstream), number_text(row.local)
        return sign_of_equation(numbers, signed(row.contribution), operator.mul)

    def sum_sign(self, row: Row) -> str:
        """Return `=` or `≈` for before + upstream × local and after, as the page shows them."""
        if row.local is None:
            return "="
        numbers = signed(row.before), signed(row.upstream), number_text(row.local)
        kept = 0 if self.broken == "assign" else 1
        return sign_of_equation(numbers, signed(row.after), lambda b, up, x: kept * b + up * x)

    def _operands(self, i: int) -> str:
        names = [self.names[p] for p in self.recording.parents[i]]
        if len(names) > 5:
            names = [*names[:2], f"{len(names) - 3} more", names[-1]]
        return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]

    def _remarks(self, row: Row) -> list[str]:
        node, remarks = self.recording.nodes[row.node], []
        op, operands = node.op, self.recording.parents[row.node]
        uses = operands.count(row.parent)
        if uses > 1:
            nth = operands[: row.operand + 1].count(row.parent)
            which = "both operands" if uses == len(operands) == 2 else f"{uses} operands"
            ordinal = {1: "first", 2: "second", 3: "third"}.get(nth, f"number {nth}")
            remarks.append(
                f"{self.names[row.parent]} is {which} of {self.expression(row.node)}; "
                f"this is the {ordinal}."
            )
        at = self.recording.data[row.parent]
        if len(operands) == 1 and any(at == kink for kink in op.kinks):
            remarks.append(
                f"{op.name} has a corner at {number_text(at)}; we take {number_text(row.local)}."
            )
        elif row.upstream == 0:
            if row.local is not None:
                remarks.append(f"Nothing arrives from {self.names[row.node]}: its gradient is 0.")
        elif row.local == 0:
            why = f" ({op.name} is flat at {number_text(at)})" if len(operands) == 1 else ""
            remarks.append(f"No gradient gets through: the local derivative is 0{why}.")
        if self.broken in ("recursion", "visit_once", "post_order"):
            right = self.right[row.node]
            if not is_same(row.upstream, right):
                remarks.append(
                    f"Too early: {self.gradient_of(row.node)} is not complete, "
                    f"right would be {signed(right)}."
                )
        return remarks

    def _sum(self, row: Row) -> str:
        grad = self.gradient_of(row.parent)
        before, after = signed(row.before), signed(row.after)
        right = self.right[row.parent] if self.right else row.after
        if self.broken == "assign" and row.number > 1:
            lost = f"{_start(grad)} is overwritten: {before} is lost. Now {after}"
            running = self._right_after[row.node, row.operand]
            if not is_same(running, row.after):
                return f"{lost}, right would be {signed(running)}."
            if is_same(row.before, row.after):
                return f"{_start(grad)} is overwritten by the same number."
            return f"{lost}."
        end = "final" if is_same(row.after, right) else f"final, but right would be {signed(right)}"
        kept = row.turn > 1 and row.number == 1 and not self.recording.parents[row.parent]
        if kept:
            added = f"Added to {before} left over from the first pass, {grad} is {after}"
            return f"{added}: {end}." if row.of == 1 else f"{added} so far (1 of {row.of})."
        if row.of == 1:
            equals = sign_of_number(row.after)
            alone = f"Nothing else uses {self._subject(row.parent)}, so {grad} {equals} {after} is "
            return f"{alone}{end}."
        if row.number == 1:
            return f"That is the first of {row.of} contributions: {grad} is {after} so far."
        if row.number < row.of:
            return f"Added to {before}, {grad} is {after} so far ({row.number} of {row.of})."
        return f"Added to {before}, {grad} is {after}. That was the last of {row.of}: {end}."

    def done(self, steps: int, grads: Sequence[Any]) -> str:
        """Return the closing sentence: what the leaves hold after so many steps."""
        recording = self.recording
        leaves = [
            i for i, parents in enumerate(recording.parents)
            if not parents and recording.nodes[i].label
        ]  # fmt: skip
        wrong = [
            i for i in range(len(grads)) if self.right and not is_same(grads[i], self.right[i])
        ]
        shown = [i for i in leaves if i in set(wrong)] or leaves if self.broken else leaves
        parts = [
            f"{self.names[i]} {signed(grads[i])}"
            + (f" (right: {signed(self.right[i])})" if i in set(wrong) and self.broken else "")
            for i in shown[:6]
        ]
        if len(shown) > 6:
            parts.append(f"and {len(shown) - 6} more")
        count = f"Done in {steps} step{'s' * (steps != 1)}"
        text = f"{count}: {', '.join(parts)}" if parts else count
        if not self.broken:
            return f"{text}, the same as backward()."
        verdict = (
            f"Broken on purpose ({BROKEN[self.broken]}): {len(wrong)} of {len(grads)} gradients "
            "are wrong."
        )
        return f"{text}. {verdict}"

    # ---- formulas ------------------------------------------------------------------------------

    def rule(self, row: Row) -> str:
        """Return where the local derivative of a chain step comes from, in one line."""
        if row.kind != "chain":
            return self.kept(row.node) if row.kind == "forward" else ""
        expression = self.expression(row.node)
        name = self.names[row.node]
        sign = self._slope(row.node, row.operand)
        formula, local = self.local_formula(row.node, row.operand), number_text(row.local)
        equals = sign_of_number(row.local) if row.local is not None else "="
        value = local if formula in ("", local) else f"{formula} {equals} {local}"
        equals = "=" if value != local else equals
        if row.local is None:
            value = f"{formula}, which does not exist here" if formula else "nothing here"
        made = f"{name} = {expression}, so " if name != expression else ""
        if held := self.recording.nodes[row.node].op.held:
            return f"{name} = {expression} is held constant: {held}".removeprefix(
                f"{expression} = "
            )
        return f"{made}{sign} {equals} {value}"

    def latex(self, row: Row) -> str:
        """Return the step as LaTeX, with symbols and with numbers put in."""
        name = latex_name(self.names[row.node])
        root = latex_name(self.names[-1])
        if row.kind == "forward":
            relation = self.relation(row.node).replace("≈", r"\approx")
            numbers = self.with_numbers(row.node)
            data = number_text(self.recording.data[row.node])
            return (
                rf"{name} = \mathrm{{{_latex_text(self.expression(row.node))}}}"
                rf" = \mathrm{{{_latex_text(numbers)}}} {relation} {data}"
            )
        if row.kind == "seed":
            return rf"\frac{{\partial {root}}}{{\partial {root}}} = 1"
        parent = latex_name(self.names[row.parent])
        adds = "=" if self.broken == "assign" else r"\mathrel{+}="
        symbols = (
            rf"\frac{{\partial {root}}}{{\partial {parent}}} {adds} "
            rf"\frac{{\partial {root}}}{{\partial {name}}} \cdot "
            rf"\frac{{\partial {name}}}{{\partial {parent}}}"
        )
        if self.recording.nodes[row.node].op.held:
            return rf"{symbols} = 0 \quad ({name}\ \text{{is held constant}})"
        if row.local is None:
            return symbols + " = 0"
        relation = self._product(row).replace("≈", r"\approx")
        up, local = _in_parentheses(number_text(row.upstream)), number_text(row.local)
        product = rf"{up} \cdot {_in_parentheses(local)} {relation} {number_text(row.contribution)}"
        return f"{symbols} = {product}".replace("≈", r"\approx ").replace("!", "")

    def addition(self, row: Row) -> str:
        """Return the running sum of a later contribution, as in `+4 - 6 = -2`; else nothing."""
        if row.kind != "chain" or row.before == 0 or row.contribution is None:
            return ""
        before, adds, after = signed(row.before), signed(row.contribution), signed(row.after)
        if self.broken == "assign":
            return f"{before} → {after}"
        sign = "-" if adds.lstrip("≈").startswith("-") else "+"
        relation = sign_of_equation((before, adds), after, operator.add)
        return f"{before} {sign} {re.sub(r'[-+]', '', adds, count=1)} {relation} {after}"


def _start(text: str) -> str:
    return text[0].upper() + text[1:] if text.startswith("the ") else text


def _number(data: Any, first: bool = True) -> Text:
    text = number_text(data)
    if text.lstrip("≈").startswith("-"):  # bare at the start only: -6 + 10, but 10 + (-6)
        return Text(text, 1 if not first else 2 if "/" in text else 3)
    return Text(text, 2 if "/" in text else 5)


class _Exact(Fraction):
    """A fraction whose powers are refused where they would have very many digits."""

    def __pow__(self, exponent: Any) -> Any:
        size = max(self.numerator.bit_length(), self.denominator.bit_length())
        if exponent == int(exponent) and size > 1 and size * abs(exponent) > LONGEST_POWER:
            raise OverflowError("too long")
        return Fraction(self) ** exponent


def _shortened(text: str) -> str:
    """Keep the first two and the last of many terms."""
    if len(text) <= LONGEST_EXPRESSION:
        return text
    terms = text.split(" + ")
    if len(terms) > 4 and len(" + ".join([*terms[:2], terms[-1]])) <= LONGEST_EXPRESSION:
        return " + ".join([*terms[:2], "…", terms[-1]])
    return f"{text[: LONGEST_EXPRESSION // 2]}…{text[-LONGEST_EXPRESSION // 3 :]}"


def _bare(text: str) -> str:
    """Drop parentheses around the whole of a text."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1]


def _latex_text(text: str) -> str:
    kept = re.sub(r"[\\{}_^#$%&~ ]", _escaped, text)
    return kept.replace("×", r"\cdot ").replace("≈", r"\approx ").replace("…", r"\dots ")
