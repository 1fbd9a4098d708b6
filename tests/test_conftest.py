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


@pytest.mark.parametrize("switch", LEAVES)
def test_a_test_that_leaves_a_switch_flipped_fails(switch: str, tmp_path: Path) -> None:
    watch = (TESTS / "conftest.py").read_text(encoding="utf-8")
    (tmp_path / "conftest.py").write_text(watch, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(
        f"kept = []\n\n\ndef test_leaves():\n    {LEAVES[switch]}\n\n\n"
        "def test_clean():\n    pass\n",
        encoding="utf-8",
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        tmp_path,
    ]
    done = subprocess.run(
        [*command, tmp_path],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"the test left changed: {switch}" in done.stdout
    assert "1 error" in done.stdout
