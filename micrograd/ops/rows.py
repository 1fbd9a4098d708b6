"""Every primitive of micrograd, once: its forward rule and its local derivatives.

A row of the table says how an operation is computed on plain numbers (`forward`) and what its
local derivatives are (`partials`). A derivative is written with operators and with other rows
only, so it works on any number: floats give floats, `Value`s give a graph that can be
differentiated again, a tracer's symbols give code. Nothing but this module knows an operation.

Where a function has a corner or a jump, the derivative is a convention, the usual one:

============================  ==========================================================
relu, leaky_relu, elu at 0    the slope from the left (0, `negative_slope`, `alpha`)
abs, sign at 0                0
maximum, minimum at a tie     1/2 to each side
hypot at the origin           0 to each side
x ** 0                        0 everywhere, and 0 ** 0 is 1, as in Python
where, greater, equal         0 through the condition and through a comparison
============================  ==========================================================
"""

from __future__ import annotations

import builtins
import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from micrograd.errors import (
    InputCountError,
    MicrogradError,
    NumberTypeError,
    rewritten,
    shown,
    shown_briefly,
)

if TYPE_CHECKING:
    from typing_extensions import Self

# An int, float, Fraction, Value or a tracer's symbol: rules work on all of them.
Number: TypeAlias = Any
PlainNumber: TypeAlias = int | float | Fraction
T = TypeVar("T")


def number(value: object) -> PlainNumber:
    """Return `value` as an int, float or Fraction, its number type kept.

    NumPy scalars become Python numbers and `bool` an `int`.

    Raises
    ------
    NumberTypeError
        For anything else: text, sequences, arrays, complex numbers, a Value.

    Examples
    --------
    >>> number(True)
    1
    >>> number("3")
    Traceback (most recent call last):
        ...
    micrograd.errors.NumberTypeError: expected an int, float or Fraction, got '3' (str)
    """
    kind = type(value)
    if kind is float or kind is int or kind is Fraction:
        return cast("PlainNumber", value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Fraction):
        return value
    if any(base.__module__ == "numpy" and base.__name__ == "generic" for base in kind.__mro__):
        plain = cast("Any", value).item()
        if isinstance(plain, (int, float)):
            return number(plain)
        if kind.__name__ == "longdouble":  # has no Python number of its own width
            return float(plain)
    raise NumberTypeError(
        f"expected an int, float or Fraction, got {shown_briefly(value)} ({kind.__name__})"
    )


