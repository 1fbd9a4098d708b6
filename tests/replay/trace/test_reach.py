"""The parameters that a function reaches, in the order of their models."""

from __future__ import annotations

import pytest

from micrograd.engine import Value
from micrograd.nn import MLP
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")


def test_models_and_rules_give_the_order_of_parameters():
    model = MLP(2, [3, 1])
    extra = Value(0.5, label="extra")
    compiled = compile(lambda x: extra * model(x[::-1]), "python")
    compiled([1.0, 2.0])
    assert compiled.parameters == [*model.parameters(), extra]
    assert compile(model, "python").parameters == model.parameters()
