"""What a page needs to compute by itself: the rows of its graph, as instructions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from micrograd.errors import TraceError
from micrograd.replay.instructions import instructions
from micrograd.stepper.stepper import Stepper
from micrograd.style import finite

__all__ = ["live_data"]

LARGEST_LIVE: Final = 5_000  # values
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
        whether a local derivative of 0 means that the operand was not chosen; `fixed`, the leaves
        that are part of an expression, such as the 3 of `3 * a`.
    """
    nodes, data = stepper.nodes, stepper.recording.data
    computed = [node.op for node in nodes if node.parents]
    if why := _why_not(stepper):
        return {"why": why}
    rows = {op: i for i, op in enumerate(dict.fromkeys(computed))}
    try:
        listed = [instructions(op) for op in rows]
    except TraceError as error:
        return {"why": f"Change a number in Python: {error}."}
    fixed = {i for i in range(len(data)) if not nodes[i].parents and stepper.words.is_number(i)}
    for node, parents in zip(nodes, stepper.recording.parents, strict=True):
        if node.parents and node.op.renewed:  # its row has the number of an operand
            fixed |= {parent for parent in parents if not nodes[parent].parents}
    return {
        "ops": listed,
        "gates": [op.gate for op in rows],
        "of": [rows[node.op] if node.parents else -1 for node in nodes],
        "fixed": sorted(fixed),
    }


def _why_not(stepper: Stepper) -> str:
    recording = stepper.recording
    numbers = [*recording.data, *(x for row in recording.locals for x in row if x is not None)]
    if len(stepper.nodes) > LARGEST_LIVE:
        return f"Change a number in Python: a page computes graphs of up to {LARGEST_LIVE:,} values."
    if any(isinstance(number, Fraction) for number in numbers):
        return "Change a number in Python: a page has no exact fractions."
    if any(isinstance(number, int) and abs(number) >= _LARGEST_INT for number in numbers):
        return "Change a number in Python: a page has no ints of more than 53 bits."
    if not all(map(finite, recording.data)):
        return "Change a number in Python: a number of this graph is not finite."
    return ""
