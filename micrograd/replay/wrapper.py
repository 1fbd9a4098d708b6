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
