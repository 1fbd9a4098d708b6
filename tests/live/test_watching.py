"""Watching a network learn, without a browser: the run, its frames, the page's text and the GIF."""

import asyncio
import base64
import json
import math
import random
import re
from fractions import Fraction

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

import numpy as np

from micrograd import animate_training, watch
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
from micrograd.live import live_script, live_widget
from micrograd.nn import MLP, Neuron
from micrograd.optim import SGD, Adam, linear
from micrograd.train import evaluate, fit

generator = random.Random(4)
X = [[generator.uniform(-1, 1), generator.uniform(-1, 1)] for _ in range(30)]
y = [int(a + b > 0) for a, b in X]


def model(*sizes, nin=2, **options):
    return MLP(nin, sizes or (4, 1), rng=random.Random(1), **options)


def test_it_trains_as_fit_does():
    watched, fitted = model(), model()
    history = fit(fitted, X, y, steps=20, seed=3, batch_size=7, progress=False)
    view = watch(watched, X, y, seed=3, batch_size=7).run(20)
    assert view.losses == history.loss
    assert [p.data for p in watched.parameters()] == [p.data for p in fitted.parameters()]


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_reset_gives_the_same_curve_to_the_last_bit(batch_size):
    net = model()
    optimizer = SGD(net.parameters(), lr=linear(0.5, 0.05, 30), momentum=0.9)
    view = watch(net, X, y, "bce", optimizer, batch_size=batch_size)
    first = [loss.hex() for loss in view.run(30).losses]
    assert view.frame() == view.frame()
    assert [loss.hex() for loss in view.reset().run(11).run(19).losses] == first
    assert view.reset().losses == []


def test_a_look_in_between_changes_nothing():
    view = watch(model(), X, y)
    plain = view.run(12).losses
    view.reset()
    for _ in range(12):
        view.run(1).frame()
    assert view.losses == plain


def test_the_boundary_is_what_the_model_says():
    net = model(1)
    net.layers[0].neurons[0].w[0].data, net.layers[0].neurons[0].w[1].data = 1.0, 0.0
    field = watch(net, X, y).field()
    assert field.shape == (50, 50)
    left = min(a for a, _ in X)
    right = max(a for a, _ in X)
    margin = 0.08 * (right - left)
    for column in (0, 10, 30, 49):
        across = left - margin + (column + 0.5) / 50 * (right - left + 2 * margin)
        assert set(field[:, column]) == {round(255 / (1 + math.exp(-4 * across)))}


def test_the_other_features_are_at_their_means_and_that_is_said():
    rows = [[a, 5.0, b, 1.0] for a, b in X]
    view = watch(model(nin=4), rows, y, features=(2, 0), names=["a", "b", "c", "d"])
    assert view.description == "c across, a up; the other 2 features held at the mean"
    flat = watch(model(nin=4), rows, y)
    assert flat.description.startswith("x1 across, x3 up")


def test_a_frame_says_step_loss_and_how_many_are_right():
    view = watch(model(), X, y).run(5)
    loss, right = view.measure()
    frame = view.frame()
    assert re.fullmatch(rf"Step 5: loss [\d.]+, {right} of 30 right\.", frame["say"])
    assert frame["loss"] == loss
    view.run(1)
    assert view.losses[5] == pytest.approx(loss, rel=1e-12)
    weights = np.frombuffer(base64.b64decode(frame["w"]), np.int8)
    assert len(weights) == len(view.model.parameters())


HELD = ([[0.5, 0.5], [-0.5, -0.4], [3.0, -2.0], [0.1, 0.2]], [1, 0, 1, 0])


def test_what_is_held_out_is_measured_shown_and_never_learnt_from():
    net, plain = model(), watch(model(), X, y).run(12)
    view = watch(net, X, y, validation=HELD).run(12)
    assert view.losses == plain.losses
    assert (view.field() != plain.field()).any()  # the plane reaches to (3, -2)
    expected = evaluate(net, *HELD)
    assert view.measure(validation=True) == (pytest.approx(expected.loss), expected.right)
    frame = view.frame()
    assert frame["held"] == pytest.approx(expected.loss)
    assert frame["text"].endswith(f" · held out {expected.right} of 4 right")
    assert re.search(rf"; held out: loss [\d.]+, {expected.right} of 4 right\.$", frame["say"])
    still = view.still()
    assert (still["learnt"], len(still["points"])) == (30, 34)
    assert [group for *_, group in still["points"][30:]] == [1, 0, 1, 0]
    assert all(0 < place < 1 for *places, _ in still["points"] for place in places)
    assert still["about"] == "x1 across, x2 up. ■ 0, ● 1. Hollow: held out."
    nodes = view.graph_of(32).nodes
    assert {3.0, -2.0} <= {node.data for node in nodes}


