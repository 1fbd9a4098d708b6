"""The pictures of training: what is drawn where, in which colour, and what is left alone."""

import math
import random
import sys
from types import SimpleNamespace

import pytest

np = pytest.importorskip("numpy")
matplotlib = pytest.importorskip("matplotlib")

from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError  # noqa: E402
from micrograd.nn import MLP  # noqa: E402
from micrograd.plot import (  # noqa: E402
    plot_activations,
    plot_decision_boundary,
    plot_function,
    plot_gradients,
    plot_history,
    plot_loss_surface,
    plot_weights,
    save_figure,
    sheet,
)
from micrograd.style import contrast, theme  # noqa: E402
from micrograd.train import History  # noqa: E402

X = [[-1.0, 0.0], [-0.5, 1.0], [0.5, 0.0], [1.0, 1.0]]
THREE = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
HISTORY = History(
    loss=[1.0, 0.5, 0.1, 0.001],
    accuracy=[0.5, 0.75, 1.0, 1.0],
    validation_steps=[0, 2],
    validation_loss=[1.1, 0.2],
    validation_accuracy=[0.5, 0.9],
)


def upright(x):
    """Score the half-planes left and right of 0.25."""
    return x[0] - 0.25


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


def edge_colours(ax):
    return {matplotlib.colors.to_hex(c.get_edgecolor()[0]).upper() for c in ax.collections
            if len(c.get_edgecolor())}  # fmt: skip


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
            "no feature 2: expected 0 to 1",
        ),
        (upright, X, [0, 0, 1, 1], {"features": (0, -1)}, ArgumentError, "no feature -1"),
        (upright, X, [0, 0, 1, 1], {"features": (0, "b")}, ArgumentError, "no feature 'b'"),
        (upright, X, [0, 0, 1, 1], {"features": (1, "x2")}, ArgumentError, "two different"),
        (upright, X, [0, 0, 1, 1], {"margin": 0}, ArgumentError, "margin above 0"),
        (upright, X, [0, 0, 1, 1], {"names": ["a"]}, InputCountError, "names for 2 features"),
        (upright, X, [0] * 4, {"held_out": ([[1, 2, 3]], [0])}, InputCountError, r"\(n_samples, 2"),
        (upright, X, [0, 1], {}, InputCountError, "X has 4 rows"),
        (upright, X, [0, 1, 2, 3], {}, ArgumentError, "tells two classes apart"),
        (corner, X, [0, 1, 2, 3], {}, ArgumentError, "the model has 3 classes"),
        (upright, [[math.nan, 0.0]], [0], {}, ArgumentError, "not finite"),
        (lambda x: math.nan, X, [0, 0, 1, 1], {}, ArgumentError, "not finite"),
        (upright, X, [0, 0, 1, 1], {"theme": "blue"}, ValueError, "theme must be"),
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


# ---- the history -------------------------------------------------------------------------------


def test_curves_are_named_at_their_ends():
    ax = plot_history(HISTORY, *sheet())
    train, held_out = ax.lines
    assert list(train.get_ydata()) == HISTORY.loss
    assert (list(held_out.get_xdata()), list(held_out.get_ydata())) == ([0, 2], [1.1, 0.2])
    assert [t.get_text() for t in ax.texts] == ["train", "held out"]
    assert ax.get_yscale() == "log"  # three decades
    assert (ax.get_title(loc="left"), ax.get_xlabel()) == ("Loss", "step")


def test_accuracy_is_in_per_cent():
    ax = plot_history(HISTORY, *sheet(), quantity="accuracy")
    ax.figure.canvas.draw()
    assert "100 %" in [t.get_text() for t in ax.get_yticklabels()]


def test_names_that_would_touch_are_moved_apart():
    close = History(
        loss=[1.0, 0.5], validation_steps=[0, 1], validation_loss=[1.0, 0.501], accuracy=[]
    )
    ax = plot_history(close, *sheet())
    ax.figure.canvas.draw()
    first, second = (text.get_window_extent() for text in ax.texts)
    assert not first.overlaps(second)


def test_losses_of_zero_and_single_steps_are_drawn():
    ax = plot_history(History(loss=[1.0, 1e-3, 0.0]), *sheet())
    assert min(ax.lines[0].get_ydata()) > 0
    assert plot_history(History(loss=[0.0]), *sheet()).lines[0].get_marker() == "o"
    assert plot_history(History(loss=[0.0, 0.0]), *sheet()).get_yscale() == "linear"


