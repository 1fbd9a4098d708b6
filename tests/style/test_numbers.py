"""Numbers that are short and true, and how large they are drawn."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from micrograd import Value
from micrograd import style as look


@each(
    ("x", "text"),
    [
        (0.70710678, "0.7071"),
        (6.8813735870195432, "6.881"),
        (-3.0, "-3"),
        (0.5, "0.5"),
        (-0.0, "0"),
        (0, "0"),
        (1e-4, "0.0001"),
        (9.99999e-5, "1e-4"),
        (1.2344e-5, "1.234e-5"),
        (6.02e23, "6.02e23"),
        (99999.4, "99999"),
        (99999.6, "100000"),
        (12345.678, "12346"),
        (1e5, "1e5"),
        (999_999, "999999"),
        (-999_999, "-999999"),
        (1_000_000, "1e6"),
        (9_999_999, "1e7"),
        (1_234_567, "1.235e6"),
        (10**400, "1e400"),
        (Fraction(3, 4), "3/4"),
        (Fraction(6, 2), "3"),
        (Fraction(-5, 7), "-5/7"),
        (Fraction(123456, 1234567), "≈0.1"),
        (Fraction(-1, 10**400), "≈0"),
        (Fraction(10**400, 3), "≈3.333e399"),
        (math.nan, "nan!"),
        (-math.inf, "-inf!"),
        (5e-324, "4.941e-324"),
        (True, "1"),
        (None, "–"),
    ],
)
def test_numbers_are_short(x: object, text: str) -> None:
    assert look.number_text(x) == text


def test_an_int_beyond_every_float_and_print_limit_is_written() -> None:
    assert look.number_text(1 - 10**5000) == "-1e5000"


def test_a_signed_number_shows_its_plus() -> None:
    texts = [look.number_text(x, signed=True) for x in (0.5, -0.5, 0, Fraction(1, 2), math.inf)]
    assert texts == ["+0.5", "-0.5", "0", "+1/2", "+inf!"]


def test_a_value_is_written_as_its_data() -> None:
    assert look.number_text(Value(2.0)) == "2"


def test_precision_sets_the_digits() -> None:
    assert look.number_text(math.pi, 2) == "3.1"
    assert look.number_text(math.pi, 10) == "3.141592654"
    assert look.number_text(1.5, 1) == "2"
    for precision in (0, 18, 2.0, True):
        with pytest.raises(ValueError, match="precision to be a whole number from 1 to 17"):
            look.number_text(1, precision)  # type: ignore[arg-type]


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 17))
def test_a_written_float_is_the_number_to_the_digits_asked_for(x: float, precision: int) -> None:
    error = abs(Fraction(look.number_text(x, precision)) - Fraction(x))
    assert error <= abs(Fraction(x)) / (2 * 10 ** (precision - 1))


@given(st.integers())
def test_a_written_int_is_the_number_to_four_digits(x: int) -> None:
    back = Fraction(look.number_text(x))
    assert abs(back - x) <= Fraction(abs(x), 2000)


def test_sizes_grow_from_thin_to_thick() -> None:
    widths = [look.stroke_width(x, 4) for x in (0, 0.01, -1, 4, 100, math.inf)]
    assert widths == sorted(widths)
    assert widths[0] == 1.2
    assert widths[-1] == 6.0
    assert look.stroke_width(10**400, 10**400 * 4) == pytest.approx(3.6)


def test_one_giant_among_many_does_not_set_the_scale() -> None:
    assert look.largest([1.0] * 200 + [1e9]) == 1.0
    assert look.largest([math.nan, math.inf]) == 0
    assert look.largest([0.0] * 200 + [3.0]) == 3.0


def test_long_names_keep_both_ends() -> None:
    assert look.short("x" * 18) == "x" * 18
    assert look.short("a" * 150 + "b" * 150) == "aaaaaaaa…bbbbbbbb"
