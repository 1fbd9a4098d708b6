"""Numbers of leaves that are pulled on a page, against the pages that Python writes of them."""

import random
from fractions import Fraction
from pathlib import Path

import pytest
from browser import keep_screenshot
from screen import measured
from stepper_page import TWO_FRAMES, Opened, on_the_page

from micrograd import Value, steps
from micrograd.losses import cross_entropy
from micrograd.nn import MLP, Layer

pytestmark = pytest.mark.browser

FAULTS = Path(__file__).with_name("faults.js").read_text(encoding="utf-8")
# The numbers of the picture, and of the tiles and the rules below it.
SHOWN = """() => [
  [...document.querySelectorAll("[data-node]")].map(e => [+e.dataset.node, e.ariaLabel]).sort((a, b) => a[0] - b[0]),
  [...document.querySelectorAll(".mgs-say, .mgs-math, .mgs-rule, .mgs-tile b, .mgn-prob, .mgn-layer .mgn-mat span")].map(e => e.textContent),
]"""  # noqa: E501
PLACES = """() => [".mgs-legend", ".mgs-bar", ".mgs-say", ".mgs-keys", "[data-node]"]
  .map(e => Math.round(document.querySelector(e).getBoundingClientRect().top))"""


def network(**changed):
    model = MLP(2, [2, 2], activation="sigmoid", rng=random.Random(4))
    loss = cross_entropy([model([0.5, -1.0])], [0])
    stepper = steps(loss)
    for name, number in changed.items():
        stepper.nodes[stepper.place(name)].data = number
    return loss.forward()


def neuron(**changed):
    numbers = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432} | changed
    x1, x2, w1, w2, b = (Value(numbers[name], label=name) for name in ("x1", "x2", "w1", "w2", "b"))
    n = x1 * w1 + x2 * w2 + b
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    return o


