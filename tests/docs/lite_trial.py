"""Time the playground, and what is too long for .ci/run: the long notebooks, and one offline.

    python tests/docs/lite_trial.py FOLDER

FOLDER holds the built site as `micrograd/`. It prints how long each part took.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from browser import launched
from built_site import COURSE, STARTS, assert_ran, opened, run_all, served, started

LONG = ("04", "05", "07")


def timed(what, began):
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with launched() as browser:
        with served(folder) as address, opened(browser, address) as page:
            began = time.monotonic()
            page.goto(f"{address}playground/")
            page.locator("#mgs .mgs").wait_for(timeout=STARTS)
            timed("the playground shows its first steps", began)
            for name in COURSE:
                if name.startswith(LONG):
                    began = time.monotonic()
                    started(page, address, name)
                    timed(f"{name}: Python is there after", began)
                    assert_ran(run_all(page, limit=3600))
                    timed(name, began)
        page = browser.new_page()
        with served(folder) as address:
            started(page, address, COURSE[1])
            run_all(page, limit=600)
        began = time.monotonic()  # and now there is no server
        started(page, address, COURSE[1])
        assert_ran(run_all(page, limit=600))
        timed(f"{COURSE[1]} again, without a network", began)


if __name__ == "__main__":
    main()
