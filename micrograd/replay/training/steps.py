"""The steps of a compiled function: loss and gradient of a batch, one at a time or in a loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from micrograd.engine import Value
from micrograd.optim import Clip
from micrograd.optim.rules import rule_of
from micrograd.replay.training.descent import Descent
from micrograd.values.assigning import united

if TYPE_CHECKING:
    from micrograd.replay.fitting import Fits

__all__ = ["Steps"]

_LEAST_NORM = 1e-140  # the square of a smaller limit could be rounded to 0


class Steps:
    """What a training loop needs of a compiled function: an `Objective` of `micrograd.loop`.

    Parameters
    ----------
    compiled : Compiled
        Its first result is the loss; the others are recorded.
    columns : list of ndarray
        The samples, one array for each argument.
    held_out : list of ndarray, optional
        The validation data.
    reduction : {"mean", "sum"}, default "mean"

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd.replay.compiled import Compiled
    >>> w = Value(0.5)
    >>> square = Compiled(lambda x, y: (w * x - y) ** 2, "python")
    >>> steps = Steps(square, [np.array([1.0, 2.0]), np.array([1.0, 3.0])])
    >>> steps.measure()  # the mean of 0.25 and 4
    [2.125]
    >>> w.grad
    -4.5
    """

    others = "aux"

    def __init__(
        self,
        compiled: Fits,
        columns: list[Any],
        held_out: list[Any] | None = None,
        reduction: str = "mean",
    ) -> None:
        self._compiled, self._columns, self._reduction = compiled, columns, reduction
        self._held_out = held_out
        self.samples = len(columns[0]) if columns else 1
        self.has_held_out = held_out is not None

    @property
    def parameters(self) -> list[Value]:
        """The parameters of the compiled function."""
        return self._compiled.parameters

    def measure(self, batch: Sequence[int] | None = None) -> list[float]:
        """Set the parameters' `grad`; return the loss, and then the other results.

        Parameters
        ----------
        batch : sequence of int, optional
            The indices of the samples; by default all.
        """
        columns = self._columns
        if batch is not None:
            columns = [column[batch] for column in columns]
        values, gradient = self._compiled.value_and_grad(
            *columns, reduction=self._reduction, has_aux=True
        )
        for parameter, grad in zip(self.parameters, gradient.tolist(), strict=True):
            parameter.grad = grad
        found: list[float] = values.tolist()
        return found

    def measure_held_out(self) -> list[float]:
        """Return loss and other results of the validation data; gradients do not change."""
        values, _ = self._compiled.value_and_grad(
            *(self._held_out or ()), reduction=self._reduction, has_aux=True
        )
        found: list[float] = values.tolist()
        return found

    def descent(
        self, optimizer: Any, clip: Clip | None, samples: float = math.inf, measured: float = 0
    ) -> Descent | None:
        """Return the whole loop in machine code, None if it cannot do what is asked for."""
        rule = rule_of(optimizer)
        if rule is None or (clip is not None and clip.norm is not None and clip.norm < _LEAST_NORM):
            return None
        ahead = samples + measured * (len(self._held_out[0]) if self._held_out else 0)
        found = self._compiled.machine(*[column[:1] for column in self._columns], ahead=ahead)
        if found is None:
            return None
        machine, reached, places = found
        return Descent(
            machine,
            united(reached, self.parameters),
            places,
            of_one=self._compiled.machine_of_one,
            optimizer=optimizer,
            rule=rule,
            clip=clip,
            columns=self._columns,
            held_out=self._held_out or (),
            divides=self._reduction == "mean",
        )
