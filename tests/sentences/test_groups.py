"""What is said of groups of steps, and of the steps in them, on the lecture's network."""

import pytest

from micrograd import Value, steps
from micrograd.losses import binary_cross_entropy_with_logits, cross_entropy, hinge, l2, mse
from micrograd.nn import MLP

WEIGHTS = [[[0.7, -0.4], [-0.3, 0.8]], [[0.6, -0.9], [-0.5, 0.4]]]
BIASES = [[0.1, -0.2], [0.0, 0.2]]
X = [0.5, -1.0]


def lecture(weights=WEIGHTS, biases=BIASES, activation="sigmoid"):
    model = MLP(len(weights[0][0]), [len(row) for row in biases], activation=activation)
    for layer, rows, own in zip(model.layers, weights, biases, strict=True):
        for neuron, row, b in zip(layer.neurons, rows, own, strict=True):
            neuron.w, neuron.b = [Value(w) for w in row], Value(b)
    return model


def said(walk, phase, layer=None, neuron=None):
    """Return what is said of a group, as on slides."""
    (text,) = [
        group.text
        for section in walk.sections
        for group in section.groups
        if (section.phase, group.layer, group.neuron) == (phase, layer, neuron)
        and group.kind != "others"
        and section.name != "batch loss"
    ]
    return walk.called.typeset(text)


@pytest.fixture
def model():
    return lecture()


@pytest.fixture
def walk(model):
    return steps(cross_entropy([model(X)], [0]))


def test_a_neuron_forwards(walk):
    assert said(walk, "forward", 1, 2) == (
        "Neuron 2 of layer 1: the weighted sum of its inputs plus the bias is -1.15, and σ makes "
        "0.2405 of it."
    )
    assert said(walk, "forward", 2, 1) == (
        "Neuron 1 of layer 2: the weighted sum of its inputs plus the bias is 0.2039. This layer "
        "is linear: s is its output."
    )


def test_a_neuron_backwards(walk):
    assert said(walk, "backward", 1, 2) == (
        "Neuron 2 of layer 1: the incoming gradient, +0.5666, times σ′(s) is ∂ℓ/∂s⁽¹⁾₂. Times "
        "each input, it is the gradient of that weight; the bias gets it unchanged."
    )
    assert said(walk, "backward", 2, 2) == (
        "Neuron 2 of layer 2 is linear: its gradient, +0.4359, times each input is the gradient "
        "of that weight; times each weight it goes on to layer 1."
    )


def test_a_neuron_of_which_the_weights_are_in_a_penalty_too_adds_to_their_gradients(model):
    walk = steps(cross_entropy([model(X)], [0]) + l2(model.layers[0].parameters(), 0.1))
    adds = "what this neuron adds to the gradient of that weight; the bias gets it unchanged."
    assert said(walk, "backward", 1, 2).endswith(f"Times each input, it is {adds}")
    assert "times each input is the gradient of that weight" in said(walk, "backward", 2, 2)


def test_the_loss_forwards_and_backwards(walk):
    assert said(walk, "forward") == (
        "softmax turns s⁽²⁾ into probabilities, 0.5641 and 0.4359. The right class, 0, got 0.5641: "
        "the loss is -log 0.5641 ≈ 0.5724."
    )
    assert said(walk, "backward") == (
        "The backward pass starts at the loss: ∂ℓ/∂ℓ = 1. Each output gets its probability, the "
        "right class minus 1: p - y."
    )


def test_a_loss_that_is_multiplied_gives_its_outputs_more(model):
    assert said(steps(3 * cross_entropy([model(X)], [0])), "backward") == (
        "The backward pass starts at the loss: ∂ℓ/∂ℓ = 1. The loss of the sample gets +3. Each "
        "output gets that times its probability, the right class minus 1: p - y."
    )


