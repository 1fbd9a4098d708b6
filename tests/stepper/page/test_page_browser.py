"""The page opened from disk in a real browser: no server, no network."""

import re
import time

import pytest
from browser import keep_screenshot, launched
from graphs import guide_graph

from micrograd import Value, steps

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


class Opened:
    """A page, with everything that it logged or asked for."""

    def __init__(self, browser, path, fragment="", **options):
        options = {"viewport": {"width": 1000, "height": 900}, "reduced_motion": "reduce"} | options
        self.context = browser.new_context(offline=True, **options)
        self.page = self.context.new_page()
        self.messages, self.requests = [], []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.messages.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri() + fragment)
        self.page.get_by_role("status").wait_for()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def node(self, name):
        return self.page.locator(".node").filter(has=self.page.locator("title", has_text=name))

    def click(self, name):
        """Click a button, also one that is at its end and says so."""
        self.button(name).click(force=True)

    @property
    def said(self):
        return self.page.get_by_role("status").inner_text()

    @property
    def place(self):
        return self.page.locator(".mgs-count").inner_text()

    def close(self):
        self.context.close()
        assert self.messages == []
        assert len(self.requests) == 1


@pytest.fixture
def opened(browser, tmp_path):
    pages = []

    def open_page(root=None, broken=None, fragment="", **options):
        path = steps(guide_graph() if root is None else root, broken).to_html(
            tmp_path / f"page{len(pages)}.html"
        )
        pages.append(Opened(browser, path, fragment, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def on_the_page(text):
    return re.sub(r"(^|[\s(])-(?=[\s\d(])", "\\1\N{MINUS SIGN}", text)


def test_every_step_shows_the_sentence_that_python_says(opened):
    page = opened()
    for step in steps(guide_graph()):
        assert page.said == on_the_page(step.text)
        assert page.place == f"{step.index + 1} / 10"
        page.click("Step forward")
    assert page.button("Step forward").get_attribute("aria-disabled") == "true"
    for step in reversed(steps(guide_graph())):
        assert page.said == on_the_page(step.text)
        page.click("Step back")
    assert page.button("First step").get_attribute("aria-disabled") == "true"


def test_keys_move_through_the_steps(opened):
    page = opened()
    page.page.locator("section").first.click(position={"x": 5, "y": 5})
    page.button("Step forward").focus()
    page.press("End")
    assert page.place == "10 / 10"
    page.press("Home")
    assert page.place == "1 / 10"
    page.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert page.place == "2 / 10"
    page.press("PageDown")
    assert page.place == "4 / 10"  # the seed: L is final
    page.press("PageDown", "PageDown")
    assert page.place == "7 / 10"  # s, then h
    page.press("PageUp")
    assert page.place == "5 / 10"
    assert "That is the first" not in page.said
    page.press("?")
    assert page.page.get_by_text("previous or next final gradient").is_visible()


def test_the_slider_goes_anywhere_and_says_where_it_is(opened):
    page = opened()
    slider = page.page.get_by_role("slider", name="Step")
    slider.focus()
    page.press("End")
    assert page.place == "10 / 10"
    page.press("ArrowLeft")
    assert page.place == "9 / 10"
    assert slider.get_attribute("aria-valuetext").startswith("Step 9 of 10. h passes gradient")
    assert page.page.get_by_role("status").get_attribute("aria-live") == "off"
    slider.fill("6")
    assert "That was the last of 2 contributions: it is final." in page.said


def test_play_runs_to_the_end_and_stops(opened):
    page = opened()
    page.page.get_by_label("Speed").select_option("4")
    page.button("Play").click()
    assert page.page.get_by_role("button", name="Pause").is_visible()
    assert page.page.get_by_role("status").get_attribute("aria-live") == "off"
    page.page.get_by_text("10 / 10").wait_for()
    page.button("Play").wait_for()
    assert page.page.get_by_role("status").get_attribute("aria-live") == "polite"


def test_play_with_motion_walks_a_dot_along_the_edge(opened):
    page = opened(reduced_motion="no-preference", fragment="#step=4")
    page.button("Step forward").click()
    page.page.locator(".dot[visibility=visible][cx]").wait_for(state="attached")
    page.page.locator(".dot[visibility=hidden]").wait_for(state="attached")


def test_a_click_on_a_value_goes_to_the_step_that_completes_it(opened):
    page = opened()
    page.node("h = -6").click()
    assert page.place == "7 / 10"
    assert page.page.get_by_role("heading", name="Where h.grad comes from").is_visible()
    page.node("x = 2").click()
    assert page.place == "9 / 10"


def test_arrows_pick_a_value_and_enter_goes_there(opened):
    page = opened()
    page.button("Step forward").focus()
    page.press("ArrowDown", "ArrowDown")
    assert page.page.get_by_role("heading", name="Where w.grad comes from").is_visible()
    page.node("w = -3").focus()
    page.press("Enter")
    assert page.place == "10 / 10"
    page.press("Escape")
    assert page.page.locator(".node.sel").count() == 0


def test_the_ledger_is_a_table_that_fills_up(opened):
    page = opened(fragment="#step=6")
    rows = page.page.get_by_role("row")
    assert rows.all_inner_texts() == [
        "through\tupstream × local\tadds",
        "L\t+1 × 4\t+4",
        "s\tnot yet\t",
        "h.grad\t1 of 2 so far\t+4",
    ]
    page.press("Tab")
    page.button("Step forward").click()
    assert rows.all_inner_texts()[2:] == ["s\t−6 × 1\t−6", "h.grad\tfinal\t−2"]


def test_cards_tell_untouched_partial_and_final_apart(opened):
    page = opened(fragment="#step=6")
    labels = [node.get_attribute("aria-label") for node in page.page.locator(".node").all()]
    assert labels == [
        "x, data 2, gradient none yet",
        "w, data −3, gradient none yet",
        "h, data −6, gradient +4, 1 of 2 contributions",
        "b, data 10, gradient none yet",
        "s, data 4, gradient −6, final",
        "L, data −24, gradient +1, final",
    ]
    assert page.page.locator(".chip.part").count() == 1
    assert page.page.locator(".chip.on").count() == 3
    page.button("Step forward").click()
    assert page.page.locator(".tag").text_content() == "+4 − 6 = −2"
    assert page.page.locator(".tick[visibility=visible]").count() == 3


def test_going_back_restores_everything(opened):
    page = opened()

    def state():
        return page.page.locator(".mgs").evaluate(
            "e => [...e.querySelectorAll('.node, .edge, text, td, p, mi, mn')]"
            ".map(n => [n.getAttribute('class'), n.getAttribute('style'), n.textContent].join('|'))"
            ".sort().join('\\n')"
        )

    states = []
    for _ in range(9):
        states.append(state())
        page.button("Step forward").click()
    for before in reversed(states):
        page.button("Step back").click()
        assert state() == before


def test_buttons_stay_where_they_are_from_step_to_step(opened):
    page = opened()
    places = set()
    for _ in range(10):
        box = page.button("Step forward").bounding_box()
        places.add((box["x"], box["y"]))
        page.click("Step forward")
    assert len(places) == 1


@pytest.mark.parametrize("width", [320, 400, 700, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_width_and_theme_fits_without_sideways_scroll(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme, fragment="#step=7")
    page.page.wait_for_timeout(100)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.page.locator("section").first.get_attribute("data-theme") == scheme
    background = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 24, 31)"}[scheme]
    heights = page.page.locator(".node.to .num.g").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().height)"
    )
    assert min(heights) >= 10
    for part in (".node.to", ".node.from"):  # what the step is about can be seen
        box, pane = (page.page.locator(p).first.bounding_box() for p in (part, ".mgs-view"))
        assert box["x"] >= pane["x"] - 4
        assert box["x"] + box["width"] <= pane["x"] + pane["width"] + 4
    keep_screenshot(page.page, f"page_{width}_{scheme}")


def test_a_window_made_narrow_follows_the_step(opened):
    page = opened(fragment="#step=7")
    assert page.page.locator(".mgs-mini").is_hidden()
    page.page.set_viewport_size({"width": 400, "height": 900})
    page.page.locator(".mgs-mini").wait_for()
    page.page.set_viewport_size({"width": 1000, "height": 900})
    page.page.locator(".mgs-mini").wait_for(state="hidden")


def test_the_theme_of_the_address_wins(opened):
    page = opened(fragment="#theme=dark", color_scheme="light")
    assert page.page.locator("section").first.get_attribute("data-theme") == "dark"


def test_zoom_and_pan_move_the_view_and_zero_fits_it(opened):
    page = opened()
    svg = page.page.locator(".mgs-view > svg")
    whole = svg.get_attribute("viewBox")
    page.button("Zoom in").click()
    closer = svg.get_attribute("viewBox")
    assert float(closer.split()[2]) < float(whole.split()[2])
    box = svg.bounding_box()
    page.page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 12)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 120, box["y"] + box["height"] - 42)
    page.page.mouse.up()
    assert svg.get_attribute("viewBox") != closer
    page.button("Step forward").focus()
    page.press("0")
    assert svg.get_attribute("viewBox") == whole
    page.page.mouse.wheel(0, 200)  # a bare wheel scrolls the page
    assert svg.get_attribute("viewBox") == whole


