"""The engine: a number that remembers how it was computed, and the chain rule run backwards.

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> c = a * b + a.tanh()
>>> c.backward()
>>> a.grad == -3.0 + (1 - a.tanh().data ** 2)
True
>>> b.grad
2.0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from typing import Any, cast

from micrograd.errors import (
    DomainError,
    GradientError,
    NotDifferentiableError,
    NumberTypeError,
    StaleGraphError,
    rewritten,
)
from micrograd.graph import depends_on, order
from micrograd.ops import (
    Number,
    Op,
    Operators,
    PlainNumber,
    constant,
    foreign,
    is_operand,
    is_plain,
    number,
)

__all__ = ["Value", "gradient", "no_grad"]

_recording = ContextVar("recording", default=True)
_building = ContextVar("building", default=False)  # a gradient graph is being built


class Value(Operators):
    """A number in a computation graph.

    Arithmetic and the functions of `micrograd.ops` make new Values that know their parents.
    `backward` then gives every Value below its `grad`: how much the output changes per unit of it.

    Parameters
    ----------
    data : int, float or Fraction
        Its number type is kept; NumPy scalars become Python numbers, `bool` an `int`.
    _children : sequence of Value, optional
        Parents of a node made by hand, which also needs a `_backward` closure.
    _op : str, optional
        What a node made by hand shows as its operation.
    label : str, optional
        A name for pictures and messages.

    Attributes
    ----------
    data : int, float or Fraction
        Assign to a leaf to change it; then run the forward pass again, or call `forward`.
    grad : int, float or Fraction
        Sum of the contributions of the passes so far (a leaf) or of the last pass (a result).
    parents : tuple of Value
        Operands in order, with repeats: `x * x` has two parents.
    op : Op or None
        The row of the operation that made it; None for a leaf, `ops.constant` for a plain number
        that met a Value.
    label : str

    Raises
    ------
    NumberTypeError
        If `data` is no number. Also a TypeError.

    Examples
    --------
    >>> x = Value(3, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y, x
    (Value(data=10, grad=1), Value(data=3, grad=6, label='x'))
    """

    # A record is the operands followed by the data that each had: one tuple instead of two keeps
    # a node under 200 bytes, and a changed operand is found by comparing identities.
    __slots__ = ("__dict__", "_data", "_record", "grad", "op")
    _data: PlainNumber
    _record: tuple[Any, ...]
    grad: Any
    op: Any
    label: str = ""  # in the instance's __dict__ once it is set

    def __init__(
        self, data: Any, _children: Sequence[Value] = (), _op: str = "", label: str = ""
    ) -> None:
        self._data = number(data)
        self.grad = 0
        self.op = foreign(_op) if _children or _op else None
        self._record = (*_children, *[child._data for child in _children])
        if label:
            self.label = label

    @property
    def data(self) -> Any:
        """The number itself."""
        return self._data

    @data.setter
    def data(self, new: Any) -> None:
        self._data = number(new)

    @property
    def parents(self) -> tuple[Value, ...]:
        """The operands, in order and with repeats; empty for a leaf."""
        return self._record[: len(self._record) // 2]

    @property
    def _prev(self) -> set[Value]:
        return set(self.parents)

    @property
    def _op(self) -> str:
        return self.op.token if self.op else ""

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self.grad}{label})"

    def _apply(self, op: Op, args: tuple[Number, ...]) -> Value:
        operands = tuple([arg if isinstance(arg, Value) else _constant(arg) for arg in args])
        inputs = tuple([operand._data for operand in operands])
        try:
            data = op.forward(*inputs)
        except (ValueError, ArithmeticError) as error:
            failed = _described(_node(op, operands + inputs, 0))
            raise rewritten(error, f"{failed} is undefined: {error}") from error
        return _node(op, operands + inputs, data if type(data) is float else number(data))

    def detach(self) -> Value:
        """Return a new leaf with the same data: no gradient flows through it.

        Examples
        --------
        >>> x = Value(3.0)
        >>> (x * x.detach()).backward()
        >>> x.grad
        3.0
        """
        return Value(self._data)

    # ---- the derivatives -------------------------------------------------------------------

    def local_derivatives(self) -> tuple[Any, ...]:
        """Return the derivative of this node in each parent, at the recorded inputs.

        Examples
        --------
        >>> (Value(2.0) * Value(5.0)).local_derivatives()
        (5.0, 2.0)
        """
        if not self._record:
            return ()
        _check_fresh(self)
        return _partials(self, self._data, self._record[len(self._record) // 2 :])

    def backward(self) -> None:
        """Run the chain rule from here to every leaf: afterwards each `grad` is d(self)/d(it).

        Gradients of leaves add up over passes, until set to 0; those of results are of this pass.

        Raises
        ------
        StaleGraphError
            If data changed since the forward pass.
        DomainError, ZeroDivisorError, OverflowRangeError
            If a local derivative does not exist or is infinite.
        GradientError
            If a node made by hand has no `_backward`.

        Notes
        -----
        After an error every `grad` is as it was before the call. Costs one visit an edge.
        """
        nodes = order(self)
        before = [node.grad for node in nodes]
        try:
            _sweep(nodes)
        except BaseException:
            for node, grad in zip(nodes, before, strict=True):
                node.grad = grad
            raise
        for node, grad in zip(nodes, before, strict=True):
            if not node._record:
                node.grad += grad

    def _push(self) -> None:
        """Add this node's contributions to its parents: one step of the chain rule."""
        for parent, local in zip(self.parents, self.local_derivatives(), strict=True):
            parent.grad = parent.grad + local * self.grad

    @property
    def _backward(self) -> Callable[[], None]:
        return cast("Callable[[], None]", self.__dict__.get("_closure", self._push))

    @_backward.setter
    def _backward(self, closure: Callable[[], None]) -> None:
        self.__dict__["_closure"] = closure
        self.op = foreign(self._op)

    def forward(self) -> Value:
        """Compute this node again from the leaves' present data, along the recorded graph.

        Returns
        -------
        Value
            This node.

        Examples
        --------
        >>> x = Value(3.0)
        >>> y = x * x
        >>> x.data = 4.0
        >>> y.forward()
        Value(data=16.0, grad=0)
        """
        nodes = [node for node in order(self) if node._record]
        before = [(node._data, node._record) for node in nodes]
        try:
            for node in nodes:
                operands = node.parents
                again = cast("Value", node._apply(cast("Op", node.op), operands))
                node._data, node._record = again._data, again._record
        except BaseException:
            for node, (data, record) in zip(nodes, before, strict=True):
                node._data, node._record = data, record
            raise
        return self

    # ---- what works on the data alone --------------------------------------------------------

    def __float__(self) -> float:
        if _building.get():
            raise NotDifferentiableError(
                "a local derivative turned a Value into a float, so it cannot be differentiated "
                "again: write it with operators and micrograd's functions, not with math's"
            )
        return float(self._data)

    def __int__(self) -> int:
        return int(self._data)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._data, digits)

    def __lt__(self, other: Any) -> bool:
        return self._data < data_of(other) if is_operand(other) else NotImplemented

    def __le__(self, other: Any) -> bool:
        return self._data <= data_of(other) if is_operand(other) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return self._data > data_of(other) if is_operand(other) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return self._data >= data_of(other) if is_operand(other) else NotImplemented

    # ---- copies, without recursion -----------------------------------------------------------

    def _copied(self, parents: Sequence[Value], inputs: tuple[PlainNumber, ...]) -> Value:
        if self._record and self.op.partials is None and "_closure" in self.__dict__:
            raise GradientError(f"{self!r} has a hand-made _backward, which cannot be copied")
        node = _new(type(self))
        node._data, node.grad, node.op, node._record = (
            self._data, self.grad, self.op, (*parents, *inputs)
        )  # fmt: skip
        return node

    def __copy__(self) -> Value:
        node = self._copied(self.parents, self._record[len(self._record) // 2 :])
        node.__dict__.update(self.__dict__)
        return node

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in order(self):
            if id(node) not in memo:
                parents = [memo[id(parent)] for parent in node.parents]
                memo[id(node)] = node._copied(parents, node._record[len(parents) :])
                memo[id(node)].__dict__.update(deepcopy(node.__dict__, memo))
        return cast("Value", memo[id(self)])

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._record:
            return _leaf, (type(self), self._data, self.grad, self.op), self.__dict__ or None
        # Leaves go as themselves, so that they stay shared; results as rows that name their
        # parents by position, so that nothing nests.
        position: dict[Value, int] = {}
        rows: list[Any] = []
        for node in order(self):
            position[node] = len(rows)
            parents = [position[parent] for parent in node.parents]
            row = (parents, node._record[len(parents) :], node._copied((), ()), node.__dict__)
            rows.append(row if parents else node)
        return _graph, (rows,)


_new = object.__new__


def data_of(operand: Value | PlainNumber) -> Any:
    """Return the plain number of a Value, or the plain number that was given."""
    return operand._data if isinstance(operand, Value) else number(operand)


def _node(op: Op | None, record: tuple[Any, ...], data: PlainNumber) -> Value:
    node = _new(Value)
    node._data, node.grad = data, 0
    node.op, node._record = (op, record) if _recording.get() else (None, ())
    return node


def _constant(plain: Any) -> Value:
    return _leaf(Value, number(plain), 0, constant)


def _leaf(kind: type[Value], data: PlainNumber, grad: Any, op: Op | None) -> Value:
    node = _new(kind)
    node._data, node.grad, node.op, node._record = data, grad, op, ()
    return node


def _graph(rows: list[Any]) -> Value:
    for i, row in enumerate(rows):
        if isinstance(row, tuple):
            parents = [rows[position] for position in row[0]]
            # Fresh inputs are again the very objects that the parents hold.
            inputs = [
                parent._data if parent._data == data else data
                for parent, data in zip(parents, row[1], strict=True)
            ]
            rows[i] = row[2]
            rows[i]._record = (*parents, *inputs)
            rows[i].__dict__.update(row[3])
    return cast("Value", rows[-1])


def _sweep(nodes: list[Value]) -> None:
    """Set `grad` of every node to d(last)/d(node); nodes come in topological order."""
    for node in nodes:
        node.grad = 0
    nodes[-1].grad = 1
    for node in reversed(nodes):
        record, grad = node._record, node.grad
        if not record:
            continue
        if node.op.partials is None:
            _check_fresh(node)
            node._backward()
        elif grad == 0:
            _check_fresh(node)
        else:
            inputs = record[len(record) // 2 :]
            locals_ = _partials(node, node._data, inputs)
            for parent, data, local in zip(record, inputs, locals_):  # noqa: B905
                if parent._data is not data:
                    _check_fresh(node)
                parent.grad += local * grad
    zeros: Any = 0
    for node in nodes:
        zeros += node.grad * 0
    if zeros != 0:  # some gradient is nan or infinite
        _check_finite(nodes)


def _sweep_graph(nodes: list[Value], reached: set[Value]) -> None:
    """Do the same with gradients that are Values, along the nodes of `reached` only."""
    for node in nodes:
        node.grad = 0
    nodes[-1].grad = _constant(1)
    for node in reversed(nodes):
        upstream = node.grad
        if node not in reached or not node._record or is_plain(upstream):
            continue
        _check_fresh(node)
        token = _building.set(True)
        try:
            locals_ = _partials(node, node, node.parents)
        finally:
            _building.reset(token)
        for parent, local in zip(node.parents, locals_, strict=True):
            if parent not in reached or (is_plain(local) and local == 0):
                continue
            step = upstream if is_plain(local) and local == 1 else upstream * local
            parent.grad = step if is_plain(parent.grad) else parent.grad + step


def _partials(node: Value, out: Number, inputs: tuple[Number, ...]) -> tuple[Any, ...]:
    op = node.op
    if op.partials is None:
        raise GradientError(
            f"{node!r} was made by hand as {op.token!r} and has no derivative rule to use here: "
            "set its _backward, or add the operation with micrograd.define"
        )
    try:
        return op.partials(out, *inputs)
    except (ValueError, ArithmeticError) as error:
        raise rewritten(error, f"no finite derivative of {_described(node)}: {error}") from error


def _check_fresh(node: Value) -> None:
    record = node._record
    for parent, data in zip(record, record[len(record) // 2 :]):  # noqa: B905
        now = parent._data
        if now is not data and now != data and (now == now or data == data):
            raise StaleGraphError(
                f"operand {parent.label!r} of {_described(node)} changed from {data} to {now} "
                "after the forward pass: compute the output again, or call its forward(), first"
            )


def _check_finite(nodes: list[Value]) -> None:
    """Raise for the first local derivative, from the output down, that is not finite."""
    for node in reversed(nodes):
        record = node._record
        inputs = record[len(record) // 2 :]
        if not record or node.op.partials is None or node.grad == 0:
            continue
        locals_ = _partials(node, node._data, inputs)
        for parent, data, local in zip(record, inputs, locals_):  # noqa: B905
            if local * 0 != 0 and data * 0 == 0 and parent.op is not constant:
                raise DomainError(
                    f"{_described(node)} has no finite derivative in its operand "
                    f"{parent.label!r} = {data}: it is {local}"
                )


def _described(node: Value) -> str:
    """Return the node as it was computed, with names where there are any."""
    half = len(node._record) // 2
    texts = [
        f"{parent.label}={data}" if parent.label else f"{data}"
        for parent, data in zip(node._record, node._record[half:])  # noqa: B905
    ]
    name = f" ({node.label})" if node.label else ""
    return f"{node.op.written(*texts)}{name}"


def gradient(output: Value, inputs: Value | Sequence[Value], create_graph: bool = False) -> Any:
    """Return d(output)/d(input) for each of `inputs`, without touching any `grad`.

    Parameters
    ----------
    output : Value
    inputs : Value or sequence of Value
        Leaves or results; one that `output` does not depend on has gradient 0.
    create_graph : bool, default False
        Give Values instead of numbers, which can be differentiated and drawn.

    Returns
    -------
    number or Value, or a list of them
        A list for a sequence of inputs.

    Raises
    ------
    StaleGraphError, DomainError, ZeroDivisorError, OverflowRangeError, GradientError
        As `Value.backward` does.

    Examples
    --------
    >>> x = Value(3.0)
    >>> slope = gradient(x ** 3, x, create_graph=True)
    >>> slope.data, gradient(slope, x)
    (27.0, 18.0)
    """
    wanted = [inputs] if isinstance(inputs, Value) else list(inputs)
    for value in [output, *wanted]:
        if not isinstance(value, Value):
            raise NumberTypeError(f"expected a Value, got {value!r} ({type(value).__name__})")
    nodes = order(output)
    reached = depends_on(nodes, wanted)
    before = [node.grad for node in nodes]
    try:
        if create_graph:
            _sweep_graph(nodes, reached)
        else:
            _sweep([node for node in nodes if node in reached or node is output])
        below = set(nodes)
        grads = [value.grad if value in below else 0 for value in wanted]
        if create_graph:
            grads = [_constant(grad) if is_plain(grad) else grad for grad in grads]
    finally:
        for node, grad in zip(nodes, before, strict=True):
            node.grad = grad
    return grads[0] if isinstance(inputs, Value) else grads


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results are leaves.

    Examples
    --------
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.parents
    ()
    """
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)
