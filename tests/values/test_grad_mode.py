"""The switch of recording: nested, restored after an error, and of one thread alone."""

import threading

import pytest

from micrograd import Value, enable_grad, no_grad


def recorded():
    x = Value(2.0)
    return bool((x * x).parents)


def test_the_innermost_switch_holds_and_the_outer_one_comes_back():
    with no_grad():
        assert not recorded()
        with enable_grad():
            assert recorded()
            with no_grad():
                assert not recorded()
            assert recorded()
        assert not recorded()
    assert recorded()


@pytest.mark.parametrize("switch", [no_grad, enable_grad])
def test_an_error_inside_leaves_recording_as_it_was(switch):
    with no_grad():
        with pytest.raises(ZeroDivisionError), switch():
            Value(1.0) / 0
        assert not recorded()
    with pytest.raises(ZeroDivisionError), switch():
        Value(1.0) / 0
    assert recorded()


def test_another_thread_goes_on_recording():
    found = []
    with no_grad():
        thread = threading.Thread(target=lambda: found.append(recorded()))
        thread.start()
        thread.join()
    assert found == [True]


def test_every_operation_asks_the_switch():
    x = Value(2.0)
    with no_grad():
        results = [x + 1, 1 + x, x * 3, 3 * x, -x, x**2, x.exp(), x - 1, 1 / x, abs(x)]
    assert not any(result.parents for result in results)
    assert all(result.op is None for result in results)
