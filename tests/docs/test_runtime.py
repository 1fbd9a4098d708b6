"""What the site changes in Pyodide's packages."""

import io
import json
import zipfile
from pathlib import Path

DOCS = str(Path(__file__).parents[2] / "docs")


def test_matplotlib_has_a_list_of_its_own_fonts_that_it_takes(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    import runtime

    fonts = [{"fname": "fonts/ttf/Here.ttf"}, {"fname": "/System/Library/Fonts/Elsewhere.ttf"}]
    listed = {"_version": 390, "afmlist": [], "ttflist": fonts}
    files = {
        "matplotlib/font_manager.py": "class FontManager:\n    __version__ = 330\n",
        "matplotlib/fontlist.json": json.dumps(listed),
        "matplotlib/mpl-data/fonts/ttf/Here.ttf": "a font",
    }
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    with zipfile.ZipFile(io.BytesIO(runtime.with_fonts(wheel.getvalue()))) as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert json.loads(found.pop("matplotlib/fontlist.json")) == {
        **listed, "_version": 330, "ttflist": fonts[:1],
    }  # fmt: skip
    assert found == {name: files[name] for name in found}
    assert len(found) == 2
