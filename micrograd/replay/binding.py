"""How a compiled method belongs to its class, and to each of the objects it is called on."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from micrograd.errors import ArgumentTypeError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Bound", "method_of"]


def method_of(owner: type, name: str, instance: Any) -> Any:
    """Return the compiled method of a class for an object whose own class may override it."""
    return _getter(inspect.getattr_static(owner, name)).__get__(instance)


def _getter(attribute: Any) -> Any:
    """Return the method that a property of a class calls, and anything else as it is."""
    if isinstance(attribute, property):
        return attribute.fget
    return attribute.func if isinstance(attribute, functools.cached_property) else attribute


class Bound:
    """A descriptor of a class: gives each object a compiled function of its own."""

    _fn: Callable[..., Any] | None
    _name: str
    _attribute: str
    _key: str
    _method: Self | None  # of a class, that this is for one object

    if TYPE_CHECKING:

        def _made_for(self, instance: Any) -> Self:
            """Return a compiled function with the same options, for one object."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute = name
        self._key = f"{owner.__qualname__}.{name} compiled"

    def _definer(self, kind: type) -> type | None:
        """Return that one of the bases of a class, or itself, whose method or property this is."""
        name = self._attribute
        owners = (base for base in kind.__mro__ if _getter(vars(base).get(name)) is self)
        return next(owners, None)

    def __get__(self, instance: Any, owner: type | None = None) -> Self:
        """Return the function compiled for one object, whose Values are then its parameters."""
        if instance is None or not inspect.isfunction(self._fn):
            return self
        kept = getattr(instance, "__dict__", None)
        if not isinstance(kept, dict):
            raise ArgumentTypeError(
                f"{self._name} cannot be compiled for {instance!r}, which keeps no attributes of "
                "its own: decorate a method of ordinary objects, or compile a function"
            )
        # Not under its name, where it would be found before this: a shallow copy of the object has
        # it too, and a method of a subclass that calls this one has the name itself.
        key = self._key
        found = kept.get(key)
        if found is not None and found._method is self and found._fn.args[0] is instance:
            return cast("Self", found)
        bound = kept[key] = self._made_for(instance)
        bound._method = self
        return bound

    def __reduce_ex__(self, protocol: Any) -> Any:
        method = self._method
        if method is None:
            return super().__reduce_ex__(protocol)
        instance = cast("functools.partial[Any]", self._fn).args[0]
        kind = type(instance)
        return method_of, (method._definer(kind) or kind, method._attribute, instance)

    def _expect_bound(self, args: Sequence[Any]) -> None:
        if args and self._definer(type(args[0])):
            raise ArgumentTypeError(
                f"{self._name} is a method, compiled for each object on its own, and got "
                f"{args[0]!r} as its first argument: use it as an attribute of that object, as in "
                f"obj.{self._attribute}.map(...)"
            )
