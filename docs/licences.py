"""Write the page of the licences of everything that the site carries."""

import importlib.metadata
from pathlib import Path

import fetch

ROOT = Path(__file__).resolve().parent.parent

# What the site carries: name, where its version is known from, licence, where it comes from.
CARRIED = (
    ("Pages made by Sphinx", "Sphinx", "BSD-2-Clause", "https://www.sphinx-doc.org"),
    ("PyData Sphinx Theme", "pydata-sphinx-theme", "BSD-3-Clause", "https://pydata-sphinx-theme.readthedocs.io"),
    ("Bootstrap, in the theme", "", "MIT", "https://getbootstrap.com"),
    ("Font Awesome Free, in the theme: icons CC BY 4.0, fonts OFL 1.1, code MIT", "",
     "CC-BY-4.0, OFL-1.1, MIT", "https://fontawesome.com/license/free"),
    ("MyST-NB style sheet", "myst-nb", "BSD-3-Clause", "https://myst-nb.readthedocs.io"),
    ("MathJax", "mathjax", "Apache-2.0", "https://www.mathjax.org"),
    ("Pyodide, in the playground", "pyodide", "MPL-2.0", "https://github.com/pyodide/pyodide"),
    ("Python 3.12 with its standard library, in Pyodide", "", "PSF-2.0", "https://www.python.org"),
    ("Emscripten's runtime, in Pyodide and Viz.js", "", "MIT or NCSA", "https://emscripten.org"),
    ("The Python package graphviz, in the playground", "graphviz", "MIT",
     "https://github.com/xflr6/graphviz"),
    ("Viz.js, in the playground", "@viz-js/viz", "MIT", "https://github.com/mdaines/viz-js"),
    ("Graphviz 16.1.0, in Viz.js", "", "EPL-2.0", "https://graphviz.org"),
    ("Expat 2.8.5, in Viz.js", "", "MIT", "https://github.com/libexpat/libexpat"),
)  # fmt: skip


def version(name: str) -> str:
    """Return the version of a package of pip or npm."""
    for each in (*fetch.PACKAGES, *fetch.WHEELS):
        found, mark, number = each.replace("==", "@").rpartition("@")
        if mark and found == name:
            return number
    return importlib.metadata.version(name) if name else ""


def write(source: Path) -> None:
    """Append the table to the page `licences.md`, and the texts that come with the packages."""
    folder = source / "_static" / "licences"
    folder.mkdir(parents=True)
    own = {"micrograd.txt": "LICENSE", "course.txt": "notebooks/LICENSE"}
    for name, path in own.items():
        (folder / name).write_bytes((ROOT / path).read_bytes())
    (folder / "mathjax.txt").write_bytes(fetch.read("mathjax@3.2.2", "LICENSE"))
    for name in ("Sphinx", "pydata-sphinx-theme", "myst-nb", "graphviz"):
        for file in importlib.metadata.files(name) or []:
            if "licenses" in file.parts:
                target = folder / f"{name.lower()}.txt"
                target.write_bytes(Path(str(file.locate())).read_bytes())
    lines = ["", "| what | version | licence | of |", "| --- | --- | --- | --- |"]
    own_version = importlib.metadata.version("micrograd")
    lines += [
        f"| micrograd | {own_version} | [MIT](_static/licences/micrograd.txt) | |",
        "| the texts and pictures of the course | | [CC BY 4.0](_static/licences/course.txt) | |",
    ]
    for what, name, licence, home in CARRIED:
        text = folder / f"{name.lower()}.txt"
        told = f"[{licence}](_static/licences/{text.name})" if name and text.exists() else licence
        lines.append(f"| {what} | {version(name)} | {told} | [site]({home}) |")
    page = source / "licences.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n".join([*lines, ""]), encoding="utf-8")
