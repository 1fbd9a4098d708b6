"""A program on one backend, run for one sample, for each sample of a batch, or for their sum."""

from __future__ import annotations

import ctypes
import functools
import itertools
import linecache
import math
import os
import threading
import weakref
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from micrograd.checks import needs
from micrograd.replay.llvm import emitter as llvm
from micrograd.replay.llvm.processor import host
from micrograd.replay.python import ieee
from micrograd.replay.python.source import (
    array_namespace,
    function_name,
    python_source,
    scalar_namespace,
)
from micrograd.replay.trace.tape import Tape

__all__ = [
    "LlvmKernel", "PythonKernel", "added", "address_of", "double", "note", "numpy", "rows_of",
    "spread",
]  # fmt: skip

# Samples of a part of a batch that a thread takes at a time.
_PART = 4_096
# Seconds that the interpreter takes for a step of a program, what a call takes longer than one of
# compiled code, and LLVM's time for a step (and for a program, that of so many steps). A program is
# compiled when the interpreter has taken as long as that: at worst, both together take twice the
# time of the better one.
_STEP, _CALL = 3e-9, 10e-6
_COMPILING, _PROGRAM = 100e-6, 50
# A program of more steps is not compiled for a loop of training before it pays.
_AT_ONCE = 4_000
_number = itertools.count(1)


@functools.cache
def numpy() -> Any:
    """Return the module, imported on first use."""
    with needs("replay", "batches of samples need NumPy"):
        import numpy
    return numpy


@functools.cache
def double() -> Any:
    """Return the type of array that the kernels take."""
    return numpy().dtype(float)


def rows_of(column: Any) -> Any:
    """Return an array with the numbers of a sample in one row."""
    return column.reshape(len(column), math.prod(column.shape[1:]))


def added(rows: Any) -> Any:
    """Return the sums of columns; the sum of nothing but -0.0 is -0.0, as with `+`."""
    return numpy().add.reduce(rows, axis=0, initial=-0.0)


def spread(gradient: Any, used: list[int], width: int) -> Any:
    """Return the gradient with the zeros that were left out, and without -0.0."""
    np = numpy()
    if len(used) == width:  # in ascending order, so all of them
        return gradient + 0.0
    full = np.zeros((*gradient.shape[:-1], width))
    full[..., used] = gradient
    return full + 0.0


class PythonKernel:
    """A tape run as generated Python."""

    bytes = 0

    def __init__(self, tape: Tape, name: str, arguments: str) -> None:
        self.results = len(tape.results())
        self._tape, self._name, self._arguments = tape, name, arguments
        self.source, own = python_source(tape, name, arguments)
        self.filename, self.function = self._compiled(self.source, scalar_namespace(own))
        self._array_function: Callable[..., Any] | None = None

    def has(self, use: str, ahead: float = 0) -> bool:
        """Return whether there is code for a use: there is for all."""
        return True

    def make(self, use: str, ahead: float = 0) -> None:
        """Make nothing: there is code for all uses."""

    def use(self, use: str, samples: int) -> str:
        """Return the use."""
        return use

    def _compiled(self, source: str, names: dict[str, Any]) -> tuple[str, Callable[..., Any]]:
        """Return where a debugger finds the lines of a program, and its function."""
        filename = f"<micrograd replay {next(_number)}: {self._name}>"
        lines = source.splitlines(keepends=True)
        linecache.cache[filename] = (len(source), None, lines, filename)
        weakref.finalize(self, linecache.cache.pop, filename, None)
        exec(compile(source, filename, "exec"), names)
        return filename, names[function_name(self._name)]

    def one(self, flat: Sequence[float], parameters: Sequence[float]) -> list[float]:
        """Return the results for one sample."""
        try:
            outputs, gradients = self.function(flat, parameters)
            return [float(value) for value in outputs + gradients]
        except (ArithmeticError, ValueError):
            return ieee.run(self._tape, flat, parameters)

    def each(self, columns: Sequence[Any], parameters: Sequence[float], n: int, out: Any) -> None:
        """Write the results of each of `n` samples to a row of `out`."""
        np = numpy()
        columns = [rows_of(column) for column in columns]
        if self._array_function is None:
            source, own = python_source(self._tape, self._name, self._arguments, arrays=True)
            _, self._array_function = self._compiled(source, array_namespace(own))
        with np.errstate(all="ignore"):
            for start in range(0, n, llvm.CHUNK):
                part = slice(start, min(start + llvm.CHUNK, n))
                inputs = [column[part, i] for column in columns for i in range(column.shape[1])]
                try:
                    outputs, gradients = self._array_function(inputs, parameters)
                except (ArithmeticError, ValueError):  # of parameters alone, which are no arrays
                    rows = np.array(inputs).T.tolist() or [[]] * (part.stop - part.start)
                    out[part] = [self.one(flat, parameters) for flat in rows]
                    continue
                for i, result in enumerate((*outputs, *gradients)):
                    out[part, i] = result

    def total(
        self, columns: Sequence[Any], parameters: Sequence[float], n: int, threads: int
    ) -> tuple[Any, bool]:
        """Return the sums of the results over `n` samples, and whether all are finite."""
        np = numpy()
        sums = np.full(self.results, -0.0)
        rows = np.empty((min(n, llvm.CHUNK), self.results))
        with np.errstate(all="ignore"):
            for start in range(0, n, llvm.CHUNK):
                part = [column[start : start + llvm.CHUNK] for column in columns]
                size = min(llvm.CHUNK, n - start)
                self.each(part, parameters, size, rows[:size])
                sums += added(rows[:size])
        return sums, bool(np.isfinite(sums).all())


