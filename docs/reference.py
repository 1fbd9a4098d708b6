"""Write the pages of the reference, one for each public name, from the package itself."""

import importlib
import inspect
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpydoc.docscrape import ClassDoc
from numpydoc.docscrape_sphinx import SphinxDocString

import micrograd
from micrograd.cli.parser import COMMANDS
from micrograd.ops import TABLE, Op
from micrograd.ops.documentation import document, operands, signature
from micrograd.plot import plot_function, save_figure


@dataclass(frozen=True)
class Section:
    """A page of the reference that lists the names of one or more modules.

    Attributes
    ----------
    slug : str
        Its folder.
    title, text : str
    modules : tuple of str
        Whose `__all__` is listed, in this order.
    """

    slug: str
    title: str
    text: str
    modules: tuple[str, ...]


SECTIONS = (
    Section(
        "values",
        "Values and gradients",
        "A `Value` is a number that remembers how it was computed. These names build graphs of "
        "them and differentiate: once, again, and as functions.",
        ("engine", "functional", "formula", "values.anomaly", "graph"),
    ),
    Section(
        "ops",
        "Operations",
        "Every operation is a row of one table: its value, its derivative and where it is defined. "
        "Each page shows the function (solid) and its derivative (dashed), both computed by the "
        "engine. Each operation is a function of `micrograd` and a method of `Value`, but for the "
        "operators, which are Python's own.",
        ("ops",),
    ),
    Section("nn", "Networks", "Neurons, layers and multi-layer perceptrons.", ("nn",)),
    Section("losses", "Losses", "What training makes small, a mean over the samples.", ("losses",)),
    Section(
        "optim",
        "Optimizers",
        "Optimizers, schedules of the learning rate, and clipping.",
        ("optim",),
    ),
    Section(
        "train",
        "Training",
        "One loop for every network, the data sets of the course, the estimators for scikit-learn, "
        "and what to ask when a network does not learn.",
        ("train", "datasets", "estimator", "diagnosis"),
    ),
    Section(
        "stepper",
        "Steps and explanations",
        "A backward pass one local derivative at a time, forwards and backwards, and why a "
        "gradient is the number it is.",
        ("stepper", "stepper.paths"),
    ),
    Section(
        "pictures",
        "Pictures and plots",
        "Graphs, networks, films of a backward pass, and plots of training.",
        ("draw", "plot"),
    ),
    Section("live", "Watching a network learn", "Live, as a film and as a page.", ("live",)),
    Section(
        "replay",
        "Compiled functions",
        "A function of Values recorded once and run as Python, machine code, C or JavaScript.",
        ("replay",),
    ),
    Section(
        "interop",
        "To and from other libraries",
        "The weights are copied, never shared.",
        ("interop",),
    ),
    Section(
        "course",
        "The exercises of the course",
        "What the notebooks call to check an answer.",
        ("course",),
    ),
    Section(
        "errors",
        "Errors",
        "Each error is also the built-in one that a caller expects, and its message names the "
        "thing, its value, what was expected and what to do.",
        ("errors",),
    ),
)

# What raises each error: the page shows the message.
RAISED = {
    "ArgumentError": 'nn.MLP(2, [4, 1], activation="than")',
    "ArgumentTypeError": "draw_dot(3.0)",
    "NumberTypeError": 'Value("2")',
    "OptionTypeError": 'optim.SGD([Value(1.0)], lr="fast")',
    "DomainError": "log(Value(-1.0))",
    "ZeroDivisorError": "Value(1.0) / 0",
    "OverflowRangeError": "exp(Value(1000.0))",
    "InputCountError": "nn.MLP(2, [4, 1])([1.0, 2.0, 3.0])",
    "StateError": "nn.MLP(2, [4, 1]).load_state_dict({})",
    "StaleGraphError": "x = Value(2.0, label='x')\ny = x * x\nx.data = 3.0\ny.backward()",
    "NotInGraphError": "a = Value(2.0, label='a')\nsteps(a * a).find('b')",
    "NoSuchStepError": "a = Value(2.0, label='a')\nsteps(a * a)[99]",
    "TooLargeError": "x = Value(1.0)\nfor _ in range(40): x = x + x\nsteps(x, broken='recursion')",
    "NotDifferentiableError": "x = Value(2.0, label='x')\nmath.exp(x)",
    "GradcheckError": "wrong = define(name='wrong', forward=lambda x: x * x, "
    "partials=lambda out, x: (x,))\ngradcheck(wrong, [3.0])",
    "TraceError": "abs_of = compile(lambda x: x if x > 0 else -x)\nabs_of(2.0)",
    "GradientError": "y = Value(4.0, (Value(2.0),), 'square')\ny.backward()",
    "PictureError": "draw_dot(Value(2.0)).pipe('svg', engine='best')",
    "NonFiniteError": "x = Value(math.inf, label='x')\nwith detect_anomaly(): x - x",
}


