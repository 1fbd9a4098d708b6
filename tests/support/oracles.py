"""What the engine is held to: mpmath, differences, and a naive engine. Nothing here uses ours."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mp

from micrograd.ops import Op

DIGITS = 50

# ---- functions to 50 digits --------------------------------------------------------------------


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _cbrt(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


def _share(a: Any, b: Any) -> Any:
    return mp.mpf(1) / 2 if a == b else mp.mpf(a > b)


def _dot(pairs: int, with_bias: bool) -> Callable[..., Any]:
    def dot(*inputs: Any) -> Any:
        products = [a * b for a, b in zip(inputs[:pairs], inputs[pairs : 2 * pairs], strict=True)]
        return mp.fsum([*products, inputs[-1]] if with_bias else products)

    return dot


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "pow": operator.pow,
    "greater": lambda a, b: mp.mpf(a > b),
    "greater_equal": lambda a, b: mp.mpf(a >= b),
    "equal": lambda a, b: mp.mpf(a == b),
    "where": lambda condition, a, b: a if condition != 0 else b,
    "share": _share,
    "maximum": max,
    "minimum": min,
    "sign": mp.sign,
    "abs": abs,
    "identity": lambda x: x,
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": mp.log10,
    "sqrt": mp.sqrt,
    "cbrt": _cbrt,
    "ratio": operator.truediv,
    "hypot": mp.hypot,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "arcsin": mp.asin,
    "arccos": mp.acos,
    "arctan": mp.atan,
    "arctan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "arcsinh": mp.asinh,
    "arccosh": mp.acosh,
    "arctanh": mp.atanh,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "relu": lambda x: max(x, mp.mpf(0)),
    "sigmoid": _sigmoid,
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    "silu": lambda x: x * _sigmoid(x),
}
"""The rows of the table, by name."""

FAMILIES: dict[str, Callable[..., Callable[..., Any]]] = {
    "power": lambda exponent: lambda x: x ** exact(exponent),
    "base_power": lambda base: lambda a, x: a**x,
    "leaky_relu_with": lambda slope: lambda x: x if x > 0 else exact(slope) * x,
    "elu_with": lambda alpha: lambda x: x if x > 0 else exact(alpha) * mp.expm1(x),
    "sum_of": lambda terms: lambda *values: mp.fsum(values),
    "dot_of": _dot,
    "logsumexp_of": lambda terms: lambda *values: mp.log(mp.fsum(map(mp.exp, values))),
    "peak_of": lambda terms: lambda *values: max(values),
}
"""Of a row with a constant: the function of that constant."""

CONSTANT = {"peak"}
"""Rows that are constants by definition: their derivative is 0, whatever they compute."""


def exact(x: Any) -> Any:
    """Return a plain number as an mpmath number, to the working precision."""
    if isinstance(x, Fraction):
        return mp.mpf(x.numerator) / x.denominator
    return mp.mpf(x)


def function_of(op: Op) -> Callable[..., Any] | None:
    """Return the mpmath function of a row, or None for a row that is not known here."""
    if op.family:
        return FAMILIES[op.family](*op.parameters) if op.family in FAMILIES else None
    return FUNCTIONS.get(op.name)


def value_of(function: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Return the function's value to 50 digits."""
    with mpmath.workdps(DIGITS):
        return function(*map(exact, inputs))


def derivative_of(function: Callable[..., Any], inputs: Sequence[Any], *places: int) -> Any:
    """Return the partial derivative in `places`, one for each order, to more than 25 digits."""
    orders = tuple(places.count(i) for i in range(len(inputs)))
    with mpmath.workdps(DIGITS):
        point = tuple(map(exact, inputs))
        if len(point) == 1:
            return mp.diff(function, point[0], orders[0])
        return mp.diff(function, point, orders)


def ulps(got: float, expected: Any, scale: Any = 0) -> float:
    """Return how far `got` is from `expected`, in ulp of the larger of `expected` and `scale`."""
    with mpmath.workdps(DIGITS):
        error = abs(exact(got) - expected)
        if error == 0:
            return 0.0
        return float(error / math.ulp(float(max(abs(expected), exact(scale)))))


def differences(function: Callable[..., float], inputs: Sequence[float], place: int) -> float:
    """Return the central difference in operand `place`, right to about 8 digits.

    The step is the cube root of the rounding error, where truncation and rounding balance; the
    difference is of fourth order (Richardson's), which gains the two digits more.
    """

    def central(step: float) -> float:
        above, below = list(inputs), list(inputs)
        above[place] += step
        below[place] -= step
        return (function(*above) - function(*below)) / (above[place] - below[place])

    step = 1e-3 * max(abs(inputs[place]), 0.1)
    return (4 * central(step / 2) - central(step)) / 3


# ---- a naive engine ----------------------------------------------------------------------------


