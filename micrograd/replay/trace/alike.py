"""What the trace of a function depends on, so that a function that is alike need not be traced.

A function may close over anything, and call what it likes. So everything that it can reach is
described, by kinds of things of which nothing is hidden: code, numbers, containers, ordinary
objects and their classes, and the parameters by their places. If anything else can be reached,
nothing is said, and the function is traced.
"""

from __future__ import annotations

import builtins
import dis
import functools
import types
import weakref
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Neuron, is_ours, neurons_of
from micrograd.ops import TABLE
from micrograd.replay.trace.reach import found_in, is_library, module_of, names_in

__all__ = ["described", "parameters_of", "shape_of", "surface"]

_NUMBERS: Final = {int, bool, str, bytes, type(None), Fraction}
_METHODS: Final = (property, staticmethod, classmethod, functools.cached_property)
# Built-in functions that give the same for the same arguments, and reach nothing else.
_PURE: Final = {
    "abs", "all", "any", "bool", "divmod", "enumerate", "filter", "float", "frozenset", "int",
    "isinstance", "issubclass", "iter", "len", "list", "map", "max", "min", "next", "pow", "range",
    "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum", "super", "tuple", "zip",
    "dict", "property", "object", "hasattr", "ArithmeticError", "AssertionError",
    "IndexError", "KeyError", "NotImplementedError", "RuntimeError", "TypeError", "ValueError",
    "ZeroDivisionError",
}  # fmt: skip
# The modules of libraries whose functions and classes give the same for the same arguments: others
# may read a file, the environment or a clock, or keep something of their own.
_STEADY: Final = {
    "abc", "builtins", "collections", "fractions", "functools", "itertools", "math", "micrograd",
    "numbers", "operator", "statistics", "typing", "_collections_abc", "_operator", "_functools",
}  # fmt: skip


class _UnknownError(Exception):
    """Something that cannot be described."""


def described(fn: Any, parameters: Sequence[Value]) -> tuple[Any, ...] | None:
    """Return all that the trace of a function depends on; None if that is not known.

    Functions and classes are referred to weakly.

    Parameters
    ----------
    fn : callable
    parameters : sequence of Value
        The leaves that it may use, which are described by their places.

    Examples
    --------
    >>> from functools import partial
    >>> from operator import mul
    >>> described(partial(mul, 2), []) == described(partial(mul, 2), [])
    True
    >>> described(partial(mul, 2), []) == described(partial(mul, 2.0), [])
    False
    >>> described(partial(mul, [].append), []) is None
    True
    """
    if not all(type(p) is Value and p.op is None and not p.__dict__.keys() - _PLACE
               for p in parameters):  # fmt: skip
        return None
    walk = _Walk({id(p): i for i, p in enumerate(parameters)})
    try:
        used = surface()
        rules = [rule for op in TABLE.values() for rule in (op.forward, op.partials)]
        if not all(map(is_library, [*used[len(TABLE) :], *rules])):
            return None
        found = (walk.token(fn), *map(tuple, walk.descriptions()), used)
        hash(found)
    except (_UnknownError, TypeError, ValueError):  # not hashable; an empty cell
        return None
    return found


_ATTRIBUTES: Final = {
    "activation", "atomic", "b", "layers", "neurons", "nin", "nonlin", "nouts", "w"
}  # fmt: skip
_PLACE: Final = {"_place"}  # where a parameter of a network stands, which no function asks


def surface(*kinds: type) -> tuple[Any, ...]:
    """Return the rows of the table, and the methods of Values and of other classes."""
    found: list[Any] = [*TABLE.values()]
    for kind in (*Value.__mro__[:-1], *kinds):
        found += _methods(kind)
    return tuple(found)


def shape_of(model: Any) -> tuple[Any, ...] | None:
    """Return what a network of our own classes is made of; None of any other object."""
    if not is_ours(model):
        return None
    parts = [model, *model.layers, *[n for neurons in neurons_of(model) for n in neurons]]
    if any(vars(part).keys() - _ATTRIBUTES for part in parts):  # one may stand for a method
        return None
    layers = [
        tuple([(len(n.w), bool(n.nonlin), n.activation, bool(n.atomic)) for n in neurons])
        for neurons in neurons_of(model)
    ]
    return (model.nin, *layers)


def parameters_of(network: MLP) -> list[Value]:
    """Return the weights and biases, whatever they are."""
    return [p for neurons in neurons_of(network) for n in neurons for p in (*n.w, n.b)]


def _methods(kind: type) -> list[Any]:
    return [one for one in vars(kind).values() if isinstance(one, types.FunctionType)]


def _identity(thing: Any) -> Any:
    """Return what is equal for the same thing alone."""
    try:
        return weakref.ref(thing)
    except TypeError:
        return id(thing) if is_library(thing) else _unknown()


def _unknown() -> Any:
    raise _UnknownError


def _is_steady(thing: Any) -> bool:
    """Return whether something is a library's; raise `_UnknownError` if not one that is known."""
    found = is_library(thing)
    if found and module_of(thing).partition(".")[0] not in _STEADY:
        raise _UnknownError
    return found


@functools.lru_cache(maxsize=1024)
def _imports(code: types.CodeType) -> bool:
    """Return whether some code, or a function that it makes, imports something."""
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    return any(one.opname == "IMPORT_NAME" for one in dis.get_instructions(code)) or any(
        map(_imports, inner)
    )


