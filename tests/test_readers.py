"""All readers of one graph say the same of it, also where its numbers are not finite."""

from __future__ import annotations

import copy
import math
import pickle
import random
import sys
import threading
from typing import Any

import pytest
from interrupts import at_every_line, interrupted
from replaying import as_function
from tables import each

from micrograd import Value, grad, gradient, ops, steps
from micrograd import compile as compiled
from micrograd.errors import MicrogradError, NonFiniteError, StaleGraphError
from micrograd.graph import order
from micrograd.stepper.paths import explain

np = pytest.importorskip("numpy")

EXTREME = [0.0, -0.0, 1.0, -1.0, 0.5, 3, 1e200, -1e200, 1e-200, 1e308, math.inf, -math.inf]
ONE = [row for row in ops.TABLE.values() if row.arity == 1]
TWO = [row for row in ops.TABLE.values() if row.arity == 2]


def any_graph(rng: random.Random, size: int = 6) -> tuple[Value, list[Value]]:
    """Return a graph of random rows over extreme numbers, whatever they overflow to."""
    leaves = [Value(rng.choice(EXTREME), label=f"x{i}") for i in range(3)]
    nodes: list[Any] = list(leaves)
    while len(nodes) < size + 3:
        kind = rng.random()
        try:
            if kind < 0.35:
                made = rng.choice(ONE)(rng.choice(nodes))
            elif kind < 0.75:
                made = rng.choice(TWO)(rng.choice(nodes), rng.choice(nodes))
            elif kind < 0.85:
                made = ops.where(*[rng.choice(nodes) for _ in range(3)])
            elif kind < 0.95:
                made = ops.dot(rng.choices(nodes, k=2), rng.choices(nodes, k=2), rng.choice(nodes))
            else:
                made = ops.maximum(rng.choice(nodes), 0.0) ** rng.choice([2, 0.5, 0])
        except (ValueError, ArithmeticError):
            continue
        nodes.append(made)
    return nodes[-1], leaves


def said(call: Any) -> Any:
    """Return the numbers that a reader gives, nan made equal to itself, or its error's class."""
    try:
        return [repr(number) for number in call()]
    except MicrogradError as error:
        return type(error)


def by_backward(root: Value) -> list[Any]:
    nodes = order(root)
    before = [node.grad for node in nodes]
    try:
        root.backward()
        return [node.grad for node in nodes]
    finally:
        for node, grad in zip(nodes, before, strict=True):
            node.grad = grad


@each("seed", range(300))
def test_backward_gradient_steps_and_explain_agree(seed: int) -> None:
    root, _ = any_graph(random.Random(seed))
    nodes = order(root)
    expected = said(lambda: by_backward(root))
    assert said(lambda: gradient(root, nodes)) == expected
    assert said(lambda: steps(root).gradients) == expected
    explained = said(lambda: [explain(root, node).total for node in nodes])
    if isinstance(expected, type):  # of one value at a time, another error may come first
        assert isinstance(explained, type)
    else:
        assert explained == expected
        finite = all(math.isfinite(node.data) for node in nodes)
        assert "nan" not in expected
        assert not finite or "inf" not in "".join(expected)


@each("seed", range(100))
def test_a_gradient_that_is_a_graph_has_the_same_numbers(seed: int) -> None:
    root, leaves = any_graph(random.Random(seed), size=4)
    numbers = said(lambda: gradient(root, leaves))
    graphs = said(lambda: [g.data + 0 for g in gradient(root, leaves, create_graph=True)])
    if isinstance(numbers, list) and isinstance(graphs, list):
        assert list(map(float, numbers)) == pytest.approx(list(map(float, graphs)), rel=1e-12)
    else:  # building the graph of a gradient computes more, and may stop where numbers do not
        assert isinstance(graphs, type)


def by_compiled(root: Value, backend: str) -> list[Any]:
    """Return what a compiled function gives as output and gradient, asked in three ways."""
    fn, data = as_function(root)
    replayed = compiled(fn, backend)
    sample = [float(x) for x in data]

    def summed(reduction: str) -> list[float]:
        batch = [[x] for x in sample]
        value, slopes = replayed.value_and_grad(*batch, reduction=reduction, wrt="inputs")
        return [*np.ravel(value), *np.ravel(slopes)]

    return [
        numbers_of(lambda: summed("none")),
        numbers_of(lambda: summed("mean")),
        numbers_of(lambda: [replayed(*sample), *replayed.jacobian(*sample)]),
        numbers_of(lambda: [*replayed.map(*[[x] for x in sample]), *replayed.jacobian(*sample)]),
    ]


def numbers_of(call: Any) -> Any:
    """Return the numbers that a reader gives, or its error."""
    try:
        return [float(number) for number in call()]
    except MicrogradError as error:
        return error


