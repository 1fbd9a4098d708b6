"""The exceptions of micrograd, each of them also the built-in one a caller would expect.

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
from fractions import Fraction
from typing import Any, Final

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "CycleError",
    "DomainError",
    "GradcheckError",
    "GradientError",
    "InputCountError",
    "MicrogradError",
    "NonFiniteError",
    "NotDifferentiableError",
    "NotInGraphError",
    "NumberTypeError",
    "OptionTypeError",
    "OverflowRangeError",
    "PictureError",
    "StaleGraphError",
    "StateError",
    "TooLargeError",
    "TraceError",
    "ZeroDivisorError",
]


_LONG: Final = 10**100  # an integer from here on is shortened in texts


class MicrogradError(Exception):
    """The base of every exception that micrograd raises on purpose.

    Attributes
    ----------
    history : History or None
        Of an error that stopped a training run: the steps before it.
    """

    history: Any = None


class ArgumentError(MicrogradError, ValueError):
    """An argument has a value that it cannot have: an unknown option, a label out of range."""


class ArgumentTypeError(MicrogradError, TypeError):
    """An argument is of another kind than is needed, and it is not a matter of numbers."""


class NumberTypeError(MicrogradError, TypeError):
    """Something that is not an int, float or Fraction was given where a number belongs."""


class OptionTypeError(ArgumentTypeError, NumberTypeError, ArgumentError):
    """An option is no number though it has to be one; a TypeError and a ValueError both."""


class DomainError(MicrogradError, ValueError):
    """A function or a derivative has no value at its operands, as in `log(-1)`."""


class ZeroDivisorError(MicrogradError, ZeroDivisionError):
    """A value or a derivative is infinite because something is divided by zero."""


class OverflowRangeError(MicrogradError, OverflowError):
    """A result is too large for a float, as in `exp(1000)`."""


class InputCountError(MicrogradError, ValueError):
    """A function, neuron, layer or network got another number of inputs than it takes."""


class StateError(MicrogradError, ValueError):
    """A saved state does not fit the object that it is loaded into."""


class PictureError(MicrogradError, RuntimeError):
    """A picture cannot be made: there is no layout program, or it failed."""


class StaleGraphError(MicrogradError, RuntimeError):
    """Data changed after the forward pass, so its derivatives would be of another point."""


class CycleError(MicrogradError, ValueError):
    """A graph contains itself: some node is among its own ancestors."""


class NotInGraphError(MicrogradError, LookupError):
    """A graph was asked for a value that it does not have, or has several of that name."""


class TooLargeError(MicrogradError, ValueError):
    """Something has too many values or steps to be shown; the message names the ways out."""


class GradientError(MicrogradError, RuntimeError):
    """A node has no rule for its local derivatives, or none that can be used here."""


class NotDifferentiableError(GradientError, TypeError):
    """A derivative rule left the graph, for instance through `math.exp(v)` or `float(v)`."""


class GradcheckError(GradientError, AssertionError):
    """A gradient disagrees with central differences."""


class TraceError(MicrogradError, TypeError):
    """A function does what cannot be replayed, such as a branch on a value that is being traced."""


class NonFiniteError(MicrogradError, ArithmeticError):
    """A result of a compiled function is infinite or not a number."""


def shown(number: object) -> str:
    """Return a number as text, with integers of more than 100 digits shortened.

    They would fill the screen, and Python writes none of more than 4,300 digits.

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
    """Return the repr of anything in at most so many characters, whatever is in it.

    Examples
    --------
    >>> shown_briefly([10**5000]), shown_briefly("a" * 100, 10)
    ('<list>', "'aaaaaa...")
    """
    if isinstance(thing, int) and not isinstance(thing, bool):
        return shown(thing)
    try:
        text = repr(thing)
    except ValueError:  # an int too long to be written
        return f"<{type(thing).__name__}>"
    return text if len(text) <= most else text[: most - 3] + "..."


def rewritten(error: ArithmeticError | ValueError, message: str) -> MicrogradError:
    """Return the micrograd exception of the same built-in kind as `error`, with `message`."""
    if isinstance(error, ZeroDivisionError):
        return ZeroDivisorError(message)
    if isinstance(error, OverflowError):
        return OverflowRangeError(message)
    if isinstance(error, NonFiniteError):
        return NonFiniteError(message)
    return DomainError(message)


def not_a_network(thing: object, wanted: str) -> ArgumentTypeError:
    """Return the error for something that stands where a network is wanted.

    Examples
    --------
    >>> not_a_network(3, "an MLP")
    ArgumentTypeError('expected an MLP, got 3 (int)')
    """
    hint = ": pass its model_" if hasattr(thing, "model_") else ""
    return ArgumentTypeError(f"expected {wanted}, got {thing!r:.60} ({type(thing).__name__}){hint}")
