"""Damage files in ways that keep them close to real ones, and read them under tight limits.

Run as a program by `test_damaged_files`, with a seed and a number of files, so that the limits on
memory and time hold for the readers alone.
"""

from __future__ import annotations

import json
import math
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from micrograd import optim
from micrograd.errors import MicrogradError, StateError
from micrograd.files import read_json
from micrograd.nn import MLP, Layer, Module, Neuron
from micrograd.train import EarlyStop, fit

SECONDS, MEGABYTES = 1.0, 200  # of the processor, so that a busy machine does not matter

X, Y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1]

# Put into the text after it was made: what `json.dumps` would not write.
RAW = {
    '"@deep"': "[" * 30_000 + "]" * 30_000,
    '"@steep"': '{"a":' * 900 + "1" + "}" * 900,
    '"@digits"': "9" * 9_000,
    '"@twice"': '{"a": 1, "a": 2}',
    '"@surrogate"': '"\\ud800"',
    '"@nan"': "NaN",
    '"@vast"': "-1e999",
}
RISING: Any = {"schedule": "exponential", "arguments": [7, 3]}
NESTED: Any = 0.1
for _ in range(70):
    NESTED = {"schedule": "warmup", "arguments": [2, NESTED]}
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 3, 0.5, -0.5, -1.0, 1e308, math.nan, math.inf, -math.inf),
    *(10**9, 2**53, 2**53 + 1, 10**18, 10**400, -(10**400), "", "x", "relu", "where", "1 2", "-1"),
    *([], [1], [[1]], ["x"], [1] * 50_000, {}, {"a": 1}, {"number": "1/3"}, {"number": "-1/3"}),
    *({"number": "0x" + "f" * 5_000}, {"number": "-0x" + "f" * 5_000}, {"number": "1/0"}),
    *({"number": "0x1/0x" + "f" * 5_000}, {"number": "nan"}, {"number": "inf"}, {"number": "?"}),
    *(RISING, NESTED, {"schedule": "step_decay", "arguments": [1, 10**300, 1]}),
    *({"schedule": "cosine", "arguments": [1, 0, 10**400]}, {"schedule": [], "arguments": {}}),
    *(json.loads(mark) for mark in RAW),
]


def places(thing: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every list and dict of a document with each of its keys."""
    pairs = thing.items() if isinstance(thing, dict) else enumerate(thing)
    for key, child in list(pairs):
        yield thing, key
        if isinstance(child, (dict, list)):
            yield from places(child)


def damaged(text: str, draw: random.Random) -> bytes:
    """Return a file with one to three faults in its structure, or one in its bytes."""
    try:
        documents = [json.loads(text)]
    except ValueError:  # a checkpoint with lines that were added to it
        documents = [json.loads(line) for line in text.splitlines()]
    document = draw.choice(documents)
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        holder, key = draw.choice(list(places(document)) or [(None, None)])
        kind = draw.random()
        if holder is None:
            return b"{}"
        if kind < 0.75:
            holder[key] = deepcopy(draw.choice(VALUES))
        elif kind < 0.85:
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, holder[key])
        else:
            holder[draw.choice(["more", "number", ""])] = holder[key]
    written = "\n".join([*map(json.dumps, documents), ""])
    for mark, raw in RAW.items():
        written = written.replace(mark, raw)
    content = written.encode()
    place, kind = draw.randrange(len(content) + 1), draw.random()
    if kind < 0.05:
        return content[:place]
    if kind < 0.1:
        return content[:place] + draw.randbytes(2) + content[place:]
    return b"\xef\xbb\xbf" + content if kind < 0.15 else content


def train(path: Path, optimizer: Any, model: Module, steps: int, **options: Any) -> None:
    """Train with a checkpoint, from where it is."""
    options = {"compile": False, "progress": False, "seed": 1, "batch_size": 2, **options}
    stop = EarlyStop(patience=9, restore_best=True)
    fit(model, X, Y, "mse", optimizer, steps, checkpoint=path, early_stop=stop, **options)


def state_of(model: Module, optimizer: Any) -> str:
    """Return all that a reader may not have changed; a text, in which nan is nan."""
    return repr((model.state_dict(), optimizer.state_dict()))


def cases(folder: Path) -> Iterator[tuple[str, Callable[[Path, Module, Any], object], Any, Any]]:
    """Yield texts of whole files, what reads them, and what makes what they are read into."""

    def network() -> MLP:
        return MLP(2, [2, 1], rng=random.Random(0))

    def sgd(model: Module) -> Any:
        return optim.SGD(model.parameters(), lr=optim.linear(0.5, 0.1, 9), momentum=0.9)

    def adam(model: Module) -> Any:
        return optim.Adam(model.parameters(), lr=optim.warmup(3, optim.step_decay(0.1, 0.5, 2)))

    def resume(path: Path, model: Module, optimizer: Any) -> None:
        train(path, optimizer, model, 4, resume=True)

    def step(path: Path, model: Module, optimizer: Any) -> None:
        optimizer.load_state_dict(read_json(path))
        optimizer.step()

    path = folder / "whole.json"
    for make in (network, lambda: Layer(2, 2), lambda: Neuron(2)):
        model: Module = make()
        model.save(path)
        text = path.read_text(encoding="utf-8")
        yield text, lambda path, model, _: model.load(path), make, sgd
        yield text, lambda path, model, _: type(model).from_file(path), make, sgd
    for chosen in (sgd, adam):
        model = network()
        optimizer = chosen(model)
        path.unlink()
        train(path, optimizer, model, 3)
        yield path.read_text(encoding="utf-8"), resume, network, chosen
        train(path, chosen(model), model, 3, checkpoint_every=1)
        yield path.read_text(encoding="utf-8"), resume, network, chosen
        yield json.dumps(optimizer.state_dict()), step, network, chosen


def main(seed: int, count: int) -> None:
    """Damage so many files and read each; the first reader that does wrong ends the program."""
    draw = random.Random(seed)
    os.fsync = lambda _: None  # the disk is not what is tried
    signal.signal(signal.SIGPROF, lambda *_: sys.exit(traceback.format_exc() + "took too long"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        readers = list(cases(folder))
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + MEGABYTES * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        path, refused = folder / "damaged.json", 0
        for _ in range(count):
            text, read, make, chosen = draw.choice(readers)
            content = damaged(text, draw)
            path.write_bytes(content)
            model = make()
            optimizer = chosen(model)
            before = state_of(model, optimizer)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                read(path, model, optimizer)
            except StateError:
                refused += 1
                assert state_of(model, optimizer) == before, content[:3_000]
            except MicrogradError:  # of training that goes on from numbers that can be read
                pass
            except Exception:
                sys.exit(f"{traceback.format_exc()}\n{content[:3_000]!r}")
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    print(f"{refused} refused")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
