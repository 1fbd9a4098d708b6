"""What is taken along from a page: its address, its link, its picture, the beamer's view, paper."""

import re

import numpy as np
import pytest
from browser import keep_screenshot
from graphs import guide_graph
from networks import small
from PIL import Image
from screen import neuron
from stepper_page import Opened

from micrograd import Value, steps

pytestmark = pytest.mark.browser

PICTURE = """() => [document.querySelector(".mgn-stage, .mgs-view").innerText,
  ...[...document.querySelectorAll(".mgn-crumbs, .mgs-say, .sel .name, h3")].map(e => e.textContent)
]"""
SMALLEST = """() => {
  const view = document.querySelector(".mgs-view, .mgn-view");
  const size = e => parseFloat(getComputedStyle(e).fontSize);
  const all = [...view.querySelectorAll(".num")].filter(e => e.getClientRects().length);
  const scale = e => (e.ownerSVGElement ? e.getCTM().a : 1) * view.style.zoom;
  return Math.min(...all.map(e => size(e) * scale(e)))
    / view.getBoundingClientRect().width;
}"""


@pytest.fixture
def both(browser, tmp_path):
    """Open the page of a network or of a graph drawn by hand, by its name and a fragment."""
    pages, roots = [], {"network": small()[1], "drawn": guide_graph(), "neuron": neuron()}

    def open_page(name, fragment="", state=None, **options):
        path = steps(roots[name]).to_html(tmp_path / f"{name}.html", **(state or {}))
        pages.append(Opened(browser, path, fragment, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


@pytest.mark.parametrize(
    ("name", "state", "keys", "said"),
    [
        ("network", {"open": "neuron 2 of layer 1"}, ["ArrowRight", "ArrowDown"], "open=1.2"),
        ("network", {"open": "loss"}, ["2"], "open=loss&tab=layer"),
        ("network", {"set": {"w1[2,1]": 0.9}}, ["End"], "set=w1[2,1]:0.9"),
        ("drawn", {"set": {"x": 1e-7}}, ["End"], "set=x:1e-7"),
        ("drawn", {}, ["End", "ArrowLeft", "ArrowUp", "p"], "step=9&pick=L&tab=paths"),
    ],
)
def test_the_address_follows_the_reader_and_opens_the_same_picture(both, name, state, keys, said):
    page = both(name, state=state)
    page.press(*keys)
    page.page.wait_for_url(lambda url: "#step=" in url and said in url)
    page.button("Copy link").click()
    field = page.page.get_by_label("Link, press Ctrl+C")
    if field.count():  # the clipboard is refused to a page without a right to it
        assert page.page.evaluate("getSelection().toString()") == field.input_value()
        link = field.input_value()
    else:
        link = page.page.url
    again = both(name, "#" + link.partition("#")[2])
    assert again.page.evaluate(PICTURE) == page.page.evaluate(PICTURE)
    again.page.evaluate("location.hash = '#step=2'")
    assert again.place.startswith(("1 / 10 stops", "2 / "))


def test_names_of_any_kind_go_through_an_address(browser, tmp_path):
    labels = ["a b+c", "50%;y:2", "x", "x", "@1", "\u05d0#&=", ""]
    leaves = [Value(float(k + 1), label=label) for k, label in enumerate(labels)]
    root = leaves[0] * leaves[1]
    for leaf in leaves[2:]:
        root = root * leaf
    path = steps(root).to_html(
        tmp_path / "page.html", set={leaf: 0.5 + k for k, leaf in enumerate(leaves)}
    )
    page = Opened(browser, path)
    page.press("ArrowDown", *["ArrowRight"] * 3)
    page.page.wait_for_url("**#step=4&pick=*")
    again = Opened(browser, path, "#" + page.page.url.partition("#")[2])
    for shown in (page, again):
        numbers = shown.page.get_by_role("spinbutton").evaluate_all(
            "all => all.map(e => +e.getAttribute('aria-valuenow')).sort((a, b) => a - b)"
        )
        assert numbers == [0.5 + k for k in range(len(labels))]
        assert shown.place == "4 / 19"
    assert again.page.evaluate(PICTURE) == page.page.evaluate(PICTURE)
    page.close()
    again.close()


def test_an_address_that_names_what_is_not_here_changes_nothing_and_says_so(both):
    bad = "&open=9.9&tab=zz&pick=w9[1,1]&sample=0&mode=%zz&theme=blue&set=w1[2,1]:abc;h:%zz"
    bad += ";nothing;" + 500 * "y"
    for name, count in (("network", 35), ("drawn", 10)):
        page = both(name, "#step=99" + bad)
        assert page.place.startswith("1 /") or page.place.startswith("2 /")
        alert = page.page.get_by_role("alert").inner_text()
        assert f"This link says step 99; the steps are 1 to {count}." in alert
        assert "This link names w9[1,1], which is not here." in alert
        assert "This link names nothing, which is not here." in alert
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.page.evaluate(wide) == 0
        page.press("ArrowRight")
        page.page.get_by_role("alert").wait_for(state="hidden")


def test_a_page_that_is_laid_out_anew_keeps_the_numbers_of_its_link(both):
    page = both("neuron", "#step=12&mode=present&set=w1:-1.5")
    for width in (1000, 400):
        page.page.set_viewport_size({"width": width, "height": 800})
        pulled = page.page.locator("[aria-label='w1, pull to change'][aria-valuenow='-1.5']")
        pulled.wait_for(state="attached")


@pytest.mark.parametrize("name", ["network", "drawn"])
@pytest.mark.parametrize("width", [400, 1366])
def test_picture_beamer_and_paper(both, tmp_path, name, width):
    dark = width == 400
    page = both(name, "#step=9", viewport={"width": width, "height": 768}, device_scale_factor=2,
                color_scheme="dark" if dark else "light")  # fmt: skip
    keep_screenshot(page.page, f"share-{name}-{width}")
    with page.page.expect_download() as download:
        page.button("PNG").click()
    assert re.fullmatch(r"step-\d+-\w+(-\d+)*\.png", download.value.suggested_filename)
    path = tmp_path / "picture.png"
    download.value.save_as(path)
    drawn, stage = pixels(path), page.page.locator(".mgn-stage, .mgs-view")
    assert (drawn[8, drawn.shape[1] // 2] < 64).all() == dark
    stage.screenshot(path=tmp_path / "page.png")
    assert different(drawn, pixels(tmp_path / "page.png")) < 0.002

    page.page.evaluate("document.activeElement.blur()")
    page.press("f")
    assert page.button("Present").count() == 0
    assert page.page.evaluate(SMALLEST) >= 0.016
    assert page.page.locator(".mgs-say").evaluate("e => getComputedStyle(e).fontSize") == "24px"
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    at = page.place
    page.press("PageUp")
    assert page.place != at
    page.press("PageDown")
    assert page.place == at
    keep_screenshot(page.page, f"present-{name}-{width}")
    page.press("Escape")
    assert page.page.evaluate("document.activeElement.textContent") == "Present"

    assert pages_of(page.page.pdf(prefer_css_page_size=True)) == 1
    page.page.evaluate("print = () => null")
    page.button("All steps").click()
    assert page.page.locator(".mgs-all ol").count() == (6 if name == "network" else 2)
    assert page.page.locator(".mgs-all li").count() == 10
    pdf = page.page.pdf(prefer_css_page_size=True)
    assert pages_of(pdf) > 1
    assert page.page.locator(".mgs-all").count() == 0
    assert page.place == at


def test_a_drawing_that_is_presented_gives_way_to_its_numbers(both):
    page = both("neuron", viewport={"width": 1366, "height": 768})
    page.press("ArrowRight", "f")
    page.page.wait_for_timeout(100)
    assert page.page.evaluate(SMALLEST) >= 0.016
    assert page.page.locator(".node").count() == 10
    assert page.place == "2 / 15"
    page.press("Escape")
    assert page.page.locator(".present").count() == 0


def test_a_frame_of_a_notebook_copies_python_and_saves_the_picture(browser, tmp_path):
    frame = steps(guide_graph(), broken="assign").page()._repr_html_()
    (tmp_path / "notebook.html").write_text(f"<!DOCTYPE html>{frame}", encoding="utf-8")
    page = browser.new_page()
    # Of a frame, Firefox writes to the clipboard, and Chromium does not.
    page.add_init_script("delete Navigator.prototype.clipboard")
    page.goto((tmp_path / "notebook.html").as_uri())
    inside = page.frame_locator("iframe")
    inside.get_by_role("button", name="Last step").click()
    inside.get_by_role("button", name="Copy link").click()
    field = inside.get_by_label("Link, press Ctrl+C to copy it")
    assert field.input_value() == "steps(L, broken='assign').go(9)"
    assert inside.get_by_role("button", name="All steps").count() == 0
    with page.expect_download() as download:
        inside.get_by_role("button", name="PNG").click()
    assert download.value.suggested_filename == "step-10-w.png"
    assert page.url.endswith("notebook.html")
    page.close()


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def different(drawn, shown):
    """Return the share of 6 × 6 pixels that are unlike; a screenshot may begin a pixel above."""
    shares = []
    for down in range(3):
        part = shown[down:]
        height, width = np.minimum(part.shape, drawn.shape)[:2]
        assert height > drawn.shape[0] - 3
        assert width > drawn.shape[1] - 3
        apart = part[:height, :width] - drawn[:height, :width]
        blocks = apart[: height // 6 * 6, : width // 6 * 6].reshape(
            height // 6, 6, width // 6, 6, 3
        )
        shares.append((abs(blocks.mean(axis=(1, 3))).max(axis=2) > 60).mean())
    return min(shares)


def pages_of(pdf):
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