def test_labels_with_markup_are_text(opened):
    first = Value(1.0, label="<img src=x onerror=alert(1)>")
    second = Value(2.5, label="</script><script>alert(2)</script>")
    root = (first * second + first).tanh()
    root.label = "'\"><svg onload=alert(3)>&amp;"
    page = opened(root)
    for _ in range(len(steps(root))):
        page.click("Step forward")
    assert page.page.locator("img, script:not([type])").count() == 0
    assert "<img src=x onerror=alert(1)>" in page.said
    title = page.page.get_by_role("heading", level=2).inner_text()
    assert title.startswith("'\"><svg onload=alert(3)>&amp; = ")
    keep_screenshot(page.page, "page_hostile")


def test_the_policy_forbids_the_network(opened):
    page = opened()
    policy = page.page.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    blocked = page.page.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation', "
        "e => done(e.violatedDirective)); const i = new Image(); i.src = 'https://example.org/a.png';"
        " document.body.append(i); })"
    )
    assert blocked == "img-src"
    page.messages.clear()
    del page.requests[1:]


def test_a_broken_rule_is_marked_and_its_right_value_named(opened):
    page = opened(broken="assign", fragment="#step=7")
    assert page.page.get_by_text("Broken on purpose: = instead of +=").is_visible()
    assert page.said.endswith("It is now −6; −2 would be correct.")
    assert page.page.locator(".num.bad").text_content() == "−6!"
    assert page.page.get_by_text("−2 would be correct.", exact=True).is_visible()
    keep_screenshot(page.page, "page_assign")


