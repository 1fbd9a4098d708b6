"""What a compiled function may be given: numbers and sequences of every kind, options."""

from __future__ import annotations

from array import array
from fractions import Fraction

import pytest
from replaying import every_backend

from micrograd.engine import Value
from micrograd.replay import compile  # noqa: A004

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

W = Value(1.5, label="W")


@every_backend
def test_wrong_inputs_are_errors_with_both_numbers(backend):
    compiled = compile(lambda x, y: x * y, backend)
    with pytest.raises(ValueError, match=r"got 1 argument"):
        compiled(1.0)
    with pytest.raises(ValueError, match=r"got 3 and 2"):
        compiled.map([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(TypeError, match="leading sample axis"):
        compiled.map(1.0, 2.0)
    with pytest.raises(TypeError, match="expected a number"):
        compiled("a", 1.0)
    with pytest.raises(ValueError, match="'mean', 'sum', 'none', got 'all'"):
        compiled.value_and_grad([1.0], [1.0], reduction="all")
    with pytest.raises(ValueError, match="at least one sample"):
        compiled.value_and_grad([], [])
    assert compiled.map([], []).shape == (0,)


def test_options_are_checked():
    with pytest.raises(ValueError, match="'auto', 'python', 'llvm', got 'gpu'"):
        compile(abs, "gpu")
    with pytest.raises(ValueError, match="1 or more, got 0"):
        compile(abs, threads=0)
    with pytest.raises(TypeError, match="expected a function"):
        compile(3.0)


def test_only_the_given_parameters_are_live():
    a, b = Value(2.0), Value(3.0, label="b")
    assert compile(lambda x: a * b * x, parameters=[b, a])(1.0) == 6.0
    with pytest.raises(ValueError, match=r"Value\(data=3.0, .*not among the given parameters"):
        compile(lambda x: a * b * x, parameters=[a])(1.0)


def test_parameters_have_to_be_values():
    with pytest.raises(TypeError, match=r"a sequence of Values, got 1 \(int\)"):
        compile(lambda x: x, parameters=[1, 2])
    with pytest.raises(TypeError, match=r"a sequence of Values, got Value\(data=2"):
        compile(lambda x: x, parameters=Value(2))


@every_backend
def test_inputs_of_every_kind_of_number_and_sequence(backend):
    compiled = compile(lambda x: x * 2, backend)
    for one in (3, True + 2, Fraction(3), np.int8(3), np.float32(3), np.array(3), Value(3)):
        assert compiled(one) == 6.0
    second = compile(lambda x: x[1] * 2, backend)
    for two in ([1, 3], (1, 3), range(1, 5, 2), array("d", [1, 3]), np.array([1, 3])):
        assert second(two) == 6.0
    for three in ([0, 3], np.array([0, 3], dtype=object), np.array([0, 3], dtype=">i2")):
        assert compiled.map(three).tolist() == [0.0, 6.0]
    assert compiled.map([Fraction(1, 2), Value(3), True]).tolist() == [1.0, 6.0, 2.0]


@every_backend
def test_masked_numbers_are_refused(backend):
    compiled = compile(lambda x, y: W * x * y, backend)
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    whole = np.ma.array([1.0, 2.0, 3.0])
    for _ in range(3):  # the third call of a shape goes a shorter way
        for method in (compiled.map, compiled.value_and_grad):
            with pytest.raises(TypeError, match="an array of numbers, got one with 1 masked"):
                method(whole, masked)
        assert compiled.map(whole, whole).tolist() == [1.5, 6.0, 13.5]
        assert compiled.value_and_grad(whole, whole)[0] == 7.0
        assert compiled.value_and_grad(whole.data, whole.data)[0] == 7.0


@every_backend
def test_a_table_is_one_sample_or_a_batch(backend):
    class Table:
        """What a DataFrame is to NumPy: it has dimensions, and no tolist."""

        ndim = 2

        def __array__(self, dtype=None, copy=None):
            return np.array([[1.0, 3.0], [2.0, 4.0]])

    table = Table()
    assert compile(lambda x: x[0] * x[1], backend).map(table).tolist() == [3.0, 8.0]
    assert compile(lambda x: x[0][1] * x[1][0], backend)(table) == 6.0


@every_backend
def test_what_is_no_number_is_refused_also_in_a_batch(backend):
    compiled = compile(lambda x: W * x, backend)
    for wrong in ("3", None, 1j, {"a": 1}, {1, 2}):
        with pytest.raises(TypeError, match="expected a number or a sequence of numbers, got"):
            compiled(wrong)
    for wrong in (["1", "2"], [1.0, None], [1.0, "2", W], [1j], [[1.0, 2.0], [3.0]]):
        with pytest.raises(TypeError, match="expected an array of numbers"):
            compiled.map(wrong)
    for method in (compiled, lambda x: compiled.map([x])):
        with pytest.raises(OverflowError, match="within the range of a float"):
            method(10**400)
    W.data = 10**400
    try:
        for method in (compiled, lambda x: compiled.map([x])):
            with pytest.raises(OverflowError, match="parameters within the range of a float"):
                method(1.0)
    finally:
        W.data = 1.5
