"""Values that a user made by hand: their operands, local derivatives and `_backward` closures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from micrograd.errors import (
    ArgumentTypeError,
    GradientError,
    InputCountError,
    rewritten,
    shown_typed,
    why,
)
from micrograd.ops import Number, Operators, PlainNumber, foreign, number
from micrograd.values.checks import check_fresh, described

__all__ = [
    "ByHand", "check_rule", "derive_operators", "given_locals", "given_operands",
    "local_derivatives_of", "partials_of", "pass_on_by_hand", "rule_of", "without_derivative",
]  # fmt: skip

# ---- what is given to the constructor ----------------------------------------------------------


def given_locals(gradients: Sequence[Any], children: tuple[Any, ...]) -> tuple[PlainNumber, ...]:
    """Return the local derivatives that a node is made with, one for each operand."""
    given = tuple([number(local) for local in gradients])
    if len(given) != len(children):
        raise InputCountError(
            f"expected one local gradient for each operand, got {len(given)} for {len(children)}"
        )
    return given


def given_operands(given: Any) -> tuple[Any, ...]:
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
            f"{shown_typed(given)}"
        )
    return children


class ByHand:
    """The `_backward` of a node, as micrograd 0.1.0 has it: to be called, replaced or wrapped."""

    __slots__ = ()

    def _push(self: Any) -> None:
        """Add this node's contributions to its parents: one step of the chain rule."""
        if not self.parents:
            return
        check_fresh(self)
        for parent, local in zip(self.parents, rule_of(self), strict=True):
            if local != 0 or not self.op.gate:
                parent._grad += local * self._grad

    @property
    def _backward(self: Any) -> Callable[[], None]:
        return cast("Callable[[], None]", self.__dict__.get("_closure", self._push))

    @_backward.setter
    def _backward(self: Any, closure: Callable[[], None]) -> None:
        self.__dict__["_closure"] = closure
        self.op = foreign("") if self.op is None else replace(self.op, opaque=True)


# ---- local derivatives of one node -------------------------------------------------------------


def local_derivatives_of(node: Any) -> tuple[Any, ...]:
    """Return the derivative of a node with respect to each operand, however the node was made.

    A hand-made `_backward` is run with gradient 1; what it adds to an operand that occurs several
    times is divided evenly among its places.
    """
    check_fresh(node)
    if "_closure" not in node.__dict__:
        return rule_of(node)
    passed: dict[Any, Any] = {}
    pass_on_by_hand(node, 1, passed)
    parents = node.parents
    return tuple([_part(passed[parent], parents.count(parent)) for parent in parents])


def _part(total: Any, places: int) -> Any:
    is_whole = isinstance(total, int) and total % places == 0
    return total // places if is_whole else total / places


def rule_of(node: Any) -> tuple[Any, ...]:
    """Return the local derivatives that a node was given, or that its operation's rule gives."""
    given = node.__dict__.get("_local_gradients")
    if given is not None:
        return cast("tuple[Any, ...]", given)
    return partials_of(node, node.data, node.inputs)


def partials_of(node: Any, out: Number, inputs: tuple[Number, ...]) -> tuple[Any, ...]:
    """Return the local derivatives of a node, by its row's rule, at `out` and `inputs`."""
    partials = node.op.partials
    if partials is None:
        raise GradientError(
            f"{node!r} was made by hand as {node.op.token!r} and has no derivative rule to use "
            "here: set its _backward, or add the operation with micrograd.define"
        )
    try:
        return cast("tuple[Any, ...]", partials(out, *inputs))
    except (ValueError, ArithmeticError) as error:
        raise without_derivative(node, error) from error


def without_derivative(node: Any, error: ValueError | ArithmeticError) -> Exception:
    """Return the error of a node whose derivative rule raised another one."""
    reason = why(error, f"the derivative of {node.op.name}", node.inputs)
    return rewritten(error, f"no finite derivative of {described(node)}: {reason}")


def pass_on_by_hand(node: Any, upstream: Any, gradients: dict[Any, Any]) -> None:
    """Pass on the gradient of a node made by hand, by its own `_backward` if it has one.

    That closure reads and writes `grad`, which is lent to it while it runs.
    """
    closure, parents = node.__dict__.get("_closure"), node.parents
    if closure is None:
        for parent, local in zip(parents, rule_of(node), strict=True):
            gradients[parent] = gradients.get(parent, 0) + local * upstream
        return
    before = [(other, other.grad) for other in {node, *parents}]
    try:
        try:
            for parent in parents:
                parent.grad = gradients.get(parent, 0)
            node.grad = upstream
            closure()
            gradients.update({parent: parent.grad for parent in parents})
        finally:
            _give_back(before)
    except BaseException:  # an interrupt may have come while the gradients were given back
        _give_back(before)
        raise


def _give_back(before: list[tuple[Any, Any]]) -> None:
    for node, grad in before:
        node.grad = grad


def check_rule(node: Any) -> None:
    """Raise if a `_backward` that was put on an operation does otherwise than its rule."""
    rule, own = rule_of(node), local_derivatives_of(node)
    if node.op.partials is not None and rule != own:
        raise GradientError(
            f"the _backward of {described(node)} passes on the local derivatives {own}, and the "
            f"rule of {node.op.name} gives {rule}, so it cannot be differentiated again: add the "
            "operation with micrograd.define"
        )


# ---- subclasses --------------------------------------------------------------------------------

# What a subclass leaves out follows from the operators that it has of its own, as in micrograd
# 0.1.0: a class with a `__mul__` is asked for 2 * x, -x and x - y as well. Ours, with a node for
# each operator, are for the classes that have none.
_DERIVED: Final[dict[str, tuple[tuple[str, ...], Callable[..., Any]]]] = {
    "__radd__": (("__add__",), lambda self, other: self + other),
    "__rmul__": (("__mul__",), lambda self, other: self * other),
    "__neg__": (("__mul__",), lambda self: self * -1),
    "__sub__": (("__add__", "__mul__"), lambda self, other: self + (-other)),
    "__rsub__": (("__add__", "__mul__"), lambda self, other: other + (-self)),
    "__truediv__": (("__mul__", "__pow__"), lambda self, other: self * other**-1),
    "__rtruediv__": (("__mul__", "__pow__"), lambda self, other: other * self**-1),
}


def derive_operators(cls: type, base: type) -> None:
    """Give a subclass of `base` the operators that follow from those that it has of its own."""
    for name, (own, derived) in _DERIVED.items():
        if getattr(cls, name) is getattr(base, name) and any(
            getattr(cls, given) is not getattr(base, given) for given in own
        ):
            setattr(cls, name, derived)