def overflows(root: Value) -> bool:
    """Return whether a number becomes infinite where those that it is computed from are not."""
    return any(
        math.isinf(node.data) and not any(map(math.isinf, node.inputs)) for node in order(root)
        if node.parents
    )  # fmt: skip


@each("seed", range(100))
@each("backend", ["python", "llvm"])
def test_compiled_code_says_the_same_unless_a_number_overflows(seed: int, backend: str) -> None:
    root, _ = any_graph(random.Random(seed), size=4)
    leaves = [node for node in order(root) if not node.parents and node.op is None]
    expected = numbers_of(lambda: [root.data, *gradient(root, leaves)])
    for found in by_compiled(root, backend):
        if overflows(root):
            assert isinstance(found, Exception) or all(map(math.isfinite, found))
        elif isinstance(expected, Exception):
            assert isinstance(found, Exception)
        else:
            assert found == pytest.approx(expected, rel=1e-14, abs=1e-15)


INFINITE: dict[str, tuple[Any, list[float]]] = {
    "an input": (lambda x, y: x * 2 + y, [math.inf, 3.0]),
    "a sum": (lambda x, y: ops.sum([x, y, 1.0]), [-math.inf, 3.0]),
    "a constant": (lambda x, y: x * y * math.inf, [2.0, 3.0]),
    "a gradient": (lambda x, y: x * y, [math.inf, 3.0]),
    "chosen beside nan": (lambda x, y: ops.where(y, x, x - x), [math.inf, 1.0]),
}


@each("name", INFINITE)
def test_what_is_infinite_because_the_data_are_is_a_number_for_all_readers(name: str) -> None:
    fn, data = INFINITE[name]
    root = fn(*[Value(x) for x in data])
    leaves = [node for node in order(root) if not node.parents and node.op is None]
    slopes = gradient(root, leaves)
    assert math.isinf(root.data)
    assert by_backward(root) == steps(root).gradients == gradient(root, order(root))
    assert [explain(root, leaf).total for leaf in leaves] == slopes
    for backend in ("python", "llvm"):
        assert by_compiled(root, backend) == [[root.data, *slopes]] * 4


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_sum_of_samples_is_infinite_with_one_of_them_and_no_number_with_two(backend: str) -> None:
    replayed = compiled(lambda x: x * 2, backend)
    assert replayed.value_and_grad([1.0, math.inf, 3.0], wrt="inputs")[0] == math.inf
    with pytest.raises(NonFiniteError, match=r"the sum over 2 samples .* is nan"):
        replayed.value_and_grad([math.inf, -math.inf], wrt="inputs")


GATES = {
    "relu": lambda closed, open_: closed.relu() + open_,
    "maximum": lambda closed, open_: ops.maximum(open_, closed),
    "minimum": lambda closed, open_: -ops.minimum(-open_, -closed),
    "where": lambda closed, open_: ops.where(ops.greater(open_, closed), open_, closed),
    "sign": lambda closed, open_: ops.sign(closed) + open_,
    "greater": lambda closed, open_: ops.greater(closed, 0) + open_,
    "greater_equal": lambda closed, open_: ops.greater_equal(closed, 0) + open_,
    "equal": lambda closed, open_: ops.equal(closed, 0) + open_,
    "share": lambda closed, open_: ops.share(closed, open_) + open_,
    "peak": lambda closed, open_: ops.peak_of(2)(closed, open_) + open_,
    "elu": lambda closed, open_: ops.elu(closed) + open_,
    "x ** 0": lambda closed, open_: closed**0 + open_,
}


@each("gate", GATES)
@each("big", [1e200, 1e308, math.inf])
def test_what_is_not_chosen_is_passed_nothing(gate: str, big: float) -> None:
    x, y = Value(big, label="x"), Value(0.5, label="y")
    root = GATES[gate](-(x * x * x), y)
    root.backward()
    assert (x.grad, y.grad) == (0, 1)
    assert gradient(root, [x, y]) == [0, 1]
    assert [g.data for g in gradient(root, [x, y], create_graph=True)] == [0, 1]
    assert [explain(root, v).total for v in (x, y)] == [0, 1]
    stepper = steps(root)
    assert [stepper.gradients[stepper.place(name)] for name in "xy"] == [0, 1]


def test_what_abs_of_0_is_computed_from_is_passed_nothing() -> None:
    x = Value(0.0)
    root = abs(x.sqrt())  # whose own derivative is infinite
    root.backward()
    assert x.grad == gradient(root, x) == explain(root, x).total == steps(root).gradients[0] == 0


