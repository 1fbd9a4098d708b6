"""Guessing a number of a step: the table of mistakes, and how the terminal asks."""

import math
from copy import copy
from fractions import Fraction

import pytest
from tables import each

from micrograd import Value, cli, steps
from micrograd.errors import ArgumentError
from micrograd.losses import cross_entropy
from micrograd.nn import MLP
from micrograd.ops import softmax
from micrograd.sentences.mistakes import MISTAKES, SAID
from micrograd.stepper.guess import score
from micrograd.stepper.terminal import walk


def question(root, name="x"):
    return steps(root, guess=True).find(name).question


def leaf(data, name="x"):
    return Value(data, label=name)


def product():
    w, x = leaf(-3.0, "w"), leaf(2.0)
    return 1.5 * (w * x)


def several():
    """Return a sum in which x gets 4, 5, 2 and 2, in this order."""
    x = leaf(2.0)
    return x * x + x * 5.0 + x**2


def classifier():
    """Return a loss of 3 classes, of which the right one has the probability 1/4."""
    model = MLP(1, [3], activation="tanh")
    for neuron, bias in zip(model.layers[0].neurons, (math.log(2), 0.0, 0.0), strict=True):
        neuron.w[0].data, neuron.b.data = 0.0, bias
    return cross_entropy([model([1.0])], [1])


sigma = 1 / (1 + math.exp(-0.5))
o = math.tanh(0.5)


# What is typed and what is said of it, with numbers worked out by hand.
NAMED = {
    "own value": (lambda: question(product(), "w"), "-4.5", "You used w itself."),
    "sigma": (lambda: question(3.0 * leaf(0.5).sigmoid()), f"{3 * sigma}", "You used σ(s)."),
    "1 - sigma": (lambda: question(3.0 * leaf(0.5).sigmoid()), f"{3 - 3 * sigma}", "You used"),
    "1 - o": (lambda: question(3.0 * leaf(0.5).tanh()), f"{3 - 3 * o}", "1 - o is not enough"),
    "o": (lambda: question(3.0 * leaf(0.5).tanh()), f"{3 * o}", "The slope of tanh is 1 - o²"),
    "relu off": (lambda: question(3.0 * leaf(-2.0).relu()), "3", "relu is off here"),
    "not chosen": (
        lambda: question(3.0 * leaf(-2.0).maximum(leaf(1.0, "y"))), "3",
        "maximum did not choose x",
    ),
    "power": (lambda: question(leaf(3.0) ** 2), "9", "The exponent comes down"),
    "power, not dropped": (lambda: question(leaf(3.0) ** 2), "18", "The exponent comes down"),
    "half power": (lambda: question(leaf(9.0) ** Fraction(1, 2)), "3", "The exponent comes down"),
    "difference": (
        lambda: question(2.0 * (leaf(5.0) - leaf(3.0, "y")), "y"), "2", "The second operand enters",
    ),
    "quotient": (
        lambda: question(2.0 * (leaf(5.0) / leaf(4.0, "y")), "y"), "0.625", "The second operand",
    ),
    "replaced": (lambda: question(several()), "2", "That is what arrives now."),
    "sign": (lambda: question(3.0 * leaf(0.5).exp()), f"{-3 * math.exp(0.5)}", "Right size, wrong"),
    "sign of what arrives": (lambda: question(several()), "9", "Right size, wrong sign."),
    "local alone": (lambda: question(3.0 * leaf(2.0).log()), "0.5", "That is the local"),
    "upstream alone": (lambda: question(3.0 * leaf(2.0).log()), "+3", "That is the upstream"),
    "added": (lambda: question(3.0 * leaf(2.0).log()), "3.5", "Added. The chain rule"),
    "other operand": (
        lambda: question(3.0 * leaf(2.0).arctan2(leaf(1.0, "y"))), "-1.2",
        "That is the local derivative in another operand",
    ),
    "path": (lambda: question(several()), "8", "One path is missing"),
    "this path": (lambda: question(several()), "11", "One path is missing"),
    "probability": (lambda: question(classifier(), "s1[2]"), "0.25", "That is the probability."),
    "none": (lambda: question(3.0 * leaf(2.0).log()), "77", "Not yet. Upstream and local"),
    "no number": (lambda: question(3.0 * leaf(2.0).log()), " a1 ", "“a1” is not a number: write 2"),
}  # fmt: skip


def test_a_wrong_answer_is_told_which_mistake_it_is():
    @each(("name", "make", "typed", "start"), [(name, *row) for name, row in NAMED.items()])
    def tell(name, make, typed, start):
        is_right, said = make().check(typed)
        assert is_right is (None if name == "no number" else False)
        assert said.removeprefix("Not right. ").startswith(start), said

    tell()

    assert "{" not in "".join(make().check(typed)[1] for make, typed, _ in NAMED.values())


def test_a_mistake_without_what_was_there_is_the_same_mistake():
    x = leaf(0.5)
    asked = question(x.sigmoid() * 2.0 + x * 7.0)  # 7 comes from the product
    assert asked.check(f"{2 * sigma}") == asked.check(f"{7 + 2 * sigma}")
    assert asked.check(f"{2 * sigma}")[1].startswith("Not right. You used σ(s).")


