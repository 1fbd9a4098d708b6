"""The options of the estimators."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Final

__all__ = ["REQUIRED", "Options"]

REQUIRED: Final = ("train", "the estimators need scikit-learn 1.6 or later")
"""The extra that the estimators need, and why: see `micrograd.checks.needs`."""


@dataclass(eq=False, repr=False)
class Options:
    """The options that the estimators share; `MicrogradClassifier` says what each one means.

    A subclass is a dataclass too, with a `loss` of its own. The constructor that this gives it
    only stores its arguments, as scikit-learn demands.
    """

    hidden_layer_sizes: Any = (16, 16)
    _: KW_ONLY
    activation: str = "relu"
    loss: str = ""
    optimizer: str = "adam"
    learning_rate: Any = 0.01
    schedule: str = "constant"
    momentum: float = 0.9
    nesterov: bool = True
    alpha: float = 1e-4
    batch_size: Any = "auto"
    max_iter: int = 200
    tol: float | None = 1e-4
    n_iter_no_change: int = 10
    early_stopping: bool = False
    validation_fraction: float = 0.1
    random_state: Any = None
    warm_start: bool = False
    compile: Any = "auto"
    verbose: bool = False
