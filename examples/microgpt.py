"""A GPT on scalars: the network of a language model, trained on names, one number at a time.

Run it from a checkout: python examples/microgpt.py

The size is that of Karpathy's *microgpt* (2026): 4,192 parameters, one layer, four heads of width
four, 16 places. A letter and its place are embedded; each letter looks at those before it
(attention); a small network of relus follows; both add to what came in (residuals). The loss of a
name is the mean of -log p of each next letter.

All names are trained by one compiled program: a short name is filled up, and `weights` gives the
places behind its end no part in the loss. The letters are inputs of the program, which picks their
vectors with `nn.Embedding`.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import micrograd
from micrograd import Value, nn, optim
from micrograd.course import first_names

LETTERS = "abcdefghijklmnopqrstuvwxyz"
END = len(LETTERS)  # stands before the first letter and behind the last one
VOCABULARY, PLACES, WIDTH, HEADS = len(LETTERS) + 1, 16, 16, 4
HEAD = WIDTH // HEADS


class GPT(nn.Module):
    """The network; `table(rows, columns)` are weights without biases."""

    def __init__(self, rng: random.Random, std: float = 0.08) -> None:
        def table(rows: int, columns: int) -> list[list[Value]]:
            return [[Value(rng.gauss(0.0, std)) for _ in range(columns)] for _ in range(rows)]

        self.letters = nn.Embedding(VOCABULARY, WIDTH, std=std, rng=rng)
        self.places = nn.Embedding(PLACES, WIDTH, std=std, rng=rng)
        self.queries, self.keys, self.values = (table(WIDTH, WIDTH) for _ in range(3))
        self.mixed = table(WIDTH, WIDTH)
        self.hidden, self.back = table(4 * WIDTH, WIDTH), table(WIDTH, 4 * WIDTH)
        self.scores = table(VOCABULARY, WIDTH)

    def __call__(self, letters: Sequence[Any]) -> list[list[Any]]:
        """Return the scores of the next letter, at each place."""
        keys: list[list[Any]] = []
        values: list[list[Any]] = []
        found = []
        for place, letter in enumerate(letters):
            x = normalised(added(self.letters(letter), self.places(place)))
            now = normalised(x)
            keys.append(times(self.keys, now))
            values.append(times(self.values, now))
            heads = attention(times(self.queries, now), keys, values)
            x = added(x, times(self.mixed, heads))
            now = times(self.hidden, normalised(x))
            x = added(x, times(self.back, [micrograd.relu(v) for v in now]))
            found.append(times(self.scores, x))
        return found


def times(table: list[list[Value]], x: Sequence[Any]) -> list[Any]:
    """Return the product of a matrix and a vector."""
    return [micrograd.dot(row, x) for row in table]


def added(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """Return the sum of two vectors."""
    return [x + y for x, y in zip(a, b, strict=True)]


def normalised(x: Sequence[Any]) -> list[Any]:
    """Return a vector scaled to a root mean square of 1 (Zhang and Sennrich, 2019)."""
    scale = (micrograd.dot(x, x) / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]


def attention(query: list[Any], keys: list[list[Any]], values: list[list[Any]]) -> list[Any]:
    """Return, head by head, the mean of the values, weighted by how the keys fit the query."""
    outputs = []
    for start in range(0, WIDTH, HEAD):
        part = slice(start, start + HEAD)
        fits = [micrograd.dot(query[part], key[part]) / math.sqrt(HEAD) for key in keys]
        weights = micrograd.softmax(fits)
        outputs += [
            micrograd.dot(weights, [value[i] for value in values])
            for i in range(start, start + HEAD)
        ]
    return outputs


def loss_of(model: GPT, letters: Sequence[Any], weights: Sequence[Any]) -> Any:
    """Return the loss of a name, given as its letters with an `END` on both sides."""
    scores = model(letters[:-1])
    each = [
        weight * (micrograd.logsumexp(row) - micrograd.take(row, letter))
        for row, letter, weight in zip(scores, letters[1:], weights, strict=True)
    ]
    return micrograd.sum(each)


def sample_of(name: str) -> tuple[list[int], list[float]]:
    """Return the letters of a name as numbers, filled up, and the weight of each place."""
    letters = [END, *map(LETTERS.index, name), END]
    count = len(letters) - 1
    fill = PLACES - count
    return letters + [END] * fill, [1 / count] * count + [0.0] * fill


def drawn(model: GPT, rng: random.Random, temperature: float = 0.5) -> str:
    """Return a name, drawn letter by letter."""
    letters = [END]
    while len(letters) <= PLACES:
        scores = [float(v.data) / temperature for v in model(letters)[-1]]
        (letter,) = rng.choices(range(VOCABULARY), micrograd.softmax(scores))
        if letter == END:
            break
        letters.append(letter)
    return "".join(LETTERS[letter] for letter in letters[1:])


def main(steps: int = 1000, samples: int = 20) -> None:
    """Train on names, one a step, and print some of one's own."""
    names = first_names()
    model = GPT(random.Random(42))
    print(f"{len(model.parameters()):,} parameters, {len(names):,} names")
    letters, weights = (np.array(part) for part in zip(*map(sample_of, names), strict=True))

    start = time.perf_counter()
    loss = micrograd.replay.compile(lambda letters, weights: loss_of(model, letters, weights))
    optimizer = optim.Adam(model.parameters(), lr=0.01, betas=(0.85, 0.99))
    history = loss.fit(
        letters,
        weights,
        optimizer=optimizer,
        steps=steps,
        batch_size=1,
        seed=0,
        lr=lambda step: 0.01 * (1 - step / steps),
    )
    seconds = time.perf_counter() - start
    first, last = (sum(part) / len(part) for part in (history.loss[:20], history.loss[-100:]))
    print(f"{steps:,} names in {seconds:.1f} s: loss {first:.3f}, then {last:.3f}")
    rng = random.Random(0)
    with micrograd.no_grad():
        print(" ".join(drawn(model, rng) for _ in range(samples)))


if __name__ == "__main__":
    main()
