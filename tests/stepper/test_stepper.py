import copy
import math
import pickle
import random
from fractions import Fraction

import pytest
from graphs import guide_graph
from random_graphs import random_graph
from tables import each

import micrograd as mg
from micrograd import Value, ops, where
from micrograd.backward_pass import BROKEN
from micrograd.errors import (
    ArgumentError,
    DomainError,
    GradientError,
    NotInGraphError,
    NumberTypeError,
    StaleGraphError,
    TooLargeError,
)
from micrograd.graph import order
from micrograd.optim import SGD
from micrograd.stepper import steps
from micrograd.stepper.step import NodeState

SEEDS = range(60)


def named(**numbers):
    return [Value(data, label=label) for label, data in numbers.items()]


def the_39_graph(swapped=False):
    a = Value(2, label="a")
    b = 3 * a
    b.label = "b"
    c = b + 1
    c.label = "c"
    d = c * b if swapped else b * c
    d.label = "d"
    return a, d


def bits(numbers):
    """Every bit of every number, whether it is an int, a float or a Fraction."""
    return [
        (Fraction(number), math.copysign(1, number)) if math.isfinite(number) else repr(number)
        for number in numbers
    ]


def after_backward(root):
    nodes = order(root)
    for node in nodes:
        node.grad = 0
    root.backward()
    return [node.grad for node in nodes]


# ---- the sequence is right ---------------------------------------------------------------------


@each("seed", SEEDS)
@pytest.mark.parametrize("exact", [False, True])
def test_the_last_snapshot_equals_backward_bit_for_bit(seed, exact):
    root = random_graph(seed, exact)
    stepper = steps(root)
    last = stepper.snapshot(-1)
    assert bits(last.grads.values()) == bits(after_backward(root))
    assert last.partial == []
    assert last.untouched == []
    assert bits(stepper.gradients) == bits(last.grads.values())


@each("seed", SEEDS)
def test_every_contribution_is_upstream_times_local_and_is_added(seed):
    for step in steps(random_graph(seed)):
        if step.kind == "chain":
            assert step.contribution == step.upstream * step.local
            assert step.grad_after == step.grad_before + step.contribution
            assert step.local == step.node.local_derivatives()[step.operand]
            assert step.parent is step.node.parents[step.operand]


@each("seed", SEEDS)
def test_every_edge_is_walked_once_and_only_from_a_complete_gradient(seed):
    root = random_graph(seed)
    stepper = steps(root)
    right = dict(zip(stepper.nodes, after_backward(root), strict=True))
    edges = [(step.node, step.operand) for step in stepper if step.kind == "chain"]
    wanted = {(node, i) for node in order(root) for i in range(len(node.parents))}
    assert len(edges) == len(wanted)
    assert set(edges) == wanted
    assert all(step.upstream == right[step.node] for step in stepper if step.kind == "chain")


@pytest.mark.parametrize("seed", range(12))
def test_a_snapshot_agrees_with_a_pass_stopped_there(seed):
    stepper = steps(random_graph(seed))
    grads = dict.fromkeys(stepper.nodes)
    evaluated = {node for node in stepper.nodes if not node.parents}
    received = dict.fromkeys(stepper.nodes, 0)
    for step in stepper:
        if step.kind == "forward":
            assert all(parent in evaluated for parent in step.node.parents)
            evaluated.add(step.node)
        else:
            target = step.parent if step.kind == "chain" else step.node
            grads[target] = step.grad_after
            received[target] += 1
        snapshot = stepper.snapshot(step.index)
        assert snapshot.grads == grads
        assert {node for node, state in snapshot.items() if state.evaluated} == evaluated
        assert {node: state.received for node, state in snapshot.items()} == received


def test_a_snapshot_tells_final_partial_and_untouched_apart():
    stepper = steps(guide_graph())
    snapshot = stepper.snapshot(5)
    assert [value.label for value in snapshot.final] == ["s", "L"]
    assert [value.label for value in snapshot.partial] == ["h"]
    assert [value.label for value in snapshot.untouched] == ["x", "w", "b"]
    assert stepper.snapshot(0).untouched == stepper.nodes
    assert snapshot[stepper.nodes[2]].grad == 4
    assert (snapshot[stepper.nodes[2]].received, snapshot[stepper.nodes[2]].expected) == (1, 2)


