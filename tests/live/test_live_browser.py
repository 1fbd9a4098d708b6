"""The recorded run opened from disk in a real browser, and the live view in JupyterLab."""

import io
import math
import random
import re
from contextlib import contextmanager, redirect_stdout
from functools import partial

import pytest
from browser import chromium, keep_screenshot, launched
from watched import squares

from micrograd import watch
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.style import number_text

pytestmark = pytest.mark.browser

generator = random.Random(4)
X = [[generator.uniform(-1, 1), generator.uniform(-1, 1)] for _ in range(30)]
y = [int(a + b > 0) for a, b in X]


@contextmanager
def opened(browser, path, width=1000, scheme="light", fragment=""):
    """A page from disk; in the end it has said nothing in the console and asked for nothing."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    messages, requests = [], []
    page.on("console", lambda m: messages.append(m.text))
    page.on("pageerror", lambda e: messages.append(str(e)))
    page.on("request", lambda r: requests.append(r.url))
    page.goto(path.as_uri() + fragment)
    page.locator(".mgl").wait_for()
    yield page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
    assert messages == []
    assert set(requests) <= {path.as_uri()}  # Firefox does not tell of a file


def step(page):
    return int(page.locator(".mgl").get_attribute("data-step"))


def curve(page):
    return page.locator(".mgl-curve .mgl-line.now").get_attribute("d")


def test_a_recorded_run_plays_steps_and_resets(tmp_path):
    net = MLP(2, [4, 1], rng=random.Random(1))
    view = watch(net, X[:25], y[:25], squares, validation=(X[25:], y[25:]))
    path = view.to_html(tmp_path / "run.html", 20)
    with launched() as browser:
        for width, scheme in ((1000, "light"), (400, "dark")):
            with opened(browser, path, width, scheme) as page:
                app = page.locator(".mgl")
                assert app.get_attribute("data-theme") == scheme
                page.keyboard.press("ArrowRight")  # without a click
                assert step(page) == 1
                page.get_by_role("button", name="Back", exact=True).click()
                page.get_by_role("button", name="Step", exact=True).click()
                assert step(page) == 1
                page.emulate_media(media="print")
                page.locator(".mgl[data-theme=light]").wait_for()
                assert not page.locator(".mgl-bar").get_by_text("sample").first.is_visible()
                page.emulate_media(media="screen")
                page.locator(f".mgl[data-theme={scheme}]").wait_for()
                page.get_by_role("button", name="Back", exact=True).click()
                page.get_by_label("speed").select_option("5 a second")
                page.get_by_role("button", name="Play").click()
                page.wait_for_timeout(900)
                page.get_by_role("button", name="Pause").click()
                assert 0 < step(page) < 20
                slider = page.get_by_role("slider", name="Moment of the run")
                slider.press("End")
                assert step(page) == 20
                drawn = curve(page)
                # What is held out: hollow points, a dashed curve, its name at the end, words.
                ground = app.evaluate("e => getComputedStyle(e).backgroundColor")
                dots = page.locator(".mgl-dot")
                fills = dots.evaluate_all("all => all.map(e => getComputedStyle(e).fill)")
                assert [fill == ground for fill in fills] == [False] * 25 + [True] * 5
                title = dots.nth(27).locator("title").text_content()
                assert title == f"sample 27, class {y[27]}, held out"
                dashes = page.locator(".mgl-curve .mgl-line.held")
                assert dashes.evaluate("e => getComputedStyle(e).strokeDasharray") != "none"
                assert dashes.get_attribute("d").count("L") == 20
                names = page.locator(".mgl-curve text").all_text_contents()
                assert {"train", "held out"} <= set(names)
                assert "held out loss" in page.locator(".mgl-say").inner_text()
                page.get_by_role("button", name="Reset").click()
                assert step(page) == 0
                page.get_by_label("speed").select_option("full")
                page.get_by_role("button", name="Play").click()
                page.locator(".mgl[data-step='20']").wait_for()
                assert curve(page) == drawn
                app.focus()
                for key, there in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2),
                                   ("ArrowLeft", 1), ("End", 20), ("r", 0)):  # fmt: skip
                    page.keyboard.press(key)
                    assert step(page) == there
                page.get_by_role("button", name="Show its back-propagation").click()
                page.locator(".mgl-steps .mgn-card").first.wait_for()
                keep_screenshot(page, f"live_recorded_{width}_{scheme}")


def test_a_link_that_cannot_be_read_is_told(tmp_path):
    path = watch(MLP(2, [2, 1], rng=random.Random(1)), X, y).to_html(tmp_path / "run.html")
    with launched() as browser:
        for fragment in ("#features=%25", "#lr=", "#seed=-1"):
            with opened(browser, path, fragment=fragment) as page:
                said = page.get_by_role("alert").first.inner_text()
                assert "which is not here" in said, fragment
                assert page.get_by_label("Learning rate, typed").input_value() == "0.02"


def test_a_page_that_opens_at_a_step_has_links_to_its_start_and_to_other_runs(tmp_path):
    view = watch(MLP(2, [2, 1], rng=random.Random(1)), X, y)
    page_at_5, losses = view.run(5).to_html(tmp_path / "run.html"), view.losses
    with launched() as browser:
        with opened(browser, page_at_5) as page:
            page.wait_for_timeout(500)
            assert step(page) == 5
            page.get_by_role("button", name="Reset").click()
            page.wait_for_timeout(500)  # until the address is written
            link = page.url.partition("#")[2]
        cases = ((link, 0), ("lr=0.5", 0), ("step=2", 2), ("theme=dark", 5), ("data=none", 0))
        for fragment, there in cases:
            with opened(browser, page_at_5, fragment=f"#{fragment}") as page:
                page.wait_for_timeout(500)
                assert step(page) == there, fragment
                if fragment == link:
                    assert float(page.locator(".mgl").get_attribute("data-loss")) == losses[0]
                elif fragment == "data=none":
                    page.get_by_role("button", name="Show its back-propagation").click()
                    page.get_by_text("There are no samples yet: paint points.").wait_for()


def test_names_and_links_of_any_length_leave_the_page_as_wide_and_the_alert_as_short(tmp_path):
    classes = ["</noscript><script>alert(1)</script>", 500 * "W", 50 * "two words "]
    net, names = MLP(2, [4, 3], rng=random.Random(1)), ["<b>" + 500 * "n", 500 * "m"]
    labels = [classes[i % 3] for i in range(30)]
    path = watch(net, X, labels, "cross_entropy", names=names).to_html(tmp_path / "run.html")
    pins, painted = "%20".join(10_000 * ["step%3D1"]), ";".join(["1,2,0"] * 9_999 + ["NaN,1,0"])
    unknown = "&".join(f"key{i}=1" for i in range(1_000))
    with launched() as browser:
        for width in (1000, 400):
            for fragment in ("", f"#pins={pins}", f"#painted={painted}", f"#{unknown}"):
                with opened(browser, path, width, fragment=fragment) as page:
                    plane = page.locator(".mgl-map").bounding_box()
                    assert plane["height"] == plane["width"]
                    assert page.locator(".mgl-up").bounding_box()["height"] <= plane["height"] + 1
                    said = page.locator(".mgl > .mgs-alert").text_content()
                    assert len(said) < 1_000, fragment[:20]
                    assert ("which is not here." in said) == bool(fragment), fragment[:20]


def test_a_sample_opens_in_the_lens_in_any_theme_and_closes_by_escape(tmp_path):
    view = watch(
        MLP(2, [4, 1], rng=random.Random(1)), X, y, squares, names=["width", "height"],
        classes=["no", "yes"],
    )  # fmt: skip
    path = view.to_html(tmp_path / "run.html", 20, samples=[3, 11])
    with launched() as browser:
        for width, scheme in ((1000, "light"), (400, "dark")):
            with opened(browser, path, width, scheme) as page:
                lens = page.locator(".mgl-steps .mgn")
                # The lens: by the keyboard, with the names of network and data; the theme changes.
                button = page.get_by_role("button", name="Show its back-propagation")
                button.press("Enter")
                title = f"Back-propagation of sample 3, class {view.classes[y[3]]}, at step 20"
                page.get_by_text(title).wait_for()
                heading = page.locator(".mgl-steps .mgn-crumbs h2")
                assert heading.inner_text().startswith("Network of 2")
                assert lens.locator(".mgn-card.input").first.inner_text().startswith("width")
                for theme in ("dark", "light", "dark", scheme):
                    page.emulate_media(color_scheme=theme)
                    page.locator(f".mgl[data-theme={theme}] .mgn[data-theme={theme}]").wait_for()

                # Escape goes from the neuron to the network, then back to where it was opened.
                page.keyboard.press("ArrowRight")
                page.keyboard.press("Enter")
                page.locator(".mgn-crumbs [aria-current]").wait_for()
                page.keyboard.press("Escape")
                assert heading.is_visible()
                page.keyboard.press("Escape")
                assert lens.count() == 0
                assert button.evaluate("e => e === document.activeElement")
                page.locator(".mgl-dot").nth(11).click(force=True)
                strip = lens.locator("[role=slider]")
                assert strip.evaluate("e => e === document.activeElement")
                page.get_by_role("button", name="Close").click()
                assert lens.count() == 0
                page.locator(".mgl-dot").nth(5).click(force=True)
                assert "does not hold sample 5" in page.locator(".mgl .mgs-alert").inner_text()


def run_until(page, steps, speed="full"):
    """Train until there are so many steps or more, and pause."""
    page.get_by_label("speed").select_option(speed)
    page.get_by_role("button", name="Run", exact=True).click()
    for _ in range(300):
        if step(page) >= steps:
            break
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Pause").click()


def layers(page):
    return page.locator(".mgl-net").get_attribute("aria-label").split(" neurons")[0]


def test_a_page_trains_and_its_controls_begin_another_run(tmp_path):
    net = MLP(2, [8, 8, 1], rng=random.Random(1))
    view = watch(
        net, X[:25], y[:25], "hinge", SGD(net.parameters(), 0.1), validation=(X[25:], y[25:])
    )
    with launched() as browser:
        path = view.run(3).to_html(tmp_path / "there.html")
        with opened(browser, path) as page:  # it opens where the run is
            page.locator(".mgl[data-step='3']").wait_for()
            assert float(page.locator(".mgl").get_attribute("data-loss")) == view.measure()[0]
        path = view.reset().to_html(tmp_path / "run.html")
        for width, scheme in ((1600, "light"), (400, "dark")):
            with opened(browser, path, width, scheme) as page:
                button = partial(page.get_by_role, "button", exact=True)
                for n in (1, 2, 3):
                    button(name="Step").click()
                    assert step(page) == n
                view.reset().run(3)
                assert float(page.locator(".mgl").get_attribute("data-loss")) == view.measure()[0]
                drawn = curve(page)
                button(name="Reset").click()
                assert step(page) == 0
                run_until(page, 3, "5 a second")
                assert step(page) < 15
                run_until(page, 60)
                button(name="Reset").click()
                for _ in range(3):
                    page.keyboard.press("r")
                    page.locator(".mgl").press("ArrowRight")
                for _ in range(2):
                    page.keyboard.press("ArrowRight")
                assert curve(page) == drawn  # the same to the last bit that is drawn

                # Another rate goes on; everything else begins anew.
                page.get_by_role("slider", name="Learning rate", exact=True).press("ArrowRight")
                assert float(page.get_by_label("Learning rate, typed").input_value()) > 0.1
                assert step(page) == 3
                button(name="More settings").click()
                for name, value in (("activation", "tanh"), ("optimizer", "Adam"), ("L2", "0.01"),
                                    ("L1", "0.003"),
                                    ("batch", "8"), ("loss", "bce"),
                                    ("set", "circles"), ("held out", "25 %")):  # fmt: skip
                    button(name="Step").click()
                    page.get_by_role("combobox", name=name, exact=True).select_option(value)
                    assert step(page) == 0
                page.get_by_role("slider", name="Noise", exact=True).fill("0.2")
                page.get_by_role("textbox", name="seed", exact=True).fill("7")
                page.get_by_role("textbox", name="seed", exact=True).press("Enter")
                page.get_by_label("samples").fill("many")
                page.get_by_label("samples").press("Enter")
                assert "is not a number" in page.locator(".mgl .mgs-alert").inner_text()
                assert layers(page) == "Network of 2, 8, 8, 1"
                for name in ("One hidden layer more", "One neuron less in layer 1", "x₁²"):
                    button(name=name).press("Enter")
                    assert button(name=name).evaluate("e => e === document.activeElement")
                assert layers(page) == "Network of 3, 7, 8, 8, 1"
                button(name="One hidden layer less").click()
                run_until(page, 100)
                keep_screenshot(page, f"live_trained_{width}_{scheme}")

                # The link leads to the same run at the same step.
                page.wait_for_timeout(400)
                link, loss = page.url, page.locator(".mgl").get_attribute("data-loss")
                page.goto("about:blank")
                page.goto(link)
                page.locator(f".mgl[data-step='{re.search('step=([0-9]+)', link)[1]}']").wait_for()
                assert page.locator(".mgl").get_attribute("data-loss") == loss
                assert layers(page) == "Network of 3, 7, 8, 1"
                page.evaluate("location.hash = 'lr=0&batch=2&data=unknown'")
                page.get_by_text("This link says data=unknown, which is not here.").wait_for()

                # At a rate that is too large it stops: a mark, and what to try.
                page.evaluate("location.hash = 'lr=1e5&loss=mse&step=50'")
                page.locator(".mgl-curve .stop").wait_for(state="attached")
                assert "lower learning rate" in page.locator(".mgl .mgs-alert").inner_text()


def test_a_page_tells_numbers_takes_painted_points_keeps_runs_and_gives_python(tmp_path):
    net = MLP(2, [4, 1], rng=random.Random(1))
    view = watch(net, X, y, "hinge", SGD(net.parameters(), 0.1), names=["width", "height"])
    path = view.to_html(tmp_path / "run.html")
    with launched() as browser:
        for width, scheme in ((1000, "light"), (400, "dark")):
            with opened(browser, path, width, scheme) as page:
                button = partial(page.get_by_role, "button", exact=True)
                place = "[scrollY, document.documentElement.scrollHeight, " \
                    "document.querySelector('.mgl-curve').getBoundingClientRect().top]"  # fmt: skip
                run_until(page, 5)
                button(name="Reset").click()
                button(name="Step").click()
                view.reset().run(1)
                weight = net.layers[0].neurons[0].w[0]

                # A weight tells its numbers when pointed at or focused; nothing moves.
                pane = page.locator(".mgl-net")
                pane.scroll_into_view_if_needed()
                box, before, told = pane.bounding_box(), page.evaluate(place), set()
                for across in range(1, 40):
                    at = box["x"] + box["width"] * across / 40, box["y"] + box["height"] * 0.4
                    page.mouse.move(*at)
                    told.add(page.locator(".mgl-card").inner_text())
                    assert page.evaluate(place) == before
                assert any("from width to neuron" in text for text in told)
                page.mouse.move(0, 0)
                neuron = page.locator(".mgl-spot").first
                neuron.focus()
                assert page.locator(".mgl-output h3").inner_text() == "Neuron 1 of layer 1"
                page.keyboard.press("ArrowLeft")
                value, grad = number_text(weight.data), number_text(weight.grad, signed=True)
                said = f"w, layer 1, to neuron 1 from 1: {value}, its gradient {grad}; "
                said += "the weight from width to neuron 1 of layer 1."
                focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
                assert focused == said.replace("-", "−")
                page.keyboard.press("ArrowDown")
                page.keyboard.press("ArrowRight")
                assert neuron.evaluate("e => e === document.activeElement")
                neuron.press("Enter")
                page.get_by_role("button", name="Run", exact=True).focus()
                assert page.locator(".mgl-output h3").inner_text() == "Neuron 1 of layer 1"
                neuron.press("Enter")

                # Points: a click, Shift, a drag, keys; Undo takes a stroke back.
                button(name="Paint points").click()
                dots, map_box = page.locator(".mgl-dot"), page.locator(".mgl-map").bounding_box()
                spot = map_box["x"] + 40, map_box["y"] + 40
                page.mouse.click(*spot)
                page.keyboard.down("Shift")
                page.mouse.click(spot[0] + 30, spot[1])
                page.keyboard.up("Shift")
                page.locator(".mgl-dot").nth(31).wait_for(state="attached")
                titles = dots.locator("title").all_text_contents()[-2:]
                assert [title[-1] for title in titles] == ["1", "0"]
                page.mouse.move(spot[0], spot[1] + 60)
                page.mouse.down()
                for far in range(10):
                    page.mouse.move(spot[0] + 8 * far, spot[1] + 60)
                    page.wait_for_timeout(30)
                page.mouse.up()
                page.wait_for_timeout(100)
                assert dots.count() > 34
                for key in ("ArrowLeft", "1"):
                    page.keyboard.press(key)
                page.wait_for_timeout(100)
                for _ in range(2):
                    button(name="Undo").click()
                page.wait_for_timeout(100)
                assert dots.count() == 32
                assert step(page) == 0
                button(name="Paint points").click()

                # A pinned run stays, as a ghost and in the table.
                run_until(page, 40)
                button(name="Pin this run").click()
                pinned = step(page)
                number = page.get_by_label("sample", exact=True)
                for i in ("-1", "1e20", ""):
                    number.fill(i)
                    number.press("Enter")
                    assert "numbers from 0 to 31" in page.get_by_role("alert").first.inner_text()
                page.get_by_label("activation").select_option("tanh")
                row = page.locator(".mgl-table tbody tr")
                results = row.locator("td").all_inner_texts()
                assert [results[3], results[5]] == [str(pinned), "–"]  # nothing is held out
                for place in (".mgl-curve", ".mgl-map"):
                    assert page.locator(f"{place} .ghost").first.get_attribute("d")
                keep_screenshot(page, f"live_pinned_{width}_{scheme}")
                ghost = page.locator(".mgl-map .ghost")
                kept = row.inner_text(), ghost.get_attribute("d")
                page.wait_for_url("**pins=**")
                page.reload()  # the address holds it
                ghost.wait_for(state="attached")
                assert (row.inner_text(), ghost.get_attribute("d")) == kept
                button(name="Load the settings of run A").click()
                assert page.get_by_label("activation").input_value() == "relu"
                button(name="Remove run A").click()
                assert row.count() == 0

                # The lines of Python give the same loss, and a sample its back-propagation.
                for _ in range(3):
                    button(name="Step").click()
                page.evaluate("navigator.clipboard.writeText = text => { window.copied = text; }")
                button(name="Copy as Python").click()
                given = {"X": X, "y": y}
                with redirect_stdout(io.StringIO()) as printed:
                    exec(page.evaluate("window.copied"), given)
                losses = given["history"].loss
                button(name="Show its back-propagation").press("Enter")
                page.get_by_text(
                    f"Back-propagation of sample 0, class {y[0]}, at step 3"
                ).wait_for()
                lens = page.locator(".mgl-steps .mgn")
                assert (len(losses), printed.getvalue().strip()) == (3, repr(losses[-1]))
                for theme in ("dark", "light", scheme):
                    page.emulate_media(color_scheme=theme)
                    page.locator(f".mgl[data-theme={theme}] .mgn[data-theme={theme}]").wait_for()
                card = lens.locator(".mgn-card.param").first
                model = given["model"]
                first = number_text(model.layers[0].neurons[0].w[0].data).replace("-", "−")
                assert first in card.inner_text()
                page.keyboard.press("Escape")
                assert lens.count() == 0


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
    assert {round(x) for x, _ in spots} >= {-1, 301}
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
    assert {round(x) for x, _ in spots} >= {-1, 301}  # through to the rim on both sides
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
def new(loss="hinge"):
    return watch(MLP(2, [4, 1], rng=random.Random(1)), X[:25], y[:25], loss, validation=(X[25:], y[25:]))
view = new()
live = view.widget()
live"""  # noqa: E501
ASK = """\
again = new().run(view.step).losses
same = max(map(abs, (a - b for a, b in zip(view.losses, again))), default=0) < 1e-9
print(view.step, len(view.losses), view.rate, view.activation, same, repr(live.error))"""
KERNEL = """\
def squares(scores, targets):
    return sum((s - t) ** 2 for s, t in zip(scores, targets)) / len(targets)
other = new(squares)
own = other.widget()
own"""
ASK_KERNEL = "print(other.step, len(other.losses), other.rate, other.activation, repr(own.error))"


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

    book = lab_tests.notebook(MAKE, ASK, KERNEL, ASK_KERNEL)
    monkeypatch.setattr(lab_tests, "notebook", lambda *_: book)
    with launched() as browser, lab_tests.jupyterlab(tmp_path) as address:
        context = browser.new_context(viewport={"width": 1200, "height": 1400})
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        lab = lab_tests.Lab(page)
        page.locator(".jp-Notebook .jp-CodeCell").nth(3).wait_for(timeout=120_000)
        cells = page.locator(".jp-Notebook .jp-Cell").count()
        lab.run(0)
        app = lab.view(0).first
        app.wait_for()
        button = partial(app.get_by_role, "button", exact=True)

        def told(cell):
            return lab.printed(cell).split()

        # The page trains; the kernel's network, losses and settings are its own.
        for n in (1, 2):
            button(name="Step").click()
            lab.cell(0).locator(f".mgl[data-step='{n}']").wait_for()
        assert told(1) == ["2", "2", "0.02", "relu", "True", "''"]
        button(name="Run").click()
        page.wait_for_timeout(1500)
        button(name="Pause").click()
        button(name="Run").wait_for()
        steps = app.get_attribute("data-step")
        assert int(steps) > 2
        assert told(1) == [steps, steps, "0.02", "relu", "True", "''"]
        button(name="Reset").focus()
        for key in ("b", "a", "d", "d", "x", "m"):  # commands of the notebook
            page.keyboard.press(key)
        assert page.locator(".jp-Notebook .jp-Cell").count() == cells
        app.get_by_label("activation").select_option("tanh")
        lab.cell(0).locator(".mgl[data-step='0']").wait_for()
        button(name="One neuron more in layer 1").click()
        button(name="Step").click()
        assert told(1)[:4] == ["1", "1", "0.02", "tanh"]
        app.locator(".mgl-dot.held").nth(1).click(force=True)  # a graph that only the kernel has
        app.get_by_text(f"Back-propagation of sample 26, class {y[26]}, held out").wait_for()

        # Where only Python can train, the kernel does, in slices.
        lab.run(2)
        app = lab.view(2).first
        button = partial(app.get_by_role, "button", exact=True)
        app.get_by_text("the loss is a function of your own").wait_for()
        button(name="Step").click()
        lab.cell(2).locator(".mgl[data-step='1']").wait_for()
        button(name="Run").click()
        button(name="Pause").wait_for()
        app.get_by_label("Learning rate, typed").fill("0.1")
        app.get_by_label("Learning rate, typed").press("Enter")
        page.wait_for_timeout(800)
        button(name="Pause").click()
        button(name="Run").wait_for()
        steps, count, *rest = told(3)
        assert int(steps) == int(count) > 1
        assert rest == ["0.1", "relu", "''"]
        app.get_by_role("button", name="Neuron 1 of layer 1").hover()
        assert app.locator(".mgl-output h3").inner_text() == "Neuron 1 of layer 1"
        app.get_by_label("activation").select_option("tanh")
        lab.cell(2).locator(".mgl[data-step='0']").wait_for()
        assert told(3)[3] == "tanh"
        app.locator(".mgl-dot").nth(3).click(force=True)
        app.locator(".mgl-steps .mgn-card").first.wait_for()
        app.scroll_into_view_if_needed()
        page.locator(".jp-SideBar.jp-mod-left .lm-TabBar-tab.lm-mod-current").click()  # its list
        for theme in ("light", "dark"):
            if theme == "dark":
                page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
                page.locator(".lm-Menu-itemLabel", has_text="Theme").first.hover()
                page.locator(".lm-Menu-itemLabel", has_text="JupyterLab Dark").first.click()
            lab.cell(2).locator(f".mgl[data-theme={theme}] .mgn[data-theme={theme}]").wait_for()
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


