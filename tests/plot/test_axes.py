"""Axes and files: nothing global is touched, nothing is cut, the same figure has the same bytes."""

import sys

import pytest
from tables import mostly_slow

np = pytest.importorskip("numpy")
matplotlib = pytest.importorskip("matplotlib")

from plotted import HISTORY, X, small, upright  # noqa: E402

from micrograd.errors import ArgumentError  # noqa: E402
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


@pytest.mark.parametrize("name", mostly_slow(["light", "dark"]))
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


@pytest.mark.parametrize("kind", mostly_slow(["png", "svg", "pdf"]))
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
