"""Making machine code can be interrupted."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time

import pytest

import micrograd
from micrograd.nn import MLP
from micrograd.replay import compile  # noqa: A004
from micrograd.replay.llvm.processor import machine_code

pytest.importorskip("llvmlite")


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT for one process")
def test_an_interrupt_is_heard_while_machine_code_is_made():
    model = MLP(2, [16, 16, 16, 1], rng=random.Random(0))
    compiled = compile(lambda x: micrograd.tanh(model(x)), "llvm")
    compiled([1.0, 2.0])
    ir = compiled.ir
    start = time.perf_counter()
    machine_code(ir)
    lasts = time.perf_counter() - start
    interrupt = threading.Timer(lasts / 2, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        machine_code(ir)
        interrupt.join()
        pytest.fail("the interrupt was lost")
