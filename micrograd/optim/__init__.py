"""Optimizers, and schedules of the learning rate."""

from micrograd.optim.optimizers import SGD, Adam, AdamW, Optimizer
from micrograd.optim.schedules import LearningRate as LearningRate
from micrograd.optim.schedules import Schedule, cosine, exponential, linear, step_decay, warmup
from micrograd.optim.schedules import rates_ahead as rates_ahead

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
