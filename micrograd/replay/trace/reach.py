"""What a function uses, as far as that is known without running it."""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import operator
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from fractions import Fraction
from typing import Any

from micrograd.engine import Node, Value
from micrograd.ops import Operators
from micrograd.replay.trace.tape import Tape

__all__ = ["Kept", "found_in", "is_library", "kept_by", "models_of", "names_in", "reached_by"]


def reached_by(fn: Any) -> Iterator[Any]:
    """Yield what a function names: globals, closure, defaults, and what functions there name."""
    seen: set[int] = set()
    queue = [fn]
    while queue:
        thing = queue.pop(0)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, functools.partial):
            queue += [thing.func, *thing.args, *thing.keywords.values()]
        elif inspect.ismethod(thing):
            queue += [thing.__self__, thing.__func__]
        elif inspect.isfunction(thing):
            queue += [thing.__wrapped__] if hasattr(thing, "__wrapped__") else []
            queue += thing.__defaults__ or ()
            for cell in thing.__closure__ or ():
                with contextlib.suppress(ValueError):  # an empty cell
                    queue.append(cell.cell_contents)
            for name in thing.__code__.co_names:
                if name in thing.__globals__:
                    found = thing.__globals__[name]
                    if not isinstance(found, type) and not inspect.ismodule(found):
                        queue.append(found)
        elif not isinstance(thing, type):
            queue += [vars(thing)["__wrapped__"]] if _is_wrapper(thing) else []
            yield thing


def _is_wrapper(thing: Any) -> bool:
    return "__wrapped__" in getattr(thing, "__dict__", ())


def models_of(fn: Any) -> Iterator[Any]:
    """Yield the models that a function uses (they have `parameters()`), in order of appearance."""
    for thing in reached_by(fn):
        parameters = getattr(type(thing), "parameters", None)
        if not isinstance(parameters, property) and callable(getattr(thing, "parameters", None)):
            yield thing


# ---- wherever it is kept -----------------------------------------------------------------------

_NOTHING_IN_IT = {int, float, complex, str, bytes, bool, Fraction, type(None), Value}
# Not looked into: a frame or a module leads to everything, and a thread to what others do.
_CLOSED = (
    Operators, Tape, types.ModuleType, types.FrameType, types.TracebackType, threading.Thread
)  # fmt: skip


# Modules whose functions may return something else at every call.
_CHANGING = {
    "time", "datetime", "os", "posix", "nt", "random", "secrets", "uuid", "numpy.random"
}  # fmt: skip
# Types of which nothing can change but what they refer to.
_CLEAR = (
    object, list, dict, tuple, set, frozenset, types.FunctionType, types.MethodType,
    types.BuiltinFunctionType, types.CellType, types.CodeType, types.MappingProxyType,
    types.GetSetDescriptorType, types.MemberDescriptorType, property, staticmethod, classmethod,
    functools.partial, Node,
)  # fmt: skip


class Kept:
    """A snapshot of everything that a function can reach."""

    def __init__(self, fn: Any) -> None:
        self._things = [(thing, tuple(_beside(thing))) for thing in kept_by(fn)]

    def may_change(self) -> bool:
        """Return whether anything has changed since, or is of a type that does not tell."""
        return any(
            not _is_clear(thing)
            or len(before) != len(now := tuple(_beside(thing)))
            or not all(map(operator.is_, before, now))
            for thing, before in self._things
        )


def _is_clear(thing: Any) -> bool:
    if isinstance(thing, types.ModuleType):
        return thing.__name__ in {"math", "numpy"} or thing.__name__.startswith("micrograd")
    if isinstance(thing, (type, types.BuiltinFunctionType)):
        return module_of(thing) not in _CHANGING
    return all(
        base in _CLEAR or not is_library(base) or module_of(base).startswith("micrograd.")
        for base in type(thing).__mro__
    ) and not hasattr(type(thing), "__next__")


def is_library(thing: Any) -> bool:
    """Return whether a function, class or module is Python's, micrograd's or an installed one's."""
    return _is_installed(module_of(thing))


def module_of(thing: Any) -> str:
    """Return the name of the module of a function or class, or of a module itself."""
    if isinstance(thing, types.ModuleType):
        return thing.__name__
    name = getattr(thing, "__module__", None)
    if isinstance(name, (types.MemberDescriptorType, types.GetSetDescriptorType)):
        return "builtins"  # a class written in C whose objects tell their own module
    return name if isinstance(name, str) else "__main__"


@functools.lru_cache(maxsize=1024)
def _is_installed(module: str) -> bool:
    root = module.partition(".")[0]
    if root == "__main__":
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    known = root in {"micrograd", "numpy"} or root in sys.stdlib_module_names
    return known or "site-packages" in file or "dist-packages" in file


def kept_by(fn: Any) -> Iterator[Any]:
    """Yield everything that a function can reach.

    It reaches things through names, its closure, defaults, attributes, containers, iterators,
    wrappers, classes, and the functions that it can call; in libraries, what was passed to them.
    """
    seen: dict[int, Any] = {}
    queue = [fn]
    while queue:
        thing = queue.pop()
        if id(thing) not in seen:
            seen[id(thing)] = thing  # so that no id is reused
            yield thing
            queue += [one for one in _beside(thing) if type(one) not in _NOTHING_IN_IT]


def _beside(thing: Any) -> Iterable[Any]:
    kind = type(thing)
    if issubclass(kind, _CLOSED):
        return ()
    if kind is types.FunctionType:
        found = [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
        found += [thing.__closure__, thing.__dict__]
        if not is_library(thing):
            found += _named(thing.__code__, thing.__globals__)
        return found
    if issubclass(kind, type):
        return () if is_library(thing) else (*vars(thing).values(), *thing.__bases__)
    if kind is types.GeneratorType:
        code, frame = thing.gi_code, thing.gi_frame
        return () if frame is None else (*frame.f_locals.values(), *_named(code, frame.f_globals))
    if issubclass(kind, weakref.ref):
        return (thing(),)
    if kind is ContextVar:
        return (thing.get(None),)
    if module_of(kind) == "numpy" and getattr(getattr(thing, "dtype", None), "hasobject", False):
        return tuple(thing.flat)  # the collector does not see what an array holds
    if kind.__dictoffset__:  # before it is asked for, the collector sees the attributes themselves
        with contextlib.suppress(AttributeError):
            object.__getattribute__(thing, "__dict__")
    return (*gc.get_referents(thing), kind)


def _named(code: types.CodeType, space: dict[str, Any]) -> Iterator[Any]:
    """Yield the values of the names in some code, also as attributes of the user's modules."""
    for _, found in found_in([space], names_in(code), lambda module: not is_library(module)):
        if not isinstance(found, types.ModuleType) or found.__name__ in _CHANGING:
            yield found


def found_in(
    spaces: list[dict[str, Any]], names: frozenset[str], enters: Callable[[types.ModuleType], bool]
) -> Iterator[tuple[str, Any]]:
    """Yield names with what they stand for, also as attributes of the modules that it `enters`.

    The names of such a module are added to `spaces`.
    """
    for space in spaces:
        for name in sorted(names & space.keys()):
            found = space[name]
            yield name, found
            is_entered = isinstance(found, types.ModuleType) and enters(found)
            if is_entered and all(vars(found) is not other for other in spaces):
                spaces.append(vars(found))


@functools.lru_cache(maxsize=1024)
def names_in(code: types.CodeType) -> frozenset[str]:
    """Return the names in some code, and in the functions that it makes."""
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    return frozenset(code.co_names).union(*map(names_in, inner))
