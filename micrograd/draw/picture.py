"""A picture: DOT source that becomes SVG or PNG without any program outside Python."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, Final

import graphviz

from micrograd.checks import one_of
from micrograd.draw import in_page
from micrograd.draw.dot import FORMATS
from micrograd.errors import ArgumentError, PictureError
from micrograd.files import path_of, write_atomic
from micrograd.style import FONT_FAMILY, dark_twin, host_rules

__all__ = ["Picture"]

_WHEEL_LACKS: Final = ("pdf",)
_HELP: Final = {
    "wheel": "install it with: pip install graphviz-pure",
    "system": "install Graphviz (https://graphviz.org/download) so that `dot` is on the PATH, or "
    "leave out program='system'",
}


class Picture(graphviz.Digraph):  # type: ignore[misc, unused-ignore]
    """A `graphviz.Digraph` that draws itself with the layout program of a Python package.

    As the last line of a notebook cell it is shown; `write` writes it to a file; `source` is its
    DOT source, to which `node`, `edge` and `attr` may add.

    Attributes
    ----------
    program : {"wheel", "system"}
        The layout program: that of the package graphviz-pure, or the `dot` on the path.
    title, description : str
        What a screen reader reads out.
    no_layout : int or None
        2 if the source gives all positions, so that there is nothing to lay out.
    follows : bool
        Whether the SVG, of light colours, is dark where the page around it is.
    """

    program = "wheel"
    no_layout: int | None = None
    follows = False
    title = "Computation graph"
    description = ""

    def pipe(
        self,
        format: str | None = None,  # noqa: A002
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = True,
        *,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> Any:
        """Return the picture as bytes, or as text if an encoding is given.

        Parameters
        ----------
        format : str, optional
            "svg", "png", "jpg", "dot" or "json", and "pdf" with the system's program.
        renderer, formatter, neato_no_op, engine : optional
            As in `graphviz.Digraph.pipe`.
        quiet : bool, default True
            Do not print the warnings of the layout program.
        encoding : str, optional

        Raises
        ------
        ArgumentError
            If the format is unknown, or the layout program cannot write it.
        PictureError
            If the layout program is missing or fails. Also a RuntimeError.
        """
        kind = format or self.format
        if not (renderer or formatter):
            one_of("format", kind, FORMATS)
        if kind in _WHEEL_LACKS and self.program == "wheel":
            raise ArgumentError(
                f"{kind} needs the system's Graphviz: pass program='system' where that is "
                "installed, or choose svg or png"
            )
        command = [
            _program(self.program, os.environ.get("PATH", "")),
            f"-K{engine or self.engine}",
            "-T" + ":".join(part for part in (kind, renderer, formatter) if part),
        ]
        if kind in ("png", "jpg"):
            command.append("-Gdpi=192")
        still = self.no_layout if neato_no_op is None else int(neato_no_op)
        if still is not None:
            command.append(f"-n{still}")
        result = _run(command, self.source)
        if result.returncode or not result.stdout:
            told = result.stderr.decode("utf-8", "replace").strip()
            raise PictureError(
                f"the layout program failed with exit status {result.returncode}"
                + (f": {told[:500]}" if told else "")
            )
        if not quiet and result.stderr:
            sys.stderr.write(result.stderr.decode("utf-8", "replace"))
        drawn: bytes = result.stdout
        if kind == "svg":
            svg = _finished(drawn.decode("utf-8"), self.title, self.description, self.follows)
            drawn = svg.encode("utf-8")
        return drawn if encoding is None else drawn.decode(encoding)

    def write(self, path: str | os.PathLike[str], format: str | None = None) -> Path:  # noqa: A002
        """Write the picture to a file atomically.

        Parameters
        ----------
        path : path
        format : str, optional
            By default that of the path's ending.

        Returns
        -------
        Path
            The path written.

        Raises
        ------
        ArgumentError
            If the path's ending is not a format.
        OSError
            If the file cannot be written; an existing file is then left as it was.
        """
        target = path_of(path)
        kind = format or target.suffix[1:].lower() or self.format
        if kind not in FORMATS:
            raise ArgumentError(
                f"cannot tell the format of {target.name!r}: end it in one of "
                + ", ".join(f".{known}" for known in FORMATS)
            )
        content = self.source.encode("utf-8") if kind == "dot" else self.pipe(kind)
        write_atomic(target, content)
        return target

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,  # noqa: A002
        *,
        outfile: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> str:
        """Save the DOT source and the picture beside it, as `graphviz.Digraph.render` does.

        Returns
        -------
        str
            The path of the picture.
        """
        kind = format or self.format
        if outfile is not None:
            target = Path(directory or "") / outfile
            kind = format or target.suffix[1:].lower() or kind
            filename = filename or target.with_suffix(".gv").name
        content = self.pipe(
            kind,
            **{key: options[key] for key in ("renderer", "formatter", "engine") if key in options},
        )
        source = Path(self.save(filename, directory=directory))
        target = target if outfile is not None else Path(f"{source}.{kind}")
        write_atomic(target, content)
        if cleanup:
            source.unlink()
        if view:
            self._view(str(target), format=kind, quiet=True)
        return str(target)

    def _repr_image_svg_xml(self) -> str:
        return str(self.pipe("svg", encoding="utf-8"))

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_: Any
    ) -> dict[str, Any]:
        own = "image/png" if self.format == "png" else "image/svg+xml"
        wanted = set(include) if include is not None else {own}
        shown: Mapping[str, Any] = {
            "image/svg+xml": self._repr_image_svg_xml,
            "image/png": lambda: self.pipe("png"),
            "text/plain": lambda: repr(self),
        }
        wanted |= {"text/plain"} if wanted and include is None else set()
        return {kind: draw() for kind, draw in shown.items() if kind in wanted - set(exclude or ())}

    def __repr__(self) -> str:
        return f"<{self.title}>"

    def copy(self) -> Picture:
        """Return an independent copy."""
        twin: Picture = super().copy()
        twin.program, twin.title, twin.description = self.program, self.title, self.description
        twin.no_layout, twin.follows = self.no_layout, self.follows
        return twin


# ---- the layout program ------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _program(which: str, path: str) -> str:
    """Return the path of the layout program; `path` is part of the key, as `dot` depends on it."""
    if which == "wheel" and sys.platform == "emscripten":
        return in_page.NAME
    found = shutil.which("dot", path=path) if which == "system" else _of_wheel(path)
    if not found:
        name = "dot" if which == "system" else "of graphviz-pure"
        raise PictureError(f"the layout program {name} is missing: {_HELP[which]}")
    return found


def _of_wheel(path: str) -> str | None:
    name = "graphviz-pure.exe" if os.name == "nt" else "graphviz-pure"
    places = [Path(sysconfig.get_path("scripts")) / name, Path(sys.executable).parent / name]
    try:
        listed = importlib.metadata.files("graphviz-pure") or []
        places += [Path(str(item.locate())) for item in listed if item.name == name]
    except importlib.metadata.PackageNotFoundError:
        pass
    for place in places:
        if place.is_file():
            return str(place.resolve())
    return shutil.which("graphviz-pure", path=path)


def _run(command: list[str], source: str) -> subprocess.CompletedProcess[bytes]:
    if command[0] == in_page.NAME:
        return in_page.run(command, source)
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        return subprocess.run(
            command,
            input=source.encode("utf-8"),
            capture_output=True,
            check=False,
            creationflags=hidden,
        )
    except OSError as error:
        raise PictureError(f"the layout program {command[0]} does not run: {error}") from error


# ---- the SVG -----------------------------------------------------------------------------------

_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_TITLE = re.compile(r"<title>.*?</title>\n?", re.DOTALL)
_SIZE = re.compile(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"')
_ID = re.compile(r'(\s)id="')


def _finished(svg: str, title: str, description: str, follows: bool) -> str:
    """Return the SVG ready for a page: no prolog, unique ids, pixels, text for screen readers."""
    token = "g" + sha256(svg.encode("utf-8")).hexdigest()[:8]
    svg = _TITLE.sub("", _COMMENT.sub("", svg[svg.index("<svg") :]))
    svg = _ID.sub(rf'\1id="{token}-', svg)
    svg = svg.replace('font-family="Helvetica,sans-Serif"', f"font-family='{FONT_FAMILY}'")
    size = _SIZE.match(svg)
    if size is None:
        return svg
    end = svg.index(">")
    width, height = size.groups()
    head = (
        f'<svg id="{token}" width="{width}" height="{height}" style="max-width:100%;height:auto" '
        f'role="img" aria-labelledby="{token}-title {token}-desc"{svg[size.end() : end]}>\n'
        f'<title id="{token}-title">{escape(title)}</title>\n'
        f'<desc id="{token}-desc">{escape(description)}</desc>'
    )
    return head + (_following(svg, token) if follows else "") + svg[end + 1 :]


_TAG = re.compile(r"<(\w+) ([^>]*)>")
_COLOUR = re.compile(r'\b(fill|stroke)="(#[0-9a-fA-F]{6})"')


def _following(svg: str, token: str) -> str:
    """Return the style sheet by which a light SVG is dark where the page around it is.

    As a file or an image it is a page of its own, and does as the system or as the page that shows
    the image.
    """
    used = {
        (tag == "text", *pair) for tag, said in _TAG.findall(svg) for pair in _COLOUR.findall(said)
    }
    rules = ["svg:root{color-scheme:light dark}", host_rules(f"#{token}")]
    rules.append(f"@media print{{svg#{token}#{token}{{color-scheme:light}}}}")
    for is_text, attribute, colour in sorted(used):
        dark = dark_twin(colour, is_text)
        if dark:
            chosen = f'#{token} {"text" if is_text else ""}[{attribute}="{colour}"]'
            rules.append(f"{chosen}{{{attribute}:light-dark({colour},{dark})}}")
    return f"\n<style>{''.join(rules)}</style>"
