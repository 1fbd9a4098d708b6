import io

from micrograd.cli import main


def test_the_command_walks_by_keys(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\ng x\nq\n"))
    assert main(["step", "(x * w + 1) * x", "x=2", "w=-3"]) == 0
    shown = capsys.readouterr().out
    assert "[1/10] Forward 1 of 3" in shown
    assert "The product x × w is 2 × (-3) = -6." in shown
    assert "Added to -5, x.grad is -11. That was the last of 2: final." in shown


def test_the_command_prints_all_steps(capsys):
    assert main(["step", "x * x", "x=3", "--all", "--broken", "assign"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Broken on purpose: = instead of +=\n   1  The product")
    assert "Done in 3 steps: x +3 (correct: +6)." in shown


def test_the_command_writes_a_page(tmp_path, capsys):
    path = tmp_path / "page.html"
    assert main(["step", "x * x", "x=3", "--html", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_command_says_what_it_cannot_use(capsys):
    assert main(["step", "x * )", "x=3"]) == 2
    assert main(["step", "log(x)", "x=-1"]) in (1, 2)
    assert main(["step", "sqrt(x)", "x=0"]) == 1
    assert main(["step", "x", "x=1", "--broken", "zero"]) == 2
    assert capsys.readouterr().err.count("micrograd step: ") == 4
