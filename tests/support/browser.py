"""Debian's or any other Chromium, driven by Playwright; tests are skipped where there is none.

`MICROGRAD_FIREFOX=/usr/bin/firefox-esr` runs the same tests in a Firefox as it is on the machine.
"""

import functools
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
# What Playwright cannot do in such a Firefox: a test is skipped where it comes to it.
MISSING = {
    "Page.emulate_media": "chooses neither theme nor paper for a page that is open",
    "Page.expect_download": "does not tell of files that are saved",
    "Mouse.move": "does not move the mouse out of the window",
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

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        if firefox:
            browser = Firefox(playwright, path, patch)
        else:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Firefox:
    """A Firefox as it is on the machine: one for each theme, as it cannot be told to change it."""

    def __init__(self, playwright, path, patch):
        from playwright import sync_api

        self._launch = functools.partial(
            playwright.firefox.launch, executable_path=path, channel="moz-firefox"
        )
        self._open = {}
        for name, told in MISSING.items():
            kind, _, method = name.partition(".")
            skips = _skipping(getattr(getattr(sync_api, kind), method), told)
            patch.setattr(getattr(sync_api, kind), method, skips)
        patch.setattr(sync_api.Locator, "fill", _typed(sync_api.Locator.fill))
        patch.setattr(sync_api.Locator, "dblclick", _click_twice)

    def _of(self, options):
        light = int(options.get("color_scheme") != "dark")
        if light not in self._open:
            chosen = {**PREFERENCES, "layout.css.prefers-color-scheme.content-override": light}
            self._open[light] = self._launch(firefox_user_prefs=chosen)
        return self._open[light]

    def new_context(self, **options):
        return self._of(options).new_context(**options)

    def new_page(self, **options):
        return self._of(options).new_page(**options)

    def close(self):
        for browser in self._open.values():
            browser.close()


def _skipping(method, told):
    def instead(self, *args, **options):
        if method.__name__ == "move":
            from playwright.sync_api import Error

            try:
                return method(self, *args, **options)
            except Error as error:
                if "out of bounds" not in str(error):
                    raise
        return pytest.skip(f"Playwright {told} in Firefox")

    return instead


def _typed(fill):
    """What Playwright fills in there was not typed for Firefox: no `change` follows."""

    def instead(self, text, **options):
        if "\n" in text:
            return fill(self, text, **options)
        self.select_text(**options)
        self.press("Backspace")
        return self.press_sequentially(text)

    return instead


def _click_twice(self, **options):
    """Playwright's own are two clicks there, and none of them a second one."""
    self.click(**options)
    self.dispatch_event("click", {"detail": 2})


def keep_screenshot(page, name):
    """Save a screenshot where MICROGRAD_SCREENSHOTS says, to be looked at."""
    folder = os.environ.get("MICROGRAD_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = Path(folder) / f"{name}.png"
        page.screenshot(path=path, full_page=True, caret="initial")  # no style of Playwright's
