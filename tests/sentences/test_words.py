"""What is said of steps: every formula computes what it stands for, every equation is true."""

from __future__ import annotations

import gc
import math
import re
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from strategies import ROWS, row_id
from tables import each

from micrograd import ops
from micrograd.draw import draw_dot, format_graph
from micrograd.engine import Value
from micrograd.errors import MicrogradError
from micrograd.formula import formula
from micrograd.stepper import steps
from micrograd.stepper.page import page_data
from micrograd.stepper.paths import explain
from micrograd.style import number_text

FUNCTIONS: dict[str, Any] = {**vars(ops), "inf": math.inf, "nan": math.nan, "max": max}
# An operand of every precedence: a name, a call, and each operator.
NESTS: dict[str, Any] = {
    "name": lambda a, b: a,
    "number": lambda a, b: -2,
    "labelled": lambda a, b: titled(a + b, "a + b"),
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a, b: -a,
    "square": lambda a, b: a**2,
    "power": lambda a, b: a**b,
    "base power": lambda a, b: 2**a,
    "identity": lambda a, b: ops.identity(a + b),
    "dot": lambda a, b: ops.dot([a, b], [b, a], b),
    "sum": lambda a, b: ops.sum([a, b, b]),
    "sum of one": lambda a, b: ops.sum([a - b]),
    "peak": lambda a, b: ops.peak_of(2)(a, b),
    "by hand": lambda a, b: Value(a.data - b.data, (a, b), "-"),
}

# Around it also as the right operand of what does not group from there.
AROUND = [
    *NESTS.values(),
    *(lambda a, b, f=NESTS[kind]: f(b, a) for kind in ("sub", "div", "power")),
]


def titled(value: Value, label: str) -> Value:
    value.label = label
    return value


def evaluated(text: str, names: dict[str, Any]) -> Any:
    """Return what a text says; where a label is an expression, it means that expression."""
    python = re.sub(r"(\d)/(\d)", r"\1 / \2", text.replace("×", "*"))
    return eval(python, FUNCTIONS, names)


def is_same(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))


@pytest.fixture(autouse=True, scope="module")
def networks_of_other_tests_are_gone():
    """Each formula asks all networks there are for their values, also those not freed yet."""
    gc.collect()


@pytest.mark.parametrize("inner", NESTS)
@each("op", [op for op in ROWS if op.arity <= 5], row_id)
def test_every_row_reads_back_with_every_operator_inside_and_around(op: ops.Op, inner: str) -> None:
    a, b = Value(0.7, label="a"), Value(0.3, label="b")
    names = {"a": 0.7, "b": 0.3}
    for place in range(op.arity):
        operands: list[Any] = [a, b, a, b, a][: op.arity]
        operands[place] = NESTS[inner](a, b)
        if op.family == "base_power":
            operands[0] = op.parameters[0]
        if not any(isinstance(operand, Value) for operand in operands):
            continue
        try:
            made = op(*operands)
        except MicrogradError:
            continue  # outside of its domain
        for around in AROUND:
            try:
                root = around(made, b)
            except MicrogradError:
                continue
            if isinstance(root, Value):
                root.label = ""
                text = formula(root)
                assert is_same(evaluated(text, names), root.data), (text, op)


@pytest.mark.parametrize("inner", NESTS)
@each("op", [op for op in ROWS if op.arity <= 5], row_id)
def test_the_formulas_of_steps_read_back(op: ops.Op, inner: str) -> None:
    a, b = Value(0.7, label="a"), Value(0.3, label="b")
    operands: list[Any] = [NESTS[inner](a, b), b, a, b, a][: op.arity]
    if op.family == "base_power":
        operands[0] = op.parameters[0]
    if not any(isinstance(operand, Value) for operand in operands):
        return
    try:
        walk = steps(op(*operands))
    except MicrogradError:
        return
    words = walk.words
    names = {"a": 0.7, "b": 0.3}
    names |= {
        name: walk.recording.data[i] for i, name in enumerate(words.names) if name.isidentifier()
    }
    for step in walk:
        if "…" in step.formula or not step.formula:
            continue
        said = evaluated(step.formula, names)
        if step.kind == "forward":
            near = math.e in op.parameters and step.node.op is op  # 2.718 ** x
            assert is_same(said, step.node.data) or near, step.formula
        elif step.kind == "chain" and step.local is not None:
            assert said == pytest.approx(
                step.local, rel=1e-3 if math.e in op.parameters else 1e-12, nan_ok=True
            ), step.formula


