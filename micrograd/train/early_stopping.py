"""When a training run ends before its last step."""

from __future__ import annotations

from dataclasses import dataclass

from micrograd.checks import finite_number, whole_number

__all__ = ["EarlyStop"]


@dataclass(frozen=True)
class EarlyStop:
    """When to stop before the last step: once the loss has not fallen for a while.

    What is watched is the loss of the validation data where there are some, else the loss of
    the steps.

    Parameters
    ----------
    patience : int, default 10
        How many measurements in a row may be no new best.
    min_delta : float, default 0.0
        By how much a loss must be below the best so far to be a new best.
    restore_best : bool, default False
        At the end of the run, give the model the parameters of the best loss.
    every : int, default 1
        Where there are no validation data: how many steps one measurement is the mean loss of,
        for instance those of one pass over the samples.
    """

    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        whole_number("patience", self.patience, 1)
        whole_number("every", self.every, 1)
        finite_number("min_delta", self.min_delta, 0)

    def steps_left(self, done: int, since_best: int) -> int:
        """Return in how many steps the run can end at the earliest, with so many steps done.

        Where measurements are means of several steps, `since_best` counts measurements.
        """
        return (self.patience - since_best) * self.every - done % self.every