def address_of(numbers: Any) -> int:
    """Return the address of an array's data, in 0.6 µs; its `ctypes.data` takes 6."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(numbers))
    except (TypeError, ValueError):  # read-only, or empty
        return cast("int", numbers.__array_interface__["data"][0])


def note(machine: llvm.Machine, samples: int) -> bool:
    """Add up the time that the interpreter takes; return whether it pays to compile."""
    machine.spent += _CALL + _STEP * machine.steps * -(-samples // machine.lanes)
    return _pays(machine.steps, machine)


def _pays(steps: int, machine: llvm.Machine | None, each: float = 0.0) -> bool:
    """Return whether it pays to compile, with what each step will take the interpreter yet."""
    spent = 0.0 if machine is None else machine.spent
    return _COMPILING * (steps + _PROGRAM) <= spent + each * steps


class LlvmKernel:
    """A tape run as machine code, made for each use when it is first needed.

    The uses are "sums" over samples, "each" sample of a batch, and "one" sample.

    Attributes
    ----------
    results : int
    is_large : bool
        Whether there is code of its own for one sample.
    """

    def __init__(self, tape: Tape, sizes: list[int], contract: bool) -> None:
        self._source, self._sizes = llvm.Source(tape, sum(sizes), contract), sizes
        self._machines: dict[str, llvm.Machine] = {}
        self.results = self._source.results
        self._out = ctypes.c_double * self.results
        self._addresses = ctypes.c_void_p * max(1, len(sizes))
        self._local = threading.local()

    @property
    def is_large(self) -> bool:
        """Whether there is code of its own for one sample."""
        return self._source.is_large

    @property
    def bytes(self) -> int:
        """Size of the machine code."""
        return sum(machine.bytes for machine in set(self._machines.values()))

    def has(self, use: str, ahead: float = 0) -> bool:
        """Return whether there is code for a use that is fast enough.

        Parameters
        ----------
        use : {"sums", "each", "one"}
        ahead : int or inf, default 0
            How many samples will follow for sure; inf if that is not known. With inf only the
            fastest code will do, unless it takes long to make.
        """
        machine = self._machines.get(use)
        if machine is None or not machine.is_interpreted:
            return machine is not None
        return not self._is_compiled_now(machine, ahead)

    def _is_compiled_now(self, machine: llvm.Machine | None, ahead: float) -> bool:
        if ahead == math.inf:
            at_once = not (self.is_large and self._source.size > _AT_ONCE)
            return at_once or _pays(self._source.steps, machine)
        return _pays(self._source.steps, machine, _STEP * -(-ahead // host().lanes))

    def lasting(self, use: str) -> llvm.Machine | None:
        """Return the code for a use if it is there and settled; of a large program bytecode is."""
        return self._machines[use] if self.has(use, 0 if self.is_large else math.inf) else None

    def make(self, use: str, ahead: float = 0) -> None:
        """Make the code for a use: bytecode first, which is ready at once.

        Parameters
        ----------
        use, ahead
            As of `has`.
        """
        machine, source = self._machines.get(use), self._source
        interpreted = not self._is_compiled_now(machine, ahead)
        single = use == "one" and source.is_large
        made = llvm.Machine(
            source, self._sizes, use == "sums", single=single, interpreted=interpreted
        )
        served = {use}
        if not source.is_large:  # without loops, and as bytecode, the code is the same for all uses
            if interpreted or source.is_huge or not source.planned[1].loops:
                served = {"sums", "each", "one"}
            elif use != "sums":
                served = {"each", "one"}
        self._machines.update(dict.fromkeys(served, made))

    def use(self, use: str, samples: int) -> str:
        """Return a use, but "one" for the sums over one sample where there is code for that."""
        return "one" if use == "sums" and samples == 1 and self.is_large else use

    def machine(self, use: str) -> llvm.Machine:
        """Return the code for a use that was made before."""
        return self._machines[use]

    def _used(self, use: str, samples: int) -> llvm.Machine:
        """Return the code for a use, and add up the time that the interpreter takes."""
        machine = self._machines[use]
        if machine.is_interpreted:
            note(machine, samples)
        return machine

    def _row(self) -> tuple[Any, int]:
        """Return an array for the results of one chunk, one a thread, and its address."""
        found: tuple[Any, int] | None = getattr(self._local, "row", None)
        if found is None:
            row = numpy().empty(self.results)
            found = self._local.row = (row, address_of(row))
        return found

    def one(self, flat: Sequence[float], parameters: Sequence[float]) -> list[float]:
        """Return the results for one sample."""
        machine = self._used("one", 1)
        given = array("d", flat)
        held = parameters if isinstance(parameters, array) else array("d", parameters)
        out = self._out()
        machine.driver.one(
            machine.description,
            given.buffer_info()[0],
            held.buffer_info()[0],
            ctypes.addressof(out),
            machine.work(),
        )
        return list(out)

    def _pointers(self, columns: Sequence[Any], parameters: Any) -> tuple[Any, int]:
        pointers = self._addresses(*map(address_of, columns))
        if isinstance(parameters, array):
            return pointers, parameters.buffer_info()[0]
        return pointers, address_of(parameters)

    def each(
        self, columns: Sequence[Any], parameters: Any, n: int, out: Any, threads: int = 1
    ) -> None:
        """Write the results of each of `n` samples to a row of `out`."""
        if n == 0:
            return
        machine = self._used("each", n)
        pointers, held = self._pointers(columns, parameters)
        address = address_of(out)

        if threads == 1 or n <= _PART:
            machine.driver.each(machine.description, pointers, held, 0, n, address, machine.work())
            return
        part = min(_PART, -(-n // (2 * threads)))
        part += -part % machine.lanes
        counter = ctypes.c_int64(0)
        following = ctypes.addressof(counter)
        _in_parallel(
            lambda: machine.driver.each_shared(
                machine.description,
                pointers,
                held,
                n,
                part,
                address,
                following,
                machine.work(),
            ),
            threads,
        )

    def total(
        self, columns: Sequence[Any], parameters: Any, n: int, threads: int
    ) -> tuple[Any, bool]:
        """Return the sums of the results over `n` samples, and whether all are finite."""
        machine = self._used(self.use("sums", n), n)
        sums, finite = self._total(machine, columns, parameters, n, threads)
        if not finite and machine.width > 1:  # a result may be finite though twice of it is not
            if not self.has("each"):
                self.make("each")
            sums, finite = self._total(self._machines["each"], columns, parameters, n, threads)
        return sums, finite

    def _total(
        self, machine: llvm.Machine, columns: Sequence[Any], parameters: Any, n: int, threads: int
    ) -> tuple[Any, bool]:
        chunk, chunks = machine.chunks(n)
        pointers, held = self._pointers(columns, parameters)
        given = (machine.description, pointers, held, n, chunk)
        if chunks == 1:
            row, address = self._row()
            zero = machine.driver.total(*given, 0, 1, address, machine.work())
            return row.copy(), zero == 0.0
        sums = numpy().empty((chunks, self.results))
        address = address_of(sums)
        if threads == 1:
            zero = machine.driver.total(*given, 0, chunks, address, machine.work())
        else:
            counter = ctypes.c_int64(0)
            following = ctypes.addressof(counter)
            zeros = _in_parallel(
                lambda: machine.driver.total_shared(
                    *given, chunks, address, following, machine.work()
                ),
                min(threads, chunks),
            )
            zero = sum(zeros)
        return added(sums), zero == 0.0


@functools.lru_cache(maxsize=8)
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="micrograd")


if hasattr(os, "register_at_fork"):  # threads stay behind in the parent
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _in_parallel(run: Callable[[], Any], threads: int) -> list[Any]:
    """Run it here and in threads until no work is left; return what each returned."""
    waiting = [_pool(threads - 1).submit(run) for _ in range(threads - 1)]
    mine = run()
    return [mine, *[one.result() for one in waiting]]
