"""What the course learns from, besides the data sets of `micrograd.datasets`.

The names are first names from the list of the United States Social Security Administration, which
is in the public domain.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["first_names"]


def first_names() -> list[str]:
    """Return 2,000 first names in small letters, each of at most 15.

    Examples
    --------
    >>> first_names()[:3]
    ['emma', 'olivia', 'ava']
    """
    path = Path(__file__).with_name("static") / "names.txt"
    return path.read_text(encoding="utf-8").split()
