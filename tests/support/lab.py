"""A real JupyterLab with a notebook open in it, which a test starts and stops."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

MAKE = """\
from micrograd import Value, steps
x, w, b = Value(2, label="x"), Value(-3, label="w"), Value(10, label="b")
h = x * w; h.label = "h"
s = h + b; s.label = "s"
L = s * h; L.label = "L"
stepper = steps(L)
view = stepper.widget()
view"""
AGAIN = "view"
ASK = 'print("step", view.step, "x", x.data, "error", repr(view.error))'


def notebook(*sources):
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "source": source,
         "execution_count": None}
        for i, source in enumerate(sources)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def jupyterlab(folder, program="jupyterlab"):
    """Start a server of our own, with no settings of the user's, and stop it."""
    port = free_port()
    root = folder / "notebooks"
    root.mkdir()
    (root / "lesson.ipynb").write_text(
        json.dumps(notebook(MAKE, AGAIN, ASK, "stepper")), encoding="utf-8"
    )
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        (folder / name).mkdir()
        variables[name] = str(folder / name)
    command = [
        sys.executable, "-m", program, "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}",
        "--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.allow_root=True",
    ]  # fmt: skip
    if program == "jupyterlab":
        command += [
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
    log = (folder / "server.log").open("w", encoding="utf-8")
    server = subprocess.Popen(command, env=variables, stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            if server.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{address}/api", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail(f"{program} did not start")
        assert server.poll() is None, (folder / "server.log").read_text(encoding="utf-8")
        folder_of_notebooks = "lab/tree" if program == "jupyterlab" else "notebooks"
        yield f"{address}/{folder_of_notebooks}/lesson.ipynb?reset"
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


class Lab:
    """One notebook open in JupyterLab."""

    def __init__(self, page):
        self.page = page
        self.errors = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def cell(self, i):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(i)

    def run(self, i):
        """Run a cell, again and again until the kernel has taken it."""
        prompt = self.cell(i).locator(".jp-InputArea-prompt")
        before = prompt.inner_text()
        for _ in range(40):
            self.cell(i).scroll_into_view_if_needed()
            self.cell(i).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            for _ in range(30):
                text = prompt.inner_text()
                if text != before and re.search(r"\d", text):
                    return
                if "*" in text:
                    before = "" if text != before else before
                self.page.wait_for_timeout(200)
        raise AssertionError(f"cell {i} did not run: {prompt.inner_text()!r}")

    def view(self, i):
        return self.cell(i).locator(".mgs")

    def save(self, path):
        """Press Ctrl+S where the focus is, and return the outputs in the file once it has some."""
        self.page.keyboard.press("Control+s")
        for _ in range(100):
            with suppress(json.JSONDecodeError):  # it is being written
                cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
                if any(cell["outputs"] for cell in cells):
                    return [cell["outputs"] for cell in cells]
            self.page.wait_for_timeout(100)
        raise AssertionError("Ctrl+S did not save the notebook")

    def printed(self, i):
        self.run(i)
        self.page.wait_for_timeout(300)
        return self.cell(i).locator(".jp-OutputArea-output").inner_text()


def opened_lesson(browser, address):
    """Return the lesson open in a window of its own, with its cells there."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    lab = Lab(page)
    page.locator(".jp-Notebook .jp-CodeCell").nth(3).wait_for(timeout=120_000)
    return context, page, lab