@pytest.fixture
def page_of(browser, tmp_path):
    pages = []

    def open_page(root, fragment, width=1366, scheme="light"):
        path = steps(root).to_html(tmp_path / f"page{len(pages)}.html")
        options = {"viewport": {"width": width, "height": 768}, "color_scheme": scheme}
        pages.append(Opened(browser, path, fragment, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def scrubber(page, name):
    return page.page.get_by_role("spinbutton", name=f"{name}, pull to change", exact=True)


def drag(page, name, by, drop=True):
    box = scrubber(page, name).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    for part in (0.1, 0.5, 1):
        page.page.mouse.move(x + by * part, y)
    page.page.evaluate(TWO_FRAMES)
    if drop:
        page.page.mouse.up()


def moved(page):
    return page.page.locator(".mgs-moved > span").inner_text().replace("\n", "")


def same_as(page, other, *keys):
    """Return whether a page shows the same numbers as another one, at a step and the next ones."""
    for key in (None, *keys):
        if key:
            page.press(key)
            other.press(key)
        assert page.page.evaluate(SHOWN) == other.page.evaluate(SHOWN), key
    return True


CASES = {
    "lens": (network, "w2[1,2]", "w, layer 2, to neuron 1 from 2", "x0[1]", "input 1"),
    "drawn": (neuron, "w1", "w1", "b", "b"),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_number_is_pulled_typed_and_put_back(page_of, kind):
    make, name, spoken, second, second_spoken = CASES[kind]
    at = "#step=12" if kind == "drawn" else "#step=30"
    page = page_of(make(), at)
    stepper = steps(make())
    first = float(stepper.nodes[stepper.place(name)].data)
    places, status = page.page.evaluate(PLACES), page.said

    # While it is dragged all numbers follow, nothing moves and nothing is said.
    drag(page, spoken, 40, drop=False)
    now = float(scrubber(page, spoken).get_attribute("aria-valuenow"))
    assert now == pytest.approx(first + 0.4, abs=1e-4)
    assert page.page.evaluate(PLACES) == places
    assert page.page.locator(".mgs-heard").first.inner_text() in ("", status)
    assert page.page.locator(".mgs-ghosts span:visible").count() > 2
    keep_screenshot(page.page, f"pull-{kind}")
    page.page.mouse.up()
    assert same_as(page, page_of(make(**{name: now}), at), "ArrowLeft", "ArrowRight")
    assert page.page.locator(".mgs-ghosts span:visible").count() == 0  # gone with the step

    # What the gradient predicted, and what came.
    page.press("ArrowLeft", "ArrowRight")
    rows = page.page.locator("table").filter(has_text="the gradient predicted").locator("tr")
    value, predicted, came = [row.split("\t") for row in rows.all_inner_texts()]
    slope = stepper.find(name).grad_after
    loss = make(**{name: now}).data - make().data
    assert value[-1] == "+0.4"
    assert float(predicted[-1].replace("\N{MINUS SIGN}", "-")) == pytest.approx(0.4 * slope, 1e-3)
    assert float(came[-1].replace("\N{MINUS SIGN}", "-")) == pytest.approx(loss, 1e-3)
    heard = page.page.locator(".mgs-heard[aria-live=polite]", has_text=", predicted ")
    heard.wait_for(state="attached")
    assert heard.inner_text().startswith(f"{spoken} ")

    # The keyboard: arrows, typing, Esc; a text that is no number changes nothing.
    scrubber(page, second_spoken).focus()
    page.press("Shift+ArrowUp", "ArrowDown", "Alt+ArrowDown")
    old = float(stepper.nodes[stepper.place(second)].data)
    page.page.evaluate(TWO_FRAMES)
    reached = float(scrubber(page, second_spoken).get_attribute("aria-valuenow"))
    assert reached == pytest.approx(old + 0.5 - 0.05 - 0.005, abs=1e-4)
    assert "," in moved(page)
    field = page.page.get_by_label("New value of")
    for text, number in (("0,9", 0.9), ("3/4", 0.75), ("1e-3", 0.001), ("25", 25)):
        page.press("Enter")
        field.fill(text)
        field.press("Enter")
        page.page.evaluate(TWO_FRAMES)
        assert float(scrubber(page, second_spoken).get_attribute("aria-valuenow")) == number
    page.press("Enter")
    field.fill("abc")
    field.press("Enter")
    assert "is not a number" in page.page.get_by_role("alert").inner_text()
    field.press("Escape")
    assert same_as(page, page_of(make(**{name: now, second: 25.0}), at))
    page.press("Escape")
    assert float(scrubber(page, second_spoken).get_attribute("aria-valuenow")) == old
    assert "," not in moved(page).split(":")[0].replace("1,2", "").replace("(2)", "")

    # The link opens the same; then all is put back.
    page.page.wait_for_url(lambda url: f"set={name}:" in url and ";" not in url)
    again = page_of(make(), page.page.evaluate("location.hash"))
    assert again.page.evaluate(SHOWN) == page.page.evaluate(SHOWN)
    assert moved(again) == moved(page)
    page.button("Back to the original").click()
    assert page.page.locator(".mgs-moved").count() == 0
    assert same_as(page, page_of(make(), at))

    # A click selects; a double click types, as does the key.
    card = page.page.locator(f"[data-node='{stepper.place(name)}']").first
    card.click()
    assert field.count() == 0
    assert "sel" in card.get_attribute("class")
    card.dblclick()
    field.press("Escape")
    card.click()
    page.press("e")
    assert field.input_value() == str(stepper.nodes[stepper.place(name)].data)
    field.press("Escape")
    assert page.page.locator(".mgs-moved").count() == 0


def test_where_a_number_has_no_value_the_page_keeps_the_last_one(page_of):
    a = Value(0.5, label="a")
    page = page_of(a.log() * 2, "")
    drag(page, "a", -80)
    legend = page.page.locator(".mgs-legend")
    assert on_the_page("Not defined here: log(-0.3).") in legend.inner_text()
    page.press("ArrowRight")
    drag(page, "a", 20)
    assert moved(page).startswith("a 0.5")
    for text in ("1e400", "1/0"):
        scrubber(page, "a").press("Enter")
        page.page.keyboard.type(text)
        page.press("Enter")
        alert = page.page.get_by_role("alert").inner_text()
        assert alert == f"“{text}” is not a number: write 2, -0.5, 1e-3 or 3/4."
        page.press("Escape")
    assert moved(page).startswith("a 0.5")
    scrubber(page, "a").press("Enter")
    page.page.keyboard.type("1e5")  # beyond the range of a pull
    page.press("Enter")
    page.page.evaluate(TWO_FRAMES)
    assert scrubber(page, "a").get_attribute("aria-valuenow") == "100000"
    assert scrubber(page, "a").get_attribute("aria-valuemax") == "100000"


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1000, "light"), (1366, "dark")])
def test_nothing_overlaps_while_a_number_is_pulled(page_of, width, scheme):
    for kind, (make, _, _, _, spoken) in CASES.items():
        page = page_of(make(), "#step=3" if kind == "lens" else "#step=12", width, scheme)
        places = page.page.evaluate(PLACES)
        drag(page, spoken, 55, drop=False)
        found = page.page.evaluate(FAULTS) if kind == "lens" else measured(page.page)
        assert [fault for fault in found if fault[0] != "cut"] == []  # a pane shows a part
        assert page.page.evaluate(PLACES)[:3] == places[:3]
        cut = "[...document.querySelectorAll('.mgs-moved > span, .mgs td, .mgs-ghosts span')]"
        wide = "e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth"
        assert page.page.evaluate(f"{cut}.filter({wide}).map(e => e.textContent)") == []
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep_screenshot(page.page, f"pull-{kind}-{width}-{scheme}")
        page.page.mouse.up()
        for leaf in page.page.get_by_role("spinbutton").all()[:3]:  # then all that moved is told
            leaf.focus()
            page.press("Shift+ArrowUp")
        page.page.evaluate(TWO_FRAMES)
        assert page.page.evaluate(f"{cut}.filter({wide}).map(e => e.textContent)") == []


