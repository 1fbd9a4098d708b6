"""The command `micrograd notebooks`: copy the course, or the teacher's kit; mark a class."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from micrograd.checks import install
from micrograd.cli.command import DONE, Command
from micrograd.errors import ArgumentError
from micrograd.files import write_atomic

__all__ = ["COMMAND", "hand_out", "hand_out_kit"]


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
    return _write(
        Path(folder), {path.name: _as_bytes(_without_outputs(_read(path))) for path in _sources()}
    )


def hand_out_kit(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Write the teacher's kit into a folder; existing files are not overwritten.

    Parameters
    ----------
    folder : str or path-like
        Created if it does not exist.

    Returns
    -------
    dict of str to str
        The outcome for each file, as `hand_out` returns it.

    Raises
    ------
    OSError
        If the folder cannot be written.
    ArgumentError
        If this installation holds no notebooks. Also a ValueError.
    ImportError
        If matplotlib is not installed, for the hand exercise.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(hand_out_kit(folder))[:3]
    ['LICENSE', 'glossary.md', 'guide.md']
    """
    # Every command imports this module, and only this one needs what writes the course.
    from micrograd.course.grading import CONFIGURATION, graded, laboratory
    from micrograd.course.guide import glossary, guide
    from micrograd.course.hand_exercise import hand_exercise
    from micrograd.course.slides import slides
    from micrograd.course.solutions import solved

    sources = _sources()
    notebooks = {path.name: _read(path) for path in sources}
    by_number = {name[:2]: notebook for name, notebook in notebooks.items()}
    contents = {
        "guide.md": guide(by_number).encode(),
        "glossary.md": glossary().encode(),
        "hand_exercise.pdf": hand_exercise(solution=False),
        "hand_exercise_solution.pdf": hand_exercise(solution=True),
        "nbgrader/nbgrader_config.py": CONFIGURATION.encode(),
        "LICENSE": sources[0].with_name("LICENSE").read_bytes(),
    }
    contents |= {f"slides/{name}": content for name, content in slides(by_number).items()}
    contents["nbgrader/source/lab/laboratory.ipynb"] = _as_bytes(laboratory())
    for name, notebook in notebooks.items():
        contents[f"solutions/{name}"] = _as_bytes(solved(notebook))
        contents[f"nbgrader/source/{name[:2]}/{name}"] = _as_bytes(graded(notebook))
    return _write(Path(folder), contents)


def _sources() -> list[Path]:
    here = Path(__file__).parents[1]
    # In an installation they are inside the package, in a checkout beside it.
    sources = sorted((here / "notebooks").glob("*.ipynb"))
    sources = sources or sorted((here.parent / "notebooks").glob("*.ipynb"))
    if not sources:
        raise ArgumentError(
            f"no notebooks beside {os.fspath(here)!r}: install micrograd again with pip"
        )
    return sources


def _write(folder: Path, contents: dict[str, bytes]) -> dict[str, str]:
    outcomes = {}
    for name, content in contents.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            same = target.read_bytes() == content
            outcomes[name] = "already there" if same else "yours is kept"
        else:
            write_atomic(target, content)
            outcomes[name] = "copied"
    return outcomes


def _read(source: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return notebook


def _without_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def _as_bytes(notebook: dict[str, Any]) -> bytes:
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        help="target folder (default: micrograd-notebooks; micrograd-teacher for the kit, "
        "submitted to grade); existing files are kept",
    )
    parser.add_argument(
        "--teacher",
        action="store_true",
        help="write the teacher's kit instead: slides, solutions, guide, glossary, hand exercise, "
        "sources for nbgrader",
    )
    parser.add_argument(
        "--grade",
        action="store_true",
        help="mark the notebooks in DIR instead, STUDENT/ASSIGNMENT/*.ipynb as nbgrader collects "
        "them: the points, and what is wrong with each other answer; no code of theirs is run",
    )
    parser.add_argument(
        "--run",
        action="store_true",
        help="with --grade: also run the engines of notebook 8, in a process each, and mark them",
    )
    parser.add_argument(
        "--no-open", action="store_true", help="only copy them, do not start JupyterLab"
    )


def _run(arguments: argparse.Namespace) -> int:
    """Copy the files, print the outcome for each, and start JupyterLab for those of a learner."""
    if arguments.grade:
        from micrograd.course.marking import report

        print(report(arguments.folder or "submitted", run=arguments.run), end="")
        return DONE
    default, copy = "micrograd-notebooks", hand_out
    if arguments.teacher:
        default, copy = "micrograd-teacher", hand_out_kit
    folder = arguments.folder or default
    for name, outcome in copy(folder).items():
        print(f"  {name:<58} {outcome}")
    if arguments.no_open or arguments.teacher:
        return DONE
    if importlib.util.find_spec("jupyterlab") is None:
        print(f"JupyterLab is not installed: {install('all')}, then")
        print(f"  jupyter lab {folder}")
        return DONE
    print("Starting JupyterLab; Ctrl-C ends it.", flush=True)
    return subprocess.run([sys.executable, "-m", "jupyterlab", folder], check=False).returncode


COMMAND: Final = Command(
    "notebooks",
    "Copy the notebooks of the course into a folder, without outputs, and open JupyterLab there.",
    _add_arguments,
    _run,
)
