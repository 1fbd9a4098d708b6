"""What is drawn of a decision boundary: sides, lines, samples, key."""

import math
import random
from types import SimpleNamespace

import pytest

np = pytest.importorskip("numpy")
matplotlib = pytest.importorskip("matplotlib")

from plotted import X, upright  # noqa: E402

from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError  # noqa: E402
from micrograd.nn import MLP  # noqa: E402
from micrograd.plot import (  # noqa: E402
    plot_decision_boundary,
    sheet,
)
from micrograd.style import theme  # noqa: E402

THREE = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]


def corner(x):
    """Score three classes by how near their point is."""
    return [-((x[0] - a) ** 2) - (x[1] - b) ** 2 for a, b in THREE]


def shade(ax, x, y):
    """Return the colour under a point."""
    image = ax.images[0]
    left, right, low, high = image.get_extent()
    values = image.get_array()
    column = int((x - left) / (right - left) * (values.shape[1] - 1) + 0.5)
    row = int((y - low) / (high - low) * (values.shape[0] - 1) + 0.5)
    found = values[row, column]
    return tuple(found) if np.ndim(found) else image.to_rgba(np.array([[found]]))[0, 0, :3]


def test_both_sides_of_the_boundary_have_their_colour_and_the_line_is_between():
    ax = plot_decision_boundary(upright, X, [-1, -1, 1, 1], *sheet())
    red, _, blue = shade(ax, -0.9, 0.5)
    assert red > blue
    red, _, blue = shade(ax, 0.9, 0.5)
    assert blue > red
    (line,) = (c for c in ax.collections if type(c).__name__ == "QuadContourSet")
    xs = line.get_paths()[0].vertices[:, 0]
    assert np.allclose(xs, 0.25, atol=1e-9)


def test_a_level_moves_the_boundary():
    ax = plot_decision_boundary(lambda x: x[0], X, [0, 0, 1, 1], *sheet(), level=0.5)
    (line,) = (c for c in ax.collections if type(c).__name__ == "QuadContourSet")
    assert np.allclose(line.get_paths()[0].vertices[:, 0], 0.5, atol=1e-9)


def lines(ax):
    """Return where each line of an upright picture crosses, by style."""
    found = {}
    for drawing in ax.collections:
        if type(drawing).__name__ == "QuadContourSet":
            for path in drawing.get_paths():
                style = "dashed" if drawing.linestyles == "dashed" else "solid"
                found.setdefault(style, set()).update(np.round(path.vertices[:, 0], 6))
    return {style: sorted(places) for style, places in found.items()}


def test_margins_are_dashed_where_the_score_is_that_far():
    def model(x):
        return 2 * x[0]

    ax = plot_decision_boundary(model, X, [0, 0, 1, 1], *sheet(), margin=1, resolution=9)
    assert lines(ax) == {"solid": [0.0], "dashed": [-0.5, 0.5]}
    ax = plot_decision_boundary(model, X, [0, 0, 1, 1], *sheet(), margin=1, level=1, resolution=9)
    assert lines(ax) == {"solid": [0.5], "dashed": [0.0, 1.0]}
    ax = plot_decision_boundary(model, X, [0, 0, 1, 1], *sheet(), margin=9, resolution=9)
    assert lines(ax) == {"solid": [0.0]}


def test_of_several_classes_the_margin_is_the_lead_over_the_next():
    ax = plot_decision_boundary(
        lambda x: [x[0], -x[0], -9.0], X, [0, 0, 1, 1], *sheet(), margin=1, resolution=9
    )
    assert lines(ax) == {"solid": [0.0], "dashed": [-0.5, 0.5]}


def test_samples_learnt_from_are_filled_and_held_out_ones_hollow():
    look = theme("light")
    ax = plot_decision_boundary(upright, X, [0, 0, 1, 1], *sheet(), held_out=(X, [0, 0, 1, 1]))
    marks = [c for c in ax.collections if type(c).__name__ == "PathCollection"]
    faces = [matplotlib.colors.to_hex(c.get_facecolor()[0]).upper() for c in marks]
    assert faces == [look.neg, look.pos, look.bg, look.bg]
    assert [len(c.get_offsets()) for c in marks] == [2, 2, 2, 2]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["0", "1", "held out"]