def test_a_second_pass_keeps_what_the_leaves_hold(opened):
    page = opened(broken="no_zero_grad", fragment="#step=11")
    labels = page.page.locator(".node").evaluate_all(
        "all => all.map(n => n.getAttribute('aria-label'))"
    )
    assert "x, data 2, gradient +6, left over" in labels
    assert "h, data −6, gradient none yet" in labels
    page.button("Last step").click()
    assert "−4 would be correct" in page.said


def test_every_control_has_a_name(opened):
    page = opened()
    snapshot = page.page.locator(".mgs").aria_snapshot()
    for part in (
        'region "Back-propagation, step by step"',
        'group "View"',
        'group "Computation graph, 6 values"',
        'group "Playback"',
        'button "Step forward"',
        'slider "Step"',
        'combobox "Speed"',
        "status",
        'columnheader "through"',
    ):
        assert part in snapshot, snapshot
    assert page.page.locator(".node[tabindex='0']").count() == 1


def test_the_paths_of_a_gradient_are_listed_and_lit(opened):
    page = opened(fragment="#step=7")
    page.button("One row a path").click()
    page.node("x = 2").click()
    table = page.page.locator(".mgs-paths")
    assert [row.split("\t") for row in table.inner_text().splitlines() if row.strip()] == [
        ["path", "local derivatives", "product"],
        ["L ← s ← h ← x", "(−6) × 1 × (−3) =", "+18"],
        ["L ← h ← x", "4 × (−3) =", "−12"],
        ["x.grad", "sum over 2 paths", "+6"],
    ]
    faint = "all => all.filter(e => getComputedStyle(e).opacity === '0.3').length"
    rows = table.locator("tbody tr")
    rows.nth(1).hover()
    on = page.page.locator(".node[data-on]")
    assert on.evaluate_all("all => all.map(n => n.getAttribute('aria-label')[0])") == [
        "x", "h", "L",
    ]  # fmt: skip
    assert page.page.locator(".node").evaluate_all(faint) == 3
    assert page.page.locator(".halo[data-on]").count() == 2
    rows.nth(0).focus()
    assert on.count() == 4
    page.press("ArrowLeft")  # the row keeps the focus, and the path its light
    assert page.place == "8 / 10"
    assert on.count() == 4
    keep_screenshot(page.page, "page_paths")
    page.button("One row a step").click()
    page.page.mouse.move(5, 5)
    assert on.count() == 0
    assert page.page.locator(".node, .edge, .op").evaluate_all(faint) == 0
    page.press("p")
    assert page.button("One row a path").get_attribute("aria-pressed") == "true"


