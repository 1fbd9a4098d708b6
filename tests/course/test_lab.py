"""The laboratory: answers by an independent way, hints for mistakes, numbers that differ."""

import itertools
import math
import re

import pytest
from mpmath import mp

from micrograd.course.checking import verdict
from micrograd.course.lab import TASKS, ask, exercise_of
from micrograd.errors import ArgumentError

STUDENTS = [f"s{i:03}" for i in range(100)]


def asked(capsys, name, student):
    ask(name, student)
    return " ".join(capsys.readouterr().out.split())


def corner_gradient(w1, w2, x, target):
    """Return the gradient of a network's last weight of layer 1."""

    def layer(w, x):
        return [1 / (1 + mp.exp(-mp.fdot(row, x))) for row in w]

    def loss(corner):
        out = layer(w2, layer([w1[0], [w1[1][0], corner]], x))
        return sum((o - t) ** 2 for o, t in zip(out, target, strict=True))

    return mp.diff(loss, w1[1][1])


def unzeroed(goal, start):
    w, gradient = mp.mpf(start), 0
    for _ in range(2):
        gradient += mp.diff(lambda w: (w - goal) ** 2, w)
        w -= gradient / 10
    return w


# Each from the numbers of the question's own text, in their order.
BY_HAND = {
    "lab1": lambda a, b, c, x: mp.diff(lambda t: a * t**2 - b * t + c, x),
    "lab2": lambda _, a, b: mp.diff(lambda b: (a + b) * (b + 1), b),
    "lab3": lambda k, m, a: mp.diff(lambda t: k * t * (k * t + m), a),
    "lab4": lambda w, v, b, x, _: mp.diff(lambda t: (t * x - v + b) ** 2, w),
    "lab6": lambda _, k, n: mp.diff(lambda s: mp.log(1 + mp.exp(s) + n) - s, mp.log(k)),
    "lab7": lambda goal, start, _: unzeroed(goal, start),
    "lab8": lambda n, m, k: n * m + 2 * m * k,
}


@pytest.mark.parametrize("name", TASKS)
def test_the_answer_is_that_of_the_question(capsys, name):
    for student in STUDENTS[:10]:
        text = asked(capsys, name, student).split(". ", 1)[1]
        if name == "lab5":
            arrays = re.findall(r"= (\[\[.*?\]\]|\[.*?\])|target (\[.*?\])", text)
            expected = corner_gradient(*(eval("".join(array)) for array in arrays))
        else:
            found = re.findall(r"(?:(?<=[= ])-)?(?<![\w.])\d+(?:\.\d+)?", text.replace("- ", ""))
            expected = BY_HAND[name](*map(float, found))
        assert exercise_of(name, student).answer[0] == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("name", TASKS)
def test_each_mistake_has_its_hint_a_rounded_answer_is_right_and_a_sign_is_called_one(name):
    for student in STUDENTS:
        exercise = exercise_of(name, student)
        answer = exercise.answer[0]
        assert verdict(name, float(f"{answer:.4g}"), student=student).startswith("correct")
        assert exercise.mistakes
        known = [wrong for _, wrong, _ in exercise.mistakes]
        if all(abs(wrong - answer) > abs(answer) / 10 for wrong in known):
            assert verdict(name, float(f"{answer:.2g}"), student=student).startswith("correct")
        if answer and not any(math.isclose(wrong, -answer) for wrong in known):
            assert "sign" in verdict(name, -answer, student=student)
        for _, wrong, hint in exercise.mistakes:
            assert verdict(name, wrong, student=student) == f"not yet. {hint}"
            assert not re.search(rf"(?<!\d){re.escape(f'{answer:g}')}(?!\d)", hint)


def test_no_two_of_a_hundred_students_have_the_same_numbers():
    answers = [tuple(exercise_of(name, s).answer for name in TASKS) for s in STUDENTS]
    assert len(set(answers)) == len(STUDENTS)
    same = [
        sum(a == b for a, b in zip(*pair, strict=True))
        for pair in itertools.combinations(answers, 2)
    ]
    assert max(same) <= 4


def test_an_unknown_task_is_an_error():
    with pytest.raises(ArgumentError, match="say whose, with student="):
        verdict("lab1", 1.0)
    with pytest.raises(ArgumentError, match="lab9"):
        ask("lab9", "ada")
