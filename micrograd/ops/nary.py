"""Operations of any number of operands: `sum`, `dot`, `logsumexp`, `softmax` and `take`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from micrograd.errors import DomainError, InputCountError, NumberTypeError, shown, shown_briefly
from micrograd.ops.op import Op, family
from micrograd.ops.operators import Number, Operators, PlainNumber
from micrograd.ops.rows import equal, exp


def _several(given: Any) -> tuple[Any, ...]:
    if type(given) in (list, tuple):  # most of them: the other checks are calls
        return tuple(given)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise NumberTypeError(f"expected a list of numbers or Values, got {shown_briefly(given)}")
    return tuple(given)


def _total(*values: Any) -> PlainNumber:
    """Add from left to right: the built-in `sum` rounds differently since Python 3.12."""
    total: PlainNumber = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _dot(pairs: int, *inputs: Any) -> PlainNumber:
    total = inputs[2 * pairs] if len(inputs) > 2 * pairs else 0
    for w, x in zip(inputs[:pairs], inputs[pairs:]):  # noqa: B905 (the bias has no partner)
        total += w * x
    return total


def _logsumexp(*values: Any) -> float:
    largest = max(range(len(values)), key=values.__getitem__)
    peak = float(values[largest])
    if math.isinf(peak):
        return math.nan if any(value != value for value in values) else peak
    rest = 0.0
    for i, value in enumerate(values):
        if i != largest:
            rest += math.exp(value - peak)
    return peak + math.log1p(rest)


def sum(values: Iterable[Number], start: Number = 0) -> Number:
    """Return the sum of numbers or Values, from left to right, as one node.

    Parameters
    ----------
    values : iterable of number or Value
    start : number or Value, default 0
        Added first, unless it is the number 0.

    Notes
    -----
    The derivative in each term is 1.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.sum([micrograd.Value(1.5), 2])
    Value(data=3.5, grad=0)
    """
    terms = _several(values)
    if isinstance(start, Operators) or start != 0:
        terms = (start, *terms)
    return sum_of(len(terms))(*terms) if terms else 0


@family
def sum_of(terms: int) -> Op:
    """Return the row of a sum of `terms` terms."""
    return Op(
        name="sum",
        adds=True,
        symbol="Σ" if terms > 2 else "+",
        token="sum",
        noun="sum",
        code=" + ".join(f"{{{i}}}" for i in range(terms)),
        precedence=1,
        binds=(1,) + (2,) * (terms - 1),
        arity=terms,
        forward=_total,
        partials=lambda out, *values: (1,) * terms,
        note="Added from left to right, rounded at each term: digits are lost where terms cancel.",
    )


def dot(w: Iterable[Number], x: Iterable[Number], bias: Number | None = None) -> Number:
    """Return bias + w[0] * x[0] + w[1] * x[1] + ..., added in this order, as one node.

    Parameters
    ----------
    w, x : iterable of number or Value
        Of the same length.
    bias : number or Value, optional

    Raises
    ------
    InputCountError
        If the lengths differ. Also a ValueError.

    Notes
    -----
    The derivative in w[i] is x[i], that in x[i] is w[i], and that in the bias is 1.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.dot([1, 2], [micrograd.Value(3), 4], bias=10)
    Value(data=21, grad=0)
    """
    w, x = _several(w), _several(x)
    pairs = len(w)
    if pairs != len(x):
        raise InputCountError(f"dot needs two sequences of one length, got {pairs} and {len(x)}")
    if not w:
        return 0 if bias is None else bias
    operands = w + x if bias is None else (*w, *x, bias)
    return dot_of(pairs, bias is not None)(*operands)


@family
def dot_of(pairs: int, with_bias: bool) -> Op:
    """Return the row of the dot product of `pairs` pairs, with operands (w..., x..., bias)."""
    terms = [f"{{{i}}} * {{{pairs + i}}}" for i in range(pairs)]
    arity, of_bias = 2 * pairs + with_bias, (1,) * with_bias
    return Op(
        name="dot",
        pairs=pairs,
        symbol="w·x+b" if with_bias else "w·x",
        token="dot",
        noun="weighted sum",
        code=" + ".join([f"{{{2 * pairs}}}", *terms] if with_bias else terms),
        precedence=1,
        binds=(3,) * (2 * pairs) + (1,) * with_bias,  # products; the bias stands first, alone
        arity=arity,
        forward=partial(_dot, pairs),
        partials=lambda out, *inputs: inputs[pairs : 2 * pairs] + inputs[:pairs] + of_bias,
        note="Added from left to right, rounded at each step: digits are lost where terms cancel.",
    )


def logsumexp(values: Iterable[Number]) -> Number:
    """Return log(exp(values[0]) + exp(values[1]) + ...) without overflow, as one node.

    Raises
    ------
    InputCountError
        If there are no values. Also a ValueError.

    Notes
    -----
    The derivatives are `softmax(values)`.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.logsumexp([1000.0, 1000.0])
    1000.6931471805599
    """
    terms = _several(values)
    if not terms:
        raise InputCountError("logsumexp needs at least one value, got none")
    return logsumexp_of(len(terms))(*terms)


@family
def logsumexp_of(terms: int) -> Op:
    """Return the row of `logsumexp` of `terms` values."""
    fields = ", ".join(f"{{{i}}}" for i in range(terms))
    return Op(
        name="logsumexp",
        symbol="logΣexp",
        token="logsumexp",
        code=f"logsumexp([{fields}])",
        binds=(0,) * terms,
        arity=terms,
        forward=_logsumexp,
        partials=lambda out, *values: tuple(softmax(values)),
        note=(
            "Within 4 ulp of the largest value, to which it adds little. Derivatives, those "
            "of softmax, within 4 + (largest - smallest) ulp: exp magnifies the rounding of "
            "v - peak."
        ),
    )


def softmax(values: Sequence[Number]) -> list[Number]:
    """Return exp(v) / (sum of all exp(v)) for each v of `values`, without overflow.

    Parameters
    ----------
    values : sequence of number or Value

    Returns
    -------
    list of number or Value
        As long as `values`.

    Examples
    --------
    >>> import micrograd
    >>> micrograd.softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    values = _several(values)
    if not values:
        return []
    peak = peak_of(len(values))(*values)
    powers = [exp(value - peak) for value in values]
    total = sum(powers)
    return [power / total for power in powers]


