"""What Python sends to the page: strings, positions, and two sizes per step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from micrograd.backward_pass import BROKEN, Row, is_same
from micrograd.draw.diagram import build
from micrograd.errors import TooLargeError
from micrograd.sentences import signed
from micrograd.stepper.guess import guess_data
from micrograd.stepper.page.folding import LARGEST_WHOLE, Folded, folded
from micrograd.stepper.page.layout import (
    CARD,
    LARGEST_DRAWING,
    NARROW,
    RADIUS,
    Layout,
    lay_out,
)
from micrograd.stepper.page.live import live_data
from micrograd.stepper.page.net import net_data, sections_data
from micrograd.stepper.page.opening import call_text
from micrograd.stepper.page.updating import update_data
from micrograd.stepper.paths import Path, explain_all
from micrograd.stepper.stepper import Stepper
from micrograd.style import finite, largest, magnitude, number_text

__all__ = ["LARGEST_GRAPH", "LARGEST_WALK", "layout_of", "page_data"]

LARGEST_GRAPH: Final = 3_000  # values
LARGEST_WALK: Final = 20_000  # steps
_KINDS: Final = ("forward", "seed", "chain")
_ROLES: Final = {"parameter": "param", "constant": "const"}
_DIGIT: Final = 7.3  # pixels


def layout_of(stepper: Stepper) -> Layout:
    """Return the layout of a stepper's graph.

    Raises
    ------
    TooLargeError
        If there are more values or steps than a page can show.
    """
    values, count = len(stepper.nodes), len(stepper)
    if values > LARGEST_GRAPH or count > LARGEST_WALK:
        raise TooLargeError(
            f"this graph has {values:,} values and {count:,} steps; a page shows up to "
            f"{LARGEST_GRAPH:,} and {LARGEST_WALK:,}. Take the loss of fewer samples, neurons as "
            "one node each (atomic=False), or steps(part) of a value inside the graph; the steps "
            "themselves, their sentences and explain() work at any size"
        )
    widths = [_width(node.op.symbol) if node.parents else 0 for node in stepper.nodes]
    fold = folded(build([stepper.root]).boxes)
    recording, words = stepper.recording, stepper.words
    labels = {
        (i, k): _DIGIT * (len(number_text(local)) + 2)
        for i, locals_ in enumerate(recording.locals)
        for k, local in enumerate(locals_)
    }
    if fold or values > LARGEST_WHOLE:
        return lay_out(recording.parents, widths, labels, fold, lines=2)
    shown = [*map(number_text, recording.data), *(signed(row.after) for row in stepper.pass_rows)]
    least = min(CARD[0], max(NARROW, round(_DIGIT * max(map(len, shown))) + 14))
    arithmetic = _DIGIT * max(len(words.arithmetic(row)) for row in stepper.pass_rows) + 14
    wide, narrow = (
        lay_out(recording.parents, widths, labels, card=card,
                lines=1 if arithmetic <= card + 68 else 2)
        for card in (CARD[0], least)
    )  # fmt: skip
    return replace(wide, narrow=narrow)


def _width(symbol: str) -> float:
    return 2 * RADIUS if len(symbol) == 1 else max(2 * RADIUS + 6, round(8.2 * len(symbol) + 18))


def page_data(stepper: Stepper, layout: Layout | None = None, title: str | None = None) -> Any:
    """Return all steps as a document for JSON.

    Parameters
    ----------
    stepper : Stepper
    layout : Layout, optional
        From `layout_of`, to keep positions while numbers change.
    title : str, optional
        By default the expression.
    """
    layout = layout or layout_of(stepper)
    table: dict[str, int] = {}
    known: dict[str, int] = {"": -1}
    typeset = stepper.words.called.typeset

    def text(words: str) -> int:
        if words not in known:
            known[words] = table.setdefault(typeset(words), len(table))
        return known[words]

    rows = stepper.pass_rows
    numbers = [
        number for row in rows for number in (row.contribution, row.after) if number is not None
    ]
    scale = largest(numbers)
    places = {(edge.child, edge.operand): k for k, edge in enumerate(layout.edges)}
    steps = [
        _step(stepper, k, scale, places.get((row.node, row.operand), -1), text)
        for k, row in enumerate(rows)
    ]
    sections, live = sections_data(stepper, text), live_data(stepper, text)
    return {
        "version": 1,
        "title": str(title or _title(stepper)),
        "call": call_text(stepper),
        "size": list(layout.size),
        "box": [layout.card, CARD[1], RADIUS],
        "narrow": _places(layout.narrow) if layout.narrow else None,
        "gmax": number_text(scale),
        "rule": BROKEN[stepper.broken] if stepper.broken else None,
        "assigns": stepper.broken == "assign",
        "turns": max(row.turn for row in rows),
        "nodes": _nodes(stepper, layout),
        "edges": [
            [edge.parent, edge.child, edge.operand, edge.curve, *edge.label, edge.lean]
            if edge.curve
            else [edge.parent, edge.child, edge.operand]
            for edge in layout.edges
        ],
        "alike": _alike(stepper, layout.fold),
        "paths": _paths(stepper, layout, places, text),
        "net": net_data(stepper),
        "live": live,
        "update": None if "why" in live else update_data(stepper),
        "sections": sections,
        "guess": guess_data(stepper),
        "strings": list(table),
        "steps": steps,
    }


def _places(layout: Layout) -> dict[str, Any]:
    """Return where everything stands on a narrower page."""
    places = zip(layout.cards, layout.operations, layout.outs, strict=True)
    return {
        "size": list(layout.size),
        "box": [layout.card, CARD[1], RADIUS],
        "nodes": [[*card, *(operation or ()), out] for card, operation, out in places],
        "edges": [[edge.curve, *edge.label, edge.lean] for edge in layout.edges],
    }


def _alike(stepper: Stepper, fold: Folded | None) -> list[dict[str, Any]]:
    """Return the groups of terms that are computed alike; the page shows one term at a time."""
    words = stepper.words
    return [
        {"name": words.called.typeset(words.names[like.total]), "terms": like.terms}
        for like in (fold.groups if fold else [])
    ]


def _paths(
    stepper: Stepper, layout: Layout, places: dict[tuple[int, int], int], text: Any
) -> list[Any] | None:
    """Return the explanation of each gradient, path by path; None for a large graph."""
    if layout.fold or len(stepper.nodes) > LARGEST_DRAWING:
        return None
    at = {node: i for i, node in enumerate(stepper.nodes)}

    def edges(path: Path) -> list[int]:
        ways = zip(path.nodes, path.operands, strict=False)
        return [places[at[node], operand] for node, operand in ways]

    found = []
    for explanation in explain_all(stepper.recording, stepper.right_gradients):
        *rows, (_, count, total) = explanation.rows
        paths = [
            [
                text(way),
                text(f"{factors} {path.relation}"),
                text(product),
                edges(path),
            ]
            for (way, factors, product), path in zip(rows, explanation.paths, strict=False)
        ]
        paths += [[*map(text, row), []] for row in rows[len(paths) :]]
        found.append([paths, text(count), text(total)])
    return found


def _nodes(stepper: Stepper, layout: Layout) -> list[dict[str, Any]]:
    words, recording = stepper.words, stepper.recording
    roles = [box.role for box in build([stepper.root]).boxes]
    fold = layout.fold
    nodes = []
    for i, node in enumerate(stepper.nodes):
        name, data = words.called.typeset(words.names[i]), recording.data[i]
        found = {
            "name": name,
            "role": _ROLES.get(roles[i], roles[i]),
            "text": number_text(data),
            "full": str(data),
            "x": layout.cards[i][0],
            "y": layout.cards[i][1],
        }
        centre = layout.operations[i]
        if centre is not None:
            found |= {
                "sym": node.op.symbol,
                "ox": centre[0],
                "oy": centre[1],
                "ow": _width(node.op.symbol),
                "d": layout.outs[i],
                "loc": [number_text(local) for local in recording.locals[i]],
            }
        if fold:
            found |= {"spot": fold.spot[i], "own": fold.owner[i]}
            if (term := fold.term[i]) is not None:
                found |= {"set": term[0], "term": term[1]}
        nodes.append(found)
    return nodes


def _step(stepper: Stepper, k: int, scale: Any, edge: int, text: Any) -> list[Any]:
    words, step = stepper.words, stepper[k]
    row = step.row
    if row.kind == "forward":
        shown = [
            words.expression(row.node),
            words.with_numbers(row.node),
            words.relation(row.node),
            "",
            number_text(stepper.recording.data[row.node]),
        ]
    else:
        local = number_text(row.local) if row.kind == "chain" else ""
        shown = [signed(row.before), signed(row.upstream), local, signed(row.contribution),
                 signed(row.after)]  # fmt: skip
    return [
        _KINDS.index(row.kind),
        row.node,
        row.parent,
        edge,
        row.number,
        row.of,
        row.turn,
        _size(row.contribution, scale),
        _size(row.after, scale),
        *[text(part) for part in shown],
        text(step.text),
        text(step.rule),
        text(words.arithmetic(row)),
        text(_correct(stepper, row)),
        text(words.sum_sign(row) if row.kind == "chain" else ""),
    ]


def _size(number: Any, scale: Any) -> float:
    """Return the size of a number from -1 to 1, never 0 unless the number is; 2 for infinity."""
    if number is None or number == 0:
        return 0
    if not finite(number):
        return 2
    size = max(0.01, round(magnitude(number, scale), 2))
    return size if number > 0 else -size


def _correct(stepper: Stepper, row: Row) -> str:
    """Return the correct gradient where a broken rule has given a wrong one."""
    if not stepper.broken or row.kind == "forward":
        return ""
    wanted = stepper.words.correct_after(row)
    return signed(wanted) if wanted is not None and not is_same(wanted, row.after) else ""


def _title(stepper: Stepper) -> str:
    words = stepper.words
    parts: list[str] = []
    for i in range(len(stepper.nodes) - 1, -1, -1):
        if not stepper.recording.parents[i] or (parts and not stepper.nodes[i].label):
            continue
        name, expression = words.names[i], words.expression(i)
        part = expression if name == expression else f"{name} = {expression}"
        if parts and len(",  ".join([*parts, part])) > 60:
            break
        parts.append(part)
    return words.called.typeset(",  ".join(parts) or words.names[-1])
