"""Operations of any number of operands: sum, dot, logsumexp, softmax and take."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from micrograd import ops
from micrograd.engine import Value, gradient
from micrograd.errors import DomainError, InputCountError, NumberTypeError


def test_softmax_has_the_jacobian_of_the_textbook(rng: Any) -> None:
    logits = [Value(rng.uniform(-3, 3)) for _ in range(4)]
    outputs = ops.softmax(logits)
    assert math.fsum(p.data for p in outputs) == pytest.approx(1, rel=1e-15)
    for i, p in enumerate(outputs):
        wanted = [p.data * ((i == j) - q.data) for j, q in enumerate(outputs)]
        assert gradient(p, logits) == pytest.approx(wanted, rel=1e-13)


def test_dot_gives_the_bits_of_single_steps(rng: Any) -> None:
    w, x = ([Value(rng.gauss(0, 1)) for _ in range(30)] for _ in range(2))
    total = bias = Value(rng.gauss(0, 1))
    for a, b in zip(w, x, strict=True):
        total = total + a * b
    one = ops.dot(w, x, bias)
    assert one.data == total.data
    assert gradient(one, [*w, *x, bias]) == gradient(total, [*w, *x, bias])


def test_sum_adds_from_left_to_right_on_every_python() -> None:
    data = [0.1] * 10  # the built-in sum of Python 3.12 gives 1.0
    assert ops.sum([Value(x) for x in data]).data == ops.sum(data) == 0.9999999999999999


def test_logsumexp_of_infinities_is_infinite_and_of_nan_is_nan() -> None:
    inf = math.inf
    assert ops.logsumexp([1.0, inf, inf]) == inf
    assert ops.logsumexp([-inf, -inf]) == -inf
    assert ops.logsumexp([-inf, 2.0]) == 2.0
    assert math.isnan(ops.logsumexp([inf, math.nan]))


def test_sum_starts_with_a_start_that_is_not_zero() -> None:
    x, start = Value(2.0), Value(3.0)
    assert ops.sum([x], start).parents == (start, x)
    assert ops.sum([x]).parents == (x,)
    assert ops.sum([]) == 0
    assert ops.sum([], 5) == 5


def test_empty_and_uneven_sequences_are_errors_that_say_the_lengths() -> None:
    with pytest.raises(InputCountError, match="3 and 2"):
        ops.dot([1, 2, 3], [Value(1), 2])
    with pytest.raises(InputCountError, match="at least one"):
        ops.logsumexp([])
    assert ops.softmax([]) == []
    assert ops.dot([], []) == 0
    assert ops.dot([], [], 4) == 4


def test_take_picks_a_value_and_passes_its_gradient_to_that_value_alone() -> None:
    table = [Value(0.5), Value(math.inf), Value(-2.0)]
    assert ops.take(table, 2) is table[2]  # a plain number needs no node
    index = Value(2)
    taken = ops.take(table, index)
    assert taken.data == -2.0
    assert taken.parents == (*table, index)
    assert gradient(taken * taken, [*table, index]) == [0, 0, -4.0, 0]
    assert ops.take([3, 4], Value(1.0)).data == 4
    index.data = 0
    assert taken.forward().data == 0.5
    slope = gradient(taken * taken, [table[0]], create_graph=True)[0]
    assert gradient(slope, table) == [2.0, 0, 0]


@pytest.mark.parametrize("index", [3, -1, 0.5, 1e300, math.inf, math.nan, Fraction(1, 2)])
def test_an_index_that_is_none_is_an_error_with_the_range(index: Any) -> None:
    for given in (index, Value(index)):
        with pytest.raises(DomainError, match="from 0 to 2, got the index"):
            ops.take([1.0, Value(2.0), 3.0], given)
    with pytest.raises(InputCountError, match="at least one"):
        ops.take([], 0)


@pytest.mark.parametrize("index", ["1", None, [1], [1, 2], (), {}, object()])
def test_an_index_that_is_no_number_is_the_same_error(index: Any) -> None:
    with pytest.raises(DomainError, match="from 0 to 1, got the index") as told:
        ops.take([1.0, Value(2.0)], index)
    assert ("one index at a time" in str(told.value)) == isinstance(index, (list, tuple, dict))


def test_what_cannot_be_joined_is_refused_with_what_was_given() -> None:
    for name in ("logsumexp", "take"):
        call = getattr(ops, name)
        with pytest.raises(InputCountError, match=f"^{name} needs at least one value, got none$"):
            call([], 0) if name == "take" else call([])
    for given, shown in ((5, "5"), ("12", "'12'")):
        with pytest.raises(NumberTypeError, match=f"^expected a list of numbers .*, got {shown}$"):
            ops.softmax(given)  # type: ignore[arg-type]
    told = r"^take picks one of 2 values by a whole number from 0 to 1, got the index "
    for index, end in ((2, "2"), (0.5, "0.5"), ("0", "0"), ([0], r"\[0\]; one index at a time")):
        with pytest.raises(DomainError, match=f"{told}{end}$"):
            ops.take([1.0, 2.0], index)  # type: ignore[arg-type]
