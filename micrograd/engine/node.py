"""What a node of the graph is: its fields, what works on its number alone, copies and checks.

`engine.Value` adds how nodes are recorded and differentiated.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, cast

from micrograd.engine.grad_mode import discard, grad_mode
from micrograd.engine.leaving import left_graph
from micrograd.errors import (
    ArgumentTypeError,
    GradientError,
    InputCountError,
    StaleGraphError,
    shown,
    shown_briefly,
)
from micrograd.graph import order
from micrograd.ops import Op, Operators, PlainNumber, constant, foreign, is_operand, number

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "NO_OPERANDS",
    "Node",
    "Overwritten",
    "check_fresh",
    "data_of",
    "described",
    "named",
    "plain",
    "restore_data",
    "set_data",
]


NO_OPERANDS: Final = ()


class Overwritten(NamedTuple):
    """What a result was computed as, and its first input, once its data was assigned to."""

    computed: Any
    first: Any


class Node(Operators):
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
        children = _operands(_children)
        self._data = number(data)
        self._grad = 0
        if isinstance(_op, str):
            self.op = foreign(_op) if children or _op else None
        else:
            self.op = foreign("")
            self._local_gradients = _given(_op, children)
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
        node = _new(cls)
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
        self._a = first if _is_same(new, computed) else Overwritten(computed, first)

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

    # ---- what works on the number alone ------------------------------------------------------

    def item(self) -> Any:
        """Return the number itself, as `data` does and as NumPy and PyTorch spell it."""
        return self._data

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __int__(self) -> int:
        return int(self._data)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._data, digits)

    def __float__(self) -> float:
        # Called alike by `float(v)` and by `math.exp(v)`, which would lose a gradient.
        if grad_mode.get() is not discard and not self._has_no_gradient():
            raise left_graph(self)
        return float(self._data)

    def __trunc__(self) -> NoReturn:
        raise left_graph(self)

    def as_integer_ratio(self) -> NoReturn:
        """Refused: `statistics` and `Fraction` ask for it, and would lose the gradient."""
        raise left_graph(self)

    def _has_no_gradient(self) -> bool:
        """Return whether this is a plain number that met a Value, or a choice of such numbers."""
        if self.op is constant or self.op is None or self.op.partials is None:
            return self.op is constant
        if (
            self.op.opaque or not self.op.gate
        ):  # the others may be flat here and yet have a second derivative
            return False
        pairs = zip(self.parents, self.op.partials(self._data, *self.inputs), strict=True)
        return all(slope == 0 for parent, slope in pairs if parent.op is not constant)

    # A number is equal by what it is, as for `<=`; another Value by which one it is, so that sets,
    # dicts and `in` tell Values apart that happen to hold the same number.

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Operators):
            return self is other if isinstance(other, Node) else NotImplemented
        return bool(self._data == number(other)) if is_operand(other) else NotImplemented

    __hash__ = object.__hash__

    def __lt__(self, other: Any) -> bool:
        return self._data < plain(other) if is_operand(other) else NotImplemented

    def __le__(self, other: Any) -> bool:
        return self._data <= plain(other) if is_operand(other) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return self._data > plain(other) if is_operand(other) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return self._data >= plain(other) if is_operand(other) else NotImplemented

    # ---- copies and pickles, without recursion -----------------------------------------------

    def _check_copyable(self) -> None:
        if "_closure" in self.__dict__:
            raise GradientError(f"{self!r} has a hand-made _backward, which cannot be copied")

    def _with(self, operands: tuple[Any, ...], inputs: tuple[Any, ...]) -> Self:
        """Return a copy of this node alone, with these operands."""
        if operands:
            self._check_copyable()
        node = self._made(self._data, self.op, operands, inputs)
        node._grad = self._grad
        if type(self._a) is Overwritten:
            node._a = Overwritten(self._a.computed, node._a)
        return node

    def __copy__(self) -> Self:
        node = self._with(self.parents, self.inputs)
        node.__dict__.update(self.__dict__)
        return node

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        for node in order(self):
            if id(node) not in memo:
                parents = tuple([memo[id(parent)] for parent in node.parents])
                copy = memo[id(node)] = node._with(parents, node.inputs)
                if node.__dict__:
                    copy.__dict__.update(deepcopy(node.__dict__, memo))
        return cast("Self", memo[id(self)])

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.parents:
            return _leaf, (type(self), self._data, self.op, self._grad), self.__dict__ or None
        # Leaves go as themselves, so that they stay shared with whatever is pickled beside them;
        # results as rows that name their parents by position, so that nothing nests.
        position: dict[Node, int] = {}
        rows: list[Any] = []
        for node in order(self):
            position[node] = len(rows)
            parents, inputs = node.parents, node.inputs
            if parents:
                fresh = all(parent.data is x for parent, x in zip(parents, inputs, strict=True))
                node._check_copyable()
                row: tuple[Any, ...] = (
                    tuple([position[parent] for parent in parents]),
                    None if fresh else inputs,
                    *(type(node), node._data, node.op, node._grad, node.__dict__ or None),
                )
                if type(node._a) is Overwritten:
                    row += (node._a.computed,)
                rows.append(row)
            else:
                rows.append(node)
        return _graph, (rows,)


_new = object.__new__


def _given(gradients: Sequence[Any], children: tuple[Node, ...]) -> tuple[PlainNumber, ...]:
    """Return the local derivatives that a node is made with, one for each operand."""
    given = tuple([number(local) for local in gradients])
    if len(given) != len(children):
        raise InputCountError(
            f"expected one local gradient for each operand, got {len(given)} for {len(children)}"
        )
    return given


def _operands(given: Any) -> tuple[Any, ...]:
    """Return the operands of a node made by hand, checked."""
    if isinstance(given, str):
        raise ArgumentTypeError(
            f"expected the operands as the second argument, got {given!r:.60}: for a name write "
            f"label={given!r:.60}"
        )
    try:
        children = tuple(given)
    except TypeError:
        children = (given,)
        stranger = True
    else:
        stranger = not all(isinstance(child, Operators) for child in children)
    if stranger:
        raise ArgumentTypeError(
            f"expected a tuple of Values, the operands, as the second argument, got "
            f"{shown_briefly(given)} ({type(given).__name__})"
        )
    return children


def plain(operand: Any) -> Any:
    """Return the number of a node, or the number that was given."""
    return operand.data if isinstance(operand, Operators) else number(operand)


def _leaf(kind: type[Node], data: PlainNumber, op: Op | None, grad: Any) -> Node:
    node = kind._made(data, op)
    node._grad = grad
    return node


def _graph(rows: list[Any]) -> Node:
    for i, row in enumerate(rows):
        if isinstance(row, tuple):
            positions, inputs, kind, data, op, grad, attributes, *computed = row
            parents = tuple([rows[position] for position in positions])
            # Unchanged inputs are again the very objects that the parents hold.
            inputs = tuple([p.data for p in parents]) if inputs is None else inputs
            node = rows[i] = kind._made(data, op, parents, inputs)
            node._grad = grad
            if attributes:
                node.__dict__.update(attributes)
            if computed:
                node._a = Overwritten(computed[0], node._a)
    return cast("Node", rows[-1])


# ---- what stops a pass -------------------------------------------------------------------------


def check_fresh(node: Node) -> None:
    """Raise if the data of a node or of an operand is no longer what it was in the forward pass."""
    if type(node._a) is Overwritten and not _is_same(node._data, node._a.computed):
        raise StaleGraphError(
            f"{described(node)} was computed as {shown(node._a.computed)} and then changed to "
            f"{shown(node._data)}: compute the output again, or call its forward(), first"
        )
    parents, inputs = node.parents, node.inputs
    if tuple([parent._data for parent in parents]) == inputs:
        return
    for parent, data in zip(parents, inputs, strict=True):
        if not _is_same(parent._data, data):
            raise StaleGraphError(
                f"{named(parent)} of {described(node)} changed from {shown(data)} to "
                f"{shown(parent._data)} after the forward pass: compute the output again, or call "
                "its forward(), first"
            )


def _is_same(a: Any, b: Any) -> bool:
    return bool(a is b or a == b or (a != a and b != b))


def named(operand: Node) -> str:
    """Return how a message speaks of an operand."""
    return f"operand {operand.label!r}" if operand.label else "an unnamed operand"


def described(node: Node) -> str:
    """Return the node as it was computed, with names where there are any."""
    texts = [
        f"{parent.label}={shown(data)}" if parent.label else shown(data)
        for parent, data in zip(node.parents, node.inputs, strict=True)
    ]
    written: str = node.op.written(*texts)
    return written + (f" ({node.label})" if node.label else "")


def data_of(nodes: Sequence[Node]) -> list[Any]:
    """Return the number of each node, for `restore_data`."""
    return [node._data for node in nodes]


def restore_data(nodes: Sequence[Node], data: Sequence[Any]) -> None:
    """Give the nodes their numbers back as they were."""
    for node, old in zip(nodes, data, strict=True):
        node._data = old


def set_data(nodes: Sequence[Node], data: Sequence[Any]) -> None:
    """Set the data of each node; of none, after an error or an interrupt, wherever it strikes."""
    before = data_of(nodes)
    try:
        for node, new in zip(nodes, data, strict=True):
            node.data = new
    except BaseException:
        restore_data(nodes, before)
        raise
