"""What a traced function must not do, and how it is noticed: branches, random numbers, clocks.

Every call replays the trace, so nothing in it may be different at the next call. A symbol refuses
what depends on its number; calls are watched; and the states of all random generators that the
function can reach are compared.
"""

from __future__ import annotations

import contextlib
import datetime
import dis
import inspect
import linecache
import os
import pickle
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn, TypeAlias, TypeVar

from micrograd import graph, ops
from micrograd.engine import Node, Value, enable_grad, gradient, no_grad
from micrograd.errors import TraceError
from micrograd.nn import Module
from micrograd.ops import is_plain
from micrograd.replay.trace.reach import kept_by
from micrograd.values.collecting import uncollected

__all__ = [
    "DRAWN", "FROZEN", "SLOPE", "WATCHED", "WHERE", "Watch", "is_symbol", "line_where",
    "user_frame",
]  # fmt: skip

# With a separator at the end: the name of a user's file may begin with that of the folder.
_PACKAGE = str(Path(__file__).resolve().parents[2]) + os.sep
_LIBRARY = str(Path(contextlib.__file__).parent) + os.sep
WHERE = "use micrograd.where(micrograd.greater(a, b), this, that), which stays in the graph"
SLOPE = "call value_and_grad or backward of the compiled function, or use micrograd.gradient in it"
FROZEN = "its number would be frozen into the compiled function, while parameters stay live"
_OWN_OPERATION = "an operation of your own is added with micrograd.define"

_T = TypeVar("_T")
# A random generator, its state, and whether all threads use it.
_Generator: TypeAlias = tuple[Any, Any, bool]


# ---- where something stands ---------------------------------------------------------------------


