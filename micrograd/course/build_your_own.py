"""The engine of notebook 8, in sixty lines: its stages, its tests, and faults to find.

>>> board({})
1 box        ○        a sum and a product that remember their operands
2 order      ○○       operands before what uses them, without recursion
3 backward   ○○○○     the rule of back-propagation
4 numbers    ○        plain numbers on either side
5 more       ○○       minus, power and division
6 functions  ○○       functions of one number
7 network    ○○       layers of neurons
Next, 1 box, "a * b": not written yet.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from textwrap import fill
from typing import Any, Final

from micrograd.checks import whole_number

__all__ = [
    "FAULTS", "STAGES", "TESTS", "EngineTest", "Fault", "Stage", "board", "deal", "engine",
    "problem",
]  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """A stage of the engine.

    Parameters
    ----------
    name, title : str
        One word, and what the stage adds.
    gap : str
        The cell of the notebook, to be completed.
    code : str
        The completed cell: one solution of several.
    """

    name: str
    title: str
    gap: str
    code: str


STAGES: Final = (
    Stage(
        "box",
        "a sum and a product that remember their operands",
        """\
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad = data, 0
        self.parents, self.slopes = parents, slopes

    def __add__(self, other):
        other = lift(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other): ...
""",
        """\
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad = data, 0
        self.parents, self.slopes = parents, slopes

    def __add__(self, other):
        other = lift(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))
""",
    ),
    Stage(
        "order",
        "operands before what uses them, without recursion",
        """\
def order(root): ...
""",
        """\
def order(root):
    nodes, seen, stack = [], set(), [(root, False)]
    while stack:
        node, complete = stack.pop()
        if complete:
            nodes.append(node)
        elif node not in seen:
            seen.add(node)
            stack += [(node, True), *[(parent, False) for parent in node.parents]]
    return nodes
""",
    ),
    Stage(
        "backward",
        "the rule of back-propagation",
        """\
def backward(self): ...


Value.backward = backward
""",
        """\
def backward(self):
    nodes = order(self)
    for node in nodes:
        if node.parents:
            node.grad = 0
    self.grad += 1
    for node in reversed(nodes):
        for parent, slope in zip(node.parents, node.slopes, strict=True):
            parent.grad += slope * node.grad


Value.backward = backward
""",
    ),
    Stage(
        "numbers",
        "plain numbers on either side",
        """\
Value.__radd__ = ...
Value.__rmul__ = ...
""",
        """\
Value.__radd__ = lambda self, other: lift(other) + self
Value.__rmul__ = lambda self, other: lift(other) * self
""",
    ),
    Stage(
        "more",
        "minus, power and division",
        """\
Value.__neg__ = lambda self: self * -1
Value.__sub__ = ...
Value.__rsub__ = ...
Value.__pow__ = ...
Value.__truediv__ = ...
Value.__rtruediv__ = ...
""",
        """\
Value.__neg__ = lambda self: self * -1
Value.__sub__ = lambda self, other: self + -lift(other)
Value.__rsub__ = lambda self, other: lift(other) + -self
Value.__pow__ = lambda self, n: Value(self.data**n, (self,), (n * self.data ** (n - 1),))
Value.__truediv__ = lambda self, other: self * lift(other) ** -1
Value.__rtruediv__ = lambda self, other: lift(other) * self**-1
""",
    ),
    Stage(
        "functions",
        "functions of one number",
        """\
def function(value, slope):
    def method(self):
        out = value(self.data)
        return Value(out, (self,), (slope(self.data, out),))

    return method


Value.exp = function(math.exp, lambda x, out: out)
Value.log = ...
Value.tanh = ...
Value.relu = ...
""",
        """\
def function(value, slope):
    def method(self):
        out = value(self.data)
        return Value(out, (self,), (slope(self.data, out),))

    return method


Value.exp = function(math.exp, lambda x, out: out)
Value.log = function(math.log, lambda x, out: 1 / x)
Value.tanh = function(math.tanh, lambda x, out: 1 - out * out)
Value.relu = function(lambda x: max(x, 0.0), lambda x, out: float(x > 0))
""",
    ),
    Stage(
        "network",
        "layers of neurons",
        """\
class MLP:
    def __init__(self, *sizes):
        self.layers = [[unit(n) for _ in range(m)] for n, m in pairwise(sizes)]

    def __call__(self, x): ...

    def parameters(self): ...
""",
        """\
class MLP:
    def __init__(self, *sizes):
        self.layers = [[unit(n) for _ in range(m)] for n, m in pairwise(sizes)]

    def __call__(self, x):
        for layer in self.layers:
            x = [sum(map(Value.__mul__, w, x), w[-1]).tanh() for w in layer]
        return x

    def parameters(self):
        return [p for layer in self.layers for w in layer for p in w]
