"""The notebooks as sources for nbgrader: cells to answer in, and cells that grade them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from micrograd.course.build_your_own import STAGES
from micrograd.course.lab import TASKS
from micrograd.course.solutions import CHECK, answer_of

__all__ = ["CONFIGURATION", "graded", "laboratory"]

CONFIGURATION: Final = """\
c = get_config()
c.CourseDirectory.course_id = "micrograd"
c.ClearSolutions.code_stub = {"python": "# Write your answer in place of the dots."}
"""
"""The file `nbgrader_config.py`: an unanswered cell keeps its dots, and so the notebook runs."""


def graded(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook, without outputs, as a source for nbgrader 0.9.

    Each exercise is a cell to answer in, with its solution marked, and a cell of one point that
    grades it; its error is the hint. A stage of the engine is graded by the tests of its stage.

    Parameters
    ----------
    notebook : dict
        As JSON; it is not changed.

    Examples
    --------
    >>> cell = {"cell_type": "code", "id": "c1", "source": ['check("01a", ...)']}
    >>> answer, test = graded({"cells": [cell]})["cells"]
    >>> print("".join(answer["source"]))
    answer_01a = ...
    ### BEGIN SOLUTION
    answer_01a = -10
    ### END SOLUTION
    check("01a", answer_01a)
    """
    notebook, cells = deepcopy(notebook), []
    gaps = {stage.gap.rstrip("\n"): stage for stage in STAGES}
    for cell in notebook["cells"]:
        cells.append(cell)
        if cell["cell_type"] != "code":
            continue
        cell |= {"outputs": [], "execution_count": None}
        source = "".join(cell["source"])
        asked = CHECK.search(source)
        if asked:
            name = asked[1]
            answer = f"answer_{name}"
            written = _solution(f"{answer} = {asked[2]}", f"{answer} = {answer_of(name)}")
            source = source.replace(asked[0], f'{written}check("{name}", {answer})')
            test = (
                "from micrograd.course.checking import verdict\n\n"
                f'said = verdict("{name}", {answer})\nassert said.startswith("correct"), said\n'
            )
        elif source in gaps:
            stage = gaps[source]
            name = f"stage_{stage.name}"
            source = _solution(source, stage.code.rstrip("\n"))
            test = (
                "from micrograd.course.build_your_own import TESTS, problem\n\n"
                f'for test in (test for test in TESTS if test.stage == "{stage.name}"):\n'
                "    found = problem(test, globals())\n"
                '    assert found is None, f"{test.name}: {found}"\n'
            )
        else:
            continue
        cell["source"] = source.rstrip("\n").splitlines(keepends=True)
        cell["metadata"] = _metadata(f"answer-{name}", solution=True)
        cells.append(_code(f"{cell['id']}-test", test, _metadata(f"test-{name}", points=1)))
    return notebook | {"cells": cells}


def laboratory() -> dict[str, Any]:
    """Return the laboratory, whose numbers differ by student, as a source for nbgrader 0.9.

    The student's name stands in a cell of its own. Where nbgrader runs it, the folder that the
    file was handed in with must have the same name.

    Examples
    --------
    >>> "".join(laboratory()["cells"][1]["source"]).splitlines()[3]
    'STUDENT = ...  # the name that you hand in with, in quotation marks'
    """
    head = (
        "# Laboratory: numbers of your own\n\n"
        "Begin with the name that you hand in with. Your tasks are drawn from it, so your answers "
        "are yours alone. Answer with a number, or arithmetic such as `-153 / 128`, in place of "
        "the dots; `check` says what is missing. Paper, or an engine: both are welcome."
    )
    name = (
        "from micrograd.course import check\nfrom micrograd.course.lab import ask\n\n"
        + _solution(
            "STUDENT = ...  # the name that you hand in with, in quotation marks",
            'STUDENT = "teacher"',
        )
    )
    same = (
        "from pathlib import Path\n\n"
        'assert STUDENT is not ..., "no name: whose are the numbers?"\n'
        'if "autograded" in Path.cwd().parts:\n'
        "    folder = Path.cwd().parent.name\n"
        '    assert folder == STUDENT, f"handed in by {folder}"\n'
    )
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "head", "metadata": {}, "source": head.splitlines(True)},
        _code("name", name, _metadata("answer-name", solution=True)),
        _code("name-test", same, _metadata("test-name", points=1)),
    ]
    for task in TASKS:
        written = _solution(
            f"answer_{task} = ...",
            "from micrograd.course.lab import exercise_of\n\n"
            f'answer_{task} = exercise_of("{task}", STUDENT).answer[0]',
        )
        given = (
            f'ask("{task}", STUDENT)\n{written}check("{task}", answer_{task}, student=STUDENT)\n'
        )
        test = (
            "from micrograd.course.checking import verdict\n\n"
            f'said = verdict("{task}", answer_{task}, student=STUDENT)\n'
            'assert said.startswith("correct"), said\n'
        )
        cells.append(_code(task, given, _metadata(f"answer-{task}", solution=True)))
        cells.append(_code(f"{task}-test", test, _metadata(f"test-{task}", points=1)))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _code(cell_id: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": metadata,
        "outputs": [],
        "source": source.rstrip("\n").splitlines(keepends=True),
    }


def _solution(given: str, code: str) -> str:
    return f"{given}\n### BEGIN SOLUTION\n{code}\n### END SOLUTION\n"


def _metadata(
    grade_id: str, *, solution: bool = False, points: int | None = None
) -> dict[str, Any]:
    own: dict[str, Any] = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return {"nbgrader": own if points is None else own | {"points": points}}
