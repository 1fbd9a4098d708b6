"""A sample replayed with Values, to name the first node or derivative that is not finite."""

from __future__ import annotations

import math

from micrograd.engine import Value, gradient
from micrograd.errors import NonFiniteError
from micrograd.replay.trace.tape import CONSTANT, INPUT, PARAMETER
from micrograd.replay.trace.traced import Trace

__all__ = ["replayed"]


def replayed(
    trace: Trace, kind: str, flat: list[float], held: list[float], name: str
) -> list[float]:
    """Run a sample with Values, which pass nothing to what a choice did not take.

    Return the results, where they are finite after all.

    Raises
    ------
    NonFiniteError
        If one is not; it names the first node or derivative that is not finite.
    DomainError, OverflowRangeError, ZeroDivisorError
        What the engine raises, where all is finite up to there.
    """
    said: list[str] = []  # of each number that is not finite
    try:
        values = _values(trace, flat, held, name, said)
        results = [float(values[position].data) for position in trace.tape.outputs]
        if kind != "value":
            results += _slopes(trace, kind, values, name, said)
    except (ArithmeticError, ValueError) as error:
        if said:
            raise NonFiniteError(said[0]) from error
        raise
    if not all(map(math.isfinite, results)):
        raise NonFiniteError(said[0] if said else f"{name} gives {results}")
    return results


def _values(
    trace: Trace, flat: list[float], held: list[float], name: str, said: list[str]
) -> list[Value]:
    """Return the Value of every position."""
    tape = trace.tape
    values: list[Value] = []
    for position, op in enumerate(tape.rows):
        label = tape.labels.get(position, "")
        if op is None:
            leaf, what = tape.operands[position]
            if leaf == CONSTANT:
                values.append(Value(what))
                continue
            values.append(Value(flat[what] if leaf == INPUT else held[what], label=label))
            if not math.isfinite(values[-1].data):
                said.append(f"{leaf} {label or what} of {name} is {values[-1].data}")
            continue
        operands = [values[operand] for operand in tape.operands[position]]
        result = op(*operands)
        values.append(result)
        result.label = label
        if result.data * 0 != 0:
            texts = [
                f"{operand.label}={operand.data}" if operand.label else f"{operand.data}"
                for operand in operands
            ]
            called = f" ({label})" if label else ""
            said.append(f"{op.written(*texts)}{called} is {result.data}")
    return values


def _slopes(
    trace: Trace, kind: str, values: list[Value], name: str, said: list[str]
) -> list[float]:
    """Return the derivatives of a program."""
    leaves = trace.tape.leaves(PARAMETER if kind == "parameters" else INPUT)
    inputs = [values[position] for _, position in sorted((n, p) for p, n in leaves.items())]
    outputs = [values[position] for position in trace.tape.outputs]
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
            said.append(f"{what} of {name} in {there} is {slope}")
    return [slopes[i] for i in trace.programs[kind][1]]
