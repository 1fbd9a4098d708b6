"""Two walks on one page: side by side, on one strip."""

from pathlib import Path

import pytest
from browser import keep_screenshot
from graphs import guide_graph
from networks import small
from stepper_page import Opened, on_the_page

from micrograd import compare, steps
from micrograd.optim import SGD

pytestmark = pytest.mark.browser

FAULTS = Path(__file__).with_name("faults.js").read_text(encoding="utf-8")


def assigned(root):
    return compare(steps(root), steps(root, broken="assign"))


def updated():
    model, loss = small()
    before = steps(loss)
    loss.backward()
    SGD(model.parameters(), lr=0.5).step()
    return compare(before, loss.forward())


PAIRS = {
    "network": lambda: assigned(small()[1]),
    "update": updated,
    "drawn": lambda: assigned(guide_graph()),
    "longer": lambda: compare(steps(guide_graph()), steps(guide_graph(), broken="recursion")),
}


class Both(Opened):
    @property
    def place(self):
        return self.page.locator(".mgs-count:visible").inner_text()

    @property
    def rows(self):
        return self.page.locator(".mgc-table tbody tr").all_inner_texts()

    @property
    def pictures(self):
        return [
            view.bounding_box()
            for view in self.page.locator(".mgc .mgs-view, .mgc .mgn-view").all()
        ]

    def framed(self, side):
        cell = self.page.locator(".mgc-cell").nth(side)
        return sorted(cell.locator("[data-apart]").evaluate_all(
            "all => all.map(e => e.dataset.node ?? e.querySelector('title').textContent)"
        ))  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_two_walks_step_together_and_show_what_differs(browser, tmp_path, name):
    found = PAIRS[name]()
    path = found.to_html(tmp_path / "page.html")
    page = Both(browser, path, viewport={"width": 1366, "height": 768})
    left, right = page.pictures
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]
    assert abs(left["height"] - right["height"]) < 1
    heads = page.page.locator(".mgc-cell > h3").all_inner_texts()
    assert heads == [head[0].upper() + head[1:] for head in found.heads]
    if name in ("network", "update"):
        page.press("Home", "Enter")  # single steps
    texts = []
    for k in range(len(found)):
        texts.append(page.said)
        assert page.place.startswith(f"{k + 1} / {len(found)}")
        if k % 4 == 3 or k == len(found) - 1:
            names = [d.name for d in found.differences(k)]
            assert len(page.rows) == len(names)
            assert (page.framed(0) != []) <= (names != [])
        page.press("ArrowRight")
    assert not any(row.partition(".grad")[0].isdigit() for row in page.rows)  # no number is a name
    typeset = found.steppers[0].words.called.typeset
    if name in ("drawn", "longer"):
        assert texts == [on_the_page(typeset(found.text(k))) for k in range(len(found))]
        assert page.framed(0) == page.framed(1) != []
    page.press("Escape", "Home", "End")
    for width, dark in ((1366, False), (1000, True), (400, False)):
        page.page.set_viewport_size({"width": width, "height": 768})
        page.page.emulate_media(color_scheme="dark" if dark else "light")
        page.page.wait_for_timeout(100)
        left, right = page.pictures
        assert (left["y"] < right["y"]) == (width < 1240)
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if name in ("network", "update"):
            assert page.page.evaluate(FAULTS) == []
        keep_screenshot(page.page, f"compare-{name}-{width}")
    for side in (0, 1):  # a leaf that is pulled in one is pulled in the other
        cell = page.page.locator(".mgc-cell").nth(side)
        cell.get_by_role("spinbutton").nth(side).focus()
        page.press("ArrowUp")
    page.page.wait_for_url("**set=*;*")
    numbers = [
        [leaf.get_attribute("aria-valuetext") for leaf in cell.get_by_role("spinbutton").all()]
        for cell in page.page.locator(".mgc-cell").all()
    ]
    apart = sum(a != b for a, b in zip(*numbers, strict=True))
    assert (apart > 0) == (name == "update")  # whose leaves differed before
    again = Both(browser, path, "#" + page.page.url.partition("#")[2])
    assert (again.said, again.rows) == (page.said, page.rows)
    again.close()
    own = found.steppers[1].broken or found.names[1]
    assert f"compare={own}" in page.page.url
    again = Both(browser, path, "#compare=tanh&guess=1")
    assert again.page.get_by_role("alert").inner_text() == (
        f"This link compares with tanh, this page with {own}. Two walks side by side ask for no "
        "guesses and make no updates: the page of one walk does."
    )
    again.close()
    page.close()
