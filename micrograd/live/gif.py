"""A run as images: the map and the loss curve of each frame, for a GIF or a saved notebook."""

from __future__ import annotations

import base64
import math
from textwrap import fill
from typing import Any

from micrograd.checks import needs
from micrograd.live.frames import decided, levels, shades
from micrograd.live.view import GRID, LINE, View
from micrograd.plot import EXTRA, FAMILIES, sheet
from micrograd.style import MARKERS, Theme, class_shape

__all__ = ["images_of"]


def images_of(
    view: View, frames: list[dict[str, Any]], curve: dict[str, Any], look: Theme
) -> list[Any]:
    """Return an image of each frame.

    Parameters
    ----------
    view : View
        What does not change: the samples and the plane.
    frames : list of dict
        As `Watch.frame` gives them.
    curve : dict
        As `Watch.curve` gives it at the end of the run.
    look : Theme

    Raises
    ------
    ImportError
        If matplotlib or Pillow is missing; the message names the extra to install.
    """
    with needs(*EXTRA):
        import PIL.Image  # noqa: F401
        from matplotlib import rc_context
    with rc_context({"font.sans-serif": list(FAMILIES), "font.family": "sans-serif"}):
        film = _Film(view, curve, look)
        return [film.image(frame) for frame in frames]


class _Film:
    """A figure whose map and curves show one frame after the other."""

    def __init__(self, view: View, curve: dict[str, Any], look: Theme) -> None:
        import numpy as np

        self.view, self.look = view, look
        self.left, self.right = sheet(2, theme=look.name)
        digits = bytes.fromhex(shades(look, view.outputs))
        self.table = np.frombuffer(digits, np.uint8).reshape(256, 3)
        low, high = view.plane.low, view.plane.high
        self.centres = [
            start + (np.arange(GRID) + 0.5) / GRID * (end - start)
            for start, end in zip(low, high, strict=True)
        ]
        self.picture = self.left.imshow(
            np.zeros((GRID, GRID, 3), np.uint8), extent=(low[0], high[0], low[1], high[1]),
            origin="lower", aspect="auto", interpolation="bilinear", zorder=0,
        )  # fmt: skip
        self.contours: list[Any] = []
        (self.line,) = self.left.plot([], [], color=look.ink, linewidth=2.2, zorder=2)
        self.picture.set_visible(not view.is_line)
        self._draw_samples()
        self.left.set_xlim(low[0], high[0])
        self.left.set_ylim(low[1], high[1])
        self.curves = self._curves(curve)
        self._dress()
        _grow(self.curves, curve["most"])
        self.canvas = self.left.figure.canvas
        self.canvas.draw()
        self.left.figure.set_layout_engine("none")  # where things are does not change from here on

    def _draw_samples(self) -> None:
        import numpy as np

        samples, look, outputs = self.view.samples, self.look, self.view.outputs
        groups, points = np.array(samples.groups), self.view.places()
        held_out = np.arange(len(points)) >= samples.training
        for group, hollow in sorted(set(zip(samples.groups, held_out.tolist(), strict=True))):
            if hollow and not self.view.show_held_out:
                continue
            chosen = points[(groups == group) & (held_out == hollow)]
            colour = look.of_class(group, outputs)
            self.left.scatter(
                chosen[:, 0], chosen[:, 1], s=26, zorder=4 if hollow else 3,
                edgecolor=colour if hollow else look.bg, linewidth=1.3 if hollow else 0.9,
                facecolor=look.bg if hollow else colour,
                marker=MARKERS[class_shape(group, outputs)],
            )  # fmt: skip

    def _curves(self, curve: dict[str, Any]) -> list[_Curve]:
        if curve["log"]:
            self.right.set_yscale("log")
        self.right.set_xlim(0, curve["most"])
        self.right.set_ylim(curve["low"], curve["high"])
        curves = []
        for key, name, colour, style in (
            ("points", "train" if curve["held"] else "", self.look.ink, "-"),
            ("held", "held out", self.look.muted, (0, (4.5, 2))),
        ):
            if curve[key]:  # a loss below the scale is drawn at its lower edge
                points = [(n, max(loss, curve["low"])) for n, loss in curve[key]]
                curves.append(_Curve(self.right, points, colour, style, name))
        return curves

    def _dress(self) -> None:
        look = self.look
        across, up, *_ = [*(self.view.names[k] for k in self.view.plane.columns), "target"]
        # A second line below the map says how well the held-out samples are classified.
        across += "\n" * self._has_held_out()
        for ax, name, below, beside in (
            (self.left, "", across, up),
            (self.right, "Loss", "step", ""),
        ):
            ax.set_xlabel(below, color=look.muted)
            ax.set_ylabel(beside, color=look.muted)
            ax.tick_params(colors=look.muted, labelsize=10)
            ax.set_title(name, loc="left", color=look.ink, fontsize=13, fontweight="bold")
            ax.set_facecolor(look.bg)
            for side, spine in ax.spines.items():
                spine.set_color(look.line)
                spine.set_visible(side in ("left", "bottom") and ax is self.right)
        self.right.grid(axis="y", color=look.hair, linewidth=0.8)
        self.right.set_axisbelow(True)
        self.left.figure.set_dpi(110)

    def _has_held_out(self) -> bool:
        return self.view.samples.training < len(self.view.samples.rows)

    def image(self, frame: dict[str, Any]) -> Any:
        """Return the figure at a frame, as an image of 255 colours."""
        import numpy as np
        from PIL import Image

        self._show_map(frame)
        _grow(self.curves, frame["n"])
        self._write(frame)
        self.canvas.draw()
        image = Image.fromarray(np.asarray(self.canvas.buffer_rgba())[:, :, :3].copy())
        return image.quantize(colors=255, dither=Image.Dither.NONE)

    def _show_map(self, frame: dict[str, Any]) -> None:
        import numpy as np

        if frame["line"]:
            (left, low), (right, high) = self.view.plane.low, self.view.plane.high
            places = low + np.array(frame["line"]) * (high - low)
            self.line.set_data(np.linspace(left, right, LINE), places)
            return
        field = np.frombuffer(base64.b64decode(frame["map"]), np.uint8).reshape(GRID, GRID)
        seen = decided(field, self.view.outputs) if self.view.discrete else field
        self.picture.set_data(self.table[seen])
        while self.contours:
            self.contours.pop().remove()
        for level in levels(field, self.view.outputs):
            self.contours.append(
                self.left.contour(
                    *self.centres, level, levels=[0], colors=self.look.ink, linewidths=2.2, zorder=2
                )
            )

    def _write(self, frame: dict[str, Any]) -> None:
        look, (step, loss, *scores) = self.look, frame["text"].split(" · ")
        if self._has_held_out():
            across = self.view.names[self.view.plane.columns[0]]
            hollow = "hollow: " if self.view.show_held_out else ""
            self.left.set_xlabel(f"{across}\n{hollow}{scores.pop()}", color=look.muted)
        self.left.set_title(
            step.capitalize(), loc="left", color=look.ink, fontsize=13, fontweight="bold"
        )
        beside = {"loc": "right", "color": look.muted, "fontsize": 11}
        self.left.set_title(scores[-1] if scores else "", **beside)
        self.right.set_title(loss.removeprefix("loss "), **beside)
        if frame["stopped"]:
            self.right.text(
                0.03, 0.97, fill(frame["stopped"], 46), transform=self.right.transAxes, va="top",
                color=look.ink, fontsize=10, zorder=5,
                bbox={"facecolor": look.bg, "edgecolor": look.line, "pad": 6},
            )  # fmt: skip


