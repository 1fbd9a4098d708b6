"""How long pictures take: `python tests/benchmarks/draw.py` writes its section of RESULTS.md."""

import argparse
import random
import statistics
import time
from collections import deque

from results import machine, table, write_section

from micrograd import Value, maximum
from micrograd.draw import draw_dot
from micrograd.draw.diagram import count_values
from micrograd.errors import ArgumentError
from micrograd.nn import MLP


def losses_of(size):
    """The loss of a few samples of a small network, chopped into single operations."""
    numbers = random.Random(1)
    model = MLP(3, [4, 4, 1], atomic=True, rng=numbers)
    root = Value(0.0, label="start")
    while count_values([root], size) < size:
        root = root + (model([numbers.random() for _ in range(3)]) - 1) ** 2
    return root


def random_graph(size):
    """Products and maxima of values that are not far apart, all of them used."""
    numbers = random.Random(0)
    values = [Value(numbers.uniform(-1, 1), label=f"x{i}") for i in range(10)]
    unused = deque(values)
    while len(values) + len(unused) <= size:
        left, right = (
            unused.popleft(),
            values[numbers.randrange(max(0, len(values) - 50), len(values))],
        )
        values.append(left * right if numbers.random() < 0.5 else maximum(left, right))
        unused.append(values[-1])
    root = unused.popleft()
    for value in unused:
        root = root + value
    return root


def seconds(function, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def measure(sizes, large, runs):
    rows = []
    for name, make in (("network loss", losses_of), ("random", random_graph)):
        for size in sizes:
            root = make(size)
            root.backward()
            count = count_values([root], 10 * size)
            own, picture = seconds(lambda root=root: draw_dot(root, max_nodes=None), runs)
            total, svg = seconds(lambda picture=picture: picture.pipe("svg"), runs)
            total += own
            rows.append([
                name, f"{count:,}", f"{total:.2f} s", f"{own * 1e3:.0f} ms",
                f"{own / total:.1%}", f"{len(svg) / 1e3:.0f} kB",
            ])  # fmt: skip
    sources = []
    for size in large:
        root = random_graph(size)
        root.backward()
        own, picture = seconds(lambda root=root: draw_dot(root, max_nodes=None).source, runs)
        guard, _ = seconds(lambda root=root: refused(root), runs)
        sources.append([
            f"{count_values([root], 10 * size):,}", f"{own:.2f} s", f"{own / size * 1e6:.1f} µs",
            f"{len(picture) / 1e6:.1f} MB", f"{guard * 1e3:.1f} ms",
        ])  # fmt: skip
    return rows, sources


def refused(root):
    try:
        draw_dot(root, max_nodes=10)
    except ArgumentError as error:
        return str(error)
    raise AssertionError("the guard let a large graph through")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="run quickly and write nothing")
    options = parser.parse_args(argv)
    if options.tiny:
        rows, sources = measure([30], [200], 1)
    else:
        rows, sources = measure([500, 1_000], [10_000, 30_000, 100_000], 3)
    text = (
        f"Median of 3 runs. {machine()}. Written by `tests/benchmarks/draw.py`.\n\n"
        "A graph to SVG, the layout program (its start included) and our own part:\n\n"
        + table(["graph", "values", "to SVG", "our part", "share", "SVG"], rows)
        + "\n\nThe DOT source of a large graph, and the answer of the guard against drawing it:\n\n"
        + table(["values", "source", "a value", "size", "guard"], sources)
    )
    print(text)
    if not options.tiny:
        write_section("Pictures", text)


if __name__ == "__main__":
    main()
