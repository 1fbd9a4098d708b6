"""The film of a backward pass: every contribution a frame, and nothing moves but the numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from graphs import guide_graph

from micrograd import Value
from micrograd.backward_pass import Recording
from micrograd.draw import animate_backward
from micrograd.draw.diagram import build
from micrograd.draw.dot import Style
from micrograd.draw.film import _frames
from micrograd.errors import ArgumentError, ArgumentTypeError
from micrograd.style import theme

Image = pytest.importorskip("PIL.Image")


def test_the_film_has_a_frame_a_contribution(tmp_path: Path) -> None:
    root = guide_graph()
    path = animate_backward(root, tmp_path / "film.gif", frames=tmp_path / "frames", width=500)
    with Image.open(path) as film:
        assert film.n_frames == 1 + 6 + 1
        assert film.size[0] == 500
        assert film.info["duration"] == 1200
        film.seek(film.n_frames - 1)
        assert film.info["duration"] == 3000
    frames = sorted((tmp_path / "frames").iterdir())
    assert [frame.name for frame in frames] == [f"frame_{i:03d}.png" for i in range(8)]
    sizes = set()
    for frame in frames:
        with Image.open(frame) as image:
            sizes.add(image.size)
    assert len(sizes) == 1
    assert len({frame.read_bytes() for frame in frames}) == 8
    assert root.grad == 0  # the graph is as it was


def test_the_captions_are_the_chain_rule_in_numbers() -> None:
    root = guide_graph()
    frames = list(_frames(build([root]), Style(theme=theme("light")), Recording(root)))
    captions = [caption for _, caption in frames]
    seeded = "The backward pass starts at L. Its derivative with respect to itself is 1."
    assert captions[0] == seeded
    assert captions[1] == "L → s:  +1 × -6 = -6"
    assert captions[3] == "s → h:  -6 × 1 = -6    h.grad = +4 - 6 = -2"
    assert captions[-1].startswith("Done")


def test_the_captions_have_the_names_and_the_digits_of_the_picture() -> None:
    x = Value(1 / 3)
    root = x * x
    diagram = build([root], names={x: "x", root: "y"})
    frames = list(_frames(diagram, Style(theme=theme("dark"), precision=2), Recording(root)))
    assert [caption for _, caption in frames] == [
        "The backward pass starts at y. Its derivative with respect to itself is 1.",
        "y → x:  +1 × 0.33 = +0.33",
        "y → x:  +1 × 0.33 = +0.33    x.grad ≈ +0.33 + 0.33 ≈ +0.67",
        "Done in 3 steps: x +0.67, the same as backward().",
    ]


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        animate_backward(guide_graph(), tmp_path / "nowhere" / "film.gif")
    with pytest.raises(ArgumentError, match="the graph has 6 values, a film holds 5"):
        animate_backward(guide_graph(), tmp_path / "film.gif", max_nodes=5)
    with pytest.raises(ArgumentError, match="seconds to be a finite number above 0"):
        animate_backward(guide_graph(), tmp_path / "film.gif", seconds=0)
    with pytest.raises(ArgumentTypeError):
        animate_backward(3, tmp_path / "film.gif")
    for name in ("film.svg", "film.png", "film", ".gif"):
        with pytest.raises(ArgumentError, match=r"ends in \.gif, got"):
            animate_backward(guide_graph(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_without_pillow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"micrograd\[train\]"):
        animate_backward(guide_graph(), tmp_path / "film.gif")
