"""Numbers and names as they are shown, and whether what is shown is exact."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from micrograd.backward_pass import is_same
from micrograd.style import finite, number_text

__all__ = ["latex_name", "latex_text", "shown", "sign_of_equation", "sign_of_number", "signed"]

_SPECIAL = re.compile(r"[\\{}_^#$%&~ ]")


def signed(number: Any) -> str:
    """Return a gradient as text: with its sign, and "–" where it is not known yet.

    Examples
    --------
    >>> signed(4), signed(-0.5), signed(0), signed(None)
    ('+4', '-0.5', '0', '–')
    """
    return number_text(number, signed=True)


def shown(text: str) -> Any:
    """Return the number that `text` shows exactly; None where it shows none, as "≈0.3".

    Examples
    --------
    >>> shown("+0.25"), shown("inf!"), shown("–")
    (Fraction(1, 4), inf, None)
    """
    try:
        return float(text[:-1]) if text.endswith("!") else Fraction(text)
    except ValueError:
        return None


def sign_of_equation(numbers: Sequence[Any], result: str, join: Callable[..., Any]) -> str:
    """Return "=" where the digits that are shown make an equation true, else "≈".

    Parameters
    ----------
    numbers : sequence of str
        What is joined, as it is shown.
    result : str
        What stands on the other side.
    join : callable
        Computes on exact numbers, `operator.mul` for one.

    Examples
    --------
    >>> import operator
    >>> sign_of_equation(["0.25", "2"], "+0.5", operator.mul)
    '='
    >>> sign_of_equation(["0.3333", "3"], "1", operator.mul)
    '≈'
    """
    operands, wanted = [shown(text) for text in numbers], shown(result)
    if wanted is None or None in operands:
        return "≈"
    try:
        found = join(*operands)
    except OverflowError:
        return "≈"
    return "=" if is_same(found, wanted) else "≈"


def sign_of_number(number: Any, precision: int = 4) -> str:
    """Return "=" where `number_text` shows all digits of a number, else "≈".

    Examples
    --------
    >>> sign_of_number(0.25), sign_of_number(1 / 3)
    ('=', '≈')
    """
    exact = shown(number_text(number, precision))
    if isinstance(number, float) and finite(number):
        return "=" if exact == Fraction(repr(number)) else "≈"
    return "=" if exact is not None and is_same(number, exact) else "≈"


def latex_name(name: str) -> str:
    r"""Return a name as upright LaTeX.

    Examples
    --------
    >>> latex_name("w_1")
    '\\mathrm{w\\_1}'
    """
    return rf"\mathrm{{{_SPECIAL.sub(_escaped, name)}}}"


def latex_text(text: str) -> str:
    r"""Return an expression or a sentence's part as upright LaTeX.

    Examples
    --------
    >>> latex_text("a × b")
    '\\mathrm{a\\ \\cdot \\ b}'
    """
    name = latex_name(text)
    return name.replace("×", r"\cdot ").replace("≈", r"\approx ").replace("…", r"\dots ")


def _escaped(match: re.Match[str]) -> str:
    special = {"\\": r"\backslash{}", "^": r"\hat{}", "~": r"\sim{}", " ": r"\ "}
    return special.get(match[0], "\\" + match[0])
