"""The stepper's page in a browser, as tests use it."""

import re

TWO_FRAMES = "() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))"
INSIDE = "() => document.querySelector('.mgs').contains(document.activeElement)"


def on_the_page(text):
    return re.sub(r"(^|[\s(])-(?=[\s\d(])", "\\1\N{MINUS SIGN}", text)


class Opened:
    """A page, with everything that it logged or asked for."""

    def __init__(self, browser, path, fragment="", **options):
        options = {"viewport": {"width": 1000, "height": 900}, "reduced_motion": "reduce"} | options
        self.context = browser.new_context(offline=True, **options)
        self.page = self.context.new_page()
        self.messages, self.requests = [], []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.messages.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri() + fragment)
        self.page.get_by_role("status").wait_for()

    def press(self, *keys):
        self.page.bring_to_front()  # Firefox gives the focus to the page in front alone
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def node(self, name):
        return self.page.locator(".node").filter(has=self.page.locator("title", has_text=name))

    def click(self, name):
        """Click a button, also one that is at its end and says so."""
        self.button(name).click(force=True)

    @property
    def said(self):
        return self.page.get_by_role("status").inner_text()

    @property
    def place(self):
        return self.page.locator(".mgs-count").inner_text()

    def close(self):
        self.context.close()
        assert self.messages == []
        assert len(self.requests) <= 1  # Firefox does not tell of a file