def test_zero_times_infinity_is_an_error_where_it_is_computed() -> None:
    x = Value(0.0, label="x")
    for root in (x.sqrt() ** 2, x.cbrt() ** 3, x.sqrt() * 0, ops.hypot(x, 0.0).sqrt() ** 2):
        for call in (by_backward, lambda r: gradient(r, [x]), lambda r: steps(r).gradients):
            with pytest.raises((ArithmeticError, ValueError), match="no finite derivative"):
                call(root)
        assert x.grad == 0


def test_a_gradient_that_overflows_names_its_value() -> None:
    x = Value(1e-200, label="x")
    root = x * 1e200 * 1e200
    for call in (by_backward, lambda r: gradient(r, [x]), lambda r: steps(r).gradients):
        with pytest.raises(NonFiniteError, match="'x' = 1e-200"):
            call(root)
    with pytest.raises(NonFiniteError) as caught:
        root.backward()
    assert str(caught.value) == (
        "the gradient of operand 'x' = 1e-200 of x=1e-200 * 1e+200 is inf: upstream gradient "
        "1e+200 times local derivative 1e+200"
    )
    total = sum([x * 1e308 for _ in range(3)])
    with pytest.raises(NonFiniteError) as caught:
        total.backward()
    assert str(caught.value) == (
        "the gradient of Value(data=1e-200, grad=0, label='x') is inf: that is what the values "
        "computed from it pass to it"
    )
    assert x.grad == 0


NANS: dict[str, Any] = {
    "a leaf": lambda x, y: x + y,
    "the output": lambda x, y: x,
    "through a gate": lambda x, y: ops.relu(x) * y,
    "of the other operand": lambda x, y: ops.maximum(y, x),
    "computed": lambda x, y: y / 0.1 * math.inf - ops.exp(x * 0 + math.inf) + 1,
    "slope 0 times infinity": lambda x, y: ops.leaky_relu(y - math.inf, 0),
}


@each("kind", NANS)
def test_an_output_that_is_nan_has_no_gradients_for_any_reader(kind: str) -> None:
    x, y = Value(math.nan, label="x"), Value(3.0, label="y")
    root = NANS[kind](x, y)
    leaf = x if kind == "the output" else y
    for reader in (
        root.backward,
        lambda: gradient(root, leaf),
        lambda: gradient(root, leaf, create_graph=True),
        lambda: steps(root),
        lambda: explain(root, leaf),
        lambda: grad(lambda y: NANS[kind](Value(math.nan, label="x"), y))(3.0),
    )[: 5 if kind == "the output" else 6]:
        with pytest.raises(NonFiniteError, match=r"nan begins at .*(x|inf)|input x of .* is nan"):
            reader()
    for backend in ("python", "llvm"):
        with pytest.raises(NonFiniteError):
            compiled(NANS[kind], backend=backend)(math.nan, 3.0)
    assert (x.grad, y.grad) == (0, 0)


def test_a_nan_that_the_output_does_not_hold_is_passed_over_by_all_readers() -> None:
    x, y = Value(math.nan, label="x"), Value(3.0, label="y")
    root = ops.where(1, y, x) * 2 + ops.greater(x, 0)
    root.backward()
    assert (x.grad, y.grad) == (0, 2)
    assert gradient(root, [x, y]) == [0, 2]
    stepper = steps(root)
    assert [stepper.gradients[stepper.place(name)] for name in "xy"] == [0, 2]
    assert [explain(root, v).total for v in (x, y)] == [0, 2]


def test_an_infinite_gradient_of_infinite_data_goes_through_every_gate_that_chose_it() -> None:
    x, y = Value(2.0, label="x"), Value(-1.0, label="y")
    big = Value(math.inf)
    for gated in (ops.maximum(x, y), ops.where(1, x, y), x.relu(), ops.leaky_relu(x, 0.1)):
        assert gradient(gated * big, [x, y, gated]) == [math.inf, 0, math.inf]
    assert gradient(ops.leaky_relu(y, 0.5) * big, y) == math.inf


def test_an_infinite_gradient_of_a_plain_number_is_no_error() -> None:
    x = Value(1e200)
    root = x * 1e-200 * 1e200
    assert gradient(root, x) == 1
    root.backward()
    assert x.grad == 1


def test_an_integer_gradient_that_no_float_can_hold_is_finite() -> None:
    x = Value(10, label="x")
    y = x**400
    y.backward()
    assert x.grad == 400 * 10**399


def test_second_derivatives_of_hypot_do_not_exist_at_the_origin() -> None:
    x, y = Value(0.0, label="x"), Value(0.0, label="y")
    slope = gradient(ops.hypot(x, y) ** 2, x, create_graph=True)
    assert slope.data == 0
    with pytest.raises(ZeroDivisionError):
        gradient(slope, x)
    x, y = Value(3.0), Value(4.0)
    slope = gradient(ops.hypot(x, y) ** 2, x, create_graph=True)
    assert gradient(slope, [x, y]) == pytest.approx([2.0, 0.0], abs=1e-15)


