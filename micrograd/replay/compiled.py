"""The compiled function: traced once for each shape of its inputs, replayed at every call."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import math
import pickle
import sys
import threading
import warnings
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, cast

from micrograd.checks import install, missing, one_of, whole_number
from micrograd.engine import Value
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    NonFiniteError,
    NumberTypeError,
    OverflowRangeError,
)
from micrograd.replay.arguments import as_column, flatten, given_values, part_size, parts
from micrograd.replay.binding import Bound, method_of
from micrograd.replay.export import Exports
from micrograd.replay.fitting import Fits
from micrograd.replay.kernels import LlvmKernel, added, double, numpy, spread
from micrograd.replay.llvm import emitter as llvm
from micrograd.replay.llvm.direct import Direct, is_possible
from micrograd.replay.nonfinite import Checks
from micrograd.replay.trace import tracing
from micrograd.replay.trace.traced import Trace
from micrograd.replay.trace.watch import WATCHED, user_frame

__all__ = ["Compiled"]

_BACKENDS = ("auto", "python", "llvm")
_CHECKS = ("raise", "warn", "ignore")
_REDUCTIONS = ("mean", "sum", "none")
_data = attrgetter("data")
_method_of = method_of  # the name that pickles of version 1.0.0 hold


@functools.cache
def _warn_without_llvm() -> None:
    if sys.platform == "emscripten":  # nobody can change it in a web page
        return
    warnings.warn(
        f"llvmlite is not installed, so compiled functions run as Python: {install('replay')}",
        RuntimeWarning,
        stacklevel=user_frame()[1],
    )


class Compiled(Bound, Exports, Fits, Checks):
    """A function of Values, compiled: what `micrograd.compile` returns.

    Call it with the numbers of one sample, or call `map`, `value_and_grad`, `backward` and `fit`
    with arrays whose first axis is the samples. Each new shape of inputs is traced once.

    Attributes
    ----------
    backend : {"python", "llvm"}
    threads : int
        How many threads share a batch. The results do not depend on it.
    check : {"raise", "warn", "ignore"}
        What happens with a result that is not finite.
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
        one_of("backend", backend, _BACKENDS)
        one_of("check", check, _CHECKS)
        threads = whole_number("threads", threads, 1)
        if backend == "auto":
            backend = "llvm" if llvm.is_available() else "python"
            if backend == "python":
                _warn_without_llvm()
        elif backend == "llvm" and not llvm.is_available():
            raise missing("replay", "the llvm backend needs llvmlite")
        self.backend, self.threads, self.check = backend, threads, check
        self._contract = contract
        self._fn = fn
        self._name = getattr(fn, "__name__", type(fn).__name__)
        if not self._name.isidentifier():
            self._name = "function"
        self.__doc__ = getattr(fn, "__doc__", None)
        self.__name__ = self._name
        self.__wrapped__ = fn
        self._given = None if parameters is None else given_values(parameters)
        self._parameters = list(self._given or ())
        self._traces = {}
        self._lock = threading.RLock()
        self._latest = None
        self._seconds = 0.0
        self._batches = None
        self._singles = None
        self._attribute = self._name
        self._key = f"{getattr(fn, '__qualname__', self._name)} compiled"
        self._method = None

    def _made_for(self, instance: Any) -> Compiled:
        assert self._fn is not None
        made = Compiled(
            functools.partial(self._fn, instance),
            self.backend,
            parameters=self._given,
            threads=self.threads,
            check=self.check,
            contract=self._contract,
        )
        made._name = made.__name__ = self._name
        made.__doc__ = self.__doc__
        return made

    def __repr__(self) -> str:
        shapes = ", ".join(str(shapes) for shapes in self._traces) or "nothing yet"
        return f"<compiled {self._name}, {self.backend}, traced for {shapes}>"

    def machine(
        self, *args: Any, ahead: float = math.inf
    ) -> tuple[llvm.Machine, list[Value], list[int]] | None:
        """Return the machine code for arguments like these, for a loop that calls it itself.

        Parameters
        ----------
        *args : array-like
        ahead : int or inf
            How many samples the loop will compute, if that is known: few are not worth compiling.

        Returns
        -------
        (Machine, list of Value, list of int) or None
            The program of outputs and gradient, the parameters that it reads, in their order, and
            of which of these its derivatives are. None with the Python backend.
        """
        trace, _, _ = self._batch(args)
        kernel, used = self._program(trace, "parameters", "sums", ahead=ahead)
        if not isinstance(kernel, LlvmKernel):
            return None
        return kernel.machine("sums"), trace.parameters, used

    def machine_of_one(self) -> llvm.Machine | None:
        """Return the machine code of the same program for single samples, if it has its own."""
        trace = self.latest()
        kernel, _ = self._program(trace, "parameters", "sums", 1, ahead=math.inf)
        return cast("llvm.Machine", kernel.machine("one")) if kernel.is_large else None

    # ---- calling -----------------------------------------------------------------------------

    def _held(self, trace: Trace, given: Any = None) -> Any:
        """Return the parameters' current numbers, or the given ones, in the trace's order."""
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
        return np.ascontiguousarray(numbers[trace.places()])

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
                if direct.is_interpreted and direct.notes(1):  # compile it next time
                    self._singles = None
                return value
        if args and self._definer(type(args[0])):  # A.method(a, ...), or a property
            return self.__get__(args[0])(*args[1:])
        flat: list[float] = []
        trace = self._trace(tuple([flatten(arg, flat) for arg in args]))
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
        """Return a program that CPython calls directly, from the second call of a shape on."""
        if not isinstance(kernel, LlvmKernel):
            return None
        if used is None:
            machines: tuple[Any, Any] = kernel.lasting("one"), None
        else:
            machines = kernel.lasting("sums"), kernel.lasting(kernel.use("sums", 1))
        if present is not None and present.trace is trace and present.machines == machines:
            return present
        if machines == (None, None):
            return None
        if not trace.again:
            trace.again = True
            return None
        if trace.sequence or not is_possible(trace):
            return None
        if used is None:
            possible = all(len(shape) <= 1 for shape in trace.shapes)
        else:
            possible = bool(trace.shapes)
        return Direct(machines[0], trace, used, machines[1], self.threads) if possible else None

    def _batch(self, args: Sequence[Any]) -> tuple[Trace, list[Any], int]:
        np, floats = numpy(), double()
        columns: list[Any] = []
        shapes: list[tuple[int, ...]] = []
        n = -1
        for arg in args:
            column = arg
            if type(arg) is not np.ndarray or arg.dtype is not floats:
                self._expect_bound(args)
                column = as_column(arg)
            if column.ndim == 0:
                raise NumberTypeError(
                    "expected arrays with a leading sample axis, got a number: for one sample, "
                    "call the function itself"
                )
            if n not in (-1, column.shape[0]):
                raise InputCountError(
                    "expected the same number of samples in every argument, got "
                    f"{n} and {column.shape[0]}"
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
            One array for each argument of the function.

        Returns
        -------
        ndarray of shape (n,) or (n, outputs)
        """
        np = numpy()
        trace, columns, n = self._batch(args)
        kernel, _ = self._program(trace, "value", "each")
        held = self._held(trace)
        out = np.empty((n, kernel.results))
        self._each(kernel, columns, held, n, out)
        self._check_rows(trace, "value", columns, held, parts(out))
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
            The gradient has the order of `parameters`, or of the inputs, flattened.
        parameters : array-like of shape (parameters,), optional
            Used instead of the parameters' current data.
        has_aux : bool, default False
            Whether the function returns a sequence of which the first result is differentiated; the
            others are reduced in the same way.

        Returns
        -------
        value : float, or ndarray of shape (n,) for "none"
            With `has_aux` it has a value for each result: shape (outputs,) or (n, outputs).
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
            gradient = direct.empty(direct.width + direct.lead)
            value = direct.run(gradient, parameters, *args)
            if direct.lead:
                gradient = gradient[direct.lead :]
            if value is not None:
                self._latest = direct.trace
                if direct.is_interpreted and direct.notes(len(args[0])):  # compile it next time
                    self._batches = None
                return value, gradient
        np = numpy()
        one_of("reduction", reduction, _REDUCTIONS)
        one_of("wrt", wrt, ("parameters", "inputs"))
        trace, columns, n = self._batch(args)
        if not has_aux:
            self._one_output(trace, "value_and_grad")
        outputs = len(trace.tape.outputs)
        kernel, used = self._program(trace, wrt, "each" if reduction == "none" else "sums", n)
        if plain:
            with self._lock:  # for all parameters that there are
                self._batches = self._direct(direct, trace, kernel, used)
        held = self._held(trace, parameters)
        if wrt == "parameters":
            width = len(trace.everyone)
            if len(trace.parameters) != width:
                places = trace.places()
                used = [places[i] for i in used]
        else:
            width = sum(trace.sizes)
        if reduction == "none":
            rows = np.empty((n, kernel.results))
            self._each(kernel, columns, held, n, rows)
            self._check_rows(trace, wrt, columns, held, parts(rows))
            values = rows[:, :outputs].copy()
            return values if has_aux else values[:, 0], spread(rows[:, outputs:], used, width)
        if reduction == "mean" and n == 0:
            raise ArgumentError("expected at least one sample to take the mean of, got none")
        if n == 0:
            return np.zeros(outputs) if has_aux else 0.0, np.zeros(width)
        sums, finite = kernel.total(columns, held, n, self.threads)
        if not finite and self.check != "ignore":
            sums, infinite = np.full(kernel.results, -0.0), np.zeros(kernel.results, bool)
            single, _ = self._program(trace, wrt, "each")

            def looked_at() -> Iterator[tuple[int, Any]]:
                size = part_size(kernel.results)
                for start in range(0, n, size):
                    some = [column[start : start + size] for column in columns]
                    rows = np.empty((min(size, n - start), kernel.results))
                    self._each(single, some, held, len(rows), rows)
                    yield start, rows
                    infinite[:] |= np.isinf(rows).any(axis=0)
                    with np.errstate(all="ignore"):
                        sums[:] += added(rows)

            if not self._check_rows(trace, wrt, columns, held, looked_at()):
                wrong = sums[np.isnan(sums) | (np.isinf(sums) & ~infinite)]
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
        one_of("reduction", reduction, ("mean", "sum"))
        value, gradient = self.value_and_grad(*args, reduction=reduction)
        for parameter, grad in zip(self._parameters, gradient.tolist(), strict=True):
            parameter.grad += grad
        return cast("float", value)

    def _derived(self, kind: str, args: tuple[Any, ...]) -> tuple[Trace, list[float], list[int]]:
        self._expect_bound(args)
        flat: list[float] = []
        trace = self._trace(tuple([flatten(arg, flat) for arg in args]))
        if kind == "hessian":
            self._one_output(trace, kind)
        kernel, used = self._program(trace, kind)
        held = self._held(trace)
        results = kernel.one(flat, held)
        if any(result - result != 0 for result in results):
            results = self._checked(trace, kind, flat, held, results)
        return trace, results, used

    def jacobian(self, *args: Any) -> Any:
        """Return the derivatives of every output with respect to every input, for one sample.

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
        """Return the second derivatives of the output with respect to the inputs, for one sample.

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

    # ---- copies ------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        try:
            pickle.dumps(self._fn)
        except Exception:
            # Lambdas and closures are not copied either: a closure would go on reading the
            # original's parameters. The traces are. A decorated function is found by its name.
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
    """The name of a decorated function, which a pickle holds in its place."""

    module: str
    name: str

    def __reduce__(self) -> Any:
        return _decorated, tuple(self)


def _decorated(module: str, name: str) -> Any:
    return attrgetter(name)(importlib.import_module(module))._fn


for _method in ("map", "value_and_grad", "backward", "fit", "jacobian", "hessian"):
    WATCHED[getattr(Compiled, _method).__code__] = (
        f"call {_method} of a compiled function",
        "call the compiled function itself, and micrograd.gradient(..., create_graph=True)",
    )
