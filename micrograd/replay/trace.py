"""Tracing: run a function of Values once on symbols, and write down what it does.

A `Symbol` stands where a Value would. Every operation with one is an instruction on a tape, so
the function's own code is what is recorded; the gradient comes from the same rows of the op table,
run on symbols. What depends on a number that is not known yet is refused.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import linecache
import os
import pickle
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn, TypeVar

from micrograd import graph, ops
from micrograd.engine import Value, enable_grad, gradient, no_grad
from micrograd.errors import NumberTypeError, TraceError
from micrograd.nn import Module
from micrograd.ops import Number, Op, Operators, is_plain
from micrograd.replay.reach import models_of, reached_by
from micrograd.replay.tape import CONSTANT, Tape

__all__ = ["WATCHED", "Recorder", "Symbol", "differentiate", "tracing", "user_frame"]

tracing: contextvars.ContextVar[Recorder | None] = contextvars.ContextVar("tracing", default=None)
"""What records the function that is being run."""

# With a separator at the end: a user's file beside a folder may begin with the folder's name.
_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep
_LIBRARY = str(Path(contextlib.__file__).parent) + os.sep
_WHERE = "use micrograd.where(micrograd.greater(a, b), this, that), which stays in the graph"
_SLOPE = "call value_and_grad or backward of the compiled function, or use micrograd.gradient in it"
_FROZEN = "its number would be frozen into the compiled function, while parameters stay live"


def user_frame() -> tuple[FrameType | None, int]:
    """Return the innermost frame that is of no library, and its level for `warnings.warn`."""
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame is not None:
        name = frame.f_code.co_filename
        library = name.startswith((_LIBRARY, "<frozen ")) and "site-packages" not in name
        if not (library or name.startswith((_PACKAGE, *_numpy_folder()))):
            break
        frame, level = frame.f_back, level + 1
    return frame, level


def _numpy_folder() -> list[str]:
    found = getattr(sys.modules.get("numpy"), "__file__", None)
    return [] if found is None else [str(Path(found).parent) + os.sep]


_T = TypeVar("_T")


def _user_line() -> str:
    """Return the line of the user's function that is being traced, with its place."""
    frame, _ = user_frame()
    if frame is None:
        return "?"
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    place = f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"
    return f"{place}: `{line}`" if line else place


def refuse(what: str, advice: str) -> NoReturn:
    """Raise a `TraceError` that shows the user's line."""
    error = TraceError(f"a traced function cannot {what} ({_user_line()}): {advice}")
    recorder = tracing.get()
    if recorder is not None and recorder.refusal is None:
        recorder.refusal = error
    raise error


def _refused(what: str, advice: str) -> Callable[..., NoReturn]:
    def method(*_: object) -> NoReturn:
        refuse(what, advice)

    return method


_COMPARED = _refused("compare a traced value", f"its number is not known yet; {_WHERE}")
_CONVERTED = (
    "its number is not known yet; write it with operators and micrograd's functions, a choice with "
    "micrograd.where"
)