def test_a_step_and_a_snapshot_count_what_a_value_gets():
    a, b = named(a=2.0, b=-3.0)
    stepper = steps(a * b + a)
    ledger = [(step.kind, step.parent, step.operand, step.number, step.of) for step in stepper]
    assert ledger == [
        ("forward", None, None, None, None),
        ("forward", None, None, None, None),
        ("seed", None, None, 1, 1),
        ("chain", stepper.nodes[2], 0, 1, 1),
        ("chain", a, 1, 1, 2),
        ("chain", a, 0, 2, 2),
        ("chain", b, 1, 1, 1),
    ]
    assert repr(stepper[4]).startswith("<Step 5 of 7, chain: a × b + a passes gradient back to a")
    assert repr(stepper.snapshot(4)) == "<Snapshot after step 5: 2 final, 1 partial, 1 untouched>"
    assert stepper.snapshot(4).index == 4


def test_a_snapshot_of_a_second_pass_keeps_the_gradients_of_leaves_only():
    a, b = named(a=2.0, b=-3.0)
    stepper = steps(a * b + a, broken="no_zero_grad")
    product, root = stepper.nodes[2:]
    first, second = stepper.snapshot(6), stepper.snapshot(7)
    assert first.grads == {a: -2, b: 2, product: 1, root: 1}
    assert second.grads == {a: -2, b: 2, product: None, root: 1}
    for node, expected in ((a, 2), (b, 1), (product, 1), (root, 1)):
        assert second[node] == NodeState(node, True, second.grads[node], node is root, expected)
        assert stepper.snapshot(0)[node].expected == expected
    assert stepper.snapshot(0)[root] == NodeState(root, False, None, 0, 1)


def test_the_text_of_a_stepper_numbers_its_steps_and_says_what_is_broken():
    a, b = named(a=2.0, b=-3.0)
    right, wrong = steps(a * b), steps(a * b, broken="assign")
    assert repr(right) == "<Stepper of a × b = -6: 1 steps forward, 3 back>"
    assert repr(wrong) == f"{repr(right)[:-1]}, broken: = instead of +=>"
    texts = [f"   {i}  {step.text}" for i, step in enumerate(right, start=1)]
    assert str(right).split("\n") == texts
    assert str(wrong).split("\n")[:4] == ["Broken on purpose: = instead of +=", *texts[:3]]


