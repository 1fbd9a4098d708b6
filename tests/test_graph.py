"""Walks over the graph: order, what depends on what, cycles, depth."""

from __future__ import annotations

from typing import Any

import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd.engine import Value
from micrograd.errors import CycleError
from micrograd.graph import depends_on, order


class Bare:
    """The least that a walk asks for: `.parents`."""

    def __init__(self, name: str, *parents: Bare) -> None:
        self.name, self.parents = name, parents

    def __repr__(self) -> str:
        return self.name


@st.composite
def bare_graphs(draw: Any) -> list[Bare]:
    """Draw nodes with shared, repeated or no parents; the last need not reach all of them."""
    nodes: list[Bare] = []
    for i in range(draw(st.integers(1, 12))):
        chosen = draw(st.lists(st.integers(0, i - 1), max_size=4)) if i else []
        nodes.append(Bare(f"n{i}", *[nodes[j] for j in chosen]))
    return nodes


def by_recursion(root: Bare) -> list[Bare]:
    """The textbook's depth-first order."""
    found: list[Bare] = []

    def visit(node: Bare) -> None:
        if node not in found:
            for parent in node.parents:
                visit(parent)
            found.append(node)

    visit(root)
    return found


@given(bare_graphs())
def test_order_is_the_depth_first_order_of_the_textbook(nodes: list[Bare]) -> None:
    for root in nodes:
        assert order(root) == by_recursion(root)


@given(bare_graphs())
def test_depends_on_finds_what_a_search_of_all_paths_finds(nodes: list[Bare]) -> None:
    ordered = order(nodes[-1])
    for target in nodes:
        wanted = {node for node in ordered if target in by_recursion(node)} | {target}
        assert depends_on(ordered, [target]) == wanted


def test_one_leaf_is_its_own_order() -> None:
    leaf = Bare("leaf")
    assert order(leaf) == [leaf]


def test_operands_are_visited_from_left_to_right() -> None:
    a, b, c = (Value(float(i), label=name) for i, name in enumerate("abc"))
    root = (c * a) + (b - c)
    labels = [node.label for node in order(root) if not node.parents]
    assert labels == ["c", "a", "b"]


def test_a_repeated_parent_is_listed_once_in_the_order() -> None:
    x = Value(3.0)
    y = x * x
    assert y.parents == (x, x)
    assert order(y) == [x, y]


def test_a_graph_of_many_paths_is_walked_in_linear_time() -> None:
    x = Value(1.0)
    for _ in range(200):  # 2**200 paths
        x = x + x
    assert len(order(x)) == 201


def test_the_order_of_a_deep_graph_needs_no_recursion() -> None:
    node = Bare("n")
    for _ in range(100_000):
        node = Bare("n", node)
    ordered = order(node)
    assert len(ordered) == 100_001
    assert ordered[-1] is node
    while node.parents:  # an unwound chain, so that freeing it needs no recursion either
        node.parents, (node, *_) = (), node.parents


def test_a_wide_node_is_walked() -> None:
    leaves = [Bare(f"n{i}") for i in range(10_000)]
    root = Bare("root", *leaves)
    assert order(root) == [*leaves, root]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_cycle_is_an_error_that_names_a_node_of_it(length: int) -> None:
    ring = [Bare(f"ring{i}") for i in range(length)]
    for i, node in enumerate(ring):
        node.parents = (ring[i - 1], Bare("leaf"))
    root = Bare("root", ring[0])
    with pytest.raises(CycleError, match=r"ring\d is its own ancestor") as caught:
        order(root)
    assert isinstance(caught.value, ValueError)


def test_the_naive_engine_of_the_tests_has_the_same_order() -> None:
    x, y = oracles.Naive(2), oracles.Naive(3)
    total = oracles.Naive.apply("mul", x, y)
    root = oracles.Naive.apply("add", total, x)
    assert root.below() == [x, y, total, root]
