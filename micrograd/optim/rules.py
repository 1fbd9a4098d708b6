"""Update rules as data: what a training loop in machine code needs of an optimizer."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

from micrograd.optim.optimizers import SGD, Adam, AdamW
from micrograd.optim.schedules import rates_ahead

__all__ = ["AdamRule", "Rule", "SgdRule", "buffers_of", "rule_of", "scalars_ahead", "set_buffers"]


class SgdRule(NamedTuple):
    """Descent with momentum; a step has one scalar, the learning rate."""

    momentum: float = 0.0
    nesterov: bool = False
    decays: bool = False
    pulls: bool = False


class AdamRule(NamedTuple):
    """Adam; a step has three scalars: the step size, the correction of the root, and the rate."""

    beta1: float
    beta2: float
    eps: float
    decays: bool = False
    pulls: bool = False
    decoupled: bool = False


Rule = SgdRule | AdamRule


def rule_of(optimizer: Any) -> Rule | None:
    """Return the rule of an optimizer of our own classes, None for any other.

    >>> from micrograd import Value
    >>> rule_of(SGD([Value(1.0)], momentum=0.9))
    SgdRule(momentum=0.9, nesterov=False, decays=False, pulls=False)
    """
    if type(optimizer) not in (SGD, Adam, AdamW):
        return None
    decay = bool(optimizer.weight_decay), bool(optimizer.l1)
    if type(optimizer) is SGD:
        return SgdRule(float(optimizer.momentum), optimizer.nesterov, *decay)
    mean, square = map(float, optimizer.betas)
    return AdamRule(mean, square, float(optimizer.eps), *decay, isinstance(optimizer, AdamW))


def scalars_ahead(optimizer: SGD | Adam, most: int) -> list[list[float]]:
    """Return lists of the scalars of the rule, with one number for each of the next steps.

    They end before a step whose learning rate cannot be used.
    """
    start = optimizer.steps
    rates = rates_ahead(optimizer.lr, start, most)
    if isinstance(optimizer, SGD):
        return [list(map(float, rates))]
    mean, square = cast("tuple[Any, Any]", optimizer.betas)
    counts = range(start + 1, start + 1 + len(rates))
    return [
        [float(rate / (1 - mean**count)) for rate, count in zip(rates, counts, strict=True)],
        [math.sqrt(1 - square**count) for count in counts],
        list(map(float, rates)),
    ]


def buffers_of(optimizer: SGD | Adam) -> list[list[Any]]:
    """Return the rule's buffers, one number for each parameter; zeros for an empty one."""
    if isinstance(optimizer, Adam):
        return [optimizer.mean, optimizer.square]
    return [optimizer.momentum_buffer] if optimizer.momentum else []


def set_buffers(optimizer: SGD | Adam, buffers: list[list[Any]], steps: int) -> None:
    """Give an optimizer its buffers as they are after `steps` more steps."""
    if isinstance(optimizer, Adam):
        optimizer.mean, optimizer.square = buffers
    elif buffers:
        (optimizer.momentum_buffer,) = buffers
    optimizer.steps += steps
