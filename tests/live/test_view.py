"""A network over the plane: its maps, its classes, its samples."""

import base64
import math
import random

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

import numpy as np
from watched import X, model, squares, y

from micrograd import watch
from micrograd.datasets import load
from micrograd.errors import ArgumentError, InputCountError
from micrograd.nn import MLP


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


def test_several_classes_and_numbers_can_be_watched():
    three = [i % 3 for i in range(30)]
    view = watch(model(4, 3), X, three, "cross_entropy").run(3)
    assert set(view.field().ravel() // 25) <= {0, 1, 2}
    assert "of 30 correct" in view.frame()["text"]
    assert "correct" not in watch(model(), X, [a * b for a, b in X], "mse").frame()["text"]


def test_the_steps_of_a_sample_name_its_parameters_and_stay_as_they_are():
    view = watch(model(), X, y).run(3)
    stepper = view.graph_of(2)
    before = dict(zip(stepper.words.names, stepper.recording.data, strict=True))
    assert {"x0[1]", "x0[2]", "w1[4,2]", "b1[4]", "s1[4]", "w2[1,4]", "b2[1]", "loss"} <= set(
        before
    )
    assert before["w1[4,2]"] == view.model.layers[0].neurons[3].w[1].data
    assert not any(parameter.label for parameter in view.model.parameters())
    view.run(3)
    assert dict(zip(stepper.words.names, [v.data for v in stepper.nodes], strict=True)) == before


@pytest.mark.parametrize(
    ("labels", "options", "classes", "level"),
    [
        ([0, 1], {}, ["0", "1"], ""),
        ([1, -1], {}, ["-1", "1"], ""),
        ([0, 1], {"classes": ["cold", "warm"]}, ["cold", "warm"], ""),
        ([3.0, 7.0, 5.5], {"loss": "mse"}, [], " Blue above 5, orange below."),
        ([-1, 1], {"loss": "mse"}, ["-1", "1"], ""),
        ([4, 0], {"loss": "cross_entropy", "outputs": 5}, ["0", "1", "2", "3", "4"], ""),
    ],
)
def test_the_page_knows_the_classes_or_where_colours_change(labels, options, classes, level):
    labels = [labels[i % len(labels)] for i in range(30)]
    net = model(4, options.pop("outputs", 1))
    still = watch(net, X, labels, **options).still()
    assert still["classes"] == classes
    assert still["about"] == f"x⁽⁰⁾₁ across, x⁽⁰⁾₂ up.{level}"


def test_names_are_those_of_a_frame_and_classes_have_to_be_as_many_as_there_are():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["width", "height"])
    view = watch(model(), frame, pandas.Series(y), validation=(frame[:3], y[:3]))
    assert view.run(2).still()["names"] == ["width", "height"]
    for classes, options in ((["a"], {}), (["a", "b"], {"loss": "mse"})):
        numbers = [a * b for a, b in X] if options else y
        with pytest.raises(InputCountError, match="classes, got"):
            watch(model(), X, numbers, classes=classes, **options)


def test_each_feature_has_a_name_of_its_own():
    with pytest.raises(ArgumentError, match="two features are called 'a'"):
        watch(model(), X, y, names=["a", "a"])


def test_the_map_of_a_moment_that_stays_is_finer():
    view = watch(model(), X, y).run(5)
    coarse, fine = view.field(), view.field(100)
    assert fine.shape == (100, 100)
    # A coarse point lies in the middle of four fine ones.
    four = fine.reshape(50, 2, 50, 2).astype(float).mean(axis=(1, 3))
    assert np.abs(four - coarse).mean() < 3
    assert len(base64.b64decode(view.frame(fine=True)["map"])) == 10_000
    pytest.importorskip("anywidget")
    widget = watch(model(), X, y, squares).widget()
    assert len(base64.b64decode(widget.frame["map"])) == 10_000
    widget.running = True
    assert len(base64.b64decode(widget._current_frame()["map"])) == 2_500


def test_the_plane_is_of_the_two_features_that_tell_most():
    iris = load("iris")
    view = watch(MLP(4, [3]), iris.X, iris.y, "cross_entropy", names=iris.features)
    assert view.description.startswith("petal length (cm) across, petal width (cm) up; ")
    numbers = [[3.0, b, a] for a, b in X]
    assert watch(MLP(3, [1]), numbers, [5 * a for a, _ in X], "mse").features == (1, 2)
    assert (
        watch(model(nin=3), [[a, b, k] for (a, b), k in zip(X, y, strict=True)], y).features[1] == 2
    )


def test_a_single_feature_is_shown_with_the_target():
    rows = [[a] for a, _ in X]
    view = watch(MLP(1, [2, 1], rng=random.Random(1)), rows, [a * a for a, _ in X], "mse").run(2)
    assert (view.description, view.is_line) == ("x1 across, the target up", True)
    assert len(view.frame()["line"]) == 101
    places = view.places()
    assert places[:, 1].tolist() == [a * a for a, _ in X]
    (left, low), (right, high) = view.plane.low, view.plane.high
    assert [view.line()[0], view.line()[-1]] == pytest.approx(
        [(view.model([end]).data - low) / (high - low) for end in (left, right)]
    )


def test_the_plane_is_of_the_first_features_that_vary_where_none_tells_more():
    rows = [[7.0, a, 7.0, b] for a, b in X]
    assert watch(model(nin=4), rows, y).description.startswith("x2 across, x4 up")
    assert watch(model(nin=4), [[1.0] * 4] * 30, y).description.startswith("x1 across, x2 up")


def test_the_map_of_a_neuron_is_what_it_answers_over_the_plane():
    view = watch(MLP(2, [3, 2, 1], activation="tanh", rng=random.Random(2)), X, y)
    maps = view.neuron_maps()
    assert len(maps) == 6
    for layer, neuron, found in ((0, 2, maps[2]), (1, 0, maps[3]), (2, 0, maps[5])):
        seen = np.frombuffer(base64.b64decode(found["map"]), np.uint8).astype(float)
        answers = np.array(
            [view.model.trace(row)[layer].x[neuron].data for row in view.plane.points(50).tolist()]
        )
        bound = np.abs(answers).max()
        assert np.abs(seen - (127.5 + 127.5 * answers / bound)).max() <= 0.5 + 1e-9
        assert ("the line is its 0" in found["note"]) == (answers.min() < 0 < answers.max())


def test_the_maps_of_neurons_follow_training_and_the_activation():
    view = watch(MLP(2, [3, 1], rng=random.Random(2)), X, y)
    first = view.neuron_maps()
    assert view.run(5).neuron_maps() != first
    assert view.reset().neuron_maps() == first
    view.set_activation("tanh")
    assert view.neuron_maps() != first
    assert watch(MLP(2, [64, 1]), X, y).neuron_maps() == []  # too many to be sent


def test_features_are_named_too_and_one_that_is_constant_has_room_around_it():
    rows = [[a, 5.0, b] for a, b in X]
    view = watch(model(nin=3), rows, y, features=("flat", 0), names=["a", "flat", "b"])
    assert view.description == "flat across, a up; the other feature held at the mean"
    assert (view.plane.low[0], view.plane.high[0]) == (4.0, 6.0)
