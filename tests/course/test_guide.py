"""The instructor's guide: it lists what the notebooks hold, and its cells exist."""

import json
import re
from pathlib import Path

import pytest

from micrograd.course import EXERCISES
from micrograd.course.build_your_own import STAGES
from micrograd.course.guide import (
    MINUTES,
    MISCONCEPTIONS,
    cells_with,
    estimated_minutes,
    glossary,
    guide,
)

NOTEBOOKS = {
    path.stem[:2]: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
}


@pytest.mark.parametrize("each", MISCONCEPTIONS, ids=lambda each: each.belief)
def test_the_cell_of_a_misconception_is_there_and_there_is_one(each):
    assert len(cells_with(NOTEBOOKS[each.notebook], each.words)) == 1


def test_it_names_every_goal_exercise_mistake_and_time():
    text = guide(NOTEBOOKS)
    for notebook in NOTEBOOKS.values():
        head = "".join(notebook["cells"][0]["source"])
        goals = re.findall(r"^- .+", head, re.MULTILINE)
        assert len(goals) >= 3
        for part in (
            *goals,
            re.search(r"\*\*Time\*\* (.+?) min", head)[1],
            head.splitlines()[0][2:],
        ):
            assert part in text
    for name, exercise in EXERCISES.items():
        assert text.count(f"**{name}.** ({MINUTES[name]} min) ") == 1
        for _, _, hint in exercise.mistakes:
            assert hint in text
    assert len(re.findall(r", cell \d+ \|", text)) == len(MISCONCEPTIONS)


def test_the_times_at_the_heads_are_those_that_are_estimated():
    stages = {stage.name for stage in STAGES}
    assert set(MINUTES) == {*EXERCISES, *stages, "softplus"}
    for number, notebook in NOTEBOOKS.items():
        head = "".join(notebook["cells"][0]["source"])
        low, high = map(int, re.search(r"\*\*Time\*\* (\d+) to (\d+) minutes", head).groups())
        assert abs(estimated_minutes(notebook) - low) <= 0.1 * low, number
        assert abs(1.5 * low - high) <= 5, number


def test_the_guide_says_how_the_times_were_got_with_the_rates_that_count():
    text, words = guide({}), {"cell_type": "markdown", "source": ["word " * 999]}
    rate = int(re.search(r"(\d+) words a minute", text)[1])
    assert estimated_minutes({"cells": [words]}) == 999 / rate
    cells = {
        "a displayed formula": {"cell_type": "markdown", "source": ["$$x$$"]},
        "five lines of code": {"cell_type": "code", "source": ["a = 1\n" * 4], "outputs": []},
        "a guess": {"cell_type": "code", "source": ['guess = "?"'], "outputs": []},
    }
    for named, seconds in (
        ("a displayed formula", 15),
        ("five lines of code", 15),
        ("a guess", 45),
    ):
        extra = 15 if named == "a guess" else 0  # its line of code
        assert estimated_minutes({"cells": [cells[named]]}) == (seconds + extra) / 60
        assert re.search(rf"{seconds} seconds for [^;.]*{named}", text)
    assert "estimates, measured on nobody" in text
    assert "doi.org/10.1016/j.jml.2019.104047" in text


def test_the_glossary_is_sorted_and_has_a_sentence_for_each_term():
    entries = glossary().split("\n\n")[1:]
    terms = [re.fullmatch(r"\*\*(.+?)\*\*: .+\.", entry.strip())[1] for entry in entries]
    assert terms == sorted(set(terms), key=lambda term: re.split(r",| and ", term.lower())[0])
