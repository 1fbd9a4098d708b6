"""Modules under the names that they had in version 1.0.0, for pickles and programs that name them.

>>> import micrograd.node
>>> micrograd.node.__name__
'micrograd.engine.node'
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # to import it takes longer than all that is done here

__all__ = ["MOVED", "install"]

# Old name: new name, both below `micrograd`.
MOVED: Final = {
    "anomaly": "values.anomaly",
    "chain_rule": "engine.backward",
    "draw.animate": "draw.film",
    "draw.command": "cli.graph",
    "expression": "cli.expression",
    "handout": "cli.notebooks",
    "leaving": "values.leaving",
    "look": "style",
    "node": "engine.node",
    "passes": "backward_pass",
    "paths": "stepper.paths",
    "recording": "values.grad_mode",
    "replay.direct": "replay.llvm.direct",
    "replay.driver": "replay.llvm.driver",
    "replay.host": "replay.llvm.processor",
    "replay.ieee": "replay.python.ieee",
    "replay.loop": "replay.training.loop",
    "replay.lower": "replay.llvm.rows",
    "replay.reach": "replay.trace.reach",
    "replay.run_loops": "replay.llvm.loop_code",
    "replay.runs": "replay.llvm.rerolled",
    "replay.source": "replay.python.source",
    "replay.steps": "replay.llvm.bytecode",
    "replay.tape": "replay.trace.tape",
    "replay.traced": "replay.trace.traced",
    "replay.watch": "replay.trace.watch",
    "samples": "train.data",
    "spelling": "cli.spelling",
    "terminal": "cli.terminal",
    "training_run": "loop.run",
    "training_task": "train.task",
    "walk": "stepper.terminal",
    "widget": "stepper.page",
    "widget.data": "stepper.page.data",
    "widget.folding": "stepper.page.folding",
    "widget.layout": "stepper.page.layout",
    "widget.notebook": "stepper.page.notebook",
    "widget.page": "stepper.page.html",
    "words": "sentences",
    "workshop": "course.build_your_own",
}


class _Finder(Loader):
    """Finder and loader of the import system that answers an old name with the module of today."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, old = name.partition(".")
        return ModuleSpec(name, self) if package == "micrograd" and old in MOVED else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to the import system to make a module, which `exec_module` replaces."""

    def exec_module(self, module: ModuleType) -> None:
        # What an import gives is what stands in this table when the module has been run.
        new = MOVED[module.__name__.partition(".")[2]]
        sys.modules[module.__name__] = import_module(f"micrograd.{new}")


_finder: Final = _Finder()


def install() -> None:
    """Let the import system know of the old names."""
    if _finder not in sys.meta_path:
        # First, for a room may have a file of the old name: `stepper/page/data.py`.
        sys.meta_path.insert(0, _finder)
