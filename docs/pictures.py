"""Write the pictures of the README's index of notebooks, from the notebooks' stored outputs.

python docs/pictures.py
"""

import base64
import json
import random
from html import escape
from pathlib import Path

from micrograd import Value, nn, optim, train
from micrograd.course.hand_exercise import BIASES, INPUT, WEIGHTS
from micrograd.datasets import load
from micrograd.draw import draw_network

HERE = Path(__file__).parent
# Which picture of each.
CHOSEN = {"01": 0, "02": 0, "04": 2, "05": 1, "06": 3, "07": 2, "09": 1}


def pictures(notebook):
    """Yield the stored pictures of a notebook in their order: a suffix and the bytes."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                yield "png", base64.b64decode(data["image/png"])
            elif "image/svg+xml" in data:
                yield "svg", "".join(data["image/svg+xml"]).encode("utf-8")


def first_text(notebook):
    """Return the first text that a notebook prints."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if "text" in output:
                return "".join(output["text"])
    raise ValueError("this notebook prints nothing")


def as_svg(text):
    """Return lines of text as a picture."""
    rows = text.splitlines()
    lines = [
        f'<text x="12" y="{22 + 20 * i}" xml:space="preserve">{escape(row)}</text>'
        for i, row in enumerate(rows)
    ]
    size = f'width="{24 + 8 * max(map(len, rows))}" height="{12 + 20 * len(rows)}"'
    style = 'font-family="monospace" font-size="13" fill="#1F2933"'
    ground = '<rect width="100%" height="100%" fill="#FFFFFF"/>'
    body = "\n".join([ground, f"<g {style}>", *lines, "</g>"])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{body}\n</svg>\n'


def trained():
    """Return the network that has learnt the two moons, and a sample."""
    moons = load("moons")
    model = nn.MLP(2, [16, 16, 1], rng=random.Random(1337))
    adam = optim.Adam(model.parameters(), lr=0.02)
    train.fit(model, moons.X, moons.y, "hinge", adam, 100, progress=False)
    return model, moons.X[0].tolist()


def paper_network():
    """Return the picture of the network of notebook 3."""
    net = nn.MLP(2, [2, 2], activation=["sigmoid", "sigmoid"])
    for layer, rows, biases in zip(net.layers, WEIGHTS, BIASES, strict=True):
        for neuron, row, bias in zip(layer.neurons, rows, biases, strict=True):
            neuron.w, neuron.b = [Value(float(w)) for w in row], Value(float(bias))
    return draw_network(net, list(map(float, INPUT)), labels=["x⁽⁰⁾₁", "x⁽⁰⁾₂"])


def main():
    """Write docs/network.svg, and docs/course/NN.png or .svg for each notebook."""
    draw_network(*trained(), labels=["x1", "x2"]).write(HERE / "network.svg")
    (HERE / "course").mkdir(exist_ok=True)
    for path in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
        notebook, number = json.loads(path.read_text(encoding="utf-8")), path.stem[:2]
        if number in CHOSEN:
            suffix, content = list(pictures(notebook))[CHOSEN[number]]
        elif number == "03":
            suffix, content = "svg", paper_network().pipe("svg")
        else:
            suffix, content = "svg", as_svg(first_text(notebook)).encode("utf-8")
        (HERE / "course" / f"{number}.{suffix}").write_bytes(content)


if __name__ == "__main__":
    main()