def test_several_classes_have_their_own_colours_and_borders():
    ax = plot_decision_boundary(corner, THREE, [0, 1, 2], *sheet(), classes="abc")
    for i, (x, y) in enumerate(THREE):
        own = matplotlib.colors.to_rgb(theme("light").classes[i])
        distances = [
            math.dist(shade(ax, x, y), [(1 + 0.42 * (c - 1)) for c in matplotlib.colors.to_rgb(k)])
            for k in theme("light").classes[:3]
        ]
        assert distances.index(min(distances)) == i, own
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b", "c"]


def test_a_model_of_values_is_drawn_without_recording_or_touching_it():
    model = MLP(2, [4, 1])
    before = [(p.data, p.grad) for p in model.parameters()]
    plot_decision_boundary(model, X, [0, 0, 1, 1], *sheet(), resolution=5)
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_any_two_features_of_more_are_drawn_and_the_others_held_at_their_mean():
    rows = [[9.0, -1.0, 4.0, 0.0], [9.0, 1.0, 8.0, 1.0]]
    seen = []

    def model(x):
        seen.append(list(x))
        return x[1] - 0.25

    ax = plot_decision_boundary(
        model, rows, [0, 1], *sheet(), features=(1, "width"), names=["a", "b", "c", "width"],
        resolution=9,
    )  # fmt: skip
    assert {(x[0], x[2]) for x in seen} == {(9.0, 6.0)}
    assert {x[1] for x in seen} == set(np.linspace(-1.16, 1.16, 9))
    (line,) = (c for c in ax.collections if type(c).__name__ == "QuadContourSet")
    assert np.allclose(line.get_paths()[0].vertices[:, 0], 0.25, atol=1e-9)
    assert ax.get_xlabel() == "b\n2 other features at the mean"
    assert ax.get_ylabel() == "width"
    marks = [
        c.get_offsets().tolist() for c in ax.collections if type(c).__name__ == "PathCollection"
    ]
    assert marks == [[[-1.0, 0.0]], [[1.0, 1.0]]]


@pytest.mark.filterwarnings("error")
def test_scores_however_large_have_the_full_colours():
    ax = plot_decision_boundary(lambda x: 1e6 * upright(x), X, [-1, -1, 1, 1], *sheet())
    shares = ax.images[0].get_array()
    assert (shares.min(), shares.max()) == (pytest.approx(0), 1)


@pytest.mark.parametrize(
    ("points", "labels", "limits"),
    [
        (np.ones((4, 2)), [-1, 1, -1, 1], ((0, 2), (0, 2))),
        ([[3.0, -2.0]], [1], ((2, 4), (-3, -1))),
        ([[0.0, 5.0], [1.0, 5.0]], [-1, 1], ((-0.08, 1.08), (4, 6))),
    ],
)
def test_a_feature_that_never_changes_has_a_plane_around_it(points, labels, limits):
    ax = plot_decision_boundary(upright, points, labels, *sheet())
    assert (ax.get_xlim(), ax.get_ylim()) == (pytest.approx(limits[0]), pytest.approx(limits[1]))


def test_a_data_frame_names_its_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"height": [0.0, 1.0], "age": [3.0, 4.0]})
    ax = plot_decision_boundary(
        upright, frame, [0, 1], *sheet(), features=("age", "height"), resolution=3
    )
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "height")


def test_labels_of_one_class_alone_keep_their_colour():
    ax = plot_decision_boundary(upright, X, [-1] * 4, *sheet(), resolution=5)
    marks = [c for c in ax.collections if type(c).__name__ == "PathCollection"]
    assert [len(c.get_offsets()) for c in marks] == [4, 0]


