"""Stepping through back-propagation, forwards and backwards, one contribution a step."""

from micrograd.stepper.stepper import BROKEN, Entry, NodeState, Snapshot, Step, Stepper, steps
from micrograd.stepper.stepper import _stepper_at as _stepper_at

__all__ = ["BROKEN", "Entry", "NodeState", "Snapshot", "Step", "Stepper", "steps"]
