"""What a notebook shows of an object as the last line of a cell, beside its repr.

The engine knows no pictures, and no room reaches up to one that does. So the classes that are
shown only have the method that Jupyter and marimo look for; `micrograd` itself, which stands above
all rooms, hands `micrograd.display` in. A formatter registered with IPython would be another way,
but other hosts would not see it, and a subclass could not override it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Shown", "views"]

views: list[Callable[[Any], str | None]] = []
"""The function that returns the HTML of an object, or None; filled by `micrograd`."""


class Shown:
    """Something of which a notebook shows more than its repr."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return views[0](self) if views else None