def _operator(op: Op, otherwise: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Return an operator that records a row for a symbol and a symbol, or a Python number.

    It goes past the table, and calls little, since calls are watched: tracing takes half the time.
    """

    def method(self: Symbol, other: Number) -> Any:
        recorder = self.recorder
        tape = recorder.tape
        if type(other) is Symbol and other.recorder is recorder:
            position = other.position
        elif type(other) is float or type(other) is int:
            position = tape.constant(other)
        else:
            return otherwise(self, other)
        rows, operands = tape.rows, tape.operands
        rows += (op,)
        operands += ((self.position, position),)
        return Symbol(recorder, len(rows) - 1)

    return method


class Symbol(Operators):
    """A number that is not known yet: a position on the tape that is being recorded."""

    __slots__ = ("position", "recorder")
    _rank = 10

    def __init__(self, recorder: Recorder, position: int) -> None:
        self.recorder = recorder
        self.position = position

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

    def __deepcopy__(self, memo: object) -> Symbol:
        return self  # as a number does

    def detach(self) -> Symbol:
        """Return the same number, through which no gradient flows."""
        return Symbol(self.recorder, self.recorder.tape.add(_detached, (self.position,)))

    def _gradient(
        self, output: Operators, inputs: Sequence[Operators], create_graph: bool
    ) -> list[Symbol]:
        """Return what `micrograd.gradient` gives where a symbol is among its operands."""
        recorder = self.recorder
        wanted = [recorder.operand(value) for value in inputs]
        recorder.tracing = False
        try:
            root = recorder.operand(output)
            found = recorder.unwatched(differentiate, recorder, root, wanted)
        finally:
            recorder.tracing = True
        slopes = [
            Symbol(recorder, recorder.tape.constant(0) if slope is None else slope)
            for slope in found
        ]
        return slopes if create_graph else [slope.detach() for slope in slopes]

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
        refuse("read the `.data` of a traced value", _CONVERTED)

    @data.setter
    def data(self, new: object) -> None:
        refuse("change the `.data` of a traced value", "give it as an input instead")

    @property
    def grad(self) -> Any:
        """Refused: there is no gradient yet."""
        refuse("read the `.grad` of a traced value", f"it has none; {_SLOPE}")

    @grad.setter
    def grad(self, new: object) -> None:
        refuse("change the `.grad` of a traced value", f"it has none; {_SLOPE}")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _COMPARED
    __bool__ = _refused("branch on a traced value", f"its number is not known yet; {_WHERE}")
    __hash__ = _refused("hash a traced value", f"which one it is depends on the run; {_WHERE}")
    __float__ = _refused("call float() on a traced value", _CONVERTED)
    __int__ = _refused("call int() on a traced value", _CONVERTED)
    item = _refused("call item() of a traced value", _CONVERTED)
    __index__ = _refused("use a traced value as an index", f"its number is not known yet; {_WHERE}")
    __round__ = _refused("round a traced value", _CONVERTED)
    __trunc__ = __floor__ = __ceil__ = __round__
    __iter__ = _refused("iterate over a single traced value", "it is one number, not a sequence")

    def __format__(self, how: str) -> str:
        if how:
            refuse(f"write a traced value as {how!r}", "its number is not known yet")
        return repr(self)

    backward = _refused("call backward()", "call backward of the compiled function instead")


_detached = Op(
    name="detach",
    symbol="=",
    noun="copy without gradient",
    code="{0}",
    arity=1,
    forward=lambda x: x,
    partials=lambda out, x: (0,),
)


class Recorder:
    """A tape being written, with the live parameters met so far."""

    def __init__(self) -> None:
        self.tape = Tape()
        self.parameters: list[Value] = []
        self.tracing = True
        self.refusal: TraceError | None = None  # the first one
        self._watching = False
        self._names_random = False
        self._positions: dict[int, int] = {}  # id of a Value -> position
        self._kept: list[Value] = []  # so that no id is used twice
        self._before: dict[int, tuple[Value, Any, Any]] = {}  # leaves with data and grad
        self._own: dict[int, Value] = {}  # leaves that the function itself makes

    def symbol(self, position: int) -> Symbol:
        """Return the symbol of a position."""
        return Symbol(self, position)

    def unwatched(self, work: Callable[..., _T], *args: Any) -> _T:
        """Return what a function of ours gives: to watch it would take longer than its work."""
        watch = sys.getprofile() if self._watching else None
        if watch is None:
            return work(*args)
        sys.setprofile(None)
        try:
            return work(*args)
        finally:
            sys.setprofile(watch)

    def record(self, op: Op, args: tuple[Number, ...]) -> Symbol:
        """Append an operation; return its symbol."""
        operands = tuple(
            [
                arg.position if type(arg) is Symbol and arg.recorder is self else self.operand(arg)
                for arg in args
            ]
        )
        return Symbol(self, self.tape.add(op, operands))

    def operand(self, arg: object) -> int:
        """Return the position of a symbol, a Value or a plain number."""
        if isinstance(arg, Symbol):
            if arg.recorder is not self:
                refuse("use a value of another trace", "return it, or give it as an input")
            return arg.position
        if isinstance(arg, Value):
            found = self._positions.get(id(arg))
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
                    refuse(
                        f"use {node!r}, made by hand as {op.token!r}",
                        "add the operation with micrograd.define",
                    )
                position = self.tape.add(op, operands)
                if node.label:
                    self.tape.labels[position] = str(node.label)
            elif node.op is ops.constant:
                position = self.tape.constant(node.data)
            elif id(node) in self._own:
                # In a place of its own, apart from equal numbers: a gradient may be taken in it.
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

        Raises
        ------
        TraceError
            If the function does what cannot be replayed. Also a TypeError.
        """
        count = [0]
        arguments = [
            self._argument(shape, name, count) for shape, name in zip(shapes, names, strict=True)
        ]
        # In a copy of the context, so that `tracing` is for this call alone.
        result = contextvars.copy_context().run(self._run, fn, arguments)
        self.tracing = False
        for leaf, data, grad in self._before.values():
            if (leaf.data is not data and not leaf.data != leaf.data) or leaf.grad is not grad:
                raise TraceError(
                    f"a traced function cannot change a leaf: {leaf!r} had data={data}, "
                    f"grad={grad} before; change parameters outside of it, and give what varies "
                    "as an input"
                )
        sequence = not is_number_like(result)
        try:
            if isinstance(result, (dict, set, frozenset)):
                raise TypeError
            results = list(result) if sequence else [result]
        except TypeError:
            results = []
        if not results or not all(map(is_number_like, results)):
            raise NumberTypeError(
                f"expected the function to return a Value or a sequence of Values, got {result!r} "
                f"({type(result).__name__})"
            )
        self.tape.outputs = [self.operand(value) for value in results]
        return sequence

    def _run(self, fn: Callable[..., Any], arguments: list[Any]) -> Any:
        tracing.set(self)
        generators = _generators(fn)
        states = [_state(generator) for generator in generators]
        models = [leaf for model in models_of(fn) for leaf in model.parameters()]
        for thing in (*models, *reached_by(fn)):
            if isinstance(thing, Value) and not thing.parents:
                self._remember(thing)
        # A no_grad around the call must not freeze parameters.
        with enable_grad(), self._watched():
            try:
                result = fn(*arguments)
                if isinstance(result, Iterator):  # what a generator does, it does only now
                    result = list(result)
            except Exception:
                if self.refusal is None:
                    raise
        # A function that catches a refusal goes on with a guess, which every call would replay.
        if self.refusal is not None:
            raise self.refusal
        # Other threads may draw from the global one, so it counts where the function names it.
        own = slice(None) if self._names_random else slice(1, None)
        if [_state(generator) for generator in generators[own]] != states[own]:
            raise TraceError(f"a traced function cannot {_DRAWN[0]}: {_DRAWN[1]}")
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

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Refuse, while the function runs, what Values and random numbers cannot tell a Symbol."""
        before: Any = sys.getprofile()
        self._watching = True
        sys.setprofile(self._event)
        try:
            yield
        finally:
            self._watching = False
            if before is None or callable(before):
                sys.setprofile(before)
            else:  # a profiler written in C, which sets itself
                sys.setprofile(None)
                before.enable()

    def _event(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            code = frame.f_code
            if "random" in code.co_names:
                self._names_random = True
            if code is _MADE:
                made = frame.f_locals["self"]
                if isinstance(frame.f_locals["data"], Symbol):
                    self._stop("put a traced value into a Value", "it is one: leave Value() out")
                self._own[id(made)] = made
                self._kept.append(made)
            elif code is gradient.__code__:
                output, create_graph = frame.f_locals["output"], frame.f_locals["create_graph"]
                if isinstance(output, Value) and not create_graph and self._is_live(output):
                    self._stop("take a gradient as numbers", f"{_FROZEN}; pass create_graph=True")
            elif code in WATCHED and not _tells_no_number(code, frame.f_locals):
                caller = frame.f_back
                used = frame.f_locals
                other = used.get("other", 0)
                fixed = self._is_fixed(used.get("self")) and (
                    is_plain(other) or self._is_fixed(other)
                )
                inner = caller is not None and caller.f_code.co_filename.startswith(_PACKAGE)
                if not fixed and (not inner or code in _ALWAYS):
                    self._stop(*WATCHED[code])
        elif event == "c_call":
            owner = getattr(arg, "__self__", None)
            drawn = isinstance(owner, random.Random) and arg.__name__ in ("random", "getrandbits")
            if drawn or arg is os.urandom:
                self._stop(*_DRAWN)

    def _is_fixed(self, value: object) -> bool:
        """Return whether it is a leaf with the same number at every call."""
        return getattr(value, "op", None) is ops.constant or id(value) in self._own

    def _is_live(self, value: Value) -> bool:
        """Return whether a result depends on a leaf that is not of the function's own."""
        return any(node.op is None and id(node) not in self._own for node in graph.order(value))

    def _stop(self, what: str, advice: str) -> NoReturn:
        sys.setprofile(None)
        refuse(what, advice)


_MADE = Value.__init__.__code__
_DRAWN = (
    "draw random numbers",
    "every call would replay the same ones; draw them outside, and give them as inputs",
)
_data_property: Any = inspect.getattr_static(Value, "data")
_grad_property: Any = inspect.getattr_static(Value, "grad")
_inputs_property: Any = inspect.getattr_static(Value, "inputs")
_VALUE = "a parameter's number is not fixed"
WATCHED = {
    _data_property.fget.__code__: ("read `.data`", _FROZEN),
    _data_property.fset.__code__: ("change a leaf", "change it outside, before the call"),
    _grad_property.fget.__code__: ("read `.grad`", f"{_FROZEN}; {_SLOPE}"),
    _grad_property.fset.__code__: ("change a `.grad`", "change it outside, before the call"),
    Value.__float__.__code__: ("call float() on a Value", _FROZEN),
    Value.__int__.__code__: ("call int() on a Value", _FROZEN),
    Value.item.__code__: ("call item() of a Value", _FROZEN),
    Value.__format__.__code__: ("write the number of a Value", _FROZEN),
    Value.__round__.__code__: ("round a Value", _FROZEN),
    Value.__eq__.__code__: ("compare a Value", f"{_VALUE}; {_WHERE}"),
    Value.__lt__.__code__: ("compare a Value", f"{_VALUE}; {_WHERE}"),
    Value.__le__.__code__: ("compare a Value", f"{_VALUE}; {_WHERE}"),
    Value.__gt__.__code__: ("compare a Value", f"{_VALUE}; {_WHERE}"),
    Value.__ge__.__code__: ("compare a Value", f"{_VALUE}; {_WHERE}"),
    Value.detach.__code__: ("detach a Value", _FROZEN),
    Value.local_derivatives.__code__: ("read local derivatives", f"{_FROZEN}; {_SLOPE}"),
    _inputs_property.fget.__code__: ("read what a Value was computed from", _FROZEN),
    Value.__copy__.__code__: ("copy a Value", _FROZEN),
    Value.__deepcopy__.__code__: ("copy a Value", _FROZEN),
    Value.__reduce__.__code__: ("copy a Value", _FROZEN),
    inspect.unwrap(no_grad).__code__: (
        "use no_grad",
        "what is computed in it would be frozen; leave it out, nothing is recorded in a replay",
    ),
    Value.backward.__code__: (
        "call backward()",
        "call backward of the compiled function instead",
    ),
    Module.state_dict.__code__: ("read the numbers of a model", _FROZEN),
    threading.Thread.start.__code__: (
        "start a thread",
        "what it reads cannot be watched; calculate in the function itself",
    ),
    Module.zero_grad.__code__: ("set gradients to 0", "do it outside, before the call"),
    random.Random.gauss.__code__: _DRAWN,  # every second time it draws nothing new
}
# Refused also in a call that goes through this package.
_ALWAYS = {_data_property.fset.__code__, random.Random.gauss.__code__}


def _tells_no_number(code: CodeType, used: Mapping[str, Any]) -> bool:
    """Return whether a call is one of `v == another_value`, which is identity, or of `f"{v}"`."""
    if code is Value.__eq__.__code__:
        return isinstance(used["other"], Value)
    return code is Value.__format__.__code__ and not used["spec"]


def is_number_like(value: object) -> bool:
    """Return whether `value` is one number: plain, a Value or a Symbol."""
    return isinstance(value, Operators) or ops.is_operand(value)


def _generators(fn: Callable[..., Any]) -> list[Any]:
    """Return NumPy's random generators that a function reaches, its global one first.

    What is called of them cannot be watched, as it can with `random`.
    """
    numpy = sys.modules.get("numpy.random")
    if numpy is None:
        return []
    kinds = (numpy.Generator, numpy.RandomState)
    found = [numpy.mtrand._rand]
    for thing in reached_by(fn):
        attributes = list(getattr(thing, "__dict__", {}).values())  # other threads may add some
        near = (thing, getattr(thing, "__self__", None), *attributes)
        found += [one for one in near if type(one) in kinds]
    return found


def _state(generator: Any) -> bytes:
    if hasattr(generator, "bit_generator"):
        return pickle.dumps(generator.bit_generator.state)
    return pickle.dumps(generator.get_state(legacy=False))


def differentiate(recorder: Recorder, output: int, wanted: Sequence[int]) -> list[int | None]:
    """Append to the tape the derivatives of `output` in each of `wanted`; return their positions.

    The chain rule as the engine runs it when it builds a graph: the same order of nodes and of
    contributions, the same rows, so that the numbers are the same to the last bit.

    Parameters
    ----------
    recorder : Recorder
    output : int
    wanted : sequence of int
        Positions that the output may depend on.

    Returns
    -------
    list of int or None
        None where the derivative is zero whatever the numbers.
    """
    tape = recorder.tape
    rows, operands = tape.rows, tape.operands
    nodes = tape.order(output)
    reached = tape.depends_on(nodes, wanted)
    if output not in reached:
        return [None] * len(wanted)
    adjoint: dict[int, int] = {output: tape.constant(1)}
    mul, add = ops.mul, ops.add
    for node in reversed(nodes):
        op = rows[node]
        if op is None or node not in reached or node not in adjoint:
            continue
        upstream = adjoint[node]
        if upstream not in tape.adjoints:
            tape.adjoints[upstream] = node
        parents = operands[node]
        inputs = [
            operands[parent][1]
            if rows[parent] is None and operands[parent][0] == CONSTANT
            else Symbol(recorder, parent)
            for parent in parents
        ]
        assert op.partials is not None
        for parent, local in zip(
            parents, op.partials(Symbol(recorder, node), *inputs), strict=True
        ):
            if parent not in reached:
                continue
            if is_plain(local):
                if local == 0:
                    continue
                step = upstream
                if local != 1:
                    step = tape.add(mul, (upstream, tape.constant(local)))
            else:
                step = tape.add(mul, (upstream, recorder.operand(local)))
            before = adjoint.get(parent)
            adjoint[parent] = step if before is None else tape.add(add, (before, step))
    for position in wanted:
        if position in adjoint:
            tape.adjoints.setdefault(adjoint[position], position)
    return [adjoint.get(position) for position in wanted]
