"""Two walks compared in Python: what differs, in words and as text."""

import random

import pytest
from graphs import guide_graph

from micrograd import Value, compare, steps
from micrograd.errors import ArgumentError, ArgumentTypeError, MicrogradError
from micrograd.losses import mse
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.stepper import BROKEN


def network(activation, hidden=3):
    model = MLP(2, [hidden, 1], activation=activation, rng=random.Random(2))
    return mse([model([0.5, -1.0])], [1]), model


def test_what_the_walks_differ_in_is_found_and_named():
    loss, model = network("tanh")
    before = steps(loss)
    loss.backward()
    SGD(model.parameters(), lr=0.1).step()
    loss.forward()
    pairs = [
        (steps(loss), steps(loss, broken="assign"), None, ("right", "broken: = instead of +=")),
        (steps(loss, broken="assign"), loss, None, ("broken: = instead of +=", "right")),
        (before, loss, None, ("before", "after")),
        (network("relu")[0], network("tanh")[0], None, ("relu", "tanh")),
        (loss, loss, None, ("first", "second")),
        (loss, loss, ("mine", "yours"), ("mine", "yours")),
    ]
    for first, second, names, heads in pairs:
        assert compare(first, second, names=names).heads == heads
    assert str(compare(loss, loss)).endswith(" numbers are the same.")
    assert "<iframe" in compare(loss, loss)._repr_html_()
    assert repr(compare(loss, loss)) == f"<Comparison of first | second: {len(before)} steps>"


def test_the_numbers_that_differ_are_those_of_both_walks():
    right, wrong = steps(guide_graph()), steps(guide_graph(), broken="assign")
    found = compare(right, wrong)
    wanted = {
        f"{value.label}.grad": (correct, got)
        for value, (got, correct) in wrong.differences().items()
    }
    assert {d.name: (d.first, d.second) for d in found.differences()} == wanted
    assert all(d.difference == d.second - d.first for d in found.differences())
    assert found.differences(2) == []  # the forward pass
    assert found.text(0) == "Step 1: the same in both, -6."
    lost = [k for k in range(len(found)) if "is lost" in found.text(k)]
    assert [found.text(k) for k in lost] == [
        "Step 7: right -2, broken -6. Overwritten instead of added: +4 is lost."
    ]
    assert found.text(lost[0]) in str(found)


def test_leaves_that_differ_are_found_also_if_no_step_does_or_they_have_one_name():
    assert str(compare(Value(1.0, label="a"), Value(2.0, label="a"))).splitlines() == [
        "before | after",
        "1 of 2 numbers differs at the end:",
        "   before  after  difference",
        "a       1      2          +1",
    ]

    def root(number):
        return Value(5.0, label="a") * Value(number, label="w") + Value(2.0, label="w")

    first = compare(steps(root(3.0)), steps(root(4.0)), names=("p", "q")).differences(0)
    assert [(d.first, d.second) for d in first] == [(3.0, 4.0), (15.0, 20.0)]


@pytest.mark.parametrize("rule", BROKEN)
def test_every_broken_rule_can_be_compared_step_by_step(rule):
    loss, _ = network("tanh")
    found = compare(steps(loss), steps(loss, broken=rule))
    texts = [found.text(k) for k in range(len(found))]
    assert len(found) == max(map(len, found.steppers))
    assert sum("has no such step" in text for text in texts) == abs(
        len(found.steppers[0]) - len(found.steppers[1])
    )
    table = str(found).splitlines()
    assert table[0] == f"right | broken: {BROKEN[rule]}"
    assert len(table) == 4 + len(found.differences())


def test_what_cannot_be_compared_is_an_error_that_says_where(tmp_path):
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    bad = [
        ((a * b + a, a * b + b), ArgumentError, r"part at a × b \+ a .*, a × b \+ b"),
        ((network("tanh")[0], network("tanh", 4)[0]), ArgumentError, "the first has .* values and"),
        ((a * b, 3), ArgumentTypeError, "expected a Value or steps to compare, got 3"),
    ]
    for given, error, text in bad:
        with pytest.raises(error, match=text):
            compare(*given)
    for names in ("ab", ("a", "b", "c"), 2):
        with pytest.raises(ArgumentError, match="two names"):
            compare(a * b, a * b, names=names)
    assert issubclass(ArgumentTypeError, MicrogradError)


def test_two_optimizers_differ_in_what_they_make_of_the_parameters():
    loss, model = network("tanh")
    walks = [steps(loss, optimizer=SGD(model.parameters(), lr=lr)) for lr in (0.1, 0.2)]
    found = compare(*walks, names=("slow", "fast"))
    moved = [d for d in found.differences() if d.name.endswith(", updated")]
    assert len(moved) == len(found.differences()) == len(model.parameters())
    for d, (slow, fast) in zip(moved, zip(*(w.changes for w in walks), strict=True), strict=False):
        assert d.difference == d.second - d.first
        assert slow.node == fast.node
    first, second = (walk.changes[-1].after for walk in walks)
    assert found.text(-1) == f"Step {len(found)}: slow {first:.4g}, fast {second:.4g}."


def test_a_number_or_a_formula_is_no_name_of_a_gradient():
    a, b = Value(3.0, label="a"), Value(2.0, label="b")
    names = [d.name for d in compare((a * 5 + b).tanh(), (a * 5 + b).sin()).differences()]
    assert "the gradient of the number 5" in names
    assert "the gradient of a × 5 + b" in names
