"""A Value read as a number: comparisons, conversions, formats."""

from __future__ import annotations

from typing import Any, NoReturn

from micrograd.ops import Operators, is_constant, is_operand, number
from micrograd.values.grad_mode import discard, grad_mode
from micrograd.values.leaving import left_graph

__all__ = ["Reading", "plain"]


def plain(operand: Any) -> Any:
    """Return the number of a node, or the number that was given."""
    return operand.data if isinstance(operand, Operators) else number(operand)


class Reading(Operators):
    """What works on the number of a node alone."""

    __slots__ = ()

    def item(self: Any) -> Any:
        """Return the number itself, as `data` does and as NumPy and PyTorch spell it."""
        return self.data

    def __format__(self: Any, spec: str) -> str:
        return format(self.data, spec) if spec else str(self)

    def __int__(self: Any) -> int:
        return int(self.data)

    def __round__(self: Any, digits: int | None = None) -> Any:
        return round(self.data, digits)

    def __float__(self: Any) -> float:
        # Called alike by `float(v)` and by `math.exp(v)`, which would lose a gradient.
        if grad_mode.get() is not discard and not self._has_no_gradient():
            raise left_graph(self)
        return float(self.data)

    def __trunc__(self: Any) -> NoReturn:
        raise left_graph(self)

    def as_integer_ratio(self: Any) -> NoReturn:
        """Refused: `statistics` and `Fraction` ask for it, and would lose the gradient."""
        raise left_graph(self)

    def _has_no_gradient(self: Any) -> bool:
        """Return whether this is a plain number that met a Value, or a choice of such numbers."""
        op = self.op
        if not self.parents or op.opaque or not op.gate:  # it may be flat, and yet curved
            return is_constant(self)
        pairs = zip(self.parents, op.partials(self.data, *self.inputs), strict=True)
        return all(local == 0 for parent, local in pairs if not is_constant(parent))

    # A number is equal by what it is, as for `<=`; another Value by which one it is, so that sets,
    # dicts and `in` tell Values apart that happen to hold the same number.

    def __eq__(self: Any, other: object) -> bool:
        if isinstance(other, Operators):
            return self is other if isinstance(other, Reading) else NotImplemented
        return bool(self.data == number(other)) if is_operand(other) else NotImplemented

    __hash__ = object.__hash__

    def __lt__(self: Any, other: Any) -> bool:
        return self.data < plain(other) if is_operand(other) else NotImplemented

    def __le__(self: Any, other: Any) -> bool:
        return self.data <= plain(other) if is_operand(other) else NotImplemented

    def __gt__(self: Any, other: Any) -> bool:
        return self.data > plain(other) if is_operand(other) else NotImplemented

    def __ge__(self: Any, other: Any) -> bool:
        return self.data >= plain(other) if is_operand(other) else NotImplemented
