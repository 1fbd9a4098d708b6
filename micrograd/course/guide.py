"""The instructor's guide: what it lists is taken from the notebooks and their exercises."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from micrograd.course.build_your_own import STAGES
from micrograd.course.exercises import EXERCISES
from micrograd.course.solutions import CHECK, SOFTPLUS_GAP, numeral

__all__ = [
    "MINUTES", "MISCONCEPTIONS", "Misconception", "cells_with", "estimated_minutes", "glossary",
    "guide",
]  # fmt: skip

Notebooks = Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Misconception:
    """Something that learners often believe or ask.

    Parameters
    ----------
    belief : str
        In their words.
    remedy : str
        The example, picture or number that settles it.
    notebook, words : str
        The notebook's number, and words that its cell alone contains.
    """

    belief: str
    remedy: str
    notebook: str
    words: str


MISCONCEPTIONS: Final = (
    Misconception(
        "Plain recursion is enough; the order is about stack depth, or speed.",
        "b = 3a, c = b + 1, d = b·c: recursion gives 60, or 78 for c·b; correct is 39.",
        "02",
        "steps(root, broken=rule)",
    ),
    Misconception(
        "Leaves first is an order too; or: visit each node once, when it is met.",
        "On the same graph: 0; and 21, or 39 by luck if it is typed c·b.",
        "02",
        "**Leaves first** (`post_order`)",
    ),
    Misconception(
        "Passing on at once, and clearing what was passed on, works.",
        "It does, at a price: y = y + y, twelve times in a row, takes 4,095 visits to 12 results.",
        "02",
        "waiting = [(y, 1)]",
    ),
    Misconception(
        "A node that is reached by two paths needs two gradients.",
        "Two products of local derivatives, 2 and 3, and one sum, 5.",
        "02",
        "explain(e, b)",
    ),
    Misconception(
        "`=` will do; `+=` is only for sums.",
        "With `=` Olah's graph gives 2 or 3 instead of 5, by the order of typing, and (xy)(xz) 24 "
        "instead of 48. The sum belongs to the fork, not to the operation.",
        "02",
        'steps(root, broken="assign")',
    ),
    Misconception(
        "A second `backward()` is wrong, or should change nothing.",
        "Leaves add up, on purpose: 1, 2, 3. A sum over samples needs no extra code.",
        "02",
        "for _ in range(3):\n    out.backward()",
    ),
    Misconception(
        "Why does `zero_grad` clear the parameters only?",
        "Results belong to one pass; only the leaves live on into the next graph.",
        "02",
        "and only of these",
    ),
    Misconception(
        "Why set gradients to zero at all?",
        "(w - 3)² with rate 0.1: zeroed, w goes to 3; not zeroed, it swings from 0 to 6 for ever.",
        "02",
        "WRONG: never set to zero",
    ),
    Misconception(
        "The gradients in my drawing are 0.",
        "Draw before and after `backward`: a gradient that is not computed yet is –, not 0.",
        "01",
        "its gradient, which is – because",
    ),
    Misconception(
        "The slope of exp is x; a minus may go missing.",
        "A nudge shows 7.389 at 2, and -1 for a - b by b. Both are also among the twelve faults of "
        "notebook 8.",
        "01",
        '("a - b, by b"',
    ),
    Misconception(
        "tanh(n) is tanh times n.",
        "One edge goes into tanh, not two; its slope is 1 - o², not o.",
        "02",
        "it is not a product of tanh and n",
    ),
    Misconception(
        "A smaller h is always better.",
        "The error falls to 1e-7 at h = 1e-8, then rises; at h = 1e-16 nothing is left of the "
        "slope.",
        "01",
        "for n in (1, 2, 4, 6, 8, 10, 12, 14, 16)",
    ),
    Misconception(
        '"The gradient of w with respect to the loss."',
        "Read it as a sentence: a.grad is 6, so L rises by 6 per unit of a.",
        "01",
        "Read a gradient as a sentence",
    ),
    Misconception(
        "A function of `math` will do for a Value: `math.exp(v)`.",
        "The engine refuses it, and the error says what to write: `micrograd.exp`.",
        "01",
        "math.exp(Value(2.0))",
    ),
    Misconception(
        "Why the transpose? Is it an inverse? Would w itself not do?",
        "With a square w shapes cannot help: wᵀδ, wδ and w⁻¹δ are three different vectors.",
        "03",
        "WRONG: inverse",
    ),
    Misconception(
        "The gradient of a bias is a matrix; or: why is it a sum?",
        "The bias is one leaf, used by every sample: `+=` once more.",
        "03",
        'check("03c"',
    ),
    Misconception(
        "The new weights of the output layer can be used for the hidden layer.",
        "In Mazur's network ∂E/∂w₁ is then .000365 instead of .000439. Gradients first, then one "
        "step.",
        "03",
        "WRONG: new",
    ),
    Misconception(
        "Back-propagation is gradient descent.",
        "`backward` changes no data: L is -8 as before. The step is a line of its own.",
        "01",
        "`backward` changed no data",
    ),
    Misconception(
        "Back-propagation is a calculus of its own.",
        "By hand, by nudge and by engine, in three columns: the same numbers.",
        "01",
        "by hand {hand:4}",
    ),
    Misconception(
        "A falling loss shows that the gradients are right.",
        "With a wrong slope of relu the first losses look the same; one nudge names the fault.",
        "04",
        "gradcheck(wrong, [-2.0])",
    ),
    Misconception(
        "Weights may as well start at zero, the middle.",
        "From 0 no gradient gets through; from 0.1 sixteen units stay one unit.",
        "04",
        "for start in (0.0, 0.1)",
    ),
    Misconception(
        "Equal weights will drift apart by themselves.",
        "Both hidden neurons get the same gradient, at every step.",
        "03",
        "p.data = 0.5",
    ),
    Misconception(
        "Only a scalar has a gradient.",
        "The row that you start from says which output you ask about: (1, 0) and (0, 1) give the "
        "two rows of J.",
        "03",
        "for seed in ((1, 0), (0, 1))",
    ),
    Misconception(
        "Second derivatives always cost n².",
        "A Hessian does; a Hessian times a vector takes two backward passes.",
        "06",
        "| Hessian times vector | 2 backward |",
    ),
    Misconception(
        "The slope of relu at 0 must be 0, or ½.",
        "relu(x) - relu(-x) is x, and yet its slope at 0 comes out as 0.",
        "06",
        'check("06d"',
    ),
)
"""The misconceptions, in the order of the course."""


_WORDS_A_MINUTE: Final = 200
_SHORT, _LONG, _STEP = 15, 45, 5  # seconds

MINUTES: Final[Mapping[str, int]] = {
    **{"01a": 2, "01b": 2, "01c": 8, "01d": 3, "01e": 10},
    **{"02a": 3, "02b": 3, "02c": 4, "02d": 10, "02e": 4},
    **{"03a": 4, "03b": 40, "03c": 3, "03d": 4, "03e": 5},
    **{"04a": 3, "04b": 3, "04c": 6, "04d": 5, "04e": 6},
    **{"05a": 5, "05b": 2, "05c": 2, "05d": 3, "05e": 2},
    **{"06a": 5, "06b": 5, "06c": 4, "06d": 4, "06e": 5},
    **{"07a": 5, "07b": 3, "07c": 3, "07d": 4},
    **{"08a": 15, "08b": 4, "08c": 15},
    **{"09a": 8, "09b": 3, "09c": 3},
    **{"box": 8, "order": 20, "backward": 20, "numbers": 5, "more": 15, "functions": 10},
    **{"network": 15, "softplus": 4},
}
"""How long an exercise takes, or a stage of notebook 8: estimates of ours, in minutes.

