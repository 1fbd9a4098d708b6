"""What is said of a step of back-propagation: a sentence, a caption, a formula and its LaTeX.

The same text is shown in Python, in a terminal, in a notebook, on a page and in a film, and a
screen reader reads it aloud. `micrograd.style.number_text` writes the numbers, with an ASCII minus.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, Final

from micrograd.backward_pass import BROKEN, Recording, Row, final_gradients, is_same
from micrograd.errors import GradientError
from micrograd.formula import Text, partial_formulas, write
from micrograd.ops import Op, is_constant, sigmoid, tanh
from micrograd.sentences.naming import called as called_in
from micrograd.sentences.naming import numeral, product_signs, shortened
from micrograd.sentences.signs import latex_text, shown, sign_of_equation, sign_of_number
from micrograd.sentences.slots import (
    AFTER,
    BEFORE,
    CHILD,
    CON,
    DATA,
    LOCAL,
    MADE,
    MULTIPLIED,
    NOTHING,
    UP,
    capital,
    filling,
)
from micrograd.sentences.templates import case, fill, once, slot
from micrograd.style import finite, number_text
from micrograd.values.names import names_in
from micrograd.values.notation import Names

__all__ = ["Words"]

LONGEST_POWER: Final = 10_000  # bits


def _in_parentheses(text: str) -> str:
    return f"({text})" if text.startswith("-") or "/" in text else text


class Words:
    """The names of the values of one graph, and what is said of each step.

    Parameters
    ----------
    recording : Recording
    broken : str, optional
        The rule that the pass breaks on purpose, a key of `BROKEN`.
    correct_rows : sequence of Row, optional
        The correct pass, to compare a broken one with.
    called : Names, optional
        What the values are called, by default as `values.names.names_in` says.
    precision : int, default 4
        Significant digits.

    Attributes
    ----------
    names : list of str
        What each value is called; see `naming.called`.
    """

    def __init__(
        self,
        recording: Recording,
        broken: str | None = None,
        correct_rows: Sequence[Row] = (),
        called: Names | None = None,
        precision: int = 4,
    ) -> None:
        self.recording = recording
        self.broken = broken
        self.precision = precision
        self.correct = final_gradients(correct_rows, len(recording.nodes)) if broken else []
        self.correct_after_each = {(row.node, row.operand): row.after for row in correct_rows}
        self._formulas: dict[int, list[str]] = {}
        self._expressions: dict[tuple[int, bool], Text] = {}
        nodes = recording.nodes
        self.called = names_in(nodes) if called is None else called
        self._titles = self.called.titles(nodes)
        self._texts = called_in(
            nodes,
            recording.parents,
            recording.data,
            self._titles,
            products=self.called.products,
            precision=precision,
        )
        self.names = [text.text for text in self._texts]

    # ---- parts ---------------------------------------------------------------------------------

    def text_of(self, number: Any) -> str:
        """Return a number as it is written here."""
        return number_text(number, self.precision)

    def signed(self, number: Any) -> str:
        """Return a gradient, or what is added to one, as it is written here."""
        return number_text(number, self.precision, signed=True)

    def equals(self, number: Any) -> str:
        """Return `=` where all digits of a number are written, else `≈`."""
        return sign_of_number(number, self.precision)

    def _expression(self, i: int, numbers: bool = False) -> Text:
        if (i, numbers) not in self._expressions:
            self._expressions[i, numbers] = self._written(i, numbers)
        return self._expressions[i, numbers]

    def _written(self, i: int, numbers: bool) -> Text:
        op, parents = self.recording.nodes[i].op, self.recording.parents[i]
        operands = [
            numeral(self.text_of(self.recording.data[p]), op.code.startswith(f"{{{j}}}"))
            if numbers
            else self._texts[p]
            for j, p in enumerate(parents)
        ]
        written = write(op, operands)
        text = shortened(product_signs(written.text))
        return Text(text, written.precedence)

    def expression(self, i: int) -> str:
        """Return how value `i` is computed, with the names of its operands, as in `h + b`."""
        return self._expression(i).text

    def with_numbers(self, i: int) -> str:
        """Return how value `i` is computed, with the numbers of its operands, as in `-6 + 10`."""
        return self._expression(i, numbers=True).text

    def local_formula(self, i: int, operand: int) -> str:
        """Return the formula of a local derivative of value `i`, as in `1 - o × o`."""
        if i not in self._formulas:
            names = [self._texts[p] for p in self.recording.parents[i]]
            try:
                found = partial_formulas(self.recording.nodes[i].op, names, self._texts[i])
            except (GradientError, ValueError, ArithmeticError):
                found = [""] * len(names)
            self._formulas[i] = [_bare(shortened(product_signs(text))) for text in found]
        return self._formulas[i][operand]

    def derivative(self, over: int, under: int) -> str:
        """Return the symbol of a derivative, as in `∂s/∂h`."""
        return f"∂{self.tight(over)}/∂{self.tight(under)}"

    def _local_symbol(self, i: int, operand: int, symbol: str) -> str:
        """Return the symbol of a local derivative, with the operand's number if it is repeated."""
        parents = self.recording.parents[i]
        repeated = parents.count(parents[operand]) > 1
        return f"{symbol} (operand {operand + 1})" if repeated else symbol

    def tight(self, i: int) -> str:
        """Return the name of value `i` in a symbol: in parentheses where it needs them."""
        name, binds = self.names[i], self._texts[i].precedence
        blank = " " in name and not self._titles[i]
        return f"({name})" if blank or binds < 5 else name

    def gradient_of(self, i: int) -> str:
        """Return what the gradient of value `i` is called: `h.grad`."""
        if self.is_number(i):
            return f"the gradient of the number {self.names[i]}"
        bare = " " not in self.names[i] and self._texts[i].precedence == 5
        return f"{self.names[i]}.grad" if bare else f"the gradient of {self.names[i]}"

    def gradient_symbol(self, i: int) -> str:
        """Return the symbol of a gradient where the root has a short name: `∂loss/∂s1[2]`."""
        root = self.names[-1]
        return (
            self.derivative(-1, i) if self._titles[-1] or " " not in root else self.gradient_of(i)
        )

    def subject(self, i: int) -> str:
        """Return what value `i` is called where it is spoken of: a plain number as a number."""
        return f"the number {self.names[i]}" if self.is_number(i) else self.names[i]

    def is_number(self, i: int) -> bool:
        """Return whether value `i` is a plain number of an expression, without a name."""
        return not self._titles[i] and is_constant(self.recording.nodes[i])

    # ---- sentences -----------------------------------------------------------------------------

    def filled(self, template: str, row: Row) -> str:
        """Return a template with the numbers of a step."""
        return fill(template, partial(filling, self, row, ()))

    def sentence(self, row: Row) -> str:
        """Return what happens in this step, one sentence for each fact."""
        return self.filled(self.sentence_template(row), row)

    def sentence_template(self, row: Row) -> str:
        """Return that sentence with slots for its numbers."""
        if row.kind == "forward":
            return self._evaluated(row.node)
        if row.kind == "seed":
            return self._seeded(row)
        return self._passed(row)

    def _evaluated(self, i: int) -> str:
        node, name, expression = self.recording.nodes[i], self.names[i], self.expression(i)
        own = name == expression
        kind = f"{node.op.noun} " if node.op.noun != node.op.name else ""
        result = case("plain", DATA, f"{slot('numbers')} {slot('relation')} {DATA}")
        if node.op.held:
            of = f"the {kind}of {self._operands(i)}, held constant because {node.op.held}"
            return f"{capital(of) if own else f'{CHILD} is {of}'}: {result}."
        operands = self.recording.parents[i]
        if i in self._sums:
            return f"{CHILD} is the weighted sum of its inputs plus the bias: {DATA}."
        if i in self._activations:
            symbol = self.activation(i)
            evaluated = f"{symbol}({slot('operand', 0)}) {slot('relation')} {DATA}"
            return f"{CHILD} = {symbol}({slot('parent', 0)}): {evaluated}."
        if len(operands) == 1 and expression == self.names[operands[0]]:
            return f"{CHILD} is the {node.op.noun} of {MADE}: {DATA}."
        if own:
            return f"{f'The {kind}' if kind else ''}{MADE} is {result}."
        return f"{CHILD} is {'the ' if kind else ''}{kind}{MADE}: {result}."

    def relation(self, i: int) -> str:
        """Return `=` where the digits shown make the evaluation of value `i` exact, else `≈`."""
        return "=" if self._is_exact(i) else "≈"

    def correct_after(self, row: Row) -> Any:
        """Return what the gradient should be after `row`; None where that cannot be said yet."""
        target = row.node if row.kind == "seed" else row.parent
        if self.broken == "assign" and row.kind == "chain":
            return self.correct_after_each[row.node, row.operand]
        return self.correct[target] if row.number == row.of else None

    def _is_exact(self, i: int) -> bool:
        """Return whether the digits shown of the operands give those shown of the result.

        A function that is computed in floats is exact at few points only, as sqrt is at 4. There
        it changes with each operand; where it does not, as tanh at 20, its float is rounded.
        """
        forward = self.recording.nodes[i].op.forward
        digits = [shown(self.text_of(self.recording.data[p])) for p in self.recording.parents[i]]
        operands = [_Exact(x) if isinstance(x, Fraction) else x for x in digits]
        result = shown(self.text_of(self.recording.data[i]))
        if result is None or None in operands:
            return False
        try:
            found = forward(*operands)
            if not (is_same(found, result) and isinstance(found, float)):
                return is_same(found, result)
            if not all(map(finite, operands)):
                return True
            nearby = [
                forward(*operands[:k], x + (abs(x) or 1) / 2**20, *operands[k + 1 :])
                for k, x in enumerate(operands)
            ]
        except (ValueError, ArithmeticError, TypeError):
            return False
        return found not in nearby

    def _saved(self, i: int) -> str:
        """Return the local derivatives that the evaluation of value `i` saves."""
        op, parents = self.recording.nodes[i].op, self.recording.parents[i]
        if op.held:
            return f"Nothing is saved for the backward pass: {CHILD} is held constant."
        numbers = [
            case(f"is – slope {k}", "has no finite value", f"{slot('exact', k)} {slot('slope', k)}")
            for k in range(len(parents[:4]))
        ]
        symbols = [self._local_symbol(i, k, slot("symbol", k)) for k in range(len(numbers))]
        parts = [f"{symbol} {number}" for symbol, number in zip(symbols, numbers, strict=True)]
        if i in self._sums:
            parts = ["inputs and weights"]
        elif i in self._activations:
            rule = _WRITTEN.get(op, ("", ""))[1]
            parts = [f"{self.activation(i)}′ {f'= {rule} ' if rule else ''}{numbers[0]}"]
        elif saved := _SAVED.get(op.key):
            parts = [saved]
        elif len(parents) > 4:
            parts.append(f"and {len(parents) - 4} more")
        return f"Saved for the backward pass: {', '.join(parts)}."

    @cached_property
    def _places(self) -> dict[Any, int]:
        return {node: i for i, node in enumerate(self.recording.nodes)}

    @cached_property
    def _sums(self) -> set[int]:
        """The weighted sums of neurons that are one node each."""
        uses = [use for neuron in self.called.neurons for use in neuron.uses if not use.parts]
        return {self._places[use.s] for use in uses if use.s.op.pairs}

    @cached_property
    def _activations(self) -> set[int]:
        uses = [use for neuron in self.called.neurons for use in neuron.uses]
        return {self._places[use.x] for use in uses if use.x is not None}

    def activation(self, i: int) -> str:
        """Return what the activation that gives value `i` is called: σ, tanh, relu."""
        op: Op = self.recording.nodes[i].op
        return _WRITTEN.get(op, (op.name, ""))[0]

    def _seeded(self, row: Row) -> str:
        name = self.names[row.node]
        if row.turn == 1:
            return (
                f"The backward pass starts at {name}. Its derivative with respect to itself is 1."
            )
        return (
            f"A second pass starts at {name}, with the seed 1. No gradient was set to 0 before it: "
            "every leaf still holds the sum of the first pass."
        )

    def _passed(self, row: Row) -> str:
        child, parent = CHILD, slot("subject")
        op = self.recording.nodes[row.node].op
        if op.held:
            why = f"it is held constant, because {op.held}"
            return f"{child} passes nothing back to {parent}: {why}. {self._sum(row)}"
        says = (
            f"{child} passes gradient back to {parent}: upstream {UP} times local derivative "
            f"{LOCAL} {case('product', 'is', 'is about')} {CON}."
        )
        is_number = is_constant(self.recording.nodes[row.parent])
        why = "no number is differentiated" if is_number else "its own gradient is 0"
        unneeded = (
            f"{child} passes nothing back to {parent}: {why}, so the local derivative, which has "
            "no finite value here, is not needed."
        )
        says = case("undefined", unneeded, says)
        if self._is_not_chosen(row):
            says = f"{child} passes nothing back to {parent}: {op.name} did not choose it."
        return f"{says}{self._remarks(row)} {self._sum(row)}"

    def is_undefined(self, row: Row) -> bool:
        """Return whether a local derivative without a finite value is not needed in a step."""
        return row.local is None or (row.contribution == 0 and not finite(row.local))

    def _is_not_chosen(self, row: Row) -> bool:
        """Return whether an infinite gradient is not passed on, because the operand is not used."""
        gate = self.recording.nodes[row.node].op.gate
        return bool(gate and row.local == 0 and not finite(row.upstream))

    def passes_nothing(self, row: Row) -> bool:
        """Return whether the product of a step is not computed: it is not needed."""
        return self.is_undefined(row) or self._is_not_chosen(row)

    def product(self, row: Row) -> str:
        """Return `=` or `≈` for upstream × local and the contribution."""
        *factors, product = self._factors(row)
        return sign_of_equation(factors, product, operator.mul)

    def _factors(self, row: Row) -> tuple[str, str, str]:
        """Return upstream, local derivative and contribution as they are shown."""
        numbers = self.signed(row.upstream), self.text_of(row.local)
        return *numbers, self.signed(row.contribution)

    def sum_sign(self, row: Row) -> str:
        """Return `=` or `≈` for before + upstream × local and after, as the page shows them.

        It is `→` where nothing is passed: there the product is not computed.
        """
        if self.passes_nothing(row):
            return "→"
        numbers = self.signed(row.before), self.signed(row.upstream), self.text_of(row.local)
        kept = 0 if self.broken == "assign" else 1
        return sign_of_equation(numbers, self.signed(row.after), lambda b, up, x: kept * b + up * x)

    def _operands(self, i: int) -> str:
        names = [self.names[p] for p in self.recording.parents[i]]
        if len(names) > 5:
            names = [*names[:2], f"{len(names) - 3} more", names[-1]]
        return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]

    def _remarks(self, row: Row) -> str:
        """Return what else is to be said of a step, each remark after a blank."""
        node, remarks = self.recording.nodes[row.node], ""
        op, operands = node.op, self.recording.parents[row.node]
        uses = operands.count(row.parent)
        if uses > 1:
            nth = operands[: row.operand + 1].count(row.parent)
            which = "both operands" if uses == len(operands) == 2 else f"{uses} operands"
            ordinal = {1: "first", 2: "second", 3: "third"}.get(nth, f"number {nth}")
            remarks += (
                f" {slot('parent', row.operand)} is {which} of {MADE}; this is the {ordinal}."
            )
        why = f" ({op.name} is flat at {slot('at')})" if len(operands) == 1 else ""
        remark = case(
            "idle",
            case("undefined", "", f" Nothing arrives from {CHILD}: its gradient is 0."),
            case("flat", f" No gradient gets through: the local derivative is 0{why}."),
        )
        if len(operands) == 1 and op.kinks:
            kink = f" {op.name} has a kink at {slot('at')}, where its derivative is taken to be "
            remark = case("kink", f"{kink}{LOCAL}.", remark)
        remarks += remark
        if self.broken in ("recursion", "visit_once", "post_order"):
            early = f" Too early: {slot('own sum')} is not complete; "
            remarks += case("early", f"{early}{slot('complete')} would be correct.")
        return remarks

    def _sum(self, row: Row) -> str:
        grad, start = slot("sum"), slot("Sum")
        if self.broken == "assign" and row.number > 1:
            lost = f"{start} is overwritten: {BEFORE} is lost. It is now {AFTER}"
            same = f"{start} is overwritten by the same number."
            right = f"{lost}; {slot('running')} would be correct."
            return case("lost", right, case("same", same, f"{lost}."))
        about = case("about", "about ")
        wrong = f", but {slot('right')} would be correct"
        end = "final" + (case("wrong", wrong) if self.correct else "")
        if row.turn > 1 and row.number == 1 and not self.recording.parents[row.parent]:
            left = f"Added to {BEFORE} left over from the first pass, this gives"
            added = f"{left} {grad} {slot('equals')} {AFTER}"
            return f"{added}: {end}." if row.of == 1 else f"{added} so far (1 of {row.of})."
        if row.of == 1:
            return f"That is all that {slot('subject')} gets: {end}."
        if row.number == 1:
            return f"The first of {row.of} contributions."
        is_last = row.number == row.of
        gives = (
            f"Added to {BEFORE}, {grad} is {about}" if is_last else f"Added to {BEFORE}: {about}"
        )
        added = case("nothing", f"{start} stays {AFTER}", f"{gives}{AFTER}")
        if is_last:
            return f"{added}. That was the last of {row.of}: {end}."
        return f"{added} so far ({row.number} of {row.of})."

    def done(self, steps: int, grads: Sequence[Any]) -> str:
        """Return the closing sentence: what the leaves hold after this number of steps."""
        template = self.done_template(steps, grads)
        return fill(template, lambda name: self.signed(grads[int(name.split()[1])]))

    def done_template(self, steps: int, grads: Sequence[Any]) -> str:
        """Return that sentence with slots for the gradients, where no rule is broken."""
        recording = self.recording
        leaves = [i for i, title in enumerate(self._titles) if title and not recording.parents[i]]
        wrong = {i for i, correct in enumerate(self.correct) if not is_same(grads[i], correct)}
        listed = [i for i in leaves if i in wrong] or leaves
        parts = [
            f"{self.names[i]} {slot('grad', i)}"
            + (f" (correct: {self.signed(self.correct[i])})" if i in wrong else "")
            for i in listed[:6]
        ]
        if len(listed) > 6:
            parts.append(f"and {len(listed) - 6} more")
        count = f"Done in {steps} step{'s' * (steps != 1)}"
        text = f"{count}: {', '.join(parts)}" if parts else count
        if not self.broken:
            return f"{text}, the same as backward()."
        counted = (
            f"{len(wrong)} of {len(grads)} gradients {'is' if len(wrong) == 1 else 'are'} wrong"
        )
        return f"{text}. Broken on purpose ({BROKEN[self.broken]}): {counted}."

    def caption(self, row: Row) -> str:
        """Return a step of the backward pass in one line of numbers.

        As in `s → h:  -6 × 1 = -6    h.grad = +4 - 6 = -2`.
        """
        if row.kind == "seed":
            return self._seeded(row)
        product = self.filled(MULTIPLIED, row)
        line = f"{self.names[row.node]} → {self.names[row.parent]}:  {product}"
        if addition := self.addition(row):
            exact = all(self.equals(term) == "=" for term in (row.before, row.contribution))
            line += f"    {self.gradient_of(row.parent)} {'=' if exact else '≈'} {addition}"
        return line

    # ---- formulas ------------------------------------------------------------------------------

    def rule(self, row: Row) -> str:
        """Return where the local derivative of a chain step comes from, in one line."""
        return self.filled(self.rule_template(row), row)

    def rule_template(self, row: Row) -> str:
        """Return that line with slots for its numbers."""
        if row.kind != "chain":
            return self._saved(row.node) if row.kind == "forward" else ""
        own = self.names[row.node] == self.expression(row.node)
        if held := self.recording.nodes[row.node].op.held:
            return f"{CHILD if own else f'{CHILD} = {MADE}'} is held constant, because {held}"
        symbol = self._local_symbol(row.node, row.operand, slot("symbol"))
        formula = self.local_formula(row.node, row.operand)
        number = f"{slot('exact')} {LOCAL}"
        value = f"= {slot('formula')} {number}" if formula else number
        if re.fullmatch(r"[-≈\d./e]+", formula):
            value = case(f"is {formula} local", number, value)
        missing = "has no finite value here"
        if formula:
            missing = f"= {slot('formula')}, which {missing}"
        made = "" if own else f"{CHILD} = {MADE}, so "
        return f"{made}{symbol} {case('undefined', missing, value)}"

    def latex(self, row: Row) -> str:
        """Return the step as LaTeX, with symbols and with numbers put in."""
        name = self._latex(self.names[row.node])
        root = self._latex(self.names[-1])
        if row.kind == "forward":
            data = once(f"{self.relation(row.node)} {self.text_of(self.recording.data[row.node])}")
            return (
                f"{name} = {self._latex(self.expression(row.node))} = "
                f"{latex_text(self.with_numbers(row.node))} " + data.replace("≈", r"\approx")
            )
        if row.kind == "seed":
            return rf"\frac{{\partial {root}}}{{\partial {root}}} = 1"
        parent = self._latex(self.names[row.parent])
        adds = "=" if self.broken == "assign" else r"\mathrel{+}="
        passed = rf"\frac{{\partial {root}}}{{\partial {parent}}} {adds} "
        symbols = passed + (
            rf"\frac{{\partial {root}}}{{\partial {name}}} \cdot "
            rf"\frac{{\partial {name}}}{{\partial {parent}}}"
        )
        if self.recording.nodes[row.node].op.held:
            return rf"{symbols} = 0 \quad ({name}\ \text{{is held constant}})"
        if self.passes_nothing(row):
            return rf"{passed}0 \quad (\text{{{NOTHING}}})"
        up, local, adds = map(self.text_of, (row.upstream, row.local, row.contribution))
        product = (
            rf"{_in_parentheses(up)} \cdot {_in_parentheses(local)} {self.product(row)} {adds}"
        )
        product = (
            once(product).replace("≈ ", r"\approx ").replace("≈", r"\approx ").replace("!", "")
        )
        return f"{symbols} = {product}"

    def _latex(self, text: str) -> str:
        return self.called.latex(text, latex_text)

    def addition(self, row: Row) -> str:
        """Return the sum that a later contribution is added to, as in `+4 - 6 = -2`; else ""."""
        return "" if row.kind != "chain" or row.before == 0 else self.filled(self._added(), row)

    def _added(self) -> str:
        if self.broken == "assign":
            return f"{BEFORE} → {AFTER}"
        sign = case("less", "-", "+")
        return f"{BEFORE} {sign} {slot('size')} {slot('joined')} {AFTER}"

    def arithmetic(self, row: Row) -> str:
        """Return what a chain step computes: a product first, as in `-6 × 1 = -6`, then a sum."""
        return self.filled(self.arithmetic_template(row), row)

    def arithmetic_template(self, row: Row) -> str:
        """Return that line with slots for its numbers."""
        return case("first", MULTIPLIED, self._added()) if row.kind == "chain" else ""


# What a row that has its own words is called, and its derivative where it gives x; what it saves.
_WRITTEN: Final[dict[Op, tuple[str, str]]] = {
    sigmoid: ("σ", "x(1 - x)"), tanh: ("tanh", "1 - x²")
}  # fmt: skip
_SAVED: Final[dict[Op | str, str]] = {"logsumexp_of": "the probabilities"}


class _Exact(Fraction):
    """A fraction whose powers are refused where they would have very many digits."""

    def __pow__(self, exponent: Any) -> Any:
        size = max(self.numerator.bit_length(), self.denominator.bit_length())
        if exponent == int(exponent) and size > 1 and size * abs(exponent) > LONGEST_POWER:
            raise OverflowError("too long")
        return Fraction(self) ** exponent


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
