"""The look: colours that can be told apart, numbers that are short and true."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value
from micrograd import style as look


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> look.Theme:
    return look.theme(request.param)


def test_text_has_the_contrast_that_wcag_asks_of_it(theme: look.Theme) -> None:
    assert look.contrast(theme.ink, theme.bg) >= 7
    for name in ("muted", "pos_text", "neg_text", "wrong"):
        assert look.contrast(getattr(theme, name), theme.bg) >= 4.5, name
    for fill in (theme.pos_tint, theme.neg_tint, theme.none, theme.panel):
        assert look.contrast(theme.ink, fill) >= 4.5, fill
    assert look.contrast(theme.input_text, theme.input_chip) >= 4.5
    assert look.contrast(theme.parameter_text, theme.parameter_chip) >= 4.5
    assert look.contrast(theme.current_text, theme.current) >= 4.5


def test_lines_have_the_contrast_that_wcag_asks_of_them(theme: look.Theme) -> None:
    for name in ("line", "pos", "neg", "zero"):
        assert look.contrast(getattr(theme, name), theme.bg) >= 3, name


def test_signs_differ_in_grey_too(theme: look.Theme) -> None:
    assert look.contrast(theme.pos, theme.neg) > 1.3


def test_the_diverging_map_is_darkest_at_its_ends_and_blank_in_the_middle(
    theme: look.Theme,
) -> None:
    steps = [look.contrast(colour, theme.bg) for colour in theme.diverging]
    middle = len(steps) // 2
    assert steps[: middle + 1] == sorted(steps[: middle + 1], reverse=True)
    assert steps[middle:] == sorted(steps[middle:])


def test_every_class_colour_has_a_marker(theme: look.Theme) -> None:
    assert len(theme.classes) == len(set(theme.classes)) == len(look.MARKERS)


def test_a_colour_tells_the_sign(theme: look.Theme) -> None:
    assert theme.stroke(1e-300) == theme.pos
    assert theme.stroke(-2) == theme.neg
    assert theme.stroke(0.0) == theme.zero
    assert theme.stroke(math.nan) == theme.text(math.inf) == theme.wrong
    assert theme.tint(0, 0) == theme.none
    assert theme.tint(-3, 3) == theme.neg_tint


def test_an_unknown_theme_is_named() -> None:
    with pytest.raises(ValueError, match=r"theme must be 'light' or 'dark', got 'neon'"):
        look.theme("neon")


@pytest.mark.parametrize(
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
        with pytest.raises(ValueError, match="precision must be a whole number from 1 to 17"):
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


@pytest.mark.parametrize("scale", [0, 1, math.inf])
@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_is_never_drawn_as_zero(number: float, scale: float) -> None:
    assert look.magnitude(number, scale) == 1
    assert look.stroke_width(number, scale) > look.stroke_width(0, scale)
    for theme in look.THEMES.values():
        assert theme.tint(number, scale) != theme.none
        assert look.contrast(theme.wrong, theme.tint(number, scale)) > 4.5
        if not math.isnan(number):
            end = theme.diverging[-1 if number > 0 else 0]
            assert look.diverging(number, scale, theme.diverging) == end


def test_one_giant_among_many_does_not_set_the_scale() -> None:
    assert look.largest([1.0] * 200 + [1e9]) == 1.0
    assert look.largest([math.nan, math.inf]) == 0
    assert look.largest([0.0] * 200 + [3.0]) == 3.0


def test_long_names_keep_both_ends() -> None:
    assert look.short("x" * 18) == "x" * 18
    assert look.short("a" * 150 + "b" * 150) == "aaaaaaaa…bbbbbbbb"
