"""Understand back-propagation: a scalar reverse-mode autodiff engine to read, watch and compile.

>>> from micrograd import Value
>>> a, b = Value(2.0), Value(-3.0)
>>> c = (a * b + 10).tanh()
>>> c.backward()
>>> round(a.grad, 6), round(b.grad, 6)
(-0.004023, 0.002682)

``import micrograd as mg`` is enough: the modules, and what few programs need, are loaded when they
are first named.

>>> import micrograd as mg
>>> descent = mg.optim.SGD(mg.nn.MLP(2, [16, 1]).parameters(), lr=0.1)
>>> [name for name in dir(mg) if name.startswith("draw")]
['draw', 'draw_dot', 'draw_network']
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from micrograd import aliases as _aliases
from micrograd.engine import Value, enable_grad, gradient, no_grad
from micrograd.formula import formula
from micrograd.functional import grad, gradcheck, hessian, jacobian, value_and_grad
from micrograd.ops import abs as abs
from micrograd.ops import (
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
    take,
    tan,
    tanh,
    where,
)
from micrograd.ops import sum as sum
from micrograd.values import showing as _showing

if TYPE_CHECKING:
    from micrograd import (
        course,
        datasets,
        diagnosis,
        draw,
        engine,
        errors,
        functional,
        graph,
        interop,
        live,
        losses,
        nn,
        ops,
        optim,
        plot,
        replay,
        stepper,
        train,
    )
    from micrograd import estimator as estimator
    from micrograd.diagnosis import diagnose
    from micrograd.draw import draw_dot, draw_network
    from micrograd.estimator import MicrogradClassifier as MicrogradClassifier
    from micrograd.estimator import MicrogradRegressor as MicrogradRegressor
    from micrograd.live import animate_training, watch
    from micrograd.nn import MLP
    from micrograd.replay import compile as compile
    from micrograd.stepper import compare, paths, steps
    from micrograd.stepper.paths import explain
    from micrograd.train import fit
    from micrograd.values import anomaly
    from micrograd.values.anomaly import detect_anomaly

_aliases.install()
_showing.views.append(lambda thing: import_module("micrograd.display").html(thing))

__version__ = "1.0.0"

# What `from micrograd import *` gives: all that `dir(micrograd)` lists, but not `abs`, `sum` and
# `compile`, which would take the place of Python's own, nor the estimators, which need
# scikit-learn (the star would fail where it is not installed).
__all__ = [
    "MLP", "Value", "animate_training", "anomaly", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "cbrt", "compare", "cos", "cosh", "course", "datasets",
    "define", "detect_anomaly", "diagnose", "diagnosis", "dot", "draw", "draw_dot", "draw_network",
    "elu", "enable_grad", "engine", "equal", "erf", "erfc", "errors", "exp", "explain", "expm1",
    "fit", "formula", "functional", "gelu", "grad", "gradcheck", "gradient", "graph", "greater",
    "greater_equal", "hessian", "hypot", "interop", "jacobian", "leaky_relu", "live", "log",
    "log1p", "log2", "log10", "logsumexp", "losses", "maximum", "minimum", "nn", "no_grad", "ops",
    "optim", "paths", "plot", "relu", "replay", "sigmoid", "sign", "silu", "sin", "sinh", "softmax",
    "softplus", "sqrt", "stepper", "steps", "take", "tan", "tanh", "train", "value_and_grad",
    "watch", "where",
]  # fmt: skip

_MODULES = {
    "anomaly", "course", "datasets", "diagnosis", "draw", "engine", "errors", "estimator",
    "functional", "graph", "interop", "live", "losses", "nn", "ops", "optim", "paths", "plot",
    "replay", "stepper", "train",
}  # fmt: skip
_LATER = {
    "MLP": "micrograd.nn",
    "MicrogradClassifier": "micrograd.estimator",
    "MicrogradRegressor": "micrograd.estimator",
    "animate_training": "micrograd.live",
    "compare": "micrograd.stepper",
    "compile": "micrograd.replay",
    "detect_anomaly": "micrograd.values.anomaly",
    "diagnose": "micrograd.diagnosis",
    "draw_dot": "micrograd.draw",
    "draw_network": "micrograd.draw",
    "explain": "micrograd.stepper.paths",
    "fit": "micrograd.train",
    "steps": "micrograd.stepper",
    "watch": "micrograd.live",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_LATER})


if not TYPE_CHECKING:  # a type checker that saw it would know any name, and no mistyped one

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"micrograd.{name}")
        if name in _LATER:
            return globals().setdefault(name, getattr(import_module(_LATER[name]), name))
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message, name=name, obj=sys.modules[__name__])
