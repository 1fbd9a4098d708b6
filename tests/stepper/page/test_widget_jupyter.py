"""The widget inside a real JupyterLab, which the test starts and stops."""

import pytest
from browser import chromium, keep_screenshot, launched
from lab import jupyterlab, opened_lesson

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_widget_lives_in_jupyterlab(tmp_path):
    chromium()  # the first thing that may be missing, and the reason that CI knows
    pytest.importorskip("jupyterlab")
    pytest.importorskip("anywidget")
    with launched() as browser, jupyterlab(tmp_path) as address:
        context, page, lab = opened_lesson(browser, address)
        cells = page.locator(".jp-Notebook .jp-CodeCell").count()
        lab.run(0)
        first = lab.view(0)
        first.get_by_role("status").wait_for()
        assert first.get_by_role("status").inner_text().startswith("h is the product x × w")

        # Two views of one widget stay equal, and Python sees where they are.
        lab.run(1)
        second = lab.view(1)
        second.get_by_role("status").wait_for()
        first.get_by_role("button", name="Last step").click()
        second.get_by_text("10 / 10").wait_for()
        second.get_by_role("button", name="Step back").click()
        first.get_by_text("9 / 10").wait_for()
        assert "step 8" in lab.printed(2)

        # The notebook's one-letter commands do not fire inside the widget.
        first.get_by_role("button", name="Step back").focus()
        for key in ("b", "a", "d", "d", "x", "m", "ArrowLeft"):
            page.keyboard.press(key)
        assert page.locator(".jp-Notebook .jp-Cell").count() == cells
        assert page.locator(".jp-Notebook .jp-MarkdownCell").count() == 0
        first.get_by_text("8 / 10").wait_for()
        assert lab.save(tmp_path / "notebooks" / "lesson.ipynb")[0]

        # A slider, a jump, play.
        first.get_by_role("slider", name="Step").fill("6")
        second.get_by_text("7 / 10").wait_for()
        first.locator(".node").filter(has=page.locator("title", has_text="w = -3")).click()
        second.get_by_text("10 / 10").wait_for()
        first.get_by_role("button", name="First step").click()
        first.get_by_label("Speed").select_option("4")
        first.get_by_role("button", name="Play").click()
        second.get_by_text("10 / 10").wait_for()

        # A leaf is edited in place: the same step with new numbers; the Value stays as it is.
        first.get_by_role("slider", name="Step").fill("6")
        leaf = first.locator(".node").filter(has=page.locator("title", has_text="x = 2"))
        leaf.dblclick()
        field = first.get_by_label("New value of x")
        field.fill("no number")
        field.press("Enter")
        first.get_by_role("alert").get_by_text("is not a number").wait_for()
        field.fill("5")
        field.press("Enter")
        second.locator(".node").filter(has=page.locator("title", has_text="x = 5")).wait_for()
        assert "L = 75" in second.locator("title").all_text_contents()
        second.get_by_text("7 / 10").wait_for()
        leaf = first.locator(".node").filter(has=page.locator("title", has_text="x = 5"))
        leaf.focus()
        page.keyboard.press("e")
        field.press("Escape")
        assert field.count() == 0

        # Pulled: the numbers follow in the other view, and with the switch in the kernel's Values.
        number = first.get_by_role("spinbutton", name="x, pull to change")
        number.press("ArrowUp")
        second.locator(".node").filter(has=page.locator("title", has_text="x = 5.05")).wait_for()
        assert "x 2 error ''" in lab.printed(2)
        first.get_by_label("change my Values too").check()
        number.press("ArrowDown")
        second.locator(".node").filter(has=page.locator("title", has_text="x = 5")).wait_for()
        assert "x 5 error ''" in lab.printed(2)
        number.press("Escape")
        assert "x 2 error ''" in lab.printed(2)
        keep_screenshot(page, "jupyterlab_light")

        # The notebook's dark theme, and a cell as narrow as a phone.
        assert first.get_attribute("data-theme") == "light"
        page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
        page.locator(".lm-Menu-itemLabel", has_text="Theme").first.hover()
        page.locator(".lm-Menu-itemLabel", has_text="JupyterLab Dark").first.click()
        page.locator(".mgs[data-theme=dark]").first.wait_for()

        page.set_viewport_size({"width": 800, "height": 1000})
        page.wait_for_timeout(500)
        assert first.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
        page.set_viewport_size({"width": 1200, "height": 1000})

        # The stepper itself, as the last line of a cell, is the widget.
        lab.run(3)
        lab.view(3).get_by_role("status").wait_for()
        lab.view(3).scroll_into_view_if_needed()
        keep_screenshot(page, "jupyterlab_dark")
        assert lab.errors == []
        context.close()