def test_a_history_without_the_quantity_is_refused():
    with pytest.raises(ArgumentError, match="holds no accuracy"):
        plot_history(History(loss=[1.0]), *sheet(), quantity="accuracy")
    with pytest.raises(ArgumentError, match="'loss' or 'accuracy'"):
        plot_history(HISTORY, *sheet(), quantity="grad")


# ---- what is inside ----------------------------------------------------------------------------


def small(seed=3):
    return MLP(2, [3, 2, 1], activation="tanh", rng=random.Random(seed))


def test_a_function_its_derivatives_and_its_tangent_are_those_of_calculus():
    ax = plot_function(lambda x: x.tanh(), -2, 2, *sheet(), derivatives=2, tangent_at=0.5)
    f, first, second, tangent, spot = ax.lines
    x = np.asarray(f.get_xdata())
    t = np.tanh(x)
    assert np.allclose(f.get_ydata(), t, rtol=1e-14)
    assert np.allclose(first.get_ydata(), 1 - t**2, rtol=1e-12)
    assert np.allclose(second.get_ydata(), -2 * t * (1 - t**2), rtol=1e-12, atol=1e-15)
    (x0, x1), (y0, y1) = tangent.get_data()
    assert math.isclose((y1 - y0) / (x1 - x0), 1 - math.tanh(0.5) ** 2, rel_tol=1e-12)
    assert spot.get_ydata()[0] == math.tanh(0.5)
    assert [text.get_text() for text in ax.texts] == ["f", "f'", "f''", "slope 0.7864"]


def test_a_function_has_a_gap_where_it_is_undefined():
    ax = plot_function(lambda x: x.log(), -1, 1, *sheet(), resolution=5, derivatives=0)
    ys = ax.lines[0].get_ydata()
    assert [math.isnan(y) for y in ys] == [True, True, True, False, False]


def test_each_neuron_has_a_tile_with_what_it_answers():
    model = small()
    ax = plot_activations(model, X, *sheet(), resolution=3)
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2"]
    margin = 0.08
    corner = [-1.0 - 2 * margin, 0.0 - margin]  # X reaches over 2 and over 1
    for neuron, image in zip(model.layers[0].neurons, ax.images, strict=True):
        w, b = [p.data for p in neuron.w], neuron.b.data
        expected = math.tanh(w[0] * corner[0] + w[1] * corner[1] + b)
        assert math.isclose(image.get_array()[0, 0], expected, rel_tol=1e-12)
        assert image.get_clim() == ax.images[0].get_clim()
    assert "output" in plot_activations(model, X, *sheet(), layer=-1, resolution=3).get_title(
        "left"
    )


@pytest.mark.parametrize("quantity", ["data", "grad"])
def test_weights_or_gradients_are_a_table_with_the_bias_last(quantity):
    model = small()
    model([1.0, 2.0]).backward()
    ax = plot_weights(model, *sheet(), layer=1, quantity=quantity)
    expected = [
        [getattr(p, quantity) for p in neuron.parameters()] for neuron in model.layers[1].neurons
    ]
    assert np.array_equal(ax.images[0].get_array(), expected)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "2", "b"]
    low, high = ax.images[0].get_clim()
    assert low == -high


def test_gradients_that_are_zero_and_neurons_without_any_are_counted():
    model = small()
    model([1.0, 2.0]).backward()
    for p in model.layers[0].neurons[1].parameters():
        p.grad = 0.0
    ax = plot_gradients(model, *sheet())
    told = [text.get_text() for text in ax.texts]
    assert told == ["3 of 9 are 0\n1 of 3 neurons get none", "none is 0", "none is 0"]
    drawn = [patch.get_data() for patch in ax.patches]
    assert all((d.values > d.baseline).any() for d in drawn)


