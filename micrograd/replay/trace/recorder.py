"""Tracing: a function of Values is run once on symbols, and its operations are recorded.

A `Symbol` takes the place of a Value. Every operation with one becomes an instruction on a tape.
The gradient comes from the same rows of the op table, run on symbols. What depends on a number that
is not known yet is refused.
"""

from __future__ import annotations

import contextvars
import math
import types
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from micrograd import graph, ops
from micrograd.engine import Node, Value
from micrograd.errors import NumberTypeError, TraceError, shown_typed
from micrograd.ops import Number, Op, Operators
from micrograd.replay.trace.derivatives import differentiate
from micrograd.replay.trace.reach import Kept, is_library, models_of, reached_by
from micrograd.replay.trace.tape import PARAMETER, Tape
from micrograd.replay.trace.watch import SLOPE, WHERE, Watch, is_symbol, line_where

__all__ = ["Recorder", "Symbol", "detached", "is_number_like", "tracing"]

tracing: contextvars.ContextVar[Recorder | None] = contextvars.ContextVar("tracing", default=None)
"""The recorder of the function that is being run."""


def _refused(what: str, advice: str) -> Callable[..., NoReturn]:
    def method(self: Symbol, *_: object) -> NoReturn:
        self.recorder.refuse(what, advice)

    return method


