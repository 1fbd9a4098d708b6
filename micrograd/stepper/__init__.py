"""Stepping through back-propagation, forwards and backwards, one contribution per step."""

from micrograd.backward_pass import BROKEN
from micrograd.sentences.updates import Change
from micrograd.stepper.comparison import Comparison, Difference, compare
from micrograd.stepper.step import Entry, NodeState, Snapshot, Step
from micrograd.stepper.stepper import Stepper, steps
from micrograd.stepper.stepper import _stepper_at as _stepper_at

__all__ = [
    "BROKEN", "Change", "Comparison", "Difference", "Entry", "NodeState", "Snapshot", "Step",
    "Stepper", "compare", "steps",
]  # fmt: skip
