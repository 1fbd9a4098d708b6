"""Runs of like steps over numbers that lie side by side, each of which one loop can do.

In the program of a network with n inputs a layer there are for each neuron the sum of n products,
n products that are the derivatives of its weights, and n that carry the derivative on to its
inputs. Where the n parameters are numbered one after the other, and the n values get places one
after the other in memory, a call of a loop stands for them all, and there is less to compile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from micrograd import ops
from micrograd.replay.tape import INPUT, PARAMETER, Tape

__all__ = ["Run", "Runs"]


class Run(NamedTuple):
    """Like steps that follow each other.

    Attributes
    ----------
    name : {"dot", "outer", "scale", "spread"}
        With the factor f, values v in memory and the numbers p that follow each other:
        f + the sum of p * v; results p += f * v; v = f * p; v += f * p. The numbers are
        parameters, or those of results.
    length : int
        How many steps.
    factor : int
        The position of f.
    value : int
        The position of the first v.
    number : int
        Of the first p.
    """

    name: str
    length: int
    factor: int
    value: int
    number: int


class Runs:
    """The runs of a program, and the places of their values.

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
        How many steps a run has at least.

    Attributes
    ----------
    starts : dict of int to Run
        First step -> the run that begins there.
    others : set of int
        The steps of runs after their first.
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
        self.starts: dict[int, Run] = {}
        self.others: set[int] = set()
        self.places: dict[int, int] = {}
        self.count = 0
        if tape.rows.count(None) < least:  # as in a long chain of few numbers
            return
        self._uses = tape.uses()
        rows, operands = tape.rows, tape.operands
        at = 0
        while at < len(steps):
            step = steps[at]
            op = rows[step]
            run = None
            if op is ops.mul:
                other = operands[step][1]
                if rows[other] is None or other in self.places:
                    run = self._row(at)
            elif op is ops.add:
                if self.places and step in fused:
                    run = self._row(at)
            elif op is not None and op.family[:1] == ("dot_of",):
                run = self._dot(step)
            if run is not None:
                self.starts[step] = run
                if run.name != "dot":
                    self.others.update(steps[at + 1 : at + run.length])
                    at += run.length - 1
            at += 1

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

    def _dot(self, position: int) -> Run | None:
        """Return the run of a sum of products, with a bias, that is computed at a step."""
        operands = self._operands[position]
        count = len(operands) // 2
        if len(operands) % 2 == 0 or count < self._least:
            return None
        weights, values = operands[:count], operands[count : 2 * count]
        number = self._number(PARAMETER, weights[0])
        numbers = [self._number(PARAMETER, weight) for weight in weights]
        if number < 0 or numbers != list(range(number, number + count)):
            return None
        memory, place = self._address(values[0])
        side_by_side = [(memory, place + i) for i in range(count)]
        there = place >= 0 and [self._address(value) for value in values] == side_by_side
        if not there and not self._place(values):
            return None
        return Run("dot", count, operands[-1], values[0], number)

    def _parts(self, position: int) -> tuple[str, int, int, int] | None:
        """Return what a step of a run does: its name, factor, number, and value."""
        op, operands = self._rows[position], self._operands[position]
        results = self._results.get(position)
        if op is ops.mul:
            factor, other = operands
            if results is None:
                return "scale", factor, self._number(PARAMETER, other), position
            if len(results) == 1 and not self._uses[position]:
                return "outer", factor, results[0], other
        elif op is ops.add and position in self._fused and results is None:
            product = self._fused[position]
            factor, other = self._operands[product]
            before = operands[0] if product == operands[1] else operands[1]
            if self._uses[before] == 1:
                return "spread", factor, self._number(PARAMETER, other), before
        return None

    def _row(self, at: int) -> Run | None:
        """Return the run of products or sums that begins at a step."""
        parts = self._parts(self._steps[at])
        if parts is None or parts[2] < 0:
            return None
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
            return None
        if name != "scale" and place < 0:
            return None
        if name == "spread":
            for step, before in zip(self._steps[at : at + count], values, strict=True):
                self.places[step] = self.places[before]
        return Run(name, count, factor, value, number)
