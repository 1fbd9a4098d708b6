"""Rows as objects: copies, text, new ones, and the messages of errors."""

from __future__ import annotations

import inspect
import itertools
import math
import pickle
from copy import copy, deepcopy
from fractions import Fraction
from typing import Any

import oracles
import pytest
from strategies import FAMILIES, ROWS, differentiable, points, row_id
from tables import each

from micrograd import formula, ops
from micrograd.engine import Value, gradient
from micrograd.errors import ArgumentTypeError, InputCountError, MicrogradError
from micrograd.ops.op import foreign

PYTHONS_OWN = ("math domain", "math range", "(34,", "division by zero")

every_row = each("op", ROWS, row_id)


@every_row
def test_a_row_is_the_same_after_a_copy_and_pickles_by_name(op: ops.Op) -> None:
    assert copy(op) is op
    assert deepcopy(op) is op
    again = pickle.loads(pickle.dumps(op))
    assert again is op


@every_row
def test_a_row_says_how_it_is_drawn_and_written(op: ops.Op) -> None:
    assert op.symbol
    assert op.token
    assert op.noun
    text = op.written(*[f"x{i}" for i in range(op.arity)])
    names = [f"x{i}" for i in differentiable(op)]
    assert all(name in text for name in names)
    assert len(op.domain) == op.arity


@each("op", [op for op in ROWS if op.arity <= 3 and "[" not in op.code], ids=row_id)
def test_the_text_of_a_row_is_python_that_computes_it(op: ops.Op) -> None:
    names: dict[str, Any] = {**vars(ops), "Fraction": Fraction}
    for inputs in points(op, 3):
        if op.name == "peak":
            continue
        assert eval(op.written(*inputs), names) == op.compute(*inputs)


def test_a_wrong_number_of_operands_is_an_error_with_both_numbers() -> None:
    with pytest.raises(InputCountError, match=r"hypot takes 2 operand\(s\), got 1"):
        ops.hypot(Value(1.0))
    with pytest.raises(InputCountError, match=r"exp takes 1 operand\(s\), got 2"):
        Value(1.0).exp(2)


def test_a_new_row_is_a_function_and_a_method_and_differentiates_twice(table: Any) -> None:
    softsign = ops.define(
        name="softsign",
        forward=lambda x: x / (1 + abs(x)),
        partials=lambda out, x: (1 / (1 + abs(x)) ** 2,),
    )
    assert table["softsign"] is softsign
    x = Value(3.0)
    assert x.softsign().data == softsign(3.0) == 0.75
    slope = gradient(softsign(x), x, create_graph=True)
    assert (slope.data, gradient(slope, x)) == (0.0625, -0.03125)


@pytest.mark.parametrize("name", ["tanh", "exp", "not a name", ""])
def test_a_name_that_is_taken_or_no_name_is_refused(name: str) -> None:
    before = dict(ops.TABLE)
    with pytest.raises(ValueError, match=r"exists already|Python name"):
        ops.define(name=name, forward=lambda x: x, partials=lambda out, x: (1,))
    assert before == ops.TABLE


def test_every_family_is_tested_here() -> None:
    assert {op.family for op in FAMILIES} == set(oracles.FAMILIES)


@pytest.mark.parametrize(
    ("call", "said", "instead"),
    [
        (lambda kind: ops.exp(kind(1000)), "exp(1000) is too large for a float", "logsumexp"),
        (lambda kind: ops.cosh(kind(1000)), "cosh(1000) is too large for a float", "clip"),
        (lambda kind: ops.log(kind(0)), "log(0) is undefined: log is not defined at 0", "entropy"),
        (lambda kind: ops.log2(kind(-2)), "log2(-2) is undefined: log2 is not", "maximum(x"),
        (lambda kind: ops.sqrt(kind(-2)), "sqrt(-2) is undefined: sqrt is not", "maximum(x, 0)"),
        (lambda kind: ops.arctanh(kind(2)), "arctanh is not defined at 2", ""),
        (lambda kind: ops.div(1, kind(0)), "1 / 0 is undefined: it divides by 0", "maximum(y"),
        (lambda kind: ops.power(-1)(kind(0)), "0 ** -1 is undefined: it divides by 0", ""),
        (lambda kind: ops.mul(kind(10**400), 1.5), "<int 1.000e+400> * 1.5 is too large", ""),
    ],
)
def test_what_has_no_value_is_said_in_words_with_what_to_do(
    call: Any, said: str, instead: str
) -> None:
    messages = set()
    for kind in (int, Value):
        with pytest.raises(MicrogradError) as caught:
            call(kind)
        messages.add(str(caught.value))
    (message,) = messages
    assert said in message
    assert instead in message
    assert not any(word in message for word in PYTHONS_OWN)


