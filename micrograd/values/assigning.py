"""New numbers for many Values at once: for all of them, or for none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["data_of", "restore_data", "set_data"]


def data_of(nodes: Sequence[Any]) -> list[Any]:
    """Return the number of each node, for `restore_data`."""
    return [node.data for node in nodes]


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
