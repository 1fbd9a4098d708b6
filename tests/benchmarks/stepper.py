"""The stepper on a graph of a thousand values: making the steps, writing the page, stepping in it.

    python tests/benchmarks/stepper.py

writes the section "Stepper" of RESULTS.md; it takes about a minute. The browser's part needs
Chromium and Playwright and is left out without them. `--tiny` runs everything once on a small
graph, without a browser, and writes nothing.
"""

import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from results import machine, table, write_section

STEP = """async () => {
  const times = [];
  for (let i = 0; i < 60; i++) {
    const start = performance.now();
    document.querySelector('[aria-label="Step forward"]').click();
    const script = performance.now() - start;
    await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    times.push([script, performance.now() - start]);
  }
  return times;
}"""


def loss(samples, layers):
    """Return the hinge loss of a network over some samples."""
    from micrograd.losses import hinge
    from micrograd.nn import MLP

    source = Random(1337)
    model = MLP(2, layers, rng=source)
    points = [[source.uniform(-1, 1) for _ in range(2)] for _ in range(samples)]
    value = hinge([model(point) for point in points], [1 - 2 * (i % 2) for i in range(samples)])
    value.label = "loss"
    return value


def timed(function, times):
    """Return the seconds of each of so many calls."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds


def in_browser(path):
    """Return seconds to open the page, and milliseconds a step: in the script, and to the frame."""
    try:
        from browser import ARGUMENTS
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": 1000, "height": 900}, reduced_motion="reduce", offline=True
        )
        start = time.perf_counter()
        page.goto(f"{path.as_uri()}#step=800")
        page.get_by_role("status").wait_for()
        opened = time.perf_counter() - start
        times = page.evaluate(STEP)
        browser.close()
    return opened, [a for a, _ in times], [b for _, b in times]


def spread(values, digits=0, scale=1.0):
    """Return the median and the range of measured values as text."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle * scale:.{digits}f} ({low * scale:.{digits}f} to {high * scale:.{digits}f})"


def main(arguments=()):
    """Measure, print, and write the section unless `--tiny` is given."""
    from micrograd import steps

    tiny = "--tiny" in arguments
    root = loss(2, [2, 1]) if tiny else loss(8, [16, 16, 1])
    stepper = steps(root)
    making = timed(lambda: steps(root), 1 if tiny else 15)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        writing = timed(lambda: steps(root).to_html(path), 1 if tiny else 5)
        size = path.stat().st_size
        browsed = None if tiny else in_browser(path)
    found = {"values": len(stepper.nodes), "steps": len(stepper), "bytes": size}
    print(json.dumps({**found, "make": min(making), "write": min(writing)}))
    if tiny:
        return
    rows = [
        ["`steps(loss)`", f"{spread(making, 1, 1e3)} ms", "at most 50 ms"],
        ["`stepper.to_html(path)`", f"{spread(writing, 2)} s", ""],
        ["size of the page", f"{size / 1e6:.2f} MB", "at most 3 MB"],
    ]
    if browsed:
        opened, script, frame = browsed
        rows += [
            ["opening the page", f"{opened:.1f} s", ""],
            ["a step, its script", f"{spread(script)} ms", "at most 50 ms"],
            ["a step, to the next frame", f"{spread(frame)} ms", ""],
        ]
    text = (
        f"`python tests/benchmarks/stepper.py` on {machine()}; "
        "Chromium without a graphics card.\n\n"
        "The hinge loss of `MLP(2, [16, 16, 1])` over 8 samples: "
        f"{found['values']:,} values, {found['steps']:,} steps. Median (range).\n\n"
        + table(["what", "measured", "aim"], rows)
    )
    write_section("Stepper", text)
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
