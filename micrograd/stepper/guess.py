"""A chain step as a question: its number is asked for before it is shown.

>>> from micrograd import Value, steps
>>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
>>> stepper = steps(w * x, guess=True)
>>> question = stepper[2].question
>>> question.check("-3")
(False, 'Not right. You used w itself. The derivative of a product is the other factor.')
>>> question.check("2")
(True, 'Right.')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from micrograd.checks import one_of
from micrograd.errors import ArgumentError
from micrograd.ops import is_constant
from micrograd.sentences.mistakes import SAID, Asked, guess_table, judged
from micrograd.sentences.signs import signed
from micrograd.style import finite
from micrograd.values.terms import probabilities

if TYPE_CHECKING:
    from micrograd.ops import Op
    from micrograd.stepper.stepper import Stepper

__all__ = ["Question", "checked_guess", "guess_data", "question_at", "score"]

COLUMNS: Final = ("step", "value", "answer", "right", "correct")


class Question:
    """What is asked at a step, and what is said of an answer; made by `Step.question`.

    Attributes
    ----------
    index : int
        The step, from 0.
    value : str
        What the value is called that gets the gradient.
    correct : number
        Its gradient after the step.
    local : number
        The local derivative.
    text : str
        The question.
    """

    def __init__(self, stepper: Stepper, index: int) -> None:
        row, words, recording = stepper.rows[index], stepper.words, stepper.recording
        self.index, self.correct, self.local = index, row.after, row.local
        self.value = words.names[row.parent]
        self._names = {
            "node": words.names[row.node],
            "parent": words.subject(row.parent),
            "op": recording.nodes[row.node].op.name,
            "gradient": words.gradient_of(row.parent),
            "before": signed(row.before),
        }
        given = [
            before.contribution for before in stepper.rows[:index] if before.parent == row.parent
        ]
        share = _share_of_class(stepper, index) if row.number == row.of else None
        self._asked = Asked(
            op=recording.nodes[row.node].op,
            operand=row.operand,
            out=float(recording.data[row.node]),
            own=float(recording.data[row.parent]),
            up=float(row.upstream),
            con=float(row.contribution),
            before=float(row.before),
            after=float(row.after),
            locals=tuple([_as_float(x) for x in recording.locals[row.node]]),
            given=tuple(map(float, given)),
            probability=share,
        )
        self.text = SAID["ask more" if row.before else "ask"].format(**self._names)

    def check(self, answer: Any, local: bool = False) -> tuple[bool | None, str]:
        """Return whether an answer is right, and what is said of it.

        Parameters
        ----------
        answer : str or number
            As it was typed.
        local : bool, default False
            Whether it is the local derivative that is asked for.

        Returns
        -------
        is_right : bool or None
            None if it is no number.
        sentence : str
            "Right.", or which mistake it is.

        Examples
        --------
        >>> from micrograd import Value, steps
        >>> question = steps(Value(3.0, label="x") ** 2)[-1].question
        >>> question.check("18"), question.check("a")[0]
        ((False, 'Not right. The exponent comes down and drops by one: n·x^(n - 1).'), None)
        """
        typed = str(answer).strip()
        is_right, sentence = judged(self._asked, typed, local)
        if is_right:
            return True, SAID["right"]
        if is_right is False:
            sentence = (
                f"{SAID['wrong']} {sentence}" if sentence else SAID["local" if local else "none"]
            )
        return is_right, sentence.format(typed=typed, where="above", **self._names)

    def row(self, answer: Any) -> dict[str, Any]:
        """Return an answer as a row of the table that "Copy answers" gives.

        Examples
        --------
        >>> from micrograd import Value, steps
        >>> steps(Value(3.0, label="x") * 2.0)[-2].question.row("3")
        {'step': 3, 'value': 'x', 'answer': '3', 'right': False, 'correct': 2.0}
        """
        cells = (
            self.index + 1,
            self.value,
            str(answer).strip(),
            self.check(answer)[0],
            self.correct,
        )
        return dict(zip(COLUMNS, cells, strict=True))

    def __repr__(self) -> str:
        return f"<Question of step {self.index + 1}: {self.text}>"


def checked_guess(guess: Any, broken: str | None) -> int:
    """Return the level of the questions: 0 for none, 1, or 2.

    Raises
    ------
    ArgumentError
        If it is neither True, False nor 2, or a rule is broken. Also a ValueError.

    Examples
    --------
    >>> checked_guess(True, None)
    1
    """
    one_of("guess", guess, (False, True, 2))
    if guess and broken:
        raise ArgumentError(
            f"guess={guess!r} asks for the right numbers, and broken={broken!r} gives wrong ones: "
            "leave one of them out"
        )
    return int(guess)


def question_at(stepper: Stepper, index: int) -> Question | None:
    """Return what is asked at a step; None where nothing is.

    Asked is what passes a finite gradient on by the chain rule, but not to a plain number, and not
    in a pass that breaks a rule.

    Examples
    --------
    >>> from micrograd import Value, steps
    >>> stepper = steps(Value(3.0, label="x") * 2.0)
    >>> [question_at(stepper, k) is None for k in range(len(stepper))]
    [True, True, False, True]
    """
    row = stepper.rows[index]
    if row.kind != "chain" or stepper.broken:
        return None
    if stepper.nodes[row.node].op.held or is_constant(stepper.nodes[row.parent]):
        return None
    numbers = (row.upstream, row.local, row.contribution, row.before, row.after)
    if not all(x is not None and finite(x) for x in numbers):
        return None
    return Question(stepper, index)


def guess_data(stepper: Stepper) -> dict[str, Any] | None:
    """Return what the page needs to ask and to judge, for JSON; None where a rule is broken.

    `ops` has of each operation: its name, whether it has one operand, its pairs, whether it is a
    gate, and its slips; `of` says which one gives each value. It is -1 for a value that is asked of
    others only, and -2 for a plain number.
    """
    if stepper.broken:
        return None
    table: dict[Op, int] = {}
    asked = [
        table.setdefault(node.op, len(table))
        if node.parents and not node.op.held
        else -1 - is_constant(node)
        for node in stepper.nodes
    ]
    ops = [
        [op.name, op.arity == 1, op.pairs, op.gate, [list(slip) for slip in op.slips]]
        for op in table
    ]
    return {"level": stepper.guess, **guess_table(), "ops": ops, "of": asked}


def score(answers: list[dict[str, Any]]) -> str:
    """Return how many of the questions were answered rightly at the first try, in words.

    Examples
    --------
    >>> from micrograd import Value, steps
    >>> question = steps(Value(3.0, label="x") * 2.0)[-2].question
    >>> score([question.row("3"), question.row("2")])
    '0 of 1 right at the first try'
    """
    first = {answer["step"]: answer["right"] for answer in reversed(answers)}
    return SAID["score"].format(right=sum(first.values()), asked=len(first))


def _as_float(number: Any) -> float:
    return float("nan") if number is None else float(number)


def _share_of_class(stepper: Stepper, index: int) -> float | None:
    """Return the gradient of the right class's score if nothing were subtracted from p."""
    row, network = stepper.rows[index], stepper.network
    for term in (term for term in (network.terms if network else []) if term):
        if term.kind == "cross_entropy" and term.outputs[term.target] == row.parent:
            p = probabilities(term, stepper.recording.data)[term.target]
            return float(p * stepper.gradients[term.node])
    return None
