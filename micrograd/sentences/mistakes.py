"""What a guess of a gradient is told: whether it is right, and if not, which mistake it is.

The terminal and the page read the one table, `MISTAKES`. A mistake is a wrong contribution, as a
formula of the numbers of the step; what is special about an operation is in its row: `Op.slips`.

>>> from micrograd import Value, steps
>>> s = Value(-1.15, label="s")
>>> question = steps(s.sigmoid() * 2)[-1].question
>>> print(question.text)
sigmoid(s) passes gradient back to s. What is s.grad now?
>>> for guess in ("0.1827", "0.481", "-0.37", "0.365"):
...     print(*question.check(guess))
False Not right. That is the local derivative alone. Multiply it by the upstream gradient.
False Not right. You used σ(s). The local derivative is σ′(s) = x(1 - x).
False Not right. Right size, wrong sign.
True Right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from micrograd.ops import Op

__all__ = ["MISTAKES", "SAID", "Asked", "Mistake", "guess_table", "judged", "number_typed"]


class Mistake(NamedTuple):
    """A mistake that has a name.

    Attributes
    ----------
    name : str
    each : str
        The numbers `x` for which it is tried, as from `Asked.lists`; none: it is not possible here.
    wrong : sequence of str
        The contributions that one gets by it: formulas of `x`, and of `up`, `local`, `con`,
        `before` and `after`, which are what the step shows as upstream, local, contribution,
        before and now.
    sentence : str
        What is said; empty where the row of the operation says it.
    of_local : bool
        Whether it can be made in the local derivative itself, which is the contribution of an
        upstream gradient of 1.
    """

    name: str
    each: str
    wrong: Sequence[str]
    sentence: str
    of_local: bool = False


# In the order in which they are tried: what is known of the operation first, for it says more where
# two mistakes give the same number, as at a relu that is off.
MISTAKES: Final = (
    Mistake("own value", "pair", ("up * x",),
            "You used {parent} itself. The derivative of a product is the other factor.", True),
    Mistake("probability", "class", ("x",),
            "That is the probability. For the right class subtract 1: p - y."),
    Mistake("slip", "slip", ("up * x",), "", True),
    Mistake("off", "off", ("up * x",), "{op} is off here: nothing passes.", True),
    Mistake("not chosen", "unchosen", ("up * x",), "{op} did not choose {parent}: nothing passes.",
            True),
    Mistake("replaced", "more", ("con",),
            "That is what arrives now. It is added to what is there: +=."),
    Mistake("sign", "once", ("-con", "-after"), "Right size, wrong sign.", True),
    Mistake("local alone", "once", ("local",),
            "That is the local derivative alone. Multiply it by the upstream gradient."),
    Mistake("upstream alone", "once", ("up",),
            "That is the upstream gradient alone. Multiply it by the local derivative."),
    Mistake("added", "once", ("up + local",), "Added. The chain rule multiplies."),
    Mistake("other operand", "other", ("up * x",),
            "That is the local derivative in another operand of {node}, not in {parent}.", True),
    Mistake("path", "given", ("con - x",),
            "One path is missing: what has come so far and what arrives now are added, all of it."),
)  # fmt: skip
SAID: Final = {
    "title": "Guess first",
    "ask": "{node} passes gradient back to {parent}. What is {gradient} now?",
    "ask more": "{node} passes gradient back to {parent}. So far {gradient} is {before}. "
    "What is it now?",
    "type": "Type it and press Enter. 1 % off is right.",
    "only": "Only chain steps of single values are asked.",
    "right": "Right.",
    "wrong": "Not right.",
    "shown": "Shown.",
    "no number": "“{typed}” is not a number: write 2, -0.5, 1e-3 or 3/4.",
    "none": "Not yet. Upstream and local derivative stand {where}: what do you do with them?",
    "none, local hidden": "Not yet. Find the local derivative first, then multiply it by the "
    "upstream gradient.",
    "local": "Not yet. By how much does {node} change when {parent} grows by a little?",
    "score": "{right} of {asked} right at the first try",
}  # fmt: skip
"""All else that is said of a guess; the names stand in braces."""

_NUMBER: Final = re.compile(
    r"([-+]?)(?:(\d+)\s*/\s*(\d+)|(\d+\.?\d*|\.\d+)(?:e([-+]?\d+))?)", re.ASCII
)
_CLOSE: Final = 0.01  # of the right number
_ROUNDING: Final = 1 + 1e-9


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The numbers of a chain step, of which the last is asked for.

    Parameters
    ----------
    op : Op
        The row of the value that passes its gradient on.
    operand : int
        Which of its operands gets it.
    out, own : float
        The data of the two.
    up, con, before, after : float
        The upstream gradient, the contribution, and the gradient before and after it.
    locals : tuple of float
        The local derivative with respect to each operand.
    given : tuple of float
        The contributions that the operand has got before.
    probability : float, optional
        Of the score of the right class, after its last contribution: what its gradient would be
        if 1 were not subtracted.
    """

    op: Op
    operand: int
    out: float
    own: float
    up: float
    con: float
    before: float
    after: float
    locals: tuple[float, ...]
    given: tuple[float, ...] = ()
    probability: float | None = None

    @property
    def local(self) -> float:
        """The local derivative with respect to the operand that gets the contribution."""
        return self.locals[self.operand]

    def of_local(self) -> Asked:
        """Return what is asked where the local derivative is."""
        return replace(
            self, up=1.0, con=self.local, before=0.0, after=self.local, given=(), probability=None
        )

    def lists(self) -> dict[str, list[tuple[float, str]]]:
        """Return the numbers `x` of each kind of mistake, each with what the row says of it."""
        op, k, local = self.op, self.operand, self.local
        names = {"out": self.out, "own": self.own, "local": local}
        slips = [(_value(wrong, names), says) for i, wrong, says in op.slips if i in (None, k)]
        pair = [(self.own, "")] if k < 2 * op.pairs else []
        other = [(x, "") for i, x in enumerate(self.locals) if i != k]
        off = [(1.0, "")] if op.gate and local == 0 else []
        found = {
            "once": [(0.0, "")],
            "class": [] if self.probability is None else [(self.probability, "")],
            "off": off if op.arity == 1 else [],
            "unchosen": off if op.arity > 1 else [],
            "more": [(0.0, "")] if self.before else [],
            "given": [(x, "") for x in (*self.given, self.con)] if self.before else [],
        }
        for kind, all_ in (("pair", pair), ("slip", slips), ("other", other)):
            found[kind] = [(x, says) for x, says in all_ if not _is_close(x, local)]
        return found


