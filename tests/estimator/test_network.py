"""What the estimators share: activations over arrays."""

import numpy as np

from micrograd.estimator import fired
from micrograd.nn import MLP


def test_every_activation_over_arrays_is_the_one_of_the_neuron():
    sums = np.linspace(-30, 30, 41)
    for name in ("relu", "elu", "gelu", "silu", "softplus", "sigmoid", "leaky_relu", "erf"):
        neuron = MLP(1, [1, 1], activation=name).layers[0].neurons[0]
        neuron.w[0].data, neuron.b.data = 1.0, 0.0
        expected = [neuron([s]).data for s in sums.tolist()]
        np.testing.assert_allclose(fired(name, sums), expected, rtol=1e-10, atol=1e-15)
