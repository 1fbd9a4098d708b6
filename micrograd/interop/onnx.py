"""Networks to ONNX files."""

from __future__ import annotations

import math
import os
from typing import Final

from micrograd.checks import needs, one_of
from micrograd.errors import ArgumentError
from micrograd.files import write_atomic
from micrograd.interop.layers import layers_of
from micrograd.nn import MLP

__all__ = ["to_onnx"]

_OPSET: Final = 18  # of 2022, which all runtimes in use can read
_IR_VERSION: Final = 8
_LARGEST_FLOAT32: Final = (2 - 2**-23) * 2.0**127
_ALIKE: Final = (  # what ONNX calls as we do, but for "arc", which it shortens to "A"
    "relu tanh sigmoid elu abs sign neg identity exp log sqrt erf sin cos tan arcsin arccos arctan "
    "sinh cosh arcsinh arccosh arctanh"
)
# The ONNX nodes that compute each activation from "s" to "x": operation, inputs and output of each.
_ONNX: Final = {
    **{name: [[name.replace("arc", "a").capitalize(), "s", "x"]] for name in _ALIKE.split()},
    "linear": [["Identity", "s", "x"]],
    # Not LeakyRelu, whose slope ONNX stores in float32 always.
    "leaky_relu": [["Mul", "s", "slope", "small"], ["Max", "s", "small", "x"]],
    "gelu": [
        ["Mul", "s", "sqrt_half", "scaled"], ["Erf", "scaled", "erf"],
        ["Add", "erf", "one", "twice"], ["Mul", "twice", "half", "scale"],
        ["Mul", "s", "scale", "x"],
    ],
    # Not s * Sigmoid(s), which ONNX Runtime fuses into an operation that it lacks in float64.
    "silu": [
        ["Neg", "s", "exponent"], ["Exp", "exponent", "power"], ["Add", "power", "one", "sum"],
        ["Div", "s", "sum", "x"],
    ],
    # Not Softplus, which overflows in ONNX Runtime: max(s, 0) + log(1 + exp(-|s|)).
    "softplus": [
        ["Abs", "s", "size"], ["Neg", "size", "exponent"], ["Exp", "exponent", "rest"],
        ["Add", "rest", "one", "sum"], ["Log", "sum", "log"], ["Relu", "s", "above"],
        ["Add", "above", "log", "x"],
    ],
}  # fmt: skip
# Operations that ONNX Runtime 1.32 has in float32 only.
_SINGLE_ONLY: Final = frozenset(
    ("Erf", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh")
)
_CONSTANTS: Final = {"sqrt_half": math.sqrt(0.5), "one": 1.0, "half": 0.5, "slope": 0.01}


def to_onnx(model: MLP, path: str | os.PathLike[str], dtype: str = "float32") -> None:
    """Export a network as an ONNX file, to run it in other languages, on phones and in browsers.

    Parameters
    ----------
    model : MLP
    path : path-like
        Written atomically; an existing file is overwritten.
    dtype : {"float32", "float64"}, default "float32"
        Of the parameters, the input and the output. Every runtime supports float32; float64 keeps
        all digits.

    Raises
    ------
    ArgumentError
        If a layer mixes activations or has one that ONNX lacks, a parameter is not finite, or
        `dtype` is unknown. Also a ValueError.
    ArgumentTypeError
        If `model` is not an MLP. Also a TypeError.
    ImportError
        If onnx is missing; names the extra to install.
    OSError
        If the file cannot be written; an existing one is then unchanged.

    Notes
    -----
    The input is `x` of shape (n_samples, nin), the output `scores` of shape (n_samples, nout): the
    outputs of the network, not probabilities. Operator set 18.

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
    with needs("onnx", "to_onnx needs onnx"):
        import onnx
        from onnx import helper
    kinds = {"float32": onnx.TensorProto.FLOAT, "float64": onnx.TensorProto.DOUBLE}
    kind = kinds[one_of("dtype", dtype, kinds)]
    layers = layers_of(model, list(_ONNX), "ONNX")
    for layer in layers:
        single = [node[0] for node in _ONNX[layer.activation] if node[0] in _SINGLE_ONLY]
        if dtype == "float64" and single:
            raise ArgumentError(
                f"ONNX Runtime has {single[0]}, which {layer.activation} needs, in float32 only: "
                "pass dtype='float32'"
            )
    if dtype == "float32":
        # A number beyond the range of float32 would become infinite.
        numbers = [n for layer in layers for row in (*layer.weights, layer.biases) for n in row]
        largest = max(map(abs, numbers), default=0.0)
        if largest > _LARGEST_FLOAT32:
            raise ArgumentError(
                f"a parameter of size {largest:g} is too large for float32: pass dtype='float64'"
            )
    used = {name for layer in layers for node in _ONNX[layer.activation] for name in node}
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
                "Gemm", [inside, f"layer_{i}.weight", f"layer_{i}.bias"], [f"layer_{i}.s"], transB=1
            )
        )
        for operation, *sources, target in _ONNX[layer.activation]:
            nodes.append(
                helper.make_node(
                    operation,
                    [name if name in _CONSTANTS else f"layer_{i}.{name}" for name in sources],
                    [outside if target == "x" else f"layer_{i}.{target}"],
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
    write_atomic(path, document.SerializeToString())
