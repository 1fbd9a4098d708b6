"""How numbers are written and how large they are drawn, the same in every picture.

>>> number_text(6.8813735870195432), number_text(0.5, signed=True), number_text(1.5e-12)
('6.881', '+0.5', '1.5e-12')
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Final

from micrograd.checks import whole_number
from micrograd.values.checks import is_finite as finite

__all__ = [
    "UNKNOWN", "finite", "largest", "magnitude", "number_text", "short", "stroke_width", "thinned",
]  # fmt: skip

UNKNOWN: Final = "–"  # a number that is not known yet, such as a gradient before backward


def largest(numbers: Iterable[Any]) -> Any:
    """Return the scale of a picture: the largest absolute value among finite numbers, or 0.

    Of more than 100 numbers it is the 98th percentile, so that one giant does not hide the rest.

    Examples
    --------
    >>> largest([0.5, -3, float("inf")])
    3
    """
    sizes = sorted(abs(number) for number in numbers if finite(number))
    if not sizes:
        return 0
    if len(sizes) > 100:
        return sizes[math.ceil(0.98 * len(sizes)) - 1] or sizes[-1]
    return sizes[-1]


def magnitude(number: Any, scale: Any) -> float:
    """Return the square root of |number| / scale, at most 1: a root, so that small numbers show.

    Examples
    --------
    >>> magnitude(-0.25, 1.0), magnitude(5, 1)
    (0.5, 1.0)
    """
    if not finite(number):
        return 1.0
    if not number or not scale:
        return 0.0
    if abs(number) >= scale:
        return 1.0
    return math.sqrt(abs(number) / scale)


def stroke_width(number: Any, scale: Any) -> float:
    """Return the width of the line that stands for `number`, in pixels.

    Examples
    --------
    >>> stroke_width(1, 1), stroke_width(0, 1)
    (6.0, 1.2)
    """
    return 1.2 + 4.8 * magnitude(number, scale)


def number_text(x: Any, precision: int = 4, signed: bool = False) -> str:
    """Return a number as every picture writes it: short.

    Parameters
    ----------
    x : int, float, Fraction or None
        None stands for a number that is not known yet. A Value is written as its data.
    precision : int, default 4
        Significant digits; trailing zeros are dropped.
    signed : bool, default False
        Whether to write a plus sign too, as for gradients and contributions.

    Returns
    -------
    str
        With an ASCII minus. A Fraction of more than 12 characters is rounded and marked by "≈".
        Integers below 10**6 are written in full. "nan" and "inf" end in "!".

    Raises
    ------
    ArgumentError
        If `precision` is not a whole number from 1 to 17. Also a ValueError.

    Examples
    --------
    >>> [number_text(x) for x in (0.70710678, -3.0, 1.234567e-5, 6.02e23, -0.0, None)]
    ['0.7071', '-3', '1.235e-5', '6.02e23', '0', '–']
    >>> from fractions import Fraction
    >>> number_text(Fraction(3, 4), signed=True), number_text(Fraction(10**9, 7 * 10**8 + 1))
    ('+3/4', '≈1.429')
    """
    if type(precision) is not int or not 1 <= precision <= 17:
        precision = whole_number("precision", precision, 1, 17)
    if type(x) is float:  # by far the most frequent case, made fast for pictures of large graphs
        body = _float_text(abs(x), precision)
        sign = "-" if x < 0 and body != "0" else "+" if signed and x > 0 else ""
        return sign + body
    if x is None:
        return UNKNOWN
    x = getattr(x, "data", x)
    if isinstance(x, Fraction):
        body = _fraction_text(abs(x), precision)
    elif isinstance(x, int):
        size = abs(x)
        body = str(size) if size < 10**6 else _scientific_text(size, precision)
    else:
        body = _float_text(abs(float(x)), precision)
    negative = x < 0 and body not in ("0", "≈0")
    if body.startswith("≈"):
        plus = "+" if signed and body != "≈0" else ""
        return "≈" + ("-" if negative else plus) + body[1:]
    return ("-" if negative else "+" if signed and x > 0 else "") + body


def _fraction_text(size: Fraction, precision: int) -> str:
    if size.denominator == 1:
        return number_text(size.numerator, precision)
    if max(size.numerator, size.denominator) < 10**11:  # a longer one cannot fit: do not write it
        exact = f"{size.numerator}/{size.denominator}"
        if len(exact) <= 12:
            return exact
    try:
        return "≈" + _float_text(float(size), precision)
    except OverflowError:
        return "≈" + _scientific_text(int(size), precision)


def _float_text(size: float, precision: int) -> str:
    if math.isnan(size) or math.isinf(size):
        return f"{size}!"
    if size == 0:
        return "0"
    if size.is_integer() and size < 10**5:
        return str(int(size))
    mantissa, exponent = f"{size:.{precision - 1}e}".split("e")
    power = int(exponent)
    if 1e-4 <= size < 1e5:
        return _trimmed(f"{size:.{max(precision - 1 - power, 0)}f}")
    return f"{_trimmed(mantissa)}e{power}"


def _scientific_text(size: int, precision: int) -> str:
    """Write an int of any length: `float` ends at 1e308, and `str` at 4,300 digits."""
    power = int((size.bit_length() - 1) * math.log10(2))
    if size // 10**power >= 10:
        power += 1
    if power >= precision:
        unit = 10 ** (power - precision + 1)
        digits = str((size + unit // 2) // unit)
    else:
        digits = str(size)
    power += len(digits) - precision if power >= precision else 0
    return f"{_trimmed(digits[0] + '.' + digits[1:])}e{power}"


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def short(text: str, limit: int = 18) -> str:
    """Return `text`, or its first and last 8 characters if it has more than `limit`.

    Examples
    --------
    >>> short("the_weight_of_the_first_input")
    'the_weig…st_input'
    """
    return text if len(text) <= limit else f"{text[:8]}…{text[-8:]}"


def thinned(points: list[tuple[int, float]], most: int = 500) -> list[tuple[int, float]]:
    """Return at most `most` points of a curve: the lowest and the highest of each stretch."""
    if len(points) <= most:
        return points
    size = math.ceil((len(points) - 2) / ((most - 2) // 2))
    kept = [points[0]]
    for start in range(1, len(points) - 1, size):
        part = points[start : min(start + size, len(points) - 1)]
        kept += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return [*kept, points[-1]]
