"""The training loop: its batches, its steps, what it measures, and when it ends."""

from micrograd.loop.batches import Batches
from micrograd.loop.early_stopping import EarlyStop
from micrograd.loop.history import LISTS, History
from micrograd.loop.run import Objective, Run, Trainable, finite_loss

__all__ = [
    "LISTS", "Batches", "EarlyStop", "History", "Objective", "Run", "Trainable", "finite_loss"
]  # fmt: skip
