"""How a page opens: the texts of its address, which also say it for a page without one."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from micrograd.checks import finite_number
from micrograd.errors import ArgumentError, OptionTypeError, shown_briefly
from micrograd.stepper.guess import checked_guess
from micrograd.stepper.page.live import fixed_leaves
from micrograd.stepper.page.net import net_data
from micrograd.stepper.stepper import Stepper

__all__ = ["call_text", "opening"]


def opening(
    stepper: Stepper,
    open: str | None = None,  # noqa: A002
    set: Mapping[Any, Any] | None = None,  # noqa: A002
    guess: bool | int = False,
) -> dict[str, str]:
    """Return the state that a page opens in, as the keys and texts of an address.

    Parameters
    ----------
    stepper : Stepper
    open : str, optional
        `"neuron 2 of layer 1"` or `"loss"`.
    set : mapping, optional
        Numbers of leaves: `{"w1[2,1]": 0.9}`; a key is whatever `Stepper.find` takes.
    guess : bool or 2, default False
        Ask for each gradient before it is shown.

    Raises
    ------
    ArgumentError
        If there is nothing of that name to open, or a value to be set is not a leaf, or the leaf
        is a number of an expression, such as the 3 of `3 * a`, or a target.
    NotInGraphError
        If there is no value of that name.
    OptionTypeError
        If what is to be set is not a mapping, or not to a finite number.

    Examples
    --------
    >>> from micrograd.nn import MLP
    >>> from micrograd.stepper import steps
    >>> opening(steps(MLP(2, [2, 1])([1.0, -2.0])), "neuron 2 of layer 1", {"x0[1]": 0.5})
    {'open': '1.2', 'set': '@4:0.5'}
    """
    asked = {}
    if open is not None:
        asked["open"] = _opened(stepper, open)
    if set is not None:
        if not isinstance(set, Mapping):
            raise OptionTypeError(
                f'expected set to be a mapping, as {{"w1[2,1]": 0.9}}, got {shown_briefly(set)}'
            )
        asked["set"] = ";".join(_changed(stepper, name, to) for name, to in set.items())
    if level := checked_guess(guess, stepper.broken):
        asked["guess"] = str(level)
    return asked


def _opened(stepper: Stepper, name: str) -> str:
    net = net_data(stepper)
    if net is None:
        raise ArgumentError(f"expected open to be None, got {name!r}: no network is shown here")
    counts = [len(layer["neurons"]) for layer in net["layers"]]
    found = re.fullmatch(r"neuron (\d+) of layer (\d+)", str(name).strip())
    if found:
        neuron, layer = int(found[1]), int(found[2])
        if 1 <= layer <= len(counts) and 1 <= neuron <= counts[layer - 1]:
            return f"{layer}.{neuron}"
    elif name == "loss" and net["loss"]:
        return "loss"
    there = ", ".join(f"1 to {count} of layer {k}" for k, count in enumerate(counts, 1))
    loss = ' or "loss"' if net["loss"] else ""
    raise ArgumentError(
        f'expected open to be a neuron, as "neuron 1 of layer 1",{loss} got {name!r}: '
        f"there are the neurons {there}"
    )


def _changed(stepper: Stepper, name: Any, to: Any) -> str:
    i = stepper.place(name)
    if stepper.recording.parents[i]:
        leaves = [
            leaf
            for leaf, operands in zip(stepper.words.names, stepper.recording.parents, strict=True)
            if not operands
        ]
        raise ArgumentError(
            f"{stepper.words.names[i]} is computed from other values and cannot be set; "
            f"the leaves are {', '.join(leaves[:8])}{', …' if len(leaves) > 8 else ''}"
        )
    if i in fixed_leaves(stepper):
        raise ArgumentError(
            f"{stepper.words.names[i]} is part of an expression or the target of a loss and cannot "
            "be set; make it a Value with a label to change it"
        )
    return f"@{i}:{float(finite_number(f'set[{name!r}]', to))!r}"


def call_text(stepper: Stepper) -> str:
    """Return the Python that makes these steps: what a notebook copies as a link.

    The root is the variable of the notebook that holds it; elsewhere one called as its label.

    Examples
    --------
    >>> from micrograd import Value, steps
    >>> call_text(steps(Value(2.0, label="L"), broken="assign"))
    "steps(L, broken='assign')"
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    variables = [] if shell is None else shell.user_ns.items()
    names = [name for name, it in variables if it is stepper.root and not name.startswith("_")]
    label = str(stepper.root.label or "")  # users may give numbers
    root = names[0] if names else label if label.isidentifier() else "loss"
    return f"steps({root}, broken={stepper.broken!r})" if stepper.broken else f"steps({root})"
