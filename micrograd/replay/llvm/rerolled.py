"""Like steps over numbers that lie side by side in memory, rerolled into loops.

In the program of a network with n inputs a layer there are for each neuron the sum of n products,
n products that are the derivatives of its weights, and n that carry the derivative on to its
inputs. Where the n parameters are numbered one after the other, and the n values get places one
after the other in memory, one call of a loop computes them all, and there is less to compile.

One loop computes several neurons over the same values, which it loads once for all of them. A
processor can load two numbers while it multiplies two pairs and adds, so loading two numbers for
each product would take twice as long as the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from micrograd import ops
from micrograd.ops import Op
from micrograd.replay.trace.simpler import key_of
from micrograd.replay.trace.tape import INPUT, PARAMETER, Tape

__all__ = ["ROWS", "RerolledLoop", "RerolledLoops"]

# Of a step of a loop: the loop's name, the factor, the number, and the value.
_Parts: TypeAlias = tuple[str, int, int, int]


ROWS = 4
"""How many rows a loop has at most: as many sums as can be returned in registers."""


class RerolledLoop(NamedTuple):
    """Like steps that follow each other, or a few rows of them over the same values.

    Attributes
    ----------
    name : {"dot", "outer", "scale", "spread"}
        With the factor f, values v in memory and the numbers p that follow each other:
        f + the sum of p * v; results p += f * v; v = f * p; v += f * p. The numbers are
        parameters, or those of results. The rows of "scale" after the first are of "spread".
    length : int
        How many steps a row has.
    value : int
        The position of the first v.
    factors : tuple of int
        The position of the f of each row.
    numbers : tuple of int
        Of the first p of each row.
    steps : tuple of int
        The first step of each row. Of "dot" it is the only one, the sum.
    """

    name: str
    length: int
    value: int
    factors: tuple[int, ...]
    numbers: tuple[int, ...]
    steps: tuple[int, ...]

    def with_row(self, row: RerolledLoop) -> RerolledLoop:
        """Return this loop with the rows of another one."""
        return self._replace(
            factors=self.factors + row.factors,
            numbers=self.numbers + row.numbers,
            steps=self.steps + row.steps,
        )


class RerolledLoops:
    """The rerolled loops of a program, and the places of their values.

    Parameters
    ----------
    tape : Tape
    steps : list of int
        Positions in the order in which they are computed.
    fused : dict of int to int
        As of `Plan`.
    results : dict of int to list of int
        As of `Plan`.
    least : int
        How many steps a row of a loop has at least.

    Attributes
    ----------
    starts : dict of int to RerolledLoop
        Step -> the loop that is called there.
    others : set of int
        The other steps that loops compute.
    places : dict of int to int
        Position -> where it has to be in memory.
    count : int
        How many places there are.
    """

    def __init__(
        self,
        tape: Tape,
        steps: list[int],
        fused: dict[int, int],
        results: dict[int, list[int]],
        least: int,
    ) -> None:
        self._rows, self._operands, self._fused = tape.rows, tape.operands, fused
        self._steps, self._results, self._least = steps, results, least
        self.starts: dict[int, RerolledLoop] = {}
        self.others: set[int] = set()
        self.places: dict[int, int] = {}
        self.count = 0
        self._open: dict[tuple[Any, ...], int] = {}  # what a row must match -> where it would join
        self._when: dict[int, int] = {}  # a sum -> the step at which it is computed
        if tape.rows.count(None) < least:  # as in a long chain of few numbers
            return
        self._uses = tape.uses()
        at = 0
        while at < len(steps):
            op = tape.rows[steps[at]]
            find = None if op is None else _FOUND.get(key_of(op))
            at += 1 if find is None else find(self, at)

    def _number(self, kind: str, position: int) -> int:
        """Return the number of an input or parameter, -1 where something else stands there."""
        given = self._operands[position]
        return given[1] if self._rows[position] is None and given[0] == kind else -1

    def _address(self, value: int) -> tuple[str, int]:
        """Return where a value is: which memory, and the place there, -1 for none."""
        if self._rows[value] is None:
            return INPUT, self._number(INPUT, value)
        return "scratch", self.places.get(value, -1)

    def _place(self, values: Sequence[int]) -> bool:
        """Give values places one after the other; return whether that could be."""
        free = len(set(values)) == len(values) and not any(
            self._rows[value] is None or value in self.places for value in values
        )
        if free:
            self.places.update(
                zip(values, range(self.count, self.count + len(values)), strict=True)
            )
            self.count += len(values)
        return free

    def _products(self, at: int) -> int:
        """Find the loop of products that begins at a step; return how many steps it has."""
        other = self._operands[self._steps[at]][1]
        return self._row(at) if self._rows[other] is None or other in self.places else 1

    def _sums(self, at: int) -> int:
        """Find the loop of fused sums that begins at a step; return how many steps it has."""
        return self._row(at) if self.places and self._steps[at] in self._fused else 1

    def _dot(self, at: int) -> int:
        """Find the loop of a weighted sum with a bias, which is one step."""
        self._dot_at(self._steps[at])
        return 1

    def _dot_at(self, position: int) -> None:
        operands = self._operands[position]
        count = len(operands) // 2
        if len(operands) % 2 == 0 or count < self._least:
            return
        weights, values = operands[:count], operands[count : 2 * count]
        number = self._number(PARAMETER, weights[0])
        numbers = [self._number(PARAMETER, weight) for weight in weights]
        if number < 0 or numbers != list(range(number, number + count)):
            return
        memory, place = self._address(values[0])
        side_by_side = [(memory, place + i) for i in range(count)]
        there = place >= 0 and [self._address(value) for value in values] == side_by_side
        if not there and not self._place(values):
            return
        loop = RerolledLoop("dot", count, values[0], (operands[-1],), (number,), (position,))
        key = ("dot", values[0], count)
        head = self._open.get(key)
        factor = operands[-1]
        # It is computed with the first of its group, so what it starts from has to be known there.
        if head is not None and (
            self._rows[factor] is None or self._when.get(factor, factor) < head
        ):
            self._when[position] = head
            self._join(key, loop, head, head)
        else:
            self._join(key, loop, None, position)

    def _join(self, key: tuple[Any, ...], loop: RerolledLoop, head: int | None, at: int) -> None:
        """Add a loop that is called at a step, as a row of the one at `head` if there is one."""
        if head is not None:
            loop = self.starts.pop(head).with_row(loop)
        self.starts[at] = loop
        self.others.update(loop.steps)
        self.others.discard(at)
        if len(loop.steps) < ROWS:
            self._open[key] = at
        else:
            self._open.pop(key, None)

    def _parts(self, position: int) -> _Parts | None:
        """Return what a step of a loop computes: its name, factor, number, and value."""
        op = self._rows[position]
        parts = None if op is None else _PARTS.get(op)
        return None if parts is None else parts(self, position, self._results.get(position))

    def _product_parts(self, position: int, results: list[int] | None) -> _Parts | None:
        factor, other = self._operands[position]
        if results is None:
            return "scale", factor, self._number(PARAMETER, other), position
        if len(results) == 1 and not self._uses[position]:
            return "outer", factor, results[0], other
        return None

    def _sum_parts(self, position: int, results: list[int] | None) -> _Parts | None:
        if position not in self._fused or results is not None:
            return None
        product, operands = self._fused[position], self._operands[position]
        factor, other = self._operands[product]
        before = operands[0] if product == operands[1] else operands[1]
        if self._uses[before] == 1 and before in self.places:  # not an input, which stays
            return "spread", factor, self._number(PARAMETER, other), before
        return None

    def _row(self, at: int) -> int:
        """Find the loop of products or sums that begins at a step; return how many steps it has."""
        parts = self._parts(self._steps[at])
        if parts is None or parts[2] < 0:
            return 1
        name, factor, number, value = parts
        memory, place = self._address(value)
        values: list[int] = []
        for i in range(at, len(self._steps)):
            parts = self._parts(self._steps[i])
            if parts is None or parts[:3] != (name, factor, number + len(values)):
                break
            if name != "scale" and self._address(parts[3]) != (memory, place + len(values)):
                break
            values.append(parts[3])
        count = len(values)
        if count < self._least or (name == "scale" and not self._place(values)):
            return 1
        if name != "scale" and place < 0:
            return 1
        steps = self._steps[at : at + count]
        if name == "spread":
            for step, before in zip(steps, values, strict=True):
                self.places[step] = self.places[before]
        loop = RerolledLoop(name, count, value, (factor,), (number,), (steps[0],))
        self.others.update(steps)
        # Only the next row of sums uses what a row gives, and nothing uses what goes into results,
        # so earlier rows can be computed with later ones.
        key = ("outer", value, count) if name == "outer" else ("sums", *values)
        head = None if name == "scale" else self._open.pop(key, None)
        self._join(key if name == "outer" else ("sums", *steps), loop, head, steps[0])
        return count


# By the row of a step, or its factory: what finds the loop that begins there, and what one of its
# steps computes.
_FOUND: dict[Op | str, Callable[[RerolledLoops, int], int]] = {
    ops.mul: RerolledLoops._products, ops.add: RerolledLoops._sums, "dot_of": RerolledLoops._dot
}  # fmt: skip
_PARTS: dict[Op, Callable[[RerolledLoops, int, list[int] | None], _Parts | None]] = {
    ops.mul: RerolledLoops._product_parts, ops.add: RerolledLoops._sum_parts
}  # fmt: skip
