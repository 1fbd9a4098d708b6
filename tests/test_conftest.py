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


WORKER = """
import pytest


def test_says_where_it_runs(worker_id):
    print(f"worker {worker_id}")
    assert False


@pytest.mark.slow
def test_takes_long():
    pass
"""

LEFT_OUT = "Skipped: 1 because they take long (python -m pytest -m slow runs them)\n"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Run a file with everything that is looked for here: to start a suite takes seconds."""
    leaves = "".join(
        f"def test_leaves_{i}():\n    {code}\n\n\ndef test_clean_{i}():\n    pass\n\n\n"
        for i, code in enumerate(LEAVES.values())
    )
    return run(tmp_path_factory.mktemp("alone"), f"kept = []\n\n\n{leaves}{SKIPS}{WORKER}")


def test_a_test_that_leaves_a_switch_flipped_fails_and_the_next_does_not(
    alone: subprocess.CompletedProcess[str],
) -> None:
    assert alone.returncode == 1, alone.stdout + alone.stderr
    for i, switch in enumerate(LEAVES):
        assert f"ERROR at teardown of test_leaves_{i} " in alone.stdout
        assert f"Failed: the test left changed: {switch}\n" in alone.stdout
    assert f"1 failed, {2 * len(LEAVES) + 2} passed" in alone.stdout
    assert f"{len(LEAVES)} errors" in alone.stdout


def test_what_was_skipped_and_why_is_said_in_one_line(
    alone: subprocess.CompletedProcess[str],
) -> None:
    expected = (
        "Skipped: 3 because could not import 'no_such_package', 1 because there is no Chromium"
    )
    assert [line for line in alone.stdout.splitlines() if "Skipped:" in line] == [expected]


def test_a_file_is_tested_in_this_process(alone: subprocess.CompletedProcess[str]) -> None:
    assert "worker master" in alone.stdout


@pytest.mark.parametrize(
    ("options", "worker"),
    [(["."], "gw"), ([".", "-n", "0"], "master")],
)
def test_folders_are_tested_in_parallel_unless_told_otherwise(
    options: list[str], worker: str, tmp_path: Path
) -> None:
    done = run(tmp_path, WORKER, *options)
    assert f"worker {worker}" in done.stdout
    assert LEFT_OUT in done.stdout


def test_what_takes_long_runs_where_it_is_asked_for(
    alone: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    assert "they take long" not in alone.stdout
    done = run(tmp_path, WORKER, ".", "-n", "0", "-m", "slow")
    assert "1 passed, 1 deselected" in done.stdout, done.stdout


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
