"""Folded pictures: modules as boxes, repetitions once, and nothing lost on the way."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from micrograd import Value
from micrograd import sum as value_sum
from micrograd.draw import draw_dot
from micrograd.draw.diagram import Diagram, build
from micrograd.draw.fold import Folding, folded
from micrograd.errors import ArgumentError, ArgumentTypeError
from micrograd.losses import hinge, l2
from micrograd.nn import MLP, Layer, Neuron

SVG = "{http://www.w3.org/2000/svg}"


def network(atomic: bool = False) -> MLP:
    return MLP(2, [3, 2, 1], activation="tanh", atomic=atomic, rng=random.Random(1))


def output(model: Any) -> Value:
    x = [Value(1.0, label="x0"), Value(2.0, label="x1")]
    y: Value = model(x)
    y.backward()
    return y


def folding_of(root: Value, fold: str, model: Any) -> tuple[Diagram, Folding]:
    diagram = build([root])
    return diagram, folded(diagram, fold, model)


def texts(root: Value, **options: Any) -> list[str]:
    svg = draw_dot(root, **options).pipe("svg", encoding="utf-8")
    found = ElementTree.fromstring(svg).iter(f"{SVG}text")
    return ["".join(element.itertext()).replace("\xa0", " ").strip() for element in found]


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize(
    ("fold", "titles"),
    [
        (
            "neuron",
            [
                *(f"layer 1, neuron {i}" for i in (1, 2, 3)),
                *(f"layer 2, neuron {i}" for i in (1, 2)),
                "layer 3, neuron 1",
            ],
        ),
        ("layer", ["layer 1", "layer 2", "layer 3"]),
        ("network", ["network"]),
    ],
)
def test_every_module_is_one_box(fold: str, titles: list[str], atomic: bool) -> None:
    model = network(atomic)
    root = output(model)
    diagram, folding = folding_of(root, fold, model)
    assert sorted(module.title for module in folding.modules) == sorted(titles)
    assert folding.size(diagram) == len(titles) + 2  # and the two inputs
    drawn = texts(root, fold=fold, model=model)
    assert set(titles) <= set(drawn)
    assert "x0" in drawn


def test_a_box_shows_the_summations_and_activations_inside() -> None:
    model = network()
    root = output(model)
    diagram, folding = folding_of(root, "layer", model)
    first = folding.modules[0]
    trace = model.trace([1.0, 2.0])[0]
    assert [diagram.boxes[s].data for _, s, _ in first.rows] == [s.data for s in trace.s]
    assert [diagram.boxes[x].data for _, _, x in first.rows] == [x.data for x in trace.x]


@pytest.mark.parametrize("atomic", [False, True])
def test_a_hundred_samples_are_drawn_once(atomic: bool) -> None:
    model = MLP(2, [4, 1], atomic=atomic, rng=random.Random(1))
    numbers = random.Random(2)
    rows = [[numbers.random(), numbers.random()] for _ in range(100)]
    loss = hinge([model(row) for row in rows], [1 if sum(row) > 1 else -1 for row in rows])
    loss.backward()
    diagram, folding = folding_of(loss, "network", model)
    assert len(folding.modules) == 1
    assert list(folding.times.values()) == [100]
    assert folding.size(diagram) < 15
    assert "×100" in texts(loss, fold="network", model=model)


def test_a_chain_of_additions_is_a_sum_of_repetitions() -> None:
    neuron = Neuron(1, rng=random.Random(0))
    root = sum((neuron([i / 7]) for i in range(5)), Value(0.0))
    diagram, folding = folding_of(root, "neuron", neuron)
    assert list(folding.times.values()) == [5]
    drawn = texts(root, fold="neuron", model=neuron)
    assert "×5" in drawn
    assert "Σ" in drawn
    assert len(diagram.boxes) > 20


def test_different_terms_are_all_drawn() -> None:
    layer = Layer(1, 2, rng=random.Random(0))
    first, second = layer([1.0])
    x = Value(3.0, label="x")
    root = value_sum([first, second, x * x, x.tanh(), x])
    _, folding = folding_of(root, "neuron", layer)
    assert folding.times == {}
    assert len(folding.modules) == 2


def test_a_parameter_that_is_used_elsewhere_too_stays() -> None:
    neuron = Neuron(2, rng=random.Random(0))
    root = neuron([1.0, 2.0]) + neuron.w[0] * neuron.w[0] * 0.1
    diagram, folding = folding_of(root, "neuron", neuron)
    shown = [
        box.value
        for box in diagram.boxes
        if box.role == "parameter" and box.position not in folding.hidden
    ]
    assert shown == [neuron.w[0]]
    assert len(folding.modules) == 1


def test_half_a_neuron_is_not_folded() -> None:
    neuron = Neuron(2, rng=random.Random(0), atomic=True)
    root = neuron.w[0] * 2.0 + 1.0
    _, folding = folding_of(root, "neuron", neuron)
    assert folding.modules == []
    assert folding.inside == {}


def test_a_penalty_on_the_parameters_of_a_neuron_is_no_neuron() -> None:
    neuron = Neuron(2, rng=random.Random(0))
    _, folding = folding_of(neuron([1.0, 2.0]) + l2(neuron.parameters(), 0.1), "neuron", neuron)
    assert [module.title for module in folding.modules] == ["neuron 1"]


def test_folding_is_the_same_every_time() -> None:
    model = network()
    root = output(model)
    sources = {draw_dot(root, fold=fold, model=model).source for fold in ("neuron", "neuron")}
    assert len(sources) == 1


def test_bad_input_is_named() -> None:
    model = network()
    root = output(model)
    with pytest.raises(ArgumentError, match="expected fold to be one of"):
        draw_dot(root, fold="sample", model=model)
    with pytest.raises(ArgumentTypeError, match="fold needs model="):
        draw_dot(root, fold="layer")
    with pytest.raises(ArgumentError, match="uses no parameter of the model"):
        draw_dot(root, fold="layer", model=network())
    with pytest.raises(ArgumentError, match="after folding, a picture holds 3"):
        draw_dot(root, fold="neuron", model=model, max_nodes=3)
