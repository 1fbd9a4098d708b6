"""The hand exercise: the network of notebook 3 on one page, to be filled in, and its solution."""

from __future__ import annotations

import io
import math
from fractions import Fraction
from typing import Any, Final

from micrograd.checks import needs
from micrograd.engine import Value
from micrograd.style import LIGHT

__all__ = ["Network", "hand_exercise"]

INPUT: Final = (2, 3)
TARGET: Final = (0, 1)
WEIGHTS: Final = (((3, -2), (1, 1)), ((4, -4), (2, 4)))
BIASES: Final = ((0, math.log(3) - 5), (1 + math.log(3), -4))
_BIAS_TEXTS: Final = (("0", "ln 3 − 5"), ("1 + ln 3", "−4"))


class Network:
    """The network with the engine's numbers: two inputs, two hidden neurons, two outputs.

    Attributes
    ----------
    x0 : list of Value
        The inputs.
    w, b, s, x : list of list
        For each of the two layers its weights, biases, summations and activations.
    loss : Value

    Examples
    --------
    >>> network = Network()
    >>> network.loss.data, network.w[0][1][1].grad
    (0.8125, -1.1953125)
    """

    def __init__(self) -> None:
        self.x0 = [Value(float(x)) for x in INPUT]
        self.w = [[[Value(float(w)) for w in row] for row in layer] for layer in WEIGHTS]
        self.b = [[Value(float(b)) for b in layer] for layer in BIASES]
        self.s: list[list[Value]] = []
        self.x: list[list[Value]] = []
        before = self.x0
        for w, b in zip(self.w, self.b, strict=True):
            rows = zip(w, b, strict=True)
            sums = [row[0] * before[0] + row[1] * before[1] + bias for row, bias in rows]
            before = [s.sigmoid() for s in sums]
            self.s.append(sums)
            self.x.append(before)
        self.loss = (before[0] - TARGET[0]) ** 2 + (before[1] - TARGET[1]) ** 2
        self.loss.backward()


def _exact(number: float) -> str:
    """Return a number of this network as it is found on paper: a fraction, or ln 3."""
    if math.isclose(number, math.log(3)):
        return "ln 3"
    fraction = Fraction(number).limit_denominator(128)
    if not math.isclose(number, fraction, rel_tol=1e-12, abs_tol=1e-12):
        raise AssertionError(f"{number!r} is no fraction of at most 128 parts")
    return str(fraction).replace("-", "−")


def hand_exercise(solution: bool, kind: str = "pdf") -> bytes:
    """Return the page as a file: A4, with blanks, or with the numbers in them.

    Parameters
    ----------
    solution : bool
        Whether the blanks are filled.
    kind : {"pdf", "png"}, default "pdf"

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> hand_exercise(solution=False)[:5]
    b'%PDF-'
    """
    with needs("train", "the hand exercise needs matplotlib"):
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(8.27, 11.69))
        FigureCanvasAgg(figure)
        page = _Page(figure.add_axes((0, 0, 1, 1)), solution)
        page.draw(Network())
        out = io.BytesIO()
        # Without its time, so that the same page is the same file.
        metadata = {"CreationDate": None, "Title": page.title} if kind == "pdf" else None
        figure.savefig(out, format=kind, dpi=100, metadata=metadata)
    return out.getvalue() if kind == "pdf" else _few_colours(out)


def _few_colours(png: io.BytesIO) -> bytes:
    """Return the picture with 32 colours: a page of text takes a quarter of the bytes."""
    from PIL import Image

    out = io.BytesIO()
    Image.open(png).convert("RGB").quantize(32).save(out, "PNG", optimize=True)
    return out.getvalue()


