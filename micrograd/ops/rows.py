"""Every primitive of micrograd, once: its forward rule and its local derivatives.

A row of the table says how an operation is computed on plain numbers (`forward`) and what its
local derivatives are (`partials`). A derivative is written with operators and with other rows
only, so it works on any number: floats give floats, `Value`s give a graph that can be
differentiated again, a tracer's symbols give code. Nobody else asks which operation a node is:
what a picture, a sentence or a compiler needs to know of it is a field of its row.

Where a function has a kink or a jump, the derivative is the usual convention:

============================  ===============================================================
relu, leaky_relu, elu at 0    the derivative from the left (0, `negative_slope`, `alpha`)
abs, sign at 0                0
maximum, minimum at a tie     1/2 to each side
hypot at the origin           0 to each side
x ** 0                        0 everywhere, and 0 ** 0 is 1, as in Python
where, greater, equal         0 through the condition and through a comparison
============================  ===============================================================
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from micrograd.errors import shown
from micrograd.ops.documentation import document
from micrograd.ops.op import Op, define, family
from micrograd.ops.operators import REAL, TABLE, Number, Operators, PlainNumber, as_float, number


def _one(like: Number) -> PlainNumber:
    """Return 1, as a Fraction beside Fractions, so that 1 / int stays exact there."""
    return Fraction(1) if type(getattr(like, "data", like)) is Fraction else 1


_POSITIVE = (1e-3, 1e3)
_UNIT = (-0.999, 0.999)
_STEEP_AT_1: Final = "At x = -1 and x = 1 it has no derivative."

_NO_OVERFLOW: Final = (
    "logsumexp, softmax and cross_entropy do not overflow; else clip the input, as with "
    "micrograd.minimum(x, 700)"
)
_NO_LOG_OF_0: Final = (
    "cross_entropy and binary_cross_entropy_with_logits take scores and need no log; else clip the "
    "input, as with micrograd.maximum(x, 1e-12)"
)
_ENTERS_WITH_A_MINUS: Final = (1, "-local", "The second operand enters with a minus.")
_POWER: Final = "The exponent comes down and drops by one: n·x^(n - 1)."
_NO_DIVISION_BY_0: Final = "keep the divisor away from 0, as with micrograd.maximum(y, 1e-12)"


def _unary(
    name: str,
    forward: Callable[..., PlainNumber],
    partials: Callable[..., tuple[Number, ...]],
    domain: tuple[float, float] = REAL,
    defined: str = "",
    **row: Any,
) -> Op:
    """Add the row of a function of one number."""
    return define(
        name=name, forward=forward, partials=partials, domain=(domain,), defined=defined, **row
    )


# ---- arithmetic --------------------------------------------------------------------------------


def _pow(base: Any, exponent: Any) -> PlainNumber:
    result: PlainNumber = base**exponent
    if isinstance(result, complex):
        raise ValueError("a negative number to a fractional power is not real")
    return result


add: Final[Op] = define(
    name="add",
    summary="a + b",
    adds=True,
    symbol="+",
    noun="sum",
    code="{0} + {1}",
    precedence=1,
    arity=2,
    forward=operator.add,
    partials=lambda out, a, b: (1, 1),
)
sub: Final[Op] = define(
    name="sub",
    summary="a - b",
    symbol="-",
    noun="difference",
    code="{0} - {1}",
    precedence=1,
    arity=2,
    forward=operator.sub,
    partials=lambda out, a, b: (1, -1),
    slips=(_ENTERS_WITH_A_MINUS,),
)
mul: Final[Op] = define(
    name="mul",
    summary="a * b",
    pairs=1,
    symbol="×",
    token="*",
    noun="product",
    code="{0} * {1}",
    precedence=2,
    arity=2,
    forward=operator.mul,
    partials=lambda out, a, b: (b, a),
)
div: Final[Op] = define(
    name="div",
    summary="a / b",
    defined="b != 0",
    hint=_NO_DIVISION_BY_0,
    symbol="/",
    noun="quotient",
    code="{0} / {1}",
    precedence=2,
    domain=(REAL, (0.1, 8.0)),
    forward=operator.truediv,
    arity=2,
    partials=lambda out, a, b: (_one(out) / b, -out / b),
    slips=(_ENTERS_WITH_A_MINUS,),
)
# fmt: off
neg: Final[Op] = _unary("neg", lambda a: -a, lambda out, a: (-1,), symbol="-", token="neg",
    noun="negative", code="-{0}", precedence=3, summary="-a")
# fmt: on
pow: Final[Op] = define(
    name="pow",
    summary="a to the power b",
    defined="a > 0 or a == 0 <= b or a < 0 and b == int(b)",
    symbol="**",
    noun="power",
    code="{0} ** {1}",
    precedence=4,
    domain=((0.1, 4.0), (-3.0, 3.0)),
    forward=_pow,
    # With respect to the exponent it is out * log(base). For a negative base that does not exist:
    # nan here, and an error in a backward pass that needs it. For base 0 it is 0.
    partials=lambda out, a, b: (
        where(b, b * a ** where(b, b - 1, 1), 0),
        where(a, out * log(where(greater(a, 0), a, math.nan)), 0),
    ),
    slips=((0, "out", _POWER),),
    note=(
        "x ** 0 is 1, at x = 0 too, and has derivative 0. For a negative base there is no "
        "derivative in the exponent. Derivatives within 4 + |b log a| ulp, the conditioning of the "
        "power itself."
    ),
)


@family
def power(exponent: PlainNumber) -> Op:
    """Return the row of `x ** exponent` for a plain number: it has one operand."""
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
        slips=tuple([(0, wrong, _POWER) for wrong in ("out", f"{text} * out")]),
        gate=exponent == 0,
    )


@family
def base_power(base: PlainNumber) -> Op:
    """Return the row of `base ** x` for a plain number, which is not differentiated itself."""
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
        renewed=lambda a, b: base_power(a),
    )


# ---- comparison and choice ---------------------------------------------------------------------


def _sign(x: Any) -> PlainNumber:
    if x != x or x == 0:
        square: PlainNumber = x * x  # nan, or 0 of the same type without a minus
        return square
    return type(x)(1) if x > 0 else type(x)(-1)


def _share(a: Any, b: Any) -> PlainNumber:
    if a == b:
        return Fraction(1, 2) if type(a) is Fraction or type(b) is Fraction else 0.5
    return int(a > b)


def _maximum(a: Any, b: Any) -> PlainNumber:
    larger: PlainNumber = a if a > b or a != a else b
    return larger


def _minimum(a: Any, b: Any) -> PlainNumber:
    smaller: PlainNumber = a if a < b or a != a else b
    return smaller


greater: Final[Op] = define(
    name="greater",
    summary="1 where a > b, else 0",
    gate=True,
    symbol=">",
    noun="comparison",
    forward=lambda a, b: int(a > b),
    partials=lambda out, a, b: (0, 0),
    note="It stays in the graph, where `a > b` gives a bool.",
)
greater_equal: Final[Op] = define(
    name="greater_equal",
    summary="1 where a >= b, else 0",
    gate=True,
    symbol="≥",
    noun="comparison",
    forward=lambda a, b: int(a >= b),
    partials=lambda out, a, b: (0, 0),
)
equal: Final[Op] = define(
    name="equal",
    summary="1 where a == b, else 0",
    gate=True,
    symbol="=",
    noun="comparison",
    forward=lambda a, b: int(a == b),
    partials=lambda out, a, b: (0, 0),
)
where: Final[Op] = define(
    name="where",
    summary="a where the condition is not 0, else b",
    gate=True,
    noun="choice",
    forward=lambda condition, a, b: a if condition else b,
    partials=lambda out, condition, a, b: (0, where(condition, 1, 0), where(condition, 0, 1)),
    note="Both are evaluated; what is not chosen is passed no gradient.",
)
share: Final[Op] = define(
    name="share",
    summary="what a gets of the gradient of max(a, b): 1, 0, or 1/2 at a tie",
    gate=True,
    forward=_share,
    arity=2,  # as in the next two: .ci/mutate.py wraps named functions, and cannot count
    partials=lambda out, a, b: (0, 0),
)
_TIE: Final = "share(a, b) is 1 if a > b, 0 if a < b, and 1/2 at a tie."
maximum: Final[Op] = define(
    name="maximum",
    summary="the larger of a and b",
    gate=True,
    symbol="max",
    noun="maximum",
    forward=_maximum,
    arity=2,
    partials=lambda out, a, b: (share(a, b), share(b, a)),
    note=_TIE,
)
minimum: Final[Op] = define(
    name="minimum",
    summary="the smaller of a and b",
    gate=True,
    symbol="min",
    noun="minimum",
    forward=_minimum,
    arity=2,
    partials=lambda out, a, b: (share(b, a), share(a, b)),
    note=_TIE,
)
# fmt: off
sign: Final[Op] = _unary("sign", _sign, lambda out, x: (0,), kinks=(0.0,), gate=True,
    summary="the sign of x: 1 if x > 0, -1 if x < 0, else 0")
abs: Final[Op] = _unary("abs", builtins.abs, lambda out, x: (sign(x),), kinks=(0.0,), gate=True,
    noun="absolute value", summary="the absolute value of x: x if x >= 0, else -x")
identity: Final[Op] = _unary("identity", lambda x: x, lambda out, x: (1,), symbol="=", noun="copy",
    code="{0}", summary="x, as a node of its own",
    note="It is what `grad` differentiates at inner levels.")
# fmt: on

# ---- exponentials and logarithms ---------------------------------------------------------------

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)

# fmt: off
exp: Final[Op] = _unary("exp", math.exp, lambda out, x: (out,), hint=_NO_OVERFLOW,
    summary="e to the power x", source="DLMF §4.2, §4.7")
expm1: Final[Op] = _unary("expm1", math.expm1, lambda out, x: (exp(x),), hint=_NO_OVERFLOW,
    summary="exp(x) - 1, without its loss of digits near x = 0")
log: Final[Op] = _unary("log", math.log, lambda out, x: (1 / x,), _POSITIVE, "x > 0",
    hint=_NO_LOG_OF_0, noun="logarithm", summary="the natural logarithm of x",
    source="DLMF §4.2, §4.7")
log1p: Final[Op] = _unary("log1p", math.log1p, lambda out, x: (1 / (1 + x),), (-0.999, 1e3),
    "x > -1", summary="log(1 + x), without its loss of digits near x = 0")
log2: Final[Op] = _unary("log2", math.log2, lambda out, x: (1 / (x * _LN2),), _POSITIVE, "x > 0",
    hint=_NO_LOG_OF_0, summary="the logarithm of x to the base 2")
log10: Final[Op] = _unary("log10", math.log10, lambda out, x: (1 / (x * _LN10),), _POSITIVE,
    "x > 0", hint=_NO_LOG_OF_0, summary="the logarithm of x to the base 10")
# fmt: on

# ---- roots -------------------------------------------------------------------------------------


def _cbrt(x: Any) -> float:
    """Return the real cube root, rounded once (`math.cbrt` is of 3.11, and of the platform).

    With t, the root to 17 bits, t * t * t is exact, and so is what x has beyond it.
    `replay/static/functions.js` does the same.
    """
    x = float(x)
    if x == 0 or math.isinf(x) or math.isnan(x):
        return x
    if builtins.abs(x) < 1e-280:  # where t * t * t has fewer digits
        return _cbrt(x * 2.0**300) * 2.0**-100
    root = math.copysign(math.pow(builtins.abs(x), 1 / 3), x)
    wide = root * (2.0**36 + 1)
    t = wide - (wide - root)
    rest = root - t
    return t + (x - t * t * t) / (3 * t * (t + rest) + rest * rest)


# fmt: off
sqrt: Final[Op] = _unary("sqrt", math.sqrt, lambda out, x: (0.5 / out,), _POSITIVE, "x >= 0",
    hint="clip the input, as with micrograd.maximum(x, 0)", noun="square root",
    summary="the square root of x", note="At x = 0 it has no derivative.")
cbrt: Final[Op] = _unary("cbrt", _cbrt, lambda out, x: (1 / (3 * out * out),), _POSITIVE,
    noun="cube root", summary="the real cube root of x, which has its sign",
    note="At x = 0 it has no derivative.")
# fmt: on
ratio: Final[Op] = define(
    name="ratio",
    summary="a / b, and a where b is 0",
    domain=(REAL, (0.1, 8.0)),
    forward=lambda a, b: a / where(b, b, 1),
    partials=lambda out, a, b: (_one(out) / b, -out / b),
    note="The value at b = 0 is a convention; it has no derivatives there.",
)
hypot: Final[Op] = define(
    name="hypot",
    summary="sqrt(a * a + b * b), the length of (a, b)",
    arity=2,
    forward=math.hypot,
    partials=lambda out, a, b: (ratio(a, out), ratio(b, out)),
    note="At the origin both derivatives are taken as 0, and second derivatives do not exist.",
)

# ---- trigonometry (radians) --------------------------------------------------------------------

# fmt: off
sin: Final[Op] = _unary("sin", math.sin, lambda out, x: (cos(x),), noun="sine",
    summary="the sine of x, in radians", source="DLMF §4.20")
cos: Final[Op] = _unary("cos", math.cos, lambda out, x: (-sin(x),), noun="cosine",
    summary="the cosine of x, in radians", source="DLMF §4.20")
tan: Final[Op] = _unary("tan", math.tan, lambda out, x: (1 + out * out,), (-1.5, 1.5),
    noun="tangent", summary="the tangent of x, in radians: sin(x) / cos(x)", source="DLMF §4.20")
arcsin: Final[Op] = _unary("arcsin", math.asin, lambda out, x: (1 / sqrt((1 - x) * (1 + x)),),
    _UNIT, "-1 <= x <= 1", summary="the angle from -π/2 to π/2 whose sine is x",
    source="DLMF §4.24", note=_STEEP_AT_1)
arccos: Final[Op] = _unary("arccos", math.acos, lambda out, x: (-1 / sqrt((1 - x) * (1 + x)),),
    _UNIT, "-1 <= x <= 1", summary="the angle from 0 to π whose cosine is x", source="DLMF §4.24",
    note=_STEEP_AT_1)
arctan: Final[Op] = _unary("arctan", math.atan, lambda out, x: (1 / (1 + x * x),),
    summary="the angle from -π/2 to π/2 whose tangent is x", source="DLMF §4.24")
# fmt: on
arctan2: Final[Op] = define(
    name="arctan2",
    summary="the angle of the point (x, y), from -π to π",
    arity=2,
    domain=((0.1, 8.0), (0.1, 8.0)),
    forward=math.atan2,
    # x / (x*x + y*y), in an order that neither overflows nor underflows.
    partials=lambda out, y, x: (x / hypot(x, y) / hypot(x, y), -y / hypot(x, y) / hypot(x, y)),
    note="At the origin it has no derivatives.",
)

# ---- hyperbolic functions ----------------------------------------------------------------------

# fmt: off
sinh: Final[Op] = _unary("sinh", math.sinh, lambda out, x: (cosh(x),), hint=_NO_OVERFLOW,
    summary="(exp(x) - exp(-x)) / 2, the hyperbolic sine of x", source="DLMF §4.34")
cosh: Final[Op] = _unary("cosh", math.cosh, lambda out, x: (sinh(x),), hint=_NO_OVERFLOW,
    summary="(exp(x) + exp(-x)) / 2, the hyperbolic cosine of x", source="DLMF §4.34")
tanh: Final[Op] = _unary("tanh", math.tanh, lambda out, x: (1 - out * out,), source="DLMF §4.34",
    summary="sinh(x) / cosh(x), the hyperbolic tangent of x",
    slips=((0, "1 - out", "1 - o is not enough: the derivative of tanh is 1 - o²."),
           (0, "out", "The slope of tanh is 1 - o², not o.")),
    note="Correct within 4 ulp of 1: relative digits are lost as tanh saturates.")
arcsinh: Final[Op] = _unary("arcsinh", math.asinh, lambda out, x: (1 / hypot(1, x),),
    summary="the number whose hyperbolic sine is x", source="DLMF §4.38")
arccosh: Final[Op] = _unary("arccosh", math.acosh,
    lambda out, x: (1 / (sqrt(x - 1) * sqrt(x + 1)),), (1.001, 1e3), "x >= 1",
    note="At x = 1 it has no derivative.", summary="the number from 0 whose hyperbolic cosine is x",
    source="DLMF §4.38")
arctanh: Final[Op] = _unary("arctanh", math.atanh, lambda out, x: (1 / ((1 - x) * (1 + x)),), _UNIT,
    "-1 < x < 1", summary="the number whose hyperbolic tangent is x", source="DLMF §4.38")
# fmt: on

# ---- error functions ---------------------------------------------------------------------------

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
_ROOT_HALF = math.sqrt(0.5)
_NORMAL_DENSITY_AT_0 = 0.5 * _ROOT_HALF * _TWO_OVER_ROOT_PI

# fmt: off
erf: Final[Op] = _unary("erf", math.erf, lambda out, x: (_TWO_OVER_ROOT_PI * exp(-x * x),),
    summary="the error function of x", source="DLMF 7.2.1",
    note="Derivative within 4 + x*x ulp: the rounding of x*x, magnified by exp.")
erfc: Final[Op] = _unary("erfc", math.erfc, lambda out, x: (-_TWO_OVER_ROOT_PI * exp(-x * x),),
    summary="1 - erf(x), without its loss of digits for large x", source="DLMF 7.2.2",
    note="Derivative within 4 + x*x ulp, as for erf.")
# fmt: on

# ---- activations -------------------------------------------------------------------------------


def _sigmoid(x: Any) -> float:
    small = math.exp(-abs(x))  # exp of a large number would overflow
    return (1.0 if x > 0 else small) / (1.0 + small)


def _softplus(x: Any) -> float:
    return float(max(x, 0.0) + math.log1p(math.exp(-abs(x))))  # exp(x) could overflow


def _gelu(x: Any) -> float:
    if x == -math.inf:
        return -0.0
    return float(0.5 * x * math.erfc(-x * _ROOT_HALF))


def _silu(x: Any) -> float:
    if x == -math.inf:
        return -0.0
    return float(x * _sigmoid(x))


# fmt: off
relu: Final[Op] = _unary("relu", lambda x: x if not x < 0 else type(x)(0),
    lambda out, x: (greater(x, 0),), gate=True, token="ReLU", kinks=(0.0,),
    source="Nair and Hinton (2010)", summary="max(x, 0), the rectified linear unit")
sigmoid: Final[Op] = _unary("sigmoid", _sigmoid, lambda out, x: (out * (1 - out),),
    summary="1 / (1 + exp(-x)), the logistic function",
    slips=tuple([(0, wrong, "You used σ(s). The local derivative is σ′(s) = x(1 - x).")
                 for wrong in ("out", "1 - out")]),
    note="Derivative within 4 ulp of out: relative digits are lost as 1 - out is.")
softplus: Final[Op] = _unary("softplus", _softplus, lambda out, x: (sigmoid(x),),
    summary="log(1 + exp(x)), a smooth relu", source="Dugas et al. (2001)")
gelu: Final[Op] = _unary("gelu", _gelu,
    lambda out, x: (0.5 * erfc(-x * _ROOT_HALF) + x * exp(-0.5 * x * x) * _NORMAL_DENSITY_AT_0,),
    summary="x * (1 + erf(x / sqrt(2))) / 2, x times the normal distribution function",
    source="Hendrycks and Gimpel (2016)",
    note="Relative digits are lost where the two terms of the derivative cancel (x near -0.75) "
    "and in the tail, as for erf.")
silu: Final[Op] = _unary("silu", _silu, lambda out, x: (sigmoid(x) * (1 + x * sigmoid(-x)),),
    summary="x * sigmoid(x), the sigmoid linear unit", source="Elfwing et al. (2018)",
    note="The derivative loses relative digits near its zero, x = -1.278.")
# fmt: on


def leaky_relu(x: Number, negative_slope: PlainNumber = 0.01) -> Number:
    """Return x where x > 0, else `negative_slope` * x.

    Notes
    -----
    Domain: every number.
    Derivative: 1 where x > 0, else `negative_slope`; at x = 0 that is a convention.
    Source: Maas et al. (2013).

    Examples
    --------
    >>> import micrograd
    >>> micrograd.leaky_relu(-2.0)
    -0.02
    """
    return leaky_relu_with(number(negative_slope))(x)


@family
def leaky_relu_with(negative_slope: PlainNumber) -> Op:
    """Return the row of `leaky_relu` with this slope."""
    return Op(
        name="leaky_relu",
        summary=f"x where x > 0, else {shown(negative_slope)} * x",
        source="Maas et al. (2013)",
        gate=True,
        code=f"leaky_relu({{0}}, {shown(negative_slope)})",
        arity=1,
        kinks=(0.0,),
        forward=lambda x: x if x > 0 else negative_slope * x,
        partials=lambda out, x: (where(greater(x, 0), 1, negative_slope),),
    )


def elu(x: Number, alpha: PlainNumber = 1.0) -> Number:
    """Return x where x > 0, else `alpha` * (exp(x) - 1).

    Notes
    -----
    Domain: every number.
    Derivative: 1 where x > 0, else `alpha` * exp(x); at x = 0 that is a convention.
    Source: Clevert et al. (2015).

    Examples
    --------
    >>> import micrograd
    >>> micrograd.elu(-1000.0)
    -1.0
    """
    return elu_with(number(alpha))(x)


@family
def elu_with(alpha: PlainNumber) -> Op:
    """Return the row of `elu` with this alpha."""
    return Op(
        name="elu",
        summary=f"x where x > 0, else {shown(alpha)} * (exp(x) - 1)",
        source="Clevert et al. (2015)",
        gate=True,
        code=f"elu({{0}}, {shown(alpha)})",
        arity=1,
        kinks=(0.0,),
        forward=lambda x: x if x > 0 else alpha * math.expm1(x),
        partials=lambda out, x: (where(greater(x, 0), 1, alpha * exp(minimum(x, 0))),),
    )


_WITH_DEFAULTS = {"leaky_relu": leaky_relu_with(0.01), "elu": elu_with(1.0)}


def function_of_one(name: str) -> Op | None:
    """Return the row of a function of one number by its name; None if there is no such function.

    Examples
    --------
    >>> function_of_one("tanh"), function_of_one("leaky_relu").parameters, function_of_one("add")
    (<op tanh>, (0.01,), None)
    """
    row = TABLE.get(name) or _WITH_DEFAULTS.get(name)
    return row if row is not None and row.arity == 1 else None


for _function in (leaky_relu, elu):
    setattr(Operators, _function.__name__, _function)
for _row in TABLE.values():  # not earlier: a rule may name a row that stands below its own
    getattr(Operators, _row.name).__doc__ = document(_row)
