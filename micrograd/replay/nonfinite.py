"""A sample replayed with Values, to name the first node or derivative that is not finite."""

from __future__ import annotations

import math

from micrograd.engine import Value
from micrograd.errors import NonFiniteError
from micrograd.replay.tape import CONSTANT, INPUT, PARAMETER
from micrograd.replay.traced import Trace

__all__ = ["replayed"]


def replayed(  # noqa: PLR0917
    trace: Trace, kind: str, flat: list[float], held: list[float], count: int, name: str
) -> list[float]:
    """Run a sample with Values; raise for the first node or derivative that is not finite."""
    tape = trace.programs[kind][0]
    values: dict[int, Value] = {}
    wanted = []
    for position, op in enumerate(trace.tape.rows):
        label = trace.tape.labels.get(position, "")
        if op is None:
            leaf, what = trace.tape.operands[position]
            if leaf == CONSTANT:
                values[position] = Value(what)
                continue
            values[position] = Value(flat[what] if leaf == INPUT else held[what], label=label)
            if not math.isfinite(values[position].data):
                raise NonFiniteError(f"{leaf} {label or what} of {name} is {values[position].data}")
            continue
        operands = [values[operand] for operand in trace.tape.operands[position]]
        result = op(*operands)
        values[position] = result
        result.label = label
        if not math.isfinite(result.data):
            texts = [
                f"{operand.label}={operand.data}" if operand.label else f"{operand.data}"
                for operand in operands
            ]
            called = f" ({label})" if label else ""
            raise NonFiniteError(f"{op.written(*texts)}{called} is {result.data}")
    outputs = [float(values[position].data) for position in trace.tape.outputs]
    if kind == "value":
        return outputs
    if kind not in ("parameters", "inputs"):
        raise NonFiniteError(f"a derivative of {name} is not finite at {flat}")
    leaves = trace.tape.leaves(PARAMETER if kind == "parameters" else INPUT)
    wanted = sorted((what, position) for position, what in leaves.items())
    values[trace.tape.outputs[0]].backward()
    grads = {what: float(values[position].grad) for what, position in wanted}
    for what, position in wanted:
        if not math.isfinite(grads[what]):
            label = trace.tape.labels.get(position, "") or f"{kind[:-1]} {what}"
            raise NonFiniteError(f"the derivative of {name} in {label} is {grads[what]}")
    used = trace.programs[kind][1]
    assert count == len(tape.outputs) + len(used)
    return outputs + [grads.get(i, 0.0) for i in used]