def _compared(comparison: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a comparison, allowed in a user's rule only, of which both branches are recorded.

    A function of Values writes its choices with `where`, which the gradient needs.
    """

    def method(self: Symbol, other: object) -> Any:
        if self.recorder.asked is None:
            self.recorder.refuse("compare a traced value", f"its number is not known yet; {WHERE}")
        return comparison(self, other) if is_number_like(other) else NotImplemented

    return method


_CONVERTED = (
    "its number is not known yet; write it with operators and micrograd's functions, a choice with "
    "micrograd.where, and an operation of your own with micrograd.define"
)
_DEFINE = "write an operation of your own with micrograd.define"


def _operator(op: Op, otherwise: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Return an operator that records a row for a symbol and another, or a Python number.

    It bypasses `_apply` and calls of functions, `len` too, because calls are watched: tracing takes
    a third of the time.
    """

    def method(self: Symbol, other: Number) -> Any:
        recorder = self.recorder
        tape = recorder.tape
        if type(other) is Symbol and other.recorder is recorder:
            position = other.position
        elif type(other) is float or type(other) is int:
            # As `constant` does; a zero or a nan is not found by this key, and goes there.
            known, key = tape.known, (type(other), other)
            position = known[key] if key in known else tape.constant(other)
        else:
            return otherwise(self, other)
        rows, operands = tape.rows, tape.operands
        result = Symbol()
        result.recorder, result.position = recorder, rows.__len__()
        rows += (op,)
        operands += ((self.position, position),)
        return result

    return method


def _symbol(recorder: Recorder, position: int) -> Symbol:
    made = Symbol()
    made.recorder, made.position = recorder, position
    return made


class Symbol(Operators):
    """A number that is not known yet: a position on the tape that is being recorded."""

    # Without `__init__`, a call of which would be watched: it would take as long as the rest.
    __slots__ = ("position", "recorder")
    _rank = 10
    recorder: Recorder
    position: int

    def _apply(  # type: ignore[override]  # the recorder is the instance's
        self, op: Op, args: tuple[Number, ...]
    ) -> Symbol:
        return self.recorder.unwatched(self.recorder.record, op, args)

    __add__ = _operator(ops.add, Operators.__add__)
    __sub__ = _operator(ops.sub, Operators.__sub__)
    __mul__ = _operator(ops.mul, Operators.__mul__)
    __truediv__ = _operator(ops.div, Operators.__truediv__)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Symbol(position={self.position}{label})"

    # The class that a Value has, so that `isinstance` takes the same branch.
    @property
    def __class__(self) -> Any:
        """The class that a function of Values meets; a rule meets any number, so it is refused."""
        if not self.recorder.in_users_rule:
            return Value
        return self.recorder.refuse(
            "ask what kind of number it is given", "a rule is written with operators alone"
        )

    @__class__.setter
    def __class__(self, new: object) -> None:
        self.recorder.refuse("change the class of a traced value", "its class is its own")

    def __deepcopy__(self, memo: object) -> Symbol:
        return self  # as a number does

    def detach(self) -> Symbol:
        """Return the same number, through which no gradient flows."""
        return _symbol(self.recorder, self.recorder.tape.add(detached, (self.position,)))

    def _gradient(
        self, output: Operators, inputs: Sequence[Operators], create_graph: bool
    ) -> list[Symbol]:
        """Return what `micrograd.gradient` gives where a symbol is among its operands."""
        recorder = self.recorder
        wanted = [recorder.operand(value) for value in inputs]
        before, recorder.tracing = recorder.tracing, False
        try:
            root = recorder.operand(output)
            found = recorder.unwatched(differentiate, recorder, root, wanted)
        finally:
            recorder.tracing = before
        slopes = [
            _symbol(recorder, recorder.tape.constant(0) if slope is None else slope)
            for slope in found
        ]
        # Sums of numbers begin with 0, so that none is -0.0.
        return slopes if create_graph else [(slope + 0).detach() for slope in slopes]

    @property
    def label(self) -> str:
        """A name for the generated source."""
        return self.recorder.tape.labels.get(self.position, "")

    @label.setter
    def label(self, text: str) -> None:
        self.recorder.tape.labels[self.position] = str(text)

    @property
    def data(self) -> Any:
        """Refused: there is no number yet."""
        if not self.recorder.tracing:
            raise AttributeError("data")  # a rule asks what number type there is: none yet
        self.recorder.refuse("read the `.data` of a traced value", _CONVERTED)

    @data.setter
    def data(self, new: object) -> None:
        self.recorder.refuse("change the `.data` of a traced value", "give it as an input instead")

    @property
    def grad(self) -> Any:
        """Refused: there is no gradient yet."""
        self.recorder.refuse("read the `.grad` of a traced value", f"it has none; {SLOPE}")

    @grad.setter
    def grad(self, new: object) -> None:
        self.recorder.refuse("change the `.grad` of a traced value", f"it has none; {SLOPE}")

    _backward = property(
        _refused("take the `_backward` of a traced value", _DEFINE),
        _refused("set the `_backward` of a traced value", _DEFINE),
    )

    __lt__ = _compared(lambda a, b: ops.greater(b, a))
    __le__ = _compared(lambda a, b: ops.greater_equal(b, a))
    __gt__ = _compared(ops.greater)
    __ge__ = _compared(ops.greater_equal)
    __eq__ = _compared(ops.equal)
    __ne__ = _compared(lambda a, b: 1 - ops.equal(a, b))

    def __bool__(self) -> bool:
        if self.recorder.asked is None:
            self.recorder.refuse(
                "branch on a traced value", f"its number is not known yet; {WHERE}"
            )
        return self.recorder.truth(self.position)

    __hash__ = _refused("hash a traced value", f"which one it is depends on the run; {WHERE}")
    __float__ = _refused("call float() on a traced value", _CONVERTED)
    __int__ = _refused("call int() on a traced value", _CONVERTED)
    item = _refused("call item() of a traced value", _CONVERTED)
    __index__ = _refused("use a traced value as an index", f"its number is not known yet; {WHERE}")
    __round__ = _refused("round a traced value", _CONVERTED)
    __trunc__ = __floor__ = __ceil__ = __round__
    __iter__ = _refused("iterate over a single traced value", "it is one number, not a sequence")

    def __format__(self, how: str) -> str:
        if how:
            self.recorder.refuse(f"write a traced value as {how!r}", "its number is not known yet")
        return repr(self)

    backward = _refused("call backward()", "call backward of the compiled function instead")


class _Detached(Op):
    """A row that is not in the table: a pickle finds it in this module."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "detached"


detached = _Detached(
    name="detach",
    symbol="=",
    noun="copy without gradient",
    code="{0}",
    arity=1,
    forward=lambda x: x,
    partials=lambda out, x: (0,),
)


# How many branches a run of a rule may take: more than anyone writes by hand.
_MOST_ASKED = 12


_borrowed: set[str] = set()


def _of_users(kind: type) -> dict[str, Any]:
    """Return the methods that a user has added to a class of Values, by name."""
    return {
        name: method
        for base in kind.__mro__[: kind.__mro__.index(Node)]
        for name, method in list(vars(base).items())
        if isinstance(method, types.FunctionType) and not is_library(method)
    }


def _own_operators(kind: type) -> bool:
    return any(name[:2] == "__" and name in vars(Operators) for name in _of_users(kind))


def _borrow_methods() -> None:
    """Give symbols the methods that a user has added to `Value` or replaced."""
    found = _of_users(Value)
    for name in _borrowed - found.keys():
        delattr(Symbol, name)
        _borrowed.discard(name)
    for name, method in found.items():
        if name in _borrowed or name not in vars(Symbol):
            setattr(Symbol, name, method)
            _borrowed.add(name)


class Recorder(Watch):
    """A tape being written, with the live parameters met so far."""

    def __init__(self) -> None:
        super().__init__()
        self.tape = Tape()
        self.parameters: list[Value] = []
        self._positions: dict[int, int] = {}  # id of a Value -> position
        self._before: dict[int, tuple[Value, Any, Any]] = {}  # leaves with data and grad
        # Of a user's rule: the positions on whose truth it has branched, and the answers to the
        # first of them; the answers to the others are True.
        self.asked: list[int] | None = None
        self._answers: list[bool] = []

    def symbol(self, position: int) -> Symbol:
        """Return the symbol of a position."""
        return _symbol(self, position)

    def record(self, op: Op, args: tuple[Number, ...]) -> Symbol:
        """Append an operation; return its symbol."""
        operands = tuple(
            [
                arg.position if type(arg) is Symbol and arg.recorder is self else self.operand(arg)
                for arg in args
            ]
        )
        return _symbol(self, self.tape.add(op, operands))

    def operand(self, arg: object) -> int:
        """Return the position of a symbol, a Value or a plain number."""
        if isinstance(arg, Symbol):
            if arg.recorder is not self:
                self.refuse("use a value of another trace", "return it, or give it as an input")
            return arg.position
        if isinstance(arg, Value):
            found = self._positions.get(id(arg))
            if found is None and type(arg) is not Value and _own_operators(type(arg)):
                self.refuse(f"use {arg!r}, of a class with operators of its own", _DEFINE)
            return self._value(arg) if found is None else found
        return self.tape.constant(ops.number(arg))

    def _value(self, value: Value) -> int:
        for node in graph.order(value) if value.parents else (value,):
            if id(node) in self._positions:
                continue
            if node.parents:
                operands = tuple([self._positions[id(parent)] for parent in node.parents])
                op = node.op
                if op.partials is None:
                    self.refuse(f"use {node!r}, made by hand as {op.token!r}", _DEFINE)
                if "_closure" in node.__dict__:
                    self.refuse(f"use {node!r}, whose _backward was replaced", _DEFINE)
                position = self.tape.add(op, operands)
                if node.label:
                    self.tape.labels[position] = str(node.label)
            elif ops.is_constant(node):
                position = self.tape.constant(node.data)
            elif id(node) in self.own:
                # At a position of its own, apart from equal numbers: it may get a gradient.
                position = self.tape.add(ops.identity, (self.tape.constant(node.data),))
            else:
                position = self.tape.parameter(len(self.parameters))
                self.parameters.append(node)
                self._remember(node)
                if node.label:
                    self.tape.labels[position] = str(node.label)
            self._positions[id(node)] = position
            self._kept.append(node)
        return self._positions[id(value)]

    def trace(self, fn: Callable[..., Any], shapes: Sequence[Any], names: Sequence[str]) -> bool:
        """Record `fn` on symbols of these shapes; return whether it gives a sequence.

        If anything that the function can reach has changed then, or may have, it is run again: if
        the two runs differ, so would every call.

        Raises
        ------
        TraceError
            If the function does what cannot be replayed. Also a TypeError.
        """
        kept = Kept(fn)
        # A copy of the context, so that `tracing` is for this call alone; the same one for each
        # run, so that a context variable that the function sets is seen to differ.
        context = contextvars.copy_context()
        sequence = self._once(context, fn, shapes, names)
        if not kept.may_change():
            return sequence
        again = Recorder()
        try:
            again._once(context, fn, shapes, names)
            place = self._difference(again)
        except Exception:
            place = len(again.tape)
        if place is not None:
            third = Recorder()
            line = line_where(
                lambda: third._once(context, fn, shapes, names),
                lambda: len(third.tape) > place,
            )
            self.refuse(
                "change from call to call",
                "every call would replay the first one; give what varies as an input",
                line,
            )
        return sequence

    def _difference(self, other: Recorder) -> int | None:
        """Return the first position at which another trace differs, None if they are equal."""
        if self._program() == other._program():
            return None
        pairs = zip(self._program()[0], other._program()[0], strict=False)
        same = [mine == theirs for mine, theirs in pairs]
        return same.index(False) if False in same else len(same)

    def _program(self) -> tuple[list[Any], list[int]]:
        """Return what was recorded, in a form that can be compared with another trace."""
        tape = self.tape
        steps: list[Any] = []
        for op, operands in zip(tape.rows, tape.operands, strict=True):
            if op is not None:
                steps.append(((op.family, op.parameters) if op.family else id(op), operands))
            elif operands[0] == PARAMETER:
                steps.append((PARAMETER, id(self.parameters[operands[1]])))
            else:
                what = operands[1]  # a nan is not equal to itself, and 0.0 is to -0.0
                steps.append((operands[0], str(what) if what != what or what == 0 else what))
        return steps, tape.outputs

    def _once(
        self,
        context: contextvars.Context,
        fn: Callable[..., Any],
        shapes: Sequence[Any],
        names: Sequence[str],
    ) -> bool:
        count = [0]
        arguments = [
            self._argument(shape, name, count) for shape, name in zip(shapes, names, strict=True)
        ]
        result = context.run(self._run, fn, arguments)
        for leaf, data, grad in self._before.values():
            if (leaf.data is not data and not leaf.data != leaf.data) or leaf.grad is not grad:
                raise TraceError(
                    f"a traced function cannot change a leaf: {leaf!r} had data={data}, "
                    f"grad={grad} before; change parameters outside of it, and give what varies "
                    "as an input"
                )
        sequence = not is_number_like(result)
        try:
            if sequence and isinstance(result, (dict, set, frozenset)):
                raise TypeError
            results = list(result) if sequence else [result]
        except TypeError:
            results = []
        if not results or not all(map(is_number_like, results)):
            raise NumberTypeError(
                "expected the function to return a Value or a sequence of Values, got "
                f"{shown_typed(result)}"
            )
        self.tape.outputs = [self.operand(value) for value in results]
        return sequence

    def _run(self, fn: Callable[..., Any], arguments: list[Any]) -> Any:
        tracing.set(self)
        _borrow_methods()
        if _own_operators(Value):
            self.refuse("use Values whose operators were replaced", _DEFINE)
        models = [leaf for model in models_of(fn) for leaf in model.parameters()]
        for thing in (*models, *reached_by(fn)):
            if not is_symbol(thing) and isinstance(thing, Value) and not thing.parents:
                self._remember(thing)
        return self.watched(fn, *arguments)

    def of_users(self, rule: Callable[..., Any], *args: Any) -> Any:
        """Return what a user's rule returns."""
        before, self.in_users_rule = self.in_users_rule, True
        try:
            return self.watched(rule, *args)
        finally:
            self.in_users_rule = before

    def truth(self, position: int) -> bool:
        """Return the answer that this run of a rule takes for the truth of a number."""
        assert self.asked is not None
        if len(self.asked) == _MOST_ASKED:
            raise TypeError(f"it branches on more than {_MOST_ASKED} numbers")
        self.asked.append(position)
        number = len(self.asked) - 1
        return self._answers[number] if number < len(self._answers) else True

    def explored(
        self, rule: Callable[..., Any], args: Sequence[Symbol], answers: Sequence[bool] = ()
    ) -> int:
        """Record every path through a forward rule that begins with these answers.

        Return the position of the result: a `where` for each branch.
        """
        self.asked, self._answers = [], list(answers)
        try:
            result = self.operand(self.of_users(rule, *args))
        except (ArithmeticError, ValueError):  # it is not defined on this path
            result = self.tape.constant(math.nan)
        asked, known = self.asked, len(answers)
        for number in reversed(range(known, len(asked))):
            others = [*answers, *[True] * (number - known), False]
            other = self.explored(rule, args, others)
            result = self.tape.add(ops.where, (asked[number], result, other))
        return result

    def _remember(self, leaf: Value) -> None:
        self._before.setdefault(id(leaf), (leaf, leaf.data, leaf.grad))

    def _argument(self, shape: Any, name: str, count: list[int]) -> Any:
        if shape == ():
            position = self.tape.input(count[0])
            count[0] += 1
            self.tape.labels[position] = name
            return self.symbol(position)
        return [self._argument(shape[1:], f"{name}_{i}", count) for i in range(shape[0])]


def is_number_like(value: object) -> bool:
    """Return whether `value` is one number: plain, a Value or a Symbol."""
    return isinstance(value, Operators) or ops.is_operand(value)
