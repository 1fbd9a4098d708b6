"""Whether the loss of a batch is the mean of a loss of each of its samples.

A loss that the user wrote takes a whole batch; a program computes one sample at a time. The loss is
traced on symbols for batches of several sizes, and each time written as a sum of terms: those that
belong to one sample, which have to be the same for every sample, and those of no sample, as a
penalty.
"""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from micrograd import ops
from micrograd.engine import Value
from micrograd.errors import MicrogradError
from micrograd.ops import Op
from micrograd.replay.trace import Recorder
from micrograd.replay.trace.alike import described
from micrograd.replay.trace.tape import CONSTANT, INPUT, Tape

__all__ = ["is_mean_of_samples"]

Weights = list["float | None"]

# How many times its result's weight each operand of a linear row has, given which are constants;
# None for an operand that is no term but a factor.
_LINEAR: dict[Op | str, Callable[[Sequence[Any]], Weights | None]] = {
    ops.add: lambda constants: [1.0, 1.0],
    ops.sub: lambda constants: [1.0, -1.0],
    ops.neg: lambda constants: [-1.0],
    ops.mul: lambda constants: (
        [None, constants[0]]
        if constants[0] is not None
        else None
        if constants[1] is None
        else [constants[1], None]
    ),
    ops.div: lambda constants: None if not constants[1] else [1 / constants[1], None],
    "sum_of": lambda constants: [1.0] * len(constants),
}

# Terms and their coefficients: those of a sample, those of none, and the constant.
_Form = tuple[dict[int, float], dict[int, float], float]


def is_mean_of_samples(
    loss: Callable[[list[Any], list[Any]], Any],
    sizes: Sequence[int],
    score: tuple[int, ...],
    target: tuple[int, ...],
    parameters: Sequence[Value] = (),
) -> bool:
    """Return whether `loss` of batches of these sizes is the mean of `loss` of single samples.

    Parameters
    ----------
    loss : callable
        `(scores, targets) -> Value`
    sizes : sequence of int
    score, target : tuple of int
        The shapes of the score and of the target of a sample.
    parameters : sequence of Value
        The leaves that it may use: a loss that is alike is not called again.

    Raises
    ------
    TraceError
        If the function does what cannot be replayed. Also a TypeError.

    Notes
    -----
    A function may fail for a single sample, as one that takes a variance does: the answer is False.

    Examples
    --------
    >>> from micrograd.losses import mse
    >>> is_mean_of_samples(mse, [2, 5], (), ())
    True
    >>> is_mean_of_samples(lambda s, y: mse(s, y) ** 0.5, [2, 5], (), ())
    False
    """
    about = described(loss, parameters)
    key = None if about is None else (about, tuple(sizes), score, target)
    found = None if key is None else _known.get(key)
    if found is None:
        found = _is_mean(loss, sizes, score, target)
        if key is not None:
            _known[key] = found
            if len(_known) > _KEPT:
                _known.popitem(last=False)
    return found


# What is known of losses, by what they depend on.
_known: OrderedDict[Any, bool] = OrderedDict()
_KEPT = 16


def _is_mean(
    loss: Callable[[list[Any], list[Any]], Any],
    sizes: Iterable[int],
    score: tuple[int, ...],
    target: tuple[int, ...],
) -> bool:
    known: dict[Any, int] = {}
    forms: list[_Form] = []
    for size in dict.fromkeys((*sizes, 1)):
        recorder = Recorder()
        shapes = ((size, *score), (size, *target))
        try:
            is_sequence = recorder.trace(loss, shapes, ("scores", "targets"))
        except MicrogradError:
            raise
        except Exception:  # of the user's function
            return False
        widths = (math.prod(score), math.prod(target))
        form = None if is_sequence else _form(recorder, size, widths, known)
        if form is None or not _are_close(form, (forms or [form])[0]):
            return False
        forms.append(form)
    return True


def _form(
    recorder: Recorder, size: int, widths: tuple[int, int], known: dict[Any, int]
) -> _Form | None:
    """Return what the mean over samples is taken of; None if it is no mean.

    `known` numbers the terms: two that are computed alike have the same number.
    """
    tape = recorder.tape
    keys, samples = _keys(recorder, size, widths, known)
    found: defaultdict[int | None, defaultdict[int, float]] = defaultdict(
        lambda: defaultdict(float)
    )
    constant = 0.0
    weights: defaultdict[int, float] = defaultdict(float, {tape.outputs[0]: 1.0})
    for position in range(tape.outputs[0], -1, -1):
        weight = weights.pop(position, None)
        if weight is None:
            continue
        value = tape.constant_at(position)
        factors = _factors(tape, position)
        if value is not None:
            constant += weight * float(value)
        elif factors is not None:
            for operand, factor in zip(tape.operands[position], factors, strict=True):
                if factor is not None:
                    weights[operand] += weight * factor
        elif samples[position] == _SEVERAL:
            return None
        else:
            found[samples[position]][keys[position]] += weight
    rest = dict(found.pop(None, {}))
    if set(found) not in (set(), set(range(size))):
        return None
    each = [dict(terms) for terms in found.values()] or [{}]
    if not all(_are_close(terms, each[0]) for terms in each):
        return None
    return {key: size * weight for key, weight in each[0].items()}, rest, constant


_SEVERAL = -1


def _factors(tape: Tape, position: int) -> Weights | None:
    """Return how much of its weight a linear instruction gives to each operand."""
    op = tape.rows[position]
    linear = None if op is None else _LINEAR.get(op.key)
    if linear is None:
        return None
    constants = [tape.constant_at(operand) for operand in tape.operands[position]]
    return linear([None if c is None else float(c) for c in constants])


def _keys(
    recorder: Recorder, size: int, widths: tuple[int, int], known: dict[Any, int]
) -> tuple[list[int], list[int | None]]:
    """Return for each position the number of its term, and of which sample it is.

    None is of no sample, and `_SEVERAL` of more than one.
    """
    tape = recorder.tape
    keys: list[int] = []
    samples: list[int | None] = []
    for op, operands in zip(tape.rows, tape.operands, strict=True):
        sample: int | None = None
        key: Any
        if op is not None:
            of = {samples[operand] for operand in operands} - {None}
            sample = None if not of else of.pop() if len(of) == 1 else _SEVERAL
            key = (op, *[keys[operand] for operand in operands])
        elif operands[0] == INPUT:
            argument, place = (0, operands[1])
            if place >= size * widths[0]:
                argument, place = 1, place - size * widths[0]
            sample, entry = divmod(place, widths[argument])
            key = (argument, entry)
        elif operands[0] == CONSTANT:
            key = (type(operands[1]), repr(operands[1]))
        else:
            key = id(recorder.parameters[operands[1]])
        keys.append(known.setdefault(key, len(known)))
        samples.append(sample)
    return keys, samples


def _are_close(one: Any, other: Any) -> bool:
    """Return whether two forms are the same but for the rounding of their coefficients."""
    if isinstance(one, tuple):
        return all(map(_are_close, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_are_close(one[k], other[k]) for k in one)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
