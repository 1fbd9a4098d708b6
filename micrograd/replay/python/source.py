"""A tape as readable Python: the forward pass, then the gradient, one line a node."""

from __future__ import annotations

import builtins
import keyword
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from micrograd import ops
from micrograd.ops import Op, as_float
from micrograd.replay.python import ieee
from micrograd.replay.trace.tape import CONSTANT, INPUT, PARAMETER, Tape

__all__ = ["array_namespace", "function_name", "python_source", "scalar_namespace"]


# Python's parser recurses for every term of a sum, and fails at some 3,000 of them.
_WIDE = 500


def _named(op: Op) -> bool:
    """Return whether the row's own code can be run with the names that the source has."""
    if op.arity > _WIDE and op.precedence < 5:
        return False
    return ops.TABLE.get(op.name) is op or op.key in _TEXTS or op.code == "{0}"


def _code(op: Op, operands: list[str], arrays: bool) -> str:
    return op.code.format(*operands)


def _dot(op: Op, operands: list[str], arrays: bool) -> str:
    text = op.code.format(*operands)
    return text if op.arity % 2 else f"0 + {text}"  # as in the engine: never -0.0


def _power(op: Op, operands: list[str], arrays: bool) -> str:
    (exponent,) = op.parameters
    if arrays or exponent % 1 != 0:
        return f"pow({operands[0]}, {_literal(exponent)})"
    return op.code.format(*operands)


def _called(name: str) -> Callable[[Op, list[str], bool], str]:
    return lambda op, operands, arrays: f"{name}({', '.join(operands)})"


# How a row is written with the names that the source has, by the row or its factory; a row of the
# table that is not listed is written as its `code`.
_TEXTS: dict[Op | str, Callable[[Op, list[str], bool], str]] = {
    ops.pow: _called("pow"), "power": _power, "base_power": _called("pow"),
    "sum_of": _code, "dot_of": _dot, "logsumexp_of": _code, "peak_of": _called("peak"),
    "take_of": _code,
    "leaky_relu_with": _code, "elu_with": _code,
}  # fmt: skip


def _names(tape: Tape, taken: set[str]) -> tuple[list[str], dict[int, str]]:
    """Return a name for every position, and for operations whose code cannot be used."""
    extra = {p: f"op_{p}" for p, op in enumerate(tape.rows) if op is not None and not _named(op)}
    taken |= set(extra.values())
    names: list[str] = []
    for position, op in enumerate(tape.rows):
        label = tape.labels.get(position, "")
        if op is None and tape.operands[position][0] == CONSTANT:
            names.append(_literal(tape.operands[position][1]))
            continue
        if not label.isidentifier() or keyword.iskeyword(label) or label in taken:
            if op is None:
                kind, number = tape.operands[position]
                label = f"p{number}" if kind == PARAMETER else f"x{number}"
            elif position in tape.adjoints:
                label = f"d_{names[tape.adjoints[position]]}"
            else:
                label = f"v{position}"
            if label in taken or not label.isidentifier():
                label = f"v{position}"
            while label in taken:
                label += "_"
        taken.add(label)
        names.append(label)
    return names, extra


def function_name(name: str) -> str:
    """Return a name for the function, with an underscore if the source uses it otherwise."""
    return f"{name}_" if name in _reserved() or keyword.iskeyword(name) else name


def _reserved() -> set[str]:
    own = {"inputs", "parameters", "nan", "inf"}
    return own | set(ops.TABLE) | set(_CALLED) | set(dir(builtins))


def _literal(value: Any) -> str:
    if isinstance(value, Fraction) or math.isinf(as_float(value)):
        value = as_float(value)
    text = repr(value)
    return f"({text})" if text.startswith("-") else text


