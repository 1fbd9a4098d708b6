"""Checkpoints: a training run written to a file, and read to go on with the same bits."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from typing import Any, Final, cast

from micrograd.checks import one_of, whole_number
from micrograd.errors import StateError, shown_briefly
from micrograd.files import Mark, append_json, read_documents, write_json
from micrograd.loop import LISTS, Batches, History, Run
from micrograd.nn import Module
from micrograd.ops import number
from micrograd.train.objective import ModelLoss
from micrograd.values.assigning import set_data

__all__ = ["Checkpoint", "load", "read"]

_FORMAT: Final = "micrograd checkpoint"
_VERSION: Final = 2
_PAUSE: Final = 1.0  # seconds between whole runs in the file
_OLDER: Final = 1  # in which no floats were written as bytes, and each parameter had its name
# What may be raised while a damaged file, or one of something else, is read.
_DAMAGE: Final = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)


def _loss(run: Run) -> ModelLoss:
    return cast("ModelLoss", run.objective)


def _model(run: Run) -> Module:
    return cast("Module", _loss(run).task.model)


class Checkpoint:
    """The file of a run: the whole of it, and then lines of what has changed since.

    Parameters
    ----------
    run : Run
    path : path-like
    in_lines : bool
        Whether what changes within a second is added as a line. Otherwise the run is always
        written as a whole.

    Attributes
    ----------
    due : float
        When, by `time.monotonic`, the run is written as a whole again.
    """

    def __init__(self, run: Run, path: str | os.PathLike[str], in_lines: bool) -> None:
        self._run, self._path, self._in_lines = run, path, in_lines
        self.due = time.monotonic() + _PAUSE
        self._mark: Mark | None = None  # of the file to which lines can be added
        # What the file holds: names of the parameters, order of the batches, and of the history.
        self._names: list[str] = []
        self._order: list[int] = []
        self._lengths: dict[str, int] = {}

    def save(self) -> None:
        """Write the run, atomically and synced: a reader sees the old file or the new one."""
        run = self._run
        self._names, data = _loss(run).state()
        mark = write_json(
            self._path,
            {
                "format": _FORMAT,
                "version": _VERSION,
                "run": _identity(run),
                "parameters": {"names": self._names, "data": data},
                **run.batches.state_dict(),
                **self._changes({}),
            },
            for_reading=False,
        )
        self.due = time.monotonic() + _PAUSE
        self._note(mark if self._in_lines else None)

    def update(self, *, for_good: bool) -> None:
        """Bring the file up to date, by a line if it can be.

        Whatever ends the process, all whole lines are read. A power failure may take back those
        that came after the whole run and are not `for_good`: they are not synced to the disk.
        """
        mark, self._mark = self._mark, None  # none, if an interrupt comes
        run = self._run
        names, data = _loss(run).state()
        if mark is not None and time.monotonic() < self.due and names == self._names:
            is_same = run.batches.order is self._order
            line = {
                "data": data,
                **({"taken": run.batches.taken} if is_same else run.batches.state_dict()),
                **self._changes(self._lengths),
            }
            mark = append_json(self._path, line, mark, sync=for_good)
            if mark is not None:
                self._note(mark)
                return
        self.save()

    def _note(self, mark: Mark | None) -> None:
        """Remember what the file holds."""
        self._order, self._lengths = self._run.batches.order, self._run.history.lengths()
        self._mark = mark

    def _changes(self, lengths: Mapping[str, int]) -> dict[str, Any]:
        """Return what changes from step to step, with the entries of the history after some."""
        run, history = self._run, self._run.history
        return {
            "done": run.done,
            "optimizer": run.optimizer.state_dict(),
            "best_loss": run.best_loss,
            "since_best": run.since_best,
            "best_parameters": run.best_parameters,
            "history": {
                **{name: getattr(history, name)[lengths.get(name, 0) :] for name in LISTS},
                "stopped_early": history.stopped_early,
            },
        }


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the latest state that a checkpoint holds, as a document.

    Raises
    ------
    StateError
        If it is no checkpoint, or damaged.
    """
    document, *lines = read_documents(path, "checkpoint", _FORMAT, _VERSION, _OLDER)
    try:
        for line in lines:
            document["parameters"]["data"] = line.pop("data")
            history, added = document["history"], line.pop("history")
            for name in LISTS:
                history[name] += added[name]
            history["stopped_early"] = added["stopped_early"]
            document |= line
    except _DAMAGE as error:
        raise StateError(f"{str(path)!r} is damaged: {error}") from error
    return document


def load(run: Run, path: str | os.PathLike[str]) -> None:
    """Give a run the state that a checkpoint holds; all of it, or nothing.

    Raises
    ------
    StateError
        If it is the checkpoint of another run, or damaged.
    """
    name, document = str(path), read(path)
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
    """Return the history of `done` steps that a checkpoint holds, checked."""
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
