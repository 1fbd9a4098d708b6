"""Networks to and from PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from micrograd.checks import needs
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError, shown_typed
from micrograd.interop.layers import Dense, layers_of, network
from micrograd.nn import MLP

__all__ = ["from_torch", "to_torch"]


def _torch() -> Any:
    with needs("parity", "PyTorch is missing"):
        import torch
    return torch


def _torch_activations(nn: Any) -> dict[str, Any]:
    """Return for each activation, by our name, a new PyTorch module that computes the same."""
    return {
        "relu": nn.ReLU(),
        "tanh": nn.Tanh(),
        "sigmoid": nn.Sigmoid(),
        "leaky_relu": nn.LeakyReLU(0.01),
        "elu": nn.ELU(1.0),
        "gelu": nn.GELU(),
        "silu": nn.SiLU(),
        # By default PyTorch returns x for softplus(x) above 20, which is off by 2e-9 there.
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
        Of `Linear` and activations, in float64: it maps a tensor of shape (n_samples, nin) to one
        of shape (n_samples, nout). `.float()` converts it to float32.

    Raises
    ------
    ArgumentError
        If a layer mixes activations, PyTorch has no module for one, or a parameter is not finite.
        Also a ValueError.
    ArgumentTypeError
        If `model` is not an MLP. Also a TypeError.
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
    for layer in layers_of(model, known, "torch.nn"):
        nout, nin = len(layer.biases), len(layer.weights[0])
        # Skips the initialisation, which would advance the user's random generator.
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
        Of `Linear`, each followed by at most one activation. `Identity` is skipped and a nested
        `Sequential` flattened. A `Linear` without bias gets a bias of 0.

    Returns
    -------
    MLP
        With a list of activations, one per layer, unless the hidden layers share one and the last
        has none.

    Raises
    ------
    ArgumentError
        If a module has no counterpart here; the message names it. Also a ValueError.
    ArgumentTypeError
        If `module` is not a Sequential. Also a TypeError.
    ImportError
        If PyTorch is missing.

    Notes
    -----
    `Softplus` with PyTorch's default threshold of 20 differs by 2e-9 at most, beyond 20.
    """
    torch = _torch()
    if not isinstance(module, torch.nn.Sequential):
        raise ArgumentTypeError(f"expected a torch.nn.Sequential, got {shown_typed(module)}")
    # Activations are compared by class and options, as a string.
    known = {_described(ours): name for name, ours in _torch_activations(torch.nn).items()}
    layers: list[Dense] = []
    nin = 0
    for name, part in _parts(torch, module, ""):
        if type(part) is torch.nn.Linear:
            if layers and part.in_features != len(layers[-1].biases):
                raise InputCountError(
                    f"module {name}, {part!r}, follows a layer of {len(layers[-1].biases)}"
                )
            if part.weight.is_meta:
                raise ArgumentError(f"module {name} is on the device 'meta', which holds no data")
            if not part.weight.dtype.is_floating_point:
                raise ArgumentError(f"module {name} has weights of {part.weight.dtype}, not real")
            if not layers:
                nin = part.in_features
            bias = [0.0] * part.out_features if part.bias is None else _numbers(part.bias)
            layers.append(Dense(_numbers(part.weight), bias, "linear"))
            continue
        activation = known.get(_described(part))
        if activation is None:
            raise ArgumentError(
                f"module {name} is {part!r:.80}, which an MLP does not have: expected Linear, "
                f"Identity or one of {', '.join(known)}"
            )
        if not layers or layers[-1].activation != "linear":
            raise ArgumentError(f"module {name}, {part!r:.80}, does not follow a Linear")
        layers[-1] = layers[-1]._replace(activation=activation)
    if not layers:
        raise ArgumentError("a Sequential without a Linear cannot be converted")
    return network(nin, layers)


def _parts(torch: Any, module: Any, path: str) -> Iterator[tuple[str, Any]]:
    # Not `named_children`, which lists a module that occurs twice only once.
    for name, part in enumerate(module):
        if type(part) is torch.nn.Sequential:
            yield from _parts(torch, part, f"{path}{name}.")
        elif type(part) is not torch.nn.Identity:
            yield f"{path}{name}", part


def _described(part: Any) -> str:
    """Return class and options of an activation, without options that do not affect its values."""
    kind = type(part)
    name = kind.__name__ if kind.__module__.startswith("torch.nn.") else repr(kind)
    options = [
        f"{key}={getattr(part, key)}"
        for key in ("negative_slope", "alpha", "approximate", "beta")
        if hasattr(part, key)
    ]
    return f"{name}({', '.join(options)})"


def _numbers(tensor: Any) -> Any:
    return tensor.detach().cpu().double().tolist()
