"""The inputs beside the features: their names, their code, what is asked of one's own."""

import math
import random

import pytest

pytest.importorskip("numpy")

from trainer import in_node
from watched import X, model, y

import micrograd
from micrograd import watch
from micrograd.errors import ArgumentError
from micrograd.live.inputs import check_derived, inputs_of
from micrograd.nn import MLP


def radius(x):
    return (x[0] ** 2 + x[1] ** 2) ** 0.5


def test_each_input_is_computed_from_the_features_as_its_code_says():
    own = {"r": radius, "three": lambda x: 3, "tanh": lambda x: micrograd.tanh(x[2] - x[0])}
    found = inputs_of(["x1", "height", "x3"], (2, 0), own)
    assert list(found) == [
        "x1", "height", "x3", "x3²", "x1²", "x3x1", "sin x3", "sin x1", "r", "three", "tanh",
    ]  # fmt: skip
    x = [0.3, 7.0, -1.25]
    names = {"x": x, "sin": math.sin, "radius": radius, "derived": own}
    for name, one in found.items():
        assert one.function(x) == eval(one.code, names), name
        root, leaves = one.graph(3)
        for leaf, number in zip(leaves, x, strict=True):
            leaf.data = number
        assert root.forward().data == one.function(x), name
    assert "width · height" in inputs_of(["width", "height"], (0, 1), {})


def test_a_feature_keeps_a_name_that_a_computed_input_would_have():
    assert inputs_of(["a", "a²"], (0, 1), {})["a²"].code == "x[1]"


@pytest.mark.parametrize("function", [lambda x: micrograd.log(x[0]), lambda x: 1 / x[0]])
def test_one_that_has_no_value_at_a_sample_is_named(function):
    with pytest.raises(ArgumentError, match=r"derived\['own'\] cannot be computed"):
        check_derived({"own": function}, ["x1"], [[1.0], [0.0]])


def test_a_page_computes_them_over_the_samples():
    view = watch(model(), X, y, derived={"r": radius})
    assert not check_derived(None, [], [])
    chosen = ["r", "sin x2", "x1x2"]
    seen = in_node(
        "const run = trainerOf(given.task, given.settings); run.step(20);"
        "return [trainerOf.choices(given.task).features, run.losses, run.layers];",
        {"task": view.task, "settings": {"features": chosen, "loss": "mse", "optimizer": "SGD"}},
    )
    assert seen[0] == ["x1", "x2", "x1²", "x2²", "x1x2", "sin x1", "sin x2", "r"]
    assert seen[2] == [3, 4, 1]
    rows = [[radius(x), math.sin(x[1]), x[0] * x[1]] for x in X]
    net = MLP(3, [4, 1], rng=random.Random(0))
    parameters = net.parameters()
    history = micrograd.train.fit(
        net, rows, y, "mse", micrograd.optim.SGD(parameters, 0.02), steps=20, progress=False,
        compile=False,
    )  # fmt: skip
    assert seen[1] == pytest.approx(history.loss, rel=1e-9)


def test_one_that_is_not_finite_on_some_sample_is_refused():
    with pytest.raises(ArgumentError, match="finite numbers"):
        check_derived({"big": lambda x: x[0] * math.inf}, ["x1"], [[1.0]])
