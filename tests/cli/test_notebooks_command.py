"""`micrograd notebooks`: copies all but outputs, keeps the reader's own, opens JupyterLab."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from micrograd.cli import main
from micrograd.cli import notebooks as handout
from micrograd.errors import ArgumentError

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def started(monkeypatch):
    """What would have been started, with JupyterLab installed."""
    calls = []

    def run(command, check):
        calls.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(handout.subprocess, "run", run)
    monkeypatch.setattr(handout.importlib.util, "find_spec", lambda name: object())
    return calls


def test_all_notebooks_are_copied_without_outputs_and_jupyterlab_opens_there(
    tmp_path, capsys, started
):
    folder = tmp_path / "a new folder" / "course"
    assert main(["notebooks", str(folder)]) == 0
    assert [path.name for path in sorted(folder.iterdir())] == [path.name for path in NOTEBOOKS]
    for path in NOTEBOOKS:
        stored, given = json.loads(path.read_bytes()), json.loads((folder / path.name).read_bytes())
        for cell in stored["cells"]:
            assert cell["cell_type"] == "markdown" or cell["execution_count"]
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        assert given == stored
    assert capsys.readouterr().out.count("copied") == len(NOTEBOOKS)
    assert started == [[sys.executable, "-m", "jupyterlab", str(folder)]]


def test_a_file_of_the_reader_is_never_overwritten(tmp_path, capsys, started):
    mine = tmp_path / NOTEBOOKS[0].name
    mine.write_text("my answers", encoding="utf-8")
    assert main(["notebooks", str(tmp_path), "--no-open"]) == 0
    assert mine.read_text(encoding="utf-8") == "my answers"
    assert "yours is kept" in capsys.readouterr().out.splitlines()[0]
    assert main(["notebooks", str(tmp_path), "--no-open"]) == 0
    assert capsys.readouterr().out.count("already there") == len(NOTEBOOKS) - 1
    assert started == []


@pytest.mark.slow
def test_a_teacher_gets_the_kit_and_nothing_is_started(tmp_path, capsys, started):
    pytest.importorskip("matplotlib")
    assert main(["notebooks", "--teacher", str(tmp_path)]) == 0
    given = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    pages = ["glossary.md", "guide.md", "hand_exercise.pdf", "hand_exercise_solution.pdf"]
    sources = [f"nbgrader/source/{path.name[:2]}/{path.name}" for path in NOTEBOOKS]
    sources.append("nbgrader/source/lab/laboratory.ipynb")
    solutions = [f"solutions/{path.name}" for path in NOTEBOOKS]
    slides = [name for name in given if name.startswith("slides/")]
    assert "slides/slides.md" in slides
    given = [name for name in given if name not in slides]
    assert given == [*pages, "nbgrader/nbgrader_config.py", *sources, *solutions]
    licence = NOTEBOOKS[0].with_name("LICENSE").read_bytes()
    assert (tmp_path / "LICENSE").read_bytes() == licence
    for name in (
        "LICENSE",
        *pages,
        "nbgrader/",
        "slides/",
        "solutions/",
    ):  # the guide's own list of what is there
        assert f"`{name}`" in (tmp_path / "guide.md").read_text(encoding="utf-8")
    assert "01a: correct." in (tmp_path / "solutions" / NOTEBOOKS[0].name).read_text("utf-8")
    assert main(["notebooks", "--teacher", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("already there") == len(given) + len(slides) + 1
    assert started == []


def test_without_jupyterlab_it_says_what_to_install(tmp_path, capsys, started, monkeypatch):
    monkeypatch.setattr(handout.importlib.util, "find_spec", lambda name: None)
    assert main(["notebooks", str(tmp_path)]) == 0
    assert 'pip install "micrograd[all]"' in capsys.readouterr().out
    assert started == []


def test_a_folder_that_cannot_be_written_is_an_error_in_one_line(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert main(["notebooks", str(file / "below"), "--no-open"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("micrograd notebooks: cannot use")
    assert error.count("\n") == 1


def test_an_installation_without_notebooks_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(handout, "__file__", str(tmp_path / "micrograd" / "cli" / "notebooks.py"))
    with pytest.raises(ArgumentError, match="install micrograd again"):
        handout.hand_out(tmp_path / "out")
    assert not (tmp_path / "out").exists()
