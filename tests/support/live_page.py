"""The script of the stepper's page, asked for what it computes, without a page around it."""

import json
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from browser import launched

from micrograd.graph import order
from micrograd.stepper.page import page_data
from micrograd.stepper.page.html import LAST_LINE, script
from micrograd.stepper.page.layout import Edge, Layout

# Where the texts of a step stand among what Python sends of it.
TEXTS = {
    "before": 9, "up": 10, "loc": 11, "con": 12, "after": 13, "say": 14, "rule": 15, "sum": 16,
    "correct": 17, "equals": 18,
}  # fmt: skip


# What the script needs of a browser before it is asked for anything, and how node is asked.
_NODE = """
const document = { createElement: () => ({ getContext: () => ({}) }) };
%s
require("readline").createInterface({ input: process.stdin }).on("line", text => {
  console.log(answer(text));
});
"""


@contextmanager
def engines_of_pages():
    """Give functions that ask the script, `ask(name, argument)`: in Chromium and, if here, in node.

    Without node a test of its own is skipped, in tests/stepper/page/test_minified.py.
    """
    asked = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    code = f"{script().removesuffix(LAST_LINE)}\nconst NAMES = {list(TEXTS)};\n{asked}"
    with launched() as browser, ExitStack() as stack:
        page = browser.new_page()
        page.add_script_tag(content=f"{code}\nwindow.answer = answer;")
        engines = [lambda text: page.evaluate("text => answer(text)", text)]
        if path := shutil.which("node"):
            engines.append(stack.enter_context(_node(path, code)))
        yield [_asking(engine) for engine in engines]
        page.close()


def _asking(engine):
    return lambda name, argument=None: json.loads(engine(json.dumps([name, argument])))


@contextmanager
def _node(path, code):
    pipe = subprocess.PIPE
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "asked.js"
        file.write_text(_NODE % code, encoding="utf-8")
        with subprocess.Popen([path, file], stdin=pipe, stdout=pipe, encoding="utf-8") as node:

            def answer(text):
                print(text, file=node.stdin, flush=True)
                return node.stdout.readline()

            yield answer
            node.stdin.close()


def unplaced(stepper):
    """Return a layout that takes no time: nothing is looked at."""
    parents = stepper.recording.parents
    edges = [Edge(p, c, k) for c, found in enumerate(parents) for k, p in enumerate(found)]
    spots = [(0.0, 0.0)] * len(parents)
    operations = [(0.0, 0.0) if found else None for found in parents]
    return Layout((0.0, 0.0), spots, operations, [""] * len(parents), edges)


def spelt(number):
    """Return a number as JavaScript reads it."""
    return repr(float(number)).replace("inf", "Infinity").replace("nan", "NaN")


def changed(stepper, changes):
    """Return the steps of a copy of the graph with other leaves."""
    root = stepper.copy_of_graph()
    nodes = order(root)
    for place, number in changes:
        nodes[place].data = number
    return stepper.of_copy(root.forward())


def texts_of(stepper, layout):
    """Return what Python sends of a walk, as `read` of the page gives it."""
    data = page_data(stepper, layout)
    strings, net = [*data["strings"], ""], data["net"]  # a text at -1 is empty
    return {
        "nodes": [[node["text"], node.get("loc")] for node in data["nodes"]],
        "gmax": data["gmax"],
        "paths": data["paths"]
        and [
            [*([strings[row[1]], strings[row[2]]] for row in rows), strings[total]]
            for rows, _, total in data["paths"]
        ],
        "groups": net
        and [strings[g["text"]] for section in data["sections"] for g in section["groups"]],
        "p": [term["p"] for term in net["loss"]["terms"]] if net and net["loss"] else None,
        "steps": [[strings[step[at]] for at in TEXTS.values()] for step in data["steps"]],
        "sizes": [step[7:9] for step in data["steps"]],
    }