@pytest.mark.parametrize("again", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_stays_broken_and_shows_the_numbers_that_were_recorded(again):
    a, d = the_39_graph()
    stepper = steps(d, broken="recursion")
    stepper.go(3)
    shown = str(stepper)
    a.data = 5
    twin = again(stepper)
    assert (str(twin), twin.broken, twin.position) == (shown, "recursion", 3)
    assert {v.label: pair for v, pair in twin.differences().items() if v.label} == {"a": (60, 39)}


def test_a_ledger_tells_the_step_of_each_contribution():
    _, d = the_39_graph()
    stepper = steps(d)
    assert [
        (entry.index, entry.through, entry.contribution, entry.total)
        for entry in stepper.ledger("b")
    ] == [
        (step.index, step.node, step.contribution, step.grad_after)
        for step in stepper
        if step.parent is not None and step.parent.label == "b"
    ]


@pytest.mark.parametrize("seed", range(8))
def test_back_and_forward_are_inverse_at_every_position(seed):
    stepper = steps(random_graph(seed))
    for position in range(len(stepper) - 1):
        stepper.go(position)
        before = stepper.snapshot()
        stepper.forward()
        stepper.back()
        assert stepper.position == position
        assert dict(stepper.snapshot()) == dict(before)
        stepper.go(position + 1)
        stepper.back()
        stepper.forward()
        assert stepper.position == position + 1


def test_it_stays_at_either_end_and_refuses_steps_that_do_not_exist():
    stepper = steps(guide_graph())
    assert stepper.back().index == 0
    assert stepper.go(-10).index == 0
    assert stepper.go(-1).index == 9
    assert stepper.forward().index == 9
    with pytest.raises(TypeError, match=r"^expected the index of a step to be a whole number"):
        stepper.go("first")
    with pytest.raises(IndexError, match="there is no step 10: the steps are 0 to 9"):
        stepper.go(10)
    assert stepper.position == 9


def test_it_indexes_slices_and_iterates_like_a_list():
    stepper = steps(guide_graph())
    assert len(stepper) == len(list(stepper)) == 10
    assert [step.index for step in stepper[2:5]] == [2, 3, 4]
    assert stepper[-1].index == 9
    assert [step.kind for step in stepper[:4]] == ["forward"] * 3 + ["seed"]
    seed = stepper[3]
    assert (seed.parent, seed.upstream, seed.local, seed.contribution) == (None,) * 4
    assert (seed.grad_before, seed.grad_after) == (0, 1)


def test_find_goes_to_the_step_that_completes_a_gradient():
    stepper = steps(guide_graph())
    assert stepper.find("h").index == 6
    assert stepper.position == 6
    assert stepper.find("L").kind == "seed"
    assert stepper.find(stepper.nodes[0]).index == 8


def test_find_names_what_it_does_not_find():
    stepper = steps(guide_graph())
    with pytest.raises(NotInGraphError, match="no value called 'q'; it has L, s"):
        stepper.find("q")
    with pytest.raises(NotInGraphError, match="is not in this graph"):
        stepper.find(Value(1))
    twice = steps(Value(1, label="a") + Value(2, label="a"))
    with pytest.raises(
        NotInGraphError, match=r"^2 values of this graph are called 'a': give the Value itself$"
    ):
        twice.find("a")


def test_stepping_changes_nothing_of_the_graph():
    root = random_graph(3, size=9)
    nodes = order(root)
    for i, node in enumerate(nodes):
        node.grad = i
    before = [(node.data, node.grad, node.label, node.parents) for node in nodes]
    for broken in (None, *BROKEN):
        stepper = steps(root, broken)
        for step in stepper:
            assert step.text
            assert step.latex
        stepper.snapshot(-1)
        stepper.go(-1)
    assert [(node.data, node.grad, node.label, node.parents) for node in nodes] == before


def test_later_changes_of_the_graph_do_not_reach_the_steps():
    x = Value(3, label="x")
    y = x * x
    stepper = steps(y)
    texts = [step.text for step in stepper]
    x.data = 5
    y.forward()
    y.backward()
    assert [step.text for step in stepper] == texts


def test_a_single_leaf_has_one_step():
    stepper = steps(Value(2.0, label="x"))
    assert [step.kind for step in stepper] == ["seed"]
    assert stepper[0].text == (
        "The backward pass starts at x. Its derivative with respect to itself is 1. "
        "Done in 1 step: x +1, the same as backward()."
    )


def test_depth_costs_no_stack_and_only_linear_time():
    y = Value(1.0, label="x")
    for _ in range(20_000):
        y = y + 1
    stepper = steps(y)
    assert len(stepper) == 20_000 + 1 + 40_000
    assert stepper.find("x").grad_after == 1


# ---- errors are those of backward() ------------------------------------------------------------


def test_data_changed_since_the_forward_pass_is_refused():
    x = Value(3.0, label="x")
    y = x * x
    x.data = 4.0
    with pytest.raises(StaleGraphError, match="x"):
        steps(y)


@pytest.mark.parametrize("make", [lambda x: x.sqrt(), lambda x: x.sqrt() + x])
def test_an_infinite_derivative_is_the_error_of_backward(make):
    root = make(Value(0.0, label="x"))
    with pytest.raises((ArithmeticError, ValueError)) as by_steps:
        steps(root)
    with pytest.raises((ArithmeticError, ValueError)) as by_backward:
        root.backward()
    assert type(by_steps.value) is type(by_backward.value)
    assert str(by_steps.value) == str(by_backward.value)


def test_an_infinite_derivative_that_nothing_reaches_is_no_error():
    x = Value(0.0, label="x")
    root = where(x, x.sqrt(), 1.0)
    assert after_backward(root)[0] == 0
    step = steps(root)[-1]
    assert step.local is None
    assert step.contribution == 0
    assert "passes nothing back to x" in step.text
    assert step.rule
    assert step.latex


def test_the_exponent_of_a_negative_base_is_the_error_of_backward():
    base, exponent = named(a=-2.0, n=3.0)
    with pytest.raises(DomainError):
        steps(base**exponent)


def test_a_node_made_by_hand_has_nothing_to_step_through():
    x = Value(1.0)
    with pytest.raises(GradientError):
        steps(Value(2.0, (x,), "mine"))


@pytest.mark.parametrize("wrong", [3.0, "L", None, [Value(1)]])
def test_something_else_than_a_value_is_refused(wrong):
    with pytest.raises(NumberTypeError, match="expected a Value"):
        steps(wrong)


def test_an_unknown_rule_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"one of None, 'assign', 'recursion'.*got 'zero'"):
        steps(Value(1), broken="zero")


# ---- words -------------------------------------------------------------------------------------


