"""One step of a walk, the state of the values after it, and a line of a gradient's ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograd.backward_pass import Row
from micrograd.engine import Value

if TYPE_CHECKING:
    from micrograd.stepper.stepper import Stepper

__all__ = ["Entry", "NodeState", "Snapshot", "Step"]


class Step:
    """One step: a forward evaluation, the seed, or one application of the chain rule.

    Attributes
    ----------
    index : int
        Position in the sequence, from 0.
    kind : {"forward", "seed", "chain"}
    node : Value
        What is evaluated, seeded, or passes its gradient on.
    parent : Value or None
        The operand of `node` that receives.
    operand : int or None
        Which operand that is: `x * x` has the parent `x` twice.
    upstream, local, contribution : number or None
        `node.grad`, d(node)/d(parent), and their product. `local` is also None where it does not
        exist and no gradient arrives that needs it.
    grad_before, grad_after : number or None
        `parent.grad` (at the seed `node.grad`) before and after the step.
    number, of : int or None
        This is contribution `number` of the `of` that the parent gets.
    turn : int
        The pass: 0 forward, 1 backward, 2 a second one.
    """

    __slots__ = ("_row", "_stepper", "index")

    def __init__(self, stepper: Stepper, row: Row, index: int) -> None:
        self._stepper = stepper
        self._row = row
        self.index = index

    @property
    def kind(self) -> str:  # noqa: D102 - documented on the class, as all of these are
        return self._row.kind

    @property
    def node(self) -> Value:  # noqa: D102
        return self._stepper.nodes[self._row.node]

    @property
    def parent(self) -> Value | None:  # noqa: D102
        return self._stepper.nodes[self._row.parent] if self.kind == "chain" else None

    @property
    def operand(self) -> int | None:  # noqa: D102
        return self._row.operand if self.kind == "chain" else None

    @property
    def upstream(self) -> Any:  # noqa: D102
        return self._row.upstream

    @property
    def local(self) -> Any:  # noqa: D102
        return self._row.local

    @property
    def contribution(self) -> Any:  # noqa: D102
        return self._row.contribution

    @property
    def grad_before(self) -> Any:  # noqa: D102
        return self._row.before

    @property
    def grad_after(self) -> Any:  # noqa: D102
        return self._row.after

    @property
    def number(self) -> int | None:  # noqa: D102
        return self._row.number or None

    @property
    def of(self) -> int | None:  # noqa: D102
        return self._row.of or None

    @property
    def turn(self) -> int:  # noqa: D102
        return self._row.turn

    @property
    def row(self) -> Row:
        """The step with nodes as positions in `Stepper.nodes`."""
        return self._row

    @property
    def formula(self) -> str:
        """The formula of the local derivative (forward: of the value; seed: 1)."""
        row, words = self._row, self._stepper.words
        if row.kind == "forward":
            return words.expression(row.node)
        return words.local_formula(row.node, row.operand) if row.kind == "chain" else "1"

    @property
    def rule(self) -> str:
        """Where the local derivative comes from: `h = x × w, so ∂h/∂x = w = -3`."""
        return self._stepper.words.rule(self._row)

    @property
    def text(self) -> str:
        """What happens, in words; the last step also says what came of it all."""
        stepper = self._stepper
        text = stepper.words.sentence(self._row)
        if self.index == len(stepper) - 1:
            count = len(stepper) - stepper.forward_count
            text += " " + stepper.words.done(count, stepper.gradients)
        return text

    @property
    def addition(self) -> str:
        """The running sum of a second or later contribution, `+4 - 6 = -2`; else empty."""
        return self._stepper.words.addition(self._row)

    @property
    def latex(self) -> str:
        """The step as a formula, with symbols and with numbers put in."""
        return self._stepper.words.latex(self._row)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def __repr__(self) -> str:
        place = f"Step {self.index + 1} of {len(self._stepper)}"
        return f"<{place}, {self.kind}: {self._stepper.words.sentence(self._row)}>"


@dataclass(frozen=True, slots=True)
class NodeState:
    """What is known of one value after a step.

    Attributes
    ----------
    value : Value
    evaluated : bool
        Whether its data is known yet.
    grad : number or None
        None before its first contribution.
    received, expected : int
        Contributions so far, and in all.
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
        """The gradient of each value so far, None where there is none."""
        return {value: found.grad for value, found in self._states.items()}

    def __repr__(self) -> str:
        return (
            f"<Snapshot after step {self.index + 1}: {len(self.final)} final, "
            f"{len(self.partial)} partial, {len(self.untouched)} untouched>"
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger: what `through` added to a gradient, at step `index`."""

    index: int
    through: Value
    upstream: Any
    local: Any
    contribution: Any
    total: Any
