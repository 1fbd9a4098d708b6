"""Have nbgrader grade a class of generated submissions, and compare with what was planted.

    python tests/course/nbgrader_trial.py FOLDER [STUDENTS]

FOLDER is made. It takes nbgrader 0.9 and micrograd in the same Python, and some seconds a student.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

from micrograd.course.grading import CONFIGURATION, laboratory
from micrograd.course.lab import TASKS, exercise_of
from micrograd.course.marking import marks

STUDENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 100


def nbgrader(folder, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    subprocess.run(command, cwd=folder, check=True)


def hand_in(folder, student):
    """Write a student's notebook with some mistakes; return the hint for each task, or None."""
    draw = random.Random(student)
    released = folder / "release" / "lab" / "laboratory.ipynb"
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
    path = folder / "submitted" / student / "lab" / "laboratory.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return planted


def told(folder, student):
    """Return what nbgrader's grading cells said, by task: the error, or None."""
    path = folder / "autograded" / student / "lab" / "laboratory.ipynb"
    found = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name.startswith("test-lab"):
            errors = [o["evalue"] for o in cell["outputs"] if o["output_type"] == "error"]
            found[name.removeprefix("test-")] = errors[0] if errors else None
    return found


def main():
    """Make the class, grade it in both ways, and count what was found."""
    folder = Path(sys.argv[1])
    source = folder / "source" / "lab" / "laboratory.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(laboratory()), encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(CONFIGURATION, encoding="utf-8")
    nbgrader(folder, "generate_assignment", "lab", "--create")
    planted = {f"s{i:03}": hand_in(folder, f"s{i:03}") for i in range(STUDENTS)}
    nbgrader(folder, "autograde", "lab", "--create")
    ours = {(mark.student, mark.exercise): mark.said for mark in marks(folder / "submitted")}

    from nbgrader.api import Gradebook

    wrong = 0
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for student, hints in planted.items():
            submission = book.find_submission("lab", student)
            scores = {grade.name: grade.auto_score for grade in submission.notebooks[0].grades}
            errors = told(folder, student)
            for task, hint in hints.items():
                wrong += hint is not None
                said = "correct" if hint is None else f"not yet. {hint}"
                assert scores[f"test-{task}"] == (hint is None), (student, task)
                assert (errors[task] or "correct") == said, (student, task, errors[task])
                assert ours[student, task].startswith(said), (student, task)
            assert scores["test-name"] == 1
    print(f"{len(planted)} submissions, {wrong} planted mistakes: all found, by both")


if __name__ == "__main__":
    main()
