"""Programs that CPython calls as it calls its own functions: no conversion of arguments between.

For a small batch the arithmetic takes a few microseconds, and so would `ctypes`. So two functions
of CPython's C interface are written here in LLVM's language, once for all programs: `batch` takes
NumPy's arrays through the buffer protocol, `one` takes numbers and lists of them. Both read the
live parameters where the Values keep them. What they do not know, they leave to the way round by
returning None: other types and shapes, and results that are not finite.
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
from micrograd.replay.kernels import numpy
from micrograd.replay.llvm import emitter as llvm
from micrograd.replay.llvm.driver import driver
from micrograd.replay.llvm.processor import machine_code
from micrograd.replay.trace.traced import Trace

__all__ = ["Direct", "is_possible"]

_VIEW = 80  # bytes of a Py_buffer
_COLUMNS = 8  # arguments at most
_FASTCALL = 0x80
_READ, _WRITE = 0x3C, 0x3D  # PyBUF_C_CONTIGUOUS | PyBUF_FORMAT, and PyBUF_WRITABLE
_RELEASE_AT = 200_000  # instructions times samples from which other threads may run meanwhile


def _python(name: str) -> str:
    """Return the address of a function of Python's C interface."""
    address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
    return _constant(address or 0)


def _constant(address: int) -> str:
    return f"inttoptr (i64 {address} to ptr)"


