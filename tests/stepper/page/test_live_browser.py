"""A page that computes by itself, in Chromium and in node: numbers, texts and whole walks."""

import itertools
import math
import os
import random
import re

import pytest
from live_page import TEXTS, changed, engines_of_pages, spelt, texts_of, unplaced
from random_graphs import random_graph

from micrograd import MLP, Value, define, losses, ops, steps
from micrograd.backward_pass import BROKEN
from micrograd.errors import MicrogradError
from micrograd.replay.instructions import instructions
from micrograd.stepper.page import page_data
from micrograd.style import number_text

pytestmark = pytest.mark.browser
GRAPHS = 2_000 if os.environ.get("CI") else 200
SAY = list(TEXTS).index("say")
EDGES = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e300, -1e-300, 0.5, 2.0]


@pytest.fixture(scope="module")
def ask():
    with engines_of_pages() as engines:

        def ask(name, argument=None):
            found, *others = [engine(name, argument) for engine in engines]
            assert all(other == found for other in others)
            return found

        yield ask


def test_numbers_are_written_as_python_writes_them(ask):
    rng = random.Random(0)
    floats = [rng.uniform(-1, 1) * 10.0 ** rng.randint(-320, 308) for _ in range(25_000)]
    floats += [rng.uniform(-10, 10) * 10.0 ** rng.randint(-6, 6) for _ in range(25_000)]
    ties = [(rng.randint(-99_999, 99_999) + 0.5) / 2 ** rng.randint(0, 16) for _ in range(30_000)]
    near = [rng.randint(1, 10**5) * 10.0 ** rng.randint(-12, 6) for _ in range(10_000)]
    floats += [*ties, *near, *EDGES, 0.40625, 99999.5, 99998.5, 12344.5, 9.9995, 5e-324, 1e5, 1e-4]
    ints = [rng.randint(-(10 ** rng.randint(1, 15)), 10**6) for _ in range(10_000)]
    ints += [int(rng.uniform(-1, 1) * 10.0 ** rng.randint(15, 307)) for _ in range(2_000)]
    found = ask("numbers", [list(map(spelt, floats)), list(map(str, ints))])
    for x, texts in zip([*floats, *ints], itertools.chain(*found), strict=True):
        wanted = [number_text(x), number_text(x, signed=True), number_text(x, 3, signed=True)]
        assert texts == wanted, x


def test_a_wrong_rule_is_wrong_in_the_page_as_well_and_a_rule_that_python_has_not_is_seen(ask):
    wrong = define(name="wrong", forward=lambda x: x * 3, partials=lambda out, x: (2 + x * 0,))
    try:
        x = Value(2.0, label="x")
        assert ask("load", page_data(steps(wrong(x)))) == ""
        assert ask("set", [(0, 3.0)]) == ""
        assert ask("read")["nodes"] == [["3", None], ["9", ["2"]]]
    finally:
        ops.TABLE.pop("wrong")
        delattr(ops.Operators, "wrong")
    listed = instructions(ops.TABLE["tanh"])
    saved, listed[4] = listed[4], [0]  # another derivative than Python's
    try:
        why = ask("load", page_data(steps(Value(0.5, label="x").tanh())))
        assert why.startswith("The page computes ")
    finally:
        listed[4] = saved


def test_small_numbers_are_computed_and_a_sentence_of_a_group_that_is_not_pythons_is_seen(ask):
    a = Value(5e-324, label="a")
    assert ask("load", page_data(steps((a * 2 + a) * 0.5 * Value(3e-310, label="b")))) == ""
    model = MLP(2, [2, 1], rng=random.Random(0))
    data = page_data(steps(losses.mse([model([1.0, 2.0])], [1.0])))
    assert ask("load", data) == ""
    data["strings"][data["sections"][1]["groups"][0]["text"]] += " More."
    assert re.match(r"The page says step \d+ otherwise than Python: ", ask("load", data))


def test_random_graphs_give_the_walk_of_the_changed_graph(ask):
    compared = 0
    for seed in range(GRAPHS):
        rng = random.Random(seed)
        root = random_graph(seed, size=rng.randint(1, 12))
        try:
            stepper = steps(root, broken=rng.choice([None, None, *BROKEN]))
        except MicrogradError:  # plain recursion takes too long
            continue
        leaves = [i for i, node in enumerate(stepper.nodes) if node.label[:1] == "x"]
        compare(ask, stepper, [(i, rng.choice([rng.uniform(-2, 2), 0.0, 0.5, 3])) for i in leaves])
        compared += 1
    assert compared > 0.8 * GRAPHS


