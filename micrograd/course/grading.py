"""The notebooks as sources for nbgrader: cells to answer in, and cells that grade them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from micrograd.course.build_your_own import STAGES
from micrograd.course.solutions import CHECK, answer_of

__all__ = ["CONFIGURATION", "graded"]

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
        cells.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"{cell['id']}-test",
                "metadata": _metadata(f"test-{name}", points=1),
                "outputs": [],
                "source": test.rstrip("\n").splitlines(keepends=True),
            }
        )
    return notebook | {"cells": cells}


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