class _Walk:
    """Describes things one after the other; each refers to others by their numbers."""

    def __init__(self, places: dict[int, int]) -> None:
        self._places = places  # of the parameters, by id
        self._numbers: dict[Any, int] = {}
        self._things: list[Any] = []

    def token(self, thing: Any) -> Any:
        """Return what stands for a thing in the description of another."""
        kind = type(thing)
        if kind is Value:
            place = self._places.get(id(thing))
            return ("parameter", place) if place is not None else _unknown()
        if kind is float:
            return kind, repr(thing)  # -0.0 is not 0.0, and a nan is a nan
        if kind in _NUMBERS:
            return kind, thing
        same = thing if kind is _Kind else id(thing)
        number = self._numbers.setdefault(same, len(self._things))
        if number == len(self._things):
            self._things.append(thing)  # which also keeps its id
        return number

    def descriptions(self) -> Iterator[list[Any]]:
        """Yield a description of each thing met, while further ones are met."""
        for thing in self._things:
            yield list(self._parts(thing))

    def _parts(self, thing: Any) -> Iterator[Any]:
        kind = type(thing)
        yield _identity(kind)
        if kind in (list, tuple):
            yield from map(self.token, thing)
        elif kind is dict:
            for key, entry in thing.items():
                yield self.token(key)
                yield self.token(entry)
        elif kind is types.FunctionType:
            yield from self._function(thing)
        elif kind is types.MethodType:
            yield self.token(thing.__func__)
            yield self.token(thing.__self__)
        elif kind is types.CellType:
            yield self.token(thing.cell_contents)
        elif kind is functools.partial:
            yield from map(self.token, (thing.func, thing.args, thing.keywords))
        elif kind in _METHODS:
            for name in ("fget", "fset", "fdel", "func", "__func__"):
                yield self.token(getattr(thing, name, None))
        elif kind is types.BuiltinFunctionType:
            if not (isinstance(thing.__self__, types.ModuleType) and _is_steady(thing)):
                raise _UnknownError
            yield _identity(thing)
        elif kind is type:
            yield from self._class(thing)
        elif (shape := shape_of(thing)) is not None:
            yield from self._network(thing, shape)
        elif kind is _Kind:
            if not is_library(type(thing.kind)):
                raise _UnknownError
            yield from self._class(thing.kind, makes=False)
        else:
            yield from self._object(thing)

    def _network(self, thing: MLP, shape: tuple[Any, ...]) -> Iterator[Any]:
        """Describe a network of ours, whose neurons need not be looked at one by one."""
        yield from map(self.token, map(_Kind, (MLP, Layer, Neuron)))
        yield shape
        places = tuple(map(self._places.get, map(id, parameters_of(thing))))
        yield places if None not in places else _unknown()

    def _function(self, thing: types.FunctionType) -> Iterator[Any]:
        yield _identity(thing.__code__)
        yield from map(self.token, (thing.__defaults__, thing.__kwdefaults__, thing.__dict__))
        yield from map(self.token, thing.__closure__ or ())
        if _is_steady(thing):
            yield _identity(thing)
        elif _imports(thing.__code__):
            raise _UnknownError
        else:
            yield from self._named(names_in(thing.__code__), thing.__globals__)

    def _named(self, names: frozenset[str], space: dict[str, Any]) -> Iterator[Any]:
        """Yield what the names of some code stand for, also as attributes of modules."""
        spaces = [space]
        for name, found in found_in(spaces, names, lambda module: True):
            yield name
            yield (_identity if isinstance(found, types.ModuleType) else self.token)(found)
        # A module may import others, or compute something, when it is asked for it.
        lazy = any("__getattr__" in one and one["__name__"] != "micrograd" for one in spaces)
        if lazy and not names <= set().union(*spaces):
            raise _UnknownError
        others = names - space.keys()
        # It may open a file, or make an object by the class of another.
        asked = {name for name in names if name[:2] == "__"} - {"__call__"}
        if asked or (others & vars(builtins).keys()) - _PURE:
            raise _UnknownError

    def _class(self, thing: type, *, makes: bool = True) -> Iterator[Any]:
        """Describe a class; what `__init__` uses matters only if it `makes` objects."""
        yield _identity(thing)
        if _is_steady(thing):
            for method in _methods(thing):  # a user may have replaced one
                yield _identity(method) if is_library(method) else self.token(method)
            return
        parts = vars(thing)
        makes = makes or any(type(part) in (classmethod, staticmethod) for part in parts.values())
        for base in thing.__bases__:
            yield self.token(base if makes else _Kind(base))
        for name, part in parts.items():
            if name not in _OF_EVERY_CLASS:
                yield name
                yield _identity(part) if name == "__init__" and not makes else self.token(part)

    def _object(self, thing: Any) -> Iterator[Any]:
        """Describe an object whose attributes are all that it is."""
        kind = type(thing)
        for base in kind.__mro__[:-1]:
            ours = not is_library(base) or module_of(base).startswith("micrograd.")
            if not ours or vars(base).get("__slots__"):
                raise _UnknownError
        yield self.token(_Kind(kind))
        for name, entry in vars(thing).items():
            yield name
            yield self.token(entry)


class _Kind(NamedTuple):
    """The class of an object that exists already."""

    kind: type


_OF_EVERY_CLASS: Final = {
    "__dict__", "__weakref__", "__module__", "__doc__", "__annotations__", "__qualname__",
    "__firstlineno__", "__static_attributes__",
}  # fmt: skip
