"""Expressions as text: the whitelist holds, and errors point at the place."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from micrograd import Value, ops
from micrograd.cli import main
from micrograd.cli.expression import assignments, functions, parse
from micrograd.errors import ArgumentError, DomainError, MicrogradError
from micrograd.formula import formula

NEURON = "tanh(x1*w1 + x2*w2 + b)"
NUMBERS = ["x1=2", "x2=0", "w1=-3", "w2=1", "b=6.8813735870195432"]


@pytest.mark.parametrize(
    ("text", "numbers", "result"),
    [
        ("1 + 2 * 3", {}, 7),
        ("-x ** 2", {"x": 3}, -9),
        ("+x - -x", {"x": 1.5}, 3.0),
        ("2 ** x / 4", {"x": 3}, 2.0),
        ("x ** y", {"x": 2.0, "y": 3.0}, 8.0),
        ("max(x, 2)".replace("max", "maximum"), {"x": 1}, 2),
        ("sum([x, 2, x]) + dot([1, 2], [x, 3], 1)", {"x": 1}, 12),
        ("leaky_relu(x, 0.5)", {"x": -2.0}, -1.0),
        ("x / 3", {"x": Fraction(1, 2)}, Fraction(1, 6)),
        ("(\n x\n +\n 1)", {"x": 1}, 2),
        ("relu(-1)", {}, 0),
        ("7", {}, 7),
        ("é * 2", {"é": 4}, 8),
    ],
)
def test_an_expression_has_the_value_it_says(
    text: str, numbers: dict[str, object], result: object
) -> None:
    root, names = parse(text, numbers)
    assert isinstance(root, Value)
    assert root.data == result
    assert {name: value.data for name, value in names.items()} == numbers
    assert all(value.label == name for name, value in names.items())


def test_it_is_built_as_it_was_typed() -> None:
    numbers = assignments(NUMBERS)
    root, _ = parse(NEURON, numbers)
    assert formula(root) == "tanh(x1 * w1 + x2 * w2 + b)"
    assert [parent.op for parent in parse("2 * 3", {})[0].parents] == [ops.constant] * 2


def test_the_functions_are_those_of_the_op_table() -> None:
    assert set(ops.TABLE) - set(functions()) == {
        "add", "sub", "mul", "div", "neg", "pow", "identity", "ratio", "share",
    }  # fmt: skip


@each(
    ("text", "message", "column"),
    [
        ("x +* 2", "invalid syntax", 4),
        ("1 + foo(x)", "unknown function 'foo'", 5),
        ("x + y", "y has no value: write y=...", 5),
        ("x + tanh", "tanh has no value: write tanh(...)", 5),
        ("x.data", "got Attribute", 1),
        ("1 + x[0]", "got Subscript", 5),
        ("x + (lambda: 1)()", "only functions of the op table", 5),
        ("x + __import__('os')", "unknown function '__import__'", 5),
        ("x + 'a'", "expected a number, got 'a'", 5),
        ("x + True", "expected a number, got True", 5),
        ("x + 2j", "expected a number, got 2j", 5),
        ("x % 2", "'%': it is not one of", 3),
        ("not x", "got UnaryOp", 1),
        ("x if x else 1", "written where(condition, a, b)", 6),
        ("[x]", None, 0),
        ("()", "got Tuple", 1),
        ("x + [1]", "a list can only be given", 1),
        ("tanh([x])", "tanh does not take a list", 6),
        ("tanh(x, x)", "tanh", 1),
        ("tanh(x=1)", "does not take named arguments", 1),
        ("sum(x)", "sum cannot take these arguments", 1),
        ("9 ** 9 ** 9", "the power is too large", 1),
        ("x + log(x - 2)", "log(-1) is undefined", 5),
        ("é + foo(x)", "unknown function 'foo'", 5),
        ("x := 2", "invalid syntax", 3),
        ("x; y", "invalid syntax", 2),
        ("{}{x}", None, 0),
    ],
)
def test_an_error_points_at_the_column(text: str, message: str | None, column: int) -> None:
    with pytest.raises(MicrogradError) as caught:
        parse(text, {"x": 1, **({"é": 1} if "é" in text else {})})
    told = str(caught.value)
    if message is not None:
        assert message in told
        assert f"at column {column}" in told
        assert told.splitlines()[-1] == "  " + " " * (column - 1) + "^"


@each(
    ("text", "message", "column"),
    [
        ("x ^ 2", "'^': write ** for a power", 3),
        ("(x)^2", "'^': write ** for a power", 4),
        ("max(x, 2)", "write maximum(x, 2)", 1),
        ("1 + min(x, 2)", "write minimum(x, 2)", 5),
        ("ln(x)", "write log(x)", 1),
        ("atan2(x, 1)", "write arctan2(x, 1)", 1),
        ("Tanh(x)", "write tanh(x)", 1),
        ("ReLU(x)", "write relu(x)", 1),
        ("sigmiod(x)", "did you mean sigmoid(x)?", 1),
        ("pow(x, 2)", "write x ** y", 1),
        ("softmax([x])", "write exp(x) / sum([exp(x), exp(y)])", 1),
        ("x.tanh()", "write tanh(x): there are no methods", 2),
        ("(x*2).tanh()", "write tanh(x*2): there are no methods", 6),
        ("x.max(2)", "write maximum(x, 2)", 2),
        ("x.foo()", "unknown function 'foo'", 2),
        ("math.sin(x)", "no math is needed here: write sin(x)", 1),
        ("1 + np.exp(2*x)", "no np is needed here: write exp(2*x)", 5),
        ("torch.nn.functional.relu(x)", "write relu(x)", 1),
        ("np.power(x, 2)", "write x ** y", 1),
        ("math.foo(x)", "unknown foo", 1),
        ("2 * math.pi", "write 3.141592653589793", 5),
        ("pi * x", "write pi=3.141592653589793", 1),
        ("e ** x", "exp(x) for a power of e", 1),
        ("2x", "an operator is missing: write 2 * x", 2),
        ("1 + 2.5x", "write 2.5 * x", 8),
        ("2(x + 1)", "write 2 * (x + 1)", 2),
        ("x(x + 1)", "write x * (x + 1)", 2),
        ("(x)(x)", "an operator is missing", 4),
        ("(x + 1) x", "an operator is missing", 9),
        ("x x", "write x * x", 3),
        ("sqrt x", "write sqrt(x)", 6),
        ("x × 2", "'×' is written *", 3),
        ("x·2", "'·' is written *", 2),
        ("x − 2", "'−' is written -", 3),
        ("x²", "'²' is written ** 2", 2),
        ("x₁", "'₁' is written 1", 2),
        ("√x", "'√' is written sqrt(...)", 1),
        ("|x|", "abs(x)", 1),
        ("y = x * 2", "without a name and =", 3),
        ("lambda * x", "'lambda' is a keyword of Python", 1),
        ("x > 2", "greater(a, b)", 3),
        ("1,5", "write a decimal point", 2),
        ("x // 2", "'//': it has no derivative", 3),
        ("x @ x", "write dot([...], [...])", 3),
        ("x +", "is incomplete", 4),
        ("9**9999" + "*9**9999" * 9, "too large to compute", 1),
    ],
)
def test_what_people_write_is_answered_with_the_right_spelling(
    text: str, message: str, column: int
) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse(text, {"x": 1.5})
    told = str(caught.value)
    assert message in told
    assert f"at column {column}\n" in told
    assert told.splitlines()[-1] == "  " + " " * (column - 1) + "^"


def test_every_spelling_that_is_offered_can_be_used() -> None:
    from micrograd.cli import spelling

    assert set(spelling._OTHERS.values()) <= set(functions())
    assert not (set(spelling._OTHERS) | set(spelling._WRITTEN)) & set(functions())
    for written in spelling._WRITTEN.values():
        names = {name: 0.5 for name in "xy" if re.search(rf"\b{name}\b", written)}
        parse(written, names)


def test_micro_sign_and_mu_are_one_letter() -> None:
    micro, mu = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"
    for typed in (micro, mu):
        for named in (micro, mu):
            root, names = parse(f"{typed} * 2", assignments([f"{named}=3"]))
            assert root.data == 6
            assert list(names) == [mu]
            assert parse(typed, {named: 4})[0].data == 4
    with pytest.raises(ArgumentError, match="given twice"):
        assignments([f"{micro}=1", f"{mu}=2"])


def test_integers_of_any_length_are_read() -> None:
    long = "1" + "0" * 4999
    assert assignments([f"x=-{long}"])["x"] == -(10**4999)
    assert assignments([f"x=1/{long}"])["x"] == Fraction(1, 10**4999)
    assert parse(f"{long} + x * 2", {"x": 1})[0].data == 10**4999 + 2
    with pytest.raises(ArgumentError, match="unknown function 'foo' at column 5004"):
        parse(f"{long} + foo(1)", {})
    for text in ("x=" + "9" * 100_000, "x=1e999", "x=-1e999"):
        with pytest.raises(ArgumentError, match="the value of x is too large"):
            assignments([text])
    with pytest.raises(ArgumentError, match="too large"):
        parse("9" * 100_000, {})
    assert assignments(["x=inf"])["x"] == float("inf")


def test_words_of_python_are_no_names() -> None:
    with pytest.raises(ArgumentError, match=r"'lambda' is a keyword of Python.* lambda_"):
        assignments(["lambda=0.1"])


def test_a_domain_error_keeps_its_kind() -> None:
    with pytest.raises(DomainError):
        parse("sqrt(-1)", {})
    with pytest.raises(ZeroDivisionError):
        parse("1 / x", {"x": 0})


def test_names_that_do_not_occur_are_named() -> None:
    with pytest.raises(ArgumentError, match="the expression has no z"):
        parse("x", {"x": 1, "z": 2})
    with pytest.raises(ArgumentError, match="empty"):
        parse("  ", {})


def test_long_and_deep_expressions_end_well() -> None:
    assert parse(" + ".join(["1"] * 500), {})[0].data == 500
    for text in ("(" * 5000 + "1" + ")" * 5000, "-" * 100_000 + "1", "1+" * 100_000 + "1"):
        with contextlib.suppress(ArgumentError):
            parse(text, {})


@given(st.text(alphabet="x1.+-*/()[], \n\t'\"\\abc_=<>:@\x00é", max_size=30))
def test_any_text_is_a_value_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(MicrogradError):
        parse(text, {"x": 1.5})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "expected name=number"),
        ("2=x", "expected name=number"),
        ("x=", "the value of x must be a number"),
        ("x=two", "the value of x must be a number"),
        ("x=1/0", "the value of x must be a number"),
    ],
)
def test_a_bad_assignment_is_named(text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        assignments([text])
    assert text.partition("=")[2] in str(caught.value)
    with pytest.raises(ArgumentError, match="x is given twice"):
        assignments(["x=1", "x=2"])


# ---- the command -------------------------------------------------------------------------------


def test_the_command_writes_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "neuron.svg"
    assert main(["graph", NEURON, *NUMBERS, "-o", str(path)]) == 0
    svg = path.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "0.7071" in svg
    assert main(["graph", NEURON, "-o", str(tmp_path / "a.png"), *NUMBERS, "--theme", "dark"]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_prints_text_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", NEURON, *NUMBERS]) == 0
    assert "tanh(v6 + b)" in capsys.readouterr().out
    assert main(["graph", "x", "x=1", "--no-backward"]) == 0
    assert capsys.readouterr().out.split()[-1] == "–"


def test_the_command_writes_to_standard_output() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "micrograd", "graph", "x * x", "x=3", "-o", "-", "--format", "png"],
        capture_output=True,
        env={**os.environ, "PATH": ""},
        check=True,
    )
    assert run.stdout.startswith(b"\x89PNG")
    assert run.stderr == b""


@pytest.mark.parametrize(
    "arguments",
    [["x +", "x=1"], ["x"], ["x", "x=a"], ["log(x)", "x=-1"], ["x", "x=1", "--precision", "0"]],
)
def test_a_wrong_command_writes_no_file(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", *arguments, "-o", str(tmp_path / "a.svg")]) in (1, 2)
    assert capsys.readouterr().err.startswith("micrograd graph: ")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "x", "x=1", "-o", str(tmp_path / "no" / "a.svg")]) == 1
    assert "a.svg" in capsys.readouterr().err
