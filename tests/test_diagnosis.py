"""Diagnosis: each planted fault is found where it was put, with what was seen, and no other is."""

import math
import random

import pytest
from tables import mostly_slow

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
    assert finding.evidence == "Outputs 0 for all 4 samples; its largest sum is -1."
    assert "leaky_relu" in finding.remedy


@pytest.mark.parametrize(
    ("times", "expected"),
    [(2.001, [("saturated", "layer 1, neuron 3 (model.layers[0].neurons[2])")]), (1.999, [])],
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
    assert found(model) == [("saturated", "layer 1, neuron 3 (model.layers[0].neurons[2])")]


def test_equal_neurons_are_twins():
    model = network()
    first, _, third = model.layers[0].neurons
    third.w, third.b = [Value(w.data) for w in first.w], Value(first.b.data)
    assert found(model) == [("twin", "layer 1, neuron 3 (model.layers[0].neurons[2])")]
    assert "bias of neuron 1." in str(diagnose(model, X, Y))


def test_a_neuron_that_no_input_moves_is_constant():
    model = network()
    neuron = model.layers[0].neurons[0]
    neuron.w, neuron.b = [Value(0.0), Value(0.0)], Value(0.5)
    assert found(model) == [("constant", "layer 1, neuron 1 (model.layers[0].neurons[0])")]


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
    findings = [f for f in findings if f.layer is not None]
    assert [(f.kind, f.layer) for f in findings] == [(kind, 0)]
    seen = "Its gradients have the mean size {}, those of the output {}."
    assert findings[0].evidence == seen.format(*sizes)


def test_what_is_not_finite_ends_the_search_there():
    model = network()
    model.layers[1].neurons[0].b.data = math.inf
    result = diagnose(model, X, Y)
    assert [(f.kind, f.where) for f in result.findings] == [
        ("not finite", "layer 2, neuron 1 (model.layers[1].neurons[0])")
    ]
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
        (lambda: (max, X, Y), ArgumentTypeError, "expected an MLP"),
        (lambda: (network(), X, Y, "hing"), ArgumentError, "'hing'"),
        (lambda: (network(), X, Y, [1]), ArgumentError, r"\[1\]"),
        (lambda: (network(), [], []), ArgumentError, "X is empty"),
        (lambda: (network(), X, [1]), InputCountError, "4 rows, y has 1"),
        (lambda: (network(), X, None), ArgumentTypeError, "expected y to be an array"),
        (lambda: (network(), [0.0, 1.0], [1, 1]), ArgumentTypeError, r"X\[0\] to be a row"),
        (
            lambda: (network(), [[0.0, 1.0], [1.0]], [1, 1]),
            InputCountError,
            r"X\[1\] has 1 features",
        ),
        (lambda: (network(), [["a", 1.0]], [1]), NumberTypeError, r"X\[0\]\[0\]"),
        (lambda: (network(), X, [math.nan, -1, 1, 1]), ArgumentError, r"y\[0\] is nan"),
        (lambda: (network(), X, [2, -1, 1, 1]), ArgumentError, "label 0 is 2"),
        (
            lambda: (network(sizes=(3, 2)), X, Y),
            InputCountError,
            "hinge needs a model with one output",
        ),
        (lambda: (network(sizes=()), X, Y), InputCountError, "this one has 0"),
        (
            lambda: (network(), X, [0, 1, 0, 1], "cross_entropy"),
            InputCountError,
            "one output per class",
        ),
    ],
)
def test_what_cannot_be_diagnosed_is_refused(arguments, kind, told):
    with pytest.raises(kind, match=told):
        diagnose(*arguments())


def test_a_weight_that_is_nan_is_found_in_its_layer_and_what_follows_from_it_is_not_told():
    model = network(sizes=(3, 3, 1))
    model.layers[0].neurons[2].w[0].data = math.nan
    assert found(model) == [("not finite", "layer 1, neuron 3 (model.layers[0].neurons[2])")]


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


# ---- networks that diverged --------------------------------------------------------------------


def scaled(factor, **options):
    model = network(**options)
    for p in model.parameters():
        p.data *= factor
    return model


