"""One measurement of an engine with the original interface; prints seconds or bytes as JSON.

`eager.py` runs this same text with both engines, each in its own environment:

    python eager_worker.py step '{"samples": 100, "steps": 2}' '{"atomic": true}'

It imports the standard library and the engine alone.
"""

import gc
import json
import math
import random
import sys
import threading
import time
import tracemalloc


def moons(samples):
    """Return two interleaved half circles with noise, and their labels -1 and 1."""
    source = random.Random(1337)
    points, labels = [], []
    for i in range(samples):
        angle, upper = math.pi * source.random(), i % 2
        x = math.cos(angle) if upper else 1 - math.cos(angle)
        y = math.sin(angle) if upper else 0.5 - math.sin(angle)
        points.append([x + source.gauss(0, 0.1), y + source.gauss(0, 0.1)])
        labels.append(1 if upper else -1)
    return points, labels


def loss_of(model, points, labels):
    """Return max-margin loss plus L2, written as in the moons demo."""
    from micrograd.engine import Value

    inputs = [list(map(Value, point)) for point in points]
    scores = list(map(model, inputs))
    losses = [
        (1 + -label * score).relu()
        for label, score in zip(labels, scores)  # noqa: B905
    ]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())


def network(options):
    from micrograd.nn import MLP

    random.seed(1337)
    return MLP(2, [16, 16, 1], **options)


def step(sizes, options):
    """Time full-batch steps of a training: forward, backward, update; the collector is on.

    Processor time is measured, so that other programs count for less.

    "seconds" is the mean over the steps after the first, so that it holds a step's fair share of
    collecting garbage, which happens in some steps only; "fastest" is the step with least of it.
    """
    model, (points, labels) = network(options), moons(sizes["samples"])
    seconds = []
    for _ in range(sizes["steps"] + 1):
        start = time.process_time()
        total = loss_of(model, points, labels)
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= 0.05 * p.grad
        seconds.append(time.process_time() - start)
    later = seconds[1:]
    return {"seconds": sum(later) / len(later), "fastest": min(later), "loss": total.data}


def memory(sizes, options):
    """Count the bytes that one loss keeps in memory, per node of its graph."""
    model, (points, labels) = network(options), moons(sizes["samples"])
    gc.collect()
    tracemalloc.start()
    total = loss_of(model, points, labels)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    seen, stack = set(model.parameters()), [total]
    known = len(seen)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node._prev)
    nodes = len(seen) - known
    return {"bytes": used / nodes, "nodes": nodes}


def chain(sizes, options):
    """Time building and differentiating one long chain, with a recursion limit it fits in."""
    from micrograd.engine import Value

    outcome = {}

    def run():
        start = time.process_time()
        x = node = Value(1.0)
        for _ in range(sizes["length"]):
            node = node + x
        try:
            node.backward()
        except RecursionError as error:
            outcome["error"] = type(error).__name__
        else:
            outcome["gradient"] = x.grad
        outcome["seconds"] = time.process_time() - start

    if options["deep"]:
        sys.setrecursionlimit(10 * sizes["length"] + 10_000)
        threading.stack_size(min(1 << 30, 4096 * sizes["length"] + (1 << 24)))
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    else:
        run()
    return outcome


if __name__ == "__main__":
    work, sizes, options = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
    measure = {"step": step, "memory": memory, "chain": chain}[work]
    print(json.dumps(measure(sizes, options)))
