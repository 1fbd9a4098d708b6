"""The solved notebooks: each check cell, run as it is written there, says that it is correct."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from micrograd.course import EXERCISES, check
from micrograd.course.build_your_own import GIVEN, board
from micrograd.course.solutions import numeral, solved

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def cells(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            yield (
                "".join(cell["source"]),
                "".join("".join(output.get("text", "")) for output in cell["outputs"]),
            )


def printed(source, names):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        exec(source, names)
    return text.getvalue()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_check_of_a_solved_notebook_is_correct_and_shows_it(path):
    stored = json.loads(path.read_text(encoding="utf-8"))
    before = json.dumps(stored)
    notebook = solved(stored)
    assert json.dumps(stored) == before
    answered = []
    for source, output in cells(notebook):
        for name in re.findall(r'check\("(\w+)"', source):
            assert printed(source, {"check": check}) == output
            assert f"{name}: correct. {EXERCISES[name].why}\n" in output
            answered.append(name)
    assert answered == [name for name in EXERCISES if name.startswith(path.stem[:2])]
    assert "not answered yet" not in json.dumps(notebook)


def test_the_gaps_of_the_engine_are_filled_and_its_boards_are_what_the_cells_print():
    path = next(path for path in NOTEBOOKS if path.stem.startswith("08"))
    names, boards = {}, []
    exec("import math, random\nfrom itertools import pairwise", names)
    names["board"] = board
    for source, output in cells(solved(json.loads(path.read_text(encoding="utf-8")))):
        assert not re.search(r"(=|:) \.\.\.$", source, re.MULTILINE)
        if source == "board(globals())":
            assert printed(source, names) == output
            boards.append(output.splitlines()[-1])
        elif source == GIVEN.rstrip("\n") or re.search(r"Value\.|class|def order", source):
            exec(source, names)
    assert [line.count("not written yet") for line in boards] == [1] * 7 + [0]
    assert boards[-1] == "All tests pass."


@pytest.mark.parametrize("number", [-10, 0.0625, -153 / 128, 100 / 38, 2.0**-53, 1e-7, 0])
def test_a_numeral_is_code_for_the_number(number):
    assert eval(numeral(number)) == pytest.approx(number, rel=1e-6, abs=0)
