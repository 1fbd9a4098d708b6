"""The command `micrograd notebooks`: copy the course out of the package and open it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from micrograd.checks import install
from micrograd.cli.command import DONE, Command
from micrograd.errors import ArgumentError
from micrograd.files import write_atomic

__all__ = ["COMMAND", "hand_out"]


def hand_out(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Copy the notebooks into a folder, without outputs; existing files are not overwritten.

    What a cell prints is there to be guessed before the cell is run.

    Parameters
    ----------
    folder : str or path-like
        Created if it does not exist.

    Returns
    -------
    dict of str to str
        The outcome for each notebook, by file name: "copied", "already there", or "yours is kept"
        if the existing file differs.

    Raises
    ------
    OSError
        If the folder cannot be written.
    ArgumentError
        If this installation holds no notebooks. Also a ValueError.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hand_out(folder)["01_derivatives_and_values.ipynb"]
    'copied'
    """
    here = Path(__file__).parents[1]
    # In an installation they are inside the package, in a checkout beside it.
    sources = sorted((here / "notebooks").glob("*.ipynb"))
    sources = sources or sorted((here.parent / "notebooks").glob("*.ipynb"))
    if not sources:
        raise ArgumentError(
            f"no notebooks beside {os.fspath(here)!r}: install micrograd again with pip"
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    outcomes = {}
    for source in sources:
        target, content = Path(folder, source.name), _without_outputs(source)
        if target.exists():
            same = target.read_bytes() == content
            outcomes[source.name] = "already there" if same else "yours is kept"
        else:
            write_atomic(target, content)
            outcomes[source.name] = "copied"
    return outcomes


def _without_outputs(source: Path) -> bytes:
    notebook = json.loads(source.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        default="micrograd-notebooks",
        help="target folder (default: %(default)s); existing files are kept",
    )
    parser.add_argument(
        "--no-open", action="store_true", help="only copy them, do not start JupyterLab"
    )


def _run(arguments: argparse.Namespace) -> int:
    """Copy the notebooks, print the outcome for each, and start JupyterLab if it is installed."""
    for name, outcome in hand_out(arguments.folder).items():
        print(f"  {name:<42} {outcome}")
    if arguments.no_open:
        return DONE
    if importlib.util.find_spec("jupyterlab") is None:
        print(f"JupyterLab is not installed: {install('all')}, then")
        print(f"  jupyter lab {arguments.folder}")
        return DONE
    print("Starting JupyterLab; Ctrl-C ends it.", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "jupyterlab", os.fspath(arguments.folder)], check=False
    ).returncode


COMMAND: Final = Command(
    "notebooks",
    "Copy the notebooks of the course into a folder, without outputs, and open JupyterLab there.",
    _add_arguments,
    _run,
)
