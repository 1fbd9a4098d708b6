"""Parse an expression and build its Values: only what is allowed is built, no code is evaluated.

>>> root, names = parse("tanh(x * w) + 1", {"x": 2.0, "w": -3.0})
>>> names
{'x': Value(data=2.0, grad=0, label='x'), 'w': Value(data=-3.0, grad=0, label='w')}
>>> round(root.data, 6)
1.2e-05
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from micrograd import ops
from micrograd.cli.spelling import CONSTANTS, MODULES, OPERATORS, function_hint, misspelled
from micrograd.engine import Value
from micrograd.errors import ArgumentError, MicrogradError

__all__ = ["assignments", "functions", "parse"]

_OPERATORS: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: ops.add,
    ast.Sub: ops.sub,
    ast.Mult: ops.mul,
    ast.Div: ops.div,
}
_INTERNAL: Final = (ops.ratio, ops.share)  # rows of derivatives
_OF_LISTS: Final[dict[str, Callable[..., Any]]] = {
    "sum": ops.sum,
    "dot": ops.dot,
    "logsumexp": ops.logsumexp,
    "take": ops.take,
}
_LARGEST: Final = 100_000  # bits of an integer; larger ones take too long
_DIGITS: Final = 4000  # Python converts at most 4300 at once


def functions() -> dict[str, Callable[..., Any]]:
    """Return the functions that an expression may call, by name: those of the op table.

    Examples
    --------
    >>> "tanh" in functions(), "open" in functions()
    (True, False)
    """
    calls = [row for row in ops.TABLE.values() if row.precedence == 5]  # not written as operators
    table = {row.name: row for row in calls if row not in _INTERNAL}
    return {**table, "leaky_relu": ops.leaky_relu, "elu": ops.elu, **_OF_LISTS}


def assignments(words: Sequence[str]) -> dict[str, Any]:
    """Return the numbers of words such as "x=2", "w=-0.5" and "q=1/3", by name.

    Raises
    ------
    ArgumentError
        If a word is not of the form name=number, or a name is given twice.

    Examples
    --------
    >>> assignments(["x=2", "w=-0.5", "q=1/3"])
    {'x': 2, 'w': -0.5, 'q': Fraction(1, 3)}
    """
    numbers: dict[str, Any] = {}
    for word in words:
        name, sign, number = (part.strip() for part in word.partition("="))
        name = unicodedata.normalize("NFKC", name)  # as Python normalizes names: micro sign to mu
        if not sign or not name.isidentifier():
            raise ArgumentError(f"expected name=number, such as x=2, got {word.strip()!r}")
        if keyword.iskeyword(name):
            raise ArgumentError(
                f"{name!r} is a keyword of Python: use another name, such as {name}_"
            )
        if name in numbers:
            raise ArgumentError(f"{name} is given twice")
        numbers[name] = _number(name, number)
    return numbers


def _number(name: str, text: str) -> Any:
    kinds: tuple[Callable[[str], Any], ...] = (_whole, _decimal, _fraction)
    for kind in kinds:
        try:
            return kind(text)
        except ZeroDivisionError:
            break
        except OverflowError:
            raise ArgumentError(f"the value of {name} is too large: {text:.40}") from None
        except ValueError:
            continue
    raise ArgumentError(
        f"the value of {name} must be a number, such as 2, -0.5 or 1/3, got {text!r}"
    )


def _whole(text: str) -> int:
    """Return an integer, of any length."""
    if not re.fullmatch(r"[-+]?[0-9]{4301,}", text):
        return int(text)
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    total = 0
    for start in range(0, len(digits), _DIGITS):
        part = digits[start : start + _DIGITS]
        total = total * 10 ** len(part) + int(part)
        if total.bit_length() > _LARGEST:
            raise OverflowError
    return -total if sign == "-" else total


def _decimal(text: str) -> float:
    result = float(text)
    if abs(result) == float("inf") and "inf" not in text.lower():
        raise OverflowError
    return result


def _fraction(text: str) -> Fraction:
    above, sign, below = text.partition("/")
    return Fraction(_whole(above.strip()), _whole(below.strip())) if sign else Fraction(text)


def _with_long_integers(source: str) -> str:
    """Return the source with too long integers in hexadecimal, padded to the same length."""
    return re.sub(
        r"(?<![\w.])[0-9]{4301,}(?![\w.])",
        lambda match: f"0x{_whole(match[0].lstrip('0') or '0'):0{len(match[0]) - 2}x}",
        source,
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
        If the text is not such an expression; the message shows the position. Also a ValueError.
    DomainError, ZeroDivisorError, OverflowRangeError
        If a function is undefined at its operands; the message shows the position.

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
    numbers = {unicodedata.normalize("NFKC", name): number for name, number in numbers.items()}
    try:
        tree = ast.parse(_with_long_integers(source), mode="eval")
    except OverflowError:
        raise ArgumentError("the expression holds an integer that is too large") from None
    except SyntaxError as error:
        raise _unreadable(source, error) from None
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
    """Return the message with a caret under the position: lines count from 1, columns from 0."""
    line, column = place
    rows = source.split("\n")
    row = rows[min(line, len(rows)) - 1]
    where = f"line {line}, column {column + 1}" if len(rows) > 1 else f"column {column + 1}"
    return f"{message} at {where}\n  {row}\n  {' ' * column}^"


def _unreadable(source: str, error: SyntaxError) -> ArgumentError:
    """Return the error for a text that cannot be parsed, with the correct spelling if known."""
    known = misspelled(source, functions())
    if known is None:
        place = (error.lineno or 1, max((error.offset or 1) - 1, 0))
        return ArgumentError(_at(source, f"{error.msg}", place))
    before = source[: known[0]]
    line = before.count("\n") + 1
    return ArgumentError(_at(source, known[1], (line, len(before) - before.rfind("\n") - 1)))


class _Builder:
    """Builds Values from a syntax tree, without recursion, however deep the tree."""

    def __init__(self, source: str, numbers: Mapping[str, Any]) -> None:
        self.rows = source.split("\n")
        self.source = source
        self.names = {name: Value(number, label=name) for name, number in numbers.items()}
        self.used: set[str] = set()
        self.functions = functions()

    def place(self, node: ast.AST, end: bool = False) -> tuple[int, int]:
        """Return the position where `node` begins or, with `end`, where it ends."""
        line = getattr(node, "end_lineno" if end else "lineno", 1)
        offset = getattr(node, "end_col_offset" if end else "col_offset", 0)
        before = self.rows[line - 1].encode("utf-8")[:offset]  # offsets count bytes
        column = len(before.decode("utf-8", "ignore"))
        if end:  # past the parentheses around it
            column += len(re.match(r"[\s)]*", self.rows[line - 1][column:])[0])  # type: ignore[index]
        return line, column

    def refused(self, node: ast.AST, message: str) -> ArgumentError:
        return ArgumentError(_at(self.source, message, self.place(node)))

    def text(self, node: ast.expr) -> str:
        text = " ".join((ast.get_source_segment(self.source, node) or "").split())
        return text if len(text) <= 40 else "..."

    def build(self, tree: ast.expr) -> Any:
        """Return the number or Value of an expression; operands are built first."""
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
                results.append(self.combined(node, inputs))
            except ArgumentError:
                raise
            except MicrogradError as error:
                message = _at(self.source, str(error), self.place(node))
                raise type(error)(message) from None
        return results[0]

    def operands(self, node: ast.expr) -> list[ast.expr]:
        if isinstance(node, ast.BinOp):
            if type(node.op) not in _OPERATORS and not isinstance(node.op, ast.Pow):
                sign, hint = OPERATORS[type(node.op)]
                line, column = self.place(node.left, end=True)
                column = max(self.rows[line - 1].find(sign, column), column)
                raise ArgumentError(_at(self.source, f"{sign!r}: {hint}", (line, column)))
            return [node.left, node.right]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            return [node.operand]
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in self.functions:
                raise self.uncallable(node, node.func)
            if node.keywords:
                raise self.refused(node, f"{node.func.id} does not take named arguments here")
            lists = node.func.id in _OF_LISTS
            for argument in node.args:
                if isinstance(argument, ast.List) and not lists:
                    raise self.refused(argument, f"{node.func.id} does not take a list")
            return list(node.args)
        if isinstance(node, ast.List):
            return list(node.elts)
        if isinstance(node, (ast.Name, ast.Constant)):
            return []
        if isinstance(node, ast.Attribute) and node.attr in CONSTANTS:
            raise self.refused(
                node, f"write {CONSTANTS[node.attr]!r}, or {node.attr} and its value"
            )
        if isinstance(node, ast.Compare):
            hint = "a comparison is written greater(a, b), greater_equal(a, b) or equal(a, b)"
            raise ArgumentError(_at(self.source, hint, self.place(node.left, end=True)))
        if isinstance(node, ast.IfExp):
            raise self.refused(node.test, "a choice is written where(condition, a, b)")
        if isinstance(node, ast.Tuple) and node.elts:
            hint = "expected one expression, got several: write a decimal point, not a comma"
            raise ArgumentError(_at(self.source, hint, self.place(node.elts[0], end=True)))
        kind = type(node).__name__
        raise self.refused(node, f"expected numbers, names, + - * / ** and functions, got {kind}")

    def uncallable(self, node: ast.Call, function: ast.expr) -> ArgumentError:
        """Return the error for a call of an unknown function, with the known spelling if any."""
        inside = ", ".join(map(self.text, node.args))
        if isinstance(function, ast.Name) and function.id not in self.names:
            hint = function_hint(function.id, self.functions, inside)
            told = f"unknown function {function.id!r}" + (f": {hint}" if hint else "")
            return self.refused(node, told)
        if isinstance(function, ast.Attribute):
            head: ast.expr = function.value
            while isinstance(head, ast.Attribute):
                head = head.value
            if isinstance(head, ast.Name) and head.id in MODULES and head.id not in self.names:
                hint = function_hint(function.attr, self.functions, inside)
                told = f"no {self.text(function.value)} is needed here"
                return self.refused(node, f"{told}: {hint}" if hint else f"unknown {function.attr}")
            inside = ", ".join(filter(None, [self.text(function.value).strip("()"), inside]))
            hint = function_hint(function.attr, self.functions, inside)
            hint = f"{hint or f'unknown function {function.attr!r}'}: there are no methods here"
            return ArgumentError(_at(self.source, hint, self.place(function.value, end=True)))
        if isinstance(function, (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Call)):
            hint = f"an operator is missing: write {self.text(function)} * ({inside})"
            return ArgumentError(_at(self.source, hint, self.place(function, end=True)))
        return self.refused(node, "only functions of the op table can be called")

    def combined(self, node: ast.expr, inputs: list[Any]) -> Any:
        if isinstance(node, ast.Constant):
            if type(node.value) not in (int, float):
                raise self.refused(node, f"expected a number, got {node.value!r}")
            return node.value
        if isinstance(node, ast.Name):
            if node.id not in self.names and "·" in node.id:  # to Python it is a letter
                raise _unreadable(self.source, SyntaxError())
            if node.id not in self.names:
                hint = f"{node.id}(...)" if node.id in self.functions else f"{node.id}=..."
                if node.id in CONSTANTS:
                    hint = f"{node.id}={CONSTANTS[node.id]!r} after the expression"
                    hint += ", or exp(x) for a power of e" * (node.id == "e")
                raise self.refused(node, f"{node.id} has no value: write {hint}")
            self.used.add(node.id)
            return self.names[node.id]
        if isinstance(node, ast.List):
            return inputs
        if any(isinstance(item, list) for item in inputs) and not isinstance(node, ast.Call):
            raise self.refused(node, "a list can only be given to sum, dot, logsumexp or take")
        if isinstance(node, ast.UnaryOp):
            return inputs[0] if isinstance(node.op, ast.UAdd) else -inputs[0]
        if isinstance(node, ast.BinOp):
            return self.binary(node, *inputs)
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        return self.called(node, node.func.id, inputs)

    def binary(self, node: ast.BinOp, left: Any, right: Any) -> Any:
        if not isinstance(left, Value) and not isinstance(right, Value):
            left = _constant(left)  # so that 2 * 3 is drawn as typed
        if not isinstance(node.op, ast.Pow):
            result = _OPERATORS[type(node.op)](left, right)
            if isinstance(result.data, int) and result.data.bit_length() > _LARGEST:
                raise self.refused(node, "the result is too large to compute")
            return result
        base, exponent = getattr(left, "data", left), getattr(right, "data", right)
        if isinstance(base, (int, Fraction)) and isinstance(exponent, int):
            size = max(base.numerator.bit_length(), base.denominator.bit_length())
            if size > 1 and size * abs(exponent) > _LARGEST:
                raise self.refused(node, "the power is too large to compute")
        return left**right

    def called(self, node: ast.Call, name: str, inputs: list[Any]) -> Any:
        if name not in _OF_LISTS and not any(isinstance(item, Value) for item in inputs):
            inputs = [_constant(item) if i == 0 else item for i, item in enumerate(inputs)]
        try:
            result = self.functions[name](*inputs)
        except TypeError as error:
            if isinstance(error, MicrogradError) and name not in _OF_LISTS:
                raise
            raise self.refused(node, f"{name} cannot take these arguments") from None
        except ArgumentError as error:
            raise self.refused(node, str(error)) from None
        return result
