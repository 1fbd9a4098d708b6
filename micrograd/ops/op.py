"""What a row of the op table is, and how one is added to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from typing import Any, Final, TypeVar, cast

from micrograd.errors import (
    TOO_LARGE,
    ArgumentTypeError,
    InputCountError,
    MicrogradError,
    rewritten,
    shown,
    why,
)
from micrograd.ops.documentation import document, operands, signature
from micrograd.ops.operators import FAMILIES, REAL, TABLE, Number, Operators, PlainNumber, number

Factory = TypeVar("Factory", bound=Callable[..., "Op"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Op:
    """One primitive operation: a row of the table.

    Calling a row with plain numbers computes; with a `Value` among them it records a node.

    Parameters
    ----------
    name : str
        Key in `TABLE`, name of the function `micrograd.<name>` and of the method.
    forward : callable
        Plain numbers in, plain number out.
    partials : callable, optional
        `(out, *inputs) -> (∂out/∂input_0, ∂out/∂input_1, ...)`, one for each operand, written
        with operators and rows only. None for a node made by hand, whose rule is its `_backward`.
    arity : int
        How many operands it takes.
    symbol : str
        What a picture shows on the node of the operation; the name where not given.
    token : str
        What `Value._op` gives; the symbol where not given.
    noun : str
        What the operation is called in a sentence, "s is the *sum* ..."; the name where not given.
    summary : str
        What it gives, in words and as a formula: completes "Return ..." in the docstring.
    code : str
        How it is written in Python and in formulas, with `{0}`, `{1}` for the operands; a call of
        the name where not given.
    precedence : int
        How tightly that text binds: 1 for `+`, 2 for `*`, 3 for unary minus, 4 for `**`, 5 for a
        call (the default). It is 0 where the text is that of the operand, and binds as that does.
    binds : tuple of int
        How tightly each operand must bind to stand there without parentheses. Where not given it
        follows from `code` and `precedence`: anything may stand between brackets and commas, and
        an operator groups from the left, but `**` from the right.
    held : str
        Why the result is held constant although it has operands, as the end of a sentence. Its
        local derivatives are 0.
    adds : bool
        Whether it adds its operands.
    pairs : int
        For an operation that adds products: how many. The first `pairs` operands are each
        multiplied by one of the next `pairs`; an operand after these is the bias.
    defined : str
        Where it has a value: a Python condition on its operands; everywhere where not given.
    domain : tuple of (float, float)
        An interval for each operand, within `defined`, in which tests sample; (-8, 8) for each
        where not given.
    kinks : tuple of float
        Where the derivative is a convention rather than a limit.
    note : str
        What a reader of the rule should know: a convention, or why fewer digits are correct.
    source : str
        Where the rule was taken from.
    hint : str
        What to do where it has no value: the last clause of the error's message.
    slips : tuple of (int or None, str, str)
        What learners take for a local derivative: the operand, None for each, the wrong derivative
        as a formula of `out`, `own` (the operand) and `local` (the right one), and what to say.
    gate : bool
        Whether a local derivative of 0 means that the operand was not chosen, as in `where` and
        `relu`: a backward pass then passes nothing to it, and not 0 times the upstream gradient.
    opaque : bool
        Whether the node was made by hand, so that nothing can compute it again.
    family : str
        For a row with a constant, such as the exponent of a power: the factory that made it.
    parameters : tuple
        What that factory was given.
    renewed : callable, optional
        For a row with the number of an operand as a constant: gives the row for new inputs.
    """

    name: str
    forward: Callable[..., PlainNumber]
    partials: Callable[..., tuple[Number, ...]] | None
    arity: int
    symbol: str = ""
    token: str = ""
    noun: str = ""
    summary: str = ""
    code: str = ""
    precedence: int = 5
    binds: tuple[int, ...] = ()
    held: str = ""
    adds: bool = False
    pairs: int = 0
    defined: str = ""
    domain: tuple[tuple[float, float], ...] = ()
    kinks: tuple[float, ...] = ()
    note: str = ""
    source: str = ""
    hint: str = ""
    slips: tuple[tuple[int | None, str, str], ...] = ()
    gate: bool = False
    opaque: bool = False
    family: str = ""
    parameters: tuple[Any, ...] = ()
    renewed: Callable[..., Op] | None = None

    def __post_init__(self) -> None:
        fields = ", ".join(f"{{{i}}}" for i in range(self.arity))
        for field, default in (
            ("symbol", "" if self.opaque else self.name),
            ("token", self.symbol or ("" if self.opaque else self.name)),
            ("noun", self.name),
            ("code", f"{self.name}({fields})"),
        ):
            if not getattr(self, field):
                object.__setattr__(self, field, default)
        if not self.domain:
            object.__setattr__(self, "domain", (REAL,) * self.arity)
        if self.code == "{0}":
            object.__setattr__(self, "precedence", 0)
        if self.arity and not self.binds:
            object.__setattr__(self, "binds", tuple(self._binding()))

    def _binding(self) -> list[int]:
        """Return how tightly each operand must bind, from the text around it."""
        binds = [5] * self.arity
        for field in re.finditer(r"(^|[(\[,]\s*)?\{(\d+)\}(?=(\s*[)\],])?)", self.code):
            before, i, after = field[1], int(field[2]), field[3]
            if before and after:
                needed = 0
            elif self.precedence == 4:  # (a ** b) ** c, a ** b ** c
                needed = 4 + (field.start() == 0)
            else:  # a - (b - c), -(-a)
                needed = min(self.precedence + (field.start() > 0), 5)
            binds[i] = needed
        return binds

    @property
    def key(self) -> Op | str:
        """What a registry of rows finds it by: the name of its factory, else the row itself."""
        return self.family or self

    def __call__(self, *args: Number) -> Number:
        """Record the operation if an operand is traced, else compute it."""
        if len(args) != self.arity:
            raise self._miscounted(args)
        for arg in args:
            if type(arg) is not float and type(arg) is not int:
                break
        else:
            return self.compute(*args)
        for arg in args:
            if isinstance(arg, Operators):
                return arg._apply(self, args)
        return self.compute(*map(number, args))

    def _miscounted(self, operands: Sequence[object]) -> InputCountError:
        return InputCountError(f"{self.name} takes {self.arity} operand(s), got {len(operands)}")

    def compute(self, *inputs: PlainNumber) -> PlainNumber:
        """Return the forward rule's result on plain numbers.

        Raises
        ------
        DomainError, ZeroDivisorError, OverflowRangeError
            Where `math` raises; the message shows the operation with its operands.
        NumberTypeError, InputCountError
            If an operand is no number, or there are too many or too few.
        """
        try:
            result = self.forward(*inputs)
        except (ValueError, ArithmeticError) as error:
            raise self.failure(error, self.written(*inputs), inputs) from error
        except TypeError:
            if len(inputs) != self.arity:
                raise self._miscounted(inputs) from None
            for given in inputs:
                number(given)  # says which is no number
            raise
        return result if type(result) is float else number(result)

    def failure(
        self, error: ValueError | ArithmeticError, text: str, inputs: Sequence[PlainNumber]
    ) -> MicrogradError:
        """Return our exception for one that `forward` raised; `text` shows the operation."""
        if isinstance(error, MicrogradError):  # which says it all
            return error
        if isinstance(error, OverflowError):
            told = f"{text} {TOO_LARGE}"
        else:
            told = f"{text} is undefined: {why(error, self.name, inputs)}"
        return rewritten(error, f"{told}; {self.hint}" if self.hint else told)

    def written(self, *operands: object) -> str:
        """Return the operation as text, as in `log(-1)` or `1 / 0`.

        Examples
        --------
        >>> from micrograd.ops import TABLE
        >>> TABLE["hypot"].written("a", "b")
        'hypot(a, b)'
        """
        texts = []
        for operand in operands:
            text = shown(operand)
            texts.append(f"({text})" if 0 < self.precedence < 5 and text.startswith("-") else text)
        try:
            return self.code.format(*texts)
        except IndexError:
            raise self._miscounted(operands) from None

    def __repr__(self) -> str:
        return f"<op {self.token or 'constant'}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self is constant:
            return "constant"
        if self.family:
            return _from_family, (self.family, *self.parameters)
        if TABLE.get(self.name) is self:
            return _from_table, (self.name,)
        return foreign, (self.token,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Op:
        return self

    def __copy__(self) -> Op:
        return self


class _OfRow:
    """An attribute that each row computes for itself, and of which the class has its own."""

    def __init__(self, of_row: Callable[[Op], Any], of_class: Any) -> None:
        self.of_row = of_row
        self.of_class = of_class

    def __get__(self, row: Op | None, kind: type[Op]) -> Any:
        return self.of_class if row is None else self.of_row(row)


def _documented(op: Op) -> str:
    return f"{op.name}({', '.join(operands(op))})\n\n{document(op)}"


Op.__doc__ = cast("Any", _OfRow(_documented, Op.__doc__))
Op.__signature__ = _OfRow(signature, None)  # type: ignore[attr-defined]


def define(**row: Any) -> Op:
    """Add a row to the table, and with it a method of `Value`; return the row.

    Nothing else is needed: the operation then computes, has derivatives of every order, is shown in
    pictures, steps and formulas, and can be checked with `gradcheck`.

    Parameters
    ----------
    **row
        The fields of `Op`; `name`, `forward` and `partials` are needed. `arity` is counted from
        `forward` where not given; a function of C, like `math.hypot`, cannot be counted.

    Returns
    -------
    Op
        Call it with numbers or Values.

    Raises
    ------
    ValueError
        If the name is taken or is not a Python name.

    Examples
    --------
    >>> import micrograd
    >>> softsign = micrograd.define(
    ...     name="softsign",
    ...     forward=lambda x: x / (1 + abs(x)),
    ...     partials=lambda out, x: (1 / (1 + abs(x)) ** 2,),
    ... )
    >>> x = micrograd.Value(3.0, label="x")
    >>> y = softsign(x)  # or x.softsign()
    >>> y.backward()
    >>> x.grad
    0.0625
    >>> micrograd.formula(y)
    'softsign(x)'
    >>> micrograd.gradcheck(softsign, [3.0])
    True
    >>> micrograd.grad(micrograd.grad(softsign))(3.0)  # -2 / (1 + x)**3
    -0.03125
    >>> _ = micrograd.ops.TABLE.pop("softsign")  # tidy up after this example
    """
    if lacking := [repr(name) for name in ("name", "forward", "partials") if name not in row]:
        raise ArgumentTypeError(f"a row of the op table needs {', '.join(lacking)} too")
    code = getattr(row["forward"], "__code__", None)
    row.setdefault("arity", len(row.get("domain", ())) or getattr(code, "co_argcount", 1))
    op = Op(**row)
    if not op.name.isidentifier():
        raise ValueError(f"expected a Python name for the operation, got {op.name!r}")
    if op.name in TABLE:
        raise ValueError(f"the operation {op.name!r} exists already; choose another name")
    is_new = not hasattr(Operators, op.name)
    try:
        TABLE[op.name] = op
        if is_new:
            setattr(Operators, op.name, _method(op))
    except BaseException:  # an interrupt: the name is not taken
        TABLE.pop(op.name, None)
        if is_new and hasattr(Operators, op.name):
            delattr(Operators, op.name)
        raise
    return op


def _method(op: Op) -> Callable[..., Any]:
    """Return the row as a function: the row itself would not become a method."""

    def method(self: Operators, *args: Number) -> Number:
        return op(self, *args)

    method.__name__ = op.name
    method.__qualname__ = f"Operators.{op.name}"
    method.__doc__ = f"Return {op.summary or op.code.format(*operands(op))}."
    method.__signature__ = signature(op, "self")  # type: ignore[attr-defined]
    return method


def family(factory: Factory) -> Factory:
    """Cache the rows that a factory makes, and register it so that pickles can find it.

    Examples
    --------
    >>> from micrograd.ops import power
    >>> power(3) is power(3), power(3).family, power(3).parameters
    (True, 'power', (3,))
    """
    name = factory.__name__

    @lru_cache(maxsize=256, typed=True)
    @wraps(factory)
    def made(*parameters: Any) -> Op:
        return replace(factory(*parameters), family=name, parameters=parameters)

    FAMILIES[name] = made
    return cast("Factory", made)


def foreign(token: str) -> Op:
    """Return the row of a node that a user made by hand: only its token is known."""
    code = token.replace("{", "{{").replace("}", "}}") or "?"  # a brace in it is text
    return Op(
        name="foreign", forward=_no_forward, partials=None, arity=0, symbol=token, code=code,
        opaque=True,
    )  # fmt: skip


def _no_forward(*_: object) -> PlainNumber:
    raise TypeError("a node made by hand cannot be evaluated again")


def _from_table(name: str) -> Op:
    if name not in TABLE:
        raise KeyError(f"the operation {name!r} is not defined here: define it before loading")
    return TABLE[name]


def _from_family(factory: str, *parameters: Any) -> Op:
    return FAMILIES[factory](*parameters)


# The row of a plain number that met a Value: a leaf that is never differentiated.
constant: Final[Op] = Op(name="", forward=_no_forward, partials=None, arity=0)


def is_constant(node: Any) -> bool:
    """Return whether a node is a plain number that met a Value.

    Examples
    --------
    >>> from micrograd import Value
    >>> [is_constant(operand) for operand in (2 * Value(3.0)).parents]
    [True, False]
    """
    return node.op is constant


def is_free(node: Any) -> bool:
    """Return whether a node is a leaf that can have a gradient.

    Examples
    --------
    >>> from micrograd import Value
    >>> [is_free(operand) for operand in (2 * Value(3.0)).parents]
    [False, True]
    """
    return not node.parents and not is_constant(node)
