"""The traces of a function, one for each shape of its inputs, and the programs made of them."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from micrograd.engine import Value
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, shown_briefly
from micrograd.replay.kernels import LlvmKernel, PythonKernel
from micrograd.replay.llvm.direct import Direct
from micrograd.replay.llvm.processor import has_loops
from micrograd.replay.llvm.rows import forget_rules
from micrograd.replay.trace import Recorder
from micrograd.replay.trace.reach import models_of
from micrograd.replay.trace.tape import PARAMETER
from micrograd.replay.trace.traced import Trace
from micrograd.values.collecting import uncollected

__all__ = ["Programs"]


class Programs:
    """The traces and programs of one function."""

    backend: str
    _fn: Callable[..., Any] | None
    _name: str
    _contract: bool
    _given: list[Value] | None
    _parameters: list[Value]
    _traces: dict[tuple[Any, ...], Trace]
    _lock: threading.RLock
    _latest: Trace | None
    _seconds: float
    _batches: Direct | None
    _singles: Direct | None

    if TYPE_CHECKING:

        def _batch(self, args: Any) -> tuple[Trace, list[Any], int]:
            """Return trace, columns and number of samples of a call with arrays."""

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

    def traced(self, *args: Any) -> Trace:
        """Return the trace for arrays like these; no program is made."""
        return self._batch(args)[0]

    def take(self, trace: Trace) -> None:
        """Use a trace of the same function that was made elsewhere."""
        if not isinstance(trace, Trace):
            raise ArgumentTypeError(f"expected the trace of a function, got {shown_briefly(trace)}")
        self._traces[trace.shapes] = self._latest = trace
        self._parameters = trace.everyone
        self._batches = self._singles = None

    def latest(self) -> Trace:
        """Return the trace of the latest call.

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
        """Refuse leaves that are not among the parameters that the user gave, if any."""
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

    def _program(
        self, trace: Trace, kind: str, use: str = "one", samples: int = 0, ahead: float = 0
    ) -> tuple[Any, list[int]]:
        """Return the kernel of a program, and which of its derivatives are not always zero.

        The kernel has code for a use, of the sums over so many samples, that may be replaced by
        faster code at a later call; it is at once where that pays for all the samples `ahead`.
        """
        found = trace.programs.get(kind)
        if found is None or not found[2].has(found[2].use(use, samples), ahead):
            started = time.perf_counter()
            with uncollected():
                if found is None:
                    loops = self.backend == "llvm" and has_loops(self._contract)
                    tape, used = trace.derived(kind, loops)
                    if self.backend == "python":
                        kernel: Any = PythonKernel(tape, self._name, self._described(trace))
                    else:
                        kernel = LlvmKernel(tape, trace.sizes, self._contract)
                    found = (tape, used, kernel)
                found[2].make(found[2].use(use, samples), ahead)
            trace.programs[kind] = found
            self._seconds += time.perf_counter() - started
        return found[2], found[1]

    def _described(self, trace: Trace) -> str:
        return ", ".join(
            "number" if shape == () else "x".join(map(str, shape)) for shape in trace.shapes
        )

    @property
    def parameters(self) -> list[Value]:
        """The live parameters, in the model's order where the function uses a model."""
        if not self._traces and self._fn is not None and self._given is None:
            for model in models_of(self._fn):
                return list(model.parameters())
        return list(self._parameters)

    def clear(self) -> None:
        """Forget every trace and program; the next call traces again."""
        forget_rules()
        with self._lock:
            self._traces = {}  # calls of other threads end with what they had
            self._latest = self._batches = self._singles = None
            self._parameters = list(self._given or ())
            self._seconds = 0.0