def as_float(value: PlainNumber) -> float:
    """Return a number as a float, infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def is_operand(value: object) -> bool:
    """Return whether `value` can stand beside a Value: a number, or a Value or symbol itself."""
    if isinstance(value, Operators):
        return True
    try:
        number(value)
    except NumberTypeError:
        return False
    return True


def is_plain(value: object) -> bool:
    """Return whether `value` is no part of a graph: a plain number."""
    return not isinstance(value, Operators)


class Operators:
    """Python's operator protocol, shared by `Value` and by the tracers.

    A subclass says in `_apply` what becomes of an operation. Where several kinds meet, the first
    operand is asked and leaves it to the kind of the highest `_rank`. The rows of the table are
    added to this class as methods where they are defined.
    """

    __slots__ = ()
    _rank = 0
    # Between NumPy's scalars (-1e6), which leave the operation to us, and its arrays (0), which
    # take it and work element by element.
    __array_priority__ = -1.0

    if TYPE_CHECKING:

        @classmethod
        def _apply(cls, op: Op, args: tuple[Number, ...]) -> Self: ...

        def __getattr__(self, name: str) -> Callable[..., Self]: ...  # the table's methods

    def _operate(self, op: Op, other: Number, reflected: bool = False) -> Any:
        """Apply an operator of two operands, of which `other` is the first where reflected."""
        left, right = (other, self) if reflected else (self, other)
        return _operator(op, left, right)

    def __add__(self, other: Number) -> Self:
        return self._operate(add, other)

    def __radd__(self, other: Number) -> Self:
        return self._operate(add, other, reflected=True)

    def __sub__(self, other: Number) -> Self:
        return self._operate(sub, other)

    def __rsub__(self, other: Number) -> Self:
        return self._operate(sub, other, reflected=True)

    def __mul__(self, other: Number) -> Self:
        return self._operate(mul, other)

    def __rmul__(self, other: Number) -> Self:
        return self._operate(mul, other, reflected=True)

    def __truediv__(self, other: Number) -> Self:
        return self._operate(div, other)

    def __rtruediv__(self, other: Number) -> Self:
        return self._operate(div, other, reflected=True)

    def __pow__(self, other: Number) -> Self:
        if isinstance(other, Operators):
            return cast("Self", pow(self, other))
        return _operator(lambda base, exponent: power(number(exponent))(base), self, other)

    def __rpow__(self, other: Number) -> Self:
        return _operator(
            lambda base, exponent: base_power(number(base))(base, exponent), other, self
        )

    def __neg__(self) -> Self:
        return cast("Self", neg(self))

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return cast("Self", abs(self))


def _operator(op: Callable[[Number, Number], Number], left: Number, right: Number) -> Any:
    """Apply a two-place operator, or leave it to the other operand where that is no number."""
    if is_operand(left) and is_operand(right):
        return op(left, right)
    for operand in (left, right):
        if isinstance(operand, (str, bytes, list, tuple)):
            number(operand)  # raises; Python would try to repeat the sequence, and not name it
    return NotImplemented


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Op:
    """One primitive operation: a row of the table.

    Calling a row with plain numbers computes; with a `Value` among them it records a node.

    Parameters
    ----------
    name : str
        Key in `TABLE`, name of the function `micrograd.<name>` and of the method.
    forward : callable
        Plain numbers in, plain number out.
    partials : callable, optional
        `(out, *inputs) -> (d out/d input_0, d out/d input_1, ...)`, one entry an operand, written
        with operators and rows only. None for a node made by hand, whose rule is its `_backward`.
    arity : int
        How many operands it takes.
    symbol : str
        What a picture shows on the node of the operation; the name where not given.
    token : str
        What `Value._op` gives; the symbol where not given.
    noun : str
        What the operation is called in a sentence, "s is the *sum* ..."; the name where not given.
    code : str
        How it is written in Python and in formulas, with `{0}`, `{1}` for the operands; a call of
        the name where not given.
    precedence : int
        How tightly that text binds: 1 for `+`, 2 for `*`, 3 for unary minus, 4 for `**`, 5 for a
        call (the default). An operation whose text is its operand's binds as that one does.
    binds : tuple of int
        How tightly each operand must bind to stand there without parentheses. Where not given it
        follows from `code` and `precedence`: anything may stand between brackets and commas, and
        an operator groups from the left, but `**` from the right.
    held : str
        Why the result counts as a constant, where it does though it has operands: the end of a
        sentence. Its local derivatives are 0.
    domain : tuple of (float, float)
        An interval for each operand in which the rule is defined; tests sample there.
    kinks : tuple of float
        Where the derivative is a convention rather than a limit.
    note : str
        What a reader of the rule should know: its source, or why fewer digits are right.
    hint : str
        What to do where it has no value: a clause that ends the message of the error.
    gate : bool
        Whether a local derivative of 0 means that the operand was not chosen, as in `where` and
        `relu`: a backward pass then passes nothing to it, and not 0 times the upstream gradient.
    opaque : bool
        Whether the node was made by hand, so that nothing can compute it again.
    family : str
        For a row that captures a constant: the name of the factory that made it.
    parameters : tuple
        What that factory was given.
    renewed : callable, optional
        For a row that captures the number of an operand: gives the row for other inputs.
    """

    name: str
    forward: Callable[..., PlainNumber]
    partials: Callable[..., tuple[Number, ...]] | None
    arity: int
    symbol: str = ""
    token: str = ""
    noun: str = ""
    code: str = ""
    precedence: int = 5
    binds: tuple[int, ...] = ()
    held: str = ""
    domain: tuple[tuple[float, float], ...] = ()
    kinks: tuple[float, ...] = ()
    note: str = ""
    hint: str = ""
    gate: bool = False
    opaque: bool = False
    family: str = ""
    parameters: tuple[Any, ...] = ()
    renewed: Callable[..., Op] | None = None

    def __post_init__(self) -> None:
        fields = ", ".join(f"{{{i}}}" for i in range(self.arity))
        for field, default in (
            ("symbol", self.name),
            ("token", self.symbol or self.name),
            ("noun", self.name),
            ("code", f"{self.name}({fields})"),
        ):
            if not getattr(self, field):
                object.__setattr__(self, field, default)
        if self.arity and not self.binds:
            object.__setattr__(self, "binds", tuple(self._binding()))

    def _binding(self) -> list[int]:
        """Return how tightly each operand must bind, from the text around it."""
        binds = [5] * self.arity
        for field in re.finditer(r"(^|[(\[,]\s*)?\{(\d+)\}(?=(\s*[)\],])?)", self.code):
            before, i, after = field[1], int(field[2]), field[3]
            if before and after:
                needed = 0
            elif self.precedence == 4:  # (a ** b) ** c, a ** b ** c
                needed = 4 + (field.start() == 0)
            else:  # a - (b - c), -(-a)
                needed = min(self.precedence + (field.start() > 0), 5)
            binds[i] = needed
        return binds

    def __call__(self, *args: Number) -> Number:
        """Record the operation if an operand is traced, else compute it."""
        if len(args) != self.arity:
            raise InputCountError(f"{self.name} takes {self.arity} operand(s), got {len(args)}")
        for arg in args:
            if isinstance(arg, Operators):
                return arg._apply(self, args)
        return self.compute(*map(number, args))

    def compute(self, *inputs: PlainNumber) -> PlainNumber:
        """Return the forward rule's result on plain numbers.

        Raises
        ------
        DomainError, ZeroDivisorError, OverflowRangeError
            Where `math` raises; the message shows the operation with its operands.
        """
        try:
            result = self.forward(*inputs)
        except (ValueError, ArithmeticError) as error:
            raise self.failure(error, self.written(*inputs), inputs) from error
        return result if type(result) is float else number(result)

    def failure(
        self, error: ValueError | ArithmeticError, text: str, inputs: Sequence[PlainNumber]
    ) -> MicrogradError:
        """Return our exception for one that `forward` raised; `text` shows the operation."""
        if isinstance(error, OverflowError):
            told = f"{text} is too large for a float, which ends at 1.8e308"
        elif isinstance(error, ZeroDivisionError):
            told = f"{text} is undefined: it divides by 0"
        else:
            reason = str(error)
            if reason.startswith(("math domain error", "expected a")):  # Python's own
                reason = f"{self.name} is not defined at {', '.join(map(shown, inputs))}"
            told = f"{text} is undefined: {reason}"
        return rewritten(error, f"{told}; {self.hint}" if self.hint else told)

    def written(self, *operands: object) -> str:
        """Return the operation as text, as in `log(-1)` or `1 / 0`.

        Examples
        --------
        >>> from micrograd.ops import TABLE
        >>> TABLE["hypot"].written("a", "b")
        'hypot(a, b)'
        """
        texts = []
        for operand in operands:
            text = shown(operand)
            texts.append(f"({text})" if self.precedence < 5 and text.startswith("-") else text)
        return self.code.format(*texts)

    def __repr__(self) -> str:
        return f"<op {self.token or 'constant'}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self is constant:
            return "constant"
        if self.family:
            return _from_family, (self.family, *self.parameters)
        if TABLE.get(self.name) is self:
            return _from_table, (self.name,)
        return foreign, (self.token,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Op:
        return self

    def __copy__(self) -> Op:
        return self


TABLE: Final[dict[str, Op]] = {}


def define(**row: Any) -> Op:
    """Add a row to the table, and with it a method of `Value`; return the row.

    This is all it takes to add an operation: it then computes and differentiates to any order,
    shows in pictures and formulas, and can be checked with `gradcheck`.

    Parameters
    ----------
    **row
        The fields of `Op`; `name`, `forward` and `partials` are needed. `arity` is counted from
        `forward` where not given; a function of C, like `math.hypot`, cannot be counted.

    Returns
    -------
    Op
        Call it with numbers or Values.

    Raises
    ------
    ValueError
        If the name is taken or is no Python name.

    Examples
    --------
    >>> import micrograd
    >>> softsign = micrograd.define(
    ...     name="softsign",
    ...     forward=lambda x: x / (1 + abs(x)),
    ...     partials=lambda out, x: (1 / (1 + abs(x)) ** 2,),
    ... )
    >>> x = micrograd.Value(3.0, label="x")
    >>> y = softsign(x)  # or x.softsign()
    >>> y.backward()
    >>> x.grad
    0.0625
    >>> micrograd.formula(y)
    'softsign(x)'
    >>> micrograd.gradcheck(softsign, [3.0])
    True
    >>> micrograd.grad(micrograd.grad(softsign))(3.0)  # -2 / (1 + x)**3
    -0.03125
    >>> _ = micrograd.ops.TABLE.pop("softsign")  # tidy up after this example
    """
    code = getattr(row["forward"], "__code__", None)
    row.setdefault("arity", len(row.get("domain", ())) or getattr(code, "co_argcount", 1))
    op = Op(**row)
    if not op.name.isidentifier():
        raise ValueError(f"expected a Python name for the operation, got {op.name!r}")
    if op.name in TABLE:
        raise ValueError(f"the operation {op.name!r} exists already; choose another name")
    is_new = not hasattr(Operators, op.name)
    try:
        TABLE[op.name] = op
        if is_new:
            # A function, not the row itself: only a function becomes a method.
            setattr(Operators, op.name, lambda self, *args: op(self, *args))  # noqa: PLW0108
    except BaseException:  # an interrupt: the name is not taken
        TABLE.pop(op.name, None)
        if is_new and hasattr(Operators, op.name):
            delattr(Operators, op.name)
        raise
    return op


def foreign(token: str) -> Op:
    """Return the operation of a node that a user made by hand, known by its token only."""
    code = token.replace("{", "{{").replace("}", "}}")  # it is text, whatever it holds
    return Op(
        name="foreign", forward=_no_forward, partials=None, arity=0, symbol=token, code=code,
        opaque=True,
    )  # fmt: skip


def _no_forward(*_: object) -> PlainNumber:
    raise TypeError("a node made by hand cannot be evaluated again")


def _from_table(name: str) -> Op:
    if name not in TABLE:
        raise KeyError(f"the operation {name!r} is not defined here: define it before loading")
    return TABLE[name]


def _from_family(factory: str, *parameters: Any) -> Op:
    return cast("Op", globals()[factory](*parameters))


def _one(like: Number) -> PlainNumber:
    """Return 1, as a Fraction beside Fractions, so that 1 / int stays exact there."""
    return Fraction(1) if type(getattr(like, "data", like)) is Fraction else 1


_REAL = (-8.0, 8.0)
_POSITIVE = (1e-3, 1e3)
_UNIT = (-0.999, 0.999)

_NO_OVERFLOW: Final = (
    "logsumexp, softmax and cross_entropy do not overflow; else clip the input, as with "
    "micrograd.minimum(x, 700)"
)
_NO_LOG_OF_0: Final = (
    "cross_entropy and binary_cross_entropy_with_logits take scores and need no log; else clip the "
    "input, as with micrograd.maximum(x, 1e-12)"
)
_NO_DIVISION_BY_0: Final = "keep the divisor away from 0, as with micrograd.maximum(y, 1e-12)"

# A plain number that met a Value. It is a leaf, and never one that a gradient is wanted of.
constant: Final[Op] = Op(name="", forward=_no_forward, partials=None, arity=0)

# ---- arithmetic --------------------------------------------------------------------------------


def _div(a: Any, b: Any) -> PlainNumber:
    return cast("PlainNumber", a / b)


def _pow(base: Any, exponent: Any) -> PlainNumber:
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("a negative number to a fractional power is not real")
    return cast("PlainNumber", result)


add: Final[Op] = define(
    name="add",
    symbol="+",
    noun="sum",
    code="{0} + {1}",
    precedence=1,
    domain=(_REAL, _REAL),
    forward=lambda a, b: a + b,
    partials=lambda out, a, b: (1, 1),
)
sub: Final[Op] = define(
    name="sub",
    symbol="-",
    noun="difference",
    code="{0} - {1}",
    precedence=1,
    domain=(_REAL, _REAL),
    forward=lambda a, b: a - b,
    partials=lambda out, a, b: (1, -1),
)
mul: Final[Op] = define(
    name="mul",
    symbol="×",
    token="*",
    noun="product",
    code="{0} * {1}",
    precedence=2,
    domain=(_REAL, _REAL),
    forward=lambda a, b: a * b,
    partials=lambda out, a, b: (b, a),
)
div: Final[Op] = define(
    name="div",
    hint=_NO_DIVISION_BY_0,
    symbol="/",
    noun="quotient",
    code="{0} / {1}",
    precedence=2,
    domain=(_REAL, (0.1, 8.0)),
    forward=_div,
    partials=lambda out, a, b: (_one(out) / b, -out / b),
)
neg: Final[Op] = define(
    name="neg",
    symbol="-",
    token="neg",
    noun="negative",
    code="-{0}",
    precedence=3,
    domain=(_REAL,),
    forward=lambda a: -a,
    partials=lambda out, a: (-1,),
)
pow: Final[Op] = define(
    name="pow",
    symbol="**",
    noun="power",
    code="{0} ** {1}",
    precedence=4,
    domain=((0.1, 4.0), (-3.0, 3.0)),
    forward=_pow,
    # The slope in the exponent is out * log(base). It does not exist for a negative base, which
    # gives nan here and an error in a backward pass that needs it; it is 0 for base 0.
    partials=lambda out, a, b: (
        where(b, b * a ** where(b, b - 1, 1), 0),
        where(a, out * log(where(greater(a, 0), a, math.nan)), 0),
    ),
    note="Error up to 4 + |b log a| ulp in the derivatives, the conditioning of the power itself.",
)


@lru_cache(maxsize=256, typed=True)
def power(exponent: PlainNumber) -> Op:
    """Return the row of `x ** exponent` for a plain number: one operand, exact for integers."""
    text = f"({shown(exponent)})" if isinstance(exponent, Fraction) else shown(exponent)
    return Op(
        name="power",
        symbol=f"**{text}",
        noun="power",
        code=f"{{0}} ** {text}",
        precedence=4,
        arity=1,
        domain=((0.1, 4.0),),
        forward=lambda x: _pow(x, exponent),
        partials=lambda out, x: (exponent * x ** (exponent - 1) if exponent else 0,),
        gate=exponent == 0,
        family="power",
        parameters=(exponent,),
    )


@lru_cache(maxsize=256, typed=True)
def base_power(base: PlainNumber) -> Op:
    """Return the row of `base ** x` for a plain number, which is never differentiated itself."""
    log_base = math.log(base) if base > 0 else 0 if base == 0 else math.nan
    return Op(
        name="base_power",
        symbol="**",
        noun="power",
        code="{0} ** {1}",
        precedence=4,
        arity=2,
        domain=((as_float(base), as_float(base)), (-3.0, 3.0)),
        forward=_pow,
        partials=lambda out, a, b: (b * out / base if base else 0, out * log_base),
        family="base_power",
        parameters=(base,),
        renewed=lambda a, b: base_power(a),
    )


# ---- comparison and choice ---------------------------------------------------------------------


def _sign(x: Any) -> PlainNumber:
    if x != x or x == 0:
        return cast("PlainNumber", x * x)  # nan, or 0 of the same type without a minus
    return type(x)(1) if x > 0 else type(x)(-1)


def _share(a: Any, b: Any) -> PlainNumber:
    if a == b:
        return Fraction(1, 2) if type(a) is Fraction or type(b) is Fraction else 0.5
    return int(a > b)


def _maximum(a: Any, b: Any) -> PlainNumber:
    return cast("PlainNumber", a if a > b or a != a else b)


def _minimum(a: Any, b: Any) -> PlainNumber:
    return cast("PlainNumber", a if a < b or a != a else b)


greater: Final[Op] = define(
    name="greater",
    gate=True,
    symbol=">",
    noun="comparison",
    domain=(_REAL, _REAL),
    forward=lambda a, b: int(a > b),
    partials=lambda out, a, b: (0, 0),
    note="1 where a > b, else 0: a comparison that stays in the graph.",
)
greater_equal: Final[Op] = define(
    name="greater_equal",
    gate=True,
    symbol="≥",
    noun="comparison",
    domain=(_REAL, _REAL),
    forward=lambda a, b: int(a >= b),
    partials=lambda out, a, b: (0, 0),
    note="1 where a >= b, else 0.",
)
equal: Final[Op] = define(
    name="equal",
    gate=True,
    symbol="=",
    noun="comparison",
    domain=(_REAL, _REAL),
    forward=lambda a, b: int(a == b),
    partials=lambda out, a, b: (0, 0),
    note="1 where a == b, else 0.",
)
where: Final[Op] = define(
    name="where",
    gate=True,
    noun="choice",
    domain=(_REAL, _REAL, _REAL),
    forward=lambda condition, a, b: a if condition else b,
    partials=lambda out, condition, a, b: (
        0,
        where(condition, 1, 0),
        where(condition, 0, 1),
    ),
    note="a where the condition is not 0, else b; both are evaluated.",
)
share: Final[Op] = define(
    name="share",
    gate=True,
    domain=(_REAL, _REAL),
    forward=_share,
    partials=lambda out, a, b: (0, 0),
    note="What a gets of max(a, b): 1, 0, or 1/2 at a tie.",
)
maximum: Final[Op] = define(
    name="maximum",
    gate=True,
    symbol="max",
    noun="maximum",
    domain=(_REAL, _REAL),
    forward=_maximum,
    partials=lambda out, a, b: (share(a, b), share(b, a)),
)
minimum: Final[Op] = define(
    name="minimum",
    gate=True,
    symbol="min",
    noun="minimum",
    domain=(_REAL, _REAL),
    forward=_minimum,
    partials=lambda out, a, b: (share(b, a), share(a, b)),
)
sign: Final[Op] = define(
    name="sign",
    gate=True,
    domain=(_REAL,),
    kinks=(0.0,),
    forward=_sign,
    partials=lambda out, x: (0,),
)
abs: Final[Op] = define(
    name="abs",
    gate=True,
    noun="absolute value",
    domain=(_REAL,),
    kinks=(0.0,),
    forward=builtins.abs,
    partials=lambda out, x: (sign(x),),
)
identity: Final[Op] = define(
    name="identity",
    symbol="=",
    noun="copy",
    code="{0}",
    domain=(_REAL,),
    forward=lambda x: x,
    partials=lambda out, x: (1,),
    note="A node of its own with the same value: what `grad` differentiates at inner levels.",
)

# ---- exponentials and logarithms ---------------------------------------------------------------

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)

exp: Final[Op] = define(
    name="exp",
    hint=_NO_OVERFLOW,
    domain=(_REAL,),
    forward=math.exp,
    partials=lambda out, x: (out,),
)
expm1: Final[Op] = define(
    name="expm1",
    hint=_NO_OVERFLOW,
    domain=(_REAL,),
    forward=math.expm1,
    partials=lambda out, x: (exp(x),),
)
log: Final[Op] = define(
    name="log",
    hint=_NO_LOG_OF_0,
    noun="logarithm",
    domain=(_POSITIVE,),
    forward=math.log,
    partials=lambda out, x: (1 / x,),
)
log1p: Final[Op] = define(
    name="log1p",
    domain=((-0.999, 1e3),),
    forward=math.log1p,
    partials=lambda out, x: (1 / (1 + x),),
)
log2: Final[Op] = define(
    name="log2",
    hint=_NO_LOG_OF_0,
    domain=(_POSITIVE,),
    forward=math.log2,
    partials=lambda out, x: (1 / (x * _LN2),),
)
log10: Final[Op] = define(
    name="log10",
    hint=_NO_LOG_OF_0,
    domain=(_POSITIVE,),
    forward=math.log10,
    partials=lambda out, x: (1 / (x * _LN10),),
)

# ---- roots -------------------------------------------------------------------------------------


def _cbrt(x: Any) -> float:
    """Return the real cube root: a power, then one Newton step (`math.cbrt` is of 3.11)."""
    x = float(x)
    if x == 0 or math.isinf(x) or math.isnan(x):
        return x
    root = math.copysign(math.pow(builtins.abs(x), 1 / 3), x)
    return root - (root - x / (root * root)) / 3


sqrt: Final[Op] = define(
    name="sqrt",
    hint="clip the input, as with micrograd.maximum(x, 0)",
    noun="square root",
    domain=(_POSITIVE,),
    forward=math.sqrt,
    partials=lambda out, x: (0.5 / out,),
)
cbrt: Final[Op] = define(
    name="cbrt",
    noun="cube root",
    domain=(_POSITIVE,),
    forward=_cbrt,
    partials=lambda out, x: (1 / (3 * out * out),),
)
ratio: Final[Op] = define(
    name="ratio",
    domain=(_REAL, (0.1, 8.0)),
    forward=lambda a, b: a / where(b, b, 1),
    partials=lambda out, a, b: (_one(out) / b, -out / b),
    note="a / b, but a where b is 0: its value there is a convention, its derivatives are not.",
)
hypot: Final[Op] = define(
    name="hypot",
    arity=2,
    domain=(_REAL, _REAL),
    forward=math.hypot,
    partials=lambda out, a, b: (ratio(a, out), ratio(b, out)),
    note="At the origin both derivatives are taken as 0, and there are no second ones.",
)

# ---- trigonometry (radians) --------------------------------------------------------------------

sin: Final[Op] = define(
    name="sin",
    noun="sine",
    domain=(_REAL,),
    forward=math.sin,
    partials=lambda out, x: (cos(x),),
)
cos: Final[Op] = define(
    name="cos",
    noun="cosine",
    domain=(_REAL,),
    forward=math.cos,
    partials=lambda out, x: (-sin(x),),
)
tan: Final[Op] = define(
    name="tan",
    noun="tangent",
    domain=((-1.5, 1.5),),
    forward=math.tan,
    partials=lambda out, x: (1 + out * out,),
)
arcsin: Final[Op] = define(
    name="arcsin",
    domain=(_UNIT,),
    forward=math.asin,
    partials=lambda out, x: (1 / sqrt((1 - x) * (1 + x)),),
)
arccos: Final[Op] = define(
    name="arccos",
    domain=(_UNIT,),
    forward=math.acos,
    partials=lambda out, x: (-1 / sqrt((1 - x) * (1 + x)),),
)
arctan: Final[Op] = define(
    name="arctan",
    domain=(_REAL,),
    forward=math.atan,
    partials=lambda out, x: (1 / (1 + x * x),),
)
arctan2: Final[Op] = define(
    name="arctan2",
    arity=2,
    domain=((0.1, 8.0), (0.1, 8.0)),
    forward=math.atan2,
    # x / (x*x + y*y), in an order that neither overflows nor underflows.
    partials=lambda out, y, x: (x / hypot(x, y) / hypot(x, y), -y / hypot(x, y) / hypot(x, y)),
    note="arctan2(y, x), the angle of the point (x, y).",
)

# ---- hyperbolic functions ----------------------------------------------------------------------

sinh: Final[Op] = define(
    name="sinh",
    hint=_NO_OVERFLOW,
    domain=(_REAL,),
    forward=math.sinh,
    partials=lambda out, x: (cosh(x),),
)
cosh: Final[Op] = define(
    name="cosh",
    hint=_NO_OVERFLOW,
    domain=(_REAL,),
    forward=math.cosh,
    partials=lambda out, x: (sinh(x),),
)
tanh: Final[Op] = define(
    name="tanh",
    domain=(_REAL,),
    forward=math.tanh,
    partials=lambda out, x: (1 - out * out,),
    note="Within 4 ulp of 1, the scale of its terms: relative digits go as tanh saturates.",
)
arcsinh: Final[Op] = define(
    name="arcsinh",
    domain=(_REAL,),
    forward=math.asinh,
    partials=lambda out, x: (1 / hypot(1, x),),
)
arccosh: Final[Op] = define(
    name="arccosh",
    domain=((1.001, 1e3),),
    forward=math.acosh,
    partials=lambda out, x: (1 / (sqrt(x - 1) * sqrt(x + 1)),),
)
arctanh: Final[Op] = define(
    name="arctanh",
    domain=(_UNIT,),
    forward=math.atanh,
    partials=lambda out, x: (1 / ((1 - x) * (1 + x)),),
)

# ---- error functions ---------------------------------------------------------------------------

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
_ROOT_HALF = math.sqrt(0.5)

erf: Final[Op] = define(
    name="erf",
    domain=(_REAL,),
    forward=math.erf,
    partials=lambda out, x: (_TWO_OVER_ROOT_PI * exp(-x * x),),
    note="DLMF 7.2.1. Derivative within 4 + x*x ulp: the rounding of x*x, magnified by exp.",
)
erfc: Final[Op] = define(
    name="erfc",
    domain=(_REAL,),
    forward=math.erfc,
    partials=lambda out, x: (-_TWO_OVER_ROOT_PI * exp(-x * x),),
    note="1 - erf(x), without its loss of digits. Derivative within 4 + x*x ulp, as for erf.",
)

# ---- activations -------------------------------------------------------------------------------


def _sigmoid(x: Any) -> float:
    if x < 0:  # exp(-x) would overflow
        small = math.exp(x)
        return small / (1.0 + small)
    return 1.0 / (1.0 + math.exp(-x))


def _softplus(x: Any) -> float:
    if x > 0:  # exp(x) would overflow
        return float(x + math.log1p(math.exp(-x)))
    return math.log1p(math.exp(x))


def _gelu(x: Any) -> float:
    if x == -math.inf:
        return -0.0
    return float(0.5 * x * math.erfc(-x * _ROOT_HALF))


def _silu(x: Any) -> float:
    if x == -math.inf:
        return -0.0
    return float(x * _sigmoid(x))


relu: Final[Op] = define(
    name="relu",
    gate=True,
    token="ReLU",
    domain=(_REAL,),
    kinks=(0.0,),
    forward=lambda x: x if not x < 0 else type(x)(0),
    partials=lambda out, x: (greater(x, 0),),
)
sigmoid: Final[Op] = define(
    name="sigmoid",
    domain=(_REAL,),
    forward=_sigmoid,
    partials=lambda out, x: (out * (1 - out),),
    note="Derivative within 4 ulp of out: relative digits go as 1 - out does.",
)
softplus: Final[Op] = define(
    name="softplus",
    domain=(_REAL,),
    forward=_softplus,
    partials=lambda out, x: (sigmoid(x),),
    note="log(1 + exp(x)).",
)
gelu: Final[Op] = define(
    name="gelu",
    domain=(_REAL,),
    forward=_gelu,
    partials=lambda out, x: (
        0.5 * erfc(-x * _ROOT_HALF)
        + x * exp(-0.5 * x * x) * (0.5 * _ROOT_HALF * _TWO_OVER_ROOT_PI),
    ),
    note=(
        "x times the normal distribution function, Hendrycks and Gimpel (2016). Relative digits "
        "go where its two terms cancel (x near -0.75) and in the tail, as for erf."
    ),
)
silu: Final[Op] = define(
    name="silu",
    domain=(_REAL,),
    forward=_silu,
    partials=lambda out, x: (sigmoid(x) * (1 + x * sigmoid(-x)),),
    note="x times sigmoid(x). The derivative loses relative digits near its zero, x = -1.278.",
)


def leaky_relu(x: Number, negative_slope: PlainNumber = 0.01) -> Number:
    """Return x where x > 0, else `negative_slope` * x.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.leaky_relu(-2.0)
    -0.02
    """
    return leaky_relu_with(number(negative_slope))(x)


@lru_cache(maxsize=256, typed=True)
def leaky_relu_with(negative_slope: PlainNumber) -> Op:
    """Return the row of `leaky_relu` with this slope."""
    return Op(
        name="leaky_relu",
        gate=True,
        code=f"leaky_relu({{0}}, {shown(negative_slope)})",
        arity=1,
        domain=(_REAL,),
        kinks=(0.0,),
        forward=lambda x: x if x > 0 else negative_slope * x,
        partials=lambda out, x: (where(greater(x, 0), 1, negative_slope),),
        family="leaky_relu_with",
        parameters=(negative_slope,),
    )


def elu(x: Number, alpha: PlainNumber = 1.0) -> Number:
    """Return x where x > 0, else `alpha` * (exp(x) - 1), from Clevert et al. (2015).

    Examples
    --------
    >>> import micrograd
    >>> micrograd.elu(-1000.0)
    -1.0
    """
    return elu_with(number(alpha))(x)


@lru_cache(maxsize=256, typed=True)
def elu_with(alpha: PlainNumber) -> Op:
    """Return the row of `elu` with this alpha."""
    return Op(
        name="elu",
        gate=True,
        code=f"elu({{0}}, {shown(alpha)})",
        arity=1,
        domain=(_REAL,),
        kinks=(0.0,),
        forward=lambda x: x if x > 0 else alpha * math.expm1(x),
        partials=lambda out, x: (where(greater(x, 0), 1, alpha * exp(minimum(x, 0))),),
        family="elu_with",
        parameters=(alpha,),
    )


# ---- operations of any number of operands ------------------------------------------------------


def _total(*values: Any) -> PlainNumber:
    """Add from left to right: the built-in `sum` rounds otherwise since Python 3.12."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return cast("PlainNumber", total)


