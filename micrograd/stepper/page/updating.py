"""What Python sends for the updates of a page: words, and the stepper's own optimizer."""

from __future__ import annotations

from typing import Any

from micrograd.optim.rules import AdamRule, SgdRule, buffers_of, rule_of
from micrograd.sentences.updates import UPDATE
from micrograd.stepper.stepper import Stepper
from micrograd.stepper.updates import Plan

__all__ = ["update_data"]


def update_data(stepper: Stepper) -> dict[str, Any]:
    """Return what a page updates the parameters of a graph with, besides `page.live.live_data`.

    Parameters
    ----------
    stepper : Stepper

    Returns
    -------
    dict
        `words`, sentences with slots; `given`, the optimizer of the stepper or None: its name, its
        rule, its parameters as positions in the graph, and for each its weight decay, its L1 and
        its buffers `m` and `v`. The rule of a class of your own is None.

    Examples
    --------
    >>> from micrograd import Value
    >>> from micrograd.optim import SGD
    >>> from micrograd.stepper import steps
    >>> w = Value(2.0, label="w")
    >>> given = update_data(steps(w * 3, optimizer=SGD([w], 0.5, momentum=0.9)))["given"]
    >>> given["name"], given["lr"], given["params"]
    ('SGD, momentum 0.9', 0.5, [0])
    """
    given = None if stepper.plan is None else _given(stepper.plan)
    return {"words": dict(UPDATE), "given": given}


def _given(plan: Plan) -> dict[str, Any]:
    optimizer, rule = plan.optimizer, rule_of(plan.optimizer)
    held = [(k, i) for k, i in enumerate(plan.places) if i is not None]
    given: dict[str, Any] = {
        "name": type(optimizer).__name__,
        "params": [i for _, i in held],
        "rule": None,
    }
    if rule is None:
        return given
    buffers: list[list[Any]] = [*buffers_of(optimizer), [], []]
    m, v = buffers[:2]
    given |= {
        "lr": float(optimizer.lr),
        "t": optimizer.steps,
        "rule": _rule(rule),
        "decay": float(optimizer.weight_decay),
        "l1": float(optimizer.l1),
        "decays": [float(optimizer.decays[k]) for k, _ in held] if rule.decays else [],
        "pulls": [float(optimizer.pulls[k]) for k, _ in held] if rule.pulls else [],
        "m": [float(m[k]) for k, _ in held] if m else [],
        "v": [float(v[k]) for k, _ in held] if v else [],
    }
    if isinstance(rule, SgdRule):
        given["name"] += f", momentum {rule.momentum:g}" if rule.momentum else ""
        given["name"] += ", Nesterov" if rule.nesterov else ""
    return given


def _rule(rule: SgdRule | AdamRule) -> dict[str, Any]:
    if isinstance(rule, SgdRule):
        return {"momentum": rule.momentum, "nesterov": rule.nesterov}
    return {
        "betas": [rule.beta1, rule.beta2],
        "eps": rule.eps,
        "decoupled": rule.decoupled,
    }
