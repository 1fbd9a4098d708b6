"""Have nbgrader grade a class of generated submissions, and compare with what was planted.

    python tests/course/nbgrader_trial.py FOLDER [STUDENTS]

FOLDER is made. It takes nbgrader 0.9 and micrograd in the same Python, and some seconds a student.
Every fifth student hands in notebook 8 as well, with a fault in the engine or a stage unwritten.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

from micrograd.course.build_your_own import FAULTS, STAGES
from micrograd.course.grading import CONFIGURATION, graded, laboratory
from micrograd.course.lab import TASKS, exercise_of
from micrograd.course.marking import marks, stage_problems

ENGINE = "08_build_your_own.ipynb"
LAB = "laboratory.ipynb"


def nbgrader(folder, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    subprocess.run(command, cwd=folder, check=True)


def hand_in(folder, student):
    """Write a student's notebook with some mistakes; return the hint for each task, or None."""
    draw = random.Random(student)
    released = folder / "release" / "lab" / LAB
    notebook, planted = json.loads(released.read_text(encoding="utf-8")), {}
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removeprefix("answer-")
        source = "".join(cell["source"])
        if name == "name":
            cell["source"] = source.replace("STUDENT = ...", f"STUDENT = {student!r}")
        elif name in TASKS:
            exercise = exercise_of(name, student)
            number, planted[name] = exercise.answer[0], None
            if draw.random() < 0.5:
                _, number, planted[name] = draw.choice(exercise.mistakes)
            assert f"answer_{name} = ..." in source
            cell["source"] = source.replace(f"answer_{name} = ...", f"answer_{name} = {number!r}")
    path = folder / "submitted" / student / "lab" / LAB
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return planted


def hand_in_engine(folder, student):
    """Write a student's engine with one mistake; return what is wrong with each stage, or None."""
    cells = {stage.name: stage.code for stage in STAGES}
    mistake = random.Random(student).choice((*FAULTS, *STAGES))
    if mistake in STAGES:
        cells[mistake.name] = mistake.gap
    else:
        cells = {name: code.replace(mistake.right, mistake.wrong) for name, code in cells.items()}
    notebook = json.loads((folder / "release" / "08" / ENGINE).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name.startswith("answer-stage_"):
            cell["source"] = cells[name.removeprefix("answer-stage_")]
    path = folder / "submitted" / student / "08" / ENGINE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    problems = stage_problems(cells)
    assert any(problems.values()), mistake.name
    return problems


def told(folder, student, assignment, notebook):
    """Return what nbgrader's grading cells said, by task: the error, or None."""
    path = folder / "autograded" / student / assignment / notebook
    found = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name.startswith("test-"):
            errors = [o["evalue"] for o in cell["outputs"] if o["output_type"] == "error"]
            found[name.removeprefix("test-")] = errors[0] if errors else None
    return found


def main():
    """Make the class, grade it in both ways, and count what was found."""
    folder = Path(sys.argv[1])
    engine = json.loads((Path(__file__).parents[2] / "notebooks" / ENGINE).read_text("utf-8"))
    for path, notebook in ((f"lab/{LAB}", laboratory()), (f"08/{ENGINE}", graded(engine))):
        source = folder / "source" / path
        source.parent.mkdir(parents=True)
        source.write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(CONFIGURATION, encoding="utf-8")
    for assignment in ("lab", "08"):
        nbgrader(folder, "generate_assignment", assignment, "--create")
    students = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    planted = {f"s{i:03}": hand_in(folder, f"s{i:03}") for i in range(students)}
    engines = {student: hand_in_engine(folder, student) for student in list(planted)[::5]}
    for assignment in ("lab", "08"):
        nbgrader(folder, "autograde", assignment, "--create")
    found = marks(folder / "submitted", run=True)
    ours = {(mark.student, mark.exercise): mark.said for mark in found}

    from nbgrader.api import Gradebook

    wrong = 0
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for student, hints in planted.items():
            submission = book.find_submission("lab", student)
            scores = {grade.name: grade.auto_score for grade in submission.notebooks[0].grades}
            errors = told(folder, student, "lab", LAB)
            for task, hint in hints.items():
                wrong += hint is not None
                said = "correct" if hint is None else f"not yet. {hint}"
                assert scores[f"test-{task}"] == (hint is None), (student, task)
                assert (errors[task] or "correct") == said, (student, task, errors[task])
                assert ours[student, task].startswith(said), (student, task)
            assert scores["test-name"] == 1
        for student, problems in engines.items():
            submission = book.find_submission("08", student)
            scores = {grade.name: grade.auto_score for grade in submission.notebooks[0].grades}
            errors = told(folder, student, "08", ENGINE)
            for stage, problem in problems.items():
                said = "correct." if problem is None else f"not yet. {problem}."
                assert scores[f"test-stage_{stage}"] == (problem is None), (student, stage)
                assert errors[f"stage_{stage}"] == problem, (student, stage)
                assert ours[student, f"stage {stage}"] == said, (student, stage)
    print(
        f"{len(planted)} submissions, {wrong} planted mistakes, and {len(engines)} engines, each "
        "with a mistake: all found, by both"
    )


if __name__ == "__main__":
    main()
