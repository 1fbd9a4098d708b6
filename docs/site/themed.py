"""What the pages' code calls to show a plot in both themes, and a page within a page."""

import base64
import io
from collections.abc import Callable
from html import escape
from typing import Any

from IPython.display import HTML

from micrograd.stepper.page.html import framed


def both(draw: Callable[[str], Any], told: str) -> HTML:
    """Return a plot as two pictures, of which the page shows that of its theme.

    Parameters
    ----------
    draw : callable
        Takes the name of a theme and returns axes.
    told : str
        What a screen reader reads out.
    """
    import matplotlib.pyplot as plt

    shown = []
    for theme in ("light", "dark"):
        held = io.BytesIO()
        axes = draw(theme)
        axes.figure.savefig(held, format="png", dpi=144, facecolor=axes.figure.get_facecolor())
        plt.close(axes.figure)
        image = base64.b64encode(held.getvalue()).decode()
        shown.append(
            f'<img class="only-{theme} plot" alt="{escape(told)}" '
            f'src="data:image/png;base64,{image}">'
        )
    return HTML("".join(shown))


def living(page: str, title: str) -> HTML:
    """Return a page of micrograd's in a frame."""
    return HTML(f"<micrograd-page>{framed(page, title)}</micrograd-page>")