def python_source(
    tape: Tape, name: str, arguments: str, arrays: bool = False
) -> tuple[str, dict[str, Op]]:
    """Return the program as Python, and the operations that it calls by names made for them.

    The function is called `function_name(name)`. It takes two sequences, the inputs and the
    parameters, and returns two tuples, the outputs and the gradients. A power that would be complex
    for a negative number is written as a call; with `arrays` every power is, so that `math`
    computes it, not NumPy.
    """
    names, extra = _names(tape, _reserved())
    own: dict[str, Op] = {}
    lines = [f"def {function_name(name)}(inputs, parameters):"]
    title = f"{name}({arguments})"
    lines.append(
        f'    """Compute {title}' + (' and its gradient."""' if tape.gradients else '."""')
    )
    for kind, source in ((INPUT, "inputs"), (PARAMETER, "parameters")):
        leaves = tape.leaves(kind)
        # Unpacked eight at a time: readable for a few, and fast for many.
        at = {number: position for position, number in leaves.items()}
        if at:
            row = [names[at[i]] if i in at else "_" for i in range(max(at) + 1)]
            for start in range(0, len(row), 8):
                part = ", ".join(row[start : start + 8])
                end = start + len(row[start : start + 8])
                lines.append(f"    {part}, = {source}[{start}:{end}]")
    forward = tape.needed(tape.outputs)
    divided = not tape.gradients
    for position, op in enumerate(tape.rows):
        if op is None:
            continue
        if not divided and not forward[position]:
            divided = True
            lines.append("")
            lines.append("    # The gradient, from the output back: d_x is d(output)/d(x).")
        operands = [names[operand] for operand in tape.operands[position]]
        if position in extra:
            own[extra[position]] = op
            text = f"{extra[position]}({', '.join(operands)})"
        else:
            text = _TEXTS.get(op.key, _code)(op, operands, arrays)
        comment = op.noun
        if position in tape.adjoints and not forward[position]:
            comment += f", d/d {names[tape.adjoints[position]]}"
        lines.append(f"    {names[position]} = {text}  # {comment}")
    outputs = "".join(f"{names[position]}, " for position in tape.outputs)
    gradients = ", ".join("0.0" if g is None else names[g] for g in tape.gradients)
    lines.append(f"    return ({outputs}), ({gradients}{',' if tape.gradients else ''})")
    return "\n".join(lines) + "\n", own


# ---- the names that the source uses -------------------------------------------------------------


# What the source calls by name where the row depends on the arguments: the row and its operands.
_CALLED: dict[str, Callable[..., tuple[Op, Sequence[Any]]]] = {
    "leaky_relu": lambda x, negative_slope: (ops.leaky_relu_with(negative_slope), [x]),
    "elu": lambda x, alpha: (ops.elu_with(alpha), [x]),
    "logsumexp": lambda values: (ops.logsumexp_of(len(values)), values),
    "peak": lambda *values: (ops.peak_of(len(values)), values),
    "take": lambda values, index: (ops.take_of(len(values)), [*values, index]),
}


def _namespace(own: dict[str, Op], run: Callable[[Op], Callable[..., Any]]) -> dict[str, Any]:
    """Return the names that the source needs, given how a row is run."""

    def called(row_of: Callable[..., tuple[Op, Sequence[Any]]]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            op, operands = row_of(*args)
            return run(op)(*operands)

        return call

    return {
        **{name: run(op) for name, op in ops.TABLE.items()},
        **{name: called(row_of) for name, row_of in _CALLED.items()},
        **{name: run(op) for name, op in own.items()},
        "nan": math.nan,
        "inf": math.inf,
    }


def scalar_namespace(own: dict[str, Op]) -> dict[str, Any]:
    """Return the names that the source needs to run on numbers: the forward rules of the table."""
    return _namespace(own, lambda op: op.forward)


def array_namespace(own: dict[str, Op]) -> dict[str, Any]:
    """Return the names that it needs to run on arrays, an element for each sample.

    The bits are the same: choices and square roots are NumPy's, which are exact; other functions
    are the table's, element by element, because NumPy's `exp` rounds differently from Python's.
    """
    import numpy as np

    def each(op: Op) -> Callable[..., Any]:
        def apply(*operands: Any) -> Any:
            columns = np.broadcast_arrays(*operands)
            if columns[0].ndim == 0:
                return ieee.row(op, *[column.item() for column in columns])
            lists = [column.tolist() for column in columns]
            try:
                return np.fromiter(map(op.forward, *lists), float, len(lists[0]))
            except (ArithmeticError, ValueError):
                return np.array([ieee.row(op, *one) for one in zip(*lists, strict=True)])

        return apply

    def relu(x: Any) -> Any:
        return np.where(np.less(x, 0), 0.0, x)

    def take(values: Sequence[Any], index: Any) -> Any:
        taken = np.full(np.shape(index), np.nan)
        for i, value in enumerate(values):
            taken = np.where(np.equal(index, i), value, taken)
        return taken

    exact: dict[str, Callable[..., Any]] = {
        "abs": np.abs,
        "sqrt": np.sqrt,
        "relu": relu,
        "where": lambda condition, a, b: np.where(np.not_equal(condition, 0), a, b),
        "greater": lambda a, b: np.greater(a, b) * 1.0,
        "greater_equal": lambda a, b: np.greater_equal(a, b) * 1.0,
        "equal": lambda a, b: np.equal(a, b) * 1.0,
        "share": lambda a, b: np.where(np.equal(a, b), 0.5, np.greater(a, b) * 1.0),
        "maximum": lambda a, b: np.where(np.greater(a, b) | np.not_equal(a, a), a, b),
        "minimum": lambda a, b: np.where(np.less(a, b) | np.not_equal(a, a), a, b),
        "leaky_relu": lambda x, slope: np.where(np.greater(x, 0), x, slope * x),
        "take": take,
    }
    return {**_namespace(own, each), **exact}