def test_the_curve_of_what_is_held_out_has_every_step_and_the_present():
    held = []
    net = model()
    view = watch(net, X, y, validation=HELD)
    for _ in range(6):
        held.append(evaluate(net, *HELD).loss)
        view.run(1)
    curve = view.curve(view.frame())
    assert [at for at, _ in curve["held"]] == list(range(7))
    assert [loss for _, loss in curve["held"][:6]] == pytest.approx(held, rel=1e-12)
    assert curve["high"] >= max(loss for _, loss in curve["held"])
    assert view.reset().run(6).curve(view.frame()) == curve
    assert watch(model(), X, y).run(3).curve()["held"] == []


def test_numbers_that_are_held_out_have_a_loss_and_no_right():
    view = watch(model(), X, [a * b for a, b in X], "mse", validation=([[0, 1]], [0.5]))
    frame = view.run(2).frame()
    assert re.search(r" · held out loss [\d.]+$", frame["text"])
    assert re.search(r"; held out: loss [\d.]+\.$", frame["say"])


def test_several_classes_and_numbers_can_be_watched():
    three = [i % 3 for i in range(30)]
    view = watch(model(4, 3), X, three, "cross_entropy").run(3)
    assert set(view.field().ravel() // 25) <= {0, 1, 2}
    assert "of 30 right" in view.frame()["text"]
    assert "right" not in watch(model(), X, [a * b for a, b in X], "mse").frame()["text"]


def test_the_steps_of_a_sample_name_its_parameters_and_stay_as_they_are():
    view = watch(model(), X, y).run(3)
    stepper = view.graph_of(2)
    before = {node.label: node.data for node in stepper.nodes if node.label}
    assert {"x1", "x2", "w0.3.1", "b0.3", "w1.0.3", "b1.0", "loss"} <= set(before)
    assert before["w0.3.1"] == view.model.layers[0].neurons[3].w[1].data
    assert not any(parameter.label for parameter in view.model.parameters())
    view.run(3)
    assert {node.label: node.data for node in stepper.nodes if node.label} == before


@pytest.mark.parametrize(
    ("labels", "options", "key"),
    [
        ([0, 1], {}, "■ 0, ● 1."),
        ([-1, 1], {}, "■ -1, ● 1."),
        ([1, 1], {}, "● 1."),
        ([0, 0], {"loss": "bce"}, "■ 0."),
        ([0, 1], {"classes": ["cold", "warm"]}, "■ cold, ● warm."),
        ([3.0, 7.0, 5.5], {"loss": "mse"}, "Blue above 5, orange below."),
        ([-1, 1], {"loss": "mse"}, "■ -1, ● 1."),
        ([4, 0], {"loss": "cross_entropy", "outputs": 5}, "● 0, ■ 1, ▲ 2, ◆ 3, ✕ 4."),
        ([0, 1], {"loss": "cross_entropy", "outputs": 11}, "11 classes."),
    ],
)
def test_the_key_says_which_mark_is_which_class(labels, options, key):
    labels = [labels[i % len(labels)] for i in range(30)]
    net = model(4, options.pop("outputs", 1))
    assert watch(net, X, labels, **options).still()["about"] == f"x1 across, x2 up. {key}"


def test_no_two_of_ten_classes_look_the_same():
    still = watch(model(4, 10), X, [i % 10 for i in range(30)], "cross_entropy").still()
    assert len(set(zip(still["colours"]["light"], still["shapes"], strict=True))) == 10
    assert still["classes"] == [str(i) for i in range(10)]


def test_names_are_those_of_a_frame_and_classes_have_to_be_as_many_as_there_are():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["width", "height"])
    view = watch(model(), frame, pandas.Series(y), validation=(frame[:3], y[:3]))
    assert view.run(2).still()["names"] == ["width", "height"]
    for classes, options in ((["a"], {}), (["a", "b"], {"loss": "mse"})):
        numbers = [a * b for a, b in X] if options else y
        with pytest.raises(InputCountError, match="classes, got"):
            watch(model(), X, numbers, classes=classes, **options)


def test_the_map_of_a_moment_that_stays_is_finer():
    view = watch(model(), X, y).run(5)
    coarse, fine = view.field(), view.field(100)
    assert fine.shape == (100, 100)
    # A coarse point lies in the middle of four fine ones.
    four = fine.reshape(50, 2, 50, 2).astype(float).mean(axis=(1, 3))
    assert np.abs(four - coarse).mean() < 3
    assert len(base64.b64decode(view.frame(fine=True)["map"])) == 10_000
    pytest.importorskip("anywidget")
    widget = view.widget()
    assert len(base64.b64decode(widget.frame["map"])) == 10_000
    widget.running = True
    assert len(base64.b64decode(widget._moment()["map"])) == 2_500


