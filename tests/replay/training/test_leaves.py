"""Numbers read from Values and written to them in machine code, beside assignments in Python."""

import sys
from fractions import Fraction

import pytest

from micrograd import Value
from micrograd.errors import StaleGraphError

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")
from micrograd.replay.training import leaves as module  # noqa: E402
from micrograd.replay.training.leaves import Leaves  # noqa: E402


class Other(Value):
    """A Value whose numbers are set by its own property."""

    @property
    def data(self):
        return self._data

    @data.setter
    def data(self, new):
        self._data = new
        self.changes = getattr(self, "changes", 0) + 1


def leaves_of(*numbers, kind=Value):
    values = [kind(number) for number in numbers]
    return Leaves(values, np.zeros(len(values) + 3), np.arange(len(values) + 3.0))


NUMBERS = {
    "floats": (0.5, -0.0, 1e-320, 1.7e308),
    "ints among them": (0.5, 3, 2**70),
    "a fraction": (0.5, Fraction(1, 3)),
    "nan": (float("nan"), float("inf")),
    "one object twice": (*[0.1] * 2, 0.2),
}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(module, "_WORTH", 0)


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_written_is_what_is_read(is_known, monkeypatch):
    if not is_known:  # another interpreter, whose objects lie otherwise in memory
        monkeypatch.setattr(module, "offset_of", lambda name: None)
    for name, numbers in NUMBERS.items():
        leaves = leaves_of(*numbers)
        before = leaves.snapshot()
        expected = np.array([float(number) for number in numbers])
        assert leaves.data[: len(numbers)].tobytes() == expected.tobytes(), name
        for new in (expected[::-1], expected, -expected):  # again: now they are the leaves' own
            leaves.data[: len(numbers)] = new
            leaves.grads += 1
            leaves.write()
            found = np.array([value.data for value in leaves.values])
            assert found.tobytes() == new.tobytes(), name
            grads = [value.grad for value in leaves.values]
            assert grads == leaves.grads[: len(numbers)].tolist(), name
            assert {*map(type, grads)} == {float}
        leaves.restore(before)
        assert [repr(value.data) for value in leaves.values] == list(map(repr, numbers)), name


def test_a_float_that_someone_else_holds_stays_as_it_is():
    leaves = leaves_of(0.5, 0.25)
    leaves.read()
    leaves.data += 1
    leaves.write()
    held, again = leaves.values[0].data, [value.grad for value in leaves.values]
    before = leaves.snapshot()
    leaves.data += 1
    leaves.grads += 1
    leaves.write()
    assert (held, again) == (1.5, [0.0, 1.0])
    assert [value.data for value in leaves.values] == [2.5, 2.25]
    leaves.restore(before)
    assert [value.data for value in leaves.values] == [1.5, 1.25]


def test_floats_are_neither_lost_nor_kept():
    leaves = leaves_of(*[i / 7 for i in range(500)])
    leaves.write()
    before = sys.getallocatedblocks()
    for _ in range(100):
        held = [value.data for value in leaves.values]  # so each is a new float
        leaves.data += 1
        leaves.write()
        del held
    assert abs(sys.getallocatedblocks() - before) < 1_000  # of 50,000
    assert all(sys.getrefcount(value.data) <= 3 for value in leaves.values)


def test_a_property_of_ones_own_is_used():
    leaves = leaves_of(0.5, kind=Other)
    leaves.data[0] = 4.0
    leaves.write()
    assert (leaves.values[0].data, leaves.values[0].changes) == (4.0, 1)


def test_a_result_among_them_is_stale_once_it_is_written():
    result = Value(1.0) * 2
    Leaves([result], np.array([5.0]), np.zeros(1)).write()
    assert result.data == 5.0
    with pytest.raises(StaleGraphError, match="and then changed"):
        result.backward()


def test_no_leaves():
    leaves = leaves_of()
    leaves.restore(leaves.snapshot())
    leaves.write()
