"""The views in a browser: light and dark as the page is, at any width, readable."""

import pytest
from browser import keep_screenshot, launched

from micrograd.display import html
from micrograd.style import DARK, LIGHT, contrast
from tests.display.test_views import OBJECTS

pytestmark = pytest.mark.browser
SHOWN = ["after backward", "network", "own module", "history", "data of lists", "explanation"]
HOSTS = [
    ("", "light"),
    ('data-jp-theme-light="true"', "light"),
    ('data-jp-theme-light="false"', "dark"),
    ('data-vscode-theme-kind="vscode-dark"', "dark"),
    ('data-theme="dark"', "dark"),
    ('class="dark"', "dark"),
]
COLOURS = """() => [...document.querySelectorAll(".mgb, .mgb .pos, .mgb .neg, .mgb th")].map(
    e => getComputedStyle(e).color.match(/\\d+/g).map(Number))"""

BROKEN = """() => {
  const broken = [], lines = range => new Set([...range.getClientRects()].map(r => r.top)).size;
  for (const text of [...document.querySelectorAll(".mgb th")].flatMap(e => [...e.childNodes]))
    for (const word of (text.data ?? "").matchAll(/[a-z]{2,}/gi)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (lines(range) > 1) broken.push(word[0]);
    }
  return broken; }"""


def hexed(channels):
    return "#" + "".join(f"{channel:02X}" for channel in channels[:3])


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_views_are_light_or_dark_as_the_page_is(system):
    views = "".join(html(OBJECTS[name]()) for name in SHOWN)
    with launched() as browser:
        page = browser.new_page(color_scheme=system, viewport={"width": 400, "height": 700})
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        for attribute, theme in HOSTS:
            look = DARK if theme == "dark" else LIGHT
            page.set_content(
                f'<!DOCTYPE html><body {attribute} style="background: {look.bg}">{views}'
            )
            found = {hexed(colour) for colour in page.evaluate(COLOURS)}
            assert found == {look.ink, look.pos_text, look.neg_text, look.muted}, attribute
            assert min(contrast(colour, look.bg) for colour in found) >= 4.5
            assert page.evaluate("document.documentElement.scrollWidth") <= 400
            keep_screenshot(page, f"bare_{theme}_{system}")
        page.evaluate("document.body.className = ''")
        assert hexed(page.evaluate(COLOURS)[0]) == LIGHT.ink
        assert not complaints


def test_no_word_at_the_head_of_a_table_is_broken_on_a_narrow_page():
    views = "".join(filter(None, (html(make()) for make in OBJECTS.values())))
    with launched() as browser:
        page = browser.new_page(viewport={"width": 400, "height": 700})
        page.set_content(f"<!DOCTYPE html><body>{views}")
        assert page.evaluate(BROKEN) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
