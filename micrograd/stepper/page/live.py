"""What a page needs to compute by itself: the rows of its graph, as instructions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from micrograd.errors import TraceError
from micrograd.ops import Op, as_float, is_constant
from micrograd.replay.instructions import instructions
from micrograd.sentences.groups import group_template
from micrograd.sentences.naming import numeral, product_signs
from micrograd.stepper.stepper import Stepper
from micrograd.style import finite

__all__ = ["fixed_leaves", "live_data"]

_IN_PYTHON: Final = "Change a number in Python"
_LARGEST_INT: Final = 2**53  # of a float, and so of a page


def live_data(stepper: Stepper, text: Callable[[str], int]) -> dict[str, Any]:
    """Return what a page computes the numbers of a graph with, or why it cannot.

    Parameters
    ----------
    stepper : Stepper
    text : callable
        Gives the position of a text among the strings of the page.

    Returns
    -------
    dict
        `why`, a sentence; or `ops`, the rows that the graph uses as `replay.instructions` writes
        them; `of`, for each value the position of its row, -1 for a leaf; `gates`, for each row
        whether a local derivative of 0 means that the operand was not chosen; `forms`, how each is
        written with numbers, and which operands stand in parentheses where they are negative;
        `exact`, whether it gives a Fraction of Fractions; `fractions`, whether there are any, which
        a page makes floats as soon as a number is changed; `fixed`, the leaves that are part of an
        expression, such as the 3 of `3 * a`, and the targets of losses; `kinks` of each row. And
        the texts: what each value and its gradient are called, the formulas of the derivatives, and
        the templates of each step (of its sentence, its rule and its arithmetic) and each group.
    """
    nodes, data = stepper.nodes, stepper.recording.data
    computed = [node.op for node in nodes if node.parents]
    if why := _why_not(stepper):
        return {"why": why}
    rows = {op: i for i, op in enumerate(dict.fromkeys(computed))}
    try:
        listed = [instructions(op) for op in rows]
    except TraceError as error:
        return {"why": f"{_IN_PYTHON}: {error}."}
    return {
        "ops": listed,
        "gates": [op.gate for op in rows],
        "forms": [_form(op) for op in rows],
        "exact": [_is_exact(op) for op in rows],
        "of": [rows[node.op] if node.parents else -1 for node in nodes],
        "kinks": [list(op.kinks) for op in rows],
        "fractions": any(isinstance(number, Fraction) for number in data),
        "fixed": sorted(fixed_leaves(stepper)),
        "sums": [text(stepper.words.gradient_of(i)) for i in range(len(data))],
        "subjects": [text(stepper.words.subject(i)) for i in range(len(data))],
        "tight": [text(stepper.words.tight(i)) for i in range(len(data))],
        "formulas": [
            [text(stepper.words.local_formula(i, k)) for k in range(len(parents))]
            for i, parents in enumerate(stepper.recording.parents)
        ],
        "steps": _steps(stepper, text),
        "groups": _groups(stepper, text),
    }


def fixed_leaves(stepper: Stepper) -> set[int]:
    """Return the leaves that a page does not change, as positions in the graph.

    Examples
    --------
    >>> from micrograd import Value, steps
    >>> walk = steps(3 * Value(2.0, label="a"))
    >>> [walk.words.names[i] for i in fixed_leaves(walk)]
    ['3']
    """
    nodes, network = stepper.nodes, stepper.network
    found = {i for i, x in enumerate(nodes) if not x.parents and stepper.words.is_number(i)}
    terms = network.terms if network else []
    found |= {term.leaf for term in terms if term and term.leaf is not None}
    for node in nodes:
        if node.parents and node.op.renewed:  # its row has the number of an operand
            found |= {i for i, x in enumerate(nodes) if x in node.parents and is_constant(x)}
    return found


def _steps(stepper: Stepper, text: Callable[[str], int]) -> list[list[int]]:
    words, rows, found = stepper.words, stepper.pass_rows, []
    for k, row in enumerate(rows):
        say = words.sentence_template(row)
        if k == len(rows) - 1 and not stepper.broken:
            count = len(rows) - stepper.forward_count
            say += f" {words.done_template(count, stepper.gradients)}"
        found.append([*map(text, (say, words.rule_template(row), words.arithmetic_template(row)))])
    return found


def _groups(stepper: Stepper, text: Callable[[str], int]) -> list[int]:
    """Return the templates of the groups of all sections, which only the lens shows."""
    rows, network = stepper.pass_rows, stepper.network
    if network is None or not network.is_drawn:
        return []
    return [
        text(group_template(stepper.words, network, group.kind, rows[group.first : group.last + 1]))
        if group.kind != "update"
        else -1
        for section in stepper.all_sections
        for group in section.groups
    ]


def _form(op: Op) -> list[Any]:
    slots = [f"\ue000{k}\ue001" for k in range(op.arity)]
    starts = [op.code.startswith(f"{{{k}}}") for k in range(op.arity)]
    negative = [
        numeral("-1", first).precedence < binds
        for first, binds in zip(starts, op.binds, strict=True)
    ]
    return [product_signs(op.code.format(*slots)), negative]


def _is_exact(op: Op) -> bool:
    try:
        return type(op.forward(*[Fraction(1)] * op.arity)) is not float
    except (ValueError, ArithmeticError, TypeError):
        return False


def _why_not(stepper: Stepper) -> str:
    recording = stepper.recording
    numbers = [*recording.data, *(x for row in recording.locals for x in row if x is not None)]
    if any(isinstance(number, int) and abs(number) >= _LARGEST_INT for number in numbers):
        return f"{_IN_PYTHON}: a page has no ints of more than 53 bits."
    if not all(finite(as_float(number)) for number in recording.data):
        return f"{_IN_PYTHON}: a number of this graph is not finite."
    return ""