class Dual:
    """A number and its derivative in one direction, of any numbers that do arithmetic.

    Put through the naive engine it gives second derivatives, by another road than ours.
    """

    def __init__(self, value: Any, slope: Any = 0) -> None:
        self.value, self.slope = value, slope

    @staticmethod
    def of(x: Any) -> Dual:
        return x if isinstance(x, Dual) else Dual(x)

    def __add__(self, other: Any) -> Dual:
        other = Dual.of(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -Dual.of(other)

    def __rsub__(self, other: Any) -> Dual:
        return Dual.of(other) + -self

    def __mul__(self, other: Any) -> Dual:
        other = Dual.of(other)
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)

    def __truediv__(self, other: Any) -> Dual:
        other = Dual.of(other)
        quotient = self.value / other.value
        return Dual(quotient, (self.slope - quotient * other.slope) / other.value)

    def __rtruediv__(self, other: Any) -> Dual:
        return Dual.of(other) / self

    def __pow__(self, n: int) -> Dual:
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope if n else 0)

    __radd__ = __add__
    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return bool(self.value == Dual.of(other).value)

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < Dual.of(other).value)

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > Dual.of(other).value)

    __hash__ = None  # type: ignore[assignment]


def _chosen(a: Any, b: Any, first: Any) -> tuple[Any, Any]:
    half = Fraction(1, 2)
    return (half, half) if a == b else (1, 0) if first else (0, 1)


def _signum(x: Any) -> int:
    return (x > 0) - (x < 0)


# Name -> (value, derivatives), written for exact numbers and independent of the op table.
RULES: dict[str, tuple[Callable[..., Any], Callable[..., tuple[Any, ...]]]] = {
    "add": (lambda a, b: a + b, lambda a, b: (1, 1)),
    "sub": (lambda a, b: a - b, lambda a, b: (1, -1)),
    "mul": (lambda a, b: a * b, lambda a, b: (b, a)),
    "div": (lambda a, b: a / b, lambda a, b: (1 / b, -a / (b * b))),
    "neg": (lambda a: -a, lambda a: (-1,)),
    "square": (lambda a: a * a, lambda a: (a + a,)),
    "cube": (lambda a: a * a * a, lambda a: (3 * a * a,)),
    "reciprocal": (lambda a: 1 / a, lambda a: (-1 / (a * a),)),
    "relu": (lambda a: a if a > 0 else a * 0, lambda a: (1 if a > 0 else 0,)),
    "leaky_relu": (
        lambda a: a if a > 0 else a * Fraction(1, 4),
        lambda a: (1 if a > 0 else Fraction(1, 4),),
    ),
    "abs": (lambda a: -a if a < 0 else a, lambda a: (_signum(a),)),
    "maximum": (lambda a, b: max(b, a), lambda a, b: _chosen(a, b, a > b)),
    "minimum": (lambda a, b: min(b, a), lambda a, b: _chosen(a, b, a < b)),
    "where": (
        lambda c, a, b: b if c == 0 else a,
        lambda c, a, b: (0, 0, 1) if c == 0 else (0, 1, 0),
    ),
    "sum": (lambda a, b, c: a + b + c, lambda a, b, c: (1, 1, 1)),
    "dot": (lambda a, b, c, d, e: a * c + b * d + e, lambda a, b, c, d, e: (c, d, a, b, 1)),
}


class Naive:
    """The textbook engine: a node, its parents, and the chain rule by recursion."""

    def __init__(self, data: Any, rule: str = "", parents: Iterable[Naive] = ()) -> None:
        self.data, self.grad = data, 0
        self.rule, self.parents = rule, tuple(parents)
        self.inputs = [parent.data for parent in self.parents]

    @classmethod
    def apply(cls, rule: str, *parents: Naive) -> Naive:
        return cls(RULES[rule][0](*[parent.data for parent in parents]), rule, parents)

    def below(self) -> list[Naive]:
        """Return this node and all it depends on, parents first."""
        found: list[Naive] = []

        def visit(node: Naive) -> None:
            if not any(node is other for other in found):
                for parent in node.parents:
                    visit(parent)
                found.append(node)

        visit(self)
        return found

    def is_stale(self) -> bool:
        """Return whether some input changed since it was used."""
        return any(
            used != parent.data
            for node in self.below()
            for used, parent in zip(node.inputs, node.parents, strict=True)
        )

    def recomputed(self, changed: dict[Naive, Any] | None = None) -> dict[Naive, Any]:
        """Return the data of all nodes below at the leaves' present data, or at `changed`."""
        data = dict(changed or {})
        for node in self.below():
            if node.parents:
                data[node] = RULES[node.rule][0](*[data[parent] for parent in node.parents])
            else:
                data.setdefault(node, node.data)
        return data

    def adjoints(self, data: dict[Naive, Any] | None = None) -> dict[Naive, Any]:
        """Return d(self)/d(node) for every node below, by summing over the node's children."""
        nodes = self.below()
        data = data or {node: node.data for node in nodes}

        def adjoint(node: Naive) -> Any:
            if node not in known:
                total: Any = 1 if node is self else 0
                for child in nodes:
                    slopes = RULES[child.rule][1] if child.parents else None
                    for i, parent in enumerate(child.parents):
                        if parent is node and slopes:
                            inputs = [data[each] for each in child.parents]
                            total = total + slopes(*inputs)[i] * adjoint(child)
                known[node] = total
            return known[node]

        known: dict[Naive, Any] = {}
        return {node: adjoint(node) for node in nodes}

    def second(self, direction: Naive) -> dict[Naive, Any]:
        """Return d/d(direction) of d(self)/d(node) for every node below; `direction` is a leaf."""
        seeded = {node: Dual(node.data) for node in self.below() if not node.parents}
        seeded[direction] = Dual(direction.data, 1)
        adjoints = self.adjoints(self.recomputed(seeded))
        return {node: Dual.of(adjoint).slope for node, adjoint in adjoints.items()}
