"""Fail if a test report shows no test, a failure, or a skip not listed in allowed-skips.txt."""

import argparse
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ALLOWED = Path(__file__).with_name("allowed-skips.txt")
KINDS = ("failure", "error", "skipped")


def cases(path):
    """Return (name, outcome, message) of every test of a report."""
    found = []
    for case in ET.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '')}".strip(".")
        kinds = {child.tag: child for child in case}
        outcome = next((kind for kind in KINDS if kind in kinds), "passed")
        if outcome == "skipped" and kinds["skipped"].get("type") == "pytest.xfail":
            outcome = "xfailed"
        message = kinds[outcome].get("message", "") if outcome in kinds else ""
        found.append((name, outcome, message))
    return found


def allowed(stage):
    """Return the patterns of the skips that are right in `stage`."""
    patterns = []
    for line in ALLOWED.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            stages, pattern, _reason = (part.strip() for part in line.split("|"))
            if stage in stages.split():
                patterns.append(pattern)
    return patterns


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report")
    parser.add_argument("--stage", required=True)
    parser.add_argument("--covers", help="a report whose skips must have run in this one")
    parser.add_argument("--because", help="only those whose message has this pattern", default="")
    parser.add_argument("--doctests", action="store_true", help="doctests must have run")
    parser.add_argument("--count", action="store_true", help="print only how many tests passed")
    chosen = parser.parse_args()

    found = cases(chosen.report)
    passed = [name for name, outcome, _ in found if outcome == "passed"]
    wrong = [f"{outcome}: {name}" for name, outcome, _ in found if outcome in ("failure", "error")]
    rules = allowed(chosen.stage)
    for name, outcome, message in found:
        text = f"{name}: {message}"
        if outcome == "skipped" and not any(re.search(rule, text) for rule in rules):
            wrong.append(f"skipped, but should have run: {text}")
    if not passed:
        wrong.append("no test passed")
    if chosen.doctests and not any(name.startswith("micrograd.") for name in passed):
        wrong.append("no doctest passed")
    if chosen.covers:
        for name, outcome, message in cases(chosen.covers):
            due = outcome == "skipped" and re.search(chosen.because, message)
            if due and not any(ran == name or ran.startswith(f"{name}.") for ran in passed):
                wrong.append(f"skipped before, and not run here either: {name}: {message}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(len(passed) if chosen.count else f"{chosen.stage}: {len(passed)} passed, as expected")


if __name__ == "__main__":
    main()
