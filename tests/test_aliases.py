"""Old names of modules: what version 1.0.0 pickled, and programs that name a module that moved."""

import importlib
import pickle
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from tables import each

from micrograd import Value, aliases, ops
from micrograd.graph import order
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, AdamW, cosine
from micrograd.stepper import Stepper

PICKLES = sorted((Path(__file__).parent / "data" / "pickles").rglob("*.pickle"))


def numbers(model):
    return [p.data for p in model.parameters()]


def loaded(name):
    """Return each stored pickle of this name: of version 1.0.0 in two protocols, and of later."""
    found = [path for path in PICKLES if path.stem.rpartition("_")[0] == name]
    assert len(found) >= 2
    return [pickle.loads(path.read_bytes()) for path in found]


@each("old", aliases.MOVED)
def test_an_old_name_is_the_module_of_today(old):
    new = importlib.import_module(f"micrograd.{aliases.MOVED[old]}")
    assert importlib.import_module(f"micrograd.{old}") is new
    assert new.__spec__.name == new.__name__ == f"micrograd.{aliases.MOVED[old]}"


def test_a_name_that_moved_to_another_room_is_found_where_it_was():
    from micrograd.replay.traced import uncollected

    assert uncollected is importlib.import_module("micrograd.values.collecting").uncollected


def test_old_names_cost_nothing_until_they_are_used():
    program = (
        "import sys, micrograd\n"
        "names = [f'micrograd.{name}' for name in micrograd.aliases.MOVED]\n"
        "assert not set(names) & set(sys.modules)\n"
        "from micrograd.node import Node\n"
        "import micrograd.widget.data\n"
        "assert Node.__module__ == 'micrograd.engine.node'\n"
        "assert micrograd.widget.data is sys.modules['micrograd.stepper.page.data']\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_a_name_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"micrograd\.nodes"):
        importlib.import_module("micrograd.nodes")


# The stored pickles were made by version 1.0.0; those of the folder `after_1.0.0` by a later state
# in which a history and the tapes of compiled functions stood in other modules.


def test_graphs_and_their_gradients():
    for root in loaded("graph"):
        assert type(root) is Value
        leaves = [node for node in order(root) if node.label in {"a", "b"}]
        assert len(leaves) == 2
        before = root.data, [leaf.grad for leaf in leaves]
        root.forward()
        root.backward()
        assert root.data == before[0]
        assert [leaf.grad / 2 for leaf in leaves] == before[1]
        exact = [node.data for node in order(root) if isinstance(node.data, Fraction)]
        assert exact == [Fraction(1, 2)]


def test_rows_are_the_rows_of_the_table():
    for rows in loaded("rows"):
        assert rows.pop("power") is (Value(2.0) ** 3).op
        assert rows.pop("constant") is ops.constant
        assert all(ops.TABLE[name] is row for name, row in rows.items())


def test_networks():
    for model in loaded("model"):
        assert type(model) is MLP
        random.seed(1337)
        assert numbers(model) == numbers(MLP(2, [3, 1]))
    for neuron in loaded("single_operations"):
        assert neuron([1.0, 2.0]).op.name == "relu"


@pytest.mark.parametrize(("name", "kind"), [("sgd", SGD), ("adam", Adam), ("adamw", AdamW)])
def test_optimizers_go_on(name, kind):
    ends = []
    for model, optimizer in loaded(name):
        assert type(optimizer) is kind
        assert optimizer.params == model.parameters()
        assert optimizer.steps == 3
        for p in optimizer.params:
            p.grad = 1.0
        optimizer.step()
        ends.append([p.data for p in model.parameters()])
    assert ends[0] == ends[1]
    if name == "adam":
        assert loaded("adam")[0][1].lr == cosine(0.1, 0.0, 10)


def test_histories():
    for history in loaded("history"):
        assert len(history) == len(history.loss) == 5
        assert history.loss[-1] == pytest.approx(0.8144, rel=1e-3)


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_compiled_functions(backend):
    pytest.importorskip("numpy")
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    results = {
        (f(1.0, -2.0), *f.value_and_grad([0.5, 1.0], [0.25, 2.0])[1].tolist())
        for f in loaded(f"compiled_{backend}")
    }
    assert len(results) == 1


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_estimators(name):
    pytest.importorskip("sklearn")
    pytest.importorskip("numpy._core", reason="NumPy 2 wrote these pickles")
    answers = [e.predict([[0.0, 1.0], [1.0, 1.0]]).tolist() for e in loaded(name)]
    assert all(answer == answers[0] for answer in answers)


def test_steppers():
    for stepper in loaded("stepper"):
        assert type(stepper) is Stepper
        assert stepper.root.data == -6.0 + ops.tanh(2.0)
        assert len(stepper) == 9
