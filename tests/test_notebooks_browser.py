"""The notebooks as pages, light and dark, on a laptop and a phone: nothing is cut off."""

from pathlib import Path

import pytest
from browser import keep_screenshot, launched

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# How far pictures, frames and tables stick out of the cell that they stand in, in pixels, and how
# wide the page is. An image that did not load has no width; one that stands behind a frame, for
# where none can be, is not shown.
MEASURE = """() => {
    const inside = ".jp-OutputArea-output, .jp-MarkdownOutput";
    const all = document.querySelectorAll(
        ".jp-OutputArea-output img, .jp-OutputArea-output iframe, .jp-Cell table");
    const shown = Array.from(all).filter((one) => one.checkVisibility());
    const out = shown.map((one) => {
        const own = one.getBoundingClientRect(), cell = one.closest(inside).getBoundingClientRect();
        return own.width ? Math.max(own.right - cell.right, cell.left - own.left) : 1e6;
    });
    return { width: document.documentElement.scrollWidth, out: Math.max(0, ...out) };
}"""


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Each notebook rendered by nbconvert with the course's template, in both themes."""
    nbconvert = pytest.importorskip("nbconvert", reason="playwright comes with nbconvert")
    folder = tmp_path_factory.mktemp("pages")
    for theme in ("light", "dark"):
        exporter = nbconvert.HTMLExporter(
            template_file=str(ROOT / "docs" / "course.html.j2"), theme=theme
        )
        for path in NOTEBOOKS:
            html, _ = exporter.from_filename(str(path))
            (folder / f"{path.stem}-{theme}.html").write_text(html, encoding="utf-8")
    return folder


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_is_cut_off_on_a_laptop_or_a_phone(browser, pages, path, theme):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((pages / f"{path.stem}-{theme}.html").as_uri())
    for width in (1000, 400):
        page.set_viewport_size({"width": width, "height": 900})
        measured = page.evaluate(MEASURE)
        keep_screenshot(page, f"{path.stem}-{theme}-{width}")
        assert measured["width"] <= width
        assert measured["out"] <= 1
    context.close()


LEGIBLE = """() => {
    const cut = (one) => {
        for (let box = one; box; box = box.parentElement) {
            const style = getComputedStyle(box).overflowX;
            if (style === "hidden" && box.scrollWidth > box.clientWidth + 1) return true;
            if (style === "auto") return false;
        }
        return false;
    };
    const pictures = Array.from(document.querySelectorAll(".jp-OutputArea-output img"));
    const shown = pictures.filter((one) => one.checkVisibility());
    return {
        code: Array.from(document.querySelectorAll(".highlight pre")).filter(cut).length,
        scale: Math.min(1, ...shown.map((one) => one.clientWidth / one.naturalWidth)),
    };
}"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_on_a_phone_code_scrolls_and_a_wide_picture_is_no_smaller_than_can_be_read(
    browser, pages, path
):
    context = browser.new_context(offline=True, viewport={"width": 400, "height": 900})
    page = context.new_page()
    page.goto((pages / f"{path.stem}-light.html").as_uri())
    measured = page.evaluate(LEGIBLE)
    assert measured["code"] == 0
    assert measured["scale"] >= 0.5
    context.close()
