"""Options of a training run, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from micrograd.checks import finite_number, whole_number
from micrograd.engine import Value
from micrograd.errors import ArgumentError, ArgumentTypeError, shown, shown_typed
from micrograd.optim import SGD, Adam, AdamW

__all__ = ["LEARNING_RATE", "batch_size_of", "optimizer_of", "rate_of"]

LEARNING_RATE: Final = 0.02  # of the Adam that is made if no optimizer is given


def optimizer_of(given: Any, parameters: Sequence[Value], what: str) -> Any:
    """Return the optimizer of a run, by default Adam.

    Parameters
    ----------
    given : object
        The argument.
    parameters : sequence of Value
        Of the model or function that is trained, of which it must hold one.
    what : str
        What they belong to: "model", "function" or "graph".
    """
    if given is None:
        return Adam(parameters, lr=LEARNING_RATE)
    if isinstance(given, type) or not hasattr(given, "state_dict"):
        named = getattr(given, "__name__", given)
        known = {kind.__name__.lower(): kind.__name__ for kind in (SGD, Adam, AdamW)}
        kind = known.get(str(named).lower(), "Adam")
        raise ArgumentTypeError(
            f"expected an optimizer, such as optim.{kind}({_PARAMETERS[what]}, lr=0.02), got "
            f"{shown_typed(given)}"
        )
    if set(parameters).isdisjoint(getattr(given, "params", parameters)):
        raise ArgumentError(
            f"the optimizer holds no parameter of this {what}: make it with {_PARAMETERS[what]}"
        )
    return given


_PARAMETERS: Final = {
    "model": "model.parameters()",
    "function": "f.parameters",
    "graph": "model.parameters()",
}


def rate_of(lr: Any) -> Any:
    """Return a learning rate: a finite number of 0 or more, or a function."""
    return lr if callable(lr) else finite_number("lr", lr, 0)


def batch_size_of(given: Any, samples: int, where: str) -> int | None:
    """Return the number of samples of a mini-batch; None for all of them."""
    if given is None:
        return None
    size = whole_number("batch_size", given, 1)
    if size > samples:
        raise ArgumentError(
            f"a batch_size of {shown(size)} is more than the {samples} samples{where}"
        )
    return size
