"""Values picked by an index that is an input of a compiled function."""

import random

import numpy as np
import pytest

import micrograd
from micrograd import Value, gradient
from micrograd.errors import DomainError
from micrograd.nn import Embedding
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rows", [1, 5, 300])
def test_an_index_that_is_an_input_gives_the_numbers_of_eager(backend, rows):
    rng = random.Random(rows)
    table = Embedding(rows, 2, rng=rng)

    def score(first, second, weight):
        a, b = table(first), table(second)
        return micrograd.dot(a, b) * weight + micrograd.exp(a[0] - b[1])

    count = 37
    indices = [[0, rows - 1] + [rng.randrange(rows) for _ in range(count - 2)] for _ in range(2)]
    weights = [rng.gauss(0, 1) for _ in range(count)]
    compiled = compile(score, backend)
    wanted = [score(a, b, Value(w)).data for a, b, w in zip(*indices, weights, strict=True)]
    assert compiled.map(*indices, weights) == pytest.approx(wanted, rel=1e-14)
    assert compiled(indices[0][5], indices[1][5], weights[5]) == pytest.approx(wanted[5], rel=1e-14)
    losses = [score(a, b, Value(w)) for a, b, w in zip(*indices, weights, strict=True)]
    expected = np.array(gradient(micrograd.sum(losses), table.parameters())) / count
    _, found = compiled.value_and_grad(*indices, weights)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("wrong", [4, -1, 0.5, 1e300])
def test_an_index_that_is_none_is_an_error_with_the_number_of_the_sample(backend, wrong):
    table = Embedding(4, 2)
    compiled = compile(lambda index: micrograd.sum(table(index)), backend)
    for run in (compiled.map, compiled.value_and_grad):
        with pytest.raises(DomainError, match=r"sample 2: take picks one of 4 .* index"):
            run([0, 3, wrong, 1])
    with pytest.raises(DomainError, match="from 0 to 3"):
        compiled(wrong)
    silent = compile(lambda index: micrograd.sum(table(index)), backend, check="ignore")
    assert np.isnan(silent.map([0, 3, wrong, 1])).tolist() == [False, False, True, False]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_values_may_be_parameters_and_inputs(backend, order):
    w = [Value(0.5), Value(-2.0)]

    def picked(x, index):
        values = [w[0], x, w[1]]
        return micrograd.take([values[i] for i in order], index)

    compiled = compile(picked, backend, check="ignore")
    wanted = [[0.5, 7.0, -2.0][i] for i in order]
    assert compiled.map([7.0] * 3, [0, 1, 2]).tolist() == wanted
    for wrong in (-1, 0.5, 1.5, 3):
        assert np.isnan(compiled(7.0, wrong))