@pytest.mark.parametrize(
    ("model", "points", "labels", "options", "kind", "told"),
    [
        (upright, [[1.0]], [0], {}, InputCountError, "a plane has two features"),
        (upright, [1.0, 2.0], [0], {}, InputCountError, "a plane has two features"),
        (upright, X, [0, 0, 1, 1], {"features": (0,)}, InputCountError, "two of them"),
        (upright, X, [0, 0, 1, 1], {"features": "x1"}, InputCountError, "two of them"),
        (
            upright,
            X,
            [0, 0, 1, 1],
            {"features": (0, 2)},
            ArgumentError,
            "no feature 2: expected a number from 0 to 1",
        ),
        (upright, X, [0, 0, 1, 1], {"features": (0, -1)}, ArgumentError, "no feature -1"),
        (upright, X, [0, 0, 1, 1], {"features": (0, "b")}, ArgumentError, "no feature 'b'"),
        (upright, X, [0, 0, 1, 1], {"features": (1, "x2")}, ArgumentError, "two different"),
        (upright, X, [0, 0, 1, 1], {"margin": 0}, ArgumentError, "a finite number above 0"),
        (upright, X, [0, 0, 1, 1], {"names": ["a"]}, InputCountError, "names for 2 features"),
        (upright, X, [0] * 4, {"held_out": ([[1, 2, 3]], [0])}, InputCountError, r"\(n_samples, 2"),
        (upright, X, [0, 1], {}, InputCountError, "X has 4 rows"),
        (upright, X, [0, 1, 2, 3], {}, ArgumentError, "tells two classes apart"),
        (corner, X, [0, 1, 2, 3], {}, ArgumentError, "the model has 3 classes"),
        (upright, [[math.nan, 0.0]], [0], {}, ArgumentError, "not finite"),
        (lambda x: math.nan, X, [0, 0, 1, 1], {}, ArgumentError, "not finite"),
        (upright, X, [0, 0, 1, 1], {"theme": "blue"}, ValueError, "theme to be one of"),
        (upright, X, [0, 0, 1, 1], {"resolution": 1}, ArgumentError, "resolution"),
        (upright, X, [0, 0, 1, 1], {"classes": ["a"]}, InputCountError, "names for 2 classes"),
        (upright, X, [0, 0, 1, 1], {"held_out": (X, [0])}, InputCountError, "held-out X"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_drawing(model, points, labels, options, kind, told):
    (ax,) = sheet()
    with pytest.raises(kind, match=told):
        plot_decision_boundary(model, points, labels, ax, **options)
    assert not ax.has_data()


def test_a_key_too_wide_for_the_picture_has_lines_and_the_title_stands_above_them():
    y = [i % 5 for i in range(20)]
    X = [[math.cos(i), math.sin(i)] for i in range(20)]
    (ax,) = sheet(size=(4.6, 4.2))
    names = ["alpha", "beta", "gamma", "delta", "epsilon and more"]
    plot_decision_boundary(MLP(2, [5], rng=random.Random(0)), X, y, ax, classes=names, resolution=5)
    ax.figure.canvas.draw()
    key = ax.get_legend().get_window_extent()
    assert key.x1 <= ax.figure.bbox.x1
    title = ax._left_title.get_window_extent()
    assert title.y0 >= key.y1 - 1
    assert title.y1 <= ax.figure.bbox.y1


def test_what_is_no_model_and_no_label_is_named():
    X = [[0, 1], [1, 0]]
    with pytest.raises(ArgumentTypeError, match=r"called with a row, got None"):
        plot_decision_boundary(None, X, [0, 1], *sheet())
    with pytest.raises(ArgumentTypeError, match=r"pass its model_"):
        plot_decision_boundary(SimpleNamespace(model_=1), X, [0, 1], *sheet())
    for labels in (["a", "b"], [0, math.nan]):
        with pytest.raises(ArgumentError, match=r"number the classes 0, 1, 2"):
            plot_decision_boundary(MLP(2, [1]), X, labels, *sheet())
