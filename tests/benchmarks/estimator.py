"""Accuracy and training time of MicrogradClassifier beside scikit-learn's MLPClassifier.

Same architecture, optimizer, learning rate, batches and rule to stop; five splits, fixed seeds.
"""

import argparse
import os
import statistics
import time
import warnings

import numpy as np
from results import machine, table, write_section
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from micrograd import MicrogradClassifier
from micrograd.datasets import load

SPLITS = 5
SETTINGS = {"hidden_layer_sizes": (16, 16), "batch_size": 32, "max_iter": 200, "alpha": 1e-4}
RATE = 0.01


def problem(name):
    real = {
        "iris": load_iris,
        "wine": load_wine,
        "breast_cancer": load_breast_cancer,
        "digits": load_digits,
    }
    if name in real:
        return real[name](return_X_y=True)
    data = load(name, samples=400)
    return np.concatenate([data.X, data.X_test]), np.concatenate([data.y, data.y_test])


def measured(model, X, y, X_test, y_test):
    started = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - started, model.score(X_test, y_test)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="one data set, nothing is written")
    tiny = parser.parse_args(arguments).tiny
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        compare(tiny)


def compare(tiny):
    rows = []
    names = ["moons", "circles", "spirals", "xor", "iris", "wine", "breast_cancer", "digits"]
    for name in names[:1] if tiny else names:
        X, y = problem(name)
        splits = StratifiedShuffleSplit(SPLITS, test_size=0.3, random_state=0).split(X, y)
        ours, theirs, first = [], [], None
        for seed, (learnt, kept) in enumerate(splits):
            scaler = StandardScaler().fit(X[learnt])
            data = scaler.transform(X[learnt]), y[learnt], scaler.transform(X[kept]), y[kept]
            mine = MicrogradClassifier(**SETTINGS, learning_rate=RATE, random_state=seed)
            other = MLPClassifier(**SETTINGS, learning_rate_init=RATE, random_state=seed)
            if first is None:
                first = measured(mine, *data)[0]
            ours.append(measured(mine, *data))
            theirs.append(measured(other, *data))
        seconds = [statistics.median(t for t, _ in runs) for runs in (ours, theirs)]
        accuracy = [100 * statistics.mean(a for _, a in runs) for runs in (ours, theirs)]
        rows.append(
            [
                name,
                f"{accuracy[0]:.1f} %",
                f"{accuracy[1]:.1f} %",
                f"{accuracy[0] - accuracy[1]:+.1f}",
                f"{1000 * seconds[0]:.0f} ms",
                f"{1000 * seconds[1]:.0f} ms",
                f"{seconds[1] / seconds[0]:.1f}",
                f"{1000 * first:.0f} ms",
            ]
        )
        print(rows[-1], flush=True)
    if tiny:
        return
    header = [
        "data",
        "accuracy",
        "MLPClassifier",
        "points",
        "fit",
        "MLPClassifier",
        "times as fast",
        "first fit",
    ]
    text = (
        f"`python tests/benchmarks/estimator.py` on {machine()}, load {os.getloadavg()[0]:.1f} "
        "(1 is this program alone).\n\n"
        "`MicrogradClassifier` and scikit-learn's `MLPClassifier`, both with two hidden layers of "
        f"16, relu, Adam with a learning rate of {RATE}, batches of 32, at most 200 passes, the "
        "same rule to stop. Mean accuracy on the 30 % held out of five splits; median time of five "
        "fits. The first fit of an architecture traces and compiles it. The aim is an accuracy at "
        "most 1 point lower, and less time.\n\n" + table(header, rows)
    )
    write_section("Estimators", text)


if __name__ == "__main__":
    main()
