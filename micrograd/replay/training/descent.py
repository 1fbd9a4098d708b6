"""Many steps in one call of machine code, and what they leave in parameters and optimizer."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from micrograd.engine import Value
from micrograd.optim import SGD, Adam, Clip
from micrograd.optim.rules import Rule, buffers_of, rule_of, scalars_ahead, set_buffers
from micrograd.replay.kernels import address_of, note, numpy
from micrograd.replay.training.leaves import Leaves
from micrograd.replay.training.loop import FIELDS, PLAN, SCALARS, loop
from micrograd.values.assigning import are_same, united

__all__ = ["Descent", "Stretch"]


class Stretch(NamedTuple):
    """What was measured in some steps: rows of one number for each output of the function.

    `held_out` has a row for each step at which the validation data were measured, and `trail` the
    parameters before the update of each step, if they were asked for. `seconds` is the time in
    machine code, where an interrupt is not heard.
    """

    values: list[list[float]]
    held_out: list[list[float]]
    trail: Any
    seconds: float


class Descent:
    """The training loop in machine code, of one compiled function and one optimizer.

    Parameters
    ----------
    machine : Machine
        The program of outputs and derivatives.
    of_one : callable
        Returns the same for single samples, None if it has no code of its own for them.
    parameters : list of Value
        Those that the program reads, in its order, and then any others.
    places : list of int
        Of which of the parameters the program has derivatives; the others' are zero.
    optimizer : SGD, Adam or AdamW
    rule : Rule
        Of the optimizer.
    clip : Clip, optional
    columns, held_out : list of ndarray
        The samples and the validation data, one array for each column.
    divides : bool
        Whether the sums over samples are divided by their number.

    Attributes
    ----------
    held : int
        How many samples of validation data there are.
    """

    def __init__(
        self,
        machine: Any,
        parameters: list[Value],
        places: list[int],
        *,
        of_one: Callable[[], Any],
        optimizer: SGD | Adam,
        rule: Rule,
        clip: Clip | None,
        columns: Sequence[Any],
        held_out: Sequence[Any],
        divides: bool,
    ) -> None:
        np = numpy()
        self._machine, self._optimizer, self._divides = machine, optimizer, divides
        self._of_one = of_one
        self._kind = "" if clip is None else "value" if clip.norm is None else "norm"
        self._code = loop(rule, self._kind)
        self._limit = 0.0 if clip is None else float(clip.limit)
        self._parameters = united(parameters, optimizer.params)
        self._count = count = len(self._parameters)
        self._mine: Any = slice(count)
        if not are_same(self._parameters, optimizer.params):
            self._mine = np.array([self._place[id(p)] for p in optimizer.params])
        self._columns = [_flat(column) for column in columns]
        self._samples = len(columns[0]) if columns else 1
        self._columns_held = [_flat(column) for column in held_out]
        self.held = len(held_out[0]) if held_out else 0
        self._outputs = machine.results - len(places)
        self._arrays: dict[str, Any] = {"held": _addresses(self._columns_held)}
        self._fields = np.zeros(len(FIELDS), dtype=np.int64)
        for name in ("par", "grad", "first", "second", "decays", "pulls", "moves", "dense"):
            self._arrays[name] = self._padded()
        self._arrays["moves"][self._mine] = 1.0
        if places == list(range(count)):
            self._arrays["dense"] = self._arrays["grad"]
        else:
            self._arrays["places"] = np.array(places, dtype=np.int64)
        widths = np.array([column.shape[1] for column in self._columns], dtype=np.int64)
        self._arrays |= {"widths": widths, "given": _addresses(self._columns)}
        size, chunks = machine.chunks(self.held) if self.held else (1, 0)
        self._set(
            columns=len(self._columns),
            count=count,
            results=machine.results,
            outputs=self._outputs,
            heldcount=self.held,
            heldsize=size,
            heldchunks=chunks,
            **self._arrays,
        )
        self._most_chunks = chunks
        self._leaves = Leaves(self._parameters, self._arrays["par"], self._arrays["grad"])
        self._planned: Any = None  # of the latest call, whose arrays serve another one like it

    @functools.cached_property
    def _place(self) -> dict[int, int]:
        """Return where each parameter is."""
        return {id(value): i for i, value in enumerate(self._parameters)}

    def _set(self, **fields: Any) -> None:
        """Set what the machine code reads: numbers, and the addresses of arrays."""
        for name, given in fields.items():
            is_array = hasattr(given, "dtype")
            self._fields[_PLACE[name]] = address_of(given) if is_array else given

    def _padded(self) -> Any:
        lanes = self._code.lanes
        return numpy().zeros(-(-self._count // lanes) * lanes)

    def numbers(self, row: Any, parameters: Sequence[Value]) -> list[float]:
        """Return the numbers that a row of a trail has for some of the parameters."""
        found: list[float] = row[[self._place[id(p)] for p in parameters]].tolist()
        return found

    def snapshot(self) -> tuple[Any, ...]:
        """Return the state of parameters and optimizer, for `restore`."""
        return self._leaves.snapshot(), vars(self._optimizer).copy()

    def restore(self, before: tuple[Any, ...]) -> None:
        """Go back to a state that `snapshot` returned."""
        data, optimizer = before
        self._leaves.restore(data)
        vars(self._optimizer).update(optimizer)

    def run(
        self,
        most: int,
        batches: Sequence[Sequence[int]] | None = None,
        measured: Sequence[int] = (),
        trail: bool = False,
    ) -> Stretch:
        """Do up to `most` steps, and give parameters and optimizer their new numbers.

        They end before the first step that cannot be done: it and the steps after it are left.

        Parameters
        ----------
        most : int
        batches : sequence of sequence of int, optional
            The samples of each step; by default all of them, in the order given.
        measured : sequence of int
            The steps, counted from the first of these, at which the validation data are measured.
        trail : bool, default False
            Whether to keep the parameters of each step.
        """
        scalars = scalars_ahead(self._optimizer, most)
        steps = len(scalars[0])
        rule = rule_of(self._optimizer)  # its options may have been changed since
        if rule is not None:
            self._code = loop(rule, self._kind)
        while steps:
            self._load()
            done, stretch = self._called(scalars, steps, batches, measured, trail)
            if done >= 0:
                if done:
                    self._store(done)
                return stretch
            steps = -1 - done  # something of the next step was written: repeat those before it
        return Stretch([], [], None, 0.0)

    def _called(
        self,
        scalars: list[list[float]],
        steps: int,
        batches: Sequence[Sequence[int]] | None,
        measured: Sequence[int],
        trail: bool,
    ) -> tuple[int, Stretch]:
        """Call the machine code; return what it returns, and what it measured."""
        measured = [step for step in measured if step < steps]
        asked = (steps, measured, trail) if batches is None else None
        if asked is None or self._planned != asked:
            self._planned = asked
            self._allot(steps, batches, measured, trail)
        for i, numbers in enumerate(scalars):
            self._table[:, i] = numbers[:steps]
        machine = self._machine
        if self._are_single:
            machine = self._of_one() or machine
        if machine.is_interpreted:  # so that the next run compiles it when that has paid
            note(machine, int(self._used[0][:, 0].sum()) + len(measured) * self.held)
        self._set(
            total=machine.driver.total_address, program=machine.description, work=machine.work()
        )
        start = time.perf_counter()
        done = int(self._code.train(address_of(self._fields)))
        seconds = time.perf_counter() - start
        count = sum(step < done for step in measured)
        record, held_out = self._record[:done].tolist(), self._record_held[:count].tolist()
        return done, Stretch(record, held_out, self._kept, seconds)

    def _allot(
        self,
        steps: int,
        batches: Sequence[Sequence[int]] | None,
        measured: Sequence[int],
        trail: bool,
    ) -> None:
        """Make the arrays of a call: what is done in each step, and what is measured in it."""
        np = numpy()
        plan, table = self._plan(steps, batches), np.empty((steps, SCALARS))
        plan[measured, 4] = range(len(measured))
        table[:, 3] = plan[:, 0] if self._divides else 1.0
        table[:, 4], table[:, 5] = self.held if self._divides else 1.0, self._limit
        self._are_single = not self.held and bool((plan[:, 0] == 1).all())
        order, buffers = None, self._columns
        if batches is not None:
            largest = int(plan[:, 0].max())
            order = np.fromiter(chain.from_iterable(batches[:steps]), dtype=np.int64)
            buffers = [np.empty((largest, column.shape[1])) for column in self._columns]
        chunks = max(int(plan[:, 2].max()), self._most_chunks)
        sums = np.empty(chunks * self._machine.results + self._code.lanes)
        self._table, self._record = table, np.empty((steps, self._outputs))
        self._record_held = np.empty((len(measured), self._outputs))
        self._kept = np.empty((steps, self._count)) if trail else None
        self._used = (plan, order, buffers, sums, _addresses(buffers))
        self._set(
            order=0 if order is None else order,
            buffers=self._used[-1],
            plan=plan,
            scalars=table,
            steps=steps,
            sums=sums,
            record=self._record,
            heldrecord=self._record_held,
            trail=0 if self._kept is None else self._kept,
        )

    def _plan(self, steps: int, batches: Sequence[Sequence[int]] | None) -> Any:
        np = numpy()
        plan = np.zeros((steps, PLAN), dtype=np.int64)
        plan[:, 4] = -1
        if batches is None:
            plan[:, 0] = self._samples
            plan[:, 1:3] = self._machine.chunks(self._samples)
            return plan
        sizes = list(map(len, batches[:steps]))
        plan[:, 0] = sizes
        for size in set(sizes):
            plan[plan[:, 0] == size, 1:3] = self._machine.chunks(size)
        plan[1:, 3] = np.cumsum(sizes[:-1])
        return plan

    def _load(self) -> None:
        """Take over the numbers of parameters and optimizer."""
        arrays = self._arrays
        self._leaves.read()
        for name, buffer in zip(_BUFFERS, buffers_of(self._optimizer), strict=False):
            arrays[name][self._mine] = buffer or 0.0
        if self._optimizer.weight_decay:
            arrays["decays"][self._mine] = self._optimizer.decays
        if self._optimizer.l1:
            arrays["pulls"][self._mine] = self._optimizer.pulls

    def _store(self, steps: int) -> None:
        """Give parameters and optimizer the numbers that they have after `steps` steps."""
        arrays = self._arrays
        self._leaves.write()
        names = _BUFFERS[: len(buffers_of(self._optimizer))]
        buffers = [arrays[name][self._mine].tolist() for name in names]
        set_buffers(self._optimizer, buffers, steps)


_BUFFERS = ("first", "second")
_PLACE = {field.split()[1]: i for i, field in enumerate(FIELDS)}


def _flat(column: Any) -> Any:
    """Return an array with the numbers of each sample in one row."""
    np = numpy()
    return np.ascontiguousarray(column).reshape(len(column), int(np.prod(column.shape[1:])))


def _addresses(arrays: Sequence[Any]) -> Any:
    np = numpy()
    return np.array([*map(address_of, arrays)] or [0], dtype=np.int64)
