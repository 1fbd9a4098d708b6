"""Checks of arguments: what is accepted, and which error names what is not."""

import re
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import micrograd
from micrograd import Value
from micrograd.checks import finite_number, install, needs, one_of, whole_number
from micrograd.errors import ArgumentError, ArgumentTypeError, NumberTypeError

ROOT = Path(__file__).parents[1]
PACKAGE = Path(micrograd.__file__).parent
HUGE = 9**9999  # Python refuses to write so many digits


@pytest.mark.parametrize("given", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_a_whole_number_of_any_kind_becomes_an_int(given):
    assert whole_number("n", given, 3, 3) == 3
    assert type(whole_number("n", given)) is int


@pytest.mark.parametrize(
    "given", [True, np.True_, 2.0, np.float64(2), Fraction(2), "2", None, [2], Value(2), [HUGE]]
)
def test_what_is_no_whole_number_is_named_with_its_type(given):
    with pytest.raises(ArgumentTypeError, match="expected n to be a whole number of 1 or") as told:
        whole_number("n", given, 1)
    assert isinstance(told.value, ArgumentError)
    assert str(told.value).endswith(f"({type(given).__name__})")


@pytest.mark.parametrize(
    ("given", "least", "most", "message"),
    [
        (0, 1, None, "expected n to be a whole number of 1 or more, got 0"),
        (-HUGE, 1, None, "expected n to be a whole number of 1 or more, got <int -"),
        (18, 1, 17, "expected n to be a whole number from 1 to 17, got 18"),
        (HUGE, 1, 17, "expected n to be a whole number from 1 to 17, got <int 2."),
    ],
    ids=["small", "long and negative", "large", "long"],
)
def test_a_whole_number_out_of_range_is_named_with_the_range(given, least, most, message):
    with pytest.raises(ArgumentError, match=re.escape(message)) as told:
        whole_number("n", given, least, most)
    assert not isinstance(told.value, TypeError)


@pytest.mark.parametrize(
    "given", [2, 2.0, Fraction(2), np.float32(2), np.int64(2), 2**1000, Fraction(1, 3)]
)
def test_a_finite_number_keeps_its_type(given):
    plain = finite_number("x", given)
    assert plain == given
    assert type(plain) in (int, float, Fraction)


@pytest.mark.parametrize("given", ["2", None, 2j, [2], Value(2), Decimal(2), np.zeros(2)])
def test_what_is_no_number_is_named_with_its_type(given):
    for kind in (NumberTypeError, ArgumentTypeError, ArgumentError):
        with pytest.raises(kind, match=rf"to be a finite number, got .*\({type(given).__name__}\)"):
            finite_number("x", given)


@pytest.mark.parametrize(
    ("given", "limits", "wanted"),
    [
        (-0.1, {"least": 0}, "of 0 or more"),
        (0, {"above": 0}, "above 0"),
        (1, {"least": 0, "below": 1}, "of 0 or more and below 1"),
        (Fraction(1), {"above": 0, "below": 1}, "above 0 and below 1"),
        *[(x, {"least": 0}, "of 0 or more") for x in (np.inf, -np.inf, np.nan, np.float32("nan"))],
    ],
)
def test_a_number_out_of_range_is_named_with_the_range(given, limits, wanted):
    with pytest.raises(ArgumentError, match=f"expected x to be a finite number {wanted}, got "):
        finite_number("x", given, **limits)


@pytest.mark.parametrize(
    "given", [HUGE, -HUGE, Fraction(HUGE, 7)], ids=["above", "below", "fraction"]
)
def test_a_number_that_no_float_holds_is_said_to_be_too_large(given):
    with pytest.raises(ArgumentError, match="x is too large for a float"):
        finite_number("x", given)


def test_a_choice_is_returned_as_it_stands_in_the_list():
    assert one_of("compile", np.True_, (True, False, "auto")) is True
    assert one_of("name", np.str_("a"), {"a": 1, "b": 2}) == "a"
    assert one_of("name", None, (None, "a")) is None


@pytest.mark.parametrize("given", ["c", "", None, 1, ["a"], np.array(["a"]), {}, [HUGE]])
def test_an_unknown_choice_is_named_with_the_known_ones(given):
    with pytest.raises(ArgumentError, match=r"expected name to be one of 'a', 'b', got ."):
        one_of("name", given, ("a", "b"))
    with pytest.raises(ArgumentError, match="got <int 2"):
        one_of("name", HUGE, ("a", "b"))


def test_a_web_page_is_not_told_to_install_packages(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(ImportError) as told, needs("train", "plots need it"):
        import not_installed_anywhere.here  # noqa: F401
    assert str(told.value) == (
        "plots need it: a web page has the packages of its site and no others; if "
        "not_installed_anywhere is one, `import not_installed_anywhere` in a cell loads it"
    )


def test_a_missing_package_is_answered_with_the_extra_and_the_cause_is_kept():
    with pytest.raises(ImportError) as told, needs("train", "plots need it"):
        import not_installed_anywhere  # noqa: F401
    assert str(told.value) == 'plots need it: pip install "micrograd[train]"'
    assert told.value.__cause__.name == "not_installed_anywhere"


def test_other_errors_pass_through():
    with pytest.raises(KeyError), needs("train", "plots need it"):
        raise KeyError


def test_every_extra_that_an_error_names_is_one_of_the_package():
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = settings.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = set(re.findall(r"^(\w+) = ", listed, re.MULTILINE))
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    named = re.findall(r'(?:needs|install)\(\s*"(\w+)"|micrograd\[(\w+)\]', "\n".join(sources))
    assert named
    assert {one or other for one, other in named} <= extras
    assert install("train") == 'pip install "micrograd[train]"'
