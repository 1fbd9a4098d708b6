"""The chain rule on a tape: the derivatives of a result, as instructions of the same program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from micrograd import ops
from micrograd.ops import Op, is_plain
from micrograd.replay.trace.reach import is_library
from micrograd.replay.trace.tape import CONSTANT, Tape
from micrograd.replay.trace.whole import LEAST, Adjoints

if TYPE_CHECKING:
    from micrograd.replay.trace.recorder import Recorder

__all__ = ["differentiate"]


def differentiate(
    recorder: Recorder,
    output: int,
    wanted: Sequence[int],
    as_numbers: bool = False,
    *,
    whole: bool = False,
    named: bool = True,
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
    named : bool, default True
        Whether `tape.adjoints` is to say what each derivative is that of, for a reader.

    Returns
    -------
    list of int or None
        None where the derivative is 0 for all numbers.
    """
    tape = recorder.tape
    rows, operands, number = tape.rows, tape.operands, tape.constant_at
    nodes = tape.order(output)
    reached = tape.depends_on(nodes, wanted)
    if output not in reached:
        return [None] * len(wanted)
    adjoints = Adjoints(tape, {output: tape.constant(1)})
    adjoint, listed = adjoints.single, adjoints.listed
    get, asked = adjoint.get, set(wanted)
    constants = set(tape.leaves(CONSTANT)) if whole else set()
    add, mul, plus = tape.add, ops.mul, ops.add
    forms: dict[Op, list[int]] = {}
    for node in reversed(nodes):
        op = rows[node]
        if op is None:
            continue
        if node in listed:
            adjoints.settle(node)
        upstream = adjoint.pop(node, None)  # a short dict is a fast one
        if upstream is None:
            continue
        if node in asked:
            adjoint[node] = upstream
        if named:
            tape.adjoints.setdefault(upstream, node)
        parents = operands[node]
        form = forms.get(op)
        if form is None:
            slopes = _slopes(recorder, node, forms)
        else:
            near = (*parents, node)
            slopes = [near[place] if place >= 0 else ~place for place in form]
        if as_numbers and op.gate:
            parents, slopes = _chosen(tape, upstream, parents, slopes, reached)
        halves = op.pairs if whole and number(upstream) is None else 0
        for some, own in _parts(halves, parents, slopes) if halves else ((parents, slopes),):
            if (
                halves
                and len(some) >= LEAST
                and reached.issuperset(some)
                and constants.isdisjoint(own)
                and adjoints.spread(upstream, some, tuple(own))
            ):
                continue
            for parent, slope in zip(some, own, strict=True):
                known = number(slope) if rows[slope] is None else None
                # 0 times an infinity further on is an error
                if parent not in reached or (known == 0 and not as_numbers):
                    continue
                if parent in listed:
                    adjoints.settle(parent)
                step = upstream if known == 1 else add(mul, (upstream, slope))
                before = get(parent)
                adjoint[parent] = step if before is None else add(plus, (before, step))
    for position in wanted:
        if position in listed:
            adjoints.settle(position)
        if named and position in adjoint:
            tape.adjoints.setdefault(adjoint[position], position)
    return [adjoint.get(position) for position in wanted]


def _chosen(
    tape: Tape, upstream: int, parents: Sequence[int], slopes: Sequence[int], reached: set[int]
) -> tuple[tuple[int, ...], list[int]]:
    """Return the operands that a gate passes a derivative on to, and their slopes.

    One that chose nothing passes it on to its first, times 0.
    """
    pairs = [pair for pair in zip(parents, slopes, strict=True) if pair[0] in reached]
    passed = [pair for pair in pairs if tape.constant_at(pair[1]) != 0]
    if not passed and tape.constant_at(upstream) is None:
        passed = pairs[:1]
    return tuple([parent for parent, _ in passed]), [slope for _, slope in passed]


def _parts(
    pairs: int, parents: tuple[int, ...], slopes: list[int]
) -> list[tuple[tuple[int, ...], list[int]]]:
    """Return operands and slopes that are looked at together: each side of pairs."""
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
