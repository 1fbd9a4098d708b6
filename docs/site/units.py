"""A number and its unit stay on one line."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

UNITS = re.compile(r"(?<=[\d)]) (?=(?:[nµm]?s|[kMG]B|%|times|ulp)(?!\w))")


class Together(SphinxPostTransform):
    """Put a space that does not break before each unit, but for those in code."""

    default_priority = 900

    def run(self, **_: object) -> None:
        """Change the texts of a page."""
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, (nodes.literal, nodes.literal_block, nodes.raw)):
                together = UNITS.sub("\N{NO-BREAK SPACE}", text)
                if together != text:
                    text.parent.replace(text, nodes.Text(together))


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the transform."""
    app.add_post_transform(Together)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
