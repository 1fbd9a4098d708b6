"""The numbers of many parameters, read from the memory of their Values and written there.

After a step of a few microseconds, hundreds of assignments in Python would take longer than the
step. So two functions in machine code read and write them with CPython's C interface, whose
functions and types they are given: no address stands in their text, so they are kept on disk.
"""

from __future__ import annotations

import ctypes
import functools
import math
from array import array
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from micrograd.engine import Value
from micrograd.replay.kernels import address_of
from micrograd.replay.llvm.direct import offset_of
from micrograd.replay.llvm.processor import again, load, machine_code
from micrograd.values.assigning import data_of, restore_data, set_leaves

__all__ = ["Leaves"]

_op = attrgetter("op")
# So many numbers are written in Python before machine code is made, which takes some milliseconds.
_WORTH = 5_000
# What both functions are given: the words of an array.
_WORDS = ("values", "count", "data", "grad", "type", "make", "drop", "numbers", "grads")


def _words() -> str:
    return "\n".join(
        load(name, "i64" if name in ("count", "data", "grad") else "ptr", "%words", str(i))
        for i, name in enumerate(_WORDS)
    )


def _float(mark: str, place: str, no: str) -> str:
    """Return the text that finds the object at a place of a Value, and whether it is a float."""
    m = mark
    return f"""\
  %{m}at = getelementptr i8, ptr %value, i64 %{place}
  %{m} = load ptr, ptr %{m}at, align 8
  %{m}none = icmp eq ptr %{m}, null
  br i1 %{m}none, label %{no}, label %{m}some
{m}some:
  %{m}kindat = getelementptr i8, ptr %{m}, i64 8
  %{m}kind = load ptr, ptr %{m}kindat, align 8
  %{m}isfloat = icmp eq ptr %{m}kind, %type
  br i1 %{m}isfloat, label %{m}float, label %{no}
{m}float:
  %{m}xat = getelementptr i8, ptr %{m}, i64 16
"""


def _written(mark: str, place: str, numbers: str, end: str) -> str:
    """Return the text that gives a Value a new number, from the block of a mark to one at its end.

    A float that nobody else refers to is changed, any other object is replaced by a new float.
    """
    m = mark
    return f"""\
{load(f"{m}x", "double", f"%{numbers}", "%i")}
{_float(m, place, f"{m}new")}\
  %{m}count = load i64, ptr %{m}, align 8
  %{m}alone = icmp eq i64 %{m}count, 1
  br i1 %{m}alone, label %{m}change, label %{m}new
{m}change:
  store double %{m}x, ptr %{m}xat, align 8
  br label %{end}
{m}new:
  %{m}made = call ptr %make(double %{m}x)
  %{m}failed = icmp eq ptr %{m}made, null
  br i1 %{m}failed, label %no, label %{m}put
{m}put:
  store ptr %{m}made, ptr %{m}at, align 8
  call void %drop(ptr %{m})
  br label %{end}
{end}:
"""


def _text() -> str:
    """Return the text of `read` and `write`, which return whether they have done it."""
    head = f"""\
entry:
{_words()}
  br label %one
one:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
{load("value", "ptr", "%values", "%i")}
"""
    tail = f"""\
{again("i", "%count", "one", "yes")}
yes:
  ret i64 1
no:
  ret i64 0
}}
"""
    return f"""\
define i64 @read(ptr %words) {{
{head}{_float("o", "data", "no")}\
  %x = load double, ptr %oxat, align 8
  %to = getelementptr double, ptr %numbers, i64 %i
  store double %x, ptr %to, align 8
  br label %next
next:
{tail}
define i64 @write(ptr %words) {{
{head}{_written("d", "data", "numbers", "half")}{_written("g", "grad", "grads", "next")}{tail}"""


@functools.cache
def _functions() -> tuple[Any, Any, Any]:
    """Return the engine that holds the code, and both functions."""
    engine, _ = machine_code(_text())
    # Python's own functions are called, so the lock is kept; an exception is raised afterwards.
    kind = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
    read, write = (kind(engine.get_function_address(name)) for name in ("read", "write"))
    return engine, read, write


def _python(name: str) -> int:
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


class Leaves:
    """Leaves, and arrays for their numbers and derivatives.

    Parameters
    ----------
    values : sequence of Value
    data, grads : ndarray
        Their first numbers belong to the leaves.

    Examples
    --------
    >>> import numpy as np
    >>> w = Value(0.5)
    >>> leaves = Leaves([w], np.zeros(1), np.ones(1))
    >>> leaves.read()
    [0.5]
    >>> leaves.data[0] += 1
    >>> leaves.write()
    >>> w.data, w.grad
    (1.5, 1.0)
    """

    def __init__(self, values: Sequence[Value], data: Any, grads: Any) -> None:
        self.values, self.data, self.grads = values, data, grads
        self._plain = set(map(type, values)) <= {Value} and set(map(_op, values)) <= {None}
        self._words: Any = None
        self._left: float = _WORTH  # numbers to write before there is machine code

    def _compile(self) -> None:
        """Use machine code, if it is known where CPython keeps the numbers of a Value."""
        places = offset_of("data"), offset_of("grad")
        if self._plain and self.values and None not in places:
            self._table = array("q", map(id, self.values))
            numbers = [self._table.buffer_info()[0], len(self.values), *places, id(float)]
            numbers += [_python("PyFloat_FromDouble"), _python("Py_DecRef")]
            self._words = array("q", [*numbers, address_of(self.data), address_of(self.grads)])
            self._address = self._words.buffer_info()[0]
            _, self._read, self._write = _functions()

    def read(self) -> list[Any]:
        """Take over the numbers of the leaves; return them if it was done in Python."""
        if self._words is not None and self._read(self._address):
            return []
        numbers = data_of(self.values)
        self.data[: len(numbers)] = numbers
        return numbers

    def snapshot(self) -> Any:
        """Return the numbers of the leaves, for `restore`."""
        return self.read() or self.data.copy()  # references to floats would keep them from changing

    def restore(self, before: Any) -> None:
        """Give the leaves back the numbers that `snapshot` returned."""
        count = len(self.values)
        restore_data(self.values, before if type(before) is list else before[:count].tolist())

    def write(self) -> None:
        """Give the leaves their numbers and derivatives; after an interrupt, restore them."""
        self._left -= len(self.values)
        if self._words is None and self._left < 0:
            self._left = math.inf
            self._compile()
        if self._words is not None:
            self._write(self._address)
            return
        count = len(self.values)
        data, grads = self.data[:count].tolist(), self.grads[:count].tolist()
        if self._plain:
            set_leaves(self.values, data, grads)
        else:
            for value, number, grad in zip(self.values, data, grads, strict=True):
                value.data, value.grad = number, grad
