"""The docstring and the signature of a row, from its fields: what `help(micrograd.tanh)` shows."""

from __future__ import annotations

import re
from contextlib import suppress
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, Final, cast

from micrograd.ops.operators import REAL, TABLE
from micrograd.ops.text import partial_formulas

if TYPE_CHECKING:
    from micrograd.ops.op import Op

# Operands of an example, of which the first that the row's domain has is taken: no two are equal.
_OPERANDS: Final = ((0.5, 2.0), (2.0, 0.5), (3.0, 0.25))


def operands(op: Op) -> tuple[str, ...]:
    """Return the names of the operands, which are those that the rule of the derivatives has.

    Examples
    --------
    >>> operands(TABLE["arctan2"])
    ('y', 'x')
    """
    code = getattr(op.partials, "__code__", None)
    names = code.co_varnames[1 : code.co_argcount] if code else ()
    return names if len(names) == op.arity else tuple([f"x{i}" for i in range(op.arity)])


def signature(op: Op, first: str = "") -> Signature:
    """Return how a row is called; `first` is another name of the first operand."""
    names = operands(op)
    names = (first, *names[1:]) if first else names
    return Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in names])


def document(op: Op) -> str:
    """Return the docstring of a row.

    Examples
    --------
    >>> document(TABLE["log"]).splitlines()[4:6]
    ['Domain: x > 0.', 'Derivative: 1 / x.']
    """
    if op.partials is None:
        return "A leaf, or the result of an operation that was made by hand: it has no rule."
    names = operands(op)
    notes = [f"Domain: {op.defined or 'every number'}."]
    example: list[str] = []
    with suppress(Exception):  # a user's rule may raise anything: then what needs it is left out
        notes += _derivatives(op, names)
        if TABLE.get(op.name) is op:
            example = ["", "Examples", "--------", *_example(op, names)]
    notes += [op.note] if op.note else []
    notes += [f"Source: {op.source}."] if op.source else []
    summary = op.summary or op.code.format(*names)
    return "\n".join([f"Return {summary}.", "", "Notes", "-----", *notes, *example])


def _derivatives(op: Op, names: tuple[str, ...]) -> list[str]:
    formulas = partial_formulas(op, names)
    uses_out = any(re.search(r"\bout\b", text) for text in formulas)
    where = ", where out is the result" if uses_out else ""
    if op.arity > 1:
        pairs = zip(names, formulas, strict=True)
        return [f"Derivatives: {'; '.join(f'∂out/∂{x} = {text}' for x, text in pairs)}{where}."]
    lines = [f"Derivative: {formulas[0]}{where}."]
    for kink in op.kinks:
        (slope,) = cast("Any", op.partials)(op.forward(kink), kink)
        lines.append(f"At {names[0]} = {kink:g} it is taken as {slope:g}.")
    return lines


def _example(op: Op, names: tuple[str, ...]) -> list[str]:
    numbers = [
        next(x for x in (*choices, (low + high) / 2) if low < x < high)
        for choices, (low, high) in zip(_OPERANDS, op.domain or (REAL,) * op.arity, strict=False)
    ]
    out = op.forward(*numbers)
    results = [out, *cast("Any", op.partials)(out, *numbers)]
    call = f"{names[0]}.{op.name}({', '.join(names[1:])})"
    fields = ["{out.data:.4g}", *[f"{{{name}.grad:.4g}}" for name in names]]
    return [
        ">>> from micrograd import Value",
        f">>> {', '.join(names)} = {', '.join(f'Value({x})' for x in numbers)}",
        f">>> out = {op.code.format(*names) if 0 < op.precedence < 5 else call}",
        ">>> out.backward()",
        f'>>> print(f"{"; ".join(fields)}")',
        "; ".join(f"{number:.4g}" for number in results),
    ]
