"""Each exercise: its right answer by an independent way, every known mistake with its own hint."""

import itertools
import math
import random

import numpy as np
import pytest
from mpmath import mp
from sklearn.datasets import make_moons
from tables import each

from micrograd import nn
from micrograd.course import EXERCISES, check
from micrograd.course import build_your_own as workshop
from micrograd.course.solutions import numeral
from micrograd.datasets import load

USES = [("a", "c"), ("b", "c"), ("b", "d"), ("c", "e"), ("d", "e")]  # used, user


def quotient(x):
    return (x**2 + 1) / (x - 2)


def many(a, b, c):
    return -(a**3) + mp.sin(3 * b) - 1 / c + b ** mp.mpf("2.5") - mp.sqrt(a)


KS = [(0, 1), (1, 2), (2, 5)]  # e to the logits of exercise 05a

ANSWERS = {
    "01a": lambda: [mp.diff(lambda x: 3 * x**2 - 4 * x + 5, -1)],
    "01b": lambda: [mp.diff(lambda b: (2 * b + 10) * -2, -3)],
    "01c": lambda: [mp.diff(quotient, mp.mpf(1) / 3)],
    "01d": lambda: [
        mp.findroot(lambda h: (3 * (3 + h) ** 2 - 4 * (3 + h) - 15) / h - 14 - mp.mpf("1e-6"), 1e-6)
    ],
    "01e": lambda: [mp.diff(many, (2, 3, 4), order) for order in ((1, 0, 0), (0, 1, 0), (0, 0, 1))],
    "02a": lambda: [mp.diff(lambda b: (4 + b) * (b + 1), 3)],
    "02b": lambda: [
        mp.diff(lambda x: 2 * (x * -4 + max(2, -1)), 3),
        mp.diff(lambda v: 2 * (3 * -4 + max(2, v)), -1),
    ],
    "02c": lambda: [mp.diff(lambda x: mp.tanh(-3 * x + mp.mpf("6.8813735870195432")), 2)],
    "02d": lambda: [
        sum(
            all(order.index(user) < order.index(used) for used, user in USES)
            for order in itertools.permutations("abcde")
        )
    ],
    "02e": lambda: [2 * mp.diff(lambda a: (a + 2) * 1, 3), mp.diff(lambda c: c * 1, 5)],
    "03a": lambda: [
        mp.diff(lambda x: sum(paper_outputs((x, 3))), 2),
        mp.diff(lambda x: sum(paper_outputs((2, x))), 3),
    ],
    "03b": lambda: [mp.diff(lambda w: paper_loss((2, 3), (0, 1), corner=w), 1)],
    "03c": lambda: [
        mp.diff(
            lambda b, i=i: (
                paper_loss((2, 3), (0, 1), **{i: b}) + paper_loss((3, 2), (1, 0), **{i: b})
            ),
            0,
        )
        for i in ("first", "second")
    ],
    "03d": lambda: [64 * 16 + 16 * 10, 64 * 16 + 2 * 16 * 10],
    "03e": lambda: [loss_falls_with_two_signs_wrong(), 0],
    "04a": lambda: [mp.diff(lambda s: max(0, 1 + s), mp.mpf(s)) for s in ("-0.4", "-1.3")],
    "04b": lambda: [max((0.1, 1, 3), key=share_right_after_training)],
    "04c": lambda: [
        mp.diff(loss, 3)
        for loss in (
            lambda s: max(0, 1 - s),
            lambda s: mp.log(1 + mp.exp(-s)),
            lambda s: (s - 1) ** 2,
        )
    ],
    "04d": lambda: [one_round_late(rounds=2)],
    "04e": lambda: [silent_parameters()],
    "05a": lambda: [
        mp.diff(lambda s, i=i: log_loss([s if j == i else mp.log(k) for j, k in KS], 1), mp.log(k))
        for i, k in KS
    ],
    "05b": lambda: [-mp.log(mp.mpf("0.001"))],
    "05c": lambda: [log_loss([0] * 10, 3)],
    "05d": lambda: [2],
    "05e": lambda: [100 * mp.mpf(1) / len(load("iris").X_test)],
    "06a": lambda: [mp.mpf("1e-4")],
    "06b": lambda: [
        mp.diff(lambda x, y: x**2 * y + y**3, (2, 1), orders)
        for orders in ((2, 0), (1, 1), (1, 1), (0, 2))
    ],
    "06c": lambda: [
        sum(mp.diff(lambda x, y: x**2 * y + y**3, (2, 1), orders) for orders in row)
        for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))
    ],
    "06d": lambda: [
        mp.diff(lambda x: max(x, 0) - max(-x, 0), 0),
        0 - -1 * 0,  # relu'(0) is 0 for each of the two
    ],
    "06e": lambda: [
        sum(
            abs(mp.diff(f, mp.mpf(10) ** -40, h=mp.mpf(10) ** -60)) < 2
            for f in (abs, mp.sqrt, lambda x: max(x, 0), lambda x: max(x, -x))
        )
    ],
    "07a": lambda: [mp.diff(lambda v: v * 2, 7), mp.diff(lambda a: (a + 5) * a, 2)],
    "07b": lambda: [difference_of_orders()],
    "07c": lambda: [mp.diff(lambda x: x if x > 0 else x / 10, at) for at in (-2, 3)],
    "07d": lambda: [mp.ceil(200 / (40 - mp.mpf("0.02")))],
    "08a": lambda: [
        1 + [fault.name for fault in workshop.FAULTS].index(name)
        for name in (
            "the upstream gradient is missing",
            "a node passes on before its sum is complete",
            "results keep the last pass",
        )
    ],
    "08b": lambda: [mp.diff(lambda x: mp.log(1 + mp.exp(x)), 2)],
    "08c": lambda: [fewest_tests()],
    "09a": lambda: [mp.diff(attended, (0, mp.log(3)), order) for order in ((1, 0), (0, 1))],
    "09b": lambda: [mp.diff(lambda x: x + mp.mpf("0.3") * mp.tanh(x), 0)],
    "09c": lambda: [
        mp.diff(lambda t, v=v: v * t / mp.sqrt((t**2 + (7 * t) ** 2) / 2), 1) for v in (1, 7)
    ],
}


