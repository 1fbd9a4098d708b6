"""Pictures under Pyodide, where the layout program is a function of the page."""

import sys
from types import ModuleType

import pytest

from micrograd import Value, draw_network, nn, steps
from micrograd.draw import animate_backward, draw_dot
from micrograd.errors import ArgumentError, PictureError
from micrograd.stepper.page import page_data


@pytest.fixture
def asked(monkeypatch):
    """Pretend to be in a page whose Graphviz notes what it is asked for and draws nothing else."""
    asked = []

    def draw(source, engine, kind):
        asked.append((engine, kind))
        return ('<svg width="8pt" height="8pt"></svg>', "") if "digraph" in source else ("", "no")

    module = ModuleType("micrograd_graphviz")
    module.draw = draw
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setitem(sys.modules, "micrograd_graphviz", module)
    from micrograd.draw import picture

    picture._program.cache_clear()
    yield asked
    picture._program.cache_clear()


def test_a_picture_is_drawn_by_the_page_and_by_no_program(asked, monkeypatch):
    monkeypatch.setattr("subprocess.run", None)
    assert draw_dot(Value(1.0) + 2).pipe("svg").startswith(b"<svg")
    draw_network(nn.MLP(2, [2, 1])).pipe("svg")
    assert [kind for _, kind in asked] == ["svg", "svg"]
    assert [engine for engine, _ in asked] == ["dot", "nop2"]


def test_what_a_page_cannot_draw_is_said(asked, monkeypatch):
    with pytest.raises(ArgumentError, match="png cannot be drawn in a web page: choose svg"):
        draw_dot(Value(1.0)).pipe("png")
    picture = draw_dot(Value(1.0))
    monkeypatch.setattr(picture, "program", "wheel")
    monkeypatch.setitem(sys.modules, "micrograd_graphviz", None)
    with pytest.raises(PictureError, match="needs micrograd_graphviz, the wheel that"):
        picture.pipe("svg")


def test_instead_of_a_film_its_error_names_what_shows_the_pass(asked, tmp_path):
    with pytest.raises(PictureError, match=r"steps\(root\)\.to_html\(path\) writes it as a page"):
        animate_backward(Value(1.0) * 2, tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())


def test_the_stepper_asks_the_page_for_its_layout(asked):
    with pytest.raises(ValueError, match="Expecting value"):  # what stands in for it gives no JSON
        page_data(steps(Value(1.0, label="a") * Value(2.0, label="b") + 1))
    assert asked == [("dot", "json")]
