"""README.md keeps what it promises: its examples print what they say, its links lead somewhere."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def run(example):
    """Return (what an example says that it prints, what it prints), line by line."""
    promised = re.findall(r"^ *print\(.*\)  # (.+)$", example, re.MULTILINE)
    assert len(promised) == len(re.findall(r"^ *print\(", example, re.MULTILINE))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    return promised, printed.getvalue().splitlines()


@pytest.mark.parametrize("example", EXAMPLES, ids=range(1, len(EXAMPLES) + 1))
def test_an_example_prints_the_numbers_beside_it(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    promised, printed = run(example)
    assert promised
    assert printed == promised


def test_a_wrong_number_beside_an_example_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    promised, printed = run(EXAMPLES[0].replace("0.4621", "0.4622"))
    assert printed != promised


def test_the_picture_is_the_one_that_the_example_draws(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(EXAMPLES[0])
    texts = [
        re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))
        for path in (tmp_path / "neuron.svg", ROOT / "docs" / "neuron.svg")
    ]
    assert "+1.573" in texts[0]
    assert texts[0] == texts[1]


def test_the_first_example_has_ten_lines_at_most():
    lines = [line for line in EXAMPLES[0].splitlines() if line.strip()]
    assert len(lines) <= 10


def test_there_are_two_commands_one_line_each():
    commands = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(commands) == 2
    for command, ending in zip(commands, ("micrograd demo", "-m pytest"), strict=True):
        assert command.count("\n") == 1
        assert command.strip().endswith(ending)


def test_links_lead_to_files():
    targets = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target
