"""Tables of cases: small ones in one test, and those of which a first run takes a few."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def each(
    names: str | tuple[str, ...], table: Iterable[Any], ids: Callable[[Any], object] = repr
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test once for every row of a table, as one item that names all rows that fail.

    It is written as `pytest.mark.parametrize` is, for cases of a millisecond. The rows share the
    test's fixtures, so what a fixture gives must be as good for the second row as for the first.

    Parameters
    ----------
    names : str or tuple of str
        The argument that a row is, or the arguments whose values it holds.
    table : iterable
        The rows.
    ids : callable, optional
        Gives the name of a row.
    """
    several = (names,) if isinstance(names, str) else names
    rows = [(row,) if isinstance(names, str) else tuple(row) for row in table]
    assert rows, "a table without rows proves nothing"

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def all_rows(**fixtures: Any) -> None:
            failed: dict[str, Exception] = {}
            for at, row in enumerate(rows):
                try:
                    test(**fixtures, **dict(zip(several, row, strict=True)))
                except Exception as error:
                    name = ", ".join(str(ids(value)) for value in row)
                    failed[f"row {at} ({name})"] = error
            if failed:
                first = next(iter(failed.values()))
                raise AssertionError(
                    f"{len(failed)} of {len(rows)} rows: {', '.join(failed)}"
                ) from first

        signature = inspect.signature(test)
        left = [value for name, value in signature.parameters.items() if name not in several]
        all_rows.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return all_rows

    return decorate


def mostly_slow(rows: Iterable[Any], fast: int = 1) -> list[Any]:
    """Return rows for `parametrize` of which only the first are tested where slow tests are not."""
    found = list(rows)
    return found[:fast] + [pytest.param(row, marks=pytest.mark.slow) for row in found[fast:]]