03b is the whole hand exercise.
"""


def estimated_minutes(notebook: Mapping[str, Any]) -> float:
    """Return how long a notebook takes, estimated from what is in it.

    The rates are those that the guide names.

    Parameters
    ----------
    notebook : mapping
        As JSON, with its outputs.

    Examples
    --------
    >>> cells = [{"cell_type": "markdown", "source": ["word " * 100]}]
    >>> estimated_minutes({"cells": cells})
    0.5
    """
    words, seconds = 0, 0.0
    gaps = {stage.gap.rstrip("\n"): stage.name for stage in STAGES}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            prose, *formulas = re.split(
                r"\$\$.+?\$\$", source.partition("## Sources")[0], flags=re.DOTALL
            )
            recall = re.findall(r"^\d\. ", source.partition("<details>")[0], re.MULTILINE)
            words += len(" ".join((prose, *formulas)).split())
            seconds += _SHORT * len(formulas) + _LONG * len(recall) * ("without looking" in source)
            continue
        seconds += _SHORT * math.ceil(len(source.split("\n")) / 5)
        seconds += _LONG * bool(re.search(r'^guess.* = .*"\?"', source, re.MULTILINE))
        names = [
            *CHECK.findall(source),
            (gaps.get(source), ""),
            ("softplus" * (SOFTPLUS_GAP in source), ""),
        ]
        seconds += sum(60 * MINUTES.get(name or "", 0) for name, _ in names)
        for output in cell["outputs"]:
            words += len("".join(output.get("text", "")).split())
            data = output.get("data", {})
            seconds += _LONG * ("image/png" in data or "image/svg+xml" in data)
            steps = re.search(
                r"(\d+) steps? forward, (\d+) back", "".join(data.get("text/plain", ""))
            )
            if steps:
                asked = _SHORT if "guess=True" in source else _STEP
                seconds += _STEP * int(steps[1]) + asked * int(steps[2])
    return words / _WORDS_A_MINUTE + seconds / 60


def cells_with(notebook: Mapping[str, Any], words: str) -> list[int]:
    """Return the places of the cells that contain these words, counted from 1.

    Examples
    --------
    >>> cells_with({"cells": [{"source": ["a = 1"]}, {"source": ["b = 2"]}]}, "b =")
    [2]
    """
    return [i for i, cell in enumerate(notebook["cells"], 1) if words in "".join(cell["source"])]


def guide(notebooks: Notebooks) -> str:
    """Return the guide, in Markdown.

    Parameters
    ----------
    notebooks : mapping of str to dict
        The notebooks, as JSON, by their numbers, "01".

    Examples
    --------
    >>> guide({}).splitlines()[0]
    '# Teaching with these notebooks'
    """
    heads = {number: _Head("".join(nb["cells"][0]["source"])) for number, nb in notebooks.items()}
    lines = [
        _static("guide.md"),
        "## Times",
        "",
        "These are estimates, measured on nobody: they are counted from the notebooks by one rule. "
        f"{_WORDS_A_MINUTE} words a minute for prose and for what the cells print: most adults "
        "read English non-fiction at 175 to 300, on average at 238 (Brysbaert, *How many words do "
        "we read per minute? A review and meta-analysis of reading rate*, Journal of Memory and "
        "Language 109, 2019, "
        "[doi:10.1016/j.jml.2019.104047](https://doi.org/10.1016/j.jml.2019.104047)), and "
        f"technical text at the slower end. The rest is our own guess: {_SHORT} seconds for a "
        "displayed formula, for five lines of code and for a step of a stepper that asks for it "
        f"({_STEP} for any other); {_LONG} seconds for a guess, a picture and a question at the "
        "end; and for each exercise the minutes given with it. That is the lower number. The "
        "higher one is half as long again: for those who read a section twice, work each step out "
        "on paper, or talk about their guesses. Breaks are not counted.",
        "",
        "| notebook | minutes | needs |",
        "| --- | --- | --- |",
    ]
    times = [head.minutes for head in heads.values()]
    lines += [
        f"| {head.title} | {low} to {high} | {head.needs} |"
        for head, (low, high) in zip(heads.values(), times, strict=True)
    ]
    total = " to ".join(f"{sum(part) / 60:.0f}" for part in zip(*times, strict=True))
    lines += [f"| together | {total} hours | |", ""]
    for number, notebook in notebooks.items():
        lines += [f"## {heads[number].title}", "", "Afterwards they can", ""]
        lines += [*heads[number].goals, "", *_exercises(number, notebook)]
    return "\n".join([*lines, *_misconceptions(notebooks)]) + "\n"


def glossary() -> str:
    """Return the terms of the course, a sentence each, in Markdown.

    Examples
    --------
    >>> glossary().splitlines()[0]
    '# Glossary'
    """
    return _static("glossary.md")


def _static(name: str) -> str:
    return (Path(__file__).parent / "static" / name).read_text(encoding="utf-8")


class _Head:
    """What the first cell of a notebook says."""

    def __init__(self, text: str) -> None:
        def found(pattern: str) -> str:
            match = re.search(pattern, text, re.MULTILINE)
            return match[1] if match else ""

        self.title = found(r"^# (.+)")
        self.minutes = [int(n) for n in re.findall(r"\d+", found(r"\*\*Time\*\* (.+?) minutes"))]
        self.needs = found(r"\*\*You need\*\* (.+)")
        self.goals = re.findall(r"^- .+", text, re.MULTILINE)


def _exercises(number: str, notebook: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines on the exercises of a notebook."""
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    for name, exercise in EXERCISES.items():
        asked = re.search(rf"\*\*(?:Exercise )?{name}\.\*\* (.+)", text)
        if not name.startswith(number) or asked is None:
            continue
        several = len(exercise.right) > 1
        yield f"**{name}.** ({MINUTES[name]} min) {asked[1]}"
        yield ""
        one_of_many = "For example " if exercise.sample else ""
        answer = ", ".join(f"`{numeral(part)}`" for part in exercise.answer)
        yield f"- Answer: {one_of_many}{answer}. {exercise.why}"
        for place, wrong, hint in exercise.mistakes:
            yield f"- Wrong: `{numeral(wrong)}`{f' as number {place + 1}' * several}. {hint}"
        yield ""


def _misconceptions(notebooks: Notebooks) -> Iterator[str]:
    yield "## What learners believe, and where it is settled"
    yield ""
    yield "| they say | what settles it | notebook, section, cell (counted from 1) |"
    yield "| --- | --- | --- |"
    for each in MISCONCEPTIONS:
        if each.notebook not in notebooks:
            continue
        cells = notebooks[each.notebook]["cells"]
        (place,) = cells_with(notebooks[each.notebook], each.words)
        above = "\n".join("".join(cell["source"]) for cell in cells[:place])
        above = above.partition(each.words)[0]
        section = re.findall(r"^## (.+)", above, re.MULTILINE)[-1]
        where = f'{each.notebook}, "{section}", cell {place}'
        yield f"| {each.belief} | {each.remedy} | {where} |"
