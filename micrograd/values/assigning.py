"""New numbers for many Values at once: for all of them, or for none."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, is_
from typing import Any

__all__ = ["are_same", "data_of", "restore_data", "set_data", "set_leaves", "united"]

_data = attrgetter("_data")  # what the property `data` returns, without its call


def are_same(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Return whether two sequences hold the same objects in the same order."""
    return len(first) == len(second) and all(map(is_, first, second))


def united(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """Return the Values of both sequences, each once; most often they are the same ones.

    No Value comes twice in the first one.
    """
    return list(first) if are_same(first, second) else list(dict.fromkeys([*first, *second]))


def data_of(nodes: Sequence[Any]) -> list[Any]:
    """Return the number of each node, for `restore_data`."""
    return list(map(_data, nodes))


def restore_data(nodes: Sequence[Any], data: Sequence[Any]) -> None:
    """Give the nodes their numbers back as they were."""
    for node, old in zip(nodes, data, strict=True):
        node.data = old


def set_data(nodes: Sequence[Any], data: Sequence[Any]) -> None:
    """Set the data of each node; of none, after an error or an interrupt, wherever it strikes."""
    before = data_of(nodes)
    try:
        for node, new in zip(nodes, data, strict=True):
            node.data = new
    except BaseException:
        restore_data(nodes, before)
        raise


def set_leaves(leaves: Sequence[Any], data: Sequence[float], grads: Sequence[float]) -> None:
    """Set the data and grad of leaves to floats, four times as fast as their properties.

    After an interrupt some are set: the caller has to restore them.
    """
    for leaf, new, grad in zip(leaves, data, grads, strict=True):
        leaf._data, leaf._grad = new, grad
