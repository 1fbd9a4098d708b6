"""The checker of test reports in `.ci`: a skip, an empty run or a failure must not pass."""

import re
import subprocess
import sys
from pathlib import Path

import micrograd

FOLDER = Path(__file__).parents[1] / ".ci"

PASSED = '<testcase classname="tests.test_a" name="test_one"/>'
DOCTEST = '<testcase classname="micrograd.ops" name="micrograd.ops.define"/>'
TORCH = "could not import 'torch': No module named 'torch'"


def skipped(message, name="test_two"):
    inner = f'<skipped type="pytest.skip" message="{message}"/>'
    return f'<testcase classname="tests.test_parity" name="{name}">{inner}</testcase>'


def checked(tmp_path, *cases, stage="readme", options=(), earlier=()):
    for name, found in (("report", cases), ("earlier", earlier)):
        text = f"<testsuites><testsuite>{''.join(found)}</testsuite></testsuites>"
        (tmp_path / f"{name}.xml").write_text(text, encoding="utf-8")
    if earlier:
        options = (*options, "--covers", str(tmp_path / "earlier.xml"))
    program = [sys.executable, str(FOLDER / "check_report.py"), str(tmp_path / "report.xml")]
    return subprocess.run(
        [*program, "--stage", stage, *options], capture_output=True, check=False, text=True
    )


def test_a_run_without_skips_passes_and_is_counted(tmp_path):
    done = checked(tmp_path, PASSED, DOCTEST, options=("--count", "--doctests"))
    assert (done.returncode, done.stdout) == (0, "2\n")


def test_an_unlisted_skip_fails(tmp_path):
    done = checked(tmp_path, PASSED, skipped("numpy is missing"))
    assert done.returncode == 1
    assert "tests.test_parity.test_two: numpy is missing" in done.stderr


def test_a_listed_skip_passes_in_its_stage_only(tmp_path):
    assert checked(tmp_path, PASSED, skipped(TORCH)).returncode == 0
    assert checked(tmp_path, PASSED, skipped(TORCH), stage="parity").returncode == 1


def test_a_run_of_no_test_and_a_failure_fail(tmp_path):
    failed = '<testcase classname="tests.test_a" name="test_one"><failure message="no"/></testcase>'
    assert "no test passed" in checked(tmp_path).stderr
    assert checked(tmp_path, PASSED, failed).returncode == 1


def test_a_run_without_doctests_fails_where_they_are_wanted(tmp_path):
    assert checked(tmp_path, PASSED, options=("--doctests",)).returncode == 1


def test_what_was_skipped_without_pytorch_must_run_with_it(tmp_path):
    earlier = [skipped(TORCH)]
    ran = '<testcase classname="tests.test_parity" name="test_two"/>'
    assert checked(tmp_path, ran, stage="parity", earlier=earlier).returncode == 0
    assert checked(tmp_path, PASSED, stage="parity", earlier=earlier).returncode == 1


def test_every_allowed_skip_has_a_stage_a_pattern_and_a_reason():
    for line in (FOLDER / "allowed-skips.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            assert all(part.strip() for part in line.split("|"))
            assert line.count("|") == 2


def test_the_lowest_versions_that_are_tried_are_those_that_are_promised():
    project = (FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8")
    promised = dict(re.findall(r'"([a-z-]+)>=([\d.]+)[";]', project))
    # What builds the package, what only a browser test needs, and what builds the documentation.
    for name in (
        "build", "jupyterlab", "marimo", "myst-nb", "notebook", "numpydoc", "playwright",
        "pydata-sphinx-theme", "setuptools", "sphinx",
    ):  # fmt: skip
        del promised[name]
    tried = (FOLDER / "lowest.txt").read_text(encoding="utf-8")
    assert dict(re.findall(r"^([a-z-]+)==([\d.]+)$", tried, re.MULTILINE)) == promised


def test_a_commit_is_checked_as_the_first_stages_check_it():
    hooks = (FOLDER.parent / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    checks = re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE)
    stages = (FOLDER / "run").read_text(encoding="utf-8")
    assert re.findall(r"\{ in_checks (.+?); \}", stages) == checks
    assert len(checks) == 4


def test_the_modules_that_get_faults_and_their_tests_are_there():
    root = FOLDER.parent
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    table = project.partition("[tool.micrograd.mutation]")[2].partition("\n[")[0]
    modules = re.findall(r'^"?([a-z_/]+)"? = \[', table, re.MULTILINE)
    assert len(modules) == len(set(modules)) > 6
    package = Path(micrograd.__file__).parent
    for path in [package / f"{module}.py" for module in modules] + [
        root / name for name in re.findall(r'"(tests/[\w/.]+)"', table)
    ]:
        assert path.exists(), path
