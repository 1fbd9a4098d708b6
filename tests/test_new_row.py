"""A row that nobody knows: each reader of the graph shows it, computes it or refuses it in words.

No reader asks which operation a node is, so a row that a user defines needs nothing but its fields.
"""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from packed import data_of

import micrograd
from micrograd import Value, draw_dot, draw_network, explain, formula, gradcheck, ops, steps
from micrograd.draw import animate_backward, format_graph
from micrograd.draw.diagram import build
from micrograd.draw.fold import folded
from micrograd.errors import ArgumentError, TraceError
from micrograd.interop import to_onnx, to_sklearn, to_torch
from micrograd.losses import mse
from micrograd.nn import MLP, Neuron


@pytest.fixture
def rows(table: Any) -> dict[str, ops.Op]:
    """Return new rows: of operators alone, of a function of `math`, and of three operands."""
    assert table is ops.TABLE
    softsign = ops.define(
        name="softsign",
        forward=lambda x: x / (1 + abs(x)),
        partials=lambda out, x: (1 / (1 + abs(x)) ** 2,),
    )
    bump = ops.define(
        name="bump",
        symbol="∩",
        noun="bell curve",
        forward=lambda x: math.exp(-x * x),
        partials=lambda out, x: (-2 * x * out,),
    )
    blend = ops.define(
        name="blend",
        symbol="⊕",
        forward=lambda t, a, b: t * a + (1 - t) * b,
        partials=lambda out, t, a, b: (a - b, t, 1 - t),
    )
    return {"softsign": softsign, "bump": bump, "blend": blend}


@pytest.fixture
def root(rows: dict[str, ops.Op]) -> Value:
    """Return a graph of the new rows."""
    x, y = Value(0.5, label="x"), Value(-1.5, label="y")
    out = rows["blend"](rows["bump"](x), rows["softsign"](y), x * y)
    out.label = "out"
    return out


def leaf(root: Value, label: str) -> Value:
    """Return the leaf of this name."""
    return next(node for node in micrograd.graph.order(root) if node.label == label)


READERS: list[tuple[str, Callable[[Value], object], list[str]]] = [
    ("formula", formula, ["blend(bump(x), softsign(y), x * y)"]),
    ("text", format_graph, ["bump(x)", "softsign(y)", "blend("]),
    ("picture", lambda root: draw_dot(root)._repr_mimebundle_(), ["∩", "softsign", "⊕"]),
    (
        "steps",
        lambda root: list(steps(root)),
        ["The bell curve bump(x) is bump(0.5)", "softsign(y)"],
    ),
    ("LaTeX", lambda root: [step.latex for step in steps(root)], ["blend(bump(x)"]),
    ("rules", lambda root: [step.rule for step in steps(root)], ["∂bump(x)/∂x = -2 × x × bump(x)"]),
    ("explain", lambda root: explain(root, leaf(root, "x")), ["out ← bump(x) ← x"]),
    ("copy", lambda root: formula(deepcopy(root)), ["blend(bump(x), softsign(y), x * y)"]),
    ("pickle", lambda root: formula(pickle.loads(pickle.dumps(root))), ["softsign(y)"]),
]


@pytest.mark.parametrize(
    ("read", "parts"), [case[1:] for case in READERS], ids=[c[0] for c in READERS]
)
def test_a_new_row_is_shown(root: Value, read: Callable[[Value], object], parts: list[str]) -> None:
    text = str(read(root))
    assert all(part in text for part in parts), text


def test_a_new_row_is_on_a_page_and_in_a_film(root: Value, tmp_path: Path) -> None:
    page = steps(root).to_html(tmp_path / "steps.html").read_text(encoding="utf-8")
    assert "softsign" in page
    assert "∩" in str(data_of(page))
    pytest.importorskip("PIL")
    assert animate_backward(root, tmp_path / "film.gif").read_bytes().startswith(b"GIF")


@pytest.mark.parametrize("name", ["softsign", "bump", "blend"])
def test_a_new_row_is_differentiated_and_checked(rows: dict[str, ops.Op], name: str) -> None:
    row = rows[name]
    assert gradcheck(row, [0.4, -0.8, 0.3][: row.arity])


@pytest.mark.parametrize("backend", ["python", "llvm"])
@pytest.mark.parametrize("name", ["softsign", "bump", "blend"])
def test_a_new_row_is_compiled_or_refused(rows: dict[str, ops.Op], name: str, backend: str) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    row = rows[name]
    compiled = micrograd.compile(lambda a: row(*[a, a + 1, a * 2][: row.arity]), backend=backend)
    if name == "bump" and backend == "llvm":  # its rule calls math
        with pytest.raises(TraceError, match=r"'bump' has no machine code.*backend=\"python\""):
            compiled(0.5)
        return
    a = Value(0.5)
    eager = row(*[a, a + 1, a * 2][: row.arity])
    assert compiled(0.5) == pytest.approx(eager.data, rel=1e-15)
    assert name in compiled.source


