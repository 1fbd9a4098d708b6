"""The chain rule on a tape: the derivatives of a result, as instructions of the same program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from micrograd import ops
from micrograd.ops import Op, is_plain
from micrograd.replay.trace.reach import is_library
from micrograd.replay.trace.tape import CONSTANT
from micrograd.replay.trace.whole import LEAST, Adjoints

if TYPE_CHECKING:
    from micrograd.replay.trace.recorder import Recorder

__all__ = ["differentiate"]


def differentiate(
    recorder: Recorder,
    output: int,
    wanted: Sequence[int],
    as_numbers: bool = False,
    whole: bool = False,
) -> list[int | None]:
    """Append the derivatives of `output` with respect to each of `wanted`; return their positions.

    It is the chain rule as the engine applies it with `create_graph=True`: the same order of nodes
    and of contributions, and the same rows, so the numbers have the same bits.

    Parameters
    ----------
    recorder : Recorder
    output : int
    wanted : sequence of int
        Positions that the output may depend on.
    as_numbers : bool, default False
        Whether the derivatives are results, for which the engine raises an error if one of them, or
        a number that it is computed from, is not finite. Then a local derivative of 0 is passed on
        too, unless the row is a gate; and a gate that chose nothing passes on 0 times its upstream
        gradient, which is nan if that is not finite.
    whole : bool, default False
        Whether the derivatives of a weighted sum may be rows of many numbers, which cannot be
        differentiated.

    Returns
    -------
    list of int or None
        None where the derivative is 0 for all numbers.
    """
    tape = recorder.tape
    rows, operands = tape.rows, tape.operands
    nodes = tape.order(output)
    reached = tape.depends_on(nodes, wanted)
    if output not in reached:
        return [None] * len(wanted)
    adjoints = Adjoints(tape, {output: tape.constant(1)})
    adjoint = adjoints.single
    constants = set(tape.leaves(CONSTANT)) if whole else set()
    mul, add = ops.mul, ops.add
    forms: dict[Op, list[int]] = {}
    for node in reversed(nodes):
        op = rows[node]
        if op is None or node not in reached:
            continue
        if whole:
            adjoints.settle(node)
        if node not in adjoint:
            continue
        upstream = adjoint[node]
        if upstream not in tape.adjoints:
            tape.adjoints[upstream] = node
        parents = operands[node]
        form = forms.get(op)
        if form is None:
            slopes = _slopes(recorder, node, forms)
        else:
            near = (*parents, node)
            slopes = [near[place] if place >= 0 else ~place for place in form]
        halves = op.pairs if whole and tape.constant_at(upstream) is None else 0
        for some, own in _parts(halves, parents, slopes):
            if (
                halves
                and len(some) >= LEAST
                and reached.issuperset(some)
                and constants.isdisjoint(own)
                and adjoints.spread(upstream, some, tuple(own))
            ):
                continue
            numbers = [
                operands[slope][1]
                if rows[slope] is None and operands[slope][0] == CONSTANT
                else None
                for slope in own
            ]
            found = [one for one in zip(some, own, numbers, strict=True) if one[0] in reached]
            zeros = as_numbers and not op.gate  # 0 times an infinity further on is an error
            passed = found if zeros else [one for one in found if one[2] is None or one[2] != 0]
            if not passed and as_numbers and tape.constant_at(upstream) is None:
                passed = found[:1]
            for parent, slope, number in passed:
                if whole:
                    adjoints.settle(parent)
                step = upstream if number == 1 else tape.add(mul, (upstream, slope))
                before = adjoint.get(parent)
                adjoint[parent] = step if before is None else tape.add(add, (before, step))
    for position in wanted:
        if whole:
            adjoints.settle(position)
        if position in adjoint:
            tape.adjoints.setdefault(adjoint[position], position)
    return [adjoint.get(position) for position in wanted]


def _parts(
    pairs: int, parents: tuple[int, ...], slopes: list[int]
) -> list[tuple[tuple[int, ...], list[int]]]:
    """Return operands and slopes that are looked at together: all, or each side of pairs."""
    if not pairs:
        return [(parents, slopes)]
    sides = slice(pairs), slice(pairs, 2 * pairs), slice(2 * pairs, None)
    return [(parents[side], slopes[side]) for side in sides]


def _slopes(recorder: Recorder, node: int, forms: dict[Op, list[int]]) -> list[int]:
    """Return the positions of the local derivatives of a node.

    Where they are operands, the result or numbers, whatever the operands are, their places among
    operands and result, or ~ the positions of the numbers, are added to `forms`.
    """
    tape = recorder.tape
    rows, operands = tape.rows, tape.operands
    op, parents = rows[node], operands[node]
    assert op is not None
    assert op.partials is not None
    out = recorder.symbol(node)
    inputs = [
        operands[parent][1]
        if rows[parent] is None and operands[parent][0] == CONSTANT
        else recorder.symbol(parent)
        for parent in parents
    ]
    if not is_library(op.partials):
        return [recorder.operand(one) for one in recorder.of_users(op.partials, out, *inputs)]
    before = len(tape)
    slopes = op.partials(out, *inputs)
    if len(tape) == before and not any(map(is_plain, inputs)):
        place = {id(one): i for i, one in enumerate((*inputs, out))}
        forms[op] = [~tape.constant(one) if is_plain(one) else place[id(one)] for one in slopes]
    return [recorder.operand(one) for one in slopes]
