import random

from micrograd import Value
from micrograd.nn import MLP
from micrograd.stepper import steps
from micrograd.stepper.terminal import graph_text, table_text, walk


def stepper(broken=None):
    x, w = Value(2, label="x"), Value(-3, label="w")
    h = x * w
    h.label = "h"
    L = h * h
    L.label = "L"
    return steps(L, broken)


def network(*nouts, samples=1):
    model = MLP(2, [*nouts], rng=random.Random(0))
    first, *others = (model([k + 1.0, -1.0]) for k in range(samples))
    return steps(sum(others, first))


def shown(*lines, broken=None, of=None):
    keys, texts = iter(lines), []

    def read(prompt):
        try:
            return next(keys)
        except StopIteration:
            raise EOFError from None

    walk(of or stepper(broken), read, texts.append)
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


def test_the_graph_marks_the_value_of_the_step_and_draws_a_shared_result_once():
    walker = stepper()
    walker.go(4)  # the second contribution to h
    assert graph_text(walker).splitlines() == [
        "  value    data  grad",
        "  L          36    +1  final",
        "▶ └─ h       -6   -12  final",
        "     ├─ x     2     –",
        "     └─ w    -3     –",
    ]
    assert shown("v")[2].startswith("  value    data")


def test_of_a_large_graph_the_step_is_drawn():
    x = Value(1.0, label="x")
    y = x
    for _ in range(50):
        y = y + x
    walker = steps(y)
    walker.go(-1)
    assert len(graph_text(walker).splitlines()) == 1 + 2
    assert "… 94 more" in graph_text(steps(sum_of(100)))


def sum_of(count):
    from micrograd import sum as added

    return added([Value(1.0, label=f"x{i}") for i in range(count)])


def test_wide_letters_keep_the_columns_of_the_graph():
    lines = graph_text(steps(Value(1.0, label="重み") * Value(2.0, label="b"))).splitlines()
    assert lines[2] == "  ├─ 重み      1     –"
    assert lines[3] == "  └─ b         2     –"


def test_a_network_is_walked_by_neurons_under_headings_of_sections():
    texts = shown("n", "n", "n", "b", "q", of=network(2, 1))
    heads = [text.splitlines()[0].split("] ")[1] for text in texts[1:]]
    assert [head.split(":")[0] for head in heads] == [
        "Forward, layer 1", "Forward, layer 1", "Forward, layer 2", "Backward, layer 2",
        "Forward, layer 2",
    ]  # fmt: skip
    assert "Neuron 2 of layer 1" in texts[2]


def test_a_neuron_opens_and_closes():
    walker = network(2, 1)
    texts = shown("o", "n", "n", "o", of=walker)
    assert [text.split("/")[0] for text in texts[1:]] == ["[2", "[1", "[2", "[3", "[4"]
    assert shown("o")[2] == "There is no neuron to open: each step is shown."


def test_sections_are_gone_through_in_both_directions():
    walker = network(2, 1)
    texts = shown(*"ssssSSSSS", of=walker)
    names = [text.splitlines()[0].split("] ")[-1].split(":")[0] for text in texts[1:]]
    assert names == [
        "Forward, layer 1", "Forward, layer 2", "Backward, layer 2", "Backward, layer 1",
        "Backward, layer 1", "Backward, layer 1", "Backward, layer 2", "Forward, layer 2",
        "Forward, layer 1", "This is the first step.",
    ]  # fmt: skip


def test_every_step_of_a_network_is_within_reach_closed_and_open():
    for samples in (1, 3):
        for opened in ("", "o"):
            walker = network(3, 2, 1, samples=samples)
            lines = [opened] * bool(opened) + ["n"] * (len(walker) + 1)
            assert shown(*lines, of=walker)[-1] == "This is the last step."
            assert walker.position == len(walker) - 1
