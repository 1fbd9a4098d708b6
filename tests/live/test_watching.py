"""Watching a network learn: the run, what is measured, what is refused."""

import base64
import io
import math
import re
from fractions import Fraction

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

import numpy as np
from PIL import Image
from sklearn.model_selection import train_test_split
from watched import HELD, X, model, y

from micrograd import define, watch
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
from micrograd.nn import MLP, Neuron
from micrograd.optim import SGD, Adam, linear
from micrograd.train import evaluate, fit


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


def test_what_is_held_out_is_measured_shown_and_never_learnt_from():
    net, plain = model(), watch(model(), X, y).run(12)
    view = watch(net, X, y, validation=HELD).run(12)
    assert view.losses == plain.losses
    assert (view.field() != plain.field()).any()  # the plane reaches to (3, -2)
    expected = evaluate(net, *HELD)
    assert view.measure(validation=True) == (pytest.approx(expected.loss), expected.right)
    frame = view.frame()
    assert frame["held"] == pytest.approx(expected.loss)
    assert frame["text"].endswith(f" · held out {expected.right} of 4 correct")
    assert re.search(rf"; held out: loss [\d.]+, {expected.right} of 4 correct\.$", frame["say"])
    still = view.still()
    assert (still["learnt"], len(still["points"])) == (30, 34)
    assert [group for *_, group in still["points"][30:]] == [1, 0, 1, 0]
    assert all(0 < place < 1 for *places, _ in still["points"] for place in places)
    assert still["about"] == "x⁽⁰⁾₁ across, x⁽⁰⁾₂ up."
    nodes = view.graph_of(32).nodes
    assert {3.0, -2.0} <= {node.data for node in nodes}


def test_a_terminal_shows_one_short_line():
    assert repr(watch(model(8, 1), X, y).run(2)) == "Watch(MLP(2, [8, 1]), 30 samples, step 2)"


@pytest.mark.parametrize("rate", [np.float32(0.5), np.int64(1), Fraction(1, 4), 2])
def test_a_rate_may_be_any_real_number(rate):
    view = watch(model(), X, y).set_rate(rate)
    assert (view.rate, type(view.rate)) == (rate, float)
    assert view.run(1).step == 1


@pytest.mark.parametrize("rate", [0, math.nan, math.inf, "0.1", None, 1j, np.float32("nan")])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ArgumentError, match="learning rate to be a finite number above 0"):
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
        (
            {"X": [[1], [2]], "y": [0, 1], "model": MLP(1, [1]), "features": (0, 1)},
            InputCountError,
            "a plane has two features",
        ),
        ({"derived": {"x1": abs}}, ArgumentError, "derived['x1']: expected a name that no feature"),
        ({"derived": [abs]}, ArgumentTypeError, "expected derived as a dict"),
        ({"derived": {"r": lambda x: math.sin(x[0])}}, ArgumentTypeError, "the functions of"),
        (
            {"derived": {"r": lambda x: x[0] if x[0] > 0 else 0 * x[0]}},
            ArgumentError,
            "one formula",
        ),
        ({"y": [0, 1]}, InputCountError, "X has 30 rows, y has 2"),
        ({"X": [[math.nan, 1.0]], "y": [0]}, ArgumentError, "finite"),
        ({"X": [[1e308 * a, -b] for a, b in X]}, ArgumentError, "which is too large to draw"),
        ({"model": Neuron(2)}, ArgumentTypeError, "MLP"),
        ({"model": MLP(3, [1])}, InputCountError, "expected 3 inputs"),
        ({"features": (0, 2)}, ArgumentError, "from 0 to 1"),
        ({"features": (1, 1)}, ArgumentError, "two different"),
        ({"features": 1}, ArgumentError, "features="),
        ({"names": ["a"]}, InputCountError, "2 features, got 1"),
        ({"y": ["a", "b", "c"] * 10}, ArgumentError, "two classes apart, y has 3: a, b, c; use"),
        ({"y": ["a", 1] * 15}, ArgumentTypeError, "y[1] is 1 (int), but other labels"),
        (
            {"y": ["a", "b"] * 15, "validation": (X[:1], ["c"])},
            ArgumentError,
            "validation y[0] is 'c', a class of which y has no sample",
        ),
        ({"theme": "pink"}, ArgumentError, "pink"),
        ({"validation": X}, ArgumentTypeError, "a pair (X, y)"),
        ({"validation": X, "y": ["a", "b"] * 15}, ArgumentTypeError, "a pair (X, y)"),
        ({"validation": ([[1.0]], [0])}, InputCountError, "expected 2 inputs"),
        ({"validation": ([], [])}, ArgumentError, "validation X is empty"),
    ],
)
def test_what_cannot_be_watched_is_said(given, error, words):
    options = {"model": model(), "X": X, "y": y} | given
    with pytest.raises(error, match=re.escape(words)):
        watch(**options)


