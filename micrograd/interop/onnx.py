"""Networks in and out: PyTorch, ONNX, scikit-learn. The weights are copied, never shared.

>>> import random
>>> from micrograd.nn import MLP, Layer, Neuron
>>> model = MLP(2, [4, 3], activation="tanh", rng=random.Random(0))
>>> classifier = to_sklearn(model, classes=["cat", "dog", "owl"])
>>> again = from_sklearn(classifier)
>>> [score.data for score in again([1, 2])] == [score.data for score in model([1, 2])]
True
"""

from __future__ import annotations

import math
import os
import random
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, not_a_network
from micrograd.files import write_whole
from micrograd.nn import MLP, Layer, Neuron, is_replaced

__all__ = ["from_sklearn", "from_torch", "to_onnx", "to_sklearn", "to_torch"]

_OPSET: Final = 18  # of ONNX, from 2022: what the runtimes in use all read
_IR_VERSION: Final = 8
_LARGEST_FLOAT32: Final = (2 - 2**-23) * 2.0**127
_OF_SKLEARN: Final = {
    "identity": "linear",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
}


class _Dense(NamedTuple):
    """One layer as plain numbers; the weights are a row a neuron."""

    weights: list[list[float]]
    biases: list[float]
    activation: str


# ---- the network itself ------------------------------------------------------------------------


def _layers_of(model: Any, known: Sequence[str], place: str) -> list[_Dense]:
    """Return the layers; raise where `place` has no word for one."""
    if not isinstance(model, MLP):
        raise not_a_network(model, "an MLP")
    own = [
        part
        for layer in model.layers
        for part in (model, layer, *layer.neurons)
        if type(part).__call__ not in (MLP.__call__, Layer.__call__, Neuron.__call__)
    ]
    if own:
        raise ArgumentTypeError(
            f"{type(own[0]).__name__} has a __call__ of its own, which {place} does not know"
        )
    layers: list[_Dense] = []
    for i, layer in enumerate(model.layers):
        kinds = list(dict.fromkeys(n.activation if n.nonlin else "linear" for n in layer.neurons))
        if len(kinds) > 1:
            raise ArgumentError(
                f"layer {i} has neurons of several activations, {', '.join(kinds)}: "
                f"a layer of {place} has one"
            )
        if is_replaced(kinds[0]):
            raise ArgumentError(
                f"layer {i} has activation {kinds[0]!r}, and Value.{kinds[0]} was replaced by a "
                f"method that {place} does not know"
            )
        if kinds[0] not in known:
            raise ArgumentError(
                f"layer {i} has activation {kinds[0]!r}, which {place} does not have; "
                f"it has {', '.join(known)}"
            )
        widths = {len(neuron.w) for neuron in layer.neurons}
        inputs = min(widths) if model.nin is None else model.nin
        before = len(layers[-1].biases) if layers else inputs
        if widths != {before}:
            raise InputCountError(
                f"layer {i} has neurons of {', '.join(map(str, sorted(widths)))} weights; "
                f"expected {before}, one an input"
            )
        for j, neuron in enumerate(layer.neurons):
            named = [*((f"w[{k}]", w) for k, w in enumerate(neuron.w)), ("b", neuron.b)]
            for name, parameter in named:
                if not math.isfinite(parameter.data):
                    raise ArgumentError(
                        f"layer {i}, neuron {j}: {name} is {parameter.data}, "
                        "expected finite parameters"
                    )
        layers.append(
            _Dense(
                [[float(w.data) for w in neuron.w] for neuron in layer.neurons],
                [float(neuron.b.data) for neuron in layer.neurons],
                kinds[0],
            )
        )
    if not layers:
        raise ArgumentError("a network without layers has nothing to copy")
    return layers


def _network(nin: int, layers: Sequence[_Dense]) -> MLP:
    """Return a network of these layers."""
    names = [layer.activation for layer in layers]
    usual = names[-1] == "linear" and len(set(names[:-1])) == 1
    model = MLP(
        nin,
        [len(layer.biases) for layer in layers],
        activation=names[0] if usual else names,
        rng=random.Random(0),  # the numbers drawn are replaced: the user's are left alone
    )
    for layer, given in zip(model.layers, layers, strict=True):
        for neuron, weights, bias in zip(layer.neurons, given.weights, given.biases, strict=True):
            for value, number in zip([*neuron.w, neuron.b], [*weights, bias], strict=True):
                value.data = number
    return model


# ---- PyTorch -----------------------------------------------------------------------------------


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError('PyTorch is missing: pip install "micrograd[parity]"') from error
    return torch


