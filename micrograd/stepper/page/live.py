"""What a page needs to compute by itself: the rows of its graph, as instructions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from micrograd.errors import TraceError
from micrograd.ops import Op
from micrograd.replay.instructions import instructions
from micrograd.sentences.naming import numeral, product_signs
from micrograd.stepper.stepper import Stepper
from micrograd.style import finite

__all__ = ["live_data"]

LARGEST_LIVE: Final = 5_000  # values
_IN_PYTHON: Final = "Change a number in Python"
_LARGEST_INT: Final = 2**53  # of a float, and so of a page


def live_data(stepper: Stepper) -> dict[str, Any]:
    """Return what a page computes the numbers of a graph with, or why it cannot.

    Parameters
    ----------
    stepper : Stepper

    Returns
    -------
    dict
        `why`, a sentence; or `ops`, the rows that the graph uses as `replay.instructions` writes
        them; `of`, for each value the position of its row, -1 for a leaf; `gates`, for each row
        whether a local derivative of 0 means that the operand was not chosen; `forms`, how each is
        written with numbers, and which operands stand in parentheses where they are negative;
        `exact`, whether it gives a Fraction of Fractions; `fixed`, the leaves that are part of an
        expression, such as the 3 of `3 * a`.
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
    fixed = {i for i in range(len(data)) if not nodes[i].parents and stepper.words.is_number(i)}
    for node, parents in zip(nodes, stepper.recording.parents, strict=True):
        if node.parents and node.op.renewed:  # its row has the number of an operand
            fixed |= {parent for parent in parents if not nodes[parent].parents}
    return {
        "ops": listed,
        "gates": [op.gate for op in rows],
        "forms": [_form(op) for op in rows],
        "exact": [_is_exact(op) for op in rows],
        "of": [rows[node.op] if node.parents else -1 for node in nodes],
        "fixed": sorted(fixed),
    }


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
    if len(stepper.nodes) > LARGEST_LIVE:
        return f"{_IN_PYTHON}: a page computes graphs of up to {LARGEST_LIVE:,} values."
    if any(isinstance(number, Fraction) for number in numbers):
        return f"{_IN_PYTHON}: a page has no exact fractions."
    if any(isinstance(number, int) and abs(number) >= _LARGEST_INT for number in numbers):
        return f"{_IN_PYTHON}: a page has no ints of more than 53 bits."
    if not all(map(finite, recording.data)):
        return f"{_IN_PYTHON}: a number of this graph is not finite."
    return ""