def test_a_share_is_held_out_as_by_load_and_the_page_has_all_samples():
    labels = [("no", "yes")[k] for k in y]
    for data in (X, np.array(X)):
        view = watch(model(), data, labels, held_out=0.3)
        rows, count = view.samples.rows.tolist(), len(X)
        learnt, held, *_ = train_test_split(
            range(count), test_size=0.3, stratify=labels, random_state=0
        )
        assert rows == [X[i] for i in [*learnt, *held]]
        assert (view.samples.training, view.classes) == (len(learnt), ["no", "yes"])
        own = view.task["own"]
        assert (own["rows"], own["groups"], own["training"]) == (X, y, count)
        assert view.settings["held_out"] == 0.3
        view.run(2)
        assert len(view._session.history.validation_loss) == 2
    numbers = watch(model(), X, [a * b for a, b in X], "mse", held_out=0.5)
    learnt, held = train_test_split(range(count), test_size=0.5, random_state=0)
    assert numbers.samples.rows.tolist() == [X[i] for i in [*learnt, *held]]


@pytest.mark.parametrize(("options", "told"), [
    ({"held_out": 1}, "held_out to be a finite number above 0 and below 1"),
    ({"held_out": 0.01}, "held_out=0.01 cannot be split off"),
    ({"held_out": 0.5, "validation": HELD}, "held_out or validation, got both"),
    ({"discrete": "yes"}, "discrete to be one of"), ({"show_held_out": 2}, "show_held_out to be"),
])  # fmt: skip
def test_what_cannot_be_held_out_or_drawn_is_refused(options, told):
    with pytest.raises(ArgumentError, match=told):
        watch(model(), X, y, **options)
    with pytest.raises(InputCountError, match="X has 30 rows, y has 2"):
        watch(model(), X, [0, 1], held_out=0.5)


def test_a_picture_can_hold_answers_alone_and_no_samples_that_are_held_out():
    def colours(**options):
        view = watch(model(), X, y, validation=HELD, **options)
        assert view.still()["discrete"] == view.discrete
        image = Image.open(io.BytesIO(base64.b64decode(view.picture()["image/png"])))
        return sorted(count for count, _ in image.convert("RGB").getcolors(1 << 20))

    plain, discrete, fewer = colours(), colours(discrete=True), colours(show_held_out=False)
    assert sum(discrete[-3:]) > 1.1 * sum(plain[-3:])  # the page and two answers
    assert sum(plain) == sum(fewer)
    assert plain != fewer


def test_names_that_end_otherwise_are_refused_and_nothing_is_written(tmp_path):
    view = watch(model(), X, y).run(2)
    for write, name, ending in (
        (view.to_html, "a.txt", ".html or .htm"),
        (view.to_gif, "a.mp4", ".gif"),
    ):
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


def test_an_activation_that_a_user_defines_is_watched(table):
    define(
        name="softsign",
        forward=lambda x: x / (1 + abs(x)),
        partials=lambda out, x: (1 / (1 + abs(x)) ** 2,),
    )
    view = watch(model(), X, y).set_activation("softsign").run(3)
    assert view.losses == watch(model(activation="softsign"), X, y).run(3).losses
    own, score = view.neuron_maps()[0], view.model.trace([0.0, 0.0])
    assert own["note"].startswith("It answers from -")
    assert abs(score[0].x[0].data) < 1
    assert "softsign" in [node.op.name for node in view.graph_of(0).nodes if node.op]
