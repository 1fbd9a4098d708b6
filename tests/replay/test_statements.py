"""Statements of a language like C: constants as they are spelt, and no line that nothing uses."""

import math

from micrograd.replay.statements import Statements


def test_numbers_are_exact_and_negative_ones_stand_in_parentheses():
    statements = Statements()
    texts = [statements.constant(v) for v in (0.1, -2.0, 1e300, math.nan, math.inf, -math.inf)]
    assert texts == ["0.1", "(-2.0)", "1e+300", "NAN", "INFINITY", "(-INFINITY)"]


def test_a_constant_that_no_later_line_uses_is_left_out():
    statements = Statements()
    a = statements.binary("+", "x[0]", "x[1]")
    statements.binary("*", a, a)
    statements.lines.append(f"return {a};")
    assert statements.used() == ["    const double t1 = x[0] + x[1];", "return t1;"]
