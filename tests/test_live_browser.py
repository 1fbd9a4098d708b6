"""The recorded run opened from disk in a real browser, and the live view in JupyterLab."""

import random

import pytest
from browser import chromium, keep_screenshot, launched

from micrograd import watch
from micrograd.nn import MLP

pytestmark = pytest.mark.browser

generator = random.Random(4)
X = [[generator.uniform(-1, 1), generator.uniform(-1, 1)] for _ in range(30)]
y = [int(a + b > 0) for a, b in X]


def test_the_page_plays_steps_and_resets(tmp_path):
    view = watch(MLP(2, [4, 1], rng=random.Random(1)), X, y)
    path = view.to_html(tmp_path / "run.html", 20)
    with launched() as browser:
        for width, scheme in ((1000, "light"), (400, "dark")):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
            )
            page = context.new_page()
            messages, requests = [], []
            page.on("console", lambda m, kept=messages: kept.append(m.text))
            page.on("pageerror", lambda e, kept=messages: kept.append(str(e)))
            page.on("request", lambda r, kept=requests: kept.append(r.url))
            page.goto(path.as_uri())
            app = page.locator(".mgl")
            app.wait_for()

            def step(app=app):
                return int(app.get_attribute("data-step"))

            def curve(page=page):
                return page.locator(".mgl-curve .mgl-line").get_attribute("d")

            assert app.get_attribute("data-theme") == scheme
            page.get_by_role("button", name="Step", exact=True).click()
            assert step() == 1
            page.get_by_role("button", name="Back", exact=True).click()
            assert step() == 0
            page.get_by_role("button", name="Play").click()
            page.wait_for_timeout(500)
            page.get_by_role("button", name="Pause").click()
            assert 0 < step() < 20
            slider = page.get_by_role("slider").first
            slider.press("End")
            assert step() == 20
            drawn = curve()
            page.get_by_role("button", name="Reset").click()
            assert step() == 0
            page.get_by_role("button", name="Play").click()
            page.locator(".mgl[data-step='20']").wait_for()
            assert curve() == drawn
            app.focus()
            for key, there in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2),
                               ("ArrowLeft", 1), ("End", 20), ("r", 0)):  # fmt: skip
                page.keyboard.press(key)
                assert step() == there
            page.keyboard.press("Space")
            page.wait_for_timeout(250)
            page.keyboard.press("Space")
            assert 0 < step() < 20
            heading = page.locator(".mgl-head h3")
            page.get_by_role("combobox", name="Map of").select_option(label="neuron 3 of layer 0")
            assert heading.inner_text() == "Neuron 3 of layer 0"
            box = page.locator(".mgl-net").bounding_box()
            first = box["x"] + box["width"] / 2, box["y"] + box["height"] / 8
            page.mouse.move(*first)  # a neuron under the mouse, then none
            assert heading.inner_text() == "Neuron 0 of layer 0"
            assert "It answers from" in page.locator(".mgl-map").get_attribute("aria-label")
            page.mouse.move(first[0] + 40, first[1] + box["height"] / 8)
            assert heading.inner_text() == "Neuron 3 of layer 0"
            page.get_by_role("combobox", name="Map of").select_option(label="the network")
            assert heading.inner_text() == "Decision boundary"
            page.get_by_role("button", name="Show its back-propagation").click()
            page.locator(".mgl-steps .node").first.wait_for()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            keep_screenshot(page, f"live_{width}_{scheme}")
            context.close()
            assert messages == []
            assert len(requests) == 1


MAKE = """\
import random
from micrograd import watch
from micrograd.nn import MLP
generator = random.Random(4)
X = [[generator.uniform(-1, 1), generator.uniform(-1, 1)] for _ in range(30)]
y = [int(a + b > 0) for a, b in X]
view = watch(MLP(2, [4, 1], rng=random.Random(1)), X, y)
live = view.widget()
live"""
ASK = """\
first = view.losses
steps = len(first)
print("running", live.running, "steps", steps)"""
SAME = """\
again = view.losses
common = min(len(first), len(again))
print("common", common > 3, "same", first[:common] == again[:common], repr(live.error))"""


@pytest.mark.slow
def test_the_live_view_lives_in_jupyterlab(tmp_path, monkeypatch):
    chromium()
    pytest.importorskip("jupyterlab")
    pytest.importorskip("anywidget")
    import test_widget_jupyter as lab_tests

    book = lab_tests.notebook(MAKE, ASK, SAME)
    monkeypatch.setattr(lab_tests, "notebook", lambda *_: book)
    with launched() as browser, lab_tests.jupyterlab(tmp_path) as address:
        context = browser.new_context(viewport={"width": 1200, "height": 1400})
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        lab = lab_tests.Lab(page)
        page.locator(".jp-Notebook .jp-CodeCell").nth(2).wait_for(timeout=120_000)
        lab.run(0)
        app = lab.cell(0).locator(".mgl")
        app.wait_for()

        def button(name):
            return app.get_by_role("button", name=name, exact=True)

        for n in (1, 2):
            button("Step").click()
            page.locator(f".mgl[data-step='{n}']").wait_for()
        button("Run").click()
        button("Pause").wait_for()
        page.wait_for_timeout(800)
        button("Pause").click()
        button("Run").wait_for()
        assert "running False" in lab.printed(1)
        assert int(app.get_attribute("data-step")) > 2
        button("Reset").click()
        page.locator(".mgl[data-step='0']").wait_for()
        app.focus()
        page.keyboard.press("Space")
        page.wait_for_timeout(800)
        button("Pause").click()
        button("Run").wait_for()
        assert lab.printed(2).strip() == "common True same True ''"
        app.locator(".mgl-net").scroll_into_view_if_needed()
        box = app.locator(".mgl-net").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 8)
        app.get_by_text("It answers from").wait_for()
        assert app.locator(".mgl-head h3").inner_text() == "Neuron 0 of layer 0"
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 10)
        app.get_by_text("It answers from").wait_for(state="detached")
        app.locator(".mgl-dot").nth(3).click(force=True)
        app.locator(".mgl-steps .node").first.wait_for()
        app.scroll_into_view_if_needed()
        keep_screenshot(page, "live_jupyterlab")
        assert lab.errors == []
        context.close()
