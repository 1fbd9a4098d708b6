"""The exceptions: each one micrograd's and a built-in one."""

from __future__ import annotations

import builtins
from fractions import Fraction

import pytest
from tables import each

from micrograd import errors
from micrograd.errors import MicrogradError

KINDS = [getattr(errors, name) for name in errors.__all__]


@each("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_exception_is_micrograds_and_a_built_in_one(kind: type) -> None:
    assert issubclass(kind, MicrogradError)
    assert kind.__doc__
    if kind is not MicrogradError:
        built_in = [base for base in kind.__mro__ if getattr(builtins, base.__name__, None) is base]
        assert built_in[0] not in {Exception, BaseException, object}


@pytest.mark.parametrize(
    "raised", [ZeroDivisionError, OverflowError, ValueError, FloatingPointError]
)
def test_a_rewritten_error_keeps_its_built_in_kind(raised: type[Exception]) -> None:
    again = errors.rewritten(raised("x"), "message")  # type: ignore[arg-type]
    assert str(again) == "message"
    kind = ValueError if raised is FloatingPointError else raised
    assert isinstance(again, kind)


def test_the_list_of_exceptions_is_complete_and_sorted() -> None:
    defined = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, MicrogradError)
    }
    assert set(errors.__all__) == defined
    assert errors.__all__ == sorted(errors.__all__)


def test_an_estimator_in_the_place_of_a_network_is_told_to_pass_its_model():
    class Estimator:
        model_ = "the network"

        def __repr__(self):
            return "Estimator()"

    error = errors.not_a_network(Estimator(), "an MLP")
    assert str(error) == "expected an MLP, got Estimator() (Estimator): pass its model_"
    assert isinstance(error, TypeError)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (True, "True"),
        (-(10**100) + 1, "-" + "9" * 100),
        (10**100, "<int 1.000e+100>"),
        (10**5000 - 1, "<int 1.000e+5000>"),
        (-(2**20000), "<int -3.980e+6020>"),
        (Fraction(-(10**200), 7), "<int -1.000e+200>/7"),
        (Fraction(1, 3), "1/3"),
        (0.1, "0.1"),
        ("text", "text"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_number_is_shown_in_full_up_to_100_digits(number: object, text: str) -> None:
    assert errors.shown(number) == text


def test_anything_is_shown_briefly() -> None:
    assert errors.shown_briefly(10**5000) == "<int 1.000e+5000>"
    assert errors.shown_briefly({"a": 10**5000}) == "<dict>"
    assert errors.shown_briefly(True) == "True"
    assert len(errors.shown_briefly("a" * 1000)) == 60
