"""Sections and groups of a walk: in order, without a gap, and with the sums of the engine."""

import pickle
import random

import pytest
from random_graphs import random_graph
from tables import each

from micrograd import Value, steps
from micrograd.graph import order
from micrograd.losses import cross_entropy, mse
from micrograd.nn import MLP, Layer


def bits(number):
    return float(number).hex()


def network(draw):
    """Return a loss of random networks: layers used twice, residual sums, samples, two networks."""
    width = draw.randint(1, 3)
    options = {"rng": draw, "atomic": draw.random() < 0.4, "activation": "tanh"}
    layers = [Layer(width, width, **options) for _ in range(draw.randint(1, 3))]
    if draw.random() < 0.3:
        layers.append(layers[0])
    models = [MLP(width, [width, draw.randint(1, 3)], **options) for _ in range(2)]
    inputs = [[draw.uniform(-1, 1) for _ in range(width)] for _ in range(draw.randint(1, 4))]
    terms = []
    for row in inputs:
        x = row
        for layer in layers:
            out = layer(x)
            out = out if isinstance(out, list) else [out]
            x = [a + b for a, b in zip(out, x, strict=True)] if draw.random() < 0.3 else out
        for model in models[: draw.randint(1, 2)]:
            y = model(x)
            terms.append(sum(y) if isinstance(y, list) else y)
    draw.shuffle(terms)
    return mse(terms, [1.0] * len(terms))


@each("seed", range(120))
def test_the_steps_of_any_network_give_the_gradients_of_backward(seed):
    root = network(random.Random(seed)) if seed % 4 else random_graph(seed)
    walk = steps(root)
    root.backward()
    assert [bits(grad) for grad in walk.gradients] == [bits(node.grad) for node in walk.nodes]
    done = [not parents for parents in walk.recording.parents]
    grads, received = [0.0] * len(walk.nodes), [0] * len(walk.nodes)
    expected = [0] * len(walk.nodes)
    for parents in walk.recording.parents:
        for p in parents:
            expected[p] += 1
    for row in walk.rows:
        if row.kind == "forward":
            assert all(done[p] for p in walk.recording.parents[row.node])
            done[row.node] = True
        elif row.kind == "seed":
            grads[row.node] = 1.0
        else:
            assert received[row.node] == expected[row.node]
            assert bits(grads[row.node]) == bits(row.upstream)
            assert bits(grads[row.parent]) == bits(row.before)
            grads[row.parent] += row.local * row.upstream
            received[row.parent] += 1
            assert received[row.parent] == row.number
    assert [bits(g) for g in grads] == [bits(node.grad) for node in walk.nodes]
    assert all(done)
    if walk.rows != walk._passes:  # else the order of the engine was kept
        found = [(section.phase, section.name, section.sample) for section in walk.all_sections]
        assert len(set(found)) == len(found)


