"""A table of vectors, one of which is picked by a number: a word, a letter or a position.

>>> table = Embedding(3, 2)
>>> table.weight[2] = [Value(0.5), Value(-1.0)]
>>> table(2)
[Value(data=0.5, grad=0), Value(data=-1.0, grad=0)]
"""

from __future__ import annotations

import random
from typing import Any

from micrograd.checks import whole_number
from micrograd.engine import Value
from micrograd.nn.module import Module
from micrograd.ops import Number, take

__all__ = ["Embedding"]


class Embedding(Module):
    """A table of vectors; called with an index, it returns the vector of that row.

    Parameters
    ----------
    num_embeddings : int
        Number of rows.
    embedding_dim : int
        Length of each.
    std : float, default 1.0
        Standard deviation of the normal distribution, around 0, that the numbers are drawn from.
    rng : random.Random, optional
        The generator they are drawn with. Default the `random` module.

    Attributes
    ----------
    weight : list of list of Value
        The rows.

    Notes
    -----
    Only the row that was picked gets a gradient. In a compiled function the index may be an input:
    one program serves every index.

    Examples
    --------
    >>> letters = Embedding(26, 4)
    >>> vector = letters(7)
    >>> vector[0] is letters.weight[7][0]
    True
    >>> letters(26)
    Traceback (most recent call last):
        ...
    micrograd.errors.DomainError: take picks one of 26 values by a whole number from 0 to 25, got \
the index 26
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        std: float = 1.0,
        rng: random.Random | None = None,
    ) -> None:
        rows = whole_number("num_embeddings", num_embeddings, 1)
        width = whole_number("embedding_dim", embedding_dim, 1)
        draw = random if rng is None else rng
        self.weight = [[Value(draw.gauss(0.0, std)) for _ in range(width)] for _ in range(rows)]

    def __call__(self, index: Number) -> list[Number]:
        """Return the numbers of a row, for its index from 0."""
        return [take(column, index) for column in zip(*self.weight, strict=True)]

    def configuration(self) -> dict[str, Any]:
        """Return the arguments of the constructor that give a table of this size."""
        return {"num_embeddings": len(self.weight), "embedding_dim": len(self.weight[0])}

    @classmethod
    def _size(cls, configuration: dict[str, Any]) -> int:
        rows = whole_number("num_embeddings", configuration["num_embeddings"], 1)
        return rows * whole_number("embedding_dim", configuration["embedding_dim"], 1)

    def _structure(self) -> str:
        return f"{type(self).__name__}({len(self.weight)}, {len(self.weight[0])})"

    def __repr__(self) -> str:
        return self._structure()