def test_single_steps(walk):
    texts = [walk.called.typeset(f"{step.text} {step.rule}") for step in walk]
    assert any(
        text.startswith("s⁽¹⁾₂ is the weighted sum of its inputs plus the bias: -1.15.")
        and text.endswith("Saved for the backward pass: inputs and weights.")
        for text in texts
    )
    assert any(
        text == "x⁽¹⁾₂ = σ(s⁽¹⁾₂): σ(-1.15) ≈ 0.2405. Saved for the backward pass: "
        "σ′ = x(1 - x) ≈ 0.1827."
        for text in texts
    )
    assert any(text.endswith("Saved for the backward pass: the probabilities.") for text in texts)
    first, last = [
        texts[step.index] for step in walk if step.parent and walk.place(step.parent) ==
        walk.place("x1[1]")
    ]  # fmt: skip
    assert first.startswith(
        "s⁽²⁾₁ passes gradient back to x⁽¹⁾₁: upstream -0.4359 times local derivative 0.6 is about "
        "-0.2615. The first of 2 contributions. "
    )
    assert "Added to -0.2615, ∂ℓ/∂x⁽¹⁾₁ is about -0.4794. That was the last of 2: final." in last


def test_a_gradient_of_three_contributions_counts_them():
    a = Value(2.0, label="a")
    texts = [step.text for step in steps(a * 3 + a + a) if step.parent is a]
    assert texts[0].endswith("is +1. The first of 3 contributions.")
    assert texts[1].endswith("Added to +1: +2 so far (2 of 3).")
    assert ". Added to +2, a.grad is +5. That was the last of 3: final." in texts[2]


LOSSES = {
    "mse": (mse, 1, "The squared error: the output, 0.2039, should be 1, and (0.2039 - 1)² ≈ "
            "0.6338.", "The output gets 2 × (output - target)."),
    "hinge": (hinge, 1, "The hinge: the target, 1, times the output, 0.2039, should be 1 or more; "
              "what is missing is the loss, 0.7961.",
              "The output gets minus the target where the hinge is above 0."),
    "binary": (binary_cross_entropy_with_logits, 1, "σ turns s⁽²⁾₁ into the probability of a 1, "
               "0.5508. The target is 1: the loss is -log 0.5508 ≈ 0.5964.",
               "The output gets its probability minus the target: p - y."),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_the_other_losses(name):
    function, target, forward, backward = LOSSES[name]
    model = lecture([WEIGHTS[0], WEIGHTS[1][:1]], [BIASES[0], BIASES[1][:1]])
    walk = steps(function([model(X)], [target]))
    assert said(walk, "forward") == forward
    start = "The backward pass starts at the loss: ∂ℓ/∂ℓ = 1. "
    assert said(walk, "backward") == start + backward
    walk = steps(function([model(X), model([1.0, 1.0]), model([0.0, 0.0])], [target] * 3))
    groups = {
        s.name: walk.called.typeset(s.groups[0].text)
        for s in walk.sections
        if s.phase == "backward"
    }
    assert groups["batch loss"] == (
        "The backward pass starts at the loss: ∂ℓ/∂ℓ = 1. The loss of each sample gets about "
        "+0.3333."
    )
    assert groups["other samples"] == "2 other samples add to each weight the same way."
    assert groups["loss"].startswith("The loss of sample 1 gets +0.3333. The output gets ")
    assert "what this sample adds to the gradient of that weight" in groups["layer 1"]
    names = walk.words.names
    assert (names[-1], {"loss#1", "loss#2", "loss#3"} - set(names)) == ("loss", set())


def test_names_of_losses_give_way_to_those_of_the_user(model):
    a, b = cross_entropy([model(X)], [0]), Value(1.0, label="loss")
    walk = steps(a * b)
    assert walk.words.names.count("loss") == 1
    assert walk.place("loss") == walk.nodes.index(b)
    assert "ℓ" not in walk.called.typeset(" ".join(walk.words.names))
    a.label = "mine"
    assert steps(a).words.names[-1] == "mine"
    assert "∂mine/∂" in steps(a).find("s1[2]").group.text


def test_what_stands_outside_of_the_network_is_said_by_operation():
    walk = steps(lecture()(X)[0] * 2 + Value(1.0, label="c"))
    texts = [group.text for section in walk.sections for group in section.groups]
    assert "s2[1] × 2 + c passes gradient back: +1 to s2[1] × 2 and +1 to c." in " ".join(texts)
