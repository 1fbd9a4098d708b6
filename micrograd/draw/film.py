"""The backward pass as a film: a frame for each contribution, in the order of the engine."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from micrograd.backward_pass import Recording, Row, backward_rows, final_gradients
from micrograd.checks import finite_number, needs, one_of, whole_number
from micrograd.draw.diagram import Box, Diagram, build, checked_model, names_of, roots_of
from micrograd.draw.dot import (
    RANKDIRS,
    Style,
    card,
    checked_options,
    head,
    html,
    new_picture,
    operation,
    stroke,
    value_line,
)
from micrograd.errors import ArgumentError, PictureError
from micrograd.files import path_ending_in, path_of, write_atomic
from micrograd.sentences import Words
from micrograd.style import Theme, largest, mix
from micrograd.style import theme as theme_of
from micrograd.values.notation import Names

__all__ = ["animate_backward", "gif_of"]


@dataclass(slots=True)
class _State:
    """How far the pass is: each value's gradient, and the contribution on each line."""

    grads: list[Any]
    got: list[int]
    due: list[int]
    flows: dict[tuple[int, int], Any]


def animate_backward(
    root: Any,
    path: str | os.PathLike[str],
    *,
    frames: str | os.PathLike[str] | None = None,
    seconds: float = 1.2,
    width: int = 1200,
    rankdir: str = "LR",
    theme: str = "light",
    precision: int = 4,
    labels: Any = None,
    model: Any = None,
    max_nodes: int = 60,
) -> Path:
    """Draw the backward pass from `root` as an animated GIF.

    Each frame shows one contribution: its line is marked, and the chain rule with its numbers
    stands below. The gradients of the graph itself do not change.

    Parameters
    ----------
    root : Value
    path : path
        The GIF to write; its name ends in `.gif`.
    frames : path, optional
        A folder for the single frames, `frame_000.png`, ...
    seconds : float, default 1.2
        How long a frame is shown; the last one is shown for at least 3 seconds.
    width : int, default 1200
        The largest width, in pixels.
    rankdir, theme, precision, labels, model
        As for `draw_dot`.
    max_nodes : int, default 60
        A larger graph is an error.

    Returns
    -------
    Path
        The path of the GIF.

    Raises
    ------
    ArgumentError
        If the graph is too large, an option is unknown, or the name does not end in `.gif`. Also a
        ValueError.
    PictureError
        In a web page, where Graphviz makes no image for a frame; the message says what shows the
        same there.
    ImportError
        If Pillow is missing.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from micrograd import Value
    >>> x = Value(3.0, label="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate_backward(x * x, f"{folder}/square.gif").name
    'square.gif'
    """
    roots = roots_of(root)
    if len(roots) != 1:
        raise ArgumentError(f"a backward pass starts at one value, got {len(roots)}")
    target = path_ending_in(path, ".gif")
    one_of("rankdir", rankdir, RANKDIRS)
    checked_options(format="png", program="wheel", theme=theme, precision=precision)
    finite_number("seconds", seconds, above=0)
    finite_number("width", width, above=0)
    whole_number("max_nodes", max_nodes, 1)
    if sys.platform == "emscripten":
        raise PictureError(
            "no film of a backward pass can be drawn in a web page: there, steps(root) shows the "
            "same pass, and steps(root).to_html(path) writes it as a page that plays it"
        )
    with needs("train", "animations need Pillow"):
        from PIL import Image
    diagram = build(roots, names=names_of(labels), model=checked_model(model))
    if len(diagram.boxes) > max_nodes:
        raise ArgumentError(
            f"the graph has {len(diagram.boxes):,} values, a film holds {max_nodes}: animate "
            "part of the graph, or allow more with max_nodes="
        )
    style = Style(theme=theme_of(theme), rankdir=rankdir, precision=precision)
    images = []
    for body, caption in _frames(diagram, style, Recording(roots[0])):
        drawn = new_picture(body, "png", "wheel", "Backward pass", caption).pipe("png")
        image = Image.open(io.BytesIO(drawn)).convert("RGB")
        if image.width > width:
            size = (int(width), max(1, round(image.height * width / image.width)))
            image = image.resize(size, Image.Resampling.LANCZOS)
        images.append(image)
    flat = [image.quantize(colors=255, dither=Image.Dither.NONE) for image in images]
    write_atomic(target, gif_of(flat, seconds))
    if frames is not None:
        folder = path_of(frames)
        folder.mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(images):
            content = io.BytesIO()
            image.save(content, "PNG")
            write_atomic(folder / f"frame_{i:03d}.png", content.getvalue())
    return target


