"""Stepping through back-propagation in a terminal, with keys to move.

>>> from micrograd.engine import Value
>>> from micrograd.stepper import steps
>>> x = Value(3, label="x")
>>> keys = iter(["n", "g x", "q"])
>>> def first_line(text):
...     print(text.splitlines()[0])
>>> walk(steps(x * x), read=lambda prompt: next(keys), write=first_line)
n next · b back · g N or g NAME go to · t table · ? help · q quit
[1/4] Forward 1 of 1
[2/4] Backward 1 of 3
[4/4] Backward 3 of 3
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from micrograd.backward_pass import BROKEN
from micrograd.errors import NotInGraphError
from micrograd.sentences import signed
from micrograd.stepper.stepper import Stepper
from micrograd.style import number_text

__all__ = ["step_text", "table_text", "walk"]

KEYS: Final = "n next · b back · g N or g NAME go to · t table · ? help · q quit"
MEANING: Final = """\
  n, Enter   the next step
  b          one step back
  g 5        go to step 5 (g 1 the first, g -1 the last)
  g NAME     go to the step that completes the gradient of NAME
  t          a table of all values: data, gradient, contributions so far
  q          quit"""


def step_text(stepper: Stepper) -> str:
    """Return the current step as plain text, with a heading line.

    Examples
    --------
    >>> from micrograd.engine import Value
    >>> from micrograd.stepper import steps
    >>> stepper = steps(Value(2, label="x") * 5)
    >>> stepper.go(2) is not None
    True
    >>> print(step_text(stepper))
    [3/4] Backward 2 of 3
      x × 5 passes gradient back to x: upstream +1 times local derivative 5 is +5. Nothing else \
uses x, so x.grad = +5 is final.
      ∂(x × 5)/∂x = 5
    """
    step, forward = stepper.current, stepper.forward_count
    total = len(stepper)
    phase = (
        f"Forward {step.index + 1} of {forward}"
        if step.kind == "forward"
        else f"Backward {step.index + 1 - forward} of {total - forward}"
    )
    lines = [f"[{step.index + 1}/{total}] {phase}", f"  {step.text}"]
    lines += [f"  {text}" for text in (step.rule, step.addition) if text]
    return "\n".join(lines)


def table_text(stepper: Stepper) -> str:
    """Return data and gradient of every value after the current step, as a table."""
    words, rows = stepper.words, [("value", "data", "grad", "")]
    for i, state in enumerate(stepper.snapshot().values()):
        how = state.state
        rows.append(
            (
                words.names[i],
                number_text(stepper.recording.data[i]) if state.evaluated else "–",
                signed(state.grad),
                f"{state.received} of {state.expected}" if how == "partial" else
                "" if how == "untouched" else how,
            )
        )  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "\n".join(
        f"  {row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    )


def walk(
    stepper: Stepper,
    read: Callable[[str], str] = input,
    write: Callable[[str], None] = print,
) -> None:
    """Show the steps, as keys ask for them, until `q` or the end of the input.

    Parameters
    ----------
    stepper : Stepper
    read : callable
        Takes the prompt and returns one line, as `input` does.
    write : callable
        Takes the text to show, as `print` does.
    """
    if stepper.broken:
        write(f"Broken on purpose: {BROKEN[stepper.broken]}")
    write(KEYS)
    write(step_text(stepper))
    while True:
        try:
            line = read("> ").strip()
        except (EOFError, KeyboardInterrupt):
            return
        key, _, where = line.partition(" ")
        if key == "q":
            return
        if key == "?":
            write(MEANING)
        elif key == "t":
            write(table_text(stepper))
        elif key in ("", "n", "b", "g"):
            write(_moved(stepper, key, where.strip()))
        else:
            write(f"{line!r} is not a key here. {KEYS}")


def _moved(stepper: Stepper, key: str, where: str) -> str:
    before = stepper.position
    if key == "g":
        try:
            number = int(where)
        except ValueError:
            number = 0
        if abs(number) > len(stepper):
            return f"there is no step {number}: the steps are 1 to {len(stepper)}"
        try:
            if number:
                stepper.go(number - 1 if number > 0 else number)
            else:
                stepper.find(where)
        except NotInGraphError as error:
            return str(error)
        return step_text(stepper)
    (stepper.back if key == "b" else stepper.forward)()
    if stepper.position == before:
        return "This is the first step." if key == "b" else "This is the last step."
    return step_text(stepper)
