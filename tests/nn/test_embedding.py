"""A table of vectors: what it returns, where its gradient goes, compiled and saved."""

import random

import numpy as np
import pytest

import micrograd
from micrograd import Value, gradient
from micrograd.errors import ArgumentError, DomainError, StateError
from micrograd.nn import Embedding
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]


def test_it_draws_row_by_row_and_knows_its_size():
    rng, again = random.Random(3), random.Random(3)
    table = Embedding(4, 3, std=0.5, rng=rng)
    numbers = [p.data for p in table.parameters()]
    assert numbers == [again.gauss(0.0, 0.5) for _ in range(12)]
    assert repr(table) == "Embedding(4, 3)"
    assert [name for name, _ in table.named_parameters()][4] == "weight.1.1"
    for wrong in ((0, 2), (2, 0)):
        with pytest.raises(ArgumentError, match="expected"):
            Embedding(*wrong)


def test_a_saved_table_is_read_again_and_another_size_is_refused(tmp_path):
    table = Embedding(4, 3)
    table.save(tmp_path / "table.json")
    again = Embedding.from_file(tmp_path / "table.json")
    assert again.state_dict() == table.state_dict()
    with pytest.raises(StateError, match=r"Embedding\(4, 3\)"):
        Embedding(3, 4).load(tmp_path / "table.json")


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
