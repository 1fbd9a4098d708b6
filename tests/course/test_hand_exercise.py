"""The hand exercise: the numbers of its solution, and two pages that can be printed."""

import re
from itertools import pairwise

import pytest
from mpmath import mp

from micrograd.course import hand_exercise
from micrograd.course.hand_exercise import Network


def drawn(solution):
    """Return the texts of a page, without drawing it."""
    page = hand_exercise._Page(_Axes(), solution)
    page.draw(Network())
    return page.ax.texts


class _Axes:
    def __init__(self):
        self.texts = []

    def text(self, x, y, words, **options):
        self.texts.append(words)

    def __getattr__(self, name):
        return lambda *args, **options: None


def test_the_gradients_are_those_of_the_nudge():
    def loss(*parameters):
        rows, x = iter(parameters), (2, 3)
        for _ in range(2):
            x = [1 / (1 + mp.exp(-(next(rows) * x[0] + next(rows) * x[1] + next(rows)))) for _ in x]
        return x[0] ** 2 + (x[1] - 1) ** 2

    ln3 = mp.log(3)
    at = [3, -2, 0, 1, 1, ln3 - 5, 4, -4, 1 + ln3, 2, 4, -4]
    network = Network()
    found = [
        p.grad
        for w, b in zip(network.w, network.b, strict=True)
        for row, bias in zip(w, b, strict=True)
        for p in (*row, bias)
    ]
    for i, gradient in enumerate(found):
        order = [int(i == j) for j in range(12)]
        assert gradient == pytest.approx(float(mp.diff(loss, at, order)), rel=1e-12)


def test_the_solution_fills_each_blank_of_the_exercise_with_a_number_for_paper():
    pytest.importorskip("matplotlib")
    blank, filled = (drawn(solution) for solution in (False, True))
    names = [words for words in blank if words.endswith(" =") and words != "b ="]
    assert len(names) == 16 + 1 + 12
    assert len(filled) == len(blank) + len(names)
    for words, number in pairwise(filled):
        if words in names:
            assert re.fullmatch(r"−?\d+(/\d+)?|ln 3", number), words
    assert [filled[filled.index(name) + 1] for name in ("∂ℓ/∂x₂ =", "∂ℓ/∂s₂ =", "ℓ =")] == [
        "−17/8",
        "−51/128",
        "13/16",
    ]


@pytest.mark.slow
def test_both_are_one_page_of_a4_and_the_same_each_time():
    pytest.importorskip("matplotlib")
    for solution in (False, True):
        page = hand_exercise.hand_exercise(solution)
        assert page == hand_exercise.hand_exercise(solution)
        assert page.count(b"/Type /Page ") + page.count(b"/Type /Page\n") == 1
        width, height = map(
            float, re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", page).groups()
        )
        assert (width, height) == pytest.approx((595.3, 841.9), abs=0.5)
