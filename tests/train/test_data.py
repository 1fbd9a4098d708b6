"""Samples: data of any kind become plain numbers, and what is no number is named by its place."""

import math

import pytest

from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
from micrograd.losses import LOSSES
from micrograd.train.data import listed, rows_of, targets_of


def test_arrays_and_frames_become_lists_of_plain_numbers():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([[1.0, 2.0], [3.0, 4.0]])
    for given in (frame, frame.to_numpy()):
        assert list(rows_of("X", given)) == [[1.0, 2.0], [3.0, 4.0]]
    assert listed("y", pandas.Series([0, 1])) == [0, 1]


def test_gaps_are_let_through_only_where_they_are_asked_for():
    rows = [[1.0, math.inf]]
    assert rows_of("X", rows, finite=False) == rows
    with pytest.raises(ArgumentError, match=r"X\[0\]\[1\] is inf"):
        rows_of("X", rows)


@pytest.mark.parametrize(
    ("rows", "kind", "told"),
    [
        (3, ArgumentTypeError, "expected X to be an array"),
        ([1.0, 2.0], ArgumentTypeError, r"X\[0\] to be a row of numbers"),
        ([[1.0], ["a"]], NumberTypeError, r"X\[1\]\[0\]"),
        ([[1.0], [1.0, 2.0]], InputCountError, r"X\[1\] has 2 features"),
        ([], ArgumentError, "X is empty"),
    ],
)
@pytest.mark.parametrize("finite", [True, False])
def test_rows_that_cannot_be_used_are_named(rows, kind, told, finite):
    with pytest.raises(kind, match=told):
        rows_of("X", rows, finite=finite)


@pytest.mark.parametrize(
    ("loss", "labels", "outputs", "kind", "told"),
    [
        ("mse", [1.0, math.nan], 1, ArgumentError, r"y\[1\] is nan"),
        ("mse", [1.0, "a"], 1, NumberTypeError, r"y\[1\] is 'a'"),
        ("hinge", [1, 2], 1, ArgumentError, "y: hinge: label 1 is 2"),
        ("hinge", [1, -1], 2, InputCountError, "a model with one output, this one has 2"),
        ("cross_entropy", [0, 2], 2, InputCountError, "3 or more, but the model has 2"),
    ],
)
def test_labels_that_do_not_fit_loss_and_model_are_named(loss, labels, outputs, kind, told):
    with pytest.raises(kind, match=told):
        targets_of(LOSSES[loss], labels, outputs)


def test_labels_become_what_the_loss_wants():
    assert targets_of(LOSSES["hinge"], [0, 1], 1) == [-1, 1]
    assert targets_of(LOSSES["cross_entropy"], [0.0, 2.0], 3) == [0, 2]


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "int64", "uint8", ">f8"])
def test_rows_of_an_array_are_lists_when_they_are_read(kind):
    np = pytest.importorskip("numpy")
    X = np.array([[1, 2], [3, 4], [5, 6]]).astype(kind)
    rows = rows_of("X", X)
    X[:] = 0  # the rows are a copy
    assert len(rows) == 3
    assert rows[1] == [3, 4]
    assert list(rows) == [[1, 2], [3, 4], [5, 6]]
    assert {type(x) for row in rows for x in row} == {float if "f" in kind else int}
    assert np.array(rows, dtype=float).tolist() == list(rows)
    assert (rows[-1], rows[0:2]) == ([5, 6], [[1, 2], [3, 4]])
    with pytest.raises(ArgumentError, match=r"X\[1\]\[0\] is nan"):
        rows_of("X", np.array([[1.0], [np.nan]]))
