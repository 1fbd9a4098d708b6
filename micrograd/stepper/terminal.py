"""Stepping through back-propagation in a terminal, with keys to move.

>>> from micrograd.engine import Value
>>> from micrograd.stepper import steps
>>> x = Value(3, label="x")
>>> keys = iter(["n", "g x", "q"])
>>> def first_line(text):
...     print(text.splitlines()[0])
>>> walk(steps(x * x), read=lambda prompt: next(keys), write=first_line)
n next · b back · g N or g NAME go to · v graph · t table · ? help · q quit
[1/4] Forward 1 of 1
[2/4] Backward 1 of 3
[4/4] Backward 3 of 3
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from micrograd.backward_pass import BROKEN
from micrograd.errors import NotInGraphError
from micrograd.sentences import signed
from micrograd.stepper.guess import Question, score
from micrograd.stepper.screen import MARK, Screen, cells
from micrograd.stepper.step import NodeState
from micrograd.stepper.stepper import Stepper
from micrograd.style import number_text, short

__all__ = ["graph_text", "question_text", "step_text", "table_text", "walk"]

KEYS: Final = "n next · b back · g N or g NAME go to · v graph · t table · ? help · q quit"
MEANING: Final = """\
  n, Enter   the next step
  b          one step back
  s, S       the next section, the section before
  o          a neuron at once, or each of its steps
  g 5        go to step 5 (g 1 the first, g -1 the last)
  g NAME     go to the step that completes the gradient of NAME
  v          the graph, with what is known so far
  t          a table of all values: data, gradient, contributions so far
  q          quit"""
_GUESS_KEYS: Final = "type the number, and Enter · n pass on · a the answer, after a try"
_GUESS_MEANING: Final = """\
  -0.5       your guess of the number that is asked for; 1 % off is right
  a          the answer, after the first guess
"""
_HINT: Final = "→ next · ← back · {}g go to · t table · ? help · q quit"
_OF_NETWORK: Final = "s section · o open · "
_MEANT: Final = {
    "right": "n", "down": "n", "space": "n", "enter": "n", "left": "b", "up": "b", "home": "g 1",
    "end": "g -1", "page down": "s", "page up": "S", "esc": "q", "h": "?",
}  # fmt: skip
_TREE: Final = 16  # lines of a graph; of a larger one only what the step is about is drawn
_BESIDE: Final = 6  # operands drawn of one value


def step_text(stepper: Stepper, closed: bool = False) -> str:
    """Return the current step as plain text, with a heading line.

    Parameters
    ----------
    stepper : Stepper
    closed : bool, default False
        Of a network, show all steps of the neuron as one.

    Examples
    --------
    >>> from micrograd.engine import Value
    >>> from micrograd.stepper import steps
    >>> stepper = steps(Value(2, label="x") * 5)
    >>> stepper.go(2) is not None
    True
    >>> print(step_text(stepper))
    [3/4] Backward 2 of 3
      x × 5 passes gradient back to x: upstream +1 times local derivative 5 is +5. That is all \