@each("seed", range(40))
@each("broken", [None, "assign", "no_zero_grad", "recursion"])
def test_the_sections_hold_every_step_once(seed, broken):
    walk = steps(network(random.Random(seed)), broken if seed < 8 else None)
    samples = walk.network.samples if walk.network else 1
    for sections in [walk.sections_of(k) for k in range(samples)]:
        held = [
            k
            for section in sections
            for group in section.groups
            for k in range(group.first, group.last + 1)
        ]
        assert held == list(range(len(walk)))
    for step in walk[:: 1 + len(walk) // 20]:
        assert step.group in step.section.groups
        assert step.group.first <= step.index <= step.group.last
        assert step.section.phase == ("forward" if step.kind == "forward" else "backward")


def test_a_network_is_walked_layer_by_layer_and_neuron_by_neuron():
    model = MLP(2, [2, 3], activation="tanh", rng=random.Random(0))
    walk = steps(cross_entropy([model([1.0, 2.0])], [0]))
    found = [
        (section.phase, section.name, [group.neuron for group in section.groups])
        for section in walk.sections
    ]
    assert [(phase, name) for phase, name, _ in found] == [
        *(("forward", name) for name in ("layer 1", "layer 2", "loss")),
        *(("backward", name) for name in ("loss", "layer 2", "layer 1")),
    ]
    assert [sorted(filter(None, groups)) for *_, groups in found] == [
        [1, 2], [1, 2, 3], [], [], [1, 2, 3], [1, 2],
    ]  # fmt: skip
    step = walk.find("x1[2]")
    assert (step.section.layer, step.group.layer, step.section.phase) == (2, 2, "backward")
    assert repr(step.section).startswith("<Section layer 2, backward: steps ")


def test_a_skip_from_the_input_to_the_loss_keeps_the_sections():
    model = MLP(2, [2, 2, 1], activation="tanh", rng=random.Random(0))
    x = [Value(1.0), Value(2.0)]
    walk = steps((model(x) + x[0] - 1.0) ** 2)
    assert [section.name for section in walk.sections][:3] == ["layer 1", "layer 2", "layer 3"]


def test_a_skip_around_a_layer_keeps_the_sections_where_the_sums_allow_it():
    first, second = (MLP(2, [2], activation="tanh", rng=random.Random(0)) for _ in range(2))
    x = [Value(0.5) * 2.0, Value(-1.0) * 2.0]
    outputs = second([a + b for a, b in zip(first(x), x, strict=True)])
    walk = steps(mse(outputs, [1.0, -1.0]))
    own = ["before the network", "net1 layer 1", "net2 layer 1", "loss"]
    assert [section.name for section in walk.sections] == [*own, *own[::-1]]
    assert walk.sections[3].groups[0].text.startswith("The squared errors of the 2 outputs")


@pytest.mark.parametrize("sample", [0, 1, 2])
def test_all_other_samples_are_one_stop(sample):
    model = MLP(2, [2, 1], activation="tanh", rng=random.Random(0))
    outputs = [model([k / 3, 1.0]) for k in range(3)]
    walk = steps(mse(outputs, [1.0, 0.0, 1.0]))
    own = ["layer 1", "layer 2", "loss"]
    others = ["other samples"]
    forward = [*others * (sample > 0), *own, *others * (sample < 2), "batch loss"]
    assert [section.name for section in walk.sections_of(sample)] == [*forward, *forward[::-1]]
    groups = [s.groups for s in walk.sections_of(sample) if s.name == "other samples"]
    assert all(len(group) == 1 for group in groups)


def test_a_graph_by_hand_has_two_sections_and_a_group_a_step():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    walk = steps(a * b + a)
    assert [(section.name, len(section.groups)) for section in walk.sections] == [
        ("forward pass", 2),
        ("backward pass", 5),
    ]
    assert [group.text for section in walk.sections for group in section.groups] == [
        walk.words.sentence(row) for row in walk.rows
    ]


def test_the_steps_of_a_changed_copy_have_the_names_and_the_order_of_the_graph():
    model = MLP(2, [2, 1], activation="tanh", rng=random.Random(0))
    walk = steps(mse([model([k / 3, 1.0]) for k in range(3)], [1.0, 0.0, 1.0]))
    root = walk.copy_of_graph()
    order(root)[walk.place("w1[2,1]")].data = 2.0
    again = walk.of_copy(root.forward())
    assert again.words.names == walk.words.names
    assert [repr(section) for section in again.sections] == [repr(s) for s in walk.sections]
    assert again.gradients != walk.gradients


def test_a_copied_walk_has_the_same_steps():
    model = MLP(2, [2, 1], activation="tanh", rng=random.Random(0))
    outputs = [model([k / 3, 1.0]) for k in range(3)]
    walk = steps(mse(outputs, [1.0, 0.0, 1.0]))
    again = pickle.loads(pickle.dumps(walk))
    assert again.rows == walk.rows
    assert [repr(section) for section in again.sections] == [repr(s) for s in walk.sections]
    assert [step.text for step in again[::7]] == [step.text for step in walk[::7]]
    assert again.place("w⁽¹⁾₂,₁") == walk.place("w1[2,1]")
