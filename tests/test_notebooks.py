"""The notebooks: they run from a fresh kernel, print what they show, and are fit to be read."""

import os
import re
from pathlib import Path

import pytest
from tables import mostly_slow

import micrograd
from micrograd.course import EXERCISES

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("matplotlib.font_manager")  # makes its cache now, or a notebook would say so

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell):
    """Return what a cell says in text; a figure's own line holds an address."""
    found = [("", "")]
    for output in cell.outputs:
        if output.output_type == "stream":
            name, text = found[-1]
            if name == output.name:  # a kernel may send one text in parts
                found[-1] = (name, text + output.text)
            else:
                found.append((output.name, output.text))
        elif "image/png" not in output.data and "image/svg+xml" not in output.data:
            found.append(("result", output.data["text/plain"]))
    return found


@pytest.mark.notebook
@pytest.mark.parametrize("path", mostly_slow(NOTEBOOKS), ids=lambda path: path.stem)
def test_it_runs_from_a_fresh_kernel_and_says_what_is_stored(path, monkeypatch):
    package = str(Path(micrograd.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([package, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PYTHONWARNINGS", "default")  # shown, and so found below
    stored, fresh = read(path), read(path)
    client = nbclient.NotebookClient(
        fresh, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    for before, after in zip(code_cells(stored), code_cells(fresh), strict=True):
        assert texts(after) == texts(before), after.source
        assert [sorted(o.data) for o in after.outputs if "data" in o] == [
            sorted(o.data) for o in before.outputs if "data" in o
        ]
        assert not any(o.get("name") == "stderr" for o in after.outputs), after.outputs


@every_notebook
def test_it_is_small_and_speaks_of_no_machine(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.encode("utf-8")) <= 2**20
    notebook = read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert not any(cell.metadata for cell in notebook.cells)
    assert not re.search(r"/(home|root|tmp|Users|work)/|[A-Z]:\\\\", text)


@every_notebook
def test_its_cells_are_short_and_it_begins_and_ends_as_all_do(path):
    notebook = read(path)
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= 12, cell.source
        assert max(map(len, cell.source.splitlines())) <= 110, cell.source
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not re.search(
            r"without looking|^## Sources", cell.source, re.MULTILINE
        ):
            prose = re.sub(r"\$\$[^$]+\$\$|^\|.*$", "", cell.source, flags=re.MULTILINE)
            assert len(prose.split()) <= 110, cell.source
    first, last = notebook.cells[0].source, notebook.cells[-1].source
    for words in ("**Time**", "**You need**", "**Afterwards you can**"):
        assert words in first
    assert "**Next**" in last
    assert "## Sources" in last


@every_notebook
def test_its_links_lead_somewhere(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (path.parent / link).is_file(), link
    for number in re.findall(r"notebooks? (\d)", text):
        assert list(path.parent.glob(f"0{number}_*.ipynb"))


@every_notebook
def test_each_of_its_sources_says_where_it_is(path):
    sources = read(path).cells[-1].source.partition("## Sources")[2]
    where = r"doi:10\.\d{4,}/\S+|arXiv:\d{4}\.\d{5}|\b[\w-]+\.(com|org|io|dev|gov|be|press)\b"
    for each in re.findall(r"^- .+", sources, re.MULTILINE):
        assert re.search(where, each), each


@every_notebook
def test_its_exercises_are_those_that_can_be_checked_and_are_unsolved(path):
    number = path.stem[:2]
    asked = re.findall(r'check\("(\w+)", (.+)\)', "\n".join(c.source for c in read(path).cells))
    assert [name for name, _ in asked] == [name for name in EXERCISES if name.startswith(number)]
    assert {answer for _, answer in asked} <= {
        "...",
        "[..., ...]",
        "[..., ..., ...]",
        "[..., ..., ..., ...]",
    }


@every_notebook
def test_it_asks_for_guesses_before_it_shows_numbers_and_prints_them_beside(path):
    code = "\n".join(cell.source for cell in code_cells(read(path)))
    behind = re.split(r'^guess.* = .*"\?".*$', code, flags=re.MULTILINE)[1:]
    assert len(behind) >= (6 if path.stem.startswith("08") else 8)  # 08 has gaps to fill as well
    assert [part for part in behind if not re.search(r"\bguess\b", part)] == []


@every_notebook
def test_its_pictures_have_descriptions(path):
    for cell in code_cells(read(path)):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                assert len(output.metadata["image/png"]["alt"]) >= 40, cell.source
            for svg in [output.get("data", {}).get("image/svg+xml")]:
                assert svg is None or re.search(r"<title.*>.+</title>\s*<desc.*>.+</desc>", svg)


@every_notebook
def test_its_displayed_formulas_are_read_aloud(path):
    cells = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    formulas = [part for cell in cells for part in cell.split("\n$$")[1:]]
    assert formulas
    for part in formulas:
        formula, _, after = part.partition("$$\n")
        assert re.match(r"\s*\*[^*]+\*", after), formula
