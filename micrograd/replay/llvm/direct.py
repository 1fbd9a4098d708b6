"""Programs that CPython calls as it calls its own functions, without converting arguments.

For a small batch the arithmetic takes a few microseconds, and `ctypes` would take as long. So two
functions that use CPython's C interface are written in LLVM's language, once for all programs:
`batch` takes NumPy's arrays through the buffer protocol, `one` takes numbers and lists of numbers.
Both read the live parameters from the memory of the Values. For anything else (other types and
shapes, results that are not finite) they return None, and the general path is taken.
"""

from __future__ import annotations

import ctypes
import functools
import inspect
import struct
import sys
import sysconfig
from array import array
from collections.abc import Callable
from typing import Any

from micrograd.engine import Value
from micrograd.replay.kernels import note, numpy
from micrograd.replay.llvm import direct_ir as text
from micrograd.replay.llvm import emitter as llvm
from micrograd.replay.llvm.processor import machine_code
from micrograd.replay.trace.traced import Trace

__all__ = ["Direct", "is_possible", "offset_of"]

_FASTCALL = 0x80
_LARGE = 4_096  # derivatives from which writing them twice takes longer than making a view
_RELEASE_AT = 200_000  # instructions times samples from which the GIL is released


@functools.cache
def offset_of(name: str) -> int | None:
    """Return the offset of the `data` or `grad` in a Value's memory, None if it is not known."""
    ordinary = (
        sys.implementation.name == "cpython"
        and struct.calcsize("P") == 8
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
    )
    if not ordinary:
        return None
    first, second = float("0.5625"), float("0.8125")  # objects of their own
    value = Value(0)
    setattr(value, name, first)
    if ctypes.c_double.from_address(id(first) + 16).value != first:
        return None
    words = (ctypes.c_void_p * (Value.__basicsize__ // 8)).from_address(id(value))
    if words[1] != id(Value) or getattr(value, name) is not first:
        return None
    found = [place for place, word in enumerate(words) if word == id(first)]
    setattr(value, name, second)
    if len(found) != 1 or getattr(value, name) is not second or words[found[0]] != id(second):
        return None
    return 8 * found[0]


_DATA = inspect.getattr_static(Value, "data")


def is_possible(trace: Trace) -> bool:
    """Return whether programs of a trace can be called directly."""
    return (
        offset_of("data") is not None
        and len(trace.shapes) <= text.MOST_COLUMNS
        and all(
            inspect.getattr_static(kind, "data") is _DATA
            for kind in set(map(type, trace.parameters))
        )
    )


class _Definition(ctypes.Structure):
    """A PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


@functools.cache
def _definitions() -> tuple[Any, dict[str, _Definition]]:
    """Return the code and the definitions of both functions: made once and kept."""
    engine, _ = machine_code(text.direct_ir(), keep=False)
    return engine, {
        name: _Definition(name.encode(), engine.get_function_address(name), _FASTCALL, None)
        for name in ("batch", "one")
    }


def _runs(places: list[int]) -> array[int]:
    """Return the first of numbers that follow each other, and how many they are; then zeros."""
    runs = array("q")
    for place in places:
        if runs and place == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs.extend((place, 1))
    runs.extend((0, 0))
    return runs


class Direct:
    """A program that CPython calls directly.

    Parameters
    ----------
    machine : Machine or None
        Of the sums over samples, or of one sample if there is no `used`.
    trace : Trace
        Its parameters are read at every call.
    used : list of int, optional
        Of which of the trace's parameters there are derivatives. With it `run` is
        `run(gradient, parameters, *columns)`, which returns the mean of a batch and writes its
        gradient: arrays of as many doubles as there are parameters; None stands for the
        parameters' own numbers, and the columns have a leading sample axis. Else it is
        `run(*args)` for one sample of numbers and lists of numbers.
    of_one : Machine, optional
        Of the sums over one sample.
    threads : int
        How many threads share a batch elsewhere: with several, one call runs one chunk at most.

    Attributes
    ----------
    run : callable
        Returns a float, or None if the general path has to be taken. Do not keep it longer than
        this object, which owns the memory that it reads.
    trace : Trace
    machines : (Machine or None, Machine or None)
        Of several samples, and of one.
    is_interpreted : bool
        Whether one of them is, until it pays to compile it.
    width : int
        How many parameters there are.
    lead : int
        How many numbers the array that `run` is given has before the gradient.
    empty : callable or None
        `numpy.empty`, for a batch.
    """

    __slots__ = ("_kept", "empty", "is_interpreted", "lead", "machines", "run", "trace", "width")

    def __init__(
        self,
        machine: llvm.Machine | None,
        trace: Trace,
        used: list[int] | None = None,
        of_one: llvm.Machine | None = None,
        threads: int = 1,
    ) -> None:
        self.trace, self.width = trace, len(trace.everyone)
        self.machines = machine, of_one
        self.is_interpreted = any(one is not None and one.is_interpreted for one in self.machines)
        most = 1 if machine is None else llvm.CHUNK * (256 if threads == 1 else 1)
        machine, single = (machine or of_one), (of_one or machine)
        assert machine is not None
        assert single is not None
        batch = used is not None
        parameters, shapes = trace.parameters, trace.shapes
        table = (ctypes.c_void_p * max(1, len(parameters)))(*map(id, parameters))
        read, places = trace.places(), []
        if used is not None:
            places = [read[i] for i in used]
        given, runs = _runs(read), _runs(places)
        sparse = len(places) < self.width
        in_order = not sparse and len(runs) == 4
        # A large gradient of one sample is written once, with the value before it: it is a view.
        self.lead = int(single.lanes == 1 and in_order and self.width >= _LARGE)
        ordered = read == list(range(self.width))
        facts = {
            "run": machine.driver.total_address if batch else machine.driver.one_address,
            "program": machine.description,
            "run_one": single.driver.results_address if single.lanes == 1 else 0,
            "program_one": single.description,
            "work": 8 * max(machine.memory, single.memory),
            "quiet": _RELEASE_AT // max(1, machine.steps),
            "least": 1 if of_one is not None else 2,
            "most": most,
            "chunk": llvm.CHUNK,
            "arguments": len(shapes),
            "inputs": sum(trace.sizes),
            "results": machine.results,
            # No subclass: the data of a masked array are not all to be taken.
            "array": id(numpy().ndarray) if batch else 0,
            "parameters": len(parameters),
            "table": ctypes.addressof(table),
            "place": offset_of("data") or 0,
            "everyone": len(trace.everyone),
            "given": 0 if ordered else given.buffer_info()[0],
            "runs": runs.buffer_info()[0],
            "sparse": sparse,
            "lead": self.lead,
        }
        words = [facts[name] for name in text.WORDS]
        for shape in shapes:
            if batch:
                words += [1 + len(shape), *shape]
            else:
                words.append(shape[0] if shape else -1)
        description = array("q", words)
        engine, definitions = _definitions()
        make = ctypes.PYFUNCTYPE(
            ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p
        )(("PyCFunction_NewEx", ctypes.pythonapi))
        self.run: Callable[..., float | None] = make(
            ctypes.addressof(definitions["batch" if batch else "one"]),
            description.buffer_info()[0],
            None,
        )
        self._kept = (engine, description, table, parameters, machine, single, given, runs)
        self.empty: Any = numpy().empty if batch else None

    def notes(self, samples: int) -> bool:
        """Add up the time of calls; return whether it pays to compile the program."""
        several, one = self.machines
        machine = (one or several) if samples == 1 else several
        return machine is not None and machine.is_interpreted and note(machine, samples)
