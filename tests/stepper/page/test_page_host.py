"""The page on its own: keys without a click, the host's shortcuts, and paper."""

import random

import pytest

from micrograd.nn import MLP

pytestmark = pytest.mark.browser

# What stands around the page: a field, and a host that counts the keys which reach it.
HOST = """() => {
    window.heard = [];
    addEventListener("keydown", e => heard.push(e.key));
    document.body.append(Object.assign(document.createElement("input"), { id: "other" }));
}"""
ON_PAPER = """() => ({
    box: document.querySelector(".mgs-view > svg").getAttribute("viewBox").split(" ").map(Number),
    cards: document.querySelectorAll(".node").length,
    controls: Array.from(document.querySelectorAll(".mgs :is(button, select, input)"))
        .filter(e => e.getClientRects().length).length,
    ground: getComputedStyle(document.querySelector(".mgs")).backgroundColor,
})"""


def test_keys_work_without_a_click_and_the_host_s_reach_it(opened):
    page = opened()
    page.page.evaluate(HOST)
    page.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert page.place == "2 / 10"
    page.press("End")
    assert page.place == "10 / 10"
    page.press("ArrowUp")
    assert page.page.locator(".node.sel").count() == 1
    assert page.page.evaluate("heard") == []
    for focused in ("body", ".mgs-zoom button:last-child", ".node[tabindex='0']"):
        page.page.locator(focused).evaluate("e => e.focus()")
        page.page.evaluate("heard.length = 0")
        for key in ("Control+s", "Meta+k", "Alt+q", "F2", "Shift+Enter", "Escape", "b"):
            page.press(key)
        # All but the letter, which is a notebook's command to insert a cell.
        names = page.page.evaluate("heard.filter(k => !/Control|Meta|Alt|Shift/.test(k))")
        assert names == ["s", "k", "q", "F2", "Enter", "Escape"]
        assert page.place == "10 / 10"
    page.page.locator("#other").focus()
    page.press("ArrowLeft", "Home")
    assert page.place == "10 / 10"


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.usefixtures("drawn_by_hand")
def test_on_paper_it_is_light_whole_and_without_controls(opened, folded):
    root = None
    if folded:
        root = (MLP(2, [16, 16, 1], rng=random.Random(1))([0.5, -1.0]) - 1) ** 2
    page = opened(root, color_scheme="dark", viewport={"width": 400, "height": 900})
    before = page.page.evaluate(ON_PAPER)
    assert before["controls"] > 5
    page.page.emulate_media(media="print")
    page.page.locator(".mgs[data-theme=light]").wait_for()
    on_paper = page.page.evaluate(ON_PAPER)
    size = page.page.evaluate(
        "async () => (data => (data.narrow ?? data).size)(JSON.parse(await mgsText('mgs-data')))"
    )
    assert on_paper["box"] == [0, 0, *size]
    assert on_paper["cards"] >= before["cards"]
    assert on_paper["controls"] == 0
    assert on_paper["ground"] == "rgb(255, 255, 255)"
    page.page.emulate_media(media="screen")
    page.page.locator(".mgs[data-theme=dark]").wait_for()
    assert page.page.evaluate(ON_PAPER) == before