def named(module: str, name: str) -> str:
    """Return the shortest name under which a user finds what a module lists."""
    thing = getattr(importlib.import_module(f"micrograd.{module}"), name)
    if name in dir(micrograd) and getattr(micrograd, name) is thing:
        return f"micrograd.{name}"
    if module.startswith("values."):
        return f"micrograd.{module.partition('.')[2]}.{name}"
    return f"micrograd.{module}.{name}"


def found(section: Section) -> dict[str, Any]:
    """Return what a section lists, by its name."""
    listed: dict[str, Any] = {}
    for module in section.modules:
        source = importlib.import_module(f"micrograd.{module}")
        for name in source.__all__:
            thing = getattr(source, name)
            # What the module of formulas hands on of the op table has its page there.
            handed_on = module == "formula" and thing.__module__ != source.__name__
            full = named(module, name)
            known = any(thing is other and callable(thing) for other in listed.values())
            if not handed_on and (not known or is_alias(full, thing)):
                listed[full] = thing
    return listed


def everything() -> dict[str, str]:
    """Return the page of every public name, by its full name."""
    pages: dict[str, str] = {}
    things: list[Any] = []
    for section in SECTIONS:
        for full, thing in found(section).items():
            known = callable(thing) and any(thing is other for other in things)
            if known and not is_alias(full, thing):
                continue
            things.append(thing)
            pages.setdefault(full, page_of(section, full))
    return pages


def is_alias(full: str, thing: Any) -> bool:
    """Return whether a name is a second one of a class."""
    is_ours = inspect.isclass(thing) and thing.__module__.startswith("micrograd")
    return is_ours and thing.__name__ != full.rpartition(".")[2]


def page_of(section: Section, full: str) -> str:
    """Return the page of a name, without its suffix."""
    short = full.removeprefix("micrograd.")
    return "reference/errors" if section.slug == "errors" else f"reference/{section.slug}/{short}"


def aliases() -> dict[str, str]:
    """Return the full name of each class that docstrings name as a type."""
    return {
        full.rpartition(".")[2]: full
        for section in SECTIONS
        for full, thing in found(section).items()
        if inspect.isclass(thing) and not is_alias(full, thing)
    }


# ---- one name ----------------------------------------------------------------------------------


def heading(text: str, mark: str = "=") -> list[str]:
    """Return a heading of reStructuredText, and an empty line."""
    return [text, mark * max(len(text), 3), ""]


def indented(text: str) -> list[str]:
    """Return the lines of a text as the content of a directive."""
    return [f"   {line}".rstrip() for line in text.splitlines()]


def of_function(full: str) -> list[str]:
    """Return what describes a function."""
    return [f".. autofunction:: {full}", ""]


def members(kind: type) -> list[str]:
    """Return the methods and properties that a class has from this package.

    What its docstring lists as an attribute is not listed again.
    """
    written = {
        each.name for each in ClassDoc(kind, config={"show_class_members": False})["Attributes"]
    }
    names: dict[str, None] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("micrograd"):
            for name, thing in vars(base).items():
                plain = inspect.isfunction(thing) or isinstance(
                    thing, (property, classmethod, staticmethod)
                )
                if plain and not name.startswith("_") and name not in written:
                    names[name] = None
    found = []
    for name in names:
        thing = inspect.getattr_static(kind, name)
        if not (getattr(thing, "__doc__", None) or inspect.getdoc(getattr(kind, name))):
            raise ValueError(f"{kind.__module__}.{kind.__name__}.{name} has no docstring")
        found.append(name)
    return found


def of_class(full: str, kind: type) -> list[str]:
    """Return what describes a class: its docstring, then every method."""
    if issubclass(kind, BaseException):
        return [f".. autoexception:: {full}", "   :show-inheritance:", ""]
    methods = [name for name in members(kind) if name not in TABLE]
    lines = [f".. autoclass:: {full}", ""]
    for name in sorted(methods):
        what = inspect.getattr_static(kind, name)
        directive = "autoproperty" if isinstance(what, property) else "automethod"
        lines += [f"   .. {directive}:: {full}.{name}", ""]
    if kind is micrograd.Value:
        lines += _methods_of_rows()
    return lines


def _methods_of_rows() -> list[str]:
    """Return the methods that the op table gives a Value, each with its sentence."""
    lines = ["   .. rubric:: Methods of the op table", ""]
    for name, op in sorted(TABLE.items()):
        names = operands(op)
        page = name if hasattr(micrograd, name) else f"ops.{name}"
        lines += [
            f"   .. py:method:: {name}({', '.join(names[1:])})",
            "      :no-contents-entry:",
            "",
            f"      {escaped(op.summary or op.code.format(*names))}: :doc:`/reference/ops/{page}`.",
            "",
        ]
    return lines