def test_the_sentences_name_who_what_how_much_and_what_is_left():
    texts = [step.text for step in steps(guide_graph())]
    assert texts[1] == "s is the sum h + b: -6 + 10 = 4."
    assert texts[3] == "The backward pass starts at L. Its derivative with respect to itself is 1."
    assert texts[5] == (
        "L passes gradient back to h: upstream +1 times local derivative 4 is +4. "
        "The first of 2 contributions."
    )
    assert texts[6] == (
        "s passes gradient back to h: upstream -6 times local derivative 1 is -6. "
        "Added to +4, h.grad is -2. That was the last of 2: final."
    )
    assert texts[7].endswith("That is all that b gets: final.")
    assert texts[9].endswith("Done in 7 steps: x +6, w -4, b -6, the same as backward().")


def test_a_step_knows_its_formula_rule_latex_and_sum():
    stepper = steps(guide_graph())
    assert stepper[1].rule == "Saved for the backward pass: ∂s/∂h = 1, ∂s/∂b = 1."
    assert stepper[8].formula == "w"
    assert stepper[8].rule == "h = x × w, so ∂h/∂x = w = -3"
    assert stepper[6].addition == "+4 - 6 = -2"
    assert stepper[5].addition == ""
    assert stepper[6].latex == (
        r"\frac{\partial \mathrm{L}}{\partial \mathrm{h}} \mathrel{+}= "
        r"\frac{\partial \mathrm{L}}{\partial \mathrm{s}} \cdot "
        r"\frac{\partial \mathrm{s}}{\partial \mathrm{h}} = (-6) \cdot 1 = -6"
    )


def test_zero_contributions_say_why():
    x = Value(-1.2, label="x")
    r = x.relu()
    r.label = "r"
    assert "the local derivative is 0 (relu is flat at -1.2)." in steps(r * 2)[-1].text
    assert "Nothing arrives from r: its gradient is 0." in steps(r * 0)[-1].text
    corner = Value(0, label="z").relu()
    assert "relu has a kink at 0, where its derivative is taken to be 0." in steps(corner)[-1].text


def test_a_contribution_of_zero_leaves_the_sum_as_it_is():
    (a,) = named(a=2)
    text = steps(a + 0 * a).find("a").text
    assert "a.grad stays +1. That was the last of 2: final." in text


def test_a_sum_of_one_value_is_not_called_by_its_operand():
    (a,) = named(a=2)
    walk = steps(mg.sum([a]))
    assert walk[0].text == "v1 is the sum of a: 2."
    assert walk[2].text.startswith("v1 passes gradient back to a: ")


def test_a_repeated_operand_says_which_use_it_is():
    x = Value(3, label="x")
    texts = [step.text for step in steps(x * x)]
    assert "x is both operands of x × x; this is the first." in texts[-2]
    assert "x is both operands of x × x; this is the second." in texts[-1]


def test_digits_that_do_not_make_the_equation_true_are_marked():
    x = Value(1 / 3, label="x")
    assert steps(x * 3)[0].text == "The product x × 3 is 0.3333 × 3 ≈ 1."
    exact = Value(Fraction(1, 3), label="x")
    assert steps(exact * 3)[0].text == "The product x × 3 is 1/3 × 3 = 1."
    assert "is about" in " ".join(step.text for step in steps(x * 3.0 * 3.0 * x * x))


def test_unlabelled_values_are_named_by_expression_or_by_position():
    a = Value(2.0, label="a")
    names = steps(((a * 3 + 1).tanh() * a) / 7).words.names
    assert names[:4] == ["a", "3", "a × 3", "1"]
    assert names[-2:] == ["7", "v6 / 7"]
    assert steps((a * 3 + 1) ** 2 * (a + 1) ** 2).words.names[-1] == "v9"


def test_labels_of_any_text_are_kept_as_text():
    x = Value(1.0, label="</script><img onerror=x> {0} \\frac{%}")
    stepper = steps(x + x)
    assert "</script><img onerror=x> {0} \\frac{%}" in stepper[-1].text
    assert r"\backslash{}frac\{\%\}" in stepper[-1].latex


# ---- one rule broken ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "typed", "swapped"),
    [
        (None, 39, 39),
        ("assign", 18, 18),
        ("recursion", 60, 78),
        ("visit_once", 21, 39),
        ("post_order", 0, 0),
        ("no_zero_grad", 78, 78),
    ],
)
def test_the_graph_of_39_comes_out_as_theory_says(broken, typed, swapped):
    for flip, wanted in ((False, typed), (True, swapped)):
        a, d = the_39_graph(flip)
        stepper = steps(d, broken)
        assert stepper.gradients[stepper.place(a)] == wanted
        assert stepper.differences().get(a, (39, 39)) == (wanted, 39)


