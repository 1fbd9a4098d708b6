"""The curves of a training run."""

import math

import pytest

pytest.importorskip("matplotlib")

from plotted import HISTORY

from micrograd.errors import ArgumentError, ArgumentTypeError
from micrograd.plot import plot_history, sheet
from micrograd.train import History


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
    with pytest.raises(ArgumentError, match="one of 'loss', 'accuracy'"):
        plot_history(HISTORY, *sheet(), quantity="grad")


@pytest.mark.parametrize("losses", [[1.0, math.nan, math.inf, 0.5], [2.0, math.inf]])
def test_entries_that_are_not_finite_are_gaps_in_the_history(losses):
    ax = plot_history(History(loss=losses), *sheet())
    drawn = ax.lines[0].get_ydata()
    assert [math.isfinite(entry) for entry in drawn] == [math.isfinite(entry) for entry in losses]
    assert ax.texts[0].xy[1] == [entry for entry in losses if math.isfinite(entry)][-1]
    with pytest.raises(ArgumentError, match="no loss that is finite"):
        plot_history(History(loss=[math.inf]), *sheet())


def test_what_is_no_history_is_refused_with_what_is():
    with pytest.raises(ArgumentTypeError, match=r"the History that fit returns, got \[1, 2\]"):
        plot_history([1, 2])
