"""Training in machine code: compiled steps and the loop around them."""

from micrograd.replay.arguments import as_column
from micrograd.replay.training.descent import Descent
from micrograd.replay.training.network_steps import NetworkSteps, is_worth_compiling
from micrograd.replay.training.separable import is_mean_of_samples
from micrograd.replay.training.steps import Steps

__all__ = [
    "Descent", "NetworkSteps", "Steps", "as_column", "is_mean_of_samples",
    "is_worth_compiling",
]  # fmt: skip
