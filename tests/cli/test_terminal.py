"""Every command on every kind of stream: what an encoding cannot say is said in ASCII."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tables import mostly_slow

from micrograd.cli import COMMANDS, main
from micrograd.cli.terminal import ascii_text, encodable
from micrograd.plot import plot_decision_boundary

ENCODINGS = ("cp1252", "cp437", "latin-1", "ascii", "utf-8")
GRAPH = ["graph", "tanh(x*y) / 3 + µ", "x=1", "y=2", "µ=0.5"]
STEP = ["step", "x*x / 3 + é", "x=1", "é=0.1"]
RUNS = {
    "graph": GRAPH,
    "graph as DOT": [*GRAPH, "--format", "dot"],
    "step by keys": STEP,
    "step": [*STEP, "--all"],
    "step broken": [*STEP, "--all", "--broken", "assign"],
    "step as a page": [*STEP, "--html", "page.html"],
    "notebooks": ["notebooks", "--no-open", "é"],
    "wrong expression": ["graph", "x × ∂", "x=1"],
    "wrong name": ["step", "x", "∂=1"],
    "wrong option": ["step", "x", "--broken", "∂"],
    "no gradient": ["step", "sqrt(µ)", "µ=0"],
    "wrong file": ["graph", "x", "x=1", "-o", "∂/é.svg"],
    "wrong command": ["∂"],
    "alone": [],
    **{f"help of {command.name}": [command.name, "--help"] for command in COMMANDS},
}
IN_A_PROCESS = [GRAPH, STEP, ["step", "x × 2", "x=1"]]
# What the replacements must have made of it; elsewhere it stands as it is.
MARKS = {"∂": "d", "×": "*", "≈": "~"}


def run_with(encoding: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run a command with strict streams of an encoding and return what was written."""
    raw = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(each, encoding=encoding, errors="strict") for each in raw)
    keys = io.TextIOWrapper(io.BytesIO(b"n\nt\n?\n\xff\xfe\xe9\ng x\nq\n"), encoding=encoding)
    monkeypatch.setattr("sys.stdin", keys)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("COLUMNS", "200")
    main(arguments)
    out.flush()
    err.flush()
    return [each.getvalue().decode("utf-8" if "dot" in arguments else encoding) for each in raw]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("run", RUNS)
def test_every_command_writes_what_the_stream_can_say(
    run: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    for folder, name in (("found", encoding), ("right", "utf-8")):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        written.append(run_with(name, RUNS[run], monkeypatch))
    found, right = written
    for text, full in zip(found, right, strict=True):
        assert "Traceback" not in text
        assert "?" not in text.replace("? help", "") or "?" in full
        if encoding == "ascii" and "dot" not in RUNS[run]:
            assert text == ascii_text(full)
        for sign, plain in MARKS.items():
            assert (sign in text) or sign not in full or plain in text


@pytest.mark.parametrize("encoding", mostly_slow(ENCODINGS))
def test_the_demo_writes_what_the_stream_can_say(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    monkeypatch.setitem(plot_decision_boundary.__kwdefaults__, "resolution", 9)  # words are tested
    arguments = ["demo", "--steps", "1", "--hidden", "1", "--out", str(tmp_path / "é∂")]
    out, err = run_with(encoding, arguments, monkeypatch)
    assert "Written:" in out
    assert err == ""


@pytest.mark.parametrize("where", ["file", "pipe"])
@pytest.mark.parametrize(
    "settings",
    [
        *({"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"} for encoding in ENCODINGS),
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
    ],
    ids=lambda settings: "-".join(settings.values()),
)
def test_a_process_ends_without_a_traceback(
    settings: dict[str, str], where: str, tmp_path: Path
) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LANG", "LC_CTYPE")
    }
    program = "import sys; from micrograd.cli import main; "
    program += "sys.exit(repr([main(a) for a in RUNS]))".replace("RUNS", ascii(IN_A_PROCESS))
    with (tmp_path / "out").open("w+b") as out, (tmp_path / "err").open("w+b") as err:
        streams = (out, err) if where == "file" else (subprocess.PIPE, subprocess.PIPE)
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=b"n\nt\nq\n",
            stdout=streams[0],
            stderr=streams[1],
            env={**environment, **settings},
            check=False,
        )
        for stream in (out, err):
            stream.seek(0)
        written = (out.read(), err.read()) if where == "file" else (done.stdout or b"", done.stderr)
    assert b"Traceback" not in written[1]
    *said, codes = written[1].splitlines()
    assert codes == b"[0, 0, 2]"
    assert said
    assert b"tanh" in written[0]
    assert b"Saved for the backward pass" in written[0]


def test_the_streams_are_left_as_they_were() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stdin", None)
        patch.setattr("sys.stderr", io.StringIO())
        with encodable():
            print("∂y/∂x ≈ 0.5")
        with pytest.raises(UnicodeEncodeError):
            print("∂")
    out.flush()
    assert out.buffer.getvalue() == b"dy/dx ~ 0.5\n"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("∂L/∂w ≈ -0.5 × 2 · 3 → … – ≥ ½", "dL/dw ~ -0.5 * 2 . 3 -> ... - >= 1/2"),
        ("w⁽¹⁾₂,₁ é ß α \udcff 漢", "w(1)2,1 e ? alpha ? ?"),
    ],
)
def test_replacements_are_what_people_write(text: str, plain: str) -> None:
    assert ascii_text(text) == plain
