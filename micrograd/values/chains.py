"""Weighted sums that are computed step by step, found by their shape alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.ops import is_free

__all__ = ["Chains"]


class Chains:
    """The sums of an `atomic` network that is gone: products added to a bias, one after the other.

    A weight and a bias are free leaves, what a weight multiplies is none. One such sum alone is
    not taken for a neuron.
    """

    def __init__(self, nodes: Sequence[Any]) -> None:
        self._before: dict[Any, Any] = {}
        for node in nodes:
            if node.parents and node.op.adds and len(node.parents) == 2:
                start, product = node.parents
                is_product = len(product.parents) == 2 and product.op.pairs == 1
                if is_product and self._can_start(start):
                    w, x = product.parents
                    if is_free(w) and not is_free(x):
                        self._before[node] = start
        ends = self._before.keys() - set(self._before.values())
        self.ends = ends if len({self.of(end)[0] for end in ends}) > 1 else set()

    def _can_start(self, node: Any) -> bool:
        return node in self._before or is_free(node)

    def of(self, end: Any) -> tuple[Any, list[Any], list[Any], list[Any]]:
        """Return the bias, the weights, their inputs, and all that is computed, in order."""
        sums = []
        while end in self._before:
            sums.append(end)
            end = self._before[end]
        products = [node.parents[1] for node in reversed(sums)]
        computed = [node for pair in zip(products, reversed(sums), strict=True) for node in pair]
        return end, [p.parents[0] for p in products], [p.parents[1] for p in products], computed
