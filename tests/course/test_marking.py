"""Marking a class without running its code: three submissions with known mistakes."""

import json
from pathlib import Path

import pytest

from micrograd.cli import main
from micrograd.course.build_your_own import FAULTS, STAGES
from micrograd.course.exercises import EXERCISES
from micrograd.course.grading import graded, laboratory
from micrograd.course.lab import TASKS, exercise_of
from micrograd.course.marking import Mark, marks
from micrograd.errors import ArgumentError

NOTEBOOK = next((Path(__file__).parents[2] / "notebooks").glob("01_*.ipynb"))


def hand_in(folder, student, notebook, answers):
    """Write a notebook with answers, by their grade_id, in place of what stands there."""
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removeprefix("answer-")
        if name in answers:
            cell["source"] = [answers[name]]
    path = folder / student / "a" / "a.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_each_planted_mistake_is_named_and_the_points_are_counted(tmp_path, capsys):
    planted = {"ada": "lab2", "ben": "lab5", "eve": None}
    for student, wrong in planted.items():
        answers = {"name": f"STUDENT = {student!r}"}
        for name in TASKS:
            exercise = exercise_of(name, student)
            number = exercise.mistakes[-1][1] if name == wrong else exercise.answer[0]
            answers[name] = f"answer_{name} = {number!r}"
        hand_in(tmp_path, student, laboratory(), answers)
    assert main(["notebooks", "--grade", str(tmp_path)]) == 0
    expected = []
    for student, wrong in planted.items():
        expected.append(f"{student}: {9 - bool(wrong)} of 9")
        if wrong:
            expected.append(f"  {wrong}: not yet. {exercise_of(wrong, student).mistakes[-1][2]}")
    assert capsys.readouterr().out.splitlines() == expected


def test_a_task_that_was_deleted_is_not_answered(tmp_path):
    notebook = laboratory()
    gone = {"answer-name", "answer-lab8"}
    notebook["cells"] = [
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") not in gone
    ]
    hand_in(tmp_path, "ada", notebook, {})
    said = {mark.exercise: mark.said for mark in marks(tmp_path)}
    assert list(said) == ["name", *TASKS]
    assert said["name"] == "the notebook says ''."
    assert said["lab8"] == "not answered yet."


def test_a_copied_laboratory_is_found_by_its_name(tmp_path):
    hand_in(tmp_path, "mallory", laboratory(), {"name": "STUDENT = 'ada'"})
    assert marks(tmp_path)[0] == Mark("mallory", "name", "the notebook says 'ada'.")


def test_arithmetic_is_read_and_code_is_not_run(tmp_path):
    source = graded(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    answers = {
        "01a": "answer_01a = ...\nanswer_01a = -(6 + 4)",
        "01b": "answer_01b = 2 ** 3 ** 4 ** 5",
        "01c": "answer_01c = __import__('os').getpid()",
        "01d": "answer_01d = 1 / 3 * 10 ** -6",
        "01e": "answer_01e = [1, ",
    }
    hand_in(tmp_path, "ada", source, answers)
    said = {mark.exercise: mark.said for mark in marks(tmp_path)}
    assert list(said) == [name for name in EXERCISES if name.startswith("01")]
    assert said["01a"].startswith("correct")
    assert said["01d"].startswith("correct")
    for name in ("01b", "01c", "01e"):
        assert said[name].startswith(("expected a number", "expected 3 numbers")), said


@pytest.mark.slow
def test_engines_are_run_if_that_is_asked_for_and_no_engine_stops_the_others(tmp_path, monkeypatch):
    source = json.loads(next(NOTEBOOK.parent.glob("08_*.ipynb")).read_text(encoding="utf-8"))
    right = {f"stage_{stage.name}": stage.code for stage in STAGES}
    fault = FAULTS[4]
    handed_in = {
        "all": right,
        "a fault": right
        | {"stage_backward": right["stage_backward"].replace(fault.right, fault.wrong)},
        "a gap": right | {"stage_order": STAGES[1].gap},
        "an exit": right | {"stage_box": "import os; os._exit(0)"},
        "a print": right | {"stage_more": right["stage_more"] + "print('{}')"},
    }
    for student, answers in handed_in.items():
        hand_in(tmp_path, student, graded(source), answers)
    assert not any(mark.exercise.startswith("stage") for mark in marks(tmp_path))
    said = {}
    for mark in marks(tmp_path, run=True):
        said.setdefault(mark.student, {})[mark.exercise.removeprefix("stage ")] = mark.said
    names = [stage.name for stage in STAGES]
    assert all([*said[student]][-7:] == names for student in handed_in)
    for student in ("all", "a print"):
        assert {said[student][name] for name in names} == {"correct."}
    assert said["a fault"]["box"] == said["a fault"]["order"] == "correct."
    assert said["a fault"]["backward"].startswith("not yet. Olah's graph: a.grad, b.grad of")
    assert said["a gap"]["order"] == "not yet. operands first: not written yet."
    assert said["an exit"]["box"] == "not yet. It ended the process that tests it."
    endless = right | {"stage_box": "while True: pass"}
    hand_in(tmp_path / "late", "for ever", graded(source), endless)
    monkeypatch.setattr("micrograd.course.marking._SECONDS", 1)
    assert marks(tmp_path / "late", run=True)[-1].said == "not yet. It did not end within 1 s."


def test_no_answer_stops_the_marking_of_the_others(tmp_path):
    hostile = {
        "a memory full": "[0] * 10 ** 12",
        "a long text": "'a' * 999999999999",
        "a deep sum": "-" * 5_000 + "1",
        "a deep call": "f" + "()" * 5_000,
        "a large number": "0x" + "f" * 9_000,
        "half a character": "'\ud800",
        "a zero byte": "1\0",
        "a power of a text": "'a' ** 2",
        "an imaginary number": "-2j",
    }
    source = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for student, answer in hostile.items():
        hand_in(tmp_path, student, graded(source), {"01a": f"answer_01a = {answer}"})
    for student, cells in {
        "no cell": ["x"],
        "no name": [{"metadata": {"nbgrader": {"grade_id": 1}}, "source": ""}],
        "no such task": [{"metadata": {"nbgrader": {"grade_id": "answer-99z"}}, "source": ""}],
    }.items():
        hand_in(tmp_path, student, {"cells": []}, {})
        (tmp_path / student / "a" / "a.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    (tmp_path / "a folder" / "a" / "a.ipynb").mkdir(parents=True)
    first = {mark.student: mark.said for mark in reversed(marks(tmp_path))}
    assert all(first[student].startswith("expected a number") for student in hostile), first
    assert first["no cell"].startswith("cannot read the notebook")
    assert first["a folder"].startswith("cannot read the notebook")


def test_no_notebooks_and_no_notebook_are_said(tmp_path):
    with pytest.raises(ArgumentError, match="no notebooks in"):
        marks(tmp_path)
    path = tmp_path / "ada" / "a" / "a.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("no JSON", encoding="utf-8")
    assert marks(tmp_path)[0].said.startswith("cannot read the notebook")