def loss_of(kind, model, samples):
    """Return the loss of a kind of loss for some samples, with a penalty on the parameters."""
    outputs = [model(list(x)) for x, _ in samples]
    classes = [c for _, c in samples]
    if kind == "cross_entropy":
        data = losses.cross_entropy(outputs, classes)
    elif kind == "binary":
        data = losses.binary_cross_entropy_with_logits([y[0] for y in outputs], classes)
    elif kind == "mse":
        data = losses.mse([y[0] for y in outputs], [float(c) for c in classes])
    else:
        data = losses.hinge([y[0] for y in outputs], [2 * c - 1 for c in classes])
    return data + 0.01 * sum((p * p for p in model.parameters()), Value(0.0))


def test_networks_give_the_walk_of_the_changed_graph_with_the_texts_of_their_groups(ask):
    samples = [((0.5, -1.0), 1), ((0.25, 0.75), 0)]
    for kind in ("cross_entropy", "binary", "mse", "hinge"):
        for count, activation in ((1, "tanh"), (2, "sigmoid")):
            rng = random.Random(f"{kind} {count}")
            model = MLP(2, [3, 2], activation=activation, rng=rng)
            broken = rng.choice([None, "assign", "no_zero_grad"])
            stepper = steps(loss_of(kind, model, samples[:count]), broken=broken)
            weights = {p: rng.uniform(-2, 2) for p in model.parameters()[::3]}
            places = {node: i for i, node in enumerate(stepper.nodes)}
            compare(ask, stepper, [(places[p], x) for p, x in weights.items()])


def test_a_branch_that_is_not_chosen_is_passed_nothing_after_a_change_as_well(ask):
    x, a = Value(2.0, label="x"), Value(4.0, label="a")
    for row in (ops.sqrt, ops.log):
        stepper = steps(ops.where(1, x, row(a)) * x)
        for number in (0.0, 1e-320)[row is ops.log :]:
            compare(ask, stepper, [(stepper.nodes.index(a), number)])


def compare(ask, stepper, changes):
    """Compare what the page shows with what Python sends of the changed graph."""
    layout = unplaced(stepper)
    found = ask("pull", [page_data(stepper, layout), changes])
    assert isinstance(found, dict), found
    wanted = texts_of(changed(stepper, changes), layout)
    sizes, right = found.pop("sizes"), wanted.pop("sizes")
    for one, other in zip(sizes, right, strict=True):
        assert one == pytest.approx(other, abs=0.0101)
    if stepper.broken:  # after a change the page does not say which gradients are wrong in the end
        for texts in (found, wanted):
            texts["steps"][-1][SAY] = texts["steps"][-1][SAY].partition(" Done in ")[0]
    if wanted["paths"]:  # of very many the page keeps those that were the largest
        several = [any(row[0] == "together" for row in rows) for rows in wanted["paths"]]
        for texts in (found, wanted):
            pairs = zip(texts["paths"], several, strict=True)
            texts["paths"] = [rows for rows, too_many in pairs if not too_many]
    for key, texts in wanted.items():
        assert found[key] == texts, key


def test_a_number_that_is_not_defined_is_refused_and_nothing_changes(ask):
    x, y = Value(2.0, label="x"), Value(0.5, label="y")
    root = ops.log(x) * ops.exp(y) + ops.sqrt(x * y) + 3 * ops.where(x, y, x) / y
    stepper = steps(root)
    assert ask("load", page_data(stepper)) == ""
    before = ask("read")
    places = {node.label: i for i, node in enumerate(stepper.nodes)}
    for name, number, said in (
        ("x", -1.0, "Not defined here: log(-1)."),
        ("x", 0.0, "Not defined here: log(0)."),
        ("y", 1000.0, "Not defined here: exp(1000)."),
        ("y", 0.0, "Not defined here: 0 / 0."),
    ):
        assert ask("set", [(places[name], number)]) == said
        assert ask("read") == before
    assert ask("set", [(len(stepper.nodes) - 1, 1.0)]).endswith(
        "is computed: it cannot be changed."
    )
    curve = ask("curve", [places["x"], [-1, 0, 1, 4]])
    assert curve[:2] == [None, None]
    for number, found in zip((1.0, 4.0), curve[2:], strict=True):
        assert found == pytest.approx(
            changed(stepper, [(places["x"], number)]).root.data, rel=1e-14
        )
    assert ask("read") == before
