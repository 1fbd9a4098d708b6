"""The LLVM text of the functions that CPython calls: `batch`, `one`, and what both of them call.

They are written in LLVM's language against CPython's C interface; the addresses of its functions
and types stand in the text.
"""

from __future__ import annotations

import ctypes

from micrograd.replay.llvm.processor import again, load
from micrograd.replay.llvm.sums_ir import means_ir

__all__ = ["MOST_COLUMNS", "WORDS", "direct_ir"]

_VIEW = 80  # bytes of a Py_buffer
MOST_COLUMNS = 8  # arguments at most
_READ, _WRITE = 0x3C, 0x3D  # PyBUF_C_CONTIGUOUS | PyBUF_FORMAT, and PyBUF_WRITABLE
WORDS = (
    # The function that runs the program, and the program; those for one sample of a batch, 0 if it
    # has none; the bytes of their working memory; and from how many samples on the GIL is released.
    *("run", "program", "run_one", "program_one", "work", "quiet"),
    # How many samples there are at least and at most, and in a chunk.
    *("least", "most", "chunk"),
    *("arguments", "inputs", "results", "array"),
    # How many parameters are read, the Values, where a Value has its number; how many parameters
    # are given as an array, and the runs of those that are read, 0 for all.
    *("parameters", "table", "place", "everyone", "given"),
    # The runs of parameters with a derivative, whether there are parameters without, and how many
    # numbers the array of the gradient has before it: of one sample the results go there then.
    *("runs", "sparse", "lead"),
)
"""The words of a description: what follows them is the shape of each argument.

Runs are pairs, the first place and how many follow each other, and a pair of zeros at their end.
"""


def _python(name: str) -> str:
    """Return the address of a function of Python's C interface."""
    address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
    return _constant(address or 0)


def _constant(address: int) -> str:
    return f"inttoptr (i64 {address} to ptr)"


def _kind(kind: type) -> str:
    return _constant(id(kind))


def _words() -> str:
    """Return the text that reads the words of a description."""
    return "\n".join(load(f"w_{name}", "i64", "%desc", str(i)) for i, name in enumerate(WORDS))


def _memory() -> str:
    """Return the text that allocates memory: work space, results, parameters and inputs."""
    return f"""\
  %doubles1 = add i64 %w_results, %w_parameters
  %doubles2 = add i64 %doubles1, %w_inputs
  %doubles3 = add i64 %doubles2, %w_results
  %extra = mul i64 %doubles3, 8
  %bytes1 = add i64 %w_work, %extra
  %bytes = add i64 %bytes1, 128
  %memory = call ptr {_python("PyMem_RawMalloc")}(i64 %bytes)
  %nothing = icmp eq ptr %memory, null
  br i1 %nothing, label %none, label %start
start:
  %m0 = ptrtoint ptr %memory to i64
  %m1 = add i64 %m0, 127
  %m2 = and i64 %m1, -128
  %work = inttoptr i64 %m2 to ptr
  %row = getelementptr i8, ptr %work, i64 %w_work
  %next = getelementptr double, ptr %row, i64 %w_results
  %held0 = getelementptr double, ptr %next, i64 %w_results
  %flat = getelementptr double, ptr %held0, i64 %w_parameters
  %table = inttoptr i64 %w_table to ptr"""


def _read() -> str:
    """Return the text that reads the numbers of the parameters from their Values."""
    return f"""\
read:
  %anyp = icmp sgt i64 %w_parameters, 0
  br i1 %anyp, label %reads, label %ready
reads:
  %i = phi i64 [ 0, %read ], [ %i1, %readon ]
{load("value", "ptr", "%table", "%i")}
  %dp = getelementptr i8, ptr %value, i64 %w_place
  %data = load ptr, ptr %dp, align 8
  %hp = getelementptr double, ptr %held0, i64 %i
  %missing = icmp eq ptr %data, null
  br i1 %missing, label %fail, label %some
some:
  %kindp = getelementptr i8, ptr %data, i64 8
  %dkind = load ptr, ptr %kindp, align 8
  %isfloat = icmp eq ptr %dkind, {_kind(float)}
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
  %morei = icmp slt i64 %i1, %w_parameters
  br i1 %morei, label %reads, label %ready"""