# ---- changed results ---------------------------------------------------------------------------


@pytest.mark.parametrize("made", [lambda x: x.tanh(), lambda x: x * x, lambda x: ops.sum([x] * 3)])
def test_a_result_that_was_changed_is_an_error_of_every_reader(made: Any) -> None:
    x = Value(0.3, label="x")
    y = made(x)
    was, y.data = y.data, 0.9
    again = y * 2  # computed from the new number
    for root in (y, again, copy.deepcopy(again), copy.copy(y), pickle.loads(pickle.dumps(again))):
        for call in (by_backward, lambda r: gradient(r, order(r)), steps):
            with pytest.raises(StaleGraphError, match=rf"computed as {was} .*changed to 0.9"):
                call(root)
    with pytest.raises(StaleGraphError):
        y.local_derivatives()
    y.data = was
    y.backward()
    y.data = 0.9
    assert y.forward().data == was
    y.backward()


def test_what_no_gradient_reaches_is_still_looked_at() -> None:
    x = Value(-2.0, label="x")
    y = (x * 3).relu() + 1
    x.data = 5.0
    with pytest.raises(StaleGraphError, match="'x'"):
        y.backward()


@pytest.mark.parametrize("base", [5.0, 3, 0.25])
def test_a_power_of_a_changed_base_has_its_derivative(base: float) -> None:
    x = Value(3.0)
    y = 2.0**x
    y.parents[0].data = base
    with pytest.raises(StaleGraphError):
        y.backward()
    y.forward().backward()
    assert x.grad == pytest.approx(base**3 * math.log(base))
    assert y.data == base**3


# ---- threads and interrupts --------------------------------------------------------------------


def test_threads_may_take_gradients_of_graphs_that_share_leaves() -> None:
    shared, wrong = [Value(0.5) for _ in range(20)], []

    def work(factor: float) -> None:
        for _ in range(40):
            found = gradient(ops.sum([v * factor for v in shared]), shared)
            wrong.extend(g for g in found if g != factor)
            graphs = gradient(ops.sum([v * factor for v in shared]), shared, create_graph=True)
            wrong.extend(g for g in graphs if g.data != factor)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(factor,)) for factor in (2.0, 3.0, 5.0)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
    assert all(v.grad == 0 for v in shared)


def lecture_tanh(x: Value) -> Value:
    out = Value(math.tanh(x.data), (x,), "tanh")

    def passes_back() -> None:
        x.grad += (1 - out.data**2) * out.grad

    out._backward = passes_back
    return out


def interruptible() -> tuple[Value, list[Value]]:
    x, y = Value(0.5), Value(-1.0)
    root = lecture_tanh(x * y).relu() + ops.dot([x, y], [y, x], 1.0) + 2**x
    root.backward()
    return root, order(root)


READERS = {
    "gradient": lambda it: gradient(it[0], it[1][:2]),
    "local_derivatives": lambda it: [node.local_derivatives() for node in it[1]],
    "steps": lambda it: steps(it[0]),
}
FUNCTIONS = {
    "backward", "backward_pass", "_pass_on", "gradient", "_gradient", "pass_on_by_hand",
    "_give_back", "passes_back", "check_finite", "local_derivatives", "local_derivatives_of",
    "rule_of", "backward_rows",
}  # fmt: skip


def state_of(it: tuple[Value, list[Value]]) -> list[Any]:
    return [(node.data, node.grad) for node in it[1]]


def test_an_interrupt_at_any_line_of_backward_leaves_all_gradients_or_none() -> None:
    assert at_every_line(interruptible, lambda it: it[0].backward(), state_of, FUNCTIONS) > 50


@pytest.mark.parametrize("name", READERS)
def test_an_interrupt_at_any_line_of_a_reader_changes_nothing(name: str) -> None:
    before, lines = state_of(interruptible()), 0
    for it, where in interrupted(interruptible, READERS[name], FUNCTIONS):
        lines += 1
        assert state_of(it) == before, where
    assert lines > 10


def test_an_interrupt_at_any_line_of_forward_leaves_the_graph() -> None:
    def fresh() -> tuple[Value, list[Value]]:
        x = Value(0.5)
        root = (2**x).tanh() * x + ops.sum([x, x, 1.0])
        x.data = 0.75
        return root, order(root)

    def state(it: tuple[Value, list[Value]]) -> Any:
        return [(node.data, node.inputs, node.op) for node in it[1]]

    functions = {"forward", "_record", "_apply", "enable_grad", "setting"}
    assert at_every_line(fresh, lambda it: it[0].forward(), state, functions) > 30
