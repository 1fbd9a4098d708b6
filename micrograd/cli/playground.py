"""The command `micrograd playground`: serve the built site, and open its playground."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from micrograd.checks import whole_number
from micrograd.cli.command import DONE, Command
from micrograd.errors import ArgumentError

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

__all__ = ["COMMAND", "serving", "site"]

_LOOPBACK: Final = "127.0.0.1"
_EVERYWHERE: Final = "0.0.0.0"
_LAST_PORT: Final = 65_535
_PACKAGE: Final = "micrograd_playground"
_HOW: Final = (
    "build it in a copy of micrograd's source with `python docs/build.py site`, and name the "
    "folder: micrograd playground site; or install the wheel that `--wheel DIR` makes of it there"
)
# Said here, for some systems have other types for these in their registry.
_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}


def site(folder: str | None = None) -> Path:
    """Return the folder of the built site: the given one, or that of the installed wheel.

    Parameters
    ----------
    folder : str, optional

    Raises
    ------
    ArgumentError
        If there is no playground in it, or none is installed; the message says how to get it.
    """
    if folder is not None:
        found = Path(folder).resolve()
        if not (found / "playground" / "index.html").is_file():
            raise ArgumentError(f"there is no playground in {folder!r}: {_HOW}")
        return found
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ArgumentError(f"the playground is not installed: {_HOW}")
    return Path(next(iter(spec.submodule_search_locations))) / "site"


def serving(folder: Path, host: str = _LOOPBACK, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of the files in a folder, and of nothing else; it lists no folder.

    Parameters
    ----------
    folder : Path
    host : str, default "127.0.0.1"
    port : int, default 0
        0 for any that is free.

    Raises
    ------
    ArgumentError
        If there can be no such port. Also a ValueError.
    OSError
        If the address cannot be used.
    """
    whole_number("the port", port, 0, _LAST_PORT)
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any, **options: Any) -> None:
            self.extensions_map = {**self.extensions_map, **_TYPES}
            super().__init__(*args, directory=str(folder), **options)

        def list_directory(self, path: Any) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return ThreadingHTTPServer((host, port), Files)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        help="a folder that docs/build.py wrote (default: the installed micrograd-playground)",
    )
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument(
        "--host",
        default=_LOOPBACK,
        help="0.0.0.0 lets every computer on your network read the site's files and nothing else; "
        "programs run in the visitors' browsers (default: this computer alone)",
    )
    parser.add_argument("--no-open", action="store_true", help="do not open the browser")


def _run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl+C."""
    import webbrowser

    folder = site(arguments.folder)
    with serving(folder, arguments.host, arguments.port) as server:
        own = _LOOPBACK if arguments.host == _EVERYWHERE else arguments.host
        address = f"http://{own}:{server.server_port}/playground/"
        print(f"The playground is at {address} until you press Ctrl+C.", flush=True)
        if arguments.host != _LOOPBACK:
            print(
                f"Others reach it at this computer's own address, port {server.server_port}. They "
                f"can read the files in {folder}, and nothing else. Let this run while they work: "
                "over http a browser keeps no page of another computer for a visit without it.",
                flush=True,
            )
        if not arguments.no_open:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return DONE


COMMAND: Final = Command(
    "playground",
    "Open the playground: expressions and Python, stepped through in your browser, offline.",
    _add_arguments,
    _run,
    "micrograd playground site --no-open",
)
