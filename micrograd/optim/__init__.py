"""Optimizers, and schedules of the learning rate."""

from micrograd.optim.clipping import Clip
from micrograd.optim.optimizers import SGD, Adam, AdamW, Optimizer
from micrograd.optim.schedules import LearningRate as LearningRate
from micrograd.optim.schedules import Schedule, cosine, exponential, linear, step_decay, warmup

__all__ = [
    "SGD", "Adam", "AdamW", "Clip", "Optimizer", "Schedule", "cosine", "exponential", "linear",
    "step_decay", "warmup",
]  # fmt: skip
