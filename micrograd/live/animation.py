"""How a network learns, as a film from one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd.live.watching import STEPS, Watch
from micrograd.losses import Loss
from micrograd.nn import MLP

__all__ = ["animate_training"]


def animate_training(  # noqa: PLR0917 (the order of watch)
    model: MLP,
    X: Any,
    y: Any,
    path: str | Path,
    loss: str | Loss | Callable[..., Any] = "hinge",
    optimizer: Any = None,
    *,
    steps: int = STEPS,
    **options: Any,
) -> Path:
    """Train a network and write how it learns as a GIF, for a slide.

    Parameters
    ----------
    model, X, y, loss, optimizer
        As for `watch`.
    path, steps
        As for `Watch.to_gif`.
    **options
        `frames`, `seconds` and `theme`, as for `Watch.to_gif`; `validation`, `batch_size`, `seed`,
        `features`, `names` and `classes`, as for `watch`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArgumentError, ArgumentTypeError, InputCountError, NumberTypeError, ImportError
        As for `watch`.

    Examples
    --------
    >>> import random, tempfile
    >>> model = MLP(2, [2, 1], rng=random.Random(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate_training(
    ...         model, [[0, 1], [1, 0], [1, 1]], [0, 1, 1], f"{folder}/a.gif", steps=2
    ...     ).name
    'a.gif'
    """
    film = {name: options.pop(name) for name in ("frames", "seconds", "theme") if name in options}
    return Watch(model, X, y, loss, optimizer, **options).to_gif(path, steps, **film)
