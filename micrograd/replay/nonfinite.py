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
from micrograd.values.checks import is_finite

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
    """Run a sample with Values, and return the results unless one of them is wrong.

    They may be finite: a choice between Values passes nothing to what it did not choose. Or they
    are infinite because an input, a parameter or a constant is, as in the engine.

    Raises
    ------
    NonFiniteError
        If a result is nan, or infinite though what it is computed from is finite; the message names
        the first node or derivative of which that is so.
    DomainError, OverflowRangeError, ZeroDivisorError
        Whatever the engine raises before it meets such a number.
    """
    wrong: dict[int, str] = {}  # what is said of a position
    try:
        values = _values(trace, flat, held, name, wrong)
        results = [float(values[position].data) for position in trace.tape.outputs]
    except (ArithmeticError, ValueError) as error:
        if wrong:
            raise NonFiniteError(next(iter(wrong.values()))) from error
        raise
    for position in trace.tape.outputs:
        if position in wrong:
            raise NonFiniteError(wrong[position])
    if kind != "value":
        derivatives = _derivatives(trace, kind, values)
        if wrong and not all(map(math.isfinite, derivatives)):
            raise NonFiniteError(next(iter(wrong.values())))
        results += derivatives
    return results


def _values(
    trace: Trace, flat: list[float], held: list[float], name: str, wrong: dict[int, str]
) -> list[Value]:
    """Return the Value of every position, and write into `wrong` where a first one went wrong."""
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
            if math.isnan(values[-1].data):
                wrong[position] = f"{leaf} {label or what} of {name} is nan"
            continue
        places = tape.operands[position]
        operands = [values[place] for place in places]
        result = op(*operands)
        values.append(result)
        result.label = label
        if is_finite(result.data):
            continue
        infinite = [place for place in places if not is_finite(values[place].data)]
        if result.data == result.data and any(place not in wrong for place in infinite):
            continue
        if went_wrong := [wrong[place] for place in infinite if place in wrong]:
            wrong[position] = went_wrong[0]
        else:
            operands_shown = [
                f"{operand.label}={operand.data}" if operand.label else f"{operand.data}"
                for operand in operands
            ]
            called = f" ({label})" if label else ""
            wrong[position] = f"{op.written(*operands_shown)}{called} is {result.data}"
    return values


def _derivatives(trace: Trace, kind: str, values: list[Value]) -> list[float]:
    """Return the derivatives of a program."""
    leaves = trace.tape.leaves(PARAMETER if kind == "parameters" else INPUT)
    inputs = [values[position] for _, position in sorted((n, p) for p, n in leaves.items())]
    outputs = [values[position] for position in trace.tape.outputs]
    roots = outputs if kind == "jacobian" else outputs[:1]
    if kind == "hessian":
        roots = gradient(outputs[0], inputs, create_graph=True)
    found = [float(one) for root in roots for one in gradient(root, inputs)]
    return [found[i] for i in trace.programs[kind][1]]
