"""Back-propagation as a sequence of steps, forwards and backwards: pure Python, no display.

Three rules are all of it: *a contribution is upstream × local derivative; a gradient is the sum of
its contributions; a node passes its gradient on only when that sum is complete.*

>>> from micrograd.engine import Value
>>> x, w, b = Value(2, label="x"), Value(-3, label="w"), Value(10, label="b")
>>> h = x * w
>>> h.label = "h"
>>> s = h + b
>>> s.label = "s"
>>> L = s * h
>>> L.label = "L"
>>> for step in steps(L)[3:7]:
...     print(step.text)
The backward pass starts at L. Its derivative with respect to itself is 1.
L passes gradient back to s: upstream +1 times local derivative -6 is -6. That is all that s gets: \
final.
L passes gradient back to h: upstream +1 times local derivative 4 is +4. The first of 2 \
contributions.
s passes gradient back to h: upstream -6 times local derivative 1 is -6. Added to +4, h.grad is \
-2. That was the last of 2: final.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from micrograd.backward_pass import BROKEN, Recording, Row, backward_rows, final_gradients, is_same
from micrograd.checks import one_of
from micrograd.draw.diagram import checked_model, names_of
from micrograd.engine import Value
from micrograd.errors import ArgumentError, NotInGraphError, shown_briefly
from micrograd.graph import order
from micrograd.sentences import Words, group_text, sign_of_number
from micrograd.sentences.updates import UPDATE, Change
from micrograd.stepper.guess import checked_guess
from micrograd.stepper.sections import Group, Section, arranged, cut, of_sample, sorted_rows
from micrograd.stepper.step import Entry, Snapshot, Step, Walk, snapshot_after
from micrograd.style import number_text
from micrograd.values.names import names_in
from micrograd.values.networks import Network, network_in
from micrograd.values.notation import Names

if TYPE_CHECKING:
    from micrograd.stepper.updates import Plan

__all__ = ["Stepper", "steps"]


class Stepper(Walk, Sequence[Step]):
    """Every step of a forward and a backward pass, and of an update; made by `steps`.

    It iterates, indexes and slices like a list, and has a current step, `position`, which
    `forward`, `back`, `go` and `find` change. Its numbers are those of the moment when it was
    made; it never changes the graph.

    Attributes
    ----------
    root : Value
    nodes : list of Value
        In topological order, the root last.
    broken : str or None
        The rule that this pass breaks on purpose, a key of `BROKEN`.
    guess : int
        1 if numbers are asked before they are shown, 2 if local derivatives are asked too, else 0.
    forward_count : int
        How many of the steps are forward evaluations.
    position : int
        Index of the current step.
    gradients : list of number
        The gradient of each of `nodes` after the last step.
    right_gradients : list of number
        The correct gradients, as `backward()` computes them; the same if no rule is broken.
    changes : list of Change
        What the optimizer makes of each parameter, in the order of its parameters: one step each.
    live : bool
        Whether pulling a number in a notebook changes the Value itself; by default in a copy only.
    """

    def __init__(
        self,
        root: Value,
        broken: str | None = None,
        labels: Any = None,
        model: Any = None,
        optimizer: Any = None,
        *,
        guess: bool | int = False,
    ) -> None:
        one_of("broken", broken, (None, *BROKEN))
        self.guess = checked_guess(guess, broken)
        self._labels, self._model = names_of(labels), checked_model(model)
        self.recording = Recording(root)
        self.root, self.nodes, self.broken = root, self.recording.nodes, broken
        forward = [Row("forward", i) for i, parents in enumerate(self.recording.parents) if parents]
        self.forward_count = len(forward)
        self._correct = backward_rows(self.recording)
        self._passes = [
            *forward,
            *(backward_rows(self.recording, broken) if broken else self._correct),
        ]
        self.plan: Plan | None = None
        self.changes: list[Change] = []
        if optimizer is not None:  # few have one: the rooms of optimizers are loaded for them only
            from micrograd.stepper.updates import planned

            self.plan = planned(optimizer, self.nodes)
            self.changes = self.plan.changes(self.recording.data, self.gradients)
        self.position = 0
        self.live = False

    def copy_of_graph(self) -> Value:
        """Return the root of a copy of the graph, with the data that the steps show."""
        root = deepcopy(self.root)
        for node, data in zip(order(root), self.recording.data, strict=True):
            if not node.parents:
                node.data = data
        return root.forward()

    def of_copy(self, root: Value) -> Stepper:
        """Return the steps of a copy of the graph, whose values are called as here."""
        if not isinstance(root, Value) or len(order(root)) != len(self.nodes):
            raise ArgumentError(f"expected a copy of this graph, got {shown_briefly(root)}")
        stepper = Stepper(root, self.broken, optimizer=self.plan, guess=self.guess)
        stepper.called = self.called.moved(dict(zip(self.nodes, stepper.nodes, strict=True)))
        stepper.live = self.live
        return stepper

    def __reduce__(self) -> Any:
        called = self.called.moved({node: i for i, node in enumerate(self.nodes)})
        graph = self.copy_of_graph()
        made = (graph, self.broken, self.position, called, self.plan)
        return _stepper_at, made, {"guess": self.guess}

    # ---- the sequence --------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._passes) + len(self.changes)

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...

    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = self._at(index)
        return Step(self, self._rows[place], place)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return where a step is in the sequence, as the method of a list.

        Raises
        ------
        ArgumentError
            If it is none of the steps. Also a ValueError.
        """
        is_step = isinstance(value, Step) and value.index in range(len(self))[start:stop]
        if is_step and value.row is self._rows[value.index]:
            return int(value.index)
        raise ArgumentError(
            f"{shown_briefly(value)} is none of these steps: find goes to that of a Value"
        )

    @cached_property
    def _rows(self) -> list[Row]:
        """The steps in the order of the sections; sorted when they are first read."""
        order = arranged(self.recording.parents, self.network)
        passes, count = sorted_rows(self._passes, order, self.broken), len(self.changes)
        updates = [
            Row(
                "update",
                change.node,
                upstream=change.grad,
                number=k,
                of=count,
                turn=passes[-1].turn,
            )
            for k, change in enumerate(self.changes, 1)
        ]
        return passes + updates

    @property
    def rows(self) -> list[Row]:
        """The steps with nodes as positions in `nodes`: quick to iterate over."""
        return list(self._rows)

    @property
    def pass_rows(self) -> list[Row]:
        """The steps of the forward and the backward pass, without the update."""
        return self._rows[: len(self._passes)]

    def change_at(self, index: int) -> Change | None:
        """Return what the step does to a parameter; None if it is no update."""
        place = self._at(index) - len(self._passes)
        return self.changes[place] if place >= 0 else None

    # ---- moving --------------------------------------------------------------------------------

    @property
    def current(self) -> Step:
        """The step at `position`."""
        return self[self.position]

    def go(self, index: int) -> Step:
        """Move to a step and return it; a negative index counts from the end.

        Raises
        ------
        NoSuchStepError
            If there is no such step. Also an IndexError.
        """
        self.position = self._at(index)
        return self.current

    def forward(self) -> Step:
        """Move to the next step and return it; stay at the last one."""
        return self.go(min(self.position + 1, len(self) - 1))

    def back(self) -> Step:
        """Move to the step before and return it; stay at the first one."""
        return self.go(max(self.position - 1, 0))

    def find(self, value: Value | str) -> Step:
        """Move to the step that completes the gradient of `value`, and return it.

        Parameters
        ----------
        value : Value or str
            A value of the graph, or its name in the sentences, such as its label or `w1[2,1]`;
            or where a parameter stands in code, `layers[0].neurons[1].w[0]` or `w[0,1,0]`.

        Raises
        ------
        NotInGraphError
            If no value has that name, or several have. Also a LookupError.

        Examples
        --------
        >>> a = Value(3.0, label="a")
        >>> steps(a * a + a).find("a").grad_after
        7.0
        """
        i = self.place(value)
        received = [
            k for k, row in enumerate(self.pass_rows)
            if (row.parent if row.kind == "chain" else row.node) == i and row.kind != "forward"
        ]  # fmt: skip
        if not received:
            raise NotInGraphError(f"no gradient reaches {self.words.names[i]} in this pass")
        return self.go(received[-1])

    def place(self, value: Value | str) -> int:
        """Return the position of `value` in `nodes`; errors as `find`."""
        if isinstance(value, str):
            names, typeset = self.words.names, self.words.called.typeset
            places = [i for i, name in enumerate(names) if value in (name, typeset(name))]
            places = places or [self._places[leaf] for leaf in self.called.at_path(value)]
            if len(places) > 1:
                raise NotInGraphError(
                    f"{len(places)} values of this graph are called {value!r}: "
                    "give the Value itself"
                )
            if not places:
                some = ", ".join(dict.fromkeys(names[-1:-9:-1]))
                raise NotInGraphError(f"this graph has no value called {value!r}; it has {some}")
            return places[0]
        if not isinstance(value, Value) or value not in self._places:
            raise NotInGraphError(f"{shown_briefly(value)} is not in this graph")
        return self._places[value]

    @cached_property
    def _places(self) -> dict[Value, int]:
        return {node: i for i, node in enumerate(self.nodes)}

    # ---- what is known -------------------------------------------------------------------------

    @cached_property
    def called(self) -> Names:
        """What the values are called, and the neurons among them."""
        return names_in(self.nodes, self._labels, self._model)

    @cached_property
    def network(self) -> Network | None:
        """The network that the graph holds; None where there is no neuron.

        Examples
        --------
        >>> from micrograd.nn import MLP
        >>> steps(MLP(2, [2, 1])([1.0, -2.0])).network.title()
        'Network of 2 layers: 2 inputs, 2 and 1 neurons'
        """
        return self.called.network or network_in(self.nodes, self.called)

    @cached_property
    def words(self) -> Words:
        """The names of the values and all sentences."""
        return Words(self.recording, self.broken, self._correct, self.called)

    @cached_property
    def all_sections(self) -> list[Section]:
        """The sections of all samples, in the order of the steps."""
        return cut(self._rows, self.network, self._said)

    def sections_of(self, sample: int) -> list[Section]:
        """Return the sections of one sample, from 0; the other samples are stops between them."""
        return of_sample(self.all_sections, sample)

    @cached_property
    def sections(self) -> list[Section]:
        """The sections of the first sample: layer by layer forwards, the loss, and back.

        Examples
        --------
        >>> from micrograd.nn import MLP
        >>> loss = (MLP(2, [2, 1])([1.0, -2.0]) - 1) ** 2
        >>> [section.name for section in steps(loss).sections]
        ['layer 1', 'layer 2', 'loss', 'loss', 'layer 2', 'layer 1']
        """
        return self.sections_of(0)

    @cached_property
    def _stops(self) -> tuple[list[int], list[tuple[Section, Group]]]:
        """Where each group of `sections` ends, and the groups with their sections."""
        stops = [(section, group) for section in self.sections for group in section.groups]
        return [group.last for _, group in stops], stops

    def stop_at(self, index: int) -> tuple[Section, Group]:
        """Return the section and the group of a step."""
        lasts, stops = self._stops
        return stops[bisect_left(lasts, self._at(index))]

    def _said(self, group: Group) -> str:
        rows = self._rows[group.first : group.last + 1]
        if rows[0].kind == "update":
            alone = self[group.first].text if len(rows) == 1 else ""
            begins = UPDATE["before"].format(root=self.words.names[-1])
            return alone or f"{begins} {self.updated}"
        return group_text(self.words, self.network, group.kind, rows)

    @cached_property
    def updated(self) -> str:
        """What the update does to the root, in words; empty without an optimizer.

        Examples
        --------
        >>> from micrograd.optim import SGD
        >>> w = Value(3.0, label="w")
        >>> steps(w * w, optimizer=SGD([w], lr=0.25)).updated
        'One update: w × w went from 9 to 2.25. The gradients predicted -9, it was -6.75.'
        """
        return self.plan.text(self) if self.plan else ""

    @cached_property
    def gradients(self) -> list[Any]:  # noqa: D102 - documented on the class
        return final_gradients(self._passes[self.forward_count :], len(self.nodes))

    @cached_property
    def right_gradients(self) -> list[Any]:  # noqa: D102
        return final_gradients(self._correct, len(self.nodes))

    def snapshot(self, index: int | None = None) -> Snapshot:
        """Return what is known about every value after step `index`, by default the current one.

        Examples
        --------
        >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
        >>> steps(a * b + a).snapshot(3)[a]  # the sum has passed on, the product has not
        NodeState(value=Value(data=2.0, grad=0, label='a'), evaluated=True, grad=None, received=0, \
expected=2, updated=None)
        """
        return snapshot_after(self, self.position if index is None else self._at(index))

    @cached_property
    def expected(self) -> dict[int, dict[int, int]]:
        """How many contributions each value gets in each pass; those that get some."""
        expected: dict[int, dict[int, int]] = {}
        for row in self._passes[self.forward_count :]:
            target = row.node if row.kind == "seed" else row.parent
            expected.setdefault(row.turn, {})[target] = row.of
        return expected

    def ledger(self, value: Value | str) -> list[Entry]:
        """Return what each value contributed to the gradient of `value`, in the order of the pass.

        Examples
        --------
        >>> a = Value(3.0, label="a")
        >>> [(entry.upstream, entry.local, entry.total) for entry in steps(a * a).ledger("a")]
        [(1, 3.0, 3.0), (1, 3.0, 6.0)]
        """
        i = self.place(value)
        return [
            Entry(k, self.nodes[row.node], row.upstream, row.local, row.contribution, row.after)
            for k, row in enumerate(self._rows)
            if row.parent == i
        ]

    def differences(self) -> dict[Value, tuple[Any, Any]]:
        """Return the gradients that came out wrong: for each value, the wrong and the correct one.

        Examples
        --------
        >>> a = Value(2, label="a")
        >>> b = 3 * a
        >>> d = b * (b + 1)
        >>> {v.label: pair for v, pair in steps(d, broken="recursion").differences().items()
        ...  if v.label}
        {'a': (60, 39)}
        """
        pairs = zip(self.nodes, self.gradients, self.right_gradients, strict=True)
        return {node: (got, correct) for node, got, correct in pairs if not is_same(got, correct)}

    # ---- shown ---------------------------------------------------------------------------------

    def __str__(self) -> str:
        lines = [f"{step.index + 1:>4}  {step.text}" for step in self]
        if self.broken:
            lines.insert(0, f"Broken on purpose: {BROKEN[self.broken]}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        name, data = self.words.names[-1], self.recording.data[-1]
        broken = f", broken: {BROKEN[self.broken]}" if self.broken else ""
        count = len(self.changes)
        updates = f", {count} update{'s' * (count != 1)}" if count else ""
        return (
            f"<Stepper of {name} {sign_of_number(data)} {number_text(data)}: {self.forward_count} "
            f"steps forward, {len(self._passes) - self.forward_count} back{updates}{broken}>"
        )

    def to_html(
        self,
        path: str | Path,
        title: str | None = None,
        *,
        open: str | None = None,  # noqa: A002
        set: Mapping[Any, Any] | None = None,  # noqa: A002
        guess: bool | int = False,
    ) -> Path:
        """Write the steps as an HTML page that works offline, and return its path.

        It opens at the current step; its leaves can be pulled, and its address follows the reader.

        Parameters
        ----------
        path : str or Path
        title : str, optional
            By default the expression.
        open : str, optional
            Which part of a network is open: `"neuron 2 of layer 1"` or `"loss"`.
        set : mapping, optional
            Numbers to which leaves are pulled: `{"w1[2,1]": 0.9}`. A key is whatever `find` takes.
        guess : bool or 2, default False
            As in `steps`, by default as these steps were made.

        Raises
        ------
        TooLargeError
            If the graph has more values than a page can show.
        ArgumentError
            If there is nothing of that name to open, or a value to be set is not a leaf; as `steps`
            for `guess`.
        NotInGraphError
            If the graph has no value of a name. Also a LookupError.
        """
        from micrograd.stepper import page

        return page.to_html(self, path, title, open=open, set=set, guess=guess)

    def widget(self, **options: Any) -> Any:
        """Return the steps as a notebook widget, `micrograd.stepper.page.notebook.StepperWidget`.

        Raises
        ------
        ImportError
            If anywidget is missing; the message says how to install it.
        """
        from micrograd.stepper import page

        return page.widget(self, **options)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        from micrograd.stepper import page

        return page.mimebundle(self, **options)


def _stepper_at(
    root: Value,
    broken: str | None,
    position: int,
    called: Names | None = None,
    plan: Plan | None = None,
) -> Stepper:
    """Make a pickled or copied stepper again: its steps follow from its graph."""
    stepper = Stepper(root, broken, optimizer=plan)
    if called is not None:  # a pickle of version 1.0.0 has none
        stepper.called = called.moved(dict(enumerate(stepper.nodes)))
    stepper.position = position
    return stepper


def steps(
    root: Value,
    broken: str | None = None,
    *,
    labels: Any = None,
    model: Any = None,
    optimizer: Any = None,
    guess: bool | int = False,
) -> Stepper:
    """Return every step of the forward pass to `root`, of the backward pass from it, of an update.

    Parameters
    ----------
    root : Value
    broken : str, optional
        Break one rule of back-propagation on purpose, to see what goes wrong:

        - `"assign"`: `=` instead of `+=`;
        - `"recursion"`, `"visit_once"`, `"post_order"`: no topological order;
        - `"no_zero_grad"`: two passes, and gradients are not set to 0 in between.
    labels : mapping, optional
        Names of values that have no label: `{value: "x"}`, `{"x": value}` or `{"x": [values]}`.
        With several networks in one graph, `{"gen": module}` gives the prefix of one's names.
    model : object with `named_parameters`, optional
        The network that made the values. One of `micrograd.nn` is found anyway: its weights are
        called `w1[2,1]` (layer 1, to neuron 2 from input 1), its biases `b1[2]`, its sums `s1[2]`,
        its activations `x1[2]`, its inputs `x0[1]` and its loss `loss`; `s1[2]#3` is that of the
        third sample. The steps then come layer by layer and neuron by neuron: see
        `Stepper.sections`.
    optimizer : Optimizer, optional
        After the backward pass come the steps of its update, one a parameter, with its settings
        and its state. They are copied: the optimizer never changes. See Notes.
    guess : bool or 2, default False
        Ask for the number of a chain step before it is shown, on the page, in the notebook and in a
        terminal; with 2 for its local derivative too. A wrong answer is told which mistake it is.

    Returns
    -------
    Stepper
        In a notebook, the last line of a cell shows it; there a leaf can be pulled: see `live`.

    Raises
    ------
    NumberTypeError
        If `root` is not a Value.
    ArgumentError
        If there is no such rule, or the optimizer holds no parameter of the graph; if `guess` is
        neither True, False nor 2, or a rule is broken: then the numbers are wrong on purpose. Also
        a ValueError.
    StaleGraphError, DomainError, ZeroDivisorError, OverflowRangeError, GradientError
        As `Value.backward`, and as the `step` of the optimizer.
    TooLargeError
        If plain recursion would follow too many paths.

    Notes
    -----
    The time is linear in nodes plus edges, except for `broken="recursion"`. The graph's `.data`
    and `.grad` do not change.

    An update is bit for bit what `optimizer.step()` gives after `zero_grad()` and `backward()`:
    the optimizer itself does it, in a copy, with the gradients of this walk, wrong ones if a rule
    is broken. Of a schedule it takes the rate of the optimizer's present step. Gradients are used
    as they are: clipping would come in between, and is not part of a walk. Parameters of the
    optimizer that the graph does not hold are counted in the closing sentence; those of the
    network that the optimizer does not hold stay as they are, and it names them.

    Examples
    --------
    >>> a = Value(2, label="a")
    >>> stepper = steps(a * 3)
    >>> len(stepper)
    4
    >>> stepper.find("a").text
    'a × 3 passes gradient back to a: upstream +1 times local derivative 3 is +3. That is all \
that a gets: final.'

    With an optimizer, its update follows:

    >>> from micrograd.optim import SGD
    >>> steps(a * 3, optimizer=SGD([a], lr=0.5))[-1].sentence
    'a moves against its gradient: 2 - 0.5 × 3 = 0.5.'
    """
    return Stepper(root, broken, labels, model, optimizer, guess=guess)
