"""Samples and labels as plain numbers, checked; errors name the place in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    NumberTypeError,
    shown_typed,
)
from micrograd.losses import Loss
from micrograd.ops import PlainNumber, number

__all__ = ["Rows", "listed", "rows_of", "targets_of"]


class Rows(Sequence[list[PlainNumber]]):
    """The rows of an array of finite numbers, as lists that are made when they are first read."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self._lists: list[list[PlainNumber]] | None = None

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, place: Any) -> Any:
        return self._array[place].tolist() if self._lists is None else self._lists[place]

    def __iter__(self) -> Iterator[list[PlainNumber]]:
        if self._lists is None:
            self._lists = self._array.tolist()
        return iter(self._lists)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Return the numbers themselves, for NumPy."""
        return self._array if dtype is None else self._array.astype(dtype, copy=bool(copy))


def _finite_array(given: Any) -> Any:
    """Return a copy of an array of whole numbers or floats, all finite; None for anything else."""
    if hasattr(given, "to_numpy"):
        given = given.to_numpy()
    if f"{type(given).__module__}.{type(given).__name__}" != "numpy.ndarray":
        return None
    import numpy as np

    plain = given.dtype.kind in "iuf" and given.dtype.itemsize <= 8 and given.dtype.isnative
    if not (plain and given.ndim == 2 and given.size):
        return None
    with np.errstate(all="ignore"):  # a finite sum, which is added up in no time, tells it of all
        finite = np.isfinite(given.sum()) or np.isfinite(given).all()
    return given.copy() if finite else None


def listed(what: str, given: Any) -> list[Any]:
    """Return the entries of an array, frame or sequence as a list."""
    if hasattr(given, "to_numpy"):
        given = given.to_numpy()
    if hasattr(given, "tolist"):
        given = given.tolist()
    try:
        if isinstance(given, (str, bytes)):
            raise TypeError
        entries = list(given)
    except TypeError:
        raise ArgumentTypeError(
            f"expected {what} to be an array or a sequence, got {shown_typed(given)}"
        ) from None
    if not entries:
        raise ArgumentError(f"{what} is empty: expected at least one sample")
    return entries


def rows_of(what: str, X: Any, *, finite: bool = True) -> Sequence[list[PlainNumber]]:
    """Return the rows as plain numbers, checked to be of one length and, by default, finite."""
    array = _finite_array(X)
    if array is not None:
        return Rows(array)
    given_rows = listed(what, X)
    same = set(map(type, given_rows)) == {list} and len(set(map(len, given_rows))) == 1
    if same and _all_finite(list(chain.from_iterable(given_rows))):  # as most data are
        return list(map(list, given_rows))
    rows: list[list[PlainNumber]] = []
    for i, given in enumerate(given_rows):
        entries = given.tolist() if hasattr(given, "tolist") else given
        if isinstance(entries, (str, bytes)) or not isinstance(entries, Sequence):
            raise ArgumentTypeError(
                f"expected {what}[{i}] to be a row of numbers, got {shown_typed(entries)}; one "
                f"feature per sample is [[x] for x in {what}]"
            )
        row: list[PlainNumber] = []
        for j, entry in enumerate(entries):
            try:
                plain = number(entry)
            except NumberTypeError as error:
                raise NumberTypeError(f"{what}[{i}][{j}]: {error}") from error
            if finite and plain * 0 != 0:
                raise ArgumentError(f"{what}[{i}][{j}] is {plain}, expected a finite number")
            row.append(plain)
        if rows and len(row) != len(rows[0]):
            raise InputCountError(
                f"{what}[{i}] has {len(row)} features, {what}[0] has {len(rows[0])}"
            )
        rows.append(row)
    return rows


_OWN: Final = (
    "for several numbers per sample pass a function as the loss: lambda outputs, y: "
    "losses.mse([o for row in outputs for o in row], [t for row in y for t in row])"
)


def targets_of(loss: Loss, labels: list[Any], outputs: int, which: str = "") -> list[Any]:
    """Return the labels as the loss takes them, checked against the number of outputs."""
    if not _all_finite(labels):
        for i, label in enumerate(labels):
            try:
                plain = number(label)
            except NumberTypeError:
                raise NumberTypeError(
                    f"{which}y[{i}] is {shown_typed(label)}, expected a "
                    f"number; {'number the classes 0, 1, 2, ...' if loss.classification else _OWN}"
                ) from None
            if plain * 0 != 0:
                raise ArgumentError(f"{which}y[{i}] is {plain}, expected a finite number")
    try:
        targets = loss.encode(labels)
    except ArgumentError as error:
        raise ArgumentError(f"{which}y: {error}") from error
    if loss.several_outputs:
        classes = max(targets) + 1
        if outputs < max(classes, 2):
            raise InputCountError(
                f"{loss.name} needs one output per class: the largest label is {classes - 1}, so "
                f"{max(classes, 2)} or more, but the model has {outputs}"
            )
    elif outputs != 1:
        raise InputCountError(
            f"{loss.name} needs a model with one output, this one has {outputs}; "
            + ("for several classes use 'cross_entropy'" if loss.classification else _OWN)
        )
    return targets


def _all_finite(numbers: list[Any]) -> bool:
    """Return whether all are ints, or all finite floats."""
    kinds = set(map(type, numbers))
    return kinds == {int} or (kinds == {float} and all(map(math.isfinite, numbers)))