NUMBERS = [
    0, 1, -2, 3, 10**6, 1234567, 10**30, 0.1, 0.25, 1 / 3, -2 / 3, 1e-7, 123456.0, 5e-324, 1e300,
    Fraction(1, 3), Fraction(-7, 2), Fraction(10**13, 7), math.inf, -math.inf, math.nan,
]  # fmt: skip


def digits(text: str) -> Any:
    """Return an exact number, or None for digits that were cut ("≈0.3")."""
    text = text.strip().strip("()")
    if "≈" in text:
        return None
    return float(text.rstrip("!")) if text.endswith("!") else Fraction(text)


def is_true(left: Any, right: Any) -> bool:
    return None not in (left, right) and is_same(left, right)


def said(make: Any, *numbers: Any) -> Any:
    try:
        return steps(make(*[Value(x, label="xyz"[i]) for i, x in enumerate(numbers)]))
    except (MicrogradError, ArithmeticError):
        return []


MAKES: dict[str, tuple[Any, Any]] = {
    "+": (lambda x, y: x + y, lambda x, y: x + y),
    "-": (lambda x, y: x - y, lambda x, y: x - y),
    "×": (lambda x, y: x * y, lambda x, y: x * y),
    "/": (lambda x, y: x / y, lambda x, y: x / y),
}


@pytest.mark.parametrize("sign", MAKES)
@each("x", NUMBERS)
@each("y", NUMBERS)
def test_an_equation_with_an_equals_sign_is_true(sign: str, x: Any, y: Any) -> None:
    make, right = MAKES[sign]
    for step in said(make, x, y):
        if step.kind == "forward":
            relation = step._stepper.words.relation(step.row.node)
            left, result = digits(number_text(x)), digits(number_text(y))
            try:
                exact = None if None in (left, result) else right(left, result)
            except ArithmeticError:
                exact = None
            true = is_true(exact, digits(number_text(step.node.data)))
            assert (relation == "=") == true, step.text
            shown = number_text(step.node.data)
            assert f" {relation} {shown.lstrip('≈' if relation == '≈' else '')}." in step.text
        elif step.kind == "chain" and step.local is not None:
            try:
                up, local = (digits(number_text(z)) for z in (step.upstream, step.local))
                exact = None if None in (up, local) else up * local
            except OverflowError:
                exact = None
            true = is_true(exact, digits(number_text(step.contribution)))
            if math.isfinite(step.upstream) or step.local != 0:
                assert (" is about " in step.text) != true, step.text
            if step.addition and "≈" not in step.addition:
                terms, total = step.addition.split(" = ")
                assert sum_of(terms) == digits(total)
        if " = " in step.rule:
            for one, other in pairwise(step.rule.split(", so ")[-1].split(" = ")):
                if re.fullmatch(r"[-+\d./e]+", one) and re.fullmatch(r"[-+\d./e]+", other):
                    assert digits(one) == digits(other), step.rule


def sum_of(terms: str) -> Any:
    first, sign, second = terms.split(" ")
    return digits(first) + (digits(second) if sign == "+" else -digits(second))


