"""The loss over a plane through the parameters."""

import math

import pytest

np = pytest.importorskip("numpy")
matplotlib = pytest.importorskip("matplotlib")

from plotted import small  # noqa: E402

from micrograd.errors import ArgumentError, InputCountError  # noqa: E402
from micrograd.plot import (  # noqa: E402
    plot_loss_surface,
    sheet,
)


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
        (lambda m: plot_loss_surface(m, float, path=[[1.0]]), InputCountError, "20 parameters"),
        (lambda m: plot_loss_surface(m, float, directions="up"), ArgumentError, "'random'"),
        (lambda m: plot_loss_surface(m, float, directions="principal"), ArgumentError, "path"),
    ],
)
def test_a_plane_that_cannot_be_is_refused(draw, kind, told):
    with pytest.raises(kind, match=told):
        draw(small())