def _freed() -> str:
    """Return the text that frees the memory, and returns the result or None."""
    none = _constant(id(None))
    return f"""\
  call void {_python("PyMem_RawFree")}(ptr %memory)
  %failed = icmp eq ptr %result, null
  br i1 %failed, label %none, label %give
give:
  ret ptr %result
none:
  call void {_python("Py_IncRef")}(ptr {none})
  ret ptr {none}"""


def _number() -> str:
    """Return `number`: stores the number of a float or an int, and returns whether it is one."""
    return f"""
define internal i1 @number(ptr %o, ptr %to) #0 {{
entry:
  %missing = icmp eq ptr %o, null
  br i1 %missing, label %no, label %some
some:
  %tp = getelementptr i8, ptr %o, i64 8
  %type = load ptr, ptr %tp, align 8
  %isfloat = icmp eq ptr %type, {_kind(float)}
  br i1 %isfloat, label %float, label %other
float:
  %xp = getelementptr i8, ptr %o, i64 16
  %x = load double, ptr %xp, align 8
  store double %x, ptr %to, align 8
  ret i1 true
other:
  %isint = icmp eq ptr %type, {_kind(int)}
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

"""


def _run(name: str, pair: str, base: str) -> str:
    """Return the text that reads a pair of runs: where its numbers are, how many, if any."""
    return f"""\
  %{name}at = load i64, ptr %{pair}, align 8
{load(f"{name}count", "i64", f"%{pair}", "1")}
  %{pair}1 = getelementptr i64, ptr %{pair}, i64 2
  %{name} = getelementptr double, ptr {base}, i64 %{name}at
  %{name}any = icmp ne i64 %{name}count, 0"""


def _view() -> str:
    """Return `view`: gets the data of an array of doubles, and returns its length, or -1.

    It is -1 for another type or shape, and for another length than `n`, unless `n` is -1.
    """
    return f"""\
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
{load("a", "i64", "%s", "%k")}
{load("b", "i64", "%dims", "%k")}
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

"""


def _batch_columns() -> str:
    """Return the beginning of `batch`: the arrays of the arguments and of the parameters."""
    return f"""\
define ptr @batch(ptr %self, ptr %args, i64 %nargs) #0 {{
entry:
  %views = alloca [{_VIEW * (MOST_COLUMNS + 2)} x i8], align 8
  %pointers = alloca [{MOST_COLUMNS} x ptr], align 8
  %acquired = alloca i64, align 8
  store i64 0, ptr %acquired, align 8
  %desc = call ptr {_python("PyLong_AsVoidPtr")}(ptr %self)
{_words()}
  %want = add i64 %w_arguments, 2
  %counts = icmp eq i64 %nargs, %want
  br i1 %counts, label %take, label %none
take:
{_memory()}
  %specs = getelementptr i64, ptr %desc, i64 {len(WORDS)}
  br label %column
column:
  %c = phi i64 [ 0, %start ], [ %c1, %gotcolumn ]
  %n = phi i64 [ -1, %start ], [ %rows, %gotcolumn ]
  %spec = phi ptr [ %specs, %start ], [ %spec1, %gotcolumn ]
  %morec = icmp slt i64 %c, %w_arguments
  br i1 %morec, label %columns, label %sized
columns:
  %at = add i64 %c, 2
{load("arg", "ptr", "%args", "%at")}
  %vat = mul i64 %c, {_VIEW}
  %view = getelementptr i8, ptr %views, i64 %vat
  %ndim = load i64, ptr %spec, align 8
  %rows = call i64 @view(ptr %arg, i64 %w_array, ptr %view, i32 {_READ}, i64 %ndim,
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
  %least = icmp sge i64 %n, %w_least
  %most = icmp sle i64 %n, %w_most
  %size = and i1 %least, %most
  br i1 %size, label %parameters, label %fail
parameters:
{load("given", "ptr", "%args", "1")}
  %own = icmp eq ptr %given, {_constant(id(None))}
  br i1 %own, label %read, label %array
array:
  %gat = mul i64 %c, {_VIEW}
  %gview = getelementptr i8, ptr %views, i64 %gat
  %grows = call i64 @view(ptr %given, i64 %w_array, ptr %gview, i32 {_READ}, i64 1, ptr %desc,
    i64 %w_everyone)
  %badg = icmp slt i64 %grows, 0
  br i1 %badg, label %fail, label %gotarray
gotarray:
  %c2 = add i64 %c, 1
  store i64 %c2, ptr %acquired, align 8
  %gbuf = load ptr, ptr %gview, align 8
  %all = icmp eq i64 %w_given, 0
  %which = inttoptr i64 %w_given to ptr
  br i1 %all, label %ready, label %pick
pick:
  %k = phi i64 [ 0, %gotarray ], [ %k1, %picks ]
  %pair = phi ptr [ %which, %gotarray ], [ %pair1, %picks ]
{_run("from", "pair", "%gbuf")}
  %kp = getelementptr double, ptr %held0, i64 %k
  br i1 %fromany, label %picks, label %ready
picks:
  %kbytes = mul i64 %fromcount, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %kp, ptr %from, i64 %kbytes, i1 false)
  %k1 = add i64 %k, %fromcount
  br label %pick
{_read()}
"""


