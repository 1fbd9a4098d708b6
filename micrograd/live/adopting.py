"""Where a page is in its run, taken over by Python: the network, the losses, the optimizer."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from micrograd import optim
from micrograd.errors import ArgumentError, shown_briefly
from micrograd.live.inputs import inputs_of
from micrograd.live.task import rate_at
from micrograd.live.view import Plane, View
from micrograd.losses import LOSSES
from micrograd.nn import MLP
from micrograd.train import session
from micrograd.values.assigning import set_data

if TYPE_CHECKING:
    from micrograd.live.watching import Watch

__all__ = ["adopt"]

_NETWORK: Final = ("features", "layers", "activation", "loss")
_ON_THE_WAY: Final = ("lr", "later")  # what changes without a new run


def adopt(watch: Watch, state: dict[str, Any]) -> None:
    """Take over a state of a page, as `run.state()` of its script gives it; see `Watch.adopt`.

    Its entries are the `settings`; the `step`; the `losses` and the losses `held` out from the step
    `since` on; the `parameters`, their `grads` and the `moments` of the optimizer; with the first
    steps of a run its `start`, and its `samples` unless they are those of the call; and why it has
    `stopped`.
    """
    own = watch.task
    if own["why"]:
        raise ArgumentError(own["why"])
    before = [(one, one.state_dict()) for one in (watch.optimizer, watch.of_call[1])]
    try:
        _check(state)
        settings = {key: state["settings"][key] for key in own["settings"]}
        step, since, moments = state["step"], state["since"], state["moments"]
        found: dict[str, Any] = {}
        if not since:
            data = state["samples"] or own["own"]
            if not data["training"]:  # there is nothing to learn from yet
                return
            found = _run_of(watch, settings, data)
            found["start"] = state["start"]
        elif _changed(settings, watch.settings) or since > watch.step:
            raise ValueError("another run began: its first steps are missing")
        optimizer = found.get("optimizer", watch.optimizer)
        model = found.get("model", watch.model)
        values, numbers, grads = model.parameters(), state["parameters"], state["grads"]
        if not len(values) == len(numbers) == len(grads) == len(found.get("start", numbers)):
            raise ValueError(f"{len(numbers)} parameters for a network of {len(values)}")
        rate = rate_at(settings, step)
        optimizer.load_state_dict(_optimizer_state(optimizer, moments, rate))
        set_data(values, numbers)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        for one, kept in before:
            one.load_state_dict(kept)
        raise ArgumentError(
            f"expected the state of a page's run, got {shown_briefly(state)}: {error}"
        ) from error
    for value, grad in zip(values, grads, strict=True):
        value.grad = grad
    vars(watch).update(found, settings=settings, stopped=state["stopped"])
    watch.resume(step, since, state["losses"], state["held"])


def _check(state: dict[str, Any]) -> None:
    """Raise a ValueError if the numbers of a state are not those of so many steps."""
    since, losses, held = state["since"], state["losses"], state["held"]
    if since < 0 or state["step"] != since + len(losses) or len(held) not in {0, len(losses)}:
        raise ValueError("expected a loss for each step")
    for key in ("losses", "held", "parameters", "grads", *([] if since else ["start"])):
        if not all(type(x) in {int, float} and math.isfinite(x) for x in state[key]):
            raise ValueError(f"expected finite numbers for {key}")


def _changed(settings: dict[str, Any], before: dict[str, Any]) -> bool:
    return any(settings[key] != before[key] for key in settings if key not in _ON_THE_WAY)


def _run_of(watch: Watch, settings: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what a watch of other settings and samples has for attributes."""
    import numpy as np

    own, loss, chosen = watch.task, LOSSES[settings["loss"]], settings["features"]
    rows, training, labels, plane = data["rows"], data["training"], data["labels"], data["plane"]
    y = data["groups"]
    if not loss.classification:
        y = data.get("targets") or [labels[group] for group in y]
    known = inputs_of(data["names"], plane["columns"], watch.derived)
    inputs = None if chosen == data["names"] else {name: known[name].function for name in chosen}
    model, optimizer = watch.of_call
    if any(settings[key] != own["settings"][key] for key in _NETWORK):
        sizes = [*settings["layers"], len(labels) if loss.several_outputs else 1]
        kinds = settings["activation"].split(", ")
        model = MLP(len(chosen), sizes, activation=kinds if len(kinds) > 1 else kinds[0])
    if model is not watch.of_call[0] or settings["optimizer"] != own["settings"]["optimizer"]:
        options = dict(own["optimizers"][settings["optimizer"]])
        kind = getattr(optim, options.pop("kind"))
        optimizer = kind(model.parameters(), **options)
    optimizer.weight_decay, optimizer.l1 = settings["l2"], settings["l1"]
    held = (rows[training:], y[training:]) if len(rows) > training else None
    view = View(
        model, rows[:training], y[:training], loss, validation=held,
        features=plane["columns"] if len(data["names"]) > 1 else None,
        names=data["names"] if data["called"] == data["names"] else None,
        classes=data["classes"] or None,
    )  # fmt: skip
    view.inputs = inputs
    low, high, means = (np.array(plane[name], dtype=float) for name in ("low", "high", "means"))
    view.plane = Plane(low, high, tuple(plane["columns"]), means)
    new_session = partial(
        session, model, view.given(rows[:training]), y[:training], loss, optimizer,
        min(settings["batch"], training) or None, settings["seed"],
        validation=held and (view.given(held[0]), held[1]), compile=False,
    )  # fmt: skip
    return {
        **vars(view), "optimizer": optimizer, "_new_session": new_session,
        "_session": new_session(), "optimizer_start": optimizer.state_dict(), "_rate_chosen": True,
    }  # fmt: skip


def _optimizer_state(optimizer: Any, moments: dict[str, Any], rate: float) -> dict[str, Any]:
    """Return the state of an optimizer after the steps of a page."""
    steps, mean, square = moments["steps"], *(map(float, moments[k]) for k in ("mean", "square"))
    state = {**optimizer.state_dict(), "steps": steps, "lr": rate}
    if isinstance(optimizer, optim.SGD):
        return {**state, "momentum_buffer": [*mean] if steps and optimizer.momentum else []}
    return {**state, "mean": [*mean], "square": [*square]}
