"""The stepper as an HTML page: without network, server or kernel."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Final

from micrograd.checks import whole_number
from micrograd.files import path_of, write_atomic
from micrograd.replay.js import FUNCTIONS
from micrograd.sentences.comparing import COMPARED
from micrograd.stepper.comparison import Comparison
from micrograd.stepper.page.data import page_data
from micrograd.stepper.page.minified import stripped
from micrograd.stepper.page.opening import opening
from micrograd.stepper.stepper import Stepper
from micrograd.style import THEMES, Theme, host_rules

__all__ = [
    "HEIGHT",
    "LAST_LINE",
    "TITLE",
    "Frame",
    "document",
    "framed",
    "page_text",
    "script",
    "styles",
    "to_html",
]

_STATIC: Final = Path(__file__).parent / "static"
# In this order: a script may use what those before it declare. The last one ends in `LAST_LINE`.
_COMMON: Final = (
    "base.js", "numbers.js", "live.js", "host.js", "address.js", "parts.js", "curve.js", "pull.js",
    "update.js", "guess.js", "png.js", "share.js",
)  # fmt: skip
_LENS: Final = ("lens_words.js", "lens_picture.js", "lens.js", "lens.css")  # for networks
_DRAWN: Final = ("graph.js", "camera.js", "panel.js", "stepper.js")  # for all other graphs
LAST_LINE: Final = "export default{initialize:takePlaces(render),render};\n"
_NO_SCRIPT_STEPS: Final = 300
HEIGHT: Final = 860  # of a frame, in pixels
TITLE: Final = "Back-propagation, step by step"


def _files(kind: str, net: bool | None) -> tuple[str, ...]:
    found = (() if net is False else _LENS) + (() if net else _DRAWN)
    return tuple(name for name in found if name.endswith(kind))


@lru_cache
def script(net: bool | None = None, compares: bool = False) -> str:
    """Return the JavaScript, the same for a notebook and a page: one module, of several files.

    Parameters
    ----------
    net : bool, optional
        Only what a page of a network needs, or only what a page of another graph needs.
    compares : bool, default False
        With what shows two walks side by side.
    """
    names = (*_COMMON, *_files(".js", net), *(["compare.js"] if compares else []), "page.js")
    return stripped(FUNCTIONS.read_text(encoding="utf-8")) + _script(*names)


def _script(*names: str) -> str:
    return stripped("\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names))


@lru_cache
def styles(net: bool | None = None) -> str:
    """Return the style sheet, with the colours of `micrograd.style`; `net` as in `script`."""
    names = ("stepper.css", *_files(".css", net), "share.css")
    sheet = "".join((_STATIC / name).read_text(encoding="utf-8") for name in names)
    light, dark = (_tokens(THEMES[name]) for name in ("light", "dark"))
    sheet = re.sub(r"\s*([{};])\s*", r"\1", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL))
    return f'.mgs {{ {light} }}\n.mgs[data-theme="dark"] {{ {dark} }}\n{sheet}'


def _tokens(theme: Theme) -> str:
    names = (
        "bg", "panel", "ink", "muted", "line", "hair", "pos", "neg", "pos_text", "neg_text",
        "pos_tint", "neg_tint", "none", "zero", "current", "current_text", "wrong",
        "input_chip", "input_text", "parameter_chip", "parameter_text",
    )  # fmt: skip
    tokens = [f"--{name.replace('_', '-')}: {getattr(theme, name)};" for name in names]
    card = theme.bg if theme.name == "light" else theme.panel
    return " ".join([*tokens, f"--card: {card};", f"color-scheme: {theme.name};"])


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), mtime=0)).decode()


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def page_text(
    stepper: Stepper | Comparison, title: str | None = None, plain: bool = True, **state: Any
) -> str:
    """Return the page as HTML; it opens at the current step.

    Its content security policy allows its own script and style sheet, by their hashes, and nothing
    else: no network, no inline handlers, no frames.

    Parameters
    ----------
    stepper : Stepper or Comparison
    title : str, optional
        By default the expression.
    plain : bool, default True
        Whether to hold the steps as plain text too, for where scripts do not run.
    **state
        As for `opening`.

    Raises
    ------
    TooLargeError
        If the graph has more values or steps than a page can show.
    """
    pair = stepper.steppers if isinstance(stepper, Comparison) else (stepper,)
    walks = [page_data(walk, title=title) for walk in pair]
    data: dict[str, Any] = dict(walks[0])
    if isinstance(stepper, Comparison):
        second = stepper.steppers[1].broken or stepper.names[1]
        told = {"names": stepper.names, "heads": stepper.heads, "says": COMPARED, "as": second}
        data = {"title": data["title"], "net": None, "compare": walks, **told}
    data["position"] = pair[0].position
    if start := opening(pair[0], **state):
        data["start"] = start
    nets = {walk["net"] is not None for walk in walks}
    has_net = nets.pop() if len(nets) == 1 else None
    code, sheet = script(has_net, len(pair) > 1), styles(has_net)
    if not code.endswith(LAST_LINE):
        raise AssertionError("stepper.js must end in its export, which the page replaces")
    code = code.removesuffix(LAST_LINE) + _script("start.js")
    text = str(stepper) if len(stepper) <= _NO_SCRIPT_STEPS else "The steps need JavaScript."
    name = f"{data['title']}: back-propagation, step by step"
    return document(name, code, sheet, data, text if plain else "")


def document(title: str, code: str, sheet: str, data: Any, plain: str) -> str:
    """Return an HTML page with one script, one style sheet and the data that the script reads.

    Script and data are compressed, to a third and a tenth, and a short script starts them.

    Parameters
    ----------
    title : str
    code : str
        JavaScript that awaits the data from `pageData()` and draws into the element `mgs`.
    sheet : str
    data
        Anything that JSON can hold.
    plain : str
        The text shown where scripts do not run.
    """
    held = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    start = _script("load.js")
    policy = (
        f"default-src 'none'; script-src {_hash(start)} {_hash(code)}; style-src {_hash(sheet)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>{sheet}</style></head>
<body class="mgs-page"><main id="mgs"></main><noscript><pre>{escape(plain)}</pre></noscript>
<script type="application/gzip" id="mgs-data">{_packed(held)}</script>
<script type="application/gzip" id="mgs-code">{_packed(code)}</script>
<script type="module">{start}</script></body></html>
"""


