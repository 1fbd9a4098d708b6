"""Diagnosis: each planted fault is found where it was put, with what was seen, and no other is."""

import math
import random

import pytest

from micrograd import Value
from micrograd.diagnosis import diagnose
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
from micrograd.nn import MLP

X = [[-1.0, 0.0], [-0.5, 1.0], [0.5, 0.0], [1.0, 1.0]]
Y = [-1, -1, 1, 1]


def network(activation="tanh", sizes=(3, 1), inputs=2):
    return MLP(inputs, list(sizes), activation=activation, rng=random.Random(4))


def found(model, X=X, y=Y, loss="hinge"):
    return [(f.kind, f.where) for f in diagnose(model, X, y, loss).findings]


def test_a_healthy_network_has_no_findings():
    assert found(network()) == []
    assert str(diagnose(network(), X, Y)).startswith("no findings on 4 samples, loss ")


def test_a_relu_below_zero_for_every_sample_is_dead():
    model = network("relu")
    neuron = model.layers[0].neurons[1]
    neuron.w = [Value(1.0), Value(2.0)]
    neuron.b = Value(-4.0)
    (finding,) = [f for f in diagnose(model, X, Y).findings if f.neuron == 1]
    assert (finding.kind, finding.layer) == ("dead", 0)
    assert finding.evidence == "Answers 0 to all 4 samples; its largest sum is -1."
    assert "leaky_relu" in finding.remedy


@pytest.mark.parametrize(
    ("times", "expected"), [(2.001, [("saturated", "layer 0, neuron 2")]), (1.999, [])]
)
def test_a_tanh_at_its_ends_is_saturated_and_one_in_the_middle_is_not(times, expected):
    # 1 - tanh(s)^2 < 0.01 from |s| = artanh(sqrt(0.99)) on; the nearest samples have |x1| = 0.5
    model = network()
    neuron = model.layers[0].neurons[2]
    neuron.w = [Value(times * math.atanh(math.sqrt(0.99))), Value(0.0)]
    neuron.b = Value(0.0)
    assert found(model) == expected


def test_a_tanh_whose_slope_is_rounded_to_zero_is_saturated_not_dead():
    model = network()
    model.layers[0].neurons[2].w = [Value(100.0), Value(0.0)]
    assert found(model) == [("saturated", "layer 0, neuron 2")]


def test_equal_neurons_are_twins():
    model = network()
    first, _, third = model.layers[0].neurons
    third.w, third.b = [Value(w.data) for w in first.w], Value(first.b.data)
    assert found(model) == [("twin", "layer 0, neuron 2")]
    assert "neuron 0" in str(diagnose(model, X, Y))


def test_a_neuron_that_no_input_moves_is_constant():
    model = network()
    neuron = model.layers[0].neurons[0]
    neuron.w, neuron.b = [Value(0.0), Value(0.0)], Value(0.5)
    assert found(model) == [("constant", "layer 0, neuron 0")]


@pytest.mark.parametrize(
    ("weight", "kind", "sizes"),
    [  # of the mean hinge loss 1/2 a sample; with weight 100 the second is beyond its margin
        (1e-2, "vanishing", ("5e-5", "0.5")),
        (1e2, "exploding", ("2500", "0.25")),
    ],
)
def test_gradients_that_shrink_or_grow_from_layer_to_layer_are_measured(weight, kind, sizes):
    model = network("linear", (1, 1, 1), 1)
    for layer in model.layers:
        layer.neurons[0].w, layer.neurons[0].b = [Value(weight)], Value(0.0)
    findings = diagnose(model, [[0.001], [-0.002]], [-1, -1]).findings
    # At layer 0 the gradient is that of the output times the square of the weight.
    assert [(f.kind, f.layer) for f in findings] == [(kind, 0)]
    seen = "Its gradients have the mean size {}, those of the output {}."
    assert findings[0].evidence == seen.format(*sizes)


def test_what_is_not_finite_ends_the_search_there():
    model = network()
    model.layers[1].neurons[0].b.data = math.inf
    result = diagnose(model, X, Y)
    assert [(f.kind, f.where) for f in result.findings] == [("not finite", "layer 1, neuron 0")]
    assert "inf for sample 0, one of 4" in result.findings[0].evidence
    assert math.isnan(result.loss)


