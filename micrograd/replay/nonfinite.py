"""Results that are not finite: replaying the sample with Values names what went wrong first."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

from micrograd.engine import Value, gradient
from micrograd.errors import MicrogradError, NonFiniteError
from micrograd.replay.kernels import numpy, rows_of
from micrograd.replay.trace.tape import CONSTANT, INPUT, PARAMETER
from micrograd.replay.trace.traced import Trace
from micrograd.replay.trace.watch import user_frame

__all__ = ["Checks", "replayed"]


class Checks:
    """Turns results that are not finite into an error, a warning, or nothing."""

    check: str
    _name: str

    def _check_rows(
        self,
        trace: Trace,
        kind: str,
        columns: list[Any],
        held: Any,
        parts: Iterable[tuple[int, Any]],
    ) -> bool:
        """Replay the samples whose results are not finite, and write what they give into the batch.

        A part of the batch is the number of its first sample and the results of its samples.
        Return whether any sample was an error.
        """
        np = numpy()
        if self.check == "ignore":
            return False
        columns = [rows_of(column) for column in columns]
        first: tuple[str, Exception] | None = None
        wrong = 0
        for start, rows in parts:
            finite = np.isfinite(rows)
            if finite.all():
                continue
            for i in np.flatnonzero(~finite.all(axis=1)):
                flat = [float(x) for column in columns for x in column[start + i]]
                try:
                    rows[i] = replayed(trace, kind, flat, list(held), self._name)
                except (ArithmeticError, ValueError) as error:
                    wrong += 1
                    first = first or (f"sample {start + i}: {error}", error)
                    if self.check == "raise":
                        self._complain(*first)
        if first is not None:
            more = f" (and {wrong - 1} more)" if wrong > 1 else ""
            self._complain(first[0] + more, first[1])
        return first is not None

    def _checked(
        self, trace: Trace, kind: str, flat: list[float], held: Any, results: list[float]
    ) -> list[float]:
        """Replay a sample with Values: return its results if they are finite, else complain."""
        if self.check == "ignore":
            return results
        try:
            return replayed(trace, kind, flat, list(held), self._name)
        except (ArithmeticError, ValueError) as error:
            self._complain(str(error), error)
        return results

    def _complain(self, text: str, error: Exception) -> None:
        if self.check == "raise":
            raise (type(error) if isinstance(error, MicrogradError) else NonFiniteError)(
                text
            ) from error
        warnings.warn(text, RuntimeWarning, stacklevel=user_frame()[1])


def replayed(
    trace: Trace, kind: str, flat: list[float], held: list[float], name: str
) -> list[float]:
    """Run a sample with Values, and return the results if they are finite.

    They may be: a choice between Values passes nothing to what it did not choose.

    Raises
    ------
    NonFiniteError
        If a result is not finite; the message names the first node or derivative that is not.
    DomainError, OverflowRangeError, ZeroDivisorError
        Whatever the engine raises before it meets a number that is not finite.
    """
    said: list[str] = []  # a message for each number that is not finite
    try:
        values = _values(trace, flat, held, name, said)
        results = [float(values[position].data) for position in trace.tape.outputs]
        if kind != "value":
            results += _derivatives(trace, kind, values, name, said)
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
            operands_shown = [
                f"{operand.label}={operand.data}" if operand.label else f"{operand.data}"
                for operand in operands
            ]
            called = f" ({label})" if label else ""
            said.append(f"{op.written(*operands_shown)}{called} is {result.data}")
    return values


def _derivatives(
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
    found = [float(one) for root in roots for one in gradient(root, inputs)]
    for i, derivative in enumerate(found):
        if not math.isfinite(derivative):
            number = i % len(inputs)
            place = "parameter" if kind == "parameters" else "input"
            there = inputs[number].label or f"{place} {number}"
            said.append(f"{what} of {name} in {there} is {derivative}")
    return [found[i] for i in trace.programs[kind][1]]
