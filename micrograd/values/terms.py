"""Which loss a value is: told by how it is computed from the outputs of a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from micrograd.ops import softmax

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
    for found in _READERS:
        if term := found(nodes[i], wanted):
            kind, target, used = term
            is_ratio = kind == "cross_entropy" and nodes[i].op.name == "neg"
            ratio = at[nodes[i].parents[0].parents[0]] if is_ratio else None
            leaf = at[target] if hasattr(target, "op") else None
            target = target if leaf is None else target.data
            return Term(kind, i, [at[output] for output in used], target, ratio, leaf)
    return None


_Found = tuple[str, Any, list[Any]]


def _is(node: Any, name: str, operands: int | None = None) -> bool:
    known = node.op is not None and bool(node.parents) and node.op.name == name
    return known and operands in (None, len(node.parents))


def _is_number(node: Any, number: Any) -> bool:
    return not node.parents and bool(node.data == number)


def _cross_entropy(node: Any, outputs: list[Any]) -> _Found | None:
    if len(outputs) < 2:
        return None
    right: Any = None
    if _is(node, "logsumexp") and len(node.parents) == len(outputs):
        zero, *differences = node.parents  # of the other outputs and the right one
        if _is_number(zero, 0) and all(_is(d, "sub") for d in differences):
            chosen = {d.parents[1] for d in differences}
            others = [d.parents[0] for d in differences]
            if len(chosen) == 1 and {*others, *chosen} == set(outputs):
                right = chosen.pop()
    elif _is(node, "sub") and _is(node.parents[0], "logsumexp"):
        if list(node.parents[0].parents) == outputs and node.parents[1] in outputs:
            right = node.parents[1]
    elif _is(node, "neg") and _is(node.parents[0], "log"):
        right = _chosen(node.parents[0].parents[0], outputs)
    if right is None:
        return None
    return "cross_entropy", outputs.index(right), outputs


def _chosen(ratio: Any, outputs: list[Any]) -> Any:
    """Return the output whose probability, of `softmax`, a ratio is."""
    if not _is(ratio, "div"):
        return None
    power, total = ratio.parents
    powers = list(total.parents) if _is(total, "sum") else []
    while not powers or _is(powers[0], "add"):  # ((a + b) + c), as `sum` of Python adds
        first = powers[0] if powers else total
        if not _is(first, "add"):
            return None
        powers[:1] = first.parents
    powers = [q for q in powers if not _is_number(q, 0)]
    scores, shifts = zip(*map(_score, powers), strict=True)
    is_whole = len(scores) == len(outputs) and set(scores) == set(outputs)
    is_whole &= len(set(shifts)) == 1
    return scores[powers.index(power)] if is_whole and power in powers else None


def _score(power: Any) -> tuple[Any, Any]:
    """Return the score in a power, and what is subtracted from it before, if anything."""
    if not _is(power, "exp"):
        return None, None
    inside = power.parents[0]
    if not _is(inside, "sub"):
        return inside, None
    score, shift = inside.parents
    return score, shift if shift.parents else shift.data  # a plain number is a new leaf each time


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


def _mse(node: Any, outputs: list[Any]) -> _Found | None:
    if not (_is(node, "power") and node.op.parameters[0] == 2 and _is(node.parents[0], "sub")):
        return None
    one, other = node.parents[0].parents
    if one not in outputs:
        one, other = other, one
    if one not in outputs or other.parents:
        return None
    return "mse", other, [one]


def _hinge(node: Any, outputs: list[Any]) -> _Found | None:
    if not (_is(node, "relu") and _is(node.parents[0], "sub")):
        return None
    one, product = node.parents[0].parents
    if not (_is_number(one, 1) and _is(product, "mul")):
        return None
    y, score = product.parents
    if score not in outputs:
        y, score = score, y
    return ("hinge", y, [score]) if score in outputs and not y.parents else None


def _binary(node: Any, outputs: list[Any]) -> _Found | None:
    score, target = _surprise(node)
    if _is(node, "add"):
        products = [side.parents for side in node.parents if _is(side, "mul")]
        sides = [(y, _surprise(x)) for y, x in products if not y.parents]
        targets = {side[1]: (y, side[0]) for y, side in sides}
        if set(targets) != {0, 1} or targets[0][1] is not targets[1][1]:
            return None
        target, score = targets[1]
    if score not in outputs:
        return None
    return "binary_cross_entropy", target, [score]


def _surprise(node: Any) -> tuple[Any, int | None]:
    """Return the score, and whether this is the loss of a 1 or of a 0."""
    if not _is(node, "softplus"):
        return None, None
    inside = node.parents[0]
    return (inside.parents[0], 1) if _is(inside, "neg") else (inside, 0)


_READERS: Final[tuple[Callable[[Any, list[Any]], _Found | None], ...]] = (
    _cross_entropy, _mse, _hinge, _binary,
)  # fmt: skip
