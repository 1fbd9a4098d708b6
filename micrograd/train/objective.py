"""The loss of a model on its data, computed by the engine or compiled."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from micrograd.checks import one_of
from micrograd.engine import Value
from micrograd.errors import ArgumentError, DomainError, MicrogradError
from micrograd.loop import finite_loss
from micrograd.losses import LOSSES
from micrograd.nn import Module
from micrograd.ops import PlainNumber
from micrograd.train.task import Task, loss_value, measured, right_of
from micrograd.values.assigning import data_of

if TYPE_CHECKING:
    from micrograd.replay.training import NetworkSteps

__all__ = ["ModelLoss", "compiled_steps"]


class ModelLoss:
    """The objective of `fit`: an `Objective` of `micrograd.loop`.

    Attributes
    ----------
    task, held_out : Task
        The samples, and the validation data if there are any.
    compiled : NetworkSteps or None
    """

    def __init__(
        self,
        task: Task,
        held_out: Task | None,
        parameters: list[Value],
        compiled: NetworkSteps | None,
    ) -> None:
        self.task, self.held_out, self.parameters = task, held_out, parameters
        self.compiled = compiled
        self.samples, self.has_held_out = len(task.rows), held_out is not None
        self.others = "" if task.predict is None else "accuracy"

    @functools.cached_property
    def _names(self) -> list[str] | None:
        """Return the names of the parameters; None if the model has a state of its own."""
        model = cast("Module", self.task.model)
        names = [name for name, _ in model.named_parameters()]
        is_plain = type(model).state_dict is Module.state_dict
        is_plain = is_plain and len(set(names)) == len(names) == len(self.parameters)
        return names if is_plain else None

    def state(self) -> tuple[list[str], list[PlainNumber]]:
        """Return the names and numbers of `state_dict` of the model, quickly after the first."""
        if self._names is not None:
            return self._names, data_of(self.parameters)
        state = cast("Module", self.task.model).state_dict()
        return list(state), list(state.values())

    def measure(self, batch: Sequence[int] | None) -> Sequence[float]:
        """Set the gradients; return the loss and the accuracy, 0 if there is none."""
        if self.compiled is not None:
            try:
                return self.compiled.measure(batch)
            except MicrogradError:
                # The engine computes it again: it finds nothing, or raises the better error.
                for parameter in self.parameters:
                    parameter.grad = 0
        task = self.task
        rows, targets = task.rows, task.targets
        if batch is not None:
            rows, targets = [rows[i] for i in batch], [targets[i] for i in batch]
        scores = [task.model(row) for row in rows]
        if task.weights is None:
            loss = task.loss(scores, targets)
        else:
            weights = task.weights if batch is None else [task.weights[i] for i in batch]
            loss = task.loss(scores, targets, weights)
        watched = finite_loss(loss_value(loss).data)
        loss.backward()
        right = 0 if task.predict is None else right_of(task.predict, scores, targets)
        return watched, right / len(rows)

    def measure_held_out(self) -> Sequence[float]:
        """Return loss and accuracy of the validation data; gradients do not change."""
        assert self.held_out is not None
        if self.compiled is not None:
            try:
                return self.compiled.measure_held_out()
            except MicrogradError:  # the engine raises the better error
                pass
        found = measured(self.held_out)
        return found.loss, found.accuracy or 0.0

    def descent(self, *arguments: Any) -> Any:
        """Return the training loop in machine code, if there can be one."""
        return None if self.compiled is None else self.compiled.descent(*arguments)


def compiled_steps(
    task: Task,
    held_out: Task | None,
    parameters: list[Value],
    choice: bool | str,
    batch_size: int | None,
) -> NetworkSteps | None:
    """Return the compiled steps of a run; None if the engine computes them."""
    choice = one_of("compile", choice, (True, False, "auto"))
    if choice is False:
        return None
    from micrograd.replay.training import is_worth_compiling

    samples = len(task.rows) if batch_size is None else batch_size
    if choice == "auto" and not is_worth_compiling(samples, len(parameters)):
        return None
    try:
        compiled = _network_steps(task, held_out, parameters, batch_size)
        if not compiled.is_traced:
            _try(compiled, parameters)
    except (ImportError, MicrogradError) as error:
        # A number too large for a float fails in the first step, with the engine's message.
        if choice is True and not isinstance(error, (ArithmeticError, DomainError)):
            raise
        return None
    return compiled


def _try(compiled: NetworkSteps, parameters: list[Value]) -> None:
    """Measure a sample, which fails if the model cannot be traced; gradients do not change."""
    before = [parameter.grad for parameter in parameters]
    try:
        compiled.measure([0])
    finally:
        for parameter, grad in zip(parameters, before, strict=True):
            parameter.grad = grad


def _network_steps(
    task: Task,
    held_out: Task | None,
    parameters: list[Value],
    batch_size: int | None,
) -> NetworkSteps:
    """Return the compiled steps; raise an error if the loss cannot be taken sample by sample."""
    from micrograd.replay.training import NetworkSteps, as_column, is_mean_of_samples

    known = LOSSES.get(task.name)
    own = known is None or task.loss is not known.function
    if own:
        samples = len(task.rows)
        sizes = (
            [samples] if batch_size is None else [batch_size, samples % batch_size or batch_size]
        )
        sizes += [] if held_out is None else [len(held_out.rows)]
        score = (task.outputs,) if task.outputs else ()
        target = as_column(task.targets).shape[1:]
        if task.predict or not is_mean_of_samples(task.loss, sizes, score, target, parameters):
            raise ArgumentError(
                f"only {', '.join(map(repr, LOSSES))}, and a function that is the mean of one loss "
                "per sample and makes no predictions, can be compiled here: pass compile=False, or "
                "write the loss of one sample and call `fit` of the function that "
                "micrograd.compile returns"
            )
    several = known is not None and known.several_outputs
    return NetworkSteps(
        task.model,
        parameters,
        None if several else task.loss,
        task.rows,
        task.targets,
        classes=task.outputs if several else 0,
        classifies=task.predict is not None,
        own=own,
        weights=task.weights,
        held_out=None if held_out is None else (held_out.rows, held_out.targets),
    )
