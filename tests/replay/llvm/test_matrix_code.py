"""A matrix times the values of one sample: each row is added up in order, rounded as it says."""

from __future__ import annotations

import ctypes
import random
from fractions import Fraction

import pytest

from micrograd.replay.llvm.loop_code import LoopCode, provide
from micrograd.replay.llvm.matrix_code import LEAST, MOST
from micrograd.replay.llvm.processor import has_loops
from micrograd.replay.llvm.rerolled import ROWS

np = pytest.importorskip("numpy")
llvm = pytest.importorskip("llvmlite.binding")


def function():
    code = LoopCode("matrix", ROWS, 1, single=True)
    provide({code})
    pointer, whole = ctypes.c_void_p, ctypes.c_int64
    kinds = [pointer, whole, pointer, whole, pointer, whole, pointer, whole]
    return ctypes.CFUNCTYPE(None, *kinds)(llvm.address_of_symbol(code.symbol()))


def weighted_sum(start, row, values):
    """Return the sum, each product and sum of which is rounded once: by exact fractions."""
    for w, x in zip(row, values, strict=True):
        start = float(Fraction(w) * Fraction(x) + Fraction(start))
    return start


@pytest.mark.skipif(not has_loops(True), reason="this processor has no loops")
@pytest.mark.parametrize("rows", [LEAST, 9, 15, 16, 17, 24, 31, 45, MOST])
def test_every_row_is_a_sum_in_order_whatever_the_size(rows):
    rng = random.Random(rows)
    matrix = function()
    for n in (*range(10), 16, 33):
        between = rng.choice((0, 1, 5))
        stride, numbers = n + between, [rng.gauss(0, 1) for _ in range(rows * (n + between) + 1)]
        values = [rng.gauss(0, 1) for _ in range(n)]
        apart = rng.choice((0, 1, 3))
        starts = [rng.gauss(0, 1) for _ in range(apart * rows + 1)]
        given = [np.array(part) for part in (numbers, [*values, 0.0], starts)]
        sums = np.full(rows + 2, 7.0)
        p, v, f = (part.ctypes.data for part in given)
        matrix(p, stride, v, n, f, apart, sums[1:].ctypes.data, rows)
        expected = [
            weighted_sum(starts[i * apart], numbers[i * stride :][:n], values) for i in range(rows)
        ]
        assert sums.tolist() == [7.0, *expected, 7.0]
