"""The live view as a widget, without a browser."""

import asyncio
import base64
import random
import sys

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")


from networks import NAMES
from trainer import in_node
from watched import X, model, squares, y

from micrograd import watch
from micrograd.datasets import load
from micrograd.live import live_widget
from micrograd.nn import MLP


def test_the_widget_does_what_its_controls_ask():
    pytest.importorskip("anywidget")
    view = watch(model(), X, y, squares)
    widget = view.widget()
    assert isinstance(widget, live_widget())
    for n in range(1, 4):
        widget.command = {"do": "step", "with": None, "seq": str(n)}
        assert widget.frame["n"] == n
    losses = view.losses
    widget.command = {"do": "reset", "with": None, "seq": "r"}
    assert widget.frame["n"] == 0
    widget.do("step")
    assert view.losses == losses[:1]
    widget.command = {"do": "rate", "with": "0.3", "seq": "l"}
    assert view.rate == 0.3
    widget.command = {"do": "sample", "with": 2, "seq": "s"}
    assert widget.sample["i"] == 2
    assert widget.sample["n"] == 1
    assert widget.sample["data"]["net"]["title"] == "Network of 2 layers: 2 inputs, 4 and 1 neurons"
    widget.command = {"do": "sample", "with": 99, "seq": "t"}
    assert "from 0 to 29, got 99" in widget.error
    widget.command = {"do": "activation", "with": "tanh", "seq": "u"}
    assert widget.error == ""
    assert view.model.activation == "tanh"


def test_the_kernel_sends_the_maps_of_all_neurons_where_the_page_cannot_train():
    pytest.importorskip("anywidget")
    view = watch(MLP(2, [3, 1], rng=random.Random(2)), X, y, squares)
    live = view.widget()
    assert live.frame["neurons"] == view.neuron_maps()
    live.command = {"do": "step", "with": None, "seq": 2}
    assert live.frame["neurons"] == view.neuron_maps()
    assert watch(model(), X, y).widget().frame == {}  # the page trains, and draws by itself
    assert set(live.data["activations"]) == set(NAMES)


def test_an_open_view_follows_what_python_does():
    pytest.importorskip("anywidget")
    view, kernel = watch(model(), X, y), watch(model(), X, y, squares)
    live, pushed = view.widget(), kernel.widget()
    for one in (view, kernel):
        one.run(3)
    assert pushed.frame["n"] == live.state["step"] == 3
    assert live.state == {"settings": view.settings, "step": 3}
    view.set_rate(0.5).run(2).set_rate(0.25).run(1)
    assert live.state["settings"]["later"] == [[3, {"lr": 0.5}], [5, {"lr": 0.25}]]
    assert view.widget().state == live.state  # a view that is opened later, too
    page = in_node(
        "const run = trainerOf(given[0]).change(given[1].settings).step(given[1].step);"
        "return [run.losses, [...run.parameters], run.reset().settings.lr];",
        [view.task, live.state],
    )
    expected = [view.losses, [p.data for p in view.model.parameters()]]
    assert page[:2] == [pytest.approx(numbers, rel=1e-9) for numbers in expected]
    assert page[2] == view.reset().rate == live.state["settings"]["lr"] == 0.25
    view.set_activation("tanh")
    assert (live.state["step"], live.state["settings"]["activation"]) == (0, "tanh")
    view.optimizer.lr = 0.125
    view.run()
    assert "cannot follow" in live.error
    assert "cannot follow" in view.widget().error

    async def cell():
        kernel.run().run()
        before = pushed.frame["n"]
        await asyncio.sleep(0)
        return before, pushed.frame["n"]

    assert asyncio.run(cell()) == (3, 5)  # once for the whole cell


def test_a_view_of_the_same_network_pauses_the_one_before():
    pytest.importorskip("anywidget")
    net = model()

    async def cell_run_twice():
        first = watch(net, X, y).widget()
        other = watch(model(), X, y).widget()
        for live in (first, other):
            live.command = {"do": "run", "seq": "1"}
        await asyncio.sleep(0.2)
        second = watch(net, X, y).widget()
        before = second.watch.losses, [parameter.data for parameter in net.parameters()]
        await asyncio.sleep(0.2)
        seen = first.running, first.error, other.running
        after = second.watch.losses, [parameter.data for parameter in net.parameters()]
        second.command = {"do": "run", "seq": "2"}
        first.command = {"do": "run", "seq": "3"}
        await asyncio.sleep(0.2)
        seen += first.running, second.running
        for live in (first, second, other):
            live.running = False
        await asyncio.sleep(0.2)
        return seen, before == after

    assert asyncio.run(cell_run_twice()) == ((False, "", True, True, False), True)


def test_without_anywidget_the_error_names_the_extra_and_a_notebook_shows_a_picture(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "micrograd.live.widget", raising=False)
    with pytest.raises(ImportError, match=r"micrograd\[notebook\]"):
        live_widget()
    shown = watch(model(), X, y)._repr_mimebundle_()
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
    assert "micrograd[notebook]" in shown["text/plain"]


def test_a_saved_notebook_keeps_a_living_page_of_many_samples():
    pytest.importorskip("anywidget")
    from micrograd.stepper.page.notebook import LARGEST_SAVED

    data = load("digits")
    net = MLP(64, [16, 10], rng=random.Random(1))
    view = watch(
        net, data.X.tolist(), data.y.tolist(), "cross_entropy",
        validation=(data.X_test.tolist(), data.y_test.tolist()),
    )  # fmt: skip
    assert len(view.page_text()) > LARGEST_SAVED  # it holds the graph of a sample, too
    bundle = view.widget()._repr_mimebundle_()
    html = (bundle[0] if isinstance(bundle, tuple) else bundle)["text/html"]
    assert "<iframe" in html
    assert len(html) < 1.1 * LARGEST_SAVED