def test_the_loss_surface_is_a_plane_through_the_parameters_and_leaves_them_alone():
    model = small()
    before = [p.data for p in model.parameters()]
    visited = []

    def loss():
        visited.append([p.data for p in model.parameters()])
        return sum(p * p for p in model.parameters())

    plot_loss_surface(model, loss, *sheet(), resolution=5, span=0.5)
    assert [p.data for p in model.parameters()] == before
    moves = np.array(visited) - np.array(before)
    assert moves.shape == (25, len(before))
    assert np.linalg.matrix_rank(moves, tol=1e-9) == 2
    assert np.allclose(moves[12], 0, atol=1e-12)  # the middle is where the model is
    reach = 0.5 * np.linalg.norm(before)
    assert math.isclose(np.abs(moves).max(), np.abs(moves[[0, 4, 20, 24]]).max())
    assert np.allclose(np.linalg.norm(moves[[0, 4, 20, 24]], axis=1), reach * math.sqrt(2))


def test_a_principal_plane_holds_the_path():
    model = small()
    here = np.array([p.data for p in model.parameters()])
    u, v = np.linalg.qr(np.random.default_rng(0).normal(size=(len(here), 2)))[0].T
    path = [here - 3 * u + v, here - 2 * u, here - u - v, here]
    ax = plot_loss_surface(model, lambda: sum(p * p for p in model.parameters()), *sheet(),
                           path=path, resolution=5)  # fmt: skip
    spots = np.array(ax.lines[0].get_data()).T
    assert np.allclose(np.linalg.norm(spots, axis=1), np.linalg.norm(np.array(path) - here, axis=1))
    assert ax.get_xlabel() == "principal direction 1"


def test_an_error_in_the_loss_leaves_the_parameters_as_they_were():
    model = small()
    before = [p.data for p in model.parameters()]
    with pytest.raises(KeyError):
        plot_loss_surface(model, lambda: {}["no loss"], *sheet(), resolution=3)
    assert [p.data for p in model.parameters()] == before


@pytest.mark.parametrize(
    ("draw", "kind", "told"),
    [
        (lambda m: plot_function(abs, 1, 1), ArgumentError, "low < high"),
        (lambda m: plot_function(abs, derivatives=4), ArgumentError, "0, 1, 2 or 3"),
        (lambda m: plot_function(lambda x: x.log(), -2, -1, *sheet()), ArgumentError, "undefined"),
        (lambda m: plot_activations(m, X, layer=3), ArgumentError, "layers 0 to 2"),
        (lambda m: plot_activations(m, [[1.0]]), InputCountError, "two features"),
        (lambda m: plot_weights(m, layer=-4), ArgumentError, "layers 0 to 2"),
        (lambda m: plot_weights(m, quantity="size"), ArgumentError, "'data' or 'grad'"),
        (lambda m: plot_gradients(m), ArgumentError, "call backward"),
        (lambda m: plot_loss_surface(m, float, path=[[1.0]]), InputCountError, "20 parameters"),
        (lambda m: plot_loss_surface(m, float, directions="up"), ArgumentError, "'random'"),
        (lambda m: plot_loss_surface(m, float, directions="principal"), ArgumentError, "path"),
    ],
)
def test_what_cannot_be_looked_into_is_refused(draw, kind, told):
    with pytest.raises(kind, match=told):
        draw(small())


@pytest.mark.parametrize("name", ["light", "dark"])
def test_pictures_of_the_inside_are_not_cut_at_the_edge(tmp_path, name):
    model = small()
    model([1.0, 2.0]).backward()
    for draw in (
        lambda ax: plot_function(lambda x: x.sin(), -3, 3, ax, derivatives=3, theme=name),
        lambda ax: plot_activations(model, X, ax, resolution=4, theme=name),
        lambda ax: plot_weights(model, ax, theme=name),
        lambda ax: plot_gradients(model, ax, theme=name),
        lambda ax: plot_loss_surface(
            model, lambda: model([1.0, 2.0]) ** 2, ax, resolution=4, theme=name
        ),
    ):
        (ax,) = sheet(theme=name)
        save_figure(draw(ax).figure, tmp_path / "a.png")
        pixels = matplotlib.image.imread(tmp_path / "a.png")
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])[:, :3]
        assert np.ptp(border, axis=0).max() < 0.01


# ---- matplotlib itself ---------------------------------------------------------------------------


