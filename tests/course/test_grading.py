"""Sources for nbgrader: the solution passes each grading cell, a mistake fails with its hint."""

import json
import re
from pathlib import Path

import pytest

from micrograd.course import EXERCISES, check
from micrograd.course.build_your_own import GIVEN, STAGES
from micrograd.course.grading import graded

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def pairs(path):
    """Yield the grade_id, the cell to answer in and the cell that grades it."""
    cells = graded(json.loads(path.read_text(encoding="utf-8")))["cells"]
    for cell, test in zip(cells, cells[1:] + [None], strict=True):
        own = cell["metadata"].get("nbgrader", {})
        if own.get("solution"):
            graded_by = test["metadata"]["nbgrader"]
            assert own["grade_id"].removeprefix("answer") == graded_by["grade_id"][len("test") :]
            assert graded_by["points"] == 1
            assert graded_by["locked"]
            yield (
                own["grade_id"][len("answer-") :],
                "".join(cell["source"]),
                "".join(test["source"]),
            )


def released(source):
    return re.sub(r"### BEGIN SOLUTION.*### END SOLUTION", "# dots", source, flags=re.DOTALL)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_exercise_has_a_cell_that_grades_it(path, capsys):
    number, names = path.stem[:2], []
    for name, answer, test in pairs(path):
        names.append(name)
        if name.startswith("stage_"):
            continue
        space = {"check": check}
        exec(answer, space)
        exec(test, space)
        exec(released(answer), space)
        with pytest.raises(AssertionError, match="not answered yet"):
            exec(test, space)
        place, wrong, hint = EXERCISES[name].mistakes[0]
        mistaken = list(EXERCISES[name].answer)
        mistaken[place] = wrong
        space[f"answer_{name}"] = mistaken
        with pytest.raises(AssertionError, match=re.escape(hint)):
            exec(test, space)
    stages = [f"stage_{stage.name}" for stage in STAGES] if number == "08" else []
    assert names == stages + [name for name in EXERCISES if name.startswith(number)]


def test_each_stage_of_the_engine_is_graded_by_its_tests():
    space = {}
    exec("import math, random\nfrom itertools import pairwise\n" + GIVEN, space)
    for name, answer, test in pairs(next(p for p in NOTEBOOKS if p.stem.startswith("08"))):
        if name.startswith("stage_"):
            with pytest.raises(AssertionError):
                exec(released(answer) + "\n" + test, space)
            exec(answer + "\n" + test, space)
