"""The exceptions of micrograd; each also derives from the built-in one that a caller expects.

>>> import micrograd
>>> try:
...     micrograd.log(-1)
... except ValueError as error:
...     print(error)
log(-1) is undefined: log is not defined at -1; cross_entropy and \
binary_cross_entropy_with_logits take scores and need no log; else clip the input, as with \
micrograd.maximum(x, 1e-12)
"""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Final

__all__ = [
    "ArgumentError", "ArgumentTypeError", "CycleError", "DomainError", "GradcheckError",
    "GradientError", "InputCountError", "MicrogradError", "NoSuchStepError", "NonFiniteError",
    "NotDifferentiableError", "NotInGraphError", "NumberTypeError", "OptionTypeError",
    "OverflowRangeError", "PictureError", "StaleGraphError", "StateError", "TooLargeError",
    "TraceError", "ZeroDivisorError",
]  # fmt: skip


TOO_LARGE: Final = "is too large for a float, which ends at 1.8e308"
_LONG: Final = 10**100  # integers from here on are abbreviated in messages


class MicrogradError(Exception):
    """The base of every exception that micrograd raises on purpose.

    Attributes
    ----------
    history : History or None
        The steps so far, if the error stopped a training run.
    """

    history: Any = None


class ArgumentError(MicrogradError, ValueError):
    """An argument has an invalid value, such as an unknown option or a label out of range."""


class ArgumentTypeError(MicrogradError, TypeError):
    """An argument has the wrong type."""


class NumberTypeError(MicrogradError, TypeError):
    """A number was expected, and what was given is not an int, float or Fraction."""


class OptionTypeError(ArgumentTypeError, NumberTypeError, ArgumentError):
    """An option is no number though it has to be one; a TypeError and a ValueError both."""


class DomainError(MicrogradError, ValueError):
    """A function or a derivative is undefined at its operands, as in `log(-1)`."""


class ZeroDivisorError(MicrogradError, ZeroDivisionError):
    """A value or a derivative would be infinite because of a division by zero."""


class OverflowRangeError(MicrogradError, OverflowError):
    """A result is too large for a float, as in `exp(1000)`."""


class InputCountError(MicrogradError, ValueError):
    """A function, neuron, layer or network got the wrong number of inputs."""


class StateError(MicrogradError, ValueError):
    """A saved state cannot be read, or does not fit the object that it is loaded into."""


class PictureError(MicrogradError, RuntimeError):
    """A picture cannot be made: the layout program is missing or failed."""


class StaleGraphError(MicrogradError, RuntimeError):
    """Data changed after the forward pass, so the recorded derivatives no longer apply."""


class CycleError(MicrogradError, ValueError):
    """A graph contains itself: some node, made by hand, is among its own ancestors."""


class NotInGraphError(MicrogradError, KeyError):
    """A value that was asked for is not in the graph, or its name is ambiguous."""

    __str__ = Exception.__str__  # that of KeyError shows the repr of the message


class NoSuchStepError(MicrogradError, IndexError):
    """There is no step of that number."""


class TooLargeError(MicrogradError, ValueError):
    """There are too many values or steps to show; the message says what to do instead."""


class GradientError(MicrogradError, RuntimeError):
    """A node has no rule for its local derivatives, or the rule cannot be used here."""


class NotDifferentiableError(GradientError, TypeError):
    """A derivative rule left the graph, for instance through `math.exp(v)` or `float(v)`."""


class GradcheckError(GradientError, AssertionError):
    """A gradient disagrees with central differences."""


class TraceError(MicrogradError, TypeError):
    """A function cannot be compiled, for instance because it branches on a traced value."""


class NonFiniteError(MicrogradError, ArithmeticError):
    """A result or a gradient is infinite or not a number."""


def shown(number: object) -> str:
    """Return a number as a string; integers of more than 100 digits are abbreviated.

    They would fill the screen, and Python converts none of more than 4,300 digits to decimal.

    Examples
    --------
    >>> shown(-(10**400)), shown(Fraction(1, 3)), shown(0.5)
    ('<int -1.000e+400>', '1/3', '0.5')
    """
    if isinstance(number, Fraction):
        top, bottom = number.numerator, number.denominator
        return shown(top) if bottom == 1 else f"{shown(top)}/{shown(bottom)}"
    if isinstance(number, int) and abs(number) >= _LONG:
        power, rest = divmod(math.log10(abs(number)), 1)
        mantissa, carry = f"{10**rest:.3e}".split("e")
        return f"<int {'-' * (number < 0)}{mantissa}e+{int(power) + int(carry)}>"
    return str(number)


def shown_briefly(thing: object, most: int = 60) -> str:
    """Return the repr of any object, cut to at most `most` characters.

    Examples
    --------
    >>> shown_briefly([10**5000]), shown_briefly("a" * 100, 10)
    ('<list>', "'aaaaaa...")
    """
    if isinstance(thing, int) and not isinstance(thing, bool):
        return shown(thing)
    try:
        text = repr(thing)
    except ValueError:  # it holds an integer too long for decimal
        return f"<{type(thing).__name__}>"
    return text if len(text) <= most else text[: most - 3] + "..."


def shown_typed(thing: object) -> str:
    """Return the brief repr of any object, and its type.

    Examples
    --------
    >>> shown_typed(3)
    '3 (int)'
    """
    return f"{shown_briefly(thing)} ({type(thing).__name__})"


def why(error: ArithmeticError | ValueError, what: str, inputs: Iterable[object]) -> str:
    """Return why `what` has no value at the inputs, where Python's own message does not tell.

    Examples
    --------
    >>> why(ValueError("math domain error"), "log", [-1])
    'log is not defined at -1'
    """
    told = str(error)
    if isinstance(error, MicrogradError):
        return told
    if isinstance(error, OverflowError):
        return f"it {TOO_LARGE}"
    if isinstance(error, ZeroDivisionError):
        return "it divides by 0"
    if told.startswith(("math domain error", "expected a")):
        return f"{what} is not defined at {', '.join(map(shown, inputs))}"
    return told


def rewritten(error: ArithmeticError | ValueError, message: str) -> MicrogradError:
    """Return the micrograd exception of the same built-in type as `error`, with `message`."""
    if isinstance(error, ZeroDivisionError):
        return ZeroDivisorError(message)
    if isinstance(error, OverflowError):
        return OverflowRangeError(message)
    if isinstance(error, NonFiniteError):
        return NonFiniteError(message)
    return DomainError(message)


def not_a_network(thing: object, wanted: str) -> ArgumentTypeError:
    """Return the error for something that was given in place of a network.

    Examples
    --------
    >>> not_a_network(3, "an MLP")
    ArgumentTypeError('expected an MLP, got 3 (int)')
    """
    hint = ": pass its model_" if hasattr(thing, "model_") else ""
    return ArgumentTypeError(f"expected {wanted}, got {shown_typed(thing)}{hint}")
