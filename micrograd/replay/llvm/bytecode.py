"""A large tape as bytecode, which an interpreter in machine code runs.

LLVM takes some 15 µs an instruction, and more in a longer program. From tens of thousands of
instructions on, an interpreter is better: it is compiled once, and for a tape only a table is made.
An instruction is five numbers: the operation, the place of its result, and the places of up to
three operands. A place is an index into one array of vectors: the inputs, then the results, then
slots that are used again when their value is no longer needed.
"""

from __future__ import annotations

from array import array

from micrograd import ops
from micrograd.replay.llvm.plan import FUSED, PRODUCTS, Plan
from micrograd.replay.llvm.rows import Handle, lower
from micrograd.replay.trace.tape import CONSTANT, INPUT, Tape

__all__ = ["FUNCTIONS", "OPERATIONS", "WIDTH", "Bytecode"]

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
        The order of the steps, and which products are fused into sums.
    inputs : int
        How many numbers a sample has.
    contract : bool
        Whether a product and a sum become one operation, rounded once.

    Attributes
    ----------
    table : array of int
        The instructions, `WIDTH` numbers each.
    constants : array of float
    slots : int
        How many vectors the array has after the inputs and the results.
    """

    def __init__(self, tape: Tape, plan: Plan, inputs: int, contract: bool) -> None:
        self.constants = array("d")
        self._flat: list[int] = []  # operation, value, three operands; a value is >= inputs
        self._count = inputs
        self._constants: dict[str, int] = {}
        self._contract = contract
        self._write(tape, plan, inputs)
        self.table, self.slots = self._placed(inputs, len(tape.results()))

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

    def _write(self, tape: Tape, plan: Plan, inputs: int) -> None:
        rows, operands = tape.rows, tape.operands
        at = [-1] * len(rows)
        parameter, result = _NUMBER["parameter"], _NUMBER["result"]
        step, fused = self._step, plan.fused
        uses = tape.uses() if self._contract else []

        def leaf(position: int) -> int:
            kind, what = operands[position]
            if kind == CONSTANT:
                found = int(self.constant(tape.as_float(position)))
            else:
                found = what if kind == INPUT else step(parameter, what)
            at[position] = found
            return found

        def note(position: int) -> None:
            for number in plan.results[position]:
                self._flat += (result, inputs + number, at[position], 0, 0)

        for position in plan.results:
            if rows[position] is None:
                leaf(position)
                note(position)
        for position in plan.steps:
            op = rows[position]
            assert op is not None
            given = operands[position]
            product = fused.get(position)
            if product is not None:
                a, b = operands[product]
                c = given[0] if product == given[1] else given[1]
                operation = _NUMBER[FUSED[op][product == given[1]]]
                x, y, z = at[a], at[b], at[c]
                value = step(
                    operation,
                    x if x >= 0 else leaf(a),
                    y if y >= 0 else leaf(b),
                    z if z >= 0 else leaf(c),
                )
            elif (
                self._contract
                and op in PRODUCTS
                and not uses[position]
                and len(plan.results[position]) == 1
            ):
                a, b = (at[o] if at[o] >= 0 else leaf(o) for o in given)
                self._flat += (_NUMBER["product"], inputs + plan.results[position][0], a, b, 0)
                continue
            elif op in _DIRECT:
                a, b = given
                x, y = at[a], at[b]
                value = step(_DIRECT[op], x if x >= 0 else leaf(a), y if y >= 0 else leaf(b))
            else:
                handles = [str(at[o] if at[o] >= 0 else leaf(o)) for o in given]
                value = int(lower(self, op, handles))
            at[position] = value
            if position in plan.results:
                note(position)

    def _placed(self, inputs: int, results: int) -> tuple[array[int], int]:
        """Return the table, with the places of the values, and how many slots they take."""
        flat = self._flat
        parameter, constant, result = (_NUMBER[n] for n in ("parameter", "constant", "result"))
        leaves, added = (parameter, constant), (result, _NUMBER["product"])
        last = [0] * self._count  # the step that uses a value last
        for start in range(0, len(flat), WIDTH):
            operation, _, a, b, c = flat[start : start + WIDTH]
            if operation not in leaves:
                last[a] = last[b] = last[c] = start
        place = list(range(inputs)) + [0] * (self._count - inputs)
        base = inputs + results
        free: list[int] = []
        slots = 0
        table = array("i", bytes(4 * len(flat)))
        for start in range(0, len(flat), WIDTH):
            operation, value, a, b, c = flat[start : start + WIDTH]
            if operation in leaves:
                table[start + 2] = a
            else:
                table[start + 2] = place[a]
                table[start + 3] = place[b]
                table[start + 4] = place[c]
                if a >= inputs and last[a] == start:
                    free.append(place[a])
                if b >= inputs and b != a and last[b] == start:
                    free.append(place[b])
                if c >= inputs and c not in (a, b) and last[c] == start:
                    free.append(place[c])
            table[start] = operation
            if operation in added:
                table[start + 1] = value
                continue
            if free:
                where = free.pop()
            else:
                where = base + slots
                slots += 1
            place[value] = table[start + 1] = where
            if last[value] <= start:  # nothing uses it
                free.append(where)
        return table, slots