def test_nothing_global_is_touched(tmp_path):
    before = dict(matplotlib.rcParams)
    loaded = "matplotlib.pyplot" in sys.modules
    (ax,) = sheet(theme="dark")
    save_figure(plot_history(HISTORY, ax, theme="dark").figure, tmp_path / "a.svg")
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def test_without_axes_there_is_a_figure_that_a_notebook_shows():
    matplotlib.use("agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    ax = plot_history(HISTORY)
    try:
        assert pyplot.gcf() is ax.figure
    finally:
        pyplot.close(ax.figure)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_figure_has_the_same_bytes(tmp_path, kind):
    contents = []
    for _ in range(2):
        ax = plot_history(HISTORY, *sheet())
        save_figure(ax.figure, tmp_path / f"a.{kind}")
        contents.append((tmp_path / f"a.{kind}").read_bytes())
    assert contents[0] == contents[1]
    with pytest.raises(ArgumentError, match=r"\.png, \.svg or \.pdf"):
        save_figure(ax.figure, tmp_path / "a.bmp")


@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_picture_fills_its_page_in_the_colours_of_its_theme(tmp_path, name):
    axes = sheet(2, theme=name)
    plot_decision_boundary(upright, X, [0, 0, 1, 1], axes[0], theme=name)
    plot_history(HISTORY, axes[1], theme=name)
    path = tmp_path / "a.png"
    save_figure(axes[0].figure, path)
    pixels = matplotlib.image.imread(path)
    assert pixels.shape[:2] == (620, 1400)
    look = theme(name)
    assert np.allclose(pixels[0, 0, :3], matplotlib.colors.to_rgb(look.bg), atol=0.01)
    for title in (axes[0].title, axes[1]._left_title):
        colour = matplotlib.colors.to_hex(title.get_color())
        assert title.get_text() == "" or contrast(colour.upper(), look.bg) > 7
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])[:, :3]
    assert np.ptp(border, axis=0).max() < 0.01  # nothing is cut at the edge


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"micrograd\[train\]"):
        sheet()


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


@pytest.mark.parametrize("losses", [[1.0, math.nan, math.inf, 0.5], [2.0, math.inf]])
def test_entries_that_are_not_finite_are_gaps_in_the_history(losses):
    ax = plot_history(History(loss=losses), *sheet())
    drawn = ax.lines[0].get_ydata()
    assert [math.isfinite(entry) for entry in drawn] == [math.isfinite(entry) for entry in losses]
    assert ax.texts[0].xy[1] == [entry for entry in losses if math.isfinite(entry)][-1]
    with pytest.raises(ArgumentError, match="no loss that is finite"):
        plot_history(History(loss=[math.inf]), *sheet())


def test_what_is_no_network_and_no_label_is_named():
    X = [[0, 1], [1, 0]]
    for draw in (plot_weights, plot_gradients):
        with pytest.raises(ArgumentTypeError, match=r"an MLP, got 3 \(int\)"):
            draw(3, *sheet())
    with pytest.raises(ArgumentTypeError, match=r"called with a row, got None"):
        plot_decision_boundary(None, X, [0, 1], *sheet())
    with pytest.raises(ArgumentTypeError, match=r"pass its model_"):
        plot_decision_boundary(SimpleNamespace(model_=1), X, [0, 1], *sheet())
    for labels in (["a", "b"], [0, math.nan]):
        with pytest.raises(ArgumentError, match=r"number the classes 0, 1, 2"):
            plot_decision_boundary(MLP(2, [1]), X, labels, *sheet())


def test_a_weight_that_is_nan_is_written_in_the_colour_of_what_is_wrong():
    model = MLP(2, [2, 1])
    model.parameters()[0].data = math.nan
    ax = plot_weights(model, *sheet())
    assert (ax.texts[0].get_text(), ax.texts[0].get_color()) == ("nan!", theme("light").wrong)
    assert ax.texts[1].get_color() != theme("light").wrong


def test_what_is_no_history_is_refused_with_what_is():
    with pytest.raises(ArgumentTypeError, match=r"the History that fit returns, got \[1, 2\]"):
        plot_history([1, 2])


def test_gradients_of_a_loss_of_0_are_said_to_be_so():
    model = MLP(1, [1])
    for pass_back in (lambda: None, (model([1.0]) * 0.0).backward):
        pass_back()
        with pytest.raises(ArgumentError, match=r"call backward\(\) .*; where the loss is 0, all"):
            plot_gradients(model)
