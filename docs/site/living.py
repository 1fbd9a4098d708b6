"""The directive `stepper`: a page of the stepper, made when the site is built."""

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from micrograd.cli.expression import parse
from micrograd.stepper import steps
from micrograd.stepper.page.notebook import saved_steps


class StepperDirective(SphinxDirective):
    """Show the steps of an expression, which is the argument; `leaves` gives its numbers."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"leaves": directives.unchanged_required, "name": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Return the page, in a frame."""
        leaves = dict(each.split("=") for each in self.options["leaves"].split())
        root, _ = parse(self.arguments[0], {name: float(x) for name, x in leaves.items()})
        root.label = self.options.get("name", "")
        return [nodes.raw("", saved_steps(steps(root)), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("stepper", StepperDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