def _is_users(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    library = name.startswith((_LIBRARY, "<frozen ")) and "site-packages" not in name
    return not (library or name.startswith((_PACKAGE, *_numpy_folder())))


def user_frame() -> tuple[FrameType | None, int]:
    """Return the innermost frame of the user's code, and its level for `warnings.warn`."""
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame is not None and not _is_users(frame):
        frame, level = frame.f_back, level + 1
    return frame, level


def _numpy_folder() -> list[str]:
    found = getattr(sys.modules.get("numpy"), "__file__", None)
    return [] if found is None else [str(Path(found).parent) + os.sep]


def _place(file: str, number: int) -> str:
    line = linecache.getline(file, number).strip()
    place = f"{Path(file).name}, line {number}"
    return f"{place}: `{line}`" if line else place


def _user_line() -> str:
    """Return the line of the user's code that is being run, with its file and number."""
    frame, _ = user_frame()
    return "?" if frame is None else _place(frame.f_code.co_filename, frame.f_lineno)


def line_where(run: Callable[[], object], happened: Callable[[], bool]) -> str:
    """Run something line by line; return the user's line after which it has happened."""
    last, found = "?", ""

    def step(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal last, found
        if not _is_users(frame):
            return None
        if event != "call":
            found = found or (last if happened() else "")
            last = _place(frame.f_code.co_filename, frame.f_lineno)
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        with contextlib.suppress(Exception):
            run()
    finally:
        sys.settrace(before)
    return found or last


# ---- watching -----------------------------------------------------------------------------------


def refusal(what: str, advice: str, line: str) -> TraceError:
    """Return the error for something that a function did in a line."""
    return TraceError(f"a traced function cannot {what} ({line}): {advice}")


class Watch:
    """Watches a function that runs on symbols, and refuses what cannot be replayed.

    Attributes
    ----------
    tracing : bool
        Whether the function itself is run, on symbols in place of Values; else it is the rule of an
        operation, on symbols in place of any number.
    in_users_rule : bool
        Whether that rule is the user's.
    refusal : TraceError or None
        The first one, which counts even if the function catches it.
    own : dict of int to Value
        The leaves that the function itself makes.
    """

    def __init__(self) -> None:
        self.tracing = True
        self.in_users_rule = False
        self.refusal: TraceError | None = None
        self.own: dict[int, Value] = {}
        self._kept: list[Any] = []  # so that no id is reused
        self._watching = False
        self._names_random = False
        self._code_seen: dict[int, bool] = {}  # whether a call of it may be refused

    def refuse(self, what: str, advice: str, line: str = "") -> NoReturn:
        """Raise a `TraceError` that shows the user's line."""
        error = refusal(what, advice, line or _user_line())
        self.refusal = self.refusal or error
        raise error

    def unwatched(self, work: Callable[..., _T], *args: Any) -> _T:
        """Return what a function of ours returns, without watching it, which would take longer."""
        watch = sys.getprofile() if self._watching else None
        if watch is None:
            return work(*args)
        sys.setprofile(None)
        try:
            return work(*args)
        finally:
            sys.setprofile(watch)

    @uncollected()
    def watched(self, fn: Callable[..., _T], *args: Any) -> _T:
        """Return what a function returns; refuse what cannot be replayed."""
        generators = _generators(fn)
        result: Any = None
        # A no_grad around the call must not freeze parameters.
        with enable_grad(), self._watched():
            try:
                result = fn(*args)
                if hasattr(type(result), "__next__"):  # a generator runs only now
                    result = list(result)
            except Exception:
                if self.refusal is None and not self._drawn_from(generators):
                    raise
        drawn = self._drawn_from(generators)
        if drawn and self.refusal is None:
            states = [(generator, _state(generator)) for generator, _, _ in drawn]
            line = line_where(
                lambda: fn(*args), lambda: any(_state(one) != state for one, state in states)
            )
            self.refusal = refusal(*DRAWN, line)
        for generator, state, _ in drawn:  # as if nothing had been drawn
            _restore(generator, state)
        if self.refusal is not None:
            raise self.refusal
        return result  # type: ignore[no-any-return]

    def _drawn_from(self, generators: list[_Generator]) -> list[_Generator]:
        """Return the generators whose state has changed.

        A global one, which other threads use as well, counts only if the function can reach it or
        names its module.
        """
        return [
            (generator, state, is_global)
            for generator, state, is_global in generators
            if (self._names_random or not is_global) and _state(generator) != state
        ]

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Watch the calls of the function, for what a Symbol itself does not notice."""
        before: Any = sys.getprofile()
        watch = self._event  # CPython 3.11 calls it without holding it, even if it unsets itself
        try:
            self._watching = True
            sys.setprofile(watch)
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
            counts = self._code_seen.get(id(code))
            if counts is None:
                counts = code in WATCHED or code is _MADE or code is gradient.__code__
                self._code_seen[id(code)] = counts
                self._kept.append(code)
                self._look_at(frame)
            if not counts:  # most calls, and a table's look-up of code takes as long as they do
                return
            if code is _MADE:
                made = frame.f_locals["self"]
                if is_symbol(frame.f_locals["data"]):
                    self._stop("put a traced value into a Value", "it is one: leave Value() out")
                self.own[id(made)] = made
                self._kept.append(made)
            elif code is gradient.__code__:
                output, create_graph = frame.f_locals["output"], frame.f_locals["create_graph"]
                if not is_symbol(output) and not create_graph and self._is_live(output):
                    self._stop("take a gradient as numbers", f"{FROZEN}; pass create_graph=True")
            elif not _tells_no_number(code, frame.f_locals):
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
            if isinstance(owner, random.Random):
                if arg.__name__ in ("random", "getrandbits"):
                    self._stop(*DRAWN)
            elif arg is os.urandom:
                self._stop(*DRAWN)
            elif arg in _CLOCKS and frame.f_globals.get("__name__") not in _TIMED:
                self._stop("read a clock", "its time would be frozen; give it as an input")

    def _look_at(self, frame: FrameType) -> None:
        """Examine code that is about to run for the first time."""
        code = frame.f_code
        names = code.co_names
        if "random" in names:
            self._names_random = True
        if "type" not in names or "type" in frame.f_globals or not _is_users(frame):
            return
        found = [frame.f_globals.get(name) for name in names]
        found += [frame.f_locals.get(name) for name in code.co_freevars]
        nodes = any(isinstance(one, type) and issubclass(one, Node) for one in found)
        if nodes or "Value" in names or self.in_users_rule:
            line = code.co_firstlineno
            for step in dis.get_instructions(code):
                line = step.starts_line if type(step.starts_line) is int else line
                if step.argval == "type":
                    break
            advice = "a traced value is of a type of its own; use isinstance(x, Value)"
            if self.in_users_rule:
                advice = "what it is given is no float here; write the rule with operators"
            sys.setprofile(None)
            self.refuse("ask what type() a number has", advice, _place(code.co_filename, line))

    def _is_fixed(self, value: object) -> bool:
        """Return whether a value is a leaf with the same number at every call."""
        return (issubclass(type(value), Node) and ops.is_constant(value)) or id(value) in self.own

    def _is_live(self, value: Any) -> bool:
        """Return whether a result depends on a leaf that the function did not make."""
        return issubclass(type(value), Node) and any(
            node.op is None and id(node) not in self.own for node in graph.order(value)
        )

    def _stop(self, what: str, advice: str) -> NoReturn:
        sys.setprofile(None)
        self.refuse(what, advice)


def is_symbol(value: object) -> bool:
    """Return whether a value is a Symbol, whose `__class__` says that it is a Value."""
    return issubclass(type(value), ops.Operators) and not issubclass(type(value), Node)


_MADE = Value.__init__.__code__
DRAWN = (
    "draw random numbers",
    "every call would replay the same ones; draw them outside, and give them as inputs",
)
_CLOCKS = {
    *[getattr(time, name) for name in dir(time) if name.endswith("_ns")],
    *[getattr(time, name[:-3]) for name in dir(time) if name.endswith("_ns")],
    *(time.localtime, time.gmtime, time.ctime, os.times),
    *(datetime.datetime.now, datetime.datetime.utcnow, datetime.datetime.today),
    datetime.date.today,
}
# Modules that read a clock for themselves, and do not return the time.
_TIMED = {"logging", "threading", "queue"}
_data_property: Any = inspect.getattr_static(Value, "data")
_grad_property: Any = inspect.getattr_static(Value, "grad")
_inputs_property: Any = inspect.getattr_static(Value, "inputs")
_VALUE = "a parameter's number is not fixed"
WATCHED = {
    _data_property.fget.__code__: ("read `.data`", f"{FROZEN}; {_OWN_OPERATION}"),
    _data_property.fset.__code__: ("change a leaf", "change it outside, before the call"),
    _grad_property.fget.__code__: ("read `.grad`", f"{FROZEN}; {SLOPE}"),
    _grad_property.fset.__code__: ("change a `.grad`", "change it outside, before the call"),
    Value.__float__.__code__: ("call float() on a Value", FROZEN),
    Value.__int__.__code__: ("call int() on a Value", FROZEN),
    Value.item.__code__: ("call item() of a Value", FROZEN),
    Value.__format__.__code__: ("write the number of a Value", FROZEN),
    Value.__round__.__code__: ("round a Value", FROZEN),
    Value.__eq__.__code__: ("compare a Value", f"{_VALUE}; {WHERE}"),
    Value.__lt__.__code__: ("compare a Value", f"{_VALUE}; {WHERE}"),
    Value.__le__.__code__: ("compare a Value", f"{_VALUE}; {WHERE}"),
    Value.__gt__.__code__: ("compare a Value", f"{_VALUE}; {WHERE}"),
    Value.__ge__.__code__: ("compare a Value", f"{_VALUE}; {WHERE}"),
    Value.detach.__code__: ("detach a Value", FROZEN),
    Value.local_derivatives.__code__: ("read local derivatives", f"{FROZEN}; {SLOPE}"),
    _inputs_property.fget.__code__: ("read what a Value was computed from", FROZEN),
    Value.__copy__.__code__: ("copy a Value", FROZEN),
    Value.__deepcopy__.__code__: ("copy a Value", FROZEN),
    Value.__reduce__.__code__: ("copy a Value", FROZEN),
    inspect.unwrap(no_grad).__code__: (
        "use no_grad",
        "what is computed in it would be frozen; leave it out, nothing is recorded in a replay",
    ),
    Value.backward.__code__: (
        "call backward()",
        "call backward of the compiled function instead",
    ),
    Module.state_dict.__code__: ("read the numbers of a model", FROZEN),
    threading.Thread.start.__code__: (
        "start a thread",
        "what it reads cannot be watched; compute it in the function itself",
    ),
    Module.zero_grad.__code__: ("set gradients to 0", "do it outside, before the call"),
    random.Random.gauss.__code__: DRAWN,  # every second call draws nothing
}
# Refused even if this package makes the call.
_ALWAYS = {_data_property.fset.__code__, random.Random.gauss.__code__}


def _tells_no_number(code: CodeType, used: Mapping[str, Any]) -> bool:
    """Return whether a call is `v == another_value`, which compares identity, or `f"{v}"`."""
    if code is Value.__eq__.__code__:
        return issubclass(type(used["other"]), Value)
    return code is Value.__format__.__code__ and not used["spec"]


# ---- random generators --------------------------------------------------------------------------


def _generators(fn: Callable[..., Any]) -> list[_Generator]:
    """Return the random generators that a function can reach, each with its state.

    The third item says whether it is a global one that the function may only name. Their states are
    compared because calls of NumPy's generators, and calls made by a `map`, an `iter` or a
    `partial`, cannot be watched.
    """
    kinds: tuple[type, ...] = (random.Random,)
    numpy = sys.modules.get("numpy.random")
    global_ones: list[Any] = [random.random.__self__]  # type: ignore[attr-defined]
    if numpy is not None:
        kinds += (numpy.BitGenerator, numpy.Generator, numpy.RandomState)
        global_ones.append(numpy.mtrand._rand)
    found = [one for one in kept_by(fn) if issubclass(type(one), kinds)]
    held = [one for one in found if not isinstance(one, random.SystemRandom)]
    others = [one for one in global_ones if all(one is not other for other in held)]
    return [(one, _state(one), False) for one in held] + [
        (one, _state(one), True) for one in others
    ]


def _state(generator: Any) -> Any:
    if isinstance(generator, random.Random):
        return random.Random.getstate(generator)
    if hasattr(generator, "get_state"):
        return pickle.dumps(generator.get_state(legacy=False))
    return pickle.dumps(getattr(generator, "bit_generator", generator).state)


def _restore(generator: Any, state: Any) -> None:
    if isinstance(generator, random.Random):
        random.Random.setstate(generator, state)
    elif hasattr(generator, "set_state"):
        generator.set_state(pickle.loads(state))
    else:
        getattr(generator, "bit_generator", generator).state = pickle.loads(state)
