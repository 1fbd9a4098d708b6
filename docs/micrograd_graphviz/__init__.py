"""Graphviz in a web page, as micrograd draws with under Pyodide."""

from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["draw"]


@cache
def _renderer() -> Any:
    from pyodide.code import run_js

    # Bytes, for the text of the program has line ends that are data.
    return run_js((files(__package__) / "graphviz.js").read_bytes().decode("utf-8"))


def draw(source: str, engine: str, kind: str) -> tuple[str, str]:
    """Return a picture as text, empty if there is none, and what Graphviz had to say.

    Parameters
    ----------
    source : str
        DOT.
    engine : str
        "dot", "neato", "nop2" and so on.
    kind : str
        "svg", "json" or "dot".
    """
    drawn, told = _renderer()(source, engine, kind)
    return drawn, told
