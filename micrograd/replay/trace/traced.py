"""The trace of a function for one shape of inputs, and the programs that are made from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.replay.kernels import PythonKernel
from micrograd.replay.trace.derivatives import differentiate
from micrograd.replay.trace.recorder import Recorder
from micrograd.replay.trace.tape import CONSTANT, INPUT, PARAMETER, Tape
from micrograd.values.collecting import uncollected

# Of how many steps for the derivatives of weighted sums on these are rows of many numbers: below,
# all steps are compiled one by one, which is faster to run.
_LARGE = 5_000

__all__ = ["Trace", "uncollected"]  # the second stood here in version 1.0.0


class Trace:
    """The function as traced for one shape of inputs, and the programs made from it."""

    def __init__(
        self,
        tape: Tape,
        parameters: list[Value],
        shapes: tuple[Any, ...],
        sequence: bool,
        everyone: list[Value],
    ) -> None:
        self.tape, self.parameters = tape, parameters
        self.everyone = everyone  # the parameters of all shapes, to which others are appended
        self.shapes, self.sequence = shapes, sequence
        self.sizes = [math.prod(shape) for shape in shapes]
        self.programs: dict[str, tuple[Tape, list[int], Any]] = {}
        self.shown: PythonKernel | None = None  # keeps the source in linecache
        self.again = False  # whether it was called before

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "programs": {}, "shown": None}

    def of(self, everyone: list[Value], places: Sequence[int]) -> Trace:
        """Return the same trace, its programs included, with other live parameters.

        Its own parameters are those at some places among all of them.
        """
        parameters = [everyone[place] for place in places]
        other = Trace(self.tape, parameters, self.shapes, self.sequence, everyone)
        other.programs = self.programs
        return other

    def places(self) -> list[int]:
        """Return which of the parameters of all shapes this one reads."""
        place = {id(value): i for i, value in enumerate(self.everyone)}
        return [place[id(value)] for value in self.parameters]

    def comparable(self) -> tuple[Any, ...]:
        """Return what its programs depend on; that of another trace is equal if these would be."""
        tape, constants = self.tape, []
        for op, what in zip(tape.rows, tape.operands, strict=True):
            if op is None and what[0] == CONSTANT:  # 0.0 is equal to -0.0, and a nan is to nothing
                constants.append((type(what[1]), repr(what[1])))
        operands = [
            CONSTANT if op is None and what[0] == CONSTANT else what
            for op, what in zip(tape.rows, tape.operands, strict=True)
        ]
        numbers = (len(self.parameters), self.shapes, self.sequence, *tape.outputs)
        labels = tuple(tape.labels.items())
        return (*numbers, tuple(tape.rows), tuple(operands), tuple(constants), labels)

    def derived(self, kind: str, loops: bool = False) -> tuple[Tape, list[int]]:
        """Return the optimised tape of one kind, and which of its derivatives are not zero.

        For a machine that has loops, derivatives of a large program are rows of many numbers.
        """
        tape = Tape()
        tape.rows, tape.operands = list(self.tape.rows), list(self.tape.operands)
        tape.outputs, tape.labels = self.tape.outputs, self.tape.labels
        recorder = Recorder()
        recorder.tape, recorder.tracing = tape, False
        wanted = []
        if kind != "value":
            leaves = tape.leaves(PARAMETER if kind == "parameters" else INPUT)
            number = {what: position for position, what in leaves.items()}
            count = len(self.parameters) if kind == "parameters" else sum(self.sizes)
            wanted = [number.get(i, -1) for i in range(count)]
        whole = loops and 4 * sum(op.pairs for op in tape.rows if op is not None) > _LARGE
        gradients: list[int | None] = []
        if kind in ("parameters", "inputs"):
            gradients = _derivatives(
                recorder, tape.outputs[0], wanted, whole=whole, named=not loops
            )
        elif kind == "jacobian":
            for output in tape.outputs:
                gradients += _derivatives(recorder, output, wanted)
        elif kind == "hessian":
            for first in _derivatives(recorder, tape.outputs[0], wanted, as_numbers=False):
                if first is None:
                    gradients += [None] * len(wanted)
                else:
                    gradients += _derivatives(recorder, first, wanted)
        tape.gradients = gradients
        if kind in ("jacobian", "hessian"):
            tape.adjoints = {}
        used = [i for i, position in enumerate(gradients) if position is not None]
        tape.gradients = [position for position in gradients if position is not None]
        return tape.optimised(), used


def _derivatives(
    recorder: Recorder, output: int, wanted: list[int], as_numbers: bool = True, **how: bool
) -> list[int | None]:
    present = [position for position in wanted if position >= 0]
    found = iter(differentiate(recorder, output, present, as_numbers, **how))
    return [next(found) if position >= 0 else None for position in wanted]