def gif_of(images: list[Any], seconds: float) -> bytes:
    """Return a GIF of images that shows each for some seconds, and the last for three or more."""
    content, each = io.BytesIO(), max(20, round(1000 * seconds))
    times = [each] * (len(images) - 1) + [max(3000, each)]
    images[0].save(
        content, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0, disposal=1
    )
    return content.getvalue()


def _frames(
    diagram: Diagram, style: Style, recording: Recording
) -> Iterator[tuple[list[str], str]]:
    """Yield the DOT source and the caption of each frame."""
    rows = backward_rows(recording)
    chain = [row for row in rows if row.kind == "chain"]
    diagram.scale = largest([row.after for row in rows] + [row.contribution for row in chain])
    count = len(diagram.boxes)
    due = [0] * count
    for row in chain:
        due[row.parent] += 1
    state = _State([None] * count, [0] * count, due, {})
    room = [len(style.number(box.data)) for box in diagram.boxes]
    for row in rows:
        target = row.node if row.kind == "seed" else row.parent
        room[target] = max(room[target], len(style.number(row.after, signed=True)))
    for box in diagram.boxes:  # the captions call every value by its name
        if box.role != "constant":
            box.name = box.name or f"v{box.position}"
    texts = {box.value: box.name for box in diagram.boxes if box.role != "constant"}
    called = Names(texts, set(), {}, set(), set())
    words = Words(recording, called=called, precision=style.precision)
    captions = [words.caption(row) for row in rows]
    done = words.done(len(rows), final_gradients(rows, count))
    wide = max(len(caption) for caption in [*captions, done])
    for row, caption in zip(rows, captions, strict=True):
        if row.kind == "seed":
            state.grads[row.node] = row.after
        else:
            state.grads[row.parent] = row.after
            state.got[row.parent] += 1
            state.flows[row.node, row.operand] = row.contribution
        yield list(_drawn(diagram, style, state, row, (caption, wide, room))), caption
    yield list(_drawn(diagram, style, state, None, (done, wide, room))), done


def _drawn(
    diagram: Diagram,
    style: Style,
    state: _State,
    row: Row | None,
    under: tuple[str, int, list[int]],
) -> Iterator[str]:
    """Yield the lines of one frame; each thing has the same room in every frame, so none moves."""
    theme, scale = style.theme, diagram.scale
    caption, wide, room = under
    label = (
        '<<table border="0" cellborder="0" cellspacing="0" cellpadding="6"><tr>'
        f'<td height="36" width="{8 * wide}"><font point-size="16" color="{theme.ink}">'
        f"{html(caption)}</font></td></tr></table>>"
    )
    yield from head(theme, style.rankdir, label, 0.4)
    giving = row.node if row is not None else -1
    taking = row.parent if row is not None and row.kind == "chain" else giving
    for box in diagram.boxes:
        position = box.position
        got, due = state.got[position], state.due[position]
        grad = state.grads[position]
        shown = replace(box, grad=grad)
        note = " "
        if grad is not None:
            note = "final" if got >= due else f"{got} of {due}"
        frame = _frame(theme, box, giving, taking)
        text = card(shown, style, theme, scale, frame=frame, note=note, room=room[position])
        yield value_line(shown, text, theme)
        if box.op is None:
            continue
        yield operation(box, theme)
        passing = row is not None and row.kind == "chain" and row.node == position
        flow = grad if got >= due and grad is not None else None
        yield (
            f"\to{position} -> v{position} [{_line(flow, scale, style, passing)} arrowsize=0.55]\n"
        )
        for i, parent in enumerate(box.parents):
            current = passing and row is not None and row.operand == i
            sent = state.flows.get((position, i))
            yield (
                f"\tv{parent} -> o{position} [{_line(sent, scale, style, current)} "
                f"tailport={RANKDIRS[style.rankdir]} arrowhead=none]\n"
            )


def _line(flow: Any, scale: Any, style: Style, is_current: bool) -> str:
    """Return the attributes of a line; the current one is marked with yellow."""
    if not is_current:
        return stroke(flow, scale, style, style.theme)
    yellow = style.theme.current
    return f'color="{yellow}:{style.theme.stroke(flow or 0)}:{yellow}" penwidth=4.5'


def _frame(theme: Theme, box: Box, giving: int, taking: int) -> str:
    """Return the outline of a card: yellow if it receives, dark if it passes on, else pale."""
    dashed = ",dashed" if box.role == "constant" else ""
    color = mix(theme.ink if box.is_output else theme.line, theme.bg, 0.65)
    if box.position in (giving, taking):
        color, dashed = (theme.current if box.position == taking else theme.ink), ""
    return f'border="4" style="rounded{dashed}" color="{color}" bgcolor="{theme.bg}"'
