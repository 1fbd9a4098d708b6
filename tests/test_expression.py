"""Expressions as text: the whitelist holds, and errors point at the place."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value, ops
from micrograd.draw.command import graph_command
from micrograd.errors import ArgumentError, DomainError, MicrogradError
from micrograd.expression import FUNCTIONS, assignments, parse
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
    assert set(ops.TABLE) - set(FUNCTIONS()) == {
        "add", "sub", "mul", "div", "neg", "pow", "identity", "share",
    }  # fmt: skip


@pytest.mark.parametrize(
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
        ("x % 2", "the operator Mod is not one of", 1),
        ("not x", "got UnaryOp", 1),
        ("x if x else 1", "got IfExp", 1),
        ("[x]", None, 0),
        ("x + [1]", "a list can only be given", 1),
        ("tanh([x])", "tanh takes no list", 6),
        ("tanh(x, x)", "tanh", 1),
        ("tanh(x=1)", "takes no named arguments", 1),
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
    assert graph_command([NEURON, *NUMBERS, "-o", str(path)]) == 0
    svg = path.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "0.7071" in svg
    assert graph_command([NEURON, "-o", str(tmp_path / "a.png"), *NUMBERS, "--theme", "dark"]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_prints_text_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert graph_command([NEURON, *NUMBERS]) == 0
    assert "tanh(v8)" in capsys.readouterr().out
    assert graph_command(["x", "x=1", "--no-backward"]) == 0
    assert capsys.readouterr().out.split()[-1] == "–"


def test_the_command_writes_to_standard_output() -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from micrograd.draw.command import graph_command; "
            "sys.exit(graph_command(sys.argv[1:]))",
            "x * x",
            "x=3",
            "-o",
            "-",
            "--format",
            "png",
        ],
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
    assert graph_command([*arguments, "-o", str(tmp_path / "a.svg")]) in (1, 2)
    assert capsys.readouterr().err.startswith("micrograd graph: ")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert graph_command(["x", "x=1", "-o", str(tmp_path / "no" / "a.svg")]) == 1
    assert "a.svg" in capsys.readouterr().err
