"""What every picture of a graph is made from: one box for each value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from micrograd.checks import listed
from micrograd.engine import Value
from micrograd.errors import ArgumentError, ArgumentTypeError, MicrogradError, shown_typed
from micrograd.formula import Text, labelled, write
from micrograd.graph import depends_on, order
from micrograd.ops import Op, is_constant, is_free
from micrograd.sentences.naming import product_signs
from micrograd.style import largest, number_text
from micrograd.values.names import Owner, names_in
from micrograd.values.notation import FoundNeuron

__all__ = [
    "VAST", "Box", "Diagram", "build", "checked_model", "count_values", "names_of", "roots_of",
    "told",
]  # fmt: skip

VAST: Final = 5_000  # values; in a larger picture lines do not show the gradient on them
_NAME_LIMIT = 10  # characters; a longer expression is not used as a name
_LONGEST_TITLE = 16  # characters of a name that stands in an expression
_WEIGHT = re.compile(r"(w|W|weight|theta|θ)[\W\d_]*\Z")
_BIAS = re.compile(r"(b|B|bias)[\W\d_]*\Z")


@dataclass(slots=True)
class Box:
    """One value of the picture.

    Attributes
    ----------
    position : int
        Its position in topological order, which is its name in DOT.
    value : Value
    name : str
        Its name or a short expression; "" if it has neither.
    title : str
        Its name: a label, the name given or the place in a network.
    role : str
        "input", "parameter", "constant" or "computed".
    is_output : bool
    parents : tuple of int
        Positions of the operands, in order and with repeats.
    op : Op or None
    data : number
    grad : number or None
        None if it is not computed yet.
    local : tuple of number
        The local derivative with respect to each operand; empty if there is none, and in graphs of
        more than `VAST` values.
    flow : tuple of number
        What this value contributes to the gradient of each operand.
    in_gradient : bool
        Whether it belongs to the graph of a gradient, not to the forward pass.
    is_faded : bool
    """

    position: int
    value: Value
    name: str
    title: str
    role: str
    is_output: bool
    parents: tuple[int, ...]
    op: Op | None
    data: Any
    grad: Any
    local: tuple[Any, ...]
    flow: tuple[Any, ...]
    in_gradient: bool = False
    is_faded: bool = False

    @property
    def flows(self) -> list[tuple[int, Any]]:
        """The position of each operand, and what it is passed; None if not known yet."""
        return list(zip(self.parents, self.flow or [None] * len(self.parents), strict=True))


@dataclass(slots=True)
class Diagram:
    """The boxes of a picture in topological order, the scale of its gradients, and its neurons."""

    boxes: list[Box]
    scale: Any = 0
    title: str = ""
    roles: set[str] = field(default_factory=set)
    neurons: list[FoundNeuron] = field(default_factory=list)

    @property
    def is_tree(self) -> bool:
        """Whether no computed value is used twice; then operands can be drawn in order."""
        used: set[int] = set()
        for box in self.boxes:
            for parent in box.parents:
                if parent in used and self.boxes[parent].parents:
                    return False
                used.add(parent)
        return True


# ---- arguments ---------------------------------------------------------------------------------


def roots_of(root: Any) -> list[Value]:
    """Return the values to draw as a list.

    Raises
    ------
    ArgumentTypeError
        If `root` is neither a Value nor a sequence of them.
    """
    roots = [root] if isinstance(root, Value) else root
    if not isinstance(roots, (list, tuple)) or not roots:
        raise ArgumentTypeError(
            f"expected a Value to draw, got {shown_typed(root)}: give the result of a computation, "
            "or a list of results"
        )
    for value in roots:
        if not isinstance(value, Value):
            raise ArgumentTypeError(
                f"expected a Value to draw, got {shown_typed(value)} in the list"
            )
    return list(dict.fromkeys(roots))


def names_of(labels: Any) -> dict[Any, str]:
    """Return the names in `labels`, which maps values or modules to names, or names to them.

    Raises
    ------
    ArgumentTypeError
        If it does neither.

    Examples
    --------
    >>> x = Value(1.0)
    >>> names_of({"x": x}) == names_of({x: "x"}) == {x: "x"}
    True
    """
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise ArgumentTypeError(
            f"labels must map values to names or names to values, got {shown_typed(labels)}"
        )
    names: dict[Any, str] = {}
    for key, item in labels.items():
        if isinstance(key, (Value, Owner)) and isinstance(item, str):
            names[key] = item
        elif isinstance(key, str) and isinstance(item, (Value, Owner)):
            names.setdefault(item, key)
        elif isinstance(key, str) and isinstance(item, (list, tuple)):
            for i, value in enumerate(item):
                if isinstance(value, Value):
                    names.setdefault(value, f"{key}[{i}]")
        elif isinstance(key, Value):
            raise ArgumentTypeError(f"the name of {key!r} must be text, got {shown_typed(item)}")
        elif not isinstance(key, str):
            raise ArgumentTypeError(f"labels must be of Values, got {shown_typed(key)}")
    return names


def checked_model(model: Any) -> Any:
    """Return a module, or None, as given.

    Raises
    ------
    ArgumentTypeError
        If `model` has no `named_parameters`.
    """
    is_class = isinstance(model, type)
    if model is not None and (is_class or not callable(getattr(model, "named_parameters", None))):
        raise ArgumentTypeError(
            f"model must be a Module with named_parameters(), got {type(model).__name__}"
        )
    return model


def count_values(roots: Sequence[Value], limit: int) -> int:
    """Return how many values the roots are computed from, or `limit` + 1 if there are more.

    The time depends on the limit, not on the size of the graph.
    """
    seen: set[Value] = set()
    stack = list(roots)
    while stack and len(seen) <= limit:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.parents)
    return min(len(seen), limit + 1)


# ---- from values to boxes ----------------------------------------------------------------------


def build(
    roots: Sequence[Value],
    *,
    names: Mapping[Value, str] | None = None,
    model: Any = None,
    wrt: Iterable[Value] | None = None,
    forward: Value | None = None,
) -> Diagram:
    """Return the diagram of the values that `roots` are computed from.

    Parameters
    ----------
    roots : sequence of Value
    names : mapping of Value to str, optional
        Names of values that have no label.
    model : Module, optional
        The network of the values, if it is not found by itself. In a graph without a network labels
        decide: leaves called w, w1, ... are parameters, and where there are any, leaves called b,
        b1, ... too.
    wrt : iterable of Value, optional
        Fade values that are not on a path from one of these.
    forward : Value, optional
        Values that are not computed for this one belong to the graph of a gradient.

    Raises
    ------
    CycleError
        If a value is its own ancestor.
    ArgumentError
        If a value of `wrt` is not in the graph.

    Notes
    -----
    The time is linear in the size of the graph.
    """
    nodes: dict[Value, int] = {}
    for root in roots:
        if root not in nodes:
            for node in order(root):
                nodes.setdefault(node, len(nodes))
    outputs = set(roots)
    values = list(nodes)
    called = names_in(values, names, model)
    titles = dict(zip(values, called.titles(values), strict=True))
    trained = called.parameters or _named_as_parameters(values, titles)
    is_vast = len(values) > VAST
    texts = [""] * len(values) if is_vast else _expressions(values, titles, called.products)
    locals_ = [() if is_vast else _local_derivatives(value) for value in values]
    grads = _gradients(values, nodes, locals_, outputs)
    before = set(order(forward)) if forward is not None else set(values)
    lit = _on_path(values, wrt)

    boxes = []
    for position, value in enumerate(values):
        parents = value.parents
        grad, local = grads[position], locals_[position]
        if parents and value.op.held:  # its edges show no derivative of 0
            local = ()
        if parents:
            role = "computed"
        elif is_constant(value) and not titles[value]:
            role = "constant"
        else:
            role = "parameter" if value in trained else "input"
        boxes.append(
            Box(
                position=position,
                value=value,
                name=titles[value] or texts[position],
                title=titles[value],
                role=role,
                is_output=value in outputs,
                parents=tuple([nodes[parent] for parent in parents]),
                op=value.op if parents else None,
                data=value.data,
                grad=grad,
                local=local,
                flow=() if grad is None else tuple([_product(grad, factor) for factor in local]),
                in_gradient=value not in before,
                is_faded=lit is not None and value not in lit,
            )
        )
    known = [box.grad for box in boxes if box.grad is not None]
    title = boxes[nodes[roots[0]]].name
    return Diagram(boxes, largest(known), title, {box.role for box in boxes}, called.neurons)


def told(op: Op) -> str:
    """Return the name of an operation in words."""
    return f"{op.noun}, held constant: {op.held}" if op.held else op.noun


def _named_as_parameters(values: list[Value], titles: Mapping[Value, str]) -> set[Value]:
    leaves = [value for value in values if is_free(value)]
    weights = {value for value in leaves if _WEIGHT.match(titles[value])}
    biases = {value for value in leaves if _BIAS.match(titles[value])}
    return weights | biases if weights else set()


def _expressions(
    values: list[Value], titles: Mapping[Value, str], products: Collection[Value]
) -> list[str]:
    """Return the expression of each computed value, or "" if it is too long for a name."""
    texts: dict[Value, Text | None] = {}
    result = []
    for value in values:
        text: Text | None = None
        parents = value.parents
        if not parents:
            if is_constant(value):
                text = Text(number_text(value.data))
        elif len(parents) <= _NAME_LIMIT:
            operands = [found for parent in parents if (found := texts[parent]) is not None]
            if len(operands) == len(parents):
                text = write(value.op, operands)
                is_long = len(text.text) > _NAME_LIMIT and value not in products
                if is_long or text.text in [operand.text for operand in operands]:
                    text = None
        result.append(product_signs(text.text) if text is not None and parents else "")
        title = titles[value]
        texts[value] = labelled(title) if title and len(title) <= _LONGEST_TITLE else text
    return result


def _local_derivatives(value: Value) -> tuple[Any, ...]:
    try:
        return value.local_derivatives()
    except MicrogradError:  # it has none, none exists at this point, or data have changed since
        return ()


def _gradients(
    values: list[Value],
    nodes: Mapping[Value, int],
    locals_: list[tuple[Any, ...]],
    outputs: set[Value],
) -> list[Any]:
    """Return each gradient, None for a value that no backward pass has reached.

    A gradient starts as the int 0. If it still is 0, it counts as computed only if all values that
    use this one have gradients, and their contributions to it add up to 0.
    """
    grads: list[Any] = [getattr(value.grad, "data", value.grad) for value in values]
    arriving: dict[int, Any] = {}  # the sum of contributions; None if one of them is not known
    for position in range(len(values) - 1, -1, -1):
        grad, local = grads[position], locals_[position]
        if type(grad) is int and grad == 0:
            arrived = arriving.get(position)
            if arrived is None or arrived != 0 or values[position] in outputs:
                grads[position] = grad = None
        for i, parent in enumerate(values[position].parents):
            target = nodes[parent]
            so_far = arriving.get(target, 0)
            if grad is None or so_far is None:
                arriving[target] = None
            elif local:
                arriving[target] = so_far + _product(grad, local[i])
    return grads


def _product(left: Any, right: Any) -> Any:
    try:
        return left * right
    except OverflowError:  # an int too large for a float
        return float("inf") if (left > 0) == (right > 0) else float("-inf")


def _on_path(values: list[Value], wrt: Iterable[Value] | None) -> set[Value] | None:
    if wrt is None:
        return None
    wanted = [wrt] if isinstance(wrt, Value) else listed("wrt", wrt, "Values of the graph")
    present = set(values)
    for value in wanted:
        if not isinstance(value, Value):
            raise ArgumentTypeError(f"wrt must be Values of the graph, got {shown_typed(value)}")
        if value not in present:
            raise ArgumentError(f"wrt must be Values of the graph: it does not contain {value!r}")
    return depends_on(values, wanted)