@pytest.mark.parametrize(
    ("make", "x", "relation"),
    [
        (ops.sqrt, 4.0, "="),
        (ops.sqrt, 2.0, "≈"),
        (ops.exp, 0, "="),
        (ops.exp, -1000.0, "≈"),  # the float is 0, the number is not
        (ops.tanh, 20.0, "≈"),
        (ops.tanh, 0.0, "="),
        (ops.relu, -3.0, "="),
        (ops.sign, -3.0, "="),
        (ops.cos, 0.0, "="),
        (ops.sigmoid, 0.0, "="),
        (ops.sigmoid, 40.0, "≈"),
        (ops.exp, math.inf, "="),
        (lambda x: x**3, 0.5, "="),
        (lambda x: x**3, 0.1234, "≈"),
        (lambda x: x**1_000_000_000, 0.5, "≈"),
        (lambda x: 2**x, 10, "="),
    ],
)
def test_a_function_is_exact_where_its_digits_are(make: Any, x: Any, relation: str) -> None:
    root = make(Value(x, label="x"))
    assert f" {relation} {number_text(root.data)}." in steps(root)[0].text


def test_a_formula_of_a_step_has_no_parentheses_too_many() -> None:
    a, b = Value(0.7, label="a"), Value(0.3, label="b")
    assert [step.formula for step in steps(a / (a + b)) if step.local][:2] == [
        "1 / (a + b)",
        "-(a / (a + b)) / (a + b)",
    ]


def test_numbers_that_were_cut_are_not_called_equal() -> None:
    x = Value(1 / 3, label="x")
    walk = steps((x * x) * (2 / 3))
    assert "so x.grad = " not in str(walk)
    assert "∂(x × x)/∂x (operand 1) = x ≈ 0.3333" in [step.rule for step in walk]
    assert "∂(x × x)/∂x (operand 1) ≈ 0.3333, ∂(x × x)/∂x (operand 2) ≈" in walk[0].rule
    text = explain(walk.root, x).text
    assert text.splitlines()[-1] == "x.grad ≈ +0.2222 + 0.2222 = +0.4444, over 2 paths"
    assert repr(walk).startswith("<Stepper of x × x × 0.6667 ≈ 0.07407:")


def test_a_name_that_holds_an_operator_is_not_read_as_part_of_one() -> None:
    x, difference = Value(2.0, label="x"), Value(3.0, label="a-b")
    text = "\n".join(f"{step.text} {step.rule}" for step in steps(-x * difference))
    assert "∂(-x)/∂x = -1" in text
    assert "∂(-x × (a-b))/∂(a-b) = -x = -2" in text
    assert "That is all that -x gets: final." in text
    assert "That is all that a-b gets: final." in text


def test_the_shift_of_softmax_is_called_what_it_is() -> None:
    a, b, c = (Value(x, label=name) for name, x in (("a", 1.0), ("b", 3.0), ("c", 2.0)))
    root = ops.softmax([a, b, c])[1]
    walk = steps(root)
    held = next(step for step in walk if step.kind == "forward" and step.node.op.name == "peak")
    because = "held constant because no shift changes softmax"
    assert held.text == f"The largest of a, b and c, {because}: max(1, 3, 2) = 3."
    assert "held constant" in held.rule
    assert "∂" not in held.rule
    assert formula(held.node) == "max(a, b, c)"
    passing = [step for step in walk if step.kind == "chain" and step.node is held.node]
    for step in passing:
        assert "passes nothing back" in step.text
        assert "held constant, because no shift changes softmax" in step.text
        assert "derivative" not in step.text
        assert step.latex.endswith(r"\text{is held constant})")
        assert step.rule == "max(a, b, c) is held constant, because no shift changes softmax"
    text = format_graph(root)
    assert "held constant: no shift changes softmax" in text
    picture = draw_dot(root, local=True).source
    assert "largest, held constant: no shift changes softmax" in picture
    for shown in (str(walk), text, picture, formula(root), str(page_data(walk)["strings"])):
        assert "peak" not in shown


@pytest.mark.parametrize("token", ["{", "}", "{0}", "{0.__class__}", "{a", "%s", "a {b} c"])
def test_a_token_is_text(token: str) -> None:
    a = Value(2.0, label="a")
    root = Value(5.0, (a,), token)
    assert formula(root) == f"{token}(a)"
    assert token in format_graph(root)
    assert root.op.written("a") == token