def test_a_terminal_shows_one_short_line():
    assert repr(watch(model(8, 1), X, y).run(2)) == "Watch(MLP(2, [8, 1]), 30 samples, step 2)"


@pytest.mark.parametrize("rate", [np.float32(0.5), np.int64(1), Fraction(1, 4), 2])
def test_a_rate_may_be_any_real_number(rate):
    view = watch(model(), X, y).set_rate(rate)
    assert (view.rate, type(view.rate)) == (rate, float)
    assert view.run(1).step == 1


@pytest.mark.parametrize("rate", [0, math.nan, math.inf, "0.1", None, 1j, np.float32("nan")])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ArgumentError, match="expected a learning rate above 0"):
        watch(model(), X, y).set_rate(rate)


def test_rate_and_activation_can_be_changed():
    net = model()
    view = watch(net, X, y, optimizer=Adam(net.parameters(), lr=0.1)).run(3)
    view.set_rate(0.5)
    assert (view.rate, view.step) == (0.5, 3)
    assert view.set_activation("tanh").step == 0
    assert view.rate == 0.5
    assert {n.activation for n in net.layers[0].neurons} == {"tanh"}
    with pytest.raises(ArgumentError):
        view.set_rate(-1)
    with pytest.raises(ArgumentError):
        view.set_activation("magic")
    assert net.activation == "tanh"


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"X": [[1.0], [2.0]], "y": [0, 1], "model": MLP(1, [1])}, InputCountError, "X has 1"),
        ({"y": [0, 1]}, InputCountError, "X has 30 rows, y has 2"),
        ({"X": [[math.nan, 1.0]], "y": [0]}, ArgumentError, "finite"),
        ({"model": Neuron(2)}, ArgumentTypeError, "MLP"),
        ({"model": MLP(3, [1])}, InputCountError, "expected 3 inputs"),
        ({"features": (0, 2)}, ArgumentError, "from 0 to 1"),
        ({"features": (1, 1)}, ArgumentError, "two different"),
        ({"features": 1}, ArgumentError, "features="),
        ({"names": ["a"]}, InputCountError, "2 features, got 1"),
        ({"theme": "pink"}, ArgumentError, "pink"),
        ({"validation": X}, ArgumentTypeError, "a pair (X, y)"),
        ({"validation": ([[1.0]], [0])}, InputCountError, "expected 2 inputs"),
        ({"validation": ([], [])}, ArgumentError, "validation X is empty"),
    ],
)
def test_what_cannot_be_watched_is_said(given, error, words):
    options = {"model": model(), "X": X, "y": y} | given
    with pytest.raises(error, match=re.escape(words)):
        watch(**options)


def test_the_page_holds_the_run_and_asks_for_nothing(tmp_path):
    view = watch(model(), X, y)
    path = view.to_html(tmp_path / "run.html", 30)
    text = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "https:" not in text
    assert "http:" not in re.sub(r"http://www\.w3\.org/", "", text)
    data = json.loads(re.search(r'id="mgs-data">(.*?)</script>', text, re.DOTALL)[1])
    assert [frame["n"] for frame in data["frames"]] == list(range(31))
    assert [v for _, v in data["curve"]["points"]][:30] == view.losses
    assert len(data["samples"]) >= 1
    held = json.loads(
        re.search(
            r'id="mgs-data">(.*?)</script>',
            watch(model(), X, y, validation=HELD).page_text(5),
            re.DOTALL,
        )[1]
    )
    assert [n for n, _ in held["curve"]["held"]] == list(range(6))
    assert "held out" in held["frames"][-1]["text"]
    assert len(text) < 1_000_000


def test_long_runs_are_thinned_but_keep_their_extremes():
    view = watch(model(), X, y, batch_size=3).run(1200)
    curve = view.curve(None)
    values = [v for _, v in curve["points"]]
    assert len(values) <= 500
    assert (max(values), min(values)) == (max(view.losses), min(view.losses))
    assert len(view.record(frames=10)) == 11
    assert view.step == 1200


def test_a_loss_far_below_the_scale_stays_inside_the_picture(tmp_path):
    view = watch(model(), X, y).set_rate(1e9)
    view.to_gif(tmp_path / "a.gif", 3)  # a line out of the axes leaves them no room: a warning
    curve = view.curve(view.frame())
    assert min(loss for _, loss in curve["points"]) < 1e-3 * curve["low"]


def test_the_plane_is_of_the_first_two_features_that_vary():
    rows = [[7.0, a, 7.0, b] for a, b in X]
    assert watch(model(nin=4), rows, y).description.startswith("x2 across, x4 up")
    assert watch(model(nin=4), [[1.0] * 4] * 30, y).description.startswith("x1 across, x2 up")