def test_a_guess_is_right_within_one_per_cent_and_where_its_digits_are_rounded():
    rows = [  # of 3 · 1/3.7 = 0.81081081…
        ("0.81", True), ("0.8", True), ("0.9", False), ("0.8189", True), ("0.8190", False),
        ("0.8028", True), ("0.802", False), ("+0.811", True), ("0,811", True), ("3/3.7", None),
        ("30/37", True), ("8.1e-1", True), ("8E-1", True), ("1", True), ("2", False), ("0", False),
        ("", None),
        ("−0.81", False), ("1e999", None), ("nan", None), ("1_0", None),
    ]  # fmt: skip
    asked = question((leaf(3.7)).log() * 3.0)
    assert asked.correct == pytest.approx(30 / 37)

    @each(("typed", "expected"), rows)
    def check(typed, expected):
        assert asked.check(typed)[0] is expected

    check()


def test_a_number_of_a_mistake_is_no_rounding_of_the_right_number():
    asked = question(leaf(1.4).log() * 1.0)  # 0.714…, which rounds to 1, the upstream gradient
    assert asked.check("0.7") == (True, SAID["right"])
    assert asked.check("1")[1].startswith("Not right. That is the upstream gradient alone.")


def test_only_0_is_right_where_the_gradient_is_0():
    asked = question(3.0 * leaf(-2.0).relu())
    assert [asked.check(typed)[0] for typed in ("0", "0.0", "-0", "0.001")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_a_local_derivative_is_asked_with_its_own_mistakes():
    asked = question(3.0 * leaf(0.5).sigmoid())
    assert asked.check(f"{sigma * (1 - sigma)}", local=True) == (True, SAID["right"])
    assert asked.check(f"{sigma}", local=True)[1].startswith("Not right. You used σ(s).")
    assert asked.check("-0.235", local=True)[1] == "Not right. Right size, wrong sign."
    assert asked.check("3", local=True)[1] == (
        "Not yet. By how much does sigmoid(x) change when x grows by a little?"
    )


def test_every_mistake_of_the_table_and_every_row_has_an_example():
    told = {
        make().check(typed)[1].removeprefix("Not right. ").split(".")[0]
        for make, typed, _ in NAMED.values()
    }
    for mistake in MISTAKES:
        if mistake.sentence and "{" not in mistake.sentence:
            assert mistake.sentence.split(".")[0] in told


def test_only_chain_steps_that_pass_a_gradient_are_asked():
    stepper = steps(softmax([leaf(0.0), leaf(1.0, "y")])[0])
    asked = {stepper.words.names[step.row.node] for step in stepper if step.question}
    held = {step.row.node for step in stepper if step.node.op.held}
    assert held
    assert not asked & {stepper.words.names[i] for i in held}
    assert not any(step.question for step in stepper if step.kind != "chain")


def test_a_number_is_judged_as_its_text():
    question = steps(leaf(1.0) * 2.0)[-2].question
    assert [question.check(answer)[0] for answer in (2, 2.0, Fraction(2), 3, None)] == [
        *[True] * 3, False, None,
    ]  # fmt: skip
    assert question.row(3) == question.row("3")


def test_a_broken_pass_and_other_levels_are_refused():
    for options in ({"guess": 3}, {"guess": "yes"}, {"guess": True, "broken": "assign"}):
        with pytest.raises(ArgumentError, match="guess"):
            steps(leaf(1.0) * 2.0, **options)
    assert steps(leaf(1.0) * 2.0, broken="assign")[-1].question is None


def test_a_copy_keeps_asking():
    assert copy(steps(leaf(1.0) * 2.0, guess=2)).guess == 2


# ---- in a terminal -----------------------------------------------------------------------------


def walked(stepper, *lines):
    """Return what is written for each line, and at the end."""
    written, left = [], [*lines, "q"]
    walk(stepper, read=lambda _: left.pop(0), write=written.append)
    return written


def test_the_terminal_asks_before_it_shows():
    w, x = leaf(-3.0, "w"), leaf(2.5)
    written = walked(
        steps(w * x, guess=True), "g w", "t", "v", "a", "-3", "b", "n", "2.5", "n", "-3", "t"
    )
    shown = written[3:]
    assert shown[0].endswith("What is w.grad now?\n  upstream +1 × local derivative 2.5 = ?")
    assert "w        -3     ?" in shown[1]
    assert "+2.5" not in "".join(shown[:6])
    assert shown[3] == "Guess once; then the answer is shown."
    assert shown[4] == (
        "Not right. You used w itself. The derivative of a product is the other factor."
    )
    assert shown[7].startswith(
        "Right.\n[3/4] Backward 2 of 3\n  w × x passes gradient back to w: up"
    )
    assert "+2.5" in shown[-2]
    assert shown[-1] == "1 of 2 right at the first try"


def test_the_terminal_asks_for_the_local_derivative_first():
    written = walked(steps(3.0 * leaf(0.5).sigmoid(), guess=2), "g x", f"{sigma}", "0.235", "0.705")
    assert written[3].endswith("upstream +3 × local derivative ? = ?")
    assert written[4].startswith("Not right. You used σ(s).")
    assert written[5].startswith("Right. The local derivative is 0.235.")
    assert written[6].startswith("Right.\n")
    assert written[-1] == "0 of 1 right at the first try"


def test_the_command_asks(monkeypatch, capsys):
    lines = iter(["g x", "2", "a", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    assert cli.main(["step", "--guess", "x*w", "x=2", "w=3.5"]) == 0
    printed = capsys.readouterr().out
    assert "What is x.grad now?" in printed
    assert "0 of 1 right at the first try" in printed


def test_the_score_counts_first_tries():
    asked = question(3.0 * leaf(2.0).log())
    rows = [asked.row("3"), asked.row("1.5"), {**asked.row("1.5"), "step": 9}]
    assert score(rows) == "1 of 2 right at the first try"
    assert rows[0] == {"step": 6, "value": "x", "answer": "3", "right": False, "correct": 1.5}