def test_assignment_keeps_only_the_last_contribution():
    a, b = named(a=2, b=1)
    assert steps((a + b) * (b + 1), "assign").differences()[b] == (2, 5)
    assert steps((b + 1) * (a + b), "assign").differences()[b] == (3, 5)
    assert (
        steps(guide_graph(), "assign")
        .find("h")
        .text.endswith("h.grad is overwritten: +4 is lost. It is now -6; -2 would be correct.")
    )


@each("seed", range(20))
def test_recursion_gives_what_a_recursive_engine_gives(seed):
    root = random_graph(seed, exact=True, size=7)
    grads = dict.fromkeys(order(root), 0)
    grads[root] = 1

    def visit(node):
        for parent, local in zip(node.parents, node.local_derivatives(), strict=True):
            grads[parent] += local * grads[node]
        for parent in node.parents:
            visit(parent)

    visit(root)
    assert steps(root, "recursion").gradients == list(grads.values())


@each("seed", range(20))
def test_without_zero_grad_every_leaf_holds_twice_its_gradient(seed):
    stepper = steps(random_graph(seed, exact=True), "no_zero_grad")
    pairs = zip(stepper.nodes, stepper.gradients, stepper.right_gradients, strict=True)
    for node, got, right in pairs:
        assert got == (right if node.parents else 2 * right)


def test_a_tree_comes_out_right_in_any_order_that_goes_back():
    a, b, c = named(a=2, b=3, c=5)
    for broken in ("assign", "recursion", "visit_once"):
        assert steps(a * b + c, broken).differences() == {}


def test_a_broken_pass_says_so_where_it_goes_wrong():
    _, d = the_39_graph()
    early = steps(d, "recursion")
    assert "Too early: b.grad is not complete; +13 would be correct." in str(early)
    assert str(early).startswith("Broken on purpose: no topological order: plain recursion")
    assert early[-1].text.endswith(
        "Done in 9 steps: a +60 (correct: +39). Broken on purpose (no topological order: plain "
        "recursion): 2 of 6 gradients are wrong."
    )
    twice = str(steps(d, "no_zero_grad"))
    assert (
        "Added to +39 left over from the first pass, this gives a.grad = +78: final, but +39 would "
        "be correct" in twice
    )


def test_recursion_on_an_exponential_graph_names_the_ways_out():
    y = Value(1.0)
    for _ in range(30):
        y = y + y
    with pytest.raises(TooLargeError) as caught:
        steps(y, "recursion")
    assert str(caught.value) == (
        "plain recursion needs more than 100,000 contributions on this graph of 31 values, because "
        'it follows every path: take a smaller graph, or broken="visit_once"'
    )
    assert steps(y, "visit_once")


@pytest.mark.parametrize(("most", "fits"), [(4, True), (3, False)])
def test_a_broken_pass_may_have_as_many_contributions_as_are_allowed(most, fits, monkeypatch):
    monkeypatch.setattr("micrograd.backward_pass.LARGEST_PASS", most)
    a, b = named(a=2.0, b=-3.0)
    if fits:
        assert len(steps(a * b + a, "recursion")) == 2 + 1 + 4
    else:
        with pytest.raises(TooLargeError):
            steps(a * b + a, "recursion")


def test_a_nan_that_is_not_chosen_passes_as_it_does_in_backward():
    root = where(0, Value(math.nan, label="x"), 2.0) * 2.0
    assert bits(steps(root).gradients) == bits(after_backward(root))


def test_an_infinite_gradient_of_infinite_data_is_not_called_wrong():
    x = Value(float("inf"), label="x")
    stepper = steps(x * x)
    assert stepper.differences() == {}
    assert stepper[-1].text.endswith("the same as backward().")
    assert "would be correct" not in stepper[-1].text


def test_a_copy_and_a_pickle_are_steppers_of_their_own_graph():
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    stepper = steps(y + 1)
    stepper.go(2)
    x.data = 100.0  # the steps speak of 3
    for twin in (pickle.loads(pickle.dumps(stepper)), copy.deepcopy(stepper)):
        assert twin.position == 2
        assert [step.text for step in twin] == [step.text for step in stepper]
        assert twin.root.parents[0] is twin.nodes[twin.place("y")]
        assert twin.root is not stepper.root
    chain = x
    for _ in range(2_000):
        chain = chain + 1
    assert len(pickle.dumps(steps(chain))) < 1_000_000