def to_html(
    stepper: Stepper | Comparison, path: str | Path, title: str | None = None, **state: Any
) -> Path:
    """Write the page to a file atomically and return its path; see `page_text`."""
    target = path_of(path)
    write_atomic(target, page_text(stepper, title, **state).encode("utf-8", "replace"))
    return target


def framed(text: str, title: str, height: int = HEIGHT, theme: str = "auto") -> str:
    """Return a page as an element of another one: it may run its script and save its picture.

    It is as light or dark as the page around it, also when that changes.

    Parameters
    ----------
    text : str
    title : str
        What a screen reader reads out.
    height : int, default 860
        In pixels.
    theme : {"auto", "light", "dark"}, default "auto"
    """
    own = "" if theme == "auto" else f";color-scheme:{theme}"
    held = text.replace("&", "&amp;").replace("'", "&#39;")
    return (
        f"<style>{host_rules('.mgs-frame')}.mgs-frame~.mgs-still{{display:none}}</style>"
        '<iframe class="mgs-frame" sandbox="allow-scripts allow-downloads" '
        f'title="{escape(title)}" width="100%" height="{height}" style="border:0{own}" '
        f"srcdoc='{held}'></iframe>"
    )


class Frame:
    """The page in a frame of a notebook; it may run its script and save its picture.

    Parameters
    ----------
    stepper : Stepper or Comparison
    height : int, default 860
        In pixels.
    """

    def __init__(self, stepper: Stepper | Comparison, height: int = HEIGHT) -> None:
        self.height = whole_number("height", height, 1)
        self.text = page_text(stepper)

    def _repr_html_(self) -> str:
        return framed(self.text, TITLE, self.height)

    def __repr__(self) -> str:
        return f"<Stepper as a page, {self.height} pixels high>"
