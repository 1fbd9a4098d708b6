"""What a page is sent to compute by itself, or why it cannot."""

import math
import re
from fractions import Fraction
from pathlib import Path

import pytest

from micrograd import Value, steps
from micrograd.sentences import slots
from micrograd.stepper.page import live, page_data


def test_a_graph_that_a_page_cannot_compute_says_why():
    x = Value(2.0, label="x")
    by_hand = Value(4.0, (x,), "twice")
    by_hand._backward = lambda: setattr(x, "grad", x.grad + 2 * by_hand.grad)
    for root, said in (
        (Value(Fraction(10**400), label="x") * 2, "a number of this graph is not finite."),
        (Value(2**60, label="n") + 1, "a page has no ints of more than 53 bits."),
        (Value(math.inf, label="x") * 0.5, "a number of this graph is not finite."),
        (by_hand * 3, "the operation 'twice' was made by hand: it has no rule."),
    ):
        assert page_data(steps(root))["live"] == {"why": f"Change a number in Python: {said}"}


@pytest.mark.parametrize(
    ("root", "fixed"),
    [
        (lambda x, n: 3 * x + n, ["3"]),
        (lambda x, n: 2**n * x, ["2"]),
        (lambda x, n: (x - n) ** 2, []),
    ],
)
def test_a_number_of_an_expression_is_fixed_and_a_leaf_is_not(root, fixed):
    stepper = steps(root(Value(2.0, label="x"), Value(3.0, label="n")))
    found = page_data(stepper)["live"]["fixed"]
    assert [stepper.words.names[i] for i in found] == fixed


def test_a_page_fills_in_the_same_slots_as_python():
    path = Path(live.__file__).with_name("static") / "live.js"
    written = re.search(
        r"const slots = \{(.*?)\n  \};", path.read_text(encoding="utf-8"), re.DOTALL
    )
    here = set(re.findall(r"(?:^|\s)(\w+): (?:s|\(s, \w+\)) =>", written[1]))
    assert here == {*slots._SLOTS, "grad", "p"}  # of the closing sentence, and of a loss