def _batch_run() -> str:
    """Return the middle of `batch`: the array of the gradient, and the call of the program."""
    return f"""\
ready:
  %held = phi ptr [ %gbuf, %gotarray ], [ %held0, %pick ], [ %held0, %read ], [ %held0, %readon ]
  %out = load ptr, ptr %args, align 8
  %taken = load i64, ptr %acquired, align 8
  %oat = mul i64 %taken, {_VIEW}
  %oview = getelementptr i8, ptr %views, i64 %oat
  %osize = add i64 %w_everyone, %w_lead
  %orows = call i64 @view(ptr %out, i64 %w_array, ptr %oview, i32 {_WRITE}, i64 1, ptr %desc,
    i64 %osize)
  %bado = icmp slt i64 %orows, 0
  br i1 %bado, label %fail, label %go
go:
  %taken1 = add i64 %taken, 1
  store i64 %taken1, ptr %acquired, align 8
  %whole = load ptr, ptr %oview, align 8
  %to = getelementptr double, ptr %whole, i64 %w_lead
  %lone = icmp eq i64 %n, 1
  %special = icmp ne i64 %w_run_one, 0
  %single = and i1 %lone, %special
  %runp = inttoptr i64 %w_run to ptr
  %program = inttoptr i64 %w_program to ptr
  %brief = icmp slt i64 %n, %w_quiet
  br i1 %brief, label %choose, label %let
let:
  %freed = call ptr {_python("PyEval_SaveThread")}()
  br label %choose
choose:
  %thread = phi ptr [ null, %go ], [ %freed, %let ]
  br i1 %single, label %alone, label %chunk
alone:
  %runp_one = inttoptr i64 %w_run_one to ptr
  %program_one = inttoptr i64 %w_program_one to ptr
  %led = icmp eq i64 %w_lead, 1
  %place = select i1 %led, ptr %whole, ptr %row
  %there = call ptr %runp_one(ptr %program_one, ptr %pointers, ptr %held, ptr %place, ptr %work)
  br label %ran
chunk:
  %h = phi i64 [ 0, %choose ], [ %h1, %chunked ]
  %bad0 = phi double [ 0.0, %choose ], [ %bad, %chunked ]
  %h1 = add i64 %h, 1
  %initial = icmp eq i64 %h, 0
  %rowh = select i1 %initial, ptr %row, ptr %next
  %past = mul i64 %h, %w_results
  %back = sub i64 0, %past
  %sumsat = getelementptr double, ptr %rowh, i64 %back
  %badh = call double %runp(ptr %program, ptr %pointers, ptr %held, i64 %n, i64 %w_chunk, i64 %h,
    i64 %h1, ptr %sumsat, ptr %work)
  %bad = fadd double %bad0, %badh
  br i1 %initial, label %chunked, label %add
add:
  %r = phi i64 [ 0, %chunk ], [ %r1, %add ]
{load("sumr", "double", "%row", "%r")}
{load("nextr", "double", "%next", "%r")}
  %newr = fadd double %sumr, %nextr
  store double %newr, ptr %sumrp, align 8
{again("r", "%w_results", "add", "chunked")}
chunked:
  %end = mul i64 %h1, %w_chunk
  %moreh = icmp slt i64 %end, %n
  br i1 %moreh, label %chunk, label %ran
ran:
  %results = phi ptr [ %there, %alone ], [ %row, %chunked ]
  %badran = phi double [ 0.0, %alone ], [ %bad, %chunked ]
  br i1 %brief, label %reduce, label %back_again
back_again:
  call void {_python("PyEval_RestoreThread")}(ptr %thread)
  br label %reduce
"""


