"""A laboratory for a class: the same eight tasks for everyone, with numbers of one's own.

>>> ask("lab2", "ada")
lab2. e = (a + b) * (b + 1) at a = 7, b = 6. What is the derivative of e with respect to
b?
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from textwrap import fill
from typing import Final

from micrograd.checks import one_of
from micrograd.course.exercises import Exercise

__all__ = ["TASKS", "ask", "exercise_of"]

_Drawn = tuple[str, float, str, list[tuple[float, str]]]
"""The question, the answer, why, and the known mistakes with their hints."""


def ask(name: str, student: str) -> None:
    """Print a task of the laboratory with the numbers of a student.

    Parameters
    ----------
    name : {"lab1", ..., "lab8"}
    student : str
        What the numbers are drawn from: any text, of which everyone has their own.

    Raises
    ------
    ArgumentError
        If there is no such task. Also a ValueError.

    Examples
    --------
    >>> ask("lab8", "ada")
    lab8. A network of 48 inputs, 12 hidden neurons and 5 outputs. How many multiplications
    between weights and numbers does one backward pass take?
    """
    print(fill(f"{name}. {_drawn(name, student)[0]}", 88))


def exercise_of(name: str, student: str) -> Exercise:
    """Return a task of the laboratory with the numbers of a student, as an exercise.

    Parameters
    ----------
    name : {"lab1", ..., "lab8"}
    student : str

    Raises
    ------
    ArgumentError
        If there is no such task. Also a ValueError.

    Examples
    --------
    >>> exercise_of("lab2", "ada").answer
    (20.0,)
    """
    _, answer, why, mistakes = _drawn(name, student)
    kept: list[tuple[int, float, str]] = []
    for wrong, hint in mistakes:  # numbers that fall together tell nothing
        others = [answer, *(number for _, number, _ in kept)]
        if not any(math.isclose(wrong, number, rel_tol=5e-3) for number in others):
            kept.append((0, wrong, hint))
    margin = 5e-4 * abs(answer)
    return Exercise(((answer - margin, answer + margin),), why, tuple(kept))


def _drawn(name: str, student: str) -> _Drawn:
    one_of("the task", name, TASKS)
    return TASKS[name](random.Random(f"{name} of {student}"))


def _slope(draw: random.Random) -> _Drawn:
    a, b, c, x = draw.randint(2, 9), draw.randint(2, 9), draw.randint(2, 9), draw.randint(2, 6)
    return (
        f"f(x) = {a}x² - {b}x + {c}. What is its slope at x = {x}?",
        2 * a * x - b,
        f"f'(x) = {2 * a}x - {b}.",
        [
            (2 * a * x, "The slope of the term in x is missing."),
            (a * x - b, "The 2 of the square is missing."),
            (a * x * x - b * x + c, "That is the value of f: the question is for its slope."),
            (2 * a * x + b, "The minus went missing."),
        ],
    )


def _paths(draw: random.Random) -> _Drawn:
    a, b = draw.randint(2, 9), draw.randint(2, 9)
    c, d = a + b, b + 1
    return (
        f"e = (a + b) * (b + 1) at a = {a}, b = {b}. "
        "What is the derivative of e with respect to b?",
        c + d,
        "Two paths, and they add: through the first factor b + 1, through the second a + b.",
        [
            (c, "The path through the first factor is missing."),
            (d, "The path through the second factor is missing."),
            (c * d, "Paths add; it is the edges along a path that multiply."),
        ],
    )


def _order(draw: random.Random) -> _Drawn:
    k, m, a = draw.randint(2, 6), draw.randint(1, 6), draw.randint(2, 6)
    b, c = k * a, k * a + m
    return (
        f"b = {k} * a, c = b + {m}, d = b * c at a = {a}. "
        "What is the derivative of d with respect to a?",
        k * (b + c),
        f"b gets {c} from d and {b} from c, and passes on {k} times their sum.",
        [
            (k * b, "b keeps its last contribution only: contributions add."),
            (k * c, "b passes on before c has been heard: its sum is not complete."),
            (
                k * c + k * (b + c),
                "b passes on twice: it may pass on only when its sum is complete.",
            ),
            (b + c, "That is the gradient of b: one more edge leads to a."),
        ],
    )


def _neuron(draw: random.Random) -> _Drawn:
    x, v, w, b = (draw.choice((2, 3, 4, 5, 6)) for _ in range(4))
    s = w * x - v + b
    return (
        f"s = {w} * x - {v} + {b} and y = s² at x = {x}. The factor {w} is a weight w. "
        "What is the derivative of y with respect to w?",
        2 * s * x,
        f"s is {s}; upstream is 2s, and the local derivative of w * x in w is x.",
        [
            (2 * s, "The local derivative of the product is missing."),
            (s * x, "The 2 of the square is missing."),
            (2 * s * w, "A factor gets the other factor, not itself."),
            (2 * x, "Upstream is 2s: the s is missing."),
        ],
    )


def _corner(draw: random.Random) -> _Drawn:
    def number(*choices: int) -> float:
        return draw.choice(choices) / 10

    x = [number(6, 8, 12), number(15, 17, 21)]
    w1 = [[number(-4, 3), number(5, 7)], [number(-6, 6), number(2, 4)]]
    w2 = [[number(-9, 8), number(11, 13)], [number(-5, 4), number(6, 7)]]
    target = [draw.choice((0, 1)), draw.choice((0, 1))]

    def layer(w: list[list[float]], inputs: list[float]) -> list[float]:
        sums = [sum(a * b for a, b in zip(row, inputs, strict=True)) for row in w]
        return [1 / (1 + math.exp(-s)) for s in sums]

    hidden = layer(w1, x)
    out = layer(w2, hidden)
    error = [2 * (o - t) for o, t in zip(out, target, strict=True)]
    delta = [e * o * (1 - o) for e, o in zip(error, out, strict=True)]
    paths = [delta[i] * w2[i][1] for i in (0, 1)]
    slope = hidden[1] * (1 - hidden[1])
    answer = sum(paths) * slope * x[1]
    return (
        f"A network without biases: w1 = {w1}, w2 = {w2}, both layers logistic, x = {x}, "
        f"target {target}, loss Σ (output - target)². What is the derivative of the loss with "
        "respect to the weight of layer 1 to neuron 2 from input 2? (Four digits.)",
        answer,
        "Both outputs through column 2 of w2, times σ' of the hidden neuron, times input 2.",
        [
            (answer / 2, "The 2 of the square is missing."),
            (answer / slope, "The slope of the hidden activation is missing: rule 1 acts twice."),
            (
                sum(error[i] * w2[i][1] for i in (0, 1)) * slope * x[1],
                "The slope of the output activation is missing: rule 1 acts twice.",
            ),
            (paths[0] * slope * x[1], "One path of two: the neuron feeds output 2 as well."),
            (paths[1] * slope * x[1], "One path of two: the neuron feeds output 1 as well."),
            (
                sum(delta[i] * w2[1][i] for i in (0, 1)) * slope * x[1],
                "That is the result without the transpose: which edges leave the neuron?",
            ),
            (
                sum(paths) * slope,
                "That would be the gradient of a bias: rule 3 has one more factor.",
            ),
            (sum(paths) * slope * x[0], "That is the other column: the weight comes from input 2."),
        ],
    )


def _softmax(draw: random.Random) -> _Drawn:
    k, n = draw.randint(2, 5), draw.randint(6, 9)
    p = k / (1 + k + n)
    return (
        f"Three logits: 0, ln {k}, ln {n}. The second class is the true one. What is the "
        "derivative of the log loss with respect to its logit?",
        p - 1,
        f"p - 1, with p = {k}/{1 + k + n}.",
        [
            (p, "The 1 at the true class is missing: p - y."),
            (-math.log(p), "That is the loss: the question is for its slope."),
            (k - 1, "Softmax divides by the sum of all three powers of e."),
            (-1 / p, "That is the slope of -log p in p: softmax comes before it."),
        ],
    )


def _zeroing(draw: random.Random) -> _Drawn:
    start, goal = draw.randint(-9, -1), draw.randint(2, 9)

    def after_two(zeroing: bool) -> float:
        w, gradient = float(start), 0.0
        for _ in range(2):
            gradient = 2 * (w - goal) + (0.0 if zeroing else gradient)
            w -= 0.1 * gradient
        return w

    return (
        f"A loop minimises (w - {goal})² from w = {start} with rate 0.1, and never sets the "
        "gradient to zero. What is w after two steps?",
        after_two(zeroing=False),
        "The second step uses the sum of both gradients.",
        [
            (
                after_two(zeroing=True),
                "That is w if the gradient is set to zero between the steps.",
            ),
            (start - 0.2 * (start - goal), "That is w after one step."),
            (
                start + 0.2 * (start - goal),
                "The sign of the step: w moves against the slope, and twice.",
            ),
        ],
    )


def _cost(draw: random.Random) -> _Drawn:
    n, m, k = draw.choice((32, 48, 64)), draw.choice((10, 12, 16)), draw.choice((3, 5, 7))
    return (
        f"A network of {n} inputs, {m} hidden neurons and {k} outputs. How many multiplications "
        "between weights and numbers does one backward pass take?",
        n * m + 2 * m * k,
        f"{n} * {m} + {m} * {k} for the weights, and {m} * {k} for the hidden layer.",
        [
            (2 * (n * m + m * k), "The gradient of the input is not needed."),
            (n * m + m * k, "That is the forward pass, or rule 3 alone: rule 2 is missing."),
            (m * k, "That is rule 2 alone: rule 3 has a product for every weight as well."),
        ],
    )


TASKS: Final[dict[str, Callable[[random.Random], _Drawn]]] = {
    f"lab{i}": task
    for i, task in enumerate(
        (_slope, _paths, _order, _neuron, _corner, _softmax, _zeroing, _cost), 1
    )
}
"""What draws each task."""
