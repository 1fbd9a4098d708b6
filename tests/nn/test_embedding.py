"""A table of vectors: what it draws, its names, saved and read."""

import random

import pytest

from micrograd.errors import ArgumentError, StateError
from micrograd.nn import Embedding


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
