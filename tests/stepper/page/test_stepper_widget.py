"""What a number that is pulled in a notebook changes: a copy, or with `live` the Values."""

import pytest

from micrograd import Value, steps
from micrograd.stepper.page import page_data

pytest.importorskip("anywidget")


def graph():
    x, n = Value(2.0, label="x"), Value(3, label="n")
    root = x.log() * n
    root.label = "L"
    return x, n, root


def test_a_pull_changes_a_copy_and_with_live_the_values():
    x, n, root = graph()
    stepper = steps(root)
    stepper.go(2)
    shown, root_before = stepper.widget(), root.data
    data = shown.data

    shown.changes = {"0": 4, "2": 5}  # 4.0 arrives as 4
    assert shown.stepper.root.data == Value(4.0).log().data * 5
    assert [type(node.data) for node in shown.stepper.nodes] == [float, float, int, float]
    assert (x.data, n.data, root.data) == (2.0, 3, root_before)
    assert shown.data is data  # the page has computed the same by itself
    assert shown.stepper.position == 2

    shown.live = True  # as the switch of the page does: what was pulled is theirs now
    assert stepper.live
    assert (x.data, n.data, root.data) == (4.0, 5, shown.stepper.root.data)
    shown.changes = {"2": 5}  # the x of before is back, the rest stays
    assert (x.data, n.data, root.data) == (2.0, 5, Value(2.0).log().data * 5)
    root.backward()
    assert x.grad == 2.5
    shown.changes = {}
    assert (n.data, root.data) == (3, root_before)
    assert shown.error == ""


def test_a_stepper_that_lives_shows_it_and_may_begin_later():
    x, _, root = graph()
    stepper = steps(root)
    shown = stepper.widget()
    stepper.live = True
    shown.changes = {"0": 3.0}
    assert (shown.live, x.data) == (True, 3.0)
    again = steps(root)
    again.live = True
    assert again.widget().live
    assert not again.widget(live=False).live
    assert not again.live


@pytest.mark.parametrize("live", [False, True])
def test_a_number_that_the_engine_refuses_changes_nothing_and_is_explained(live):
    x, n, root = graph()
    stepper = steps(root)
    stepper.live = live
    shown = stepper.widget()
    shown.changes = {"0": 4.0}
    before = (x.data, n.data, root.data, page_data(shown.stepper))
    for wrong, why in (({"0": -1.0}, "log"), ({"0": 4.0, "2": "many"}, "many"), ({"1": 2}, "leaf")):
        shown.changes = wrong
        assert why in shown.error
        assert shown.changes == {"0": 4.0}
        assert (x.data, n.data, root.data, page_data(shown.stepper)) == before
    shown.changes = {"0": 5.0}
    assert (shown.error, x.data) == ("", 5.0 if live else 2.0)


def test_a_number_typed_for_python_starts_anew():
    x, _, root = graph()
    shown = steps(root).widget()
    shown.changes = {"0": 4.0}
    shown.edit = {"node": 2, "text": "7/2", "seq": 1}
    assert shown.changes == {}
    assert shown.data["nodes"][2]["text"] == "7/2"
    assert shown.stepper.nodes[0].data == 4.0
    assert x.data == 2.0
