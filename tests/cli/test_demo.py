"""`micrograd demo`: what it prints, what it writes, and how it fails."""

import math
import signal
import subprocess
import sys
import time
from xml.etree import ElementTree as ET

import pytest
from tables import mostly_slow

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from packed import data_of

from micrograd.cli import main
from micrograd.datasets import load
from micrograd.files import read_json
from micrograd.nn import MLP
from micrograd.optim import Adam
from micrograd.plot import plot_decision_boundary
from micrograd.train import fitting as train

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def coarse_pictures(monkeypatch):
    """Most of the time of a demo is the network at each of 6400 points."""
    monkeypatch.setitem(plot_decision_boundary.__kwdefaults__, "resolution", 20)


def test_the_demo_learns_the_moons_and_writes_what_it_says(tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert main(["demo", "--lr", "0.05", "--steps", "60", "--out", str(out)]) == 0
    printed, err = capsys.readouterr()
    assert err == ""
    for name in ("model.json", "history.png", "decision_boundary.png", "graph.svg"):
        assert f"{out / name}: " in printed
        assert (out / name).stat().st_size > 500
    assert "moons: 100 training samples, 100 held out" in printed
    assert "step 54  loss" in printed
    assert (out / "history.png").read_bytes().startswith(PNG)
    assert (out / "decision_boundary.png").read_bytes().startswith(PNG)
    assert ET.parse(out / "graph.svg").getroot().tag.endswith("svg")
    model = MLP.from_file(out / "model.json")
    data = load("moons", seed=0)
    result = train.evaluate(model, data.X_test, data.y_test)
    assert f"held out:    loss {result.loss:.4f}" in printed
    assert f"({result.right} of 100)" in printed
    assert result.accuracy > 0.95
    assert train.evaluate(model, data.X, data.y).accuracy > 0.98


@pytest.mark.parametrize("dataset", mostly_slow(["moons", "iris"]))
def test_the_demo_writes_how_it_learns_as_a_page_and_a_film(tmp_path, capsys, dataset):
    page, film = tmp_path / "new" / "run.html", tmp_path / "run.gif"
    assert main(["demo", "--dataset", dataset, "--hidden", "3", "--steps", "3",
                 "--out", str(tmp_path / "out"), "--watch", str(page),
                 "--gif", str(film)]) == 0  # fmt: skip
    printed = capsys.readouterr().out
    assert f"{page}: " in printed
    assert f"{film}: " in printed
    written = page.read_text(encoding="utf-8")
    assert written.startswith("<!DOCTYPE html>")
    data = data_of(written)
    assert data["task"]["why"] == ""  # it trains by itself
    assert data["learnt"] < len(data["points"])
    if dataset == "iris":  # the two that tell its classes apart
        assert "petal length (cm) across, petal width (cm) up" in data["about"]
        assert "setosa" in data["classes"]
    assert film.read_bytes().startswith(b"GIF8")


@pytest.mark.parametrize(
    ("option", "name", "code", "words"),
    [
        ("--watch", "run.txt", 2, "ends in .html, got"),
        ("--gif", "run.mp4", 2, "ends in .gif, got"),
        ("--gif", "", 2, "ends in .gif, got ''"),
        ("--watch", "file/run.html", 1, "cannot use"),
        ("--gif", "file/run.gif", 1, "cannot use"),
    ],
)
def test_a_page_or_film_that_cannot_be_written_is_found_out_before_the_first_step(
    tmp_path, capsys, option, name, code, words
):
    (tmp_path / "file").write_text("a file, not a folder", encoding="utf-8")
    path = str(tmp_path / name) if name else ""
    out = tmp_path / "out"
    assert main(["demo", "--steps", "3", "--out", str(out), option, path]) == code
    printed = capsys.readouterr()
    assert words in printed.err
    assert "step" not in printed.out
    assert not (out / "model.json").exists()


@pytest.mark.parametrize("dataset", ["iris", "breast_cancer"])
def test_real_data_are_learnt_without_a_plane_to_draw(tmp_path, capsys, dataset):
    assert main(["demo", "--dataset", dataset, "--hidden", "4", "--steps", "3",
                 "--batch-size", "10", "--out", str(tmp_path)]) == 0  # fmt: skip
    printed = capsys.readouterr().out
    assert not (tmp_path / "decision_boundary.png").exists()
    assert str(tmp_path / "history.png") in printed
    assert ("graph.svg:" in printed) == (tmp_path / "graph.svg").exists()


@pytest.mark.slow
def test_a_linear_model_and_another_activation(tmp_path):
    small = ["--steps", "2", "--theme", "dark", "--out", str(tmp_path)]
    assert main(["demo", "--dataset", "blobs", "--hidden", *small]) == 0
    assert len(MLP.from_file(tmp_path / "model.json").layers) == 1
    assert main(["demo", "--dataset", "xor", "--hidden", "3", "--activation", "tanh", *small]) == 0
    assert MLP.from_file(tmp_path / "model.json").activation == "tanh"


@pytest.mark.slow
def test_compiled_and_eager_training_learn_the_same(tmp_path):
    pytest.importorskip("llvmlite")
    models = []
    for flag in ("--compile", "--no-compile"):
        out = tmp_path / flag
        assert main(["demo", "--hidden", "4", "--steps", "20", flag, "--out", str(out)]) == 0
        models.append(MLP.from_file(out / "model.json").parameters())
    for compiled, eager in zip(*models, strict=True):
        # To 1e-10 of the largest, which are near 1: where a gradient cancels but for its last
        # bits, Adam divides these bits by their own size.
        assert math.isclose(compiled.data, eager.data, rel_tol=1e-10, abs_tol=1e-10)


def test_a_large_graph_is_drawn_layer_by_layer(tmp_path, capsys):
    small = ["--steps", "1", "--batch-size", "5", "--out", str(tmp_path)]
    assert main(["demo", *small]) == 0
    assert "409 values" in (out := capsys.readouterr().out)
    assert "layer by layer" in out
    drawn = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert "16 neurons, 272 parameters" in drawn


@pytest.mark.slow
def test_the_sample_drawn_is_one_that_still_has_something_to_teach(tmp_path):
    options = ["--hidden", "4", "--steps", "60", "--out", str(tmp_path)]
    assert main(["demo", *options]) == 0
    drawn = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    description = ET.fromstring(drawn).find("{http://www.w3.org/2000/svg}desc").text
    assert "x1 1.062, gradient +0.5672" in description


def test_a_graph_too_large_to_see_is_left_out_and_said(tmp_path, capsys):
    (tmp_path / "graph.svg").write_text("of an earlier run", encoding="utf-8")
    small = ["--hidden", "--steps", "1", "--batch-size", "5", "--out", str(tmp_path)]
    assert main(["demo", "--dataset", "digits", *small]) == 0
    assert "no graph.svg: 64 inputs are too many to draw" in capsys.readouterr().out
    assert not (tmp_path / "graph.svg").exists()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_files(tmp_path):
    for folder in ("a", "b"):
        assert main(["demo", "--hidden", "3", "--steps", "3", "--batch-size", "20", "--seed", "5",
                     "--out", str(tmp_path / folder)]) == 0  # fmt: skip
    for name in ("model.json", "decision_boundary.png", "graph.svg", "history.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def failing(code, arguments, capsys):
    assert main(arguments) == code
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("micrograd demo: ")
    return err


def test_a_folder_that_cannot_be_used_is_one_line_and_exit_1(tmp_path, capsys):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert "file" in failing(1, ["demo", "--out", str(tmp_path / "file")], capsys)
    assert "file" in failing(1, ["demo", "--out", str(tmp_path / "file" / "below")], capsys)


def test_a_folder_without_the_right_to_write_is_exit_1(tmp_path, monkeypatch, capsys):
    def refuse(path, document, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("micrograd.train.checkpoint.write_json", refuse)
    assert "Permission denied" in failing(1, ["demo", "--out", str(tmp_path)], capsys)


def test_a_run_that_explodes_is_one_line_and_exit_1(tmp_path, capsys):
    told = failing(1, ["demo", "--lr", "1e300", "--steps", "9", "--out", str(tmp_path)], capsys)
    assert "lower learning rate" in told
    assert not (tmp_path / "model.json").exists()


def test_a_checkpoint_of_another_run_is_exit_1(tmp_path, capsys):
    small = ["demo", "--hidden", "2", "--steps", "1", "--out", str(tmp_path)]
    assert main(small) == 0
    capsys.readouterr()
    assert "another run" in failing(1, [*small, "--seed", "7", "--resume"], capsys)


def test_a_missing_package_is_named_and_exit_1(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert "micrograd[train]" in failing(1, ["demo", "--out", str(tmp_path)], capsys)


def test_an_interrupted_run_says_how_to_go_on_and_ends_with_the_same_model(tmp_path, capsys):
    def arguments(folder, *more):
        return ["demo", "--hidden", "3", "--steps", "5", "--batch-size", "30", "--out",
                str(tmp_path / folder), *more]  # fmt: skip

    assert main(arguments("whole")) == 0
    original, calls = Adam.step, []

    def interrupted(self):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Adam, "step", interrupted)
        capsys.readouterr()
        told = failing(130, arguments("halved"), capsys)
    assert "--resume" in told
    assert read_json(tmp_path / "halved" / "checkpoint.json")["done"] == 2
    assert main(arguments("halved", "--resume")) == 0
    for name in ("model.json", "decision_boundary.png", "history.png"):
        whole, halved = tmp_path / "whole" / name, tmp_path / "halved" / name
        assert whole.read_bytes() == halved.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT for one process")
def test_ctrl_c_exits_130_without_a_traceback(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "micrograd", "demo", "--steps", "100000", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    path, deadline = tmp_path / "checkpoint.json", time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("micrograd demo: interrupted")
    assert err.count("\n") == 1
    document = read_json(path)
    assert document["done"] == len(document["history"]["loss"])
