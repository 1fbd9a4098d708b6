"""Mark a class's notebooks, as they were handed in, without running them.

Answers are numbers, or arithmetic of numbers, so they can be read from the source. The engine of
notebook 8 has to be run, and is only if that is asked for: each in a process of its own.
"""

from __future__ import annotations

import ast
import json
import operator
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from micrograd.course.build_your_own import STAGES, TESTS, engine, problem
from micrograd.course.checking import verdict
from micrograd.course.exercises import EXERCISES
from micrograd.course.lab import TASKS
from micrograd.errors import ArgumentError

__all__ = ["Mark", "marks", "report", "stage_problems"]

_SECONDS: Final = 60
_TESTER: Final = """\
import contextlib, io, json, sys
from micrograd.course.marking import stage_problems
with contextlib.redirect_stdout(io.StringIO()):
    found = stage_problems(json.load(sys.stdin))
print(json.dumps(found))
"""
_UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Mark:
    """What is said of one answer.

    Parameters
    ----------
    student, exercise, said : str
    """

    student: str
    exercise: str
    said: str

    @property
    def is_correct(self) -> bool:
        """Whether the answer is correct.

        Examples
        --------
        >>> Mark("ada", "01a", "not yet. The -4 of f'(x) = 6x - 4 is missing.").is_correct
        False
        """
        return self.said.startswith("correct")


def marks(folder: str | os.PathLike[str], *, run: bool = False) -> list[Mark]:
    """Return the marks of all notebooks in a folder of nbgrader: student/assignment/*.ipynb.

    Parameters
    ----------
    folder : str or path-like
        Such as "submitted".
    run : bool, default False
        Whether to run the engines of notebook 8 and mark their stages. That runs the code of those
        who handed them in, with your rights, for at most a minute each.

    Raises
    ------
    ArgumentError
        If it holds no such notebook. Also a ValueError.

    Examples
    --------
    >>> marks("no such folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentError: no notebooks in 'no such folder': expected STUDENT/...
    """
    paths = sorted(Path(folder).glob("*/*/*.ipynb"))
    if not paths:
        raise ArgumentError(
            f"no notebooks in {os.fspath(folder)!r}: expected STUDENT/ASSIGNMENT/*.ipynb, as "
            "nbgrader collects them"
        )
    return [mark for path in paths for mark in _marks_of(path, run)]


def report(folder: str | os.PathLike[str], *, run: bool = False) -> str:
    """Return the points of each student, and what is wrong with each other answer.

    Parameters
    ----------
    folder : str or path-like
    run : bool, default False
        As for `marks`.

    Examples
    --------
    >>> import json, tempfile
    >>> own = {"nbgrader": {"grade_id": "answer-01a"}}
    >>> cell = {"metadata": own, "source": ["answer_01a = -6"]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "ada" / "01" / "01.ipynb"
    ...     path.parent.mkdir(parents=True)
    ...     _ = path.write_text(json.dumps({"cells": [cell]}))
    ...     print(report(folder), end="")
    ada: 0 of 5
      01a: not yet. The -4 of f'(x) = 6x - 4 is missing.
      01b: not answered yet.
      01c: not answered yet.
      01d: not answered yet.
      01e: not answered yet.
    """
    lines, found = [], marks(folder, run=run)
    for student in dict.fromkeys(mark.student for mark in found):
        own = [mark for mark in found if mark.student == student]
        lines.append(f"{student}: {sum(mark.is_correct for mark in own)} of {len(own)}")
        lines += [f"  {mark.exercise}: {mark.said}" for mark in own if not mark.is_correct]
    return "\n".join(lines) + "\n"


def stage_problems(cells: Mapping[str, str]) -> dict[str, str | None]:
    """Run an engine of notebook 8; return what is wrong with each of its stages, or None.

    Parameters
    ----------
    cells : mapping of str to str
        The source of each stage, by its name.

    Examples
    --------
    >>> stage_problems({"box": STAGES[0].code})["box"] is None
    True
    """
    names = engine(stages=0)
    for stage in STAGES:
        with suppress(Exception):  # what a cell lacks is found by the tests
            exec(cells.get(stage.name, ""), names)
    found = [(test, problem(test, names)) for test in TESTS]
    return {
        stage.name: next(
            (f"{test.name}: {said}" for test, said in found if said and test.stage == stage.name),
            None,
        )
        for stage in STAGES
    }


def _marks_of(path: Path, run: bool) -> Iterator[Mark]:
    student = path.parts[-3]
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        owned = {
            str(cell["metadata"]["nbgrader"]["grade_id"]): "".join(cell["source"])
            for cell in cells
            if "nbgrader" in cell.get("metadata", {})
        }
    except _UNREADABLE as error:
        yield Mark(student, path.stem, f"cannot read the notebook: {error}.")
        return
    given = _assigned("STUDENT", owned.get("answer-name", ""))
    given = given if isinstance(given, str) else ""
    tasks = [*TASKS, *EXERCISES]
    handed_in = {_assignment(task) for task in tasks if f"answer-{task}" in owned}
    if "lab" in handed_in:
        same = given == student
        yield Mark(student, "name", "correct." if same else f"the notebook says {given!r}.")
    for task in tasks:
        if _assignment(task) in handed_in:  # a cell that was deleted is no answer
            answer = _assigned(f"answer_{task}", owned.get(f"answer-{task}", ""))
            own = given if task in TASKS else None
            yield Mark(student, task, verdict(task, answer, student=own))
    if "08" in handed_in and run:
        cells = {stage.name: owned.get(f"answer-stage_{stage.name}", "") for stage in STAGES}
        for name, said in _tested(cells).items():
            yield Mark(student, f"stage {name}", said)


def _tested(cells: dict[str, str]) -> dict[str, str]:
    """Return what is said of each stage of an engine, which is run in a process of its own."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TESTER],
            input=json.dumps(cells),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        found = json.loads(done.stdout)
        return {
            name: "correct." if found[name] is None else f"not yet. {found[name]}."
            for name in cells
        }
    except subprocess.TimeoutExpired:
        why = f"It did not end within {_SECONDS} s."
    except (subprocess.CalledProcessError, ValueError, KeyError, TypeError):
        why = "It ended the process that tests it."
    return dict.fromkeys(cells, f"not yet. {why}")


def _assignment(task: str) -> str:
    return "lab" if task in TASKS else task[:2]


def _assigned(name: str, source: str) -> Any:
    """Return what a name is assigned last: dots if it is not, its text if it is no arithmetic."""
    found: Any = ...
    try:
        nodes = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deep
        return source
    for node in nodes:
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id == name:
            try:
                found = _number(node.value)
            except (ArithmeticError, KeyError, TypeError, RecursionError):
                found = ast.get_source_segment(source, node.value)
    return found


def _power(base: float, exponent: float) -> Any:
    return float(base) ** float(exponent)  # a float, so that no power is too long to compute


_OPERATORS: Final[dict[type, Callable[..., Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def _number(node: ast.expr) -> Any:
    """Return the value of arithmetic, without running any code.

    Anything else is a KeyError, and a TypeError where it is a list or a text that is computed with:
    a short line could make one that fills the memory.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_number(part) for part in node.elts]
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_operand(node.operand))
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_operand(node.left), _operand(node.right))
    raise KeyError(type(node))


def _operand(node: ast.expr) -> int | float:
    number = _number(node)
    if not isinstance(number, int | float):
        raise TypeError(type(number))
    return number
