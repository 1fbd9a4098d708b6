"""Uses of a layer: in one sample, or one a sample."""

import random

from micrograd.nn import Layer
from micrograd.stepper import steps


def distances(layer, pairs):
    both = [(layer(x), layer(y)) for x, y in pairs]
    return [sum((p - q) ** 2 for p, q in zip(*pair, strict=True)) for pair in both]


def normalised(layer, inputs):
    """Return the outputs of two layers with the mean of the batch taken between them."""
    rows = [layer(x) for x in inputs]
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    return [layer([p - m for p, m in zip(row, means, strict=True)]) for row in rows]


def test_one_layer_on_two_inputs_of_a_sample_is_two_columns_and_on_two_samples_one():
    rng = random.Random(0)
    layer, head = Layer(2, 2, activation="tanh", rng=rng), Layer(2, 1, nonlin=False, rng=rng)
    x, y, z = [0.5, -1.0], [0.25, 2.0], [1.0, 1.5]
    error = (head(layer(x)) - head(layer(y))) ** 2
    met = head([p * q for p, q in zip(layer(x), layer(y), strict=True)])
    losses_of = [p * p + q for p, q in map(layer, (x, y, z))]  # of a sum above 0
    columns = {
        "distance": (distances(layer, [(x, y)])[0], 2),
        "its root": (distances(layer, [(x, y)])[0].sqrt(), 2),
        "margin": ((1 - distances(layer, [(x, y)])[0]).relu(), 2),
        "difference": (error, 4),
        "head": (met, 3),
        "two pairs": (sum(distances(layer, [(x, y), (y, z)])), 2),
    }
    samples = {
        "losses": (sum(losses_of), 1, 3),
        "root of the mean": ((sum(losses_of) / 3).sqrt(), 1, 3),
        "critic": (head(layer(x)) - head(layer(y)), 2, 2),
    }
    for name, (root, layers) in columns.items():
        walk = steps(root)
        network = walk.network
        assert network.is_drawn, name
        assert len(network.layers) == layers, name
        assert network.samples == 1 + (name == "two pairs"), name
        assert "weights of" in network.title(), name
        inputs = [walk.words.names[i].rpartition("x")[2] for i in network.inputs[0]]
        wanted = ["0[1]", "0[2]", "0[3]", "0[4]"]
        assert [text.partition("#")[0] for text in inputs] == wanted, name
    for name, (root, layers, count) in samples.items():
        network = steps(root).network
        assert (len(network.layers), network.samples) == (layers, count), name
    assert not steps(sum(p + q for p, q in normalised(layer, [x, y]))).network.is_drawn
