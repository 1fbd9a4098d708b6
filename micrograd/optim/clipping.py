"""Clipping: a gradient that is too large is made smaller before it is used."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from micrograd.checks import finite_number, listed
from micrograd.engine import Value
from micrograd.errors import ArgumentError, NumberTypeError, OverflowRangeError, shown_typed
from micrograd.ops import PlainNumber

__all__ = ["Clip", "clip_of"]


@dataclass(frozen=True)
class Clip:
    """How large a gradient may be; pass exactly one of the two limits.

    Parameters
    ----------
    norm : number, optional
        The largest Euclidean norm of the whole gradient. A longer one is scaled to it, and keeps
        its direction.
    value : number, optional
        The largest absolute value of a derivative. Each is limited on its own.

    Examples
    --------
    >>> a, b = Value(0.0), Value(0.0)
    >>> a.grad, b.grad = 3.0, -4.0
    >>> Clip(norm=2.5)([a, b])
    >>> a.grad, b.grad
    (1.5, -2.0)
    >>> Clip(value=1.75)([a, b])
    >>> a.grad, b.grad
    (1.5, -1.75)
    """

    norm: PlainNumber | None = None
    value: PlainNumber | None = None

    def __post_init__(self) -> None:
        if (self.norm is None) == (self.value is None):
            raise ArgumentError("Clip takes exactly one limit: norm=1.0 or value=1.0")
        finite_number("norm" if self.value is None else "value", self.limit, above=0)

    @property
    def limit(self) -> Any:
        """The limit that was given."""
        return self.norm if self.value is None else self.value

    def __call__(self, parameters: Iterable[Value]) -> None:
        """Change the `grad` of the parameters.

        Raises
        ------
        OverflowRangeError
            If the norm of the gradient is not finite.
        """
        parameters, limit = listed("parameters", parameters), self.limit
        for parameter in parameters:
            if not isinstance(parameter, Value):
                raise NumberTypeError(f"expected a Value, got {shown_typed(parameter)}")
        grads: list[Any] = [p.grad for p in parameters]
        if self.norm is None:
            grads = [max(-limit, min(limit, g)) for g in grads]
        else:
            norm = math.hypot(*map(float, grads))
            if norm - norm != 0:
                raise OverflowRangeError(f"the norm of the gradient is {norm}")
            if norm <= limit:
                return
            grads = [g * (limit / norm) for g in grads]
        for p, g in zip(parameters, grads, strict=True):
            p.grad = g


def clip_of(given: Any) -> Clip | None:
    """Return the clipping that an argument `clip` asks for: a number is the norm's limit."""
    if given is None or isinstance(given, Clip):
        return given
    return Clip(norm=finite_number("clip", given, above=0))
