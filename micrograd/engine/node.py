"""What a node of the graph remembers: its number, its operands, and how it was computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from micrograd.errors import shown
from micrograd.ops import Op, PlainNumber, foreign, number
from micrograd.values.by_hand import given_locals, given_operands
from micrograd.values.checks import is_same
from micrograd.values.copying import (  # pickles of version 1.0.0 look for the last two here
    Copying,
    _graph,  # noqa: F401
    _leaf,  # noqa: F401
)
from micrograd.values.reading import Reading
from micrograd.values.showing import Shown

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["NO_OPERANDS", "Node", "Overwritten"]

NO_OPERANDS: Final = ()  # of a leaf: one object, so that it is told by `is`


class Overwritten(NamedTuple):
    """What a result was computed as, and its first input, once its data was assigned to."""

    computed: Any
    first: Any


class Node(Copying, Reading, Shown):
    """A number with its operands; see `engine.Value`, the one kind of node there is."""

    # The operands, and the data that each of them had, so that a changed one is found. One or two
    # operands stand in the slots `_left`, `_right`, `_a`, `_b` themselves; any other number of
    # them as tuples in `_left` and `_a`. Without tuples of its own a node of an ordinary graph
    # takes 150 to 180 bytes and gives the garbage collector half as much to walk.
    # `label` lives in `__dict__`, which only exists once it is needed.
    __slots__ = ("__dict__", "_a", "_b", "_data", "_grad", "_left", "_right", "op")
    _data: Any
    _grad: Any
    op: Any
    label: str = ""

    def __init__(
        self,
        data: Any,
        _children: Sequence[Self] = (),
        _op: str | Sequence[PlainNumber] = "",
        label: str = "",
    ) -> None:
        children = given_operands(_children)
        self._data = number(data)
        self._grad = 0
        if isinstance(_op, str):
            self.op = foreign(_op) if children or _op else None
        else:
            self.op = foreign("")
            self._local_gradients = given_locals(_op, children)
        self._record(children, tuple([child.data for child in children]))
        if label:
            self.label = label

    def _record(self, operands: tuple[Any, ...], inputs: tuple[Any, ...]) -> None:
        """Remember what the node was computed from."""
        if len(operands) == 2:
            self._left, self._right = operands
            self._a, self._b = inputs
        elif len(operands) == 1:
            self._left, self._a = operands[0], inputs[0]
            self._right = self._b = None
        else:
            self._left, self._a = operands or NO_OPERANDS, inputs
            self._right = self._b = None

    @classmethod
    def _made(
        cls,
        data: PlainNumber,
        op: Op | None,
        operands: tuple[Any, ...] = (),
        inputs: tuple[Any, ...] = (),
    ) -> Self:
        """Make a node without checks: the way results and constants are made."""
        node = object.__new__(cls)
        node._data, node._grad, node.op = data, 0, op
        node._record(operands, inputs)
        return node

    @property
    def parents(self) -> tuple[Self, ...]:
        """The operands, in order and with repeats; empty for a leaf."""
        left = self._left
        if type(left) is tuple:
            return left
        return (left,) if self._right is None else (left, self._right)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The data that the operands had when this node was computed."""
        a = self._a.first if type(self._a) is Overwritten else self._a
        if type(self._left) is tuple:
            return cast("tuple[Any, ...]", a)
        return (a,) if self._right is None else (a, self._b)

    @property
    def computed(self) -> Any:
        """The number that the operation gave, whatever was assigned to `data` since."""
        return self._a.computed if type(self._a) is Overwritten else self._data

    @property
    def data(self) -> Any:
        """The number itself; assign to change it."""
        return self._data

    @data.setter
    def data(self, new: Any) -> None:
        new = new if type(new) is float else number(new)  # floats skip the conversion
        if self._left is not NO_OPERANDS:
            self._mark_overwritten(new)
        self._data = new

    def _mark_overwritten(self, new: Any) -> None:
        """Remember the number that was computed, when another one is assigned to a result.

        It takes the place of the first input, so that every pass finds an input that is not its
        operand's data, and looks closer.
        """
        first, computed = self._a, self._data
        if type(first) is Overwritten:
            computed, first = first
        self._a = first if is_same(new, computed) else Overwritten(computed, first)

    # A property, though it does nothing but keep a number: a call is what `compile` can notice.
    @property
    def grad(self) -> Any:
        """How much the output of the latest pass changes per unit of it, added up in a leaf."""
        return self._grad

    @grad.setter
    def grad(self, new: Any) -> None:
        self._grad = new

    @property
    def _prev(self) -> set[Self]:
        return set(self.parents)

    @property
    def _op(self) -> str:
        return self.op.token if self.op else ""

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={shown(self._data)}, grad={shown(self.grad)}{label})"
