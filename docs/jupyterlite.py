"""Write JupyterLite with the notebooks of the course: JupyterLab whose Python is the page's own."""

import io
import json
import shutil
import tarfile
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import fetch
import runtime

from micrograd.cli.notebooks import hand_out

HERE = Path(__file__).resolve().parent / "lite"
CORE = "jupyterlite-core==0.6.4"
# The wheels whose extensions of JupyterLab are carried: the kernel, and what shows widgets.
EXTENSIONS = (runtime.KERNEL, "anywidget==0.11.0", "jupyterlab-widgets==3.0.15")
# What the kernel needs before the first cell, all loaded at once.
FIRST = (
    "comm", "ipykernel", "ipython", "jedi", "micropip", "piplite", "pyodide_kernel", "sqlite3",
    "ssl",
)  # fmt: skip


def write(folder: Path) -> None:
    """Write it into a new folder, beside which `pyodide/` holds the runtime."""
    with zipfile.ZipFile(fetch.wheel(CORE)) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(".tgz")]
        content = io.BytesIO(archive.read(name))
    with tarfile.open(fileobj=content) as app:
        for member in app.getmembers():
            if member.isfile() and not member.name.endswith(".map"):
                target = folder / member.name.removeprefix("package/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(app.extractfile(member).read())  # type: ignore[union-attr]
    for path in HERE.iterdir():
        shutil.copy(path, folder)
    for path in folder.glob("*/index.html"):
        text = path.read_text(encoding="utf-8")
        added = '<link rel="icon" href="../favicon.ico"><script src="../kept.js" defer></script>'
        # On a phone there is no room for it: its two words would be cut off.
        added += "<style>@media(max-width:600px){.jp-NotebookTrustedStatus{display:none}}</style>"
        path.write_text(text.replace("</head>", f"{added}</head>"), encoding="utf-8")
    icons = folder / "static" / "favicons"
    icons.mkdir(parents=True)
    # Of any page, of a notebook, and of one that computes.
    for icon in (
        folder / "favicon.ico",
        icons / "favicon-notebook.ico",
        icons / "favicon-busy-1.ico",
    ):
        shutil.copy(folder / "notebooks" / "favicon.ico", icon)
    settings(folder, write_extensions(folder))
    write_contents(folder)


def write_extensions(folder: Path) -> list[dict[str, Any]]:
    """Write the extensions, and the list of their settings; return what the page must load."""
    loaded, schemas = [], []
    for wheel in EXTENSIONS:
        with zipfile.ZipFile(fetch.wheel(wheel)) as archive:
            held = {
                name.partition("/share/jupyter/labextensions/")[2]: name
                for name in archive.namelist()
                if "/share/jupyter/labextensions/" in name and not name.endswith((".map", ".whl"))
            }
            (about,) = [name for name in held if name.endswith("/package.json")]
            package = json.loads(archive.read(held[about]))
            for place, name in held.items():
                target = folder / "extensions" / place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))
                if "/schemas/" in place and place.endswith(".json"):
                    schemas.append(
                        {
                            "id": f"{package['name']}:{Path(place).stem}",
                            "raw": "{}",
                            "schema": json.loads(archive.read(name)),
                            "settings": {},
                            "version": package["version"],
                        }
                    )
        loaded.append({"name": package["name"], **package["jupyterlab"]["_build"]})
    path = folder / "build" / "schemas" / "all_federated.json"
    path.write_text(json.dumps(schemas), encoding="utf-8")
    return loaded


def settings(folder: Path, extensions: list[dict[str, Any]]) -> None:
    """Write what the page reads first: where Python is, and what to load."""
    path = folder / "jupyter-lite.json"
    held = json.loads(path.read_text(encoding="utf-8"))
    held["jupyter-config-data"] |= {
        "appName": "micrograd",
        "exposeAppInBrowser": True,  # for tests
        "federated_extensions": extensions,
        "litePluginSettings": {
            "@jupyterlite/pyodide-kernel-extension:kernel": {
                "pyodideUrl": "./../pyodide/pyodide.js",
                "disablePyPIFallback": True,
                "loadPyodideOptions": {"packages": FIRST},
            }
        },
        "settingsOverrides": {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}},
    }
    path.write_text(json.dumps(held, indent=2), encoding="utf-8")


def write_contents(folder: Path) -> None:
    """Write the notebooks, without outputs, and what JupyterLab asks of its server."""
    names = hand_out(folder / "files")
    for name in names:  # they are the site's own; without a server nobody else can say so
        path = folder / "files" / name
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["metadata"]["trusted"] = True
        path.write_text(json.dumps(notebook), encoding="utf-8")
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    about = {"created": now, "last_modified": now, "writable": True, "mimetype": None}
    listed = [
        {**about, "name": name, "path": name, "type": "notebook", "format": None, "content": None}
        for name in sorted(names)
    ]
    root = {**about, "name": "", "path": "", "type": "directory", "format": "json"}
    root["content"] = listed
    english = {"en": {"displayName": "English", "nativeName": "English"}}
    answers = {
        "contents/all": root,
        "translations/all": {"data": english, "message": ""},
        "translations/en": {"data": {}, "message": "Language pack 'en' not installed!"},
    }
    for name, answer in answers.items():
        path = folder / "api" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(answer), encoding="utf-8")
