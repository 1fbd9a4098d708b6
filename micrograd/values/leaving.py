"""What is said where a number would leave the graph, as in `math.log(value)`.

Python turns an object into a float without saying for whom. So the line of the caller is read,
only to word the message: a name in it that stands for a function of `math` is answered with the
function here that keeps the gradient.
"""

from __future__ import annotations

import builtins
import linecache
import re
import sys
from types import FrameType, ModuleType
from typing import Any, Final

from micrograd.errors import NotDifferentiableError
from micrograd.ops import TABLE

__all__ = ["left_graph"]

_MODULES: Final = ("math", "cmath", "statistics")
_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MEAN: Final = "micrograd.sum(values) / len(values)"

# What keeps the gradient, for functions that have another name here, or are a short expression.
_INSTEAD: Final = {
    **{f"a{name}": f"micrograd.arc{name}" for name in ("sin", "cos", "tan", "sinh", "cosh")},
    "atanh": "micrograd.arctanh",
    "atan2": "micrograd.arctan2",
    "fabs": "micrograd.abs",
    "fsum": "micrograd.sum",
    "sumprod": "micrograd.dot",
    "dist": "micrograd.sqrt(micrograd.sum((a - b) ** 2 for a, b in zip(p, q)))",
    "pow": "x ** y",
    "exp2": "2 ** x",
    "fma": "x * y + z",
    "degrees": "x * (180 / math.pi)",
    "radians": "x * (math.pi / 180)",
    "fmean": _MEAN,
    "mean": _MEAN,
    "variance": f"micrograd.sum and the mean, {_MEAN}",
    "pvariance": f"micrograd.sum and the mean, {_MEAN}",
    "stdev": "micrograd.sqrt and micrograd.sum",
    "pstdev": "micrograd.sqrt and micrograd.sum",
    "geometric_mean": "micrograd.exp(micrograd.sum(x.log() for x in values) / len(values))",
    "harmonic_mean": "len(values) / micrograd.sum(1 / x for x in values)",
}


def left_graph(value: object) -> NotDifferentiableError:
    """Return the error for a Value that is to become a float, to be called by its method.

    Examples
    --------
    >>> import math
    >>> from micrograd import Value
    >>> math.atan2(Value(1.0), 2.0)
    Traceback (most recent call last):
        ...
    micrograd.errors.NotDifferentiableError: math.atan2 would take Value(data=1.0, grad=0) out \
of the graph, and its gradient would be lost: use micrograd.arctan2, or .data for the plain number
    """
    found = _called(sys._getframe(2))
    known = [answer for answer in map(_instead, found) if answer]
    who = " or ".join(found) or "float()"
    if known:
        advice = f"use {' or '.join(known)}, or .data for the plain number"
    elif found and found != ["float()"]:
        advice = (
            "read the plain number with .data; micrograd has no such function (micrograd.define "
            "adds one)"
        )
    else:
        advice = (
            "read the plain number with .data; where a function is wanted, use micrograd's, such "
            "as micrograd.exp for math.exp"
        )
    return NotDifferentiableError(
        f"{who} would take {value!r:.80} out of the graph, and its gradient would be lost: {advice}"
    )


def _called(frame: FrameType | None) -> list[str]:
    """Return what the caller may have called, such as "math.exp"; empty where nobody can tell."""
    inside = ""
    while frame is not None and frame.f_globals.get("__name__") == "statistics":
        name = frame.f_code.co_name
        inside, frame = inside if name.startswith(("_", "<")) else name, frame.f_back
    if inside or frame is None:
        return [f"statistics.{inside}"] if inside else []
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)
    found = {}
    for dotted in _DOTTED.findall(line):
        thing = _resolved(frame, dotted.split("."))
        home = getattr(thing, "__module__", None)
        if thing is float:
            found["float()"] = True
        elif callable(thing) and home in _MODULES:
            found[f"{home}.{thing.__name__}"] = True
    return list(found)


def _resolved(frame: FrameType, names: list[str]) -> Any:
    """Return what a dotted name stands for in a frame; attributes of modules only are looked up."""
    first, *rest = names
    thing = frame.f_locals.get(first, frame.f_globals.get(first, getattr(builtins, first, None)))
    for name in rest:
        if not isinstance(thing, ModuleType):
            return None
        thing = vars(thing).get(name)
    return thing


def _instead(function: str) -> str:
    name = function.partition(".")[2]
    return _INSTEAD.get(name) or (f"micrograd.{name}" if name in TABLE else "")
