"""A computation as a flat list of instructions: what every backend reads.

An instruction is a row of the op table and the positions of its operands, which come before it.
Leaves have no row: an input, a live parameter or a constant.

>>> from micrograd import ops
>>> tape = Tape()
>>> x = tape.input(0)
>>> square = tape.add(ops.mul, (x, x))
>>> tape.add(ops.mul, (x, x)) == square  # nothing is merged while recording ...
False
>>> tape.outputs = [tape.add(ops.add, (square, 2))]
>>> len(tape.optimised())  # ... but afterwards: x, x * x, x * x + x * x
3
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain, compress
from operator import not_
from typing import Any

from micrograd.ops import Op, PlainNumber, as_float
from micrograd.replay.trace.simpler import SIMPLER, SWAPS, UNITS
from micrograd.replay.trace.whole import WHOLE

__all__ = ["CONSTANT", "INPUT", "PARAMETER", "Tape"]

INPUT, PARAMETER, CONSTANT = "input", "parameter", "constant"


class Tape:
    """A program: instructions in an order in which they can be run.

    Attributes
    ----------
    rows : list of Op or None
        The operation of each position; None for a leaf.
    operands : list of tuple
        Positions of the operands; for a leaf its kind and number or value: `("input", number)`,
        `("parameter", number)`, `("constant", value)`.
    outputs : list of int
        Positions of the results of the function.
    gradients : list of int or None
        Positions of the derivatives of the first output; None where it is zero.
    labels : dict of int to str
        Names that the user gave.
    adjoints : dict of int to int
        Position of a derivative -> the position that it is the derivative of, for comments.
    """

    __slots__ = (
        "_uses", "adjoints", "gradients", "known", "labels", "operands", "outputs", "rows"
    )  # fmt: skip

    def __init__(self) -> None:
        self.rows: list[Op | None] = []
        self.operands: list[tuple[Any, ...]] = []
        self.outputs: list[int] = []
        self.gradients: list[int | None] = []
        self.labels: dict[int, str] = {}
        self.adjoints: dict[int, int] = {}
        self.known: dict[Any, int] = {}
        self._uses: list[int] = []

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, op: Op, operands: tuple[int, ...]) -> int:
        """Append an instruction; return its position."""
        self.rows.append(op)
        self.operands.append(operands)
        return len(self.rows) - 1

    def input(self, position: int) -> int:
        """Return the position of an input of the function."""
        return self._leaf((INPUT, position), (INPUT, position))

    def parameter(self, position: int) -> int:
        """Return the position of a live parameter."""
        return self._leaf((PARAMETER, position), (PARAMETER, position))

    def constant(self, value: PlainNumber) -> int:
        """Return the position of a plain number."""
        # The sign tells -0.0 from 0.0, and a nan is not equal to itself.
        same = (type(value), str(value) if value != value or value == 0 else value)
        return self._leaf(same, (CONSTANT, value))

    def leaf(self, what: tuple[Any, ...]) -> int:
        """Return the position of a leaf, given as its operands."""
        return self.constant(what[1]) if what[0] == CONSTANT else self._leaf(what, what)

    def _leaf(self, key: Any, what: tuple[Any, ...]) -> int:
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = len(self.rows)
            self.rows.append(None)
            self.operands.append(what)
        return found

    def constant_at(self, position: int) -> PlainNumber | None:
        """Return the plain number at a position, None if there is something else."""
        if self.rows[position] is None and self.operands[position][0] == CONSTANT:
            return self.operands[position][1]  # type: ignore[no-any-return]
        return None

    def results(self) -> list[int]:
        """Return the positions of outputs and of the gradients that are not zero."""
        return self.outputs + [g for g in self.gradients if g is not None]

    def order(self, root: int) -> list[int]:
        """Return what `root` is computed from, in the order of `graph.order`."""
        rows, operands = self.rows, self.operands
        complete = bytearray(len(rows))
        result: list[int] = []
        stack = [root]
        while stack:
            position = stack.pop()
            if position < 0:  # all operands of ~position are in the result
                result.append(~position)
            elif not complete[position]:
                complete[position] = 1
                if rows[position] is None:
                    result.append(position)
                else:
                    stack.append(~position)
                    stack += operands[position][::-1]
        return result

    def depends_on(self, nodes: Iterable[int], inputs: Iterable[int]) -> set[int]:
        """Return those of `nodes` that lie on a path from one of `inputs`."""
        reached = set(inputs)
        for node in nodes:
            if self.rows[node] is not None and not reached.isdisjoint(self.operands[node]):
                reached.add(node)
        return reached

    def uses(self) -> list[int]:
        """Return for every position how often it is an operand; counted once for every length."""
        if len(self._uses) != len(self.rows):
            self._uses = uses = [0] * len(self.rows)
            for operand in chain.from_iterable(compress(self.operands, self.rows)):
                uses[operand] += 1
        return self._uses

    def needed(self, results: Iterable[int] | None = None) -> bytearray:
        """Return for every position whether a result depends on it; by default any of them."""
        needed = bytearray(len(self.rows))
        for position in self.results() if results is None else results:
            needed[position] = 1
        for position in range(len(self.rows) - 1, -1, -1):
            if needed[position] and self.rows[position] is not None:
                for operand in self.operands[position]:
                    needed[operand] = 1
        return needed

    def optimised(self) -> Tape:
        """Return the same program without dead code, repeated work and work on constants.

        Results are the same to the bit (but for the payload of a nan):
        nothing is reordered, and only what is exact is left out: `1 * x`, `x ** 1`, `x / 1`.
        """
        needed = self.needed()
        tape = Tape()
        seen: dict[Op, dict[Any, int]] = defaultdict(dict)
        size = len(self.rows)  # no row becomes more than one
        rows, own = tape.rows, tape.operands
        place: list[int] = []
        maybe_dead = False
        for need, op, given in zip(needed, self.rows, self.operands, strict=True):
            if not need:
                place.append(-1)
                continue
            if op is None:
                place.append(tape.leaf(given))
                continue
            swaps = SWAPS.get(op)
            if swaps is not None:
                a, b = operands = place[given[0]], place[given[1]]
                key: Any = b * size + a if a > b and swaps else a * size + b  # less than a pair
                x = own[a][1] if rows[a] is None and own[a][0] == CONSTANT else None
                y = own[b][1] if rows[b] is None and own[b][0] == CONSTANT else None
                check = (x is not None and (y is not None or x in UNITS)) or y in UNITS
            else:
                key = operands = tuple([place[operand] for operand in given])
                if op in WHOLE:  # each is used once, so that it can be computed in place
                    place.append(tape.add(op, operands))
                    continue
                check = op.key in SIMPLER or None in [rows[operand] for operand in operands]
            simpler = tape._simpler(op, operands) if check else None
            if simpler is None:
                count = len(rows)
                simpler = seen[op].setdefault(key, count)
                if simpler == count:
                    rows.append(op)
                    own.append(operands)
            elif any(rows[one] is not None and one != simpler for one in operands):
                maybe_dead = True  # this may have been the only use of something
            place.append(simpler)
        tape.outputs = [place[position] for position in self.outputs]
        tape.gradients = [None if g is None else place[g] for g in self.gradients]
        for position, label in self.labels.items():
            if needed[position]:
                tape.labels.setdefault(place[position], label)
        for adjoint, position in self.adjoints.items():
            if needed[adjoint] and needed[position] and place[adjoint] > place[position]:
                tape.adjoints.setdefault(place[adjoint], place[position])
        if not maybe_dead:
            return tape
        # A leaf may stay: nothing is computed for it.
        needed = tape.needed()
        return tape._only(needed) if any(compress(rows, map(not_, needed))) else tape

    def _only(self, needed: bytearray) -> Tape:
        """Return the program without the positions that are not needed."""
        tape = Tape()
        place = [-1] * len(self.rows)
        kept = list(compress(range(len(place)), needed))
        tape.rows = list(compress(self.rows, needed))
        add_operands = tape.operands.append
        for count, (position, op) in enumerate(zip(kept, tape.rows, strict=True)):
            place[position] = count
            given = self.operands[position]
            if op is None:
                add_operands(given)
            elif len(given) == 2:  # most of them, without the list of the others
                a, b = given
                add_operands((place[a], place[b]))
            else:
                add_operands(tuple([place[operand] for operand in given]))
        tape.outputs = [place[position] for position in self.outputs]
        tape.gradients = [None if g is None else place[g] for g in self.gradients]
        tape.labels = {place[p]: label for p, label in self.labels.items() if needed[p]}
        for adjoint, position in self.adjoints.items():
            if needed[adjoint] and needed[position]:
                tape.adjoints[place[adjoint]] = place[position]
        return tape

    def _simpler(self, op: Op, operands: tuple[int, ...]) -> int | None:
        """Return the position of the result if it needs no such instruction, else None."""
        values = [self.constant_at(operand) for operand in operands]
        if None not in values:
            try:
                return self.constant(op.compute(*values))  # type: ignore[arg-type]
            except (ArithmeticError, ValueError):
                return None  # it stays an error at run time
        rule = SIMPLER.get(op.key)
        return None if rule is None else rule(self, op, operands, values)

    # ---- what a reader wants to know ------------------------------------------------------------

    def leaves(self, kind: str) -> dict[int, Any]:
        """Return position -> number or value, of the leaves of one kind."""
        return {
            position: self.operands[position][1]
            for position, op in enumerate(self.rows)
            if op is None and self.operands[position][0] == kind
        }

    def instructions(self) -> int:
        """Return how many numbers are computed."""
        several = [
            len(given) for op, given in zip(self.rows, self.operands, strict=True) if op in WHOLE
        ]
        return len(self.rows) - self.rows.count(None) + sum(several)

    def as_float(self, position: int) -> float:
        """Return the constant at `position` as a float, infinite where it is too large."""
        return as_float(self.operands[position][1])

    def __getstate__(self) -> tuple[Any, ...]:
        # A row is stored once, not once for each node: a factory's row is not in the table.
        kinds = list(dict.fromkeys(op for op in self.rows if op is not None))
        index = {op: i for i, op in enumerate(kinds)}
        rows = [-1 if op is None else index[op] for op in self.rows]
        return (
            kinds, rows, self.operands, self.outputs, self.gradients, self.labels, self.adjoints
        )  # fmt: skip

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        kinds, rows, *rest = state
        self.rows = [None if i < 0 else kinds[i] for i in rows]
        self.operands, self.outputs, self.gradients, self.labels, self.adjoints = rest
        self.known, self._uses = {}, []
