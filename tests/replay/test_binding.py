"""Compiled methods: each object has its own, through classes, copies and pickles."""

from __future__ import annotations

import copy
import functools
import pickle

import pytest

from micrograd.engine import Value
from micrograd.nn import Module
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")


class Line(Module):
    """What has compiled methods."""

    def __init__(self, slope):
        self.slope = Value(slope)

    @compile
    def at(self, x):
        """A point of the line."""
        return self.slope * x

    @compile(backend="python", check="ignore")
    def twice(self, x):
        return self.at(x) * 2


def test_a_decorated_method_is_compiled_for_each_object():
    one, two = Line(3.0), Line(5.0)
    assert [one.at(2.0), two.at(2.0), one.at(1.0), one.twice(1.0)] == [6.0, 10.0, 3.0, 6.0]
    assert one.at is one.at
    assert (one.at.__doc__, one.twice.check) == ("A point of the line.", "ignore")
    assert one.parameters() == one.at.parameters == [one.slope]
    one.slope.data = 4.0
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert [other.at(1.0), other.twice(1.0)] == [4.0, 8.0]
        other.slope.data = 7.0
        assert [other.at(1.0), other.at(2.0), one.at(1.0)] == [7.0, 14.0, 4.0]
    assert pickle.loads(pickle.dumps(one.at))(1.0) == 4.0


class Raised(Line):
    """Overrides a compiled method, and calls it."""

    def at(self, x):
        return super().at(x) + 1

    def below(self):
        return super().at


class Doubled(Line):
    """Overrides a compiled method with another."""

    @compile
    def at(self, x):
        return super().at(x) * 2


def test_a_compiled_method_called_through_super_does_not_hide_the_override():
    one = Raised(2.0)
    assert [one.at(1.0), one.at(1.0), one.at(1.0)] == [3.0] * 3
    assert one.below() is one.below()
    assert pickle.loads(pickle.dumps(one.below()))(1.0) == 2.0
    for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        other.slope = Value(7.0)
        assert [other.at(1.0), other.below()(1.0), other.at(1.0)] == [8.0, 7.0, 8.0]
    assert one.at(1.0) == 3.0
    two = Doubled(2.0)
    assert [two.at(1.0), two.at(1.0), *two.at.map([1.0])] == [4.0] * 3


def test_a_shallow_copy_has_a_compiled_method_of_its_own():
    one = Line(3.0)
    assert [one.at(1.0), one.twice(1.0)] == [3.0, 6.0]
    other = copy.copy(one)
    other.slope = Value(7.0)
    assert [other.at(1.0), other.twice(1.0), one.at(1.0), one.twice(1.0)] == [7.0, 14.0, 3.0, 6.0]
    one.at = 5
    assert (one.at, other.at(1.0)) == (5, 7.0)
    del one.at
    assert one.at(1.0) == 3.0


class Area:
    """Has compiled properties, and a compiled method."""

    def __init__(self):
        self.side = Value(3.0)

    @property
    @compile
    def area(self):
        return self.side**2

    @functools.cached_property
    @compile
    def around(self):
        return 4 * self.side

    @compile
    def times(self, x):
        return self.side * x


class Larger(Area):
    """Overrides them, and calls what it overrides."""

    @property
    @compile
    def area(self):
        return super().area + 1

    @compile
    def times(self, x):
        return Area.times(self, x) * 10


class Largest(Larger):
    """Overrides a compiled property with an ordinary one."""

    @property
    def area(self):
        return super().area + 100


def test_a_property_can_be_compiled():
    areas = [Area(), Larger(), Largest()]
    assert [one.area for one in areas] == [9.0, 10.0, 110.0]
    assert [one.around for one in areas] == [12.0] * 3
    for copied in (copy.deepcopy(areas), pickle.loads(pickle.dumps(areas))):
        for one in copied:
            one.side.data = 2.0
        assert [one.area for one in copied] == [4.0, 5.0, 105.0]
    assert [one.area for one in areas] == [9.0, 10.0, 110.0]
    with pytest.raises(TypeError, match=r"got <property .*: put @property above"):
        compile(property(lambda self: self.side))


def test_a_compiled_method_can_be_called_through_its_class():
    one, two = Area(), Larger()
    assert [Area.times(one, 2.0), Area.times(two, 2.0), Larger.times(two, 2.0)] == [6.0, 6.0, 60.0]
    assert two.times(2.0) == 60.0
    for method in (Area.times.map, Area.times.value_and_grad, Area.times.backward):
        with pytest.raises(TypeError, match=r"times is a method, .*Area object.*obj\.times"):
            method(one, [2.0])
    for method in (Area.times.jacobian, Area.times.hessian):
        with pytest.raises(TypeError, match=r"times is a method, .*Area object.*obj\.times"):
            method(one, 2.0)


def test_a_method_of_what_keeps_no_attributes_is_refused():
    class Narrow:
        __slots__ = ()

        @compile
        def at(self, x):
            return x

    with pytest.raises(TypeError, match=r"at cannot be compiled for .*keeps no attributes"):
        Narrow().at(1.0)


def test_a_method_that_version_1_0_0_pickled_is_found():
    one = Line(3.0)
    _, arguments = one.at.__reduce_ex__(2)
    name = b"cmicrograd.replay.compiled\n_method_of\n."
    assert pickle.loads(name)(*arguments) is one.at
