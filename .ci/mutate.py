"""Plant faults in one module, one at a time, and list those that its tests do not find.

python .ci/mutate.py MODULE runs mutmut (pip install mutmut==3.8.1; not on Windows) on a copy of the
tracked files. Which tests go with which module stands in pyproject.toml, [tool.micrograd.mutation].
mutmut plants faults in functions only: the lambdas of a table, as in ops/rows.py, stay as they are.
Tests marked slow are left out, and those that interrupt at every line: mutmut moves the lines.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[1]

SETTINGS = """
[tool.mutmut]
source_paths = ["micrograd"]
only_mutate = ["micrograd/{module}.py"]
also_copy = ["README.md", "CONTRIBUTING.md", "docs", "notebooks"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = [
    "-o", "addopts=--import-mode=importlib", "-p", "no:xdist", "-p", "no:cacheprovider",
    "-m", "not slow", "-k", "not any_line",
]
"""


def copy(folder):
    """Copy the tracked files, as they are now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, names.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def main():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tests_of = tomllib.loads(pyproject)["tool"]["micrograd"]["mutation"]
    if len(sys.argv) != 2 or sys.argv[1] not in tests_of:
        sys.exit(f"usage: python .ci/mutate.py MODULE, with one of {', '.join(tests_of)}")
    module = sys.argv[1]
    folder = Path(tempfile.mkdtemp(prefix="mutate-"))
    copy(folder)
    settings = SETTINGS.format(module=module, tests=json.dumps(tests_of[module]))
    (folder / "pyproject.toml").write_text(pyproject + settings, encoding="utf-8")

    def mutmut(*words, **options):
        environment = os.environ | {"MICROGRAD_HYPOTHESIS": "ci"}
        command = [sys.executable, "-m", "mutmut", *words]
        return subprocess.run(command, cwd=folder, env=environment, check=True, **options)

    mutmut("run")
    listed = mutmut("results", "--all", "true", stdout=subprocess.PIPE, text=True).stdout
    faults = [line.strip() for line in listed.splitlines() if line.strip()]
    found = [fault for fault in faults if fault.endswith((": killed", ": timeout"))]
    for fault in sorted(set(faults) - set(found)):
        print(f"\n{fault}", flush=True)
        mutmut("show", fault.partition(":")[0])
    print(f"\n{module}: {len(found)} of {len(faults)} faults found. The copy is {folder}")


if __name__ == "__main__":
    main()
