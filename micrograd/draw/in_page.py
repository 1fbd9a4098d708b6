"""Graphviz in a web page: under Pyodide no program can be started, and none is needed."""

from __future__ import annotations

import subprocess
from typing import Final

from micrograd.errors import ArgumentError, PictureError

__all__ = ["NAME", "run"]

NAME: Final = "of the page"  # what stands for the path of a program
_KINDS: Final = ("svg", "dot", "json")


def run(command: list[str], source: str) -> subprocess.CompletedProcess[bytes]:
    """Do what a layout program does, with the Graphviz that the page has loaded.

    Parameters
    ----------
    command : list of str
        As for the program: its name, `-K` and the engine, `-T` and the format, and perhaps `-n1` or
        `-n2`.
    source : str

    Raises
    ------
    ArgumentError
        If the format cannot be drawn in a page.
    PictureError
        If the page has no Graphviz.
    """
    engine, kind = command[1].removeprefix("-K"), command[2].removeprefix("-T")
    if kind not in _KINDS:
        raise ArgumentError(f"{kind} cannot be drawn in a web page: choose svg")
    try:
        from micrograd_graphviz import draw
    except ImportError:
        raise PictureError(
            "a picture in a web page needs micrograd_graphviz, the wheel that micrograd's own site "
            "builds (python docs/build.py): load it beside micrograd"
        ) from None
    still = next((word[2:] for word in command[3:] if word.startswith("-n")), None)
    drawn, told = draw(source, engine if still is None else f"nop{still}", kind)
    return subprocess.CompletedProcess(
        command, 0 if drawn else 1, drawn.encode("utf-8"), told.encode("utf-8")
    )
