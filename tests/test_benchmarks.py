"""Every benchmark still runs: each has a `main` that takes `--tiny`."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from tables import mostly_slow

FOLDER = Path(__file__).parent / "benchmarks"
PROGRAMS = [
    path for path in sorted(FOLDER.glob("*.py")) if "--tiny" in path.read_text(encoding="utf-8")
]


def loaded(path, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(f"benchmark_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_the_benchmarks_are_found():
    assert FOLDER / "eager.py" in PROGRAMS


@pytest.mark.parametrize("path", mostly_slow(PROGRAMS), ids=lambda path: path.stem)
def test_a_tiny_benchmark_runs_and_writes_no_results(path, monkeypatch, capsys):
    results = FOLDER / "RESULTS.md"
    before = results.read_bytes() if results.exists() else None
    loaded(path, monkeypatch).main(["--tiny"])
    assert capsys.readouterr().out.strip()
    assert (results.read_bytes() if results.exists() else None) == before


def test_the_eager_benchmark_measures_every_row(monkeypatch, capsys):
    loaded(FOLDER / "eager.py", monkeypatch).main(["--tiny"])
    outcomes = json.loads(capsys.readouterr().out)
    assert outcomes["atomic"][0]["loss"] == pytest.approx(outcomes["neuron"][0]["loss"], rel=1e-12)
    assert outcomes["atomic"][0]["seconds"] > 0
    assert outcomes["memory atomic"][0]["nodes"] > outcomes["memory neuron"][0]["nodes"] > 0
    assert outcomes["chain"][0]["gradient"] == 101
    assert outcomes["first use"][0]["others"] == []


def test_a_section_of_the_results_is_replaced_and_the_others_stay(monkeypatch, tmp_path):
    results = loaded(FOLDER / "results.py", monkeypatch)
    path = tmp_path / "RESULTS.md"
    for title, text in (("Eager", "one"), ("Replay", "two"), ("Eager", "three")):
        results.write_section(title, text, path)
    sections = path.read_text(encoding="utf-8").split("## ")[1:]
    assert sections == ["Eager\n\nthree\n\n", "Replay\n\ntwo\n"]
