"""What the playground's worker answers, run here and not in a page."""

import json
import runpy
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "docs" / "playground" / "playground.py"


@pytest.fixture(scope="module")
def ask():
    answer = runpy.run_path(str(PROGRAM))["answer"]
    return lambda **question: json.loads(answer(json.dumps(question)))


def test_an_expression_becomes_steps_and_a_picture(ask):
    found = ask(do="run", mode="expression", text="a * b", numbers="a=2, b=1/3")
    assert found["data"]["title"] == "a × b"
    assert "<svg" in ask(do="svg")["svg"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("from micrograd import Value\nx = Value(2.0)\ny = x * 3\ny", "y = x × 3"),
        ("from micrograd import Value\nx = Value(2.0)\ny = x * 3", "y = x × 3"),
        ("from micrograd import Value, steps\na = Value(2.0, label='a')\nsteps(a * a)", "a × a"),
    ],
)
def test_a_program_ends_in_a_value_which_has_the_name_of_its_variable(ask, text, title):
    assert ask(do="run", mode="python", text=text)["data"]["title"] == title


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x = 1\ny = 2 +\ny", ["line 2: y = 2 +", "               ^", "SyntaxError: "]),
        ("\nfrom micrograd import Value\nValue(0.0).log()", ["line 3: Value(0.0).log()", "Domain"]),
        ("def f():\n    return 1 / 0\nf()", ["line 2:     return 1 / 0", "ZeroDivisionError: "]),
        ("raise SystemExit(3)", ["line 1: raise SystemExit(3)", "SystemExit: 3"]),
        ("x = 3\nx", ["TypeError: the last line must give a Value, such as y or steps(y); it"]),
        ("import math", ["TypeError: the last line must give a Value"]),
        ("", ["TypeError: the last line must give a Value"]),
    ],
)
def test_an_error_shows_the_line_of_the_text(ask, text, lines):
    found = ask(do="run", mode="python", text=text)["error"].splitlines()
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True)), found


def test_an_error_in_an_expression_has_its_place(ask):
    found = ask(do="run", mode="expression", text="a + * b", numbers="a=1 b=2")
    assert "a + * b\n" in found["error"]
    assert "data" not in found
    assert "nothing" in ask(do="run", mode="expression", text="a", numbers="nothing")["error"]


def test_what_a_program_prints_is_shown_also_before_an_error(ask):
    found = ask(do="run", mode="python", text="print('so far')\n1 / 0")
    assert found["printed"] == "so far\n"
    assert "ZeroDivisionError" in found["error"]
