"""A sample replayed with Values, to name the first node or derivative that is not finite."""

from __future__ import annotations

import math

from micrograd.engine import Value, gradient
from micrograd.errors import NonFiniteError
from micrograd.replay.tape import CONSTANT, INPUT, PARAMETER
from micrograd.replay.traced import Trace

__all__ = ["replayed"]


def replayed(
    trace: Trace, kind: str, flat: list[float], held: list[float], name: str
) -> list[float]:
    """Run a sample with Values; raise for the first node or derivative that is not finite."""
    tape = trace.tape
    values: dict[int, Value] = {}
    for position, op in enumerate(tape.rows):
        label = tape.labels.get(position, "")
        if op is None:
            leaf, what = tape.operands[position]
            if leaf == CONSTANT:
                values[position] = Value(what)
                continue
            values[position] = Value(flat[what] if leaf == INPUT else held[what], label=label)
            if not math.isfinite(values[position].data):
                raise NonFiniteError(f"{leaf} {label or what} of {name} is {values[position].data}")
            continue
        operands = [values[operand] for operand in tape.operands[position]]
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
    outputs = [values[position] for position in tape.outputs]
    results = [float(output.data) for output in outputs]
    if kind == "value":
        return results
    leaves = tape.leaves(PARAMETER if kind == "parameters" else INPUT)
    inputs = [values[position] for _, position in sorted((n, p) for p, n in leaves.items())]
    roots, what = outputs[:1], "the derivative"
    if kind == "jacobian":
        roots = outputs
    elif kind == "hessian":
        roots, what = gradient(outputs[0], inputs, create_graph=True), "the second derivative"
    slopes = [float(slope) for root in roots for slope in gradient(root, inputs)]
    for i, slope in enumerate(slopes):
        if not math.isfinite(slope):
            number = i % len(inputs)
            place = "parameter" if kind == "parameters" else "input"
            there = inputs[number].label or f"{place} {number}"
            raise NonFiniteError(f"{what} of {name} in {there} is {slope}")
    return results + [slopes[i] for i in trace.programs[kind][1]]
