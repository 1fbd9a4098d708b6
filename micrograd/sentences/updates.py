"""What is said of an update: what an optimizer makes of a parameter and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from micrograd.sentences.signs import latex_text, sign_of_equation
from micrograd.sentences.words import Words
from micrograd.style import number_text

__all__ = ["UPDATE", "Change", "UpdateWords"]

UPDATE: Final = {
    "before": "The gradient is used now: each parameter moves a little against its gradient, so "
    "that {root} falls.",
    "one": "One update: {root} went from {before} to {after}. The gradients predicted {predicted}, "
    "it was {moved}.",
    "many": "{count} updates: {root} went from {before} to {after}. Every pass forward and back "
    "used the new parameters.",
    "grows": "{what} grows: the steps are too long.",
    "stopped": "The next update is not made, for {root} would have no number: {why} The steps "
    "are too long.",
    "all": "No leaf is marked as a parameter: all of them move.",
}  # of all parameters at once
_EACH: Final = {
    "stays": "{name} stays {before}: its gradient is 0.",
    "decay": "Weight decay adds {decay} × {now} to the gradient of {name}: together {decayed}.",
    "pull": "L1 adds {pull} to the gradient of {name}: together {used}.",
    "pulls": "L1 moves {name} by {shift} first.",
    "shrinks": "Weight decay first multiplies {name} by 1 - {rate} × {decay}.",
    "sgd": "{name} moves against its gradient: {sum}.",
    "first": "The momentum buffer of {name} starts as the gradient, {used}.",
    "momentum": "The momentum buffer of {name} is now {momentum} × {old} + {grad} {equals} {new}.",
    "buffer": "{name} moves against it: {sum}.",
    "nesterov": "{name} moves against the gradient plus {momentum} times that: {before} becomes "
    "{after}.",
    "adam": "The mean of the gradients of {name}, m, is now {new}, that of their squares, v, "
    "{square}. Both are corrected for their start at 0: {name} moves by {moved}, to {after}.",
    "other": "{optimizer} moves {name} by {moved}: {before} becomes {after}.",
    "left": "{optimizer} leaves {name} at {before}.",
}  # of one parameter
_RULES: Final = {
    "sgd": "{name} - lr × {grad}",
    "momentum": "{name} - lr × m",
    "nesterov": "{name} - lr × ({grad} + momentum × m)",
    "adam": "{name} - lr × m / √v, both corrected for their start at 0",
}  # by the kind of an optimizer


@dataclass(frozen=True, slots=True)
class Change:
    """What one update makes of one parameter.

    Attributes
    ----------
    node : int
        The parameter, as its position in topological order.
    optimizer : str
        The name of the optimizer's class.
    kind : {"sgd", "momentum", "nesterov", "adam", "other"}
        The rule; "other" for a class of your own.
    lr : number or None
        The learning rate of this update; None where only the optimizer knows it.
    grad, decayed, used : number
        The gradient, the gradient with the weight decay that is added to it, and with that of L1.
    before, after : number
        The parameter.
    buffers : dict of str to tuple
        What the optimizer keeps for the parameter, before and after: `m` with momentum, `m` and
        `v` with Adam. Before the first update the buffer of momentum is None.
    decay, pull, momentum : number
        0 where there is none; `pull` is that of L1, with the sign of the parameter.
    decoupled : bool
        Whether weight decay and L1 act on the parameter itself.
    """

    node: int
    optimizer: str
    kind: str
    lr: Any
    grad: Any
    decayed: Any
    used: Any
    before: Any
    after: Any
    buffers: dict[str, tuple[Any, Any]]
    decay: Any = 0
    pull: Any = 0
    momentum: Any = 0
    decoupled: bool = False

    @property
    def moved(self) -> Any:
        """By how much the parameter moves."""
        return self.after - self.before


class UpdateWords:
    """The sentences and formulas of updates, with the names of one graph."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def _text(self, number: Any, signed: bool = False) -> str:
        return number_text(number, self.words.precision, signed=signed)

    def _factor(self, number: Any) -> str:
        text = self._text(number)
        return f"({text})" if text.startswith("-") or "/" in text else text

    def sentence(self, change: Change) -> str:
        """Return what happens to one parameter, one sentence for each fact."""
        kind, said = change.kind, []
        if change.kind == "other":
            said = ["left" if change.after == change.before else "other"]
        else:
            said += ["shrinks" if change.decoupled else "decay"] if change.decay else []
            said += ["pulls" if change.decoupled else "pull"] if change.pull else []
        if kind == "sgd":
            said.append("stays" if not change.used and change.after == change.before else "sgd")
        elif kind in ("momentum", "nesterov"):
            said.append("first" if change.buffers["m"][0] is None else "momentum")
            said.append("buffer" if kind == "momentum" else "nesterov")
        elif kind == "adam":
            said.append("adam")
        slots = self._slots(change)
        return " ".join([_EACH[key].format(**slots) for key in said])

    def _slots(self, change: Change) -> dict[str, str]:
        text = self._text
        old, new = change.buffers.get("m", (None, None))
        share, kept, used = text(change.momentum), text(old), text(change.used, True)
        return {
            "name": self.words.names[change.node],
            "optimizer": change.optimizer,
            "before": text(change.before),
            "now": self._factor(change.before),
            "after": text(change.after),
            "moved": text(change.moved, True),
            "decay": text(change.decay),
            "rate": text(change.lr),
            "decayed": text(change.decayed, True),
            "pull": text(change.pull, True),
            "shift": text(-change.lr * change.pull, True) if change.pull else "",
            "used": used,
            "grad": self._factor(change.used),
            "momentum": share,
            "old": self._factor(old or 0),
            "new": text(new, True),
            "equals": sign_of_equation([share, kept, used], text(new), lambda a, m, g: a * m + g),
            "square": text(change.buffers.get("v", (None, None))[1]),
            "sum": self.arithmetic(change),
        }

    def _direction(self, change: Change) -> Any:
        """Return what the rate is multiplied by; None where it is more than one number."""
        if change.kind == "sgd":
            return change.used
        return change.buffers["m"][1] if change.kind == "momentum" else None

    def arithmetic(self, change: Change) -> str:
        """Return what is computed, as in `0.7 - 0.5 × (-0.2) = 0.8`."""
        before, after = self._text(change.before), self._text(change.after)
        direction = self._direction(change)
        if direction is None:
            moved = self._text(change.moved, signed=True)
            relation = sign_of_equation([before, moved], after, lambda a, b: a + b)
            sign = "-" if moved.lstrip("≈").startswith("-") else "+"
            return f"{before} {sign} {moved.lstrip('≈+-')} {relation} {after}"
        rate, along = self._text(change.lr), self._text(direction)
        relation = sign_of_equation([before, rate, along], after, lambda a, lr, b: a - lr * b)
        return f"{before} - {rate} × {self._factor(direction)} {relation} {after}"

    def formula(self, change: Change) -> str:
        """Return the rule with the parameter's name, as in `w - lr × w.grad`."""
        name = start = self.words.names[change.node]
        grad = self.words.gradient_of(change.node)
        if change.decay and change.decoupled:
            start = f"{name} × (1 - lr × decay)"
        terms = [f"decay × {name}"] * bool(change.decay) + [f"l1 × sign {name}"] * bool(change.pull)
        if change.pull and change.decoupled:
            start += f" - lr × l1 × sign {name}"
        elif terms and not change.decoupled:
            grad = f"({' + '.join([grad, *terms])})"
        return _RULES.get(change.kind, "").format(name=start, grad=grad)

    def settings(self, change: Change) -> str:
        """Return the numbers of the rule, as in `SGD, lr = 0.5, momentum = 0.9`."""
        parts = [change.optimizer]
        if change.lr is not None:
            parts.append(f"lr = {self._text(change.lr)}")
        if change.momentum:
            parts.append(f"momentum = {self._text(change.momentum)}")
        if change.decay:
            parts.append(f"weight decay = {self._text(change.decay)}")
        if change.pull:
            parts.append(f"l1 = {self._text(abs(change.pull))}")
        return ", ".join(parts)

    def latex(self, change: Change) -> str:
        """Return the update as LaTeX, with symbols and with numbers put in."""
        called, names = self.words.called, self.words.names
        name, root = [called.latex(names[i], latex_text) for i in (change.node, -1)]
        grad, start = rf"\frac{{\partial {root}}}{{\partial {name}}}", name
        sign = rf"\operatorname{{sign}} {name}"
        if change.decay and change.decoupled:
            start = rf"(1 - \eta\lambda)\, {name}"
        terms = [rf"\lambda\, {name}"] * bool(change.decay)
        terms += [rf"\lambda_1 {sign}"] * bool(change.pull)
        if change.pull and change.decoupled:
            start += rf" - \eta\lambda_1 {sign}"
        elif terms and not change.decoupled:
            grad = rf"\left({' + '.join([grad, *terms])}\right)"
        rules = {
            "sgd": rf"{start} - \eta \cdot {grad}",
            "momentum": rf"{start} - \eta \cdot m",
            "nesterov": rf"{start} - \eta \cdot \left({grad} + \mu\, m\right)",
            "adam": rf"{start} - \eta \cdot \frac{{\hat m}}{{\sqrt{{\hat v}} + \varepsilon}}",
        }
        numbers = self.arithmetic(change).replace("×", r"\cdot").replace("≈", r"\approx ")
        middle = f"{rules[change.kind]} = " if change.kind in rules else ""
        return rf"{name} \leftarrow {middle}{numbers}".replace("!", "")

    def whole(self, changes: Sequence[Change], before: Any, after: Any) -> str:
        """Return what one update does to the root, and what the gradients predicted."""
        predicted = sum(change.moved * change.grad for change in changes)
        return UPDATE["one"].format(
            root=self.words.names[-1],
            before=self._text(before),
            after=self._text(after),
            predicted=self._text(predicted, signed=True),
            moved=self._text(after - before, signed=True),
        )
