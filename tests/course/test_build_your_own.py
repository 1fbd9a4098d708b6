"""The workshop: the engine in sixty lines is right, every fault is found, the board tells it."""

import re
from pathlib import Path

import nbformat
import pytest
from mpmath import mp

from micrograd.course import build_your_own as workshop
from micrograd.course.build_your_own import FAULTS, STAGES, TESTS, board, deal, engine, problem
from micrograd.errors import ArgumentError, OptionTypeError

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "08_build_your_own.ipynb"

TELLING = {  # by fault, the first test that finds it
    "a contribution replaces the others": "a + a",
    "a node passes on before its sum is complete": "the 39 graph",
    "nodes pass on from the leaves up": "Olah's graph",
    "a factor gets itself": "Olah's graph",
    "the upstream gradient is missing": "Olah's graph",
    "the output gets no 1 to start with": "a + a",
    "the slope of tanh is tanh": "a neuron",
    "the slope of exp is x": "exp, log, relu",
    "results keep the last pass": "two passes",
    "a number to the left of + is refused": "sum()",
    "a power keeps its exponent": "division",
    "the minus goes missing": "minus",
}


def test_the_engine_passes_every_test_and_has_sixty_lines(capsys):
    board(engine())
    out = capsys.readouterr().out
    assert "○" not in out
    assert out.endswith("All tests pass.\n")
    text = "\n".join([workshop.GIVEN, *[stage.code for stage in STAGES]])
    assert sum(bool(line.strip()) for line in text.splitlines()) <= 60


def test_its_gradients_are_those_of_mpmath():
    names = engine()
    x, y = names["Value"](0.7), names["Value"](1.9)
    ((x * y).exp() / (1 + x) - (y**3).log() * x.tanh() + (2 - y).relu()).backward()

    def formula(x, y):
        return mp.exp(x * y) / (1 + x) - mp.log(y**3) * mp.tanh(x) + max(2 - y, 0)

    for leaf, orders in ((x, (1, 0)), (y, (0, 1))):
        assert leaf.grad == pytest.approx(float(mp.diff(formula, (0.7, 1.9), orders)), rel=1e-12)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_changes_the_engine_and_is_first_found_by_its_telling_test(fault):
    text = "\n\n".join([workshop.GIVEN, *[stage.code for stage in STAGES]])
    assert text.count(fault.right) == 1
    found = [test.name for test in TESTS if problem(test, engine(fault))]
    assert found[0] == TELLING[fault.name]


def test_the_gaps_run_as_they_are_and_nothing_passes_yet(capsys):
    names = {"math": workshop.math, "random": workshop.random, "pairwise": workshop.pairwise}
    for stage in (workshop.GIVEN, *[stage.gap for stage in STAGES]):
        exec(stage, names)
        board(names)
    out = capsys.readouterr().out
    assert "●" not in out
    assert 'Next, 1 box, "a * b": not written yet.' in out


def test_each_stage_makes_its_own_tests_pass(capsys):
    names = {"math": workshop.math, "random": workshop.random, "pairwise": workshop.pairwise}
    exec(workshop.GIVEN, names)
    for done, stage in enumerate(STAGES, 1):
        exec(stage.code, names)
        board(names)
        rows = capsys.readouterr().out.splitlines()[: len(STAGES)]
        assert ["○" not in row for row in rows] == [i < done for i in range(len(STAGES))]


def test_an_error_of_the_reader_is_told_and_not_raised(capsys):
    names = engine()
    names["order"] = lambda root: names["order"](root)
    exec(STAGES[2].code, names)
    board(names)
    assert '"operands first": RecursionError' in capsys.readouterr().out


def test_what_is_dealt_does_not_name_the_fault(capsys):
    for number in (1, 2, 3):
        deal(number)
    out = capsys.readouterr().out
    assert "is (60, 57), not (39, 39)" in " ".join(out.split())
    assert not any(fault.name in out for fault in FAULTS)
    with pytest.raises(ArgumentError, match="the engine to be a whole number of 1 or more"):
        deal(0)
    for fault, error in ((13, ArgumentError), (True, OptionTypeError), ("a", OptionTypeError)):
        with pytest.raises(error, match="the fault to be a whole number from 1 to 12"):
            deal(1, fault=fault)


def test_a_guess_of_the_fault_is_confirmed_or_told_apart_by_a_test(capsys):
    deal(3, fault=9)
    assert capsys.readouterr().out == "9: correct.\n"
    deal(3, fault=1)
    assert capsys.readouterr().out == 'not 1: "a + a" tells.\n'
    drawn = set()
    for number in (4, 5, 6):  # drawn, and so not always the same
        deal(number)
        drawn.add(capsys.readouterr().out)
    assert len(drawn) > 1


def test_the_notebook_has_the_gaps_and_hides_the_solutions():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    pattern = r"One way to write it</summary>\n\n```python\n(.*?)```.*</details>"
    hidden = [re.search(pattern, cell.source, re.DOTALL) for cell in cells]
    for stage in STAGES:
        assert stage.gap.strip() in sources
    assert [match[1] for match in hidden if match] == [stage.code for stage in STAGES]
