"""The recorded run opened from disk in a real browser, and the live view in JupyterLab."""

import random
import re

import pytest
from browser import chromium, keep_screenshot, launched

from micrograd import watch
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.style import number_text

pytestmark = pytest.mark.browser

generator = random.Random(4)
X = [[generator.uniform(-1, 1), generator.uniform(-1, 1)] for _ in range(30)]
y = [int(a + b > 0) for a, b in X]


def test_the_page_plays_steps_and_resets(tmp_path):
    view = watch(MLP(2, [4, 1], rng=random.Random(1)), X[:25], y[:25], validation=(X[25:], y[25:]))
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
                return page.locator(".mgl-curve .mgl-line:not(.held)").get_attribute("d")

            assert app.get_attribute("data-theme") == scheme
            page.keyboard.press("ArrowRight")  # without a click
            assert step() == 1
            page.get_by_role("button", name="Back", exact=True).click()
            assert step() == 0
            page.get_by_role("button", name="Step", exact=True).click()
            page.emulate_media(media="print")
            page.locator(".mgl[data-theme=light]").wait_for()
            assert not page.locator(".mgl-bar").get_by_text("sample").first.is_visible()
            assert page.get_by_role("button").count() == 0
            page.emulate_media(media="screen")
            page.locator(f".mgl[data-theme={scheme}]").wait_for()
            page.get_by_role("button", name="Back", exact=True).click()
            page.get_by_role("button", name="Play").click()
            page.wait_for_timeout(500)
            page.get_by_role("button", name="Pause").click()
            assert 0 < step() < 20
            slider = page.get_by_role("slider").first
            slider.press("End")
            assert step() == 20
            drawn = curve()
            # What is held out: hollow points, a dashed curve, its name at the end, words.
            ground = app.evaluate("e => getComputedStyle(e).backgroundColor")
            dots = page.locator(".mgl-dot")
            fills = dots.evaluate_all("all => all.map(e => getComputedStyle(e).fill)")
            assert [fill == ground for fill in fills] == [False] * 25 + [True] * 5
            assert (
                dots.nth(27).locator("title").text_content()
                == f"sample 27, class {y[27]}, held out"
            )
            dashes = page.locator(".mgl-curve .mgl-line.held")
            assert dashes.evaluate("e => getComputedStyle(e).strokeDasharray") != "none"
            assert dashes.get_attribute("d").count("L") == 20
            names = page.locator(".mgl-curve text").all_text_contents()
            assert {"train", "held out"} <= set(names)
            assert re.search(r"held out \d of 5 correct", page.locator(".mgl-say").inner_text())
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
            heading = page.locator(".mgl-head h3").first
            page.get_by_role("combobox", name="Map of").select_option(label="neuron 4 of layer 1")
            assert heading.inner_text() == "Neuron 4 of layer 1"
            box = page.locator(".mgl-net").bounding_box()
            first = box["x"] + box["width"] / 2, box["y"] + box["height"] / 8
            page.mouse.move(*first)  # a neuron under the mouse, then none
            assert heading.inner_text() == "Neuron 1 of layer 1"
            assert "It answers from" in page.locator(".mgl-map").get_attribute("aria-label")
            page.mouse.move(first[0] + 40, first[1] + box["height"] / 8)
            assert heading.inner_text() == "Neuron 4 of layer 1"
            page.get_by_role("combobox", name="Map of").select_option(label="the network")
            assert heading.inner_text() == "Decision boundary"
            page.get_by_role("button", name="Show its back-propagation").click()
            page.locator(".mgl-steps .mgn-card").first.wait_for()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            keep_screenshot(page, f"live_{width}_{scheme}")
            context.close()
            assert messages == []
            assert len(requests) == 1