@pytest.mark.parametrize("width", [400, 1000])
def test_a_derivative_that_becomes_longer_grows_away_from_its_edge(page_of, width):
    page = page_of(neuron(), "#step=1&set=w1:-274.7;x1:-123.4", width)
    assert page.page.locator(".loc", has_text="274.7").count() == 1
    assert [fault for fault in measured(page.page) if fault[0] == "crossed"] == []


def test_an_exact_fraction_that_is_pulled_becomes_a_float_and_says_so(page_of):
    a, b = Value(Fraction(1, 3), label="a"), Value(Fraction(2, 7), label="b")
    root = a * b + Fraction(1, 2)
    root.label = "L"
    page = page_of(root, "#step=2")
    exact = page.page.evaluate(SHOWN)
    scrubber(page, "a").press("Enter")
    page.page.keyboard.type("1/2")
    page.press("Enter")
    page.page.evaluate(TWO_FRAMES)
    assert moved(page) == "a 1/3 \u2192 0.5: L 25/42 \u2192 0.6429; exact fractions end here"
    page.button("Back to the original").click()
    assert page.page.evaluate(SHOWN) == exact


def test_minus_zero_is_another_number_than_zero_and_the_update_shows_itself(page_of):
    a = Value(0.0, label="a")
    root = a * 2 + 1.0
    root.label = "L"
    page = page_of(root, "#step=1")
    scrubber(page, "a").press("Enter")
    page.page.keyboard.type("-0")
    page.press("Enter")
    page.page.evaluate(TWO_FRAMES)
    page.page.wait_for_url(lambda url: "set=a:-0" in url)
    curve = page.page.get_by_role("button", name="Curve", exact=True)
    assert curve.get_attribute("aria-pressed") == "true"
    page.press("End", "End")  # the end of the walk, and then the update
    update = page.page.get_by_role("button", name="Update", exact=True).first
    assert update.get_attribute("aria-pressed") == "true"


def test_the_twin_of_a_shared_weight_is_pulled_too(page_of):
    layer = Layer(2, 2, activation="tanh", rng=random.Random(3))
    pair = zip(layer([0.5, -1.0]), layer([0.8, 0.3]), strict=True)
    page = page_of(sum((p - q) ** 2 for p, q in pair), "#step=4", 1366)
    weight = page.page.locator(".mgn-card:has([aria-label='w, layer 1, to neuron 2 from 1'])")
    assert weight.count() == 2
    assert "twin" in weight.nth(1).get_attribute("class")
    box = weight.nth(1).bounding_box()
    page.page.mouse.move(box["x"] + 80, box["y"] + 10)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 110, box["y"] + 10, steps=3)
    page.page.evaluate(TWO_FRAMES)
    page.page.mouse.up()
    first, second = (card.locator(".num.d").inner_text() for card in weight.all())
    assert first == second
    number = float(first.replace("\N{MINUS SIGN}", "-"))
    assert number == pytest.approx(layer.neurons[1].w[0].data + 0.3, abs=1e-4)
    assert page.page.evaluate(FAULTS) == []


def test_a_graph_that_the_page_cannot_compute_says_why(page_of):
    a = Value(2.0, label="a")
    twice = Value(4.0, (a,), "twice")
    twice._backward = lambda: setattr(a, "grad", a.grad + 2 * twice.grad)
    page = page_of(twice * 2, "#step=1&set=a:2&colour=red")
    assert page.page.get_by_role("spinbutton").count() == 0
    assert "made by hand" in page.page.locator(".mgs-legend").inner_text()
    alert = page.page.get_by_role("alert").inner_text()
    assert "made by hand" in alert
    assert "This link says colour=red, which is not here." in alert
