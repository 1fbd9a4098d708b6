"""The losses, against mpmath, closed forms and exact fractions."""

import math
from fractions import Fraction

import mpmath
import pytest
from tables import each

from micrograd import Value, gradient
from micrograd.engine import plain
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError
from micrograd.losses import LOSSES, binary_cross_entropy_with_logits, cross_entropy, hinge, l2, mse

bce = binary_cross_entropy_with_logits
FEW_ULP = 4 * 2.0**-52


def values(numbers):
    return [Value(n) for n in numbers]


# ---- values and gradients ------------------------------------------------------------------------


def test_hinge_is_the_mean_of_what_each_margin_lacks():
    scores = values([2.0, 0.25, -0.5, -3.0])
    loss = hinge(scores, [1, 1, 1, -1])
    assert loss.data == (0 + 0.75 + 1.5 + 0) / 4
    loss.backward()
    assert [s.grad for s in scores] == [0, -0.25, -0.25, 0]


def test_hinge_has_the_bits_of_the_demo_expression_term_by_term():
    s = Value(0.1)
    for y in (-1, 1):
        assert hinge([s], [y]).data == (1 + -y * s).relu().data


def test_mse_is_the_mean_of_the_squares():
    scores = values([1.0, 4.0])
    loss = mse(scores, [0.0, 2.0])
    assert loss.data == 2.5
    loss.backward()
    assert [s.grad for s in scores] == [1.0, 2.0]


def test_mse_and_hinge_of_fractions_are_exact():
    scores = values([Fraction(1, 3), Fraction(1, 7)])
    loss = mse(scores, [0, 1])
    assert loss.data == (Fraction(1, 9) + Fraction(36, 49)) / 2
    assert gradient(loss, scores) == [Fraction(1, 3), Fraction(-6, 7)]
    loss = hinge(scores, [1, -1])
    assert loss.data == (Fraction(2, 3) + Fraction(8, 7)) / 2
    assert gradient(loss, scores) == [Fraction(-1, 2), Fraction(1, 2)]
    assert type(loss.data) is Fraction


@each("y", [0, 1, 0.25])
@each("s", [0.0, 1e-9, -0.3, 2.0, -30.0, 36.7, 500.0, -700.0])
def test_bce_and_its_slope_are_right_to_the_last_digits(s, y):
    score = Value(s)
    loss = bce([score], [y])
    with mpmath.workdps(700):
        exact = y * mpmath.log1p(mpmath.exp(-mpmath.mpf(s))) + (1 - y) * mpmath.log1p(
            mpmath.exp(mpmath.mpf(s))
        )
        slope = 1 / (1 + mpmath.exp(-mpmath.mpf(s))) - y
        assert abs(loss.data - exact) <= FEW_ULP * abs(exact)
        # The two terms of a soft target cancel near its optimum.
        assert abs(gradient(loss, score) - slope) <= FEW_ULP * max(abs(slope), y * (1 - y))


@pytest.mark.parametrize("s", [1000.0, 1e300, math.inf])
def test_bce_neither_overflows_nor_becomes_nan(s):
    assert bce([Value(s)], [1]).data == 0
    assert bce([Value(-s)], [0]).data == 0
    assert bce([Value(-s)], [1]).data == s
    assert bce([Value(s)], [0]).data == s


