"""The command line: help, arguments in any order, and what cannot be used."""

import io
import shlex
import subprocess
import sys
import time

import pytest
from tables import each

from micrograd import __version__
from micrograd.cli import COMMANDS, main
from micrograd.cli.expression import functions


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "micrograd", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        **options,
    )


def test_alone_it_prints_help(capsys):
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert "usage: micrograd" in out
    assert "demo" in out
    assert err == ""


def test_it_runs_as_a_module_and_says_its_version():
    done = command("--version")
    assert (done.returncode, done.stdout) == (0, f"micrograd {__version__}\n")


def test_every_command_has_help(capsys):
    for entry in COMMANDS:
        assert main([entry.name, "--help"]) == 0
        assert entry.summary.split()[0] in capsys.readouterr().out


@pytest.mark.parametrize("name", ["graph", "step"])
def test_help_of_an_expression_lists_the_functions_and_an_example(name, capsys):
    assert main([name, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert ", ".join(sorted(functions())) in shown
    example = shlex.split(shown.split("example: ")[1])
    assert example[:2] == ["micrograd", name]


@each("name", ["graph", "step"])
@each(
    "words",
    [
        ["x * 2", "x=3", "OPTION"],
        ["x * 2", "OPTION", "x=3"],
        ["OPTION", "x * 2", "x=3"],
        ["-x * -2", "OPTION", "x=3"],
        ["OPTION", "-x*-2", "x=3"],
        ["-(x) * -2", "x=3", "OPTION"],
        ["-2*x + 4*x", "x=3", "OPTION"],
        ["--x * 2", "x=3", "OPTION"],
        ["-.5*x*-4", "x=3", "OPTION"],
        ["OPTION", "--", "-x*-2", "x=3"],
        ["-h*2", "h=-3", "OPTION"],
        ["-o*2", "OPTION", "o=-3"],
    ],
    ids=" ".join,
)
def test_numbers_stand_anywhere_and_a_minus_begins_an_expression(name, words, capsys):
    option = {"graph": "--no-local", "step": "--all"}[name]
    assert main([name, *[option if word == "OPTION" else word for word in words]]) == 0
    assert "6" in capsys.readouterr().out


def test_an_output_stands_anywhere_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for k, words in enumerate(
        (["-o", "0.svg", "x=3"], ["x=3", "-o1.svg"], ["--output=2.svg", "x=3"])
    ):
        assert main(["graph", "-x", *words]) == 0
        assert (tmp_path / f"{k}.svg").exists()
    assert main(["graph", "x", "x=3", "--precision", "-1"]) == 1
    assert "-1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["graph", "step"])
@pytest.mark.parametrize("text", ["9**9**9", "9" * 100_000, "9" * 5000 + "-x"])
def test_large_integers_end_soon_and_without_a_traceback(name, text, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    start = time.perf_counter()
    assert main([name, text, *(["x=1"] if "x" in text else [])]) in (0, 1, 2)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["demo", "--steps", "0"], "--steps"),
        (["demo", "--steps", "many"], "invalid whole number value: 'many'"),
        (["demo", "--hidden", "-3"], "--hidden"),
        (["demo", "--lr", "nan"], "--lr"),
        (["demo", "--seed", "-1"], "--seed"),
        (["demo", "--dataset", "mnist"], "invalid choice: 'mnist'"),
        (["demo", "--activation", "rellu"], "unknown activation 'rellu'"),
        (["demo", "--batch-size", "101"], "more than the 100 samples of moons"),
        (["demo", "--nothing"], "unrecognized arguments: --nothing"),
        (["dmo"], "invalid choice: 'dmo'"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(tmp_path, monkeypatch, capsys, arguments, told):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert told in err
    assert "--help" in err
    assert not list(tmp_path.iterdir())