def test_a_sample_opens_in_the_lens_in_any_theme_and_closes_by_escape(tmp_path):
    view = watch(
        MLP(2, [4, 1], rng=random.Random(1)), X, y, names=["width", "height"], classes=["no", "yes"]
    )
    path = view.to_html(tmp_path / "run.html", 20, samples=[3, 11])
    first, second = view.model.layers[0].neurons[0].w
    with launched() as browser:
        for width, scheme in ((1000, "light"), (400, "dark")):
            page = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
            ).new_page()
            errors = []
            page.on("pageerror", lambda e, kept=errors: kept.append(str(e)))
            page.goto(path.as_uri())
            lens, told = page.locator(".mgl-steps .mgn"), page.locator(".mgl-told").last
            place = "[scrollY, document.documentElement.scrollHeight, " \
                "document.querySelector('.mgl-curve').getBoundingClientRect().top]"  # fmt: skip

            # The lens: by the keyboard, with the names of network and data; the theme changes.
            button = page.get_by_role("button", name="Show its back-propagation")
            button.press("Enter")
            title = f"Back-propagation of sample 3, class {view.classes[y[3]]}, at step 20"
            page.get_by_text(title).wait_for()
            assert page.locator(".mgl-steps .mgn-crumbs h2").inner_text().startswith("Network of 2")
            assert lens.locator(".mgn-card.input").first.inner_text().startswith("width")
            for theme in ("dark", "light", "dark"):
                page.emulate_media(color_scheme=theme)
                page.locator(f".mgl[data-theme={theme}] .mgn[data-theme={theme}]").wait_for()
            page.emulate_media(color_scheme=scheme)
            page.locator(f".mgn[data-theme={scheme}]").wait_for()
            keep_screenshot(page, f"live_sample_{width}_{scheme}")

            # Escape goes from the neuron to the network, then back to where it was opened.
            page.keyboard.press("ArrowRight")
            page.keyboard.press("Enter")
            page.locator(".mgn-crumbs [aria-current]").wait_for()
            page.keyboard.press("Escape")
            assert page.locator(".mgn-crumbs h2").is_visible()
            page.keyboard.press("Escape")
            assert lens.count() == 0
            assert button.evaluate("e => e === document.activeElement")
            page.locator(".mgl-dot").nth(11).click(force=True)
            assert lens.locator("[role=slider]").evaluate("e => e === document.activeElement")
            page.get_by_role("button", name="Close").click()
            assert lens.count() == 0
            assert button.evaluate("e => e === document.activeElement")
            page.locator(".mgl-dot").nth(5).click(force=True)
            assert "does not hold sample 5" in page.locator(".mgl .mgs-alert").inner_text()

            # A weight tells its numbers, under the pointer or chosen; nothing moves.
            page.get_by_role("slider").press("End")
            net = page.locator(".mgl-net")
            net.scroll_into_view_if_needed()
            assert "from width, height to score" in net.get_attribute("aria-label")
            box, before = net.bounding_box(), page.evaluate(place)
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 8)
            page.get_by_text("It answers from").wait_for()
            assert "the bias of neuron 1 of layer 1" in told.inner_text()
            assert page.evaluate(place) == before
            seen = set()
            for across in range(1, 40):
                page.mouse.move(box["x"] + box["width"] * across / 40, box["y"] + box["height"] / 5)
                seen.add(" ".join(told.inner_text().split()))
            assert page.evaluate(place) == before
            weight = f"w (1) 1,1 is {number_text(first.data)}, its gradient in the last step "
            weight += f"{number_text(first.grad, signed=True)}; the weight from width to neuron 1"
            assert any(text.startswith(weight.replace("-", "−")) for text in seen), seen
            page.mouse.move(0, 0)
            page.get_by_role("combobox", name="Parameter").select_option(label="w⁽¹⁾₁,₂")
            assert number_text(second.data).replace("-", "−") in told.inner_text()
            assert "from height to neuron 1 of layer 1" in told.inner_text()
            assert page.evaluate(place)[1] == before[1]
            page.get_by_role("slider").press("Home")
            assert "its gradient not known yet" in told.inner_text()
            assert errors == []


def drawn_line(view, folder):
    """Return the points of the line on a page of the run, and the same places of the plane."""
    path = view.to_html(folder / "run.html", 1)
    with launched() as browser:
        page = browser.new_context(offline=True).new_page()
        page.goto(path.as_uri())
        page.locator(".mgl").wait_for()
        line = page.locator(".mgl-map .mgl-line").get_attribute("d")
    spots = [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.]+) (-?[\d.]+)", line)]
    spans = view.plane.high - view.plane.low
    places = [
        (view.plane.low[0] + x / 300 * spans[0], view.plane.low[1] + (1 - y / 300) * spans[1])
        for x, y in spots
    ]
    return spots, places


def test_a_straight_boundary_is_a_straight_line_to_the_rim(tmp_path):
    net = MLP(2, [1], rng=random.Random(0))
    for parameter, number in zip(net.parameters(), (0.5, -1.0, 0.1), strict=True):
        parameter.data = number
    view = watch(net, X, y, optimizer=SGD(net.parameters(), 1e-9))
    spots, places = drawn_line(view, tmp_path)
    assert {round(x) for x, _ in spots} >= {-3, 303}
    # A byte of the map is 1/255 of a score here, and rounded.
    assert max(abs(net(place).data) for place in places) < 1 / 255


def test_between_classes_the_line_is_where_two_are_equally_likely(tmp_path):
    net = MLP(2, [3], rng=random.Random(0))
    for neuron, weights in zip(
        net.layers[0].neurons, ((12, 6, 0), (-12, 6, 3), (0, -12, 1)), strict=True
    ):
        for parameter, number in zip(neuron.parameters(), weights, strict=True):
            parameter.data = float(number)
    view = watch(net, X, [i % 3 for i in range(30)], "cross_entropy", SGD(net.parameters(), 1e-9))
    spots, places = drawn_line(view, tmp_path)
    assert {round(x) for x, _ in spots} >= {-3, 303}  # through to the rim on both sides
    gaps = []
    for place in places:
        scores = sorted(score.data for score in net(place))
        gaps.append(scores[2] - scores[1])
    assert len(gaps) > 100
    # In the middle between two points of the map it would be 0.16.
    assert sum(gaps) / len(gaps) < 0.08


