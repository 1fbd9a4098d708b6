"""Rows that give many numbers at once: the derivatives of a weighted sum in its n numbers.

The sum of n products has 2n derivatives, each a product that is added to others. As a row for each
they are nine tenths of the program of a network; as one row for n of them they take no longer to
trace and plan than the sum itself. Such a row is for machines that have loops; `apart` makes rows
of single numbers of it.

>>> from micrograd import ops
>>> from micrograd.replay.trace.tape import Tape
>>> tape = Tape()
>>> x, y, factor = (tape.input(i) for i in range(3))
>>> both = tape.add(SCALED, (factor, x, y))  # (factor * x, factor * y)
>>> tape.outputs = [tape.add(ELEMENT, (both, tape.constant(1)))]
>>> plain = apart(tape, {both})
>>> plain.rows[plain.outputs[0]] is ops.mul, plain.operands[plain.outputs[0]] == (factor, y)
(True, True)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from micrograd import ops
from micrograd.ops import Op

if TYPE_CHECKING:
    from micrograd.replay.trace.tape import Tape

__all__ = [
    "ADDED",
    "ELEMENT",
    "LEAST",
    "SCALED",
    "SPREAD",
    "WHOLE",
    "Adjoints",
    "apart",
    "operands_of",
]


def _row(name: str) -> Op:
    """Return a row that is not in the table, and for no number: it is in no graph."""
    return Op(name=name, forward=lambda *_: 0, partials=None, arity=1)


SCALED: Final = _row("scaled")
"""With the operands f, p1 .. pn it gives f * p1 .. f * pn."""
SPREAD: Final = _row("spread")
"""With the operands f, p1 .. pn, a1 .. an it gives a1 + f * p1 .. an + f * pn."""
ADDED: Final = _row("added")
"""The same with the operands f, p1 .. pn, a, of which a is such a row."""
LEAST: Final = 4
"""How many numbers such a row has at least."""
WHOLE: Final = frozenset((SCALED, SPREAD, ADDED))
ELEMENT: Final = _row("element")
"""With the operands a and i, a constant, it gives number i of such a row."""


def operands_of(op: Op, given: Sequence[int]) -> tuple[int, list[int], list[int]]:
    """Return the operands of such a row: f, p1 .. pn, and what is added to: a1 .. an, a or none."""
    factor, *rest = given
    count = len(rest) // 2 if op is SPREAD else len(rest) - (op is ADDED)
    return factor, rest[:count], rest[count:]


class Adjoints:
    """The derivatives that were found so far, single ones and those of lists of positions.

    Attributes
    ----------
    single : dict of int to int
        Position -> that of its derivative, except for those in a list.
    listed : dict of int to tuple of int
        Position -> the list that it is in.
    """

    def __init__(self, tape: Tape, single: dict[int, int]) -> None:
        self._tape, self.single = tape, single
        self._lists: dict[tuple[int, ...], int] = {}
        self.listed: dict[int, tuple[int, ...]] = {}

    def settle(self, position: int) -> None:
        """Make the derivatives of the list that a position is in single ones."""
        several = self.listed[position]
        tape, row = self._tape, self._lists.pop(several)
        for i, one in enumerate(several):
            del self.listed[one]
            self.single[one] = tape.add(ELEMENT, (row, tape.constant(i)))

    def spread(self, upstream: int, parents: tuple[int, ...], slopes: tuple[int, ...]) -> bool:
        """Add upstream * slope to the derivative of each of some parents; return whether it could.

        It can unless a parent occurs twice, or only some have a derivative yet.
        """
        row = self._lists.get(parents)
        add = self._tape.add
        if row is not None:
            self._lists[parents] = add(ADDED, (upstream, *slopes, row))
            return True
        if len(set(parents)) < len(parents):
            return False
        for parent in parents:
            if parent in self.listed:
                self.settle(parent)
        before = [self.single[parent] for parent in parents if parent in self.single]
        if before and len(before) < len(parents):
            return False
        kind = SPREAD if before else SCALED
        self._lists[parents] = add(kind, (upstream, *slopes, *before))
        self.listed.update(dict.fromkeys(parents, parents))
        return True


def apart(tape: Tape, which: Collection[int]) -> Tape:
    """Return the same program with the rows at some positions as rows of single numbers."""
    result = type(tape)()
    place: list[int] = []
    numbers: dict[int, list[int]] = {}  # a row that is taken apart -> its numbers

    def each(row: int, count: int) -> list[int]:
        if row in numbers:
            return numbers[row]
        return [result.add(ELEMENT, (place[row], result.constant(i))) for i in range(count)]

    for position, (op, given) in enumerate(zip(tape.rows, tape.operands, strict=True)):
        if op is None:
            place.append(result.leaf(given))
        elif op is ELEMENT and given[0] in numbers:
            place.append(numbers[given[0]][tape.operands[given[1]][1]])
        elif position in which or (op is ADDED and given[-1] in numbers):
            factor, slopes, before = operands_of(op, given)
            factor, slopes = place[factor], [place[slope] for slope in slopes]
            before = each(before[0], len(slopes)) if op is ADDED else [place[a] for a in before]
            if position not in which:
                place.append(result.add(SPREAD, (factor, *slopes, *before)))
                continue
            terms = [result.add(ops.mul, (factor, slope)) for slope in slopes]
            if before:
                terms = [result.add(ops.add, pair) for pair in zip(before, terms, strict=True)]
            numbers[position] = terms
            place.append(-1)
        else:
            place.append(result.add(op, tuple([place[operand] for operand in given])))
    result.outputs = [place[position] for position in tape.outputs]
    result.gradients = [None if g is None else place[g] for g in tape.gradients]
    return result