def _peak(*values: Any) -> PlainNumber:
    largest: PlainNumber = max(values)
    return largest


@family
def peak_of(terms: int) -> Op:
    """Return the row of the largest of `terms` values, held constant: the shift of `softmax`."""
    fields = ", ".join(f"{{{i}}}" for i in range(terms))
    return Op(
        name="peak",
        gate=True,
        symbol="max",
        noun="largest",
        code=f"max({fields})" if terms > 1 else fields,
        binds=(0,) * terms,
        held="no shift changes softmax",
        arity=terms,
        forward=_peak,
        partials=lambda out, *values: (0,) * terms,
    )


def take(values: Iterable[Number], index: Number) -> Number:
    """Return the value at an index, counted from 0.

    Parameters
    ----------
    values : iterable of number or Value
    index : number or Value
        A whole number from 0 to the number of values less 1. It may be an input of a compiled
        function. A plain number picks the value itself, without a node.

    Raises
    ------
    InputCountError
        If there are no values. Also a ValueError.
    DomainError
        If the index is out of range or not a whole number. Also a ValueError.

    Notes
    -----
    The derivative with respect to the value taken is 1; to the others and the index it is 0.

    Examples
    --------
    >>> import micrograd
    >>> table, index = [micrograd.Value(v) for v in (0.5, -1.0, 2.0)], micrograd.Value(2)
    >>> y = micrograd.take(table, index)
    >>> y.backward()
    >>> y.data, [v.grad for v in table]
    (2.0, [0, 0, 1])
    """
    values = _several(values)
    if not values:
        raise InputCountError("take needs at least one value, got none")
    if isinstance(index, Operators):
        return take_of(len(values))(*values, index)
    return values[_place(index, len(values))]


def _place(index: Any, count: int) -> int:
    try:
        if 0 <= index < count and index == int(index):
            return int(index)
    except (TypeError, ValueError):  # it is no number
        pass
    hint = "; one index at a time" if hasattr(index, "__len__") and type(index) is not str else ""
    raise DomainError(
        f"take picks one of {count} values by a whole number from 0 to {count - 1}, got the index "
        f"{shown(index)}{hint}"
    )


def _take(*operands: Any) -> PlainNumber:
    *values, index = operands
    taken: PlainNumber = values[_place(index, len(values))]
    return taken


@family
def take_of(count: int) -> Op:
    """Return the row of `take` with `count` values, with operands (values..., index)."""
    fields = ", ".join(f"{{{i}}}" for i in range(count))
    return Op(
        name="take",
        gate=True,
        noun="value taken",
        code=f"take([{fields}], {{{count}}})",
        binds=(0,) * (count + 1),
        arity=count + 1,
        forward=_take,
        partials=lambda out, *operands: (*(equal(operands[-1], i) for i in range(count)), 0),
    )