@pytest.mark.parametrize(
    ("made", "rows", "where"),
    [
        (lambda: scaled(1e120, activation="relu"), X, "the loss"),
        (lambda: scaled(math.nan), X, "layer 1, neuron 1 (model.layers[0].neurons[0])"),
        (lambda: scaled(math.inf), X, "layer 1, neuron 1 (model.layers[0].neurons[0])"),
        (lambda: network("linear"), [[1e200 * x for x in row] for row in X], "the loss"),
        (
            lambda: scaled(1e160, activation="linear"),
            X,
            "layer 2, neuron 1 (model.layers[1].neurons[0])",
        ),
    ],
)
def test_a_network_that_diverged_is_a_finding_and_no_error(made, rows, where):
    result = diagnose(made(), rows, [0.0, 0.0, 1.0, 1.0], "mse")
    (finding, *_) = [f for f in result.findings if f.kind == "not finite"]
    assert finding.where == where
    assert "smaller learning rate" in finding.remedy
    assert "X and y scaled" in finding.remedy


@pytest.mark.parametrize("loss", ["mse", "bce", "hinge"])
def test_a_gradient_that_overflows_is_a_finding(loss):
    model = network("linear", (1, 1))
    model.layers[0].neurons[0].w, model.layers[1].neurons[0].w = (
        [Value(1e-190), Value(0.0)],
        [Value(1e120)],
    )
    rows = [[1e200 * x for x in row] for row in X]
    result = diagnose(model, rows, [0, 1, 0, 1], loss)
    assert result.findings
    assert all(isinstance(line, str) for line in str(result).splitlines())
    assert any(f.kind in ("far off", "not finite") for f in result.findings)


def test_a_loss_far_above_that_of_a_constant_is_told_with_both():
    result = diagnose(network(), X, [1000.0, 1001.0, 1002.0, 1003.0], "mse")
    (finding,) = [f for f in result.findings if f.kind == "far off"]
    assert "the same output for every sample could have 1.25." in finding.evidence  # their variance
    assert "scale the targets" in finding.remedy


def test_whole_numbers_too_large_for_a_float_are_missing():
    assert found(network(), [[10**400, 0.0], [1.0, 2.0]], [1, -1]) == [("missing", "feature 0")]


# ---- what it answers ---------------------------------------------------------------------------

XOR = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]


def trained(activation, sizes, loss, y, steps=1500):
    from micrograd.optim import Adam
    from micrograd.train import fit

    model = MLP(2, list(sizes), activation=activation, rng=random.Random(3))
    fit(model, XOR, y, loss, Adam(model.parameters(), lr=0.03), steps=steps)
    return model


@pytest.mark.parametrize(
    ("loss", "sizes", "y"),
    [("mse", (1,), [0, 1, 1, 0]), ("bce", (1,), [0, 1, 1, 0]),
     ("cross_entropy", (2,), [0, 1, 1, 0]), ("mse", (1,), [4.0, 6.0, 6.0, 4.0])],
)  # fmt: skip
def test_a_network_that_answers_the_mean_of_the_targets_is_told(loss, sizes, y):
    findings = diagnose(trained("tanh", sizes, loss, y), XOR, y, loss).findings
    assert [f.kind for f in findings] == ["mean"]
    assert findings[0].remedy.startswith("a hidden layer, ")
    if loss != "cross_entropy":
        assert f"the mean of the targets is {sum(y) / 4:g}" in findings[0].evidence


@pytest.mark.parametrize("loss", mostly_slow(["mse", "bce"]))
def test_a_network_too_narrow_for_its_data_is_told_once_training_has_ended(loss):
    y = [0, 1, 1, 0]
    narrow = diagnose(trained("tanh", (1, 1), loss, y), XOR, y, loss)
    (finding,) = [f for f in narrow.findings if f.layer is None]
    assert finding.kind == "too few neurons"
    assert "hidden layers of 1" in finding.evidence
    assert "MLP(2, [16, 1])" in finding.remedy
    for sizes, steps in (((8, 1), 1500), ((1, 1), 60)):
        model = trained("tanh", sizes, loss, y, steps)
        assert "too few neurons" not in [f.kind for f in diagnose(model, XOR, y, loss).findings]


