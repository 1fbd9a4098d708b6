"""Why a gradient is the number it is: a sum over paths, with a product along each path.

>>> from micrograd.engine import Value
>>> a, b = Value(2, label="a"), Value(1, label="b")
>>> c, d = a + b, b + 1
>>> c.label, d.label = "c", "d"
>>> e = c * d
>>> e.label = "e"
>>> print(explain(e, b))
e ← c ← b   2 × 1 = +2
e ← d ← b   3 × 1 = +3
b.grad = +2 + 3 = +5, over 2 paths
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from micrograd.backward_pass import Recording
from micrograd.checks import whole_number
from micrograd.engine import Value, gradient
from micrograd.errors import NumberTypeError, shown_typed
from micrograd.graph import order
from micrograd.ops import as_float
from micrograd.sentences import Words, latex_name, once, sign_of_equation, sign_of_number, signed
from micrograd.style import finite, number_text
from micrograd.values.names import name_of
from micrograd.values.showing import Shown

__all__ = ["Explanation", "Path", "explain", "explain_all"]

LONGEST_PATH: Final = 12  # values; of a longer path the first and the last are written


@dataclass(frozen=True, slots=True)
class Path:
    """One path from the output to the input.

    Attributes
    ----------
    nodes : tuple of Value
        The output first.
    operands : tuple of int
        Which operand of each value the next one is: `x * x` has two paths to `x`.
    factors : tuple of number
        The local derivative of each value with respect to the next.
    product : number
        The product of the factors, from left to right: what this path contributes.
    """

    nodes: tuple[Value, ...]
    operands: tuple[int, ...]
    factors: tuple[Any, ...]
    product: Any

    @property
    def relation(self) -> str:
        """`=` or `≈` between the factors and the product, as they are shown.

        It is `→` where nothing is passed past a factor without a finite value.
        """
        if self.product == 0 and not all(map(_is_finite, self.factors)):
            return "→"
        factors = [number_text(factor) for factor in self.factors]
        return sign_of_equation(factors, signed(self.product), lambda *x: math.prod(x))


class Explanation(Shown):
    """The gradient of `output` with respect to `input`, path by path; made by `explain`.

    Attributes
    ----------
    output, input : Value
    total : number
        d(output)/d(input), as the engine computes it; exact for ints and Fractions.
    count : int
        The exact number of paths, even if it is huge.
    paths : tuple of Path
        All of them in the order of operands, or only the largest by magnitude.
    rest_count : int
        The number of paths that are not in `paths`.
    rest : number
        The sum of their products: `total` minus the products in `paths`.
    """

    def __init__(
        self,
        output: Value,
        input: Value,  # noqa: A002 - the word of the field
        *,
        total: Any,
        count: int,
        paths: tuple[Path, ...],
        words: Words,
    ) -> None:
        self.output, self.input = output, input
        self.total, self.count, self.paths = total, count, paths
        self.rest_count = count - len(paths)
        self.rest = _remainder(total, [path.product for path in paths]) if self.rest_count else 0
        self._words = words
        self._place = {node: i for i, node in enumerate(words.recording.nodes)}

    def _name(self, value: Value) -> str:
        if value in self._place:
            return self._words.names[self._place[value]]
        return name_of(value) or "an unnamed value"

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """The rows of a table: path, factors, product; then the rest, if any, and the sum."""
        rows = [
            (
                _long([self._name(node) for node in path.nodes], " ← "),
                _long([_factor(factor) for factor in path.factors], " × ") or "1",
                signed(path.product),
            )
            for path in self.paths
        ]
        if self.rest_count:
            rows.append((f"… {self.rest_count:,} more paths", "together", signed(self.rest)))
        rows.append((self._gradient, f"sum over {self._counted}", signed(self.total)))
        return rows

    @property
    def _counted(self) -> str:
        return f"{self.count:,} path{'s' * (self.count != 1)}"

    @property
    def _gradient(self) -> str:
        if self.input in self._place:
            return self._words.gradient_of(self._place[self.input])
        return f"{self._name(self.input)}.grad"

    @property
    def text(self) -> str:
        """One line for each path, and the sum."""
        *lines, (name, _, total) = self.rows
        if not lines:
            output, wanted = self._name(self.output), self._name(self.input)
            swapped = ""
            if self.output in order(self.input):
                swapped = f"; {wanted} was computed from {output}"
            return f"{output} was not computed from {wanted}{swapped}: {name} = 0"
        widths = [max(len(line[i]) for line in lines) for i in (0, 1)]
        text = []
        for k, (way, factors, product) in enumerate(lines):
            path = self.paths[k] if k < len(self.paths) else None
            relation = path.relation if path else ""
            if path is None:
                text.append(f"{way}, {factors} {product}")
            else:
                text.append(f"{way:<{widths[0]}}   {factors:<{widths[1]}} {relation} {product}")
        parts = [line[2] for line in lines]
        if 1 < len(parts) <= 6:
            later = [f"{'-' if '-' in p[:2] else '+'} {p.lstrip('≈+-')}" for p in parts[1:]]
            added = " ".join([parts[0], *later])
            exact = all(sign_of_number(product) == "=" for product in self._products)
            text.append(
                f"{name} {'=' if exact else '≈'} {added} {_relation(parts, total)} {total}, "
                f"over {self._counted}"
            )
        else:
            text.append(
                f"{name} {sign_of_number(self.total)} {total}, the sum over {self._counted}"
            )
        return once("\n".join(text))

    @property
    def _products(self) -> list[Any]:
        rest = [self.rest] if self.rest_count else []
        return [path.product for path in self.paths] + rest

    @property
    def latex(self) -> str:
        """The sum of products as a formula."""
        output, wanted = latex_name(self._name(self.output)), latex_name(self._name(self.input))
        passing = [path for path in self.paths if path.relation != "→"]
        terms = [
            r" \cdot ".join(_latex_factor(factor) for factor in path.factors) or "1"
            for path in passing
        ]
        if self.rest_count:
            terms.append(rf"\underbrace{{{_latex(self.rest)}}}_{{{self.rest_count}\text{{ more}}}}")
        total = _latex(self.total)
        left = rf"\frac{{\partial {output}}}{{\partial {wanted}}}"
        exact = all(sign_of_number(x) == "=" for path in passing for x in path.factors)
        relation = _relation([signed(product) for product in self._products], signed(self.total))
        is_sum = relation == "=" and all(path.relation == "=" for path in passing)
        first, second = ("=" if is_true else r"\approx" for is_true in (exact, is_sum))
        return (
            f"{left} {first} {' + '.join(terms)} {second} {total.removeprefix(second).lstrip()}"
            if terms
            else f"{left} = 0"
        )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        total = f"{sign_of_number(self.total)} {number_text(self.total)}"
        return (
            f"<Explanation of d({self._name(self.output)})/d({self._name(self.input)}) {total}: "
            f"{self._counted}>"
        )


def explain(output: Value, input: Value, limit: int = 12) -> Explanation:  # noqa: A002
    """Return why d(output)/d(input) is what it is: the paths, their products, the sum.

    Parameters
    ----------
    output, input : Value
        Leaves or results. If there is no path between them, the gradient is 0.
    limit : int, default 12
        The largest number of paths that are all given. If there are more, the `limit - 2` largest
        by magnitude are given, and the rest as one sum.

    Returns
    -------
    Explanation

    Raises
    ------
    NumberTypeError
        If `output` or `input` is not a Value.
    ValueError
        If `limit` is not a whole number of at least 3.
    StaleGraphError, DomainError, ZeroDivisorError, OverflowRangeError, GradientError
        As from `Value.backward`.

    Notes
    -----
    Paths are counted, and the largest are found, without following each one: the time is linear in
    the edges, times `limit`. The graph's `.data` and `.grad` do not change.

    Examples
    --------
    >>> x = Value(1.0, label="x")
    >>> y = x
    >>> for _ in range(20):
    ...     y = y + y
    >>> explain(y, x)
    <Explanation of d(v19 + v19)/d(x) ≈ 1.049e6: 1,048,576 paths>
    >>> explain(y, x).total == 2.0 ** 20
    True
    """
    limit = whole_number("limit", limit, 3)
    if not isinstance(input, Value):
        raise NumberTypeError(f"expected a Value, got {shown_typed(input)}")
    recording = Recording(output)
    place = next((i for i, node in enumerate(recording.nodes) if node is input), None)
    found = _Found(recording, limit, place)
    return found.explanation(input, place, gradient(output, input))


def explain_all(
    recording: Recording, gradients: Sequence[Any], limit: int = 12
) -> list[Explanation]:
    """Return the explanation of every value of a recorded graph, as from `explain`.

    Parameters
    ----------
    recording : Recording
    gradients : sequence of number
        The gradient of each of its nodes.
    limit : int, default 12
        As for `explain`.

    Returns
    -------
    list of Explanation
        In topological order, the output last.

    Notes
    -----
    The graph is walked once for all values: the time is linear in the edges, times `limit`.

    Examples
    --------
    >>> from micrograd.stepper import steps
    >>> a = Value(3.0, label="a")
    >>> stepper = steps(a * a + 1)
    >>> [str(found.total) for found in explain_all(stepper.recording, stepper.gradients)]
    ['6.0', '1', '1', '1']
    """
    found = _Found(recording, limit)
    return [
        found.explanation(node, i, total)
        for i, (node, total) in enumerate(zip(recording.nodes, gradients, strict=True))
    ]


class _Found:
    """The paths from the root to every value: how many, and the largest by magnitude.

    Consumers come after their operands, so one walk back from the root is enough. For each value
    its largest paths are kept as (product, consumer, operand, which path of the consumer); with
    `place`, only for values between the root and the value at that position.
    """

    def __init__(self, recording: Recording, limit: int, place: int | None = None) -> None:
        self.recording, self.limit, self.words = recording, limit, Words(recording)
        size = len(recording.nodes)
        wanted = [place in (None, i) for i in range(size)]
        for i, parents in enumerate(recording.parents):
            wanted[i] = wanted[i] or any(wanted[parent] for parent in parents)
        self.counts = [0] * size
        self.counts[-1] = 1
        self.best: list[list[tuple[Any, int, int, int]]] = [[] for _ in range(size)]
        self.best[-1] = [(1, -1, -1, 0)]
        for i in range(size - 1, -1, -1):
            own = self.best[i] = self._largest(self.best[i], limit)
            for operand, parent in enumerate(recording.parents[i]):
                if not wanted[parent]:
                    continue
                self.counts[parent] += self.counts[i]
                local = recording.locals[i][operand]
                passes = local is not None and not (local == 0 and recording.nodes[i].op.gate)
                entries = self.best[parent]
                entries += [
                    (product * local if passes and product != 0 else 0, i, operand, rank)
                    for rank, (product, *_) in enumerate(own)
                ]
                if len(entries) > 100 * limit:  # a leaf with very many uses
                    self.best[parent] = self._largest(entries, limit)

    @staticmethod
    def _largest(entries: list[Any], number: int) -> list[Any]:
        if len(entries) <= number:
            return entries
        return heapq.nlargest(number, entries, key=lambda entry: _size(entry[0]))

    def explanation(self, value: Value, place: int | None, total: Any) -> Explanation:
        """Return why the gradient of `value`, at position `place`, is `total`."""
        count, entries = (0, []) if place is None else (self.counts[place], self.best[place])
        if count > self.limit:
            entries = self._largest(entries, self.limit - 2)
        paths = [self._path(place, entry) for entry in entries]
        if count <= self.limit:
            paths.sort(key=lambda path: path.operands)
        return Explanation(
            self.recording.nodes[-1], value, total=total, count=count, paths=tuple(paths),
            words=self.words,
        )  # fmt: skip

    def _path(self, place: Any, entry: tuple[Any, int, int, int]) -> Path:
        recording = self.recording
        product, consumer, operand, rank = entry
        nodes, operands, factors = [recording.nodes[place]], [], []
        while consumer >= 0:
            nodes.append(recording.nodes[consumer])
            operands.append(operand)
            factors.append(recording.locals[consumer][operand])
            _, consumer, operand, rank = self.best[consumer][rank]
        return Path(tuple(nodes[::-1]), tuple(operands[::-1]), tuple(factors[::-1]), product)


def _is_finite(factor: Any) -> bool:
    return factor is not None and finite(factor)


def _size(product: Any) -> Any:
    return abs(product) if product == product else float("inf")


def _remainder(total: Any, products: Sequence[Any]) -> Any:
    """Return `total` minus all `products`, rounded only once, at the end."""
    if not (finite(total) and all(finite(product) for product in products)):
        return total
    exact = Fraction(total) - sum(map(Fraction, products))
    if isinstance(total, float) or any(isinstance(product, float) for product in products):
        return as_float(exact)
    return int(exact) if isinstance(total, int) else exact


def _long(parts: list[str], joint: str) -> str:
    if len(parts) > LONGEST_PATH:
        parts = [*parts[:5], "…", *parts[-5:]]
    return joint.join(parts)


def _factor(factor: Any) -> str:
    text = number_text(factor)
    return f"({text})" if text.startswith("-") or "/" in text else text


def _latex(number: Any) -> str:
    if isinstance(number, Fraction) and number.denominator != 1:
        sign = "-" if number < 0 else ""
        return rf"{sign}\frac{{{abs(number.numerator)}}}{{{number.denominator}}}"
    return number_text(number).replace("≈", r"\approx ").replace("!", "")


def _latex_factor(factor: Any) -> str:
    text = _latex(factor)
    return f"({text})" if text.startswith("-") else text


def _relation(parts: list[str], total: str) -> str:
    return sign_of_equation(parts, total, lambda *terms: sum(terms))