def test_the_ledger_lists_who_contributed_what():
    entries = steps(guide_graph()).ledger("h")
    rows = [(e.through.label, e.upstream, e.local, e.contribution, e.total) for e in entries]
    assert rows == [("L", 1, 4, 4, 4), ("s", -6, 1, -6, -2)]
    assert steps(guide_graph()).ledger("L") == []


@each("seed", range(20))
def test_the_ledger_sums_to_the_gradient(seed):
    stepper = steps(random_graph(seed, exact=True))
    for value, grad in zip(stepper.nodes[:-1], stepper.gradients[:-1], strict=True):
        assert sum(entry.contribution for entry in stepper.ledger(value)) == grad


def test_random_access_needs_no_walk():
    stepper = steps(random_graph(5))
    indices = list(range(len(stepper)))
    random.Random(1).shuffle(indices)
    texts = {i: stepper[i].text for i in indices}
    assert [texts[i] for i in range(len(stepper))] == [step.text for step in stepper]


def test_it_says_what_it_is_and_names_what_there_is():
    w, b = Value(3.0, label="w"), Value(1.0, label="b")
    made = steps(w * w + b)
    assert repr(made) == "<Stepper of w × w + b = 10: 2 steps forward, 5 back>"
    broken = steps(w * w + b, broken="assign")
    assert repr(broken).endswith("5 back, broken: = instead of +=>")
    for params, updates in (([w], "1 update>"), ([w, b], "2 updates>")):
        updated = steps(w * w + b, optimizer=SGD(params, lr=0.1))
        assert repr(updated).endswith(f"5 back, {updates}")
    with pytest.raises(ArgumentError, match=r"^expected broken to be"):
        steps(w * w, broken="twice")
    terms = ops.sum([Value(float(k), label=f"z{k}") for k in range(9)])
    with pytest.raises(NotInGraphError, match=r"it has v9, z8, z7, z6, z5, z4, z3, z2$"):
        steps(terms).find("y")
    assert [made.stop_at(k)[1].first for k in range(len(made))] == list(range(len(made)))


def test_find_goes_to_the_last_contribution_of_a_pass_and_not_to_an_update():
    x, y = named(x=2.0, y=3.0)
    walk = steps(x * x + x * y, optimizer=SGD([x, y], lr=0.5))
    found = walk.find(x)
    assert (found.kind, found.number, found.of) == ("chain", 3, 3)
    assert walk.position == found.index < len(walk.pass_rows)
    assert walk.find(walk.root).kind == "seed"
    assert walk.find("y").parent is y
    twice = steps(x * x, broken="no_zero_grad")
    assert (twice.find("x").turn, twice.find("x").number) == (2, 2)


def test_what_a_page_opens_with_is_handed_on(monkeypatch, tmp_path):
    handed = {}
    monkeypatch.setattr(
        "micrograd.stepper.page.to_html", lambda walk, *given, **state: handed.update(state)
    )
    (x,) = named(x=2.0)
    steps(x * x).to_html(tmp_path / "a.html", open="loss", set={x: 0.5}, guess=2)
    assert handed == {"open": "loss", "set": {x: 0.5}, "guess": 2}


def test_a_step_is_found_by_its_index_in_any_part_of_the_sequence():
    walk = steps(the_39_graph()[1])
    last = len(walk) - 1
    for k, step in enumerate(walk):
        assert walk.index(step) == walk.index(step, k, k + 1) == walk.index(step, stop=k + 1) == k
    for start, stop in ((1, None), (0, 0)):
        with pytest.raises(ArgumentError, match=r"is none of these steps: find goes to that of a"):
            walk.index(walk[0], start, stop)
    assert walk[-len(walk)].index == 0
    assert walk[last].index == last


def test_a_copy_of_a_walk_that_lives_lives_and_keeps_its_names():
    a = Value(2.0)
    walk = steps(a * 3, labels={a: "rate"})
    walk.live = True
    again = pickle.loads(pickle.dumps(walk))
    assert again.words.names[0] == "rate"
    assert again.find("rate").grad_after == 3
    twin = walk.of_copy(copy.deepcopy(walk.root))
    assert twin.live is True
    assert twin.words.names[0] == "rate"


def test_the_names_of_a_model_of_ones_own_are_asked_for():
    class Model:
        def __init__(self):
            self.slope = Value(2.0)

        def named_parameters(self):
            return [("slope", self.slope)]

    model = Model()
    assert "slope" in steps(model.slope * 3, model=model).words.names
