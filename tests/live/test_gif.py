"""A run as a GIF."""

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")


from watched import X, model, y

from micrograd import animate_training, watch
from micrograd.errors import ArgumentError


def test_a_loss_far_below_the_scale_stays_inside_the_picture(tmp_path):
    view = watch(model(), X, y).set_rate(1e9)
    view.to_gif(tmp_path / "a.gif", 3)  # a line out of the axes leaves them no room: a warning
    curve = view.curve(view.frame())
    assert min(loss for _, loss in curve["points"]) < 1e-3 * curve["low"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_gif_has_its_frames(tmp_path, theme):
    from PIL import Image

    path = animate_training(model(), X, y, tmp_path / "a.gif", steps=8, frames=4, theme=theme)
    with Image.open(path) as image:
        assert image.n_frames == 5
        assert image.size[0] >= 700
    assert path.stat().st_size < 300_000
    with pytest.raises(ArgumentError):
        animate_training(model(), X, y, tmp_path / "b.gif", theme="pink")
    assert not (tmp_path / "b.gif").exists()
