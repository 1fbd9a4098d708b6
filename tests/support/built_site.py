"""The built site: served under a path, opened without any other host, its notebooks run."""

import functools
import http.server
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

COURSE = sorted(path.name for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
STARTS = 120_000  # milliseconds, on a machine that does much else; some 3,000 on a quiet one


def built():
    """Return the folder that holds the site under `micrograd/`: .ci/run builds it and names it."""
    named = os.environ.get("MICROGRAD_SITE")
    if not named or not (Path(named) / "micrograd" / "index.html").exists():
        pytest.skip("MICROGRAD_SITE names no built site")
    return Path(named)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """Serve the site under a path, as on a server that holds others too; give its address."""
    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/micrograd/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def opened(browser, address, **options):
    """Open a page that may reach the site alone; whatever else it asks for fails the test."""
    context = browser.new_context(**options)
    elsewhere, errors = [], []

    def route(asked):
        if asked.request.url.startswith((address.rpartition("/micrograd/")[0], "data:", "blob:")):
            asked.continue_()
        else:
            elsewhere.append(asked.request.url)
            asked.abort()

    context.route("**/*", route)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not elsewhere, elsewhere
    assert not errors, errors


# ---- notebooks in JupyterLite ------------------------------------------------------------------

_NOTEBOOK = "window.jupyterapp?.shell.currentWidget"
_IDLE = f"() => {_NOTEBOOK}?.sessionContext?.session?.kernel?.status === 'idle'"
_CELLS = f"""() => [...{_NOTEBOOK}.content.model.cells].filter(cell => cell.type === "code")
    .map(cell => [cell.executionCount, cell.outputs.toJSON()])"""
_RUN = """() => {
    window.ran = false;
    window.jupyterapp.commands.execute("notebook:run-all-cells")
        .finally(() => { window.ran = true; });
}"""


def started(page, address, name):
    """Open a notebook in JupyterLite, and wait until its Python is there."""
    page.goto(f"{address}lite/notebooks/index.html?path={name}")
    page.wait_for_function(_IDLE, timeout=STARTS)


def run_all(page, limit):
    """Run all cells, and return their execution counts and outputs; `limit` is in seconds."""
    page.evaluate(_RUN)
    page.wait_for_function("window.ran", timeout=1000 * limit)
    return page.evaluate(_CELLS)


def show_output(page, inside):
    """Scroll to the first cell whose output has an element; JupyterLab hides those out of view."""
    page.evaluate(
        f"""inside => {{
            const {{ content }} = {_NOTEBOOK};
            const i = content.widgets.findIndex(({{ node }}) => node.querySelector(inside));
            content.activeCellIndex = i;
            return content.scrollToItem(i, "start");
        }}""",
        inside,
    )


def assert_ran(cells):
    """Check that every cell ran, in order, and that none has ended in an error."""
    errors = [output["evalue"] for _, outputs in cells for output in outputs if "evalue" in output]
    assert not errors, errors
    assert [count for count, _ in cells] == list(range(1, len(cells) + 1))
