"""One step of a walk, the state of the values after it, and a line of a gradient's ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograd.backward_pass import Row
from micrograd.engine import Value
from micrograd.stepper.sections import Group, Section

if TYPE_CHECKING:
    from micrograd.stepper.stepper import Stepper

__all__ = ["Entry", "NodeState", "Snapshot", "Step"]


class Step:
    """One step: a forward evaluation, the seed, or one application of the chain rule.

    Attributes
    ----------
    index : int
        Position among the steps, from 0.
    kind : {"forward", "seed", "chain"}
    node : Value
        The value that is evaluated, gets the seed, or passes its gradient on.
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
    row : Row
        The step with nodes as positions in `Stepper.nodes`.
    """

    __slots__ = (
        "_stepper", "contribution", "grad_after", "grad_before", "index", "kind", "local", "node",
        "number", "of", "operand", "parent", "row", "turn", "upstream",
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

    @property
    def formula(self) -> str:
        """The formula of the local derivative (forward: of the value; seed: 1)."""
        row, words = self.row, self._stepper.words
        if row.kind == "forward":
            return words.expression(row.node)
        return words.local_formula(row.node, row.operand) if row.kind == "chain" else "1"

    @property
    def rule(self) -> str:
        """Where the local derivative comes from: `h = x × w, so ∂h/∂x = w = -3`."""
        return self._stepper.words.rule(self.row)

    @property
    def text(self) -> str:
        """What happens, in words; the last step also says what the gradients are."""
        stepper = self._stepper
        text = stepper.words.sentence(self.row)
        if self.index == len(stepper) - 1:
            count = len(stepper) - stepper.forward_count
            text += " " + stepper.words.done(count, stepper.gradients)
        return text

    @property
    def section(self) -> Section:
        """The part of the walk that it belongs to: a layer forwards or backwards, or the loss."""
        return self._stepper.stop_at(self.index)[0]

    @property
    def group(self) -> Group:
        """The steps that one press shows at once: one neuron's share, or the loss."""
        return self._stepper.stop_at(self.index)[1]

    @property
    def addition(self) -> str:
        """The sum that a second or later contribution is added to, `+4 - 6 = -2`; else empty."""
        return self._stepper.words.addition(self.row)

    @property
    def latex(self) -> str:
        """The step as a formula, first with symbols, then with numbers."""
        return self._stepper.words.latex(self.row)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def __repr__(self) -> str:
        place = f"Step {self.index + 1} of {len(self._stepper)}"
        return f"<{place}, {self.kind}: {self._stepper.words.sentence(self.row)}>"


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
    """

    value: Value
    evaluated: bool
    grad: Any
    received: int
    expected: int

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


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger: what `through` contributed to a gradient, at step `index`."""

    index: int
    through: Value
    upstream: Any
    local: Any
    contribution: Any
    total: Any
