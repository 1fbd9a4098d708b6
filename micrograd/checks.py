"""Checks of arguments: whole numbers, finite numbers, choices, and packages of an extra."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    NumberTypeError,
    OptionTypeError,
    shown,
    shown_briefly,
    shown_typed,
)
from micrograd.ops import PlainNumber, as_float, number

__all__ = [
    "finite_number", "function", "install", "listed", "missing", "needs", "one_of", "whole_number",
]  # fmt: skip


def whole_number(name: str, given: Any, least: int | None = None, most: int | None = None) -> int:
    """Return an argument as an int, checked to be a whole number.

    Parameters
    ----------
    name : str
        What the message calls it.
    given : object
        An int, or what Python accepts as an index, such as NumPy's integers; not a bool.
    least, most : int, optional
        The smallest and the largest number that it may be.

    Raises
    ------
    OptionTypeError
        If it is no whole number. Also a TypeError and a ValueError.
    ArgumentError
        If it is too small or too large. Also a ValueError.

    Examples
    --------
    >>> whole_number("steps", 10, 0)
    10
    >>> whole_number("batch_size", 0, 1)
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentError: expected batch_size to be a whole number of 1 or more, got 0
    """
    wanted = "a whole number"
    if least is not None:
        wanted += f" of {least} or more" if most is None else f" from {least} to {most}"
    try:
        if type(given).__name__ in {"bool", "bool_"}:  # and of NumPy
            raise TypeError
        whole = operator.index(given)
    except TypeError:
        raise _of_wrong_type(name, wanted, given) from None
    if (least is not None and whole < least) or (most is not None and whole > most):
        raise ArgumentError(f"expected {name} to be {wanted}, got {shown(whole)}")
    return whole


def finite_number(
    name: str,
    given: Any,
    least: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
) -> PlainNumber:
    """Return an argument, checked to be a finite number that a float can hold.

    Parameters
    ----------
    name : str
        What the message calls it.
    given : object
        An int, float, Fraction or NumPy scalar.
    least : float, optional
        The smallest number that it may be.
    above, below : float, optional
        What it has to be larger and smaller than.

    Returns
    -------
    int, float or Fraction
        Of the type given; Python's own for a NumPy scalar.

    Raises
    ------
    OptionTypeError
        If it is no number. Also a TypeError and a ValueError.
    ArgumentError
        If it is out of range. Also a ValueError.

    Examples
    --------
    >>> finite_number("lr", 0.1, 0)
    0.1
    >>> finite_number("momentum", 1.0, 0, below=1)
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentError: expected momentum to be a finite number of 0 or more and below \
1, got 1.0
    """
    limits = [
        text.format(limit)
        for text, limit in (("of {} or more", least), ("above {}", above), ("below {}", below))
        if limit is not None
    ]
    wanted = " ".join(["a finite number", *limits[:1], *(f"and {text}" for text in limits[1:])])
    try:
        plain = number(given)
    except NumberTypeError:
        raise _of_wrong_type(name, wanted, given) from None
    if plain * 0 == 0 and math.isinf(as_float(plain)):
        raise ArgumentError(f"{name} is too large for a float: {shown(plain)}")
    if (
        not math.isfinite(plain)
        or (least is not None and plain < least)
        or (above is not None and plain <= above)
        or (below is not None and plain >= below)
    ):
        raise ArgumentError(f"expected {name} to be {wanted}, got {shown(plain)}")
    return plain


def one_of(name: str, given: Any, choices: Iterable[Any]) -> Any:
    """Return an argument, checked to be one of the choices.

    Parameters
    ----------
    name : str
        What the message calls it.
    given : object
    choices : iterable
        Strings, or True, False and None.

    Raises
    ------
    ArgumentError
        If it is none of them. Also a ValueError.

    Examples
    --------
    >>> one_of("theme", "light", ("light", "dark"))
    'light'
    >>> one_of("theme", "neon", ("light", "dark"))
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentError: expected theme to be one of 'light', 'dark', got 'neon'
    """
    known = list(choices)
    if not isinstance(given, Hashable) or given not in known:  # an array is no choice, nor a list
        listed = ", ".join(map(repr, known))
        raise ArgumentError(f"expected {name} to be one of {listed}, got {shown_briefly(given)}")
    return known[known.index(given)]


def listed(name: str, given: Any, wanted: str = "a list") -> list[Any]:
    """Return the entries of an argument as a list; it has to be iterable.

    Raises
    ------
    ArgumentTypeError
        If it cannot be iterated over. Also a TypeError.

    Examples
    --------
    >>> listed("names", ("a", "b"))
    ['a', 'b']
    >>> listed("names", 5)
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentTypeError: expected names to be a list, got 5 (int)
    """
    if not isinstance(given, Iterable):
        raise ArgumentTypeError(_told(name, wanted, given))
    return list(given)


def function(name: str, given: Any) -> Callable[..., Any]:
    """Return an argument, checked to be callable.

    Raises
    ------
    ArgumentTypeError
        If it cannot be called. Also a TypeError.

    Examples
    --------
    >>> function("f", abs)(-2)
    2
    >>> function("f", None)
    Traceback (most recent call last):
        ...
    micrograd.errors.ArgumentTypeError: expected f to be a function, got None (NoneType)
    """
    if not callable(given):
        raise ArgumentTypeError(_told(name, "a function", given))
    return given  # type: ignore[no-any-return]


def install(extra: str) -> str:
    """Return the command that installs micrograd with an extra.

    Examples
    --------
    >>> install("train")
    'pip install "micrograd[train]"'
    """
    if sys.platform == "emscripten":
        return "a web page has the packages of its site and no others"
    return f'pip install "micrograd[{extra}]"'


def missing(extra: str, reason: str) -> ImportError:
    """Return the error for packages of an extra that are not installed.

    Examples
    --------
    >>> missing("train", "plots need matplotlib")
    ImportError('plots need matplotlib: pip install "micrograd[train]"')
    """
    return ImportError(f"{reason}: {install(extra)}")


@contextmanager
def needs(extra: str, reason: str) -> Iterator[None]:
    """Make an ImportError inside the block say what needs the packages and how to install them.

    Parameters
    ----------
    extra : str
        The extra of micrograd that installs them.
    reason : str
        What needs which packages.

    Examples
    --------
    >>> with needs("train", "plots need matplotlib"):
    ...     import a_package_that_is_missing
    Traceback (most recent call last):
        ...
    ImportError: plots need matplotlib: pip install "micrograd[train]"
    """
    try:
        yield
    except ImportError as error:
        told = missing(extra, reason)
        if sys.platform == "emscripten":  # a cell loads what it names, before it runs
            name = (error.name or "it").partition(".")[0]
            told = ImportError(f"{told}; if {name} is one, `import {name}` in a cell loads it")
        raise told from error


def _of_wrong_type(name: str, wanted: str, given: Any) -> OptionTypeError:
    return OptionTypeError(_told(name, wanted, given))


def _told(name: str, wanted: str, given: Any) -> str:
    return f"expected {name} to be {wanted}, got {shown_typed(given)}"
