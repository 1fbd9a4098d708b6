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
from operator import attrgetter
from typing import Any, cast

from micrograd.errors import GradientError, NotDifferentiableError, NumberTypeError, rewritten
from micrograd.graph import depends_on, order
from micrograd.node import Node, check_finite, check_fresh, described
from micrograd.ops import Number, Op, Operators, add, constant, foreign, is_plain, mul, number

__all__ = ["Value", "gradient", "no_grad"]

_new = object.__new__
_data = attrgetter("_data")
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

    @classmethod
    def _apply(cls, op: Op, args: tuple[Number, ...]) -> Value:
        try:
            inputs = tuple(map(_data, args))
        except AttributeError:  # a plain number or a tracer's symbol among them
            for arg in args:
                if isinstance(arg, Operators) and arg._rank > cls._rank:
                    return cast("Value", arg._apply(op, args))
            args = tuple(
                [x if isinstance(x, Value) else Value._made(number(x), constant) for x in args]
            )
            inputs = tuple(map(_data, args))
        try:
            data = op.forward(*inputs)
        except (ValueError, ArithmeticError) as error:
            failed = described(Value._made(0, op, args, inputs))
            raise rewritten(error, f"{failed} is undefined: {error}") from error
        if type(data) is not float:
            data = number(data)
        return Value._made(data, op, args, inputs) if _recording.get() else Value(data)

    # Sums and products of Values, which graphs mostly consist of, go past the table: a step of a
    # network of single operations takes a third less time for it.

    def __add__(self, other: Number) -> Value:
        other = _lifted(other)
        if type(other) is Value and _recording.get():
            node = _new(Value)
            node._a, node._b = a, b = self._data, other._data
            try:
                node._data = a + b
            except OverflowError:  # an int beyond the floats: the table words the error
                return super().__add__(other)
            node.grad, node.op, node._left, node._right = 0, add, self, other
            return node
        return super().__add__(other)

    def __radd__(self, other: Number) -> Value:
        left = _lifted(other)
        return left + self if type(left) is Value else super().__radd__(other)

    def __mul__(self, other: Number) -> Value:
        other = _lifted(other)
        if type(other) is Value and _recording.get():
            node = _new(Value)
            node._a, node._b = a, b = self._data, other._data
            try:
                node._data = a * b
            except OverflowError:
                return super().__mul__(other)
            node.grad, node.op, node._left, node._right = 0, mul, self, other
            return node
        return super().__mul__(other)

    def __rmul__(self, other: Number) -> Value:
        left = _lifted(other)
        return left * self if type(left) is Value else super().__rmul__(other)

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
        nodes = [node for node in order(self) if node.parents]
        before = [(node._data, node.parents, node.inputs) for node in nodes]
        token = _recording.set(True)
        try:
            for node in nodes:
                again = Value._apply(node.op, node.parents)
                node._data = again._data
                node._record(again.parents, again.inputs)
        except BaseException:
            for node, (data, operands, inputs) in zip(nodes, before, strict=True):
                node._data = data
                node._record(operands, inputs)
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
        if not self.parents:
            return ()
        check_fresh(self)
        return _partials(self, self._data, self.inputs)

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
            if grad and not node.parents:
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


def _lifted(operand: Number) -> Number:
    """Return a Python number as a constant of the graph, and anything else as it is."""
    kind = type(operand)
    return Value._made(operand, constant) if kind is float or kind is int else operand


def _sweep(nodes: list[Value]) -> None:
    """Set `grad` of every node to d(last)/d(node); nodes come in topological order."""
    for node in nodes:
        node.grad = 0
    nodes[-1].grad = 1
    for node in reversed(nodes):
        op, grad = node.op, node.grad
        if op is mul or op is add:  # past the table, as in Value.__mul__
            left, right, a, b = node._left, node._right, node._a, node._b
            if left._data is not a or right._data is not b:
                check_fresh(node)
            left.grad += b * grad if op is mul else grad
            right.grad += a * grad if op is mul else grad
        elif parents := node.parents:
            inputs = node.inputs
            if tuple(map(_data, parents)) != inputs:
                check_fresh(node)
            if op.partials is None:  # made by hand: its closure adds to its parents itself
                node._backward()
            elif grad != 0:
                for parent, slope in zip(parents, _partials(node, node._data, inputs)):  # noqa: B905
                    parent.grad += slope * grad
    zeros: Any = 0
    for node in nodes:
        if not node.parents:
            zeros += node.grad * 0
    if zeros != 0:  # a nan or an infinity on the way always reaches a leaf
        check_finite(nodes)


def _sweep_graph(nodes: list[Value], reached: set[Value]) -> None:
    """Do the same with gradients that are Values, along the nodes of `reached` only."""
    for node in nodes:
        node.grad = 0
    nodes[-1].grad = Value._made(1, constant)
    for node in reversed(nodes):
        upstream = node.grad
        if node not in reached or not node.parents or is_plain(upstream):
            continue
        check_fresh(node)
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
        raise rewritten(error, f"no finite derivative of {described(node)}: {error}") from error


def gradient(output: Value, inputs: Value | Sequence[Value], create_graph: bool = False) -> Any:
    """Return d(output)/d(input) for each of `inputs`, without touching any `grad`.

    Parameters
    ----------
    output : Value
    inputs : Value or sequence of Value
        Leaves or results; one that `output` does not depend on has gradient 0.
    create_graph : bool, default False
        Give Values instead of numbers, which can be differentiated and drawn. Their attribute
        `derivative_of` is the output.

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
        grads: list[Any] = [
            value.grad if value in below and output in reached else 0 for value in wanted
        ]
    finally:
        _building.reset(token)
        for node, grad in zip(nodes, before, strict=True):
            node.grad = grad
    if create_graph:
        grads = [Value._made(grad, constant) if is_plain(grad) else grad for grad in grads]
        for grad in grads:
            # A picture tells what was computed for the output itself.
            if grad not in below:
                grad.derivative_of = output
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