def attended(first, second):
    a, b = mp.exp(first), mp.exp(second)
    return (4 * a + 8 * b) / (a + b)


def log_loss(logits, label):
    return mp.log(sum(mp.exp(s) for s in logits)) - logits[label]


def difference_of_orders():
    with mp.workprec(53):  # the precision of Python's floats
        a, b, c = mp.mpf("0.1"), mp.mpf("0.2"), mp.mpf("0.3")
        return ((a + b) + c) - (a + (b + c))


def fewest_tests():
    """Return how many tests find all faults: every set is tried, small ones first."""
    found = [
        {test.name for test in workshop.TESTS if workshop.problem(test, workshop.engine(fault))}
        for fault in workshop.FAULTS
    ]
    names = [test.name for test in workshop.TESTS]
    for count in range(len(names)):
        for chosen in itertools.combinations(names, count):
            if all(not tests.isdisjoint(chosen) for tests in found):
                return count
    raise AssertionError("some fault is found by no test")


def paper_outputs(x, corner=1, first=0, second=0):
    """Run the network of notebook 3; `first` and `second` are added to the output biases."""

    def layer(w, b, x):
        return [1 / (1 + mp.exp(-mp.fdot(row, x) - bias)) for row, bias in zip(w, b, strict=True)]

    hidden = layer(((3, -2), (1, corner)), (0, mp.log(3) - 5), x)
    return layer(((4, -4), (2, 4)), (1 + mp.log(3) + first, -4 + second), hidden)


def paper_loss(x, y, **changed):
    return sum((out - t) ** 2 for out, t in zip(paper_outputs(x, **changed), y, strict=True))


def loss_falls_with_two_signs_wrong():
    w = mp.mpf(0)
    for _ in range(10):
        w += mp.mpf("0.1") * -mp.diff(lambda w: (w - 3) ** 2, w)
    return int((w - 3) ** 2 < 9)


