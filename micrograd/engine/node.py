"""What a node of the graph remembers: its number, its operands, and how it was computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.errors import shown
from micrograd.ops import Op, Operators, PlainNumber, foreign, number
from micrograd.values.by_hand import ByHand, given_locals, given_operands
from micrograd.values.checks import is_same
from micrograd.values.copying import Copying, _graph, _leaf  # noqa: F401 (old pickles name them)
from micrograd.values.reading import Reading
from micrograd.values.showing import Shown

if TYPE_CHECKING:  # for the reader and for checkers of types: it is not run
    from typing_extensions import Self

__all__ = ["Node", "Overwritten"]


class Overwritten(NamedTuple):
    """The computed number and the first input of a result whose data was assigned to since."""

    computed: Any
    first: Any


class Node(Copying, Reading, Shown, ByHand):
    """A number with its operands; see `engine.Value`, the one kind of node there is.

    Its other methods are in `micrograd.values`, one class for each purpose.
    """

    # `_left` and `_right` are the operands of a node of one or two, `_a` and `_b` the data they had
    # then, so that a change is noticed. With any other number of operands `_left` and `_a` are
    # tuples; in a leaf they are None. A tuple in every node would take twice the memory, and so
    # would a `__dict__`, which a node has only once another attribute is set, such as `label`.
    __slots__ = ("__dict__", "_a", "_b", "_data", "_grad", "_left", "_right", "op")
    _data: Any
    _grad: Any
    op: Any
    label: str = ""  # of every node that has no other

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
            self.op = foreign(_op) if children or _op else None  # a row outside the op table
        else:
            self.op = foreign("")
            self._local_gradients = given_locals(_op, children)
        self._record(children, [child.data for child in children])
        if label:
            self.label = label

    @classmethod
    def _made(
        cls,
        data: PlainNumber,
        op: Op | None,
        operands: Sequence[Any] = (),
        inputs: Sequence[Any] = (),
    ) -> Self:
        """Make a node without the checks of `__init__`: the way results and constants are made."""
        node = object.__new__(cls)
        node._data, node._grad, node.op = data, 0, op
        node._left = node._right = node._a = node._b = None
        if operands:
            node._record(operands, inputs)
        return node

    def _record(self, operands: Sequence[Any], inputs: Sequence[Any]) -> None:
        """Remember what the node was computed from."""
        if len(operands) == 2:
            self._left, self._right = operands
            self._a, self._b = inputs
            return
        self._right = self._b = None
        if len(operands) == 1:
            self._left, self._a = operands[0], inputs[0]
        else:
            self._left, self._a = tuple(operands) or None, tuple(inputs) or None

    @property
    def parents(self) -> tuple[Self, ...]:
        """The operands, in order and with repeats; empty for a leaf."""
        left, right = self._left, self._right
        if right is not None:
            return left, right
        if left is None:
            return ()
        return left if type(left) is tuple else (left,)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The data that the operands had when this node was computed."""
        a = self._a.first if type(self._a) is Overwritten else self._a
        if self._right is not None:
            return a, self._b
        if self._left is None:
            return ()
        return a if type(self._left) is tuple else (a,)

    @property
    def computed(self) -> Any:
        """The number that the operation returned, whatever was assigned to `data` since."""
        return self._a.computed if type(self._a) is Overwritten else self._data

    @property
    def data(self) -> Any:
        """The number itself; assign to change it."""
        return self._data

    @data.setter
    def data(self, new: Any) -> None:
        new = new if type(new) is float else number(new)  # floats skip the conversion
        if self._left is not None:  # a result
            self._mark_overwritten(new)
        self._data = new

    def _mark_overwritten(self, new: Any) -> None:
        """Remember the number that was computed, when another one is assigned to a result.

        It is kept in `_a`, in place of the first input: a backward pass compares that with the data
        of the operand anyway, and so notices both changes with one comparison.
        """
        first, computed = self._a, self._data
        if type(first) is Overwritten:
            computed, first = first
        self._a = first if is_same(new, computed) else Overwritten(computed, first)

    # A property, so that it is a call, which `compile` notices and refuses.
    @property
    def grad(self) -> Any:
        """The derivative of the output of the latest backward pass; a leaf adds up all passes."""
        return self._grad

    @grad.setter
    def grad(self, new: Any) -> None:
        # A Value is a gradient that is a graph; anything else would fail later, in a backward pass.
        self._grad = new if type(new) is float or isinstance(new, Operators) else number(new)

    # The names of parents and operation in micrograd 0.1.0, which programs that draw graphs use.
    @property
    def _prev(self) -> set[Self]:
        return set(self.parents)

    @property
    def _op(self) -> str:
        return self.op.token if self.op else ""

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={shown(self._data)}, grad={shown(self.grad)}{label})"
