"""The look: colours that can be told apart."""

from __future__ import annotations

import math

import pytest

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
    with pytest.raises(ValueError, match=r"theme to be one of 'light', 'dark', got 'neon'"):
        look.theme("neon")


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


def test_no_two_classes_share_both_colour_and_shape(theme: look.Theme) -> None:
    for outputs, classes in ((1, 2), (25, 25)):
        marks = {(theme.of_class(k, outputs), look.class_shape(k, outputs)) for k in range(classes)}
        assert len(marks) == classes
    assert (theme.of_class(0, 1), theme.of_class(1, 1)) == (theme.neg, theme.pos)
