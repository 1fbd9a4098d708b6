from fractions import Fraction

import pytest
from random_graphs import random_graph
from tables import each

from micrograd import Value, gradient, ops, steps
from micrograd.errors import NonFiniteError, NumberTypeError, StaleGraphError
from micrograd.graph import order
from micrograd.stepper.paths import explain, explain_all


def all_paths(node, target):
    """Every path by plain recursion: the definition."""
    if node is target:
        return [(1, (node,))]
    return [
        (local * product, (node, *way))
        for parent, local in zip(node.parents, node.local_derivatives(), strict=True)
        for product, way in all_paths(parent, target)
    ]


def doublings(n, x):
    y = x
    for _ in range(n):
        y = y + y
    return y


@each("seed", range(30))
def test_with_fractions_the_paths_sum_to_the_gradient_exactly(seed):
    root = random_graph(seed, exact=True, size=7)
    for value in order(root):
        found = explain(root, value, limit=100_000)
        paths = all_paths(root, value)
        assert found.count == len(found.paths) == len(paths)
        assert [(path.product, path.nodes) for path in found.paths] == paths
        assert sum(path.product for path in found.paths) == found.total == gradient(root, value)


@each("seed", range(30))
def test_with_floats_the_paths_sum_to_the_gradient_up_to_rounding(seed):
    root = random_graph(seed, size=7)
    for value in order(root):
        found = explain(root, value, limit=100_000)
        size = sum(abs(path.product) for path in found.paths)
        assert abs(sum(path.product for path in found.paths) - found.total) <= 1e-12 * size


@each("seed", range(30))
def test_of_many_paths_the_largest_are_shown_and_the_rest_adds_up(seed):
    root = random_graph(seed, exact=True, size=9)
    for value in order(root)[:5]:
        found = explain(root, value, limit=5)
        paths = all_paths(root, value)
        assert found.count == len(paths)
        if len(paths) > 5:
            sizes = sorted((abs(product) for product, _ in paths), reverse=True)
            assert [abs(path.product) for path in found.paths] == sizes[:3]
            assert sum(path.product for path in found.paths) + found.rest == found.total
            assert found.rest_count == len(paths) - 3


def test_paths_that_explode_are_counted_not_walked():
    x = Value(Fraction(1), label="x")
    found = explain(doublings(200, x), x)
    assert found.count == found.total == 2**200
    assert found.rest_count == 2**200 - 10
    assert found.rest == 2**200 - 10
    assert "more paths, together" in found.text


def test_the_graph_of_olah_is_two_plus_three():
    a, b = Value(2, label="a"), Value(1, label="b")
    c = a + b
    d = b + 1
    c.label, d.label = "c", "d"
    e = c * d
    e.label = "e"
    found = explain(e, b)
    assert found.text.splitlines() == [
        "e ← c ← b   2 × 1 = +2",
        "e ← d ← b   3 × 1 = +3",
        "b.grad = +2 + 3 = +5, over 2 paths",
    ]
    assert found.rows[-1] == ("b.grad", "sum over 2 paths", "+5")
    assert found.latex.endswith(r"= 2 \cdot 1 + 3 \cdot 1 = 5")
    assert [node.label for node in found.paths[0].nodes] == ["e", "c", "b"]


def test_a_repeated_operand_is_two_paths():
    x = Value(3, label="x")
    found = explain(x * x, x)
    assert [path.product for path in found.paths] == [3, 3]
    assert found.total == 6


def test_the_output_explains_itself_and_a_stranger_has_no_path():
    x, y = Value(2.0, label="x"), Value(5.0, label="y")
    root = x * 3
    assert (explain(root, root).total, explain(root, root).count) == (1, 1)
    assert explain(root, root).text
    none = explain(root, y)
    assert (none.total, none.count, none.paths) == (0, 0, ())
    assert none.text == "x × 3 was not computed from y: y.grad = 0"
    assert none.latex.endswith("}} = 0")
    root.label = "y"
    assert explain(x, root).text == "x was not computed from y; y was computed from x: y.grad = 0"


def test_rounded_products_are_marked():
    x = Value(1 / 3, label="x")
    assert "≈" in explain(x * 3.0 * x, x).text


def test_a_gradient_that_no_float_can_hold_is_the_error_of_backward():
    z = Value(1.0, label="z")
    root = z * 0
    for i in range(14):
        root = root + z * (1.7e308 if i % 2 else -1.6e308)
    with pytest.raises(NonFiniteError, match="label='z'"):
        explain(root, z)


def test_nothing_of_the_graph_changes():
    root = random_graph(2)
    nodes = order(root)
    for node in nodes:
        node.grad = 7
    explain(root, nodes[0])
    assert all(node.grad == 7 for node in nodes)


def test_labels_are_escaped_in_the_table():
    x = Value(1.0, label="<img onerror=alert(1)>")
    html = explain(x * x, x)._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


def test_bad_arguments_are_refused():
    x = Value(1.0, label="x")
    for pair in ((x, 3), (3, x)):
        with pytest.raises(NumberTypeError):
            explain(*pair)
    for limit in (2, 4.0, True):
        with pytest.raises(ValueError, match="limit to be a whole number of 3 or more"):
            explain(x * x, x, limit=limit)
    y = x * x
    x.data = 2.0
    with pytest.raises(StaleGraphError):
        explain(y, x)


def test_a_path_without_a_derivative_adds_nothing():
    x = Value(0.0, label="x")
    found = explain(ops.where(x, x.sqrt(), x + 1), x)
    assert found.total == 1
    assert found.text
    assert found.latex


@pytest.mark.parametrize("seed", range(10))
def test_one_walk_explains_every_value_as_one_by_one(seed):
    root = random_graph(seed, exact=True, size=8)
    stepper = steps(root)
    found = explain_all(stepper.recording, stepper.right_gradients, limit=5)
    assert [one.input for one in found] == order(root)
    for one in found:
        alone = explain(root, one.input, limit=5)
        assert (one.paths, one.count, one.total, one.text) == (
            alone.paths, alone.count, alone.total, alone.text,
        )  # fmt: skip


def test_a_path_says_which_operand_it_goes_through():
    x = Value(3, label="x")
    root = x * x + x
    for path in explain(root, x).paths:
        for value, operand, nearer, factor in zip(
            path.nodes, path.operands, path.nodes[1:], path.factors, strict=False
        ):
            assert value.parents[operand] is nearer
            assert value.local_derivatives()[operand] == factor
    assert [path.operands for path in explain(root, x).paths] == [(0, 0), (0, 1), (1,)]


def test_a_leaf_that_thousands_of_values_use_keeps_its_largest_paths():
    x = Value(Fraction(1), label="x")
    root = x * 0
    for i in range(3_000):
        root = root + x * i
    found = explain(root, x)
    assert [path.product for path in found.paths] == list(range(2_999, 2_989, -1))
    assert found.total == sum(range(3_000))
