"""A large tape as bytecode, which an interpreter in machine code runs.

LLVM takes some 15 µs an instruction, and more in a longer program. From tens of thousands of
instructions on, an interpreter is better: it is compiled once, and for a tape only a table is made.
An instruction is five numbers: the operation, the place of its result, and the places of up to
three operands. A place is an index into one array of vectors: the inputs, then the results, then
the values that loops need side by side, then slots that are used again when their value is no
longer needed. A rerolled loop is one instruction, which names a record of numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator

from micrograd import ops
from micrograd.ops import Op
from micrograd.replay.llvm.loop_code import RECORD
from micrograd.replay.llvm.plan import FUSED, PRODUCTS, Plan
from micrograd.replay.llvm.rerolled import RerolledLoop
from micrograd.replay.llvm.rows import Handle, lower
from micrograd.replay.trace.tape import CONSTANT, INPUT, PARAMETER, Tape
from micrograd.replay.trace.whole import ELEMENT

__all__ = ["FUNCTIONS", "LOOP", "OPERATIONS", "WIDTH", "Bytecode"]

WIDTH = 5
"""How many whole numbers an instruction has."""

FUNCTIONS = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf",
    "erfc", "exp", "expm1", "fabs", "hypot", "log", "log10", "log1p", "log2", "pow", "sin", "sinh",
    "sqrt", "tan", "tanh",
]  # fmt: skip
OPERATIONS = [
    "parameter", "constant", "result", "product", "+", "-", "*", "/", "muladd", "mulsub", "submul",
    "negative", ">", ">=", "==", "<", "!=", "select", *FUNCTIONS,
]  # fmt: skip
LOOP = len(OPERATIONS)
"""The number of the instruction that runs a loop; its third number is where the record is."""
_GIVING = {"dot", "matrix", "take"}  # loops that give a value a row
_NUMBER = {name: number for number, name in enumerate(OPERATIONS)}
_DIRECT = {
    ops.add: _NUMBER["+"], ops.sub: _NUMBER["-"], ops.mul: _NUMBER["*"], ops.div: _NUMBER["/"]
}  # fmt: skip


class Bytecode:
    """The bytecode of a tape: an emitter for `lower`, whose handles are the numbers of values.

    Parameters
    ----------
    tape : Tape
    plan : Plan
        The order of the steps, which products are fused into sums, and the loops.
    inputs : int
        How many numbers a sample has.
    contract : bool
        Whether a product and a sum become one operation, rounded once.

    Attributes
    ----------
    table : array of int
        The instructions, `WIDTH` numbers each.
    constants : array of float
    records : array of int
        What the loops are given: see `loop_code.RECORD`. The addresses of functions are missing.
    loops : list of (RerolledLoop, int)
        The loops, and where their records begin.
    slots : int
        How many vectors the array has after the inputs and the results.
    """

    def __init__(self, tape: Tape, plan: Plan, inputs: int, contract: bool) -> None:
        self.constants = array("d")
        self.records = array("q")
        self.loops: list[tuple[RerolledLoop, int]] = []
        self._tape, self._plan, self._contract = tape, plan, contract
        self._inputs, self._base = inputs, inputs + len(tape.results())
        self._flat: list[int] = []  # operation, value, three operands; a value is >= inputs
        self._count = inputs
        self._constants: dict[str, int] = {}
        self._at = [-1] * len(tape.rows)  # the value of each position
        self._fixed: dict[int, int] = {}  # value -> its place, if a loop needs it there
        # Where a record is to have the place of a value: one that a loop reads, or gives.
        self._factors: dict[int, list[tuple[int, int]]] = {}
        self._sums: dict[int, list[tuple[int, int]]] = {}
        self._write()
        self.table, self.slots = self._placed()

    # ---- what `lower` asks for --------------------------------------------------------------

    def _step(self, operation: int, a: int = 0, b: int = 0, c: int = 0) -> int:
        value = self._count
        self._count = value + 1
        self._flat += (operation, value, a, b, c)
        return value

    def constant(self, value: float) -> Handle:
        """Return a number."""
        key = float(value).hex() if value == value else "nan"
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = self._step(_NUMBER["constant"], len(self.constants))
            self.constants.append(value)
        return str(found)

    def binary(self, kind: str, a: Handle, b: Handle) -> Handle:
        """Return a sum, difference, product or quotient."""
        return str(self._step(_NUMBER[kind], int(a), int(b)))

    compare = binary

    def muladd(self, a: Handle, b: Handle, c: Handle) -> Handle:
        """Return a * b + c."""
        if not self._contract:
            return self.binary("+", self.binary("*", a, b), c)
        return str(self._step(_NUMBER["muladd"], int(a), int(b), int(c)))

    def negative(self, a: Handle) -> Handle:
        """Return -a."""
        return str(self._step(_NUMBER["negative"], int(a)))

    def select(self, truth: Handle, a: Handle, b: Handle) -> Handle:
        """Return a where the truth is not 0, else b."""
        return str(self._step(_NUMBER["select"], int(truth), int(a), int(b)))

    def truth(self, number: Handle) -> Handle:
        """Return whether a number is not 0: the number itself."""
        return number

    def number(self, truth: Handle) -> Handle:
        """Return 1 or 0: comparisons give that."""
        return truth

    def call(self, name: str, *args: Handle) -> Handle:
        """Return a function of the C library."""
        return str(self._step(_NUMBER[name], *map(int, args)))

    # ---- the program ------------------------------------------------------------------------

    def _write(self) -> None:
        rows, operands, results = self._tape.rows, self._tape.operands, self._plan.results
        loops, places = self._plan.loops, self._plan.places
        at, value_of, step = self._at, self._value, self._step
        fused = self._plan.fused
        uses, summed = (self._tape.uses(), PRODUCTS) if self._contract else ([], ())
        for position in results:
            if rows[position] is None:
                value_of(position)
                self._note(position)
        for position in self._plan.steps:
            op = rows[position]
            assert op is not None
            if position in loops:
                self._loop(loops[position])
                continue
            given, count = operands[position], self._count
            product, operation = fused.get(position), _DIRECT.get(op)
            if product is not None:
                a, b = operands[product]
                c = given[0] if product == given[1] else given[1]
                x, y, z = at[a], at[b], at[c]
                value = step(
                    _NUMBER[FUSED[op][product == given[1]]],
                    x if x >= 0 else value_of(a),
                    y if y >= 0 else value_of(b),
                    z if z >= 0 else value_of(c),
                )
            elif op in summed and not uses[position] and len(results[position]) == 1:
                a, b = map(value_of, given)
                self._flat += (_NUMBER["product"], self._inputs + results[position][0], a, b, 0)
                continue
            elif operation is not None:
                a, b = given
                x, y = at[a], at[b]
                value = step(operation, x if x >= 0 else value_of(a), y if y >= 0 else value_of(b))
            elif op is ELEMENT:  # a result, which a loop has put in its place
                value_of(position)
                self._note(position)
                continue
            elif op.key in _LOOPED and _LOOPED[op.key](self, position):
                continue
            else:
                value = int(lower(self, op, [str(value_of(operand)) for operand in given]))
            if position in places:
                if value < count or value in self._constants.values():  # it is another's as well
                    value = int(self.binary("*", str(value), self.constant(1.0)))
                self._fixed[value] = self._base + places[position]
            at[position] = value
            if position in results:
                self._note(position)

    def _value(self, position: int) -> int:
        """Return the value of a position: of a leaf, or of what was computed before."""
        found = self._at[position]
        if found >= 0:
            return found
        if self._tape.rows[position] is not None:  # a loop has put it there
            found = self._count
            self._count += 1
            self._fixed[found] = self._address(position)
        else:
            kind, what = self._tape.operands[position]
            if kind == CONSTANT:
                found = int(self.constant(self._tape.as_float(position)))
            else:
                found = what if kind == INPUT else self._step(_NUMBER["parameter"], what)
        self._at[position] = found
        return found

    def _note(self, position: int) -> None:
        """Add a value to the results that it is."""
        for number in self._plan.results[position]:
            self._flat += (_NUMBER["result"], self._inputs + number, self._at[position], 0, 0)

    # ---- loops ------------------------------------------------------------------------------

    def _address(self, position: int) -> int:
        """Return the place of a number that loops need there, or which parameter it is."""
        if self._tape.rows[position] is not None:
            return self._base + self._plan.places[position]
        return int(self._tape.operands[position][1])

    def _loop(self, loop: RerolledLoop) -> None:
        """Add the instruction of a loop, and its record."""
        factors = [
            int(self.constant(0.0)) if factor is None else self._value(factor)
            for factor in loop.factors
        ]
        start, first = len(self._flat), len(self.records)
        self._flat += (LOOP, 0, first, 0, 0)
        self.loops.append((loop, first))
        result = self._inputs + loop.result if loop.result >= 0 else len(loop.steps)
        self.records.extend((0, loop.length, self._address(loop.value), result))
        for row, number in enumerate(loop.numbers):
            place = self._inputs + number if loop.name == "outer" else self._address(number)
            self.records.extend((0, place, 0))
            field = first + RECORD + 3 * row
            self._factors.setdefault(start, []).append((field, factors[row]))
            if loop.name in _GIVING:
                position = loop.steps[row]
                value = self._at[position] = self._count
                self._count += 1
                if position in self._plan.places:
                    self._fixed[value] = self._address(position)
                self._sums.setdefault(start, []).append((field + 2, value))
        for position in loop.steps if loop.name in _GIVING else ():
            if position in self._plan.results:
                self._note(position)

    def _take(self, position: int) -> bool:
        """Add the instruction that picks one of some parameters; return whether all are."""
        rows, operands = self._tape.rows, self._tape.operands
        *values, index = operands[position]
        if any(rows[v] is not None or operands[v][0] != PARAMETER for v in values):
            return False
        self._loop(
            RerolledLoop("take", len(values), values[0], (index,), (values[0],), (position,))
        )
        self.records.extend(map(self._address, values))
        return True

    # ---- places -----------------------------------------------------------------------------

    def _numbered(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Return the steps, each with where it is in the table."""
        flat = iter(self._flat)
        return zip(range(0, len(self._flat), WIDTH), zip(*[flat] * WIDTH, strict=True), strict=True)

    def _placed(self) -> tuple[array[int], int]:
        """Return the table, with the places of the values, and how many slots they take."""
        flat, inputs, fixed = self._flat, self._inputs, self._fixed
        parameter, constant, result = (_NUMBER[n] for n in ("parameter", "constant", "result"))
        leaves, added = (parameter, constant, LOOP), (result, _NUMBER["product"])
        last = [0] * self._count  # the step that uses a value last; what is fixed has none
        for start, (operation, _, a, b, c) in self._numbered():
            if operation not in leaves:
                last[a] = last[b] = last[c] = start
            elif operation == LOOP:
                for _, value in self._factors[start]:
                    last[value] = start
        place = list(range(inputs)) + [0] * (self._count - inputs)
        last[:inputs] = [len(flat)] * inputs
        for value, where in fixed.items():
            place[value], last[value] = where, len(flat)
        slots = self._plan.placed
        free: list[int] = []

        def taken(value: int, start: int) -> int:
            """Return a place for a value that is computed now."""
            nonlocal slots
            if value in fixed:
                return fixed[value]
            if free:
                where = free.pop()
            else:
                where = self._base + slots
                slots += 1
            place[value] = where
            if last[value] <= start:  # nothing uses it
                free.append(where)
            return where

        table = array("i", bytes(4 * len(flat)))
        for start, (operation, value, a, b, c) in self._numbered():
            table[start] = operation
            if operation == LOOP:
                table[start + 2] = a
                read = dict(self._factors[start])
                for field, factor in read.items():
                    self.records[field] = place[factor]
                # The first sums of a matrix are there before its last factors are read.
                for field, total in self._sums.get(start, ()):
                    self.records[field] = taken(total, start)
                free += [place[one] for one in set(read.values()) if last[one] == start]
                continue
            if operation in leaves:
                table[start + 2] = a
            else:
                table[start + 2] = place[a]
                table[start + 3] = place[b]
                table[start + 4] = place[c]
                if last[a] == start:
                    free.append(place[a])
                if last[b] == start and b != a:
                    free.append(place[b])
                if last[c] == start and c not in (a, b):
                    free.append(place[c])
            table[start + 1] = value if operation in added else taken(value, start)
        return table, slots


# How a row is written as a loop, where it can be.
_LOOPED: dict[Op | str, Callable[[Bytecode, int], bool]] = {"take_of": Bytecode._take}