def _torch_activations(nn: Any) -> dict[str, Any]:
    """Return our name of each activation with a new module of PyTorch that computes the same."""
    return {
        "relu": nn.ReLU(),
        "tanh": nn.Tanh(),
        "sigmoid": nn.Sigmoid(),
        "leaky_relu": nn.LeakyReLU(0.01),
        "elu": nn.ELU(1.0),
        "gelu": nn.GELU(),
        "silu": nn.SiLU(),
        # PyTorch's own default takes x for softplus(x) from 20 on, and loses 2e-9 there.
        "softplus": nn.Softplus(threshold=100),
    }


def to_torch(model: MLP) -> Any:
    """Return the network as a `torch.nn.Sequential` with the same outputs.

    Parameters
    ----------
    model : MLP

    Returns
    -------
    torch.nn.Sequential
        Of `Linear` and activations, in float64. It takes a tensor of shape (n_samples, nin) and
        gives one of shape (n_samples, nout): `.float()` makes it float32.

    Raises
    ------
    ArgumentError
        If a layer mixes activations, PyTorch has no module for one, or a parameter is not finite.
        Also a ValueError.
    ArgumentTypeError
        If `model` is no MLP. Also a TypeError.
    ImportError
        If PyTorch is missing.

    Examples
    --------
    With PyTorch installed::

        import torch
        from micrograd.interop import from_torch, to_torch
        from micrograd.nn import MLP

        model = MLP(2, [4, 1], activation="tanh")
        module = to_torch(model)
        (score,) = module(torch.tensor([[1.0, 2.0]], dtype=torch.float64))
        assert abs(score.item() - model([1.0, 2.0]).data) < 1e-12
        assert from_torch(module).state_dict() == model.state_dict()
    """
    torch = _torch()
    modules = []
    known = [*_torch_activations(torch.nn), "linear"]
    for layer in _layers_of(model, known, "torch.nn"):
        nout, nin = len(layer.biases), len(layer.weights[0])
        # Without drawing weights, which would change the user's random numbers.
        linear = torch.nn.utils.skip_init(torch.nn.Linear, nin, nout, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(layer.weights, dtype=torch.float64).reshape(nout, nin))
            linear.bias.copy_(torch.tensor(layer.biases, dtype=torch.float64))
        modules.append(linear)
        if layer.activation != "linear":
            modules.append(_torch_activations(torch.nn)[layer.activation])
    return torch.nn.Sequential(*modules)


def from_torch(module: Any) -> MLP:
    """Return a `torch.nn.Sequential` as a network with the same outputs.

    Parameters
    ----------
    module : torch.nn.Sequential
        Of `Linear`, each followed by one activation or none; `Identity` and a `Sequential` inside
        are looked through. A `Linear` without bias gets a bias of 0.

    Returns
    -------
    MLP
        Its activations are one a layer, where the module is not the usual one.

    Raises
    ------
    ArgumentError
        If a module has no counterpart here; it is named. Also a ValueError.
    ArgumentTypeError
        If `module` is no Sequential. Also a TypeError.
    ImportError
        If PyTorch is missing.

    Notes
    -----
    `Softplus` with PyTorch's default threshold of 20 differs by 2e-9 at most, beyond 20.
    """
    torch = _torch()
    if not isinstance(module, torch.nn.Sequential):
        raise ArgumentTypeError(
            f"expected a torch.nn.Sequential, got {module!r:.60} ({type(module).__name__})"
        )
    # Compared by their text, which holds their options.
    known = {_told(ours): name for name, ours in _torch_activations(torch.nn).items()}
    layers: list[_Dense] = []
    nin = 0
    for name, part in _parts(torch, module, ""):
        if type(part) is torch.nn.Linear:
            if layers and part.in_features != len(layers[-1].biases):
                raise InputCountError(
                    f"module {name}, {part!r}, follows a layer of {len(layers[-1].biases)}"
                )
            if part.weight.is_meta:
                raise ArgumentError(f"module {name} is on the device 'meta': it has no numbers")
            if not part.weight.dtype.is_floating_point:
                raise ArgumentError(f"module {name} has weights of {part.weight.dtype}, not real")
            if not layers:
                nin = part.in_features
            bias = [0.0] * part.out_features if part.bias is None else _plain(part.bias)
            layers.append(_Dense(_plain(part.weight), bias, "linear"))
            continue
        activation = known.get(_told(part))
        if activation is None:
            raise ArgumentError(
                f"module {name} is {part!r:.80}, which an MLP does not have: expected Linear, "
                f"Identity or one of {', '.join(known)}"
            )
        if not layers or layers[-1].activation != "linear":
            raise ArgumentError(f"module {name}, {part!r:.80}, does not follow a Linear")
        layers[-1] = layers[-1]._replace(activation=activation)
    if not layers:
        raise ArgumentError("a Sequential without a Linear is no network")
    return _network(nin, layers)


