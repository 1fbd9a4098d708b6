"""The pictures of training as images: like those that were looked at, up to a tolerance.

`python tests/plot/test_plot_images.py` draws the stored images anew; look at each before it is
kept.
"""

import io
import math
import random
from pathlib import Path

import pytest
from tables import mostly_slow

np = pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

from micrograd import plot as plots  # noqa: E402
from micrograd import tanh  # noqa: E402
from micrograd.nn import MLP  # noqa: E402
from micrograd.plot import axes, sheet  # noqa: E402
from micrograd.plot import boundary as boundary_plot  # noqa: E402
from micrograd.train import History  # noqa: E402

FOLDER = Path(__file__).parents[1] / "golden" / "plots"
CELL = 8  # pixels a side of what is compared
MEAN, WORST = 0.0025, 0.35  # of what may differ, where 1 is black against white


def net(nouts, activation="tanh"):
    return MLP(2, nouts, activation=activation, init="glorot", rng=random.Random(4))


def points(count=24, classes=2):
    draw = random.Random(3)
    rows, labels = [], []
    for k in range(count):
        turn = 2 * math.pi * (k % classes) / classes
        rows.append([math.cos(turn) + draw.gauss(0, 0.4), math.sin(turn) + draw.gauss(0, 0.4)])
        labels.append(k % classes)
    return rows, labels


STEPS = range(60)
HISTORY = History(
    loss=[0.02 + math.exp(-k / 12) for k in STEPS],
    accuracy=[1 - 0.5 * math.exp(-k / 15) for k in STEPS],
    validation_steps=list(range(0, 60, 10)),
    validation_loss=[0.1 + math.exp(-k / 15) for k in range(0, 60, 10)],
    validation_accuracy=[0.95 - 0.5 * math.exp(-k / 18) for k in range(0, 60, 10)],
)
X, Y = points()
THREE = points(30, 3)


def boundary(ax, theme):
    return plots.plot_decision_boundary(
        net([4, 1]), X, Y, ax, resolution=30, theme=theme, held_out=points(6), margin=0.3
    )


def three_classes(ax, theme):
    return plots.plot_decision_boundary(
        lambda x: [x[0], x[1] - x[0] / 2, -x[1] - x[0] / 2], *THREE, ax, resolution=30, theme=theme
    )


def four_features(ax, theme):
    rows = [[x, y, x * y, 1.0] for x, y in X]
    return plots.plot_decision_boundary(
        lambda x: x[0] + x[2], rows, Y, ax, features=(2, 0), resolution=30, theme=theme
    )


def history(ax, theme):
    return plots.plot_history(HISTORY, ax, theme=theme)


def activations(ax, theme):
    return plots.plot_activations(net([6, 1]), X, ax, resolution=16, theme=theme)


def weights(ax, theme):
    return plots.plot_weights(net([6, 1]), ax, theme=theme)


def gradients(ax, theme):
    model = net([8, 8, 1], "relu")
    for x in X:
        model(x).backward()
    return plots.plot_gradients(model, ax, theme=theme)


def function(ax, theme):
    return plots.plot_function(tanh, ax=ax, tangent_at=0.5, theme=theme)


def surface(ax, theme):
    model = net([3, 1])
    start = [p.data for p in model.parameters()]
    path = [[w + math.sin(k / 4 + i) / 2 for i, w in enumerate(start)] for k in range(9)]

    def loss():
        return sum((model(x) - y) ** 2 for x, y in zip(X[:4], Y, strict=False))

    return plots.plot_loss_surface(model, loss, ax, path=path, seed=0, resolution=9, theme=theme)


PICTURES = [
    boundary, three_classes, four_features, history, activations, weights, gradients, function,
    surface,
]  # fmt: skip


def drawn(picture, theme):
    """Return the picture as an array of RGB from 0 to 1, in the font that matplotlib brings."""
    from matplotlib.image import imread

    size = (7, 3.5) if picture is activations else (4.6, 4.0)
    (ax,) = sheet(size=size, theme=theme)
    picture(ax, theme)
    # Fixed: the room that text takes is another in each version of matplotlib, by some pixels.
    # That nothing is cut is tested elsewhere.
    ax.figure.set_layout_engine("none")
    ax.set_position([0.2, 0.2, 0.56, 0.62])
    file = io.BytesIO()
    ax.figure.savefig(file, format="png", dpi=80)
    file.seek(0)
    return imread(file)[:, :, :3]


def cells(image):
    height, width = (n // CELL * CELL for n in image.shape[:2])
    blocks = image[:height, :width].reshape(height // CELL, CELL, width // CELL, CELL, 3)
    return blocks.mean(axis=(1, 3))


def difference(found, wanted):
    """Return by cells how far two pictures are apart.

    What lies a pixel beside its place is the same: versions of matplotlib differ by that in text.
    """
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return np.min(
        [np.abs(cells(np.roll(found, shift, (0, 1))) - cells(wanted)) for shift in shifts], axis=0
    )


@pytest.fixture
def own_font(monkeypatch):
    """Draw in the one font that is the same everywhere."""
    monkeypatch.setattr(axes, "FAMILIES", ("DejaVu Sans",))


@pytest.mark.parametrize("theme", mostly_slow(["light", "dark"]))
@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.__name__)
def test_a_picture_looks_as_it_did(own_font, picture, theme):
    from matplotlib.image import imread

    found = drawn(picture, theme)
    wanted = imread(FOLDER / f"{picture.__name__}_{theme}.png")[:, :, :3]
    assert found.shape == wanted.shape
    apart = difference(found, wanted)
    assert apart.mean() < MEAN
    assert apart.max() < WORST


def test_the_comparison_sees_a_missing_line_and_a_colour_changed(own_font, monkeypatch):
    right = drawn(boundary, "light")
    monkeypatch.setattr(boundary_plot, "_draw_line", lambda *arguments, **options: None)
    assert difference(drawn(boundary, "light"), right).mean() > MEAN
    monkeypatch.undo()
    monkeypatch.setattr(axes, "FAMILIES", ("DejaVu Sans",))
    assert difference(drawn(boundary, "dark"), right).mean() > MEAN


if __name__ == "__main__":
    import matplotlib.image

    axes.FAMILIES = ("DejaVu Sans",)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for one in PICTURES:
        for name in ("light", "dark"):
            matplotlib.image.imsave(FOLDER / f"{one.__name__}_{name}.png", drawn(one, name))
            print(FOLDER / f"{one.__name__}_{name}.png")
