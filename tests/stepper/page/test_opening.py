"""The state that a page opens in."""

import pytest
from networks import small

from micrograd import Value, steps
from micrograd.errors import ArgumentError, NotInGraphError, OptionTypeError
from micrograd.stepper.page.opening import opening


def test_the_state_is_said_as_in_an_address():
    _, loss = small()
    walk = steps(loss)
    assert opening(walk) == {}
    leaf = walk.place("w1[2,1]")
    wanted = {"open": "1.2", "set": f"@{leaf}:0.9;@{walk.place('b1[1]')}:3.0", "guess": "1"}
    assert opening(walk, "neuron 2 of layer 1", {"w1[2,1]": 0.9, "b1[1]": 3}, True) == wanted
    assert opening(walk, set={walk.nodes[leaf]: 0.9}) == {"set": f"@{leaf}:0.9"}


def test_what_is_not_there_is_an_error_that_says_what_there_is(tmp_path):
    _, loss = small()
    a = Value(2.0, label="a")
    bad = [
        (loss, {"open": "neuron 3 of layer 1"}, ArgumentError, "1 to 2 of layer 1, 1 to 2 of lay"),
        (loss, {"open": "output"}, ArgumentError, "got 'output'"),
        (a * 2, {"open": "loss"}, ArgumentError, "no network is shown here"),
        (loss, {"set": {"s1[2]": 1}}, ArgumentError, "the leaves are .*w1"),
        (loss, {"set": {"w9[1,1]": 1}}, NotInGraphError, "no value called 'w9"),
        (a * 2, {"set": {"a": float("nan")}}, ArgumentError, "set\\['a'\\] to be a finite number"),
        (3 * a, {"set": {"3": 1}}, ArgumentError, "3 is part of an expression or the target"),
        (a * 2, {"set": {"a": "2"}}, OptionTypeError, "set\\['a'\\]"),
        (a * 2, {"set": [("a", 2)]}, OptionTypeError, "to be a mapping"),
        (a * 2, {"guess": []}, ArgumentError, "guess to be one of False, True, 2"),
    ]
    for root, state, error, text in bad:
        with pytest.raises(error, match=text):
            steps(root).to_html(tmp_path / "page.html", **state)
    assert list(tmp_path.iterdir()) == []


def test_a_label_that_is_no_text_is_shown_as_one(tmp_path):
    a = Value(2.0, label=5)  # type: ignore[arg-type]
    root = a * 3
    root.label = ("y", 1)  # type: ignore[assignment]
    walk = steps(root)
    assert walk.to_html(tmp_path / "page.html").exists()
    assert [walk.words.names[walk.nodes.index(node)] for node in (a, root)] == ["5", "('y', 1)"]
