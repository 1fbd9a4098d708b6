"""Expressions typed as text, built as Values: parsed with a whitelist, never evaluated as code.

>>> root, names = parse("tanh(x * w) + 1", {"x": 2.0, "w": -3.0})
>>> names
{'x': Value(data=2.0, grad=0, label='x'), 'w': Value(data=-3.0, grad=0, label='w')}
>>> round(root.data, 6)
1.2e-05
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from micrograd import ops
from micrograd.engine import Value
from micrograd.errors import ArgumentError, MicrogradError

__all__ = ["FUNCTIONS", "assignments", "parse"]

_OPERATORS: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: ops.add,
    ast.Sub: ops.sub,
    ast.Mult: ops.mul,
    ast.Div: ops.div,
}
_HIDDEN: Final = ("add", "sub", "mul", "div", "neg", "pow", "identity", "share")
_OF_LISTS: Final[dict[str, Callable[..., Any]]] = {
    "sum": ops.sum,
    "dot": ops.dot,
    "logsumexp": ops.logsumexp,
}
_LARGEST_POWER: Final = 100_000  # bits; larger integers would take for ever


def FUNCTIONS() -> dict[str, Callable[..., Any]]:  # noqa: N802
    """Return the functions that an expression may call, by name: those of the op table.

    Examples
    --------
    >>> "tanh" in FUNCTIONS(), "open" in FUNCTIONS()
    (True, False)
    """
    table = {name: row for name, row in ops.TABLE.items() if name not in _HIDDEN}
    return {**table, "leaky_relu": ops.leaky_relu, "elu": ops.elu, **_OF_LISTS}


def assignments(texts: Sequence[str]) -> dict[str, Any]:
    """Return the numbers of texts such as "x=2", "w=-0.5" and "q=1/3", by name.

    Raises
    ------
    ArgumentError
        If a text is no assignment of a number, or a name comes twice.

    Examples
    --------
    >>> assignments(["x=2", "w=-0.5", "q=1/3"])
    {'x': 2, 'w': -0.5, 'q': Fraction(1, 3)}
    """
    numbers: dict[str, Any] = {}
    for text in texts:
        name, sign, number = (part.strip() for part in text.partition("="))
        if not sign or not name.isidentifier():
            raise ArgumentError(f"expected name=number, such as x=2, got {text!r}")
        if name in numbers:
            raise ArgumentError(f"{name} is given twice")
        numbers[name] = _number(name, number)
    return numbers


def _number(name: str, text: str) -> Any:
    kinds: tuple[Callable[[str], Any], ...] = (int, float, Fraction)
    for kind in kinds:
        try:
            return kind(text)
        except ZeroDivisionError:
            break
        except ValueError:
            continue
    raise ArgumentError(
        f"the value of {name} must be a number, such as 2, -0.5 or 1/3, got {text!r}"
    )


def parse(text: str, numbers: Mapping[str, Any]) -> tuple[Value, dict[str, Value]]:
    """Return the Value of an expression, and the Value of each name in it.

    Parameters
    ----------
    text : str
        Numbers, names, `+ - * / **`, parentheses and functions of the op table; `sum`, `dot` and
        `logsumexp` take lists in brackets.
    numbers : mapping of str to number
        One for each name.

    Returns
    -------
    root : Value
    names : dict of str to Value
        Leaves, labelled by their names, in the order of `numbers`.

    Raises
    ------
    ArgumentError
        If the text is no such expression; the message shows where. Also a ValueError.
    DomainError, ZeroDivisorError, OverflowRangeError
        If a function has no value there; the message shows where.

    Examples
    --------
    >>> parse("x + print(1)", {"x": 1})
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentError: unknown function 'print' at column 5
      x + print(1)
          ^
    """
    source = text.strip()
    if not source:
        raise ArgumentError("the expression is empty")
    try:
        tree = ast.parse(source, mode="eval")
    except SyntaxError as error:
        place = (error.lineno or 1, max((error.offset or 1) - 1, 0))
        raise ArgumentError(_at(source, f"{error.msg}", place)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        reason = "it is nested too deeply" if not isinstance(error, ValueError) else str(error)
        raise ArgumentError(f"the expression cannot be read: {reason}") from None
    builder = _Builder(source, numbers)
    root = builder.build(tree.body)
    unused = [name for name in numbers if name not in builder.used]
    if unused:
        raise ArgumentError(f"the expression has no {', '.join(unused)}: {source!r}")
    names = {name: value for name, value in builder.names.items() if name in builder.used}
    return (root if isinstance(root, Value) else _constant(root)), names


def _constant(number: Any) -> Value:
    value = Value(number)
    value.op = ops.constant
    return value


def _at(source: str, message: str, place: tuple[int, int]) -> str:
    """Return the message with a caret under the place: a line from 1, a column from 0."""
    line, column = place
    rows = source.split("\n")
    row = rows[min(line, len(rows)) - 1]
    where = f"line {line}, column {column + 1}" if len(rows) > 1 else f"column {column + 1}"
    return f"{message} at {where}\n  {row}\n  {' ' * column}^"


class _Builder:
    """Builds Values from a syntax tree, with a stack of its own, however deep the tree."""

    def __init__(self, source: str, numbers: Mapping[str, Any]) -> None:
        self.rows = source.split("\n")
        self.source = source
        self.names = {name: Value(number, label=name) for name, number in numbers.items()}
        self.used: set[str] = set()
        self.functions = FUNCTIONS()

    def place(self, node: ast.AST) -> tuple[int, int]:
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        before = self.rows[line - 1].encode("utf-8")[:offset]  # offsets count bytes
        return line, len(before.decode("utf-8", "ignore"))

    def refused(self, node: ast.AST, message: str) -> ArgumentError:
        return ArgumentError(_at(self.source, message, self.place(node)))

    def build(self, tree: ast.expr) -> Any:
        """Return the number or Value of an expression: operands first, then what joins them."""
        results: list[Any] = []
        stack: list[tuple[ast.expr, int]] = [(tree, -1)]
        while stack:
            node, count = stack.pop()
            if count < 0:
                operands = self.operands(node)
                stack.append((node, len(operands)))
                stack += [(operand, -1) for operand in reversed(operands)]
                continue
            inputs = results[len(results) - count :]
            del results[len(results) - count :]
            try:
                results.append(self.joined(node, inputs))
            except ArgumentError:
                raise
            except MicrogradError as error:
                message = _at(self.source, str(error), self.place(node))
                raise type(error)(message) from None
        return results[0]

    def operands(self, node: ast.expr) -> list[ast.expr]:
        if isinstance(node, ast.BinOp):
            if type(node.op) not in _OPERATORS and not isinstance(node.op, ast.Pow):
                sign = type(node.op).__name__
                raise self.refused(node, f"the operator {sign} is not one of + - * / **")
            return [node.left, node.right]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            return [node.operand]
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name):
                raise self.refused(node, "only functions of the op table can be called")
            if node.func.id not in self.functions:
                raise self.refused(node, f"unknown function {node.func.id!r}")
            if node.keywords:
                raise self.refused(node, f"{node.func.id} takes no named arguments here")
            lists = node.func.id in _OF_LISTS
            for argument in node.args:
                if isinstance(argument, ast.List) and not lists:
                    raise self.refused(argument, f"{node.func.id} takes no list")
            return list(node.args)
        if isinstance(node, ast.List):
            return list(node.elts)
        if isinstance(node, (ast.Name, ast.Constant)):
            return []
        kind = type(node).__name__
        raise self.refused(node, f"expected numbers, names, + - * / ** and functions, got {kind}")

    def joined(self, node: ast.expr, inputs: list[Any]) -> Any:
        if isinstance(node, ast.Constant):
            if type(node.value) not in (int, float):
                raise self.refused(node, f"expected a number, got {node.value!r}")
            return node.value
        if isinstance(node, ast.Name):
            if node.id not in self.names:
                hint = f"{node.id}(...)" if node.id in self.functions else f"{node.id}=..."
                raise self.refused(node, f"{node.id} has no value: write {hint}")
            self.used.add(node.id)
            return self.names[node.id]
        if isinstance(node, ast.List):
            return inputs
        if any(isinstance(item, list) for item in inputs) and not isinstance(node, ast.Call):
            raise self.refused(node, "a list can only be given to sum, dot or logsumexp")
        if isinstance(node, ast.UnaryOp):
            return inputs[0] if isinstance(node.op, ast.UAdd) else -inputs[0]
        if isinstance(node, ast.BinOp):
            return self.binary(node, *inputs)
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        return self.called(node, node.func.id, inputs)

    def binary(self, node: ast.BinOp, left: Any, right: Any) -> Any:
        if not isinstance(left, Value) and not isinstance(right, Value):
            left = _constant(left)  # 2 * 3 is drawn too, as typed
        if not isinstance(node.op, ast.Pow):
            return _OPERATORS[type(node.op)](left, right)
        base, exponent = getattr(left, "data", left), getattr(right, "data", right)
        if isinstance(base, (int, Fraction)) and isinstance(exponent, int):
            size = max(base.numerator.bit_length(), base.denominator.bit_length())
            if size > 1 and size * abs(exponent) > _LARGEST_POWER:
                raise self.refused(node, "the power is too large to compute")
        return left**right

    def called(self, node: ast.Call, name: str, inputs: list[Any]) -> Any:
        if name not in _OF_LISTS and not any(isinstance(item, Value) for item in inputs):
            inputs = [_constant(item) if i == 0 else item for i, item in enumerate(inputs)]
        try:
            result = self.functions[name](*inputs)
        except TypeError as error:
            if isinstance(error, MicrogradError):
                raise
            raise self.refused(node, f"{name} cannot take these arguments") from None
        except ArgumentError as error:
            raise self.refused(node, str(error)) from None
        return result
