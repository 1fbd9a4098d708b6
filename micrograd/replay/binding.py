"""How a compiled method belongs to its class, and to each object that it is called on."""

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
    """Return the compiled method of a class, bound to an object whose class may override it."""
    return _getter(inspect.getattr_static(owner, name)).__get__(instance)


def _getter(attribute: Any) -> Any:
    """Return the method that a property calls; anything else is returned unchanged."""
    if isinstance(attribute, property):
        return attribute.fget
    return attribute.func if isinstance(attribute, functools.cached_property) else attribute


class Bound:
    """A descriptor: a class attribute that gives each object its own compiled function."""

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
        """Return the class among `kind` and its bases in which this is a method or property."""
        name = self._attribute
        owners = (base for base in kind.__mro__ if _getter(vars(base).get(name)) is self)
        return next(owners, None)

    def __get__(self, instance: Any, owner: type | None = None) -> Self:
        """Return the function compiled for one object, whose Values are its parameters."""
        if instance is None or not inspect.isfunction(self._fn):
            return self
        kept = getattr(instance, "__dict__", None)
        if not isinstance(kept, dict):
            raise ArgumentTypeError(
                f"{self._name} cannot be compiled for {instance!r}, which keeps no attributes of "
                "its own: decorate a method of ordinary objects, or compile a function"
            )
        # The key is not the method's name: an attribute of that name would be found before this
        # descriptor, in a shallow copy as well, and an overriding method has the same name.
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