def _dot(pairs: int, *inputs: Any) -> PlainNumber:
    total = inputs[2 * pairs] if len(inputs) > 2 * pairs else 0
    for product in map(operator.mul, inputs[:pairs], inputs[pairs : 2 * pairs]):
        total += product
    return total


def _dot_partials(pairs: int, out: Number, *inputs: Number) -> tuple[Number, ...]:
    return inputs[pairs : 2 * pairs] + inputs[:pairs] + (1,) * (len(inputs) - 2 * pairs)


def _logsumexp(*values: Any) -> float:
    largest = max(range(len(values)), key=values.__getitem__)
    peak = float(values[largest])
    if math.isinf(peak):
        return math.nan if any(value != value for value in values) else peak
    rest = 0.0
    for i, value in enumerate(values):
        if i != largest:
            rest += math.exp(value - peak)
    return peak + math.log1p(rest)


def sum(values: Iterable[Number], start: Number = 0) -> Number:
    """Return the sum of numbers or Values, from left to right, as one node.

    Parameters
    ----------
    values : iterable of number or Value
    start : number or Value, default 0
        Added first, unless it is the number 0.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.sum([micrograd.Value(1.5), 2])
    Value(data=3.5, grad=0)
    """
    terms = tuple(values)
    if isinstance(start, Operators) or start != 0:
        terms = (start, *terms)
    return sum_of(len(terms))(*terms) if terms else 0