""",
    ),
)
"""The stages, in their order."""

GIVEN: Final = """\
def lift(x):
    return x if isinstance(x, Value) else Value(x)


def unit(inputs):
    return [Value(random.uniform(-1, 1)) for _ in range(inputs + 1)]  # the last one is the bias
"""
"""The helpers that the notebook provides."""

Checks = Iterator[tuple[str, Any, Any]]


@dataclass(frozen=True)
class EngineTest:
    """A test of one stage.

    Parameters
    ----------
    stage : str
        The name of its stage.
    name : str
    checks : callable
        Takes the names of an engine; yields what is checked, the result and the expected result.
    """

    stage: str
    name: str
    checks: Callable[[Mapping[str, Any]], Checks]


def _leaves(names: Mapping[str, Any], *data: float) -> list[Any]:
    return [names["Value"](number) for number in data]


def _box(names: Mapping[str, Any]) -> Checks:
    a, b = _leaves(names, 2.0, -3.0)
    c = a * b
    yield "c.data of c = a * b, a = 2, b = -3,", c.data, -6.0
    yield "c.parents is (a, b) for c = a * b", c.parents[0] is a and c.parents[1] is b, True
    yield "len((a * a).parents)", len((a * a).parents), 2


def _diamond(names: Mapping[str, Any], swapped: bool = False) -> tuple[Any, ...]:
    (a,) = _leaves(names, 2.0)
    b = a * 3
    c = b + 1
    return a, b, c, c * b if swapped else b * c


def _order(names: Mapping[str, Any]) -> Checks:
    for swapped in (False, True):
        a, b, c, d = _diamond(names, swapped)
        nodes = names["order"](d)
        written = f"where b = 3a, c = b + 1, d = {'c * b' if swapped else 'b * c'}"
        yield f"the number of nodes, constants included, {written},", len(nodes), 6
        yield f"d is the last node, {written}", nodes[-1] is d, True
        places = [next(i for i, node in enumerate(nodes) if node is x) for x in (a, b, c, d)]
        yield f"a, b, c, d come in this order, {written}", places == sorted(places), True


def _deep(names: Mapping[str, Any]) -> Checks:
    (x,) = _leaves(names, 1.0)
    node = x
    for _ in range(5_000):
        node = node + x
    yield "the number of nodes of a chain of 5,000 sums", len(names["order"](node)), 5_001


def _same_twice(names: Mapping[str, Any]) -> Checks:
    (a,) = _leaves(names, 3.0)
    (a + a).backward()
    yield "a.grad of a + a", a.grad, 2


def _olah(names: Mapping[str, Any]) -> Checks:
    a, b = _leaves(names, 2.0, 1.0)
    ((a + b) * (b + 1)).backward()
    yield "a.grad, b.grad of (a + b) * (b + 1), a = 2, b = 1,", (a.grad, b.grad), (2, 5)


def _thirty_nine(names: Mapping[str, Any]) -> Checks:
    a, _, _, d = _diamond(names)
    other, *_, swapped = _diamond(names, swapped=True)
    d.backward()
    swapped.backward()
    written = "a.grad of b = 3a, c = b + 1, d = b * c and of d = c * b, a = 2,"
    yield written, (a.grad, other.grad), (39, 39)


def _two_passes(names: Mapping[str, Any]) -> Checks:
    a, b = _leaves(names, 3.0, 2.0)
    c = a + b
    e = c * 1
    e.backward()
    e.backward()
    written = "a.grad, c.grad of c = a + b, e = c * 1 after e.backward() twice"
    yield written, (a.grad, c.grad), (2, 1)


def _reflected(names: Mapping[str, Any]) -> Checks:
    a, b = _leaves(names, 2.0, 5.0)
    total = sum([3 * a, 1 + b])
    yield "sum([3 * a, 1 + b]), a = 2, b = 5,", total.data, 12.0
    total.backward()
    yield "a.grad, b.grad of it", (a.grad, b.grad), (3, 1)


def _minus(names: Mapping[str, Any]) -> Checks:
    a, b = _leaves(names, 2.0, 5.0)
    out = (1 - a) - b
    yield "1 - a - b, a = 2, b = 5,", out.data, -6.0
    out.backward()
    yield "a.grad, b.grad of it", (a.grad, b.grad), (-1, -1)


def _divide(names: Mapping[str, Any]) -> Checks:
    a, b = _leaves(names, 6.0, 4.0)
    (a / b + 1 / b).backward()
    yield "a.grad, b.grad of a / b + 1 / b, a = 6, b = 4,", (a.grad, b.grad), (1 / 4, -7 / 16)
    (x,) = _leaves(names, 4.0)
    (1 / x).backward()
    yield "x.grad of 1 / x, x = 4,", x.grad, -1 / 16


def _neuron(names: Mapping[str, Any]) -> Checks:
    x, w, bias = _leaves(names, 2.0, -3.0, 6.8813735870195432)
    (x * w + bias).tanh().backward()
    yield "x.grad of tanh(x * w + b), x = 2, w = -3, tanh = 0.7071,", x.grad, -1.5


def _functions(names: Mapping[str, Any]) -> Checks:
    for method, at, slope in (
        ("exp", 2.0, math.exp(2)),
        ("log", 4.0, 0.25),
        ("relu", 3.0, 1.0),
        ("relu", -3.0, 0.0),
    ):
        (x,) = _leaves(names, at)
        getattr(x, method)().backward()
        yield f"x.grad of x.{method}(), x = {at:g},", x.grad, slope


def _xor(names: Mapping[str, Any]) -> Checks:
    drawing = random.getstate()
    random.seed(1)
    try:
        model = names["MLP"](2, 4, 1)
    finally:
        random.setstate(drawing)
    for _ in range(100):
        loss = names["Value"](0.0)
        for x, y in (((-1, -1), -1), ((-1, 1), 1), ((1, -1), 1), ((1, 1), -1)):
            error = model(_leaves(names, *x))[0] - y
            loss = loss + error * error
        for p in model.parameters():
            p.grad = 0
        loss.backward()
        for p in model.parameters():
            p.data -= 0.2 * p.grad
    yield "the loss of xor is below 0.1 after 100 steps", loss.data < 0.1, True


def _paper(names: Mapping[str, Any]) -> Checks:
    model = names["MLP"](2, 2, 2)
    ln3 = math.log(3)
    # tanh(s / 2) and the logistic function differ in scale alone: 2 * logistic(s) = 1 + tanh(s / 2)
    rows = [[[1.5, -1, 0], [0.5, 0.5, (ln3 - 5) / 2]], [[1, -1, ln3 / 2 + 0.5], [0.5, 1, -0.5]]]
    model.layers = [[_leaves(names, *row) for row in layer] for layer in rows]
    first, second = (0.5 * (out + 1) for out in model(_leaves(names, 2.0, 3.0)))
    (first * first + (second + -1) * (second + -1)).backward()
    corner = model.layers[0][1][1].grad
    yield "the gradient of the paper network in its corner weight", corner / 2, -153 / 128


TESTS: Final = (
    EngineTest("box", "a * b", _box),
    EngineTest("order", "operands first", _order),
    EngineTest("order", "depth", _deep),
    EngineTest("backward", "a + a", _same_twice),
    EngineTest("backward", "Olah's graph", _olah),
    EngineTest("backward", "the 39 graph", _thirty_nine),
    EngineTest("backward", "two passes", _two_passes),
    EngineTest("numbers", "sum()", _reflected),
    EngineTest("more", "minus", _minus),
    EngineTest("more", "division", _divide),
    EngineTest("functions", "a neuron", _neuron),
    EngineTest("functions", "exp, log, relu", _functions),
    EngineTest("network", "xor", _xor),
    EngineTest("network", "the paper network", _paper),
)
"""The tests, in the order of their stages."""


def _same(got: Any, expected: Any) -> bool:
    if isinstance(expected, tuple):
        return len(got) == len(expected) and all(map(_same, got, expected))
    return math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-12)


def _number(found: Any) -> str:
    if isinstance(found, tuple):
        return f"({', '.join(map(_number, found))})"
    return f"{found:.8g}" if isinstance(found, float) else str(found)


def problem(test: EngineTest, names: Mapping[str, Any]) -> str | None:
    """Return what a test finds wrong in an engine, or None.

    Examples
    --------
    >>> problem(TESTS[3], engine(FAULTS[0]))
    'a.grad of a + a is 1, not 2'
    """
    try:
        for what, got, expected in test.checks(names):
            if not _same(got, expected):
                if expected is True:
                    return f"it does not hold that {what}"
                return f"{what} is {_number(got)}, not {_number(expected)}"
    except Exception as error:  # errors of the reader's engine are reported, not raised
        text = f"{type(error).__name__}: {error}"
        gaps = ("NoneType", "ellipsis", "unsupported operand", "has no attribute")
        if isinstance(error, KeyError) or any(gap in text for gap in gaps):
            return "not written yet"
        return text
    return None


def board(names: Mapping[str, Any]) -> None:
    """Run all tests on an engine; print the progress and the first failure.

    Parameters
    ----------
    names : mapping of str to object
        Holds `Value`, `order` and `MLP`: `globals()` in a notebook.
    """
    problems = {test: problem(test, names) for test in TESTS}
    for number, stage in enumerate(STAGES, 1):
        marks = ["○" if problems[test] else "●" for test in TESTS if test.stage == stage.name]
        print(f"{number} {stage.name:<10} {''.join(marks):<8} {stage.title}")
    for test, found in problems.items():
        if found:
            number = [stage.name for stage in STAGES].index(test.stage) + 1
            print(f'Next, {number} {test.stage}, "{test.name}": {found}.')
            return
    print("All tests pass.")


def engine(fault: Fault | None = None, stages: int = len(STAGES)) -> dict[str, Any]:
    """Return the namespace of the engine in sixty lines.

    Parameters
    ----------
    fault : Fault, optional
        A fault to plant.
    stages : int, default 7
        How many of the stages are written.

    Examples
    --------
    >>> Value = engine()["Value"]
    >>> a = Value(2.0)
    >>> (a * a).backward()
    >>> a.grad
    4.0
    """
    text = "\n\n".join([GIVEN, *[stage.code for stage in STAGES[:stages]]])
    if fault is not None:
        text = text.replace(fault.right, fault.wrong)
    names: dict[str, Any] = {"math": math, "pairwise": pairwise, "random": random}
    exec(compile(text, "<the engine in sixty lines>", "exec"), names)
    return names


@dataclass(frozen=True)
class Fault:
    """A common mistake.

    Parameters
    ----------
    name : str
    right, wrong : str
        A part of the engine's source, and its replacement.
    """

    name: str
    right: str
    wrong: str


_BACKWARD_PASS = """\
    nodes = order(self)
    for node in nodes:
        if node.parents:
            node.grad = 0
    self.grad += 1
    for node in reversed(nodes):
        for parent, slope in zip(node.parents, node.slopes, strict=True):
            parent.grad += slope * node.grad
