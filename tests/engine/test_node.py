"""Copies and pickles of nodes: whole graphs, sharing kept, however deep."""

from __future__ import annotations

import copy
import gc
import pickle
from fractions import Fraction
from typing import Any

import pytest

from micrograd import ops
from micrograd.engine import Value, gradient
from micrograd.errors import GradientError, StaleGraphError
from micrograd.graph import order


def example() -> tuple[Value, list[Value]]:
    """Return the root of a graph with every kind of row in it, and its leaves."""
    x, w, b = Value(0.5, label="x"), Value(-1.5, label="w"), Value(Fraction(1, 3))
    s = ops.dot([w, x], [x, 2.0], b)
    s.label = "s"
    shared = s.tanh() + x**2 - 2**w
    root = ops.logsumexp([shared, shared * shared, x]) + ops.leaky_relu(w) * ops.sum([x, w, b])
    root.note = "mine"  # type: ignore[attr-defined]
    return root, [x, w, b]


def copied(root: Value) -> Value:
    return copy.deepcopy(root)


def pickled(root: Value) -> Value:
    return pickle.loads(pickle.dumps(root))  # type: ignore[no-any-return]


@pytest.mark.parametrize("again", [copied, pickled])
class TestAgain:
    """What holds of a deep copy holds of what comes out of a pickle."""

    def test_the_graph_is_the_same_and_shares_no_node(self, again: Any) -> None:
        root, _ = example()
        root.backward()
        ours, theirs = order(root), order(again(root))
        assert len(ours) == len(theirs)
        position = {node: i for i, node in enumerate(ours)}
        position_again = {node: i for i, node in enumerate(theirs)}
        for node, other in zip(ours, theirs, strict=True):
            assert node is not other
            assert (node.data, type(node.data)) == (other.data, type(other.data))
            assert (node.grad, node.label, node.op) == (other.grad, other.label, other.op)
            assert [position[p] for p in node.parents] == [position_again[p] for p in other.parents]
        assert theirs[-1].note == "mine"  # type: ignore[attr-defined]

    def test_it_differentiates_and_computes_on_its_own(self, again: Any) -> None:
        root, leaves = example()
        other = again(root)
        nodes = order(root)
        theirs = [order(other)[nodes.index(leaf)] for leaf in leaves]
        assert gradient(other, theirs) == gradient(root, leaves)
        theirs[0].data = 0.75
        with pytest.raises(StaleGraphError):
            other.backward()
        other.forward()
        other.backward()
        root.backward()
        assert leaves[0].data == 0.5
        assert theirs[0].grad != leaves[0].grad

    def test_a_stale_graph_is_stale_again(self, again: Any) -> None:
        root, (x, *_) = example()
        x.data = 5.0
        with pytest.raises(StaleGraphError, match=r"0\.5 to 5\.0"):
            again(root).backward()

    def test_a_subclass_and_its_attributes_stay(self, again: Any) -> None:
        leaf = Weight(2.0, label="w")
        leaf.colour = "red"  # type: ignore[attr-defined]
        other = again(leaf)
        assert type(other) is Weight
        assert (other.data, other.label, other.colour) == (2.0, "w", "red")

    def test_an_attribute_that_is_a_leaf_is_the_leaf_of_the_copy(self, again: Any) -> None:
        root, (x, *_) = example()
        root.about = [x]  # type: ignore[attr-defined]
        other = again(root)
        assert other.about[0] is order(other)[order(root).index(x)]

    def test_a_fresh_result_holds_the_very_numbers_of_its_operands(self, again: Any) -> None:
        for node in order(again(example()[0])):
            assert all(p.data is x for p, x in zip(node.parents, node.inputs, strict=True))

    def test_leaves_stay_shared_beside_each_other(self, again: Any) -> None:
        w = Value(2.0)
        first, second = w * 3, w * 5
        weights, one, two = again([[w], first, second])
        assert one.parents[0] is two.parents[0] is weights[0]

    def test_a_hand_made_closure_is_an_error_that_names_the_node(self, again: Any) -> None:
        x = Value(2.0)
        out = Value(4.0, (x,), "mine")
        out._backward = lambda: None
        with pytest.raises(GradientError, match=r"data=4\.0"):
            again(out * 2)

    def test_depth_is_no_matter(self, again: Any) -> None:
        x = node = Value(1.0)
        for _ in range(50_000):
            node = node + x
        other = again(node)
        assert other.data == 50_001
        other.backward()
        assert next(n for n in order(other) if not n.parents).grad == 50_001


class Weight(Value):
    """A subclass that pickle can find."""


@pytest.mark.slow
def test_a_chain_of_200_000_nodes_is_copied_and_freed() -> None:
    x = node = Value(1.0)
    for _ in range(200_000):
        node = node + x
    other = copy.deepcopy(node)
    del node
    assert other.data == 200_001
    del other
    assert gc.collect() == 0


@pytest.mark.parametrize("again", [copied, pickled])
def test_a_plain_number_is_still_one_that_is_never_differentiated(again: Any) -> None:
    base = Value(2.0, label="base")
    out = again((-2) ** (base * 0 + 3))
    with pytest.raises(ValueError, match="no finite derivative"):
        out.backward()
    constants = [node for node in order(again(base * 3)) if node.op is ops.constant]
    assert [node.data for node in constants] == [3]


def test_a_shallow_copy_has_the_same_parents_and_a_grad_of_its_own() -> None:
    x = Value(2.0)
    y = x * x
    y.label = "y"
    other = copy.copy(y)
    assert other is not y
    assert other.parents == (x, x)
    assert (other.data, other.label, other.op) == (4.0, "y", ops.mul)
    other.grad = 7
    other.label = "z"
    assert (y.grad, y.label) == (0, "y")


def test_a_row_that_is_not_defined_where_it_is_loaded_is_named(table: Any) -> None:
    double = ops.define(name="double", forward=lambda x: 2 * x, partials=lambda out, x: (2,))
    saved = pickle.dumps(double(Value(3.0)))
    assert pickle.loads(saved).data == 6.0
    del table["double"]
    with pytest.raises(KeyError, match="double"):
        pickle.loads(saved)
    table["double"] = double


def test_inputs_are_the_data_at_the_time_of_computing() -> None:
    x = Value(2.0)
    y = x * 3
    x.data = 5.0
    assert y.inputs == (2.0, 3)
    assert x.inputs == ()
    assert ops.sum([x, y, x]).inputs == (5.0, 6.0, 5.0)