class _Curve:
    """A curve that grows, with its name at its end."""

    def __init__(
        self, ax: Any, points: list[tuple[int, float]], colour: str, style: Any, name: str
    ) -> None:
        self.ax, self.points = ax, points
        (self.line,) = ax.plot(
            [], [], color=colour, linestyle=style, linewidth=2.2, clip_on=False, zorder=3
        )
        (self.dot,) = ax.plot([], [], "o", color=colour, markersize=6, clip_on=False, zorder=4)
        self.name = ax.annotate(
            name, (0, 0), xytext=(7, 0), textcoords="offset points", color=colour, va="center",
            annotation_clip=False, fontsize=11,
        )  # fmt: skip

    def end_at(self, step: int) -> float:
        """Draw it up to a step; return the height of its end, in points."""
        shown = [point for point in self.points if point[0] <= step] or [(0, math.nan)]
        self.line.set_data(*zip(*shown, strict=True))
        self.dot.set_data(*zip(shown[-1], strict=True))
        self.name.xy = shown[-1]
        return float(self.ax.transData.transform(shown[-1])[1]) * 72 / float(self.ax.figure.dpi)


def _grow(curves: list[_Curve], step: int) -> None:
    """Draw the curves up to a step, their names moved apart where they would touch."""
    ends = [curve.end_at(step) for curve in curves]
    if len(curves) == 2:
        overlap = max(0.0, 14 - abs(ends[0] - ends[1])) / 2
        shifts = [overlap, -overlap] if ends[0] > ends[1] else [-overlap, overlap]
        ax = curves[0].ax
        floor = ax.bbox.y0 * 72 / ax.figure.dpi + 5  # above the numbers of the axis
        lift = max(0.0, floor - min(ends[0] + shifts[0], ends[1] + shifts[1]))
        for curve, shift in zip(curves, shifts, strict=True):
            curve.name.xyann = (7, shift + lift)
