"""What a graph holds of a network: layers, samples, what stands around them, and the loss."""

import math
import random

import pytest

from micrograd import Value, log, losses, softmax
from micrograd.nn import MLP, Layer
from micrograd.stepper import steps
from micrograd.values.terms import probabilities


def made(nin=2, nouts=(2, 1), **options):
    return MLP(nin, nouts, activation="tanh", rng=random.Random(0), **options)


def found(root):
    return steps(root).network


@pytest.mark.parametrize("atomic", [False, True])
def test_layers_neurons_and_inputs_are_those_of_the_network(atomic):
    model = made(3, [2, 2, 1], atomic=atomic)
    features = [Value(0.5), Value(-1.0), Value(2.0)]
    root = model(features)
    network, at = found(root), steps(root).nodes.index
    assert network.title() == "Network of 3 layers: 3 inputs, 2, 2 and 1 neurons"
    assert [layer.activation for layer in network.layers] == ["tanh", "tanh", "linear"]
    assert network.inputs == [[at(value) for value in features]]
    assert network.is_drawn
    for layer, wanted in zip(network.layers, model.layers, strict=True):
        for neuron, own in zip(layer.neurons, wanted.neurons, strict=True):
            (use,) = neuron.uses
            assert (neuron.weights, neuron.bias) == (own.w, own.b)
            parts = math.fsum(w.data * x.data for w, x in zip(own.w, use.inputs, strict=True))
            assert use.s.data == pytest.approx(parts + own.b.data)
            assert use.x is None or use.x.parents == (use.s,)
            assert len(use.parts) == (2 * len(own.w) - 1 if atomic else 0)


def test_what_stands_around_the_network_is_told():
    model = made(2, [2, 2])
    x = Value(3.0)
    shown = x * x
    other = Value(1.0)
    s = [neuron([shown, other]) for neuron in model.layers[0].neurons]
    doubled = s[0] * 2
    out = model.layers[1]([doubled, s[1]])
    network = found(out[0] * out[1] + 1)
    names = [node.op.name if node.parents else node.data for node in network.nodes]
    assert [names[i] for i in network.before] == [3.0]
    assert [names[i] for i in network.inputs[0]] == ["mul", 1.0]
    assert sorted(str(names[i]) for i in network.between[0]) == ["2", "mul"]
    assert [names[i] for i in network.after[0]] == ["mul", 1, "add"]
    assert network.loss == ""


def test_one_neuron_is_drawn_and_a_network_in_a_large_graph_is_not():
    assert found(made(2, [1])([1.0, 2.0])).is_drawn
    assert found(Value(1.0) * 2) is None
    root = made()([1.0, 2.0])
    for _ in range(20):
        root = root + 1
    assert not found(root).is_drawn


def test_a_layer_that_is_used_twice_makes_two_columns_with_the_same_weights():
    layer = Layer(2, 2, activation="tanh")
    for root in (
        sum(layer(layer([1.0, 2.0]))),
        losses.cross_entropy([layer(layer([1.0, 2.0])), layer(layer([0.5, 1.0]))], [0, 1]),
    ):
        network = found(root)
        assert network.is_drawn
        first, second = ([neuron.weights for neuron in one.neurons] for one in network.layers)
        assert first == second == [neuron.w for neuron in layer.neurons]
    model = made()
    assert not found(model([1.0, 2.0]) + model.layers[0]([2.0, 1.0])[0]).is_drawn


# The loss of each kind, from the scores of one sample and what they should be.
def wanted_cross_entropy(scores, target):
    return -math.log(math.exp(scores[target]) / math.fsum(map(math.exp, scores)))


KINDS = {
    "cross_entropy": ("cross_entropy", 1, wanted_cross_entropy),
    "mse": ("mse", 2.5, lambda scores, y: (scores[0] - y) ** 2),
    "hinge": ("hinge", -1, lambda scores, y: max(0.0, 1 - y * scores[0])),
    "binary_cross_entropy_with_logits": (
        "binary_cross_entropy", 1, lambda scores, y: math.log1p(math.exp(-scores[0])),
    ),
}  # fmt: skip


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("name", KINDS)
def test_each_loss_is_known_by_its_structure(name, samples):
    kind, target, wanted = KINDS[name]
    function = getattr(losses, name)
    model = made(2, [3, 3 if name == "cross_entropy" else 1])
    rows = [[0.5 * k, 1.0 - k] for k in range(samples)]
    root = function([model(row) for row in rows], [target] * samples)
    for whole in (root, root + losses.l2(model.parameters(), 0.1)):
        network = found(whole)
        data = [node.data for node in network.nodes]
        assert network.loss == kind
        assert network.samples == samples
        for k, term in enumerate(network.terms):
            scores = [data[i] for i in term.outputs]
            assert scores == [data[i] for i in network.outputs(k)]
            assert term.target == target
            assert data[term.node] == pytest.approx(wanted(scores, target))
            if p := probabilities(term, data):
                p = p[target] if kind == "cross_entropy" else p[0]
                assert data[term.node] == pytest.approx(-math.log(p))


def test_a_softmax_by_hand_is_a_cross_entropy_and_half_a_loss_is_none():
    model = made(2, [2, 3])
    scores = model([1.0, 2.0])
    network = found(-log(softmax(scores)[2]))
    assert (network.loss, network.terms[0].target) == ("cross_entropy", 2)
    by_hand = [score.exp() for score in scores]
    network = found(-(by_hand[0] / sum(by_hand)).log())
    assert (network.loss, network.terms[0].target) == ("cross_entropy", 0)
    assert found(-log(softmax(scores)[0] * 0.5)).loss == ""
    shifted = [(score - 3.0).exp() for score in scores]
    assert found(-(shifted[1] / sum(shifted)).log()).terms[0].target == 1
    shifted[0] = (scores[0] - 2.0).exp()
    assert found(-(shifted[1] / sum(shifted)).log()).loss == ""


def test_what_is_computed_from_a_neuron_for_another_network_is_no_activation_of_it():
    first, second = made(2, [2]), made(2, [2])
    s = first([1.0, 2.0])
    root = sum(second([s[0].exp(), s[1] * 2 + s[0]]))
    walk = steps(root)
    (last,) = [layer for layer in walk.network.layers if layer.name == "net1 layer 1"]
    assert [neuron.uses[0].x for neuron in last.neurons] == [None, None]
    assert str(walk)


def test_networks_of_one_graph_have_layers_of_their_own():
    first, second = made(2, [2, 2]), made(2, [2])
    network = found(sum(second(first([1.0, 2.0]))))
    assert [layer.name for layer in network.layers] == [
        "net1 layer 1", "net1 layer 2", "net2 layer 1",
    ]  # fmt: skip
    assert network.title() == "2 networks of 3 layers: 2 inputs, 2, 2 and 2 neurons"


def test_layers_stand_in_the_order_in_which_they_are_computed():
    later, first = (Layer(2, 2, activation="tanh", rng=random.Random(0)) for _ in range(2))
    h = first([1.0, -2.0])
    walk = steps(sum(a + b for a, b in zip(h, later(h), strict=True)))
    assert [layer.name for layer in walk.network.layers] == ["net1 layer 1", "net2 layer 1"]
    assert walk.network.layers[0].neurons[0].weights == first.neurons[0].w
    between, last = made(2, [2]), made(2, [2, 1])
    root = last.layers[1](between(last.layers[0]([1.0, -2.0])))
    assert [layer.name for layer in found(root).layers] == [
        "net1 layer 1", "net2 layer 1", "net1 layer 2",
    ]  # fmt: skip