def folded_loss(samples=4):
    from random import Random

    from micrograd.losses import hinge
    from micrograd.nn import MLP

    source = Random(1337)
    model = MLP(2, [4, 1], rng=source)
    points = [[source.uniform(-1, 1) for _ in range(2)] for _ in range(samples)]
    loss = hinge([model(point) for point in points], [1 - 2 * (i % 2) for i in range(samples)])
    loss.label = "loss"
    return loss


WALK = """both => {
  const find = part => document.querySelector(part), wrong = [], terms = new Set();
  const next = find('[aria-label="Step forward"]');
  const pane = find(".mgs-view").getBoundingClientRect();
  while (true) {
    const place = find(".mgs-count").textContent;
    const chain = find(".mgs-tiles").children.length > 0;
    for (const part of chain && both ? [".node.to", ".node.from"] : [".node.to"])
      if (document.querySelectorAll(part).length !== 1) wrong.push([place, part]);
    const card = find(".node.to .box").getBoundingClientRect();
    const inside = card.left >= pane.left - 4 && card.right <= pane.right + 4;
    if (!inside || card.top < pane.top - 4 || card.bottom > pane.bottom + 4) wrong.push([place]);
    terms.add(find(".mgs-fold select").value);
    if (next.getAttribute("aria-disabled") === "true") return [wrong, [...terms].sort()];
    next.click();
  }
}"""


@pytest.mark.parametrize("width", [1000, 400])
def test_a_folded_graph_shows_what_each_step_is_about(opened, width):
    stepper = steps(folded_loss())
    page = opened(folded_loss(), viewport={"width": width, "height": 900})
    assert page.page.locator(".node").count() < 30 < len(stepper.nodes)
    # On a phone the two cards of a step may stand too far apart: it shows the one that receives.
    assert page.page.evaluate(WALK, width == 1000) == [[], ["0", "1", "2", "3"]]
    # A term is chosen: the page goes to where its gradient is final, on the way there to its value.
    terms = page.page.get_by_label("Which of the like terms of v81 is shown")
    losses = stepper.nodes[81].parents
    terms.select_option("2 of 4")
    assert page.said == on_the_page(stepper.find(losses[1]).text)
    page.button("First step").click()
    terms.select_option("3 of 4")
    wanted = next(step for step in stepper if step.node is losses[2])
    assert page.said == on_the_page(wanted.text)
    assert terms.input_value() == "2"
    keep_screenshot(page.page, f"page_folded_{width}")


def test_a_weighted_sum_opens_when_it_is_selected(opened):
    stepper = steps(folded_loss())
    page = opened(folded_loss())
    # The last step of the first sample's forward pass: its four hidden neurons are closed.
    page.page.get_by_role("slider", name="Step").fill(str(stepper.forward_count))
    page.button("Fit the whole graph").click()
    inputs = page.page.locator(".bundle text").all_text_contents()
    assert inputs == ["5 inputs"] * 4 + ["9 inputs"]
    cards = page.page.locator(".node").count()
    page.button("Step forward").focus()
    for _ in range(60):  # the arrow keys pick what is shown, never what is folded away
        page.press("ArrowDown")
        assert page.page.locator(".node.sel").count() == 1
        if len(page.page.locator(".bundle").all()) == 4:
            break
    assert page.page.locator(".node").count() > cards  # its parameters are there
    page.press("Escape")
    page.button("Fit the whole graph").click()
    assert page.page.locator(".bundle").count() == 5


