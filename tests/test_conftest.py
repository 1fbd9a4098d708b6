"""The watch over switches, by planting what it should find."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

LEAVES = {
    "no_grad": (
        "from micrograd.engine import no_grad\n"
        "    kept.append(no_grad())\n"  # or it would end when it is freed
        "    kept[0].__enter__()"
    ),
    "rows of ops.TABLE": (
        "from micrograd import ops\n"
        "    ops.define(name='left', forward=lambda x: x, partials=lambda out, x: (1,))"
    ),
    "digits of mpmath": "import mpmath\n    mpmath.mp.dps = 30",
}


def run(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `test` as the only file of a suite with this suite's conftest and parallel options."""
    watch = (TESTS / "conftest.py").read_text(encoding="utf-8")
    (folder / "conftest.py").write_text(watch, encoding="utf-8")
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    parallel = ["--numprocesses=logical", "--maxprocesses=2", "--dist=worksteal"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", folder]
    return subprocess.run(
        [*command, *parallel, *(options or [folder / "test_it.py"])],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )


@pytest.mark.parametrize("switch", LEAVES)
def test_a_test_that_leaves_a_switch_flipped_fails(switch: str, tmp_path: Path) -> None:
    done = run(
        tmp_path,
        f"kept = []\n\n\ndef test_leaves():\n    {LEAVES[switch]}\n\n\n"
        "def test_clean():\n    pass\n",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"the test left changed: {switch}" in done.stdout
    assert "1 error" in done.stdout


SKIPS = """
import pytest


@pytest.mark.parametrize("number", range(3))
def test_needs_a_package(number):
    pytest.importorskip("no_such_package")


def test_needs_a_browser():
    pytest.skip("there is no Chromium")


def test_runs():
    pass
"""


def test_what_was_skipped_and_why_is_said_in_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, SKIPS)
    expected = (
        "Skipped: 3 because could not import 'no_such_package', 1 because there is no Chromium"
    )
    assert [line for line in done.stdout.splitlines() if "Chromium" in line] == [expected]


WORKER = """
def test_runs(worker_id):
    print(f"worker {worker_id}")
    assert False
"""


@pytest.mark.parametrize(
    ("options", "worker"),
    [(["."], "gw"), (["test_it.py::test_runs"], "master"), ([".", "-n", "0"], "master")],
)
def test_folders_are_tested_in_parallel_and_files_are_not(
    options: list[str], worker: str, tmp_path: Path
) -> None:
    assert f"worker {worker}" in run(tmp_path, WORKER, *options).stdout


def test_the_plugin_for_parallel_tests_can_be_left_out(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_runs():\n    pass\n", ".", "-p", "no:xdist")
    assert "1 passed" in done.stdout, done.stderr
    assert "Skipped" not in done.stdout
