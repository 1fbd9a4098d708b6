"""`micrograd.compile`: the function, and the decorator, that make a compiled function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from micrograd.engine import Value
from micrograd.replay.compiled import Compiled

__all__ = ["compile"]


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

    The function is traced once for each shape of its inputs. Leaf Values that it reaches are live
    parameters: each call uses their current data. A leaf that the function itself makes is a
    constant. Results are floats, and all numbers are computed as 64-bit floats. If the function
    changes later (a parameter is added, or a Value replaced by another), call `clear()` to trace it
    again.

    Code that could give something else at the next call is refused with its line: a branch on a
    Value, reading the `data` or `grad` of a Value, random numbers, clocks, counters, and threads
    that the function starts (not those that run already, as in a pool). A function that uses
    something that may change is run twice to find out.

    A decorated method is compiled for each object separately. A compiled function that is called in
    another one becomes a part of it.

    Parameters
    ----------
    fn : callable
        Takes numbers and sequences of numbers, and returns a Value or a sequence of Values. Without
        it, `compile` returns a decorator.
    backend : {"auto", "llvm", "python"}, default "auto"
        "python" needs no other package and gives the same bits as the engine; "llvm" makes machine
        code; "auto" is "llvm" if llvmlite is installed, else "python".
    parameters : iterable of Value, optional
        The live parameters, in the order of the gradient. By default those of the models that the
        function uses, then the other leaves in the order in which it reaches them.
    threads : int, default 1
        How many threads share a batch (llvm only).
    check : {"raise", "warn", "ignore"}, default "raise"
        What happens with a result that is not finite: an error, a warning, or nothing, so that the
        infinity or nan is returned. Intermediate numbers may be infinite: 1 / exp(1000.0) is 0. So
        may a result, if an input, a parameter or a constant that it is computed from is. But while
        the function is traced, what it computes from parameters alone raises the errors of the
        engine.
    contract : bool, default True
        Whether a product and the sum that it goes into may be rounded once instead of twice (llvm
        only).

    Returns
    -------
    Compiled

    Raises
    ------
    ImportError
        If the llvm backend is asked for and llvmlite is not installed.

    Notes
    -----
    With LLVM, a program is interpreted first, so that its first call takes hardly longer than its
    trace, and compiled at the call before which the interpreter has taken as long as compiling is
    going to take. The bits are the same.

    Machine code is kept in the user's cache folder (at most 256 MiB), so that the same program is
    compiled once and not in every process. The environment variable `MICROGRAD_CACHE` names another
    folder; `MICROGRAD_CACHE=off` keeps nothing.

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
