"""What no other library takes, and what is missing: said by all of them alike."""

import math
import re
import sys
from fractions import Fraction

import pytest

pytest.importorskip("sklearn")

from networks import broken, made

from micrograd import define
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError
from micrograd.interop import from_sklearn, from_torch, to_onnx, to_sklearn, to_torch
from micrograd.nn import MLP, Neuron


def test_networks_that_are_no_mlp_of_layers_are_refused(tmp_path):
    with pytest.raises(ArgumentTypeError, match="expected an MLP, got"):
        to_sklearn(Neuron(2))
    mixed = made(2, [3, 1])
    mixed.layers[0].neurons[1].activation = "relu"
    with pytest.raises(ArgumentError, match="layer 0 has neurons of several activations, tanh, re"):
        to_sklearn(mixed)
    with pytest.raises(ArgumentError, match="without layers"):
        to_sklearn(MLP(2, []))


def test_a_network_that_computes_otherwise_does_not_go_out():
    class Louder(MLP):
        def __call__(self, x):
            return 2 * super().__call__(x)

    with pytest.raises(ArgumentTypeError, match="Louder has a __call__ of its own"):
        to_sklearn(Louder(2, [1]))

    class Half(Neuron):
        def __call__(self, x):
            return super().__call__(x) / 2

    model = made(2, [3, 1])
    model.layers[0].neurons[1].__class__ = Half
    with pytest.raises(ArgumentTypeError, match="Half has a __call__ of its own"):
        to_sklearn(model)


def test_neurons_of_unequal_width_are_refused():
    model = made(2, [3, 1])
    del model.layers[0].neurons[2].w[1]
    with pytest.raises(InputCountError, match="layer 0 has neurons of 1, 2 weights; expected 2"):
        to_sklearn(model)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["b", "w[1]"])
def test_a_parameter_that_is_not_finite_is_named_and_does_not_go_out(tmp_path, place, number):
    told = re.escape(f"layer 0, neuron 2: {place} is {number}")
    with pytest.raises(ArgumentError, match=told):
        to_sklearn(broken(place, number))
    pytest.importorskip("onnx")
    for dtype in ("float32", "float64"):
        with pytest.raises(ArgumentError, match=told):
            to_onnx(broken(place, number), tmp_path / "model.onnx", dtype)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_fractions_go_out():
    model = made(1, [1])
    model.layers[0].neurons[0].w[0].data = Fraction(1, 4)
    assert to_sklearn(model).coefs_[0].tolist() == [[0.25]]


@pytest.mark.parametrize(
    ("missing", "call", "told"),
    [
        ("torch", lambda: to_torch(made()), r"micrograd\[parity\]"),
        ("torch", lambda: from_torch(None), r"micrograd\[parity\]"),
        ("onnx", lambda: to_onnx(made(), "never.onnx"), r"micrograd\[onnx\]"),
        ("sklearn", lambda: to_sklearn(made()), r"micrograd\[train\]"),
        ("sklearn", lambda: from_sklearn(None), r"micrograd\[train\]"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch, missing, call, told):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=told):
        call()


def test_an_activation_of_your_own_stays_here():
    from micrograd.ops import TABLE

    define(
        name="swoosh", arity=1, forward=lambda x: x / (1 + abs(x)),
        partials=lambda out, x: (1 / ((1 + abs(x)) * (1 + abs(x))),),
    )  # fmt: skip
    try:
        with pytest.raises(ArgumentError, match="'swoosh', which scikit-learn"):
            to_sklearn(made(activation="swoosh"))
    finally:
        del TABLE["swoosh"]