def _parts(torch: Any, module: Any, path: str) -> Iterator[tuple[str, Any]]:
    # Not `named_children`, which leaves out a module that stands in two places.
    for name, part in enumerate(module):
        if type(part) is torch.nn.Sequential:
            yield from _parts(torch, part, f"{path}{name}.")
        elif type(part) is not torch.nn.Identity:
            yield f"{path}{name}", part


def _told(part: Any) -> str:
    """Return class and options of an activation, without those that change no number."""
    kind = type(part)
    name = kind.__name__ if kind.__module__.startswith("torch.nn.") else repr(kind)
    options = [
        f"{key}={getattr(part, key)}"
        for key in ("negative_slope", "alpha", "approximate", "beta")
        if hasattr(part, key)
    ]
    return f"{name}({', '.join(options)})"


def _plain(tensor: Any) -> Any:
    return tensor.detach().cpu().double().tolist()


# ---- ONNX --------------------------------------------------------------------------------------

# Our name of each activation, and the nodes that compute it from "s" to "x".
_ONNX: Final[dict[str, list[tuple[str, list[str], str, dict[str, Any]]]]] = {
    "relu": [("Relu", ["s"], "x", {})],
    "tanh": [("Tanh", ["s"], "x", {})],
    "sigmoid": [("Sigmoid", ["s"], "x", {})],
    # Not LeakyRelu, whose slope is a float32 in every file.
    "leaky_relu": [("Mul", ["s", "slope"], "small", {}), ("Max", ["s", "small"], "x", {})],
    "elu": [("Elu", ["s"], "x", {"alpha": 1.0})],
    "gelu": [
        ("Mul", ["s", "sqrt_half"], "scaled", {}),
        ("Erf", ["scaled"], "erf", {}),
        ("Add", ["erf", "one"], "twice", {}),
        ("Mul", ["twice", "half"], "share", {}),
        ("Mul", ["s", "share"], "x", {}),
    ],
    # Not s * Sigmoid(s), which ONNX Runtime replaces by an operation that it lacks in float64.
    "silu": [
        ("Neg", ["s"], "exponent", {}),
        ("Exp", ["exponent"], "power", {}),
        ("Add", ["power", "one"], "sum", {}),
        ("Div", ["s", "sum"], "x", {}),
    ],
    # Not Softplus, which overflows in ONNX Runtime: max(s, 0) + log(1 + exp(-|s|)).
    "softplus": [
        ("Abs", ["s"], "size", {}),
        ("Neg", ["size"], "exponent", {}),
        ("Exp", ["exponent"], "rest", {}),
        ("Add", ["rest", "one"], "sum", {}),
        ("Log", ["sum"], "log", {}),
        ("Relu", ["s"], "above", {}),
        ("Add", ["above", "log"], "x", {}),
    ],
    "linear": [("Identity", ["s"], "x", {})],
    **{
        name: [(operation, ["s"], "x", {})]
        for name, operation in {
            **{"abs": "Abs", "sign": "Sign", "neg": "Neg", "identity": "Identity"},
            **{"exp": "Exp", "log": "Log", "sqrt": "Sqrt", "erf": "Erf"},
            **{"sin": "Sin", "cos": "Cos", "tan": "Tan"},
            **{"arcsin": "Asin", "arccos": "Acos", "arctan": "Atan"},
            **{"sinh": "Sinh", "cosh": "Cosh"},
            **{"arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh"},
        }.items()
    },
}
# What ONNX Runtime (1.32) cannot compute in float64.
_SINGLE_ONLY: Final = frozenset(
    ("Erf", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh")
)
_CONSTANTS: Final = {"sqrt_half": math.sqrt(0.5), "one": 1.0, "half": 0.5, "slope": 0.01}


def to_onnx(model: MLP, path: str | os.PathLike[str], dtype: str = "float32") -> None:
    """Write the network as an ONNX file, for other languages, phones and browsers.

    Parameters
    ----------
    model : MLP
    path : path-like
        The file is replaced in one step.
    dtype : {"float32", "float64"}, default "float32"
        Of the numbers in the file, its input and its output. Every runtime has the first; the
        second keeps all our digits.

    Raises
    ------
    ArgumentError
        If a layer mixes activations or has one that ONNX lacks, a parameter is not finite, or
        `dtype` is unknown. Also a ValueError.
    ArgumentTypeError
        If `model` is no MLP. Also a TypeError.
    ImportError
        If onnx is missing; names the extra to install.
    OSError
        If the file cannot be written; the old one is then intact.

    Notes
    -----
    The input is `x` of shape (n_samples, nin), the output `scores` of shape (n_samples, nout):
    scores as the network gives them, not probabilities. Operator set 18.

    References
    ----------
    .. [1] https://onnx.ai/onnx/operators

    Examples
    --------
    >>> import tempfile
    >>> import numpy, onnxruntime
    >>> model = MLP(2, [4, 1], activation="tanh")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(model, f"{folder}/model.onnx", dtype="float64")
    ...     session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
    ...     (scores,) = session.run(["scores"], {"x": numpy.array([[1.0, 2.0]])})
    >>> bool(abs(scores[0, 0] - model([1.0, 2.0]).data) < 1e-12)
    True
    """
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise ImportError('to_onnx needs onnx: pip install "micrograd[onnx]"') from error
    kinds = {"float32": onnx.TensorProto.FLOAT, "float64": onnx.TensorProto.DOUBLE}
    if dtype not in kinds:
        raise ArgumentError(f"expected dtype 'float32' or 'float64', got {dtype!r:.60}")
    kind = kinds[dtype]
    layers = _layers_of(model, list(_ONNX), "ONNX")
    for layer in layers:
        single = [node[0] for node in _ONNX[layer.activation] if node[0] in _SINGLE_ONLY]
        if dtype == "float64" and single:
            raise ArgumentError(
                f"ONNX Runtime has the {single[0]} of {layer.activation} in float32 only: write "
                "with dtype='float32'"
            )
    if dtype == "float32":
        # A finite number that float32 has not would become infinite.
        numbers = [n for layer in layers for row in (*layer.weights, layer.biases) for n in row]
        largest = max(map(abs, numbers), default=0.0)
        if largest > _LARGEST_FLOAT32:
            raise ArgumentError(
                f"a parameter of size {largest:g} is too large for float32: dtype='float64'"
            )
    used = {
        name for layer in layers for _, sources, _, _ in _ONNX[layer.activation] for name in sources
    }
    tensors = [
        helper.make_tensor(name, kind, [], [number])
        for name, number in _CONSTANTS.items()
        if name in used
    ]
    nodes = []
    inside = "x"
    for i, layer in enumerate(layers):
        nout, nin = len(layer.biases), len(layer.weights[0])
        outside = "scores" if i == len(layers) - 1 else f"layer_{i}.x"
        flat = [number for row in layer.weights for number in row]
        tensors.append(helper.make_tensor(f"layer_{i}.weight", kind, [nout, nin], flat))
        tensors.append(helper.make_tensor(f"layer_{i}.bias", kind, [nout], layer.biases))
        nodes.append(
            helper.make_node(
                "Gemm",
                [inside, f"layer_{i}.weight", f"layer_{i}.bias"],
                [f"layer_{i}.s"],
                transB=1,
            )
        )
        for operation, sources, target, options in _ONNX[layer.activation]:
            nodes.append(
                helper.make_node(
                    operation,
                    [name if name in _CONSTANTS else f"layer_{i}.{name}" for name in sources],
                    [outside if target == "x" else f"layer_{i}.{target}"],
                    **options,
                )
            )
        inside = outside
    graph = helper.make_graph(
        nodes,
        "MLP",
        [helper.make_tensor_value_info("x", kind, ["n_samples", len(layers[0].weights[0])])],
        [helper.make_tensor_value_info("scores", kind, ["n_samples", len(layers[-1].biases)])],
        tensors,
    )
    document = helper.make_model(
        graph,
        producer_name="micrograd",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    onnx.checker.check_model(document, full_check=True)
    write_whole(path, document.SerializeToString())


# ---- scikit-learn ------------------------------------------------------------------------------


def _sklearn() -> Any:
    try:
        from sklearn import neural_network
    except ImportError as error:
        raise ImportError('scikit-learn is missing: pip install "micrograd[train]"') from error
    return neural_network


def to_sklearn(model: MLP, classes: Sequence[Any] | None = None) -> Any:
    """Return the network as a fitted scikit-learn `MLPClassifier` with the same scores.

    Parameters
    ----------
    model : MLP
        With one activation in all hidden layers, and none in the last.
    classes : sequence, optional
        The labels in sorted order, as any `classes_`: two for a network of one output, of which
        the second is the one of positive scores; otherwise one an output. Default 0, 1, 2, ...

    Returns
    -------
    sklearn.neural_network.MLPClassifier
        Its probabilities are the sigmoid or the softmax of the network's scores. It can be
        trained further with `partial_fit`.

    Raises
    ------
    ArgumentError
        If the activations or the classes do not fit, or a parameter is not finite. Also a
        ValueError.
    ArgumentTypeError
        If `model` is no MLP. Also a TypeError.
    ImportError
        If scikit-learn is missing; names the extra to install.

    Notes
    -----
    scikit-learn gives two classes one output. Of two outputs here it becomes their difference,
    which has the same probabilities.

    Examples
    --------
    >>> classifier = to_sklearn(MLP(2, [3, 1]), classes=["no", "yes"])
    >>> classifier.predict([[1.0, 2.0]])[0] in ("no", "yes")
    True
    """
    neural_network = _sklearn()
    import numpy as np

    names = {ours: theirs for theirs, ours in _OF_SKLEARN.items()}
    layers = _layers_of(model, list(names), "scikit-learn's MLPClassifier")
    hidden = list(dict.fromkeys(layer.activation for layer in layers[:-1])) or ["linear"]
    if len(hidden) > 1 or layers[-1].activation != "linear":
        raise ArgumentError(
            "scikit-learn's MLPClassifier has one activation in all hidden layers and none in the "
            f"last, this network has {', '.join(layer.activation for layer in layers)}"
        )
    outputs = len(layers[-1].biases)
    count = max(2, outputs)
    labels = np.arange(count) if classes is None else np.asarray(classes)
    if labels.dtype == object and not all(isinstance(label, str) for label in labels.ravel()):
        raise ArgumentError(
            f"expected classes that are all texts or all numbers, got {classes!r:.80}"
        )
    if labels.shape != (count,) or len(np.unique(labels)) != count:
        raise ArgumentError(
            f"a network of {outputs} output{'s' * (outputs != 1)} tells {count} classes apart, "
            f"got {labels.tolist()!r:.80}"
        )
    if (np.unique(labels) != labels).any():
        raise ArgumentError(
            f"expected the classes in sorted order, {np.unique(labels).tolist()!r:.80}, "
            f"got {labels.tolist()!r:.80}"
        )
    if outputs == 2:
        (w0, w1), (b0, b1) = layers[-1].weights, layers[-1].biases
        difference = [after - before for before, after in zip(w0, w1, strict=True)]
        layers[-1] = _Dense([difference], [b1 - b0], "linear")
    classifier = neural_network.MLPClassifier(
        hidden_layer_sizes=tuple(len(layer.biases) for layer in layers[:-1]),
        activation=names[hidden[0]],
        random_state=0,
    )
    with warnings.catch_warnings():
        # One step over nothing gives it all that a fitted classifier has; then our numbers.
        warnings.simplefilter("ignore")
        classifier.partial_fit(np.zeros((count, len(layers[0].weights[0]))), labels, classes=labels)
    classifier.set_params(random_state=None)
    for i, layer in enumerate(layers):
        classifier.coefs_[i][:] = np.array(layer.weights).T
        classifier.intercepts_[i][:] = layer.biases
    return classifier


def from_sklearn(estimator: Any) -> MLP:
    """Return the network of a fitted scikit-learn `MLPClassifier` or `MLPRegressor`.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor

    Returns
    -------
    MLP
        Its scores are those before the sigmoid or softmax: for two classes one, positive for
        `estimator.classes_[1]`.

    Raises
    ------
    ArgumentTypeError
        If it is another kind of object. Also a TypeError.
    ArgumentError
        If a regressor ends in an activation, as for the Poisson loss. Also a ValueError.
    sklearn.exceptions.NotFittedError
        If it has not been fitted.
    ImportError
        If scikit-learn is missing; names the extra to install.
    """
    neural_network = _sklearn()
    from sklearn.utils.validation import check_is_fitted

    kinds = (neural_network.MLPClassifier, neural_network.MLPRegressor)
    if not isinstance(estimator, kinds):
        raise ArgumentTypeError(
            f"expected an MLPClassifier or MLPRegressor, got {estimator!r:.60} "
            f"({type(estimator).__name__})"
        )
    check_is_fitted(estimator)
    if isinstance(estimator, kinds[1]) and estimator.out_activation_ != "identity":
        raise ArgumentError(
            f"this MLPRegressor ends in {estimator.out_activation_!r}; expected 'identity'"
        )
    weights, biases = estimator.coefs_, estimator.intercepts_
    names = [_OF_SKLEARN[estimator.activation]] * (len(weights) - 1) + ["linear"]
    return _network(
        weights[0].shape[0],
        [
            _Dense(w.T.astype(float).tolist(), b.astype(float).tolist(), name)
            for w, b, name in zip(weights, biases, names, strict=True)
        ],
    )