def test_a_node_made_by_hand_reads_as_its_token_says() -> None:
    a = Value(2.0, label="a")
    assert formula(Value(1.0, (a + 1, a - 2), "*")) == "(a + 1) * (a - 2)"
    assert formula(Value(1.0, (a + 1, a - 2), "mine")) == "mine(a + 1, a - 2)"
    assert formula(Value(1.0, (a + 1,), "**3") * 2) == "(a + 1) ** 3 * 2"
    assert formula(Value(1.0, (a + 1,), "ReLU")) == "relu(a + 1)"


def test_infinities_stand_out_on_the_page() -> None:
    walk = steps(Value(math.inf, label="x") * 2.0 + Value(1.0, label="y"))
    through = [row for row in page_data(walk)["steps"] if row[0] == 2]
    assert all(row[7] for row in through)


def test_what_is_said_of_an_operand_that_is_one_of_several_or_passes_nothing() -> None:
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    first, fourth = (
        list(steps(ops.sum(terms)))[i].text for terms, i in (([a, a, b], 2), ([a] * 4, 5))
    )
    assert "a is 2 operands of a + a + b; this is the first." in first
    assert "a is 4 operands of a + a + a + a; this is the number 4." in fourth
    flat = next(step.text for step in steps(ops.maximum(a, b)) if step.local == 0)
    assert (
        "gets through: the local derivative is 0. That" in flat
    )  # of one of two: no "(flat at …)"
    named = ops.maximum(a, b)
    named.label = "top"
    assert steps(named)[0].text.startswith("top is maximum(a, b): ")


NOWHERE: dict[str, Any] = {
    "infinite": lambda x, a, big: ops.where(1, x, ops.sqrt(a)) * x,
    "too large": lambda x, a, big: ops.where(1, x, ops.log(a + 1e-320)) * x,
    "of infinite data": lambda x, a, big: ops.where(1, x, ops.exp(big)) * x,
    "used twice": lambda x, a, big: ops.where(1, x * a, ops.sqrt(a)),
    "not chosen": lambda x, a, big: ops.where(1, x, a) * big,
    "of a negative base": lambda x, a, big: ops.pow(x - 4, 3) * x,
}


@pytest.mark.parametrize("kind", NOWHERE)
def test_a_product_that_is_not_computed_is_not_shown_as_one(kind: str) -> None:
    x, a = Value(2.0, label="x"), Value(0.0, label="a")
    root = NOWHERE[kind](x, a, Value(math.inf, label="big"))
    walk = steps(root)
    rows = [step.row for step in walk if step.kind == "chain"]
    nowhere = [row for row in rows if walk.words.sum_sign(row) == "→"]
    assert nowhere
    for step in walk:
        for text in (step.sentence, step.rule, step.latex, walk.words.arithmetic(step.row)):
            assert not re.search(
                r"[=≈] –|× –|inf!? ?(×|\\cdot) 0|0 (×|\\cdot) \(?[+-]?inf", text
            ), text
    for row in nowhere:
        assert row.contribution == 0
        assert "nothing back" in walk.words.sentence(row)
        assert walk.words.caption(row).endswith("nothing is passed")
        assert r"0 \quad (\text{nothing is passed})" in walk.words.latex(row)
    for leaf in (x, a):
        text, latex = explain(root, leaf).text, explain(root, leaf).latex
        assert not re.search(r"× –.*[=≈]|nan|inf! × 0 [=≈]", text), text
        assert "–" not in latex, latex


def test_a_saved_derivative_without_a_finite_value_is_called_so() -> None:
    walk = steps(ops.where(1, 2.0, ops.sqrt(Value(0.0, label="a"))))
    saved = "Saved for the backward pass: ∂sqrt(a)/∂a has no finite value."
    assert saved in [step.rule for step in walk]


def test_a_rounded_number_is_marked_once():
    a = Value(Fraction(10**14 + 3, 3**20), label="a")
    root = a * Fraction(-355, 113) * a
    for step in steps(root):
        for text in (step.text, step.addition or "", step.latex):
            assert not re.search(r"(≈|about|approx) *(≈|\\approx)", text), text
    assert "≈ ≈" not in explain(root, a).text