def share_right_after_training(rate):
    """Train the network of notebook 4 in NumPy, from the same start."""
    points, labels = make_moons(n_samples=100, noise=0.1, random_state=1337)
    labels = 2.0 * labels - 1
    layers = nn.MLP(2, [16, 16, 1], rng=random.Random(1337)).layers
    weights = [np.array([[w.data for w in unit.w] for unit in layer.neurons]) for layer in layers]
    biases = [np.zeros(len(layer.neurons)) for layer in layers]
    for _ in range(100):
        xs = [points]
        for w, b in zip(weights, biases, strict=True):
            s = xs[-1] @ w.T + b
            xs.append(np.maximum(s, 0) if w is not weights[-1] else s)
        scores = xs[-1][:, 0]
        upstream = (np.where(labels * scores < 1, -labels, 0) / 100)[:, None]
        for i in (2, 1, 0):
            w, slopes_w, slopes_b = weights[i], upstream.T @ xs[i], upstream.sum(axis=0)
            upstream = (upstream @ w) * (xs[i] > 0)
            weights[i], biases[i] = w - rate * slopes_w, biases[i] - rate * slopes_b
    return ((scores > 0) == (labels > 0)).mean()


def one_round_late(rounds):
    w, slope = mp.mpf(0), 0
    for _ in range(rounds):
        w -= mp.mpf("0.1") * slope
        slope = mp.diff(lambda w: (w - 3) ** 2, w)
    return w


def silent_parameters():
    """Count the parameters that a nudge of does nothing to the loss, one of four units off."""
    draw = random.Random(4)
    start = [draw.uniform(0.1, 0.2) for _ in range(17)]
    start[2] = -5.0  # the bias of the first unit

    def loss(parameters):
        sums = [b + 0.5 * v + 0.5 * w for v, w, b in zip(*[iter(parameters[:12])] * 3, strict=True)]
        score = sum(w * max(s, 0) for w, s in zip(parameters[12:], sums, strict=False))
        return max(0, 1 - score - parameters[16])

    nudged = [[p + 0.01 * (i == j) for j, p in enumerate(start)] for i in range(17)]
    return sum(loss(parameters) == loss(start) for parameters in nudged)


def told(capsys, name, answer):
    check(name, answer)
    return capsys.readouterr().out.removeprefix(f"{name}: ").rstrip("\n")


def right(name):
    return [float(number) for number in ANSWERS[name]()]


def given(name, numbers):
    return numbers if len(EXERCISES[name].right) > 1 else numbers[0]


@each("name", EXERCISES)
def test_the_right_answer_is_accepted_and_explained(capsys, name):
    assert told(capsys, name, given(name, right(name))) == f"correct. {EXERCISES[name].why}"


@each("name", EXERCISES)
def test_the_answer_in_the_solutions_is_correct_in_all_its_digits(name):
    if name != "06a":  # where any small error is correct
        shown = [eval(numeral(number)) for number in EXERCISES[name].answer]
        assert shown == [pytest.approx(number, rel=1e-6, abs=1e-300) for number in right(name)]


@pytest.mark.slow
@each("name", EXERCISES)
def test_every_known_mistake_has_its_own_hint(capsys, name):
    exercise = EXERCISES[name]
    for place, wrong, hint in exercise.mistakes:
        answer = right(name)
        answer[place] = wrong
        assert told(capsys, name, given(name, answer)).endswith(hint)
    for i, (place, wrong, hint) in enumerate(exercise.mistakes):
        for other_place, other, other_hint in exercise.mistakes[:i]:
            assert place != other_place or not math.isclose(wrong, other, rel_tol=2e-3)
            assert hint != other_hint


def test_any_h_of_a_small_error_of_the_second_difference_is_right(capsys):
    exact = float(mp.diff(mp.tanh, 1, 2))
    for h in (2.1e-5, 1e-4, 1e-3, 3.9e-3):
        second = (math.tanh(1 + h) - 2 * math.tanh(1) + math.tanh(1 - h)) / h**2
        assert abs(second - exact) < 1e-6
        assert told(capsys, "06a", h).startswith("correct")
