"""Like steps over numbers that lie side by side in memory, rerolled into loops.

In the program of a network with n inputs a layer there are for each neuron the sum of n products,
n products that are the derivatives of its weights, and n that carry the derivative on to its
inputs. Where the n parameters are numbered one after the other, and the n values get places one
after the other in memory, one call of a loop computes them all, and there is less to compile. So it
is where other values stand in the parameters' stead, as in the derivatives of weights that are used
for several values.

One loop computes several neurons over the same values, which it loads once for all of them. A
processor can load two numbers while it multiplies two pairs and adds, so loading two numbers for
each product would take twice as long as the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from micrograd import ops
from micrograd.ops import Op
from micrograd.replay.llvm.matrix_code import LEAST, MOST
from micrograd.replay.trace.tape import CONSTANT, PARAMETER, Tape
from micrograd.replay.trace.whole import ADDED, ELEMENT, SCALED, SPREAD, WHOLE, operands_of

__all__ = ["ROWS", "RerolledLoop", "RerolledLoops"]

ROWS = 4
"""How many rows a loop has at most, as many sums as can be returned in registers; but a matrix."""


class RerolledLoop(NamedTuple):
    """Like steps that follow each other, or a few rows of them over the same values.

    Attributes
    ----------
    name : {"dot", "matrix", "outer", "scale", "spread"}
        With the factor f, values v in memory and the numbers p that follow each other:
        f + the sum of p * v; results p += f * v; v = f * p; v += f * p. The rows of "scale" after
        the first are of "spread". "matrix" is "dot" with many rows of parameters, which are equally
        far apart.
    length : int
        How many steps a row has.
    value : int
        The position of the first v.
    factors : tuple of int or None
        The position of the f of each row; None is 0.
    numbers : tuple of int
        Of the first p of each row: its position, or for "outer" the number of the result.
    steps : tuple of int
        The first step of each row. Of "dot" it is the only one, the sum.
    in_memory : bool
        Whether the p are values in memory, not parameters.
    result : int
        Of "scale" and "spread": the number of the first result to which the sums are added; -1 if
        they are kept.
    """

    name: str
    length: int
    value: int
    factors: tuple[int | None, ...]
    numbers: tuple[int, ...]
    steps: tuple[int, ...]
    in_memory: bool = False
    result: int = -1

    def with_row(self, row: RerolledLoop) -> RerolledLoop:
        """Return this loop with the rows of another one."""
        return self._replace(
            factors=self.factors + row.factors,
            numbers=self.numbers + row.numbers,
            steps=self.steps + row.steps,
            result=row.result,
        )

    def parts(self) -> list[RerolledLoop]:
        """Return loops of at most `ROWS` rows that compute the rows of a matrix."""
        if self.name != "matrix":
            return [self]
        slices = [slice(i, i + ROWS) for i in range(0, len(self.steps), ROWS)]
        return [
            self._replace(
                name="dot",
                factors=self.factors[some],
                numbers=self.numbers[some],
                steps=self.steps[some],
            )
            for some in slices
        ]


class _Parts(NamedTuple):
    """What a step of a loop computes: the place of a number is that in its memory."""

    name: str
    factor: int
    memory: str
    place: int
    number: int
    value: int
    result: int = -1


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
    matrices : bool, default False
        Whether many weighted sums of the same values are one loop.

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
    apart : set of int
        Rows of many numbers that no loop can compute, as their numbers are not side by side.
    """

    def __init__(
        self,
        tape: Tape,
        steps: list[int],
        fused: dict[int, int],
        results: dict[int, list[int]],
        least: int,
        *,
        matrices: bool = False,
    ) -> None:
        self._rows, self._operands, self._fused = tape.rows, tape.operands, fused
        self._steps, self._results, self._least = steps, results, least
        self.starts: dict[int, RerolledLoop] = {}
        self.others: set[int] = set()
        self.places: dict[int, int] = {}
        self.count = 0
        self.apart: set[int] = set()
        self._along: set[tuple[int, ...]] = set()
        self._open: dict[tuple[Any, ...], int] = {}  # what a row must match -> where it would join
        self._when: dict[int, int] = {}  # a sum -> the step at which it is computed
        if tape.rows.count(None) < least:  # as in a long chain of few numbers
            self.apart = {step for step in steps if tape.rows[step] in WHOLE}
            return
        self._uses = tape.uses()
        self._elements: dict[int, list[tuple[int, int]]] = {}  # of a row: number, position
        kinds = [tape.rows[step] for step in steps]
        found = {op: op and _FOUND.get(op.key) for op in set(kinds)}
        for position in steps if ELEMENT in found else ():
            if tape.rows[position] is ELEMENT:
                row, number = tape.operands[position]
                which = tape.operands[number][1]
                self._elements.setdefault(row, []).append((which, position))
                if position not in results:
                    self.others.add(position)
        self._place_longest()
        self._most = MOST if matrices else ROWS
        at = 0
        for op, run in groupby(kinds):  # most of a large program is not like what follows it
            end, find = at + len(list(run)), found[op]
            shortest = least if find is RerolledLoops._row else 1
            while find is not None and end - at >= shortest:
                at += find(self, at)
            at = end
        self._settle_matrices()

    def _address(self, position: int) -> tuple[str, int]:
        """Return where a number is: which memory, and the place there, -1 for none."""
        if self._rows[position] is not None:
            return "scratch", self.places.get(position, -1)
        kind, what = self._operands[position]
        return kind, -1 if kind == CONSTANT else what

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

    def _are_along(self, values: Sequence[int]) -> bool:
        """Return whether numbers are side by side, or were given such places now."""
        key = tuple(values)
        if key not in self._along:
            memory, place = self._address(values[0])
            along = (
                self._place(values)
                if place < 0
                else all(
                    self._address(value) == (memory, place + i) for i, value in enumerate(values)
                )
            )
            if not along:
                return False
            self._along.add(key)  # no place changes
        return True

    def _place_longest(self) -> None:
        """Give places to what weighted sums are of, longer lists first: some are parts of them."""
        lists: dict[tuple[int, ...], None] = {}
        for step in self._steps:
            op = self._rows[step]
            if op is not None and op.pairs >= self._least:
                operands = self._operands[step]
                lists[operands[: op.pairs]] = lists[operands[op.pairs : 2 * op.pairs]] = None
        for values in sorted(lists, key=len, reverse=True):
            self._are_along(values)

    # ---- weighted sums ----------------------------------------------------------------------

    def _dot(self, at: int) -> int:
        """Find the loop of a weighted sum, which is one step."""
        position = self._steps[at]
        operands = self._operands[position]
        count = len(operands) // 2
        if count < self._least:
            return 1
        numbers, values = operands[:count], operands[count : 2 * count]
        if self._address(values[0])[0] == PARAMETER:
            numbers, values = values, numbers
        in_memory = self._address(numbers[0])[0] != PARAMETER
        if in_memory:
            numbers, values = self._turned(numbers, values)
        if self._address(values[0])[0] == PARAMETER:
            return 1
        # Parameters cannot be moved, so they are looked at first.
        if not (self._are_along(numbers) and self._are_along(values)):
            return 1
        factors = operands[2 * count :] or (None,)
        loop = RerolledLoop("dot", count, values[0], factors, numbers[:1], (position,), in_memory)
        key = ("dot", in_memory, values[0], count)
        head = self._open.get(key)
        if head is not None and not self._has_room(self.starts[head], numbers[0]):
            head = None
        # It is computed with the first of its group, so what it reads has to be known there.
        read = (*operands[2 * count :], *(numbers if in_memory else ()))
        if head is not None and all(
            self._rows[number] is None or self._when.get(number, number) < head for number in read
        ):
            self._when[position] = head
            self._join(key, loop, head, head)
        else:
            self._join(key, loop, None, position)
            if in_memory:
                self._open["turned", numbers[0], count] = position
        return 1

    def _turned(self, *lists: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """Return both lists of a sum of products of values, that which it shares with others last.

        What a single row shares is settled by the second one.
        """
        turns, count = (lists, lists[::-1]), len(lists[0])
        for turn in turns:
            if ("dot", True, turn[1][0], count) in self._open:
                return turn
        for turn in turns:
            head = self._open.pop(("turned", turn[1][0], count), -1)
            loop = self.starts.get(head)
            if loop is not None and len(loop.steps) == 1:
                self._open.pop(("dot", True, loop.value, count), None)
                self._open["dot", True, turn[1][0], count] = head
                self.starts[head] = loop._replace(value=loop.numbers[0], numbers=(loop.value,))
                return turn
        return lists

    def _join(self, key: tuple[Any, ...], loop: RerolledLoop, head: int | None, at: int) -> None:
        """Add a loop that is called at a step, as a row of the one at `head` if there is one."""
        if head is not None:
            loop = self.starts.pop(head).with_row(loop)
        self.starts[at] = loop
        self.others.update(loop.steps)
        self.others.discard(at)
        if len(loop.steps) < (self._most if loop.name == "dot" and not loop.in_memory else ROWS):
            self._open[key] = at
        else:
            self._open.pop(key, None)

    def _has_room(self, loop: RerolledLoop, number: int) -> bool:
        """Return whether a row joins weighted sums: beyond `ROWS` they have to be a matrix."""
        if len(loop.numbers) < ROWS:
            return True
        first, second, *_, last, new = (self._address(n)[1] for n in (*loop.numbers, number))
        if len(loop.numbers) == ROWS:  # those before have joined anyhow
            places = [self._address(n)[1] for n in loop.numbers]
            if places != list(range(first, last + 1, max(1, second - first))):
                return False
        return new - last == second - first > 0

    def _settle_matrices(self) -> None:
        """Give the loops of many rows their name, and take apart what is too small for that."""
        for at, loop in list(self.starts.items()):
            if len(loop.steps) >= LEAST:
                self.starts[at] = loop._replace(name="matrix")
            elif len(loop.steps) > ROWS:
                for part in loop._replace(name="matrix").parts():
                    self.starts[part.steps[0]] = part
                    self.others.discard(part.steps[0])

    # ---- products, and sums of products -----------------------------------------------------

    def _product_parts(self, position: int, turned: bool) -> _Parts | None:
        factor, other = self._operands[position][:: -1 if turned else 1]
        results = self._results.get(position)
        if results is None:
            return _Parts("scale", factor, *self._address(other), other, position)
        if len(results) == 1 and not self._uses[position]:
            return _Parts("outer", factor, "results", results[0], results[0], other)
        return None

    def _sum_parts(self, position: int, turned: bool) -> _Parts | None:
        if position not in self._fused:
            return None
        product, operands = self._fused[position], self._operands[position]
        results = self._results.get(position, [-1])
        if len(results) > 1 or (results[0] >= 0 and self._uses[position]):
            return None
        factor, other = self._operands[product][:: -1 if turned else 1]
        before = operands[0] if product == operands[1] else operands[1]
        if self._uses[before] != 1 or before not in self.places:  # an input stays
            return None
        return _Parts("spread", factor, *self._address(other), other, before, results[0])

    def _row(self, at: int) -> int:
        """Find the loop of products or sums that begins at a step; return how many steps it has."""
        first, second = (
            self._fused.get(step, -1) if self._rows[step] is ops.add else step
            for step in self._steps[at : at + 2]
        )
        if first < 0 or second < 0:
            return 1
        if not set(self._operands[first]) & set(self._operands[second]):  # they have no factor
            return 1
        count = self._row_of(at, turned=False)
        return count if count > 1 else self._row_of(at, turned=True)

    def _parts(self, at: int, turned: bool) -> Iterator[_Parts]:
        """Yield what a step computes, and then those of its kind that follow it."""
        op = self._rows[self._steps[at]]
        assert op is not None
        for i in range(at, len(self._steps)):
            step = self._steps[i]
            found = _PARTS[op](self, step, turned) if self._rows[step] is op else None
            if found is None:
                return
            yield found

    def _place_numbers(self, head: _Parts, at: int, turned: bool) -> bool:
        """Give the numbers of a row places one after the other if they have none."""
        numbers: dict[int, None] = {}
        for found in self._parts(at, turned):
            if found[:4] != head[:4] or found.number in numbers:
                break
            numbers[found.number] = None
        return len(numbers) >= self._least and self._place(list(numbers))

    def _row_of(self, at: int, turned: bool) -> int:
        """Find a loop whose factor is the first operand of each product, or the second."""
        head = next(self._parts(at, turned), None)
        if head is not None and head.place < 0 and self._place_numbers(head, at, turned):
            head = next(self._parts(at, turned))
        if head is None or head.place < 0:
            return 1
        name, memory, place = head.name, *self._address(head.value)
        if name != "scale" and (place < 0 or memory == PARAMETER):
            return 1
        values: list[int] = []
        for i, found in enumerate(self._parts(at, turned)):
            if (
                found[:4] != (*head[:3], head.place + i)
                or found.result != (head.result + i if head.result >= 0 else -1)
                or (name != "scale" and self._address(found.value) != (memory, place + i))
            ):
                break
            values.append(found.value)
        count = len(values)
        if count < self._least or (name == "scale" and not self._are_along(values)):
            return 1
        steps = self._steps[at : at + count]
        if name == "spread":
            for step, before in zip(steps, values, strict=True):
                self.places[step] = self.places[before]
        in_memory = name != "outer" and head.memory != PARAMETER
        loop = RerolledLoop(
            name, count, values[0], (head.factor,), (head.number,), (steps[0],), in_memory,
            head.result,
        )  # fmt: skip
        self.others.update(steps)
        # Only the next row of sums uses what a row gives, and nothing uses what goes into results,
        # so earlier rows can be computed with later ones.
        key = (name, values[0], count) if name == "outer" else ("sums", in_memory, *values)
        before_it = None if name == "scale" else self._open.pop(key, None)
        self._join(
            key if name == "outer" else ("sums", in_memory, *steps), loop, before_it, steps[0]
        )
        return count

    # ---- rows of many numbers ---------------------------------------------------------------

    def _first_result(self, position: int, count: int) -> int:
        """Return the number of the first result if a row gives those from it on, else -1."""
        elements = sorted(self._elements.get(position, ()))
        numbers = [self._results.get(one, [-1]) for _, one in elements]
        first = numbers[0][0] if numbers else -1
        is_so = (
            first >= 0
            and [which for which, _ in elements] == list(range(count))
            and numbers == [[first + i] for i in range(count)]
            and not any(self._uses[one] for _, one in elements)
        )
        return first if is_so else -1

    def _whole(self, at: int) -> int:
        """Find the loop of a row of many numbers, which is one step."""
        position = self._steps[at]
        op = self._rows[position]
        assert op is not None
        factor, numbers, before = operands_of(op, self._operands[position])
        if op is ADDED and before[0] not in self.places:
            return 1  # that is taken apart first
        count = len(numbers)
        in_memory = self._address(numbers[0])[0] != PARAMETER
        result = self._first_result(position, count)
        if (
            not self._are_along(numbers)
            or (op is SCALED and result >= 0 and not in_memory)
            or (op is SPREAD and not self._can_be_replaced(before))
        ):
            self.apart.add(position)
            return 1
        joined = None
        if op is SCALED and result >= 0:
            loop = RerolledLoop("outer", count, numbers[0], (factor,), (result,), (position,))
            key: tuple[Any, ...] = ("outer", numbers[0], count)
            joined = self._open.pop(key, None)
        elif op is SCALED:
            self.places[position] = self.count
            self.count += count
            loop = RerolledLoop(
                "scale", count, position, (factor,), (numbers[0],), (position,), in_memory
            )
            key = ("sums", in_memory, position)
        else:
            self.places[position] = self.places[before[0]]
            loop = RerolledLoop(
                "spread", count, before[0], (factor,), (numbers[0],), (position,), in_memory,
                result,
            )  # fmt: skip
            joined = self._open.pop(("sums", in_memory, before[0]), None) if op is ADDED else None
            key = ("sums", in_memory, position)
        for which, element in self._elements.get(position, ()):
            if result >= 0:
                self.others.add(element)
            else:
                self.places[element] = self.places[position] + which
        self._join(key, loop, joined, position)
        return 1

    def _can_be_replaced(self, values: Sequence[int]) -> bool:
        """Return whether sums can be put where values are, side by side."""
        return all(
            self._rows[value] is not None and self._uses[value] == 1 for value in values
        ) and self._are_along(values)


# By the row of a step, or its factory: what finds the loop that begins there, and what one of its
# steps computes.
_FOUND: dict[Op | str, Callable[[RerolledLoops, int], int]] = {
    ops.mul: RerolledLoops._row, ops.add: RerolledLoops._row, "dot_of": RerolledLoops._dot,
    **dict.fromkeys(WHOLE, RerolledLoops._whole),
}  # fmt: skip
_PARTS: dict[Op, Callable[[RerolledLoops, int, bool], _Parts | None]] = {
    ops.mul: RerolledLoops._product_parts, ops.add: RerolledLoops._sum_parts
}  # fmt: skip
