"""What follows the backward pass: an update of the parameters, as an optimizer would do it.

The optimizer itself does it, in a copy with parameters of its own: its rule is written once, and
neither the optimizer nor the graph changes.

>>> from micrograd.engine import Value
>>> from micrograd.optim import SGD
>>> from micrograd.stepper import steps
>>> w = Value(3.0, label="w")
>>> print(steps(w * w, optimizer=SGD([w], lr=0.25))[-1].text)
w moves against its gradient: 3 - 0.25 × 6 = 1.5. One update: w × w went from 9 to 2.25. The \
gradients predicted -9, it was -6.75.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any, Final

from micrograd.engine import Value
from micrograd.errors import ArgumentError, ArgumentTypeError, MicrogradError
from micrograd.graph import order
from micrograd.loop.options import optimizer_of
from micrograd.optim.rules import SgdRule, buffers_of, rule_of
from micrograd.optim.schedules import rate_at
from micrograd.sentences.updates import Change, UpdateWords
from micrograd.values.networks import listed

if TYPE_CHECKING:
    from micrograd.stepper.stepper import Stepper

__all__ = ["Plan", "planned"]

_MOST: Final = 6  # names in a sentence


class Plan:
    """A copy of an optimizer that does the update of a walk.

    Parameters
    ----------
    optimizer : Optimizer
        The copy; its parameters are copies too.
    places : list of int or None
        Where each of its parameters stands among the values of the graph; None if it does not.

    Attributes
    ----------
    others : int
        How many of its parameters the graph does not hold.
    """

    def __init__(self, optimizer: Any, places: list[int | None]) -> None:
        self.optimizer, self.places = optimizer, places
        self.others = places.count(None)

    def changes(self, data: Sequence[Any], gradients: Sequence[Any]) -> list[Change]:
        """Return what the optimizer makes of the parameters, in its order.

        Parameters
        ----------
        data, gradients : sequence of number
            Of each value of the graph.

        Raises
        ------
        ArgumentError, OverflowRangeError, ZeroDivisorError, DomainError
            As from the `step` of the optimizer.
        """
        optimizer = deepcopy(self.optimizer)
        for parameter, i in zip(optimizer.params, self.places, strict=True):
            parameter.grad = 0 if i is None else gradients[i]
            if i is not None:
                parameter.data = data[i]
        known = rule_of(optimizer) is not None
        kept = buffers_of(optimizer) if known else []
        optimizer.step()
        told, new = _told(optimizer), buffers_of(optimizer) if known else []
        nothing = [0] * len(self.places)
        decays, pulls = (optimizer.decays, optimizer.pulls) if known else (nothing, nothing)
        found = []
        for k, i in enumerate(self.places):
            if i is None:
                continue
            old, grad, decay = data[i], gradients[i], decays[k]
            pull = pulls[k] * (int(old > 0) - int(old < 0))
            adds = not told.get("decoupled")
            decayed = grad + decay * old if decay and adds else grad
            found.append(
                Change(
                    node=i,
                    optimizer=type(optimizer).__name__,
                    grad=grad,
                    decayed=decayed,
                    used=decayed + pull if pull and adds else decayed,
                    before=old,
                    after=optimizer.params[k].data,
                    buffers={
                        name: (was[k] if was else None, now[k])
                        for name, was, now in zip("mv", kept, new, strict=False)
                    },
                    decay=decay,
                    pull=pull,
                    **told,
                )
            )
        return found

    def text(self, stepper: Stepper) -> str:
        """Return what the update of a walk does to the root, and whom it leaves out."""
        words, changes = stepper.words, stepper.changes
        root, said = words.names[-1], []
        new = {change.node: change.after for change in changes}
        graph = stepper.copy_of_graph()
        for i, node in enumerate(order(graph)):
            node.data = new.get(i, node.data)
        try:
            after = graph.forward().data
        except MicrogradError as error:
            said.append(f"With the new parameters {root} cannot be computed: {error}.")
        else:
            said.append(UpdateWords(words).whole(changes, stepper.recording.data[-1], after))
        held = [i for i, node in enumerate(stepper.nodes) if node in stepper.called.parameters]
        left = [words.names[i] for i in held if i not in new]
        if left:
            some = [*left[:_MOST], *([f"{len(left) - _MOST} more"] if len(left) > _MOST else [])]
            stay = "they stay as they are" if len(left) > 1 else "it stays as it is"
            said.append(f"The optimizer does not hold {listed(some)}: {stay}.")
        if others := self.others:
            said.append(
                f"It holds {others} more parameter{'s' * (others > 1)} outside of this graph."
            )
        return " ".join(said)


def _told(optimizer: Any) -> dict[str, Any]:
    """Return what the fields of a change say of the optimizer itself."""
    rule = rule_of(optimizer)
    if rule is None:
        return {"kind": "other", "lr": None}
    if isinstance(rule, SgdRule):
        kind = "nesterov" if rule.nesterov else "momentum" if rule.momentum else "sgd"
        return {"kind": kind, "lr": optimizer.lr, "momentum": optimizer.momentum}
    return {"kind": "adam", "lr": optimizer.lr, "decoupled": rule.decoupled}


def planned(optimizer: Any, nodes: Sequence[Value]) -> Plan:
    """Return the plan of the update that an optimizer would do on a graph.

    Parameters
    ----------
    optimizer : Optimizer
        With `params` and `step`, as those of `micrograd.optim` have.
    nodes : sequence of Value
        Of the graph, in topological order.

    Raises
    ------
    ArgumentTypeError
        If it is no optimizer.
    ArgumentError
        If the graph holds none of its parameters, or it cannot be copied.
    """
    if isinstance(optimizer, Plan):  # of the steps that these are a copy of
        return optimizer
    leaves = [node for node in nodes if not node.parents]
    optimizer_of(optimizer, leaves, "graph")
    for name in ("params", "step"):
        if not hasattr(optimizer, name):
            raise ArgumentTypeError(
                f"{type(optimizer).__name__} has no {name!r}: the update of a walk needs an "
                "optimizer with the attribute `params` and the method `step`"
            )
    place = {node: i for i, node in enumerate(nodes)}
    try:
        mine = deepcopy(optimizer, {id(p): copy(p) for p in optimizer.params})
    except MicrogradError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"{type(optimizer).__name__} cannot be copied, and the update is done on a copy: "
            f"{error}"
        ) from error
    if rule_of(mine) is not None:
        with suppress(Exception):  # of the user's function: `step` asks again, and says so
            mine.lr = rate_at(mine.lr, mine.steps)  # one update needs one rate of a schedule
    return Plan(mine, [place.get(p) for p in optimizer.params])
