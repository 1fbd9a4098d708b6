"""Slides of a lecture, in Markdown, with the pictures of the notebooks."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["slides"]


def slides(notebooks: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the slides and their pictures, by file name.

    Parameters
    ----------
    notebooks : mapping of str to dict
        The notebooks, as JSON with their outputs, by their numbers, "01".

    Raises
    ------
    LookupError
        If a picture that the slides show is in no cell, or in several.

    Examples
    --------
    >>> slides({})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    LookupError: no cell of notebook '01' has '...' and a picture
    """
    files: dict[str, bytes] = {}

    def linked(match: re.Match[str]) -> str:
        number, words = match[2], match[3].split(" & ")
        suffix, content, described = _picture(notebooks.get(number, {"cells": []}), number, words)
        name = f"pictures/{number}-{len(files) + 1:02}.{suffix}"
        files[name] = content
        return f"![{match[1]} {described}]({name})"

    text = (Path(__file__).parent / "static" / "slides.md").read_text(encoding="utf-8")
    text = re.sub(r"!\[(.*?)\]\(picture: (\d\d) \| (.+)\)", linked, text)
    return {"slides.md": text.encode()} | files


def _picture(notebook: Mapping[str, Any], number: str, words: list[str]) -> tuple[str, bytes, str]:
    """Return the picture of the cell with these words: its suffix, bytes and description."""
    found = []
    for cell in notebook["cells"]:
        if all(each in "".join(cell["source"]) for each in words):
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                described = "".join(data.get("text/plain", "")).strip("<>")
                if "image/svg+xml" in data:
                    found.append(("svg", "".join(data["image/svg+xml"]).encode(), described))
                elif "image/png" in data:
                    found.append(("png", base64.b64decode(data["image/png"]), described))
    if len(found) != 1:
        several = "several cells" if found else "no cell"
        raise LookupError(f"{several} of notebook {number!r} has {words[0]!r} and a picture")
    return found[0]
