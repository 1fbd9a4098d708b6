"""The samples that a plot shows, checked."""

from __future__ import annotations

from typing import Any, Final

from micrograd.checks import listed
from micrograd.errors import ArgumentError, InputCountError, shown_briefly

__all__ = ["MOST", "drawable", "features_of", "limits_of", "numbers", "pair", "samples_of"]

MOST: Final = 2000  # points along each axis: more than a screen shows
_LARGEST: Final = 1e300  # sums and distances of such numbers are still floats


def features_of(X: Any, features: Any, names: Any) -> tuple[list[str], tuple[int, ...]]:
    """Return the names of all features and the columns of the two that span the plane.

    If X has one feature and `features` is None, that is the only column.
    """
    import numpy as np

    shape = numbers("X", X, None).shape
    only_one = features is None and len(shape) == 2 and shape[1] == 1
    if len(shape) != 2 or (shape[1] < 2 and not only_one):
        raise InputCountError(
            f"expected X of shape (n_samples, n_features), got {shape}: a plane has two features"
        )
    if names is None:
        names = getattr(X, "columns", [f"x{k + 1}" for k in range(shape[1])])
    names = [str(name) for name in listed("names", names)]
    if len(names) != shape[1]:
        raise InputCountError(f"expected names for {shape[1]} features, got {len(names)}")
    if only_one:
        return names, (0,)
    if not isinstance(features, (str, list, tuple, np.ndarray)):
        raise ArgumentError(f"expected features=(i, j), got {features!r:.60}")
    if isinstance(features, str) or len(features) != 2:
        raise InputCountError(f"expected features=(i, j), two of them, got {features!r:.60}")
    columns = []
    for feature in features:
        if isinstance(feature, str) and feature in names:
            columns.append(names.index(feature))
        elif not isinstance(feature, (str, bool)) and feature in range(len(names)):
            columns.append(int(feature))
        else:
            raise ArgumentError(
                f"no feature {feature!r:.60}: expected a number from 0 to {len(names) - 1} or "
                f"one of {', '.join(map(repr, names))[:200]}"
            )
    if columns[0] == columns[1]:
        raise ArgumentError(f"features={features!r:.60}: a plane needs two different ones")
    return names, (columns[0], columns[1])


def samples_of(what: str, X: Any, y: Any, width: int = 2) -> tuple[Any, Any]:
    """Return the samples and their labels as arrays of numbers."""
    import numpy as np

    rows, labels = numbers(what, X), numbers(f"the labels of {what}", y, None)
    if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
        why = ": a plane has two features" if width == 2 else ""
        raise InputCountError(
            f"expected {what} of shape (n_samples, {width}), got {rows.shape}{why}"
        )
    if labels.shape != (len(rows),):
        raise InputCountError(f"{what} has {len(rows)} rows, its labels {labels.shape}")
    if not np.isfinite(rows).all():
        raise ArgumentError(f"{what} holds numbers that are not finite")
    drawable(what, rows)
    if labels.dtype.kind not in "biuf" or not np.isfinite(labels).all():
        raise ArgumentError(
            f"the labels of {what} are {labels.tolist()!r:.60}, expected finite numbers; number "
            "the classes 0, 1, 2, ... and name them with classes="
        )
    return rows, labels


def numbers(name: str, given: Any, kind: type | None = float) -> Any:
    """Return an argument as an array of numbers."""
    import numpy as np

    try:
        return np.asarray(given, dtype=kind)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"expected {name} to be rows of numbers, all of one length, got {shown_briefly(given)}"
        ) from error


def pair(name: str, given: Any) -> list[Any]:
    """Return an argument as a list, checked to hold two things."""
    held = listed(name, given, "two in a tuple")
    if len(held) != 2:
        raise ArgumentError(f"expected {name} to be two in a tuple, got {shown_briefly(given)}")
    return held


def drawable(what: str, points: Any) -> None:
    """Raise an error if a number is so large that distances in the picture would overflow."""
    for number in points.min(initial=0.0), points.max(initial=0.0):
        if abs(number) > _LARGEST:
            raise ArgumentError(
                f"{what} holds {number:g}, which is too large to draw: scale it to about -1 to 1"
            )


def limits_of(points: Any) -> tuple[Any, Any]:
    """Return the lowest and the highest corner of the part of the plane that shows all points."""
    import numpy as np

    drawable("what is to be drawn", points)
    spread = np.ptp(points, axis=0)
    margin = np.where(spread > 0, 0.08 * spread, 1.0)  # a constant feature has a width of 2
    return points.min(axis=0) - margin, points.max(axis=0) + margin
