"""Kill a training run at random moments, again and again: its checkpoint is always whole.

Each run goes on from the checkpoint of the one before, and writes it after every step.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import machine, write_section

from micrograd.train.checkpoint import read

RUN = """
import random, sys
from micrograd.nn import MLP
from micrograd.train import fit
draw = random.Random(5)
X = [[draw.uniform(-1, 1), draw.uniform(-1, 1)] for _ in range(8)]
y = [int(a + b > 0) for a, b in X]
started = lambda step, loss, accuracy: print(step, flush=True)
fit(MLP(2, [4, 1], rng=random.Random(3)), X, y, steps=10**6, batch_size=4, seed=1,
    checkpoint=sys.argv[1], checkpoint_every=1, resume=True, progress=started)
"""


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="three kills, nothing is written")
    kills = 3 if parser.parse_args(arguments).tiny else 50
    draw, done, unfinished = random.Random(0), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        for kill in range(kills):
            process = subprocess.Popen(
                [sys.executable, "-c", RUN, str(path)], stdout=subprocess.PIPE
            )
            process.stdout.readline()  # a step was done: from now on it writes all the time
            time.sleep(draw.uniform(0, 0.05))
            process.kill()
            process.communicate()
            document = read(path)
            losses = document["history"]["loss"]
            if not done <= document["done"] == len(losses):
                raise SystemExit(f"kill {kill}: {document['done']} steps after {done}")
            done = document["done"]
        unfinished = len(list(Path(folder).glob(".*.part")))
    text = (
        f"{kills} runs killed (SIGKILL) up to 50 ms after their first step, each going on from the "
        f"checkpoint of the one before: it could be read {kills} times, {done} steps in all. "
        f"{unfinished} of the kills came while a checkpoint was being written."
    )
    print(text)
    if kills == 50:
        write_section(
            "Killed runs", f"`python tests/benchmarks/kills.py` on {machine()}.\n\n{text}"
        )


if __name__ == "__main__":
    main()
