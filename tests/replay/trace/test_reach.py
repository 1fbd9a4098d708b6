"""The parameters that a function reaches, in the order of their models."""

from __future__ import annotations

import functools
import types

import pytest

from micrograd.engine import Value
from micrograd.nn import MLP
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.trace.reach import is_library

pytest.importorskip("llvmlite")


def test_models_and_rules_give_the_order_of_parameters():
    model = MLP(2, [3, 1])
    extra = Value(0.5, label="extra")
    compiled = compile(lambda x: extra * model(x[::-1]), "python")
    compiled([1.0, 2.0])
    assert compiled.parameters == [*model.parameters(), extra]
    assert compile(model, "python").parameters == model.parameters()


def test_the_module_of_a_class_may_be_no_text():
    class Told:
        __module__ = property(lambda self: "told")

    written_in_c = type("written_in_c", (), {"__module__": functools.partial.func})
    assert [is_library(thing) for thing in (Told, written_in_c, pytest, types, Value)] == [
        False, True, True, True, True,
    ]  # fmt: skip
    assert compile(lambda x: x * len(Told.__name__ + written_in_c.__name__), "python")(1.0) == 16.0
