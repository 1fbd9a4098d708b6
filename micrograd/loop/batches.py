"""Mini-batches: the samples, shuffled and taken a few at a time."""

from __future__ import annotations

import random
from typing import Any

from micrograd.checks import whole_number
from micrograd.ops import number

__all__ = ["Batches"]


class Batches:
    """The mini-batches of a run; each sample comes once in every pass over the samples.

    Parameters
    ----------
    samples : int
        The number of samples.
    size : int or None
        The number of samples of a mini-batch; None for all of them, in their order.
    seed : int or None
        Seed of the generator that shuffles; None for another order in each run.

    Examples
    --------
    >>> batches = Batches(5, 2, seed=0)
    >>> [batches.next() for _ in range(4)]
    [[2, 1], [0, 4], [3], [0, 2]]
    """

    def __init__(self, samples: int, size: int | None, seed: int | None) -> None:
        self.samples, self.size, self.seed = samples, size, seed
        self.random = random.Random(seed)
        self.order: list[int] = []  # of the present pass, taken from the front
        self.taken = 0

    def next(self) -> list[int] | None:
        """Return the indices of the samples of the next step; None for all samples."""
        if self.size is None:
            return None
        if self.taken >= len(self.order):
            order = list(range(self.samples))
            self.random.shuffle(order)
            self.order, self.taken = order, 0
        batch = self.order[self.taken : self.taken + self.size]
        self.taken += len(batch)
        return batch

    def snapshot(self) -> tuple[Any, ...]:
        """Return the state, for `restore`."""
        state = None if self.size is None else self.random.getstate()
        return state, self.order, self.taken

    def restore(self, before: tuple[Any, ...]) -> None:
        """Go back to a state that `snapshot` returned."""
        state, self.order, self.taken = before
        if state is not None:
            self.random.setstate(state)

    def state_dict(self) -> dict[str, Any]:
        """Return the state as a checkpoint holds it."""
        version, words, spare = self.random.getstate()
        return {
            "random": [version, " ".join(map(str, words)), spare],
            "order": " ".join(map(str, self.order)),
            "taken": self.taken,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over such a state; raise a KeyError, TypeError or ValueError if it is damaged."""
        version, words, spare = state["random"]
        numbers = tuple([int(word) for word in words.split()])
        order = [int(i) for i in state["order"].split()]
        if order and sorted(order) != list(range(self.samples)):
            raise ValueError("order is not a permutation of the samples")
        taken = whole_number("taken", state["taken"], 0)
        self.random.setstate((version, numbers, None if spare is None else float(number(spare))))
        self.order, self.taken = order, taken
