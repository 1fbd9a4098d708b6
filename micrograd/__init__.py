"""Understand back-propagation: a scalar reverse-mode autodiff engine to read, watch and compile.

>>> from micrograd import Value
>>> a, b = Value(2.0), Value(-3.0)
>>> c = (a * b + 10).tanh()
>>> c.backward()
>>> round(a.grad, 6), round(b.grad, 6)
(-0.004023, 0.002682)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from micrograd.engine import Value, enable_grad, gradient, no_grad
from micrograd.formula import formula
from micrograd.functional import grad, gradcheck, hessian, jacobian, value_and_grad
from micrograd.ops import (
    abs,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cbrt,
    cos,
    cosh,
    define,
    dot,
    elu,
    equal,
    erf,
    erfc,
    exp,
    expm1,
    gelu,
    greater,
    greater_equal,
    hypot,
    leaky_relu,
    log,
    log1p,
    log2,
    log10,
    logsumexp,
    maximum,
    minimum,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    sum,
    tan,
    tanh,
    where,
)

if TYPE_CHECKING:
    from micrograd.anomaly import detect_anomaly
    from micrograd.diagnosis import diagnose
    from micrograd.estimator import MicrogradClassifier, MicrogradRegressor
    from micrograd.live import animate_training, watch
    from micrograd.paths import explain
    from micrograd.replay import compile
    from micrograd.stepper import steps

__version__ = "1.0.0"

__all__ = [
    "MicrogradClassifier",
    "MicrogradRegressor",
    "Value",
    "abs",
    "animate_training",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "compile",
    "cos",
    "cosh",
    "define",
    "detect_anomaly",
    "diagnose",
    "dot",
    "elu",
    "enable_grad",
    "equal",
    "erf",
    "erfc",
    "exp",
    "explain",
    "expm1",
    "formula",
    "gelu",
    "grad",
    "gradcheck",
    "gradient",
    "greater",
    "greater_equal",
    "hessian",
    "hypot",
    "jacobian",
    "leaky_relu",
    "log",
    "log1p",
    "log2",
    "log10",
    "logsumexp",
    "maximum",
    "minimum",
    "no_grad",
    "relu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "steps",
    "sum",
    "tan",
    "tanh",
    "value_and_grad",
    "watch",
    "where",
]


# What few programs need is imported when it is first asked for.
_LAZY = {
    "MicrogradClassifier": "micrograd.estimator",
    "MicrogradRegressor": "micrograd.estimator",
    "animate_training": "micrograd.live",
    "compile": "micrograd.replay",
    "detect_anomaly": "micrograd.anomaly",
    "diagnose": "micrograd.diagnosis",
    "explain": "micrograd.paths",
    "steps": "micrograd.stepper",
    "watch": "micrograd.live",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return globals().setdefault(name, getattr(import_module(_LAZY[name]), name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