MAKE = """\
import random
from micrograd import watch
from micrograd.nn import MLP
generator = random.Random(4)
X = [[generator.uniform(-1, 1), generator.uniform(-1, 1)] for _ in range(30)]
y = [int(a + b > 0) for a, b in X]
view = watch(MLP(2, [4, 1], rng=random.Random(1)), X[:25], y[:25], validation=(X[25:], y[25:]))
live = view.widget()
live"""
ASK = """\
first = view.losses
steps = len(first)
print("running", live.running, "steps", steps)"""
CONTROLS = "print(view.rate, view.activation, view.step, repr(live.error))"
SAME = """\
again = view.losses
common = min(len(first), len(again))
print("common", common > 3, "same", first[:common] == again[:common], repr(live.error))"""


# The least contrast, by WCAG 2.2, of text with what it stands on and of the boundary with the map.
CONTRASTS = """\
app => {
  const parts = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = rgb => rgb.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const contrast = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
  const style = (query, name) => parts(getComputedStyle(app.querySelector(query))[name]);
  const ground = parts(getComputedStyle(app).backgroundColor), canvas = app.querySelector(".mgl-map canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const line = style(".mgl-line", "stroke");
  let map = Infinity;
  for (let i = 0; i < pixels.length; i += 4) map = Math.min(map, contrast(line, [...pixels.slice(i, i + 3)]));
  const texts = [".mgl-say", ".mgl-note", "h3"].map(query => contrast(style(query, "color"), ground));
  return { text: Math.min(...texts), curve: contrast(style(".mgl-curve .mgl-line", "stroke"), ground), map };
}"""  # noqa: E501


@pytest.mark.slow
def test_the_live_view_lives_in_jupyterlab(tmp_path, monkeypatch):
    chromium()
    pytest.importorskip("jupyterlab")
    pytest.importorskip("anywidget")
    import lab as lab_tests

    book = lab_tests.notebook(MAKE, ASK, SAME, CONTROLS)
    monkeypatch.setattr(lab_tests, "notebook", lambda *_: book)
    with launched() as browser, lab_tests.jupyterlab(tmp_path) as address:
        context = browser.new_context(viewport={"width": 1200, "height": 1400})
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        lab = lab_tests.Lab(page)
        page.locator(".jp-Notebook .jp-CodeCell").nth(3).wait_for(timeout=120_000)
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
        assert app.locator(".mgl-head h3").first.inner_text() == "Neuron 1 of layer 1"
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 10)
        app.get_by_text("It answers from").wait_for(state="detached")
        app.locator(".mgl-dot").nth(3).click(force=True)
        app.locator(".mgl-steps .mgn-card").first.wait_for()
        app.locator(".mgl-dot.held").nth(1).click(force=True)
        app.get_by_text(f"Back-propagation of sample 26, class {y[26]}, held out").wait_for()
        # While it runs: another learning rate goes on, another activation begins anew.
        app.locator(".mgl-map").scroll_into_view_if_needed()
        button("Run").click()
        button("Pause").wait_for()
        app.get_by_label("learning rate").select_option("0.1")
        page.wait_for_timeout(500)
        button("Pause").click()
        button("Run").wait_for()
        rate, kind, steps, error = lab.printed(3).split()
        assert (rate, kind, error) == ("0.1", "relu", "''")
        assert int(steps) > 3
        button("Run").click()
        button("Pause").wait_for()
        app.get_by_label("activation").select_option("tanh")
        page.locator(".mgl[data-step='0']").wait_for()
        button("Run").wait_for()
        assert lab.printed(3).split() == ["0.1", "tanh", "0", "''"]
        for n in (1, 2, 3):
            button("Step").click()
            page.locator(f".mgl[data-step='{n}']").wait_for()
        app.scroll_into_view_if_needed()
        page.locator(".jp-SideBar.jp-mod-left .lm-TabBar-tab.lm-mod-current").click()  # its list
        for theme in ("light", "dark"):
            if theme == "dark":
                page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
                page.locator(".lm-Menu-itemLabel", has_text="Theme").first.hover()
                page.locator(".lm-Menu-itemLabel", has_text="JupyterLab Dark").first.click()
            page.locator(f".mgl[data-theme={theme}] .mgn[data-theme={theme}]").wait_for()
            found = app.evaluate(CONTRASTS)
            assert found["text"] >= 4.5
            assert found["curve"] >= 3
            assert found["map"] >= 3
            for width in (1000, 400):
                page.set_viewport_size({"width": width, "height": 1400})
                page.wait_for_timeout(500)
                app.scroll_into_view_if_needed()
                keep_screenshot(page, f"live_jupyterlab_{theme}_{width}")
                assert app.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
            page.set_viewport_size({"width": 1200, "height": 1400})
        app.locator(".mgn-strip").press("Escape")
        app.locator(".mgn").wait_for(state="detached")
        assert lab.errors == []
        context.close()
