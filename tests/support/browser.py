"""Debian's or any other Chromium, driven by Playwright; tests are skipped where there is none.

`MICROGRAD_FIREFOX=/usr/bin/firefox-esr` runs the same tests in a Firefox as it is on the machine.
"""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No other host has an address, whoever asks: a page, a worker or the browser itself.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
# The same in Firefox: what is asked of any other host goes to a proxy that is not there.
PREFERENCES = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "ui.useOverlayScrollbars": 1,
}


def chromium():
    """Return the path of Chromium; skip the test without it or without Playwright."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    named = os.environ.get("MICROGRAD_CHROMIUM")
    path = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if not path:
        pytest.skip("there is no Chromium")
    return path


@contextmanager
def launched():
    """Start a browser and close it."""
    firefox = os.environ.get("MICROGRAD_FIREFOX")
    path = firefox or chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        if firefox:
            browser = playwright.firefox.launch(
                executable_path=path, channel="moz-firefox", firefox_user_prefs=PREFERENCES
            )
        else:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def keep_screenshot(page, name):
    """Save a screenshot where MICROGRAD_SCREENSHOTS says, to be looked at."""
    folder = os.environ.get("MICROGRAD_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = Path(folder) / f"{name}.png"
        page.screenshot(path=path, full_page=True, caret="initial")  # no style of Playwright's
