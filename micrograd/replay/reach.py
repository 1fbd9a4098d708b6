"""What a function uses, as far as it can be seen without running it."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import Any

__all__ = ["models_of", "reached_by"]


def reached_by(fn: Any) -> Iterator[Any]:
    """Yield what a function names: globals, closure, defaults, and what the functions there do."""
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
                with contextlib.suppress(ValueError):  # not filled yet
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
    """Yield what a function uses that has `parameters()`: models, in order of appearance."""
    for thing in reached_by(fn):
        parameters = getattr(type(thing), "parameters", None)
        if not isinstance(parameters, property) and callable(getattr(thing, "parameters", None)):
            yield thing
