"""Build the site: one folder of files that any web server can hold, under any path.

    python docs/build.py OUT

It needs the extra `docs` (`pip install -e ".[docs]"`) and npm. Nothing in the folder asks another
host for anything.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

import fetch  # noqa: E402
import jupyterlite  # noqa: E402
import licences  # noqa: E402
import reference  # noqa: E402
import runtime  # noqa: E402
import wheels  # noqa: E402

import micrograd  # noqa: E402
from micrograd.stepper.page.html import script, styles  # noqa: E402

# Where Python's documentation explains what the reference names: an inventory of Sphinx.
PYTHON = {
    "py:exception": {
        name: f"library/exceptions.html#{name}"
        for name in (
            "ArithmeticError", "AssertionError", "Exception", "IndexError", "KeyError",
            "LookupError", "OverflowError", "RuntimeError", "TypeError", "ValueError",
            "ZeroDivisionError",
        )
    },
    "py:class": {
        "dict": "library/stdtypes.html#dict",
        "float": "library/functions.html#float",
        "fractions.Fraction": "library/fractions.html#fractions.Fraction",
        "int": "library/functions.html#int",
        "list": "library/stdtypes.html#list",
        "str": "library/stdtypes.html#str",
        "tuple": "library/stdtypes.html#tuple",
    },
}  # fmt: skip
# Where a link of a text of the repository leads on the site; a link to any other file becomes code.
PLACES = {
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "tests/benchmarks/RESULTS.md": "benchmarks.md",
}


def main() -> None:
    """Build the site from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("out", type=Path, help="the folder to write; what is in it is replaced")
    parser.add_argument("--wheel", type=Path, metavar="DIR", help="also write it as a wheel")
    chosen = parser.parse_args()
    build(chosen.out.resolve())
    if chosen.wheel:
        chosen.wheel.mkdir(parents=True, exist_ok=True)
        print(wheels.write_site(chosen.wheel, chosen.out, micrograd.__version__))


