"""The worked example of CONTRIBUTING.md: a row added to `ops/rows.py`, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import micrograd

GUIDE = Path(__file__).parents[1] / "CONTRIBUTING.md"
BLOCKS = re.findall(
    r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def tried(tmp_path, row, usage):
    """Append `row` to the op table of a copy of the package and run `usage` as a doctest there."""
    package = tmp_path / "micrograd"
    shutil.copytree(Path(micrograd.__file__).parent, package)
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
