"""When a training run ends before its last step."""

from __future__ import annotations

from dataclasses import dataclass

from micrograd.checks import finite_number, whole_number

__all__ = ["EarlyStop"]


@dataclass(frozen=True)
class EarlyStop:
    """When to stop before the last step: once the loss has stopped falling.

    The loss of the validation data counts; without validation data, the loss of the steps.

    Parameters
    ----------
    patience : int, default 10
        How many measurements in a row without a new best loss end the run.
    min_delta : float, default 0.0
        By how much a loss must fall below the best so far to count as a new best.
    restore_best : bool, default False
        At the end of the run, restore the parameters with the best loss.
    every : int, default 1
        Without validation data, a measurement is the mean loss of this many steps, such as those
        of one pass over the samples.
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
        """Return how many more steps there are at least, after `done` of them.

        Where measurements are means of several steps, `since_best` counts measurements.
        """
        return (self.patience - since_best) * self.every - done % self.every
