"""The slides: every picture is there, of the notebook that the slide is about."""

import json
import re
from pathlib import Path

import pytest

from micrograd.course.slides import slides

NOTEBOOKS = {
    path.stem[:2]: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
}


def test_there_are_25_slides_with_notes_and_the_notebooks_pictures():
    files = slides(NOTEBOOKS)
    text = files.pop("slides.md").decode()
    _, head, *pages = re.split(r"^---$", text, flags=re.MULTILINE)
    assert "marp: true" in head
    assert len(pages) == 25
    links = re.findall(r"!\[.{20,}\]\((pictures/.+?)\)", text)
    assert sorted(links) == sorted(files)
    for name, content in files.items():
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<svg"), name
    bare = [page for page in pages if "<!--" not in page]
    assert all("hand_exercise" in page or "pictures/03" in page for page in bare)
    for formula in re.findall(r"\$\$(.+?)\$\$", text):
        assert formula.count("{") == formula.count("}")


def test_a_picture_that_no_cell_has_is_an_error():
    with pytest.raises(LookupError, match="no cell of notebook '02'"):
        slides(NOTEBOOKS | {"02": {"cells": []}})
