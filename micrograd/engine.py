"""The engine: a number that remembers how it was computed, and the chain rule run backwards.

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> c = a * b + a
>>> c.backward()
>>> a.grad, b.grad
(-2.0, 2.0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
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
from micrograd.node import Node
from micrograd.ops import Number, Op, add, constant, foreign, is_plain, mul, number

__all__ = ["Value", "gradient", "no_grad"]

_recording = ContextVar("recording", default=True)
_building = ContextVar("building", default=False)  # whether a gradient graph is being built


class Value(Node):
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
        Of a leaf, the sum over all passes; of a result, what the last pass gave.
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

    __slots__ = ()

    # ---- recording -----------------------------------------------------------------------------

    def _apply(self, op: Op, args: tuple[Number, ...]) -> Value:
        operands = tuple(
            [arg if isinstance(arg, Value) else Value._made(number(arg), constant) for arg in args]
        )
        inputs = tuple([operand._data for operand in operands])
        try:
            data = op.forward(*inputs)
        except (ValueError, ArithmeticError) as error:
            failed = _described(Value._made(0, op, operands + inputs))
            raise rewritten(error, f"{failed} is undefined: {error}") from error
        if type(data) is not float:
            data = number(data)
        if not _recording.get():
            return Value(data)
        return Value._made(data, op, operands + inputs)

    # The two operations that graphs consist of, without the detour over the table: a step of an
    # atomic network is a third faster so. Anything but two Values of floats goes the common way.
    def __add__(self, other: Number) -> Value:
        if type(other) is Value and _recording.get():
            a, b = self._data, other._data
            if type(a) is float and type(b) is float:
                return Value._made(a + b, add, (self, other, a, b))
        return super().__add__(other)

    def __mul__(self, other: Number) -> Value:
        if type(other) is Value and _recording.get():
            a, b = self._data, other._data
            if type(a) is float and type(b) is float:
                return Value._made(a * b, mul, (self, other, a, b))
        return super().__mul__(other)

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

    def forward(self) -> Value:
        """Compute this node again from the leaves' present data, along the recorded graph.

        Returns
        -------
        Value
            This node. After an error the graph is as it was.

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
        token = _recording.set(True)
        try:
            for node in nodes:
                again = node._apply(node.op, node.parents)
                node._data, node._record = again._data, again._record
        except BaseException:
            for node, (data, record) in zip(nodes, before, strict=True):
                node._data, node._record = data, record
            raise
        finally:
            _recording.reset(token)
        return self

    # ---- the chain rule ------------------------------------------------------------------------

    def local_derivatives(self) -> tuple[Any, ...]:
        """Return the derivative of this node in each of its parents, at the recorded inputs.

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
        Costs one visit an edge. After an error every `grad` is as it was before the call.
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
            parent.grad += local * self.grad

    @property
    def _backward(self) -> Callable[[], None]:
        return cast("Callable[[], None]", self.__dict__.get("_closure", self._push))

    @_backward.setter
    def _backward(self, closure: Callable[[], None]) -> None:
        self.__dict__["_closure"] = closure
        self.op = foreign(self._op)

    def __float__(self) -> float:
        if _building.get():
            raise NotDifferentiableError(
                "a local derivative turned a Value into a float, so it cannot be differentiated "
                "again: write it with operators and micrograd's functions, not with math's"
            )
        return float(self._data)


def _sweep(nodes: list[Value]) -> None:
    """Set `grad` of every node to d(last)/d(node); nodes come in topological order."""
    for node in nodes:
        node.grad = 0
    nodes[-1].grad = 1
    for node in reversed(nodes):
        record, grad = node._record, node.grad
        if not record:
            continue
        if node.op.partials is None:  # made by hand: its closure adds to its parents itself
            _check_fresh(node)
            node._backward()
        elif grad == 0:
            _check_fresh(node)
        else:
            inputs = record[len(record) // 2 :]
            slopes = _partials(node, node._data, inputs)
            for parent, data, slope in zip(record, inputs, slopes):  # noqa: B905
                if parent._data is not data:
                    _check_fresh(node)
                parent.grad += slope * grad
    zeros: Any = 0
    for node in nodes:
        zeros += node.grad * 0
    if zeros != 0:  # some gradient is nan or infinite
        _check_finite(nodes)


def _sweep_graph(nodes: list[Value], reached: set[Value]) -> None:
    """Do the same with gradients that are Values, along the nodes of `reached` only."""
    for node in nodes:
        node.grad = 0
    nodes[-1].grad = Value._made(1, constant)
    for node in reversed(nodes):
        upstream = node.grad
        if node not in reached or not node._record or is_plain(upstream):
            continue
        _check_fresh(node)
        slopes = _partials(node, node, node.parents)
        for parent, slope in zip(node.parents, slopes, strict=True):
            if parent not in reached or (is_plain(slope) and slope == 0):
                continue
            step = upstream if is_plain(slope) and slope == 1 else upstream * slope
            parent.grad = step if is_plain(parent.grad) else parent.grad + step


def _partials(node: Value, out: Number, inputs: tuple[Number, ...]) -> tuple[Any, ...]:
    partials = node.op.partials
    if partials is None:
        raise GradientError(
            f"{node!r} was made by hand as {node._op!r} and has no derivative rule to use here: "
            "set its _backward, or add the operation with micrograd.define"
        )
    try:
        return cast("tuple[Any, ...]", partials(out, *inputs))
    except (ValueError, ArithmeticError) as error:
        raise rewritten(error, f"no finite derivative of {_described(node)}: {error}") from error


def _check_fresh(node: Value) -> None:
    """Raise if the data of an operand is no longer what the node was computed from."""
    record = node._record
    for parent, data in zip(record, record[len(record) // 2 :]):  # noqa: B905
        now = parent._data
        if now is not data and now != data and (now == now or data == data):  # noqa: PLR0124
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
        for parent, data, slope in zip(record, inputs, _partials(node, node._data, inputs)):  # noqa: B905
            if slope * 0 != 0 and data * 0 == 0 and parent.op is not constant:
                raise DomainError(
                    f"{_described(node)} has no finite derivative in its operand "
                    f"{parent.label!r} = {data}: it is {slope}"
                )


def _described(node: Value) -> str:
    """Return the node as it was computed, with names where there are any."""
    half = len(node._record) // 2
    texts = [
        f"{parent.label}={data}" if parent.label else f"{data}"
        for parent, data in zip(node._record[:half], node._record[half:], strict=True)
    ]
    return node.op.written(*texts) + (f" ({node.label})" if node.label else "")


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
    for value in (output, *wanted):
        if not isinstance(value, Value):
            raise NumberTypeError(f"expected a Value, got {value!r} ({type(value).__name__})")
    nodes = order(output)
    reached = depends_on(nodes, wanted)
    before = [node.grad for node in nodes]
    token = _building.set(create_graph)
    try:
        if create_graph:
            _sweep_graph(nodes, reached)
        elif output in reached:
            _sweep([node for node in nodes if node in reached])
        below = set(nodes)
        grads = [value.grad if value in below and output in reached else 0 for value in wanted]
    finally:
        _building.reset(token)
        for node, grad in zip(nodes, before, strict=True):
            node.grad = grad
    if create_graph:
        grads = [Value._made(grad, constant) if is_plain(grad) else grad for grad in grads]
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