@lru_cache(maxsize=256)
def sum_of(terms: int) -> Op:
    """Return the row of the sum of so many terms."""
    return Op(
        name="sum",
        symbol="Σ" if terms > 2 else "+",
        token="sum",
        noun="sum",
        code=" + ".join(f"{{{i}}}" for i in range(terms)),
        precedence=1,
        binds=(1,) + (2,) * (terms - 1),
        arity=terms,
        domain=(_REAL,) * terms,
        forward=_total,
        partials=lambda out, *values: (1,) * terms,
        note="Added from left to right, rounded at each term: digits go where terms cancel.",
        family="sum_of",
        parameters=(terms,),
    )


def dot(w: Iterable[Number], x: Iterable[Number], bias: Number | None = None) -> Number:
    """Return bias + w[0] * x[0] + w[1] * x[1] + ..., added in this order, as one node.

    Parameters
    ----------
    w, x : iterable of number or Value
        Of the same length.
    bias : number or Value, optional

    Raises
    ------
    InputCountError
        If the lengths differ. Also a ValueError.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.dot([1, 2], [micrograd.Value(3), 4], bias=10)
    Value(data=21, grad=0)
    """
    w, x = tuple(w), tuple(x)
    if len(w) != len(x):
        raise InputCountError(f"dot needs two sequences of one length, got {len(w)} and {len(x)}")
    if not w:
        return 0 if bias is None else bias
    operands = w + x if bias is None else (*w, *x, bias)
    return dot_of(len(w), bias is not None)(*operands)