def test_what_is_held_out_drawn_and_drawn_anew_is_chosen_on_the_page_and_in_its_address(tmp_path):
    net = MLP(2, [4, 1], rng=random.Random(1))
    view = watch(
        net, X, y, "hinge", SGD(net.parameters(), 0.1, l1=0.003), held_out=0.2, discrete=True,
        names=["10", "2"], classes=["", "yes"],
    )  # fmt: skip
    path = view.run(40).to_html(tmp_path / "run.html")
    with launched() as browser:
        for width, scheme in ((1366, "light"), (400, "dark")):
            with opened(browser, path, width, scheme) as page:
                button = partial(page.get_by_role, "button", exact=True)
                box = partial(page.get_by_role, "combobox", exact=True)
                app, dots = page.locator(".mgl"), page.locator(".mgl-dot")
                page.locator(".mgl[data-step='40']").wait_for()
                loss = float(app.get_attribute("data-loss"))
                assert loss == pytest.approx(view.measure()[0], rel=1e-12)
                assert dots.count() == len(X)
                assert page.locator(".mgl-dot.held").count() == math.ceil(0.2 * len(X))

                # The inputs are in their order, and a class without a name is in the key.
                chips = page.get_by_role("group", name="Inputs of the network")
                assert chips.inner_text().split("\n")[:3] == ["10", "2", "10²"]
                assert page.locator(".mgl-key > span").all_inner_texts() == ["(no name)", "yes"]

                # What is drawn: two answers, and the points that are held out.
                colours = """() => { const c = document.querySelector(".mgl-map canvas");
                    const copy = new OffscreenCanvas(c.width, c.height).getContext("2d");
                    copy.drawImage(c, 0, 0);
                    const all = copy.getImageData(0, 0, c.width, c.height).data;
                    return new Set(new Uint32Array(all.buffer)).size; }"""
                assert page.evaluate(colours) == 2
                page.get_by_role("checkbox", name="Discrete output").uncheck()
                assert page.evaluate(colours) > 20
                page.get_by_role("checkbox", name="Show held-out points").uncheck()
                assert not page.locator(".mgl-dot.held").first.is_visible()
                page.wait_for_timeout(400)
                assert page.url.endswith("#step=40&discrete=no&show_held_out=no")
                page.reload()
                page.locator(".mgl[data-step='40']").wait_for()
                assert page.evaluate(colours) > 20
                assert not page.locator(".mgl-dot.held").first.is_visible()
                page.get_by_role("checkbox", name="Show held-out points").check()

                # Another split, no split, other data.
                places = "() => [...document.querySelectorAll('.mgl-dot')].map(e => e.outerHTML)"
                first = page.evaluate(places)
                button(name="New split").click()
                assert page.evaluate(places) != first
                box(name="held out").select_option("none")
                assert page.locator(".mgl-dot.held").count() == 0
                box(name="set").select_option("gaussians")
                assert page.locator(".mgl-output h3").inner_text() == "Prediction"
                box(name="held out").select_option("30 %")
                before = page.evaluate(places)
                button(name="New data").click()
                assert page.evaluate(places) != before
                assert page.locator(".mgl-dot.held").count() == 60
                button(name="Step").click()
                keep_screenshot(page, f"live_regression_{width}_{scheme}")
                page.wait_for_timeout(400)
                link, loss = page.url, app.get_attribute("data-loss")
                assert "data=gaussians&dataSeed=2&" in link
                assert "held_out=0.3" in link
                button(name="Copy as Python").click()
                page.goto("about:blank")
                page.goto(link)
                page.locator(".mgl[data-step='1']").wait_for()
                assert app.get_attribute("data-loss") == loss

                # What a link asks in vain is said, of pinned runs too.
                page.evaluate(
                    "location.hash = 'l1=-1&held_out=0.999&discrete=maybe&pins=' +"
                    "encodeURIComponent('step=1&data=nowhere&l1=0.1')"
                )
                said = page.locator(".mgl > .mgs-alert")
                for what in ("l1=−1", "held_out=0.999", "discrete=maybe",
                             "pinned run 1, data=nowhere"):  # fmt: skip
                    assert f"This link says {what}, which is not here." in said.inner_text()
                assert "l1=0.1" not in said.inner_text()
                page.locator(".mgl-table tbody tr").wait_for()
                assert "L1 0.1" in page.locator(".mgl-table").inner_text()
                page.evaluate("location.hash = 'l1=0.01'")
                assert box(name="L1").input_value() == "0.01"  # open, since it is another
