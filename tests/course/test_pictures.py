"""Pictures with a description: the bytes are a PNG file, the words go with them."""

import base64

import pytest

from micrograd.course import described

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