"""
_RECURSION = """\
    self.grad += upstream
    for parent, slope in zip(self.parents, self.slopes, strict=True):
        parent.backward(slope * self.grad)
"""

FAULTS: Final = (
    Fault("a contribution replaces the others", "parent.grad += slope", "parent.grad = slope"),
    Fault(
        "a node passes on before its sum is complete",
        f"def backward(self):\n{_BACKWARD_PASS}",
        f"def backward(self, upstream=1):\n{_RECURSION}",
    ),
    Fault("nodes pass on from the leaves up", "in reversed(nodes)", "in nodes"),
    Fault("a factor gets itself", "(other.data, self.data)", "(self.data, other.data)"),
    Fault("the upstream gradient is missing", "+= slope * node.grad", "+= slope"),
    Fault("the output gets no 1 to start with", "    self.grad += 1\n", ""),
    Fault("the slope of tanh is tanh", "1 - out * out", "out"),
    Fault("the slope of exp is x", "math.exp, lambda x, out: out", "math.exp, lambda x, out: x"),
    Fault("results keep the last pass", "            node.grad = 0", "            pass"),
    Fault("a number to the left of + is refused", "Value.__radd__", "Value.unused"),
    Fault("a power keeps its exponent", "self.data ** (n - 1)", "self.data ** n"),
    Fault("the minus goes missing", "self + -lift(other)", "self + lift(other)"),
)
"""The faults; each is found by at least one test."""


def deal(number: int, fault: int | None = None) -> None:
    """Print what the tests find in an engine with one fault, but not the fault.

    Parameters
    ----------
    number : int
        From 1. The first three are those of the notebook, the others are drawn.
    fault : int, optional
        A guess: from 1, as the notebook numbers them. What is printed is whether it is that one,
        and if not, a test that would tell.

    Raises
    ------
    ArgumentError
        If there is no such engine, or no such fault. Also a ValueError.
    OptionTypeError
        If one of them is no whole number. Also a TypeError and a ValueError.
    """
    number = whole_number("the engine", number, 1)
    if fault is not None:
        fault = whole_number("the fault", fault, 1, len(FAULTS))
    dealt = {1: FAULTS[4], 2: FAULTS[1], 3: FAULTS[8]}.get(number)
    found = _problems(dealt or random.Random(number).choice(FAULTS))
    if fault is None:
        print(fill(f"● {', '.join(name for name in found if not found[name])}", 88, **_INDENTED))
        for name in filter(found.get, found):
            print(fill(f"○ {name}: {found[name]}", 88, **_INDENTED))
        return
    guessed = _problems(FAULTS[fault - 1])
    telling = [name for name in found if guessed[name] != found[name]]
    print(f'not {fault}: "{telling[0]}" tells.' if telling else f"{fault}: correct.")


_INDENTED: Final[dict[str, Any]] = {"subsequent_indent": "  "}


def _problems(fault: Fault) -> dict[str, str | None]:
    names = engine(fault)
    return {test.name: problem(test, names) for test in TESTS}
