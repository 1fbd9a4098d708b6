"""Sums that are computed step by step: which are taken for those of a network."""

from micrograd import Value
from micrograd.graph import order
from micrograd.ops import constant
from micrograd.values.chains import Chains


def chain(bias, w, x):
    total = bias
    for weight, number in zip(w, x, strict=True):
        total = total + weight * number
    return total


def test_two_sums_give_their_bias_weights_inputs_and_all_that_is_computed():
    biases, w = [Value(1.0), Value(2.0)], [[Value(3.0), Value(4.0)], [Value(5.0), Value(6.0)]]
    first, second = (chain(b, row, [0.5, -1.0]) for b, row in zip(biases, w, strict=True))
    chains = Chains(order(first * second))
    assert chains.ends == {first, second}
    bias, weights, inputs, computed = chains.of(first)
    assert (bias, weights) == (biases[0], w[0])
    assert [x.data for x in inputs] == [0.5, -1.0]
    assert all(x.op is constant for x in inputs)
    assert [node.data for node in computed] == [1.5, 2.5, -4.0, -1.5]


def test_one_sum_alone_and_products_of_two_free_leaves_are_none():
    assert Chains(order(chain(Value(1.0), [Value(2.0)], [0.5]))).ends == set()
    free = [chain(Value(1.0), [Value(2.0)], [Value(3.0)]) for _ in range(2)]
    assert Chains(order(free[0] * free[1])).ends == set()
