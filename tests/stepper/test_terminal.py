from micrograd import Value
from micrograd.stepper import steps
from micrograd.stepper.terminal import table_text, walk


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
    assert "'x' is not a key here" in texts[6]
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
