"""What all tests share: Hypothesis profiles, a seeded generator, and a watch over switches."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The tests' own modules, `oracles` and `strategies`, are found from every import mode.
if (_here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, _here)

# A suite run in the background of a shell inherits an ignored SIGINT and would hand it on to the
# programs that the tests interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=_SLOW
)
settings.register_profile("thorough", max_examples=2000, deadline=None, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("MICROGRAD_HYPOTHESIS", "dev"))


def switches() -> dict[str, Any]:
    """Return what a test may change only for its own time, as seen from outside."""
    from mpmath import mp

    from micrograd import ops
    from micrograd.recording import grad_mode

    return {
        "no_grad": grad_mode.get(),
        "rows of ops.TABLE": dict(ops.TABLE),
        "digits of mpmath": mp.dps,
    }


@pytest.fixture(autouse=True)
def no_switch_left_flipped() -> Iterator[None]:
    """Fail a test that leaves the package in another state than it found it, and put it back."""
    from micrograd import ops

    before = switches()
    yield
    after = switches()
    changed = [name for name in before if before[name] != after[name]]
    for name in set(ops.TABLE) - set(before["rows of ops.TABLE"]):
        del ops.TABLE[name]
        if name in vars(ops.Operators):
            delattr(ops.Operators, name)
    ops.TABLE.update(before["rows of ops.TABLE"])
    if changed:
        pytest.fail(f"the test left changed: {', '.join(changed)}")


@pytest.fixture
def rng() -> random.Random:
    """Return a generator of random numbers with a fixed seed."""
    return random.Random(20260115)


@pytest.fixture
def table() -> Iterator[dict[str, Any]]:
    """Let a test add rows to the op table: they and their methods are gone afterwards."""
    from micrograd import ops

    before = set(ops.TABLE)
    yield ops.TABLE
    for name in set(ops.TABLE) - before:
        del ops.TABLE[name]
        delattr(ops.Operators, name)
