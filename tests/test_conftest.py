"""What the tests share: the watch over switches, what is said of a run, tables of cases."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tables import each

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
    parallel = ["--numprocesses=logical", "--maxprocesses=1", "--dist=worksteal"]
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


def test_a_test_that_leaves_a_switch_flipped_fails_and_the_next_does_not(tmp_path: Path) -> None:
    tests = "".join(
        f"def test_leaves_{i}():\n    {LEAVES[switch]}\n\n\ndef test_clean_{i}():\n    pass\n\n\n"
        for i, switch in enumerate(LEAVES)
    )
    done = run(tmp_path, f"kept = []\n\n\n{tests}")
    assert done.returncode == 1, done.stdout + done.stderr
    for i, switch in enumerate(LEAVES):
        assert f"ERROR at teardown of test_leaves_{i} " in done.stdout
        assert f"Failed: the test left changed: {switch}\n" in done.stdout
    assert f"{2 * len(LEAVES)} passed, {len(LEAVES)} errors" in done.stdout


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


def test_a_table_is_gone_through_to_its_end_and_names_the_rows_that_fail(tmp_path: Path) -> None:
    seen = []

    @each(("x", "y"), [(1, 2), (4, 3), (5, 6), (8, 7)])
    @each("sign", "+-", ids="sign {}".format)
    def ascending(x: int, y: int, sign: str, folder: Path) -> None:
        seen.append((x, y, sign, folder))
        assert x < y or sign == "+"

    assert list(inspect.signature(ascending).parameters) == ["folder"]
    with pytest.raises(
        AssertionError, match=r"^2 of 4 rows: row 1 \(4, 3\), row 3 \(8, 7\)$"
    ) as found:
        ascending(folder=tmp_path)
    assert str(found.value.__cause__) == "1 of 2 rows: row 1 (sign -)"
    assert seen == [
        (*pair, sign, tmp_path) for pair in [(1, 2), (4, 3), (5, 6), (8, 7)] for sign in "+-"
    ]
    with pytest.raises(AssertionError, match="without rows"):
        each("x", [])
