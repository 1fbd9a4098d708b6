"""Write the page of the licences of everything that the site carries."""

import email
import importlib.metadata
import zipfile
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
    ("Pyodide, in the playground and the notebooks", "pyodide", "MPL-2.0",
     "https://github.com/pyodide/pyodide"),
    ("Python 3.12 with its standard library, in Pyodide", "", "PSF-2.0", "https://www.python.org"),
    ("Emscripten's runtime, in Pyodide and Viz.js", "", "MIT or NCSA", "https://emscripten.org"),
    ("OpenBLAS 0.3.26, in Pyodide", "", "BSD-3-Clause", "https://www.openblas.net"),
    ("OpenSSL 1.1.1w, in Pyodide", "", "OpenSSL", "https://www.openssl.org"),
    ("SQLite, in Pyodide", "", "public domain", "https://www.sqlite.org"),
    ("Viz.js, in pictures of pages with Python", "@viz-js/viz", "MIT",
     "https://github.com/mdaines/viz-js"),
    ("Graphviz 16.1.0, in Viz.js", "", "EPL-2.0", "https://graphviz.org"),
    ("Expat 2.8.5, in Viz.js", "", "MIT", "https://github.com/libexpat/libexpat"),
    ("JupyterLite, with JupyterLab", "jupyterlite-core", "BSD-3-Clause",
     "https://jupyterlite.readthedocs.io"),
    ("Its kernel for Pyodide", "jupyterlite-pyodide-kernel", "BSD-3-Clause",
     "https://github.com/jupyterlite/pyodide-kernel"),
    ("Its widgets", "jupyterlab-widgets", "BSD-3-Clause", "https://ipywidgets.readthedocs.io"),
)  # fmt: skip


def version(name: str) -> str:
    """Return the version of a package of pip or npm."""
    for each in (*fetch.PACKAGES, *fetch.WHEELS):
        found, mark, number = each.replace("==", "@").rpartition("@")
        if mark and found == name:
            return number
    return importlib.metadata.version(name) if name else ""


def of_wheels(runtime: Path, texts: Path) -> list[str]:
    """Return the rows of the wheels that Pyodide loads, and write the licences that they hold."""
    rows = []
    for path in sorted(runtime.glob("*.whl")):
        with zipfile.ZipFile(path) as archive:
            info = [name for name in archive.namelist() if ".dist-info/" in name]
            (name,) = [name for name in info if name.endswith(".dist-info/METADATA")]
            about = email.message_from_bytes(archive.read(name))
            held = [
                archive.read(each) for each in info if "licen" in each.rpartition("/")[2].lower()
            ]
        kinds = [text for text in about.get_all("Classifier", []) if text.startswith("License")]
        told = (
            about["License-Expression"]
            or ", ".join(kind.rpartition(" :: ")[2] for kind in kinds)
            or about["License"]
        )
        if path.name.startswith("micrograd") or not told:  # own, or a part of Python itself
            continue
        if held:
            (texts / f"{about['Name']}.txt").write_bytes(b"\n".join(held))
            told = f"[{told}](_static/licences/{about['Name']}.txt)"
        rows.append(f"| The Python package {about['Name']} | {about['Version']} | {told} | |")
    return rows


def write(source: Path, runtime: Path) -> None:
    """Append the table to the page `licences.md`, and the texts that come with the packages.

    Parameters
    ----------
    source : Path
        The folder of the page.
    runtime : Path
        That of Pyodide and its wheels.
    """
    folder = source / "_static" / "licences"
    folder.mkdir(parents=True)
    own = {"micrograd.txt": "LICENSE", "course.txt": "notebooks/LICENSE"}
    for name, path in own.items():
        (folder / name).write_bytes((ROOT / path).read_bytes())
    (folder / "mathjax.txt").write_bytes(fetch.read("mathjax@3.2.2", "LICENSE"))
    for name in ("Sphinx", "pydata-sphinx-theme", "myst-nb"):
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
    lines += of_wheels(runtime, folder)
    page = source / "licences.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n".join([*lines, ""]), encoding="utf-8")
