"""The backward pass as rows, one for each application of the chain rule: correct, or broken.

The rows are for readers of a graph: the stepper and films. What `Value.backward` runs is
`micrograd.engine.backward`.

Back-propagation has three rules: a gradient is the *sum* of its contributions, a node passes its
gradient on only when that sum is *complete*, and a pass begins with gradients of *zero*. Each rule
can be broken here on purpose, to see which wrong numbers follow.

>>> from micrograd.engine import Value
>>> a = Value(2, label="a")
>>> b = 3 * a
>>> rows = backward_rows(Recording(b * (b + 1)))
>>> [row.contribution for row in rows if row.kind == "chain"]
[7, 6, 6, 6, 26, 39]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from micrograd.engine import Value, gradient
from micrograd.errors import NumberTypeError, StaleGraphError, TooLargeError, shown_typed
from micrograd.graph import order
from micrograd.ops import is_constant
from micrograd.style import finite
from micrograd.values.checks import is_same

__all__ = [
    "BROKEN", "LARGEST_PASS", "Recording", "Row", "backward_rows", "final_gradients", "is_same",
]  # fmt: skip

LARGEST_PASS: Final = 100_000  # contributions; plain recursion can need 2**depth of them

BROKEN: Final = {
    "assign": "= instead of +=",
    "recursion": "no topological order: plain recursion",
    "visit_once": "no topological order: every value passes on once, as soon as it is reached",
    "post_order": "no topological order: the order of evaluation, not its reverse",
    "no_zero_grad": "no zero_grad between two passes",
}


class Row(NamedTuple):
    """One step, with nodes as positions in topological order.

    This is contribution `number` of the `of` that the parent gets in this pass; `turn` is the index
    of the pass. What does not apply is None, or -1 for a position. An update after the pass is of
    the kind "update": its `upstream` is the gradient that it uses.
    """

    kind: str
    node: int
    parent: int = -1
    operand: int = -1
    upstream: Any = None
    local: Any = None
    contribution: Any = None
    before: Any = None
    after: Any = None
    number: int = 0
    of: int = 0
    turn: int = 0


class Recording:
    """What a pass needs from a graph, read once: later changes of the graph do not matter.

    Parameters
    ----------
    root : Value

    Attributes
    ----------
    nodes : list of Value
        In topological order, the root last.
    parents : list of tuple of int
        Positions, in operand order and with repeats.
    data : list of number
    locals : list of tuple
        The local derivatives of each node, None where there is no finite one at finite numbers.

    Raises
    ------
    NumberTypeError
        If `root` is not a Value.
    StaleGraphError
        If data changed since the forward pass.
    GradientError
        If a node was made by hand and has no local derivatives.
    """

    def __init__(self, root: Value) -> None:
        if not isinstance(root, Value):
            raise NumberTypeError(f"expected a Value, got {shown_typed(root)}")
        self.nodes = order(root)
        place = {node: i for i, node in enumerate(self.nodes)}
        self.data = [node.data for node in self.nodes]
        self.parents: list[tuple[int, ...]] = []
        self.locals: list[tuple[Any, ...]] = []
        for node in self.nodes:
            parents = node.parents
            self.parents.append(tuple([place[parent] for parent in parents]))
            try:
                found = node.local_derivatives() if parents else ()
            except StaleGraphError:
                raise
            except (ValueError, ArithmeticError):  # an error only if a gradient arrives here
                found = (None,) * len(parents)
            else:
                if not all(map(finite, found)) and all(map(finite, (node.data, *node.inputs))):
                    found = tuple([x if finite(x) else None for x in found])
            self.locals.append(found)


def _visits(recording: Recording, broken: str | None) -> list[list[int]]:
    """Return, for each pass, the nodes that pass their gradient on, in order."""
    parents = recording.parents
    evaluation = [i for i, operands in enumerate(parents) if operands]
    if broken == "no_zero_grad":
        return [evaluation[::-1], evaluation[::-1]]
    if broken == "post_order":
        return [evaluation]
    if broken not in ("recursion", "visit_once"):
        return [evaluation[::-1]]
    visits: list[int] = []
    seen: set[int] = set()
    stack = [len(parents) - 1]
    contributions = 0
    while stack:
        i = stack.pop()
        if not parents[i] or (broken == "visit_once" and i in seen):
            continue
        seen.add(i)
        visits.append(i)
        contributions += len(parents[i])
        if contributions > LARGEST_PASS:
            raise TooLargeError(
                f"plain recursion needs more than {LARGEST_PASS:,} contributions on this graph of "
                f"{len(parents):,} values, because it follows every path: take a smaller graph, or "
                'broken="visit_once"'
            )
        stack += parents[i][::-1]
    return [visits]


def backward_rows(recording: Recording, broken: str | None = None) -> list[Row]:
    """Return the steps of the backward pass, beginning with the seed.

    Parameters
    ----------
    recording : Recording
    broken : str, optional
        A key of `BROKEN`.

    Returns
    -------
    list of Row

    Raises
    ------
    DomainError, ZeroDivisorError, OverflowRangeError
        As from `Value.backward`, if a local derivative that is needed does not exist.
    TooLargeError
        If a broken pass has more than `LARGEST_PASS` contributions.
    """
    parents, locals_ = recording.parents, recording.locals
    last = len(parents) - 1
    grads: list[Any] = [0] * len(parents)
    rows: list[Row] = []
    for turn, visits in enumerate(_visits(recording, broken), start=1):
        if turn > 1:
            grads = [0 if parents[i] else grad for i, grad in enumerate(grads)]
        of = [0] * len(parents)
        for i in visits:
            for parent in parents[i]:
                of[parent] += 1
        got = [0] * len(parents)
        reached = [i == last for i in range(len(parents))]
        before = grads[last]
        grads[last] = before + 1
        rows.append(Row("seed", last, before=before, after=grads[last], number=1, of=1, turn=turn))
        for i in visits:
            upstream = grads[i]
            for operand, (parent, local) in enumerate(zip(parents[i], locals_[i], strict=True)):
                before = grads[parent]
                if not reached[i] or (local == 0 and recording.nodes[i].op.gate):
                    contribution, after = 0, before  # nothing, even of an infinite derivative
                elif local is None and is_constant(recording.nodes[parent]):
                    contribution, after = 0, before  # no number is differentiated
                else:
                    if local is None:
                        _raise_as_backward_does(recording)
                    contribution = local * upstream
                    after = before + contribution
                    reached[parent] = True
                if broken == "assign":
                    after = contribution
                grads[parent] = after
                got[parent] += 1
                rows.append(
                    Row("chain", i, parent, operand, upstream, local, contribution, before, after,
                        got[parent], of[parent], turn)
                )  # fmt: skip
    if not all(map(finite, [recording.data[last], *grads])):
        _raise_as_backward_does(recording)
    return rows


def _raise_as_backward_does(recording: Recording) -> None:
    gradient(recording.nodes[-1], recording.nodes)


def final_gradients(rows: Sequence[Row], size: int) -> list[Any]:
    """Return the gradient of each of `size` nodes after `rows`."""
    grads: list[Any] = [0] * size
    for row in rows:
        grads[row.node if row.kind == "seed" else row.parent] = row.after
    return grads