def _batch_reduce() -> str:
    """Return the next part: the mean of the results, and the gradient, run by run."""
    return f"""\
reduce:
  %samples = sitofp i64 %n to double
  %sum = load double, ptr %results, align 8
  %mean = fdiv double %sum, %samples
  %badmean = fmul double %mean, 0.0
  %badreduce = fadd double %badran, %badmean
  %slopes = getelementptr double, ptr %results, i64 1
  %runs = inttoptr i64 %w_runs to ptr
  %dense = icmp eq i64 %w_sparse, 0
  br i1 %dense, label %spread, label %clear
clear:
  %zeros = mul i64 %w_everyone, 8
  call void @llvm.memset.p0.i64(ptr %to, i8 0, i64 %zeros, i1 false)
  br label %spread
spread:
  %e = phi i64 [ 0, %reduce ], [ 0, %clear ], [ %e1, %spreads ]
  %run = phi ptr [ %runs, %reduce ], [ %runs, %clear ], [ %run1, %spreads ]
  %badspread = phi double [ %badreduce, %reduce ], [ %badreduce, %clear ], [ %badnew, %spreads ]
{_run("into", "run", "%to")}
  %ep = getelementptr double, ptr %slopes, i64 %e
  br i1 %intoany, label %spreads, label %look
spreads:
  %badrun = call double @means(ptr %into, ptr %ep, i64 %intocount, i64 %n)
  %badnew = fadd double %badspread, %badrun
  %e1 = add i64 %e, %intocount
  br label %spread
look:
  %finite = fcmp oeq double %badspread, 0.0
  br i1 %finite, label %answer, label %fail
"""


def _batch_answer() -> str:
    """Return the end of `batch`: it releases the arrays, and returns the mean or None."""
    return f"""\
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
{_freed()}
}}

"""


def _one() -> str:
    """Return `one`: its arguments are the numbers, and lists of numbers, of a single sample."""
    return f"""\
define ptr @one(ptr %self, ptr %args, i64 %nargs) #0 {{
entry:
  %desc = call ptr {_python("PyLong_AsVoidPtr")}(ptr %self)
{_words()}
  %counts = icmp eq i64 %nargs, %w_arguments
  br i1 %counts, label %take, label %none
take:
{_memory()}
  br label %argument
argument:
  %c = phi i64 [ 0, %start ], [ %c1, %scalar ], [ %c1, %items ]
  %at = phi i64 [ 0, %start ], [ %at1, %scalar ], [ %end, %items ]
  %morec = icmp slt i64 %c, %w_arguments
  br i1 %morec, label %arguments, label %read
arguments:
{load("arg", "ptr", "%args", "%c")}
  %c1 = add i64 %c, 1
  %sat = add i64 %c, {len(WORDS)}
{load("spec", "i64", "%desc", "%sat")}
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
  %islist = icmp eq ptr %kind, {_kind(list)}
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
  br label %items
{_read()}
ready:
  %runp = inttoptr i64 %w_run to ptr
  %program = inttoptr i64 %w_program to ptr
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
{_freed()}
}}

"""


def direct_ir() -> str:
    """Return the functions that CPython calls, with what they call."""
    batch = _batch_columns() + _batch_run() + _batch_reduce() + _batch_answer()
    end = (
        "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)\n"
        "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)\n"
        "attributes #0 = { nounwind }\n"
    )
    return _number() + means_ir() + _view() + batch + _one() + end
