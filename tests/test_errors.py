"""The exceptions: each one micrograd's and a built-in one."""

from __future__ import annotations

import builtins

import pytest

from micrograd import errors
from micrograd.errors import MicrogradError

KINDS = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
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
