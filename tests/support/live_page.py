"""The script of the stepper's page, asked for what it computes, without a page around it."""

from contextlib import contextmanager
from pathlib import Path

from browser import launched

from micrograd.graph import order
from micrograd.stepper.page import page_data
from micrograd.stepper.page.html import LAST_LINE, script

# Where the texts of a step stand among what Python sends of it.
TEXTS = {
    "before": 9, "up": 10, "loc": 11, "con": 12, "after": 13, "say": 14, "rule": 15, "sum": 16,
    "correct": 17, "equals": 18,
}  # fmt: skip


@contextmanager
def engine_of_pages():
    """Give a function that asks a page with the script: `ask(name, argument)`."""
    asked = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    code = f"{script().removesuffix(LAST_LINE)}\nconst NAMES = {list(TEXTS)};\n{asked}"
    with launched() as browser:
        page = browser.new_page()
        page.add_script_tag(content=f"{code}\nwindow.tests = tests;")
        yield lambda name, argument=None: page.evaluate(
            "([name, argument]) => tests[name](argument)", [name, argument]
        )
        page.close()


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


def texts_of(stepper, layout=None):
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