def test_a_new_row_is_written_as_c_or_refused(rows: dict[str, ops.Op]) -> None:
    for name, row in rows.items():
        compiled = micrograd.compile(lambda a, row=row: row(*[a] * row.arity), backend="python")
        compiled(0.5)
        if name == "bump":
            with pytest.raises(TraceError, match="'bump' has no machine code"):
                compiled.to_c()
        else:
            assert "double" in compiled.to_c()


SAMPLES, TARGETS = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], [1.0, -1.0, 1.0, -1.0]


@pytest.mark.parametrize("name", ["softsign", "bump"])
def test_a_new_row_activates_a_network(rows: dict[str, ops.Op], name: str, tmp_path: Path) -> None:
    model = MLP(2, [3, 1], activation=name, rng=random.Random(0))
    s, x = model.layers[0].neurons[0].trace([0.5, -0.5])
    assert (x.op, x.data) == (rows[name], rows[name](s.data))
    model.save(tmp_path / "model.json")
    loaded = MLP.from_file(tmp_path / "model.json")
    assert loaded([0.5, -0.5]).data == model([0.5, -0.5]).data
    assert draw_network(model)._repr_mimebundle_()
    assert draw_dot(mse([model([0.5, -0.5])], [1.0]), model=model)._repr_mimebundle_()
    history = micrograd.fit(model, SAMPLES, TARGETS, loss="hinge", steps=3)
    assert len(history.loss) == 3
    assert micrograd.diagnose(model, SAMPLES, TARGETS, loss="hinge")


@pytest.mark.parametrize(
    "export", [to_onnx, pytest.param(to_torch, marks=pytest.mark.parity), to_sklearn]
)
def test_a_new_row_is_not_exported_and_the_message_names_it(
    rows: dict[str, ops.Op], export: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip({"to_onnx": "onnx", "to_torch": "torch"}.get(export.__name__, "sklearn"))
    model = MLP(2, [3, 1], activation=rows["softsign"].name)
    arguments = [tmp_path / "model.onnx"] if export is to_onnx else []
    with pytest.raises(ArgumentError, match=r"has activation 'softsign', which .* does not have"):
        export(model, *arguments)
    assert not list(tmp_path.iterdir())


def test_a_new_row_activates_an_estimator(rows: dict[str, ops.Op]) -> None:
    np = pytest.importorskip("numpy")
    pytest.importorskip("sklearn")
    from micrograd.estimator import MicrogradRegressor

    regressor = MicrogradRegressor((3,), activation="bump", max_iter=2, tol=None, random_state=0)
    regressor.fit(SAMPLES, TARGETS)
    eager = [regressor.model_([Value(x) for x in row]).data for row in SAMPLES]
    assert rows["bump"].name == regressor.model_.layers[0].neurons[0].activation
    assert np.isfinite(eager).all()
    assert regressor.predict(SAMPLES).shape == (4,)


def test_a_new_row_that_adds_or_multiplies_folds_as_ours_do(table: Any) -> None:
    assert table is ops.TABLE
    plus = ops.define(
        name="plus", adds=True, forward=lambda a, b: a + b, partials=lambda out, a, b: (1, 1)
    )
    times = ops.define(
        name="times", pairs=1, forward=lambda a, b: a * b, partials=lambda out, a, b: (b, a)
    )
    neuron = Neuron(2, nonlin=False, rng=random.Random(0))
    total: Any = Value(0.0)
    for i in range(5):
        x = [Value(i / 7), Value(1 - i / 7)]
        weighted = neuron.b
        for weight, operand in zip(neuron.w, x, strict=True):
            weighted = plus(weighted, times(weight, operand))
        total = plus(total, weighted)
    folding = folded(build([total]), "neuron", neuron)
    assert list(folding.times.values()) == [5]
    assert len(folding.modules) == 1


def test_a_new_row_that_is_linear_may_stand_on_the_losses_of_samples(table: Any) -> None:
    assert table is ops.TABLE
    halve = ops.define(name="halve", forward=lambda x: x / 2, partials=lambda out, x: (0.5,))
    model = MLP(2, [2, 1], rng=random.Random(0))
    first, second = (mse([model(row)], [1.0]) for row in SAMPLES[:2])
    drawn = {f: steps(f(first - second)).network for f in (halve, ops.tanh)}
    assert {f.name: network and network.samples for f, network in drawn.items()} == {
        "halve": 2, "tanh": 1,
    }  # fmt: skip
