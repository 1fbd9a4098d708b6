"""The tests of compiled functions run machine code; `test_interpreter` compares its first tier."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def compiled_at_once():
    """Compile each program before its first call, not when the interpreter has run for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("micrograd.replay.kernels._COMPILING", 0.0)
        yield
