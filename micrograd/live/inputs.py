"""What a network can be given of a sample: its features, and what is computed from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from micrograd.engine import Value, no_grad, plain
from micrograd.errors import ArgumentError, ArgumentTypeError, DomainError, shown_briefly
from micrograd.ops import sin

__all__ = ["Input", "check_derived", "inputs_of"]


class Input(NamedTuple):
    """An input: how it is computed from the features `x` of a sample, and that in Python."""

    function: Callable[[Any], Any]
    code: str

    def graph(self, features: int) -> tuple[Value, list[Value]]:
        """Return its graph, and the features that it is computed from."""
        x = [Value(0.5 + i) for i in range(features)]
        found = self.function(x)
        return found if isinstance(found, Value) else Value(found), x


def inputs_of(
    names: Sequence[str],
    columns: Sequence[int],
    derived: Mapping[str, Callable[[Any], Any]],
) -> dict[str, Input]:
    """Return the inputs by name: all features, functions of the plane's two, and the user's own.

    Parameters
    ----------
    names : sequence of str
        Of the features.
    columns : sequence of int
        The two features of the plane.
    derived : mapping of str to callable
        The user's own, each a function of the list of features.

    Examples
    --------
    >>> list(inputs_of(["x1", "x2"], (0, 1), {}))
    ['x1', 'x2', 'x1²', 'x2²', 'x1x2', 'sin x1', 'sin x2']
    """
    found = {name: Input(itemgetter(i), f"x[{i}]") for i, name in enumerate(names)}
    plane = list(dict.fromkeys(columns))
    short = all(re.fullmatch(r"x\d+", names[i]) for i in plane)
    products = {f"{names[i]}²": (i, i) for i in plane}
    if len(plane) > 1:
        products[("" if short else " · ").join(names[i] for i in plane)] = (plane[0], plane[1])
    for name, (i, j) in products.items():
        found.setdefault(name, Input(partial(_product, i, j), f"x[{i}] * x[{j}]"))
    for i in plane:
        found.setdefault(f"sin {names[i]}", Input(partial(_sine, i), f"sin(x[{i}])"))
    for name, function in derived.items():
        called = getattr(function, "__name__", "")
        code = f"{called}(x)" if called.isidentifier() else f"derived[{name!r}](x)"
        found[name] = Input(function, code)
    return found


def _product(i: int, j: int, x: Any) -> Any:
    return x[i] * x[j]


def _sine(i: int, x: Any) -> Any:
    return sin(x[i])


def check_derived(
    derived: Any, names: Sequence[str], rows: Sequence[Sequence[float]]
) -> dict[str, Callable[[Any], Any]]:
    """Return the user's own inputs, checked: one graph computes each of them for all samples.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If one is not a function of the features, or its formula is not the same for all samples.
    """
    if derived is None:
        return {}
    if not isinstance(derived, Mapping) or not all(map(callable, derived.values())):
        raise ArgumentTypeError(
            "expected derived as a dict of names and functions of the features, such as "
            f"{{'radius': lambda x: x[0] ** 2 + x[1] ** 2}}, got {shown_briefly(derived)}"
        )
    for name, function in derived.items():
        what = f"derived[{name!r:.60}]"
        if not isinstance(name, str) or name in names:
            raise ArgumentError(f"{what}: expected a name that no feature has")
        try:
            root, x = Input(function, "").graph(len(names))
            for row in rows:
                for leaf, number in zip(x, row, strict=True):
                    leaf.data = number
                with no_grad():
                    given = float(plain(function(list(row))))
                if root.forward().data != given or given - given:
                    raise ArgumentError(
                        f"{what} of {shown_briefly(list(row))} is {given}, but its graph gives "
                        f"{root.data}: expected one formula for all samples, and finite numbers"
                    )
        except (ArithmeticError, DomainError) as error:
            raise ArgumentError(f"{what} cannot be computed of all samples: {error}") from error
        except (TypeError, AttributeError, IndexError) as error:
            raise ArgumentTypeError(
                f"{what} has to be a function of the list of features that uses the functions of "
                f"micrograd, such as micrograd.sin(x[0]): {error}"
            ) from error
    return dict(derived)