def test_names_that_end_otherwise_are_refused_and_nothing_is_written(tmp_path):
    view = watch(model(), X, y).run(2)
    for write, name, ending in ((view.to_html, "a.txt", ".html"), (view.to_gif, "a.mp4", ".gif")):
        with pytest.raises(ArgumentError, match=re.escape(f"ends in {ending}, got")):
            write(tmp_path / name, 3)
    assert (list(tmp_path.iterdir()), view.step) == ([], 2)


def test_what_can_be_read_once_only_is_watched_too():
    view = watch(model(), (row for row in X), iter(y)).run(np.int64(3))
    assert view.losses == watch(model(), X, y).run(3).losses


def test_a_loss_of_ones_own_is_watched_where_its_labels_are_numbers():
    def squares(scores, targets):
        return sum((s - t) ** 2 for s, t in zip(scores, targets, strict=True)) / len(scores)

    own, known = watch(model(), X, y, squares).run(3), watch(model(), X, y, "mse").run(3)
    assert own.losses == pytest.approx(known.losses, rel=1e-12)
    assert own.measure() == (pytest.approx(known.measure()[0], rel=1e-12), None)

    def named(scores, targets):
        return squares(scores, [int(target == "a") for target in targets])

    with pytest.raises(NumberTypeError, match=r"y\[0\] is 'a' \(str\)"):
        watch(model(), X, ["a"] * 30, named)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_gif_has_its_frames(tmp_path, theme):
    from PIL import Image

    path = animate_training(model(), X, y, tmp_path / "a.gif", steps=8, frames=4, theme=theme)
    with Image.open(path) as image:
        assert image.n_frames == 5
        assert image.size[0] >= 700
    assert path.stat().st_size < 300_000
    with pytest.raises(ArgumentError):
        animate_training(model(), X, y, tmp_path / "b.gif", theme="pink")
    assert not (tmp_path / "b.gif").exists()


def test_the_widget_does_what_its_controls_ask():
    pytest.importorskip("anywidget")
    view = watch(model(), X, y)
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
    assert widget.sample["data"]["nodes"]
    widget.command = {"do": "sample", "with": 99, "seq": "t"}
    assert "from 0 to 29, got 99" in widget.error
    widget.command = {"do": "activation", "with": "tanh", "seq": "u"}
    assert widget.error == ""
    assert view.model.activation == "tanh"


def test_the_front_end_never_writes_html():
    assert "innerHTML" not in live_script()
    assert len(live_script()) < 80_000


def test_the_map_of_a_neuron_is_what_it_answers_over_the_plane():
    view = watch(MLP(2, [3, 2, 1], activation="tanh", rng=random.Random(2)), X, y)
    for layer, neuron in ((0, 2), (1, 0), (2, 0)):
        found = view.neuron_map(layer, neuron)
        seen = np.frombuffer(base64.b64decode(found["map"]), np.uint8).astype(float)
        answers = np.array(
            [view.model.trace(row)[layer].x[neuron].data for row in view._grid.tolist()]
        )
        bound = np.abs(answers).max()
        assert np.abs(seen - (127.5 + 127.5 * answers / bound)).max() <= 0.5 + 1e-9
        assert ("the line is its 0" in found["note"]) == (answers.min() < 0 < answers.max())


def test_the_map_of_a_neuron_follows_training_and_the_activation():
    view = watch(MLP(2, [3, 1], rng=random.Random(2)), X, y)
    first = view.neuron_map(0, 0)
    assert view.run(5).neuron_map(0, 0) != first
    assert view.reset().neuron_map(0, 0) == first
    view.set_activation("tanh")
    assert view.neuron_map(0, 0) != first


@pytest.mark.parametrize("place", [(3, 0), (0, 3), (-1, 0), (0, -1), ("a", 0), (0, None)])
def test_a_neuron_that_is_not_there_is_named(place):
    view = watch(MLP(2, [3, 1]), X, y)
    with pytest.raises(ArgumentError, match=r"of \[3, 1\], got neuron"):
        view.neuron_map(*place)


def test_the_widget_sends_the_map_of_the_neuron_asked_for():
    pytest.importorskip("anywidget")
    view = watch(MLP(2, [3, 1], rng=random.Random(2)), X, y)
    live = view.widget()
    assert "neuron" not in live.frame
    live.command = {"do": "neuron", "with": [0, 1], "seq": 1}
    assert live.frame["neuron"] == view.neuron_map(0, 1)
    live.command = {"do": "step", "with": None, "seq": 2}
    assert live.frame["neuron"] == view.neuron_map(0, 1)
    live.command = {"do": "neuron", "with": [0, 9], "seq": 3}
    assert "got neuron 9 of layer 0" in live.error
    assert live.frame["neuron"] == view.neuron_map(0, 1)
    live.command = {"do": "neuron", "with": None, "seq": 4}
    assert "neuron" not in live.frame


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
