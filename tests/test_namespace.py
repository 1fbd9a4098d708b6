"""What `import micrograd as mg` gives, when it is loaded, and what it costs."""

import ast
import builtins
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd

MODULES = sorted(micrograd._MODULES)
LATER = micrograd._LATER
SOURCE = ast.parse(Path(micrograd.__file__).read_text(encoding="utf-8"))

# An environment where nothing but micrograd is installed.
BARE = """
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "micrograd"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
"""


def in_a_new_interpreter(program):
    """Run `program` where no third-party package is found; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BARE + program],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(micrograd.__file__).parents[1]),
            "PYTHONIOENCODING": "utf-8",
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_name_is_loaded_when_it_is_first_named():
    bare = [name for name in (*MODULES, *LATER) if LATER.get(name) != "micrograd.estimator"]
    bare.remove("estimator")
    program = f"""
for name in {bare!r}:
    for module in [module for module in sys.modules if module.partition(".")[0] == "micrograd"]:
        del sys.modules[module]
    import micrograd as mg
    assert getattr(mg, name) is getattr(mg, name), name
    print(name)
"""
    assert in_a_new_interpreter(program).split() == bare


def test_the_first_guesses_of_a_learner_are_right():
    in_a_new_interpreter("""
import micrograd as mg

model = mg.nn.MLP(2, [3, 1])
assert type(model) is mg.MLP
assert mg.fit is mg.train.fit
assert mg.draw_dot is mg.draw.draw_dot
assert mg.draw_network is mg.draw.draw_network
mg.train.fit(model, [[0, 1]], [1], optimizer=mg.optim.SGD(model.parameters(), lr=0.1), steps=1)
mg.losses.mse, mg.plot.plot_history, mg.datasets.load, mg.interop.to_torch
""")


def test_a_module_and_a_function_never_take_each_others_name():
    for found in pkgutil.walk_packages(micrograd.__path__, "micrograd."):
        if not found.name.endswith(("__main__", ".notebooks")):
            importlib.import_module(found.name)
    for name in MODULES:
        assert getattr(micrograd, name) is sys.modules[f"micrograd.{name}"]
    for name in {*micrograd.__all__, *LATER} - set(MODULES):
        assert callable(getattr(micrograd, name)), name


def test_the_import_takes_no_package_and_no_module_that_can_wait():
    program = "import micrograd; print(*sys.modules); micrograd.steps; print(*sys.modules)"
    loaded, with_steps = (line.split() for line in in_a_new_interpreter(program).splitlines())
    rooms = {f"micrograd.{room}" for room in ("loop", "optim", "train", "stepper.page", "replay")}
    assert rooms.isdisjoint(with_steps)  # steps without an optimizer need none of them
    assert "micrograd.engine" in loaded
    assert {"micrograd.nn", "micrograd.draw", "micrograd.replay"}.isdisjoint(loaded)


def test_a_star_import_works_bare_and_leaves_the_built_ins_alone():
    given = in_a_new_interpreter("""
given = {}
exec("from micrograd import *", given)
print(*(set(given) - {"__builtins__"}))
""").split()
    assert sorted(given) == sorted(micrograd.__all__)
    assert set(given).isdisjoint(dir(builtins))


def test_the_star_leaves_out_only_what_it_must():
    classes = {"MicrogradClassifier", "MicrogradRegressor"}
    left_out = {*MODULES, *LATER, "abs", "sum"} - set(micrograd.__all__)
    assert left_out == {"abs", "compile", "sum", "estimator"} | classes


def test_completion_lists_what_was_not_loaded_yet():
    listed = in_a_new_interpreter("import micrograd; print(*dir(micrograd))").split()
    assert set(listed) >= {*MODULES, *LATER, *micrograd.__all__, "abs", "sum", "__version__"}
    assert listed == sorted(set(listed))


def test_a_type_checker_is_told_the_same_names():
    for_checkers = next(node for node in SOURCE.body if isinstance(node, ast.If))
    told = {
        alias.name: f"{node.module}.{alias.name}" if alias.name in MODULES else node.module
        for node in ast.walk(for_checkers)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == LATER | {
        name: importlib.import_module(f"micrograd.{name}").__name__ for name in MODULES
    }


def test_a_mistyped_name_is_named_and_the_right_one_proposed():
    with pytest.raises(
        AttributeError, match="module 'micrograd' has no attribute 'draw_dott'"
    ) as e:
        micrograd.draw_dott
    assert (e.value.name, e.value.obj) == ("draw_dott", micrograd)
