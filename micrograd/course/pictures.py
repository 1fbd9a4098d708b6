"""Pictures of matplotlib in a notebook, with a description for those who do not see them."""

from __future__ import annotations

import base64
import io
from textwrap import fill
from typing import Any

from micrograd.style import theme

__all__ = ["Described", "dark", "described"]

_shown = {"dark": False}


def dark(on: bool = True) -> None:
    """Show the course's pictures on a dark ground from now on, or on white again.

    Hues stay: blue is blue, and what was dark is light.

    Parameters
    ----------
    on : bool, default True
    """
    _shown["dark"] = bool(on)


class Described:
    """A picture and its description.

    Parameters
    ----------
    png : bytes
    words : str
    """

    def __init__(self, png: bytes, words: str) -> None:
        self.png, self.words = png, words

    def __repr__(self) -> str:
        return f"<{self.words}>"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        shown = {"image/png": base64.b64encode(self.png).decode("ascii"), "text/plain": repr(self)}
        return shown, {"image/png": {"alt": self.words}}


def described(picture: Any, words: str) -> Described:
    """Return a picture that a notebook shows as the last line of a cell; print its description.

    It is printed because most hosts, JupyterLab among them, show a picture without its alternative
    text. Pages made with `docs/course.html.j2` have that too.

    Parameters
    ----------
    picture : matplotlib Figure or Axes, or bytes
        A figure is closed, so that it is not shown a second time. Bytes are a PNG file.
    words : str
        What the picture shows.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> described(Figure(), "an empty picture")
    Picture: an empty picture.
    <an empty picture>
    """
    print(fill(f"Picture: {words}.", 88))
    if isinstance(picture, bytes):
        png = picture
    else:
        import matplotlib.pyplot as plt

        out = io.BytesIO()
        picture.figure.savefig(out, format="png", bbox_inches="tight")
        plt.close(picture.figure)
        png = out.getvalue()
    return Described(_darkened(png) if _shown["dark"] else png, words)


def _darkened(png: bytes) -> bytes:
    """Return a picture with its light turned over, and black as the ground of the dark theme."""
    import matplotlib.image
    import numpy as np

    image = matplotlib.image.imread(io.BytesIO(png))[..., :3]
    light = image @ np.array([0.2126, 0.7152, 0.0722])
    ground = np.array([int(theme("dark").bg[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    out = io.BytesIO()
    turned = np.clip(image + 1 - 2 * light[..., None], 0, 1)
    matplotlib.image.imsave(out, ground + (1 - ground) * turned, format="png")
    return out.getvalue()
