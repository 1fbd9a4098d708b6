"""What a training run measured, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from micrograd.errors import ArgumentTypeError, shown_briefly
from micrograd.values.showing import Shown

__all__ = ["LISTS", "History"]

LISTS: Final = (
    "loss",
    "accuracy",
    "seconds",
    "validation_steps",
    "validation_loss",
    "validation_accuracy",
)
"""The attributes of a `History` that are lists of numbers."""


@dataclass(repr=False)
class History(Shown):
    """What was measured in each step of a training run.

    Entry k of `loss` and `accuracy` was measured with the parameters after k updates, on the
    samples of step k: all samples or one mini-batch.

    Attributes
    ----------
    loss : list of float
    accuracy : list of float
        The fraction of samples classified correctly; empty if the loss is not a classification
        loss.
    seconds : list of float
        The time of each step, including its validation.
    validation_steps : list of int
        The steps at which the validation data were measured.
    validation_loss, validation_accuracy : list of float
        One entry for each of `validation_steps`, with the parameters of `loss` at that step.
    aux, validation_aux : list of list of float
        Where a compiled function was trained that has several results: those after the first.
    stopped_early : bool
        Whether `early_stop` ended the run before the last step.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    validation_steps: list[int] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    aux: list[list[float]] = field(default_factory=list)
    validation_aux: list[list[float]] = field(default_factory=list)
    stopped_early: bool = False

    def __len__(self) -> int:
        return len(self.loss)

    def lengths(self) -> dict[str, int]:
        """Return how long each list is, for `cut`."""
        return {name: len(list_) for name, list_ in vars(self).items() if isinstance(list_, list)}

    def cut(self, lengths: dict[str, int]) -> None:
        """Drop what was added since `lengths` were taken."""
        if not isinstance(lengths, dict):
            raise ArgumentTypeError(
                f"expected the lengths that lengths() gave, got {shown_briefly(lengths)}"
            )
        for name, length in lengths.items():
            del getattr(self, name)[length:]

    def __repr__(self) -> str:
        names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
        last = [
            f", {name}={float(f'{entries[-1]:.4g}')}"
            for name in names
            if (entries := getattr(self, name))
        ]
        stopped = ", stopped early" if self.stopped_early else ""
        return f"History(steps={len(self)}{''.join(last)}{stopped})"
