"""What the worker of the playground runs: a text becomes the data of the stepper's page."""

import ast
import contextlib
import io
import json
import traceback
from typing import Any

from micrograd import Value, steps
from micrograd.cli.expression import assignments, parse
from micrograd.errors import MicrogradError
from micrograd.graph import order
from micrograd.stepper import Stepper
from micrograd.stepper.page import page_data
from micrograd.stepper.page.notebook import picture

FILE = "<your text>"
_ENDS = "the last line must give a Value, such as y or steps(y)"
held: dict[str, Stepper] = {}  # what the page shows, if anything


def of_expression(text: str, numbers: str) -> Stepper:
    """Return the steps of an expression; `numbers` are words such as a=2."""
    root, _ = parse(text, assignments(numbers.replace(",", " ").split()))
    return steps(root)


def of_python(text: str) -> Stepper:
    """Run a program and return the steps of what it ends in.

    Raises
    ------
    TypeError
        If that is neither a Value nor steps.
    """
    tree = ast.parse(text, FILE)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(tree, FILE, "exec"), names)
    if isinstance(last, ast.Expr):
        ending = eval(compile(ast.Expression(last.value), FILE, "eval"), names)
    elif isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
        ending = names[last.targets[0].id]
    else:
        raise TypeError(_ENDS)
    if isinstance(ending, Stepper):
        return ending
    if not isinstance(ending, Value):
        raise TypeError(f"{_ENDS}; it gives {type(ending).__name__}")
    inside = set(order(ending))
    called = {
        name: value
        for name, value in names.items()
        if isinstance(value, Value) and not value.label and value in inside
    }
    return steps(ending, labels=called)


def told(error: BaseException, text: str) -> str:
    """Return what an error says, below the line of the user's text that it comes from."""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        row, said = error.lineno or 0, f"SyntaxError: {error.msg}"
        mark = " " * max(0, (error.offset or 1) - 1) + "^"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        row = next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == FILE), 0)
        name = type(error).__name__
        said = f"{name}: {error}" if row or not isinstance(error, MicrogradError) else str(error)
        mark = ""
    lines = text.splitlines()
    if not 0 < row <= len(lines):
        return said
    line = f"line {row}: "
    shown_line = [line + lines[row - 1], *([" " * len(line) + mark] if mark else [])]
    return "\n".join([*shown_line, said])


def answer(question: str) -> str:
    """Answer the page in JSON: the `data` of the stepper or the `error`, and what was `printed`."""
    asked = json.loads(question)
    printed = io.StringIO()
    found: dict[str, Any] = {}
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            if asked["do"] == "run":
                if asked["mode"] == "python":
                    stepper = of_python(asked["text"])
                else:
                    stepper = of_expression(asked["text"], asked["numbers"])
                found = {"data": {**page_data(stepper), "position": stepper.position}}
                held["stepper"] = stepper
            else:
                found = {"svg": picture(held["stepper"]).decode()}
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        found = {"error": told(error, asked.get("text", ""))}
    return json.dumps({**found, "printed": printed.getvalue()})