def build(out: Path) -> None:
    """Build the site into a folder, which is replaced when all of it is there.

    Raises
    ------
    SystemExit
        If the folder holds something else than an earlier site.
    """
    if out.exists() and any(out.iterdir()) and not (out / "objects.inv").exists():
        sys.exit(f"{out} holds something else than a site: name a new or an empty folder")
    with tempfile.TemporaryDirectory(prefix="micrograd-site-") as work:
        source, made = Path(work) / "source", Path(work) / "site"
        shutil.copytree(HERE / "site", source, ignore=shutil.ignore_patterns("__pycache__"))
        write_inventory(source / "python.inv")
        write_texts(source)
        write_course(source / "course")
        reference.write(source / "reference")
        carried = source / "_static" / "mathjax" / "tex-svg.js"
        carried.parent.mkdir(parents=True)
        carried.write_bytes(fetch.read("mathjax@3.2.2", "es5/tex-svg.js"))
        runtime.write(made / "pyodide")
        licences.write(source, made / "pyodide")
        run_sphinx(source, made)
        write_playground(made / "playground")
        jupyterlite.write(made / "lite")
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(made, out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {size / 1e6:.1f} MB")


def write_playground(folder: Path) -> None:
    """Write the page with Python in it, and the stepper as it is."""
    shutil.copytree(HERE / "playground", folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "site" / "_static" / "icon.svg", folder)
    (folder / "stepper.js").write_text(script(), encoding="utf-8")
    (folder / "stepper.css").write_text(styles(), encoding="utf-8")


def run_sphinx(source: Path, out: Path) -> None:
    """Run Sphinx; a warning is an error."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-b", "html"]
    # The pages' own code finds its helpers, and the settings find the reference's names.
    paths = os.pathsep.join([str(source), str(HERE)])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    settings = source.parent / "ipython" / "profile_default" / "ipython_config.py"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        "c = get_config()\n"
        "c.InteractiveShell.xmode = 'Minimal'  # of an error what it says, and no paths of ours\n"
        "c.IPKernelApp.log_level = 'ERROR'\n",
        encoding="utf-8",
    )
    environment |= {"JUPYTER_PLATFORM_DIRS": "1", "COLUMNS": "80"}
    environment["IPYTHONDIR"] = str(settings.parents[1])
    subprocess.run([*command, str(source), str(out)], check=True, env=environment)
    for name in (".buildinfo", ".doctrees", "jupyter_execute", "_static/webpack-macros.html"):
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


def write_inventory(path: Path) -> None:
    """Write the inventory by which the reference links to Python's documentation."""
    lines = [
        f"{name} {kind} 1 {place} -"
        for kind, names in PYTHON.items()
        for name, place in names.items()
    ]
    head = "# Sphinx inventory version 2\n# Project: Python\n# Version: 3\n"
    head += "# The remainder of this file is compressed using zlib.\n"
    path.write_bytes(head.encode() + zlib.compress("\n".join([*lines, ""]).encode()))


# ---- texts of the repository -------------------------------------------------------------------


def moved(text: str, page: str) -> str:
    """Return a text of the repository with its links made to fit the site.

    Parameters
    ----------
    text : str
        Markdown.
    page : str
        Where it stands on the site.
    """
    up = "../" * page.count("/")

    def linked(match: re.Match[str]) -> str:
        shown, target = match[1], match[2]
        if "://" in target or target.startswith("#"):
            return match[0]
        return f"[{shown}]({up}{PLACES[target]})" if target in PLACES else f"`{target}`"

    return re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", linked, text)


def write_texts(source: Path) -> None:
    """Write the pages that are texts of the repository."""
    for path, page in PLACES.items():
        target = source / page
        target.parent.mkdir(exist_ok=True)
        target.write_text(moved((ROOT / path).read_text(encoding="utf-8"), page), encoding="utf-8")


# ---- the course --------------------------------------------------------------------------------


def write_course(folder: Path) -> None:
    """Write the notebooks with their stored outputs, and a page that lists them."""
    rows = []
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            prepare(cell)
        title, *rest = notebook["cells"][0]["source"]
        place = f"../lite/notebooks/index.html?path={path.name}"
        button = f'<p class="doors"><a class="door" href="{place}">Run in the browser</a></p>'
        notebook["cells"][0]["source"] = [title, "\n", button + "\n", *rest]
        notebook["metadata"]["html_theme.sidebar_secondary.remove"] = True  # room for the outputs
        (folder / path.name).write_text(json.dumps(notebook), encoding="utf-8")
        (picture,) = (ROOT / "docs" / "course").glob(f"{path.stem[:2]}.*")
        shutil.copy(picture, folder / picture.name)
        found = re.search(
            rf'alt="([^"]*)"> \| \d · \[(.+)\]\(notebooks/{path.name}\): (.+) \|', readme
        )
        if found is None:
            raise ValueError(f"README.md does not list {path.name}")
        told, title, text = found.groups()
        rows.append((path.stem, picture.name, told, title, text))
    lines = [(folder / "index.md").read_text(encoding="utf-8"), "::::{container} course", ""]
    for number, (stem, picture, told, title, text) in enumerate(rows, 1):
        lines += [
            ":::{container} notebook",
            f"[![{told}]({picture})]({stem}.ipynb)",
            "",
            f"**{number} · [{title}]({stem}.ipynb)**",
            "",
            f"{text[0].upper()}{text[1:]}.",
            ":::",
        ]
    listed = [stem for stem, *_ in rows]
    lines += ["::::", "", "```{toctree}", ":hidden:", "", *listed, "```", ""]
    (folder / "index.md").write_text("\n".join(lines), encoding="utf-8")


def prepare(cell: dict) -> None:
    """Change a cell of a stored notebook to what the site shows of it."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "text/html" in data:  # the living page; no second form beside it
            data.pop("image/svg+xml", None)
            data.pop("image/png", None)


if __name__ == "__main__":
    main()
