"""The engine: a number that remembers how it was computed, and can be differentiated.

Here a graph is recorded; `micrograd.engine.backward` walks it backwards.

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> c = a * b + a
>>> c.backward()
>>> a.grad, b.grad
(-2.0, 2.0)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine.backward import backward_pass, gradient
from micrograd.engine.node import Node
from micrograd.errors import GradientError
from micrograd.graph import order
from micrograd.ops import Number, Op, Operators, add, constant, div, mul, number, sub
from micrograd.ops.operators import operate
from micrograd.values.by_hand import derive_operators, local_derivatives_of
from micrograd.values.checks import described
from micrograd.values.grad_mode import enable_grad, grad_mode, no_grad, record

__all__ = ["Value", "enable_grad", "gradient", "no_grad"]


def _operators(op: Op) -> tuple[Callable[..., Value], Callable[..., Value]]:
    """Return `__add__` and `__radd__` for the row of `+`, and so for each row of two operands."""
    # Most nodes come from an operator between two Values, or a Value and a number. For them
    # `Value._apply` is written out, without `__init__`: a step of training takes a seventh less.
    forward, mode, new = op.forward, grad_mode.get, object.__new__

    def recorded(left: Value, right: Number) -> Any:
        kind = type(right)  # not isinstance: a bool or a NumPy scalar is converted first
        if kind is float or kind is int:
            right = Value._made(right, constant)
        elif kind is not Value:
            return operate(op, left, right)
        if mode() is not record:  # within `no_grad` or `detect_anomaly`
            return Value._apply(op, (left, right))
        node = new(Value)
        node._a, node._b = a, b = left._data, right._data
        try:
            node._data = forward(a, b)
        except (ValueError, ArithmeticError):
            return Value._apply(op, (left, right))  # which says what failed
        node._grad, node.op, node._left, node._right = 0, op, left, right
        return node

    def reflected(right: Value, left: Number) -> Any:  # for a `left` that is no Value
        if type(left) is float or type(left) is int:
            return recorded(Value._made(left, constant), right)
        return operate(op, left, right)

    return recorded, reflected


class Value(Node):
    """A number in a computation graph.

    Arithmetic and the functions of `micrograd.ops` make new Values that know their parents.
    `backward` then sets the `grad` of every Value that the output was computed from: the derivative
    of the output with respect to it.

    Parameters
    ----------
    data : int, float or Fraction
        Its number type is kept; NumPy scalars become Python numbers, `bool` an `int`.
    _children : sequence of Value, optional
        Parents of a node made by hand; `_children` and `_op` are called so in micrograd 0.1.0.
    _op : str or sequence of number, optional
        The node's derivative with respect to each parent; or the name of an operation, which then
        needs a `_backward`.
    label : str, optional
        A name for pictures and messages.

    Attributes
    ----------
    data : int, float or Fraction
        Assign to a leaf to change it; then run the forward pass again, or call `forward`.
    grad : int, float or Fraction
        Of a leaf, the sum over all backward passes; of a result, that of the latest pass.
    parents : tuple of Value
        Operands in order, with repeats: `x * x` has two parents.
    op : Op or None
        The row of the operation that made it; None for a leaf, `ops.constant` for a plain number
        that met a Value.
    label : str

    Raises
    ------
    NumberTypeError
        If `data` is not a number. Also a TypeError.

    Examples
    --------
    >>> x = Value(3, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y, x
    (Value(data=10, grad=1), Value(data=3, grad=6, label='x'))
    """

    __slots__ = ()  # no others than those of `Node`

    # ---- recording -----------------------------------------------------------------------------

    @classmethod
    def _apply(cls, op: Op, args: Sequence[Number]) -> Any:
        """Compute a row and record it: every operator and function of Values ends up here."""
        try:
            inputs = [arg._data for arg in args]
        except AttributeError as error:  # a plain number has no `_data`
            for arg in (error.obj, *args):  # first the one without `_data`, often a symbol
                # Symbols, with which `compile` traces, have the higher rank: they record the row.
                if isinstance(arg, Operators) and arg._rank > cls._rank:
                    return arg._apply(op, tuple(args))
            args = [x if isinstance(x, Value) else Value._made(number(x), constant) for x in args]
            inputs = [arg._data for arg in args]
        try:
            data = op.forward(*inputs)
        except (ValueError, ArithmeticError) as error:
            failed = described(Value._made(0, op, args, inputs))
            raise op.failure(error, failed, inputs) from error
        node = object.__new__(Value)
        node._data, node._grad, node.op = data if type(data) is float else number(data), 0, op
        node._record(args, inputs)
        mode = grad_mode.get()
        return node if mode is record else mode(node)  # within `no_grad`, a leaf

    # For these four speed counts. -x, x ** 2, x.tanh() and the others are in `ops.Operators`.
    __add__, __radd__ = _operators(add)
    __sub__, __rsub__ = _operators(sub)
    __mul__, __rmul__ = _operators(mul)
    __truediv__, __rtruediv__ = _operators(div)

    # Python calls it for each subclass: a `__mul__` of its own gives it a `__rmul__` as well.
    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        derive_operators(cls, Value)

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

        Raises
        ------
        GradientError
            If a node on the way was made by hand. Also what the operations themselves raise.

        Examples
        --------
        >>> x = Value(3.0)
        >>> y = x * x
        >>> x.data = 4.0
        >>> y.forward()
        Value(data=16.0, grad=0)
        """
        nodes = [node for node in order(self) if node.parents]
        before = [(n._data, n.op, n._left, n._right, n._a, n._b) for n in nodes]
        for node in nodes:
            if node.op.partials is None:
                raise GradientError(
                    f"{node!r} was made by hand as {node._op!r}, so forward() has no rule to "
                    "compute it again: make a new node, or add the operation with micrograd.define"
                )
        try:
            with enable_grad():
                for node in nodes:
                    if node.op.renewed:  # a row that holds an operand's number, such as 2**x
                        node.op = node.op.renewed(*[parent._data for parent in node.parents])
                    again = Value._apply(node.op, node.parents)
                    node._data = again._data
                    node._record(again.parents, again.inputs)
        except BaseException:  # an interrupt is no Exception
            for node, slots in zip(nodes, before, strict=True):
                node._data, node.op, node._left, node._right, node._a, node._b = slots
            raise
        return self

    # ---- the chain rule ------------------------------------------------------------------------

    def local_derivatives(self) -> tuple[Any, ...]:
        """Return the derivative of this node with respect to each parent, at the recorded inputs.

        Examples
        --------
        >>> (Value(2.0) * Value(5.0)).local_derivatives()
        (5.0, 2.0)
        """
        return local_derivatives_of(self) if self.parents else ()

    def backward(self) -> None:
        """Run the chain rule from here to every leaf: afterwards each `grad` is d(self)/d(it).

        Gradients of leaves add up over passes until they are set to 0; each pass replaces those of
        results.

        Raises
        ------
        StaleGraphError
            If data changed since the forward pass.
        DomainError, ZeroDivisorError, OverflowRangeError
            If a local derivative does not exist or is infinite.
        NonFiniteError
            If the output or a gradient is nan, or a gradient infinite though the data are finite.
        GradientError
            If a node made by hand has no `_backward`.

        Notes
        -----
        Takes one visit per edge. After an error, or an interrupt, every `grad` is as it was before
        the call. Threads that share leaves must not call it at the same time, since it writes
        their `grad`: `gradient` does not.
        """
        nodes = order(self)
        gradients = backward_pass(nodes)  # the chain rule; what follows stores what it returned
        before = [node._grad for node in nodes]
        try:
            for node in nodes:
                grad = gradients.get(node, 0)  # 0 where none arrived
                if node._left is None:  # a leaf, which adds up
                    node._grad += grad
                else:
                    node._grad = grad
        except BaseException:  # an interrupt is no Exception
            for node, grad in zip(nodes, before, strict=True):
                node._grad = grad
            raise
