"""The collector is held back where it is of no use, and then as it was, whatever happens."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from interrupts import interrupted

from micrograd.nn import MLP
from micrograd.train import fit
from micrograd.values.collecting import uncollected


@pytest.fixture(params=[True, False], ids=["on", "off"])
def was_on(request: Any) -> Iterator[bool]:
    if not request.param:
        gc.disable()
    yield request.param
    gc.enable()


def test_it_is_held_back_and_put_back_as_it_was(was_on: bool) -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled() is was_on


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_error_puts_it_back(was_on: bool, error: type[BaseException]) -> None:
    with pytest.raises(error), uncollected(), uncollected():
        raise error
    assert gc.isenabled() is was_on


def test_an_interrupt_at_any_line_puts_it_back(was_on: bool) -> None:
    def held(_: object) -> None:
        with uncollected():
            pass

    functions, lines = {"uncollected", "_hold_back", "_put_back"}, 0
    for _, where in interrupted(lambda: None, held, functions):
        lines += 1
        assert gc.isenabled() is was_on, where
    assert lines > 10
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled() is was_on


def test_threads_that_overlap_hold_it_until_the_last_one_ends() -> None:
    begun, leave = threading.Event(), threading.Event()

    def work() -> None:
        with uncollected():
            begun.set()
            leave.wait(30)

    with uncollected():
        thread = threading.Thread(target=work)
        thread.start()
        assert begun.wait(30)
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


@pytest.mark.parametrize("fails", [None, LookupError, KeyboardInterrupt])
def test_fit_holds_it_back_during_its_steps_alone(fails: type[BaseException] | None) -> None:
    seen = []

    def loss(scores: list[Any], targets: list[Any]) -> Any:
        seen.append(("loss", gc.isenabled()))
        if fails and len(seen) > 2:
            raise fails
        return (scores[0] - targets[0]) ** 2

    def progress(*_: object) -> None:
        seen.append(("progress", gc.isenabled()))

    def run() -> None:
        fit(MLP(1, [1]), [[1.0]], [2.0], loss, steps=2, progress=progress, compile=False)

    if fails is None:
        run()
    else:
        with pytest.raises(fails):
            run()
    assert seen[:3] == [("loss", False), ("progress", True), ("loss", False)]
    assert gc.isenabled()