ROWS = [
    [0.0, 0.0],
    [1.0, -2.0, 0.5],
    [1000.0, 1000.5, 999.0],
    [60.0, 0.0, -60.0, 1.0],
    [-350.0, 350.0],
    [1e-9, 0.0, 2e-9],
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_cross_entropy_and_its_slopes_are_right_to_the_last_digits(row):
    for c in range(len(row)):
        logits = values(row)
        loss = cross_entropy([logits], [c])
        grads = gradient(loss, logits)
        with mpmath.workdps(700):
            powers = [mpmath.exp(mpmath.mpf(z)) for z in row]
            exact = -mpmath.log(powers[c] / mpmath.fsum(powers))
            assert abs(loss.data - exact) <= FEW_ULP * abs(exact)
            for k, grad in enumerate(grads):
                others = powers[:k] + powers[k + 1 :]
                slope = (-mpmath.fsum(others) if k == c else powers[k]) / mpmath.fsum(powers)
                # exp turns the rounding of a difference d into d ulp.
                assert abs(grad - slope) <= (4 + 2 * (max(row) - min(row))) * 2.0**-52 * abs(slope)


def test_cross_entropy_of_two_classes_is_bce_of_the_difference():
    a, b = Value(0.3), Value(-1.1)
    assert cross_entropy([[a, b]], [1]).data == pytest.approx(bce([b - a], [1]).data, rel=1e-15)


def test_cross_entropy_of_equal_logits_is_the_log_of_the_number_of_classes():
    rows = [values([5.0] * 7) for _ in range(3)]
    assert cross_entropy(rows, [0, 3, 6]).data == pytest.approx(math.log(7), rel=1e-15)


def test_the_mean_of_several_samples_is_the_mean_of_their_losses():
    rows = [[0.5, 1.5, -1.0], [2.0, 0.0, 0.1]]
    alone = [cross_entropy([values(row)], [c]).data for row, c in zip(rows, (1, 2), strict=True)]
    together = cross_entropy([values(row) for row in rows], (1, 2))
    assert together.data == sum(alone) / 2


def test_numpy_targets_and_traced_targets_are_taken():
    np = pytest.importorskip("numpy")
    scores = values([0.5, -0.5])
    assert hinge(scores, np.array([1, -1])).data == hinge(scores, [1, -1]).data
    assert mse(np.array([1.0, 2.0]), values([1.0, 4.0])).data == 2.0
    assert cross_entropy([scores], np.array([1])).data == cross_entropy([scores], [1]).data
    y = Value(0.25)
    assert bce([scores[0]], [y]).data == bce([scores[0]], [0.25]).data
    assert bce([True], [True]) == bce([1], [1])


def test_l2_is_the_sum_of_squares_with_the_bits_of_the_demo():
    parameters = values([0.1, -0.7, 1.3])
    assert l2(parameters, 1e-4).data == (1e-4 * sum(p * p for p in parameters)).data
    assert gradient(l2(parameters, 0.5), parameters) == [0.1, -0.7, 1.3]


# ---- errors --------------------------------------------------------------------------------------


@each(
    ("compute", "error", "words"),
    [
        (lambda: hinge([1.0, 2.0], [1]), InputCountError, "as many targets as scores, got 1 and 2"),
        (lambda: mse([], []), InputCountError, "mse: expected at least one sample"),
        (lambda: hinge([1.0], [0]), ArgumentError, "hinge: target 0 is 0; expected -1 or 1"),
        (lambda: hinge([1.0, 2.0], [1, 2]), ArgumentError, "target 1 is 2"),
        (lambda: hinge([1.0], [math.nan]), ArgumentError, "target 0 is nan"),
        (lambda: bce([1.0], [-1]), ArgumentError, "target 0 is -1; expected a number from 0 to 1"),
        (lambda: bce([1.0], [math.nan]), ArgumentError, "nan"),
        (lambda: cross_entropy([[1.0, 2.0]], [2]), ArgumentError, "class 0 is 2; expected 0 to 1"),
        (lambda: cross_entropy([[1.0, 2.0]], [-1]), ArgumentError, "class 0 is -1"),
        (lambda: cross_entropy([[1.0, 2.0]], [0.5]), ArgumentTypeError, "class 0 is 0.5"),
        (lambda: cross_entropy([[1.0]], [0]), InputCountError, "two or more logits in row 0"),
        (
            lambda: cross_entropy([[1.0, 2.0], [1.0, 2.0, 3.0]], [0, 1]),
            InputCountError,
            "expected 2 logits in row 1, got 3",
        ),
        (lambda: cross_entropy([[1.0, 2.0]], [0, 1]), InputCountError, "got 2 and 1"),
        (
            lambda: cross_entropy([1.0, 2.0], [0, 1]),
            ArgumentTypeError,
            "expected row 0 of cross_entropy to be a list",
        ),
        (
            lambda: hinge(Value(1.0), [1]),
            ArgumentTypeError,
            "the scores of hinge to be a list, got Value",
        ),
        (lambda: hinge([1.0], 1), ArgumentTypeError, "the targets of hinge to be a list, got 1"),
        (lambda: hinge([[1.0]], [1]), NumberTypeError, "hinge: score 0"),
        (lambda: mse([1.0], ["a"]), NumberTypeError, "mse: target 0"),
        (lambda: mse([1.0], [None]), NumberTypeError, "mse: target 0"),
    ],
)
def test_bad_input_is_an_error_that_names_it(compute, error, words):
    with pytest.raises(error, match=words):
        compute()


# ---- the table -----------------------------------------------------------------------------------


def test_the_table_lists_the_losses_by_name():
    assert {name: loss.function for name, loss in LOSSES.items()} == {
        "hinge": hinge,
        "mse": mse,
        "bce": bce,
        "cross_entropy": cross_entropy,
    }
    assert [loss.name for loss in LOSSES.values()] == list(LOSSES)


@pytest.mark.parametrize(
    ("name", "labels", "targets"),
    [
        ("hinge", [0, 1, 1], [-1, 1, 1]),
        ("hinge", [-1, 1], [-1, 1]),
        ("hinge", [False, True], [-1, 1]),
        ("bce", [-1, 1], [0, 1]),
        ("bce", [0.0, 1.0], [0, 1]),
        ("cross_entropy", [2, 0.0, True], [2, 0, 1]),
        ("mse", [0.5, 2], [0.5, 2]),
    ],
)
def test_labels_become_targets(name, labels, targets):
    encoded = LOSSES[name].encode(labels)
    assert encoded == targets
    assert list(map(type, encoded)) == list(map(type, targets))


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("hinge", [0, 2]),
        ("hinge", [-1, 0, 1]),
        ("bce", [0.5]),
        ("bce", [math.nan]),
        ("cross_entropy", [-1]),
        ("cross_entropy", [0.5]),
        ("cross_entropy", [math.inf]),
        ("cross_entropy", [math.nan]),
    ],
)
def test_labels_that_are_none_are_errors(name, labels):
    with pytest.raises(ArgumentError, match=name):
        LOSSES[name].encode(labels)


def test_scores_become_predictions_in_the_code_of_the_targets():
    assert [LOSSES["hinge"].predict(Value(s)) for s in (-0.1, 0.0, 0.1)] == [-1, -1, 1]
    assert [LOSSES["bce"].predict(Value(s)) for s in (-0.1, 0.0, 0.1)] == [0, 0, 1]
    assert LOSSES["cross_entropy"].predict(values([1.0, 3.0, 3.0])) == 1
    assert LOSSES["mse"].predict(Value(0.25)) == 0.25
    assert [loss.classification for loss in LOSSES.values()] == [True, False, True, True]
    assert [loss.several_outputs for loss in LOSSES.values()] == [False, False, False, True]


@pytest.mark.parametrize("make", [float, Value])
def test_a_class_with_the_logit_of_probability_zero_has_an_infinite_loss(make):
    never = make(-math.inf)
    assert plain(cross_entropy([[never, never, make(1.0)]], [0])) == math.inf
    sure = cross_entropy([[never, make(2.0), never]], [1])
    assert plain(sure) == 0
    likely = cross_entropy([[make(0.5), never, make(0.5)]], [2])
    assert plain(likely) == pytest.approx(math.log(2))