def code(text: str) -> str:
    """Return a text as code, whatever characters it has."""
    return f"``{text}``"


def escaped(text: str) -> str:
    """Return a text in which no character is markup."""
    return re.sub(r"([*|`_\\])", r"\\\1", text)


def of_row(op: Op) -> list[str]:
    """Return what describes an operation: signature, docstring and plot."""
    where = "micrograd" if hasattr(micrograd, op.name) else "micrograd.ops"
    called = f"{where}.{op.name}{signature(op)}".replace(", /", "")
    text = str(SphinxDocString(with_code(document(op)), {}))
    if fixed_in_plot(op) is not None:
        plot = [
            *[
                f"   .. image:: /reference/ops/plots/{op.name}-{theme}.svg\n"
                f"      :alt: {op.name} and its derivative\n"
                f"      :class: only-{theme} plot\n"
                for theme in ("light", "dark")
            ],
            "",
        ]
    else:
        plot = []
    return [f".. py:function:: {called}", "", *indented(text), "", *plot]


def with_code(docstring: str) -> str:
    """Return the docstring of a row with its formulas as code, and each of them on a line."""
    lines = []
    for line in docstring.splitlines():
        fact = re.fullmatch(r"(Domain|Derivatives?): (.+?)(, where out is the result)?\.", line)
        if fact is None:
            lines.append(line.replace("|", r"\|"))
            continue
        name, told, where = fact.groups()
        parts = told.split("; ")
        if told != "every number":
            parts = [code(part) for part in parts]
        lines += [f"**{name}**: {', '.join(parts)}{where or ''}.", ""]
    return "\n".join(lines)


# Operations of more than one operand that have a plot: over the first, with the others fixed.
PLOTTED = {
    "add": (1.0,), "sub": (1.0,), "mul": (2.0,), "div": (2.0,), "pow": (3.0,), "maximum": (1.0,),
    "minimum": (1.0,), "hypot": (1.0,), "arctan2": (1.0,), "greater": (1.0,),
    "greater_equal": (1.0,), "equal": (1.0,), "share": (1.0,), "ratio": (2.0,),
    "where": (2.0, -1.0),
}  # fmt: skip


def fixed_in_plot(op: Op) -> tuple[float, ...] | None:
    """Return the operands but the first in the plot of an operation; None without a plot."""
    others = PLOTTED.get(op.name, ())
    return others if op.arity == 1 + len(others) else None


def plot_row(op: Op, folder: Path) -> None:
    """Write the plot of an operation and its derivative, in both themes."""
    others = fixed_in_plot(op)
    if others is None:
        return
    low, high = op.domain[0]
    low, high = max(low, -4.0), min(high, 4.0)
    if op.name in PLOTTED:
        low, high = -3.0, 3.0
    name = op.code.format(operands(op)[0], *[f"{x:g}" for x in others])
    for theme in ("light", "dark"):
        from micrograd.plot import sheet

        ax = plot_function(
            lambda x: op(x, *others), low, high, *sheet(size=(5.2, 3.1), theme=theme),
            name="f", title=f"f = {name}, and f'", theme=theme,
        )  # fmt: skip
        save_figure(ax.figure, folder / f"{op.name}-{theme}.svg")


def of_constant(full: str) -> list[str]:
    """Return what describes a name that has no docstring."""
    name = full.rpartition(".")[2]
    if name not in CONSTANTS:
        raise ValueError(f"{full} has no docstring: add words for it to CONSTANTS")
    return [f".. py:data:: {full}", "", f"   {CONSTANTS[name]}", ""]


# Public names that have no docstring of their own.
CONSTANTS = {
    "BROKEN": "The rules of back-propagation that `steps` can break on purpose.",
    "EXERCISES": "The exercises of the notebooks, by their names.",
    "INITS": "The ways to initialise the weights of a network.",
    "LOSSES": "The losses that `fit` and the estimators take by name.",
    "NAMES": "The classifications that `load` gives.",
    "Number": "A plain number, a Value, or anything else on which operations are recorded.",
    "PlainNumber": "An int, a float or a Fraction.",
    "REGRESSIONS": "The regressions that `load` gives.",
    "TABLE": "Every operation, by its name.",
    "constant": "The row of a plain number that met a Value: a leaf, never differentiated.",
}


def described(full: str, thing: Any) -> list[str]:
    """Return what describes a public name."""
    if isinstance(thing, Op) and thing.name:
        return of_row(thing)
    if is_alias(full, thing):
        text = f"Another name of :class:`{thing.__name__} <{aliases()[thing.__name__]}>`."
        return [f".. py:data:: {full}", "", f"   {text}", ""]
    if full.rpartition(".")[2] not in CONSTANTS and inspect.isclass(thing):
        return of_class(full, thing)
    if inspect.isroutine(thing) or hasattr(thing, "__wrapped__"):
        return of_function(full)
    return of_constant(full)