NOTEBOOK = """
const values = { data: JSON.parse(document.getElementById("mgs-data").textContent),
  step: 0, theme: "auto", editable: true, error: "" };
const heard = {};
window.model = {
  get: key => values[key], set(key, value) { values[key] = value; }, save_changes() {},
  on(event, f) { (heard[event] ??= new Set()).add(f); }, off(event, f) { heard[event]?.delete(f); },
  fire(key, value) { values[key] = value; for (const f of [...heard["change:" + key]]) f(); },
};
render({ model, el: document.getElementById("mgs") });
"""


@pytest.fixture
def editable(browser, tmp_path):
    """The page with a model as a notebook gives it, whose Python side is the test."""
    from micrograd.stepper.page import page_data
    from micrograd.stepper.page.html import LAST_LINE, document, script, styles

    pages = []

    def open_page(root, **options):
        code = script().removesuffix(LAST_LINE) + NOTEBOOK
        path = tmp_path / f"notebook{len(pages)}.html"
        text = document("lesson", code, styles(), page_data(steps(root)), "")
        path.write_text(text, encoding="utf-8")
        pages.append(Opened(browser, path, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def fresh_data(root, edits=1):
    from micrograd.stepper.page import page_data

    return {**page_data(steps(root)), "edits": edits}


def test_a_leaf_is_edited_where_it_stands_also_if_it_is_folded_away(editable):
    page = editable(folded_loss())
    page.button("Step forward").focus()
    page.press("ArrowDown")
    chosen = page.page.locator(".node.sel title").text_content()
    page.button("Last step").focus()
    page.press("Enter")
    page.page.get_by_label("Which of the like terms").select_option("2 of 4")
    assert page.page.locator(".node.sel").count() == 0  # another term, another open neuron
    page.button("Step forward").focus()
    page.press("e")
    field = page.page.locator(".mgs-view input")
    box, card = field.bounding_box(), page.page.locator(".node.sel").bounding_box()
    assert page.page.locator(".node.sel title").text_content() == chosen
    assert card["x"] <= box["x"] <= card["x"] + card["width"]
    assert card["y"] <= box["y"] <= card["y"] + card["height"]
    assert page.page.locator(".mgs-view").evaluate("e => [e.scrollLeft, e.scrollTop]") == [0, 0]
    page.button("Step forward").click()  # a step closes it
    assert field.count() == 0


def test_an_answered_edit_keeps_the_focus_and_shows_the_number(editable):
    root = folded_loss()
    page = editable(root)
    page.button("Step forward").focus()
    page.press("ArrowDown")
    card = page.page.locator(".node.sel")
    card.focus()
    page.press("e", "Enter")  # the number that it has
    assert card.locator(".num.d").text_content() == "\u2026"
    page.page.evaluate("data => model.fire('data', data)", fresh_data(root))
    assert card.locator(".num.d").text_content() != "\u2026"
    assert page.page.evaluate(INSIDE)
    page.press("ArrowRight")
    assert page.place.startswith("2 /")
    # A button that has the focus keeps it, and the term that was chosen is still shown.
    terms = page.page.get_by_label("Which of the like terms")
    terms.select_option("4 of 4")
    page.button("Step back").focus()
    page.page.evaluate("data => model.fire('data', data)", fresh_data(root, 2))
    assert page.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Step back"
    assert terms.input_value() == "3"


INSIDE = "() => document.querySelector('.mgs').contains(document.activeElement)"


def test_the_keys_work_on_where_the_focused_card_leaves_the_window(opened):
    from random import Random

    from micrograd.losses import hinge
    from micrograd.nn import MLP

    model = MLP(2, [6, 6, 6, 1], rng=Random(1))
    root = hinge([model([0.1 * i, 0.5]) for i in range(3)], [1, -1, 1])
    page = opened(root)
    page.button("Step forward").focus()
    page.press("End")
    last = int(page.place.split("/")[0])
    page.page.locator(".node").last.focus()
    for k in range(1, 60):
        page.press("ArrowLeft")
        assert page.place.startswith(f"{last - k} /")
        assert page.page.evaluate(INSIDE)


def test_the_keys_work_on_in_the_table_of_paths(opened):
    page = opened()
    page.button("Step forward").focus()
    page.press("End", "p")
    row = page.page.locator(".mgs-paths tbody tr").first
    row.focus()
    for place in ("9 / 10", "8 / 10", "7 / 10"):
        page.press("ArrowLeft")
        assert page.place == place
        assert page.page.evaluate(INSIDE)
    page.press("p")
    assert page.button("One row a path").get_attribute("aria-pressed") == "false"
    page.press("p")
    assert page.button("One row a path").get_attribute("aria-pressed") == "true"
    # The mouse passes over another row: the one with the focus is lit again.
    page.press("End")
    page.node("x = 2").click()
    rows = page.page.locator(".mgs-paths tbody tr")
    rows.nth(0).focus()
    rows.nth(1).hover()
    assert page.page.locator(".node[data-on]").count() == 3
    page.page.mouse.move(5, 5)
    assert page.page.locator(".node[data-on]").count() == 4


def test_a_long_level_line_hangs_below_the_cards_between(opened):
    losses = [(Value(0.1 * i, label=f"a{i}") * float(i) + 1).tanh().relu() for i in range(1, 15)]
    root = losses[0]
    for loss in losses[1:]:
        root = root + loss
    assert len(steps(root).nodes) > 60
    page = opened(root)
    page.button("Last step").click()
    hung = 0
    for _ in range(60):
        page.press("ArrowLeft")
        halo, cards = page.page.evaluate(
            """() => {
              const points = [...document.querySelectorAll(".halo")].flatMap(line => {
                const at = t => line.getPointAtLength(line.getTotalLength() * t);
                const level = Math.abs(at(0).y - at(1).y) < 60 && at(1).x - at(0).x > 180;
                return level ? [.3, .5, .7].map(t => [at(t).x, at(t).y]) : [];
              });
              const others = [...document.querySelectorAll(".node:not(.to):not(.from)")];
              return [points, others.map(n => n.transform.baseVal[0].matrix).map(m => [m.e, m.f])];
            }"""
        )
        hung += len(halo)
        for x, y in halo:
            assert not [c for c in cards if c[0] < x < c[0] + 112 and c[1] < y < c[1] + 84]
    assert hung


def test_a_thousand_values_open_and_step_in_time(opened):
    from random import Random

    from micrograd.losses import hinge
    from micrograd.nn import MLP

    source = Random(1337)
    model = MLP(2, [16, 16, 1], rng=source)
    points = [[source.uniform(-1, 1) for _ in range(2)] for _ in range(8)]
    loss = hinge([model(point) for point in points], [1, -1] * 4)
    loss.label = "loss"
    start = time.perf_counter()
    page = opened(loss, fragment="#step=800")
    assert time.perf_counter() - start < 60
    times = page.page.evaluate(
        """() => [...Array(30)].map(() => {
          const start = performance.now();
          document.querySelector('[aria-label="Step forward"]').click();
          return performance.now() - start;
        }).sort((a, b) => a - b)"""
    )
    assert page.place == "830 / 5981"
    assert times[15] < 250  # 50 is aimed at and measured apart; a shared machine is slower
    keep_screenshot(page.page, "page_thousand")


def test_the_frame_of_a_saved_notebook_runs_without_network_and_cannot_reach_the_page(
    browser, tmp_path
):
    path = tmp_path / "notebook.html"
    frame = steps(guide_graph()).page()._repr_html_()
    path.write_text(f"<!DOCTYPE html><title>outer</title>{frame}", encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": 900, "height": 800})
    page = context.new_page()
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(path.as_uri())
    inside = page.frame_locator("iframe")
    inside.get_by_role("button", name="Last step", exact=True).click()
    assert "the same as backward()" in inside.get_by_role("status").inner_text()
    keep_screenshot(page, "frame")
    assert messages == []
    context.close()
