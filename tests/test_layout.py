"""What the package is made of: its files, its modules, and what importing it loads."""

import configparser
import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd

ROOT = Path(__file__).parents[1]
PACKAGE = Path(micrograd.__file__).parent
MODULES = sorted(
    path.stem if path.is_file() else path.name
    for path in PACKAGE.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
)
STANDARD_ONLY = (
    "errors",
    "ops",
    "graph",
    "engine",
    "formula",
    "functional",
    "nn",
    "losses",
    "optim",
)


def loaded_by(statement):
    """Return the names of the modules that a new interpreter loads for `statement`."""
    script = f"import sys; before = set(sys.modules); {statement}; import json; "
    script += "print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, check=True, text=True, cwd=ROOT
    )
    return json.loads(done.stdout)


def layers():
    """Return the modules that the import contract names."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return set(re.findall(r"\w+", settings["importlinter:contract:layers"]["layers"]))


@pytest.mark.parametrize("name", ["", *(name for name in STANDARD_ONLY if name in MODULES)])
def test_the_core_loads_the_standard_library_alone(name):
    modules = loaded_by(f"import micrograd.{name}" if name else "import micrograd")
    roots = {module.partition(".")[0] for module in modules}
    assert roots - set(sys.stdlib_module_names) == {"micrograd"}


def test_every_module_has_its_place_in_the_import_contract():
    assert {name for name in MODULES if name != "__init__"} <= layers()


def test_everything_that_micrograd_exports_is_there():
    assert len(set(micrograd.__all__)) == len(micrograd.__all__)
    for name in micrograd.__all__:
        assert getattr(micrograd, name) is not None


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("_")])
def test_every_module_has_its_test_file(name):
    # The steps' passes and words have no meaning apart from the stepper, nor has a run, or its
    # task, apart from training.
    parts = {
        "passes": "stepper",
        "words": "stepper",
        "training_run": "train",
        "training_task": "train",
    }
    tested = parts.get(name, name)
    assert list((ROOT / "tests").glob(f"test_{tested}*.py"))


def test_every_list_of_exports_is_what_is_there():
    for path in PACKAGE.glob("*.py"):
        if path.stem in {"__init__", "__main__"}:
            continue
        module = importlib.import_module(f"micrograd.{path.stem}")
        listed = getattr(module, "__all__", [])
        assert len(set(listed)) == len(listed)
        for name in listed:
            assert hasattr(module, name), f"{path.name} lists {name}"


def test_every_promised_name_is_exported():
    promised = (
        "Value gradient no_grad define formula grad value_and_grad jacobian hessian gradcheck "
        "exp expm1 log log1p log2 log10 sqrt cbrt sin cos tan arcsin arccos arctan sinh cosh tanh "
        "arcsinh arccosh arctanh erf sigmoid softplus relu leaky_relu elu gelu silu abs sign "
        "maximum minimum hypot arctan2 where sum dot logsumexp softmax"
    )
    assert set(promised.split()) <= set(dir(micrograd))


def test_every_module_says_what_it_is():
    for path in PACKAGE.rglob("*.py"):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        assert first.startswith('"""'), f"{path.name} has no docstring"


def test_type_checkers_find_the_types():
    assert (PACKAGE / "py.typed").exists()


def test_the_version_is_the_installed_one():
    try:
        installed = importlib.metadata.version("micrograd")
    except importlib.metadata.PackageNotFoundError:  # run from the source tree, not installed
        installed = micrograd.__version__
    assert installed == micrograd.__version__ == "1.0.0"


def test_the_changelog_has_an_entry_for_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## [{micrograd.__version__}]" in changelog
