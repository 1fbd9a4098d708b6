"""`fit` compiled against the engine, over random runs with every option.

`MICROGRAD_HYPOTHESIS=thorough` makes it hundreds of runs.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fitting import random_run

pytest.importorskip("llvmlite")


def flat(found):
    """Yield everything in a result, with where it is."""
    stack = [("", found)]
    while stack:
        where, item = stack.pop()
        if isinstance(item, dict):
            stack += [(f"{where}.{key}", entry) for key, entry in item.items()]
        elif isinstance(item, (list, tuple)):
            yield f"{where}.len", len(item)
            stack += [(f"{where}.{i}", entry) for i, entry in enumerate(item)]
        else:
            yield where, item


@settings(max_examples=max(8, settings.default.max_examples // 5), deadline=None)
@given(st.integers(0, 2**40))
def test_any_run_of_fit_is_that_of_the_engine(seed):
    expected, got = (dict(flat(random_run(seed, how))) for how in (False, True))
    assert got.keys() == expected.keys()
    for where, entry in got.items():
        if isinstance(entry, float):
            assert entry == pytest.approx(expected[where], rel=1e-7, abs=1e-10), where
        else:
            assert entry == expected[where], where
