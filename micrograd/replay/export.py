"""What a compiled function is made of: its source in Python, LLVM, C and JavaScript, its size."""

from __future__ import annotations

from typing import NamedTuple

from micrograd.checks import missing
from micrograd.errors import ArgumentError
from micrograd.replay.c import c_name, c_source
from micrograd.replay.js import is_js_name, js_name, js_source
from micrograd.replay.kernels import PythonKernel
from micrograd.replay.llvm import emitter as llvm
from micrograd.replay.programs import Programs
from micrograd.replay.trace.tape import Tape
from micrograd.replay.trace.traced import Trace

__all__ = ["Exports", "Stats"]


class Stats(NamedTuple):
    """The size of a compiled function, over all shapes and programs so far.

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


class Exports(Programs):
    """The program of the latest shape, in Python, LLVM's language and C."""

    def _main_kind(self, trace: Trace) -> str:
        if trace.sequence:
            return "value"
        return "parameters" if trace.parameters else "inputs"

    @property
    def source(self) -> str:
        """The program of the latest shape as Python: forward, then the gradient.

        It is then in `linecache`, even if machine code runs instead of it. With the Python backend
        a debugger steps through it.

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
            raise missing("replay", "machine code needs llvmlite")
        tape, _ = trace.derived(self._main_kind(trace))
        sums = not trace.sequence
        return llvm.Source(tape, sum(trace.sizes), self._contract).program(sums).ir

    def to_c(self, name: str | None = None) -> str:
        """Return the program of the latest shape as one self-contained C99 function.

        Parameters
        ----------
        name : str, optional
            The name of the C function. By default the function's own, with an underscore after it
            if C uses that name.

        Raises
        ------
        ValueError
            If C does not allow the name.
        """
        trace = self.latest()
        if name is None:
            name = c_name(self._name)
        elif not (isinstance(name, str) and name.isidentifier() and c_name(name) == name):
            raise ArgumentError(f"expected a name for a C function, got {name!r}")
        return c_source(*self._program_of(trace, name))

    def to_js(self, name: str | None = None) -> str:
        """Return the program of the latest shape as a JavaScript function.

        It takes the inputs and the parameters as two arrays, and returns `{value, gradient}`, as
        `to_c` does. Sums and products are rounded as in the engine; functions differ from it by a
        few ulp at most.

        Parameters
        ----------
        name : str, optional
            The name of the JavaScript function. By default the function's own, with an underscore
            after it if JavaScript uses that name.

        Raises
        ------
        ArgumentError
            If JavaScript does not allow the name. Also a ValueError.

        Examples
        --------
        >>> import micrograd
        >>> square = micrograd.compile(lambda x: x * x, backend="python")
        >>> square(3.0)
        9.0
        >>> print(square.to_js("square"))
        /* square: one sample. x: inputs; p: parameters. It returns
           {value, gradient}: 1 result(s) and 1 derivative(s). */
        function square(x, p) {
            const value = [], gradient = [];
            const t1 = x[0] * x[0];
            const t2 = x[0] + x[0];
            value[0] = t1;
            gradient[0] = t2 + 0.0;
            return {value, gradient};
        }
        <BLANKLINE>
        """
        trace = self.latest()
        if name is None:
            name = js_name(self._name)
        elif not is_js_name(name):
            raise ArgumentError(f"expected a name for a JavaScript function, got {name!r}")
        return js_source(*self._program_of(trace, name))

    def _program_of(self, trace: Trace, name: str) -> tuple[Tape, str, list[int], int]:
        """Return what an export writes: the tape, its name, and the elements of the gradient."""
        tape, used = trace.derived(self._main_kind(trace))
        width = len(trace.parameters) if trace.parameters else sum(trace.sizes)
        return tape, name, used, 0 if trace.sequence else width

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