def test_features_that_never_change_or_dwarf_others_are_told():
    rows = [[1.0, 1000.0 * i, 0.5 * i, 5.0 * i] for i in range(4)]
    kinds = [(f.where, f.evidence) for f in diagnose(network(inputs=4), rows, Y).findings
             if f.kind == "input"]  # fmt: skip
    assert kinds == [
        ("feature 0", "Is 1 in every sample."),
        ("feature 2", "Spreads over 1.5, feature 1 over 3000."),
        ("feature 3", "Spreads over 15, feature 1 over 3000."),
    ]


@pytest.mark.parametrize(
    ("loss", "sizes", "y"),
    [("bce", (3, 1), [0, 0, 1, 1]), ("mse", (3, 1), [0.1, 0.2, 0.3, 0.4]),
     ("cross_entropy", (3, 3), [0, 1, 2, 1])],
)  # fmt: skip
def test_every_loss_of_fit_can_be_diagnosed(loss, sizes, y):
    from micrograd.train import evaluate

    model = network(sizes=sizes)
    assert math.isclose(diagnose(model, X, y, loss).loss, evaluate(model, X, y, loss).loss)


def test_nothing_is_changed():
    model = network()
    model(X[0]).backward()
    before = [(p.data, p.grad) for p in model.parameters()]
    diagnose(model, X, Y)
    assert [(p.data, p.grad) for p in model.parameters()] == before


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ((max, X, Y), ArgumentTypeError, "expected an MLP"),
        ((network(), X, Y, "hing"), ArgumentError, "'hing'"),
        ((network(), X, Y, [1]), ArgumentError, r"\[1\]"),
        ((network(), [], []), ArgumentError, "X is empty"),
        ((network(), X, [1]), InputCountError, "4 rows, y has 1"),
        ((network(), X, None), ArgumentTypeError, "expected y to be an array"),
        ((network(), [0.0, 1.0], [1, 1]), ArgumentTypeError, r"X\[0\] to be a row"),
        ((network(), [[0.0, 1.0], [1.0]], [1, 1]), InputCountError, r"X\[1\] has 1 features"),
        ((network(), [["a", 1.0]], [1]), NumberTypeError, r"X\[0\]\[0\]"),
        ((network(), X, [math.nan, -1, 1, 1]), ArgumentError, r"y\[0\] is nan"),
        ((network(), X, [2, -1, 1, 1]), ArgumentError, "label 0 is 2"),
        ((network(sizes=(3, 2)), X, Y), InputCountError, "hinge needs a model with one output"),
        ((network(sizes=()), X, Y), InputCountError, "this one has 0"),
        ((network(), X, [0, 1, 0, 1], "cross_entropy"), InputCountError, "an output a class"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused(arguments, kind, told):
    with pytest.raises(kind, match=told):
        diagnose(*arguments)


def test_a_weight_that_is_nan_is_found_in_its_layer_and_what_follows_from_it_is_not_told():
    model = network(sizes=(3, 3, 1))
    model.layers[0].neurons[2].w[0].data = math.nan
    assert found(model) == [("not finite", "layer 0, neuron 2")]


@pytest.mark.parametrize("gap", [math.nan, math.inf])
def test_samples_with_gaps_are_told_by_feature_and_no_neuron_is_blamed(gap):
    rows = [[-1.0, 0.0], [-0.5, gap], [0.5, 0.0], [1.0, gap]]
    (finding,) = diagnose(network(), rows, Y).findings
    assert (finding.kind, finding.where) == ("missing", "feature 1")
    assert finding.evidence == f"Is {gap} for sample 1, one of 2 such."
    assert "fill in" in finding.remedy


def test_frames_are_looked_at_and_texts_as_labels_are_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b"])
    assert found(network(), frame, pandas.Series(Y)) == []
    with pytest.raises(NumberTypeError, match=r"y\[2\] is 'up'"):
        diagnose(network(), X, [-1, 1, "up", 1])