def summary(full: str, thing: Any) -> str:
    """Return the first sentence that describes a public name."""
    name = full.rpartition(".")[2]
    if name in CONSTANTS:
        return CONSTANTS[name]
    if isinstance(thing, Op):
        return escaped(thing.summary or thing.code.format(*operands(thing)))
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


# ---- pages -------------------------------------------------------------------------------------


def raised(name: str) -> list[str]:
    """Return what raises an error, and its message, as this build has seen it."""
    source = RAISED.get(name)
    if source is None:
        return []
    rooms = {name: getattr(micrograd, name) for name in dir(micrograd) if not name.startswith("_")}
    before = set(TABLE)
    try:
        exec(source, {**rooms, "math": math})
    except Exception as error:
        if type(error).__name__ != name:
            raise
        told = f"{type(error).__name__}: {error}"
    else:
        raise ValueError(f"the example of {name} raises nothing")
    finally:
        for row in set(TABLE) - before:
            del TABLE[row]
            delattr(micrograd.ops.Operators, row)
    shown = [f">>> {line}" for line in source.splitlines()]
    return [
        "   .. code-block:: pycon",
        "      :class: wrapped",
        "",
        *[f"      {line}" for line in [*shown, *told.splitlines()]],
        "",
    ]


def write_section(section: Section, folder: Path, pages: dict[str, str]) -> None:
    """Write a section: its page, and one for each of its names."""
    listed = found(section)
    listed = {
        full: thing for full, thing in listed.items() if pages.get(full) == page_of(section, full)
    }
    if section.slug == "ops":  # what users call, then the operators, then what adds operations
        ranks = {
            full: 0
            if hasattr(micrograd, full.rpartition(".")[2])
            else 1
            if isinstance(thing, Op)
            else 2
            for full, thing in listed.items()
        }
        listed = {
            full: listed[full] for full in sorted(listed, key=lambda full: (ranks[full], full))
        }
    own = folder / section.slug
    own.mkdir(parents=True)
    lines = [*heading(section.title), section.text, ""]
    if section.slug == "errors":
        for full, thing in listed.items():
            lines += [*of_class(full, thing), *raised(full.rpartition(".")[2])]
        (folder / "errors.rst").write_text("\n".join(lines), encoding="utf-8")
        own.rmdir()
        return
    lines += [".. list-table::", "   :class: names", "   :widths: auto", ""]
    for full, thing in listed.items():
        short = full.removeprefix("micrograd.")
        lines += [f"   * - :doc:`{short} </{pages[full]}>`", f"     - {summary(full, thing)}"]
    lines += ["", ".. toctree::", "   :hidden:", ""]
    for full, thing in listed.items():
        short = full.removeprefix("micrograd.")
        lines.append(f"   {short} </{pages[full]}>")
        page = [*heading(full.removeprefix("micrograd.")), *described(full, thing)]
        (own / f"{short}.rst").write_text("\n".join(page), encoding="utf-8")
    if section.slug == "ops":
        plots = own / "plots"
        plots.mkdir()
        for op in TABLE.values():
            plot_row(op, plots)
    (folder / f"{section.slug}.rst").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_commands(folder: Path) -> None:
    """Write the page of the commands, from their own help."""
    import contextlib
    import io

    from micrograd.cli import main

    lines = [*heading("Commands"), "What `micrograd --help` and the help of each command say.", ""]
    for command in COMMANDS:
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            main([command.name, "--help"])
        lines += [*heading(f"micrograd {command.name}", "-"), command.summary, ""]
        lines += [".. code-block:: text", "", *indented(text.getvalue()), ""]
    (folder / "commands.rst").write_text("\n".join(lines), encoding="utf-8")


def write(folder: Path) -> None:
    """Write all pages of the reference into a folder."""
    folder.mkdir(parents=True)
    pages = everything()
    for section in SECTIONS:
        write_section(section, folder, pages)
    write_commands(folder)
    lines = [*heading("Reference"), "Every public name, from the docstrings.", ""]
    lines += [".. list-table::", "   :class: names", "   :widths: auto", ""]
    for section in SECTIONS:
        lines += [f"   * - :doc:`{section.title} <{section.slug}>`", f"     - {section.text}"]
    lines += ["   * - :doc:`Commands <commands>`", "     - What a terminal can do."]
    lines += ["", ".. toctree::", "   :hidden:", ""]
    lines += [f"   {section.slug}" for section in SECTIONS]
    lines += ["   commands", ""]
    (folder / "index.rst").write_text("\n".join(lines), encoding="utf-8")