def odd(out: Any, x: Any) -> tuple[Any, ...]:
    raise ValueError(f"{x} is an odd number")


OWN = ops.Op(name="own", arity=1, forward=lambda x: x, partials=odd)
LOG = ops.Op(name="log_of", arity=1, forward=lambda x: x, partials=lambda out, x: (math.log(x),))
AWKWARD = (0, -0.0, 1, -1.0, -1.5, -2.5, 1e-300, -1e300, 1e300, 5e-324, Fraction(1, 3))


@each("op", [op for op in ROWS if op.arity <= 2], row_id)
def test_no_message_of_a_result_or_a_derivative_has_the_words_of_python(op: ops.Op) -> None:
    messages = set()
    for inputs in itertools.product(AWKWARD, repeat=op.arity):
        operands = [Value(x) for x in inputs]
        try:
            op(*operands).backward()
        except MicrogradError as error:
            messages.add(str(error))
    assert not [text for text in messages if any(word in text for word in PYTHONS_OWN)]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (lambda: Value(1e-200) ** -1.5, "it is too large for a float, which ends at 1.8e308"),
        (lambda: ops.sqrt(Value(0)), "it divides by 0"),
        (lambda: LOG(Value(-1)), "the derivative of log_of is not defined at -1"),
        (lambda: OWN(Value(3)), "3 is an odd number"),
    ],
)
def test_it_is_said_in_words_why_there_is_no_derivative(result: Any, said: str) -> None:
    out = result()
    for read in (out.backward, out.local_derivatives):
        with pytest.raises(MicrogradError, match=f"^no finite derivative of .*: {said}$"):
            read()


HUGE = 9**9999


@pytest.mark.parametrize("sign", [1, -1])
def test_an_integer_too_long_to_be_written_is_shortened_in_every_text(sign: int) -> None:
    huge = sign * HUGE
    text = f"<int {'-' * (sign < 0)}2.957e+9541>"
    x = Value(huge, label="x")
    assert repr(x) == f"Value(data={text}, grad=0, label='x')"
    assert repr(Value(Fraction(1, huge))).count("2.957e+9541") == 1
    assert repr(Value(1) ** HUGE) == "Value(data=1, grad=0)"
    assert formula(x * 3 + huge) == f"x * 3 + {text}"
    for call in (
        lambda: x * 1.5,
        lambda: x.exp(),
        lambda: ops.exp(huge),
        lambda: float(x),
        lambda: Value([huge]),
        lambda: Value(-1.0).leaky_relu(huge),
    ):
        with pytest.raises(MicrogradError):
            call()


def test_a_stale_operand_is_named_or_said_to_have_no_name() -> None:
    for label, name in (("w", "operand 'w'"), ("", "an unnamed operand")):
        w = Value(HUGE, label=label)
        out = w * 2
        w.data = 5
        with pytest.raises(MicrogradError, match=f"{name} of .* changed from <int .*> to 5 "):
            out.backward()


def test_a_row_says_what_it_is() -> None:
    assert [repr(op) for op in (ops.add, ops.tanh, ops.constant)] == [
        "<op +>", "<op tanh>", "<op constant>",
    ]  # fmt: skip
    assert pickle.loads(pickle.dumps(ops.constant)) is ops.constant


def test_what_a_new_row_leaves_open_is_filled_in(table: dict[str, ops.Op]) -> None:
    one = ops.define(name="of_c", forward=math.floor, partials=lambda out, x: (0,))
    two = ops.define(name="of_two", forward=lambda x, y: x - y, partials=lambda out, x, y: (1, -1))
    assert (one.arity, two.arity) == (1, 2)
    assert [len(op.domain) for op in (one, two)] == [1, 2]
    assert str(inspect.signature(Value.of_two)) == "(self, y, /)"  # type: ignore[attr-defined]
    assert Value(5.0).of_two(3.0).data == 2.0  # type: ignore[attr-defined]
    assert set(table) >= {"of_c", "of_two"}
    assert foreign("a {b}").written("x") == "a {b}"