@lru_cache(maxsize=256)
def dot_of(pairs: int, with_bias: bool) -> Op:
    """Return the row of the dot product of so many pairs, operands (w..., x..., bias)."""
    terms = [f"{{{i}}} * {{{pairs + i}}}" for i in range(pairs)]
    arity = 2 * pairs + with_bias
    return Op(
        name="dot",
        symbol="w·x+b" if with_bias else "w·x",
        token="dot",
        noun="weighted sum",
        code=" + ".join([f"{{{2 * pairs}}}", *terms] if with_bias else terms),
        precedence=1,
        binds=(3,) * (2 * pairs) + (1,) * with_bias,  # products; the bias stands first, alone
        arity=arity,
        domain=(_REAL,) * arity,
        forward=partial(_dot, pairs),
        partials=partial(_dot_partials, pairs),
        note="Added from left to right, rounded at each step: digits go where terms cancel.",
        family="dot_of",
        parameters=(pairs, with_bias),
    )


def logsumexp(values: Iterable[Number]) -> Number:
    """Return log(exp(values[0]) + exp(values[1]) + ...) without overflow, as one node.

    Raises
    ------
    InputCountError
        If there are no values. Also a ValueError.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.logsumexp([1000.0, 1000.0])
    1000.6931471805599
    """
    terms = tuple(values)
    if not terms:
        raise InputCountError("logsumexp needs at least one value, got none")
    return logsumexp_of(len(terms))(*terms)


