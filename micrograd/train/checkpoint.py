"""Checkpoints: a training run written to a file, and read to go on with the same bits."""

from __future__ import annotations

import math
import os
from typing import Any, Final, cast

from micrograd.checks import one_of, whole_number
from micrograd.errors import StateError, shown_briefly
from micrograd.files import read_document, write_json
from micrograd.loop import LISTS, Batches, History, Run
from micrograd.nn import Module
from micrograd.ops import number
from micrograd.train.objective import ModelLoss
from micrograd.values.assigning import set_data

__all__ = ["load", "save"]

_FORMAT: Final = "micrograd checkpoint"
_VERSION: Final = 2
_OLDER: Final = 1  # in which no floats were written as bytes, and each parameter had its name
# What may be raised while a damaged file, or one of something else, is read.
_DAMAGE: Final = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)


def _loss(run: Run) -> ModelLoss:
    return cast("ModelLoss", run.objective)


def _model(run: Run) -> Module:
    return cast("Module", _loss(run).task.model)


def save(run: Run, path: str | os.PathLike[str]) -> None:
    """Write a run to a file, atomically: a reader sees the old file or the new one."""
    state = _loss(run).state_dict()
    write_json(
        path,
        {
            "format": _FORMAT,
            "version": _VERSION,
            "run": _identity(run),
            "done": run.done,
            "parameters": {"names": list(state), "data": list(state.values())},
            "optimizer": run.optimizer.state_dict(),
            **run.batches.state_dict(),
            "best_loss": run.best_loss,
            "since_best": run.since_best,
            "best_parameters": run.best_parameters,
            "history": {
                **{name: getattr(run.history, name) for name in LISTS},
                "stopped_early": run.history.stopped_early,
            },
        },
        for_reading=False,
    )


def load(run: Run, path: str | os.PathLike[str]) -> None:
    """Give a run the state that a checkpoint holds; all of it, or nothing.

    Raises
    ------
    StateError
        If it is the checkpoint of another run, or damaged.
    """
    name, document = str(path), read_document(path, "checkpoint", _FORMAT, _VERSION, _OLDER)
    theirs = document.get("run")
    if not isinstance(theirs, dict):
        raise StateError(f"{name!r} is damaged: it does not say which run it is of")
    for key, here in _identity(run).items():
        if key not in theirs or theirs[key] != here:
            what = (
                f"the {key} are not the same"
                if key.endswith("data")
                else f"{key} is {shown_briefly(theirs.get(key), 80)} there "
                f"and {shown_briefly(here, 80)} here"
            )
            raise StateError(
                f"{name!r} is the checkpoint of another run: {what}. Pass the same arguments, "
                "or start again without resume"
            )
    data, optimizer = [p.data for p in run.parameters], run.optimizer.state_dict()
    before = vars(run).copy()
    try:
        new = _read(run, document)
        run.optimizer.load_state_dict(document["optimizer"])
        state = document["parameters"]
        if document["version"] != _OLDER:
            state = dict(zip(state["names"], state["data"], strict=True))
        _model(run).load_state_dict(state)
        vars(run).update(new)
    except BaseException as error:
        vars(run).update(before)
        set_data(run.parameters, data)
        run.optimizer.load_state_dict(optimizer)
        if isinstance(error, _DAMAGE):
            raise StateError(f"{name!r} is damaged, or of another run: {error}") from error
        raise


def _identity(run: Run) -> dict[str, Any]:
    """Return what a run and its checkpoint must have in common."""
    stop, task, held_out = run.early_stop, _loss(run).task, _loss(run).held_out
    return {
        "model": type(task.model).__name__,
        "configuration": _model(run).configuration(),
        "optimizer": type(run.optimizer).__name__,
        "loss": task.name,
        "data": task.digest,
        "validation data": None if held_out is None else held_out.digest,
        "validate_every": run.validate_every,
        "batch_size": run.batches.size,
        "seed": run.batches.seed,
        **({} if run.clip is None else {"clip": [run.clip.norm, run.clip.value]}),
        "early_stop": None
        if stop is None
        else [stop.patience, stop.min_delta, stop.restore_best, stop.every],
    }


def _read(run: Run, document: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a run that a checkpoint holds, all checked."""
    batches = Batches(run.batches.samples, run.batches.size, run.batches.seed)
    batches.load_state_dict(document)
    best_loss, best = number(document["best_loss"]), document["best_parameters"]
    if math.isnan(best_loss):
        raise ValueError("best_loss is nan")
    if best is not None:
        best = [number(plain) for plain in best]
        if len(best) != len(run.parameters) or not all(map(math.isfinite, best)):
            raise ValueError("best_parameters is not a list of one finite number per parameter")
    done = whole_number("done", document["done"], 0)
    return {
        "batches": batches,
        "done": done,
        "best_loss": float(best_loss),
        "since_best": whole_number("since_best", document["since_best"], 0),
        "best_parameters": best,
        "history": _history(document["history"], done),
    }


def _history(entries: Any, done: int) -> History:
    """Return the history of so many steps that a checkpoint holds, checked."""
    lists = {name: [number(entry) for entry in entries[name]] for name in LISTS}
    steps, stopped = lists["validation_steps"], entries["stopped_early"]
    wanted = {"loss": (done,), "accuracy": (0, done), "seconds": (done,)}
    wanted |= {"validation_loss": (len(steps),), "validation_accuracy": (0, len(steps))}
    for name, lengths in wanted.items():
        if len(lists[name]) not in lengths:
            raise ValueError(f"{lengths[-1]} steps, but {len(lists[name])} entries in {name!r}")
    for step in steps:
        whole_number("an entry of validation_steps", step, 0, done - 1)
    stopped = one_of("stopped_early", stopped, (True, False))
    return History(**lists, stopped_early=stopped)  # type: ignore[arg-type]