def _is_close(number: float, right: float) -> bool:
    return abs(number - right) <= _CLOSE * abs(right) * _ROUNDING


def _value(formula: str, names: dict[str, float]) -> float:
    """Return the number of a formula of this module or of a row; nan where it has none."""
    try:
        return float(eval(formula, {"__builtins__": {}}, names))
    except (ArithmeticError, NameError):  # an exponent may be inf
        return float("nan")


def number_typed(text: str) -> tuple[float, float] | None:
    """Return the number that was typed and half a unit of its last digit; None if it is none.

    Examples
    --------
    >>> number_typed("-0,50"), number_typed("3/4"), number_typed("1e3"), number_typed("a")
    ((-0.5, 0.005), (0.75, 0.0), (1000.0, 500.0), None)
    """
    plain = text.strip().replace("\N{MINUS SIGN}", "-").lower()
    found = _NUMBER.fullmatch(re.sub(r"^([-+]?\d*),(\d+)$", r"\1.\2", plain))
    if not found:
        return None
    sign, above, below, digits, exponent = found.groups()
    try:
        if above:
            number, half = int(above) / int(below), 0.0
        else:
            number = float(f"{digits}e{exponent or 0}")
            half = float(f"0.5e{int(exponent or 0) - len(digits.partition('.')[2])}")
    except (ArithmeticError, ValueError):
        return None
    if number == float("inf"):
        return None
    return (-number if sign == "-" else number), (half if number else 0.0)


def judged(asked: Asked, text: str, local: bool = False) -> tuple[bool | None, str]:
    """Return whether a guess is right, None if it is no number, and the name of the mistake.

    A guess is right if it is within 1 %, or if the right number rounds to its digits and no
    mistake's number is nearer. Of 0 only 0 is a right guess, and of no other number.

    Parameters
    ----------
    asked : Asked
    text : str
        What was typed.
    local : bool, default False
        Whether the local derivative alone is asked for.

    Returns
    -------
    is_right : bool or None
    sentence : str
        With names in braces, to be filled in; empty for a right guess and for a mistake that has
        no name.
    """
    typed = number_typed(text)
    if typed is None:
        return None, SAID["no number"]
    number, half = typed
    asked = asked.of_local() if local else asked
    distance = abs(number - asked.after)
    if _is_close(number, asked.after):
        return True, ""
    is_rounded = distance <= half * _ROUNDING
    for wrong, says in _wrong_numbers(asked, local):
        away = abs(number - wrong)
        if _is_close(wrong, asked.after):
            continue  # it cannot be told from the right number
        fits = away <= max(_CLOSE * abs(wrong), half) * _ROUNDING
        if fits and not (is_rounded and distance <= away):
            return False, says
    return is_rounded, ""


def _wrong_numbers(asked: Asked, local: bool) -> Iterator[tuple[float, str]]:
    lists = asked.lists()
    names = {"up": asked.up, "local": asked.local, "con": asked.con, "after": asked.after}
    for mistake in MISTAKES:
        if local and not mistake.of_local:
            continue
        for x, says in lists[mistake.each]:
            for formula in mistake.wrong:
                wrong = _value(formula, {**names, "x": x})
                for number in (wrong, asked.before + wrong):
                    yield number, says or mistake.sentence


def guess_table() -> dict[str, Any]:
    """Return the table for the page, as a document for JSON."""
    mistakes = [list(mistake._replace(wrong=[*mistake.wrong])) for mistake in MISTAKES]
    return {"mistakes": mistakes, "said": SAID}
