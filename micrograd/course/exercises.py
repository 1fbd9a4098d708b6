"""The exercises of the notebooks: the correct answer, why, and a hint for each known mistake."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from micrograd.ops import TABLE

__all__ = ["EXERCISES", "Exercise"]


@dataclass(frozen=True)
class Exercise:
    """An exercise whose answer is one number, or one number for each of several inputs.

    Parameters
    ----------
    right : tuple of (float, float) or callable
        For each number of the answer, the interval in which it is correct; or, where many numbers
        are correct, a function that tells whether one is.
    why : str
        The explanation, shown after a correct answer.
    mistakes : tuple of (int, float, str)
        Known mistakes: the index in the answer, the wrong number, and the hint.
    sample : tuple of float
        A correct answer, where the intervals do not tell it.
    """

    right: tuple[tuple[float, float] | Callable[[float], bool], ...]
    why: str
    mistakes: tuple[tuple[int, float, str], ...] = ()
    sample: tuple[float, ...] = ()

    @property
    def answer(self) -> tuple[float, ...]:
        """A correct answer: the sample, or the middle of each interval.

        Examples
        --------
        >>> EXERCISES["06a"].answer
        (0.0001,)
        """
        intervals = [part for part in self.right if not callable(part)]
        return self.sample or tuple((low + high) / 2 for low, high in intervals)


def _slip(name: str, wrong: str) -> str:
    """Return what the row of an operation says of a wrong derivative."""
    return next(says for _, formula, says in TABLE[name].slips if formula == wrong)


def _near(number: float, tolerance: float = 5e-4) -> tuple[float, float]:
    """Return the interval around a number that allows for rounding."""
    return number - tolerance * abs(number), number + tolerance * abs(number)


def _is_good_second_step(h: float) -> bool:
    """Return whether the second difference of tanh at 1 has an error below 1e-6."""
    if 1 + h == 1 or not abs(h) < 1:
        return False
    second = (math.tanh(1 + h) - 2 * math.tanh(1) + math.tanh(1 - h)) / h**2
    return abs(second + 2 * math.tanh(1) * (1 - math.tanh(1) ** 2)) < 1e-6


EXERCISES: Final[dict[str, Exercise]] = {
    "01a": Exercise(
        (_near(-10),),
        "f'(x) = 6x - 4, and 6 * (-1) - 4 = -10.",
        (
            (0, -6, "The -4 of f'(x) = 6x - 4 is missing."),
            (0, 10, "The size is correct, the sign is not: does f rise or fall there?"),
            (0, 12, "That is f(-1), the value: the question is for the slope."),
        ),
    ),
    "01b": Exercise(
        (_near(-4),),
        "b reaches L through e = a * b, so the slope is a times dL/de, 2 * (-2).",
        (
            (0, 2, "That is the local derivative a of e = a * b: multiply it by dL/de."),
            (0, 6, "That is the gradient of a: the other factor beside b is a."),
            (0, 4, "The size is correct, the sign is not: which sign has dL/de?"),
        ),
    ),
    "01c": Exercise(
        (_near(-4 / 5),),
        "x enters the quotient twice, and each path gives -2/5.",
        (
            (0, -2 / 5, "That is one path of two: x is in the numerator and in the denominator."),
            (0, 2 / 3, "That is the derivative of the numerator alone."),
        ),
    ),
    "01d": Exercise(
        (_near(1e-6 / 3),),
        "3 * h is 1e-6 there; a smaller h is better still, until rounding takes over.",
        (
            (0, 1e-6, "There the error is three times what it may be."),
            (0, 3e-6, "The factor 3 makes the error larger, so h must be smaller."),
            (0, 1e-8, "That is small enough, but there are larger ones."),
        ),
    ),
    "01e": Exercise(
        (_near(-12.353553), _near(10.2569903), _near(0.0625)),
        "Five rules, each used once, and the chain rule inside sin(3b).",
        (
            (0, -12.0, "The square root of a is missing: its slope is -1 / (2 * sqrt(a))."),
            (1, 12.0792508, "The inner slope 3 of sin(3b) is missing."),
            (1, 15.9534461, "Angles are in radians, not in degrees."),
            (2, -0.0625, "The minus of -1/c meets the minus of the power -2."),
        ),
    ),
    "02a": Exercise(
        (_near(11),),
        "Through c it is 4, through d it is 7, and paths add.",
        (
            (0, 7, "The path through c is missing."),
            (0, 4, "The path through d is missing."),
            (0, 28, "Paths add; it is the edges along a path that multiply."),
        ),
    ),
    "02b": Exercise(
        (_near(-8), _near(0)),
        "2 * y for x; max passes nothing to the smaller operand.",
        (
            (0, -4, "The upstream 2 is missing."),
            (0, 6, "That is the gradient of y: the other factor beside x is y."),
            (0, 8, "The size is correct, the sign is not: which sign has y?"),
            (1, 2, "max passes on to the larger operand only: which is it?"),
            (1, 1, "max does not split: one operand gets all."),
        ),
    ),
    "02c": Exercise(
        (_near(-1.5),),
        "1/2 for tanh times w1 = -3; the + copies.",
        (
            (0, 1, "That is x1 itself times 1/2: take the other factor."),
            (0, -3, "The slope 1/2 of tanh is missing."),
            (0, -2.1213203, _slip("tanh", "out")),
        ),
    ),
    "02d": Exercise(
        (_near(5),),
        "e first; then c d a b, c d b a, d c a b, d c b a or c a d b.",
        (
            (0, 24, "Any order after e? c must come before a, and c and d before b."),
            (0, 4, "In some orders a passes on before d, as only c uses it: are they counted?"),
            (0, 2, "c and d may change places, and a and b too; and more is allowed."),
        ),
    ),
    "02e": Exercise(
        (_near(2), _near(1)),
        "Leaves add up over passes; c belongs to the last pass alone.",
        (
            (0, 3, "c starts from 0 in the second pass: it passes on 1 again, not 2."),
            (0, 1, "Leaves add up over passes, on purpose."),
            (1, 2, "The gradient of a result belongs to the last pass alone."),
        ),
    ),
    "03a": Exercise(
        (_near(63 / 64), _near(-37 / 64)),
        "The sum of the two rows of J.",
        (
            (0, 27 / 64, "That is the first row: the second output counts too."),
            (0, 36 / 64, "That is the second row: the first output counts too."),
            (0, -6 / 64, "That adds up a row; (1, 1) on the left adds up the columns."),
            (1, -33 / 64, "The first row again: add that of the second output."),
            (1, -4 / 64, "The second row again: add that of the first output."),
            (1, 32 / 64, "That adds up the second row; add up the second column."),
        ),
    ),
    "03b": Exercise(
        (_near(-153 / 128),),
        "For the second hidden neuron dl/ds = -17/8 * 3/16 = -51/128, times the input 3.",
        (
            (0, -5.625, "The slope of the activations of layer 2 is missing: rule 1 acts twice."),
            (0, -6.375, "The slope of the hidden activation is missing: rule 1 acts twice."),
            (
                0,
                -0.24609375,
                "That is the result without the transpose: which edges leave neuron 2?",
            ),
            (0, 1.1953125, "The size is correct, the sign is not: is it x - y or y - x?"),
            (0, -0.59765625, "The 2 of the square is missing."),
            (0, -0.3984375, "That is the gradient of the bias: rule 3 has one more factor."),
            (0, -0.298828125, "x is the input here: you took the hidden activation."),
            (0, -4.78125, _slip("sigmoid", "out")),
            (0, -1.59375, "That is the slope of the other hidden neuron: s is ln 3 here."),
            (0, -0.6328125, "One path of two: the hidden neuron feeds output 2 as well."),
            (0, -0.5625, "One path of two: the hidden neuron feeds output 1 as well."),
            (0, 0.46875, "That is the other row: the weight leads to neuron 2."),
            (0, -0.796875, "That is the other column: the weight comes from input 2."),
            (0, -1.255051, "The second layer has been updated already: all gradients first."),
            (
                0,
                -1.201286,
                "The second layer has been updated already, by 0.1: all gradients first.",
            ),
        ),
    ),
    "03c": Exercise(
        (_near(0.2775016), _near(0.0381987)),
        "Both samples use one leaf: contributions add.",
        (
            (0, 0.28125, "That is the first sample alone: the bias is used twice."),
            (0, -0.003748, "That is the second sample alone: the bias is used twice."),
            (0, 0.1387508, "That is the mean: the loss here is a sum."),
            (1, -0.25, "The first sample alone: each sample adds."),
            (1, 0.288199, "The second sample alone: each sample adds."),
            (1, 0.0190994, "The mean again: the loss here is the sum."),
        ),
    ),
    "03d": Exercise(
        ((1184, 1184), (1344, 1344)),
        "64 * 16 + 16 * 10, and once more 16 * 10 for the gradient of the hidden layer.",
        (
            (0, 1210, "Biases are added, not multiplied."),
            (1, 2368, "The gradient of the input is not needed."),
            (1, 1184, "Rule 3 alone: rule 2 uses the weights of layer 2 once more."),
            (1, 160, "Rule 2 alone: rule 3 has a product for every weight as well."),
        ),
    ),
    "03e": Exercise(
        (_near(1), _near(0)),
        "Two signs cancel in the step; the check compares one gradient, and finds the ratio -1.",
        (
            (0, 0, "Multiply the two signs: in which direction is the step?"),
            (1, 1, "The check does not look at the step: does this gradient agree with a nudge?"),
        ),
    ),
    "04a": Exercise(
        (_near(1), _near(0)),
        "Below a margin of 1 the slope is -y = 1; at -1.3 the margin is 1.3, and the loss is 0.",
        (
            (0, -1, "The sign: the slope is -y, and y is -1 here."),
            (1, 1, "The margin y * s is 1.3 there: is that below 1?"),
            (1, -1, "The margin y * s is 1.3 there: what is the loss?"),
        ),
    ),
    "04b": Exercise(
        (_near(1),),
        "The loss rises at first, and in the end every point is classified correctly.",
        (
            (0, 0.1, "Smooth is not fast: compare the first loss and the last."),
            (0, 3, "9, then 43: it has diverged, and does not recover in time."),
        ),
    ),
    "04c": Exercise(
        ((-0.0, 0.0), _near(-0.0474259, 5e-3), _near(4)),
        "0 from a margin of 1 on; never 0, -sigmoid(-3); and pulled back, 2 * (3 - 1).",
        (
            (0, -1, "The margin is 3: is that below 1?"),
            (1, 0, "The slope of the log loss is never 0: it is -sigmoid(-s)."),
            (
                1,
                -0.952574,
                "That is -sigmoid(3), of the true class: take the probability of the other.",
            ),
            (
                1,
                0.0474259,
                "The size is correct, the sign is not: a higher score lowers this loss.",
            ),
            (2, 0, "The squared error wants the score to be 1, not at least 1."),
            (2, 2, "The 2 of the square is missing."),
            (2, -4, "The size is correct, the sign is not: it is s - y."),
        ),
    ),
    "04d": Exercise(
        (_near(0.6),),
        "The gradient of the first step is 0: everything happens one round late.",
        (
            (0, 1.08, "That is the correct order: which gradient does the first step use?"),
            (0, 0, "The first step uses 0; which gradient does the second one use?"),
            (0, 1.2, "Only one of the two steps has a gradient."),
        ),
    ),
    "04e": Exercise(
        (_near(4),),
        "Two weights and a bias into the unit, slope 0; one weight out of it, input 0.",
        (
            (
                0,
                3,
                "Into the unit, yes; and out of it? There a gradient is a product with 0 as well.",
            ),
            (
                0,
                2,
                "The bias of the unit has no effect either; then look at what follows the unit.",
            ),
            (
                0,
                1,
                "That is the weight out of it; the gradients of what goes in pass a slope of 0.",
            ),
        ),
    ),
    "05a": Exercise(
        (_near(1 / 8), _near(-3 / 4), _near(5 / 8)),
        "p - y: the probabilities, less 1 at the label.",
        (
            (1, 0.25, "The 1 of the label is missing: p - y."),
            (1, 0.75, "The size is correct, the sign is not: it is p - y."),
            (0, -0.875, "The label is the second class, not this one."),
            (2, -0.375, "The label is the second class; this one has p alone."),
            (0, 1, "That is e to the logit: divide by the sum of all three."),
        ),
    ),
    "05b": Exercise(
        (_near(6.9077553),),
        "-log p, with the natural logarithm.",
        (
            (0, 0.001, "That is p itself: the loss is -log p."),
            (0, -6.9077553, "The minus of -log p is missing."),
            (0, 3, "That is the logarithm to base 10: use the natural one."),
        ),
    ),
    "05c": Exercise(
        (_near(2.3025851, 5e-3),),
        "Before training each class has p = 1/10, and -log(1/10) = log 10.",
        (
            (0, 1, "That is where the hinge loss starts: here it is -log p. What is p?"),
            (0, 0.1, "That is p: the loss is -log p."),
            (0, 1.0986123, "That is for three classes."),
        ),
    ),
    "05d": Exercise(
        (_near(2),),
        "The mean and spread of the test rows have entered every row of the training data.",
        (
            (0, 3, "The split is correct, but what does it split?"),
            (0, 4, "Training uses what line 3 gives it: has that leaked before?"),
            (0, 5, "Line 5 may look at the test rows: it measures, and trains nothing."),
            (0, 1, "Reading the data teaches a model nothing yet."),
        ),
    ),
    "05e": Exercise(
        (_near(100 / 38, 5e-3),),
        "100 / 38: no difference smaller than that can be seen.",
        (
            (0, 1 / 38, "In percentage points: times 100."),
            (0, 100 / 150, "Only the held-out flowers are counted."),
            (0, 100 / 112, "That is one of the training flowers."),
        ),
    ),
    "06a": Exercise(
        (_is_good_second_step,),
        "The bend of the bend is small, and h * h still large compared with the rounding.",
        (
            (0, 1e-8, "The differences are divided by 1e-16: no digits survive."),
            (0, 1e-6, "The rounding of f is divided by 1e-12 here: a larger h."),
            (0, 0.1, "The bend of the bend matters here: a smaller h."),
        ),
        sample=(1e-4,),
    ),
    "06b": Exercise(
        (_near(2), _near(4), _near(4), _near(6)),
        "2y, 2x, 2x and 6y.",
        (
            (1, 0, "x and y meet in x * x * y: differentiate with respect to x, then y."),
            (2, 0, "The order of the two nudges does not matter: as number 2."),
            (3, 3, "That is half of it: y**3 gives 3 * y**2, and that once more."),
            (0, 4, "That is the first derivative with respect to x: differentiate once more."),
        ),
    ),
    "06c": Exercise(
        (_near(6), _near(10)),
        "Row by row: 2 + 4 and 4 + 6.",
        (
            (0, 2, "The mixed partial of the first row is missing."),
            (1, 6, "The mixed partial of the second row is missing."),
        ),
    ),
    "06d": Exercise(
        (_near(1), _near(0)),
        "The function is x itself, but the derivative of each relu at 0 is taken as 0.",
        (
            (0, 0, "Draw it: left of 0 it is -relu(-x), right of 0 it is relu(x)."),
            (1, 1, "The engine differentiates each relu alone, by its rule, at 0."),
            (1, 2, "At 0, not to its right: what is the rule for a relu there?"),
        ),
    ),
    "06e": Exercise(
        (_near(3),),
        "sqrt has an infinite slope at 0, and infinity times 0 has no value.",
        (
            (0, 4, "Is every slope on the way finite at 0?"),
            (0, 2, "What is the rule for a tie of a maximum?"),
            (0, 1, "A kink is no reason to have none: what are the conventions?"),
        ),
    ),
    "07a": Exercise(
        (_near(2), _near(9)),
        "d_v1, which is a; and 7 + 2.",
        (
            (0, 7, "That is there already: what does v1 add for a?"),
            (0, 5, "b is not in it: v1 = a + b passes on d_v1 unchanged."),
            (1, 7, "One contribution of two: a is used twice."),
            (1, 14, "Contributions add, they do not multiply."),
        ),
    ),
    "07b": Exercise(
        (_near(2.0**-53),),
        "0.6000000000000001 - 0.6: the last bit of a float between 1/2 and 1.",
        (
            (0, 0, "So it is on paper, but Python prints 0.6000000000000001 and 0.6."),
            (0, 2.0**-52, "That is the last bit above 1: these two lie below it."),
            (0, 1e-16, "The printed digits are rounded: let Python subtract."),
        ),
    ),
    "07c": Exercise(
        (_near(0.1), _near(1)),
        "The number decides at each call which of the two branches counts.",
        (
            (0, 1, "At -2 the condition does not hold: the other branch counts."),
            (0, -0.2, "That is the value: the question is for the slope."),
            (1, 0.1, "At 3 the condition holds: the first branch counts."),
            (1, 3, "That is the value there, not the slope."),
        ),
    ),
    "07d": Exercise(
        ((6, 6),),
        "Each step saves 39.98 ms, and 200 / 39.98 is a little more than 5.",
        (
            (0, 5, "How much do five steps save: is it all of the 200 ms?"),
            (0, 10_000, "Divide by what a step saves, not by what it costs now."),
        ),
    ),
    "08a": Exercise(
        (_near(5), _near(2), _near(9)),
        "Each fault leaves its own numbers; the smallest failing graph tells the most.",
        (
            (0, 1, "If a contribution were replaced, a + a would give 1."),
            (0, 6, "Then every gradient would be 0."),
            (0, 4, "Then Olah's graph would give 3 for a, not 1."),
            (1, 9, "Then one test alone would fail, that of two passes."),
            (1, 3, "Then the 39 graph would give 0."),
            (1, 5, "Then the 39 graph would give 3."),
            (2, 2, "Then the 39 graph would fail as well."),
            (2, 6, "Then only tests without a backward pass would pass."),
        ),
    ),
    "08b": Exercise(
        (_near(0.8807971),),
        "e^x / (1 + e^x), which is the logistic function.",
        (
            (0, 2.126928, "That is softplus(2), the value: the question is for the slope."),
            (
                0,
                7.3890561,
                "That is the slope of e^x inside: multiply by the slope of log, 1 / (1 + e^x).",
            ),
            (
                0,
                0.1192029,
                "That is the slope of log alone: multiply by the slope of what is inside.",
            ),
        ),
    ),
    "08c": Exercise(
        (_near(6),),
        "two passes, sum(), minus, division, exp and one that trains or uses tanh.",
        (
            (0, 12, "A test may find more than one fault: how many does xor find?"),
            (
                0,
                1,
                "Only one test looks at the slope of exp, and only one at a number on the left.",
            ),
            (0, 4, "Count the faults that one test alone finds: each of these tests is needed."),
            (0, 5, "Look at the faults that escape: which does none of your tests find?"),
        ),
    ),
    "09a": Exercise(
        (_near(-0.75), _near(0.75)),
        "p (v - o): 1/4 (4 - 7) and 3/4 (8 - 7).",
        (
            (0, 0.25, "That is the gradient of the value: the score moves the weights."),
            (0, 1, "That is p v: only how far v lies from o counts."),
            (0, -3, "That is v - o: the weight p is missing."),
            (0, 0, "The first score is 0, its gradient is not: how far is 4 from 7?"),
            (1, 6, "That is p v: only how far v lies from o counts, for this one too."),
            (1, 1, "That is v - o: the weight p is missing here as well."),
        ),
    ),
    "09b": Exercise(
        (_near(1.3),),
        "1 for the residual, and 0.3 times the slope of tanh at 0, which is 1.",
        (
            (0, 0.3, "x itself is added too: what is its slope?"),
            (0, 1, "tanh is steepest at 0."),
            (0, 0, "That is the value at 0: the question is for the slope."),
            (0, 0.7, "The residual is added, not subtracted."),
        ),
    ),
    "09c": Exercise(
        (_near(0), _near(0)),
        "A longer x has the same direction, so n does not change.",
        (
            (0, 0.2, "That is n itself: the question is for its change."),
            (0, 1, "That is x: what happens to n when x grows in its own direction?"),
            (1, 1.4, "That is n itself: here too its change is asked for."),
            (1, 7, "That is x: does n change when x becomes twice as long?"),
        ),
    ),
}
"""The exercises by name: the notebook's number and a letter."""
