"""CONTRIBUTING.md: its map names files that exist, and the row of its example is all it takes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tables import each

import micrograd

ROOT = Path(__file__).parents[1]
PACKAGE = Path(micrograd.__file__).parent  # the installed one, where that is tested
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
MAP = dict(re.findall(r"^\| (.+) \| (.*`.*) \|$", GUIDE.partition("\n## ")[2], re.MULTILINE))


# ---- the map -----------------------------------------------------------------------------------


def test_the_guide_opens_with_the_map():
    assert GUIDE.startswith("# Contributing\n\n## I want to change …\n\n| I want to change … |")


@each("wish", MAP)
def test_what_the_map_names_exists(wish):
    paths = re.findall(r"`([^`]+)`", MAP[wish])
    assert paths
    for path in paths:
        folder = PACKAGE.parent if path.startswith("micrograd/") else ROOT
        assert (folder / path).exists(), path


def test_every_room_and_every_module_beside_the_rooms_is_on_the_map():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    named = {path.split("/")[1] for path in re.findall(r"`(micrograd/[^`]+)`", str(MAP))}
    assert rooms | modules == named


@pytest.mark.parametrize(
    "asked",
    [
        "how `backward` works", "the sentence of a step", "the colours",
        "where mini-batches are shuffled", "the LLVM text of an operation, such as a relu",
        "where a checkpoint is written", "an exercise, its answer, its hints",
        "the names of a network's values", "the JavaScript and CSS of the stepper's page",
        "a learning-rate schedule", "the command-line parser", "the op table", "an error class",
        "a test helper",
    ],
)  # fmt: skip
def test_what_newcomers_look_for_is_on_the_map_once(asked):
    assert sum(wish.startswith(asked) for wish in MAP) == 1


# ---- the worked example ------------------------------------------------------------------------


def tried(tmp_path, row, usage):
    """Append `row` to the op table of a copy of the package and run `usage` as a doctest there."""
    package = tmp_path / "micrograd"
    shutil.copytree(PACKAGE, package)
    with (package / "ops" / "rows.py").open("a", encoding="utf-8") as table:
        table.write("\n" + row)
    script = tmp_path / "usage.txt"
    script.write_text(usage, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "doctest", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_the_guide_has_one_row_and_one_use_of_it():
    assert len(BLOCKS) == 2
    assert BLOCKS[0].count("define(") == 1


def test_the_row_of_the_worked_example_is_all_it_takes(tmp_path):
    done = tried(tmp_path, *BLOCKS)
    assert done.returncode == 0, done.stdout
    assert "mish" not in micrograd.ops.TABLE


def test_a_wrong_derivative_in_the_row_is_found(tmp_path):
    row = BLOCKS[0].replace("1 - tanh", "2 - tanh")
    assert row != BLOCKS[0]
    done = tried(tmp_path, row, BLOCKS[1])
    assert done.returncode != 0
    assert "GradcheckError" in done.stdout
