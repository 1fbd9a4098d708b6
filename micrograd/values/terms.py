"""Which loss a value is: told by how it is computed from the outputs of a network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any, Final, NamedTuple

from micrograd.ops import (
    Number,
    Op,
    Operators,
    add,
    exp,
    is_constant,
    log,
    logsumexp,
    relu,
    softmax,
    softplus,
    sum_of,
)

__all__ = ["KINDS", "Term", "probabilities", "term_at"]

KINDS: Final = {
    "cross_entropy": "softmax, -log",
    "mse": "squared error",
    "hinge": "hinge",
    "binary_cross_entropy": "sigmoid, -log",
}  # what each is called


class Term(NamedTuple):
    """The loss of one sample.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    node : int
        The position of the loss.
    outputs : list of int
        The outputs of the network that it is computed from.
    target : number or None
        The right class, as a position among `outputs`, or the number that the output should be;
        None where there are several.
    ratio : int or None
        The position of the right class's probability, where the graph holds it.
    leaf : int or None
        The position of the target, where it is a leaf of the graph.
    """

    kind: str
    node: int
    outputs: list[int]
    target: Any
    ratio: int | None = None
    leaf: int | None = None


def term_at(nodes: Sequence[Any], at: Mapping[Any, int], i: int, outputs: list[int]) -> Term | None:
    """Return what loss of these outputs a value is; None if it is none.

    Examples
    --------
    >>> from micrograd import Value
    >>> from micrograd.graph import order
    >>> s = Value(3.0)
    >>> nodes = order((s - 1.0) ** 2)
    >>> term_at(nodes, {node: i for i, node in enumerate(nodes)}, 3, [0])
    Term(kind='mse', node=3, outputs=[0], target=1.0, ratio=None, leaf=1)
    """
    wanted = [nodes[output] for output in outputs]
    for loss in _losses(len(outputs)).get(_row(nodes[i].op), ()):
        found = _matched(loss.formula, nodes[i])
        if found is None:
            continue
        scores = [found[score] for score in loss.scores]
        target = found.get(loss.target, loss.target)
        if loss.each:
            right = [s for s, x in zip(scores, loss.each, strict=True) if found[x] is target]
            if right and set(scores) == set(wanted):
                ratio = at[found[loss.ratio]] if loss.ratio else None
                return Term(loss.kind, i, outputs, wanted.index(right[0]), ratio)
        elif scores[0] in wanted and not any(
            node.parents for x, node in found.items() if x.op is None and x not in loss.scores
        ):
            leaf = at[target] if loss.target in found else None
            target = target if leaf is None else target.data
            return Term(loss.kind, i, [at[scores[0]]], target, None, leaf)
    return None


# ---- how losses are written --------------------------------------------------------------------


class _Formula(Operators):
    """A letter, or a row applied to formulas and numbers."""

    __slots__ = ("op", "parents")

    def __init__(self, op: Op | None = None, parents: tuple[Number, ...] = ()) -> None:
        self.op = op
        self.parents = parents

    @classmethod
    def _apply(cls, op: Op, args: tuple[Number, ...]) -> _Formula:
        return cls(op, args)


class _Loss(NamedTuple):
    """A way to write the loss of a sample.

    The target is a letter or a number. With several scores it is what is computed from the right
    one: `each` has what is computed from each of them.
    """

    kind: str
    formula: Any
    scores: Sequence[_Formula]
    target: Any
    each: Sequence[Any] = ()
    ratio: Any = None


def _ways(count: int) -> Iterator[_Loss]:
    """Yield the ways to write the loss of a network of `count` outputs."""
    s, y, z = _Formula(), _Formula(), _Formula()
    yield _Loss("mse", (s - y) ** 2, [s], y)
    yield _Loss("mse", (y - s) ** 2, [s], y)
    yield _Loss("hinge", relu(1 - y * s), [s], y)
    yield _Loss("hinge", relu(1 - s * y), [s], y)
    one, zero = softplus(-s), softplus(s)  # -log of the probability of a 1, and of a 0
    yield _Loss("binary_cross_entropy", one, [s], 1)
    yield _Loss("binary_cross_entropy", zero, [s], 0)
    yield _Loss("binary_cross_entropy", y * one + z * zero, [s], y)
    yield _Loss("binary_cross_entropy", z * zero + y * one, [s], y)
    if count < 2:
        return
    scores = [_Formula() for _ in range(count)]
    differences = [score - scores[0] for score in scores[1:]]
    yield _Loss("cross_entropy", logsumexp([0, *differences]), scores, scores[0], scores)
    yield _Loss("cross_entropy", logsumexp(scores) - y, scores, y, scores)
    for powers in (list(map(exp, scores)), [exp(score - z) for score in scores]):
        for total in (sum_of(count)(*powers), reduce(add, powers), reduce(add, powers, 0)):
            ratio = y / total
            yield _Loss("cross_entropy", -log(ratio), scores, y, powers, ratio)


@lru_cache(maxsize=16)
def _losses(count: int) -> dict[Any, list[_Loss]]:
    """Return the ways to write a loss, by the row of its last operation."""
    found: dict[Any, list[_Loss]] = {}
    for loss in _ways(count):
        found.setdefault(_row(loss.formula.op), []).append(loss)
    return found


def _row(op: Op | None) -> Any:
    return (op.family, op.parameters) if op is not None and op.family else op


def _matched(formula: Any, node: Any) -> dict[_Formula, Any] | None:
    """Return the node that each part of a formula stands for; None if a node is not made so."""
    found: dict[_Formula, Any] = {}
    rest = [(formula, node)]
    while rest:
        part, node = rest.pop()
        if not isinstance(part, _Formula):
            if node.parents or node.data != part:
                return None
            continue
        known = found.setdefault(part, node)
        if known is not node:  # a plain number is a new leaf each time
            if not (is_constant(known) and is_constant(node) and known.data == node.data):
                return None
        elif part.op is not None:
            if _row(part.op) != _row(node.op) or len(part.parents) != len(node.parents):
                return None
            rest += zip(part.parents, node.parents, strict=True)
    return found


def probabilities(term: Term, data: Sequence[Any]) -> list[Any]:
    """Return the probabilities that a loss is computed from: of each class, of a 1, or none."""
    scores = [data[output] for output in term.outputs]
    if term.kind == "cross_entropy":
        return _softmax(scores)
    return _softmax([0, *scores])[1:] if term.kind == "binary_cross_entropy" else []


def _softmax(scores: list[Any]) -> list[Any]:
    try:
        return softmax(scores)
    except (OverflowError, ValueError):
        return [math.nan] * len(scores)
