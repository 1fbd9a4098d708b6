"""Pictures of networks: what is strong stands out, what is not drawn is said."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from micrograd.draw import draw_network
from micrograd.draw.picture import Picture
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError
from micrograd.nn import MLP, Layer, Module, Neuron
from micrograd.style import number_text, theme

SVG = "{http://www.w3.org/2000/svg}"


def network(nin: int = 2, nouts: tuple[int, ...] = (4, 3, 1), **options: Any) -> MLP:
    return MLP(nin, nouts, rng=random.Random(7), **options)


def drawn(picture: Picture) -> list[str]:
    root = ElementTree.fromstring(picture.pipe("svg", encoding="utf-8"))
    return [
        "".join(text.itertext()).replace("\xa0", " ").strip() for text in root.iter(f"{SVG}text")
    ]


def edges(source: str) -> dict[tuple[str, str], tuple[str, float]]:
    found = re.findall(r'(n\d+_\d+) -> (n\d+_\d+) \[color="(#\w+)" penwidth=([\d.]+)', source)
    return {(tail, head): (color, float(width)) for tail, head, color, width in found}


def test_every_weight_is_a_line_of_its_sign_and_size() -> None:
    model = network()
    lines = edges(draw_network(model).source)
    assert len(lines) == 2 * 4 + 4 * 3 + 3
    light = theme("light")
    first = model.layers[0].neurons
    for k, neuron in enumerate(first):
        for j, weight in enumerate(neuron.w):
            color, _ = lines[f"n0_{j}", f"n1_{k}"]
            assert color[:7] == (light.pos if weight.data > 0 else light.neg)
    sizes = {(j, k): abs(n.w[j].data) for k, n in enumerate(first) for j in range(2)}
    widths = {(j, k): lines[f"n0_{j}", f"n1_{k}"][1] for j, k in sizes}
    assert max(sizes, key=sizes.__getitem__) == max(widths, key=widths.__getitem__)
    assert min(sizes, key=sizes.__getitem__) == min(widths, key=widths.__getitem__)


def test_captions_name_the_layers_and_the_legend_counts() -> None:
    text = drawn(draw_network(network(activation="tanh")))
    assert text[:0] + [
        caption for caption in text if caption.endswith(("inputs", "tanh", "linear"))
    ] == ["2 inputs", "4 tanh", "3 tanh", "1 linear"]
    assert any("of 23 weights are below 5 %" in line for line in text)
    assert not any("of 23" in line for line in drawn(draw_network(network(), legend=False)))


def test_the_words_of_ten_layers_can_be_read_on_a_page_of_a_thousand_pixels() -> None:
    model = MLP(3, [6] * 9 + [2], activation="tanh")
    svg = draw_network(model).pipe("svg", encoding="utf-8")
    assert int(re.search(r'<svg[^>]* width="(\d+)"', svg)[1]) <= 1000


def test_a_sample_fills_the_neurons_and_is_written_beside_them() -> None:
    model = network()
    output = model([0.5, -2.0]).data
    text = drawn(draw_network(model, [0.5, -2.0], labels=["height", "<weight>"]))
    assert "height 0.5" in text
    assert "<weight> -2" in text
    assert number_text(output) in text
    assert draw_network(model, [0.5, -2.0]).source != draw_network(model).source


def test_gradients_are_drawn_once_there_are_some() -> None:
    model = network(activation="tanh")
    with pytest.raises(ArgumentError, match="call backward"):
        draw_network(model, show="gradients")
    model([1.0, 2.0]).backward()
    picture = draw_network(model, show="gradients", theme="dark")
    assert any(line.startswith("gradient above 0") for line in drawn(picture))


def test_biases_are_rings() -> None:
    model = network()
    assert not any("ring" in line for line in drawn(draw_network(model)))
    model.layers[0].neurons[0].b.data = -3.0
    picture = draw_network(model)
    assert any("ring: bias" in line for line in drawn(picture))
    ring = re.search(r'n1_0 \[.*?color="(#\w+)" penwidth=([\d.]+)', picture.source)
    assert ring is not None
    assert ring.groups() == (theme("light").neg, "3.50")


def test_a_wide_network_says_what_it_leaves_out() -> None:
    picture = draw_network(network(200, (100, 10)))
    text = drawn(picture)
    assert "200 inputs, 72 shown" in text
    assert any("are not drawn" in line for line in text)
    assert len(edges(picture.source)) == 72 * 72 + 72 * 10


def test_strong_weights_stand_out_in_a_dense_layer() -> None:
    lines = edges(draw_network(network(64, (32, 10))).source)
    opacities = [int(color[7:], 16) / 255 for color, _ in lines.values()]
    assert len(opacities) == 64 * 32 + 32 * 10
    assert 20 < sum(opacity > 0.4 for opacity in opacities) < 400


def test_layers_neurons_and_subclasses_are_drawn_too() -> None:
    assert repr(draw_network(Layer(3, 2))) == "<Network 3-2, 8 parameters>"
    assert repr(draw_network(Neuron(3, activation="tanh"))) == "<Network 3-1, 4 parameters>"
    empty = network()
    for p in empty.parameters():
        p.data = 0.0
    drawn(draw_network(empty, [0.0, 0.0]))
    empty.layers[0].neurons[0].w[0].data = float("nan")
    assert theme("light").wrong in draw_network(empty).source


@pytest.mark.parametrize("model", [3, None, Module(), [1]])
def test_what_has_no_neurons_is_named(model: object) -> None:
    with pytest.raises(ArgumentTypeError, match="expected an MLP, Layer or Neuron"):
        draw_network(model)


def test_wrong_options_are_named() -> None:
    with pytest.raises(ArgumentError, match="show"):
        draw_network(network(), show="biases")
    with pytest.raises(ValueError, match="theme"):
        draw_network(network(), theme="neon")
    with pytest.raises(ArgumentError, match="labels must name 2 inputs, got 3"):
        draw_network(network(), labels=["a", "b", "c"])
    with pytest.raises(InputCountError):
        draw_network(network(), [1.0])


def test_the_source_is_always_the_same() -> None:
    assert draw_network(network(), [1, 2]).source == draw_network(network(), [1, 2]).source
