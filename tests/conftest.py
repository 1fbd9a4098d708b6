"""What all tests share: Hypothesis profiles, a seeded generator, and a watch over switches."""

from __future__ import annotations

import atexit
import gc
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, find, settings
from hypothesis.strategies import none

# The tests' own modules, `oracles` and `strategies`, are found from every import mode.
if (_here := str(Path(__file__).parent / "support")) not in sys.path:
    sys.path.insert(0, _here)

# A suite run in the background of a shell inherits an ignored SIGINT and would hand it on to the
# programs that the tests interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Machine code that one worker has compiled serves the others; nothing is read from a user's cache.
if "MICROGRAD_CACHE" not in os.environ:
    _cache = tempfile.TemporaryDirectory(prefix="micrograd-cache-")
    os.environ["MICROGRAD_CACHE"] = str(Path(_cache.name) / "code")
    atexit.register(_cache.cleanup)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Let `-p no:xdist` leave out the plugin whose options pyproject.toml sets."""
    if not pluginmanager.hasplugin("xdist"):
        for option in ("--numprocesses", "--maxprocesses", "--dist"):
            parser.addoption(option, help="unused: there is no pytest-xdist")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run chosen files in this process, where `-s` and `breakpoint()` work and nothing is started.

    Whole folders are left to the plugin, which takes a worker for each processor.
    """
    return None if _whole_folders(config) else 0


def _whole_folders(config: pytest.Config) -> bool:
    return any(Path(argument.partition("::")[0]).is_dir() for argument in config.args)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect tests without the garbage collector: it would be a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the notebooks, or one worker would end with them, alone; leave out what is slow.

    Slow tests run where `-m` says which tests to run, and in files that are chosen. Those that need
    a browser say so themselves.
    """
    items.sort(key=lambda item: item.get_closest_marker("notebook") is None)
    if _whole_folders(config) and not config.getoption("markexpr"):
        slow = pytest.mark.skip(reason="they take long (python -m pytest -m slow runs them)")
        for item in items:
            if item.get_closest_marker("slow") and not item.get_closest_marker("browser"):
                item.add_marker(slow)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the thousands of tests, which are there to stay.

    It also begins less often: what is left to it is small, beside what tests keep in memory anyway.
    """
    # Hypothesis registers its generators at the first search; when they are frozen, it cannot see
    # any more that they are held.
    find(none(), lambda _: True)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was skipped and why; `-rs` says it test by test."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ").partition(":")[0]
        for report in terminalreporter.stats.get("skipped", [])
    )
    if reasons:
        parts = [f"{count} because {reason}" for reason, count in reasons.most_common()]
        terminalreporter.write_line(f"Skipped: {', '.join(parts)}")


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
    from micrograd.values.grad_mode import grad_mode

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
