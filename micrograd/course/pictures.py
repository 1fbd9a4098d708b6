"""Pictures of matplotlib in a notebook, with a description for those who do not see them."""

from __future__ import annotations

import base64
import io
from textwrap import fill
from typing import Any

__all__ = ["Described", "described"]


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
        shown = {
            "image/png": base64.b64encode(self.png).decode("ascii"),
            "text/plain": repr(self),
        }
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
        return Described(picture, words)
    import matplotlib.pyplot as plt

    out = io.BytesIO()
    picture.figure.savefig(out, format="png", bbox_inches="tight")
    plt.close(picture.figure)
    return Described(out.getvalue(), words)
