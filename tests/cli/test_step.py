import io

from micrograd import Value
from micrograd.cli import main
from micrograd.cli.step import table_text, walk
from micrograd.stepper import steps


def stepper(broken=None):
    x, w = Value(2, label="x"), Value(-3, label="w")
    h = x * w
    h.label = "h"
    L = h * h
    L.label = "L"
    return steps(L, broken)


def shown(*lines, broken=None):
    keys, texts = iter(lines), []

    def read(prompt):
        try:
            return next(keys)
        except StopIteration:
            raise EOFError from None

    walk(stepper(broken), read, texts.append)
    return texts


def test_the_keys_move_through_the_steps():
    texts = shown("n", "", "b", "g 5", "g x", "g -1", "q", "n")
    heads = [text.split("/")[0] for text in texts[1:]]
    assert heads == ["[1", "[2", "[3", "[2", "[5", "[6", "[7"]
    assert texts[1].splitlines()[1] == "  h is the product x × w: 2 × (-3) = -6."


def test_the_ends_and_wrong_keys_are_answered():
    texts = shown("b", "g 99", "g nobody", "g", "x", "?", "g 7", "n")
    assert texts[2] == "This is the first step."
    assert "there is no step" in texts[3]
    assert "the steps are 1 to 7" in texts[3]
    assert "no value called 'nobody'" in texts[4]
    assert "no value called ''" in texts[5]
    assert "'x' is no key here" in texts[6]
    assert "the next step" in texts[7]
    assert texts[-1] == "This is the last step."


def test_the_table_shows_what_is_known():
    walker = stepper()
    walker.go(3)
    assert table_text(walker).splitlines() == [
        "  value  data  grad",
        "  x         2     –",
        "  w        -3     –",
        "  h        -6    -6  1 of 2",
        "  L        36    +1  final",
    ]
    assert "value" in shown("t")[2]


def test_a_broken_pass_is_announced_first():
    assert shown(broken="assign")[0] == "Broken on purpose: = instead of +="


# ---- the command -------------------------------------------------------------------------------


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
    assert "Done in 3 steps: x +3 (right: +6)." in shown


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
