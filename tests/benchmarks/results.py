"""RESULTS.md: one section a benchmark, each written by its own program."""

import os
import platform
import re
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
HEADING = "# Benchmark results\n\nEach section is written by the program it names.\n"


def machine():
    """Return the machine in general terms: system, kind of processor, cores, Python."""
    return (
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def table(header, rows):
    """Return a Markdown table; every cell is text."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def write_section(title, text, path=RESULTS):
    """Put `text` under the heading `title` and leave every other section as it is."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    old = old or HEADING
    section = f"## {title}\n\n{text.strip()}\n"
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(old):
        new = pattern.sub(lambda _: section + "\n", old, count=1)
    else:
        new = old.rstrip() + "\n\n" + section
    path.write_text(new.rstrip() + "\n", encoding="utf-8")