@pytest.mark.parametrize(
    ("loss", "last", "y", "told"),
    [
        ("hinge", "sigmoid", [0, 1, 1, 0], "asks for 1 or more, and for -1 or less"),
        ("hinge", "relu", [0, 1, 1, 0], "asks for 1 or more, and for -1 or less"),
        ("bce", "sigmoid", [0, 1, 1, 0], "makes probabilities of them itself"),
        ("bce", "tanh", [0, 1, 1, 0], "makes probabilities of them itself"),
        ("mse", "tanh", [0.0, 5.0, 1.0, 2.5], "targets from 0 to 5"),
        ("mse", "relu", [0.0, -5.0, 1.0, 2.5], "targets from -5 to 2.5"),
        ("cross_entropy", "sigmoid", [0, 1, 1, 0], "makes probabilities of them itself"),
        ("hinge", "tanh", [0, 1, 1, 0], ""),
        ("mse", "sigmoid", [0, 1, 1, 0], ""),
        ("mse", "linear", [0.0, -5.0, 1.0, 2.5], ""),
        ("bce", "linear", [0, 1, 1, 0], ""),
    ],
)
def test_a_loss_that_the_output_cannot_reach_is_told(loss, last, y, told):
    model = network(["tanh", last], (3, 2 if loss == "cross_entropy" else 1))
    evidence = [f.evidence for f in diagnose(model, XOR, y, loss).findings if f.kind == "loss"]
    assert len(evidence) == bool(told)
    assert not told or told in evidence[0]


@pytest.mark.parametrize(
    ("y", "loss", "told"),
    [
        ([1, 1, 1, 1, 1, 1], "bce", "All are 1."),
        ([0, 1, 2, 0, 1, 2], "mse", "Are 0 to 2, as classes are numbered"),
        ([0, 1, 0, 1, 0, 1], "mse", ""),
        ([0.0, 1.0, 2.5, 0.0, 1.0, 2.5], "mse", ""),
    ],
)
def test_targets_that_tell_nothing_apart_or_look_like_classes_are_told(y, loss, told):
    findings = diagnose(network(), [*X, [0.2, 0.3], [0.1, 0.9]], y, loss).findings
    evidence = [f.evidence for f in findings if f.kind == "targets"]
    assert len(evidence) == bool(told)
    assert not told or evidence[0].startswith(told)


# ---- how it is told ----------------------------------------------------------------------------


def test_it_says_first_when_every_sample_is_right():
    model = network("linear", (2, 1))
    model.layers[0].neurons[0].w, model.layers[0].neurons[0].b = [Value(3.0), Value(0.0)], Value(0)
    model.layers[0].neurons[1].w, model.layers[0].neurons[1].b = [Value(0.0), Value(0.0)], Value(1)
    last = model.layers[1].neurons[0]
    last.w, last.b = [Value(2.0), Value(0.0)], Value(0.0)
    result = diagnose(model, X, Y)
    assert result.right == 4
    assert str(result).splitlines()[0] == (
        "all 4 samples are classified correctly, loss 0: 1 finding, which need not matter"
    )
    assert diagnose(network(), X, [1.0, 2.0, 3.0, 4.0], "mse").right is None


def test_like_findings_of_a_layer_or_of_features_are_one_paragraph():
    model = network("relu", (16, 3, 1), 4)
    for j, neuron in enumerate(model.layers[0].neurons):
        neuron.b = Value(-99.0 if j in (0, 3, 4, 7, 9) else 9.0)
    for j, neuron in enumerate(model.layers[1].neurons):
        neuron.b = Value(-99.0 if j == 2 else 99.0)
    rows = [[1.0, x, 2.0, z] for x, z in X]
    result = diagnose(model, rows, Y)
    text = str(result)
    found_dead = [f.neuron for f in result.findings if (f.kind, f.layer) == ("dead", 0)]
    assert found_dead == [0, 3, 4, 7, 9]
    assert (
        "layer 1: 5 of 16 neurons are dead (1, 4, 5, 8, 10). Neuron 1: Outputs 0 for all 4" in text
    )
    assert "layer 2, neuron 3 (model.layers[1].neurons[2]): dead. " in text
    assert "2 of 4 features: input (0, 2). Feature 0: Is 1 in every sample." in text
    assert text.count("Usual remedy") == 3


def test_remedies_fit_the_activation_and_the_optimizer():
    from micrograd.optim import SGD

    for activation, cure in (("tanh", 'activation="relu"'), ("relu", 'activation="leaky_relu"')):
        model = network(activation)
        model.layers[0].neurons[1].w = [Value(0.0), Value(0.0)]
        model.layers[0].neurons[1].b = Value(-50.0)
        optimizer = SGD(model.parameters(), lr=lambda step: 0.5)
        (finding,) = [f for f in diagnose(model, X, Y, optimizer=optimizer).findings if f.neuron]
        assert cure in finding.remedy
        assert ("than the 0.5 of SGD" in finding.remedy) == (activation == "relu")