class _Page:
    """The page, in millimetres from its lower left corner."""

    def __init__(self, ax: Any, solution: bool) -> None:
        self.ax, self.solution = ax, solution
        self.title = f"Back-propagation by hand{': solution' * solution}"
        ax.set(xlim=(0, 210), ylim=(0, 297))
        ax.set_axis_off()

    def text(self, x: float, y: float, words: str, size: float = 10, **options: Any) -> None:
        self.ax.text(x, y, words, fontsize=size, va="center", color=LIGHT.ink, **options)

    def blank(self, x: float, y: float, name: str, number: float, width: float = 17) -> None:
        """Draw "name = ____", with the number on the line if this is the solution."""
        self.text(x, y, f"{name} =", ha="right")
        self.ax.plot((x + 2, x + 2 + width), (y - 2.6,) * 2, color=LIGHT.ink, linewidth=0.6)
        if self.solution:
            found = _exact(number)
            self.ax.text(
                x + 2 + width / 2, y, found, fontsize=10, ha="center", va="center", color=LIGHT.pos
            )

    def draw(self, network: Network) -> None:
        self.text(18, 283, self.title, 17, weight="bold")
        self.text(18, 275.5, "All numbers are computed by the engine." if self.solution else "Name")
        if not self.solution:
            self.ax.plot((32, 110), (273, 273), color=LIGHT.ink, linewidth=0.6)
        self._given()
        self._network(network)
        self._gradients(network)

    def _given(self) -> None:
        lines = (
            r"Each neuron: $s = w_1 x_1 + w_2 x_2 + b$ and $x = \sigma(s)$, with "
            r"$\sigma(s) = 1/(1+e^{-s})$ and $\sigma' = \sigma\,(1-\sigma)$.",
            r"$\sigma(0) = \frac{1}{2}$ and $\sigma(\ln 3) = \frac{3}{4}$, so "
            r"$\sigma'(0) = \frac{1}{4}$ and $\sigma'(\ln 3) = \frac{3}{16}$.",
            r"The input is $x^{(0)} = (2, 3)$, the target $y = (0, 1)$, the loss "
            r"$\ell = (x^{(2)}_1 - y_1)^2 + (x^{(2)}_2 - y_2)^2$.",
        )
        for i, line in enumerate(lines):
            self.text(18, 266 - 7.5 * i, line)

    def _network(self, network: Network) -> None:
        self.text(18, 239, "1  Forward, from left to right: s and x.", 11.5, weight="bold")
        self.text(
            18, 232.5, "2  Backward, from right to left: ∂ℓ/∂x, then ∂ℓ/∂s.", 11.5, weight="bold"
        )
        columns, rows = (28.0, 88.0, 156.0), (180.0, 144.0)
        for layer in (0, 1):
            for i in (0, 1):
                for j in (0, 1):
                    self._edge(
                        (columns[layer], rows[j]),
                        (columns[layer + 1], rows[i]),
                        f"{WEIGHTS[layer][i][j]}".replace("-", "−"),
                        thick=(layer, j) == (1, 1),
                    )
        for layer, column in enumerate(columns):
            for i, row in enumerate(rows):
                self._node(column, row, rf"$x^{{({layer})}}_{i + 1}$")
                if layer == 0:
                    self.text(column, row + (-12 if i else 12), f"{INPUT[i]}", 12, ha="center")
                    continue
                # Beside the edges: above the upper neuron, below the lower one.
                top = row - 13 if i else row + 43
                self.text(column + 1, top, "b =", ha="right")
                self.text(column + 11.5, top, _BIAS_TEXTS[layer - 1][i], ha="center")
                s, x = network.s[layer - 1][i], network.x[layer - 1][i]
                numbers = {"s": s.data, "x": x.data, "∂ℓ/∂x": x.grad, "∂ℓ/∂s": s.grad}
                for k, (name, number) in enumerate(numbers.items(), 1):
                    self.blank(column + 1, top - 7.5 * k, f"{name}{'₁₂'[i]}", number)
        self.blank(181, sum(rows) / 2, "ℓ", network.loss.data)

    def _edge(
        self, start: tuple[float, float], end: tuple[float, float], weight: str, thick: bool
    ) -> None:
        width = 2.8 if thick else 0.8
        self.ax.plot(*zip(start, end, strict=True), color=LIGHT.ink, linewidth=width, zorder=1)
        t = 0.27  # nearer to the start, where crossing edges are apart
        x, y = (a + t * (b - a) for a, b in zip(start, end, strict=True))
        self.text(
            x, y, weight, 10, ha="center", zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
        )  # fmt: skip

    def _node(self, x: float, y: float, name: str) -> None:
        from matplotlib.patches import Circle

        circle = Circle((x, y), 7, facecolor="white", edgecolor=LIGHT.ink, zorder=3)
        self.ax.add_patch(circle)
        self.text(x, y, name, 12, ha="center", zorder=4)

    def _gradients(self, network: Network) -> None:
        self.text(18, 89, "3  The gradients of all weights and biases.", 11.5, weight="bold")
        self.text(118, 89, r"$w_{ij}$ leads to neuron $i$ from neuron $j$.")
        for layer in (0, 1):
            for i in (0, 1):
                y = 79 - 22 * layer - 9 * i
                parameters = (*network.w[layer][i], network.b[layer][i])
                for k, (name, p) in enumerate(zip(("w", "w", "b"), parameters, strict=True)):
                    below = f"{i + 1}{k + 1}" if name == "w" else f"{i + 1}"
                    label = rf"$\partial\ell/\partial {name}^{{({layer + 1})}}_{{{below}}}$"
                    self.blank(43 + 58 * k, y, label, p.grad, 22)
        rules = (
            r"Rule 1  $\partial\ell/\partial s_i = \partial\ell/\partial x_i \cdot \sigma'(s_i)$",
            r"Rule 2  $\partial\ell/\partial x_j = \Sigma_i\,w_{ij}\,\partial\ell/\partial s_i$",
            r"Rule 3  $\partial\ell/\partial w_{ij} = \partial\ell/\partial s_i \cdot x_j$",
            r"Rule 4  $\partial\ell/\partial b_i = \partial\ell/\partial s_i$",
        )
        for i, rule in enumerate(rules):
            self.text(18 + 88 * (i % 2), 36 - 8 * (i // 2), rule)
        for y, line in (
            (21, "Rule 2 sums over the edges that leave x, such as the two thick ones;"),
            (17, "rules 3 and 4 sum over nothing."),
            (11, "From the course of micrograd, CC BY 4.0."),
        ):
            self.text(18, y, line, 8)