# ---- what a row of one's own follows from --------------------------------------------------------


def row(**fields: Any) -> ops.Op:
    return ops.Op(name="own", forward=lambda *x: x[0], partials=lambda *x: (), **fields)


@each(
    ("code", "precedence", "binds"),
    [
        ("{0} + {1}", 1, (1, 2)),  # a + (b + c)
        ("{0} ** {1}", 4, (5, 4)),  # (a ** b) ** c
        ("-{0}", 3, (4,)),
        ("+{0}", 3, (4,)),
        ("{0}!", 5, (5,)),
        ("√{0}", 5, (5,)),  # no operand binds more tightly than a call
        ("f({0}, {1})", 5, (0, 0)),
        ("f([{0}], {1}) + 1", 1, (0, 0)),
        ("({0}) @ {1}", 2, (0, 3)),
        ("{0}]", 2, (2,)),  # between two brackets, and not before one
    ],
)
def test_an_operand_stands_in_parentheses_where_the_text_around_it_asks_for_them(
    code: str, precedence: int, binds: tuple[int, ...]
) -> None:
    assert row(code=code, precedence=precedence, arity=len(binds)).binds == binds


def test_what_a_row_does_not_say_follows_from_its_name_and_arity() -> None:
    assert row(arity=2).code == "own({0}, {1})"
    assert row(arity=2, code="{0} {1}", binds=(1, 2)).binds == (1, 2)
    assert row(arity=1, code="{0}").precedence == 0  # as tightly as the operand
    assert row(arity=0).binds == ()


def test_a_negative_number_stands_in_parentheses_beside_an_operator_only() -> None:
    assert ops.add.written("a", -2) == "a + (-2)"
    assert ops.identity.written(-2) == "-2"
    assert ops.exp.written(-2) == "exp(-2)"


def test_a_result_is_a_number_of_python() -> None:
    for given, wanted in ((True, 1), (Fraction(1, 2), Fraction(1, 2)), (0.5, 0.5)):
        made = ops.Op(name="own", arity=1, partials=None, forward=lambda x, given=given: given)
        assert made.compute(1.0) == made(1.0) == wanted
        assert type(made.compute(1.0)) is type(wanted)


def test_an_error_without_a_hint_ends_where_it_ends() -> None:
    with pytest.raises(MicrogradError) as caught:
        ops.arcsin(2.0)
    assert str(caught.value) == "arcsin(2.0) is undefined: arcsin is not defined at 2.0"


def test_a_row_by_hand_is_not_computed_and_has_no_name_of_the_table() -> None:
    made = foreign("{mine}")
    assert (made.name, made.arity, made.code, made.token) == ("foreign", 0, "{{mine}}", "{mine}")
    with pytest.raises(TypeError, match=r"^a node made by hand cannot be evaluated again$"):
        made.forward(1.0)


def test_a_row_that_is_not_defined_here_says_so_when_it_is_loaded() -> None:
    made = ops.define(name="of_another", forward=lambda x: x, partials=lambda out, x: (1,))
    text = pickle.dumps(made)
    del ops.TABLE["of_another"]
    with pytest.raises(KeyError, match="'of_another' is not defined here: define it before load"):
        pickle.loads(text)
    delattr(ops.Operators, "of_another")


def test_a_row_is_not_defined_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ArgumentTypeError, match=r"^a row of the op table needs 'forward', 'partials' too$"
    ):
        ops.define(name="half")
    was = ops.Operators.elu
    own = ops.define(name="elu", forward=lambda x: x, partials=lambda out, x: (1,))
    assert ops.TABLE.pop("elu") is own
    assert ops.Operators.elu is was  # a method that was there stays
    monkeypatch.setattr("micrograd.ops.op._method", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ops.define(name="whole", forward=lambda x: x, partials=lambda out, x: (1,))
    assert "whole" not in ops.TABLE
    assert not hasattr(Value, "whole")


def interrupted(op: ops.Op) -> Any:
    raise KeyboardInterrupt
