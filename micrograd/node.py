"""What a node of the graph is: its fields, what works on its number alone, copies and checks.

`engine.Value` adds how nodes are recorded and differentiated.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

from micrograd.errors import DomainError, GradientError, StaleGraphError
from micrograd.graph import order
from micrograd.ops import Op, Operators, PlainNumber, constant, foreign, is_operand, number

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Node", "check_finite", "check_fresh", "described", "plain"]


class Node(Operators):
    """A number with its operands; see `engine.Value`, the one kind of node there is."""

    # `_record` is the operands followed by the data that each of them had: one tuple instead of
    # two keeps a node of two operands under 200 bytes, and comparing identities finds an operand
    # that changed. `label` lives in `__dict__`, which only exists once it is needed.
    __slots__ = ("__dict__", "_data", "_record", "grad", "op")
    _data: Any
    _record: tuple[Any, ...]
    grad: Any
    op: Any
    label: str = ""

    def __init__(
        self, data: Any, _children: Sequence[Self] = (), _op: str = "", label: str = ""
    ) -> None:
        self._data = number(data)
        self.grad = 0
        self.op = foreign(_op) if _children or _op else None
        self._record = (*_children, *[child._data for child in _children])
        if label:
            self.label = label

    @classmethod
    def _made(cls, data: PlainNumber, op: Op | None, record: tuple[Any, ...] = ()) -> Self:
        """Make a node without checks: the way results and constants are made."""
        node = _new(cls)
        node._data, node.grad, node.op, node._record = data, 0, op, record
        return node

    @property
    def data(self) -> Any:
        """The number itself; assign to change it."""
        return self._data

    @data.setter
    def data(self, new: Any) -> None:
        self._data = number(new)

    @property
    def parents(self) -> tuple[Self, ...]:
        """The operands, in order and with repeats; empty for a leaf."""
        return self._record[: len(self._record) // 2]

    @property
    def _prev(self) -> set[Self]:
        return set(self.parents)

    @property
    def _op(self) -> str:
        return self.op.token if self.op else ""

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self.grad}{label})"

    # ---- what works on the number alone ------------------------------------------------------

    def __float__(self) -> float:
        return float(self._data)

    def __int__(self) -> int:
        return int(self._data)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._data, digits)

    def __lt__(self, other: Any) -> bool:
        return self._data < plain(other) if is_operand(other) else NotImplemented

    def __le__(self, other: Any) -> bool:
        return self._data <= plain(other) if is_operand(other) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return self._data > plain(other) if is_operand(other) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return self._data >= plain(other) if is_operand(other) else NotImplemented

    # ---- copies and pickles, without recursion -----------------------------------------------

    def _with_record(self, record: tuple[Any, ...]) -> Self:
        if self._record and self.op.partials is None and "_closure" in self.__dict__:
            raise GradientError(f"{self!r} has a hand-made _backward, which cannot be copied")
        node = self._made(self._data, self.op, record)
        node.grad = self.grad
        return node

    def __copy__(self) -> Self:
        node = self._with_record(self._record)
        node.__dict__.update(self.__dict__)
        return node

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        for node in order(self):
            if id(node) not in memo:
                parents = tuple([memo[id(parent)] for parent in node.parents])
                copy = memo[id(node)] = node._with_record(parents + node._record[len(parents) :])
                copy.__dict__.update(deepcopy(node.__dict__, memo))
        return cast("Self", memo[id(self)])

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._record:
            return _leaf, (type(self), self._data, self.op, self.grad), self.__dict__ or None
        # Leaves go as themselves, so that they stay shared with whatever is pickled beside them;
        # results as rows that name their parents by position, so that nothing nests.
        position: dict[Node, int] = {}
        rows: list[Any] = []
        for node in order(self):
            positions = [position[parent] for parent in node.parents]
            inputs = node._record[len(positions) :]
            bare = (positions, inputs, node._with_record(()), node.__dict__)
            position[node] = len(rows)
            rows.append(bare if positions else node)
        return _graph, (rows,)


_new = object.__new__


def plain(operand: Any) -> Any:
    """Return the number of a node, or the number that was given."""
    return operand.data if isinstance(operand, Operators) else number(operand)


def _leaf(kind: type[Node], data: PlainNumber, op: Op | None, grad: Any) -> Node:
    node = kind._made(data, op)
    node.grad = grad
    return node


def _graph(rows: list[Any]) -> Node:
    for i, row in enumerate(rows):
        if isinstance(row, tuple):
            positions, inputs, node, attributes = row
            parents = [rows[position] for position in positions]
            # Unchanged inputs are again the very objects that the parents hold.
            data = [p._data if p._data == x else x for p, x in zip(parents, inputs, strict=True)]
            node._record = (*parents, *data)
            node.__dict__.update(attributes)
            rows[i] = node
    return cast("Node", rows[-1])


# ---- what stops a pass -------------------------------------------------------------------------


def check_fresh(node: Node) -> None:
    """Raise if the data of an operand is no longer what the node was computed from."""
    record = node._record
    for parent, data in zip(record, record[len(record) // 2 :]):  # noqa: B905
        now = parent._data
        if now is not data and now != data and (now == now or data == data):
            raise StaleGraphError(
                f"operand {parent.label!r} of {described(node)} changed from {data} to {now} "
                "after the forward pass: compute the output again, or call its forward(), first"
            )


def check_finite(nodes: Sequence[Node]) -> None:
    """Raise for the first local derivative, from the output down, that is not finite."""
    for node in reversed(nodes):
        record = node._record
        inputs = record[len(record) // 2 :]
        if not record or node.op.partials is None or node.grad == 0:
            continue
        for parent, data, slope in zip(record, inputs, node.op.partials(node._data, *inputs)):  # noqa: B905
            if slope * 0 != 0 and data * 0 == 0 and parent.op is not constant:
                raise DomainError(
                    f"{described(node)} has no finite derivative in its operand "
                    f"{parent.label!r} = {data}: it is {slope}"
                )


def described(node: Node) -> str:
    """Return the node as it was computed, with names where there are any."""
    half = len(node._record) // 2
    texts = [
        f"{parent.label}={data}" if parent.label else f"{data}"
        for parent, data in zip(node._record[:half], node._record[half:], strict=True)
    ]
    written: str = node.op.written(*texts)
    return written + (f" ({node.label})" if node.label else "")
