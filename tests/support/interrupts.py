"""Interrupt a call at each of its lines, and see what it leaves behind."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import micrograd

T = TypeVar("T")

_PACKAGE = str(Path(micrograd.__file__).parent)


def interrupted(
    fresh: Callable[[], T],
    call: Callable[[T], object],
    functions: Collection[str],
    folder: str = _PACKAGE,
) -> Iterator[tuple[T, str]]:
    """Yield, for each line that the named functions run, what a KeyboardInterrupt there leaves.

    Parameters
    ----------
    fresh : callable
        Makes what the call works on, the same each time.
    call : callable
        Given that, does what is to be interrupted.
    functions : collection of str
        Their plain names, methods included; with their comprehensions and lambdas.
    folder : str, optional
        Where the functions are from: the package.

    Yields
    ------
    thing, str
        What `fresh` made, after the interrupt, and the line that did not run any more. The last
        time, with an empty text, after a call that nothing interrupted.
    """
    lines, where = 0, "."
    while where:
        lines, where = lines + 1, ""
        left = lines

        def is_meant(frame: FrameType | None) -> bool:
            if frame is None or not frame.f_code.co_filename.startswith(folder):
                return False
            name = frame.f_code.co_name
            return name in functions or (name.startswith("<") and is_meant(frame.f_back))

        def at_line(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left, where
            if event == "line":
                left -= 1
                if not left:
                    name, number = frame.f_code.co_filename, frame.f_lineno
                    where = f"{name}:{number}: {linecache.getline(name, number).strip()}"
                    raise KeyboardInterrupt  # which also ends the tracing
            return at_line

        thing, tracer = fresh(), sys.gettrace()
        sys.settrace(lambda frame, *_: at_line if is_meant(frame) else None)
        try:
            call(thing)
        except KeyboardInterrupt:
            assert where, "an interrupt that was not sent from here"
        finally:
            sys.settrace(tracer)
        yield thing, where
    assert lines > 1, f"none of {sorted(functions)} ran a line"


def at_every_line(
    fresh: Callable[[], T],
    call: Callable[[T], object],
    state: Callable[[T], object],
    functions: Collection[str],
    folder: str = _PACKAGE,
) -> int:
    """Assert that a call which is interrupted leaves all as it was, or as it is afterwards.

    Parameters
    ----------
    fresh, call, functions, folder
        As of `interrupted`.
    state : callable
        Given what `fresh` made, what must be old or new: a copy, that can be compared.

    Returns
    -------
    int
        How many lines were interrupted.

    Examples
    --------
    >>> from micrograd import Value, optim
    >>> at_every_line(
    ...     lambda: optim.SGD([Value(1.0)], lr=0.5),
    ...     lambda optimizer: optimizer.load_state_dict(optim.SGD([Value(2.0)], 0.1).state_dict()),
    ...     lambda optimizer: optimizer.state_dict(),
    ...     {"load_state_dict"},
    ... ) > 5
    True
    """
    thing = fresh()
    old = state(thing)
    call(thing)
    new = state(thing)
    assert old != new, "the call changes nothing that `state` shows"
    lines = -1
    for thing, where in interrupted(fresh, call, functions, folder):
        lines += 1
        left = state(thing)
        assert left == new or (where and left == old), (
            f"after an interrupt at {where or '(none)'}\n{left}\nis neither the old state\n{old}\n"
            f"nor the new one\n{new}"
        )
    return lines
