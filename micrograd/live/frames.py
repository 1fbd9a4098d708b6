"""What frames of a run are made of: maps in bytes and their colours, parameters, curves."""

from __future__ import annotations

import base64
import math
from typing import Any

from micrograd.nn import MLP
from micrograd.style import Theme, diverging, largest, mix, number_text

__all__ = [
    "axes_of",
    "base64_text",
    "decided",
    "levels",
    "loss_text",
    "parameter_bytes",
    "parameter_texts",
    "shades",
    "undecided",
]


def base64_text(content: bytes) -> str:
    """Return bytes as a string that JSON can hold."""
    return base64.b64encode(content).decode()


def loss_text(loss: float) -> str:
    """Return a loss as it is written beside the pictures."""
    return number_text(loss, 3) if math.isfinite(loss) else "not finite"


def shades(look: Theme, outputs: int) -> str:
    """Return the colours of the 256 bytes of a map, in one string of hexadecimal digits."""
    colours = []
    for byte in range(256):
        if outputs == 1:
            colour = diverging(byte - 127.5, 127.5, look.pale)
        else:
            strong = look.of_class(min(byte // 25, 9), outputs)
            colour = mix(look.bg, strong, 0.1 + 0.35 * (byte % 25) / 24)
        colours.append(colour[1:])
    return "".join(colours)


def decided(field: Any, outputs: int) -> Any:
    """Return a map of bytes that says only which answer each place has, as of a sure network."""
    import numpy as np

    if outputs == 1:
        return np.where(field < 128, np.uint8(0), np.uint8(255))
    return field // 25 * 25 + np.uint8(24)


def levels(field: Any, outputs: int) -> list[Any]:
    """Return arrays that are 0 along the boundaries in a map of bytes."""
    import numpy as np

    if outputs == 1:
        found = [field.astype(float) - 127.5]
    else:
        best, lead = field // 25, np.maximum(field % 25 - undecided(outputs), 0.5)
        found = [np.where(best == k, lead, -lead) for k in np.unique(best)]
    return [level for level in found if level.min() < 0 < level.max()]


def undecided(outputs: int) -> float:
    """Return the certainty, from 0 to 24, of a model for which two classes have P = 0.5 each."""
    return 24 * (0.5 - 1 / outputs) / (1 - 1 / outputs)


def parameter_bytes(model: MLP) -> tuple[bytes, list[str]]:
    """Return each parameter as a signed byte, and the number that 127 stands for in each layer."""
    content = bytearray()
    scales = []
    for layer in model.layers:
        scale = float(largest(float(w.data) for neuron in layer.neurons for w in neuron.w))
        scale = _power_of_two(scale) if scale else 1.0
        scales.append(number_text(scale))
        for neuron in layer.neurons:
            for parameter in (*neuron.w, neuron.b):
                relative = max(-1.0, min(1.0, float(parameter.data) / scale))
                content.append(round(127 * relative) % 256 if relative == relative else 0)
    return bytes(content), scales


def parameter_texts(model: MLP) -> list[list[str]]:
    """Return the value of each parameter and its gradient, in the order of `parameter_bytes`."""
    parameters = [p for layer in model.layers for n in layer.neurons for p in (*n.w, n.b)]
    return [
        [number_text(p.data) for p in parameters],
        [number_text(p.grad, signed=True) for p in parameters],
    ]


def _power_of_two(size: float) -> float:
    """Return the smallest power of two that is no smaller, or the largest float that is one."""
    return 2.0 ** min(1023, math.ceil(math.log2(size)))


def axes_of(losses: list[float], steps: int) -> dict[str, Any]:
    """Return the axes of the loss curve; their ends are powers of two, so that they rarely move.

    An axis with a loss of 0 is linear, since a logarithmic one has no place for it.
    """
    high = max([*losses, 1e-12])
    top = _power_of_two(high)
    least = max(min(losses, default=high), 1e-4 * high)
    log = high > 100 * least and min(losses) > 0
    low = 2.0 ** math.floor(math.log2(least)) if log else 0.0
    return {"low": low, "high": top, "log": log, "most": steps}
