"""The compiled function: traced once per shape of its inputs, replayed at every call."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import pickle
import threading
import time
import warnings
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, cast

from micrograd import ops
from micrograd.engine import Value, plain
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    MicrogradError,
    NonFiniteError,
    NumberTypeError,
    OverflowRangeError,
    TraceError,
)
from micrograd.replay.kernels import (
    LlvmKernel,
    PythonKernel,
    added,
    double,
    numpy,
    rows_of,
    spread,
)
from micrograd.replay.llvm import emitter as llvm
from micrograd.replay.llvm.direct import Direct, is_possible
from micrograd.replay.llvm.lower import forget_rules
from micrograd.replay.nonfinite import replayed
from micrograd.replay.trace import Recorder, is_number_like, tracing
from micrograd.replay.trace.reach import models_of
from micrograd.replay.trace.tape import PARAMETER
from micrograd.replay.trace.traced import Trace, uncollected
from micrograd.replay.trace.watch import WATCHED, user_frame

__all__ = ["Compiled", "Stats", "compile"]

_BACKENDS = ("auto", "python", "llvm")
_CHECKS = ("raise", "warn", "ignore")
_REDUCTIONS = ("mean", "sum", "none")
_INSTALL = 'pip install "micrograd[replay]"'
# Results that are looked at together where some are not finite: 2 MB.
_NUMBERS = 262_144
_data = attrgetter("data")


class Stats(NamedTuple):
    """What a compiled function is made of, over all shapes and programs so far.

    Attributes
    ----------
    nodes : int
        Nodes as traced, forward passes only.
    instructions : int
        Instructions after optimisation, gradients included.
    bytes : int
        Size of the machine code; 0 for the Python backend.
    seconds : float
        Time spent tracing and compiling.
    programs : int
        How many programs were compiled.
    """

    nodes: int
    instructions: int
    bytes: int
    seconds: float
    programs: int


@functools.cache
def _warn_without_llvm() -> None:
    warnings.warn(
        f"llvmlite is not installed, so compiled functions run as Python: {_INSTALL}",
        RuntimeWarning,
        stacklevel=user_frame()[1],
    )


def _method_of(owner: type, name: str, instance: Any) -> Any:
    """Return the compiled method of a class for an object whose own class may override it."""
    return _getter(inspect.getattr_static(owner, name)).__get__(instance)


def _getter(attribute: Any) -> Any:
    """Return the method that a property of a class calls, and anything else as it is."""
    if isinstance(attribute, property):
        return attribute.fget
    return attribute.func if isinstance(attribute, functools.cached_property) else attribute


# ---- the compiled function -------------------------------------------------------------------


class Compiled:
    """A function of Values, compiled: what `micrograd.compile` returns.

    Call it with the numbers of one sample, or give `map`, `value_and_grad` and `backward` arrays
    with a leading sample axis. Each new shape of inputs is traced once.

    Attributes
    ----------
    backend : {"python", "llvm"}
    threads : int
        How many threads a batch is split over. The results do not depend on it.
    check : {"raise", "warn", "ignore"}
        What becomes of a result that is not finite.
    quick : bool
        Whether compiling should rather be quick than the code as fast as can be, which has the
        same bits. To be set before the first call.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        backend: str = "auto",
        *,
        parameters: Iterable[Value] | None = None,
        threads: int = 1,
        check: str = "raise",
        contract: bool = True,
    ) -> None:
        if not callable(fn):
            raise ArgumentTypeError(
                f"expected a function to compile, got {fn!r}"
                + (": put @property above" if isinstance(fn, property) else "")
            )
        _expect("backend", backend, _BACKENDS)
        _expect("check", check, _CHECKS)
        if type(threads) is not int or threads < 1:
            raise ArgumentError(f"expected threads to be an int of at least 1, got {threads!r}")
        if backend == "auto":
            backend = "llvm" if llvm.is_available() else "python"
            if backend == "python":
                _warn_without_llvm()
        elif backend == "llvm" and not llvm.is_available():
            raise ImportError(f"the llvm backend needs llvmlite: {_INSTALL}")
        self.backend, self.threads, self.check = backend, threads, check
        self._contract = contract
        self.quick = False
        self._fn: Callable[..., Any] | None = fn
        self._name = getattr(fn, "__name__", type(fn).__name__)
        if not self._name.isidentifier():
            self._name = "function"
        self.__doc__ = getattr(fn, "__doc__", None)
        self.__name__ = self._name
        self.__wrapped__ = fn
        self._given = None if parameters is None else _values(parameters)
        self._parameters: list[Value] = list(self._given or ())
        self._traces: dict[tuple[Any, ...], Trace] = {}
        self._lock = threading.RLock()
        self._latest: Trace | None = None
        self._seconds = 0.0
        self._batches: Direct | None = None
        self._singles: Direct | None = None
        self._attribute = self._name
        self._key = f"{getattr(fn, '__qualname__', self._name)} compiled"
        self._method: Compiled | None = None  # of a class, that this is for one object

    # ---- as a method -------------------------------------------------------------------------

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute = name
        self._key = f"{owner.__qualname__}.{name} compiled"

    def _definer(self, kind: type) -> type | None:
        """Return that one of the bases of a class, or itself, whose method or property this is."""
        name = self._attribute
        owners = (base for base in kind.__mro__ if _getter(vars(base).get(name)) is self)
        return next(owners, None)

    def __get__(self, instance: Any, owner: type | None = None) -> Compiled:
        """Return the function compiled for one object, whose Values are then its parameters."""
        if instance is None or not inspect.isfunction(self._fn):
            return self
        kept = getattr(instance, "__dict__", None)
        if not isinstance(kept, dict):
            raise ArgumentTypeError(
                f"{self._name} cannot be compiled for {instance!r}, which keeps no attributes of "
                "its own: decorate a method of ordinary objects, or compile a function"
            )
        # Not under its name, where it would be found before this: a shallow copy of the object has
        # it too, and a method of a subclass that calls this one has the name itself.
        key = self._key
        found = kept.get(key)
        if found is not None and found._method is self and found._fn.args[0] is instance:
            return cast("Compiled", found)
        bound = kept[key] = Compiled(
            functools.partial(self._fn, instance),
            self.backend,
            parameters=self._given,
            threads=self.threads,
            check=self.check,
            contract=self._contract,
        )
        bound._name = bound.__name__ = self._name
        bound.__doc__ = self.__doc__
        bound._method = self
        return bound

    def __reduce_ex__(self, protocol: Any) -> Any:
        method = self._method
        if method is None:
            return super().__reduce_ex__(protocol)
        instance = cast("functools.partial[Any]", self._fn).args[0]
        kind = type(instance)
        return _method_of, (method._definer(kind) or kind, method._attribute, instance)

    def __repr__(self) -> str:
        shapes = ", ".join(str(shapes) for shapes in self._traces) or "nothing yet"
        return f"<compiled {self._name}, {self.backend}, traced for {shapes}>"

    # ---- tracing -----------------------------------------------------------------------------

    def _trace(self, shapes: tuple[Any, ...]) -> Trace:
        found = self._traces.get(shapes)
        if found is None:
            with self._lock:  # of several threads with a new shape, one traces
                found = self._traces.get(shapes) or self._traced(shapes)
        self._latest = found
        return found

    def _traced(self, shapes: tuple[Any, ...]) -> Trace:
        if self._fn is None:
            known = ", ".join(map(str, self._traces)) or "of earlier calls (none)"
            raise ArgumentError(
                f"{self._name} was copied or unpickled without its function, so it takes inputs "
                f"of the shapes {known} only, got {shapes}: compile the function again"
            )
        started = time.perf_counter()
        recorder = Recorder()
        with uncollected():
            sequence = recorder.trace(self._fn, shapes, self._argument_names(len(shapes)))
        self._adopt(recorder)
        self._parameters[:], ordered = self._in_order(recorder.parameters)
        place = {id(value): i for i, value in enumerate(ordered)}
        renumbered = [place[id(value)] for value in recorder.parameters]
        tape = recorder.tape
        for position, number in tape.leaves(PARAMETER).items():
            tape.operands[position] = (PARAMETER, renumbered[number])
        found = Trace(tape, ordered, shapes, sequence, self._parameters)
        self._batches = None  # the parameters may have become more
        self._traces[shapes] = found
        self._seconds += time.perf_counter() - started
        return found

    def take(self, trace: Trace) -> None:
        """Take over what was traced elsewhere of the same function, instead of tracing it."""
        self._traces[trace.shapes] = self._latest = trace
        self._parameters = trace.everyone
        self._batches = self._singles = None

    def latest(self) -> Trace:
        """Return what was traced for the shape of the latest call.

        Raises
        ------
        ArgumentError
            If nothing was traced yet. Also a ValueError.
        """
        if self._latest is None:
            raise ArgumentError(
                f"{self._name} has not been traced yet: call it once, so that the shape of its "
                "inputs is known"
            )
        return self._latest

    def _adopt(self, recorder: Recorder) -> None:
        """Refuse leaves that are not in the parameters that the user gave, if any were given."""
        if self._given is None:
            return
        mine = {id(value) for value in self._given}
        for value in recorder.parameters:
            if id(value) not in mine:
                raise ArgumentError(
                    f"{self._name} uses {value!r}, which is not among the given parameters: add "
                    "it, or make it a plain number"
                )

    def _in_order(self, met: list[Value]) -> tuple[list[Value], list[Value]]:
        """Return all parameters, and those of one trace, both in the models' order."""
        reached = {id(value) for value in met}
        known = list(self._parameters)
        if self._given is None:
            for model in models_of(self._fn):
                values = model.parameters()
                if any(id(value) in reached for value in values):
                    known += values
        unique = list({id(value): value for value in [*known, *met]}.values())
        return unique, [value for value in unique if id(value) in reached]

    def _argument_names(self, count: int) -> list[str]:
        assert self._fn is not None
        try:
            signature = inspect.signature(self._fn)
            signature.bind(*range(count))
        except TypeError as error:
            raise InputCountError(f"{self._name} got {count} argument(s): {error}") from error
        except ValueError:
            return [f"x{i}" for i in range(count)]
        names: list[str] = []
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                names += [f"{parameter.name}{i}" for i in range(len(names), count)]
            else:
                names.append(parameter.name)
        return names[:count]

    def _program(self, trace: Trace, kind: str, sums: bool = False) -> tuple[Any, list[int]]:
        """Return the kernel of a program, with code for sums or single samples, and what it has.

        That is, which of its derivatives are not zero.
        """
        found = trace.programs.get(kind)
        if found is None or not found[2].has(sums, self.quick):
            started = time.perf_counter()
            with uncollected():
                tape, used, kernel = found or (*trace.derived(kind), None)
                if self.backend == "python":
                    kernel = PythonKernel(tape, self._name, self._described(trace))
                else:
                    kernel = kernel or LlvmKernel(tape, trace.sizes, self._contract)
                    kernel.make(sums, self.quick)
            found = trace.programs[kind] = (tape, used, kernel)
            self._seconds += time.perf_counter() - started
        return found[2], found[1]

    def _described(self, trace: Trace) -> str:
        return ", ".join(
            "number" if shape == () else "x".join(map(str, shape)) for shape in trace.shapes
        )

    def machine(self, *args: Any) -> tuple[llvm.Machine, list[int]] | None:
        """Return the machine code for arguments like these, for a loop that calls it itself.

        Returns
        -------
        (Machine, list of int) or None
            The program of outputs and gradient, and which parameters its derivatives are of. None
            with the Python backend, or where the trace does not reach every parameter.
        """
        trace, _, _ = self._batch(args)
        kernel, used = self._program(trace, "parameters", sums=True)
        if not isinstance(kernel, LlvmKernel) or len(trace.parameters) != len(trace.everyone):
            return None
        return kernel.machine(sums=True), used

    # ---- calling -----------------------------------------------------------------------------

    def _held(self, trace: Trace, given: Any = None) -> Any:
        """Return the parameters' present numbers, or the ones given, in the trace's order."""
        if given is None:
            try:
                return array("d", map(_data, trace.parameters))
            except OverflowError as error:
                raise OverflowRangeError(
                    f"expected parameters within the range of a float: {error}"
                ) from None
        np = numpy()
        numbers = given
        if not (type(given) is np.ndarray and given.dtype is double() and given.flags.c_contiguous):
            numbers = np.ascontiguousarray(given, dtype=float)
        if numbers.shape != (len(trace.everyone),):
            raise InputCountError(
                f"expected {len(trace.everyone)} parameters, got an array of shape {numbers.shape}"
            )
        if len(trace.parameters) == len(trace.everyone):
            return numbers
        return np.ascontiguousarray(numbers[self._places(trace)])

    def _places(self, trace: Trace) -> list[int]:
        place = {id(value): i for i, value in enumerate(trace.everyone)}
        return [place[id(value)] for value in trace.parameters]

    def __call__(self, *args: Any) -> Any:
        """Return the value for one sample: a float, or a list of floats for several outputs.

        Raises
        ------
        TraceError
            If the function does what cannot be replayed. Also a TypeError.
        NonFiniteError, DomainError, OverflowRangeError, ZeroDivisorError
            If a result is not finite (with `check="raise"`).
        """
        if tracing.get():
            return self._inlined(args)
        direct = self._singles
        if direct is not None:
            value = direct.run(*args)
            if value is not None:
                self._latest = direct.trace
                return value
        if args and self._definer(type(args[0])):  # A.method(a, ...), or a property
            return self.__get__(args[0])(*args[1:])
        flat: list[float] = []
        trace = self._trace(tuple([_flatten(arg, flat) for arg in args]))
        kernel, _ = self._program(trace, "value")
        self._singles = self._direct(direct, trace, kernel)
        held = self._held(trace)
        results = kernel.one(flat, held)
        for result in results:
            if result - result != 0:
                results = self._checked(trace, "value", flat, held, results)
                break
        return results if trace.sequence else results[0]

    def _inlined(self, args: tuple[Any, ...]) -> Any:
        """Call the function itself: in the trace of another one it is a part of that."""
        if self._fn is None:
            raise ArgumentError(
                f"{self._name} was copied or unpickled without its function, so it cannot be a "
                "part of another compiled function: compile the function again"
            )
        return self._fn(*args)

    def _direct(
        self, present: Direct | None, trace: Trace, kernel: Any, used: list[int] | None = None
    ) -> Direct | None:
        """Return a way to call a program directly, from the second call of the same shape on."""
        if present is not None and present.trace is trace:
            return present
        if not trace.again:
            trace.again = True
            return None
        if not isinstance(kernel, LlvmKernel) or trace.sequence or not is_possible(trace):
            return None
        if used is None:
            possible = all(len(shape) <= 1 for shape in trace.shapes)
        else:
            count = len(trace.everyone)
            possible = len(used) == len(trace.parameters) == count and bool(trace.shapes)
        batch = used is not None
        return Direct(kernel.machine(sums=batch), trace, batch) if possible else None

    def _expect_bound(self, args: Sequence[Any]) -> None:
        if args and self._definer(type(args[0])):
            raise ArgumentTypeError(
                f"{self._name} is a method, compiled for each object on its own, and got "
                f"{args[0]!r} as its first argument: use it as an attribute of that object, as in "
                f"obj.{self._attribute}.map(...)"
            )

    def _batch(self, args: Sequence[Any]) -> tuple[Trace, list[Any], int]:
        np, floats = numpy(), double()
        columns: list[Any] = []
        shapes: list[tuple[int, ...]] = []
        n = -1
        for arg in args:
            column = arg
            if type(arg) is not np.ndarray or arg.dtype is not floats:
                self._expect_bound(args)
                column = _column(arg)
            if column.ndim == 0:
                raise NumberTypeError(
                    "expected arrays with a leading sample axis, got a number: call the function "
                    "itself for one sample"
                )
            if n not in (-1, column.shape[0]):
                raise InputCountError(
                    f"expected as many samples in every argument, got {n} and {column.shape[0]}"
                )
            n = column.shape[0]
            shapes.append(column.shape[1:])
            columns.append(column if column.flags.c_contiguous else np.ascontiguousarray(column))
        return self._trace(tuple(shapes)), columns, 1 if n < 0 else n

    def map(self, *args: Any) -> Any:
        """Return the values of a batch of samples.

        Parameters
        ----------
        *args : array-like of shape (n, ...)
            One an argument of the function.

        Returns
        -------
        ndarray of shape (n,) or (n, outputs)
        """
        np = numpy()
        trace, columns, n = self._batch(args)
        kernel, _ = self._program(trace, "value")
        held = self._held(trace)
        out = np.empty((n, kernel.results))
        self._each(kernel, columns, held, n, out)
        self._check_rows(trace, "value", columns, held, _parts(out))
        return out if trace.sequence else out[:, 0]

    def _each(self, kernel: Any, columns: list[Any], held: Any, n: int, out: Any) -> None:
        if isinstance(kernel, LlvmKernel):
            kernel.each(columns, held, n, out, self.threads)
        else:
            kernel.each(columns, held, n, out)

    def value_and_grad(
        self,
        *args: Any,
        reduction: str = "mean",
        wrt: str = "parameters",
        parameters: Any = None,
        has_aux: bool = False,
    ) -> tuple[Any, Any]:
        """Return the values of a batch and their derivatives.

        Parameters
        ----------
        *args : array-like of shape (n, ...)
        reduction : {"mean", "sum", "none"}, default "mean"
        wrt : {"parameters", "inputs"}, default "parameters"
            The order is that of `parameters`, or that of the inputs, flattened.
        parameters : array-like of shape (parameters,), optional
            Used in place of the parameters' present data.
        has_aux : bool, default False
            The function returns a sequence; its first result is differentiated, and the others
            are reduced as it is.

        Returns
        -------
        value : float, or ndarray of shape (n,) for "none"
            With `has_aux` there is one a result: of shape (outputs,) or (n, outputs).
        gradient : ndarray of shape (p,), or (n, p) for "none"

        Raises
        ------
        ValueError
            If the function has several outputs, or there are no samples to take the mean of.

        Notes
        -----
        Sums have the same bits whatever the number of threads.
        """
        direct = self._batches
        plain = reduction == "mean" and wrt == "parameters" and not has_aux
        if direct is not None and plain:
            gradient = direct.empty(direct.width)
            value = direct.run(gradient, parameters, *args)
            if value is not None:
                self._latest = direct.trace
                return value, gradient
        np = numpy()
        _expect("reduction", reduction, _REDUCTIONS)
        _expect("wrt", wrt, ("parameters", "inputs"))
        trace, columns, n = self._batch(args)
        if not has_aux:
            self._one_output(trace, "value_and_grad")
        outputs = len(trace.tape.outputs)
        kernel, used = self._program(trace, wrt, sums=reduction != "none")
        if plain:
            with self._lock:  # for all parameters that there are
                self._batches = self._direct(direct, trace, kernel, used)
        held = self._held(trace, parameters)
        if wrt == "parameters":
            width = len(trace.everyone)
            if len(trace.parameters) != width:
                places = self._places(trace)
                used = [places[i] for i in used]
        else:
            width = sum(trace.sizes)
        if reduction == "none":
            rows = np.empty((n, kernel.results))
            self._each(kernel, columns, held, n, rows)
            self._check_rows(trace, wrt, columns, held, _parts(rows))
            values = rows[:, :outputs].copy()
            return values if has_aux else values[:, 0], spread(rows[:, outputs:], used, width)
        if reduction == "mean" and n == 0:
            raise ArgumentError("expected at least one sample to take the mean of, got none")
        if n == 0:
            return np.zeros(outputs) if has_aux else 0.0, np.zeros(width)
        sums, finite = kernel.total(columns, held, n, self.threads)
        if not finite and self.check != "ignore":
            sums = np.full(kernel.results, -0.0)
            single, _ = self._program(trace, wrt)

            def parts() -> Iterator[tuple[int, Any]]:
                size = max(1, _NUMBERS // kernel.results)
                for start in range(0, n, size):
                    some = [column[start : start + size] for column in columns]
                    rows = np.empty((min(size, n - start), kernel.results))
                    self._each(single, some, held, len(rows), rows)
                    yield start, rows
                    with np.errstate(all="ignore"):
                        sums[:] += added(rows)

            if not self._check_rows(trace, wrt, columns, held, parts()):
                wrong = sums[~np.isfinite(sums)]
                if len(wrong):
                    text = f"the sum over {n} samples of what {self._name} gives is {wrong[0]}"
                    self._complain(text, NonFiniteError(text))
        if reduction == "mean":
            sums /= n
        values = sums[:outputs] if has_aux else sums.item(0)
        return values, spread(sums[outputs:], used, width)

    def backward(self, *args: Any, reduction: str = "mean") -> float:
        """Add the reduced gradient to each parameter's `grad`; return the reduced value.

        Parameters
        ----------
        *args : array-like of shape (n, ...)
        reduction : {"mean", "sum"}, default "mean"

        Examples
        --------
        >>> import micrograd
        >>> w = micrograd.Value(3.0)
        >>> loss = micrograd.compile(lambda x, y: (w * x - y) ** 2, backend="python")
        >>> loss.backward([1.0, 2.0], [3.0, 5.0])  # the mean of 0 and 1
        0.5
        >>> w.grad
        2.0
        """
        _expect("reduction", reduction, ("mean", "sum"))
        value, gradient = self.value_and_grad(*args, reduction=reduction)
        for parameter, grad in zip(self._parameters, gradient.tolist(), strict=True):
            parameter.grad += grad
        return cast("float", value)

    def _derived(self, kind: str, args: tuple[Any, ...]) -> tuple[Trace, list[float], list[int]]:
        self._expect_bound(args)
        flat: list[float] = []
        trace = self._trace(tuple([_flatten(arg, flat) for arg in args]))
        if kind == "hessian":
            self._one_output(trace, kind)
        kernel, used = self._program(trace, kind)
        held = self._held(trace)
        results = kernel.one(flat, held)
        if any(result - result != 0 for result in results):
            results = self._checked(trace, kind, flat, held, results)
        return trace, results, used

    def jacobian(self, *args: Any) -> Any:
        """Return the derivatives of every output in every input, for one sample.

        Returns
        -------
        ndarray of shape (inputs,), or (outputs, inputs) where the function returns a sequence
            Inputs are flattened, in order.
        """
        trace, results, used = self._derived("jacobian", args)
        outputs, inputs = len(trace.tape.outputs), sum(trace.sizes)
        flat = spread(numpy().array(results[outputs:]), used, outputs * inputs)
        return flat.reshape(outputs, inputs) if trace.sequence else flat

    def hessian(self, *args: Any) -> Any:
        """Return the second derivatives of the output in the inputs, for one sample.

        Returns
        -------
        ndarray of shape (inputs, inputs)
            Inputs are flattened, in order.
        """
        trace, results, used = self._derived("hessian", args)
        inputs = sum(trace.sizes)
        return spread(numpy().array(results[1:]), used, inputs * inputs).reshape(inputs, inputs)

    def _one_output(self, trace: Trace, method: str) -> None:
        if trace.sequence:
            raise ArgumentError(
                f"{method} needs a function of one output, and {self._name} returns a sequence of "
                f"{len(trace.tape.outputs)}: return one Value, or use jacobian"
            )

    # ---- results that are not finite ---------------------------------------------------------

    def _check_rows(
        self,
        trace: Trace,
        kind: str,
        columns: list[Any],
        held: Any,
        parts: Iterable[tuple[int, Any]],
    ) -> bool:
        """Replay the samples with results that are not finite, and put in what they give then.

        A part of the batch is the number of its first sample, and the results of its samples.
        Return whether there was something to complain of.
        """
        np = numpy()
        if self.check == "ignore":
            return False
        columns = [rows_of(column) for column in columns]
        first: tuple[str, Exception] | None = None
        wrong = 0
        for start, rows in parts:
            finite = np.isfinite(rows)
            if finite.all():
                continue
            for i in np.flatnonzero(~finite.all(axis=1)):
                flat = [float(x) for column in columns for x in column[start + i]]
                try:
                    rows[i] = replayed(trace, kind, flat, list(held), self._name)
                except (ArithmeticError, ValueError) as error:
                    wrong += 1
                    first = first or (f"sample {start + i}: {error}", error)
                    if self.check == "raise":
                        self._complain(*first)
        if first is not None:
            more = f" (and {wrong - 1} more)" if wrong > 1 else ""
            self._complain(first[0] + more, first[1])
        return first is not None

    def _checked(
        self, trace: Trace, kind: str, flat: list[float], held: Any, results: list[float]
    ) -> list[float]:
        """Replay a sample eagerly: its results if they are finite after all, else the error."""
        if self.check == "ignore":
            return results
        try:
            return replayed(trace, kind, flat, list(held), self._name)
        except (ArithmeticError, ValueError) as error:
            self._complain(str(error), error)
        return results

    def _complain(self, text: str, error: Exception) -> None:
        if self.check == "raise":
            raise (type(error) if isinstance(error, MicrogradError) else NonFiniteError)(
                text
            ) from error
        warnings.warn(text, RuntimeWarning, stacklevel=user_frame()[1])

    # ---- what it is made of ------------------------------------------------------------------

    @property
    def parameters(self) -> list[Value]:
        """The live parameters, in the model's order where the function uses a model."""
        if not self._traces and self._fn is not None and self._given is None:
            for model in models_of(self._fn):
                return list(model.parameters())
        return list(self._parameters)

    def _main_kind(self, trace: Trace) -> str:
        if trace.sequence:
            return "value"
        return "parameters" if trace.parameters else "inputs"

    @property
    def source(self) -> str:
        """The program of the latest shape as Python: forward, then the gradient.

        It is in `linecache` from then on, also where machine code runs in its place. With the
        Python backend a debugger steps through it.

        Examples
        --------
        >>> import micrograd
        >>> square = micrograd.compile(lambda x: x * x, backend="python")
        >>> square(3.0)
        9.0
        >>> print(square.source)  # doctest: +ELLIPSIS
        def function(inputs, parameters):
        ...
        """
        trace = self.latest()
        if trace.shown is None:
            kind = self._main_kind(trace)
            program = trace.programs.get(kind)
            if program is not None and isinstance(program[2], PythonKernel):
                trace.shown = program[2]
            else:
                tape, _ = trace.derived(kind)
                trace.shown = PythonKernel(tape, self._name, self._described(trace))
        return trace.shown.source

    @property
    def ir(self) -> str:
        """The program of the latest shape as LLVM's intermediate representation."""
        trace = self.latest()
        if not llvm.is_available():
            raise ImportError(f"machine code needs llvmlite: {_INSTALL}")
        tape, _ = trace.derived(self._main_kind(trace))
        sums = not trace.sequence
        return llvm.program(tape, sum(trace.sizes), self._contract, self.quick, sums).ir

    def to_c(self, name: str | None = None) -> str:
        """Return the program of the latest shape as one self-contained C99 function.

        Parameters
        ----------
        name : str, optional
            Of the C function; the function's own name where not given, with a line below where
            that means something else in C.

        Raises
        ------
        ValueError
            If the name given cannot be that of a C function.
        """
        from micrograd.replay.c import c_name, c_source

        trace = self.latest()
        if name is None:
            name = c_name(self._name)
        elif not (isinstance(name, str) and name.isidentifier() and c_name(name) == name):
            raise ArgumentError(f"expected a name for a C function, got {name!r}")
        tape, used = trace.derived(self._main_kind(trace))
        width = len(trace.parameters) if trace.parameters else sum(trace.sizes)
        return c_source(tape, name, used, 0 if trace.sequence else width)

    @property
    def stats(self) -> Stats:
        """Sizes and compile time so far."""
        programs = [p for trace in self._traces.values() for p in trace.programs.values()]
        return Stats(
            nodes=sum(len(trace.tape) for trace in self._traces.values()),
            instructions=sum(tape.instructions() for tape, _, _ in programs),
            bytes=sum(kernel.bytes for _, _, kernel in programs),
            seconds=self._seconds,
            programs=len(programs),
        )

    def clear(self) -> None:
        """Forget every trace and program; the next call traces again."""
        forget_rules()
        with self._lock:
            self._traces = {}  # calls of other threads end with what they had
            self._latest = self._batches = self._singles = None
            self._parameters = list(self._given or ())
            self._seconds = 0.0

    # ---- copies ------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        try:
            pickle.dumps(self._fn)
        except Exception:
            # Lambdas and closures stay behind, also in a copy: a closure would go on reading the
            # original's parameters. What was traced travels. A decorated function is found again
            # by its name.
            state["_fn"] = None
            with contextlib.suppress(AttributeError, ImportError):
                fn: Any = self._fn
                name = _Name(fn.__module__, fn.__qualname__)
                state["_fn"] = name if _decorated(*name) is fn else None
        if inspect.isfunction(self._fn) and self._parameters:
            state["_fn"] = None
        state.pop("__wrapped__", None)
        del state["_lock"]
        state["_batches"] = state["_singles"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What version 1.0.0 pickled lacks the first two.
        self.__dict__.update({"_method": None, "_key": f"{state['_name']} compiled", **state})
        self._lock = threading.RLock()
        if self.backend == "llvm" and not llvm.is_available():
            _warn_without_llvm()
            self.backend = "python"


class _Name(NamedTuple):
    """Where a function stands in its module as a compiled one: what a pickle holds of it."""

    module: str
    name: str

    def __reduce__(self) -> Any:
        return _decorated, tuple(self)


def _decorated(module: str, name: str) -> Any:
    return attrgetter(name)(importlib.import_module(module))._fn


for _method in ("map", "value_and_grad", "backward", "jacobian", "hessian"):
    WATCHED[getattr(Compiled, _method).__code__] = (
        f"call {_method} of a compiled function",
        "call the compiled function itself, and micrograd.gradient(..., create_graph=True)",
    )


def _expect(name: str, got: object, allowed: Sequence[str]) -> None:
    if got not in allowed:
        choices = ", ".join(map(repr, allowed))
        raise ArgumentError(f"expected {name} to be one of {choices}, got {got!r}")


def _parts(rows: Any) -> Iterator[tuple[int, Any]]:
    size = max(1, _NUMBERS // rows.shape[1])
    return ((start, rows[start : start + size]) for start in range(0, len(rows), size))


def _values(given: Any) -> list[Value]:
    wrong = given
    with contextlib.suppress(TypeError):
        values = list(given)
        if set(map(type, values)) == {Value}:  # as most are: no loop in Python
            return values
        strangers = [value for value in values if not isinstance(value, Value)]
        if not strangers:
            return values
        wrong = strangers[0]
    raise ArgumentTypeError(
        f"expected parameters to be a sequence of Values, got {wrong!r} ({type(wrong).__name__})"
    )


def _column(arg: Any) -> Any:
    """Return an argument of a batch as an array of floats."""
    np = numpy()
    if np.ma.is_masked(arg):
        raise NumberTypeError(
            f"expected an array of numbers, got one with {np.ma.count_masked(arg)} masked: leave "
            "those samples out, or fill them with numbers"
        )
    try:
        column = np.asarray(arg)
        kind = column.dtype.kind
        if kind == "O":
            for entry in column.flat:
                if not is_number_like(entry):
                    raise TypeError(f"there is {entry!r} ({type(entry).__name__}) in it")
            column = np.reshape([plain(entry) for entry in column.flat], column.shape)
        elif kind not in "biuf":
            raise TypeError(f"its entries are of type {column.dtype}")
        return column.astype(float, copy=False)
    except OverflowError as error:
        raise OverflowRangeError(f"expected numbers within the range of a float: {error}") from None
    except TraceError:
        raise
    except (TypeError, ValueError) as error:
        raise NumberTypeError(f"expected an array of numbers: {error}") from error


def _flatten(arg: Any, flat: list[float]) -> tuple[int, ...]:
    """Append the numbers of one argument; return its shape."""
    if type(arg) is float:
        flat.append(arg)
        return ()
    if is_number_like(arg):
        try:
            flat.append(float(arg.data if isinstance(arg, Value) else ops.number(arg)))
        except OverflowError as error:
            raise OverflowRangeError(
                f"expected inputs within the range of a float: {error}"
            ) from None
        return ()
    if hasattr(arg, "ndim"):
        array = arg if hasattr(arg, "tolist") else numpy().asarray(arg)  # as a DataFrame has none
        return _flatten(array.tolist(), flat)
    if not isinstance(arg, Sequence) or isinstance(arg, (str, bytes)):
        raise NumberTypeError(
            f"expected a number or a sequence of numbers, got {arg!r} ({type(arg).__name__})"
        )
    inner: tuple[int, ...] | None = None
    for item in arg:
        shape = _flatten(item, flat)
        if inner not in (None, shape):
            raise InputCountError(f"expected rows of one length, got {inner} and {shape}")
        inner = shape
    return (len(arg), *(inner or ()))


def compile(  # noqa: A001
    fn: Callable[..., Any] | None = None,
    backend: str = "auto",
    *,
    parameters: Iterable[Value] | None = None,
    threads: int = 1,
    check: str = "raise",
    contract: bool = True,
) -> Any:
    """Compile a function of Values: the same numbers, at the speed of hand-written C.

    The function is traced once per shape of its inputs. Leaf Values that it reaches are live
    parameters: their present data is used at every call. A leaf that the function itself makes is
    a constant. Results are floats; numbers are calculated as 64-bit floats. What the function does
    otherwise later on, with a parameter added or another Value put in the place of one, is seen
    after `clear()`. What changes from call to call is refused: a branch, the `data` or `grad` of a
    Value, a random number, a clock, a counter (it is run twice where it has any), a thread of
    its own (one that runs already, as of a pool, is not seen). A decorated method is compiled for
    each object on its own, and a compiled function called in another one becomes a part of it.

    Parameters
    ----------
    fn : callable
        Takes numbers and sequences of numbers, returns a Value or a sequence of Values. Left out,
        a decorator is returned.
    backend : {"auto", "llvm", "python"}, default "auto"
        "python" needs nothing and gives the bits of the engine; "llvm" makes machine code, and
        is what "auto" takes where llvmlite is installed.
    parameters : iterable of Value, optional
        The live parameters, in the order wanted. By default those of the models that the function
        uses, then other leaves as they were met.
    threads : int, default 1
        How many threads a batch is split over (llvm only).
    check : {"raise", "warn", "ignore"}, default "raise"
        What becomes of a result that is not finite: an error, a warning, or the infinity or nan
        that machines compute. A number on the way may be what it likes: 1 / exp(1000.0) is 0.
        Only while the function is traced is what it computes of parameters alone an error where
        the engine raises one.
    contract : bool, default True
        Let a product and the sum it goes into be rounded once instead of twice (llvm only).

    Returns
    -------
    Compiled

    Raises
    ------
    ImportError
        If the llvm backend is asked for and llvmlite is not installed.

    Examples
    --------
    >>> import micrograd
    >>> w = micrograd.Value(2.0, label="w")
    >>> @micrograd.compile(backend="python")
    ... def loss(x, y):
    ...     return (w * x - y) ** 2
    >>> loss(3.0, 5.0)
    1.0
    >>> value, gradient = loss.value_and_grad([3.0, 1.0], [5.0, 0.0])
    >>> value, gradient.tolist()
    (2.5, [5.0])
    >>> w.data = 1.0
    >>> loss(3.0, 5.0)
    4.0
    """
    if fn is None:
        return functools.partial(
            Compiled,
            backend=backend,
            parameters=parameters,
            threads=threads,
            check=check,
            contract=contract,
        )
    return Compiled(
        fn, backend, parameters=parameters, threads=threads, check=check, contract=contract
    )