that x gets: final.
      ∂(x × 5)/∂x = 5
    """
    step, total = stepper.current, len(stepper)
    section = step.section
    first, last = section.groups[0].first, section.groups[-1].last
    phase = section.phase.capitalize()
    if stepper.network is not None and section.name != section.phase:
        phase += f", {section.name}:"
    phase += f" {step.index + 1 - first} of {last + 1 - first}"
    lines = [f"[{step.index + 1}/{total}] {phase}"]
    if closed:
        return "\n".join([*lines, f"  {step.group.text}"])
    lines += [f"  {text}" for text in (step.text, step.rule, step.addition) if text]
    return "\n".join(lines)


def question_text(stepper: Stepper, local: bool = False) -> str:
    """Return the current step as a question, without what it gives.

    Parameters
    ----------
    stepper : Stepper
    local : bool, default False
        Ask for the local derivative as well.

    Examples
    --------
    >>> from micrograd.engine import Value
    >>> from micrograd.stepper import steps
    >>> stepper = steps(Value(2, label="x") * 5, guess=True)
    >>> stepper.position = 2
    >>> print(question_text(stepper))
    [3/4] Backward 2 of 3
      x × 5 passes gradient back to x. What is x.grad now?
      upstream +1 × local derivative 5 = ?
    """
    step = stepper.current
    question = step.question
    heading = step_text(stepper).split("\n", 1)[0]
    if question is None:
        return heading
    before = f"{signed(step.grad_before)} + " if step.grad_before else ""
    known = "?" if local else number_text(step.local)
    factors = f"upstream {signed(step.upstream)} × local derivative {known}"
    return f"{heading}\n  {question.text}\n  {before}{factors} = ?"


def table_text(stepper: Stepper, asked: bool = False) -> str:
    """Return data and gradient of every value after the current step, as a table.

    Parameters
    ----------
    stepper : Stepper
    asked : bool, default False
        Leave out what the step gives, which is asked for.
    """
    names = stepper.words.names
    return _table([_row(stepper, i, names[i], *known) for i, known in _known(stepper, asked)])


def graph_text(stepper: Stepper, asked: bool = False) -> str:
    """Return the graph as a tree, each result above its operands, with what is known so far.

    The value that the current step is about is marked. Of a large graph only that value is drawn,
    with the one that the gradient comes from, and its operands.

    Parameters
    ----------
    stepper : Stepper
    asked : bool, default False
        Leave out what the step gives, which is asked for.

    Examples
    --------
    >>> from micrograd.engine import Value
    >>> from micrograd.stepper import steps
    >>> x, w = Value(2, label="x"), Value(-3, label="w")
    >>> stepper = steps((x * w).relu())
    >>> stepper.position = 3
    >>> print(graph_text(stepper))
      value             data  grad
      relu(x × w)          0    +1  final
    ▶ └─ x × w            -6     0  final
         ├─ x              2     –
         └─ w             -3     –
    """
    row = stepper.current.row
    target = row.parent if row.kind == "chain" else row.node
    root, depth = len(stepper.nodes) - 1, _TREE
    tree = _tree(stepper, root, depth)
    if len(tree) > _TREE:
        below = stepper.recording.parents[row.node]
        tree = _tree(stepper, row.node, 2 if len(below) == 1 else 1)  # an activation and its sum
    names, states = stepper.words.names, dict(_known(stepper, asked))
    rows = []
    for branch, i in tree:
        if i is None:
            rows.append(("  " + branch, "", "", ""))
            continue
        gutter = f"{MARK} " if i == target else "  "
        rows.append(_row(stepper, i, gutter + branch + short(names[i], 24), *states[i]))
    return _table(rows, start="  value")


def _tree(stepper: Stepper, root: int, depth: int) -> list[tuple[str, int | None]]:
    """Return the lines of a tree: what stands in front, and the value; its operands follow.

    A result that is drawn already stands without its operands.
    """
    lines: list[tuple[str, int | None]] = []
    parents, drawn = stepper.recording.parents, set[int]()

    stack: list[tuple[str, str, int, int | None]] = [("", "", 0, root)]
    while stack and len(lines) <= _TREE:
        branch, below, level, i = stack.pop()
        if i is None:
            lines.append((branch, None))
            continue
        lines.append((branch, i))
        if i in drawn or level == depth:
            continue
        drawn.add(i)
        operands: list[int | None] = list(dict.fromkeys(parents[i]))
        more = len(operands) - _BESIDE
        children = operands[:_BESIDE] + [None] * (more > 0)
        for k, child in reversed(list(enumerate(children))):
            ends = k == len(children) - 1
            text = f"… {more} more" if child is None else ""
            bend, bar = ("└─ ", "   ") if ends else ("├─ ", "│  ")
            stack.append((below + bend + text, below + bar, level + 1, child))
    return lines


def _known(stepper: Stepper, asked: bool) -> list[tuple[int, tuple[NodeState, str]]]:
    """Return what is known of each value, and its gradient as text: "?" where it is asked for."""
    row = stepper.current.row
    snapshot = stepper.snapshot(stepper.position - asked)
    return [
        (i, (state, "?" if asked and i == row.parent else signed(state.grad)))
        for i, state in enumerate(snapshot.values())
    ]


def _row(
    stepper: Stepper, i: int, name: str, state: NodeState, grad: str
) -> tuple[str, str, str, str]:
    how = state.state
    return (
        name,
        _data(stepper.recording.data[i], state),
        grad,
        f"{state.received} of {state.expected}" if how == "partial" else
        "" if how == "untouched" else how,
    )  # fmt: skip


def _data(data: Any, state: NodeState) -> str:
    """Return the number of a value; after its update, the old and the new one."""
    if not state.evaluated:
        return "–"
    new = "" if state.updated is None else f" → {number_text(state.updated)}"
    return number_text(data) + new


def _table(rows: Sequence[tuple[str, str, str, str]], start: str = "value") -> str:
    rows = [(start, "data", "grad", ""), *rows]
    indent = "" if start != "value" else "  "
    widths = [max(cells(row[i]) for row in rows) for i in range(3)]
    return "\n".join(
        f"{indent}{row[0]}{' ' * (widths[0] - cells(row[0]))}  {row[1]:>{widths[1]}}  "
        f"{row[2]:>{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    )


def walk(
    stepper: Stepper,
    read: Callable[[str], str] | None = None,
    write: Callable[[str], None] | None = None,
) -> None:
    """Show the steps, as keys ask for them, until `q` or the end of the input.

    In a terminal a key acts at once, arrow keys too, and the graph stands above the step; elsewhere
    each key is a line. In the graph of a network a step is a whole neuron, until `o` opens it. With
    `steps(..., guess=True)` the number of a chain step is asked for before it is shown.

    Parameters
    ----------
    stepper : Stepper
    read : callable, optional
        Takes the prompt and returns one line, as `input` does. By default single keys of the
        terminal, or `input` where there is none.
    write : callable, optional
        Takes the text to show, as `print` does. By default the terminal, with its width and its
        colours.
    """
    with Screen() as screen, suppress(EOFError, KeyboardInterrupt):
        if read is None and write is None and screen.is_terminal:
            _walk_by_keys(stepper, screen)
        else:
            _walk_by_lines(stepper, read or screen.ask, write or screen.write)


def _walk_by_lines(
    stepper: Stepper, read: Callable[[str], str], write: Callable[[str], None]
) -> None:
    walker = _Walk(stepper)
    if stepper.broken:
        write(f"Broken on purpose: {BROKEN[stepper.broken]}")
    write(KEYS)
    if stepper.guess:
        write(_GUESS_KEYS)
    write(walker.text())
    while (line := read("> ").strip()) != "q":
        write(walker.obey(line) or walker.text())
    if walker.answers:
        write(score(walker.answers))


def _walk_by_keys(stepper: Stepper, screen: Screen) -> None:
    walker, answer = _Walk(stepper), ""
    hint = _HINT.format(_OF_NETWORK if stepper.network else "")
    if stepper.broken:
        screen.write(f"Broken on purpose: {BROKEN[stepper.broken]}")
    while True:
        shown = answer or walker.text()
        asked = walker.question() is not None
        keys = _GUESS_KEYS if asked else hint
        screen.write(f"{graph_text(stepper, asked)}\n\n{shown}\n\n{keys}", replace=True)
        line = screen.ask("> ").strip() if asked else _command(screen)
        if line == "q":
            break
        answer = walker.obey(line)
    if walker.answers:
        screen.write(score(walker.answers))


def _command(screen: Screen) -> str:
    """Return the command that the next key stands for, and what is to be typed after it."""
    pressed = screen.key()
    command = _MEANT.get(pressed, pressed)
    return f"g {screen.ask('go to step or name: ')}" if command == "g" else command


class _Walk:
    """Where a walk is, and whether it takes all steps of a neuron at once."""

    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper
        self.closed = stepper.network is not None and not stepper.guess
        self.answers: list[dict[str, Any]] = []
        self.known: set[int] = set()  # the steps whose number has been found, or shown
        self.known_locals: set[int] = set()
        if self.closed:
            stepper.go(stepper.current.group.last)

    def question(self) -> Question | None:
        """Return what is asked at the present step; None where nothing is, or no longer."""
        step = self.stepper.current
        is_open = self.stepper.guess and not self.closed and step.index not in self.known
        return step.question if is_open else None

    def text(self) -> str:
        """Return what the present step shows."""
        if self.question() is not None:
            return question_text(self.stepper, self._asks_local())
        return step_text(self.stepper, self.closed)

    def _asks_local(self) -> bool:
        return self.stepper.guess == 2 and self.stepper.position not in self.known_locals

    def _told(self, question: Question, answer: str) -> str:
        """Return what is said of an answer, and the step as it is now known."""
        is_right, sentence = question.check(answer)
        said = sentence
        if self._asks_local() and not is_right:
            is_local, said = question.check(answer, local=True)
            if is_local:
                self.known_locals.add(question.index)
                return (
                    f"{said} The local derivative is {number_text(question.local)}.\n{self.text()}"
                )
        if is_right is None:
            return sentence
        self.answers.append(question.row(answer))
        if is_right:
            self.known.add(question.index)
            return f"{sentence}\n{self.text()}"
        return said

    def obey(self, line: str) -> str:
        """Do what a line asks for; return the answer, "" for the step that it led to."""
        command, _, where = line.partition(" ")
        stepper, before = self.stepper, self.stepper.position
        if command == "?":
            return (_GUESS_MEANING if stepper.guess else "") + MEANING
        question = self.question()
        if command == "t":
            return table_text(stepper, question is not None)
        if command == "v":
            return graph_text(stepper, question is not None)
        if question is not None and command == "a":
            if not any(answer["step"] == question.index + 1 for answer in self.answers):
                return "Guess once; then the answer is shown."
            self.known.add(question.index)
            return ""
        if command == "o":
            if stepper.network is None:
                return "There is no neuron to open: each step is shown."
            self.closed = not self.closed
            stepper.go(stepper.current.group.last if self.closed else stepper.current.group.first)
            return ""
        if command == "g":
            return self._gone(where.strip())
        if command in ("s", "S"):
            self._by_section(1 if command == "s" else -1)
        elif command in ("", "n"):
            self._go(stepper.position + 1)
        elif command == "b":
            first = stepper.current.group.first if self.closed else stepper.position
            self._go(first - 1)
        elif question is not None:
            return self._told(question, line)
        else:
            return f"{line!r} is not a key here. {KEYS}"
        if stepper.position == before:
            return "This is the first step." if command in ("b", "S") else "This is the last step."
        return ""

    def _go(self, index: int) -> None:
        index = min(max(index, 0), len(self.stepper) - 1)
        self.stepper.go(index)
        if self.closed:
            self.stepper.go(self.stepper.current.group.last)

    def _by_section(self, way: int) -> None:
        groups = self.stepper.current.section.groups
        at_start = self.stepper.position == (groups[0].last if self.closed else groups[0].first)
        self._go(groups[-1].last + 1 if way > 0 else groups[0].first)
        if way < 0 and at_start:
            self._go(groups[0].first - 1)
            self._go(self.stepper.current.section.groups[0].first)

    def _gone(self, where: str) -> str:
        try:
            number = int(where)
        except ValueError:
            number = 0
        count = len(self.stepper)
        if abs(number) > count:
            return f"there is no step {number}: the steps are 1 to {count}"
        try:
            if number:
                self._go(number - 1 if number > 0 else count + number)
            else:
                self.stepper.find(where)
                self._go(self.stepper.position)
        except NotInGraphError as error:
            return str(error)
        return ""
