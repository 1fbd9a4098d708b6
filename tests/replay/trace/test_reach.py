"""The parameters that a function reaches, in the order of their models."""

from __future__ import annotations

import functools
import types

import pytest

from micrograd.engine import Value
from micrograd.nn import MLP, Embedding
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.trace import Recorder
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


class _Scaled:
    """A model of one's own, of which a method looks at what it holds, or changes it."""

    def __init__(self, changes):
        self.w, self.changes, self.calls = Value(2.0), changes, 0

    def __call__(self, x):
        if vars(self)["changes"]:
            self.calls += 1
        return self.w * x


def _first(table, x):
    return table(x)[0]


@pytest.mark.parametrize(
    ("made", "times"),
    [
        (lambda: MLP(1, [2, 1]), 1),
        (lambda: functools.partial(_first, Embedding(3, 1)), 1),
        (lambda: _Scaled(changes=False), 1),
        (lambda: _Scaled(changes=True), 2),
    ],
)
def test_only_what_changes_its_objects_is_run_again(made, times, monkeypatch):
    runs, once = [], Recorder._once
    monkeypatch.setattr(
        Recorder, "_once", lambda self, *given: runs.append(self) or once(self, *given)
    )
    model = made()
    compile(lambda x: model([x] if isinstance(model, MLP) else x), "python")(1.0)
    assert len(runs) == times