@lru_cache(maxsize=256)
def logsumexp_of(terms: int) -> Op:
    """Return the row of `logsumexp` of so many terms."""
    fields = ", ".join(f"{{{i}}}" for i in range(terms))
    return Op(
        name="logsumexp",
        symbol="logΣexp",
        token="logsumexp",
        code=f"logsumexp([{fields}])",
        binds=(0,) * terms,
        arity=terms,
        domain=(_REAL,) * terms,
        forward=_logsumexp,
        partials=lambda out, *values: tuple(softmax(values)),
        note=(
            "Within 4 ulp of the largest value, from which it is a small step. Derivatives, those "
            "of softmax, within 4 + (largest - smallest) ulp: exp magnifies the rounding of "
            "v - peak."
        ),
        family="logsumexp_of",
        parameters=(terms,),
    )


def softmax(values: Sequence[Number]) -> list[Number]:
    """Return exp(v) / sum of exp for each of `values`, without overflow.

    Parameters
    ----------
    values : sequence of number or Value

    Returns
    -------
    list of number or Value
        As long as `values`.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    values = tuple(values)
    if not values:
        return []
    peak = peak_of(len(values))(*values)
    powers = [exp(value - peak) for value in values]
    total = sum(powers)
    return [power / total for power in powers]


def _peak(*values: Any) -> PlainNumber:
    return cast("PlainNumber", max(values))


@lru_cache(maxsize=256)
def peak_of(terms: int) -> Op:
    """Return the row of the largest of so many values, held constant: the shift of `softmax`."""
    fields = ", ".join(f"{{{i}}}" for i in range(terms))
    return Op(
        name="peak",
        gate=True,
        symbol="max",
        noun="largest",
        code=f"max({fields})" if terms > 1 else fields,
        binds=(0,) * terms,
        held="no shift changes softmax",
        arity=terms,
        domain=(_REAL,) * terms,
        forward=_peak,
        partials=lambda out, *values: (0,) * terms,
        family="peak_of",
        parameters=(terms,),
    )


for _name, _function in (("leaky_relu", leaky_relu), ("elu", elu)):
    setattr(Operators, _name, _function)
