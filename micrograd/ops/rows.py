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
from fractions import Fraction
from typing import Any, Final, cast

from micrograd.errors import shown
from micrograd.ops.op import REAL, Op, define, family
from micrograd.ops.operators import Number, Operators, PlainNumber, as_float, number


def _one(like: Number) -> PlainNumber:
    """Return 1, as a Fraction beside Fractions, so that 1 / int stays exact there."""
    return Fraction(1) if type(getattr(like, "data", like)) is Fraction else 1


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
    domain=(REAL, REAL),
    forward=lambda a, b: a + b,
    partials=lambda out, a, b: (1, 1),
)
sub: Final[Op] = define(
    name="sub",
    symbol="-",
    noun="difference",
    code="{0} - {1}",
    precedence=1,
    domain=(REAL, REAL),
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
    domain=(REAL, REAL),
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
    domain=(REAL, (0.1, 8.0)),
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
    domain=(REAL,),
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


@family
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
    )


@family
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
    domain=(REAL, REAL),
    forward=lambda a, b: int(a > b),
    partials=lambda out, a, b: (0, 0),
    note="1 where a > b, else 0: a comparison that stays in the graph.",
)
greater_equal: Final[Op] = define(
    name="greater_equal",
    gate=True,
    symbol="≥",
    noun="comparison",
    domain=(REAL, REAL),
    forward=lambda a, b: int(a >= b),
    partials=lambda out, a, b: (0, 0),
    note="1 where a >= b, else 0.",
)
equal: Final[Op] = define(
    name="equal",
    gate=True,
    symbol="=",
    noun="comparison",
    domain=(REAL, REAL),
    forward=lambda a, b: int(a == b),
    partials=lambda out, a, b: (0, 0),
    note="1 where a == b, else 0.",
)
where: Final[Op] = define(
    name="where",
    gate=True,
    noun="choice",
    domain=(REAL, REAL, REAL),
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
    domain=(REAL, REAL),
    forward=_share,
    partials=lambda out, a, b: (0, 0),
    note="What a gets of max(a, b): 1, 0, or 1/2 at a tie.",
)
maximum: Final[Op] = define(
    name="maximum",
    gate=True,
    symbol="max",
    noun="maximum",
    domain=(REAL, REAL),
    forward=_maximum,
    partials=lambda out, a, b: (share(a, b), share(b, a)),
)
minimum: Final[Op] = define(
    name="minimum",
    gate=True,
    symbol="min",
    noun="minimum",
    domain=(REAL, REAL),
    forward=_minimum,
    partials=lambda out, a, b: (share(b, a), share(a, b)),
)
sign: Final[Op] = define(
    name="sign",
    gate=True,
    domain=(REAL,),
    kinks=(0.0,),
    forward=_sign,
    partials=lambda out, x: (0,),
)
abs: Final[Op] = define(
    name="abs",
    gate=True,
    noun="absolute value",
    domain=(REAL,),
    kinks=(0.0,),
    forward=builtins.abs,
    partials=lambda out, x: (sign(x),),
)
identity: Final[Op] = define(
    name="identity",
    symbol="=",
    noun="copy",
    code="{0}",
    domain=(REAL,),
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
    domain=(REAL,),
    forward=math.exp,
    partials=lambda out, x: (out,),
)
expm1: Final[Op] = define(
    name="expm1",
    hint=_NO_OVERFLOW,
    domain=(REAL,),
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
    domain=(REAL, (0.1, 8.0)),
    forward=lambda a, b: a / where(b, b, 1),
    partials=lambda out, a, b: (_one(out) / b, -out / b),
    note="a / b, but a where b is 0: its value there is a convention, its derivatives are not.",
)
hypot: Final[Op] = define(
    name="hypot",
    arity=2,
    domain=(REAL, REAL),
    forward=math.hypot,
    partials=lambda out, a, b: (ratio(a, out), ratio(b, out)),
    note="At the origin both derivatives are taken as 0, and there are no second ones.",
)

# ---- trigonometry (radians) --------------------------------------------------------------------

sin: Final[Op] = define(
    name="sin",
    noun="sine",
    domain=(REAL,),
    forward=math.sin,
    partials=lambda out, x: (cos(x),),
)
cos: Final[Op] = define(
    name="cos",
    noun="cosine",
    domain=(REAL,),
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
    domain=(REAL,),
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
    domain=(REAL,),
    forward=math.sinh,
    partials=lambda out, x: (cosh(x),),
)
cosh: Final[Op] = define(
    name="cosh",
    hint=_NO_OVERFLOW,
    domain=(REAL,),
    forward=math.cosh,
    partials=lambda out, x: (sinh(x),),
)
tanh: Final[Op] = define(
    name="tanh",
    domain=(REAL,),
    forward=math.tanh,
    partials=lambda out, x: (1 - out * out,),
    note="Within 4 ulp of 1, the scale of its terms: relative digits go as tanh saturates.",
)
arcsinh: Final[Op] = define(
    name="arcsinh",
    domain=(REAL,),
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
    domain=(REAL,),
    forward=math.erf,
    partials=lambda out, x: (_TWO_OVER_ROOT_PI * exp(-x * x),),
    note="DLMF 7.2.1. Derivative within 4 + x*x ulp: the rounding of x*x, magnified by exp.",
)
erfc: Final[Op] = define(
    name="erfc",
    domain=(REAL,),
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
    domain=(REAL,),
    kinks=(0.0,),
    forward=lambda x: x if not x < 0 else type(x)(0),
    partials=lambda out, x: (greater(x, 0),),
)
sigmoid: Final[Op] = define(
    name="sigmoid",
    domain=(REAL,),
    forward=_sigmoid,
    partials=lambda out, x: (out * (1 - out),),
    note="Derivative within 4 ulp of out: relative digits go as 1 - out does.",
)
softplus: Final[Op] = define(
    name="softplus",
    domain=(REAL,),
    forward=_softplus,
    partials=lambda out, x: (sigmoid(x),),
    note="log(1 + exp(x)).",
)
gelu: Final[Op] = define(
    name="gelu",
    domain=(REAL,),
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
    domain=(REAL,),
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


@family
def leaky_relu_with(negative_slope: PlainNumber) -> Op:
    """Return the row of `leaky_relu` with this slope."""
    return Op(
        name="leaky_relu",
        gate=True,
        code=f"leaky_relu({{0}}, {shown(negative_slope)})",
        arity=1,
        domain=(REAL,),
        kinks=(0.0,),
        forward=lambda x: x if x > 0 else negative_slope * x,
        partials=lambda out, x: (where(greater(x, 0), 1, negative_slope),),
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


@family
def elu_with(alpha: PlainNumber) -> Op:
    """Return the row of `elu` with this alpha."""
    return Op(
        name="elu",
        gate=True,
        code=f"elu({{0}}, {shown(alpha)})",
        arity=1,
        domain=(REAL,),
        kinks=(0.0,),
        forward=lambda x: x if x > 0 else alpha * math.expm1(x),
        partials=lambda out, x: (where(greater(x, 0), 1, alpha * exp(minimum(x, 0))),),
    )


for _name, _function in (("leaky_relu", leaky_relu), ("elu", elu)):
    setattr(Operators, _name, _function)
