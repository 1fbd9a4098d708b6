"""Optimizers, and schedules of the learning rate."""

from micrograd.optim.optimizers import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
    Schedule,
    cosine,
    exponential,
    linear,
    step_decay,
    warmup,
)
from micrograd.optim.optimizers import LearningRate as LearningRate

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "Schedule",
    "cosine",
    "exponential",
    "linear",
    "step_decay",
    "warmup",
]
