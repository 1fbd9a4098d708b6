"""The first number that is not finite raises, with operation, operands and the user's line."""

import math
import threading
from pathlib import Path

import numpy as np
import pytest

import micrograd
from micrograd import Value, detect_anomaly, gradient, no_grad
from micrograd.errors import NonFiniteError
from micrograd.nn import MLP


def here(text):
    """Return what the message says of the line with this text in this file."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if text in line)
    return f"test_anomaly.py, line {number}: "


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda x: x * x, r"x=1e\+200 \* x=1e\+200 is inf"),
        (lambda x: x * 1e180 * 1e-300, r"x=1e\+200 \* 1e\+180 is inf"),
        (lambda x: (x * 1e100) + (x * 1e108) * 10, r"1e\+308 \* 10 is inf"),
        (lambda x: micrograd.dot([x, 1.0], [x, 1.0], bias=3.0), "is inf"),
        (lambda x: Value(math.inf) - math.inf, "inf - inf is nan"),
        (lambda x: sum(np.array([x, x], dtype=object) * 1e200), r"x=1e\+200 \* 1e\+200 is inf"),
    ],
)
def test_the_first_value_that_is_not_finite_raises(make, said):
    x = Value(1e200, label="x")
    with np.errstate(over="ignore"):  # NumPy notices an overflow of any loop of its own
        make(x)  # nothing is said without it
        with pytest.raises(NonFiniteError, match=said), detect_anomaly():
            make(x)


def test_the_message_names_the_line_that_computed_it():
    x = Value(1e200, label="x")
    with pytest.raises(NonFiniteError) as caught, detect_anomaly():
        y = x + 1
        y = y * x  # this line
    assert here("y = y * x  # this line") + "y = y * x  # this line" in str(caught.value)


def test_inside_a_network_the_line_is_still_the_users():
    model = MLP(2, [4, 1])
    for p in model.parameters():
        p.data = 1e200
    with pytest.raises(NonFiniteError) as caught, detect_anomaly():
        model([1e150, 1.0])  # the call
    assert here("model([1e150, 1.0])  # the call") in str(caught.value)


def test_a_gradient_that_is_the_first_to_overflow_raises_and_changes_no_gradient():
    x = Value(1e-300, label="x")
    x.grad = 5.0
    with detect_anomaly():
        y = x * 1e200  # where it was made
        z = y * 1e200
        with pytest.raises(NonFiniteError) as caught:
            z.backward()
    said = str(caught.value)
    assert "gradient of operand 'x' = 1e-300 of x=1e-300 * 1e+200 is inf" in said
    assert "upstream gradient 1e+200 times local derivative 1e+200" in said
    assert here("y = x * 1e200  # where it was made") in said
    assert (x.grad, y.grad, z.grad) == (5.0, 0, 0)
    with pytest.raises(NonFiniteError):  # outside, as ever
        z.backward()


def test_the_graph_of_a_gradient_raises_where_it_leaves_the_numbers():
    x = Value(1e-300, label="x")
    z = x * 1e200 * 1e200
    with pytest.raises(NonFiniteError, match=r"1e\+200 \* 1e\+200 is inf"), detect_anomaly():
        gradient(z, x, create_graph=True)


def test_finite_programs_give_the_same_bits_and_gradients():
    def program():
        x, y = Value(0.7, label="x"), Value(-1.3, label="y")
        z = (x * y).tanh() + x**2 / y - micrograd.logsumexp([x, y, 2.0])
        z.backward()
        return z.data, x.grad, y.grad, micrograd.hessian(lambda v: v[0] * v[1] ** 2)([2.0, 3.0])

    expected = program()
    with detect_anomaly():
        assert program() == expected


def test_it_ends_with_the_context_and_leaves_other_threads_and_no_grad_alone():
    x = Value(1e200)
    found = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: found.append((x * x).data))
        thread.start()
        thread.join()
        with no_grad():
            found.append((x * x).data)
        with detect_anomaly(), pytest.raises(NonFiniteError):
            x * x
    assert found == [math.inf, math.inf]
    y = x * x
    assert y.data == math.inf
    assert "recorded_at" not in y.__dict__


def test_a_file_beside_the_package_is_the_users():
    file = str(Path(micrograd.__file__).parent.parent / "micrograd_notes.py")
    with pytest.raises(NonFiniteError, match=r"micrograd_notes\.py, line 1"), detect_anomaly():
        exec(compile("x * x", file, "exec"), {"x": Value(1e200)})
