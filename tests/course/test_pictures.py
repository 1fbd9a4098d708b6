"""Pictures with a description: the bytes are a PNG file, the words go with them."""

import base64
import colorsys
import io

import pytest

from micrograd.course import dark, described
from micrograd.style import contrast, theme

pytest.importorskip("matplotlib")
import matplotlib.pyplot as plt


def test_a_figure_or_its_axes_become_a_picture_with_words_and_are_closed(capsys):
    for pick in (lambda figure, _: figure, lambda _, ax: ax):
        figure, ax = plt.subplots()
        shown = described(pick(figure, ax), "an empty plot")
        assert not plt.fignum_exists(figure.number)
        data, metadata = shown._repr_mimebundle_(include=None, exclude=None)
        assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
        assert data["text/plain"] == repr(shown) == "<an empty plot>"
        assert metadata == {"image/png": {"alt": "an empty plot"}}
        assert capsys.readouterr().out == "Picture: an empty plot.\n"


def test_bytes_are_shown_as_they_are():
    assert described(b"\x89PNG...", "a page").png == b"\x89PNG..."


def test_in_the_dark_every_colour_of_the_course_can_be_read_and_keeps_its_hue():
    ground = theme("dark").bg
    for colour in (
        "#222222",
        "#0B5394",
        "#B45309",
        "#1F77B4",
        "#FF7F0E",
        "#2CA02C",
        "#D62728",
        "#9467BD",
    ):
        figure = plt.figure(facecolor=colour)
        dark()
        try:
            shown = described(figure, "one colour").png
            figure = described(plt.figure(facecolor="white"), "nothing").png
        finally:
            dark(False)
        found, white = (plt.imread(io.BytesIO(png))[5, 5, :3] for png in (shown, figure))
        text, back = ("#" + "".join(f"{round(255 * c):02X}" for c in p) for p in (found, white))
        assert back == ground
        assert contrast(text, ground) >= 4.5, colour
        before = colorsys.rgb_to_hsv(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
        after = colorsys.rgb_to_hsv(*map(float, found))
        if before[1] > 0.2:
            assert min(abs(before[0] - after[0]), 1 - abs(before[0] - after[0])) < 0.06, colour
