"""A function, its derivatives and its tangent."""

import math

import pytest

np = pytest.importorskip("numpy")
matplotlib = pytest.importorskip("matplotlib")

from plotted import small  # noqa: E402

from micrograd.errors import ArgumentError  # noqa: E402
from micrograd.plot import (  # noqa: E402
    plot_function,
    sheet,
)


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


@pytest.mark.parametrize(
    ("draw", "kind", "told"),
    [
        (lambda m: plot_function(abs, 1, 1), ArgumentError, "low < high"),
        (lambda m: plot_function(abs, derivatives=4), ArgumentError, "whole number from 0 to 3"),
        (lambda m: plot_function(lambda x: x.log(), -2, -1, *sheet()), ArgumentError, "undefined"),
    ],
)
def test_what_cannot_be_drawn_of_a_function_is_refused(draw, kind, told):
    with pytest.raises(kind, match=told):
        draw(small())


def test_the_title_says_how_many_derivatives_are_drawn():
    titles = [
        plot_function(lambda x: x.sin(), -1, 1, *sheet(), derivatives=n, resolution=5).get_title(
            "left"
        )
        for n in range(3)
    ]
    assert titles == ["f", "f and its derivative", "f and its derivatives"]
