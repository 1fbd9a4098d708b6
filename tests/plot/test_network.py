"""What is inside a network: answers, weights, gradients."""

import math

import pytest

np = pytest.importorskip("numpy")
matplotlib = pytest.importorskip("matplotlib")

from plotted import X, small  # noqa: E402

from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError  # noqa: E402
from micrograd.nn import MLP  # noqa: E402
from micrograd.plot import (  # noqa: E402
    plot_activations,
    plot_gradients,
    plot_weights,
    sheet,
)
from micrograd.style import theme  # noqa: E402


def test_each_neuron_has_a_tile_with_what_it_answers():
    model = small()
    ax = plot_activations(model, X, *sheet(), resolution=3)
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2"]
    margin = 0.08
    corner = [-1.0 - 2 * margin, 0.0 - margin]  # X reaches over 2 and over 1
    for neuron, image in zip(model.layers[0].neurons, ax.images, strict=True):
        w, b = [p.data for p in neuron.w], neuron.b.data
        expected = math.tanh(w[0] * corner[0] + w[1] * corner[1] + b)
        assert math.isclose(image.get_array()[0, 0], expected, rel_tol=1e-12)
        assert image.get_clim() == ax.images[0].get_clim()
    assert "output" in plot_activations(model, X, *sheet(), layer=-1, resolution=3).get_title(
        "left"
    )


@pytest.mark.parametrize("quantity", ["data", "grad"])
def test_weights_or_gradients_are_a_table_with_the_bias_last(quantity):
    model = small()
    model([1.0, 2.0]).backward()
    ax = plot_weights(model, *sheet(), layer=1, quantity=quantity)
    expected = [
        [getattr(p, quantity) for p in neuron.parameters()] for neuron in model.layers[1].neurons
    ]
    assert np.array_equal(ax.images[0].get_array(), expected)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "2", "b"]
    low, high = ax.images[0].get_clim()
    assert low == -high


def test_gradients_that_are_zero_and_neurons_without_any_are_counted():
    model = small()
    model([1.0, 2.0]).backward()
    for p in model.layers[0].neurons[1].parameters():
        p.grad = 0.0
    ax = plot_gradients(model, *sheet())
    told = [text.get_text() for text in ax.texts]
    assert told == ["3 of 9 are 0\n1 of 3 neurons get none", "none is 0", "none is 0"]
    drawn = [patch.get_data() for patch in ax.patches]
    assert all((d.values > d.baseline).any() for d in drawn)


def test_a_weight_that_is_nan_is_written_in_the_colour_of_what_is_wrong():
    model = MLP(2, [2, 1])
    model.parameters()[0].data = math.nan
    ax = plot_weights(model, *sheet())
    assert (ax.texts[0].get_text(), ax.texts[0].get_color()) == ("nan!", theme("light").wrong)
    assert ax.texts[1].get_color() != theme("light").wrong


def test_gradients_of_a_loss_of_0_are_said_to_be_so():
    model = MLP(1, [1])
    for pass_back in (lambda: None, (model([1.0]) * 0.0).backward):
        pass_back()
        with pytest.raises(ArgumentError, match=r"call backward\(\) .*; where the loss is 0, all"):
            plot_gradients(model)


@pytest.mark.parametrize(
    ("draw", "kind", "told"),
    [
        (lambda m: plot_activations(m, X, layer=3), ArgumentError, "layers 0 to 2"),
        (lambda m: plot_activations(m, [[1.0]]), InputCountError, "two features"),
        (lambda m: plot_weights(m, layer=-4), ArgumentError, "layers 0 to 2"),
        (lambda m: plot_weights(m, quantity="size"), ArgumentError, "one of 'data', 'grad'"),
        (lambda m: plot_gradients(m), ArgumentError, "call backward"),
    ],
)
def test_what_cannot_be_looked_into_is_refused(draw, kind, told):
    with pytest.raises(kind, match=told):
        draw(small())


def test_what_is_no_network_is_named():
    for draw in (plot_weights, plot_gradients):
        with pytest.raises(ArgumentTypeError, match=r"an MLP, got 3 \(int\)"):
            draw(3, *sheet())