@functools.cache
def _offset() -> int | None:
    """Return where in a Value's memory its number stands, None if that cannot be told."""
    ordinary = (
        sys.implementation.name == "cpython"
        and struct.calcsize("P") == 8
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
    )
    if not ordinary:
        return None
    first, second = float("0.5625"), float("0.8125")  # objects of their own
    value = Value(first)
    if ctypes.c_double.from_address(id(first) + 16).value != first:
        return None
    words = (ctypes.c_void_p * (Value.__basicsize__ // 8)).from_address(id(value))
    if words[1] != id(Value) or value.data is not first:
        return None
    found = [place for place, word in enumerate(words) if word == id(first)]
    value.data = second
    if len(found) != 1 or value.data is not second or words[found[0]] != id(second):
        return None
    return 8 * found[0]


_DATA = inspect.getattr_static(Value, "data")


def is_possible(trace: Trace) -> bool:
    """Return whether programs of a trace can be called directly."""
    return (
        _offset() is not None
        and len(trace.shapes) <= _COLUMNS
        and all(
            inspect.getattr_static(kind, "data") is _DATA
            for kind in set(map(type, trace.parameters))
        )
    )


# The words of a description: what follows them is the shape of each argument.
_WORDS = 12
(
    _RUN, _PROGRAM, _ARGUMENTS, _RESULTS, _PARAMETERS, _TABLE, _PLACE, _MOST, _WORK, _QUIET,
    _INPUTS, _ARRAY,
) = range(_WORDS)  # fmt: skip


def _ir() -> str:
    lines = [f"  %w{i}p = getelementptr i64, ptr %desc, i64 {i}" for i in range(_WORDS)]
    lines += [f"  %w{i} = load i64, ptr %w{i}p, align 8" for i in range(_WORDS)]
    words = "\n".join(lines)
    none = _constant(id(None))
    kinds = {kind: _constant(id(kind)) for kind in (float, int, list)}
    # Memory: the working memory of the program, its results, the parameters, the inputs.
    memory = f"""
  %runp = inttoptr i64 %w{_RUN} to ptr
  %program = inttoptr i64 %w{_PROGRAM} to ptr
  %doubles1 = add i64 %w{_RESULTS}, %w{_PARAMETERS}
  %doubles2 = add i64 %doubles1, %w{_INPUTS}
  %extra = mul i64 %doubles2, 8
  %bytes1 = add i64 %w{_WORK}, %extra
  %bytes = add i64 %bytes1, 128
  %memory = call ptr {_python("PyMem_RawMalloc")}(i64 %bytes)
  %nothing = icmp eq ptr %memory, null
  br i1 %nothing, label %none, label %start
start:
  %m0 = ptrtoint ptr %memory to i64
  %m1 = add i64 %m0, 127
  %m2 = and i64 %m1, -128
  %work = inttoptr i64 %m2 to ptr
  %row = getelementptr i8, ptr %work, i64 %w{_WORK}
  %held0 = getelementptr double, ptr %row, i64 %w{_RESULTS}
  %flat = getelementptr double, ptr %held0, i64 %w{_PARAMETERS}
  %table = inttoptr i64 %w{_TABLE} to ptr"""
    read = f"""
read:
  %anyp = icmp sgt i64 %w{_PARAMETERS}, 0
  br i1 %anyp, label %reads, label %ready
reads:
  %i = phi i64 [ 0, %read ], [ %i1, %readon ]
  %tp = getelementptr ptr, ptr %table, i64 %i
  %value = load ptr, ptr %tp, align 8
  %dp = getelementptr i8, ptr %value, i64 %w{_PLACE}
  %data = load ptr, ptr %dp, align 8
  %hp = getelementptr double, ptr %held0, i64 %i
  %missing = icmp eq ptr %data, null
  br i1 %missing, label %fail, label %some
some:
  %kindp = getelementptr i8, ptr %data, i64 8
  %dkind = load ptr, ptr %kindp, align 8
  %isfloat = icmp eq ptr %dkind, {kinds[float]}
  br i1 %isfloat, label %float, label %other
float:
  %fvp = getelementptr i8, ptr %data, i64 16
  %fv = load double, ptr %fvp, align 8
  store double %fv, ptr %hp, align 8
  br label %readon
other:
  %known = call i1 @number(ptr %data, ptr %hp)
  br i1 %known, label %readon, label %fail
readon:
  %i1 = add i64 %i, 1
  %morei = icmp slt i64 %i1, %w{_PARAMETERS}
  br i1 %morei, label %reads, label %ready"""
    return f"""
define internal i1 @number(ptr %o, ptr %to) #0 {{
entry:
  %missing = icmp eq ptr %o, null
  br i1 %missing, label %no, label %some
some:
  %tp = getelementptr i8, ptr %o, i64 8
  %type = load ptr, ptr %tp, align 8
  %isfloat = icmp eq ptr %type, {kinds[float]}
  br i1 %isfloat, label %float, label %other
float:
  %xp = getelementptr i8, ptr %o, i64 16
  %x = load double, ptr %xp, align 8
  store double %x, ptr %to, align 8
  ret i1 true
other:
  %isint = icmp eq ptr %type, {kinds[int]}
  br i1 %isint, label %int, label %no
int:
  %y = call double {_python("PyLong_AsDouble")}(ptr %o)
  store double %y, ptr %to, align 8
  %odd = fcmp oeq double %y, -1.0
  br i1 %odd, label %ask, label %yes
ask:
  %error = call ptr {_python("PyErr_Occurred")}()
  %fine = icmp eq ptr %error, null
  br i1 %fine, label %yes, label %large
large:
  call void {_python("PyErr_Clear")}()
  br label %no
yes:
  ret i1 true
no:
  ret i1 false
}}

define internal i64 @view(ptr %o, i64 %array, ptr %view, i32 %flags, i64 %ndim, ptr %dims,
    i64 %n) #0 {{
entry:
  %tp = getelementptr i8, ptr %o, i64 8
  %type = load i64, ptr %tp, align 8
  %isarray = icmp eq i64 %type, %array
  br i1 %isarray, label %take, label %other
other:
  ret i64 -1
take:
  %r = call i32 {_python("PyObject_GetBuffer")}(ptr %o, ptr %view, i32 %flags)
  %ok = icmp eq i32 %r, 0
  br i1 %ok, label %got, label %refused
refused:
  call void {_python("PyErr_Clear")}()
  ret i64 -1
got:
  %ip = getelementptr i8, ptr %view, i64 24
  %item = load i64, ptr %ip, align 8
  %is8 = icmp eq i64 %item, 8
  br i1 %is8, label %format, label %wrong
format:
  %fp = getelementptr i8, ptr %view, i64 40
  %f = load ptr, ptr %fp, align 8
  %c = load i16, ptr %f, align 1
  %isd = icmp eq i16 %c, 100
  br i1 %isd, label %shape, label %wrong
shape:
  %np = getelementptr i8, ptr %view, i64 36
  %nd = load i32, ptr %np, align 4
  %ndx = sext i32 %nd to i64
  %same = icmp eq i64 %ndx, %ndim
  br i1 %same, label %first, label %wrong
first:
  %sp = getelementptr i8, ptr %view, i64 48
  %s = load ptr, ptr %sp, align 8
  %rows = load i64, ptr %s, align 8
  %any = icmp slt i64 %n, 0
  %eq = icmp eq i64 %rows, %n
  %fits = or i1 %any, %eq
  br i1 %fits, label %dims1, label %wrong
dims1:
  %k = phi i64 [ 1, %first ], [ %k1, %next ]
  %more = icmp slt i64 %k, %ndim
  br i1 %more, label %dim, label %done
dim:
  %ap = getelementptr i64, ptr %s, i64 %k
  %a = load i64, ptr %ap, align 8
  %bp = getelementptr i64, ptr %dims, i64 %k
  %b = load i64, ptr %bp, align 8
  %equal = icmp eq i64 %a, %b
  br i1 %equal, label %next, label %wrong
next:
  %k1 = add i64 %k, 1
  br label %dims1
done:
  ret i64 %rows
wrong:
  call void {_python("PyBuffer_Release")}(ptr %view)
  ret i64 -1
}}

define ptr @batch(ptr %self, ptr %args, i64 %nargs) #0 {{
entry:
  %views = alloca [{_VIEW * (_COLUMNS + 2)} x i8], align 8
  %pointers = alloca [{_COLUMNS} x ptr], align 8
  %acquired = alloca i64, align 8
  store i64 0, ptr %acquired, align 8
  %desc = call ptr {_python("PyLong_AsVoidPtr")}(ptr %self)
{words}
  %want = add i64 %w{_ARGUMENTS}, 2
  %counts = icmp eq i64 %nargs, %want
  br i1 %counts, label %take, label %none
take:{memory}
  %specs = getelementptr i64, ptr %desc, i64 {_WORDS}
  br label %column
column:
  %c = phi i64 [ 0, %start ], [ %c1, %gotcolumn ]
  %n = phi i64 [ -1, %start ], [ %rows, %gotcolumn ]
  %spec = phi ptr [ %specs, %start ], [ %spec1, %gotcolumn ]
  %morec = icmp slt i64 %c, %w{_ARGUMENTS}
  br i1 %morec, label %columns, label %sized
columns:
  %at = add i64 %c, 2
  %ap = getelementptr ptr, ptr %args, i64 %at
  %arg = load ptr, ptr %ap, align 8
  %vat = mul i64 %c, {_VIEW}
  %view = getelementptr i8, ptr %views, i64 %vat
  %ndim = load i64, ptr %spec, align 8
  %rows = call i64 @view(ptr %arg, i64 %w{_ARRAY}, ptr %view, i32 {_READ}, i64 %ndim,
    ptr %spec, i64 %n)
  %badc = icmp slt i64 %rows, 0
  br i1 %badc, label %fail, label %gotcolumn
gotcolumn:
  %buf = load ptr, ptr %view, align 8
  %pp = getelementptr ptr, ptr %pointers, i64 %c
  store ptr %buf, ptr %pp, align 8
  %c1 = add i64 %c, 1
  store i64 %c1, ptr %acquired, align 8
  %spec1 = getelementptr i64, ptr %spec, i64 %ndim
  br label %column
sized:
  %least = icmp sgt i64 %n, 0
  %most = icmp sle i64 %n, %w{_MOST}
  %size = and i1 %least, %most
  br i1 %size, label %parameters, label %fail
parameters:
  %given1 = getelementptr ptr, ptr %args, i64 1
  %given = load ptr, ptr %given1, align 8
  %own = icmp eq ptr %given, {none}
  br i1 %own, label %read, label %array
array:
  %gat = mul i64 %c, {_VIEW}
  %gview = getelementptr i8, ptr %views, i64 %gat
  %grows = call i64 @view(ptr %given, i64 %w{_ARRAY}, ptr %gview, i32 {_READ}, i64 1, ptr %desc,
    i64 %w{_PARAMETERS})
  %badg = icmp slt i64 %grows, 0
  br i1 %badg, label %fail, label %gotarray
gotarray:
  %c2 = add i64 %c, 1
  store i64 %c2, ptr %acquired, align 8
  %gbuf = load ptr, ptr %gview, align 8
  br label %ready{read}
ready:
  %held = phi ptr [ %gbuf, %gotarray ], [ %held0, %read ], [ %held0, %readon ]
  %out = load ptr, ptr %args, align 8
  %taken = load i64, ptr %acquired, align 8
  %oat = mul i64 %taken, {_VIEW}
  %oview = getelementptr i8, ptr %views, i64 %oat
  %orows = call i64 @view(ptr %out, i64 %w{_ARRAY}, ptr %oview, i32 {_WRITE}, i64 1, ptr %desc,
    i64 %w{_PARAMETERS})
  %bado = icmp slt i64 %orows, 0
  br i1 %bado, label %fail, label %go
go:
  %taken1 = add i64 %taken, 1
  store i64 %taken1, ptr %acquired, align 8
  %to = load ptr, ptr %oview, align 8
  %brief = icmp slt i64 %n, %w{_QUIET}
  br i1 %brief, label %keep, label %let
keep:
  %bad1 = call double %runp(ptr %program, ptr %pointers, ptr %held, i64 %n, i64 %w{_MOST}, i64 0,
    i64 1, ptr %row, ptr %work)
  br label %ran
let:
  %thread = call ptr {_python("PyEval_SaveThread")}()
  %bad2 = call double %runp(ptr %program, ptr %pointers, ptr %held, i64 %n, i64 %w{_MOST}, i64 0,
    i64 1, ptr %row, ptr %work)
  call void {_python("PyEval_RestoreThread")}(ptr %thread)
  br label %ran
ran:
  %bad = phi double [ %bad1, %keep ], [ %bad2, %let ]
  %finite = fcmp oeq double %bad, 0.0
  br i1 %finite, label %reduce, label %fail
reduce:
  %samples = sitofp i64 %n to double
  %sum = load double, ptr %row, align 8
  %mean = fdiv double %sum, %samples
  %slopesp = getelementptr double, ptr %row, i64 1
  %s1 = insertelement <4 x double> poison, double %samples, i64 0
  %s4 = shufflevector <4 x double> %s1, <4 x double> poison, <4 x i32> zeroinitializer
  %whole = and i64 %w{_PARAMETERS}, -4
  br label %fours
fours:
  %j = phi i64 [ 0, %reduce ], [ %j1, %four ]
  %morej = icmp slt i64 %j, %whole
  br i1 %morej, label %four, label %slope
four:
  %from4p = getelementptr double, ptr %slopesp, i64 %j
  %g4 = load <4 x double>, ptr %from4p, align 8
  %gm4 = fdiv <4 x double> %g4, %s4
  %gz4 = fadd <4 x double> %gm4, zeroinitializer
  %to4p = getelementptr double, ptr %to, i64 %j
  store <4 x double> %gz4, ptr %to4p, align 8
  %j1 = add i64 %j, 4
  br label %fours
slope:
  %l = phi i64 [ %whole, %fours ], [ %l1, %slopes ]
  %morel = icmp slt i64 %l, %w{_PARAMETERS}
  br i1 %morel, label %slopes, label %answer
slopes:
  %fromp = getelementptr double, ptr %slopesp, i64 %l
  %g = load double, ptr %fromp, align 8
  %gm = fdiv double %g, %samples
  %gz = fadd double %gm, 0.0
  %top = getelementptr double, ptr %to, i64 %l
  store double %gz, ptr %top, align 8
  %l1 = add i64 %l, 1
  br label %slope
answer:
  %number = call ptr {_python("PyFloat_FromDouble")}(double %mean)
  br label %clean
fail:
  br label %clean
clean:
  %result = phi ptr [ %number, %answer ], [ null, %fail ]
  %held1 = load i64, ptr %acquired, align 8
  br label %release
release:
  %u = phi i64 [ 0, %clean ], [ %u1, %releases ]
  %moreu = icmp slt i64 %u, %held1
  br i1 %moreu, label %releases, label %free
releases:
  %uat = mul i64 %u, {_VIEW}
  %uview = getelementptr i8, ptr %views, i64 %uat
  call void {_python("PyBuffer_Release")}(ptr %uview)
  %u1 = add i64 %u, 1
  br label %release
free:
  call void {_python("PyMem_RawFree")}(ptr %memory)
  %failed = icmp eq ptr %result, null
  br i1 %failed, label %none, label %give
give:
  ret ptr %result
none:
  call void {_python("Py_IncRef")}(ptr {none})
  ret ptr {none}
}}

define ptr @one(ptr %self, ptr %args, i64 %nargs) #0 {{
entry:
  %desc = call ptr {_python("PyLong_AsVoidPtr")}(ptr %self)
{words}
  %counts = icmp eq i64 %nargs, %w{_ARGUMENTS}
  br i1 %counts, label %take, label %none
take:{memory}
  br label %argument
argument:
  %c = phi i64 [ 0, %start ], [ %c1, %scalar ], [ %c1, %items ]
  %at = phi i64 [ 0, %start ], [ %at1, %scalar ], [ %end, %items ]
  %morec = icmp slt i64 %c, %w{_ARGUMENTS}
  br i1 %morec, label %arguments, label %read
arguments:
  %ap = getelementptr ptr, ptr %args, i64 %c
  %arg = load ptr, ptr %ap, align 8
  %c1 = add i64 %c, 1
  %sat = add i64 %c, {_WORDS}
  %sp = getelementptr i64, ptr %desc, i64 %sat
  %spec = load i64, ptr %sp, align 8
  %single = icmp slt i64 %spec, 0
  br i1 %single, label %lone, label %several
lone:
  %fp = getelementptr double, ptr %flat, i64 %at
  %ok = call i1 @number(ptr %arg, ptr %fp)
  br i1 %ok, label %scalar, label %fail
scalar:
  %at1 = add i64 %at, 1
  br label %argument
several:
  %kp = getelementptr i8, ptr %arg, i64 8
  %kind = load ptr, ptr %kp, align 8
  %islist = icmp eq ptr %kind, {kinds[list]}
  br i1 %islist, label %list, label %fail
list:
  %length = call i64 {_python("PyList_Size")}(ptr %arg)
  %fits = icmp eq i64 %length, %spec
  %end = add i64 %at, %spec
  br i1 %fits, label %items, label %fail
items:
  %e = phi i64 [ 0, %list ], [ %e1, %itemon ]
  %moree = icmp slt i64 %e, %spec
  br i1 %moree, label %item, label %argument
item:
  %o = call ptr {_python("PyList_GetItem")}(ptr %arg, i64 %e)
  %iat = add i64 %at, %e
  %ip = getelementptr double, ptr %flat, i64 %iat
  %okitem = call i1 @number(ptr %o, ptr %ip)
  br i1 %okitem, label %itemon, label %fail
itemon:
  %e1 = add i64 %e, 1
  br label %items{read}
ready:
  call void %runp(ptr %program, ptr %flat, ptr %held0, ptr %row, ptr %work)
  %x = load double, ptr %row, align 8
  %zero = fsub double %x, %x
  %finite = fcmp oeq double %zero, 0.0
  br i1 %finite, label %answer, label %fail
answer:
  %number = call ptr {_python("PyFloat_FromDouble")}(double %x)
  br label %free
fail:
  br label %free
free:
  %result = phi ptr [ %number, %answer ], [ null, %fail ]
  call void {_python("PyMem_RawFree")}(ptr %memory)
  %failed = icmp eq ptr %result, null
  br i1 %failed, label %none, label %give
give:
  ret ptr %result
none:
  call void {_python("Py_IncRef")}(ptr {none})
  ret ptr {none}
}}

attributes #0 = {{ nounwind }}
"""


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
    """Return the code and the definitions of both functions: made once, and never given up."""
    engine, _ = machine_code(_ir())
    return engine, {
        name: _Definition(name.encode(), engine.get_function_address(name), _FASTCALL, None)
        for name in ("batch", "one")
    }


class Direct:
    """A program that is called directly.

    Parameters
    ----------
    machine : Machine
    trace : Trace
        Its parameters are read at every call.
    batch : bool
        Whether `run` is `run(gradient, parameters, *columns)`, which returns the mean of a batch
        and writes its gradient: arrays of as many doubles as there are parameters; None stands
        for the parameters' own numbers, and the columns have a leading sample axis. Else it is
        `run(*args)` for one sample of numbers and lists of numbers.

    Attributes
    ----------
    run : callable
        Returns a float, or None for what is left to the way round. Not to be kept for longer than
        this object, which owns the memory that it reads.
    trace : Trace
    width : int
        How many parameters there are.
    empty : callable or None
        NumPy's, for a batch.
    """

    __slots__ = ("_kept", "empty", "run", "trace", "width")

    def __init__(self, machine: llvm.Machine, trace: Trace, batch: bool) -> None:
        parameters, shapes = trace.parameters, trace.shapes
        table = (ctypes.c_void_p * max(1, len(parameters)))(*map(id, parameters))
        words = [0] * _WORDS
        words[_RUN] = driver().total_address if batch else driver().one_address
        words[_PROGRAM] = machine.description
        words[_ARGUMENTS], words[_RESULTS] = len(shapes), machine.results
        words[_INPUTS] = sum(trace.sizes)
        words[_PARAMETERS], words[_TABLE] = len(parameters), ctypes.addressof(table)
        words[_PLACE], words[_MOST] = _offset() or 0, machine.chunks(1)[0]
        words[_WORK] = 8 * machine.memory
        words[_QUIET] = _RELEASE_AT // max(1, machine.instructions)
        for shape in shapes:
            if batch:
                words += [1 + len(shape), *shape]
            else:
                words.append(shape[0] if shape else -1)
        if batch:  # no subclass: the data of a masked array are not all to be taken
            words[_ARRAY] = id(numpy().ndarray)
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
        self._kept = (engine, description, table, parameters, machine)
        self.trace, self.width = trace, len(parameters)
        self.empty: Any = numpy().empty if batch else None
