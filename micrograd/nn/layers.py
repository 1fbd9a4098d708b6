"""Neurons, layers and multi-layer perceptrons of Values.

>>> import random
>>> random.seed(1337)
>>> model = MLP(2, [3, 1])
>>> model
MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]
>>> score = model([1.0, -2.0])
>>> score.backward()
>>> len(model.parameters())
13
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, cast

from micrograd.checks import one_of, whole_number
from micrograd.engine import Value
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    NumberTypeError,
    shown_briefly,
)
from micrograd.nn.module import Module
from micrograd.ops import Number, Op, Operators, constant, dot_of, function_of_one
from micrograd.values.collecting import uncollected
from micrograd.values.names import keep_places

__all__ = [
    "ACTIVATIONS", "INITS", "MLP", "RECTIFIERS", "Layer", "Neuron", "Trace", "activated",
    "activation_of", "is_ours", "is_replaced", "neurons_of",
]  # fmt: skip


class Trace(NamedTuple):
    """What the neurons of a layer computed, in the lecture's notation.

    Attributes
    ----------
    s : list of Value
        The summation of each neuron: the weighted sum of its inputs plus its bias.
    x : list of Value
        The activation of each neuron, its output; for a linear neuron the summation itself.
    """

    s: list[Any]
    x: list[Any]


def _uniform(draw: Any, fan_in: int, fan_out: int) -> float:
    return cast("float", draw.uniform(-1, 1))


def _he(draw: Any, fan_in: int, fan_out: int) -> float:
    return cast("float", draw.gauss(0.0, math.sqrt(2 / fan_in)))


def _glorot(draw: Any, fan_in: int, fan_out: int) -> float:
    limit = math.sqrt(6 / (fan_in + fan_out))
    return cast("float", draw.uniform(-limit, limit))


INITS: Final = {"uniform": _uniform, "he": _he, "glorot": _glorot}
"""The initializations by name; each draws a weight from a generator, given fan-in and fan-out."""

ACTIVATIONS: Final = (
    "relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus", "linear",
)  # fmt: skip
"""The usual activations; any other function of one number will do."""
RECTIFIERS: Final = {
    "relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU",
}  # fmt: skip
"""The activations that `init="he"` is for, and how a repr writes each of them."""


def _activation(name: str) -> Op | None:
    """Return the row of an activation, None for the linear one."""
    row = function_of_one(name)
    if row is not None or name == "linear":
        return row
    raise ArgumentError(
        f"unknown activation {name!r}: expected {', '.join(map(repr, ACTIVATIONS))} or the name of "
        "another function of one number"
    )


def is_replaced(name: str) -> bool:
    """Return whether the user has replaced the method of this activation on `Value`."""
    return getattr(Value, name, None) is not getattr(Operators, name, None)


def activated(s: Number, name: str) -> Number:
    """Return the activation of a summation: what its method of that name returns.

    A method that the user replaced, on `Value` or in a subclass, is therefore used.

    Examples
    --------
    >>> activated(Value(-3.0), "relu")
    Value(data=0.0, grad=0)
    """
    row = function_of_one(name) or _activation(name)
    if row is None:
        return s
    kind = type(s)  # the symbols of a trace have the methods of our Value
    method = getattr(kind if issubclass(kind, Value) else Value, name, None)
    return row(s) if method is getattr(Operators, name, None) else cast("Any", method)(s)


def _names(activations: Any) -> list[str]:
    names = list(activations) if isinstance(activations, Iterable) else [activations]
    if not all(isinstance(name, str) for name in names):
        raise ArgumentTypeError(
            "expected the name of an activation, or a list with one per layer, got "
            f"{shown_briefly(activations)}"
        )
    return names


class _Inputs(tuple[Any, ...]):
    """Inputs that were checked: each one a Value or a symbol."""

    __slots__ = ()


def _inputs(x: Any, count: int, owner: Module) -> _Inputs:
    """Return the inputs, checked to be `count`, with plain numbers made into leaves."""
    if isinstance(x, Operators):
        given: tuple[Any, ...] = (x,)
    else:
        try:
            given = tuple(x)
        except TypeError:
            given = (x,)
    if len(given) != count:
        noun = "input" if count == 1 else "inputs"
        raise InputCountError(f"expected {count} {noun} for {owner._title()}, got {len(given)}")
    try:
        return _Inputs([item if isinstance(item, Operators) else _leaf(item) for item in given])
    except NumberTypeError as error:
        hint = "; a network takes one sample at a time" if hasattr(given[0], "__len__") else ""
        raise NumberTypeError(f"an input of {owner._title()}: {error}{hint}") from error


def _not_one_sample(owner: Module, given: tuple[Any, ...]) -> ArgumentTypeError:
    shown = ", ".join(map(shown_briefly, given[:3])) + (", ..." if len(given) > 3 else "")
    return ArgumentTypeError(
        f"{owner._title()} takes one sample, a list of its inputs, got {len(given)} arguments: "
        f"write model([{shown}])"
    )


def _leaf(plain: Any) -> Value:
    """Return a constant leaf, as the engine makes where a plain number meets a Value."""
    leaf = Value(plain)
    leaf.op = constant
    return leaf


class Neuron(Module):
    """A neuron: the weighted sum of its inputs plus a bias, through an activation.

    Parameters
    ----------
    nin : int
        Number of inputs.
    nonlin : bool, default True
        False for a linear neuron, whatever `activation` is.
    activation : str, default "relu"
        "relu", "tanh", "sigmoid", "linear", "leaky_relu", "elu", "gelu", "silu", "softplus", or
        any other function of one number in the op table, including those that you define.
    init : {"uniform", "he", "glorot"}, default "uniform"
        How weights are drawn: uniformly from [-1, 1]; normally with variance 2 / nin [1]_;
        uniformly with variance 2 / (nin + fan_out) [2]_. The bias starts at 0.
    rng : random.Random, optional
        The generator they are drawn with. Default the `random` module.
    atomic : bool, default False
        Build the sum from single multiplications and additions instead of one `dot` node. The
        numbers are the same to the last bit.
    fan_out : int, default 1
        Number of neurons in the layer, for "glorot".

    Attributes
    ----------
    w : list of Value
        The weights, one per input.
    b : Value
        The bias.
    nonlin, activation, atomic
        As given. They can be changed.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If a name is unknown or a number of inputs is not a whole number.

    References
    ----------
    .. [1] He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers, eq. 10.
    .. [2] Glorot and Bengio (2010), Understanding the Difficulty of Training Deep Feedforward
       Neural Networks, eq. 16.

    Examples
    --------
    >>> neuron = Neuron(2, activation="tanh")
    >>> neuron.w, neuron.b = [Value(1.0), Value(-1.0)], Value(0.5)
    >>> neuron([1.0, 1.5])
    Value(data=0.0, grad=0)
    >>> neuron([1.0])
    Traceback (most recent call last):
        ...
    micrograd.errors.InputCountError: expected 2 inputs for Neuron(2), got 1
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: str = "relu",
        init: str = "uniform",
        rng: random.Random | None = None,
        atomic: bool = False,
        fan_out: int = 1,
    ) -> None:
        nin, fan_out = whole_number("nin", nin, 0), whole_number("fan_out", fan_out, 1)
        _activation(activation)
        one_of("init", init, INITS)
        if rng is not None and not isinstance(rng, random.Random):
            raise ArgumentTypeError(
                f"expected a random.Random(seed) as rng, got {shown_briefly(rng)}"
            )
        draw = random if rng is None else rng
        self.w = [Value(INITS[init](draw, nin, fan_out)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin
        self.activation = activation
        self.atomic = atomic

    def __call__(self, x: Any, *more: Any) -> Any:
        """Return the activation for inputs `x`: a sequence of `nin` numbers or Values."""
        if more:
            raise _not_one_sample(self, (x, *more))
        return self._forward(x if type(x) is _Inputs else _inputs(x, len(self.w), self))[1]

    def trace(self, x: Any) -> tuple[Any, Any]:
        """Return the summation s and the activation x as Values.

        Examples
        --------
        >>> s, x = Neuron(1).trace([2.0])
        >>> x.parents == (s,)
        True
        """
        return self._forward(_inputs(x, len(self.w), self))

    def _forward(self, x: _Inputs) -> tuple[Number, Number]:
        w, b = self.w, self.b
        if len(x) != len(w):
            raise InputCountError(f"expected {len(w)} inputs for {self._title()}, got {len(x)}")
        if self.atomic:
            s: Number = b
            for i, weight in enumerate(w):
                s = s + weight * x[i]
        elif w:
            s = dot_of(len(w), True)(*w, *x, b)
        else:
            s = b
        return s, activated(s, self.activation) if self.nonlin else s

    def parameters(self) -> list[Value]:
        """Return the weights, then the bias."""
        return [*self.w, self.b]

    def configuration(self) -> dict[str, Any]:
        """Return the arguments of the constructor that give a neuron of this shape."""
        return {
            "nin": len(self.w),
            "nonlin": self.nonlin,
            "activation": self.activation,
            "atomic": self.atomic,
        }

    @classmethod
    def _size(cls, configuration: dict[str, Any]) -> int:
        return whole_number("nin", configuration["nin"], 0) + 1

    def _title(self) -> str:
        return f"{type(self).__name__}({len(self.w)})"

    def _structure(self) -> str:
        name = activation_of(self)
        return f"{RECTIFIERS.get(name) or name[:1].upper() + name[1:]}Neuron({len(self.w)})"

    def __repr__(self) -> str:
        return self._structure()


class Layer(Module):
    """Neurons that share their inputs.

    Parameters
    ----------
    nin : int
        Number of inputs.
    nout : int
        Number of neurons.
    **neuron_options
        As for `Neuron`.

    Attributes
    ----------
    neurons : list of Neuron

    Examples
    --------
    >>> Layer(2, 3, activation="tanh")
    Layer of [TanhNeuron(2), TanhNeuron(2), TanhNeuron(2)]
    """

    def __init__(self, nin: int, nout: int, **neuron_options: Any) -> None:
        nin, nout = whole_number("nin", nin, 0), whole_number("nout", nout, 1)
        options = {"fan_out": nout, **neuron_options}
        self.neurons = [Neuron(nin, **options) for _ in range(nout)]
        keep_places([self.neurons])

    def __call__(self, x: Any, *more: Any) -> Any:
        """Return the outputs for inputs `x`: a list, or a Value if there is one neuron."""
        if more:
            raise _not_one_sample(self, (x, *more))
        if type(x) is not _Inputs:
            x = _inputs(x, self._nin(), self)
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def trace(self, x: Any) -> Trace:
        """Return the summations s and the activations x of the neurons."""
        if type(x) is not _Inputs:
            x = _inputs(x, self._nin(), self)
        fired = [neuron.trace(x) for neuron in self.neurons]
        return Trace([s for s, _ in fired], [out for _, out in fired])

    def parameters(self) -> list[Value]:
        """Return the parameters, neuron by neuron."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def configuration(self) -> dict[str, Any]:
        """Return the arguments of the constructor that give a layer of this shape."""
        return {"nout": len(self.neurons), **self.neurons[0].configuration()}

    @classmethod
    def _size(cls, configuration: dict[str, Any]) -> int:
        return whole_number("nout", configuration["nout"], 1) * Neuron._size(configuration)

    def _nin(self) -> int:
        return len(self.neurons[0].w)

    def _title(self) -> str:
        return f"{type(self).__name__}({self._nin()}, {len(self.neurons)})"

    def _structure(self) -> str:
        return f"Layer of [{', '.join(str(neuron) for neuron in self.neurons)}]"

    def __repr__(self) -> str:
        return self._structure()


class MLP(Module):
    """A multi-layer perceptron: layers one after the other, the last one linear.

    Parameters
    ----------
    nin : int
        Number of inputs.
    nouts : sequence of int
        Number of neurons of each layer; the last is the number of outputs.
    activation : str or sequence of str, default "relu"
        One for all layers but the last, which is linear; or one per layer, including the last.
    init, rng, atomic
        As for `Neuron`.

    Attributes
    ----------
    layers : list of Layer
    nin, nouts, activation, atomic
        As given.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If a name is unknown or a width is not a whole number of 1 or more.

    Notes
    -----
    Weights are drawn layer by layer, neuron by neuron, input by input, as in karpathy/micrograd:
    the same seed gives the same network.

    Examples
    --------
    >>> import random
    >>> model = MLP(3, [4, 1], activation="tanh", rng=random.Random(0))
    >>> model([1.0, 2, Value(3.0)]).data == model((1.0, 2, 3.0)).data
    True
    >>> model([1.0, 2.0])
    Traceback (most recent call last):
        ...
    micrograd.errors.InputCountError: expected 3 inputs for MLP(3, [4, 1]), got 2
    """

    nin: int | None = None  # unknown if a subclass builds its layers itself

    def __init__(
        self,
        nin: int,
        nouts: Iterable[int] | None = None,
        *more: int,
        activation: str | Iterable[str] = "relu",
        init: str = "uniform",
        rng: random.Random | None = None,
        atomic: bool = False,
    ) -> None:
        first: Any = nin
        if more or (nouts is None and isinstance(first, (list, tuple)) and len(first) > 1):
            parts = [[*first]] if nouts is None else [[first], nouts, *more]
            given = [n for part in parts for n in (part if isinstance(part, list) else [part])]
            raise ArgumentTypeError(
                "expected the number of inputs, then the widths of the layers: write "
                f"MLP({shown_briefly(given[0])}, {shown_briefly(given[1:])})"
            )
        if isinstance(nouts, (str, bytes)) or not isinstance(nouts, Iterable):
            raise ArgumentTypeError(
                f"expected a list of the widths of the layers, as in MLP(2, [16, 16, 1]), got "
                f"{shown_briefly(nouts)}"
            )
        sizes = [whole_number("nin", nin, 0), *[whole_number("a layer width", n, 1) for n in nouts]]
        self.nin = sizes[0]
        self.nouts = sizes[1:]
        self.activation = activation if isinstance(activation, str) else _names(activation)
        self.atomic = atomic
        each = self.activation
        if isinstance(each, str):
            each = [each] * len(self.nouts)
        elif len(each) != len(self.nouts):
            raise ArgumentError(
                f"expected one activation for each of the {len(self.nouts)} layers, got {len(each)}"
            )
        with uncollected():  # it would walk over all the parameters so far, again and again
            self.layers = [
                Layer(
                    sizes[i],
                    sizes[i + 1],
                    nonlin=i != len(sizes) - 2 or each is self.activation,
                    activation=each[i],
                    init=init,
                    rng=rng,
                    atomic=atomic,
                )
                for i in range(len(sizes) - 1)
            ]
            keep_places([layer.neurons for layer in self.layers])

    def __call__(self, x: Any, *more: Any) -> Any:
        """Return the outputs for one sample `x`: a list, or a Value if there is one output."""
        if more:
            raise _not_one_sample(self, (x, *more))
        if self.nin is not None:
            x = _inputs(x, self.nin, self)
        for layer in self.layers:
            x = layer(x)
        return x

    def trace(self, x: Any) -> list[Trace]:
        """Return what each layer computes for one sample.

        Parameters
        ----------
        x : sequence of number or Value

        Returns
        -------
        list of Trace
            One per layer: the lists of its summations `s` and its activations `x`.

        Examples
        --------
        >>> hidden, output = MLP(2, [3, 1]).trace([0.5, -0.5])
        >>> len(hidden.s), [node.op for node in hidden.x]
        (3, [<op ReLU>, <op ReLU>, <op ReLU>])
        >>> output.s == output.x  # the last layer is linear
        True
        """
        if self.nin is not None:
            x = _inputs(x, self.nin, self)
        traces = []
        for layer in self.layers:
            traces.append(layer.trace(x))
            x = traces[-1].x
        return traces

    def parameters(self) -> list[Value]:
        """Return the parameters, layer by layer."""
        return [p for layer in self.layers for p in layer.parameters()]

    def configuration(self) -> dict[str, Any]:
        """Return the arguments of the constructor that give a network of this shape."""
        if self.nin is None:
            return {}
        return {
            "nin": self.nin,
            "nouts": self.nouts,
            "activation": self.activation,
            "atomic": self.atomic,
        }

    @classmethod
    def _size(cls, configuration: dict[str, Any]) -> int:
        sizes = [whole_number("nin", configuration["nin"], 0)]
        sizes += [whole_number("a layer width", n, 1) for n in configuration["nouts"]]
        return sum([sizes[i] * (sizes[i - 1] + 1) for i in range(1, len(sizes))])

    def _title(self) -> str:
        return f"{type(self).__name__}({self.nin}, {self.nouts})"

    def _structure(self) -> str:
        return f"MLP of [{', '.join(str(layer) for layer in self.layers)}]"

    def __repr__(self) -> str:
        return self._structure()


# ---- walking through a network -------------------------------------------------------------------


def neurons_of(model: Any) -> list[list[Any]]:
    """Return the neurons of a network, layer by layer.

    Parameters
    ----------
    model : MLP, Layer, Neuron or anything else
        Parts of `layers` without neurons are skipped.

    Returns
    -------
    list of list of Neuron
        One list for a layer or a neuron; no list for what has no neurons.

    Examples
    --------
    >>> neurons_of(MLP(2, [2, 1]))
    [[ReLUNeuron(2), ReLUNeuron(2)], [LinearNeuron(2)]]
    >>> neurons_of(Neuron(2)), neurons_of(3)
    ([[ReLUNeuron(2)]], [])
    """
    if hasattr(model, "w") and hasattr(model, "b"):
        return [[model]]
    layers = getattr(model, "layers", [model])
    return [list(layer.neurons) for layer in layers if hasattr(layer, "neurons")]


def activation_of(neuron: Any) -> str:
    """Return the name of the activation that a neuron applies; "linear" for none.

    Examples
    --------
    >>> activation_of(Neuron(2, activation="tanh")), activation_of(Neuron(2, nonlin=False))
    ('tanh', 'linear')
    """
    if not (hasattr(neuron, "activation") and hasattr(neuron, "nonlin")):
        raise ArgumentTypeError(f"expected a Neuron, got {shown_briefly(neuron)}")
    return str(neuron.activation) if neuron.nonlin else "linear"


def is_ours(model: Any) -> bool:
    """Return whether a network is made of the classes of this module, and of no subclass.

    Then what it computes is known from its numbers and names.

    Examples
    --------
    >>> is_ours(MLP(2, [1])), is_ours(Neuron(2))
    (True, False)
    """
    return type(model) is MLP and all(
        type(layer) is Layer and set(map(type, layer.neurons)) == {Neuron} for layer in model.layers
    )
