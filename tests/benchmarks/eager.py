"""Eager speed and memory against micrograd 0.1.0, the original engine.

    python tests/benchmarks/eager.py

makes an environment with `micrograd==0.1.0` from the package index, runs `eager_worker.py` there
and here in turns, and writes the section "Eager" of RESULTS.md. It takes about four minutes.
`--tiny` runs every measurement once, small, on this engine only, and writes nothing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from results import machine, table, write_section

WORKER = Path(__file__).with_name("eager_worker.py")
PACKAGE = Path(__file__).parents[2]
REFERENCE = "micrograd==0.1.0"

# name: (measurement, sizes, options for the original, options for this engine)
FULL = {
    "atomic": ("step", {"samples": 100, "steps": 10}, {}, {"atomic": True}),
    "neuron": ("step", {"samples": 100, "steps": 10}, None, {}),
    "memory atomic": ("memory", {"samples": 100}, {}, {"atomic": True}),
    "memory neuron": ("memory", {"samples": 100}, None, {}),
    "chain": ("chain", {"length": 100_000}, {"deep": True}, {"deep": False}),
    "chain as it is": ("chain", {"length": 100_000}, {"deep": False}, None),
}
FIRST_USE = """\
import sys, time
before, start = set(sys.modules), time.perf_counter()
import micrograd, micrograd.engine, micrograd.nn
seconds = time.perf_counter() - start
roots = {name.partition(".")[0] for name in set(sys.modules) - before}
import json
others = sorted(roots - sys.stdlib_module_names - {"micrograd"})
print(json.dumps({"seconds": seconds, "others": others}))
"""
SMALL = {"samples": 4, "steps": 1, "length": 100}


def environment(folder):
    """Make a virtual environment with the original engine and return its Python."""
    venv.create(folder, with_pip=True)
    python = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", REFERENCE], check=True)
    return python


def run(python, arguments, path=None):
    """Run Python in a new process and return the JSON that it printed."""
    # Bytecode is kept, as an installed package keeps it: else an import would compile the source.
    dropped = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    variables = {key: text for key, text in os.environ.items() if key not in dropped}
    if path is not None:
        variables["PYTHONPATH"] = str(path)
    command = [str(python), *arguments]
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def measure(rounds, reference, tiny=False):
    """Return {name: (outcomes of the original, outcomes of this engine)}, run in turns."""
    outcomes = {name: ([], []) for name in [*FULL, "first use"]}
    for round_ in range(rounds):
        for name, (work, sizes, theirs, ours) in FULL.items():
            small = {key: SMALL[key] for key in sizes} if tiny else sizes
            call = [str(WORKER), work, json.dumps(small)]
            if reference and theirs is not None:
                outcomes[name][0].append(run(reference, [*call, json.dumps(theirs)]))
            if ours is not None:
                outcomes[name][1].append(run(sys.executable, [*call, json.dumps(ours)], PACKAGE))
        if reference:
            outcomes["first use"][0].append(run(reference, ["-c", FIRST_USE]))
        outcomes["first use"][1].append(run(sys.executable, ["-c", FIRST_USE], PACKAGE))
        print(f"round {round_ + 1} of {rounds} done", file=sys.stderr)
    return outcomes


def spread(outcomes, key="seconds"):
    """Return (median, least, greatest) of one figure."""
    figures = [outcome[key] for outcome in outcomes]
    return statistics.median(figures), min(figures), max(figures)


def milliseconds(outcomes, key="seconds"):
    median, least, greatest = (1e3 * seconds for seconds in spread(outcomes, key))
    return f"{median:.3g} ms ({least:.3g} to {greatest:.3g})"


def report(outcomes, rounds):
    """Return the section as text."""
    original = outcomes["atomic"][0]
    rows = []
    for name, title, goal in (
        ("atomic", "atomic graph", "at least 10 times as fast"),
        ("neuron", "neuron-level graph", "at least 35 times as fast"),
    ):
        for key, what, aim in (("seconds", "moons step", ""), ("fastest", "fastest step", goal)):
            sides = (original, outcomes[name][1])
            ratio = spread(sides[0], key)[0] / spread(sides[1], key)[0]
            cells = [milliseconds(side, key) for side in sides]
            rows.append([f"{what}, {title}", *cells, f"{ratio:.1f} times as fast", aim])
    theirs = outcomes["memory atomic"][0]
    for name, title in (("memory atomic", "atomic graph"), ("memory neuron", "neuron-level graph")):
        ours = outcomes[name][1]
        cells = [
            f"{spread(side, 'bytes')[0]:.0f} bytes ({side[0]['nodes']} nodes)"
            for side in (theirs, ours)
        ]
        all_bytes = [spread(side, "bytes")[0] * side[0]["nodes"] for side in (theirs, ours)]
        ratio = f"{all_bytes[0] / all_bytes[1]:.1f} times less for the whole loss"
        goal = "at most 200 bytes" if name == "memory atomic" else ""
        rows.append([f"memory per node, {title}", *cells, ratio, goal])
    theirs, ours = outcomes["chain"]
    ratio = f"{spread(theirs)[0] / spread(ours)[0]:.1f} times as fast"
    if error := outcomes["chain as it is"][0][0].get("error"):
        ratio += f"; the original stops with {error} unless its limit is raised, as it was here"
    rows.append(
        ["chain of 100,000 nodes", milliseconds(theirs), milliseconds(ours), ratio, "works"]
    )
    theirs, ours = outcomes["first use"]
    others = sorted({name for outcome in ours for name in outcome["others"]})
    loaded = f"third-party modules loaded: {', '.join(others) or 'none'}"
    rows.append(
        ["import engine and nn", milliseconds(theirs), milliseconds(ours), loaded, "at most 60 ms"]
    )
    header = ["", "micrograd 0.1.0", "this engine", "", "goal"]
    return f"""\
Command: `python tests/benchmarks/eager.py`. {machine()}. {rounds} runs of each in turns, every
run in a process of its own: median (least to greatest). Steps and chains are processor time.

A step is the full-batch step of the moons demo: 100 samples, `MLP(2, [16, 16, 1])`, max-margin loss
plus L2, backward, update, the garbage collector on: the mean of ten steps of one training, after a
first one that is not counted. The fastest of the ten is the one with the least garbage to collect.
Both engines run the same text, `eager_worker.py`. Memory is what `tracemalloc` counts while the
loss is alive.

{table(header, rows)}
"""


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="small, ours only, nothing written")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    if chosen.tiny:
        outcomes = measure(1, None, tiny=True)
        print(json.dumps({name: ours for name, (_, ours) in outcomes.items() if ours}))
        return
    with tempfile.TemporaryDirectory() as folder:
        outcomes = measure(chosen.rounds, environment(folder))
    text = report(outcomes, chosen.rounds)
    write_section("Eager", text)
    print(text)


if __name__ == "__main__":
    main()
