"""Small problems to learn, split into training samples and samples held out.

>>> data = load("moons")
>>> data
Dataset('moons': 100 training samples, 100 held out, 2 features, 2 classes)
>>> data.X.shape, data.y[:5].tolist()
((100, 2), [0, 1, 1, 0, 1])
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from micrograd.checks import finite_number, install, needs, one_of, whole_number
from micrograd.errors import ArgumentError, shown
from micrograd.values.showing import Shown

__all__ = ["NAMES", "REGRESSIONS", "Dataset", "load"]

EXTRA = install("train")  # a public name of version 1.0.0


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Shown):
    """A problem to learn: a classification, or a regression.

    Attributes
    ----------
    name : str
    X, X_test : ndarray of shape (n_samples, n_features)
        Floats: the training samples, and those held out.
    y, y_test : ndarray of shape (n_samples,)
        The class of each sample, counted from 0; of a regression its target.
    features, classes : tuple of str
        Their names. A regression has no classes.
    standardised : bool
        Whether each feature was scaled to mean 0 and standard deviation 1 over the training
        samples.
    """

    name: str
    X: Any
    y: Any
    X_test: Any
    y_test: Any
    features: tuple[str, ...]
    classes: tuple[str, ...]
    standardised: bool

    @property
    def separating(self) -> tuple[int, int]:
        """The two features whose class means differ most, relative to the spread in a class.

        Examples
        --------
        >>> iris = load("iris")
        >>> [iris.features[i] for i in iris.separating]
        ['petal length (cm)', 'petal width (cm)']
        """
        return separating(self.X, self.y)

    def __repr__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes else "a target"
        return (
            f"Dataset({self.name!r}: {len(self.X)} training samples, {len(self.X_test)} held out, "
            f"{len(self.features)} features, {kind})"
        )


def separating(X: Any, y: Any) -> tuple[int, int]:
    """Return the two features whose class means differ most, relative to the spread in a class.

    Features that are constant come last, and of those that tell equally much the first ones count.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Two features or more.
    y : array-like of shape (n_samples,)
        The class of each sample.

    Examples
    --------
    >>> separating([[0, 0, 1], [5, 1, 1], [1, 0, 1], [6, 1, 1]], [0, 1, 0, 1])
    (0, 1)
    """
    import numpy as np

    X, y = np.asarray(X, dtype=float), np.asarray(y)
    size = np.abs(X).max(axis=0, initial=0.0)
    X = X / np.where(size > 0, size, 1.0)  # the squares of large numbers are too large for a float
    groups = [X[y == k] for k in np.unique(y)]
    with np.errstate(over="ignore", invalid="ignore"):
        means = np.std([group.mean(axis=0) for group in groups], axis=0)
        spreads = np.mean([group.std(axis=0) for group in groups], axis=0)
        ratios = np.divide(means, spreads, out=np.where(means > 0, np.inf, 0), where=spreads > 0)
    ratios[np.ptp(X, axis=0) == 0] = -1
    first, second = sorted(np.argsort(-ratios, kind="stable")[:2].tolist())
    return first, second


def _moons(samples: int, noise: float, seed: int) -> tuple[Any, Any]:
    from sklearn.datasets import make_moons

    X, y = make_moons(n_samples=samples, noise=noise, random_state=seed)
    return X, y


def _circles(samples: int, noise: float, seed: int) -> tuple[Any, Any]:
    from sklearn.datasets import make_circles

    X, y = make_circles(n_samples=samples, noise=noise, factor=0.5, random_state=seed)
    return X, y


def _blobs(samples: int, noise: float, seed: int) -> tuple[Any, Any]:
    from sklearn.datasets import make_blobs

    centres = [(-1.2, -0.7), (1.2, -0.7), (0.0, 1.3)]
    X, y = make_blobs(n_samples=samples, centers=centres, cluster_std=noise, random_state=seed)
    return X, y


def _xor(samples: int, noise: float, seed: int) -> tuple[Any, Any]:
    """Four clouds at the corners of a square; opposite corners have the same class."""
    draw, rows, labels = random.Random(seed), [], []
    for i in range(samples):
        right, up = i & 1, i >> 1 & 1
        rows.append([2 * right - 1 + draw.gauss(0, noise), 2 * up - 1 + draw.gauss(0, noise)])
        labels.append(right ^ up)
    return _arrays(rows, labels)


def _spirals(samples: int, noise: float, seed: int) -> tuple[Any, Any]:
    """Two arms that wind once around the origin, half a turn apart, radius 0.2 to 2."""
    draw, rows, labels = random.Random(seed), [], []
    for i in range(samples):
        arm, along = i & 1, (i >> 1) / max(1, (samples - 1) // 2)
        radius, angle = 0.2 + 1.8 * along, 2 * math.pi * along + math.pi * arm
        x, y = radius * math.cos(angle), radius * math.sin(angle)
        rows.append([x + draw.gauss(0, noise), y + draw.gauss(0, noise)])
        labels.append(arm)
    return _arrays(rows, labels)


def _surface(height: Callable[[float, float], float], samples: int, noise: float, seed: int) -> Any:
    """Draw samples all over a square, with the height of a surface there."""
    draw, rows, targets = random.Random(seed), [], []
    for _ in range(samples):
        x, y = draw.uniform(-2, 2), draw.uniform(-2, 2)
        rows.append([x, y])
        targets.append(height(x, y) + draw.gauss(0, noise))
    return _arrays(rows, targets)


def _plane(x: float, y: float) -> float:
    return (x + y) / 4


def _gaussians(x: float, y: float) -> float:
    """Return the height of a hill, and of a hollow beside it."""
    hill, hollow = (x - 1) ** 2 + (y - 1) ** 2, (x + 1) ** 2 + (y + 1) ** 2
    return math.exp(-hill) - math.exp(-hollow)


def _arrays(rows: list[list[float]], y: Sequence[float]) -> tuple[Any, Any]:
    import numpy as np

    return np.array(rows, dtype=float), np.array(y)


@dataclass(frozen=True)
class _Recipe:
    make: Callable[[int, float, int], tuple[Any, Any]]
    noise: float
    classes: tuple[str, ...] = ("0", "1")


_MADE: Final = {
    "moons": _Recipe(_moons, 0.1),
    "circles": _Recipe(_circles, 0.1),
    "xor": _Recipe(_xor, 0.35),
    "spirals": _Recipe(_spirals, 0.08),
    "blobs": _Recipe(_blobs, 0.5, ("0", "1", "2")),
}
_SURFACES: Final = {
    "plane": _Recipe(partial(_surface, _plane), 0.05, ()),
    "gaussians": _Recipe(partial(_surface, _gaussians), 0.05, ()),
}
_PLANE: Final[tuple[str, ...]] = ("x1", "x2")
_REAL: Final = ("iris", "breast_cancer", "digits")
NAMES: Final = (*_MADE, *_REAL)
"""The classifications that `load` has: generated ones in the plane first, then real data."""
REGRESSIONS: Final = (*_SURFACES,)
"""The regressions that `load` has: two features, and the height of a surface as the target."""


def load(
    name: str,
    *,
    samples: int | None = None,
    noise: float | None = None,
    held_out: float | None = None,
    seed: int = 0,
) -> Dataset:
    """Return a small problem: a classification with a stratified split, or a regression.

    Parameters
    ----------
    name : str
        "moons", "circles", "xor", "spirals" and "blobs" are generated from the seed and have two
        features, as have the regressions "plane" and "gaussians", a hill and a hollow. "iris",
        "breast_cancer" and "digits" are real data that come with scikit-learn; they are
        standardised.
    samples : int, optional
        How many to generate in all, or to take from real data. Default 200, or all real ones.
    noise : float, optional
        Standard deviation of the noise of generated data, in units of the features; of a
        regression, of the target.
    held_out : float, optional
        The fraction to hold out, between 0 and 1. Default one half of generated data, a quarter
        of real data.
    seed : int, default 0
        Determines the generated data and the split.

    Returns
    -------
    Dataset

    Raises
    ------
    ArgumentError
        If the name is unknown or a number is out of range. Also a ValueError.
    ImportError
        If NumPy or scikit-learn is missing; names the extra to install.

    Notes
    -----
    The held-out samples are standardised by the mean and standard deviation of the training
    samples, so that nothing leaks into training. A constant feature is only centred.

    References
    ----------
    .. [1] Fisher (1936), the iris flowers; Street, Wolberg and Mangasarian (1993), the breast
       cancer cells; Alpaydin and Kaynak (1998), the 8 by 8 digits; all by way of scikit-learn.

    Examples
    --------
    >>> load("iris")
    Dataset('iris': 112 training samples, 38 held out, 4 features, 3 classes)
    >>> load("iris").classes
    ('setosa', 'versicolor', 'virginica')
    """
    name = one_of("the dataset", name, (*NAMES, *REGRESSIONS))
    if held_out is None:
        held_out = 0.25 if name in _REAL else 0.5
    share = float(finite_number("held_out", held_out, above=0, below=1))
    seed = whole_number("seed", seed, 0, 2**32 - 1)
    with needs("train", "the datasets need NumPy and scikit-learn"):
        import numpy as np
        from sklearn import datasets as library
        from sklearn.model_selection import train_test_split

    if recipe := {**_MADE, **_SURFACES}.get(name):
        features, classes = _PLANE, recipe.classes
        spread = float(finite_number("noise", recipe.noise if noise is None else noise, 0))
        count = _samples(200 if samples is None else samples, len(classes), share)
        X, y = recipe.make(count, spread, seed)
    else:
        if noise is not None:
            raise ArgumentError(f"noise is for generated data; {name} has its own")
        found = getattr(library, f"load_{name}")()
        X, y = found.data, found.target
        features = tuple(str(feature) for feature in found.feature_names)
        classes = tuple(str(kind) for kind in found.target_names)
        if samples is not None:
            count = _samples(samples, len(classes), share)
            most = len(X) - len(classes)  # a rest of fewer has not a sample of every class
            if count > most and count != len(X):
                raise ArgumentError(
                    f"{name} has {len(X)} samples: expected all of them or {most} at most, got "
                    f"samples={shown(count)}"
                )
            if count < len(X):
                X, _, y, _ = train_test_split(X, y, train_size=count, stratify=y, random_state=seed)
    learnt, held = parts(y if classes else None, len(y), share, seed)
    X = np.asarray(X, dtype=float)
    X, X_test, y, y_test = X[learnt], X[held], y[learnt], y[held]
    if name in _REAL:
        mean, spreads = X.mean(axis=0), X.std(axis=0)
        spreads[spreads == 0] = 1.0
        X, X_test = (X - mean) / spreads, (X_test - mean) / spreads
    return Dataset(name, X, y, X_test, y_test, features, classes, name in _REAL)


def parts(classes: Any, samples: int, share: float, seed: int) -> tuple[Any, Any]:
    """Return which samples are learnt and which are held out.

    Parameters
    ----------
    classes : array-like or None
        The class of each sample, of which both parts then hold the same share.
    samples : int
    share : float
        To be held out, above 0 and below 1.
    seed : int

    Examples
    --------
    >>> parts([0, 0, 1, 1], 4, 0.5, seed=0)
    ([1, 2], [3, 0])
    """
    from sklearn.model_selection import train_test_split

    learnt, held = train_test_split(
        range(samples), test_size=share, stratify=classes, random_state=seed
    )
    return learnt, held


def _samples(count: Any, classes: int, share: float) -> int:
    """Return `count`, checked: each side of the split needs a sample of every class."""
    whole = whole_number("samples", count)
    least = math.ceil(2 * max(classes, 1) / min(share, 1 - share))
    if whole < least:
        some = f" for {classes} classes" if classes else ""
        raise ArgumentError(
            f"expected {least} samples or more{some} with {share:g} held out, got {shown(whole)}"
        )
    return whole
