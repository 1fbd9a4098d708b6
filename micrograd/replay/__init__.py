"""Compiled replay: trace a function of Values once, run it as Python, machine code or C.

>>> import micrograd
>>> area = micrograd.compile(lambda width, height: width * height, backend="python")
>>> area(3.0, 4.0)
12.0
"""

from micrograd.replay.compiled import Compiled
from micrograd.replay.export import Stats
from micrograd.replay.wrapper import compile  # noqa: A004

__all__ = ["Compiled", "Stats", "compile"]
