"""What every walk has; a step of one, the values after it, a line of a gradient's ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from micrograd.backward_pass import Row
from micrograd.checks import whole_number
from micrograd.engine import Value
from micrograd.errors import NoSuchStepError, NotInGraphError, shown, shown_briefly
from micrograd.sentences.updates import Change, UpdateWords
from micrograd.stepper.guess import Question, question_at
from micrograd.stepper.sections import Group, Section

if TYPE_CHECKING:
    from micrograd.stepper.stepper import Stepper

__all__ = ["Entry", "NodeState", "Snapshot", "Step", "Walk", "snapshot_after"]


class Walk:
    """Steps that are numbered from 0 and shown on a page."""

    def __len__(self) -> int:
        raise NotImplementedError

    def _at(self, index: Any) -> int:
        """Return the place of a step; a negative index counts from the end."""
        whole, count = whole_number("the index of a step", index), len(self)
        if not -count <= whole < count:
            last = count - 1
            raise NoSuchStepError(f"there is no step {shown(whole)}: the steps are 0 to {last}")
        return whole % count

    # The page imports this module, so it is imported only when the steps are to be shown; stepping
    # itself does not need it.

    def to_html(self, path: str | Path, title: str | None = None) -> Path:
        """Write the steps as one HTML page that works offline, and return its path.

        Parameters
        ----------
        path : str or Path
        title : str, optional
            By default the expression.

        Raises
        ------
        TooLargeError
            If the graph has more values than a page can show.
        """
        from micrograd.stepper import page

        return page.to_html(cast("Any", self), path, title)

    def page(self, height: int = 860) -> Any:
        """Return the page in a frame, which keeps working in a saved notebook without a kernel.

        Parameters
        ----------
        height : int, default 860
            Of the frame, in pixels.

        Raises
        ------
        ArgumentError
            If the height is not a whole number of 1 or more. Also a ValueError.
        TooLargeError
            If the graph has more values than a page can show.
        """
        from micrograd.stepper import page

        return page.Frame(cast("Any", self), height)


class Step:
    """One step: a forward evaluation, the seed, one application of the chain rule, or an update.

    Attributes
    ----------
    index : int
        Position among the steps, from 0.
    kind : {"forward", "seed", "chain", "update"}
    node : Value
        The value that is evaluated, gets the seed, passes its gradient on, or is updated.
    parent : Value or None
        The operand of `node` that receives the contribution.
    operand : int or None
        Which operand that is: `x * x` has the parent `x` twice.
    upstream, local, contribution : number or None
        `node.grad`, d(node)/d(parent), and their product. `local` is also None where the
        derivative does not exist and is not needed, because no gradient arrives.
    grad_before, grad_after : number or None
        `parent.grad` (at the seed `node.grad`) before and after the step.
    number, of : int or None
        This is contribution `number` of the `of` that the parent gets.
    turn : int
        Index of the pass: 0 forward, 1 backward, 2 a second backward pass.
    change : Change or None
        What an update makes of the parameter `node`: its numbers before and after, the learning
        rate, the optimizer's buffers.
    row : Row
        The step with nodes as positions in `Stepper.nodes`.
    """

    __slots__ = (
        "_stepper", "change", "contribution", "grad_after", "grad_before", "index", "kind", "local",
        "node", "number", "of", "operand", "parent", "row", "turn", "upstream",
    )  # fmt: skip

    def __init__(self, stepper: Stepper, row: Row, index: int) -> None:
        is_chain = row.kind == "chain"
        self._stepper, self.row, self.index = stepper, row, index
        self.kind, self.turn = row.kind, row.turn
        self.node = stepper.nodes[row.node]
        self.parent: Value | None = stepper.nodes[row.parent] if is_chain else None
        self.operand: int | None = row.operand if is_chain else None
        self.upstream, self.local, self.contribution = row.upstream, row.local, row.contribution
        self.grad_before, self.grad_after = row.before, row.after
        self.number: int | None = row.number or None
        self.of: int | None = row.of or None
        is_update = row.kind == "update"
        self.change: Change | None = stepper.changes[row.number - 1] if is_update else None

    @property
    def formula(self) -> str:
        """The formula of the local derivative; forward, of the value; of an update, its rule."""
        row, words = self.row, self._stepper.words
        if self.change:
            return UpdateWords(words).formula(self.change)
        if row.kind == "forward":
            return words.expression(row.node)
        return words.local_formula(row.node, row.operand) if row.kind == "chain" else "1"

    @property
    def rule(self) -> str:
        """Where the local derivative comes from: `h = x × w, so ∂h/∂x = w = -3`.

        At an update, the optimizer and its numbers: `SGD, lr = 0.5`.
        """
        words = self._stepper.words
        return UpdateWords(words).settings(self.change) if self.change else words.rule(self.row)

    @property
    def sentence(self) -> str:
        """What happens in this step alone, in words."""
        words = self._stepper.words
        if self.change:
            return UpdateWords(words).sentence(self.change)
        return words.sentence(self.row)

    @property
    def text(self) -> str:
        """What happens, in words; the last step also says what the gradients are.

        The last update says what it does to the root.
        """
        stepper, count = self._stepper, len(self._stepper) - len(self._stepper.changes)
        text = self.sentence
        if self.index == count - 1:
            text += " " + stepper.words.done(count - stepper.forward_count, stepper.gradients)
        elif self.index == len(stepper) - 1:
            text += " " + stepper.updated
        return text

    @property
    def question(self) -> Question | None:
        """What `guess=True` asks here; None at what is no chain step with finite numbers.

        Examples
        --------
        >>> from micrograd import steps
        >>> x = Value(3.0, label="x")
        >>> steps(x * x)[-1].question
        <Question of step 4: x × x passes gradient back to x. So far x.grad is +3. What is it now?>
        >>> steps(x * x)[-1].question.check("3")
        (False, 'Not right. That is what arrives now. It is added to what is there: +=.')
        """
        return question_at(self._stepper, self.index)

    @property
    def section(self) -> Section:
        """The part of the walk that it belongs to: a layer forwards or backwards, or the loss."""
        return self._stepper.stop_at(self.index)[0]

    @property
    def group(self) -> Group:
        """The steps that one press shows at once: those of one neuron, or of the loss."""
        return self._stepper.stop_at(self.index)[1]

    @property
    def addition(self) -> str:
        """The sum that a second or later contribution is added to, `+4 - 6 = -2`; else empty."""
        return self._stepper.words.addition(self.row)

    @property
    def latex(self) -> str:
        """The step as a formula, first with symbols, then with numbers."""
        words = self._stepper.words
        return UpdateWords(words).latex(self.change) if self.change else words.latex(self.row)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def __repr__(self) -> str:
        place = f"Step {self.index + 1} of {len(self._stepper)}"
        return f"<{place}, {self.kind}: {self.sentence}>"


@dataclass(frozen=True, slots=True)
class NodeState:
    """What is known about one value after a step.

    Attributes
    ----------
    value : Value
    evaluated : bool
        Whether its data is computed already.
    grad : number or None
        None before its first contribution.
    received, expected : int
        How many contributions it has got, and how many it gets in the whole pass.
    updated : number or None
        What an update has made of its data; None before.
    """

    value: Value
    evaluated: bool
    grad: Any
    received: int
    expected: int
    updated: Any = None

    @property
    def state(self) -> str:
        """`"untouched"`, `"partial"` or `"final"`."""
        if self.received == 0:
            return "untouched"
        return "final" if self.received == self.expected else "partial"


class Snapshot(Mapping[Value, NodeState]):
    """The state of every value after step `index`: `snapshot[value]`, in topological order."""

    def __init__(self, index: int, states: dict[Value, NodeState]) -> None:
        self.index = index
        self._states = states

    def __getitem__(self, value: Value) -> NodeState:
        if not isinstance(value, Value) or value not in self._states:
            raise NotInGraphError(f"{shown_briefly(value)} is not in this graph")
        return self._states[value]

    def __iter__(self) -> Iterator[Value]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def _in_state(self, state: str) -> list[Value]:
        return [value for value, found in self._states.items() if found.state == state]

    @property
    def final(self) -> list[Value]:
        """The values whose gradient is complete."""
        return self._in_state("final")

    @property
    def partial(self) -> list[Value]:
        """The values that have some of their contributions."""
        return self._in_state("partial")

    @property
    def untouched(self) -> list[Value]:
        """The values that no gradient has reached."""
        return self._in_state("untouched")

    @property
    def grads(self) -> dict[Value, Any]:
        """The gradient of each value so far, None before its first contribution."""
        return {value: found.grad for value, found in self._states.items()}

    def __repr__(self) -> str:
        return (
            f"<Snapshot after step {self.index + 1}: {len(self.final)} final, "
            f"{len(self.partial)} partial, {len(self.untouched)} untouched>"
        )


def snapshot_after(stepper: Stepper, index: int) -> Snapshot:
    """Return what is known about every value of a stepper after a step."""
    parents = stepper.recording.parents
    evaluated = [not operands for operands in parents]
    grads: list[Any] = [None] * len(stepper.nodes)
    received = [0] * len(stepper.nodes)
    turn = 0
    for row in stepper.rows[: index + 1]:
        if row.kind == "forward":
            evaluated[row.node] = True
            continue
        if row.kind == "update":
            continue
        if row.kind == "seed":
            turn = row.turn
            received = [0] * len(stepper.nodes)
            grads = [
                None if operands else grad for operands, grad in zip(parents, grads, strict=True)
            ]
        target = row.node if row.kind == "seed" else row.parent
        grads[target] = row.after
        received[target] = row.number
    expected = stepper.expected.get(max(turn, 1), {})
    updates = stepper.changes[: max(0, index + 1 - len(stepper.pass_rows))]
    new = {change.node: change.after for change in updates}
    states = {
        node: NodeState(node, evaluated[i], grads[i], received[i], expected.get(i, 0), new.get(i))
        for i, node in enumerate(stepper.nodes)
    }
    return Snapshot(index, states)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger: what `through` contributed to a gradient, at step `index`."""

    index: int
    through: Value
    upstream: Any
    local: Any
    contribution: Any
    total: Any
