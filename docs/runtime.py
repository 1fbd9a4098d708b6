"""Write Pyodide, which the playground and the notebooks share, and the wheels that it loads."""

import hashlib
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import fetch
import wheels

PYODIDE = "pyodide@0.27.7"
KERNEL = "jupyterlite-pyodide-kernel==0.6.1"
# What a page loads first.
CORE = ("pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
# Of what is built for Pyodide, what notebooks and the kernel import; more comes with it.
OFFICIAL = ("ipython", "jedi", "matplotlib", "micropip", "scikit-learn", "sqlite3", "ssl")
# What comes with each other wheel when it is imported. What micrograd imports late is not seen.
DEPENDS = {
    "anywidget": ["ipywidgets", "psygnal", "typing-extensions"],
    "comm": ["traitlets"],
    "ipywidgets": ["comm", "ipython", "traitlets"],
    "micrograd": ["anywidget", "graphviz", "matplotlib", "micrograd-graphviz"],
}
# Modules of micrograd that need more than micrograd does, which is half of all there is to load.
ALSO = {"scikit-learn": ["micrograd.datasets", "micrograd.estimator"]}


def write(folder: Path) -> None:
    """Write the runtime into a new folder: the program, wheels, and the lock file that lists them.

    Every archive of Pyodide's own has the SHA-256 of its lock file, which is that of npm's package,
    when it comes; matplotlib's list of fonts is then set right.
    """
    folder.mkdir(parents=True)
    for name in CORE:
        (folder / name).write_bytes(fetch.read(PYODIDE, name))
    lock = json.loads(fetch.read(PYODIDE, "pyodide-lock.json"))
    known, lock["packages"] = lock["packages"], {}
    wanted = list(OFFICIAL)
    for name in wanted:  # which grows
        key = name.replace("_", "-")
        lock["packages"][key] = entry = known[key]
        archive = entry["file_name"]
        content = fetch.official(archive, entry["sha256"])
        if name == "matplotlib":
            content = with_fonts(content)
            entry["sha256"] = hashlib.sha256(content).hexdigest()
        (folder / archive).write_bytes(content)
        entry["imports"] += ALSO.get(name, [])
        wanted += [each for each in entry["depends"] if each not in wanted]
    for path in own(folder):
        name, version = path.name.split("-")[:2]
        name = name.replace("_", "-")
        lock["packages"][name] = entry_of(path, name, version)
    (folder / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")


def with_fonts(wheel: bytes) -> bytes:
    """Return matplotlib's wheel with a list of fonts that its program takes.

    Pyodide's names the version of another program, and fonts of the machine that built it: each
    notebook would list the fonts anew, and say so in red.
    """
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel)) as old, zipfile.ZipFile(changed, "w") as new:
        program = old.read("matplotlib/font_manager.py")
        (version,) = re.findall(rb"\n    __version__ = (\d+)\n", program)
        for entry in old.infolist():
            held = old.read(entry)
            if entry.filename == "matplotlib/fontlist.json":
                fonts = json.loads(held) | {"_version": int(version)}
                for kind in ("afmlist", "ttflist"):
                    there = [f"matplotlib/mpl-data/{font['fname']}" for font in fonts[kind]]
                    pairs = zip(fonts[kind], there, strict=True)
                    fonts[kind] = [font for font, path in pairs if path in old.NameToInfo]
                held = json.dumps(fonts).encode()
            new.writestr(entry, held)
    return changed.getvalue()


def own(folder: Path) -> list[Path]:
    """Write the wheels that Pyodide does not have into the folder, and return their paths."""
    found = [Path(shutil.copy(fetch.wheel(name), folder)) for name in fetch.IN_PYODIDE]
    with zipfile.ZipFile(fetch.wheel(KERNEL)) as archive:
        for member in archive.namelist():
            name = Path(member).name
            if member.endswith(".whl") and "static/pypi/" in member and "widgets" not in name:
                found.append(folder / name)
                found[-1].write_bytes(archive.read(member))
    return [*found, wheels.write_graphviz(folder), wheels.write_micrograd(folder)]


def entry_of(path: Path, name: str, version: str) -> dict[str, Any]:
    """Return the entry of a wheel in the lock file."""
    content = path.read_bytes()
    held = zipfile.ZipFile(io.BytesIO(content)).namelist()
    modules = {each.partition("/")[0].removesuffix(".py") for each in held}
    return {
        "name": name,
        "version": version,
        "file_name": path.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(content).hexdigest(),
        "package_type": "package",
        "imports": sorted(each for each in modules if each.isidentifier()),
        "depends": DEPENDS.get(name, []),
        "unvendored_tests": False,
    }
