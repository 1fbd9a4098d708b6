"""Whole walks, word by word: what is said of each step of small graphs that were read by hand.

They are stored anew, to read in the difference what has changed, by
`PYTHONPATH=tests/support python tests/sentences/test_walks.py`.
"""

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

from tables import each

from micrograd import ops, steps
from micrograd.engine import Value
from micrograd.losses import mse
from micrograd.nn import MLP, Neuron
from micrograd.sentences import Words

STORED = Path(__file__).parents[1] / "data" / "walks.txt"


def named(name: str, data: Any) -> Value:
    return Value(data, label=name)


def titled(name: str, value: Value) -> Value:
    value.label = name
    return value


def diamond() -> Value:
    """Return a graph in which a value is used at two depths, the shallow use first."""
    x = named("x", 2)
    h = titled("h", x * 3)
    s = titled("s", h * h)
    return titled("loss", ops.sum([h, s, named("b", 1)]))


def neuron() -> Value:
    made = Neuron(2, activation="tanh")
    for parameter, number in zip(made.parameters(), (0.5, -1.0, 0.25), strict=True):
        parameter.data = number
    return made([1.5, 0.25])


def network() -> Value:
    model = MLP(1, [1, 1, 1], activation=["sigmoid", "relu", "linear"])
    numbers = (2.0, -2.0, 4.0, 0.5, 1.0, 0.0)
    for parameter, number in zip(model.parameters(), numbers, strict=True):
        parameter.data = number
    return mse([model([1.0])], [1.5])


def thrice() -> Value:
    """Return a graph whose leaf gets nothing twice, and then something."""
    x = named("x", -1)
    return ops.sum([x * 3, ops.relu(x), ops.relu(x)])


GRAPHS = {
    "a product and a sum": lambda: named("w", 2) * named("x", -3) + named("b", 10),
    "a name for the result": lambda: titled("s", named("w", 2) * 4),
    "digits that are cut": lambda: named("x", 1 / 3) / named("y", 0.7),
    "fractions": lambda: named("x", Fraction(1, 3)) * named("y", Fraction(-3, 2)) - 1,
    "an operand twice": lambda: ops.mul(*[named("x", 3)] * 2),
    "an operand twice, cut": lambda: ops.mul(*[named("x", 1 / 3)] * 2),
    "an operand three times": lambda: ops.sum([named("x", 0.5)] * 3),
    "a kink": lambda: ops.relu(named("x", 0.0)),
    "flat": lambda: ops.relu(named("x", -2.0)),
    "a negative": lambda: -named("x", 3) * 2,
    "a sign": lambda: abs(-named("x", 0)),
    "a choice": lambda: ops.maximum(named("a", 1.0), named("b", 2.0)) * 3,
    "a tie": lambda: ops.maximum(named("a", 2), named("b", 2)),
    "nothing arrives": lambda: ops.tanh(named("a", 0.5) * 2.0) * 0,
    "no derivative, and none is needed": lambda: ops.relu(-ops.sqrt(named("a", 0.0))),
    "an infinity that is not chosen": lambda: (
        ops.where(named("c", 0.0), named("a", 1.0), named("b", 2.0)) * math.inf
    ),
    "held constant": lambda: ops.softmax([named("a", 1.0), named("b", 1.0)])[0],
    "the largest of many": lambda: ops.peak_of(6)(*[named(f"z{k}", k) for k in range(6)]),
    "five operands": lambda: ops.sum([named(f"z{k}", k) for k in range(5)]),
    "an exponent": lambda: (named("a", 1.0) + named("b", 1.0)) ** named("y", 2.0),
    "two legs": lambda: ops.hypot(named("a", 3.0), named("b", 4.0)),
    "in parentheses": lambda: named("x", 2) * (named("a", 1) + named("b", 3)),
    "in two pairs of them": lambda: (
        named("x", 2) * ((named("a", 1) + named("b", 3)) * (named("c", 5) - named("d", 4)))
    ),
    "many operands": lambda: ops.logsumexp([named(f"z{k}", 0.0) for k in range(7)]),
    "a function of a function": lambda: ops.exp(ops.log(named("x", 2.0))) ** 2,
    "a power": lambda: named("x", 3) ** -1,
    "by hand": lambda: Value(5.0, (named("a", 2.0),), (2.5,)) + 1,
    "the same again": lambda: ops.identity(named("a", 2.0)),
    "a neuron": neuron,
    "a network": network,
}
BROKEN = ["assign", "recursion", "visit_once", "post_order", "no_zero_grad"]
WALKS: dict[str, Any] = {
    **{name: (make, None) for name, make in GRAPHS.items()},
    **{f"broken: {name}": (diamond, name) for name in BROKEN},
    "broken: assign, without a name": (lambda: ops.mul(*[named("x", 2) * 3] * 2), "assign"),
    "broken: assign, of nothing": (thrice, "assign"),
}


# A derivative that does not exist, and an infinity times a 0, have no number to be written down.
WITHOUT_NUMBERS = {"no derivative, and none is needed", "an infinity that is not chosen"}
IN_LATEX = {"digits that are cut", "fractions", "held constant", "a neuron", "broken: assign"}


def transcript(name: str) -> str:
    """Return what is said of a walk: sentences, then rules, captions and, of some, LaTeX."""
    make, broken = WALKS[name]
    walk = steps(make(), broken)
    lines = [f"#### {name}"]
    for step in walk:
        if broken and step.kind == "forward":
            continue
        lines.append(f"{step.index + 1}. {step.text}")
        if step.rule and not broken and name not in WITHOUT_NUMBERS:
            lines.append(f"   rule: {step.rule}")
        if step.kind == "chain" and name not in WITHOUT_NUMBERS:
            lines.append(f"   in numbers: {walk.words.caption(step.row)}")
            if broken or name in IN_LATEX:
                arithmetic, sign = walk.words.arithmetic(step.row), walk.words.sum_sign(step.row)
                lines.append(f"   in short: {arithmetic} (the sum: {sign})")
        if broken and (right := walk.words.correct_after(step.row)) is not None:
            lines.append(f"   should be: {right}")
        if name in IN_LATEX:
            lines.append(f"   {step.latex}")
    if name in IN_LATEX:
        lines.append(", ".join(map(walk.words.gradient_symbol, range(len(walk.nodes)))))
    return "\n".join(lines)


def stored() -> dict[str, str]:
    blocks = STORED.read_text(encoding="utf-8").split("#### ")[1:]
    return {block.partition("\n")[0]: f"#### {block}".rstrip("\n") for block in blocks}


@each("name", WALKS)
def test_a_walk_reads_as_it_did_when_it_was_read_by_hand(name: str) -> None:
    assert transcript(name).splitlines() == stored()[name].splitlines()


def test_nothing_is_stored_that_is_not_walked() -> None:
    assert list(stored()) == list(WALKS)


def test_the_digits_can_be_fewer() -> None:
    recording, rows = (walk := steps(named("x", 1 / 3) * named("y", 2 / 3))).recording, walk.rows
    assert [Words(recording, precision=2).sentence(row) for row in rows] == [
        "The product x × y is 0.33 × 0.67 ≈ 0.22.",
        "The backward pass starts at x × y. Its derivative with respect to itself is 1.",
        "x × y passes gradient back to x: upstream +1 times local derivative 0.67 is +0.67. "
        "That is all that x gets: final.",
        "x × y passes gradient back to y: upstream +1 times local derivative 0.33 is +0.33. "
        "That is all that y gets: final.",
    ]


if __name__ == "__main__":
    STORED.write_text("\n\n".join(map(transcript, WALKS)) + "\n", encoding="utf-8")
