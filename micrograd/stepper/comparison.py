"""Two walks step by step, side by side: right and broken, before and after an update.

>>> from micrograd import Value, compare, steps
>>> a = Value(3.0, label="a")
>>> b = a * a
>>> print(compare(steps(b), steps(b, broken="assign")))
right | broken: = instead of +=
Step 4: right +6, broken +3. Overwritten instead of added: +3 is lost.
1 of 4 numbers differs at the end:
        right  broken  difference
a.grad     +6      +3          -3
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from micrograd.backward_pass import BROKEN, Row, is_same
from micrograd.engine import Value
from micrograd.errors import ArgumentError, ArgumentTypeError, shown_briefly
from micrograd.sentences import Words, signed
from micrograd.sentences.comparing import agree, compared
from micrograd.stepper.step import Walk
from micrograd.stepper.stepper import Stepper, steps
from micrograd.style import number_text

__all__ = ["Comparison", "Difference", "compare"]


class Difference(NamedTuple):
    """A number that differs: what it is called, both numbers, and the second minus the first."""

    name: str
    first: Any
    second: Any
    difference: Any


class _Number(NamedTuple):
    """A number of both walks, and what writes it."""

    name: str
    first: Any
    second: Any
    write: Callable[[Any], str]


def _unlike(numbers: list[_Number]) -> list[tuple[Difference, Callable[[Any], str]]]:
    """Return the numbers that differ, each with what writes it."""
    return [
        (Difference(name, first, second, second - first), write)
        for name, first, second, write in numbers
        if not is_same(first, second)
    ]


class Comparison(Walk):
    """Two walks over graphs of equal shape, which step together; made by `compare`.

    Attributes
    ----------
    steppers : (Stepper, Stepper)
    names : (str, str)
        What the two are called, such as `right` and `broken`.
    """

    def __init__(self, first: Stepper, second: Stepper, names: tuple[str, str]) -> None:
        self.steppers, self.names = (first, second), names

    def __len__(self) -> int:
        return max(map(len, self.steppers))

    @property
    def heads(self) -> tuple[str, str]:
        """The names, with the rule that a walk breaks on purpose."""
        first, second = (
            f"{name}: {BROKEN[stepper.broken]}" if stepper.broken else name
            for name, stepper in zip(self.names, self.steppers, strict=True)
        )
        return first, second

    def text(self, index: int) -> str:
        """Return what a step does in both walks, in words.

        Raises
        ------
        NoSuchStepError
            If neither walk has such a step. Also an IndexError.

        Examples
        --------
        >>> a = Value(3.0, label="a")
        >>> compare(steps(a * a), steps(a * a, broken="assign")).text(-1)
        'Step 4: right +6, broken +3. Overwritten instead of added: +3 is lost.'
        """
        return compared(self._at(index), self.names, self._walks)

    @cached_property
    def _walks(self) -> tuple[tuple[Words, list[Row]], ...]:
        """The words and the steps of both."""
        return tuple(
            (
                stepper.words,
                [
                    row._replace(after=change.after) if (change := stepper.change_at(k)) else row
                    for k, row in enumerate(stepper.rows)
                ],
            )
            for stepper in self.steppers
        )

    def differences(self, index: int = -1) -> list[Difference]:
        """Return the values and the gradients that differ after a step, by default the last.

        Examples
        --------
        >>> a = Value(3.0, label="a")
        >>> for found in compare(steps(a * a), steps(a * a, broken="assign")).differences():
        ...     print(found)
        Difference(name='a.grad', first=6.0, second=3.0, difference=-3.0)
        """
        return [found for found, _ in _unlike(self._numbers(self._at(index)))]

    def _numbers(self, index: int) -> list[_Number]:
        """Return every number that both walks have after a step, with its name."""
        shots = [stepper.snapshot(min(index, len(stepper) - 1)) for stepper in self.steppers]
        states = [[*shot.values()] for shot in shots]
        words = self.steppers[0].words
        names = words.names
        data = [stepper.recording.data for stepper in self.steppers]
        found = []
        for i, (left, right) in enumerate(zip(*states, strict=True)):
            if left.evaluated and right.evaluated:
                found.append(_Number(names[i], data[0][i], data[1][i], number_text))
            if left.grad is not None and right.grad is not None:
                found.append(_Number(words.gradient_of(i), left.grad, right.grad, signed))
            if left.updated is not None and right.updated is not None:
                name = f"{names[i]}, updated"
                found.append(_Number(name, left.updated, right.updated, number_text))
        return found

    def __str__(self) -> str:
        lines = [" | ".join(self.heads)]
        last = len(self) - 1
        all_numbers = self._numbers(last)
        apart = _unlike(all_numbers)
        if not apart:
            return f"{lines[0]}\nAll {len(all_numbers)} numbers are the same."
        unlike = (k for k in range(len(self)) if not agree(k, self._walks))
        lines += map(self.text, islice(unlike, 1))  # none where only leaves differ
        verb = "differs" if len(apart) == 1 else "differ"
        lines.append(f"{len(apart)} of {len(all_numbers)} numbers {verb} at the end:")
        table = [("", *self.names, "difference")]
        for (name, left, right, between), write in apart:
            table.append((name, write(left), write(right), signed(between)))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for name, *cells in table:
            row = [f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)]
            lines.append("  ".join([f"{name:<{widths[0]}}", *row]))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Comparison of {' | '.join(self.heads)}: {len(self)} steps>"

    def _repr_html_(self) -> str:
        return str(self.page()._repr_html_())


def compare(
    first: Value | Stepper, second: Value | Stepper, *, names: tuple[str, str] | None = None
) -> Comparison:
    """Compare two walks over graphs of equal shape, step by step.

    Parameters
    ----------
    first, second : Value or Stepper
        Roots, or steps from `steps`: one right and one broken; one from before an update and one
        from after it; a network with relu and the same one with tanh.
    names : (str, str), optional
        What the two are called. By default what they differ in: `right` and `broken`, the two
        operations, or `before` and `after`.

    Returns
    -------
    Comparison
        In a notebook, the last line of a cell shows it; `print` lists the numbers that differ.

    Raises
    ------
    ArgumentError
        If the graphs differ in shape; the message says where. Also if there are not two names.
    ArgumentTypeError
        If one of them is neither a Value nor steps.

    Examples
    --------
    >>> from micrograd.optim import SGD
    >>> w = Value(3.0, label="w")
    >>> loss = w * w
    >>> before = steps(loss)
    >>> loss.backward()
    >>> SGD([w], lr=0.25).step()
    >>> print(compare(before, loss.forward()))
    before | after
    Step 1: before 9, after 2.25.
    3 of 4 numbers differ at the end:
            before  after  difference
    w            3    1.5        -1.5
    w.grad      +6     +3          -3
    w × w        9   2.25       -6.75
    """
    walks = []
    for given in (first, second):
        if not isinstance(given, (Value, Stepper)):
            raise ArgumentTypeError(
                f"expected a Value or steps to compare, got {shown_briefly(given)}"
            )
        walks.append(steps(given) if isinstance(given, Value) else given)
    _of_equal_shape(*walks)
    if names is None:
        names = _differ_in(*walks)
    elif not isinstance(names, tuple | list) or len(names) != 2:
        raise ArgumentError(f"expected names to be two names, got {shown_briefly(names)}")
    return Comparison(walks[0], walks[1], (str(names[0]), str(names[1])))


def _of_equal_shape(first: Stepper, second: Stepper) -> None:
    parents, others = first.recording.parents, second.recording.parents
    if parents == others:
        return
    i = next(
        (k for k, pair in enumerate(zip(parents, others)) if pair[0] != pair[1]),  # noqa: B905
        min(len(parents), len(others)) - 1,
    )
    raise ArgumentError(
        "expected two graphs of equal shape, as before and after an update: the first has "
        f"{len(parents)} values and the second {len(others)}, and they part at "
        f"{_described(first, i)}, {_described(second, i)}"
    )


def _described(stepper: Stepper, i: int) -> str:
    operands = [stepper.words.names[p] for p in stepper.recording.parents[i]]
    made = f"{stepper.nodes[i].op.name} of {', '.join(operands)}" if operands else "a leaf"
    return f"{stepper.words.names[i]} ({made})"


def _differ_in(first: Stepper, second: Stepper) -> tuple[str, str]:
    if first.broken != second.broken:
        if first.broken and second.broken:
            return first.broken, second.broken
        return ("broken", "right") if first.broken else ("right", "broken")
    pairs = {
        (a.op.name, b.op.name)
        for a, b in zip(first.nodes, second.nodes, strict=True)
        if a.parents and a.op is not b.op
    }
    if len(pairs) == 1:
        return next(iter(pairs))
    moved = not all(map(is_same, first.recording.data, second.recording.data))
    return ("before", "after") if moved and not pairs else ("first", "second")
